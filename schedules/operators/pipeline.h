// The operator Pipeline: a user's Halide pipeline with its estimates as shapes.
//
// Attributes: name (of the pipeline), pipeline (Halide's serialised form in hexadecimal), bounds of
// the images (min and extent of each dimension, innermost first, image by image in the order of
// their names), scalars ("alpha=0.5,beta=2"), dtype and shape (of the output), flops (of one run).
// pipeline_task.h makes such a task from a file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "schedules/operators/row.h"

namespace whet {

// What a serialised pipeline leaves open.
struct PipelineBindings {
  struct Range {
    int64_t min = 0, extent = 0;
  };
  std::map<std::string, std::vector<Range>> images;  // by name; dimensions innermost first
  std::map<std::string, double> scalars;
};

// "alpha=0.5,beta=2" and back. kInvalidInput where the text is no such list.
Result<std::map<std::string, double>> ParseScalars(const std::string& text);
std::string ScalarsText(const std::map<std::string, double>& scalars);

std::string ToHex(const std::vector<uint8_t>& bytes);
// The bytes of attribute `pipeline`. kInvalidInput where it is missing or not hexadecimal.
Result<std::vector<uint8_t>> PipelineBytes(const Attributes& attributes);

// The pipeline run as it is written, every Func computed whole: defined beside Halide, in
// pipeline_task.cpp.
Status RunPipeline(const Attributes& attributes, Tensors inputs, Tensor& output);

}  // namespace whet
