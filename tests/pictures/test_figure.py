"""matplotlib: the same matrix, names, blocks and colours; a chain side by side; the message without it."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import pytest

from jacobians import Layout, Network, convention
from jacobians.errors import MissingExtraError, ShapeError
from jacobians.linops import Dense, Diagonal, Identity, Kronecker, LowRank, Zero
from jacobians.pictures import picture, plot, plot_chain
from tests.linops.cases import DENOMINATORS, NUMERATORS, built
from tests.linops.comparing import matrix_of

pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

rng = np.random.default_rng(5)


def drawn_matrix(ax):
    return ax.images[0].get_array().filled(0)


def net_run(convention="ng-ml-2011"):
    net = Network.dense((4, 3, 2), convention=convention)
    X = rng.normal(size=(5, 4))
    return net.run(net.init(rng), X if net.layout.batch == "rows" else X.T, [0, 1, 1, 0, 1])


@pytest.mark.parametrize("case", [*NUMERATORS, *DENOMINATORS], ids=lambda case: case.name)
def test_every_structure_is_drawn(case):
    jacobian, twin = built(case.name)
    ax = jacobian.plot(order="F")
    if 0 in jacobian.shape:
        assert not ax.images
        return
    np.testing.assert_allclose(drawn_matrix(ax), matrix_of(jacobian, twin, "F"), rtol=1e-12, atol=1e-13)
    rows, columns = jacobian.shape
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, columns), (rows, 0))
    assert tuple(ax.images[0].get_extent()) == (0, columns, rows, 0)


def test_labels_and_blocks():
    ax = plot(Kronecker(2, rng.normal(size=(3, 2))), of="Z", wrt="A")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["z₁₁", "z₁₂", "z₁₃", "z₂₁", "z₂₂", "z₂₃"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a₁₁", "a₁₂", "a₂₁", "a₂₂"]
    assert list(ax.get_yticks()) == [k + 0.5 for k in range(6)]
    assert ax.get_title() == "∂Z/∂A\nKronecker(I₂, 3×2)"
    down = [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]
    across = [line.get_ydata()[0] for line in ax.lines if len(set(line.get_ydata())) == 1]
    assert (down, across) == ([2], [3])


def test_colours_are_those_of_the_svg():
    image = plot(Dense(np.array([-2.0, 2.0, 0.0, -1e-9]))).images[0]
    colours = image.to_rgba(image.get_array())[0]
    assert [to_hex(c) for c in colours[:2]] == ["#d55e00", "#0072b2"]
    assert list(colours[:3, 3]) == [1, 1, 0]
    assert to_hex(colours[3]) == "#d55e00"
    assert colours[3, 3] == pytest.approx(0.3, abs=0.01)


def dots(ax):
    return sorted(tuple(p) for c in ax.collections for p in np.asarray(c.get_offsets()).tolist())


def test_zeros_inside_the_structure_and_what_is_no_number():
    assert dots(plot(Diagonal(np.array([1.0, 0.0, 0.0])))) == [(1.5, 1.5), (2.5, 2.5)]
    assert dots(plot(Dense(np.array([[1.0, 0.0, 2.0], [3.0, 4.0, 0.0]]), (2,)))) == [(1.5, 0.5), (2.5, 1.5)]
    ax = plot(Dense(np.array([[1.0, np.nan, 2.0], [3.0, -1.0, np.inf]]), (2,)))
    assert dots(ax) == [(1.5, 0.5), (2.5, 1.5)]
    assert np.array_equal(drawn_matrix(ax), [[1, 0, 2], [3, -1, 0]])


def test_many_zeros_are_an_overlay():
    ax = plot(Diagonal(np.zeros(60)))
    assert not dots(ax)
    assert np.array_equal(ax.images[1].get_array().mask, np.eye(60) == 0)


def test_on_axes_of_ones_own():
    figure = Figure(figsize=(8, 4))
    left, right = figure.subplots(1, 2)
    assert plot(Identity((3,)), right) is right
    assert not left.images
    assert np.array_equal(drawn_matrix(right), np.eye(3))


@pytest.mark.parametrize(("of", "wrt"), [("$\\bad$", "x"), ("y", "$\\bad$")])
def test_a_name_with_dollars_is_not_mathematics(of, wrt):
    ax = plot(Identity((2,)), of=of, wrt=wrt)
    FigureCanvasAgg(ax.figure).draw()
    assert ax.get_title().startswith(f"∂{of}/∂{wrt}\n")


@pytest.mark.parametrize("jacobian", [LowRank(np.ones((3000, 1)), np.ones((3000, 1))), Zero((0,), (3,))])
def test_what_cannot_be_drawn_is_a_box_with_its_caption(jacobian):
    ax = plot(jacobian)
    assert not ax.images
    assert ax.get_xlabel() == picture(jacobian).caption
    FigureCanvasAgg(ax.figure).draw()


@pytest.mark.parametrize("preset", ["ng-ml-2011", "cs231n"])
@pytest.mark.parametrize("order", [None, "C", "F"])
def test_a_chain_side_by_side(preset, order):
    run = net_run(preset)
    wrt = next(iter(run.params))
    figure = run.plot(wrt, order=order)
    factors = run.chain(wrt)
    *drawn, product = figure.axes
    assert len(drawn) == len(factors) == 5
    for ax, factor in zip(drawn, factors, strict=True):
        np.testing.assert_allclose(drawn_matrix(ax), factor.jacobian.to_dense(order), rtol=1e-12)
        assert ax.get_title().splitlines()[0] == factor.label
    assert [text.get_text() for text in figure.texts] == ["×"] * 4 + ["="]
    np.testing.assert_allclose(drawn_matrix(product), run.jacobian(wrt).to_dense(order), rtol=1e-12)
    assert product.get_title().splitlines()[0] == f"∂loss/∂{wrt}"
    lefts = [ax.get_position().x0 for ax in figure.axes]
    assert lefts == sorted(lefts)
    heights = [ax.get_position().height / f.jacobian.shape[0] for ax, f in zip(drawn, factors, strict=True)]
    assert heights[1:] == pytest.approx([heights[1]] * 4)


def test_a_chain_in_denominator_layout():
    net = Network.dense((4, 3, 2), convention="cs231n")
    turned = net.convention.replace(layout=net.layout.replace(derivative="denominator"))
    net = Network.dense((4, 3, 2), convention=turned)
    run = net.run(net.init(rng), rng.normal(size=(5, 4)), [0, 1, 1, 0, 1])
    figure = run.plot("W1")
    labels = [f.label for f in run.chain("W1")]
    assert [ax.get_title().splitlines()[0] for ax in figure.axes] == [*labels, "∂loss/∂W1"]
    assert figure.axes[0].get_title().startswith("∂Z1/∂W1")
    assert drawn_matrix(figure.axes[0]).shape == (12, 15)
    assert drawn_matrix(figure.axes[-2]).shape == (5, 1)
    np.testing.assert_allclose(drawn_matrix(figure.axes[-1]), run.jacobian("W1").to_dense(), rtol=1e-12)


def boxes(figure):
    """Extents of all texts that are drawn, by axes: titles, captions, row and column labels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    for ax in figure.axes:
        texts = {
            "title": [ax.title],
            "caption": [ax.xaxis.label],
            "rows": ax.get_yticklabels(),
            "columns": ax.get_xticklabels(),
        }
        yield {name: [t.get_window_extent(renderer) for t in of] for name, of in texts.items()}


