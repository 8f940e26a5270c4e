"""`audit`: is this formula right in this convention, and if not, what slipped?"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from jacobians.auditing.assignments import STRENGTH
from jacobians.auditing.formula import NOTATIONS, Formula, Notation
from jacobians.auditing.names import Scope
from jacobians.auditing.random_batches import RandomBatches, examples_apart
from jacobians.auditing.readings import Checked, Reading, readings
from jacobians.auditing.result import Audit, TermShape, Verdict, shown
from jacobians.auditing.search import diagnosed, explanation_of
from jacobians.auditing.slips import Slip
from jacobians.auditing.terms import positions
from jacobians.conventions import Convention
from jacobians.derivation.equations import Equation
from jacobians.errors import FormulaError, JacobiansError
from jacobians.layout import Reduction
from jacobians.network import Network
from jacobians.operations import ACTIVATIONS, LOSSES, find_loss
from jacobians.presets import all_conventions
from jacobians.presets import convention as find_convention

_DRAWS = 3
_DRAWS_ELSEWHERE = 2
_L2 = 0.3
_NAME = re.compile(r"[^\W\d]\w*")
_WIDTHS = (13, 11, 7, 5, 3)
"""Of the layers, the last ones of a shallower network; they and the next numbers all differ."""
_EXPLAINED = 4
"""How many readings of a wrong text are searched for slips."""


def audit(
    formula: str,
    convention: str | Convention | Network = "cs231n",
    *,
    sizes: Sequence[int] | None = None,
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
    sizes : sequence of int, optional
        Widths from the inputs to the outputs. Unless given, 7, 5 and 3, or more layers where the formula numbers them.
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
    read = Formula.of(formula, notation)
    used = _NAME.findall(formula)  # in LaTeX a name such as h1 has its parts apart
    own = {
        name: text
        for name, text in (where or {}).items()
        if name in used or read.notation == "latex" or not name.isidentifier()
    }
    source = convention.convention if isinstance(convention, Network) else find_convention(convention)
    if {"h", "h_relu"} <= {*used}:  # Z and A of the hidden layer, as in PyTorch's tutorials
        own = {"h": source.names.of("pre", 1), "grad_h": source.names.of("cotangent", 1), **own}
    if isinstance(convention, Network):
        widths = [n for shape in convention.shapes().values() for n in shape]
        count = _count(read, widths, examples)
        network = convention
        tried = [*readings(read, Scope.of(RandomBatches.of(network, count, seed, _DRAWS)), own)]
        return replace(_judged(_best(tried), None), formula=formula)
    found, widths = source, list(sizes or _WIDTHS[-3:])
    named = STRENGTH.search(_NAME.sub(lambda name: own.get(name[0], name[0]), formula)) is not None
    strength = (_L2 if named and found.l2 else 0.0) if l2 is None else l2
    chosen = found.task_for(task, loss if loss is None else find_loss(loss).name)
    choices = {"sizes": widths, "convention": found, "task": task, "activation": activation or chosen.hidden}
    choices |= {"loss": loss or chosen.loss, "factor": factor, "reduction": reduction, "l2": strength}
    fixed = {"task": task or loss, "activation": activation, "examples": examples, "sizes": sizes}
    question = Question(read, own, choices, fixed, seed, _count(read, widths, examples))
    tried = []
    for reading in question.readings():
        tried.append(reading)
        if isinstance(reading, Reading) and reading.is_right:
            break
    return replace(_judged(_best(tried), question), formula=formula)


def _count(formula: Formula, widths: Sequence[int], examples: int | None) -> int:
    count = (1 if formula.left.is_jacobian else examples_apart(widths)) if examples is None else examples
    if count < 1:
        raise FormulaError(f"audit: {count} examples show nothing; at least one is needed")
    return count


def names(
    convention: str | Convention = "cs231n",
    *,
    sizes: Sequence[int] = _WIDTHS[-3:],
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
    own = {claim.name: claim.meaning for claim in scope.claims.values()}
    with_ones = ("X_",) if network.convention.names.with_ones else ("X_", "A")
    listed = [n for n in scope.symbols if n[:2] not in ("J_", "d_") and (n[-5:] != "_ones" or n.startswith(with_ones))]
    meanings = {n: own.get(n, "with its entry of ones" if n.endswith("_ones") else "given") for n in listed}
    return {n: (shown(scope.symbols[n].shape), meanings[n]) for n in listed}


def _best(tried: Sequence[Reading | FormulaError]) -> tuple[Reading, ...]:
    """The reading that is right, or those that can be read, where shapes fit first.

    Raises
    ------
    FormulaError
        If there is none: what the first one met.
    """
    found = [reading for reading in tried if isinstance(reading, Reading)]
    if not found:
        raise next(error for error in tried if isinstance(error, FormulaError))
    right = [reading for reading in found if reading.is_right]
    return tuple(right[:1] or sorted(found, key=lambda r: r.judged.expr is None or r.judged.difference is None))


def _judged(readings_: tuple[Reading, ...], question: Question | None) -> Audit:
    best, explanation = readings_[0], None
    if not best.is_right:
        best = next((one for one in readings_ if one.judged.is_scaled), best)
        for reading in dict.fromkeys((best, *readings_[:_EXPLAINED])):
            found = reading.judged
            other = explanation_of(found.term, found.judge, found.formula.source.text)
            if other is not None and (explanation is None or other.cost[0] < explanation.cost[0]):
                best, explanation = reading, other
            if explanation is not None and len(explanation.slips) == 1:
                break
    found = best.judged
    claim, setting, judge, source = found.claim, found.scope.setting, found.judge, found.formula.source
    difference = found.difference
    looped = any(term.kind == "examples" for _, term in positions(found.term))
    slips: tuple[Slip, ...] = ()
    places: tuple[str, ...] = ()
    if not best.is_right:
        if explanation is not None:
            slips = explanation.slips
        elif found.expr is not None and difference is not None:
            slips = diagnosed(found.expr, judge)
        places = () if question is None else tuple(question.elsewhere())
    wrong: Verdict = "does not conform" if difference is None else "wrong"
    return Audit(
        formula=source.text,
        convention=setting.network.convention.name,
        claim="; ".join(
            f"{one.claim.name}: {one.claim.meaning}" for one in (best.results if best.is_right else [found])
        ),
        verdict="right" if best.is_right else wrong,
        problem="" if best.is_right else _problem(found, difference),
        shapes=_shapes(found),
        difference=difference,
        slips=slips,
        mended=None if explanation is None or looped else Equation(claim.nearest.left, explanation.mended),
        nearest=claim.nearest,
        elsewhere=places,
        draws=len(setting.draws),
        reading=best.described if best.is_right or difference is None else _with_the_loss(best.described, setting),
        notation=found.formula.notation,
        own_names=_own_names(found),
    )


def _problem(found: Checked, difference: float | None) -> str:
    if found.clash is not None:
        return found.clash.message
    if difference is None and found.expr is not None:
        name, true = found.claim.name, found.claim.truths[0].shape
        return f"the right side is {shown(found.expr.shape)}, and {name} is {shown(true)}"
    return f"the shapes fit, but the values differ, by up to {difference:.2g} times the largest entry"


def _with_the_loss(read: str, setting: RandomBatches) -> str:
    """How the text was read, and what is differentiated: the factor 1/N hangs on it."""
    loss = setting.network.loss
    over = {"mean": "mean", "sum": "sum"}.get(loss.reduction)
    if over is None or setting.examples == 1:
        return read
    return "; ".join(
        filter(None, (read, f"the loss is the {over} of {loss.name} over the {setting.examples} examples"))
    )


def _own_names(found: Checked) -> dict[str, str]:
    """How the text calls what the convention calls otherwise."""
    left, names = found.formula.left, dict(found.scope.written)
    if left.of is None and left.index is None and left.wrt.isidentifier():
        names[found.claim.name] = left.wrt
    return {name: own for name, own in names.items() if own != name}


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


@dataclass(frozen=True)
class Question:
    """A formula, and the fully connected network that it is about.

    Attributes
    ----------
    formula : Formula
    where : mapping of str to str
    choices : dict
        For `Network.dense`.
    fixed : dict
        What the caller gave of the task or loss, the activation and the examples; None where it is the convention's.
    seed : int
    examples : int
    """

    formula: Formula
    where: Mapping[str, str]
    choices: Mapping[str, Any]
    fixed: Mapping[str, Any]
    seed: int
    examples: int

    def readings(self) -> Iterator[Reading | FormulaError]:
        """Yield the text in every network that it may be about, the likeliest first."""
        fits = False
        own: Convention = self.choices["convention"]
        alone = own.one_example or _ONE_EXAMPLE.search(self.formula.source.text)
        for changes, how in self._networks():
            if "examples" in changes and fits and not alone:
                continue
            scope = self._scope(_DRAWS, **changes)
            if isinstance(scope, JacobiansError):
                if not changes:
                    raise scope
                continue
            try:
                for reading in readings(self.formula, scope, self.where, how):
                    fits = fits or (isinstance(reading, Reading) and reading.judged.difference is not None)
                    yield reading
            except FormulaError:
                if not changes:  # elsewhere, what the caller defined may have no shape
                    raise

    def _networks(self) -> Iterator[tuple[dict[str, Any], str]]:
        """What to change in the network, and how that is said, the fewest changes first."""
        ways = [self._depths(), self._examples(), self._batches(), self._tasks(), self._activations(), self._sizes()]
        found = []
        for parts in itertools.product(*([({}, ""), *way] for way in ways)):
            changes = {key: value for changed, _ in parts for key, value in changed.items()}
            said = [how for _, how in parts if how]
            if not (parts[0][1] and parts[-1][1]):  # a depth that the text numbers counts for no change
                found.append((len(said) - bool(parts[0][1]), changes, "; ".join(said)))
        for _, changes, how in sorted(found, key=lambda one: one[0]):
            yield changes, how

    def _sizes(self) -> Iterator[tuple[dict[str, Any], str]]:
        """One layer, where the text names a weight without its number: of all the outputs, or of one."""
        sizes = self.choices["sizes"]
        if len(sizes) > 2 and _UNNUMBERED.search(self.formula.source.text):
            yield {"sizes": [sizes[0], sizes[-1]]}, "for a single layer"
            yield {"sizes": [sizes[0], 1]}, "for a single layer with one output"

    def _depths(self) -> Iterator[tuple[dict[str, Any], str]]:
        """As many layers as the text numbers; ∂L/∂A of a layer belongs to one that is not the last."""
        first, layers = self.choices["convention"].names.first_units, 0
        for stem, number in _NUMBERED.findall(self.formula.source.text):
            shift = 0 if _OF_WEIGHTS.search(stem) else -first + bool(_OF_HIDDEN.fullmatch(stem))
            layers = max(layers, int(number) + shift)
        if self.fixed["sizes"] is None and len(self.choices["sizes"]) <= layers < len(_WIDTHS):
            yield {"sizes": list(_WIDTHS[-layers - 1 :])}, f"for {layers} layers"

    def _tasks(self) -> Iterator[tuple[dict[str, Any], str]]:
        """The source's other tasks."""
        own: Convention = self.choices["convention"]
        if self.fixed["task"] is None:
            for kind, task in [*own.tasks.items()][1:]:
                yield {"task": kind, "loss": task.loss}, f"for {kind}"

    def _activations(self) -> Iterator[tuple[dict[str, Any], str]]:
        """The activations that the text itself names, or writes out."""
        text = " ".join((self.formula.source.text, *self.where.values()))
        if self.fixed["activation"] is None:
            for name in ACTIVATIONS:
                pattern = _WRITTEN.get(name, rf"(?<![a-z]){name.replace('_', '_?')}")
                if name != self.choices["activation"] and re.search(pattern, text, re.IGNORECASE):
                    yield {"activation": name}, f"with {name} in the hidden layers"

    def _batches(self) -> Iterator[tuple[dict[str, Any], str]]:
        """One example in a column, where the source's text does so and its code does not."""
        own: Convention = self.choices["convention"]
        if own.text_batch not in (None, own.layout.batch):
            lies = "row" if own.text_batch == "rows" else "column"
            changed = own.replace(layout=own.layout.replace(batch=own.text_batch))
            yield {"convention": changed}, f"with one example a {lies}, as in the source's text"

    def _examples(self) -> Iterator[tuple[dict[str, Any], str]]:
        """One, as texts and loops have, where nothing fits a batch, or where the source or the text says so."""
        own: Convention = self.choices["convention"]
        notation, text = self.formula.notation, self.formula.source.text
        looped = _ONE_DELTA.search(text) is not None if notation == "octave" else "outer(" in text
        if self.fixed["examples"] is None and (own.one_example or looped or notation == "latex"):
            yield {"examples": 1}, "for one example"

    def _scope(self, draws: int, *, examples: int | None = None, **changes: Any) -> Scope | JacobiansError:
        choices = {**self.choices, **changes}
        told = [self.seed, *(value for key, value in choices.items() if key not in ("convention", "sizes"))]
        kept = all(isinstance(value, (str, int, float, type(None))) for value in told)  # no operation of one's own
        scope_of = _scope_of if kept else _scope_of.__wrapped__
        order = tuple(choices["convention"].tasks)
        try:
            return scope_of(
                examples or self.examples, self.seed, draws, order, **choices | {"sizes": tuple(choices["sizes"])}
            )
        except JacobiansError as error:
            return error

    def elsewhere(self) -> Iterator[str]:
        """Yield where a formula that is wrong here is right as it stands."""
        own: Convention = self.choices["convention"]
        for what, known in (("loss", LOSSES), ("activation", ACTIVATIONS)):
            for name in known:
                if name != self.choices[what] and self._is_right(**{what: name}):
                    yield f"{own.name} with {what}={name!r}"
        for preset in all_conventions():
            l2 = self.choices["l2"] if preset.l2 else 0.0
            if preset.name != own.name and self._is_right(convention=preset, l2=l2, task=None):
                yield preset.name

    def _is_right(self, **changes: Any) -> bool:
        """Whether the formula can be read with some other choices, and is right."""
        return all(self._is_right_on(draws, changes) for draws in range(1, _DRAWS_ELSEWHERE + 1))

    def _is_right_on(self, draws: int, changes: Mapping[str, Any]) -> bool:
        scope = self._scope(draws, **changes)
        if isinstance(scope, JacobiansError):
            return False
        try:
            found = readings(self.formula, scope, self.where)
            return any(isinstance(reading, Reading) and reading.is_right for reading in found)
        except JacobiansError:
            return False


