"""Laws of one structured Jacobian, and one call that runs them all."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape, size_of
from jacobians.errors import DTypeError, LayoutError, ShapeError, TooLargeError
from jacobians.layout import Order
from jacobians.linops import BlockDiagonal, Denominator, Dense, Jacobian
from jacobians.testing.compare import agree, draw, fail, generator, largest, refused, term_size, terms
from jacobians.testing.jacobian_manners import assert_display, assert_limits, assert_refusals
from jacobians.testing.purity_and_dtype import assert_jacobian_dtype, assert_jacobian_purity

__all__ = [
    "assert_adjoint",
    "assert_blocks",
    "assert_dense_twin",
    "assert_gram",
    "assert_jacobian_laws",
    "assert_one_source",
    "assert_out",
    "assert_probed",
    "assert_row_norms",
    "assert_vec",
    "gradient_of",
    "in_order",
    "numerator_matrix",
]

ORDERS: tuple[Order, Order] = ("C", "F")
STACKS: tuple[Shape, ...] = ((), (2,), (3, 2), (0,), (2, 0))


def assert_jacobian_laws(
    jacobian: Jacobian, matrix: Array | None = None, rng: np.random.Generator | None = None, *, what: str = ""
) -> None:
    """Run all laws of one structured Jacobian: the call that a new structure's test makes.

    Parameters
    ----------
    jacobian : Jacobian
        Small, since dense matrices are compared.
    matrix : array_like, shape `jacobian.shape`, optional
        The matrix in C order, built independently (law 1) and in float64. All views and products are compared with
        it. Without it they are compared with each other.
    rng : Generator, optional
        For tangents and cotangents; a fixed seed unless given.
    what : str, optional
        Names the Jacobian in messages; its structure unless given.

    Raises
    ------
    AssertionError
        Names the law, the view and the numbers.

    Examples
    --------
    A structure of one's own states two actions, a transpose, and what it stores. Everything else follows:

    >>> from scipy.sparse import csr_array
    >>> class Reversal(Jacobian):
    ...     '''V ↦ V with its first axis reversed.'''
    ...     def _jvp(self, tangent):
    ...         return np.flip(tangent, axis=-len(self.domain))
    ...     _vjp = _jvp
    ...     def _transpose(self):
    ...         return self
    ...     def _sparse(self):
    ...         return csr_array(np.eye(self.shape[0]).reshape(-1, *self.domain)[:, ::-1].reshape(self.shape))
    ...     structure, flops, arrays = "Reversal", 0, ()
    >>> J = Reversal((3, 2), (3, 2), np.dtype(float))
    >>> assert_jacobian_laws(J, np.kron(np.eye(3)[::-1], np.eye(2)))
    """
    rng = generator(rng)
    if matrix is not None:
        matrix = np.asarray(matrix)
        assert_dense_twin(jacobian, matrix, what=what)
    assert_adjoint(jacobian, rng, what=what)
    assert_one_source(jacobian, rng, matrix=matrix, what=what)
    assert_vec(jacobian, rng, what=what)
    assert_out(jacobian, matrix=matrix, what=what)
    assert_blocks(jacobian, matrix=matrix, what=what)
    assert_row_norms(jacobian, matrix=matrix, what=what)
    assert_gram(jacobian, matrix=matrix, what=what)
    assert_jacobian_purity(jacobian, rng, what=what)
    assert_jacobian_dtype(jacobian, rng, matrix=matrix, what=what)
    assert_limits(jacobian, what=what)
    assert_refusals(jacobian, what=what)
    assert_display(jacobian, what=what)


def assert_dense_twin(jacobian: Jacobian, matrix: Array, *, order: Order = "C", what: str = "") -> None:
    """Law 1, dense twin: the Jacobian's matrix equals one that was built independently, in either vec order.

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
    from scipy.sparse import csr_array

    what, matrix = what or jacobian.structure, np.asarray(matrix)
    for o in (order, *(o for o in ORDERS if o != order)):
        if o == order:
            expected = matrix
        elif o == "F":
            expected = in_order(matrix, jacobian, "F")
        else:  # where each entry of the F-order matrix comes from, it goes
            expected = np.empty(matrix.shape, matrix.dtype)
            expected.ravel()[in_order(np.arange(matrix.size).reshape(matrix.shape), jacobian, "F")] = matrix
        dense, sparse = jacobian.to_dense(o), jacobian.to_sparse(o)
        if type(dense) is not np.ndarray or not isinstance(sparse, csr_array):
            fail("dense twin", what, f"the views are of types {type(dense).__name__} and {type(sparse).__name__}")
        tagged = jacobian.ordered(o)
        for name, view in (
            (f"to_dense({o!r})", dense),
            (f"to_sparse({o!r})", sparse.toarray()),
            (f"ordered({o!r}).to_dense()", tagged.to_dense()),
            (f"ordered({o!r}).to_sparse()", tagged.to_sparse().toarray()),
        ):
            if view.dtype != jacobian.dtype:
                fail("dense twin", what, f"{name} has dtype {view.dtype}, the Jacobian {jacobian.dtype}")
            agree("dense twin", f"{what}, {name}", view, expected, dtype=jacobian.dtype)
            if expected.shape != jacobian.shape:
                fail("dense twin", what, f"the matrix is stated as {jacobian.shape}, and is {expected.shape}")


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
        If the two differ by more than rounding at the size of all terms that are added.

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


