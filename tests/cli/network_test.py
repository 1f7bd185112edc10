"""A small network through run, bench and inspect, untuned and tuned."""

import json

import numpy as np
import pytest
from conftest import SMALL_TASK, reference, refused, run_whet, succeed, write_model, write_test_data
from onnx import TensorProto, helper


def only_output(folder):
    (path,) = folder.glob("*.npy")
    return np.load(path)


@pytest.mark.parametrize("with_database", [False, True], ids=["untuned", "tuned"])
def test_a_network_agrees_with_its_test_data(with_database, model, test_data, tuned):
    database = ["--db", tuned] if with_database else []
    succeed("run", model, "--test-data", test_data, "--check", *database)


def test_outputs_are_written_as_the_reference_computes_them(model, tuned, x, x_file, tmp_path):
    succeed("run", model, "--db", tuned, "--input", f"x={x_file}", "--output", tmp_path / "out")
    y = only_output(tmp_path / "out")
    assert y.dtype == np.float32 and y.shape == (1, 3)
    np.testing.assert_allclose(y, reference(model, x), rtol=1e-4, atol=1e-5)


def test_an_open_batch_is_given_on_the_command_line(open_model, tmp_path):
    x = np.random.default_rng(3).standard_normal((3, 4, 16, 16)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    succeed("run", open_model, "--shape", "x=3x4x16x16", "--input", f"x={tmp_path / 'x.npy'}", "--output", tmp_path / "out")
    np.testing.assert_allclose(only_output(tmp_path / "out"), reference(open_model, x), rtol=1e-4, atol=1e-5)


def test_a_wrong_result_exits_with_2(model, x, tmp_path):
    wrong = write_test_data(tmp_path / "test_data_set_0", x, reference(model, x) + np.float32(0.5))
    done = run_whet("run", model, "--test-data", wrong, "--check")
    assert done.returncode == 2, done.stderr
    assert "y" in done.stdout + done.stderr


def check_bench_report(path):
    def refuse_nan(constant):
        raise AssertionError(f"{constant} in JSON")

    report = json.loads(path.read_text(), parse_constant=refuse_nan)
    assert report["schema_version"] == 1
    context = report["context"]
    assert {"machine", "threads", "date", "versions"} <= set(context)
    for result in report["results"]:
        assert result["engine"] in ("whet", "whet-onnx-layout")
        assert result["threads"] >= 1 and result["runs"] >= 1
        assert 0 < result["min_ms"] <= result["p50_ms"] <= result["p90_ms"]
    return report["results"]


@pytest.mark.parametrize("with_database", [False, True], ids=["untuned", "tuned"])
def test_bench_reports_a_network_by_its_file_name(with_database, model, tuned, tmp_path):
    database = ["--db", tuned] if with_database else []
    succeed("bench", model, *database, "--json", tmp_path / "bench.json")
    (result,) = check_bench_report(tmp_path / "bench.json")
    assert result["id"] in ("small", "small.onnx")


def test_bench_reports_every_task_that_it_is_given(tmp_path):
    succeed("bench", SMALL_TASK, "Relu(x=1x8x16x16)", "--json", tmp_path / "bench.json")
    results = check_bench_report(tmp_path / "bench.json")
    assert [result["engine"] for result in results] == ["whet", "whet-onnx-layout"] * 2


def test_a_profile_names_the_nodes(model, tuned):
    text = succeed("bench", model, "--db", tuned, "--profile")
    assert "Conv" in text and "Gemm" in text


def test_a_trace_can_be_opened_by_a_trace_viewer(model, tuned, tmp_path):
    succeed("bench", model, "--db", tuned, "--trace", tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    events = trace["traceEvents"] if isinstance(trace, dict) else trace
    assert events and all("ph" in event for event in events)


def test_inspect_shows_a_network_and_its_tasks(model):
    text = succeed("inspect", model)
    assert "Conv" in text and "1x4x16x16" in text


def test_inspect_shows_a_task():
    text = succeed("inspect", SMALL_TASK)
    assert "MatMul" in text


def test_inspect_shows_the_trace_of_a_file_as_loops_calls_and_code(tmp_path):
    candidate = tmp_path / "candidate.json"
    succeed("inspect", SMALL_TASK, "--json", candidate)
    text = succeed("inspect", candidate, "--emit", "stmt,asm", "-o", tmp_path / "kernel")
    assert "vectorized" in text and ".split(" in text
    assert "produce" in (tmp_path / "kernel.stmt").read_text()
    assert "ymm" in (tmp_path / "kernel.s").read_text() or "zmm" in (tmp_path / "kernel.s").read_text()


def test_inspect_of_a_trace_without_its_task_says_what_to_do(tmp_path):
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps({"sketch": "", "decisions": [], "directives": []}))
    result = run_whet("inspect", trace)
    assert result.returncode == 1 and "--trace" in result.stderr


def test_tuning_a_network_reports_it_untuned_and_tuned(tuned, work):
    report = json.loads((work / "tune.json").read_text())
    assert report["untuned_ms"] > 0 and report["tuned_ms"] > 0
    assert len(report["tasks"]) >= 3


def test_bench_times_a_task_in_its_own_layout_and_in_that_of_onnx(tmp_path):
    succeed("bench", SMALL_TASK, "--seconds", "0.05", "--json", tmp_path / "bench.json")
    results = json.loads((tmp_path / "bench.json").read_text())["results"]
    assert [result["engine"] for result in results] == ["whet", "whet-onnx-layout"]
    assert len({result["id"] for result in results}) == 1
    succeed("bench", SMALL_TASK, "--seconds", "0.05", "--no-onnx-layout", "--json", tmp_path / "bench.json")
    assert len(json.loads((tmp_path / "bench.json").read_text())["results"]) == 1


def test_outputs_whose_names_would_be_one_file_get_files_of_their_own(tmp_path):
    nodes = [helper.make_node("Neg", ["x"], ["a/b"]), helper.make_node("Abs", ["x"], ["a_b"])]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in ("x", "a/b", "a_b")]
    file = write_model(tmp_path / "m.onnx", helper.make_graph(nodes, "m", ports[:1], ports[1:]))
    np.save(tmp_path / "x.npy", np.full((2, 2), 3, np.float32))
    succeed("run", file, "--input", f"x={tmp_path / 'x.npy'}", "--output", tmp_path / "out")
    values = sorted(float(np.load(each)[0, 0]) for each in (tmp_path / "out").iterdir())
    assert values == [-3.0, 3.0]


def test_an_input_that_is_given_twice_is_refused(model, x_file):
    refused("run", model, "--input", f"x={x_file}", "--input", f"x={x_file}", mentions=["'x'", "twice"])
