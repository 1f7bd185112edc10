#include "search/candidate_set.h"

#include <algorithm>

namespace whet {

bool CandidateSet::Add(const Record& record, std::vector<float> features) {
  const uint64_t hash = record.trace.DirectivesHash();
  if (IsWrong(record.measurement.status)) wrong_.insert(hash);
  const bool wrong = wrong_.contains(hash);
  const bool ok = record.measurement.ok() && !wrong;
  const int64_t final_ns = ok && record.is_final() ? record.measurement.MedianNs() : 0;
  const int64_t time_ns = ok ? record.measurement.MinNs() : 0;
  const int64_t median_ns = ok ? record.measurement.MedianNs() : 0;
  if (const auto known = index_.find(hash); known != index_.end()) {
    MeasuredCandidate& candidate = candidates_[known->second];
    if (record.is_final()) candidate.final_ns = final_ns;
    if (wrong) MakeFailed(candidate);
    return false;
  }
  if (record.role == RecordRole::kCheck) return false;
  MeasuredCandidate candidate{
      record.trace, hash, time_ns, median_ns, final_ns, record.is_default, std::move(features)};
  index_.emplace(hash, candidates_.size());
  candidates_.push_back(std::move(candidate));
  if (time_ns == 0) ++failed_;
  if (time_ns > 0 && (best_ns_ == 0 || time_ns < best_ns_)) best_ns_ = time_ns;
  if (record.is_default && !has_default_) {
    has_default_ = true;
    default_ns_ = time_ns;
  }
  return true;
}

void CandidateSet::MakeFailed(MeasuredCandidate& candidate) {
  if (candidate.time_ns == 0) return;
  candidate.time_ns = candidate.median_ns = candidate.final_ns = 0;
  ++failed_;
  if (candidate.is_default) default_ns_ = 0;
  best_ns_ = 0;
  for (const MeasuredCandidate& other : candidates_) {
    if (other.time_ns > 0 && (best_ns_ == 0 || other.time_ns < best_ns_)) best_ns_ = other.time_ns;
  }
}

void CandidateSet::FillFeatures(const std::function<std::vector<float>(const Trace&)>& extract) {
  for (MeasuredCandidate& candidate : candidates_) {
    if (candidate.features.empty()) candidate.features = extract(candidate.trace);
  }
}

void CandidateSet::SetDefault(uint64_t hash) {
  has_default_ = false;
  default_ns_ = 0;
  for (MeasuredCandidate& candidate : candidates_) {
    candidate.is_default = candidate.hash == hash;
    if (!candidate.is_default) continue;
    has_default_ = true;
    default_ns_ = candidate.time_ns;
  }
}

bool CandidateSet::has_final() const {
  return std::any_of(candidates_.begin(), candidates_.end(),
                     [](const MeasuredCandidate& candidate) { return candidate.final_ns > 0; });
}

int64_t CandidateSet::SinceGain(double noise) const {
  int64_t since = 0;
  double best_ns = 0;
  for (const MeasuredCandidate& candidate : candidates_) {
    const auto time_ns = static_cast<double>(candidate.time_ns);
    ++since;
    if (time_ns <= 0 || (best_ns > 0 && time_ns >= (1 - noise) * best_ns)) continue;
    best_ns = time_ns;
    since = 0;
  }
  return since;
}

std::vector<const MeasuredCandidate*> CandidateSet::Fastest(size_t limit) const {
  std::vector<const MeasuredCandidate*> order;
  for (const MeasuredCandidate& candidate : candidates_) {
    if (candidate.time_ns > 0) order.push_back(&candidate);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->time_ns < b->time_ns; });
  if (order.size() > limit) order.resize(limit);
  return order;
}

void CandidateSet::AppendTo(TrainingSet& set, int task) const {
  for (const MeasuredCandidate& candidate : candidates_) {
    if (candidate.features.empty()) continue;
    set.width = static_cast<int64_t>(candidate.features.size());
    set.features.insert(set.features.end(), candidate.features.begin(), candidate.features.end());
    set.throughput.push_back(candidate.time_ns > 0 ? static_cast<float>(best_ns_) /
                                                         static_cast<float>(candidate.time_ns)
                                                   : 0.0F);
    set.task.push_back(task);
  }
}

}  // namespace whet
