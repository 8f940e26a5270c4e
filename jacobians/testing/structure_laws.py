"""Laws of one Jacobian: dense twin, adjoint, one source, vec."""

from __future__ import annotations

import itertools

import numpy as np

from jacobians.arrays import Array, Shape, size_of
from jacobians.layout import Order
from jacobians.linops import Denominator, Dense, Jacobian
from jacobians.testing.compare import agree, draw, fail, generator, largest, term_size, terms

__all__ = ["assert_adjoint", "assert_dense_twin", "assert_one_source", "assert_vec", "gradient_of", "numerator_matrix"]

ORDERS: tuple[Order, Order] = ("C", "F")


def assert_dense_twin(jacobian: Jacobian, matrix: Array, *, order: Order = "C", what: str = "") -> None:
    """Law 1, dense twin: the Jacobian's matrix equals one that was built independently.

    Parameters
    ----------
    jacobian : Jacobian
    matrix : array_like, shape `jacobian.shape`
        Built from np.kron, np.diag or loops, never from the Jacobian's own views. Inputs × outputs if the Jacobian
        is in denominator layout.
    order : {"C", "F"}
        How arrays are unrolled in `matrix`.
    what : str, optional
        Names the Jacobian in messages; its structure unless given.

    Raises
    ------
    AssertionError
        If shape, dtype or an entry of the dense or the sparse view differs.

    Examples
    --------
    >>> from jacobians import matmul
    >>> A, B = np.ones((2, 3)), np.arange(12.0).reshape(3, 4)
    >>> assert_dense_twin(matmul(A, B)[1].A, np.kron(np.eye(2), B.T))
    """
    what = what or jacobian.structure
    for name, view in (("to_dense", jacobian.to_dense(order)), ("to_sparse", jacobian.to_sparse(order).toarray())):
        if view.dtype != jacobian.dtype:
            fail("dense twin", what, f"{name}({order!r}) has dtype {view.dtype}, the Jacobian {jacobian.dtype}")
        agree("dense twin", f"{what}, {name}({order!r})", view, matrix, dtype=jacobian.dtype)


def assert_adjoint(jacobian: Jacobian, rng: np.random.Generator | None = None, *, what: str = "") -> None:
    """Law 2, adjoint: ⟨c, J t⟩ = ⟨Jᵀ c, t⟩ for random tangents t and cotangents c.

    Parameters
    ----------
    jacobian : Jacobian
    rng : Generator, optional
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If the two differ by more than 512 units of rounding of the size of all terms that are added.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_adjoint(softmax([[1.0, 2.0, 3.0]])[1])
    """
    rng, what = generator(rng), what or jacobian.structure
    sizes = terms(jacobian)
    for _ in range(3):
        tangent, cotangent = draw(rng, jacobian.domain), draw(rng, jacobian.codomain)
        forward, backward = np.vdot(cotangent, jacobian.jvp(tangent)), np.vdot(jacobian.vjp(cotangent), tangent)
        scale = float(np.abs(cotangent).reshape(-1) @ sizes @ np.abs(tangent).reshape(-1))
        agree("adjoint", f"{what}, ⟨c, J t⟩ and ⟨Jᵀ c, t⟩", forward, backward, dtype=jacobian.dtype, scale=scale)


def assert_one_source(jacobian: Jacobian, rng: np.random.Generator | None = None, *, what: str = "") -> None:
    """Law 4, one source: vjp, jvp, matrix products, dense and sparse views, transpose and gradient agree.

    Every view is compared with the dense matrix in C order, in both vec orders, on single arrays and on stacks. Of a
    Jacobian whose output is no scalar, the gradient is that of ⟨c, ·⟩ for a random c.

    Parameters
    ----------
    jacobian : Jacobian
    rng : Generator, optional
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If a view differs from the dense one.

    Examples
    --------
    >>> from jacobians import affine
    >>> assert_one_source(affine(np.ones((5, 3)), np.ones((3, 2)), np.zeros(2))[1].W)
    """
    rng, what, dtype = generator(rng), what or jacobian.structure, jacobian.dtype
    matrix = numerator_matrix(jacobian, "C")
    size = term_size(jacobian)
    into, out = jacobian.domain, jacobian.codomain

    def same(name: str, actual: Array, expected: Array, given: float) -> None:
        agree("one source", f"{what}, {name}", actual, expected, dtype=dtype, scale=size * given)

    for stack in ((), (2,)):
        t, c = draw(rng, stack + into), draw(rng, stack + out)
        images = (t.reshape(-1, size_of(into)) @ matrix.T).reshape(stack + out)
        pulled = (c.reshape(-1, size_of(out)) @ matrix).reshape(stack + into)
        same(f"jvp on a stack {stack}", jacobian.jvp(t), images, largest(t))
        same(f"vjp on a stack {stack}", jacobian.vjp(c), pulled, largest(c))
        same(f"T.jvp on a stack {stack}", jacobian.T.jvp(c), pulled, largest(c))
        same(f"T.vjp on a stack {stack}", jacobian.T.vjp(t), images, largest(t))
    for order in ORDERS:
        tagged = jacobian.ordered(order)
        written = tagged.to_dense()
        x, y = draw(rng, (written.shape[1], 2)), draw(rng, (written.shape[0], 2))
        same(f"to_sparse({order!r})", jacobian.to_sparse(order).toarray(), written, 1.0)
        same(f"T.to_dense({order!r})", tagged.T.to_dense(), written.T, 1.0)
        same(f"matmat, order {order}", tagged.matmat(x), written @ x, largest(x))
        same(f"rmatmat, order {order}", tagged.rmatmat(y), written.T @ y, largest(y))
        same(f"J @ x, order {order}", tagged @ x[:, 0], written @ x[:, 0], largest(x))
        same(f"y @ J, order {order}", y[:, 0] @ tagged, y[:, 0] @ written, largest(y))
        same(f"matvec, order {order}", tagged.matvec(x[:, 0]), written @ x[:, 0], largest(x))
        same(f"rmatvec, order {order}", tagged.rmatvec(y[:, 0]), written.T @ y[:, 0], largest(y))
        if into == out:
            same(f"diagonal({order!r})", jacobian.diagonal(order), np.diagonal(written), 1.0)
    if out == ():
        same("gradient", jacobian.gradient, matrix.reshape(into), 1.0)
    c = draw(rng, out)
    same("gradient of ⟨c, ·⟩", gradient_of(jacobian, c), (c.reshape(-1) @ matrix).reshape(into), largest(c))


