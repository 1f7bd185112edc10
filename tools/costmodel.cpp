// `whet costmodel`: trains the cost model on a database, says how well it ranks, and what it looks
// at.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/table.h"
#include "costmodel/cost_model.h"
#include "costmodel/features.h"
#include "search/candidate_source.h"
#include "tools/session.h"
#include "tools/verbs.h"

namespace whet {
namespace {

struct CostModelOptions {
  std::string database, model, output, json;
  double held_out = 0.3;
  uint64_t seed = 0;
  int top = 20;
};

// Feature rows of a database's measured candidates. Candidates that make no loop nest any more are
// left out.
Result<TrainingSet> ReadTrainingSet(const Database& database, std::vector<std::string>* labels) {
  TrainingSet set;
  set.width = static_cast<int64_t>(FeatureTable().size());
  ASSIGN_OR_RETURN(const std::vector<TaskRow> tasks, database.Tasks());
  std::vector<float> row(FeatureTable().size());
  for (const TaskRow& task : tasks) {
    ASSIGN_OR_RETURN(const Target target, Target::Parse(task.task.target));
    ASSIGN_OR_RETURN(const MachineModel machine, target.Machine());
    auto source = MakeSketchSource(task.task, machine);
    if (!source || task.best_ms <= 0) continue;
    ASSIGN_OR_RETURN(const std::vector<Record> records, database.Records(task.fingerprint));
    int64_t best_ns = 0;
    for (const Record& record : records)
      if (record.measurement.ok() && !record.is_final &&
          (best_ns == 0 || record.measurement.MinNs() < best_ns))
        best_ns = record.measurement.MinNs();
    for (const Record& record : records) {
      if (record.is_final || !(*source)->Features(record.trace, row)) continue;
      const int64_t ns = record.measurement.MinNs();
      set.features.insert(set.features.end(), row.begin(), row.end());
      set.throughput.push_back(ns > 0 ? static_cast<float>(best_ns) / static_cast<float>(ns)
                                      : 0.0f);
      set.task.push_back(static_cast<int>(labels->size()));
    }
    labels->push_back(task.describe);
  }
  if (set.rows() == 0)
    return Fail(ErrorCode::kNotFound, "{}: it holds no measured candidates to learn from",
                database.path());
  return set;
}

void Append(const TrainingSet& from, int64_t row, TrainingSet* to) {
  const auto begin = from.features.begin() + row * from.width;
  to->features.insert(to->features.end(), begin, begin + from.width);
  to->throughput.push_back(from.throughput[row]);
  to->task.push_back(from.task[row]);
}

// A part of each task's candidates, drawn by the seed, is kept from the training.
std::pair<TrainingSet, TrainingSet> Split(const TrainingSet& set, double held_out, uint64_t seed) {
  TrainingSet train, test;
  train.width = test.width = set.width;
  Rng rng(seed);
  for (int64_t row = 0; row < set.rows(); ++row)
    Append(set, row, rng.Uniform() < held_out ? &test : &train);
  return {std::move(train), std::move(test)};
}

struct Quality {
  int64_t rows = 0;
  double rho = 0, pairwise = 0, peak1 = 0, peak5 = 0;
};

// `peak1`, `peak5`: throughput of the best among the model's first one and five, over the best
// there is.
Quality Judge(const std::vector<float>& scores, const std::vector<float>& throughput) {
  Quality quality;
  quality.rows = static_cast<int64_t>(scores.size());
  quality.rho = SpearmanRho(scores, throughput);
  quality.pairwise = PairwiseAccuracy(scores, throughput);
  std::vector<size_t> order(scores.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  const float best = *std::max_element(throughput.begin(), throughput.end());
  float found = 0;
  for (size_t i = 0; i < order.size() && i < 5; ++i) {
    found = std::max(found, throughput[order[i]]);
    if (i == 0) quality.peak1 = found / best;
  }
  quality.peak5 = found / best;
  return quality;
}

Result<int> Eval(const CostModelOptions& options) {
  ASSIGN_OR_RETURN(const auto database,
                   Database::Open(options.database, Database::Mode::kReadOnly));
  std::vector<std::string> labels;
  ASSIGN_OR_RETURN(const TrainingSet all, ReadTrainingSet(*database, &labels));
  std::unique_ptr<CostModel> model;
  TrainingSet train, test;
  if (options.model.empty()) {
    std::tie(train, test) = Split(all, options.held_out, options.seed);
    ASSIGN_OR_RETURN(model, MakeXgboostModel(options.seed, AllowedCpuCount()));
    RETURN_IF_ERROR(model->Train(train));
  } else {
    test = all;
    ASSIGN_OR_RETURN(model, LoadXgboostModel(options.model, AllowedCpuCount()));
  }
  ASSIGN_OR_RETURN(const std::vector<float> scores, model->Predict(test.features, test.width));
  Table table({"task", "candidates", "rho", "pairwise", "peak@1", "peak@5"});
  Json rows = Json::array();
  Quality mean;
  int judged = 0;
  for (size_t t = 0; t < labels.size(); ++t) {
    std::vector<float> score, throughput;
    for (int64_t row = 0; row < test.rows(); ++row) {
      if (test.task[row] != static_cast<int>(t)) continue;
      score.push_back(scores[row]);
      throughput.push_back(test.throughput[row]);
    }
    if (score.size() < 2 || *std::max_element(throughput.begin(), throughput.end()) <= 0) continue;
    const Quality quality = Judge(score, throughput);
    table.AddRow({labels[t], std::to_string(quality.rows), fmt::format("{:.3f}", quality.rho),
                  fmt::format("{:.3f}", quality.pairwise), fmt::format("{:.3f}", quality.peak1),
                  fmt::format("{:.3f}", quality.peak5)});
    rows.push_back({{"task", labels[t]},
                    {"candidates", quality.rows},
                    {"rho", quality.rho},
                    {"pairwise", quality.pairwise},
                    {"peak_1", quality.peak1},
                    {"peak_5", quality.peak5}});
    mean.rows += quality.rows;
    mean.rho += quality.rho;
    mean.pairwise += quality.pairwise;
    mean.peak1 += quality.peak1;
    mean.peak5 += quality.peak5;
    ++judged;
  }
  if (judged == 0)
    return Fail(ErrorCode::kNotFound, "{}: no task has two candidates to tell apart",
                options.database);
  table.AddRow({"mean", std::to_string(mean.rows), fmt::format("{:.3f}", mean.rho / judged),
                fmt::format("{:.3f}", mean.pairwise / judged),
                fmt::format("{:.3f}", mean.peak1 / judged),
                fmt::format("{:.3f}", mean.peak5 / judged)});
  std::fputs(table.ToString().c_str(), stdout);
  if (options.model.empty())
    std::printf("\ntrained on %lld candidates of these tasks, judged on the %lld others\n",
                static_cast<long long>(train.rows()), static_cast<long long>(test.rows()));
  if (!options.json.empty()) {
    RETURN_IF_ERROR(WriteJson(
        options.json,
        {{"schema_version", 1}, {"context", ReportContext(AllowedCpuCount())}, {"tasks", rows}}));
  }
  return 0;
}

Result<int> Train(const CostModelOptions& options) {
  RETURN_IF_ERROR(CheckWritable(options.output, "--output"));
  ASSIGN_OR_RETURN(const auto database,
                   Database::Open(options.database, Database::Mode::kReadOnly));
  std::vector<std::string> labels;
  ASSIGN_OR_RETURN(const TrainingSet set, ReadTrainingSet(*database, &labels));
  ASSIGN_OR_RETURN(const auto model, MakeXgboostModel(options.seed, AllowedCpuCount()));
  RETURN_IF_ERROR(model->Train(set));
  RETURN_IF_ERROR(SaveModel(*model, options.output));
  std::printf("%s: trained on %lld candidates of %zu tasks\n", options.output.c_str(),
              static_cast<long long>(set.rows()), labels.size());
  return 0;
}

Result<int> Importance(const CostModelOptions& options) {
  ASSIGN_OR_RETURN(const auto model, LoadXgboostModel(options.model, AllowedCpuCount()));
  ASSIGN_OR_RETURN(const auto importance, FeatureImportance(*model));
  Table table({"feature", "share of gain %"});
  Json rows = Json::array();
  for (const auto& [name, share] : importance) {
    if (static_cast<int>(rows.size()) < options.top)
      table.AddRow({name, fmt::format("{:.1f}", 100 * share)});
    rows.push_back({{"feature", name}, {"share", share}});
  }
  std::fputs(table.ToString().c_str(), stdout);
  if (!options.json.empty()) {
    RETURN_IF_ERROR(WriteJson(options.json, {{"schema_version", 1},
                                             {"context", ReportContext(AllowedCpuCount())},
                                             {"features", rows}}));
  }
  return 0;
}

void SetCallback(CLI::App* verb, const std::shared_ptr<CostModelOptions>& options, int* exit_code,
                 Result<int> (*work)(const CostModelOptions&)) {
  verb->callback([options, exit_code, work] {
    const auto result = work(*options);
    *exit_code = result ? *result : Report(result.error());
  });
}

}  // namespace

void RegisterCostModel(CLI::App& app, int* exit_code) {
  CLI::App* verb =
      app.add_subcommand("costmodel", "train the cost model, judge it, ask what it looks at");
  verb->require_subcommand(1);
  verb->footer(
      "Examples:\n"
      "  whet costmodel eval --db tuning.db\n"
      "  whet costmodel train --db tuning.db -o tuning.model\n"
      "  whet costmodel importance tuning.model");
  auto options = std::make_shared<CostModelOptions>();

  CLI::App* eval = verb->add_subcommand("eval", "how well it ranks candidates, task by task");
  eval->add_option("--db", options->database, "tuning database")->type_name("FILE")->required();
  eval->add_option("--model", options->model,
                   "a trained model; without it, one is trained on a part of the database")
      ->type_name("FILE");
  eval->add_option("--held-out", options->held_out, "the part to judge on (default: 0.3)")
      ->check(CLI::Range(0.05, 0.95));
  eval->add_option("--seed", options->seed, "seed of the split (default: 0)");
  eval->add_option("--json", options->json, "also write it as JSON to this file")
      ->type_name("FILE");
  eval->footer(
      "rho: Spearman's rank correlation; pairwise: part of pairs ordered right; peak@k: throughput "
      "of the best of\n"
      "the model's first k, over the best of all.\nExample:\n  whet costmodel eval --db tuning.db");
  SetCallback(eval, options, exit_code, Eval);

  CLI::App* train =
      verb->add_subcommand("train", "train on all that a database holds, and keep the model");
  train->add_option("--db", options->database, "tuning database")->type_name("FILE")->required();
  train->add_option("-o,--output", options->output, "file for the model")
      ->type_name("FILE")
      ->required();
  train->add_option("--seed", options->seed, "seed of the training (default: 0)");
  train->footer("Example:\n  whet costmodel train --db tuning.db -o tuning.model");
  SetCallback(train, options, exit_code, Train);

  CLI::App* importance =
      verb->add_subcommand("importance", "which features a trained model looks at");
  importance->add_option("model", options->model, "a trained model")->type_name("FILE")->required();
  importance->add_option("--top", options->top, "rows to print (default: 20)")
      ->check(CLI::Range(1, 10000));
  importance->add_option("--json", options->json, "also write all of them as JSON to this file")
      ->type_name("FILE");
  importance->footer("Example:\n  whet costmodel importance tuning.model");
  SetCallback(importance, options, exit_code, Importance);
}

}  // namespace whet
