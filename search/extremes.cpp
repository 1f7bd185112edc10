#include "search/extremes.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

// What the contraction reads, as positions of so many channels each: an element reaches the outputs
// of `window` positions.
struct Operand {
  int64_t positions = 0, channels = 0, window = 1;
  int64_t position_stride = 1, channel_stride = 1;  // in elements, of the first image or matrix
};

// The only node of the task that is not elementwise; null: there are several, or none.
const TaskNode* OnlyReduction(const Task& task) {
  const TaskNode* found = nullptr;
  for (const TaskNode& node : task.nodes) {
    if (FindOperator(node.op)->op_class == OperatorClass::kElementwise) continue;
    if (found != nullptr) return nullptr;
    found = &node;
  }
  return found;
}

bool Describe(const TaskNode& node, const Shape& x, const Shape& weights, Operand* operand) {
  if (node.op == "Conv" || node.op == "ConvTranspose") {
    const bool channels_last = node.attributes.String("layout", "NCHW") == "NHWC";
    operand->channels = channels_last ? x[3] : x[1];
    operand->positions = channels_last ? x[1] * x[2] : x[2] * x[3];
    operand->window = weights[2] * weights[3];
    operand->position_stride = channels_last ? x[3] : 1;
    operand->channel_stride = channels_last ? 1 : operand->positions;
    return true;
  }
  if ((node.op == "MatMul" && x.size() >= 2) ||
      (node.op == "Gemm" && node.attributes.Int("transA", 0) == 0)) {
    operand->channels = x.back();
    operand->positions = x[x.size() - 2];
    operand->position_stride = x.back();
    return true;
  }
  return false;
}

}  // namespace

void PlaceExtremes(const Task& task, std::vector<Tensor>* inputs) {
  constexpr float kBright = 3e7F;  // beside values of about 1: half of a sum's digits are lost
  constexpr float kExtremes[] = {kBright, std::numeric_limits<float>::infinity(),
                                 std::numeric_limits<float>::quiet_NaN()};
  constexpr int64_t kCount = std::size(kExtremes);
  const TaskNode* node = OnlyReduction(task);
  if (node == nullptr || node->inputs.size() < 2) return;
  const auto index_of = [&](const std::string& name) {
    const auto found = std::find_if(task.inputs.begin(), task.inputs.end(),
                                    [&](const TaskInput& input) { return input.name == name; });
    return static_cast<size_t>(found - task.inputs.begin());
  };
  const size_t x = index_of(node->inputs[0]), weights = index_of(node->inputs[1]);
  if (x == task.inputs.size() || weights == task.inputs.size()) return;
  Tensor& tensor = (*inputs)[x];
  Operand operand;
  if (task.inputs[x].constant || tensor.dtype() != DataType::kFloat32 ||
      !Describe(*node, tensor.shape(), (*inputs)[weights].shape(), &operand) ||
      operand.positions < 8 * operand.window)
    return;
  for (int64_t k = 0; k < kCount; ++k) {
    const int64_t position = (2 * k + 1) * operand.positions / (2 * kCount);
    const int64_t channel = k * operand.channels / kCount;
    tensor.data<float>()[position * operand.position_stride + channel * operand.channel_stride] =
        kExtremes[k];
  }
}

}  // namespace whet
