"""Runs and times the untuned, the tuned and the bundled network beside ONNX Runtime, and prints one table.

Latencies are taken in alternating rounds, so that a machine that slows down slows everybody down. Differences are
from ONNX Runtime with its optimisations off, on the pictures x_up and x_down.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime

PICTURES = ("up", "down")
DIRECTIONS = ("0°", "180°")


class ReportError(Exception):
    """One sentence: what could not be run."""


@dataclass
class Row:
    name: str
    outputs: list  # of each picture in turn: the probabilities of DIRECTIONS
    min_ms: list = field(default_factory=list)  # of each round
    p50_ms: list = field(default_factory=list)


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"it exited with {done.returncode}"])[-1]
        raise ReportError(f"{' '.join(map(str, command))} failed: {reason}")
    return done.stdout


def whet_outputs(arguments, label, options):
    outputs = []
    for picture in PICTURES:
        folder = arguments.work / f"output_{label}_{picture}"
        for old in folder.glob("*.npy"):
            old.unlink()
        run([arguments.whet, "run", arguments.model, "--shape", arguments.shape, *options,
             "--input", f"x={arguments.work / f'x_{picture}.npy'}", "--output", folder])
        (path,) = folder.glob("*.npy")
        outputs.append(np.load(path).reshape(-1))
    return outputs


def program_outputs(arguments):
    pictures = [arguments.work / f"x_{picture}.f32" for picture in PICTURES]
    lines = run([arguments.program, arguments.bundle, *pictures]).splitlines()
    return [np.array(line.split(), np.float32) for line in lines]


def session(model, threads, optimised):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def session_outputs(network, work):
    return [network.run(None, {"x": np.load(work / f"x_{picture}.npy")})[0].reshape(-1) for picture in PICTURES]


def time_session(network, picture, seconds=1.5, at_least=50):
    """Milliseconds of one run, inputs and outputs bound beforehand: the minimum and the median."""
    binding = network.io_binding()
    binding.bind_cpu_input("x", picture)
    binding.bind_output(network.get_outputs()[0].name)
    for _ in range(10):
        network.run_with_iobinding(binding)
    samples = []
    end = time.perf_counter() + seconds
    while len(samples) < at_least or time.perf_counter() < end:
        start = time.perf_counter()
        network.run_with_iobinding(binding)
        samples.append((time.perf_counter() - start) * 1e3)
    return min(samples), statistics.median(samples)


def bench(arguments, label, options):
    path = arguments.work / f"bench_{label}.json"
    run([arguments.whet, "bench", *options, "--json", path])
    return read_bench(json.loads(path.read_text()))


def read_bench(report):
    results = report.get("results", [])
    if len(results) != 1:
        reason = report.get("errors") or f"{len(results)} results"
        raise ReportError(f"whet bench reported {reason} where one result was expected")
    return results[0]["min_ms"], results[0]["p50_ms"]


def describe(probabilities):
    best = int(np.argmax(probabilities))
    return f"{DIRECTIONS[best]} ({probabilities[best]:.1%})"


def table(rows, reference):
    """The table's text: latency as the median over rounds of medians and the least of all runs."""
    cells = [["", "median ms", "min ms", "speed", "largest difference", *(f"{picture}.png" for picture in PICTURES)]]
    slowest = statistics.median(rows[0].p50_ms)
    for row in rows:
        median = statistics.median(row.p50_ms)
        difference = max(float(np.max(np.abs(a - b))) for a, b in zip(row.outputs, reference))
        cells.append([row.name, f"{median:.3f}", f"{min(row.min_ms):.3f}", f"{slowest / median:.2f}x",
                      f"{difference:.1e}", *map(describe, row.outputs)])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = []
    for line in cells:
        padded = [line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        lines.append("  ".join(padded).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def wrong_rows(rows, reference, tolerance=1e-3):
    """Names of rows that disagree with the reference: a difference no rounding explains."""
    return [row.name for row in rows if any(
        a.shape != b.shape or not np.all(np.abs(a - b) <= tolerance) for a, b in zip(row.outputs, reference, strict=True))]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("whet", "model", "shape", "db", "bundle", "program"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder of x_up.npy and x_down.npy, and for what is made")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds (default: %(default)s)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    threads = len(os.sched_getaffinity(0))  # what Whet takes unless told
    network = session(arguments.model, threads, optimised=True)
    reference = session_outputs(session(arguments.model, 1, optimised=False), arguments.work)
    model = [arguments.model, "--shape", arguments.shape]
    picture = np.load(arguments.work / "x_up.npy")
    try:
        rows = [
            Row("untuned", whet_outputs(arguments, "untuned", [])),
            Row("tuned", whet_outputs(arguments, "tuned", ["--db", arguments.db])),
            Row("bundle", program_outputs(arguments)),
            Row("ONNX Runtime", session_outputs(network, arguments.work)),
        ]
        wrong = wrong_rows(rows, reference)
        if wrong:
            raise ReportError(f"{', '.join(wrong)}: the outputs are not those of the reference")
        timers = [
            lambda: bench(arguments, "untuned", model),
            lambda: bench(arguments, "tuned", [*model, "--db", arguments.db]),
            lambda: bench(arguments, "bundle", [arguments.bundle]),
            lambda: time_session(network, picture),
        ]
        for done in range(arguments.rounds):
            print(f"round {done + 1} of {arguments.rounds}", file=sys.stderr)
            for row, timer in zip(rows, timers):
                minimum, median = timer()
                row.min_ms.append(minimum)
                row.p50_ms.append(median)
    except ReportError as error:
        print(f"quickstart: {error}", file=sys.stderr)
        return 1
    print(f"{threads} threads, {arguments.rounds} alternating rounds\n")
    print(table(rows, reference))
    return 0


if __name__ == "__main__":
    sys.exit(main())
