#include "schedules/rules/tile_group.h"

#include <algorithm>
#include <numeric>

namespace whet {
namespace {

// Vector operations of an unrolled body, at most: longer ones gain nothing and compile slowly (28
// accumulators unrolled 16 times took 450 ms, twice 160 ms, at the same speed). With 32, a
// depthwise 5x5 convolution lost half of its speed.
constexpr int64_t kMostUnrolled = 64;

// Extents of a register tile along what is not vectorised.
constexpr int64_t kTileSizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 24, 28};

// Waste of covering `extent` with tiles of `size`, of which the last is shifted inwards.
bool Wasteful(int64_t extent, int64_t size) {
  return size > extent || CeilDiv(extent, size) * size * 4 > extent * 5 + 4;
}

}  // namespace

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

TileGroup::TileGroup(const Dag& dag, const Roles& roles, int owner, size_t most_tiled,
                     const MachineModel& machine)
    : dag_(&dag),
      owner_index_(owner),
      accumulator_(roles.accumulator_of[owner]),
      machine_(machine),
      alignment_(dag.stages[owner].dims.size(), 1) {
  for (size_t d = 0; d < this->owner().dims.size(); ++d)
    if (Extent(static_cast<int>(d)) > 1) dims_.push_back(static_cast<int>(d));
  tiled_ = dims_;
  if (tiled_.size() > most_tiled) tiled_.resize(most_tiled);
  FindAlignment(roles, owner);
  // Blocks that no register tile is made of: what is stored in them is computed before.
  for (size_t d = 0; d < alignment_.size(); ++d) {
    const bool tiled = std::find(tiled_.begin(), tiled_.end(), static_cast<int>(d)) != tiled_.end();
    const bool fits = std::any_of(std::begin(kTileSizes), std::end(kTileSizes),
                                  [&](int64_t size) { return size % alignment_[d] == 0; });
    if (!tiled || !fits) alignment_[d] = 1;
  }
}

void TileGroup::FindAlignment(const Roles& roles, int stage) {
  for (const Access& access : dag_->stages[stage].definitions[0].reads) {
    const StageRole role = roles.of_stage[access.stage];
    if (role == StageRole::kInline) FindAlignment(roles, access.stage);
    if (role != StageRole::kLocated) continue;
    for (const IndexExpr& index : access.index) {
      for (const IndexExpr::Node& node : index.nodes) {
        if (node.op != IndexExpr::Op::kMod && node.op != IndexExpr::Op::kFloorDiv) continue;
        for (size_t d = 0; d < alignment_.size(); ++d)
          if (index.Uses(static_cast<int>(d))) alignment_[d] = std::lcm(alignment_[d], node.value);
      }
    }
  }
}

int64_t TileGroup::Blocks(int dim) const { return CeilDiv(Extent(dim), alignment_[dim]); }

std::string TileGroup::name() const {
  return accumulator() ? owner().name + "<" + accumulator()->name : owner().name;
}

size_t TileGroup::reductions() const {
  return accumulator()->definitions.back().loops.size() - accumulator()->dims.size();
}

size_t TileGroup::TransposedPosition() const {
  if (accumulator() || tiled_.empty() || Extent(tiled_[0]) < 8) return 0;
  for (const Access& access : owner().definitions[0].reads)
    for (size_t t = 1; t < tiled_.size(); ++t)
      if (!access.index.empty() && access.index[0].IsLoop(tiled_[t])) return t;
  return 0;
}

std::vector<std::vector<int64_t>> TileGroup::RegisterTiles() const {
  std::vector<std::vector<int64_t>> tiles;
  const size_t vector_choices =
      accumulator() && Extent(tiled_[0]) >= 4 ? 1 : std::min<size_t>(2, tiled_.size());
  for (size_t v = 0; v < vector_choices; ++v) {
    const int64_t extent = Extent(tiled_[v]);
    if (IsCut(tiled_[v]) || (v > 0 && alignment_[tiled_[v]] > 1)) continue;
    for (int64_t lanes : VectorWidths(extent, SizeOf(owner().dtype), machine_)) {
      if (lanes % alignment_[tiled_[v]] != 0) continue;
      for (int64_t vectors : {1, 2, 3, 4, 5, 6, 8}) {
        if (vectors > 1 && vectors * lanes > extent) continue;
        if (Wasteful(extent, vectors * lanes)) continue;
        std::vector<int64_t> tile(tiled_.size() + 2, 1);
        tile[0] = static_cast<int64_t>(v);
        tile[1] = lanes;
        tile[2 + v] = vectors * lanes;
        // Accumulators; the other operand's vectors and a broadcast are in registers beside them.
        // (4 x 7 of 32 registers: a third of the speed of 4 x 6.)
        // A transpose in registers wants as many vectors as a vector has lanes.
        const int64_t plain = TransposedPosition() > 0 ? std::max<int64_t>(8, lanes) : 8;
        const int64_t budget = accumulator() ? machine_.vector_registers - vectors - 1 : plain;
        Grow(0, v, vectors, budget, &tile, &tiles);
      }
    }
  }
  if (tiles.empty()) {
    // Nothing to vectorise: the smallest tile of whole blocks.
    std::vector<int64_t> tile = {0, 1};
    for (int d : tiled_) tile.push_back(alignment_[d]);
    tiles.push_back(std::move(tile));
  }
  return tiles;
}

