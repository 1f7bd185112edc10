"""What was tried: per operator, attribute and class of values, how many cases were compared and how many refused."""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from fuzzing.case import Case

ENOUGH = 20  # cases of a class


class Universe:
    """All classes that were ever offered for a choice, so that those never drawn are seen as well. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.classes: dict[tuple[str, str], dict[str, None]] = {}

    def add(self, operator: str, attribute: str, classes: Iterable[Any]) -> None:
        """Classes that the attribute's values may have."""
        with self._lock:
            self.classes.setdefault((operator, attribute), {}).update({str(name): None for name in classes})


class Coverage:
    """Counts by outcome: "compared" or "refused"."""

    def __init__(self, universe: Universe, operators: Sequence[str]) -> None:
        self.universe = universe
        self.operators = list(operators)
        self.counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)

    def add(self, case: Case, outcome: str) -> None:
        """Counts each class of the case once."""
        for tag in set(case.tags) | {(operator, "", "") for operator in set(case.operators())}:
            self.counts[outcome][tag] += 1

    def rows(self) -> list[dict[str, Any]]:
        """A row for each operator, attribute and class, also where nothing was tried."""
        tags = [(operator, "", "") for operator in self.operators]
        tags += [(operator, attribute, name) for (operator, attribute), names in self.universe.classes.items()
                 for name in names]
        return [{"operator": operator, "attribute": attribute, "class": name,
                 "compared": self.counts["compared"][operator, attribute, name],
                 "refused": self.counts["refused"][operator, attribute, name]}
                for operator, attribute, name in sorted(set(tags))]

    def thin(self) -> list[dict[str, Any]]:
        """Rows with fewer than ENOUGH compared cases."""
        return [row for row in self.rows() if row["compared"] < ENOUGH]

    def table(self) -> str:
        """Lines of text: an operator a paragraph, `class compared (refused)`; `!` marks fewer than ENOUGH."""
        lines: list[str] = []
        by_operator: dict[str, dict[str, list[str]]] = collections.defaultdict(dict)
        for row in self.rows():
            text = f"{row['class']} {row['compared']}".strip() + (f" ({row['refused']})" if row["refused"] else "")
            mark = "!" if row["compared"] < ENOUGH else ""
            by_operator[row["operator"]].setdefault(row["attribute"], []).append(text + mark)
        for operator, attributes in by_operator.items():
            lines.append(f"{operator:<20} {' '.join(attributes.pop('', []))}".rstrip())
            lines += [f"    {attribute:<26} {', '.join(classes)}" for attribute, classes in attributes.items()]
        return "\n".join(lines)
