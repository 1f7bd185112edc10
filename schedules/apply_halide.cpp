#include "schedules/apply_halide.h"

#include <algorithm>
#include <optional>

#include "schedules/operators/halide_ieee.h"

namespace whet {
namespace {

using Halide::RVar;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

TailStrategy ToHalide(Tail tail) {
  switch (tail) {
    case Tail::kAuto:
      return TailStrategy::Auto;
    case Tail::kRoundUp:
      return TailStrategy::RoundUp;
    case Tail::kGuardWithIf:
      return TailStrategy::GuardWithIf;
    case Tail::kShiftInwards:
      return TailStrategy::ShiftInwards;
    case Tail::kPredicate:
      return TailStrategy::Predicate;
  }
  return TailStrategy::Auto;
}

Halide::MemoryType ToHalideMemory(const std::string& memory) {
  if (memory == "stack") return Halide::MemoryType::Stack;
  if (memory == "heap") return Halide::MemoryType::Heap;
  if (memory == "shared") return Halide::MemoryType::GPUShared;
  if (memory == "register") return Halide::MemoryType::Register;
  return Halide::MemoryType::Auto;
}

// The loops that exist on one definition at this point of the directives, by stable name.
struct Loops {
  std::map<std::string, VarOrRVar> by_name;
  std::optional<VarOrRVar> Find(const std::string& name) const {
    const auto it = by_name.find(name);
    if (it == by_name.end()) return std::nullopt;
    return it->second;
  }
};

class Applier {
 public:
  explicit Applier(HalideAlgorithm* algorithm) : algorithm_(*algorithm) {
    for (const HalideStage& stage : algorithm_.stages) {
      const int definitions = 1 + stage.func.num_update_definitions();
      for (int d = 0; d < definitions; ++d) {
        Loops& loops = loops_[{stage.name, d}];
        for (const std::string& dim : stage.dims) loops.by_name.emplace(dim, Var(dim));
        if (d == 0) continue;
        for (size_t r = 0; r < stage.reductions.size(); ++r)
          loops.by_name.emplace(stage.reductions[r], stage.reduction_vars[r]);
      }
    }
  }

  Status Apply(const Directive& d) {
    // These are done while the algorithm is built.
    if (d.kind == DirectiveKind::kPack || d.kind == DirectiveKind::kAlgorithm ||
        d.kind == DirectiveKind::kRfactor)
      return {};
    HalideStage* stage = algorithm_.Find(d.stage);
    if (stage == nullptr) return Fail(ErrorCode::kInvalidInput, "there is no stage '{}'", d.stage);
    if (d.kind == DirectiveKind::kComputeRoot) {
      stage->func.compute_root();
      return {};
    }
    if (d.kind == DirectiveKind::kStoreIn) {
      stage->func.store_in(ToHalideMemory(d.memory));
      return {};
    }
    if (d.kind == DirectiveKind::kStoreRoot) {
      stage->func.store_root();
      return {};
    }
    if (d.kind == DirectiveKind::kBoundExtent || d.kind == DirectiveKind::kFoldStorage)
      return OnDimension(d, *stage);
    if (d.kind == DirectiveKind::kComputeAt || d.kind == DirectiveKind::kStoreAt)
      return AtLoop(d, *stage);
    const auto loops = loops_.find({d.stage, d.definition});
    if (loops == loops_.end()) {
      return Fail(ErrorCode::kInvalidInput, "stage '{}' has no definition {}", d.stage,
                  d.definition);
    }
    Halide::Stage target =
        d.definition == 0 ? Halide::Stage(stage->func) : stage->func.update(d.definition - 1);
    return OnLoops(d, target, loops->second);
  }

 private:
  static Status OnDimension(const Directive& d, HalideStage& stage) {
    if (std::find(stage.dims.begin(), stage.dims.end(), d.loop) == stage.dims.end() ||
        d.factor < 1) {
      return Fail(ErrorCode::kInvalidInput, "stage '{}' has no dimension '{}'", d.stage, d.loop);
    }
    if (d.kind == DirectiveKind::kBoundExtent) {
      stage.func.bound_extent(Var(d.loop), static_cast<int>(d.factor));
    } else {
      stage.func.fold_storage(Var(d.loop), static_cast<int>(d.factor));
    }
    return {};
  }