void Parallelise(const std::string& stage, int definition, int64_t count,
                 std::vector<std::string>* loops, std::vector<Directive>* directives) {
  count = std::min<int64_t>(count, static_cast<int64_t>(loops->size()));
  if (count == 0) return;
  for (int64_t f = 1; f < count; ++f) {
    Directive fuse;
    fuse.kind = DirectiveKind::kFuse;
    fuse.stage = stage;
    fuse.definition = definition;
    fuse.loop = "p" + std::to_string(f);
    fuse.names = {(*loops)[0], (*loops)[1]};
    directives->push_back(fuse);
    loops->erase(loops->begin());
    loops->front() = fuse.loop;
  }
  directives->push_back(LoopDirective(DirectiveKind::kParallel, stage, definition, loops->front()));
}

void TileGroup::Grow(size_t position, size_t vector_position, int64_t vectors, int64_t budget,
                     std::vector<int64_t>* tile, std::vector<std::vector<int64_t>>* tiles) const {
  if (position == tiled_.size()) {
    tiles->push_back(*tile);
    return;
  }
  if (position == vector_position)
    return Grow(position + 1, vector_position, vectors, budget, tile, tiles);
  const int64_t extent = Extent(tiled_[position]), aligned = alignment_[tiled_[position]];
  // Only the two dimensions next to the vectorised one are unrolled: further ones are too far in
  // memory. Where tiles have to be aligned, they are whole blocks.
  for (int64_t size : kTileSizes) {
    if (aligned > 1) {
      const int64_t blocks = Blocks(tiled_[position]);
      if (size % aligned != 0 || size / aligned > blocks) continue;
      if (IsCut(tiled_[position]) && blocks % (size / aligned) != 0) continue;
      if (size > aligned && vectors * size > 2 * budget) continue;
    } else {
      if (size > 1 && (position > 2 || vectors * size > budget || Wasteful(extent, size))) continue;
      if (position == 2 && size > 4) continue;
    }
    (*tile)[2 + position] = size;
    Grow(position + 1, vector_position, vectors * size, budget, tile, tiles);
  }
  (*tile)[2 + position] = 1;
}

std::vector<int64_t> TileGroup::PlainRegisterTile(const std::vector<std::vector<int64_t>>& tiles,
                                                  int cut) const {
  size_t best = 0;
  double best_score = -1;
  for (size_t i = 0; i < tiles.size(); ++i) {
    const std::vector<int64_t>& tile = tiles[i];
    const double lanes = static_cast<double>(tile[1]);
    double used = 1;
    for (size_t t = 0; t < tiled_.size(); ++t) {
      const int64_t extent = Extent(tiled_[t]), size = tile[2 + t];
      const int64_t parts = static_cast<int>(t) == cut ? std::max(1, machine_.threads) : 1;
      const int64_t steps = CeilDiv(CeilDiv(extent, size), parts) * parts;
      used *= static_cast<double>(extent) / static_cast<double>(steps * size);
    }
    // Panels of a packed operand are whole register tiles wide.
    const bool panels = Extent(tiled_[tile[0]]) % tile[2 + tile[0]] == 0;
    const double score =
        (tile[0] == 0 ? 2 : 1) * (panels ? 1 : 0.4) * lanes * used * Intensity(Read(tile));
    if (score > best_score) best_score = score, best = i;
  }
  return tiles[best];
}

double TileGroup::Intensity(const RegisterTile& tile) const {
  constexpr double kVectorLoad = 4;  // of an operand that streams, against a broadcast of one in L1
  const Stage& stage = accumulator() ? *accumulator() : owner();
  double operations = 1, loads = 0;
  for (size_t d = 0; d < tile.size.size(); ++d) operations *= static_cast<double>(tile.size[d]);
  operations /= static_cast<double>(tile.lanes);
  for (const Access& access : stage.definitions.back().reads) {
    double elements = 1;
    bool vector = false;
    for (size_t d = 0; d < tile.size.size(); ++d) {
      const bool read =
          std::any_of(access.index.begin(), access.index.end(),
                      [&](const IndexExpr& index) { return index.Uses(static_cast<int>(d)); });
      if (!read) continue;
      elements *= static_cast<double>(tile.size[d]);
      vector |= static_cast<int>(d) == tile.vector_dim;
    }
    loads += vector ? kVectorLoad * elements / static_cast<double>(tile.lanes) : elements;
  }
  return operations / (1 + loads);
}

