#include "search/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "schedules/task_label.h"

namespace whet {
namespace {

constexpr int64_t kTerminalIntervalNs = 100'000'000;
constexpr int64_t kLogIntervalNs = 5'000'000'000;
constexpr size_t kLeastLabel = 24;  // columns

std::string FormatDuration(double seconds) {
  const auto s = static_cast<int64_t>(std::ceil(std::max(0.0, seconds)));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

// Time as people read it: three digits that count.
std::string FormatMs(double ms) {
  return ms >= 100  ? fmt::format("{:.0f}", ms)
         : ms >= 10 ? fmt::format("{:.1f}", ms)
         : ms >= 1  ? fmt::format("{:.2f}", ms)
                    : fmt::format("{:.3f}", ms);
}

// The first `columns` characters, not bytes; never half a UTF-8 sequence.
std::string Cut(std::string_view text, int columns) {
  size_t end = 0;
  for (int seen = 0; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (starts && seen++ == columns) break;
  }
  return std::string(text.substr(0, end));
}

class SilentProgress : public Progress {
 public:
  void Update(const ProgressState&) override {}
  void Message(std::string_view) override {}
  void Finish() override {}
};

// What the three talking modes share: when to write.
class TimedProgress : public Progress {
 public:
  TimedProgress(const Clock& clock, ProgressSink sink, int64_t interval_ns)
      : clock_(clock), sink_(std::move(sink)), interval_ns_(interval_ns) {}

  void Update(const ProgressState& state) override {
    last_ = state;
    const int64_t now = clock_.MonotonicNs();
    shown_ = written_ && now - written_ns_ < interval_ns_ ? false : true;
    if (!shown_) return;
    written_ = true;
    written_ns_ = now;
    Show(state);
  }
  void Finish() override {
    if (last_ && !shown_) Show(*last_);
    shown_ = true;
    End();
  }

 protected:
  virtual void Show(const ProgressState& state) = 0;
  virtual void End() {}
  const ProgressSink& sink() const { return sink_; }

 private:
  const Clock& clock_;
  ProgressSink sink_;
  int64_t interval_ns_;
  int64_t written_ns_ = 0;
  bool written_ = false;
  bool shown_ = true;
  std::optional<ProgressState> last_;
};

class TerminalProgress : public TimedProgress {
 public:
  TerminalProgress(const Clock& clock, ProgressSink sink)
      : TimedProgress(clock, std::move(sink), kTerminalIntervalNs) {}
  void Message(std::string_view text) override {
    sink().write(fmt::format("\r\x1b[K{}\n", text));
    open_ = false;
  }

 protected:
  void Show(const ProgressState& state) override {
    // One column stays free: a full line makes some terminals wrap.
    const int width = std::max(20, sink().width() - 1);
    const std::string line = FormatLine(state, static_cast<size_t>(width));
    sink().write(fmt::format("\r\x1b[K{}", Cut(line, width)));
    open_ = true;
  }
  void End() override {
    if (open_) sink().write("\n");
    open_ = false;
  }

 private:
  bool open_ = false;
};

class PlainProgress : public TimedProgress {
 public:
  PlainProgress(const Clock& clock, ProgressSink sink)
      : TimedProgress(clock, std::move(sink), kLogIntervalNs) {}
  void Message(std::string_view text) override { sink().write(fmt::format("{}\n", text)); }

 protected:
  void Show(const ProgressState& state) override { sink().write(FormatLine(state) + "\n"); }
};

class JsonProgress : public TimedProgress {
 public:
  JsonProgress(const Clock& clock, ProgressSink sink)
      : TimedProgress(clock, std::move(sink), kLogIntervalNs) {}
  void Message(std::string_view text) override {
    sink().write(Json{{"schema_version", 1}, {"message", std::string(text)}}.dump() + "\n");
  }

 protected:
  void Show(const ProgressState& state) override { sink().write(ToJson(state).dump() + "\n"); }
};

}  // namespace

Result<ProgressMode> ParseProgressMode(std::string_view name) {
  if (name == "auto") return ProgressMode::kAuto;
  if (name == "tty") return ProgressMode::kTty;
  if (name == "plain") return ProgressMode::kPlain;
  if (name == "json") return ProgressMode::kJson;
  if (name == "none") return ProgressMode::kNone;
  return Fail(ErrorCode::kInvalidInput,
              "there is no progress mode '{}'; there are auto, tty, plain, json and none", name);
}

ProgressSink StandardError() {
  ProgressSink sink;
  sink.write = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  };
  sink.terminal = isatty(STDERR_FILENO) == 1;
  sink.width = [] {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return static_cast<int>(size.ws_col);
  };
  return sink;
}

std::unique_ptr<Progress> MakeProgress(ProgressMode mode, const Clock& clock, ProgressSink sink) {
  if (mode == ProgressMode::kAuto) mode = sink.terminal ? ProgressMode::kTty : ProgressMode::kPlain;
  switch (mode) {
    case ProgressMode::kTty:
      return std::make_unique<TerminalProgress>(clock, std::move(sink));
    case ProgressMode::kJson:
      return std::make_unique<JsonProgress>(clock, std::move(sink));
    case ProgressMode::kNone:
      return std::make_unique<SilentProgress>();
    default:
      return std::make_unique<PlainProgress>(clock, std::move(sink));
  }
}

std::string FormatLine(const ProgressState& state, size_t width) {
  const std::string& label = state.short_label.empty() ? state.label : state.short_label;
  std::string line;
  line += state.finals ? "  finals" : fmt::format("  round {}", state.round);
  line += state.max_trials > 0 ? fmt::format("  {}/{} trials", state.trials, state.max_trials)
                               : fmt::format("  {} trials", state.trials);
  if (state.best_ms > 0) line += fmt::format("  best {} ms", FormatMs(state.best_ms));
  if (state.best_ms > 0 && state.gflops > 0) {
    line += state.gflops >= 10 ? fmt::format(" {:.0f} GFLOP/s", state.gflops)
                               : fmt::format(" {:.2f} GFLOP/s", state.gflops);
    // Whoever does no arithmetic to speak of is not measured by it.
    if (state.peak_share >= 0.005) line += fmt::format(" ({:.0f}% peak)", 100 * state.peak_share);
  }
  if (state.rho) line += fmt::format("  rho {:.2f}", *state.rho);
  if (state.noise) line += fmt::format("  noise {:.1f}%", 100 * *state.noise);
  if (state.failed > 0) line += fmt::format("  failed {}", state.failed);
  if (state.eta_s) line += fmt::format("  eta {}", FormatDuration(*state.eta_s));
  const std::string place = fmt::format("[{}/{}] ", state.task + 1, state.task_count);
  const size_t others = place.size() + line.size();
  const size_t left = width > others ? width - others : 0;
  return place + (width > 0 ? CutMiddle(label, std::max(left, kLeastLabel)) : label) + line;
}

Json ToJson(const ProgressState& state) {
  Json json = {{"schema_version", 1},    {"task", state.task + 1}, {"tasks", state.task_count},
               {"label", state.label},   {"finals", state.finals}, {"round", state.round},
               {"trials", state.trials}, {"failed", state.failed}, {"best_ms", nullptr},
               {"max_trials", nullptr},  {"gflops", nullptr},      {"rho", nullptr},
               {"noise", nullptr},       {"eta_s", nullptr},       {"peak_share", nullptr}};
  if (state.max_trials > 0) json["max_trials"] = state.max_trials;
  if (state.best_ms > 0) json["best_ms"] = state.best_ms;
  if (state.best_ms > 0 && state.gflops > 0) json["gflops"] = state.gflops;
  if (state.peak_share > 0) json["peak_share"] = state.peak_share;
  if (state.rho) json["rho"] = *state.rho;
  if (state.noise) json["noise"] = *state.noise;
  if (state.eta_s) json["eta_s"] = *state.eta_s;
  return json;
}

}  // namespace whet
