"""Faults that a comparison of values does not show: overwritten inputs, shared buffers, state, dtypes, shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jacobians.arrays import Array, as_array, counted
from jacobians.checking.by_direction import along_directions
from jacobians.checking.derivatives import GivenDerivative, buffers_of
from jacobians.checking.numerical import CallFailedError, Calls, Probe
from jacobians.checking.trees import Tree, place_of
from jacobians.errors import DTypeError

_ROUNDINGS = 1024.0
"""Units of rounding within which the same result is the same: BLAS sums in another order for another memory order."""


@dataclass
class Promises:
    """What the calls at x showed.

    Attributes
    ----------
    faults : list of str
        Each makes the verdict a failure.
    notes : list of str
        Worth knowing, and no fault.
    elsewhere : ndarray or None
        Another point, packed, if the derivative could be called there.
    there : object
        What the derivative returned there, after a first call at x.
    copies : list of ndarray
        Of the arrays that it holds.
    unchanged : bool
        Whether that is the same to the bit as at x: right for linear functions only.
    """

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    elsewhere: Array | None = None
    there: Any = None
    copies: list[Array] = field(default_factory=list)
    unchanged: bool = False


def check_promises(fun: Calls, grad: Calls, tree: Tree, x: Array, value: Array, seed: int) -> Promises:
    """Call both functions at x, at another point and at x again, with arrays of every kind, and note their faults.

    `value` is what `fun` returned at x at the very first call.
    """
    found = Promises()
    rng = np.random.default_rng(seed)
    scale = np.where(x == 0, 1.0, np.abs(x))
    other = tree.pack(tree.arrays(x + 0.01 * scale * rng.normal(size=x.size)))
    for call in (fun, grad):
        _check_repeats(call, fun, tree, x, other, found)
        if not found.faults:
            _check_value(call, fun, tree, x, value, found)
    if not found.faults:
        for call in (fun, grad):
            _check_memory(call, tree, x, found)
    # two buffers in turn survive the next call, not the one after it
    if not found.faults and any(
        not _same(a, b, 0.0) for a, b in zip(buffers_of(found.there), found.copies, strict=False)
    ):
        found.faults.append(f"{grad.name} returns a shared buffer: a later call overwrites an earlier result")
    return found


def _check_repeats(call: Calls, fun: Calls, tree: Tree, x: Array, other: Array, found: Promises) -> None:
    given = tree.arrays(x)
    result = call(tree.rebuild(given))
    for leaf, name, kept in zip(given, tree.names, tree.arrays(x), strict=True):
        # bit for bit, but not the padding that longdouble has
        if not (np.array_equal(leaf, kept, equal_nan=True) and np.array_equal(np.signbit(leaf), np.signbit(kept))):
            found.faults.append(f"{call.name} writes its input {name}")
    first = buffers_of(result)
    # a structured Jacobian keeps what it was made from, by design
    plain = buffers_of(result, structured=False)
    if any(_shared(buffer, leaf) for buffer in plain for leaf in given):
        found.faults.append(f"{call.name} returns an array that shares memory with its input; return a copy")
    before = [np.array(buffer) for buffer in first]
    try:
        fun(tree.unpack(other))
        there = call(tree.unpack(other))
        elsewhere = buffers_of(there)
    except CallFailedError:  # the other point may lie outside the domain
        there, elsewhere = None, []
    if call is not fun and elsewhere:
        found.elsewhere, found.there, found.copies = other, there, [np.array(buffer) for buffer in elsewhere]
        found.unchanged = all(_same(a, b, 0.0) for a, b in zip(before, elsewhere, strict=False))
    overwritten = any(not _same(a, b, 0.0) for a, b in zip(first, before, strict=True))
    if overwritten:
        found.faults.append(f"{call.name} returns a shared buffer: its next call overwrites the earlier result")
    elif any(a.flags.writeable and _shared(a, b) for a in plain for b in elsewhere):
        found.notes.append(f"{call.name} returns the same array on every call: who changes it changes all")
    again = [np.array(b) for b in buffers_of(call(tree.unpack(x)))]
    if _alike(before, again, tree.resolution):
        return
    once_more = [np.array(b) for b in buffers_of(call(tree.unpack(x)))]
    if _alike(again, once_more, tree.resolution):
        found.faults.append(
            f"{call.name} depends on earlier calls: {_versus(before, again)} at the same x; it keeps state"
        )
    else:
        found.faults.append(
            f"{call.name} gives another result each time: {_versus(again, once_more)} at the same x; it accumulates "
            "or is random"
        )


def _check_value(call: Calls, fun: Calls, tree: Tree, x: Array, value: Array, found: Promises) -> None:
    """Note the fault if the objective has changed during the calls of `call`."""
    now = [np.asarray(fun(tree.unpack(x))).astype(np.float64).ravel()]
    if not _alike([value], now, tree.resolution):
        culprit = "fun changes data that it reads itself" if call is fun else f"{call.name} changes data that fun reads"
        found.faults.append(f"{culprit}: at the same x fun was {_versus([value], now)}, after {call.name} was called")


def _check_memory(call: Calls, tree: Tree, x: Array, found: Promises) -> None:
    expected = buffers_of(call(tree.unpack(x)))
    kinds: tuple[tuple[str, Callable[[Array], Array]], ...] = (
        ("read-only", _read_only),
        ("strided", _strided),
        ("F-ordered", lambda leaf: np.asarray(leaf, order="F")),
    )
    for kind, change in kinds:
        leaves = tree.arrays(x)
        if kind == "F-ordered" and all(leaf.ndim < 2 for leaf in leaves):
            continue
        try:
            result = buffers_of(call(tree.rebuild([change(leaf) for leaf in leaves])))
        except CallFailedError as problem:
            text = f"{call.name} refuses {kind} arrays: {problem}"
            (found.notes if kind == "read-only" else found.faults).append(text)
            continue
        if not _alike(expected, result, tree.resolution):
            found.faults.append(f"{call.name} gives another result for {kind} arrays: {_versus(expected, result)}")


def _read_only(leaf: Array) -> Array:
    leaf.setflags(write=False)
    return leaf


def _strided(leaf: Array) -> Array:
    if leaf.ndim == 0:
        return leaf
    wide = np.zeros((*leaf.shape[:-1], 2 * leaf.shape[-1]), dtype=leaf.dtype)
    wide[..., ::2] = leaf
    return wide[..., ::2]


def _shared(a: Array, b: Array) -> bool:
    return bool(a.size and b.size and np.may_share_memory(a, b))


def _same(a: Array, b: Array, allowed: float) -> bool:
    if a.shape != b.shape:
        return False
    if allowed == 0.0 or a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    size = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    # equal entries first: of two infinities there is no difference
    near = (a == b) | (np.abs(a - b) <= allowed * size) | (np.isnan(a) & np.isnan(b))
    return bool(near.all())


def _alike(a: list[Array], b: list[Array], eps: float) -> bool:
    return len(a) == len(b) and all(_same(p, q, _ROUNDINGS * eps) for p, q in zip(a, b, strict=True))


def _versus(a: list[Array], b: list[Array]) -> str:
    """The entries that differ most, as ``1.5 and then 1.75``."""
    for p, q in zip(a, b, strict=False):
        if p.shape != q.shape:
            return f"shape {p.shape} and then {q.shape}"
        if p.size and not _same(p, q, 0.0):
            place = int(np.argmax(np.abs(np.nan_to_num(p) - np.nan_to_num(q)).ravel()))
            return f"{p.ravel()[place]:.7g} and then {q.ravel()[place]:.7g}"
    return "two results"


def returned_problems(leaf: Any, what: str, given: np.dtype[Any]) -> list[str]:
    """Return what is wrong with the type, the dtype and the entries of one returned array, in words."""
    if isinstance(leaf, (list, tuple)):
        return [f"{what} is a Python {type(leaf).__name__}, not an array; return np.array(…)"]
    try:
        array = as_array(leaf, what, "check")
    except DTypeError as error:
        return [str(error).removeprefix("check: ")]
    if array.dtype.kind not in "fiub":
        return [f"{what} has dtype {array.dtype}, expected {given}"]
    problems = []
    if array.dtype.kind != "f":
        problems.append(f"{what} has dtype {array.dtype}: fractions are cut off, expected {given}")
    elif array.dtype.itemsize < given.itemsize:
        problems.append(f"{what} has dtype {array.dtype} for {given} arguments: digits are lost")
    bad = ~np.isfinite(array)
    if bad.any():
        place = place_of(int(np.argmax(bad)), array.shape)
        kinds = "NaN" if np.isnan(array[place]) else "infinite"
        problems.append(
            f"{what} is {kinds} at {place} ({int(bad.sum())} of {counted(array.size, 'entry', 'entries')} not finite)"
        )
    return problems


_DIRECTIONS = 2
_UNUSED = 0.5  # the probability that is stated with a pass, which nobody reads here


def stale_faults(fun: Calls, given: GivenDerivative | None, tree: Tree, promises: Promises, seed: int) -> list[str]:
    """Return the fault, if any, of a derivative that was right at x and is wrong at another point.

    Parameters
    ----------
    fun, given, tree
        The function, its derivative at the other point, and the argument's structure.
    promises : Promises
        For the other point, and whether the derivative there is the same to the bit.
    seed : int
        Of the directions along which it is compared.
    """
    if promises.elsewhere is None or given is None or tree.size == 0:
        return []
    try:
        probe = Probe(fun, tree, promises.elsewhere)
    except CallFailedError:
        return []
    if not np.isfinite(probe.value).all():
        return []
    rng = np.random.default_rng(seed)
    probe.measure_noise(rng)
    if along_directions(probe, given, _DIRECTIONS, _UNUSED, rng, None).passed:
        return []
    if promises.unchanged:
        return [
            "the derivative is the same at x and at another point, and wrong there: it does not depend on x, or comes "
            "from a stale cache"
        ]
    return [
        "the derivative is right at x and wrong at another point, called after x: it keeps something from an earlier "
        "call, or is right at x by chance"
    ]
