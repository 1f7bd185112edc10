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

import numpy as np

EPSILON = 2.0**-23  # of f32


@dataclasses.dataclass(frozen=True)
class Noise:
    """Of a node's results: relative, absolute; and relative of its operands, for sums of many terms."""

    relative: float = 0.0
    absolute: float = 0.0
    operands: float = 0.0
    spread: float = 0.0  # absolute, in units of the largest element of operand 0: weights are computed in f32
    only_first: bool = False  # of the operands: the others are parameters
    undefined: str = ""  # which elements of operand 0 have no result that all agree on, if any: see `undefined_in`
    signs: bool = False  # a zero may have either sign, which matters where something is divided by it

    def exact(self) -> bool:
        """Whether results must agree bit for bit."""
        return self.relative == 0 and self.absolute == 0 and self.operands == 0 and self.spread == 0 and not self.undefined


def undefined_in(what: str, x: np.ndarray) -> np.ndarray:
    """Which elements of operand 0 have no result that all agree on.

    "not finite": interpolation may multiply an infinity by a weight of zero or leave it out, and ONNX Runtime's pooling
    makes the lowest number of negative infinities and passes NaN on or not by its position. "wild": their product may
    leave the range of f32 on its way. "infinite": Clip without a bound passes them on or makes them the largest number. "NaN": the same is true of
    its reductions. "long": integers whose sum ONNX Runtime computes in f32. "above X": those whose product may overflow,
    where it saturates. A type's name: what a cast to that type of integers cannot hold.
    """
    with np.errstate(all="ignore"):
        if what == "not finite":
            return np.asarray(~np.isfinite(x))
        if what == "infinite":
            return np.asarray(np.isinf(x))
        if what == "NaN":
            return np.asarray(np.isnan(x))
        wide = x.astype(np.float64)
        if what == "wild":
            return np.asarray((wide != 0) & (np.abs(np.log2(np.abs(np.where(wide == 0, 1, wide)))) > 4))
        if what.startswith("above "):
            return np.asarray(np.abs(wide) > float(what.removeprefix("above ")))
        if what == "long":
            return np.asarray(np.abs(wide) > 2.0**20)
        info = np.iinfo(what)
        return np.asarray(~((wide > info.min - 0.5) & (wide < float(info.max))))


ROUNDED = Noise(relative=2 * EPSILON)

# Results of which other programs' libraries may differ by more than the last digits: absolute parts are those of
# ONNX Runtime's own approximations, which clamp their arguments.
APPROXIMATED = {
    "Add": ROUNDED, "Sub": ROUNDED, "Mul": ROUNDED, "Div": ROUNDED, "Sum": ROUNDED, "Reciprocal": ROUNDED,
    "Sqrt": ROUNDED, "LeakyRelu": ROUNDED, "Cast": Noise(), "Max": Noise(signs=True), "Min": Noise(signs=True),
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


UNDEFINED = {"MaxPool": "not finite", "GlobalMaxPool": "not finite", "ReduceMax": "NaN", "ReduceMin": "NaN",
             "ReduceLogSumExp": "NaN", "ReduceProd": "wild"}


def noise_of(operator: str, terms: int = 1, integers: bool = False) -> Noise:
    """The noise of an operator's results, each of which is a sum of `terms` terms; they may be integers."""
    if operator in SUMS:
        part = EPSILON * (2 + math.sqrt(terms))
        # A sum of zeros has either sign.
        absolute = 1e-6 if operator in ("ReduceLogSum", "ReduceLogSumExp") else 2.0**-149
        if integers and operator == "ReduceProd":
            return Noise(undefined=f"above {2 ** (30 / max(terms, 1))}")
        if integers:
            return Noise(undefined="long")
        return Noise(relative=part, operands=part, absolute=absolute, undefined=UNDEFINED.get(operator, ""))
    if operator in UNDEFINED and not integers:
        return Noise(undefined=UNDEFINED[operator], signs=True)
    return APPROXIMATED.get(operator, Noise())
