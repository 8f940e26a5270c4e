"""`check_hessian`: a given Hessian, or its products with vectors, against the derivative of the gradient."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from jacobians.arrays import Array, kind_of, size_of
from jacobians.checking.check import check_jacobian
from jacobians.checking.hessian_slips import asymmetry, slips_of_any, slips_of_structure
from jacobians.checking.numerical import numerical_jacobian
from jacobians.checking.report import GradientCheck
from jacobians.errors import ArgumentError, LayoutError
from jacobians.first_tries import written
from jacobians.linops import Jacobian, Transposed
from jacobians.network import Network
from jacobians.network.made_up_inputs import sample_data
from jacobians.operations.hessian import Hessian

__all__ = ["check_hessian"]

_NAMED = 200
"""Most parameters up to which the whole numerical Hessian is taken, to say what a wrong one is."""

_ALIKE = 1e-4
"""Distance, relative to the Hessian, at which what is given is taken for a slip of it."""


@written("check_hessian(fun, hess, x)")
def check_hessian(
    fun: Callable[[Any], Any] | Network,
    hess: Callable[[Any], Any] | None = None,
    x: Any = None,
    *,
    hessp: Callable[[Any, Any], Any] | None = None,
    data: tuple[Any, Any] | None = None,
    directions: int | None = None,
    failure_probability: float = 1e-9,
    protocol: bool = True,
    complex_step: bool = True,
    seed: int = 0,
) -> GradientCheck:
    r"""Return whether `hess`, or `hessp`, is the second derivative of `fun` at x; see `check_gradient`.

    It is the Jacobian of the gradient, and checked as one by `check_jacobian`, with the same control of errors, the
    same verdicts, and kinks of the *gradient* counted as such. So the gradient is trusted: check it first. Up to 200
    parameters, the reasons name the slip behind a wrong Hessian if it is known: half or twice the Hessian, minus it,
    another multiple, one triangle of it, or not symmetric. For a network there are more: the Gauss–Newton matrix, no
    regulariser, no term of one operation, a transposed cross block, or parameters unrolled in the other order.
    `diagnose` with ``order=2`` names the same slips in a matrix.

    Parameters
    ----------
    fun : callable
        From an array like `x` to its gradient, or to ``(value, gradient)`` as `Network.fun_and_grad` returns them. Or a
        network: of its objective, whose own Hessian is checked unless one is given, by the packed parameters.
    hess : callable, optional
        From an array like `x` to the Hessian: a matrix (n, n), a SciPy sparse matrix or a `Jacobian`.
    x : ndarray
        Where to check; a network's parameters are drawn unless given.
    hessp : callable, optional
        In place of `hess`: from x and a vector to the product, as SciPy's minimisers take it.
    data : tuple, optional
        A network's inputs and targets, (X, Y); made up for a list of operations unless given.
    directions, failure_probability, protocol, complex_step, seed
        As in `check_gradient`.

    Returns
    -------
    GradientCheck

    Raises
    ------
    ArgumentError
        If there is no Hessian to check, or two; if x is missing.
    LayoutError
        If `data` are missing for a function of values.

    Notes
    -----
    Where a gradient jumps, as a ReLU net's does at its kinks, there is no second derivative, and every value between
    the one-sided ones passes.

    Examples
    --------
    >>> def fun(x):
    ...     return float(np.sum(x**4)), 4 * x**3
    >>> bool(check_hessian(fun, lambda x: np.diag(12 * x**2), np.array([1.0, 2.0])))
    True
    >>> bool(check_hessian(fun, hessp=lambda x, v: 12 * x**2 * v, x=np.array([1.0, 2.0])))
    True
    >>> check_hessian(fun, lambda x: np.diag(6 * x**2), np.array([1.0, 2.0])).reasons[-1]
    'it is ½ the Hessian'

    Of a network, its own:

    >>> bool(check_hessian(Network.dense((4, 3, 2), activation="tanh")))
    True
    """
    own: Callable[[Array], Jacobian] | None = None
    if isinstance(fun, Network):
        fun, own, x = _of_network(fun, x, data, seed)
        hess = own if hess is None and hessp is None else hess
    elif data is not None:
        raise ArgumentError("check_hessian: data are of a network; the function that was given knows its own")
    if (hess is None) == (hessp is None):
        given = "neither hess nor hessp is given" if hess is None else "both hess and hessp are given: leave one out"
        raise ArgumentError(f"check_hessian: {given}. The order is fun, hess, x")
    if x is None:
        raise ArgumentError("check_hessian: x is missing: the order is fun, hess, x")
    for name, function in (("fun", fun), ("hess", hessp if hess is None else hess)):
        if not callable(function):
            raise ArgumentError(
                f"check_hessian: {name} is {kind_of(function)}; expected a function of x. The order is fun, hess, x"
            )
    gradient = _gradient_of(fun)
    shape = np.shape(x)

    def matrix(at: Any) -> Any:
        return hess(at) if hess is not None else _ByProducts(hessp, np.array(at), shape)

    found = check_jacobian(
        gradient,
        matrix,
        x,
        directions=directions,
        failure_probability=failure_probability,
        protocol=protocol,
        complex_step=complex_step,
        seed=seed,
    )
    found = replace(found, of="Hessian")
    if found.verdict == "fail" and size_of(shape) <= _NAMED and found.parameters:
        said = _slip(matrix(np.array(x)), gradient, x, None if own is None else own(np.asarray(x)))
        found = replace(found, reasons=(*found.reasons, *said))
    return found


def _of_network(
    network: Network, x: Any, data: tuple[Any, Any] | None, seed: int
) -> tuple[Callable[[Any], Any], Callable[[Array], Jacobian], Any]:
    """A network's gradient and Hessian as functions of its packed parameters, and those at which they are checked."""
    if data is None and network.function is not None:
        raise LayoutError(
            f"check_hessian: {network!r} is a function of values, whose inputs have no known sizes; pass data=(X, Y)"
        )
    X, Y = sample_data(network, 5, seed)[1:] if data is None else data

    def own(theta: Array) -> Jacobian:
        return network.run(network.unpack(theta), X, Y).hessian()

    params = network.init(seed) if x is None else x
    theta = network.pack(params) if isinstance(params, dict) else params
    return network.fun_and_grad(X, Y), own, theta


