"""How books spell what a program has other signs for: |X|, ‖x‖, X⁻ᵀ, X³, and products without spaces, AXB."""

from __future__ import annotations

import re
from collections.abc import Collection

from jacobians.differentiation.words import BARS, FUNCTIONS, is_greek

_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_BAR = r"(?:\\(?:left|right|big|bigl|bigr|Big|Bigl|Bigr)\s*)?"
_ORDER = r"(?:_(?:\{([^{}]*)\}|([^\s{])))?"
"""Which norm: nothing, F, 1, 2 or another."""
_NORMS = (
    re.compile(rf"‖(.+?)‖{_ORDER}"),
    re.compile(rf"{_BAR}\\(?:\||[lr]?Vert(?![A-Za-z]))(.+?){_BAR}\\(?:\||[lr]?Vert(?![A-Za-z])){_ORDER}"),
    re.compile(rf"\|\|(.+?)\|\|{_ORDER}"),
)
_ONE_BAR = re.compile(rf"{_BAR}(?:\||\\[lr]?vert(?![A-Za-z]))(.+?){_BAR}(?:\||\\[lr]?vert(?![A-Za-z]))")
_FROBENIUS = re.compile(r"(\bnorm\((?:[^()]|\([^()]*\))+),\s*['\"](?:fro|frob)['\"](?=\))")
_TRANSPOSED_INVERSE = re.compile(
    r"\^\s*(?:\{\s*-\s*(?:T|\\top|\\intercal|\\(?:mathsf|mathrm|text)\s*\{?T\}?)\s*\}|\(-T\)|-T\b)|⁻ᵀ"
)
_SIGMA = re.compile(r"\\sigma(?![A-Za-z])|σ")
_SIGMOID = re.compile(r"(?:\\sigma|σ)(?:\\left|\\bigl?|\\Bigl?)?\(")
"""A σ that a bracket follows at once is the function, unless it stands elsewhere as a number."""
_RUN = re.compile(r"(?<![\\A-Za-z_{])(?<![A-Za-z_]\d)[A-Za-z]{2,5}(?![A-Za-z0-9_{]|\.\w)")


def plain(text: str, notation: str, declared: Collection[str] = (), letters: Collection[str] = ()) -> str:
    """Return an expression in the signs that the readers know.

    Parameters
    ----------
    text : str
    notation : {"numpy", "latex", "octave"}
        NumPy has signs of its own, and stays as it is.
    declared : collection of str
        Names of several letters, which stay together.
    letters : collection of str
        Names of one letter that are known: a run of them is a product, as a run with a capital always is.

    Examples
    --------
    >>> plain("log|X| + AXB⁻ᵀ", "octave")
    "log(bars(X)) + A X B^-1'"
    """
    if notation == "numpy":
        return text
    for norm in _NORMS:
        text = norm.sub(_of_order, text)
    text = _ONE_BAR.sub(_of_bars, text)
    text = _FROBENIUS.sub(r"\1", text)
    latex = notation == "latex"
    if "sigma" not in declared and len(_SIGMA.findall(text)) == len(_SIGMOID.findall(text)):
        text = _SIGMOID.sub(lambda _: r"\operatorname{sigmoid}(" if latex else "sigmoid(", text)
    text = _TRANSPOSED_INVERSE.sub(lambda _: "^{-1}^T" if latex else "^-1'", text)
    text = re.sub("⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: _raised(found[0].translate(_DIGITS), latex=latex), text)
    return text if latex else _RUN.sub(lambda found: _apart(found[0], declared, letters), text)


def _raised(exponent: str, *, latex: bool) -> str:
    return f"^{{{exponent}}}" if latex else f"^{exponent}"


def _of_order(found: re.Match[str]) -> str:
    """norm(X), or with the order that stands below its bars."""
    order = found[2] or found[3] or "F"
    return f"norm({found[1]})" if order == "F" else f"norm({found[1]}, {order if order in ('1', '2') else 0})"


def _of_bars(found: re.Match[str]) -> str:
    """What stands between bars; around a determinant they are those of its size, where it is positive."""
    inside = found[1].strip()
    if re.match(r"\\?(?:operatorname\{)?det\b", inside):
        return f"({inside})"
    return f"({BARS}({inside}))"


def _apart(run: str, declared: Collection[str], letters: Collection[str]) -> str:
    """A run of letters, of which one is a capital, as a product; dX and names that mean something stay."""
    known = run in FUNCTIONS or run in declared or is_greek(run) or re.fullmatch("d[A-Z]", run)
    return run if known or (run.islower() and not set(run) <= {*letters}) else " ".join(run)
