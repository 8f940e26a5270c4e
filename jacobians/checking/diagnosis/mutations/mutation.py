"""A mutation: one way in which a hand-written backward pass goes wrong, as a change of the right one.

To add one, yield a `Mutation` from its family's function, in the file of that name; nothing else needs to know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from jacobians.checking.diagnosis.mutations.backward import Backward
from jacobians.checking.diagnosis.mutations.setting import Setting

__all__ = ["Family", "Mutation"]


@dataclass(frozen=True, slots=True, eq=False)
class Mutation:
    """One wrong backward pass.

    Attributes
    ----------
    name : str
        Stable and lower-case, such as ``missing-activation-derivative``.
    family : str
        Such as ``activation``.
    title : str
        What is wrong, as a clause.
    mend : str
        One sentence.
    edit : callable
        From the right backward pass to the wrong one.
    layer : int or None
        The layer, counted from 1, where it is one layer's.
    scope : str
        What else tells two mutations of one name apart, such as a parameter's name.
    rank : int
        Among mutations that fit equally well, the smaller is named first: 0 for the usual slips, 1 for rarer or more
        special ones, 2 for what was fitted to the gradient.
    evidence : str
        Numbers that were found while fitting.
    apart : str
        An input that would show the difference to its neighbours, where none is found by trying.
    """

    name: str
    family: str
    title: str
    mend: str
    edit: Callable[[Backward], Backward]
    layer: int | None = None
    scope: str = ""
    rank: int = 0
    evidence: str = ""
    apart: str = ""

    @property
    def key(self) -> tuple[str, int | None, str]:
        """What identifies the mutation on other data."""
        return self.name, self.layer, self.scope


Family: TypeAlias = Callable[[Setting], Iterator[Mutation]]
"""All mutations of one family that make sense in a setting."""
