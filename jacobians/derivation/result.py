"""A derivation, of a network's gradient or of an operation, which writes itself as text, LaTeX, HTML and NumPy code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from jacobians.arrays import Array, Shape, chosen, no_attribute, show_shape
from jacobians.conventions import Convention
from jacobians.derivation.alike_steps import Member
from jacobians.derivation.equations import Definition, Equation, JacobianChain, Recurrence, Step
from jacobians.derivation.names import symbol_name
from jacobians.derivation.numpy_program import (
    all_left_sides,
    definition_lines,
    equations_of,
    needed,
    program,
    sequence_lines,
)
from jacobians.derivation.writing import (
    NARROWEST,
    align,
    chain_text,
    details,
    folded,
    html_titled,
    latex_text,
    latex_title,
    lines_html,
    lines_latex,
    lines_text,
    paragraphs,
    prose,
    shape_cells,
    shape_lines,
    steps_html,
    steps_latex,
    steps_text,
)
from jacobians.layout import Layout
from jacobians.symbols.expressions import AtStep, Symbol
from jacobians.symbols.javascript import with_runtime
from jacobians.symbols.text import TextNotation


def _written_as(name: str, formula: str = "formula") -> str:
    """How a derivation is written in a notation, where a name such as "latex" is asked of it; else nothing."""
    kind = name.removeprefix("to_")
    if kind not in ("latex", "mathml", "numpy", "text"):
        return ""
    every = "print(found)" if kind == "text" else f"found.to_{kind}()"
    return f"; write found[…].{formula}.{kind} for a formula alone, or {every} for every step"


@dataclass(frozen=True)
class ParameterDerivation:
    """The gradient with respect to one parameter or to the inputs.

    Attributes
    ----------
    name : str
    chain : Equation
        The product of all Jacobians.
    steps : tuple of Step
    formula : Equation
        What is left: the compact formula.

    Examples
    --------
    >>> from jacobians import Network, explain
    >>> found = explain(Network.dense((4, 3, 2)), "cs231n")
    >>> print(found["W1"].chain.text)
    ∂L/∂vec W₁ = (1 / N) 1ᵀ ⊕ₙ(P − Y)ₙᵀ (I₅ ⊗ W₂ᵀ) diag(vec relu′(Z₁)) (X ⊗ I₃)
    """

    name: str
    chain: Equation
    steps: tuple[Step, ...]
    formula: Equation

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """The chain's factors' sizes as matrices, from left to right."""
        return tuple(size for _, size in self.factors.factors)

    @property
    def factors(self) -> JacobianChain:
        """The chain's right side."""
        if not isinstance(self.chain.right, JacobianChain):
            raise TypeError(f"the chain of {self.name} is no product")
        return self.chain.right

    @property
    def equations(self) -> list[Equation]:
        """The chain, what each step leaves of it, and the formula."""
        return [self.chain, *(s.equation for s in self.steps), self.formula]

    def _repr_latex_(self) -> str:
        return self.formula._repr_latex_()

    if not TYPE_CHECKING:  # a type checker is to find every name that is not there

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, _written_as(name))


