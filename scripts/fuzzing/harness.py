"""Judges cases: runs them with Whet and with ONNX Runtime, several in one model, and tells what became of each.

A model that is refused or fails is taken apart until each case has its own outcome.
"""

from __future__ import annotations

import dataclasses
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fuzzing import reference
from fuzzing.case import Case
from fuzzing.compare import Difference, compare, zero_sign_differences
from fuzzing.run_whet import Whet, WhetRun, refused_case
from fuzzing.tolerance import Expected, expected_of

CHECK_TOLERANCE = 1e-3  # of whet run --check, relative to 1 + |x|


@dataclasses.dataclass
class Outcome:
    """What became of a case. `kind` groups alike failures or refusals; `detail` says more."""

    case: Case
    status: str  # "compared", "refused", "failed" or "skipped" (ONNX Runtime does not run it)
    kind: str = ""
    detail: str = ""
    elements: int = 0
    not_compared: int = 0  # elements that depend on rounding
    zero_signs: int = 0  # zeros of the other sign
    alone: bool = True  # whether it fails without the other cases of its model
    bad_set: int = 0
    threads: int = 1
    beside: int = 0  # other cases in the model that this was found with


class Harness:
    """Judges cases. Thread-safe: each call works in a folder of its own below `scratch`."""

    def __init__(self, whet: Whet, scratch: Path, zero_signs: bool = False, kernels: bool = True) -> None:
        """`kernels`: False compares the references only, which compiles nothing."""
        self._whet = whet
        self._kernels = kernels
        self._scratch = scratch
        self._zero_signs = zero_signs
        self._lock = threading.Lock()

    def _folder(self) -> tempfile.TemporaryDirectory:
        return tempfile.TemporaryDirectory(dir=self._scratch, prefix="group-")

    def judge(self, cases: Sequence[Case], threads: int) -> list[Outcome]:
        """An outcome a case, for cases of one opset."""
        outcomes: list[Outcome] = []
        expected: dict[int, list[dict[str, Expected]]] = {}
        for case in cases:
            try:
                expected[case.number] = expected_of(case)
            except reference.ReferenceError as error:
                outcomes.append(Outcome(case, "skipped", "ONNX Runtime", str(error)))
        ready = [case for case in cases if case.number in expected]
        outcomes += self._run(ready, expected, threads) if ready else []
        for i, outcome in enumerate(outcomes):
            outcome.threads = threads
            if outcome.status == "failed" and outcome.beside:
                again = self.judge([outcome.case], threads)[0]
                if again.status == "failed":
                    outcomes[i] = again
                else:
                    outcome.alone = False
        return outcomes

    def _run(self, cases: list[Case], expected: dict[int, list[dict[str, Expected]]], threads: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        left = list(cases)
        while left:
            with self._folder() as folder:
                run = self._run_once(left, Path(folder), threads)
                if run.refused_kernels and len(left) > 1:
                    return outcomes + [outcome for case in left for outcome in self._run([case], expected, threads)]
                if run.ending == "done":
                    folded = self._whet.run_reference(left, Path(folder) / "reference")
                    return outcomes + self._compared(left, expected, run, folded)
            culprit = left[0] if len(left) == 1 else None if run.faulty else refused_case(run.message, left)
            if culprit is None:
                return outcomes + [outcome for case in left for outcome in self._run([case], expected, threads)]
            outcomes.append(self._not_run(culprit, run, threads, alone=len(left) == 1))
            left.remove(culprit)
        return outcomes

    def _run_once(self, cases: list[Case], folder: Path, threads: int) -> WhetRun:
        if not self._kernels:
            return self._whet.run_reference(cases, folder / "run")
        run = self._whet.run(cases, folder / "run", threads)
        if run.refused_kernels or len(cases) > 1:
            return run
        # What was found wrong before is not told again: alone, a case is judged without what is known.
        return self._whet.run(cases, folder / "anew", threads, anew=True)

    def _not_run(self, case: Case, run: WhetRun, threads: int, alone: bool) -> Outcome:
        """The outcome of a case that did not run; a refusal among others must be one alone, too."""
        if not run.faulty and not alone:
            with self._folder() as folder:
                run = self._run_once([case], Path(folder), threads)
            if run.ending == "done":
                return Outcome(case, "failed", "refused beside others only", run.message)
        return Outcome(case, "failed" if run.faulty else "refused", run.ending, run.message)

    def _compared(self, cases: list[Case], expected: dict[int, list[dict[str, Expected]]], run: WhetRun,
                  folded: WhetRun) -> list[Outcome]:
        if folded.ending != "done" and len(cases) > 1:
            folded_runs = []
            for case in cases:
                with self._folder() as folder:
                    folded_runs.append(self._whet.run_reference([case], Path(folder) / "reference"))
        else:
            folded_runs = [folded] * len(cases)
        outcomes = [self._outcome(case, expected[case.number], run, its) for case, its in zip(cases, folded_runs)]
        for outcome in outcomes:
            outcome.beside = len(cases) - 1
        return outcomes

    def _outcome(self, case: Case, sets: list[dict[str, Expected]], run: WhetRun, folded: WhetRun) -> Outcome:
        outcome = Outcome(case, "compared")
        if folded.ending != "done":
            if folded.faulty:
                return Outcome(case, "failed", f"all constant: {folded.ending}", folded.message)
            outcome.detail = f"all constant it is refused: {folded.message}"
        for s, outputs in enumerate(sets):
            for name, wanted in outputs.items():
                outcome.elements += wanted.array.size
                outcome.not_compared += int((~wanted.compared).sum())
                outcome.zero_signs += zero_sign_differences(run.outputs[s][name], wanted)
                kernel = compare(run.outputs[s][name], wanted, self._zero_signs) if self._kernels else None
                other = None
                if folded.ending == "done":
                    other = compare(folded.outputs[s][name], wanted, self._zero_signs)
                kind, detail = _verdict(kernel, other, run.verdicts[s].get(name, "") if self._kernels else "", wanted)
                if kind and not outcome.kind:
                    outcome.status, outcome.kind, outcome.bad_set = "failed", kind, s
                    outcome.detail = f"set {s}, {name} ({wanted.array.dtype}{list(wanted.array.shape)}): {detail}"
        if run.refused_kernels and not outcome.kind:
            outcome.status, outcome.kind, outcome.detail = "failed", "a kernel was found wrong", run.refused_kernels
        return outcome


def _verdict(kernel: Difference | None, other: Difference | None, check: str, wanted: Expected) -> tuple[str, str]:
    """Kind and description of what is wrong with an output; empty if nothing is."""
    # --check has one tolerance for all; a right result may lie further off where large terms cancel.
    allowed = CHECK_TOLERANCE * (1 + np.abs(wanted.array.astype(np.float64)))
    said = f"; --check: {check}" if check else ""
    if kernel is not None and other is not None:
        return f"kernel and reference, {kernel.kind}", f"kernel {kernel}; reference {other}{said}"
    if kernel is not None:
        return f"kernel, {kernel.kind}", f"{kernel}{said}"
    if other is not None:
        return f"reference, {other.kind}", f"{other}{said}"
    if check.startswith("differs") and bool(np.all(wanted.compared & (wanted.tolerance <= allowed))):
        return "--check rejects what is right", check
    return "", ""
