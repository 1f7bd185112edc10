// What a tuning run tells the person who waits for it.
//
// Told at every measurement, a Progress decides when to write: a terminal gets one line, rewritten
// at most ten times a second; a log a line every five seconds; JSON the same as objects. It is only
// ever called between measurements, so that nothing is written inside a timed section. Thread
// safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"

namespace whet {

enum class ProgressMode : uint8_t { kAuto, kTty, kPlain, kJson, kNone };
Result<ProgressMode> ParseProgressMode(
    std::string_view name);  // "auto", "tty", "plain", "json", "none"

struct ProgressState {
  int task = 0;  // from 0
  int task_count = 1;
  std::string label;        // "Conv 1x64x56x56 64x64x3x3 pads=1": what JSON has
  std::string short_label;  // what a line has; empty: the label
  bool finals = false;      // comparing finalists
  int round = 0;
  int64_t trials = 0;
  int64_t max_trials = 0;       // 0: limited by time alone
  double best_ms = 0;           // 0: none yet
  double gflops = 0;            // of the best; 0: none, or no arithmetic
  double peak_share = 0;        // that these are of the machine's peak; 0: not known
  std::optional<double> rho;    // Spearman's, of the last round's predictions
  std::optional<double> noise;  // how samples of one kernel scatter, a part of their median
  int64_t failed = 0;
  std::optional<double> eta_s;
};

class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Update(const ProgressState& state) = 0;
  // A line that stays.
  virtual void Message(std::string_view text) = 0;
  // Shows the last state and ends its line.
  virtual void Finish() = 0;
};

// Where progress goes to.
struct ProgressSink {
  std::function<void(std::string_view)> write;
  bool terminal = false;
  std::function<int()> width = [] { return 80; };  // columns; asked for before each line
};
ProgressSink StandardError();

// kAuto is kTty on a terminal, kPlain elsewhere. `clock` outlives the Progress.
std::unique_ptr<Progress> MakeProgress(ProgressMode mode, const Clock& clock, ProgressSink sink);

// "[3/12] Conv 1x64x56x56 3x3  round 4  128/512 trials  best 0.471 ms 490 GFLOP/s (98% peak)  rho
// 0.91  failed 4  eta 1:12". Where that takes more than `width` columns, the label is cut in its
// middle, as far as it stays readable; 0: no limit.
std::string FormatLine(const ProgressState& state, size_t width = 0);
Json ToJson(const ProgressState& state);

}  // namespace whet
