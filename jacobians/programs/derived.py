"""The library's own formulas beside a program that is a dense net in a known convention."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jacobians.conventions import Convention
from jacobians.derivation.explain import explain
from jacobians.errors import JacobiansError
from jacobians.network.network import Network
from jacobians.presets import convention
from jacobians.programs.recording import Event
from jacobians.programs.study import Study, fitted

_CONVENTIONS = {
    ("rows", "columns", "separate"): ("cs231n", "keras", "sklearn-mlp"),
    ("columns", "rows", "separate"): ("ng-dlai", "ng-ufldl", "nielsen"),
    ("rows", "rows", "first"): ("ng-ml-2011",),
    ("rows", "rows", "separate"): ("pytorch", "pytorch-mse"),
    ("rows", "columns", "last"): ("cs231n-bias-trick",),
}
"""By where examples, weights and biases lie: the conventions that are tried."""
_ACTIVATIONS = ("sigmoid", "tanh", "relu")
_PARAMETER = re.compile(r"(W|w|Theta|theta|weights?|b|bias(?:es)?)_?(\d)$")
_NEAR = 1e-5


def derivation_of(study: Study) -> tuple[str, tuple[tuple[str, str], ...]]:
    r"""Return a convention's name and its formula of each gradient; nothing where the program is no such net.

    The program's parameters and data are given to a network of the library in that convention. Its formulas are shown
    only if all its gradients are the derivatives of the program's own loss,

    .. math:: \nabla_{W} L_{\text{network}} = \nabla_{W} L_{\text{program}}.
    """
    layers = _layers(study)
    if layers is None:
        return "", ()
    for layout, weights, biases in _laid_out(layers):
        for name in _CONVENTIONS[layout]:
            found = _as(study, convention(name), weights, biases)
            if found:
                return name, found
    return "", ()


Layers = list[tuple[int, int | None]]
"""By layer: the places of the gradients of the weights and of the biases."""


def _layers(study: Study) -> Layers | None:
    """Which gradient belongs to which layer, by the parameters' names."""
    weights: dict[int, int] = {}
    biases: dict[int, int] = {}
    for place, claim in enumerate(study.claims):
        found = _PARAMETER.search(claim.parameter.rstrip("]'\""))
        if found is None:
            continue  # all parameters unrolled, or none of a dense net
        kind = biases if found.group(1).startswith("b") else weights
        if int(found.group(2)) in kind:
            return None
        kind[int(found.group(2))] = place
    numbers = sorted(weights)
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    if biases and sorted(biases) != numbers:
        return None
    return [(weights[n], biases.get(n)) for n in numbers]


def _laid_out(layers: Layers) -> Iterator[tuple[tuple[str, str, str], list[int], list[int]]]:
    weights = [w for w, _ in layers]
    biases = [b for _, b in layers if b is not None]
    for layout in _CONVENTIONS:
        if (layout[2] == "separate") == bool(biases):
            yield layout, weights, biases


def _as(study: Study, known: Convention, weights: Sequence[int], biases: Sequence[int]) -> tuple[tuple[str, str], ...]:
    """The formulas of a convention under which the network's gradients are the program's derivatives."""
    values = [np.asarray(study.values[claim.origin.key], dtype=float) for claim in study.claims]
    sizes = _sizes([values[w].shape for w in weights], known)
    if sizes is None:
        return ()
    for task, activation, l2 in itertools.product(known.tasks, _ACTIVATIONS, (0.0, study.subject.strength)):
        try:
            net = Network.dense(sizes, convention=known, task=task, activation=activation, l2=l2)
        except JacobiansError:
            continue
        places = dict(zip(net.shapes(), _in_order(weights, biases), strict=False))
        params = {name: values[place].reshape(shape) for (name, shape), place in _fitting(net, places, values)}
        if len(params) < len(places):
            return ()
        for X, Y in _data(study, sizes, known):
            try:
                run = net.run(params, X, Y)
                gradient = run.gradient()
            except (JacobiansError, ValueError):
                continue
            if all(_same(study, place, gradient[name]) for name, place in places.items()):
                derived: Any = explain(run)
                return tuple((study.claims[place].name, derived[name].formula.text) for name, place in places.items())
    return ()


def _in_order(weights: Sequence[int], biases: Sequence[int]) -> list[int]:
    """The places as a convention packs them: the weights of a layer, then its biases."""
    return [p for pair in zip(weights, biases, strict=True) for p in pair] if biases else list(weights)


def _fitting(net: Network, places: Mapping[str, int], values: Sequence[Any]) -> Iterator[tuple[tuple[str, Any], int]]:
    for name, shape in net.shapes().items():
        if name in places and np.size(values[places[name]]) == int(np.prod(shape)):
            yield (name, shape), places[name]


def _sizes(shapes: Sequence[tuple[int, ...]], known: Convention) -> tuple[int, ...] | None:
    """The widths of the layers; None where the weights make no chain."""
    if any(len(shape) != 2 for shape in shapes):
        return None
    extra = int(known.layout.bias in ("first", "last"))
    ends = [shape if known.layout.weights == "columns" else shape[::-1] for shape in shapes]
    widths = [(first - extra, second) for first, second in ends]
    if any(one[1] != other[0] for one, other in itertools.pairwise(widths)):
        return None
    return (widths[0][0], *(second for _, second in widths))


def _data(study: Study, sizes: Sequence[int], known: Convention) -> Iterator[tuple[Any, Any]]:
    """Inputs and labels among what the program was given, as the library takes them."""
    given = [e for e in study.run.events if e.kind in ("argument", "input") and isinstance(e.copy, np.ndarray)]
    width = 0 if known.layout.batch == "columns" else 1
    inputs = [e for e in given if e.key[:1] in "Xx" and e.copy.ndim == 2 and e.copy.shape[width] == sizes[0]]
    several = {e.copy.shape: e for e in inputs}
    for X in list(several.values())[-2:]:
        n = X.copy.shape[1 - width]
        for event in [e for e in given if e is not X and n in e.copy.shape and e.key[:1] in "yYtTl"][-1:]:
            for Y in _labels(event, sizes[-1], width):
                yield X.copy.astype(float), Y


def _labels(event: Event, outputs: int, width: int) -> Iterator[Any]:
    held = np.asarray(event.copy, dtype=float)
    yield held
    whole = bool(np.all(held == np.round(held)))
    if whole and held.size == max(held.shape):
        yield held.astype(int).ravel()
        yield held.astype(int).ravel() - 1
    elif whole and held.ndim == 2 and held.shape[width] == outputs > 1:
        yield np.argmax(held, axis=width)


def _same(study: Study, place: int, gradient: Any) -> bool:
    true = np.asarray(study.true[place].value, dtype=float)
    given, wanted = fitted(np.asarray(gradient, dtype=float), true)
    if given is None:
        return False
    known = np.isfinite(wanted)
    size = max(float(np.abs(wanted[known]).max(initial=0.0)), 1e-12)
    return bool(known.any()) and bool(np.all(np.abs(given - wanted)[known] <= _NEAR * size))
