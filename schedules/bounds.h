// Bounds inference: which region of each stage the loops of its readers need.
//
// How a definition reads a stage is analysed once a DAG: an index that is affine in the loops
// becomes its coefficients, and accesses whose coefficients are equal become one with a range of
// constants. Then what a box of loop values needs is a few additions: this runs for thousands of
// candidates a second. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <vector>

#include "base/inline_vector.h"
#include "schedules/dag.h"
#include "schedules/index_range.h"

namespace whet {

// A range a dimension, or a range a loop.
using Box = InlineVector<IndexRange, 8>;

// What is needed of each stage. Made once and used again: Reset keeps the memory.
class Needs {
 public:
  void Reset(size_t stages) {
    boxes_.resize(stages);
    known_.assign(stages, false);
  }
  bool Has(int stage) const { return known_[static_cast<size_t>(stage)]; }
  // The box of a stage, which nothing was needed of so far: to be filled in.
  Box& Begin(int stage) {
    known_[static_cast<size_t>(stage)] = true;
    Box& box = boxes_[static_cast<size_t>(stage)];
    box.clear();
    return box;
  }
  Box& Of(int stage) { return boxes_[static_cast<size_t>(stage)]; }
  // Empty where nothing is needed.
  const Box& Get(int stage) const;

 private:
  std::vector<Box> boxes_;
  std::vector<char> known_;
};

// How the definitions of a DAG read its stages.
class ReadBounds {
 public:
  explicit ReadBounds(const Dag& dag);

  // Adds what definition `definition` of `stage` reads when its loops take the values of `loops`.
  void AddReads(int stage, size_t definition, const Box& loops, Needs* needs) const;
  // The same of all its definitions, for what is needed of the stage itself; reductions in full.
  void Propagate(int stage, Needs* needs) const;

 private:
  static constexpr int kMostTerms = 4;
  struct Term {
    int loop;
    int64_t step;
  };
  // The values of one dimension's index in some accesses: a sum of terms, and constants from `low`
  // to `high`. Or what `index` says, where that is not affine.
  struct Part {
    int dim = 0, terms = 0;
    int64_t low = 0, high = 0;
    const IndexExpr* index = nullptr;
    Term term[kMostTerms] = {};
  };
  struct StageRead {
    int stage;
    size_t dims;
    std::vector<Part> parts;
  };
  // False where the index is not affine.
  static bool ReadTerms(const IndexExpr& index, Part* part);
  static IndexRange RangeOf(const Part& part, const Box& loops);
  static std::vector<StageRead> Summarise(const Dag& dag, const Definition& definition);

  const Dag& dag_;
  std::vector<std::vector<std::vector<StageRead>>> reads_;  // by stage and definition
};

}  // namespace whet
