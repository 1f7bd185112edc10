"""What --accuracy strict promises, and what fast does not."""

import json
import shutil
import sqlite3

import numpy as np
import onnx
import pytest
from conftest import query, reference, refused, run_whet, succeed
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 16
SIDE = 34
DARK = np.float32(1e-3)
PICTURE_TASK = f"Conv(x=1x{CHANNELS}x{SIDE}x{SIDE},w={CHANNELS}x{CHANNELS}x3x3,pads=1,bias=0)"
SEEN = np.s_[..., 15:18, 15:18]  # the outputs that see the pixel at 16, 16


@pytest.fixture(scope="module")
def picture_model(tmp_path_factory):
    """One 3x3 convolution over a picture: Winograd's algorithm is one of its candidates."""
    weights = np.random.default_rng(5).uniform(-0.3, 0.3, (CHANNELS, CHANNELS, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], "conv", pads=[1, 1, 1, 1])], "picture",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, CHANNELS, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, CHANNELS, SIDE, SIDE])],
        [numpy_helper.from_array(weights, "w")])
    path = tmp_path_factory.mktemp("accuracy") / "picture.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def picture(pixel):
    x = np.full((1, CHANNELS, SIDE, SIDE), DARK, np.float32)
    x[0, 3, 16, 16] = pixel
    return x


def run_on(model, x, folder, *options):
    np.save(folder / "x.npy", x)
    succeed("run", model, "--input", f"x={folder / 'x.npy'}", "--output", folder / "out", *options)
    return np.load(folder / "out" / "y.npy")


def elsewhere(y):
    """The outputs that do not see the pixel, in a row."""
    mask = np.ones(y.shape, bool)
    mask[SEEN] = False
    return y[mask]


@pytest.fixture(scope="module")
def winograd_database(picture_model, tmp_path_factory):
    """The convolution, tuned; of the records in which it runs by Winograd's algorithm, with tiles of 4x4 outputs."""
    folder = tmp_path_factory.mktemp("winograd")
    succeed("tune", PICTURE_TASK, "--db", folder / "all.db", "--trials", 12, "--search", "random", "--progress", "none")
    shutil.copy(folder / "all.db", folder / "winograd.db")
    connection = sqlite3.connect(folder / "winograd.db")
    connection.execute("DELETE FROM records WHERE sketch NOT LIKE '%winograd(4x4%'")
    connection.commit()
    connection.close()
    assert query(folder / "winograd.db", "SELECT count(*) FROM v_best WHERE sketch LIKE '%winograd%'")[0][0] >= 1
    return folder / "winograd.db"


@pytest.mark.parametrize("pixel", [np.float32(3e4), np.float32(np.inf), np.float32(-np.inf), np.float32(np.nan)])
def test_strict_outputs_do_not_depend_on_a_pixel_that_they_do_not_see(picture_model, winograd_database, pixel, tmp_path):
    y = run_on(picture_model, picture(pixel), tmp_path, "--accuracy", "strict", "--db", winograd_database)
    dark = run_on(picture_model, picture(DARK), tmp_path, "--accuracy", "strict", "--db", winograd_database)
    np.testing.assert_array_equal(elsewhere(y), elsewhere(dark))
    expected = reference(picture_model, picture(pixel))
    np.testing.assert_array_equal(np.isfinite(y), np.isfinite(expected))
    terms = np.abs(expected[SEEN])
    if np.isfinite(pixel):
        assert np.all(np.abs(y[SEEN] - expected[SEEN]) <= 2e-5 * np.maximum(terms, 1))


def test_fast_outputs_nearby_take_their_error_from_the_pixel(picture_model, winograd_database, tmp_path):
    """What docs/accuracy.md says of fast: an error of the size that the pixel explains, and not theirs."""
    y = run_on(picture_model, picture(np.float32(3e4)), tmp_path, "--db", winograd_database)
    expected = reference(picture_model, picture(np.float32(3e4)))
    error = np.abs(elsewhere(y) - elsewhere(expected))
    assert 1e-4 < error.max() / np.abs(elsewhere(expected)).max(), "then the document is wrong"
    assert error.max() < 3e4 * 1e-5
    y = run_on(picture_model, picture(np.float32(np.inf)), tmp_path, "--db", winograd_database)
    assert not np.all(np.isfinite(elsewhere(y))), "then the document is wrong"
    # A tile of F(4x4, 3x3) reaches five pixels far.
    far = np.ones(y.shape, bool)
    far[..., 11:22, 11:22] = False
    assert np.all(np.isfinite(y[far]))


