"""Random weights by how many entries a node adds up: the rules of Glorot and He, and torch's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from jacobians.arrays import Array, Shape, as_array, inverse_axes, size_of
from jacobians.errors import ArgumentError

__all__ = ["Rule", "drawn_in_order", "drawn_weights", "is_scale"]

Rule: TypeAlias = Literal["glorot", "he", "torch"]
"""Uniform in ±√(6/(fan_in + fan_out)), as Keras has it; normal with variance 2/fan_in, for ReLUs; uniform in
±1/√fan_in, as torch has it."""


def drawn_in_order(shape: Shape, axes: Sequence[int], rng: np.random.Generator, rule: Rule, operation: str) -> Array:
    """Return random weights of a shape of which `axes` says where (out, in, places) stand; see `drawn_weights`.

    Examples
    --------
    >>> W = drawn_in_order((4, 3), (1, 0), np.random.default_rng(0), "he", "test")
    >>> bool((W.T == drawn_weights((3, 4), np.random.default_rng(0), "he", "test")).all())
    True
    """
    drawn = drawn_weights(tuple(shape[axis] for axis in axes), rng, rule, operation)
    return np.ascontiguousarray(drawn.transpose(inverse_axes(axes)))


def drawn_weights(shape: Shape, rng: np.random.Generator, rule: Rule, operation: str) -> Array:
    r"""Return random weights of shape (out, in, \*places), drawn for one node after another.

    Raises
    ------
    ArgumentError
        If the rule is unknown.

    Examples
    --------
    >>> W = drawn_weights((3, 4), np.random.default_rng(0), "glorot", "test")
    >>> W.shape, bool((abs(W) <= np.sqrt(6 / 7)).all())
    ((3, 4), True)
    """
    window = size_of(shape[2:])
    fan_in, fan_out = max(shape[1] * window, 1), shape[0] * window
    if rule == "he":
        return as_array(rng.normal(size=shape) * np.sqrt(2 / fan_in))
    if rule not in ("glorot", "torch"):
        raise ArgumentError(f"{operation}: rule={rule!r}; choose glorot, he or torch")
    bound = np.sqrt(6.0 / (fan_in + fan_out)) if rule == "glorot" else 1 / np.sqrt(fan_in)
    return as_array(rng.uniform(-bound, bound, size=shape))


_OF_NORMS = frozenset(["bn", "gn", "ln", "rms", "norm", "batchnorm", "groupnorm", "layernorm", "rmsnorm"])
_OF_SHIFTS = frozenset(["b", "beta", "bias", "offset", "shift"])


def is_scale(name: str) -> bool:
    """Whether a vector with this name is what a normalisation multiplies by.

    Nothing but the name says so before the network has run: gamma, scale, or g, which may have a number, or the weight
    of what is called a norm, as in torch's state dicts.

    Examples
    --------
    >>> [is_scale(name) for name in ("gamma2", "block.scale", "g1", "ln_1.weight", "LayerNorm_w")]
    [True, True, True, True, True]
    >>> [is_scale(name) for name in ("beta2", "b_g", "ln_1.bias", "w", "bn_b", "gate")]
    [False, False, False, False, False, False]
    """
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", name)]
    if not words or _OF_SHIFTS & {*words}:
        return False
    return words[-1].startswith(("gamma", "scale")) or words[-1] == "g" or bool(_OF_NORMS & {*words})
