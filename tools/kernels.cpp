#include "tools/kernels.h"

#include <cstdio>
#include <utility>

#include "base/cpu.h"
#include "base/version.h"
#include "driver/refusal_log.h"

namespace whet {

Kernels::Kernels()
    : workers_(WorkerOptions{.stop_requested = [] { return InterruptFlag().load(); }}) {}

Result<std::unique_ptr<Kernels>> Kernels::Create(const Target& target,
                                                 const KernelSettings& settings,
                                                 WorkerClient* workers) {
  std::unique_ptr<Kernels> kernels(new Kernels);
  KernelMaker::Options options;
  ASSIGN_OR_RETURN(options.machine, target.Machine());
  if (!settings.database.empty()) {
    ASSIGN_OR_RETURN(kernels->database_,
                     Database::Open(settings.database, Database::Mode::kReadOnly));
  }
  options.database = kernels->database_.get();
  options.on_miss = settings.on_miss;
  if (settings.use_cache) {
    ASSIGN_OR_RETURN(options.cache, KernelCache::OfUser());
  }
  options.workers = [own = &kernels->workers_, workers]() -> Result<WorkerClient*> {
    if (workers != nullptr) return workers;
    return own->Get();
  };
  options.refused = [self = kernels.get(), target = target.ToString(),
                     database = settings.database](const RefusedKernel& refused) {
    self->Refused(target, database, refused);
  };
  kernels->maker_ = std::make_unique<KernelMaker>(std::move(options));
  return kernels;
}

void Kernels::Refused(const std::string& target, const std::string& database,
                      const RefusedKernel& refused) const {
  if (!refused.known) {
    const std::string which = refused.schedule.record != 0
                                  ? fmt::format("of record {}", refused.schedule.record)
                                  : std::string("chosen without measuring");
    std::fprintf(stderr, "whet: %s: the kernel %s is refused (%s: %s); another takes its place\n",
                 refused.task.Describe().c_str(), which.c_str(),
                 std::string(Name(refused.verdict.status)).c_str(),
                 refused.verdict.message.c_str());
  }
  if (database.empty()) return;
  RunInfo info;
  info.command = CommandLine();
  info.version = kWhetVersion;
  info.halide_version = kHalideVersion;
  info.target = target;
  const auto parsed = Target::Parse(target);
  info.threads = parsed ? parsed->threads : 1;
  info.machine = {{"cpu", CpuName()}, {"cores", AllowedCpuCount()}};
  // A database that can only be read stays without the row.
  (void)RecordRefusal(database, info, refused);
}

Result<LoadedNetwork> LoadNetworkKernels(const Network& network, Kernels& kernels) {
  ASSIGN_OR_RETURN(const Partition partition,
                   FuseFasterBlocks(network.partition, network.blocks, kernels.database()));
  return LoadWithKernels(network.graph, partition, kernels.maker());
}

Json ToJson(const MadeKernels& kernels) {
  return {{"kernels", kernels.schedules.size()},
          {"tuned", kernels.tuned},
          {"built", kernels.built},
          {"build_ms", kernels.build_ms},
          {"checked", kernels.checked},
          {"check_ms", kernels.check_ms},
          {"unchecked", kernels.unchecked}};
}

std::string MakingText(const MadeKernels& kernels) {
  if (kernels.built + kernels.checked == 0) return "all of them from the cache";
  return fmt::format("{} built in {:.1f} s of CPU, {} checked in {:.1f} s", kernels.built,
                     kernels.build_ms / 1e3, kernels.checked, kernels.check_ms / 1e3);
}

void WarnOfUnchecked(const MadeKernels& kernels, const Target& target) {
  if (kernels.unchecked == 0) return;
  std::fprintf(stderr,
               "whet: %d of %zu kernels are not checked: this machine (%s) does not run those for "
               "%s\n",
               kernels.unchecked, kernels.schedules.size(), LargestIsaHere().c_str(),
               target.ToString().c_str());
}

}  // namespace whet
