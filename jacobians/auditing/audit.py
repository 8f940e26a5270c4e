"""`audit`: is this formula right in this convention, and if not, what slipped?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jacobians.auditing.claims import Claim, claim_of, claims
from jacobians.auditing.formula import NOTATIONS, Formula, Notation, notation_of, read
from jacobians.auditing.names import Scope
from jacobians.auditing.random_batches import Setting, examples_apart
from jacobians.auditing.result import Audit, TermShape, Verdict, shown
from jacobians.auditing.search import Judge, diagnosed, explain
from jacobians.auditing.terms import Builder, ClashError, Source, Term
from jacobians.conventions import Convention
from jacobians.derivation.equations import Equation
from jacobians.derivation.names import vocabulary_of
from jacobians.errors import FormulaError, JacobiansError
from jacobians.network import Network
from jacobians.operations import ACTIVATIONS, LOSSES
from jacobians.presets import all_conventions
from jacobians.presets import convention as find_convention
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, Symbol

__all__ = ["Checked", "Question", "audit", "checked", "names"]


_DRAWS = 3
_DRAWS_ELSEWHERE = 2
_L2 = 0.3
_STRENGTHS = re.compile(r"(?<![^\W\d_])(?:lam|lambda|reg|alpha|λ|α|weight_decay)(?![^\W\d_])")


def audit(
    formula: str,
    convention: str | Convention | Network = "cs231n",
    *,
    sizes: Sequence[int] = (7, 5, 3),
    activation: str = "sigmoid",
    loss: str = "cross_entropy",
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
    activation, loss : str
        As for `Network.dense`.
    l2 : float, optional
        The regulariser's strength; unless given, there is one where the formula names it.
    examples : int, optional
        Unless given, a number that is no layer's width; 1 for a Jacobian.
    where : mapping of str to str, optional
        Names of your own, and the right sides that define them, such as ``{"W2_new": "W2 - 0.5 * dW2"}``.
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
    ('does not conform', 'transposed-result', 'dTheta2 = delta3.T @ A2 / m')
    >>> audit(r"\delta^{(2)} = \delta^{(3)} \Theta^{(2)} \circ g'(z^{(2)})", "ng-ml-2011").slip
    'bias-entry-kept'
    """
    if notation not in (None, *NOTATIONS):
        raise FormulaError(f"audit: the notation is one of {', '.join(NOTATIONS)}, not {notation!r}")
    read = Formula.of(formula, notation)
    question = None
    if isinstance(convention, Network):
        network, widths = convention, [n for shape in convention.shapes().values() for n in shape]
    else:
        found = find_convention(convention)
        widths = list(sizes)
        named = _STRENGTHS.search(" ".join((formula, *(where or {}).values()))) is not None
        strength = (_L2 if named and found.l2 else 0.0) if l2 is None else l2
        question = Question(read, where or {}, found, tuple(widths), activation, loss, strength, 0, seed)
        network = question.network()
    count = (1 if read.left.is_jacobian else examples_apart(widths)) if examples is None else examples
    if count < 1:
        raise FormulaError(f"audit: {count} examples show nothing; at least one is needed")
    setting = Setting.of(network, count, seed, _DRAWS)
    return _judged(read, checked(read, setting, where or {}), question)


def names(
    convention: str | Convention = "cs231n",
    *,
    sizes: Sequence[int] = (7, 5, 3),
    loss: str = "cross_entropy",
    activation: str = "sigmoid",
) -> dict[str, tuple[str, str]]:
    """Return the names that a formula may use in a convention: each with its shape and its meaning.

    Examples
    --------
    >>> names("ng-ml-2011")["delta3"]
    ('9×3', 'the cotangent of Z3')
    """
    network = Network.dense(sizes, convention=convention, loss=loss, activation=activation)
    scope = Scope.of(Setting.of(network, examples_apart(sizes), 0, 1))
    own = {claim.name: claim.meaning for claim in claims(scope)}
    with_ones = ("X_",) if vocabulary_of(network.convention.name).ones_in_activations else ("X_", "A")
    listed = [n for n in scope.symbols if n[:2] not in ("J_", "d_") and (n[-5:] != "_ones" or n.startswith(with_ones))]
    meanings = {n: own.get(n, "with its entry of ones" if n.endswith("_ones") else "given") for n in listed}
    return {n: (shown(scope.symbols[n].shape), meanings[n]) for n in listed}


