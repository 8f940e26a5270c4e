"""By which factor or derivative a line's value is off, where no edit of the line explains it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from jacobians.programs.lines import Suspect, is_name, ratio_of
from jacobians.programs.study import Study


def explained(study: Study, suspect: Suspect) -> tuple[str, str]:
    """Return the slip's name, or "" where the numbers do not show one, and what is wrong in words."""
    event = suspect.site.last
    truth = suspect.truths[0].get(event.index)
    plain = f"{event.shown} is not the derivative that the lines after it need"
    if event.kind == "update" or event.kind == "return":
        plain = "it is not the derivative that the lines after it need"
    if truth is None:
        return "", plain
    given, wanted = np.asarray(event.copy, dtype=float), np.asarray(truth, dtype=float)
    if given.shape != wanted.shape:
        return _of_shapes(given, wanted)
    ratio = ratio_of(given.ravel(), wanted.ravel())
    if ratio is not None:
        return scale_kind(ratio, study), f"{event.shown} is {number(ratio, study)} times what the lines after it need"
    found = _of_softmax(study, suspect, given, wanted)
    if found is not None:
        return found
    if given.size > 1 and np.ptp(given) <= 1e-9 * np.abs(given).max() < np.ptp(wanted):
        return "bias-summed-over-all", f"all entries of {event.shown} are the same: it is summed over all"
    for name, words in _of_slopes(study, suspect, given, wanted):
        return name, words
    return "", plain


def _of_softmax(study: Study, suspect: Suspect, given: Any, wanted: Any) -> tuple[str, str] | None:
    """Softmax's Jacobian that is missing, of which the diagonal alone is taken, or that is summed too early."""
    event = suspect.site.last
    for other in study.run.events[: event.index]:
        p = other.copy
        if not isinstance(p, np.ndarray) or p.shape != given.shape or p.dtype.kind != "f" or not (p > 0).all():
            continue
        for axis in range(p.ndim):
            if not np.allclose(p.sum(axis=axis), 1.0) or p.shape[axis] == 1:
                continue
            if np.abs(given).max() <= 1e-12 * np.abs(wanted).max():
                return (
                    "softmax-summed",
                    f"{event.shown} is 0: the rows of softmax's Jacobian are summed before it is multiplied",
                )
            if ratio_of((p * (given - (p * given).sum(axis=axis, keepdims=True))).ravel(), wanted.ravel()) is not None:
                return "output-derivative-missing", f"softmax's Jacobian, of {other.shown}, is missing"
            for one in study.run.events[: event.index]:
                q = one.copy
                if not isinstance(q, np.ndarray) or q.shape != p.shape or q.dtype.kind != "f":
                    continue
                summed, right = p * (q - q.sum(axis=axis, keepdims=True)), p * (q - (p * q).sum(axis, keepdims=True))
                if np.allclose(given, summed) and ratio_of(right.ravel(), wanted.ravel()) is not None:
                    return "softmax-summed", f"{one.shown} is summed before it is multiplied by {other.shown}"
            slope = given / (p * (1.0 - p))
            right = p * (slope - (p * slope).sum(axis=axis, keepdims=True))
            if ratio_of(right.ravel(), wanted.ravel()) is not None:
                return (
                    "softmax-diagonal",
                    f"only the diagonal of softmax's Jacobian is taken, {other.shown} * (1 - {other.shown})",
                )
    return None


def scale_kind(ratio: float, study: Study) -> str:
    """Return the slip's name of a gradient that is a multiple of the derivative."""
    k = float(study.subject.guess.outputs)
    kinds = {-1.0: "sign", 2.0: "scale-half", 0.5: "scale-half"}
    for n in _examples(study):
        kinds |= {float(n): "scale-n", 1.0 / n: "scale-n"}
    kinds |= {k: "scale-classes", 1.0 / k: "scale-classes"}
    if k > 1:
        kinds |= {ratio: "wrong-count" for n in _examples(study) for ratio in (n / k, k / n)}
    return next((name for at, name in kinds.items() if abs(ratio / at - 1.0) < 1e-5), "scale")


def _examples(study: Study) -> list[int]:
    """How many examples there are, and how many a batch of them holds."""
    batches = [e.copy for e in study.run.events if re.match(r"(m|N|num|batch_?size)$", e.key) and type(e.copy) is int]
    return [study.subject.guess.examples, *(n for n in dict.fromkeys(batches) if n > 1)]


