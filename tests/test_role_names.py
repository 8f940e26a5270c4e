"""The role that a name in a file has: the names of courses, of dicts and lists, and of modules."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.presets import convention
from jacobians.role_names import RolesOfNames, is_vector

_MATRIX, _VECTOR = np.ones((3, 2)), np.ones((3, 1))


def _roles(preset: str, arrays: dict[str, np.ndarray], **chosen: str) -> dict[str, str | None]:
    found = RolesOfNames(arrays, convention(preset), chosen)
    return {name: found.role(name) for name in arrays}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("W1", "weight:1"),
        ("params['W2']", "weight:2"),
        ("b", "bias:1"),
        ("dW1", "weight-gradient:1"),
        ("grads['dW1']", "weight-gradient:1"),
        ("grads.W1", "weight-gradient:1"),
        ("W1_grad", "weight-gradient:1"),
        ("grad_b2", "bias-gradient:2"),
        ("X", "input"),
        ("targets", "target"),
        ("reg", "strength"),
        ("N", "count"),
        ("n", None),
        ("_W1", None),
        ("momentum", None),
    ],
)
def test_a_name_has_the_role_that_its_course_gives_it(name: str, role: str | None) -> None:
    assert _roles("cs231n", {name: _MATRIX}) == {name: role}


@pytest.mark.parametrize(("first", "layers"), [(0, (1, 2)), (1, (1, 2))])
def test_members_of_a_list_are_counted_from_where_the_list_begins(first: int, layers: tuple[int, int]) -> None:
    names = [f"coefs_[{first}]", f"coefs_[{first + 1}]"]
    assert list(_roles("cs231n", dict.fromkeys(names, _MATRIX)).values()) == [f"weight:{layer}" for layer in layers]


def test_a_list_of_gradients_belongs_to_the_list_of_its_parameters() -> None:
    arrays = {"weights_0": _MATRIX, "nabla_w_0": _MATRIX, "nabla_b_0": _VECTOR}
    assert list(_roles("cs231n", arrays).values()) == ["weight:1", "weight-gradient:1", "bias-gradient:1"]


def test_a_modules_layers_are_counted_in_the_order_of_the_file() -> None:
    arrays = {"fc.weight": _MATRIX, "fc.bias": np.ones(3), "out.weight": _MATRIX, "out.weight.grad": _MATRIX}
    assert list(_roles("pytorch", arrays).values()) == ["weight:1", "bias:1", "weight:2", "weight-gradient:2"]


def test_theta_is_packed_as_a_vector_and_a_weight_as_a_matrix() -> None:
    for array, role in [(_VECTOR, "packed"), (_MATRIX, "weight:1")]:
        assert _roles("ng-ml-2011", {"theta": array}) == {"theta": role}


def test_a_name_that_was_chosen_has_the_chosen_role() -> None:
    assert _roles("cs231n", {"W1": _MATRIX}, input="W1") == {"W1": "input"}


@pytest.mark.parametrize(("shape", "vector"), [((), True), ((3,), True), ((1, 3), True), ((2, 3), False)])
def test_a_vector_has_all_entries_along_one_axis(shape: tuple[int, ...], vector: bool) -> None:
    assert is_vector(shape) is vector
