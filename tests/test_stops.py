"""The arrays on the way through a network: one name each, in the words of the convention."""

from __future__ import annotations

import pytest

from jacobians import Network
from jacobians.conventions import Convention
from jacobians.presets import all_conventions, convention
from jacobians.stops import prediction_name, stops_of


def test_in_ng_s_exercises_an_activation_holds_its_ones() -> None:
    ng = convention("ng-ml-2011")
    stops = stops_of(Network.dense((4, 3, 2), convention=ng).chain.parts, ng, ())
    assert [(s.name, s.ones) for s in stops] == [
        ("X", False),
        ("A1", True),
        ("Z2", False),
        ("A2", True),
        ("Z3", False),
    ]
    assert [s.cotangent for s in stops][2::2] == ["delta2", "delta3"]
    assert prediction_name(stops, ng, ()) == "A3"


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda p: p.name)
def test_no_two_arrays_have_one_name(preset: Convention) -> None:
    net = Network.dense((4, 3, 3, 2), convention=preset)
    stops = stops_of(net.chain.parts, preset, net.shapes())
    names = [s.name for s in stops] + [s.cotangent for s in stops] + list(net.shapes())
    names.append(prediction_name(stops, preset, net.shapes()))
    assert len(set(names)) == len(names)


def test_a_name_that_is_taken_gets_a_prime() -> None:
    own = convention("cs231n")
    parts = Network.dense((4, 3, 2), convention=own).chain.parts
    assert [s.name for s in stops_of(parts, own, {"Z1"})] == ["X", "Z1′", "A1", "Z2"]
