// What the output and located stages with an accumulator have in common: a register tile,
// vectorised along one dimension and unrolled along others, in which the accumulator sums.
#pragma once

#include <optional>

#include "schedules/rules/rule.h"

namespace whet {

struct RegisterTile {
  int vector_dim = 0;
  int64_t lanes = 1;
  std::vector<int64_t> size;  // by dimension of the owner
};

struct Accumulation {
  std::vector<int64_t> order;  // of the reduction loops, innermost first
  int64_t unroll = 1;          // of the innermost one
};

class TileGroup {
 public:
  // Of the owner's dimensions longer than one, the `most_tiled` innermost are tiled.
  TileGroup(const Dag& dag, const Roles& roles, int owner, size_t most_tiled,
            const MachineModel& machine);

  const Dag& dag() const { return *dag_; }
  int owner_index() const { return owner_index_; }
  const Stage& owner() const { return dag_->stages[owner_index_]; }
  // The definition of the owner that is tiled: the last.
  int definition() const { return static_cast<int>(owner().definitions.size()) - 1; }
  const Stage* accumulator() const {
    return accumulator_ < 0 ? nullptr : &dag_->stages[accumulator_];
  }
  const MachineModel& machine() const { return machine_; }
  std::string name() const;                                 // "relu<conv"
  const std::vector<int>& dims() const { return dims_; }    // longer than one
  const std::vector<int>& tiled() const { return tiled_; }  // of those, the tiled ones
  int64_t Extent(int dim) const { return owner().dims[dim].extent; }
  size_t reductions() const;  // loops of the accumulator's update
  // The operand that the accumulator reads vectors of for every step of its reduction, where that
  // is stored before: nullptr: there is none.
  const Stage* streamed() const;
  // By dimension of the owner: what tiles should start at multiples of, because stages that it
  // reads are stored in blocks of so many (index / m, index % m).
  const std::vector<int64_t>& alignment() const { return alignment_; }
  // Whether the last block of a dimension is cut off: then tiles have to divide its blocks, since
  // one that reached over the end would need more of its producers than there is.
  bool IsCut(int dim) const { return Extent(dim) % alignment_[dim] != 0; }
  int64_t Blocks(int dim) const;  // whole or begun ones; elements, where nothing has to be aligned

  // Which of tiled() walks along the rows of what a stage without an accumulator reads; 0: the one
  // that walks along those of the output, as it should, or nothing is known.
  size_t TransposedPosition() const;

  // Candidates of a "register" decision: [which of tiled() is vectorised, lanes, extent of each of
  // tiled()]: all that fit the registers and do not waste much.
  std::vector<std::vector<int64_t>> RegisterTiles() const;
  // Of those, the one of full vectors that computes most for what it loads and wastes, where
  // position `cut` of tiled() (-1: none) is divided among the threads.
  std::vector<int64_t> PlainRegisterTile(const std::vector<std::vector<int64_t>>& tiles,
                                         int cut) const;
  RegisterTile Read(const std::vector<int64_t>& value) const;

  // Splits `loop`, which covers a register tile's extent of dimension `dim`, into vectors, and says
  // in `marks` what is vectorised and unrolled. Its loops go to the front of `vectors` or `rest`.
  void SplitRegister(const RegisterTile& tile, int dim, const std::string& loop,
                     std::vector<Directive>* directives, std::vector<Directive>* marks,
                     std::vector<std::string>* vectors, std::vector<std::string>* rest) const;

  // The accumulator, computed at `loop` (nothing: at root) for one register tile.
  void PlaceAccumulator(const RegisterTile& tile, const Accumulation& accumulation,
                        const std::optional<LoopOf>& loop, Expansion* out) const;

 private:
  // Operations of an unrolled register tile over its loads.
  double Intensity(const RegisterTile& tile) const;
  void FindAlignment(const Roles& roles, int stage);
  void Grow(size_t position, size_t vector_position, int64_t vectors, int64_t budget,
            std::vector<int64_t>* tile, std::vector<std::vector<int64_t>>* tiles) const;
  void AddReductions(const RegisterTile& tile, const Accumulation& accumulation,
                     std::vector<Directive>* ds, std::vector<std::string>* names,
                     std::vector<std::string>* unrolled) const;

  const Dag* dag_;
  const int owner_index_;
  const int accumulator_;
  const MachineModel machine_;
  std::vector<int> dims_, tiled_;
  std::vector<int64_t> alignment_;
};

int64_t CeilDiv(int64_t a, int64_t b);

// Fuses the first `count` of `loops` (outermost first) into one, which replaces them, and makes
// that parallel.
void Parallelise(const std::string& stage, int definition, int64_t count,
                 std::vector<std::string>* loops, std::vector<Directive>* directives);

}  // namespace whet
