"""What the laws share: evaluating an operation, comparing up to rounding, and failing with the numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, DType, Shape, counted
from jacobians.linops import Jacobian
from jacobians.operations import Operation

__all__ = [
    "ROUNDINGS",
    "Evaluated",
    "JacobiansLike",
    "OperationLike",
    "agree",
    "as_arrays",
    "called",
    "collect",
    "draw",
    "evaluate",
    "fail",
    "generator",
    "is_large",
    "largest",
    "refused",
    "same_bits",
    "term_size",
    "terms",
]

ROUNDINGS = 400
"""Units of rounding, of the coarsest dtype involved, by which two ways to one number may differ."""


_MOST_ENTRIES = 2_000_000


def is_large(jacobian: Jacobian) -> bool:
    """Return whether a Jacobian has so many entries, over two million, that laws probe it and write no matrix."""
    rows, columns = jacobian.shape
    return rows * columns > _MOST_ENTRIES


class JacobiansLike(Protocol):
    """Jacobians by input: iterates over the inputs' names in their order, as `Jacobians` and a dict do."""

    def __iter__(self) -> Iterator[str]: ...

    def __getitem__(self, name: str, /) -> Jacobian: ...


class OperationLike(Protocol):
    """What the laws run on: a callable of arrays that returns a value and its Jacobians.

    One Jacobian stands for the first input's; inputs that come after the Jacobians' have none (targets).
    """

    def __call__(self, *arrays: Any) -> tuple[Array, JacobiansLike | Jacobian]: ...


Evaluated: TypeAlias = tuple[Array, dict[str, Jacobian]]


def fail(law: str, what: str, text: str) -> NoReturn:
    """Raise the AssertionError of a law that is broken."""
    raise AssertionError(f"law {law}: {what}: {text}")


def refused(law: str, what: str, name: str, error: type[Exception], call: Callable[[], object], *parts: str) -> str:
    """Return the text of the error that a call raises. Fail where it raises none, or where the text lacks a part."""
    try:
        call()
    except error as caught:
        text = str(caught)
    else:
        fail(law, what, f"{name} is not refused; expected {error.__name__}")
    for part in parts:
        if part not in text:
            fail(law, what, f"{name} is refused, but {part!r} is not in {text!r}")
    return text


def generator(rng: np.random.Generator | None) -> np.random.Generator:
    """Return the generator given, or one with a fixed seed: the same call checks the same numbers."""
    return np.random.default_rng(0) if rng is None else rng


def called(operation: OperationLike) -> str:
    """Return what messages call the operation."""
    name = getattr(operation, "name", None) or getattr(operation, "__name__", None) or type(operation).__name__
    return "the operation" if name == "<lambda>" else str(name)


def as_arrays(arrays: Sequence[npt.ArrayLike]) -> list[Array]:
    """Return the inputs as new arrays in C order, so that no law writes to the caller's."""
    return [np.array(a, order="C") for a in arrays]


def evaluate(law: str, operation: OperationLike, arrays: Sequence[Array]) -> Evaluated:
    """Return value and Jacobians by name, in the order of the inputs, after checking that they fit each other."""
    return collect(law, operation, outcome(operation, arrays), arrays)


def outcome(operation: OperationLike, arrays: Sequence[Array]) -> tuple[Array, JacobiansLike | Jacobian]:
    """Return what an operation returns; an `Operation`'s Jacobians are not built yet, as they are in a chain."""
    return operation.evaluate(*arrays) if isinstance(operation, Operation) else operation(*arrays)


def collect(
    law: str, operation: OperationLike, result: tuple[Array, JacobiansLike | Jacobian], arrays: Sequence[Array]
) -> Evaluated:
    """Return what an operation returned as value and Jacobians by name; see `evaluate`."""
    what = called(operation)
    value, found = result
    if not isinstance(value, np.ndarray):
        fail(law, what, f"the value is a {type(value).__name__}, not an array; wrap it in np.asarray")
    jacobians = {"X": found} if isinstance(found, Jacobian) else {name: found[name] for name in found}
    if len(jacobians) > len(arrays):
        fail(law, what, f"{len(arrays)} inputs, but Jacobians with respect to {', '.join(jacobians)}")
    for (name, jacobian), array in zip(jacobians.items(), arrays, strict=False):
        if (jacobian.domain, jacobian.codomain) != (array.shape, value.shape):
            fail(
                law,
                f"{what} with respect to {name}",
                f"the Jacobian maps {jacobian.domain} to {jacobian.codomain}, not {array.shape} to {value.shape}",
            )
    return value, jacobians


