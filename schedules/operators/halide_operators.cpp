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
      {"Div", HalideBinary},
      {"Erf", HalideUnary},
      {"Exp", HalideUnary},
      {"Gather", HalideGather},
      {"Gelu", HalideUnary},
      {"Gemm", HalideGemm},
      {"GlobalAveragePool", HalideGlobalAveragePool},
      {"HardSigmoid", HalideUnary},
      {"HardSwish", HalideUnary},
      {"LeakyRelu", HalideUnary},
      {"MatMul", HalideMatMul},
      {"Max", HalideBinary},
      {"MaxPool", HalideMaxPool},
      {"Min", HalideBinary},
      {"Mul", HalideBinary},
      {"Neg", HalideUnary},
      {"Relu", HalideUnary},
      {"Reshape", HalideReshape},
      {"Sigmoid", HalideUnary},
      {"Slice", HalideSlice},
      {"Softmax", HalideSoftmax},
      {"Sqrt", HalideUnary},
      {"Sub", HalideBinary},
      {"Tanh", HalideUnary},
      {"Transpose", HalideTranspose},
  };
  const auto it = kTable.find(op);
  return it == kTable.end() ? nullptr : it->second;
}

TensorReader PadImage(AlgorithmBuilder& builder, const TensorReader& image, ImageAxes axes,
                      int64_t top, int64_t left, int64_t height, int64_t width,
                      Halide::Expr value) {
  const int in_height = static_cast<int>(image.type.shape[axes.y]);
  const int in_width = static_cast<int>(image.type.shape[axes.x]);
  if (top == 0 && left == 0 && height <= in_height && width <= in_width) return image;
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
