"""`check_gradient` and `check_jacobian`: a given derivative against the function that it should belong to."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from jacobians.arrays import Array, Shape, kind_of, leaves_of
from jacobians.checking.by_direction import DirectionsCheck, along_directions, direction_count, localise
from jacobians.checking.by_entry import FEW, EntryCheck, Progress, Reporter
from jacobians.checking.complex_step import ComplexStep
from jacobians.checking.conditioning import close_to, conditioning_note
from jacobians.checking.derivatives import (
    GivenDerivative,
    GivenGradient,
    GivenJacobian,
    buffers_of,
    example_axes,
    shape_problem,
)
from jacobians.checking.numerical import CallFailedError, Calls, Probe
from jacobians.checking.promises import Promises, check_promises, returned_problems, stale_faults
from jacobians.checking.report import GradientCheck, ParameterCheck, Verdict, concluded, failed
from jacobians.checking.seen import Sight, verdict_of, why_unseen
from jacobians.checking.trees import Tree, place_of
from jacobians.checking.verdict import Findings
from jacobians.errors import ArgumentError, DomainError, LayoutError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.layout import Order
from jacobians.linops import BlockDiagonal, Denominator, Jacobian
from jacobians.network import Network
from jacobians.network.made_up_inputs import sample_data

ENTRY_LIMIT = 5000
"""More parameters than this are checked along random directions, unless told otherwise."""

_CELLS = 20_000_000
"""More entries of a Jacobian than this are not written out column by column."""


@dataclass(frozen=True)
class _Options:
    """How a check is done; see `check_gradient`. `scalar` says whether the function must be one number."""

    scalar: bool
    directions: int | None
    failure_probability: float
    protocol: bool
    complex_step: bool
    seed: int
    progress: Progress

    def __post_init__(self) -> None:
        if not 0.0 < self.failure_probability < 1.0:
            raise DomainError(f"check: failure_probability={self.failure_probability} must lie between 0 and 1")
        if self.directions is not None and self.directions < 1:
            raise DomainError(f"check: directions={self.directions} must be at least 1")


_EXAMPLES = 5
"""How many are made up."""

_Compared: TypeAlias = tuple[list[ParameterCheck], DirectionsCheck | None, list[str]]
"""What was found of every parameter, along directions, and the reasons why it is no pass."""

_Read: TypeAlias = Callable[[Any, list[str], Shape], GivenDerivative | None]
"""From what the caller's derivative returned to what can be compared; None, with the faults noted, if nothing can."""


def _checked(fun: Calls, derivative: Calls, x: Any, tree: Tree, options: _Options, read: _Read) -> GradientCheck:
    """The whole check: the promises at x, the values there, and the values at another point."""
    start = time.perf_counter()
    flat = tree.pack([leaf for _, leaf in leaves_of(x)])
    found = Promises()
    compared: _Compared = [], None, []
    try:
        with np.errstate(all="ignore"):  # infinities and NaN far from x are judged, not warned of
            probe = Probe(fun, tree, flat)
            if options.scalar and probe.value.size != 1:
                told = f"fun returns shape {probe.shape}, expected a scalar; check_jacobian takes arrays"
                if probe.shape and not isinstance(x, Mapping) and probe.shape == np.shape(x):
                    told += ", and x has that shape: are the function and its gradient in each other's place?"
                compared = [], None, [told]
            elif not np.isfinite(probe.value).all():
                what = str(probe.value[0]) if options.scalar else "not finite"
                compared = [], None, [f"fun is {what} at x: nothing can be compared"]
            else:
                if options.protocol:
                    found = check_promises(fun, derivative, tree, flat, probe.value, options.seed)
                given = read(derivative(tree.unpack(flat)), found.faults, probe.shape)
                if given is not None:
                    compared = _compared(probe, given, tree, options)
                    if options.protocol and not found.faults and not failed(*compared[:2]):
                        found.notes += _conditioning(derivative, given, probe, tree, flat, compared[0], options, read)
                    if found.elsewhere is not None and not found.faults and not failed(*compared[:2]):
                        there = read(found.there, [], probe.shape)
                        found.faults.extend(stale_faults(fun, there, tree, found, options.seed))
    except CallFailedError as problem:  # an error is no number that could be wrong
        compared = [], None, [str(problem)]
    return concluded(found, fun, derivative, time.perf_counter() - start, *compared)


