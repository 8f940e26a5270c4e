"""What every structured Jacobian keeps: one function a law, taking an operator and its dense twin.

The twin is the numerator's matrix in C order. Tests put every case through every law, and every law is shown to
catch an operator that breaks it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from jacobians.errors import DTypeError, LayoutError, ShapeError, TooLargeError
from jacobians.linops import Denominator, Jacobian
from tests.linops.row_laws import ROW_LAWS
from tests.linops.tools import actions_of, draw, images, matrix_of, same
from tests.linops.twins import permutation
from tests.linops.writing_laws import dense_into, examples_apart

Law = Callable[[Jacobian, np.ndarray], None]

STACKS: list[tuple[int, ...]] = [(), (2,), (3, 2), (0,), (2, 0)]
ORDERS = (None, "C", "F")


def dense_twin(operator: Jacobian, twin: np.ndarray) -> None:
    """`to_dense` is the twin in either order, a new array of the stated shape and dtype."""
    for order in ORDERS:
        matrix = operator.to_dense(order)
        assert type(matrix) is np.ndarray, f"to_dense: returns {type(matrix).__name__}"
        assert matrix.shape == operator.shape, f"to_dense: {matrix.shape}, stated {operator.shape}"
        assert matrix.dtype == operator.dtype, f"to_dense: {matrix.dtype}, stated {operator.dtype}"
        same(matrix, matrix_of(operator, twin, order), what=f"to_dense({order!r})")
        if order is not None:
            tagged = operator.ordered(order)
            same(tagged.to_dense(), matrix, what=f"ordered({order!r}).to_dense()")
            same(tagged.to_dense("C"), operator.to_dense("C"), what="to_dense('C') of an ordered one")


def vec_permutes(operator: Jacobian, twin: np.ndarray) -> None:
    """to_dense("F") = P·to_dense("C")·Qᵀ, and no action depends on the order."""
    p, q = permutation(operator.codomain), permutation(operator.domain)
    if isinstance(operator, Denominator):
        p, q = q, p
    same(operator.to_dense("F"), p @ operator.to_dense("C") @ q.T, operator.dtype, "P C Qᵀ")
    tangent, cotangent = draw(*operator.domain), draw(*operator.codomain)
    for order in ("C", "F"):
        tagged = operator.ordered(order)
        same(tagged.jvp(tangent), operator.jvp(tangent), operator.dtype, f"jvp in order {order}")
        same(tagged.vjp(cotangent), operator.vjp(cotangent), operator.dtype, f"vjp in order {order}")


def acts_as_twin(operator: Jacobian, twin: np.ndarray) -> None:
    """jvp and vjp are the twin times vec, in natural shapes, on single arrays and on stacks of any rank."""
    for stack in STACKS:
        tangent = draw(*stack, *operator.domain, dtype=operator.dtype)
        same(operator.jvp(tangent), images(operator, twin, tangent), operator.dtype, f"jvp on a stack {stack}")
        cotangent = draw(*stack, *operator.codomain, dtype=operator.dtype)
        expected = images(operator, twin, cotangent, back=True)
        same(operator.vjp(cotangent), expected, operator.dtype, f"vjp on a stack {stack}")


def adjoint(operator: Jacobian, twin: np.ndarray) -> None:
    """⟨c, J t⟩ = ⟨Jᵀ c, t⟩."""
    for seed in range(3):
        tangent, cotangent = draw(*operator.domain, seed=seed), draw(*operator.codomain, seed=seed + 10)
        image, pulled = operator.jvp(tangent), operator.vjp(cotangent)
        bound = max(np.linalg.norm(image) * np.linalg.norm(cotangent), 1.0)
        difference = np.sum(cotangent * image) - np.sum(pulled * tangent)
        assert abs(difference) <= 400 * np.finfo(operator.dtype).eps * bound, f"adjoint: off by {difference:.3g}"


def transpose_is_transpose(operator: Jacobian, twin: np.ndarray) -> None:
    """J.T exchanges shapes and actions, J.T.T is J, and both keep the vec order."""
    turned = operator.T
    stated = (turned.codomain, turned.domain, turned.dtype, turned.shape)
    expected = (operator.domain, operator.codomain, operator.dtype, operator.shape[::-1])
    assert stated == expected, f"T: {stated}, expected {expected}"
    for order in ORDERS:
        same(turned.to_dense(order), matrix_of(operator, twin, order).T, what="T.to_dense")
        same(turned.T.to_dense(order), matrix_of(operator, twin, order), what="T.T.to_dense")
    for order in ("C", "F"):
        tagged = operator.ordered(order)
        assert tagged.T.order == tagged.order, f"T: order {tagged.T.order}, not {tagged.order}"
    tangent, cotangent = draw(*operator.domain), draw(*operator.codomain)
    same(turned.jvp(cotangent), operator.vjp(cotangent), operator.dtype, "T.jvp")
    same(turned.vjp(tangent), operator.jvp(tangent), operator.dtype, "T.vjp")


def vectors(operator: Jacobian, twin: np.ndarray) -> None:
    """matvec, rmatvec, matmat, rmatmat and `@` are the matrix of the operator's order times a vector or matrix."""
    for order in ORDERS:
        tagged = operator if order is None else operator.ordered(order)
        matrix = matrix_of(operator, twin, order)
        rows, columns = matrix.shape
        for k in (1, 3, 0):
            x, y = draw(columns, k), draw(rows, k)
            same(tagged.matmat(x), matrix @ x, operator.dtype, f"matmat {order}")
            same(tagged.rmatmat(y), matrix.T @ y, operator.dtype, f"rmatmat {order}")
            same(tagged @ x, matrix @ x, operator.dtype, f"J @ matrix {order}")
            same(y.T @ tagged, y.T @ matrix, operator.dtype, f"matrix @ J {order}")
        x, y = draw(columns), draw(rows)
        for action, given, expected in (
            (tagged.matvec, x, matrix @ x),
            (tagged.rmatvec, y, matrix.T @ y),
            (tagged.matvec, x[:, None], matrix @ x[:, None]),
            (tagged.rmatvec, y[:, None], matrix.T @ y[:, None]),
            (tagged.__matmul__, x, matrix @ x),
            (tagged.__rmatmul__, y, y @ matrix),
        ):
            same(action(given), expected, operator.dtype, f"{action.__name__} {order}")
        same(x @ tagged.T, matrix @ x, operator.dtype, "x @ J.T")


