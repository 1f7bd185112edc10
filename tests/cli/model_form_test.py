"""Valid models of unusual forms: without kernels, without inputs, with several open shapes, with shapes as inputs."""

import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import assert_refusal, refused, run_whet, succeed, write_model
from onnx import TensorProto, helper, numpy_helper

TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64,
         np.dtype(bool): TensorProto.BOOL}


def write_case(folder, nodes, inputs, outputs, constants=None, opset=17, shapes=None):
    """model.onnx and test_data_set_0; `inputs` and `outputs` are arrays by name, `shapes` what the file declares."""
    shapes = shapes or {}

    def info(name, array):
        return helper.make_tensor_value_info(name, TYPES[array.dtype], shapes.get(name, list(array.shape)))

    graph = helper.make_graph(nodes, "form", [info(*item) for item in inputs.items()],
                              [info(*item) for item in outputs.items()],
                              [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()])
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    for kind, arrays in (("input", inputs), ("output", outputs)):
        for i, (name, array) in enumerate(arrays.items()):
            (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(array, name).SerializeToString())
    write_model(folder / "model.onnx", graph, opset)
    return folder


def agrees(folder, *options):
    return succeed("run", folder / "model.onnx", "--test-data", folder, "--check", *options)


# ---- Networks without kernels ---------------------------------------------------------------------------


