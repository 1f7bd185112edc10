#include "schedules/halide_algorithm.h"

#include <algorithm>

#include "schedules/flat_task.h"
#include "schedules/operators/operator.h"

namespace whet {
namespace {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::Var;

// Extents of the levels of a packed layout, innermost first.
std::vector<int64_t> PackedExtents(const Shape& shape, const std::vector<PackLevel>& levels) {
  std::vector<int64_t> extents;
  std::vector<int64_t> inner(shape.size(), 1);
  for (const PackLevel& level : levels) {
    const int64_t left = (shape[level.dim] + inner[level.dim] - 1) / inner[level.dim];
    extents.push_back(level.size == 0 ? left : level.size);
    inner[level.dim] *= extents.back();
  }
  return extents;
}

// Index into a packed layout (innermost level first) of the natural index (outermost dimension
// first).
std::vector<Expr> PackedIndex(const Exprs& index, const std::vector<PackLevel>& levels) {
  std::vector<Expr> packed;
  std::vector<int64_t> inner(index.size(), 1);
  for (const PackLevel& level : levels) {
    Expr e = index[level.dim];
    if (inner[level.dim] > 1) e = e / static_cast<int>(inner[level.dim]);
    if (level.size > 0) {
      e = e % static_cast<int>(level.size);
      inner[level.dim] *= level.size;
    }
    packed.push_back(e);
  }
  return packed;
}

void SetDenseBounds(ImageParam& param, const std::vector<int64_t>& extents) {
  int64_t stride = 1;
  for (size_t d = 0; d < extents.size(); ++d) {
    param.dim(static_cast<int>(d)).set_bounds(0, static_cast<int>(extents[d]));
    param.dim(static_cast<int>(d)).set_stride(static_cast<int>(stride));
    stride *= extents[d];
  }
  param.set_host_alignment(static_cast<int>(kTensorAlignment));
}

// Halide tells calls of a Func from those of its own functions by the name alone when it inlines:
// a Func "abs" would be put in place of the absolute value too.
Func FuncOf(const std::string& stage) { return Func(stage + "_stage"); }

std::vector<int64_t> InnermostFirst(const Shape& shape) { return {shape.rbegin(), shape.rend()}; }

TensorReader MakeInput(const TaskInput& input, const TensorType& prepared,
                       const PackedLayouts& packed, HalideAlgorithm* algorithm,
                       AlgorithmBuilder* builder) {
  const auto layout = packed.find(input.name);
  const bool ahead_of_time = layout != packed.end() && input.constant;
  const std::vector<int64_t> extents = ahead_of_time ? PackedExtents(prepared.shape, layout->second)
                                                     : InnermostFirst(prepared.shape);
  ImageParam param(HalideType(input.type.dtype), static_cast<int>(extents.size()), input.name);
  SetDenseBounds(param, extents);
  algorithm->inputs.push_back({input.name, param, prepared, input.constant});
  if (ahead_of_time) {
    return {prepared, [param, levels = layout->second](const Exprs& index) -> Expr {
              return param(PackedIndex(index, levels));
            }};
  }
  TensorReader natural{prepared, [param](const Exprs& index) -> Expr {
                         return param(std::vector<Expr>(index.rbegin(), index.rend()));
                       }};
  if (layout == packed.end()) return natural;

  // A variable input is packed by a stage of its own, in panels padded with zeros.
  const std::vector<PackLevel> levels = layout->second;
  TensorType type{input.type.dtype, Shape(extents.size())};
  const std::vector<int64_t> level_extents = PackedExtents(input.type.shape, levels);
  type.shape.assign(level_extents.rbegin(), level_extents.rend());
  TensorReader panels = builder->Pure(input.name + "_pack", type, [&](const Exprs& packed_index) {
    Exprs index(input.type.shape.size());
    std::vector<int64_t> inner(index.size(), 1);
    for (size_t l = 0; l < levels.size(); ++l) {
      const Expr e = packed_index[levels.size() - 1 - l] * static_cast<int>(inner[levels[l].dim]);
      Expr& sum = index[levels[l].dim];
      sum = sum.defined() ? sum + e : e;
      inner[levels[l].dim] *= level_extents[l];
    }
    Expr inside = Halide::Internal::const_true();
    bool padded = false;
    for (size_t d = 0; d < index.size(); ++d) {
      const int extent = static_cast<int>(input.type.shape[d]);
      if (inner[d] == extent) continue;
      padded = true;
      inside = inside && index[d] < extent;
      index[d] = Halide::min(index[d], extent - 1);
    }
    const Expr value = natural(index);
    return padded ? Halide::select(inside, value, Halide::cast(value.type(), 0)) : value;
  });
  return {input.type, [panels, levels](const Exprs& index) -> Expr {
            std::vector<Expr> packed_index = PackedIndex(index, levels);
            return panels(Exprs(packed_index.rbegin(), packed_index.rend()));
          }};
}

}  // namespace

namespace {

// Whether all that happens to a value is one product of matrices with it on the left.
bool IsLeftOfAProduct(const Task& task, const std::string& value) {
  int reads = 0;
  bool left = false;
  for (const TaskNode& node : task.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != value) continue;
      ++reads;
      left = node.op == "MatMul" && i == 0;
    }
  }
  return reads == 1 && left && value != task.output;
}

