"""scripts/fuzz_operators finds planted faults, replays them, makes them smaller; and finds none where there is none."""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "fuzz")]
from fake_whet import FakeWhet  # noqa: E402
from fuzzing import reference, shrink  # noqa: E402
from fuzzing.case import folded_model_of, model_of  # noqa: E402
from fuzzing.compare import compare  # noqa: E402
from fuzzing.coverage import Universe  # noqa: E402
from fuzzing.generate import GROUP, case_of, make_case, opset_of  # noqa: E402
from fuzzing.harness import Harness  # noqa: E402
from fuzzing.report import reason  # noqa: E402
from fuzzing.run_whet import refused_case  # noqa: E402
from fuzzing.source import Source  # noqa: E402
from fuzzing.tolerance import Expected, expected_of  # noqa: E402

FAKE = ROOT / "tests" / "fuzz" / "fake_whet.py"


# The comparison.

def expect(values, dtype=np.float32, tolerance=0.0):
    array = np.array(values, dtype)
    return Expected(array, np.full(array.shape, tolerance), np.ones(array.shape, bool))


def differs(got, wanted, dtype=np.float32, tolerance=0.0, **options):
    difference = compare(np.array(got, dtype), expect(wanted, dtype, tolerance), **options)
    return difference and difference.kind


def test_nan_equals_nan_and_infinities_are_equal_by_sign():
    assert differs([np.nan, np.inf, -np.inf], [np.nan, np.inf, -np.inf]) is None
    assert differs([np.inf], [-np.inf]) == "infinity"
    assert differs([3.4e38], [np.inf]) == "infinity"
    assert differs([0.0], [np.nan]) == "NaN missing"
    assert differs([np.nan], [1.0]) == "NaN"


def test_values_may_differ_by_their_tolerance_and_not_by_more():
    assert differs([1.0, 2.0009], [1.0, 2.0], tolerance=1e-3) is None
    assert differs([1.0, 2.0011], [1.0, 2.0], tolerance=1e-3) == "value"
    assert differs([1e-45], [0.0]) == "value"


def test_integers_and_truth_values_are_exact():
    assert differs([2**53 + 1], [2**53 + 1], np.int64) is None
    assert differs([2**53 + 1], [2**53], np.int64) == "integer"
    assert differs([True], [False], np.bool_) == "integer"


def test_signs_of_zeros_count_only_where_asked_for():
    assert differs([-0.0], [0.0]) is None
    assert differs([-0.0], [0.0], zero_signs=True) == "sign of zero"


def test_types_and_shapes_must_be_those_expected():
    assert compare(np.zeros(2, np.float64), expect([0, 0])).kind == "type"
    assert compare(np.zeros((2, 1), np.float32), expect([0, 0])).kind == "shape"


def test_the_worst_element_is_named():
    difference = compare(np.array([1.0, 5.0, 3.5], np.float32), expect([1, 2, 3], tolerance=1e-3))
    assert (difference.index, difference.count) == ((1,), 2) and "5 instead of 2" in str(difference)


# The generator.

@pytest.fixture(scope="module")
def cases():
    universe = Universe()
    return [case_of("a test", number, universe) for number in range(25 * GROUP)]


def test_every_model_is_one_that_onnx_and_its_runtime_take(cases):
    for case in cases:
        onnx.checker.check_model(model_of([case]))
        reference.run_model(model_of([case]), case.set_of(0))


def test_a_group_of_cases_fits_into_one_model(cases):
    for first in range(0, 5 * GROUP, GROUP):
        group = cases[first:first + GROUP]
        onnx.checker.check_model(model_of(group))
        onnx.checker.check_model(folded_model_of(group))


def test_a_seed_and_a_number_always_make_the_same_case(cases):
    for number in (0, 17, 133):
        again = case_of("a test", number, Universe())
        assert model_of([again]) == model_of([cases[number]])
        for s, name in itertools.product(range(again.sets), again.inputs):
            assert again.inputs[name][s].tobytes() == cases[number].inputs[name][s].tobytes()
    assert model_of([case_of("another", 17, Universe())]) != model_of([cases[17]])


def test_recorded_choices_make_the_same_case(cases):
    again = make_case("a test", 17, Universe(), cases[17].opset, cases[17].choices)
    assert model_of([again]) == model_of([cases[17]])


