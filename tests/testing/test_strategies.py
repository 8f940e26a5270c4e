"""The strategies draw what they promise, and a user's own operation goes through all laws in one line."""

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from jacobians import Convention, Layout, all_conventions, values
from jacobians.linops import Diagonal, Jacobian
from jacobians.testing import assert_adjoint, assert_dense_twin, assert_graph_laws, assert_operation_laws, assert_vec
from jacobians.testing import strategies as jst


@given(st.from_type(Layout), st.from_type(Convention))
def test_types_are_registered(layout, convention):
    assert isinstance(layout, Layout)
    assert isinstance(convention, Convention)


def test_every_layout_and_preset_can_be_drawn():
    for layout in (Layout("columns", "rows", "last", "F", "denominator"), Layout(bias="none")):
        assert find(jst.layouts(), lambda drawn, layout=layout: drawn == layout) == layout
    last = all_conventions()[-1].name
    assert find(jst.any_conventions(), lambda c: c.name == last).name == last


@given(jst.layouts(bias="first", batch="columns"))
def test_fields_can_be_fixed(layout):
    assert (layout.bias, layout.batch) == ("first", "columns")


@given(jst.distinct_sizes(4))
def test_sizes_are_distinct(sizes):
    assert len(set(sizes)) == 4
    assert min(sizes) >= 1


@given(jst.arrays((3, 4), dtype=np.float32, margin=0.5, saturated=True))
def test_arrays_keep_their_margin_and_dtype(array):
    assert array.shape == (3, 4)
    assert array.dtype == np.float32
    assert np.abs(array).min() >= 0.5


@pytest.mark.parametrize(
    "wanted",
    [
        lambda a: not a.flags.writeable,
        lambda a: a.flags.f_contiguous,
        lambda a: not a.flags.forc,
        lambda a: np.abs(a).max() > 100,
    ],
    ids=["read-only", "F", "strided", "saturated"],
)
def test_arrays_of_every_kind_are_drawn(wanted):
    find(jst.arrays((3, 4), saturated=True), wanted)


@given(jst.structures())
def test_structures_equal_their_twins(case):
    assert_dense_twin(case.jacobian, case.twin)
    assert_vec(case.jacobian)


@given(jst.structures().flatmap(lambda c: st.tuples(st.just(c), jst.tangents(c.jacobian), jst.cotangents(c.jacobian))))
def test_tangents_and_cotangents_fit(drawn):
    case, tangent, cotangent = drawn
    assert np.allclose(case.jacobian.jvp(tangent).ravel(), case.twin @ tangent.ravel())
    assert np.allclose(case.jacobian.vjp(cotangent).ravel(), case.twin.T @ cotangent.ravel())


def test_a_wrong_structure_is_found():
    """Strategies that draw only easy cases would find nothing: a transpose that is forgotten shows at once."""
    wrong = find(
        jst.structures(),
        lambda c: c.twin.shape[0] == c.twin.shape[1] and not np.allclose(c.jacobian.T.to_dense(), c.twin),
    )
    with pytest.raises(AssertionError, match="dense twin"):
        assert_dense_twin(wrong.jacobian.T, wrong.twin)


@given(jst.operations())
@settings(max_examples=15)
def test_operations_obey_the_laws(case):
    assert_operation_laws(*case, directions=1, coordinates=4)


@given(jst.graphs(high=12))
@settings(max_examples=15)
def test_graphs_obey_the_laws(case):
    assert_graph_laws(case, case.arrays, twins=case.twins)


def test_graphs_share_values():
    def paths(case):
        inputs = values(**case.arrays)
        return max(case(*inputs).path_count(v) for v in inputs)

    assert paths(find(jst.graphs(), lambda case: paths(case) > 4)) > 4


@given(jst.networks())
@settings(max_examples=30)
def test_networks_fit_their_data(case):
    gradient = case.network.gradient(*case[1:])
    assert {name: g.shape for name, g in gradient.items()} == case.network.shapes()
    assert all(np.isfinite(g).all() for g in gradient.values())


@given(jst.networks(loss="logistic_loss", activation="tanh", layers=3))
@settings(max_examples=10)
def test_networks_of_a_chosen_kind(case):
    assert set(np.unique(case.Y)) <= {-1.0, 1.0}
    assert case.network.loss.name == "logistic_loss"


def test_an_operation_of_ones_own_goes_through_all_laws_in_one_line():
    def cube(X) -> tuple[np.ndarray, Jacobian]:
        X = np.asarray(X)
        X = X if X.dtype.kind == "f" else _real(X)
        return X**3, Diagonal(3 * X**2)

    assert_operation_laws(cube, [[[1.0, 2.0, -0.5]]])


def _real(X):
    from jacobians.arrays import as_float

    return as_float(X, "X", "cube")


def test_adjoint_of_what_is_drawn():
    case = find(jst.structures(), lambda c: c.twin.size > 4)
    assert_adjoint(case.jacobian)
