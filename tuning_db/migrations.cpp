#include "tuning_db/migrations.h"

#include <iterator>

#include "base/fingerprint.h"
#include "base/json.h"
#include "tuning_db/schema.h"

namespace whet {
namespace {

// The first files kept a run's settings as a member of its machine. The machine without it is often
// one that other runs have too.
void TakeSettingsOutOfMachines(SQLite::Database& db) {
  constexpr char kMember[] = "search";
  SQLite::Statement machines(db, "SELECT id, json FROM machines ORDER BY id");
  while (machines.executeStep()) {
    Result<Json> machine = ParseJson(machines.getColumn(1).getString());
    if (!machine || !machine->is_object() || !machine->contains(kMember)) continue;
    const std::string settings = DumpJson((*machine)[kMember]);
    machine->erase(kMember);
    const std::string json = DumpJson(*machine);
    const std::string fingerprint = Fingerprint(json);
    SQLite::Statement insert(
        db, "INSERT INTO machines (fingerprint, json) VALUES (?, ?) ON CONFLICT DO NOTHING");
    insert.bind(1, fingerprint);
    insert.bind(2, json);
    insert.exec();
    SQLite::Statement update(
        db,
        "UPDATE tuning_runs SET settings = COALESCE(settings, ?1), machine_id = "
        "(SELECT id FROM machines WHERE fingerprint = ?2) WHERE machine_id = ?3");
    update.bind(1, settings);
    update.bind(2, fingerprint);
    update.bind(3, machines.getColumn(0).getInt64());
    update.exec();
  }
  db.exec(
      "DELETE FROM machines WHERE id NOT IN "
      "(SELECT machine_id FROM tuning_runs WHERE machine_id IS NOT NULL)");
}

// Version 1 had no roles: what lost a final comparison was an ok record with a message, and a
// finalist that failed looks like any other failure. It did not keep Halide's version, and there
// was one way to check results, which is `fast` now. Files of before runs had settings lack their
// table.
void From1To2(SQLite::Database& db) {
  db.exec(R"sql(
ALTER TABLE tasks ADD COLUMN
  accuracy TEXT NOT NULL DEFAULT 'fast' CHECK (accuracy IN ('strict', 'fast'));

ALTER TABLE records ADD COLUMN
  role TEXT NOT NULL DEFAULT 'trial'
    CHECK (role IN ('trial', 'final', 'lost_final') OR (role = 'check' AND status <> 'ok'));
ALTER TABLE records ADD COLUMN
  accuracy TEXT NOT NULL DEFAULT 'fast' CHECK (accuracy IN ('strict', 'fast'));
UPDATE records SET role = CASE WHEN is_final = 1 THEN 'final' ELSE 'lost_final' END
WHERE is_final = 1 OR (status = 'ok' AND message <> '');
DROP INDEX records_final;
ALTER TABLE records DROP COLUMN is_final;
CREATE INDEX records_final ON records(task_id, created) WHERE role = 'final';
CREATE INDEX records_wrong ON records(task_id, directives_hash)
  WHERE status IN ('wrong_result', 'guard_overrun', 'run_crash');

ALTER TABLE tuning_runs ADD COLUMN halide_version TEXT;
ALTER TABLE tuning_runs ADD COLUMN settings TEXT;
CREATE TABLE IF NOT EXISTS run_settings (run_id INTEGER PRIMARY KEY, json TEXT NOT NULL);
UPDATE tuning_runs SET settings = (SELECT json FROM run_settings WHERE run_id = tuning_runs.id);
DROP TABLE run_settings;
)sql");
  TakeSettingsOutOfMachines(db);
}

using Step = void (*)(SQLite::Database& db);
constexpr Step kSteps[] = {From1To2};  // the step at i: from version i + 1
static_assert(std::size(kSteps) == kSchemaVersion - 1);

}  // namespace

int VersionOf(SQLite::Database& db) { return db.execAndGet("PRAGMA user_version").getInt(); }

void Migrate(SQLite::Database& db) {
  db.exec(DropViewsSql());
  for (int version = VersionOf(db); version < kSchemaVersion; ++version) kSteps[version - 1](db);
  db.exec(ViewsSql());
  db.exec(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
}

}  // namespace whet
