"""What `audit` returns: verdicts, the shapes term by term, its printed forms, and the settings it compares in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from jacobians import Convention, Layout, Network, all_conventions, convention
from jacobians.auditing import audit, names
from jacobians.auditing.random_batches import RandomBatches, examples_apart
from jacobians.conventions import Task
from jacobians.errors import FormulaError


def test_the_three_verdicts() -> None:
    right = audit("dW1 = X.T @ dZ1")
    assert (right.verdict, bool(right), right.problem, right.slips, right.mended) == ("right", True, "", (), None)
    assert right.difference is not None
    assert right.difference < 1e-14
    wrong = audit("dW1 = X.T @ dZ1 / N")
    assert (wrong.verdict, bool(wrong)) == ("wrong", False)
    assert wrong.difference == pytest.approx(1 - 1 / 9)
    clash = audit("dW1 = X @ dZ1")
    assert (clash.verdict, bool(clash), clash.difference) == ("does not conform", False, None)
    assert clash.problem == "matrix product: 9×7 times 9×5 is not conformable"
    other = audit("dW1 = dZ1.T @ X")
    assert (other.verdict, other.problem) == ("does not conform", "the right side is 5×7, and dW1 is 7×5")


def test_shapes_are_given_term_by_term() -> None:
    found = audit("dZ1 = (dZ2 @ W2) * sigmoid_prime(Z1)")
    assert [(row.text, row.shape) for row in found.shapes] == [("dZ2", (9, 3)), ("W2", (5, 3)), ("dZ2 @ W2", None)]
    assert [row.fits for row in found.shapes] == [True, True, False]
    right = audit("db1 = np.sum(dZ1, axis=0) / 1")
    assert [(row.text, row.shape) for row in right.shapes] == [
        ("dZ1", (9, 5)),
        ("np.sum(dZ1, axis=0)", (5,)),
        ("np.sum(dZ1, axis=0) / 1", (5,)),
    ]


def test_as_text() -> None:
    text = str(audit("dTheta2 = delta3.T @ A2", "ng-ml-2011"))
    assert text.splitlines() == [
        "dTheta2 = delta3.T @ A2",
        "",
        "wrong in ng-ml-2011 (Theta2_grad: the gradient with respect to Theta2)",
        "The shapes fit, but the values differ, by up to 8 times the largest entry.",
        "Slip: missing-1/m. 1/m is missing: it is m = 9 times the right one.",
        "read so: the loss is the mean of binary_cross_entropy over the 9 examples",
        "",
        "right         dTheta2 = delta3.T @ A2 / m",
        "in symbols    Θ₂_grad = δ₃ᵀ A₂ / m",
        "",
        "shapes",
        "  delta3         9×3",
        "  delta3.T       3×9",
        "  A2             9×6",
        "  delta3.T @ A2  3×6",
    ]
    assert str(audit("dW1 = X.T @ dZ1")).endswith("compared on 3 random batches")


@pytest.mark.parametrize(
    ("formula", "convention", "right"),
    [
        ("dW2 = np.dot(dscores.T, hidden_layer)", "cs231n", "dW2 = hidden_layer.T @ dscores"),
        ("Theta2_grad = delta3' * a2", "ng-ml-2011", "Theta2_grad = delta3' * a2 / m"),
        (
            "delta2 = delta3 * Theta2 .* sigmoidGradient(z2)",
            "ng-ml-2011",
            "delta2 = (delta3 * Theta2)(:, 2:end) .* sigmoidGradient(z2)",
        ),
        ("dZ1 = W2' * dZ2 .* Z1", "ng-dlai", "dZ1 = dA1 .* relu_prime(Z1)"),
        (r"\delta_2 = \delta_3 \Theta_2", "ng-ml-2011", None),
    ],
)
def test_the_right_formula_is_in_the_notation_and_the_names_of_the_wrong_one(
    formula: str, convention: str, right: str | None
) -> None:
    found = audit(formula, convention)
    assert not found
    assert found.to_dict()["in_own_words"] == (right or found.nearest.latex)
    assert f"right         {right or found.nearest.latex}" in str(found)
    if right:
        assert audit(right, convention)


def test_labels_that_are_read_as_one_hot_are_said() -> None:
    assert audit("dscores = (probs - y) / N").reading == "y is one-hot, 9×3, not a list of labels"
    assert audit("dscores = (probs - Y) / N").reading == ""


def test_as_html_nothing_is_taken_for_markup() -> None:
    page = audit("dZ1 = dA1 * (Z1 > 0)", activation="sigmoid")._repr_html_()
    assert "Z1 &gt; 0" in page
    assert "Z1 > 0" not in page
    assert "<math" in page
    assert "<math" not in audit("dW1 = X.T @ dZ1")._repr_html_()


def test_as_plain_data() -> None:
    plain = json.loads(json.dumps(audit("dW1 = X.T @ (dZ1 / N)").to_dict()))
    assert (plain["verdict"], plain["slip"]) == ("wrong", "superfluous-1/N")
    assert plain["nearest"]["numpy"] == "dW1 = X.T @ dZ1"
    assert plain["shapes"][0] == {"text": "X", "shape": [9, 7]}
    assert json.loads(json.dumps(audit("dW1 = X @ dZ1").to_dict()))["difference"] is None


def test_a_network_of_ones_own() -> None:
    net = Network.dense((4, 3, 2), convention="pytorch", activation="relu")
    assert audit("dW1 = (dA1 * (Z1 > 0)).T @ X", net)
    assert audit("dW1 = X.T @ (dA1 * (Z1 > 0))", net).slip == "transposed-result"
    assert audit("dW1 = X.T @ dZ1", net).elsewhere == (), "another network is not made of it"


def test_jacobians_are_taken_for_one_example() -> None:
    assert audit("dZ2/dA1 = W2.T")
    assert audit("dZ2/dX = W2.T * sigmoid_prime(Z1) @ W1.T")
    found = audit("dZ2/dA1 = W2")
    assert found.slip == "other-derivative-layout"
    assert found.nearest.numpy == "dZ2_dA1 = W2.T"
    assert audit("dZ2/dA1 = W2", "cs229")
    assert audit(r"\frac{\partial z_2}{\partial a_1} = W_2", "cs229")


def test_the_regulariser_comes_with_its_name() -> None:
    assert audit("dW1 = X.T @ dZ1 + reg * W1")
    assert audit("dW1 = X.T @ dZ1", l2=0.0)
    with pytest.raises(FormulaError, match="'reg' is unknown"):
        audit("dW1 = X.T @ dZ1 + reg * W1", l2=0.0)
    assert audit("dTheta1 = delta2.T @ A1 / m + lam / m * np.pad(Theta1[:, 1:], ((0, 0), (1, 0)))", "ng-ml-2011")


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda c: c.name)
def test_sizes_all_differ_and_values_are_generic(preset) -> None:  # type: ignore[no-untyped-def]
    """No two axes have one length by chance; biases and both sides of a kink are there."""
    sizes = (7, 5, 3)
    setting = RandomBatches.of(Network.dense(sizes, convention=preset, activation="relu"), examples_apart(sizes), 0, 3)
    lengths = {*sizes, *(n + 1 for n in sizes), setting.examples}
    assert len(lengths) == 2 * len(sizes) + 1
    for draw in setting.draws:
        assert all(np.abs(array).min() > 0 for array in draw.run.params.values())
        assert draw.run.values[draw.run.outputs[0]].min() < 0 < draw.run.values[draw.run.outputs[0]].max()
    values = [draw.run.gradient(inputs=True)["X"] for draw in setting.draws]
    assert not np.allclose(values[0], values[1])


def test_the_same_call_says_the_same() -> None:
    assert str(audit("dW1 = X.T @ dZ1 / N", seed=3)) == str(audit("dW1 = X.T @ dZ1 / N", seed=3))


def test_one_call_leaves_no_trace_in_the_next() -> None:
    """Formulas of the same network are tried on the same batches."""
    assert audit("dW2 = A1.T @ V", where={"V": "dZ2"})
    assert audit("dW2 = A1.T @ V", where={"V": "2 * dZ2"}).slip == "factor-2"
    with pytest.raises(FormulaError, match="'V' is unknown"):
        audit("dW2 = A1.T @ V")
    assert audit("dW2 = A1.T @ dZ2", seed=[1, 2])  # type: ignore[arg-type]  # NumPy takes several numbers as a seed


def test_the_order_of_a_convention_s_tasks_is_seen() -> None:
    """Equal dicts need not have one order, and the first task of two with one loss is the source's."""
    half, whole = Task("squared_error", factor=0.5), Task("squared_error")
    for tasks, formula in (({"a": half, "b": whole}, "dZ2 = P - Y"), ({"b": whole, "a": half}, "dZ2 = 2 * (P - Y)")):
        own = Convention("own", Layout(), reduction="sum", tasks=tasks)
        assert audit(formula, own, loss="squared_error"), formula


