"""The verdict on the gradient in a file: right, as which task of its convention; or wrong, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from jacobians.array_roles import ArraysByRole, arrays_by_role, conventions_of
from jacobians.arrays import Array
from jacobians.checking import GradientCheck
from jacobians.conventions import HIDDEN_UNITS, Convention
from jacobians.diagnosis import Diagnosis, diagnose
from jacobians.errors import DataError, JacobiansError, ShapeError
from jacobians.file_attempt import Attempt
from jacobians.network import Network

__all__ = ["FileVerdict", "Objective", "verdict_on"]

_WIDTH = 80

_FEWEST_DIGITS = 4
"""Numbers with fewer digits say too little of a gradient."""

_LEFT_OPEN = (
    ("classification", "cross_entropy", 1.0),
    ("yes/no", "binary_cross_entropy", 1.0),
    ("regression", "squared_error", 1.0),
    ("regression", "squared_error", 0.5),
    ("margin", "multiclass_hinge", 1.0),
)
"""What is tried in a convention whose source leaves the loss to its reader."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What is asked to be minimised; None where the convention and the file decide.

    Attributes
    ----------
    task : str or None
        The convention's task.
    loss, factor, reduction, activation
        As `Network.dense` takes them.
    l2 : float or None
        λ.
    first_label : {0, 1} or None
        The number of the first class.
    """

    task: str | None = None
    loss: str | None = None
    factor: float | None = None
    reduction: Any = None
    activation: str | None = None
    l2: float | None = None
    first_label: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FileVerdict:
    """Whether the gradient in a file is right.

    It is true only if the verdict is "pass".

    Attributes
    ----------
    verdict : {"pass", "fail", "undecided"}
    headline : str
        One sentence: what the gradient is right or wrong as.
    convention, task : str
        The convention that the arrays were read in; the task, or the loss where none was tried.
    network : Network
    notes : tuple of str
        What was taken for what.
    check : GradientCheck or None
        Against numerical derivatives; None where the shapes differ.
    diagnosis : Diagnosis or None
        Why the gradient is wrong.
    """

    verdict: Literal["pass", "fail", "undecided"]
    headline: str
    convention: str
    task: str
    network: Network
    notes: tuple[str, ...] = ()
    check: GradientCheck | None = None
    diagnosis: Diagnosis | None = None

    def __bool__(self) -> bool:
        return self.verdict == "pass"

    def __str__(self) -> str:
        lines = _wrapped(f"{self.verdict.upper()}: ", self.headline)
        lines += [line for note in self.notes for line in _wrapped("note: ", note)]
        if self.check is not None:
            lines += ["", str(self.check)]
        if self.diagnosis is not None:
            lines += ["", "Why", str(self.diagnosis)]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        return {
            "verdict": self.verdict,
            "headline": self.headline,
            "convention": self.convention,
            "task": self.task,
            "network": str(self.network),
            "notes": list(self.notes),
            "check": None if self.check is None else self.check.to_dict(),
            "diagnosis": None if self.diagnosis is None else self.diagnosis.to_dict(),
        }


def _wrapped(mark: str, text: str) -> list[str]:
    """A text as lines, the first of which begins with the mark."""
    return textwrap.wrap(mark + text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def verdict_on(
    arrays: Mapping[str, Array],
    convention: Convention | None = None,
    objective: Objective | None = None,
    *,
    features: str | None = None,
    labels: str | None = None,
    sizes: Sequence[int] | None = None,
    directions: int | None = None,
    seed: int = 0,
    where: str = "the file",
) -> FileVerdict:
    """Return whether the gradient among a file's arrays is right, and if not, why.

    The tasks of the convention are tried on the file. The gradient is right if it is that of exactly one. λ is the
    file's, or the one that is given; another is never fitted, only told.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        See `arrays_by_role`.
    convention : Convention, optional
        The first preset in which every array has a role, unless given.
    objective : Objective, optional
    features, labels, sizes, where
        As for `arrays_by_role`.
    directions, seed
        As for `check_gradient`.

    Raises
    ------
    DataError
        If an array has no role, or the targets fit no task.

    Examples
    --------
    >>> from jacobians.presets import convention
    >>> X, y = np.array([[1.0, 2.0], [1.0, 3.0]]), np.array([[0.5], [2.0]])
    >>> file = {"X": X, "y": y, "theta": np.zeros((2, 1)), "grad": X.T @ (np.zeros((2, 1)) - y) / 2}
    >>> print(verdict_on(file, convention("ng-ml-2011")).headline)
    the gradient is right, as ng-ml-2011's regression (0.5 × squared_error)
    """
    if convention is None:
        readings = conventions_of(arrays, features=features, labels=labels, sizes=sizes, where=where)
    else:
        readings = [arrays_by_role(arrays, convention, features=features, labels=labels, sizes=sizes, where=where)]
    judge = _Judge(objective or Objective(), directions, seed, where)
    return judge.verdict(readings, asked=convention is not None)


class _Judge:
    """What is asked of a file, and how it is answered."""

    def __init__(self, objective: Objective, directions: int | None, seed: int, where: str) -> None:
        self.objective, self.directions, self.seed, self.where = objective, directions, seed, where

    def verdict(self, readings: Sequence[ArraysByRole], *, asked: bool) -> FileVerdict:
        """Return the verdict on the first reading; the others are only named where it fails and they would not."""
        read = readings[0]
        notes: tuple[str, ...] = ()
        if not asked:
            notes = (
                f"the parameters are read as {read.convention.name} keeps them; --convention NAME chooses another",
            )
        attempts = self._attempts(read, self.objective)
        near = [attempt for attempt in attempts if attempt.is_near]
        right = self._right(near)
        if len(right) > 1:
            names = " and as ".join(attempt.text for attempt, _, _ in right)
            options = " or ".join(attempt.option for attempt, _, _ in right)
            headline = f"the gradient is right as {names}; say which is meant: {options}"
            return self._said("undecided", headline, right[0][0], notes)
        for attempt, check, said in right:
            if attempt.blurred is not None:
                headline = f"the gradient may be right, as {attempt.text}, but {attempt.narrow} is too narrow to tell: "
                headline += f"rounding may be as large as {attempt.blurred}, or not much less; compute in float64"
                return self._said("undecided", headline, attempt, notes)
            if (doubted := self._doubted(attempt, attempts)) is not None:
                name = read.names["target"]
                headline = f"the gradient is right as {attempt.text} alone, and {name} holds classes, as for "
                headline += f"{doubted.text}: was the {doubted.network.loss.prediction or 'other loss'} forgotten? "
                headline += f"If it is meant so, say {attempt.option}"
                return self._said("undecided", headline, attempt, notes)
            if attempt.hides_a_penalised_bias:
                said = (
                    *said,
                    "every bias is 0, so a regulariser that takes the biases in would not be seen",
                )
            return self._said("pass", f"the gradient is right, as {attempt.text}", attempt, (*notes, *said), check)
        for attempt in near:
            if attempt.printed is not None:
                digits = attempt.printed.digits
                headline = f"the gradient may be right, as {attempt.text}, but its {digits} digits are too few to tell"
                return self._said("undecided", headline, attempt, notes)
        if not asked and (elsewhere := self._elsewhere(readings[1:])):
            wrong, options = attempts[0], " or ".join(f"--convention {name}" for name in elsewhere)
            headline = f"the gradient is wrong as {wrong.text}, and right with {options}: say which is meant"
            return self._said("undecided", headline, wrong, notes)
        return self._wrong(read, near or attempts, notes)

    def _doubted(self, right: Attempt, attempts: Sequence[Attempt]) -> Attempt | None:
        """The task of classes that the targets rather belong to, where a regression of them alone is right."""
        asked = self.objective.task is not None or self.objective.loss is not None
        if asked or right.network.loss.takes != "reals" or right.task not in ("regression", "network"):
            return None
        first = attempts[0]
        return first if first.network.loss.takes in ("zero-one", "labels") and first.holds_classes else None

    # --- attempts --------------------------------------------------------------------------------

    def _attempts(self, read: ArraysByRole, objective: Objective) -> list[Attempt]:
        """The file as every task that its targets fit; the most plausible first."""
        name, read = read.convention.name, _widened(read)
        if read.X is None or read.Y is None:
            what = "array of examples X or x" if read.X is None else "array of labels y or Y"
            raise DataError(f"check: {self.where} has no {what}")
        if read.gradients is None:
            missing, first = ", ".join(read.parameters), next(iter(read.parameters))
            raise DataError(
                f"check: {self.where} has no gradient of {missing}: name it d{first} or {first}_grad, or pack all as "
                "grad"
            )
        if read.Y.dtype.kind not in "buif":
            name, words = read.names["target"], read.Y.dtype.kind in "US"
            mend = f"; number the classes: np.unique({name}, return_inverse=True)[1]" if words else ""
            raise DataError(f"check: {self.where}: {name} has dtype {read.Y.dtype}; expected numbers{mend}")
        if objective.task is not None:
            read.convention.task(objective.task)
        strength = read.strength if objective.l2 is None else objective.l2
        read.convention.l2_scale(strength or 0.0, 1)
        found, errors = [], []
        for task, kind, loss, factor in self._tasks(read.convention, objective, read.sizes[-1]):
            try:
                network = self._network(read, objective, kind, loss, factor)
                X, Y, notes = self._data(read, network, objective.first_label)
                attempt = Attempt(task, network, read, X, Y, notes)
                attempt.right  # noqa: B018  refuses what the loss refuses
            except JacobiansError as error:
                errors.append(error)
            else:
                found.append(attempt)
        if not found:
            asked = objective.task or objective.loss
            fit = f"do not fit {asked}, as asked" if asked else f"fit no task of {name}"
            raise DataError(f"check: {self.where}: the targets {fit}: {errors[0]}") from errors[0]
        if not (np.floor(read.Y) == read.Y).all():
            return sorted(found, key=lambda attempt: attempt.network.loss.takes != "reals")
        # several outputs name a class rather than say yes or no each
        return sorted(found, key=lambda attempt: attempt.task == "yes/no" and read.sizes[-1] > 1)

    def _tasks(
        self, convention: Convention, objective: Objective, outputs: int
    ) -> list[tuple[str, str | None, str | None, float | None]]:
        """What to try: for each, its name, the convention's task, the loss and its factor."""
        kinds = list(convention.tasks)
        if outputs == 1 and len(kinds) > 1:
            kinds = [kind for kind in kinds if kind != "classification"]  # one output says yes or no
        if objective.loss is not None:
            own = (kind for kind in kinds if convention.tasks[kind].loss == objective.loss)
            called = objective.task or next(own, "network")
            return [(called, objective.task, objective.loss, objective.factor)]
        if objective.task is not None:
            kinds = [objective.task]
        if kinds:
            return [(kind, kind, None, objective.factor) for kind in kinds]
        # the source leaves the loss to its reader
        return [(task, None, loss, objective.factor or factor) for task, loss, factor in _LEFT_OPEN]

    def _network(
        self, read: ArraysByRole, objective: Objective, kind: str | None, loss: str | None, factor: float | None
    ) -> Network:
        strength = read.strength if objective.l2 is None else objective.l2
        return Network.dense(
            read.sizes,
            convention=read.convention,
            task=kind,
            loss=loss,
            factor=factor,
            reduction=objective.reduction,
            activation=objective.activation,
            l2=strength or 0.0,
        )

    def _data(
        self, read: ArraysByRole, network: Network, first_label: int | None
    ) -> tuple[Array, Array, tuple[str, ...]]:
        """The examples and the targets as the loss takes them."""
        assert read.X is not None
        assert read.Y is not None
        layout, outputs = network.layout, read.sizes[-1]
        count, takes = read.X.shape[layout.batch_axis], network.loss.takes
        Y, name, notes = read.Y, read.names["target"], read.notes
        whole = layout.batch_shape(count, outputs)
        if Y.size == count and outputs > 1:
            first = first_label
            if first is None:
                first = next((task.first_label for task in read.convention.tasks.values()), 0)
            numbers, said = class_numbers(Y.reshape(count), outputs, first, name, known=first_label is not None)
            notes = (*notes, *said)
            if takes in ("labels", "zero-one"):
                return read.X, numbers, notes
            one_hot = np.eye(outputs)[numbers]
            Y = one_hot if takes == "reals" else 2 * one_hot - 1
            return read.X, Y if layout.batch == "rows" else Y.T, notes
        if outputs == 1 and (takes == "labels" or network.loss.least_outputs > 1):
            raise DataError(f"{network.loss.name} needs two or more outputs, and there is one")
        if Y.size == count * outputs and (Y.ndim == 1 or outputs == 1):
            Y = Y.reshape(whole)
        if takes == "zero-one" and outputs == 1:
            for no, yes in ((1, 2), (-1, 1)):
                if np.isin(Y, (no, yes)).all() and not np.isin(Y, (0, 1)).all():
                    Y = np.where(np.equal(Y, yes), 1.0, 0.0)
                    notes = (*notes, f"the labels {no} and {yes} of {name} are read as 0 and 1")
        if takes == "labels" and Y.shape == whole and network.loss.name == "multiclass_hinge":
            if not (np.isin(Y, (0, 1)).all() and (Y.sum(axis=layout.feature_axis) == 1).all()):
                raise DataError(f"{name} {Y.shape} holds no labels and no one-hot targets")
            Y = Y.argmax(axis=layout.feature_axis)
        return read.X, Y, notes

    def _right(self, near: Sequence[Attempt]) -> list[tuple[Attempt, GradientCheck, tuple[str, ...]]]:
        """The attempts, one of each objective, in which the gradient is right, with what was allowed for."""
        found = {}
        for attempt in near:
            if attempt.key in found or attempt.named is None:
                continue
            check, shown = attempt.checked(attempt.named, self.directions, self.seed), attempt.printed
            said: tuple[str, ...] = ()
            if attempt.room is not None:
                most = max(float(room.max(initial=0.0)) for room in attempt.room.values())
                said = (
                    f"the gradient is in {attempt.narrow}: up to {most:.0e} was allowed for its rounding; the table "
                    "shows the library's own numbers",
                )
            if not check and shown is not None and shown.digits >= _FEWEST_DIGITS:
                check = attempt.checked(attempt.right, self.directions, self.seed)
                said = (
                    f"the given numbers have at most {shown.digits} digits: half a unit of the last, up to "
                    f"{shown.half_unit:.0e}, was allowed; the table shows the library's own numbers",
                )
            if check:
                found[attempt.key] = attempt, check, said
        return list(found.values())

    def _elsewhere(self, readings: Sequence[ArraysByRole]) -> list[str]:
        """Names of conventions in which the gradient is right; of those with the same objective, the first."""
        found: dict[Any, str] = {}
        for read in readings:
            try:
                attempts = self._attempts(read, self.objective)
            except JacobiansError:
                continue
            for attempt, _, _ in self._right([attempt for attempt in attempts if attempt.is_near]):
                found.setdefault((read.convention.layout, *attempt.key), read.convention.name)
        return list(found.values())

    # --- wrong -----------------------------------------------------------------------------------

    def _wrong(self, read: ArraysByRole, attempts: Sequence[Attempt], notes: tuple[str, ...]) -> FileVerdict:
        attempt = attempts[0]
        hints = self._hints(read)
        if hints:
            several = len({hinted.task for _, hinted in hints}) > 1 or hints[0][1].task != attempt.task
            options = (f"{option}{f' as {hinted.text}' if several else ''}" for option, hinted in hints)
            said = " or ".join(dict.fromkeys(options))
            told = read.strength is not None or self.objective.l2 is not None
            if told and all("--l2" in option for option, _ in hints):
                attempt = next((other for other in attempts if other.task == hints[0][1].task), attempt)
                own = said.partition(" as ")[0] if len(hints) == 1 else said
                headline = f"the gradient is wrong, as {attempt.text}; it is right with {own}"
                return self._explained(headline, notes, attempt)
            headline = f"the gradient is right with {said}, and wrong without, as {attempt.text}"
            return self._said("undecided", headline, attempt, notes)
        return self._explained("", notes, *attempts)

    def _explained(self, headline: str, notes: tuple[str, ...], *attempts: Attempt) -> FileVerdict:
        """The failure of the first attempt, or of the first that the fewest causes together explain."""
        found = []
        for attempt in attempts:
            try:
                why = self._diagnosis(attempt)
            except ShapeError as error:  # the gradient's own, which is then no gradient of these parameters
                headline = f"the gradient is wrong: {str(error).removeprefix('diagnose: ')}"
                return self._said("fail", headline, attempt, notes)
            together = len(why.causes) if why.verdict == "explained" else 1
            found.append((3 if why.cause is None else together, attempt, why))
            if found[-1][0] == 1:
                break
        _, chosen, why = min(found, key=lambda one: one[0])
        check = None if chosen.named is None else chosen.checked(chosen.named, self.directions, self.seed)
        unclear = check is not None and check.verdict == "inconclusive"
        if not headline:
            outcome = "could not be judged" if unclear else "is wrong"
            headline = f"the gradient {outcome}, as {chosen.text}"
        return self._said("undecided" if unclear else "fail", headline, chosen, notes, check, why)

    def _diagnosis(self, attempt: Attempt) -> Diagnosis:
        assert attempt.read.gradients is not None
        return diagnose(attempt.read.gradients, attempt.network, attempt.read.parameters, attempt.X, attempt.Y)

    def _hints(self, read: ArraysByRole) -> list[tuple[str, Attempt]]:
        """Options with which the gradient would be right, and the attempts that show it."""
        found: dict[Any, tuple[str, Attempt]] = {}
        for option, objective in self._variants(read):
            try:
                attempts = self._attempts(read, objective)
            except JacobiansError:
                continue
            for attempt in attempts:
                fitted = self._fitted(attempt)
                if fitted is not None:
                    attempt = replace(attempt, network=attempt.network.replace(l2=fitted))
                if (option or fitted is not None) and self._right([attempt] if attempt.is_near else []):
                    strength = f"--l2 {fitted:g}" if fitted is not None else ""
                    said = " ".join(filter(None, (option, strength)))
                    found.setdefault((fitted, *attempt.key), (said, attempt))
            if found:
                break
        return list(found.values())

    def _variants(self, read: ArraysByRole) -> list[tuple[str, Objective]]:
        """The objective as it is, with other hidden activations, with labels counted otherwise."""
        own = self.objective
        variants = [("", own)]
        if own.activation is None and len(read.sizes) > 2:
            variants += [(f"--activation {name}", replace(own, activation=name)) for name in HIDDEN_UNITS]
        if own.first_label is None:
            variants += [(f"--first-label {first}", replace(own, first_label=first)) for first in (0, 1)]
        return variants

    def _fitted(self, attempt: Attempt) -> float | None:
        """The λ other than the attempt's own that makes the given gradient right; None if there is none."""
        network, read = attempt.network, attempt.read
        if attempt.named is None or network.convention.l2 is None:
            return None
        plain, one = (network.replace(l2=strength) for strength in (0.0, 1.0))
        base, with_one = (n.pack(n.gradient(read.parameters, attempt.X, attempt.Y)) for n in (plain, one))
        direction, rest = with_one - base, network.pack(attempt.named) - base
        length = float(direction @ direction)
        if not length or not np.isfinite(rest).all():
            return None
        strength = float(f"{float(rest @ direction) / length:.6g}")
        if abs(strength) < 1e-9:
            strength = 0.0
        near = np.linalg.norm(rest - strength * direction) <= 1e-5 * np.linalg.norm(with_one)
        return strength if strength >= 0 and strength != network.l2 and near else None

    def _said(
        self,
        verdict: Literal["pass", "fail", "undecided"],
        headline: str,
        attempt: Attempt,
        notes: tuple[str, ...],
        check: GradientCheck | None = None,
        diagnosis: Diagnosis | None = None,
    ) -> FileVerdict:
        convention = attempt.read.convention.name
        said = (*notes, *attempt.notes)
        return FileVerdict(verdict, headline, convention, attempt.task, attempt.network, said, check, diagnosis)


