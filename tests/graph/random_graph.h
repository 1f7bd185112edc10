// Random small networks for property tests: convolutions, normalisation, pooling, arithmetic with
// broadcasting, movement and matrix products, wired at random.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/graph/graph_fixture.h"

namespace whet {

class RandomGraphMaker {
 public:
  explicit RandomGraphMaker(uint64_t seed) : rng_(seed) {}

  Graph Make() {
    const int64_t n = 1 + rng_.Below(2), c = Pick({1, 2, 4}), h = 1 + rng_.Below(6),
                  w = 1 + rng_.Below(6);
    pool_.push_back(b_.Input("x", {n, c, h, w}));
    if (rng_.Chance(0.3)) pool_.push_back(b_.Input("x2", {n, c, h, w}));
    const int64_t steps = 3 + rng_.Below(12);
    for (int64_t i = 0; i < steps; ++i) Step();
    b_.Output(pool_.back());
    for (ValueId value : pool_) {
      const bool computed = b_.graph.Producer(value) >= 0;
      if (computed && value != pool_.back() && rng_.Chance(0.1)) b_.Output(value);
    }
    return b_.graph;
  }

 private:
  int64_t Pick(std::vector<int64_t> values) {
    return values[rng_.Below(static_cast<int64_t>(values.size()))];
  }
  // The newest values are the likeliest, so that graphs are deep rather than wide.
  ValueId Any() {
    const int64_t size = static_cast<int64_t>(pool_.size());
    return pool_[rng_.Chance(0.6) ? size - 1 : rng_.Below(size)];
  }
  void Add(ValueId value) { pool_.push_back(value); }
  const Shape& ShapeOf(ValueId value) { return b_.ShapeOf(value); }

  void Step() {
    const ValueId x = Any();
    const Shape shape = ShapeOf(x);
    if (ElementCount(shape) > 4096) return;
    if (shape.size() == 4 && rng_.Chance(0.5)) return SpatialStep(x, shape);
    switch (rng_.Below(10)) {
      case 0:
        return Unary(x);
      case 1:
        return Binary(x, shape);
      case 2:
        return WithValue(x, shape);
      case 3:
        return Add(SpelledHardSwish(x));
      case 4: {
        std::vector<int64_t> perm(shape.size());
        std::iota(perm.begin(), perm.end(), 0);
        for (size_t i = perm.size(); i > 1; --i)
          std::swap(perm[i - 1], perm[rng_.Below(static_cast<int64_t>(i))]);
        return Add(b_.Node("Transpose", {x}, {{"perm", perm}}));
      }
      case 5: {
        const int64_t axis = rng_.Below(static_cast<int64_t>(shape.size()));
        const int64_t start = rng_.Below(shape[axis]), step = 1 + rng_.Below(2);
        const int64_t end = start + 1 + rng_.Below(shape[axis] - start);
        return Add(b_.Node("Slice", {x},
                           {{"starts", std::vector<int64_t>{start}},
                            {"ends", std::vector<int64_t>{end}},
                            {"axes", std::vector<int64_t>{axis}},
                            {"steps", std::vector<int64_t>{step}}}));
      }
      case 6:
        return Add(
            b_.Node("Softmax", {x}, {{"axis", rng_.Below(static_cast<int64_t>(shape.size()))}}));
      case 7:
        return Reshape(x, shape);
      case 8: {
        std::vector<int64_t> axes;
        for (int64_t d = 0; d < static_cast<int64_t>(shape.size()); ++d)
          if (rng_.Chance(0.5)) axes.push_back(d);
        if (axes.empty()) axes.push_back(rng_.Below(static_cast<int64_t>(shape.size())));
        return Add(b_.Node(rng_.Chance(0.5) ? "ReduceMean" : "ReduceMax", {x}, {{"axes", axes}}));
      }
      default:
        return Product(x, shape);
    }
  }

