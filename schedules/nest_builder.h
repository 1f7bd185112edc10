// Builds a loop nest stage by stage: consumers before producers, so that every stage's region is
// known before its loops are.
//
// The directives may still grow while it builds, as they do in a sketch's steps: a stage that is
// asked for wants those of all stages that read it, directly or not, to be complete. What came
// since the last question is read then, and what is built is kept. Internal to the loop nest and
// the rules. Thread safety: none.
#pragma once

#include <vector>

#include "schedules/loop_nest.h"
#include "schedules/nest_context.h"

namespace whet {

class NestBuilder {
 public:
  // Both have to outlive it.
  NestBuilder(const NestContext& context, const std::vector<Directive>& directives);
  const NestContext& context() const { return context_; }

  // Loops and regions of the stages from the output down to `last`. Errors: BuildLoopNest's.
  Status BuildStages(int last);
  // What BuildStages has built of a stage; nullptr: it is an input, inlined, or not built.
  const StageNest* Built(int stage) const;
  // One realisation of `stage`, without loops, if it were computed as `at` says (kComputeAt), and
  // stored as `store` says (kStoreAt, kStoreRoot; nullptr: where it is computed).
  Result<StageNest> Placed(int stage, const Directive& at, const Directive* store = nullptr);
  // True where stage p is evaluated inside the body of loop `loop` of `consumer`. Requires that p,
  // if it has loops, is built.
  bool InScope(int p, int consumer, int loop) const;
  // All stages, and the layouts of what they read.
  Result<LoopNest> Finish() &&;

 private:
  struct Place {
    bool computed = false;
    const Directive* at = nullptr;  // kComputeAt
    const Directive* pack = nullptr;
    const Directive* store = nullptr;  // kStoreAt, kStoreRoot
    const Directive* fold = nullptr;
    // What is about its loops: a list of indices into directives_, linked by next_; -1: the end.
    int first = -1, last = -1;
  };

  void Forget();
  Status ReadDirectives();
  Status ReadDirective(size_t i, int stage);
  Status BuildStage(int s);
  Status PlaceStage(int s, const Place& place, Extents* region, StageNest* result);
  // A stage stored outside of the loop that it is computed in: what it stores, and what is left to
  // compute in an iteration after the first.
  Status Slide(int s, const Place& place, const StageNest& outer, const NestLoop& loop,
               Extents* region, StageNest* result);
  // The loop that a directive says something is inside of.
  Result<const NestLoop*> LoopAt(const Directive& directive) const;
  // What one iteration of a loop needs of stage `s`, whose definition covers `tile` in it.
  const Box& Need(int s, int consumer, int loop, const Extents& tile);
  // No more than there is; one element where nothing is known.
  Extents Within(int s, const Box& box) const;
  void LayOut(int s, BufferLayout* layout) const;
  static void LayOutPacked(const Stage& stage, const Directive& pack, BufferLayout* layout);

  const Dag& dag_;
  const NestContext& context_;
  const std::vector<Directive>& directives_;
  const Directive* read_from_ = nullptr;  // where the directives were when they were read
  size_t read_ = 0;                       // how many
  int lowest_ = 0;                        // stages from here on are built
  std::vector<Place> place_;              // by stage
  std::vector<int> next_;                 // by directive
  std::vector<StageNest> stages_;
  std::vector<int> nest_of_;
  // Needs of the last loop that was asked about, of stages from `known_to_` on.
  Needs needs_;
  int known_consumer_ = -1, known_loop_ = -1, known_to_ = 0;
};

}  // namespace whet
