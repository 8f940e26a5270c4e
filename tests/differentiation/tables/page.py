"""The page of printed identities, each with its verdict: `python -m tests.differentiation.tables.page`.

A row is proven by differences in 200 digits at random points, to 50 digits; so is the formula that the library prints.
"""

from __future__ import annotations

import random
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import jacobians as jac
from jacobians.differentiation import Derivative
from tests.differentiation.in_digits import DIGITS, Matrix
from tests.differentiation.tables.cookbook import COOKBOOK
from tests.differentiation.tables.giles import GILES
from tests.differentiation.tables.identity import Identity, Shapes
from tests.differentiation.tables.magnus_neudecker import MAGNUS_NEUDECKER
from tests.differentiation.tables.minka import MINKA

PAGE = Path(__file__).parents[3] / "docs" / "identities.md"
POINTS = 3
"""Random points at which the page's rows are proven; the everyday test takes one."""

TABLES: Mapping[str, Mapping[str, Sequence[Identity]]] = {
    "The Matrix Cookbook": COOKBOOK,
    "Magnus & Neudecker": MAGNUS_NEUDECKER,
    "Minka": MINKA,
    "Giles": GILES,
}

_SOURCES = {
    "The Matrix Cookbook": """
        Petersen & Pedersen, version of November 15, 2012: chapter 2 and the structure matrices of 9.7.6. Every
        identity was read, in the transcription at github.com/eric-wieser/lean-matrix-cookbook. Left out are 32,
        33, 94, 96 and 134 to 136, which are definitions, and 45 and 89, which are complex.""",
    "Magnus & Neudecker": """
        Matrix Differential Calculus, chapters 9 and 10. Rows called "table" were read in a handout that
        reprints tables of the edition of 1988; the others are from memory, by section. vec stacks columns; K is
        the commutation matrix and N = (I + K)/2.""",
    "Minka": """
        Old and New Matrix Algebra Useful for Statistics (2000). The rules 1 to 10 were read where another
        program cites them; the examples are from memory. He writes dy/dX for what is the transpose of the
        gradient.""",
    "Giles": """
        An extended collection of matrix derivative results for forward and reverse mode algorithmic
        differentiation, NA-08/01 (2008): all of its formulas, from memory. dA stands for Ȧ, and W for C̄, so
        that a reverse formula is the gradient of tr(Wᵀ C).""",
}

_OF_STRUCTURE = {
    "coordinates": ("G + Gᵀ − G ∘ I", "{0} + {0}.T - {0} * eye({1})"),
    "diagonal": ("G ∘ I", "{0} * eye({1})"),
    "toeplitz": ("the sums over the diagonals of G", "toeplitz_sums({0}.T)"),
    "symmetric toeplitz": (
        "the sums S over the diagonals of G, S + Sᵀ − S ∘ I",
        "toeplitz_sums({0}.T) + toeplitz_sums({0}) - toeplitz_sums({0}) * eye({1})",
    ),
}
"""By the structure of X, what becomes of the gradient G by all entries."""


@dataclass(frozen=True)
class Checked:
    """What was found of one identity.

    Attributes
    ----------
    digits : int
        In which the printed side agrees with differences of the value.
    right_digits : int or None
        The same of the formula that is given as the right one.
    ours : str
        The library's own formula, or the operations that have its Jacobian.
    our_digits : int
        In which that agrees with the differences; a Jacobian of float64 has some 10.
    """

    digits: int
    right_digits: int | None
    ours: str
    our_digits: int

    @property
    def is_right(self) -> bool:
        return self.digits >= DIGITS


def checked(row: Identity, points: int) -> Checked:
    """Prove one row, the library's formula included."""
    found = derivatives(row)
    shapes: Shapes = {**row.shapes, **(found[0].shapes if found else {})}
    digits = row.digits(row.printed, shapes, points=points)
    right = row.digits(row.right, shapes, points=points) if row.right else None
    if not found:
        return Checked(digits, right, f"`{row.graph}`", _digits_of_graph(row, shapes))
    text, numpy = _our_formula(row, found)
    return Checked(digits, right, f"`{text}`", row.digits(numpy, shapes, points=points))


def derivatives(row: Identity) -> list[Derivative]:
    """What the library finds, by each name that moves."""
    if not row.expression:
        return []
    return list(_differentiated(row.expression, row.wrt, tuple(row.shapes.items()), row.form))


@cache
def _differentiated(
    expression: str, wrt: str, shapes: tuple[tuple[str, tuple[int, ...]], ...], form: str
) -> tuple[Derivative, ...]:
    own = {name: shape for name, shape in shapes if name in expression}
    order = 2 if form == "hessian" else 1
    return tuple(jac.differentiate(expression, name, order=order, shapes=own, notation="numpy") for name in wrt.split())


def _our_formula(row: Identity, found: Sequence[Derivative]) -> tuple[str, str]:
    """The library's formula in the form of the row, as text and as NumPy."""
    if row.form in ("differential", "entries"):
        texts = [one.formula("differential") for one in found]
        left = texts[0].partition(" = ")[0]
        codes = [one.formula("differential", "numpy").partition(" = ")[2] for one in found]
        return f"{left} = {' + '.join(text.partition(' = ')[2] for text in texts)}", " + ".join(codes)
    (one,) = found
    if row.form in ("jacobian", "hessian") and one.shapes[row.wrt]:
        form: Any = "vec" if one.shape == () else "numerator"
        code = one.formula(form, "numpy", "F").partition(" = ")[2]
        return one.formula(form, order="F"), f"({code}).T" if form == "vec" else code
    code = one.formula("gradient", "numpy").partition(" = ")[2]
    text = one.formula()
    if row.structure in _OF_STRUCTURE:
        own, program = _OF_STRUCTURE[row.structure]
        text = f"{own}, {text.replace('∂f/∂' + row.wrt, 'G')}"
        code = program.format(f"({code})", one.shapes[row.wrt][0])
    return text, code


