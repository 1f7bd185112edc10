// A DAG with stages inlined: what the definitions of the others load and compute then.
//
// That depends on nothing but the DAG and which stages are stored. Thousands of schedules of one
// DAG store few different sets of stages, so that InlinedDags keeps what it has made.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "schedules/access_shape.h"
#include "schedules/dag.h"

namespace whet {

inline constexpr int kMaxReads = 12;  // of a definition; what it reads beyond is left out
// Stages inlined into one definition: a compiler would not come back from more.
inline constexpr size_t kMostInlined = 1024;

struct InlinedDefinition {
  OpCounts ops;                    // of one evaluation, inlined stages included
  std::vector<AccessShape> reads;  // what is really loaded; equal reads once
  AccessShape store;
};

// Immutable once made. Refers to the Dag, which has to outlive it.
class InlinedDag {
 public:
  // `stored`: a flag a stage; those that are neither stored nor inputs are inlined. nullptr where
  // that makes more than kMostInlined of one definition.
  static std::shared_ptr<const InlinedDag> Make(const Dag& dag, const std::vector<bool>& stored);

  explicit InlinedDag(const Dag& dag) : dag_(dag), definitions_(dag.stages.size()) {}
  const Dag& dag() const { return dag_; }
  // Requires a stage that is stored.
  const InlinedDefinition& Of(int stage, size_t definition) const {
    return definitions_[static_cast<size_t>(stage)][definition];
  }

 private:
  class Inliner;
  const Dag& dag_;
  std::vector<std::vector<InlinedDefinition>> definitions_;  // by stage; none of inlined ones
  std::deque<std::vector<IndexExpr>> indices_;               // those that the Dag does not have
};

// The InlinedDags of one Dag, which has to outlive it. Safe to use from several threads.
class InlinedDags {
 public:
  explicit InlinedDags(const Dag& dag) : dag_(dag) {}
  // What InlinedDag::Make gives.
  std::shared_ptr<const InlinedDag> For(const std::vector<bool>& stored);

 private:
  static constexpr size_t kMostKept = 64;  // each takes some 100 KB
  const Dag& dag_;
  std::mutex mutex_;
  std::unordered_map<std::vector<bool>, std::shared_ptr<const InlinedDag>> made_;
};

}  // namespace whet
