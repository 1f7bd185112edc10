"""Bad input gets one clear sentence, exit code 1, and nothing half-written."""

import os
import resource
import sqlite3

import numpy as np
import pytest
from conftest import SMALL_TASK, assert_refusal, refused, run_as_mere_mortal, run_whet, small_graph, succeed, write_model

MODEL_VERBS = [["bench"], ["run"], ["inspect"]]


@pytest.fixture
def database(tmp_path):
    """A tuning database of one record or two."""
    path = tmp_path / "tuning.db"
    succeed("tune", SMALL_TASK, "--db", path, "--trials", 2, "--progress", "none")
    return path


# ---- Models --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", MODEL_VERBS)
def test_a_missing_model_is_named(verb, tmp_path):
    refused(*verb, tmp_path / "absent.onnx", mentions=["absent.onnx"])


@pytest.mark.parametrize("verb", [["tune", "--trials", "2", "--db"], ["compile", "-o"]])
def test_a_missing_model_leaves_nothing_behind(verb, tmp_path):
    refused(verb[0], tmp_path / "absent.onnx", *verb[1:], tmp_path / "made", mentions=["absent.onnx"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", MODEL_VERBS)
def test_a_truncated_model_is_refused(verb, model, tmp_path):
    truncated = tmp_path / "truncated.onnx"
    data = model.read_bytes()
    truncated.write_bytes(data[: len(data) // 2])
    refused(*verb, truncated, mentions=["truncated.onnx"])


@pytest.mark.parametrize("content", [b"", b"Dear reader, this is a letter.\n" * 40, bytes(range(256)) * 16],
                         ids=["empty", "a letter", "noise"])
def test_a_file_that_is_not_onnx_is_refused(content, tmp_path):
    path = tmp_path / "letter.onnx"
    path.write_bytes(content)
    refused("bench", path, mentions=["letter.onnx"])


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    refused("run", folder, mentions=["folder"])


def test_an_unknown_operator_is_named(tmp_path):
    path = write_model(tmp_path / "odd.onnx", small_graph(operator="Frobnicate"))
    refused("bench", path, mentions=["odd.onnx", "Frobnicate"])


def test_an_operator_of_another_domain_is_named(tmp_path):
    graph = small_graph(operator="Relu", domain="org.example")
    path = write_model(tmp_path / "odd.onnx", graph, domains=["org.example"])
    refused("bench", path, mentions=["odd.onnx", "org.example"])


def test_an_unknown_opset_is_refused(tmp_path):
    path = write_model(tmp_path / "future.onnx", small_graph(), opset=999)
    refused("bench", path, mentions=["future.onnx", "999"])


def test_weights_that_do_not_fit_their_input_are_refused(tmp_path):
    path = write_model(tmp_path / "misfit.onnx", small_graph(channels=5))
    refused("bench", path, mentions=["misfit.onnx", "conv0"])


# ---- Shapes and inputs ---------------------------------------------------------------------------------


def test_an_open_shape_is_asked_for(open_model):
    refused("bench", open_model, mentions=["x", "--shape"])


@pytest.mark.parametrize("shape", ["x=1x4", "x=1x5x16x16", "x=1xfourx16x16", "x=", "x", "x=-1x4x16x16",
                                   "x=99999999999999999999x4x16x16", "z=1x4x16x16"])
def test_a_shape_that_does_not_fit_is_refused(shape, open_model):
    refused("bench", open_model, "--shape", shape)


def test_an_unknown_input_is_refused_with_the_names_there_are(model, x_file):
    refused("run", model, "--input", f"picture={x_file}", mentions=["picture", "x"])


@pytest.mark.parametrize("array", [np.zeros((1, 4, 16, 15), np.float32), np.zeros((1, 4, 16, 16), np.int64)],
                         ids=["shape", "type"])
def test_an_input_of_another_type_is_refused(array, model, tmp_path):
    np.save(tmp_path / "x.npy", array)
    refused("run", model, "--input", f"x={tmp_path / 'x.npy'}", mentions=["x"])


@pytest.mark.parametrize("suffix", [".npy", ".pb", ".txt"])
def test_an_input_file_that_is_damaged_is_refused(suffix, model, tmp_path):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order'")
    refused("run", model, "--input", f"x={path}", mentions=[path.name])


def test_an_input_file_that_is_missing_is_named(model, tmp_path):
    refused("run", model, "--input", f"x={tmp_path / 'absent.npy'}", mentions=["absent.npy"])


def test_a_test_data_folder_that_is_missing_is_named(model, tmp_path):
    refused("run", model, "--test-data", tmp_path / "absent", "--check", mentions=["absent"])


# ---- Tasks and options ---------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["Conv(x=1x64x56x56", "Frobnicate(x=1x2)", "MatMul(a=4x5,b=6x7)", "MatMul(a=4x5)",
                                  "Conv(x=1x3x8x8,w=8x4x3x3)", "MatMul(a=4xq,b=4x4)", "Conv(x=1x4x8x8,w=8x4x3x3,sides=2)",
                                  "MatMul(a=4x4,b=4x4)+Frobnicate", "MatMul(a=4x4,b=4x4)+"])
def test_a_task_that_means_nothing_is_refused(task, tmp_path):
    refused("tune", task, "--db", tmp_path / "tuning.db", "--trials", "1")


@pytest.mark.parametrize("option", [["--trials", "many"], ["--trials", "-3"], ["--time-budget", "5parsecs"],
                                    ["--time-budget", "-5s"], ["--target", "z80-cpm"], ["--threads", "two"],
                                    ["--search", "clairvoyance"], ["--cost-model", "hunch"], ["--progress", "loud"],
                                    ["--seed", "apple"]])
def test_an_option_that_means_nothing_is_refused(option, tmp_path):
    refused("tune", SMALL_TASK, "--db", tmp_path / "tuning.db", *option)


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"kernels": [{"id": "a"}]}'])
def test_a_shape_list_that_is_none_is_refused(content, tmp_path):
    path = tmp_path / "shapes.json"
    path.write_text(content)
    refused("bench", "--tasks", path, mentions=["shapes.json"])


# ---- Databases -----------------------------------------------------------------------------------------


def both_ways(database):
    """Reading and tuning; a refusal is wanted of both."""
    return [["db", "stats", "--db", database],
            ["tune", SMALL_TASK, "--db", database, "--trials", "2", "--progress", "none"]]


def test_a_missing_database_is_not_made_by_a_question(tmp_path):
    refused("db", "stats", "--db", tmp_path / "absent.db", mentions=["absent.db"])
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, this is a letter.\n" * 100)
    before = path.read_bytes()
    for command in both_ways(path):
        refused(*command, mentions=["letter.db"])
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_kept(tmp_path):
    path = tmp_path / "recipes.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    for command in both_ways(path):
        refused(*command, mentions=["recipes.db"])
    assert path.read_bytes() == before


def test_a_corrupt_database_is_refused(database):
    data = bytearray(database.read_bytes())
    data[100:] = b"\xff" * (len(data) - 100)
    database.write_bytes(data)
    for command in both_ways(database):
        refused(*command, mentions=["tuning.db"])


def test_a_newer_database_is_refused(database):
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    for command in both_ways(database):
        refused(*command, mentions=["tuning.db", "999"])


def test_a_read_only_database_can_be_asked_but_not_tuned_into(database):
    database.chmod(0o444)
    database.parent.chmod(0o555)
    try:
        done = run_as_mere_mortal("tune", SMALL_TASK, "--db", database, "--trials", 4, "--progress", "none")
        assert_refusal(done, "tuning.db")
        done = run_as_mere_mortal("db", "stats", "--db", database)
        assert done.returncode == 0, done.stderr
    finally:
        database.parent.chmod(0o755)


def test_a_database_in_a_folder_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "absent" / "tuning.db"
    refused("tune", SMALL_TASK, "--db", path, "--trials", "2", mentions=[path])


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM nothing", "DELETE FROM records", "SELECT 1; SELECT 2",
                                 "PRAGMA user_version = 5", "ATTACH 'other.db' AS other", ""])
