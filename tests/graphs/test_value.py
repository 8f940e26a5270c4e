"""Values are written with as arrays are, do not change, and say what is wrong where something is."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import jacobians as jac
from jacobians.errors import ArgumentError, DomainError, DTypeError, FrozenError, GraphError, LayoutError, ShapeError
from jacobians.linops import BlockRow, Denominator, Identity, Zero


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


A = numbers(3, 2)


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
    with pytest.raises(FrozenError, match=r"add: a value does not change in place; write Z = Z \+ V"):
        plain += X
    with pytest.raises(FrozenError, match=r"multiply: a value does not change in place; write Z = Z \* V"):
        np.multiply(X, 2.0, out=plain)
    with pytest.raises(FrozenError, match=r"tanh: a value does not change in place; leave out out=$"):
        np.tanh(X, out=plain)
    with pytest.raises(FrozenError, match=r"concatenate: a value does not change in place"):
        np.concatenate([X, X], out=np.empty((6, 2)))
    with pytest.raises(
        FrozenError, match=r"add\.at: a value does not change in place.* put new parts together with np\.con"
    ):
        np.add.at(X, [0], 1.0)
    with pytest.raises(FrozenError, match=r"np\.fill_diagonal: a value does not change in place"):
        np.fill_diagonal(X, 0.0)
    with pytest.raises(FrozenError, match=r"np\.copyto: a value does not change in place"):
        np.copyto(plain, X)
    with pytest.raises(GraphError, match=r"put values together with np\.stack or np\.concatenate, not by writing them"):
        plain[...] = X
    with pytest.raises(GraphError, match=r"does not become an array by itself"):
        np.asarray(W)
    with pytest.raises(ValueError, match="read-only"):
        X.array[0] = 1.0


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
        (lambda a: (a + 3).argmax(), AttributeError, r"v\.argmax: a value has no argmax; write np\.argmax\(v, …\)"),
        (lambda a: special.expit(a), GraphError, r"scipy\.special\.expit: no rule .*; write jac\.sigmoid\(x\)"),
        (lambda a: special.erf(a), GraphError, r"^scipy\.special\.erf: no rule is known"),
        (lambda a: np.linalg.norm(0 * a), DomainError, r"np\.linalg\.norm: a vector is 0, where its norm has no"),
        (lambda a: a.hvp, AttributeError, r"write L\.hessian\(W\)\.jvp\(direction\)"),
        (lambda a: a.gauss_newton, AttributeError, r"write jac\.gauss_newton\(net\.run\(params, X, Y\)\)"),
        (lambda a: a.astype("float32"), AttributeError, r"a\.astype: .* the inputs: jac\.values\(X=X\.astype\(…\)\)"),
        (lambda a: a.tolist(), AttributeError, r"a\.tolist: a value has no tolist; take a\.array\.tolist, which is"),
        (lambda a: a.fill(0), FrozenError, r"a\.fill: a value does not change in place\. Take np\.where"),
        (lambda a: a.put(0, 1), FrozenError, r"a\.put: a value does not change in place"),
        (lambda a: a.rehsape(6), AttributeError, r"a Value has no attribute 'rehsape'; did you mean 'reshape'\?"),
        (lambda a: np.add.reduce(a), GraphError, r"np\.add\.reduce: no rule is known"),
        (
            lambda a: np.linalg.inv(a),
            GraphError,
            r"np\.linalg\.inv: no rule is known .* in jac\.matrix, .* take the \.array of each value",
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
        (lambda a: a[a], GraphError, r"index: an index is constant, and a value is not; take the \.array"),
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
