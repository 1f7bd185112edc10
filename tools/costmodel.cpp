// `whet costmodel`: trains the cost model on a database, says how well it ranks, and what it looks
// at.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "base/cpu.h"
#include "base/file.h"
#include "base/table.h"
#include "costmodel/cost_model.h"
#include "costmodel/features.h"
#include "tools/session.h"
#include "tools/training_rows.h"
#include "tools/verbs.h"

namespace whet {
namespace {

struct CostModelOptions {
  std::string database, model, output, json;
  std::string split;                 // "within", "task"; empty: a model that is trained already
  std::vector<std::string> without;  // groups of features that count as 0
  double held_out = 0.3;
  uint64_t seed = 0;
  int top = 20;
  bool over_base = false;
  TreeOptions trees;
};

struct Quality {
  int64_t rows = 0;
  double rmse = 0, r2 = 0, rho = 0, pairwise = 0, recall = 0, peak1 = 0, peak5 = 0;
};

// The columns of a report: name in the table, in JSON, and where the number is.
struct Column {
  const char* title;
  const char* json;
  double Quality::*value;
};
constexpr Column kColumns[] = {{"RMSE", "rmse_log2", &Quality::rmse},
                               {"R2", "r2", &Quality::r2},
                               {"rho", "rho", &Quality::rho},
                               {"pairwise", "pairwise", &Quality::pairwise},
                               {"recall@30", "recall_30", &Quality::recall},
                               {"peak@1", "peak_1", &Quality::peak1},
                               {"peak@5", "peak_5", &Quality::peak5}};

// Rows by descending value, ties in their order.
std::vector<size_t> Order(const std::vector<float>& values) {
  std::vector<size_t> order(values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] > values[b]; });
  return order;
}

// Of log2 of throughputs that ran, both sides centred on their mean: scores need to compare within
// a task only.
void JudgeResiduals(const std::vector<float>& scores, const std::vector<float>& throughput,
                    Quality* quality) {
  std::vector<std::pair<double, double>> logs;
  double mean_score = 0, mean_truth = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (throughput[i] <= 0) continue;
    logs.emplace_back(std::log2(std::max(1e-9F, scores[i])), std::log2(throughput[i]));
    mean_score += logs.back().first;
    mean_truth += logs.back().second;
  }
  double residual = 0, total = 0;
  const auto count = static_cast<double>(logs.size());
  for (const auto& [score, truth] : logs) {
    const double difference = (score - mean_score / count) - (truth - mean_truth / count);
    residual += difference * difference;
    total += std::pow(truth - mean_truth / count, 2);
  }
  quality->rmse = std::sqrt(residual / std::max(1.0, count));
  quality->r2 = total > 0 ? 1 - residual / total : 0;
}

// `recall`: how many of the 30 fastest (a quarter, where there are fewer than 120) are among as
// many that the model puts first. `peak1`, `peak5`: throughput of the best among the model's first
// one and five, over the best there is.
Quality Judge(const std::vector<float>& scores, const std::vector<float>& throughput) {
  Quality quality;
  quality.rows = static_cast<int64_t>(scores.size());
  JudgeResiduals(scores, throughput, &quality);
  quality.rho = SpearmanRho(scores, throughput);
  quality.pairwise = PairwiseAccuracy(scores, throughput);
  const std::vector<size_t> predicted = Order(scores), measured = Order(throughput);
  const size_t k = std::max<size_t>(1, std::min<size_t>(30, scores.size() / 4));
  const std::set<size_t> first(predicted.begin(), predicted.begin() + static_cast<ptrdiff_t>(k));
  for (size_t i = 0; i < k; ++i) quality.recall += first.contains(measured[i]) ? 1.0 / k : 0.0;
  const float best = throughput[measured[0]];
  float found = 0;
  for (size_t i = 0; i < predicted.size() && i < 5; ++i) {
    found = std::max(found, throughput[predicted[i]]);
    if (i == 0) quality.peak1 = found / best;
  }
  quality.peak5 = found / best;
  return quality;
}

struct TaskScores {
  std::vector<float> score, throughput;
};

Status Score(CostModel& model, const TrainingSet& test, std::vector<TaskScores>* tasks) {
  ASSIGN_OR_RETURN(const std::vector<float> scores, model.Predict(test.features, test.width));
  for (int64_t row = 0; row < test.rows(); ++row) {
    TaskScores& task = (*tasks)[static_cast<size_t>(test.task[row])];
    task.score.push_back(scores[row]);
    task.throughput.push_back(test.throughput[row]);
  }
  return {};
}

Result<std::unique_ptr<CostModel>> ModelToTrain(const CostModelOptions& options) {
  auto base = options.over_base ? MakeBaseModel(AllowedCpuCount()) : nullptr;
  return MakeXgboostModel(options.seed, AllowedCpuCount(), std::move(base), options.trees);
}

