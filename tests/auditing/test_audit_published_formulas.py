"""Eight slips that were printed: the formula as the source has it, its verdict, its slip, and the right formula.

Each is read in the convention of its source. What the source fixes beside a preset (one example, other sizes, numerator
layout, names of its own) is said in the test.
"""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Network, convention
from jacobians.auditing import audit
from jacobians.operations import Affine, ReLU, Sigmoid, SquaredError

COLUMNS = convention("vecderivs-columns")


def test_cs229_notes_page_12() -> None:
    """CS229, Deep Learning, p. 12: [(a³ − y)W³ ∘ g′]a¹ᵀ. One example, two hidden layers of 3 and 2, one output."""
    printed = r"dW^{[2]} = \left[(a^{[3]} - y) W^{[3]} \circ g'(z^{[2]})\right] a^{[1]\top}"
    found = audit(printed, "cs229", sizes=(4, 3, 2, 1), loss="binary_cross_entropy", examples=1)
    assert (found.verdict, found.slip) == ("does not conform", "missing-transpose")
    assert found.problem == "elementwise product: 1×2 and 2×1 do not fit"
    assert found.slips[0].clause == "`(a^{[3]} - y) W^{[3]}` must be transposed"
    assert found.nearest.numpy == "dW2 = delta2 @ A1.T"
    mended = r"dW^{[2]} = [((a^{[3]} - y) W^{[3]})^\top \circ g'(z^{[2]})] a^{[1]\top}"
    assert audit(mended, "cs229", sizes=(4, 3, 2, 1), loss="binary_cross_entropy", examples=1)


def test_ng_exercise_4_step_3() -> None:
    """ex4.pdf, §2.3, step 3: δ² = Θ²ᵀδ³ .∗ g′(z²). The text keeps one example in a column; 400-25-10 units."""
    ng = convention("ng-ml-2011")
    text = ng.replace(layout=ng.layout.replace(batch="columns"))
    found = audit("delta2 = Theta2' * delta3 .* sigmoidGradient(z2)", text, sizes=(400, 25, 10), examples=1)
    assert (found.verdict, found.slip) == ("does not conform", "bias-entry-kept")
    assert found.problem == "elementwise product: 26×1 and 25×1 do not fit"
    assert [(r.text, r.shape) for r in found.shapes if r.shape == (26, 1)] == [("Theta2' * delta3", (26, 1))]
    assert not found.shapes[-1].fits
    assert found.nearest.numpy == "delta2 = (Theta2.T @ delta3)[1:, :] * sigmoid_prime(Z2)"
    assert audit("delta2 = (Theta2' * delta3)(2:end) .* sigmoidGradient(z2)", text, sizes=(400, 25, 10), examples=1)


def test_vecderivs_equation_7() -> None:
    """Learned-Miller, eq. 7: dy/dx = W for rows. It is Wᵀ in numerator layout, in which the text's columns are."""
    rows = convention("vecderivs-rows")
    numerator = rows.replace(layout=rows.layout.replace(derivative="numerator"))
    printed = r"\frac{dy}{dx} = W"
    found = audit(printed, numerator, sizes=(4, 3))
    assert (found.verdict, found.slip) == ("does not conform", "other-derivative-layout")
    assert found.nearest.text == "∂Z₁/∂X = W₁ᵀ"
    assert found.explanation == "It is written in denominator layout, the convention's is numerator."
    assert audit(printed, rows, sizes=(4, 3)), "right in denominator layout, which the preset has"
    assert audit(printed, "vecderivs-columns", sizes=(4, 3)), "and for columns in numerator layout"


def test_cs224n_2017() -> None:
    """CS224n 2017, z = W x: δᵀx, where δ = ∂J/∂z is a row. A later copy prints δᵀxᵀ. One example."""
    delta = {"delta": "dZ1.T"}
    found = audit(
        r"\frac{\partial J}{\partial W} = \delta^\top x", "cs224n-columns", sizes=(4, 3), examples=1, where=delta
    )
    assert (found.verdict, found.slip) == ("does not conform", "missing-transpose")
    assert found.problem == "matrix product: 3×1 times 4×1 is not conformable"
    assert found.mended is not None
    assert found.mended.numpy == "dW1 = delta.T @ X.T"
    assert found.nearest.numpy == "dW1 = delta1 @ X.T"
    later = audit(
        r"\frac{\partial J}{\partial W} = \delta^\top x^\top", "cs224n-columns", sizes=(4, 3), examples=1, where=delta
    )
    assert later


