"""A network on a batch in blocks: here, by several processes, or by a cluster, with the same bits."""

from __future__ import annotations

import hashlib
import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from jacobians.arrays import Array, all_finite, as_float, first_not_finite, number, refuse_not_finite
from jacobians.batches.blocks import Batches, Blocks, is_batches
from jacobians.batches.checkpoint import Checkpoint
from jacobians.batches.reduction import Task, over_blocks
from jacobians.batches.tree import TreeSum
from jacobians.batches.workers import AnyExecutor, Workers
from jacobians.curvature import AffineLayer, gauss_newton, hessian
from jacobians.errors import ArgumentError, DataError, DomainError, LayoutError
from jacobians.first_tries import written
from jacobians.linops import Jacobian
from jacobians.network import Network, Parameters, Run
from jacobians.network.blocks import refuse_mixing
from jacobians.network.objective import Objective
from jacobians.operations import Weighted

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

__all__ = ["BlockByBlock"]

_EVERY = 10.0
"""Seconds between two checkpoints of one sum."""

Part: TypeAlias = Callable[[Run, int], dict[str, Array]]
"""From a run on a block, and the number of all examples, what the block adds to a sum."""


class BlockByBlock:
    r"""A network on a batch in blocks: values, gradients and curvature as if the whole batch had been in one run.

    The weights 1/N or 1/(N·K) are the whole batch's, so blocks of unequal size are exact:

    .. math:: \nabla L = \sum_b \sum_{n \in b} w\, \nabla \ell_n + \nabla(\text{regulariser}), \qquad w = 1/N.

    Sums are carried in float64, in the order of a binary tree over the blocks' numbers. So the bits are the same for
    every executor, number of workers and order of arrival, given the size of the blocks, the build and kernel of BLAS,
    and one BLAS thread for each worker. `kernels` says which kernels were at work; a mixture is warned of.

    Parameters
    ----------
    net : Network
        A list of operations that act on every example alone.
    batches : Batches
        Such as `in_blocks` makes; with weights of the examples, if they have any.
    executor : concurrent.futures.Executor or callable, optional
        A process or thread pool, ``client.get_executor()`` of dask, MPI's pool. A function that makes one, such as
        ``lambda: ProcessPoolExecutor(4)``, lets a new one take the place of one that broke. Without one, blocks are
        computed here.
    on_block : callable, optional
        Called with how many blocks are done, and how many there are.
    in_flight : int, optional
        How many blocks are handed out at a time: two for each worker unless given. Give it to a cluster, whose
        executor does not say how many workers it has.
    timeout : float, optional
        Seconds within which some block must arrive, before workers count as hung.
    checkpoint : str or path, optional
        A ``.npz`` file, written every ten seconds, from which an interrupted sum goes on with the same bits. It is
        removed when the sum is done.

    Raises
    ------
    LayoutError
        If an operation, or a function of values, may mix examples.
    ArgumentError
        If `batches` or `executor` is something else.

    Notes
    -----
    An error of the data or the code stops a sum at once and names the block. Where a worker died, hung or cannot be
    reached, its blocks are computed again.

    Examples
    --------
    >>> from jacobians import Network, in_blocks
    >>> net = Network.dense((4, 3, 2))
    >>> params, X, Y = net.init(0), np.eye(4).repeat(5, axis=0), np.arange(20) % 2
    >>> whole = BlockByBlock(net, in_blocks(X, Y, block=8))
    >>> value, grads = whole.value_and_grad(params)
    >>> bool(np.isclose(value, net.value(params, X, Y))), np.allclose(grads["W1"], net.gradient(params, X, Y)["W1"])
    (True, True)
    >>> whole.accuracy(params)
    0.5
    """

    @written("BlockByBlock(net, in_blocks(X, Y))")
    def __init__(
        self,
        net: Network,
        batches: Batches,
        executor: AnyExecutor | None = None,
        *,
        on_block: Callable[[int, int], None] | None = None,
        in_flight: int | None = None,
        timeout: float | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        if not is_batches(batches):
            raise ArgumentError(
                "BlockByBlock: batches has no count, len or index; make them of arrays: in_blocks(X, Y, block=4096)"
            )
        if net._chain is None:
            raise LayoutError(
                f"BlockByBlock: {net!r} may mix the examples of a batch, so it cannot be cut into blocks; where it "
                "does not, write it as a list of operations: Network([Affine(), Tanh(), Affine()], ...)"
            )
        refuse_mixing(net._chain.parts, "BlockByBlock")
        self.net, self.batches = net, batches
        self.kernels: set[str] = set()
        self._workers = None if executor is None else Workers(executor, in_flight)
        self._on_block, self._timeout = on_block, timeout
        self._checkpoint = None if checkpoint is None else Checkpoint(checkpoint)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Shut down an executor that a function made; one that was given stays."""
        if self._workers is not None:
            self._workers.close()

    def __repr__(self) -> str:
        return f"BlockByBlock({self.net!r}, {self.batches!r})"

    # --- value and gradient ----------------------------------------------------------------------

    def value(self, params: Parameters) -> float:
        """Return the objective; see `Network.value`.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> bool(np.isclose(whole.value(net.init(0)), net.value(net.init(0), np.eye(4), [0, 1, 1, 0])))
        True
        """
        arrays = self.net._arrays(params)
        found = self._summed(arrays, _value)
        return self._whole_value(found, arrays)

    def gradient(self, params: Parameters) -> dict[str, Array]:
        """Return the objective's gradient; see `Network.gradient`.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> {name: array.shape for name, array in whole.gradient(net.init(0)).items()}
        {'W1': (4, 3), 'b1': (3,), 'W2': (3, 2), 'b2': (2,)}
        """
        arrays = self.net._arrays(params)
        return self._whole_gradient(self._summed(arrays, _gradient), arrays)

    def value_and_grad(self, params: Parameters) -> tuple[float, dict[str, Array]]:
        """Return both out of one pass over the blocks; see `Network.value_and_grad`.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> value, grads = whole.value_and_grad(net.init(0))
        >>> list(grads)
        ['W1', 'b1', 'W2', 'b2']
        """
        arrays = self.net._arrays(params)
        found = self._summed(arrays, _value_and_gradient)
        return self._whole_value(found, arrays), self._whole_gradient(found, arrays)

    def fun_and_grad(self) -> Callable[[Array], tuple[float, Array]]:
        """Return θ ↦ (objective, packed gradient), for ``scipy.optimize.minimize(..., jac=True)``.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> value, slope = whole.fun_and_grad()(net.pack(net.init(0)))
        >>> slope.shape
        (23,)
        """

        def fun(theta: Array) -> tuple[float, Array]:
            value, grads = self.value_and_grad(self.net.unpack(theta))
            return value, self.net.pack(grads)

        return fun

    def accuracy(self, params: Parameters) -> float:
        """Return the part of the examples for which `Network.predict` gives the target.

        Raises
        ------
        LayoutError
            If the loss is not one of classes.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> whole.accuracy(net.init(0))
        0.5
        """
        if self.net.loss.takes == "reals":
            raise LayoutError(f"accuracy: {self.net.loss.name} takes real targets, not classes")
        return float(self._summed(self.net._arrays(params), _right)[_VALUE]) / self.batches.count

    # --- curvature and examples ------------------------------------------------------------------

    def gauss_newton(self, params: Parameters) -> LinearOperator:
        r"""Return the Gauss–Newton matrix of the whole batch, one pass over the blocks for each product with it.

        See `jacobians.gauss_newton`. It is one of SciPy's linear operators, so `cg` and trust-ncg take it.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> whole.gauss_newton(net.init(0)).shape
        (23, 23)
        """
        arrays = self.net._arrays(params)
        return self._symmetric(lambda v: self._summed(arrays, _Curvature(gauss_newton, v))[_VALUE])

    def hessian(self, params: Parameters) -> LinearOperator:
        r"""Return the exact Hessian of the objective, regulariser included; as `gauss_newton` otherwise.

        See `jacobians.hessian`.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> whole.hessian(net.init(0)).shape
        (23, 23)
        """
        arrays, count = self.net._arrays(params), self.batches.count
        plain = self.net.replace(l2=0.0)  # the regulariser is the whole batch's, once

        def product(v: Array) -> Array:
            return self._summed(arrays, _Curvature(hessian, v), plain)[_VALUE] + penalty_times(self.net, v, count)

        return self._symmetric(product)

    def kronecker_factored(self, params: Parameters, wrt: str) -> Jacobian:
        r"""Return the Kronecker-factored block of a layer's parameter, of the whole batch, out of one pass.

        Each block gives its sums of :math:`x_n x_n^\top` and of :math:`B_n`. See `jacobians.kronecker_factored`.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> whole.kronecker_factored(net.init(0), "W1").structure
        'Kronecker(4×4, 3×3)'
        """
        arrays, count = self.net._arrays(params), self.batches.count
        found = self._summed(arrays, _Factors(wrt))
        X, Y = self.batches[0][:2]
        example = self.net.run(params, *Blocks(X, Y, 1, self.net.layout.batch)[0])  # how the parameter lies
        inputs, curvature = (found[key].astype(arrays[wrt].dtype, copy=False) for key in (_INPUTS, _VALUE))
        return AffineLayer.of(example, wrt).placed(inputs / count, curvature)

    def _symmetric(self, product: Callable[[Array], Array]) -> LinearOperator:
        from scipy.sparse.linalg import LinearOperator

        size = self.net.n_params

        def of(v: Array) -> Array:
            return product(as_float(v, "v", "BlockByBlock").reshape(size))

        return LinearOperator((size, size), matvec=of, rmatvec=of, dtype=np.float64)

    def gradient_norms(self, params: Parameters) -> Array:
        """Return the norm of every example's own gradient, (N,), without reduction and regulariser.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> whole.gradient_norms(net.init(0)).shape
        (4,)
        """
        task = _Block(self.net, self.net._arrays(params), self.batches.count, _norms)
        found: dict[int, Array] = {}
        self.kernels = self._over(task, lambda index, record: found.update({index: record[_VALUE]}))
        return np.concatenate([found[index] for index in range(len(self.batches))])

    def clipped_gradient(self, params: Parameters, bound: float) -> dict[str, Array]:
        r"""Return :math:`\sum_n \min(1, C/\|g_n\|)\, g_n`, the per-example gradients clipped and added.

        Parameters
        ----------
        bound : float
            C, a positive number.

        References
        ----------
        Abadi et al. (2016), *Deep learning with differential privacy*, arXiv:1607.00133, algorithm 1 without noise.

        Examples
        --------
        >>> from jacobians import Network, in_blocks
        >>> net = Network.dense((4, 3, 2))
        >>> whole = BlockByBlock(net, in_blocks(np.eye(4), [0, 1, 1, 0], block=2))
        >>> {name: array.shape for name, array in whole.clipped_gradient(net.init(0), 1.0).items()}
        {'W1': (4, 3), 'b1': (3,), 'W2': (3, 2), 'b2': (2,)}
        """
        if not 0 < bound < np.inf:
            raise ArgumentError(f"clipped_gradient: bound={bound!r}; expected a positive number")
        return self.net.unpack(self._summed(self.net._arrays(params), _Clipped(float(bound)))[_VALUE])

    # --- the sum ---------------------------------------------------------------------------------

    def _summed(self, arrays: dict[str, Array], part: Part, net: Network | None = None) -> dict[str, Array]:
        task = _Block(net or self.net, arrays, self.batches.count, part)
        total = TreeSum(len(self.batches))
        if not total.count:
            raise DataError("BlockByBlock: batches holds no block")
        if self._checkpoint is None:
            self.kernels = self._over(task, total.put)
            return total.result()
        kept, work = self._checkpoint, _work(task, self.batches)
        before = kept.load(work)
        if before is not None:
            total.restore(before)
        last = time.monotonic()

        def put(index: int, record: dict[str, Array]) -> None:
            nonlocal last
            total.put(index, record)
            if time.monotonic() - last >= _EVERY:
                kept.save(work, total.state())
                last = time.monotonic()

        try:
            self.kernels = self._over(task, put, total.done)
        except BaseException:
            if total.done:
                kept.save(work, total.state())
            raise
        kept.remove()
        return total.result()

    def _over(self, task: Task, put: Callable[[int, Any], None], done: Any = ()) -> set[str]:
        return over_blocks(
            task,
            self.batches,
            put,
            self._workers,
            skip=frozenset(done),
            on_block=self._on_block,
            timeout=self._timeout,
        )

    def _whole_value(self, found: dict[str, Array], arrays: dict[str, Array]) -> float:
        count = self.batches.count
        penalties = (self.net.penalty(name, array, count)[0] for name, array in arrays.items())
        return float(found[_VALUE]) + sum(map(number, penalties))

    def _whole_gradient(self, found: dict[str, Array], arrays: dict[str, Array]) -> dict[str, Array]:
        grads = {name: found[name].astype(array.dtype, copy=False) for name, array in arrays.items()}
        return self.net._penalised(grads, arrays, self.batches.count)


# --- what a block adds -------------------------------------------------------------------------------

_VALUE, _INPUTS = " value", " inputs"
"""No parameter's name begins with a space."""


@dataclass(frozen=True, eq=False)
class _Block:
    """What travels to the workers: the network, its parameters, and what is wanted of each block."""

    net: Network
    params: dict[str, Array]
    whole: int
    part: Part

    def __call__(self, X: Any, Y: Any, weights: Any = None) -> tuple[int, dict[str, Array]]:
        net = self.net if weights is None else self.net.replace(loss=Weighted(self.net.loss, weights))
        X, Y = net._data(X, Y)
        axis = net.layout.batch_axis
        record = self.part(Run(net, self.params, X, Y), self.whole)
        if not all_finite(record.values()):
            refuse_not_finite(self.params, "network")
            bad = first_not_finite(X)
            if bad is not None:
                place, _ = bad
                raise DomainError(f"X holds {X[place]} in row {place[axis]} of the block, at {place}")
        return X.shape[axis], record


def _total(run: Run, whole: int) -> tuple[Callable[[], Array], Callable[[], Array]]:
    return run.network.loss._total(run.results["output"], run.Y, whole)


def _value(run: Run, whole: int) -> dict[str, Array]:
    return {_VALUE: np.asarray(_total(run, whole)[0]())}


def _gradient(run: Run, whole: int) -> dict[str, Array]:
    return run._share(whole)


def _value_and_gradient(run: Run, whole: int) -> dict[str, Array]:
    return {**_value(run, whole), **_gradient(run, whole)}


def _right(run: Run, whole: int) -> dict[str, Array]:
    return {_VALUE: np.asarray(count_right(run.network, run.results["output"], run.Y), dtype=np.float64)}


def count_right(net: Objective, output: Array, Y: Any) -> int:
    """Return for how many examples the outputs decide the target, which may be a label or one-hot."""
    decided, targets = net.loss.decide(output), np.asarray(Y)
    if targets.size != decided.size:
        targets = targets.argmax(axis=net.layout.feature_axis)
    return int(np.count_nonzero(decided.ravel() == targets.ravel()))


def _norms(run: Run, whole: int) -> dict[str, Array]:
    return {_VALUE: run.parameter_jacobian("losses").numerator.row_norms()}


@dataclass(frozen=True, eq=False)
class _Clipped:
    bound: float

    def __call__(self, run: Run, whole: int) -> dict[str, Array]:
        J = run.parameter_jacobian("losses").numerator
        return {_VALUE: J.vjp(self.bound / np.maximum(J.row_norms(), self.bound))}


@dataclass(frozen=True, eq=False)
class _Curvature:
    matrix: Callable[[Run], Any]
    vector: Array

    def __call__(self, run: Run, whole: int) -> dict[str, Array]:
        return {_VALUE: _of_whole(run, whole) * (self.matrix(run) @ self.vector)}


@dataclass(frozen=True, eq=False)
class _Factors:
    wrt: str

    def __call__(self, run: Run, whole: int) -> dict[str, Array]:
        inputs, curvature = AffineLayer.of(run, self.wrt).sums()
        return {_INPUTS: inputs, _VALUE: _of_whole(run, whole) * curvature}


def _of_whole(run: Run, whole: int) -> float:
    """What makes the block's own weight of an example, 1/n, that of the whole batch."""
    output, loss = run.results["output"], run.network.loss
    return loss.scale(output, whole) / loss.scale(output)


def penalty_times(net: Network, v: Array, count: int) -> Array:
    """Return the regulariser's second derivative times a packed vector: its gradient is linear, so that gradient at v.

    Parameters
    ----------
    net : Network
    v : ndarray
    count : int
        Of the examples of the whole batch.
    """
    direction = net.unpack(v)
    zeros = {name: np.zeros_like(array) for name, array in direction.items()}
    return net.pack(net._penalised(zeros, direction, count))


def _work(task: _Block, batches: Batches) -> str:
    """What tells a sum from any other: the network, the parameters, what is summed, and the blocks."""
    said = pickle.dumps((task, len(batches), batches.count, repr(batches)))
    return hashlib.sha256(said).hexdigest()
