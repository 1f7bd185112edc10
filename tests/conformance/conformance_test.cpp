// ONNX's node cases through import, passes and the operators' references.
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "graph/evaluate.h"
#include "graph/passes.h"
#include "tests/conformance/onnx_case.h"

namespace whet {
namespace {

constexpr double kRelative = 1e-3, kAbsolute = 1e-5;  // ONNX's own, for f32
constexpr int kAtLeast = 400;                         // cases that must pass

// Covered operators in forms that Whet refuses on purpose, or that cannot be compared.
const std::map<std::string, std::string> kExcused = {
    {"test_range_float_type_positive_delta", "bounds at run time"},
    {"test_averagepool_3d_default", "five dimensions"},
    {"test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False",
     "five dimensions"},
    {"test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True",
     "five dimensions"},
    {"test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False",
     "five dimensions"},
    {"test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True",
     "five dimensions"},
    {"test_averagepool_3d_dilations_small", "five dimensions"},
    {"test_maxpool_3d_default", "five dimensions"},
    {"test_maxpool_3d_dilations", "five dimensions"},
    {"test_maxpool_3d_dilations_use_ref_impl", "five dimensions"},
    {"test_maxpool_3d_dilations_use_ref_impl_large", "five dimensions"},
    {"test_batchnorm_epsilon_training_mode", "training"},
    {"test_batchnorm_example_training_mode", "training"},
    {"test_dropout_default_mask", "training"},
    {"test_dropout_default_mask_ratio", "training"},
    {"test_pow_types_int32_float32", "powers of integers"},
    {"test_pow_types_int32_int32", "powers of integers"},
    {"test_pow_types_int64_float32", "powers of integers"},
    {"test_pow_types_int64_int64", "powers of integers"},
    {"test_reduce_max_bool_inputs", "elements of type bool"},
    {"test_reduce_min_bool_inputs", "elements of type bool"},
    {"test_convtranspose_3d", "five dimensions"},
    {"test_training_dropout", "training"},
    {"test_training_dropout_default", "training"},
    {"test_training_dropout_default_mask", "training"},
    {"test_training_dropout_mask", "training"},
    {"test_training_dropout_zero_ratio", "training"},
    {"test_training_dropout_zero_ratio_mask", "training"},
};

std::vector<const Tensor*> Pointers(const std::vector<Tensor>& tensors) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : tensors) pointers.push_back(&tensor);
  return pointers;
}

// Empty if the graph gives the case's outputs.
std::string Differences(const OnnxCase& loaded, const Graph& graph) {
  Result<std::vector<Tensor>> outputs = Evaluate(graph, Pointers(loaded.inputs));
  if (!outputs) return outputs.error().message;
  std::string why;
  for (size_t i = 0; i < loaded.expected.size(); ++i) {
    if (!AllClose((*outputs)[i], loaded.expected[i], kRelative, kAbsolute, &why)) {
      return fmt::format("output {}: {}", i, why);
    }
  }
  return "";
}

TEST(OnnxNodeCases, ThatWhetCoversGiveTheirRecordedOutputs) {
  const Result<std::vector<std::string>> names = ListOnnxCases(WHET_ONNX_NODE_CASES);
  ASSERT_TRUE(names) << names.error().message;
  int passed = 0;
  for (const std::string& name : *names) {
    Result<OnnxCase> loaded = LoadOnnxCase(std::filesystem::path(WHET_ONNX_NODE_CASES) / name);
    if (!loaded) {
      const bool excused = loaded.error().code == ErrorCode::kNotFound || kExcused.contains(name);
      EXPECT_TRUE(excused) << loaded.error().message;
      continue;
    }
    EXPECT_FALSE(kExcused.contains(name)) << name << " is excused but imports";
    const std::string imported = Differences(*loaded, loaded->graph);
    EXPECT_EQ(imported, "") << name << ", as imported";
    Graph rewritten = loaded->graph;
    const Status status = RunPasses(rewritten);
    ASSERT_TRUE(status) << name << ": " << status.error().message;
    const std::string after = Differences(*loaded, rewritten);
    EXPECT_EQ(after, "") << name << ", after the passes";
    passed += imported.empty() && after.empty();
    if (std::getenv("WHET_VERBOSE") != nullptr) std::cout << name << '\n';
  }
  RecordProperty("passed", passed);
  std::cout << passed << " of " << names->size() << " cases are covered and pass\n";
  EXPECT_GE(passed, kAtLeast);
}

}  // namespace
}  // namespace whet
