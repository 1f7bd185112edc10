#include "tuning_db/schema.h"

namespace whet {

const char* TablesSql() {
  return R"sql(
CREATE TABLE machines (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  json TEXT NOT NULL
);

CREATE TABLE targets (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  target_id INTEGER NOT NULL REFERENCES targets(id),
  describe TEXT NOT NULL,
  flops REAL NOT NULL,
  json TEXT NOT NULL,
  created TEXT NOT NULL,
  accuracy TEXT NOT NULL DEFAULT 'fast' CHECK (accuracy IN ('strict', 'fast'))
);
CREATE INDEX tasks_by_target ON tasks(target_id);

CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created TEXT NOT NULL
);

CREATE TABLE model_tasks (
  model_id INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
  task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
  uses INTEGER NOT NULL CHECK (uses > 0),
  PRIMARY KEY (model_id, task_id)
) WITHOUT ROWID;

CREATE TABLE tuning_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT NOT NULL UNIQUE,
  command TEXT NOT NULL,
  model TEXT NOT NULL,
  version TEXT NOT NULL,
  target_id INTEGER NOT NULL REFERENCES targets(id),
  machine_id INTEGER REFERENCES machines(id),
  seed TEXT NOT NULL,
  threads INTEGER NOT NULL,
  started TEXT NOT NULL,
  finished TEXT,
  outcome TEXT,
  seconds REAL,
  halide_version TEXT,
  settings TEXT
);

CREATE TABLE records (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER NOT NULL REFERENCES tasks(id),
  run_id INTEGER REFERENCES tuning_runs(id),
  status TEXT NOT NULL,
  message TEXT NOT NULL,
  sketch TEXT NOT NULL,
  trace TEXT NOT NULL,
  directives_hash TEXT NOT NULL,
  samples_ns TEXT,
  min_ns INTEGER,
  median_ns INTEGER,
  compile_ms REAL,
  max_error REAL,
  predicted REAL,
  is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  created TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT 'trial'
    CHECK (role IN ('trial', 'final', 'lost_final') OR (role = 'check' AND status <> 'ok')),
  accuracy TEXT NOT NULL DEFAULT 'fast' CHECK (accuracy IN ('strict', 'fast')),
  CHECK ((status = 'ok') = (samples_ns IS NOT NULL)),
  CHECK ((status = 'ok') = (min_ns IS NOT NULL)),
  CHECK ((status = 'ok') = (median_ns IS NOT NULL))
);
CREATE INDEX records_by_task ON records(task_id, status, median_ns);
CREATE INDEX records_by_candidate ON records(task_id, directives_hash);
CREATE INDEX records_by_run ON records(run_id);
CREATE INDEX records_final ON records(task_id, created) WHERE role = 'final';
CREATE INDEX records_wrong ON records(task_id, directives_hash)
  WHERE status IN ('wrong_result', 'guard_overrun', 'run_crash');

CREATE TABLE cost_models (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  target_id INTEGER NOT NULL REFERENCES targets(id),
  run_id INTEGER REFERENCES tuning_runs(id),
  feature_version INTEGER NOT NULL,
  training_rows INTEGER NOT NULL,
  spearman_rho REAL,
  data BLOB NOT NULL,
  created TEXT NOT NULL
);

)sql";
}

