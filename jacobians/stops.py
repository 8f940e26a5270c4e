"""`Stop`: an array on the way through a network, under the one name that its convention has for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jacobians.conventions import Convention
from jacobians.operations import Affine, Operation

__all__ = ["Stop", "prediction_name", "stops_of"]


@dataclass(frozen=True, slots=True)
class Stop:
    """An array on the way from the inputs to the output.

    Attributes
    ----------
    name : str
        In the convention's words: Ng's a⁽²⁾ is "A2".
    shared : str
        What it is in every convention: "X", "Z1" for the first layer's sums, "A1" for what the first layer passes on.
    cotangent : str
        The name of the loss's derivative with respect to it.
    done : int
        How many operations have been done before it.
    ones : bool
        Whether it holds the entry of ones, which a layer with an absorbed bias takes.
    """

    name: str
    shared: str
    cotangent: str
    done: int
    ones: bool = False


def stops_of(parts: Sequence[Operation], convention: Convention, taken: Collection[str]) -> tuple[Stop, ...]:
    """Return the arrays on the way through some operations, from X to the output; no two have one name.

    Where a convention's activations hold the ones, what enters a layer with an absorbed bias holds them: Ng's A1 is
    [1 X], and A2 is [1 σ(Z2)].

    Parameters
    ----------
    parts : sequence of Operation
    convention : Convention
    taken : collection of str
        The names of the parameters. A name that is taken gets primes.

    Examples
    --------
    >>> from jacobians import Network, convention
    >>> ng, ours = convention("ng-ml-2011"), convention("cs231n")
    >>> for own in (ng, ours):
    ...     print([stop.name for stop in stops_of(Network.dense((4, 3, 2), convention=own).chain.parts, own, ())])
    ['X', 'A1', 'Z2', 'A2', 'Z3']
    ['X', 'Z1', 'A1', 'Z2']
    """
    names = convention.names
    stops = [Stop("X", "X", names.gradient_of("X"), 0)]

    def add(role: str, layer: int, done: int, ones: bool) -> None:
        name, cotangent, shared = names.of(role, layer), _cotangent(convention, role, layer), f"{_LETTERS[role]}{layer}"
        known = [stop.name for stop in stops]
        primes = ""
        while name + primes in known or name + primes in taken:
            primes += "′"
        stops.append(Stop(name + primes, (shared if layer else "X") + primes, cotangent + primes, done, ones))

    layer = 0
    for done, part in enumerate((None, *parts)):
        takes_ones = names.with_ones and done < len(parts) and _absorbs(parts[done])
        if part is None:
            role = ""
        else:
            layer += bool(part.names[1:])
            role = "pre" if isinstance(part, Affine) else "post"
            add(role, layer, done, takes_ones and role == "post")
        if takes_ones and role != "post":
            add("post", layer, done, ones=True)
    return tuple(stops)


_LETTERS = {"pre": "Z", "post": "A"}


def _absorbs(part: Operation) -> bool:
    """Whether an operation's own Jacobian with respect to its input ends where the ones were placed."""
    return isinstance(part, Affine) and part.layout.absorbs_bias and type(part)._by_input is Affine._by_input


def _cotangent(convention: Convention, role: str, layer: int) -> str:
    names = convention.names
    if role == "pre":
        return names.of("cotangent", layer)
    return f"d{names.of('post', layer)}" if names.post_cotangent is None else names.of("post-cotangent", layer)


def prediction_name(stops: Sequence[Stop], convention: Convention, taken: Collection[str]) -> str:
    """Return what the prediction is called, which a loss makes of the output: P, or Ng's a⁽³⁾."""
    layer = int("".join(filter(str.isdigit, stops[-1].shared)) or 0)
    name = convention.names.of("prediction", layer)
    while name in taken or name in (stop.name for stop in stops):
        name += "′"
    return name
