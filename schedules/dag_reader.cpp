#include "schedules/dag_reader.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "schedules/task_dag.h"

namespace whet {
namespace {

using Halide::Expr;
namespace hi = Halide::Internal;

// Turns an index expression into postfix form over the definition's loops.
class IndexReader {
 public:
  explicit IndexReader(const std::map<std::string, int>& loops) : loops_(loops) {}

  IndexExpr Read(const Expr& e) {
    IndexExpr result;
    if (!Emit(e, &result.nodes)) result.nodes = {{IndexExpr::Op::kUnknown, 0}};
    return result;
  }

 private:
  using Nodes = std::vector<IndexExpr::Node>;

  bool Emit(const Expr& e, Nodes* out) {
    if (const auto constant = hi::as_const_int(e)) {
      out->push_back({IndexExpr::Op::kConst, *constant});
      return true;
    }
    if (const auto* v = e.as<hi::Variable>()) {
      const auto it = loops_.find(v->name);
      if (it == loops_.end()) return false;
      out->push_back({IndexExpr::Op::kLoop, it->second});
      return true;
    }
    if (const auto* op = e.as<hi::Cast>()) return Emit(op->value, out);
    if (const auto* call = e.as<hi::Call>(); call && call->is_intrinsic(hi::Call::likely))
      return Emit(call->args[0], out);
    if (const auto* op = e.as<hi::Add>()) return Both(op->a, op->b, IndexExpr::Op::kAdd, out);
    if (const auto* op = e.as<hi::Min>()) return Both(op->a, op->b, IndexExpr::Op::kMin, out);
    if (const auto* op = e.as<hi::Max>()) return Both(op->a, op->b, IndexExpr::Op::kMax, out);
    if (const auto* op = e.as<hi::Sub>()) {
      if (!Emit(op->a, out) || !Emit(op->b, out)) return false;
      out->push_back({IndexExpr::Op::kMul, -1});
      out->push_back({IndexExpr::Op::kAdd, 0});
      return true;
    }
    if (const auto* op = e.as<hi::Mul>()) return ByConstant(op->a, op->b, IndexExpr::Op::kMul, out);
    if (const auto* op = e.as<hi::Div>())
      return ByConstant(op->a, op->b, IndexExpr::Op::kFloorDiv, out);
    if (const auto* op = e.as<hi::Mod>()) return ByConstant(op->a, op->b, IndexExpr::Op::kMod, out);
    return false;
  }
  bool Both(const Expr& a, const Expr& b, IndexExpr::Op op, Nodes* out) {
    if (!Emit(a, out) || !Emit(b, out)) return false;
    out->push_back({op, 0});
    return true;
  }
  bool ByConstant(const Expr& a, const Expr& b, IndexExpr::Op op, Nodes* out) {
    if (const auto constant = hi::as_const_int(b)) {
      if (!Emit(a, out)) return false;
      out->push_back({op, *constant});
      return true;
    }
    if (op != IndexExpr::Op::kMul) return false;
    const auto constant = hi::as_const_int(a);
    if (!constant || !Emit(b, out)) return false;
    out->push_back({op, *constant});
    return true;
  }

  const std::map<std::string, int>& loops_;
};

// Collects the accesses and the floating-point operations of a right-hand side. What is shared
// within it counts once, as it is computed once.
class BodyReader : public hi::IRGraphVisitor {
 public:
  BodyReader(const std::map<std::string, int>& stages, const std::map<std::string, int>& loops,
             const std::string& self, Definition* definition)
      : stages_(stages),
        loops_(loops),
        index_reader_(loops),
        self_(self),
        definition_(definition) {}

 private:
  using IRGraphVisitor::visit;

  void visit(const hi::Call* op) override {
    if (op->call_type == hi::Call::Halide || op->call_type == hi::Call::Image) {
      if (op->name == self_) return;
      Access access;
      access.stage = stages_.at(op->name);
      for (const Expr& arg : op->args) access.index.push_back(index_reader_.Read(arg));
      definition_->reads.push_back(std::move(access));
      // A gather's index is itself read from memory.
      for (const Expr& arg : op->args)
        if (!arg.as<hi::Variable>()) VisitIndex(arg);
      return;
    }
    if (op->is_intrinsic(hi::Call::mux)) return VisitMux(op);
    if (op->is_strict_float_intrinsic()) {  // counts as the operation that it is
      include(hi::unstrictify_float(op));
      return;
    }
    if (op->type.is_float() && (op->is_extern() || op->call_type == hi::Call::PureExtern)) {
      definition_->ops.transcendental += 1;
    }
    IRGraphVisitor::visit(op);
  }
  void visit(const hi::Add* op) override {
    if (Counts(op->type)) {
      const auto* a = op->a.as<hi::Mul>();
      const auto* b = op->b.as<hi::Mul>();
      if (a != nullptr || b != nullptr) {
        definition_->ops.fma += 1;
        in_fma_.insert(a != nullptr ? a : b);
      } else {
        definition_->ops.add += 1;
      }
    }
    IRGraphVisitor::visit(op);
  }
  void visit(const hi::Sub* op) override { Count(op, &definition_->ops.add); }
  void visit(const hi::Mul* op) override {
    double none = 0;
    Count(op, in_fma_.contains(op) ? &none : &definition_->ops.mul);
  }
  void visit(const hi::Div* op) override { Count(op, &definition_->ops.div); }
  void visit(const hi::Min* op) override { Count(op, &definition_->ops.minmax); }
  void visit(const hi::Max* op) override { Count(op, &definition_->ops.minmax); }
  void visit(const hi::Select* op) override { Count(op, &definition_->ops.compare); }

