#!/usr/bin/env python3
"""Five image and matrix pipelines in Halide's serialised form, and Halide's Adams2019 on them.

  halide_pipelines.py write DIR              writes DIR/blur.hlpipe, unsharp, local_laplacian, matmul
                                             and conv_layer
  halide_pipelines.py adams2019 --json OUT   schedules each with Adams2019 and times it

The times go into the report format of `whet bench --json`, under the names of the pipelines.
Runs with the Python of .venv.
"""

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path

import halide as hl

# Python's floats become Halide's 32-bit ones: meant so.
warnings.filterwarnings("ignore", message=".*interpreted as a float32.*")


class Example:
    """A pipeline, the extents of its output, and those of its inputs."""

    def __init__(self):
        self.images = []

    def input(self, dtype, name, *extents):
        image = hl.ImageParam(dtype, len(extents), name)
        for d, extent in enumerate(extents):
            image.dim(d).set_estimate(0, extent)
        self.images.append((image, extents))
        return image

    def output(self, func, *extents):
        func.set_estimates([hl.Range(0, extent) for extent in extents])
        self.pipeline, self.dtype, self.extents = hl.Pipeline(func), func.type(), extents
        return self


def repeated_edge(image, width, height, *other):
    """The image, extended by its border in x and y."""
    x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
    rest = [c] * len(other)
    extended = hl.Func(f"{image.name()}_extended")
    extended[[x, y, *rest]] = image[[hl.clamp(x, 0, width - 1), hl.clamp(y, 0, height - 1), *rest]]
    return extended


def blur(width=6408, height=4802):
    """3x3 box of 16-bit values, as two passes."""
    example = Example()
    image = example.input(hl.UInt(16), "image", width + 2, height + 2)
    x, y = hl.Var("x"), hl.Var("y")
    across, both = hl.Func("blur_x"), hl.Func("blur_y")
    across[x, y] = (image[x, y] + image[x + 1, y] + image[x + 2, y]) / hl.u16(3)
    both[x, y] = (across[x, y] + across[x, y + 1] + across[x, y + 2]) / hl.u16(3)
    return example.output(both, width, height)


def unsharp(width=1536, height=2560):
    """Sharpens by what a 7x7 Gaussian takes from the luminance."""
    example = Example()
    image = example.input(hl.Float(32), "image", width, height, 3)
    x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")
    sigma = 1.5
    weights = [2.718281828 ** (-i * i / (2 * sigma * sigma)) / (2.50662827463 * sigma) for i in range(4)]
    extended = repeated_edge(image, width, height, 3)
    gray, down, across = hl.Func("gray"), hl.Func("blur_y"), hl.Func("blur_x")
    sharpen, ratio, result = hl.Func("sharpen"), hl.Func("ratio"), hl.Func("unsharp")
    gray[x, y] = 0.299 * extended[x, y, 0] + 0.587 * extended[x, y, 1] + 0.114 * extended[x, y, 2]
    down[x, y] = weights[0] * gray[x, y] + sum(
        weights[i] * (gray[x, y - i] + gray[x, y + i]) for i in range(1, 4))
    across[x, y] = weights[0] * down[x, y] + sum(
        weights[i] * (down[x - i, y] + down[x + i, y]) for i in range(1, 4))
    sharpen[x, y] = 2 * gray[x, y] - across[x, y]
    ratio[x, y] = sharpen[x, y] / (gray[x, y] + 0.01)
    result[x, y, c] = ratio[x, y] * image[x, y, c]
    return example.output(result, width, height, 3)