  void SpatialStep(ValueId x, const Shape& shape) {
    switch (rng_.Below(5)) {
      case 0:
      case 1:
        return Convolve(x, shape);
      case 2: {
        const int64_t c = shape[1];
        return Add(b_.Node("BatchNormalization",
                           {x, b_.Random({c}, rng_, 0.5, 1.5), b_.Random({c}, rng_),
                            b_.Random({c}, rng_), b_.Random({c}, rng_, 0.5, 2)},
                           {{"epsilon", 1e-5}, {"layout", std::string("NCHW")}}));
      }
      case 3: {
        if (rng_.Chance(0.4))
          return Add(b_.Node("GlobalAveragePool", {x}, {{"layout", std::string("NCHW")}}));
        const std::vector<int64_t> kernel{std::min<int64_t>(shape[2], 2),
                                          std::min<int64_t>(shape[3], 3)};
        Attributes attributes{{"kernel_shape", kernel},
                              {"strides", std::vector<int64_t>{1, Pick({1, 2})}},
                              {"pads", std::vector<int64_t>{0, 0, kernel[0] - 1, 0}},
                              {"dilations", std::vector<int64_t>{1, 1}},
                              {"ceil_mode", rng_.Below(2)},
                              {"layout", std::string("NCHW")}};
        const bool max = rng_.Chance(0.5);
        if (!max) attributes.Set("count_include_pad", rng_.Below(2));
        return Add(b_.Node(max ? "MaxPool" : "AveragePool", {x}, attributes));
      }
      default:
        return Concat(x, shape);
    }
  }

  void Convolve(ValueId x, const Shape& shape) {
    const int64_t c = shape[1], group = rng_.Chance(0.3) ? c : 1, kernel = Pick({1, 1, 3});
    const int64_t m = group * Pick({1, 2, 3}), pad = kernel / 2, stride = Pick({1, 1, 2});
    const double bound = 1 / std::sqrt(static_cast<double>(c / group * kernel * kernel));
    const ValueId w = b_.Random({m, c / group, kernel, kernel}, rng_, -bound, bound);
    const ValueId bias = rng_.Chance(0.5) ? b_.Random({m}, rng_) : kNoValue;
    const Attributes extra{{"strides", std::vector<int64_t>{stride, stride}},
                           {"pads", std::vector<int64_t>(4, pad)},
                           {"group", group}};
    const ValueId y = b_.ConvWithBias(x, w, bias, extra);
    Add(y);
    if (rng_.Chance(0.5)) Binary(y, ShapeOf(y));
    if (rng_.Chance(0.5)) Unary(pool_.back());
  }

  void Concat(ValueId x, const Shape& shape) {
    std::vector<ValueId> parts{x};
    const int64_t axis = rng_.Below(4);
    for (ValueId value : pool_) {
      Shape other = ShapeOf(value);
      if (other.size() != 4) continue;
      other[axis] = shape[axis];
      if (other == shape && rng_.Chance(0.5)) parts.push_back(value);
    }
    if (parts.size() == 1) parts.push_back(b_.Random(shape, rng_));
    Add(b_.Node("Concat", parts, {{"axis", axis}}));
  }

  void Unary(ValueId x) {
    switch (rng_.Below(6)) {
      case 0:
        return Add(b_.Node("Relu", {x}));
      case 1:
        return Add(b_.Node("Sigmoid", {x}));
      case 2:
        return Add(b_.Node("Clip", {x}, {{"min", 0.0}, {"max", 6.0}}));
      case 3:
        return Add(b_.Node("HardSigmoid", {x}, {{"alpha", 0.2}, {"beta", 0.5}}));
      case 4:
        return Add(b_.Node("HardSwish", {x}));
      default:
        return Add(b_.Node("Tanh", {x}));
    }
  }

  ValueId Number(float value) { return b_.Constant(Tensor::Float({}, {value})); }

  ValueId SpelledHardSwish(ValueId x) {
    const ValueId gate =
        b_.Node("Clip", {b_.Node("Add", {x, Number(3)})}, {{"min", 0.0}, {"max", 6.0}});
    switch (rng_.Below(4)) {
      case 0:
        return b_.Node("Div", {b_.Node("Mul", {x, gate}), Number(6)});
      case 1:
        return b_.Node("Mul", {b_.Node("Div", {gate, Number(6)}), x});
      case 2:
        return b_.Node("Mul", {b_.Node("Div", {x, Number(6)}), gate});
      default:
        return b_.Node("Div", {gate, Number(6)});
    }
  }

