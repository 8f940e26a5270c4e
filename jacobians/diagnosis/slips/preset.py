"""The right gradient, arranged or reduced as another preset does it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from jacobians.conventions import Convention
from jacobians.diagnosis.slip import Backward, Gradients, Setting, Slip
from jacobians.errors import JacobiansError
from jacobians.presets import all_conventions
from jacobians.translate import translate_gradients


def preset(setting: Setting) -> Iterator[Slip]:
    """The gradient as another preset arranges it, where its length is the same, so that only its numbers show it."""
    own, network = setting.network.convention, setting.network
    if setting.params.keys() - {name for layer in setting.layers for name in (layer.weight, layer.bias)}:
        return  # of kernels and the parameters of other layers no preset says how they are packed
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
        for order in (way.astype(np.intp).tobytes() for way in ways if way.size == total):
            if other not in groups.setdefault(order, []):
                groups[order].append(other)
    groups.pop(np.arange(total).tobytes(), None)
    for key, group in groups.items():

        def change(grads: Gradients, key: bytes = key) -> Gradients:
            return network.unpack(network.pack(grads)[np.frombuffer(key, dtype=np.intp)])

        names = _either([c.name for c in group])
        title = f"the gradient is laid out as {names} has it ({_differences(group[0], own)})"
        mend = f"In a packed vector, call translate_packed from {group[0].name!r} to {own.name!r}; in a dict, "
        mend += "translate_gradients."
        edit, apart = partial(Backward.then, change=change), "layers of different widths, so that the shapes differ"
        yield Slip("other-layout", "layout", title, mend, edit, scope=group[0].name, apart=apart)


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
    layout, names = convention.layout, (convention.names.weight, convention.names.bias)
    bias_shape = layout.batch if layout.bias == "separate" else None
    return layout.weights, layout.bias, bias_shape, names, layout.vec, convention.effective_packing


def _either(names: list[str]) -> str:
    shown = names[:3]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
