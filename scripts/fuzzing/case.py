"""What a case is, and the ONNX models that are made of cases.

A case is a small network that is unrelated to all others: 1 to 6 nodes, its inputs in several sets, its constants and
its outputs. Names start with the case's prefix (`c17`), so that several cases fit into one model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fuzzing.noise import Noise


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor of the network: its name, element type and shape."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]

    def info(self) -> onnx.ValueInfoProto:
        """The value as ONNX declares it."""
        return helper.make_tensor_value_info(self.name, helper.np_dtype_to_tensor_dtype(self.dtype), self.shape)

    def __str__(self) -> str:
        return f"{self.dtype}[{'x'.join(map(str, self.shape))}]"


@dataclasses.dataclass
class Node:
    """A node, and how far results may lie from each other that are all right."""

    proto: onnx.NodeProto
    outputs: list[Value]
    noise: Noise


@dataclasses.dataclass
class Case:
    """One random network. `inputs[name][s]` is the input's array in set s; `kinds[s]` says what is in the set."""

    seed: str
    number: int
    opset: int
    nodes: list[Node]
    inputs: dict[str, list[np.ndarray]]
    constants: dict[str, np.ndarray]
    outputs: list[Value]
    tags: list[tuple[str, str, str]]  # operator, attribute, class of its value
    choices: list[int]
    spans: list[tuple[int, int]]
    sets: int

    @property
    def name(self) -> str:
        """What replays it."""
        return f"{self.seed}:{self.number}"

    def operators(self) -> list[str]:
        """Its operators, in the order of the nodes."""
        return [node.proto.op_type for node in self.nodes]

    def input_values(self) -> list[Value]:
        """The network's inputs."""
        return [Value(name, arrays[0].dtype, arrays[0].shape) for name, arrays in self.inputs.items()]

    def set_of(self, s: int) -> dict[str, np.ndarray]:
        """The inputs' arrays in set s."""
        return {name: arrays[s] for name, arrays in self.inputs.items()}

    def describe(self) -> str:
        """A line a node: `n0 Conv(x f32[1x2x3x3], w f32[..]) strides=[1, 1]`, and what the inputs are."""
        values = {v.name: v for node in self.nodes for v in node.outputs}
        values.update({v.name: v for v in self.input_values()})
        lines = [f"opset {self.opset}"]
        for node in self.nodes:
            operands = []
            for name in node.proto.input:
                constant = self.constants.get(name)
                kind = "constant " if constant is not None else ""
                what = Value(name, constant.dtype, constant.shape) if constant is not None else values.get(name)
                text = f" = {constant.tolist()}" if constant is not None and constant.size <= 8 else ""
                operands.append(f"{name} {kind}{what}{text}" if name else "-")
            attributes = " ".join(helper.printable_attribute(a) for a in node.proto.attribute)
            results = ", ".join(f"{v.name} {v}" for v in node.outputs)
            lines.append(f"{node.proto.op_type}({', '.join(operands)}) {attributes} -> {results}")
        lines.append("outputs: " + ", ".join(v.name for v in self.outputs))
        return "\n".join(lines)


def make_model(opset: int, nodes: Sequence[onnx.NodeProto], inputs: Sequence[Value],
               constants: dict[str, np.ndarray], outputs: Sequence[Value]) -> onnx.ModelProto:
    """A model of one graph."""
    graph = helper.make_graph(
        list(nodes), "fuzz", [v.info() for v in inputs], [v.info() for v in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                             ir_version=8 if opset < 21 else 10, producer_name="fuzz_operators")


def model_of(cases: Sequence[Case]) -> onnx.ModelProto:
    """One model of cases of the same opset: their inputs, constants, nodes and outputs one after the other."""
    assert len({case.opset for case in cases}) == 1, "the cases of a model have one opset"
    return make_model(
        cases[0].opset, [node.proto for case in cases for node in case.nodes],
        [value for case in cases for value in case.input_values()],
        {name: array for case in cases for name, array in case.constants.items()},
        [value for case in cases for value in case.outputs])


def folded_model_of(cases: Sequence[Case]) -> onnx.ModelProto:
    """The cases with every set of inputs as constants, so that Whet computes all of it while importing.

    Whet folds constants with its operators' references: output `s1_NAME` is that of the reference on set 1.
    """
    constants: dict[str, np.ndarray] = {}
    nodes, outputs = [], []
    for case in cases:
        for s in range(case.sets):
            constants.update({f"s{s}_{name}": array for name, array in (case.constants | case.set_of(s)).items()})
            nodes += [_renamed(node.proto, f"s{s}_") for node in case.nodes]
            outputs += [dataclasses.replace(value, name=f"s{s}_{value.name}") for value in case.outputs]
    # A network needs something to compute at run time.
    alive_in, alive_out = Value("alive_in", np.dtype(np.float32), (1,)), Value("alive", np.dtype(np.float32), (1,))
    nodes.append(helper.make_node("Relu", [alive_in.name], [alive_out.name], "alive"))
    return make_model(cases[0].opset, nodes, [alive_in], constants, [*outputs, alive_out])


def _renamed(node: onnx.NodeProto, prefix: str) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.name = prefix + node.name
    copy.input[:] = [prefix + name if name else "" for name in node.input]
    copy.output[:] = [prefix + name if name else "" for name in node.output]
    return copy


def only_set(case: Case, s: int) -> Case:
    """The case with set s alone."""
    return dataclasses.replace(case, inputs={name: [arrays[s]] for name, arrays in case.inputs.items()}, sets=1)
