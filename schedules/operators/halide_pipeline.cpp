#include "schedules/operators/halide_pipeline.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "schedules/operators/halide_operators.h"
#include "schedules/operators/pipeline.h"

namespace whet {
namespace {

using Halide::Expr;
namespace hi = Halide::Internal;

// Letters, digits and _ of a Halide name ("blur_x$1"), different from all of `taken`.
std::string StableName(const std::string& name, std::set<std::string>* taken) {
  std::string stable;
  for (char c : name) stable += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  if (stable.empty() || std::isdigit(static_cast<unsigned char>(stable[0])) != 0)
    stable.insert(0, "f");
  stable.resize(std::min<size_t>(stable.size(), 48));
  std::string unique = stable;
  for (int i = 1; !taken->insert(unique).second; ++i) unique = fmt::format("{}_{}", stable, i);
  return unique;
}

Result<DataType> ElementType(const Halide::Type& type, const std::string& what) {
  for (DataType dtype : {DataType::kFloat32, DataType::kFloat16, DataType::kFloat64,
                         DataType::kInt8, DataType::kUInt8, DataType::kInt16, DataType::kUInt16,
                         DataType::kInt32, DataType::kUInt32, DataType::kInt64})
    if (HalideType(dtype) == type) return dtype;
  if (type.is_bool()) return DataType::kBool;
  std::ostringstream text;
  text << type;
  return Fail(ErrorCode::kUnsupported,
              "{} has elements of type {}; Whet takes floating point numbers and integers of at "
              "most 64 bits",
              what, text.str());
}

Shape Outermost(const std::vector<int64_t>& extents) { return {extents.rbegin(), extents.rend()}; }

// Replaces variables by expressions.
class Substitution : public hi::IRMutator {
 public:
  explicit Substitution(const std::map<std::string, Expr>& values) : values_(values) {}

 private:
  using IRMutator::visit;
  Expr visit(const hi::Variable* op) override {
    const auto found = values_.find(op->name);
    return found == values_.end() ? Expr(op) : Halide::cast(op->type, found->second);
  }
  const std::map<std::string, Expr>& values_;
};

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

// The first call of `name` in an expression whose arguments are not `args`.
class OtherReads : public hi::IRVisitor {
 public:
  OtherReads(std::string name, const std::vector<Expr>& args)
      : name_(std::move(name)), args_(args) {}
  bool found = false;

 private:
  using IRVisitor::visit;
  void visit(const hi::Call* op) override {
    if (op->name == name_ && op->call_type == hi::Call::Halide) {
      for (size_t i = 0; i < args_.size(); ++i) found |= !hi::equal(op->args[i], args_[i]);
    }
    IRVisitor::visit(op);
  }
  const std::string name_;
  const std::vector<Expr>& args_;
};

Result<int64_t> ConstantInt(const Expr& e, const std::string& what) {
  if (e.defined()) {
    if (const auto value = hi::as_const_int(hi::simplify(e))) return *value;
  }
  return Fail(ErrorCode::kInvalidInput, "{}", what);
}

// The first variable that stands for a parameter.
class ParameterFinder : public hi::IRVisitor {
 public:
  Halide::Parameter found;

