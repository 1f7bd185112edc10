// A record: one measurement of one candidate, with its provenance.
//
// A failure is a record too: a status and a message, no samples. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

enum class MeasureStatus : uint8_t {
  kOk,
  kCompileError,
  kCompileTimeout,
  kCompileCrash,
  kRunCrash,
  kRunTimeout,
  kOutOfMemory,
  kWrongResult,
  kGuardOverrun,
  kWorkerLost,
};
// "ok", "compile_error", "compile_timeout", "compile_crash", "run_crash", "run_timeout",
// "out_of_memory", "wrong_result", "guard_overrun", "worker_lost"
std::string_view Name(MeasureStatus status);
Result<MeasureStatus> ParseMeasureStatus(std::string_view name);
// The kernel itself is to blame, and not the machine or its load: it computed something wrong,
// wrote outside of its output, or crashed.
bool IsWrong(MeasureStatus status);

// What a record is of: it tells which records compare with each other, and which count as trials.
enum class RecordRole : uint8_t {
  kTrial,      // a candidate's own measurement in a round of the search
  kFinal,      // of a final comparison: measured against the default at the end of a run
  kLostFinal,  // of one too, but failed, or its median says more than its time: no winner
  kCheck,      // found wrong when it was chosen without measuring: never ok
};
std::string_view Name(RecordRole role);  // "trial", "final", "lost_final", "check"
Result<RecordRole> ParseRecordRole(std::string_view name);

struct Measurement {
  MeasureStatus status = MeasureStatus::kOk;
  std::string message;              // empty if ok (a lost final says why)
  std::vector<int64_t> samples_ns;  // one run each; empty if failed
  double compile_ms = 0;
  double max_error = 0;  // largest abs(result - reference) / (1 + abs(reference))
  bool ok() const { return status == MeasureStatus::kOk; }
  int64_t MinNs() const;     // of the samples; 0 if there is none
  int64_t MedianNs() const;  // of an even number: halfway between the middle two, rounded down
  // The mean of the fastest quarter of the samples, of one at least: what compares kernels whose
  // samples alternate, on a machine that is slow for milliseconds at a time. 0 if there is none.
  int64_t FastQuarterNs() const;
};

struct Record {
  int64_t id = 0;      // assigned by the database
  int64_t run_id = 0;  // the tuning run; 0: not known (an imported line without one)
  std::string task;    // fingerprint
  Trace trace;
  Measurement measurement;
  std::optional<double> predicted;  // the cost model's score before measuring; higher is faster
  bool is_default = false;          // the default schedule, trial 0
  RecordRole role = RecordRole::kTrial;
  std::string created_utc;  // "2026-11-21T10:43:25Z"; empty: filled in when it is added
  // Of the run, where the database reads them; empty: not known, as Halide's of earlier files.
  std::string whet_version, halide_version;

  bool is_trial() const { return role == RecordRole::kTrial; }
  bool is_final() const { return role == RecordRole::kFinal; }
};

}  // namespace whet
