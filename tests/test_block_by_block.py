"""A network on a batch in blocks is the network on the whole batch; and its bits depend on nothing but the blocks."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import re
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import BlockByBlock, Convention, Network, gauss_newton, hessian, in_blocks, kronecker_factored
from jacobians.arrays import Array
from jacobians.errors import ArgumentError, DomainError, LayoutError
from jacobians.layout import Layout
from jacobians.operations import Affine, CrossEntropy, Weighted
from jacobians.operations.shaping import Transpose
from tests.batches.killer import Killer
from tests.network.cases import DENSE_LOSSES, LAYOUTS, inputs, short, targets

SIZES = (3, 4, 2)


def digest(value: float, grads: dict[str, Array]) -> str:
    return hashlib.sha256(
        b"".join([np.float64(value).tobytes(), *(grads[k].tobytes() for k in sorted(grads))])
    ).hexdigest()


class Shuffled(Executor):
    """Blocks are computed when all that may be in flight are handed out, in another order."""

    _max_workers = 3

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._pool = ThreadPoolExecutor(1)
        self._held: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._held.append((future, lambda: function(*args)))
        self._pool.submit(self._one)
        return future

    def _one(self) -> None:
        future, call = self._held.pop(int(self._rng.integers(len(self._held))))
        future.set_result(call())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown()


def relative(found: Array, expected: Array) -> float:
    return float(np.abs(found - expected).max(initial=0) / max(1e-300, np.abs(expected).max(initial=0)))


@settings(max_examples=40)
@given(
    layout=st.sampled_from(LAYOUTS),
    loss=st.sampled_from(list(DENSE_LOSSES)),
    reduction=st.sampled_from(["sum", "mean", "mean-all"]),
    count=st.integers(1, 12),
    block=st.integers(1, 13),
    weighted=st.booleans(),
    seed=st.integers(0, 100),
)
def test_blocks_are_the_whole(
    layout: Layout, loss: str, reduction: Any, count: int, block: int, weighted: bool, seed: int
) -> None:
    convention = Convention(short(layout), layout, reduction=reduction, l2="half-over-n")
    net = Network.dense(SIZES, activation="tanh", loss=loss, convention=convention, l2=0.5)
    params, X = net.init(seed), inputs(net, count, 3)
    Y = targets(loss, layout, count, 2)
    weights = np.random.default_rng(seed).random(count) if weighted else None
    batches = in_blocks(X, Y, block, weights=weights, batch=layout.batch)
    whole = BlockByBlock(net, batches)
    value, grads = whole.value_and_grad(params)
    net = net if weights is None else net.replace(loss=Weighted(net.loss, weights))
    assert value == pytest.approx(net.value(params, X, Y), rel=1e-13)
    assert value == whole.value(params)
    for name, expected in net.gradient(params, X, Y).items():
        assert grads[name].dtype == expected.dtype
        np.testing.assert_allclose(grads[name], expected, rtol=0, atol=1e-14 * max(1, np.abs(expected).max()))
        np.testing.assert_array_equal(grads[name], whole.gradient(params)[name])
        if weights is None:
            np.testing.assert_array_equal(grads[name], net.gradient(params, X, Y, block=block)[name])
    shuffled = Shuffled(seed)
    assert digest(*BlockByBlock(whole.net, batches, shuffled).value_and_grad(params)) == digest(value, grads)
    shuffled.shutdown()


def digits_net() -> tuple[Network, dict[str, Array], Array, Array]:
    net = Network.dense((6, 5, 3), activation="tanh", l2=0.1)
    rng = np.random.default_rng(0)
    return net, net.init(rng), rng.normal(size=(50, 6)), rng.integers(0, 3, 50)


def test_curvature_norms_and_clipped_sums() -> None:
    net, params, X, Y = digits_net()
    whole, run = BlockByBlock(net, in_blocks(X, Y, 7)), net.run(params, X, Y)
    v = np.random.default_rng(1).normal(size=net.n_params)
    assert relative(whole.gauss_newton(params) @ v, gauss_newton(run) @ v) < 1e-14
    assert relative(whole.hessian(params) @ v, hessian(run) @ v) < 1e-14
    rows = run.parameter_jacobian("losses").to_dense()
    norms = np.linalg.norm(rows, axis=1)
    assert relative(whole.gradient_norms(params), norms) < 1e-14
    bound = float(np.median(norms))
    clipped = net.pack(whole.clipped_gradient(params, bound))
    assert relative(clipped, sum(row * min(1, bound / norm) for row, norm in zip(rows, norms, strict=True))) < 1e-14
    fun = whole.fun_and_grad()
    value, packed = fun(net.pack(params))
    assert value == pytest.approx(run.value, rel=1e-14)
    assert relative(packed, net.pack(run.gradient())) < 1e-14


@pytest.mark.parametrize("convention", ["cs231n", "ng-ml-2011", "ng-dlai"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_kronecker_factors(convention: str, dtype: str) -> None:
    net = Network.dense((6, 5, 3), activation="tanh", convention=convention, loss="cross_entropy")
    rng = np.random.default_rng(0)
    columns = net.layout.batch == "columns"
    X, Y = rng.normal(size=(6, 50) if columns else (50, 6)).astype(dtype), rng.integers(0, 3, 50)
    params = net.init(0, dtype)
    whole = BlockByBlock(net, in_blocks(X, Y, 7, batch=net.layout.batch))
    for name in params:
        found, expected = whole.kronecker_factored(params, name), kronecker_factored(net.run(params, X, Y), name)
        assert (found.structure, found.dtype) == (expected.structure, expected.dtype)
        assert relative(found.to_dense(), expected.to_dense()) < (1e-14 if dtype == "float64" else 1e-5)


def test_examples_with_weights() -> None:
    net, params, X, Y = digits_net()
    weights = np.random.default_rng(2).random(50)
    blocks = BlockByBlock(net, in_blocks(X, Y, 7, weights=weights))
    weighted = net.replace(loss=Weighted(net.loss, weights))
    value, grads = blocks.value_and_grad(params)
    assert value == pytest.approx(weighted.value(params, X, Y), rel=1e-14)
    for name, expected in weighted.gradient(params, X, Y).items():
        assert relative(grads[name], expected) < 2e-14
    run, v = weighted.run(params, X, Y), np.random.default_rng(1).normal(size=net.n_params)
    assert relative(blocks.hessian(params) @ v, hessian(run) @ v) < 2e-14
    assert (
        relative(blocks.kronecker_factored(params, "W1").to_dense(), kronecker_factored(run, "W1").to_dense()) < 2e-14
    )
    equal = BlockByBlock(net, in_blocks(X, Y, 7, weights=np.ones(50))).value(params)
    assert equal == pytest.approx(net.value(params, X, Y), rel=1e-14)
    assert blocks.accuracy(params) == BlockByBlock(net, in_blocks(X, Y, 7)).accuracy(params)


@pytest.mark.parametrize("targets_of", [lambda Y: Y, lambda Y: np.eye(3)[Y]], ids=["labels", "one-hot"])
def test_accuracy(targets_of: Callable[[Array], Array]) -> None:
    net, params, X, Y = digits_net()
    net = net.replace(loss=CrossEntropy() if targets_of(Y).ndim == 1 else "binary_cross_entropy")
    expected = np.mean(net.predict(params, X) == Y)
    assert BlockByBlock(net, in_blocks(X, targets_of(Y), 8)).accuracy(params) == pytest.approx(expected, abs=1e-15)


def test_float32_sums_over_blocks_do_not_stall() -> None:
    net = Network.dense((1, 2), reduction="sum")
    X = np.ones((65, 1), np.float32)
    X[0] = 2.0**26
    params = {"W1": np.zeros((1, 2), np.float32), "b1": np.zeros(2, np.float32)}
    found = BlockByBlock(net, in_blocks(X, np.zeros(65, int), 1)).gradient(params)["W1"]
    assert found.dtype == np.float32
    assert found.tolist() == [[-(2.0**25) - 32, 2.0**25 + 32]]


# --- processes ---------------------------------------------------------------------------------------


def spawn(workers: int) -> Callable[[], ProcessPoolExecutor]:
    return lambda: ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def test_a_process_that_is_killed(tmp_path: Path) -> None:
    net, params, X, Y = digits_net()
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y)
    batches = in_blocks(tmp_path / "X.npy", tmp_path / "Y.npy", 7)
    serial = digest(*BlockByBlock(net, in_blocks(X, Y, 7)).value_and_grad(params))
    killer = Killer(batches, str(tmp_path / "killed"), 50)
    with BlockByBlock(net, killer, spawn(1)) as whole:
        assert digest(*whole.value_and_grad(params)) == serial
        assert os.path.exists(killer.marker)
        with pytest.raises(DomainError, match=r"block \d of 8: .*W1 holds nan"):
            whole.gradient({**params, "W1": np.full((6, 5), np.nan)})


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_any_number_of_processes(workers: int) -> None:
    net, params, X, Y = digits_net()
    serial = digest(*BlockByBlock(net, in_blocks(X, Y, 7)).value_and_grad(params))
    with BlockByBlock(net, in_blocks(X, Y, 7), spawn(workers)) as whole:
        assert digest(*whole.value_and_grad(params)) == serial


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # dask's own
def test_dask(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    net, params, X, Y = digits_net()
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y)
    batches = in_blocks(tmp_path / "X.npy", tmp_path / "Y.npy", 7)
    serial = digest(*BlockByBlock(net, batches).value_and_grad(params))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1) as cluster, distributed.Client(cluster) as client:
        whole = BlockByBlock(net, batches, client.get_executor())
        assert digest(*whole.value_and_grad(params)) == serial
        killer = Killer(batches, str(tmp_path / "killed"), 50)
        assert digest(*BlockByBlock(net, killer, client.get_executor()).value_and_grad(params)) == serial


# --- checkpoints -------------------------------------------------------------------------------------


def test_an_interrupted_sum_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    net, params, X, Y = digits_net()
    batches, file = in_blocks(X, Y, 4), tmp_path / "sum.npz"
    serial = digest(*BlockByBlock(net, batches).value_and_grad(params))

    def stop(done: int, total: int) -> None:
        if done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BlockByBlock(net, batches, on_block=stop, checkpoint=file).value_and_grad(params)
    assert file.exists()
    seen: list[int] = []
    whole = BlockByBlock(net, batches, on_block=lambda done, total: seen.append(done), checkpoint=file)
    assert digest(*whole.value_and_grad(params)) == serial
    assert seen == [10, 11, 12, 13]
    assert not file.exists()


def test_the_checkpoint_of_another_sum_is_not_used(tmp_path: Path) -> None:
    net, params, X, Y = digits_net()
    batches, file = in_blocks(X, Y, 4), tmp_path / "sum.npz"

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BlockByBlock(net, batches, on_block=stop, checkpoint=file).value_and_grad(params)
    other = {name: 2 * array for name, array in params.items()}
    expected = digest(*BlockByBlock(net, batches).value_and_grad(other))
    assert digest(*BlockByBlock(net, batches, checkpoint=file).value_and_grad(other)) == expected


# --- refusals ----------------------------------------------------------------------------------------


def test_a_row_that_is_not_finite_is_named() -> None:
    net, params, X, Y = digits_net()
    X[23, 2] = np.nan
    text = "block 3 of 8 (examples 21 to 27): X holds nan in row 2 of the block, at (2, 2)"
    with pytest.raises(DomainError, match=re.escape(text)):
        BlockByBlock(net, in_blocks(X, Y, 7)).value(params)
    Y[40] = 3
    X[23, 2] = 0
    with pytest.raises(DomainError, match=re.escape("block 5 of 8 (examples 35 to 41): ") + ".*label 3 at position 5"):
        BlockByBlock(net, in_blocks(X, Y, 7)).value(params)


def test_what_cannot_be_cut_or_is_no_batches() -> None:
    mixing = Network([Affine(), Transpose(), Transpose()], CrossEntropy(), "cs231n")
    with pytest.raises(LayoutError, match="BlockByBlock: transpose may mix the examples of a batch"):
        BlockByBlock(mixing, in_blocks(np.ones((2, 3)), [0, 1]))
    function = Network(lambda X, W: X @ W, "squared_error", "cs231n", shapes={"W": (3, 1)})
    with pytest.raises(LayoutError, match="may mix the examples"):
        BlockByBlock(function, in_blocks(np.ones((2, 3)), [0, 1]))
    net = digits_net()[0]
    with pytest.raises(ArgumentError, match="make them of arrays: in_blocks"):
        BlockByBlock(net, (np.ones((2, 6)), [0, 1]))  # type: ignore[arg-type]
    regression = Network.dense((6, 1), loss="squared_error")
    with pytest.raises(LayoutError, match="squared_error takes real targets"):
        BlockByBlock(regression, in_blocks(np.ones((2, 6)), np.ones((2, 1)))).accuracy(regression.init(0))
    with pytest.raises(ArgumentError, match="bound=0; expected a positive number"):
        BlockByBlock(net, in_blocks(np.ones((2, 6)), [0, 1])).clipped_gradient(net.init(0), 0)
