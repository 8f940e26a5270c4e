"""How the backward passes of layers go wrong: convolution, pooling, normalisation, dropout, recurrence, attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from operator import itemgetter
from typing import Any

import numpy as np

from jacobians.arrays import Array, as_array, size_of
from jacobians.diagnosis.recurrence_slips import wrong_recurrences
from jacobians.diagnosis.slip import Pullback
from jacobians.diagnosis.written_over import (
    WindowsOf,
    kernels_written_over,
    tokens_written_over,
    windows_written_over,
)
from jacobians.diagnosis.wrong_layer import WrongLayer
from jacobians.layers.attentions import Attention
from jacobians.layers.axes import as_pads, as_steps
from jacobians.layers.convolutions import Convolution
from jacobians.layers.dropouts import Dropout
from jacobians.layers.normalisation import BatchNorm, LayerNorm
from jacobians.layers.pooling import Embedding, Pool
from jacobians.layers.recurrent import GRU, LSTM, RNN
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.operations import Operation


def wrong_layers(operation: Operation, arrays: Mapping[str, Array]) -> Iterator[WrongLayer]:
    """Return the slips that make sense for one layer at its inputs; none for an unknown layer."""
    given = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
    match operation:
        case Convolution():
            yield from _of_convolution(operation, given)
        case Pool():
            yield from _of_pool(operation, given)
        case BatchNorm() | LayerNorm():
            yield from _of_normalisation(operation, given)
        case Dropout():
            yield from _of_dropout(operation)
        case RNN() | LSTM() | GRU() if operation.sequence:
            yield from wrong_recurrences(operation, given)
        case Attention():
            yield from _of_attention(operation, given)
        case Embedding():
            yield from tokens_written_over(operation, given["W"])


def _pulls(operation: Operation, given: Mapping[str, Array], *names: str) -> dict[str, Pullback]:
    """The right pullbacks of an operation at some arrays."""
    record = operation.evaluate(*given.values())[1]
    return {name: record.numerator(name).vjp for name in names}


def _layout(operation: Any) -> Layout:
    return operation.layout or DEFAULT_LAYOUT


def _like(op: Convolution, **changed: Any) -> Convolution:
    own = {"stride": op.stride, "pad": op.pad, "dilation": op.dilation, "groups": op.groups}
    own |= {"bias": op.bias, "flipped": op.flipped, "layout": op.layout}
    return Convolution(op.places, **{**own, **changed})


def _of_convolution(op: Convolution, given: dict[str, Array]) -> Iterator[WrongLayer]:
    other = _like(op, flipped=not op.flipped)
    of_images, of_kernel = _pulls(other, given, "X"), _pulls(other, given, "W")
    if max(given["W"].shape[a] for a in _layout(op).kernel_axes(op.places)[2:]) > 1:
        mend = "By the images it is a correlation with the kernel turned by 180°; by the kernel nothing is turned."
        yield WrongLayer(
            "kernel-not-flipped", "the kernel is not turned on the way back to the images", mend, of_images
        )
        yield WrongLayer("kernel-gradient-flipped", "the gradient by the kernel is turned by 180°", mend, of_kernel)
        own = _layout(op).kernel_axes(op.places)[2:]
        if len({given["W"].shape[a] for a in own}) == 1 < len(own):
            turned = given | {"W": given["W"].swapaxes(own[0], own[1])}
            title = "the kernel's rows and columns change places on the way back to the images"
            yield WrongLayer("kernel-not-flipped", title, mend, _pulls(op, turned, "X"))
    axes = _layout(op).image_axes(op.places)
    if max(op.stride) > 1:
        slow = _like(op, stride=1)
        value, record = slow.evaluate(*given.values())

        def spread(cotangent: Array) -> Array:
            out = np.zeros(value.shape)
            out[tuple(slice(0, n) for n in cotangent.shape)] = cotangent
            return out

        pulls = {n: _after(spread, record.numerator(n).vjp) for n in ("X", "W")}
        mend = "Window p begins at stride·p: step through the images by the stride, also on the way back."
        for names, said in (("XW", "backward pass"), ("X", "images' gradient"), ("W", "kernel's gradient")):
            some = {name: pulls[name] for name in names}
            yield WrongLayer("stride-forgotten", f"the stride is forgotten in the {said}", mend, some)
    lengths, kernel = (
        [given[n].shape[a] for a in ax[2:]] for n, ax in (("X", axes), ("W", _layout(op).kernel_axes(op.places)))
    )
    pads = as_pads(op.pad, tuple(lengths), tuple(kernel), op.stride, op.dilation, op.name)
    right = _pulls(op, given, "X", "W")
    count, outputs, *places = (op.evaluate(*given.values())[0].shape[a] for a in axes)
    windows = WindowsOf(axes, tuple(lengths), pads, tuple(kernel), op.stride, op.dilation)
    yield from windows_written_over(windows, right["X"], outputs)
    yield from kernels_written_over(axes, right["W"], count, size_of(tuple(places)))
    if any(map(any, pads)):
        around = [(0, 0)] * given["X"].ndim
        for axis, pair in zip(axes[2:], pads, strict=True):
            around[axis] = pair
        wide = {**given, "X": np.pad(given["X"], around)}
        whole = _pulls(_like(op, pad=0), wide, "X")["X"]
        padded = [axis for axis, pair in zip(axes[2:], pads, strict=True) if any(pair)]
        parts = [(padded, "")] + [([axis], f" along axis {axis}") for axis in padded if len(padded) > 1]
        mend = "Crop as much as was put before and after: dX = dX_padded[…, p:-p, p:-p]."
        for (side, said), (wrong, where) in product(((0, "end"), (1, "beginning")), parts):
            key = tuple(
                slice(start, start + n)
                for start, n in (
                    (side * (before + after) if axis in wrong else before, n)
                    for axis, ((before, after), n) in enumerate(zip(around, given["X"].shape, strict=True))
                )
            )
            title = f"the padding is cropped at the {said} alone of the images' gradient{where}"
            yield WrongLayer("padding-cropped", title, mend, {"X": _after(whole, itemgetter(key))})


def _after(first: Pullback, then: Pullback) -> Pullback:
    return lambda cotangent: then(first(cotangent))


def _of_pool(op: Pool, given: dict[str, Array]) -> Iterator[WrongLayer]:
    other = "avg" if op.which == "max" else "max"
    pulls = _pulls(Pool(other, op.size, op.stride, op.pad, op.layout), given, "X")  # type: ignore[arg-type]
    said = {"avg": "spread over its window, as a mean's is", "max": "handed to the largest entry, as a maximum's is"}
    mend = {"max": "Hand it to the largest entry of each window.", "avg": "Each entry of a window gets 1/size of it."}
    yield WrongLayer("other-pool", f"the gradient of {op.name} is {said[other]}", mend[op.which], pulls)
    right = _pulls(op, given, "X")["X"]
    axes = _layout(op).image_axes(given["X"].ndim - 2)
    lengths = tuple(given["X"].shape[a] for a in axes[2:])
    size, stride = (as_steps(s, len(lengths), "size", op.name) for s in (op.size, op.stride or op.size))
    ones = (1,) * len(lengths)
    pads = as_pads(op.pad, lengths, size, stride, ones, op.name)
    yield from windows_written_over(WindowsOf(axes, lengths, pads, size, stride, ones), right)
    if op.which == "avg":
        title = "the gradient of avg_pool is not divided by the windows' size"
        yield WrongLayer(
            "window-not-averaged", title, mend["avg"], {"X": _after(right, lambda g: as_array(size_of(size) * g))}
        )


def _of_normalisation(op: BatchNorm | LayerNorm, given: dict[str, Array]) -> Iterator[WrongLayer]:
    X, gamma = given["X"], given["gamma"]
    if isinstance(op, BatchNorm) and op.statistics is not None:
        yield from _of_running_statistics(op, X, gamma)
        return
    feature = op._feature_axis(X.shape) % X.ndim
    axes = tuple(a for a in range(X.ndim) if a != feature) if isinstance(op, BatchNorm) else (feature,)
    s = np.sqrt(X.var(axis=axes, keepdims=True) + op.eps)
    hat = (X - X.mean(axis=axes, keepdims=True)) / s
    scale = gamma.reshape([-1 if a == feature else 1 for a in range(X.ndim)])
    mean, variance = "the path through the mean", "the path through the variance"
    mend = "The mean and the variance depend on every entry: dx̂ − mean(dx̂) − x̂ mean(dx̂ ∘ x̂), all over s."

    others = tuple(a for a in range(X.ndim) if a != feature)

    def back(
        c: Array,
        by_mean: float = 1,
        by_variance: float = 1,
        axes: tuple[int, ...] = axes,
        scale: Array = scale,
        power: int = 1,
    ) -> Array:
        own = c * scale
        through = by_mean * own.mean(axis=axes, keepdims=True)
        return as_array((own - through - by_variance * hat * (own * hat).mean(axis=axes, keepdims=True)) / s**power)

    for said, pull in (
        (f"{mean} is", partial(back, by_mean=0)),
        (f"{variance} is", partial(back, by_variance=0)),
        (f"{mean} and {variance} are", partial(back, by_mean=0, by_variance=0)),
    ):
        yield WrongLayer("statistics-constant", f"{said} missing in {op.name}'s gradient", mend, {"X": pull})
    size = float(np.prod([X.shape[a] for a in axes]))
    away = (feature,) if axes == others else others
    for name, said, pull in (
        ("sums-for-means", "has sums where means belong", partial(back, by_mean=size, by_variance=size)),
        ("statistics-axis", "takes its means along the wrong axes", partial(back, axes=away)),
        ("gamma-forgotten", "lacks gamma", partial(back, scale=np.ones(()))),
        ("deviation-forgotten", "is not divided by the standard deviation", partial(back, power=0)),
        ("deviation-twice", "is divided by the variance, not by the standard deviation", partial(back, power=2)),
    ):
        yield WrongLayer(name, f"{op.name}'s gradient {said}", mend, {"X": pull})
    if size > 1:
        yield from _of_sample_variance(op, gamma, X - X.mean(axis=axes, keepdims=True), axes, feature)
    title = f"gamma's gradient in {op.name} is made of X, not of x̂"
    pulls = {"gamma": lambda c: as_array((c * X).sum(axis=others).reshape(gamma.shape))}
    yield WrongLayer("input-for-standardised", title, "dγ = Σ dout ∘ x̂: remember x̂.", pulls)


def _of_sample_variance(
    op: BatchNorm | LayerNorm, gamma: Array, centred: Array, axes: tuple[int, ...], feature: int
) -> Iterator[WrongLayer]:
    """Of the variance divided by N − 1, as torch.var, MATLAB's var and NumPy's ddof=1 have it."""
    N = float(np.prod([centred.shape[a] for a in axes]))
    s = np.sqrt((centred**2).sum(axis=axes, keepdims=True) / (N - 1) + op.eps)
    hat = centred / s
    scale = gamma.reshape([-1 if a == feature else 1 for a in range(centred.ndim)])
    others = tuple(a for a in range(centred.ndim) if a != feature)

    def back(c: Array, by: float) -> Array:
        own = c * scale
        spread = hat * (own * hat).sum(axis=axes, keepdims=True) / by
        return as_array((own - own.mean(axis=axes, keepdims=True) - spread) / s)

    mend = "The variance is divided by N, not by N − 1: np.var(X), without ddof=1."
    by_gamma: dict[str, Pullback] = {"gamma": lambda c: as_array((c * hat).sum(axis=others).reshape(gamma.shape))}
    for said, by in (("N − 1", N - 1), ("N − 1 in x̂ alone", N)):
        title = f"the variance is divided by {said} in {op.name}'s backward pass"
        yield WrongLayer("sample-variance", title, mend, {"X": partial(back, by=by), **by_gamma})


def _of_running_statistics(op: BatchNorm, X: Array, gamma: Array) -> Iterator[WrongLayer]:
    """Of an evaluation, or of training with statistics that were mixed with the batch's: they are constants."""
    feature = op._feature_axis(X.shape) % X.ndim
    axes = tuple(a for a in range(X.ndim) if a != feature)
    scale, mean, variance = (
        np.asarray(a, np.float64).reshape([-1 if i == feature else 1 for i in range(X.ndim)])
        for a in (gamma, *(op.statistics or ()))
    )
    s = np.sqrt(variance + op.eps)
    hat, away = (X - mean) / s, (X - X.mean(axis=axes, keepdims=True)) / s

    def through(c: Array, share: float, own: Array) -> Array:
        straight = c * scale / s
        reached = straight.mean(axis=axes, keepdims=True) + own * (straight * hat).mean(axis=axes, keepdims=True)
        return as_array(straight - share * reached)

    mend = "Running statistics are constants: dX = dout ∘ γ/√(σ² + ε), with nothing through mean and variance."
    for title, share, own in (
        (f"{op.name}'s gradient in evaluation is that of training, made of the running statistics", 1.0, hat),
        (f"{op.name}'s gradient goes through the running statistics, all of them the batch's", 1.0, away),
        (f"{op.name}'s gradient goes through the running statistics, by 1 − momentum = 0.1", 0.1, away),
        (f"{op.name}'s gradient goes through the running statistics, by 1 − momentum = 0.01", 0.01, away),
    ):
        pull = partial(through, share=share, own=own)
        yield WrongLayer("through-running-statistics", title, mend, {"X": pull})