def local_laplacian(width=1536, height=2560, pyramid=6, levels=8, alpha=1.0 / 7, beta=1.0):
    """Edge-aware contrast by Laplacian pyramids of remapped images (Paris, Hasinoff, Kautz 2011)."""
    example = Example()
    image = example.input(hl.UInt(16), "image", width, height, 3)
    x, y, c, k = hl.Var("x"), hl.Var("y"), hl.Var("c"), hl.Var("k")

    def down(f, name, *rest):
        half, quarter = hl.Func(f"{name}_x"), hl.Func(name)
        half[[x, y, *rest]] = (f[[2 * x - 1, y, *rest]] + 3 * (f[[2 * x, y, *rest]] + f[[2 * x + 1, y, *rest]])
                               + f[[2 * x + 2, y, *rest]]) / 8
        quarter[[x, y, *rest]] = (half[[x, 2 * y - 1, *rest]]
                                  + 3 * (half[[x, 2 * y, *rest]] + half[[x, 2 * y + 1, *rest]])
                                  + half[[x, 2 * y + 2, *rest]]) / 8
        return quarter

    def up(f, name, *rest):
        double, quadruple = hl.Func(f"{name}_x"), hl.Func(name)
        double[[x, y, *rest]] = (0.25 * f[[x // 2 - 1 + 2 * (x % 2), y, *rest]] + 0.75 * f[[x // 2, y, *rest]])
        quadruple[[x, y, *rest]] = (0.25 * double[[x, y // 2 - 1 + 2 * (y % 2), *rest]]
                                    + 0.75 * double[[x, y // 2, *rest]])
        return quadruple

    remap = hl.Func("remap")
    at = hl.f32(x) / 256.0
    remap[x] = alpha * at * hl.exp(-at * at / 2.0)
    extended = repeated_edge(image, width, height, 3)
    floating, gray = hl.Func("floating"), hl.Func("gray")
    floating[x, y, c] = hl.f32(extended[x, y, c]) / 65535.0
    gray[x, y] = 0.299 * floating[x, y, 0] + 0.587 * floating[x, y, 1] + 0.114 * floating[x, y, 2]

    remapped = [hl.Func("remapped0")]
    level = k * (1.0 / (levels - 1))
    index = hl.clamp(hl.i32(gray[x, y] * float(levels - 1) * 256.0), 0, (levels - 1) * 256)
    remapped[0][x, y, k] = beta * (gray[x, y] - level) + level + remap[index - 256 * k]
    inputs = [gray]
    for j in range(1, pyramid):
        remapped.append(down(remapped[-1], f"remapped{j}", k))
        inputs.append(down(inputs[-1], f"gray{j}"))
    laplacian = [None] * pyramid
    laplacian[-1] = remapped[-1]
    for j in range(pyramid - 2, -1, -1):
        laplacian[j] = hl.Func(f"laplacian{j}")
        laplacian[j][x, y, k] = remapped[j][x, y, k] - up(remapped[j + 1], f"remapped_up{j}", k)[x, y, k]
    result = None
    for j in range(pyramid - 1, -1, -1):
        at_level = inputs[j][x, y] * float(levels - 1)
        li = hl.clamp(hl.i32(at_level), 0, levels - 2)
        lf = at_level - hl.f32(li)
        chosen = hl.Func(f"chosen{j}")
        chosen[x, y] = (1.0 - lf) * laplacian[j][x, y, li] + lf * laplacian[j][x, y, li + 1]
        if result is None:
            result = chosen
        else:
            total = hl.Func(f"total{j}")
            total[x, y] = up(result, f"total_up{j}")[x, y] + chosen[x, y]
            result = total
    color = hl.Func("local_laplacian")
    value = result[x, y] * (floating[x, y, c] + 0.01) / (gray[x, y] + 0.01)
    color[x, y, c] = hl.u16(hl.clamp(value, 0.0, 1.0) * 65535.0)
    return example.output(color, width, height, 3)


def matmul(size=1024):
    example = Example()
    a = example.input(hl.Float(32), "A", size, size)
    b = example.input(hl.Float(32), "B", size, size)
    x, y = hl.Var("x"), hl.Var("y")
    k = hl.RDom([(0, size)], "k")
    product, result = hl.Func("product"), hl.Func("result")
    product[x, y] = 0.0
    product[x, y] += a[k.x, y] * b[x, k.x]
    result[x, y] = product[x, y]
    return example.output(result, size, size)


def conv_layer(batch=5, channels=128, width=100, height=80):
    """3x3 convolution with bias and ReLU over [c, x, y, n]."""
    example = Example()
    image = example.input(hl.Float(32), "image", channels, width + 2, height + 2, batch)
    weights = example.input(hl.Float(32), "weights", channels, 3, 3, channels)
    bias = example.input(hl.Float(32), "bias", channels)
    c, x, y, n = hl.Var("c"), hl.Var("x"), hl.Var("y"), hl.Var("n")
    r = hl.RDom([(0, channels), (0, 3), (0, 3)], "r")
    conv, relu = hl.Func("conv"), hl.Func("relu")
    conv[c, x, y, n] = bias[c]
    conv[c, x, y, n] += weights[c, r.y, r.z, r.x] * image[r.x, x + r.y, y + r.z, n]
    relu[c, x, y, n] = hl.max(0.0, conv[c, x, y, n])
    return example.output(relu, channels, width, height, batch)


PIPELINES = [blur, unsharp, local_laplacian, matmul, conv_layer]


def write(directory):
    directory.mkdir(parents=True, exist_ok=True)
    for make in PIPELINES:
        path = directory / f"{make.__name__}.hlpipe"
        hl.serialize_pipeline(make().pipeline, str(path))
        print(f"wrote {path} ({path.stat().st_size} bytes)")


def time_runs(run, seconds):
    run()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 20 or time.perf_counter() < end:
        begin = time.perf_counter()
        run()
        times.append((time.perf_counter() - begin) * 1e3)
    return sorted(times)


def schedule_and_time(make, threads, seconds):
    example = make()
    begin = time.perf_counter()
    example.pipeline.apply_autoscheduler(hl.get_jit_target_from_environment(),
                                         hl.AutoschedulerParams("Adams2019", {"parallelism": str(threads)}))
    autoschedule_s = time.perf_counter() - begin
    begin = time.perf_counter()
    example.pipeline.compile_jit()
    compile_s = time.perf_counter() - begin
    for image, extents in example.images:
        buffer = hl.Buffer(image.type(), list(extents))
        buffer.fill(1)
        image.set(buffer)
    result = hl.Buffer(example.dtype, list(example.extents))
    times = time_runs(lambda: example.pipeline.realize(result), seconds)
    return {
        "id": make.__name__, "engine": "halide-adams2019", "threads": threads, "min_ms": times[0],
        "p50_ms": times[len(times) // 2], "p90_ms": times[int(0.9 * (len(times) - 1))],
        "runs": len(times), "autoschedule_s": autoschedule_s, "compile_s": compile_s,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    writer = verbs.add_parser("write")
    writer.add_argument("directory", type=Path)
    timer = verbs.add_parser("adams2019")
    timer.add_argument("--only", nargs="+", choices=[make.__name__ for make in PIPELINES])
    timer.add_argument("--json", type=Path, required=True)
    timer.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    timer.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    if options.verb == "write":
        write(options.directory)
        return 0
    os.environ["HL_NUM_THREADS"] = str(options.threads)
    libraries = Path(hl.__file__).parent
    hl.load_plugin(str(next(libraries.glob("lib*/libautoschedule_adams2019.so"))))
    results = []
    for make in PIPELINES:
        if options.only and make.__name__ not in options.only:
            continue
        results.append(schedule_and_time(make, options.threads, options.seconds))
        print(f"{make.__name__:18} {results[-1]['min_ms']:9.3f} ms", flush=True)
    context = {"threads": options.threads, "versions": {"halide": "21.0.0"}}
    options.json.write_text(json.dumps({"schema_version": 1, "context": context, "results": results, "errors": []},
                                       indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