def sparse_view(operator: Jacobian, twin: np.ndarray) -> None:
    """`to_sparse` is the twin as a new CSR array in either order."""
    for order in ORDERS:
        view = operator.to_sparse(order)
        assert isinstance(view, csr_array), f"to_sparse: returns {type(view).__name__}"
        assert view.dtype == operator.dtype, f"to_sparse: {view.dtype}, stated {operator.dtype}"
        same(view.toarray(), matrix_of(operator, twin, order), what=f"to_sparse({order!r})")
        parts = (view.data, view.indices, view.indptr)
        assert not any(np.shares_memory(p, a) for p in parts for a in operator.arrays), "to_sparse: shares memory"
        if order is not None:
            same(operator.ordered(order).to_sparse().toarray(), view.toarray(), what="ordered to_sparse")


def diagonal_view(operator: Jacobian, twin: np.ndarray) -> None:
    """`diagonal` is the twin's in either order; without a square matrix, or square shapes in order F, it refuses."""
    rows, columns = operator.shape
    for order in ORDERS:
        if rows != columns or (order == "F" and operator.codomain != operator.domain):
            with pytest.raises(ShapeError, match=r"only a square matrix has one|pairs other entries"):
                operator.diagonal(order)
            continue
        entries = operator.diagonal(order)
        assert entries.dtype == operator.dtype, f"diagonal: {entries.dtype}, stated {operator.dtype}"
        same(entries, np.diagonal(matrix_of(operator, twin, order)), what=f"diagonal({order!r})")
        assert not any(np.shares_memory(entries, a) for a in operator.arrays), "diagonal: shares memory"
        assert entries.flags.writeable, "diagonal: the output is read-only"