def _gradient_of(fun: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def gradient(x: Any) -> Any:
        found = fun(x)
        pair = isinstance(found, tuple) and len(found) == 2
        grad = found[1] if pair else found
        if np.shape(grad) != np.shape(x):
            what = "a number alone: return (value, gradient), or the gradient" if np.ndim(grad) == 0 else kind_of(grad)
            raise TypeError(f"fun returned {what}; expected a gradient in x's shape, {np.shape(x)}")
        return grad

    return gradient


class _ByProducts(Jacobian):
    """A Hessian that is known by its products with vectors."""

    __slots__ = ("_at", "_product")

    def __init__(self, product: Any, at: Array, shape: tuple[int, ...]) -> None:
        self._product, self._at = product, at
        super().__init__(shape, shape, np.dtype(np.float64))

    def _jvp(self, tangent: Array) -> Array:
        return np.asarray(self._product(self._at, tangent))

    def _vjp(self, cotangent: Array) -> Array:
        return self._jvp(cotangent)

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    @property
    def structure(self) -> str:
        return "products"

    @property
    def flops(self) -> int:
        return size_of(self.shape)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return ()


def _slip(given: Any, gradient: Callable[[Any], Any], x: Any, own: Jacobian | None) -> list[str]:
    """The known slip that explains a wrong Hessian; `own` is a network's right one, for which more slips are known."""
    n = size_of(np.shape(x))
    true, errors = numerical_jacobian(gradient, x)
    true, sure = true.reshape(n, n), bool(np.isfinite(errors).all())
    if isinstance(given, _ByProducts):
        columns = [given._jvp(unit.reshape(np.shape(x))).ravel() for unit in np.eye(n)]
        dense = np.stack(columns, axis=1)
    else:
        dense = np.asarray(given.toarray() if hasattr(given, "toarray") else given, dtype=np.float64).reshape(n, n)
    size = float(np.abs(true).max(initial=0.0))
    if not sure or not size:
        return []
    slips = slips_of_any(true, float(np.vdot(dense, true) / np.vdot(true, true)))
    if isinstance(own, Hessian) and np.abs(own.to_dense() - true).max() <= _ALIKE * size:
        slips = itertools.chain(slips, slips_of_structure(own))
    near = next((slip.title for slip in slips if np.abs(dense - slip.matrix).max() <= _ALIKE * size), None)
    said = [asymmetry(dense, _ALIKE * size), "" if near is None else f"it is {near}"]
    return [words for words in said if words]
