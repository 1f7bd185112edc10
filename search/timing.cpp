#include "search/timing.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace whet {
namespace {

constexpr int64_t kMaxCallsPerSample = 1 << 20;
constexpr int64_t kGlanceNs = 1'000'000;   // a slow moment lasts longer than three short samples
constexpr double kContender = 1.15;        // times the best known: worth a closer look
constexpr double kHardlyAContender = 1.3;  // more than that: noise does not explain it

// Nanoseconds of `calls` runs.
int64_t Duration(const std::function<void()>& run, int64_t calls, const Clock& clock) {
  const int64_t start_ns = clock.MonotonicNs();
  for (int64_t i = 0; i < calls; ++i) run();
  return clock.MonotonicNs() - start_ns;
}

// Nanoseconds a run of `calls` runs that took `duration_ns`; a clock too coarse must not make a
// kernel free.
int64_t PerRun(int64_t duration_ns, int64_t calls) {
  return std::max<int64_t>(1, (duration_ns + calls / 2) / calls);
}

// How the samples of a run of TimeKernel or TimeInterleaved are taken.
struct Sampling {
  const Clock& clock;
  const TimingOptions& options;
  const std::function<void()>& empty_caches;
  bool cold() const { return options.cache == CacheMode::kCold; }
};

void AddSample(const std::function<void()>& run, const Sampling& sampling, Timing* timing) {
  if (sampling.cold()) sampling.empty_caches();
  const int64_t calls = timing->calls_per_sample;
  timing->samples_ns.push_back(PerRun(Duration(run, calls, sampling.clock), calls));
}

// Takes the first sample. With warm caches: warms them and the thread pool up first, and finds how
// many calls fill a sample.
void Begin(const std::function<void()>& run, const Sampling& sampling, Timing* timing) {
  if (sampling.cold()) return AddSample(run, sampling, timing);
  const Clock& clock = sampling.clock;
  const TimingOptions& options = sampling.options;
  int64_t calls = 1;
  int64_t duration_ns = Duration(run, calls, clock);
  // One that takes longer than the whole cap is not run twice: that it was cold hardly shows.
  if (duration_ns < options.time_cap_ns) duration_ns = Duration(run, calls, clock);
  while (duration_ns < options.min_sample_ns && calls < kMaxCallsPerSample) {
    // Straight to the goal from what was seen, at least double, with 20 % to spare.
    const double wanted = 1.2 * static_cast<double>(options.min_sample_ns) *
                          static_cast<double>(calls) /
                          static_cast<double>(std::max<int64_t>(duration_ns, 1));
    const double most = 16.0 * static_cast<double>(calls);
    calls = std::max(2 * calls, static_cast<int64_t>(std::min(wanted, most)));
    duration_ns = Duration(run, calls, clock);
  }
  timing->calls_per_sample = calls;
  timing->samples_ns.push_back(PerRun(duration_ns, calls));
}

bool IsAccurate(const std::vector<int64_t>& samples, int64_t sampled_ns,
                const TimingOptions& options) {
  if (sampled_ns < options.min_time_ns) return false;
  const auto count = static_cast<int>(samples.size());
  if (options.best_known_ns > 0 && count > 0) {
    const auto fastest_ns = static_cast<double>(*std::min_element(samples.begin(), samples.end()));
    const double slower = fastest_ns / static_cast<double>(options.best_known_ns);
    // Of what will not win, roughly how slow it is is enough.
    if (slower > kHardlyAContender && sampled_ns >= kGlanceNs && 2 * count >= options.min_samples)
      return true;
    if (slower < kContender && sampled_ns < options.min_contender_ns) return false;
  }
  return count >= options.min_samples && MedianAccuracy(samples) <= options.accuracy;
}

bool IsLoser(const std::vector<int64_t>& samples, int64_t sampled_ns,
             const TimingOptions& options) {
  if (options.best_known_ns <= 0 || sampled_ns < kGlanceNs ||
      static_cast<int>(samples.size()) < options.glance_samples)
    return false;
  const int64_t fastest_ns = *std::min_element(samples.begin(), samples.end());
  return static_cast<double>(fastest_ns) >
         options.loser_factor * static_cast<double>(options.best_known_ns);
}

}  // namespace

Json TimingOptions::ToJson() const {
  return Json{{"min_sample_ns", min_sample_ns},
              {"time_cap_ns", time_cap_ns},
              {"accuracy", accuracy},
              {"min_samples", min_samples},
              {"min_time_ns", min_time_ns},
              {"min_contender_ns", min_contender_ns},
              {"max_samples", max_samples},
              {"turn_ns", turn_ns},
              {"glance_samples", glance_samples},
              {"loser_factor", loser_factor},
              {"best_known_ns", best_known_ns},
              {"cache", Name(cache)}};
}