def number(ratio: float, study: Study) -> str:
    """Return a ratio as a text, by what it is."""
    n, k = study.subject.guess.examples, study.subject.guess.outputs
    names = {k / n: f"K/N = {k}/{n}", n / k: f"N/K = {n}/{k}"} if k > 1 else {}
    names |= {-1.0: "-1", 2.0: "2", 0.5: "1/2", float(n): f"N = {n}", 1.0 / n: f"1/N = 1/{n}", float(k): f"K = {k}",
              1.0 / k: f"1/K = 1/{k}", 2.0 * n: f"2N = {2 * n}", 2.0 / n: f"2/N = 2/{n}"}  # fmt: skip
    for value, name in names.items():
        if abs(ratio / value - 1.0) < 1e-5:
            return name
    return f"{ratio:.6g}"


def _of_shapes(given: Any, wanted: Any) -> tuple[str, str]:
    if given.size == 1 and wanted.size > 1:
        return "bias-summed-over-all", "it is one number, where each entry has a sum of its own"
    words = f"its shape is {given.shape}, where {wanted.shape} is needed"
    if given.shape == wanted.shape[::-1] and given.ndim == 2:
        return "transposed", words
    return "wrong-axis", words


def _of_slopes(study: Study, suspect: Suspect, given: Any, wanted: Any) -> Iterator[tuple[str, str]]:
    """A derivative of an activation that is missing, that does not belong there, or that stands for another."""
    event = suspect.site.last
    slopes = list(_slopes(study, event, given.shape))
    for words, slope in slopes:
        if ratio_of((given * slope).ravel(), wanted.ravel()) is not None:
            masks = set(np.unique(slope)) <= {0.0, 1.0}
            if is_name(words) and not masks:
                yield "factor-missing", f"the factor {words} is missing"
                continue
            yield "mask-missing" if masks else "derivative-missing", f"the derivative {words} is missing"
    for words, slope in slopes:
        if np.all(slope) and ratio_of(given.ravel(), (wanted * slope).ravel()) is not None:
            yield "derivative-superfluous", f"a factor, {words}, does not belong there"
    whole = [(words, slope) for words, slope in slopes if np.all(slope)]
    for one, first in whole:
        for other, second in whole:
            if first is not second and ratio_of((given * second).ravel(), (wanted * first).ravel()) is not None:
                yield "wrong-activation-derivative", f"it has the factor {one}, where {other} belongs"
    if given.ndim == 2 and min(given.shape) > 1:
        off = np.abs(wanted - given) > 1e-6 * np.abs(wanted).max()
        for axis, each in ((1, "row"), (0, "column")):
            count = off.sum(axis=axis)
            if count.max() == 1 and 2 * count.sum() > count.size:
                words = f"one entry in each {each} of {event.shown} lacks a term: that of the example's class"
                yield "term-missing", words
    both = (given != 0) & (wanted != 0)
    ratios = np.unique(np.round(given[both] / wanted[both], 7))
    if ratios.size == 2 and 1.0 in ratios:
        factor = float(ratios[0] if ratios[1] == 1.0 else ratios[1])
        words = f"some entries of {event.shown} are {number(factor, study)} times what the lines after it need"
        yield scale_kind(factor, study), words
    if both.any() and not both.all() and np.allclose(given[both], wanted[both], 1e-6):
        if ((given != 0) & (wanted == 0)).any():
            yield "mask-missing", f"{event.shown} is not 0 everywhere that it should be: a mask is missing or wrong"
        else:
            yield "mask-wrong", f"{event.shown} is 0 in entries where it should not be: a mask is wrong"


def _slopes(study: Study, event: Any, shape: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    """Derivatives of the usual activations on the arrays of a shape that a line may see."""
    seen: list[Any] = []
    for other in study.run.events:
        if other.index >= event.index:
            break
        value = other.copy
        if not isinstance(value, np.ndarray) or value.shape != shape or value.dtype.kind not in "fb":
            continue
        if not is_name(other.shown) or any(value is one or np.array_equal(value, one) for one in seen):
            continue
        seen.append(value)
        if len(seen) > 14:
            return
        a = np.asarray(value, dtype=float)
        yield f"{other.shown} > 0", (a > 0) * 1.0
        if value.dtype.kind == "b" or set(np.unique(a)) <= {0.0, 1.0}:
            yield other.shown, a
            continue
        yield f"{other.shown} * (1 - {other.shown})", a * (1.0 - a)
        yield f"1 - {other.shown} ** 2", 1.0 - a**2
        with np.errstate(all="ignore"):
            s = 1.0 / (1.0 + np.exp(-a))
        yield f"the sigmoid's derivative at {other.shown}", s * (1.0 - s)
        yield f"the derivative of tanh at {other.shown}", 1.0 - np.tanh(a) ** 2
        yield other.shown, a
