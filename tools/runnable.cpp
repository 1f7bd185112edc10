#include "tools/runnable.h"

#include <algorithm>
#include <filesystem>

#include "base/rng.h"
#include "graph/tensor_io.h"
#include "runtime/bundle_loader.h"
#include "runtime/thread_pool.h"
#include "tools/kernels.h"

namespace whet {
namespace {

Tensor RandomTensor(const TensorType& type, uint64_t seed) {
  Tensor tensor(type);
  Rng rng(seed);
  if (type.dtype == DataType::kFloat32) {
    for (int64_t i = 0; i < tensor.count(); ++i)
      tensor.data<float>()[i] = static_cast<float>(2 * rng.Uniform() - 1);
  }
  return tensor;
}

// A bundle's kernels are as exact as they were compiled to be.
Status CheckAccuracy(const std::string& directory, const Json& manifest,
                     const RunnableOptions& options) {
  ASSIGN_OR_RETURN(const auto provenance, FieldOr<Json>(manifest, "provenance", Json::object()));
  ASSIGN_OR_RETURN(const auto compiled, FieldOr<std::string>(provenance, "accuracy", "fast"));
  if (!options.accuracy || Name(*options.accuracy) == compiled) return {};
  return Fail(ErrorCode::kInvalidInput,
              "{}: this bundle was compiled with --accuracy {}; leave the option out, or compile "
              "it again with --accuracy {}",
              directory, compiled, Name(*options.accuracy));
}

Result<Runnable> OpenBundleDirectory(const std::string& directory, const RunnableOptions& options) {
  if (!options.database.empty() || !options.shapes.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "{}: a bundle brings its schedules and shapes; leave --db and --shape out",
                directory);
  }
  ASSIGN_OR_RETURN(Bundle bundle, OpenBundle(directory));
  RETURN_IF_ERROR(CheckAccuracy(directory, bundle.manifest, options));
  Runnable runnable;
  runnable.id = std::filesystem::path(directory).filename().string();
  if (runnable.id.empty()) runnable.id = bundle.executor->plan().model;
  runnable.executor = std::move(bundle.executor);
  SetThreadCount(options.threads > 0 ? options.threads : runnable.executor->plan().threads);
  return runnable;
}

}  // namespace

Result<Runnable> OpenRunnable(const std::string& argument, const RunnableOptions& options) {
  if (KindOf(argument) == ArgumentKind::kBundle) return OpenBundleDirectory(argument, options);
  ASSIGN_OR_RETURN(const Target target, ResolveTarget(options.target, options.threads));
  RETURN_IF_ERROR(CheckRunsOn(target, LargestIsaHere()));
  ASSIGN_OR_RETURN(
      const std::unique_ptr<Kernels> kernels,
      Kernels::Create(target, {.database = options.database, .use_cache = options.use_cache}));
  Runnable runnable;
  ASSIGN_OR_RETURN(runnable.network,
                   LoadNetworkFile(argument, options.shapes, target,
                                   options.accuracy.value_or(Accuracy::kFast), options.values));
  runnable.id = runnable.network->id;
  ASSIGN_OR_RETURN(LoadedNetwork loaded, LoadNetworkKernels(*runnable.network, *kernels));
  runnable.kernels = std::move(loaded.kernels);
  runnable.executor = std::move(loaded.executor);
  return runnable;
}

Result<std::map<std::string, Tensor>> ReadInputFiles(const std::vector<std::string>& files) {
  std::map<std::string, Tensor> tensors;
  for (const std::string& text : files) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail(ErrorCode::kInvalidInput, "--input '{}': write NAME=FILE.npy or NAME=FILE.pb",
                  text);
    }
    const std::string name = text.substr(0, equals);
    if (tensors.contains(name))
      return Fail(ErrorCode::kInvalidInput, "--input '{}': input '{}' is given twice", text, name);
    ASSIGN_OR_RETURN(tensors[name], ReadTensorFile(text.substr(equals + 1)));
  }
  return tensors;
}

Result<std::vector<Tensor>> MakeNetworkInputs(const PlanSpec& plan,
                                              std::map<std::string, Tensor> given, bool fill) {
  std::vector<Tensor> tensors;
  std::string names;
  for (const PlanPort& port : plan.inputs)
    names += (names.empty() ? "" : ", ") + port.name + " " + ToString(port.type);
  for (const auto& [name, tensor] : given) {
    if (std::any_of(plan.inputs.begin(), plan.inputs.end(),
                    [&](const PlanPort& port) { return port.name == name; })) {
      continue;
    }
    return Fail(ErrorCode::kInvalidInput, "--input '{}': the network has no such input; it has {}",
                name, names.empty() ? "none" : names);
  }
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    const PlanPort& port = plan.inputs[i];
    const auto tensor = given.find(port.name);
    if (tensor == given.end()) {
      if (!fill) {
        return Fail(ErrorCode::kInvalidInput,
                    "input '{}' is missing: give --input {}=FILE.npy; the network takes {}",
                    port.name, port.name, names);
      }
      tensors.push_back(RandomTensor(port.type, i + 1));
      continue;
    }
    if (tensor->second.type() != port.type) {
      return Fail(ErrorCode::kInvalidInput, "--input {}: the network takes {}, the file holds {}",
                  port.name, ToString(port.type), ToString(tensor->second.type()));
    }
    tensors.push_back(std::move(tensor->second));
  }
  return tensors;
}

Result<std::vector<Tensor>> RunOnce(Executor& executor, const std::vector<Tensor>& inputs,
                                    std::vector<StepTime>* profile) {
  std::vector<Tensor> outputs;
  for (const PlanPort& port : executor.plan().outputs) outputs.emplace_back(port.type);
  std::vector<const void*> in;
  std::vector<void*> out;
  for (const Tensor& tensor : inputs) in.push_back(tensor.bytes());
  for (Tensor& tensor : outputs) out.push_back(tensor.bytes());
  RETURN_IF_ERROR(executor.Run(in, out, profile));
  return outputs;
}

}  // namespace whet
