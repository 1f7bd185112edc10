#include <algorithm>
#include <cmath>
#include <mutex>

#include "schedules/decision_values.h"
#include "schedules/nest_context.h"
#include "schedules/rules/rule.h"
#include "schedules/sketch.h"
#include "schedules/task_dag.h"

namespace whet {
struct SketchSpace::Impl {
  // One algorithm of the task: variable inputs packed by stages, operators by other arithmetic.
  struct Variant {
    AlgorithmOptions options;
    std::unique_ptr<Dag> dag;
    std::unique_ptr<NestContext> context;  // of `dag`
    Roles roles;
  };
  struct Program {
    size_t variant;
    std::vector<std::unique_ptr<SketchStep>> steps;
    size_t directives;  // about as many as most of its traces have
  };

  Task task;
  MachineModel machine;
  std::vector<Variant> variants;
  std::vector<Sketch> sketches;
  std::vector<Program> programs;  // one a sketch
  std::vector<std::string> kinds;
  std::vector<std::vector<size_t>> kind_of;  // by sketch and decision: index into `kinds`
  // DAGs of traces that no sketch here made.
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Variant>> foreign;

  // `blocked`: the stage whose sums are stored and added to in blocks; empty: none.
  Status AddVariant(AlgorithmOptions options, const std::string& blocked = "");
  void Expand(size_t sketch, const std::vector<std::vector<int64_t>>& values, Expansion* out) const;
  Trace MakeTrace(size_t sketch, const std::vector<std::vector<int64_t>>& values,
                  LoopNest* nest = nullptr) const;
  Trace Plain(size_t sketch, Outline outline) const;
  int SketchIndex(const std::string& name) const;
  // The values of a trace's decisions for this sketch, by name, the nearest candidate of each: a
  // trace may come from another task, or from a sketch of this name that had other decisions then.
  std::vector<std::vector<int64_t>> ValuesOf(size_t sketch, const Trace& trace) const;
  // Whether a stage with tiles of its own can slide.
  bool HasSlidingTiles(size_t sketch) const;
  AlgorithmOptions OptionsOf(const std::vector<Directive>& directives) const;
  // Whether the directives choose these options, at the cost of a look at each.
  bool Chooses(const std::vector<Directive>& directives, const AlgorithmOptions& options) const;
  Result<const Variant*> VariantOf(const Trace& trace) const;
  bool IsConstant(const std::string& input) const {
    return std::any_of(task.inputs.begin(), task.inputs.end(), [&](const TaskInput& known) {
      return known.constant && known.name == input;
    });
  }
};

Status SketchSpace::Impl::AddVariant(AlgorithmOptions options, const std::string& blocked) {
  ASSIGN_OR_RETURN(Dag dag, ReadTaskDag(task, options));
  Variant variant;
  variant.options = std::move(options);
  variant.dag = std::make_unique<Dag>(std::move(dag));
  variant.context = std::make_unique<NestContext>(*variant.dag);
  const Dag& d = *variant.dag;
  variant.roles = AssignRoles(d);
  if (!blocked.empty()) AssignBlockedSum(d, blocked, &variant.roles);

  Program program;
  program.variant = variants.size();
  for (size_t s = 0; s < d.stages.size(); ++s) {
    const std::string& name = d.stages[s].name;
    // Copies into other layouts are made to be stored.
    if (name.ends_with("_pack") && d.stages[s].kind == StageKind::kPure)
      variant.roles.of_stage[s] = StageRole::kLocated;
  }
  program.steps.push_back(MakeTilingStep(d, variant.roles, machine));
  for (int s = d.output() - 1; s >= 0; --s) {
    if (variant.roles.of_stage[s] != StageRole::kLocated) continue;
    if (d.stages[s].name == blocked) {
      program.steps.push_back(MakeBlockedSumStep(d, variant.roles, s, machine));
    } else {
      program.steps.push_back(variant.roles.accumulator_of[s] >= 0
                                  ? MakeLocatedTilesStep(d, variant.roles, s, machine)
                                  : MakeLocationStep(d, variant.roles, s, machine));
    }
  }
  for (size_t s = 0; s < d.stages.size(); ++s) {
    if (auto step = MakePackingStep(d, variant.roles, static_cast<int>(s)))
      program.steps.push_back(std::move(step));
  }

  Sketch sketch;
  for (const auto& [node, algorithm] : variant.options.algorithms)
    sketch.name += (sketch.name.empty() ? "" : "+") + algorithm;
  for (const auto& [stage, cut] : variant.options.rfactored)
    sketch.name += (sketch.name.empty() ? "" : "+") + ("rfactor(" + stage + "." + cut.loop + ")");
  for (const auto& step : program.steps) {
    sketch.name += (sketch.name.empty() ? "" : "+") + step->name();
    for (const DecisionSpec& spec : step->decisions()) sketch.decisions.push_back(spec);
  }
  std::vector<size_t>& kinds_here = kind_of.emplace_back();
  for (const DecisionSpec& spec : sketch.decisions) {
    const auto known = std::find(kinds.begin(), kinds.end(), spec.kind);
    kinds_here.push_back(static_cast<size_t>(known - kinds.begin()));
    if (known == kinds.end()) kinds.push_back(spec.kind);
  }
  program.directives = 0;
  sketches.push_back(std::move(sketch));
  programs.push_back(std::move(program));
  variants.push_back(std::move(variant));
  // Thousands of traces live at once: little room more than they need.
  const size_t made = sketches.size() - 1;
  programs[made].directives = Plain(made, Outline::kBlocks).directives.size() * 5 / 4;
  return {};
}

void SketchSpace::Impl::Expand(size_t sketch, const std::vector<std::vector<int64_t>>& values,
                               Expansion* out) const {
  const Program& program = programs[sketch];
  out->directives.reserve(program.directives);
  for (const auto& [node, algorithm] : variants[program.variant].options.algorithms) {
    Directive choice;
    choice.kind = DirectiveKind::kAlgorithm;
    choice.stage = node;
    choice.algorithm = algorithm;
    out->directives.push_back(choice);
  }
  for (const auto& [stage, cut] : variants[program.variant].options.rfactored) {
    Directive rfactor = LoopDirective(DirectiveKind::kRfactor, stage, 0, cut.loop);
    rfactor.names = {cut.outer, cut.inner};
    rfactor.factor = cut.factor;
    rfactor.at = cut.keeps_inner ? cut.inner : cut.outer;
    out->directives.push_back(std::move(rfactor));
  }
  for (const auto& [input, levels] : variants[program.variant].options.packed) {
    Directive pack;
    pack.kind = DirectiveKind::kPack;
    pack.stage = input;
    pack.layout = levels;
    out->directives.push_back(pack);
  }
  size_t next = 0;
  for (const auto& step : program.steps) {
    const size_t count = step->decisions().size();
    step->Expand(DecisionValues(values.data() + next, count), out);
    next += count;
  }
}

Trace SketchSpace::Impl::MakeTrace(size_t sketch, const std::vector<std::vector<int64_t>>& values,
                                   LoopNest* nest) const {
  Trace trace;
  trace.sketch = sketches[sketch].name;
  trace.decisions.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    trace.decisions.push_back({sketches[sketch].decisions[i].name, values[i]});
  NestContext& context = *variants[programs[sketch].variant].context;
  Expansion expansion(context);
  Expand(sketch, values, &expansion);
  if (nest != nullptr)
    *nest = FinishLoopNest(context, std::move(expansion.nest)).value_or(LoopNest());
  trace.directives = std::move(expansion.directives);
  return trace;
}

Trace SketchSpace::Impl::Plain(size_t sketch, Outline outline) const {
  std::vector<std::vector<int64_t>> values;
  for (const auto& step : programs[sketch].steps) {
    const auto plain = step->PlainValues(outline);
    values.insert(values.end(), plain.begin(), plain.end());
  }
  return MakeTrace(sketch, values);
}

int SketchSpace::Impl::SketchIndex(const std::string& name) const {
  for (size_t i = 0; i < sketches.size(); ++i)
    if (sketches[i].name == name) return static_cast<int>(i);
  return -1;
}

std::vector<std::vector<int64_t>> SketchSpace::Impl::ValuesOf(size_t sketch,
                                                              const Trace& trace) const {
  const std::vector<DecisionSpec>& specs = sketches[sketch].decisions;
  std::vector<std::vector<int64_t>> values;
  values.reserve(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    const DecisionSpec& spec = specs[i];
    auto it = trace.decisions.begin() + static_cast<long>(std::min(i, trace.decisions.size()));
    if (it == trace.decisions.end() || it->name != spec.name)
      it = std::find_if(trace.decisions.begin(), trace.decisions.end(),
                        [&](const Decision& d) { return d.name == spec.name; });
    if (it == trace.decisions.end()) {
      values.push_back(spec.candidates[0]);
    } else if (std::find(spec.candidates.begin(), spec.candidates.end(), it->value) !=
               spec.candidates.end()) {
      values.push_back(it->value);
    } else {
      values.push_back(spec.candidates[Nearest(spec.candidates, it->value)]);
    }
  }
  return values;
}

bool SketchSpace::Impl::HasSlidingTiles(size_t sketch) const {
  const std::vector<DecisionSpec>& specs = sketches[sketch].decisions;
  return std::any_of(specs.begin(), specs.end(), [&](const DecisionSpec& slide) {
    return slide.kind == "slide" &&
           std::any_of(specs.begin(), specs.end(), [&](const DecisionSpec& tile) {
             return tile.kind == "register" && "slide" + tile.name.substr(8) == slide.name;
           });
  });
}

AlgorithmOptions SketchSpace::Impl::OptionsOf(const std::vector<Directive>& directives) const {
  AlgorithmOptions options = AlgorithmOptionsOf(directives);
  for (const TaskInput& input : task.inputs)
    if (input.constant) options.packed.erase(input.name);
  return options;
}

bool SketchSpace::Impl::Chooses(const std::vector<Directive>& directives,
                                const AlgorithmOptions& options) const {
  size_t packed = 0, algorithms = 0, rfactored = 0;
  for (const Directive& d : directives) {
    if (d.kind == DirectiveKind::kPack && !IsConstant(d.stage)) {
      const auto it = options.packed.find(d.stage);
      if (++packed; it == options.packed.end() || it->second != d.layout) return false;
    } else if (d.kind == DirectiveKind::kAlgorithm) {
      const auto it = options.algorithms.find(d.stage);
      if (++algorithms; it == options.algorithms.end() || it->second != d.algorithm) return false;
    } else if (d.kind == DirectiveKind::kRfactor) {
      const auto it = options.rfactored.find(d.stage);
      if (++rfactored; it == options.rfactored.end() || !it->second.IsChosenBy(d)) return false;
    }
  }
  return packed == options.packed.size() && algorithms == options.algorithms.size() &&
         rfactored == options.rfactored.size();
}

SketchSpace::SketchSpace(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SketchSpace::SketchSpace(SketchSpace&&) noexcept = default;
SketchSpace& SketchSpace::operator=(SketchSpace&&) noexcept = default;
SketchSpace::~SketchSpace() = default;

Result<SketchSpace> SketchSpace::Create(const Task& task, const MachineModel& machine) {
  auto impl = std::make_unique<Impl>();
  impl->task = task;
  impl->machine = machine;
  RETURN_IF_ERROR(impl->AddVariant({}));
  // A user's pipeline is scheduled as it is: its schedule must be one of its own Funcs and of what
  // Halide makes of them.
  const bool is_pipeline = task.nodes[0].op == "Pipeline";
  const Impl::Variant& plain = impl->variants[0];
  for (const auto& [input, levels] : VariablePanels(*plain.dag, plain.roles, machine)) {
    if (is_pipeline) continue;
    AlgorithmOptions options;
    options.packed[impl->variants[0].dag->stages[input].name] = levels;
    RETURN_IF_ERROR(impl->AddVariant(std::move(options)));
  }
  for (auto& cuts : RfactorsOf(*impl->variants[0].dag, machine)) {
    if (is_pipeline && cuts.size() > 1) continue;  // parts of parts have no name in its C++
    AlgorithmOptions options;
    options.rfactored = std::move(cuts);
    RETURN_IF_ERROR(impl->AddVariant(std::move(options)));
  }
  for (const TaskNode& node : task.nodes) {
    for (const std::string& algorithm : AlternativeAlgorithms(task, node)) {
      AlgorithmOptions options;
      options.algorithms[node.output] = algorithm;
      RETURN_IF_ERROR(impl->AddVariant(std::move(options)));
    }
  }
  for (size_t v = 0, made = impl->variants.size(); v < made && !is_pipeline; ++v) {
    AlgorithmOptions options = impl->variants[v].options;
    if (!options.packed.empty() || !options.rfactored.empty()) continue;
    for (const auto& [stage, cut] :
         BlockedSumsOf(*impl->variants[v].dag, impl->variants[v].roles, machine)) {
      options.rfactored = {{stage, cut}};
      RETURN_IF_ERROR(impl->AddVariant(options, stage));
    }
  }
  return SketchSpace(std::move(impl));
}

const Task& SketchSpace::task() const { return impl_->task; }
const MachineModel& SketchSpace::machine() const { return impl_->machine; }
const std::vector<Sketch>& SketchSpace::sketches() const { return impl_->sketches; }

const std::vector<std::string>& SketchSpace::kinds() const { return impl_->kinds; }

double SketchSpace::Size() const {
  double total = 0;
  for (const Sketch& sketch : impl_->sketches) {
    double size = 1;
    for (const DecisionSpec& spec : sketch.decisions)
      size *= static_cast<double>(spec.candidates.size());
    total += size;
  }
  return total;
}

Trace SketchSpace::Default() const { return impl_->Plain(0, Outline::kRows); }

std::vector<Trace> SketchSpace::PlainTraces() const {
  std::vector<Trace> traces;
  for (Outline outline : kOutlines)
    for (size_t s = 0; s < impl_->sketches.size(); ++s) {
      // Other arithmetic goes by way of stages that are larger than what they save.
      const Impl::Variant& variant = impl_->variants[impl_->programs[s].variant];
      if (outline == Outline::kApart && !variant.options.algorithms.empty()) continue;
      if (outline == Outline::kSliding && !impl_->HasSlidingTiles(s)) continue;
      traces.push_back(impl_->Plain(s, outline));
    }
  return traces;
}

Trace SketchSpace::Sample(Rng& rng, LoopNest* nest) const {
  const size_t sketch =
      static_cast<size_t>(rng.Below(static_cast<int64_t>(impl_->sketches.size())));
  std::vector<std::vector<int64_t>> values;
  for (const DecisionSpec& spec : impl_->sketches[sketch].decisions)
    values.push_back(spec.candidates[rng.Below(static_cast<int64_t>(spec.candidates.size()))]);
  return impl_->MakeTrace(sketch, values, nest);
}

Trace SketchSpace::LatticePoint(int64_t number) const {
  const auto sketches = static_cast<int64_t>(impl_->sketches.size());
  const auto sketch = static_cast<size_t>(number % sketches);
  const std::vector<DecisionSpec>& specs = impl_->sketches[sketch].decisions;
  // The root of x^(d+1) = x + 1, whose powers are the steps.
  double root = 2;
  for (int i = 0; i < 32; ++i)
    root = std::pow(1 + root, 1.0 / (static_cast<double>(specs.size()) + 1));
  double step = 1;
  std::vector<std::vector<int64_t>> values;
  for (const DecisionSpec& spec : specs) {
    step /= root;
    const double at = 0.5 + step * static_cast<double>(number / sketches);
    const auto count = static_cast<double>(spec.candidates.size());
    values.push_back(spec.candidates[static_cast<size_t>((at - std::floor(at)) * count)]);
  }
  return impl_->MakeTrace(sketch, values);
}

Trace SketchSpace::Mutate(const Trace& trace, Rng& rng, MutationChoice* choice,
                          LoopNest* nest) const {
  const int sketch = impl_->SketchIndex(trace.sketch);
  if (sketch < 0) return Sample(rng, nest);
  const std::vector<DecisionSpec>& specs = impl_->sketches[sketch].decisions;
  std::vector<std::vector<int64_t>> values = impl_->ValuesOf(static_cast<size_t>(sketch), trace);
  std::vector<double> weights;
  const std::vector<size_t>& kinds = impl_->kind_of[static_cast<size_t>(sketch)];
  const bool weighed = choice != nullptr && !choice->weights.empty();
  for (size_t i = 0; i < specs.size(); ++i) {
    const size_t n = specs[i].candidates.size();
    weights.push_back(n > 1 ? 1 + std::log2(static_cast<double>(n)) : 0);
    if (weighed) weights.back() *= choice->weights[kinds[i]];
  }
  if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 0; }))
    return impl_->MakeTrace(static_cast<size_t>(sketch), values, nest);
  // Small steps more often than long jumps.
  do {
    const size_t at = static_cast<size_t>(rng.Weighted(weights));
    values[at] = specs[at].candidates[PickOther(specs[at].candidates, values[at], rng)];
    if (choice != nullptr) choice->changed |= uint64_t{1} << kinds[at];
  } while (rng.Chance(0.3));
  return impl_->MakeTrace(static_cast<size_t>(sketch), values, nest);
}