  // With a constant that broadcasts: a number, one a channel, one an element, ones and zeros at
  // times.
  void Binary(ValueId x, const Shape& shape) {
    Shape other(shape.size(), 1);
    switch (rng_.Below(4)) {
      case 0:
        other = {};
        break;
      case 1:
        other = shape;
        break;
      case 2:
        other[rng_.Below(static_cast<int64_t>(shape.size()))] = -1;
        break;
      default:
        if (shape.size() > 1) other[1] = -1;
        break;
    }
    for (size_t d = 0; d < other.size(); ++d) other[d] = other[d] == -1 ? shape[d] : other[d];
    while (other.size() > 1 && other[0] == 1 && rng_.Chance(0.5)) other.erase(other.begin());
    Tensor numbers = GraphBuilder::RandomTensor(other, rng_, 0.5, 2);
    if (rng_.Chance(0.15)) std::fill_n(numbers.data<float>(), numbers.count(), 1.0f);
    if (rng_.Chance(0.15)) std::fill_n(numbers.data<float>(), numbers.count(), 0.0f);
    const bool zero = numbers.data<float>()[0] == 0;
    const std::vector<std::string> ops{"Add", "Sub", "Mul", zero ? "Add" : "Div", "Max"};
    const std::string& op = ops[rng_.Below(5)];
    const ValueId constant = b_.Constant(std::move(numbers));
    const bool swapped = op != "Div" && rng_.Chance(0.3);
    Add(swapped ? b_.Node(op, {constant, x}) : b_.Node(op, {x, constant}));
  }

  // With another value of the graph that has the same shape or broadcasts to it.
  void WithValue(ValueId x, const Shape& shape) {
    std::vector<ValueId> fitting;
    for (ValueId value : pool_) {
      const Shape& other = ShapeOf(value);
      bool fits = other.size() == shape.size();
      for (size_t d = 0; fits && d < shape.size(); ++d)
        fits = other[d] == shape[d] || other[d] == 1;
      if (fits) fitting.push_back(value);
    }
    const ValueId other = fitting[rng_.Below(static_cast<int64_t>(fitting.size()))];
    const ValueId bounded = rng_.Chance(0.5) ? b_.Node("Tanh", {other}) : other;
    Add(rng_.Chance(0.6) ? b_.Node("Add", {bounded, x})
                         : b_.Node("Mul", {b_.Node("Tanh", {x}), bounded}));
  }

  void Reshape(ValueId x, const Shape& shape) {
    Shape target = shape;
    if (rng_.Chance(0.5) || shape.size() < 2) {
      target = {shape[0], ElementCount(shape) / shape[0]};
      if (rng_.Chance(0.4)) target = {shape[0], target[1], 1, 1};
    } else {
      std::swap(target[0], target[1]);
    }
    Add(b_.Node("Reshape", {x}, {{"shape", target}}));
  }

  void Product(ValueId x, const Shape& shape) {
    const int64_t k = shape.back(), n = Pick({1, 3, 4});
    const double bound = 1 / std::sqrt(static_cast<double>(k));
    const bool transposed = rng_.Chance(0.5);
    if (shape.size() == 2 && rng_.Chance(0.5)) {
      const ValueId w = b_.Random(transposed ? Shape{n, k} : Shape{k, n}, rng_, -bound, bound);
      std::vector<ValueId> inputs{x, w};
      if (rng_.Chance(0.5))
        inputs.push_back(b_.Random(rng_.Chance(0.5) ? Shape{n} : Shape{1, n}, rng_));
      Add(b_.Node("Gemm", inputs,
                  {{"alpha", 0.5},
                   {"beta", 1.5},
                   {"transA", int64_t{0}},
                   {"transB", int64_t{transposed}}}));
    } else {
      Add(b_.Node("MatMul", {x, b_.Random({k, n}, rng_, -bound, bound)}));
    }
    if (rng_.Chance(0.6)) Add(b_.Node("Add", {pool_.back(), b_.Random({n}, rng_)}));
    if (rng_.Chance(0.3)) Add(b_.Node("Mul", {pool_.back(), b_.Random({n}, rng_, 0.5, 1.5)}));
  }

  Rng rng_;
  GraphBuilder b_;
  std::vector<ValueId> pool_;
};

// The same seed gives the same graph.
inline Graph RandomGraph(uint64_t seed) { return RandomGraphMaker(seed).Make(); }

}  // namespace whet
