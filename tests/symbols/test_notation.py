"""The printed forms: LaTeX that parses, MathML that is well formed, brackets where they are needed."""

from __future__ import annotations

import functools
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from jacobians.arrays import SUBSCRIPTS
from jacobians.derivation import derive
from jacobians.derivation.writing import latex_text
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import (
    Add,
    Einsum,
    Expr,
    Gathered,
    Hadamard,
    Joined,
    MatMul,
    Number,
    Part,
    Power,
    Quotient,
    Reshaped,
    Scattered,
    SumOver,
    Symbol,
    Transposed,
)
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.notation import split_name
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.text import TextNotation
from tests.derivation.networks import LAYOUTS, NETWORKS, make, run_of

A, B, C = (Symbol(name, (3, 3)) for name in "ABC")
N = Symbol("N", ())


@functools.cache
def parsed(latex: str) -> bool:
    """Whether matplotlib's mathtext, which refuses what it does not know, reads the formula."""
    mathtext = pytest.importorskip("matplotlib.mathtext")
    mathtext.MathTextParser("agg").parse(f"${latex}$")
    return True


@pytest.mark.parametrize(("layout", "which"), [(LAYOUTS[0], 0), (LAYOUTS[50], 9)], ids=str)
def test_all_latex_parses_and_all_mathml_is_well_formed(layout, which):
    for equation in derive(run_of(make(layout, which), which)).equations:
        assert parsed(equation.latex), equation.latex
        root = ElementTree.fromstring(equation.mathml)
        assert root.tag == "{http://www.w3.org/1998/Math/MathML}math"
        for tag, arguments in (("mfrac", 2), ("msub", 2), ("msup", 2), ("msubsup", 3)):
            for element in root.iter(f"{{http://www.w3.org/1998/Math/MathML}}{tag}"):
                assert len(element) == arguments, ElementTree.tostring(element, "unicode")


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_all_latex_parses_everywhere(layout):
    for which in range(len(NETWORKS)):
        assert all(parsed(e.latex) for e in derive(run_of(make(layout, which), which)).equations)


def test_latex_that_does_not_parse_is_seen():
    with pytest.raises(ValueError, match=r"ParseException|Expected|Unknown"):
        parsed(r"\frac{1}{\nosuchthing")


@pytest.mark.parametrize(
    ("expr", "text", "numpy"),
    [
        (MatMul(MatMul(A, B), C), "A B C", "A @ B @ C"),
        (Hadamard(MatMul(A, B), C), "(A B) ∘ C", "(A @ B) * C"),
        (MatMul(A, Hadamard(B, C)), "A (B ∘ C)", "A @ (B * C)"),
        (MatMul(Add(A, B), C), "(A + B) C", "(A + B) @ C"),
        (Add(A, Add(B, C, minus=True), minus=True), "A − (B − C)", "A - (B - C)"),
        (Quotient(Add(A, B, minus=True), N), "(A − B) / N", "(A - B) / N"),
        (Quotient(MatMul(A, B), N), "A B / N", "A @ B / N"),
        (MatMul(Quotient(A, N), B), "(A / N) B", "(A / N) @ B"),
        (Hadamard(Quotient(Number(2), N), A), "(2 / N) A", "2 / N * A"),
        (Hadamard(Number(-1), Hadamard(A, B)), "−A ∘ B", "-A * B"),
        (Transposed(Part(A, ((None, None), (1, None)))), "A[:, 1:]ᵀ", "A[:, 1:].T"),
        (Part(MatMul(A, B), ((None, None), (1, None))), "(A B)[:, 1:]", "(A @ B)[:, 1:]"),
        (Power(Add(A, B), 2), "(A + B)²", "(A + B)**2"),
        (Add(Hadamard(Number(-1), A), B), "−A + B", "-A + B"),
        (Hadamard(A, Hadamard(Number(-1), B)), "A ∘ (−B)", "A * (-B)"),
    ],
)
def test_brackets(expr, text, numpy):
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(3, 3)) for name in "ABC"} | {"N": 7.0}
    assert TextNotation().expr(expr) == text
    assert NumpyNotation().expr(expr) == numpy
    np.testing.assert_allclose(eval(numpy, {}, dict(arrays)), evaluate(expr, arrays), rtol=1e-13)
    assert parsed(LatexNotation().expr(expr))


def test_names_are_taken_apart():
    assert split_name("dTheta12").index == "12"
    assert (split_name("delta3").letters, split_name("delta3").before) == ("delta", "")
    assert split_name("data1").letters == "data"
    assert (split_name("db1").letters, split_name("db1").before) == ("b", "d")


