"""One array, one name: whatever prints an array calls it as its convention does, and the name means that array.

A run's own arrays are the measure: `values`, `params`, `cotangents` and the gradients, each under its name. Everything
else that names arrays, `explain`, its programs, `audit`, `compare`, chains, pictures and messages, must use these names
and no others, for arrays with the same numbers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import numpy as np
import pytest

from jacobians import Network, Run, all_conventions, audit, convention, explain
from jacobians.arrays import Array
from jacobians.auditing import names as names_of_audit
from jacobians.comparison import compare
from jacobians.conventions import Convention
from jacobians.errors import LayoutError, ShapeError
from jacobians.operations import LOSSES
from jacobians.pictures.svg import chain_html

BESIDE = {"loss", "losses", "Y", "K"}
"""What is called the same in every convention, beside X."""

SOURCES = list({preset.names: preset for preset in reversed(all_conventions())}.values())
"""One preset for each set of names."""


def run_of(preset: Convention, task: str | None = None, sizes: tuple[int, ...] = (4, 3, 2)) -> Run:
    fixes = preset.layout.bias != "none" and preset.l2
    net = Network.dense(sizes, convention=preset, task=task, l2=0.5 if fixes else 0.0)
    rng = np.random.default_rng(7)
    count, outputs = 5, sizes[-1]
    labels = rng.integers(outputs, size=count)
    takes = LOSSES[net.loss.name].takes
    Y = labels if takes in ("labels", "zero-one") else rng.normal(size=net.layout.batch_shape(count, outputs))
    params = {name: rng.normal(size=shape) for name, shape in net.shapes().items()}
    return net.run(params, rng.normal(size=net.layout.batch_shape(count, sizes[0])), Y)


def everything(run: Run) -> dict[str, Array]:
    """Every array of a run by its name; no name is there twice."""
    gradient_of = run.network.convention.names.gradient_of
    gradients = {gradient_of(name): array for name, array in run.gradient(inputs=True).items()}
    parts = [run.values, run.params, run.cotangents, gradients]
    found = {name: array for part in parts for name, array in part.items()}
    assert len(found) == sum(map(len, parts))
    return found


def scalars(run: Run) -> set[str]:
    names = run.network.convention.names
    return {names.count, names.strength, *BESIDE}


def check_one_name(preset: Convention, task: str | None, sizes: tuple[int, ...]) -> None:
    run = run_of(preset, task, sizes)
    arrays = everything(run)
    check_derivation(run, arrays)
    check_chains(run, arrays)
    check_messages(run, arrays)


def check_derivation(run: Run, arrays: dict[str, Array]) -> None:
    """What `explain` defines, what its program computes, and every symbol in a formula."""
    derivation = explain(run)
    scope = dict(derivation.values)
    exec(derivation.to_numpy(), scope)
    known = arrays.keys() | scalars(run)
    for name, array in derivation.values.items():
        assert name in known
        if name in arrays:
            np.testing.assert_allclose(array, arrays[name], rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(scope[name], arrays[name], rtol=1e-10, atol=1e-12)
    for equation in derivation.equations:
        # an array with its ones and an unrolled one have helpers in programs: A1_ones, vec_dW1
        helpers = {helper for name in arrays for helper in (f"{name}_ones", f"vec_{name}")}
        assert set(names_in(equation.numpy)) <= known | helpers


def names_in(code: str) -> Iterator[str]:
    """The arrays that a line of NumPy names: no function, and no module."""
    tree = ast.parse(code)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called and node.id != "np":
            yield node.id


def check_chains(run: Run, arrays: dict[str, Array]) -> None:
    """Factors and their pictures bear the names of the arrays between which they are; `wrt` takes those names."""
    shapes = {**{name: array.shape for name, array in arrays.items()}, "losses": run.losses.shape, "loss": ()}
    for wrt in [*run.params, *(stop.name for stop in run.stops)]:
        chain = run.chain(wrt)
        for factor in chain:
            assert factor.jacobian.numerator.domain == shapes[factor.wrt]
            assert factor.jacobian.numerator.codomain == shapes[factor.of]
        headings = {factor.label for factor in chain}
        assert headings <= set(re.findall(r"∂\w+/∂\w+", chain_html(chain)))
        assert run.jacobian(wrt).gradient.shape == arrays[wrt].shape
    for stop in run.stops[1:]:
        if stop.cotangent in run.cotangents:
            gradient, cotangent = run.jacobian(wrt=stop.name).gradient, run.cotangents[stop.cotangent]
            scale = np.vdot(gradient, cotangent) / np.vdot(gradient, gradient) if gradient.any() else 1.0
            np.testing.assert_allclose(cotangent, gradient * scale, rtol=1e-10, atol=1e-14)
            late = run.network.convention.names.weighted_at == "gradient"
            assert late or scale == pytest.approx(1.0)


def check_messages(run: Run, arrays: dict[str, Array]) -> None:
    """Refusals list the convention's names."""
    with pytest.raises(LayoutError, match="is unknown; choose wrt from") as refused:
        run.chain("no_such_array")
    offered = str(refused.value).partition("choose wrt from ")[2].split(", ")
    assert set(offered) <= arrays.keys() | BESIDE | {"output"}
    name, array = next(iter(run.params.items()))
    with pytest.raises(ShapeError, match=rf"\b{name}\b") as misfit:
        run.network.run({**run.params, name: np.ones((array.shape[0] + 3, 1))}, run.X, run.Y)
    other = {"Theta1", "W1"} - {name}
    assert not any(re.search(rf"\b{word}\b", str(misfit.value)) for word in other)


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda preset: preset.name)
def test_every_preset_has_one_name_for_an_array(preset: Convention) -> None:
    check_one_name(preset, None, (4, 3, 2))


