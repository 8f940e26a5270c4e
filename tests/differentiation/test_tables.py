"""Printed identities: the Matrix Cookbook, Magnus & Neudecker, Minka and Giles, each proven in 50 digits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.differentiation.in_digits import DIGITS
from tests.differentiation.tables import page
from tests.differentiation.tables.identity import Identity


@pytest.mark.parametrize("section", page.COOKBOOK)
def test_the_cookbook_is_right_but_for_what_is_named(section: str) -> None:
    """Every third of a section, and what is named as wrong; the slow test of the page proves them all."""
    rows = page.COOKBOOK[section]
    for row in [row for i, row in enumerate(rows) if i % 3 == 0 or row.right]:
        page.hold(row, page.checked(row, points=1))


def test_the_proof_has_teeth() -> None:
    """A transposed result, a wrong sign, a lost factor and an asymmetric A are seen."""
    wrong = (
        Identity(number="", value="trace(A @ X @ B)", wrt="X", printed="B.T @ A.T", shapes={"A": (3, 3), "X": (3, 3)}),
        Identity(number="", value="inv(X)", wrt="X", printed="inv(X) @ dX @ inv(X)", form="differential"),
        Identity(number="", value="X @ X.T", wrt="X", printed="N(3) @ kron(X, eye(3))", form="jacobian"),
        Identity(number="", value="logdet(X)", wrt="X", printed="K(3, 3) @ kron(inv(X).T, inv(X))", form="hessian"),
        Identity(number="", value="X @ A", wrt="X", printed="delta(i, n) * A[m, j]", form="entries", indices="ij,mn",
                 shapes={"X": (3, 3), "A": (3, 3)}),
        Identity(number="", value="trace(A @ X)", wrt="X", printed="A.T", structure="coordinates",
                 shapes={"X": (3, 3)}),
    )  # fmt: skip
    for row in wrong:
        assert page.checked(row, points=1).digits < 3, row.value


def test_a_wrong_formula_of_the_library_is_seen() -> None:
    row = page.COOKBOOK["Traces"][2]
    found = page.checked(row, points=1)
    page.hold(row, found)
    with pytest.raises(AssertionError, match="the library agrees in 1 digits"):
        page.hold(row, replace(found, our_digits=1))
    with pytest.raises(AssertionError, match="the printed side agrees in 49 digits"):
        page.hold(row, replace(found, digits=DIGITS - 1))


@pytest.mark.slow
def test_the_page_is_what_is_proven() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page(page.POINTS)