x = np.arange(6, dtype=np.float32).reshape(2, 3, 1) - 2
c = np.array([3, 1, 2], np.int64)
node = helper.make_node
FORMS = {
    "flatten": ([node("Flatten", ["x"], ["y"])], {"x": x}, {"y": x.reshape(2, 3)}, {}),
    "a chain of views": ([node("Unsqueeze", ["x", "zero"], ["a"]), node("Squeeze", ["a"], ["y"])], {"x": x},
                         {"y": x.reshape(2, 3)}, {"zero": np.array([0])}),
    "an output that is an input": ([node("Identity", ["x"], ["y"])], {"x": x}, {"y": x}, {}),
    "one input twice": ([node("Identity", ["x"], ["y"]), node("Flatten", ["x"], ["z"], axis=0)], {"x": x},
                        {"y": x, "z": x.reshape(1, 6)}, {}),
    "no inputs": ([node("Constant", [], ["y"], value=numpy_helper.from_array(c))], {}, {"y": c}, {}),
    "folded": ([node("Neg", ["c"], ["y"])], {}, {"y": -c}, {"c": c}),
    "an input that nothing reads": ([node("Neg", ["c"], ["y"])], {"x": x}, {"y": -c}, {"c": c}),
    "an empty initialiser that nothing reads": ([node("Identity", ["x"], ["y"])], {"x": x}, {"y": x},
                                                {"unused": np.zeros((0, 4), np.float32)}),
    "a shape": ([node("Shape", ["x"], ["y"])], {"x": x}, {"y": np.array([2, 3, 1])}, {}),
    "a reduction over nothing": ([node("ReduceSum", ["x"], ["y"], noop_with_empty_axes=1)], {"x": x}, {"y": x}, {}),
    "a scalar summed": ([node("ReduceSum", ["x"], ["y"])], {"x": np.float32(3)[()].reshape(())},
                        {"y": np.array(3, np.float32)}, {}),
    "a power of one": ([node("Pow", ["x", "e"], ["y"])], {"x": x}, {"y": x}, {"e": np.array(1, np.float32)}),
    "an expansion to itself": ([node("Expand", ["x", "s"], ["y"])], {"x": x}, {"y": x}, {"s": np.array([2, 1, 1])}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_network_without_kernels_runs_and_ships(form, tmp_path):
    folder = write_case(tmp_path / "case", *FORMS[form])
    agrees(folder)
    succeed("bench", folder / "model.onnx", "--seconds", "0.01", "--profile")
    assert "0 kernels" in succeed("inspect", folder / "model.onnx")
    assert "0 kernels" in succeed("compile", folder / "model.onnx", "-o", tmp_path / "bundle")
    succeed("run", tmp_path / "bundle", "--test-data", folder, "--check")


def test_a_network_without_kernels_runs_from_c(tmp_path):
    folder = write_case(tmp_path / "case", *FORMS["one input twice"])
    succeed("compile", folder / "model.onnx", "-o", tmp_path / "bundle")
    (tmp_path / "main.c").write_text(r"""
#include <stdio.h>
#include "case.h"
int main(int argc, char** argv) {
  whet_model* model = case_create(argv[1]);
  float x[6] = {1, 2, 3, 4, 5, 6}, y[6] = {0}, z[6] = {0};
  const void* inputs[] = {x};
  void* outputs[] = {y, z};
  if (argc != 2 || !model || whet_run(model, inputs, outputs) != 0) return puts(whet_last_error()), 1;
  printf("%g %g\n", y[5], z[2]);
  whet_destroy(model);
}
""")
    subprocess.run(["gcc", tmp_path / "main.c", "-I", tmp_path / "bundle", tmp_path / "bundle" / "libcase.a", "-lstdc++",
                    "-lm", "-lpthread", "-ldl", "-o", tmp_path / "program"], check=True, timeout=120)
    done = subprocess.run([tmp_path / "program", tmp_path / "bundle"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "6 3\n"), done.stdout


def test_a_network_without_kernels_has_nothing_to_tune(tmp_path):
    folder = write_case(tmp_path / "case", *FORMS["flatten"])
    for more in ([], ["--dry-run"]):
        refused("tune", folder / "model.onnx", "--db", tmp_path / "tuning.db", *more,
                mentions=["model.onnx", "nothing to tune"])
    assert not (tmp_path / "tuning.db").exists()


# ---- Open shapes and inputs that must be known ------------------------------------------------------------


def two_inputs(folder, names=("a", "b"), operator="MatMul"):
    a, b = np.eye(3, dtype=np.float32), np.arange(6, dtype=np.float32).reshape(3, 2)
    return write_case(folder, [node(operator, list(names), ["y"])], dict(zip(names, (a, b))), {"y": b},
                      shapes={names[0]: ["n", 3], names[1]: [3, None]})


def test_test_data_gives_the_shapes_of_all_open_inputs(tmp_path):
    agrees(two_inputs(tmp_path / "case"))


@pytest.mark.parametrize("place", ["a user's models", "it's 'quoted'"])
def test_an_apostrophe_in_a_path_changes_nothing(place, tmp_path):
    agrees(two_inputs(tmp_path / place, ("it's", "b'")))


def test_one_shape_may_be_given_and_the_others_come_from_the_data(tmp_path):
    agrees(two_inputs(tmp_path / "case"), "--shape", "a=3x3")
    refused("run", tmp_path / "case" / "model.onnx", "--test-data", tmp_path / "case", "--shape", "a=4x3",
            mentions=["input_0.pb", "f32[4x3]", "f32[3x3]"])


def test_input_files_give_the_shapes_of_open_inputs(tmp_path):
    folder = two_inputs(tmp_path / "case")
    np.save(tmp_path / "a.npy", np.ones((5, 3), np.float32))
    np.save(tmp_path / "b.npy", np.ones((3, 4), np.float32))
    inputs = ["--input", f"a={tmp_path / 'a.npy'}", "--input", f"b={tmp_path / 'b.npy'}"]
    succeed("run", folder / "model.onnx", *inputs, "--output", tmp_path / "out")
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "y.npy"), np.full((5, 4), 3, np.float32))
    refused("run", folder / "model.onnx", *inputs[:2], mentions=["'b' is open", "--shape b=3x224"])


def test_every_verb_gives_the_reason_of_the_import(tmp_path):
    folder = two_inputs(tmp_path / "case", operator="Frobnicate")
    model, shapes = folder / "model.onnx", ["--shape", "a=3x3", "--shape", "b=3x2"]
    said = set()
    for command in (["run", model, "--test-data", folder, "--check"], ["run", model, *shapes], ["bench", model, *shapes],
                    ["inspect", model, *shapes], ["compile", model, *shapes, "-o", tmp_path / "bundle"],
                    ["tune", model, *shapes, "--db", tmp_path / "tuning.db"]):
        done = run_whet(*command)
        assert_refusal(done, "Frobnicate", "not supported")
        said.add(done.stderr)
    assert len(said) == 1, said


def test_a_shape_that_is_an_input_is_taken_from_the_data(tmp_path):
    y = np.arange(12, dtype=np.float32)
    folder = write_case(tmp_path / "case", [node("Reshape", ["x", "s"], ["r"]), node("Neg", ["r"], ["y"])],
                        {"x": y.reshape(2, 6), "s": np.array([3, 4])}, {"y": -y.reshape(3, 4)})
    agrees(folder)
    refused("bench", folder / "model.onnx", mentions=["Reshape", "its shape must be constant", "input 's' decides"])
    # Another set of data with another shape is another network.
    other = folder / "test_data_set_1"
    other.mkdir()
    for file in (folder / "test_data_set_0").iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    agrees(folder)
    (other / "input_1.pb").write_bytes(numpy_helper.from_array(np.array([4, 3]), "s").SerializeToString())
    refused("run", folder / "model.onnx", "--test-data", folder, "--check", mentions=["test_data_set_1", "'s'", "alone"])


# ---- Indices ----------------------------------------------------------------------------------------------


def test_indices_are_checked_when_they_are_known(tmp_path):
    data = np.arange(8, dtype=np.float32).reshape(4, 2)
    folder = write_case(tmp_path / "case", [node("Gather", ["x", "i"], ["y"])],
                        {"x": data, "i": np.array([3, -4, -1])}, {"y": data[[3, 0, 3]]})
    succeed("compile", folder / "model.onnx", "-o", tmp_path / "bundle")
    np.save(tmp_path / "x.npy", data)
    for network in (folder / "model.onnx", tmp_path / "bundle"):
        succeed("run", network, "--test-data", folder, "--check")
        for bad in (4, -5, 2**32, -2**63):
            np.save(tmp_path / "i.npy", np.array([0, bad, 1]))
            refused("run", network, "--input", f"x={tmp_path / 'x.npy'}", "--input", f"i={tmp_path / 'i.npy'}",
                    mentions=[f"element 1 of its indices is {bad}", "from -4 to 3"])


# ---- Forms that are rare, and valid -----------------------------------------------------------------------


def branch(name, operator, *reads):
    out = helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, None)
    return helper.make_graph([node(operator, list(reads), [out.name])], name, [], [out])


