// Features: named numbers read off a loop nest, what the cost model sees of a candidate.
//
// Each has a name, a unit and a place in a fixed order (feature_list.h); the set has a version, and
// a model knows the version it was trained on. Extraction costs some tens of microseconds and uses
// neither Halide nor the task's bytes. Thread safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schedules/dag.h"
#include "schedules/loop_nest.h"
#include "schedules/sketch.h"

namespace whet {

// Version 2 added the machine to the end of version 1.
inline constexpr int kFeatureVersion = 2;

struct FeatureInfo {
  std::string name;  // "acc.vector.lanes"
  std::string unit;  // "bytes", "flop", "1", "log2 bytes" ...
  std::string meaning;
};

// The table, in order. Its size is the width of a feature row.
std::span<const FeatureInfo> FeatureTable();

// The place of a feature in a row; -1: there is none of that name.
int FeatureIndex(std::string_view name);

// Writes FeatureTable().size() floats to `row`, all finite. Counts are given as log2(1 + count)
// where the unit says so.
void ExtractFeatures(const Dag& dag, const LoopNest& nest, const MachineModel& machine,
                     std::span<float> row);

}  // namespace whet
