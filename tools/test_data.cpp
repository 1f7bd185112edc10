#include "tools/test_data.h"

#include <algorithm>
#include <cstring>

#include "graph/tensor_io.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

Status CheckType(const fs::path& file, const PlanPort& port, const TensorType& type) {
  if (type == port.type) return {};
  return Fail(ErrorCode::kInvalidInput, "{}: input '{}' is {}, the file holds {}{}", file.string(),
              port.name, ToString(port.type), ToString(type),
              type.dtype == port.type.dtype
                  ? fmt::format("; --shape {}={} would fit it", port.name, ToString(type.shape))
                  : "");
}

bool Same(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() &&
         std::memcmp(a.bytes(), b.bytes(), static_cast<size_t>(a.size_bytes())) == 0;
}

}  // namespace

Result<std::vector<fs::path>> TestFolders(const std::string& path) {
  for (const char* file : {"input_0.pb", "output_0.pb"})
    if (fs::exists(fs::path(path) / file)) return std::vector<fs::path>{fs::path(path)};
  std::vector<fs::path> folders;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, error))
    if (entry.path().filename().string().rfind("test_data_set_", 0) == 0)
      folders.push_back(entry.path());
  if (folders.empty()) {
    return Fail(ErrorCode::kNotFound,
                "--test-data {}: expected a folder with input_0.pb or output_0.pb, or with folders "
                "test_data_set_0, ..",
                path);
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

Result<std::map<std::string, Tensor>> ReadTestInputs(const fs::path& folder,
                                                     const std::vector<std::string>& names) {
  std::map<std::string, Tensor> tensors;
  for (size_t i = 0; i < names.size(); ++i) {
    const fs::path file = folder / fmt::format("input_{}.pb", i);
    if (!fs::exists(file)) continue;
    ASSIGN_OR_RETURN(tensors[names[i]], ReadTensorFile(file.string()));
  }
  return tensors;
}

Result<TestSet> ReadTestSet(const fs::path& folder, const std::vector<std::string>& names,
                            const PlanSpec& plan,
                            const std::map<std::string, Tensor>& compiled_in) {
  TestSet set;
  set.name = folder.filename().string();
  const size_t digits = set.name.find_last_not_of("0123456789") + 1;
  if (digits < set.name.size() && set.name.size() - digits < 9)
    set.number = std::stoi(set.name.substr(digits));
  set.inputs.resize(plan.inputs.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const fs::path file = folder / fmt::format("input_{}.pb", i);
    ASSIGN_OR_RETURN(Tensor tensor, ReadTensorFile(file.string()));
    const auto port =
        std::find_if(plan.inputs.begin(), plan.inputs.end(),
                     [&](const PlanPort& candidate) { return candidate.name == names[i]; });
    if (port != plan.inputs.end()) {
      RETURN_IF_ERROR(CheckType(file, *port, tensor.type()));
      set.inputs[static_cast<size_t>(port - plan.inputs.begin())] = std::move(tensor);
    } else if (const auto value = compiled_in.find(names[i]);
               value == compiled_in.end() || !Same(value->second, tensor)) {
      return Fail(ErrorCode::kInvalidInput,
                  "{}: input '{}' had to be known when the network was compiled, and the first set "
                  "has another value: run this set alone",
                  file.string(), names[i]);
    }
  }
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const fs::path file = folder / fmt::format("output_{}.pb", i);
    if (!fs::exists(file)) break;
    ASSIGN_OR_RETURN(Tensor tensor, ReadTensorFile(file.string()));
    set.expected.push_back(std::move(tensor));
  }
  return set;
}

std::vector<std::string> ShapesOfOpenInputs(const std::vector<ModelInput>& inputs,
                                            const std::vector<std::string>& shapes,
                                            const std::map<std::string, Tensor>& given) {
  std::vector<std::string> found;
  for (const ModelInput& input : inputs) {
    const auto tensor = given.find(input.name);
    const bool named = std::any_of(shapes.begin(), shapes.end(), [&](const std::string& text) {
      return text.rfind(input.name + "=", 0) == 0 && text.rfind('=') == input.name.size();
    });
    if (input.Open() && !named && tensor != given.end())
      found.push_back(input.name + "=" + ToString(tensor->second.shape()));
  }
  return found;
}

}  // namespace whet
