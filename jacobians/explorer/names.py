"""How the page spells names: `shown_name`, `shown_shape`, `letter` of entries, and `Spelling` of a run's arrays."""

from __future__ import annotations

from jacobians.arrays import Shape
from jacobians.derivation.names import Names
from jacobians.network import Run
from jacobians.operations import Elementwise, Operation, find_activation
from jacobians.symbols.notation import GREEK, split_name
from jacobians.symbols.text import TextNotation


class Spelling:
    """The names that the formulas of a convention use, for the arrays of a run.

    Parameters
    ----------
    run : Run
    activation : str or Operation
        As in `Network.dense`: where a convention's A includes the entry of ones, the values without it have no name
        of their own, and are called what they are, σ(Z₂).

    Examples
    --------
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    >>> ng = Spelling(net.run(net.init(0), [[1.0, 2, 3, 4]], [1]), "sigmoid")
    >>> ng.array("Z1"), ng.array("A1"), ng.array("Theta1")
    ('Z₂', 'σ(Z₂)', 'Θ₁')
    """

    def __init__(self, run: Run, activation: str | Operation) -> None:
        self._names = Names(run)
        self._with_ones = {stop.shared for stop in run.stops if stop.ones and stop.done}
        operation = find_activation(activation)
        self._activation = operation.function().shown if isinstance(operation, Elementwise) else operation.name

    def array(self, name: str) -> str:
        """Return an array's name with its layer as a subscript."""
        if name in self._with_ones:
            return f"{self._activation}({self.array('Z' + name[1:])})"
        return shown_name(self._names.of(name) if name in self._names.outputs else name)


def shown_name(name: str) -> str:
    """Return a formula's symbol as plain text.

    Examples
    --------
    >>> shown_name("dTheta2"), shown_name("delta3"), shown_name("P")
    ('dΘ₂', 'δ₃', 'P')
    """
    return TextNotation().symbol(name)


def letter(name: str) -> str:
    """Return the letter of an array's entries, to which the page adds their indices.

    Examples
    --------
    >>> letter("W1"), letter("Theta1"), letter("losses")
    ('w', 'θ', 'loss')
    """
    letters = split_name(name).letters
    return "loss" if letters == "losses" else GREEK.get(letters, letters).lower()


def shown_shape(shape: Shape) -> str:
    """Return a shape as it is read aloud: ``6 × 4``, ``6``, or ``one number``.

    Examples
    --------
    >>> shown_shape((6, 4)), shown_shape((6,)), shown_shape(())
    ('6 × 4', '6', 'one number')
    """
    return " × ".join(map(str, shape)) or "one number"
