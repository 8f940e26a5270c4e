"""Names and shapes of a network's parameters under a layout, and errors that name the likely mend.

Parameters are a ``dict[str, Array]``: layer k, counted from 1, has a weight such as ``W1`` and, where the
bias is separate, a bias ``b1``. `owner` is the convention's name, for the error texts.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_float, size_of
from jacobians.errors import ShapeError
from jacobians.layout import Layout

__all__ = ["Layers", "checked", "is_weight", "layer_sizes", "parameter_shapes", "store_layers", "take_layers"]

Layers: TypeAlias = list[tuple[Array, Array | None]]
"""For each layer its weight as (out, in), whatever the layout, and its bias as (out,) or None."""


def is_weight(name: str, weight_name: str) -> bool:
    """Whether a parameter is a weight, not a bias; "2.W1" is the first weight within layer 2."""
    return name.rpartition(".")[2].startswith(weight_name)


def parameter_shapes(layout: Layout, weight_name: str, sizes: Sequence[int], operation: str) -> dict[str, Shape]:
    """Return the shapes by name, in the order W1, b1, W2, b2, …

    Raises
    ------
    ShapeError
        If `sizes` is not two or more positive integers.
    """
    shapes: dict[str, Shape] = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(_widths(sizes, operation)), start=1):
        shapes[f"{weight_name}{layer}"] = layout.weight_shape(n_in, n_out)
        if layout.bias == "separate":
            shapes[f"b{layer}"] = layout.bias_shape(n_out)
    return shapes


def layer_sizes(params: Mapping[str, Array], layout: Layout, weight_name: str, owner: str) -> tuple[int, ...]:
    """Return the layers' widths, read from the weights' shapes.

    Raises
    ------
    ShapeError
        If there is no first weight, or one layer's outputs are not the next one's inputs.
    """
    widths: list[int] = []
    layer = 1
    while (name := f"{weight_name}{layer}") in params:
        shape = np.shape(params[name])
        if len(shape) != 2:
            raise ShapeError(f"sizes: {name} has shape {shape}; expected a matrix")
        n_out, width = shape if layout.weights == "rows" else shape[::-1]
        n_in = width - layout.absorbs_bias
        if widths and n_in != widths[-1]:
            raise ShapeError(
                f"sizes: layer {layer - 1} has {widths[-1]} nodes, but {name} of shape {shape} takes {n_in} inputs; "
                f"{owner} keeps the weights in {layout.weights}: are these in {_other(layout)}?"
            )
        widths += [n_out] if widths else [n_in, n_out]
        layer += 1
    if not widths:
        found = ", ".join(params) or "nothing"
        raise ShapeError(f"sizes: {owner} calls its first weight {weight_name}1; found {found}: rename or translate it")
    return _widths(widths, "sizes")


def checked(
    params: Mapping[str, npt.ArrayLike],
    expected: Mapping[str, Shape],
    layout: Layout,
    weight_name: str,
    owner: str,
    operation: str,
) -> dict[str, Array]:
    """Return the parameters as floating arrays in the order of `expected`, none of them copied needlessly.

    Raises
    ------
    ShapeError
        If a name or a shape differs from what is expected; the text says what would fit.
    """
    if params.keys() != expected.keys():
        raise ShapeError(
            f"{operation}: {owner} expects the parameters {', '.join(expected)}; found {', '.join(params) or 'nothing'}"
        )
    for name, shape in expected.items():
        found = np.shape(params[name])
        if found == shape:
            continue
        if is_weight(name, weight_name):
            line = "row" if layout.weights == "rows" else "column"
            keeps, mend = f"one node a {line}, bias {layout.bias}", _mend_weight(found, shape, layout)
        else:
            keeps = f"examples in {layout.batch}"
            mend = f"reshape({shape}) would fit" if size_of(found) == size_of(shape) else ""
        raise ShapeError(
            f"{operation}: {name} has shape {found}, {owner} keeps {keeps}: expected {shape}" + (mend and f"; {mend}")
        )
    return {name: as_float(params[name], name, operation) for name in expected}


def take_layers(params: Mapping[str, Array], layout: Layout, weight_name: str) -> Layers:
    """Return views of parameters that were checked, layer by layer, as (out, in) and (out,)."""
    layers: Layers = []
    layer = 1
    while (name := f"{weight_name}{layer}") in params:
        W = params[name] if layout.weights == "rows" else params[name].T
        match layout.bias:
            case "first":
                layers.append((W[:, 1:], W[:, 0]))
            case "last":
                layers.append((W[:, :-1], W[:, -1]))
            case "separate":
                layers.append((W, params[f"b{layer}"].reshape(-1)))
            case "none":
                layers.append((W, None))
        layer += 1
    return layers


def store_layers(layers: Layers, layout: Layout, weight_name: str) -> dict[str, Array]:
    """Return new arrays as the layout keeps them; a bias that it has no place for is dropped."""
    params: dict[str, Array] = {}
    for layer, (weight, bias) in enumerate(layers, start=1):
        W = weight
        if bias is not None and layout.absorbs_bias:
            column = bias[:, np.newaxis]
            W = np.hstack([column, weight] if layout.bias == "first" else [weight, column])
        params[f"{weight_name}{layer}"] = np.array(W if layout.weights == "rows" else W.T, order="C")
        if bias is not None and layout.bias == "separate":
            params[f"b{layer}"] = np.array(bias.reshape(layout.bias_shape(bias.size)), order="C")
    return params


def _mend_weight(found: Shape, expected: Shape, layout: Layout) -> str:
    if found == expected[::-1]:
        return f"its transpose would fit: are the weights in {_other(layout)}?"
    along = 1 if layout.weights == "rows" else 0  # the axis along which one node's weights lie
    line = ("row", "column")[along]
    if len(found) == 2 and found[1 - along] == expected[1 - along]:
        if layout.absorbs_bias and found[along] == expected[along] - 1:
            return f"the {layout.bias} {line}, which holds the bias, is missing"
        if not layout.absorbs_bias and found[along] == expected[along] + 1:
            return f"it has one {line} more: is the bias absorbed in it?"
    return ""


def _other(layout: Layout) -> str:
    return "columns" if layout.weights == "rows" else "rows"


def _widths(sizes: Sequence[int], operation: str) -> tuple[int, ...]:
    try:
        widths = tuple(operator.index(size) for size in sizes)
    except TypeError:
        widths = ()
    if len(widths) < 2 or min(widths) < 1:
        raise ShapeError(f"{operation}: sizes={sizes!r}; expected two or more widths of layers, such as (64, 25, 10)")
    return widths
