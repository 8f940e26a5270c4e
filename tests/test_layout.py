"""Layout's choices, and vec with its inverse."""

from __future__ import annotations

import dataclasses
import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians import Layout, unvec, vec
from jacobians.errors import ArgumentError, DTypeError, LayoutError, ShapeError
from tests.network.cases import LAYOUTS, short

FIELDS = {
    "batch": ("rows", "columns"),
    "weights": ("rows", "columns"),
    "bias": ("separate", "first", "last", "none"),
    "vec": ("C", "F"),
    "derivative": ("numerator", "denominator"),
    "images": ("CHW", "HWC"),
    "sequences": ("batch-first", "time-first"),
    "kernels": ("OIHW", "HWIO"),
    "features": ("one-axis", "all-axes"),
}

OF_MATRICES = [*FIELDS][:5]


# --- layouts -------------------------------------------------------------------------------------


def test_fields_are_pinned() -> None:
    assert [field.name for field in dataclasses.fields(Layout)] == list(FIELDS)
    assert len(set(LAYOUTS)) == len(LAYOUTS) == len(list(itertools.product(*map(FIELDS.get, OF_MATRICES)))) == 64
    assert Layout() == Layout("rows", "columns", "separate", "C", "numerator", "CHW", "batch-first", "OIHW", "all-axes")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ["diagonal", "ROWS", "", None, 0])
def test_unknown_choices_are_refused(field: str, value: object) -> None:
    choices = ", ".join(map(repr, FIELDS[field]))
    message = f"Layout: {field}={value!r} is unknown; choose one of {choices}"
    with pytest.raises(LayoutError, match=f"^{re.escape(message)}$"):
        Layout(**{field: value})  # type: ignore[arg-type]
    with pytest.raises(LayoutError, match=f"^{re.escape(message)}$"):
        Layout().replace(**{field: value})  # type: ignore[arg-type]


def test_a_layout_is_a_value() -> None:
    layout = Layout()
    with pytest.raises(dataclasses.FrozenInstanceError):
        layout.batch = "columns"  # type: ignore[misc]
    changed = layout.replace(batch="columns")
    assert layout.batch == "rows"
    assert changed == Layout(batch="columns")
    assert hash(changed) == hash(Layout(batch="columns"))
    assert str(changed) == "batch in columns, weights in columns, bias separate, vec C, numerator layout"
    with pytest.raises(TypeError):
        layout.replace(rows="batch")


@pytest.mark.parametrize("layout", LAYOUTS, ids=short)
def test_where_an_absorbed_bias_lies(layout: Layout) -> None:
    """W of two nodes with three weights each: their bias is 9, wherever the layout puts it."""
    nodes = np.array([[1, 2, 3], [4, 5, 6]])
    W = nodes if layout.weights == "rows" else nodes.T
    assert W.shape == layout.replace(bias="none").weight_shape(n_in=3, n_out=2)
    assert W.shape[layout.node_axis] == 3
    assert layout.bias_place == {"first": 0, "last": -1}.get(layout.bias)
    if not layout.absorbs_bias:
        np.testing.assert_array_equal(layout.weights_of(W), W)
        return
    bias = np.full((2, 1) if layout.weights == "rows" else (1, 2), 9)
    whole = layout.joined(bias, W, layout.node_axis)
    assert whole.shape == layout.weight_shape(n_in=3, n_out=2)
    np.testing.assert_array_equal(whole.take(layout.bias_place, layout.node_axis), [9, 9])
    np.testing.assert_array_equal(layout.bias_of(whole), [9, 9])
    np.testing.assert_array_equal(layout.weights_of(whole), W)
    np.testing.assert_array_equal(np.arange(4)[layout.without_bias], [1, 2, 3] if layout.bias == "first" else [0, 1, 2])
    for view in (layout.bias_of(whole), layout.weights_of(whole)):
        assert np.shares_memory(view, whole)


@pytest.mark.parametrize("layout", LAYOUTS, ids=short)
def test_shapes_and_axes(layout: Layout) -> None:
    batch = np.zeros(layout.batch_shape(5, 3))
    assert batch.shape[layout.batch_axis] == 5
    assert batch.shape[layout.feature_axis] == 3
    stack = np.zeros((5, 2, 2, 3) if layout.batch == "rows" else (3, 2, 2, 5))  # more axes than a matrix
    assert stack.shape[layout.batch_axis] == 5
    assert stack.shape[layout.feature_axis] == 3
    width = 3 + (layout.bias in ("first", "last"))
    assert layout.absorbs_bias == (width == 4)
    assert layout.weight_shape(n_in=3, n_out=2) == ((2, width) if layout.weights == "rows" else (width, 2))
    outputs = np.zeros(layout.batch_shape(5, 2))
    assert (outputs + np.zeros(layout.bias_shape(2))).shape == outputs.shape  # a separate bias broadcasts


SIZES = {"N": 5, "C": 3, "H": 7, "W": 6, "T": 4, "D": 2, "O": 8, "I": 3}


def sized(axes: str) -> np.ndarray:
    return np.empty([SIZES[axis] for axis in axes])


