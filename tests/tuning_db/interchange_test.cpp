#include "tuning_db/interchange.h"

#include <cmath>
#include <limits>
#include <sstream>

#include "base/rng.h"
#include "tests/tuning_db/test_database.h"

namespace whet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Interchange : public TestDatabase {
 protected:
  // A database with two tasks, a run that finished, a failure and a final comparison.
  std::unique_ptr<Database> Filled(const std::string& name) {
    auto db = Open(name);
    const Task a = MakeTask(32), b = MakeTask(64);
    EXPECT_TRUE(db->AddTask(a) && db->AddTask(b));
    EXPECT_TRUE(db->AddModel("f00d", "net", {{a.Fingerprint(), 2}, {b.Fingerprint(), 1}}));
    const int64_t run = db->StartRun(MakeRun()).value();
    const auto add = [&](Record record, bool is_default, RecordRole role) {
      record.run_id = run;
      record.is_default = is_default;
      record.role = role;
      EXPECT_TRUE(db->AddRecord(record));
    };
    add(MakeRecord(a, 1, {900, 901}), true, RecordRole::kTrial);
    add(MakeFailure(a, 2, MeasureStatus::kWrongResult, "largest difference \xff at [1, 2]"), false,
        RecordRole::kTrial);
    add(MakeRecord(a, 4, {500, 501}), false, RecordRole::kTrial);
    add(MakeRecord(a, 4, {510, 511}), false, RecordRole::kFinal);
    add(MakeRecord(a, 1, {905, 906}), true, RecordRole::kFinal);
    add(MakeRecord(b, 1, {70}), true, RecordRole::kTrial);
    EXPECT_TRUE(db->FinishRun(run, "done", 12.5));
    return db;
  }

  static std::string Export(const Database& db, const ExportFilter& filter = {}) {
    std::ostringstream out;
    const auto counts = ExportRecords(db, filter, out);
    EXPECT_TRUE(counts) << counts.error().message;
    return out.str();
  }

  static Result<ImportCounts> Import(Database& db, const std::string& lines) {
    std::istringstream in(lines);
    return ImportRecords(db, in, "lines.jsonl");
  }

  InterchangeLine Line() const {
    InterchangeLine line{.task = MakeTask(32)};
    line.record = MakeRecord(line.task, 8, {30, 10, 20});
    line.run =
        RunRow{.uid = std::string(32, 'a'), .info = MakeRun(), .started = "2026-11-21T10:00:00Z"};
    return line;
  }
};

TEST_F(Interchange, GivesBackALineThatItWrote) {
  InterchangeLine line = Line();
  line.run->outcome = "done";
  line.run->finished = "2026-11-21T10:05:00Z";
  line.run->seconds = 300;
  const std::string text = FormatInterchangeLine(line);
  EXPECT_THAT(text, testing::Not(HasSubstr("\n")));
  const auto back = ParseInterchangeLine(text);
  ASSERT_OK(back);
  EXPECT_EQ(back->task, line.task);
  EXPECT_EQ(back->record.trace, line.record.trace);
  EXPECT_EQ(back->record.measurement.samples_ns, line.record.measurement.samples_ns);
  EXPECT_EQ(back->record.predicted, line.record.predicted);
  EXPECT_EQ(back->run->info.seed, line.run->info.seed);
  EXPECT_EQ(back->run->info.machine, line.run->info.machine);
  EXPECT_EQ(FormatInterchangeLine(*back), text);
}

TEST_F(Interchange, KeepsAnInfiniteErrorThroughALine) {
  InterchangeLine line = Line();
  line.record.measurement = {.status = MeasureStatus::kWrongResult, .message = "NaN"};
  line.record.measurement.max_error = std::numeric_limits<double>::infinity();
  const auto back = ParseInterchangeLine(FormatInterchangeLine(line));
  ASSERT_OK(back);
  EXPECT_TRUE(std::isinf(back->record.measurement.max_error));
}

TEST_F(Interchange, KeepsRoleSettingsAndVersionsThroughALine) {
  InterchangeLine line = Line();
  line.record.role = RecordRole::kLostFinal;
  line.record.measurement.message = "final comparison: lost";
  line.run->info.settings = {{"trials", 64}, {"cache", "cold"}};
  line.run->info.halide_version = "21.0.0";
  const auto back = ParseInterchangeLine(FormatInterchangeLine(line));
  ASSERT_OK(back);
  EXPECT_EQ(back->record.role, RecordRole::kLostFinal);
  EXPECT_EQ(back->run->info.settings, line.run->info.settings);
  EXPECT_EQ(back->run->info.machine, line.run->info.machine);
  EXPECT_EQ(back->run->info.halide_version, "21.0.0");
}

