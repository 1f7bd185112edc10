// Gives spatial operators the layout NHWC and removes the Transposes that this brings.
//
// 1. Each spatial node becomes Transpose -> node in NHWC -> Transpose.
// 2. A Transpose of a Transpose is one, or none; equal Transposes of a value are one.
// 3. A Transpose in front of an elementwise node, Concat, Slice, Pad, Softmax or a Reduce operator
// moves
//    behind it where that adds no Transposes of more elements than it removes; constants are
//    permuted on the spot.
// 4. A Transpose that only moves dimensions of extent 1 keeps the bytes in order: it becomes a
// Reshape. Steps 2 and 3 alternate until nothing moves. They end because step 3 moves a permutation
// past a node once at most: without that, two Transposes which other nodes keep alive could send a
// node between them for ever.
#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "graph/passes.h"
#include "graph/passes/rewrite.h"
#include "schedules/operators/operator.h"

namespace whet {
namespace {

using Perm = std::vector<int64_t>;
const Perm kToChannelsLast = {0, 2, 3, 1};
const Perm kToChannelsFirst = {0, 3, 1, 2};

Perm Inverse(const Perm& perm) {
  Perm inverse(perm.size());
  for (size_t d = 0; d < perm.size(); ++d) inverse[perm[d]] = static_cast<int64_t>(d);
  return inverse;
}

Shape Permuted(const Shape& shape, const Perm& perm) {
  Shape permuted(shape.size());
  for (size_t d = 0; d < perm.size(); ++d) permuted[d] = shape[perm[d]];
  return permuted;
}

// Whether dimensions of more than one element keep their order.
bool KeepsBytes(const Shape& shape, const Perm& perm) {
  int64_t last = -1;
  for (int64_t dim : perm) {
    if (shape[dim] == 1) continue;
    if (dim < last) return false;
    last = dim;
  }
  return true;
}

bool IsSpatial(const Node& node) {
  return node.op == "Conv" || node.op == "ConvTranspose" || node.op == "Resize" ||
         node.op == "MaxPool" || node.op == "AveragePool" || node.op == "GlobalAveragePool" ||
         node.op == "BatchNormalization";
}

bool IsReduce(const Node& node) { return node.op.starts_with("Reduce"); }

// The Transpose with this input and permutation that something uses, or -1.
int FindTranspose(const Graph& graph, ValueId x, const Perm& perm) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& node = graph.nodes[i];
    if (node.op != "Transpose" || node.inputs[0] != x || node.attributes.Ints("perm") != perm)
      continue;
    if (graph.IsOutput(node.output) || !graph.Consumers(node.output).empty()) return i;
  }
  return -1;
}

Result<ValueId> TransposeOf(Graph& graph, ValueId x, const Perm& perm) {
  if (const int existing = FindTranspose(graph, x, perm); existing >= 0)
    return graph.nodes[existing].output;
  const std::string name = graph.values[x].name + "/transposed";
  return AddNode(graph, name, "Transpose", {x}, {{"perm", perm}});
}

// Step 1.
Status ConvertSpatialNodes(Graph& graph) {
  const size_t count = graph.nodes.size();
  for (size_t i = 0; i < count; ++i) {
    const ValueId x = graph.nodes[i].inputs[0], y = graph.nodes[i].output;
    if (!IsSpatial(graph.nodes[i]) || ChannelAxis(graph.nodes[i]) == 3) continue;
    if (graph.values[x].type.shape.size() != 4) continue;
    ASSIGN_OR_RETURN(const ValueId image, TransposeOf(graph, x, kToChannelsLast));
    Value result = graph.values[y];
    result.name += "/nhwc";
    result.type.shape = Permuted(result.type.shape, kToChannelsLast);
    Node& node = graph.nodes[i];
    node.inputs[0] = image;
    node.attributes.Set("layout", std::string("NHWC"));
    const std::string name = node.name;
    node.output = graph.AddValue(std::move(result));
    const ValueId nhwc = node.output;
    graph.nodes.push_back(
        Node{name + "/nchw", "Transpose", {nhwc}, y, {{"perm", kToChannelsFirst}}});
  }
  return {};
}

