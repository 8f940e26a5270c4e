"""A subclass of a structure is that structure: in every rule, view and plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians.errors import LayoutError
from jacobians.linops import Denominator, Dense, Diagonal, Jacobian, Kronecker, Product
from tests.linops.cases import CASES, built
from tests.linops.comparing import same
from tests.linops.composable_operators import composable, entry

PAIRS = [(left, right) for left, rights in composable().items() for right in rights]


def as_subclass(jacobian: Jacobian) -> Any:
    """The same operator, and all that it is made of, as subclasses that add nothing."""
    kind = type(jacobian)
    other = object.__new__(type(f"Own{kind.__name__}", (kind,), {"__slots__": ()}))
    for name in kind._slots:
        value = getattr(jacobian, name)
        if isinstance(value, Jacobian):
            value = as_subclass(value)
        elif isinstance(value, tuple) and value and all(isinstance(part, Jacobian) for part in value):
            value = tuple(map(as_subclass, value))
        elif isinstance(value, (dict, list)):
            value = type(value)()  # a plan that was found for the other
        setattr(other, name, value)
    return other


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_views_of_a_subclass(name: str) -> None:
    operator, _ = built(name)
    own = as_subclass(operator)
    assert type(own) is not type(operator)
    assert own.structure == operator.structure
    same(own.to_dense("C"), operator.to_dense("C"))
    same(own.T.to_dense("F"), operator.T.to_dense("F"))
    assert (2.5 * own).structure == (2.5 * operator).structure
    assert (own + own).structure == (operator + operator).structure
    assert (own - operator).structure == (operator - operator).structure
    assert own.row_norms().tolist() == operator.row_norms().tolist()


def test_products_of_subclasses_merge_as_those_of_their_structures() -> None:
    """Every pair of the bank that fits, with one side or both as subclasses."""
    for left, right in PAIRS[::3]:
        (a, _), (b, _) = entry(left), entry(right)
        expected = a @ b
        for one, other in ((as_subclass(a), b), (a, as_subclass(b)), (as_subclass(a), as_subclass(b))):
            found = one @ other
            assert found.structure == expected.structure
            same(found.to_dense("C"), expected.to_dense("C"))
        if isinstance(expected, Product):
            assert str((as_subclass(a) @ as_subclass(b)).plan()) == str(expected.plan())


class Row(Dense):
    __slots__ = ()


def test_a_row_of_a_subclass_is_pushed_through() -> None:
    layer = Kronecker(2, np.ones((3, 4)))
    pushed = Row(np.ones((2, 3))) @ layer
    assert isinstance(pushed, Dense)
    same(pushed.gradient, np.full((2, 4), 3.0))
    column = layer @ Row(np.ones((2, 4)), codomain=(2, 4))
    assert isinstance(column, Dense)
    same(column.array, np.full((2, 3), 4.0))


def test_what_leaves_a_method_out_cannot_be_made() -> None:
    class Unfinished(Diagonal):
        _jvp = Jacobian._jvp

    with pytest.raises(TypeError, match=r"Can't instantiate abstract class Unfinished .*_jvp"):
        Unfinished(np.ones(2))
    with pytest.raises(TypeError, match="abstract class Jacobian"):
        Jacobian((2,), (2,), np.dtype(float))  # type: ignore[abstract]


def test_a_subclass_in_the_other_layout_is_refused() -> None:
    with pytest.raises(LayoutError, match="one is in denominator layout"):
        as_subclass(Denominator(Kronecker(2, np.ones((2, 3))))) @ Kronecker(2, np.ones((3, 2)))
