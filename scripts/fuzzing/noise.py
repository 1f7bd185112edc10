"""How exact each operator's result is, as noise that stands for rounding.

A result that is computed in another order, or with another exponential, differs in its last digits; how much that
matters for the outputs depends on the values and on what comes after. So the tolerance of a case is measured: the network
is computed again and again with random noise of the size of the rounding at each node (compare.py), and what comes out
tells how far right results may lie apart, element by element. Operators that only choose or move elements have none:
their results, and comparisons of them, must agree bit for bit.
"""

from __future__ import annotations

import dataclasses
import math

EPSILON = 2.0**-23  # of f32


@dataclasses.dataclass(frozen=True)
class Noise:
    """Of a node's results: relative, absolute; and relative of its operands, for sums of many terms."""

    relative: float = 0.0
    absolute: float = 0.0
    operands: float = 0.0
    only_first: bool = False  # of the operands: the others are parameters
    undefined: bool = False  # operand 0 may hold what has no defined result: NaN or too large for an integer

    def exact(self) -> bool:
        return self.relative == 0 and self.absolute == 0 and self.operands == 0


ROUNDED = Noise(relative=2 * EPSILON)

# Results of which other programs' libraries may differ by more than the last digits: absolute parts are those of
# ONNX Runtime's own approximations, which clamp their arguments.
APPROXIMATED = {
    "Add": ROUNDED, "Sub": ROUNDED, "Mul": ROUNDED, "Div": ROUNDED, "Sum": ROUNDED, "Reciprocal": ROUNDED,
    "Sqrt": ROUNDED, "LeakyRelu": ROUNDED, "Cast": Noise(),
    "HardSigmoid": Noise(relative=2 * EPSILON, absolute=1e-7), "HardSwish": Noise(relative=4 * EPSILON, absolute=1e-7),
    "Exp": Noise(relative=16 * EPSILON), "Log": Noise(relative=8 * EPSILON, absolute=1e-7),
    "Pow": Noise(relative=64 * EPSILON), "Erf": Noise(relative=8 * EPSILON, absolute=3e-7),
    "Tanh": Noise(relative=8 * EPSILON, absolute=3e-7), "Sigmoid": Noise(relative=8 * EPSILON, absolute=3e-7),
    "Gelu": Noise(relative=16 * EPSILON, absolute=3e-7),
    "Softmax": Noise(relative=16 * EPSILON, absolute=1e-7, operands=EPSILON),
}
SUMS = {"Conv", "ConvTranspose", "MatMul", "Gemm", "AveragePool", "GlobalAveragePool", "BatchNormalization",
        "LayerNormalization", "ReduceSum", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
        "ReduceLogSum", "ReduceLogSumExp"}


def noise_of(operator: str, terms: int = 1) -> Noise:
    """The noise of an operator's results, each of which is a sum of `terms` terms."""
    if operator in SUMS:
        part = EPSILON * (2 + math.sqrt(terms))
        absolute = 1e-6 if operator in ("ReduceLogSum", "ReduceLogSumExp") else 0.0
        return Noise(relative=part, operands=part, absolute=absolute)
    return APPROXIMATED.get(operator, Noise())
