#include "costmodel/flat_forest.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "base/json.h"

namespace whet {
namespace {

constexpr int kRowsTogether = 8;
constexpr int kMostNodes = std::numeric_limits<uint16_t>::max();

// One tree as XGBoost writes it. Throws nlohmann's exceptions where fields are missing.
struct WrittenTree {
  std::vector<int> left, right, feature;
  std::vector<float> condition;  // the threshold, or the value of a leaf

  explicit WrittenTree(const Json& json)
      : left(json.at("left_children").get<std::vector<int>>()),
        right(json.at("right_children").get<std::vector<int>>()),
        feature(json.at("split_indices").get<std::vector<int>>()),
        condition(json.at("split_conditions").get<std::vector<float>>()) {}

  bool Fits() const {
    return !left.empty() && left.size() < kMostNodes && right.size() == left.size() &&
           feature.size() == left.size() && condition.size() == left.size();
  }
};

}  // namespace

std::optional<FlatForest> FlatForest::Parse(const std::string& ubjson, int64_t width) try {
  const Json json = Json::from_ubjson(ubjson);
  const Json& learner = json.at("learner");
  const Json& model = learner.at("gradient_booster").at("model");
  FlatForest forest;
  forest.width_ = static_cast<size_t>(width);
  forest.base_ = std::stof(learner.at("learner_model_param").at("base_score").get<std::string>());
  for (const Json& tree : model.at("trees")) {
    const WrittenTree written(tree);
    if (!written.Fits() || !tree.at("categories").empty()) return std::nullopt;
    const int size = static_cast<int>(written.left.size());
    const size_t first = forest.nodes_.size();
    // Level by level, the children of a node side by side.
    std::vector<int> order = {0}, depth = {0};
    for (size_t i = 0; i < order.size(); ++i) {
      const int node = order[i], left = written.left[node], right = written.right[node];
      const float condition = written.condition[node];
      if (left < 0) {
        forest.nodes_.push_back(
            {std::numeric_limits<float>::quiet_NaN(), 0, static_cast<uint16_t>(i)});
        forest.leaves_.push_back(condition);
        continue;
      }
      const int feature = written.feature[node];
      if (left >= size || right < 0 || right >= size || feature < 0 || feature >= width ||
          feature > kMostNodes || order.size() + 2 > written.left.size()) {
        return std::nullopt;
      }
      forest.nodes_.push_back(
          {condition, static_cast<uint16_t>(feature), static_cast<uint16_t>(order.size())});
      forest.leaves_.push_back(0);
      order.insert(order.end(), {left, right});
      depth.insert(depth.end(), 2, depth[i] + 1);
    }
    forest.trees_.push_back({first, depth.back()});
  }
  return forest;
} catch (const Json::exception&) {
  return std::nullopt;
} catch (const std::logic_error&) {  // of stof
  return std::nullopt;
}

template <int kRows>
void FlatForest::AddTrees(const float* rows, float* sums) const {
  for (const Tree& tree : trees_) {
    const Node* const nodes = &nodes_[tree.first];
    uint32_t at[kRows] = {};
    for (int step = 0; step < tree.depth; ++step) {
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const Node node = nodes[at[r]];
        const float value = rows[static_cast<size_t>(r) * width_ + node.feature];
        at[r] = node.left + static_cast<uint32_t>(value >= node.threshold);
      }
    }
    for (int r = 0; r < kRows; ++r) sums[r] += leaves_[tree.first + at[r]];
  }
}

std::vector<float> FlatForest::Predict(std::span<const float> rows) const {
  const size_t count = rows.size() / width_;
  std::vector<float> sums(count, base_);
  size_t row = 0;
  for (; row + kRowsTogether <= count; row += kRowsTogether)
    AddTrees<kRowsTogether>(&rows[row * width_], &sums[row]);
  for (; row < count; ++row) AddTrees<1>(&rows[row * width_], &sums[row]);
  return sums;
}

}  // namespace whet
