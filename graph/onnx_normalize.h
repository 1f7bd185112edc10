// Brings one ONNX node of any opset to canonical operators (schedules/operators/README.md). Private
// to graph/.
//
// A handler for each ONNX operator reads attributes and inputs through OnnxNode, emits canonical
// nodes and says which value is which output. Mistakes in the file (a missing input, an attribute
// of another kind, one that nobody read) are kept by OnnxNode and surface once, as one sentence.
// Handlers are tables of rows in onnx_normalize_*.cpp. Thread safety: none; one import, one thread.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "onnx.pb.h"

namespace whet {

// The graph under construction.
struct ImportContext {
  Graph graph;
  std::map<std::string, ValueId> values;  // by ONNX's name
  std::filesystem::path folder;           // of external data; empty: none
  int64_t opset = 0;                      // of ONNX's own operators
  const google::protobuf::RepeatedPtrField<onnx::FunctionProto>* functions = nullptr;
  std::string prefix;            // of the names of nodes, within functions and branches
  int depth = 0;                 // of functions and branches
  int64_t node_count = 0;        // imported so far
  std::set<std::string> needed;  // inputs that decide what a node has to know in advance
};

class OnnxNode {
 public:
  // `outputs_used[i]`: output i is read by another node or is an output of the graph.
  OnnxNode(ImportContext& context, const onnx::NodeProto& proto, std::vector<bool> outputs_used);

  const onnx::NodeProto& proto() const { return proto_; }
  const std::string& name() const { return name_; }
  const std::filesystem::path& folder() const { return context_.folder; }
  int64_t opset() const { return context_.opset; }
  int input_count() const { return static_cast<int>(inputs_.size()); }
  int output_count() const { return static_cast<int>(outputs_used_.size()); }
  bool OutputUsed(int i) const { return i < output_count() && outputs_used_[i]; }

  // Inputs. A missing one that is required is remembered as the node's error; its id is then
  // kNoValue and its type f32[0].
  bool HasInput(int i) const { return i < input_count() && inputs_[i] != kNoValue; }
  ValueId Input(int i);
  ValueId OptionalInput(int i) const { return HasInput(i) ? inputs_[i] : kNoValue; }
  const TensorType& Type(ValueId value) const;
  const Shape& ShapeOf(ValueId value) const { return Type(value).shape; }
  const Tensor* Constant(ValueId value) const;
  const Node* Producer(ValueId value) const;  // nullptr: nothing computes it
  // The tensor of a constant input. kUnsupported where it is computed, naming the inputs that
  // decide it; `what` names it in the message.
  Result<const Tensor*> ConstantInput(int i, const char* what);
  // The same as a short list of integers.
  Result<std::vector<int64_t>> ConstantInts(int i, const char* what);

  // Attributes. One of another kind is remembered as the node's error.
  bool HasAttribute(std::string_view name);
  int64_t Int(std::string_view name, int64_t fallback);
  double Float(std::string_view name, double fallback);
  std::string String(std::string_view name, std::string fallback);
  std::vector<int64_t> Ints(std::string_view name, std::vector<int64_t> fallback = {});
  std::vector<double> Floats(std::string_view name);
  // Attributes that exist and change nothing about the result.
  void Ignore(std::initializer_list<std::string_view> names);
  // The outputs of a branch, an attribute that is a graph; at least as many as the node has.
  Result<std::vector<ValueId>> Branch(std::string_view name);
  // `axis` of a tensor of `rank` dimensions, negative ones counted from the end, made non-negative.
  Result<int64_t> Axis(int64_t axis, int64_t rank) const;

  // Appends a canonical node, or computes it where all inputs are constant.
  Result<ValueId> Emit(std::string op, std::vector<ValueId> inputs, Attributes attributes = {});
  // Reshape, or the value itself where it has that shape.
  Result<ValueId> EmitReshape(ValueId value, Shape shape);
  ValueId EmitConstant(Tensor tensor);
  // Output `i` of the ONNX node is `value`.
  void Return(ValueId value, int i = 0);

  // The handler's `status`, or what was remembered above, or an attribute or output that it left
  // aside.
  Status Finish(Status status);

 private:
  const onnx::AttributeProto* Find(std::string_view name, int type);
  void Remember(std::string message);

  ImportContext& context_;
  const onnx::NodeProto& proto_;
  std::string name_;
  std::vector<ValueId> inputs_;
  std::vector<bool> outputs_used_;
  size_t first_value_, first_node_;  // of the graph: those from here on are this node's
  std::set<std::string, std::less<>> read_;
  std::string problem_;
};

struct OnnxOperator {
  std::string_view name;
  Status (*normalize)(OnnxNode& node);
};
std::span<const OnnxOperator> ElementwiseOnnxOperators();  // onnx_normalize_elementwise.cpp
std::span<const OnnxOperator> SpatialOnnxOperators();      // onnx_normalize_spatial.cpp
std::span<const OnnxOperator> ResizeOnnxOperators();       // onnx_normalize_resize.cpp
std::span<const OnnxOperator> MatrixOnnxOperators();       // onnx_normalize_matrix.cpp
std::span<const OnnxOperator> ReduceOnnxOperators();       // onnx_normalize_reduce.cpp
std::span<const OnnxOperator> ShapeOnnxOperators();        // onnx_normalize_shape.cpp
std::span<const OnnxOperator> MovementOnnxOperators();     // onnx_normalize_movement.cpp
std::span<const OnnxOperator> ConstantOnnxOperators();     // onnx_normalize_constant.cpp
std::span<const OnnxOperator> ControlOnnxOperators();      // onnx_normalize_control.cpp

// nullptr: no operator that Whet imports.
const OnnxOperator* FindOnnxOperator(std::string_view name);

// Appends what `proto` means to the graph. Errors do not name the node: the caller prefixes that.
Status NormalizeNode(ImportContext& context, const onnx::NodeProto& proto,
                     std::vector<bool> outputs_used);

}  // namespace whet
