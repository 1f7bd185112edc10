// Zeros around an image go into the pads of the convolution that reads them.
#include <algorithm>

#include "graph/passes.h"
#include "graph/passes/rewrite.h"

namespace whet {
namespace {

// Pads of [top, left, bottom, right] where the node puts zeros around images of the layout; empty:
// it does something else.
std::vector<int64_t> SpatialZeros(const Node& node, size_t channel_axis) {
  const Attributes& a = node.attributes;
  if (node.op != "Pad" || a.String("mode", "constant") != "constant" || a.Float("value", 0) != 0)
    return {};
  const std::vector<int64_t> begins = a.Ints("begins"), ends = a.Ints("ends");
  if (begins.size() != 4) return {};
  for (size_t d : {size_t{0}, channel_axis})
    if (begins[d] != 0 || ends[d] != 0) return {};
  const size_t height = channel_axis == 1 ? 2 : 1;
  return {begins[height], begins[height + 1], ends[height], ends[height + 1]};
}

}  // namespace

Status FoldPad(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (node.op != "Conv") continue;
    const Node* pad = ProducerOf(graph, node.inputs[0]);
    if (pad == nullptr) continue;
    const std::vector<int64_t> zeros = SpatialZeros(*pad, ChannelAxis(node));
    if (zeros.empty()) continue;
    std::vector<int64_t> pads = node.attributes.Ints("pads", {0, 0, 0, 0});
    for (size_t i = 0; i < pads.size(); ++i) pads[i] += zeros[i];
    constexpr int64_t kLargest = 1 << 20;
    if (std::any_of(pads.begin(), pads.end(), [](int64_t p) { return p > kLargest; })) continue;
    node.attributes.Set("pads", pads);
    node.inputs[0] = pad->inputs[0];
  }
  RETURN_IF_ERROR(graph.Compact());
  return graph.Verify();
}

}  // namespace whet
