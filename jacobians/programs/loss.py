"""The loss of a program: named, returned with the gradients, or inferred from the outputs and the labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.recording import Event, Run, reals, scalar
from jacobians.programs.subject import PAIR_LOSS


@dataclass(frozen=True, eq=False)
class Loss:
    """What is differentiated.

    Attributes
    ----------
    index : int
        The event at which it has its value, or at which the outputs have theirs.
    name : str
    line : int
    of : callable or None
        The loss of the outputs, where it is inferred; None where the event is the loss itself.
    inferred : str
        In words, what it was inferred to be; empty where the program computes it.
    sign : float
        −1 for a likelihood, which the program goes up.
    """

    index: int
    name: str
    line: int
    of: Callable[[Any], float] | None = None
    inferred: str = ""
    sign: float = 1.0

    def times(self, factor: float) -> Loss:
        """Return an inferred loss times a factor."""
        count = round(1.0 / factor)
        whole = abs(count * factor - 1.0) < 1e-6
        assert self.of is not None
        words = f"{f'1/{count}' if whole else f'{factor:.4g}'} times {self.inferred}"
        of = partial(_times, factor, self.of)
        return replace(self, name=self.name.replace(self.inferred, words), of=of, inferred=words)

    def value(self, stored: Any) -> float:
        """Return the loss at what was stored."""
        if self.of is not None:
            return self.of(np.asarray(stored, dtype=float))
        found = scalar(stored if not isinstance(stored, tuple) else next(s for s in stored if scalar(s) is not None))
        return float("nan") if found is None else self.sign * found


def losses_of(run: Run, name: str | None, first_gradient: int) -> list[Loss]:
    """Return the events that may be the loss, the likeliest first."""
    found: list[tuple[tuple[int, ...], Loss]] = []
    slopes = {(e.shown, e.frame): e.index for e in reals(run.events) if e.kind == "assign" and np.size(e.copy) > 1}
    given = {e.frame: scalar(e.copy) for e in run.events if e.kind == "return" and _says_loss(e.key)}
    for event in run.events:
        if event.kind in ("argument", "input", "update", "inner"):
            continue
        if name is None and run.left_part is not None and event.index >= run.left_part:
            break  # it is of all examples, and the gradients are of those that were run
        value = event.copy
        if event.kind == "return" and isinstance(value, tuple):
            names = event.shown.split(", ") if ", " in event.shown else [""] * len(value)
            inner = [
                n for n, v in zip(names, value, strict=False)
                if scalar(v) is not None and not isinstance(v, (int, np.integer)) and not naming.is_gradient(n)
            ]  # fmt: skip
            if name is None and len(inner) == 1 and len(value) <= 7 and _deep_enough(run, event):
                called = inner[0] or f"what {event.key} returns first"
                made = _set_before(run, event, inner[0]) or event
                found.append(((1, 0, -event.index), Loss(made.index, called, made.line)))
            continue
        if scalar(value) is None or isinstance(value, (int, np.integer)):
            continue
        if name is not None:
            if name in (event.key, event.shown):
                found.append(((0, 0, -event.index), Loss(event.index, event.shown, event.line)))
            continue
        whole = given.get(event.frame) if event.kind != "return" else None
        if event.shown == PAIR_LOSS:
            found.append(((0, 0, 0), Loss(event.index, PAIR_LOSS, event.line)))
        elif event.key in _ERRORS and _BACKWARD.search(event.function):
            continue  # what a backward pass hands back is called an error as well
        elif event.key in _ERRORS and event.index < slopes.get((event.shown, event.frame), 0):
            continue  # an error that is handed back from layer to layer
        elif _LIKELIHOOD.fullmatch(event.key) and event.kind != "return":
            found.append(((2, 0, -event.index), Loss(event.index, event.shown, event.line, sign=-1.0)))
        elif naming.is_loss(event.key) or (event.kind == "return" and _says_loss(event.key)):
            rank = naming.loss_rank(event.key) if event.kind != "return" else 1
            if whole is not None and whole != scalar(value):
                rank = 2  # a part of what its function returns: ``return reg + C * loss``
            found.append(((1, rank, -event.index), Loss(event.index, event.shown, event.line)))
    kept, seen = [], set()
    # after a loop of training a sum over all examples is of those that were not run
    after = run.left if name is None and run.left is not None else len(run.events) + 1
    for _, loss in sorted(found, key=lambda pair: (pair[0][0], pair[1].index >= after, pair[0])):
        if loss.name not in seen:
            kept.append(loss)
            seen.add(loss.name)
    return kept


def _set_before(run: Run, returned: Event, name: str) -> Event | None:
    """Where a number that is returned got its value: what is computed after that is the backward pass."""
    values = [scalar(part) for part in returned.copy]
    found = (
        e for e in reversed(run.events[: returned.index])
        if e.kind == "assign" and e.shown == name and e.frame == returned.frame
    )  # fmt: skip
    last = next(found, None)
    return last if last is not None and scalar(last.copy) is not None and scalar(last.copy) in values else None


def _says_loss(name: str) -> bool:
    low = name.lower()
    return any(
        word in low for word in ("loss", "cost", "objective", "error", "entropy", "mse")
    ) and not _OF_DERIVATIVES.search(low)


def _deep_enough(run: Run, event: Event) -> bool:
    return any(isinstance(v, (dict, np.ndarray, tuple, list)) for v in event.copy)


# --- inference ---------------------------------------------------------------------------------------


def _kinds(outputs: Any, labels: Any) -> Iterator[tuple[str, Callable[[Any], float]]]:
    """The losses of outputs and labels, without and with a mean over the examples or the entries."""
    y = labels
    size = float(np.size(outputs))
    scales = [("", 1.0)]
    rows = float(outputs.shape[0]) if np.ndim(outputs) else 1.0
    scales += [("the mean over the examples of ", 1.0 / rows)]
    if np.ndim(outputs) > 1 and outputs.shape[1] != rows:
        scales += [("the mean over the examples of ", 1.0 / outputs.shape[1])]
    if size != rows:
        scales += [("the mean over all entries of ", 1.0 / size)]
    for words, c in scales:
        yield f"{words}half the squared error", partial(_squares, y, 0.5 * c)
        yield f"{words}the squared error", partial(_squares, y, c)
        if np.all((outputs > 0) & (outputs < 1)) and np.all((y >= 0) & (y <= 1)):
            yield f"{words}the binary cross-entropy", partial(_binary, y, c)
            if np.ndim(outputs) > 1 and any(np.allclose(outputs.sum(axis=a), 1.0) for a in range(np.ndim(outputs))):
                yield f"{words}the cross-entropy", partial(_classes, y, c)


def _times(factor: float, of: Callable[[Any], float], o: Any) -> float:
    return factor * of(o)


def _squares(y: Any, c: float, o: Any) -> float:
    return c * float(np.sum((o - y) ** 2))


def _binary(y: Any, c: float, o: Any) -> float:
    with np.errstate(all="ignore"):  # an edit may put outputs outside of 0 and 1
        return -c * float(np.sum(y * np.log(o) + (1 - y) * np.log(1 - o)))


def _classes(y: Any, c: float, o: Any) -> float:
    with np.errstate(all="ignore"):
        return -c * float(np.sum(y * np.log(o)))


USUAL = ("half squared error", "squared error", "binary cross-entropy", "cross-entropy")
"""Names of the losses that a program without one may be given; each also as the mean, ``mean squared error``."""


def is_usual(name: str) -> bool:
    """Return whether a name is that of a loss that a program without one may be given."""
    return _plain(name).removeprefix("mean ") in map(_plain, USUAL)


def is_called(loss: Loss, name: str) -> bool:
    """Return whether an inferred loss is the one of a name such as ``mean squared error``."""
    words = re.sub(r"the mean over (the examples|all entries) of", "mean", loss.inferred)
    return _plain(words) == _plain(name)


def _plain(words: str) -> str:
    return re.sub(r"[-_\s]+", " ", words.lower().replace("the ", "")).strip()


def inferred_losses(run: Run, first_gradient: int) -> list[tuple[Loss, Any]]:
    """Return what the loss may be, with the labels: every kind on the last outputs that have the labels' shape."""
    events = [e for e in run.events if isinstance(e.copy, (np.ndarray, float, np.floating)) or _numbers(e.copy)]
    labels = [e for e in run.events if _is_label(e.key) and (e in events or scalar(e.copy) is not None)]
    if not labels:
        labels = [e for e in events if e.key.lower().startswith(("y", "target", "label"))]
    found: list[tuple[Loss, Any]] = []
    used: set[tuple[int, ...]] = set()
    seen: list[Any] = []
    real = {id(e) for e in reals(run.events)}
    # what a derivative computes on its way is no output: ``fx = sigmoid(x)`` within ``deriv_sigmoid``
    slopes = {id(e.value) for e in events if e.kind == "assign" and _OF_DERIVATIVES.search(e.function)}
    for event in reversed([e for e in run.events if id(e) in real or _numbers(e.copy)]):
        if id(event.value) in slopes:
            continue
        if event.index >= first_gradient or event.kind not in ("assign", "return", "write"):
            continue
        if (
            naming.is_gradient(event.key)
            or event.key.lower().startswith("delta")
            or naming.is_parameter(event.key)
            or _is_label(event.key)
            or "err" in event.key
            or (naming.is_loss(event.key) and scalar(event.copy) is not None)
            or _OF_DERIVATIVES.search(event.function)
        ):
            continue
        if isinstance(event.copy, np.ndarray) and any(e.shown == event.shown for e in labels):
            continue
        outputs = np.asarray(event.copy)
        if any(event.value is other for other in seen):
            continue
        seen.append(event.value)
        for label in reversed(labels):
            y = np.asarray(label.copy, dtype=float)
            if y.dtype.kind not in "fiub" or (outputs.ndim == 0 and y.ndim):
                continue
            y = _fitting(y, outputs)
            if y is None or label.index > first_gradient:
                continue
            if len(used) >= 2:
                return found
            if _is_residual(outputs, y, [e for e in events if e.index < event.index]):
                break
            used.add((event.index, label.index))
            for words, of in _kinds(outputs, y):
                found.append(
                    (
                        Loss(
                            event.index, f"the loss, {words} of {event.shown} and {label.shown}", event.line, of, words
                        ),
                        y,
                    )
                )
            break
    return found


