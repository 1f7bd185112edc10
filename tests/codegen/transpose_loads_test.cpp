#include "codegen/transpose_loads.h"

#include <gtest/gtest.h>

namespace whet {
namespace {

namespace ir = Halide::Internal;

struct LoadCounts {
  int dense = 0, strided = 0, scalar = 0;
  bool operator==(const LoadCounts&) const = default;
};
void PrintTo(const LoadCounts& counts, std::ostream* out) {
  *out << counts.dense << " dense, " << counts.strided << " strided, " << counts.scalar
       << " scalar";
}

class CountLoads : public ir::IRVisitor {
 public:
  LoadCounts counts;

 private:
  using IRVisitor::visit;
  void visit(const ir::Load* load) override {
    const ir::Ramp* ramp = load->index.as<ir::Ramp>();
    ++(ramp == nullptr                  ? counts.scalar
       : ir::is_const_one(ramp->stride) ? counts.dense
                                        : counts.strided);
    IRVisitor::visit(load);
  }
};

// y[i, j] = x[j, i] + 1, in 4 x 32 register tiles of `lanes` by `rows`, with 64-byte vectors: the
// loads before and after.
std::pair<LoadCounts, LoadCounts> Count(int lanes, int rows,
                                        Halide::TailStrategy tail = Halide::TailStrategy::Auto) {
  Halide::ImageParam x(Halide::Float(32), 2, "x");
  const int width = 4 * lanes + (tail == Halide::TailStrategy::Predicate), height = 32 * rows;
  x.dim(0).set_bounds(0, height);
  x.dim(1).set_bounds(0, width).set_stride(height);
  Halide::Func y("y");
  Halide::Var i("i"), j("j"), ii("ii"), jj("jj");
  y(i, j) = x(j, i) + 1.0f;
  y.output_buffer().dim(0).set_bounds(0, width);
  y.output_buffer().dim(1).set_bounds(0, height).set_stride(width);
  y.tile(i, j, ii, jj, lanes, rows, tail).vectorize(ii).unroll(jj);
  Halide::Module module = y.compile_to_module(
      {x}, "y", Halide::Target("x86-64-linux-avx512_skylake-no_asserts-no_bounds_query"));
  const auto count = [&] {
    CountLoads visitor;
    for (const ir::LoweredFunc& function : module.functions()) function.body.accept(&visitor);
    return visitor.counts;
  };
  const LoadCounts before = count();
  TransposeLoads(64, &module);
  return {before, count()};
}

TEST(TransposeLoads, LoadsASquareOfNeighboursAsItsRows) {
  const auto [before, after] = Count(16, 16);
  EXPECT_EQ(before, (LoadCounts{0, 16, 0}));
  EXPECT_EQ(after, (LoadCounts{16, 0, 0}));
}

TEST(TransposeLoads, CutsNeighboursIntoPowersOfTwo) {
  const auto [before, after] = Count(16, 12);
  EXPECT_EQ(before.strided, 12);
  EXPECT_EQ(after, (LoadCounts{32, 0, 0}));  // 16 rows of eight and 16 of four
}

TEST(TransposeLoads, TakesVectorsOfHalfARegister) {
  const auto [before, after] = Count(8, 16);
  EXPECT_EQ(before.strided, 16);
  EXPECT_EQ(after, (LoadCounts{8, 0, 0}));
}

TEST(TransposeLoads, LeavesFewNeighboursAlone) {
  const auto [before, after] = Count(16, 2);
  EXPECT_EQ(before, after);
  EXPECT_EQ(after.strided, 2);
}

TEST(TransposeLoads, LeavesLoadsUnderAPredicateAlone) {
  const auto [before, after] = Count(16, 8, Halide::TailStrategy::Predicate);
  EXPECT_GT(after.strided, 0);
}

}  // namespace
}  // namespace whet
