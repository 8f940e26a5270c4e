"""`audit`: is this formula right in this convention, and if not, what slipped?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from jacobians.auditing.claims import Claim, claim_of, claim_of_own, claims
from jacobians.auditing.formula import NOTATIONS, Formula, Notation, notation_of, read
from jacobians.auditing.formula_text import Source
from jacobians.auditing.names import STRENGTHS, Scope
from jacobians.auditing.random_batches import RandomBatches, examples_apart
from jacobians.auditing.result import Audit, TermShape, Verdict, shown
from jacobians.auditing.search import Judge, diagnosed, explanation_of
from jacobians.auditing.slips import Slip
from jacobians.auditing.terms import Builder, ClashError, Term
from jacobians.conventions import HIDDEN_UNITS, Convention
from jacobians.derivation.equations import Equation
from jacobians.errors import FormulaError, JacobiansError
from jacobians.layout import Reduction
from jacobians.network import Network
from jacobians.operations import ACTIVATIONS, LOSSES, find_loss
from jacobians.presets import all_conventions
from jacobians.presets import convention as find_convention
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, Symbol

_DRAWS = 3
_DRAWS_ELSEWHERE = 2
_L2 = 0.3
_NAME = re.compile(r"[^\W\d]\w*")
_STRENGTH = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(STRENGTHS)})(?![^\W\d_])")


def audit(
    formula: str,
    convention: str | Convention | Network = "cs231n",
    *,
    sizes: Sequence[int] = (7, 5, 3),
    task: str | None = None,
    activation: str | None = None,
    loss: str | None = None,
    factor: float | None = None,
    reduction: Reduction | None = None,
    l2: float | None = None,
    examples: int | None = None,
    where: Mapping[str, str] | None = None,
    notation: Notation | None = None,
    seed: int = 0,
) -> Audit:
    r"""Return whether a formula is right in a convention, and if not, its slip and the right formula.

    The formula is read by a small grammar and nothing is ever executed. Its shapes are checked term by term, and its
    value is compared with that of the library's Jacobians on several random batches whose sizes all differ.

    Parameters
    ----------
    formula : str
        An equation in NumPy, in a small part of LaTeX, or in Octave. Its left side says what it is: a gradient
        (``dW1``, ``grad_W1``, ``dL/dW1``), a cotangent (``dZ1``, ``delta2``), an array of the forward pass, or a
        Jacobian (``dZ1/dX``), which is taken for one example.
    convention : str, Convention or Network
        A preset's name; or a network with its own operations and loss, and then `sizes`, `activation`, `loss` and
        `l2` are the network's.
    sizes : sequence of int
        Widths from the inputs to the outputs.
    task, activation, loss, factor, reduction : optional
        As for `Network.dense`: what is not given is what the convention's source has.
    l2 : float, optional
        The regulariser's strength; unless given, there is one where the formula names it.
    examples : int, optional
        Unless given, a number that is no layer's width; 1 for a Jacobian.
    where : mapping of str to str, optional
        Names of your own, and the right sides that define them, such as ``{"W2_new": "W2 - 0.5 * dW2"}``. On the left
        of a formula such a name claims what it is defined as.
    notation : {"numpy", "latex", "octave"}, optional
        Told from the formula unless given.
    seed : int
        Of the random batches.

    Raises
    ------
    FormulaError
        If the formula cannot be read; the text marks the place.
    LayoutError
        If the convention, the activation or the loss is unknown.

    Examples
    --------
    >>> bool(audit("dTheta2 = delta3.T @ A2 / m", "ng-ml-2011"))
    True
    >>> found = audit("dTheta2 = A2.T @ delta3 / m", "ng-ml-2011")
    >>> found.verdict, found.slip, found.nearest.numpy
    ('does not conform', 'transposed-result', 'Theta2_grad = delta3.T @ A2 / m')
    >>> audit(r"\delta^{(2)} = \delta^{(3)} \Theta^{(2)} \circ g'(z^{(2)})", "ng-ml-2011").slip
    'bias-entry-kept'
    """
    if notation not in (None, *NOTATIONS):
        raise FormulaError(f"audit: the notation is one of {', '.join(NOTATIONS)}, not {notation!r}")
    read, question = Formula.of(formula, notation), None
    used = _NAME.findall(formula)  # in LaTeX a name such as h1 has its parts apart
    own = {
        name: text
        for name, text in (where or {}).items()
        if name in used or read.notation == "latex" or not name.isidentifier()
    }
    if isinstance(convention, Network):
        network, widths = convention, [n for shape in convention.shapes().values() for n in shape]
    else:
        found, widths = find_convention(convention), list(sizes)
        named = _STRENGTH.search(_NAME.sub(lambda name: own.get(name[0], name[0]), formula)) is not None
        strength = (_L2 if named and found.l2 else 0.0) if l2 is None else l2
        chosen = found.task_for(task, loss if loss is None else find_loss(loss).name)
        choices = {"sizes": widths, "convention": found, "task": task, "activation": activation or chosen.hidden}
        choices |= {"loss": loss or chosen.loss, "factor": factor, "reduction": reduction, "l2": strength}
        question, network = Question(read, own, choices, seed), Network.dense(**choices)  # type: ignore[arg-type]
    count = (1 if read.left.is_jacobian else examples_apart(widths)) if examples is None else examples
    if count < 1:
        raise FormulaError(f"audit: {count} examples show nothing; at least one is needed")
    reading = checked(read, RandomBatches.of(network, count, seed, _DRAWS), own)
    if question is not None and activation is None and not reading.is_right:
        # a formula of other hidden units is right, and it is said of which
        for name in HIDDEN_UNITS:
            other = (
                None if name == question.choices["activation"] else question.read_with(count, _DRAWS, activation=name)
            )
            if other is not None and other.is_right:
                right = _judged(other, question)
                return replace(right, convention=f"{right.convention} with activation={name!r}")
    return _judged(reading, question)


def names(
    convention: str | Convention = "cs231n",
    *,
    sizes: Sequence[int] = (7, 5, 3),
    task: str | None = None,
    activation: str | None = None,
    loss: str | None = None,
    factor: float | None = None,
    reduction: Reduction | None = None,
) -> dict[str, tuple[str, str]]:
    """Return the names that a formula may use in a convention: each with its shape and its meaning.

    Examples
    --------
    >>> names("ng-ml-2011")["delta3"]
    ('9×3', 'the cotangent of Z3')
    """
    network = Network.dense(
        sizes, convention=convention, task=task, activation=activation, loss=loss, factor=factor, reduction=reduction
    )
    scope = Scope.of(RandomBatches.of(network, examples_apart(sizes), 0, 1))
    own = {claim.name: claim.meaning for claim in claims(scope)}
    with_ones = ("X_",) if network.convention.names.with_ones else ("X_", "A")
    listed = [n for n in scope.symbols if n[:2] not in ("J_", "d_") and (n[-5:] != "_ones" or n.startswith(with_ones))]
    meanings = {n: own.get(n, "with its entry of ones" if n.endswith("_ones") else "given") for n in listed}
    return {n: (shown(scope.symbols[n].shape), meanings[n]) for n in listed}


def _judged(found: Checked, question: Question | None) -> Audit:
    claim, setting, judge, source = found.claim, found.scope.setting, found.judge, found.formula.source
    difference = None if found.expr is None else judge.difference(found.expr)
    explanation = None
    slips: tuple[Slip, ...] = ()
    places: tuple[str, ...] = ()
    if not found.is_right:
        explanation = explanation_of(found.term, judge, source.text)
        if explanation is not None:
            slips = explanation.slips
        elif found.expr is not None and difference is not None:
            slips = diagnosed(found.expr, judge)
        places = () if question is None else tuple(question.elsewhere(setting.examples))
    wrong: Verdict = "does not conform" if difference is None else "wrong"
    return Audit(
        formula=source.text,
        convention=setting.network.convention.name,
        claim=f"{claim.name}: {claim.meaning}",
        verdict="right" if found.is_right else wrong,
        problem="" if found.is_right else _problem(found, difference),
        shapes=_shapes(found),
        difference=difference,
        slips=slips,
        mended=None if explanation is None else Equation(claim.nearest.left, explanation.mended),
        nearest=claim.nearest,
        elsewhere=places,
        draws=len(setting.draws),
    )


def _problem(found: Checked, difference: float | None) -> str:
    if found.clash is not None:
        return found.clash.message
    if difference is None and found.expr is not None:
        name, true = found.claim.name, found.claim.truths[0].shape
        return f"the right side is {shown(found.expr.shape)}, and {name} is {shown(true)}"
    return f"the shapes fit; the largest difference is {difference:.2g} of the largest entry"


def _shapes(found: Checked) -> tuple[TermShape, ...]:
    """Every part once, in the order of evaluation, without brackets around it."""
    rows: dict[str, TermShape] = {}
    for term, shape in found.builder.shapes:
        text = found.formula.source.part(term.span).strip()
        rows.setdefault(text, TermShape(text, shape))
    if found.clash is not None:
        text = found.formula.source.part(found.clash.term.span).strip()
        rows[text] = TermShape(text, None)
    return tuple(rows.values())


@dataclass(frozen=True, eq=False)
class Checked:
    """A formula in one setting.

    Attributes
    ----------
    formula : Formula
    scope : Scope
    claim : Claim
    term : Term
    builder : Builder
        With the shapes that were found.
    expr : Expr or None
        None where the shapes of the right side do not fit.
    clash : ClashError or None
    """

    formula: Formula
    scope: Scope
    claim: Claim
    term: Term
    builder: Builder
    expr: Expr | None = None
    clash: ClashError | None = None

    @property
    def judge(self) -> Judge:
        """What compares it with the truth; only NumPy tells a vector from one row or one column."""
        return Judge(self.claim, self.scope, self.formula.notation != "numpy")

    @cached_property
    def is_right(self) -> bool:
        """Whether its value is the true one."""
        return self.expr is not None and self.judge.right(self.expr)


def checked(formula: Formula, setting: RandomBatches, where: Mapping[str, str]) -> Checked:
    """Read a formula in a setting.

    Parameters
    ----------
    formula : Formula
    setting : RandomBatches
        Its draws learn the values of the names in `where`.
    where : mapping of str to str
        Names of the caller's own, and the right sides that define them.

    Raises
    ------
    FormulaError
        If a name is unknown, or something is not of the notation.
    """
    scope = Scope.of(setting)
    for name, text in where.items():
        _define(name, text, scope)
    left = formula.left
    if left.of is None and left.wrt in scope.own:
        claim = claim_of_own(left.wrt, scope)
        scope = replace(scope, target=claim.name, own={n: e for n, e in scope.own.items() if n != left.wrt})
    else:
        claim = claim_of(left, scope, formula.source)
        scope = replace(scope, target=claim.name)
    term = formula.term(scope)
    found = Checked(formula, scope, claim, term, Builder(setting.examples, scope.known))
    try:
        return replace(found, expr=found.builder.build(term))
    except ClashError as clash:
        return replace(found, clash=clash)


def _define(name: str, text: str, scope: Scope) -> None:
    """Add one name of the caller's own, in every draw."""
    source = Source.of(f"{name} = {text}")
    if name in scope.symbols or not re.fullmatch(r"[^\W\d]\w*", name):
        what = "already has a meaning" if name in scope.symbols else "is no name"
        raise source.error(f"{name!r} {what}", (0, len(name)))
    term = read(notation_of(text), source, (len(name) + 3, len(source.text)), scope)
    try:
        expr = Builder(scope.setting.examples, scope.known).build(term)
    except ClashError as clash:
        raise source.error(clash.message, clash.term.span) from None
    scope.own[name] = Symbol(name, expr.shape)
    scope.definitions[name] = expr
    for draw in scope.setting.draws:
        with np.errstate(all="ignore"):
            draw.values[name] = np.asarray(evaluate(expr, draw.values))


