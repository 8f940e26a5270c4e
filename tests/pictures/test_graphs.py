"""Pictures of graphs: every value and edge is there, nothing stands on another, and the one in the docs is up to date.

``python -m tests.pictures.test_graphs`` writes docs/residual-block.svg.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import GraphError, TooLargeError
from jacobians.graphs import Value
from jacobians.pictures.graphs import DrawnEdge, DrawnValue, GraphPicture

DOCS = Path(__file__).parents[2] / "docs" / "residual-block.svg"
SVG = "{http://www.w3.org/2000/svg}"


def residual_block() -> Value:
    X, W1, b1, W2 = jac.values(X=np.ones((5, 4)), W1=np.ones((4, 3)), b1=np.ones(3), W2=np.ones((3, 4)))
    Z = (X @ W1 + b1).named("Z")
    return jac.cross_entropy(X + jac.relu(Z).named("H") @ W2, [0, 1, 2, 3, 0]).named("L")  # type: ignore[union-attr]


def in_docs() -> str:
    """The picture on white, whatever the page's colour."""
    text = str(residual_block().picture())
    return text.replace('style="', 'style="background: white; ', 1) + "\n"


def boxes(text: str) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of each value's frame, by name."""
    root = ElementTree.fromstring(text)
    frames = [[float(r.attrib[a]) for a in ("x", "y", "width", "height")] for r in root.iter(f"{SVG}rect")]
    names = [t.text or "" for t in root.iter(f"{SVG}text") if t.get("font-weight") == "bold"]
    return {name: (x, y, x + w, y + h) for name, (x, y, w, h) in zip(names, frames, strict=True)}


def test_every_value_and_edge_is_there() -> None:
    value = residual_block()
    root = ElementTree.fromstring(str(value.picture()))
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert titles[0] == "A graph of values: X, W1, b1, W2, matmul_4, Z, H, matmul_7, plus_8, L"
    assert "∂H/∂Z: Diagonal(5×3)" in titles
    assert "∂plus_8/∂X: Identity(5×4)" in titles
    assert len(titles) == 1 + 10
    about = [t.text for t in root.iter(f"{SVG}text") if t.get("text-anchor") == "middle"]
    assert about[:4] == ["X", "5×4", "W1", "4×3"]


@pytest.mark.parametrize("many", [False, True])
def test_no_value_stands_on_another_and_children_stand_below(many: bool) -> None:
    if many:
        words = np.ones((7, 2, 3))
        W, V = jac.values(W=np.ones((3, 3)), V=np.ones((3, 3)))
        h = np.ones((2, 3))
        for x in words:
            h = jac.tanh(x @ W + h @ V)
        value: Value = (h @ W.T).named("Y")  # type: ignore[attr-defined]
    else:
        value = residual_block()
    picture = value.picture()
    found = boxes(str(picture))
    assert len(found) == len(picture.values)
    for one, other in itertools.combinations(found.values(), 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for edge in picture.edges:
        parent, child = (found[picture.values[place].name] for place in (edge.parent, edge.child))
        assert parent[3] < child[1]
    width = float(ElementTree.fromstring(str(picture)).attrib["width"])
    assert all(0 <= left < right <= width for left, _, right, _ in found.values())


def test_with_respect_to_some_values() -> None:
    value = residual_block()
    assert [v.name for v in value.picture("H").values] == ["H", "matmul_7", "plus_8", "L"]
    with pytest.raises(GraphError, match="picture: no value is called 'V'"):
        value.picture("V")


def test_names_are_escaped_and_long_structures_cut() -> None:
    values = [DrawnValue("<b>", "2", True), DrawnValue("&", "2", False)]
    text = str(GraphPicture(values, [DrawnEdge(0, 1, "A @ B @ C"), DrawnEdge(0, 1, "Kronecker" * 5)]))
    root = ElementTree.fromstring(text)
    assert "∂&/∂<b>: A @ B @ C" in [title.text for title in root.iter(f"{SVG}title")]
    assert [span.text for span in root.iter(f"{SVG}tspan")] == ["A", "B …", "KroneckerKroneckerKrone…"]


def test_a_large_graph_is_refused() -> None:
    (x,) = jac.values(x=np.ones(2))
    y = x
    for _ in range(100):
        y = y * 0.5
    with pytest.raises(TooLargeError, match="picture: the graph has 101 values; up to 80 are drawn"):
        y.picture()


def test_a_notebook_shows_it() -> None:
    picture = residual_block().picture()
    assert picture._repr_svg_() == str(picture)


def test_the_picture_in_the_docs_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == in_docs(), "python -m tests.pictures.test_graphs"


def test_a_path_is_plotted() -> None:
    pytest.importorskip("matplotlib")
    value = residual_block()
    titles = [[ax.get_title().splitlines()[0] for ax in path.plot().axes] for path in value.paths("X")]
    assert ["∂L/∂plus_8", "∂plus_8/∂X", "∂L/∂X"] in titles


if __name__ == "__main__":
    DOCS.write_text(in_docs(), encoding="utf-8")