TEST_F(Interchange, ReadsLinesOfVersion1) {
  Json json = Json::parse(FormatInterchangeLine(Line()));
  json["version"] = 1;
  json.erase("role");
  json["run"]["machine"]["search"] = {{"cache", "cold"}};
  const auto role = [&](bool is_final, const std::string& message) {
    json["is_final"] = is_final;
    json["message"] = message;
    const auto line = ParseInterchangeLine(json.dump());
    EXPECT_TRUE(line) << line.error().message;
    return line->record.role;
  };
  EXPECT_EQ(role(false, ""), RecordRole::kTrial);
  EXPECT_EQ(role(true, ""), RecordRole::kFinal);
  EXPECT_EQ(role(false, "final comparison: lost"), RecordRole::kLostFinal);
  const auto line = ParseInterchangeLine(json.dump());
  ASSERT_OK(line);
  EXPECT_EQ(line->run->info.settings, (Json{{"cache", "cold"}}));
  EXPECT_EQ(line->run->info.machine, MakeRun().machine);
  EXPECT_EQ(line->run->info.halide_version, "");
  json["status"] = "run_crash";
  json["samples_ns"] = Json::array();
  EXPECT_EQ(role(false, "signal 11"), RecordRole::kTrial);
}

TEST_F(Interchange, MakesTheSameDatabaseOfAnExport) {
  auto from = Filled("from.db");
  const std::string lines = Export(*from);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 6);
  auto into = Open("into.db");
  const auto counts = Import(*into, lines);
  ASSERT_OK(counts);
  EXPECT_EQ(counts->added, 6);
  EXPECT_EQ(counts->skipped, 0);
  EXPECT_EQ(Export(*into), lines);
  EXPECT_THAT(into->Check().value(), IsEmpty());
  const std::string task = MakeTask(32).Fingerprint();
  EXPECT_EQ(into->Best(task).value()->measurement.MinNs(),
            510);  // the final comparison still decides
  const auto runs = into->Runs().value();
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].uid, from->Runs()->at(0).uid);
  EXPECT_EQ(runs[0].outcome, "done");
  EXPECT_EQ(runs[0].seconds, 12.5);
}

TEST_F(Interchange, SkipsRecordsThatAreThereAlready) {
  auto from = Filled("from.db");
  auto into = Open("into.db");
  const std::string lines = Export(*from);
  ASSERT_OK(Import(*into, lines));
  const auto again = Import(*into, lines).value();
  EXPECT_EQ(again.added, 0);
  EXPECT_EQ(again.duplicates, 6);
  const auto merged = MergeDatabase(*into, *from).value();
  EXPECT_EQ(merged.added, 0);
  EXPECT_EQ(merged.duplicates, 6);
  EXPECT_EQ(into->Totals()->records, 6);
}

TEST_F(Interchange, MergesModelsAndTasksOfADatabase) {
  auto from = Filled("from.db");
  auto into = Open("into.db");
  const auto merged = MergeDatabase(*into, *from).value();
  EXPECT_EQ(merged.added, 6);
  EXPECT_EQ(into->FindModel("net")->task_uses, from->FindModel("net")->task_uses);
  EXPECT_EQ(into->Tasks()->size(), 2u);
}

TEST_F(Interchange, LearnsThatARunHasFinishedFromALaterCopy) {
  auto into = Open("into.db");
  InterchangeLine line = Line();
  ASSERT_OK(Import(*into, FormatInterchangeLine(line)));
  EXPECT_EQ(into->Runs()->at(0).outcome, "");
  line.record.trace = MakeTrace(16);
  line.run->outcome = "done";
  line.run->finished = "2026-11-21T10:05:00Z";
  line.run->seconds = 300;
  ASSERT_OK(Import(*into, FormatInterchangeLine(line)));
  ASSERT_THAT(into->Runs().value(), SizeIs(1));
  EXPECT_EQ(into->Runs()->at(0).outcome, "done");
}

TEST_F(Interchange, ExportsOneTaskOrTheWinnersOnly) {
  auto from = Filled("from.db");
  const std::string winners = Export(*from, {.best_only = true});
  EXPECT_EQ(std::count(winners.begin(), winners.end(), '\n'), 2);
  const std::string one = Export(*from, {.task = MakeTask(64).Fingerprint()});
  EXPECT_EQ(std::count(one.begin(), one.end(), '\n'), 1);
}

TEST_F(Interchange, SkipsLinesThatDoNotParseAndNamesTheFirst) {
  auto into = Open("into.db");
  const std::string good = FormatInterchangeLine(Line());
  const auto counts =
      Import(*into, good + "\r\n\n{\"half\": \n" + good.substr(0, 100) + "\n").value();
  EXPECT_EQ(counts.added, 1);
  EXPECT_EQ(counts.skipped, 2);
  EXPECT_THAT(counts.first_problem, HasSubstr("line 3: not JSON"));
}

