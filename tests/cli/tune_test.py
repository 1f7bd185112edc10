"""Tuning as a user lives it: watched, interrupted, killed, gone on with."""

import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest
from conftest import SMALL_TASK, WHET, assert_refusal, candidates_measured_twice, query, refused, run_whet, succeed

MARK = "WHET_TEST_RUN"
TASK_FIELDS = {"fingerprint", "uses", "trials", "failed", "default_ms", "best_ms", "best_min_ms", "gflops", "best_record"}


def start_tuning(*arguments):
    """A tuning run in a process group of its own, as a shell starts it; its workers inherit its mark."""
    command = [str(WHET), "tune", *map(str, arguments), "--progress", "none"]
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, start_new_session=True, env=os.environ | {MARK: mark})
    process.mark = f"{MARK}={mark}".encode()
    return process


def count_records(database):
    if not database.exists():
        return 0
    try:
        return query(database, "SELECT count(*) FROM records WHERE role = 'trial'")[0][0]
    except Exception:  # the file is there and the schema is not yet
        return 0


def wait_for_records(process, database, count, seconds=120):
    """Waits until so many records are committed; the run must still be going then."""
    end = time.monotonic() + seconds
    while count_records(database) < count:
        assert process.poll() is None, f"tuning ended by itself: {process.communicate()[1]}"
        assert time.monotonic() < end, f"fewer than {count} records after {seconds} s"
        time.sleep(0.01)


def marked_processes(process, seconds=10):
    """Processes of the run that still live after so many seconds, whatever group they went to."""
    end = time.monotonic() + seconds
    while True:
        living = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if process.mark in file.read().split(b"\0"):
                        living.append(int(entry))
            except OSError:  # gone meanwhile, or not ours
                continue
        if not living or time.monotonic() > end:
            return living
        time.sleep(0.05)


@pytest.fixture
def database(tmp_path):
    return tmp_path / "x.db"


def test_a_report_tells_what_was_found(database, tmp_path):
    succeed("tune", SMALL_TASK, "--db", database, "--trials", 8, "--json", tmp_path / "tune.json")
    report = json.loads((tmp_path / "tune.json").read_text())
    assert report["schema_version"] >= 1 and report["seconds"] > 0
    assert "context" in report and report["candidates_per_s"] > 0
    (task,) = report["tasks"]
    assert TASK_FIELDS <= set(task)
    assert task["trials"] == 8 and task["uses"] == 1
    assert 0 < task["best_min_ms"] <= task["best_ms"] <= task["default_ms"]
    assert query(database, f"SELECT status FROM records WHERE id = {task['best_record']}") == [("ok",)]


def test_a_machine_on_which_no_kernel_can_work_is_told_so_at_once(database, tmp_path):
    done = run_whet("tune", SMALL_TASK, "--db", database, "--trials", 8, env={**os.environ, "PATH": str(tmp_path)})
    assert_refusal(done, "a small kernel", "does not work on this machine", "ld")
    assert query(database, "SELECT count(*) FROM records") == [(0,)]


def test_the_default_schedule_is_trial_zero(database):
    succeed("tune", SMALL_TASK, "--db", database, "--trials", 4, "--progress", "none")
    first = query(database, "SELECT is_default FROM records ORDER BY id LIMIT 1")
    assert first == [(1,)]


def test_every_record_knows_where_it_comes_from(database):
    succeed("tune", SMALL_TASK, "--db", database, "--trials", 4, "--progress", "none", "--seed", 5)
    runs = query(database, "SELECT command, version, seed, outcome FROM tuning_runs")
    assert len(runs) == 1
    command, version, seed, outcome = runs[0]
    assert "MatMul" in command and version and int(seed) == 5 and outcome == "done"
    assert query(database, "SELECT count(*) FROM records WHERE run_id IS NULL") == [(0,)]


def test_going_on_measures_no_candidate_again(database):
    command = ["tune", SMALL_TASK, "--db", database, "--trials", 8, "--progress", "none"]
    succeed(*command)
    first = query(database, "SELECT id, directives_hash FROM records WHERE role = 'trial'")
    succeed(*command)
    assert query(database, "SELECT id, directives_hash FROM records WHERE role = 'trial'")[: len(first)] == first
    assert candidates_measured_twice(database) == []