@dataclass(frozen=True, eq=False)
class Derivation:
    """How a network's gradient comes out of its Jacobians, in one convention.

    Printing it shows the whole as plain text; `to_latex`, `to_mathml` and `to_numpy` are the other ways.

    Attributes
    ----------
    convention : Convention
    forward : tuple of Definition
        The forward pass.
    cotangents : tuple of Definition
        From the loss backwards.
    parameters : dict
        By parameter, and "X" for the inputs.
    values : dict
        The arrays behind the symbols, so that every formula can be run.

    Examples
    --------
    >>> from jacobians import Network, explain
    >>> print(explain(Network.dense((4, 3, 2)), "cs231n")["W1"].formula.text)
    dW₁ = Xᵀ dZ₁
    """

    convention: Convention
    forward: tuple[Definition, ...]
    cotangents: tuple[Definition, ...]
    parameters: Mapping[str, ParameterDerivation]
    values: Mapping[str, Array]

    def __repr__(self) -> str:
        return f"Derivation({self.convention.name}: {', '.join(self.parameters)}; print it to read it)"

    def __getitem__(self, name: str) -> ParameterDerivation:
        return chosen(name, self.parameters, "derivation")

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every named array."""
        return {name: array.shape for name, array in self.values.items()}

    @property
    def equations(self) -> list[Equation]:
        """Every equation that is shown."""
        return [*self._named, *(e for parameter in self.parameters.values() for e in parameter.equations)]

    @property
    def _named(self) -> list[Equation]:
        return [d.equation for d in (*self.forward, *self.cotangents)]

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int = 80) -> str:
        """Return the derivation as plain text, in lines of at most `width` characters."""
        width = max(width, NARROWEST)
        lines = [*prose(f"{self.convention.name}: {self.convention.layout}", width), ""]
        lines += ["Shapes", *shape_lines(self.shapes, width), ""]
        lines += ["Forward", *(line for d in self.forward for line in folded(d.equation.text, width)), ""]
        lines += ["Backward, by name", *(line for d in self.cotangents for line in folded(d.equation.text, width)), ""]
        for parameter in self.parameters.values():
            lines += [*chain_text(parameter.chain, width), *steps_text(parameter.steps, width)]
            lines += [*folded(parameter.formula.text, width, "  so  "), ""]
        lines += ["In short", *(line for p in self.parameters.values() for line in folded(p.formula.text, width))]
        return "\n".join(lines)

    def to_latex(self) -> str:
        """Return the derivation as a LaTeX fragment: paragraphs, and ``align*`` environments of amsmath."""
        lines = [latex_title(f"{self.convention.name}: {self.convention.layout}")]
        lines += [r"\paragraph{Forward}", *align(d.equation for d in self.forward)]
        lines += [r"\paragraph{Backward, by name}", *align(d.equation for d in self.cotangents)]
        for name, parameter in self.parameters.items():
            lines += [rf"\paragraph{{With respect to {latex_text(name)}}}", *align([parameter.chain])]
            lines += [*steps_latex(parameter.steps), *align([parameter.formula])]
        return "\n".join(lines) + "\n"

    def to_mathml(self) -> str:
        """Return the derivation as an HTML fragment with MathML."""
        shapes = [(n, s) for n, s in self.shapes.items() if s != ()]
        names = "".join(f"<th>{escape(TextNotation().symbol(name))}</th>" for name, _ in shapes)
        sizes = "".join(f"<td>{show_shape(shape)}</td>" for _, shape in shapes)
        parts = [f"<table><tr>{names}</tr><tr>{sizes}</tr></table>"]
        parts += ["<h5>Forward</h5>", *paragraphs(d.equation for d in self.forward)]
        parts += ["<h5>Backward, by name</h5>", *paragraphs(d.equation for d in self.cotangents)]
        for name, parameter in self.parameters.items():
            inner = [*paragraphs([parameter.chain]), steps_html(parameter.steps), *paragraphs([parameter.formula])]
            parts.append(details(name, parameter.formula, inner))
        return html_titled(f"{self.convention.name}: {self.convention.layout}", parts)

    def to_numpy(self, *, functions: bool = True) -> str:
        """Return a NumPy program: it takes the inputs, targets and parameters, and computes every gradient.

        Parameters
        ----------
        functions : bool
            Whether it defines the functions that its lines call.
        """
        formulas = [parameter.formula.numpy for parameter in self.parameters.values()]
        lines = [*self._definition_lines(), *formulas]
        return program(self.equations, self.values, lines, with_matrices=False, functions=functions)

    def to_javascript(self) -> str:
        """Return the program of `to_numpy` as JavaScript: the runtime ``np``, and one function, ``program``.

        It takes the inputs, targets, parameters and the number of examples by name, and returns every array by name.
        Arrays are nested lists, as ``array.tolist()`` gives them and ``np.array`` reads them.

        Raises
        ------
        LayoutError
            If an operation has no source that the runtime can run.

        Examples
        --------
        >>> from jacobians import Network
        >>> from jacobians.derivation import derive
        >>> net = Network.dense((2, 2), convention="cs231n")
        >>> program = derive(net.run(net.init(0), [[1.0, 2.0]], [0])).to_javascript()
        >>> [line for line in program.splitlines() if "dW1 =" in line]
        ['  const dW1 = np.matmul(np.transpose(X), dZ1);']
        """
        return with_runtime(self.to_numpy())

    def preamble(self) -> str:
        """Return the program that defines every name in the lines of the derivation.

        After it, the NumPy line of every equation runs, and so do chains of explicit matrices, for small sizes.
        """
        return program(self.equations, self.values, self._definition_lines(), with_matrices=True)

    def _definition_lines(self) -> Iterator[str]:
        return definition_lines(self._named, [p.formula for p in self.parameters.values()])

    def _repr_html_(self) -> str:
        return self.to_mathml()

    def _repr_latex_(self) -> str:
        lines = " \\\\ ".join(p.formula.latex.replace(" = ", " &= ", 1) for p in self.parameters.values())
        return f"$\\displaystyle \\begin{{aligned}} {lines} \\end{{aligned}}$"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, _written_as(name))


@dataclass(frozen=True)
class InputDerivation:
    """An operation's Jacobian with respect to one input.

    Attributes
    ----------
    name : str
    jacobian : Equation
        ∂vec Z/∂vec X as a product of matrices.
    merged : tuple of Step
        The same as fewer matrices, where the mixed product joins neighbours.
    steps : tuple of Step
        A cotangent's way.
    pullback, pushforward : Equation
        dX for a cotangent dZ; Ż for a tangent Ẋ.
    """

    name: str
    jacobian: Equation
    merged: tuple[Step, ...]
    steps: tuple[Step, ...]
    pullback: Equation
    pushforward: Equation

    @property
    def equations(self) -> list[Equation]:
        """Every equation that is shown."""
        steps = [s.equation for s in (*self.merged, *self.steps)]
        return [self.jacobian, *steps, self.pullback, self.pushforward]


@dataclass(frozen=True, eq=False)
class OperationDerivation:
    """An operation's value and Jacobians in symbols.

    Attributes
    ----------
    name : str
    layout : Layout
    value : Equation or None
        None where no formula is known.
    inputs : dict
        By input.
    values : dict
        The arrays behind the symbols.
    inside : tuple of Equation
        What the parts of an operation that is made of others pass on.
    """

    name: str
    layout: Layout
    value: Equation | None
    inputs: Mapping[str, InputDerivation]
    values: Mapping[str, Array]
    inside: tuple[Equation, ...] = ()

    def __repr__(self) -> str:
        return f"OperationDerivation({self.name}: {', '.join(self.inputs)}; print it to read it)"

    def __getitem__(self, name: str) -> InputDerivation:
        return chosen(name, self.inputs, "derivation")

    @property
    def equations(self) -> list[Equation]:
        """Every equation that is shown."""
        return [*self._forward, *(e for given in self.inputs.values() for e in given.equations)]

    @property
    def _forward(self) -> list[Equation]:
        return [*self.inside, *([] if self.value is None else [self.value])]

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int = 80) -> str:
        """Return the derivation as plain text, in lines of at most `width` characters."""
        width = max(width, NARROWEST)
        lines = [*prose(f"{self.name}: {self.layout}", width), ""]
        lines += [line for e in self._forward for line in folded(e.text, width)] + [""] * bool(self._forward)
        for given in self.inputs.values():
            lines += [*chain_text(given.jacobian, width), *steps_text(given.merged, width)]
            lines += ["  A cotangent's way:", *steps_text(given.steps, width)]
            short = f"{given.pullback.text},  and for a tangent  {given.pushforward.text}"
            lines += [*folded(short, width, "  so  "), ""]
        return "\n".join(lines).rstrip()

    def to_latex(self) -> str:
        """Return the derivation as a LaTeX fragment: text, and ``align*`` environments (amsmath)."""
        lines = [latex_title(f"{self.name}: {self.layout}")]
        lines += align(self._forward) if self._forward else []
        for name, given in self.inputs.items():
            lines += [rf"\paragraph{{With respect to {latex_text(name)}}}", *align([given.jacobian])]
            lines += [*steps_latex([*given.merged, *given.steps]), *align([given.pullback, given.pushforward])]
        return "\n".join(lines) + "\n"

    def to_numpy(self) -> str:
        """Return a NumPy program: the value, and for each input the matrix, the pullback and the pushforward."""
        others = [e for given in self.inputs.values() for e in given.equations]
        lines = [*definition_lines(self._forward, others)]
        for name, given in self.inputs.items():
            lines += [
                "",
                f"# with respect to {name}",
                given.jacobian.numpy,
                given.pullback.numpy,
                given.pushforward.numpy,
            ]
        return program(self.equations, self.values, lines, with_matrices=True)

    def to_javascript(self) -> str:
        """Return the program of `to_numpy` as JavaScript, as `Derivation.to_javascript` does.

        Raises
        ------
        LayoutError
            If the program has what the runtime lacks.
        """
        return with_runtime(self.to_numpy())

    def to_mathml(self) -> str:
        """Return the derivation as an HTML fragment with MathML."""
        parts = paragraphs(self._forward)
        for name, given in self.inputs.items():
            inner = [*paragraphs([given.jacobian]), steps_html(given.merged), steps_html(given.steps)]
            parts.append(details(name, given.pullback, [*inner, *paragraphs([given.pullback, given.pushforward])]))
        return html_titled(f"{self.name}: {self.layout}", parts)

    def _repr_html_(self) -> str:
        return self.to_mathml()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, _written_as(name, "pullback"))


@dataclass(frozen=True, eq=False)
class GraphDerivation:
    """The derivation of a value's gradients in a graph: for each value one line, and one for its cotangent.

    The cotangent of a value is the sum of those of its uses. Steps of a recurrence that are alike are said once, of
    every step t. Printing it shows the whole as plain text; `to_latex`, `to_mathml` and `to_numpy` are the other ways.

    Attributes
    ----------
    name : str
        Of the value.
    forward, cotangents : tuple of Definition or Recurrence
        The forward pass, and the way back from the value.
    gradients : dict
        By the name of a value that the gradient is with respect to, its line.
    values : dict
        The arrays behind the symbols, so that every formula can be run; the member of a sequence H at step 3 is "H3".
    members : dict
        By the name of an array that belongs to a sequence, its place in it.
    without : dict
        By the name of a value that no formula is known for, what is said of it: "max has no formula". Its numbers
        are given, and so is its Jacobian, as a matrix J.
    """

    name: str
    forward: tuple[Definition | Recurrence, ...]
    cotangents: tuple[Definition | Recurrence, ...]
    gradients: Mapping[str, Definition]
    values: Mapping[str, Array]
    members: Mapping[str, Member]
    without: Mapping[str, str]

    def __repr__(self) -> str:
        return f"GraphDerivation({self.name}: {', '.join(self.gradients)}; print it to read it)"

    def __getitem__(self, name: str) -> Definition:
        return chosen(name, self.gradients, "derivation")

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every named array."""
        return {name: array.shape for name, array in self.values.items()}

    @property
    def lines(self) -> tuple[Definition | Recurrence, ...]:
        """Every line in the order in which it can be computed."""
        return (*self.forward, *self.cotangents, *self.gradients.values())

    @property
    def equations(self) -> list[Equation]:
        """Every equation that is shown; those of a recurrence hold for every step t."""
        return [equation for line in self.lines for equation in equations_of(line)]

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int = 80) -> str:
        """Return the derivation as plain text, in lines of at most `width` characters."""
        width = max(width, NARROWEST)
        lines = [*prose(self._title, width), ""]
        lines += ["Shapes", *shape_cells(self._shape_texts(), width), ""]
        lines += ["Forward", *lines_text(self.forward, width)]
        lines += [f"  {self._symbol(name)}: the numbers, {said}" for name, said in self.without.items()]
        lines += ["", "Backward", *lines_text(self.cotangents, width), ""]
        lines += ["Gradients", *lines_text(self.gradients.values(), width)]
        return "\n".join(lines)

    def to_latex(self) -> str:
        """Return the derivation as a LaTeX fragment: paragraphs, and ``align*`` environments of amsmath."""
        lines = [rf"\subsection*{{{latex_text(self._title)}}}"]
        parts = {"Forward": self.forward, "Backward": self.cotangents, "Gradients": self.gradients.values()}
        for title, own in parts.items():
            lines += [rf"\paragraph{{{title}}}", *lines_latex(own)]
        return "\n".join(lines) + "\n"

    def to_mathml(self) -> str:
        """Return the derivation as an HTML fragment with MathML."""
        cells = [cell.rsplit(" ", 1) for cell in self._shape_texts()]
        names, sizes = (
            f"<tr>{''.join(f'<{tag}>{escape(c[k])}</{tag}>' for c in cells)}</tr>" for k, tag in enumerate(("th", "td"))
        )
        title = f"<h4>{escape(self._title)}</h4><table>{names}{sizes}</table>"
        parts = {"Forward": self.forward, "Backward": self.cotangents, "Gradients": self.gradients.values()}
        body = "".join(f"<h5>{title}</h5>{''.join(lines_html(own))}" for title, own in parts.items())
        return f"<div>{title}{body}</div>"

    def to_numpy(self) -> str:
        """Return a NumPy program: it takes the inputs and constants, and computes every gradient.

        A sequence is a dict of arrays by step. What no gradient needs is left out, as the loss itself mostly is.
        """
        lines = needed([*self.forward, *self.cotangents], [line.equation for line in self.gradients.values()])
        lines += self.gradients.values()
        equations = [equation for line in lines for equation in equations_of(line)]
        made = {left.name if isinstance(left, Symbol) else f"{left.name}{left.at}" for left in all_left_sides(lines)}
        used = {part.name for e in equations for part in e.inside if isinstance(part, (Symbol, AtStep))}
        alone = {name: array for name, array in self.values.items() if name in used and name not in self.members}
        before = [*sequence_lines(self.values, self.members, made, used)]
        return program(equations, alone, [*before, *definition_lines(lines, [])], with_matrices=False)

    def to_javascript(self) -> str:
        """Return the program of `to_numpy` as JavaScript, as `Derivation.to_javascript` does.

        Raises
        ------
        LayoutError
            If the program has what the runtime lacks, such as a sequence.
        """
        return with_runtime(self.to_numpy())

    def _repr_html_(self) -> str:
        return self.to_mathml()

    def _repr_latex_(self) -> str:
        lines = " \\\\ ".join(d.equation.latex.replace(" = ", " &= ", 1) for d in self.gradients.values())
        return f"$\\displaystyle \\begin{{aligned}} {lines} \\end{{aligned}}$"

    @property
    def _title(self) -> str:
        return f"{self._symbol(self.name)} with respect to {', '.join(map(self._symbol, self.gradients))}"

    @staticmethod
    def _symbol(name: str) -> str:
        return TextNotation().symbol(symbol_name(name))

    def _shape_texts(self) -> list[str]:
        """Each array's symbol and shape; of a sequence, its members together."""
        cells: dict[str, str] = {}
        steps: dict[str, list[int]] = {}
        for name, shape in self.shapes.items():
            own = self.members.get(name)
            if shape == ():
                continue
            if own is None:
                cells[name] = f"{self._symbol(name)} {show_shape(shape)}"
                continue
            among = steps.setdefault(own.sequence, [])
            among.append(own.step)
            symbol = TextNotation().at_step(own.sequence, 0)
            cells[f"{own.sequence} by step"] = f"{symbol} (t = {min(among)} … {max(among)}) {show_shape(shape)}"
        return list(cells.values())

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, _written_as(name, "equation"))