// Whether a node that is not elementwise reads the value.
bool IsReducedAgain(const Task& task, const std::string& value) {
  return std::any_of(task.nodes.begin(), task.nodes.end(), [&](const TaskNode& node) {
    const OperatorDef* def = FindOperator(node.op);
    return def != nullptr && def->op_class != OperatorClass::kElementwise &&
           std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end();
  });
}

// Whether a padded window reads what the task itself computes. A tile of that is as large at the
// image's edges as elsewhere, and reaches over them: what it reads there nobody uses, but it must
// be there.
bool ReachesOverEdges(const Task& task) {
  return std::any_of(task.nodes.begin(), task.nodes.end(), [&](const TaskNode& node) {
    const std::vector<int64_t> pads = node.attributes.Ints("pads");
    // Resize reads its edges again, and ConvTranspose zeros around what it is given.
    const bool padded = node.op == "Resize" || node.op == "ConvTranspose" ||
                        std::any_of(pads.begin(), pads.end(), [](int64_t p) { return p > 0; });
    return padded && std::any_of(task.nodes.begin(), task.nodes.end(), [&](const TaskNode& before) {
             return before.output == node.inputs[0];
           });
  });
}

// Whether it is an operand of elementwise operators only: whoever reads their results over the
// edges reads it there, too. Weights have no such edges.
bool FollowsEdges(const Task& task, const TaskInput& input) {
  return !input.constant ||
         std::all_of(task.nodes.begin(), task.nodes.end(), [&](const TaskNode& node) {
           const OperatorDef* def = FindOperator(node.op);
           return std::find(node.inputs.begin(), node.inputs.end(), input.name) ==
                      node.inputs.end() ||
                  (def != nullptr && def->op_class == OperatorClass::kElementwise);
         });
}

// Reads of what lies outside, but for the innermost dimension, are reads of the edge.
TensorReader ClampedToEdges(const TensorReader& reader) {
  return {reader.type, [reader](Exprs index) -> Expr {
            for (size_t d = 0; d + 1 < index.size(); ++d) {
              const int extent = static_cast<int>(reader.type.shape[d]);
              if (extent > 1) index[d] = Halide::clamp(index[d], 0, extent - 1);
            }
            return reader(index);
          }};
}

}  // namespace

HalideStage* HalideAlgorithm::Find(const std::string& name) {
  for (HalideStage& stage : stages)
    if (stage.name == name) return &stage;
  return nullptr;
}

std::vector<std::string> DimensionNames(size_t rank) {
  static const char* const kNames[] = {"c", "x", "y", "n"};
  std::vector<std::string> names;
  for (size_t d = 0; d < rank; ++d) names.push_back(d < 4 ? kNames[d] : "d" + std::to_string(d));
  return names;
}

Halide::Type HalideType(DataType dtype) {
  switch (dtype) {
    case DataType::kFloat32:
      return Halide::Float(32);
    case DataType::kFloat16:
      return Halide::Float(16);
    case DataType::kBFloat16:
      return Halide::BFloat(16);
    case DataType::kFloat64:
      return Halide::Float(64);
    case DataType::kInt8:
      return Halide::Int(8);
    case DataType::kUInt8:
      return Halide::UInt(8);
    case DataType::kInt16:
      return Halide::Int(16);
    case DataType::kUInt16:
      return Halide::UInt(16);
    case DataType::kInt32:
      return Halide::Int(32);
    case DataType::kUInt32:
      return Halide::UInt(32);
    case DataType::kInt64:
      return Halide::Int(64);
    case DataType::kBool:
      return Halide::UInt(8);
  }
  return Halide::Float(32);
}

Exprs BroadcastIndex(const Exprs& index, const Shape& operand) {
  Exprs result;
  const size_t skip = index.size() - operand.size();
  for (size_t d = 0; d < operand.size(); ++d)
    result.push_back(operand[d] == 1 ? Expr(0) : index[skip + d]);
  return result;
}