def _conditioning(
    derivative: Calls,
    given: GivenDerivative,
    probe: Probe,
    tree: Tree,
    x: Array,
    parameters: list[ParameterCheck],
    options: _Options,
    read: _Read,
) -> list[str]:
    """The note on a derivative that changes with the last digits of x."""
    beside = close_to(x, given.eps, options.seed)
    try:
        there = read(derivative(tree.unpack(beside)), [], probe.shape)
    except CallFailedError:  # x lies at the edge of where it is defined
        return []
    kinked = any(p.kinks for p in parameters)
    note = None if there is None else conditioning_note(given, there, x, probe.value, kinked=kinked, seed=options.seed)
    return [] if note is None else [note]


def _compared(probe: Probe, given: GivenDerivative, tree: Tree, options: _Options) -> _Compared:
    rng = np.random.default_rng(options.seed)
    probe.measure_noise(rng)
    probe.measure_roughness(rng)
    arbiter = ComplexStep(probe, rng) if options.complex_step else None
    entries, along = EntryCheck(probe, given, tree, arbiter), None
    n = tree.size
    sampled = options.directions is not None or n > ENTRY_LIMIT or n * probe.value.size > _CELLS
    if sampled or n > FEW:
        count = options.directions or direction_count(options.failure_probability)
        along = along_directions(probe, given, count, options.failure_probability, rng, arbiter, alone=sampled)
    if sampled:
        entries.spots(rng)
        for start, stop in tree.spans if along is not None and not along.passed else ():
            entry = localise(probe, given, start, stop, rng) if stop > start else None
            if entry is not None:
                entries.examine(entry)
    else:
        reporter = Reporter(options.progress)
        try:
            entries.all_entries(reporter)
        finally:
            reporter.close()
    # directions that all meet kinks say nothing of any parameter, and it is said once
    told = along if sampled and along is not None and along.unresolved < along.directions else None
    if told is None:
        sights = [Sight.by_entry(own) for own in entries.findings]
    else:
        sights = [Sight.by_direction(told, given, probe, span, rng) for span in tree.spans]
    right = [s.derivative for s, own in zip(sights, entries.findings, strict=True) if not own.wrong]
    whole = np.max([np.zeros(probe.value.shape), *right], axis=0)
    rows = zip(entries.findings, sights, tree.spans, strict=True)
    verdicts = [verdict_of(probe, own, sight, whole, span, rng) for own, sight, span in rows]
    parameters = _parameters(probe, tree, entries.findings, verdicts, along if sampled else None)
    why = [why_unseen(probe, own, p.smallest) for own, p in zip(entries.findings, parameters, strict=True)]
    return parameters, along, _reasons(parameters, why, along, sampled)


def _parameters(
    probe: Probe, tree: Tree, found: list[Findings], verdicts: list[Verdict], along: DirectionsCheck | None
) -> list[ParameterCheck]:
    checks = []
    rows = zip(tree.names, tree.shapes, tree.spans, found, verdicts, strict=True)
    for name, shape, (a, b), own, verdict in rows:
        worst, smallest = own.worst, float(own.smallest.max(initial=0.0))
        if along is not None and a < b:
            smallest = along.smallest / float(probe.scale[a:b].min())
        output: Shape = ()
        index, values = None, (math.nan, math.nan, math.nan)
        if worst is not None:
            index, output = place_of(worst.entry - a, shape), place_of(worst.output, probe.shape)
            values = worst.given, worst.value, worst.tolerance
        counts = own.checked, own.wrong, own.kinks, own.suspects
        checks.append(ParameterCheck(name, shape, verdict, *counts, index, output, *values, smallest))
    return checks