TEST_F(Interchange, RefusesAFileWithoutAnyRecord) {
  auto into = Open("into.db");
  const auto counts = Import(*into, "hello\nworld\n");
  ASSERT_FALSE(counts);
  EXPECT_THAT(counts.error().message, HasSubstr("lines.jsonl: no line of it is a record"));
  EXPECT_EQ(Import(*into, "")->added, 0);
}

TEST_F(Interchange, RefusesALineOfALaterVersion) {
  std::string text = FormatInterchangeLine(Line());
  const std::string version = fmt::format("\"version\":{}}}", kInterchangeVersion);
  ASSERT_TRUE(text.ends_with(version));
  text.replace(text.size() - version.size(), version.size(),
               fmt::format("\"version\":{}}}", kInterchangeVersion + 1));
  const auto line = ParseInterchangeLine(text);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, ErrorCode::kTooNew);
}

TEST_F(Interchange, SaysWhichFieldOfALineIsWrong) {
  const Json good = Json::parse(FormatInterchangeLine(Line()));
  const auto error = [&](const char* pointer, Json value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = std::move(value);
    const auto line = ParseInterchangeLine(json.dump());
    EXPECT_FALSE(line) << pointer;
    return line ? "" : line.error().message;
  };
  EXPECT_THAT(error("/format", "other"), HasSubstr("'format'"));
  EXPECT_THAT(error("/version", 0), HasSubstr("'version'"));
  EXPECT_THAT(error("/version", true), HasSubstr("'version'"));
  EXPECT_THAT(error("/status", "fine"), HasSubstr("'fine'"));
  EXPECT_THAT(error("/samples_ns", Json::array()), HasSubstr("'samples_ns'"));
  EXPECT_THAT(error("/samples_ns", {1, -2}), HasSubstr("'samples_ns'"));
  EXPECT_THAT(error("/samples_ns", {1.5}), HasSubstr("'samples_ns'"));
  EXPECT_THAT(error("/created", "yesterday"), HasSubstr("'created'"));
  EXPECT_THAT(error("/run/uid", "x"), HasSubstr("'uid'"));
  EXPECT_THAT(error("/run/seed", -1), HasSubstr("'seed'"));
  EXPECT_THAT(error("/run/threads", 5'000'000'000), HasSubstr("'threads'"));
  EXPECT_THAT(error("/run/machine", 3), HasSubstr("'machine'"));
  EXPECT_THAT(error("/run/settings", 3), HasSubstr("'settings'"));
  EXPECT_THAT(error("/role", 1), HasSubstr("'role'"));
  EXPECT_THAT(error("/role", "winner"), HasSubstr("'winner'"));
  EXPECT_THAT(error("/role", "check"), HasSubstr("that is ok"));
  EXPECT_THAT(error("/task", 1), testing::Not(IsEmpty()));
  EXPECT_THAT(error("/trace", 1), testing::Not(IsEmpty()));
}

// The same seed gives the same lines: a failure is replayed by the seed that the trace names.
TEST_F(Interchange, ParsesOrRefusesWhateverALineHolds) {
  const std::string good = FormatInterchangeLine(Line());
  auto into = Open("into.db");
  const std::string tokens[] = {"null",    "true",        "-1",
                                "1e999",   "\"\"",        "[]",
                                "{}",      "[[",          "18446744073709551616",
                                "\\u0000", "\"\\ud800\"", "-9223372036854775808",
                                "NaN"};
  int parsed = 0;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    std::string text = good;
    const int64_t edits = 1 + rng.Below(4);
    for (int64_t i = 0; i < edits && !text.empty(); ++i) {
      const int64_t size = static_cast<int64_t>(text.size());
      const int64_t at = rng.Below(size);
      switch (rng.Below(5)) {
        case 0:
          text[at] = static_cast<char>(rng.Next());
          break;
        case 1:
          text.resize(at);
          break;
        case 2:
          text.erase(at, 1 + rng.Below(20));
          break;
        case 3:
          text.insert(at, text.substr(rng.Below(size), rng.Below(30)));
          break;
        default: {
          // A value becomes another: from a colon to the next comma.
          const size_t colon = text.find(':', at);
          const size_t comma = text.find(',', colon == std::string::npos ? at : colon);
          if (colon == std::string::npos || comma == std::string::npos) break;
          text.replace(colon + 1, comma - colon - 1, tokens[rng.Below(std::size(tokens))]);
        }
      }
    }
    const auto line = ParseInterchangeLine(text);
    if (!line) {
      EXPECT_THAT(line.error().message, testing::Not(IsEmpty()));
      continue;
    }
    // What parses can be stored and written again.
    ++parsed;
    EXPECT_TRUE(ParseInterchangeLine(FormatInterchangeLine(*line)));
    if (parsed % 8 == 0) {
      EXPECT_TRUE(into->MergeRecord(line->task, line->record, line->run));
    }
  }
  EXPECT_GT(parsed, 0);
  EXPECT_THAT(into->Check().value(), IsEmpty());
}

}  // namespace
}  // namespace whet