def test_mml_5_106() -> None:
    """MML (5.106): ∂(aᵀXb)/∂X = abᵀ, while (5.40) and (5.58) make a gradient a row: numerator layout.

    aᵀXb is a network of two linear maps, with X the first one's weights.
    """
    layers = [Affine(COLUMNS.layout, (4, 3)), Affine(COLUMNS.layout, (3, 1))]
    net = Network(layers, SquaredError(layout=COLUMNS.layout), COLUMNS)
    names = {"a": "W2.T", "b": "X"}
    found = audit(r"\frac{\partial f}{\partial W_1} = a b^\top", net, where=names)
    assert (found.verdict, found.slip) == ("does not conform", "other-derivative-layout")
    assert found.nearest.text == "∂Z₂/∂W₁ = X W₂"
    assert found.mended is not None
    assert found.mended.numpy.endswith("= b @ a.T")
    assert audit(r"\frac{\partial f}{\partial W_1} = b a^\top", net, where=names)


def test_cross_validated_quadratic_loss() -> None:
    """∇₁R[1:M] = −2 Σ zᵢ g′(zᵢ)(yᵢ − f(xᵢ)) with zᵢ = A¹(s(A²(xᵢ))), a scalar; the factor must be the hidden layer.

    Σᵢ over examples in columns is the product by zᵀ; R = Σ(y − f)².
    """
    convention_ = COLUMNS.replace(reduction="sum")
    layers = [Affine(COLUMNS.layout, (4, 3)), Sigmoid(), Affine(COLUMNS.layout, (3, 1)), Sigmoid()]
    net = Network(layers, SquaredError(1.0, "sum", COLUMNS.layout), convention_)
    names = {"z": "Z2", "f": "A2", "hidden": "A1"}
    found = audit(r"dW_2 = -2 (g'(z) \circ (y - f)) z^\top", net, where=names)
    assert (found.verdict, found.slip) == ("does not conform", "wrong-array")
    assert found.problem == "the right side is 1×1, and dW2 is 1×3"
    assert found.explanation == "`z` stands where `A1` belongs."
    assert found.nearest.numpy == "dW2 = dZ2 @ A1.T"
    assert audit(r"dW_2 = -2 (g'(z) \circ (y - f)) \mathrm{hidden}^\top", net, where=names)


def test_scikit_learn_8349() -> None:
    """MLPRegressor's squared loss is divided by N·K, its gradient by N: the gradient is exactly K times too large."""
    sk = convention("sklearn-mlp").replace(reduction="mean-all")
    layers = [Affine(sk.layout, (7, 5)), ReLU(), Affine(sk.layout, (5, 3))]
    net = Network(layers, SquaredError(0.5, "mean-all", sk.layout), sk)
    found = audit("dW2 = A1.T @ (Z2 - Y) / n", net)
    assert (found.verdict, found.slip) == ("wrong", "missing-1/K")
    assert found.difference == pytest.approx(3 - 1)
    assert found.explanation == "1/K is missing: it is K = 3 times the right one."
    assert found.nearest.numpy == "dW2 = A1.T @ dZ2 / (n * K)"


def test_mazur_after_the_first_round() -> None:
    """Mazur's 0.291027924: the hidden deltas used the updated output weights; with the old ones it is 0.291027774."""
    found = audit(
        "dZ1 = (dZ2 @ W2_new.T) * sigmoid_prime(Z1)",
        "cs231n",
        sizes=(2, 4, 3),
        activation="sigmoid",
        where={"W2_new": "W2 - 0.5 * dW2"},
    )
    assert (found.verdict, found.slip) == ("wrong", "updated-weights")
    assert found.mended is not None
    assert found.mended.numpy == "dZ1 = (dZ2 @ W2.T) * sigmoid_prime(Z1)"
    assert found.nearest.numpy == "dZ1 = dA1 * sigmoid_prime(Z1)"

    def error_after_one_round(*, updated: bool) -> float:
        def s(z: np.ndarray) -> np.ndarray:
            return 1 / (1 + np.exp(-z))

        x, t = np.array([0.05, 0.10]), np.array([0.01, 0.99])
        W1, b1 = np.array([[0.15, 0.20], [0.25, 0.30]]), 0.35
        W2, b2 = np.array([[0.40, 0.45], [0.50, 0.55]]), 0.60
        h = s(W1 @ x + b1)
        o = s(W2 @ h + b2)
        d2 = (o - t) * o * (1 - o)
        W2_new = W2 - 0.5 * np.outer(d2, h)
        d1 = ((W2_new if updated else W2).T @ d2) * h * (1 - h)
        W1_new = W1 - 0.5 * np.outer(d1, x)
        return float(0.5 * np.sum((t - s(W2_new @ s(W1_new @ x + b1) + b2)) ** 2))

    # the printed number has nine digits
    assert f"{error_after_one_round(updated=True):.9f}" == "0.291027924"
    assert f"{error_after_one_round(updated=False):.9f}" == "0.291027774"
