#include "lowered.h"

#include "schedules/apply_halide.h"
#include "schedules/halide_algorithm.h"

namespace whet {
namespace {

namespace hi = Halide::Internal;

class Meter : public hi::IRVisitor {
 public:
  Meter(std::map<std::string, std::string> stage_of, std::map<std::string, LoweredStage>* stages)
      : stage_of_(std::move(stage_of)), stages_(stages) {}

 private:
  using IRVisitor::visit;

  void visit(const hi::For* op) override {
    // FUNC.sDEFINITION.NAME, where NAME repeats the names that it was split from; ".rebased": made
    // to start at 0.
    std::string loop = op->name;
    if (const size_t rebased = loop.rfind(".rebased"); rebased != std::string::npos)
      loop.resize(rebased);
    const size_t first = loop.find(".s");
    const size_t last = loop.rfind('.');
    const auto extent = hi::as_const_int(hi::simplify(op->extent));
    const auto stage = stage_of_.find(loop.substr(0, first));
    if (stage != stage_of_.end() && first != std::string::npos) {
      std::string definition = loop.substr(first + 2);
      definition = definition.substr(0, definition.find('.'));
      std::string name = loop.substr(last + 1);
      name = name.substr(0, name.find('$'));
      (*stages_)[stage->second].loops[definition + "." + name].insert(extent ? *extent : -1);
    }
    const double outer = trips_;
    trips_ *= extent ? static_cast<double>(*extent) : 1;
    IRVisitor::visit(op);
    trips_ = outer;
  }
  void visit(const hi::Store* op) override {
    const auto stage = stage_of_.find(op->name);
    if (stage != stage_of_.end()) {
      LoweredStage& s = (*stages_)[stage->second];
      s.stores += trips_ * op->value.type().lanes();
      s.widest_store = std::max<int64_t>(s.widest_store, op->value.type().lanes());
    }
    IRVisitor::visit(op);
  }
  void visit(const hi::Allocate* op) override {
    const auto stage = stage_of_.find(op->name);
    if (stage != stage_of_.end()) {
      int64_t bytes = op->type.bytes();
      for (const Halide::Expr& e : op->extents) {
        const auto extent = hi::as_const_int(hi::simplify(e));
        bytes *= extent ? *extent : -1;
      }
      (*stages_)[stage->second].allocations.insert(bytes);
    }
    IRVisitor::visit(op);
  }

  std::map<std::string, std::string> stage_of_;
  std::map<std::string, LoweredStage>* stages_;
  double trips_ = 1;
};

class PromiseReader : public hi::IRVisitor {
 public:
  std::vector<std::string> broken;

 private:
  using IRVisitor::visit;

  void visit(const hi::AssertStmt* op) override {
    const auto* call = op->message.as<hi::Call>();
    if (call == nullptr || call->name != "halide_error_explicit_bounds_too_small" ||
        !hi::is_const_zero(hi::simplify(op->condition)))
      return;
    std::ostringstream text;
    text << op->message;
    broken.push_back(text.str());
  }
};

}  // namespace

Result<std::vector<std::string>> BrokenPromises(const Task& task, const Trace& trace) {
  try {
    HalideAlgorithm algorithm = BuildHalideAlgorithm(task, AlgorithmOptionsOf(trace.directives));
    RETURN_IF_ERROR(ApplyHalide(trace.directives, &algorithm));
    std::vector<Halide::Argument> arguments;
    for (const HalideInput& input : algorithm.inputs) arguments.push_back(input.param);
    // Unlike kernels' targets, one with assertions.
    const Halide::Module module = algorithm.stages.back().func.compile_to_module(
        arguments, "checked",
        Halide::Target("x86-64-linux-avx-avx2-fma-no_runtime-no_bounds_query"));
    PromiseReader reader;
    module.get_conceptual_stmt().accept(&reader);
    return reader.broken;
  } catch (const Halide::Error& e) {
    return Fail(ErrorCode::kFailed, "Halide: {}", e.what());
  }
}

Result<std::map<std::string, LoweredStage>> Lower(const Task& task, const Trace& trace,
                                                  const std::string& halide_target) {
  try {
    HalideAlgorithm algorithm = BuildHalideAlgorithm(task, AlgorithmOptionsOf(trace.directives));
    RETURN_IF_ERROR(ApplyHalide(trace.directives, &algorithm));
    std::map<std::string, std::string> stage_of;
    for (HalideStage& stage : algorithm.stages) {
      stage_of[stage.func.name()] = stage.name;
      stage.func.never_partition_all();
      for (int u = 0; u < stage.func.num_update_definitions(); ++u)
        stage.func.update(u).never_partition_all();
    }
    std::vector<Halide::Argument> arguments;
    for (const HalideInput& input : algorithm.inputs) arguments.push_back(input.param);
    const Halide::Module module = algorithm.stages.back().func.compile_to_module(
        arguments, "lowered", Halide::Target(halide_target));
    std::map<std::string, LoweredStage> stages;
    Meter meter(stage_of, &stages);
    module.get_conceptual_stmt().accept(&meter);
    return stages;
  } catch (const Halide::Error& e) {
    return Fail(ErrorCode::kFailed, "Halide: {}", e.what());
  }
}

}  // namespace whet
