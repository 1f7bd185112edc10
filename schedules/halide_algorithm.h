// A task as Halide Funcs: the one place where operators become algorithms.
//
// Internal to schedules/ and codegen/: it includes Halide.h, which costs seconds to compile. Funcs
// are built afresh for every use (0.4 ms), because scheduling mutates them. Halide reports errors
// by exceptions, which the callers (dag_reader, apply_halide, kernel_compiler) catch. Thread
// safety: one thread at a time (Halide's name counters are global).
#pragma once

#include <Halide.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "schedules/algorithm_options.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

// How a reduction's partial results combine; kOther where nothing is known of it. Maxima and minima
// are written with Halide::max and Halide::min, for Halide to see that their loops may be
// reordered; once they are scheduled, ApplyHalide makes them NaN wherever one of the elements is.
enum class Combining { kOther, kSum, kMax, kMin };

// A stage: a Func, the stable names of its pure dimensions (innermost first; they are its Vars'
// names too) and of the reduction loops of its update, if it has one.
struct HalideStage {
  std::string name;
  Halide::Func func;
  std::vector<std::string> dims;
  std::vector<int64_t> extents;  // of the dims
  std::vector<std::string> reductions;
  std::vector<Halide::RVar> reduction_vars;
  Combining combining = Combining::kOther;
  bool spreads_nans = true;  // of a maximum or minimum
};

struct HalideInput {
  std::string name;
  Halide::ImageParam param;  // in its physical (packed) form
  TensorType type;           // natural, or as the algorithm has it transformed
  bool constant = false;
};

struct HalideAlgorithm {
  std::vector<HalideInput> inputs;
  std::vector<HalideStage> stages;  // producers before consumers; the last is the output
  HalideStage* Find(const std::string& name);
};

// Requires a validated task whose operators all have a Halide algorithm; throws Halide::Error
// otherwise.
HalideAlgorithm BuildHalideAlgorithm(const Task& task, const AlgorithmOptions& options);

// Stable dimension names, innermost first: c, x, y, n, d4, d5, ..
std::vector<std::string> DimensionNames(size_t rank);

// --- For the operators' files (operators/halide_*.cpp) ---

using Exprs = std::vector<Halide::Expr>;

// Reads one element; indices outermost first, as shapes are written.
struct TensorReader {
  TensorType type;
  std::function<Halide::Expr(const Exprs&)> read;
  // Where it is set, what every element is still to be multiplied by, from the index without its
  // last dimension: only for operators that were asked for it (HalideNode::reader_scales).
  std::function<Halide::Expr(const Exprs&)> row_factor;
  Halide::Expr operator()(const Exprs& index) const { return read(index); }
};

class AlgorithmBuilder {
 public:
  // No stage gets one of `names`: those of the inputs. The others outlive it.
  AlgorithmBuilder(const AlgorithmOptions& options, std::set<std::string> names,
                   HalideAlgorithm* algorithm)
      : options_(options), algorithm_(algorithm), names_(std::move(names)) {}

  // A pure stage of the given shape: `value` gets one index per dimension, outermost first. `dims`
  // names the dimensions, innermost first, where DimensionNames would mislead.
  TensorReader Pure(const std::string& hint, const TensorType& type,
                    const std::function<Halide::Expr(const Exprs&)>& value,
                    std::vector<std::string> dims = {});

  // A reduction over loops (name, extent), innermost first: starts from `init`, then
  // f = update(f, index, reduction index). Index outermost first, reduction index in the order of
  // `loops`. Where `combining` is known, the options may ask for partial results (Rfactor); throws
  // Halide::CompileError where they ask for what does not fit.
  struct ReductionLoop {
    std::string name;
    int64_t extent;
  };
  TensorReader Reduce(
      const std::string& hint, const TensorType& type, const std::vector<ReductionLoop>& loops,
      const std::function<Halide::Expr(const Exprs&)>& init,
      const std::function<Halide::Expr(Halide::Expr, const Exprs&, const Exprs&)>& update,
      Combining combining = Combining::kOther, std::vector<std::string> dims = {});

  // A NaN in the maxima and minima that follow means what it means to Halide: nothing in
  // particular.
  void LeaveNans() { spreads_nans_ = false; }

 private:
  using Init = std::function<Halide::Expr(const Exprs&)>;
  using Update = std::function<Halide::Expr(Halide::Expr, const Exprs&, const Exprs&)>;

  // The hint, or the hint with a number where that is taken.
  std::string UniqueName(const std::string& hint);
  TensorReader Rfactored(HalideStage stage, const TensorType& type, const Rfactor& cut,
                         const std::vector<ReductionLoop>& loops, const Init& init,
                         const Update& update);
  TensorReader Define(HalideStage stage, const TensorType& type,
                      const std::vector<ReductionLoop>& loops, const Init& init,
                      const Update& update);

  const AlgorithmOptions& options_;
  HalideAlgorithm* algorithm_;
  std::set<std::string> names_;
  bool spreads_nans_ = true;
};

struct HalideNode {
  const TaskNode& node;
  std::vector<TensorReader> inputs;
  TensorType output;
  std::string algorithm;  // empty: the direct one
  // Its one reader is a MatMul that has it as its left operand, and multiplies its own result by
  // row_factor instead.
  bool reader_scales = false;
};
using HalideOperator = TensorReader (*)(AlgorithmBuilder&, const HalideNode&);
// nullptr: the operator has no Halide algorithm.
HalideOperator FindHalideOperator(const std::string& op);

// The index of `operand` that NumPy broadcasting pairs with `index` of the output. Both outermost
// first.
Exprs BroadcastIndex(const Exprs& index, const Shape& operand);
Halide::Type HalideType(DataType dtype);

}  // namespace whet
