#include "schedules/dag.h"

#include <algorithm>
#include <array>

#include "schedules/index_range.h"

namespace whet {
namespace {

int64_t FloorDiv(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return (a % b != 0 && ((a < 0) != (b < 0))) ? q - 1 : q;
}

constexpr int kMaxDepth = 32;  // of the postfix stack; deeper expressions count as unknown

}  // namespace

void OpCounts::AddScaled(const OpCounts& more, double factor) {
  fma += factor * more.fma, add += factor * more.add, mul += factor * more.mul;
  div += factor * more.div, minmax += factor * more.minmax, compare += factor * more.compare;
  transcendental += factor * more.transcendental, integer += factor * more.integer;
}

bool IndexExpr::Uses(int loop) const {
  for (const Node& node : nodes)
    if (node.op == Op::kLoop && node.value == loop) return true;
  return false;
}

bool IndexExpr::IsKnown() const {
  for (const Node& node : nodes)
    if (node.op == Op::kUnknown) return false;
  return true;
}

namespace {

// RangeOf, where `loop_range` gives the range of a loop.
template <typename LoopRange>
IndexRange Evaluate(const IndexExpr& index, const LoopRange& loop_range) {
  if (index.nodes.size() == 1 && index.nodes[0].op == IndexExpr::Op::kLoop)
    return loop_range(index.nodes[0].value);  // as most are
  IndexRange stack[kMaxDepth];
  std::array<bool, kMaxDepth> constant{};
  int top = 0;
  for (const IndexExpr::Node& node : index.nodes) {
    using Op = IndexExpr::Op;
    if (top + 1 >= kMaxDepth) return {};
    switch (node.op) {
      case Op::kConst:
        constant[top] = true;
        stack[top++] = {node.value, node.value};
        break;
      case Op::kLoop:
        constant[top] = false;
        stack[top++] = loop_range(node.value);
        break;
      case Op::kAdd:
        --top;
        constant[top - 1] = constant[top - 1] && constant[top];
        stack[top - 1] = {stack[top - 1].low + stack[top].low,
                          stack[top - 1].high + stack[top].high};
        break;
      case Op::kMul: {
        const IndexRange r = stack[top - 1];
        stack[top - 1] = node.value >= 0 ? IndexRange{r.low * node.value, r.high * node.value}
                                         : IndexRange{r.high * node.value, r.low * node.value};
        break;
      }
      case Op::kFloorDiv:
        stack[top - 1] = {FloorDiv(stack[top - 1].low, node.value),
                          FloorDiv(stack[top - 1].high, node.value)};
        break;
      case Op::kMod: {
        const IndexRange r = stack[top - 1];
        // A tile that starts at a multiple of the modulus, as split loops do.
        stack[top - 1] = {0, std::min(r.high - r.low, node.value - 1)};
        break;
      }
      case Op::kMin:
      case Op::kMax:
        // A clamp by a constant does not narrow a tile that lies inside the image.
        --top;
        if (constant[top - 1] && !constant[top]) {
          stack[top - 1] = stack[top];
          constant[top - 1] = false;
        }
        break;
      case Op::kUnknown:
        constant[top] = false;
        stack[top++] = {0, 0};
        break;
    }
  }
  return top == 1 ? stack[0] : IndexRange{};
}

}  // namespace

IndexRange RangeOf(const IndexExpr& index, std::span<const IndexRange> loops) {
  return Evaluate(index, [&](int64_t l) { return loops[l]; });
}

int64_t WidthOf(const IndexExpr& index, std::span<const int64_t> extents) {
  const auto range = [&](int64_t l) {
    return static_cast<size_t>(l) < extents.size() ? IndexRange{0, extents[l] - 1} : IndexRange{};
  };
  return Evaluate(index, range).width();
}

int64_t IndexExpr::Width(const std::vector<int64_t>& extents) const {
  return WidthOf(*this, extents);
}

int64_t IndexExpr::Step(int loop) const {
  std::array<std::array<int64_t, 2>, kMaxDepth>
      stack;  // the value where the loop is 0 and where it is 1
  std::array<bool, kMaxDepth> constant{};
  int top = 0;
  for (const Node& node : nodes) {
    if (top + 1 >= kMaxDepth) return 0;
    switch (node.op) {
      case Op::kConst:
        constant[top] = true;
        stack[top++] = {node.value, node.value};
        break;
      case Op::kLoop:
        constant[top] = false;
        stack[top++] = {0, node.value == loop ? 1 : 0};
        break;
      case Op::kAdd:
        --top;
        constant[top - 1] = constant[top - 1] && constant[top];
        for (int i = 0; i < 2; ++i) stack[top - 1][i] += stack[top][i];
        break;
      case Op::kMul:
        for (int64_t& v : stack[top - 1]) v *= node.value;
        break;
      case Op::kFloorDiv:
        for (int64_t& v : stack[top - 1]) v = FloorDiv(v, node.value);
        break;
      case Op::kMod:
        for (int64_t& v : stack[top - 1]) v -= FloorDiv(v, node.value) * node.value;
        break;
      case Op::kMin:
      case Op::kMax:
        --top;
        if (constant[top - 1] && !constant[top]) {
          stack[top - 1] = stack[top];
          constant[top - 1] = false;
        }
        break;
      case Op::kUnknown:
        constant[top] = false;
        stack[top++] = {0, 0};
        break;
    }
  }
  return top == 1 ? stack[0][1] - stack[0][0] : 0;
}

int Dag::Find(const std::string& name) const {
  for (size_t i = 0; i < stages.size(); ++i)
    if (stages[i].name == name) return static_cast<int>(i);
  return -1;
}

std::vector<int> Dag::Consumers(int stage) const {
  std::vector<int> result;
  for (size_t s = 0; s < stages.size(); ++s) {
    const auto reads_it = [&](const Definition& d) {
      return std::any_of(d.reads.begin(), d.reads.end(),
                         [&](const Access& a) { return a.stage == stage; });
    };
    if (std::any_of(stages[s].definitions.begin(), stages[s].definitions.end(), reads_it))
      result.push_back(static_cast<int>(s));
  }
  return result;
}

double Dag::TotalFlops() const {
  double total = 0;
  for (const Stage& stage : stages) {
    for (const Definition& definition : stage.definitions) {
      double points = 1;
      for (const Loop& loop : definition.loops) points *= static_cast<double>(loop.extent);
      total += points * definition.ops.Flops();
    }
  }
  return total;
}

}  // namespace whet
