"""`ProgramAudit`: what is said of a program, as text with the user's own lines, as plain data, and in a notebook."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, TypeAlias

Verdict: TypeAlias = Literal["right", "wrong", "not judged"]
_WIDTH = 80
FAILING = ("shapes-do-not-fit", "missing-key", "fails")
"""Slips that keep a program from running to its end."""
_MARKS = {"right": "✓", "wrong": "✗", "not judged": "?"}


@dataclass(frozen=True, eq=False)
class GradientVerdict:
    """What is said of one gradient.

    Attributes
    ----------
    name : str
        As the program calls it.
    parameter : str
    line : int
        Where it has its last value.
    where : str
        The line, as it is called: within a notebook by its cell.
    text : str
        The user's own line.
    verdict : {"right", "wrong", "not judged"}
    shape : tuple of int
    difference : float or None
        The largest difference from the derivative by its largest entry; None where the shapes differ.
    seen : float
        The smallest such difference that would have been seen.
    why : str
        Why it is not judged; empty where it is.

    Examples
    --------
    >>> from jacobians import audit_program
    >>> found = audit_program('''
    ... E = X @ W - y
    ... loss = (E ** 2).sum()
    ... dW = X.T @ E
    ... ''')
    >>> [(one.name, one.verdict) for one in found.gradients]
    [('dW', 'wrong')]
    """

    name: str
    parameter: str
    line: int
    where: str
    text: str
    verdict: Verdict
    shape: tuple[int, ...]
    difference: float | None
    seen: float
    why: str = ""


@dataclass(frozen=True, eq=False)
class Fault:
    """A line that is wrong.

    Attributes
    ----------
    line : int
    where : str
    text : str
        The user's own line.
    slip : str
        Its kind, such as ``bias-summed-over-all``; empty where none explains it.
    words : str
        What is wrong, in one clause.
    should_be : str
        The line as it should be, in the program's own names; empty where it is not known.
    beside : int
        A line that it disagrees with; 0 where there is none.
    beside_text : str
    gradients : tuple of str
        Those that are wrong because of it.
    """

    line: int
    where: str
    text: str
    slip: str
    words: str
    should_be: str
    beside: int
    beside_text: str
    gradients: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Failure:
    """A way into a program that could not be followed to its end.

    Attributes
    ----------
    entry : str
        The function, class or lines.
    why : str
        What fails, in words: which shapes do not fit, which key is missing.
    line : int
        0 where no line is meant.
    where : str
    text : str
        The user's own line.
    construct : str
        The part of the line that fails.
    shapes : tuple of (str, tuple of int)
        What it was done to, each part as it is written with its shape.
    gradients : tuple of str
        Those that are not judged because of it.
    data : str
        The random data that the program was given, in words.
    by_itself : bool
        Whether the program's own data are at fault, and no random ones, so that it fails wherever it is run.
    """

    entry: str
    why: str
    line: int
    where: str
    text: str
    construct: str
    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    gradients: tuple[str, ...]
    data: str
    by_itself: bool = False


@dataclass(frozen=True, eq=False)
class EntryAudit:
    """What is said of one way into a program.

    Attributes
    ----------
    name : str
        The function, class or lines.
    loss : str
    loss_line : int
    loss_inferred : bool
        Whether the program computes no loss, and it was taken to be one of the usual ones.
    gradients : tuple of GradientVerdict
    faults : tuple of Fault
        In the order of the lines' first being run.
    data : str
        The random data that the program was given, in words.
    convention : str
        Of a dense net: the library's convention in which its gradients are the derivatives of the program's loss;
        empty where none is.
    derivation : tuple of (str, str)
        In that convention, what the library derives for each gradient: its name in the program, and the formula.
    """

    name: str
    loss: str
    loss_line: int
    loss_inferred: bool
    gradients: tuple[GradientVerdict, ...]
    faults: tuple[Fault, ...]
    data: str
    convention: str = ""
    derivation: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class ProgramAudit:
    """Whether a program's gradients are right, and if not, which line slipped. It is true where all are right.

    Attributes
    ----------
    name : str
        The file's name.
    verdict : {"right", "wrong", "not judged"}
    entries : tuple of EntryAudit
    unread : tuple of (int, str)
        Lines with a construct that is not read, and which.
    failures : tuple of Failure
        Entries that could not be run to their end.
    assumed : tuple of (str, str)
        Functions that the file does not define, and the meaning that was taken.
    check : str
        The command that runs the user's own code instead; empty where all was judged.

    Examples
    --------
    >>> from jacobians import audit_program
    >>> found = audit_program('''
    ... E = X @ W - y
    ... loss = (E ** 2).sum()
    ... dW = X.T @ E
    ... ''')
    >>> found.verdict, found.first_wrong_line
    ('wrong', 4)
    """

    name: str
    verdict: Verdict
    entries: tuple[EntryAudit, ...]
    unread: tuple[tuple[int, str], ...]
    failures: tuple[Failure, ...]
    assumed: tuple[tuple[str, str], ...]
    check: str

    def __bool__(self) -> bool:
        return self.verdict == "right"

    @property
    def gradients(self) -> tuple[GradientVerdict, ...]:
        """Those of all entries."""
        return tuple(g for entry in self.entries for g in entry.gradients)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those of all entries."""
        return tuple(f for entry in self.entries for f in entry.faults)

    @property
    def first_wrong_line(self) -> int | None:
        """The line of the first fault, or on which the program fails by itself; None where nothing is wrong."""
        if self.faults or self.verdict != "wrong":
            return self.faults[0].line if self.faults else None
        return next((failure.line for failure in self.failures if failure.by_itself), None)

    @property
    def summary(self) -> str:
        """One line."""
        verdicts = [g.verdict for g in self.gradients]
        left = verdicts.count("not judged")
        count = f"{verdicts.count('right')} of {len(verdicts)} gradients right" + (f", {left} not judged" * bool(left))
        others = [failure.entry for failure in self.failures if not failure.by_itself]
        count += f", not judged: {', '.join(others)}" * bool(others)
        if self.verdict == "right":
            return f"{self.name}: right ({count})"
        if self.verdict == "wrong":
            first = self.faults[0] if self.faults else None
            itself = next((f for f in self.failures if f.by_itself), None)
            if first is None and itself is not None:
                said = f" ({count})" if verdicts else ""
                return f"{self.name}: wrong{said}; {itself.where} fails: {itself.why}"
            return f"{self.name}: wrong ({count})" + (f"; {first.where}: {first.words}" if first else "")
        first_failure = next((f for f in self.failures if f.line), None)
        where = f": {first_failure.where}: {first_failure.why}" if first_failure else ""
        if not where and self.failures and not verdicts:
            where = f": {self.failures[0].why}"
        return f"{self.name}: not judged" + (where or (f" ({count})" if "right" in verdicts else ""))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        short = self.summary.split(";")[0] if self.verdict == "wrong" else self.summary
        yield short if self.verdict != "not judged" or not self.failures else f"{self.name}: not judged"
        for entry in self.entries:
            yield ""
            yield from _lines_of_entry(entry)
        for failure in self.failures:
            yield ""
            yield from _lines_of_failure(failure)
        for line, construct in self.unread:
            yield f"\nline {line}: not read: {construct}"
        if self.assumed:
            yield ""
            for name, meaning in self.assumed:
                yield f"assumed: {name} is {meaning}"
        if self.check:
            yield ""
            yield from _wrapped(f"To judge it by running it: {self.check}")

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain numbers and strings, ready for JSON."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "summary": self.summary,
            "first_wrong_line": self.first_wrong_line,
            "entries": [
                {
                    "name": e.name,
                    "loss": e.loss,
                    "loss_line": e.loss_line,
                    "loss_inferred": e.loss_inferred,
                    "data": e.data,
                    "convention": e.convention,
                    "derivation": [list(pair) for pair in e.derivation],
                    "gradients": [{**vars(g), "shape": list(g.shape)} for g in e.gradients],
                    "faults": [{**vars(f), "gradients": list(f.gradients)} for f in e.faults],
                }
                for e in self.entries
            ],
            "unread": [{"line": line, "construct": construct} for line, construct in self.unread],
            "failures": [
                {**vars(f), "shapes": [[text, list(shape)] for text, shape in f.shapes], "gradients": list(f.gradients)}
                for f in self.failures
            ],
            "assumed": [{"name": name, "meaning": meaning} for name, meaning in self.assumed],
            "check": self.check,
        }

    def _repr_html_(self) -> str:
        blocks = [f"<p><b>{escape(self.summary)}</b></p>"]
        for entry in self.entries:
            blocks.append(f"<p>{escape(entry.name)}, with respect to {escape(entry.loss)}</p>")
            for fault in entry.faults:
                mended = f"<br><ins>{escape(fault.should_be)}</ins>" if fault.should_be else ""
                blocks.append(
                    f"<p>{escape(fault.where)}: {escape(_sentence(fault.words, fault.text))}.</p>"
                    f"<pre><del>{escape(fault.text)}</del>{mended}</pre>"
                )
            rows = "".join(
                f"<tr><td>{_MARKS[g.verdict]}</td><td><code>{escape(name)}</code></td><td>{escape(g.verdict)}</td>"
                f"<td>{escape(g.where)}</td><td><code>{escape(g.text)}</code></td><td>{escape(g.why)}</td></tr>"
                for g, name in zip(entry.gradients, _told_apart(entry.gradients), strict=True)
            )
            blocks.append(f"<table>{rows}</table>")
            if entry.derivation:
                lines = "".join(
                    f"<tr><td><code>{escape(name)}</code></td><td>{escape(formula)}</td></tr>"
                    for name, formula in entry.derivation
                )
                blocks.append(f"<p>derived by the library, in the convention {escape(entry.convention)}:</p>")
                blocks.append(f"<table>{lines}</table>")
        for failure in self.failures:
            why = _sentence(failure.why, failure.text)
            blocks.append(
                f"<p>{escape(failure.entry)}: {escape(failure.where)}: {escape(why)}.</p>"
                + (f"<pre>{escape(failure.text)}</pre>" if failure.text else "")
            )
        return f"<div>{''.join(blocks)}</div>"


