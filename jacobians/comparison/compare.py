"""`compare`: one network and one mini-batch in several conventions, with every factor of the chain."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np

from jacobians.array_roles import convention_of, parameters_of
from jacobians.arrays import Array
from jacobians.checking import check_gradient
from jacobians.comparison.comparison import Comparison, Difference, Side
from jacobians.comparison.graphs import Forward, GraphComparison, compare_graphs
from jacobians.comparison.of_layers import LayersOnce, compare_layers
from jacobians.conventions import Convention, Task
from jacobians.errors import ArgumentError, LayoutError
from jacobians.first_tries import written
from jacobians.layout import Reduction
from jacobians.network import Network, Run
from jacobians.operations import LOSSES, Loss, Operation, find_loss
from jacobians.presets import convention as find_convention
from jacobians.translate import reduction_ratio, translate_batch, translate_gradients, translate_parameters

_TIMED_RUNS = 7
_DIRECTIONS = 6


def rounding_allowance(run: Run) -> dict[str, float]:
    r"""Return, for each parameter, a bound on the rounding error of the gradient's entries.

    A sum of n products computed in any order errs by at most :math:`\gamma_n \sum |a_i b_i|`,
    :math:`\gamma_n = n u/(1 - n u)` (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, §3.1). The
    bound here takes n as all inner lengths along the chain together, and as the sum the layer's own Jacobian, with
    magnitudes for its entries, pulled back from |δ|; so it holds for any association and any layout.

    Examples
    --------
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2))
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> all(bound < 1e-13 for bound in rounding_allowance(run).values())
    True
    """
    layout = run.network.layout
    unit = float(np.finfo(run.X.dtype).eps) / 2
    terms = run.X.shape[layout.batch_axis] + sum(
        run.operation_value(done).shape[layout.feature_axis] for done in range(len(run.outputs) + 1)
    )
    allowance: dict[str, float] = {}
    for name, array in run.params.items():
        factor = run.chain(name)[0 if layout.derivative == "denominator" else -1]
        row = np.abs(run.jacobian(factor.of).gradient)
        reach = float(factor.jacobian.numerator.positive(np.abs).vjp(row).max(initial=0.0))
        penalty = float(np.abs(run.penalty(name).gradient).max(initial=0.0))
        allowance[name] = 2 * terms * unit * (reach + penalty) if array.size else 0.0
    return allowance


@overload
def compare(
    conventions: Sequence[str | Convention],
    X: Array,
    Y: Array,
    *,
    sizes: Sequence[int],
    forward: None = None,
    task: str | None = None,
    activation: str | Operation | None = None,
    loss: str | Loss | None = None,
    factor: float | None = None,
    reduction: Reduction | None = None,
    l2: float = 0.0,
    seed: int = 0,
    weights: Mapping[str, Array] | None = None,
) -> Comparison: ...
@overload
def compare(
    conventions: Sequence[str | Convention],
    X: Array,
    Y: Array,
    *,
    sizes: None = None,
    operations: Sequence[Operation | str],
    task: str | None = None,
    loss: str | Loss | None = None,
    factor: float | None = None,
    reduction: Reduction | None = None,
    seed: int = 0,
) -> GraphComparison: ...
@overload
def compare(
    conventions: Sequence[str | Convention],
    X: Array,
    Y: Array,
    *,
    sizes: Sequence[int],
    forward: Forward,
    task: str | None = None,
    loss: str | Loss | None = None,
    factor: float | None = None,
    reduction: Reduction | None = None,
    seed: int = 0,
    weights: Mapping[str, Array] | None = None,
) -> GraphComparison: ...
@written("compare(['ng-dlai', 'cs231n'], X, Y, sizes=(4, 3, 2))")
def compare(
    conventions: Sequence[str | Convention],
    X: Array | None = None,
    Y: Array | None = None,
    *,
    sizes: Sequence[int] | None = None,
    forward: Forward | None = None,
    operations: Sequence[Operation | str] | None = None,
    task: str | None = None,
    activation: str | Operation | None = None,
    loss: str | Loss | None = None,
    factor: float | None = None,
    reduction: Reduction | None = None,
    l2: float = 0.0,
    seed: int = 0,
    weights: Mapping[str, Array] | None = None,
) -> Comparison | GraphComparison:
    """Return the same network, from the same weights, on the same batch, in each of several conventions.

    All have one objective: the first convention's task, or the loss that is given. Each has it with the factor, the
    reduction and the names of its own source; `Comparison.notes` says whose source would take another loss.

    Parameters
    ----------
    conventions : sequence of str or Convention
        At least one; the first names the strength λ, and the others get the λ that makes the objectives equal.
    X : ndarray, shape (N, D)
        One example a row; each convention gets it as it keeps it. With `operations`, images (N, C, H, W) too.
    Y : ndarray, shape (N,) or (N, K)
        Labels, or targets one example a row.
    sizes : sequence of int
    forward : callable, optional
        ``forward(X, layer)`` returns the outputs of a forward pass that is no chain, written once for all conventions:
        X is a value of a graph, and ``layer(l, V)`` the affine map of layer l, from ``sizes[l - 1]`` to ``sizes[l]``
        entries. Then the result is a `GraphComparison`.
    operations : sequence of Operation or str, optional
        In place of sizes: layers that know their sizes, written once, with images CHW and kernels OIHW. Each convention
        gets them, and their parameters, in its own layout. Then the result is a `GraphComparison`.
    task : str, optional
        One of the first convention's; its first unless given.
    activation, loss, factor, reduction : optional
        In all conventions; see `Network.dense`.
    l2 : float
        The regulariser's λ in the first convention.
    seed : int
        Of the weights.
    weights : dict, optional
        Parameters to use instead of random ones, in any of the conventions, or in another preset's.

    Raises
    ------
    LayoutError
        If a convention does not fix what is asked of it, or a forward pass is given an activation or a regulariser.
    ShapeError
        If weights, data and sizes do not fit.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, labels = rng.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    >>> compare(["ng-ml-2011", "cs231n"], X, labels, sizes=(4, 5, 3)).agree
    True
    >>> from jacobians import relu
    >>> def block(X, layer):
    ...     return X + layer(2, relu(layer(1, X)))
    >>> compare(["ng-dlai", "cs231n"], X, labels, sizes=(4, 3, 4), forward=block)
    ng-dlai against cs231n: a graph of 4 parameters; one gradient

    A convolutional net with images NCHW and NHWC:

    >>> from jacobians.layers import Convolution, Flattened
    >>> from jacobians.operations import Affine
    >>> net = [Convolution(pad=1, sizes=(2, 1, 3, 3)), "relu", Flattened(), Affine(sizes=(32, 3))]
    >>> compare(["pytorch", "keras"], rng.normal(size=(6, 1, 4, 4)), labels, operations=net)
    pytorch against keras: a graph of 4 parameters; one gradient
    """
    found = [find_convention(c) for c in conventions] if isinstance(conventions, (list, tuple)) else []
    if not found:
        raise LayoutError("compare: name at least one convention, in a list: compare(['ng-dlai', 'cs231n'], …)")
    if X is None or Y is None:
        raise ArgumentError(
            f"compare: {'Y is' if X is not None else 'X and Y are'} missing; write "
            "compare(['ng-dlai', 'cs231n'], X, Y, sizes=(4, 3, 2)) with one example in a row of X. The command "
            "jacobians compare takes digits"
        )
    once = None
    if operations is not None:
        if sizes is not None or forward is not None or activation is not None or weights is not None or l2:
            raise LayoutError(
                "compare: operations say all of the layers; leave out sizes, forward, activation, weights and l2"
            )
        once = LayersOnce.drawn(operations, X, seed)
        sizes = (1, once.outputs)
    if sizes is None:
        raise LayoutError("compare: give the sizes of the layers, as in sizes=(4, 5, 3), or operations")
    count, outputs = X.shape[0], sizes[-1]
    named = None if loss is None else find_loss(loss)
    objective = common_task(found, task, None if named is None else named.name)
    between = activation or objective.hidden

    def network(convention: Convention, strength: float) -> Network:
        return Network.dense(
            sizes,
            convention=convention,
            task=task if convention is found[0] else None,
            activation=between,
            output=objective.output,
            loss=loss if isinstance(loss, Loss) else objective.loss,
            factor=factor,
            reduction=reduction,
            l2=strength,
        )

    plain = [network(c, 0.0) for c in found]
    ratios = tuple(_ratio(n, plain[0], count, outputs) for n in plain)
    if once is not None:
        return compare_layers(once, plain, ratios, X, Y)
    params = _parameters(found, tuple(sizes), seed, weights)
    if forward is not None:
        if activation is not None or l2:
            raise LayoutError(
                "compare: forward says which activations there are, and has no regulariser; leave both out"
            )
        return compare_graphs(forward, plain, params, ratios, X, Y)
    strengths = [_strength(found[0], c, ratio, l2, count) for c, ratio in zip(found, ratios, strict=True)]
    networks = [network(c, strength) for c, strength in zip(found, strengths, strict=True)]
    sides = tuple(_side(network, params[network.convention.name], X, Y) for network in networks)
    differences = tuple(_differences(sides[0], side, ratio) for side, ratio in zip(sides[1:], ratios[1:], strict=True))
    return Comparison(
        sides,
        differences,
        ratios,
        tuple(sizes),
        between if isinstance(between, str) else between.name,
        networks[0].loss.name,
        tuple(_notes(found, objective, task, asked=loss is not None)),
    )


def common_task(found: Sequence[Convention], task: str | None = None, loss: str | None = None) -> Task:
    """Return the objective of all: the first convention's task, or the loss that is named.

    Raises
    ------
    LayoutError
        If the first convention's source has no such task, with another that has it.

    Examples
    --------
    >>> from jacobians import convention
    >>> common_task([convention("mazur"), convention("cs231n")]).loss
    'squared_error'
    """
    try:
        return found[0].task_for(task, loss)
    except LayoutError as error:
        for other in found[1:]:
            if task in other.tasks:
                raise LayoutError(f"{error}; or put {other.name} first, whose source has it") from None
        raise


def _ratio(network: Network, first: Network, count: int, outputs: int) -> float:
    """What a network's objective is multiplied by to be the first's."""
    reductions = reduction_ratio(network.convention, first.convention, count, outputs)
    return reductions * first.loss.factor / network.loss.factor


def _notes(found: Sequence[Convention], objective: Task, task: str | None, *, asked: bool) -> Iterator[str]:
    """One sentence for each convention whose source would take another loss than the objective."""
    kind = next((k for k, own in found[0].tasks.items() if own is objective), task)
    for convention in found:
        own = convention.tasks.get(kind or "") or convention.task_of(objective.loss)
        if not convention.tasks or (own is not None and _described(own) == _described(objective)):
            continue
        own = own or convention.task()
        where = next(k for k, of in convention.tasks.items() if of is own)
        reason = "as asked" if asked else f"as {found[0].name}"
        yield (
            f"The source of {convention.name} would take {_described(own)} for {where}; here it takes "
            f"{_described(objective)}, {reason}."
        )


def _described(task: Task) -> str:
    """The loss, and of what, where the loss does not say it."""
    contained = LOSSES[task.loss].prediction if task.loss in LOSSES else ""
    return task.loss if task.output in ("linear", contained) else f"{task.loss} of {task.output} outputs"


def _parameters(
    found: Sequence[Convention], sizes: tuple[int, ...], seed: int, weights: Mapping[str, Array] | None
) -> dict[str, dict[str, Array]]:
    """By convention, the same parameters: given ones, or random weights with random biases where all have biases."""
    if weights is not None:
        source = convention_of(weights, found)
        given = parameters_of(weights, source, sizes=sizes, where="weights")
        given = source.unpack(source.pack(given, sizes), sizes)
        return {c.name: translate_parameters(given, source, c) for c in found}
    rng = np.random.default_rng(seed)
    without = [c for c in found if c.layout.bias == "none"]
    source = (without or found)[0]
    given = Network.dense(sizes, convention=source).init(rng)
    if not without:
        # biases of zero would hide a bias that is lost on the way; they are drawn in one fixed order for all
        plain = find_convention("cs231n")
        given = translate_parameters(given, source, plain)
        given = {n: a if n.startswith("W") else rng.uniform(-0.1, 0.1, a.shape) for n, a in given.items()}
        source = plain
    return {c.name: translate_parameters(given, source, c) for c in found}


def _strength(first: Convention, other: Convention, ratio: float, l2: float, count: int) -> float:
    """The λ that gives `other` the first's objective, up to the ratio of the reductions."""
    if l2 == 0 or other is first:
        return l2
    return first.l2_scale(l2, count) / (other.l2_scale(1.0, count) * ratio)