def test_a_strict_task_has_records_of_its_own_and_none_by_winograd(tmp_path):
    database = tmp_path / "tuning.db"
    for accuracy in ("strict", "fast"):
        succeed("tune", PICTURE_TASK, "--db", database, "--trials", 8, "--search", "random", "--progress", "none",
                "--accuracy", accuracy)
    rows = query(database, "SELECT t.accuracy, r.accuracy, t.json, r.sketch, r.status FROM records AS r "
                           "JOIN tasks AS t ON t.id = r.task_id")
    assert {row[0] for row in rows} == {"strict", "fast"}
    for task, record, text, sketch, status in rows:
        assert task == record == json.loads(text).get("accuracy", "fast")
        if task == "strict":
            assert "winograd" not in sketch
            assert status == "ok", "a direct kernel stays within its bounds, extremes or not"
    assert any("winograd" in row[3] for row in rows)
    assert "strict" in succeed("db", "list", "--db", database)
    (strict,) = query(database, "SELECT record FROM v_best WHERE accuracy = 'strict' LIMIT 1")[0]
    assert ", strict" in succeed("replay", "--db", database, strict)
    assert "strict" in succeed("db", "show", "--db", database, strict)


def test_a_record_is_replayed_under_its_own_accuracy_unless_another_is_asked_for(winograd_database):
    (record,) = query(winograd_database, "SELECT record FROM v_best LIMIT 1")[0]
    assert ", fast" in succeed("replay", "--db", winograd_database, record)
    done = run_whet("replay", "--db", winograd_database, record, "--accuracy", "strict")
    assert done.returncode == 2, done.stderr
    assert "winograd" in done.stdout and "not one that Conv" in done.stdout


def test_a_bundle_says_how_exact_it_is_and_cannot_be_run_otherwise(picture_model, winograd_database, tmp_path):
    for accuracy in ("strict", "fast"):
        folder = tmp_path / accuracy
        succeed("compile", picture_model, "--db", winograd_database, "-o", folder, "--accuracy", accuracy)
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["provenance"]["accuracy"] == accuracy
        assert {task["task"].get("accuracy", "fast") for task in manifest["provenance"]["tasks"]} == {accuracy}
        run_on(folder, picture(DARK), tmp_path, "--accuracy", accuracy)
        run_on(folder, picture(DARK), tmp_path)
    refused("run", tmp_path / "fast", "--accuracy", "strict", mentions=["compiled with --accuracy fast"])
    y = run_on(tmp_path / "strict", picture(np.float32(np.inf)), tmp_path)
    assert np.all(np.isfinite(elsewhere(y)))


def test_inspect_and_bench_take_an_accuracy(picture_model, tmp_path):
    task = f"Conv(x=1x{CHANNELS}x14x14,w={CHANNELS}x{CHANNELS}x3x3,pads=1)"
    assert "winograd" in succeed("inspect", task)
    assert "winograd" not in succeed("inspect", task, "--accuracy", "strict")
    succeed("inspect", picture_model, "--accuracy", "strict", "--json", tmp_path / "model.json")
    tasks = json.loads((tmp_path / "model.json").read_text())["tasks"]
    assert [entry["task"].get("accuracy") for entry in tasks if "Conv" in entry["describe"]] == ["strict"]
    succeed("bench", task, picture_model, "--accuracy", "strict", "--seconds", 0.05)


@pytest.mark.parametrize("verb", ["tune", "compile", "run", "bench", "inspect", "replay"])
def test_an_accuracy_that_there_is_not_is_refused(verb, picture_model):
    what = 1 if verb == "replay" else picture_model
    refused(verb, what, "--accuracy", "exact", mentions=["--accuracy"])
