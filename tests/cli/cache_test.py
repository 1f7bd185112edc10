"""The cache of compiled and checked kernels, as a user meets it."""

import json
import os
import subprocess

import numpy as np
import pytest

from conftest import WHET, assert_refusal, reference, run_as_mere_mortal, run_whet, succeed


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def with_cache(cache, **more):
    return {"env": {**os.environ, "WHET_CACHE_DIR": str(cache), **more}}


def run_once(model, x_file, output, *options, **context):
    succeed("run", model, "--input", f"x={x_file}", "--output", output, *options, **context)
    return np.load(output / "y.npy")


def kernels(cache):
    return sorted(cache.glob("*.kernel"))


def test_a_second_run_uses_the_kernels_of_the_first(cache, tmp_path, model, x_file):
    first = run_once(model, x_file, tmp_path / "out", **with_cache(cache))
    before = {file: file.read_bytes() for file in kernels(cache)}
    assert before
    # Without a linker for checks and with a compiler that is not asked, nothing new could come about.
    second = run_once(model, x_file, tmp_path / "out", **with_cache(cache))
    assert np.array_equal(first, second)
    assert {file: file.read_bytes() for file in kernels(cache)} == before


def test_without_the_cache_nothing_is_written_and_the_result_is_the_same(cache, tmp_path, model, x_file):
    cached = run_once(model, x_file, tmp_path / "out", **with_cache(cache))
    count = len(kernels(cache))
    other = tmp_path / "other"
    assert np.array_equal(run_once(model, x_file, tmp_path / "out", "--no-cache", **with_cache(other)), cached)
    assert not other.exists() and count == len(kernels(cache))


def test_a_bundle_is_the_same_with_and_without_the_cache(cache, tmp_path, model):
    for name, options in (("cold", ["--no-cache"]), ("first", []), ("warm", [])):
        succeed("compile", model, "-o", tmp_path / name, *options, **with_cache(cache))
    files = sorted(file.name for file in (tmp_path / "cold").iterdir())
    for name in ("first", "warm"):
        assert files == sorted(file.name for file in (tmp_path / name).iterdir())
        for file in files:
            assert (tmp_path / "cold" / file).read_bytes() == (tmp_path / name / file).read_bytes(), file


def test_a_damaged_entry_is_made_again(cache, tmp_path, model, x_file):
    expected = run_once(model, x_file, tmp_path / "out", **with_cache(cache))
    for file in kernels(cache):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 0x40
        file.write_bytes(data)
    assert np.array_equal(run_once(model, x_file, tmp_path / "out", **with_cache(cache)), expected)


def test_processes_at_once_share_one_cache(cache, model, x, test_data):
    command = [str(WHET), "run", str(model), "--test-data", str(test_data), "--check"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **with_cache(cache))
               for _ in range(4)]
    for process in running:
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert b"agrees" in output
    assert not list(cache.glob("*.part"))


def test_list_shows_what_clear_removes(cache, tmp_path, model, x_file):
    run_once(model, x_file, tmp_path / "out", **with_cache(cache))
    listed = succeed("cache", "list", "--limit", 0, "--json", tmp_path / "cache.json", **with_cache(cache))
    report = json.loads((tmp_path / "cache.json").read_text())
    assert report["schema_version"] == 1 and report["directory"] == str(cache)
    assert all(entry["verdict"] == "right" for entry in report["entries"] if entry["kind"] == "kernel")
    assert f"{len(report['entries'])} entries" in listed and "Conv 1x4x16x16" in listed
    assert f"{len(report['entries'])} entries removed" in succeed("cache", "clear", **with_cache(cache))
    assert "0 entries" in succeed("cache", "list", **with_cache(cache))


def test_the_cache_stays_within_its_limit(cache, tmp_path, model, x_file):
    run_once(model, x_file, tmp_path / "out", **with_cache(cache, WHET_CACHE_SIZE="10K"))
    assert 0 < sum(file.stat().st_size for file in cache.iterdir()) <= 10 << 10


def test_a_limit_that_is_no_size_is_named(cache, model, x_file):
    done = run_whet("run", model, "--input", f"x={x_file}", **with_cache(cache, WHET_CACHE_SIZE="lots"))
    assert_refusal(done, "WHET_CACHE_SIZE", "'lots'", "500M")


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, model, x_file, x):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    done = run_as_mere_mortal("run", model, "--input", f"x={x_file}", "--output", tmp_path / "out",
                              **with_cache(closed / "cache"))
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "out" / "y.npy"), reference(model, x), rtol=1e-4, atol=1e-5)


def test_a_record_of_this_version_needs_no_check_and_a_guess_does(cache, tmp_path, model, tuned, x_file):
    run_once(model, x_file, tmp_path / "out", "--db", tuned, **with_cache(cache))
    assert "refused" not in succeed("db", "list", "--db", tuned)
