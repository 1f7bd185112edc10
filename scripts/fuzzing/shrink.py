"""Makes a failing case smaller: fewer nodes, smaller shapes, simpler attributes, one set of simple values.

Two stages. First the choices that made the case: whole nodes are left out, then numbers become 0 or smaller; each
list of choices makes a case again (source.py). Then the values, element by element where that is needed. A change
stays if `fails` says that the case still fails in the same way.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fuzzing.case import Case, only_set

Fails = Callable[[Case], bool]
Make = Callable[[Sequence[int]], "Case | None"]  # a case of choices


@dataclasses.dataclass
class Budget:
    """How much a shrink may try. `clock` gives seconds."""

    tries: int = 150
    seconds: float = 90.0
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._begin = self.clock()

    def spend(self) -> bool:
        """Whether one more try is allowed, which it then counts."""
        self.tries -= 1
        return self.tries >= 0 and self.clock() - self._begin < self.seconds


def shrink(case: Case, bad_set: int, make: Make, fails: Fails, budget: Budget | None = None) -> Case:
    """The smallest failing case that was found; `case` itself if nothing smaller fails."""
    budget = budget or Budget()
    best, chosen_set = case, None
    if case.sets > 1:
        single = only_set(case, bad_set)
        if budget.spend() and fails(single):
            best, chosen_set = single, bad_set
    best = _shrink_choices(best, chosen_set, make, fails, budget)
    return _shrink_values(best, fails, budget)


def _shrink_choices(case: Case, s: int | None, make: Make, fails: Fails, budget: Budget) -> Case:
    best, tried = case, {tuple(case.choices)}
    progress = True
    while progress:
        progress = False
        for choices in _smaller(best):
            if tuple(choices) in tried:
                continue
            tried.add(tuple(choices))
            candidate = make(choices)
            if candidate is None or _size(candidate) >= _size(best):
                continue
            if s is not None:
                candidate = only_set(candidate, s)
            if not budget.spend():
                return best
            if fails(candidate):
                best, progress = candidate, True
                break
    return best


def _smaller(case: Case) -> Iterator[list[int]]:
    """Lists of choices to try, those that may save most first."""
    choices = case.choices
    for begin, end in reversed(case.spans):
        yield choices[:begin] + choices[end:]
    for begin, end in case.spans:
        yield choices[:begin] + [choices[begin]] + [0] * (end - begin - 1) + choices[end:]
    length = len(choices) // 2
    while length >= 2:
        for begin in range(0, len(choices), length):
            yield choices[:begin] + [0] * min(length, len(choices) - begin) + choices[begin + length:]
        length //= 2
    for position in range(len(choices)):
        for smaller in dict.fromkeys((0, choices[position] // 2, choices[position] - 1)):
            if 0 <= smaller < choices[position]:
                yield choices[:position] + [smaller] + choices[position + 1:]


def _size(case: Case) -> tuple[int, int, int, int]:
    """What shrinks: nodes, elements, attributes, and the choices themselves."""
    arrays = [array for arrays in case.inputs.values() for array in arrays[:1]] + list(case.constants.values())
    results = [value for node in case.nodes for value in node.outputs]
    elements = sum(array.size for array in arrays) + sum(int(np.prod(value.shape)) for value in results)
    attributes = sum(len(node.proto.attribute) for node in case.nodes)
    return len(case.nodes), elements, attributes, sum(case.choices)


def _shrink_values(case: Case, fails: Fails, budget: Budget) -> Case:
    best = case
    for name in [*case.inputs, *case.constants]:
        for array in _simpler(_array(best, name)):
            if not budget.spend():
                return best
            candidate = _with_array(best, name, array)
            if fails(candidate):
                best = candidate
                break
    for name in [*case.inputs, *case.constants]:
        best = _shrink_elements(best, name, fails, budget)
    return best


def _array(case: Case, name: str) -> np.ndarray:
    return case.inputs[name][0] if name in case.inputs else case.constants[name]


def _with_array(case: Case, name: str, array: np.ndarray) -> Case:
    if name in case.inputs:
        return dataclasses.replace(case, inputs=case.inputs | {name: [array] * case.sets})
    return dataclasses.replace(case, constants=case.constants | {name: array})


def _plain(array: np.ndarray) -> np.ndarray:
    """Small whole numbers, all different where there is room."""
    return (np.arange(array.size).reshape(array.shape) % 7 + 1).astype(array.dtype)


def _simpler(array: np.ndarray) -> Iterator[np.ndarray]:
    for candidate in (np.zeros_like(array), np.ones_like(array), _plain(array)):
        if array.dtype.kind == "f" and candidate.tobytes() != array.tobytes():
            yield candidate


def _shrink_elements(case: Case, name: str, fails: Fails, budget: Budget) -> Case:
    """Replaces halves, quarters, .. of the elements that are not 1 by 1 while it still fails."""
    if _array(case, name).dtype.kind != "f":
        return case
    best, length = case, max(1, _array(case, name).size // 2)
    while True:
        flat = _array(best, name).ravel()
        for begin in range(0, flat.size, length):
            part = _array(best, name).copy().reshape(-1)
            if (part[begin:begin + length] == 1).all():
                continue
            part[begin:begin + length] = 1
            if not budget.spend():
                return best
            candidate = _with_array(best, name, part.reshape(_array(best, name).shape))
            if fails(candidate):
                best = candidate
        if length == 1 or flat.size > 64 * length:
            return best
        length = max(1, length // 2)
