#!/usr/bin/env python3
"""One TVM MetaSchedule search, or the timing of what one found. Run by compare_metaschedule, with TVM's interpreter.

    metaschedule_search.py check TASK..                             can TVM be had, and does it know these tasks?
    metaschedule_search.py search TASK --trials N --module FILE     searches, then times the best schedule
    metaschedule_search.py time TASK --module FILE                  times the schedule that a search wrote

Tasks are spelled as Whet spells them: Conv (group 1) or a 2-D MatMul, then Relu or Clip. The search is MetaSchedule as
it comes: TOPI's operators, its CPU space, evolution, XGBoost, 64 trials a round, its timing of candidates. Convolutions
are [n, h, w, c]. Weights are constants: the search may choose their layout, and packing them is not part of the time.
One thing is spared it: TVM 0.26 parses its GPU intrinsics in every process that builds, which took 29 s where a build
may take 30 s before it counts as failed. Here the search's own process does so before the clock starts.

Prints JSON: min_ms and median_ms of one run of the best schedule, over `runs` runs after a warm-up; of a search also
`seconds` (wall time from its start to its end, without TVM's import and without the timing afterwards), `trials`, and
how many of them `failed`.
"""

import argparse
import inspect
import json
import logging
import re
import statistics
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

try:
    import numpy
    import tvm
    from tvm import te, topi
    from tvm.ir.utils import derived_object
    from tvm.s_tir import meta_schedule
    from tvm.s_tir.transform import RemoveWeightLayoutRewriteBlock
    from tvm.target.codegen import llvm_get_system_cpu
except ImportError as error:
    sys.exit(f"{sys.executable} has no TVM that this works with ({error}): install requirements-metaschedule.txt")

TASK = re.compile(r"(\w+)\(([^()]*)\)((?:\+\w+(?:\([^()]*\))?)*)")
STAGE = re.compile(r"\+(\w+)(?:\(([^()]*)\))?")
TRIALS_A_ROUND = 64  # as MetaSchedule has it
WARM_UP_S = 0.3
MIN_SAMPLE_S = 20e-6  # shorter kernels run several times a sample


class TaskError(Exception):
    pass


def arguments_of(text, known, task):
    arguments = dict(argument.split("=") for argument in (text or "").replace(" ", "").split(",") if "=" in argument)
    if unknown := set(arguments) - set(known):
        raise TaskError(f"{task}: MetaSchedule is not told what {', '.join(sorted(unknown))} means; leave it out")
    return arguments


def numbers(text):
    return [int(number) for number in text.split("x")]


