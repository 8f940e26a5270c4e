"""The role that a name in a file has in a convention: "weight:2" for Theta2, "bias-gradient:1" for grads["db1"]."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jacobians.arrays import Array, Shape, size_of
from jacobians.conventions import Convention

__all__ = ["STATED", "RolesOfNames", "is_vector"]

STATED = "convention"
"""The name of the entry in which a file says its convention."""

_GRADIENTS = (r"d_?(.+)", r"grad(?:ient)?_?(.+)", r"(.+?)_?grad(?:ient)?")
"""How a gradient is named after its parameter: dW1, grad_W1, W1_grad, W1grad, W1_gradient."""

_GRADIENT_GROUPS = ("grad", "grads", "gradient", "gradients")
"""What a dict of gradients is called: grads["W1"] or grads["dW1"]."""

_MODULE = re.compile(r"((?:grads?|gradients?)\.)?(?:(.+)[._])?(weight|bias)([._]?grad(?:ient)?)?", re.IGNORECASE)
"""A module's array, as in a state dict of PyTorch: fc1.weight, layers.0.bias, and its gradient fc1.weight.grad."""

_USUAL: dict[str, str] = {
    **dict.fromkeys(("x", "examples"), "input"),
    **dict.fromkeys(("y", "labels", "t", "targets"), "target"),
    **dict.fromkeys(("lambda", "lambda_", "lambd", "lmbda", "lam", "reg", "alpha"), "strength"),
    **dict.fromkeys(("j", "cost", "loss"), "cost"),
    **dict.fromkeys(("nn_params", "initial_nn_params", "params", "theta"), "packed"),
    **dict.fromkeys(("grad", "grads", "gradient"), "packed-gradient"),
    **dict.fromkeys(("m", "n"), "count"),
    "learning_rate": "rate",
    STATED: STATED,
    **{"input_layer_size": "width:0", "hidden_layer_size": "width:1", "num_labels": "width:-1"},
}
"""Names that mean the same in every course, in lower case, and their roles; a width is a layer's."""

_LISTS = {"coefs": "weight", "weights": "weight", "intercepts": "bias", "biases": "bias"}
"""Lists with one array a layer, whose members are called coefs_0, coefs_1 or, in a cell array, coefs_.1, coefs_.2."""

_GRADIENT_LISTS = {"nabla_w": "weights", "nabla_b": "biases", "coef_grads": "coefs", "intercept_grads": "intercepts"}
"""Lists of gradients, and the lists that they are of."""


class RolesOfNames:
    """The roles of a file's names.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        By the names of the file.
    convention : Convention
    chosen : mapping of str to str or None
        Names that the user gave to a role, "input" or "target".

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.presets import convention
    >>> file = {"Theta2": np.ones((3, 5)), "grads['Theta2']": np.ones((3, 5)), "lambda": np.ones(()), "V": np.ones(2)}
    >>> roles = RolesOfNames(file, convention("ng-ml-2011"), {})
    >>> [roles.role(name) for name in file]
    ['weight:2', 'weight-gradient:2', 'strength', None]
    """

    def __init__(self, arrays: Mapping[str, Array], convention: Convention, chosen: Mapping[str, str | None]) -> None:
        self.arrays, self.convention, self.chosen = arrays, convention, chosen
        self.modules = self._modules()

    def role(self, name: str) -> str | None:
        """Return the role of an array, or None for a name that no course uses."""
        for chosen in self.chosen:
            if name == self.chosen[chosen]:
                return chosen
        if name.startswith("_"):
            return None
        module = self._module(name)
        if module is not None:
            return module
        *groups, base = re.split(r"[./]", _dotted(name))
        groups = [group.casefold() for group in groups]
        group = groups[-1] if groups else ""
        if any(group in _GRADIENT_GROUPS for group in groups):
            parameter = self._parameter(base, group) or self._parameter(re.sub("^d_?", "", base), group)
            return None if parameter is None else parameter.replace(":", "-gradient:")
        parameter = self._parameter(base, group)
        if parameter is not None:
            return parameter
        role: str | None = self.convention.names.aliases.get(base) or _USUAL.get(base.casefold())
        if role == "count" and base not in ("m", "N"):
            role = None
        if role is not None and self.chosen.get(role) is None:
            return self._by_shape(role, name)
        for pattern in _GRADIENTS:
            match = re.fullmatch(pattern, base, re.IGNORECASE)
            inner = self._parameter(match[1], group) if match else None
            if inner is not None:
                return inner.replace(":", "-gradient:")
            if match and _USUAL.get(match[1].casefold()) == "packed":
                return "packed-gradient"
        return None

    def _modules(self) -> dict[str, int]:
        """The layer of each module with a matrix of weights, in the file's order."""
        found: dict[str, int] = {}
        for name, array in self.arrays.items():
            match = _MODULE.fullmatch(_dotted(name))
            if match and match[3].casefold() == "weight" and not (match[1] or match[4]) and array.ndim == 2:
                found.setdefault(match[2] or "", len(found) + 1)
        return found

    def _module(self, name: str) -> str | None:
        """The role of a module's array."""
        match = _MODULE.fullmatch(_dotted(name))
        layer = match and self.modules.get(match[2] or "")
        if not match or not layer:
            return None
        return f"{match[3].casefold()}{'-gradient' * bool(match[1] or match[4])}:{layer}"

    def _by_shape(self, role: str, name: str) -> str:
        """θ is a vector, packed, or the matrix of a single layer."""
        matrix = not is_vector(self.arrays[name].shape)
        lone = {"packed": "weight:1", "packed-gradient": "weight-gradient:1"}
        if role in lone and matrix:
            return lone[role]
        return "packed" if role == "weight:1" and not matrix else role

    def _parameter(self, base: str, group: str) -> str | None:
        """The role, such as "weight:2" for Theta2 and "bias:1" for b; None for what the convention does not know."""
        match = re.fullmatch(r"([^\W\d]*?)_*(\d*)", base)
        if match is None:
            return None
        stem, number = match[1].casefold(), match[2]
        listed = _LISTS.get(stem.strip("_") or group.strip("_"))
        if listed and number:
            return f"{listed}:{int(number) + self._from_zero}"
        weights = {self.convention.names.weight.partition("{")[0].casefold()}
        if stem in weights | {f"all_{weight}" for weight in weights}:
            if not number and "theta" in weights and is_vector(self._shape(base)):
                return None  # θ: packed
            return f"weight:{int(number or 1)}"
        biases = {"b", self.convention.names.bias.partition("{")[0].casefold()}
        return f"bias:{int(number or 1)}" if stem in biases else None

    def _shape(self, base: str) -> Shape:
        return next((array.shape for name, array in self.arrays.items() if _dotted(name).endswith(base)), ())

    @property
    def _from_zero(self) -> int:
        """1 where the members of a list are counted from 0."""
        return int(any(re.search(r"(^|\.)(coefs|weights)_*\.?0$", _dotted(name)) for name in self.arrays))


def _dotted(name: str) -> str:
    """A name as it is read: params.W1 for params["W1"], coefs_.0 for coefs_[0], grads.weights_0 for nabla_w_0."""
    name = re.sub(r"""\[\s*['"]?([^]'"]*)['"]?\s*\]""", r".\1", name)
    for gradients, of in _GRADIENT_LISTS.items():
        if re.match(rf"{gradients}(?![^\W\d_])", name):
            return f"grads.{of}{name.removeprefix(gradients)}"
    return name


def is_vector(shape: Shape) -> bool:
    """Return whether all entries lie along one axis."""
    return size_of(shape) == max(shape, default=1)
