"""The laws over every family of operations, small enough to be run thousands of times."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np

from jacobians.layout import Bias, Layout, Lines
from jacobians.operations import Affine, LogSoftmax, Softmax
from jacobians.testing import assert_layouts, assert_operation_laws, every_layout
from tests.mutation.checks import Check
from tests.mutation.curvature_checks import hessian_checks
from tests.mutation.limit_checks import LOSS_MODULES, limit_checks
from tests.mutation.textbook import textbook
from tests.operations.cases import CASES
from tests.operations.combinator_cases import COMBINATORS
from tests.operations.drawing import Numbers
from tests.operations.loss_cases import LOSSES, REDUCTIONS, loss_case, made

# fmt: off
FAMILIES: dict[str, list[str]] = {
    "affine": ["affine"],
    "ones": ["add_ones", "affine"],
    "products": ["matmul", "matmul, batch in columns", "hadamard", "add", "chain that begins"],
    "structure": ["transpose", "reshape", "total", "mean"],
    "softmax": ["softmax", "logsoftmax", "cross_entropy labels mean"],
    "squared_error": ["squared_error", "squared_error halved", "SquaredError"],
    "cross_entropies": [n for n in LOSSES if "cross_entropy" in n],
    "margin_losses": [n for n in LOSSES if "logistic" in n or "hinge" in n],
    "loss_base": ["squared_error", "cross_entropy labels", "SquaredError", "Logistic", "BinaryCrossEntropy"],
    "targets": ["cross_entropy labels", "SquaredError", "Logistic", "BinaryCrossEntropy"],
    "regulariser": ["l2"],
    "combinators": [*COMBINATORS, "parallel of", "residual of"],
    "base": ["affine rows-rows-separate-C-numerator", "affine columns-rows-last-F-denominator", "sigmoid", "hadamard",
             "softmax rank 2", "chain rows-rows-separate-C-numerator"],
    "sigmoidal": ["sigmoid", "tanh"],
    "rectifiers": ["relu", "leaky_relu"],
    "smooth_rectifiers": ["softplus", "silu", "gelu"],
    "powers": ["exp", "log", "square", "power"],
    "normal_tail": ["gelu"],
}
# fmt: on
"""By module, how its cases' names begin."""
AFFINE = [
    Layout(batch, weights, bias)
    for batch, weights, bias in itertools.product(get_args(Lines), get_args(Lines), get_args(Bias))
]
"""The four forms with each bias; vec order and derivative layout are no business of the operation."""


def operation_checks(family: str) -> Iterator[Check]:
    """Law by law over the family's cases: values first, since they are cheap, then the ten laws, then layouts."""
    names = _chosen(family)
    random.Random(1).shuffle(names)  # neighbours are alike: a mutant that one does not catch, the next may not either
    for name in names:
        yield Check("value", name, lambda n=name: value(n))
    yield from limit_checks(family)
    if family in LOSS_MODULES:
        yield from hessian_checks(names)
    for name in names:
        yield Check("operation", name, lambda n=name: laws(n))
    yield from layout_checks(family)


def _chosen(family: str) -> list[str]:
    """The family's cases; of those that differ in how Jacobians are written only, one or two."""
    every = [n for n in CASES if any(f"{n} ".startswith(f"{p} ") for p in FAMILIES[family])]
    if family in ("affine", "ones"):
        return [n for n in every if "-C-numerator" in n or "(1, out)" in n] + [n for n in every if "F-denom" in n][::5]
    if family in ("products", "structure", "base", "softmax"):
        return [n for n in every if " F-" not in n and "-F-" not in n] + [n for n in every if "F-denom" in n][:4]
    if family in LOSS_MODULES:
        odd = [n for n in every if "columns" in n]
        return [*odd, *(n for n in every if "none rows" in n or "mean rows" in n)]
    if family == "regulariser":
        return every[::2]
    if family == "combinators":
        kinds = [[n for n in every if n.startswith(kind)] for kind in COMBINATORS]
        return [*every[-3:], *(n for group in kinds for n in group[1::5])]
    return every


def laws(name: str) -> None:
    sample = CASES[name](Numbers(7))
    small = sum(a.size for a in sample.arrays) < 25
    assert_operation_laws(sample.operation, sample.arrays, directions=1, coordinates=24 if small else 0, **sample.laws)


def value(name: str) -> None:
    for seed in (1, 2):
        sample = CASES[name](Numbers(seed))
        found, expected = sample.operation(*sample.arrays)[0], textbook(sample.operation, *sample.arrays)
        assert found.shape == expected.shape, f"shape {found.shape}, by the textbook {expected.shape}"
        off = np.abs(found - expected).max(initial=0.0)
        assert off <= 1e-12 * max(1.0, np.abs(expected).max(initial=0.0)), f"off by {off:.3g} from the textbook"


def layout_checks(family: str) -> Iterator[Check]:
    """Law 6, where a family is made in a layout."""
    g = Numbers(3)
    if family == "base":
        yield Check("layouts", "affine, to every layout", lambda: _affine(Layout(), every_layout(Layout())))
    if family in ("affine", "ones", "base"):
        for source in AFFINE[::3]:
            same = [t for t in AFFINE if (t.bias == "none") == (source.bias == "none")]
            yield Check("layouts", f"affine from {source}", lambda s=source, t=same: _affine(s, t))
    if family == "softmax":
        for operation in (Softmax, LogSoftmax):
            yield Check(
                "layouts", operation.__name__, lambda op=operation: assert_layouts(op, g(g.N, g.D), targets=AFFINE[::5])
            )
    if family in LOSS_MODULES:
        for name, reduction in itertools.product(LOSSES, REDUCTIONS[::2]):
            yield Check("layouts", f"{name} {reduction}", lambda n=name, r=reduction: _loss(n, r))


def _affine(source: Layout, targets: list[Layout]) -> None:
    g = Numbers(4)
    parameters: dict[str, Any] = {"W": g(*source.weight_shape(g.D, g.K))}
    if source.bias == "separate":
        parameters["b"] = g(*source.bias_shape(g.K))
    assert_layouts(Affine, g(*source.batch_shape(g.N, g.D)), parameters, source=source, targets=targets)


def _loss(name: str, reduction: str) -> None:
    source, loss = Layout(), LOSSES[name][0]
    _, (X, Y), *_ = loss_case(name, reduction, source)(Numbers(5))

    def make(layout: Layout) -> Any:
        targets = Y if Y.ndim == 1 or layout.batch == source.batch else Y.T
        return lambda batch: made(loss, reduction, layout)(batch, targets)

    assert_layouts(make, X, source=source, targets=AFFINE[::7])
