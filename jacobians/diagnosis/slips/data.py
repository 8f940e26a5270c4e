"""Wrong data, and results that were stored too narrowly: examples reversed, truncated or lost."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Mutation, Part, Setting, parameter_parts

__all__ = ["data"]


def data(setting: Setting) -> Iterator[Mutation]:
    """The batch altered, in the backward pass only or in both passes; the result rounded."""
    yield from _inputs(setting)
    yield from _examples(setting)
    yield from _stored(setting)


def _inputs(setting: Setting) -> Iterator[Mutation]:
    X, axis = setting.X, setting.layout.batch_axis
    with np.errstate(all="ignore"):
        altered: list[tuple[str, Array, str, str, int]] = [
            (
                "data-reversed",
                np.flip(X, axis),
                "the examples of X are in reverse order against Y",
                "Keep X and Y in one order.",
                0,
            ),
            (
                "features-reversed",
                np.flip(X, axis + 1 if axis == 0 else 0),
                "the features of X are in reverse order",
                "Keep their order.",
                1,
            ),
            (
                "data-truncated",
                np.trunc(X),
                "X is truncated to integers",
                "Convert X to float before anything else.",
                0,
            ),
            ("data-rounded", np.rint(X), "X is rounded to integers", "Convert X to float before anything else.", 1),
            (
                "data-float32",
                X.astype(np.float32).astype(np.float64),
                "X went through float32",
                "Keep X in float64.",
                0,
            ),
            (
                "data-float16",
                X.astype(np.float16).astype(np.float64),
                "X went through float16",
                "Keep X in float64.",
                0,
            ),
            (
                "data-uint8",
                np.mod(np.trunc(X), 256),
                "X went through uint8 and wrapped",
                "Convert X to float first.",
                1,
            ),
            ("data-scaled", X / 255, "X is divided by 255", "Scale X in one place only.", 1),
            ("data-scaled", X * 255, "X is 255 times too large", "Scale X in one place only.", 1),
            (
                "data-rolled",
                np.roll(X, 1, axis),
                "the examples of X moved by one place against Y",
                "Keep X and Y in one order.",
                1,
            ),
            (
                "data-rolled",
                np.roll(X, -1, axis),
                "the examples of X moved back by one place against Y",
                "Keep X and Y in one order.",
                1,
            ),
        ]
    for name, wrong, title, mend, rank in altered:
        if not np.isfinite(wrong).all() or np.array_equal(wrong, X):
            continue
        yield Mutation(
            name,
            "data",
            f"{title}, in both passes",
            mend,
            partial(_elsewhere, setting, wrong),
            scope=f"{title} both",
            rank=rank,
        )
        for layer in setting.layers[:1]:
            if layer.position == 0:
                pull = setting.pullback(layer, "W", X=wrong)
                yield Mutation(
                    name,
                    "data",
                    f"{title}, in the gradient by {layer.weight} only",
                    mend,
                    partial(Backward.with_local, name=layer.weight, pull=pull),
                    layer.number,
                    f"{title} local",
                    rank,
                )
    for layer in setting.layers[1:]:
        A = np.flip(setting.input_of(layer.position), axis)
        pull = setting.pullback(layer, "W", X=A)
        yield Mutation(
            "data-reversed",
            "data",
            f"the examples that enter layer {layer.number} are in reverse order in the gradient by {layer.weight}",
            "Keep the order of the forward pass.",
            partial(Backward.with_local, name=layer.weight, pull=pull),
            layer.number,
            "local",
            1,
        )


def _examples(setting: Setting) -> Iterator[Mutation]:
    """Examples lost at either end."""
    N, axis, delta = setting.count, setting.layout.batch_axis, setting.right.delta
    mend = "Check the slice: it is exclusive of its end."
    for text, place in (("last", -1), ("first", 0)):
        if N < 2:
            break
        kept = delta.copy()
        np.moveaxis(kept, axis, 0)[place] = 0
        title = f"the {text} example is dropped"
        yield _delta("example-dropped", f"{title} (and still counted in N)", mend, kept, f"{text} counted")
        if setting.network.loss.reduction != "sum":
            yield _delta("example-dropped", title, mend, kept * (N / (N - 1)), text)


def _stored(setting: Setting) -> Iterator[Mutation]:
    """The right gradient, rounded to single or half precision when it was stored."""
    mend = "Keep float64 throughout: narrower parameters or buffers round every result."
    for dtype in (np.float32, np.float16):
        name, edit = np.dtype(dtype).name, partial(_rounded, dtype=dtype)
        evidence = f"every entry is exactly a {name} number"
        whole = Part("", None, lambda arrays: list(arrays.values()))
        for part in [whole, *parameter_parts(setting)]:
            title = (
                f"the gradient by {part.label} was stored in {name}"
                if part.label
                else f"the result was stored in {name}"
            )
            change, rank = part.changed(edit), int(bool(part.label))
            yield Mutation(f"result-{name}", "state", title, mend, change, part.layer, part.label, rank, evidence)


def _rounded(array: Array, dtype: npt.DTypeLike) -> Array:
    with np.errstate(all="ignore"):
        return array.astype(dtype).astype(np.float64)


def _elsewhere(setting: Setting, X: Array, _: Backward) -> Backward:
    return setting.elsewhere(X=X)


def _delta(name: str, title: str, mend: str, delta: Array, scope: str) -> Mutation:
    return Mutation(name, "data", title, mend, lambda right: right.with_delta(delta), scope=scope)
