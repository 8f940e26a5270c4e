"""What layouts and conventions show in a notebook: well-formed, escaped, and true."""

import itertools
from xml.etree import ElementTree

import numpy as np
import pytest

from jacobians import Convention, Layout, Network, affine, all_conventions
from jacobians.linops import Identity


def cells(html):
    table = ElementTree.fromstring(html)
    return {row[0].text: row[1].text for row in table}


def test_a_layout_is_a_table_of_its_choices():
    assert cells(Layout(bias="first", vec="F")._repr_html_()) == {
        "batch": "rows",
        "weights": "columns",
        "bias": "first",
        "vec": "F",
        "derivative": "numerator",
    }


@pytest.mark.parametrize(
    ("batch", "weights", "bias", "formula"),
    [
        ("rows", "columns", "separate", r"Z = X W + \mathbf{1} b^{\top}"),
        ("rows", "rows", "none", r"Z = X W^{\top}"),
        ("columns", "rows", "separate", r"Z = W X + b \mathbf{1}^{\top}"),
        ("columns", "columns", "none", r"Z = W^{\top} X"),
        ("rows", "rows", "first", r"Z = \begin{bmatrix} \mathbf{1} & X \end{bmatrix} W^{\top}"),
        ("rows", "columns", "last", r"Z = \begin{bmatrix} X & \mathbf{1} \end{bmatrix} W"),
        ("columns", "rows", "first", r"Z = W \begin{bmatrix} \mathbf{1} \\ X \end{bmatrix}"),
    ],
)
def test_a_layout_is_its_affine_form(batch, weights, bias, formula):
    assert Layout(batch, weights, bias)._repr_latex_() == rf"$\displaystyle {formula}$"


def test_every_layout_has_balanced_latex():
    for choices in itertools.product(("rows", "columns"), ("rows", "columns"), ("separate", "first", "last", "none")):
        text = Layout(*choices)._repr_latex_()
        assert text.count("{") == text.count("}")


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda c: c.name)
def test_a_convention_is_a_table_with_its_source(preset):
    found = cells(preset._repr_html_())
    assert found["preset"] == preset.name
    assert found["citation"] == preset.citation
    assert found["batch"].rstrip("*") == preset.layout.batch


def test_a_convention_is_escaped():
    hostile = Convention("<b>x</b>", Layout(), title="a & b", notes="<script>alert(1)</script>", weight_name="<i>")
    html = hostile._repr_html_()
    assert "<b>" not in html
    assert "<script>" not in html
    assert cells(html)["preset"] == "<b>x</b>"
    assert cells(html)["weight"] == "<i>1"


def test_a_chain_is_a_row_of_pictures_and_a_product():
    net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    chain = run.chain("Theta1", of="Z2")
    root = ElementTree.fromstring(chain._repr_html_())
    assert len(list(root.iter("{http://www.w3.org/2000/svg}svg"))) == 3
    assert chain._repr_latex_() == (
        r"$\displaystyle \frac{\partial Z_{2}}{\partial A_{1}} \frac{\partial A_{1}}{\partial Z_{1}} "
        r"\frac{\partial Z_{1}}{\partial \Theta_{1}}$"
    )
    assert chain[0]._repr_latex_() == r"$\displaystyle \frac{\partial Z_{2}}{\partial A_{1}}$"
    assert run.chain("Z1", of="Z1")._repr_html_() == "<p>the identity</p>"
    assert chain == tuple(chain)


def test_a_jacobian_is_its_structure_and_its_size():
    _, jacobians = affine(np.ones((5, 4)), np.ones((4, 3)), np.zeros(3))
    assert jacobians.W._repr_latex_() == r"$\text{Kronecker(5×4, I₃)} \in \mathbb{R}^{15 \times 12}$"


def test_what_latex_would_read_in_a_structure_is_escaped():
    class Odd(Identity):
        structure = "50% {of} a_b \\ $x^2$"

    text = Odd((2,))._repr_latex_()
    assert text == r"$\text{50\% \{of\} a\_b / \$x 2\$} \in \mathbb{R}^{2 \times 2}$"
