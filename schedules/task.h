// A task: what is tuned. One operator, or a fused group, with static shapes, layouts and a target.
//
// Inputs are tensors in their physical layout (row-major in `type.shape`); `constant` ones are
// weights whose bytes are known before the kernel runs, so that a schedule may repack them ahead of
// time. Nodes are in topological order, each writes one named value, the last of them writes
// `output`. The fingerprint is the XXH3-128 of the canonical JSON (docs/formats/task.md), which
// includes the target. It has every attribute explicit, so that tasks that leave defaults out and
// tasks that do not are the same task. Thread safety: plain values.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "base/tensor.h"
#include "schedules/accuracy.h"
#include "schedules/attributes.h"

namespace whet {

struct TaskInput {
  std::string name;
  TensorType type;
  bool constant = false;
  bool operator==(const TaskInput&) const = default;
};

struct TaskNode {
  std::string op;                   // ONNX's name, canonical form
  std::vector<std::string> inputs;  // names of task inputs or of earlier nodes' outputs
  std::string output;
  Attributes attributes;
  bool operator==(const TaskNode&) const = default;
};

struct Task {
  std::vector<TaskInput> inputs;
  std::vector<TaskNode> nodes;
  std::string output;  // the value that the kernel writes
  std::string target;  // "x86-64-linux-avx512_skylake-2t": codegen/target.h
  Accuracy accuracy = Accuracy::kFast;

  Json ToJson() const;                             // of Canonical()
  static Result<Task> FromJson(const Json& json);  // validated: Types() succeeds; canonical
  // The same work with the attributes in canonical form (operators/operator.h,
  // CanonicalAttributes).
  Task Canonical() const;
  std::string Fingerprint() const;
  // Types of every value by name (inputs and node outputs); the first error names the node. Also
  // refuses what no kernel could have: unknown operators, dangling or repeated names, tensors with
  // no elements or with 2^31 and more.
  Result<std::map<std::string, TensorType>> Types() const;
  Result<TensorType> OutputType() const;
  double Flops() const;  // of all nodes
  // One line for people: "Conv 1x64x56x56 64x64x3x3 pads=1 +Relu" (activations in ONNX's N, C, H, W
  // order).
  std::string Describe() const;
  bool operator==(const Task&) const = default;
};

// The output of `task` on `inputs` (one tensor a task input, in order) by the operators'
// references.
Result<Tensor> RunReference(const Task& task, std::span<const Tensor* const> inputs);

// Reads `Conv(x=1x64x56x56,w=64x64x3x3,pads=1)+Relu`, `MatMul(a=1024x1024,b=1024x1024)+Add`:
// operators by ONNX's names, operands by the names of operators/README.md with shapes in ONNX's
// order, attributes by ONNX's names. One value serves for all of a list (`pads=1`), `kernel` for
// kernel_shape.
//  - Operators with a `layout` get NHWC: their 4-D activations, and those of the tail, become [n,
//  h, w, c].
//    `layout=NCHW` keeps ONNX's order.
//  - Weights are constant, and so is a MatMul's `b` of rank 2; `const=0|1` says otherwise.
//  - Conv and Gemm get a constant bias unless `bias=0`.
//  - The tail is elementwise operators and reductions; a reduction's first operand is what comes
//  before it: `Conv(x=1x16x8x8,w=96x16x1x1)+Relu+Conv(w=16x96x1x1)`. `+Add` adds another tensor of
//  the output's shape, `+Mul(0.125)` multiplies by a
//    constant scalar, `+Mul(b=1x64x1x1,const=1)` by a tensor that is broadcast.
// A spelling does not say how exact its kernels have to be: the task is `fast`, and strict is for
// the caller to set. Errors name the operator and what it accepts.
Result<Task> ParseTaskSpelling(std::string_view spelling, const std::string& target);
// The spelling that ParseTaskSpelling reads as this task; empty if there is none (a tail that
// reads an early value).
std::string SpellTask(const Task& task);

// One kernel of a shape list (fields: id, op, input, weight, output, strides, pads, dilations,
// group, transA, transB, bias, epilogue) as a task.
struct NamedTask {
  std::string id;
  Task task;
};
Result<NamedTask> TaskFromShapeEntry(const Json& entry, const std::string& target);
Result<std::vector<NamedTask>> ReadShapeList(const std::string& path, const std::string& target);

}  // namespace whet
