#!/usr/bin/env python3
"""Stands for `whet run` in tests of scripts/fuzz_operators: computes with ONNX Runtime, then does what $FAULT says.

Without a fault its outputs are right, so that what the fuzzer finds was planted.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from fuzzing import reference  # noqa: E402
from fuzzing.case import model_of  # noqa: E402
from fuzzing.run_whet import WhetRun  # noqa: E402


def lane(array):
    """Every eighth element is its neighbour."""
    flat = array.reshape(-1)
    flat[7::8] = flat[6::8][: flat[7::8].size]


def tail(array):
    """What is left of a vector of eight is not written."""
    flat = array.reshape(-1)
    flat[flat.size - flat.size % 8:] = 0


def transposed(array):
    """The last two dimensions are stored the other way round."""
    if array.ndim >= 2:
        array[...] = np.swapaxes(array, -1, -2).reshape(array.shape).copy()


def off_by_one(array):
    """Everything is one element further."""
    array[...] = np.roll(array.reshape(-1), 1).reshape(array.shape)


def uninitialised(array):
    """One element is whatever the memory held."""
    if array.dtype == np.float32 and array.size:
        array.reshape(-1).view(np.uint32)[array.size // 2] = 0x5ca1ab1e


def nan_lost(array):
    """NaN becomes a number."""
    if array.dtype.kind == "f":
        array[np.isnan(array)] = 0


def infinity_turned(array):
    """Infinities have the wrong sign."""
    if array.dtype.kind == "f":
        array[np.isinf(array)] *= -1


def last_digits(array):
    """A relative error of a thousandth."""
    if array.dtype.kind == "f":
        array *= np.array(1.001, array.dtype)


def rounded_down(array):
    """Negative integers are one less."""
    if array.dtype.kind == "i":
        array[array < 0] -= 1


def zero_signed(array):
    """Zeros have the other sign."""
    if array.dtype.kind == "f":
        array[array == 0] *= -1


PERTURBATIONS = {f.__name__: f for f in (lane, tail, transposed, off_by_one, uninitialised, nan_lost, infinity_turned,
                                         last_digits, rounded_down, zero_signed)}


def computed(model, arrays, fault):
    """Outputs by name: those of ONNX Runtime, perturbed."""
    names = [value.name for value in model.graph.output]
    outputs = {}
    for name, array in zip(names, reference.run_model(model, arrays)):
        array = np.array(array)
        if fault in PERTURBATIONS:
            PERTURBATIONS[fault](array)
        if fault == "wrong type" and array.dtype == np.int64:
            array = array.astype(np.int32)
        outputs[name] = array[None] if fault == "wrong shape" else array
    return outputs


class FakeWhet:
    """The same without processes, for run_whet.Whet. `fault` is of kernels, or of the reference."""

    def __init__(self, fault="", in_reference=False):
        self._fault = fault
        self._in_reference = in_reference

    def _sets(self, cases, fault):
        sets = [{name: array for case in cases for name, array in case.set_of(s).items()} for s in range(cases[0].sets)]
        return [computed(model_of(cases), arrays, fault) for arrays in sets]

    def run(self, cases, folder, threads, anew=False):
        """As run_whet.Whet.run."""
        outputs = self._sets(cases, "" if self._in_reference else self._fault)
        word = "differs by 0.0" if self._fault == "check" else "agrees"
        return WhetRun("done", "", outputs, [dict.fromkeys(names, word) for names in outputs])

    def run_reference(self, cases, folder):
        """As run_whet.Whet.run_reference."""
        return WhetRun("done", "", self._sets(cases, self._fault if self._in_reference else ""))


def option(name):
    """What follows an option of the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def misbehave(model, fault):
    """What ends the process at once."""
    if fault == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "hang":
        time.sleep(600)
    if fault == "exit code":
        sys.exit(3)
    if fault == "silent":
        sys.exit(1)
    if fault == "internal":
        sys.exit("whet: model.onnx: internal error, stage 'total' has no dimension 'y'")
    refused = [node.name for node in model.graph.node if node.op_type == "Relu" and node.name != "alive"]
    if fault == "refuses Relu" and refused:
        sys.exit(f"whet: model.onnx: node '{refused[0]}' (Relu): this operator is not supported")


def input_sets(model):
    """(prefix of the outputs' files, name of the set, arrays) for each set of inputs."""
    names = [value.name for value in model.graph.input]
    if option("--input"):
        name, file = option("--input").split("=")
        return [("", "inputs", {name: np.load(file)})]
    folders = sorted(Path(option("--test-data")).glob("test_data_set_*")) if option("--test-data") else []
    sets = [] if folders else [("", "inputs", {})]
    for folder in folders:
        tensors = [onnx.TensorProto.FromString((folder / f"input_{i}.pb").read_bytes()) for i in range(len(names))]
        sets.append((f"{folder.name}_" if len(folders) > 1 else "", folder.name,
                     {name: numpy_helper.to_array(tensor) for name, tensor in zip(names, tensors)}))
    return sets


def main():
    """`fake_whet.py run MODEL --output DIR --json FILE ...`, as run_whet.Whet calls the command."""
    model = onnx.load(sys.argv[2])
    fault = os.environ.get("FAULT", "")
    if any(node.name == "alive" for node in model.graph.node):
        fault = ""  # of kernels only
    misbehave(model, fault)
    out = Path(option("--output"))
    out.mkdir(parents=True, exist_ok=True)
    results = []
    for prefix, set_name, arrays in input_sets(model):
        for name, array in computed(model, arrays, fault).items():
            np.save(out / f"{prefix}{name}.npy", array)
            results.append({"set": set_name, "output": name, "ok": True, "max_abs_diff": 0.0})
    if fault == "no output":
        next(out.glob("*.npy")).unlink()
    Path(option("--json")).write_text(json.dumps({"results": results}))


if __name__ == "__main__":
    main()
