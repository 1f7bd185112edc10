// The loops of one definition: its directives interpreted on concrete extents, as Halide would.
// Internal to the loop nest (loop_nest.cpp). Thread safety: none.
#pragma once

#include <cstdint>
#include <string>

#include "base/inline_vector.h"
#include "schedules/loop_nest.h"

namespace whet {

// kFailed, naming the directive's stage and loop.
tl::unexpected<Error> BadDirective(const Directive& d, const std::string& why);

// Refers to the definition and to the names in directives: both have to outlive it.
class DefinitionBuilder {
 public:
  // `region`: extents of the definition's loops, in their order.
  DefinitionBuilder(const Definition& definition, const Extents& region, bool is_output);

  // kFailed for a directive that Halide would refuse; what is not about loops is passed over.
  Status Apply(const Directive& d);
  DefinitionNest Finish(int index) &&;

  // With what splits that round up have added.
  const Extents& region() const { return region_; }

 private:
  static constexpr int kMostFused = 8;
  // What a loop advances: one index of the definition.
  struct Part {
    int origin;
    int64_t step, extent;
  };
  // A loop while directives are applied, and its part_count parts from parts_[first_part] on.
  struct WorkLoop {
    const std::string* name;
    int64_t extent;
    int first_part, part_count;
    LoopKind kind;
    bool guarded;
  };

  Part& FirstPart(const WorkLoop& loop) { return parts_[static_cast<size_t>(loop.first_part)]; }
  int AddPart(const Part& part);            // its place in parts_
  int Find(const std::string& name) const;  // -1: there is none
  Status Mark(const Directive& d, LoopKind kind);
  Status Split(const Directive& d);
  Status Fuse(const Directive& d);
  Status Reorder(const Directive& d);

  const Definition& definition_;
  Extents region_;
  const bool is_output_;
  InlineVector<WorkLoop, 24> loops_;  // innermost first
  InlineVector<Part, 32> parts_;
};

}  // namespace whet