@pytest.mark.parametrize(
    ("name", "text", "latex", "mathml"),
    [
        (
            "Theta1_grad",
            "Θ₁_grad",
            r"\Theta_{1}^{\mathrm{grad}}",
            "<msubsup><mi>Θ</mi><mn>1</mn><mi>grad</mi></msubsup>",
        ),
        ("W2grad", "W₂grad", r"W_{2}^{\mathrm{grad}}", "<msubsup><mi>W</mi><mn>2</mn><mi>grad</mi></msubsup>"),
        ("X_grad", "X_grad", r"X^{\mathrm{grad}}", "<msup><mi>X</mi><mi>grad</mi></msup>"),
        ("Xgrad", "Xgrad", r"X^{\mathrm{grad}}", "<msup><mi>X</mi><mi>grad</mi></msup>"),
        ("W1_old", "W₁_old", r"\mathrm{W1\_old}", None),
    ],
)
def test_a_gradient_s_name_is_set_as_a_name_with_grad_above(name, text, latex, mathml):
    symbol = Symbol(name, (2, 2))
    assert TextNotation().expr(symbol) == text
    assert NumpyNotation().expr(symbol) == name
    assert LatexNotation().expr(symbol) == latex
    assert parsed(LatexNotation().expr(Transposed(symbol)))
    assert mathml in (None, MathmlNotation().expr(symbol))


def test_names_that_are_markup_are_escaped():
    symbol = Symbol("<img src=x onerror=alert(1)>", (2, 2))
    text = MathmlNotation().expr(symbol)
    assert "<img" not in text
    assert "&lt;img" in text
    assert re.fullmatch(r"\w+", NumpyNotation().expr(symbol))
    assert latex_text("50%_{x}") == r"50\%\_\{x\}"


def test_the_latex_report_has_one_row_for_each_equation():
    derivation = derive(run_of(make(LAYOUTS[0], 0), 0))
    report = derivation.to_latex()
    assert report.count(r"\begin{align*}") == report.count(r"\end{align*}") == 2 + 2 * len(derivation.parameters)
    assert report.count(r"\item") == sum(len(p.steps) for p in derivation.parameters.values())
    assert all(d.equation.latex.replace(" = ", " &= ", 1) in report for d in derivation.forward)


def test_every_notation_has_every_form() -> None:
    """What one of them has no form for, it writes by a method of its own."""
    every = set(LatexNotation.forms)
    assert set(MathmlNotation.forms) == every
    assert every - set(TextNotation.forms) == {"vec", "diagonal"}
    sums = {"einsum", "indexed", "moved", "sum over indices", "column sums", "row sums"}
    by_method = sums | {"gathered", "multiple of ones"}
    assert every - set(NumpyNotation.forms) == by_method
    assert not (set(TextNotation.forms) | set(NumpyNotation.forms)) - every
    for notation in (TextNotation, LatexNotation, MathmlNotation):
        assert set(notation.between) == {"einsum", "beside", "below", "chain", "sum"}
    assert set(NumpyNotation.between) == {"beside", "below", "chain", "sum"}


@pytest.mark.parametrize(
    ("expr", "text", "latex"),
    [
        (Gathered(Symbol("A", (2, 3)), (0, 4), (2,)), "A[0, 4]", "{A}_{[0, 4]}"),
        (
            Gathered(Symbol("A", (2, 3)), (0, 4), (2, 1)),
            "A[0, 4] as 2×1",
            r"{{A}_{[0, 4]}}" r"_{\mathrm{as} \, 2 \times 1}",
        ),
        (Scattered(Symbol("v", (1,)), (3,), (2, 2)), "(v added to 2×2 at 3)", r"\left(v \to {2 \times 2}_{[3]}\right)"),
        (Einsum("ab->ba", (Symbol("A", (2, 3)),)), "A_ab→ba", r"{A}_{ab \to ba}"),
        (Joined((Symbol("A", (2, 3)), Symbol("B", (1, 3))), 0), "[A; B]", r"\left[A \, ; \, B\right]"),
    ],
)
def test_forms_that_few_derivations_show(expr: Expr, text: str, latex: str) -> None:
    assert TextNotation().expr(expr) == text
    assert LatexNotation().expr(expr) == latex
    rng = np.random.default_rng(0)
    values = {"A": rng.normal(size=(2, 3)), "B": rng.normal(size=(1, 3)), "v": rng.normal(size=1)}
    np.testing.assert_array_equal(eval(NumpyNotation().expr(expr), {"np": np}, values), evaluate(expr, values))


def test_a_power_before_a_dot_has_brackets() -> None:
    square = Power(Symbol("X", (3, 2)), 2)
    write = NumpyNotation()
    assert write.expr(SumOver(square, 0)) == "(X**2).sum(axis=0, keepdims=True)"
    assert write.expr(Transposed(square)) == "(X**2).T"
    assert write.expr(Reshaped(square, (6,))) == "(X**2).reshape(6)"
    assert write.expr(Hadamard(square, square)) == "X**2 * X**2"


def test_a_gradient_has_its_parameters_letter() -> None:
    for name, text, latex in [
        ("dgamma", "dγ", r"\mathrm{d}\gamma"),
        ("dbeta2", "dβ₂", r"\mathrm{d}\beta_{2}"),
        ("tTheta1", "tΘ₁", r"\mathrm{t}\Theta_{1}"),
        ("gamma1_grad", "γ₁_grad", r"\gamma_{1}^{\mathrm{grad}}"),
        ("J_gamma_2", "J_γ₂", r"J_{\gamma 2}"),
        ("delta3", "δ₃", r"\delta_{3}"),
    ]:
        assert (TextNotation().symbol(name), LatexNotation().symbol(name)) == (text, latex)
        shown = "".join(ElementTree.fromstring(MathmlNotation().symbol(name)).itertext())
        assert shown.translate(SUBSCRIPTS) == text.replace("_", "").translate(SUBSCRIPTS)
