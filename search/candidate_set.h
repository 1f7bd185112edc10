// The measured candidates of one task: no candidate is in it twice.
//
// Trials of different moments compare best by their fastest samples: over 287 final comparisons on
// a noisy virtual machine, those told more of the final order than any higher quantile of the trial
// did, and medians least. A candidate is known by the hash of its directives. Final re-measurements
// belong to the candidate that they re-measure. Thread safety: plain value.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "costmodel/cost_model.h"
#include "schedules/trace.h"
#include "tuning_db/record.h"

namespace whet {

struct MeasuredCandidate {
  Trace trace;
  uint64_t hash = 0;
  int64_t time_ns = 0;    // fastest sample of the trial; 0: failed
  int64_t median_ns = 0;  // of the trial
  int64_t final_ns = 0;   // median in the latest comparison of finalists; 0: none
  bool is_default = false;
  std::vector<float> features;  // empty: not worth learning from, or not extracted yet
};

class CandidateSet {
 public:
  bool Contains(uint64_t hash) const { return index_.contains(hash); }
  size_t size() const { return candidates_.size(); }
  const std::vector<MeasuredCandidate>& all() const { return candidates_; }

  // Adds what a record says: a new candidate, or what a final comparison found about one that is
  // known. A second trial of a known candidate changes nothing. A record of any role that found
  // the kernel wrong (IsWrong) makes its candidate a failed one for good; a check adds none. True
  // if a candidate was added.
  bool Add(const Record& record, std::vector<float> features = {});
  // Extracts missing features: `extract` returns an empty row for a candidate without.
  void FillFeatures(const std::function<std::vector<float>(const Trace&)>& extract);

  // From now on the default schedule is the candidate with this hash, measured or not: a later
  // version of Whet may have another default than the one that the records tell of.
  void SetDefault(uint64_t hash);

  int64_t failed() const { return failed_; }
  int64_t best_ns() const { return best_ns_; }  // fastest trial; 0: none
  int64_t default_ns() const {
    return default_ns_;
  }  // the default schedule's trial; 0: none or failed
  bool has_default() const { return has_default_; }
  bool has_final() const;
  // Candidates measured since the last one that was faster than all before it by more than `noise`,
  // a part of the time.
  int64_t SinceGain(double noise) const;
  // Candidates that ran, the fastest first, ties by order of measuring; at most `limit`.
  std::vector<const MeasuredCandidate*> Fastest(size_t limit) const;
  // Appends a row for each candidate with features.
  void AppendTo(TrainingSet& set, int task) const;

 private:
  void MakeFailed(MeasuredCandidate& candidate);

  std::vector<MeasuredCandidate> candidates_;
  std::unordered_map<uint64_t, size_t> index_;
  std::unordered_set<uint64_t> wrong_;
  int64_t failed_ = 0, best_ns_ = 0, default_ns_ = 0;
  bool has_default_ = false;
};

}  // namespace whet
