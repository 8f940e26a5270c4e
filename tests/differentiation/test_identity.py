"""`audit` of derivatives of matrices: every layout, the coordinates of symmetric matrices, assumptions, and slips."""

from __future__ import annotations

import re

import pytest

import jacobians as jac
from jacobians.differentiation import IdentityAudit
from jacobians.differentiation.identity_text import identity_text
from jacobians.errors import FormulaError, LayoutError
from tests.differentiation.tables.cookbook import COOKBOOK
from tests.differentiation.tables.identity import Identity

SHAPED, TURNED = "denominator layout, the shape of {}", "numerator layout, its transpose"

RIGHT = {
    "∂ log det X/∂X = X⁻ᵀ": SHAPED.format("X"),
    "∂ log det X/∂X = X⁻¹": TURNED,
    "∂ ln|X|/∂X = inv(X)'": SHAPED.format("X"),
    "d tr(AXB)/dX = A'B'": SHAPED.format("X"),
    "d tr(AXB)/dX = BA": TURNED,
    "∂(a'Xb)/∂X = ab'": SHAPED.format("X"),
    "∂/∂X tr(AX) = A'": SHAPED.format("X"),
    "d/dX tr(AX) = A": TURNED,
    "∇_X log det X = inv(X)'": SHAPED.format("X"),
    r"\frac{\partial \log\det X}{\partial X} = X^{-\top}": SHAPED.format("X"),
    r"\frac{\partial}{\partial X} \operatorname{tr}(A X) = A^T": SHAPED.format("X"),
    r"\nabla_{x} x^T A x = (A + A^T) x": SHAPED.format("x"),
    r"\frac{\partial \ln|\Sigma|}{\partial \Sigma} = \Sigma^{-T}": SHAPED.format(r"\Sigma"),
    "∂(x'Ax)/∂x' = x'(A + A')": TURNED,
    "∂Ax/∂x' = A": "numerator layout",
    "∂Ax/∂x = A'": "denominator layout",
    "∂vec(AXB)/∂vec X = B' ⊗ A": "numerator layout, vec by columns",
    "∂vec(AXB)/∂vec X = A ⊗ B'": "numerator layout, vec by rows",
    "∂vec(AXB)/∂vec X = B ⊗ A'": "denominator layout, vec by columns",
    "d(log det X) = tr(X⁻¹ dX)": "every layout",
    "d(X⁻¹) = −X⁻¹ dX X⁻¹": "every layout",
    r"\partial(X^{-1}) = -X^{-1} (\partial X) X^{-1}": "every layout",
    "∂²(x'Ax)/∂x∂x' = A + A'": "denominator layout, and numerator layout",
    r"\frac{\partial^2 x^T A x}{\partial x \partial x^T} = A + A^T": "denominator layout, and numerator layout",
    "∂(x'Ax)/∂x = 2Ax, A symmetric": SHAPED.format("x"),
    "∂(x'Ax)/∂x = 2Ax for a symmetric A": SHAPED.format("x"),
    "∂ log det X/∂X = 2X⁻¹ − X⁻¹∘I (X symmetric)":
        "every layout, by the entries on and below the diagonal of a symmetric X: G + Gᵀ − G ∘ I",
    "∂ tr(AX)/∂X = (A + A')/2, X symmetric": "every layout, within the symmetric matrices: (G + Gᵀ)/2",
    "∂ det(AXB)/∂X = det(AXB) X⁻ᵀ": SHAPED.format("X"),
    "∂ tr X/∂X = I": f"{SHAPED.format('X')}, and {TURNED}",
    "∂‖Ax − b‖²/∂x = 2A'(Ax − b)": SHAPED.format("x"),
    "∂(alpha A)/∂alpha = A": "numerator layout, the shape of the value",
    "d(np.trace(A @ X))/dX = A.T": SHAPED.format("X"),
}  # fmt: skip


@pytest.mark.parametrize("text", RIGHT)
def test_right_identities_and_their_layouts(text: str) -> None:
    found = jac.audit(text)
    assert isinstance(found, IdentityAudit)
    assert found.verdict == "right", str(found)
    assert found.convention == RIGHT[text]
    assert str(found).startswith(text)


