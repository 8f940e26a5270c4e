"""A structure that is too long for a line, such as that of a Gauss–Newton matrix, over several lines."""

from __future__ import annotations

__all__ = ["laid_out"]

_OPENING = {"(": ")", "[": "]"}
_INDENT = "    "


def laid_out(structure: str, width: int = 80, indent: str = "") -> str:
    """Return a structure in lines of a width: a line for each term, then each factor, then each part in brackets.

    A part that fits stays on its line. One that fits nowhere, and has no smaller parts, is left too long.

    Parameters
    ----------
    structure : str
        As a Jacobian's `structure` is written.
    width : int
    indent : str
        Before every line.

    Examples
    --------
    >>> print(laid_out("Diagonal(3) @ Kronecker(I₆, 3×4)"))
    Diagonal(3) @ Kronecker(I₆, 3×4)
    >>> print(laid_out("2·(BlockRow[Dense(2×3), Dense(2×5)])ᵀ @ Diagonal(2)", 24))
    2·(
        BlockRow[
            Dense(2×3),
            Dense(2×5)
        ]
    )ᵀ
    @ Diagonal(2)
    """
    if len(indent) + len(structure) <= width:
        return indent + structure
    for sign in ("+", "@"):
        first, *rest = _parts(structure, f" {sign} ")
        if rest:
            lines = [laid_out(first, width, indent)]
            lines += [f"{indent}{sign} {laid_out(part, width - 2, indent).removeprefix(indent)}" for part in rest]
            return "\n".join(lines)
    start = next((place for place, letter in enumerate(structure) if letter in _OPENING), None)
    end = structure.rfind(_OPENING[structure[start]]) if start is not None else -1
    if start is None or end < start:
        return indent + structure
    inside = [laid_out(part, width, indent + _INDENT) for part in _parts(structure[start + 1 : end], ", ")]
    return "\n".join([indent + structure[: start + 1], ",\n".join(inside), indent + structure[end:]])


def _parts(text: str, between: str) -> list[str]:
    """What stands between the separators that are in no bracket."""
    parts, depth, start, place = [], 0, 0, 0
    while place < len(text):
        depth += (text[place] in _OPENING) - (text[place] in _OPENING.values())
        if depth == 0 and text.startswith(between, place):
            parts.append(text[start:place])
            start = place = place + len(between)
        else:
            place += 1
    return [*parts, text[start:]]
