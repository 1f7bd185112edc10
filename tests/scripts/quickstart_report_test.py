"""The quickstart's table, from invented measurements."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from quickstart_report import ReportError, Row, read_bench, table, wrong_rows  # noqa: E402

UP, DOWN = np.array([0.75, 0.25], np.float32), np.array([0.125, 0.875], np.float32)
REFERENCE = [UP, DOWN]


def row(name, outputs=(UP, DOWN), p50_ms=(2.0,), min_ms=(1.0,)):
    return Row(name, list(outputs), list(min_ms), list(p50_ms))


def test_the_table_shows_the_median_of_the_rounds_and_the_least_minimum():
    text = table([row("untuned", p50_ms=[4.0, 9.0, 3.0], min_ms=[2.5, 1.5, 3.5])], REFERENCE)
    assert text.splitlines()[2].split()[:3] == ["untuned", "4.000", "1.500"]


def test_speed_is_counted_from_the_first_row():
    lines = table([row("untuned", p50_ms=[3.0]), row("tuned", p50_ms=[1.5])], REFERENCE).splitlines()
    assert "1.00x" in lines[2] and "2.00x" in lines[3]


def test_the_table_says_what_the_classifier_said():
    line = table([row("tuned")], REFERENCE).splitlines()[2]
    assert "0° (75.0%)" in line and "180° (87.5%)" in line


def test_the_largest_difference_is_over_both_pictures():
    nearly = [UP, DOWN + np.array([0.0, 0.0005], np.float32)]
    assert "5.0e-04" in table([row("tuned", nearly)], REFERENCE)


def test_outputs_that_no_rounding_explains_are_named():
    rows = [row("untuned"), row("tuned", [UP, UP]), row("bundle", [UP, np.array([np.nan, 0.5], np.float32)])]
    assert wrong_rows(rows, REFERENCE) == ["tuned", "bundle"]


def test_outputs_of_another_shape_are_wrong():
    assert wrong_rows([row("tuned", [UP, UP[:1]])], REFERENCE) == ["tuned"]


def test_a_bench_report_gives_minimum_and_median():
    report = {"schema_version": 1, "results": [{"id": "m", "min_ms": 0.5, "p50_ms": 0.75, "p90_ms": 1.0}]}
    assert read_bench(report) == (0.5, 0.75)


def test_a_bench_report_of_errors_is_refused_with_its_reason():
    with pytest.raises(ReportError, match="no kernel"):
        read_bench({"results": [], "errors": [{"id": "m", "error": "no kernel"}]})