def _side(network: Network, params: dict[str, Array], X: Array, Y: Array) -> Side:
    own = network.convention.replace(name="rows", layout=network.layout.replace(batch="rows"))
    X = translate_batch(X, own, network.convention)
    Y = translate_batch(Y, own, network.convention) if Y.ndim == 2 else Y
    run = network.run(params, X, Y)
    theta = network.pack(params)
    gradient = network.pack(run.gradient())
    check = check_gradient(
        lambda t: network.value(network.unpack(t), X, Y),
        lambda t: gradient,
        theta,
        directions=_DIRECTIONS,
        protocol=False,  # the gradient is the library's own, and its laws are tested
    )
    times = []
    for _ in range(_TIMED_RUNS):
        start = time.perf_counter()
        network.gradient(params, X, Y)
        times.append(time.perf_counter() - start)
    return Side(network, run, float(np.median(times)), check)


def _differences(first: Side, other: Side, ratio: float) -> tuple[Difference, ...]:
    """The other's gradient in the first's convention, or both in the other's where that one has no bias."""
    frame = other if other.convention.layout.bias == "none" else first
    gradients = [translate_gradients(s.gradient, s.convention, frame.convention) for s in (first, other)]
    allowances = rounding_allowance(frame.run)
    result = []
    for name in gradients[0]:
        own, theirs = gradients[0][name], gradients[1][name] * ratio
        largest = float(np.abs(own - theirs).max(initial=0.0))
        unit = float(np.spacing(max(np.abs(own).max(initial=0.0), np.finfo(own.dtype).tiny)))
        # the allowance is in the frame's own units; the first's objective may be a multiple of them
        allowed = allowances[name] * (ratio if frame is other else 1.0) / unit
        gradient = frame.convention.names.gradient_of(name)
        result.append(Difference(name, gradient, frame.convention.name, largest, largest / unit, allowed))
    return tuple(result)