std::string AlgorithmBuilder::UniqueName(const std::string& hint) {
  std::string name = hint;
  for (int i = 1; !names_.insert(name).second; ++i) name = hint + std::to_string(i);
  return name;
}

TensorReader AlgorithmBuilder::Pure(const std::string& hint, const TensorType& type,
                                    const std::function<Expr(const Exprs&)>& value,
                                    std::vector<std::string> dims) {
  HalideStage stage;
  stage.name = UniqueName(hint);
  stage.func = FuncOf(stage.name);
  stage.dims = dims.empty() ? DimensionNames(type.shape.size()) : std::move(dims);
  stage.extents = InnermostFirst(type.shape);
  std::vector<Var> vars;
  for (const std::string& dim : stage.dims) vars.emplace_back(dim);
  const Exprs index(vars.rbegin(), vars.rend());
  stage.func(vars) = Halide::cast(HalideType(type.dtype), value(index));
  algorithm_->stages.push_back(stage);
  return {type, [func = stage.func](const Exprs& at) -> Expr {
            return func(std::vector<Expr>(at.rbegin(), at.rend()));
          }};
}

TensorReader AlgorithmBuilder::Reduce(const std::string& hint, const TensorType& type,
                                      const std::vector<ReductionLoop>& loops, const Init& init,
                                      const Update& update, Combining combining,
                                      std::vector<std::string> dims) {
  HalideStage stage;
  stage.name = UniqueName(hint);
  stage.dims = dims.empty() ? DimensionNames(type.shape.size()) : std::move(dims);
  stage.combining = combining;
  stage.spreads_nans = spreads_nans_;
  const auto cut = options_.rfactored.find(stage.name);
  if (cut == options_.rfactored.end()) return Define(std::move(stage), type, loops, init, update);
  return Rfactored(std::move(stage), type, cut->second, loops, init, update);
}

TensorReader AlgorithmBuilder::Define(HalideStage stage, const TensorType& type,
                                      const std::vector<ReductionLoop>& loops, const Init& init,
                                      const Update& update) {
  stage.func = FuncOf(stage.name);
  stage.extents = InnermostFirst(type.shape);
  std::vector<Var> vars;
  for (const std::string& dim : stage.dims) vars.emplace_back(dim);
  const Exprs index(vars.rbegin(), vars.rend());
  stage.func(vars) = Halide::cast(HalideType(type.dtype), init(index));

  Halide::Region region;
  for (const ReductionLoop& loop : loops) region.emplace_back(0, static_cast<int>(loop.extent));
  const Halide::RDom domain(region);
  Exprs reduction;
  for (size_t l = 0; l < loops.size(); ++l) {
    stage.reductions.push_back(loops[l].name);
    stage.reduction_vars.push_back(domain[static_cast<int>(l)]);
    reduction.push_back(domain[static_cast<int>(l)]);
  }
  stage.func(vars) = update(stage.func(vars), index, reduction);
  algorithm_->stages.push_back(stage);
  return {type, [func = stage.func](const Exprs& at) -> Expr {
            return func(std::vector<Expr>(at.rbegin(), at.rend()));
          }};
}

