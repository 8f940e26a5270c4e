"""`Question`: the network that a formula is asked about; `elsewhere`: the conventions and losses where it is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from jacobians.auditing.formula import Formula, checked
from jacobians.auditing.search import Judge
from jacobians.auditing.setting import Setting
from jacobians.conventions import Convention
from jacobians.errors import JacobiansError
from jacobians.network import Network
from jacobians.operations import ACTIVATIONS, LOSSES
from jacobians.presets import all_conventions

__all__ = ["Question", "elsewhere"]


_DRAWS = 2


@dataclass(frozen=True)
class Question:
    """A formula, and the fully connected network that it is about.

    Attributes
    ----------
    formula : Formula
    where : mapping of str to str
    convention : Convention
    sizes : tuple of int
    activation, loss : str
    l2 : float
    examples : int
    seed : int
    """

    formula: Formula
    where: Mapping[str, str]
    convention: Convention
    sizes: tuple[int, ...]
    activation: str
    loss: str
    l2: float
    examples: int
    seed: int

    def network(self) -> Network:
        """Return the network."""
        return Network.dense(
            self.sizes, activation=self.activation, loss=self.loss, convention=self.convention, l2=self.l2
        )

    def is_right(self) -> bool:
        """Whether the formula can be read there, and is right."""
        try:
            found = checked(self.formula, Setting.of(self.network(), self.examples, self.seed, _DRAWS), self.where)
        except JacobiansError:
            return False
        judge = Judge(found.claim, found.scope, self.formula.notation != "numpy")
        return found.expr is not None and judge.right(found.expr)


def elsewhere(question: Question) -> Iterator[str]:
    """Yield where a formula that is wrong here is right as it stands."""
    for loss in LOSSES:
        if loss != question.loss and replace(question, loss=loss).is_right():
            yield f"{question.convention.name} with loss={loss!r}"
    for activation in ACTIVATIONS:
        if activation != question.activation and replace(question, activation=activation).is_right():
            yield f"{question.convention.name} with activation={activation!r}"
    for preset in all_conventions():
        l2 = question.l2 if preset.l2 else 0.0
        if preset.name != question.convention.name and replace(question, convention=preset, l2=l2).is_right():
            yield preset.name
