#include "tuning_db/database.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <cmath>

#include "tests/tuning_db/test_database.h"

namespace whet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class TunerDb : public TestDatabase {};

void ExpectEqual(const Record& a, const Record& b) {
  EXPECT_EQ(a.task, b.task);
  EXPECT_EQ(a.run_id, b.run_id);
  EXPECT_EQ(a.trace, b.trace);
  EXPECT_EQ(a.measurement.status, b.measurement.status);
  EXPECT_EQ(a.measurement.message, b.measurement.message);
  EXPECT_EQ(a.measurement.samples_ns, b.measurement.samples_ns);
  EXPECT_EQ(a.measurement.compile_ms, b.measurement.compile_ms);
  EXPECT_EQ(a.measurement.max_error, b.measurement.max_error);
  EXPECT_EQ(a.predicted, b.predicted);
  EXPECT_EQ(a.is_default, b.is_default);
  EXPECT_EQ(a.role, b.role);
  EXPECT_EQ(a.created_utc, b.created_utc);
}

TEST_F(TunerDb, GivesBackEveryFieldOfARecordAfterReopening) {
  const Task task = MakeTask(32);
  Record ok = MakeRecord(task, 8, {300, 100, 200});
  ok.is_default = true;
  Record failure = MakeFailure(task, 16, MeasureStatus::kCompileCrash,
                               "signal 11\nin two lines, with \"quotes\"");
  failure.predicted.reset();
  Record final_record = MakeRecord(task, 32, {1'000'000'007});
  final_record.role = RecordRole::kFinal;
  {
    auto db = Open();
    ASSERT_OK(db->AddTask(task));
    ok.run_id = failure.run_id = final_record.run_id = db->StartRun(MakeRun()).value();
    for (const Record* record : {&ok, &failure, &final_record}) ASSERT_OK(db->AddRecord(*record));
  }
  auto db = Open("tuning.db", Database::Mode::kReadOnly);
  int64_t skipped = -1;
  const auto records = db->Records(task.Fingerprint(), &skipped).value();
  EXPECT_EQ(skipped, 0);
  ASSERT_THAT(records, SizeIs(3));
  ExpectEqual(records[0], ok);
  ExpectEqual(records[1], failure);
  ExpectEqual(records[2], final_record);
  ExpectEqual(db->RecordById(records[1].id).value(), failure);
  EXPECT_EQ(db->TaskByFingerprint(task.Fingerprint().substr(0, 6)).value(), task);
  EXPECT_THAT(db->Check().value(), IsEmpty());
}

TEST_F(TunerDb, FillsInTheTimeOfARecordThatHasNone) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  Record record = MakeRecord(task, 8, {1});
  record.created_utc.clear();
  clock_.now = "2027-01-02T03:04:05Z";
  const int64_t id = db->AddRecord(record).value();
  EXPECT_EQ(db->RecordById(id)->created_utc, "2027-01-02T03:04:05Z");
}

TEST_F(TunerDb, ALaterFinalCountsAlsoWhereTheClockWasSetBack) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  Record first = MakeRecord(task, 8, {20}), second = MakeRecord(task, 16, {10});
  first.role = second.role = RecordRole::kFinal;
  first.created_utc = "2027-01-02T03:04:05Z";
  second.created_utc = "2026-01-02T03:04:05Z";
  ASSERT_OK(db->AddRecord(first));
  const int64_t id = db->AddRecord(second).value();
  EXPECT_EQ((*db->Best(task.Fingerprint()))->id, id);
}

TEST_F(TunerDb, StoresAFailureWithNullTimes) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  Record failure = MakeFailure(task, 16, MeasureStatus::kRunTimeout, "took more than 10 s");
  failure.measurement.samples_ns = {5};  // measured before it failed: no time of a working kernel
  ASSERT_OK(db->AddRecord(failure));
  const auto result =
      db->Query("SELECT status, message, samples_ns, min_ns, median_ns, max_error FROM records")
          .value();
  EXPECT_THAT(result.rows,
              ElementsAre(ElementsAre("run_timeout", "took more than 10 s", std::nullopt,
                                      std::nullopt, std::nullopt, std::nullopt)));
}

