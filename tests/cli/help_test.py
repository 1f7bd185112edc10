"""What the command says about itself."""

import pytest
from conftest import SMALL_TASK, refused, run_whet, succeed

VERBS = ["tune", "compile", "run", "bench", "db", "replay", "inspect", "costmodel", "env", "cache"]
DB_VERBS = ["best", "list", "show", "query", "stats", "curve"]


def test_help_lists_every_verb():
    text = succeed("--help")
    for verb in VERBS:
        assert verb in text


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb):
    assert f"whet {verb}" in succeed(verb, "--help")


@pytest.mark.parametrize("verb", DB_VERBS)
def test_every_question_to_the_database_has_help(verb):
    assert verb in succeed("db", verb, "--help")


def test_help_needs_no_database_and_leaves_nothing_behind(tmp_path):
    succeed("tune", "--help", cwd=tmp_path)
    assert not list(tmp_path.iterdir())


def test_env_describes_the_machine():
    text = succeed("env")
    assert "x86" in text or "aarch64" in text or "arm" in text
    assert "Halide" in text


def test_an_unknown_verb_is_refused():
    refused("sharpen", mentions=["sharpen"])


def test_an_unknown_option_is_refused():
    refused("bench", SMALL_TASK, "--sharpen", mentions=["--sharpen"])


def test_a_missing_argument_is_refused():
    refused("tune")
    refused("compile")
    refused("run")


def test_the_command_alone_says_how_to_go_on():
    done = run_whet()
    assert done.returncode in (0, 1)
    assert "tune" in done.stdout + done.stderr or "--help" in done.stdout + done.stderr