Result<TimingOptions> TimingOptions::FromJson(const Json& json) {
  TimingOptions options;
  ASSIGN_OR_RETURN(options.min_sample_ns, Field<int64_t>(json, "min_sample_ns"));
  ASSIGN_OR_RETURN(options.time_cap_ns, Field<int64_t>(json, "time_cap_ns"));
  ASSIGN_OR_RETURN(options.accuracy, Field<double>(json, "accuracy"));
  ASSIGN_OR_RETURN(options.min_samples, Field<int>(json, "min_samples"));
  ASSIGN_OR_RETURN(options.min_time_ns, Field<int64_t>(json, "min_time_ns"));
  ASSIGN_OR_RETURN(options.min_contender_ns, Field<int64_t>(json, "min_contender_ns"));
  ASSIGN_OR_RETURN(options.max_samples, Field<int>(json, "max_samples"));
  ASSIGN_OR_RETURN(options.turn_ns, Field<int64_t>(json, "turn_ns"));
  ASSIGN_OR_RETURN(options.glance_samples, Field<int>(json, "glance_samples"));
  ASSIGN_OR_RETURN(options.loser_factor, Field<double>(json, "loser_factor"));
  ASSIGN_OR_RETURN(options.best_known_ns, Field<int64_t>(json, "best_known_ns"));
  ASSIGN_OR_RETURN(const auto cache, Field<std::string>(json, "cache"));
  ASSIGN_OR_RETURN(options.cache, ParseCacheMode(cache));
  return options;
}

int64_t Median(std::vector<int64_t> samples) {
  if (samples.empty()) return 0;
  const auto middle = samples.begin() + static_cast<ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

double RelativeDeviation(const std::vector<int64_t>& samples) {
  const int64_t median = Median(samples);
  std::vector<int64_t> deviations;
  deviations.reserve(samples.size());
  for (const int64_t sample : samples) deviations.push_back(std::abs(sample - median));
  return 1.4826 * static_cast<double>(Median(std::move(deviations))) /
         static_cast<double>(std::max<int64_t>(median, 1));
}

double MedianAccuracy(const std::vector<int64_t>& samples) {
  if (samples.size() < 2) return std::numeric_limits<double>::infinity();
  return 1.2533 * RelativeDeviation(samples) / std::sqrt(static_cast<double>(samples.size()));
}

Timing TimeKernel(const std::function<void()>& run, const Clock& clock,
                  const TimingOptions& options, const std::function<void()>& empty_caches) {
  assert(options.cache == CacheMode::kWarm || empty_caches);
  const Sampling sampling{clock, options, empty_caches};
  const int64_t start_ns = clock.MonotonicNs();
  Timing timing;
  Begin(run, sampling, &timing);
  while (static_cast<int>(timing.samples_ns.size()) < options.max_samples) {
    const int64_t sampled_ns = clock.MonotonicNs() - start_ns;
    if (sampled_ns >= options.time_cap_ns || IsLoser(timing.samples_ns, sampled_ns, options) ||
        IsAccurate(timing.samples_ns, sampled_ns, options))
      break;
    AddSample(run, sampling, &timing);
  }
  timing.accuracy = MedianAccuracy(timing.samples_ns);
  return timing;
}

std::vector<Timing> TimeInterleaved(const std::vector<std::function<void()>>& runs,
                                    const Clock& clock, const TimingOptions& options,
                                    const std::function<void()>& empty_caches) {
  assert(options.cache == CacheMode::kWarm || empty_caches);
  const Sampling sampling{clock, options, empty_caches};
  const int64_t start_ns = clock.MonotonicNs();
  const auto kernels = static_cast<int64_t>(runs.size());
  std::vector<Timing> timings(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) Begin(runs[i], sampling, &timings[i]);
  bool accurate = runs.empty();
  bool full = options.max_samples <= 1;
  for (size_t round = 1; !accurate && !full; ++round) {
    if (clock.MonotonicNs() - start_ns >= options.time_cap_ns * kernels) break;
    accurate = true;
    for (size_t i = 0; i < runs.size(); ++i) {
      const size_t kernel = (i + round) % runs.size();
      const int64_t turn_start_ns = clock.MonotonicNs();
      // Brings its own data back into the caches that the one before it used.
      if (!sampling.cold()) runs[kernel]();
      do {
        AddSample(runs[kernel], sampling, &timings[kernel]);
        full |= static_cast<int>(timings[kernel].samples_ns.size()) >= options.max_samples;
      } while (!full && clock.MonotonicNs() - turn_start_ns < options.turn_ns);
      const int64_t sampled_ns = (clock.MonotonicNs() - start_ns) / kernels;
      accurate = accurate && IsAccurate(timings[kernel].samples_ns, sampled_ns, options);
    }
  }
  for (Timing& timing : timings) timing.accuracy = MedianAccuracy(timing.samples_ns);
  return timings;
}

}  // namespace whet
