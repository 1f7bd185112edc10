#include "codegen/transpose_loads.h"

#include <algorithm>
#include <map>
#include <set>

namespace whet {
namespace {

using Halide::Expr;
using Halide::Internal::Stmt;
namespace ir = Halide::Internal;

bool IsPowerOfTwo(int n) { return n > 0 && (n & (n - 1)) == 0; }

// One strided load: `offset` elements behind its group's first.
struct StridedLoad {
  Expr load;
  int64_t offset = 0;
};

// Loads of one buffer with the same lanes and stride, whose distances are known.
struct Group {
  const ir::Load* first = nullptr;
  const ir::Ramp* ramp = nullptr;
  std::vector<StridedLoad> loads;

  bool Add(const Expr& expr, const ir::Load& load, const ir::Ramp& other) {
    if (load.name != first->name || load.type != first->type ||
        !ir::equal(other.stride, ramp->stride)) {
      return false;
    }
    const auto offset = ir::as_const_int(ir::simplify(other.base - ramp->base));
    if (!offset) return false;
    for (const StridedLoad& known : loads)
      if (known.offset == *offset) return true;
    loads.push_back({expr, *offset});
    return true;
  }
};

class FindStridedLoads : public ir::IRVisitor {
 public:
  explicit FindStridedLoads(std::vector<Group>* groups) : groups_(*groups) {}

 private:
  using IRVisitor::visit;
  void visit(const ir::Load* load) override {
    const ir::Ramp* ramp = load->index.as<ir::Ramp>();
    if (ramp == nullptr || ramp->base.type().is_vector() || !ir::is_const_one(load->predicate) ||
        !IsPowerOfTwo(ramp->lanes) || ramp->lanes < 4) {
      return;
    }
    const auto stride = ir::as_const_int(ramp->stride);
    if (stride && *stride < 4) return;  // dense, or what Halide's own shuffles are for
    for (Group& group : groups_)
      if (group.Add(load, *load, *ramp)) return;
    groups_.push_back({load, ramp, {{load, 0}}});
  }

  std::vector<Group>& groups_;
};

// The statements of nested blocks in a row.
void Flatten(const Stmt& stmt, std::vector<Stmt>* out) {
  if (const ir::Block* block = stmt.as<ir::Block>()) {
    Flatten(block->first, out);
    Flatten(block->rest, out);
  } else {
    out->push_back(stmt);
  }
}

class Rewriter {
 public:
  explicit Rewriter(int vector_bytes) : vector_bytes_(vector_bytes) {}

  Stmt Rewrite(const Stmt& stmt) {
    if (!stmt.defined()) return stmt;
    if (stmt.as<ir::Block>() != nullptr || stmt.as<ir::Store>() != nullptr) return Row(stmt);
    if (const auto* s = stmt.as<ir::LetStmt>())
      return ir::LetStmt::make(s->name, s->value, Rewrite(s->body));
    if (const auto* s = stmt.as<ir::For>()) {
      return ir::For::make(s->name, s->min, s->extent, s->for_type, s->partition_policy,
                           s->device_api, Rewrite(s->body));
    }
    if (const auto* s = stmt.as<ir::IfThenElse>())
      return ir::IfThenElse::make(s->condition, Rewrite(s->then_case), Rewrite(s->else_case));
    if (const auto* s = stmt.as<ir::ProducerConsumer>())
      return ir::ProducerConsumer::make(s->name, s->is_producer, Rewrite(s->body));
    if (const auto* s = stmt.as<ir::Allocate>()) {
      return ir::Allocate::make(s->name, s->type, s->memory_type, s->extents, s->condition,
                                Rewrite(s->body), s->new_expr, s->free_function, s->padding);
    }
    return stmt;
  }

 private:
  // Runs of stores are rewritten as one; what lies between them by itself.
  Stmt Row(const Stmt& stmt) {
    std::vector<Stmt> in, out, stores;
    Flatten(stmt, &in);
    const auto flush = [&] {
      if (!stores.empty()) out.push_back(Stores(std::move(stores)));
      stores.clear();
    };
    for (const Stmt& s : in) {
      if (s.as<ir::Store>() != nullptr) {
        stores.push_back(s);
        continue;
      }
      flush();
      out.push_back(Rewrite(s));
    }
    flush();
    return ir::Block::make(out);
  }