def test_a_right_result_that_is_rounded_otherwise_is_within_the_tolerance(cases):
    """The same sums in f64, rounded once, where ONNX Runtime knows the network in f64."""
    compared = 0
    for case in cases:
        outputs = expected_of(case) if set(case.operators()) <= {"MatMul", "Gemm", "Add", "Mul", "ReduceSum"} else []
        if not outputs or any(array.dtype != np.float32 for arrays in case.inputs.values() for array in arrays):
            continue
        wide = dataclasses.replace(
            case, inputs={name: [array.astype(np.float64) for array in arrays] for name, arrays in case.inputs.items()},
            constants={name: array.astype(np.float64) if array.dtype == np.float32 else array
                       for name, array in case.constants.items()},
            outputs=[dataclasses.replace(value, dtype=np.dtype(np.float64)) for value in case.outputs])
        result = reference.run_model(model_of([wide]), wide.set_of(0))
        for value, array in zip(case.outputs, result):
            with np.errstate(over="ignore"):
                assert compare(array.astype(np.float32), outputs[0][value.name]) is None, case.describe()
            compared += 1
    assert compared >= 3


# The shrinker, with invented faults.

def shrunk(case, fails):
    def make(choices):
        return make_case(case.seed, case.number, Universe(), case.opset, choices)

    return shrink.shrink(case, 1, make, fails, shrink.Budget(tries=400, seconds=60))


def a_case_with(operator, cases, nodes=3):
    return next(case for case in cases if operator in case.operators() and len(case.nodes) >= nodes)


@pytest.mark.parametrize("operator", ["Conv", "Softmax", "Add"])
def test_a_fault_of_one_operator_shrinks_to_few_nodes_and_elements(cases, operator):
    case = a_case_with(operator, cases)
    small = shrunk(case, lambda candidate: operator in candidate.operators())
    assert operator in small.operators() and small.sets == 1
    assert len(small.nodes) < len(case.nodes)
    assert sum(arrays[0].size for arrays in small.inputs.values()) <= 64
    reference.run_model(model_of([small]), small.set_of(0))


def test_a_fault_of_one_value_keeps_it_and_makes_the_others_plain(cases):
    def has_nan(candidate):
        return any(np.isnan(array).any() for arrays in candidate.inputs.values() for array in arrays
                   if array.dtype == np.float32)

    case = next(case for case in cases if has_nan(case) and case.sets > 1
                and any(np.isnan(array).any() for array in case.set_of(1).values() if array.dtype == np.float32))
    small = shrunk(case, has_nan)
    arrays = [array for array in small.set_of(0).values() if array.dtype == np.float32]
    assert sum(int(np.isnan(array).sum()) for array in arrays) >= 1
    assert sum(int((~np.isnan(array) & (array != 1) & (array != 0)).sum()) for array in arrays) <= 8


def test_what_never_fails_again_is_left_as_it_is(cases):
    assert shrunk(cases[3], lambda candidate: False) is cases[3]


def test_shrinking_stops_when_its_budget_is_spent(cases):
    tries = []
    shrink.shrink(cases[5], 0, lambda choices: make_case("a test", 5, Universe(), cases[5].opset, choices),
                  lambda candidate: tries.append(candidate) or True, shrink.Budget(tries=7))
    assert len(tries) <= 7


def test_choices_beyond_the_record_are_the_simplest():
    source = Source(recorded=[2, 9])
    assert [source.below(3), source.below(3), source.below(3)] == [2, 2, 0]


# What Whet says.

def test_a_refusal_names_its_case_and_refusals_of_one_reason_are_alike(cases):
    message = "whet: /tmp/x/model.onnx: node 'c4n0' (Cast): x has elements of type f32[3x4] and cannot be cast"
    assert refused_case(message, cases[:GROUP]).number == 4
    assert refused_case("whet: model.onnx: the network computes nothing", cases[:GROUP]) is None
    assert reason(message) == reason(message.replace("c4n0", "c17n2").replace("3x4", "7x1x5"))


# The judgement, with planted faults.

def judged(cases, tmp_path, fault="", groups=2, in_reference=False, **options):
    harness = Harness(FakeWhet(fault, in_reference), tmp_path, **options)
    return [outcome for first in range(0, groups * GROUP, GROUP)
            for outcome in harness.judge(cases[first:first + GROUP], threads=1)]


def failures(outcomes):
    return {outcome.kind for outcome in outcomes if outcome.status == "failed"}


def test_nothing_is_found_in_right_results(cases, tmp_path):
    outcomes = judged(cases, tmp_path, groups=20)
    assert failures(outcomes) == set()
    assert sum(outcome.status == "compared" for outcome in outcomes) >= 19 * GROUP
    # The tolerances are not so wide that nothing could be found.
    assert sum(outcome.not_compared for outcome in outcomes) < 0.05 * sum(outcome.elements for outcome in outcomes)


@pytest.mark.parametrize("fault, kind", [
    ("lane", "value"), ("tail", "value"), ("transposed", "value"), ("off_by_one", "value"), ("uninitialised", "value"),
    ("nan_lost", "NaN missing"), ("infinity_turned", "infinity"), ("last_digits", "value"), ("rounded_down", "integer"),
    ("wrong type", "type"), ("wrong shape", "shape")])
