// A plan small enough to check by hand, and kernels for it written in C++ that see what Halide's
// kernels would.
//
//   y = 2 * x + w; z = y, reshaped          x, w: f32[2x3]; y: f32[2x3]; z: f32[6]
#pragma once

#include <HalideRuntime.h>

#include <string>
#include <vector>

#include "runtime/executor.h"

namespace whet::testing {

inline const float* Elements(void* arg) {
  return reinterpret_cast<const float*>(static_cast<halide_buffer_t*>(arg)->host);
}

inline int CountOf(void* arg) {
  const auto* buffer = static_cast<halide_buffer_t*>(arg);
  int count = 1;
  for (int i = 0; i < buffer->dimensions; ++i) count *= buffer->dim[i].extent;
  return count;
}

// args: x, out = 2 * x
inline int DoubleKernel(void** args) {
  auto* out = const_cast<float*>(Elements(args[1]));
  for (int i = 0; i < CountOf(args[1]); ++i) out[i] = 2 * Elements(args[0])[i];
  return 0;
}

// args: a, b, out = a + b
inline int AddKernel(void** args) {
  auto* out = const_cast<float*>(Elements(args[2]));
  for (int i = 0; i < CountOf(args[2]); ++i) out[i] = Elements(args[0])[i] + Elements(args[1])[i];
  return 0;
}

inline int FailingKernel(void**) {
  halide_error(nullptr, "the planted failure");
  return -7;
}

inline PlanSpec FakePlan() {
  const TensorType matrix{DataType::kFloat32, {2, 3}};
  const TensorType flat{DataType::kFloat32, {6}};
  PlanSpec plan;
  plan.model = "fake";
  plan.target = "a machine that no CPU is checked against";
  plan.threads = 2;
  plan.inputs = {{"x", matrix}};
  plan.outputs = {{"y", matrix}, {"z", flat}};
  plan.values = {{matrix, Place::kInput, 0},
                 {matrix, Place::kConstant, 64},
                 {matrix, Place::kArena, 128},
                 {matrix, Place::kOutput, 0},
                 {flat, Place::kOutput, 1}};
  plan.kernels = {{"whet_0_double", "00112233445566778899aabbccddeeff", "Mul(2x3)", 17, 6},
                  {"whet_1_add", "ffeeddccbbaa99887766554433221100", "Add(2x3)", 0, 6}};
  plan.steps = {{"double", 0, {0, 2}}, {"add", 1, {2, 1, 3}}, {"flatten", -1, {3, 4}}};
  plan.arena_bytes = 192;
  plan.constant_bytes = 128;
  return plan;
}

// The constants of FakePlan: w = 1, 2, .. 6 at byte 64.
inline std::string FakeConstants() {
  const std::vector<float> w{1, 2, 3, 4, 5, 6};
  std::string bytes(128, '\0');
  std::memcpy(bytes.data() + 64, w.data(), w.size() * sizeof(float));
  return bytes;
}

}  // namespace whet::testing
