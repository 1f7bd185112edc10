"""What must come out of a case, and how far from it a right result may lie, element by element.

ONNX Runtime computes the network as it is. Then it computes it again with random noise of the size of each node's
rounding (noise.py), SAMPLES times: an element that moves by d may be off by SLACK times d, one that becomes another
integer, NaN or infinity depends on the rounding and is not compared.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import onnx
from onnx import helper

from fuzzing import reference
from fuzzing.case import Case, Node, Value, make_model
from fuzzing.noise import EPSILON, undefined_in

SAMPLES = 16
SLACK = 8.0
EXTREMES = {2: np.nan, 3: np.inf, 4: -np.inf}  # what stands for undefined elements in these samples
HUGE = 2.0**60  # sums of products of larger numbers may overflow
DIVIDING = {"Div", "Reciprocal", "Pow"}
TINIEST = 2.0**-149  # what a zero of either sign is in the noisy model
FLOOR = 2.0**-126  # the smallest normal number: results of arithmetic below may be flushed to zero


@dataclasses.dataclass(frozen=True)
class Expected:
    """An output: its array, the tolerance of each element, and which of them are compared at all."""

    array: np.ndarray
    tolerance: np.ndarray
    compared: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Noise:
    """An input of the noisy model: random numbers about `centre`, or which elements of `about` have no result."""

    name: str
    like: Value
    centre: float
    size: float
    kind: str  # "noise", "operand" (of a sum), "spread", "poison" (NaN of an operand), "undefined" or "fill"
    about: str = ""


def _floats(value: Value) -> bool:
    return value.dtype in (np.float32, np.float64)


class _NoisyModel:
    """The case's network with noise at its nodes, as one model and its additional inputs."""

    def __init__(self, case: Case) -> None:
        self.noises: list[_Noise] = []
        self._divides = not DIVIDING.isdisjoint(case.operators())
        self._nodes: list[onnx.NodeProto] = []
        values = {v.name: v for v in case.input_values()} | {v.name: v for node in case.nodes for v in node.outputs}
        values |= {name: Value(name, array.dtype, array.shape) for name, array in case.constants.items()}
        for node in case.nodes:
            self._add(node, values)
        extra = [Value(n.name, np.dtype(np.bool_) if n.kind == "undefined" else n.like.dtype, n.like.shape)
                 for n in self.noises]
        self.model = make_model(case.opset, self._nodes, case.input_values() + extra, case.constants, case.outputs)

    def _input(self, like: Value, centre: float, size: float, kind: str = "noise", about: str = "") -> str:
        noise = _Noise(f"noise{len(self.noises)}", like, centre, size, kind, about)
        self.noises.append(noise)
        return noise.name

    def _add(self, node: Node, values: dict[str, Value]) -> None:
        proto = onnx.NodeProto()
        proto.CopyFrom(node.proto)
        number = len(self._nodes)
        for i, name in enumerate(proto.input):
            parameter = node.noise.only_first and i > 0
            if name and node.noise.operands and not parameter and _floats(values[name]):
                factor = self._input(values[name], 1, node.noise.operands, "operand")
                self._nodes.append(helper.make_node("Mul", [name, factor], [f"{name}_in{number}_{i}"]))
                proto.input[i] = f"{name}_in{number}_{i}"
        if node.noise.undefined:
            x = values[node.proto.input[0]]
            mask = self._input(x, 0, 0, "undefined", node.noise.undefined)
            kind = "float" if node.outputs[0].dtype.kind == "f" else "integer"
            self._nodes.append(helper.make_node("Where", [mask, self._input(x, 0, 0, "fill", kind), proto.input[0]],
                                                [f"{x.name}_defined{number}"]))
            proto.input[0] = f"{x.name}_defined{number}"
        self._nodes.append(proto)
        for value in node.outputs:
            steps = [(op, centre, size) for op, centre, size in (
                ("Mul", 1.0, node.noise.relative), ("Add", 0.0, node.noise.absolute), ("Add", 0.0, node.noise.spread))
                     if size]
            if not _floats(value):
                continue
            if node.noise.undefined:  # a NaN among the operands may reach every result
                steps.append(("Mul", 1.0, 0.0))
            if node.noise.signs and self._divides:
                steps.append(("Add", 0.0, TINIEST))
            if not steps:
                continue
            index = list(proto.output).index(value.name)
            name = proto.output[index] = f"{value.name}_exact"
            for k, (op, centre, size) in enumerate(steps):
                result = value.name if k == len(steps) - 1 else f"{value.name}_noise{k}"
                kind = "poison" if size == 0 else "spread" if size == node.noise.spread else "noise"
                about = "" if kind == "noise" else node.proto.input[0]
                noise = self._input(value, centre, size, kind, about)
                self._nodes.append(helper.make_node(op, [name, noise], [result]))
                name = result

    def draw(self, rng: np.random.Generator, arrays: dict[str, np.ndarray], sample: int) -> dict[str, np.ndarray]:
        """The additional inputs of one sample; `arrays` holds every value of the network without noise.

        Sums of terms beyond HUGE may overflow in one order and not in another: these are infinite in sample 0, and small
        in sample 1.
        """
        drawn = {}
        for noise in self.noises:
            shape = noise.like.shape
            if noise.kind == "undefined":
                drawn[noise.name] = undefined_in(noise.about, arrays[noise.like.name])
            elif noise.kind == "poison":
                hit = sample == 0 and bool(np.isnan(arrays[noise.about]).any())
                drawn[noise.name] = np.full(shape, np.nan if hit else 1.0, noise.like.dtype)
            elif noise.kind == "fill":
                fill = np.asarray(rng.integers(0, 120 if sample > 0 else 1, shape))
                if noise.about == "float":  # whatever depends on it shall show it
                    fill = EXTREMES.get(sample, 0.0) + (fill % 2 * 2 - 1) * 10.0 ** (fill % 12)
                drawn[noise.name] = np.asarray(fill).astype(noise.like.dtype)
            else:
                signs = rng.integers(0, 2, shape) * 2 - 1
                size = noise.size
                if noise.kind == "spread":
                    known = np.abs(arrays[noise.about])
                    size *= float(np.max(known[np.isfinite(known)], initial=0.0))
                factors = np.asarray(noise.centre + size * signs)
                if noise.kind == "operand":
                    factors = np.where(np.abs(arrays[noise.like.name]) > HUGE, {0: np.inf, 1: 2.0**-90}.get(sample, 1.0) * factors, factors)
                drawn[noise.name] = factors.astype(noise.like.dtype)
        return drawn


