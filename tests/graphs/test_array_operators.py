"""Operators, indices and reductions of values are NumPy's, and shapes that do not fit are named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import ShapeError
from jacobians.graphs import Value


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


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


# --- shapes that do not fit ------------------------------------------------------------------------------


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
