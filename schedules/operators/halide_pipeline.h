// A user's Halide pipeline (.hlpipe, Halide's own serialised form) as an operator.
//
// The Funcs become stages like those of any operator: scalar parameters and bounds of images become
// constants, the region that each Func must compute is inferred once from the output's estimates,
// and indices are shifted so that every stage starts at 0. Halide's format keeps the estimates of
// the output but not those of inputs: an input has the region that is read, unless the pipeline
// itself asks for its bounds; then they must be given. Internal: includes Halide.h. The bytes must
// be of the Halide that reads them: they are an exchange format, not a durable one.
#pragma once

#include <Halide.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "schedules/halide_algorithm.h"
#include "schedules/operators/pipeline.h"
#include "schedules/task.h"

namespace whet {

// A Func as a stage sees it.
struct PipelineFunc {
  Halide::Internal::Function function;
  TensorType type;
  std::string stage;                    // its stable name
  std::vector<int64_t> min, extent;     // of each dimension, Halide's order
  std::vector<std::string> dims;        // stable names of its Vars
  std::vector<std::string> reductions;  // and of its RVars, of all updates
};

struct PipelineImage {
  Halide::Parameter parameter;
  std::string name;  // of the task's input
  TensorType type;
  std::vector<int64_t> min, extent;  // Halide's order
  bool given = false;                // its bounds; otherwise they are what is read
};

class LoadedPipeline {
 public:
  // kInvalidInput where the bytes are no pipeline of this Halide; kUnsupported naming the Func that
  // Whet cannot schedule, and why; kInvalidInput naming what lacks an estimate.
  static Result<LoadedPipeline> FromBytes(const std::vector<uint8_t>& bytes,
                                          const PipelineBindings& bindings);

  const std::vector<PipelineImage>& images() const { return images_; }
  const std::vector<PipelineFunc>& funcs() const { return funcs_; }  // producers first
  const TensorType& output() const { return funcs_.back().type; }
  // The stages of all Funcs; `images` reads the inputs, in the order of images().
  TensorReader Build(AlgorithmBuilder& builder, const std::vector<TensorReader>& images) const;
  // The user's Funcs in which Halide's schedule calls can be written: index for
  // Pipeline::get_func() by stage. Empty where a Func became several stages.
  std::map<std::string, size_t> FuncIndices() const;

 private:
  Status ReadParameters(const std::map<std::string, Halide::Parameter>& parameters,
                        const PipelineBindings& bindings);
  Status CheckBound(const Halide::Expr& expr) const;
  Status ShapeImage(const Halide::Internal::Box& box, PipelineImage* image) const;
  Status ReadFuncs(const Halide::Pipeline& pipeline);
  Status InferRegions();
  Result<std::map<std::string, Halide::Internal::Box>> Required(const PipelineFunc& func) const;
  Halide::Expr Constant(const Halide::Expr& expr) const;

  std::vector<PipelineImage> images_;
  std::vector<PipelineFunc> funcs_;
  std::map<std::string, Halide::Expr> constants_;  // parameters' variables by name
};

Result<LoadedPipeline> LoadPipeline(const Attributes& attributes);

}  // namespace whet
