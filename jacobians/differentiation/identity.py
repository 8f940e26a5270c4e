"""`audit_identity`: is a printed derivative of an expression right, in which layout, and in which coordinates?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jacobians.arrays import Array, Shape, did_you_mean, show_shape
from jacobians.auditing.formula_text import Source
from jacobians.auditing.result import Audit, wrapped
from jacobians.auditing.terms import Term, positions
from jacobians.derivation import Equation
from jacobians.differentiation.derivative import Derivative
from jacobians.differentiation.differentiate import differentiate, drawn, guessed, read_term
from jacobians.differentiation.identity_text import IdentityText
from jacobians.differentiation.shapes import show_shapes, with_shapes
from jacobians.differentiation.spellings import plain
from jacobians.differentiation.values_of_terms import array_of
from jacobians.differentiation.words import ExpressionWords, spelled
from jacobians.errors import DomainError, FormulaError, GraphError, JacobiansError, LayoutError
from jacobians.graphs import Value
from jacobians.symbols.expressions import Expr, Symbol, Zeros

DerivativeLayout = Literal["numerator", "denominator", "mixed"]

_POINTS = 3
_TOLERANCE = 1e-9
_ANY = "every layout"
_ENTRIES = "by the entries on and below the diagonal of a symmetric {0}: G + Gᵀ − G ∘ I"
_WITHIN = "within the symmetric matrices: (G + Gᵀ)/2"


@dataclass(frozen=True, eq=False)
class IdentityAudit(Audit):
    """Whether a printed derivative of an expression is right. It is true where the identity is right.

    The attributes are those of `Audit`: `convention` is the layout in which it was judged, or in which it is right;
    `elsewhere` are the layouts, the coordinates and the assumptions in which it is right as it stands.

    Attributes
    ----------
    derivative : Derivative or None
        The right one; None where no formula is known.
    """

    derivative: Derivative | None = None

    def _lines(self) -> Iterator[str]:
        yield self.formula.strip()
        yield ""
        yield from wrapped(f"{self.verdict} in {self.convention} ({self.claim})")
        if self.verdict == "right":
            yield f"compared at {self.draws} random points to {_TOLERANCE:g} of the largest entry"
        else:
            yield from wrapped(f"{self.problem[:1].upper()}{self.problem[1:]}.")
        if self.reading:
            yield from wrapped(f"read so: {self.reading}")
        if self.elsewhere:
            for place in self.elsewhere:
                yield from wrapped(f"right {place}", "      ")
        if self.verdict != "right" and self.derivative is not None:
            yield ""
            yield str(self.derivative)


@dataclass(frozen=True, eq=False)
class _Question:
    """One identity with its sides as terms, and the shapes of its names."""

    parts: IdentityText
    wrt: str
    term: Term
    right: Term
    source: Source
    shapes: Mapping[str, Shape]
    sides: Mapping[str, Shape]
    """Of the names on the right side."""
    notation: str

    def points(self, symmetric: Collection[str]) -> Iterator[tuple[Value, dict[str, Value]]]:
        for number in range(_POINTS):
            yield drawn(self.term, self.shapes, first=100 * number, symmetric=symmetric)

    def claimed(self, inputs: Mapping[str, Value], tangent: Array) -> Array:
        """The value of the right side."""
        arrays: dict[str, Array] = {}
        for name, shape in self.sides.items():
            if name in inputs:
                arrays[name] = inputs[name].array
            else:
                arrays[name] = tangent if name == f"d{self.wrt}" else np.eye(shape[0])
        with np.errstate(all="ignore"):
            return array_of(self.right, arrays) if arrays else array_of(self.right, {"_": np.zeros(())})


def audit_identity(
    formula: str, parts: IdentityText, *, layout: DerivativeLayout | None = None, notation: str | None = None
) -> IdentityAudit:
    """Return whether an identity is right, and if it is right in another layout or in other coordinates, in which.

    Parameters
    ----------
    formula : str
    parts : IdentityText
        What `identity_text` found in it.
    layout : {"numerator", "denominator", "mixed"}, optional
        Any, unless given. In denominator layout, the derivative of a number is shaped like X, and that of a column by a
        column is the transposed Jacobian. "mixed" is the Matrix Cookbook's: of a number the denominator layout, else
        the numerator layout.
    notation : {"numpy", "latex", "octave"}, optional

    Raises
    ------
    FormulaError
        If a side cannot be read, or has a name that the left side has not.
    LayoutError
        If the layout is unknown.
    """
    if layout not in (None, "numerator", "denominator", "mixed"):
        raise LayoutError(f"audit: the layout is numerator, denominator or mixed, not {layout!r}")
    if parts.by_row and layout is None:
        layout = "numerator"
    notation = notation or _notation(parts)
    question, found, stated, clash = _judged(parts, notation)
    asked = _mixed(question) if layout == "mixed" else layout
    wanted = {name for name in found.right if asked is None or name.startswith((asked, _ANY))}
    right = bool(wanted)
    elsewhere = [f"in {name}" for name in found.right if not right]
    if not right and not found.right:
        elsewhere = [*_other_assumptions(question, stated)]
    if clash and not found.right and not elsewhere:
        found = _Matches((), fits=False, difference=np.inf, problem=clash)
    derivative = _derivative(question)
    assumed = ["all matrices are square"] * bool(clash) + [f"{', '.join(stated)} symmetric"] * bool(stated)
    name = "f" if derivative is None else derivative.name
    shown = f"the {_WHAT[parts.what]} of {parts.of.strip()} with respect to {parts.wrt}"
    return IdentityAudit(
        formula=formula,
        convention=", and ".join(sorted(wanted)) if right else f"{layout} layout" if layout else "any layout",
        claim=f"{shown}; {show_shapes(question.shapes)}",
        verdict="right" if right else "wrong" if found.fits else "does not conform",
        problem="" if right else "it is the derivative in another layout" if found.right else found.problem,
        shapes=(),
        difference=None if not found.fits else found.difference,
        slips=(),
        mended=None,
        nearest=_nearest(name, parts.wrt, derivative),
        elsewhere=tuple(elsewhere),
        draws=_POINTS,
        reading="; ".join(assumed),
        derivative=derivative,
    )  # fmt: skip


def _judged(parts: IdentityText, notation: str) -> tuple[_Question, _Matches, tuple[str, ...], str]:
    """The question, what is found, which names are said to be symmetric, and why the matrices are taken as square."""
    clash = ""
    last: JacobiansError | None = None
    for square, falling in ((False, False), (False, True), (True, False)):
        try:
            question = _question(parts, notation, square=square, falling=falling)
            stated = tuple(name for name in parts.symmetric if name in question.shapes)
            return question, _matches(question, stated), stated, clash if square else ""
        except FormulaError as error:  # shapes clash where none is known to be square
            clash = clash or str(error).partition("\n")[0].removeprefix("audit: ")
            last = error
        except DomainError as error:  # XᵀX of a wide X has no inverse
            last = last or error
    assert last is not None
    raise last


def _mixed(question: _Question) -> DerivativeLayout:
    """The layout that the Matrix Cookbook has for what is differentiated."""
    value, _ = next(question.points(()))
    return "numerator" if value.shape else "denominator"


_WHAT = {"derivative": "derivative", "differential": "differential", "second": "second derivative"}


def _notation(parts: IdentityText) -> str:
    try:
        return guessed(f"{parts.of} + {parts.right}")
    except FormulaError:
        return "octave"


def _question(parts: IdentityText, notation: str, *, square: bool, falling: bool) -> _Question:
    wrt = spelled(parts.wrt.strip().removeprefix("\\"))
    declared: dict[str, Shape] = {}
    left = Source.of(plain(parts.of, notation, {wrt}), reader="audit")
    words = ExpressionWords({wrt})
    term = read_term(left, (0, len(left.text)), words, notation)
    if square:
        names = {at.detail.name for _, at in positions(term) if isinstance(at.detail, Symbol)}
        declared = {name: (3, 3) for name in names if name[0].isupper()}
    term, shapes = with_shapes(term, declared, left, falling=falling)
    if wrt not in shapes:
        raise FormulaError(f"audit: {wrt!r} is not in {parts.of.strip()!r}{did_you_mean(wrt, shapes)}")
    tangent = f"d{wrt}"
    source = Source.of(plain(parts.right, notation, {wrt, tangent}, {*shapes}), reader="audit")
    right = read_term(source, (0, len(source.text)), ExpressionWords({*shapes, tangent}), notation)
    known = {**shapes, tangent: shapes[wrt]}
    for _, at in positions(right):
        name = at.detail.name if isinstance(at.detail, Symbol) else "I"
        if name not in (*known, "I"):
            raise source.error(f"{name!r} is not on the left side; its names are {', '.join(shapes)}", at.span)
    right, sides = _right_side(right, known, shapes[wrt], source)
    return _Question(parts, wrt, term, right, source, shapes, sides, notation)


def _right_side(
    right: Term, known: Mapping[str, Shape], wanted: Shape, source: Source
) -> tuple[Term, dict[str, Shape]]:
    """What the right side means, and the shapes of its names; an identity has the size with which the side fits."""
    sizes = dict.fromkeys([*wanted, *(n for shape in known.values() for n in shape)])
    first: FormulaError | None = None
    for size in sizes or {1: None}:
        try:
            return with_shapes(right, {**known, "I": (size, size)}, source)
        except FormulaError as error:
            first = first or error
    assert first is not None
    raise first


# --- what is compared ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Matches:
    """In which layouts a right side is the derivative."""

    right: tuple[str, ...]
    fits: bool
    difference: float
    problem: str


def _matches(question: _Question, symmetric: tuple[str, ...]) -> _Matches:
    """Compare at all points; of a matrix that is said to be symmetric, by its own coordinates too."""
    agree: dict[str, bool] = {}
    nearest, closest, shape, shapes = np.inf, "", (), dict[str, Shape]()
    factors: dict[str, list[float]] = {}
    for value, inputs in question.points(symmetric):
        tangent = np.random.default_rng(7).normal(size=inputs[question.wrt].shape)
        if question.wrt in symmetric and tangent.ndim == 2:
            tangent = tangent + tangent.T
        given = question.claimed(inputs, tangent)
        shape = given.shape
        for name, truth in _truths(question, value, inputs, tangent, symmetric).items():
            claimed = given
            if claimed.shape != truth.shape:
                if claimed.size > 1 or (truth.size > 1 and claimed.any()):
                    agree[name] = False
                    shapes[name] = truth.shape
                    continue
                claimed = np.broadcast_to(claimed.reshape(()), truth.shape)  # a number, or 0 for zeros
            shapes[name] = shape
            gap = _gap(claimed, truth)
            agree[name] = agree.get(name, True) and gap <= _TOLERANCE
            factors.setdefault(name, []).append(_factor(claimed, truth))
            if gap < nearest:
                nearest, closest = gap, name
    right = tuple(name for name, same in agree.items() if same)
    fits = nearest < np.inf
    if not fits:
        own = dict.fromkeys(map(show_shape, shapes.values()))
        problem = f"the right side is {show_shape(shape)}, and the derivative is {' or '.join(own)}"
    elif all(factors[closest]):
        one, *others = factors[closest]
        same = all(abs(other - one) <= 1e-7 * abs(one) for other in others)
        problem = f"it is {one:g} times the right one" if same else "it is the right one times a number that varies"
    else:
        problem = f"the shapes fit, but the values differ, by up to {nearest:.2g} times the largest entry"
    return _Matches(right, fits, float(nearest), problem)


def _truths(
    question: _Question, value: Value, inputs: Mapping[str, Value], tangent: Array, symmetric: Collection[str]
) -> dict[str, Array]:
    """By layout, what the right side may be."""
    wrt = inputs[question.wrt]
    if question.parts.what == "second":
        return _of_jacobian(_hessian(question, inputs), wrt.shape, wrt.shape)
    jacobian = value.jacobian(wrt)
    if question.parts.what == "differential":
        return {_ANY: jacobian.jvp(tangent)}
    if value.shape == ():
        G = np.asarray(jacobian.vjp(np.ones(())))
        if not wrt.shape:
            return {_ANY: G}
        found = {"denominator layout, the shape of " + question.parts.wrt: G, "numerator layout, its transpose": G.T}
        if question.wrt in symmetric:
            coordinates = _ENTRIES.format(question.parts.wrt)
            found = {**found, coordinates: G + G.T - G * np.eye(len(G)), _WITHIN: (G + G.T) / 2}
            found = {f"{_ANY}, {name}" if name in (coordinates, _WITHIN) else name: at for name, at in found.items()}
        return found
    if wrt.shape == ():
        Y = jacobian.jvp(np.ones(()))
        return {"numerator layout, the shape of the value": Y, "denominator layout, its transpose": Y.T}
    return _of_jacobian(jacobian, value.shape, wrt.shape)


def _of_jacobian(jacobian: Any, codomain: Shape, domain: Shape) -> dict[str, Array]:
    if codomain == domain == ():
        return {_ANY: np.asarray(jacobian.jvp(np.ones(())))}
    if codomain[1] == domain[1] == 1:
        J = jacobian.to_dense("C")
        return {"numerator layout": J, "denominator layout": J.T}
    found: dict[str, Array] = {}
    for order, words in (("F", "vec by columns"), ("C", "vec by rows")):
        J = jacobian.to_dense(order)
        found |= {f"numerator layout, {words}": J, f"denominator layout, {words}": J.T}
    return found


def _hessian(question: _Question, inputs: Mapping[str, Value]) -> Any:
    found = differentiate(question.parts.of, question.wrt, order=2, shapes=question.shapes, notation=question.notation)
    return found.jacobian(**{name: inputs[name].array for name in found.shapes})


def _gap(claimed: Array, truth: Array) -> float:
    size = float(np.abs(truth).max(initial=0.0)) or 1.0
    gap = float(np.abs(claimed - truth).max(initial=0.0)) / size
    return gap if np.isfinite(gap) else 1e300


def _factor(claimed: Array, truth: Array) -> float:
    """A number other than 0 and 1 that the claim is of the truth, or 0."""
    over = float((truth * truth).sum())
    factor = float((claimed * truth).sum()) / over if over else 0.0
    if not factor or claimed.shape != truth.shape or _gap(claimed, factor * truth) > _TOLERANCE * abs(factor):
        return 0.0
    return round(factor, 9)


def _other_assumptions(question: _Question, stated: tuple[str, ...]) -> Iterator[str]:
    """Where it is right although it is not so in general: with symmetric matrices, by their own coordinates."""
    square = [name for name, shape in question.shapes.items() if len(shape) == 2 and shape[0] == shape[1] > 1]
    constants = tuple(name for name in square if name not in (question.wrt, "I"))
    for names in ((question.wrt,), constants, (*constants, question.wrt)):
        more = tuple(name for name in names if name in square and name not in stated)
        if not more:
            continue
        try:
            found = _matches(question, (*stated, *more)).right
        except JacobiansError:
            continue
        if found:
            where = " and ".join(more)
            for name in found:
                how = name.removeprefix(f"{_ANY}, ") if name.startswith(f"{_ANY}, ") else f"in {name}"
                yield f"where {where} {'is' if len(more) == 1 else 'are'} symmetric, {how}"
            return


def _derivative(question: _Question) -> Derivative | None:
    order = 2 if question.parts.what == "second" else 1
    try:
        return differentiate(
            question.parts.of, question.wrt, order=order, shapes=question.shapes, notation=question.notation
        )
    except GraphError:  # no formula is known of one of its functions
        return None


def _nearest(name: str, wrt: str, derivative: Derivative | None) -> Equation:
    right: Expr = Zeros(())
    if derivative is not None:
        right = derivative.differential if derivative.gradient is None else derivative.gradient
    return Equation(
        Symbol(f"d{name if derivative is None or derivative.gradient is None else spelled(wrt)}", ()), right
    )
