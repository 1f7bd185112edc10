"""Halide pipelines from files: tuned, timed, written back as C++ and as an object."""

import random
import subprocess
import sys
from pathlib import Path

import halide as hl
import pytest
from conftest import ROOT, assert_refusal, query, refused, run_whet, succeed

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")


def image_of(width, height, dtype=None):
    image = hl.ImageParam(dtype or hl.UInt(16), 2, "image")
    image.dim(0).set_estimate(0, width)
    image.dim(1).set_estimate(0, height)
    return image


def save(func, path, *extents):
    func.set_estimates([hl.Range(0, extent) for extent in extents])
    hl.serialize_pipeline(hl.Pipeline(func), str(path))
    return path


def blur(path, width=128, height=48):
    image = image_of(width + 2, height + 2)
    across, both = hl.Func("across"), hl.Func("both")
    across[x, y] = (image[x, y] + image[x + 1, y] + image[x + 2, y]) / hl.u16(3)
    both[x, y] = (across[x, y] + across[x, y + 1] + across[x, y + 2]) / hl.u16(3)
    return save(both, path, width, height)


@pytest.fixture(scope="module")
def tuned_blur(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipeline")
    path = blur(folder / "blur.hlpipe")
    text = succeed("tune", "--pipeline", path, "--db", folder / "t.db", "--trials", "6", "-o", folder / "blur",
                   "--progress", "none")
    assert "blur.schedule.h" in text
    return folder


def test_a_pipeline_is_tuned_and_every_candidate_is_checked(tuned_blur):
    rows = query(tuned_blur / "t.db", "SELECT status, max_error FROM records")
    assert len(rows) >= 6 and all(error == 0 for status, error in rows if status == "ok")
    assert sum(status == "ok" for status, _ in rows) >= 3


def test_a_tuned_pipeline_is_timed_and_inspected(tuned_blur):
    assert "record" in succeed("bench", "--pipeline", tuned_blur / "blur.hlpipe", "--db", tuned_blur / "t.db",
                               "--seconds", "0.05")
    assert "across" in succeed("inspect", tuned_blur / "blur.hlpipe")


COMPARISON = r"""
#include "NAME.schedule.h"
#include <cstdio>
using namespace Halide;
Buffer<TYPE> Run(bool scheduled, Buffer<TYPE> image) {
  auto parameters = deserialize_parameters("NAME.hlpipe");
  Pipeline pipeline = deserialize_pipeline("NAME.hlpipe", parameters);
  if (scheduled) pipeline = schedule_NAME(pipeline);
  parameters.at("image").set_buffer(image);
  return pipeline.realize({EXTENTS});
}
int main() {
  Buffer<TYPE> image(IMAGE);
  for (size_t i = 0; i < image.number_of_elements(); ++i) image.data()[i] = static_cast<TYPE>(i * 2654435761u);
  const Buffer<TYPE> plain = Run(false, image), scheduled = Run(true, image);
  for (size_t i = 0; i < plain.number_of_elements(); ++i)
    if (plain.data()[i] != scheduled.data()[i]) return 1;
  std::puts("equal");
}
"""


def schedule_changes_nothing(folder, name, dtype, image, extents):
    """Whether the pipeline of the file computes the same with its written schedule as without."""
    text = COMPARISON
    for word, value in {"NAME": name, "TYPE": dtype, "EXTENTS": extents, "IMAGE": image}.items():
        text = text.replace(word, value)
    (folder / "main.cpp").write_text(text)
    halide = Path(hl.__file__).parent
    libraries = halide / "lib64" if (halide / "lib64").exists() else halide / "lib"
    subprocess.run(["g++", "-std=c++17", "main.cpp", "-I", str(halide / "include"), "-L", str(libraries), "-lHalide",
                    f"-Wl,-rpath,{libraries}", "-o", "main"], cwd=folder, check=True)
    return subprocess.run(["./main"], cwd=folder, check=True, capture_output=True, text=True).stdout == "equal\n"


def test_the_schedule_is_cpp_that_halide_takes(tuned_blur):
    assert schedule_changes_nothing(tuned_blur, "blur", "uint16_t", image="130, 50", extents="128, 48")


def test_a_reduction_along_rows_is_cut_in_parts_and_the_cpp_says_so(tmp_path):
    """Sums along contiguous rows: vectors of partial sums are many times as fast as anything else."""
    image = image_of(1024, 256, hl.UInt(32))
    sums, doubled = hl.Func("sums"), hl.Func("doubled")
    r = hl.RDom([(0, 1024)], "r")
    sums[y] = hl.u32(7)
    sums[y] += image[r.x, y] * image[r.x, y]
    doubled[y] = sums[y] * hl.u32(2)
    save(doubled, tmp_path / "rows.hlpipe", 256)
    succeed("tune", "--pipeline", tmp_path / "rows.hlpipe", "--db", tmp_path / "t.db", "--trials", "24", "-o",
            tmp_path / "rows", "--progress", "none")
    assert ("ok",) in query(tmp_path / "t.db", "SELECT DISTINCT status FROM records WHERE sketch LIKE '%rfactor(sums%'")
    assert "rfactor(" in (tmp_path / "rows.schedule.h").read_text()
    assert schedule_changes_nothing(tmp_path, "rows", "uint32_t", image="1024, 256", extents="256")


def test_the_object_is_called_as_its_header_says(tuned_blur):
    assert "int blur(struct halide_buffer_t *image, struct halide_buffer_t *y);" in (tuned_blur / "blur.h").read_text()
    symbols = subprocess.run(["nm", tuned_blur / "blur.o"], check=True, capture_output=True, text=True).stdout
    assert " T blur\n" in symbols


def test_reductions_boundaries_and_gathers_are_scheduled(tmp_path):
    image = image_of(96, 40, hl.Float(32))
    extended, table, sums, result = (hl.Func(n) for n in ("extended", "table", "sums", "result"))
    r = hl.RDom([(-2, 5)], "r")
    extended[x, y] = image[hl.clamp(x, 0, 95), hl.clamp(y, 0, 39)]
    table[x] = hl.sqrt(hl.f32(x))
    sums[x, y] = hl.f32(0)
    sums[x, y] += extended[x + r.x, y - 1] * hl.f32(r.x)
    result[x, y] = sums[x, y] + table[hl.clamp(hl.i32(extended[x, y] * hl.f32(15)), 0, 15)]
    path = save(result, tmp_path / "gather.hlpipe", 96, 40)
    succeed("tune", "--pipeline", path, "--db", tmp_path / "t.db", "--trials", "5", "--progress", "none")
    statuses = [status for (status,) in query(tmp_path / "t.db", "SELECT status FROM records")]
    assert statuses.count("ok") >= 3 and "wrong_result" not in statuses


def test_a_pipeline_that_cannot_be_scheduled_is_named_with_its_func(tmp_path):
    image = image_of(32, 32, hl.UInt(8))
    histogram = hl.Func("histogram")
    r = hl.RDom([(0, 32), (0, 32)], "r")
    histogram[x] = hl.u32(0)
    histogram[hl.i32(image[r.x, r.y])] += hl.u32(1)
    path = save(histogram, tmp_path / "histogram.hlpipe", 256)
    refused("tune", "--pipeline", path, "--db", tmp_path / "t.db", mentions=[path, "histogram", "update"])


def test_a_pipeline_without_estimates_says_what_is_missing(tmp_path):
    image = hl.ImageParam(hl.UInt(8), 2, "picture")
    f = hl.Func("picture_twice")
    f[x, y] = image[x, y] * hl.u8(2)
    path = tmp_path / "open.hlpipe"
    hl.serialize_pipeline(hl.Pipeline(f), str(path))
    refused("tune", "--pipeline", path, "--db", tmp_path / "t.db", mentions=[path, "picture_twice", "set_estimates"])


def test_what_the_file_leaves_open_is_asked_for_and_taken(tmp_path):
    image, gain = hl.ImageParam(hl.Float(32), 2, "picture"), hl.Param(hl.Float(32), "gain")
    edge, f = hl.Func("edge"), hl.Func("f")
    edge[x, y] = image[hl.clamp(x, 0, image.width() - 1), hl.clamp(y, 0, image.height() - 1)]
    f[x, y] = gain * (edge[x - 1, y] + edge[x + 1, y])
    path = save(f, tmp_path / "open.hlpipe", 64, 32)
    refused("inspect", path, mentions=[path, "gain", "--scalar"])
    refused("inspect", path, "--scalar", "gain=0.5", mentions=["picture", "--shape"])
    refused("inspect", path, "--shape", "picture=64", mentions=["picture"])
    refused("inspect", path, "--shape", "picture=64x32", "--scalar", "gain=much", mentions=["gain=much"])
    succeed("tune", "--pipeline", path, "--shape", "picture=64x32", "--scalar", "gain=0.5", "--db", tmp_path / "t.db",
            "--trials", "3", "--progress", "none")


def test_a_read_beyond_the_input_says_from_where_to_where(tmp_path):
    image = image_of(16, 16)
    f = hl.Func("f")
    f[x, y] = image[x - 1, y + 3]
    path = save(f, tmp_path / "beyond.hlpipe", 16, 16)
    succeed("inspect", path)  # the input is what is read
    refused("inspect", path, "--shape", "image=16x16", mentions=["image", "-1", "clamp"])


def test_damaged_files_are_refused_in_one_sentence(tmp_path):
    good = blur(tmp_path / "blur.hlpipe").read_bytes()
    damaged = tmp_path / "damaged.hlpipe"
    for bad in [b"", b"no pipeline", good[: len(good) // 2], good[:64] + b"\xff" * 64 + good[128:]]:
        damaged.write_bytes(bad)
        refused("inspect", damaged, mentions=[damaged])
    draw = random.Random(5)
    for _ in range(40):
        bad = bytearray(good)
        for _ in range(draw.choice([1, 4, 32])):
            bad[draw.randrange(len(bad))] = draw.randrange(256)
        damaged.write_bytes(bad)
        done = run_whet("inspect", damaged)
        assert done.returncode in (0, 1), done.stderr
        if done.returncode == 1:
            assert_refusal(done, damaged)
    refused("tune", "--pipeline", tmp_path / "none.hlpipe", "--db", tmp_path / "t.db", mentions=["none.hlpipe"])


def test_the_example_pipelines_can_be_read(tmp_path):
    script = ROOT / "scripts" / "halide_pipelines.py"
    subprocess.run([sys.executable, script, "write", tmp_path], check=True, capture_output=True)
    for path in sorted(tmp_path.glob("*.hlpipe")):
        assert "default schedule" in succeed("inspect", path)
    assert len(list(tmp_path.glob("*.hlpipe"))) == 5
