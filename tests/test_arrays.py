"""Arrays at the border: what is accepted, as what, and without needless copies."""

from __future__ import annotations

import re
import sys
from types import ModuleType

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from jacobians import Layout, affine, sigmoid
from jacobians.arrays import as_array, as_float, format_bytes, generator, is_sparse, size_of
from jacobians.errors import ArgumentError, DTypeError, ShapeError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.float64, np.float64),
        (np.float32, np.float32),
        (np.float16, np.float32),
        (np.longdouble, np.longdouble),
        (">f8", np.float64),
        (">f4", np.float32),
        (">f2", np.float32),
        (np.int64, np.float64),
        (np.int8, np.float64),
        (np.uint8, np.float64),
        (bool, np.float64),
    ],
)
def test_dtypes(given: str | type, expected: type) -> None:
    array = np.array([[0, 1], [1, 0]]).astype(given)
    before = array.copy()
    result = as_float(array, "X", "test")
    assert result.dtype == expected
    assert result.dtype.isnative
    np.testing.assert_array_equal(result, [[0, 1], [1, 0]])
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("order", ["C", "F", "strided", "read-only"])
def test_floats_are_not_copied(dtype: type, order: str) -> None:
    array = np.zeros((4, 6), dtype=dtype, order="F" if order == "F" else "C")
    array = array[::2, ::3] if order == "strided" else array
    array.flags.writeable = order != "read-only"
    assert as_float(array, "X", "test") is array


@pytest.mark.parametrize("value", [1, 1.5, True, np.float32(2), [1, 2], ((1.0, 2.0), (3.0, 4.0)), [], range(3)])
def test_numbers_and_sequences(value: object) -> None:
    result = as_float(value, "X", "test")  # type: ignore[arg-type]
    assert type(result) is np.ndarray
    assert result.dtype in (np.float32, np.float64)
    np.testing.assert_array_equal(result, value)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_becomes_an_array() -> None:
    """`*` of np.matrix is a matrix product, and it is never a vector: it must not enter."""
    result = as_float(np.matrix([[1.0, 2.0], [3.0, 4.0]]), "X", "test")
    assert type(result) is np.ndarray
    np.testing.assert_array_equal(result * result, [[1, 4], [9, 16]])


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.zeros(2, dtype=complex), "complex128"),
        (np.array(["1", "2"]), "<U1"),
        (np.array([None, 1.0]), "object"),
        (np.array([b"x"]), "|S1"),
        (np.zeros(2, dtype="datetime64[s]"), "datetime64[s]"),
        (np.zeros(2, dtype=[("a", float)]), "[('a', '<f8')]"),
    ],
)
def test_what_is_no_real_number_is_refused(value: np.ndarray, dtype: str) -> None:
    message = f"affine: W has dtype {dtype}; expected real numbers (float32, float64 or integers)"
    with pytest.raises(DTypeError, match=f"^{re.escape(message)}$"):
        as_float(value, "W", "affine")


def test_size_of() -> None:
    assert (size_of(()), size_of((3,)), size_of((3, 4)), size_of((3, 0, 4))) == (1, 3, 12, 0)
    assert size_of((10**6, 10**6, 10**6)) == 10**18  # in Python's integers, not in the machine's


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1 << 20, "1.0 MiB"),
        (5 << 30, "5.0 GiB"),
        (8 * 10**12, "7.3 TiB"),
        (1 << 50, "1.0 PiB"),
        (1 << 62, "4096.0 PiB"),
    ],
)
def test_format_bytes(count: int, text: str) -> None:
    assert format_bytes(count) == text


def test_what_is_no_array_is_refused_with_what_it_is() -> None:
    _, J = affine(np.ones((4, 3)), np.ones((3, 2)), np.ones(2))
    pair = "a pair of a value and its Jacobian"
    for given, said, mend in (
        (affine(np.ones((4, 3)), np.ones((3, 2)), np.ones(2)), pair, "take the value alone: Z, J = affine"),
        (sigmoid([[1.0]]), pair, "take the value alone: Z, J = affine"),
        ([J.X, J.W], pair, "take the value alone: Z, J = affine"),
        (J, "a Jacobians, a Jacobian", "take the value, which an operation returns first"),
        (J.X, "a Kronecker, a Jacobian", "take the value, which an operation returns first"),
        ({"W1": 1.0, "b1": 2.0}, "a dict of W1, b1", "are two arguments in each other's place?"),
        ("pytorch", "the text 'pytorch'", "is it meant for another argument, such as layout=…?"),
        (Layout(), "a Layout", "is it meant for another argument, such as layout=…?"),
        (as_float, "the function as_float", "is it meant for another argument, such as layout=…?"),
        (Layout, "the class Layout", "is it meant for another argument, such as layout=…?"),
        (None, "None", ""),
    ):
        message = f"affine: W is {said}; expected real numbers{': ' if mend else ''}"
        with pytest.raises(DTypeError, match=re.escape(message)) as caught:
            as_float(given, "W", "affine")  # type: ignore[arg-type]
        assert mend in str(caught.value)


@pytest.mark.parametrize("given", [[[1.0, 2.0], [3.0]], (np.ones(2), np.ones(3))])
def test_a_ragged_list_is_refused(given: object) -> None:
    kind = type(given).__name__
    with pytest.raises(ShapeError, match=f"affine: X is a {kind} of 2 items, whose items have different shapes"):
        as_float(given, "X", "affine")  # type: ignore[arg-type]


def test_a_seed_is_a_generator() -> None:
    expected = np.random.default_rng(7).normal(size=3)
    for seed in (7, np.int64(7), np.random.SeedSequence(7), np.random.PCG64(7), np.random.default_rng(7)):
        assert_array_equal(generator(seed, "test").normal(size=3), expected)
    given = np.random.default_rng(0)
    assert generator(given, "test") is given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "None"),
        ("a", "the text 'a'"),
        ({"W": 1}, "a dict of W"),
        (-1, "-1, and a seed is not negative"),
        (0.5, "a float"),
    ],
)
def test_what_is_no_seed_is_refused(given: object, said: str) -> None:
    message = f"Network.init: rng is {said}; expected a seed, such as 0, or np.random.default_rng(0)"
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
        generator(given, "Network.init")


def test_a_module_that_another_thread_loads_hides_no_array(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("numpy.ma", "scipy.sparse"):  # on the way in, a module is there without its names
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    assert as_array(np.float64(2)).shape == ()
    assert not is_sparse(np.eye(2))
