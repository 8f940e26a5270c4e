"""The reader of LaTeX and Octave: each formula of a list has its term, or its error, and the places of both."""

from __future__ import annotations

import contextlib
import json
import random
from functools import cache
from pathlib import Path

import pytest

from jacobians import Network
from jacobians.auditing.audit import audit
from jacobians.auditing.formula import Formula
from jacobians.auditing.names import Scope
from jacobians.auditing.random_batches import RandomBatches
from jacobians.auditing.terms import Term
from jacobians.errors import FormulaError
from tests.auditing.test_formula import PIECES

READ = json.loads((Path(__file__).parent / "read_formulas.json").read_text(encoding="utf-8"))
"""The convention, the notation, the formula, and what was read: by two parsers, one for each notation, which this
reader has replaced."""


@cache
def scope_of(convention: str) -> Scope:
    return Scope.of(
        RandomBatches.of(Network.dense((7, 5, 3), activation="sigmoid", convention=convention, l2=0.1), 9, 0, 1)
    )


def printed(term: Term) -> str:
    """A term as kind=detail@start:stop(parts)."""
    if term.kind == "leaf":
        detail, inner = "", getattr(term.detail, "name", None) or f"{term.detail.value:g}"
    else:
        detail = "" if term.detail is None else f"={term.detail}"
        inner = " ".join(map(printed, term.parts))
    return f"{term.kind}{detail}@{term.span[0]}:{term.span[1]}({inner})"


def outcome(convention: str, notation: str, formula: str) -> str:
    """What is read, or the error without its hint, and its place."""
    try:
        return printed(Formula.of(formula, notation).term(scope_of(convention)))  # type: ignore[arg-type]
    except FormulaError as error:
        message, _, carets = str(error).splitlines()
        start = carets.index("^") - 4
        return f"{message.removeprefix('audit: ').split('; ')[0]} @{start}:{start + carets.count('^')}"


@pytest.mark.parametrize("notation", ["latex", "octave"])
def test_each_formula_has_its_term_or_its_error(notation: str) -> None:
    cases = [(c, formula, expected) for c, n, formula, expected in READ if n == notation]
    assert len(cases) > 150
    assert {formula: outcome(c, notation, formula) for c, formula, _ in cases} == {f: e for _, f, e in cases}


@pytest.mark.parametrize("notation", ["numpy", "latex", "octave", None])
def test_hostile_text_is_read_or_refused(notation: str | None) -> None:
    """Pieces of all notations in any order: every error is one that names the place."""
    choose = random.Random(0)
    for _ in range(1500):
        text = "".join(choose.choices(PIECES, k=choose.randrange(30)))
        with contextlib.suppress(FormulaError):
            read = Formula.of(f"dW_1 = {text}" if choose.random() < 0.9 else text, notation)  # type: ignore[arg-type]
            read.term(scope_of("cs231n"))


def test_a_known_name_with_an_index_that_is_not_there() -> None:
    """It was read again and again, until it was called too deep."""
    with pytest.raises(FormulaError, match="'reg1' is unknown; did you mean reg"):
        audit(r"dW_1 = X^T dZ_1 + reg_1 W_1")


@pytest.mark.parametrize(
    ("convention", "text", "claim"),
    [
        ("ng-ml-2011", r"\Theta_1^{\mathrm{grad}} = \frac{1}{m} \delta_2^\top A_1", "Theta1_grad"),
        ("ng-ml-2011", r"\Theta_{2}^{\text{grad}} = \frac{1}{m} \, {\delta_{3}}^{\top} \, A_{2}", "Theta2_grad"),
        ("ng-ml-2011", r"X^{\mathrm{grad}} = \frac{1}{m} {\left(\delta_2 \Theta_1\right)}_{[:, 1:]}", "X_grad"),
        ("ng-ufldl", r"b_{2}^{\mathrm{grad}} = \frac{1}{m} \, \delta_{3} \, \mathbf{1}", "b2grad"),
    ],
)
def test_a_gradient_s_name_is_read_as_it_is_printed(convention: str, text: str, claim: str) -> None:
    found = audit(text, convention)
    assert found
    assert found.claim.startswith(f"{claim}: the gradient with respect to")
    assert not audit(text.replace(r"\frac{1}{m}", ""), convention)


def test_names_side_by_side_end_where_they_end() -> None:
    """Of XY, the product of what stands before Y ends after X."""
    term = Formula.of(r"dW_1 = \mathbf{1}^T XY", "latex").term(scope_of("cs231n"))
    assert [part.span for part in term.parts] == [(7, 21), (21, 22)]


@pytest.mark.parametrize("name", ["wd", "l2", "weight_decay"])
def test_every_name_of_the_strength_brings_the_regulariser(name: str) -> None:
    assert audit(f"dW1 = X.T @ dZ1 + {name} * W1")
    assert audit("dW1 = X.T @ dZ1")


@pytest.mark.parametrize("formula", ["dcost_dW1 = X.T @ dZ1", "dR_dW1 = X.T @ dZ1", "dL_dW1 = X.T @ dZ1"])
def test_every_name_of_the_loss_makes_a_gradient(formula: str) -> None:
    assert audit(formula)
