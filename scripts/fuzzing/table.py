"""The table of operators: each knows the types, ranks and opsets it is tried with, and how a node of it is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from fuzzing.builder import Builder
from fuzzing.case import Value

FLOAT = ("float32",)
NUMBERS = ("float32", "int32", "int64")
ALL = ("float32", "int64", "bool", "int32", "float64", "float16", "uint8", "int8", "int16", "uint16", "uint32")

Make = Callable[[Builder, Value], "Value | list[Value]"]


@dataclasses.dataclass(frozen=True)
class Operator:
    """A row. `make(builder, x)` adds nodes whose first operand is x; the first value that it returns is the main one."""

    name: str
    make: Make
    types: tuple[str, ...]
    ranks: tuple[int, int]  # of x, both possible
    opsets: tuple[int, int]  # both possible
    role: str  # of a fresh x's values
    weight: float  # how often it is drawn, beside others

    def takes(self, x: Value, opset: int) -> bool:
        """Whether x can be its first operand."""
        return (x.dtype.name in self.types and self.ranks[0] <= len(x.shape) <= self.ranks[1]
                and self.opsets[0] <= opset <= self.opsets[1])


OPERATORS: list[Operator] = []


def operator(*names: str, types: Sequence[str] = FLOAT, ranks: tuple[int, int] = (0, 5),
             opsets: tuple[int, int] = (7, 99), role: str = "any", weight: float = 1.0) -> Callable[[Make], Make]:
    """Puts a function into the table, under each of the names; it finds its name in `builder.operator`."""

    def put(make: Make) -> Make:
        OPERATORS.extend(Operator(name, make, tuple(types), ranks, opsets, role, weight) for name in names)
        return make

    return put


def names() -> list[str]:
    """The operators' names, in alphabetical order."""
    return sorted({row.name for row in OPERATORS} | {"Constant"})


def fresh(b: Builder, row: Operator) -> Value:
    """A new first operand for the operator."""
    b.operator = row.name
    types = [t for t in row.types]
    dtype = b.source.pick(types, [3.0] + [1.0] * (len(types) - 1))
    low, high = row.ranks
    ranks = list(range(low, high + 1))
    # Images are what spatial operators see most; five dimensions and more are rare elsewhere.
    rank = b.source.pick(ranks, [0.4 if rank in (0, 5) else 0.15 if rank > 5 else 2.0 for rank in ranks])
    return b.operand(np.dtype(dtype), b.shape(rank), row.role, constant=0.05)
