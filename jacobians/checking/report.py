"""The outcome of a check: a verdict, the reasons, and each parameter's worst entry, as text and HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal, TypeAlias

from jacobians.arrays import Shape, counted
from jacobians.checking.by_direction import DirectionsCheck
from jacobians.checking.numerical import Calls
from jacobians.checking.promises import Promises

_HEADERS = ("parameter", "worst at", "given", "expected", "differ", "allowed", "seen from", "")
_WIDTH = 80


def as_text(check: GradientCheck) -> str:
    """Return the verdict, the reasons, and one line for each parameter."""
    lines = [f"{check.of} check: {check.verdict.upper()}"]
    for mark, texts in (("- ", check.reasons), ("note: ", check.notes)):
        for text in texts:
            lines += textwrap.wrap(text, _WIDTH, initial_indent=mark, subsequent_indent="  ")
    if check.parameters:
        rows = [_HEADERS, *(_row(p) for p in check.parameters)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADERS))]
        # the name and the place give way, so that the table stays within the page
        spare = _WIDTH - sum(widths[2:]) - 2 * (len(widths) - 1)
        widths[1] = min(widths[1], max(8, spare - min(widths[0], 10)))
        widths[0] = min(widths[0], max(5, spare - widths[1]))
        lines.append("")
        for row in rows:
            cells = [_cut(row[i], widths[i]) for i in range(2)]
            cells = [c.ljust(w) for c, w in zip(cells, widths[:2], strict=True)]
            cells += [c.rjust(w) for c, w in zip(row[2:-1], widths[2:-1], strict=True)]
            lines.append("  ".join([*cells, row[-1]]).rstrip())
        lines.append("")
    lines += textwrap.wrap(_summary(check), _WIDTH)
    return "\n".join(lines)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _row(p: ParameterCheck) -> tuple[str, ...]:
    verdict = {"pass": "ok", "fail": "WRONG", "inconclusive": "?"}[p.verdict]
    seen = f"{p.smallest:.0e}"
    if p.index is None:
        return (p.name, "–", "–", "–", "–", "–", seen, verdict)
    place = ",".join(map(str, p.index)) or "scalar"
    if p.output:
        place = f"{','.join(map(str, p.output))} by {place}"
    return (
        p.name,
        place,
        f"{p.given:.5g}",
        f"{p.expected:.5g}",
        f"{p.difference:.0e}",
        f"{p.tolerance:.0e}",
        seen,
        verdict,
    )


def _summary(check: GradientCheck) -> str:
    parts = []
    if any(p.output for p in check.parameters):
        parts.append("The worst entry of a Jacobian is named by its output's place, by the place in the parameter.")
    if check.along is not None and check.along.directions > check.along.unresolved:
        parts.append(
            f"{counted(check.along.directions, 'random direction')}: off by {check.along.error:.0e}, resolved "
            f"{check.along.resolved:.0e}; an error of norm {check.along.smallest:.0e} is missed with probability below "
            f"{check.along.failure_probability:.0e}."
        )
    checked = sum(p.checked for p in check.parameters)
    if checked:
        parts.append(f"{counted(checked, 'entry', 'entries')} compared.")
    parts.append(
        f"It took {check.seconds:.2g} s, {counted(check.evaluations, 'evaluation')} of the function and "
        f"{check.derivative_evaluations} of the derivative."
    )
    return " ".join(parts)


def as_html(check: GradientCheck) -> str:
    """Return the same as an HTML fragment, with every text escaped."""
    reasons = "".join(f"<li>{escape(text)}</li>" for text in (*check.reasons, *check.notes))
    head = "".join(f"<th>{escape(text)}</th>" for text in _HEADERS)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _row(p)) + "</tr>" for p in check.parameters)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    listed = f"<ul>{reasons}</ul>" if reasons else ""
    title = f"<b>{escape(check.of)} check: {escape(check.verdict)}</b>"
    return f"<div>{title}{listed}{table}<p>{escape(_summary(check))}</p></div>"


Verdict: TypeAlias = Literal["pass", "fail", "inconclusive"]
Derivative: TypeAlias = Literal["gradient", "Jacobian", "Hessian"]


@dataclass(frozen=True)
class ParameterCheck:
    """What was found of one parameter.

    Attributes
    ----------
    name, shape
        Of the parameter.
    verdict : {"pass", "fail", "inconclusive"}
    checked : int
        Entries compared one by one.
    wrong, kinks : int
        Entries confirmed wrong; entries at which the function has a kink.
    suspects : int
        Entries that differ at first sight and were not examined, since enough wrong ones were found.
    index : tuple of int or None
        The worst entry: that whose difference is largest against its tolerance.
    output : tuple of int
        The output that it belongs to; () for a gradient.
    given, expected : float
        The caller's value there, and the reference; at a kink the nearest value that is right.
    tolerance : float
        What the reference leaves open there.
    smallest : float
        The smallest error that would have been seen in every entry compared; along directions, in the norm.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import check_gradient
    >>> found = check_gradient(lambda w: float((w * w).sum()), lambda w: 2 * w, np.ones(3))
    >>> [parameter.verdict for parameter in found.parameters]
    ['pass']
    """

    name: str
    shape: Shape
    verdict: Verdict
    checked: int
    wrong: int
    kinks: int
    suspects: int
    index: tuple[int, ...] | None
    output: tuple[int, ...]
    given: float
    expected: float
    tolerance: float
    smallest: float

    @property
    def difference(self) -> float:
        """The absolute difference at the worst entry."""
        return abs(self.given - self.expected)


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """The outcome of `check_gradient` or `check_jacobian`.

    It is true only if the verdict is "pass", so ``assert check_gradient(…)`` refuses what is inconclusive too.

    Attributes
    ----------
    verdict : {"pass", "fail", "inconclusive"}
    reasons : tuple of str
        Why it is not a pass; empty for a pass.
    notes : tuple of str
        What is worth knowing and no fault.
    parameters : tuple of ParameterCheck
        Empty if nothing could be compared.
    along : DirectionsCheck or None
        The comparison along random directions.
    evaluations, derivative_evaluations : int
        Calls of the function and of its derivative.
    seconds : float
    of : {"gradient", "Jacobian", "Hessian"}
        What was checked.

    Examples
    --------
    >>> from jacobians.checking import check_gradient
    >>> import numpy as np
    >>> check = check_gradient(lambda x: float(x @ x), lambda x: 2 * x, np.arange(3.0))
    >>> check.verdict, bool(check), check.reasons
    ('pass', True, ())
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    parameters: tuple[ParameterCheck, ...]
    along: DirectionsCheck | None
    evaluations: int
    derivative_evaluations: int
    seconds: float
    of: Derivative = "gradient"

    def __bool__(self) -> bool:
        return self.verdict == "pass"

    @property
    def worst(self) -> ParameterCheck | None:
        """The parameter whose difference is largest against its tolerance."""
        compared = [p for p in self.parameters if p.index is not None]
        return max(compared, key=lambda p: p.difference / p.tolerance if p.tolerance else 0.0, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings and lists, ready for JSON."""
        found = asdict(self)
        for parameter, own in zip(found["parameters"], self.parameters, strict=True):
            parameter["difference"] = own.difference
        return found

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return f"<GradientCheck: {self.verdict}{': ' + self.reasons[0] if self.reasons else ''}>"

    def _repr_html_(self) -> str:
        return as_html(self)


def failed(parameters: Sequence[ParameterCheck], along: DirectionsCheck | None) -> bool:
    """Return whether a value was found wrong."""
    return any(p.verdict == "fail" for p in parameters) or (along is not None and not along.passed)


def concluded(
    promises: Promises,
    fun: Calls,
    derivative: Calls,
    seconds: float,
    parameters: Sequence[ParameterCheck] = (),
    along: DirectionsCheck | None = None,
    reasons: Sequence[str] = (),
) -> GradientCheck:
    """Return the outcome: a fault or a wrong value is a failure; where nothing could be compared it is inconclusive."""
    wrong = promises.faults or failed(parameters, along)
    verdict: Verdict = "fail" if wrong else "inconclusive" if reasons else "pass"
    kinks = sum(p.kinks for p in parameters)
    notes = list(promises.notes)
    if kinks:
        notes.append(
            f"kink: {counted(kinks, 'entry lies', 'entries lie')} at a kink of the function; any value between the "
            "one-sided slopes is right"
        )
    if along is not None and along.unresolved:
        said = "meets a kink and says nothing" if along.unresolved == 1 else "meet kinks and say nothing"
        notes.append(f"{along.unresolved} of {counted(along.directions, 'random direction')} {said}")
    return GradientCheck(
        verdict,
        tuple(dict.fromkeys((*promises.faults, *reasons))),
        tuple(dict.fromkeys(notes)),
        tuple(parameters),
        along,
        fun.count,
        derivative.count,
        seconds,
    )
