// Halide algorithms, one function an operator; halide_operators.cpp is the table.
#pragma once

#include "schedules/halide_algorithm.h"

namespace whet {

TensorReader HalideUnary(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideBinary(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideCast(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideConv(AlgorithmBuilder& builder, const HalideNode& node);
// By the Winograd algorithm that the node names; its weights come transformed.
TensorReader HalideWinogradConv(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideConvTranspose(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideResize(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideMaxPool(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideAveragePool(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideGlobalAveragePool(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideBatchNormalization(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideLayerNormalization(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideReduce(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideSoftmax(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideMatMul(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideGemm(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideTranspose(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideConcat(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideSlice(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideGather(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalidePad(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalideReshape(AlgorithmBuilder& builder, const HalideNode& node);
TensorReader HalidePipeline(AlgorithmBuilder& builder, const HalideNode& node);

// Positions of the spatial dimensions and the channel in a 4-D shape of the node's `layout`.
struct ImageAxes {
  int y, x, c;
};
inline ImageAxes AxesOf(const Attributes& attributes) {
  return attributes.String("layout", "NCHW") == "NHWC" ? ImageAxes{1, 2, 3} : ImageAxes{2, 3, 1};
}

// A stage that extends a 4-D image by `value`: its element (y, x) is the image's (y - top, x -
// left). It has the given spatial extents, which windows may need beyond the padding proper. The
// image itself where that is nothing.
TensorReader PadImage(AlgorithmBuilder& builder, const TensorReader& image, ImageAxes axes,
                      int64_t top, int64_t left, int64_t height, int64_t width, Halide::Expr value);

}  // namespace whet
