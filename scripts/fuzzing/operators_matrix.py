"""Matrix products, Softmax, LayerNormalization, and the reductions."""

from __future__ import annotations

import dataclasses

import numpy as np

from fuzzing import shapes
from fuzzing.builder import Builder, Dropped
from fuzzing.case import Value
from fuzzing.noise import noise_of
from fuzzing.table import NUMBERS, operator


def _axis(b: Builder, rank: int, name: str = "axis") -> int:
    """An axis counted from either end; its classes are first, last, middle and negative."""
    axis = b.source.below(rank)
    where = "only" if rank == 1 else "first" if axis == 0 else "last" if axis == rank - 1 else "middle"
    negative = b.source.chance(0.3)
    b.tag(name, where + (", negative" if negative else ""))
    return axis - rank if negative else axis


@operator("MatMul", ranks=(1, 4), role="terms", weight=2)
def matmul(b: Builder, x: Value) -> list[Value]:
    depth = x.shape[-1]
    other = b.choose("other operand", ["matrix", "vector", "batched", "broadcast", "first"], [4, 1, 2, 2, 1])
    columns = shapes.extent(b.source, 40)
    batch = list(x.shape[:-2])
    if other == "vector":
        shape: tuple[int, ...] = (depth,)
    elif other == "batched":
        shape = (*batch, depth, columns)
    elif other == "broadcast":
        shape = (*[1 if b.source.chance(0.5) else e for e in batch[b.source.below(len(batch) + 1):]], depth, columns)
    else:
        shape = (depth, columns)
    if other == "first" and len(x.shape) >= 2:
        y = b.operand(x.dtype, (columns, x.shape[-2]), "terms")
        return b.node("MatMul", [y, x], terms=x.shape[-2])
    return b.node("MatMul", [x, b.operand(x.dtype, shape, "terms")], terms=depth)


@operator("Gemm", ranks=(2, 2), role="terms", weight=2)
def gemm(b: Builder, x: Value) -> list[Value]:
    transposed = [b.choose(name, [0, 1]) for name in ("transA", "transB")]
    depth, rows = (x.shape[0], x.shape[1]) if transposed[0] else (x.shape[1], x.shape[0])
    columns = shapes.extent(b.source, 40)
    y = b.operand(x.dtype, (columns, depth) if transposed[1] else (depth, columns), "terms", constant=0.6)
    bias = b.choose("C", ["row", "none", "scalar", "column", "matrix", "one", "1 x row"], [4, 2, 1, 1, 2, 1, 1])
    if bias == "none" and b.opset < 11:
        raise Dropped("C is required before opset 11")
    shape = {"row": (columns,), "scalar": (), "column": (rows, 1), "matrix": (rows, columns), "one": (1,),
             "1 x row": (1, columns)}.get(bias)
    attributes = {}
    for name in ("alpha", "beta"):
        value = b.choose(name, ["absent", "1", "0.5", "-2", "0"], [4, 2, 2, 1, 1])
        if value != "absent":
            attributes[name] = float(value)
    for name, value in zip(("transA", "transB"), transposed):
        if value or b.source.chance(0.3):
            attributes[name] = value
    c = None if shape is None else b.operand(x.dtype, shape, "terms", constant=0.6)
    return b.node("Gemm", [x, y, c], attributes, terms=depth)


@operator("Softmax", ranks=(1, 5), weight=2)
def softmax(b: Builder, x: Value) -> list[Value]:
    rank = len(x.shape)
    if b.choose("axis given", ["yes", "no"], [4, 1]) == "no":
        if b.opset < 13 and rank < 2:
            raise Dropped("the default axis, 1, is not one of a vector")
        return b.node("Softmax", [x], terms=x.shape[-1])
    return b.node("Softmax", [x], {"axis": _axis(b, rank)}, terms=x.shape[-1])


@operator("LayerNormalization", ranks=(1, 4), opsets=(17, 99), role="terms", weight=3)
def layer_normalization(b: Builder, x: Value) -> list[Value]:
    rank = len(x.shape)
    given = b.choose("axis given", ["yes", "no"], [3, 1]) == "yes"
    axis = _axis(b, rank) if given else -1
    attributes: dict[str, object] = {"axis": axis} if given else {}
    epsilon = b.choose("epsilon", ["absent", "1e-05", "1e-12", "0.1"])
    if epsilon != "absent":
        attributes["epsilon"] = float(epsilon)
    row = x.shape[axis % rank:]
    if b.choose("row", ["alike", "one element", "long"] if shapes.count(row) != 1 else ["one element"]) == "one element":
        pass  # it is as x is; the classes only count
    scale = b.operand(x.dtype, row, "terms", constant=0.7)
    bias = b.operand(x.dtype, row, "terms", constant=0.7) if b.choose("B", ["given", "none"]) == "given" else None
    used = b.choose("outputs", ["Y", "Y, Mean", "Y, Mean, InvStdDev"], [4, 1, 1]).count(",")
    terms = shapes.count(row)
    # ONNX Runtime's Mean of a row with -infinity is NaN.
    noise = dataclasses.replace(noise_of("LayerNormalization", terms), undefined="not finite" if used else "")
    return b.node("LayerNormalization", [x, scale, bias], attributes, outputs=1 + used, terms=terms, noise=noise)


def _axes(b: Builder, rank: int) -> list[int] | None:
    """Axes of a reduction in any order, counted from either end; None: not given."""
    form = b.choose("axes", ["one", "absent", "several", "all", "last"], [4, 2, 3, 1, 2])
    if form == "absent" or rank == 0:
        return None
    if form == "last":
        axes = [rank - 1]
    elif form == "all":
        axes = list(range(rank))
    elif form == "one":
        axes = [b.source.below(rank)]
    else:
        axes = [d for d in range(rank) if b.source.chance(0.5)] or [0]
    return b.source.shuffled([axis - rank if b.source.chance(0.25) else axis for axis in axes])


@operator("ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", types=NUMBERS, role="terms", ranks=(0, 6))
@operator("ReduceMean", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp", role="terms")
def reduce(b: Builder, x: Value) -> list[Value]:
    rank = len(x.shape)
    axes = _axes(b, rank)
    attributes: dict[str, object] = {}
    keep = b.choose("keepdims", ["absent", "1", "0"])
    if keep != "absent":
        attributes["keepdims"] = int(keep)
    terms = shapes.count([x.shape[axis] for axis in axes] if axes is not None else x.shape)
    operands: list[Value | None] = [x]
    if b.opset >= (13 if b.operator == "ReduceSum" else 18):
        noop = b.choose("noop_with_empty_axes", ["absent", "0", "1"], [3, 1, 1])
        if noop != "absent":
            attributes["noop_with_empty_axes"] = int(noop)
        if axes is not None:
            operands.append(b.constant(np.array(axes, np.int64)))
        elif b.source.chance(0.3):
            operands.append(b.constant(np.zeros(0, np.int64)))
    elif axes is not None:
        attributes["axes"] = axes
    return b.node(b.operator, operands, attributes, terms=terms)
