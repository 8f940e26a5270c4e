"""The errors: one clause catches them all, and each is what Python's own code expects in its place."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import jacobians
from jacobians import errors
from jacobians.linops import Identity

ALSO = {
    "ArgumentError": TypeError,
    "FormulaError": ValueError,
    "DTypeError": TypeError,
    "DataError": ValueError,
    "DomainError": ValueError,
    "FrozenError": AttributeError,
    "GraphError": ValueError,
    "JacobiansError": ValueError,
    "LayoutError": ValueError,
    "MissingExtraError": ImportError,
    "RecordingError": ValueError,
    "ShapeError": ValueError,
    "TooLargeError": MemoryError,
}


def test_every_error_is_listed() -> None:
    found = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert sorted(found) == sorted(errors.__all__) == sorted(ALSO)


@pytest.mark.parametrize(("name", "base"), ALSO.items())
def test_every_error_is_a_value_error_and_its_own_kind(name: str, base: type[Exception]) -> None:
    error = getattr(errors, name)
    assert issubclass(error, (jacobians.JacobiansError, ValueError))
    assert issubclass(error, ValueError)
    assert issubclass(error, base)
    assert error.__doc__
    with pytest.raises(jacobians.JacobiansError, match=r"^what went wrong$"):
        raise error("what went wrong")


def test_nothing_large_is_allocated_before_the_error() -> None:
    with pytest.raises(MemoryError, match=r"7\.3 TiB dense, over the limit of 1\.0 GiB; use jvp, vjp, to_sparse"):
        Identity((1_000_000,), np.dtype(np.float64)).to_dense()