@pytest.mark.parametrize(
    ("name", "task"),
    [("ng-ml-2011", "regression"), ("ng-dlai", "classification"), ("cs231n-bias-trick", "margin"), ("mazur", None)],
)
def test_every_task_has_the_same_names(name: str, task: str | None) -> None:
    check_one_name(convention(name), task, (3, 2, 4, 2))


@pytest.mark.slow
@pytest.mark.parametrize("preset", all_conventions(), ids=lambda preset: preset.name)
@pytest.mark.parametrize("sizes", [(3, 2), (4, 3, 2), (3, 2, 4, 2), (2, 3, 2, 3, 2)], ids=str)
def test_every_preset_task_and_depth(preset: Convention, sizes: tuple[int, ...]) -> None:
    for task in preset.tasks or [None]:
        check_one_name(preset, task, sizes)


@pytest.mark.parametrize("preset", SOURCES, ids=lambda preset: preset.name)
def test_the_audit_reads_and_says_the_same_names(preset: Convention) -> None:
    """Every name that a formula may use is a run's, an accumulator's, or one with its ones; and it answers in them."""
    run = run_of(preset.replace(l2=None))
    arrays = everything(run)
    offered = names_of_audit(preset.name, sizes=(4, 3, 2))
    layers = range(1, 3)
    accumulators = {preset.names.of("accumulator", layer) for layer in layers} if preset.names.accumulator else set()
    # the cotangent of what the loss makes of the output: no way leads through it
    beside = {preset.names.of("post-cotangent", 2)} if preset.names.post_cotangent else set()
    known = arrays.keys() | scalars(run) | {f"{name}_ones" for name in arrays}
    assert set(offered) <= known | accumulators | beside
    assert arrays.keys() <= offered.keys()
    derivation = explain(run)
    for name in [next(iter(run.params)), "X"]:
        formula, gradient = derivation[name].formula, preset.names.gradient_of(name)
        for text in (formula.numpy, formula.latex):
            found = audit(text, preset.name, sizes=(4, 3, 2))
            assert found
            assert f"({gradient}: the gradient with respect to {name})" in str(found)


