"""Calls of the caller's functions: counted, quiet about overflow far from x, and failures told in a sentence."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["CallFailedError", "Calls"]


class CallFailedError(Exception):
    """A caller's function raised; the text names it, the error and the last line of the caller's own code."""


class Calls:
    """A caller's function that counts its calls and turns what it raises into `CallFailedError`.

    Parameters
    ----------
    function : callable
    name : str
        What it is called in reports, such as ``fun``.
    """

    def __init__(self, function: Callable[[Any], Any], name: str) -> None:
        self._function = function
        self.name = name
        self.count = 0

    def __call__(self, argument: Any) -> Any:
        """Return the function's value; floating-point warnings far from x are nobody's mistake and stay silent."""
        self.count += 1
        try:
            with np.errstate(all="ignore"):
                return self._function(argument)
        except Exception as error:  # whatever it is becomes part of the verdict
            raise CallFailedError(_summary(self.name, error)) from error


def _summary(name: str, error: BaseException) -> str:
    message = " ".join(str(error).split())
    message = f": {message[:160]}" if message else ""
    package = Path(__file__).parents[1]
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename and package not in Path(f.filename).parents]
    own = [f for f in own if not f.filename.startswith("<frozen")]
    if not own:
        return f"{name} raised {type(error).__name__}{message}"
    last = own[-1]
    return (
        f"{name} raised {type(error).__name__}{message} (in {last.name}, {Path(last.filename).name} line {last.lineno})"
    )
