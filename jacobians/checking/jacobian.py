"""The check of a Jacobian against the function it should belong to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.arrays import Shape
from jacobians.checking.calls import CallFailedError, Calls
from jacobians.checking.compare_values import Options, compare_values
from jacobians.checking.derivatives import GivenJacobian, buffers_of, shape_problem
from jacobians.checking.outcome import GradientCheck
from jacobians.checking.probe import Probe
from jacobians.checking.progress import Progress
from jacobians.checking.protocol import Protocol, check_protocol, returned_problems
from jacobians.checking.stale import stale_faults
from jacobians.checking.trees import Tree
from jacobians.checking.verdict import concluded, failed
from jacobians.containers import leaves_of
from jacobians.layout import Order
from jacobians.linops import Denominator, Jacobian

__all__ = ["check_jacobian"]


def check_jacobian(
    fun: Callable[[Any], Any],
    jac: Callable[[Any], Any],
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
    jac : callable
        From something like `x` to a matrix (m, n), an array of shape codomain + domain, a SciPy sparse matrix or a
        `Jacobian`. For a dict, tuple or list: one of them for each array, in the same structure, or one matrix (m, n)
        by all entries packed.
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
    DTypeError
        If `x` is not made of real arrays.
    DomainError
        If `directions` or `failure_probability` make no sense.

    Notes
    -----
    SciPy's `differentiate.jacobian` needs functions that take stacks of points, and `approx_derivative` has no error
    estimate; see `jacobians.checking.reference`.

    Examples
    --------
    >>> from jacobians import tanh
    >>> x = np.array([[0.1, -0.4], [0.3, 2.0]])
    >>> bool(check_jacobian(lambda v: tanh(v)[0], lambda v: tanh(v)[1], x))
    True
    >>> check_jacobian(np.sin, lambda v: np.diag(np.sin(v)), np.ones(2)).verdict
    'fail'
    """
    options = Options(directions, failure_probability, protocol, complex_step, seed, progress)
    start = time.perf_counter()
    tree = Tree.of(x, "check_jacobian")
    flat = tree.pack([leaf for _, leaf in leaves_of(x)])
    value, jacobian = Calls(fun, "fun"), Calls(jac, "jac")
    found = Protocol()

    def conclude(*arguments: Any) -> GradientCheck:
        return concluded(found, value, jacobian, time.perf_counter() - start, *arguments)

    try:
        with np.errstate(all="ignore"):  # infinities and NaN far from x are judged, not warned of
            probe = Probe(value, tree, flat)
            if not np.isfinite(probe.value).all():
                return conclude([], None, ["fun is not finite at x: nothing can be compared"])
            if protocol:
                found = check_protocol(value, jacobian, tree, flat, probe.value, seed)
            parts = _parts(jacobian(tree.rebuild(tree.arrays(flat))), tree, probe.shape, found)
            if parts is None:
                return conclude()
            given = GivenJacobian(parts, tree, probe.shape, order)
            compared = compare_values(probe, given, tree, options)
            if found.elsewhere is not None and not found.faults and not failed(*compared[:2]):
                there = _parts(found.there, tree, probe.shape, Protocol())
                moved = None if there is None else GivenJacobian(there, tree, probe.shape, order)
                found.faults.extend(stale_faults(value, moved, tree, found, seed))
            return conclude(*compared)
    except CallFailedError as problem:
        found.faults.append(str(problem))
        return conclude()


def _parts(given: Any, tree: Tree, codomain: Shape, found: Protocol) -> list[Any] | None:
    """The Jacobians by each array of x, or the one by all, or None with the faults noted."""
    if tree.single or not isinstance(given, (dict, list, tuple)):
        named = [("", given)]
        domains: tuple[Shape, ...] = tree.shapes if tree.single else ((tree.size,),)
    else:
        problem = tree.mismatch(given)
        if problem:
            found.faults.append(f"the Jacobian {problem}")
            return None
        by_name = dict(leaves_of(given))
        named, domains = [(name, by_name[name]) for name in tree.names], tree.shapes
    parts, usable = [], True
    for (name, part), domain in zip(named, domains, strict=True):
        label = f"the Jacobian by {name}" if name else "the Jacobian"
        if isinstance(part, Denominator):
            part = part.numerator  # the same map, written the other way
        dtype = tree.dtypes[0]
        if not isinstance(part, Jacobian):
            checked = buffers_of(part)[0] if hasattr(part, "tocsc") else part
            problems = returned_problems(checked, label, dtype)
            found.faults.extend(problems)
            usable &= all("dtype" in p or "Python" in p for p in problems)
            if isinstance(part, (list, tuple)):
                part = np.asarray(part)
        problem = shape_problem(part, domain, codomain)
        if problem:
            found.faults.append(f"{label} {problem}")
            usable = False
        parts.append(part)
    return parts if usable else None