def test_a_planted_wrong_result_is_found(cases, tmp_path, fault, kind):
    assert f"kernel, {kind}" in failures(judged(cases, tmp_path, fault, groups=4))


def test_most_cases_show_that_everything_is_one_further(cases, tmp_path):
    outcomes = judged(cases, tmp_path, "off_by_one", groups=4)
    assert sum(outcome.status == "failed" for outcome in outcomes) > 0.6 * len(outcomes)


def test_a_wrong_reference_is_told_from_a_wrong_kernel(cases, tmp_path):
    found = failures(judged(cases, tmp_path, "off_by_one", in_reference=True))
    assert found and {kind.split(",")[0] for kind in found} == {"reference"}


def test_a_check_that_rejects_right_results_is_found(cases, tmp_path):
    assert failures(judged(cases, tmp_path, "check")) == {"--check rejects what is right"}


def test_signs_of_zeros_are_counted_and_fail_only_if_asked_for(cases, tmp_path):
    outcomes = judged(cases, tmp_path, "zero_signed")
    assert failures(outcomes) == set() and sum(outcome.zero_signs for outcome in outcomes) > 0
    assert failures(judged(cases, tmp_path, "zero_signed", zero_signs=True)) == {"kernel, sign of zero"}


# The command, with a Whet that fails as planted.

def fuzz(tmp_path, fault, *arguments):
    command = [sys.executable, ROOT / "scripts/fuzz_operators", "--whet", FAKE, "--seed", "planted", "--jobs", 1,
               "--save", tmp_path / "found", "--json", tmp_path / "fuzz.json", *arguments]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # FAKE needs NumPy, too
    done = subprocess.run([str(part) for part in command], env=os.environ | {"FAULT": fault, "PATH": path},
                          capture_output=True, text=True, timeout=300, check=False)
    return done, json.loads((tmp_path / "fuzz.json").read_text())


@pytest.mark.parametrize("fault, kind", [
    ("crash", "signal SIGSEGV"), ("exit code", "exit code 3"), ("silent", "not one sentence"),
    ("internal", "internal sentence"), ("no output", "outputs missing")])
def test_a_planted_way_to_fail_is_found(tmp_path, fault, kind):
    done, report = fuzz(tmp_path, fault, "--cases", 1, "--no-shrink")
    assert done.returncode == 2, done.stdout + done.stderr
    assert {failure["kind"] for failure in report["failures"]} == {kind}


def test_a_model_without_end_is_found(tmp_path):
    done, report = fuzz(tmp_path, "hang", "--cases", 1, "--no-shrink", "--timeout", 3)
    assert done.returncode == 2 and report["failures"][0]["kind"] == "time-out"


def test_refused_cases_are_counted_apart_and_the_others_compared(tmp_path):
    number = next(n for n in range(1000) if "Relu" in case_of("planted", n, Universe()).operators())
    first = number // GROUP * GROUP
    done, report = fuzz(tmp_path, "refuses Relu", "--replay", f"planted:{first}-{first + GROUP - 1}")
    assert done.returncode == 0, done.stdout
    assert report["counts"]["refused"] >= 1 and report["counts"]["compared"] >= GROUP - 4
    assert list(report["refusals"]) == ["(Relu): this operator is not supported"]


def test_a_failure_is_replayed_by_its_line_and_saved_smaller_as_a_case_of_onnx(tmp_path):
    done, report = fuzz(tmp_path, "off_by_one", "--cases", 4, "--tries", 4)
    failure = next(failure for failure in report["failures"] if failure["folder"])
    assert f"FAILED {failure['replay']} " in done.stdout and "coverage" in done.stdout
    folder = Path(failure["folder"])
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model)
    for s in folder.glob("test_data_set_*"):
        assert len(list(s.glob("input_*.pb"))) == len(model.graph.input)
        assert len(list(s.glob("output_*.pb"))) == len(model.graph.output)
    again, _ = fuzz(tmp_path, "off_by_one", "--no-shrink", "--replay", failure["replay"].split()[1])
    assert again.returncode == 2 and failure["kind"] in again.stdout
    healthy, _ = fuzz(tmp_path, "", "--replay", failure["replay"].split()[1])
    assert healthy.returncode == 0


@pytest.mark.parametrize("arguments", [["--replay", "7"], ["--replay", "7:5-400"], ["--cases", "-1"], ["--nonsense"],
                                       ["--whet", "/nowhere/whet"]])
def test_bad_use_is_one_sentence_and_exit_code_1(arguments):
    done = subprocess.run([sys.executable, str(ROOT / "scripts/fuzz_operators"), "--whet", str(FAKE), *arguments],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr


def test_groups_of_cases_share_an_opset():
    assert len({opset_of("x", number) for number in range(5 * GROUP, 6 * GROUP)}) == 1
    assert len({opset_of("x", number) for number in range(0, 60 * GROUP, GROUP)}) > 8