TensorReader AlgorithmBuilder::Rfactored(HalideStage stage, const TensorType& type,
                                         const Rfactor& cut,
                                         const std::vector<ReductionLoop>& loops, const Init& init,
                                         const Update& update) {
  const auto loop = std::find_if(loops.begin(), loops.end(),
                                 [&](const ReductionLoop& l) { return l.name == cut.loop; });
  if (stage.combining == Combining::kOther || loop == loops.end() || cut.factor < 1 ||
      loop->extent % cut.factor != 0) {
    throw Halide::CompileError(("rfactor: stage '" + stage.name + "' has no reduction loop '" +
                                cut.loop + "' of a multiple of " + std::to_string(cut.factor) +
                                " iterations whose partial results combine")
                                   .c_str());
  }
  const auto at = static_cast<size_t>(loop - loops.begin());
  const int64_t blocks = loop->extent / cut.factor;
  const ReductionLoop kept = {cut.keeps_inner ? cut.inner : cut.outer,
                              cut.keeps_inner ? cut.factor : blocks};
  std::vector<ReductionLoop> inside = loops;
  inside[at] = {cut.keeps_inner ? cut.outer : cut.inner, cut.keeps_inner ? blocks : cut.factor};

  // Inner loops next to each other, for vectors; outer ones apart, for threads.
  TensorType partial_type = type;
  Shape& shape = partial_type.shape;
  std::vector<std::string> dims = stage.dims;
  shape.insert(cut.keeps_inner ? shape.end() : shape.begin(), kept.extent);
  dims.insert(cut.keeps_inner ? dims.begin() : dims.end(), kept.name);
  const Halide::Type element = HalideType(type.dtype);
  const Combining combining = stage.combining;
  const TensorReader partial = Reduce(
      stage.name + "_part", partial_type, inside,
      [&](const Exprs&) -> Expr {
        if (combining == Combining::kSum) return Halide::cast(element, 0);
        return combining == Combining::kMax ? element.min() : element.max();
      },
      [&](Expr so_far, const Exprs& index, const Exprs& r) -> Expr {
        Exprs natural = index, full = r;
        const auto part = cut.keeps_inner ? natural.end() - 1 : natural.begin();
        const Expr outer = cut.keeps_inner ? r[at] : *part;
        full[at] = outer * static_cast<int>(cut.factor) + (cut.keeps_inner ? *part : r[at]);
        natural.erase(part);
        return update(so_far, natural, full);
      },
      combining, dims);
  // Its own tiles, in which the partial results accumulate.
  const TensorReader tiles = Pure(
      stage.name + "_parts", partial_type, [&](const Exprs& index) { return partial(index); },
      dims);
  return Define(std::move(stage), type, {kept}, init,
                [&](Expr so_far, const Exprs& index, const Exprs& r) -> Expr {
                  Exprs from = index;
                  from.insert(cut.keeps_inner ? from.end() : from.begin(), r[0]);
                  const Expr value = tiles(from);
                  if (combining == Combining::kSum) return so_far + value;
                  return combining == Combining::kMax ? Halide::max(so_far, value)
                                                      : Halide::min(so_far, value);
                });
}

HalideAlgorithm BuildHalideAlgorithm(const Task& original, const AlgorithmOptions& options) {
  const Task task = Flattened(original);
  HalideAlgorithm algorithm;
  std::set<std::string> names;
  for (const TaskInput& input : task.inputs) names.insert(input.name);
  AlgorithmBuilder builder(options, std::move(names), &algorithm);
  auto types = task.Types();
  if (!types) throw Halide::CompileError(types.error().message.c_str());
  const bool reaches_over = ReachesOverEdges(task);
  std::map<std::string, TensorReader> values;
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const auto prepared = PreparedType(task, options, i);
    if (!prepared) throw Halide::CompileError(prepared.error().message.c_str());
    values[task.inputs[i].name] =
        MakeInput(task.inputs[i], *prepared, options.packed, &algorithm, &builder);
    if (reaches_over && FollowsEdges(task, task.inputs[i]))
      values[task.inputs[i].name] = ClampedToEdges(values[task.inputs[i].name]);
  }
  for (const TaskNode& node : task.nodes) {
    const HalideOperator op = FindHalideOperator(node.op);
    if (op == nullptr) {
      throw Halide::CompileError(("operator " + node.op + " has no Halide algorithm").c_str());
    }
    std::vector<TensorReader> inputs;
    for (const std::string& name : node.inputs) inputs.push_back(values.at(name));
    const auto algorithm_of = options.algorithms.find(node.output);
    values[node.output] =
        op(builder, HalideNode{node, inputs, types->at(node.output),
                               algorithm_of == options.algorithms.end() ? "" : algorithm_of->second,
                               IsLeftOfAProduct(task, node.output)});
    // A reduction in the middle ends in a pure stage, which owns its tiles.
    const HalideStage& made = algorithm.stages.back();
    if (!made.reductions.empty() && node.output != task.output && !values[node.output].row_factor &&
        IsReducedAgain(task, node.output)) {
      const TensorReader sums = values[node.output];
      values[node.output] = builder.Pure(made.name + "_out", sums.type,
                                         [&](const Exprs& index) { return sums(index); });
    }
  }
  // The output is a pure stage that owns the tiles: a reduction accumulates inside them.
  const HalideStage& last = algorithm.stages.back();
  if (!last.reductions.empty()) {
    const TensorReader result = values.at(task.output);
    builder.Pure("out", result.type, [&](const Exprs& index) { return result(index); });
  }
  Halide::OutputImageParam out = algorithm.stages.back().func.output_buffer();
  int64_t stride = 1;
  const std::vector<int64_t>& extents = algorithm.stages.back().extents;
  for (size_t d = 0; d < extents.size(); ++d) {
    out.dim(static_cast<int>(d)).set_bounds(0, static_cast<int>(extents[d]));
    out.dim(static_cast<int>(d)).set_stride(static_cast<int>(stride));
    stride *= extents[d];
  }
  out.set_host_alignment(static_cast<int>(kTensorAlignment));
  return algorithm;
}

}  // namespace whet