def assert_vec(jacobian: Jacobian, rng: np.random.Generator | None = None, *, what: str = "") -> None:
    """Law 7, vec: to_dense("F") = P·to_dense("C")·Qᵀ, and denominator layout is numerator layout transposed.

    P and Q are the permutations that carry the C-order vec of output and input to their F-order vec; for matrices,
    commutation matrices. They are built here entry by entry. No action may depend on the vec order.

    Parameters
    ----------
    jacobian : Jacobian
        In either derivative layout.
    rng : Generator, optional
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If a view is unrolled otherwise, or the layouts are not each other's transpose.

    Examples
    --------
    >>> from jacobians import transpose
    >>> assert_vec(transpose(np.ones((2, 3)))[1])
    """
    rng, what, dtype = generator(rng), what or jacobian.structure, jacobian.dtype
    numerator = jacobian.numerator
    denominator = jacobian if isinstance(jacobian, Denominator) else Denominator(jacobian)
    P, Q = _permutation(jacobian.codomain), _permutation(jacobian.domain)
    size = largest(terms(numerator))
    in_c, in_f = numerator.to_dense("C"), numerator.to_dense("F")
    agree("vec", f"{what}, to_dense('F') and P·to_dense('C')·Qᵀ", in_f, P @ in_c @ Q.T, dtype=dtype, scale=size)
    sparse = denominator.to_sparse("C").toarray()
    agree("vec", f"{what}, denominator to_sparse('C')", sparse, in_c.T, dtype=dtype, scale=size)
    t, c = draw(rng, jacobian.domain), draw(rng, jacobian.codomain)
    scale = size * float(max(np.abs(t).sum(), np.abs(c).sum()))
    for order in ORDERS:
        tagged, turned = numerator.ordered(order), denominator.ordered(order)
        x, y = draw(rng, tagged.shape[1:]), draw(rng, tagged.shape[:1])
        for name, actual, wanted in (
            (f"jvp in order {order}", tagged.jvp(t), numerator.jvp(t)),
            (f"vjp in order {order}", tagged.vjp(c), numerator.vjp(c)),
            (f"ordered({order!r}).to_dense()", tagged.to_dense(), numerator.to_dense(order)),
            (f"denominator to_dense({order!r})", denominator.to_dense(order), numerator.to_dense(order).T),
            (f"denominator ordered({order!r}).to_dense()", turned.to_dense(), tagged.to_dense().T),
            (f"denominator matvec in order {order}", turned.matvec(y), tagged.rmatvec(y)),
            (f"denominator rmatvec in order {order}", turned.rmatvec(x), tagged.matvec(x)),
            (f"denominator jvp in order {order}", turned.jvp(t), tagged.jvp(t)),
            (f"denominator vjp in order {order}", turned.vjp(c), tagged.vjp(c)),
        ):
            agree("vec", f"{what}, {name}", actual, wanted, dtype=dtype, scale=scale)


def gradient_of(jacobian: Jacobian, cotangent: Array) -> Array:
    """Return the gradient of ⟨cotangent, ·⟩ through the chain rule in the Jacobian's own layout."""
    row: Jacobian = Dense(cotangent)
    if jacobian.order is not None:
        row = row.ordered(jacobian.order)
    chain = jacobian @ Denominator(row) if isinstance(jacobian, Denominator) else row @ jacobian
    return chain.gradient


def numerator_matrix(jacobian: Jacobian, order: Order) -> Array:
    """Return the dense matrix, outputs × inputs, of a Jacobian in either derivative layout."""
    matrix = jacobian.to_dense(order)
    return matrix.T if isinstance(jacobian, Denominator) else matrix


def _permutation(shape: Shape) -> Array:
    """The matrix that takes the C-order vec of an array to its F-order vec, built entry by entry."""
    out = np.zeros((size_of(shape), size_of(shape)))
    for c_place, index in enumerate(itertools.product(*map(range, shape))):
        f_place, stride = 0, 1
        for i, n in zip(index, shape, strict=True):
            f_place += i * stride
            stride *= n
        out[f_place, c_place] = 1.0
    return out
