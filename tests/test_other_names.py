"""Names of other libraries: each points to something that is there."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

import jacobians as jac
from jacobians.other_names import _CALLED_ELSEWHERE, instead_of


@pytest.mark.parametrize("name", sorted(_CALLED_ELSEWHERE))
def test_what_is_named_is_there_and_the_other_name_is_not(name: str) -> None:
    assert name not in jac.__all__
    for path in re.findall(r"jac\.([A-Za-z0-9_.]+)", _CALLED_ELSEWHERE[name]):
        found = jac
        for part in path.rstrip(".").split("."):
            found = getattr(found, part)


def test_a_name_of_a_room_and_one_that_is_misspelt() -> None:
    assert instead_of("conv2d", [], ["layers"]) == "; write jac.layers.conv2d"
    assert instead_of("softmx", ["softmax"], []) == "; did you mean 'softmax'?"
    assert instead_of("xyzzy", ["softmax"], ["layers"]) == ""


def test_a_name_of_the_operations_alone_is_not_said_to_be_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jacobians.operations.__all__", [*jac.operations.__all__, "bent_identity", "BentIdentity"])
    assert instead_of("bent_identity", [], []) == "; write jacobians.operations.bent_identity"
    assert instead_of("BentIdentity", [], []) == "; write jac.BentIdentity"


@pytest.mark.parametrize("room", [jac.layers, jac.matrix])
def test_a_room_lists_its_public_names_alone(room: ModuleType) -> None:
    assert [name for name in dir(room) if not name.startswith("__")] == sorted(room.__all__)
