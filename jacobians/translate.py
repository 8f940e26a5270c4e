"""From one convention to another: parameters, gradients, batches, packed vectors and dense Jacobians.

Every function takes conventions or the names of presets. Only the arrangement changes; the factor between
two reductions is `reduction_ratio`, applied by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jacobians.arrays import Array, as_array, as_float, inverse_axes, size_of
from jacobians.conventions import Convention
from jacobians.errors import LayoutError, ShapeError
from jacobians.first_tries import written
from jacobians.layout import unvec, vec
from jacobians.named_parameters import Layers
from jacobians.presets import convention

__all__ = [
    "reduction_ratio",
    "translate_batch",
    "translate_gradients",
    "translate_jacobian",
    "translate_kernel",
    "translate_packed",
    "translate_parameters",
]


@written("translate_parameters(params, source, target)")
def translate_parameters(
    params: Mapping[str, Array], source: str | Convention, target: str | Convention
) -> dict[str, Array]:
    """Return the parameters of the same network in another convention, as new arrays.

    A convention without bias becomes one with biases of zero.

    Raises
    ------
    ShapeError
        If the parameters are not those of the source convention.
    LayoutError
        If the target has no bias, and a bias is not zero.

    Examples
    --------
    >>> theta = {"Theta1": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])}
    >>> {k: v.tolist() for k, v in translate_parameters(theta, "ng-ml-2011", "cs231n").items()}
    {'W1': [[2.0, 5.0], [3.0, 6.0]], 'b1': [1.0, 4.0]}
    """
    source, target = convention(source), convention(target)
    return _translated(params, source.sizes(params), source, target, "translate_parameters")


@written("translate_gradients(gradients, source, target)")
def translate_gradients(
    gradients: Mapping[str, Array], source: str | Convention, target: str | Convention
) -> dict[str, Array]:
    """Return the gradients of a scalar in another convention, as new arrays.

    As `translate_parameters`, except where only one side has a bias: towards a convention without bias the
    bias's derivatives are dropped; from one without bias they are not known, which is an error.

    Raises
    ------
    ShapeError
        If the gradients are not shaped like parameters of the source convention.
    LayoutError
        If the target has a bias and the source has none.

    Examples
    --------
    >>> translate_gradients({"Theta1": [[1.0, 2.0, 3.0]]}, "ng-ml-2011", "cs231n")
    {'W1': array([[2.],
           [3.]]), 'b1': array([1.])}
    """
    source, target = convention(source), convention(target)
    _require_bias(source, target, "translate_gradients")
    layers = _taken(gradients, source.sizes(gradients), source, "translate_gradients")
    return target.store_layers(layers)


@written("translate_batch(X, source, target)")
def translate_batch(batch: Array, source: str | Convention, target: str | Convention) -> Array:
    """Return X, or a batch of outputs, as the target keeps it: a new array of the same dtype.

    A batch of two axes is a matrix, one of three axes holds sequences, one of four images. The ones that a convention
    with an absorbed bias prepends or appends are not part of X.

    Raises
    ------
    ShapeError
        If the batch has another number of axes.

    Examples
    --------
    >>> translate_batch(np.zeros((5000, 400)), "ng-ml-2011", "ng-dlai").shape
    (400, 5000)
    >>> translate_batch(np.zeros((64, 3, 32, 32)), "pytorch", "keras").shape
    (64, 32, 32, 3)
    """
    source, target = convention(source), convention(target)
    batch = as_array(batch, "the batch", "translate_batch")
    if batch.ndim not in (2, 3, 4):
        one = source.layout.batch_shape(1, batch.size)
        raise ShapeError(
            f"translate_batch: the batch has shape {batch.shape}; expected a matrix, with examples in "
            f"{source.layout.batch} for {source.name}: reshape one example to {one}; or three axes for sequences, four "
            "for images"
        )
    if batch.ndim == 2:
        return np.array(batch if source.layout.batch == target.layout.batch else batch.T, order="C")
    here, there = (
        layout.sequence_axes() if batch.ndim == 3 else layout.image_axes() for layout in (source.layout, target.layout)
    )
    return _axes_moved(batch, here, there)


@written("translate_kernel(kernel, source, target)")
def translate_kernel(kernel: Array, source: str | Convention, target: str | Convention) -> Array:
    """Return a convolution's kernel, or its gradient, as the target keeps it: a new array of the same dtype.

    Raises
    ------
    ShapeError
        If it has not an axis of outputs, one of inputs, and one or two of places.

    Examples
    --------
    >>> translate_kernel(np.zeros((32, 3, 5, 5)), "pytorch", "keras").shape
    (5, 5, 3, 32)
    """
    source, target = convention(source), convention(target)
    kernel = as_array(kernel, "the kernel", "translate_kernel")
    if kernel.ndim not in (3, 4):
        raise ShapeError(
            f"translate_kernel: the kernel has shape {kernel.shape}; expected its outputs, inputs and one or two axes "
            f"of places, in the order {source.layout.kernels} for {source.name}"
        )
    here, there = (layout.kernel_axes(kernel.ndim - 2) for layout in (source.layout, target.layout))
    return _axes_moved(kernel, here, there)


def _axes_moved(array: Array, here: Sequence[int], there: Sequence[int]) -> Array:
    """From one order of axes to another, each given by where the axes of a third order are."""
    return np.array(array.transpose(here).transpose(inverse_axes(there)), order="C")


@written("translate_packed(vector, sizes, source, target)")
def translate_packed(vector: Array, sizes: Sequence[int], source: str | Convention, target: str | Convention) -> Array:
    """Return the packed vector of the same network in another convention, as a new array.

    Raises
    ------
    ShapeError
        If the vector is not as long as the source packs these sizes.
    LayoutError
        If the target has no bias, and a bias is not zero.

    Examples
    --------
    >>> translate_packed(np.array([1.0, 4, 2, 5, 3, 6]), (2, 2), "ng-ml-2011", "sklearn-mlp").tolist()
    [2.0, 5.0, 3.0, 6.0, 1.0, 4.0]
    """
    source, target = convention(source), convention(target)
    params = source.unpack(vector, sizes)
    return target.pack(_translated(params, sizes, source, target, "translate_packed"), sizes)


@written("translate_jacobian(matrix, sizes, source, target)")
def translate_jacobian(
    matrix: Array,
    sizes: Sequence[int],
    source: str | Convention,
    target: str | Convention,
    output: tuple[int, int] | None = None,
) -> Array:
    """Return a dense Jacobian with respect to the packed parameters in another convention, as a new array.

    Parameters
    ----------
    matrix : ndarray
        Outputs × parameters in numerator layout, parameters × outputs in denominator layout.
    sizes : sequence of int
        Widths of the layers.
    source, target : str or Convention
    output : (count, features), optional
        The batch of outputs that was unrolled, whichever way the conventions turn it. A scalar unless given.

    Raises
    ------
    ShapeError
        If the matrix has another shape than the source gives it.
    LayoutError
        If the target has a bias and the source has none. Towards a convention without bias, the derivatives
        with respect to the biases are dropped.

    Notes
    -----
    The rows move by P and the columns by Q, J ↦ P·J·Qᵀ, where P and Q are the permutations that carry one
    vec order to the other (Magnus & Neudecker 2019, ch. 3: the commutation matrix).

    Examples
    --------
    >>> J = np.array([[10.0, 40, 20, 50, 30, 60]])
    >>> translate_jacobian(J, (2, 2), "ng-ml-2011", "sklearn-mlp").tolist()
    [[20.0, 50.0, 30.0, 60.0, 10.0, 40.0]]
    """
    source, target = convention(source), convention(target)
    _require_bias(source, target, "translate_jacobian")
    parameters = sum(map(size_of, source.shapes(sizes).values()))
    outputs = 1 if output is None else size_of(output)
    matrix = as_float(matrix, "the matrix", "translate_jacobian")
    expected = (outputs, parameters)[:: 1 if source.layout.derivative == "numerator" else -1]
    if matrix.shape != expected:
        hint = "; its transpose would fit: is it in the other layout?" if matrix.shape == expected[::-1] else ""
        raise ShapeError(
            f"translate_jacobian: the matrix has shape {matrix.shape}; {source.name} packs sizes {tuple(sizes)} into "
            f"{parameters} parameters, and {outputs} output{'s' * (outputs != 1)} in {source.layout.derivative} layout "
            f"need {expected}{hint}"
        )
    numerator = matrix if source.layout.derivative == "numerator" else matrix.T
    # where each entry of the target's vector stood in the source's: the translation, applied to the positions
    positions = source.unpack(np.arange(parameters), sizes)
    columns = target.pack(target.store_layers(_taken(positions, sizes, source, "translate_jacobian")), sizes)
    rows = np.zeros(1) if output is None else _output_positions(output, source, target)
    moved = numerator[np.ix_(rows.astype(np.intp), columns.astype(np.intp))]
    return np.ascontiguousarray(moved if target.layout.derivative == "numerator" else moved.T)


@written("reduction_ratio(source, target, count, outputs)")
def reduction_ratio(source: str | Convention, target: str | Convention, count: int, outputs: int) -> float:
    """Return the factor that turns a loss or a gradient reduced as in `source` into one reduced as in `target`.

    Where a source does not say how it reduces, "mean" is read (`Convention.effective_reduction`).

    Parameters
    ----------
    count, outputs : int
        Examples in the batch, and outputs of one example.

    Raises
    ------
    LayoutError
        If one of the conventions does not reduce its losses.
    DomainError
        If a mean is taken over nothing.

    Examples
    --------
    >>> reduction_ratio("pytorch-mse", "pytorch", count=32, outputs=10)
    10.0
    """
    return convention(source).reduction_divisor(count, outputs) / convention(target).reduction_divisor(count, outputs)


def _translated(
    params: Mapping[str, Array], sizes: Sequence[int], source: Convention, target: Convention, operation: str
) -> dict[str, Array]:
    layers = _taken(params, sizes, source, operation)
    if target.layout.bias == "none":
        for layer, (_, bias) in enumerate(layers, start=1):
            if bias is not None and np.any(bias != 0):
                raise LayoutError(
                    f"{operation}: {target.name} has no bias, and the bias of layer {layer} in {source.name} is not "
                    f"zero (largest {np.max(np.abs(bias)):.3g}); choose a target with a bias, or set it to zero first"
                )
    if source.layout.bias == "none":
        layers = [(W, np.zeros(W.shape[0], dtype=W.dtype)) for W, _ in layers]
    return target.store_layers(layers)


def _taken(params: Mapping[str, Array], sizes: Sequence[int], source: Convention, operation: str) -> Layers:
    return source.take_layers(source.check(params, sizes, operation=operation))


def _require_bias(source: Convention, target: Convention, operation: str) -> None:
    if source.layout.bias == "none" and target.layout.bias != "none":
        raise LayoutError(
            f"{operation}: {source.name} has no bias, so the derivative with respect to the bias of {target.name} is "
            f"not known; translate the parameters first, and differentiate in {target.name}"
        )


def _output_positions(output: tuple[int, int], source: Convention, target: Convention) -> Array:
    """For each entry of the target's vec of the outputs, its place in the source's."""
    positions = unvec(np.arange(size_of(output)), source.layout.batch_shape(*output), source.layout.vec)
    return vec(translate_batch(positions, source, target), target.layout.vec)
