"""What does not fit a network's convention is refused when the network is made, and the text says how it differs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from jacobians import Convention, Layout, Network
from jacobians.errors import LayoutError
from jacobians.operations import Affine, Chain, CrossEntropy, LogSoftmax, Residual, SquaredError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Network.dense((3, 2), activation="sigmoyd"),
            "Network: activation 'sigmoyd' is unknown; choose one of sigmoid, tanh, relu",
        ),
        (
            lambda: Network.dense((3, 2), loss="l1"),
            "Network: loss 'l1' is unknown; choose one of cross_entropy, binary_cross_entropy, ",
        ),
        (
            lambda: Network.dense((3, 2), convention="pytorhc"),
            "convention: 'pytorhc' is unknown; did you mean 'pytorch'",
        ),
        (
            lambda: Network.dense((3, 2), convention="pytorch", l2=1.0),
            "l2_scale: the source of pytorch fixes no regulariser; choose one, as in convention.replace(l2='half')",
        ),
        (
            lambda: Network.dense((3, 2), convention=Convention("each", Layout(), reduction="none")),
            "Network: cross_entropy is not reduced to one number, so there is no objective; choose a reduction, as in "
            "convention.replace(reduction='mean'): a run has its `losses` under every reduction",
        ),
        (
            lambda: Network([Affine()], SquaredError(0.5, "sum"), "cs231n"),
            "Network: squared_error is reduced by 'sum', cs231n by 'mean'; choose one, as in "
            "convention.replace(reduction='sum')",
        ),
        (
            lambda: Network([Affine(Layout(batch="columns", weights="rows"))], CrossEntropy(), "ng-dlai"),
            "Network: cross_entropy keeps its batch in rows, ng-dlai in columns: give it the convention's layout",
        ),
        (
            lambda: Network([Affine()], CrossEntropy(), "ng-ml-2011"),
            "Network: affine keeps batch in rows, weights in columns, bias separate, vec C, numerator layout; "
            "ng-ml-2011 keeps batch in rows, weights in rows, bias first",
        ),
        (
            lambda: Network([Residual(Chain(Affine(Layout(weights="rows"))))], CrossEntropy(), "cs231n"),
            "Network: affine keeps batch in rows, weights in rows",
        ),
        (
            lambda: Network([LogSoftmax()], CrossEntropy(layout=Layout(batch="columns")), "cs229"),
            "Network: log_softmax keeps batch in rows",
        ),
        (
            lambda: Network([Affine(Layout(weights="rows", bias="none"))], CrossEntropy(), "ng-ml-2011"),
            "Network: linear keeps batch in rows, weights in rows, bias none",
        ),
    ],
)
def test_what_does_not_fit_is_refused_when_made(make: Callable[[], Network], message: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(message)):
        make()
