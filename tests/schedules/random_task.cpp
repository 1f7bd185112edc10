#include "tests/schedules/random_task.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "schedules/operators/operator.h"
#include "schedules/task_builder.h"

namespace whet {
namespace {

using Operand = TaskBuilder::Operand;

constexpr int64_t kMostElements = 16384;  // of a value
constexpr double kMostFlops = 4e6;

int64_t Between(Rng& rng, int64_t least, int64_t most) {
  return least + rng.Below(most - least + 1);
}

int64_t OneOf(Rng& rng, std::initializer_list<int64_t> values) {
  return values.begin()[rng.Below(static_cast<int64_t>(values.size()))];
}

int64_t Extent(Rng& rng) {
  if (rng.Chance(0.25)) return 1;
  if (rng.Chance(0.4)) return Between(rng, 2, 6);
  return OneOf(rng, {7, 8, 9, 11, 12, 13, 16, 17, 19, 24, 32, 37, 48});
}

Shape RandomShape(Rng& rng, size_t rank) {
  Shape shape(rank);
  do {
    for (int64_t& extent : shape) extent = Extent(rng);
  } while (ElementCount(shape) > kMostElements);
  return shape;
}

// A chain under construction.
class Chain {
 public:
  Chain(Rng& rng, const std::string& target)
      : rng_(rng), builder_(target), layout_(rng.Chance(0.7) ? "NHWC" : "NCHW") {}

  std::optional<Task> Make() {
    const int64_t kind = rng_.Below(10);
    if (kind < 4) {
      values_ = {Input(RandomShape(rng_, 4))};
      if (!Add(ImageNode())) return std::nullopt;
    } else {
      values_ = {Input(RandomShape(rng_, static_cast<size_t>(Between(rng_, 1, 6))))};
      if (kind < 5 ? !MovementOrCast() : !Add(AnyNode())) return std::nullopt;
    }
    for (int64_t more = rng_.Chance(0.3) ? 0 : Between(rng_, 1, 4); more > 0; --more)
      if (!Add(AnyNode())) return std::nullopt;
    auto task = builder_.Finish();
    if (!task || task->Flops() > kMostFlops) return std::nullopt;
    return *std::move(task);
  }

 private:
  struct Node {
    std::string op;
    std::vector<Operand> inputs;
    Attributes attributes;
  };

  const Operand& last() const { return values_.back(); }
  const Shape& shape() const { return last().type.shape; }
  Operand Input(Shape shape, bool constant = false, DataType dtype = DataType::kFloat32) {
    return builder_.AddInput({dtype, std::move(shape)}, constant);
  }

  // False: no such node can be, or its value is too large.
  bool Add(const Node& node) {
    if (node.op.empty()) return true;
    auto value = builder_.AddNode(node.op, node.inputs, node.attributes);
    if (!value) return false;
    int64_t count = 1;
    for (int64_t extent : value->type.shape)
      if (extent < 1 || (count *= extent) > kMostElements) return false;
    values_.push_back(*std::move(value));
    return true;
  }

  Node AnyNode() {
    if (rng_.Chance(0.45)) return rng_.Chance(0.6) ? Unary() : Binary();
    if (shape().size() == 4 && rng_.Chance(0.5)) return ImageNode();
    return rng_.Chance(0.3) ? Product() : RowNode();
  }

  Node Unary() {
    static const char* const kOps[] = {"Relu", "Sigmoid", "Tanh",        "HardSwish", "Neg", "Abs",
                                       "Erf",  "Gelu",    "HardSigmoid", "LeakyRelu", "Abs", "Erf"};
    if (rng_.Chance(0.1)) return {"Clip", {last()}, {{"min", -0.5}, {"max", 0.75}}};
    return {kOps[rng_.Below(std::size(kOps))], {last()}, {}};
  }

