"""Convolutions, pooling, batch normalisation and resizing: signals and images, [n, c, l] and [n, c, h, w]."""

from __future__ import annotations

import math

import numpy as np

from fuzzing import shapes
from fuzzing.builder import Builder, Dropped
from fuzzing.case import Value
from fuzzing.noise import EPSILON, Noise
from fuzzing.table import operator

SMALL = (1, 2, 3, 4, 5, 7)


def _ints(b: Builder, name: str, axes: int, most: int) -> list[int]:
    """One number an axis; the classes are 1, alike and different."""
    form = b.choose(name, ["ones", "alike", "different"], [4, 3, 2])
    if form == "ones":
        return [1] * axes
    if form == "alike":
        return [b.source.between(2, most)] * axes
    return [b.source.between(1, most) for _ in range(axes)]


def _window(b: Builder, spatial: tuple[int, ...], kernel: list[int], dilates: bool = True,
            below_kernel: bool = False) -> dict[str, object]:
    """strides, dilations, pads or auto_pad of a window that fits the padded extents."""
    axes = len(spatial)
    attributes: dict[str, object] = {}
    strides = _ints(b, "strides", axes, 3)
    if strides != [1] * axes or b.source.chance(0.3):
        attributes["strides"] = strides
    dilations = _ints(b, "dilations", axes, 3) if dilates else [1] * axes
    if dilations != [1] * axes or (dilates and b.source.chance(0.3)):
        attributes["dilations"] = dilations
    form = b.choose("auto_pad", ["NOTSET", "absent", "VALID", "SAME_UPPER", "SAME_LOWER"], [3, 3, 1, 1.5, 1.5])
    if form != "absent":
        attributes["auto_pad"] = form
    if form in ("NOTSET", "absent"):
        pads = b.choose("pads", ["absent", "alike", "different", "one side"], [2, 3, 3, 1])
        if pads != "absent":
            most = [max(0, k - 1) if below_kernel else min(4, k) for k in kernel]
            begins = [b.source.between(0, m) for m in most]
            ends = begins if pads == "alike" else [b.source.between(0, m) for m in most]
            attributes["pads"] = [0] * axes + ends if pads == "one side" else [*begins, *ends]
    return attributes


def _kernel(b: Builder, spatial: tuple[int, ...]) -> list[int]:
    form = b.choose("kernel", ["ones", "square", "any", "whole"], [2, 3, 4, 1])
    if form == "whole":
        return [min(e, 9) for e in spatial]
    if form == "ones":
        return [1] * len(spatial)
    first = b.source.pick(SMALL, (1, 2, 4, 2, 1, 1))
    return [min(first if form == "square" else b.source.pick(SMALL), e + 2) for e in spatial]