def gradient_of_a_scalar(operator: Jacobian, twin: np.ndarray) -> None:
    """`gradient` is the twin's one row as a new array in the input's shape; other codomains have none."""
    if operator.codomain != ():
        with pytest.raises(LayoutError, match="only a scalar's Jacobian is a gradient"):
            operator.gradient  # noqa: B018
        return
    gradient = operator.gradient
    assert gradient.dtype == operator.dtype, f"gradient: {gradient.dtype}, stated {operator.dtype}"
    same(gradient, twin.reshape(operator.domain), what="gradient")
    assert gradient.flags.writeable, "gradient: the output is read-only"
    assert not any(np.shares_memory(gradient, a) for a in operator.arrays), "gradient: shares memory"
    assert not np.shares_memory(gradient, operator.gradient), "gradient: twice shares memory"


def dtypes(operator: Jacobian, twin: np.ndarray) -> None:
    """float32 stays float32, the wider dtype wins with its full precision, integers go to float64, complex nowhere."""
    for name, action, shape in actions_of(operator):
        for given in (np.float32, np.float64):
            x = draw(*shape, dtype=given)
            out = action(x)
            joint = np.result_type(given, operator.dtype)
            assert type(out) is np.ndarray, f"{name}: returns {type(out).__name__}"
            assert out.dtype == joint, f"{name}: {given.__name__} gives {out.dtype}, expected {joint}"
            same(out, action(x.astype(np.float64)), joint, f"{name} of {given.__name__}")
            if name in ("jvp", "vjp"):
                same(out, images(operator, twin, x, back=name == "vjp"), joint, f"{name} of {given.__name__}")
        integers = np.arange(math.prod(shape)).reshape(shape)
        out = action(integers)
        assert out.dtype == np.float64, f"{name}: integers give {out.dtype}"
        same(out, action(integers.astype(np.float64)), what=f"{name} of integers")
        for refused in (integers.astype(complex), integers.astype(object), integers.astype(str)):
            with pytest.raises(DTypeError, match="expected real numbers"):
                action(refused)


def purity(operator: Jacobian, twin: np.ndarray) -> None:
    """Inputs and stored arrays are not written; outputs are new and writable; the same call gives the same bits."""
    stored = [a.copy() for a in operator.arrays]
    calls: list[tuple[str, Callable[..., np.ndarray], tuple[np.ndarray, ...]]] = []
    for name, action, shape in actions_of(operator):
        x = draw(*shape, dtype=operator.dtype)
        padded = np.zeros((*shape[:-1], 2 * shape[-1]) if shape else (), dtype=x.dtype)
        strided = padded[..., ::-2] if shape else padded
        strided[...] = x
        calls += [(name, action, (given,)) for given in (x.copy(), np.asfortranarray(x), strided)]
    calls += [("to_dense", operator.to_dense, ()), ("F to_dense", lambda: operator.to_dense("F"), ())]
    kept: list[tuple[str, np.ndarray, np.ndarray]] = []
    plain: dict[str, np.ndarray] = {}
    for name, call, given in calls:
        before = [g.copy() for g in given]
        for readonly in (False, True):
            for g in given:
                g.flags.writeable = not readonly
            first = call(*given)
            for g, b in zip(given, before, strict=True):
                assert np.array_equal(g, b), f"{name}: the input was written"
            second = call(*given)
            assert first.dtype == second.dtype, f"{name}: twice is not the same"
            assert np.array_equal(first, second), f"{name}: twice is not the same"
            assert not np.shares_memory(first, second), f"{name}: two calls share memory"
            for out in (first, second):
                assert out.flags.writeable, f"{name}: the output is read-only"
                assert not any(np.shares_memory(out, g) for g in given), f"{name}: the output aliases the input"
                assert not any(np.shares_memory(out, a) for a in operator.arrays), f"{name}: aliases a stored array"
        same(first, plain.setdefault(f"{name} {first.shape}", first), what=f"{name} of another memory order")
        kept.append((name, first, first.copy()))
    for name, out, copy in kept:
        assert np.array_equal(out, copy), f"{name}: a later call wrote an earlier output"
    for array, copy in zip(operator.arrays, stored, strict=True):
        assert np.array_equal(array, copy), "a stored array was written"


