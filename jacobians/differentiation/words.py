"""What names and functions mean in an expression: capitals are matrices, small letters vectors, Greek ones numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from jacobians.arrays import Shape, counted, did_you_mean
from jacobians.auditing.formula_text import Source, Span
from jacobians.auditing.terms import Term, call, leaf, number
from jacobians.symbols.expressions import Expr, Number, Symbol
from jacobians.symbols.notation import GREEK

FUNCTIONS: Mapping[str, str] = {
    **{"trace": "trace", "tr": "trace", "Tr": "trace", "inv": "inv", "inverse": "inv", "det": "det"},
    **{"logdet": "logdet", "norm": "norm", "matrix_power": "matrix_power", "mpower": "matrix_power"},
    **{"exp": "exp", "log": "log", "ln": "log", "sin": "sin", "cos": "cos", "tanh": "tanh", "sqrt": "sqrt"},
    **{"kron": "kron", "pinv": "pinv", "solve": "solve", "square": "square", "log1p": "log1p", "mean": "mean"},
    **{"diag": "diag", "vec": "vec", "abs": "abs", "absolute": "abs", "fabs": "abs", "sign": "sign"},
    **{"softmax": "softmax", "slogdet": "slogdet", "mldivide": "solve"},
    **{"expm": "expm", "logm": "logm", "sqrtm": "sqrtm", "tan": "tan", "sinh": "sinh", "cosh": "cosh"},
    **{"arctan": "arctan", "atan": "arctan", "maximum": "maximum", "max": "maximum"},
    **{"minimum": "minimum", "min": "minimum", "clip": "clip", "sylvester": "sylvester"},
    **{"sigmoid": "sigmoid", "expit": "sigmoid", "relu": "relu", "ReLU": "relu", "softplus": "softplus"},
}
"""By what an expression may call them, the functions that are known."""

BARS = "bars"
"""What the readers are given for |X|: a determinant of a matrix, the absolute values of what is none."""

_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lam", "mu", "nu", "rho", "sigma", "tau"),
    *("phi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega"),
)
_SPELLINGS = {"lambda": "lam", "lambdA": "lam", "lambd": "lam"} | {sign: name for name, sign in GREEK.items()}
_SPELLINGS["λ"] = "lam"
_ONE_LETTER = re.compile(r"[^\W\d_](?:_?\d+)?")


def is_scalar(name: str) -> bool:
    """Whether a name stands for a number unless it is declared: α, λ, lambda and the like."""
    plain = name.rstrip("0123456789_")
    return plain[0].islower() and (plain in _GREEK or "α" <= plain <= "ω")


def is_greek(name: str) -> bool:
    """Whether a name is that of a Greek letter, such as Sigma, with an index or without."""
    return spelled(name).rstrip("0123456789_") in _GREEK


def spelled(name: str) -> str:
    """Return the name that formulas and programs use: λ and lambda, which Python keeps for itself, are lam."""
    return _SPELLINGS.get(name, name)


@dataclass
class ExpressionWords:
    """The names of one expression; attributes and methods are those of `auditing.words.Words`.

    Attributes
    ----------
    declared : collection of str
        Names of more than one letter, and those whose shapes are given.
    """

    declared: Collection[str]
    loops: set[str] = field(default_factory=set)
    choices: Mapping[str, str] = field(default_factory=dict)
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    elements: str = ""
    examples: int = 0
    count_name: str = ""
    feature_axis: int = 1

    def knows(self, name: str) -> bool:
        """Whether a name stands for an array: one letter with an index, a Greek letter's name, or declared."""
        name = spelled(name)
        return name in self.declared or is_greek(name) or _ONE_LETTER.fullmatch(name) is not None

    def symbol(self, name: str) -> Expr | None:
        """Return the symbol of a name; its shape is found later."""
        return Symbol(spelled(name), ()) if self.knows(name) else None

    def name(self, name: str, source: Source, span: Span) -> Term:
        """Return the term of a name."""
        name = spelled(name)
        if not self.knows(name):
            if name in FUNCTIONS:
                raise source.error(f"{name!r} is a function; write {name}(X)", span)
            raise source.error(
                f"{name!r} is unknown; a product of letters is written with spaces or signs between them, and a longer "
                f"name is declared: shapes={{{name!r}: (3, 3)}}",
                span,
            )
        return leaf(Symbol(name, ()), span)

    def number(self, value: object, source: Source, span: Span) -> Term:
        """Return the term of a literal."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise source.error(f"a literal is a real number, not {type(value).__name__}", span)
        return number(float(value), span)

    def size(self, name: str) -> int | None:
        """Return None: sizes have no names here."""
        return None

    def length(self, of: Term, axis: int, source: Source, span: Span) -> Term:
        """Raise: sizes are no part of an expression."""
        raise source.error("sizes are not read here; write the number", span)

    def ones(self, dims: Shape, source: Source, span: Span) -> Term:
        """Raise: ones are written by sum."""
        raise source.error("arrays of ones are not read here; a sum of all entries is sum", span)

    def function(self, name: str) -> str | None:
        """Return the name under which a function is known, or None."""
        return None if name in self.declared else BARS if name == BARS else FUNCTIONS.get(name)

    def no_function(self, name: str) -> str:
        """Return what to say of a name that is called, and is no function."""
        if name == "sum":  # Python's own adds along the first axis only
            return "a sum of all entries is np.sum(X) or X.sum()"
        return (
            f"{name!r} is no function that is known here{did_you_mean(name, FUNCTIONS)}; the functions are {_known()}"
        )

    def call(self, function: str, arguments: Sequence[Term], source: Source, span: Span) -> Term:
        """Return the term of a call."""
        if function == "matrix_power":
            exponent = getattr(arguments[1].detail, "value", 0.5) if len(arguments) == 2 else 0.5
            if not float(exponent).is_integer() or abs(exponent) > 9:
                raise source.error("matrix_power takes a matrix and a whole number from -9 to 9", span)
            return Term("matrix_power", (arguments[0],), int(exponent), span)
        if function == "solve" and len(arguments) == 2:
            return Term("product", (call("inv", (arguments[0],), span), arguments[1]), None, span)
        if function == "square" and len(arguments) == 1:
            return Term("power", (arguments[0],), 2, span)
        if function == "log1p" and len(arguments) == 1:
            return call("log", (Term("plus", (number(1.0, span), arguments[0]), None, span),), span)
        if function in ("maximum", "minimum"):
            if len(arguments) != 2:
                raise source.error(f"{function} is read of two, entry by entry: {function}(X, 0)", span)
            return _larger(*arguments, least=function == "minimum", span=span)
        if function == "clip" and len(arguments) == 3:
            return _clipped(*arguments, source=source, span=span)
        if function == "norm" and len(arguments) == 2:
            return Term("call", tuple(arguments), function, span)
        if function == "mean" and len(arguments) == 1:
            return Term("mean", (arguments[0],), (None, False), span)
        if len(arguments) != {"kron": 2, "solve": 2, "sylvester": 3, "clip": 3}.get(function, 1):
            raise source.error(f"{function} does not take {counted(len(arguments), 'argument')}", span)
        return call(function, tuple(arguments), span)

    def derivative(self, of: str, wrt: str, source: Source, span: Span) -> Term:
        """Raise: what is differentiated has no derivative in it."""
        raise source.error("a derivative inside the expression is not read", span)


def _larger(one: Term, other: Term, *, least: bool, span: Span) -> Term:
    """max(X, c) = c + relu(X − c), and min(X, c) = X − relu(X − c), entry by entry."""
    zero = [isinstance(side.detail, Number) and side.detail.value == 0 for side in (one, other)]
    if zero[0]:
        one, other, zero = other, one, zero[::-1]
    above = call("relu", (one if zero[1] else Term("minus", (one, other), None, span),), span)
    if least:
        return Term("minus", (one, above), None, span)
    return above if zero[1] else Term("plus", (other, above), None, span)


def _clipped(of: Term, low: Term, high: Term, *, source: Source, span: Span) -> Term:
    """a + relu(X − a) − relu(X − b), entry by entry, where a ≤ b."""
    if not all(isinstance(end.detail, Number) for end in (low, high)) or low.detail.value > high.detail.value:
        raise source.error("clip is read with two literals, the lower one first: clip(X, 0, 1)", span)
    below = call("relu", (Term("minus", (of, high), None, span),), span)
    return Term("minus", (_larger(of, low, least=False, span=span), below), None, span)


def _known() -> str:
    return ", ".join(sorted({*FUNCTIONS.values(), "sum", "transpose"}))