def _judged(read: Formula, found: Checked, question: Question | None) -> Audit:
    judge = Judge(found.claim, found.scope, read.notation != "numpy")
    difference = None if found.expr is None else judge.difference(found.expr)
    network, left = found.scope.setting.network, found.claim.nearest.left
    right = found.expr is not None and judge.right(found.expr)
    explanation = None if right else explain(found.term, judge, read.source.text)
    slips = () if explanation is None else explanation.slips
    if not right and not slips and found.expr is not None and difference is not None:
        slips = diagnosed(found.expr, judge)
    places: tuple[str, ...] = ()
    if not right and question is not None:
        places = tuple(elsewhere(replace(question, examples=found.scope.setting.examples)))
    return Audit(
        formula=read.source.text,
        convention=network.convention.name,
        claim=f"{found.claim.name}: {found.claim.meaning}",
        verdict=_verdict(right, difference),
        problem="" if right else _problem(found, difference),
        shapes=_shapes(read, found),
        difference=difference,
        slips=slips,
        mended=None if explanation is None else Equation(left, explanation.mended),
        nearest=found.claim.nearest,
        elsewhere=places,
        draws=len(found.scope.setting.draws),
    )


def _verdict(right: bool, difference: float | None) -> Verdict:
    if right:
        return "right"
    return "does not conform" if difference is None else "wrong"


def _problem(found: Checked, difference: float | None) -> str:
    if found.clash is not None:
        return found.clash.message
    true = found.claim.truths[0].shape
    if difference is None:
        shape = () if found.expr is None else found.expr.shape
        return f"the right side is {shown(shape)}, and {found.claim.name} is {shown(true)}"
    return f"the shapes fit; the largest difference is {difference:.2g} of the largest entry"


def _shapes(read: Formula, found: Checked) -> tuple[TermShape, ...]:
    """Every part once, in the order of evaluation, without brackets around it."""
    rows: dict[str, TermShape] = {}
    for term, shape in found.builder.shapes:
        text = read.source.part(term.span).strip()
        rows.setdefault(text, TermShape(text, shape))
    if found.clash is not None:
        text = read.source.part(found.clash.term.span).strip()
        rows[text] = TermShape(text, None)
    return tuple(rows.values())


@dataclass(frozen=True, eq=False)
class Checked:
    """A formula in one setting.

    Attributes
    ----------
    scope : Scope
    claim : Claim
    term : Term
    builder : Builder
        With the shapes that were found.
    expr : Expr or None
        None where the shapes of the right side do not fit.
    clash : ClashError or None
    """

    scope: Scope
    claim: Claim
    term: Term
    builder: Builder
    expr: Expr | None
    clash: ClashError | None


def checked(formula: Formula, setting: Setting, where: Mapping[str, str]) -> Checked:
    """Read a formula in a setting.

    Parameters
    ----------
    formula : Formula
    setting : Setting
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
    claim = claim_of(formula.left, scope, formula.source)
    term = formula.term(replace(scope, target=claim.name))
    builder = Builder(setting.examples, scope.known)
    try:
        return Checked(scope, claim, term, builder, builder.build(term), None)
    except ClashError as clash:
        return Checked(scope, claim, term, builder, None, clash)


def _define(name: str, text: str, scope: Scope) -> None:
    """Add one name of the caller's own, in every draw."""
    source = Source.of(f"{name} = {text}")
    if name in scope.symbols or not re.fullmatch(r"[^\W\d]\w*", name):
        what = "already has a meaning" if name in scope.symbols else "is no name"
        raise source.error(f"{name!r} {what}", (0, len(name)))
    notation = notation_of(text)
    term = read(notation, source, (len(name) + 3, len(source.text)), scope)
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
    convention : Convention
    sizes : tuple of int
    activation, loss : str
    l2 : float
    examples : int
    seed : int
    """

    formula: Formula
    where: Mapping[str, str]
    convention: Convention
    sizes: tuple[int, ...]
    activation: str
    loss: str
    l2: float
    examples: int
    seed: int

    def network(self) -> Network:
        """Return the network."""
        return Network.dense(
            self.sizes, activation=self.activation, loss=self.loss, convention=self.convention, l2=self.l2
        )

    def is_right(self) -> bool:
        """Whether the formula can be read there, and is right."""
        try:
            found = checked(
                self.formula, Setting.of(self.network(), self.examples, self.seed, _DRAWS_ELSEWHERE), self.where
            )
        except JacobiansError:
            return False
        judge = Judge(found.claim, found.scope, self.formula.notation != "numpy")
        return found.expr is not None and judge.right(found.expr)


def elsewhere(question: Question) -> Iterator[str]:
    """Yield where a formula that is wrong here is right as it stands."""
    for loss in LOSSES:
        if loss != question.loss and replace(question, loss=loss).is_right():
            yield f"{question.convention.name} with loss={loss!r}"
    for activation in ACTIVATIONS:
        if activation != question.activation and replace(question, activation=activation).is_right():
            yield f"{question.convention.name} with activation={activation!r}"
    for preset in all_conventions():
        l2 = question.l2 if preset.l2 else 0.0
        if preset.name != question.convention.name and replace(question, convention=preset, l2=l2).is_right():
            yield preset.name