@pytest.mark.parametrize(
    ("batch", "images", "axes"),
    [("rows", "CHW", "NCHW"), ("rows", "HWC", "NHWC"), ("columns", "CHW", "CHWN"), ("columns", "HWC", "HWCN")],
)
def test_where_an_image_lies(batch: str, images: str, axes: str) -> None:
    layout = Layout(batch=batch, images=images)  # type: ignore[arg-type]
    assert sized(axes).transpose(layout.image_axes()).shape == sized("NCHW").shape
    assert sized(axes.replace("H", "")).transpose(layout.image_axes(places=1)).shape == sized("NCW").shape


@pytest.mark.parametrize(
    ("batch", "sequences", "axes"),
    [
        ("rows", "batch-first", "NTD"),
        ("rows", "time-first", "TND"),
        ("columns", "batch-first", "DTN"),
        ("columns", "time-first", "DNT"),
    ],
)
def test_where_a_sequence_lies(batch: str, sequences: str, axes: str) -> None:
    layout = Layout(batch=batch, sequences=sequences)  # type: ignore[arg-type]
    assert sized(axes).transpose(layout.sequence_axes()).shape == sized("NTD").shape


@pytest.mark.parametrize("kernels", FIELDS["kernels"])
def test_where_a_kernel_lies(kernels: str) -> None:
    layout = Layout(kernels=kernels)  # type: ignore[arg-type]
    assert sized(kernels).transpose(layout.kernel_axes()).shape == sized("OIHW").shape


def test_what_is_said_of_matrices_does_not_depend_on_images() -> None:
    layout = Layout(images="HWC", sequences="time-first", kernels="HWIO")
    assert str(layout) == str(Layout())
    assert layout.of_matrices == Layout() != layout


# --- vec -------------------------------------------------------------------------------------------

SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)


def test_vec_of_a_matrix() -> None:
    A = np.array([[1, 2, 3], [4, 5, 6]])
    assert vec(A, "C").tolist() == [1, 2, 3, 4, 5, 6]
    assert vec(A, "F").tolist() == [1, 4, 2, 5, 3, 6]
    assert unvec(np.arange(6), (2, 3), "F").tolist() == [[0, 2, 4], [1, 3, 5]]
    assert vec(np.array(7.0), "F").tolist() == [7.0]


@given(shape=SHAPES, order=st.sampled_from(["C", "F"]), memory=st.sampled_from(["C", "F"]))
def test_unvec_undoes_vec(shape: tuple[int, ...], order: str, memory: str) -> None:
    array = np.asarray(np.random.default_rng(0).normal(size=shape)).copy(order=memory)  # type: ignore[call-overload]
    vector = vec(array, order)  # type: ignore[arg-type]
    back = unvec(vector, shape, order)  # type: ignore[arg-type]
    np.testing.assert_array_equal(back, array)
    assert vector.shape == (array.size,)
    assert back.flags.c_contiguous
    assert not np.may_share_memory(vector, array)
    assert not np.may_share_memory(back, vector)


@given(shape=SHAPES)
def test_the_orders_are_each_others_transposes(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_array_equal(vec(array, "F"), vec(np.transpose(array), "C"))


@pytest.mark.parametrize("order", ["K", "A", "c", "", None])
def test_unknown_orders_are_refused(order: object) -> None:
    message = re.escape(f"vec: order={order!r} is unknown; choose 'C' (rows stacked) or 'F' (columns stacked)")
    with pytest.raises(LayoutError, match=message):
        vec(np.zeros(2), order)  # type: ignore[arg-type]
    with pytest.raises(LayoutError, match=message):
        unvec(np.zeros(2), (2,), order)  # type: ignore[arg-type]


@pytest.mark.parametrize("vector", [np.zeros(5), np.zeros((6, 1)), np.zeros((2, 3)), np.zeros(())])
def test_unvec_wants_a_vector_that_fits(vector: np.ndarray) -> None:
    message = f"unvec: the vector has shape {vector.shape}, an array of shape (2, 3) needs (6,)"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        unvec(vector, (2, 3), "C")


# --- in a notebook ------------------------------------------------------------------------------


def test_a_layout_is_a_table_of_its_choices() -> None:
    table = ElementTree.fromstring(Layout(bias="first", vec="F")._repr_html_())
    assert {row[0].text: row[1].text for row in table} == {
        "batch": "rows",
        "weights": "columns",
        "bias": "first",
        "vec": "F",
        "derivative": "numerator",
        "images": "CHW",
        "sequences": "batch-first",
        "kernels": "OIHW",
        "features": "all-axes",
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
def test_a_layout_is_its_affine_form(batch: str, weights: str, bias: str, formula: str) -> None:
    assert Layout(batch, weights, bias)._repr_latex_() == rf"$\displaystyle {formula}$"


def test_every_layout_has_balanced_latex() -> None:
    for choices in itertools.product(("rows", "columns"), ("rows", "columns"), ("separate", "first", "last", "none")):
        text = Layout(*choices)._repr_latex_()
        assert text.count("{") == text.count("}")


def test_arguments_of_vec_in_each_others_place() -> None:
    with pytest.raises(DTypeError, match="vec: the array is the text 'F'; expected real numbers"):
        vec("F", np.ones((2, 3)))  # type: ignore[arg-type]
    with pytest.raises(LayoutError, match=r"vec: order=an array of shape \(2, 3\) is unknown; choose 'C'"):
        vec(np.ones((2, 3)), np.ones((2, 3)))  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"unvec: shape is an array of shape \(6,\); .* order is vector, shape, o"):
        unvec((2, 3), np.ones(6), "C")  # type: ignore[arg-type]