@pytest.mark.parametrize(
    "names", [("ng-ml-2011", "cs231n"), ("cs224n-rows", "ng-ufldl"), ("vecderivs-rows", "cs229", "ng-ml-2011")]
)
def test_each_column_of_a_comparison_has_its_own_names(names: tuple[str, ...]) -> None:
    rng = np.random.default_rng(3)
    found = compare(names, rng.normal(size=(5, 4)), rng.integers(2, size=5), sizes=(4, 3, 2))
    owns = [everything(side.run) for side in found.sides]
    for side, own in zip(found.sides, owns, strict=True):
        assert side.arrays() == {name: own[name].shape for name in side.arrays()}
        for row in [row for parameter in side.run.params for row in side.chain(parameter)]:
            assert set(re.findall(r"∂(\w+)", row.label)) <= own.keys() | BESIDE
    for row in found.formulas.rows:
        called = [name for cell in row.cells if cell is not None for name in names_in(cell.numpy.partition(" = ")[0])]
        if not row.label.startswith(("weight", "bias")):
            assert row.label.split(" / ") == list(dict.fromkeys(called))
        for cell, side, own in zip(row.cells, found.sides, owns, strict=True):
            if cell is not None:
                allowed = own.keys() | scalars(side.run) | {f"{name}_ones" for name in own}
                assert set(names_in(cell.numpy)) <= allowed
    for differences in found.differences:
        for difference in differences:
            frame = next(
                own for side, own in zip(found.sides, owns, strict=True) if side.convention.name == difference.frame
            )
            assert frame[difference.gradient].shape == frame[difference.parameter].shape


def test_ng_s_names_are_those_of_exercise_4() -> None:
    """a⁽²⁾ holds its ones, the selection belongs to ∂A2/∂Z2, and δ⁽²⁾ belongs to Z2."""
    run = run_of(convention("ng-ml-2011"))
    values = run.values
    assert list(values) == ["X", "A1", "Z2", "A2", "Z3", "A3"]
    np.testing.assert_array_equal(values["A1"], np.hstack([np.ones((5, 1)), run.X]))
    np.testing.assert_allclose(values["Z2"], values["A1"] @ run.params["Theta1"].T)
    np.testing.assert_allclose(values["A2"], np.hstack([np.ones((5, 1)), 1 / (1 + np.exp(-values["Z2"]))]))
    np.testing.assert_allclose(values["Z3"], values["A2"] @ run.params["Theta2"].T)
    structures = {factor.label: factor.jacobian.structure for factor in run.chain("Theta1")}
    assert [label for label, structure in structures.items() if "Selection" in structure] == ["∂A2/∂Z2"]
    delta3 = values["A3"] - np.eye(2)[run.Y]
    delta2 = (delta3 @ run.params["Theta2"])[:, 1:] * values["A2"][:, 1:] * (1 - values["A2"][:, 1:])
    np.testing.assert_allclose(run.cotangents["delta3"], delta3)
    np.testing.assert_allclose(run.cotangents["delta2"], delta2)
    np.testing.assert_allclose(run.jacobian(wrt="Z2").gradient * 5, delta2)
    np.testing.assert_allclose(run.jacobian(wrt="Z3").gradient * 5, delta3)


def test_ng_s_deeper_net_has_a_z4() -> None:
    run = run_of(convention("ng-ml-2011"), sizes=(4, 3, 3, 2))
    assert list(run.values) == ["X", "A1", "Z2", "A2", "Z3", "A3", "Z4", "A4"]
    assert list(run.cotangents) == ["delta4", "delta3", "delta2"]
    for name in ("Z2", "Z3", "Z4"):
        np.testing.assert_allclose(run.jacobian(wrt=name).gradient * 5, run.cotangents[f"delta{name[1:]}"])
    with pytest.raises(LayoutError, match="'Z1' is unknown"):
        run.jacobian(wrt="Z1")
