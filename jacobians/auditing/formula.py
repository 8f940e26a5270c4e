"""`Formula`: a text in one of the notations, and `LeftSide`: what stands left of an equals sign."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from jacobians.auditing.course_words import LISTS, LOSS_NAMES
from jacobians.auditing.formula_text import Source, Span
from jacobians.auditing.latex_reader import LatexNames, read_latex
from jacobians.auditing.names import Scope
from jacobians.auditing.octave_reader import read_octave
from jacobians.auditing.python_reader import ENTRY_OF_DICT, name_of_entry, read_numpy
from jacobians.auditing.statements import Statement, assignments, statements
from jacobians.auditing.terms import Term

Notation: TypeAlias = Literal["numpy", "latex", "octave"]
NOTATIONS: tuple[Notation, ...] = ("numpy", "latex", "octave")


@dataclass(frozen=True)
class LeftSide:
    """A left side as it was written.

    Attributes
    ----------
    of : str or None
        What is differentiated, in ∂of/∂wrt; None where one name stands there.
    wrt : str
        The name, or what is differentiated by.
    span : (int, int)
    index : (int, int) or None
        What stands in brackets after the name, in dhidden[hidden <= 0] or grad(2:end).
    elements : str
        The letters of entries, in w_{jk}.
    """

    of: str | None
    wrt: str
    span: Span
    index: Span | None = None
    elements: str = ""

    @property
    def is_jacobian(self) -> bool:
        """Whether it is the derivative of something else than the loss."""
        return self.of is not None and self.of.rstrip("0123456789") not in LOSS_NAMES

    @property
    def name(self) -> str:
        """The name that an assignment to it sets."""
        return self.wrt if self.of is None else f"d{self.of}_d{self.wrt}"


@dataclass(frozen=True)
class Formula:
    """A text in one of the notations: one equation, or assignments one after the other.

    Attributes
    ----------
    source : Source
    notation : {"numpy", "latex", "octave"}
    statements : tuple of Assignment and Loop
    left : LeftSide
        Of the last assignment.
    """

    source: Source
    notation: Notation
    statements: tuple[Statement, ...]
    left: LeftSide

    @classmethod
    def of(cls, text: str, notation: Notation | None = None) -> Formula:
        """Return the formula of a text; its notation is told from what only one of them has.

        Raises
        ------
        FormulaError
            If it has no equals sign, or two in one assignment, or its left side is no name and no derivative.
        """
        found = notation or notation_of(str(text))
        source = Source.of(text, _COMMENTS[found])
        latex = found == "latex"
        whole = statements(source, latex=latex)
        *_, last = assignments(whole)
        return cls(source, found, whole, left_side(source, last.left, latex=latex))

    def term(self, scope: Scope) -> Term:
        """Return the right side of the last assignment."""
        *_, last = assignments(self.statements)
        return read(self.notation, self.source, last.right, scope)


_COMMENTS: dict[Notation, str] = {"numpy": "#", "octave": "[%#]", "latex": r"(?<!\\)%"}


def read(notation: Notation, source: Source, span: Span, scope: Scope) -> Term:
    """Return the term of what stands in a span of a source.

    Raises
    ------
    FormulaError
        If a name is unknown, or something is not of the notation.
    """
    readers = {"numpy": read_numpy, "latex": read_latex, "octave": read_octave}
    return readers[notation](source, span, scope)


def left_side(source: Source, span: Span, *, latex: bool) -> LeftSide:
    """Return what stands left of the equals sign.

    Raises
    ------
    FormulaError
        If it is no name and no derivative.
    """
    if latex:
        return _latex(source, span)
    text = source.part(span)
    start = span[0] + len(text) - len(text.lstrip())
    text = text.strip()
    place = (start, start + max(1, len(text)))
    name = r"[^\W\d]\w*"
    if found := re.fullmatch(rf"(?:{name}\.)*({name})", text):
        return LeftSide(None, found[1], place)
    if found := re.fullmatch(rf"(?:d|∂|partial_?)?({name})\s*/\s*(?:d|∂|partial_?)({name})", text):
        return LeftSide(found[1], found[2], place)
    if found := ENTRY_OF_DICT.fullmatch(text):
        return LeftSide(None, name_of_entry(found), place)
    found = re.fullmatch(rf"(?:{name}\.)*({name})\s*[\[(](.*)[\])]", text, re.DOTALL)
    if found and found[1] in LISTS and "," not in found[2] and "<" not in found[2] and ">" not in found[2]:
        return LeftSide(None, f"{found[1]}[{found[2]}]", place)
    if found:
        return LeftSide(None, found[1], place, (start + found.start(2), start + found.end(2)))
    raise source.error("the left side is a name such as dW1, or a derivative such as dL/dW1 or dZ1/dX", place)


def _latex(source: Source, span: Span) -> LeftSide:
    r"""A name, \frac{\partial L}{\partial W_1}, \partial L / \partial W_1, or \nabla_{W_1} L."""
    reader = LatexNames.of(source, span)
    tokens = reader.tokens
    place = (tokens.next.span[0], max(tokens.next.span[0] + 1, span[1]))

    elements: list[str] = []

    def name() -> str:
        found = "vec"
        while found == "vec":
            tokens.accept("\\partial")
            braced = tokens.accept("{")
            base = reader.base()
            if base is None:
                raise tokens.error("a name is wanted here, as in \\frac{\\partial L}{\\partial W_1}")
            if base[0] == "d" and tokens.next.text in ("\\vec", "\\mathbf", "\\boldsymbol", "\\bm"):
                inner = reader.base()
                base = base if inner is None else (f"d{inner[0]}", base[1])
            found = base[0]
        scripts = reader.scripts()
        if braced:
            tokens.expect("}")
        if any(kind not in ("index", "power", "elements") for kind, _, _ in scripts):
            raise tokens.error("a left side is not transposed, sliced or primed", tokens.peek(-1))
        elements[:] = [str(value) for kind, value, _ in scripts if kind == "elements"]
        return found + "".join(str(value) for kind, value, _ in scripts if kind != "elements")

    def skip_arguments() -> None:
        depth = int(tokens.accept("(") is not None)
        while depth and tokens.next.kind != "end":
            depth += int(tokens.next.text == "(") - int(tokens.next.text == ")")
            tokens.take()

    def loss() -> str:
        """A loss, whose arguments do not matter."""
        found = name() if tokens.next.kind != "end" else "L"
        skip_arguments()
        return found

    of = None
    if tokens.accept("\\frac", "\\dfrac", "\\tfrac"):
        tokens.expect("{")
        alone = tokens.accept("\\partial", "d") and tokens.next.text == "}"
        of = None if alone else name().removeprefix("d")
        skip_arguments()
        tokens.expect("}")
        tokens.expect("{")
        wrt = name()
        wrt = wrt[1:] if wrt[0] == "d" and len(wrt) > 1 else wrt
        tokens.expect("}")
        letters = "".join(elements)
        of = loss() if of is None else of
        elements[:] = [letters]
    elif tokens.accept("\\nabla"):
        tokens.expect("_")
        braced = tokens.accept("{")
        wrt = name()
        if braced:
            tokens.expect("}")
        of = loss()
        elements.clear()
    else:
        wrt = name()
        if tokens.accept("/"):
            of, wrt = wrt, name()
    if tokens.next.kind != "end":
        raise tokens.error("the left side is a name, or a derivative such as \\frac{\\partial L}{\\partial W_1}")
    return LeftSide(of, wrt, place, None, "".join(elements))


_LATEX = re.compile(r"\\(?!\s*\n)|[_^]\{")
_NUMPY = re.compile(
    r"""(?<![\w)\]])['"]|\b[a-z]'\{|"|keepdims|axis=|\*\*|\b(?:np|if|and|or|in|is|not)\b[ .]"""
    r"""|\blambda\s*[\w, ]*:|@(?!\w+,)|\.T\b|\.(?:dot|sum|mean|transpose|copy|astype|reshape|shape)\b|\[\s*:|:\s*\]"""
)
_OCTAVE = re.compile(
    r"'|(?<!\d)\.[*/^]|:\s*end|(?<!\.)\b(?:sum|ones|zeros|bsxfun|size)\s*\(|\(\s*:\s*,|^\s*end\b", re.MULTILINE
)
_DOTTED = re.compile(r"\d\.[*/^]")
_SIDE_BY_SIDE = re.compile(r"\^\w|[\w)]\s+[^\W\d]")


def notation_of(text: str) -> Notation:
    """What only one of the notations has; the strings and keywords of Python are for its parser to refuse."""
    if _LATEX.search(text):
        return "latex"
    if "\n" in text.strip():
        text = re.sub("[#%].*", "", text)
    if _NUMPY.search(text):
        return "numpy"
    if _OCTAVE.search(text) or _DOTTED.search(text) or text.rstrip().endswith(";"):
        return "octave"
    return "latex" if _SIDE_BY_SIDE.search(text) and "\n" not in text.strip() else "numpy"
