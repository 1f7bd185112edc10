"""Puts a case together: draws operands, adds nodes, knows each value's type and shape.

Shapes are not worked out here: each node is run by ONNX Runtime as it is added, on the inputs of set 0. A node that
ONNX Runtime refuses is taken back with everything that was drawn for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from fuzzing import reference, shapes, values
from fuzzing.case import Case, Node, Value, make_model
from fuzzing.coverage import Universe
from fuzzing.noise import Noise, noise_of
from fuzzing.source import Source

MOST_ELEMENTS = 1 << 15  # of a result
SETS = 3  # of inputs a case: the first one holds tame numbers only


class Dropped(Exception):
    """What was begun makes no network; the text says why."""


class Builder:
    """One case in the making. Not thread-safe; one a case."""

    def __init__(self, source: Source, opset: int, prefix: str, universe: Universe, sets: int = SETS) -> None:
        self.source = source
        self.opset = opset
        self.sets = sets
        self.nodes: list[Node] = []
        self.chain: list[Value] = []  # results that later nodes may take
        self.tags: list[tuple[str, str, str]] = []
        self.operator = ""  # whose attributes are being chosen
        self._prefix = prefix
        self._universe = universe
        self._inputs: dict[str, list[np.ndarray]] = {}
        self._constants: dict[str, np.ndarray] = {}
        self._arrays: dict[str, np.ndarray] = {}  # of set 0
        self._count = 0

    # Choices.

    def choose(self, attribute: str, classes: Sequence[Any], weights: Sequence[float] | None = None) -> Any:
        """One class of the attribute's values, counted as covered when the case is."""
        self._universe.add(self.operator, attribute, classes)
        chosen = self.source.pick(classes, weights)
        self.tags.append((self.operator, attribute, str(chosen)))
        return chosen

    def tag(self, attribute: str, chosen: Any) -> None:
        """Counts a class that follows from other choices."""
        self._universe.add(self.operator, attribute, [chosen])
        self.tags.append((self.operator, attribute, str(chosen)))

    # Operands.

    def operand(self, dtype: Any, shape: Sequence[int], role: str = "any", constant: float = 0.3) -> Value:
        """A new input, or with probability `constant` a constant; now and then an earlier result of that type."""
        dtype, shape = np.dtype(dtype), tuple(shape)
        earlier = [v for v in self.chain if v.dtype == dtype and v.shape == shape] if role in ("any", "terms") else []
        if earlier and self.source.chance(0.3):
            return self.source.pick(earlier)
        if self.source.chance(constant):
            tame = role != "any" or self.source.chance(0.5)
            return self.constant(self._draw(dtype, shape, role, tame))
        name = self._name("x")
        self._inputs[name] = [self._draw(dtype, shape, role, tame=s == 0) for s in range(self.sets)]
        self._arrays[name] = self._inputs[name][0]
        return Value(name, dtype, shape)

    def given(self, array: np.ndarray) -> Value:
        """A new input that holds the array in every set."""
        name = self._name("x")
        self._inputs[name] = [array] * self.sets
        self._arrays[name] = array
        return Value(name, array.dtype, array.shape)

    def constant(self, array: Any, dtype: Any = None) -> Value:
        """A constant that holds the array: an initialiser, or the output of a node Constant."""
        array = np.array(array, dtype)
        if self.source.chance(0.15):
            self.operator, before = "Constant", self.operator
            form = self.choose("attribute", self._constant_forms(array))
            self.tag("type", array.dtype)
            self.operator = before
            payload = {"value": numpy_helper.from_array(array), "value_float": float(array.flat[0]) if array.size else 0.0,
                       "value_int": int(array.flat[0]) if array.size and array.dtype.kind == "i" else 0,
                       "value_floats": array.ravel().tolist(), "value_ints": array.ravel().tolist()}[form]
            return self.node("Constant", [], {form: payload}, noise=Noise())[0]
        name = self._name("k")
        self._constants[name] = self._arrays[name] = array
        return Value(name, array.dtype, array.shape)

    def _constant_forms(self, array: np.ndarray) -> list[str]:
        forms = ["value"]
        if self.opset >= 12 and array.ndim <= 1 and array.dtype in (np.float32, np.int64):
            kind = "float" if array.dtype == np.float32 else "int"
            forms.append(f"value_{kind}" if array.ndim == 0 else f"value_{kind}s")
        return forms if array.ndim == 0 or array.size else forms[:1]

    def _draw(self, dtype: np.dtype, shape: tuple[int, ...], role: str, tame: bool) -> np.ndarray:
        kinds = values.kinds_of(dtype, role, tame)
        kind = self.source.pick(list(kinds), list(kinds.values()))
        self._universe.add("(values)", f"{dtype}", list(values.kinds_of(dtype, "any", False)))
        self.tags.append(("(values)", f"{dtype}", kind))
        return values.make(kind, role, dtype, shape, self.source.below(1 << 20))

    def shape(self, rank: int, elements: int = shapes.ELEMENTS) -> tuple[int, ...]:
        """A random shape."""
        return shapes.shape(self.source, rank, elements)

    # Nodes.

    def node(self, operator: str, inputs: Iterable[Value | None], attributes: dict[str, Any] | None = None,
             outputs: int | Sequence[bool] = 1, terms: int = 1, noise: Noise | None = None) -> list[Value]:
        """Adds a node and returns its outputs. `outputs`: how many, or which of them are named."""
        named = [True] * outputs if isinstance(outputs, int) else list(outputs)
        names = [self._name("y") if is_named else "" for is_named in named]
        operands = list(inputs)
        while operands and operands[-1] is None:
            operands.pop()
        proto = helper.make_node(operator, ["" if v is None else v.name for v in operands], names,
                                 f"{self._prefix}n{len(self.nodes)}", **(attributes or {}))
        arrays = self._evaluate(proto, operands, [name for name in names if name])
        results = []
        for name, array in zip((name for name in names if name), arrays):
            if array.size == 0 or array.size > MOST_ELEMENTS or array.ndim > 8:
                raise Dropped(f"{operator} makes {array.shape}")
            self._arrays[name] = array
            results.append(Value(name, array.dtype, array.shape))
        noise = noise if noise is not None else noise_of(operator, terms, results[0].dtype.kind in "iu")
        if noise.undefined and self.opset < 9:
            raise Dropped(f"what is undefined of {operator} is not worked out: that takes a Where")
        self.nodes.append(Node(proto, results, noise))
        return results

    def _evaluate(self, proto: Any, operands: list[Value | None], names: list[str]) -> list[np.ndarray]:
        given = {v.name: v for v in operands if v is not None}
        constants = {name: self._arrays[name] for name in given if name in self._constants}
        open_inputs = [v for name, v in given.items() if name not in constants]
        model = make_model(self.opset, [proto], open_inputs, constants, [])
        for name in names:
            model.graph.output.append(helper.make_empty_tensor_value_info(name))
        try:
            return reference.run_model(model, {v.name: self._arrays[v.name] for v in open_inputs})
        except reference.ReferenceError as error:
            raise Dropped(f"ONNX Runtime: {str(error)[:300]}") from error

    def _name(self, letter: str) -> str:
        self._count += 1
        return f"{self._prefix}{letter}{self._count}"

    # Taking back.

    def mark(self) -> Any:
        """What `take_back` returns to."""
        return len(self.nodes), len(self.tags), len(self.chain), set(self._inputs), set(self._constants)

    def take_back(self, mark: Any) -> None:
        """Forgets everything since the mark."""
        nodes, tags, chain, inputs, constants = mark
        del self.nodes[nodes:], self.tags[tags:], self.chain[chain:]
        self._inputs = {name: arrays for name, arrays in self._inputs.items() if name in inputs}
        self._constants = {name: array for name, array in self._constants.items() if name in constants}

    def finish(self, seed: str, number: int, outputs: list[Value]) -> Case:
        """The case: what no output needs is left out."""
        needed, kept = {v.name for v in outputs}, []
        for node in reversed(self.nodes):
            if needed.isdisjoint(node.proto.output):
                continue
            kept.append(node)
            needed.update(node.proto.input)
        return Case(
            seed, number, self.opset, kept[::-1],
            {name: arrays for name, arrays in self._inputs.items() if name in needed},
            {name: array for name, array in self._constants.items() if name in needed},
            outputs, list(self.tags), list(self.source.taken), list(self.source.spans), self.sets)
