"""`DifferentialSteps`: how the differential of a matrix comes out, one line for each value on the way."""

from __future__ import annotations

from dataclasses import dataclass

from jacobians.derivation import Equation
from jacobians.symbols.javascript import JavascriptNotation


@dataclass(frozen=True, eq=False)
class DifferentialSteps:
    """The values on the way, and the differential of each.

    Attributes
    ----------
    forward : tuple of Equation
        Z₁ = A X and the like, in the order of evaluation.
    differentials : tuple of Equation
        dZ₁ = A dX and the like; the last is that of the value.
    """

    forward: tuple[Equation, ...]
    differentials: tuple[Equation, ...]

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Return the lines as plain text."""
        return "\n".join(
            ["Forward", "", *(f"  {line.text}" for line in self.forward), "", "Differentials", ""]
            + [f"  {line.text}" for line in self.differentials]
        )

    def to_latex(self) -> str:
        """Return the lines as an ``align*`` environment."""
        lines = [line.latex.replace(" = ", " &= ", 1) for line in (*self.forward, *self.differentials)]
        return "\n".join([r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"]) + "\n"

    def to_mathml(self) -> str:
        """Return the lines as paragraphs of HTML with MathML."""
        return "".join(f"<p>{line.mathml}</p>" for line in (*self.forward, *self.differentials))

    def to_numpy(self) -> str:
        """Return the lines as NumPy code, which takes dX; functions are those that the formula's program defines."""
        return "\n".join(line.numpy for line in (*self.forward, *self.differentials)) + "\n"

    def to_javascript(self) -> str:
        """Return the lines as JavaScript, which takes dX.

        Raises
        ------
        LayoutError
            If the runtime lacks a function.
        """
        write = JavascriptNotation()
        return "\n".join(line.alone(write) for line in (*self.forward, *self.differentials)) + "\n"