def _lines_of_entry(entry: EntryAudit) -> Iterator[str]:
    yield from _wrapped(f"{entry.name}, with respect to {entry.loss}")
    if entry.data:
        yield from _wrapped(f"  on random data: {entry.data}", "  ")
    for fault in entry.faults:
        yield ""
        yield f"  {fault.where}"
        yield f"  → {fault.text}"
        if fault.should_be:
            yield f"  + {fault.should_be}"
        slip = f" ({fault.slip})" if fault.slip else ""
        yield from _wrapped(f"    {_sentence(fault.words, fault.text)}{slip}.", "    ")
        if fault.beside and fault.beside != fault.line:
            yield f"    line {fault.beside}: {fault.beside_text}"
        if fault.gradients:
            verdict = "not judged" if fault.slip in FAILING else "wrong"
            yield from _wrapped(f"    {verdict} because of it: {', '.join(fault.gradients)}", "    ")
    yield ""
    names = _told_apart(entry.gradients)
    width = max(map(len, names), default=0)
    for g, name in zip(entry.gradients, names, strict=True):
        far = "" if g.verdict != "wrong" else _far(g)
        start = f"  {_MARKS[g.verdict]} {name:<{width}}  {g.verdict}{far}   {g.where}: "
        yield start + _short(g.text, max(_WIDTH - len(start), _LEAST))
        if g.why:
            yield from _wrapped(f"    {g.why}", "    ")
    if entry.derivation:
        yield ""
        yield f"  derived by the library, in the convention {entry.convention}:"
        width = max(len(name) for name, _ in entry.derivation)
        for name, formula in entry.derivation:
            yield f"    {name:<{width}}  {formula}"