def _reasons(
    parameters: list[ParameterCheck], why: list[str], along: DirectionsCheck | None, sampled: bool
) -> list[str]:
    reasons, open_ = [], []
    for p, unseen in zip(parameters, why, strict=True):
        where = f"{p.name}[{', '.join(map(str, p.index))}]" if p.index else p.name
        if p.output:
            where = f"output {p.output} with respect to {where}"
        if p.verdict == "fail":
            more = f"; {p.wrong + p.suspects} of {p.checked} entries differ" if p.wrong + p.suspects > 1 else ""
            kink = " (the nearest slope at a kink)" if p.kinks == p.wrong else ""
            reasons.append(
                f"{where} is {p.given:.10g}, the reference {p.expected:.10g}{kink}: they differ by "
                f"{p.difference:.2g}, allowed {p.tolerance:.2g}{more}"
            )
        elif p.verdict == "inconclusive":
            open_.append(f"{p.name}: {unseen}")
    if along is not None and not along.passed:
        reasons.append(
            f"along {along.directions} random directions it is off by {along.error:.1e} of its size, "
            f"allowed {along.resolved:.1e}"
        )
    reasons += open_
    if sampled and along is not None and along.passed:
        if along.unresolved == along.directions:
            reasons.append(
                "every random direction meets kinks or undefined values: check fewer parameters, entry by entry"
            )
        elif along.resolved > 0.1:
            reasons.append(f"along random directions errors below {along.resolved:.1e} of its size cannot be seen")
    return reasons


