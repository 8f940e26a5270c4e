r"""A printed identity, such as ∂ log det X/∂X = X⁻ᵀ, cut into what is differentiated, by what, and the right side.

Its left side has a derivative of an expression, not of a name: those of a network's loss are `auditing`'s. It is
written ∂(…)/∂X, d(…)/dX, ∂/∂X …, ∇_X …, ∂²(…)/∂x∂x', in text or in LaTeX, or d(…) for a differential, whose right side
has dX.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from jacobians.differentiation.words import FUNCTIONS

What = Literal["derivative", "differential", "second"]

_D = r"(?:∂|\\partial(?![A-Za-z])|\\mathrm\{d\}|\\mathrm d|d(?=\s*[(A-Z\\{]|\s+[a-z])|D(?=\s*[(]))\s*"
_BY = r"(?:∂|\\partial(?![A-Za-z])|\\mathrm\{d\}|\\mathrm d|d)\s*"
_WRT = r"\(?\s*(?:vec|\\operatorname\{vec\}|\\mathrm\{vec\})?\s*\(?\s*(?P<wrt>\\?[^\W\d_]+(?:_?\{?\d+\}?)?)\s*\)?\s*\)?"
_TURNED = r"(?P<turned>['ᵀ]|\s*\^\s*\{?\s*(?:T|\\top|\\intercal)\s*\}?)?"
_ASSUMED = re.compile(
    r"(?:[,;(\[]|\s(?=where\b|for\b|if\b|with\b))\s*(?:where|for|if|with|a)?\s*(?:a\s+symmetric\s+(?P<after>[^\W\d_])|"
    r"(?P<names>[^\W\d_](?:\s*(?:,|and)\s*[^\W\d_])*)\s+(?:is\s+|are\s+)?symmetric)[)\]]?\s*$"
)
_NAME = re.compile(
    r"\s*\\?[^\W\d_]\w*(?:\{[^{}]*\}|[_^](?:\{[^{}]*\}|\\?\w+)|['′])*\s*(?:\((?P<arguments>.*)\))?\s*", re.DOTALL
)


@dataclass(frozen=True)
class IdentityText:
    """The parts of an identity.

    Attributes
    ----------
    of : str
        What is differentiated.
    wrt : str
    right : str
    what : {"derivative", "differential", "second"}
    by_row : bool
        Whether it is by X', as in ∂y/∂x'.
    symmetric : tuple of str
        The names that are said to be symmetric.
    """

    of: str
    wrt: str
    right: str
    what: What
    by_row: bool = False
    symmetric: tuple[str, ...] = ()


def identity_text(text: object) -> IdentityText | None:
    """Return the parts of an identity, or None where the text is none: a program, or a formula of a network.

    Examples
    --------
    >>> found = identity_text("d tr(AXB)/dX = A'B'")
    >>> found.of, found.wrt, found.right
    ('tr(AXB)', 'X', "A'B'")
    """
    if not isinstance(text, str) or "\n" in text.strip() or len(text) > _LONGEST:
        return None
    symmetric: tuple[str, ...] = ()
    if assumed := _ASSUMED.search(text):
        names = assumed["after"] or assumed["names"].replace("and", ",")
        text, symmetric = text[: assumed.start()], tuple(re.findall(r"[^\W\d_]", names))
    sides = _sides(text)
    if sides is None:
        return None
    left, right = sides
    for pattern in (_fraction, _operator, _nabla, _slash, _second, _differential):
        found = pattern(left.strip(), right.strip().rstrip(".;"))
        if found is not None and not _is_plain(found.of, found.wrt):
            return IdentityText(found.of, found.wrt, found.right, found.what, found.by_row, symmetric)
    return None


_LONGEST = 2_000


def _sides(text: str) -> tuple[str, str] | None:
    """What stands on both sides of the one equals sign."""
    parts = re.split(r"(?<![=<>!≤≥])=(?!=)", text.replace("&=", "="))
    return (parts[0], parts[1]) if len(parts) == 2 and parts[0].strip() and parts[1].strip() else None


def _is_plain(of: str, wrt: str) -> bool:
    """Whether it is a name alone, with indices and arguments: the loss L, J(θ), the array Z1; but Ax is a product."""
    of = re.sub(r"\\(?:operatorname|mathrm|text)\{(\w+)\}", r"\1", of)
    found = _NAME.fullmatch(of)
    if found is None:
        return False
    if re.fullmatch("[A-Za-z]{2,4}", of) and not of.islower() and wrt in of:
        return False
    word = re.match(r"\s*\\?([A-Za-z]+)", of)
    return not (word and found["arguments"] is not None and word[1] in {*FUNCTIONS, "sum", "mean"})


# --- the ways of writing a derivative --------------------------------------------------------------------


def _fraction(left: str, right: str) -> IdentityText | None:
    r"""\frac{\partial …}{\partial X}, and \frac{\partial}{\partial X} …"""
    begun = re.match(r"\\[dt]?frac\s*", left)
    if begun is None:
        return None
    above, rest = _braced(left[begun.end() :])
    below, after = _braced(rest)
    second = re.match(rf"{_D}\^\s*\{{?2\}}?\s*(?P<of>.*)", above, re.DOTALL)
    first = re.fullmatch(rf"{_D}(?P<of>.*)", above.strip(), re.DOTALL)
    if second:
        by = re.fullmatch(rf"{_BY}{_WRT}(?:\^\s*\{{?2\}}?|\s*(?:\\,)?\s*{_BY}(?P=wrt).*)", below.strip())
        return by and IdentityText((second["of"] or after).strip(), by["wrt"], right, "second")
    by = re.fullmatch(rf"{_BY}{_WRT}{_TURNED}", below.strip())
    if first is None or by is None:
        return None
    return IdentityText((first["of"] or after).strip(), by["wrt"], right, "derivative", by["turned"] is not None)


def _operator(left: str, right: str) -> IdentityText | None:
    """∂/∂X …"""
    found = re.fullmatch(rf"(?:∂|d)\s*/\s*{_BY}{_WRT}{_TURNED}\s+(?P<of>.+)", left, re.DOTALL)
    return found and IdentityText(found["of"], found["wrt"], right, "derivative", found["turned"] is not None)


def _nabla(left: str, right: str) -> IdentityText | None:
    """∇_X …"""
    found = re.fullmatch(
        r"(?:∇|\\nabla)\s*_\s*(?:\{\s*(?P<a>[^{}]+?)\s*\}|(?P<b>\\?[^\W_]))\s*(?P<of>.+)", left, re.DOTALL
    )
    return found and IdentityText(found["of"], found["a"] or found["b"], right, "derivative")


def _slash(left: str, right: str) -> IdentityText | None:
    """∂(…)/∂X."""
    found = re.fullmatch(rf"{_D}(?P<of>.+?)\s*/\s*\(?\s*{_BY}{_WRT}{_TURNED}", left, re.DOTALL)
    if found is None or _has_square(found["of"]):
        return None
    return IdentityText(_unvec(found["of"]), found["wrt"], right, "derivative", found["turned"] is not None)


def _second(left: str, right: str) -> IdentityText | None:
    """∂²(…)/∂x∂x', ∂²(…)/∂x²."""
    found = re.fullmatch(
        rf"(?:∂|d)\s*(?:²|\^2)\s*(?P<of>.+?)\s*/\s*\(?\s*{_BY}{_WRT}\s*(?:²|\^2|{_BY}.*)\)?", left, re.DOTALL
    )
    return found and IdentityText(found["of"], found["wrt"], right, "second")


