"""Tuning while everything around it goes wrong: the script's own checks, with few faults."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT, WHET


def test_faults_of_every_kind_lose_nothing_and_end_nothing(tmp_path):
    if b"__asan_init" in WHET.read_bytes():
        pytest.skip("a program with sanitizers takes no preloaded library")
    report = tmp_path / "report.json"
    done = subprocess.run([sys.executable, ROOT / "scripts/inject_faults", "--injections", "25", "--whet", WHET,
                           "--json", report], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    rows = {row["kind"]: row for row in json.loads(report.read_text())["rows"]}
    assert sum(row["injected"] for row in rows.values()) >= 25
    assert all(row["injected"] >= 1 for kind, row in rows.items() if kind != "not injected")
    assert rows["kernel computes wrong numbers"]["ended"].get("wrong_result", 0) >= 1
