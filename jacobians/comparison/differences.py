"""`differences`: one plain sentence for each way in which several derivations differ.

A sentence divides the conventions into those that do one thing and those that do another, so that there are as few of
them for twenty conventions as for two. What a convention chooses is read from its run's layout and convention; the
formulas that a sentence quotes are the derivation's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from jacobians.comparison.shared_names import SharedNames, kept_by
from jacobians.derivation import Equation
from jacobians.linops import Commutation, Jacobian, Kronecker, Selection
from jacobians.symbols.expressions import Add, Hadamard
from jacobians.symbols.text import TextNotation

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


def differences(sides: Sequence[SharedNames], ratios: Sequence[float]) -> tuple[FormulaDifference, ...]:
    """Return a sentence for each difference between these conventions; none where they are equal.

    Parameters
    ----------
    sides : sequence of SharedNames
        Of networks of affine layers.
    ratios : sequence of float
        What each objective is multiplied by to be the first's.
    """
    lines = [field for field in ("batch", "weights") if len({getattr(side.layout, field) for side in sides}) > 1]
    turned = len({_commutation(side) is None for side in sides}) > 1
    shared = [name for name in sides[0].shown if all(name in side.shown for side in sides)]
    apart = [name for name in shared if len({side.shown[name] for side in sides}) > 1]
    first = sides[0].convention.name
    aspects = {
        " and ".join(lines): [_products(side, lines, turned) for side in sides],
        "bias": [_bias(side) for side in sides],
        "vec": [_vec(side) for side in sides],
        "derivative": [_derivative(side) for side in sides],
        "reduction": [_reduction(side, ratio, first) for side, ratio in zip(sides, ratios, strict=True)],
        "place of 1/N": [_place_of_weight(side) for side in sides],
        "l2": [_penalty(side) for side in sides],
        "l2_bias": [_penalised_bias(side) for side in sides],
        "names": [_names(side, apart) for side in sides],
    }
    names = [side.convention.name for side in sides]
    found = ((about, _sentence(names, says)) for about, says in aspects.items())
    return tuple(FormulaDifference(about, text) for about, text in found if text)


def ways(side: SharedNames) -> dict[str, tuple[str, str]]:
    """Return what the sentences of `differences` say of one of two sides: its class, and what it does.

    By what a sentence is about; of batch and weights with "turned" where one side alone has a commutation.

    Parameters
    ----------
    side : SharedNames
        Of a network of affine layers.
    """
    said = {
        "bias": _bias(side),
        "vec": _vec(side),
        "derivative": _derivative(side),
        "place of 1/N": _place_of_weight(side),
    }
    for lines in (["batch"], ["weights"], ["batch", "weights"]):
        said[" and ".join(lines)] = _products(side, lines, turned=False)
        said[f"{' and '.join(lines)}, turned"] = _products(side, lines, turned=True)
    return {about: (says[0], f"{_verb(says[1], 1)} {says[2]}") for about, says in said.items() if says is not None}


def _sentence(names: Sequence[str], says: Sequence[_Says]) -> str:
    """The classes, each with its members and what its first member says; empty if there is but one class."""
    members: dict[str, list[str]] = {}
    said: dict[str, tuple[str, str]] = {}
    for name, answer in zip(names, says, strict=True):
        if answer is not None:
            members.setdefault(answer[0], []).append(name)
            said.setdefault(answer[0], answer[1:])
    if len(members) < 2:
        return ""
    largest = max(members.values(), key=len)
    others = largest if len(largest) > _NAMED else None  # too many to be named one by one; they come last
    in_order = sorted(members.items(), key=lambda item: item[1] is others)
    return "; ".join(_clause(own, *said[of], whole=own is others) for of, own in in_order) + "."


def _clause(names: Sequence[str], verb: str, rest: str, *, whole: bool) -> str:
    where = f" (as {names[0]} writes it)" if len(names) > 1 and any(sign in rest for sign in "=⊗₁") else ""
    return f"{'the others' if whole else _listed(names)} {_verb(verb, len(names))} {rest}{where}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _verb(plural: str, count: int) -> str:
    return plural if count > 1 else {"have": "has"}.get(plural, plural + "s")


# --- the ways in which derivations differ ----------------------------------------------------------------


def _products(side: SharedNames, lines: Sequence[str], turned: bool) -> _Says:
    layout = side.layout
    kept = {"batch": f"one example a {layout.batch[:-1]}", "weights": f"one node a {layout.weights[:-1]}"}
    where, commutation = " and ".join(kept[field] for field in lines), _commutation(side)
    K = "no commutation appears"
    if commutation is not None:
        K = f"the commutation {TextNotation().matrix(commutation, layout.vec)} transposes"
    forward, gradient = side.definitions["Z1"].equation.text, _gradient(side, "W1")[0].text
    said = f"{forward}, {K}, and {gradient}" if turned else f"{forward} and {gradient}"
    return where, "keep", f"{where}, so {said}"


def _bias(side: SharedNames) -> _Says:
    layout = side.layout
    if layout.bias == "none":
        return layout.bias, "have", "no bias, so there are no ones and no selection"
    if layout.bias == "separate":
        gradient = _gradient(side, "b1")[0].text
        return layout.bias, "keep", f"the bias apart, so no selection appears, and {gradient}, a sum over the examples"
    line = "column" if layout.batch == "rows" else "row"
    selection = next(j.T for j in _chain(side, "X") if isinstance(j.T, Selection))
    return (
        layout.bias,
        "absorb",
        f"the bias in {side.shown['W1']}, beside a {layout.bias} {line} of ones, and on the way back a selection keeps "
        f"{kept_by(selection)}, which drops the ones' entry of the cotangent",
    )


def _vec(side: SharedNames) -> _Says:
    order = side.layout.vec
    factor = next(j for j in reversed(_chain(side, "W1")) if isinstance(j, Kronecker))
    stacked, product = ("rows", "A ⊗ B") if order == "C" else ("columns", "B ⊗ A")
    here = TextNotation().matrix(factor, order)
    return order, "stack", f"{stacked} in vec, so V ↦ A V Bᵀ is {product}, here {here}"


def _derivative(side: SharedNames) -> _Says:
    way = side.layout.derivative
    if way == "numerator":
        return way, "write", "a Jacobian as outputs × inputs, so a chain reads from the loss to the parameter"
    return (
        way,
        "write",
        "a Jacobian as inputs × outputs, so a chain reads from the parameter to the loss, each factor transposed",
    )


def _reduction(side: SharedNames, ratio: float, first: str) -> _Says:
    weight, factor = side.weight, side.run.network.loss.factor
    scale = "" if ratio == 1 else f", so loss and gradient are {1 / ratio:.6g} times those of {first}"
    before = "" if factor == 1 else f" with the factor {factor:g}"
    if weight is None:
        return f"sum{before}", "add", f"the losses of the examples{before}{scale}"
    text = TextNotation().expr(weight)
    return f"{side.reads(weight)}{before}", "weight", f"each example's loss{before} by {text}{scale}"


def _place_of_weight(side: SharedNames) -> _Says:
    weight = side.weight
    if weight is None:
        return None
    if side.convention.names.weighted_at == "gradient":
        return "late", "write", f"{TextNotation().expr(weight)} at the gradient, {_gradient(side, 'W1')[0].text}"
    first = side.derivation.cotangents[0].equation.text
    return "early", "write", f"{TextNotation().expr(weight)} in the first cotangent, {first}"


def _penalty(side: SharedNames) -> _Says:
    _, term = _gradient(side, "W1")
    if term is None:
        return None
    strength = f"{side.shown['lam']} = {side.run.network.l2:.6g}"
    return side.reads(term.left), "add", f"{TextNotation().expr(term)} for the regulariser, with {strength}"


def _penalised_bias(side: SharedNames) -> _Says:
    if not side.run.network.l2 or side.layout.bias == "none":
        return None
    if side.convention.l2_bias:
        return "yes", "regularise", "the bias too, so the objectives are not the same"
    return "no", "leave", "the bias out of the regulariser"


def _names(side: SharedNames, apart: Sequence[str]) -> _Says:
    listed = ", ".join(side.shown[name] for name in apart)
    return listed, "write", listed


# --- what the sentences quote ----------------------------------------------------------------------------


def _chain(side: SharedNames, name: str) -> tuple[Jacobian, ...]:
    """The factors between the loss and a parameter or X, in numerator layout."""
    return side.derivation[side.parameters.get(name, name)].factors.jacobians


def _commutation(side: SharedNames) -> Commutation | None:
    """The commutation in the chain to the first weight, if there is one."""
    return next((j for j in _chain(side, "W1") if isinstance(j, Commutation)), None)


def _gradient(side: SharedNames, name: str) -> tuple[Equation, Hadamard | None]:
    """The loss's gradient with respect to a parameter, and what the regulariser adds: a factor times the weight."""
    found = side.derivation[side.parameters[name]].formula
    whole = found.right
    if side.run.network.is_penalised(side.parameters[name]) and isinstance(whole, Add):
        return Equation(found.left, whole.left), whole.right if isinstance(whole.right, Hadamard) else None
    return found, None