def _channels(b: Builder, channels: int) -> tuple[int, int]:
    """Groups, and output channels of each."""
    form = b.choose("group", ["1", "depthwise", "grouped"], [4, 2, 2])
    divisors = [g for g in range(1, channels + 1) if channels % g == 0]
    group = 1 if form == "1" else channels if form == "depthwise" else b.source.pick(divisors)
    return group, shapes.extent(b.source, max(1, 40 // group))


@operator("Conv", ranks=(3, 4), role="terms", weight=4)
def conv(b: Builder, x: Value) -> list[Value]:
    channels, spatial = x.shape[1], x.shape[2:]
    kernel = _kernel(b, spatial)
    group, each = _channels(b, channels)
    w = b.operand(x.dtype, (group * each, channels // group, *kernel), "weights", constant=0.7)
    attributes = _window(b, spatial, kernel)
    if b.choose("kernel_shape", ["given", "absent"]) == "given":
        attributes["kernel_shape"] = kernel
    if group != 1 or b.source.chance(0.3):
        attributes["group"] = group
    bias = b.operand(x.dtype, (group * each,), "terms", 0.7) if b.choose("B", ["given", "none"]) == "given" else None
    return b.node("Conv", [x, w, bias], attributes, terms=channels // group * shapes.count(kernel))


@operator("ConvTranspose", ranks=(3, 4), role="terms", weight=4)
def conv_transpose(b: Builder, x: Value) -> list[Value]:
    channels, spatial = x.shape[1], x.shape[2:]
    kernel = _kernel(b, spatial)
    group, each = _channels(b, channels)
    w = b.operand(x.dtype, (channels, each, *kernel), "weights", constant=0.7)
    attributes = _window(b, spatial, kernel)
    strides = attributes.get("strides", [1] * len(spatial))
    dilations = attributes.get("dilations", [1] * len(spatial))
    same = str(attributes.get("auto_pad", "")).startswith("SAME")
    if same and any((k - 1) * d + 1 < s for k, d, s in zip(kernel, dilations, strides)):
        raise Dropped("ONNX Runtime makes less than ONNX says, extent times stride")
    if b.choose("kernel_shape", ["given", "absent"]) == "given":
        attributes["kernel_shape"] = kernel
    if group != 1 or b.source.chance(0.3):
        attributes["group"] = group
    more = b.choose("output_padding", ["absent", "given"], [3, 1])
    if more == "given" and not same:
        attributes["output_padding"] = [b.source.below(max(s, d)) for s, d in zip(strides, dilations)]
    if b.choose("output_shape", ["absent", "given"], [5, 1]) == "given" and not same:
        attributes.pop("pads", None)
        attributes["output_shape"] = [
            max(1, (e - 1) * s + (k - 1) * d + 1 - b.source.between(0, min(3, k - 1)))
            for e, s, k, d in zip(spatial, strides, kernel, dilations)]
    bias = b.operand(x.dtype, (group * each,), "terms", 0.7) if b.choose("B", ["given", "none"]) == "given" else None
    return b.node("ConvTranspose", [x, w, bias], attributes, terms=channels // group * shapes.count(kernel))


@operator("MaxPool", "AveragePool", ranks=(3, 4), role="terms", weight=3)
def pool(b: Builder, x: Value) -> list[Value]:
    kernel = _kernel(b, x.shape[2:])
    maximum = b.operator == "MaxPool"
    dilates = b.opset >= (10 if maximum else 19)
    attributes = _window(b, x.shape[2:], kernel, dilates, below_kernel=True)
    attributes["kernel_shape"] = kernel
    if str(attributes.get("auto_pad", "")).startswith("SAME") and set(attributes.get("dilations", [1])) != {1}:
        raise Dropped("ONNX Runtime pads as if nothing were dilated")
    if b.opset >= 10:
        ceil = b.choose("ceil_mode", ["absent", "0", "1"])
        if ceil != "absent":
            attributes["ceil_mode"] = int(ceil)
    if maximum and b.opset >= 8 and b.choose("storage_order", ["absent", "0"]) == "0":
        attributes["storage_order"] = 0
    if not maximum:
        count = b.choose("count_include_pad", ["absent", "0", "1"])
        if count != "absent":
            attributes["count_include_pad"] = int(count)
    return b.node(b.operator, [x], attributes, terms=shapes.count(kernel))


@operator("GlobalAveragePool", "GlobalMaxPool", ranks=(3, 5), role="terms", weight=1.5)
def global_pool(b: Builder, x: Value) -> list[Value]:
    return b.node(b.operator, [x], terms=shapes.count(x.shape[2:]))


@operator("BatchNormalization", ranks=(2, 5), role="terms", weight=3)
def batch_normalization(b: Builder, x: Value) -> list[Value]:
    constant = float(b.choose("parameters", ["constant", "runtime"], [3, 1]) == "constant")
    operands = [b.operand(x.dtype, (x.shape[1],), role, constant) for role in ("terms", "terms", "terms", "variance")]
    attributes = {}
    for name, classes in (("epsilon", ["absent", "1e-05", "0.001", "0.5"]), ("momentum", ["absent", "0.5"])):
        value = b.choose(name, classes)
        if value != "absent":
            attributes[name] = float(value)
    if b.opset >= 14 and b.choose("training_mode", ["absent", "0"]) == "0":
        attributes["training_mode"] = 0
    return b.node("BatchNormalization", [x, *operands], attributes)


def _scaled(b: Builder, x: Value) -> list[float]:
    """A scale for each dimension: 1 but for the last one or two."""
    scales = [1.0] * len(x.shape)
    for axis in range(2, len(x.shape)):
        factor = b.source.pick((1.0, 2.0, 3.0, 1.5, 0.5, 2.5, 0.6, 1.25, 0.34))
        # Where the extent stays the same, ONNX Runtime copies, whatever the scale says.
        scales[axis] = factor if int(x.shape[axis] * factor) not in (0, x.shape[axis]) else 1.0
    return scales


def _drop_ties(x: Value, outs: list[int], scales: list[float], attributes: dict[str, object]) -> None:
    """Raises Dropped where the nearest element is a matter of how ONNX Runtime rounds a coordinate in f32."""
    coordinates = attributes.get("coordinate_transformation_mode", "half_pixel")
    tie = 0.5 if str(attributes.get("nearest_mode", "round")).startswith("round") else 0.0
    for extent, out, scale in zip(x.shape, outs, scales):
        if attributes["mode"] != "nearest" or math.frexp(scale)[0] == 0.5 or out == 1:
            continue
        o = np.arange(out)
        at = {"asymmetric": o / scale, "align_corners": o * (extent - 1) / (out - 1)}.get(
            str(coordinates), (o + 0.5) / scale - 0.5)
        if (np.abs(at - tie - np.round(at - tie)) < 1e-5).any():
            raise Dropped("a coordinate is a tie")


@operator("Upsample", ranks=(3, 4), opsets=(7, 9), weight=5)
def upsample(b: Builder, x: Value) -> list[Value]:
    mode = b.choose("mode", ["nearest", "linear"])
    scales = [max(1.0, s) for s in _scaled(b, x)]
    if b.opset < 9:
        return _resized(b, [x], {"mode": mode, "scales": scales}, mode)
    return _resized(b, [x, b.constant(np.array(scales, np.float32))], {"mode": mode}, mode)


@operator("Resize", ranks=(3, 4), opsets=(10, 99), weight=4)
def resize(b: Builder, x: Value) -> list[Value]:
    mode = b.choose("mode", ["nearest", "linear"])
    if b.opset == 10:
        scales = _scaled(b, x)
        if mode == "nearest" and min(scales) < 1:
            raise Dropped("ONNX Runtime takes the next element where an axis becomes shorter, ONNX the one before")
        return _resized(b, [x, b.constant(np.array(scales, np.float32))], {"mode": mode}, mode)
    rank = len(x.shape)
    attributes: dict[str, object] = {"mode": mode}
    coordinates = b.choose("coordinate_transformation_mode",
                           ["absent", "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"])
    if coordinates != "absent":
        attributes["coordinate_transformation_mode"] = coordinates
    nearest = b.choose("nearest_mode", ["absent", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
    if nearest != "absent":
        attributes["nearest_mode"] = nearest
    form = b.choose("by", ["scales", "sizes"])
    axes = list(range(rank))
    if b.opset >= 18:
        axes = b.choose("axes", ["absent", "spatial"]) == "spatial" and list(range(2, rank)) or axes
        if len(axes) < rank:
            attributes["axes"] = [axis - rank if b.source.chance(0.3) else axis for axis in axes]
    if form == "scales":
        scales = _scaled(b, x)
        if coordinates == "align_corners" and any(s * e != int(s * e) for s, e in zip(scales, x.shape)):
            raise Dropped("ONNX aligns the corner of the fraction, ONNX Runtime that of the whole number")
        operand = b.constant(np.array([scales[axis] for axis in axes], np.float32))
        roi = None if b.opset >= 13 else b.constant(np.zeros(0, np.float32))
        _drop_ties(x, [int(e * s) for e, s in zip(x.shape, scales)], scales, attributes)
        return _resized(b, [x, roi, operand], attributes, mode)
    if b.opset >= 18:
        policy = b.choose("keep_aspect_ratio_policy", ["absent", "stretch", "not_larger", "not_smaller"], [3, 1, 1, 1])
        if policy != "absent":
            attributes["keep_aspect_ratio_policy"] = policy
        if policy in ("not_larger", "not_smaller") and len(axes) == rank:
            raise Dropped("the ratio is that of the spatial axes only")
        if policy in ("not_larger", "not_smaller") and min(attributes.get("axes", [0])) < 0:
            raise Dropped("ONNX Runtime takes no axes from behind then")
    sizes = [x.shape[axis] if axis < 2 else shapes.extent(b.source, 33) for axis in axes]
    nothing = None if b.opset >= 13 else b.constant(np.zeros(0, np.float32))
    if "keep_aspect_ratio_policy" not in attributes or attributes["keep_aspect_ratio_policy"] == "stretch":
        outs = [sizes[axes.index(axis)] if axis in axes else x.shape[axis] for axis in range(rank)]
        _drop_ties(x, outs, [out / extent for out, extent in zip(outs, x.shape)], attributes)
    return _resized(b, [x, nothing, nothing, b.constant(np.array(sizes, np.int64))], attributes, mode)


def _resized(b: Builder, operands: list[Value | None], attributes: dict[str, object], mode: str) -> list[Value]:
    noise = Noise() if mode == "nearest" else Noise(relative=4 * EPSILON, operands=8 * EPSILON, spread=16 * EPSILON, only_first=True, undefined="not finite")
    return b.node(b.operator, operands, attributes, noise=noise)
