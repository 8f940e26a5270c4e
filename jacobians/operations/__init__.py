"""The operations: each returns its value and the structure of its Jacobians.

Each file lists its operations and functions in its `__all__`; this file only joins the lists.
"""

# ruff: noqa: F403

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from jacobians.arrays import kind_of
from jacobians.errors import LayoutError
from jacobians.operations import (
    activations,
    affine_maps,
    class_losses,
    combining,
    losses,
    losses_of_entries,
    losses_of_places,
    operation,
    powers,
    products,
    record,
    regularisers,
    shaping,
    smooth_rectifiers,
    softmaxes,
    weighted_loss,
)
from jacobians.operations.activations import *
from jacobians.operations.affine_maps import *
from jacobians.operations.class_losses import *
from jacobians.operations.combining import *
from jacobians.operations.losses import *
from jacobians.operations.losses_of_entries import *
from jacobians.operations.losses_of_places import *
from jacobians.operations.operation import *
from jacobians.operations.powers import *
from jacobians.operations.products import *
from jacobians.operations.record import *
from jacobians.operations.regularisers import *
from jacobians.operations.shaping import *
from jacobians.operations.smooth_rectifiers import *
from jacobians.operations.softmaxes import *
from jacobians.operations.weighted_loss import *
from jacobians.symbols.named_functions import Function

if not TYPE_CHECKING:  # type checkers add no lists up: without one they read the files' own
    __all__ = [
        *activations.__all__,
        *affine_maps.__all__,
        *class_losses.__all__,
        *combining.__all__,
        *losses.__all__,
        *losses_of_entries.__all__,
        *losses_of_places.__all__,
        *operation.__all__,
        *powers.__all__,
        *products.__all__,
        *record.__all__,
        *regularisers.__all__,
        *shaping.__all__,
        *smooth_rectifiers.__all__,
        *softmaxes.__all__,
        *weighted_loss.__all__,
    ]

_T = TypeVar("_T")


def _public(base: type, *modules: ModuleType) -> Iterator[Any]:
    """The public classes of some files that are a `base`, as they stand there."""
    for module in modules:
        for name, kind in vars(module).items():
            if name in module.__all__ and isinstance(kind, type) and issubclass(kind, base) and kind is not base:
                yield kind


ACTIVATIONS: dict[str, type[operation.Elementwise]] = {
    kind.own_name(): kind for kind in _public(operation.Elementwise, activations, smooth_rectifiers)
}
"""The activations of a network by name."""

_KINDS_OF_LOSSES = tuple(_public(losses.Loss, class_losses, losses, losses_of_entries, losses_of_places))

LOSSES: dict[str, type[losses.Loss]] = {str(kind.name): kind for kind in _KINDS_OF_LOSSES if kind.of_outputs}
"""The losses of a network's outputs by name, which is the name of the loss's function."""

_FOUND_BY_NAME = {str(kind.name): kind for kind in _KINDS_OF_LOSSES} | LOSSES
"""Those of probabilities and of their logarithms too, unless one of outputs has the same name."""

SHORT_NAMES = {
    "binary": "binary_cross_entropy",
    "squared": "squared_error",
    "hinge": "multiclass_hinge",
    "logistic": "logistic_loss",
}
"""What losses were called before they had the names of their functions."""


def full_name(loss: str) -> str:
    """Return a loss's name, given that or its short one."""
    return SHORT_NAMES.get(loss, loss)


def class_named_as(function: Any) -> str:
    """Return the name of the operation that a function of the same name evaluates; "" where there is none.

    Examples
    --------
    >>> class_named_as(leaky_relu), class_named_as(affine), class_named_as(print)
    ('LeakyReLU', 'Affine', '')
    """
    wanted = getattr(function, "__name__", "").replace("_", "").casefold()
    modules = (activations, smooth_rectifiers, affine_maps, combining, powers, products, shaping, softmaxes)
    kinds = _public(operation.Operation, *modules)
    return next((kind.__name__ for kind in kinds if kind.__name__.casefold() == wanted), "")


