"""`synonyms_of`: what readers of many courses call the arrays of one: dscores, probs, a2, grad_W1, λ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jacobians.explain.audit.setting import Setting
from jacobians.explain.names import Names
from jacobians.explain.vocabulary import vocabulary_of

__all__ = ["synonyms_of"]

_STRENGTHS = ("lam", "lambda", "reg", "alpha", "λ", "α", "l2", "weight_decay", "wd")
_COUNTS = ("N", "m", "n", "batch_size", "num_train", "n_samples", "num_examples")
_CLASSES = ("C", "num_classes", "n_classes", "classes", "n_outputs")
_TARGETS = ("T", "t", "targets", "target", "labels", "y_true", "y")
_INPUTS = ("inputs", "input", "data", "x")


def synonyms_of(setting: Setting) -> Mapping[str, str]:
    """Return the convention's name for every synonym that means one thing only; none hides a name of its own."""
    own = setting.first.values
    found: dict[str, set[str]] = {}
    for synonym, name in _pairs(setting):
        if name in own and synonym not in own:
            found.setdefault(synonym, set()).add(name)
    return {synonym: names.pop() for synonym, names in found.items() if len(names) == 1}


def _pairs(setting: Setting) -> Iterator[tuple[str, str]]:
    network, run = setting.network, setting.first.run
    words, names = vocabulary_of(network.convention.name), Names(network.convention)
    last = run.outputs[-1]
    yield from ((s, words.count) for s in _COUNTS)
    yield from ((s, "K") for s in _CLASSES)
    yield from ((s, words.strength) for s in _STRENGTHS)
    yield from ((s, "Y") for s in _TARGETS)
    yield from ((s, "X") for s in _INPUTS)
    yield f"A{words.offset}", "X"
    yield f"H{words.offset}", "X"
    for name in run.params:
        yield from _parameter(name, network.convention.weight_name, len(run.params))
    for stop in run.outputs:
        yield from _stop(stop, names, stop == last)
    prediction = names.prediction(last)
    yield from ((s, prediction) for s in ("probs", "prob", "P", "yhat", "y_hat", "pred", "output", "o", "h"))
    yield f"A{names.of(last)[1:]}", prediction
    yield f"A{names.of(last)[1:]}", names.of(last) if not last.startswith("Z") else ""


def _parameter(name: str, weight: str, parameters: int) -> Iterator[tuple[str, str]]:
    """Of a weight or a bias, and of the gradient by it."""
    letters, index = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")) :]
    spellings = ("W", "w", "Theta", "theta", "Θ", "θ") if letters == weight else (letters, letters.lower())
    single = parameters <= 2 and index == "1"
    for own in spellings:
        for k in (index, *[""] * single):
            yield f"{own}{k}", name
            for gradient in (f"d{own}{k}", f"grad_{own}{k}", f"{own}{k}_grad", f"grad{own}{k}"):
                yield gradient, f"d{name}"
            for of in ("L", "J", "loss", "C", "E"):
                yield f"d{of}_d{own}{k}", f"d{name}"


def _stop(stop: str, names: Names, last: bool) -> Iterator[tuple[str, str]]:
    """Of an output on the way forward, and of the cotangent there."""
    own, cotangent = names.of(stop), names.cotangent(stop)
    letter, index = own[0], own[1:]
    forward = {"Z": ("Z", "z", "net"), "A": ("A", "a", "H", "h")}.get(letter, (own,))
    for k in (index, *[""] * (stop in ("Z1", "A1") and last)):
        for spelling in forward:
            yield f"{spelling}{k}", own
            for gradient in (f"d{spelling}{k}", f"grad_{spelling}{k}", f"dL_d{spelling}{k}"):
                yield gradient, cotangent
        if letter == "Z":
            for spelling in ("delta", "Delta", "δ", "Δ", "d", "D"):
                yield f"{spelling}{k}", cotangent
    if letter == "A":
        yield "hidden", own
        yield "dhidden", cotangent
    if last:
        for spelling in ("scores", "logits", "f"):
            yield spelling, own
            yield f"d{spelling}", cotangent
