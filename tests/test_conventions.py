"""The Convention class: its factors, shapes and packing, what it refuses, and what it shows in a notebook."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians.conventions import Convention
from jacobians.errors import DomainError, DTypeError, LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.presets import all_conventions, convention


def test_describe_marks_what_is_assumed_and_open() -> None:
    row = convention("cs229").describe()
    assert row["vec"] == "C*"
    assert row["derivative"] == "numerator"
    assert row["l2"] == row["packing"] == row["l2 on bias"] == "–"
    assert convention("cs231n-bias-trick").describe()["l2 on bias"] == "yes"


# --- factors -------------------------------------------------------------------------------------


def test_l2_scale() -> None:
    plain = Convention("plain", Layout())
    assert plain.replace(l2="half-over-n").l2_scale(3.0, 10) == 3.0 / 20
    assert plain.replace(l2="half").l2_scale(3.0, 10) == 1.5
    assert plain.replace(l2="one").l2_scale(3.0, 10) == 3.0
    assert plain.l2_scale(0, 10) == 0.0
    assert plain.replace(l2="half").l2_scale(3.0, 0) == 1.5
    with pytest.raises(
        LayoutError, match=r"l2_scale: the source of cs229 fixes no regulariser; .*replace\(l2='half'\)"
    ):
        convention("cs229").l2_scale(1.0, 10)
    with pytest.raises(DomainError, match="l2_scale: ng-ml-2011 divides by 2N, and N is 0"):
        convention("ng-ml-2011").l2_scale(1.0, 0)


def test_reduction_divisor() -> None:
    plain = Convention("plain", Layout())
    assert plain.reduction is None
    assert plain.effective_reduction == "mean"
    assert plain.reduction_divisor(6, 4) == 6
    assert plain.replace(reduction="sum").reduction_divisor(6, 4) == 1
    assert plain.replace(reduction="sum").reduction_divisor(0, 4) == 1
    assert plain.replace(reduction="mean-all").reduction_divisor(6, 4) == 24
    with pytest.raises(DomainError, match="reduction_divisor: plain takes a mean over 0 examples with 4 outputs"):
        plain.reduction_divisor(0, 4)
    with pytest.raises(LayoutError, match="reduction_divisor: plain does not reduce its losses to one number"):
        plain.replace(reduction="none").reduction_divisor(6, 4)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "reduction",
            "average",
            "reduction='average' is unknown; choose one of 'sum', 'mean', 'mean-all', 'none' or None",
        ),
        ("l2", "two", "l2='two' is unknown"),
        ("packing", "biases", "packing='biases' is unknown"),
        ("evidence", "X", "evidence='X' is unknown; choose one of 'P', 'S', 'M'"),
        ("evidence", None, "evidence=None is unknown"),
        ("assumed", ("batches",), "assumed names 'batches', which is no field of a Layout"),
        ("names", {"W": "V"}, "names is a dict of W; expected an ArrayNames, such as ArrayNames(weight='V{l}')"),
    ],
)
def test_unknown_fields_are_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(f"Convention plain: {message}")):
        Convention("plain", Layout()).replace(**{field: value})


# --- shapes, sizes, packing ----------------------------------------------------------------------


def test_shapes() -> None:
    assert convention("ng-ml-2011").shapes((400, 25, 10)) == {"Theta1": (25, 401), "Theta2": (10, 26)}
    assert convention("ng-dlai").shapes((4, 3, 2)) == {"W1": (3, 4), "b1": (3, 1), "W2": (2, 3), "b2": (2, 1)}
    assert list(convention("sklearn-mlp").shapes((4, 3, 2))) == ["W1", "b1", "W2", "b2"]
    assert convention("vecderivs-rows").shapes((4, 3)) == {"W1": (4, 3)}
    assert convention("cs231n-bias-trick").shapes(tuple(np.array([4, 3]))) == {"W1": (5, 3)}


@pytest.mark.parametrize("sizes", [(), (3,), (3, 0), (3, -1), (3.0, 2.0), "ab", 3])
def test_bad_sizes(sizes: object) -> None:
    with pytest.raises(
        ShapeError, match=r"shapes: sizes=.*; expected two or more widths of layers, such as \(64, 25, 10\)"
    ):
        convention("cs231n").shapes(sizes)  # type: ignore[arg-type]


def test_ng_packs_columns_by_hand() -> None:
    """[Theta1(:); Theta2(:)], Octave's column-major vec, layer after layer."""
    params = {
        "Theta1": np.array([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]),  # two nodes; bias first, two inputs
        "Theta2": np.array([[7.0, 8.0, 9.0]]),
    }
    ng = convention("ng-ml-2011")
    assert ng.pack(params).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert ng.sizes(params) == (2, 2, 1)
    back = ng.unpack(np.arange(1.0, 10.0), (2, 2, 1))
    assert list(back) == ["Theta1", "Theta2"]
    for name, array in params.items():
        np.testing.assert_array_equal(back[name], array)