def find_activation(given: str | operation.Operation) -> operation.Operation:
    """Return an activation by name; an operation as it is.

    Raises
    ------
    LayoutError
        If the name is unknown.
    """
    return given if isinstance(given, operation.Operation) else _named(ACTIVATIONS, given, "activation")()


def find_loss(given: str | losses.Loss) -> losses.Loss:
    """Return a loss by name; a loss as it is.

    Raises
    ------
    LayoutError
        If the name is unknown.
    """
    if isinstance(given, losses.Loss):
        return given
    if given in SHORT_NAMES:
        new = full_name(given)
        told = f"loss={given!r} is called loss={new!r}, as its function is"
        warnings.warn(told, DeprecationWarning, stacklevel=_caller())
        given = new
    return _named(_FOUND_BY_NAME, given, "loss")()


def _caller() -> int:
    """The stack level of the first caller outside this package; a warning points at its line."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("jacobians."):
        frame, level = frame.f_back, level + 1
    return level


ELSEWHERE = {
    "swish": "silu",
    "logistic": "sigmoid",
    "logsig": "sigmoid",
    "tansig": "tanh",
    "poslin": "relu",
    "lrelu": "leaky_relu",
    "mse": "squared_error",
    "mean_squared_error": "squared_error",
    "l2": "squared_error",
    "ce": "cross_entropy",
    "nll": "cross_entropy",
    "log": "cross_entropy",
    "softmax": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "bce": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "svm": "multiclass_hinge",
    "multi_margin": "multiclass_hinge",
    "soft_margin": "logistic_loss",
}
"""What other libraries call an activation or a loss; an error's text names ours."""


def _named(choices: Mapping[str, _T], name: Any, what: str) -> _T:
    """What is called `name`, or LayoutError with the names there are and the nearest one."""
    if isinstance(name, str) and name in choices:
        return choices[name]
    near = _meant(choices, name if isinstance(name, str) else getattr(name, "__name__", ""))
    listed = f"choose one of {', '.join(choices)}"
    if isinstance(name, str):
        hint = f"; did you mean {near}?" if near else ""
        raise LayoutError(f"Network: {what} {name!r} is unknown; {listed}{hint}")
    made = isinstance(name, type) and issubclass(name, (operation.Operation, losses.Loss))
    instance = f"an instance, {name.__name__}(…)" if made else "an instance"
    hint = f"; did you mean {near!r}?" if near else ""
    raise LayoutError(
        f"Network: {what} is {kind_of(name)}, no name and no instance; pass {instance}, or a name: {listed}{hint}"
    )


def _meant(choices: Mapping[str, _T], name: str) -> str:
    """The choice that is spelt nearly so, or that other libraries call so; or none."""

    def plain(text: str) -> str:
        return re.sub(r"[\W_]", "", text).lower().removesuffix("loss")

    ours = {plain(choice): choice for choice in choices}
    others = {plain(other): choice for other, choice in (SHORT_NAMES | ELSEWHERE).items() if choice in choices}
    near = get_close_matches(plain(name), ours, n=1)
    return others.get(plain(name)) or (ours[near[0]] if near else "")


def textbook_functions() -> dict[str, Function]:
    """Return the functions that formulas may name, by their names in programs."""
    kinds = _public(operation.Elementwise, activations, smooth_rectifiers, powers)
    found = [kind.textbook_function(prime=prime) for kind in kinds for prime in (False, True)]
    tables = (softmaxes.SOFTMAX, softmaxes.LOG_SOFTMAX, class_losses.HINGE)
    found += [smooth_rectifiers.NORMAL_CDF, *(function for table in tables for function in table.values())]
    return {function.name: function for function in found if function}


if not TYPE_CHECKING:

    def __dir__() -> list[str]:
        return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