  Node Binary() {
    static const char* const kOps[] = {"Add", "Sub", "Mul", "Max", "Min"};
    const std::string op = kOps[rng_.Below(std::size(kOps))];
    Operand other = last();
    if (rng_.Chance(0.3)) {
      other = values_[static_cast<size_t>(rng_.Below(std::ssize(values_)))];
    } else {
      Shape broadcast = shape();
      for (int64_t& extent : broadcast)
        if (rng_.Chance(0.3)) extent = 1;
      broadcast.erase(
          broadcast.begin(),
          broadcast.begin() + (rng_.Chance(0.3) ? rng_.Below(std::ssize(broadcast) + 1) : 0));
      other = Input(std::move(broadcast), rng_.Chance(0.4));
    }
    if (rng_.Chance(0.3)) return {op, {other, last()}, {}};
    return {op, {last(), other}, {}};
  }

  // Along rows, of any rank.
  Node RowNode() {
    const auto rank = std::ssize(shape());
    if (rank == 0) return {};
    const int64_t axis = rng_.Below(rank);
    switch (rng_.Below(4)) {
      case 0:
        return {"Softmax", {last()}, {{"axis", axis}}};
      case 1: {
        const Shape rows(shape().begin() + axis, shape().end());
        std::vector<Operand> inputs = {last(), Input(rows, true)};
        if (rng_.Chance(0.6)) inputs.push_back(Input(rows, true));
        return {"LayerNormalization", inputs, {{"axis", axis}}};
      }
      default: {
        static const char* const kOps[] = {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin",
                                           "ReduceProd"};
        std::vector<int64_t> axes;
        for (int64_t d = 0; d < rank; ++d)
          if (d == axis || rng_.Chance(0.3)) axes.push_back(d);
        return {kOps[rng_.Below(std::size(kOps))], {last()}, {{"axes", axes}}};
      }
    }
  }

  Node Product() {
    const Shape a = shape();
    if (a.size() == 2 && rng_.Chance(0.5)) {
      const bool trans_a = rng_.Chance(0.3), trans_b = rng_.Chance(0.5);
      const int64_t depth = a[trans_a ? 0 : 1], columns = Extent(rng_);
      std::vector<Operand> inputs = {
          last(), Input(trans_b ? Shape{columns, depth} : Shape{depth, columns}, rng_.Chance(0.7))};
      if (rng_.Chance(0.6)) inputs.push_back(Input({columns}, true));
      return {"Gemm",
              inputs,
              {{"transA", int64_t{trans_a}},
               {"transB", int64_t{trans_b}},
               {"alpha", rng_.Chance(0.7) ? 1.0 : 0.5},
               {"beta", rng_.Chance(0.7) ? 1.0 : 0.25}}};
    }
    if (a.empty()) return {};
    // On either side; the batch broadcasts.
    const bool left = rng_.Chance(0.6);
    const int64_t depth = left || a.size() == 1 ? a.back() : a[a.size() - 2];
    Shape other = left ? Shape{depth, Extent(rng_)} : Shape{Extent(rng_), depth};
    if (rng_.Chance(0.15)) other = {depth};
    if (other.size() == 2 && a.size() > 2 && rng_.Chance(0.6)) {
      Shape batch(a.begin(), a.end() - 2);
      for (int64_t& extent : batch)
        if (rng_.Chance(0.3)) extent = 1;
      other.insert(other.begin(), batch.begin(), batch.end());
    }
    const Operand operand = Input(other, rng_.Chance(0.5));
    return {"MatMul", left ? std::vector{last(), operand} : std::vector{operand, last()}, {}};
  }

  std::vector<int64_t> Pads(int64_t most) {
    std::vector<int64_t> pads(4, 0);
    if (rng_.Chance(0.65)) pads.assign(4, Between(rng_, 0, most));
    if (rng_.Chance(0.3))
      for (int64_t& pad : pads) pad = Between(rng_, 0, most);
    return pads;
  }
  std::vector<int64_t> Pair(std::function<int64_t()> value) {
    const int64_t first = value();
    return {first, rng_.Chance(0.6) ? first : value()};
  }

