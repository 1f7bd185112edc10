// A serialised pipeline read: parameters, Funcs, and the regions that are computed of them.
#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <utility>

#include "schedules/operators/halide_pipeline.h"

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
  return hi::simplify(hi::substitute(constants_, hi::substitute_in_all_lets(expr)));
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
    ASSIGN_OR_RETURN(func.type.dtype,
                     ElementType(func.function.output_types()[0], fmt::format("Func '{}'", name)));
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
    func.type.shape = Outermost(func.extent);
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

}  // namespace whet