def test_the_names_of_a_convention() -> None:
    found = names("ng-ml-2011", sizes=(400, 25, 10))
    assert found["Theta1"] == ("25×401", "given")
    assert found["delta3"] == ("5×10", "the cotangent of Z3")
    assert found["m"] == ("scalar", "given")
    assert not [name for name in found if name.startswith("J_")]
    ours = convention("ng-ml-2011").replace(name="ours")
    assert "Theta1" in names(ours)
    assert "delta2" in names(ours), "the names are the convention's own, whatever it is called"


def test_a_synonym_never_hides_a_name() -> None:
    """a1 is A1 where there is one, and the inputs only where there is none."""
    assert audit("dTheta1 = delta2.T @ a1 / m", "ng-ml-2011"), "a¹ with its ones"
    assert audit("dW1 = delta2 @ a1.T / m", "ng-ufldl"), "a¹ is the input there"
    assert audit("dW2 = a1.T @ dZ2", "cs231n"), "a1 is the hidden layer"


def test_a_name_of_your_own_on_the_left_claims_its_definition() -> None:
    """A tutorial calls dW2 grad_w2; another one's delta is the direction of descent, −dZ2."""
    where = {"grad_w2": "dW2", "h_relu": "A1", "grad_y_pred": "dZ2", "down": "-dZ2", "step": "W2 - 0.5 * dW2"}
    assert audit("grad_w2 = h_relu.T.dot(grad_y_pred)", where=where)
    assert audit("down = (Y - P) / N", where=where)
    assert audit("step = W2 - 0.5 * A1.T @ dZ2", where=where)
    wrong = audit("grad_w2 = h_relu.dot(grad_y_pred)", where=where)
    assert (wrong.claim, wrong.slip) == ("dW2: the gradient with respect to W2", "missing-transpose")
    upwards = audit("down = (P - Y) / N", where=where)
    assert (upwards.claim, upwards.slip, upwards.nearest.numpy) == ("down: as you define it", "sign", "down = -dZ2")


def test_a_name_of_your_own_is_not_used_for_itself() -> None:
    with pytest.raises(FormulaError, match="cannot use down itself"):
        audit("down = 2 * down / 2", where={"down": "-dZ2"})


def test_a_strength_counts_where_the_formula_uses_it() -> None:
    """A source's names are given once for all its lines; one of them may be l2, and be no strength at all."""
    where = {"strength": "lam", "l2": "P"}
    assert audit("dW1 = X.T @ dZ1", where=where)
    assert audit("dZ2 = (l2 - Y) / N", where=where)
    assert audit("dW1 = X.T @ dZ1 + strength * W1", where=where)
    assert audit("dW1 = X.T @ dZ1", where=where, l2=0.1).slip == "missing-regulariser"