def _of_dropout(op: Dropout) -> Iterator[WrongLayer]:
    mask, kept = op.mask.astype(np.float64), 1 - op.drop
    mend = "The way back multiplies by what the way forward did: mask/(1 − drop), once."
    if op.drop:
        for title, factor in (
            ("the dropout mask is divided by 1 − drop twice", mask / kept**2),
            ("the dropout mask is not divided by 1 − drop on the way back", mask),
            ("the dropout mask is forgotten on the way back", np.ones_like(mask)),
        ):
            yield WrongLayer("dropout-scale", title, mend, {"X": partial(np.multiply, factor)})


def _of_attention(op: Attention, given: dict[str, Array]) -> Iterator[WrongLayer]:
    Q, K, V = given.values()
    scale = Q.shape[-1] ** -0.5
    scores = scale * Q @ K.swapaxes(-1, -2)
    hidden = op._hidden(scores.shape)
    free = np.exp(scores - scores.max(axis=-1, keepdims=True))
    free /= free.sum(axis=-1, keepdims=True)
    shown = scores if hidden is None else np.where(hidden, -np.inf, scores)
    P = np.exp(shown - shown.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)

    def pulls(
        P: Array = P,
        of: str = "QK",
        scale: float = scale,
        softmax: Callable[[Array, Array], Array] = _softmax_back,
        swapped: bool = False,
    ) -> dict[str, Pullback]:
        def at_scores(c: Array) -> Array:
            return as_array(scale * softmax(P, c @ V.swapaxes(-1, -2)))

        every: dict[str, Pullback] = {
            "Q": lambda c: at_scores(c) @ K,
            "K": lambda c: at_scores(c).swapaxes(-1, -2) @ Q,
            "V": lambda c: P.swapaxes(-1, -2) @ c,
        }
        if swapped:
            every["Q"], every["K"] = every["K"], every["Q"]
        return {name: every[name] for name in of}

    mend = "dS = P ∘ (dP − the sums of dP ∘ P over the keys), for each query."
    for name, title, softmax in (
        ("softmax-axis", "the scores' softmax is taken back along the queries, not the keys", _softmax_by_queries),
        (
            "softmax-diagonal",
            "the scores' softmax is taken back as dP ∘ P: the sums over the keys are missing",
            np.multiply,
        ),
        ("softmax-diagonal", "the scores' softmax is taken back entry by entry, by P ∘ (1 − P)", _softmax_by_entries),
    ):
        yield WrongLayer(name, title, mend, pulls(softmax=softmax))
    mend = "S = Q Kᵀ/√d: dQ = dS K/√d, dK = dSᵀ Q/√d."
    if scale != 1:
        title = "1/√d is forgotten in the gradient"
        for of, said in (("QK", "s of queries and keys"), ("Q", " of the queries"), ("K", " of the keys")):
            yield WrongLayer("root-d-forgotten", title + said, mend, pulls(of=of, scale=1.0))
        title = "the gradients of queries and keys are divided by d, not by √d"
        yield WrongLayer("root-d-twice", title, mend, pulls(scale=scale * scale))
    if Q.ndim > 3 and Q.shape[-3] > 1:
        title = "the gradients of queries and keys are divided by the root of all heads' width, not of one head's"
        yield WrongLayer("root-of-all-heads", title, mend, pulls(scale=(Q.shape[-3] * Q.shape[-1]) ** -0.5))
    if Q.shape == K.shape:
        title = "the gradients of queries and keys are in each other's place"
        yield WrongLayer("queries-keys-swapped", title, mend, pulls(swapped=True))
    if scores.shape[-1] == scores.shape[-2] > 1:
        turned: dict[str, Pullback] = {
            "K": lambda c: scale * _softmax_back(P, c @ V.swapaxes(-1, -2)) @ Q,
            "V": lambda c: P @ c,
        }
        for name, title, mend in (
            ("K", "the scores' gradient is not transposed on the way to the keys", "S = Q Kᵀ/√d: dK = dSᵀ Q/√d."),
            ("V", "the softmax's weights are not transposed on the way to the values", "O = P V: dV = Pᵀ dO."),
        ):
            yield WrongLayer("scores-not-transposed", title, mend, {name: turned[name]})
    if hidden is not None and hidden.any():
        mend = "Hide scores before the softmax, by −∞, so that the weights that are seen add up to 1."
        for of, said in (("QKV", ""), ("QK", ", of queries and keys")):
            title = f"the mask is applied after the softmax on the way back{said}"
            yield WrongLayer("mask-after-softmax", title, mend, pulls(free * ~hidden, of))
            title = f"the mask is forgotten on the way back{said}"
            yield WrongLayer("mask-forgotten", title, mend, pulls(free, of))


def _softmax_back(P: Array, dP: Array) -> Array:
    return as_array(P * (dP - (dP * P).sum(axis=-1, keepdims=True)))


def _softmax_by_queries(P: Array, dP: Array) -> Array:
    return as_array(P * (dP - (dP * P).sum(axis=-2, keepdims=True)))


def _softmax_by_entries(P: Array, dP: Array) -> Array:
    return as_array(P * (1 - P) * dP)