def _is_residual(values: Any, labels: Any, before: list[Event]) -> bool:
    """Whether values are the labels without what was computed before, or the other way round: a residual, no output."""
    if np.ndim(values) == 0:
        return False
    seen = (np.asarray(e.copy) for e in before if np.shape(e.copy) == np.shape(values))
    return any(np.array_equal(values, labels - o) or np.array_equal(values, o - labels) for o in seen if np.any(o))


def _numbers(value: Any) -> bool:
    """Whether it is a list of numbers, as a program without NumPy has them."""
    return isinstance(value, list) and 0 < len(value) <= 64 and all(scalar(part) is not None for part in value)


_OF_DERIVATIVES = re.compile(
    r"(?i)deriv|prime|(sigmoid|relu|tanh|act\w*|loss|cost|error|mse)_?(grad|back)|^d_?(sig|relu|tanh|act|loss|cost|mse)|_d$"
)
_ERRORS = ("error", "err", "E")
_BACKWARD = re.compile(r"(?i)back|deriv")
_LIKELIHOOD = re.compile(r"(?i)ll|log_?lik(elihood)?|likelihood|ll_\w+|log_?l")
_LABELS = frozenset({
    "y", "Y", "t", "T", "target", "targets", "label", "labels", "y_true", "y_train", "Y_train", "Y_batch", "y_batch",
    "outputs", "expected", "Yb", "yb", "T_train", "t_train",
})  # fmt: skip


def _is_label(key: str) -> bool:
    """Whether a name, of an array or of the function that returns it, is that of labels."""
    return key in _LABELS or _LABEL.search(key) is not None


_LABEL = re.compile(
    r"(?i)one_?hot|^(train(ing)?|known|expected|desired|true|actual)_?(set_)?(outputs?|targets?|labels?|values?|y)$"
)


def _fitting(labels: Any, outputs: Any) -> Any:
    """Labels in the outputs' shape: as they are, or one-hot from classes."""
    if labels.shape == outputs.shape:
        return labels
    if labels.ndim == 1 and outputs.ndim == 2 and labels.size in outputs.shape and np.all(labels == np.round(labels)):
        k = outputs.shape[1] if outputs.shape[0] == labels.size else outputs.shape[0]
        if labels.min() >= 0 and labels.max() < k and k > 1:
            hot = np.eye(k)[labels.astype(int)]
            return hot if outputs.shape[0] == labels.size else hot.T
    return None
