"""The Convention class, the presets, and the table in docs/conventions.md."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians.conventions import Convention
from jacobians.errors import DomainError, DTypeError, LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.presets import REFERENCES, all_conventions, convention

DOCS = Path(__file__).parents[1] / "docs" / "conventions.md"

# batch, weights, bias, vec, derivative, reduction, l2, l2_bias, packing
EXPECTED = {
    "ng-ml-2011": ("rows", "rows", "first", "F", "numerator", "mean", "half-over-n", False, "layers"),
    "ng-ufldl": ("columns", "rows", "separate", "F", "numerator", "mean", "half", False, "weights-then-biases"),
    "ng-dlai": ("columns", "rows", "separate", "C", "numerator", "mean", "half-over-n", False, "layers"),
    "cs229": ("columns", "rows", "separate", "C", "numerator", "mean", None, False, None),
    "cs231n": ("rows", "columns", "separate", "C", "numerator", "mean", "half", False, None),
    "cs231n-2018-toy": ("rows", "columns", "separate", "C", "numerator", "mean", "one", False, None),
    "cs231n-bias-trick": ("rows", "columns", "last", "C", "numerator", "mean", "one", True, None),
    "cs231n-notes": ("columns", "rows", "separate", "C", "numerator", "mean", "one", False, None),
    "row-order": ("rows", "rows", "first", "C", "numerator", None, None, False, None),
    "vecderivs-columns": ("columns", "rows", "none", "C", "numerator", None, None, False, None),
    "vecderivs-rows": ("rows", "columns", "none", "C", "denominator", None, None, False, None),
    "cs224n-columns": ("columns", "rows", "separate", "C", "numerator", None, None, False, None),
    "cs224n-rows": ("rows", "columns", "separate", "C", "numerator", None, None, False, None),
    "pytorch": ("rows", "rows", "separate", "C", "numerator", "mean", None, False, "layers"),
    "pytorch-mse": ("rows", "rows", "separate", "C", "numerator", "mean-all", None, False, "layers"),
    "keras": ("rows", "columns", "separate", "C", "numerator", "mean", "one", False, None),
    "keras-mse": ("rows", "columns", "separate", "C", "numerator", "mean-all", "one", False, None),
    "flax": ("rows", "columns", "separate", "C", "numerator", None, None, False, None),
    "equinox": ("rows", "rows", "separate", "C", "numerator", None, None, False, None),
    "sklearn-mlp": (
        "rows",
        "columns",
        "separate",
        "C",
        "numerator",
        "mean",
        "half-over-n",
        False,
        "weights-then-biases",
    ),
    "matlab": ("columns", "rows", "separate", "F", "numerator", None, None, False, None),
}


# --- presets -------------------------------------------------------------------------------------


def test_presets_are_pinned() -> None:
    found = {
        p.name: (
            *(getattr(p.layout, field) for field in ("batch", "weights", "bias", "vec", "derivative")),
            *(p.reduction, p.l2, p.l2_bias, p.packing),
        )
        for p in all_conventions()
    }
    assert found == EXPECTED
    assert [p.name for p in all_conventions()] == list(EXPECTED)


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda p: p.name)
def test_every_preset_is_cited(preset: Convention) -> None:
    assert re.search(r"\b(read|copies read)\b", preset.citation)
    assert len(preset.citation) > 40
    assert preset.title
    assert "\n" not in preset.title
    assert preset.notes
    assert preset.evidence in ("P", "S")  # nothing from memory
    assert preset.evidence == ("S" if "secondary" in preset.citation else "P")
    assert preset.weight_name == ("Theta" if preset.name == "ng-ml-2011" else "W")


def test_every_reference_is_cited_and_has_a_reason() -> None:
    assert [r.name for r in REFERENCES] == ["mml", "magnus-neudecker", "matrix-cookbook", "parr-howard"]
    for reference in REFERENCES:
        assert len(reference.citation) > 40
        assert reference.reason
        assert reference.fixes
        assert reference.evidence in ("P", "S")


def test_lookup() -> None:
    preset = convention("cs231n")
    assert convention(preset) is preset
    assert preset == convention("cs231n")
    assert hash(preset) == hash(convention("cs231n"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pytorhc", "convention: 'pytorhc' is unknown; did you mean 'pytorch'"),
        ("ng", "convention: 'ng' is unknown; did you mean 'ng-ml-2011' or 'ng-ufldl' or 'ng-dlai'?"),
        ("vecderivs", "did you mean 'vecderivs-columns' or 'vecderivs-rows'?"),
        ("xyzzy", "convention: 'xyzzy' is unknown; choose one of ng-ml-2011, ng-ufldl"),
        ("", "convention: '' is unknown; choose one of ng-ml-2011"),
        ("mml", "convention: 'mml' is a reference without a preset: it keeps to one column x"),
    ],
)
def test_unknown_names_suggest_the_nearest(name: str, message: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(message)):
        convention(name)


# --- the document --------------------------------------------------------------------------------


def tables_of_document() -> dict[str, list[dict[str, str]]]:
    """Tables by their first heading, cells stripped of back-ticks."""
    tables: dict[str, list[dict[str, str]]] = {}
    for block in re.findall(r"(?:^\|.*\|\n)+", DOCS.read_text(encoding="utf-8"), re.MULTILINE):
        lines = [[cell.strip().strip("`") for cell in line[1:-1].split("|")] for line in block.splitlines()]
        tables.setdefault(lines[0][0], []).extend(dict(zip(lines[0], line, strict=True)) for line in lines[2:])
    return tables


def test_document_lists_the_presets() -> None:
    assert tables_of_document()["preset"] == [preset.describe() for preset in all_conventions()]


def test_document_lists_the_references() -> None:
    rows = tables_of_document()["text"]
    assert [(r["text"], r["what it fixes"], r["why it has no preset"], r["evidence"]) for r in rows] == [
        (r.name, r.fixes, r.reason, r.evidence) for r in REFERENCES
    ]


def test_document_states_the_four_affine_forms() -> None:
    """Each printed gradient, evaluated, is the numerical derivative of the printed forward map."""
    rng = np.random.default_rng(0)
    rows = tables_of_document()["batch, weights"]
    assert [row["batch, weights"] for row in rows] == [
        f"{b}, {w}" for b in ("rows", "columns") for w in ("rows", "columns")
    ]
    for row in rows:
        batch, weights = row["batch, weights"].split(", ")
        layout = Layout(bias="none").replace(batch=batch, weights=weights)
        values = {
            "X": rng.normal(size=layout.batch_shape(5, 3)),
            "W": rng.normal(size=layout.weight_shape(3, 2)),
            "dZ": rng.normal(size=layout.batch_shape(5, 2)),
        }

        def evaluate(formula: str, values: dict[str, np.ndarray]) -> np.ndarray:
            left, right = (values[t.rstrip("ᵀ")].T if t.endswith("ᵀ") else values[t] for t in formula.split())
            return np.asarray(left @ right)

        forward = row["forward"].removeprefix("Z = ")
        for name in ("W", "X"):
            numeric = np.zeros_like(values[name])
            for index in np.ndindex(numeric.shape):
                step = np.zeros_like(numeric)
                step[index] = 1.0  # the map is linear: a step of one is exact but for rounding
                moved = evaluate(forward, values | {name: values[name] + step}) - evaluate(forward, values)
                numeric[index] = np.sum(values["dZ"] * moved)
            np.testing.assert_allclose(evaluate(row[f"gradient by {name}"], values), numeric, atol=1e-12)


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
        ("weight_name", "b", "weight_name='b' would clash with the biases b1"),
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


@given(name=st.sampled_from(list(EXPECTED)), sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4), data=st.data())
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
    ("preset", "params", "message"),
    [
        (
            "ng-ml-2011",
            {"Theta1": np.zeros((5, 3))},
            "check: Theta1 has shape (5, 3), ng-ml-2011 keeps one node a row, bias first: expected (3, 5); "
            "its transpose would fit: are the weights in columns?",
        ),
        (
            "ng-ml-2011",
            {"Theta1": np.zeros((3, 4))},
            "expected (3, 5); the first column, which holds the bias, is missing",
        ),
        (
            "cs231n-bias-trick",
            {"W1": np.zeros((4, 3))},
            "check: W1 has shape (4, 3), cs231n-bias-trick keeps one node a column, bias last: expected (5, 3); "
            "the last row, which holds the bias, is missing",
        ),
        (
            "cs231n",
            {"W1": np.zeros((5, 3)), "b1": np.zeros(3)},
            "bias separate: expected (4, 3); it has one row more: is the bias absorbed in it?",
        ),
        (
            "ng-dlai",
            {"W1": np.zeros((3, 4)), "b1": np.zeros(3)},
            "check: b1 has shape (3,), ng-dlai keeps examples in columns: expected (3, 1); reshape((3, 1)) would fit",
        ),
        (
            "cs231n",
            {"W1": np.zeros((4, 3)), "b1": np.zeros(2)},
            "check: b1 has shape (2,), cs231n keeps examples in rows: expected (3,)",
        ),
        (
            "cs231n",
            {"W1": np.zeros((4, 3))},
            "check: cs231n expects the parameters W1, b1; found W1",
        ),
        (
            "vecderivs-rows",
            {"W1": np.zeros((7, 9))},
            "keeps one node a column, bias none: expected (4, 3)",
        ),
    ],
)
def test_check_names_the_mend(preset: str, params: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        convention(preset).check(params, (4, 3))
    assert str(caught.value).endswith(message)


def test_check_names_the_caller() -> None:
    with pytest.raises(ShapeError, match=r"^network: W1 has shape \(3, 4\)"):
        convention("cs231n").check({"W1": np.zeros((3, 4)), "b1": np.zeros(3)}, (4, 3), operation="network")


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