  Node ImageNode() {
    const bool last_channels = layout_ == "NHWC";
    const int64_t channels = shape()[last_channels ? 3 : 1];
    const int64_t height = shape()[last_channels ? 1 : 2], width = shape()[last_channels ? 2 : 3];
    Attributes attributes{{"layout", std::string(layout_)}};
    const auto kernel = Pair([&] { return OneOf(rng_, {1, 1, 2, 3, 3, 3, 4, 5, 7}); });
    const auto strides = Pair([&] { return OneOf(rng_, {1, 1, 1, 2, 2, 3, 4, 5}); });
    const auto dilations = Pair([&] { return OneOf(rng_, {1, 1, 1, 1, 2, 3}); });
    switch (rng_.Below(12)) {
      case 0:
      case 1:
      case 2: {
        attributes.Set("strides", strides);
        attributes.Set("dilations", dilations);
        attributes.Set("pads", Pads(std::max(kernel[0], kernel[1]) / 2 + 1));
        return ConvNode(channels, kernel, std::move(attributes));
      }
      case 3: {  // pointwise
        attributes.Set("strides", std::vector<int64_t>(2, rng_.Chance(0.8) ? 1 : 2));
        return ConvNode(channels, {1, 1}, std::move(attributes));
      }
      case 4:
      case 5:
        attributes.Set("strides", strides);
        attributes.Set("dilations", rng_.Chance(0.8) ? std::vector<int64_t>{1, 1} : dilations);
        return ConvTransposeNode(channels, kernel, std::move(attributes));
      case 6:
      case 7: {
        attributes.Set("kernel_shape", kernel);
        attributes.Set("strides", strides);
        attributes.Set("dilations", rng_.Chance(0.7) ? std::vector<int64_t>{1, 1} : dilations);
        attributes.Set("pads", Pads(std::min(kernel[0], kernel[1]) / 2));
        attributes.Set("ceil_mode", rng_.Below(2));
        if (rng_.Chance(0.5)) return {"MaxPool", {last()}, std::move(attributes)};
        attributes.Set("count_include_pad", rng_.Below(2));
        return {"AveragePool", {last()}, std::move(attributes)};
      }
      case 8:
        return {"GlobalAveragePool", {last()}, std::move(attributes)};
      case 9:
      case 10: {
        static const char* const kModes[] = {"half_pixel", "asymmetric", "align_corners",
                                             "pytorch_half_pixel"};
        const int64_t to_height = rng_.Chance(0.5) ? 2 * height : Extent(rng_);
        const int64_t to_width = rng_.Chance(0.5) ? 2 * width : Extent(rng_);
        attributes.Set("sizes", std::vector<int64_t>{to_height, to_width});
        attributes.Set("mode", std::string(rng_.Chance(0.5) ? "linear" : "nearest"));
        attributes.Set("coordinate_transformation_mode",
                       std::string(kModes[rng_.Below(std::size(kModes))]));
        return {"Resize", {last()}, std::move(attributes)};
      }
      default: {
        std::vector<Operand> inputs = {last()};
        for (int i = 0; i < 4; ++i) inputs.push_back(Input({channels}, true));
        return {"BatchNormalization", inputs, std::move(attributes)};
      }
    }
  }

  // A divisor of the channels, all of them more often than others.
  int64_t Group(int64_t channels) {
    if (rng_.Chance(0.45)) return 1;
    if (rng_.Chance(0.5)) return channels;
    std::vector<int64_t> divisors;
    for (int64_t d = 1; d <= channels; ++d)
      if (channels % d == 0) divisors.push_back(d);
    return divisors[static_cast<size_t>(rng_.Below(std::ssize(divisors)))];
  }

  Node ConvNode(int64_t channels, const std::vector<int64_t>& kernel, Attributes attributes) {
    const int64_t group = Group(channels);
    const int64_t features = group * (group > 1          ? Between(rng_, 1, 3)
                                      : rng_.Chance(0.5) ? 16
                                                         : Extent(rng_));
    attributes.Set("group", group);
    std::vector<Operand> inputs = {last(),
                                   Input({features, channels / group, kernel[0], kernel[1]}, true)};
    if (rng_.Chance(0.7)) inputs.push_back(Input({features}, true));
    return {"Conv", inputs, std::move(attributes)};
  }