def test_scikit_learn_packs_coefs_then_intercepts_by_hand() -> None:
    params = {
        "W1": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),  # three inputs, two nodes
        "b1": np.array([9.0, 10.0]),
        "W2": np.array([[7.0], [8.0]]),
        "b2": np.array([11.0]),
    }
    sklearn = convention("sklearn-mlp")
    assert sklearn.pack(params).tolist() == list(range(1, 12))
    assert list(sklearn.unpack(np.arange(1.0, 12.0), (3, 2, 1))) == ["W1", "b1", "W2", "b2"]


@pytest.mark.filterwarnings("ignore")  # it does not converge in one step
def test_scikit_learn_packs_as_we_do() -> None:
    neural_network = pytest.importorskip("sklearn.neural_network")
    internals = pytest.importorskip("sklearn.neural_network._multilayer_perceptron")
    if not hasattr(internals, "_pack"):
        pytest.skip("this scikit-learn packs elsewhere")
    rng = np.random.default_rng(0)
    model = neural_network.MLPClassifier(hidden_layer_sizes=(4,), max_iter=1, solver="lbfgs", random_state=0)
    model.fit(rng.normal(size=(9, 3)), np.arange(9) % 3)
    params: dict[str, np.ndarray] = {}
    for layer, (coefs, intercepts) in enumerate(zip(model.coefs_, model.intercepts_, strict=True), start=1):
        params |= {f"W{layer}": coefs, f"b{layer}": intercepts}
    packed = internals._pack(model.coefs_, model.intercepts_)
    np.testing.assert_array_equal(convention("sklearn-mlp").pack(params, (3, 4, 3)), packed)


def test_ufldl_and_dlai_pack_by_hand() -> None:
    params = {"W1": np.array([[1.0, 3.0], [2.0, 4.0]]), "b1": np.array([[7.0], [8.0]])}
    params |= {"W2": np.array([[5.0, 6.0]]), "b2": np.array([[9.0]])}
    assert convention("ng-ufldl").pack(params).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert convention("ng-dlai").pack(params).tolist() == [1, 3, 2, 4, 7, 8, 5, 6, 9]
    assert convention("cs229").packing is None
    assert convention("cs229").effective_packing == "layers"


@given(
    name=st.sampled_from([preset.name for preset in all_conventions()]),
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    data=st.data(),
)
def test_pack_and_unpack_are_inverse(name: str, sizes: list[int], data: st.DataObject) -> None:
    preset = convention(name)
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    total = sum(int(np.prod(shape)) for shape in preset.shapes(sizes).values())
    vector = np.arange(total, dtype=dtype)
    vector.flags.writeable = False
    params = preset.unpack(vector, sizes)
    assert {n: a.shape for n, a in params.items()} == preset.shapes(sizes)
    assert preset.sizes(params) == tuple(sizes)
    preset.check(params, sizes)
    packed = preset.pack(params)
    np.testing.assert_array_equal(packed, vector)
    assert packed.dtype == dtype
    assert all(a.dtype == dtype for a in params.values())
    assert not any(np.may_share_memory(a, b) for a in params.values() for b in (vector, packed))