// Step 2.
bool MergeTransposes(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (node.op != "Transpose") continue;
    const Node* producer = ProducerOf(graph, node.inputs[0]);
    if (producer == nullptr || producer->op != "Transpose") continue;
    const Perm outer = node.attributes.Ints("perm"), inner = producer->attributes.Ints("perm");
    Perm merged(outer.size());
    for (size_t d = 0; d < outer.size(); ++d) merged[d] = inner[outer[d]];
    node.inputs = {producer->inputs[0]};
    node.attributes.Set("perm", merged);
    changed = true;
    if (std::is_sorted(merged.begin(), merged.end())) {
      if (!ReplaceValue(graph, node.output, node.inputs[0])) {
        // An output of the graph that is also an input or another output: a copy.
        node.op = "Reshape";
        node.attributes = {{"shape", graph.values[node.output].type.shape}};
      }
    } else if (const int same = FindTranspose(graph, node.inputs[0], merged);
               same >= 0 && graph.nodes[same].output != node.output &&
               !graph.IsOutput(node.output)) {
      ReplaceValue(graph, node.output, graph.nodes[same].output);
    }
  }
  return changed;
}

// Which permutations have moved past which nodes, by name: step 3's memory.
using Moves = std::set<std::pair<std::string, Perm>>;

// Step 3: one node's inputs brought to the dimensions before a Transpose by `perm`.
class Sinker {
 public:
  Sinker(Graph& graph, size_t index, Moves& moves)
      : graph_(graph), index_(index), moves_(moves), node_(graph.nodes[index]) {
    rank_ = graph.values[node_.output].type.shape.size();
  }

  // Moves the node in front of its inputs' Transpose, if that pays.
  Result<bool> Try() {
    const OperatorDef* def = FindOperator(node_.op);
    broadcasts_ = def != nullptr && def->op_class == OperatorClass::kElementwise;
    if (!broadcasts_ && node_.op != "Concat" && node_.op != "Slice" && node_.op != "Pad" &&
        node_.op != "Softmax" && !IsReduce(node_))
      return false;
    if (!ChoosePerm()) return false;
    int64_t inserted = 0, eliminated = 0;
    for (ValueId input : node_.inputs) Weigh(input, &inserted, &eliminated);
    if (inserted > 0 && inserted >= eliminated) return false;
    if (!moves_.emplace(node_.name, perm_).second) return false;
    RETURN_IF_ERROR(Apply());
    return true;
  }

 private:
  const Shape& ShapeOf(ValueId value) const { return graph_.values[value].type.shape; }
  bool IsScalar(ValueId value) const { return broadcasts_ && ElementCount(ShapeOf(value)) == 1; }

  const Node* TransposeBefore(ValueId value) const {
    const Node* producer = ProducerOf(graph_, value);
    const bool good =
        producer != nullptr && producer->op == "Transpose" && ShapeOf(value).size() == rank_;
    return good ? producer : nullptr;
  }

  // The permutation of the largest transposed input.
  bool ChoosePerm() {
    int64_t largest = 0;
    for (ValueId input : node_.inputs) {
      const Node* transpose = TransposeBefore(input);
      if (transpose == nullptr || ElementCount(ShapeOf(input)) <= largest) continue;
      largest = ElementCount(ShapeOf(input));
      perm_ = transpose->attributes.Ints("perm");
    }
    return largest > 0;
  }

  Shape Padded(ValueId value) const {
    Shape shape = ShapeOf(value);
    shape.insert(shape.begin(), rank_ - shape.size(), 1);
    return shape;
  }

