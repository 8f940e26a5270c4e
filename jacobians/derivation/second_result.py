"""A derivation of second order: the blocks of a Hessian, which write themselves as text, LaTeX, HTML and NumPy code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from jacobians.arrays import Array, Shape
from jacobians.conventions import Convention
from jacobians.derivation.equations import Definition, Equation, JacobianChain
from jacobians.derivation.numpy_program import definition_lines, equations_of, needed, program
from jacobians.derivation.writing import (
    NARROWEST,
    align,
    folded,
    html_titled,
    latex_text,
    latex_title,
    paragraphs,
    prose,
    shape_lines,
)
from jacobians.operations.hessian import Part
from jacobians.symbols.expressions import Symbol
from jacobians.symbols.javascript import with_runtime
from jacobians.symbols.notation import Notation
from jacobians.symbols.text import TextNotation

_WORDS: dict[Part, str] = {"loss": "Gauss–Newton part", "inner": "residual part", "penalty": "regulariser"}


@dataclass(frozen=True)
class TermDerivation:
    """What one operation's second derivative adds to a block of a Hessian.

    Attributes
    ----------
    operation : str
    part : {"loss", "inner", "penalty"}
        A loss, whose terms are the Gauss–Newton matrix; an operation before it; a regulariser.
    of : tuple of str
        What the operation's input is called, or its two inputs.
    chain : JacobianChain
        Dᵀ M D as a product of matrices.
    """

    operation: str
    part: Part
    of: tuple[str, ...]
    chain: JacobianChain

    def where(self, notation: Notation) -> str:
        """Return the operation, its inputs in a notation, and the part of the Hessian that it belongs to."""
        return f"{self.operation} at {' and '.join(map(notation.symbol, self.of))}, {_WORDS[self.part]}"


@dataclass(frozen=True)
class BlockDerivation:
    """The Hessian's block by two parameters, or by one.

    Attributes
    ----------
    rows, columns : str
        The parameters.
    terms : tuple of TermDerivation
        In the order of evaluation.
    formula : Equation
        Their sum.
    """

    rows: str
    columns: str
    terms: tuple[TermDerivation, ...]
    formula: Equation

    def _repr_latex_(self) -> str:
        return self.formula._repr_latex_()


@dataclass(frozen=True, eq=False)
class SecondDerivation:
    """How the blocks of a Hessian come out of the operations' second derivatives.

    Printing it shows the whole as plain text; `to_latex`, `to_mathml` and `to_numpy` are the other ways.

    Attributes
    ----------
    title : str
    convention : Convention or None
        Of a network; None of a value of a graph.
    forward : tuple of Definition
        The forward pass.
    cotangents : tuple of Definition
        From the loss backwards; and Jacobians that have a name, since a value is used at several places.
    blocks : dict
        By two names; of (a, b) and (b, a), which are each other's transposes, the first that was asked for.
    values : dict
        The arrays behind the symbols, so that every formula can be run.
    """

    title: str
    convention: Convention | None
    forward: tuple[Definition, ...]
    cotangents: tuple[Definition, ...]
    blocks: Mapping[tuple[str, str], BlockDerivation]
    values: Mapping[str, Array]

    def __getitem__(self, names: str | tuple[str, str]) -> BlockDerivation:
        return self.blocks[(names, names) if isinstance(names, str) else names]

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every array that is named in a formula."""
        used = {"", *(part.name for e in self.equations for part in e.inside if isinstance(part, Symbol))}
        used |= {e.left.name for e in self.equations if isinstance(e.left, Symbol)}
        return {name: array.shape for name, array in self.values.items() if name in used}

    @property
    def equations(self) -> list[Equation]:
        """Every equation that is shown."""
        return [*self._named, *(block.formula for block in self.blocks.values())]

    @property
    def _lines(self) -> list[Definition]:
        """What the blocks need."""
        lines = needed([*self.forward, *self.cotangents], [block.formula for block in self.blocks.values()])
        return [line for line in lines if isinstance(line, Definition)]

    @property
    def _named(self) -> list[Equation]:
        return [equation for line in self._lines for equation in equations_of(line)]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(' '.join, self.blocks))}; print it to read it)"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int = 80) -> str:
        """Return the derivation as plain text, in lines of at most `width` characters."""
        width = max(width, NARROWEST)
        lines = [*prose(self.title, width), ""]
        lines += ["Shapes", *shape_lines(self.shapes, width), ""]
        lines += ["Forward and backward, by name"]
        lines += [*(line for e in self._named for line in folded(e.text, width)), ""]
        for block in self.blocks.values():
            lines += [*self._block_text(block, width), ""]
        return "\n".join(lines).rstrip()

    def _block_text(self, block: BlockDerivation, width: int) -> Iterator[str]:
        title, write = block.formula.text.partition(" = ")[0], TextNotation()
        yield from (title, "─" * len(title))
        for number, term in enumerate(block.terms):
            yield from folded(term.chain.written(write), width, f"  {'+' if number else '='} ")
            yield from prose(term.where(write), width, "        ", "        ")
        if not block.terms:
            yield "  = 0: no operation bends with both"

    def to_latex(self) -> str:
        """Return the derivation as a LaTeX fragment: paragraphs, and ``align*`` environments of amsmath."""
        lines = [latex_title(self.title)]
        lines += [r"\paragraph{Forward and backward, by name}", *align(self._named)]
        for block in self.blocks.values():
            of = " and ".join(dict.fromkeys((latex_text(block.rows), latex_text(block.columns))))
            said = "; ".join(latex_text(term.where(TextNotation())) for term in block.terms)
            lines += [rf"\paragraph{{With respect to {of}}}", f"The terms: {said}." if said else "Nothing bends."]
            lines += align([block.formula])
        return "\n".join(lines) + "\n"

    def to_mathml(self) -> str:
        """Return the derivation as an HTML fragment with MathML."""
        parts = ["<h5>Forward and backward, by name</h5>", *paragraphs(self._named)]
        for block in self.blocks.values():
            of = " and ".join(dict.fromkeys((escape(block.rows), escape(block.columns))))
            said = "".join(f"<li>{escape(term.where(TextNotation()))}</li>" for term in block.terms)
            parts.append(f"<h5>With respect to {of}</h5><ol>{said}</ol>{''.join(paragraphs([block.formula]))}")
        return html_titled(self.title, parts)

    def to_numpy(self) -> str:
        """Return a NumPy program: it takes the inputs, targets and parameters, and computes every block's matrix.

        The matrices of all factors are written out, so it is for small sizes.
        """
        formulas = [block.formula for block in self.blocks.values()]
        lines = [*definition_lines(self._lines, formulas), *(formula.numpy for formula in formulas)]
        values = {name: self.values[name] for name in self.shapes}
        return program(self.equations, values, lines, with_matrices=True)

    def to_javascript(self) -> str:
        """Return the program of `to_numpy` as JavaScript, as `Derivation.to_javascript` does.

        Raises
        ------
        LayoutError
            If an operation has no source that the runtime can run.
        """
        return with_runtime(self.to_numpy())

    def _repr_html_(self) -> str:
        return self.to_mathml()

    def _repr_latex_(self) -> str:
        lines = " \\\\ ".join(b.formula.latex.replace(" = ", " &= ", 1) for b in self.blocks.values())
        return f"$\\displaystyle \\begin{{aligned}} {lines} \\end{{aligned}}$"
