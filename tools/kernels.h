// What verbs make kernels with: a cache, workers, and what is said and remembered of a kernel that
// is refused.
//
// Thread safety: one thread.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "codegen/target.h"
#include "driver/kernel_maker.h"
#include "driver/network_kernels.h"
#include "tools/session.h"
#include "tuning_db/database.h"

namespace whet {

struct KernelSettings {
  std::string database;  // path; empty: none
  OnMiss on_miss = OnMiss::kDefault;
  bool use_cache = true;
};

// The maker with all that it works with. Neither copied nor moved: the maker points into it.
class Kernels {
 public:
  // Opens the database for reading and the user's cache. `workers` are the caller's (the tuner
  // has some); null: own ones, started when there is something to build.
  static Result<std::unique_ptr<Kernels>> Create(const Target& target,
                                                 const KernelSettings& settings,
                                                 WorkerClient* workers = nullptr);
  Kernels(const Kernels&) = delete;

  KernelMaker& maker() { return *maker_; }
  const Database* database() const { return database_.get(); }  // null: none

 private:
  Kernels();
  void Refused(const std::string& target, const std::string& database,
               const RefusedKernel& refused) const;

  std::unique_ptr<Database> database_;
  LazyWorkers workers_;
  std::unique_ptr<KernelMaker> maker_;
};

// The network with its kernels, its blocks fused where records tell them to be faster.
Result<LoadedNetwork> LoadNetworkKernels(const Network& network, Kernels& kernels);

// How many were built and checked now, and how long that took: {"built", "build_ms", ..}.
Json ToJson(const MadeKernels& kernels);
// "52 built in 4.1 s of CPU, 52 checked in 0.9 s", or that the cache had all.
std::string MakingText(const MadeKernels& kernels);

// One line on standard error where kernels were made for another machine and so not checked.
void WarnOfUnchecked(const MadeKernels& kernels, const Target& target);

}  // namespace whet
