// Small tasks of every kind, for property tests over schedules.
#pragma once

#include <string>
#include <vector>

namespace whet {

inline std::vector<std::string> TasksToTry() {
  return {
      "Conv(x=1x16x14x14,w=32x16x3x3,pads=1)+Relu",
      "Conv(x=1x16x9x7,w=24x16x3x3,pads=1)+Add+Relu",
      "Conv(x=2x16x12x12,w=16x16x1x3,pads=0x1x0x1)",
      "Conv(x=1x24x9x11,w=40x24x1x1)+Add+Clip(min=0,max=6)",
      "Conv(x=2x3x21x19,w=20x3x5x5,pads=2,strides=2)+HardSwish",
      "Conv(x=1x32x13x13,w=32x1x3x3,pads=1,group=32,strides=2)",
      "Conv(x=1x16x10x10,w=24x4x3x3,pads=1x0x2x1,group=4,dilations=2)",
      "Conv(x=1x50x1x1,w=10x50x1x1)+Relu",
      "Conv(x=1x512x5x4,w=32x512x1x1)+Relu",
      "MatMul(a=33x40,b=40x56)",
      "MatMul(a=2x3x32x24,b=2x3x24x48)",
      "Gemm(a=1x200,b=50x200,transB=1)",
      "MaxPool(x=1x24x15x15,kernel=3,strides=2,pads=1)",
      "AveragePool(x=1x16x9x9,kernel=3,pads=1)",
      "GlobalAveragePool(x=1x40x7x7)",
      "Softmax(x=6x37)",
      "Softmax(x=5x3x64)",
      "ReduceSum(x=3x5x64,axes=2)+Sqrt",
      "ReduceMean(x=2x40x7x6,axes=2x3)+Relu",
      "ReduceMax(x=4x18x9,axes=0x1)",
      "ReduceMean(x=2x6x96,axes=1x2)",
      "LayerNormalization(x=6x64)+Relu",
      "LayerNormalization(x=3x5x37,bias=0)",
      "LayerNormalization(x=2x3x4x32,axis=2)",
      "Resize(x=1x18x5x6,sizes=10x12)+Relu",
      "Resize(x=2x16x5x7,sizes=8x9,mode=linear)+Add",
      "Resize(x=1x3x6x5,sizes=12x10,mode=linear,coordinate_transformation_mode=asymmetric,layout="
      "NCHW)",
      "Conv(x=1x8x7x6,w=24x8x3x3,pads=1)+Relu+Resize(sizes=14x12)",
      "Conv(x=1x8x7x6,w=24x8x1x1)+Resize(sizes=10x9,mode=linear)",
      "ConvTranspose(x=1x16x7x6,w=16x24x4x4,strides=2,pads=1)+Relu",
      "ConvTranspose(x=1x16x6x5,w=16x20x3x3,strides=2,pads=1,output_padding=1)+Add",
      "ConvTranspose(x=2x12x5x6,w=12x4x2x3,strides=1x3,group=3)",
      "ConvTranspose(x=1x9x6x7,w=9x16x3x3,pads=1)+Clip(min=0,max=6)",
      "ConvTranspose(x=1x8x4x5,w=8x10x2x2,strides=2,dilations=2)",
      "ConvTranspose(x=1x8x9x7,w=8x12x2x2,strides=2,layout=NCHW)+Relu",
      "Conv(x=1x8x6x5,w=16x8x1x1)+Relu+ConvTranspose(w=16x12x4x4,strides=2,pads=1)",
      "Conv(x=1x16x8x6,w=48x16x1x1)+Clip(min=0,max=6)+Conv(w=48x1x3x3,pads=1,group=48)+"
      "Clip(min=0,max=6)+Conv(w=16x48x1x1)+Add",
      "MatMul(a=1x2x24x16,b=1x2x16x32)+Mul(1)+Softmax+MatMul(b=1x2x32x16)",
      "Transpose(x=1x8x12x20,perm=0x2x3x1)",
      "Transpose(x=1x9x11x36,perm=0x3x1x2)",
      "Conv(x=1x24x9x7,w=20x24x1x1,layout=NCHW)+Relu",
      "Conv(x=1x12x11x13,w=12x1x3x3,pads=1,group=12,layout=NCHW)+Relu",
      "Add(a=1x24x10x10,b=1x24x10x10)+Relu",
      "Sigmoid(x=1x200x3x3)",
      "Conv(x=1x32x13x11,w=24x32x3x3,pads=1,strides=2)+Relu",
      "Conv(x=1x32x9x9,w=16x32x3x3,pads=2,dilations=2)",
      "MatMul(a=6x128,b=128)",
      "MatMul(a=131072,b=131072)",
      "MatMul(a=12x8192,b=8192x48)",
      "MatMul(a=2x7x4096,b=4096x64)",
      "Pad(x=1x6x5x24,begins=0x1x2x0,ends=0x0x1x3,value=0.5)",
      "Pad(x=3x6x20,begins=0x1x2,ends=2x0x1,mode=edge)",
      "ConvTranspose(x=1x5x5x4,w=5x1x3x3,strides=2,pads=1)",
      "ConvTranspose(x=1x8x5x6,w=8x1x2x2,strides=3)+Relu",
      "ConvTranspose(x=2x3x4x5,w=3x1x1x1,strides=2,layout=NCHW)",
      "ConvTranspose(x=1x6x4x1,w=6x1x5x1,strides=3x1,group=6,pads=1x0x2x0)",
      "ConvTranspose(x=1x16x3x2,w=16x5x21x21,strides=17)",
      "Softmax(x=37,axis=0)",
      "Softmax(x=13x5,axis=0)",
      "Softmax(x=3x7x4x2,axis=1)",
      "LayerNormalization(x=13x1,axis=0)",
      "LayerNormalization(x=1x7x1,axis=0)",
      "ReduceSum(x=11,axes=0)",
      "ReduceMean(x=1x1x5x1x7x3,axes=0x2x4)+Relu",
      "Abs(x=3x7)+Add+Abs+Erf+Abs",
  };
}

}  // namespace whet
