"""Values are written with as arrays are, do not change, and say what is wrong where something is."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import ArgumentError, DomainError, DTypeError, FrozenError, GraphError, LayoutError, ShapeError
from jacobians.graphs import Value
from jacobians.linops import BlockRow, Denominator, Identity, Zero


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


# --- what a value is -----------------------------------------------------------------------------------


def test_values_come_in_the_order_of_their_names() -> None:
    X, b = jac.values(X=[[1, 2], [3, 4]], b=np.float32([1.0, 2.0]))
    assert (X.name, X.shape, X.dtype, X.ndim, X.size) == ("X", (2, 2), np.float64, 2, 4)
    assert (b.name, b.dtype) == ("b", np.float32)
    assert repr(X) == "Value(X: 2×2 float64)"
    assert repr(jac.tanh(X)) == "Value(tanh_2: 2×2 float64)"
    assert repr(jac.tanh(X).named("A")) == "Value(A: 2×2 float64)"


def test_its_array_is_read_only_and_the_callers_is_not_touched() -> None:
    array = numbers(3)
    (v,) = jac.values(v=array)
    for value in (v, v + 1.0, jac.tanh(v), v[0]):
        assert not value.array.flags.writeable
    assert array.flags.writeable


def test_a_value_does_not_change() -> None:
    X, W = jac.values(X=numbers(3, 2), W=numbers(2, 2))
    with pytest.raises(FrozenError, match=r"Value\(X: 3×2 float64\) cannot be written to\. Take np\.where\(mask, new"):
        X[0] = 1.0
    with pytest.raises(FrozenError, match=r"Value\.array does not change"):
        X.array = numbers(3, 2)
    plain = numbers(3, 2)
    with pytest.raises(FrozenError, match=r"add: nothing is written in place where values are; write Z = Z \+ V"):
        plain += X
    with pytest.raises(FrozenError, match=r"multiply: nothing is written in place"):
        np.multiply(X, 2.0, out=plain)
    with pytest.raises(FrozenError, match=r"concatenate: nothing is written in place"):
        np.concatenate([X, X], out=np.empty((6, 2)))
    with pytest.raises(
        FrozenError, match=r"add\.at: nothing is written in place .* put new parts together with np\.con"
    ):
        np.add.at(X, [0], 1.0)
    with pytest.raises(FrozenError, match=r"np\.fill_diagonal: nothing is written in place"):
        np.fill_diagonal(X, 0.0)
    with pytest.raises(FrozenError, match=r"np\.copyto: nothing is written in place"):
        np.copyto(plain, X)
    with pytest.raises(GraphError, match=r"put values together with np\.stack or np\.concatenate, not by writing them"):
        plain[...] = X
    with pytest.raises(GraphError, match=r"does not become an array by itself"):
        np.asarray(W)
    with pytest.raises(ValueError, match="read-only"):
        X.array[0] = 1.0


def test_an_augmented_assignment_makes_a_new_value() -> None:
    (v,) = jac.values(v=numbers(3))
    total = v
    total += v
    assert total is not v
    np.testing.assert_array_equal(total.array, 2 * v.array)


def test_plain_runs_may_branch_on_entries() -> None:
    (v,) = jac.values(v=[1.0, -2.0])
    assert v[0] > 0 > v[1]
    assert (v > 0).tolist() == [True, False]
    for mask in (v >= v, v == [1.0, -2.0], ~(v != v), v < 2, v <= 2):
        assert type(mask) is np.ndarray
        assert mask.all()
    assert (np.array([0.0, 0.0]) < v).tolist() == [True, False]
    assert (float(v[0]), int(v[1]), v[1].item(), bool(v[0]), len(v)) == (1.0, -2, -2.0, True, 2)
    assert [float(part) for part in v] == [1.0, -2.0]
    assert (f"{v[1]:.2f}", f"{v}") == ("-2.00", "Value(v: 2 float64)")
    assert [repr(path) for path in (v * v).named("V").paths(v)] == ["Path(V ← v)", "Path(V ← v)"]
    assert math.isclose(v[0], 1.0)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(v)
    assert {v: 1}[v] == 1


def test_a_graph_is_freed_with_its_last_value() -> None:
    (v,) = jac.values(v=numbers(3))
    kept = weakref.ref(v)
    out = jac.tanh(v) * v
    out.jacobian(v)
    gc.disable()
    try:
        del v, out
        assert kept() is None
    finally:
        gc.enable()


def test_numbers_take_on_the_dtype_of_the_value() -> None:
    (v,) = jac.values(v=np.float32([1.0, 2.0]))
    for out in (v + 1.0, 2 * v, v / 3, 1 - v, v**2, 2.0**v, -v, np.maximum(v, 0.5), np.where(v > 1, v, 0.0)):
        assert out.dtype == np.float32
        assert out.jacobian(v).dtype == np.float32
    assert (v + np.float64(1.0)).dtype == (v.array + np.float64(1.0)).dtype


# --- operators are NumPy's -----------------------------------------------------------------------------

A, B, C, T3 = numbers(3, 2), numbers(2), numbers(3, 1), numbers(2, 3, 4)

EXPRESSIONS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "row": lambda a, b, c, t: a + b,
    "column": lambda a, b, c, t: a * c,
    "outer": lambda a, b, c, t: b - c,
    "quotient": lambda a, b, c, t: a / (b * b + 1.0),
    "reflected": lambda a, b, c, t: 2.0 / (3.0 - a * a * 0.1),
    "power": lambda a, b, c, t: (a * a) ** b,
    "power of 0": lambda a, b, c, t: (a * 0.0) ** np.array([2.0, 1.0]),
    "root": lambda a, b, c, t: (a * a + 1.0) ** 0.5,
    "matrix and vector": lambda a, b, c, t: a @ b,
    "vector and matrix": lambda a, b, c, t: b @ a.T,
    "inner product": lambda a, b, c, t: b @ b,
    "stack and matrix": lambda a, b, c, t: t @ t[0].T,
    "stack and vector": lambda a, b, c, t: t @ t[0, 0],
    "stack and stack": lambda a, b, c, t: t @ np.swapaxes(t, 1, 2),
    "matrix and stack": lambda a, b, c, t: a.T @ t + b @ np.ones((2, 2, 4)),
    "stacks that broadcast": lambda a, b, c, t: t[:, None] @ np.swapaxes(T3, 1, 2),
    "vector and stack": lambda a, b, c, t: c[:, 0] @ t,
    "array and stack": lambda a, b, c, t: C[:, 0] @ t + A[:1].T @ t[:, :1],
    "constant on the left": lambda a, b, c, t: A.T @ a,
    "constant on the right": lambda a, b, c, t: a @ A.T,
    "transposed stack": lambda a, b, c, t: t.T,
    "axes": lambda a, b, c, t: t.transpose(1, 2, 0),
    "axes in a tuple": lambda a, b, c, t: t.transpose((2, 0, 1)),
    "exchanged axes": lambda a, b, c, t: t.swapaxes(-1, -2),
    "moved axis": lambda a, b, c, t: np.moveaxis(t, 0, -1),
    "reshape": lambda a, b, c, t: t.reshape(4, -1),
    "reshape by a tuple": lambda a, b, c, t: t.reshape((3, 8)),
    "np.reshape": lambda a, b, c, t: np.reshape(t, (24,)),
    "ravel": lambda a, b, c, t: t.ravel(),
    "flatten": lambda a, b, c, t: t.flatten(),
    "squeeze": lambda a, b, c, t: t[:1, :, :1].squeeze(),
    "squeeze of an axis": lambda a, b, c, t: t[:1, :, :1].squeeze(axis=-1),
    "method dot": lambda a, b, c, t: a.dot(b),
    "method dot with a constant stack": lambda a, b, c, t: a.dot(np.stack([A.T, A.T])),
    "sum": lambda a, b, c, t: t.sum(),
    "sum of axes": lambda a, b, c, t: t.sum(axis=(0, -1)),
    "sum kept": lambda a, b, c, t: t.sum(axis=1, keepdims=True),
    "mean of all kept": lambda a, b, c, t: t.mean(keepdims=True),
    "np.mean": lambda a, b, c, t: np.mean(t, axis=2),
    "max": lambda a, b, c, t: t.max(axis=1),
    "max of axes": lambda a, b, c, t: t.max(axis=(0, 2), keepdims=True),
    "np.min": lambda a, b, c, t: np.min(t),
    "integer index": lambda a, b, c, t: t[1],
    "negative index": lambda a, b, c, t: t[-1, :, -2],
    "slices": lambda a, b, c, t: t[:, ::2, 3:0:-1],
    "ellipsis": lambda a, b, c, t: t[..., 0],
    "new axes": lambda a, b, c, t: a[:, None, :, None],
    "ellipsis and new axis": lambda a, b, c, t: t[..., None, 1],
    "index array": lambda a, b, c, t: a[[2, 0, 2]],
    "index arrays": lambda a, b, c, t: a[np.array([0, 2]), np.array([1, 1])],
    "mask": lambda a, b, c, t: a[np.array([True, False, True])],
    "mask of a comparison": lambda a, b, c, t: a[a > 0],
    "concatenate": lambda a, b, c, t: np.concatenate([a, c, A], axis=1),
    "concatenate all": lambda a, b, c, t: np.concatenate([a, c, B], axis=None),
    "stack": lambda a, b, c, t: np.stack([b, B, b * b], axis=-1),
    "expand and squeeze": lambda a, b, c, t: np.squeeze(np.expand_dims(b, 0) + c[:1]),
    "side by side": lambda a, b, c, t: np.hstack([a, c]) * 1.0,
    "vectors side by side": lambda a, b, c, t: np.hstack([b, B]),
    "one above another": lambda a, b, c, t: np.vstack([b, a, B]),
    "columns": lambda a, b, c, t: np.column_stack([a[:, 0], c, A]),
    "split": lambda a, b, c, t: np.split(t, 2, axis=-1)[1] * np.split(t, [1, 3], axis=2)[1],
    "variance": lambda a, b, c, t: a.var(axis=0) + np.var(a, axis=0, keepdims=True),
    "deviation": lambda a, b, c, t: np.std(a, axis=0),
    "clip": lambda a, b, c, t: np.clip(a, -0.5, 0.5),
    "where": lambda a, b, c, t: np.where(a > 0, a, c),
    "where with a constant": lambda a, b, c, t: np.where(a > 0, 0.0, a),
    "broadcast_to": lambda a, b, c, t: np.broadcast_to(b, (3, 2)),
    "maximum": lambda a, b, c, t: np.maximum(a, b),
    "minimum of a constant": lambda a, b, c, t: np.minimum(0.1, a),
    "functions": lambda a, b, c, t: np.exp(a) + np.tanh(b) * np.square(a) - np.sqrt(a * a + 1.0),
    "log": lambda a, b, c, t: np.log(a * a + 0.5),
    "abs": lambda a, b, c, t: abs(a) + np.abs(b),
    "negative": lambda a, b, c, t: -a + +b,
    "dot": lambda a, b, c, t: np.dot(a, b),
    "sum in Python": lambda a, b, c, t: sum([b, b * b, 1.0]),
    "sines": lambda a, b, c, t: np.sin(a) + np.cos(b) * np.tan(c),
    "inverse sines": lambda a, b, c, t: np.arcsin(np.tanh(a)) - np.arccos(np.tanh(b)) * np.arctan(c),
    "hyperbolic sines": lambda a, b, c, t: np.sinh(a) - np.cosh(b),
    "inverse hyperbolic sines": lambda a, b, c, t: (
        np.arcsinh(a) + np.arccosh(b * b + 1.5) * np.arctanh(np.tanh(c) * 0.5)
    ),
    "log1p": lambda a, b, c, t: np.log1p(a * a) - np.expm1(b),
    "other bases": lambda a, b, c, t: np.log2(a * a + 0.5) + np.log10(b * b + 1.0) + np.exp2(c),
    "logaddexp": lambda a, b, c, t: np.logaddexp(a, b) + np.logaddexp(0.0, c),
    "polar coordinates": lambda a, b, c, t: np.hypot(a, b) * np.arctan2(c, b),
    "float_power": lambda a, b, c, t: np.float_power(a, 2) + np.fabs(b),
    "running sums": lambda a, b, c, t: np.cumsum(t, axis=1) + np.cumsum(t[::-1], -1),
    "running sum of all": lambda a, b, c, t: np.cumsum(a),
    "running products": lambda a, b, c, t: np.cumprod(t, axis=2),
    "product": lambda a, b, c, t: np.prod(a),
    "product with a zero": lambda a, b, c, t: np.prod(np.where(A > 0.5, 0.0, a), axis=0),
    "products kept": lambda a, b, c, t: np.prod(t, axis=(0, 1), keepdims=True) * np.prod(t, axis=-1, keepdims=True),
    "variance of a sample": lambda a, b, c, t: np.var(t, axis=(0, 2), ddof=1) + np.std(t, -1, ddof=1),
    "average": lambda a, b, c, t: np.average(a) + np.average(a, axis=0, weights=[1.0, 2.0, 3.0]),
    "average by values": lambda a, b, c, t: np.average(a, axis=1, weights=b * b) + np.average(a, weights=A * a),
    "norms": lambda a, b, c, t: np.linalg.norm(a) + np.linalg.norm(a, axis=1) * np.linalg.norm(t, "fro", (0, 2)),
    "other norms": lambda a, b, c, t: (
        np.linalg.norm(b, 1) + np.linalg.norm(a, np.inf, axis=0) - np.linalg.norm(a, -np.inf, 0, keepdims=True)
    ),
    "sorted": lambda a, b, c, t: np.sort(t, axis=1) + np.sort(t),
    "sorted all": lambda a, b, c, t: np.sort(a, axis=None),
    "np.outer": lambda a, b, c, t: np.outer(a, b) - np.outer(c, B).sum(),
    "inner": lambda a, b, c, t: np.inner(a, b) + np.inner(2.0, c[:, 0]),
    "vdot": lambda a, b, c, t: np.vdot(a, A) * np.vdot(b, b),
    "dot of stacks": lambda a, b, c, t: np.dot(a, t[:, :2]) + np.dot(2.0, b[0]),
    "tensordot": lambda a, b, c, t: np.tensordot(t, a, (1, 0)) * np.tensordot(t, a.T, ([0, 1], [0, 1]))[:, None],
    "tensordot of two axes": lambda a, b, c, t: np.tensordot(a, t.transpose(1, 0, 2)),
    "einsum of a product": lambda a, b, c, t: np.einsum("ij,jkl->kil", a, t),
    "einsum of a stack": lambda a, b, c, t: np.einsum("nij,nik->njk", t, t[:, :, 1:]),
    "einsum without an arrow": lambda a, b, c, t: np.einsum("ij,j", a, b) + np.einsum("ba", a).sum(),
    "einsum to a number": lambda a, b, c, t: np.einsum("ij,ij->", a, A),
    "einsum of one": lambda a, b, c, t: np.einsum("iij->ji", t[:, :2]) + np.einsum("ii", t[0, :, :3]),
    "einsum of three": lambda a, b, c, t: np.einsum("ij,j,ik->ki", a, b, c) * np.einsum("ij,j,ik -> i", a, b, a),
    "einsum of outer products": lambda a, b, c, t: np.einsum("i,j->ij", b, c[:, 0]),
    "stacks of columns": lambda a, b, c, t: np.append(a, c, axis=1).sum() + np.append(a, b),
    "flip": lambda a, b, c, t: np.flip(t) + np.flip(t, axis=(0, -1)) * np.flip(t, 1),
    "flip up and sideways": lambda a, b, c, t: np.flipud(a) * np.fliplr(a),
    "roll": lambda a, b, c, t: np.roll(t, 1) + np.roll(t, (1, -1), axis=(0, 2)),
    "rot90": lambda a, b, c, t: np.rot90(a) - np.rot90(a, k=3),
    "tile": lambda a, b, c, t: np.tile(a, (2, 1)) + np.tile(b, 2)[0],
    "repeat": lambda a, b, c, t: np.repeat(a, 2, axis=0)[1:4] - np.repeat(b, [1, 2])[:2],
    "take": lambda a, b, c, t: np.take(t, [2, 0], axis=1) + np.take(a, 3),
    "take_along_axis": lambda a, b, c, t: np.take_along_axis(a, np.array([[1], [0], [1]]), axis=1),
    "delete": lambda a, b, c, t: np.delete(a, 1, axis=0),
    "diagonal": lambda a, b, c, t: np.diag(a) + np.diagonal(t, axis1=0, axis2=2)[0],
    "diagonal matrix": lambda a, b, c, t: np.diag(b, k=1) + np.diag(c[:, 0]) + np.diagflat(c),
    "triangles": lambda a, b, c, t: np.tril(t) + np.triu(a, k=1)[0, 0],
    "trace": lambda a, b, c, t: np.trace(a) + np.trace(t, offset=1, axis1=1, axis2=2),
    "pad": lambda a, b, c, t: np.pad(a, ((1, 0), (0, 2))) + np.pad(b, (2, 0), mode="edge"),
    "differences": lambda a, b, c, t: np.diff(t),
    "moved axes": lambda a, b, c, t: np.moveaxis(t, (0, 1), (-1, 0)) + np.transpose(t, (1, 2, 0)),
    "np.swapaxes": lambda a, b, c, t: np.swapaxes(t, 0, axis2=-1),
    "expanded axes": lambda a, b, c, t: np.expand_dims(a, (0, 2)) * np.squeeze(np.atleast_2d(b), axis=0),
    "copy": lambda a, b, c, t: np.copy(a) * np.atleast_1d(b[0]),
    "clipped below": lambda a, b, c, t: np.clip(a, a_min=b, a_max=None) + np.clip(A + 0.1, None, a),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_is_numpys_and_has_its_derivative(name: str) -> None:
    arrays = {"a": A, "b": B, "c": C, "t": T3}
    values = jac.values(**arrays)
    out, expected = EXPRESSIONS[name](*values), EXPRESSIONS[name](*arrays.values())
    assert isinstance(out, Value)
    np.testing.assert_allclose(out.array, expected, rtol=1e-14)
    assert out.dtype == np.asarray(expected).dtype
    for value, (key, array) in zip(values, arrays.items(), strict=True):
        tangent = numbers(*array.shape, seed=1)
        up, down = (np.asarray(EXPRESSIONS[name](**{**arrays, key: array + s * 1e-6 * tangent})) for s in (1, -1))
        J = out.jacobian(value)
        np.testing.assert_allclose(J.jvp(tangent), (up - down) / 2e-6, atol=1e-7)
        cotangent = numbers(*out.shape, seed=2)
        np.testing.assert_allclose((J.vjp(cotangent) * tangent).sum(), (cotangent * J.jvp(tangent)).sum(), atol=1e-9)


def test_what_is_constant_stays_an_array() -> None:
    (v,) = jac.values(v=[1.0, -2.0])
    for found in (np.sign(v), np.isfinite(v), np.argmax(v), np.zeros_like(v), np.floor(v), np.argsort(v), v > 0):
        assert not isinstance(found, Value)
    assert np.allclose(v, [1.0, -2.0])
    assert np.shape(v) == (2,)


def test_relu_by_maximum_has_no_slope_at_its_kink() -> None:
    (v,) = jac.values(v=[0.0, 1.0, -1.0])
    for out in (np.maximum(v, 0), np.maximum(0, v), jac.relu(v)):
        np.testing.assert_array_equal(out.jacobian(v).diagonal(), [0.0, 1.0, 0.0])


def test_of_equal_entries_the_first_is_the_largest() -> None:
    (v,) = jac.values(v=[2.0, 3.0, 3.0])
    np.testing.assert_array_equal(v.max().gradients(v)[0], [0.0, 1.0, 0.0])


# --- derivatives ---------------------------------------------------------------------------------------


def test_anything_by_anything() -> None:
    X, W, V = jac.values(X=numbers(4, 3), W=numbers(3, 2), V=numbers(2, 2))
    H = jac.relu(X @ W).named("H")
    Z = H @ V
    L = jac.cross_entropy(Z, [0, 1, 1, 0])
    assert Z.jacobian(H).domain == (4, 2)
    assert isinstance(H.jacobian(H), Identity)
    assert L.jacobian(Z).structure == "Row(4×2)"
    np.testing.assert_allclose(L.jacobian("H").gradient, L.jacobian(H).gradient)
    together = L.jacobian(W, "V")
    assert isinstance(together, BlockRow)
    np.testing.assert_allclose(together.gradient, np.concatenate([g.ravel() for g in L.gradients(W, V)]))
    np.testing.assert_allclose(L.gradients(H)[0], L.jacobian(Z).gradient @ V.array.T)


def test_what_does_not_depend_has_a_zero() -> None:
    X, W, V = jac.values(X=numbers(4, 3), W=numbers(3, 2), V=numbers(2, 2))
    H = X @ W
    assert isinstance(H.jacobian(V), Zero)
    assert (H.jacobian(V).codomain, H.jacobian(V).domain) == ((4, 2), (2, 2))
    assert isinstance(X.jacobian(H), Zero)  # an input by what comes of it
    assert H.path_count(V) == 0
    assert not list(H.paths(V))
    L = H.sum()
    assert isinstance(L.jacobian(V), Zero)
    by_v, by_w = L.gradients(V, W)
    np.testing.assert_array_equal(by_v, np.zeros((2, 2)))
    assert by_w.any()
    assert isinstance(L.jacobian(V, W).blocks[0], Zero)


def test_gradients_are_new_arrays() -> None:
    a, b = jac.values(a=numbers(3), b=numbers(3))
    c = a + b
    found = ((c * c).sum() + c.sum()).gradients(a, b, a, c)
    for i, one in enumerate(found):
        one += 1.0
        assert not any(np.shares_memory(one, other) for other in found[:i])
    again = jac.total(a + b).gradients(a, b)
    assert not np.shares_memory(*again)
    L = jac.total(a)
    L.gradients(a)[0][:] = 7.0
    np.testing.assert_array_equal(L.gradients(a)[0], np.ones(3))


def test_paths_are_read_one_by_one() -> None:
    (v,) = jac.values(v=numbers(2))
    w = jac.tanh(v)
    for _ in range(200):
        w = w + jac.tanh(w)
    assert w.path_count(v) == 2**200
    first = next(w.paths(v))
    assert first.factors[0].of == w.name
    assert first.factors[-1].wrt == "v"
    assert str(first).endswith("← v")
    u = (v * jac.exp(v)).named("u")
    direct, around = u.paths(v)
    assert str(direct) == "u ← v"
    assert [factor.label for factor in around.factors] == ["∂u/∂exp_402", "∂exp_402/∂v"]
    (own,) = v.paths(v)
    assert str(own) == "v"
    assert isinstance(own.jacobian, Identity)


def test_a_sum_of_many_uses_keeps_float32_right() -> None:
    """A weight in 5000 steps: its gradient has as many terms, which float32 alone would add with a drift."""
    (w,) = jac.values(w=np.float32(1.0))
    total = sum((w * np.float32(0.1) for _ in range(1, 5000)), w * np.float32(0.1))
    (gradient,) = total.gradients(w)
    assert gradient.dtype == np.float32
    assert abs(float(gradient) - 5000 * float(np.float32(0.1))) < 1e-4


# --- layouts -------------------------------------------------------------------------------------------


def test_jacobians_come_in_the_operations_layout() -> None:
    layout = jac.Layout(vec="F", derivative="denominator")
    X, W, b = numbers(4, 3), numbers(3, 2), numbers(2)
    values = jac.values(X=X, W=W, b=b)
    Z = jac.affine(*values, layout=layout)
    out = jac.sigmoid(Z)
    plain_Z, J1 = jac.affine(X, W, b, layout)
    _, J2 = jac.sigmoid(plain_Z)
    found, expected = out.jacobian("W"), J1.W @ J2
    assert isinstance(found, Denominator)
    assert repr(found) == repr(expected)
    np.testing.assert_array_equal(found.to_dense(), expected.to_dense())
    assert out.jacobian("W", "b").shape == (8, 8)
    mixed = jac.cross_entropy(out, [0, 1, 1, 0])
    with pytest.raises(LayoutError, match=r"affine_3 is in vec order 'F' and denominator layout, cross_entropy_5 in"):
        mixed.jacobian("W")
    assert mixed.gradients("W")[0].shape == (3, 2)  # an array in W's own shape is in no layout


# --- what is wrong -------------------------------------------------------------------------------------


def test_values_of_another_graph_are_refused() -> None:
    (X,) = jac.values(X=numbers(3, 2))
    (W,) = jac.values(W=numbers(2, 2))
    text = r"belong to different graphs; make all inputs in one call, X, W = jac\.values\(X=X, W=W\)"
    for wrong in (lambda: X @ W, lambda: X + W[0], lambda: jac.linear(X, W), lambda: np.concatenate([X, W])):
        with pytest.raises(GraphError, match=text):
            wrong()
    with pytest.raises(GraphError, match=r"jacobian: Value\(W: 2×2 float64\) belongs to another graph than Value\(X"):
        X.jacobian(W)
    assert (X @ W.array).jacobian(X).shape == (6, 6)


def test_a_value_is_its_own_copy_and_is_not_stored() -> None:
    """A copy would be a node that is in no graph: nothing would depend on it."""
    X, W = jac.values(X=numbers(3, 2), W=numbers(2, 2))
    Z = X @ W
    assert copy.copy(Z) is Z
    assert copy.deepcopy([Z, W])[1] is W
    with pytest.raises(GraphError, match=r"pickle: Value\(matmul_2: 3×2 float64\) belongs to its graph, .* \.array"):
        pickle.dumps(Z)


def test_names_are_used_once() -> None:
    X, W = jac.values(X=numbers(3, 2), W=numbers(2, 2))
    Z = X @ W
    with pytest.raises(GraphError, match=r"the name 'X' is used twice in one graph: Value\(X: 3×2 float64\) has it"):
        Z.named("X")
    assert Z.named("Z").named("Z") is Z
    with pytest.raises(FrozenError, match="called 'Z' already"):
        Z.named("Y")
    with pytest.raises(GraphError, match="the name is empty"):
        (X @ W).named("")
    with pytest.raises(GraphError, match=r"values: X is the value .* start a new graph from its numbers, X=X\.array"):
        jac.values(X=X)
    with pytest.raises(GraphError, match=r"values: there is no array; name each one"):
        jac.values()


def test_a_misspelt_name_is_corrected() -> None:
    X, W1 = jac.values(X=numbers(3, 2), W1=numbers(2, 2))
    with pytest.raises(GraphError, match=r"gradients: no value is called 'W_1'; there are X, W1; did you mean 'W1'\?"):
        (X @ W1).sum().gradients("W_1")
    with pytest.raises(GraphError, match=r"plan: no value is called 'w1'; there are X, W1; did you mean 'W1'\?"):
        (X @ W1).plan("w1")
    with pytest.raises(GraphError, match=r"paths: no value is called 'bias'; there are X, W1$"):
        (X @ W1).paths("bias")
    with pytest.raises(GraphError, match=r"jacobian: a value of the graph is needed, or its name; got ndarray"):
        (X @ W1).jacobian(W1.array)
    with pytest.raises(GraphError, match=r"jacobian: with respect to which values\?"):
        (X @ W1).jacobian()
    with pytest.raises(LayoutError, match=r"gradients: Value\(matmul_8: 3×2 float64\) is no scalar"):
        (X @ W1).gradients(W1)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (
            lambda a, b, c: a + a.T,
            r"\+: A has shape \(3, 2\), B has \(2, 3\); they do not broadcast to one shape; the ",
        ),
        (lambda a, b, c: a * c.ravel(), r"one entry for each row would fit as a column: reshape it to \(3, 1\)"),
        (lambda a, b, c: a @ a, r"matmul: A has shape \(3, 2\), B has \(3, 2\); the inner sizes must agree; B's trans"),
        (
            lambda a, b, c: a @ c.ravel(),
            r"matmul: A has shape \(3, 2\), B has \(3,\); A's last axis must be as long as",
        ),
        (lambda a, b, c: a @ 2.0, r"matmul: A has shape \(3, 2\), B has \(\); a number multiplies by \*"),
        (lambda a, b, c: a @ np.ones((4, 3, 2)), r"matmul: A has shape \(3, 2\), B has \(4, 3, 2\); A's last axis"),
        (lambda a, b, c: (a[None] * np.ones((2, 1, 1))) @ np.ones((4, 2, 1)), r"the axes before these must broadcast"),
        (lambda a, b, c: a[3], r"index: X has shape \(3, 2\); index 3 is out of bounds"),
        (lambda a, b, c: a.reshape(4), r"reshape: X has shape \(3, 2\), 6 entries; \(4,\) does not hold as many"),
        (lambda a, b, c: a.reshape(4, -1), r"reshape: X has shape \(3, 2\), 6 entries"),
        (lambda a, b, c: a.sum(axis=2), r"total: X has shape \(3, 2\), which has no axis 2"),
        (lambda a, b, c: a.squeeze(axis=1), r"squeeze: a has shape \(3, 2\); axis=1 is not of length 1"),
        (lambda a, b, c: np.squeeze(a, axis=4), r"squeeze: a has shape \(3, 2\); axis=4 is not of length 1"),
        (lambda a, b, c: a.max(axis=(0, 5)), r"max: X has shape \(3, 2\), which has no axis 5"),
        (
            lambda a, b, c: a.transpose(0, 2),
            r"transpose: the axes \(0, 2\) are not those of an array of shape \(3, 2\)",
        ),
        (
            lambda a, b, c: np.concatenate([a, b]),
            r"concatenate: the arrays have shapes \(3, 2\), \(2,\); they must have an axis 0, and",
        ),
        (lambda a, b, c: np.stack([a, b]), r"stack: the arrays have shapes \(3, 2\), \(2,\); all must have the same"),
        (lambda a, b, c: np.stack([b, b], axis=5), r"stack: arrays of shape \(2,\) have no place for a new axis 5"),
        (lambda a, b, c: np.where(a.array[:2] > 0, a, b), r"where: the mask has shape \(2, 2\), A \(3, 2\), B \(2,\)"),
        (lambda a, b, c: jac.affine(a, a, b), r"affine: X has shape \(3, 2\), batch in rows expects"),
    ],
)
def test_shapes_that_do_not_fit(wrong: Callable[..., Any], text: str) -> None:
    with pytest.raises(ShapeError, match=text):
        wrong(*jac.values(a=A, b=B, c=C))


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (
            lambda a: np.cbrt(a),
            GraphError,
            r"np\.cbrt: no rule is known for its derivative\. Use the library's operations",
        ),
        (lambda a: a.clip(0, 1), AttributeError, r"a\.clip: a value has no clip; write np\.clip\(a, …\)"),
        (lambda a: a.sort(), AttributeError, r"a\.sort: a value has no sort; write np\.sort\(a, …\)"),
        (lambda a: a.argmax(), AttributeError, r"a\.argmax: a value has no argmax; write np\.argmax\(a, …\)"),
        (lambda a: a.astype("float32"), AttributeError, r"a\.astype: .* the inputs: jac\.values\(X=X\.astype\(…\)\)"),
        (lambda a: a.tolist(), AttributeError, r"a\.tolist: a value has no tolist; take a\.array\.tolist, which is"),
        (lambda a: a.fill(0), FrozenError, r"a\.fill: nothing is written in place where values are\. Take np\.where"),
        (lambda a: a.put(0, 1), FrozenError, r"a\.put: nothing is written in place where values are"),
        (lambda a: a.rehsape(6), AttributeError, r"a Value has no attribute 'rehsape'; did you mean 'reshape'\?"),
        (lambda a: np.add.reduce(a), GraphError, r"np\.add\.reduce: no rule is known"),
        (
            lambda a: np.linalg.inv(a),
            GraphError,
            r"np\.linalg\.inv: no rule is known .* take the \.array of each value",
        ),
        (lambda a: np.sum(a, initial=1.0), GraphError, r"np\.sum with initial=: no rule is known"),
        (lambda a: np.exp(a, where=a.array > 0), GraphError, r"np\.exp with where=: no rule is known"),
        (lambda a: np.linalg.norm(a, 2), GraphError, r"np\.linalg\.norm with ord=: no rule is known"),
        (lambda a: np.pad(a, 1, mode="mean"), GraphError, r"np\.pad with mode=: no rule is known"),
        (lambda a: np.diff(a, n=2), GraphError, r"np\.diff with n=: no rule is known"),
        (
            lambda a: np.take(a, a),
            GraphError,
            r"take: where entries go is constant, so only the first argument may be a value; take the \.array",
        ),
        (
            lambda a: np.arcsin(a * 9),
            DomainError,
            r"arcsin: X has the entry .*; a derivative exists only between -1 and",
        ),
        (lambda a: np.hypot(a * 0, 0.0), DomainError, r"hypot: both are 0 in an entry, where no derivative exists"),
        (lambda a: np.prod(a[:0], axis=0), DomainError, r"prod: .* has no entries along axis 0; their product is the"),
        (lambda a: np.einsum("ij", a, a), ArgumentError, r"einsum: the subscripts 'ij' name 2 axes, the operands have"),
        (
            lambda a: np.einsum("ij->ijk", a),
            ArgumentError,
            r"einsum: the subscripts are 'ij->ijk'; expected one letter",
        ),
        (lambda a: np.einsum("...j", a), ArgumentError, r"einsum: the subscripts are '\.\.\.j'; expected one letter"),
        (lambda a: np.einsum("ij,jk", a, a), ShapeError, r"einsum: the operands have shapes \(3, 2\), \(3, 2\); axes"),
        (
            lambda a: np.tensordot(a, a, (0, 5)),
            ShapeError,
            r"tensordot: .* the axes \(0,\) of A and \(5,\) of B are no",
        ),
        (
            lambda a: np.average(a, 0, weights=[1.0, 2.0]),
            ShapeError,
            r"average: a has shape \(3, 2\), the weights \(2,",
        ),
        (lambda a: np.repeat(a, [1, 2], axis=0), ShapeError, r"repeat: X has shape \(3, 2\); operands could not be"),
        (lambda a: a[a], GraphError, r"index: a value cannot be an index, which is constant; take the \.array"),
        (lambda a: (a - 9.0) ** 0.5, DomainError, r"power"),
        (lambda a: (a - 9.0) ** a, DomainError, r"\*\*: A has the entry -.*, and a power of a negative number"),
        (lambda a: a[:0].max(), DomainError, r"max: X has shape \(0, 2\); of no entries none is the largest"),
        (lambda a: jac.cross_entropy(a, a), GraphError, r"cross_entropy: the targets are the value .* Y\.array"),
        (lambda a: jac.squared_error(a, a[:1]), ShapeError, r"squared_error: Y has shape \(1, 2\), X has \(3, 2\)"),
        (lambda a: jac.sigmoid(a, a), TypeError, r"sigmoid"),
    ],
)
def test_what_has_no_rule_is_refused(wrong: Callable[..., Any], error: type[Exception], text: str) -> None:
    (a,) = jac.values(a=A)
    with pytest.raises(error, match=text):
        wrong(a)


def test_values_are_real_numbers() -> None:
    with pytest.raises(DTypeError, match=r"values: X has dtype complex128"):
        jac.values(X=np.ones(2) * 1j)
    with pytest.raises(DTypeError, match=r"values: names has dtype <U1"):
        jac.values(names=["a"])


def test_no_examples() -> None:
    X, W, b = jac.values(X=np.zeros((0, 3)), W=numbers(3, 2), b=numbers(2))
    Z = jac.tanh(X @ W + b)
    assert Z.jacobian(W).shape == (0, 6)
    L = jac.cross_entropy(Z, np.zeros(0, int), reduction="sum")
    np.testing.assert_array_equal(L.gradients(W)[0], np.zeros((3, 2)))
    rows = jac.squared_error(jac.tanh(X @ W) @ W.T, X, reduction="none").jacobian(W)
    assert rows.to_dense().shape == (0, 6)
    assert rows.row_norms().shape == (0,)
    assert Z.max(axis=1).jacobian(W).shape == (0, 6)
