// An invented space of schedules with an invented machine: four decisions, one of which matters
// little, with a known optimum. No Halide, no time.
#pragma once

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "search/candidate_source.h"
#include "search/measurer.h"

namespace whet {

// What a trial of `ms` milliseconds leaves.
inline Record Measured(const Trace& trace, double ms, bool is_default = false) {
  Record record;
  record.trace = trace;
  record.is_default = is_default;
  record.measurement.samples_ns = {static_cast<int64_t>(ms * 1e6)};
  return record;
}

// A candidate is a point of {0, .., size-1}^4; each decision becomes one split directive.
class InventedSource : public CandidateSource {
 public:
  explicit InventedSource(int64_t size = 12) : size_(size) {}

  Trace At(std::vector<int64_t> point) const {
    Trace trace;
    trace.sketch = "invented";
    for (size_t d = 0; d < point.size(); ++d) {
      const std::string name(1, static_cast<char>('a' + d));
      trace.decisions.push_back({name, {point[d]}});
      Directive directive;
      directive.kind = DirectiveKind::kSplit;
      directive.stage = "s";
      directive.loop = name;
      directive.names = {name + "o", name + "i"};
      directive.factor = point[d] + 1;
      trace.directives.push_back(directive);
    }
    return trace;
  }
  static std::vector<int64_t> PointOf(const Trace& trace) {
    std::vector<int64_t> point;
    for (const Directive& directive : trace.directives) point.push_back(directive.factor - 1);
    return point;
  }

  Trace Default() const override { return At({0, 0, 0, 0}); }
  Draft Sample(Rng& rng) const override {
    std::vector<int64_t> point;
    for (int d = 0; d < 4; ++d) point.push_back(rng.Below(size_));
    return At(point);
  }
  // Digits of the number, the first decision moving fastest.
  Trace LatticePoint(int64_t number) const override {
    std::vector<int64_t> point;
    for (int d = 0; d < 4; ++d, number /= size_) point.push_back(number % size_);
    return At(point);
  }
  Draft Mutate(const Trace& trace, Rng& rng, MutationChoice* choice) const override {
    std::vector<int64_t> point = PointOf(trace);
    do {
      const int64_t d = rng.Below(4);
      int64_t& value = point[static_cast<size_t>(d)];
      if (choice != nullptr) choice->changed |= uint64_t{1} << d;
      value = rng.Chance(0.7)
                  ? std::clamp<int64_t>(value + (rng.Chance(0.5) ? 1 : -1), 0, size_ - 1)
                  : rng.Below(size_);
    } while (rng.Chance(0.3));
    return At(point);
  }
  Draft Crossover(const Trace& a, const Trace& b, Rng& rng) const override {
    std::vector<int64_t> point = PointOf(a);
    const std::vector<int64_t> other = PointOf(b);
    for (size_t d = 0; d < point.size(); ++d) {
      if (rng.Chance(0.5)) point[d] = other[d];
    }
    return At(point);
  }
  bool Adapt(const Trace& foreign, Trace* adapted) const override {
    if (foreign.sketch != "invented") return false;
    *adapted = foreign;
    return true;
  }
  size_t kinds() const override { return 4; }
  uint64_t NicheOf(const Trace& trace) const override {
    if (niches_of_ < 0) return trace.DirectivesHash();
    return static_cast<uint64_t>(PointOf(trace)[static_cast<size_t>(niches_of_)]);
  }
  int64_t width() const override { return 6; }
  bool Features(const Draft& candidate, std::span<float> row) const override {
    const std::vector<int64_t> point = PointOf(candidate.trace);
    if (point[0] == implausible_) return false;
    for (size_t d = 0; d < 4; ++d) row[d] = static_cast<float>(point[d]);
    row[4] = static_cast<float>(point[0] * point[1]);
    row[5] = static_cast<float>(point[2] - point[3]);
    return true;
  }

  void MakeImplausible(int64_t first) { implausible_ = first; }
  void MakeNichesOf(int decision) { niches_of_ = decision; }

 private:
  int64_t size_;
  int64_t implausible_ = -1;
  int niches_of_ = -1;  // each candidate its own
};

// Milliseconds of a point: best at (8, 5, 9, 2), where it takes 1 ms; the default takes about 8.
inline double InventedMs(const std::vector<int64_t>& p) {
  const auto x = [&](size_t d, double best) { return std::abs(static_cast<double>(p[d]) - best); };
  const double valley = 1 + 0.35 * x(0, 8) + 0.25 * x(1, 5) + 0.2 * x(2, 9) + 0.02 * x(3, 2);
  return p[0] * p[1] > 60 ? valley * 2 : valley;
}

class FakeClock : public Clock {
 public:
  int64_t MonotonicNs() const override { return now_ns; }
  std::string NowUtc() const override { return "2026-11-21T10:43:25Z"; }
  mutable int64_t now_ns = 1'000'000'000;
};

// Measures on the invented machine; each candidate takes `seconds` of the fake clock.
class FakeMeasurer : public Measurer {
 public:
  explicit FakeMeasurer(FakeClock& clock) : clock_(clock) {}

  Status Measure(const Task&, std::span<const Trace> traces,
                 const std::function<bool(size_t, const Measurement&)>& done) override {
    ++rounds;
    for (size_t i = 0; i < traces.size(); ++i) {
      clock_.now_ns += static_cast<int64_t>(seconds * 1e9);
      if (broken) return Fail(ErrorCode::kFailed, "no worker starts");
      measured.push_back(InventedSource::PointOf(traces[i]));
      if (after_each) after_each(measured.size());
      if (!done(i, MeasurePoint(measured.back()))) return {};
    }
    return {};
  }
  Result<std::vector<Measurement>> Compare(const Task&, std::span<const Trace> traces) override {
    ++comparisons;
    std::vector<Measurement> results;
    for (const Trace& trace : traces) {
      clock_.now_ns += static_cast<int64_t>(seconds * 1e9);
      const std::vector<int64_t> point = InventedSource::PointOf(trace);
      compared.push_back(point);
      Measurement result = MeasurePoint(point);
      for (int64_t& sample : result.samples_ns)
        sample = static_cast<int64_t>(sample * compare_factor(point));
      results.push_back(result);
    }
    return results;
  }

  double seconds = 0.1;
  bool broken = false;
  int rounds = 0, comparisons = 0;
  std::function<void(size_t)> after_each;
  std::function<MeasureStatus(const std::vector<int64_t>&)> status = [](const auto&) {
    return MeasureStatus::kOk;
  };
  std::function<double(const std::vector<int64_t>&)> compare_factor = [](const auto&) {
    return 1.0;
  };
  std::vector<std::vector<int64_t>> measured, compared;

 private:
  Measurement MeasurePoint(const std::vector<int64_t>& point) const {
    Measurement measurement;
    measurement.status = status(point);
    measurement.compile_ms = 20;
    if (!measurement.ok()) {
      measurement.message = "invented failure";
      return measurement;
    }
    const auto ns = static_cast<int64_t>(InventedMs(point) * 1e6);
    measurement.samples_ns = {ns, ns + 1000, ns - 1000};
    return measurement;
  }

  FakeClock& clock_;
};

}  // namespace whet
