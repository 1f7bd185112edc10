#include <optional>

#include "graph/evaluate.h"
#include "graph/passes.h"

namespace whet {

Status FoldConstants(Graph& graph) {
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    ASSIGN_OR_RETURN(std::optional<Tensor> folded, TryFold(graph, node));
    if (folded) {
      graph.values[node.output].constant = std::make_shared<const Tensor>(std::move(*folded));
    } else {
      kept.push_back(std::move(node));
    }
  }
  graph.nodes = std::move(kept);
  return graph.Compact();
}

}  // namespace whet