def _differential(left: str, right: str) -> IdentityText | None:
    """d(…) = … dX."""
    found = re.fullmatch(rf"{_D}(?P<of>.+)", left, re.DOTALL)
    moved = set(re.findall(r"(?:(?<![A-Za-z\\])d|∂|\\partial\s|\\mathrm\{d\})\s*\(?(\\?[^\W\d_])(?![A-Za-z])", right))
    if found is None or len(moved) != 1 or re.search(r"[][]|/\s*(?:d|∂)", found["of"]):
        return None
    (wrt,) = moved
    plain = re.sub(rf"(?:∂|\\partial\s|\\mathrm\{{d\}})\s*({re.escape(wrt)})", r"d\1", right)
    return IdentityText(found["of"], wrt, re.sub(rf"d\(({re.escape(wrt)})\)", r"d\1", plain), "differential")


def _has_square(of: str) -> bool:
    return of.startswith(("²", "^2"))


def _unvec(of: str) -> str:
    """What vec is taken of."""
    found = re.fullmatch(r"vec\s*(?P<of>\(.+\)|\w+)", of.strip(), re.DOTALL)
    return found["of"] if found else of


def _braced(text: str) -> tuple[str, str]:
    """The argument in braces at the beginning, and what follows."""
    text = text.lstrip()
    depth = 0
    for place, c in enumerate(text):
        depth += (c == "{") - (c == "}")
        if depth == 0:
            return text[1:place], text[place + 1 :]
    return text, ""