Trace SketchSpace::Crossover(const Trace& a, const Trace& b, Rng& rng, LoopNest* nest) const {
  const int sketch = impl_->SketchIndex(a.sketch);
  if (sketch < 0 || a.sketch != b.sketch) return Mutate(a, rng, nullptr, nest);
  std::vector<std::vector<int64_t>> values = impl_->ValuesOf(static_cast<size_t>(sketch), a);
  std::vector<std::vector<int64_t>> others = impl_->ValuesOf(static_cast<size_t>(sketch), b);
  for (size_t i = 0; i < values.size(); ++i)
    if (rng.Chance(0.5)) values[i] = std::move(others[i]);
  return impl_->MakeTrace(static_cast<size_t>(sketch), values, nest);
}

bool SketchSpace::Adapt(const Trace& foreign, Trace* adapted) const {
  const int sketch = impl_->SketchIndex(foreign.sketch);
  if (sketch < 0) return false;
  *adapted = impl_->MakeTrace(static_cast<size_t>(sketch),
                              impl_->ValuesOf(static_cast<size_t>(sketch), foreign));
  return true;
}

Result<const SketchSpace::Impl::Variant*> SketchSpace::Impl::VariantOf(const Trace& trace) const {
  // A sketch's traces have its own algorithm; written by hand or for another task they may not.
  if (const int sketch = SketchIndex(trace.sketch); sketch >= 0) {
    const Variant& own = variants[programs[static_cast<size_t>(sketch)].variant];
    if (Chooses(trace.directives, own.options)) return &own;
  }
  const AlgorithmOptions options = OptionsOf(trace.directives);
  for (const Variant& variant : variants)
    if (variant.options == options) return &variant;
  const std::lock_guard<std::mutex> lock(mutex);
  for (const auto& known : foreign)
    if (known->options == options) return known.get();
  ASSIGN_OR_RETURN(Dag read, ReadTaskDag(task, options));
  auto variant = std::make_unique<Variant>();
  variant->options = options;
  variant->dag = std::make_unique<Dag>(std::move(read));
  variant->context = std::make_unique<NestContext>(*variant->dag);
  foreign.push_back(std::move(variant));
  return foreign.back().get();
}

