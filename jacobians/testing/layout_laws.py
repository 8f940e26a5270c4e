"""Law 6: the layout is data. Translate the inputs, differentiate, translate back: the same gradient."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from typing import get_args

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, size_of
from jacobians.conventions import Convention
from jacobians.errors import JacobiansError
from jacobians.layout import Bias, Derivative, Layout, Lines, Order, unvec, vec
from jacobians.linops import Jacobian
from jacobians.testing.compare import (
    OperationLike,
    agree,
    as_arrays,
    called,
    draw,
    evaluate,
    fail,
    generator,
    largest,
    term_size,
)
from jacobians.testing.jacobian_laws import gradient_of
from jacobians.translate import translate_batch, translate_gradients, translate_jacobian, translate_parameters

__all__ = ["assert_layouts", "every_layout"]

Parameters = dict[str, Array]


def every_layout(like: Layout | None = None) -> list[Layout]:
    """Return all 64 layouts; or those into which parameters of one layout translate: 16 without bias, 48 with.

    Examples
    --------
    >>> len(every_layout()), len(every_layout(Layout()))
    (64, 48)
    """
    choices = map(get_args, (Lines, Lines, Bias, Order, Derivative))
    layouts = [Layout(*choice) for choice in itertools.product(*choices)]
    return [t for t in layouts if like is None or (t.bias == "none") == (like.bias == "none")]


def assert_layouts(
    make: Callable[[Layout], OperationLike],
    X: npt.ArrayLike,
    parameters: Mapping[str, npt.ArrayLike] | None = None,
    rng: np.random.Generator | None = None,
    *,
    source: Layout | None = None,
    targets: Iterable[Layout] | None = None,
) -> None:
    """Law 6, layouts: translate the inputs to each other layout, differentiate, translate back: the same gradient.

    So are the value, and the Jacobians' matrices, whose rows and columns move with the vec order and change places
    with the derivative layout. Gradients are taken through ``@``, in the order that the derivative layout asks for.

    Parameters
    ----------
    make : callable
        From a layout to the operation in it; its inputs are a batch, and the parameters in the order of their names.
    X : array_like
        The batch in the source layout. A value that is a matrix is a batch too.
    parameters : mapping of array_like, optional
        Weights, named W, W1, … or with such a name after a dot, and, where the source keeps them separate, biases,
        each named as its weight with b for W.
    rng : Generator, optional
    source : Layout, optional
        The layout of the arrays given.
    targets : iterable of Layout, optional
        `every_layout` with a bias or without one, as the source has it, unless given.

    Raises
    ------
    AssertionError
        If value, gradients or matrices differ after translation, or the operation refuses the translated inputs.

    Examples
    --------
    >>> from jacobians.operations import Affine
    >>> assert_layouts(Affine, np.ones((4, 3)), {"W": np.ones((3, 2)), "b": np.zeros(2)})
    """
    source = source or Layout()
    here = _Side(
        make,
        source,
        as_array(X, "X", "assert_layouts"),
        dict(zip(parameters, as_arrays([*parameters.values()]), strict=True)) if parameters else {},
    )
    cotangent = draw(generator(rng), here.value.shape, here.value.dtype)
    expected = here.gradients(cotangent)
    for target in every_layout(source) if targets is None else targets:
        try:
            _compare(make, here, target, cotangent, expected)
        except JacobiansError as error:
            fail("layouts", f"from {source} to {target}", f"{type(error).__name__}: {error}")


def _compare(
    make: Callable[[Layout], OperationLike], here: _Side, target: Layout, cotangent: Array, expected: Parameters
) -> None:
    there = _Side(make, target, _turned(here.X, here.layout, target), _moved(here.parameters, here.layout, target))
    what = f"{called(there.operation)} in ({target}), translated back to ({here.layout})"
    dtype = here.value.dtype
    scale = max(1.0, largest(cotangent)) * here.term_size
    agree("layouts", f"{what}, value", _turned(there.value, target, here.layout), here.value, dtype=dtype, scale=1.0)

    gradients = there.gradients(_turned(cotangent, here.layout, target))
    back = {"X": _turned(gradients.pop("X"), target, here.layout)}
    back |= _moved(gradients, target, here.layout, gradient=True)
    for name, gradient in expected.items():
        agree("layouts", f"{what}, gradient with respect to {name}", back[name], gradient, dtype=dtype, scale=scale)

    rows, columns = _places(here.value.shape, here.layout, target), _places(here.X.shape, here.layout, target)
    actual = there.numerator("X")[np.ix_(rows, columns)]
    agree("layouts", f"{what}, matrix with respect to X", actual, here.numerator("X"), dtype=dtype, scale=scale)
    output = None
    if here.value.ndim == 2:
        output = here.value.shape if here.layout.batch == "rows" else here.value.shape[::-1]
    elif here.value.ndim:
        return  # losses of each example: vectors are unrolled in one way only
    for weight in (name for name in here.parameters if _is_weight(name)):
        sizes = _convention(here.layout).sizes({"W1": here.parameters[weight]})
        matrix = translate_jacobian(there.packed(weight), sizes, _convention(target), _convention(here.layout), output)
        agree(
            "layouts", f"{what}, matrix with respect to {weight}", matrix, here.packed(weight), dtype=dtype, scale=scale
        )


class _Side:
    """An operation evaluated in one layout. What it is compared with in many others is made once."""

    def __init__(
        self, make: Callable[[Layout], OperationLike], layout: Layout, X: Array, parameters: Parameters
    ) -> None:
        self.layout, self.X, self.parameters = layout, X, parameters
        self.operation = make(layout)
        arrays = [X, *parameters.values()]
        self.value, jacobians = evaluate("layouts", self.operation, arrays)
        self.jacobians = dict(zip(("X", *parameters), jacobians.values(), strict=True))

    def gradients(self, cotangent: Array) -> Parameters:
        """Gradients of ⟨cotangent, value⟩, by the chain rule as this layout writes it."""
        return {name: gradient_of(jacobian, cotangent) for name, jacobian in self.jacobians.items()}

    @cached_property
    def term_size(self) -> float:
        """The largest of the Jacobians."""
        return max(term_size(jacobian) for jacobian in self.jacobians.values())

    @cached_property
    def matrices(self) -> dict[str, Array]:
        """By input, the Jacobian's matrix as the layout writes it."""
        return {name: self._matrix(jacobian) for name, jacobian in self.jacobians.items()}

    def _matrix(self, jacobian: Jacobian) -> Array:
        matrix = jacobian.to_dense()
        wanted = size_of(jacobian.codomain), size_of(jacobian.domain)
        if matrix.shape != (wanted if self.layout.derivative == "numerator" else wanted[::-1]):
            fail("layouts", f"{called(self.operation)} in ({self.layout})", f"a matrix has shape {matrix.shape}")
        return matrix

    def numerator(self, name: str) -> Array:
        """The matrix by one input, outputs × inputs, in the layout's vec order."""
        matrix = self.matrices[name]
        return matrix if self.layout.derivative == "numerator" else matrix.T

    def packed(self, weight: str) -> Array:
        """The matrix by one weight and, where it is separate, its bias."""
        names = [weight, _bias_of(weight)] if self.layout.bias == "separate" else [weight]
        axis = 1 if self.layout.derivative == "numerator" else 0
        return np.concatenate([self.matrices[name] for name in names], axis=axis)


