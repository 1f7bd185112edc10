"""Activations, arithmetic with broadcasting, comparisons, logic, Clip and Cast."""

from __future__ import annotations

import numpy as np
from onnx import helper

from fuzzing import shapes
from fuzzing.builder import Builder, Dropped
from fuzzing.case import Value
from fuzzing.noise import Noise
from fuzzing.table import ALL, FLOAT, NUMBERS, operator


@operator("Relu", "Sigmoid", "Tanh", "Exp", "Log", "Sqrt", "Abs", "Reciprocal", ranks=(0, 6))
@operator("Erf", opsets=(9, 99))
@operator("HardSwish", opsets=(14, 99))
@operator("Neg", types=NUMBERS)
@operator("Not", types=("bool",))
@operator("Identity", types=ALL, weight=0.5)
def unary(b: Builder, x: Value) -> list[Value]:
    return b.node(b.operator, [x])


@operator("Dropout", weight=0.7)
def dropout(b: Builder, x: Value) -> list[Value]:
    ratio = b.choose("ratio", ["absent", "0", "0.25", "0.75"])
    if b.opset < 12:
        attributes = {} if ratio == "absent" else {"ratio": float(ratio)}
        return b.node("Dropout", [x], attributes)
    training = b.choose("training_mode", ["absent", "false"])
    return b.node("Dropout", [x, None if ratio == "absent" else b.constant(float(ratio), np.float32),
                              None if training == "absent" else b.constant(False)])


@operator("HardSigmoid")
def hard_sigmoid(b: Builder, x: Value) -> list[Value]:
    alpha = b.choose("alpha", ["absent", "0.1666", "1", "0", "-0.5", "1000"])
    beta = b.choose("beta", ["absent", "0", "1", "-0.25", "3"])
    return b.node("HardSigmoid", [x], {name: float(value) for name, value in (("alpha", alpha), ("beta", beta))
                                       if value != "absent"})


@operator("LeakyRelu")
def leaky_relu(b: Builder, x: Value) -> list[Value]:
    alpha = b.choose("alpha", ["absent", "0", "0.2", "1", "2", "-0.5"])
    return b.node("LeakyRelu", [x], {} if alpha == "absent" else {"alpha": float(alpha)})


@operator("Gelu", opsets=(20, 99), weight=3)
def gelu(b: Builder, x: Value) -> list[Value]:
    approximate = b.choose("approximate", ["absent", "none", "tanh"])
    return b.node("Gelu", [x], {} if approximate == "absent" else {"approximate": approximate})


def _two(b: Builder, x: Value, role: str = "any", op: str | None = None) -> list[Value]:
    """x and a partner of its type, in either order."""
    swapped = b.source.chance(0.25) and role != "divisor"
    form = b.choose("operands", ["runtime", "constant", "itself"], [6, 3, 1])
    if form == "itself" and role != "divisor":
        return b.node(op or b.operator, [x, x])
    shape = shapes.broadcast_partner(b.source, x.shape, grows=not swapped or len(x.shape) > 0)
    y = b.operand(x.dtype, shape, role, constant=0.0 if form == "runtime" else 1.0)
    return b.node(op or b.operator, [y, x] if swapped else [x, y])


@operator("Add", "Sub", "Mul", types=NUMBERS, ranks=(0, 6))
@operator("Equal", types=("float32", "int32", "int64", "bool"), opsets=(11, 99))
@operator("Less", "Greater", types=NUMBERS, opsets=(9, 99))
@operator("LessOrEqual", "GreaterOrEqual", types=NUMBERS, opsets=(12, 99))
@operator("And", "Or", "Xor", types=("bool",))
def binary(b: Builder, x: Value) -> list[Value]:
    if b.operator == "Equal" and x.dtype.kind == "f" and not all(node.noise.exact() for node in b.nodes):
        raise Dropped("equality of what was rounded")
    return _two(b, x)


@operator("Div", types=NUMBERS, weight=1.5)
def divide(b: Builder, x: Value) -> list[Value]:
    return _two(b, x, "divisor" if x.dtype.kind == "i" else "any")