def assert_probed(jacobian: Jacobian, rng: np.random.Generator | None = None, *, what: str = "") -> None:
    """Laws 2, 4 and 7 of a Jacobian too large to be written out, by probing: no matrix is made.

    Eight unit tangents and eight unit cotangents give columns and rows, which agree where they cross; so do random
    ones. Products with vectors and matrices, in both vec orders, and those of the transpose agree with them: some
    fifty actions, however large the Jacobian is.

    Parameters
    ----------
    jacobian : Jacobian
    rng : Generator, optional
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If two views differ.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_probed(softmax(np.arange(12.0).reshape(3, 4))[1])
    """
    rng, what, dtype = generator(rng), what or jacobian.structure, jacobian.dtype
    numerator, size = jacobian.numerator, term_size(jacobian)
    into, out, turned = numerator.domain, numerator.codomain, numerator.T
    tangents, cotangents = _probes(rng, into), _probes(rng, out)
    columns, rows = numerator.jvp(tangents), numerator.vjp(cotangents)

    def same(law: str, name: str, actual: Array, expected: Array, given: float) -> None:
        agree(law, f"{what}, {name}", actual, expected, dtype=dtype, scale=size * given)

    t, c = tangents.reshape(len(tangents), -1), cotangents.reshape(len(cotangents), -1)
    given = max(float(np.abs(t).sum(axis=1).max(initial=0.0)), float(np.abs(c).sum(axis=1).max(initial=0.0)))
    across = columns.reshape(len(t), -1) @ c.T
    same("adjoint", "⟨c, J t⟩ and ⟨Jᵀ c, t⟩", across, t @ rows.reshape(len(c), -1).T, given * largest(t, c))
    for name, actual, expected, probe in (
        ("T.vjp", turned.vjp(tangents), columns, t),
        ("T.jvp", turned.jvp(cotangents), rows, c),
        ("jvp of one", numerator.jvp(tangents[-1]), columns[-1], t),
        ("vjp of one", numerator.vjp(cotangents[-1]), rows[-1], c),
        ("jvp, twice as much", numerator.jvp(2.0 * tangents), 2.0 * columns, 2.0 * t),
    ):
        same("one source", name, actual, expected, largest(probe))
    for order in ORDERS:
        tagged = numerator.ordered(order)
        x, y = (np.stack([part.ravel(order) for part in stack], axis=1) for stack in (tangents, cotangents))
        images, pulled = (np.stack([part.ravel(order) for part in stack], axis=1) for stack in (columns, rows))
        same("vec", f"matmat in order {order}", tagged.matmat(x), images, largest(x))
        same("vec", f"rmatmat in order {order}", tagged.rmatmat(y), pulled, largest(y))
        same("vec", f"matvec in order {order}", tagged.matvec(x[:, -1]), images[:, -1], largest(x))
        same("vec", f"rmatvec in order {order}", tagged.rmatvec(y[:, -1]), pulled[:, -1], largest(y))
        denominator = Denominator(tagged)
        same("vec", f"denominator matmat in order {order}", denominator.matmat(y), pulled, largest(y))


