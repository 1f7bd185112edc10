// BatchNormalization (inference), LayerNormalization and Softmax.
//
//   BatchNormalization: y = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c]
//   LayerNormalization: the same with the mean and the variance of each row, a scale and bias an
//                       element of it; a row is all dimensions from `axis` on
//   Softmax:            y[.., k, ..] = exp(x[.., k, ..] - m) / sum over k of the same, m the
//   maximum over k
#include <algorithm>
#include <cmath>

#include "schedules/operators/checks.h"

namespace whet {
namespace {

// Which dimension the channels are in. Vectors and scalars have none; `layout` concerns 4-D
// tensors.
Result<size_t> ChannelDimension(const Attributes& attributes, const Shape& x) {
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  if (x.size() < 2)
    return Fail(ErrorCode::kInvalidInput,
                "x has the shape {} and should have at least 2 dimensions", ToString(x));
  return x.size() == 4 ? axes.channel : 1;
}

Result<TensorType> InferBatchNormalization(const Attributes& attributes, Types inputs) {
  static constexpr const char* kNames[] = {"x", "scale", "bias", "mean", "variance"};
  RETURN_IF_ERROR(CheckFloat("x", *inputs[0]));
  RETURN_IF_ERROR(FloatAttribute(attributes, "epsilon", 1e-5));
  ASSIGN_OR_RETURN(const size_t channel, ChannelDimension(attributes, inputs[0]->shape));
  const int64_t channels = inputs[0]->shape[channel];
  for (size_t i = 1; i < inputs.size(); ++i) {
    RETURN_IF_ERROR(CheckFloat(kNames[i], *inputs[i]));
    if (inputs[i]->shape != Shape{channels})
      return Fail(ErrorCode::kInvalidInput,
                  "{} has the shape {} and should have {}: one value a channel", kNames[i],
                  ToString(inputs[i]->shape), channels);
  }
  return *inputs[0];
}

Status ComputeBatchNormalization(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const Shape& shape = inputs[0]->shape();
  ASSIGN_OR_RETURN(const size_t dimension, ChannelDimension(attributes, shape));
  const double epsilon = static_cast<float>(attributes.Float("epsilon", 1e-5));
  const int64_t channels = shape[dimension];
  int64_t inner = 1;
  for (size_t d = dimension + 1; d < shape.size(); ++d) inner *= shape[d];
  std::vector<double> factor(static_cast<size_t>(channels)), offset(factor);
  for (int64_t c = 0; c < channels; ++c) {
    factor[c] = inputs[1]->data<float>()[c] / std::sqrt(inputs[4]->data<float>()[c] + epsilon);
    offset[c] = inputs[2]->data<float>()[c] - inputs[3]->data<float>()[c] * factor[c];
  }
  const float* x = inputs[0]->data<float>();
  float* y = output.data<float>();
  const int64_t count = output.count();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t c = i / inner % channels;
    y[i] = static_cast<float>(x[i] * factor[c] + offset[c]);
  }
  return {};
}

double BatchNormalizationFlops(const Attributes&, Types, const TensorType& output) {
  return 2.0 * static_cast<double>(ElementCount(output.shape));
}

Result<TensorType> InferLayerNormalization(const Attributes& attributes, Types inputs) {
  const Shape& x = inputs[0]->shape;
  RETURN_IF_ERROR(CheckFloat("x", *inputs[0]));
  RETURN_IF_ERROR(FloatAttribute(attributes, "epsilon", 1e-5));
  ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(attributes, "axis", -1, x.size()));
  const Shape row(x.begin() + axis, x.end());
  if (std::any_of(row.begin(), row.end(), [](int64_t extent) { return extent < 1; }))
    return Fail(ErrorCode::kInvalidInput, "x has the shape {} and nothing to normalise",
                ToString(x));
  static constexpr const char* kNames[] = {"x", "scale", "b"};
  for (size_t i = 1; i < inputs.size(); ++i) {
    if (!inputs[i]) continue;
    RETURN_IF_ERROR(CheckFloat(kNames[i], *inputs[i]));
    if (inputs[i]->shape != row)
      return Fail(ErrorCode::kInvalidInput,
                  "{} has the shape {} and should have {}: x's dimensions from axis {} on",
                  kNames[i], ToString(inputs[i]->shape), ToString(row), axis);
  }
  return *inputs[0];
}