@operator("Max", "Min", "Sum", types=FLOAT, weight=1.2)
@operator("Max", "Min", types=("int32", "int64"), opsets=(12, 99), weight=0.5)
def variadic(b: Builder, x: Value) -> list[Value]:
    count = int(b.choose("inputs", ["2", "1", "3", "4"], [4, 1, 2, 1]))
    operands = [x]
    for _ in range(count - 1):
        operands.append(b.operand(x.dtype, shapes.broadcast_partner(b.source, x.shape), "any"))
    return b.node(b.operator, b.source.shuffled(operands))


@operator("Pow", weight=2.5)
def power(b: Builder, x: Value) -> list[Value]:
    exponent = b.choose("exponent", ["2", "1", "0", "3", "-1", "-2", "-3", "0.5", "-0.5", "1.5", "4", "tensor", "inf",
                                     "nan", "integer tensor"])
    if exponent == "tensor":
        return _two(b, x)
    if exponent == "integer tensor":
        if b.opset < 12:
            raise Dropped("integer exponents are of opset 12")
        return b.node("Pow", [x, b.operand(np.int64, shapes.broadcast_partner(b.source, x.shape), "indices")])
    y = np.full(b.choose("exponent's shape", [(), (1,)]), float(exponent), np.float32)
    return b.node("Pow", [x, b.constant(y)])


@operator("Where", types=ALL, opsets=(9, 99), weight=1.5)
def where(b: Builder, x: Value) -> list[Value]:
    condition = b.operand(np.bool_, shapes.broadcast_partner(b.source, x.shape), constant=0.2)
    y = b.operand(x.dtype, shapes.broadcast_partner(b.source, x.shape), constant=0.2)
    return b.node("Where", [condition, y, x] if b.source.chance(0.5) else [condition, x, y])


@operator("Clip", types=FLOAT, weight=2)
@operator("Clip", types=("int32", "int64", "int8", "uint8", "float64"), opsets=(12, 99), weight=0.7)
def clip(b: Builder, x: Value) -> list[Value]:
    pairs = [("absent", "absent"), ("0", "6"), ("-1", "absent"), ("absent", "1"), ("0", "0"), ("-2", "2")]
    if x.dtype.kind == "f":
        pairs += [("-inf", "inf"), ("0", "inf"), ("-inf", "1"), ("-0.5", "1e38")]
    low, high = b.choose("min and max", pairs)
    noise = Noise(undefined="infinite" if x.dtype.kind == "f" and "absent" in (low, high) else "", signs=True)
    if x.dtype.kind == "u" and low.startswith("-"):
        raise Dropped("a negative bound of unsigned numbers")
    if b.opset < 11:
        given = {name: float(v) for name, v in (("min", low), ("max", high)) if v != "absent"}
        return b.node("Clip", [x], given, noise=noise)
    runtime = b.choose("bounds", ["constant", "runtime"], [3, 1]) == "runtime"
    if runtime:
        low_value = None if low == "absent" else b.operand(x.dtype, (), "bounds", constant=0)
        high_value = None if high == "absent" else b.operand(x.dtype, (), "bounds", constant=0)
        return b.node("Clip", [x, low_value, high_value], noise=noise)
    bounds = [None if v == "absent" else b.constant(float(v) if x.dtype.kind == "f" else int(v), x.dtype)
              for v in (low, high)]
    return b.node("Clip", [x, *bounds], noise=noise)


@operator("Cast", types=ALL, ranks=(0, 4), weight=4)
def cast(b: Builder, x: Value) -> list[Value]:
    # Both ends are classes of their own: there are too many pairs.
    to = np.dtype(b.choose("to", ALL))
    to_integer = x.dtype.kind == "f" and to.kind in "iu"
    if to_integer and x.dtype == np.float16:
        raise Dropped("which f16 have no defined integer is not worked out: ONNX Runtime has no Where of them")
    attributes = {"to": helper.np_dtype_to_tensor_dtype(to)}
    return b.node("Cast", [x], attributes, noise=Noise(undefined=to.name if to_integer else ""))