TEST_F(TunerDb, KeepsAnErrorThatIsNotANumberAsInfinity) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  Record wrong = MakeFailure(task, 16, MeasureStatus::kWrongResult, "NaN at [0, 0]");
  wrong.measurement.max_error = std::nan("");
  const int64_t id = db->AddRecord(wrong).value();
  EXPECT_TRUE(std::isinf(db->RecordById(id)->measurement.max_error));
}

TEST_F(TunerDb, TakesTheMiddleOfTheSamplesAsMedian) {
  Measurement measured;
  EXPECT_EQ(measured.MedianNs(), 0);
  measured.samples_ns = {30, 10, 20};
  EXPECT_EQ(measured.MedianNs(), 20);
  EXPECT_EQ(measured.MinNs(), 10);
  measured.samples_ns = {40, 10, 20, 31};
  EXPECT_EQ(measured.MedianNs(), 25);
}

TEST_F(TunerDb, AveragesTheFastestQuarterOfTheSamples) {
  Measurement measured;
  EXPECT_EQ(measured.FastQuarterNs(), 0);
  measured.samples_ns = {30, 10, 20};
  EXPECT_EQ(measured.FastQuarterNs(), 10);
  measured.samples_ns = {90, 20, 80, 70, 60, 10, 50, 40, 30};
  EXPECT_EQ(measured.FastQuarterNs(), 15);
}

TEST_F(TunerDb, ReadsBackTheNameOfEveryStatus) {
  for (int i = 0; i <= static_cast<int>(MeasureStatus::kWorkerLost); ++i) {
    const auto status = static_cast<MeasureStatus>(i);
    EXPECT_EQ(ParseMeasureStatus(Name(status)).value(), status);
  }
  EXPECT_FALSE(ParseMeasureStatus("fine"));
}

TEST_F(TunerDb, PrefersTheFastestWorkingRecordByMedian) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  EXPECT_EQ(db->Best(task.Fingerprint()).value(), std::nullopt);
  ASSERT_OK(db->AddRecord(MakeFailure(task, 1, MeasureStatus::kWrongResult, "off by 3")));
  EXPECT_EQ(db->Best(task.Fingerprint()).value(), std::nullopt);
  ASSERT_OK(db->AddRecord(MakeRecord(task, 2, {90, 500, 510})));  // a lucky run does not win
  const int64_t best = db->AddRecord(MakeRecord(task, 4, {100, 110, 400})).value();
  ASSERT_OK(db->AddRecord(MakeRecord(task, 8, {100, 120, 400})));
  EXPECT_EQ(db->Best(task.Fingerprint()).value()->id, best);
}

TEST_F(TunerDb, LetsTheNewestFinalComparisonDecide) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  const auto add = [&](int64_t run, int64_t factor, int64_t ns, RecordRole role,
                       const std::string& created) {
    Record record = MakeRecord(task, factor, {ns});
    record.run_id = run;
    record.role = role;
    record.is_default = factor == 1;
    record.created_utc = created;
    return db->AddRecord(record).value();
  };
  const int64_t first = db->StartRun(MakeRun()).value();
  const int64_t second = db->StartRun(MakeRun()).value();
  add(first, 1, 900, RecordRole::kTrial, "2026-11-21T10:00:00Z");
  add(first, 2, 100, RecordRole::kTrial, "2026-11-21T10:00:01Z");
  add(first, 2, 300, RecordRole::kFinal, "2026-11-21T10:00:02Z");
  const int64_t decided = add(second, 4, 500, RecordRole::kFinal, "2026-11-21T11:00:00Z");
  add(second, 1, 800, RecordRole::kFinal, "2026-11-21T11:00:00Z");
  Record failed = MakeFailure(task, 8, MeasureStatus::kWorkerLost, "lost");
  failed.run_id = second;
  failed.role = RecordRole::kFinal;
  failed.created_utc = "2026-11-21T12:00:00Z";
  ASSERT_OK(db->AddRecord(failed));
  // Compared, and lost with a lower median than the winner's: neither a trial nor the best.
  Record lost = MakeRecord(task, 2, {400});
  lost.run_id = second;
  lost.role = RecordRole::kLostFinal;
  lost.measurement.message = "final comparison: lost";
  lost.created_utc = "2026-11-21T11:00:00Z";
  ASSERT_OK(db->AddRecord(lost));

  EXPECT_EQ(db->Best(task.Fingerprint()).value()->id, decided);
  // The view says the same, and compares with the default of that comparison.
  const auto row =
      db->Query("SELECT record, best_ms, default_ms, speedup, compared FROM v_best").value();
  EXPECT_THAT(row.rows,
              ElementsAre(ElementsAre(std::to_string(decided), "0.0005", "0.0008", "1.6", "1")));
  const auto tasks = db->Tasks().value();
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_EQ(tasks[0].best_record, decided);
  EXPECT_EQ(tasks[0].trials, 2);
  EXPECT_EQ(tasks[0].failed, 0);
  EXPECT_EQ(db->Query("SELECT SUM(records) FROM v_runs").value().rows[0][0], "2");
  EXPECT_EQ(db->Query("SELECT COUNT(*) FROM v_curve").value().rows[0][0], "2");
  EXPECT_DOUBLE_EQ(tasks[0].gflops, task.Flops() / 500);
}

