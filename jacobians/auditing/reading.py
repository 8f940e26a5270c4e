"""`Reading`: what the three parsers share: names, numbers, calls and ones become terms, or an error with its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jacobians.arrays import Shape, size_of
from jacobians.auditing.names import Scope
from jacobians.auditing.source import Source, Span
from jacobians.auditing.terms import Term, call, leaf, number
from jacobians.symbols.expressions import Ones, Symbol

__all__ = ["Reading"]


_LARGEST = 1e15


@dataclass(frozen=True)
class Reading:
    """Names as one convention means them, on the right side of one formula.

    Attributes
    ----------
    scope : Scope
    target : str
        The left side, which the right side may not use.
    """

    scope: Scope
    target: str = ""

    def name(self, name: str, source: Source, span: Span) -> Term:
        """Return the term of a symbol."""
        found = self.scope.symbol(name)
        if found is None:
            if self.scope.function(name):
                raise source.error(f"{name!r} is a function; write {name}(…)", span)
            raise source.error(f"{name!r} is unknown; {self.scope.near(name)}", span)
        if isinstance(found, Symbol) and found.name == self.target:
            raise source.error(f"a formula for {self.target} cannot use {self.target} itself", span)
        return leaf(found, span)

    def number(self, value: object, source: Source, span: Span) -> Term:
        """Return the term of a literal."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise source.error(f"a literal is a real number, not {type(value).__name__}", span)
        if abs(value) > _LARGEST or not math.isfinite(value):
            raise source.error(f"a number is at most {_LARGEST:g}", span)
        return number(float(value), span)

    def size(self, name: str) -> int | None:
        """Return the whole number that a name stands for, such as N, or None."""
        found = self.scope.symbol(name)
        if isinstance(found, Symbol) and found.dims == () and found.name in self.scope.values(0):
            value = float(self.scope.values(0)[found.name])
            return int(value) if value.is_integer() else None
        return None

    def ones(self, dims: Shape, source: Source, span: Span) -> Term:
        """Return an array of ones; its sizes are sizes that the network has."""
        known = {1, *(n for expr in self.scope.symbols.values() for n in expr.shape)}
        for n in dims:
            if n not in known:
                count = self.scope.setting.examples
                raise source.error(f"nothing here has {n} entries; there are {count} examples: write np.ones(N)", span)
        if size_of(dims) > 10**6:
            raise source.error("so many ones are not written out", span)
        return leaf(Ones(dims), span)

    def call(self, function: str, arguments: Sequence[Term], source: Source, span: Span) -> Term:
        """Return the term of a call of a known function."""
        more = self.scope.complete(function, len(arguments)) if arguments else None
        if more is None:
            raise source.error(f"{function} does not take {len(arguments)} arguments", span)
        return call(function, (*arguments, *(number(value) for value in more)), span)
