"""Right numbers in the wrong places: transposes, reshapes, vec orders, packing and unpacking."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from jacobians.arrays import Array, size_of
from jacobians.diagnosis.slip import Backward, Gradients, Mutation, Setting, weight_parts
from jacobians.diagnosis.slips.factors import factors
from jacobians.layout import Order, unvec, vec

__all__ = ["layout"]


_APART = "layers of different widths, so that no matrix is square"


def layout(setting: Setting) -> Iterator[Mutation]:
    """Entries moved in the finished gradient, in a packed vector, and in the factors on the way."""
    yield from _moved(setting)
    yield from _packed(setting)
    yield from _unpacked(setting)
    yield from _exchanged(setting)
    yield from factors(setting)


def _moved(setting: Setting) -> Iterator[Mutation]:
    """Each weight alone and all together: transposed, reshaped, reversed; the whole gradient or the data's part."""
    for part, data in itertools.product(weight_parts(setting), _stages(setting)):
        matrices, early = part.views(setting.params), _EARLY * data
        scope = part.label + early
        if all(len(set(m.shape)) == 1 for m in matrices):
            title = f"the gradient by {part.label} is transposed{early}"
            mend = "Transpose it: its shape is the weight's, which a square weight cannot show."
            edit = part.changed(np.transpose, data=data)
            yield Mutation("transposed", "layout", title, mend, edit, part.layer, scope, apart=_APART)
        for name, change, text, rank in _MOVES:
            title, mend = (
                f"the gradient by {part.label} {text}{early}",
                "Transpose where the shape must turn; never reshape.",
            )
            edit = part.changed(change, data=data)
            yield Mutation(name, "layout", title, mend, edit, part.layer, scope, rank, apart=_APART)


def _stages(setting: Setting) -> tuple[bool, ...]:
    """What a slip may move: the finished gradient, and the data's part alone, where the two differ."""
    return (False, True) if setting.penalised else (False,)


_EARLY = ", before the regulariser was added"


_MOVES: tuple[tuple[str, Callable[[Array], Array], str, int], ...] = (
    (
        "reshape-for-transpose",
        lambda g: g.T.reshape(g.shape),
        "was reshaped where it had to be transposed (raveled in F order, read in C order)",
        0,
    ),
    (
        "f-order-unpack",
        lambda g: g.ravel().reshape(g.shape, order="F"),
        "was raveled in C order and unpacked in F order",
        0,
    ),
    ("rows-reversed", lambda g: g[::-1], "has its rows in reverse order", 1),
    ("columns-reversed", lambda g: g[:, ::-1], "has its columns in reverse order", 1),
)


def _packed(setting: Setting) -> Iterator[Mutation]:
    """The packed vector in another order of blocks, or another vec order, read as the convention reads it."""
    own, order = setting.network.convention.packing_order(list(setting.params)), setting.layout.vec
    for (text, blocks, used), data in itertools.product(_packings(setting), _stages(setting)):
        how = f", each raveled in {used} order" if used != order else ""
        early = _EARLY * data
        title = f"the packed vector has its blocks {text}{how}" if blocks != own else f"it was packed in {used} order"

        def edit(right: Backward, blocks: Sequence[str] = blocks, used: Order = used, data: bool = data) -> Backward:
            def repacked(grads: Gradients) -> Gradients:
                return _unpack(_pack(grads, blocks, used), own, grads, order)

            return right.then(repacked, data=data)

        yield Mutation(
            "block-order" if blocks != own else "packing-vec-order",
            "layout",
            title + early,
            _packing_mend(setting),
            edit,
            scope=f"{text} {used}{early}",
            rank=1,
            apart=_APART,
        )


def _unpacked(setting: Setting) -> Iterator[Mutation]:
    """The parameters read from the packed vector in another order; the gradient is theirs, packed rightly."""
    own, order = setting.network.convention.packing_order(list(setting.params)), setting.layout.vec
    for text, blocks, used in _packings(setting):
        theta = _pack(setting.params, own, order)
        read = _unpack(theta, blocks, setting.params, used)
        how = f", each in {used} order" if used != order else ""
        title = (
            f"the parameters were unpacked with their blocks {text}{how}"
            if blocks != own
            else f"the parameters were unpacked in {used} order, and the gradient was packed in {order} order"
        )
        yield Mutation(
            "unpack-block-order" if blocks != own else "unpack-vec-order",
            "layout",
            title,
            _packing_mend(setting),
            partial(_elsewhere, setting, read),
            scope=f"{text} {used}",
            rank=1,
            apart=_APART,
        )


def _elsewhere(setting: Setting, params: Gradients, _: Backward) -> Backward:
    return setting.elsewhere(params=params)


def _packing_mend(setting: Setting) -> str:
    convention = setting.network.convention
    own = convention.packing_order(list(setting.params))
    return f"Pack and unpack in {convention.name}'s order: {', '.join(own)}, each in {setting.layout.vec} order."


def _packings(setting: Setting) -> Iterator[tuple[str, list[str], Order]]:
    """Orders that a packed vector might have, but for the right one: what is said of the blocks, they, a vec order."""
    names = list(setting.params)
    own, order = list(setting.network.convention.packing_order(names)), setting.layout.vec
    weights = [layer.weight for layer in setting.layers]
    biases = [n for n in names if n not in weights]
    orders = {
        "weights before biases": weights + biases,
        "biases before weights": biases + weights,
        "layer by layer": names,
        "layer by layer, each bias before its weight": _bias_first(setting, names),
        "the last layer first": _layers_reversed(setting, names),
        "from the last to the first": own[::-1],
        "from the last layer to the first, each bias before its weight": names[::-1],
        "reversed, weights before biases": weights[::-1] + biases[::-1],
        "reversed, biases before weights": biases[::-1] + weights[::-1],
        "weights from the last, then biases from the first": weights[::-1] + biases,
    }
    other: Order = "C" if order == "F" else "F"
    seen = [own]
    yield "as they should be", own, other
    for text, blocks in orders.items():
        if sorted(blocks) == sorted(names) and blocks not in seen:
            seen.append(blocks)
            yield text, blocks, order
            yield text, blocks, other


def _bias_first(setting: Setting, names: Sequence[str]) -> list[str]:
    owner = setting.right.owner
    weights = {layer.weight for layer in setting.layers}
    return sorted(names, key=lambda n: (owner[n], n in weights))


def _layers_reversed(setting: Setting, names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda n: -setting.right.owner[n])


def _pack(arrays: Mapping[str, Array], blocks: Sequence[str], order: Order) -> Array:
    return np.concatenate([vec(arrays[n], order) for n in blocks])


def _unpack(theta: Array, blocks: Sequence[str], like: Mapping[str, Array], order: Order) -> Gradients:
    start, parts = 0, {}
    for name in blocks:
        stop = start + size_of(like[name].shape)
        parts[name] = unvec(theta[start:stop], like[name].shape, order)
        start = stop
    return {name: parts[name] for name in like}


def _exchanged(setting: Setting) -> Iterator[Mutation]:
    """Two parameters of one shape that changed places."""
    for a, b in itertools.combinations(setting.params, 2):
        if setting.params[a].shape == setting.params[b].shape:

            def edit(right: Backward, a: str = a, b: str = b) -> Backward:
                return right.then(lambda grads: {**grads, a: grads[b], b: grads[a]})

            title = f"the gradients by {a} and by {b} changed places"
            yield Mutation("exchanged", "layout", title, "Return them by name.", edit, scope=f"{a} {b}", apart=_APART)
