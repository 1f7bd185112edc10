// A network that is ready to run, from an ONNX file or a bundle; and inputs for it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "driver/kernel_maker.h"
#include "runtime/executor.h"
#include "tools/session.h"

namespace whet {

struct RunnableOptions {
  std::vector<std::string> shapes;  // NAME=SHAPE
  // What inputs will be, by name: those that must be known in advance are compiled in.
  std::map<std::string, Tensor> values;
  std::string database;  // path; empty: none
  std::string target = "host";
  std::optional<Accuracy> accuracy;  // nothing: fast, or as the bundle was compiled
  int threads = 0;                   // 0: as the target says
  bool use_cache = true;
};

struct Runnable {
  std::string id;  // what reports call it
  std::unique_ptr<Executor> executor;
  std::optional<Network> network;  // nothing for a bundle
  MadeKernels kernels;             // empty for a bundle
};

Result<Runnable> OpenRunnable(const std::string& argument, const RunnableOptions& options);

// The tensors of `NAME=FILE` texts, by name.
Result<std::map<std::string, Tensor>> ReadInputFiles(const std::vector<std::string>& files);

// Tensors of the plan's inputs: those `given` by name; the others, if `fill` is true, from a fixed
// seed, uniform in [-1, 1). Errors name the input, what was given and what it takes.
Result<std::vector<Tensor>> MakeNetworkInputs(const PlanSpec& plan,
                                              std::map<std::string, Tensor> given, bool fill);

// Runs once; one tensor an output.
Result<std::vector<Tensor>> RunOnce(Executor& executor, const std::vector<Tensor>& inputs,
                                    std::vector<StepTime>* profile = nullptr);

}  // namespace whet
