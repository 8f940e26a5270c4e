"""A network's parameters by name: whether they are those that a layout has, and errors that name the likely mend.

Parameters are a ``dict[str, Array]``: layer k, counted from 1, has a weight such as ``W1`` and, where the
bias is separate, a bias ``b1``. `owner` is the convention's name, for the error texts.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.array_names import ArrayNames
from jacobians.arrays import Array, Shape, as_float, kind_of, leaves_of, size_of
from jacobians.errors import ArgumentError, ShapeError
from jacobians.layout import Layout

__all__ = ["Layers", "checked", "layer_widths", "refuse_unnamed"]


Layers: TypeAlias = list[tuple[Array, Array | None]]
"""For each layer its weight as (out, in), whatever the layout, and its bias as (out,) or None."""


def refuse_unnamed(
    params: Any,
    expected: Mapping[str, Shape],
    layout: Layout,
    names: ArrayNames,
    owner: str,
    operation: str,
    called: str = "params",
) -> None:
    """Raise ArgumentError unless parameters came as a dict by name; the text says how those given become one.

    Parameters
    ----------
    params : Any
    expected : dict of tuple
        Shapes by name; empty where they are not known.
    layout : Layout
    names : ArrayNames
    owner, operation : str
    called : str
        What the argument is called.
    """
    estimator = hasattr(params, "coefs_")
    if isinstance(params, Mapping) and "coefs_" not in params:
        return
    mend = "are two arguments in each other's place? The order is params, X, Y"
    if estimator or isinstance(params, Mapping):
        coefs, intercepts = (f"{called}.{n}" if estimator else f"{called}[{n!r}]" for n in ("coefs_", "intercepts_"))
        mend = (
            f"{{f'W{{k}}': W for k, W in enumerate({coefs}, 1)}} | "
            f"{{f'b{{k}}': b for k, b in enumerate({intercepts}, 1)}} is one"
        )
        as_sklearn = (layout.weights, layout.bias, layout.batch) == ("columns", "separate", "rows")
        if not as_sklearn or names.of("weight", 1) != "W1":
            mend += f" in sklearn-mlp; translate_parameters(…, 'sklearn-mlp', {owner!r}) moves it"
    elif isinstance(params, (list, tuple)):
        mend = _named_list(params, expected, names, called)
    elif isinstance(params, np.ndarray) and expected and params.shape == (sum(map(size_of, expected.values())),):
        mend = f"it is as long as a packed vector: net.unpack({called})"
    listed = ", ".join(expected) or f"{names.of('weight', 1)}, …"
    raise ArgumentError(f"{operation}: {called} is {kind_of(params)}; {owner} expects a dict of {listed}: {mend}")


def _named_list(params: Sequence[Any], expected: Mapping[str, Shape], words: ArrayNames, called: str) -> str:
    """How a list of arrays becomes a dict: in the order of the layers, or weights before biases, as the shapes tell."""
    arrays = [array for _, array in leaves_of(params)]
    if len(arrays) != len(expected):
        return f"it holds {len(arrays)} arrays; give each its name" + f", {len(expected)} are expected" * bool(expected)
    shapes = [np.shape(array) for array in arrays]
    orders = (list(expected), sorted(expected, key=lambda name: not words.is_weight(name)))
    names = next((names for names in orders if shapes == [expected[name] for name in names]), orders[0])
    given = called if len(arrays) == len(params) else f"[array for part in {called} for array in part]"
    return f"dict(zip({names}, {given}))"


def checked(
    params: Mapping[str, npt.ArrayLike],
    expected: Mapping[str, Shape],
    layout: Layout,
    names: ArrayNames,
    owner: str,
    operation: str,
    *,
    are_gradients: bool = False,
) -> dict[str, Array]:
    """Return the parameters as floating arrays in the order of `expected`, none of them copied needlessly.

    A separate bias may have any shape that `affine` takes: (out,), and (1, out) or (out, 1) as the batch lies. If they
    are gradients, by the parameters' names, the errors say so.

    Raises
    ------
    ArgumentError
        If the parameters did not come as a dict by name.
    ShapeError
        If a name or a shape differs from what is expected; the text says what would fit.
    """
    if type(params) is not dict or "coefs_" in params:
        refuse_unnamed(params, expected, layout, names, owner, operation)
    if params.keys() != expected.keys():
        what = "gradients of" if are_gradients else "parameters"
        raise ShapeError(
            f"{operation}: {owner} expects the {what} {', '.join(expected)}; found {', '.join(params) or 'nothing'}"
        )
    arrays: dict[str, Array] = {}
    for name, shape in expected.items():
        given = params[name]
        found = given.shape if type(given) is np.ndarray else np.shape(given)
        if found == shape or (_is_matrix_bias(found, shape, layout) and not names.is_weight(name)):
            arrays[name] = as_float(given, name, operation)
            continue
        if names.is_weight(name):
            line = "row" if layout.weights == "rows" else "column"
            keeps, mend = f"one node a {line}, bias {layout.bias}", _mend_weight(found, shape, layout)
        else:
            keeps = f"examples in {layout.batch}"
            mend = f"reshape({shape}) would fit" if size_of(found) == size_of(shape) else ""
        what = f"the gradient of {name}" if are_gradients else name
        raise ShapeError(
            f"{operation}: {what} has shape {found}, {owner} keeps {keeps}: expected {shape}" + (mend and f"; {mend}")
        )
    return arrays


def _is_matrix_bias(found: Shape, expected: Shape, layout: Layout) -> bool:
    """Whether it is a bias as `affine` takes it too: (1, out) for a batch in rows; (out,) for one in columns."""
    if layout.bias != "separate":
        return False
    return found == ((1, *expected) if layout.batch == "rows" else expected[:1])


def _mend_weight(found: Shape, expected: Shape, layout: Layout) -> str:
    if found == expected[::-1]:
        return f"its transpose would fit: are the weights in {other_weights(layout)}?"
    along = layout.node_axis
    line = ("row", "column")[along]
    if len(found) == 2 and found[1 - along] == expected[1 - along]:
        if layout.absorbs_bias and found[along] == expected[along] - 1:
            return f"the {layout.bias} {line}, which holds the bias, is missing"
        if not layout.absorbs_bias and found[along] == expected[along] + 1:
            return f"it has one {line} more: is the bias absorbed in it?"
    return ""


def other_weights(layout: Layout) -> str:
    """Return how weights lie in the layout with the other choice."""
    return "columns" if layout.weights == "rows" else "rows"


def layer_widths(sizes: Sequence[int], operation: str) -> tuple[int, ...]:
    """Return widths of layers, of which there are two or more, each a positive integer."""
    try:
        widths = tuple(operator.index(size) for size in sizes)
    except TypeError:
        widths = ()
    if len(widths) < 2 or min(widths) < 1:
        raise ShapeError(f"{operation}: sizes={sizes!r}; expected two or more widths of layers, such as (64, 25, 10)")
    return widths
