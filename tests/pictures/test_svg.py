"""SVG: well-formed, named cells at their places, nothing that runs, text escaped, colours of the page."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from jacobians import Network
from jacobians.errors import ShapeError
from jacobians.factors import Factor
from jacobians.linops import Commutation, Denominator, Dense, Identity, Kronecker, Product, Zero
from jacobians.pictures import chain_html, picture, svg
from jacobians.pictures.cells import NEGATIVE, POSITIVE
from tests.linops.cases import CASES, built
from tests.linops.dense_twins import indices

SVG = "{http://www.w3.org/2000/svg}"
rng = np.random.default_rng(4)
ODD = '<b>x</b>"&'


def parsed(drawn, **options):
    return ET.fromstring(svg(drawn, **options))


def title(element):
    found = element.find(f"{SVG}title")
    return None if found is None else found.text


def number(element, name):
    return float(element.get(name))


@pytest.fixture(scope="module")
def run():
    net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    return net.run(net.init(rng), rng.normal(size=(5, 4)), [0, 1, 1, 0, 1])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_structure_is_drawn(case):
    """One rectangle for each entry that is not 0, and one for the frame."""
    jacobian, twin = built(case.name)
    root = parsed(picture(jacobian))
    assert root.get("role") == "img"
    numerator = jacobian.numerator if isinstance(jacobian, Denominator) else jacobian
    assert title(root) == f"∂y/∂x: {numerator.structure}"
    assert len(root.findall(f"{SVG}rect")) == np.count_nonzero(np.abs(twin) > 1e-13) + 1
    width, height = (float(side) for side in root.get("viewBox").split()[2:])
    for element in root.iter():
        assert 0 <= float(element.get("x", 0)) <= width
        assert 0 <= float(element.get("y", 0)) <= height


@pytest.mark.parametrize("layout", [lambda J: J, Denominator])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_cell_says_what_it_is_at_its_place(order, layout):
    W = np.array([[1.0, -2.0, 0.5], [0.25, 0.0, 4.0]])
    jacobian = layout(Kronecker(2, W))
    root = parsed(picture(jacobian, of="Z", wrt="A", order=order))
    *cells, frame = root.findall(f"{SVG}rect")
    across, down = (number(frame, side) / n for side, n in zip(("width", "height"), jacobian.shape[::-1], strict=True))
    found = {}
    for cell in cells:
        j, i = ((number(cell, n) - number(frame, n)) / step for n, step in (("x", across), ("y", down)))
        assert number(cell, "width") == pytest.approx(across, rel=1e-2)
        assert number(cell, "height") == pytest.approx(down, rel=1e-2)
        assert cell.get("fill") == (NEGATIVE if "= -" in title(cell) else POSITIVE)
        found[round(i), round(j)] = title(cell)
    expected = {}
    for r, z in enumerate(indices((2, 2), order)):
        for c, a in enumerate(indices((2, 3), order)):
            value = W[z[1], a[1]] if z[0] == a[0] else 0
            names = "∂z{}{}/∂a{}{}".format(*("₁₂₃"[k] for k in z + a))
            if value:
                expected[(r, c) if layout is not Denominator else (c, r)] = f"{names} = {value:.4g}"
    assert found == expected
    assert sorted(title(dot) for dot in root.findall(f"{SVG}circle")) == ["∂z₁₂/∂a₁₂ = 0", "∂z₂₂/∂a₂₂ = 0"]


def test_opacity_shows_the_magnitude():
    cells = parsed(picture(Dense(np.array([-4.0, 2.0, 0.0, 1.0])))).findall(f"{SVG}rect")[:-1]
    solid = [number(cell, "fill-opacity") for cell in cells]
    assert solid[0] == 1 > solid[1] > solid[2] > 0.2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_has_no_hue(value):
    cell = parsed(picture(Dense(np.array([value, 1.0])))).find(f"{SVG}rect")
    assert cell.get("fill") == "currentColor"
    assert title(cell) == f"∂y/∂x₁ = {value}"


def test_blocks_are_outlined():
    """2 blocks of 3 rows, 4 blocks of 2 columns: one line across, three down, at the boundaries."""
    root = parsed(picture(Dense(rng.normal(size=(2, 3, 4, 2)), (2, 3))))
    frame = root.findall(f"{SVG}rect")[-1]
    x, y, w, h = (number(frame, name) for name in ("x", "y", "width", "height"))
    path = [float(n) for n in re.findall(r"[\d.]+", root.find(f"{SVG}path").get("d"))]
    lines = np.array(path).reshape(-1, 4)
    expected = [[x + w * k / 4, y, x + w * k / 4, y + h] for k in (1, 2, 3)] + [[x, y + h / 2, x + w, y + h / 2]]
    np.testing.assert_allclose(lines, expected, atol=0.1)


def test_names_and_structure_are_escaped_and_nothing_runs():
    text = svg(picture(Kronecker(2, np.ones((2, 2))), of=ODD, wrt="<script>"))
    root = ET.fromstring(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "title",
        "desc",
        "rect",
        "path",
        "text",
    }
    assert "<b>" not in text
    assert "<script" not in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert any(ODD in (element.text or "") for element in root.iter())
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name]


def test_text_and_lines_have_the_colour_of_the_page():
    root = parsed(picture(Kronecker(2, np.array([[1.0, -1.0, 0.0]]))))
    used = {element.get(name) for element in root.iter() for name in ("fill", "stroke")} - {None}
    assert used == {"currentColor", "none", NEGATIVE, POSITIVE}
    assert {element.get("fill") for element in root.iter(f"{SVG}text")} == {"currentColor"}


def test_cells_of_many_entries_have_no_names():
    root = parsed(picture(Kronecker(75, np.ones((3, 9))), cells=1500))
    *cells, frame = root.findall(f"{SVG}rect")
    assert 0 < len(cells) <= 1500
    assert not any(title(cell) for cell in cells)
    assert max(number(c, "x") + number(c, "width") for c in cells) <= number(frame, "x") + number(frame, "width") + 0.1


@pytest.mark.parametrize("shape", [(5, 5), (40, 3), (3, 40), (1, 200), (199, 1), (120, 120)])
def test_labels_do_not_overlap(shape):
    root = parsed(picture(Dense(rng.normal(size=shape), shape[:1])))
    rows = sorted(number(t, "y") for t in root.iter(f"{SVG}text") if t.get("text-anchor") == "end")
    assert rows
    assert all(np.diff(rows) >= 11)
    columns = [t for t in root.iter(f"{SVG}text") if t.get("text-anchor") == "middle" or t.get("transform")]
    assert columns
    columns.sort(key=lambda t: number(t, "x"))
    for left, right in pairwise(columns):
        room = 11 if left.get("transform") else 6 * len(left.text)
        assert number(right, "x") - number(left, "x") >= room


# --- in a notebook ---------------------------------------------------------------------------------------


def test_a_jacobian_shows_its_table_and_its_picture():
    html = Kronecker(2, np.ones((1, 2)))._repr_html_()
    table, _, drawing = html.partition("</table>")
    assert table.startswith("<table><tr><th>structure</th><td>Kronecker(I₂, 1×2)</td>")
    assert title(ET.fromstring(drawing)) == "∂y/∂x: Kronecker(I₂, 1×2)"
    assert "<title>∂y₁₁/∂x₁₂ = 1</title>" in drawing


@pytest.mark.parametrize("large", [Identity((201,)), Dense(np.ones(201)), Dense(np.ones(201)).T, Kronecker(900, 900)])
def test_a_large_jacobian_shows_its_table_only(large):
    assert large._repr_html_().endswith("</table>")


@pytest.mark.parametrize("small", [Identity((200,)), Dense(np.ones(200)), Zero((0,), (3,)), Zero((0,), (0,))])
def test_a_small_jacobian_shows_its_picture(small):
    assert small._repr_html_().endswith("</svg>") == (small.shape != (0, 0))


def test_what_is_too_large_inside_shows_its_table_only():
    thin = Kronecker(*[np.ones((2000, 1))] * 2)
    product = Product((thin.T, Commutation(2000, 2000), thin))
    assert product.shape == (1, 1)
    assert product._repr_html_().endswith("</table>")


def test_a_factor_shows_its_own_names(run):
    factor = run.chain("Theta1")[2]
    html = factor._repr_html_()
    assert html.startswith("<p>∂Z3/∂A2: Kronecker(I₅, 2×4): ")
    assert "<title>∂z⁽³⁾₁₁/∂a⁽²⁾₁₁ = " in html
    assert "<b>" not in Factor(ODD, "x", Identity((2,)))._repr_html_()


@pytest.mark.parametrize("order", [None, "C", "F"])
def test_a_chain_is_a_row_of_pictures_to_one_scale(run, order):
    factors = run.chain("Theta1")
    root = ET.fromstring(chain_html(factors, order=order))
    drawings = root.findall(f"div/{SVG}svg")
    assert [title(d) for d in drawings] == [f"{f.label}: {f.jacobian.structure}" for f in factors]
    assert [child.text for child in root if child.tag == "span"] == ["×"] * (len(factors) - 1)
    for drawing, factor in zip(drawings, factors, strict=True):
        frame = drawing.findall(f"{SVG}rect")[-1]
        ratios = [number(frame, s) / n for s, n in zip(("height", "width"), factor.jacobian.shape, strict=True)]
        if min(factor.jacobian.shape) > 1:
            assert ratios == pytest.approx([ratios[0]] * 2, rel=1e-2)
            assert ratios[0] == pytest.approx(800 / 65, rel=1e-2)
        assert f"{order or 'F'} order" in drawing.find(f"{SVG}desc").text or factor.of == "loss"


def test_an_empty_chain_is_refused(run):
    assert run.chain("Z2", of="Z2") == ()
    with pytest.raises(ShapeError, match="chain_html: the chain has no factors; of and wrt name the same array"):
        chain_html(())
