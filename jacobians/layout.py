"""Where things lie: the orthogonal choices behind every convention, and the vec operator."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np

from jacobians.arrays import Array, Shape, as_array, did_you_mean, kind_of, size_of
from jacobians.errors import ArgumentError, LayoutError, ShapeError
from jacobians.first_tries import says_how_it_is_made, written

__all__ = ["DEFAULT_LAYOUT", "Bias", "Derivative", "Layout", "Lines", "Order", "Reduction", "unvec", "vec"]

Lines: TypeAlias = Literal["rows", "columns"]
Bias: TypeAlias = Literal["separate", "first", "last", "none"]
Order: TypeAlias = Literal["C", "F"]
Derivative: TypeAlias = Literal["numerator", "denominator"]
Images: TypeAlias = Literal["CHW", "HWC"]
Sequences: TypeAlias = Literal["batch-first", "time-first"]
Kernels: TypeAlias = Literal["OIHW", "HWIO"]
Features: TypeAlias = Literal["one-axis", "all-axes"]
Reduction: TypeAlias = Literal["sum", "mean", "mean-all", "none"]
"""How a batch's losses become one number: their sum, Σ/N, Σ/(N·K), or not at all."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "batch": get_args(Lines),
    "weights": get_args(Lines),
    "bias": get_args(Bias),
    "vec": get_args(Order),
    "derivative": get_args(Derivative),
    "images": get_args(Images),
    "sequences": get_args(Sequences),
    "kernels": get_args(Kernels),
    "features": get_args(Features),
}


