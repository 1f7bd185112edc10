// A plan: a network ready to run. Kernels in order, constants, and buffer offsets in one arena.
//
// Plain data; the same struct is what codegen makes, what a bundle's manifest.json stores and what
// the executor runs. Every value is a view of one of four places: a caller's input, a caller's
// output, the constants (weights.bin) or the arena. Offsets are bytes, multiples of 64. Shapes are
// outermost first, row-major. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "base/tensor.h"

namespace whet {

enum class Place : uint8_t { kInput, kOutput, kConstant, kArena };
std::string_view Name(Place place);  // "input", "output", "constant", "arena"

struct PlanValue {
  TensorType type;
  Place place = Place::kArena;
  int64_t offset = 0;  // bytes into the constants or the arena; the index of the input or output
  bool operator==(const PlanValue&) const = default;
};

struct PlanKernel {
  std::string symbol;    // "whet_0_conv": the kernel's function is NAME_argv(void** args)
  std::string task;      // fingerprint
  std::string describe;  // Task::Describe()
  int64_t record = 0;    // the tuning record it came from; 0: the default schedule
  double flops = 0;
  bool operator==(const PlanKernel&) const = default;
};

struct PlanStep {
  std::string name;       // the network's node (the last one of the fused group)
  int kernel = -1;        // index into kernels; -1: copy args[0] to args[1], bytes as they are
  std::vector<int> args;  // indices into values: the kernel's inputs, then its output
  bool operator==(const PlanStep&) const = default;
};

// Before the step runs, every integer of the value must be in [-extent, extent): the indices of a
// Gather, which would read something else otherwise.
struct PlanCheck {
  int step = 0;
  int value = 0;  // index into values, of type i32 or i64
  int64_t extent = 0;
  bool operator==(const PlanCheck&) const = default;
};

struct PlanPort {
  std::string name;
  TensorType type;
  bool operator==(const PlanPort&) const = default;
};

struct PlanSpec {
  std::string model;   // name
  std::string target;  // codegen/target.h
  int threads = 1;
  std::vector<PlanPort> inputs, outputs;
  std::vector<PlanValue> values;
  std::vector<PlanKernel> kernels;
  std::vector<PlanStep> steps;
  std::vector<PlanCheck> checks;
  int64_t arena_bytes = 0;
  int64_t constant_bytes = 0;

  Json ToJson() const;
  // kCorrupt for anything that an executor could not run safely: indices and offsets are in range,
  // types fit their places, sizes do not overflow.
  static Result<PlanSpec> FromJson(const Json& json);
  Status Validate() const;
  bool operator==(const PlanSpec&) const = default;
};

}  // namespace whet
