"""`differences`: one plain sentence for each way in which several derivations differ.

A sentence divides the conventions into those that do one thing and those that do another, so that there are as few of
them for twenty conventions as for two. What is said of each is read from its factors by `Facts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from jacobians.comparison.facts import Facts
from jacobians.symbols.text import TextNotation

__all__ = ["FormulaDifference", "differences"]

_NAMED = 4
"""Conventions that a sentence lists before it says "the others"."""


@dataclass(frozen=True)
class FormulaDifference:
    """One way in which derivations differ.

    Attributes
    ----------
    about : str
        "batch", "weights", "batch and weights", "bias", "vec", "derivative", "reduction", "place of 1/N", "l2",
        "l2_bias" or "names".
    text : str
        One sentence.
    """

    about: str
    text: str

    def __str__(self) -> str:
        return self.text


_Says: TypeAlias = "tuple[str, str, str] | None"
"""To which class a convention belongs, a verb in the plural, and what follows it; None if nothing can be said."""


def differences(facts: Sequence[Facts], ratios: Sequence[float]) -> tuple[FormulaDifference, ...]:
    """Return the sentences in which these conventions differ; none for one, or for equals.

    Parameters
    ----------
    facts : sequence of Facts
    ratios : sequence of float
        What each objective is multiplied by to be the first's.
    """
    lines = tuple(f for f in ("batch", "weights") if len({getattr(own, f) for own in facts}) > 1)
    turned = len({own.commutation is None for own in facts}) > 1
    called = [own.called() for own in facts]
    shared = [role for role in called[0] if all(role in names for names in called)]
    apart = [role for role in shared if len({names[role] for names in called}) > 1]
    ratio = dict(zip((own.name for own in facts), ratios, strict=True))
    first = facts[0].name

    def reduction(own: Facts) -> _Says:
        return _reduction(own, ratio[own.name], first)

    aspects: list[tuple[str, Callable[[Facts], _Says]]] = [
        (" and ".join(lines), lambda own: _products(own, lines, turned)),
        ("bias", _bias),
        ("vec", _vec),
        ("derivative", _derivative),
        ("reduction", reduction),
        ("place of 1/N", _place_of_weight),
        ("l2", _penalty),
        ("l2_bias", _penalised_bias),
        ("names", lambda own: _names(own, apart)),
    ]
    found = ((about, _sentence(facts, says)) for about, says in aspects)
    return tuple(FormulaDifference(about, text) for about, text in found if text)


def _sentence(facts: Sequence[Facts], says: Callable[[Facts], _Says]) -> str:
    """The classes, each with its members and what its first member says; empty if there is but one class."""
    members: dict[str, list[str]] = {}
    said: dict[str, tuple[str, str]] = {}
    for own in facts:
        answer = says(own)
        if answer is not None:
            members.setdefault(answer[0], []).append(own.name)
            said.setdefault(answer[0], answer[1:])
    if len(members) < 2:
        return ""
    return "; ".join(_clause(names, *said[of], whole=names is _most(members)) for of, names in _in_order(members)) + "."


def _in_order(members: Mapping[str, list[str]]) -> list[tuple[str, list[str]]]:
    """The classes as they come, but a large one that is called "the others" last."""
    return sorted(members.items(), key=lambda item: item[1] is _most(members))


def _most(members: Mapping[str, list[str]]) -> list[str] | None:
    """The largest class, if it is too large to be named one by one."""
    largest = max(members.values(), key=len)
    return largest if len(largest) > _NAMED else None


def _clause(names: Sequence[str], verb: str, rest: str, *, whole: bool) -> str:
    where = f" (as {names[0]} writes it)" if len(names) > 1 and any(sign in rest for sign in "=⊗₁") else ""
    return f"{'the others' if whole else _listed(names)} {_verb(verb, len(names))} {rest}{where}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _verb(plural: str, count: int) -> str:
    return plural if count > 1 else {"have": "has"}.get(plural, plural + "s")


# --- the ways in which derivations differ ----------------------------------------------------------------


def _products(own: Facts, lines: Sequence[str], turned: bool) -> _Says:
    kept = {"batch": f"one example a {own.batch[:-1]}", "weights": f"one node a {own.weights[:-1]}"}
    where = " and ".join(kept[field] for field in lines)
    if not turned:
        return where, "keep", f"{where}, so {own.forward} and {own.weight_gradient}"
    if own.commutation is None:
        return where, "keep", f"{where}, so {own.forward}, no commutation appears, and {own.weight_gradient}"
    K = TextNotation().matrix(own.commutation, own.weight.factors.order)
    return where, "keep", f"{where}, so {own.forward}, the commutation {K} transposes, and {own.weight_gradient}"


def _bias(own: Facts) -> _Says:
    place = own.bias_place
    if place in ("first", "last"):
        line = "column" if own.batch == "rows" else "row"
        into = own.called()["W1"]
        return (
            place,
            "absorb",
            f"the bias in {into}, beside a {place} {line} of ones, and on the way back a selection keeps {own.kept}, "
            f"which drops the ones' entry of the cotangent",
        )
    if place == "separate":
        how = ", a sum over the examples" if own.sums_bias else ""
        return place, "keep", f"the bias apart, so no selection appears, and {own.bias_gradient}{how}"
    return place, "have", "no bias, so there are no ones and no selection"


def _vec(own: Facts) -> _Says:
    if own.order == "C":
        return "C", "stack", f"rows in vec, so V ↦ A V Bᵀ is A ⊗ B, here {own.by_weight}"
    return "F", "stack", f"columns in vec, so V ↦ A V Bᵀ is B ⊗ A, here {own.by_weight}"


def _derivative(own: Facts) -> _Says:
    if own.derivative == "numerator":
        return "numerator", "write", "a Jacobian as outputs × inputs, so a chain reads from the loss to the parameter"
    return (
        "denominator",
        "write",
        "a Jacobian as inputs × outputs, so a chain reads from the parameter to the loss, each factor transposed",
    )


def _reduction(own: Facts, ratio: float, first: str) -> _Says:
    scale = "" if ratio == 1 else f", so loss and gradient are {1 / ratio:.6g} times those of {first}"
    if own.roles.reduction is None:
        return "sum", "add", f"the losses of the examples{scale}"
    weight = TextNotation().expr(own.roles.reduction)
    return own.roles.reads(own.roles.reduction), "weight", f"each example's loss by {weight}{scale}"


def _place_of_weight(own: Facts) -> _Says:
    if own.roles.reduction is None:
        return None
    weight = TextNotation().expr(own.roles.reduction)
    if own.late:
        return "late", "write", f"{weight} at the gradient, {own.weight_gradient}"
    return "early", "write", f"{weight} in the first cotangent, {own.first_cotangent}"


def _penalty(own: Facts) -> _Says:
    if own.penalty is None:
        return None
    write, strength = TextNotation(), own.roles.run.network.l2
    term = write.expr(own.penalty)
    symbol = own.called()["lam"]
    return own.roles.reads(own.penalty.left), "add", f"{term} for the regulariser, with {symbol} = {strength:.6g}"


def _penalised_bias(own: Facts) -> _Says:
    match own.penalises_bias:
        case None:
            return None
        case True:
            return "yes", "regularise", "the bias too, so the objectives are not the same"
    return "no", "leave", "the bias out of the regulariser"


def _names(own: Facts, apart: Sequence[str]) -> _Says:
    called = own.called()
    listed = ", ".join(called[role] for role in apart)
    return listed, "write", listed
