#include "schedules/inlined_dag.h"

#include <utility>

namespace whet {
namespace {

// `index`, whose loops are the dimensions of an inlined stage, where that is read at `at`.
std::vector<IndexExpr> Substitute(const std::vector<IndexExpr>& index,
                                  const std::vector<IndexExpr>& at) {
  std::vector<IndexExpr> substituted(index.size());
  for (size_t i = 0; i < index.size(); ++i) {
    std::vector<IndexExpr::Node>& out = substituted[i].nodes;
    for (const IndexExpr::Node& node : index[i].nodes) {
      if (node.op == IndexExpr::Op::kLoop) {
        const auto& replacement = at[node.value].nodes;
        out.insert(out.end(), replacement.begin(), replacement.end());
      } else {
        out.push_back(node);
      }
    }
  }
  return substituted;
}

}  // namespace

// Expands one definition after the other.
class InlinedDag::Inliner {
 public:
  Inliner(const Dag& dag, const std::vector<bool>& stored, InlinedDag* out)
      : dag_(dag), stored_(stored), out_(*out) {}

  // False: more than kMostInlined.
  bool Inline(int stage, const Definition& definition) {
    inlined_.clear();
    loaded_.clear();
    InlinedDefinition result;
    result.ops = definition.ops;
    for (const Access& access : definition.reads) Expand(access.stage, access.index, &result.ops);
    const int loops = static_cast<int>(definition.loops.size());
    for (const auto& [source, index] : loaded_) {
      if (result.reads.size() == kMaxReads) break;
      AccessShape shape = ShapeOfRead(dag_, source, *index, loops);
      for (const AccessShape& earlier : result.reads)
        shape.duplicate = shape.duplicate || SameShape(earlier, shape);
      result.reads.push_back(shape);
    }
    result.store = ShapeOfStore(dag_, stage, loops);
    out_.definitions_[static_cast<size_t>(stage)].push_back(std::move(result));
    return !too_many_;
  }

 private:
  // A stage, and where it is read.
  using At = std::pair<int, const std::vector<IndexExpr>*>;

  // Halide computes a common subexpression once.
  static bool IsNew(const At& read, const std::vector<At>& known) {
    for (const auto& [stage, index] : known)
      if (stage == read.first && *index == *read.second) return false;
    return true;
  }

  // `index` stays where it is.
  void Expand(int stage, const std::vector<IndexExpr>& index, OpCounts* ops) {
    const Stage& source = dag_.stages[stage];
    const At read = {stage, &index};
    if (source.kind == StageKind::kInput || stored_[stage]) {
      if (IsNew(read, loaded_)) loaded_.push_back(read);
      return;
    }
    if (!IsNew(read, inlined_)) return;
    too_many_ = too_many_ || inlined_.size() >= kMostInlined;
    if (too_many_) return;
    inlined_.push_back(read);
    const Definition& definition = source.definitions[0];
    ops->AddScaled(definition.ops, 1);
    for (const Access& access : definition.reads) {
      out_.indices_.push_back(Substitute(access.index, index));
      Expand(access.stage, out_.indices_.back(), ops);
    }
  }

  const Dag& dag_;
  const std::vector<bool>& stored_;
  InlinedDag& out_;
  std::vector<At> inlined_, loaded_;  // by the definition that is expanded
  bool too_many_ = false;
};

std::shared_ptr<const InlinedDag> InlinedDag::Make(const Dag& dag,
                                                   const std::vector<bool>& stored) {
  auto made = std::make_shared<InlinedDag>(dag);
  Inliner inliner(dag, stored, made.get());
  for (int s = 0; s <= dag.output(); ++s) {
    if (!stored[static_cast<size_t>(s)]) continue;
    for (const Definition& definition : dag.stages[s].definitions)
      if (!inliner.Inline(s, definition)) return nullptr;
  }
  return made;
}

std::shared_ptr<const InlinedDag> InlinedDags::For(const std::vector<bool>& stored) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto it = made_.find(stored); it != made_.end()) return it->second;
  if (made_.size() == kMostKept) made_.clear();
  return made_[stored] = InlinedDag::Make(dag_, stored);
}

}  // namespace whet
