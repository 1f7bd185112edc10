// One thing that `whet bench` times: a network, a bundle or a task, ready to run, and what its runs
// came to.
//
// Thread safety: none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "runtime/executor.h"
#include "schedules/task.h"
#include "tools/kernels.h"
#include "tools/session.h"

namespace whet {

struct BenchItem {
  std::string id;
  std::string engine = "whet";  // "whet-onnx-layout": with conversions from and to ONNX's layout
  std::unique_ptr<Executor> executor;
  std::vector<Tensor> inputs;
  double dense_flops = 0;  // of its contractions; 0: not reported
};

struct BenchTimes {
  double min_ms = 0, p50_ms = 0, p90_ms = 0;  // of one run; percentiles by nearest rank
  int64_t runs = 0;
};

// Runs for `seconds`, a fifth of that before any run counts, at least three times.
Result<BenchTimes> TimeItem(BenchItem& item, double seconds);
// The slices of one item as one: the minimum of all, the medians of the slices' percentiles.
BenchTimes Merge(const std::vector<BenchTimes>& slices);

// Time of each step of the plan: the median over `runs` runs, in nanoseconds.
Result<std::vector<int64_t>> ProfileItem(BenchItem& item, int runs);

// One task under the schedules' best, as an item: its own layout, inputs made up.
Result<BenchItem> MakeTaskItem(const std::string& id, const Task& task, const Trace& trace,
                               const std::string& symbol, std::shared_ptr<KernelLibrary> library);

// The same task as a network of its own in ONNX's layouts, with the conversions that its kernels
// want.
Result<BenchItem> MakeOnnxLayoutItem(const std::string& id, const Task& task, const Target& target,
                                     Kernels& kernels);

// 2 x multiply-adds of the contractions (Conv, Gemm, MatMul) in a task, padding counted as data.
double DenseFlops(const Task& task);

// {"id", "engine", "threads", "min_ms", "p50_ms", "p90_ms", "runs", "gflops"}.
Json ToJson(const BenchItem& item, const BenchTimes& times);

// A run's steps one after the other, as Chrome's trace viewer and Perfetto read them.
Json ChromeTrace(const PlanSpec& plan, const std::vector<int64_t>& step_ns);

}  // namespace whet
