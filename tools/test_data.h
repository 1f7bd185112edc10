// Folders of ONNX test data (input_J.pb, output_J.pb), and what their inputs say about a network
// before it is loaded.
//
// input_J.pb is the J-th input of the model that is no initialiser. Thread safety: plain functions.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "graph/onnx_import.h"
#include "runtime/plan.h"

namespace whet {

// One set of inputs, with what must come out where that is known.
struct TestSet {
  std::string name;
  int number = 0;
  std::vector<Tensor> inputs, expected;  // in the plan's order
};

// `path` where it holds input_0.pb or output_0.pb, else its folders test_data_set_K, sorted.
Result<std::vector<std::filesystem::path>> TestFolders(const std::string& path);

// The tensors of the folder's input files by the inputs' names; files that are missing are left
// out.
Result<std::map<std::string, Tensor>> ReadTestInputs(const std::filesystem::path& folder,
                                                     const std::vector<std::string>& names);

// `names`: of the inputs that the files stand for, in order. Those that are no inputs of the plan
// were compiled in with the value that `compiled_in` has, and the set must agree.
Result<TestSet> ReadTestSet(const std::filesystem::path& folder,
                            const std::vector<std::string>& names, const PlanSpec& plan,
                            const std::map<std::string, Tensor>& compiled_in);

// "NAME=SHAPE" for each open input that `shapes` does not name and that `given` has a tensor for.
std::vector<std::string> ShapesOfOpenInputs(const std::vector<ModelInput>& inputs,
                                            const std::vector<std::string>& shapes,
                                            const std::map<std::string, Tensor>& given);

}  // namespace whet
