"""The names of a convention's arrays: patterns that give every array a name of its own, or are refused."""

from __future__ import annotations

import keyword
import re

import pytest

from jacobians import all_conventions
from jacobians.array_names import ArrayNames
from jacobians.conventions import Convention
from jacobians.errors import LayoutError

LAYERED = ("weight", "bias", "pre", "post", "cotangent", "post-cotangent", "accumulator")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weight": "Z{l}"}, "weight 'Z{l}' and pre 'Z{u}' would give two arrays one name, such as 'Z1'"),
        ({"weight": "b{l}"}, "weight 'b{l}' and bias 'b{l}' would give two arrays one name, such as 'b1'"),
        ({"weight": "W1{l}", "bias": "W{l}"}, "weight 'W1{l}' and bias 'W{l}' would give two arrays one name"),
        ({"cotangent": "dW{u}"}, "cotangent 'dW{u}' and gradient of weight 'dW{l}' would give two arrays one name"),
        ({"count": "X"}, "the name 'X' and count 'X' would give two arrays one name"),
        ({"prediction": "Z{u}"}, "pre 'Z{u}' and prediction 'Z{u}' would give two arrays one name"),
        ({"weight": "W<i>{l}"}, "weight='W<i>{l}' gives 'W<i>1', which a program cannot use as a name; use letters"),
        ({"strength": "lambda"}, "strength='lambda' gives 'lambda', which a program cannot use as a name"),
        ({"weight": "W"}, "weight='W' calls every layer's array the same; number them, as in weight='W{l}'"),
        ({"gradient": "d"}, "gradient='d' calls every gradient the same; name the parameter in it"),
        ({"aliases": {"theta": "packing"}}, "'theta' stands for 'packing'; expected one of input, target"),
    ],
)
def test_names_that_clash_or_are_none_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(f"ArrayNames: {message}")):
        ArrayNames(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda c: c.name)
def test_no_two_arrays_of_a_preset_share_a_name(preset: Convention) -> None:
    names, found = preset.names, ["X", "Y", preset.names.count, preset.names.strength]
    given = [role for role in LAYERED if getattr(names, role.replace("-", "_")) is not None]
    found += [names.of(role, layer) for role in given for layer in range(1, 13)]
    found += [names.gradient_of(names.of(role, layer)) for role in ("weight", "bias") for layer in range(1, 13)]
    found.append(names.of("prediction", 13))
    assert len(set(found)) == len(found)
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in found)


def test_a_name_that_a_source_does_not_have() -> None:
    with pytest.raises(LayoutError, match="the source has no name for the accumulator"):
        ArrayNames().of("accumulator", 1)


def test_a_weight_is_told_from_a_bias_by_the_patterns() -> None:
    names = ArrayNames(weight="w{l}", bias="wb{l}")
    assert [names.is_weight(name) for name in ("w1", "2.w1", "wb1", "2.wb1", "c1")] == [True, True, False, False, False]


def test_the_parameters_of_a_chain_in_a_conventions_names() -> None:
    names = ArrayNames(weight="T{l}", bias="c{l}")
    assert [names.parameter(name) for name in ("W1", "b2", "2.1.W1", "B1")] == ["T1", "c2", "2.1.T1", "B1"]


def test_a_pattern_with_another_letter_is_mended_without_it() -> None:
    with pytest.raises(LayoutError, match=r"as in weight='V\{l\}'$"):
        ArrayNames(weight="V{i}")