TEST_F(TunerDb, LetsNoRecordWinWhoseDirectivesAnotherFoundWrong) {
  auto db = Open();
  const Task task = MakeTask(32), other = MakeTask(64);
  const std::string fingerprint = task.Fingerprint();
  for (const Task& t : {task, other}) ASSERT_OK(db->AddTask(t));
  const int64_t run = db->StartRun(MakeRun()).value();
  const auto add = [&](Record record, RecordRole role) {
    record.run_id = run;
    record.role = role;
    return db->AddRecord(record).value();
  };
  const int64_t slow = add(MakeRecord(task, 1, {900}), RecordRole::kTrial);
  const int64_t trial = add(MakeRecord(task, 2, {300}), RecordRole::kTrial);
  const int64_t final_id = add(MakeRecord(task, 4, {100}), RecordRole::kFinal);
  EXPECT_THAT(db->WrongTraces(fingerprint).value(), IsEmpty());
  EXPECT_EQ(db->Best(fingerprint).value()->id, final_id);

  // A machine that was out of memory says nothing of the kernel; nor does another task's record.
  add(MakeFailure(task, 4, MeasureStatus::kOutOfMemory, "no memory"), RecordRole::kTrial);
  add(MakeFailure(other, 4, MeasureStatus::kWrongResult, "off"), RecordRole::kTrial);
  EXPECT_EQ(db->Best(fingerprint).value()->id, final_id);

  add(MakeFailure(task, 4, MeasureStatus::kWrongResult, "off by 3"), RecordRole::kCheck);
  EXPECT_EQ(db->Best(fingerprint).value()->id, trial) << "no sound final is left";
  EXPECT_EQ(db->Query("SELECT record FROM v_best").value().rows[0][0], std::to_string(trial));
  add(MakeFailure(task, 2, MeasureStatus::kGuardOverrun, "over"), RecordRole::kLostFinal);
  EXPECT_EQ(db->Best(fingerprint).value()->id, slow);
  EXPECT_EQ(db->Query("SELECT record FROM v_best").value().rows[0][0], std::to_string(slow));
  EXPECT_THAT(
      db->WrongTraces(fingerprint).value(),
      testing::UnorderedElementsAre(MakeTrace(2).DirectivesHash(), MakeTrace(4).DirectivesHash()));
}

