"""What the tests of the command share: running it, small models, and what a refusal must look like."""

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
WHET = Path(os.environ.get("WHET", ROOT / "build" / "whet"))

# A task that compiles and runs in no time.
SMALL_TASK = "MatMul(a=64x64,b=64x64)"


def run_whet(*arguments, timeout=300, **options):
    """The finished process; it is given no terminal and no input."""
    return subprocess.run([str(WHET), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout, check=False, **options)


def succeed(*arguments, **options):
    """Standard output of a command that must exit with 0."""
    done = run_whet(*arguments, **options)
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    return done.stdout


def assert_refusal(done, *fragments):
    """Exit code 1 and one sentence for the user, which holds the fragments."""
    lines = done.stderr.splitlines()
    assert done.returncode == 1, f"exit code {done.returncode}: {done.stdout}\n{done.stderr}"
    assert len(lines) == 1, f"one line was expected: {done.stderr}"
    assert lines[0].startswith("whet: "), lines[0]
    for fragment in fragments:
        assert str(fragment) in lines[0], f"'{fragment}' is not in: {lines[0]}"


def refused(*arguments, mentions=(), **options):
    assert_refusal(run_whet(*arguments, **options), *mentions)


def run_as_mere_mortal(*arguments, **options):
    """Runs the command so that file permissions bind it even where the tests run as root."""
    command = [str(WHET), *map(str, arguments)]
    if os.geteuid() == 0:
        drop = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
        if not shutil.which("setpriv") or subprocess.run([*drop, "true"], capture_output=True, check=False).returncode:
            pytest.skip("root's powers cannot be dropped here, so that no file is unwritable")
        command = drop + command
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
                          **options)


def query(database, sql):
    """Rows of a tuning database, read without Whet."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def candidates_measured_twice(database):
    # The final comparison measures again, on purpose: its records are final, or say what they are.
    return query(database, "SELECT task_id, directives_hash, count(*) FROM records WHERE role = 'trial' "
                           "AND NOT (status = 'ok' AND message LIKE 'final comparison%') "
                           "GROUP BY task_id, directives_hash HAVING count(*) > 1")


def small_graph(batch=1, channels=4, operator="Relu", domain=""):
    """Convolution, activation, pooling, classifier: every kind of task in a network of microseconds."""
    random = np.random.default_rng(7)

    def weight(name, *shape):
        return numpy_helper.from_array((random.standard_normal(shape) / 4).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c0"], "conv0", pads=[1, 1, 1, 1]),
        helper.make_node(operator, ["c0"], ["r0"], "activation0", domain=domain),
        helper.make_node("Conv", ["r0", "w1", "b1"], ["c1"], "conv1", strides=[2, 2], pads=[1, 1, 1, 1], group=8),
        helper.make_node("Relu", ["c1"], ["r1"], "activation1"),
        helper.make_node("GlobalAveragePool", ["r1"], ["p"], "pool"),
        helper.make_node("Flatten", ["p"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "w2", "b2"], ["g"], "classifier", transB=1),
        helper.make_node("Softmax", ["g"], ["y"], "softmax", axis=1),
    ]
    return helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 4, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 3])],
        [weight("w0", 8, channels, 3, 3), weight("b0", 8), weight("w1", 8, 1, 3, 3), weight("b1", 8),
         weight("w2", 3, 8), weight("b2", 3)])


def write_model(path, graph, opset=13, domains=()):
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), path)
    return path


def reference(model, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def write_test_data(folder, x, y):
    """An ONNX test-data folder of one input and one output."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in (("input_0", x), ("output_0", y)):
        tensor = numpy_helper.from_array(array, name="x" if name.startswith("input") else "y")
        (folder / f"{name}.pb").write_bytes(tensor.SerializeToString())
    return folder


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("whet")


@pytest.fixture(scope="session")
def model(work):
    return write_model(work / "small.onnx", small_graph())


@pytest.fixture(scope="session")
def open_model(work):
    """The same network with its batch left open, for --shape."""
    return write_model(work / "open.onnx", small_graph(batch="n"))


@pytest.fixture(scope="session")
def x():
    return np.random.default_rng(11).standard_normal((1, 4, 16, 16)).astype(np.float32)


@pytest.fixture(scope="session")
def x_file(work, x):
    np.save(work / "x.npy", x)
    return work / "x.npy"


@pytest.fixture(scope="session")
def test_data(work, model, x):
    return write_test_data(work / "test_data_set_0", x, reference(model, x))


@pytest.fixture(scope="session")
def tuned(work, model):
    """A database with a few records of every task of the network."""
    database = work / "tuned.db"
    succeed("tune", model, "--db", database, "--trials", 24, "--progress", "none", "--seed", 1,
            "--json", work / "tune.json")
    return database


@pytest.fixture(scope="session")
def bundle(work, model, tuned):
    folder = work / "bundle"
    succeed("compile", model, "--db", tuned, "-o", folder)
    return folder
