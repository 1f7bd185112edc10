// Transpose, Concat, Slice, Gather, Pad, Reshape: operators that only move elements.
#include "schedules/operators/halide_operators.h"

namespace whet {

using Halide::Expr;

TensorReader HalideTranspose(AlgorithmBuilder& builder, const HalideNode& n) {
  const std::vector<int64_t> perm = n.node.attributes.Ints("perm");
  return builder.Pure("transpose", n.output, [&](const Exprs& index) -> Expr {
    Exprs at(index.size());
    for (size_t d = 0; d < perm.size(); ++d) at[perm[d]] = index[d];
    return n.inputs[0](at);
  });
}

TensorReader HalideConcat(AlgorithmBuilder& builder, const HalideNode& n) {
  const int64_t rank = static_cast<int64_t>(n.output.shape.size());
  int64_t axis = n.node.attributes.Int("axis", 0);
  if (axis < 0) axis += rank;
  return builder.Pure("concat", n.output, [&](const Exprs& index) -> Expr {
    // From the last operand backwards: select(i < begin of the next, this one, the rest).
    Expr value;
    int64_t end = n.output.shape[axis];
    for (size_t i = n.inputs.size(); i-- > 0;) {
      const int64_t extent = n.inputs[i].type.shape[axis], begin = end - extent;
      if (extent == 0) continue;
      Exprs at = index;
      at[axis] =
          Halide::clamp(index[axis] - static_cast<int>(begin), 0, static_cast<int>(extent - 1));
      const Expr element = n.inputs[i](at);
      value = value.defined() ? Halide::select(index[axis] < static_cast<int>(end), element, value)
                              : element;
      end = begin;
    }
    return value;
  });
}

TensorReader HalideSlice(AlgorithmBuilder& builder, const HalideNode& n) {
  const Attributes& a = n.node.attributes;
  const std::vector<int64_t> starts = a.Ints("starts"), axes = a.Ints("axes"),
                             steps = a.Ints("steps");
  return builder.Pure("slice", n.output, [&](const Exprs& index) -> Expr {
    Exprs at = index;
    for (size_t i = 0; i < axes.size(); ++i) {
      const int step = static_cast<int>(steps.empty() ? 1 : steps[i]);
      at[axes[i]] = index[axes[i]] * step + static_cast<int>(starts[i]);
    }
    return n.inputs[0](at);
  });
}

TensorReader HalideGather(AlgorithmBuilder& builder, const HalideNode& n) {
  const int64_t rank = static_cast<int64_t>(n.inputs[0].type.shape.size());
  int64_t axis = n.node.attributes.Int("axis", 0);
  if (axis < 0) axis += rank;
  const size_t index_rank = n.inputs[1].type.shape.size();
  const int extent = static_cast<int>(n.inputs[0].type.shape[axis]);
  return builder.Pure("gather", n.output, [&](const Exprs& index) -> Expr {
    const Exprs picked(index.begin() + axis, index.begin() + axis + static_cast<long>(index_rank));
    Expr position = Halide::cast<int>(n.inputs[1](picked));
    position = Halide::select(position < 0, position + extent, position);
    Exprs at(index.begin(), index.begin() + axis);
    at.push_back(Halide::clamp(position, 0, extent - 1));
    at.insert(at.end(), index.begin() + axis + static_cast<long>(index_rank), index.end());
    return n.inputs[0](at);
  });
}

TensorReader HalidePad(AlgorithmBuilder& builder, const HalideNode& n) {
  const Attributes& a = n.node.attributes;
  const std::vector<int64_t> begins = a.Ints("begins"), ends = a.Ints("ends");
  const std::string mode = a.String("mode", "constant");
  const Shape& in = n.inputs[0].type.shape;
  return builder.Pure("pad", n.output, [&](const Exprs& index) -> Expr {
    Exprs at = index;
    Expr inside = Halide::Internal::const_true();
    for (size_t d = 0; d < in.size(); ++d) {
      if (begins[d] == 0 && ends[d] == 0) continue;
      const int extent = static_cast<int>(in[d]);
      const Expr i = index[d] - static_cast<int>(begins[d]);
      if (mode == "wrap") {
        at[d] = i % extent;
      } else if (mode == "reflect" && begins[d] < in[d] && ends[d] < in[d]) {
        const Expr forth = Halide::max(i, -i);
        at[d] = Halide::min(forth, 2 * (extent - 1) - forth);
      } else if (mode == "reflect") {  // back and forth
        const int period = std::max(2 * (extent - 1), 1);
        const Expr forth = i % period;
        at[d] = Halide::clamp(Halide::min(forth, period - forth), 0, extent - 1);
      } else {
        at[d] = Halide::clamp(i, 0, extent - 1);
        if (mode == "constant") inside = inside && i >= 0 && i < extent;
      }
    }
    const Expr value = n.inputs[0](at);
    if (mode != "constant") return value;
    const double constant = a.Float("value", 0);
    return Halide::select(inside, value, Halide::cast(value.type(), static_cast<float>(constant)));
  });
}

TensorReader HalideReshape(AlgorithmBuilder& builder, const HalideNode& n) {
  const Shape &in = n.inputs[0].type.shape, &out = n.output.shape;
  return builder.Pure("reshape", n.output, [&](const Exprs& index) -> Expr {
    Expr flat = 0;
    for (size_t d = 0; d < out.size(); ++d) flat = flat * static_cast<int>(out[d]) + index[d];
    Exprs at(in.size());
    for (size_t d = in.size(); d-- > 0;) {
      at[d] = d == 0 ? flat : flat % static_cast<int>(in[d]);
      flat = flat / static_cast<int>(in[d]);
    }
    return n.inputs[0](at);
  });
}

}  // namespace whet