const char* ViewsSql() {
  return R"sql(
CREATE VIEW v_best AS
WITH sound AS (
  SELECT * FROM records AS r
  WHERE r.status = 'ok' AND NOT EXISTS (
    SELECT 1 FROM records AS w WHERE w.task_id = r.task_id
    AND w.directives_hash = r.directives_hash
    AND w.status IN ('wrong_result', 'guard_overrun', 'run_crash'))
),
finals AS (
  SELECT task_id, run_id,
         ROW_NUMBER() OVER (PARTITION BY task_id ORDER BY created DESC, id DESC) AS age
  FROM sound WHERE role = 'final'
),
eligible AS (
  SELECT r.*, f.task_id IS NOT NULL AS compared,
         ROW_NUMBER() OVER (PARTITION BY r.task_id ORDER BY r.median_ns, r.min_ns, r.id) AS place,
         MIN(CASE WHEN r.is_default THEN r.median_ns END) OVER (PARTITION BY r.task_id)
           AS compared_default_ns
  FROM sound AS r
  LEFT JOIN finals AS f ON f.task_id = r.task_id AND f.age = 1
  WHERE f.task_id IS NULL OR (r.role = 'final' AND r.run_id IS f.run_id)
),
winners AS (
  SELECT e.*,
         COALESCE(e.compared_default_ns,
                  (SELECT MIN(d.median_ns) FROM records AS d
                   WHERE d.task_id = e.task_id AND d.status = 'ok' AND d.is_default = 1)) AS default_ns
  FROM eligible AS e WHERE e.place = 1
)
SELECT t.fingerprint AS task, t.describe AS describe, g.name AS target,
       w.id AS record, w.run_id AS run,
       w.median_ns / 1e6 AS best_ms, w.min_ns / 1e6 AS min_ms, w.default_ns / 1e6 AS default_ms,
       1.0 * w.default_ns / NULLIF(w.median_ns, 0) AS speedup,
       t.flops / NULLIF(w.median_ns, 0) AS gflops,
       w.compared AS compared, w.is_default AS is_default, w.sketch AS sketch, w.created AS created,
       w.accuracy AS accuracy, n.version AS version, n.halide_version AS halide_version
FROM winners AS w
JOIN tasks AS t ON t.id = w.task_id
JOIN targets AS g ON g.id = t.target_id
LEFT JOIN tuning_runs AS n ON n.id = w.run_id;

CREATE VIEW v_tasks AS
WITH counts AS (
  SELECT task_id, COUNT(*) AS trials, SUM(status <> 'ok') AS failed
  FROM records WHERE role = 'trial' GROUP BY task_id
)
SELECT t.fingerprint AS task, t.describe AS describe, g.name AS target, t.flops AS flops,
       COALESCE(c.trials, 0) AS trials, COALESCE(c.failed, 0) AS failed,
       b.best_ms AS best_ms, b.default_ms AS default_ms, b.speedup AS speedup, b.gflops AS gflops,
       b.record AS best_record, t.created AS created, t.accuracy AS accuracy
FROM tasks AS t
JOIN targets AS g ON g.id = t.target_id
LEFT JOIN counts AS c ON c.task_id = t.id
LEFT JOIN v_best AS b ON b.task = t.fingerprint;

CREATE VIEW v_failures AS
SELECT r.id AS record, t.fingerprint AS task, t.describe AS describe, g.name AS target,
       r.run_id AS run, r.status AS status, r.message AS message, r.sketch AS sketch,
       r.is_default AS is_default, r.role AS role, r.created AS created,
       r.accuracy AS accuracy
FROM records AS r
JOIN tasks AS t ON t.id = r.task_id
JOIN targets AS g ON g.id = t.target_id
WHERE r.status <> 'ok';

CREATE VIEW v_runs AS
WITH counts AS (
  SELECT run_id, SUM(role = 'trial') AS records,
         SUM(role = 'trial' AND status <> 'ok') AS failed,
         COUNT(DISTINCT task_id) AS tasks, MAX(created) AS last
  FROM records WHERE run_id IS NOT NULL GROUP BY run_id
),
timed AS (
  SELECT n.*, COALESCE(c.records, 0) AS records, COALESCE(c.failed, 0) AS failed,
         COALESCE(c.tasks, 0) AS tasks,
         COALESCE(n.seconds, (julianday(c.last) - julianday(n.started)) * 86400.0) AS took
  FROM tuning_runs AS n LEFT JOIN counts AS c ON c.run_id = n.id
)
SELECT d.id AS run, d.uid AS uid, d.started AS started, d.finished AS finished,
       COALESCE(d.outcome, 'unfinished') AS outcome, d.took AS seconds,
       d.tasks AS tasks, d.records AS records, d.failed AS failed,
       d.records / NULLIF(d.took, 0) AS candidates_per_s,
       d.model AS model, d.command AS command, d.version AS version, g.name AS target,
       d.seed AS seed, d.threads AS threads, m.json AS machine,
       d.halide_version AS halide_version, d.settings AS settings
FROM timed AS d
JOIN targets AS g ON g.id = d.target_id
LEFT JOIN machines AS m ON m.id = d.machine_id;

CREATE VIEW v_curve AS
SELECT t.fingerprint AS task, ROW_NUMBER() OVER trials - 1 AS trial, r.id AS record,
       r.run_id AS run, r.status AS status, r.median_ns / 1e6 AS median_ms,
       MIN(r.median_ns) OVER trials / 1e6 AS best_ms
FROM records AS r
JOIN tasks AS t ON t.id = r.task_id
WHERE r.role = 'trial'
WINDOW trials AS (PARTITION BY r.task_id ORDER BY r.created, r.id
                  ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);
)sql";
}

const char* DropViewsSql() {
  return "DROP VIEW IF EXISTS v_curve; DROP VIEW IF EXISTS v_runs; "
         "DROP VIEW IF EXISTS v_failures; DROP VIEW IF EXISTS v_tasks; "
         "DROP VIEW IF EXISTS v_best;";
}

}  // namespace whet
