"""Where a case's choices come from: a random generator, or the choices of an earlier run.

Everything random about a case is drawn from one Source as a list of small whole numbers. The same list makes the same
case, and a list with fewer or smaller numbers makes a smaller or simpler one: that is what the shrinker works on. So
every draw puts the simplest alternative first.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


class Source:
    """Draws choices. `taken` is what was drawn, `spans` are the ranges [begin, end) of it that belong together."""

    def __init__(self, seed: str | None = None, recorded: Sequence[int] | None = None) -> None:
        """Random choices from `seed`, or those of `recorded`; beyond its end every choice is the simplest."""
        self._random = random.Random(seed) if recorded is None else None
        self._recorded = list(recorded or [])
        self.taken: list[int] = []
        self.spans: list[tuple[int, int]] = []

    def below(self, count: int, weights: Sequence[float] | None = None) -> int:
        """A number from 0 to count - 1."""
        if count < 1:
            raise ValueError("there is nothing to choose from")
        if self._random is None:
            position = len(self.taken)
            choice = min(self._recorded[position], count - 1) if position < len(self._recorded) else 0
        elif weights is not None:
            choice = self._random.choices(range(count), weights)[0]
        else:
            choice = self._random.randrange(count)
        self.taken.append(choice)
        return choice

    def pick(self, alternatives: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of the alternatives, the simplest of which comes first."""
        return alternatives[self.below(len(alternatives), weights)]

    def between(self, low: int, high: int) -> int:
        """A number from low to high, both possible; low is the simplest."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        """True with this probability; False is the simpler one."""
        return self.below(2, (1 - probability, probability)) == 1

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """A permutation; the identity is the simplest."""
        rest, result = list(items), []
        while rest:
            result.append(rest.pop(self.below(len(rest))))
        return result

    @contextlib.contextmanager
    def span(self) -> Iterator[None]:
        """What is drawn inside belongs together: the shrinker tries to leave it out as a whole."""
        begin = len(self.taken)
        try:
            yield
        finally:
            self.spans.append((begin, len(self.taken)))
