"""Structs and cell arrays of ``.mat`` files, taken apart: each array in one becomes a variable of its own."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence

__all__ = ["members"]

_MATRIX, _BYTES = 14, 1
_CELL, _STRUCT = 1, 2
_DEEPEST = 4


def members(element: bytes, endian: str, depth: int = 0) -> Iterator[bytes]:
    """Yield an element of a version 5 file, or, of a struct or a cell array, the arrays in it under longer names.

    The field W1 of a struct params becomes ``params.W1``, the first cell of coefs becomes ``coefs.1``. An array of
    structs, and one that is nested deeper than four, is yielded whole.

    Parameters
    ----------
    element : bytes
        With its tag of 8 bytes.
    endian : {"<", ">"}

    Raises
    ------
    ValueError, struct.error
        If a part states a false length.
    """
    kind = struct.unpack_from(f"{endian}I", element, 16)[0] & 0xFF if len(element) >= 20 else 0
    if kind not in (_CELL, _STRUCT) or depth == _DEEPEST:
        yield element
        return
    parts = list(_parts(element, 8, len(element), endian))
    if len(parts) < (3 if kind == _CELL else 5):
        raise ValueError("a struct or a cell array has no sizes, no name or no fields")
    sizes, name = _body(element, parts[1]), _body(element, parts[2]).decode("latin-1")
    count = math.prod(struct.unpack(f"{endian}{len(sizes) // 4}i", sizes))
    children = parts[3:] if kind == _CELL else parts[5:]
    labels: Sequence[object] = range(1, len(children) + 1)
    if kind == _STRUCT:
        if count != 1:  # many structs of the same fields
            yield element
            return
        listed = _body(element, parts[4])
        (length,) = struct.unpack(f"{endian}i", _body(element, parts[3]))
        if length < 1:
            raise ValueError(f"{name} has fields with names of {length} bytes")
        texts = [listed[start : start + length] for start in range(0, len(listed), length)]
        labels, count = [text.split(b"\0")[0].decode("latin-1") for text in texts], len(texts)
    if count != len(children):
        raise ValueError(f"{name} has {len(children)} members, its header promises {count}")
    for label, (start, body, stop) in zip(labels, children, strict=True):
        if struct.unpack_from(f"{endian}I", element, start)[0] != _MATRIX:
            raise ValueError(f"{name}.{label} is no array")
        if stop > body:  # an empty cell has no array in it
            yield from members(_renamed(element[start:stop], f"{name}.{label}", endian), endian, depth + 1)


def _parts(element: bytes, place: int, end: int, endian: str) -> Iterator[tuple[int, int, int]]:
    """Where each part of an element begins, where its body does, and where that ends."""
    while place + 8 <= end:
        kind, count = struct.unpack_from(f"{endian}II", element, place)
        body = place + 8
        if kind > 0xFFFF:  # a part of up to four bytes lies in its own tag
            count, body = kind >> 16, place + 4
        if body + count > end:
            raise ValueError(f"a part states {count} bytes, {end - body} follow")
        yield place, body, body + count
        place = max(place + 8, body + count + -(body + count - place) % 8)


def _body(element: bytes, part: tuple[int, int, int]) -> bytes:
    return element[part[1] : part[2]]


def _renamed(element: bytes, name: str, endian: str) -> bytes:
    """The element with another name: its flags, its sizes, the name, and the rest."""
    parts = list(_parts(element, 8, len(element), endian))
    if len(parts) < 3:
        raise ValueError(f"{name} has no sizes or no name")
    text = name.encode("latin-1")
    named = struct.pack(f"{endian}II", _BYTES, len(text)) + text + bytes(-len(text) % 8)
    rest = parts[3][0] if len(parts) > 3 else len(element)
    body = element[8 : parts[2][0]] + named + element[rest:]
    return struct.pack(f"{endian}II", _MATRIX, len(body)) + body
