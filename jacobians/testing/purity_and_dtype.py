"""Laws of purity and dtype, of an operation and of a structured Jacobian."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape
from jacobians.errors import DTypeError
from jacobians.linops import Denominator, Jacobian
from jacobians.testing.compare import (
    OperationLike,
    agree,
    as_arrays,
    called,
    collect,
    draw,
    evaluate,
    fail,
    generator,
    is_large,
    largest,
    outcome,
    refused,
    same_bits,
    term_size,
)

__all__ = ["Memory", "arranged", "assert_dtype", "assert_jacobian_dtype", "assert_jacobian_purity", "assert_purity"]

Memory: TypeAlias = Literal["C", "F", "strided", "read-only"]


def arranged(array: npt.ArrayLike, memory: Memory) -> Array:
    """Return a copy of an array that lies otherwise in memory.

    Parameters
    ----------
    array : array_like
    memory : {"C", "F", "strided", "read-only"}
        Rows contiguous, columns contiguous, backwards and with gaps, or not to be written.

    Examples
    --------
    >>> arranged([[1.0, 2.0]], "strided").strides
    (32, -16)
    """
    array = np.asarray(array)
    if memory == "strided" and array.ndim:
        room = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
        out = room[..., ::-2]
        out[...] = array
        return out
    out = np.array(array, order="F" if memory == "F" else "C")
    if memory == "read-only":
        out.flags.writeable = False
    return out


def assert_purity(
    operation: OperationLike, arrays: Sequence[npt.ArrayLike], rng: np.random.Generator | None = None
) -> None:
    """Law 9, purity: inputs are not written, outputs alias nothing, and the same call gives the same bits.

    The operation is called on writable and on read-only copies of the inputs, on other inputs in between (these,
    with their entries reversed), and on inputs in other memory orders. Its value and what its Jacobians return are
    then overwritten, and the Jacobians asked again.

    Parameters
    ----------
    operation : callable
        Returns a value and its Jacobians, see `OperationLike`.
    arrays : sequence of array_like
    rng : Generator, optional

    Raises
    ------
    AssertionError
        If an input was written; if the value, or an array that a Jacobian returns, is read-only, or shares memory
        with an input or an earlier output; if a call has an effect on what an earlier one returned.

    Examples
    --------
    >>> from jacobians import hadamard
    >>> assert_purity(hadamard, [[1.0, 2.0], [3.0, 4.0]])
    """
    rng, what = generator(rng), called(operation)
    given = as_arrays(arrays)
    kept = [a.copy() for a in given]
    try:
        locked = evaluate("purity", operation, [arranged(a, "read-only") for a in kept])
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        fail("purity", what, f"writes to an input: {error}")
    value, jacobians = evaluate("purity", operation, given)
    probes = {name: (draw(rng, j.domain, j.dtype), draw(rng, j.codomain, j.dtype)) for name, j in jacobians.items()}
    first = _outputs(value, jacobians, probes)
    _check_alias(what, {f"input {i}": a for i, a in enumerate(given)}, first)
    saved = {name: array.copy() for name, array in first.items()}

    again = _outputs(*evaluate("purity", operation, given), probes)
    same_bits("purity", f"{what}, called twice", again, saved)
    same_bits("purity", f"{what} on read-only inputs", _outputs(*locked, probes), saved)
    _check_alias(what, first, again)
    for name, array in first.items():
        if not array.flags.writeable:
            fail("purity", what, f"{name} is read-only; return a new array")

    # Jacobians may be built late: after other calls, and after the value was overwritten
    late = outcome(operation, given)
    evaluate("purity", operation, [np.array(np.flip(a), order="C") for a in given])
    same_bits("purity", f"{what}, after a call on other inputs", first, saved)
    for array in (late[0], *first.values()):
        array.fill(np.nan)
    for when, found in (("asked late", collect("purity", operation, late, given)[1]), ("asked again", jacobians)):
        same_bits("purity", f"{what}, Jacobians {when}", _outputs(saved["value"], found, probes), saved)
    same_bits("purity", what, dict(enumerated(given)), dict(enumerated(kept)))

    scale = max([1.0, *(term_size(j) * largest(*probes[name]) for name, j in jacobians.items())])
    for memory in get_args(Memory):
        other = _outputs(*evaluate("purity", operation, [arranged(a, memory) for a in given]), probes)
        for name, array in saved.items():
            agree("purity", f"{what} on {memory} inputs, {name}", other[name], array, dtype=value.dtype, scale=scale)


def enumerated(arrays: Sequence[Array]) -> list[tuple[str, Array]]:
    """Return the inputs with the names that messages give them."""
    return [(f"input {i}", array) for i, array in enumerate(arrays)]


def _outputs(value: Array, jacobians: dict[str, Jacobian], probes: dict[str, tuple[Array, Array]]) -> dict[str, Array]:
    """The value, and every kind of array that the Jacobians return."""
    out = {"value": value}
    for name, jacobian in jacobians.items():
        tangent, cotangent = probes[name]
        out[f"J.{name}.jvp"] = jacobian.jvp(tangent)
        out[f"J.{name}.vjp"] = jacobian.vjp(cotangent)
        if not is_large(jacobian):
            out[f"J.{name}.to_dense"] = jacobian.to_dense()
        if jacobian.codomain == ():
            out[f"J.{name}.gradient"] = jacobian.gradient
    return out


def _check_alias(what: str, earlier: dict[str, Array], outputs: dict[str, Array]) -> None:
    for name, output in outputs.items():
        for other, array in earlier.items():
            if np.shares_memory(output, array):
                fail("purity", what, f"{name} shares memory with {other}; return a new array")


def assert_dtype(
    operation: OperationLike,
    arrays: Sequence[npt.ArrayLike],
    rng: np.random.Generator | None = None,
    *,
    integers: bool = True,
) -> None:
    """Law 10, dtype: float32 in, float32 out, and right; integers become float64; complex is refused with DTypeError.

    Of several inputs the widest dtype decides the value's. In float32 the value and the Jacobians equal those in
    float64 at the same numbers, up to 400 units of float32's rounding of the terms, and of the inputs.

    Parameters
    ----------
    operation : callable
        Returns a value and its Jacobians, see `OperationLike`.
    arrays : sequence of array_like
        Inputs without a Jacobian are cast where they are floats; labels stay integers.
    rng : Generator, optional
    integers : bool
        Whether the operation is defined at the inputs rounded away from 0.

    Raises
    ------
    AssertionError
        If a value, a Jacobian, or what it returns has another dtype, or is wrong in float32, or a complex input is not
        refused.

    Examples
    --------
    >>> from jacobians import sigmoid
    >>> assert_dtype(sigmoid, [[0.5, -2.0]])
    """
    rng, what, given = generator(rng), called(operation), as_arrays(arrays)
    count = len(evaluate("dtype", operation, given)[1])

    def cast(*dtypes: npt.DTypeLike) -> list[Array]:
        """Inputs with a Jacobian in these dtypes; other floats in the first of them, labels unchanged."""
        rest = [a.astype(dtypes[0]) if a.dtype.kind == "f" else a for a in given[count:]]
        return [*(a.astype(t) for a, t in zip(given[:count], dtypes, strict=True)), *rest]

    for dtype in (np.float32, np.float64):
        value, jacobians = evaluate("dtype", operation, cast(*[dtype] * count))
        probes = {name: (draw(rng, j.domain, dtype), draw(rng, j.codomain, dtype)) for name, j in jacobians.items()}
        for name, array in _outputs(value, jacobians, probes).items():
            if array.dtype != dtype:
                fail("dtype", what, f"{np.dtype(dtype)} inputs give {name} of dtype {array.dtype}")
        if dtype == np.float32:
            _check_float32(what, operation, cast(*[dtype] * count), count, rng)
    for i, name in enumerate(jacobians):
        mixed = evaluate("dtype", operation, cast(*[np.float64 if j == i else np.float32 for j in range(count)]))[0]
        if mixed.dtype != np.float64:
            fail("dtype", what, f"{name} in float64 among inputs in float32 gives a value of dtype {mixed.dtype}")
    if integers:
        _check_integers(what, operation, given, count, probes)
    for i, name in enumerate(jacobians):
        cast_one = [a.astype(np.complex128) if j == i else a for j, a in enumerate(given)]
        _check_complex(f"{what} with respect to {name}", operation, cast_one)


def _check_float32(
    what: str, operation: OperationLike, narrow: list[Array], count: int, rng: np.random.Generator
) -> None:
    """What is computed in float32 is what float64 makes of the same numbers."""
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in narrow]
    value, jacobians = evaluate("dtype", operation, wide)
    probes = {
        name: (draw(rng, j.domain, np.float32), draw(rng, j.codomain, np.float32)) for name, j in jacobians.items()
    }
    given = dict(zip(jacobians, wide, strict=False))
    # the value changes by so much at most where every input is rounded
    scales = {"value": largest(value) + sum(term_size(j) * largest(given[name]) for name, j in jacobians.items())}
    for name, jacobian in jacobians.items():
        size = term_size(jacobian) * max(1.0, largest(*probes[name]))
        scales |= dict.fromkeys((f"J.{name}.{view}" for view in ("jvp", "vjp", "to_dense", "gradient")), size)
    expected = _outputs(value, jacobians, probes)
    eps = float(np.finfo(np.float32).eps)
    moved = [a * (1.0 + eps * rng.choice([-1.0, 1.0], a.shape)) if i < count else a for i, a in enumerate(wide)]
    rounded = _outputs(*evaluate("dtype", operation, moved), probes)
    found = _outputs(*evaluate("dtype", operation, narrow), probes)
    for name, array in expected.items():
        scale = scales[name] + largest(rounded[name] - array) / eps
        text = f"{what}, {name} in float32 and in float64 of the same numbers"
        agree("dtype", text, found[name], array, dtype=np.dtype(np.float32), scale=scale)


def _check_integers(
    what: str, operation: OperationLike, given: list[Array], count: int, probes: dict[str, tuple[Array, Array]]
) -> None:
    """Integers, narrow ones too, give what the same numbers give in float64."""
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in given]
    whole = [np.copysign(np.ceil(np.abs(a)), a) + 0.0 if a.dtype.kind == "f" else a for a in wide]  # no −0
    expected = _outputs(*evaluate("dtype", operation, whole), probes)
    for narrow in (np.int64, np.int8):
        if all(np.abs(a).max(initial=0) < 128 for a in whole[:count]):
            cast = [a.astype(narrow) if i < count else a for i, a in enumerate(whole)]
            found = _outputs(*evaluate("dtype", operation, cast), probes)
            same_bits("dtype", f"{what}, {np.dtype(narrow)} and the same numbers in float64", found, expected)


def _check_complex(what: str, operation: OperationLike, cast: list[Array]) -> None:
    try:
        operation(*cast)
    except DTypeError:
        return
    # an operation under test may raise anything, and any other error breaks the law
    except Exception as error:
        fail("dtype", what, f"a complex input raises {type(error).__name__}, expected DTypeError: {error}")
    fail("dtype", what, "a complex input is accepted; expected DTypeError")


# --- the same for a structured Jacobian -----------------------------------------------------------


def assert_jacobian_purity(jacobian: Jacobian, rng: np.random.Generator | None = None, *, what: str = "") -> None:
    """Law 9 for a Jacobian: nothing is written, every output is new and writable, and two calls give the same bits.

    Every action is called on inputs in all memory orders, every view without.

    Parameters
    ----------
    jacobian : Jacobian
    rng : Generator, optional
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If an input, an array that the Jacobian stores or an earlier output was written; if an output is read-only,
        or shares memory with one of these.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_jacobian_purity(softmax([[1.0, 2.0, 3.0]])[1])
    """
    rng, what, dtype = generator(rng), what or jacobian.structure, jacobian.dtype
    owned = [(f"stored array {i}", array, array.copy()) for i, array in enumerate(jacobian.arrays)]
    calls: list[tuple[str, str, Callable[..., Array], list[Array]]] = []
    for name, action, shape in _actions(jacobian):
        x = draw(rng, shape, jacobian.dtype)
        calls += [(name, f"{name} of a {m} input", action, [arranged(x, m)]) for m in get_args(Memory)]
    scale = max(1.0, term_size(jacobian) * max(largest(*given) for *_, given in calls))
    calls += [(name, name, view, []) for name, view in _views(jacobian).items()]
    first: dict[str, Array] = {}
    kept: list[tuple[str, Array, Array]] = []
    for name, text, call, given in calls:
        inputs = [(f"input of {text}", array, array.copy()) for array in given]
        try:
            found = [call(*given), call(*given)]
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            fail("purity", what, f"{text} writes to its input: {error}")
        for other, array, copy in inputs:
            same_bits("purity", f"{what}, after the call", {other: array}, {other: copy})
        same_bits("purity", f"{what}, called twice", {text: found[1]}, {text: found[0]})
        others = [(other, array) for other, array, _ in [*owned, *inputs]]
        for out in found:
            if not out.flags.writeable:
                fail("purity", what, f"{text} is read-only; return a new array")
            for other, array in others:
                if np.shares_memory(out, array):
                    fail("purity", what, f"{text} shares memory with {other}; return a new array")
            others.append(("what it returned before", out))
        kept.append((text, found[0], found[0].copy()))
        agree("purity", f"{what}, {text}", found[0], first.setdefault(name, kept[-1][2]), dtype=dtype, scale=scale)
    for text, array, copy in [*owned, *kept]:
        same_bits("purity", f"{what}, after other calls", {text: array}, {text: copy})


def assert_jacobian_dtype(
    jacobian: Jacobian, rng: np.random.Generator | None = None, *, matrix: Array | None = None, what: str = ""
) -> None:
    """Law 10 for a Jacobian: views have its dtype; of actions the wider dtype wins, with its full precision.

    Integers are up-cast to float64; complex numbers, objects and strings are refused.

    Parameters
    ----------
    jacobian : Jacobian
    rng : Generator, optional
    matrix : array_like, shape `jacobian.shape`, optional
        In C order and float64, also for a Jacobian in float32: what jvp and vjp of float64 arrays are held to.
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If a dtype is another, digits are lost, or what is no real number is taken.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_jacobian_dtype(softmax([[1.0, 2.0, 3.0]])[1])
    """
    rng, what, size = generator(rng), what or jacobian.structure, term_size(jacobian)
    twin = matrix.T if matrix is not None and isinstance(jacobian, Denominator) else matrix
    for name, view in _views(jacobian).items():
        if (found := view().dtype) != jacobian.dtype:
            fail("dtype", what, f"{name} has dtype {found}, the Jacobian {jacobian.dtype}")
    for name, action, shape in _actions(jacobian):
        for given in (np.float32, np.float64):
            x, joint = draw(rng, shape, given), np.result_type(given, jacobian.dtype)
            out, scale = action(x), size * largest(x)
            if type(out) is not np.ndarray or out.dtype != joint:
                kind = f"{type(out).__name__} of {getattr(out, 'dtype', 'no dtype')}"
                fail("dtype", what, f"{name} of {np.dtype(given)} is an {kind}, expected {joint}")
            text = f"{what}, {name} of {np.dtype(given)}"
            agree("dtype", text, out, action(x.astype(np.float64)), dtype=joint, scale=scale)
            if twin is not None and name in ("jvp", "vjp"):
                image = (twin if name == "jvp" else twin.T) @ x.reshape(-1)
                agree("dtype", text, out.reshape(-1), image, dtype=joint, scale=scale)
        integers = np.arange(math.prod(shape)).reshape(shape)
        same_bits(
            "dtype",
            f"{what}, integers and the same numbers in float64",
            {name: action(integers)},
            {name: action(integers.astype(np.float64))},
        )
        for kind in ("complex", "object", "str"):
            call = partial(action, integers.astype(kind))
            refused("dtype", what, f"{name} of {kind}", DTypeError, call, "expected real numbers")


def _views(jacobian: Jacobian) -> dict[str, Callable[[], Array]]:
    """Every view of a Jacobian that is an array, by what it is called."""
    views: dict[str, Callable[[], Array]] = {
        "to_dense('C')": lambda: jacobian.to_dense("C"),
        "to_dense('F')": lambda: jacobian.to_dense("F"),
        "to_sparse's data": lambda: jacobian.to_sparse("C").data,
        "row_norms": jacobian.row_norms,
        "gram": jacobian.gram,
    }
    if jacobian.shape[0] == jacobian.shape[1]:
        views["diagonal"] = lambda: jacobian.diagonal("C")
    if jacobian.codomain == ():
        views["gradient"] = lambda: jacobian.gradient
    return views


def _actions(jacobian: Jacobian) -> list[tuple[str, Callable[[Array], Array], Shape]]:
    """Every action of a Jacobian, with the shape that it takes."""
    rows, columns = jacobian.shape
    turned = jacobian.ordered("F")
    return [
        ("jvp", jacobian.jvp, jacobian.domain),
        ("jvp on a stack", jacobian.jvp, (2, *jacobian.domain)),
        ("vjp", jacobian.vjp, jacobian.codomain),
        ("vjp on a stack", jacobian.vjp, (2, *jacobian.codomain)),
        ("matvec", jacobian.matvec, (columns,)),
        ("rmatvec", jacobian.rmatvec, (rows,)),
        ("matmat", jacobian.matmat, (columns, 2)),
        ("rmatmat", jacobian.rmatmat, (rows, 2)),
        ("matmat in order F", turned.matmat, (columns, 2)),
        ("rmatmat in order F", turned.rmatmat, (rows, 2)),
    ]
