r"""Law 3: a Jacobian equals a numerical derivative that shares no code with it.

Central differences :math:`D(h) = (f(x + hu) - f(x - hu))/2h` have an error in even powers of h, so differences at
halved steps extrapolate to h = 0 (Richardson 1911; Ridders 1982, Adv. Eng. Softw. 4). Neighbours in the table of
extrapolations say how far each has come; for each entry of the output the one that differs least from its
neighbours, round-off included, is taken. Beside a kink that is one of the small steps, elsewhere one of the large.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_float
from jacobians.errors import DomainError
from jacobians.linops import Jacobian
from jacobians.operations import Loss
from jacobians.testing.compare import (
    ROUNDINGS,
    OperationLike,
    agree,
    as_arrays,
    called,
    draw,
    evaluate,
    fail,
    generator,
)

__all__ = ["assert_hessian", "assert_reference", "numerical_derivative"]

_HALVINGS = 9
_FIRST_STEP = 0.125
_SAFETY = 8.0
_RESOLVED = 1e-3


def numerical_derivative(function: Callable[[Array], Array], x: Array, direction: Array) -> tuple[Array, Array]:
    """Return the derivative of an array-valued function along a direction, and an estimate of its error.

    Parameters
    ----------
    function : callable
        From arrays like x to arrays. Where it raises `DomainError`, or is not finite, smaller steps are taken.
    x, direction : ndarray, of one shape
        float64.

    Returns
    -------
    derivative, error : ndarray, shaped like the function's value
        The error is truncation, estimated by neighbours in the table, plus round-off: four units of rounding of the
        values, and of x times the derivative, divided by the step.

    Examples
    --------
    >>> slope, error = numerical_derivative(np.sin, np.zeros(1), np.ones(1))
    >>> bool(abs(slope[0] - 1) < 1e-11), bool(error[0] < 1e-11)
    (True, True)
    """
    size = float(np.abs(direction).max(initial=0.0)) or 1.0
    step = _FIRST_STEP / size
    while (ends := _ends(function, x, step * direction)) is None:
        step /= 2.0
        if step * size < 1e-12:
            raise DomainError("numerical_derivative: the function is not finite on both sides of x, however near")
    table: list[Array] = []
    best, error = np.full_like(ends[0], np.nan), np.full_like(ends[0], np.inf)
    for i in range(_HALVINGS):
        ahead, behind = ends
        difference = (ahead - behind) / (2.0 * step)
        noise = np.maximum(np.abs(ahead), np.abs(behind)) / step
        noise = noise + np.abs(difference) * float(np.abs(x).max(initial=1.0)) / (step * size)
        noise *= 4.0 * np.finfo(np.float64).eps
        row = [difference]
        for k in range(i):
            power = 4.0 ** (k + 1)
            row.append((power * row[k] - table[k]) / (power - 1.0))
            spread = np.maximum(np.abs(row[k + 1] - row[k]), np.abs(row[k + 1] - table[k])) + noise
            better = spread < error
            best, error = np.where(better, row[k + 1], best), np.where(better, spread, error)
        table = row
        step /= 2.0
        nearer = _ends(function, x, step * direction)
        if nearer is None:
            break
        ends = nearer
    return best, error


def _ends(function: Callable[[Array], Array], x: Array, move: Array) -> tuple[Array, Array] | None:
    """The values ahead and behind, or None where one of them does not exist."""
    try:
        ahead, behind = np.asarray(function(x + move)), np.asarray(function(x - move))
    except DomainError:
        return None
    return (ahead, behind) if np.isfinite(ahead).all() and np.isfinite(behind).all() else None


def assert_reference(
    operation: OperationLike,
    arrays: Sequence[npt.ArrayLike],
    rng: np.random.Generator | None = None,
    *,
    directions: int = 2,
    coordinates: int = 24,
) -> None:
    """Law 3, reference: every J·t equals a numerical derivative that shares no code with the library.

    Central differences with Richardson extrapolation over nine halvings of the step, along random Gaussian
    directions and, for an input of few entries, along every coordinate. A row's error e changes J·u by less than
    t·‖e‖ with probability at most t·√(2/π), so a random direction misses nothing that matters. The operation is
    evaluated in float64 at the inputs given, whatever their dtype.

    A difference is allowed up to 8 × (truncation + round-off), both estimated as in `numerical_derivative`, plus 512
    units of rounding of the Jacobian's dtype at the size of J·t or of the value. Where the estimate exceeds 10⁻³ of
    the derivative and of 1, nothing can be said, and that fails too.

    Parameters
    ----------
    operation : callable
        Returns a value and its Jacobians, see `OperationLike`.
    arrays : sequence of array_like
        Its inputs, away from kinks.
    rng : Generator, optional
    directions : int
        Random directions for each input.
    coordinates : int
        Inputs of at most as many entries are also checked along each.

    Raises
    ------
    AssertionError
        If a derivative differs, or cannot be resolved.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_reference(softmax, [[[1.0, 2.0, 3.0]]])
    """
    rng, given = generator(rng), as_arrays(arrays)
    value, jacobians = evaluate("reference", operation, given)
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in given]
    for i, (name, jacobian) in enumerate(jacobians.items()):
        x = wide[i].astype(np.float64)

        def along(moved: Array, i: int = i) -> Array:
            return np.asarray(operation(*wide[:i], moved, *wide[i + 1 :])[0])

        ways = [(f"random direction {k}", draw(rng, x.shape)) for k in range(directions)]
        if x.size <= coordinates:
            ways += [(f"coordinate {tuple(map(int, place))}", _unit(x, place)) for place in np.ndindex(x.shape)]
        for label, direction in ways:
            what = f"{called(operation)} with respect to {name}, {label}"
            try:
                expected, error = numerical_derivative(along, x, direction)
            except DomainError as problem:
                fail("reference", what, str(problem))
            size = float(np.abs(value).max(initial=0.0))
            near_numerical(
                "reference", what, "J·t", jacobian.jvp(direction), expected, error, jacobian.dtype.type, size
            )


def _unit(x: Array, place: tuple[int, ...]) -> Array:
    out = np.zeros_like(x)
    out[place] = 1.0
    return out


def near_numerical(
    law: str,
    what: str,
    product: str,
    actual: Array,
    expected: Array,
    error: Array,
    dtype: type[np.floating],
    value_size: float,
) -> None:
    """Fail unless a product is a numerical derivative, within its error and rounding; see `assert_reference`."""
    size = float(np.abs(expected).max(initial=0.0))
    unresolved = ~(error <= _RESOLVED * max(size, 1.0))
    if unresolved.any():
        place = np.unravel_index(int(np.argmax(unresolved)), unresolved.shape)
        numbers = f"{expected[place]:.6g} is uncertain by {error[place]:.3g}"
        fail(law, what, f"the numerical derivative {numbers}: a kink, a pole or noise")
    rounding = ROUNDINGS * float(np.finfo(dtype).eps) * max(size, value_size)
    allowed = _SAFETY * error + rounding
    wrong = ~(np.abs(actual - expected) <= allowed)
    if wrong.any():
        place = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        fail(
            law,
            what,
            f"{product} is {actual[place]:.10g} at {tuple(int(i) for i in place)} of the output, the numerical "
            f"derivative {expected[place]:.10g} ± {error[place]:.2g} (allowed {allowed[place]:.3g})",
        )


def assert_hessian(loss: Loss, X: npt.ArrayLike, Y: npt.ArrayLike, rng: np.random.Generator | None = None) -> None:
    """Law 3, reference: `loss.hessian` is the numerical derivative of the loss's gradient, and its own transpose.

    Parameters
    ----------
    loss : Loss
        With any reduction and layout.
    X, Y : array_like
        Small, and away from kinks.
    rng : Generator, optional

    Raises
    ------
    AssertionError
        If it differs from the numerical derivative along a direction, or is not symmetric.

    Examples
    --------
    >>> from jacobians.operations import CrossEntropy
    >>> assert_hessian(CrossEntropy(), [[1.0, 2.0, 0.0], [0.5, 0.0, 1.0]], [0, 2])
    """
    rng = generator(rng)
    H = loss.hessian(X, Y)

    def gradient(X: Array) -> tuple[Array, Jacobian]:
        return loss.reduced(X, Y)[1].gradient, loss.hessian(X, Y)

    gradient.__name__ = f"the gradient of {loss.name}"
    assert_reference(gradient, [as_float(X, "X", "assert_hessian")], rng)
    direction = draw(rng, H.domain)
    agree(
        "one source",
        f"the second derivative of {loss.name}, H and Hᵀ",
        H.jvp(direction),
        H.vjp(direction),
        dtype=H.dtype,
    )
