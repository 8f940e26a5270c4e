"""Wrong data, and results that were stored too narrowly: examples reversed, truncated or lost."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Layer, Setting, Slip, all_entries, entries_of_parameters


def data(setting: Setting) -> Iterator[Slip]:
    """The batch altered, in the backward pass only or in both passes; the result rounded."""
    yield from _inputs(setting)
    yield from _examples(setting)
    yield from _stored(setting)


_ORDER = "Keep X and Y in one order."
_FLOAT = "Convert X to float before anything else."
_WIDE = "Keep X in float64."
_ONCE = "Scale X in one place only."


def _inputs(setting: Setting) -> Iterator[Slip]:
    X, axis, across = setting.X, setting.layout.batch_axis, setting.layout.feature_axis
    with np.errstate(all="ignore"):
        altered: list[tuple[str, Array, str, str, int]] = [
            ("data-reversed", np.flip(X, axis), "the examples of X are in reverse order against Y", _ORDER, 0),
            ("features-reversed", np.flip(X, across), "the features of X are in reverse order", "Keep their order.", 1),
            ("data-truncated", np.trunc(X), "X is truncated to integers", _FLOAT, 0),
            ("data-rounded", np.rint(X), "X is rounded to integers", _FLOAT, 1),
            ("data-float32", _rounded(X, np.float32), "X went through float32", _WIDE, 0),
            ("data-float16", _rounded(X, np.float16), "X went through float16", _WIDE, 0),
            ("data-uint8", np.trunc(X) % 256, "X went through uint8 and wrapped", "Convert X to float first.", 1),
            ("data-scaled", X / 255, "X is divided by 255", _ONCE, 1),
            ("data-scaled", X * 255, "X is 255 times too large", _ONCE, 1),
            ("data-rolled", np.roll(X, 1, axis), "the examples of X moved by one place against Y", _ORDER, 1),
            ("data-rolled", np.roll(X, -1, axis), "the examples of X moved back by one place against Y", _ORDER, 1),
        ]

    def local(name: str, layer: Layer, wrong: Array, title: str, mend: str, scope: str, rank: int) -> Slip:
        pull = setting.pullback(layer, "W", X=wrong)
        edit = partial(Backward.with_local, name=layer.weight, pull=pull)
        return Slip(name, "data", title, mend, edit, layer.number, scope, rank)

    for name, wrong, title, mend, rank in altered:
        if not np.isfinite(wrong).all() or np.array_equal(wrong, X):
            continue
        everywhere = partial(_at, setting, wrong)
        yield Slip(name, "data", f"{title}, in both passes", mend, everywhere, scope=f"{title} both", rank=rank)
        for layer in setting.layers[:1]:
            if layer.position == 0:
                text = f"{title}, in the gradient with respect to {layer.weight} only"
                yield local(name, layer, wrong, text, mend, f"{title} local", rank)
    for layer in setting.layers[1:]:
        wrong = np.flip(setting.input_of(layer.position), axis)
        where = f"in the gradient with respect to {layer.weight}"
        text = f"the examples that enter layer {layer.number} are in reverse order {where}"
        yield local("data-reversed", layer, wrong, text, "Keep the order of the forward pass.", "local", 1)


def _at(setting: Setting, X: Array, _: Backward) -> Backward:
    return setting.elsewhere(X=X).right


def _examples(setting: Setting) -> Iterator[Slip]:
    """Examples lost at either end."""
    N, delta = setting.count, setting.right.delta
    mend = "Check the slice: it is exclusive of its end."
    for text, place in (("last", -1), ("first", 0)) if N > 1 else ():
        kept = delta.copy()
        np.moveaxis(kept, setting.layout.batch_axis, 0)[place] = 0
        counted = ("example-dropped", "data", f"the {text} example is dropped (and still counted in N)", mend)
        yield Slip(*counted, partial(Backward.with_delta, delta=kept), scope=f"{text} counted")
        if setting.network.loss.reduction != "sum":
            fewer = partial(Backward.with_delta, delta=kept * (N / (N - 1)))
            yield Slip("example-dropped", "data", f"the {text} example is dropped", mend, fewer, scope=text)


def _stored(setting: Setting) -> Iterator[Slip]:
    """The right gradient, rounded to single or half precision when it was stored."""
    mend = "Keep float64 throughout: narrower parameters or buffers round every result."
    for dtype in (np.float32, np.float16):
        name = np.dtype(dtype).name
        evidence = f"every entry is exactly a {name} number"
        for part in [all_entries(setting.params), *entries_of_parameters(setting)]:
            what = f"the gradient with respect to {part.label}" if part.label else "the result"
            title, edit = f"{what} was stored in {name}", part.changed(partial(_rounded, dtype=dtype))
            rank = int(bool(part.label))
            yield Slip(f"result-{name}", "state", title, mend, edit, part.layer, part.label, rank, evidence)


def _rounded(array: Array, dtype: npt.DTypeLike) -> Array:
    with np.errstate(all="ignore"):
        return array.astype(dtype).astype(np.float64)
