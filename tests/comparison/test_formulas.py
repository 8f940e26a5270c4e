"""Formulas side by side: what differs marked, and shown in every form."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from jacobians import Convention, Layout
from jacobians.array_names import ArrayNames
from jacobians.comparison import compare

RNG = np.random.default_rng(5)
X, LABELS = RNG.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])


def formulas(*conventions, sizes=(4, 5, 3), **options):
    return compare(conventions, X, LABELS, sizes=sizes, **options).formulas


def texts(rows):
    return [[cell and cell.text for cell in row.cells] for row in rows]


@pytest.mark.parametrize("names", [("ng-ml-2011", "cs231n"), ("vecderivs-rows", "ng-dlai", "cs231n-bias-trick")])
def test_the_formulas_shown_give_the_gradient_when_run(names):
    """What stands side by side is run as NumPy code, the chain of explicit matrices too."""
    result = compare(names, X, LABELS, sizes=(4, 5, 3))
    for place, side in enumerate(result.sides):
        derivation = result.formulas.derivations[place]
        gradient = side.run.gradient()
        for parameter in result.formulas.parameters.values():
            name = parameter.names[place]
            if name is None:
                continue
            formula = parameter.formula.cells[place]
            space = dict(derivation.values)
            exec(derivation.to_numpy(), space)
            assert np.allclose(space[formula.left.name], gradient[name], rtol=1e-12, atol=1e-15)
            space = dict(derivation.values)
            equation = derivation[name].chain
            exec(derivation.preamble() + equation.numpy, space)
            value = space[equation.numpy.partition(" =")[0]]
            expected = gradient[name].flatten(order=side.network.layout.vec)
            assert np.allclose(np.ravel(value), expected, rtol=1e-12, atol=1e-15)


# --- marks, rows, groups -------------------------------------------------------------------------------


def test_names_alone_are_no_difference():
    own = Convention("mine", Layout(), reduction="mean", names=ArrayNames(weight="Theta{l}"))
    found = formulas(own, "cs231n")
    assert found.rows[0].cells[0].text == "Z₁ = X Θ₁ + 1 b₁ᵀ"
    assert not [row.label for row in found.rows if row.differs]
    assert not [row.label for p in found.parameters.values() for row in (*p.factors, *p.steps) if row.differs]
    assert len(found.groups) == 2
    assert [d.about for d in found.differences] == ["names"]


def test_conventions_with_the_same_formulas_share_a_group():
    found = formulas("cs231n", "ng-dlai", "keras", "flax", "pytorch", "equinox")
    assert found.groups == ((0, 2, 3), (1,), (4, 5))


def test_rows_are_in_the_order_of_the_computation():
    found = formulas("cs231n", "ng-ml-2011", activation="sigmoid")
    labels = [row.label for row in found.rows]
    assert labels == [
        *("A1", "Z1 / Z2", "A1 / A2", "Z2 / Z3", "P / A3", "dZ2 / delta3", "dA1", "dZ1 / delta2"),
        *("weight 1", "bias 1", "weight 2", "bias 2"),
    ]
    by_label = {row.label: row for row in found.rows}
    assert by_label["A1"].cells[0] is None
    assert by_label["A1 / A2"].cells[1].text == "A₂ = [1 σ(Z₂)]"
    assert by_label["bias 1"].cells[1] is None
    assert not by_label["P / A3"].differs
    assert by_label["dZ1 / delta2"].differs


def test_a_bias_that_only_the_second_convention_has_is_there_under_its_name():
    found = formulas("ng-ml-2011", "cs231n").parameters
    assert list(found) == ["Theta1", "b1", "Theta2", "b2"]
    assert found["b1"].names == (None, "b1")
    assert found["b1"].formula.differs
    # of the factors nothing can differ: there is one chain
    assert not any(row.differs for row in found["b1"].factors)


def test_one_convention_has_nothing_to_differ_from():
    found = formulas("cs231n")
    assert found.differences == ()
    assert not any(row.differs for row in found.rows)


def test_a_single_layer():
    found = formulas("ng-ml-2011", "cs231n", sizes=(4, 3))
    assert [row.label for row in found.rows] == [*("A1", "Z2 / Z1", "A2 / P", "delta2 / dZ1", "weight 1", "bias 1")]
    assert "a selection keeps [:, 1:]" in str(found)


# --- forms ---------------------------------------------------------------------------------------------


def test_text_groups_marks_and_ends_in_the_sentences():
    found = formulas("cs231n", "keras", "pytorch")
    lines = found.to_text().splitlines()
    assert "≠ weight 1" in lines
    assert "      cs231n, keras: dW₁ = Xᵀ dZ₁" in lines
    assert "      pytorch: dW₁ = dZ₁ᵀ X" in lines
    assert lines[-1] == f"- {found.differences[-1]}"
    assert str(found) == found.to_text()


def test_to_dict_is_json_and_whole():
    found = json.loads(json.dumps(compare(["ng-ml-2011", "cs231n"], X, LABELS, sizes=(4, 5, 3)).to_dict()))["formulas"]
    assert found["conventions"] == ["ng-ml-2011", "cs231n"]
    assert found["parameters"]["Theta1"]["formula"]["formulas"][0]["numpy"] == "Theta1_grad = delta2.T @ A1 / m"
    assert found["parameters"]["Theta1"]["factors"][3] == {
        "of": "∂A2/∂Z2",
        "differs": True,
        "factors": [{"text": "Sᵀ", "matrix": [36, 30]}, None],
    }
    assert found["parameters"]["Theta1"]["steps"][-1]["steps"][1] is None
    assert "weights" in [d["about"] for d in found["differences"]]


HOSTILE = Convention("<b>x</b>", Layout(weights="rows"), reduction="mean", l2="half", title="<i>")


def test_html_is_well_formed_and_escaped():
    result = compare([HOSTILE, "ng-ml-2011"], X, LABELS, sizes=(4, 5, 3), l2=0.1)
    html = result._repr_html_()
    tree = ElementTree.fromstring(f"<div>{html}</div>")
    assert "<b>" not in html
    assert "<i>" not in html
    headers = ["".join(th.itertext()) for th in tree.iter("th")]
    assert headers[:4] == ["", "", "<b>x</b>", "ng-ml-2011"]
    items = ["".join(li.itertext()) for li in tree.iter("li")]
    assert items == [str(d) for d in result.formulas.differences]
    assert len(list(tree.iter("details"))) == len(result.formulas.parameters)
    assert html.startswith("<p>&lt;b&gt;x&lt;/b&gt; against ng-ml-2011: network 4-5-3")


def test_latex_has_a_column_for_each_group():
    text = formulas("cs231n", "keras", "ng-ml-2011")._repr_latex_()
    assert text.startswith(r"$\displaystyle \begin{array}{ll} \text{cs231n, keras} & \text{ng-ml-2011} \\ ")
    assert r"\mathrm{d}W_{1} = X^{\top} \, \mathrm{d}Z_{1} & " in text
    assert r" & \text{--}" in text
    assert text.count("{") == text.count("}")
    hostile = formulas("cs231n", Convention("a_b%", Layout(weights="rows"), reduction="mean"))._repr_latex_()
    assert r"\text{a\_b\%}" in hostile


def test_a_comparison_says_in_one_line_what_it_found():
    result = compare(["ng-ml-2011", "cs231n"], X, LABELS, sizes=(4, 5, 3))
    assert repr(result) == "ng-ml-2011 against cs231n: network 4-5-3, sigmoid, binary_cross_entropy; one gradient"
    (note,) = result.notes
    assert str(result) == f"{result!r}\n\n{note}\n\n{result.formulas}"
    assert note in result._repr_html_()
    worse = compare(["cs231n", "cs231n-bias-trick"], X, LABELS, sizes=(4, 5, 3), l2=1.0)
    assert repr(worse).endswith("; NOT one gradient")


def test_what_a_convention_lacks_is_said_and_a_missing_name_is_no_difference() -> None:
    found = formulas("ng-ml-2011", "cs231n")
    rows = {row.label: row for row in found.rows}
    assert (rows["A1"].text(1), rows["dA1"].text(0), rows["bias 1"].text(0)) == (
        "X as it is",
        "no name for it",
        "in the weight",
    )
    assert [rows[label].differs for label in ("A1", "dA1", "bias 1")] == [True, False, True]
    assert "≠ A1\n      ng-ml-2011: A₁ = [1 X]\n      cs231n: X as it is\n" in found.to_text()
    assert "X as it is" in found._repr_html_()