 private:
  using IRVisitor::visit;
  void visit(const hi::Variable* op) override {
    if (op->param.defined() && !found.defined()) found = op->param;
  }
};

// Why Whet cannot schedule the Func; empty: it can.
std::string Refusal(const hi::Function& function) {
  if (function.has_extern_definition()) return "is computed by an extern function";
  if (function.outputs() != 1) return "is a Tuple";
  if (!function.has_pure_definition()) return "has no pure definition";
  for (const hi::Definition& update : function.updates()) {
    for (size_t d = 0; d < update.args().size(); ++d) {
      const auto* var = update.args()[d].as<hi::Variable>();
      if (var == nullptr || var->name != function.args()[d])
        return "has an update that does not cover its dimensions as the pure definition does";
    }
    if (!hi::is_const_one(update.predicate())) return "has an update over an RDom with a where()";
    OtherReads others(function.name(), update.args());
    for (const Expr& value : update.values()) hi::substitute_in_all_lets(value).accept(&others);
    if (others.found) return "has an update that reads its own values at other places";
  }
  return "";
}

Status CheckFunc(const hi::Function& function) {
  const std::string refusal = Refusal(function);
  if (refusal.empty()) return {};
  return Fail(ErrorCode::kUnsupported,
              "Func '{}' {}; Whet schedules pure Funcs, and reductions over RDoms into them",
              function.name(), refusal);
}

}  // namespace

Expr LoadedPipeline::Constant(const Expr& expr) const {
  Substitution substitution(constants_);
  return hi::simplify(substitution.mutate(hi::substitute_in_all_lets(expr)));
}

Status LoadedPipeline::CheckBound(const Expr& expr) const {
  ParameterFinder finder;
  Constant(expr).accept(&finder);
  if (!finder.found.defined()) return {};
  const std::string& name = finder.found.name();
  if (finder.found.is_buffer()) {
    return Fail(ErrorCode::kInvalidInput,
                "the pipeline asks for the bounds of its input '{}', which the file does not hold; "
                "give its extents, dimension 0 first, with --shape {}=WIDTHxHEIGHT",
                name, name);
  }
  return Fail(ErrorCode::kInvalidInput,
              "the file does not hold the value of the parameter '{}'; give it with --scalar "
              "{}=NUMBER",
              name, name);
}

Status LoadedPipeline::ReadParameters(const std::map<std::string, Halide::Parameter>& parameters,
                                      const PipelineBindings& bindings) {
  std::set<std::string> taken;
  for (const auto& [name, given] : bindings.images) {
    const auto found = parameters.find(name);
    if (found == parameters.end() || !found->second.is_buffer() ||
        found->second.dimensions() != static_cast<int>(given.size()))
      return Fail(ErrorCode::kInvalidInput, "the pipeline has no input '{}' of {} dimensions", name,
                  given.size());
  }
  for (const auto& [name, value] : bindings.scalars) {
    const auto found = parameters.find(name);
    if (found == parameters.end() || found->second.is_buffer())
      return Fail(ErrorCode::kInvalidInput, "the pipeline has no scalar parameter '{}'", name);
    constants_[name] = Halide::cast(found->second.type(), Expr(value));
  }
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.is_buffer()) continue;
    PipelineImage image;
    image.parameter = parameter;
    ASSIGN_OR_RETURN(image.type.dtype,
                     ElementType(parameter.type(), fmt::format("the input '{}'", name)));
    image.name = StableName(name, &taken);
    if (const auto found = bindings.images.find(name); found != bindings.images.end()) {
      image.given = true;
      int64_t stride = 1;
      for (size_t d = 0; d < found->second.size(); ++d) {
        const auto [min, extent] = found->second[d];
        constants_[fmt::format("{}.min.{}", name, d)] = static_cast<int>(min);
        constants_[fmt::format("{}.extent.{}", name, d)] = static_cast<int>(extent);
        constants_[fmt::format("{}.stride.{}", name, d)] = static_cast<int>(stride);
        image.min.push_back(min);
        image.extent.push_back(extent);
        stride *= extent;
      }
    }
    images_.push_back(std::move(image));
  }
  return {};
}

