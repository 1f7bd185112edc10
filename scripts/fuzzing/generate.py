"""Random cases: which operators, in which order. `case_of(seed, number)` always makes the same case."""

from __future__ import annotations

from collections.abc import Sequence

from fuzzing import (operators_elementwise, operators_matrix,  # noqa: F401  (they fill the table)
                     operators_movement, operators_spatial)
from fuzzing.builder import SETS, Builder, Dropped
from fuzzing.case import Case, Value
from fuzzing.coverage import Universe
from fuzzing.source import Source
from fuzzing.table import OPERATORS, Operator, fresh

OPSETS = tuple(range(13, 23)) + (11, 12, 10, 9, 8, 7)
OPSET_WEIGHTS = (2, 1, 1, 1, 2, 2, 1, 2, 2, 3, 2, 1, 2, 2, 1, 2)
OPSET_CLASSES = ((7, 9), (10, 12), (13, 17), (18, 99))  # as coverage counts them
GROUP = 12  # consecutive cases share an opset, so that they fit into one model
MOST_NODES = 6


def opset_of(seed: str, number: int) -> int:
    """The opset of a case: the same for all cases of its group."""
    return Source(f"{seed}:group {number // GROUP}").pick(OPSETS, OPSET_WEIGHTS)


def _first(source: Source, opset: int) -> Operator:
    rows = [row for row in OPERATORS if row.opsets[0] <= opset <= row.opsets[1]]
    return source.pick(rows, [row.weight for row in rows])


def _next(source: Source, x: Value, opset: int) -> Operator | None:
    rows = [row for row in OPERATORS if row.takes(x, opset)]
    return source.pick(rows, [row.weight for row in rows]) if rows else None


def _step(b: Builder, row: Operator, x: Value | None) -> list[Value] | None:
    """Adds the operator after x, or on new operands; None: it was taken back."""
    mark = b.mark()
    try:
        if x is None:
            x = fresh(b, row)
        b.operator = row.name
        b.tag("type", x.dtype)
        b.tag("rank", len(x.shape))
        b.tag("opset", next(f"{low}-{high}" for low, high in OPSET_CLASSES if low <= b.opset <= high))
        made = row.make(b, x)
    except Dropped:
        b.take_back(mark)
        return None
    results = [made] if isinstance(made, Value) else made
    b.chain += results
    return results


def make_case(seed: str, number: int, universe: Universe, opset: int | None = None,
              choices: Sequence[int] | None = None, sets: int = SETS) -> Case | None:
    """Case `number` of the seed, or the one that recorded choices make; None if they make none."""
    source = Source(f"{seed}:{number}") if choices is None else Source(recorded=choices)
    opset = opset_of(seed, number) if opset is None else opset
    b = Builder(source, opset, f"c{number}", universe, sets)
    with source.span():
        results = _step(b, _first(source, opset), None)
    if results is None:
        return None
    outputs = results[1:]
    x = results[0]
    length = source.pick(range(1, MOST_NODES + 1), (4, 2, 2, 1, 1, 1))
    for _ in range(length - 1):
        with source.span():
            row = _next(source, x, opset)
            results = _step(b, row, x) if row is not None else None
            if results is None:
                continue
            if source.chance(0.15):
                outputs.append(x)  # a value inside the network that is an output as well
            outputs += results[1:]
            x = results[0]
    return b.finish(seed, number, [x, *outputs])


def case_of(seed: str, number: int, universe: Universe) -> Case:
    """Case `number` of the seed. A number whose choices make no network is tried with other choices."""
    for attempt in range(100):
        case = make_case(seed if attempt == 0 else f"{seed}#{attempt}", number, universe, opset_of(seed, number))
        if case is not None:
            case.seed = seed
            return case
    raise RuntimeError(f"{seed}:{number} makes no network in 100 attempts")
