// A pipeline that was read as stages, and as the algorithm of its operator.
#include "schedules/operators/halide_pipeline.h"

#include "schedules/operators/halide_operators.h"

namespace whet {
namespace {

using Halide::Expr;
namespace hi = Halide::Internal;

// Replaces reads of Funcs and images by reads of stages and inputs.
class Reads : public hi::IRMutator {
 public:
  using Reader = std::function<Expr(const std::vector<Expr>& index)>;
  explicit Reads(const std::map<std::string, Reader>& readers) : readers_(readers) {}

 private:
  using IRMutator::visit;
  Expr visit(const hi::Call* op) override {
    const Expr mutated = IRMutator::visit(op);
    const auto* call = mutated.as<hi::Call>();
    if (call == nullptr ||
        (call->call_type != hi::Call::Halide && call->call_type != hi::Call::Image))
      return mutated;
    return Halide::cast(call->type, readers_.at(call->name)(call->args));
  }
  const std::map<std::string, Reader>& readers_;
};

// How many calls of the Func are in the expression.
int CallsOf(const std::string& func, const Expr& e) {
  class Counter : public hi::IRVisitor {
   public:
    explicit Counter(const std::string& func) : func_(func) {}
    int calls = 0;

   private:
    using IRVisitor::visit;
    void visit(const hi::Call* op) override {
      IRVisitor::visit(op);
      calls += op->call_type == hi::Call::Halide && op->name == func_;
    }
    const std::string& func_;
  };
  Counter counter(func);
  e.accept(&counter);
  return counter.calls;
}

// Whether the expression is the Func's own value and something else under `Op`, perhaps several
// times: f + a + b.
template <typename Op>
bool IsChainOf(const std::string& func, const Expr& e) {
  if (const auto* call = e.as<hi::Call>()) return call->name == func;
  const auto* op = e.as<Op>();
  return op != nullptr && (IsChainOf<Op>(func, op->a) || IsChainOf<Op>(func, op->b));
}

// What an update makes of the value before it.
Combining CombiningOf(const std::string& func, const Expr& with_lets) {
  const Expr update = hi::substitute_in_all_lets(with_lets);
  if (CallsOf(func, update) != 1) return Combining::kOther;
  if (IsChainOf<hi::Add>(func, update)) return Combining::kSum;
  if (IsChainOf<hi::Max>(func, update)) return Combining::kMax;
  if (IsChainOf<hi::Min>(func, update)) return Combining::kMin;
  return Combining::kOther;
}

}  // namespace

TensorReader LoadedPipeline::Build(AlgorithmBuilder& builder,
                                   const std::vector<TensorReader>& images) const {
  std::map<std::string, Reads::Reader> readers;
  // Reads of what starts at `min`, with Halide's order of indices.
  const auto add_reader = [&](const std::string& name, const TensorReader& reader,
                              const std::vector<int64_t>& min) {
    readers[name] = [reader, min](const std::vector<Expr>& args) {
      Exprs index;
      for (size_t d = args.size(); d-- > 0;)
        index.push_back(min[d] == 0 ? args[d] : hi::simplify(args[d] - static_cast<int>(min[d])));
      return reader(index);
    };
  };
  for (size_t i = 0; i < images_.size(); ++i)
    add_reader(images_[i].parameter.name(), images[i], images_[i].min);

  TensorReader result;
  for (const PipelineFunc& func : funcs_) {
    const hi::Function& function = func.function;
    const TensorType& type = func.type;
    // `value` with its Vars and RVars at an index of the stage, outermost first.
    const auto at = [&](const Expr& value, const Exprs& index,
                        const std::map<std::string, Expr>& more) {
      std::map<std::string, Expr> values = more;
      for (size_t d = 0; d < func.min.size(); ++d) {
        const Expr& i = index[func.min.size() - 1 - d];
        values[function.args()[d]] = func.min[d] == 0 ? i : i + static_cast<int>(func.min[d]);
      }
      Reads reads(readers);
      return reads.mutate(hi::substitute(values, Constant(value)));
    };
    // Each update is a stage that starts from what was there before.
    std::function<Expr(const Exprs&)> before = [&](const Exprs& index) {
      return at(function.values()[0], index, {});
    };
    size_t reduction = 0;
    if (function.updates().empty()) result = builder.Pure(func.stage, type, before, func.dims);
    for (size_t u = 0; u < function.updates().size(); ++u) {
      const hi::Definition& update = function.updates()[u];
      const std::vector<hi::ReductionVariable>& rvars = update.schedule().rvars();
      const std::string hint =
          u + 1 < function.updates().size() ? fmt::format("{}_u{}", func.stage, u) : func.stage;
      const auto value = [&](const Expr& current, const Exprs& index,
                             const std::map<std::string, Expr>& more) {
        readers[function.name()] = [current](const std::vector<Expr>&) { return current; };
        return at(update.values()[0], index, more);
      };
      if (rvars.empty()) {
        result = builder.Pure(
            hint, type, [&](const Exprs& index) { return value(before(index), index, {}); },
            func.dims);
      } else {
        std::vector<AlgorithmBuilder::ReductionLoop> loops;
        for (const hi::ReductionVariable& rv : rvars)
          loops.push_back({func.reductions[reduction++], *hi::as_const_int(Constant(rv.extent))});
        result = builder.Reduce(
            hint, type, loops, before,
            [&](const Expr& current, const Exprs& index, const Exprs& at_reduction) {
              std::map<std::string, Expr> more;
              for (size_t r = 0; r < rvars.size(); ++r)
                more[rvars[r].var] = hi::simplify(at_reduction[r] + Constant(rvars[r].min));
              return Halide::cast(HalideType(type.dtype), value(current, index, more));
            },
            CombiningOf(function.name(), update.values()[0]), func.dims);
      }
      before = [result](const Exprs& index) { return result(index); };
    }
    add_reader(function.name(), result, func.min);
  }
  return result;
}

std::map<std::string, size_t> LoadedPipeline::FuncIndices() const {
  std::map<std::string, size_t> indices;
  for (size_t i = 0; i < funcs_.size(); ++i) {
    const auto& updates = funcs_[i].function.updates();
    if (updates.size() > 1 || (updates.size() == 1 && updates[0].schedule().rvars().empty()))
      return {};
    indices[funcs_[i].stage] = i;
  }
  return indices;
}

Result<LoadedPipeline> LoadPipeline(const Attributes& attributes) {
  ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, PipelineBytes(attributes));
  PipelineBindings bindings;
  ASSIGN_OR_RETURN(bindings.scalars, ParseScalars(attributes.String("scalars")));
  // The bounds of all images: without them the bytes say how many there are.
  const std::vector<int64_t> bounds = attributes.Ints("bounds");
  size_t next = 0;
  try {
    for (const auto& [name, parameter] : Halide::deserialize_parameters(bytes)) {
      if (!parameter.is_buffer()) continue;
      std::vector<PipelineBindings::Range>& image = bindings.images[name];
      for (int d = 0; d < parameter.dimensions() && next + 1 < bounds.size(); ++d, next += 2)
        image.push_back({bounds[next], bounds[next + 1]});
    }
  } catch (const Halide::Error& e) {
    return Fail(ErrorCode::kInvalidInput, "no pipeline of Halide 21: {}", e.what());
  }
  return LoadedPipeline::FromBytes(bytes, bindings);
}

TensorReader HalidePipeline(AlgorithmBuilder& builder, const HalideNode& node) {
  const Result<LoadedPipeline> loaded = LoadPipeline(node.node.attributes);
  if (!loaded) throw Halide::CompileError(loaded.error().message.c_str());
  bool fits = loaded->output() == node.output && loaded->images().size() == node.inputs.size();
  for (size_t i = 0; fits && i < node.inputs.size(); ++i)
    fits = loaded->images()[i].type == node.inputs[i].type;
  if (!fits) throw Halide::CompileError("the attributes do not describe the pipeline");
  builder.LeaveNans();
  return loaded->Build(builder, node.inputs);
}

}  // namespace whet
