-- A file that Whet wrote with version 1 of the schema, whose runs say nothing of how they searched.
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1464354132;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
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
INSERT INTO "cost_models" VALUES(1,'xgboost',1,2,1,64,NULL,X'0062696E617279FF','2026-11-21T10:00:00Z');
CREATE TABLE machines (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  json TEXT NOT NULL
);
INSERT INTO "machines" VALUES(1,'8cc2d934162e2ab02bd675eddec8d63b','{"cores":2,"cpu":"Test CPU"}');
CREATE TABLE model_tasks (
  model_id INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
  task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
  uses INTEGER NOT NULL CHECK (uses > 0),
  PRIMARY KEY (model_id, task_id)
) WITHOUT ROWID;
INSERT INTO "model_tasks" VALUES(1,1,2);
INSERT INTO "model_tasks" VALUES(1,2,1);
CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created TEXT NOT NULL
);
INSERT INTO "models" VALUES(1,'f00d','net','2026-11-21T10:00:00Z');
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
  is_final INTEGER NOT NULL CHECK (is_final IN (0, 1)),
  created TEXT NOT NULL,
  CHECK ((status = 'ok') = (samples_ns IS NOT NULL)),
  CHECK ((status = 'ok') = (min_ns IS NOT NULL)),
  CHECK ((status = 'ok') = (median_ns IS NOT NULL))
);
INSERT INTO "records" VALUES(1,1,2,'ok','','tile(matmul)','{"decisions":[{"name":"tile.x","value":[1,4]}],"directives":[{"factor":1,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','668c6c6ed1b5d29d','[900,901,899]',899,900,35.5,2.5e-07,0.75,1,0,'2026-11-21T10:43:00Z');
INSERT INTO "records" VALUES(2,1,2,'wrong_result','element [0, 1] is 0.5 instead of 1.25','tile(matmul)','{"decisions":[{"name":"tile.x","value":[2,4]}],"directives":[{"factor":2,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','82522de19f7f5de6',NULL,NULL,NULL,35.5,0.0,0.75,0,0,'2026-11-21T10:43:01Z');
INSERT INTO "records" VALUES(3,1,2,'ok','','tile(matmul)','{"decisions":[{"name":"tile.x","value":[4,4]}],"directives":[{"factor":4,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','e59e8239b7add5c2','[500,501]',500,500,35.5,2.5e-07,0.75,0,0,'2026-11-21T10:43:02Z');
INSERT INTO "records" VALUES(4,1,2,'ok','','tile(matmul)','{"decisions":[{"name":"tile.x","value":[8,4]}],"directives":[{"factor":8,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','03eb70d4e6fc7fb6','[480,481]',480,480,35.5,2.5e-07,0.75,0,0,'2026-11-21T10:43:03Z');
INSERT INTO "records" VALUES(5,1,2,'ok','','tile(matmul)','{"decisions":[{"name":"tile.x","value":[1,4]}],"directives":[{"factor":1,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','668c6c6ed1b5d29d','[905,906]',905,905,35.5,2.5e-07,0.75,1,1,'2026-11-21T10:43:04Z');
INSERT INTO "records" VALUES(6,1,2,'ok','','tile(matmul)','{"decisions":[{"name":"tile.x","value":[4,4]}],"directives":[{"factor":4,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','e59e8239b7add5c2','[510,511]',510,510,35.5,2.5e-07,0.75,0,1,'2026-11-21T10:43:05Z');
INSERT INTO "records" VALUES(7,1,2,'ok','final comparison: faster than the winner by median, but not in good moments','tile(matmul)','{"decisions":[{"name":"tile.x","value":[8,4]}],"directives":[{"factor":8,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','03eb70d4e6fc7fb6','[490,491]',490,490,35.5,2.5e-07,0.75,0,0,'2026-11-21T10:43:06Z');
INSERT INTO "records" VALUES(8,1,1,'ok','','tile(matmul)','{"decisions":[{"name":"tile.x","value":[1,4]}],"directives":[{"factor":1,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','668c6c6ed1b5d29d','[1900,1901]',1900,1900,35.5,2.5e-07,0.75,1,0,'2026-11-21T10:43:07Z');
INSERT INTO "records" VALUES(9,2,3,'ok','','tile(matmul)','{"decisions":[{"name":"tile.x","value":[1,4]}],"directives":[{"factor":1,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','668c6c6ed1b5d29d','[70]',70,70,35.5,2.5e-07,0.75,1,0,'2026-11-21T10:43:08Z');
INSERT INTO "records" VALUES(10,2,3,'run_timeout','took more than 10 s','tile(matmul)','{"decisions":[{"name":"tile.x","value":[2,4]}],"directives":[{"factor":2,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','82522de19f7f5de6',NULL,NULL,NULL,35.5,NULL,0.75,0,0,'2026-11-21T10:43:09Z');
INSERT INTO "records" VALUES(11,2,NULL,'ok','','tile(matmul)','{"decisions":[{"name":"tile.x","value":[4,4]}],"directives":[{"factor":4,"kind":"split","loop":"x","names":["x_o","x_i"],"stage":"matmul","tail":"guard_with_if"},{"kind":"vectorize","loop":"x_i","stage":"matmul"}],"sketch":"tile(matmul)","version":1}','e59e8239b7add5c2','[60]',60,60,35.5,2.5e-07,0.75,0,0,'2026-11-21T10:43:10Z');
CREATE TABLE targets (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
INSERT INTO "targets" VALUES(1,'x86-64-linux-avx512-2t');
CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  target_id INTEGER NOT NULL REFERENCES targets(id),
  describe TEXT NOT NULL,
  flops REAL NOT NULL,
  json TEXT NOT NULL,
  created TEXT NOT NULL
);
INSERT INTO "tasks" VALUES(1,'f5341bc5fc127c1f55cd449dec12dfe2',1,'MatMul 8x16 16x32',8192.0,'{"inputs":[{"constant":false,"dtype":"f32","name":"i0","shape":[8,16]},{"constant":true,"dtype":"f32","name":"i1","shape":[16,32]}],"nodes":[{"attributes":{},"inputs":["i0","i1"],"op":"MatMul","output":"t0"}],"output":"t0","target":"x86-64-linux-avx512-2t","version":1}','2026-11-21T10:00:00Z');
INSERT INTO "tasks" VALUES(2,'e7d95f09b9ca4ad9d8c7dddda3a59a76',1,'MatMul 8x16 16x64',16384.0,'{"inputs":[{"constant":false,"dtype":"f32","name":"i0","shape":[8,16]},{"constant":true,"dtype":"f32","name":"i1","shape":[16,64]}],"nodes":[{"attributes":{},"inputs":["i0","i1"],"op":"MatMul","output":"t0"}],"output":"t0","target":"x86-64-linux-avx512-2t","version":1}','2026-11-21T10:00:00Z');
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
  seconds REAL
);
INSERT INTO "tuning_runs" VALUES(1,'51aab95bd9c42d2fa8ce0f1409ee624b','whet tune model.onnx --db tuning.db','model','0.1.0',1,1,'18446744073709551600',2,'2026-11-21T10:00:00Z',NULL,NULL,NULL);
INSERT INTO "tuning_runs" VALUES(2,'2e10f7e789ab5251c8125176bca24166','whet tune model.onnx --db tuning.db','model','0.1.0',1,1,'18446744073709551600',2,'2026-11-21T10:00:00Z','2026-11-21T10:00:00Z','done',12.5);
INSERT INTO "tuning_runs" VALUES(3,'a26b7c8aa7b95019fac71cd1f045a4e7','whet tune model.onnx --db tuning.db','model','0.1.0',1,NULL,'18446744073709551600',2,'2026-11-21T10:00:00Z',NULL,NULL,NULL);
CREATE INDEX tasks_by_target ON tasks(target_id);
CREATE INDEX records_by_task ON records(task_id, status, median_ns);
CREATE INDEX records_by_candidate ON records(task_id, directives_hash);
CREATE INDEX records_by_run ON records(run_id);
CREATE INDEX records_final ON records(task_id, created) WHERE is_final = 1;
CREATE VIEW v_best AS
WITH finals AS (
  SELECT task_id, run_id,
         ROW_NUMBER() OVER (PARTITION BY task_id ORDER BY created DESC, id DESC) AS age
  FROM records WHERE is_final = 1 AND status = 'ok'
),
eligible AS (
  SELECT r.*, f.task_id IS NOT NULL AS compared,
         ROW_NUMBER() OVER (PARTITION BY r.task_id ORDER BY r.median_ns, r.min_ns, r.id) AS place,
         MIN(CASE WHEN r.is_default THEN r.median_ns END) OVER (PARTITION BY r.task_id)
           AS compared_default_ns
  FROM records AS r
  LEFT JOIN finals AS f ON f.task_id = r.task_id AND f.age = 1
  WHERE r.status = 'ok' AND (f.task_id IS NULL OR (r.is_final = 1 AND r.run_id IS f.run_id))
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
       w.compared AS compared, w.is_default AS is_default, w.sketch AS sketch, w.created AS created
FROM winners AS w
JOIN tasks AS t ON t.id = w.task_id
JOIN targets AS g ON g.id = t.target_id;
CREATE VIEW v_tasks AS
WITH counts AS (
  SELECT task_id, COUNT(*) AS trials, SUM(status <> 'ok') AS failed
  FROM records WHERE is_final = 0 AND (status <> 'ok' OR message = '') GROUP BY task_id
)
SELECT t.fingerprint AS task, t.describe AS describe, g.name AS target, t.flops AS flops,
       COALESCE(c.trials, 0) AS trials, COALESCE(c.failed, 0) AS failed,
       b.best_ms AS best_ms, b.default_ms AS default_ms, b.speedup AS speedup, b.gflops AS gflops,
       b.record AS best_record, t.created AS created
FROM tasks AS t
JOIN targets AS g ON g.id = t.target_id
LEFT JOIN counts AS c ON c.task_id = t.id
LEFT JOIN v_best AS b ON b.task = t.fingerprint;
CREATE VIEW v_failures AS
SELECT r.id AS record, t.fingerprint AS task, t.describe AS describe, g.name AS target,
       r.run_id AS run, r.status AS status, r.message AS message, r.sketch AS sketch,
       r.is_default AS is_default, r.is_final AS is_final, r.created AS created
FROM records AS r
JOIN tasks AS t ON t.id = r.task_id
JOIN targets AS g ON g.id = t.target_id
WHERE r.status <> 'ok';
CREATE VIEW v_runs AS
WITH counts AS (
  SELECT run_id, SUM(is_final = 0 AND (status <> 'ok' OR message = '')) AS records,
         SUM(is_final = 0 AND status <> 'ok') AS failed,
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
       d.seed AS seed, d.threads AS threads, m.json AS machine
FROM timed AS d
JOIN targets AS g ON g.id = d.target_id
LEFT JOIN machines AS m ON m.id = d.machine_id;
CREATE VIEW v_curve AS
SELECT t.fingerprint AS task, ROW_NUMBER() OVER trials - 1 AS trial, r.id AS record,
       r.run_id AS run, r.status AS status, r.median_ns / 1e6 AS median_ms,
       MIN(r.median_ns) OVER trials / 1e6 AS best_ms
FROM records AS r
JOIN tasks AS t ON t.id = r.task_id
WHERE r.is_final = 0 AND (r.status <> 'ok' OR r.message = '')
WINDOW trials AS (PARTITION BY r.task_id ORDER BY r.created, r.id
                  ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('tuning_runs',3);
INSERT INTO "sqlite_sequence" VALUES('records',11);
INSERT INTO "sqlite_sequence" VALUES('cost_models',1);
COMMIT;
