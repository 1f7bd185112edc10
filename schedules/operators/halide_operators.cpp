#include "schedules/operators/halide_operators.h"

namespace whet {

HalideOperator FindHalideOperator(const std::string& op) {
  static const std::map<std::string, HalideOperator> kTable = {
      {"Abs", HalideUnary},
      {"Add", HalideBinary},
      {"AveragePool", HalideAveragePool},
      {"BatchNormalization", HalideBatchNormalization},
      {"Cast", HalideCast},
      {"Clip", HalideUnary},
      {"Concat", HalideConcat},
      {"Conv", HalideConv},
      {"ConvTranspose", HalideConvTranspose},
      {"Div", HalideBinary},
      {"Equal", HalideBinary},
      {"Erf", HalideUnary},
      {"Exp", HalideUnary},
      {"Gather", HalideGather},
      {"Gelu", HalideUnary},
      {"Gemm", HalideGemm},
      {"GlobalAveragePool", HalideGlobalAveragePool},
      {"HardSigmoid", HalideUnary},
      {"HardSwish", HalideUnary},
      {"LayerNormalization", HalideLayerNormalization},
      {"LeakyRelu", HalideUnary},
      {"Less", HalideBinary},
      {"LessOrEqual", HalideBinary},
      {"Log", HalideUnary},
      {"MatMul", HalideMatMul},
      {"Max", HalideBinary},
      {"MaxPool", HalideMaxPool},
      {"Min", HalideBinary},
      {"Mul", HalideBinary},
      {"Neg", HalideUnary},
      {"Pad", HalidePad},
      {"Pipeline", HalidePipeline},
      {"Pow", HalideBinary},
      {"ReduceMax", HalideReduce},
      {"ReduceMean", HalideReduce},
      {"ReduceMin", HalideReduce},
      {"ReduceProd", HalideReduce},
      {"ReduceSum", HalideReduce},
      {"Relu", HalideUnary},
      {"Reshape", HalideReshape},
      {"Resize", HalideResize},
      {"Sigmoid", HalideUnary},
      {"Slice", HalideSlice},
      {"Softmax", HalideSoftmax},
      {"Sqrt", HalideUnary},
      {"Sub", HalideBinary},
      {"Tanh", HalideUnary},
      {"Transpose", HalideTranspose},
      {"Where", HalideBinary},
  };
  const auto it = kTable.find(op);
  return it == kTable.end() ? nullptr : it->second;
}

namespace {

constexpr int64_t kFewChannels = 8;  // too few for a vector of them

// PadImage for few channels, [n, h, w, c]: each row is one dimension, so that vectors run across
// positions.
TensorReader PadRows(AlgorithmBuilder& builder, const TensorReader& image, int64_t top,
                     int64_t left, int64_t height, int64_t width, const Halide::Expr& value) {
  const Shape& shape = image.type.shape;
  const int height_in = static_cast<int>(shape[1]), channels = static_cast<int>(shape[3]);
  const int row = static_cast<int>(shape[2]) * channels;
  const TensorType rows{image.type.dtype, {shape[0], height, width * shape[3]}};
  const TensorReader padded =
      builder.Pure("pad", rows,
                   [&](const Exprs& index) -> Halide::Expr {
                     const Halide::Expr y = index[1] - static_cast<int>(top),
                                        at = index[2] - static_cast<int>(left) * channels;
                     // The address of element `at` of the row: where it is inside for sure, a dense
                     // vector.
                     const Halide::Expr inside = Halide::clamp(Halide::likely(at), 0, row - 1);
                     return Halide::select(y >= 0 && y < height_in && at >= 0 && at < row,
                                           image({index[0], Halide::clamp(y, 0, height_in - 1),
                                                  inside / channels, inside % channels}),
                                           value);
                   },
                   {"c", "y", "n"});
  TensorType type = image.type;
  type.shape[1] = height;
  type.shape[2] = width;
  return {type, [padded, channels](const Exprs& index) -> Halide::Expr {
            return padded({index[0], index[1], index[2] * channels + index[3]});
          }};
}

}  // namespace

TensorReader PadImage(AlgorithmBuilder& builder, const TensorReader& image, ImageAxes axes,
                      int64_t top, int64_t left, int64_t height, int64_t width,
                      Halide::Expr value) {
  const int in_height = static_cast<int>(image.type.shape[axes.y]);
  const int in_width = static_cast<int>(image.type.shape[axes.x]);
  if (top == 0 && left == 0 && height <= in_height && width <= in_width) return image;
  if (axes.c == 3 && image.type.shape[3] < kFewChannels)
    return PadRows(builder, image, top, left, height, width, value);
  TensorType type = image.type;
  type.shape[axes.y] = height;
  type.shape[axes.x] = width;
  return builder.Pure("pad", type, [&](const Exprs& index) -> Halide::Expr {
    Exprs at = index;
    const Halide::Expr y = index[axes.y] - static_cast<int>(top),
                       x = index[axes.x] - static_cast<int>(left);
    at[axes.y] = Halide::clamp(y, 0, in_height - 1);
    at[axes.x] = Halide::clamp(x, 0, in_width - 1);
    return Halide::select(y >= 0 && y < in_height && x >= 0 && x < in_width, image(at), value);
  });
}

}  // namespace whet