@lru_cache(maxsize=128)
def _scope_of(examples: int, seed: int, draws: int, order: tuple[str, ...], **choices: Any) -> Scope:
    """Return the names in a network; the next formula is tried in the same ones.

    Parameters
    ----------
    examples, seed, draws : int
    order : tuple of str
        Of the convention's tasks: the first is its default, and equal dicts need not have one order.
    choices : dict
        For `Network.dense`.
    """
    return Scope.of(RandomBatches.of(Network.dense(**choices), examples, seed, draws))


_UNNUMBERED = re.compile(
    r"(?<![^\W\d])(?:d?(?:W|w|b|Theta|theta|Θ|θ|Z|z|D|x|A_prev|out)|(?:Theta|theta|W|w|b)_grad|grad)(?![\w^\[{])"
)
"""A weight, or what comes of it, without a layer's number."""
_NUMBERED = re.compile(r"([^\W\d_]+)(?:_grad)?[_^{(\[ ]*(\d)(?!\d)")
_OF_WEIGHTS = re.compile(r"(?:[wW]|b|[tT]heta|Θ|θ|Delta|Δ)$")
_OF_HIDDEN = re.compile(r"d(?:[AaHh]|hidden)")
"""A name with its layer's number; the names that a weight's layer numbers, not its units; and ∂L/∂A."""
_ONE_EXAMPLE = re.compile(r";\s*x(?:\^\{?\(i\)\}?)?\s*,\s*y|C_x|E_n")
"""J(W, b; x, y), C_x and E_n, the cost of one example."""
_ONE_DELTA = re.compile(r"delta.*\(\s*2\s*:\s*end\s*\)", re.DOTALL)
"""δ of one example, a column whose first entry is dropped; in NumPy, an outer product is of one example."""
_WRITTEN = {
    "sigmoid": r"sigm|sigma|σ|logistic|expit|exp\(\s*-|1\.?0?\s*-\s*[ah]",
    "tanh": r"tanh|cosh|\*\*\s*2|\^\s*\{?\s*2|power|square",
    "relu": r"(?<![a-z_])relu|[<>]|max|greater|int64",
}
"""How the commonest activations are written where they are not named."""
