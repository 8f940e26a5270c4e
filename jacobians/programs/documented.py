"""Shapes that a docstring tells: ``X: data of shape (N, D)``, ``means (K, D)``."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

_NAME = r"(?<![\w.'\"])`{{0,2}}{name}`{{0,2}}(?!\w)"
_BETWEEN = r"\s*(?:\([a-z ]*(?:array|matrix|vector)[a-z ]*\))?\s*[^()\n]{0,90}?"
_SHAPE = r"\(([^()\n]{1,90})\)"
_SYMBOL = re.compile(r"\w[\w ]*(?: ?[*+] ?\w[\w ]*)*")
_SAYS = re.compile(r"(?i)shape|size|dim")


_WHOLE = re.compile(r"(?i)\b(integers?|indices|index|int array|word ids|tokens?)\b")
_TRUTHS = re.compile(r"(?i)\b(boolean|bool|mask)\b")


def documented_kinds(function: ast.FunctionDef) -> dict[str, str]:
    """Return which arguments are arrays of whole numbers or of truths, as its docstring says before their shapes.

    Parameters
    ----------
    function : ast.FunctionDef

    Examples
    --------
    >>> (f,) = ast.parse('''def f(x, mask):
    ...     "x: integer array of shape (N, T); mask: boolean, of shape (N, T)"
    ... ''').body
    >>> documented_kinds(f)
    {'x': 'whole', 'mask': 'truth'}
    """
    text = ast.get_docstring(function) or ""
    found: dict[str, str] = {}
    for name in documented_shapes(function):
        match = re.search(_NAME.format(name=re.escape(name)) + f"({_BETWEEN}){_SHAPE}", text)
        between = match.group(1) if match else ""
        if _WHOLE.search(between) or _TRUTHS.search(between):
            found[name] = "whole" if _WHOLE.search(between) else "truth"
    return found


def documented_shapes(function: ast.FunctionDef) -> dict[str, tuple[str, ...]]:
    """Return the shapes of a function's arguments as its docstring tells them, each axis by its symbol.

    Parameters
    ----------
    function : ast.FunctionDef

    Examples
    --------
    >>> (f,) = ast.parse('''def f(X, w):
    ...     "X: data of shape (N, D); w (D,) are the weights"
    ... ''').body
    >>> documented_shapes(f)
    {'X': ('N', 'D'), 'w': ('D',)}
    """
    text = ast.get_docstring(function) or ""
    found: dict[str, tuple[str, ...]] = {}
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    for name in names:
        others = "|".join(re.escape(other) for other in names if other != name)
        for match in re.finditer(_NAME.format(name=re.escape(name)) + f"({_BETWEEN}){_SHAPE}", text):
            between, inside = match.group(1), match.group(2)
            if others and re.search(rf"(?<!\w)(?:{others})(?!\w)", between):
                continue  # the shape is that of another argument
            shape = _symbols(inside, plain=_SAYS.search(between) is not None)
            if shape is not None:
                found[name] = shape
                break
    return found


def _symbols(text: str, *, plain: bool) -> tuple[str, ...] | None:
    """The symbols of a shape; None where it is none. A word alone is one only after the word shape."""
    parts = [part.strip() for part in text.split(",")]
    if parts and not parts[-1]:
        parts.pop()
    elif len(parts) == 1 and not plain:
        return None
    if not 1 <= len(parts) <= 4 or not all(_SYMBOL.fullmatch(part) for part in parts):
        return None
    if not plain and any(" " in part for part in parts):
        return None
    return tuple(parts)


_EXAMPLES = re.compile(
    r"(?i)(n|m|b|bs|batch(_?size)?|(n|num)_?(samples|examples)|number of (examples|samples)|num_train)$"
)
_FEATURES = re.compile(r"(?i)(d|n_x|d_in|n_?features|input_?(size|dim)|input size|number of features|n_in|dim)$")
_OUTPUTS = re.compile(r"(?i)(c|k|n_y|d_out|n_?classes|num_?classes|output_?(size|dim)|n_out|number of classes)$")
_HIDDEN = re.compile(r"(?i)(h|n_h|n_a|hidden_?(size|dim)|hidden size|n_hidden)$")


def usual_size(symbol: str, *, examples: int, features: int, outputs: int, hidden: int) -> int | None:
    """Return the size of an axis by its usual symbol, or the number that it is; None where it has no usual one."""
    if symbol.isdigit():
        return int(symbol)
    sizes: Mapping[re.Pattern[str], int] = {
        _EXAMPLES: examples, _FEATURES: features, _OUTPUTS: outputs, _HIDDEN: hidden,
    }  # fmt: skip
    return next((size for pattern, size in sizes.items() if pattern.match(symbol)), None)