  Node ConvTransposeNode(int64_t channels, const std::vector<int64_t>& kernel,
                         Attributes attributes) {
    const int64_t group = Group(channels);
    const int64_t features = group > 1 ? Between(rng_, 1, 3) : rng_.Chance(0.4) ? 1 : Extent(rng_);
    const std::vector<int64_t> strides = attributes.Ints("strides");
    attributes.Set("group", group);
    attributes.Set("pads", Pads(std::min(kernel[0], kernel[1]) / 2));
    attributes.Set("output_padding",
                   std::vector<int64_t>{rng_.Below(strides[0]), rng_.Below(strides[1])});
    std::vector<Operand> inputs = {last(), Input({channels, features, kernel[0], kernel[1]}, true)};
    if (rng_.Chance(0.7)) inputs.push_back(Input({features * group}, true));
    return {"ConvTranspose", inputs, std::move(attributes)};
  }

  // What stands alone, or begins a chain.
  bool MovementOrCast() {
    const auto rank = std::ssize(shape());
    const int64_t axis = rng_.Below(rank);
    switch (rng_.Below(7)) {
      case 0: {
        std::vector<int64_t> perm(static_cast<size_t>(rank));
        std::iota(perm.begin(), perm.end(), 0);
        for (size_t d = perm.size(); d-- > 1;)
          std::swap(perm[d], perm[static_cast<size_t>(rng_.Below(static_cast<int64_t>(d) + 1))]);
        return Add({"Transpose", {last()}, {{"perm", perm}}});
      }
      case 1: {
        std::vector<Operand> inputs = {last()};
        for (int64_t more = Between(rng_, 0, 3); more > 0; --more) {
          Shape part = shape();
          part[static_cast<size_t>(axis)] = Extent(rng_);
          inputs.push_back(Input(part));
        }
        return Add({"Concat", inputs, {{"axis", axis}}});
      }
      case 2: {
        std::vector<int64_t> starts, ends, axes, steps;
        for (int64_t d = 0; d < rank; ++d) {
          if (d != axis && rng_.Chance(0.6)) continue;
          const int64_t extent = shape()[static_cast<size_t>(d)];
          starts.push_back(rng_.Below(extent));
          ends.push_back(Between(rng_, starts.back() + 1, extent));
          axes.push_back(d);
          steps.push_back(Between(rng_, 1, 3));
        }
        return Add({"Slice",
                    {last()},
                    {{"starts", starts}, {"ends", ends}, {"axes", axes}, {"steps", steps}}});
      }
      case 3:
      case 4: {
        static const char* const kModes[] = {"constant", "edge", "reflect", "wrap"};
        std::vector<int64_t> begins, ends;
        for (int64_t extent : shape()) {
          begins.push_back(rng_.Below(std::min<int64_t>(extent, 5)));
          ends.push_back(rng_.Below(std::min<int64_t>(extent, 5)));
        }
        return Add({"Pad",
                    {last()},
                    {{"begins", begins},
                     {"ends", ends},
                     {"mode", std::string(kModes[rng_.Below(std::size(kModes))])},
                     {"value", 0.5}}});
      }
      case 5:
        return Add({"Gather",
                    {last(), Input(RandomShape(rng_, static_cast<size_t>(rng_.Below(3))), false,
                                   DataType::kInt64)},
                    {{"axis", axis}}});
      default:
        return Add({"Less", {last(), Input(shape())}, {}}) &&
               Add({"Cast", {last()}, {{"to", std::string("f32")}}});
    }
  }

  Rng& rng_;
  TaskBuilder builder_;
  const std::string layout_;
  std::vector<Operand> values_;
};

}  // namespace

Task RandomTask(Rng& rng, const std::string& target) {
  while (true)
    if (auto task = Chain(rng, target).Make()) return *std::move(task);
}

}  // namespace whet
