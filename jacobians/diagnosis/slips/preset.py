"""The right gradient, arranged or reduced as another preset does it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.conventions import Convention
from jacobians.diagnosis.slip import Backward, Mutation, Setting
from jacobians.errors import JacobiansError
from jacobians.network import Network
from jacobians.presets import all_conventions
from jacobians.translate import translate_gradients

__all__ = ["other_layouts", "preset", "translation"]


def preset(setting: Setting) -> Iterator[Mutation]:
    """The gradient as another preset arranges it, where it is as long, so that nothing but its numbers shows it."""
    own, network = setting.network.convention, setting.network
    total = sum(p.size for p in setting.params.values())
    places = network.unpack(np.arange(total))
    # by the order of the entries: the presets that have it
    groups: dict[bytes, list[Convention]] = {}
    for other, _ in other_layouts(own):
        try:
            moved = translate_gradients(places, own, other)
        except JacobiansError:
            continue
        ways = [other.pack(moved)]
        if {n: m.shape for n, m in moved.items()} == {n: p.shape for n, p in places.items()}:
            # arrays of the same names and shapes need not have gone through a packed vector
            ways.append(network.pack(moved))
        for order in ways:
            group = groups.setdefault(order.astype(np.intp).tobytes(), [])
            if order.size == total and other not in group:
                group.append(other)
    groups.pop(np.arange(total).tobytes(), None)
    for key, group in groups.items():
        if not group:
            continue
        names = _either([c.name for c in group])
        yield Mutation(
            "other-layout",
            "layout",
            f"the gradient is laid out as {names} has it ({_differences(group[0], own)})",
            f"In a packed vector, call translate_packed from {group[0].name!r} to {own.name!r}; in a dict, "
            "translate_gradients.",
            partial(_reordered, network, np.frombuffer(key, dtype=np.intp)),
            scope=group[0].name,
            apart="layers of different widths, so that the shapes differ",
        )


def _reordered(network: Network, order: Array, right: Backward) -> Backward:
    return right.then(lambda grads: network.unpack(network.pack(grads)[order]))


def _differences(other: Convention, own: Convention) -> str:
    """What the other one's layout has otherwise."""
    a, b = other.layout, own.layout
    said = [
        f"weights in {a.weights}" if a.weights != b.weights else "",
        f"bias {a.bias}" if a.bias != b.bias else "",
        f"{a.vec} order" if a.vec != b.vec else "",
        f"packed {other.effective_packing}" if other.effective_packing != own.effective_packing else "",
    ]
    return ", ".join(filter(None, said)) or "other shapes of the bias"


def translation(source: Convention, target: Convention) -> str:
    """Return the sentence that says how to translate a gradient."""
    return f"Call translate_gradients(gradient, {source.name!r}, {target.name!r}), or keep {target.name}'s layout."


def other_layouts(own: Convention) -> list[tuple[Convention, str]]:
    """Return one preset for each arrangement of parameters that differs from `own`, with the names that share it."""
    found: dict[tuple[object, ...], list[Convention]] = {}
    for convention in all_conventions():
        found.setdefault(_arrangement(convention), []).append(convention)
    found.pop(_arrangement(own), None)
    return [(group[0], _either([c.name for c in group])) for group in found.values()]


def _arrangement(convention: Convention) -> tuple[object, ...]:
    layout = convention.layout
    bias_shape = layout.batch if layout.bias == "separate" else None
    return layout.weights, layout.bias, bias_shape, convention.weight_name, layout.vec, convention.effective_packing


def _either(names: list[str]) -> str:
    shown = names[:3]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
