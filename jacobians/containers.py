"""Dicts, lists and tuples of arrays: their leaves, and leaves put back into their places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["leaves_of", "rebuilt"]


def leaves_of(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of every leaf, in order: ``W1``, ``[0]``, ``layers[1].b``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves_of(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from leaves_of(item, f"{name}[{i}]")
    else:
        yield name, value


def rebuilt(like: Any, items: Iterator[Any]) -> Any:
    """Return `items`, leaf by leaf, in the dicts, lists and tuples of `like`."""
    if isinstance(like, dict):
        return {name: rebuilt(item, items) for name, item in like.items()}
    if isinstance(like, (list, tuple)):
        found = [rebuilt(item, items) for item in like]
        if hasattr(like, "_fields"):  # a named tuple takes its fields one by one
            return type(like)(*found)
        return tuple(found) if isinstance(like, tuple) else found
    return next(items)