WRONG = {
    "d(X⁻¹) = X⁻¹ dX X⁻¹": "It is -1 times the right one",
    "∂ tr(AX)/∂X = 2A'": "It is 2 times the right one",
    "∂ |X|/∂X = X^-T": "It is the right one times a number that varies",
    "∂(x'a)/∂x = 1": "does not conform",
    "∂ tr(AX)/∂X = XA": "The right side is 4×4, and the derivative is 4×3 or 3×4.",
    "∂ tr(AXB)/∂X = B'A'": "right where A and B are symmetric, in numerator layout, its transpose",
    "∂ tr(AXB)/∂X = A'B' X": "does not conform",
    "∂(x'Ax)/∂x = 2Ax": "right where A is symmetric, in denominator layout, the shape of x",
    "∂ log det X/∂X = 2X⁻¹ − X⁻¹∘I": "right where X is symmetric, by the entries on and below the diagonal",
    "∂ tr(X²)/∂X = 2X + X'": "The shapes fit, but the values differ",
    "∂²(x'Ax)/∂x∂x' = A": "The shapes fit",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_identities_say_what_is_wrong(text: str) -> None:
    found = jac.audit(text)
    assert not found
    assert WRONG[text] in " ".join(str(found).split())
    assert found.to_dict()["verdict"] == found.verdict
    assert "right" not in found.convention


def test_a_layout_is_asked_for_and_the_other_is_named() -> None:
    found = jac.audit("∂ log det X/∂X = X⁻¹", layout="denominator")
    assert not found
    assert found.elsewhere == (f"in {TURNED}",)
    assert "∂f/∂X = inv(X)ᵀ" in str(found)
    assert jac.audit("∂ log det X/∂X = X⁻¹", layout="numerator")
    assert jac.audit("∂ log det X/∂X = X⁻¹", "ng-dlai")  # a convention in numerator layout
    denominator = jac.convention("ng-dlai")
    denominator = denominator.replace(layout=denominator.layout.replace(derivative="denominator"))
    assert not jac.audit("∂ log det X/∂X = X⁻¹", denominator)
    assert jac.audit("∂(x'Ax)/∂x = (A + A') x", layout="mixed")  # the Matrix Cookbook's
    assert jac.audit("∂Ax/∂x = A", layout="mixed")
    assert not jac.audit("∂Ax/∂x = A'", layout="mixed")
    with pytest.raises(LayoutError, match="the layout is numerator, denominator or mixed, not 'rows'"):
        jac.audit("∂ log det X/∂X = X⁻¹", layout="rows")  # type: ignore[arg-type]


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(FormulaError, match="'C' is not on the left side; its names are A, X"):
        jac.audit("∂ tr(AX)/∂X = C")
    with pytest.raises(FormulaError, match="'Y' is not in"):
        jac.audit("∂ tr(AX)/∂Y = A'")
    assert not jac.audit("∂pinv(X)/∂X = X")  # no formula is known, and the numbers are
    assert jac.audit("∂ tr(X)/∂X = I").nearest.numpy == "dX = np.eye(3)"


@pytest.mark.parametrize(
    "text",
    [
        "dW1 = X.T @ dZ1",
        "dL/dW1 = X.T @ dZ1",
        r"\frac{\partial L}{\partial W_1} = X^T \mathrm{d}Z_1",
        r"\nabla_{W_1} L = X^T \mathrm{d}Z_1",
        r"\frac{\partial J(\theta)}{\partial \theta} = X",
        r"\delta^L = \nabla_a C \odot \sigma'(z^L)",
        "dZ1/dX = W1.T",
        "dZ2 = dA2 * (A2 > 0)",
        "d_W = x",
        "dX[mask] = 0 * dX",
        "dA = dZ @ W.T\ndX = dA",
        "∂J/∂W = δ x'",
    ],
)
def test_formulas_of_networks_are_none(text: str) -> None:
    assert identity_text(text) is None


GRADIENTS = [
    row
    for rows in COOKBOOK.values()
    for row in rows
    if row.form == "gradient" and row.expression and not row.where and not row.structure
    and not re.search(r"total|pinv|eye\(|np\.ones|kron|eig|matrix_power\(\w+, 4", row.printed)
]  # fmt: skip


def _text(row: Identity) -> str:
    assumed = f", {row.symmetric.replace(' ', ' and ')} symmetric" if row.symmetric else ""
    return f"d({row.expression})/d{row.wrt} = {row.printed}{assumed}"


@pytest.mark.parametrize("row", GRADIENTS[::4], ids=lambda row: f"{row.number}: {row.value}")
def test_the_cookbook_by_the_audit(row: Identity) -> None:
    assert bool(jac.audit(_text(row), notation="numpy", layout="denominator")) == (not row.right)


@pytest.mark.slow
@pytest.mark.parametrize("row", GRADIENTS, ids=lambda row: f"{row.number}: {row.value}")
def test_all_of_the_cookbook_by_the_audit(row: Identity) -> None:
    test_the_cookbook_by_the_audit(row)
