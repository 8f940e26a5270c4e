"""Elementwise operations at their limits, on every kind of array, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import operations as ops
from jacobians.errors import DomainError, DTypeError
from jacobians.linops import Diagonal
from tests.operations.activation_and_power_cases import CASES, everywhere

INF, NAN = math.inf, math.nan
DTYPES = (np.float32, np.float64)
FUNCTIONS = {
    "sigmoid": ops.sigmoid,
    "tanh": ops.tanh,
    "relu": ops.relu,
    "leaky_relu": lambda Z: ops.leaky_relu(Z, slope=0.125),
    "softplus": ops.softplus,
    "silu": ops.silu,
    "gelu": ops.gelu,
    "exp": ops.exp,
    "log": ops.log,
    "square": ops.square,
    "power 0": lambda Z: ops.power(Z, 0),
    "power 1": lambda Z: ops.power(Z, 1),
    "power 2": lambda Z: ops.power(Z, 2),
    "power 3": lambda Z: ops.power(Z, 3),
    "power 0.1": lambda Z: ops.power(Z, 0.1),
    "power 2.7": lambda Z: ops.power(Z, 2.7),
}

every_function = pytest.mark.parametrize("name", FUNCTIONS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def entries(name: str, *shape: int, dtype: type = np.float64) -> np.ndarray:
    z = np.random.default_rng(1).normal(size=shape)
    return np.asarray(z if CASES[name].domain is everywhere else abs(z), dtype=dtype)


@settings(deadline=None)
@given(z=st.floats(-8, 8), name=st.sampled_from(list(FUNCTIONS)))
def test_derivative_is_the_limit_of_differences(z: float, name: str) -> None:
    if name in ("relu", "leaky_relu"):
        z = math.copysign(max(abs(z), 0.1), z)  # away from the kink
    elif name == "log" or "." in name:
        z = abs(z) + 0.1
    h = 2.0**-17 * max(1, abs(z)) if name != "exp" else 2.0**-17
    function = FUNCTIONS[name]
    (above, _), (below, _), (value, J) = function([z + h]), function([z - h]), function([z])
    scale = max(1.0, abs(float(value[0])), abs(float(J.diagonal()[0])))
    assert abs(float((above - below)[0]) / (2 * h) - J.diagonal()[0]) < 1e-7 * scale


# --- special values ---------------------------------------------------------------------------------

LIMITS = {  # operation: entry → (value, derivative)
    "sigmoid": {-INF: (0, 0), INF: (1, 0), 0.0: (0.5, 0.25)},
    "tanh": {-INF: (-1, 0), INF: (1, 0), 0.0: (0, 1)},
    "relu": {-INF: (0, 0), INF: (INF, 1), 0.0: (0, 0), NAN: (NAN, 0)},
    "leaky_relu": {-INF: (-INF, 0.125), INF: (INF, 1), 0.0: (0, 0.125), NAN: (NAN, 0.125)},
    "softplus": {-INF: (0, 0), INF: (INF, 1), 0.0: (math.log(2), 0.5)},
    "silu": {-INF: (0, 0), INF: (INF, 1), 0.0: (0, 0.5)},
    "gelu": {-INF: (0, 0), INF: (INF, 1), 0.0: (0, 0.5)},
    "exp": {-INF: (0, 0), INF: (INF, INF), 0.0: (1, 1)},
    "log": {INF: (INF, 0), 1.0: (0, 1)},
    "square": {-INF: (INF, -INF), INF: (INF, INF), 0.0: (0, 0)},
    "power 0": {-INF: (1, 0), 0.0: (1, 0), NAN: (1, 0)},
    "power 1": {-INF: (-INF, 1), 0.0: (0, 1), NAN: (NAN, 1)},
    "power 2": {-INF: (INF, -INF), 0.0: (0, 0)},
    "power 3": {-INF: (-INF, INF), 0.0: (0, 0)},
    "power 1.5": {INF: (INF, INF), 0.0: (0, 0)},
    "power 0.5": {INF: (INF, 0)},
    "power -1": {-INF: (0, 0), INF: (0, 0)},
    "power 0.1": {INF: (INF, 0)},
    "power -0.3": {INF: (0, 0)},
}


@every_dtype
@pytest.mark.parametrize("name", LIMITS)
def test_limits_and_nan(name: str, dtype: type) -> None:
    table = {NAN: (NAN, NAN), **LIMITS[name]}
    with np.errstate(all="raise"):
        value, derivative = CASES[name].operation._rule(np.array(list(table), dtype=dtype))
        slope = derivative()
    expected = np.array(list(table.values()), dtype=dtype)
    np.testing.assert_allclose(value, expected[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(slope, expected[:, 1])


def test_overflow_of_the_exact_result_still_warns() -> None:
    with pytest.warns(RuntimeWarning, match="overflow"):
        ops.exp([1000.0])


@pytest.mark.parametrize("slope", [-1.0, 0.0, 0.01, 0.3, 1.0, 2.5, np.float64(0.3), 3])
@every_dtype
def test_leaky_relu_has_its_slope_exactly(slope: float, dtype: type) -> None:
    z = np.array([-INF, -1e30, -2, -0.0, 0, 3, 1e30, INF], dtype=dtype)
    value, J = ops.leaky_relu(z, slope)
    assert value.dtype == J.dtype == dtype
    np.testing.assert_array_equal(J.diagonal(), np.array([slope] * 5 + [1.0] * 3, dtype=dtype))
    products = np.array([-slope * INF if slope else 0.0, -1e30 * slope, -2 * slope, 0, 0, 3, 1e30, INF], dtype=dtype)
    np.testing.assert_allclose(value, products, rtol=1e-6)


def test_leaky_relu_defaults_to_a_hundredth() -> None:
    np.testing.assert_array_equal(ops.leaky_relu([-1.0])[1].diagonal(), [0.01])
    assert ops.LeakyReLU().name == "leaky_relu"
    assert repr(ops.LeakyReLU(0.2)) == "LeakyReLU(slope=0.2)"
    assert repr(ops.Power(3)) == "Power(exponent=3)"


# --- shapes, dtypes, purity -------------------------------------------------------------------------


@every_function
def test_function_form_returns_value_and_diagonal_jacobian(name: str) -> None:
    z = entries(name, 3, 4)
    value, J = FUNCTIONS[name](z)
    assert isinstance(J, Diagonal)
    assert value.shape == z.shape == J.domain == J.codomain
    tangent = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(J.jvp(tangent), J.diagonal().reshape(3, 4) * tangent)
    np.testing.assert_array_equal(J.diagonal("F"), J.diagonal("C").reshape(3, 4).flatten("F"))


@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (3, 0, 2), (2, 3, 4, 5)])
@every_dtype
@every_function
def test_any_shape_and_float32_stays_float32(name: str, dtype: type, shape: tuple[int, ...]) -> None:
    z = entries(name, *shape, dtype=dtype)
    value, derivative = CASES[name].operation._rule(z)
    for result in (value, derivative()):
        assert type(result) is np.ndarray
        assert result.shape == shape
        assert result.dtype == dtype


def test_other_real_dtypes_are_converted_and_the_rest_refused() -> None:
    assert ops.sigmoid([[True, False]])[0].dtype == np.float64
    assert ops.square(np.array([3, -4]))[0].tolist() == [9.0, 16.0]
    assert ops.tanh(np.array([1], dtype=np.float16))[0].dtype == np.float32
    with pytest.raises(DTypeError, match="sigmoid: X has dtype complex128; expected real numbers"):
        ops.sigmoid([1j])


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="extended precision is float64 here")
@every_function
def test_extended_precision_is_kept_or_refused(name: str) -> None:
    z = entries(name, 3).astype(np.longdouble)
    if name == "gelu":
        with pytest.raises(DTypeError, match=r"gelu: X has dtype .*128, .*; pass X.astype\(np.float64\)"):
            ops.gelu(z)
    else:
        value, J = FUNCTIONS[name](z)
        assert value.dtype == J.dtype == np.longdouble


def layouts(z: np.ndarray) -> dict[str, np.ndarray]:
    frozen = z.copy()
    frozen.flags.writeable = False
    wide = np.zeros((2 * z.shape[0], 3 * z.shape[1]), dtype=z.dtype)
    wide[::2, ::3] = z
    return {
        "F": np.asfortranarray(z),
        "read-only": frozen,
        "strided": wide[::2, ::3],
        "reversed": z[::-1, ::-1][::-1, ::-1],
    }


@every_dtype
@every_function
def test_memory_order_does_not_matter_and_nothing_is_written_or_shared(name: str, dtype: type) -> None:
    z = entries(name, 5, 7, dtype=dtype)
    rule = CASES[name].operation._rule
    value, derivative = rule(z)
    slope = derivative()
    for order, array in layouts(z).items():
        got, derive = rule(array)
        kept = got.copy()
        first, second = derive(), derive()
        np.testing.assert_array_equal(array, z, err_msg=order)
        np.testing.assert_allclose(got, value, rtol=1e-5 if dtype is np.float32 else 1e-14)
        np.testing.assert_allclose(first, slope, rtol=1e-4 if dtype is np.float32 else 1e-13)
        np.testing.assert_array_equal(first, second)
        results = [array, got, first, second]
        assert not any(np.shares_memory(a, b) for i, a in enumerate(results) for b in results[:i])
        got[:] = NAN
        np.testing.assert_array_equal(derive(), first, err_msg="the derivative reads the value that was handed out")
        np.testing.assert_array_equal(rule(array)[0], kept)


@every_function
def test_twice_the_same_bits(name: str) -> None:
    z = entries(name, 8, 3)
    assert FUNCTIONS[name](z)[0].tobytes() == FUNCTIONS[name](z)[0].tobytes()


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda: ops.log([[1.0, 2.0], [0.5, -3.0]]),
            r"log: the entry -3\.0 at index \(1, 1\) is outside the domain, entries > 0; add an epsilon, or clip",
        ),
        (lambda: ops.log(0.0), r"log: the entry 0\.0 at index \(\) .* add an epsilon, or clip"),
        (lambda: ops.log([NAN, -0.0, -1.0]), r"log: the entry -0\.0 at index \(1,\)"),
        (
            lambda: ops.power([1.0, -2.0, -3.0], 0.5),
            r"power: the entry -2\.0 at index \(1,\) has no real power 0\.5; take abs first, or an integer exponent",
        ),
        (
            lambda: ops.power([[4.0], [0.0]], 0.5),
            r"power: the entry 0\.0 at index \(1, 0\) has an infinite derivative at exponent 0\.5; "
            "add an epsilon, or clip",
        ),
        (lambda: ops.power([-0.0], -1), r"power: the entry -0\.0 at index \(0,\) has an infinite derivative"),
        (lambda: ops.power([1.0], INF), r"power: exponent=inf is not finite; take a number such as 2"),
        (lambda: ops.leaky_relu([1.0], NAN), r"leaky_relu: slope=nan is not finite; take a number such as 0\.01"),
    ],
)
def test_refusals_say_where_and_what_to_do(function, message: str) -> None:
    with pytest.raises(DomainError, match=message):
        function()
