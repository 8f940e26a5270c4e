"""`Audit`: what is said of a formula, as text, HTML and plain data."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, TypeAlias

from jacobians.arrays import Shape, show_shape
from jacobians.auditing.own_words import in_own_words
from jacobians.auditing.slips import Slip
from jacobians.derivation.equations import Equation

Verdict: TypeAlias = Literal["right", "wrong", "does not conform"]

_WIDTH = 80


@dataclass(frozen=True)
class TermShape:
    """The shape of one part of a formula.

    Attributes
    ----------
    text : str
        The part, as it was written.
    shape : tuple of int or None
        None where the part has none, since its own parts do not fit.
    """

    text: str
    shape: Shape | None

    @property
    def fits(self) -> bool:
        """Whether the part has a value."""
        return self.shape is not None


@dataclass(frozen=True, eq=False)
class Audit:
    """Whether a formula is right in a convention, and if not, why. It is true where the formula is right.

    Attributes
    ----------
    formula : str
        As it was given.
    convention : str
    claim : str
        What the formula says it is, in the convention's names, and what that means.
    verdict : {"right", "wrong", "does not conform"}
        "does not conform" where the shapes do not fit, within the right side or between the sides.
    problem : str
        What is wrong with the value or the shapes; empty for a right formula.
    shapes : tuple of TermShape
        Every part in the order of evaluation, the offending one last.
    difference : float or None
        The largest difference by the largest entry of the true value; None where there is none.
    slips : tuple of Slip
        The fewest slips that explain it; empty if none were found.
    mended : Equation or None
        The given formula without the slips.
    nearest : Equation
        The right formula in this convention.
    elsewhere : tuple of str
        Where the formula is right as it stands.
    draws : int
        The random batches on which it was compared.
    reading : str
        How names that can mean several things were read, and what was taken for granted; empty where nothing was.
    notation : {"numpy", "latex", "octave"}
        The formula's.
    own_names : mapping of str to str
        How the formula calls arrays and functions of the convention.

    Examples
    --------
    >>> from jacobians import audit
    >>> found = audit("dW1 = dZ1.T @ X", "cs231n")
    >>> found.verdict, bool(found)
    ('does not conform', False)
    """

    formula: str
    convention: str
    claim: str
    verdict: Verdict
    problem: str
    shapes: tuple[TermShape, ...]
    difference: float | None
    slips: tuple[Slip, ...]
    mended: Equation | None
    nearest: Equation
    elsewhere: tuple[str, ...]
    draws: int
    reading: str = ""
    notation: str = "numpy"
    own_names: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.verdict == "right"

    @property
    def slip(self) -> str | None:
        """The slip's name, such as ``missing-1/N``; names of several joined by " and "; None if there is none."""
        return " and ".join(slip.name for slip in self.slips) or None

    @property
    def explanation(self) -> str:
        """One sentence."""
        if self.verdict == "right":
            return (
                f"The formula is right in {self.convention}{self._turned}." if self._turned else "The formula is right."
            )
        if self.slips:
            return _sentence("; and ".join(slip.clause for slip in self.slips))
        return _sentence(f"{self.problem}; no slip of the catalogue explains it")

    def __repr__(self) -> str:
        return f"Audit({self.verdict}: {self.formula}; print it to read it)"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    @property
    def _turned(self) -> str:
        """How the batch lies where that is not as the convention's code keeps it, which the verdict depends on."""
        found = re.search(r"with one example a (row|column)", self.reading)
        if self.verdict != "right" or found is None:
            return ""
        return f"'s text, {found[0]}; its code keeps one a {'column' if found[1] == 'row' else 'row'}"

    def _lines(self) -> Iterator[str]:
        yield self.formula.strip()
        yield ""
        yield from wrapped(f"{self.verdict} in {self.convention}{self._turned} ({self.claim})")
        if self.verdict == "right":
            yield f"compared on {self.draws} random batches"
            yield from self._read_so()
            return
        yield from wrapped(_sentence(self.problem))
        if self.slips:
            yield from wrapped(f"Slip: {self.slip}. {self.explanation}")
        else:
            yield "No slip of the catalogue explains it."
        yield from self._read_so()
        yield ""
        if self.mended is not None and self.mended.numpy != self.nearest.numpy:
            yield f"mended        {in_own_words(self.mended, self.notation, self.own_names)}"
        right = in_own_words(self.nearest, self.notation, self.own_names)
        yield f"right         {right}"
        if self.notation != "numpy":
            yield f"in NumPy      {self.nearest.numpy}"
        yield f"in symbols    {self.nearest.text}"
        if self.elsewhere:
            yield from wrapped(f"right in      {', '.join(self.elsewhere)}", "              ")
        if self.shapes:
            yield "\nshapes"
        width = min(max((len(row.text) for row in self.shapes), default=0), _WIDTH - 20)
        for row in self.shapes:
            size = shown(row.shape) if row.shape is not None else "does not fit  ←"
            yield f"  {_short(row.text, width):<{width}}  {size}"

    def _read_so(self) -> Iterator[str]:
        if self.reading:
            yield from wrapped(f"read so: {self.reading}", "         ")

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain numbers and strings, ready for JSON."""
        return {
            "formula": self.formula,
            "convention": self.convention,
            "claim": self.claim,
            "verdict": self.verdict,
            "problem": self.problem,
            "shapes": [{"text": r.text, "shape": None if r.shape is None else list(r.shape)} for r in self.shapes],
            "difference": self.difference,
            "slip": self.slip,
            "slips": [{"name": slip.name, "clause": slip.clause} for slip in self.slips],
            "explanation": self.explanation,
            "mended": None if self.mended is None else self.mended.numpy,
            "nearest": {"numpy": self.nearest.numpy, "latex": self.nearest.latex, "text": self.nearest.text},
            "in_own_words": in_own_words(self.nearest, self.notation, self.own_names),
            "elsewhere": list(self.elsewhere),
            "draws": self.draws,
            "reading": self.reading,
        }

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><code>{escape(r.text)}</code></td>"
            f"<td>{escape(shown(r.shape)) if r.shape is not None else '<b>does not fit</b>'}</td></tr>"
            for r in self.shapes
        )
        head = (
            f"<p><code>{escape(self.formula)}</code></p><p><b>{escape(self.verdict)}</b> in {escape(self.convention)}"
        )
        if self.verdict == "right":
            return f"<div>{head}{escape(self._turned)}</p></div>"
        elsewhere = f"<p>Right in {escape(', '.join(self.elsewhere))}.</p>" if self.elsewhere else ""
        return (
            f"<div>{head}: {escape(self.explanation)}</p><p>Right: {self.nearest.mathml}</p>{elsewhere}"
            f"<table><tr><th>part</th><th>shape</th></tr>{rows}</table></div>"
        )


def shown(shape: Shape) -> str:
    """Return a shape as text: 3×4, vector of 5, or scalar."""
    return f"vector of {shape[0]}" if len(shape) == 1 else show_shape(shape)


def _sentence(text: str) -> str:
    """A clause as a sentence, with a capital and a full stop; it begins with a word, or a symbol in backticks."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def wrapped(text: str, indent: str = "") -> list[str]:
    """Return a text in lines of the width of a report."""
    return textwrap.wrap(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
