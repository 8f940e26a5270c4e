"""What every structure inherits: views, operators, and what its constructor makes of lists, integers and dtypes."""

from __future__ import annotations

from unittest import mock

import numpy as np
from scipy.sparse import csr_array
from tests.linops.laws import LAWS
from tests.linops.writing_laws import dense_into

import jacobians.linops as linops
from jacobians.linops import Denominator, unrolling
from jacobians.testing import assert_adjoint, assert_dense_twin, assert_one_source, assert_vec
from tests.linops import making
from tests.linops.making import Pair, Shape
from tests.linops.tools import draw, same
from tests.linops.twins import Numbers

OWN_LAWS = {law.__name__: law for law in LAWS if law.__name__ not in ("storage", "display", "refuses_misfits")}


def testing_laws(pair: Pair, dtype: str) -> None:
    """The laws of `jacobians.testing`, and that a structure has the dtype of what it stores."""
    operator, twin = pair
    assert operator.dtype == dtype, f"law dtype: {operator.dtype}, stored {dtype}"
    if 0 in operator.shape:
        return
    assert_dense_twin(operator, twin.T if isinstance(operator, Denominator) else twin)
    assert_adjoint(operator)
    assert_one_source(operator)
    assert_vec(operator)


VIEWS = ("base", "matrix_views", "row_views", "dense_view", "entries")
"""What every structure inherits."""


class Plain(linops.Jacobian):
    """A structure that states what it must and no more: V ↦ M V, for the views that the base class gives."""

    def __init__(self, matrix: np.ndarray, codomain: Shape, domain: Shape) -> None:
        super().__init__(codomain, domain, matrix.dtype)
        self.matrix = matrix

    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        return (tangent.reshape(-1, self.shape[1]) @ self.matrix.T).reshape(stack + self.codomain)

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        return (cotangent.reshape(-1, self.shape[0]) @ self.matrix).reshape(stack + self.domain)

    def _transpose(self) -> linops.Jacobian:
        return linops.Transposed(self)

    def _sparse(self) -> csr_array:
        return csr_array(self.matrix)

    @property
    def structure(self) -> str:
        return "Plain"

    @property
    def flops(self) -> int:
        return 2 * self.matrix.size

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return (self.matrix,)


class Through(Plain):
    """An identity that stores an array, and hands on what it is given, as a structure may."""

    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        return tangent

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return cotangent


def plain() -> None:
    """The base class's own views: of wide, tall and square matrices, and of one that is done in two blocks."""
    for codomain, domain in (((2, 3), (4, 5)), ((4, 5), (2, 3)), ((2, 3), (3, 2)), ((2, 3), (2, 3)), ((), (3, 2))):
        for dtype in (np.float64, np.float32):
            matrix = draw(int(np.prod(codomain)), int(np.prod(domain)), dtype=dtype)
            operator = Plain(matrix, codomain, domain)
            testing_laws((operator, matrix), matrix.dtype.name)
            for law in OWN_LAWS.values():
                law(operator, matrix.astype(np.float64))
    for codomain, domain in (((3,), (2, 4)), ((2, 4), (3,)), ((2, 3, 2), (5,)), ((), ()), ((), (2, 3))):
        matrix = draw(int(np.prod(codomain)), int(np.prod(domain)))
        with mock.patch.object(unrolling, "_SLAB", 200):
            dense_into(Plain(matrix, codomain, domain), matrix)
    entries = np.arange(1500.0)  # kept alive, so that what is never written is not these numbers by chance
    band = Plain(np.diag(entries) + np.eye(1500, k=1), (1500,), (1500,))
    same(band.diagonal(), entries, what="diagonal in blocks")
    given, through = draw(2), Through(np.eye(2), (2,), (2,))
    assert not np.shares_memory(through.jvp(given), given), "law purity: jvp gives its input back"
    assert not np.shares_memory(through.vjp(given), given), "law purity: vjp gives its input back"
    for operator, order in ((linops.Diagonal(draw(3)), None), (linops.Diagonal(draw(3, 2)), "F")):
        assert operator.ordered("F").order == order, f"law vec: {operator.ordered('F').order}"
    assert linops.Identity((2,), np.int64).dtype == np.float64
    assert linops.Identity((2,), np.float16).dtype == np.float32


def slots() -> None:
    """A structure whose slots are named by one string, or by several, is copied whole."""

    class One(Plain):
        __slots__ = "extra"

    class Two(Plain):
        __slots__ = ("extra",)

    for kind in (One, Two):
        made = kind(np.eye(4), (2, 2), (2, 2))
        made.extra = 3
        assert made.ordered("F").extra == 3, f"law vec: {kind.__name__} loses what it stores"


def operators() -> None:
    """+, −, ·, / and negation."""
    (x, twin), (y, other) = (c(Numbers(seed=k)) for k, c in enumerate((making.diagonal(3, 4), making.kronecker(3, 4))))
    for result, expected in (
        (x + y, twin + other),
        (x - y, twin - other),
        (2.5 * x, 2.5 * twin),
        (x * np.float64(3), 3 * twin),
        (y / 4, other / 4),
        (-y, -other),
    ):
        same(result.to_dense(), expected, what=repr(result))
    same(sum([x, y]).to_dense(), twin + other, what="sum() of Jacobians")
    for wrong in (
        lambda: 1 + x,
        lambda: 0.0 + x,
        lambda: -1 + x,
        lambda: x + 1,
        lambda: x - 1,
        lambda: x * y,
        lambda: x * [1.0],
        lambda: x @ "J",
        lambda: "J" @ x,
    ):
        try:
            wrong()
        except TypeError as error:
            if "unsupported operand" in str(error) or "can't multiply" in str(error):
                continue
            raise
        raise AssertionError("an operand that is no Jacobian or number is taken")


def constructors() -> None:
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
        assert [axis for axis in (0, -1) if found._keeps_examples(axis)] == axes, f"law batch: {found!r}"
    for factors in ((3, wide), (wide, 3)):
        assert np.array_equal(linops.Kronecker(*factors).single, wide), "the factor beside an identity"
    for factors in ((3, 3), (wide, wide)):
        try:
            linops.Kronecker(*factors).single  # noqa: B018
        except ValueError:
            continue
        raise AssertionError("no factor stands beside an identity")
    for factors in ((3, draw(4, 4)), (draw(4, 4), 3), (3, 4), (draw(3, 3), draw(4, 4))):
        full = [np.eye(f) if isinstance(f, int) else f for f in factors]
        same(linops.Kronecker(*factors).diagonal(), np.diagonal(np.kron(*full)), what="diagonal of a Kronecker product")
