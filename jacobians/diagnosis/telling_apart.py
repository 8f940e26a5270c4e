"""Which input tells apart slips that this data cannot: tried, not asserted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.search import wrong_gradient
from jacobians.diagnosis.slip import Setting, Slip
from jacobians.diagnosis.slips import catalogue
from jacobians.errors import JacobiansError
from jacobians.network import Network
from jacobians.operations import Affine, Operation

__all__ = ["Separation", "separating"]


@dataclass(frozen=True, slots=True)
class Separation:
    """What tells slips apart that one gradient does not.

    Attributes
    ----------
    phrases : tuple of str
        Inputs, each tried: the slips' gradients were computed on it and found to differ. One alone if it tells
        all apart.
    alike : frozenset of (int, int)
        Pairs (i, j), j before i, that no input told apart.
    """

    phrases: tuple[str, ...]
    alike: frozenset[tuple[int, int]]


def separating(setting: Setting, slips: Sequence[Slip]) -> Separation:
    """Return the inputs that tell these slips apart."""
    wanted = [m.key for m in slips]
    apart: dict[str, set[tuple[int, int]]] = {}
    pairs = {(i, j) for i in range(len(wanted)) for j in range(i)}
    for phrase, probe in _probes(setting):
        known = {m.key: m for m in catalogue(probe)}
        grads = [wrong_gradient(probe, known[key]) if key in known else None for key in wanted]
        apart[phrase] = {(i, j) for i, j in pairs if _differ(grads[i], grads[j])}
        if apart[phrase] == pairs:
            return Separation((phrase,), frozenset())
    phrases, left = [], set(pairs)
    for phrase, told in sorted(apart.items(), key=lambda item: -len(item[1])):
        if told & left:
            phrases.append(phrase)
            left -= told
    said = [m.apart for m in slips if m.apart and not m.apart.startswith(("a batch", "layers"))]
    return Separation(tuple(dict.fromkeys([*phrases, *said])) if left else tuple(phrases), frozenset(left))


def _differ(a: dict[str, Array] | None, b: dict[str, Array] | None) -> bool:
    if a is None or b is None:
        # a slip that makes no sense there, such as a transpose that no longer fits, would be an error at once
        return (a is None) != (b is None)
    scale = max((float(np.abs(g).max(initial=0.0)) for g in [*a.values(), *b.values()]), default=0.0)
    return any(not np.allclose(a[n], b[n], rtol=1e-6, atol=1e-9 * scale) for n in a)


def _probes(setting: Setting) -> Iterator[tuple[str, Setting]]:
    rng = np.random.default_rng(0)
    N = setting.count
    for phrase, make in (
        ("layers of different widths", _other_widths),
        (f"a batch of another size than {N}", _other_batch),
        ("biases that are not zero", _other_biases),
        ("another λ", _other_strength),
        ("another batch, with different weights, biases and widths", _all_other),
    ):
        try:
            yield phrase, make(setting, rng)
        except (JacobiansError, IndexError):
            # not every network can be rebuilt with other sizes
            continue


def _other_batch(setting: Setting, rng: np.random.Generator) -> Setting:
    count = setting.count + 3
    X, Y = _data(setting, rng, count, setting.X.size // max(setting.count, 1))
    return Setting(setting.network, setting.params, X, Y)


def _other_biases(setting: Setting, rng: np.random.Generator) -> Setting:
    return Setting(setting.network, _biased(setting, setting.params, rng), setting.X, setting.Y)


def _other_strength(setting: Setting, rng: np.random.Generator) -> Setting:
    network = setting.network
    other = Network(network.chain.parts, network.loss, network.convention, l2=3 * network.l2 + 0.1)
    return Setting(other, setting.params, setting.X, setting.Y)


def _other_widths(setting: Setting, rng: np.random.Generator) -> Setting:
    return _widened(setting, rng, setting.count)


def _all_other(setting: Setting, rng: np.random.Generator) -> Setting:
    other = _widened(setting, rng, setting.count + 3)
    return Setting(other.network, _biased(setting, other.params, rng), other.X, other.Y)


def _biased(setting: Setting, params: dict[str, Array], rng: np.random.Generator) -> dict[str, Array]:
    moved = {name: p.copy() for name, p in params.items()}
    for layer in setting.layers:
        if layer.has_bias:
            place = layer.bias_of(moved)
            place[...] = rng.normal(size=place.shape)
    return moved


def _widened(setting: Setting, rng: np.random.Generator, count: int) -> Setting:
    """The same operations with more inputs and hidden nodes, and as many outputs."""
    network = setting.network
    sizes = network.convention.sizes(setting.params)
    # no two neighbours are equal, and none is the number of examples
    widths = [w + 2 + 3 * i for i, w in enumerate(sizes[:-1])] + [sizes[-1]]
    widths = [w + 1 if i + 1 < len(widths) and w in (count, widths[i + 1]) else w for i, w in enumerate(widths)]
    pairs = iter(itertools.pairwise(widths))
    parts: list[Operation] = [
        Affine(p.layout, next(pairs)) if isinstance(p, Affine) else p for p in network.chain.parts
    ]
    other = Network(parts, network.loss, network.convention, l2=network.l2)
    X, Y = _data(setting, rng, count, widths[0])
    return Setting(other, other.init(rng), X, Y)


def _data(setting: Setting, rng: np.random.Generator, count: int, features: int) -> tuple[Array, Array]:
    """Gaussian inputs, and the given targets over and over."""
    places = np.arange(count) % setting.count
    axis = 0 if setting.Y.ndim == 1 else setting.Y.shape.index(setting.count)
    if setting.Y.shape == setting.output.shape:
        axis = setting.layout.batch_axis % setting.Y.ndim
    return rng.normal(size=setting.layout.batch_shape(count, features)), np.take(setting.Y, places, axis=axis)