random = np.random.default_rng(5)
image = random.standard_normal((1, 3, 6, 5)).astype(np.float32)
deep = random.standard_normal((2,) * 9).astype(np.float32)
either = [node("If", ["c"], ["y"], then_branch=branch("then", "Add", "x", "t"),
               else_branch=branch("else", "Sub", "x", "t"))]
scales = {"s": np.array([1, 1, 2, 1.5], np.float32)}
rows = np.array([4, 3, 2, 1], np.float32)
RARE = {
    "nine dimensions": ([node("Relu", ["x"], ["y"])], {"x": deep}, {}),
    "nine dimensions transposed": ([node("Transpose", ["x"], ["y"], perm=[2, 7, 3, 8, 4, 0, 5, 1, 6])], {"x": deep}, {}),
    "an If that holds": (either, {"c": np.array(True), "x": rows}, {"t": rows}),
    "an If that does not hold": (either, {"c": np.array(False), "x": rows}, {"t": rows}),
    "cubic": ([node("Resize", ["x", "", "s"], ["y"], mode="cubic")], {"x": image}, scales),
    "antialiased": ([node("Resize", ["x", "", "s"], ["y"], mode="linear", antialias=1)], {"x": image},
                    {"s": np.array([1, 1, 0.6, 0.5], np.float32)}),
    "a crop": ([node("Resize", ["x", "roi", "", "n"], ["y"], coordinate_transformation_mode="tf_crop_and_resize",
                     mode="linear", extrapolation_value=7.0)], {"x": image},
               {"roi": np.array([0, 0, 0.2, -0.3, 1, 1, 0.9, 1.2], np.float32), "n": np.array([1, 3, 4, 7])}),
    "a volume resized": ([node("Resize", ["x", "", "s"], ["y"], mode="linear")], {"x": image.reshape(1, 1, 3, 6, 5)},
                         {"s": np.array([1, 1, 2, 2, 2], np.float32)}),
    "mirrored beyond": ([node("Pad", ["x", "p"], ["y"], mode="reflect")], {"x": image[0, 0, :2]},
                        {"p": np.array([1, 4, 1, 2])}),
    "padded with -infinity before a maximum": (
        [node("Pad", ["x", "p", "v"], ["t"]), node("MaxPool", ["t"], ["y"], kernel_shape=[3, 3], strides=[2, 2])],
        {"x": image}, {"p": np.array([0, 0, 1, 1, 0, 0, 1, 2]), "v": np.array(-np.inf, np.float32)}),
    "padded with NaN": ([node("Pad", ["x", "p", "v"], ["y"])], {"x": image},
                        {"p": np.array([0, 0, 1, 1, 0, 0, 1, 2]), "v": np.array(np.nan, np.float32)}),
    "backwards": ([node("Slice", ["x", "b", "e", "a", "t"], ["y"])], {"x": image},
                  {"b": np.array([-1, 4]), "e": np.array([-2**63, 0]), "a": np.array([2, 3]), "t": np.array([-2, -1])}),
    "a vector normalised": ([node("BatchNormalization", ["x", "one", "one", "one", "one"], ["y"])], {"x": rows},
                            {"one": np.ones(1, np.float32)}),
}


