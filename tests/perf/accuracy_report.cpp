// How exact convolutions are, by algorithm: the tables of docs/accuracy.md.
//
//   build/tests/perf/accuracy_report
//
// ResNet-18's 3x3 layers of stride 1, run by Whet's kernels on made-up activations: normally
// distributed, cut off at 0 as Relu does, with a scale of each channel's own (log-normal, sigma 1);
// weights normal with variance 2 / terms. The same with a dark picture (1e-3) in which one element
// in four thousand is 3e4. Errors are against sums in double, of some thousand outputs of each
// layer.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "base/file.h"
#include "base/rng.h"
#include "base/table.h"
#include "codegen/kernel_compiler.h"
#include "codegen/target.h"
#include "codegen/task_plan.h"
#include "runtime/executor.h"
#include "runtime/kernel_library.h"
#include "schedules/algorithm_options.h"
#include "schedules/operators/winograd.h"
#include "schedules/sketch.h"

namespace whet {
namespace {

constexpr double kUnit = 0x1p-24;
constexpr int kSamples = 4000;  // outputs of a layer

double Normal(Rng& rng) {
  return std::sqrt(-2 * std::log(1 - rng.Uniform())) *
         std::cos(2 * std::numbers::pi * rng.Uniform());
}

struct Layer {
  int64_t channels, side;
  std::string Spelling() const {
    return fmt::format("Conv(x=1x{0}x{1}x{1},w={0}x{0}x3x3,pads=1,bias=0)", channels, side);
  }
};

enum class Picture { kActivations, kBrightPixels };

std::vector<Tensor> MakeData(const Task& task, Picture picture) {
  Rng rng(1);
  Tensor x(task.inputs[0].type), weights(task.inputs[1].type);
  const int64_t channels = x.shape()[3];
  std::vector<double> scale(static_cast<size_t>(channels));
  for (double& s : scale) s = std::exp(Normal(rng));
  for (int64_t i = 0; i < x.count(); ++i) {
    const double value = picture == Picture::kActivations
                             ? std::max(0.0, Normal(rng)) * scale[i % channels]
                             : (rng.Chance(1.0 / 4096) ? 3e4 : 1e-3);
    x.data<float>()[i] = static_cast<float>(value);
  }
  for (int64_t i = 0; i < weights.count(); ++i)
    weights.data<float>()[i] =
        static_cast<float>(Normal(rng) * std::sqrt(2.0 / static_cast<double>(9 * channels)));
  return {std::move(x), std::move(weights)};
}

Result<Tensor> RunKernel(const Task& task, const Trace& trace, const std::vector<Tensor>& data) {
  ASSIGN_OR_RETURN(const TemporaryDirectory directory, TemporaryDirectory::Create("whet-accuracy"));
  const std::string symbol = "accuracy_kernel", base = (directory.path() / "kernel").string();
  RETURN_IF_ERROR(CompileKernel(task, trace, symbol, {base + ".o", "", ""}));
  RETURN_IF_ERROR(LinkSharedObject({base + ".o"}, base + ".so"));
  ASSIGN_OR_RETURN(const std::shared_ptr<KernelLibrary> library, KernelLibrary::Open(base + ".so"));
  ASSIGN_OR_RETURN(const KernelFunction function, library->Find(symbol));
  ASSIGN_OR_RETURN(const BuiltPlan built, BuildTaskPlan(task, trace, data, symbol));
  ASSIGN_OR_RETURN(const auto executor,
                   Executor::Create(built.plan, built.constants, {function}, library));
  ASSIGN_OR_RETURN(const TensorType type, task.OutputType());
  Tensor y(type);
  const void* in[] = {data[0].bytes()};
  void* out[] = {y.bytes()};
  RETURN_IF_ERROR(executor->Run(in, out));
  return y;
}

// Errors of sampled outputs: in units of u times the sum of the magnitudes of their own terms, and
// of u times the largest magnitude in their tile times the sum of the magnitudes of their weights.
struct Errors {
  std::vector<double> by_terms, by_tile;
};

// `tile`: outputs of a tile along an axis.
Errors ErrorsOf(const Tensor& y, const std::vector<Tensor>& data, int64_t tile) {
  const Tensor &x = data[0], &w = data[1];
  const int64_t side = x.shape()[1], channels = x.shape()[3];
  const auto pixel = [&](int64_t i, int64_t j, int64_t c) -> double {
    const bool inside = i >= 0 && i < side && j >= 0 && j < side;
    return inside ? x.data<float>()[(i * side + j) * channels + c] : 0;
  };
  Rng rng(2);
  Errors errors;
  for (int s = 0; s < kSamples; ++s) {
    const int64_t i = rng.Below(side), j = rng.Below(side), o = rng.Below(channels);
    double sum = 0, terms = 0, weights = 0, largest = 0;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < 3; ++p) {
        for (int64_t q = 0; q < 3; ++q) {
          const double g = w.data<float>()[((o * channels + c) * 3 + p) * 3 + q];
          const double term = g * pixel(i + p - 1, j + q - 1, c);
          sum += term;
          terms += std::abs(term);
          weights += std::abs(g);
        }
      }
      const int64_t top = i / tile * tile - 1, left = j / tile * tile - 1;
      for (int64_t p = top; p < top + tile + 2; ++p)
        for (int64_t q = left; q < left + tile + 2; ++q)
          largest = std::max(largest, std::abs(pixel(p, q, c)));
    }
    const double error = std::abs(y.data<float>()[(i * side + j) * channels + o] - sum);
    if (terms > 0) errors.by_terms.push_back(error / (kUnit * terms));
    if (largest > 0) errors.by_tile.push_back(error / (kUnit * largest * weights));
  }
  return errors;
}

