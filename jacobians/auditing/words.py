"""`Words`: the meaning of names and functions, for the readers of expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from jacobians.arrays import Shape
from jacobians.auditing.formula_text import Source, Span
from jacobians.auditing.terms import Term
from jacobians.symbols.expressions import Expr


class Words(Protocol):
    """What names and functions mean."""

    @property
    def loops(self) -> set[str]:
        """The names that count examples, within loops."""

    @property
    def choices(self) -> Mapping[str, str]:
        """Which of several things a sign means."""

    @property
    def asked(self) -> dict[str, tuple[str, ...]]:
        """The signs that mean several things and were used, with all that they mean."""

    @property
    def elements(self) -> str:
        """The letters of the entries that the left side names, in w_{jk}."""

    @property
    def examples(self) -> int:
        """How many examples a sum over them has."""

    @property
    def count_name(self) -> str:
        """What the number of examples is called."""

    @property
    def feature_axis(self) -> int:
        """The axis of a batch along which the features lie."""

    def knows(self, name: str) -> bool:
        """Whether a name stands for something."""

    def symbol(self, name: str) -> Expr | None:
        """Return what a name stands for, or None."""

    def name(self, name: str, source: Source, span: Span) -> Term:
        """Return the term of a name."""

    def number(self, value: object, source: Source, span: Span) -> Term:
        """Return the term of a literal."""

    def size(self, name: str) -> int | None:
        """Return the whole number that a name stands for, or None."""

    def length(self, of: Term, axis: int, source: Source, span: Span) -> Term:
        """Return the term of an array's size along an axis."""

    def ones(self, dims: Shape, source: Source, span: Span) -> Term:
        """Return the term of an array of ones."""

    def function(self, name: str) -> str | None:
        """Return the name under which a function is known, or None."""

    def no_function(self, name: str) -> str:
        """Return what to say of a name that is called, and is no function."""

    def call(self, function: str, arguments: Sequence[Term], source: Source, span: Span) -> Term:
        """Return the term of a call of a known function."""

    def derivative(self, of: str, wrt: str, source: Source, span: Span) -> Term:
        """Return the term of a derivative that stands in the text."""