def terms(jacobian: Jacobian) -> Array:
    """Return the numerator's matrix in C order from absolute values: |A||B| for A B, |A| + |B| for A + B.

    Rounding is proportional to these, and not to what is left where terms cancel.
    """
    numerator = jacobian.numerator
    # a structure whose arrays do not all enter it with a plus has at least its own entries
    return np.maximum(np.abs(numerator.to_dense("C")), numerator.positive(np.abs).to_dense("C"))


def term_size(jacobian: Jacobian) -> float:
    """Return the largest sum of absolute terms in an entry of J·t or Jᵀ·c, for t and c with entries up to 1."""
    if is_large(jacobian):
        positive = jacobian.numerator.positive(np.abs)
        return largest(positive.jvp(np.ones(positive.domain)), positive.vjp(np.ones(positive.codomain)))
    sizes = terms(jacobian)
    return float(max(sizes.sum(axis=0).max(initial=0.0), sizes.sum(axis=1).max(initial=0.0)))


def largest(*arrays: Array) -> float:
    """Return the size of the largest entry."""
    return max(float(np.abs(a).max(initial=0.0)) for a in arrays)


def draw(rng: np.random.Generator, shape: Shape, dtype: npt.DTypeLike = np.float64) -> Array:
    """Return a Gaussian array: every entry counts, and no structure survives by chance."""
    return np.asarray(rng.standard_normal(shape)).astype(dtype)


def agree(law: str, what: str, actual: Any, expected: Any, *, dtype: DType, scale: float = 0.0) -> None:
    """Fail unless shapes are equal and entries differ by `ROUNDINGS` units of `dtype`, at the entries' scale, or less.

    Parameters
    ----------
    law, what : str
        Begin the message.
    actual, expected : array_like
        Equal infinities agree; NaN agrees with nothing.
    dtype : dtype
        The coarsest dtype that the numbers went through.
    scale : float
        The size of the terms that were added; the largest entry of `expected` where that is larger.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        fail(law, what, f"shape {actual.shape}, expected {expected.shape}")
    # below the smallest normal number any product may come out as zero
    least, unit = float(np.finfo(dtype).tiny), float(np.finfo(dtype).eps)
    with np.errstate(invalid="ignore"):
        error = np.abs(actual - expected)
    if not error.size or error.max() <= max(ROUNDINGS * unit * scale, least):  # as nearly always
        return
    error = np.where(actual == expected, 0.0, error)
    allowed = max(ROUNDINGS * unit * max(scale, largest(expected[np.isfinite(expected)])), least)
    wrong = ~(error <= allowed)
    if wrong.any():
        worst = np.unravel_index(int(np.argmax(np.where(np.isnan(error), np.inf, error))), error.shape)
        at = f" at {tuple(int(i) for i in worst)}" if worst else ""
        numbers = f"{actual[worst]:.10g}, expected {expected[worst]:.10g}{at}"
        counts = f"{int(wrong.sum())} of {counted(error.size, 'entry differs', 'entries differ')}"
        fail(law, what, f"{numbers}: off by {error[worst]:.3g}, allowed {allowed:.3g} ({counts})")


def same_bits(law: str, what: str, actual: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    """Fail unless all arrays are bit for bit the same (NaN equals itself, 0 does not equal −0)."""
    for name, array in expected.items():
        other = actual[name]
        if other.dtype != array.dtype or other.shape != array.shape or other.tobytes() != array.tobytes():
            fail(law, what, f"{name} is not the same bit for bit: {_head(other)} and {_head(array)}")


def _head(array: Array) -> str:
    entries = ", ".join(f"{v:.10g}" for v in array.ravel()[:3].tolist())
    return f"{array.dtype} {array.shape} [{entries}{', …' if array.size > 3 else ''}]"
