"""A bundle: reproducible, runnable by the command and by a C++ program that knows nothing but whet.h."""

import json
import subprocess

import numpy as np
from conftest import ROOT, WHET, reference, succeed

PROGRAM = r"""
#include <cstdio>
#include <vector>
#include "whet.h"
int main(int, char** argv) {
  whet_model* model = whet_create(argv[1]);
  whet_tensor_info x, y;
  if (!model || whet_input_count(model) != 1 || whet_output_count(model) != 1 ||
      whet_input_info(model, 0, &x) != 0 || whet_output_info(model, 0, &y) != 0) {
    std::fprintf(stderr, "%s\n", whet_last_error());
    return 1;
  }
  std::vector<float> in(x.bytes / 4), out(y.bytes / 4);
  if (std::fread(in.data(), 4, in.size(), stdin) != in.size()) return 2;
  const void* inputs[] = {in.data()};
  void* outputs[] = {out.data()};
  for (int i = 0; i < 3; ++i)
    if (whet_run(model, inputs, outputs) != 0) return 3;
  std::fwrite(out.data(), 4, out.size(), stdout);
  std::fprintf(stderr, "%s %s %d\n", x.name, y.name, (int)y.shape[1]);
  whet_destroy(model);
}
"""


def build_program(bundle, folder):
    (folder / "main.cpp").write_text(PROGRAM)
    (library,) = bundle.glob("lib*.a")
    # A build with sanitizers ships a runtime with sanitizers.
    sanitizers = ["-fsanitize=address,undefined"] if WHET.parent.name == "build-asan" else []
    subprocess.run(["g++", "-std=c++17", *sanitizers, folder / "main.cpp", "-I", bundle, library, "-lpthread", "-ldl",
                    "-o", folder / "program"], check=True, timeout=120)
    return folder / "program"


def test_a_bundle_holds_all_that_ships(bundle):
    names = {path.name for path in bundle.iterdir()}
    assert {"manifest.json", "weights.bin", "whet.h"} <= names
    assert any(name.endswith(".a") for name in names) and any(name.endswith(".so") for name in names)
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert isinstance(manifest, dict) and manifest


def test_the_same_inputs_give_the_same_bytes(model, tuned, bundle, tmp_path):
    again = tmp_path / "bundle"
    succeed("compile", model, "--db", tuned, "-o", again)
    assert sorted(path.name for path in again.iterdir()) == sorted(path.name for path in bundle.iterdir())
    for path in bundle.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_bundle_agrees_with_the_networks_test_data(bundle, test_data):
    succeed("run", bundle, "--test-data", test_data, "--check")


def test_a_bundle_is_benched_and_inspected(bundle, tmp_path):
    succeed("bench", bundle, "--json", tmp_path / "bench.json")
    (result,) = json.loads((tmp_path / "bench.json").read_text())["results"]
    assert 0 < result["min_ms"] <= result["p50_ms"]
    assert "Conv" in succeed("inspect", bundle)


def test_a_network_without_records_compiles_with_default_schedules(model, test_data, tmp_path):
    succeed("compile", model, "-o", tmp_path / "bundle")
    succeed("run", tmp_path / "bundle", "--test-data", test_data, "--check")


def test_a_program_of_a_bundle_needs_no_compiler_and_no_database(bundle, model, x, tmp_path):
    program = build_program(bundle, tmp_path)
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.lower()
    assert not any(name in linked for name in ("halide", "llvm", "sqlite", "xgboost", "onnx"))
    done = subprocess.run([program, bundle], input=x.tobytes(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.decode().split() == ["x", "y", "3"]
    np.testing.assert_allclose(np.frombuffer(done.stdout, np.float32).reshape(1, 3), reference(model, x),
                               rtol=1e-4, atol=1e-5)


def test_a_program_of_a_bundle_says_what_is_wrong_with_it(bundle, tmp_path):
    program = build_program(bundle, tmp_path)
    done = subprocess.run([program, tmp_path / "absent"], input="", capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 1
    assert "absent" in done.stderr and len(done.stderr.splitlines()) == 1


def test_the_quickstarts_program_is_about_ten_lines():
    text = (ROOT / "scripts" / "quickstart_main.cpp").read_text()
    body = text[text.index("int main"):]
    assert len(body.splitlines()) <= 15
