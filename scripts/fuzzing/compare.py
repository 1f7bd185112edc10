"""Whether an array is what was expected: NaN equals NaN, infinities equal by sign, integers are exact."""

from __future__ import annotations

import dataclasses

import numpy as np

from fuzzing.tolerance import Expected


@dataclasses.dataclass(frozen=True)
class Difference:
    """What is wrong with an output. `kind` groups alike faults."""

    kind: str  # "type", "shape", "NaN missing", "NaN", "infinity", "value", "integer" or "sign of zero"
    count: int = 0  # elements that differ
    of: int = 0  # elements of the output
    index: tuple[int, ...] = ()  # of the worst
    got: str = ""
    wanted: str = ""

    def __str__(self) -> str:
        if not self.of:
            return f"{self.kind}: {self.got} instead of {self.wanted}"
        return f"{self.kind}: {self.count} of {self.of}, [{', '.join(map(str, self.index))}] is {self.got} " \
               f"instead of {self.wanted}"


def _difference(kind: str, wrong: np.ndarray, weight: np.ndarray, got: np.ndarray, wanted: np.ndarray) -> Difference:
    flat = int(np.argmax(np.where(wrong, weight, -1.0)))
    index = tuple(int(i) for i in np.unravel_index(flat, wrong.shape)) if wrong.ndim else ()
    shown = [f"{array[index]:.9g}" if array.dtype.kind == "f" else str(array[index]) for array in (got, wanted)]
    return Difference(kind, int(wrong.sum()), wrong.size, index, *shown)


def compare(got: np.ndarray, expected: Expected, zero_signs: bool = False) -> Difference | None:
    """The worst difference, or None."""
    wanted = expected.array
    if got.dtype != wanted.dtype:
        return Difference("type", got=str(got.dtype), wanted=str(wanted.dtype))
    if got.shape != wanted.shape:
        return Difference("shape", got=str(got.shape), wanted=str(wanted.shape))
    if got.dtype.kind != "f":
        wrong = (got != wanted) & expected.compared
        distance = np.abs(got.astype(np.float64) - wanted.astype(np.float64))
        return _difference("integer", wrong, distance, got, wanted) if wrong.any() else None
    g, w = got.astype(np.float64), wanted.astype(np.float64)
    one = np.ones(g.shape)
    with np.errstate(all="ignore"):
        for kind, wrong in (("NaN missing", np.isnan(w) & ~np.isnan(g)), ("NaN", np.isnan(g) & ~np.isnan(w)),
                            ("infinity", (np.isinf(w) | np.isinf(g)) & (g != w))):
            wrong = wrong & expected.compared
            # A result at the edge of the range may be either side of it.
            if kind == "infinity":
                wrong &= ~(np.isinf(g) & (np.abs(w) + expected.tolerance > np.finfo(wanted.dtype).max)
                           & (np.sign(g) == np.sign(w)))
            if wrong.any():
                return _difference(kind, wrong, one, got, wanted)
        distance = np.where(np.isfinite(g) & np.isfinite(w), np.abs(g - w), 0)
        wrong = (distance > expected.tolerance) & expected.compared
        if wrong.any():
            excess = distance / np.maximum(expected.tolerance, 1e-300)
            return _difference("value", wrong, np.where(np.isfinite(excess), excess, 1e300), got, wanted)
    if zero_signs and (signs := zero_sign_differences(got, expected)):
        wrong = (g == 0) & (w == 0) & (np.signbit(g) != np.signbit(w)) & expected.compared
        return dataclasses.replace(_difference("sign of zero", wrong, one, got, wanted), count=signs)
    return None


def zero_sign_differences(got: np.ndarray, expected: Expected) -> int:
    """How many zeros have the other sign."""
    wanted = expected.array
    if got.dtype != wanted.dtype or got.shape != wanted.shape or got.dtype.kind != "f":
        return 0
    return int(((got == 0) & (wanted == 0) & (np.signbit(got) != np.signbit(wanted)) & expected.compared).sum())