def test_pack_accepts_any_memory_order_and_integers() -> None:
    ng = convention("ng-ml-2011")
    theta = np.arange(6.0).reshape(2, 3)
    strided = np.zeros((4, 6))
    strided[::2, ::2] = theta
    for given_ in (np.asfortranarray(theta), strided[::2, ::2], theta.astype(int), np.asarray(theta.T).T):
        packed = ng.pack({"Theta1": given_})
        assert packed.tolist() == [0, 3, 1, 4, 2, 5]
        assert packed.dtype == np.float64


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"W1": np.zeros((3, 2))}, "sizes: ng-ml-2011 calls its first weight Theta1; found W1: rename or translate it"),
        ({}, "calls its first weight Theta1; found nothing"),
        ({"Theta1": np.zeros(3)}, "sizes: Theta1 has shape (3,); expected a matrix"),
        (
            {"Theta1": np.zeros((5, 3)), "Theta2": np.zeros((4, 2))},
            "sizes: layer 1 has 5 nodes, but Theta2 of shape (4, 2) takes 1 inputs; "
            "ng-ml-2011 keeps the weights in rows: are these in columns?",
        ),
    ],
)
def test_sizes_names_the_mend(params: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message)):
        convention("ng-ml-2011").sizes(params)


def test_unpack_refuses_other_lengths() -> None:
    ng = convention("ng-ml-2011")
    message = r"unpack: the vector has shape \(10,\), ng-ml-2011 packs sizes \(4, 3\) \(bias first\) into \(15,\)$"
    with pytest.raises(ShapeError, match=message):
        ng.unpack(np.zeros(10), (4, 3))
    with pytest.raises(ShapeError, match=r"into \(15,\); pass vector.ravel\(\)"):
        ng.unpack(np.zeros((15, 1)), (4, 3))  # as Octave's Theta(:) arrives
    with pytest.raises(DTypeError, match="unpack: the vector has dtype complex128"):
        ng.unpack(np.zeros(15, dtype=complex), (4, 3))
    with pytest.raises(DTypeError, match="pack: Theta1 has dtype complex128"):
        ng.pack({"Theta1": np.zeros((3, 5), dtype=complex)})


# --- in a notebook ------------------------------------------------------------------------------


def cells(html: str) -> dict[str | None, str | None]:
    table = ElementTree.fromstring(html)
    return {row[0].text: row[1].text for row in table}


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda c: c.name)
def test_a_convention_is_a_table_with_its_source(preset: Convention) -> None:
    found = cells(preset._repr_html_())
    assert found["preset"] == preset.name
    assert found["citation"] == preset.citation
    assert found["batch"].rstrip("*") == preset.layout.batch


def test_a_convention_is_escaped() -> None:
    hostile = Convention("<b>x</b>", Layout(), title="a & b", notes="<script>alert(1)</script>")
    html = hostile._repr_html_()
    assert "<b>" not in html
    assert "<script>" not in html
    assert cells(html)["preset"] == "<b>x</b>"


# --- tasks -------------------------------------------------------------------------------------------


def test_the_first_task_is_the_default() -> None:
    ng = convention("ng-ml-2011")
    assert ng.task() is ng.tasks["classification"]
    assert (ng.task("regression").loss, ng.task("regression").factor) == ("squared_error", 0.5)


def test_a_task_that_the_source_lacks() -> None:
    with pytest.raises(
        LayoutError, match="ng-ml-2011 has no task 'margin'; choose from 'classification', 'yes/no', 'regression', or n"
    ):
        convention("ng-ml-2011").task("margin")
    with pytest.raises(LayoutError, match="mine has no task None; it fixes none: name a loss"):
        Convention("mine", Layout()).task()