  Status AtLoop(const Directive& d, HalideStage& stage) {
    HalideStage* consumer = algorithm_.Find(d.at);
    if (consumer == nullptr) return Fail(ErrorCode::kInvalidInput, "there is no stage '{}'", d.at);
    // The consumer's last definition is where producers of a reduction are wanted.
    const auto& loops = loops_.at({d.at, consumer->func.num_update_definitions()});
    const auto loop = loops.Find(d.loop);
    if (!loop) return Fail(ErrorCode::kInvalidInput, "stage '{}' has no loop '{}'", d.at, d.loop);
    const Halide::LoopLevel level = loop->is_rvar ? Halide::LoopLevel(consumer->func, loop->rvar)
                                                  : Halide::LoopLevel(consumer->func, loop->var);
    if (d.kind == DirectiveKind::kComputeAt) {
      stage.func.compute_at(level);
    } else {
      stage.func.store_at(level);
    }
    return {};
  }

  Status OnLoops(const Directive& d, Halide::Stage& target, Loops& loops) {
    const auto missing = [&](const std::string& name) {
      return Fail(ErrorCode::kInvalidInput, "stage '{}' has no loop '{}'", d.stage, name);
    };
    if (d.kind == DirectiveKind::kReorder) {
      std::vector<VarOrRVar> order;
      for (const std::string& name : d.names) {
        const auto loop = loops.Find(name);
        if (!loop) return missing(name);
        order.push_back(*loop);
      }
      target.reorder(order);
      return {};
    }
    if (d.kind == DirectiveKind::kFuse) {
      if (d.names.size() != 2) return Fail(ErrorCode::kInvalidInput, "fuse wants two loops");
      const auto outer = loops.Find(d.names[0]), inner = loops.Find(d.names[1]);
      if (!outer) return missing(d.names[0]);
      if (!inner) return missing(d.names[1]);
      const VarOrRVar fused(d.loop, outer->is_rvar);
      target.fuse(*inner, *outer, fused);
      loops.by_name.erase(d.names[0]);
      loops.by_name.erase(d.names[1]);
      loops.by_name.emplace(d.loop, fused);
      return {};
    }
    const auto loop = loops.Find(d.loop);
    if (!loop) return missing(d.loop);
    switch (d.kind) {
      case DirectiveKind::kSplit: {
        if (d.names.size() != 2 || d.factor < 1) {
          return Fail(ErrorCode::kInvalidInput,
                      "split of '{}' wants two names and a factor of 1 or more", d.loop);
        }
        const VarOrRVar outer(d.names[0], loop->is_rvar), inner(d.names[1], loop->is_rvar);
        target.split(*loop, outer, inner, static_cast<int>(d.factor), ToHalide(d.tail));
        loops.by_name.erase(d.loop);
        loops.by_name.emplace(d.names[0], outer);
        loops.by_name.emplace(d.names[1], inner);
        break;
      }
      case DirectiveKind::kVectorize:
        target.vectorize(*loop);
        break;
      case DirectiveKind::kUnroll:
        target.unroll(*loop);
        break;
      case DirectiveKind::kParallel:
        target.parallel(*loop);
        break;
      case DirectiveKind::kGpuBlocks:
        target.gpu_blocks(*loop);
        break;
      case DirectiveKind::kGpuThreads:
        target.gpu_threads(*loop);
        break;
      case DirectiveKind::kGpuLanes:
        target.gpu_lanes(*loop);
        break;
      case DirectiveKind::kNeverPartition:
        target.never_partition({*loop});
        break;
      case DirectiveKind::kPrefetch:
        return Prefetch(d, target, *loop);
      default:
        return Fail(ErrorCode::kInvalidInput, "a directive of an unknown kind");
    }
    return {};
  }

  Status Prefetch(const Directive& d, Halide::Stage& target, const VarOrRVar& loop) {
    const int ahead = static_cast<int>(d.factor);
    if (const HalideStage* stage = algorithm_.Find(d.at)) {
      target.prefetch(stage->func, loop, loop, ahead);
      return {};
    }
    for (const HalideInput& input : algorithm_.inputs) {
      if (input.name != d.at) continue;
      target.prefetch(input.param, loop, loop, ahead);
      return {};
    }
    return Fail(ErrorCode::kInvalidInput, "there is no stage '{}' to prefetch", d.at);
  }

  HalideAlgorithm& algorithm_;
  std::map<std::pair<std::string, int>, Loops> loops_;
};

}  // namespace

Status ApplyHalide(const std::vector<Directive>& directives, HalideAlgorithm* algorithm) {
  Applier applier(algorithm);
  for (size_t i = 0; i < directives.size(); ++i) {
    if (Status status = applier.Apply(directives[i]); !status)
      return Prefixed(status.error(), "directive " + std::to_string(i));
  }
  // Not before: Halide reorders the loops of what it knows for a maximum.
  for (HalideStage& stage : algorithm->stages) {
    const bool extremum = stage.combining == Combining::kMax || stage.combining == Combining::kMin;
    if (extremum && stage.spreads_nans) SpreadNans(stage.func);
  }
  return {};
}

}  // namespace whet