@written("check_gradient(fun, grad, x), with several arrays in one dict x")
def check_gradient(
    fun: Callable[[Any], Any] | Network,
    grad: Callable[[Any], Any] | bool | None = None,
    x: Any = None,
    *,
    data: tuple[Any, Any] | None = None,
    directions: int | None = None,
    failure_probability: float = 1e-9,
    protocol: bool = True,
    complex_step: bool = True,
    seed: int = 0,
    progress: Progress = True,
) -> GradientCheck:
    r"""Return whether `grad` computes the gradient of `fun` at x, with the smallest error that would have been seen.

    First the promises. Neither function may write its input or the other's data, keep state, return a shared buffer,
    lose digits or shape, or depend on the memory order of its input. A derivative that is right at x must be right at
    another point too, along two directions. Then the values, against Richardson-extrapolated central differences over
    several bands of steps. A difference counts above 8 × (estimated truncation + round-off). This bound is relative to
    what can be resolved, so a loss of size 10⁻⁶ is judged as sharply as one of size 1. At a kink every value between
    the one-sided derivatives is right. Float32 functions are judged by float32's resolution.

    A pass requires that zero, twice and minus the gradient would not have passed. For this, the largest derivative of
    every array, or along directions the norm, exceeds the smallest visible error tenfold. A true zero passes where a
    small error would have been seen: a millionth of the other derivatives, or of the slope up to the first visible
    change. So does the zero of a function that is constant wherever it is followed. All else is inconclusive, and says
    what would help.

    Up to 5000 parameters every entry is compared, and above 100 also Gaussian directions. Above 5000, or with
    `directions`, only directions and a few entries are. An error whose norm is above the bound in the report is then
    missed with probability at most `failure_probability`.

    Parameters
    ----------
    fun : callable
        From something like `x` to a scalar, which may be a `Value` of a graph. Or a network: of its objective.
    grad : callable, None or True
        From something like `x` to the gradient in the same structure. None or True: `fun` returns both,
        ``(value, gradient)``; or, of a dict of arrays, a value of a graph with inputs of these names, which has its
        gradients itself. Of a network, None is the network's own gradient.
    x : ndarray, or dict, tuple or list of arrays (nested as you like)
        Where to check; never written. Integers become float64. Parameters of a network are drawn unless given.
    data : tuple, optional
        A network's inputs and targets, (X, Y); made up for a list of operations unless given.
    directions : int, optional
        Gaussian directions to use instead of all entries.
    failure_probability : float
        How likely an error of ten to twenty tolerances may be missed along directions.
    protocol : bool
        False leaves the promises out, and calls `grad` once.
    complex_step : bool
        Whether doubtful entries are put to the complex step, where the code turns out to be analytic.
    seed : int
        Of the directions.
    progress : callable or bool
        Called with (entries done, entries in all). True: a line on a terminal's standard error after two seconds.

    Returns
    -------
    GradientCheck
        True only if the verdict is "pass". What `fun` or `grad` raise at x is told, and makes it inconclusive.

    Raises
    ------
    ArgumentError
        If `fun` or `grad` is no function.
    DTypeError
        If `x` is not made of real arrays.
    DomainError
        If `directions` or `failure_probability` make no sense.
    ArgumentError
        If x is missing, or `data` are given for something else than a network.
    LayoutError
        If `data` are missing for a network whose inputs have no known sizes, such as a function of values.

    Notes
    -----
    Source: Richardson 1911; Moré & Wild 2011 (noise); Squire & Trapp 1998 (complex step). SciPy's `check_grad` returns
    one number without saying what it should be, and `differentiate.derivative` needs functions of arrays of points.
    Where several kinks meet at x, the bounds are the slopes along one entry. A value that is chosen at each kink
    separately, such as relu′(0) = 0 with all weights zero, may lie outside; it is then reported.

    Examples
    --------
    >>> def loss(p):
    ...     return float(np.sum(np.tanh(p["W"] @ np.ones(3) + p["b"])))
    >>> def gradient(p):
    ...     delta = 1 - np.tanh(p["W"] @ np.ones(3) + p["b"]) ** 2
    ...     return {"W": np.outer(delta, np.ones(3)), "b": delta}
    >>> x = {"W": np.full((2, 3), 0.1), "b": np.array([0.2, -0.3])}
    >>> bool(check_gradient(loss, gradient, x))
    True
    >>> check_gradient(loss, lambda p: {"W": gradient(p)["W"], "b": gradient(p)["b"] / 2}, x).reasons[0][:24]
    'b[1] is 0.5, the referen'

    A forward pass on values needs no gradient by hand:

    >>> from jacobians import tanh, values
    >>> def tied(p):
    ...     W, b = values(**p)
    ...     return (tanh(W.T @ b) @ W.T).sum()
    >>> bool(check_gradient(tied, None, {"W": x["W"].T, "b": np.ones(3)}))
    True

    Of a network, its own gradient:

    >>> from jacobians import Network
    >>> bool(check_gradient(Network.dense((4, 3, 2))))
    True
    """
    if grad is not None and not isinstance(grad, bool):
        _check_callable(grad, "grad", "check_gradient", "fun, grad, x")
    if isinstance(fun, Network):
        fun, grad, x = _of_network(fun, grad, x, data, seed)
    elif x is None or data is not None:
        raise ArgumentError(
            "check_gradient: x is missing: the order is fun, grad, x"
            if x is None
            else "check_gradient: data are of a network; the function that was given knows its own"
        )
    options = _Options(True, directions, failure_probability, protocol, complex_step, seed, progress)
    _check_callable(fun, "fun", "check_gradient", "fun, grad, x")
    tree = Tree.of(x, "check_gradient")
    value, gradient = _split(fun, grad)

    def read(given: Any, faults: list[str], _: Shape) -> GivenDerivative | None:
        return _gradient(given, tree, faults)

    return _checked(value, gradient, x, tree, options, read)


def _of_network(
    network: Network, grad: Callable[[Any], Any] | bool | None, x: Any, data: tuple[Any, Any] | None, seed: int
) -> tuple[Callable[[Any], Any], Callable[[Any], Any], Any]:
    """A network's objective and gradient as functions of its parameters, and those at which they are checked."""
    if data is None and network.function is not None:
        raise LayoutError(
            f"check_gradient: {network!r} is a function of values, whose inputs have no known sizes; pass data=(X, Y)"
        )
    X, Y = sample_data(network, _EXAMPLES, seed)[1:] if data is None else data

    def own(params: Any) -> Any:
        return network.gradient(params, X, Y)

    params = network.init(seed) if x is None else x
    return lambda p: network.value(p, X, Y), grad if callable(grad) else own, params


