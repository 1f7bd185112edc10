"""What a run tells: progress, failures with what replays them, the summary, JSON; and failing cases on disk."""

from __future__ import annotations

import collections
import json
import re
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import onnx
from onnx import numpy_helper

from fuzzing import reference
from fuzzing.case import Case, model_of
from fuzzing.coverage import Coverage
from fuzzing.harness import Outcome
from fuzzing.run_whet import write_sets


def save_case(folder: Path, case: Case, text: str) -> None:
    """model.onnx, test_data_set_S/input_J.pb and output_J.pb with ONNX Runtime's results, and a text of what it is."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = model_of([case])
    onnx.save(model, folder / "model.onnx")
    write_sets(folder, case.input_values(), [case.set_of(s) for s in range(case.sets)])
    session = reference.open_session(model)
    for s in range(case.sets):
        results = reference.run_session(session, case.set_of(s), [value.name for value in case.outputs])
        for j, (value, array) in enumerate(zip(case.outputs, results)):
            tensor = numpy_helper.from_array(array, value.name)
            data = folder / f"test_data_set_{s}"
            data.mkdir(exist_ok=True)
            (data / f"output_{j}.pb").write_bytes(tensor.SerializeToString())
    (folder / "case.txt").write_text(text + "\n", encoding="utf-8")


def reason(message: str) -> str:
    """What refusals of one reason have in common."""
    message = re.sub(r"^whet: (\S*model\.onnx: )?", "", message)
    message = re.sub(r"node '[^']*' ", "", message)
    message = re.sub(r"'c\d+\w*'|\bc\d+n\d+\b", "'..'", message)
    return re.sub(r"\b(?!f32|i32|i64|f64|f16|u8|i8|i16|u16|u32|1e)\d+(x\d+)*\b|\[[\d, x-]*\]", "N", message)


class Report:
    """Collects outcomes. Thread-safe. Lines go to `out`, at most one of progress every five seconds."""

    def __init__(self, seed: str, coverage: Coverage, out: TextIO, every_s: float = 5.0) -> None:
        self.seed = seed
        self.coverage = coverage
        self.failures: list[dict[str, Any]] = []
        self.cases = 0
        self._out = out
        self._every_s = every_s
        self._lock = threading.Lock()
        self._begin = self._said = time.monotonic()
        self._counts: collections.Counter = collections.Counter()
        self._refusals: collections.Counter = collections.Counter()
        self._skipped: collections.Counter = collections.Counter()
        self._elements = self._not_compared = self._zero_signs = 0

    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._begin

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Counts outcomes and says how far it is; failures are told by `failure`."""
        with self._lock:
            for outcome in outcomes:
                self.cases += 1
                self._counts[outcome.status] += 1
                self._elements += outcome.elements
                self._not_compared += outcome.not_compared
                self._zero_signs += outcome.zero_signs
                if outcome.status == "refused":
                    self._refusals[reason(outcome.detail)] += 1
                if outcome.status == "skipped":
                    self._skipped[reason(outcome.detail)[:120]] += 1
                if outcome.status in ("compared", "refused"):
                    self.coverage.add(outcome.case, outcome.status)
            if time.monotonic() - self._said >= self._every_s:
                self._said = time.monotonic()
                self._say(f"{self.cases} cases, {self.cases / self.seconds():.1f} a second, "
                          f"{self._counts['refused']} refused, {len(self.failures)} failures")

    def failure(self, outcome: Outcome, replay: str, smaller: Case | None, folder: Path | None) -> None:
        """Tells of a failure on one line that replays it."""
        operators = " ".join(outcome.case.operators())
        with self._lock:
            self.failures.append({
                "kind": outcome.kind, "detail": outcome.detail, "replay": replay, "operators": operators,
                "smaller": smaller.describe() if smaller else "", "folder": str(folder) if folder else ""})
            where = f"; smaller in {folder}" if folder else ""
            self._say(f"FAILED {replay} [{outcome.kind}] {operators}: {outcome.detail}{where}")

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)

    def summary(self) -> str:
        """Coverage, refusals by reason, failures by kind, and the totals."""
        lines = ["", "coverage: class compared (refused); ! marks what was compared less often than 20 times",
                 self.coverage.table(), ""]
        lines += [f"refused {count}: {text}" for text, count in self._refusals.most_common()]
        lines += [f"skipped {count}: {text}" for text, count in self._skipped.most_common()]
        kinds = collections.Counter(failure["kind"] for failure in self.failures)
        lines += [f"failed {count}: {kind}" for kind, count in kinds.most_common()]
        lines += ["", f"seed {self.seed}: {self.cases} cases in {self.seconds():.0f} s "
                      f"({self.cases / max(self.seconds(), 1e-9):.1f} a second), {self._counts['compared']} compared, "
                      f"{self._counts['refused']} refused, {self._counts['skipped']} skipped, "
                      f"{len(self.failures)} failures; {self._elements} elements, "
                      f"{self._not_compared} of them depend on rounding; {self._zero_signs} zeros of the other sign"]
        return "\n".join(lines)

    def json(self) -> str:
        """The same for programs."""
        return json.dumps({
            "schema_version": 1, "seed": self.seed, "cases": self.cases, "seconds": round(self.seconds(), 1),
            "counts": dict(self._counts), "elements": self._elements, "not_compared": self._not_compared,
            "zero_signs": self._zero_signs, "failures": self.failures, "refusals": dict(self._refusals),
            "skipped": dict(self._skipped), "coverage": self.coverage.rows()}, indent=1)
