// The passes, in the order that RunPasses applies them; one file a pass under graph/passes/.
//
// Every pass keeps the graph's inputs, outputs and meaning, and leaves it verified (Graph::Verify).
#pragma once

#include "base/status.h"
#include "graph/graph.h"

namespace whet {

Status FoldConstants(Graph& graph);  // nodes whose inputs are all constant
Status RemoveNoOps(Graph& graph);    // Identity, Dropout, x+0, x*1, Reshape to itself, dead code
Status RecognizeLayerNorm(Graph& graph);  // LayerNormalization spelled out
Status RecognizeGelu(Graph& graph);       // Gelu spelled out
Status FoldPad(Graph& graph);             // zeros around an image into the Conv that reads it
Status FoldBatchNorm(Graph& graph);       // into Conv/Gemm/MatMul weights; alone: to Mul and Add
Status CanonicalizeElementwise(
    Graph& graph);  // bias Add after Conv/MatMul into the operand; x*clip(x+3)/6: HardSwish
Status UseChannelsLast(Graph& graph);  // layout NHWC for spatial operators, Transposes cancelled
Status RunPasses(Graph& graph);        // all of the above, to a fixed point

}  // namespace whet