std::string Quantile(std::vector<double> values, double share) {
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return fmt::format("{:.2g}", values[at]);
}

Status Report(const Layer& layer, Picture picture, const MachineModel& machine,
              const std::string& target, Table* table) {
  ASSIGN_OR_RETURN(const Task task, ParseTaskSpelling(layer.Spelling(), target));
  ASSIGN_OR_RETURN(const SketchSpace space, SketchSpace::Create(task, machine));
  const std::vector<Tensor> data = MakeData(task, picture);
  for (const std::string algorithm : {"", "winograd(2x2,3x3)", "winograd(4x4,3x3)"}) {
    const std::vector<Trace> traces = space.PlainTraces();
    const auto trace = std::find_if(traces.begin(), traces.end(), [&](const Trace& plain) {
      const AlgorithmOptions options = AlgorithmOptionsOf(plain.directives);
      return algorithm.empty() ? options.algorithms.empty() && options.rfactored.empty()
                               : options.algorithms.contains(task.output) &&
                                     options.algorithms.at(task.output) == algorithm;
    });
    if (trace == traces.end()) continue;
    ASSIGN_OR_RETURN(const Tensor y, RunKernel(task, *trace, data));
    const auto winograd = Winograd::Parse(algorithm);
    const Errors errors = ErrorsOf(y, data, winograd ? winograd->y.tile : 1);
    std::vector<std::string> row = {
        fmt::format("{} channels, {}x{}", layer.channels, layer.side, layer.side),
        algorithm.empty() ? "direct" : algorithm};
    for (const std::vector<double>* values : {&errors.by_terms, &errors.by_tile})
      for (const double share : {0.5, 0.99, 1.0}) row.push_back(Quantile(*values, share));
    table->AddRow(row);
  }
  return {};
}

Status ReportAll() {
  const Target target = Target::Host(2);
  ASSIGN_OR_RETURN(const MachineModel machine, target.Machine());
  for (const Picture picture : {Picture::kActivations, Picture::kBrightPixels}) {
    Table table({"layer", "algorithm", "own terms: p50", "p99", "max", "tile: p50", "p99", "max"});
    for (const Layer& layer : {Layer{64, 56}, Layer{128, 28}, Layer{256, 14}, Layer{512, 7}})
      RETURN_IF_ERROR(Report(layer, picture, machine, target.ToString(), &table));
    std::printf("%s\n%s\n",
                picture == Picture::kActivations ? "activations after Relu"
                                                 : "1e-3, one element in 4096 is 3e4",
                table.ToString().c_str());
  }
  return {};
}

}  // namespace
}  // namespace whet

int main() {
  const whet::Status status = whet::ReportAll();
  if (status) return 0;
  std::fprintf(stderr, "accuracy_report: %s\n", status.error().message.c_str());
  return 1;
}
