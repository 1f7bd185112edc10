"""Runs models with Whet and reads what it said: outputs, verdicts, or why not."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from fuzzing.case import Case, Value, folded_model_of, model_of

# Words of the inside: a sentence for the user has none of them.
INTERNAL = re.compile(r"halide|internal|assert|exception|bad_alloc|std::|llvm|terminate|segmentation|sanitizer"
                      r"|\bnullptr\b|0x[0-9a-f]{6}|directive|stage '", re.IGNORECASE)


@dataclasses.dataclass
class WhetRun:
    """How a run ended. `outputs[s][name]` is what it wrote; `verdicts[s][name]` what its own check said."""

    ending: str  # "done", "refused", or a fault: "signal 11", "exit code 3", "time-out", "internal sentence", ..
    message: str = ""
    outputs: list[dict[str, np.ndarray]] = dataclasses.field(default_factory=list)
    verdicts: list[dict[str, str]] = dataclasses.field(default_factory=list)
    refused_kernels: str = ""  # kernels that its own check found wrong, and replaced

    @property
    def faulty(self) -> bool:
        """Neither done nor refused in a sentence."""
        return self.ending not in ("done", "refused")


def _ending(code: int, errors: str) -> tuple[str, str]:
    """How a process ended by its exit code and standard error, and the line that says why."""
    lines = [line for line in errors.splitlines() if line.strip()]
    message = lines[-1] if lines else ""
    if code < 0:
        return f"signal {signal.Signals(-code).name}", message
    if code in (0, 2):  # 2: its check differs, which the caller judges
        return "done", message
    if code != 1:
        return f"exit code {code}", message
    if len(lines) != 1 or not message.startswith("whet: "):
        return "not one sentence", "; ".join(lines)[:500]
    if INTERNAL.search(message):
        return "internal sentence", message
    return "refused", message


def write_sets(folder: Path, inputs: Sequence[Value], sets: Sequence[dict[str, np.ndarray]]) -> None:
    """Folders test_data_set_S with input_J.pb, in the order of the model's inputs."""
    for s, arrays in enumerate(sets):
        data = folder / f"test_data_set_{s}"
        data.mkdir(parents=True)
        for i, value in enumerate(inputs):
            tensor = numpy_helper.from_array(np.ascontiguousarray(arrays[value.name]).reshape(value.shape), value.name)
            (data / f"input_{i}.pb").write_bytes(tensor.SerializeToString())


class Whet:
    """The command. `program` is its path; one run takes at most `timeout_s` seconds."""

    def __init__(self, program: str, cache: Path, timeout_s: float = 120.0) -> None:
        """Kernels are kept in the folder `cache`, so that a case that is run again costs little."""
        self._program = program
        self._environment = os.environ | {"WHET_CACHE_DIR": str(cache)}
        self._timeout_s = timeout_s

    def run(self, cases: Sequence[Case], folder: Path, threads: int, anew: bool = False) -> WhetRun:
        """Runs cases of one opset as one model, on every set of inputs, compared with Whet's own reference.

        `anew`: kernels are compiled and checked again, whatever the cache holds.
        """
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(model_of(cases).SerializeToString())
        inputs = [value for case in cases for value in case.input_values()]
        sets = [{name: array for case in cases for name, array in case.set_of(s).items()}
                for s in range(cases[0].sets)]
        arguments = ["--threads", str(threads)] + ["--no-cache"] * anew
        if inputs:
            write_sets(folder, inputs, sets)
            arguments += ["--test-data", str(folder)]
        else:
            sets = sets[:1]
        run = self._run(folder, arguments, len(sets), [value for case in cases for value in case.outputs])
        if not inputs and run.ending == "done":
            run.outputs, run.verdicts = run.outputs * cases[0].sets, run.verdicts * cases[0].sets
        return run

    def run_reference(self, cases: Sequence[Case], folder: Path) -> WhetRun:
        """The outputs of Whet's references on all sets: the same network, folded while it is imported."""
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(folded_model_of(cases).SerializeToString())
        np.save(folder / "alive.npy", np.ones(1, np.float32))
        names = {f"s{s}_{v.name}": (s, v.name) for case in cases for s in range(case.sets) for v in case.outputs}
        run = self._run(folder, ["--input", f"alive_in={folder / 'alive.npy'}", "--threads", "1"], 1,
                        [Value(name, np.dtype(np.float32), ()) for name in names])
        if run.ending == "done":
            written, run.outputs = run.outputs[0], [{} for _ in range(max(case.sets for case in cases))]
            for name, (s, output) in names.items():
                run.outputs[s][output] = written[name]
        return run

    def _run(self, folder: Path, arguments: list[str], sets: int, outputs: Sequence[Value]) -> WhetRun:
        command = [self._program, "run", str(folder / "model.onnx"), "--check", "--output", str(folder / "out"),
                   "--json", str(folder / "check.json"), *arguments]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                  timeout=self._timeout_s, check=False, env=self._environment)
        except subprocess.TimeoutExpired:
            return WhetRun("time-out", f"no end in {self._timeout_s:g} s")
        run = WhetRun(*_ending(done.returncode, done.stderr))
        if run.ending != "done":
            run.message = run.message.replace(f"{folder / 'model.onnx'}", "model.onnx")
            return run
        run.refused_kernels = "; ".join(line for line in done.stderr.splitlines() if " is refused (" in line)
        try:
            self._read(folder, run, sets, outputs)
        except (OSError, ValueError, KeyError) as error:
            none_right = [line for line in done.stderr.splitlines() if "none of its schedules" in line]
            return WhetRun("no kernel is right" if none_right else "outputs missing", "; ".join(none_right) or str(error))
        return run

    @staticmethod
    def _read(folder: Path, run: WhetRun, sets: int, outputs: Sequence[Value]) -> None:
        for s in range(sets):
            prefix = f"test_data_set_{s}_" if sets > 1 else ""
            run.outputs.append({v.name: np.load(folder / "out" / f"{prefix}{v.name}.npy") for v in outputs})
        run.verdicts = [{} for _ in range(sets)]
        for result in json.loads((folder / "check.json").read_text(encoding="utf-8"))["results"]:
            s = int(result["set"].rpartition("_")[2]) if sets > 1 else 0
            run.verdicts[s][result["output"]] = "agrees" if result["ok"] else f"differs by {result['max_abs_diff']}"


def refused_case(message: str, cases: Sequence[Case]) -> Case | None:
    """The case whose node a refusal names."""
    named = re.search(r"'(?:s\d+_)?(c\d+)n\d+'", message)
    return next((case for case in cases if named and named.group(1) == f"c{case.number}"), None)


def load_model(folder: Path) -> onnx.ModelProto:
    """The model of a saved case."""
    return onnx.load(folder / "model.onnx")
