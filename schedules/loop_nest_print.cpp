#include <fmt/format.h>

#include <algorithm>

#include "schedules/loop_nest.h"

namespace whet {
namespace {

const char* Name(LoopKind kind) {
  switch (kind) {
    case LoopKind::kSerial:
      return "for";
    case LoopKind::kParallel:
      return "parallel";
    case LoopKind::kVectorized:
      return "vectorized";
    case LoopKind::kUnrolled:
      return "unrolled";
    case LoopKind::kGpuBlock:
      return "gpu_block";
    case LoopKind::kGpuThread:
      return "gpu_thread";
    case LoopKind::kGpuLane:
      return "gpu_lane";
  }
  return "for";
}

class Printer {
 public:
  Printer(const Dag& dag, const LoopNest& nest) : dag_(dag), nest_(nest) {}

  std::string Print() {
    // Root stages run producers first; the nest lists consumers first.
    for (size_t n = nest_.stages.size(); n-- > 0;)
      if (nest_.stages[n].at_stage < 0) PrintStage(static_cast<int>(n), 0);
    return std::move(text_);
  }

 private:
  void Line(int depth, const std::string& line) {
    text_ += std::string(depth * 2, ' ') + line + "\n";
  }

  void PrintStage(int n, int depth) {
    const StageNest& stage = nest_.stages[n];
    Shape region(stage.region.begin(), stage.region.end());
    std::reverse(region.begin(), region.end());
    const std::string size =
        stage.buffer_bytes > 0 ? fmt::format(", {} bytes", stage.buffer_bytes) : "";
    const Stage& computed = dag_.stages[stage.stage];
    const std::string slides =
        stage.slides_along < 0 ? "" : ", slides along " + computed.dims[stage.slides_along].name;
    Line(depth, fmt::format("{}: {}{}{}", computed.name, ToString(region), size, slides));
    for (size_t d = 0; d < stage.definitions.size(); ++d) {
      const DefinitionNest& definition = stage.definitions[d];
      int indent = depth + 1;
      for (size_t l = 0; l < definition.loops.size(); ++l) {
        const NestLoop& loop = definition.loops[l];
        if (loop.extent > 1 || loop.kind != LoopKind::kSerial) {
          Line(indent++, fmt::format("{} {} in {}{}", Name(loop.kind), loop.name, loop.extent,
                                     loop.guarded ? " (guarded)" : ""));
        }
        if (d + 1 < stage.definitions.size()) continue;
        for (size_t p = nest_.stages.size(); p-- > 0;) {
          const StageNest& inner = nest_.stages[p];
          if (inner.at_stage == stage.stage && inner.at_loop == static_cast<int>(l))
            PrintStage(static_cast<int>(p), indent);
        }
      }
      Line(indent, fmt::format("{}{}", dag_.stages[stage.stage].name, d == 0 ? " = .." : " += .."));
    }
  }

  const Dag& dag_;
  const LoopNest& nest_;
  std::string text_;
};

}  // namespace

std::string ToString(const Dag& dag, const LoopNest& nest) { return Printer(dag, nest).Print(); }

}  // namespace whet
