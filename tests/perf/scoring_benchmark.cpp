// What one scored candidate costs, step by step: build/tests/perf/scoring_benchmark
#include <benchmark/benchmark.h>

#include "codegen/target.h"
#include "costmodel/cost_model.h"
#include "costmodel/features.h"
#include "schedules/sketch.h"
#include "search/evolutionary_search.h"

namespace whet {
namespace {

constexpr const char* kTasks[] = {
    "Conv(x=1x64x56x56,w=64x64x3x3,pads=1)+Relu", "MatMul(a=512x512,b=512x512)",
    "Conv(x=1x96x56x56,w=96x1x3x3,pads=1,group=96)+Clip(min=0,max=6)"};

SketchSpace SpaceOf(benchmark::State& state) {
  const Target target = Target::Host(2);
  const Task task = ParseTaskSpelling(kTasks[state.range(0)], target.ToString()).value();
  return SketchSpace::Create(task, target.Machine().value()).value();
}

std::vector<Trace> SamplesOf(const SketchSpace& space, size_t count) {
  Rng rng(1);
  std::vector<Trace> traces;
  while (traces.size() < count) {
    traces.push_back(space.Sample(rng));
    if (!space.Nest(traces.back())) traces.pop_back();
  }
  return traces;
}

void BM_Sample(benchmark::State& state) {
  const SketchSpace space = SpaceOf(state);
  Rng rng(1);
  for (auto _ : state) benchmark::DoNotOptimize(space.Sample(rng));
}

void BM_Mutate(benchmark::State& state) {
  const SketchSpace space = SpaceOf(state);
  const std::vector<Trace> traces = SamplesOf(space, 64);
  Rng rng(1);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(space.Mutate(traces[i++ % 64], rng));
}

void BM_DirectivesHash(benchmark::State& state) {
  const SketchSpace space = SpaceOf(state);
  const std::vector<Trace> traces = SamplesOf(space, 64);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(traces[i++ % 64].DirectivesHash());
}

void BM_LoopNest(benchmark::State& state) {
  const SketchSpace space = SpaceOf(state);
  const std::vector<Trace> traces = SamplesOf(space, 64);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(space.Nest(traces[i++ % 64]));
}

void BM_Features(benchmark::State& state) {
  const SketchSpace space = SpaceOf(state);
  const std::vector<Trace> traces = SamplesOf(space, 64);
  std::vector<LoopNest> nests;
  for (const Trace& trace : traces) nests.push_back(space.Nest(trace).value());
  std::vector<float> row(FeatureTable().size());
  size_t i = 0;
  for (auto _ : state) {
    ExtractFeatures(**space.DagFor(traces[i % 64]), nests[i % 64], space.machine(), row);
    benchmark::DoNotOptimize(row.data());
    ++i;
  }
}

// Candidates as a search scores them, on one core: their features, read off the loop nests that
// came about when they were made, and the prediction of the base model and, once something is
// measured, of the run's own trees over it.
void BM_Score(benchmark::State& state) {
  const Target target = Target::Host(2);
  const Task task = ParseTaskSpelling(kTasks[state.range(0)], target.ToString()).value();
  const auto source = MakeSketchSource(task, target.Machine().value()).value();
  const auto width = static_cast<size_t>(source->width());
  constexpr size_t kDrafts = 64, kRows = 512;
  std::vector<Draft> drafts;
  TrainingSet set;
  set.width = source->width();
  std::vector<float> row(width);
  Rng rng(1);
  while (drafts.size() < kDrafts) {
    Draft draft = source->Sample(rng);
    if (!source->Features(draft, row)) continue;
    drafts.push_back(std::move(draft));
    set.features.insert(set.features.end(), row.begin(), row.end());
    set.throughput.push_back(static_cast<float>(rng.Uniform()));
    set.task.push_back(0);
  }
  const auto model = MakeXgboostModel(1, 1, MakeBaseModel(1)).value();
  if (state.range(1) != 0 && !model->Train(set)) return state.SkipWithError("it does not train");
  std::vector<float> rows(kRows * width);
  for (auto _ : state) {
    for (size_t i = 0; i < kRows; ++i)
      source->Features(drafts[i % kDrafts], std::span(rows).subspan(i * width, width));
    benchmark::DoNotOptimize(model->Predict(rows, source->width()));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRows));
}

// Rows a second, of a model trained on 64 random candidates.
void BM_Predict(benchmark::State& state) {
  const SketchSpace space = SpaceOf(state);
  TrainingSet set;
  set.width = static_cast<int64_t>(FeatureTable().size());
  Rng rng(1);
  for (const Trace& trace : SamplesOf(space, 512)) {
    std::vector<float> row(FeatureTable().size());
    ExtractFeatures(**space.DagFor(trace), *space.Nest(trace), space.machine(), row);
    set.features.insert(set.features.end(), row.begin(), row.end());
    set.throughput.push_back(static_cast<float>(rng.Uniform()));
    set.task.push_back(0);
  }
  const auto model = MakeXgboostModel(1, 1).value();
  if (!model->Train(set)) return state.SkipWithError("the model does not train");
  for (auto _ : state) benchmark::DoNotOptimize(model->Predict(set.features, set.width));
  state.SetItemsProcessed(state.iterations() * set.rows());
}

// A whole proposal of the search on one core, without measuring: candidates a second that it makes,
// checks and scores; and `scoring`, those of features and predictions alone, as `whet tune` shows
// it. There, unlike in BM_Score, a candidate is scored right after it is made.
void BM_Propose(benchmark::State& state) {
  const Target target = Target::Host(2);
  const Task task = ParseTaskSpelling(kTasks[state.range(0)], target.ToString()).value();
  const auto source = MakeSketchSource(task, target.Machine().value()).value();
  const auto model = MakeXgboostModel(1, 1, MakeBaseModel(1)).value();
  CandidateSet measured;
  TrainingSet set;
  set.width = source->width();
  Rng rng(1);
  while (measured.size() < 48) {
    Record record;
    Draft draft = source->Sample(rng);
    record.measurement.samples_ns = {1'000'000 + rng.Below(1'000'000)};
    std::vector<float> row(static_cast<size_t>(source->width()));
    if (!source->Features(draft, row)) continue;
    record.trace = std::move(draft.trace);
    measured.Add(record, row);
  }
  measured.AppendTo(set, 0);
  if (!model->Train(set)) return state.SkipWithError("the model does not train");
  EvolutionOptions options;
  options.threads = 1;
  const EvolutionarySearch search(options);
  int64_t scored = 0;
  double scoring_s = 0;
  uint64_t seed = 0;
  for (auto _ : state) {
    const auto batch = search.Propose(*source, measured, {}, *model, 16, ++seed);
    scored += batch->scored;
    scoring_s += batch->scoring_s;
  }
  state.SetItemsProcessed(scored);
  state.counters["scoring"] = static_cast<double>(scored) / scoring_s;
}

BENCHMARK(BM_Propose)->DenseRange(0, 2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Score)->ArgsProduct({{0, 1, 2}, {0, 1}})->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Sample)->DenseRange(0, 2);
BENCHMARK(BM_Mutate)->DenseRange(0, 2);
BENCHMARK(BM_DirectivesHash)->DenseRange(0, 2);
BENCHMARK(BM_LoopNest)->DenseRange(0, 2);
BENCHMARK(BM_Features)->DenseRange(0, 2);
BENCHMARK(BM_Predict)->DenseRange(0, 2);

}  // namespace
}  // namespace whet
