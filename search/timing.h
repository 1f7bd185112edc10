// Timing one kernel: adaptive, on an accuracy criterion, keeping every sample.
//
// With warm caches a sample is the duration of enough calls to fill `min_sample_ns`, divided by
// their number. With cold ones it is one call, after the caches were emptied; the emptying is no
// part of it, but of the time that sampling may take: samples are fewer.
// Sampling ends when the median is known to `accuracy`, at `time_cap_ns`, or after a glance that
// shows a clear loser. Accuracy is the relative standard error of the median, estimated by the
// median absolute deviation:
//   1.2533 * 1.4826 * MAD / (sqrt(n) * median)
// (asymptotic for normal samples; MAD makes it deaf to the few samples that an interrupt hit).
// Neighbouring samples share the machine's mood, so that they agree more than the next ones will:
// samples are taken for `min_time_ns` at least, and of what is nearly the best for longer. Of what
// is not, the accuracy does not matter.
// Thread safety: pure functions of the clock and the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "tuning_db/cache_mode.h"

namespace whet {

struct TimingOptions {
  int64_t min_sample_ns = 20'000;
  int64_t time_cap_ns = 30'000'000;  // of sampling, warm-up included; at least one sample is taken
  double accuracy = 0.01;
  int min_samples = 10;          // before the accuracy counts
  int64_t min_time_ns = 0;       // of sampling, before the accuracy counts
  int64_t min_contender_ns = 0;  // the same, of one that is nearly as fast as the best known
  int max_samples = 1'000;
  int64_t turn_ns = 0;     // of a kernel that is timed among others
  int glance_samples = 3;  // after these and a millisecond a clear loser is dropped
  double loser_factor =
      2.5;  // slower than this times the best known: two threads on one core are 2
  int64_t best_known_ns = 0;  // 0: none
  CacheMode cache = CacheMode::kWarm;

  Json ToJson() const;
  static Result<TimingOptions> FromJson(const Json& json);
};

struct Timing {
  std::vector<int64_t> samples_ns;  // per run
  int64_t calls_per_sample = 1;
  double accuracy = 0;  // reached; infinity with fewer than two samples
};

// Calls `run` (one run of the kernel) as often as it takes. With cold caches it requires
// `empty_caches`, and that the kernel ran before: no call warms it up.
Timing TimeKernel(const std::function<void()>& run, const Clock& clock,
                  const TimingOptions& options, const std::function<void()>& empty_caches = {});

// Times several kernels against each other: in each round every kernel has a turn of `turn_ns`, in
// an order that rotates, until each is known to `accuracy`, one has `max_samples`, or the cap, once
// for every kernel, is used up. A turn begins with a call that is not timed, and has one sample at
// least: with turns of 0 every kernel gives as many samples as the others, but finds in the caches
// little of what it left there. No glance. `empty_caches` as above.
std::vector<Timing> TimeInterleaved(const std::vector<std::function<void()>>& runs,
                                    const Clock& clock, const TimingOptions& options,
                                    const std::function<void()>& empty_caches = {});

// 0 for no samples; the upper middle for an even number.
int64_t Median(std::vector<int64_t> samples);

// How samples scatter, as a part of their median: 1.4826 * MAD / median, the standard deviation
// where they are normal. 0 for no samples.
double RelativeDeviation(const std::vector<int64_t>& samples);

// The formula above.
double MedianAccuracy(const std::vector<int64_t>& samples);

}  // namespace whet
