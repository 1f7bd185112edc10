"""Transpose, Concat, Slice, Split, Pad, Gather, Expand, views, and what is known from shapes alone."""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from fuzzing import shapes
from fuzzing.builder import Builder, Dropped
from fuzzing.case import Value
from fuzzing.operators_matrix import _axis
from fuzzing.table import ALL, NUMBERS, operator

INT_MAX = 2**63 - 1


@operator("Transpose", types=ALL, ranks=(1, 6), weight=1.5)
def transpose(b: Builder, x: Value) -> list[Value]:
    if b.choose("perm", ["given", "absent"], [5, 1]) == "absent":
        return b.node("Transpose", [x])
    return b.node("Transpose", [x], {"perm": b.source.shuffled(range(len(x.shape)))})


@operator("Concat", types=ALL, ranks=(1, 5), weight=1.5)
def concat(b: Builder, x: Value) -> list[Value]:
    rank, count = len(x.shape), int(b.choose("inputs", ["2", "1", "3", "4"]))
    axis = _axis(b, rank)
    operands = [x]
    for _ in range(count - 1):
        shape = list(x.shape)
        shape[axis] = shapes.extent(b.source, 17)
        operands.append(b.operand(x.dtype, shape))
    return b.node("Concat", b.source.shuffled(operands), {"axis": axis})


def _bounds(b: Builder, extent: int, steps: bool) -> tuple[int, int, int]:
    """start, end and step that leave at least one element."""
    step = b.source.pick((1, 2, 3, -1, -2, extent)) if steps else 1
    first, last = sorted((b.source.below(extent), b.source.below(extent)))
    start, end = (first, last + 1) if step > 0 else (last, first - 1)
    form = b.choose("bounds", ["plain", "negative", "beyond"])
    if form == "negative":
        start, end = start - extent, end - extent if end < extent and end >= 0 else end
    if step > 0 and (form == "beyond" or end < 0):
        end = INT_MAX if b.source.chance(0.5) else extent + 3
    if step < 0 and end < 0:
        end = -INT_MAX - 1 if b.source.chance(0.5) else -extent - 1
    return start, end, step


@operator("Slice", types=ALL, ranks=(1, 5), weight=2.5)
def slice_(b: Builder, x: Value) -> list[Value]:
    rank = len(x.shape)
    axes = [d for d in range(rank) if b.source.chance(0.6)] or [b.source.below(rank)]
    b.tag("axes count", len(axes))
    steps = b.opset >= 10 and b.choose("steps", ["absent", "given"], [1, 2]) == "given"
    bounds = [_bounds(b, x.shape[axis], steps) for axis in axes]
    starts, ends, by = ([row[i] for row in bounds] for i in range(3))
    omit = axes == list(range(len(axes))) and not steps and b.choose("axes", ["given", "absent"]) == "absent"
    named = [axis - rank if b.source.chance(0.25) else axis for axis in axes]
    if b.opset < 10:
        attributes = {"starts": starts, "ends": [min(e, 2**31 - 1) for e in ends]}
        return b.node("Slice", [x], attributes if omit else attributes | {"axes": [axis % rank for axis in named]})
    dtype = np.dtype(b.choose("index type", ["int64", "int32"], [3, 1]))

    def bound(numbers: list[int]) -> Value:
        info = np.iinfo(dtype)
        return b.constant(np.clip(np.array(numbers, np.int64), info.min, info.max), dtype)

    return b.node("Slice", [x, bound(starts), bound(ends), None if omit else bound(named),
                            bound(by) if steps else None])


@operator("Split", types=ALL, ranks=(1, 5), weight=2)
def split(b: Builder, x: Value) -> list[Value]:
    rank = len(x.shape)
    axis = _axis(b, rank)
    extent = x.shape[axis]
    form = b.choose("split", ["sizes", "equal", "num_outputs"])
    if form == "num_outputs" and b.opset < 18:
        raise Dropped("num_outputs is of opset 18")
    attributes: dict[str, object] = {"axis": axis}
    operands: list[Value | None] = [x]
    if form == "sizes":
        cuts = sorted(set([0, extent] + [b.source.between(1, extent) for _ in range(b.source.between(1, 3))]))
        sizes = [end - begin for begin, end in zip(cuts, cuts[1:])]
        parts = len(sizes)
        if b.opset < 13:
            attributes["split"] = sizes
        else:
            operands.append(b.constant(np.array(sizes, np.int64)))
    else:
        divides = form == "equal" or b.source.chance(0.5)
        choices = [p for p in range(1, min(extent, 5) + 1) if extent % p == 0 or not divides]
        parts = b.source.pick(choices)
        if b.opset >= 18:
            attributes["num_outputs"] = parts
    # ONNX Runtime crashes where an output has no name; one that nothing reads may have one.
    results = b.node("Split", operands, attributes, outputs=parts)
    return b.source.shuffled([v for v in results if not b.source.chance(0.15)] or results)


