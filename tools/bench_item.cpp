#include "tools/bench_item.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "codegen/task_plan.h"
#include "search/made_up_inputs.h"
#include "tools/runnable.h"
#include "tools/task_network.h"

namespace whet {
namespace {

double Percentile(const std::vector<int64_t>& sorted, double part) {
  const size_t rank = static_cast<size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[std::max<size_t>(rank, 1) - 1]) / 1e6;
}

}  // namespace

Result<BenchTimes> TimeItem(BenchItem& item, double seconds) {
  std::vector<Tensor> outputs;
  for (const PlanPort& port : item.executor->plan().outputs) outputs.emplace_back(port.type);
  std::vector<const void*> in;
  std::vector<void*> out;
  for (const Tensor& tensor : item.inputs) in.push_back(tensor.bytes());
  for (Tensor& tensor : outputs) out.push_back(tensor.bytes());
  const Clock& clock = Clock::System();
  const int64_t begin = clock.MonotonicNs();
  const int64_t warm = begin + static_cast<int64_t>(seconds * 0.2e9),
                end = begin + static_cast<int64_t>(seconds * 1e9);
  std::vector<int64_t> samples;
  for (int64_t now = begin; now < end || samples.size() < 3;) {
    RETURN_IF_ERROR(item.executor->Run(in, out));
    const int64_t after = clock.MonotonicNs();
    if (now >= warm) samples.push_back(after - now);
    now = after;
  }
  std::sort(samples.begin(), samples.end());
  return BenchTimes{static_cast<double>(samples[0]) / 1e6, Percentile(samples, 0.5),
                    Percentile(samples, 0.9), static_cast<int64_t>(samples.size())};
}

BenchTimes Merge(const std::vector<BenchTimes>& slices) {
  BenchTimes all{slices[0].min_ms, 0, 0, 0};
  std::vector<double> p50, p90;
  for (const BenchTimes& slice : slices) {
    all.min_ms = std::min(all.min_ms, slice.min_ms);
    all.runs += slice.runs;
    p50.push_back(slice.p50_ms);
    p90.push_back(slice.p90_ms);
  }
  const auto middle = static_cast<ptrdiff_t>(slices.size() / 2);
  std::nth_element(p50.begin(), p50.begin() + middle, p50.end());
  std::nth_element(p90.begin(), p90.begin() + middle, p90.end());
  all.p50_ms = p50[middle];
  all.p90_ms = p90[middle];
  return all;
}

Result<std::vector<int64_t>> ProfileItem(BenchItem& item, int runs) {
  std::vector<std::vector<int64_t>> samples(item.executor->plan().steps.size());
  for (int run = -3; run < runs; ++run) {
    std::vector<StepTime> profile;
    ASSIGN_OR_RETURN(const std::vector<Tensor> outputs,
                     RunOnce(*item.executor, item.inputs, &profile));
    if (run < 0) continue;  // warming up
    for (const StepTime& step : profile) samples[step.step].push_back(step.ns);
  }
  std::vector<int64_t> medians;
  for (std::vector<int64_t>& step : samples) {
    std::nth_element(step.begin(), step.begin() + step.size() / 2, step.end());
    medians.push_back(step.empty() ? 0 : step[step.size() / 2]);
  }
  return medians;
}

Result<BenchItem> MakeTaskItem(const std::string& id, const Task& task, const Trace& trace,
                               const std::string& symbol, std::shared_ptr<KernelLibrary> library) {
  ASSIGN_OR_RETURN(std::vector<Tensor> inputs, MakeInputs(task));
  ASSIGN_OR_RETURN(const BuiltPlan built, BuildTaskPlan(task, trace, inputs, symbol));
  ASSIGN_OR_RETURN(const KernelFunction function, library->Find(symbol));
  BenchItem item;
  item.id = id;
  item.dense_flops = DenseFlops(task);
  ASSIGN_OR_RETURN(item.executor,
                   Executor::Create(built.plan, built.constants, {function}, library));
  for (size_t i = 0; i < task.inputs.size(); ++i)
    if (!task.inputs[i].constant) item.inputs.push_back(std::move(inputs[i]));
  return item;
}

Result<BenchItem> MakeOnnxLayoutItem(const std::string& id, const Task& task, const Target& target,
                                     Kernels& kernels) {
  ASSIGN_OR_RETURN(const Network network, NetworkOfTask(id, task, target));
  BenchItem item;
  item.id = id;
  item.engine = "whet-onnx-layout";
  item.dense_flops = DenseFlops(task);
  ASSIGN_OR_RETURN(LoadedNetwork loaded, LoadNetworkKernels(network, kernels));
  item.executor = std::move(loaded.executor);
  ASSIGN_OR_RETURN(item.inputs, MakeNetworkInputs(item.executor->plan(), {}, true));
  return item;
}

double DenseFlops(const Task& task) {
  const auto types = task.Types();
  if (!types) return 0;
  double flops = 0;
  for (const TaskNode& node : task.nodes) {
    if (node.op != "Conv" && node.op != "Gemm" && node.op != "MatMul") continue;
    // A bias is an epilogue: the contraction alone counts.
    Task alone;
    alone.target = task.target;
    TaskNode contraction = node;
    contraction.inputs.resize(2);
    for (const std::string& name : contraction.inputs)
      alone.inputs.push_back({name, types->at(name), false});
    alone.output = contraction.output;
    alone.nodes.push_back(std::move(contraction));
    flops += alone.Flops();
  }
  return flops;
}

Json ToJson(const BenchItem& item, const BenchTimes& times) {
  Json json = {{"id", item.id},
               {"engine", item.engine},
               {"threads", item.executor->plan().threads},
               {"min_ms", times.min_ms},
               {"p50_ms", times.p50_ms},
               {"p90_ms", times.p90_ms},
               {"runs", times.runs}};
  if (item.dense_flops > 0) json["gflops"] = item.dense_flops / (times.min_ms * 1e6);
  return json;
}

Json ChromeTrace(const PlanSpec& plan, const std::vector<int64_t>& step_ns) {
  Json events = Json::array();
  double at = 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const PlanStep& step = plan.steps[s];
    const double us = static_cast<double>(step_ns[s]) / 1e3;
    Json arguments = Json::object();
    if (step.kernel >= 0) {
      const PlanKernel& kernel = plan.kernels[step.kernel];
      arguments = {{"task", kernel.describe},
                   {"record", kernel.record},
                   {"gflops", us > 0 ? kernel.flops / (us * 1e3) : 0}};
    }
    events.push_back({{"name", step.name},
                      {"ph", "X"},
                      {"ts", at},
                      {"dur", us},
                      {"pid", 1},
                      {"tid", 1},
                      {"args", std::move(arguments)}});
    at += us;
  }
  return {{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}};
}

}  // namespace whet