def expected_of(case: Case) -> list[dict[str, Expected]]:
    """For each set of inputs, what must come out; raises reference.ReferenceError."""
    every = list({v.name: v for v in [*(v for node in case.nodes for v in node.outputs)]}.values())
    names = [v.name for v in every]
    plain = reference.open_session(make_model(case.opset, [node.proto for node in case.nodes], case.input_values(),
                                              case.constants, every))
    exact = all(node.noise.exact() for node in case.nodes) and DIVIDING.isdisjoint(case.operators())
    noisy = None if exact else _NoisyModel(case)
    session = None if noisy is None else reference.open_session(noisy.model)
    outputs = [v.name for v in case.outputs]
    sets = []
    for s in range(case.sets):
        inputs = case.set_of(s)
        arrays = dict(zip(names, reference.run_session(plain, inputs, names)))
        samples = []
        if noisy is not None and session is not None:
            rng = np.random.default_rng(case.number + s)
            known = arrays | inputs | case.constants
            samples = [reference.run_session(session, inputs | noisy.draw(rng, known, i), outputs)
                       for i in range(SAMPLES)]
        sets.append({name: _expected(arrays[name], [sample[i] for sample in samples])
                     for i, name in enumerate(outputs)})
    return sets


def _expected(array: np.ndarray, samples: list[np.ndarray]) -> Expected:
    compared = np.ones(array.shape, np.bool_)
    tolerance = np.zeros(array.shape, np.float64)
    with np.errstate(all="ignore"):
        if array.dtype.kind != "f":
            for sample in samples:
                compared &= sample == array
            return Expected(array, tolerance, compared)
        exact = array.astype(np.float64)
        for sample in samples:
            other = sample.astype(np.float64)
            alike = (np.isnan(other) & np.isnan(exact)) | (other == exact)
            compared &= alike | (np.isfinite(other) & np.isfinite(exact))
            tolerance = np.maximum(tolerance, np.where(alike, 0, np.abs(other - exact)))
        tolerance = np.where(compared & np.isfinite(tolerance), tolerance, 0) * SLACK
        if samples:
            tolerance += np.where(np.isfinite(exact), 4 * EPSILON * np.abs(exact), 0) + FLOOR
    return Expected(array, tolerance, compared)