Status LoadedPipeline::ReadFuncs(const Halide::Pipeline& pipeline) {
  if (pipeline.outputs().size() != 1) {
    return Fail(ErrorCode::kUnsupported, "the pipeline has {} outputs; Whet takes those with one",
                pipeline.outputs().size());
  }
  const hi::Function output = pipeline.outputs()[0].function();
  const std::map<std::string, hi::Function> environment = hi::build_environment({output});
  std::set<std::string> taken, loops;
  std::map<std::string, std::string> dims;  // one stable name for each of Halide's
  for (const PipelineImage& image : images_) taken.insert(image.name);
  for (const std::string& name : hi::topological_order({output}, environment)) {
    PipelineFunc func;
    func.function = environment.at(name);
    RETURN_IF_ERROR(CheckFunc(func.function));
    RETURN_IF_ERROR(ElementType(func.function.output_types()[0], "Func '" + name + "'"));
    func.stage = StableName(name, &taken);
    for (const std::string& dim : func.function.args()) {
      if (!dims.contains(dim)) dims[dim] = StableName(dim, &loops);
      func.dims.push_back(dims[dim]);
    }
    for (const hi::Definition& update : func.function.updates())
      for (const hi::ReductionVariable& rv : update.schedule().rvars())
        func.reductions.push_back(StableName(rv.var, &loops));
    funcs_.push_back(std::move(func));
  }
  PipelineFunc& last = funcs_.back();
  for (const std::string& dim : last.function.args()) {
    const std::string what = fmt::format(
        "the output '{}' has no estimate of dimension '{}'; call set_estimates() with "
        "constants before serialising",
        last.function.name(), dim);
    Expr min, extent;
    for (const hi::Bound& bound : last.function.schedule().estimates()) {
      if (bound.var != dim) continue;
      min = bound.min;
      extent = bound.extent;
    }
    ASSIGN_OR_RETURN(const int64_t low, ConstantInt(min, what));
    ASSIGN_OR_RETURN(const int64_t size, ConstantInt(extent, what));
    last.min.push_back(low);
    last.extent.push_back(size);
  }
  return {};
}

Result<std::map<std::string, hi::Box>> LoadedPipeline::Required(const PipelineFunc& func) const {
  hi::Scope<hi::Interval> scope;
  for (size_t d = 0; d < func.min.size(); ++d) {
    scope.push(func.function.args()[d],
               hi::Interval(static_cast<int>(func.min[d]),
                            static_cast<int>(func.min[d] + func.extent[d] - 1)));
  }
  std::map<std::string, hi::Box> all;
  const auto add = [&](const Expr& value) {
    for (const auto& [name, box] : hi::boxes_required(Constant(value), scope))
      hi::merge_boxes(all[name], box);
  };
  for (const Expr& value : func.function.values()) {
    RETURN_IF_ERROR(CheckBound(value));
    add(value);
  }
  for (const hi::Definition& update : func.function.updates()) {
    for (const hi::ReductionVariable& rv : update.schedule().rvars()) {
      RETURN_IF_ERROR(CheckBound(rv.min));
      RETURN_IF_ERROR(CheckBound(rv.extent));
      const std::string what = fmt::format(
          "the RDom of Func '{}' has no constant bounds; Whet "
          "schedules reductions of static extents",
          func.function.name());
      ASSIGN_OR_RETURN(const int64_t min, ConstantInt(Constant(rv.min), what));
      ASSIGN_OR_RETURN(const int64_t extent, ConstantInt(Constant(rv.extent), what));
      scope.push(rv.var, hi::Interval(static_cast<int>(min), static_cast<int>(min + extent - 1)));
    }
    for (const Expr& value : update.values()) {
      RETURN_IF_ERROR(CheckBound(value));
      add(value);
    }
  }
  all.erase(func.function.name());
  return all;
}

