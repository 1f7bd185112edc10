"""The kinds of faults that scripts/inject_faults injects, and how each of them may end."""

import dataclasses
import random


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    share: int  # of 200 injections
    place: str  # where it is taken: a place of tests/fault/inject.h, or "outside" for what this program does itself
    action: str  # as the log calls it
    rows: tuple = ()  # statuses that the candidate's row may have
    sentence: str = ""  # or what the sentence says with which the run stops


KINDS = [
    Kind("compiler or linker crashes", 26, "compile", "crash", ("compile_crash", "compile_error")),
    Kind("compiler or linker hangs", 8, "compile", "hang", ("compile_timeout",)),
    Kind("compiler or linker allocates", 14, "compile", "bomb", ("out_of_memory", "compile_error")),
    Kind("scratch disk full", 10, "compile", "full", ("compile_error", "compile_crash")),
    Kind("kernel crashes", 24, "run", "crash", ("run_crash",)),
    Kind("kernel hangs", 8, "run", "hang", ("run_timeout",)),
    Kind("kernel allocates", 14, "run", "bomb", ("out_of_memory",)),
    Kind("kernel computes wrong numbers", 28, "run", "wrong", ("wrong_result",)),
    Kind("reference crashes", 5, "reference", "crash", (), "the reference of"),
    Kind("child killed", 16, "outside", "kill-child", ("out_of_memory",), "the reference of"),
    Kind("worker killed", 16, "outside", "kill-worker", (), "does not get ready"),
    Kind("database disk full", 7, "database", "full", (), "disk is full"),
    Kind("database locked", 12, "outside", "lock", (), "keeps the database locked"),
    Kind("clock stepped", 12, "outside", "step"),
]
PLACES = ["clock", "compile", "run", "reference", "database"]  # as in tests/fault/inject.h
ACTIONS = ["", "crash", "hang", "bomb", "wrong", "full"]


def kind_of(action, place):
    """The kind of a line of the log."""
    for kind in KINDS:
        if kind.action == action and kind.place in (place, "outside"):
            return kind
    return None


def shares(count):
    """How many of each kind: as the shares say, at least one of each."""
    total = sum(kind.share for kind in KINDS)
    exact = {kind.name: count * kind.share / total for kind in KINDS}
    numbers = {name: max(1, int(number)) for name, number in exact.items()}
    by_rest = sorted(exact, key=lambda name: numbers[name] - exact[name])
    for name in by_rest * count:
        if sum(numbers.values()) >= count:
            break
        numbers[name] += 1
    return numbers


def left_to_inject(count, injected, seed):
    """The kinds that are still due, in random order; `injected`: how many there were of each, by name."""
    due = [kind for kind in KINDS for _ in range(shares(count)[kind.name] - injected.get(kind.name, 0))]
    random.Random(seed).shuffle(due)
    return due
