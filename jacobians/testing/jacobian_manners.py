"""What a structured Jacobian refuses, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape
from jacobians.errors import ShapeError, TooLargeError
from jacobians.linops import Jacobian
from jacobians.testing.compare import agree, fail, refused

__all__ = ["assert_display", "assert_limits", "assert_refusals"]

_LONG = 80
"""Letters without spaces that a repr has before it may take several lines."""


def assert_limits(jacobian: Jacobian, *, what: str = "") -> None:
    """`to_dense` refuses one byte less than it needs, says what it needs, and takes exactly that.

    Parameters
    ----------
    jacobian : Jacobian
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If a limit is not kept, or its message lacks the size, the structure or the least limit.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_limits(softmax(np.ones((4, 3)))[1])
    """
    what, (rows, columns) = what or jacobian.structure, jacobian.shape
    if not rows * columns:
        return

    def within(limit: int) -> Array:
        return jacobian.to_dense(limit=limit)

    def one_less(limit: int, *parts: str) -> str:
        return refused("memory", what, f"to_dense(limit={limit - 1})", TooLargeError, lambda: within(limit - 1), *parts)

    size = rows * columns * jacobian.dtype.itemsize
    least = int(one_less(size, f"{rows}×{columns}", jacobian.structure).rpartition("pass limit=")[2])
    agree("memory", f"{what}, to_dense at its limit", within(least), jacobian.to_dense(), dtype=jacobian.dtype)
    if not one_less(least).endswith(f"pass limit={least}"):
        fail("memory", what, f"to_dense refuses {least - 1} bytes, and {least} are not the least that it names")


def assert_refusals(jacobian: Jacobian, *, what: str = "") -> None:
    """Arrays of a wrong shape raise `ShapeError`, which names the call, the shape given and the structure.

    Parameters
    ----------
    jacobian : Jacobian
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If a wrong shape is taken, or the message lacks one of the three.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_refusals(softmax(np.ones((4, 3)))[1])
    """
    what, (rows, columns) = what or jacobian.structure, jacobian.shape
    J, wrong = jacobian, list[tuple[str, Callable[[Array], Any], Shape]]()
    for name, action, shape in (("jvp", J.jvp, J.domain), ("vjp", J.vjp, J.codomain)):
        if shape:
            wrong += [(name, action, s) for s in ((*shape[:-1], shape[-1] + 1), shape[:-1], ())]
    for name, vector, n in (("matvec", J.matvec, columns), ("rmatvec", J.rmatvec, rows)):
        wrong += [(name, vector, s) for s in ((n + 1,), (n, 2), (), (1, n, 1))]
    for name, stack, n in (("matmat", J.matmat, columns), ("rmatmat", J.rmatmat, rows)):
        wrong += [(name, stack, s) for s in ((n + 1, 2), (n,), (n, 1, 1))]
    for name, act, given in wrong:
        text, parts = f"{name} of an array of shape {given}", (f"{name}: ", str(given), jacobian.structure)
        refused("refusals", what, text, ShapeError, partial(act, np.zeros(given)), *parts)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.cells.append(data)


def assert_display(jacobian: Jacobian, *, what: str = "") -> None:
    """The displays of a Jacobian: one line of text, escaped HTML, the bytes stored, the operations counted.

    Parameters
    ----------
    jacobian : Jacobian
    what : str, optional
        Names the Jacobian in messages.

    Raises
    ------
    AssertionError
        If text or HTML lack structure, sizes or dtype; if a short text takes several lines; if `nbytes` is not the
        memory of the stored arrays, each counted once; if `flops` is no count.

    Examples
    --------
    >>> from jacobians import softmax
    >>> assert_display(softmax(np.ones((4, 3)))[1])
    """
    what, (rows, columns) = what or jacobian.structure, jacobian.shape
    text, html = repr(jacobian), _Tags()
    parts = (jacobian.structure, f"{rows}×{columns}", str(jacobian.dtype), f"{jacobian.domain} → ")
    shown = "".join(text.split())
    broken = "\n" in text and len(shown) < _LONG
    if broken or not all("".join(part.split()) in shown for part in parts):
        fail("display", what, f"repr is not one line with structure, sizes and dtype: {text!r}")
    html.feed(jacobian._repr_html_())
    drawing = {"svg", "title", "desc", "rect", "circle", "path", "text"}
    if not html.tags <= {"table", "tr", "th", "td"} | drawing:
        fail("display", what, f"HTML has the tags {sorted(html.tags)}")
    if not {jacobian.structure, f"{rows} × {columns}", str(jacobian.dtype)} <= set(html.cells):
        fail("display", what, f"HTML lacks structure, sizes or dtype: {html.cells}")
    spans = {(a.__array_interface__["data"][0], a.nbytes) for a in jacobian.arrays if a.size}
    if jacobian.nbytes != sum(size for _, size in spans):
        fail("display", what, f"nbytes is {jacobian.nbytes}, the arrays take {sum(size for _, size in spans)}")
    flops: Any = jacobian.flops
    if not isinstance(flops, int) or flops < 0:
        fail("display", what, f"flops is {flops!r}")
