"""What the library raises. Every error is also a `ValueError`, so one ``except`` clause serves a caller."""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "DTypeError",
    "DataError",
    "DomainError",
    "FormulaError",
    "FrozenError",
    "GraphError",
    "JacobiansError",
    "LayoutError",
    "MissingExtraError",
    "RecordingError",
    "ShapeError",
    "TooLargeError",
]


class JacobiansError(ValueError):
    """Base of every error that the library raises on purpose."""


class ArgumentError(JacobiansError, TypeError):
    """Something of another kind stands where an argument belongs, such as two arguments in each other's place."""


class ShapeError(JacobiansError):
    """Two shapes do not fit; the text names the operation, both shapes and the likely mend."""


class LayoutError(JacobiansError):
    """Two layouts, vec orders or derivative layouts were mixed, or a layout's field is unknown."""


class DTypeError(JacobiansError, TypeError):
    """What is given is no array of real numbers: complex numbers, strings, objects, a masked array, or no array."""


class DomainError(JacobiansError):
    """A value lies where the function or its derivative is undefined: log(0), a label out of range."""


class DataError(JacobiansError):
    """A file cannot be used: missing, pickled, too large, or without the names that were asked for."""


class FormulaError(JacobiansError):
    """A formula cannot be read; the text shows it, marks the place, and says what is allowed there."""


class FrozenError(JacobiansError, AttributeError):
    """An attribute that does not change was set; the text says how to make a changed object."""


class GraphError(JacobiansError):
    """A value is used where it cannot be: in another graph, under a name in use, by a function without a rule."""


class TooLargeError(JacobiansError, MemoryError):
    """A dense view would exceed its byte limit; nothing was allocated."""


class RecordingError(JacobiansError):
    """A function cannot be replayed: it leaves NumPy's functions, or writes where it must not."""


class MissingExtraError(JacobiansError, ImportError):
    """An optional dependency is not installed; the text says which extra brings it."""