  Stmt Stores(std::vector<Stmt> stores) {
    std::vector<Group> groups;
    std::set<std::string> written;
    FindStridedLoads find(&groups);
    for (const Stmt& store : stores) {
      store.accept(&find);
      written.insert(store.as<ir::Store>()->name);
    }
    Stmt body = ir::Block::make(stores);
    for (Group& group : groups) {
      if (written.count(group.first->name) != 0) continue;
      std::sort(group.loads.begin(), group.loads.end(),
                [](const auto& a, const auto& b) { return a.offset < b.offset; });
      const int most = vector_bytes_ / group.first->type.bytes();
      if (group.ramp->lanes > most) continue;
      for (size_t begin = 0; begin < group.loads.size();) {
        size_t run = 1;
        while (begin + run < group.loads.size() &&
               group.loads[begin + run].offset == group.loads[begin].offset + int64_t(run))
          ++run;
        int rows = most;
        while (rows > static_cast<int>(run)) rows /= 2;
        if (rows >= 4) body = Transposed(group, begin, rows, body);
        begin += rows;
      }
    }
    return body;
  }

  // `body` with loads begin .. begin + rows of the group taken from a transpose before it.
  Stmt Transposed(const Group& group, size_t begin, int rows, Stmt body) {
    const int lanes = group.ramp->lanes;
    const Halide::Type element = group.first->type.element_of();
    const int most = vector_bytes_ / element.bytes();
    const std::string prefix = "transposed" + std::to_string(++transposes_) + ".";
    std::vector<std::pair<std::string, Expr>> lets;
    const auto let = [&](const Expr& value) {
      lets.emplace_back(prefix + std::to_string(lets.size()), value);
      return ir::Variable::make(value.type(), lets.back().first);
    };
    std::vector<Expr> vectors;
    const Expr base = group.ramp->base + static_cast<int>(group.loads[begin].offset);
    for (int l = 0; l < lanes; ++l) {
      const Expr start = ir::simplify(base + group.ramp->stride * l);
      vectors.push_back(let(ir::Load::make(element.with_lanes(rows), group.first->name,
                                           ir::Ramp::make(start, 1, rows), group.first->image,
                                           group.first->param, ir::const_true(rows), {})));
    }
    for (int round = 1; round < lanes; round *= 2) {
      const size_t half = vectors.size() / 2;
      const int width = vectors[0].type().lanes();
      std::vector<Expr> next;
      for (size_t i = 0; i < half; ++i) {
        std::vector<int> order(2 * static_cast<size_t>(width));
        for (int p = 0; p < width; ++p) order[2 * p] = p, order[2 * p + 1] = width + p;
        // As one vector where a register holds it, else as two.
        const int pieces = 2 * width > most ? 2 : 1;
        for (int piece = 0; piece < pieces; ++piece) {
          const auto from = order.begin() + piece * width;
          next.push_back(let(
              ir::Shuffle::make({vectors[i], vectors[i + half]},
                                std::vector<int>(from, pieces == 1 ? order.end() : from + width))));
        }
      }
      vectors = std::move(next);
    }
    const int width = vectors[0].type().lanes();
    for (int r = 0; r < rows; ++r) {
      const int at = r * lanes;
      Expr result;
      if (width >= lanes) {
        const Expr& whole = vectors[at / width];
        result = width == lanes ? whole : ir::Shuffle::make_slice(whole, at % width, 1, lanes);
      } else {
        result = ir::Shuffle::make_concat(
            {vectors.begin() + at / width, vectors.begin() + (at + lanes) / width});
      }
      body = ir::substitute(group.loads[begin + r].load, let(result), body);
    }
    for (auto it = lets.rbegin(); it != lets.rend(); ++it)
      body = ir::LetStmt::make(it->first, it->second, body);
    return body;
  }

  const int vector_bytes_;
  int transposes_ = 0;
};

}  // namespace

void TransposeLoads(int vector_bytes, Halide::Module* module) {
  for (ir::LoweredFunc& function : module->functions())
    function.body = Rewriter(vector_bytes).Rewrite(function.body);
}

}  // namespace whet