@pytest.mark.parametrize(
    "make",
    [
        lambda: net_run().plot("Theta1"),
        lambda: net_run("cs231n").plot("W2", order="F"),
        lambda: net_run(convention("cs231n").replace(layout=Layout(derivative="denominator"))).plot("W2"),
        lambda: net_run().parameter_jacobian("output").plot(of="output", wrt="theta").figure,
        lambda: Kronecker(40, rng.normal(size=(50, 50))).plot().figure,
        lambda: Dense(rng.normal(size=(1, 150)), (1,)).plot().figure,
        lambda: Dense(rng.normal(size=(150, 1)), (150,)).plot().figure,
        lambda: Dense(rng.normal(size=(2, 2)), (2,)).plot().figure,
    ],
)
def test_no_text_is_cut_off_or_overlaps(make):
    figure = make()
    page = figure.bbox
    everything = []
    for texts in boxes(figure):
        everything += [box for part in texts.values() for box in part]
        for part in texts.values():
            for a, b in pairwise(part):
                assert not a.shrunk(0.9, 0.9).overlaps(b.shrunk(0.9, 0.9))
        for above in texts["title"]:
            assert not any(above.shrunk(0.9, 0.9).overlaps(box) for box in texts["columns"])
    for box in everything:
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert page.y0 <= box.y0 < box.y1 <= page.y1


def test_a_factor_is_drawn_with_its_own_names():
    factor = net_run().chain("Theta1")[-1]
    ax = factor.plot(order="C")
    assert ax.get_title().splitlines()[0] == "∂Z2/∂Theta1"
    assert ax.get_yticklabels()[1].get_text() == "z⁽²⁾₁₂"
    assert ax.get_xticklabels()[1].get_text() == "θ⁽¹⁾₁₂"


def test_an_empty_chain_is_refused():
    with pytest.raises(ShapeError, match="plot_chain: the chain has no factors; of and wrt name the same array"):
        plot_chain(())


@pytest.mark.parametrize(
    "call", [lambda: Identity((2,)).plot(), lambda: plot_chain(()), lambda: net_run().plot("Theta1")]
)
def test_without_matplotlib(monkeypatch, call):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"^plot needs matplotlib: pip install matplotlib$"):
        call()
    assert "<svg" in Identity((2,))._repr_html_()
