#include "driver/refusal_log.h"

#include <algorithm>
#include <memory>

#include "tuning_db/database.h"

namespace whet {

Status RecordRefusal(const std::string& path, const RunInfo& info, const RefusedKernel& refused) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open(path));
  Record record;
  record.task = refused.task.Fingerprint();
  record.trace = refused.schedule.trace;
  record.measurement = refused.verdict;
  record.role = RecordRole::kCheck;
  ASSIGN_OR_RETURN(const std::vector<Record> known, database->Records(record.task));
  const auto is_this = [&](const Record& other) {
    return other.measurement.status == record.measurement.status &&
           other.trace.DirectivesHash() == record.trace.DirectivesHash();
  };
  if (std::any_of(known.begin(), known.end(), is_this)) return {};
  return database->InTransaction([&]() -> Status {
    RETURN_IF_ERROR(database->AddTask(refused.task));
    ASSIGN_OR_RETURN(record.run_id, database->StartRun(info));
    RETURN_IF_ERROR(database->AddRecord(record));
    return database->FinishRun(record.run_id, "done", 0);
  });
}

}  // namespace whet
