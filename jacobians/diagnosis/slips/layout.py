"""Right numbers in the wrong places: transposes, reshapes, vec orders, packing and unpacking."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Gradients, Setting, Slip, entries_of_weights
from jacobians.diagnosis.slips.chain import APART, chain
from jacobians.layout import Order, unvec, vec


def layout(setting: Setting) -> Iterator[Slip]:
    """Entries moved in the finished gradient, in a packed vector, and in the factors on the way."""
    yield from _moved(setting)
    yield from _packed(setting)
    yield from _unpacked(setting)
    yield from _exchanged(setting)
    yield from chain(setting)


def _moved(setting: Setting) -> Iterator[Slip]:
    """Each weight alone and all together: transposed, reshaped, reversed; the whole gradient or the data's part."""
    for part, (early, data) in itertools.product(entries_of_weights(setting), _stages(setting)):
        square = all(len(set(m.shape)) == 1 for m in part.views(setting.params))
        for name, change, text, mend, rank in _MOVES[not square :]:
            title = f"the gradient with respect to {part.label} {text}{early}"
            edit, scope = part.changed(change, data=data), part.label + early
            yield Slip(name, "layout", title, mend, edit, part.layer, scope, rank, apart=APART)


def _stages(setting: Setting) -> list[tuple[str, bool]]:
    """What a slip may move: the finished gradient, and the data's part alone, where the two differ."""
    return [("", False), (", before the regulariser was added", True)][: 1 + setting.penalised]


_TURN = "Transpose where the shape must turn; never reshape."

# what moves the entries of a matrix, the first of square ones only: name, change, what is wrong, the mend, the rank
_MOVES: tuple[tuple[str, Callable[[Array], Array], str, str, int], ...] = (
    (
        "transposed",
        np.transpose,
        "is transposed",
        "Transpose it: its shape is the weight's, which a square weight cannot show.",
        0,
    ),
    (
        "reshape-for-transpose",
        lambda g: g.T.reshape(g.shape),
        "was reshaped where it had to be transposed (raveled in F order, read in C order)",
        _TURN,
        0,
    ),
    (
        "f-order-unpack",
        lambda g: g.ravel().reshape(g.shape, order="F"),
        "was raveled in C order and unpacked in F order",
        _TURN,
        0,
    ),
    ("rows-reversed", lambda g: g[::-1], "has its rows in reverse order", _TURN, 1),
    ("columns-reversed", lambda g: g[:, ::-1], "has its columns in reverse order", _TURN, 1),
)


def _packed(setting: Setting) -> Iterator[Slip]:
    """The packed vector in another order of blocks, or another vec order, read as the convention reads it."""
    own, order, mend = _own_packing(setting)
    for (text, blocks, used), (early, data) in itertools.product(_packings(setting), _stages(setting)):

        def repacked(grads: Gradients, blocks: Sequence[str] = blocks, used: Order = used) -> Gradients:
            return _unpack(_pack(grads, blocks, used), own, grads, order)

        name, title = "packing-vec-order", f"it was packed in {used} order"
        if blocks != own:
            how = f", each raveled in {used} order" if used != order else ""
            name, title = "block-order", f"the packed vector has its blocks {text}{how}"
        edit, scope = partial(Backward.then, change=repacked, data=data), f"{text} {used}{early}"
        yield Slip(name, "layout", title + early, mend, edit, scope=scope, rank=1, apart=APART)


def _unpacked(setting: Setting) -> Iterator[Slip]:
    """The parameters read from the packed vector in another order; the gradient is theirs, packed rightly."""
    own, order, mend = _own_packing(setting)
    theta = _pack(setting.params, own, order)
    for text, blocks, used in _packings(setting):

        def edit(_: Backward, blocks: Sequence[str] = blocks, used: Order = used) -> Backward:
            return setting.elsewhere(params=_unpack(theta, blocks, setting.params, used)).right

        name = "unpack-vec-order"
        title = f"the parameters were unpacked in {used} order, and the gradient was packed in {order} order"
        if blocks != own:
            how = f", each in {used} order" if used != order else ""
            name, title = "unpack-block-order", f"the parameters were unpacked with their blocks {text}{how}"
        yield Slip(name, "layout", title, mend, edit, scope=f"{text} {used}", rank=1, apart=APART)


def _own_packing(setting: Setting) -> tuple[list[str], Order, str]:
    """The blocks and the vec order that the convention packs, and the mend that names them."""
    convention, order = setting.network.convention, setting.layout.vec
    own = convention.packing_order(list(setting.params))
    return own, order, f"Pack and unpack in {convention.name}'s order: {', '.join(own)}, each in {order} order."


def _packings(setting: Setting) -> Iterator[tuple[str, list[str], Order]]:
    """The wrong orders that a packed vector might have: words for the blocks, the blocks, and a vec order."""
    names, owner = list(setting.params), setting.right.owner
    own, order, _ = _own_packing(setting)
    weights = [layer.weight for layer in setting.layers]
    biases = [n for n in names if n not in weights]
    orders = {
        "weights before biases": weights + biases,
        "biases before weights": biases + weights,
        "layer by layer": names,
        "layer by layer, each bias before its weight": sorted(names, key=lambda n: (owner[n], n in weights)),
        "the last layer first": sorted(names, key=lambda n: -owner[n]),
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


def _pack(arrays: Mapping[str, Array], blocks: Sequence[str], order: Order) -> Array:
    return np.concatenate([vec(arrays[n], order) for n in blocks])


def _unpack(theta: Array, blocks: Sequence[str], like: Mapping[str, Array], order: Order) -> Gradients:
    ends = np.cumsum([like[n].size for n in blocks])
    parts = dict(zip(blocks, np.split(theta, ends[:-1]), strict=True))
    return {name: unvec(parts[name], array.shape, order) for name, array in like.items()}


def _exchanged(setting: Setting) -> Iterator[Slip]:
    """Two parameters of one shape that changed places."""
    for a, b in itertools.combinations(setting.params, 2):
        if setting.params[a].shape == setting.params[b].shape:

            def change(grads: Gradients, a: str = a, b: str = b) -> Gradients:
                return {**grads, a: grads[b], b: grads[a]}

            title, edit = (
                f"the gradients with respect to {a} and {b} changed places",
                partial(Backward.then, change=change),
            )
            yield Slip("exchanged", "layout", title, "Return them by name.", edit, scope=f"{a} {b}", apart=APART)
