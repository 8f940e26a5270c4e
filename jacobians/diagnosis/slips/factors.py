"""Factors of the chain in the wrong order or read in the wrong order: Kronecker's, reshaped, transposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from typing import get_args

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Layer, Mutation, Pullback, Setting
from jacobians.errors import JacobiansError
from jacobians.layout import Order

__all__ = ["factors", "reread", "reread_back"]


_APART = "layers of different widths, so that no matrix is square"


def factors(setting: Setting) -> Iterator[Mutation]:
    """One layer's factor read wrongly, each layer's, and neighbours exchanged."""
    found = [mutation for layer in setting.layers for mutation in _factors(setting, layer)]
    yield from found
    alike: dict[tuple[str, str], list[Mutation]] = {}
    for mutation in found:
        alike.setdefault((mutation.name, mutation.scope), []).append(mutation)
    yield from (_everywhere(group) for group in alike.values() if len(group) > 1)
    yield from _forward(setting)
    yield from _chain_order(setting)


def _everywhere(group: Sequence[Mutation]) -> Mutation:
    """The same slip in every layer: one that wrote its backward pass as a loop makes it everywhere."""

    def edit(right: Backward) -> Backward:
        return reduce(lambda wrong, mutation: mutation.edit(wrong), group, right)

    first = group[0]
    title = f"{first.title}, and likewise in every other layer"
    return Mutation(
        first.name, first.family, title, first.mend, edit, None, f"all {first.scope}", first.rank, apart=first.apart
    )


def _forward(setting: Setting) -> Iterator[Mutation]:
    """Wᵀ for a square W in the gradient's own forward pass; the pass back meets W, or Wᵀ too."""
    square = [la for la in setting.layers if len(set(la.weights_of(setting.params).shape)) == 1]
    groups = [(la,) for la in square] + ([tuple(square)] if len(square) > 1 else [])
    for layers in groups:
        names = " and ".join(layer.weight for layer in layers)
        moved = {name: p.copy() for name, p in setting.params.items()}
        for layer in layers:
            layer.weights_of(moved)[...] = layer.weights_of(setting.params).T

        def edit(right: Backward, layers: Sequence[Layer] = layers, moved: dict[str, Array] = moved) -> Backward:
            wrong = setting.elsewhere(params=moved).with_penalty(right.penalty)
            for layer in layers:
                wrong = wrong.with_flow(layer.position, right.flow[layer.position])
            return wrong

        def both(right: Backward, moved: dict[str, Array] = moved) -> Backward:
            return setting.elsewhere(params=moved).with_penalty(right.penalty)

        number = layers[0].number if len(layers) == 1 else None
        for scope, change, where in (
            ("own", edit, "in the gradient's own forward pass"),
            ("both", both, "in both of the gradient's passes"),
        ):
            yield Mutation(
                "forward-weight-transposed",
                "layout",
                f"{names} {'is' if number else 'are'} transposed {where}",
                "Use W as the loss does; a square weight hides a transpose.",
                change,
                number,
                f"{scope} {names}",
                1,
                apart=_APART,
            )


def _factors(setting: Setting, layer: Layer) -> Iterator[Mutation]:
    """One factor read in the wrong order: the data, the weight, the derivative that arrives."""
    right, k, p = setting.right, layer.number, layer.position
    X, W = setting.input_of(p), setting.params[layer.weight]
    what = "X" if k == 1 else f"layer {k}'s input"
    mend = "Use .T where a transpose is meant; reshape keeps the order of memory and mixes examples with features."
    local, flow = right.local[layer.weight], right.flow[p]
    for scope, read in (("C", reread_back), ("F", reread)):
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
            layer.weights_of({layer.weight: turned})[...] = reread(W_only)
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
        return reread(pull(reread_back(cotangent)))
    return reread_back(pull(reread(cotangent)))


def _after_reading(pull: Pullback, read: Pullback, cotangent: Array) -> Array:
    return pull(read(cotangent))


def reread(array: Array) -> Array:
    """The entries in F order, read in C order."""
    return array.ravel(order="F").reshape(array.shape)


def reread_back(array: Array) -> Array:
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