@says_how_it_is_made
@dataclass(frozen=True)
class Layout:
    """Orthogonal choices that fix every formula of a mini-batch gradient.

    The first five concern matrices. The others matter for images and sequences.

    Parameters
    ----------
    batch : {"rows", "columns"}
        Where one example lies in X, Z and A: X is (N, D) or (D, N).
    weights : {"rows", "columns"}
        Where one node's weights lie: W is (out, in) or (in, out).
    bias : {"separate", "first", "last", "none"}
        A vector of its own, or absorbed in W against an entry of ones placed first or last.
    vec : {"C", "F"}
        How an array is unrolled in explicit Jacobians and packed vectors, and an example where it is flattened: rows
        stacked, or columns stacked (Octave's ``Theta(:)``).
    derivative : {"numerator", "denominator"}
        Whether a Jacobian is (outputs × inputs) and the chain reads ``J_g @ J_f``, or its transpose.
    images : {"CHW", "HWC"}
        Whether the channels of an image come before its places or after them. The batch is before or after all of
        these by `batch`: (N, C, H, W), (N, H, W, C), (C, H, W, N), or MATLAB's (H, W, C, N).
    sequences : {"batch-first", "time-first"}
        For a batch in rows (N, T, D) or (T, N, D); in columns the axes are reversed, (D, T, N) or MATLAB's (D, N, T).
        What has three axes is read so where a loss counts its examples.
    kernels : {"OIHW", "HWIO"}
        Whether a kernel's outputs and inputs come before its places or after them.
    features : {"one-axis", "all-axes"}
        What an affine layer takes as the features of an X of three axes or more: the entries along the feature axis,
        so that it maps each vector along it, or all entries of an example, which it flattens.

    Raises
    ------
    LayoutError
        If a field has an unknown value.

    Examples
    --------
    >>> ng = Layout(batch="rows", weights="rows", bias="first", vec="F")
    >>> ng.weight_shape(n_in=64, n_out=25)
    (25, 65)
    >>> Layout(weights="rows").replace(weights="columns").weight_shape(n_in=64, n_out=25)
    (64, 25)
    """

    batch: Lines = "rows"
    weights: Lines = "columns"
    bias: Bias = "separate"
    vec: Order = "C"
    derivative: Derivative = "numerator"
    images: Images = "CHW"
    sequences: Sequences = "batch-first"
    kernels: Kernels = "OIHW"
    features: Features = "all-axes"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value not in _CHOICES[field.name]:
                choices = ", ".join(map(repr, _CHOICES[field.name]))
                raise LayoutError(f"Layout: {field.name}={value!r} is unknown; choose one of {choices}")

    def replace(self, **changes: str) -> Layout:
        """Return a copy with some choices changed.

        Examples
        --------
        >>> Layout().replace(batch="columns").batch
        'columns'
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                hint = did_you_mean(name, known) or f"; choose from {', '.join(known)}"
                raise ArgumentError(f"Layout.replace: {name!r} is no field{hint}")
        return replace(self, **changes)  # type: ignore[arg-type]

    @cached_property
    def batch_axis(self) -> int:
        """The axis along which examples are counted: 0, or -1 for a batch in columns.

        Examples
        --------
        >>> Layout(batch="rows").batch_axis, Layout(batch="columns").batch_axis
        (0, -1)
        """
        return 0 if self.batch == "rows" else -1

    @cached_property
    def feature_axis(self) -> int:
        """The axis along which one example's features lie: -1, or 0 for a batch in columns.

        Examples
        --------
        >>> Layout(batch="rows").feature_axis, Layout(batch="columns").feature_axis
        (-1, 0)
        """
        return -1 if self.batch == "rows" else 0

    @cached_property
    def node_axis(self) -> int:
        """The axis of W along which one node's weights lie: 1 for weights in rows, or 0.

        Examples
        --------
        >>> Layout(weights="rows").node_axis, Layout(weights="columns").node_axis
        (1, 0)
        """
        return 1 if self.weights == "rows" else 0

    # --- images, sequences and kernels -----------------------------------------------------------

    def image_axes(self, places: int = 2) -> tuple[int, ...]:
        """Return the order of axes that takes a batch of images, with so many axes of places, to (N, C, *places).

        Examples
        --------
        >>> Layout(images="HWC").image_axes()
        (0, 3, 1, 2)
        >>> np.ones((5, 8, 8, 3)).transpose(Layout(images="HWC").image_axes()).shape
        (5, 3, 8, 8)
        """
        where = tuple(range(places))
        one = ("C", *where) if self.images == "CHW" else (*where, "C")
        own = ("N", *one) if self.batch == "rows" else (*one, "N")
        return tuple(own.index(axis) for axis in ("N", "C", *where))

    def sequence_axes(self) -> tuple[int, ...]:
        """Return the order of axes that takes a batch of sequences to (N, T, D).

        Examples
        --------
        >>> Layout(sequences="time-first").sequence_axes()
        (1, 0, 2)
        """
        own = "NTD" if self.sequences == "batch-first" else "TND"
        own = own if self.batch == "rows" else own[::-1]
        return tuple(own.index(axis) for axis in "NTD")

    def examples_axis(self, rank: int) -> int:
        """Return the axis along which a loss counts the examples of an array of so many axes.

        An array of three axes holds sequences, so in a layout that is time-first the examples lie along axis 1.

        Examples
        --------
        >>> Layout(sequences="time-first").examples_axis(3), Layout().examples_axis(3)
        (1, 0)
        >>> Layout(sequences="time-first").examples_axis(2)
        0
        """
        return self.sequence_axes()[0] if rank == 3 and self.sequences == "time-first" else self.batch_axis

    def kernel_axes(self, places: int = 2) -> tuple[int, ...]:
        """Return the order of axes that takes a kernel, with so many axes of places, to (out, in, *places).

        Examples
        --------
        >>> Layout(kernels="HWIO").kernel_axes()
        (3, 2, 0, 1)
        """
        if self.kernels == "OIHW":
            return tuple(range(places + 2))
        return (places + 1, places, *range(places))

    def flat_shape(self, shape: Shape) -> Shape:
        """Return the shape of a batch whose examples are flattened.

        Examples
        --------
        >>> Layout().flat_shape((5, 3, 8, 8)), Layout(batch="columns").flat_shape((8, 8, 3, 5))
        ((5, 192), (192, 5))
        """
        features = size_of(shape[1:] if self.batch == "rows" else shape[:-1])
        return self.batch_shape(shape[self.batch_axis], features)

    def flat_axes(self, rank: int) -> tuple[int, ...]:
        """Return the order of axes in which reading an example in C order flattens it in `vec` order.

        Examples
        --------
        >>> Layout(vec="C").flat_axes(4), Layout(vec="F").flat_axes(4)
        ((0, 1, 2, 3), (0, 3, 2, 1))
        """
        axes = range(1, rank) if self.batch == "rows" else range(rank - 1)
        own = axes if self.vec == "C" else axes[::-1]
        return (0, *own) if self.batch == "rows" else (*own, rank - 1)

    @cached_property
    def of_matrices(self) -> Layout:
        """The same layout of matrices, with the default choices for images and sequences.

        Examples
        --------
        >>> Layout(images="HWC").of_matrices == Layout()
        True
        """
        return replace(self, images="CHW", sequences="batch-first", kernels="OIHW", features="all-axes")

    # --- an absorbed bias ------------------------------------------------------------------------

    @cached_property
    def absorbs_bias(self) -> bool:
        """Whether the bias is a row or column of W.

        Examples
        --------
        >>> Layout(bias="first").absorbs_bias, Layout(bias="separate").absorbs_bias
        (True, False)
        """
        return self.bias in ("first", "last")

    @cached_property
    def bias_place(self) -> int | None:
        """Where an absorbed bias lies among one node's weights: 0, −1, or None.

        Examples
        --------
        >>> Layout(bias="first").bias_place, Layout(bias="last").bias_place
        (0, -1)
        """
        return {"first": 0, "last": -1}.get(self.bias)

    @cached_property
    def without_bias(self) -> slice:
        """Where one node's weights lie beside an absorbed bias, and the features of [1 X] beside the ones.

        Examples
        --------
        >>> Layout(bias="first").without_bias
        slice(1, None, None)
        """
        return {"first": slice(1, None), "last": slice(0, -1)}.get(self.bias, slice(None))

    def weights_of(self, W: Array) -> Array:
        """Return the view of W that leaves out an absorbed bias.

        Examples
        --------
        >>> Layout(weights="rows", bias="first").weights_of(np.array([[9.0, 1.0, 2.0]]))
        array([[1., 2.]])
        """
        return W[:, self.without_bias] if self.weights == "rows" else W[self.without_bias]

    def bias_of(self, W: Array) -> Array:
        """Return the view of W that holds an absorbed bias: (out,).

        Examples
        --------
        >>> Layout(weights="rows", bias="first").bias_of(np.array([[9.0, 1.0, 2.0]]))
        array([9.])
        """
        return W[:, self.bias_place] if self.weights == "rows" else W[self.bias_place]

    def joined(self, bias: Array, entries: Array, axis: int) -> Array:
        """Return a new array: `entries` with an absorbed bias, or with the ones that meet it, before or after them.

        Examples
        --------
        >>> Layout(bias="first").joined(np.ones((2, 1)), np.zeros((2, 2)), 1)
        array([[1., 0., 0.],
               [1., 0., 0.]])
        """
        return np.concatenate((bias, entries) if self.bias == "first" else (entries, bias), axis=axis)

    # --- shapes ----------------------------------------------------------------------------------

    def batch_shape(self, count: int, features: int) -> Shape:
        """Return the shape of a matrix of `count` examples with `features` entries each.

        Examples
        --------
        >>> Layout(batch="columns").batch_shape(5, 3)
        (3, 5)
        """
        return (count, features) if self.batch == "rows" else (features, count)

    def weight_shape(self, n_in: int, n_out: int) -> Shape:
        """Return the shape of W for `n_in` inputs (the ones not counted) and `n_out` nodes.

        Examples
        --------
        >>> Layout(weights="rows", bias="first").weight_shape(4, 3)
        (3, 5)
        """
        width = n_in + self.absorbs_bias
        return (n_out, width) if self.weights == "rows" else (width, n_out)

    def bias_shape(self, n_out: int) -> Shape:
        """Return the shape of a separate bias: (out,), or a column (out, 1) for a batch in columns.

        Examples
        --------
        >>> Layout(batch="columns").bias_shape(3)
        (3, 1)
        """
        return (n_out,) if self.batch == "rows" else (n_out, 1)

    def __repr__(self) -> str:
        """The five choices for matrices, and every other choice that differs from the default."""
        shown = [f for k, f in enumerate(fields(self)) if k < 5 or getattr(self, f.name) != f.default]
        return f"Layout({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in shown)})"

    def __str__(self) -> str:
        return (
            f"batch in {self.batch}, weights in {self.weights}, bias {self.bias}, "
            f"vec {self.vec}, {self.derivative} layout"
        )

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{f.name}</th><td>{getattr(self, f.name)}</td></tr>" for f in fields(self))
        return f"<table>{rows}</table>"

    def _repr_latex_(self) -> str:
        """The affine layer that the layout writes."""
        X = "X"
        if self.absorbs_bias:
            ones = [r"\mathbf{1}", "X"] if self.bias == "first" else ["X", r"\mathbf{1}"]
            apart = " & " if self.batch == "rows" else r" \\ "
            X = rf"\begin{{bmatrix}} {apart.join(ones)} \end{{bmatrix}}"
        if self.batch == "rows":
            product = f"{X} W" if self.weights == "columns" else rf"{X} W^{{\top}}"
            bias = r" + \mathbf{1} b^{\top}"
        else:
            product = f"W {X}" if self.weights == "rows" else rf"W^{{\top}} {X}"
            bias = r" + b \mathbf{1}^{\top}"
        return rf"$\displaystyle Z = {product}{bias if self.bias == 'separate' else ''}$"


DEFAULT_LAYOUT = Layout()
"""What is meant where no layout is given; one object, so that what follows from its choices is found once."""


def _order(order: Any) -> Order:
    if not isinstance(order, str) or order not in ("C", "F"):
        given = repr(order) if isinstance(order, (str, int)) else kind_of(order)
        raise LayoutError(f"vec: order={given} is unknown; choose 'C' (rows stacked) or 'F' (columns stacked)")
    return cast(Order, order)


@written
def vec(array: Array, order: Order) -> Array:
    r"""Return vec(A): the entries of `array` as a new vector.

    :math:`\operatorname{vec}_F(A)` stacks columns (Magnus & Neudecker 2019, ch. 2); "C" stacks rows,
    and :math:`\operatorname{vec}_C(A) = \operatorname{vec}_F(A^\top)`.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[1, 2], [3, 4]])
    >>> vec(A, "C"), vec(A, "F")
    (array([1, 2, 3, 4]), array([1, 3, 2, 4]))
    """
    return as_array(array, "the array", "vec").flatten(_order(order))


@written
def unvec(vector: Array, shape: Shape, order: Order) -> Array:
    """Return the new array of the given shape whose vec in this order is `vector`.

    Raises
    ------
    ShapeError
        If the vector has another length than an array of `shape`.

    Examples
    --------
    >>> import numpy as np
    >>> unvec(np.arange(4), (2, 2), "F")
    array([[0, 2],
           [1, 3]])
    """
    vector = as_array(vector, "the vector", "unvec")
    if not isinstance(shape, (tuple, list)):
        raise ArgumentError(
            f"unvec: shape is {kind_of(shape)}; expected a tuple, such as (25, 401). The order is vector, shape, order"
        )
    if vector.shape != (size_of(shape),):
        raise ShapeError(
            f"unvec: the vector has shape {vector.shape}, an array of shape {shape} needs ({size_of(shape)},)"
        )
    return vector.reshape(shape, order=_order(order)).copy()