  void Weigh(ValueId input, int64_t* inserted, int64_t* eliminated) const {
    const Node* transpose = TransposeBefore(input);
    const int64_t elements = ElementCount(ShapeOf(input));
    if (transpose != nullptr && transpose->attributes.Ints("perm") == perm_) {
      if (!KeepsBytes(ShapeOf(transpose->inputs[0]), perm_)) *eliminated += elements;
      return;
    }
    if (IsScalar(input) || graph_.values[input].constant != nullptr) return;
    const Perm inverse = Inverse(perm_);
    if (KeepsBytes(Padded(input), inverse)) return;
    if (ShapeOf(input).size() == rank_ && FindTranspose(graph_, input, inverse) >= 0) return;
    *inserted += elements;
  }

  Result<ValueId> Untransposed(ValueId input) {
    const Node* transpose = TransposeBefore(input);
    if (transpose != nullptr && transpose->attributes.Ints("perm") == perm_)
      return transpose->inputs[0];
    if (IsScalar(input)) {
      // Of fewer dimensions or as many, it broadcasts in any order.
      return input;
    }
    const Shape padded = Padded(input);
    const Perm inverse = Inverse(perm_);
    ValueId value = input;
    if (padded != ShapeOf(input)) {
      ASSIGN_OR_RETURN(value, AddNode(graph_, graph_.values[input].name + "/padded", "Reshape",
                                      {input}, {{"shape", padded}}));
    }
    return TransposeOf(graph_, value, inverse);  // of constants: folded when the pass is done
  }

  Status Apply() {
    std::vector<ValueId> inputs;
    for (ValueId input : node_.inputs) {
      ASSIGN_OR_RETURN(const ValueId value, Untransposed(input));
      inputs.push_back(value);
    }
    Attributes attributes = node_.attributes;
    if (node_.op == "Concat" || node_.op == "Softmax") {
      int64_t axis = attributes.Int("axis", node_.op == "Softmax" ? -1 : 0);
      if (axis < 0) axis += static_cast<int64_t>(rank_);
      attributes.Set("axis", perm_[axis]);
    } else if (node_.op == "Slice" || IsReduce(node_)) {
      std::vector<int64_t> axes = attributes.Ints("axes");
      for (int64_t& axis : axes) axis = perm_[axis];
      if (IsReduce(node_)) std::sort(axes.begin(), axes.end());
      attributes.Set("axes", axes);
    }
    if (node_.op == "Pad") {
      for (const char* name : {"begins", "ends"}) {
        const std::vector<int64_t> after = attributes.Ints(name);
        std::vector<int64_t> before(after.size());
        for (size_t d = 0; d < after.size(); ++d) before[perm_[d]] = after[d];
        attributes.Set(name, before);
      }
    }
    ASSIGN_OR_RETURN(const ValueId moved,
                     AddNode(graph_, node_.name, node_.op, inputs, attributes));
    graph_.values[moved].name = graph_.values[node_.output].name + "/transposed";
    graph_.nodes[index_] =
        Node{node_.name + "/transpose", "Transpose", {moved}, node_.output, {{"perm", perm_}}};
    return {};
  }

  Graph& graph_;
  const size_t index_;
  Moves& moves_;
  const Node node_;
  size_t rank_ = 0;
  bool broadcasts_ = false;
  Perm perm_;
};

// Step 4.
void TransposesToViews(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (node.op != "Transpose") continue;
    if (!KeepsBytes(graph.values[node.inputs[0]].type.shape, node.attributes.Ints("perm")))
      continue;
    node.op = "Reshape";
    node.attributes = {{"shape", graph.values[node.output].type.shape}};
  }
}

}  // namespace

Status UseChannelsLast(Graph& graph) {
  RETURN_IF_ERROR(ConvertSpatialNodes(graph));
  Moves moves;
  for (bool changed = true; changed;) {
    changed = MergeTransposes(graph);
    RETURN_IF_ERROR(graph.Compact());
    const size_t count = graph.nodes.size();
    for (size_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(const bool sunk, Sinker(graph, i, moves).Try());
      changed |= sunk;
    }
    RETURN_IF_ERROR(FoldConstants(graph));
  }
  TransposesToViews(graph);
  RETURN_IF_ERROR(RemoveNoOps(graph));
  return graph.Verify();
}

}  // namespace whet