def test_a_query_that_is_wrong_or_writes_is_refused(sql, database, tmp_path):
    before = succeed("db", "stats", "--db", database)
    refused("db", "query", "--db", database, sql, cwd=tmp_path)
    assert succeed("db", "stats", "--db", database) == before
    assert not (tmp_path / "other.db").exists()


def test_a_record_that_is_not_there_is_refused(database):
    refused("db", "show", "--db", database, "999999", mentions=["999999"])
    refused("replay", "--db", database, "999999", mentions=["999999"])


# ---- Output --------------------------------------------------------------------------------------------


def test_an_unwritable_output_folder_is_refused(model, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    try:
        assert_refusal(run_as_mere_mortal("compile", model, "-o", locked / "bundle"), "locked")
        assert not list(locked.iterdir())
        assert_refusal(run_as_mere_mortal("bench", SMALL_TASK, "--json", locked / "bench.json"), "locked")
        assert not list(locked.iterdir())
    finally:
        locked.chmod(0o755)


def test_an_output_folder_that_is_a_file_is_refused_and_kept(model, tmp_path):
    path = tmp_path / "bundle"
    path.write_text("mine")
    refused("compile", model, "-o", path, mentions=["bundle"])
    assert path.read_text() == "mine"


def limit_file_size(size):
    """For preexec_fn: writing past `size` bytes fails, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_stops_a_compilation_with_one_sentence_and_no_bundle(model, tmp_path):
    # Python ignores SIGXFSZ; left so, writing fails with an error instead of killing the process.
    done = run_whet("compile", model, "-o", tmp_path / "bundle", preexec_fn=limit_file_size(512), restore_signals=False)
    assert_refusal(done)
    assert not (tmp_path / "bundle" / "manifest.json").exists()


def test_a_full_disk_stops_tuning_with_one_sentence(tmp_path):
    done = run_whet("tune", SMALL_TASK, "--db", tmp_path / "tuning.db", "--trials", 2, "--progress", "none",
                    preexec_fn=limit_file_size(4096), restore_signals=False)
    assert_refusal(done, "tuning.db")


# ---- Bundles -------------------------------------------------------------------------------------------


@pytest.fixture
def copied_bundle(bundle, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in bundle.iterdir():
        os.link(path, copy / path.name)
    return copy


def replace(path, data):
    """Writes a new file in the place of a hard link."""
    path.unlink()
    path.write_bytes(data)


def test_a_bundle_with_a_flipped_byte_is_refused(copied_bundle, x_file):
    run = ["run", copied_bundle, "--input", f"x={x_file}"]
    loaded = [path for path in sorted(copied_bundle.iterdir()) if path.suffix in (".bin", ".so")]
    assert loaded, "a bundle holds weights.bin and a shared object"
    for path in loaded:
        good = path.read_bytes()
        for place in (len(good) // 3, len(good) // 2, len(good) - 1):
            bad = bytearray(good)
            bad[place] ^= 0x10
            replace(path, bytes(bad))
            refused(*run, mentions=[path.name])
        replace(path, good)
    succeed(*run)


def test_a_bundle_whose_manifest_is_damaged_is_refused(copied_bundle, x_file):
    path = copied_bundle / "manifest.json"
    good = path.read_bytes()
    for bad in (good[: len(good) // 2], b"", b"[]", good.replace(b"{", b"(", 1)):
        replace(path, bad)
        refused("run", copied_bundle, "--input", f"x={x_file}", mentions=["manifest.json"])


@pytest.mark.parametrize("name", ["weights.bin", "manifest.json"])
def test_a_bundle_that_lacks_a_file_is_refused(name, copied_bundle, x_file):
    (copied_bundle / name).unlink()
    refused("run", copied_bundle, "--input", f"x={x_file}", mentions=[name])


def test_truncated_weights_are_refused(copied_bundle):
    path = copied_bundle / "weights.bin"
    replace(path, path.read_bytes()[:-1])
    refused("bench", copied_bundle, mentions=["weights.bin"])