def operator(name, text, task):
    """Inputs and output of the task's first operator, weights with the leave to be packed."""
    if name == "Conv":
        arguments = arguments_of(text, ["x", "w", "pads", "strides", "dilations"], task)
        n, c, h, w = numbers(arguments["x"])
        outputs, inputs, kh, kw = numbers(arguments["w"])
        if inputs != c:
            raise TaskError(f"{task}: only convolutions of one group are compared")
        data, weight = te.placeholder((n, h, w, c), name="data"), te.placeholder((kh, kw, c, outputs), name="weight")
        pads, strides, dilations = (
            (given := numbers(arguments.get(name, default))) * (length // len(given))
            for name, default, length in (("pads", "0", 4), ("strides", "1", 2), ("dilations", "1", 2)))
        return data, weight, topi.nn.conv(data, weight, strides, pads, dilations, 1, "NHWC", "HWIO",
                                          auto_scheduler_should_rewrite_layout=True)
    if name == "MatMul":
        arguments = arguments_of(text, ["a", "b"], task)
        a, b = numbers(arguments["a"]), numbers(arguments["b"])
        if len(a) != 2 or len(b) != 2 or a[1] != b[0]:
            raise TaskError(f"{task}: only products of two matrices that fit are compared")
        data, weight = te.placeholder(a, name="data"), te.placeholder(b, name="weight")
        return data, weight, topi.nn.matmul(data, weight)  # its weights may always be packed
    raise TaskError(f"{task}: only Conv and MatMul are compared")


def module_of(task):
    match = TASK.fullmatch(task)
    if not match:
        raise TaskError(f"{task} is not spelled like Conv(x=1x64x56x56,w=64x64x3x3,pads=1)+Relu")
    try:
        data, weight, value = operator(match[1], match[2], task)
        for name, text in STAGE.findall(match[3]):
            if name == "Relu":
                value = topi.nn.relu(value)
            elif name == "Clip":
                bounds = arguments_of(text, ["min", "max"], task)
                value = topi.clip(value, float(bounds["min"]), float(bounds["max"]))
            else:
                raise TaskError(f"{task}: only Relu and Clip may follow, not {name}")
    except (KeyError, ValueError) as error:
        raise TaskError(f"{task}: an argument is missing or no number ({error})") from error
    return tvm.IRModule({"main": te.create_prim_func([data, weight, value])})


@derived_object
class Counter(meta_schedule.measure_callback.PyMeasureCallback):
    trials = failed = 0

    def apply(self, task_scheduler, task_id, measure_candidates, builder_results, runner_results):
        self.trials += len(runner_results)
        self.failed += sum(not result.run_secs for result in runner_results)


def build(module, target, _=None):
    """As MetaSchedule's default_build, without its import of all tensor intrinsics. Its worker processes run it."""
    return tvm.driver.build(RemoveWeightLayoutRewriteBlock(skip_tensor_rewrite=True)(module), target=target)


def import_intrinsics():
    """What MetaSchedule imports at the start of a search. The parser asks which module its generated code is from."""
    getmodule = inspect.getmodule
    inspect.getmodule = lambda thing, file=None: None if (file or "").startswith("<") else getmodule(thing, file)
    import tvm.s_tir.tensor_intrin  # noqa: F401
    inspect.getmodule = getmodule


def search(module, target, trials, threads):
    import_intrinsics()
    database, counter = meta_schedule.database.MemoryDatabase(), Counter()
    callbacks = meta_schedule.measure_callback.MeasureCallback.create("default")
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        meta_schedule.tune_tir(module, target, folder, trials, num_trials_per_iter=min(trials, TRIALS_A_ROUND),
                               num_tuning_cores=threads, database=database, measure_callbacks=[*callbacks, counter],
                               builder=meta_schedule.builder.LocalBuilder(f_build=build))
        seconds = time.monotonic() - start
    best = meta_schedule.tir_integration.compile_tir(database, module, target)
    if best is None:
        raise TaskError(f"none of MetaSchedule's {counter.trials} candidates ran")
    return best.mod, {"seconds": seconds, "trials": counter.trials, "failed": counter.failed}


def time_module(module, target, seconds):
    """Every run by itself, those under 20 us several at once, in three slices of the time."""
    infos = meta_schedule.arg_info.ArgInfo.from_entry_func(module, remove_preproc=True)
    rng = numpy.random.default_rng(0)
    arrays = [tvm.runtime.tensor(rng.standard_normal(tuple(info.shape), numpy.float32)) for info in infos]
    built = build(module, target)

    def samples(repeat, number=1):
        return built.time_evaluator("main", tvm.cpu(), number=number, repeat=repeat)(*arrays).results

    start, count = time.monotonic(), 0
    while count < 3 or time.monotonic() - start < WARM_UP_S:
        one_s, count = samples(3)[-1], count + 1
    number = max(1, round(MIN_SAMPLE_S / one_s))
    repeat = max(10, round(seconds / 3 / (one_s * number)))
    taken_ms = [sample * 1e3 for _ in range(3) for sample in samples(repeat, number)]
    return {"min_ms": min(taken_ms), "median_ms": statistics.median(taken_ms), "runs": len(taken_ms) * number}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["check", "search", "time"])
    parser.add_argument("tasks", nargs="+", metavar="TASK")
    parser.add_argument("--trials", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2, help="TVM_NUM_THREADS of the environment is to say the same")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to time the best schedule")
    parser.add_argument("--module", type=Path, help="the best schedule: search writes it, time reads it")
    options = parser.parse_args()
    logging.disable(logging.INFO)  # on standard error only what goes wrong
    target = tvm.target.Target({"kind": "llvm", "mcpu": llvm_get_system_cpu(), "num-cores": options.threads})
    try:
        modules = [module_of(task) for task in options.tasks]
        if options.action == "check":
            print(json.dumps({name: metadata.version(name) for name in ("apache-tvm", "apache-tvm-ffi", "xgboost")}))
            return
        found = {}
        if options.action == "search":
            scheduled, found = search(modules[0], target, options.trials, options.threads)
            options.module.write_text(tvm.ir.save_json(scheduled))
        else:
            scheduled = tvm.ir.load_json(options.module.read_text())
        result = time_module(scheduled, target, options.seconds) | found
    except TaskError as error:
        sys.exit(str(error))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