// Scores of all candidates that are judged, and how they came about, in a sentence.
Result<std::vector<TaskScores>> ScoreAll(const CostModelOptions& options, const TrainingSet& all,
                                         size_t task_count, std::string* how) {
  std::vector<TaskScores> tasks(task_count);
  if (options.split.empty()) {
    std::shared_ptr<CostModel> model;
    if (options.model.empty()) {
      model = MakeBaseModel(AllowedCpuCount());
    } else {
      ASSIGN_OR_RETURN(model, LoadXgboostModel(options.model, AllowedCpuCount()));
    }
    RETURN_IF_ERROR(Score(*model, all, &tasks));
    *how = options.model.empty() ? "by the base model, untrained on these"
                                 : fmt::format("by {}", options.model);
    return tasks;
  }
  const auto folds = options.split == "task"
                         ? SplitByTask(all, options.held_out, options.seed)
                         : SplitWithinTasks(all, options.held_out, options.seed);
  for (const Fold& fold : folds) {
    ASSIGN_OR_RETURN(const auto model, ModelToTrain(options));
    RETURN_IF_ERROR(model->Train(fold.train));
    RETURN_IF_ERROR(Score(*model, fold.test, &tasks));
  }
  *how = options.split == "task"
             ? fmt::format("each task by a model trained on others, in {} folds", folds.size())
             : fmt::format("trained on {} candidates of these tasks, judged on the {} others",
                           folds[0].train.rows(), folds[0].test.rows());
  return tasks;
}

Result<int> Eval(const CostModelOptions& options) {
  ASSIGN_OR_RETURN(const auto database,
                   Database::Open(options.database, Database::Mode::kReadOnly));
  std::vector<std::string> labels;
  ASSIGN_OR_RETURN(TrainingSet all, ReadTrainingSet(*database, &labels));
  RETURN_IF_ERROR(LeaveOut(options.without, &all));
  std::string how;
  ASSIGN_OR_RETURN(const std::vector<TaskScores> tasks,
                   ScoreAll(options, all, labels.size(), &how));
  std::vector<std::string> titles = {"task", "candidates"};
  for (const Column& column : kColumns) titles.emplace_back(column.title);
  Table table(titles);
  Json rows = Json::array();
  const auto add = [&](const std::string& label, const Quality& quality, Json* json) {
    std::vector<std::string> cells = {label, std::to_string(quality.rows)};
    for (const Column& column : kColumns) {
      cells.push_back(fmt::format("{:.3f}", quality.*column.value));
      (*json)[column.json] = quality.*column.value;
    }
    table.AddRow(cells);
  };
  Quality mean;
  int judged = 0;
  for (size_t t = 0; t < labels.size(); ++t) {
    const TaskScores& task = tasks[t];
    if (task.score.size() < 2 ||
        *std::max_element(task.throughput.begin(), task.throughput.end()) <= 0)
      continue;
    const Quality quality = Judge(task.score, task.throughput);
    rows.push_back({{"task", labels[t]}, {"candidates", quality.rows}});
    add(labels[t], quality, &rows.back());
    mean.rows += quality.rows;
    for (const Column& column : kColumns) mean.*column.value += quality.*column.value;
    ++judged;
  }
  if (judged == 0)
    return Fail(ErrorCode::kNotFound, "{}: no task has two candidates to tell apart",
                options.database);
  for (const Column& column : kColumns) mean.*column.value /= judged;
  Json mean_json = {{"candidates", mean.rows}};
  add("mean", mean, &mean_json);
  std::fputs(table.ToString().c_str(), stdout);
  std::printf("\n%s\n", how.c_str());
  if (!options.json.empty()) {
    RETURN_IF_ERROR(WriteJson(options.json, {{"schema_version", 1},
                                             {"context", ReportContext(AllowedCpuCount())},
                                             {"how", how},
                                             {"mean", mean_json},
                                             {"tasks", rows}}));
  }
  return 0;
}

Result<int> Train(const CostModelOptions& options) {
  RETURN_IF_ERROR(CheckWritable(options.output, "--output"));
  ASSIGN_OR_RETURN(const auto database,
                   Database::Open(options.database, Database::Mode::kReadOnly));
  std::vector<std::string> labels;
  ASSIGN_OR_RETURN(const TrainingSet set, ReadTrainingSet(*database, &labels));
  ASSIGN_OR_RETURN(const auto model, ModelToTrain(options));
  RETURN_IF_ERROR(model->Train(set));
  RETURN_IF_ERROR(SaveModel(*model, options.output));
  std::printf("%s: trained on %lld candidates of %zu tasks\n", options.output.c_str(),
              static_cast<long long>(set.rows()), labels.size());
  return 0;
}

