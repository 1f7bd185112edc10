#include "graph/tensor_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "onnx.pb.h"

namespace whet {
namespace {

using ::testing::HasSubstr;

// A .npy file of version 1 with this header and payload.
std::string Npy(const std::string& header, const std::string& payload, int version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += {static_cast<char>(version), '\0', static_cast<char>(header.size()), '\0'};
  if (version > 1) bytes += std::string(2, '\0');
  return bytes + header + payload;
}

std::string Floats(std::vector<float> values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

TEST(NpyFile, RoundTripsEveryType) {
  for (DataType dtype : {DataType::kFloat32, DataType::kFloat16, DataType::kFloat64,
                         DataType::kInt8, DataType::kUInt8, DataType::kInt16, DataType::kUInt16,
                         DataType::kInt32, DataType::kUInt32, DataType::kInt64, DataType::kBool}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{1, 0, 2}}) {
      Tensor tensor(TensorType{dtype, shape});
      for (int64_t i = 0; i < tensor.size_bytes(); ++i) tensor.bytes()[i] = i % 2;
      const std::string bytes = ToNpy(tensor);
      EXPECT_EQ((bytes.size() - static_cast<size_t>(tensor.size_bytes())) % 64, 0u);
      const Result<Tensor> again = ParseNpy(bytes);
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_EQ(again->type(), tensor.type());
      EXPECT_EQ(
          std::memcmp(again->bytes(), tensor.bytes(), static_cast<size_t>(tensor.size_bytes())), 0);
    }
  }
}

TEST(NpyFile, ReadsFortranOrder) {
  const Result<Tensor> tensor = ParseNpy(Npy(
      "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n", Floats({1, 4, 2, 5, 3, 6})));
  ASSERT_TRUE(tensor) << tensor.error().message;
  for (int i = 0; i < 6; ++i) EXPECT_EQ(tensor->AsDouble(i), i + 1);
}

TEST(NpyFile, ReadsVersionsTwoAndThree) {
  for (int version : {2, 3}) {
    EXPECT_TRUE(ParseNpy(
        Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", Floats({1}), version)));
  }
  EXPECT_FALSE(
      ParseNpy(Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", Floats({1}), 4)));
}

TEST(NpyFile, RefusesWithOneSentence) {
  const auto error = [](const std::string& bytes) {
    const Result<Tensor> tensor = ParseNpy(bytes);
    return tensor ? std::string("no error") : tensor.error().message;
  };
  EXPECT_THAT(error("text"), HasSubstr("not a .npy file"));
  EXPECT_THAT(error(Npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", Floats({1}))),
              HasSubstr("'>f4'"));
  EXPECT_THAT(error(Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", Floats({1}))),
              HasSubstr("8 bytes, and holds 4"));
  EXPECT_THAT(error(Npy("{'descr': '<f4'}", "")), HasSubstr("malformed"));
}

TEST(TensorProto, ReadsEveryStorageForm) {
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::FLOAT16);
  proto.add_dims(2);
  proto.add_int32_data(0x3C00);
  proto.add_int32_data(0xC000);
  std::string bytes;
  proto.SerializeToString(&bytes);
  const Result<Tensor> half = ParseTensorProto(bytes);
  ASSERT_TRUE(half) << half.error().message;
  EXPECT_EQ(half->AsDouble(0), 1);
  EXPECT_EQ(half->AsDouble(1), -2);

  proto.clear_int32_data();
  proto.set_data_type(onnx::TensorProto::BOOL);
  proto.set_raw_data(std::string("\x00\x07", 2));
  proto.SerializeToString(&bytes);
  const Result<Tensor> flags = ParseTensorProto(bytes);
  ASSERT_TRUE(flags) << flags.error().message;
  EXPECT_EQ(flags->bytes()[1], 1);
}

TEST(TensorProto, RefusesTypesAndPayloadsThatDoNotFit) {
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::STRING);
  std::string bytes;
  proto.SerializeToString(&bytes);
  EXPECT_THAT(ParseTensorProto(bytes).error().message, HasSubstr("STRING"));
  proto.set_data_type(onnx::TensorProto::FLOAT);
  proto.add_dims(3);
  proto.add_float_data(1);
  proto.SerializeToString(&bytes);
  EXPECT_THAT(ParseTensorProto(bytes).error().message, HasSubstr("needs 3 elements, 1 are there"));
}

TEST(TensorFile, IsReadByItsExtension) {
  Result<TemporaryDirectory> folder = TemporaryDirectory::Create("tensors");
  ASSERT_TRUE(folder);
  const Tensor tensor = Tensor::Float({2}, {1, 2});
  const std::string path = (folder->path() / "x.npy").string();
  ASSERT_TRUE(WriteFileAtomically(path, ToNpy(tensor)));
  ASSERT_TRUE(ReadTensorFile(path));
  EXPECT_THAT(ReadTensorFile("x.txt").error().message, HasSubstr(".npy or .pb"));
  const std::string damaged = (folder->path() / "y.pb").string();
  ASSERT_TRUE(WriteFileAtomically(damaged, "nonsense"));
  EXPECT_THAT(ReadTensorFile(damaged).error().message, HasSubstr("y.pb"));
}

}  // namespace
}  // namespace whet
