"""`grad` and `jacobian` of a function: structured where it takes values, numerical where it takes arrays alone."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape, as_float, did_you_mean, kind_of
from jacobians.checking.numerical import numerical_jacobian
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value, values
from jacobians.linops import Dense, Jacobian

__all__ = ["NumericalDerivativeWarning", "grad", "jacobian"]


class NumericalDerivativeWarning(UserWarning):
    """A derivative is a numerical one, since the function does not take values of a graph."""


@written("grad(f)(x), or grad(f, wrt='x')(x)")
def grad(fun: Callable[..., Any], wrt: str | Sequence[str] | None = None) -> Callable[..., Any]:
    r"""Return the function whose value is the gradient of `fun`, in the shape of the argument.

    `fun` is called with values of a graph, see `jacobians.values`, and the gradient is one sweep back through its
    operations. A function that does not take them, such as one that calls another library, is given arrays; then the
    gradient is the checker's numerical reference, good to about ten digits in float64, and a warning says so.

    Parameters
    ----------
    fun : callable
        Returns one number.
    wrt : str or sequence of str, optional
        Names of its arguments; the first unless given.

    Returns
    -------
    callable
        Takes what `fun` takes. Returns an array, or a tuple of arrays where `wrt` is a sequence.

    Raises
    ------
    ArgumentError
        If `fun` has no argument of that name.

    See Also
    --------
    jacobian : of a function that returns an array.
    jacobians.check_gradient : compares a gradient of yours with that reference, and says how far it can see.

    Examples
    --------
    >>> import jacobians as jac
    >>> grad(lambda w: (w * w).sum())(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> def loss(W, b, X, Y):
    ...     return jac.cross_entropy(jac.affine(X, W, b), Y)
    >>> dW, db = grad(loss, wrt=("W", "b"))(np.zeros((4, 2)), np.zeros(2), np.eye(4), [0, 1, 1, 1])
    >>> db
    array([ 0.25, -0.25])
    """
    return _derivative_of(fun, wrt, "grad", _gradients)


@written("jacobian(f)(x), or jacobian(f, wrt='x')(x)")
def jacobian(fun: Callable[..., Any], wrt: str | Sequence[str] | None = None) -> Callable[..., Any]:
    r"""Return the function whose value is the Jacobian of `fun`, :math:`\partial f/\partial x`, as a structure.

    `fun` is called with values of a graph, see `jacobians.values`, and its Jacobian is the sum over all ways from the
    argument to the value. A function that does not take them is given arrays; then the Jacobian is the checker's
    numerical reference, a `Dense`, good to about ten digits in float64, and a warning says so.

    Parameters
    ----------
    fun : callable
        Returns one array.
    wrt : str or sequence of str, optional
        Names of its arguments; the first unless given.

    Returns
    -------
    callable
        Takes what `fun` takes. Returns a Jacobian, or a tuple of these where `wrt` is a sequence.

    Raises
    ------
    ArgumentError
        If `fun` has no argument of that name.

    Examples
    --------
    >>> import jacobians as jac
    >>> jacobian(lambda X, W: jac.tanh(X @ W), wrt="W")(np.ones((5, 4)), np.ones((4, 3)))
    Diagonal(5×3) @ Kronecker(5×4, I₃): 15×12 float64, (4, 3) → (5, 3), 280 B
    """
    return _derivative_of(fun, wrt, "jacobian", _jacobians)


_Found = Callable[[Value, tuple[str, ...]], tuple[Any, ...]]


def _gradients(result: Value, names: tuple[str, ...]) -> tuple[Array, ...]:
    return result.gradients(*names)


def _jacobians(result: Value, names: tuple[str, ...]) -> tuple[Jacobian, ...]:
    return tuple(map(result.jacobian, names))


def _derivative_of(
    fun: Callable[..., Any], wrt: str | Sequence[str] | None, operation: str, of_value: _Found
) -> Callable[..., Any]:
    signature = _signature(fun, operation)
    names = _names(fun, list(signature.parameters), wrt, operation)

    @wraps(fun)
    def derivative(*args: Any, **options: Any) -> Any:
        try:
            given = signature.bind(*args, **options)
        except TypeError as error:
            call = f"{operation}({_called(fun)})({', '.join(signature.parameters)})"
            raise ArgumentError(f"{operation}: {error}; write {call}") from None
        # the other defaults stay unsaid: NumPy's functions take some of them, but not all of them together
        given.arguments = {name: signature.parameters[name].default for name in names} | given.arguments
        arrays = {name: as_float(given.arguments[name], name, operation) for name in names}

        def called(changed: dict[str, Any]) -> Any:
            bound = inspect.BoundArguments(signature, {**given.arguments, **changed})
            return fun(*bound.args, **bound.kwargs)

        inputs = values(**arrays)
        result, why = _tried(lambda: called(dict(zip(names, inputs, strict=True))))
        if isinstance(result, Value) and not inputs[0].numbers_were_taken:
            _check_number(fun, operation, result.shape)
            found = of_value(result, names)
        else:
            if not why:
                is_value = isinstance(result, Value)
                why = "a number was taken out of a value" if is_value else f"it returned {kind_of(result)}"
            value = np.asarray(called(arrays))
            _check_number(fun, operation, value.shape)
            found = _numerical(fun, called, arrays, operation, why)
        return found[0] if wrt is None or isinstance(wrt, str) else found

    return derivative


def _tried(call: Callable[[], Any]) -> tuple[Any, str]:
    """What a call returns, or in words what it raised: a function of arrays may raise anything where values come."""
    try:
        return call(), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {str(error).partition('. ')[0]}"


def _numerical(
    fun: Callable[..., Any], called: Callable[..., Any], arrays: dict[str, Array], operation: str, why: str
) -> tuple[Any, ...]:
    matrix, errors = numerical_jacobian(called, arrays)
    codomain = matrix.shape[:-1]
    if not np.isfinite(errors).all():
        raise DomainError(f"{operation}: {_called(fun)} has no derivative here that differences of its values show")
    warnings.warn(
        f"{operation}: {_called(fun)} does not take values of a graph ({why}), so this is a numerical derivative, "
        f"with an estimated error of {errors.max(initial=0.0):.1g}. For an exact one, write it in NumPy's functions "
        "and the library's, such as jac.tanh",
        NumericalDerivativeWarning,
        stacklevel=3,
    )
    found, start = [], 0
    for array in arrays.values():
        block = matrix[..., start : start + array.size].reshape(codomain + array.shape).astype(array.dtype)
        found.append(block if operation == "grad" else Dense(block, codomain))
        start += array.size
    return tuple(found)


def _check_number(fun: Callable[..., Any], operation: str, shape: Shape) -> None:
    if operation == "grad" and shape != ():
        raise ShapeError(
            f"grad: {_called(fun)} returns an array of shape {shape}, and a gradient is that of one number; return its "
            "sum or its mean, or take jac.jacobian(f)"
        )


def _signature(fun: Callable[..., Any], operation: str) -> inspect.Signature:
    """The arguments of a function; of NumPy's own, which older releases do not say, the arrays alone."""
    if not callable(fun):
        raise ArgumentError(f"{operation}: {kind_of(fun)} is no function; write {operation}(f)(x)")
    try:
        return inspect.signature(fun)
    except ValueError:
        if not isinstance(fun, np.ufunc):
            name = _called(fun)
            raise ArgumentError(
                f"{operation}: {name} does not say what arguments it takes; wrap it: lambda x: {name}(x)"
            ) from None
    names = ["x"] if fun.nin == 1 else [f"x{number}" for number in range(1, fun.nin + 1)]
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names])


def _names(fun: Callable[..., Any], known: list[str], wrt: Any, operation: str) -> tuple[str, ...]:
    if not known:
        raise ArgumentError(f"{operation}: {_called(fun)} has no argument")
    if isinstance(wrt, int):
        meant = f": wrt={known[wrt]!r}" if -len(known) <= wrt < len(known) else f"; it has {', '.join(known)}"
        raise ArgumentError(f"{operation}: wrt is the number {wrt}; name the argument of {_called(fun)}{meant}")
    names = (known[0],) if wrt is None else (wrt,) if isinstance(wrt, str) else wrt
    if not isinstance(names, (tuple, list)):
        raise ArgumentError(f"{operation}: wrt is {kind_of(wrt)}; what it is taken at comes after: {operation}(f)(x)")
    names = tuple(names)
    for name in names:
        if name not in known:
            raise ArgumentError(
                f"{operation}: {_called(fun)} has no argument {name!r}; it has {', '.join(known)}"
                f"{did_you_mean(str(name), known)}"
            )
    return names


def _called(fun: Callable[..., Any]) -> str:
    return getattr(fun, "__name__", type(fun).__name__)