TEST_F(TunerDb, CountsAFailedCheckAsAFailureAndNotAsATrial) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  ASSERT_OK(db->AddRecord(MakeRecord(task, 1, {900})));
  Record check = MakeFailure(task, 2, MeasureStatus::kWrongResult, "off by 3");
  check.role = RecordRole::kCheck;
  EXPECT_EQ(db->RecordById(db->AddRecord(check).value())->role, RecordRole::kCheck);
  EXPECT_EQ(db->Tasks()->at(0).trials, 1);
  EXPECT_EQ(db->Tasks()->at(0).failed, 0);
  EXPECT_THAT(db->Curve(task.Fingerprint()).value(), SizeIs(1));
  EXPECT_EQ(db->Query("SELECT role FROM v_failures").value().rows[0][0], "check");
  EXPECT_THAT(db->Check().value(), IsEmpty());
  // A kernel that passes leaves no record: nothing was measured.
  Record passed = MakeRecord(task, 4, {10});
  passed.role = RecordRole::kCheck;
  EXPECT_EQ(db->AddRecord(passed).error().code, ErrorCode::kInvalidInput);
}

TEST_F(TunerDb, KeepsAStrictTaskApartFromTheFastOneAndSaysWhichIsWhich) {
  auto db = Open();
  const Task fast = MakeTask(32);
  Task strict = fast;
  strict.accuracy = Accuracy::kStrict;
  for (const Task& task : {fast, strict}) ASSERT_OK(db->AddTask(task));
  ASSERT_OK(db->AddRecord(MakeRecord(fast, 1, {10})));
  const int64_t id = db->AddRecord(MakeRecord(strict, 2, {20})).value();
  EXPECT_EQ(db->Best(strict.Fingerprint()).value()->id, id);
  EXPECT_EQ(db->TaskByFingerprint(strict.Fingerprint())->accuracy, Accuracy::kStrict);
  const auto rows = db->Query("SELECT accuracy FROM v_best ORDER BY record").value().rows;
  EXPECT_THAT(rows, ElementsAre(ElementsAre("fast"), ElementsAre("strict")));
  EXPECT_EQ(db->Query("SELECT accuracy FROM records WHERE id = 2")->rows[0][0], "strict");
  EXPECT_EQ(db->Query("SELECT accuracy FROM v_tasks WHERE best_record = 2")->rows[0][0], "strict");
  EXPECT_THAT(db->Check().value(), IsEmpty());
  SQLite::Database(Path(), SQLite::OPEN_READWRITE).exec("UPDATE tasks SET accuracy = 'fast'");
  EXPECT_THAT(db->Check().value(), SizeIs(2)) << "the task's and the record's";
}

TEST_F(TunerDb, TellsTheVersionsThatARecordWasMeasuredWith) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  RunInfo info = MakeRun();
  info.version = "0.3.0";
  info.halide_version = "22.0.1";
  Record record = MakeRecord(task, 1, {900});
  record.run_id = db->StartRun(info).value();
  ASSERT_OK(db->AddRecord(record));
  const Record best = **db->Best(task.Fingerprint());
  EXPECT_EQ(best.whet_version, "0.3.0");
  EXPECT_EQ(best.halide_version, "22.0.1");
  EXPECT_EQ(db->Runs()->at(0).info.halide_version, "22.0.1");
  const auto row = db->Query("SELECT version, halide_version FROM v_best").value();
  EXPECT_THAT(row.rows, ElementsAre(ElementsAre("0.3.0", "22.0.1")));
}

TEST_F(TunerDb, ReadsBackTheNameOfEveryRole) {
  for (int i = 0; i <= static_cast<int>(RecordRole::kCheck); ++i) {
    const auto role = static_cast<RecordRole>(i);
    EXPECT_EQ(ParseRecordRole(Name(role)).value(), role);
  }
  EXPECT_FALSE(ParseRecordRole("winner"));
}

TEST_F(TunerDb, KeepsTheSameTaskOfTwoTargetsApart) {
  auto db = Open();
  const Task here = MakeTask(32), there = MakeTask(32, "x86-64-linux-avx2-4t");
  ASSERT_OK(db->AddTask(here));
  ASSERT_OK(db->AddTask(there));
  ASSERT_OK(db->AddTask(here));
  ASSERT_OK(db->AddRecord(MakeRecord(there, 2, {10})));
  EXPECT_THAT(db->Records(here.Fingerprint()).value(), IsEmpty());
  EXPECT_THAT(db->TasksOfTarget(there.target).value(), ElementsAre(there));
  EXPECT_THAT(db->TasksOfTarget("arm-64-linux-neon-4t").value(), IsEmpty());
  EXPECT_THAT(db->Tasks().value(), SizeIs(2));
}