def _widened(read: ArraysByRole) -> ArraysByRole:
    """The file with its numbers in float64, but for the gradient, whose dtype says how exact it can be."""
    X = None if read.X is None else read.X.astype(np.float64)
    Y = read.Y.astype(np.float64) if read.Y is not None and read.Y.dtype.kind == "f" else read.Y
    return replace(read, parameters={name: p.astype(np.float64) for name, p in read.parameters.items()}, X=X, Y=Y)


def class_numbers(
    labels: Array, classes: int, first: int, name: str, *, known: bool = False
) -> tuple[Array, tuple[str, ...]]:
    """Return labels as classes 0 … K−1, and what was assumed.

    A label K can only be counted from 1, a label 0 only from 0. Where there is neither, the convention decides, and
    it is said.

    Parameters
    ----------
    labels : ndarray, (N,)
    classes : int
        K.
    first : {0, 1}
        Where the convention begins to count.
    name : str
        Of the array.
    known : bool
        Whether the reader has said so.

    Raises
    ------
    DataError
        If a label is not whole or out of range, or 0 and K are both there.

    Examples
    --------
    >>> class_numbers(np.array([2, 3, 3]), 3, 0, "y")
    (array([1, 2, 2]), ('the labels 1 … 3 of y are read as classes 0 … 2',))
    >>> class_numbers(np.array([0, 2, 2]), 3, 1, "y")
    (array([0, 2, 2]), ('the labels of y are counted from 0',))
    """
    if labels.dtype.kind not in "buif" or (np.floor(labels) != labels).any():
        raise DataError(f"{name} holds numbers that are no labels; {classes} outputs need labels or one-hot targets")
    if not labels.size:
        return labels.astype(np.intp), ()
    lowest, highest = labels.min(), labels.max()
    if lowest < 0 or highest > classes or (lowest == 0 and highest == classes):
        raise DataError(
            f"{name} holds labels from {lowest:g} to {highest:g}, and there are {classes} classes: expected 0 … "
            f"{classes - 1}, or 1 … {classes}"
        )
    seen = lowest == 0 or highest == classes
    if seen and known and first != int(highest == classes):
        raise DataError(f"{name} holds the label {highest if first == 0 else lowest:g}: it is not counted from {first}")
    from_one = highest == classes or (not seen and first == 1)
    notes = []
    if from_one:
        notes.append(f"the labels 1 … {classes} of {name} are read as classes 0 … {classes - 1}")
    elif first == 1:
        notes.append(f"the labels of {name} are counted from 0")
    if not seen and not known:
        notes.append(
            f"{name} holds neither 0 nor {classes}: it is read as counted from {first}; --first-label N says it"
        )
    return labels.astype(np.intp) - from_one, tuple(notes)
