"""The interface that every structure shares: its messages, defaults and limits."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from jacobians import affine, linops
from jacobians.errors import DTypeError, LayoutError, ShapeError, TooLargeError
from jacobians.linops import (
    DENSE_LIMIT,
    BlockDiagonal,
    BlockRow,
    Commutation,
    Denominator,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Reshape,
    Scaled,
    Selection,
    Sparse,
    Sum,
    Transposed,
    Zero,
)
from jacobians.testing import assert_one_source
from tests.linops.comparing import draw, same
from tests.testing.wrong_jacobians import Plain

J = Kronecker(4, np.ones((3, 2)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: J.jvp(np.ones((2, 4))),
            r"^jvp: the tangent has shape \(2, 4\), Kronecker\(I₄, 3×2\) has domain \(4, 2\); its transpose would fit: "
            r"is the batch on the other axis\?$",
        ),
        (
            lambda: J.vjp(np.ones(12)),
            r"^vjp: the cotangent has shape \(12,\), Kronecker\(I₄, 3×2\) has codomain \(4, 3\); it has the size of an "
            r"unrolled one: matvec and rmatvec take vectors$",
        ),
        (
            lambda: J.vjp(np.ones((4, 2))),
            r"codomain \(4, 3\); it would fit the other side: vjp takes cotangents, jvp takes tangents$",
        ),
        (lambda: J.jvp(np.ones((5, 7))), r"^jvp: the tangent has shape \(5, 7\), Kronecker.* has domain \(4, 2\)$"),
        (
            lambda: J @ np.ones((4, 2)),
            r"^matmat: the matrix is 12×8 \(Kronecker\(I₄, 3×2\)\), the operand has shape \(4, 2\); expected \(8,\) or "
            r"\(8, k\)\. jvp and vjp take arrays of natural shape$",
        ),
        (lambda: J.matvec(np.ones((4, 2))), r"^matvec: .* shape \(4, 2\); expected \(8,\) or \(8, k\)"),
        (lambda: J.rmatvec(np.ones(8)), r"^rmatvec: the matrix is 12×8 .* shape \(8,\); expected \(12,\) or \(12, k\)"),
        (lambda: np.ones((2, 8)) @ J, r"^rmatmat: .* expected \(12,\) or \(12, k\)"),
        (lambda: Denominator(J).matvec(np.ones(8)), r"^matvec: the matrix is 8×12 \(Denominator\[.*expected \(12,\)"),
        (lambda: J.diagonal(), r"^diagonal: Kronecker\(I₄, 3×2\) is 12×8; only a square matrix has one$"),
        (
            lambda: Commutation(2, 3).diagonal("F"),
            r"^diagonal: codomain \(3, 2\) and domain \(2, 3\) differ, so the F-order diagonal pairs other entries "
            r"than the structure does; take to_dense\('F'\)\.diagonal\(\)$",
        ),
    ],
)
def test_shape_errors_say_what_to_do(call: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        call()


@pytest.mark.parametrize("order", ["f", "K", "", 0])
@pytest.mark.parametrize("view", ["ordered", "to_dense", "to_sparse", "diagonal"])
@pytest.mark.parametrize(
    "operator", [Identity((2, 3)), Denominator(Identity((2, 3)))], ids=["numerator", "denominator"]
)
def test_unknown_orders_are_refused(operator: Jacobian, view: str, order: Any) -> None:
    with pytest.raises(LayoutError, match=rf"^{view}: order={order!r} is unknown; choose 'C' or 'F'$"):
        getattr(operator, view)(order)


def test_a_dense_view_over_the_limit_allocates_nothing() -> None:
    large = Kronecker(1000, np.ones((100, 100)))
    assert large.shape == (10**5, 10**5)
    message = (
        r"^to_dense: Kronecker\(I₁₀₀₀, 100×100\) is 100000×100000, 74.5 GiB dense, over the limit of 1.0 GiB; use jvp, "
        r"vjp, to_sparse\(\), or pass limit=80000000000$"
    )
    tracemalloc.start()
    for operator in (large, Scaled(0.5, large), Transposed(large), large.T, Denominator(large), large + large):
        with pytest.raises(TooLargeError):
            operator.to_dense()
    with pytest.raises(TooLargeError, match=message) as caught:
        large.to_dense()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    assert isinstance(caught.value, MemoryError)
    assert DENSE_LIMIT == 1 << 30


@pytest.mark.parametrize(
    "operator",
    [
        LowRank(np.ones((10**5, 1)), np.ones((10**5, 1))),
        KhatriRao(np.ones((10**5, 300)), np.ones((10**5, 300))),
        Kronecker(np.ones((300, 300)), np.ones((300, 300))),
    ],
    ids=lambda operator: operator.structure,
)
def test_a_sparse_view_without_zeros_is_under_the_limit_too(operator: Jacobian) -> None:
    message = r"^to_sparse: .*, up to .* GiB as a sparse array, over the limit of 1.0 GiB; use jvp, vjp, or pass limit="
    with pytest.raises(TooLargeError, match=message):
        operator.to_sparse()
    with pytest.raises(TooLargeError, match=message):
        (2 * operator).to_sparse()


def test_arrays_on_the_way_are_under_the_limit_too() -> None:
    """A small matrix whose chain passes through a large one says so, however it is wrapped."""
    thin = np.ones((10, 1))
    chain = Dense(thin, (10,)) @ Dense(thin.T, (1,)) @ Identity((10,), np.float32)
    through = Reshape((1,), (1, 1)) @ Kronecker(np.ones((1, 400)), np.ones((1, 400)))
    through = through @ (Identity((400, 400)) + Diagonal(np.ones((400, 400)))) @ Kronecker(*[np.ones((400, 1))] * 2)
    assert chain.to_dense(limit=800).shape == (10, 10)
    wrapped = [
        through,
        Scaled(2.0, through),
        Transposed(through),
        Denominator(through),
        Sum((through, through)),
        BlockRow((through, through)),
    ]
    for operator in wrapped:
        with pytest.raises(
            TooLargeError, match=r"(8|16) B dense and 2.4 MiB on the way, over the limit .* limit=25600(08|16)$"
        ):
            operator.to_dense(limit=2_560_007)
        same(
            operator.to_dense(limit=2_560_016).ravel()[:1],
            [4 * 400.0**2 if isinstance(operator, (Scaled, Sum)) else 2 * 400.0**2],
        )


def test_the_gradient_of_a_scalar() -> None:
    row = draw(3, 4)
    J = Dense(row) @ Kronecker(3, draw(4, 2))
    assert J.gradient.shape == (3, 2)
    same(J.gradient, J.to_dense().reshape(3, 2))
    assert Denominator(J).gradient.shape == (3, 2)
    same(Scaled(2.0, Dense(row)).gradient, 2 * row)
    kept = Dense(row).gradient
    kept[...] = 0
    assert np.any(Dense(row).gradient)
    assert Dense(row.astype(np.float32)).gradient.dtype == np.float32
    assert Dense(np.asfortranarray(row)).gradient.flags.f_contiguous


@pytest.mark.parametrize("operator", [Identity((1,)), Dense(draw(3, 4), (3,)), Denominator(Dense(draw(3, 4), (3,)))])
def test_only_a_scalar_has_a_gradient(operator: Jacobian) -> None:
    message = rf"^gradient: the output has shape \({operator.codomain[0]},\); only a scalar's Jacobian is a gradient\. "
    with pytest.raises(LayoutError, match=message):
        operator.gradient  # noqa: B018


def test_bytes_of_shared_arrays_count_once() -> None:
    blocks = Kronecker(draw(5, 3), draw(4, 4))
    assert (blocks + Diagonal(draw(5, 4)) @ blocks).nbytes == blocks.nbytes + 5 * 4 * 8
    assert Sum((blocks, blocks)).nbytes == blocks.nbytes
    assert (blocks.T @ Diagonal(draw(5, 4)) @ blocks).nbytes == blocks.nbytes + 5 * 4 * 8


@pytest.mark.parametrize(
    ("operator", "text"),
    [
        (Identity((2, 3)), "Identity(2×3): 6×6 float64, (2, 3) → (2, 3), 0 B"),
        (Dense(np.ones((2, 3), np.float32)), "Row(2×3): 1×6 float32, (2, 3) → (), 24 B"),
        (Denominator(Dense(np.ones((2, 3)), (2,))), "Denominator[Dense(2×3)]: 3×2 float64, (3,) → (2,), 48 B"),
        (2 * (J + J), "2·(Kronecker(I₄, 3×2) + Kronecker(I₄, 3×2)): 12×8 float64, (4, 2) → (4, 3), 48 B"),
        (
            Transposed(J.T @ Diagonal(np.ones((4, 3)))),
            "(Kronecker(I₄, 2×3) @ Diagonal(4×3))ᵀ: 12×8 float64, (4, 2) → (4, 3), 144 B",
        ),
    ],
)
def test_repr(operator: Jacobian, text: str) -> None:
    assert repr(operator) == text


@pytest.mark.parametrize(
    ("operator", "count"),
    [
        (Identity((4, 3)), 0),
        (Reshape((12,), (4, 3)), 0),
        (Zero((4, 3), (4, 3)), 0),
        (Commutation(4, 3), 0),
        (Selection(np.zeros(5, int), (4, 3)), 0),
        (Diagonal(np.ones((4, 3))), 12),
        (Dense(np.ones((2, 4, 3)), (2,)), 2 * 24),
        (LowRank(np.ones((4, 2)), np.ones((3, 2))), 2 * 14),
        (Sparse(csr_array(np.eye(4)), (4,), (4,)), 2 * 4),
        (Kronecker(np.ones((2, 4)), 3), 2 * 2 * 4 * 3),
        (Kronecker(np.ones((2, 4)), np.ones((5, 3))), 2 * 2 * 4 * 3 + 2 * 2 * 3 * 5),
        (BlockDiagonal(np.ones((4, 2, 3)), (4, 2), (4, 3)), 2 * 24),
        (DiagonalMinusOuter(*[np.ones((4, 3))] * 3, axis=-1), 5 * 12),
        (KhatriRao(np.ones((5, 2)), np.ones((5, 3))), 2 * 5 * 2 * 3 + 2 * 5 * 2),
        (KhatriRao(np.ones((5, 4, 2)), np.ones((5, 1, 3))), 2 * 5 * 2 * 3 + 2 * 20 * 2),
        (Scaled(2.0, J), J.flops + 12),
        (Transposed(J), J.flops),
        (Denominator(J), J.flops),
        (Sum((J, J)), 2 * J.flops + 12),
        (Diagonal(np.ones((4, 3))) @ J, J.flops + 12),
        (BlockRow((J, Kronecker(4, np.ones((3, 2))))), 2 * J.flops + 12),
        (BlockRow((J, J, J)), J.flops + 2 * 8),
        (BlockRow((J, Diagonal(np.ones((4, 3))) @ J, J)), J.flops + 8 + (J.flops + 12) + 12),
    ],
    ids=lambda part: part.structure if isinstance(part, Jacobian) else "",
)
def test_operations_of_one_action(operator: Jacobian, count: int) -> None:
    """Counted by hand, an addition and a multiplication as two."""
    assert operator.flops == count


def test_html_escapes() -> None:
    class Odd(Zero):
        __slots__ = ()

        @property
        def structure(self) -> str:
            return "<i>&</i>"

    html = Odd((2,), (3,))._repr_html_()
    assert "<td>&lt;i&gt;&amp;&lt;/i&gt;</td>" in html
    assert "<th>dense</th><td>48 B</td>" in html
    assert html.startswith("<table><tr><th>structure</th>")


@pytest.mark.parametrize(
    "make",
    [
        lambda t: Identity((2,), t),
        lambda t: Zero((2,), (2,), t),
        lambda t: Commutation(2, 3, t),
        lambda t: Reshape((2,), (1, 2), t),
        lambda t: Selection((slice(1),), (2,), t),
        lambda t: Kronecker(2, 2, t),
    ],
)
def test_dtypes_of_structures_without_data(make: Any) -> None:
    """As for arrays: integers become float64, float16 float32, and nothing else is a real number."""
    assert make(np.int32).dtype == np.float64
    assert make(bool).dtype == np.float64
    assert make(np.float16).dtype == np.float32
    assert make(">f8").dtype.isnative
    with pytest.raises(DTypeError, match=r"dtype has dtype complex128; expected real numbers"):
        make(complex)


def test_arrays_meet_the_operator_from_either_side() -> None:
    """NumPy hands `@` and `*` over, instead of taking the operator for an object array."""
    matrix = J.to_dense()
    assert type(np.ones(12) @ J) is np.ndarray
    same(np.ones(12) @ J, np.ones(12) @ matrix)
    same(np.ones((5, 12)) @ J, np.ones((5, 12)) @ matrix)
    same(J @ np.ones((8, 5)), matrix @ np.ones((8, 5)))
    assert type(np.float64(2) * J) is Scaled
    same(J.jvp([[1, 2], [3, 4], [5, 6], [7, 8]]), J.jvp(np.arange(1.0, 9).reshape(4, 2)))
    same(J.matvec(list(range(8))), matrix @ np.arange(8.0))


def test_copies_and_pickles() -> None:
    operator = (Diagonal(draw(4, 3)) @ J).ordered("F")
    for other in (copy.copy(operator), copy.deepcopy(operator), pickle.loads(pickle.dumps(operator))):
        assert other.order == "F"
        same(other.to_dense(), operator.to_dense())


def test_ordered_keeps_the_operator_as_it_is() -> None:
    assert J.order is None
    assert J.ordered("F") is not J
    assert J.order is None
    assert J.ordered("F").left == J.left
    assert J.ordered("F").right is J.right
    assert (tagged := J.ordered("F")).ordered("F") is tagged
    assert Dense(draw(2, 3), (2,)).ordered("F").order is None


def test_jacobians_add_up_with_sum() -> None:
    J = Identity((2, 3))
    assert np.array_equal(sum([J, J, J]).to_dense(), 3 * np.eye(6))
    with pytest.raises(TypeError):
        1 + J


class Through(Plain):
    """An identity that stores an array, and hands on what it is given, as a structure may."""

    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        return tangent

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return cotangent


def test_what_a_structure_hands_on_is_copied() -> None:
    given, through = draw(2), Through(np.eye(2), (2,), (2,))
    assert not np.shares_memory(through.jvp(given), given)
    assert not np.shares_memory(through.vjp(given), given)


def test_a_diagonal_is_computed_in_blocks_of_basis_vectors() -> None:
    entries = np.arange(1500.0)  # kept alive, so that what is never written is not these numbers by chance
    band = Plain(np.diag(entries) + np.eye(1500, k=1), (1500,), (1500,))
    same(band.diagonal(), entries)


def test_slots_are_copied_whole() -> None:
    """Whether they are named by one string, or by several."""

    class One(Plain):
        __slots__ = "extra"

    class Two(Plain):
        __slots__ = ("extra",)

    for kind in (One, Two):
        made = kind(np.eye(4), (2, 2), (2, 2))
        made.extra = 3
        assert made.ordered("F").extra == 3


def test_shapes_may_be_lists_and_entries_integers() -> None:
    """Shapes may be lists, entries integers, and factors of two dtypes."""
    wide, narrow = draw(2, 3), draw(2, 3).astype(np.float32)
    for made, *shapes in (
        (linops.Zero([2], [3], np.float32), (2,), (3,), narrow.dtype),
        (linops.Identity([2, 3]), (2, 3), (2, 3), wide.dtype),
        (linops.Reshape([6], [2, 3]), (6,), (2, 3), wide.dtype),
        (linops.Sparse(csr_array(np.eye(6, dtype=int)), [6], [2, 3]), (6,), (2, 3), wide.dtype),
        (linops.Dense(np.arange(6).reshape(2, 3), [2]), (2,), (3,), wide.dtype),
        (linops.BlockDiagonal(draw(2, 1, 3), [2], [2, 3]), (2,), (2, 3), wide.dtype),
        (linops.Selection((slice(1), slice(None)), [2, 3]), (1, 3), (2, 3), wide.dtype),
        (linops.DiagonalMinusOuter(narrow, wide, narrow, 1), (2, 3), (2, 3), wide.dtype),
        (linops.Selection([5, 0], [2, 3]), (2,), (2, 3), wide.dtype),
        (linops.Selection(np.array([5, 0], dtype=np.uint64), [2, 3]), (2,), (2, 3), wide.dtype),
        (linops.KhatriRao(wide, narrow), (2,), (3, 3), wide.dtype),
        (linops.KhatriRao(narrow, wide), (2,), (3, 3), wide.dtype),
        (linops.LowRank(narrow, wide), (2,), (2,), wide.dtype),
        (linops.LowRank(wide, narrow), (2,), (2,), wide.dtype),
        (linops.LowRank(draw(2, 5, 2), draw(3, 2)), (2, 5), (3,), wide.dtype),
        (linops.Kronecker(wide, narrow), (2, 2), (3, 3), wide.dtype),
        (linops.Kronecker(narrow, wide), (2, 2), (3, 3), wide.dtype),
        (linops.Kronecker(narrow, np.int64(3)), (2, 3), (3, 3), narrow.dtype),
        (linops.Kronecker(np.int64(3), narrow), (3, 2), (3, 3), narrow.dtype),
        (linops.BlockRow([linops.Diagonal(wide), linops.Diagonal(narrow)]), (2, 3), (12,), wide.dtype),
    ):
        assert [made.codomain, made.domain, made.dtype] == shapes, repr(made)
        views = (made.to_dense(), made.to_sparse(), made.jvp(np.ones(made.domain, made.dtype)))
        assert {v.dtype for v in views} == {made.dtype}, repr(made)
        if made.shape[0] == made.shape[1]:
            assert made.diagonal().dtype == made.dtype, repr(made)
        assert_one_source(made)
    every, some = slice(None), slice(1, 3)
    for key, axes in (((every, some), [0]), ((some, every), [-1]), ((every, every), [0, -1]), ((some, some), [])):
        found = linops.Selection(key, (3, 4))
        assert [axis for axis in (0, -1) if found._keeps_examples(axis)] == axes, repr(found)
    for factors in ((3, wide), (wide, 3)):
        assert np.array_equal(linops.Kronecker(*factors).single, wide), "the factor beside an identity"
    for factors in ((3, 3), (wide, wide)):
        with pytest.raises(ValueError):  # noqa: PT011
            linops.Kronecker(*factors).single  # noqa: B018
    for factors in ((3, draw(4, 4)), (draw(4, 4), 3), (3, 4), (draw(3, 3), draw(4, 4))):
        full = [np.eye(f) if isinstance(f, int) else f for f in factors]
        same(linops.Kronecker(*factors).diagonal(), np.diagonal(np.kron(*full)), what="diagonal of a Kronecker product")


def test_a_jacobian_is_its_structure_and_its_size() -> None:
    _, jacobians = affine(np.ones((5, 4)), np.ones((4, 3)), np.zeros(3))
    assert jacobians.W._repr_latex_() == r"$\text{Kronecker(5×4, I₃)} \in \mathbb{R}^{15 \times 12}$"


def test_what_latex_would_read_in_a_structure_is_escaped() -> None:
    class Odd(Identity):
        structure = "50% {of} a_b \\ $x^2$"

    text = Odd((2,))._repr_latex_()
    assert text == r"$\text{50\% \{of\} a\_b / \$x 2\$} \in \mathbb{R}^{2 \times 2}$"
