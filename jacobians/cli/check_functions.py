"""The user's own functions and points for ``jacobians check``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from jacobians.data import read_arrays
from jacobians.errors import DataError

__all__ = ["load_function", "point"]


def load_function(name: str) -> Callable[..., Any]:
    """Import ``MODULE:FUNCTION`` and return it: this runs the module's code.

    Raises
    ------
    DataError
        If the module cannot be imported, or has no such function.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise DataError(f"check: {name!r} is not MODULE:FUNCTION, such as model:loss")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        loaded = importlib.import_module(module)
    except Exception as error:
        raise DataError(f"check: importing {module} raised {type(error).__name__}: {error}") from error
    try:
        found = reduce(getattr, attribute.split("."), loaded)
    except AttributeError:
        names = [n for n, value in vars(loaded).items() if callable(value) and not n.startswith("_")]
        raise DataError(f"check: {module} has no {attribute!r}; it has {', '.join(names) or 'no functions'}") from None
    if not callable(found):
        raise DataError(f"check: {name} is a {type(found).__name__}, and cannot be called")
    return found


def point(at: str | None, shape: str | None, seed: int) -> Any:
    """Return where to check: an array, or a dict of arrays.

    Raises
    ------
    DataError
        Unless exactly one of `at` and `shape` is given, and usable.
    """
    if (at is None) == (shape is None):
        raise DataError("check: give the point by --at FILE.npy, --at FILE.npz or --shape 5,3: one of them")
    if at is not None:
        arrays = read_arrays(at)
        return next(iter(arrays.values())) if Path(at).suffix.lower() == ".npy" else arrays
    try:
        sizes = tuple(int(part) for part in (shape or "").split(",") if part.strip())
    except ValueError:
        raise DataError(f"check: --shape {shape!r} is no list of sizes such as 5,3") from None
    if any(size < 0 for size in sizes):
        raise DataError(f"check: --shape {shape!r} has a negative size")
    return np.random.default_rng(seed).normal(size=sizes)