def test_cold_caches_are_a_mode_of_the_run_and_of_its_records_alone(database, tmp_path):
    trials = "SELECT count(*) FROM records WHERE role = 'trial' AND run_id = {}"
    cold = ["tune", SMALL_TASK, "--db", database, "--trials", 5, "--progress", "none", "--cache", "cold"]
    warm = cold[:-2]
    succeed(*cold)
    assert query(database, trials.format(1)) == [(5,)]
    succeed(*warm)  # measures all of them again
    assert query(database, trials.format(2)) == [(5,)]
    succeed(*cold)
    assert query(database, trials.format(3)) == [(0,)]
    for run, mode in ((1, "cold"), (2, "warm")):
        (record,) = query(database, f"SELECT min(id) FROM records WHERE run_id = {run}")[0]
        assert f"caches    {mode}\n" in succeed("db", "show", record, "--db", database)
        assert f"{mode} caches" in succeed("replay", "--db", database, record)
        succeed("replay", "--db", database, "--run", run)
    succeed("db", "export", "--db", database, "-o", tmp_path / "x.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert {line["run"]["settings"]["cache"] for line in lines} == {"warm", "cold"}
    refused("tune", SMALL_TASK, "--db", database, "--cache", "tepid", mentions=["--cache", "warm", "cold", "tepid"])


def test_a_killed_run_loses_nothing_and_goes_on(database):
    options = [SMALL_TASK, "--trials", 32, "--db", database]
    process = start_tuning(*options)
    wait_for_records(process, database, 4)
    process.kill()
    process.wait(timeout=60)
    assert marked_processes(process) == [], "workers outlive a killed run"
    assert query(database, "PRAGMA integrity_check") == [("ok",)]
    kept = query(database, "SELECT id, task_id, directives_hash, samples_ns FROM records WHERE role = 'trial'")
    assert len(kept) >= 4

    succeed("tune", *options, "--progress", "none")
    after = query(database, "SELECT id, task_id, directives_hash, samples_ns FROM records WHERE role = 'trial'")
    assert after[: len(kept)] == kept
    assert len(after) >= 32
    assert candidates_measured_twice(database) == []


def test_control_c_saves_everything_and_says_so_with_130(database):
    process = start_tuning(SMALL_TASK, "--trials", 100000, "--db", database)
    wait_for_records(process, database, 3)
    seen = count_records(database)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert marked_processes(process) == []
    assert count_records(database) >= seen
    assert query(database, "SELECT outcome FROM tuning_runs") == [("interrupted",)]
    assert query(database, "PRAGMA integrity_check") == [("ok",)]


def test_two_runs_share_a_database(database):
    one = start_tuning(SMALL_TASK, "--trials", 6, "--db", database)
    two = start_tuning("MatMul(a=32x48,b=48x32)", "--trials", 6, "--db", database)
    for process in (one, two):
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    assert query(database, "SELECT count(*) FROM tasks") == [(2,)]
    assert candidates_measured_twice(database) == []


def test_a_shape_list_is_tuned_shape_by_shape(database, tmp_path):
    kernels = [
        {"id": "small.conv", "op": "Conv", "input": [1, 8, 12, 12], "weight": [16, 8, 3, 3], "output": [1, 16, 12, 12],
         "strides": [1, 1], "pads": [1, 1, 1, 1], "dilations": [1, 1], "group": 1, "bias": True, "epilogue": ["relu"]},
        {"id": "small.matmul", "op": "MatMul", "input": [1, 32, 48], "weight": [48, 64], "output": [1, 32, 64],
         "bias": True, "epilogue": ["add"]},
    ]
    path = tmp_path / "shapes.json"
    path.write_text(json.dumps({"kernels": kernels}))
    succeed("tune", "--tasks", path, "--db", database, "--trials", 4, "--progress", "none")
    assert query(database, "SELECT count(*) FROM tasks") == [(2,)]
    succeed("bench", "--tasks", path, "--only", "small.conv", "--db", database, "--json", tmp_path / "bench.json")
    results = json.loads((tmp_path / "bench.json").read_text())["results"]
    assert [(result["id"], result["engine"]) for result in results] == [("small.conv", "whet"),
                                                                        ("small.conv", "whet-onnx-layout")]


def test_progress_as_json_is_a_line_an_object(database):
    command = [str(WHET), "tune", SMALL_TASK, "--db", str(database), "--trials", "4", "--progress", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("{")]
    assert lines and all(isinstance(json.loads(line), dict) for line in lines)


def test_without_a_terminal_progress_has_no_control_characters(database):
    command = [str(WHET), "tune", SMALL_TASK, "--db", str(database), "--trials", "4"]
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0
    assert b"\r" not in done.stdout + done.stderr and b"\x1b" not in done.stdout + done.stderr


def test_an_operator_in_onnx_layout_is_tuned_with_its_conversions_and_without(database, model):
    task = "Conv(x=1x16x9x7,w=16x1x3x3,pads=1,group=16)+Relu"
    succeed("tune", task, "--onnx-layout", "--db", database, "--trials", 3, "--progress", "none")
    kernels = sorted(row[0] for row in query(database, "SELECT describe FROM tasks"))
    assert [kernel.split()[0] for kernel in kernels] == ["Conv", "Conv", "Transpose", "Transpose"]
    assert sum("layout=NCHW" in kernel for kernel in kernels) == 1
    rows = [line.split() for line in succeed("bench", task, "--db", database, "--seconds", 0.1).splitlines()]
    (row,) = [row for row in rows if "whet-onnx-layout" in row]
    assert row[-1] == "tuned" and row[-2] == row[-4] and row[-2] in ("1", "3")
    refused("tune", model, "--onnx-layout", "--db", database, mentions=["--onnx-layout", "tasks"])


def test_a_dry_run_lists_tasks_and_touches_nothing(tmp_path):
    tasks = [SMALL_TASK, "MatMul(a=64x64,b=64x64)", "MatMul(a=32x64,b=64x64)+Relu"]
    text = succeed("tune", *tasks, "--db", tmp_path / "t.db", "--dry-run", "--json", tmp_path / "plan.json")
    assert "2 tasks, 0 of them measured" in text and not (tmp_path / "t.db").exists()
    assert "blocks" not in text
    rows = json.loads((tmp_path / "plan.json").read_text())["tasks"]
    assert [row["uses"] for row in rows] == [2, 1] and all(row["best_ms"] is None for row in rows)
    succeed("tune", tasks[2], "--db", tmp_path / "t.db", "--trials", "2", "--progress", "none")
    assert "2 tasks, 1 of them measured" in succeed("tune", *tasks, "--db", tmp_path / "t.db", "--dry-run")


@pytest.mark.parametrize("how", [("--search", "grid"), ("--search", "random"),
                                 ("--without", "crossover", "explorers", "niches", "restarts", "mutation-weights", "glance")])
def test_a_search_can_be_another_or_lack_parts_and_replays_all_the_same(tmp_path, how):
    database = tmp_path / "t.db"
    succeed("tune", SMALL_TASK, "--db", database, "--trials", "20", "--progress", "none", *how)
    assert len(query(database, "SELECT DISTINCT directives_hash FROM records")) == 20
    succeed("replay", "--db", database, "--run", "1")


def test_a_task_without_gain_for_long_ends_before_its_budget(tmp_path):
    text = succeed("tune", SMALL_TASK, "--db", tmp_path / "t.db", "--trials", "400", "--patience", "24", "--progress",
                   "none", "--json", tmp_path / "report.json")
    task = json.loads((tmp_path / "report.json").read_text())["tasks"][0]
    assert task["converged"] and 24 <= task["trials"] < 400
    assert "ended before their budget" in text


def test_the_decisions_of_a_run_replay_from_its_records(tmp_path):
    """A second run goes on from the first; both decide the same again, and a changed record is noticed."""
    database = tmp_path / "t.db"
    for trials in ("10", "24"):
        succeed("tune", SMALL_TASK, "MatMul(a=32x64,b=64x64)+Relu", "--db", database, "--trials", trials, "--seed", "5",
                "--progress", "none")
    for run in ("1", "2"):
        assert "every proposal, prediction and decision is the same" in succeed("replay", "--db", database, "--run", run)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE records SET predicted = predicted + 1 WHERE id = (SELECT max(id) FROM records "
                           "WHERE role = 'trial' AND predicted IS NOT NULL)")
    done = run_whet("replay", "--db", database, "--run", "2")
    assert done.returncode == 2 and "prediction" in done.stdout
    succeed("tune", SMALL_TASK, "--db", database, "--time-budget", "2s", "--progress", "none")
    refused("replay", "--db", database, "--run", "3", mentions=["time budget"])
    refused("replay", "--db", database, "--run", "9", mentions=["9"])
    refused("replay", "--db", database, mentions=["--run"])