Result<const Dag*> SketchSpace::DagFor(const Trace& trace) const {
  ASSIGN_OR_RETURN(const Impl::Variant* variant, impl_->VariantOf(trace));
  return variant->dag.get();
}

Result<LoopNest> SketchSpace::Nest(const Trace& trace) const {
  ASSIGN_OR_RETURN(const Impl::Variant* variant, impl_->VariantOf(trace));
  return BuildLoopNest(*variant->context, trace.directives);
}

bool SketchSpace::IsPlausible(const LoopNest& nest, std::string* why) const {
  constexpr double kMaxBody = 2048;        // unrolled vector operations of one definition
  constexpr int64_t kManySteps = 256;      // of a parallel loop, for each thread
  constexpr double kFewOperations = 4096;  // of a step, beside which handing it out counts
  constexpr int64_t kMaxScratchBytes = 256ll << 20;  // one realisation of a stage
  for (size_t n = 0; n < nest.stages.size(); ++n) {
    const StageNest& stage = nest.stages[n];
    if (stage.buffer_bytes > kMaxScratchBytes) {
      *why = "a stage needs " + std::to_string(stage.buffer_bytes >> 20) + " MiB of scratch";
      return false;
    }
    for (size_t d = 0; d < stage.definitions.size(); ++d) {
      const double one = 1 + nest.inlined->Of(stage.stage, d).ops.Flops();
      double body = one;
      int64_t steps = 1;
      double grain = one;  // operations of one of them
      for (const NestLoop& loop : stage.definitions[d].loops) {
        if (loop.kind == LoopKind::kParallel) {
          steps *= loop.extent;
        } else {
          grain *= static_cast<double>(loop.extent);
        }
        if (loop.kind == LoopKind::kUnrolled) body *= static_cast<double>(loop.extent);
        if (loop.kind == LoopKind::kVectorized &&
            loop.extent * 4 > impl_->machine.vector_bytes * 2) {
          body *= static_cast<double>(loop.extent * 4 / impl_->machine.vector_bytes);
        }
      }
      if (steps > kManySteps * std::max(1, impl_->machine.threads) && grain < kFewOperations) {
        *why = "a parallel loop of " + std::to_string(steps) + " short steps";
        return false;
      }
      if (body > kMaxBody && body > one) {
        *why = "an unrolled body of " + std::to_string(static_cast<int64_t>(body)) + " operations";
        return false;
      }
    }
  }
  return true;
}

}  // namespace whet
