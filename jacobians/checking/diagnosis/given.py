"""The gradient that was handed over: a dict or a packed vector, in the network's layout or in another one's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_float, size_of
from jacobians.checking.diagnosis.mutations.backward import Gradients
from jacobians.checking.diagnosis.mutations.preset import other_layouts
from jacobians.checking.diagnosis.mutations.setting import Setting
from jacobians.conventions import Convention
from jacobians.errors import JacobiansError, ShapeError
from jacobians.parameters import checked
from jacobians.translate import translate_gradients

__all__ = ["Given", "readings"]

_PRECISIONS = ((np.float16, 2e-2), (np.float32, 4e-6))
"""Storage dtypes narrower than float64, and what rounding in them may do to a gradient."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """One way to read what was handed over.

    Attributes
    ----------
    gradients : dict of ndarray
        float64, in the network's own names, shapes and layout.
    layout : Convention or None
        The preset in whose layout it came, if not in the network's.
    layout_names : str
        The presets that share it.
    turned : tuple of str
        Parameters that came transposed.
    notes : tuple of str
    precision : {"float16", "float32"} or None
        The narrower dtype that holds every entry exactly.
    tolerance : float
        What rounding may do to each parameter's gradient, relative to its norm.
    """

    gradients: Gradients
    layout: Convention | None = None
    layout_names: str = ""
    turned: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    precision: str | None = None
    tolerance: float = 1e-10


def readings(gradient: Mapping[str, npt.ArrayLike] | npt.ArrayLike, setting: Setting) -> list[Given]:
    """Return the ways to read a gradient, the network's own layout first.

    Raises
    ------
    ShapeError
        If its shapes fit neither the network's layout, nor any preset's, nor a transpose.
    DTypeError
        If its entries are no real numbers.
    """
    own = setting.network.convention
    shapes = {name: p.shape for name, p in setting.params.items()}
    if not isinstance(gradient, Mapping):
        return [_with_precision(_unpacked(as_float(gradient, "gradient", "diagnose"), setting))]
    arrays = {name: as_float(g, name, "diagnose") for name, g in gradient.items()}
    if arrays.keys() == shapes.keys() and all(arrays[n].shape == s for n, s in shapes.items()):
        return [_with_precision({n: arrays[n] for n in shapes})]
    if arrays.keys() == shapes.keys() and all(_squeezed(arrays[n].shape) == _squeezed(s) for n, s in shapes.items()):
        note = "; ".join(f"{n} came as {arrays[n].shape}, not {s}" for n, s in shapes.items() if arrays[n].shape != s)
        return [_with_precision({n: arrays[n].reshape(s) for n, s in shapes.items()}, notes=(note,))]
    found = []
    for other, names in other_layouts(own):
        try:
            # the widths are read from the given shapes; they must lead to this network's shapes
            moved = translate_gradients(arrays, other, own)
        except JacobiansError:
            continue
        if {n: g.shape for n, g in moved.items()} == shapes:
            found.append(_with_precision(moved, layout=other, layout_names=names))
    turned = tuple(n for n, s in shapes.items() if n in arrays and arrays[n].shape == s[::-1] != s)
    rest_fits = arrays.keys() == shapes.keys() and all(
        arrays[n].shape == s for n, s in shapes.items() if n not in turned
    )
    if turned and rest_fits:
        found.append(_with_precision({n: arrays[n].T if n in turned else arrays[n] for n in shapes}, turned=turned))
    if not found:
        _refuse(arrays, shapes, setting)
    return found


def _unpacked(vector: Array, setting: Setting) -> Gradients:
    network, own = setting.network, setting.network.convention
    total = sum(p.size for p in setting.params.values())
    if vector.size == total and vector.ndim <= 2 and total in vector.shape:
        return network.unpack(vector.reshape(total))
    hints = []
    for other, names in other_layouts(own):
        try:
            size = sum(map(size_of, other.shapes(own.sizes(setting.params)).values()))
        except JacobiansError:
            continue
        if size == vector.size:
            hints.append(names)
    fits = f"; as many as {' or '.join(hints[:2])} packs" if hints else ""
    if vector.ndim > 1:
        fits += "; an array is read as a packed vector: pass a dict by parameter name for separate arrays"
    raise ShapeError(
        f"diagnose: the gradient has shape {vector.shape}, {own.name} packs {total} parameters "
        f"({', '.join(f'{n} {p.shape}' for n, p in setting.params.items())}): expected ({total},){fits}"
    )


def _refuse(arrays: Gradients, shapes: Mapping[str, Shape], setting: Setting) -> None:
    """Raise the error that says which shapes are expected, and what would fit."""
    own = setting.network.convention
    listed = ", ".join(f"{n} {s}" for n, s in shapes.items())
    found = ", ".join(f"{n} {a.shape}" for n, a in arrays.items()) or "nothing"
    hint = ""
    for layer in setting.layers:
        have, want = arrays.get(layer.weight, np.zeros(0)).shape, shapes[layer.weight]
        more = tuple(s + (i == 1 - layer.axis) for i, s in enumerate(want))
        if have == more:
            hint = f"; {layer.weight} has one node more: is δ₀, the derivative by the ones, kept in δ?"
        bias = arrays.get(layer.bias or "", np.zeros(0)).shape
        if layer.bias and len(bias) == 2 and bias[0] == bias[1] == setting.count:
            hint = f"; {layer.bias} is N×N: was (N, 1) − (N,) broadcast?"
        if layer.bias and bias in {
            (setting.count, size_of(shapes[layer.bias])),
            (size_of(shapes[layer.bias]), setting.count),
        }:
            hint = f"; {layer.bias} has one entry for each example: sum over the examples"
        if layer.bias and bias == () and size_of(shapes[layer.bias]) > 1:
            hint = f"; {layer.bias} is one number: sum over the examples only, not over all axes"
    try:
        checked(arrays, shapes, own.layout, own.weight_name, own.name, "diagnose")
    except ShapeError as error:
        text = f"{error}{hint}".rstrip("?")
        raise ShapeError(f"{text}; {own.name} expects {listed}, found {found}, and no preset's layout fits") from None


def _squeezed(shape: Shape) -> Shape:
    return tuple(s for s in shape if s != 1)


def _with_precision(
    gradients: Gradients,
    layout: Convention | None = None,
    layout_names: str = "",
    turned: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Given:
    arrays = {name: g.astype(np.float64) for name, g in gradients.items()}
    precision, tolerance = None, 1e-10
    for dtype, allowed in _PRECISIONS:
        with np.errstate(all="ignore"):
            if all(np.array_equal(g, g.astype(dtype).astype(np.float64), equal_nan=True) for g in arrays.values()):
                precision, tolerance = np.dtype(dtype).name, allowed
                break
    return Given(arrays, layout, layout_names, turned, notes, precision, tolerance)
