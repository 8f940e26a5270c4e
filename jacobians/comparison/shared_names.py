"""`SharedNames`: one convention's formulas in names that all conventions share, so that a new name is no difference.

A weight is W1, the first layer's sums are Z1 and the number of examples is N, whatever the source calls them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from jacobians.conventions import Convention
from jacobians.derivation import Definition, Derivation
from jacobians.derivation.equations import with_names
from jacobians.derivation.names import symbol_name, weight_of_examples
from jacobians.layout import Layout, Order
from jacobians.linops import Jacobian, Selection, Transposed
from jacobians.network import Run
from jacobians.symbols.expressions import Expr, Symbol, WithOnes
from jacobians.symbols.notation import slices_text
from jacobians.symbols.text import TextNotation


@dataclass(frozen=True, eq=False)
class SharedNames:
    """A derivation whose arrays are known by shared names.

    Parameters
    ----------
    run : Run
    derivation : Derivation
        Of this run.
    """

    run: Run
    derivation: Derivation

    @property
    def convention(self) -> Convention:
        """The run's convention."""
        return self.run.network.convention

    @property
    def layout(self) -> Layout:
        """Where this convention keeps what."""
        return self.run.network.layout

    @cached_property
    def weight(self) -> Expr | None:
        """The factor of every example's loss in the total, or None where it is a sum."""
        return weight_of_examples(self.convention)

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """By shared name (X for the inputs with their ones, Z1, A1, P, dZ1, dA1), the definition."""
        return {d.name: d for d in (*self.derivation.forward, *self.derivation.cotangents)}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """By shared name (W1, b1), the name of a parameter, layer by layer."""
        return {own: name for name, own in self.run.network.names.items()}

    @cached_property
    def shown(self) -> dict[str, str]:
        """By shared name (W1, Z1, A1, P, dZ1, N, and lam where there is a regulariser), what the source writes."""
        write = TextNotation()
        found = {"W1": write.symbol(self.parameters["W1"])}
        for name in ("Z1", "A1", "P", "dZ1"):
            if name in self.definitions:
                definition = self.definitions[name]
                ones = " (with its ones)" if isinstance(definition.value, WithOnes) else ""
                found[name] = write.expr(definition.symbol) + ones
        if self.weight is not None:
            found["N"] = write.symbol(self.convention.names.count)
        if self.run.network.l2:
            found["lam"] = write.symbol(self.convention.names.strength)
        return found

    def reads(self, expr: Expr) -> str:
        """Return an expression as text, in shared names."""
        return TextNotation().expr(expr.replaced(self._replacements))

    def reads_factor(self, factor: Jacobian, order: Order) -> str:
        """Return a factor as text, in shared names, with what a selection keeps."""
        text = TextNotation().matrix(with_names(factor, self._replacements), order)
        selection = factor.inner if isinstance(factor, Transposed) else factor
        return f"{text} keeps {kept_by(selection)}" if isinstance(selection, Selection) else text

    @cached_property
    def _replacements(self) -> dict[Expr, Expr]:
        """By symbol: what stands for it. Activations and ones are written out, since conventions name them apart."""
        words = self.convention.names
        found: dict[Expr, Expr] = {
            Symbol(words.count, ()): Symbol("N", ()),
            Symbol(words.strength, ()): Symbol("lam", ()),
        }
        for shared, name in self.parameters.items():
            shape = self.run.params[name].shape
            found[Symbol(symbol_name(name), shape)] = Symbol(shared, shape)
        for shared, definition in self.definitions.items():
            named = shared.startswith(("Z", "dZ"))
            value = definition.value
            found[definition.symbol] = Symbol(shared, value.shape) if named else value.replaced(found)
        return found


def kept_by(selection: Selection) -> str:
    """Return what a selection keeps, as slices."""
    return f"[{slices_text(tuple((part.start, part.stop) for part in selection.key))}]"