TEST_F(TunerDb, RefusesARecordOfATaskThatIsNotThere) {
  auto db = Open();
  const auto added = db->AddRecord(MakeRecord(MakeTask(32), 2, {10}));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(added.error().message, HasSubstr("has not been added"));
}

TEST_F(TunerDb, RefusesAWorkingRecordWithoutSamples) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  EXPECT_FALSE(db->AddRecord(MakeRecord(task, 2, {})));
}

TEST_F(TunerDb, NamesTasksByAnyUniquePrefix) {
  auto db = Open();
  const auto none = db->TaskByFingerprint("abc");
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  ASSERT_OK(db->AddTask(MakeTask(1)));
  EXPECT_TRUE(db->TaskByFingerprint(""));
  ASSERT_OK(db->AddTask(MakeTask(2)));
  const auto several = db->TaskByFingerprint("");
  EXPECT_EQ(several.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(several.error().message, HasSubstr("several tasks"));
}

TEST_F(TunerDb, RemembersRunsWithTheirMachine) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  const int64_t done = db->StartRun(MakeRun()).value();
  const int64_t killed = db->StartRun(MakeRun()).value();
  for (int64_t run : {done, killed}) {
    for (int factor = 1; factor <= 4; ++factor) {
      Record record = MakeRecord(task, factor, {10});
      record.run_id = run;
      record.created_utc = "2026-11-21T10:00:08Z";
      ASSERT_OK(db->AddRecord(record));
    }
  }
  ASSERT_OK(db->FinishRun(done, "done", 2.0));
  const auto runs = db->Runs().value();
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].info.command, MakeRun().command);
  EXPECT_EQ(runs[0].info.seed, MakeRun().seed);
  EXPECT_EQ(runs[0].info.machine, MakeRun().machine);
  EXPECT_EQ(runs[0].outcome, "done");
  EXPECT_EQ(runs[0].seconds, 2.0);
  EXPECT_EQ(runs[0].records, 4);
  EXPECT_NE(runs[0].uid, runs[1].uid);
  EXPECT_EQ(runs[1].outcome, "");
  EXPECT_NEAR(runs[1].seconds, 8.0, 1e-3);  // until its last record
  EXPECT_EQ(db->FinishRun(99, "done", 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(db->RunById(99).error().code, ErrorCode::kNotFound);
}

TEST_F(TunerDb, ReplacesAModelsTasksOfOneTargetAndKeepsTheOthers) {
  auto db = Open();
  const Task a = MakeTask(1), b = MakeTask(2), c = MakeTask(3, "x86-64-linux-avx2-4t");
  for (const Task& task : {a, b, c}) ASSERT_OK(db->AddTask(task));
  ASSERT_OK(db->AddModel("f00d", "net", {{a.Fingerprint(), 2}}));
  ASSERT_OK(db->AddModel("f00d", "net", {{c.Fingerprint(), 5}}));
  ASSERT_OK(db->AddModel("f00d", "net", {{b.Fingerprint(), 3}}));
  ASSERT_OK(db->AddModel("f00d", "net", {{b.Fingerprint(), 3}}));
  EXPECT_THAT(db->FindModel("net")->task_uses,
              ElementsAre(std::pair(b.Fingerprint(), 3), std::pair(c.Fingerprint(), 5)));
  EXPECT_EQ(db->FindModel("f0")->name, "net");
  EXPECT_THAT(db->FindModel("other").error().message, HasSubstr("it has 'net'"));
  // A model that names an unknown task leaves no trace.
  EXPECT_FALSE(db->AddModel("beef", "bad", {{"0123", 1}}));
  EXPECT_THAT(db->Models().value(), SizeIs(1));
}

TEST_F(TunerDb, DrawsTheCurveFromTrialsInOrderOfTime) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  const auto add = [&](Record record, const char* created) {
    record.created_utc = created;
    ASSERT_OK(db->AddRecord(record));
  };
  add(MakeRecord(task, 4, {5'000'000}), "2026-11-21T10:00:03Z");
  add(MakeRecord(task, 1, {9'000'000}), "2026-11-21T10:00:01Z");
  add(MakeFailure(task, 2, MeasureStatus::kRunCrash, "signal 11"), "2026-11-21T10:00:02Z");
  add(MakeRecord(task, 8, {7'000'000}), "2026-11-21T10:00:04Z");
  Record final_record = MakeRecord(task, 4, {1'000'000});
  final_record.role = RecordRole::kFinal;
  add(final_record, "2026-11-21T10:00:05Z");
  const auto curve = db->Curve(task.Fingerprint()).value();
  ASSERT_THAT(curve, SizeIs(4));
  std::vector<double> medians, bests;
  for (size_t i = 0; i < curve.size(); ++i) {
    EXPECT_EQ(curve[i].trial, static_cast<int64_t>(i));
    medians.push_back(curve[i].median_ms);
    bests.push_back(curve[i].best_ms);
  }
  EXPECT_THAT(medians, ElementsAre(9, 0, 5, 7));
  EXPECT_THAT(bests, ElementsAre(9, 9, 5, 5));
  EXPECT_EQ(curve[1].status, MeasureStatus::kRunCrash);
}

