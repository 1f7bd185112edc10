// Reductions in parts (Suriana et al., "Parallel associative reductions in Halide", CGO 2017):
// vectors along a contiguous reduction that no dimension of the result could be vectorised for, and
// blocks of a long reduction to few results, one a thread.
#include <algorithm>
#include <optional>

#include "schedules/rules/rule.h"

namespace whet {
namespace {

constexpr double kWorthThreads = 65536;  // iterations

class RfactorFinder {
 public:
  RfactorFinder(const Stage& stage, const MachineModel& machine)
      : stage_(stage), update_(stage.definitions.back()), machine_(machine) {
    lanes_ = machine.vector_bytes / SizeOf(stage.dtype);
    for (const Loop& loop : update_.loops)
      (loop.reduction ? depth_ : results_) *= static_cast<double>(loop.extent);
  }

  std::vector<std::map<std::string, Rfactor>> Find() const {
    std::vector<std::map<std::string, Rfactor>> found;
    const std::optional<size_t> along = ContiguousLoop();
    if (along) {
      const Loop& loop = update_.loops[*along];
      if (const int64_t width = Width(loop.extent); width > 0)
        found.push_back({{stage_.name, Lanes(loop.name, width)}});
    }
    const int64_t blocks = 2 * machine_.threads;
    const Loop& longest = Longest();
    const double independent = along ? results_ : results_ / static_cast<double>(lanes_);
    if (machine_.threads < 2 || independent >= static_cast<double>(blocks) ||
        results_ * depth_ < kWorthThreads || longest.extent % blocks != 0)
      return found;
    Rfactor block{longest.name, longest.name + "_b", longest.name + "_e", longest.extent / blocks,
                  false};
    std::map<std::string, Rfactor> cuts = {{stage_.name, block}};
    if (along && update_.loops[*along].name == longest.name) {
      if (const int64_t width = Width(block.factor); width > 0)
        cuts[stage_.name + "_part"] = Lanes(block.inner, width);
    }
    found.push_back(std::move(cuts));
    return found;
  }

 private:
  static Rfactor Lanes(const std::string& loop, int64_t width) {
    return {loop, loop + "_s", loop + "_l", width, true};
  }

  // Partial results next to each other: vectors of them, several where there is one result only and
  // each sum has to wait for the one before it.
  int64_t Width(int64_t extent) const {
    for (int64_t vectors : {8, 4, 2, 1})
      if ((vectors == 1 || results_ < 8) && extent % (vectors * lanes_) == 0 &&
          extent >= 2 * vectors * lanes_)
        return vectors * lanes_;
    return 0;
  }

  const Loop& Longest() const {
    return *std::max_element(
        update_.loops.begin(), update_.loops.end(), [](const Loop& a, const Loop& b) {
          return std::make_pair(a.reduction, a.extent) < std::make_pair(b.reduction, b.extent);
        });
  }

  // The reduction loop along which all reads that use it are contiguous, where those that use the
  // first dimension of the result are not contiguous along that.
  std::optional<size_t> ContiguousLoop() const {
    for (size_t l = stage_.dims.size(); l < update_.loops.size(); ++l) {
      bool used = false, good = true;
      for (const Access& access : update_.reads) {
        for (size_t d = 0; d < access.index.size(); ++d) {
          const IndexExpr& index = access.index[d];
          if (index.Uses(static_cast<int>(l))) {
            used = true;
            good &= d == 0 && index.IsLoop(static_cast<int>(l));
          }
          good &= !(d == 0 && !stage_.dims.empty() && stage_.dims[0].extent > 1 && index.Uses(0));
        }
      }
      if (used && good) return l;
    }
    return std::nullopt;
  }

  const Stage& stage_;
  const Definition& update_;
  const MachineModel& machine_;
  int64_t lanes_ = 1;
  double results_ = 1, depth_ = 1;
};

}  // namespace

std::vector<std::map<std::string, Rfactor>> RfactorsOf(const Dag& dag,
                                                       const MachineModel& machine) {
  std::vector<std::map<std::string, Rfactor>> all;
  for (const Stage& stage : dag.stages) {
    if (stage.kind != StageKind::kReduction || !stage.combines) continue;
    for (auto& cuts : RfactorFinder(stage, machine).Find()) all.push_back(std::move(cuts));
  }
  return all;
}

}  // namespace whet