def _digits_of_graph(row: Identity, shapes: Shapes) -> int:
    """In how many digits the Jacobian of the library's own operations agrees with the differences, in float64."""
    rng = random.Random("graph")
    point = {name: row._drawn(name, shape, rng) for name, shape in shapes.items()}
    moves = {name: row._direction(shapes[name], rng) for name in row.wrt.split()}
    arrays = {name: _as_array(value) for name, value in point.items()}
    values = dict(zip(arrays, jac.values(**arrays), strict=True))
    found = eval(row.graph, {"matrix": _Values(), "np": np, **values})
    ours = sum(found.jacobian(values[name]).jvp(_as_array(move)) for name, move in moves.items())
    truth = _as_array(row._difference(point, moves)).ravel()
    if row.structure == "symmetric" and row.value.startswith("eigvec"):
        truth = truth * np.sign(_as_array(_value(row, point)).ravel() @ found.array.ravel())
    if row.value in ("eigenvectors(A)",):
        own = _as_array(_value(row, point))
        truth = (truth.reshape(own.shape) * np.sign((own * found.array).sum(axis=0))).ravel()
    gap = np.abs(np.ravel(ours) - truth).max() / np.abs(truth).max()
    return int(-np.log10(max(gap, 1e-17)))


def _value(row: Identity, point: Mapping[str, Any]) -> Any:
    from tests.differentiation.in_digits import formula

    return formula(row.value, point)


class _Values:
    """jac.matrix, where what has several results gives their values in a tuple."""

    def __getattr__(self, name: str) -> Any:
        return getattr(jac.matrix, name)


def _as_array(of: Any) -> np.ndarray:
    if isinstance(of, Matrix):
        rows, columns = of.shape
        return np.array([[float(of[i, j]) for j in range(columns)] for i in range(rows)])
    return np.array(float(of))


# --- the page --------------------------------------------------------------------------------------------


def page(points: int) -> str:
    """The page; raises where a row that counts as right is not, or the library's formula is not."""
    return "\n".join(_lines(points)) + "\n"


def _lines(points: int) -> Iterator[str]:
    results = {
        title: {section: [(row, checked(row, points)) for row in rows] for section, rows in sections.items()}
        for title, sections in TABLES.items()
    }
    everything = [pair for sections in results.values() for rows in sections.values() for pair in rows]
    for row, found in everything:
        hold(row, found)
    wrong = [pair for pair in everything if not pair[1].is_right]
    readable = sum(bool(row.expression) for row, _ in everything)
    yield "<!-- made by: python -m tests.differentiation.tables.page -->"
    yield ""
    yield "# Printed identities, proven"
    yield ""
    yield _filled(
        f"""
        {len(everything)} printed derivatives of matrix expressions, each with a verdict. The derivative of the
        left side is taken by central differences in 200 digits at {POINTS} random points, in random directions,
        by a program that shares no code with the library: Python's own parser, and mpmath. A row is right where
        the printed side agrees in {DIGITS} digits at every point; so must the formula in the last column, which
        `jac.differentiate` derives from the expression ({readable} rows). Where a function is not one that it
        reads, the last column names the operations of `jac.matrix` that have the Jacobian, which is held against
        the same differences in float64. A test makes the page."""
    )
    yield ""
    yield f"Of all rows {len(everything) - len(wrong)} are right. These are printed wrong:"
    yield ""
    for title, sections in results.items():
        for rows in sections.values():
            for row, found in rows:
                if not found.is_right:
                    yield f"- {title}, {row.number}: {row.note}. Right is `{row.right}`."
    yield ""
    for title, sections in results.items():
        yield f"## {title}"
        yield ""
        yield _filled(_SOURCES[title])
        for section, rows in sections.items():
            yield ""
            yield f"### {section}"
            yield ""
            yield "| no. | differentiated | printed | verdict | the library |"
            yield "| --- | --- | --- | --- | --- |"
            for row, found in rows:
                verdict = "right" if found.is_right else "**wrong**"
                note = f"; {row.note}" if row.note else ""
                yield (
                    f"| {row.number} | `{row.value}` by {row.wrt.replace(' ', ', ')} | `{row.printed}`{_given(row)} | "
                    f"{verdict}{note} | {found.ours} |"
                )
        yield ""


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def _given(row: Identity) -> str:
    found = "".join(f", {name} = `{formula}`" for name, formula in row.where.items())
    if row.symmetric:
        found += f"; {', '.join(row.symmetric.split())} symmetric"
    words = {
        "symmetric": f"d{row.wrt} symmetric",
        "coordinates": f"{row.wrt} symmetric, by its entries on and below the diagonal",
        "": "",
    }
    structure = words.get(row.structure, f"{row.wrt} is {row.structure}")
    return f"{found}; {structure}" if structure else found


def hold(row: Identity, found: Checked) -> None:
    if found.is_right == bool(row.right):
        raise AssertionError(f"{row.number}, {row.value}: the printed side agrees in {found.digits} digits")
    if found.right_digits is not None and found.right_digits < DIGITS:
        raise AssertionError(f"{row.number}, {row.value}: the right side agrees in {found.right_digits} digits")
    if found.our_digits < (DIGITS if row.expression else 9):
        raise AssertionError(
            f"{row.number}, {row.value}: the library agrees in {found.our_digits} digits: {found.ours}"
        )


def main() -> int:
    PAGE.write_text(page(POINTS), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
