#include "graph/passes.h"

namespace whet {

Status RunPasses(Graph& graph) {
  // Each pass makes work for others: a folded normalisation uncovers an activation, a layout change
  // lets views meet. Two rounds settle the networks seen so far; the limit is a guard against two
  // passes in disagreement.
  constexpr int kMostRounds = 16;
  std::string before;
  for (int round = 0; round < kMostRounds; ++round) {
    RETURN_IF_ERROR(FoldConstants(graph));
    RETURN_IF_ERROR(RemoveNoOps(graph));
    RETURN_IF_ERROR(RecognizeLayerNorm(graph));
    RETURN_IF_ERROR(RecognizeGelu(graph));
    RETURN_IF_ERROR(FoldPad(graph));
    RETURN_IF_ERROR(FoldBatchNorm(graph));
    RETURN_IF_ERROR(CanonicalizeElementwise(graph));
    RETURN_IF_ERROR(UseChannelsLast(graph));
    std::string after = graph.ToString();
    if (after == before) break;
    before = std::move(after);
  }
  return graph.Verify();
}

}  // namespace whet
