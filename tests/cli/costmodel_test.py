"""Cost models as a user has them: judged, trained, asked what they look at."""

import csv
import json

import pytest
from conftest import refused, succeed


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("costmodel")
    for task in ("MatMul(a=48x64,b=64x80)", "MatMul(a=40x96,b=96x64)+Relu"):
        succeed("tune", task, "--db", folder / "t.db", "--trials", "12", "--progress", "none")
    return folder


@pytest.mark.parametrize("how", [(), ("--split", "within"), ("--split", "task"), ("--split", "within", "--over-base"),
                                 ("--split", "task", "--ranking"), ("--split", "task", "--without", "acc", "read")])
def test_a_model_is_judged(tuned, how):
    text = succeed("costmodel", "eval", "--db", tuned / "t.db", *how, "--json", tuned / "eval.json")
    assert "pairwise" in text and "mean" in text
    report = json.loads((tuned / "eval.json").read_text())
    assert len(report["tasks"]) == 2
    assert all(0 <= task["pairwise"] <= 1 and 0 < task["peak_5"] <= 1 for task in report["tasks"])


def test_a_trained_model_is_judged_and_explained(tuned):
    succeed("costmodel", "train", "--db", tuned / "t.db", "-o", tuned / "own.model", "--rounds", "20", "--depth", "4")
    assert "own.model" in succeed("costmodel", "eval", "--db", tuned / "t.db", "--model", tuned / "own.model")
    assert "share of gain" in succeed("costmodel", "importance", tuned / "own.model")


def test_what_a_search_begins_with_can_be_taken_away(tuned):
    succeed("tune", "MatMul(a=48x64,b=64x48)", "--db", tuned / "bare.db", "--trials", "6", "--no-base-model",
            "--no-transfer", "--progress", "none")


def test_feature_rows_are_a_table_with_a_row_a_candidate(tuned):
    succeed("costmodel", "rows", "--db", tuned / "t.db", "-o", tuned / "rows.csv")
    with open(tuned / "rows.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:2] == ["task", "throughput"] and "acc.vector.lanes" in rows[0]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) >= 1 + 2 * 12
    assert max(float(row[1]) for row in rows[1:]) == 1
    refused("costmodel", "eval", "--db", tuned / "t.db", "--split", "task", "--without", "colour", mentions=["colour", "memory"])


def test_candidates_of_two_machines_are_compared_on_their_own_each(tuned):
    succeed("db", "export", "--db", tuned / "t.db", "-o", tuned / "here.jsonl")
    lines = [json.loads(line) for line in (tuned / "here.jsonl").read_text().splitlines()]
    for line in lines:
        if line.get("run"):
            line["run"]["uid"] = line["run"]["uid"][::-1]
            line["run"]["machine"].update(cpu="another", l2_bytes=3 << 20)
        if line.get("samples_ns"):
            line["samples_ns"] = [100 * sample for sample in line["samples_ns"]]
    (tuned / "there.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for file in ("here", "there"):
        succeed("db", "import", tuned / f"{file}.jsonl", "--db", tuned / "both.db")
    succeed("costmodel", "rows", "--db", tuned / "both.db", "-o", tuned / "both.csv")
    with open(tuned / "both.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    there = [row for row in rows if row["machine.l2_bytes"] == str(rows[0]["machine.l2_bytes"])]
    assert 0 < len(there) < len(rows) and 2 * len(there) == len(rows)
    assert sorted(row["throughput"] for row in there) == sorted(
        row["throughput"] for row in rows if row not in there)


def test_a_file_that_is_no_model_is_one_sentence(tuned):
    (tuned / "broken.model").write_text("{}\n")
    refused("costmodel", "importance", tuned / "broken.model", mentions=["broken.model"])
    refused("costmodel", "eval", "--db", tuned / "t.db", "--model", tuned / "none.model", mentions=["none.model"])
