#include "schedules/access_shape.h"

#include <algorithm>

namespace whet {
namespace {

// Coefficients of an expression that is affine up to clamping against constants; false for any
// other.
bool ReadAffine(const IndexExpr& expr, int loops, int64_t* coefficients) {
  constexpr int kDepth = 8;
  int64_t stack[kDepth][kMaxLoops];
  bool constant[kDepth];
  int64_t value[kDepth];
  int top = 0;
  for (const IndexExpr::Node& node : expr.nodes) {
    switch (node.op) {
      case IndexExpr::Op::kConst:
      case IndexExpr::Op::kLoop: {
        if (top == kDepth) return false;
        std::fill_n(stack[top], loops, int64_t{0});
        constant[top] = node.op == IndexExpr::Op::kConst;
        value[top] = constant[top] ? node.value : 0;
        if (!constant[top]) {
          if (node.value < 0 || node.value >= loops) return false;
          stack[top][node.value] = 1;
        }
        ++top;
        break;
      }
      case IndexExpr::Op::kAdd: {
        if (top < 2) return false;
        --top;
        for (int l = 0; l < loops; ++l) stack[top - 1][l] += stack[top][l];
        value[top - 1] += value[top];
        constant[top - 1] = constant[top - 1] && constant[top];
        break;
      }
      case IndexExpr::Op::kMul: {
        if (top < 1) return false;
        for (int l = 0; l < loops; ++l) stack[top - 1][l] *= node.value;
        value[top - 1] *= node.value;
        break;
      }
      case IndexExpr::Op::kMin:
      case IndexExpr::Op::kMax: {
        if (top < 2) return false;
        --top;
        if (!constant[top] && !constant[top - 1]) return false;
        if (constant[top - 1]) {
          std::copy_n(stack[top], loops, stack[top - 1]);
          constant[top - 1] = constant[top];
        }
        break;
      }
      default:
        return false;
    }
  }
  if (top != 1) return false;
  std::copy_n(stack[0], loops, coefficients);
  return true;
}

// The index of dimension `d` is that loop alone.
void SetLoop(int d, int loop, AccessShape& access) {
  access.affine[d] = true;
  access.steps[d][loop] = 1;
  access.moved_by[d] = 1U << loop;
  access.loops |= access.moved_by[d];
}

void SetIndex(int d, const IndexExpr& expr, int loops, AccessShape& access) {
  access.index[d] = &expr;
  const IndexExpr::Node& first = expr.nodes.front();
  if (expr.nodes.size() == 1 && first.op == IndexExpr::Op::kLoop && first.value < loops)
    return SetLoop(d, static_cast<int>(first.value), access);
  access.affine[d] = ReadAffine(expr, loops, access.steps[d]);
  for (int l = 0; l < loops; ++l) {
    if (!access.affine[d]) access.steps[d][l] = expr.Step(l);
    const bool moves = access.steps[d][l] != 0 || (!access.affine[d] && expr.Uses(l));
    access.moved_by[d] |= static_cast<uint32_t>(moves) << l;
  }
  access.loops |= access.moved_by[d];
}

}  // namespace

AccessShape ShapeOfRead(const Dag& dag, int stage, const std::vector<IndexExpr>& index, int loops) {
  AccessShape access;
  access.stage = stage;
  access.dims =
      static_cast<int>(std::min({dag.stages[stage].dims.size(), index.size(), size_t{kMaxDims}}));
  for (int d = 0; d < access.dims; ++d) SetIndex(d, index[d], std::min(loops, kMaxLoops), access);
  return access;
}

AccessShape ShapeOfStore(const Dag& dag, int stage, int loops) {
  AccessShape access;
  access.stage = stage;
  const int dims = static_cast<int>(dag.stages[stage].dims.size());
  access.dims = std::min({dims, loops, kMaxDims, kMaxLoops});
  for (int d = 0; d < access.dims; ++d) SetLoop(d, d, access);
  return access;
}

bool SameShape(const AccessShape& a, const AccessShape& b) {
  if (a.stage != b.stage || a.loops != b.loops) return false;
  for (int d = 0; d < a.dims; ++d) {
    if (!a.affine[d] || !b.affine[d] || a.moved_by[d] != b.moved_by[d]) return false;
    if (!std::equal(a.steps[d], a.steps[d] + kMaxLoops, b.steps[d])) return false;
  }
  return true;
}

}  // namespace whet
