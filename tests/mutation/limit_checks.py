"""Where laws at random inputs cannot look: the whole range of entries, limits, kinks, long sums."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from unittest import mock

import numpy as np

from jacobians import operations as ops
from jacobians.layout import Layout
from jacobians.operations import SquaredError, losses
from jacobians.testing import assert_operation_laws
from tests.mutation.checks import Check
from tests.mutation.form_checks import (
    matmul_first,
    mixed_dtypes,
    names_of_parameters,
    residual_of_a_scalar,
    short_forms,
    what_keeps_examples_apart,
)
from tests.mutation.loss_checks import hinge_at_its_kink, loss_limits, targets, without_the_bias
from tests.operations.elementwise_cases import CASES, CONTEXT, grid
from tests.operations.test_elementwise import FUNCTIONS, LIMITS, test_limits_and_nan
from tests.operations.test_elementwise import test_any_shape_and_float32_stays_float32 as test_any_shape
from tests.operations.test_elementwise import test_leaky_relu_has_its_slope_exactly as test_slope

ENTRIES = {
    "sigmoidal": ["sigmoid", "tanh"],
    "rectifiers": ["relu", "leaky_relu"],
    "smooth_rectifiers": ["softplus", "silu", "gelu"],
    "normal_tail": ["gelu"],
    "powers": ["exp", "log", "square", "power"],
    "base": [],
}


LOSS_MODULES = ("loss_base", "targets", "squared_error", "cross_entropies", "margin_losses")


def limit_checks(family: str) -> Iterator[Check]:
    """The family's checks at its limits."""
    for name in (n for n in CASES if any(n.startswith(p) for p in ENTRIES.get(family, ()))):
        for dtype in (np.float64, np.float32):
            reference(name, dtype)  # once, for all mutants
            yield Check("value", f"{name} over the range of {dtype.__name__}", lambda n=name, t=dtype: over_range(n, t))
    if family in ENTRIES:
        for name in (n for n in LIMITS if any(n.startswith(p) for p in ENTRIES[family])):
            for dtype in (np.float64, np.float32):
                what = f"{name} at its limits"
                yield Check("value", what, lambda n=name, t=dtype: test_limits_and_nan(n, t))
        for name in (n for n in FUNCTIONS if any(n.startswith(p) for p in ENTRIES[family])):
            for shape in ((), (0, 3)):
                for dtype in (np.float64, np.float32):
                    what = f"{name} of shape {shape}"
                    yield Check("dtype", what, lambda n=name, t=dtype, s=shape: test_any_shape(n, t, s))
    if family == "rectifiers":
        for slope in (-1.0, 0.0, 0.3, 1.0, 1.5, 2.5):
            yield Check("value", f"leaky relu of slope {slope}", lambda s=slope: test_slope(s, np.float64))
    if family in (*LOSS_MODULES, "softmax"):
        yield Check("value", "losses at their limits", loss_limits)
        yield Check("value", "targets of every kind", targets)
        yield Check("reference", "the hinge at its kink", hinge_at_its_kink)
    if family in ("structure", *LOSS_MODULES, "regulariser"):
        yield Check("dtype", "sums that would stall in float32", sums_that_would_stall)
    if family in ("combinators", "base"):
        yield Check("one source", "names of parameters", names_of_parameters)
        yield Check("batch", "what keeps examples apart", what_keeps_examples_apart)
        yield Check("operation", "a chain of two arrays into one", matmul_first)
        yield Check("purity", "a residual of a scalar", residual_of_a_scalar)
    if family in ("affine", "products"):
        yield Check("dtype", "inputs of two dtypes", mixed_dtypes)
    if family == "regulariser":
        yield Check("value", "l2 without the bias", without_the_bias)
    if family == "products":
        for operation in (ops.Hadamard(), ops.Add()):
            arrays = [np.array(2.0), np.array(-3.0)]
            yield Check(
                "all", f"{operation.name} of scalars", lambda o=operation, a=arrays: assert_operation_laws(o, a)
            )
    yield Check("one source", "functions and classes", lambda: short_forms(family))


# --- entries ---------------------------------------------------------------------------------------


@cache
def reference(name: str, dtype: type) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Entries, and for value and derivative what is exact and the error allowed there."""
    case = CASES[name]
    z = case.domain(grid(dtype))
    points = [CONTEXT.mpf(entry) for entry in z.tolist()]
    exact = [[CONTEXT.mpf(f(x)) for x in points] for f in (case.value, case.derivative)]
    largest = float(np.finfo(dtype).max)
    inside = [k for k in range(len(z)) if max(abs(exact[0][k]), abs(exact[1][k])) <= largest]
    bounds = case.single if dtype is np.float32 else case.double
    out = []
    for which, (truths, bound) in enumerate(zip(exact, bounds, strict=True)):
        sizes = truths
        if which and case.terms:
            sizes = [max(abs(term(x)) for term in case.terms) for x in points]
        allowed = [(bound + 0.5) * float(np.spacing(dtype(min(abs(float(sizes[k])), largest / 2)))) for k in inside]
        out.append((np.array([float(truths[k]) for k in inside]), np.array(allowed)))
    return z[inside], out


def over_range(name: str, dtype: type) -> None:
    z, expected = reference(name, dtype)
    with np.errstate(all="raise"):
        value, derivative = CASES[name].operation._rule(z.copy())
        slope = derivative()
    for what, got, (exact, allowed) in zip(("value", "derivative"), (value, slope), expected, strict=True):
        error = np.abs(got.astype(np.float64) - exact)
        worst = int(np.argmax(error - allowed))
        assert not error[worst] > allowed[worst], f"{what} at {z[worst]}: {got[worst]}, exactly {exact[worst]}"
        assert np.isfinite(got).all(), f"{what} is not finite"


def sums_that_would_stall() -> None:
    """2²⁴ and six ones: a running float32 sum stays at 2²⁴."""
    long = np.float32([2**24, 1, 1, 1, 1, 1, 1])
    roots = np.sqrt(long)
    exact = 2**24 + 6
    zeros = np.zeros(7, dtype=np.float32)
    assert ops.total(long)[0] == exact
    assert ops.total(long[:, None], axis=0)[0] == exact
    assert ops.mean(long)[0] == np.float32(exact / 7)
    assert SquaredError(reduction="sum")(roots, zeros)[0] == exact
    assert ops.l2(roots, 1.0)[0] == exact
    with mock.patch.object(losses, "_LONG", 4):
        for layout in (Layout(), Layout(batch="columns")):
            X = roots.reshape(layout.batch_shape(1, 7))
            losses, _ = SquaredError(reduction="none", layout=layout)(X, np.zeros_like(X))
            assert losses.dtype == np.float32
            assert losses[0] == exact
