// A matrix product with ReLU as a hand-made DAG: relu[x, y] = max(0, sum_k a[k, y] * b[x, k]).
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "costmodel/features.h"
#include "schedules/dag.h"
#include "schedules/loop_nest.h"
#include "schedules/trace.h"

namespace whet {

inline IndexExpr LoopIndex(int64_t loop) { return {{{IndexExpr::Op::kLoop, loop}}}; }

inline Stage InputStage(std::string name, std::vector<Loop> dims) {
  Stage stage;
  stage.name = std::move(name);
  stage.kind = StageKind::kInput;
  stage.dims = std::move(dims);
  return stage;
}

// Stages: 0 "a" [k, m], 1 "b" [n, k], 2 "mm" (initialised, then accumulated), 3 "relu".
inline Dag MatMulDag(int64_t m, int64_t n, int64_t k) {
  const Loop x{"x", n, false};
  const Loop y{"y", m, false};
  const Loop r{"k", k, true};
  Dag dag;
  dag.stages.push_back(InputStage("a", {{"k", k, false}, y}));
  dag.stages.push_back(InputStage("b", {x, {"k", k, false}}));
  Stage mm;
  mm.name = "mm";
  mm.kind = StageKind::kReduction;
  mm.dims = {x, y};
  mm.definitions.push_back({{x, y}, {}, {}});
  OpCounts fma;
  fma.fma = 1;
  mm.definitions.push_back(
      {{x, y, r}, {{0, {LoopIndex(2), LoopIndex(1)}}, {1, {LoopIndex(0), LoopIndex(2)}}}, fma});
  dag.stages.push_back(mm);
  Stage relu;
  relu.name = "relu";
  relu.dims = {x, y};
  OpCounts max;
  max.minmax = 1;
  relu.definitions.push_back({{x, y}, {{2, {LoopIndex(0), LoopIndex(1)}}}, max});
  dag.stages.push_back(relu);
  return dag;
}

inline Directive Split(std::string stage, int definition, std::string loop, std::string outer,
                       std::string inner, int64_t factor) {
  Directive d;
  d.kind = DirectiveKind::kSplit;
  d.stage = std::move(stage);
  d.definition = definition;
  d.loop = std::move(loop);
  d.names = {std::move(outer), std::move(inner)};
  d.factor = factor;
  return d;
}

inline Directive Reorder(std::string stage, int definition,
                         std::vector<std::string> innermost_first) {
  Directive d;
  d.kind = DirectiveKind::kReorder;
  d.stage = std::move(stage);
  d.definition = definition;
  d.names = std::move(innermost_first);
  return d;
}

inline Directive Mark(DirectiveKind kind, std::string stage, int definition, std::string loop) {
  Directive d;
  d.kind = kind;
  d.stage = std::move(stage);
  d.definition = definition;
  d.loop = std::move(loop);
  return d;
}

inline Directive ComputeAt(std::string stage, std::string at, std::string loop) {
  Directive d;
  d.kind = DirectiveKind::kComputeAt;
  d.stage = std::move(stage);
  d.at = std::move(at);
  d.loop = std::move(loop);
  return d;
}

// Tiles of `rows` x `vectors` vectors of 16 lanes, accumulated in registers over all of k; parallel
// over rows of tiles.
inline std::vector<Directive> RegisterTiled(int64_t rows, int64_t vectors) {
  using enum DirectiveKind;
  return {Split("relu", 0, "y", "yo", "yi", rows),
          Split("relu", 0, "x", "xo", "xi", vectors * 16),
          Reorder("relu", 0, {"xi", "yi", "xo", "yo"}),
          Mark(kParallel, "relu", 0, "yo"),
          Split("relu", 0, "xi", "xv", "xl", 16),
          Mark(kVectorize, "relu", 0, "xl"),
          ComputeAt("mm", "relu", "xo"),
          Split("mm", 0, "x", "xv", "xl", 16),
          Mark(kVectorize, "mm", 0, "xl"),
          Split("mm", 1, "x", "xv", "xl", 16),
          Reorder("mm", 1, {"xl", "xv", "y", "k"}),
          Mark(kVectorize, "mm", 1, "xl"),
          Mark(kUnroll, "mm", 1, "xv"),
          Mark(kUnroll, "mm", 1, "y")};
}

// A feature row that can be asked by name.
class Row {
 public:
  Row(const Dag& dag, const std::vector<Directive>& directives, const MachineModel& machine = {})
      : values_(FeatureTable().size()) {
    const Result<LoopNest> nest = BuildLoopNest(dag, directives);
    if (!nest) {
      ADD_FAILURE() << nest.error().message;
      return;
    }
    ExtractFeatures(dag, *nest, machine, values_);
  }
  double operator[](const std::string& name) const {
    const int index = FeatureIndex(name);
    if (index < 0) {
      ADD_FAILURE() << "no feature " << name;
      return 0;
    }
    return values_[static_cast<size_t>(index)];
  }
  // What stands behind a "log2" feature.
  double Count(const std::string& name) const { return std::exp2((*this)[name]) - 1; }
  const std::vector<float>& values() const { return values_; }

 private:
  std::vector<float> values_;
};

}  // namespace whet