def _probes(rng: np.random.Generator, shape: Shape) -> Array:
    """Eight arrays with one entry of 1 each, at random places, and four of random numbers."""
    size = size_of(shape)
    units = np.zeros((min(8, size), size))
    units[np.arange(len(units)), rng.choice(size, len(units), replace=False)] = 1.0
    return np.concatenate([units, draw(rng, (4, size))]).reshape(-1, *shape)


def assert_one_source(
    jacobian: Jacobian, rng: np.random.Generator | None = None, *, matrix: Array | None = None, what: str = ""
) -> None:
    """Law 4, one source: jvp, vjp, products with vectors and matrices, transpose, diagonal and gradient agree.

    All are compared with the matrix, in both vec orders, on single arrays and on stacks. Of a Jacobian whose output
    is no scalar, the gradient is that of ⟨c, ·⟩ for a random c, and its own gradient is refused.

    Parameters
    ----------
    jacobian : Jacobian
    rng : Generator, optional
    matrix : array_like, shape `jacobian.shape`, optional
        In C order; the Jacobian's own dense view unless given.
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If a view differs from the matrix.

    Examples
    --------
    >>> from jacobians import affine
    >>> assert_one_source(affine(np.ones((5, 3)), np.ones((3, 2)), np.zeros(2))[1].W)
    """
    rng, what, dtype = generator(rng), what or jacobian.structure, jacobian.dtype
    own = jacobian.to_dense("C") if matrix is None else np.asarray(matrix)
    numerator = own.T if isinstance(jacobian, Denominator) else own
    size = term_size(jacobian)
    into, out, turned = jacobian.domain, jacobian.codomain, jacobian.T

    def same(name: str, actual: Array, expected: Array, given: float) -> None:
        agree("one source", f"{what}, {name}", actual, expected, dtype=dtype, scale=size * given)

    stated = (turned.codomain, turned.domain, turned.dtype, turned.shape)
    if stated != (into, out, dtype, jacobian.shape[::-1]):
        fail("one source", what, f"T maps {turned.domain} to {turned.codomain} in {turned.dtype}, {turned.shape}")
    for stack in STACKS:
        t, c = draw(rng, stack + into), draw(rng, stack + out)
        count = math.prod(stack)
        images = (t.reshape(count, size_of(into)) @ numerator.T).reshape(stack + out)
        pulled = (c.reshape(count, size_of(out)) @ numerator).reshape(stack + into)
        same(f"jvp on a stack {stack}", jacobian.jvp(t), images, largest(t))
        same(f"vjp on a stack {stack}", jacobian.vjp(c), pulled, largest(c))
        same(f"T.jvp on a stack {stack}", turned.jvp(c), pulled, largest(c))
        same(f"T.vjp on a stack {stack}", turned.vjp(t), images, largest(t))
    for order in ORDERS:
        tagged, written = jacobian.ordered(order), in_order(own, jacobian, order)
        if tagged.T.order != tagged.order:
            fail("one source", what, f"T has order {tagged.T.order}, not {tagged.order}")
        same(f"T.to_dense({order!r})", tagged.T.to_dense(), written.T, 1.0)
        same(f"T.T.to_dense({order!r})", turned.T.to_dense(order), written, 1.0)
        for k in (1, 3, 0):
            x, y = draw(rng, (written.shape[1], k)), draw(rng, (written.shape[0], k))
            same(f"matmat, order {order}", tagged.matmat(x), written @ x, largest(x))
            same(f"rmatmat, order {order}", tagged.rmatmat(y), written.T @ y, largest(y))
            same(f"J @ matrix, order {order}", tagged @ x, written @ x, largest(x))
            same(f"matrix @ J, order {order}", y.T @ tagged, y.T @ written, largest(y))
        x, y = draw(rng, written.shape[1:]), draw(rng, written.shape[:1])
        for name, actual, expected, given in (
            ("matvec", tagged.matvec(x), written @ x, x),
            ("rmatvec", tagged.rmatvec(y), y @ written, y),
            ("matvec of a column", tagged.matvec(x[:, None]), written @ x[:, None], x),
            ("rmatvec of a column", tagged.rmatvec(y[:, None]), written.T @ y[:, None], y),
            ("J @ x", tagged @ x, written @ x, x),
            ("y @ J", y @ tagged, y @ written, y),
            ("x @ J.T", x @ tagged.T, written @ x, x),
        ):
            same(f"{name}, order {order}", actual, expected, largest(given))
        if written.shape[0] != written.shape[1] or (order == "F" and into != out):
            refused("one source", what, f"diagonal({order!r})", ShapeError, partial(jacobian.diagonal, order))
        else:
            same(f"diagonal({order!r})", jacobian.diagonal(order), np.diagonal(written), 1.0)
    if out == ():
        same("gradient", jacobian.gradient, numerator.reshape(into), 1.0)
    else:
        refused("one source", what, "gradient", LayoutError, lambda: jacobian.gradient, "only a scalar's Jacobian")
    c = draw(rng, out)
    same("gradient of ⟨c, ·⟩", gradient_of(jacobian, c), (c.reshape(-1) @ numerator).reshape(into), largest(c))


