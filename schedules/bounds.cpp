#include "schedules/bounds.h"

#include <algorithm>
#include <array>
#include <limits>

namespace whet {

const Box& Needs::Get(int stage) const {
  static const Box kNothing{};
  return Has(stage) ? boxes_[static_cast<size_t>(stage)] : kNothing;
}

ReadBounds::ReadBounds(const Dag& dag) : dag_(dag), reads_(dag.stages.size()) {
  for (size_t s = 0; s < dag.stages.size(); ++s)
    for (const Definition& definition : dag.stages[s].definitions)
      reads_[s].push_back(Summarise(dag, definition));
}

// As RangeOf (index_range.h) reads it: of a clamp, what is not constant; the first of two that are
// not. A loop that occurs twice is left to RangeOf, whose ranges know nothing of each other.
bool ReadBounds::ReadTerms(const IndexExpr& index, Part* part) {
  constexpr int kMaxDepth = 8;
  std::array<Part, kMaxDepth> stack;
  int top = 0;
  for (const IndexExpr::Node& node : index.nodes) {
    using Op = IndexExpr::Op;
    if (top + 1 >= kMaxDepth) return false;
    switch (node.op) {
      case Op::kConst:
        stack[top] = {};
        stack[top++].low = node.value;
        break;
      case Op::kLoop:
        stack[top] = {};
        stack[top].terms = 1;
        stack[top++].term[0] = {static_cast<int>(node.value), 1};
        break;
      case Op::kAdd: {
        const Part& more = stack[--top];
        Part& sum = stack[top - 1];
        sum.low += more.low;
        for (int t = 0; t < more.terms; ++t) {
          const bool twice = std::any_of(sum.term, sum.term + sum.terms, [&](const Term& known) {
            return known.loop == more.term[t].loop;
          });
          if (twice || sum.terms == kMostTerms) return false;
          sum.term[sum.terms++] = more.term[t];
        }
        break;
      }
      case Op::kMul:
        stack[top - 1].low *= node.value;
        for (Term& term : stack[top - 1].term) term.step *= node.value;
        break;
      case Op::kMin:
      case Op::kMax:
        --top;
        if (stack[top - 1].terms == 0 && stack[top].terms > 0) stack[top - 1] = stack[top];
        break;
      case Op::kFloorDiv:
      case Op::kMod:
      case Op::kUnknown:
        return false;
    }
  }
  if (top != 1) return false;
  *part = stack[0];
  part->high = part->low;
  return true;
}

std::vector<ReadBounds::StageRead> ReadBounds::Summarise(const Dag& dag,
                                                         const Definition& definition) {
  std::vector<StageRead> reads;
  for (const Access& access : definition.reads) {
    if (dag.stages[static_cast<size_t>(access.stage)].kind == StageKind::kInput) continue;
    auto read = std::find_if(reads.begin(), reads.end(),
                             [&](const StageRead& known) { return known.stage == access.stage; });
    if (read == reads.end())
      read = reads.insert(read, StageRead{access.stage, access.index.size(), {}});
    for (size_t d = 0; d < access.index.size(); ++d) {
      Part part;
      if (!ReadTerms(access.index[d], &part)) {
        part = {};
        part.index = &access.index[d];
      }
      part.dim = static_cast<int>(d);
      const auto same =
          std::find_if(read->parts.begin(), read->parts.end(), [&](const Part& known) {
            return known.dim == part.dim && known.terms == part.terms && known.index == nullptr &&
                   part.index == nullptr &&
                   std::equal(part.term, part.term + part.terms, known.term,
                              [](const Term& a, const Term& b) {
                                return a.loop == b.loop && a.step == b.step;
                              });
          });
      if (same == read->parts.end()) {
        read->parts.push_back(part);
      } else {
        same->low = std::min(same->low, part.low);
        same->high = std::max(same->high, part.high);
      }
    }
  }
  return reads;
}

IndexRange ReadBounds::RangeOf(const Part& part, const Box& loops) {
  IndexRange range{part.low, part.high};
  for (int t = 0; t < part.terms; ++t) {
    const IndexRange& loop = loops[static_cast<size_t>(part.term[t].loop)];
    const int64_t step = part.term[t].step;
    range.low += step * (step >= 0 ? loop.low : loop.high);
    range.high += step * (step >= 0 ? loop.high : loop.low);
  }
  return range;
}

void ReadBounds::AddReads(int stage, size_t definition, const Box& loops, Needs* needs) const {
  for (const StageRead& read : reads_[static_cast<size_t>(stage)][definition]) {
    const bool first = !needs->Has(read.stage);
    Box& wanted = first ? needs->Begin(read.stage) : needs->Of(read.stage);
    if (first)
      wanted.resize(read.dims,
                    {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()});
    for (const Part& part : read.parts) {
      IndexRange range;
      if (part.index == nullptr) {
        range = RangeOf(part, loops);
      } else if (part.index->IsKnown()) {
        range = whet::RangeOf(*part.index, loops);
      } else {
        const Stage& source = dag_.stages[static_cast<size_t>(read.stage)];
        range = {0, source.dims[static_cast<size_t>(part.dim)].extent - 1};
      }
      IndexRange& known = wanted[static_cast<size_t>(part.dim)];
      known.low = std::min(known.low, range.low);
      known.high = std::max(known.high, range.high);
    }
  }
}

void ReadBounds::Propagate(int stage, Needs* needs) const {
  const std::vector<Definition>& definitions = dag_.stages[static_cast<size_t>(stage)].definitions;
  for (size_t d = 0; d < definitions.size(); ++d) {
    Box loops = needs->Of(stage);
    for (size_t l = loops.size(); l < definitions[d].loops.size(); ++l)
      loops.push_back({0, definitions[d].loops[l].extent - 1});
    AddReads(stage, d, loops, needs);
  }
}

}  // namespace whet