@pytest.mark.parametrize("form", RARE)
def test_a_rare_form_agrees_with_another_engine(form, tmp_path):
    nodes, inputs, constants = RARE[form]
    folder = write_case(tmp_path / "case", nodes, inputs, {"y": np.zeros((), np.float32)}, constants, opset=18)
    model = onnx.load(folder / "model.onnx")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, folder / "model.onnx")
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    expected = session.run(None, inputs)[0]
    (folder / "test_data_set_0" / "output_0.pb").write_bytes(numpy_helper.from_array(expected).SerializeToString())
    agrees(folder)


def test_the_indices_of_a_maximum_agree_with_another_engine(tmp_path):
    nodes = [node("MaxPool", ["x"], ["y", "i"], kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])]
    folder = write_case(tmp_path / "case", nodes, {"x": image}, {"y": image, "i": np.array([0])}, opset=12)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    for i, expected in enumerate(session.run(None, {"x": image})):
        data = numpy_helper.from_array(expected).SerializeToString()
        (folder / "test_data_set_0" / f"output_{i}.pb").write_bytes(data)
    agrees(folder)


EMPTY = {
    "a product of nothing": ([node("MatMul", ["x", "w"], ["y"])], np.zeros((2, 0), np.float32),
                             np.zeros((2, 3), np.float32), {"w": np.zeros((0, 3), np.float32)}),
    "no rows": ([node("MatMul", ["x", "w"], ["a"]), node("Relu", ["a"], ["y"])], np.zeros((1, 0, 4), np.float32),
                np.zeros((1, 0, 3), np.float32), {"w": np.ones((4, 3), np.float32)}),
    "a sum of nothing": ([node("ReduceSum", ["x"], ["y"])], np.zeros((0,), np.float32), np.zeros((1,), np.float32), {}),
    "a view of nothing": ([node("Reshape", ["x", "s"], ["y"], allowzero=1)], np.zeros((0, 8, 2), np.float32),
                          np.zeros((4, 0, 3), np.float32), {"s": np.array([4, 0, 3])}),
    "a slice of nothing": ([node("Slice", ["x", "b", "e", "b", "t"], ["y"])], rows, np.zeros((0,), np.float32),
                           {"b": np.array([0]), "e": np.array([2**63 - 1]), "t": np.array([-1])}),
}


@pytest.mark.parametrize("form", EMPTY)
def test_tensors_without_elements_are_right(form, tmp_path):
    nodes, x_value, y_value, constants = EMPTY[form]
    folder = write_case(tmp_path / "case", nodes, {"x": x_value}, {"y": y_value}, constants)
    agrees(folder)


def test_an_open_dimension_may_have_no_elements(tmp_path):
    folder = write_case(tmp_path / "case", [node("MatMul", ["x", "w"], ["y"])], {"x": np.zeros((0, 4), np.float32)},
                        {"y": np.zeros((0, 3), np.float32)}, {"w": np.ones((4, 3), np.float32)},
                        shapes={"x": ["rows", 4], "y": ["rows", 3]})
    agrees(folder)
    assert "f32[0x3]" in succeed("run", folder / "model.onnx", "--shape", "x=0x4", "--check")
