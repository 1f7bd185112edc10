"""Elements of random tensors: which numbers they hold, by kind.

A kind is a class of values; the first kinds are the simplest. A role narrows what a tensor may hold where an operator
has no defined result for the rest, or where a sum of terms of every magnitude says nothing.
"""

from __future__ import annotations

import numpy as np

# Kinds of floats, and how often each is drawn where anything goes.
FLOAT_KINDS = {"small": 2, "normal": 4, "ties": 1, "equal": 1, "positive": 1, "large mean": 1, "specials": 3,
               "infinities": 1, "nan": 1, "denormals": 1, "dynamic": 1}
TAME = ("small", "normal", "ties", "equal", "positive", "large mean")  # finite, of similar magnitude
INT_KINDS = {"small": 3, "zeros": 1, "ties": 1, "extremes": 1}
BOOL_KINDS = {"small": 3, "all true": 1, "all false": 1}


def kinds_of(dtype: np.dtype, role: str, tame: bool) -> dict[str, float]:
    """The kinds that a tensor of this type and role may have, with their weights."""
    if dtype == np.bool_:
        return dict(BOOL_KINDS)
    if dtype.kind in "iu":
        return dict(INT_KINDS) if role == "any" and not tame else {"small": 3, "zeros": 1}
    if role == "variance":
        return {"positive": 1}
    if tame or role == "bounds":  # ONNX Runtime's Clip heeds a NaN or not
        return {kind: FLOAT_KINDS[kind] for kind in TAME}
    if role == "weights":  # that meet zeros beside an image: an infinity makes NaN of them or is left out
        return {kind: FLOAT_KINDS[kind] for kind in (*TAME, "denormals", "dynamic")}
    if role == "terms":  # of sums: most often tame, else the sum is NaN or of one term
        return {kind: weight * (4 if kind in TAME else 1) for kind, weight in FLOAT_KINDS.items()}
    return dict(FLOAT_KINDS)


def make(kind: str, role: str, dtype: np.dtype, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """An array of this kind; the same seed makes the same one."""
    return np.asarray(_make(kind, role, dtype, shape, seed))


def _make(kind: str, role: str, dtype: np.dtype, shape: tuple[int, ...], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if dtype == np.bool_:
        values = {"all true": np.ones(shape), "all false": np.zeros(shape)}.get(kind, rng.integers(0, 2, shape))
        return np.asarray(values).astype(np.bool_)
    if dtype.kind in "iu":
        return _integers(kind, role, dtype, shape, rng)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        values = np.asarray(_floats(kind, role, shape, rng)).astype(dtype)
    return np.abs(values) if role == "variance" else values


def _integers(kind: str, role: str, dtype: np.dtype, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    low = 0 if dtype.kind == "u" else -9
    if role == "divisor":  # no zero; and no -1, by which the smallest number cannot be divided
        choice = np.array([1, 2, 3, 5, 7] if low == 0 else [1, 2, 3, 7, -2, -3, -5])
        return np.asarray(rng.choice(choice, shape)).astype(dtype)
    if kind == "zeros":
        return np.zeros(shape, dtype)
    if kind == "ties":
        return np.asarray(rng.integers(max(low, -1), 2, shape)).astype(dtype)
    if kind == "extremes":
        info = np.iinfo(dtype)
        return rng.choice(np.array([info.min, info.max, info.max - 1, 0, 1], dtype), shape)
    return np.asarray(rng.integers(low, 10, shape)).astype(dtype)


def _specials(dtype_values: list[float], share: float, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Normal numbers, a share of which is replaced by one of the list."""
    values = np.asarray(rng.standard_normal(shape))
    return np.where(rng.random(shape) < share, rng.choice(np.array(dtype_values, np.float32), shape), values)


def _floats(kind: str, role: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if kind == "small":
        return np.asarray(rng.integers(-3, 4, shape))
    if kind == "ties":
        return np.asarray(rng.integers(-6, 7, shape) / 2)
    if kind == "equal":
        return np.full(shape, np.float32(rng.integers(-8, 9) / 4))
    if kind == "positive":
        return np.asarray(rng.random(shape) * 4 + 0.1)
    if kind == "large mean":
        return np.asarray(1000 + rng.standard_normal(shape))
    if kind == "specials":
        return _specials([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -3e-41, 3.4e38, 1.2e-38, 88.5, -104.0, 0.5, 1.0],
                         0.5, shape, rng)
    if kind == "infinities":
        return _specials([np.inf, -np.inf], 0.3, shape, rng)
    if kind == "nan":
        return _specials([np.nan], 0.2, shape, rng)
    if kind == "denormals":
        return _specials([1e-45, -1e-45, 1e-40, -1e-39, 0.0, -0.0], 0.7, shape, rng)
    if kind == "dynamic":
        exponents = rng.uniform(-40, 40, shape) if role in ("terms", "weights") else rng.uniform(-126, 127, shape)
        return (rng.choice(np.array([-1.0, 1.0]), shape) * np.exp2(exponents))
    return np.asarray(rng.standard_normal(shape))