@cache
def _convention(layout: Layout) -> Convention:
    return Convention(f"({layout})", layout)


def _turned(array: Array, source: Layout, target: Layout) -> Array:
    """A batch, or a batch of outputs, as the target keeps it; anything but a matrix is left alone."""
    return translate_batch(array, _convention(source), _convention(target)) if array.ndim == 2 else array.copy()


def _moved(parameters: Parameters, source: Layout, target: Layout, *, gradient: bool = False) -> Parameters:
    """Every weight with its bias as the target keeps them."""
    translate = translate_gradients if gradient else translate_parameters
    out: Parameters = {}
    for weight in (name for name in parameters if _is_weight(name)):
        names = {"W1": weight, "b1": _bias_of(weight)}
        layer = {own: parameters[name] for own, name in names.items() if name in parameters}
        moved = translate(layer, _convention(source), _convention(target))
        out.update({names[own]: array for own, array in moved.items()})
    return out


def _places(shape: Shape, source: Layout, target: Layout) -> npt.NDArray[np.intp]:
    """For each entry of the source's vec of an array of this shape in the source, its place in the target's vec."""
    turned = shape[::-1] if len(shape) == 2 and source.batch != target.batch else shape
    places = unvec(np.arange(size_of(shape)), turned, target.vec)
    return vec(_turned(places, target, source), source.vec).astype(np.intp)


def _is_weight(name: str) -> bool:
    return name.rpartition(".")[2].startswith("W")


def _bias_of(weight: str) -> str:
    prefix, dot, own = weight.rpartition(".")
    return f"{prefix}{dot}b{own[1:]}"
