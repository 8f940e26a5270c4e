"""The operations of a graph's operators keep the laws that every operation keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians.graphs.elementary import (
    Arccos,
    Arccosh,
    Arcsin,
    Arcsinh,
    Arctan,
    Arctan2,
    Arctanh,
    Cos,
    Cosh,
    Expm1,
    Hypot,
    Log1p,
    LogAddExp,
    Sin,
    Sinh,
    Tan,
)
from jacobians.graphs.rearranging import Extreme, Indexed, Joined, Moved, Permuted
from jacobians.graphs.targets import WithTargets
from jacobians.operations import CrossEntropy, Operation, SquaredError
from jacobians.operations.broadcasting import Choice, Divided, Minus, Plus, Raised, Times
from jacobians.testing import assert_operation_laws


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


A, ROW, COLUMN, CUBE = numbers(4, 3), numbers(3), numbers(4, 1), numbers(2, 3, 4)
MASK = numbers(4, 3, seed=9) > 0

CASES: dict[str, tuple[Operation, list[Any], dict[str, Any]]] = {
    "a sum": (Plus(), [A, A + 1], {"axes": (0, 0), "out_axis": 0}),
    "a sum with a row": (Plus(), [A, ROW], {"axes": (0, None), "out_axis": 0}),
    "a difference from a column": (Minus(), [COLUMN, A], {"axes": (0, 0), "out_axis": 0}),
    "an outer difference": (Minus(), [COLUMN, ROW], {"axes": (0, None), "out_axis": 0}),
    "a product": (Times(), [A, A * 2], {"axes": (0, 0), "out_axis": 0}),
    "a product with a number": (Times(), [A, np.array(2.0)], {"axes": (0, None), "out_axis": 0}),
    "a product with a row": (Times(), [ROW, A], {"axes": (None, 0), "out_axis": 0}),
    "a product of higher rank": (Times(), [CUBE, CUBE[:, :1]], {"axes": (0, 0), "out_axis": 0}),
    "a product in the middle": (Times(), [CUBE, CUBE[0, :, :1]], {"axes": (0, None), "out_axis": 0}),
    "a quotient": (Divided(), [A, abs(A) + 0.5], {"axes": (0, 0), "out_axis": 0}),
    "a quotient of a row": (Divided(), [ROW, abs(A) + 0.5], {"axes": (None, 0), "out_axis": 0}),
    "a power": (Raised(), [abs(A) + 0.5, ROW], {"axes": (0, None), "out_axis": 0}),
    "a choice": (Choice(MASK), [A, A * 2], {}),
    "a choice of a row": (Choice(MASK), [ROW, A], {}),
    "a slice": (Indexed((slice(None), slice(1, None))), [A], {"axes": (0,), "out_axis": 0}),
    "a row": (Indexed(1), [A], {}),
    "a column and a new axis": (Indexed((slice(None), 1, None)), [A], {"axes": (0,), "out_axis": 0}),
    "rows by their numbers": (Indexed(np.array([3, 0, 3])), [A], {}),
    "permuted axes": (Permuted((0, 2, 1)), [CUBE], {"axes": (0,), "out_axis": 0}),
    "the largest": (Extreme("max", 1), [A], {"axes": (0,), "out_axis": 0, "integers": False}),
    "the smallest of all": (Extreme("min"), [A], {"integers": False}),
    "joined features": (Joined(3, 1), [A, COLUMN, A], {"axes": (0, 0, 0), "out_axis": 0}),
    "joined examples": (Joined(2, 0), [A, ROW[None]], {}),
    "rolled features": (Moved(lambda X: np.roll(X, 1, axis=1), "roll"), [A], {"axes": (0,), "out_axis": 0}),
    "repeated features": (Moved(lambda X: np.repeat(X, 2, axis=1), "repeat"), [A], {"axes": (0,), "out_axis": 0}),
    "a triangle": (Moved(np.tril, "tril"), [A], {}),
    "a diagonal among zeros": (Moved(lambda X: np.diag(X, 1), "diag"), [ROW], {}),
    **{
        made.name: (made, [np.tanh(A) * 0.9], {"axes": (0,), "out_axis": 0, "integers": False})
        for made in (Sin(), Cos(), Tan(), Arcsin(), Arccos(), Arctan(), Sinh(), Cosh(), Arcsinh(), Arctanh(), Expm1())
    },
    "arccosh": (Arccosh(), [A * A + 1.5], {"axes": (0,), "out_axis": 0}),
    "log1p": (Log1p(), [A * A - 0.5], {"axes": (0,), "out_axis": 0, "integers": False}),
    "a sum of exponentials": (LogAddExp(), [A, ROW], {"axes": (0, None), "out_axis": 0}),
    "a hypotenuse": (Hypot(), [A, COLUMN], {"axes": (0, 0), "out_axis": 0, "integers": False}),
    "an angle": (Arctan2(), [A, ROW], {"axes": (0, None), "out_axis": 0, "integers": False}),
    "a loss": (WithTargets(CrossEntropy(), [0, 1, 2, 1]), [A], {}),
    "losses": (WithTargets(SquaredError(0.5, "none"), A.round()), [A + 0.3], {}),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_laws(name: str, dtype: str) -> None:
    operation, arrays, laws = CASES[name]
    assert_operation_laws(operation, [a.astype(dtype) for a in arrays], **laws)