// Comma-separated, a candidate a row: the task, its throughput over the task's best, its features.
Result<int> Rows(const CostModelOptions& options) {
  RETURN_IF_ERROR(CheckWritable(options.output, "--output"));
  ASSIGN_OR_RETURN(const auto database,
                   Database::Open(options.database, Database::Mode::kReadOnly));
  std::vector<std::string> labels;
  ASSIGN_OR_RETURN(const TrainingSet set, ReadTrainingSet(*database, &labels));
  std::string text = "task,throughput";
  for (const FeatureInfo& feature : FeatureTable()) text += "," + feature.name;
  for (int64_t row = 0; row < set.rows(); ++row) {
    text +=
        fmt::format("\n\"{}\",{}", labels[static_cast<size_t>(set.task[row])], set.throughput[row]);
    for (int64_t f = 0; f < set.width; ++f)
      text += fmt::format(",{}", set.features[row * set.width + f]);
  }
  RETURN_IF_ERROR(WriteFileAtomically(options.output, text + "\n"));
  std::printf("%s: %lld candidates of %zu tasks, %lld features each\n", options.output.c_str(),
              static_cast<long long>(set.rows()), labels.size(), static_cast<long long>(set.width));
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

void AddTreeOptions(CLI::App* verb, CostModelOptions* options) {
  verb->add_flag("--ranking", options->trees.ranking,
                 "learn the order of a task's candidates instead of their throughputs");
  verb->add_option("--rounds", options->trees.rounds, "of growing trees (default: 60)")
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
  verb->add_option("--parallel-trees", options->trees.parallel_trees,
                   "trees a round, whose mean counts (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 100));
  verb->add_option("--subsample", options->trees.subsample,
                   "part of the candidates that a tree sees (default: 1)")
      ->type_name("X")
      ->check(CLI::Range(0.05, 1.0));
  verb->add_option("--colsample", options->trees.colsample,
                   "part of the features that a tree sees (default: 0.6)")
      ->type_name("X")
      ->check(CLI::Range(0.05, 1.0));
  verb->add_option("--depth", options->trees.max_depth, "of a tree, at most (default: 6)")
      ->type_name("N")
      ->check(CLI::Range(1, 16));
  verb->add_option("--eta", options->trees.eta, "learning rate (default: 0.2)")
      ->type_name("X")
      ->check(CLI::Range(0.001, 1.0));
  verb->add_option("--min-child-weight", options->trees.min_child_weight,
                   "weight of a leaf's rows, at least (default: 0.5)")
      ->type_name("X")
      ->check(CLI::Range(0.0, 1e6));
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
                   "a trained model (default: the base model that is part of whet)")
      ->type_name("FILE");
  eval->add_option("--split", options->split,
                   "train instead: on a part of each task's candidates (within), or on other tasks "
                   "(task)")
      ->type_name("HOW")
      ->check(CLI::IsMember({"within", "task"}))
      ->excludes("--model");
  eval->add_flag("--over-base", options->over_base,
                 "with --split: trees over the base model, as in a tuning run")
      ->needs("--split");
  eval->add_option("--without", options->without,
                   "with --split: leave groups of features out, to see what they earn: acc, "
                   "memory, output,\nparallel, read, roofline, stages, task, work")
      ->type_name("GROUP...")
      ->needs("--split");
  eval->add_option("--held-out", options->held_out,
                   "with --split: the part to judge on at a time (default: 0.3)")
      ->check(CLI::Range(0.05, 0.95));
  eval->add_option("--seed", options->seed, "seed of the split (default: 0)");
  eval->add_option("--json", options->json, "also write it as JSON to this file")
      ->type_name("FILE");
  eval->footer(
      "RMSE, R2: of log2 of throughput within each task; rho: Spearman's rank correlation; "
      "pairwise: "
      "part of pairs\nordered right; recall@30: part of the 30 fastest among the model's first 30; "
      "peak@k: throughput of the best of\nthe model's first k, over the best of all.\nExamples:\n"
      "  whet costmodel eval --db tuning.db\n"
      "  whet costmodel eval --db tuning.db --split within\n"
      "  whet costmodel eval --db tuning.db --split task --held-out 0.2");
  AddTreeOptions(eval, options.get());
  SetCallback(eval, options, exit_code, Eval);

  CLI::App* train =
      verb->add_subcommand("train", "train on all that a database holds, and keep the model");
  train->add_option("--db", options->database, "tuning database")->type_name("FILE")->required();
  train->add_option("-o,--output", options->output, "file for the model")
      ->type_name("FILE")
      ->required();
  train->add_option("--seed", options->seed, "seed of the training (default: 0)");
  AddTreeOptions(train, options.get());
  train->footer("Example:\n  whet costmodel train --db tuning.db -o tuning.model");
  SetCallback(train, options, exit_code, Train);

  CLI::App* rows = verb->add_subcommand("rows", "the feature rows of a database, as a table");
  rows->add_option("--db", options->database, "tuning database")->type_name("FILE")->required();
  rows->add_option("-o,--output", options->output, "file for the comma-separated values")
      ->type_name("FILE")
      ->required();
  rows->footer(
      "A candidate a row: its task, its throughput over the best of the task (0: it failed), and "
      "the features that the\ncost model sees, in the units of costmodel/feature_list.h.\n"
      "Example:\n  whet costmodel rows --db tuning.db -o rows.csv");
  SetCallback(rows, options, exit_code, Rows);

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
