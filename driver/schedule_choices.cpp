#include "driver/schedule_choices.h"

#include <set>
#include <utility>

#include "base/cpu.h"
#include "base/version.h"
#include "codegen/worker.h"
#include "costmodel/cost_model.h"
#include "driver/kernel_key.h"
#include "search/guess.h"

namespace whet {
namespace {

// What a guess depends on besides the task and the program.
std::string MachineText(const MachineModel& machine) {
  return fmt::format("{} {} {} {} {} {}", machine.threads, machine.vector_bytes,
                     machine.vector_registers, machine.l1_bytes, machine.l2_bytes,
                     machine.l3_bytes);
}

}  // namespace

Result<SketchSpace*> ScheduleChoices::Space() {
  if (!space_) {
    ASSIGN_OR_RETURN(space_, SketchSpace::Create(task_, machine_));
  }
  return &*space_;
}

Result<std::optional<ScheduleChoice>> ScheduleChoices::FromRecord() {
  std::optional<ScheduleChoice> none;
  if (database_ != nullptr) {
    // What was found wrong once is not tried again.
    ASSIGN_OR_RETURN(const std::set<uint64_t> wrong, database_->WrongTraces(task_.Fingerprint()));
    seen_.insert(wrong.begin(), wrong.end());
    ASSIGN_OR_RETURN(const std::optional<Record> best, database_->Best(task_.Fingerprint()));
    // A record of an earlier version may speak of loops that the algorithm no longer has; one whose
    // kernel is there does not.
    bool usable = best.has_value();
    if (usable && !cache_->FindKernel(KernelKey(task_, best->trace))) {
      ASSIGN_OR_RETURN(const SketchSpace* space, Space());
      usable = space->Nest(best->trace).has_value();
    }
    if (usable) {
      const bool vouched =
          best->whet_version == kWhetVersion && best->halide_version == kHalideVersion;
      return ScheduleChoice{{best->trace, best->id}, vouched};
    }
  }
  if (on_miss_ == OnMiss::kError) {
    return Fail(ErrorCode::kNotFound,
                "{}: {} has no record of it for target {}; tune it, or take --on-miss default",
                task_.Describe(), database_ ? database_->path() : "no database (--db)",
                task_.target);
  }
  return none;
}

Result<Trace> ScheduleChoices::Guess() {
  const std::string key = ChoiceKey(task_, MachineText(machine_));
  if (std::optional<Trace> cached = cache_->FindChoice(key)) return std::move(*cached);
  // Never destroyed: at the program's end XGBoost's own statics are gone before it.
  static const auto& base = *new std::shared_ptr<CostModel>(MakeBaseModel(1));
  ASSIGN_OR_RETURN(Trace guess, GuessSchedule(task_, machine_, *base, AllowedCpuCount()));
  cache_->StoreChoice(key, task_.Describe(), task_.target, guess);
  return guess;
}

Result<std::optional<ScheduleChoice>> ScheduleChoices::Next() {
  while (stage_ != Stage::kEnd) {
    switch (stage_) {
      case Stage::kRecord: {
        stage_ = Stage::kGuess;
        ASSIGN_OR_RETURN(std::optional<ScheduleChoice> recorded, FromRecord());
        if (recorded && IsNew(recorded->schedule.trace)) return recorded;
        break;
      }
      case Stage::kGuess: {
        stage_ = Stage::kDefault;
        ASSIGN_OR_RETURN(Trace guess, Guess());
        if (IsNew(guess)) return ScheduleChoice{{std::move(guess), 0}, false};
        break;
      }
      case Stage::kDefault: {
        stage_ = Stage::kPlain;
        ASSIGN_OR_RETURN(const SketchSpace* space, Space());
        plain_ = space->PlainTraces();
        Trace plainest = space->Default();
        if (IsNew(plainest)) return ScheduleChoice{{std::move(plainest), 0}, false};
        break;
      }
      case Stage::kPlain: {
        if (plain_.empty()) {
          stage_ = Stage::kEnd;
          break;
        }
        Trace trace = std::move(plain_.back());
        plain_.pop_back();
        if (IsNew(trace)) return ScheduleChoice{{std::move(trace), 0}, false};
        break;
      }
      case Stage::kEnd:
        break;
    }
  }
  return std::optional<ScheduleChoice>();
}

}  // namespace whet
