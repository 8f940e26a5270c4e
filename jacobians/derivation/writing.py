"""What derivations write themselves with: formulas on lines of a width, steps and shapes, as text, LaTeX and HTML."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html import escape

from jacobians.arrays import Shape, show_shape
from jacobians.derivation.equations import Definition, Equation, JacobianChain, Recurrence, Step
from jacobians.derivation.numpy_program import equations_of
from jacobians.symbols.text import TextNotation

# --- parts of the text -----------------------------------------------------------------------------------

NARROWEST = 24
"""Columns below which a width that is asked for is taken as this one."""


def folded(text: str, width: int, first: str = "  ", rest: str = "      ") -> list[str]:
    """Return a formula on as many lines as it takes: broken at spaces outside all brackets, where there is one.

    Parameters
    ----------
    text : str
    width : int
    first, rest : str
        What the first line and the others begin with.
    """
    pieces, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == " " and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += character
    lines = [first + pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + 1 + len(piece) > width and lines[-1].strip():
            lines.append(rest + piece)
        else:
            lines[-1] += " " + piece
    return [line for whole in lines for line in _at_any_space(whole, width, rest)]


def _at_any_space(line: str, width: int, rest: str) -> list[str]:
    """The line itself where it fits, else broken at any space, since a bracket may be wider than the width."""
    fits = len(line) <= width
    return [line] if fits else textwrap.wrap(line, width, subsequent_indent=rest, break_long_words=False)


def prose(text: str, width: int, first: str = "", rest: str = "  ") -> list[str]:
    """Return lines of words; what a short pair of brackets holds stays together."""
    kept = re.sub(r"[(\[][^()\[\]]{1,24}[)\]]", lambda bracket: bracket[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(kept, width, initial_indent=first, subsequent_indent=rest, break_long_words=False)
    return [line.replace("\0", " ") for line in lines]


def shape_lines(shapes: Mapping[str, Shape], width: int) -> list[str]:
    """Return the shapes of all named arrays, several a line."""
    texts = (f"{TextNotation().symbol(name)} {show_shape(shape)}" for name, shape in shapes.items() if shape != ())
    return shape_cells(texts, width)


def lines_text(lines: Iterable[Definition | Recurrence], width: int) -> Iterator[str]:
    """Every equation, and the uses that a cotangent is the sum of."""
    for line in lines:
        if isinstance(line, Recurrence):
            yield f"  {line.header}:"
            yield from (f"  {text}" for text in lines_text(line.lines, width - 2))
        else:
            yield from folded(line.equation.text, width)
            if line.uses:
                yield f"      {_uses_text(line)}"


def _uses_text(line: Definition) -> str:
    """Why a cotangent is a sum."""
    uses = Counter(map(TextNotation().expr, line.uses))
    if len(line.uses) > 3:
        return f"one term for each of {len(line.uses)} uses"
    *others, last = [f"{use} (twice)" if count > 1 else use for use, count in uses.items()]
    return f"one term a use: in {', '.join(others)} and {last}" if others else f"one term a use: in {last}"


def shape_cells(cells: Iterable[str], width: int) -> list[str]:
    """A shape stays on one line with its array."""
    return prose(", ".join(cell.replace(" ", "\0") for cell in cells), width, "  ")


def chain_text(equation: Equation, width: int) -> Iterator[str]:
    """The left side as a title, then the chain, and under each factor its size as a matrix."""
    chain = equation.right
    if not isinstance(chain, JacobianChain):
        raise TypeError(f"{equation.text} is no chain")
    title = equation.text.partition(" = ")[0]
    yield from (title, "─" * len(title))
    notation = TextNotation()
    texts = [chain.factor_text(i, notation) for i in range(len(chain.factors))]
    sizes = [show_shape(size) for _, size in chain.factors]
    upper, lower = "  = ", "    "
    for text, size in zip(texts, sizes, strict=True):
        column = max(len(text), len(size))
        if len(upper) + column > width and upper.strip(" ="):
            yield from (upper.rstrip(), lower.rstrip())
            upper, lower = "      ", "      "
        upper += text.center(column) + "  "
        lower += size.center(column) + "  "
    yield from (upper.rstrip(), lower.rstrip())


def steps_text(steps: Iterable[Step], width: int) -> Iterator[str]:
    """Yield steps as numbered lines of text, each with its equation."""
    for number, step in enumerate(steps, 1):
        yield from prose(f"{number}. {step.rule}. {step.reason}", width, "  ", "     ")
        left, _, right = step.equation.text.partition(" = ")
        if left.startswith("∂J"):
            yield from folded(step.equation.text, width, "     ", "         ")
        else:
            yield from folded(right, width, "       = ", "         ")


# --- parts of the LaTeX ----------------------------------------------------------------------------------

_LATEX = {c: rf"\{c}" for c in "#$%&_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\^{}"}
_LATEX |= {"δ": r"$\delta$", "₀": "$_0$", "λ": r"$\lambda$", "α": r"$\alpha$", "′": "$'$"}


def latex_text(text: str) -> str:
    """Return text as LaTeX outside of math, with what is special there escaped."""
    return "".join(_LATEX.get(c, c) for c in text)


def latex_title(title: str) -> str:
    """Return the title of a derivation as LaTeX."""
    return rf"\subsection*{{{latex_text(title)}}}"


def align(equations: Iterable[Equation]) -> list[str]:
    """Return equations as the lines of one ``align*`` environment."""
    lines = [e.latex.replace(" = ", " &= ", 1) for e in equations]
    return [r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"]


def lines_latex(lines: Iterable[Definition | Recurrence]) -> Iterator[str]:
    """Yield lines as LaTeX; a recurrence says for which steps."""
    for alike, group in itertools.groupby(lines, lambda line: isinstance(line, Recurrence)):
        own = list(group)
        if not alike:
            yield from align(equation for line in own for equation in equations_of(line))
            continue
        for line in own:
            if isinstance(line, Recurrence):
                yield rf"For $t = {line.first}, \ldots, {line.last}$:"
                yield from align(line.equations)


def steps_latex(steps: Iterable[Step]) -> list[str]:
    """Return steps as an ``enumerate`` environment; nothing where there are none."""
    items = [rf"\item \emph{{{latex_text(s.rule)}}}: $\displaystyle {s.equation.latex}$" for s in steps]
    return [r"\begin{enumerate}", *items, r"\end{enumerate}"] if items else []


# --- parts of the HTML -----------------------------------------------------------------------------------


def html_titled(title: str, parts: Iterable[str]) -> str:
    """Return parts as one element under the title of a derivation."""
    return f"<div><h4>{escape(title)}</h4>{''.join(parts)}</div>"


def paragraphs(equations: Iterable[Equation]) -> list[str]:
    """Return equations as HTML, one a paragraph."""
    return [f"<p>{equation.mathml}</p>" for equation in equations]


def lines_html(lines: Iterable[Definition | Recurrence]) -> Iterator[str]:
    """Yield lines as HTML; a recurrence as a quotation under its steps."""
    for line in lines:
        if isinstance(line, Recurrence):
            yield f"<p>{escape(line.header)}:</p><blockquote>{''.join(lines_html(line.lines))}</blockquote>"
        else:
            yield f"<p>{line.equation.mathml}{f' ({escape(_uses_text(line))})' if line.uses else ''}</p>"


def steps_html(steps: Iterable[Step]) -> str:
    """Return steps as an ordered list."""
    items = "".join(
        f"<li><b>{escape(step.rule)}</b>: {escape(step.reason)} {step.equation.mathml}</li>" for step in steps
    )
    return f"<ol>{items}</ol>" if items else ""


def details(name: str, short: Equation, inner: Iterable[str]) -> str:
    """Return what is shown on request, under one formula."""
    summary = f"<summary>With respect to {escape(name)}: {escape(short.text)}</summary>"
    return f"<details>{summary}{''.join(inner)}</details>"
