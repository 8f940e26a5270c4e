"""What the algebra refuses: shapes that do not fit, orders and layouts that do not mix, and what is no number."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from jacobians import affine, sigmoid
from jacobians.errors import ArgumentError, DTypeError, LayoutError, ShapeError
from jacobians.linops import (
    Denominator,
    Dense,
    Diagonal,
    Identity,
    Jacobian,
    Kronecker,
    Scaled,
    Zero,
)
from tests.linops.comparing import draw, same


@pytest.mark.parametrize("factor", [2j, "2", None, np.array(2j)])
def test_a_multiple_that_is_no_real_number_is_refused(factor: Any) -> None:
    with pytest.raises(DTypeError, match=r"\*: factor (has dtype|is) .*; expected real numbers"):
        Identity((2,)) * factor


@pytest.mark.parametrize("other", [Identity((2,)), np.ones(2), [1.0, 2.0]])
def test_only_numbers_multiply(other: Any) -> None:
    for multiply in (lambda: Identity((2,)) * other, lambda: other * Identity((2,)), lambda: Identity((2,)) / other):
        with pytest.raises(TypeError):
            multiply()


@pytest.mark.parametrize("other", [2.0, [1.0, 2.0], "J"])
def test_only_jacobians_and_arrays_join(other: Any) -> None:
    J = Identity((2,))
    joins = [lambda: J @ other, lambda: other @ J, lambda: J + other, lambda: other + J, lambda: J - other]
    for join in joins:
        with pytest.raises(TypeError):
            join()


# --- what may not be mixed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (
            Kronecker(4, np.ones((3, 2))),
            Diagonal(np.ones((2, 4))),
            r"@: the left factor Kronecker\(I₄, 3×2\) \(12, 8\) takes arrays of shape \(4, 2\), the right factor "
            r"Diagonal\(2×4\) \(8, 8\) gives \(2, 4\); one is the other's transpose: is the batch in rows in one and "
            r"in columns in the other\?$",
        ),
        (
            Kronecker(4, np.ones((3, 2))),
            Diagonal(np.ones((4, 3))),
            r"gives \(4, 3\); the other order or a transpose would fit: numerator layout reads J_outer @ J_inner$",
        ),
        (Identity((2,)), Identity((3,)), r"takes arrays of shape \(2,\), the right factor .* gives \(3,\)$"),
        (
            Denominator(Diagonal(np.ones((4, 3)))),
            Denominator(Kronecker(4, np.ones((3, 2)))),
            r"gives arrays of shape \(4, 3\), the right factor .* takes \(4, 2\); the other order or a transpose would "
            r"fit: denominator layout reads J_inner @ J_outer$",
        ),
        (
            Denominator(Dense(np.ones((2, 3)), (2,))),
            Denominator(Dense(np.ones((4, 5)), (4,))),
            r"@: the left factor Denominator\[Dense\(2×3\)\] \(3, 2\) .* Denominator\[Dense\(4×5\)\] \(5, 4\)",
        ),
    ],
)
def test_products_that_do_not_fit(left: Jacobian, right: Jacobian, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        left @ right


def test_sums_that_do_not_fit() -> None:
    message = r"\+: Identity\(2\) maps \(2,\) to \(2,\), Zero\(3 to 2\) maps \(3,\) to \(2,\); both must agree"
    for join in (lambda a, b: a + b, lambda a, b: a - b):
        with pytest.raises(ShapeError, match=message):
            join(Identity((2,)), Zero((2,), (3,)))
        with pytest.raises(ShapeError, match="both must agree"):
            join(Zero((2,), (3,)), Zero((4,), (3,)))


SQUARE = (3, 3)


@pytest.mark.parametrize("verb", ["multiply", "add"])
def test_vec_orders_do_not_mix(verb: str) -> None:
    """Not even where the shapes fit either way; maps of vectors carry no order, and fit both."""
    c, f = Kronecker(draw(3, 3), 3).ordered("C"), Kronecker(3, draw(3, 3)).ordered("F")
    join = (lambda a, b: a @ b) if verb == "multiply" else (lambda a, b: a + b)
    for left, right in itertools.permutations((c, f)):
        message = rf"{left.order!r}.*{right.order!r}; give every operation the same layout, or convert one with"
        with pytest.raises(LayoutError, match=message):
            join(left, right)
    assert join(c.ordered("F"), f).order == "F"
    assert join(c, Identity(SQUARE)).order == "C"
    assert join(Identity(SQUARE), f).order == "F"
    vector = Dense(draw(3, 3), (3,)).ordered("C")
    assert vector.order is None
    assert (vector @ Dense(draw(3, 3, 3), (3,)).ordered("F")).order == "F"


@pytest.mark.parametrize("verb", ["multiply", "add"])
def test_derivative_layouts_do_not_mix(verb: str) -> None:
    """Not even where the shapes are square; symmetric structures are the same in both, and join either."""
    join = (lambda a, b: a @ b) if verb == "multiply" else (lambda a, b: a + b)
    numerator, denominator = Dense(draw(3, 3, 3, 3), SQUARE), Denominator(Dense(draw(3, 3, 3, 3), SQUARE))
    for left, right in itertools.permutations((numerator, denominator)):
        message = (
            rf"cannot {verb} .*: one is in denominator layout, the other in numerator layout; give every operation"
        )
        with pytest.raises(LayoutError, match=message):
            join(left, right)
    for symmetric in (Identity(SQUARE), Diagonal(draw(*SQUARE)), Scaled(2.0, Identity(SQUARE))):
        for left, right in itertools.permutations((symmetric, denominator)):
            joined = join(left, right)
            assert type(joined) is Denominator
            same(joined.to_dense(), join(left.to_dense(), right.to_dense()))


@pytest.mark.parametrize("pair", [sigmoid(np.ones(2)), list(sigmoid(np.ones(2))), affine([[1.0]], [[1.0]], [1.0])])
def test_a_value_with_its_jacobian_in_place_of_the_jacobian(pair: Any) -> None:
    J = Diagonal(np.ones(2))
    for multiply in (lambda: J @ pair, lambda: pair @ J):
        with pytest.raises(ArgumentError) as caught:
            multiply()
        assert str(caught.value) == (
            "@: one operand is a pair of a value and its Jacobian, the other is Diagonal(2) (2, 2); an "
            "operation returns both: take the Jacobian alone, as in A, J = sigmoid(Z)"
        )
