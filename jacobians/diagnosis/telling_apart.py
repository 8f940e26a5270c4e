"""Which input tells apart slips that look alike on this data. Each is tried."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.search import wrong_gradient
from jacobians.diagnosis.slip import Setting, Slip
from jacobians.diagnosis.slips import catalogue
from jacobians.network import Network
from jacobians.operations import Affine


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
    N, network = setting.count, setting.network
    makers: dict[str, Callable[[], Setting]] = {
        "layers of different widths": lambda: _widened(setting, rng, N),
        f"a batch of another size than {N}": lambda: _other_data(setting, rng, N + 1, setting.X.size // N),
        "biases that are not zero": lambda: _biased(setting, rng),
        "another λ": lambda: setting.elsewhere(network=network.replace(l2=network.l2 + 1)),
        "another batch, with different weights, biases and widths": lambda: _biased(_widened(setting, rng, N + 1), rng),
    }
    for phrase, make in makers.items():
        try:
            yield phrase, make()
        except (ValueError, IndexError):
            # not every network can be rebuilt with other sizes; an operation of one's own raises NumPy's errors
            continue


def _biased(setting: Setting, rng: np.random.Generator) -> Setting:
    moved = {name: p.copy() for name, p in setting.params.items()}
    for layer in setting.layers:
        if layer.has_bias:
            place = layer.bias_of(moved)
            place[...] = rng.normal(size=place.shape)
    return setting.elsewhere(params=moved)


def _widened(setting: Setting, rng: np.random.Generator, count: int) -> Setting:
    """The same operations with more inputs and hidden nodes, and as many outputs."""
    network = setting.network
    sizes = network.convention.sizes(setting.params)
    # no two are equal, and none is the number of examples
    fresh = (width for width in itertools.count(max(sizes) + 1) if width != count)
    widths = [*itertools.islice(fresh, len(sizes) - 1), sizes[-1]]
    pairs = iter(itertools.pairwise(widths))
    parts = [Affine(p.layout, next(pairs)) if isinstance(p, Affine) else p for p in network.chain.parts]
    return _other_data(setting, rng, count, widths[0], network.replace(operations=parts))


def _other_data(
    setting: Setting, rng: np.random.Generator, count: int, features: int, network: Network | None = None
) -> Setting:
    """Gaussian inputs, and the given targets over and over; for another network, other parameters too."""
    places = np.arange(count) % setting.count
    axis = 0 if setting.Y.ndim == 1 else setting.Y.shape.index(setting.count)
    if setting.Y.shape == setting.output.shape:
        axis = setting.layout.batch_axis % setting.Y.ndim
    X, Y = rng.normal(size=setting.layout.batch_shape(count, features)), np.take(setting.Y, places, axis=axis)
    if network is None:
        return setting.elsewhere(X=X, Y=Y)
    return Setting(network, network.init(rng), X, Y)
