"""Random extents and shapes: extents of 1 and primes are frequent, tensors are small (kernels are compiled for each)."""

from __future__ import annotations

from collections.abc import Sequence

from fuzzing.source import Source

EXTENTS = (1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 19, 31, 32, 33, 37, 64, 67)
WEIGHTS = (7, 4, 5, 3, 4, 4, 3, 1, 2, 2, 2, 2, 1, 1, 1, 2, 1, 1, 1)
ELEMENTS = 2048  # of a tensor, at most


def extent(source: Source, most: int = EXTENTS[-1]) -> int:
    """An extent of at most `most`."""
    count = max(1, sum(e <= most for e in EXTENTS))
    return source.pick(EXTENTS[:count], WEIGHTS[:count])


def shape(source: Source, rank: int, elements: int = ELEMENTS) -> tuple[int, ...]:
    """A shape of `rank` dimensions and at most `elements` elements."""
    extents: list[int] = []
    left = elements
    for _ in range(rank):
        extents.append(extent(source, left))
        left //= extents[-1]
    return tuple(source.shuffled(extents)) if rank > 1 else tuple(extents)


def count(extents: Sequence[int]) -> int:
    """How many elements a tensor of this shape has; 1 for a scalar."""
    total = 1
    for e in extents:
        total *= e
    return total


def broadcast_partner(source: Source, extents: Sequence[int], grows: bool = True) -> tuple[int, ...]:
    """A shape that NumPy broadcasts with `extents`: fewer or more dimensions, 1 here and there, 1 becoming more."""
    partner = list(extents)
    style = source.pick(("same", "ones", "shorter", "scalar", "grows"), (4, 3, 2, 1, 2))
    if style == "scalar":
        return ()
    if style == "shorter":
        partner = partner[source.below(len(partner) + 1):]
    if style in ("ones", "shorter"):
        partner = [1 if source.chance(0.4) else e for e in partner]
    if style == "grows" and grows:
        room = max(1, ELEMENTS // count(extents))
        for d, e in enumerate(partner):
            if e == 1 and room > 1:
                partner[d] = extent(source, room)
                room //= partner[d]
        if len(partner) < 5 and source.chance(0.4):
            partner.insert(0, extent(source, room))
    return tuple(partner)


def factorised(source: Source, total: int, most: int = 5) -> tuple[int, ...]:
    """A shape of `total` elements: the target of a Reshape."""
    result: list[int] = []
    left = total
    while left > 1 and len(result) < most - 1:
        divisors = [d for d in range(1, left + 1) if left % d == 0]
        result.append(source.pick(divisors[:8] + divisors[8:][-4:]))
        left //= result[-1]
    if left > 1 or source.chance(0.3):
        result.append(left)
    return tuple(result)