  template <typename Op>
  void Count(const Op* op, double* counter) {
    if (Counts(op->type)) {
      *counter += 1;
    } else {
      definition_->ops.integer += 1;
    }
    IRGraphVisitor::visit(op);
  }
  // mux(loop, values): each value is evaluated where the loop has its number.
  void VisitMux(const hi::Call* op) {
    if (const auto* loop = op->args[0].as<hi::Variable>()) {
      std::vector<int>& loops = definition_->choosing_loops;
      const int index = loops_.at(loop->name);
      if (std::find(loops.begin(), loops.end(), index) == loops.end()) loops.push_back(index);
    }
    const OpCounts before = std::exchange(definition_->ops, {});
    for (size_t i = 1; i < op->args.size(); ++i) include(op->args[i]);
    const OpCounts all = std::exchange(definition_->ops, before);
    definition_->ops.AddScaled(all, 1.0 / static_cast<double>(op->args.size() - 1));
  }
  bool Counts(const Halide::Type& type) const { return !in_index_ && type.is_float(); }
  void VisitIndex(const Expr& arg) {
    const bool outer = in_index_;
    in_index_ = true;
    include(arg);
    in_index_ = outer;
  }

  const std::map<std::string, int>& stages_;
  const std::map<std::string, int>& loops_;
  IndexReader index_reader_;
  const std::string self_;
  Definition* definition_;
  std::set<const hi::Mul*> in_fma_;
  bool in_index_ = false;
};

// Without lets, equal subexpressions being one.
Expr Shared(const Expr& value) {
  return hi::substitute_in_all_lets(hi::common_subexpression_elimination(value));
}

// A boundary condition: select(condition on coordinates, one read, constant).
bool IsPadding(const Expr& value) {
  const auto* cast = value.as<hi::Cast>();
  const auto* select = (cast ? cast->value : value).as<hi::Select>();
  if (select == nullptr || !hi::is_const(select->false_value)) return false;
  const auto* read = select->true_value.as<hi::Call>();
  return read != nullptr &&
         (read->call_type == hi::Call::Halide || read->call_type == hi::Call::Image);
}

std::vector<Loop> PureLoops(const HalideStage& stage) {
  std::vector<Loop> loops;
  for (size_t d = 0; d < stage.dims.size(); ++d)
    loops.push_back({stage.dims[d], stage.extents[d], false});
  return loops;
}

DataType FromHalide(const Halide::Type& type) {
  for (DataType d : {DataType::kFloat32, DataType::kFloat16, DataType::kFloat64, DataType::kInt8,
                     DataType::kUInt8, DataType::kInt16, DataType::kUInt16, DataType::kInt32,
                     DataType::kUInt32, DataType::kInt64}) {
    if (HalideType(d) == type) return d;
  }
  return DataType::kFloat32;
}

}  // namespace

Dag ReadDag(const HalideAlgorithm& algorithm) {
  Dag dag;
  std::map<std::string, int> stage_of;  // by the name that calls carry
  for (const HalideInput& input : algorithm.inputs) {
    Stage stage;
    stage.name = input.name;
    stage.kind = StageKind::kInput;
    stage.dtype = input.type.dtype;
    stage.constant = input.constant;
    const std::vector<std::string> names = DimensionNames(input.type.shape.size());
    for (size_t d = 0; d < names.size(); ++d)
      stage.dims.push_back({names[d], input.type.shape[names.size() - 1 - d], false});
    // Halide reads an ImageParam through a Func of its own.
    const Halide::Func reader = input.param;
    stage_of[reader.name()] = stage_of[input.param.name()] = static_cast<int>(dag.stages.size());
    dag.stages.push_back(std::move(stage));
  }
  for (const HalideStage& source : algorithm.stages) {
    const hi::Function function = source.func.function();
    Stage stage;
    stage.name = source.name;
    stage.dtype = FromHalide(function.output_types()[0]);
    stage.dims = PureLoops(source);
    stage.kind = source.reductions.empty() ? StageKind::kPure : StageKind::kReduction;
    stage.combines = source.combining != Combining::kOther;

    std::map<std::string, int> loops;
    for (size_t d = 0; d < source.dims.size(); ++d) loops[source.dims[d]] = static_cast<int>(d);
    Definition pure;
    pure.loops = PureLoops(source);
    const Expr value = Shared(function.values()[0]);
    BodyReader reader(stage_of, loops, function.name(), &pure);
    value.accept(&reader);
    stage.pads = IsPadding(value);
    stage.definitions.push_back(std::move(pure));

    for (const hi::Definition& update : function.updates()) {
      Definition definition;
      definition.loops = PureLoops(source);
      for (size_t r = 0; r < source.reductions.size(); ++r) {
        const hi::ReductionVariable& rv = update.schedule().rvars()[r];
        loops[rv.var] = static_cast<int>(definition.loops.size());
        definition.loops.push_back({source.reductions[r], *hi::as_const_int(rv.extent), true});
      }
      BodyReader body(stage_of, loops, function.name(), &definition);
      Shared(update.values()[0]).accept(&body);
      stage.definitions.push_back(std::move(definition));
    }
    stage_of[function.name()] = static_cast<int>(dag.stages.size());
    dag.stages.push_back(std::move(stage));
  }
  return dag;
}

Result<Dag> ReadTaskDag(const Task& task, AlgorithmOptions options) {
  for (const TaskInput& input : task.inputs)
    if (input.constant) options.packed.erase(input.name);
  try {
    return ReadDag(BuildHalideAlgorithm(task, options));
  } catch (const Halide::Error& e) {
    return Fail(ErrorCode::kUnsupported, "{}: {}", task.Describe(), e.what());
  }
}

}  // namespace whet
