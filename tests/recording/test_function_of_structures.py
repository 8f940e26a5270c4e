"""Every structure's actions can be replayed, and so can what is made of a net's Jacobians."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians import Convention, Layout, Network, gauss_newton, replayed
from jacobians.errors import RecordingError
from jacobians.operations import ACTIVATIONS
from tests.linops.cases import CASES, Case
from tests.linops.dense_twins import Numbers
from tests.recording.test_function import numbers, same_bits


def refused(case: Case) -> bool:
    """SciPy's products and solvers are not known, nor is np.add.reduceat, by which a selection by index goes back."""
    kinds = r"Sparse|SylvesterInverse|Frechet|Selection\(\d|Duplication"
    return re.search(kinds, case.make(Numbers())[0].structure) is not None


@pytest.mark.parametrize("stack", [(), (2,), (0,)], ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_actions_of_every_structure(case: Case, stack: tuple[int, ...]) -> None:
    jacobian = case.make(Numbers())[0]
    for act, shape in ((jacobian.jvp, jacobian.domain), (jacobian.vjp, jacobian.codomain)):
        fast = replayed(act)
        try:
            fast(numbers(*stack, *shape))
        except RecordingError:
            assert refused(case)
            continue
        array = numbers(*stack, *shape, seed=1)
        same_bits(fast(array), act(array))
        assert fast.runs == 1


@pytest.mark.parametrize("case", [c for c in CASES if not refused(c)], ids=lambda case: case.name)
def test_products_with_vectors_and_matrices(case: Case) -> None:
    jacobian = case.make(Numbers())[0]
    rows, columns = jacobian.shape
    functions: dict[Callable[[Any], Any], tuple[int, ...]] = {
        lambda x: jacobian @ x: (columns,),
        lambda X: jacobian @ X: (columns, 2),
        lambda x: x @ jacobian: (rows,),
        lambda X: X @ jacobian: (2, rows),
        jacobian.matvec: (columns, 1),
        jacobian.rmatvec: (rows,),
    }
    for function, shape in functions.items():
        fast = replayed(function)
        fast(numbers(*shape))
        same_bits(fast(numbers(*shape, seed=1)), function(numbers(*shape, seed=1)))
        assert fast.runs == 1


LAYOUTS = [Layout(), Layout(batch="columns", weights="rows", bias="first", vec="F")]

OF_NETS: dict[str, Callable[[Any], Any]] = {
    "outputs by parameters": lambda run: run.parameter_jacobian("output").to_dense(),
    "losses by parameters": lambda run: run.parameter_jacobian("losses").to_dense(),
    "outputs by the inputs": lambda run: run.jacobian("X", of="output").to_dense(),
    "blocks": lambda run: run.jacobian("X", of="output").block_diagonal().blocks,
    "norms": lambda run: run.parameter_jacobian("losses").row_norms(),
    "Gram": lambda run: run.parameter_jacobian("losses").gram(),
    "its diagonal": lambda run: gauss_newton(run).diagonal(),
    "Gauss–Newton": lambda run: gauss_newton(run) @ np.ones(run.parameter_jacobian().shape[1]),
}


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", OF_NETS)
def test_what_is_made_of_a_net_s_jacobians(name: str, activation: str, layout: Layout) -> None:
    net = Network.dense((4, 3, 3, 2), activation=activation, convention=Convention("test", layout, reduction="mean"))
    Y = np.array([0, 1, 1, 0, 1])

    def function(params: dict[str, np.ndarray], X: np.ndarray, Y: np.ndarray) -> Any:
        return OF_NETS[name](net.run(params, X, Y))

    fast = replayed(function)
    for seed in range(3):
        params, X = net.init(np.random.default_rng(seed)), numbers(*layout.batch_shape(5, 4), seed=seed)
        same_bits(fast(params, X, Y), function(params, X, Y))
        Y = 1 - Y
    assert fast.runs == 1


def test_rows_of_a_kilobyte_are_multiplied_through_buffers_again() -> None:
    """128 entries of float64: what the kernel asks of NumPy while it multiplies is asked in every replay."""
    net = Network.dense((4, 128))
    params, X, Y = net.init(np.random.default_rng(0)), numbers(2, 4), np.array([0, 1])
    fast = replayed(lambda params, X: net.run(params, X, Y).parameter_jacobian("losses").to_dense())
    before = np.getbufsize()
    fast(params, X)
    names = [getattr(function, "__qualname__", "") for function, _ in fast._known[0]._replay._code]
    assert any(name.startswith("buffered") for name in names)
    same_bits(fast(params, -X), net.run(params, -X, Y).parameter_jacobian("losses").to_dense())
    assert np.getbufsize() == before
