"""Numbers that are not finite, kinds of arrays, pickles and threads: what docs/numbers.md says of a network."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from jacobians import Network, replayed
from jacobians.errors import DomainError, DTypeError

NET = Network.dense((3, 4, 2), convention="cs231n", activation="relu")
PARAMS = NET.init(0)
X = np.random.default_rng(0).normal(size=(6, 3))
Y = np.array([0, 1, 1, 0, 1, 0])
FAST = replayed(NET.gradient)
FAST(PARAMS, X, Y)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["X", "W1", "W2"])
def test_a_gradient_that_is_not_finite_says_why(name: str, value: float) -> None:
    params, data = dict(PARAMS), X.copy()
    array = data if name == "X" else params.setdefault(name, params.pop(name).copy())
    array[0, 1] = value
    message = rf"^network: {name} holds {value} at \(0, 1\) \(1 entry is not finite\); leave such examples"
    for use in (
        lambda: NET.gradient(params, data, Y),
        lambda: NET.gradient(params, data, Y, block=2),
        lambda: NET.run(params, data, Y).gradient(inputs=True),
        lambda: NET.fun_and_grad(data, Y)(NET.pack(params)),
        lambda: replayed(NET.gradient)(params, data, Y),
        lambda: FAST(params, data, Y),
    ):
        with pytest.raises(DomainError, match=message):
            use()


def test_overflow_of_finite_numbers_is_numpys_to_tell() -> None:
    with np.errstate(all="ignore"):  # not every release warns of it in a product
        found = NET.gradient(PARAMS, np.full((6, 3), 1.7e308), Y)
    assert not all(np.isfinite(array).all() for array in found.values())


def test_a_sparse_batch_says_what_to_pass() -> None:
    with pytest.raises(
        DTypeError, match=r"^network: X is a csr_array; .*: sparse arrays are not computed with; take its"
    ):
        NET.gradient(PARAMS, scipy.sparse.csr_array(X), Y)


@pytest.mark.parametrize(
    ("given", "computed"),
    [("float16", "float32"), ("float32", "float32"), ("float64", "float64"), ("longdouble", "longdouble")],
)
def test_kinds_of_numbers(given: str, computed: str) -> None:
    params = {name: array.astype(given) for name, array in PARAMS.items()}
    found = NET.gradient(params, X.astype(given), Y)
    assert {array.dtype for array in found.values()} == {np.dtype(computed)}


def test_float_labels_are_classes_where_they_are_whole() -> None:
    same = NET.gradient(PARAMS, X, Y.astype(float))
    assert all(np.array_equal(same[name], array) for name, array in NET.gradient(PARAMS, X, Y).items())
    with pytest.raises(DomainError, match=r"label 0.5 at position 0 is not an integer"):
        NET.gradient(PARAMS, X, Y + 0.5)


@pytest.mark.parametrize("again", [lambda run: pickle.loads(pickle.dumps(run)), copy.deepcopy, copy.copy])
def test_a_run_that_was_used_is_copied_and_pickled(again: Any) -> None:
    run = NET.run(PARAMS, X, Y)
    gradient, losses = run.gradient(), run.losses
    run.parameter_jacobian("losses").row_norms()
    other = again(run)
    assert np.array_equal(other.losses, losses)
    assert all(np.array_equal(other.gradient()[name], array) for name, array in gradient.items())


def test_threads_share_a_network_and_a_run() -> None:
    run = NET.run(PARAMS, X, Y)
    expected = NET.gradient(PARAMS, X, Y), NET.run(PARAMS, X, Y).parameter_jacobian("losses").to_dense()

    def once(_: int) -> tuple[dict[str, Any], Any]:
        return NET.gradient(PARAMS, X, Y), run.parameter_jacobian("losses").to_dense()

    with ThreadPoolExecutor(4) as pool:
        for gradient, matrix in pool.map(once, range(40)):
            assert all(np.array_equal(gradient[name], array) for name, array in expected[0].items())
            assert np.array_equal(matrix, expected[1])
