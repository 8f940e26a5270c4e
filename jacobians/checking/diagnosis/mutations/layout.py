"""Right numbers in the wrong places: transposes, reshapes, vec orders, packing, factors in the wrong order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import get_args

import numpy as np

from jacobians.arrays import Array, size_of
from jacobians.checking.diagnosis.mutations.backward import Backward, Gradients, Pullback
from jacobians.checking.diagnosis.mutations.mutation import Mutation
from jacobians.checking.diagnosis.mutations.parts import weight_parts
from jacobians.checking.diagnosis.mutations.setting import Layer, Setting
from jacobians.errors import JacobiansError
from jacobians.layout import Order, unvec, vec

__all__ = ["layout"]

_APART = "layers of different widths, so that no matrix is square"


def layout(setting: Setting) -> Iterator[Mutation]:
    """Entries moved in the finished gradient, in a packed vector, and in the factors on the way."""
    yield from _moved(setting)
    yield from _packed(setting)
    yield from _exchanged(setting)
    for layer in setting.layers:
        yield from _factors(setting, layer)
    yield from _chain_order(setting)


def _moved(setting: Setting) -> Iterator[Mutation]:
    """Each weight alone and all together: transposed, reshaped, reversed."""
    for part in weight_parts(setting):
        scope, matrices = part.label, part.views(setting.params)
        if all(len(set(m.shape)) == 1 for m in matrices):
            title = f"the gradient by {scope} is transposed"
            mend = "Transpose it: its shape is the weight's, which a square weight cannot show."
            edit = part.changed(np.transpose)
            yield Mutation("transposed", "layout", title, mend, edit, part.layer, scope, apart=_APART)
        for name, change, text, rank in _MOVES:
            title, mend = f"the gradient by {scope} {text}", "Transpose where the shape must turn; never reshape."
            edit = part.changed(change)
            yield Mutation(name, "layout", title, mend, edit, part.layer, scope, rank, apart=_APART)


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
    convention, names = setting.network.convention, list(setting.params)
    own, order = convention.packing_order(names), setting.layout.vec
    weights = [layer.weight for layer in setting.layers]
    biases = [n for n in names if n not in weights]
    orders = {
        "weights before biases": weights + biases,
        "biases before weights": biases + weights,
        "layer by layer": names,
        "layer by layer, each bias before its weight": _bias_first(setting, names),
        "the last layer first": _layers_reversed(setting, names),
        "reversed": names[::-1],
        "reversed, weights before biases": weights[::-1] + biases[::-1],
    }
    mend = f"Pack in {convention.name}'s order: {', '.join(own)}, each in {order} order."
    other: Order = "C" if order == "F" else "F"
    for (text, blocks), used in itertools.product(orders.items(), (order, other)):
        if sorted(blocks) != sorted(names) or (blocks == own and used == order):
            continue
        how = f", each raveled in {used} order" if used != order else ""
        title = f"the packed vector has its blocks {text}{how}" if blocks != own else f"it was packed in {used} order"
        name = "block-order" if blocks != own else "packing-vec-order"

        def edit(right: Backward, blocks: Sequence[str] = blocks, used: Order = used) -> Backward:
            def repacked(grads: Gradients) -> Gradients:
                theta = np.concatenate([vec(grads[n], used) for n in blocks])
                return _unpack(theta, own, grads, order)

            return right.then(repacked)

        yield Mutation(name, "layout", title, mend, edit, scope=f"{text} {used}", rank=1, apart=_APART)


def _bias_first(setting: Setting, names: Sequence[str]) -> list[str]:
    owner = setting.right.owner
    weights = {layer.weight for layer in setting.layers}
    return sorted(names, key=lambda n: (owner[n], n in weights))


def _layers_reversed(setting: Setting, names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda n: -setting.right.owner[n])


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


def _factors(setting: Setting, layer: Layer) -> Iterator[Mutation]:
    """One factor read in the wrong order: the data, the weight, the derivative that arrives."""
    right, k, p = setting.right, layer.number, layer.position
    X, W = setting.input_of(p), setting.params[layer.weight]
    what = "X" if k == 1 else f"layer {k}'s input"
    mend = "Use .T where a transpose is meant; reshape keeps the order of memory and mixes examples with features."
    local, flow = right.local[layer.weight], right.flow[p]
    for scope, read in (("C", _reread_back), ("F", _reread)):
        how = "reshaped, not transposed" + ("" if scope == "C" else " (in F order)")
        title = f"{what} is {how}, in the gradient by {layer.weight}"
        yield _local("data-reshaped", title, mend, layer, setting.pullback(layer, "W", X=read(X)), scope)
        title = f"δ is {how}, in the gradient by {layer.weight}"
        yield _local("delta-reshaped", title, mend, layer, partial(_after_reading, local, read), scope)
    mend = "Rows stacked: vec(AXB) = (A⊗Bᵀ) vec X; columns stacked: (Bᵀ⊗A) vec X."
    for order in get_args(Order):
        title = f"the Kronecker factors of ∂Z{k}/∂{layer.weight} are exchanged (vectors in {order} order)"
        yield _local("kronecker-order", title, mend, layer, partial(_exchanged_factors, local, order), f"W {order}")
        if p:
            title = f"the Kronecker factors of ∂Z{k}/∂A{k - 1} are exchanged (vectors in {order} order)"
            yield _flow("kronecker-order", title, mend, layer, partial(_exchanged_factors, flow, order), f"X {order}")
    if p:
        W_only = layer.weights_of(setting.params)
        kind = "transposed" if W_only.shape[0] == W_only.shape[1] else ""
        if kind:
            title = f"{layer.weight} is used where its transpose belongs, on the way back through layer {k}"
            turned = W.copy()
            layer.weights_of({layer.weight: turned})[...] = W_only.T
            mend = f"dZ{k} flows back through the transpose of what X{k} met."
            yield _flow(
                "weight-not-transposed", title, mend, layer, setting.pullback(layer, "X", W=turned), apart=_APART
            )
        else:
            title = f"{layer.weight} is reshaped, not transposed, on the way back through layer {k}"
            turned = W.copy()
            layer.weights_of({layer.weight: turned})[...] = _reread(W_only)
            yield _flow("weight-reshaped", title, "Use .T.", layer, setting.pullback(layer, "X", W=turned))


def _chain_order(setting: Setting) -> Iterator[Mutation]:
    """Two neighbouring factors exchanged, where the shapes happen to allow it."""
    flow = setting.right.flow
    for i in range(1, len(flow) - 1):
        inner, outer = flow[i], flow[i + 1]
        if setting.output_of(i).shape != setting.output_of(i + 1).shape != setting.input_of(i).shape:
            continue

        def edit(right: Backward, i: int = i, inner: Pullback = inner, outer: Pullback = outer) -> Backward:
            return right.with_flow(i, outer).with_flow(i + 1, inner)

        try:
            edit(setting.right).gradient()
        except JacobiansError:
            continue
        names = f"{setting.parts[i + 1].name} and {setting.parts[i].name}"
        title = f"the factors of {names} (operations {i + 2} and {i + 1}) are in the wrong order"
        mend = "Numerator layout multiplies from the outermost to the innermost, denominator layout the other way."
        yield Mutation("chain-order", "layout", title, mend, edit, scope=f"at {i}", rank=1, apart=_APART)


def _exchanged_factors(pull: Pullback, order: Order, cotangent: Array) -> Array:
    """(B⊗A)ᵀ where (A⊗B)ᵀ belongs: right for vectors in the other order, so both ends are read in that one."""
    if order == "C":
        return _reread(pull(_reread_back(cotangent)))
    return _reread_back(pull(_reread(cotangent)))


def _after_reading(pull: Pullback, read: Pullback, cotangent: Array) -> Array:
    return pull(read(cotangent))


def _reread(array: Array) -> Array:
    """The entries in F order, read in C order."""
    return array.ravel(order="F").reshape(array.shape)


def _reread_back(array: Array) -> Array:
    """The entries in C order, read in F order."""
    return array.ravel().reshape(array.shape, order="F")


def _local(name: str, title: str, mend: str, layer: Layer, pull: Pullback, scope: str) -> Mutation:
    return Mutation(
        name, "layout", title, mend, lambda right: right.with_local(layer.weight, pull), layer.number, scope, 1
    )


def _flow(
    name: str, title: str, mend: str, layer: Layer, pull: Pullback, scope: str = "flow", apart: str = ""
) -> Mutation:
    return Mutation(
        name,
        "layout",
        title,
        mend,
        lambda right: right.with_flow(layer.position, pull),
        layer.number,
        scope,
        1,
        apart=apart,
    )