def _check_callable(function: Any, name: str, operation: str, order: str) -> None:
    """Raise where an array, or whatever else, stands for a function."""
    if callable(function):
        return
    mend = f": are two arguments in each other's place? The order is {order}"
    if name != "fun":
        mend = f": check a derivative that you have at one x as lambda x: …. The order is {order}"
    raise ArgumentError(f"{operation}: {name} is {kind_of(function)}; expected a function of x{mend}")


def _split(fun: Callable[[Any], Any], grad: Callable[[Any], Any] | bool | None) -> tuple[Calls, Calls]:
    if callable(grad):
        return Calls(_numbers(fun), "fun"), Calls(grad, "grad")

    def part(place: int) -> Callable[[Any], Any]:
        def chosen(x: Any) -> Any:
            found = fun(x)
            if isinstance(found, Value):
                return _by_names(x, found.gradients) if place else found.array.copy()
            if not isinstance(found, tuple) or len(found) != 2:
                kind = type(found).__name__
                raise TypeError(
                    f"fun returned a {kind}; without grad it returns (value, gradient), or a value of a graph"
                )
            return found[place]

        return chosen

    return Calls(part(0), "fun"), Calls(part(1), "the gradient")


def _numbers(fun: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function, with the numbers of a value that it returns."""

    def of_array(x: Any) -> Any:
        found = fun(x)
        return found.array.copy() if isinstance(found, Value) else found

    return of_array


def _by_names(x: Any, derivatives: Callable[..., Any]) -> dict[str, Any]:
    """A value's derivatives by the inputs of the names in x."""
    if not isinstance(x, dict):
        raise TypeError(
            "fun returned a value of a graph; x must then be a dict of arrays by the names of its inputs, "
            "as in jac.values(**x)"
        )
    return dict(zip(x, derivatives(*x), strict=True))


def _gradient(given: Any, tree: Tree, faults: list[str]) -> GivenGradient | None:
    """The packed gradient, or None with the faults noted if it cannot be compared."""
    what = "the gradient"
    if tree.single and isinstance(given, (list, tuple)):
        faults.extend(returned_problems(given, what, tree.dtypes[0]))
        try:
            given = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            return None
    problem = tree.mismatch(given)
    if problem:
        faults.append(f"{what} {problem}")
        return None
    by_name = {name or "x": leaf for name, leaf in leaves_of(given)}
    leaves, usable, eps = [], True, float(np.finfo(np.float64).eps)
    for name, shape, dtype in zip(tree.names, tree.shapes, tree.dtypes, strict=True):
        leaf = by_name[name]
        label = what if tree.single else f"{what} of {name}"
        problems = returned_problems(leaf, label, dtype)
        array = np.asarray(leaf)
        if array.shape != shape:
            hint = ": it is transposed" if array.shape == shape[::-1] and len(shape) > 1 else ""
            problems.append(f"{label} has shape {array.shape}, {name} has {shape}{hint}")
        usable &= array.shape == shape and array.dtype.kind in "fiub" and bool(np.isfinite(array).all())
        if array.dtype.kind == "f":
            eps = max(eps, float(np.finfo(array.dtype).eps))
        faults.extend(problems)
        leaves.append(array)
    return GivenGradient(tree.pack(leaves), eps) if usable else None


@written("check_jacobian(fun, jac, x), with several arrays in one dict x")
def check_jacobian(
    fun: Callable[[Any], Any],
    jac: Callable[[Any], Any] | None,
    x: Any,
    *,
    order: Order = "C",
    directions: int | None = None,
    failure_probability: float = 1e-9,
    protocol: bool = True,
    complex_step: bool = True,
    seed: int = 0,
    progress: Progress = True,
) -> GradientCheck:
    """Return whether `jac` computes the Jacobian of the array-valued `fun` at x; see `check_gradient`.

    Parameters
    ----------
    fun : callable
        From something like `x` to an array with m entries.
    jac : callable or None
        From something like `x` to a matrix (m, n), an array of shape codomain + domain, one block per example
        (N, outputs, inputs), a SciPy sparse matrix or a `Jacobian`. For a dict, tuple or list: one of
        them for each array, in the same structure, or one matrix (m, n) by all entries packed. None: of a dict of
        arrays, `fun` returns a `Value` of a graph with inputs of these names, which has its Jacobians itself.
    x : ndarray, or dict, tuple or list of arrays
    order : {"C", "F"}
        How a matrix's rows and columns unroll the output and x.
    directions, failure_probability, protocol, complex_step, seed, progress
        As in `check_gradient`.

    Returns
    -------
    GradientCheck

    Raises
    ------
    ArgumentError
        If `fun` or `jac` is no function.
    DTypeError
        If `x` is not made of real arrays.
    DomainError
        If `directions` or `failure_probability` make no sense.

    Notes
    -----
    SciPy's `differentiate.jacobian` needs functions that take stacks of points, and `approx_derivative` has no error
    estimate; see `jacobians.checking.numerical`.

    Examples
    --------
    >>> from jacobians import tanh
    >>> x = np.array([[0.1, -0.4], [0.3, 2.0]])
    >>> bool(check_jacobian(lambda v: tanh(v)[0], lambda v: tanh(v)[1], x))
    True
    >>> check_jacobian(np.sin, lambda v: np.diag(np.sin(v)), np.ones(2)).verdict
    'fail'
    """
    options = _Options(False, directions, failure_probability, protocol, complex_step, seed, progress)
    _check_callable(fun, "fun", "check_jacobian", "fun, jac, x")
    if jac is not None:
        _check_callable(jac, "jac", "check_jacobian", "fun, jac, x")
    tree = Tree.of(x, "check_jacobian")

    def read(given: Any, faults: list[str], codomain: Shape) -> GivenDerivative | None:
        parts = _parts(given, tree, codomain, faults)
        return None if parts is None else GivenJacobian(parts, tree, codomain, order)

    def of_value(x: Any) -> dict[str, Any]:
        found = fun(x)
        if not isinstance(found, Value):
            raise TypeError(f"fun returned a {type(found).__name__}; without jac it returns a value of a graph")
        return _by_names(x, lambda *names: [found.jacobian(name) for name in names])

    given = Calls(jac, "jac") if jac is not None else Calls(of_value, "the Jacobian")
    return replace(_checked(Calls(_numbers(fun), "fun"), given, x, tree, options, read), of="Jacobian")


def _parts(given: Any, tree: Tree, codomain: Shape, faults: list[str]) -> list[Any] | None:
    """The Jacobians with respect to each array of x, or to all at once, or None with the faults noted."""
    if tree.single or not isinstance(given, (dict, list, tuple)):
        named = [("", given)]
        domains: tuple[Shape, ...] = tree.shapes if tree.single else ((tree.size,),)
    else:
        problem = tree.mismatch(given)
        if problem:
            faults.append(f"the Jacobian {problem}")
            return None
        by_name = dict(leaves_of(given))
        named, domains = [(name, by_name[name]) for name in tree.names], tree.shapes
    parts, usable = [], True
    for (name, part), domain in zip(named, domains, strict=True):
        label = f"the Jacobian with respect to {name}" if name else "the Jacobian"
        if isinstance(part, Denominator):
            part = part.numerator  # the same map, written the other way
        dtype = tree.dtypes[0]
        if not isinstance(part, Jacobian):
            checked = buffers_of(part)[0] if hasattr(part, "tocsc") else part
            problems = returned_problems(checked, label, dtype)
            faults.extend(problems)
            usable &= all("dtype" in p or "Python" in p for p in problems)
            if isinstance(part, (list, tuple)):
                part = np.asarray(part)
        axes = example_axes(part, domain, codomain)
        if len(axes) > 1:
            faults.append(
                f"{label} has shape {part.shape}, one block per example; examples in rows and in columns both fit: "
                f"pass jacobians.linops.BlockDiagonal(blocks, {codomain}, {domain}, axis=0), or axis=-1 for columns"
            )
            usable = False
            continue
        if axes and usable:
            part = BlockDiagonal(part, codomain, domain, axes[0])
        problem = shape_problem(part, domain, codomain)
        if problem:
            faults.append(f"{label} {problem}")
            usable = False
        parts.append(part)
    return parts if usable else None
