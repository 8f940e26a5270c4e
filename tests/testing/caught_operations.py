"""Wrong operations, each with the law that catches it and what the message says: laws 3, 6, 8, 9, 10; all in one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jacobians import cross_entropy
from jacobians.layout import Layout
from jacobians.testing import (
    assert_batch,
    assert_dtype,
    assert_hessian,
    assert_layouts,
    assert_operation_laws,
    assert_purity,
    assert_reference,
    assert_second,
    assert_textbook,
)
from tests.testing import wrong_borders as borders
from tests.testing import wrong_operations as wrong
from tests.testing.caught_jacobians import SQUARE, B, Caught, W, X


def batch(operation: Callable, *arrays: np.ndarray, **how: object) -> None:
    axes = (0,) + (None,) * (len(arrays) - 1)
    assert_batch(operation, arrays, axes=axes, **({"out_axis": 0} | how if "reduction" not in how else how))


OPERATIONS: Caught = {
    # 3
    "reference, value doubled": (
        lambda: assert_reference(wrong.doubled_value, [X]),
        r"law reference: doubled_value with respect to X, random direction 0: J·t is .* derivative .* ± .*allowed",
    ),
    "reference, off by a millionth": (
        lambda: assert_reference(wrong.off_by_a_millionth, [X]),
        "off_by_a_millionth with respect to X",
    ),
    "reference, in float32": (
        lambda: assert_reference(wrong.derivative_of_the_value, [X.astype(np.float32)]),
        "law reference",
    ),
    "reference, softmax's outer product missing": (
        lambda: assert_reference(wrong.only_the_diagonal_of_softmax, [X]),
        "law reference",
    ),
    "reference, square weights transposed": (
        lambda: assert_reference(wrong.transposed_weights, [X, SQUARE]),
        "law reference: transposed_weights with respect to X",
    ),
    "reference, along coordinates alone": (
        lambda: assert_reference(wrong.doubled_value, [X], directions=0),
        r"coordinate \(0, 0\)",
    ),
    "reference, at a kink": (lambda: assert_reference(wrong.kink, [np.zeros((2, 2))]), r"J·t is .*derivative"),
    "reference, noise": (lambda: assert_reference(wrong.noise, [X]), "is uncertain by"),
    "reference, no value": (lambda: assert_reference(wrong.nowhere_finite, [X]), "not finite on both sides"),
    "reference, shapes": (
        lambda: assert_reference(wrong.shaped_otherwise, [X]),
        r"with respect to X: the Jacobian maps \(4, 3\) to \(4, 3\), not \(4, 3\) to \(12,\)",
    ),
    "reference, more Jacobians than inputs": (
        lambda: assert_reference(borders.one_jacobian_too_many, [X]),
        "1 inputs, but Jacobians with respect to X, W",
    ),
    "reference, no second derivative but the diagonal": (
        lambda: assert_hessian(wrong.HessianWithoutCrossTerms(), X, [0, 2, 1, 1]),
        r"law reference: the gradient of cross_entropy with respect to X, random direction 0: J·t is",
    ),
    "reference, second derivative without the reduction": (
        lambda: assert_hessian(wrong.HessianOfTheSum(), X, [0, 2, 1, 1]),
        r"law reference: the gradient of cross_entropy with respect to X",
    ),
    "one source, second derivative not symmetric": (
        lambda: assert_hessian(wrong.HessianTwofoldBackward("sum"), X, np.sign(X)),
        r"law one source: the second derivative of logistic_loss, H and Hᵀ",
    ),
    # 6
    "layouts, transposes unless square": (
        lambda: assert_layouts(
            wrong.transposes_unless_square, SQUARE, {"W": SQUARE.copy()}, source=Layout(bias="none")
        ),
        r"law layouts: .*weights in rows.* value: .* off by",
    ),
    "layouts, one chain order": (
        lambda: assert_layouts(wrong.one_chain_order, X, {"W": W, "b": B}),
        r"denominator layout.*: a matrix has shape \(8, 12\)",
    ),
    "layouts, one vec order": (
        lambda: assert_layouts(wrong.one_vec_order, X, {"W": W, "b": B}),
        r"law layouts: affine in \(.*vec F.*matrix with respect to X",
    ),
    "layouts, bias at the wrong end": (
        lambda: assert_layouts(wrong.bias_at_the_front, X, {"W": W, "b": B}),
        r"bias last.* value: ",
    ),
    "layouts, classes along the wrong axis": (
        lambda: assert_layouts(wrong.softmax_over_the_last_axis, SQUARE),
        r"batch in columns.* value: ",
    ),
    "layouts, bias averaged in one of them": (
        lambda: assert_layouts(wrong.drops_the_pullback_of_the_bias, X, {"W": W, "b": B}),
        r"batch in columns.* gradient with respect to b: ",
    ),
    "layouts, refused in one of them": (
        lambda: assert_layouts(wrong.refuses_columns, X, {"W": W, "b": B}),
        r"from batch in rows.* to batch in columns.*ShapeError: affine: X has shape \(3, 4\)",
    ),
    # 8
    "batch, statistics leak between examples": (
        lambda: batch(borders.batch_statistics, X),
        r"law batch: batch_statistics, a batch split into \[1, 3\], value: ",
    ),
    "batch, depends on the place": (
        lambda: batch(borders.depends_on_the_place, X),
        r"law batch: depends_on_the_place, examples in the order \[3, 0, 1, 2\]",
    ),
    "batch, one example squeezed": (
        lambda: batch(borders.squeezes_one_example, X),
        r"law batch: squeezes_one_example of 1 examples: the value has shape \(3,\)",
    ),
    "batch, sum for mean": (lambda: batch(borders.sum_for_mean, X, reduction="mean"), "split into .* value"),
    "batch, mean for sum": (
        lambda: batch(lambda X: cross_entropy(X, [0] * len(X)), X, reduction="sum"),
        "the operation, a batch split into .* value",
    ),
    "batch, gradient of the sum": (
        lambda: batch(borders.mean_with_gradient_of_sum, X, reduction="mean"),
        "split into .* gradient with respect to X",
    ),
    "batch, N − 1 for N": (lambda: batch(borders.mean_over_n_minus_1, X, reduction="mean"), "split into .* value"),
    "batch, last example dropped": (
        lambda: batch(borders.drops_the_last_example, X, reduction="sum"),
        r"in the order \[3, 0, 1, 2\], value",
    ),
    "batch, bias averaged": (lambda: batch(borders.averages_the_bias, X, np.ones(3)), "gradient with respect to b"),
    "batch, mean of nothing": (
        lambda: batch(borders.mean_of_nothing_is_zero, X, reduction="mean"),
        "of no examples: a mean over nothing is taken; expected DomainError",
    ),
    "batch, sum of nothing": (lambda: batch(borders.sum_of_nothing_is_one, X, reduction="sum"), r"\[0, 4\], value"),
    # 9
    "purity, input written": (
        lambda: assert_purity(borders.writes_its_input, [X]),
        "law purity: .*: writes to an input",
    ),
    "purity, input written where it may be": (
        lambda: assert_purity(borders.writes_where_it_may, [X]),
        "law purity: writes_where_it_may",
    ),
    "purity, a view of the input": (
        lambda: assert_purity(borders.returns_a_view, [X]),
        "value shares memory with input 0; return a new array",
    ),
    "purity, one buffer": (lambda: assert_purity(borders.returns_one_buffer, [X]), "value shares memory with value"),
    "purity, stale cache": (lambda: assert_purity(borders.Stale(), [X]), "law purity: stale, Jacobians asked late"),
    "purity, accumulates": (
        lambda: assert_purity(borders.Accumulates(), [X]),
        r"law purity: accumulates.*: J.X.jvp is not the same bit for bit: float64 \(4, 3\) \[",
    ),
    "purity, not deterministic": (lambda: assert_purity(borders.not_deterministic, [X]), "called twice: value"),
    "purity, derivative from the value": (
        lambda: assert_purity(borders.derivative_from_the_value, [X]),
        "Jacobians asked late",
    ),
    "purity, hands out its array": (
        lambda: assert_purity(borders.hands_out_its_array, [X]),
        r"J.X.to_dense is not the same bit for bit",
    ),
    "purity, memory order": (lambda: assert_purity(borders.reads_memory_order, [X]), "on F inputs, value"),
    "purity, read-only value": (lambda: assert_purity(borders.read_only_value, [X]), "value is read-only"),
    # 10
    "dtype, float64 for float32": (
        lambda: assert_dtype(borders.float64_for_float32, [X]),
        "law dtype: float64_for_float32: float32 inputs give value of dtype float64",
    ),
    "dtype, float64 Jacobian": (
        lambda: assert_dtype(borders.float64_jacobian, [X]),
        "J.X.to_dense of dtype|J.X.jvp of",
    ),
    "dtype, float64 value alone": (lambda: assert_dtype(borders.float64_zeros, [X]), "value of dtype float64"),
    "dtype, another value in float32": (
        lambda: assert_operation_laws(borders.another_value_in_float32, [X]),
        "law dtype: another_value_in_float32, value in float32 and in float64 of the same numbers: ",
    ),
    "dtype, another derivative in float32": (
        lambda: assert_operation_laws(borders.another_derivative_in_float32, [X]),
        "law dtype: another_derivative_in_float32, J.X.jvp in float32 and in float64",
    ),
    "dtype, the wider input": (
        lambda: assert_dtype(borders.rounds_to_the_first, [X, X]),
        "law dtype: rounds_to_the_first: B in float64 among inputs in float32 gives a value of dtype float32",
    ),
    "dtype, integers wrap": (
        lambda: assert_dtype(borders.integers_wrap, [30 * X]),
        "int8 and the same numbers",
    ),
    "dtype, integers stay narrow": (lambda: assert_dtype(borders.narrow_integers, [X]), "int64 and the same numbers"),
    "dtype, complex accepted": (
        lambda: assert_dtype(borders.takes_complex, [X]),
        "takes_complex with respect to X: a complex input is accepted; expected DTypeError",
    ),
    "dtype, another error for complex": (
        lambda: assert_dtype(borders.type_error_for_complex, [X]),
        "a complex input raises TypeError, expected DTypeError: no complex numbers",
    ),
    "dtype, a scalar that is no array": (
        lambda: assert_dtype(borders.scalar_value, [X]),
        "the value is a float64, not an array; wrap it in np.asarray",
    ),
    # all of them
    "operation laws, reference": (lambda: assert_operation_laws(wrong.doubled_value, [X]), "law reference"),
    "operation laws, batch": (
        lambda: assert_operation_laws(borders.batch_statistics, [X], axes=(0,), out_axis=0),
        "law batch",
    ),
    "operation laws, purity": (lambda: assert_operation_laws(borders.returns_a_view, [X]), "law purity"),
    "operation laws, dtype": (lambda: assert_operation_laws(borders.float64_jacobian, [X]), "law dtype"),
    "operation laws, pull": (lambda: assert_operation_laws(wrong.sweep_doubles_one, [X, X]), "pull"),
    "operation laws, dense twin": (
        lambda: assert_operation_laws(wrong.right, [X], twins={"X": np.diag(X.ravel())}),
        "law dense twin: right with respect to X",
    ),
    "operation laws, adjoint": (
        lambda: assert_operation_laws(wrong.twofold_backward, [X]),
        "law adjoint: twofold_backward with respect to X",
    ),
    # 11
    "second, twice as much": (
        lambda: assert_second(wrong.BendsTwice(), [X]),
        r"law second: bendstwice, the vjp with respect to X, random direction 0, the part of X: M·t is .* derivative",
    ),
    "second, a bilinear operation without one": (
        lambda: assert_second(wrong.BilinearWithoutSecond(), [X, W, B]),
        "law second: affine, the vjp with respect to X, random direction 0, the part of W: M·t is 0 at",
    ),
    "second, transposed where the weight is square": (
        lambda: assert_second(wrong.BilinearTransposed(Layout(bias="none")), [X, SQUARE]),
        "law second: linear, the vjp with respect to X, random direction 0, the part of W: M·t is",
    ),
    "second, not symmetric": (
        lambda: assert_second(wrong.SoftmaxOfGaussNewton(), [X]),
        "law second: softmaxofgaussnewton",
    ),
    "second, of an input that there is not": (
        lambda: assert_second(wrong.SecondOfAnotherInput(), [X]),
        r"law second: secondofanotherinput: a block is of the pair \('Z', 'Z'\); its inputs are X",
    ),
    # 12
    "symbols, a square missing in the printed derivative": (
        lambda: assert_textbook(wrong.PrintsAnotherDerivative(), X),
        "law symbols: the derivative of printsanotherderivative: .* expected .* off by",
    ),
}