def storage(operator: Jacobian, twin: np.ndarray) -> None:
    """`nbytes` counts the memory of the stored arrays once; nothing stored is as large as it need not be."""
    spans = {(a.__array_interface__["data"][0], a.nbytes) for a in operator.arrays if a.size}
    assert operator.nbytes == sum(size for _, size in spans), f"nbytes: {operator.nbytes}"
    assert isinstance(operator.flops, int), f"flops: {operator.flops!r}"
    assert operator.flops >= 0, f"flops: {operator.flops!r}"


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.cells.append(data)


def display(operator: Jacobian, twin: np.ndarray) -> None:
    """`repr` is one line with structure, sizes and dtype; the HTML shows the same, and a picture, and escapes it."""
    rows, columns = operator.shape
    text = repr(operator)
    assert len(text.splitlines()) == 1, f"repr: {text!r}"
    for part in (operator.structure, f"{rows}×{columns}", str(operator.dtype), f"{operator.domain} → "):
        assert part in text, f"repr: {part!r} is not in {text!r}"
    parser = _Text()
    parser.feed(operator._repr_html_())
    drawing = {"svg", "title", "desc", "rect", "circle", "path", "text"}
    assert set(parser.tags) <= {"table", "tr", "th", "td"} | drawing, f"html: tags {set(parser.tags)}"
    for part in (operator.structure, f"{rows} × {columns}", str(operator.dtype)):
        assert part in parser.cells, f"html: {part!r} is not in {parser.cells}"


def refuses_misfits(operator: Jacobian, twin: np.ndarray) -> None:
    """A wrong shape raises `ShapeError` that names the call, the shape given and the structure."""
    rows, columns = operator.shape
    wrong: list[tuple[str, Callable[[np.ndarray], Any], tuple[int, ...]]] = []
    for name, action, shape in (("jvp", operator.jvp, operator.domain), ("vjp", operator.vjp, operator.codomain)):
        if shape:
            wrong += [(name, action, (*shape[:-1], shape[-1] + 1)), (name, action, shape[:-1]), (name, action, ())]
    for name, action, size in (("matvec", operator.matvec, columns), ("rmatvec", operator.rmatvec, rows)):
        wrong += [
            (name, action, (size + 1,)),
            (name, action, (size, 2)),
            (name, action, ()),
            (name, action, (1, size, 1)),
        ]
    for name, action, size in (("matmat", operator.matmat, columns), ("rmatmat", operator.rmatmat, rows)):
        wrong += [(name, action, (size + 1, 2)), (name, action, (size,)), (name, action, (size, 1, 1))]
    for name, action, shape in wrong:
        try:
            action(np.zeros(shape))
        except ShapeError as error:
            text = str(error)
            for part in (f"{name}: ", str(shape), operator.structure):
                assert part in text, f"{name}: {part!r} is not in {text!r}"
            continue
        raise AssertionError(f"{name} took an array of shape {shape}")


def byte_guard(operator: Jacobian, twin: np.ndarray) -> None:
    """`to_dense` refuses one byte less than it needs, and takes exactly what it needs."""
    rows, columns = operator.shape
    if not rows * columns:
        return
    with pytest.raises(TooLargeError) as caught:
        operator.to_dense(limit=rows * columns * operator.dtype.itemsize - 1)
    for part in (f"{rows}×{columns}", operator.structure):
        assert part in str(caught.value), str(caught.value)
    least = int(str(caught.value).rpartition("pass limit=")[2])
    same(operator.to_dense(limit=least), operator.to_dense(), operator.dtype, "to_dense at its limit")
    with pytest.raises(TooLargeError, match=f"pass limit={least}$"):
        operator.to_dense(limit=least - 1)


LAWS: list[Law] = [
    dense_twin,
    dense_into,
    examples_apart,
    vec_permutes,
    acts_as_twin,
    adjoint,
    transpose_is_transpose,
    vectors,
    sparse_view,
    diagonal_view,
    gradient_of_a_scalar,
    dtypes,
    purity,
    storage,
    display,
    refuses_misfits,
    byte_guard,
    *ROW_LAWS,
]
