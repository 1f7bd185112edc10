#include "tuning_db/record.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace whet {
namespace {

struct StatusName {
  MeasureStatus status;
  std::string_view name;
};

constexpr std::array<StatusName, 10> kNames = {{
    {MeasureStatus::kOk, "ok"},
    {MeasureStatus::kCompileError, "compile_error"},
    {MeasureStatus::kCompileTimeout, "compile_timeout"},
    {MeasureStatus::kCompileCrash, "compile_crash"},
    {MeasureStatus::kRunCrash, "run_crash"},
    {MeasureStatus::kRunTimeout, "run_timeout"},
    {MeasureStatus::kOutOfMemory, "out_of_memory"},
    {MeasureStatus::kWrongResult, "wrong_result"},
    {MeasureStatus::kGuardOverrun, "guard_overrun"},
    {MeasureStatus::kWorkerLost, "worker_lost"},
}};

constexpr std::array<std::string_view, 4> kRoleNames = {"trial", "final", "lost_final", "check"};

}  // namespace

std::string_view Name(RecordRole role) { return kRoleNames.at(static_cast<size_t>(role)); }

Result<RecordRole> ParseRecordRole(std::string_view name) {
  const auto found = std::find(kRoleNames.begin(), kRoleNames.end(), name);
  if (found != kRoleNames.end()) return static_cast<RecordRole>(found - kRoleNames.begin());
  return Fail(ErrorCode::kCorrupt,
              "'{}' is no role of a record; trial, final, lost_final, check are",
              name.substr(0, 40));
}

std::string_view Name(MeasureStatus status) {
  for (const StatusName& row : kNames) {
    if (row.status == status) return row.name;
  }
  return "unknown";
}

Result<MeasureStatus> ParseMeasureStatus(std::string_view name) {
  for (const StatusName& row : kNames) {
    if (row.name == name) return row.status;
  }
  return Fail(ErrorCode::kCorrupt, "'{}' is no status of a measurement; 'ok' or a failure class is",
              name.substr(0, 40));
}

bool IsWrong(MeasureStatus status) {
  return status == MeasureStatus::kWrongResult || status == MeasureStatus::kGuardOverrun ||
         status == MeasureStatus::kRunCrash;
}

int64_t Measurement::MinNs() const {
  return samples_ns.empty() ? 0 : *std::min_element(samples_ns.begin(), samples_ns.end());
}

int64_t Measurement::MedianNs() const {
  if (samples_ns.empty()) return 0;
  std::vector<int64_t> sorted = samples_ns;
  const size_t middle = sorted.size() / 2;
  std::nth_element(sorted.begin(), sorted.begin() + middle, sorted.end());
  const int64_t upper = sorted[middle];
  if (sorted.size() % 2 == 1) return upper;
  const int64_t lower = *std::max_element(sorted.begin(), sorted.begin() + middle);
  return lower + (upper - lower) / 2;
}

int64_t Measurement::FastQuarterNs() const {
  if (samples_ns.empty()) return 0;
  std::vector<int64_t> sorted = samples_ns;
  const size_t quarter = std::max<size_t>(1, sorted.size() / 4);
  const auto end = sorted.begin() + static_cast<ptrdiff_t>(quarter);
  std::nth_element(sorted.begin(), end - 1, sorted.end());
  return std::accumulate(sorted.begin(), end, int64_t{0}) / static_cast<int64_t>(quarter);
}

}  // namespace whet