def assert_vec(jacobian: Jacobian, rng: np.random.Generator | None = None, *, what: str = "") -> None:
    """Law 7, vec: to_dense("F") = P·to_dense("C")·Qᵀ, and denominator layout is numerator layout transposed.

    P and Q are the permutations that carry the C-order vec of output and input to their F-order vec; for matrices,
    commutation matrices. No action may depend on the vec order.

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
    size = largest(terms(numerator))
    in_c, in_f = numerator.to_dense("C"), numerator.to_dense("F")
    permuted = in_order(in_c, numerator, "F")
    agree("vec", f"{what}, to_dense('F') and P·to_dense('C')·Qᵀ", in_f, permuted, dtype=dtype, scale=size)
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
            (f"ordered({order!r}).to_dense('C')", tagged.to_dense("C"), in_c),
            (f"denominator to_dense({order!r})", denominator.to_dense(order), numerator.to_dense(order).T),
            (f"denominator ordered({order!r}).to_dense()", turned.to_dense(), tagged.to_dense().T),
            (f"denominator matvec in order {order}", turned.matvec(y), tagged.rmatvec(y)),
            (f"denominator rmatvec in order {order}", turned.rmatvec(x), tagged.matvec(x)),
            (f"denominator jvp in order {order}", turned.jvp(t), tagged.jvp(t)),
            (f"denominator vjp in order {order}", turned.vjp(c), tagged.vjp(c)),
        ):
            agree("vec", f"{what}, {name}", actual, wanted, dtype=dtype, scale=scale)


def assert_out(jacobian: Jacobian, *, matrix: Array | None = None, what: str = "") -> None:
    """Law 4 for ``to_dense(out=…)``: it writes every entry, zeros too, of an array of any strides, and nothing beside.

    Parameters
    ----------
    jacobian : Jacobian
    matrix : array_like, shape `jacobian.shape`, optional
        In C order; the Jacobian's own dense view unless given.
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If an entry is wrong or left as it was, if something beside `out` is written, or if an `out` of another shape
        or dtype, or one that is read-only, is not refused.

    Examples
    --------
    >>> from jacobians.linops import Diagonal
    >>> assert_out(Diagonal(np.array([1.0, 2.0])))
    """
    what, dtype, (rows, columns) = what or jacobian.structure, jacobian.dtype, jacobian.shape
    own = jacobian.to_dense("C") if matrix is None else np.asarray(matrix)
    unwritten = 54321.0  # not NaN: in freed memory, BLAS may read it beside a small array, and NumPy then warns
    places: dict[str, tuple[Any, Order]] = {
        "C": (np.s_[:rows, :columns], "C"),
        "F": (np.s_[:rows, :columns], "F"),
        "strided": (np.s_[: 2 * rows : 2, 1 : 1 + 3 * columns : 3], "C"),
    }
    for order in ORDERS:
        for name, (taken, memory) in places.items():
            room = np.full((2 * rows + 1, 3 * columns + 1), unwritten, dtype=dtype, order=memory)
            out = room[taken]
            if jacobian.to_dense(order, out=out) is not out:
                fail("one source", what, f"to_dense(out=…), {name}: another array is returned")
            text = f"{what}, to_dense(out=…), {name} in order {order}"
            agree("one source", text, out, in_order(own, jacobian, order), dtype=dtype)
            if (room == unwritten).sum() != room.size - out.size:
                fail("one source", what, f"to_dense(out=…), {name}: something beside it is written")
    locked = np.zeros(jacobian.shape, dtype=dtype)
    locked.flags.writeable = False
    other = np.zeros(jacobian.shape, dtype=np.float32 if dtype == np.float64 else np.float64)
    for wrong, error, *parts in (
        (np.zeros((rows + 1, columns), dtype=dtype), ShapeError, f"out has shape {(rows + 1, columns)}"),
        (other, DTypeError, f"out has dtype {other.dtype}, the matrix of", f" has {dtype}"),
        (locked, ShapeError, "out is read-only, or shares memory"),
    ):
        refused("one source", what, parts[0], error, partial(jacobian.to_dense, out=wrong), "to_dense: ", *parts)


def assert_blocks(jacobian: Jacobian, *, matrix: Array | None = None, what: str = "") -> None:
    """Law 4 for `block_diagonal`: where the structure keeps examples apart the matrix does, and has these blocks.

    Parameters
    ----------
    jacobian : Jacobian
        Of one in denominator layout the numerator is checked, and that itself it has no blocks.
    matrix : array_like, shape `jacobian.shape`, optional
        In C order; the Jacobian's own dense view unless given.
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If a block is another, or the matrix has entries beside them, or an axis is not refused along which the
        structure does not keep examples apart.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_blocks(softmax(np.ones((4, 3)))[1])
    """
    what = what or jacobian.structure
    own = jacobian.to_dense("C") if matrix is None else np.asarray(matrix)
    if isinstance(jacobian, Denominator):
        parts = "block_diagonal: ", " is in denominator layout; take its numerator"
        refused("one source", what, "block_diagonal", LayoutError, jacobian.block_diagonal, *parts)
        return assert_blocks(jacobian.numerator, matrix=own.T, what=what)
    kept = [axis for axis in (0, -1) if jacobian._keeps_examples(axis)]
    for axis in {0, -1} - set(kept):
        text = f"does not keep examples along axis {axis} apart"
        refused("one source", what, "block_diagonal", LayoutError, partial(jacobian.block_diagonal, axis), text)
    if kept and jacobian.block_diagonal().axis != max(kept) and not isinstance(jacobian, BlockDiagonal):
        fail("one source", what, f"block_diagonal() takes axis {jacobian.block_diagonal().axis}, not {max(kept)}")
    for axis in kept:
        count = jacobian.codomain[axis]
        if jacobian.domain[axis] != count:
            fail("one source", what, f"{count} examples come out along axis {axis}, of {jacobian.domain[axis]}")
        rows, columns = (
            np.moveaxis(np.arange(size_of(s)).reshape(s), axis, 0).reshape(count, math.prod(np.delete(s, axis)))
            for s in (jacobian.codomain, jacobian.domain)
        )
        apart = jacobian.block_diagonal(axis)
        if (apart.dtype, apart.order) != (jacobian.dtype, jacobian.order):
            fail("one source", what, f"the blocks have dtype {apart.dtype} and order {apart.order}")
        shape = (count, rows.shape[1], columns.shape[1])
        blocks = np.reshape([own[np.ix_(r, c)] for r, c in zip(rows, columns, strict=True)], shape)
        for name, actual, expected in (
            (f"blocks along axis {axis}", apart.blocks, blocks),
            (f"the matrix of the blocks along axis {axis}", apart.to_dense("C"), own),
        ):
            agree("one source", f"{what}, {name}", actual, expected, dtype=jacobian.dtype, scale=largest(own))
    return None


def assert_row_norms(jacobian: Jacobian, *, matrix: Array | None = None, what: str = "") -> None:
    """Law 4 for `row_norms`: the norm of every output's gradient, in either vec order and derivative layout.

    Parameters
    ----------
    jacobian : Jacobian
    matrix : array_like, shape `jacobian.shape`, optional
        In C order; the Jacobian's own dense view unless given.
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If a norm differs from that of the matrix's row.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_row_norms(softmax(np.ones((4, 3)))[1])
    """
    what = what or jacobian.structure
    rows = _numerator(jacobian, matrix)
    expected = np.sqrt((rows * rows).sum(axis=1)).reshape(jacobian.codomain)
    for name, found in (("row_norms", jacobian.row_norms()), ("in order F", jacobian.ordered("F").row_norms())):
        agree("one source", f"{what}, {name}", found, expected, dtype=jacobian.dtype)


def assert_gram(jacobian: Jacobian, *, matrix: Array | None = None, what: str = "") -> None:
    """Law 4 for `gram`: inner products of all outputs' gradients, in either vec order, and within its byte limit.

    Parameters
    ----------
    jacobian : Jacobian
    matrix : array_like, shape `jacobian.shape`, optional
        In C order; the Jacobian's own dense view unless given.
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If an inner product differs from that of the matrix's rows, or a limit that is too small is not refused.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_gram(softmax(np.ones((4, 3)))[1])
    """
    what = what or jacobian.structure
    rows = _numerator(jacobian, matrix)
    products, at = rows @ rows.T, _places(jacobian.codomain)
    for order in ORDERS:
        expected, tagged = products if order == "C" else products[np.ix_(at, at)], jacobian.ordered(order)
        for name, found in ((f"gram({order!r})", jacobian.gram(order)), (f"gram in order {order}", tagged.gram())):
            agree("one source", f"{what}, {name}", found, expected, dtype=jacobian.dtype)
    needed = products.size * jacobian.dtype.itemsize
    jacobian.gram(limit=needed)
    if needed:
        text = "gram, one byte below what it needs"
        refused("memory", what, text, TooLargeError, lambda: jacobian.gram(limit=needed - 1), f"limit={needed}")


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


def _numerator(jacobian: Jacobian, matrix: Array | None) -> Array:
    """The matrix given, or the Jacobian's own, as outputs × inputs in C order and float64."""
    if matrix is None:
        return numerator_matrix(jacobian, "C").astype(np.float64)
    return np.asarray(matrix, dtype=np.float64).T if isinstance(jacobian, Denominator) else np.asarray(matrix)


def _places(shape: Shape) -> Array:
    """For each place in the F-order vec of an array, the place in its C-order vec."""
    return np.arange(size_of(shape)).reshape(shape).ravel("F")


def in_order(matrix: Array, jacobian: Jacobian, order: Order) -> Array:
    """Return a matrix of the Jacobian in C order as it is written in this order."""
    if order == "C":
        return matrix
    rows, columns = _places(jacobian.codomain), _places(jacobian.domain)
    return matrix[np.ix_(columns, rows) if isinstance(jacobian, Denominator) else np.ix_(rows, columns)]
