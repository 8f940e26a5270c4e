"""Factors of the chain in the wrong order or read in the wrong order: Kronecker's, reshaped, transposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import get_args

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Edit, Layer, Pullback, Setting, Slip
from jacobians.errors import JacobiansError
from jacobians.layout import Order

APART = "layers of different widths, so that no matrix is square"


def chain(setting: Setting) -> Iterator[Slip]:
    """One layer's factor read wrongly, each layer's, and neighbours exchanged."""
    found = [slip for layer in setting.layers for slip in _read_wrongly(setting, layer)]
    yield from found
    alike: dict[tuple[str, str], list[Slip]] = {}
    for slip in found:
        alike.setdefault((slip.name, slip.scope), []).append(slip)
    yield from (_everywhere(group) for group in alike.values() if len(group) > 1)
    yield from _forward(setting)
    yield from _exchanged(setting)


def _everywhere(group: Sequence[Slip]) -> Slip:
    """The same slip in every layer: a backward pass that is a loop makes it everywhere."""

    def edit(right: Backward) -> Backward:
        return reduce(lambda wrong, slip: slip.edit(wrong), group, right)

    title, scope = f"{group[0].title}, and likewise in every other layer", f"all {group[0].scope}"
    return replace(group[0], title=title, edit=edit, layer=None, scope=scope)


def _forward(setting: Setting) -> Iterator[Slip]:
    """Wᵀ for a square W in the gradient's own forward pass; the pass back meets W, or Wᵀ too."""
    square = [layer for layer in setting.layers if _is_square(layer.weights_of(setting.params))]
    mend = "Use W as the loss does; a square weight hides a transpose."
    for layers in [[layer] for layer in square] + [square] * (len(square) > 1):
        moved = {name: p.copy() for name, p in setting.params.items()}
        for layer in layers:
            layer.weights_of(moved)[...] = layer.weights_of(setting.params).T

        def both(right: Backward, moved: dict[str, Array] = moved) -> Backward:
            return setting.elsewhere(params=moved).right.with_penalty(right.penalty)

        def own(right: Backward, layers: Sequence[Layer] = layers, both: Edit = both) -> Backward:
            return both(right).with_flow({layer.position: right.flow[layer.position] for layer in layers})

        number = layers[0].number if len(layers) == 1 else None
        names = " and ".join(layer.weight for layer in layers)
        said = f"{names} {'is' if number else 'are'} transposed in"
        for scope, edit, where in (
            ("own", own, "the gradient's own forward pass"),
            ("both", both, "both of the gradient's passes"),
        ):
            title, scope = f"{said} {where}", f"{scope} {names}"
            yield Slip("forward-weight-transposed", "layout", title, mend, edit, number, scope, 1, apart=APART)


def _is_square(matrix: Array) -> bool:
    return matrix.shape[0] == matrix.shape[1]


def _read_wrongly(setting: Setting, layer: Layer) -> Iterator[Slip]:
    """One factor read in the wrong order: the data, the weight, the derivative that arrives."""
    right, k, p, name = setting.right, layer.number, layer.position, layer.weight
    X = setting.input_of(p)
    what = "X" if k == 1 else f"layer {k}'s input"
    pulls = {True: right.local[name], False: right.flow[p]}

    def slip(kind: str, title: str, mend: str, pull: Pullback, scope: str, apart: str = "", own: bool = True) -> Slip:
        """Another pullback to the layer's own weight, or to its input."""
        edit = partial(Backward.with_local, name=name, pull=pull)
        if not own:
            edit = partial(Backward.with_flow, pulls={p: pull})
        return Slip(kind, "layout", title, mend, edit, k, scope, 1, apart=apart)

    mend = "Use .T where a transpose is meant; reshape keeps the order of memory and mixes examples with features."
    for order, read in (("C", _reread_back), ("F", _reread)):
        how = f"reshaped, not transposed{' (in F order)' * (order == 'F')}, in the gradient with respect to {name}"
        yield slip("data-reshaped", f"{what} is {how}", mend, setting.pullback(layer, "W", X=read(X)), order)
        yield slip("delta-reshaped", f"δ is {how}", mend, partial(_after_reading, pulls[True], read), order)
    mend = "Rows stacked: vec(AXB) = (A⊗Bᵀ) vec X; columns stacked: (Bᵀ⊗A) vec X."
    for order in get_args(Order):
        for own, by, scope in ((True, name, "W"), (False, f"A{k - 1}", "X"))[: 1 + (p > 0)]:
            title = f"the Kronecker factors of ∂Z{k}/∂{by} are exchanged (vectors in {order} order)"
            swapped = partial(_exchanged_factors, pulls[own], order)
            yield slip("kronecker-order", title, mend, swapped, f"{scope} {order}", own=own)
    if not p:
        return
    turned = setting.params[name].copy()
    W = layer.weights_of(setting.params)
    layer.weights_of({name: turned})[...] = W.T if _is_square(W) else _reread(W)
    pull, back = setting.pullback(layer, "X", W=turned), f"on the way back through layer {k}"
    if _is_square(W):
        title = f"{name} is used where its transpose belongs, {back}"
        mend = f"dZ{k} flows back through the transpose of what X{k} met."
        yield slip("weight-not-transposed", title, mend, pull, "flow", APART, own=False)
    else:
        yield slip("weight-reshaped", f"{name} is reshaped, not transposed, {back}", "Use .T.", pull, "flow", own=False)


def _exchanged(setting: Setting) -> Iterator[Slip]:
    """Two neighbouring factors exchanged, where the shapes happen to allow it."""
    flow = setting.right.flow
    mend = "Numerator layout multiplies from the outermost to the innermost, denominator layout the other way."
    for i in range(1, len(flow) - 1):
        if setting.output_of(i).shape != setting.output_of(i + 1).shape != setting.input_of(i).shape:
            continue
        edit = partial(Backward.with_flow, pulls={i: flow[i + 1], i + 1: flow[i]})
        try:
            edit(setting.right).gradient()
        except JacobiansError:
            continue
        names = f"{setting.operations[i + 1].name} and {setting.operations[i].name}"
        title = f"the factors of {names} (operations {i + 2} and {i + 1}) are in the wrong order"
        yield Slip("chain-order", "layout", title, mend, edit, scope=f"at {i}", rank=1, apart=APART)


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
