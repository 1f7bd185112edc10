// The groups of a feature row, one function and one source file each. Internal to the extraction.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "costmodel/feature_list.h"
#include "costmodel/roofline.h"

namespace whet {

// All that a group may look at. References live as long as the extraction.
struct FeatureContext {
  const Dag& dag;
  const LoopNest& nest;
  const MachineModel& machine;
  const NestAnalysis& analysis;
  const NestCost& cost;
  const DefinitionInfo& acc;  // the heaviest definition
  const DefinitionCost& acc_cost;
  double task_flops;
  double work_flops;
};

// A feature row under construction.
class FeatureRow {
 public:
  explicit FeatureRow(std::span<float> row) : row_(row) { std::fill(row.begin(), row.end(), 0.0F); }
  void Set(FeatureId id, double value) {
    row_[id] = std::isfinite(value) ? static_cast<float>(std::clamp(value, -1e6, 1e6)) : 0.0F;
  }
  void Log(FeatureId id, double count) { Set(id, std::log2(1 + std::max(0.0, count))); }
  void LogRatio(FeatureId id, double a, double b) { Log(id, b > 0 ? a / b : 0.0); }

 private:
  std::span<float> row_;
};

void WriteTaskFeatures(const FeatureContext& context, FeatureRow& row);
void WriteAccFeatures(const FeatureContext& context, FeatureRow& row);
void WriteParallelFeatures(const FeatureContext& context, FeatureRow& row);
void WriteMemoryFeatures(const FeatureContext& context, FeatureRow& row);
void WriteStageFeatures(const FeatureContext& context, FeatureRow& row);
void WriteRooflineFeatures(const FeatureContext& context, FeatureRow& row);

}  // namespace whet
