#include "search/tuning_state.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

#include "schedules/operators/operator.h"
#include "schedules/task_label.h"
#include "search/selector.h"

namespace whet {
namespace {

constexpr int64_t kRoundsPerTask = 6;  // a small budget still gets that many, to learn from each
constexpr size_t kSmallestRound = 4;
constexpr double kRoundsWhenTimed = 4;
constexpr int64_t kRoundsUntilStagnant = 3;

}  // namespace

uint64_t TaskState::RoundSeed(uint64_t seed) const {
  const uint64_t name = std::strtoull(fingerprint.substr(0, 16).c_str(), nullptr, 16);
  Rng mixer(seed ^ name);
  return mixer.Next() + 0x9e3779b97f4a7c15ULL * candidates.size();
}

Known TaskState::KnownBeforehand(const TuningOptions& options) const {
  Known known;
  if (guess) known.musts = std::span(&*guess, 1);
  known.hints = hints;
  const int64_t since = candidates.SinceGain(kNoise);
  const auto batch = static_cast<int64_t>(options.batch);
  known.stagnates =
      options.restarts && since >= kRoundsUntilStagnant * batch && since / batch % 2 == 0;
  return known;
}

double TaskState::PeakShare(double gflops, double peak_gflops) const {
  const Result<TensorType> output = task.OutputType();
  const bool single = output && output->dtype == DataType::kFloat32;
  return single && peak_gflops > 0 ? gflops / peak_gflops : 0;
}

std::string GroupOf(const Task& task) {
  if (task.nodes.empty()) return "";
  const TaskNode* node = &task.nodes.front();
  for (const TaskNode& candidate : task.nodes) {
    const OperatorDef* op = FindOperator(candidate.op);
    if (op == nullptr || op->op_class != OperatorClass::kReduction) continue;
    node = &candidate;
    break;
  }
  std::string group = node->op;
  if (node->op != "Conv" || node->inputs.size() < 2) return group;
  for (const TaskInput& input : task.inputs) {
    if (input.name != node->inputs[1] || input.type.shape.size() != 4) continue;
    group += fmt::format(" {}x{}", input.type.shape[2], input.type.shape[3]);
  }
  return node->attributes.Int("group", 1) > 1 ? group + " grouped" : group;
}

std::vector<TaskState> MakeTaskStates(std::span<const TuningTask> tasks) {
  std::vector<TaskState> states;
  std::unordered_map<std::string, size_t> known;
  for (const TuningTask& tuning : tasks) {
    std::string fingerprint = tuning.task.Fingerprint();
    const auto [place, is_new] = known.emplace(fingerprint, states.size());
    if (!is_new) {
      states[place->second].uses += tuning.uses;
      continue;
    }
    TaskState state;
    state.task = tuning.task;
    state.fingerprint = std::move(fingerprint);
    state.spelling = tuning.task.Describe();
    state.label = tuning.label.empty() ? state.spelling : tuning.label;
    state.group = GroupOf(tuning.task);
    state.uses = tuning.uses;
    state.flops = tuning.task.Flops();
    states.push_back(std::move(state));
  }
  std::vector<NamedFingerprint> names;
  for (const TaskState& state : states) names.push_back({state.label, state.fingerprint});
  const std::vector<std::string> labels = TableLabels(names);
  for (size_t i = 0; i < states.size(); ++i) states[i].short_label = labels[i];
  return states;
}

size_t RoundSize(const TuningOptions& options, int64_t trials_left, double affordable,
                 size_t tasks) {
  auto size = static_cast<int64_t>(options.batch);
  const auto smallest = static_cast<int64_t>(std::min(kSmallestRound, options.batch));
  if (options.trials > 0)
    size = std::min(size, std::max(smallest, options.trials / kRoundsPerTask));
  if (affordable >= 0) {
    const double each =
        affordable / (kRoundsWhenTimed * static_cast<double>(std::max<size_t>(1, tasks)));
    size = std::min(size, std::max(smallest, static_cast<int64_t>(each)));
  }
  return static_cast<size_t>(std::max<int64_t>(1, std::min(size, trials_left)));
}

std::vector<const MeasuredCandidate*> Finalists(const TaskState& state, size_t limit) {
  const CandidateSet& candidates = state.candidates;
  if (state.measured == 0 && candidates.has_final()) return {};
  std::vector<const MeasuredCandidate*> finalists;
  for (const MeasuredCandidate& candidate : candidates.all()) {
    if (candidate.is_default && candidate.time_ns > 0) finalists.push_back(&candidate);
  }
  const int64_t default_ns = candidates.default_ns();
  const size_t most = limit + finalists.size();
  const uint64_t guess = state.guess ? state.guess->DirectivesHash() : 0;
  for (const MeasuredCandidate& candidate : candidates.all()) {
    const bool guessed = state.guess && candidate.hash == guess;
    if (guessed && !candidate.is_default && candidate.time_ns > 0 && limit > 0)
      finalists.push_back(&candidate);
  }
  for (const MeasuredCandidate* candidate : candidates.Fastest(candidates.size())) {
    if (finalists.size() >= most) break;
    if (std::find(finalists.begin(), finalists.end(), candidate) != finalists.end()) continue;
    if (default_ns > 0 && GainOver(default_ns, candidate->time_ns) < -kNoise) break;
    finalists.push_back(candidate);
  }
  if (finalists.size() == 1 && finalists.front()->is_default) finalists.clear();
  return finalists;
}

}  // namespace whet
