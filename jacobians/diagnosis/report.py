"""What a diagnosis says: the causes in order, each with numbers and a mend, as text, HTML and plain data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal, TypeAlias

from jacobians.diagnosis.distances import ParameterFinding

Verdict: TypeAlias = Literal["right", "explained", "ambiguous", "unexplained"]

_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Cause:
    """One explanation of a wrong gradient.

    Attributes
    ----------
    name : str
        Stable and lower-case, such as ``missing-1/N``.
    family : str
        "scale", "activation", "loss", "regulariser", "bias", "layout", "data", "state" or "extremes"; of a Hessian also
        "second derivative".
    title : str
        What is wrong, as a clause.
    layer : int or None
        The layer, counted from 1.
    evidence : str
        The numbers that speak for it.
    mend : str
        One sentence.
    residual : float
        What the cause leaves of the difference to the right gradient: 0 explains all of it, 1 nothing.
    exact : bool
        Whether rounding explains what is left.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network, diagnose
    >>> net = Network.dense((4, 3, 2))
    >>> params, X, y = net.init(0), np.eye(4), np.array([0, 1, 1, 0])
    >>> gradient = net.gradient(params, X, y)
    >>> gradient["W2"] = -gradient["W2"]
    >>> diagnose(gradient, net, params, X, y).causes[0].name
    'sign'
    """

    name: str
    family: str
    title: str
    layer: int | None
    evidence: str
    mend: str
    residual: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a gradient is wrong, or that it is right.

    Attributes
    ----------
    verdict : {"right", "explained", "ambiguous", "unexplained"}
        "ambiguous" where several causes give this very gradient on this data.
    causes : tuple of Cause
        The most plausible first. Where none fits exactly, the nearest ones.
    parameters : tuple of ParameterFinding
        How each parameter's gradient compares with the right one.
    separate : tuple of str
        Inputs that would tell the causes of an ambiguous verdict apart; each was tried.
    hidden : tuple of str
        For a right gradient: mistakes that change nothing on this data, so that no comparison could see them.
    notes : tuple of str
    tried : int
        Slips of the right gradient that were compared.
    pairs : int
        Pairs of slips that give this very gradient, where no slip alone does; `causes` has the most usual pair.
    subject : {"gradient", "Hessian"}

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network, diagnose
    >>> net = Network.dense((4, 3, 2))
    >>> params, X, y = net.init(0), np.eye(4), np.array([0, 1, 1, 0])
    >>> gradient = net.gradient(params, X, y)
    >>> gradient["W2"] = -gradient["W2"]
    >>> print(diagnose(gradient, net, params, X, y).headline)
    2 causes give this very gradient on this data.
    """

    verdict: Verdict
    causes: tuple[Cause, ...]
    parameters: tuple[ParameterFinding, ...]
    separate: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tried: int = 0
    pairs: int = 0
    subject: Literal["gradient", "Hessian"] = "gradient"

    @property
    def right(self) -> bool:
        """Whether the gradient is right, to the precision of its numbers."""
        return self.verdict == "right"

    @property
    def cause(self) -> Cause | None:
        """The most plausible cause that fits exactly; None if there is none."""
        return next((cause for cause in self.causes if cause.exact), None)

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        wrong = [p.name for p in self.parameters if not p.right]
        if self.verdict == "right":
            return f"The {self.subject} is right."
        if self.verdict == "explained" and len(self.causes) == 1:
            return f"{_capital(self.causes[0].title)}."
        if self.verdict == "explained":
            return f"{len(self.causes)} causes together: {'; and '.join(c.title for c in self.causes)}."
        if self.verdict == "ambiguous" and self.pairs:
            return f"{self.pairs} pairs of causes give this very gradient on this data; this is the most usual one."
        if self.verdict == "ambiguous":
            return f"{len(self.causes)} causes give this very {self.subject} on this data."
        where = f" Wrong: {', '.join(wrong)}." if wrong else ""
        near = [c for c in self.causes if not c.exact]
        closest = (
            f" The closest is: {near[0].title}; it leaves {_share(near[0].residual)} of the difference."
            if near
            else " None comes near: each leaves most of the difference."
        )
        return f"No cause of the catalogue matches.{where}{closest}"

    def __repr__(self) -> str:
        return f"Diagnosis({self.verdict}: {self.headline} Print it to read it)"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from _wrapped(self.headline, "")
        if self.verdict != "right":
            yield from self._table()
        for i, cause in enumerate(self.causes, start=1):
            alone = self.verdict == "explained" and len(self.causes) == 1
            if not alone:
                yield ""
                yield from _wrapped(f"{i}. {_capital(cause.title)}.", "   ", first="")
            yield from _wrapped(f"Evidence: {cause.evidence}.", "   ")
            yield from _wrapped(f"Mend: {cause.mend}", "   ")
        if self.separate:
            yield ""
            yield from _wrapped(f"To tell them apart: {'; or '.join(self.separate)}.", "")
        elif self.verdict == "ambiguous" and not self.pairs:
            yield ""
            yield from _wrapped("No input that was tried tells them apart.", "")
        if self.hidden:
            yield ""
            yield from _wrapped(f"On this data it could not be seen if {'; '.join(self.hidden)}.", "")
        for note in self.notes:
            yield from _wrapped(f"Note: {note}.", "")

    def _table(self) -> Iterator[str]:
        yield ""
        width = max((len(p.name) for p in self.parameters), default=0)
        for p in self.parameters:
            if p.right:
                yield f"   {p.name:<{width}}  right"
                continue
            if p.came and p.fits:
                yield f"   {p.name:<{width}}  wrong  {p.came}, and right but for that"
                continue
            ratio = "" if p.ratio is None else f"  norm × {p.ratio:.4g}"
            cosine = "" if p.cosine is None else f"  cosine {p.cosine:+.4f}"
            yield f"   {p.name:<{width}}  wrong  error {p.error:.2e}{ratio}{cosine}"

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain numbers and strings, ready for JSON."""
        return {
            "verdict": self.verdict,
            "headline": self.headline,
            "causes": [asdict(cause) for cause in self.causes],
            "parameters": [p.to_dict() for p in self.parameters],
            "separate": list(self.separate),
            "hidden": list(self.hidden),
            "notes": list(self.notes),
            "tried": self.tried,
            "pairs": self.pairs,
        }

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(p.name)}</td><td>{_verdict(p)}</td><td>{p.error:.2e}</td></tr>" for p in self.parameters
        )
        causes = "".join(
            f"<li><b>{escape(_capital(c.title))}.</b> {escape(_capital(c.evidence))}.<br><i>{escape(c.mend)}</i></li>"
            for c in self.causes
        )
        apart = f"<p>To tell them apart: {escape('; or '.join(self.separate))}.</p>" if self.separate else ""
        hidden = f"<p>Not visible on this data: {escape('; '.join(self.hidden))}.</p>" if self.hidden else ""
        notes = "".join(f"<p>{escape(_capital(note))}.</p>" for note in self.notes)
        table = f"<table><tr><th>parameter</th><th></th><th>error</th></tr>{rows}</table>"
        return f"<div><p><b>{escape(self.headline)}</b></p>{table}<ol>{causes}</ol>{apart}{hidden}{notes}</div>"


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _verdict(p: ParameterFinding) -> str:
    return "right" if p.right else f"wrong: {p.came}" if p.came else "wrong"


def _share(residual: float) -> str:
    """A residual in plain words: 70 %, or 0.031 % where that is more than rounding."""
    return f"{100 * residual:.2g} %"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