RegisterTile TileGroup::Read(const std::vector<int64_t>& value) const {
  RegisterTile tile;
  tile.vector_dim = tiled_[value[0]];
  tile.lanes = value[1];
  tile.size.assign(owner().dims.size(), 1);
  for (size_t t = 0; t < tiled_.size(); ++t) tile.size[tiled_[t]] = value[2 + t];
  return tile;
}

void TileGroup::SplitRegister(const RegisterTile& tile, int dim, const std::string& loop,
                              std::vector<Directive>* directives, std::vector<Directive>* marks,
                              std::vector<std::string>* vectors,
                              std::vector<std::string>* rest) const {
  const std::string &s = owner().name, &x = owner().dims[dim].name;
  if (dim != tile.vector_dim) {
    if (tile.size[dim] > 1)
      marks->push_back(LoopDirective(DirectiveKind::kUnroll, s, definition(), loop));
    rest->push_back(loop);
    return;
  }
  std::string current = loop;
  if (tile.size[dim] > tile.lanes) {
    directives->push_back(SplitOf(s, definition(), current, x + "_i", x + "_v", tile.lanes,
                                  definition() == 0 ? Tail::kShiftInwards : Tail::kGuardWithIf));
    marks->push_back(LoopDirective(DirectiveKind::kUnroll, s, definition(), x + "_i"));
    rest->insert(rest->begin(), x + "_i");
    current = x + "_v";
  }
  if (tile.lanes > 1)
    marks->push_back(LoopDirective(DirectiveKind::kVectorize, s, definition(), current));
  vectors->push_back(current);
}

void TileGroup::PlaceAccumulator(const RegisterTile& tile, const Accumulation& accumulation,
                                 const std::optional<LoopOf>& loop, Expansion* out) const {
  const std::string& s = accumulator()->name;
  std::vector<Directive>& ds = out->directives;
  Directive place;
  place.stage = s;
  place.kind = loop ? DirectiveKind::kComputeAt : DirectiveKind::kComputeRoot;
  if (loop) place.at = dag_->stages[loop->stage].name, place.loop = loop->loop;
  ds.push_back(place);
  if (loop) {
    for (int dim : dims_) ds.push_back(BoundExtent(s, owner().dims[dim].name, tile.size[dim]));
  }
  out->placed[accumulator_].path = out->placed[owner_index_].path;
  if (dims_.empty()) return;  // a single element: nothing to tile
  for (int definition = 0; definition < 2; ++definition) {
    std::vector<std::string> order, unrolled;
    const std::string& v = owner().dims[tile.vector_dim].name;
    std::string vector_loop = v;
    if (tile.size[tile.vector_dim] > tile.lanes) {
      ds.push_back(SplitOf(s, definition, v, v + "_i", v + "_v", tile.lanes, Tail::kAuto));
      vector_loop = v + "_v";
      unrolled.push_back(v + "_i");
    }
    for (int d : dims_) {
      if (d != tile.vector_dim)
        (tile.size[d] > 1 ? unrolled : order).push_back(owner().dims[d].name);
    }
    std::vector<std::string> names = {vector_loop};
    names.insert(names.end(), unrolled.begin(), unrolled.end());
    if (definition == 1) AddReductions(tile, accumulation, &ds, &names, &unrolled);
    names.insert(names.end(), order.begin(), order.end());  // one iteration each
    if (names.size() > 1) {
      Directive reorder;
      reorder.kind = DirectiveKind::kReorder;
      reorder.stage = s;
      reorder.definition = definition;
      reorder.names = names;
      ds.push_back(reorder);
    }
    if (tile.lanes > 1)
      ds.push_back(LoopDirective(DirectiveKind::kVectorize, s, definition, vector_loop));
    for (const std::string& unroll : unrolled)
      ds.push_back(LoopDirective(DirectiveKind::kUnroll, s, definition, unroll));
  }
}

void TileGroup::AddReductions(const RegisterTile& tile, const Accumulation& accumulation,
                              std::vector<Directive>* ds, std::vector<std::string>* names,
                              std::vector<std::string>* unrolled) const {
  const std::vector<Loop>& loops = accumulator()->definitions.back().loops;
  const size_t first = accumulator()->dims.size();
  for (size_t i = 0; i < accumulation.order.size(); ++i) {
    const Loop& loop = loops[first + accumulation.order[i]];
    std::string name = loop.name;
    if (i == 0) {
      int64_t accumulators = 1;
      for (int64_t size : tile.size) accumulators *= size;
      accumulators = std::max<int64_t>(1, accumulators / tile.lanes);
      int64_t factor = std::min(
          {accumulation.unroll, loop.extent, std::max<int64_t>(1, kMostUnrolled / accumulators)});
      while (loop.extent % factor != 0) --factor;
      if (factor == loop.extent && factor > 1) {
        unrolled->push_back(name);
      } else if (factor > 1) {
        ds->push_back(
            SplitOf(accumulator()->name, 1, name, name + "_o", name + "_u", factor, Tail::kAuto));
        names->push_back(name + "_u");
        unrolled->push_back(name + "_u");
        name += "_o";
      }
    }
    names->push_back(name);
  }
}

}  // namespace whet