def _lines_of_failure(failure: Failure) -> Iterator[str]:
    if not failure.text:
        where = f" ({failure.where})" if failure.where else ""
        yield from _wrapped(f"{failure.entry}: not judged: {failure.why}{where}", "  ")
        return
    yield from _wrapped(f"{failure.entry}: {'fails by itself, on its own data' if failure.by_itself else 'not judged'}")
    if failure.data:
        yield from _wrapped(f"  on random data: {failure.data}", "  ")
    yield ""
    yield f"  {failure.where}"
    yield f"  → {failure.text}"
    yield from _wrapped(f"    {_sentence(failure.why, failure.text)}.", "    ")
    if failure.gradients:
        yield from _wrapped(f"    not judged because of it: {', '.join(failure.gradients)}", "    ")


def _far(gradient: GradientVerdict) -> str:
    return " (its shape)" if gradient.difference is None else f" (off by {gradient.difference:.2g})"


def _told_apart(gradients: Sequence[GradientVerdict]) -> list[str]:
    """The gradients' names, with their shapes where several have one name: those of one layer and the next."""
    counts = Counter(g.name for g in gradients)
    return [g.name if counts[g.name] == 1 else f"{g.name} {g.shape}" for g in gradients]


_LEAST = 24
"""Characters of a line that are shown, however long the name before it is."""


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _sentence(words: str, code: str) -> str:
    """The words with a capital in front, except where they begin with a name of the code."""
    first = re.match(r"\w*", words)
    named = first is not None and first[0] in re.findall(r"\w+", code)
    named = named or re.match(r"\w+[\[.(]\w?|\w*[_\d]", words) is not None
    return words if named else words[:1].upper() + words[1:]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
