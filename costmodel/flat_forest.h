// Boosted trees laid out for quick prediction on one core.
//
// XGBoost walks one row after the other down a tree, each step waiting for the one before, some 45
// ns a tree; here several rows go down a tree together, through nodes of eight bytes, and it is
// some 5. The sums are XGBoost's bit for bit: its thresholds, its leaves, added in its order.
// Thread safety: immutable once made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace whet {

class FlatForest {
 public:
  // From XGBoost's model as UBJSON, whose rows have `width` features. Nothing for one that does not
  // fit here (categories, more than 65,535 nodes in a tree): XGBoost itself predicts with it.
  static std::optional<FlatForest> Parse(const std::string& ubjson, int64_t width);

  // The raw prediction of each row. Requires finite rows of the width that it was made for.
  std::vector<float> Predict(std::span<const float> rows) const;

 private:
  // Values from the threshold on go to the node after `left`, smaller ones to `left` itself,
  // counted in the tree. A leaf leads to itself: its threshold is NaN, which nothing reaches.
  struct Node {
    float threshold;
    uint16_t feature, left;
  };
  struct Tree {
    size_t first;  // index of its root
    int depth;
  };

  template <int kRows>
  void AddTrees(const float* rows, float* sums) const;

  size_t width_ = 0;
  float base_ = 0;
  std::vector<Tree> trees_;
  std::vector<Node> nodes_;
  std::vector<float> leaves_;  // by node; 0 for those that are no leaves
};

}  // namespace whet
