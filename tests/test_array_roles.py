"""What the arrays of a file are, in a convention: each has a role, or the file is refused."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.array_roles import arrays_by_role, convention_of, parameters_of
from jacobians.errors import DataError
from jacobians.presets import convention


@pytest.mark.parametrize("shape", [(2,), (1, 2), (2, 1)])
@pytest.mark.parametrize("preset", ["cs231n", "ng-dlai"])
def test_a_bias_of_any_shape_fits(preset: str, shape: tuple[int, ...]) -> None:
    own = convention(preset)
    b = np.arange(2.0)
    found = parameters_of({"W1": np.ones(own.shapes((3, 2))["W1"]), "b1": b.reshape(shape)}, own)
    assert found["b1"].shape == own.shapes((3, 2))["b1"]
    assert np.array_equal(found["b1"].ravel(), b)


def test_no_array_is_left_over() -> None:
    file = {"W1": np.ones((3, 2)), "b1": np.zeros(2), "V7": np.ones(3)}
    with pytest.raises(DataError, match="V7"):
        arrays_by_role(file, convention("cs231n"))
    arrays_by_role({name: file[name] for name in ("W1", "b1")} | {"_V7": np.ones(3)}, convention("cs231n"))


def test_a_convention_is_never_found_by_leaving_biases_out() -> None:
    file = {"W1": np.ones((3, 2)), "b1": np.zeros((1, 2)), "W2": np.ones((2, 2)), "b2": np.zeros((1, 2))}
    assert convention_of(file).layout.bias == "separate"


@pytest.mark.parametrize("preset", ["cs231n", "ng-ml-2011"])
def test_a_weight_that_was_left_out_is_missed_and_its_gradient_is_not_blamed(preset: str) -> None:
    own = convention(preset)
    file = {name: np.ones(shape) for name, shape in own.shapes((4, 3, 2)).items()}
    file |= {own.names.gradient_of(name): array for name, array in file.items()}
    last = own.weight(2)
    left = {name: array for name, array in file.items() if name != last}
    with pytest.raises(DataError, match=f"{last} is missing; put it in, or leave .*{own.names.gradient_of(last)}"):
        convention_of(left)