TEST_F(TunerDb, CountsWhatFailedAndWhereTimeWent) {
  auto db = Open();
  const Task task = MakeTask(32);
  ASSERT_OK(db->AddTask(task));
  ASSERT_OK(db->AddRecord(MakeRecord(task, 1, {1'000'000'000, 500'000'000})));
  ASSERT_OK(db->AddRecord(MakeFailure(task, 2, MeasureStatus::kRunCrash, "old")));
  ASSERT_OK(db->AddRecord(MakeFailure(task, 3, MeasureStatus::kRunCrash, "new")));
  ASSERT_OK(db->AddRecord(MakeFailure(task, 4, MeasureStatus::kCompileError, "no")));
  const auto totals = db->Totals().value();
  EXPECT_EQ(totals.records, 4);
  EXPECT_EQ(totals.ok, 1);
  EXPECT_EQ(totals.failed, 3);
  EXPECT_NEAR(totals.timed_seconds, 1.5, 1e-9);
  EXPECT_NEAR(totals.compile_seconds, 4 * 0.0355, 1e-9);
  ASSERT_THAT(totals.failures, SizeIs(2));
  EXPECT_EQ(totals.failures[0].status, "run_crash");
  EXPECT_EQ(totals.failures[0].count, 2);
  EXPECT_EQ(totals.failures[0].example, "new");
}

TEST_F(TunerDb, KeepsTheNewestCostModelOfATarget) {
  auto db = Open();
  EXPECT_EQ(db->LatestCostModel("t").error().code, ErrorCode::kNotFound);
  CostModelRow model{.name = "xgboost", .target = "t", .feature_version = 1, .training_rows = 64};
  model.data = std::string("\0binary\xff", 8);
  ASSERT_OK(db->AddCostModel(model));
  model.training_rows = 128;
  model.spearman_rho = 0.9;
  ASSERT_OK(db->AddCostModel(model));
  const auto latest = db->LatestCostModel("t").value();
  EXPECT_EQ(latest.training_rows, 128);
  EXPECT_EQ(latest.spearman_rho, 0.9);
  EXPECT_EQ(latest.data, model.data);
}

TEST_F(TunerDb, UndoesEverythingOfATransactionThatFails) {
  auto db = Open();
  const Task task = MakeTask(32);
  const Status status = db->InTransaction([&]() -> Status {
    RETURN_IF_ERROR(db->AddTask(task));
    return Fail(ErrorCode::kFailed, "stopped");
  });
  EXPECT_EQ(status.error().message, "stopped");
  EXPECT_THAT(db->Tasks().value(), IsEmpty());
  ASSERT_OK(db->InTransaction([&] { return db->AddTask(task); }));
  EXPECT_THAT(db->Tasks().value(), SizeIs(1));
}

}  // namespace
}  // namespace whet
