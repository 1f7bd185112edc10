// The loops of one definition: its directives interpreted on concrete extents, as Halide would.
// Internal to the loop nest (loop_nest.cpp). Thread safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "schedules/loop_nest.h"

namespace whet {

// kFailed, naming the directive's stage and loop.
tl::unexpected<Error> BadDirective(const Directive& d, const std::string& why);

// Refers to the definition and to the names in directives: both have to outlive it.
class DefinitionBuilder {
 public:
  // `region`: extents of the definition's loops, in their order.
  DefinitionBuilder(const Definition& definition, const std::vector<int64_t>& region,
                    bool is_output);

  // kFailed for a directive that Halide would refuse; what is not about loops is passed over.
  Status Apply(const Directive& d);
  DefinitionNest Finish(int index) &&;

  // With what splits that round up have added.
  const std::vector<int64_t>& region() const { return region_; }

 private:
  static constexpr int kMostFused = 8;
  // A loop while directives are applied. `parts` says which indices of the definition it advances.
  struct WorkLoop {
    struct Part {
      int origin;
      int64_t step, extent;
    };
    const std::string* name;
    int64_t extent = 1;
    LoopKind kind = LoopKind::kSerial;
    bool guarded = false;
    int part_count = 1;
    std::array<Part, kMostFused> parts;
  };

  int Find(const std::string& name) const;  // -1: there is none
  Status Mark(const Directive& d, LoopKind kind);
  Status Split(const Directive& d);
  Status Fuse(const Directive& d);
  Status Reorder(const Directive& d);

  const Definition& definition_;
  std::vector<int64_t> region_;
  const bool is_output_;
  std::vector<WorkLoop> loops_;  // innermost first
};

}  // namespace whet