Status LoadedPipeline::InferRegions() {
  std::map<std::string, hi::Box> needed;  // of Funcs and images, by Halide's name
  for (size_t i = funcs_.size(); i-- > 0;) {
    PipelineFunc& func = funcs_[i];
    const hi::Box& box = needed[func.function.name()];
    for (size_t d = 0; d < box.size() && i + 1 < funcs_.size(); ++d) {
      const auto low = hi::as_const_int(hi::simplify(box[d].min));
      const auto high = hi::as_const_int(hi::simplify(box[d].max));
      if (!box[d].is_bounded() || !low || !high) {
        return Fail(
            ErrorCode::kUnsupported,
            "Func '{}' is read where no bound is known in dimension '{}'; clamp() the index",
            func.function.name(), func.function.args()[d]);
      }
      func.min.push_back(*low);
      func.extent.push_back(*high - *low + 1);
    }
    if (func.min.size() != func.dims.size())
      return Fail(ErrorCode::kUnsupported, "Func '{}' is read by nothing", func.function.name());
    ASSIGN_OR_RETURN(const auto required, Required(func));
    for (const auto& [name, more] : required) hi::merge_boxes(needed[name], more);
  }
  for (PipelineImage& image : images_)
    RETURN_IF_ERROR(ShapeImage(needed[image.parameter.name()], &image));
  return {};
}

Status LoadedPipeline::ShapeImage(const hi::Box& box, PipelineImage* image) const {
  for (size_t d = 0; d < box.size(); ++d) {
    const auto low = hi::as_const_int(hi::simplify(box[d].min));
    const auto high = hi::as_const_int(hi::simplify(box[d].max));
    if (!image->given && low && high) {
      image->min.push_back(*low);
      image->extent.push_back(*high - *low + 1);
      continue;
    }
    const std::string& name = image->parameter.name();
    if (!low || !high) {
      return Fail(
          ErrorCode::kInvalidInput,
          "the input '{}' is read where no bound is known in dimension {}; clamp() the index", name,
          d);
    }
    if (*low >= image->min[d] && *high < image->min[d] + image->extent[d]) continue;
    return Fail(ErrorCode::kInvalidInput,
                "the input '{}' is read from {} to {} in dimension {}, and has {} elements from {} "
                "there; clamp() the index or give it a larger --shape",
                name, *low, *high, d, image->extent[d], image->min[d]);
  }
  if (image->extent.empty() && image->parameter.dimensions() > 0)
    return Fail(ErrorCode::kUnsupported, "the input '{}' is read by nothing",
                image->parameter.name());
  image->type.shape = Outermost(image->extent);
  return {};
}

Result<LoadedPipeline> LoadedPipeline::FromBytes(const std::vector<uint8_t>& bytes,
                                                 const PipelineBindings& bindings) {
  LoadedPipeline loaded;
  try {
    const std::map<std::string, Halide::Parameter> parameters =
        Halide::deserialize_parameters(bytes);
    const Halide::Pipeline pipeline = Halide::deserialize_pipeline(bytes, parameters);
    RETURN_IF_ERROR(loaded.ReadParameters(parameters, bindings));
    RETURN_IF_ERROR(loaded.ReadFuncs(pipeline));
    RETURN_IF_ERROR(loaded.InferRegions());
  } catch (const Halide::Error& e) {
    return Fail(ErrorCode::kInvalidInput, "no pipeline of Halide 21: {}", e.what());
  }
  return loaded;
}

TensorType LoadedPipeline::output() const {
  const PipelineFunc& last = funcs_.back();
  return {*ElementType(last.function.output_types()[0], ""), Outermost(last.extent)};
}

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
    const TensorType type{*ElementType(function.output_types()[0], ""), Outermost(func.extent)};
    // `value` with its Vars and RVars at an index of the stage, outermost first.
    const auto at = [&](const Expr& value, const Exprs& index,
                        const std::map<std::string, Expr>& more) {
      std::map<std::string, Expr> values = more;
      for (size_t d = 0; d < func.min.size(); ++d) {
        const Expr& i = index[func.min.size() - 1 - d];
        values[function.args()[d]] = func.min[d] == 0 ? i : i + static_cast<int>(func.min[d]);
      }
      Reads reads(readers);
      return reads.mutate(Substitution(values).mutate(Constant(value)));
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
                more[rvars[r].var] = at_reduction[r] + Constant(rvars[r].min);
              return Halide::cast(HalideType(type.dtype), value(current, index, more));
            },
            func.dims);
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
  return loaded->Build(builder, node.inputs);
}

}  // namespace whet