@operator("Pad", types=ALL, ranks=(1, 5), weight=3)
def pad(b: Builder, x: Value) -> list[Value]:
    rank = len(x.shape)
    modes = ["constant", "absent", "edge", "reflect"] + (["wrap"] if b.opset >= 19 else [])
    mode = b.choose("mode", modes)
    amounts = b.choose("pads", ["positive", "some", "negative too"], [2, 3, 1])

    def amount(extent: int) -> int:
        if amounts == "some" and b.source.chance(0.5):
            return 0
        if amounts == "negative too" and b.source.chance(0.5):
            return -b.source.below((extent + 1) // 2)
        most = 3 if mode in ("constant", "absent", "edge") else min(3, extent - 1)
        return b.source.between(0, most)

    begins, ends = [amount(e) for e in x.shape], [amount(e) for e in x.shape]
    attributes: dict[str, object] = {} if mode == "absent" else {"mode": mode}
    value = b.choose("value", ["absent", "0", "1", "-2.5", "-inf"] if mode in ("constant", "absent") else ["absent"])
    if b.opset < 11:
        attributes["pads"] = begins + ends
        if value != "absent":
            attributes["value"] = float(value)
        return b.node("Pad", [x], attributes)
    axes = None
    if b.opset >= 18 and b.choose("axes", ["absent", "given"]) == "given":
        axes = b.source.shuffled([d for d in range(rank) if begins[d] or ends[d]] or [0])
        begins, ends = [begins[d] for d in axes], [ends[d] for d in axes]
    number = None
    if value != "absent":
        if x.dtype.kind != "f" and value in ("-2.5", "-inf"):
            raise Dropped("no value of that type")
        number = b.constant(np.array(float(value)), x.dtype)
    return b.node("Pad", [x, b.constant(np.array(begins + ends, np.int64)), number,
                          None if axes is None else b.constant(np.array(axes, np.int64))], attributes)


@operator("Gather", types=ALL, ranks=(1, 5), weight=2)
def gather(b: Builder, x: Value) -> list[Value]:
    rank = len(x.shape)
    given = b.choose("axis given", ["yes", "no"], [4, 1]) == "yes"
    axis = _axis(b, rank) if given else 0
    extent = x.shape[axis]
    dtype = b.choose("index type", ["int64", "int32"])
    shape = b.shape(b.choose("indices' rank", [1, 0, 2, 3], [3, 2, 2, 0.5]), 24)
    low = -extent if b.opset >= 11 and b.choose("indices", ["from the start", "negative too"]) != "from the start" else 0
    numbers = [b.source.between(low, extent - 1) if b.source.chance(0.5) else b.source.below(extent)
               for _ in range(shapes.count(shape))]
    array = np.array(numbers, dtype).reshape(shape)
    indices = b.constant(array) if b.choose("indices are", ["constant", "runtime"]) == "constant" else b.given(array)
    return b.node("Gather", [x, indices], {"axis": axis} if given else {})


@operator("Expand", types=NUMBERS + ("bool",), opsets=(8, 99), weight=2)
def expand(b: Builder, x: Value) -> list[Value]:
    target = shapes.broadcast_partner(b.source, x.shape)
    b.tag("target", "longer" if len(target) > len(x.shape) else "shorter" if len(target) < len(x.shape) else "alike")
    return b.node("Expand", [x, b.constant(np.array(target, np.int64))])


def _shape_operand(b: Builder, wanted: list[int]) -> Value:
    """A shape as a constant, or computed from the shapes of other tensors as exporters write it."""
    if b.choose("shape is", ["constant", "computed"], [3, 1]) == "constant" or not wanted or min(wanted) < 1:
        return b.constant(np.array(wanted, np.int64))
    like = b.operand(np.float32, wanted[:1] + [1] * (len(wanted) - 1), constant=0)
    parts = []
    for d, extent in enumerate(wanted):
        if d == 0:
            shape = b.node("Shape", [like])[0]
            parts.append(b.node("Gather", [shape, b.constant(np.array([0], np.int64))], {"axis": 0})[0])
        else:
            parts.append(b.constant(np.array([extent], np.int64)))
    return b.node("Concat", parts, {"axis": 0})[0]


@operator("Reshape", types=ALL, ranks=(0, 6), weight=2)
def reshape(b: Builder, x: Value) -> list[Value]:
    wanted = list(shapes.factorised(b.source, shapes.count(x.shape)))
    form = b.choose("target", ["extents", "-1", "0", "0 and -1"], [3, 2, 1, 1])
    if form in ("0", "0 and -1") and x.shape:
        wanted[:0] = [x.shape[0]]
        left = shapes.count(x.shape[1:])
        wanted[1:] = shapes.factorised(b.source, left)
        wanted[0] = 0
    if form in ("-1", "0 and -1") and wanted:
        open_ones = [d for d, e in enumerate(wanted) if e != 0]
        if open_ones:
            wanted[b.source.pick(open_ones)] = -1
    attributes = {}
    if b.opset >= 14:
        allow = b.choose("allowzero", ["absent", "0", "1"], [3, 1, 1])
        if allow == "1" and 0 in wanted:
            raise Dropped("allowzero would make it empty")
        if allow != "absent":
            attributes["allowzero"] = int(allow)
    return b.node("Reshape", [x, _shape_operand(b, wanted)], attributes)


@operator("Flatten", types=ALL, opsets=(9, 99))
@operator("Flatten", opsets=(7, 8))
def flatten(b: Builder, x: Value) -> list[Value]:
    rank = len(x.shape)
    axis = b.choose("axis", ["absent", "0", "rank", "middle", "negative"])
    if axis == "absent":
        return b.node("Flatten", [x])
    if axis == "negative" and (b.opset < 11 or rank == 0):
        raise Dropped("negative axes are of opset 11")
    number = {"0": 0, "rank": rank}.get(axis, b.source.below(rank + 1) if axis == "middle" else 0)
    return b.node("Flatten", [x], {"axis": -b.source.between(1, rank) if axis == "negative" else number})


def _with_axes(b: Builder, x: Value, axes: list[int] | None) -> list[Value]:
    if axes is None:
        return b.node(b.operator, [x])
    if b.opset < 13:
        return b.node(b.operator, [x], {"axes": axes})
    return b.node(b.operator, [x, b.constant(np.array(axes, np.int64))])


@operator("Squeeze", types=ALL, weight=1.5)
def squeeze(b: Builder, x: Value) -> list[Value]:
    rank, ones = len(x.shape), [d for d, e in enumerate(x.shape) if e == 1]
    form = b.choose("axes", ["absent", "some", "negative"])
    if form == "absent":
        return _with_axes(b, x, None)
    if not ones or (form == "negative" and b.opset < 11):
        raise Dropped("no axis to squeeze")
    axes = [d for d in ones if b.source.chance(0.6)] or ones[:1]
    return _with_axes(b, x, [d - rank for d in axes] if form == "negative" else axes)


@operator("Unsqueeze", types=ALL, ranks=(0, 4), weight=1.5)
def unsqueeze(b: Builder, x: Value) -> list[Value]:
    count = b.source.between(1, 2)
    rank = len(x.shape) + count
    form = b.choose("axes", ["plain", "negative"])
    if form == "negative" and b.opset < 11:
        raise Dropped("negative axes are of opset 11")
    axes = b.source.shuffled(range(rank))[:count]
    return _with_axes(b, x, [axis - rank if form == "negative" else axis for axis in axes])


@operator("Shape", types=ALL, ranks=(0, 6))
def shape_of(b: Builder, x: Value) -> list[Value]:
    attributes = {}
    if b.opset >= 15:
        for name in ("start", "end"):
            value = b.choose(name, ["absent", "0", "1", "-1", "9"])
            if value != "absent":
                attributes[name] = int(value)
    return b.node("Shape", [x], attributes)


@operator("Size", types=ALL, ranks=(0, 6), weight=0.7)
def size_of(b: Builder, x: Value) -> list[Value]:
    return b.node("Size", [x])


@operator("ConstantOfShape", ranks=(1, 3), opsets=(9, 99), weight=1.5)
def constant_of_shape(b: Builder, x: Value) -> list[Value]:
    dtype = b.choose("value", ["absent", *ALL])
    attributes = {} if dtype == "absent" else {"value": numpy_helper.from_array(np.array([3 * (dtype != "bool")], dtype))}
    shape = b.node("Shape", [x])[0] if b.choose("shape is", ["constant", "of a tensor"]) != "constant" \
        else b.constant(np.array(x.shape, np.int64))
    return b.node("ConstantOfShape", [shape], attributes)


@operator("Range", ranks=(1, 2), opsets=(11, 99), weight=1.5)
def range_(b: Builder, x: Value) -> list[Value]:
    dtype = b.choose("of", ["int64", "float32", "int32", "float64", "int16"])
    start, count = b.source.between(-5, 5), b.source.between(1, 20)
    # Exact, since ONNX Runtime adds up the steps where ONNX multiplies.
    step = float(b.choose("delta", ["1", "2", "-1", "0.5", "0.75"]))
    if np.dtype(dtype).kind == "i" and step != int(step):
        raise Dropped("a fraction as an integer")
    bounds = np.array([start, start + step * count, step]).astype(dtype)
    return b.node("Range", [b.constant(bound, dtype) for bound in bounds])