@dataclass(frozen=True)
class Question:
    """A formula, and the fully connected network that it is about.

    Attributes
    ----------
    formula : Formula
    where : mapping of str to str
    choices : dict
        For `Network.dense`.
    seed : int
    """

    formula: Formula
    where: Mapping[str, str]
    choices: Mapping[str, Any]
    seed: int

    def elsewhere(self, examples: int) -> Iterator[str]:
        """Yield where a formula that is wrong here is right as it stands."""
        own: Convention = self.choices["convention"]
        for what, known in (("loss", LOSSES), ("activation", ACTIVATIONS)):
            for name in known:
                if name != self.choices[what] and self._is_right(examples, **{what: name}):
                    yield f"{own.name} with {what}={name!r}"
        for preset in all_conventions():
            l2 = self.choices["l2"] if preset.l2 else 0.0
            if preset.name != own.name and self._is_right(examples, convention=preset, l2=l2, task=None):
                yield preset.name

    def read_with(self, examples: int, draws: int, **changes: Any) -> Checked | None:
        """Return the formula as it is read with some other choices; None where it cannot be read so."""
        try:
            network = Network.dense(**{**self.choices, **changes})
            return checked(self.formula, RandomBatches.of(network, examples, self.seed, draws), self.where)
        except JacobiansError:
            return None

    def _is_right(self, examples: int, **changes: Any) -> bool:
        found = self.read_with(examples, _DRAWS_ELSEWHERE, **changes)
        return found is not None and found.is_right
