// The DAG of an algorithm: stages, loops, affine accesses and operation counts, read off the Halide
// Funcs.
//
// dag_reader.h makes one from Halide; everything else (sketch rules, loop nest, features) works on
// this plain data and never sees Halide. Dimensions are Halide's order: innermost storage dimension
// first. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/tensor.h"

namespace whet {

// An index expression over the loops of one definition, in postfix order.
struct IndexExpr {
  enum class Op : uint8_t { kConst, kLoop, kAdd, kMul, kFloorDiv, kMod, kMin, kMax, kUnknown };
  struct Node {
    Op op;
    int64_t value;  // kConst: the constant; kLoop: index into Definition::loops;
                    // kMul/kFloorDiv/kMod: by what
    bool operator==(const Node&) const = default;
  };
  bool operator==(const IndexExpr&) const = default;
  std::vector<Node> nodes;
  // Coefficient of each loop where the expression is affine up to clamping and division; see
  // Coefficients().
  bool IsLoop(int loop) const {
    return nodes.size() == 1 && nodes[0].op == Op::kLoop && nodes[0].value == loop;
  }
  bool Uses(int loop) const;
  bool IsKnown() const;  // false: its value depends on data
  // Number of distinct values when each loop l covers `extents[l]` consecutive values from 0.
  int64_t Width(const std::vector<int64_t>& extents) const;
  // The value's derivative by `loop` at 0: how far the index moves when the loop advances by one.
  int64_t Step(int loop) const;
};

struct Loop {
  std::string
      name;  // stable: "c", "x", "y", "n" or "d0", "d1" ..; reductions "kx", "ky", "ic", "k"
  int64_t extent = 1;
  bool reduction = false;
};

struct Access {
  int stage = -1;                // the stage read
  std::vector<IndexExpr> index;  // one a dimension of that stage, innermost first
};

// Operations of one evaluation of a definition's right-hand side.
struct OpCounts {
  double fma = 0, add = 0, mul = 0, div = 0, minmax = 0, compare = 0, transcendental = 0,
         integer = 0;
  void AddScaled(const OpCounts& more, double factor);
  double Flops() const { return 2 * fma + add + mul + div + minmax + transcendental; }
};

struct Definition {
  std::vector<Loop>
      loops;  // pure dimensions (innermost first), then reduction loops (innermost first)
  std::vector<Access> reads;  // without the definition's read of itself
  OpCounts ops;               // where the value of a loop chooses among expressions: their mean
  // Loops whose value chooses among expressions: unrolled, they cost nothing.
  std::vector<int> choosing_loops;
};

enum class StageKind : uint8_t { kInput, kPure, kReduction };

struct Stage {
  std::string name;
  StageKind kind = StageKind::kPure;
  DataType dtype = DataType::kFloat32;
  std::vector<Loop> dims;  // pure dimensions, innermost first; an input's have its extents
  std::vector<Definition> definitions;  // none for an input
  bool constant = false;                // inputs: known before the kernel runs
  bool pads = false;                    // a boundary: a select on its coordinates around one read
  bool combines = false;                // reductions: partial results can be combined (Rfactor)
};

struct Dag {
  std::vector<Stage> stages;  // producers before consumers; the last one is the output
  int output() const { return static_cast<int>(stages.size()) - 1; }
  int Find(const std::string& name) const;      // -1: no such stage
  std::vector<int> Consumers(int stage) const;  // distinct, ascending
  double TotalFlops() const;
};

}  // namespace whet