Status ComputeLayerNormalization(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const double epsilon = static_cast<float>(attributes.Float("epsilon", 1e-5));
  const int64_t extent = inputs[1]->count(), count = output.count();
  const float* scale = inputs[1]->data<float>();
  const float* bias = inputs.size() > 2 && inputs[2] ? inputs[2]->data<float>() : nullptr;
  for (int64_t base = 0; base < count; base += extent) {
    const float* x = inputs[0]->data<float>() + base;
    float* y = output.data<float>() + base;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < extent; ++i) sum += x[i];
    const double mean = sum / static_cast<double>(extent);
    for (int64_t i = 0; i < extent; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const double factor = 1 / std::sqrt(squares / static_cast<double>(extent) + epsilon);
    for (int64_t i = 0; i < extent; ++i)
      y[i] = static_cast<float>((x[i] - mean) * factor * scale[i] + (bias ? bias[i] : 0.0));
  }
  return {};
}

// Sum; difference, square and sum; difference, factor, scale and bias.
double LayerNormalizationFlops(const Attributes&, Types, const TensorType& output) {
  return 8.0 * static_cast<double>(ElementCount(output.shape));
}

Result<TensorType> InferSoftmax(const Attributes& attributes, Types inputs) {
  RETURN_IF_ERROR(CheckFloat("x", *inputs[0]));
  RETURN_IF_ERROR(AxisAttribute(attributes, "axis", -1, inputs[0]->shape.size()));
  return *inputs[0];
}

Status ComputeSoftmax(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const Shape& shape = inputs[0]->shape();
  ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(attributes, "axis", -1, shape.size()));
  const int64_t extent = shape[axis];
  int64_t inner = 1;
  for (size_t d = axis + 1; d < shape.size(); ++d) inner *= shape[d];
  const int64_t step = extent * inner, count = output.count();
  if (count == 0) return {};
  for (int64_t base = 0; base < count; base += step) {
    for (int64_t i = 0; i < inner; ++i) {
      const float* x = inputs[0]->data<float>() + base + i;
      float* y = output.data<float>() + base + i;
      double largest = x[0], sum = 0;
      for (int64_t k = 1; k < extent; ++k) largest = std::max<double>(largest, x[k * inner]);
      for (int64_t k = 0; k < extent; ++k) sum += std::exp(x[k * inner] - largest);
      for (int64_t k = 0; k < extent; ++k)
        y[k * inner] = static_cast<float>(std::exp(x[k * inner] - largest) / sum);
    }
  }
  return {};
}

// Maximum, difference, exponential, sum, quotient.
double SoftmaxFlops(const Attributes&, Types, const TensorType& output) {
  return 5.0 * static_cast<double>(ElementCount(output.shape));
}

std::vector<int64_t> MixesNothing(const Attributes&, const Shape&) { return {}; }

std::vector<int64_t> MixesFromAxis(const Attributes& attributes, const Shape& x) {
  const auto rank = static_cast<int64_t>(x.size());
  const int64_t axis = attributes.Int("axis", -1);
  std::vector<int64_t> dims;
  for (int64_t d = axis < 0 ? axis + rank : axis; d < rank; ++d) dims.push_back(d);
  return dims;
}

std::vector<int64_t> MixesAxis(const Attributes& attributes, const Shape& x) {
  const int64_t axis = attributes.Int("axis", -1);
  return {axis < 0 ? axis + static_cast<int64_t>(x.size()) : axis};
}

}  // namespace

const std::vector<OperatorDef>& NormalizationOperators() {
  static const std::vector<OperatorDef> rows = {
      Row<&InferBatchNormalization, &ComputeBatchNormalization, &BatchNormalizationFlops, 5, 5>(
          "BatchNormalization", OperatorClass::kReduction,
          {{"x"}, {"scale", true}, {"bias", true}, {"mean", true}, {"variance", true, {0.5, 1.5}}},
          {{"epsilon", AttributeKind::kFloat, 1e-5},
           {"layout", AttributeKind::kString, std::string("NCHW")}},
          &MixesNothing),
      Row<&InferLayerNormalization, &ComputeLayerNormalization, &LayerNormalizationFlops, 2, 3>(
          "LayerNormalization", OperatorClass::kReduction, {{"x"}, {"scale", true}, {"b", true}},
          {{"axis", AttributeKind::kInt, int64_t{-1}}, {"epsilon", AttributeKind::kFloat, 1e-5}},
          &MixesFromAxis),
      Row<&InferSoftmax, &ComputeSoftmax, &SoftmaxFlops, 1, 1>(
          "Softmax", OperatorClass::kReduction, {{"x"}},
          {{"axis", AttributeKind::kInt, int64_t{-1}}}, &MixesAxis),
  };
  return rows;
}

}  // namespace whet
