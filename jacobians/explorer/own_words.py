"""A source's names for any layout: each layout's formulas are kept in the library's names, and renamed on the page.

A source also has a manner: whether its A holds the ones, and where 1/N enters. The manner changes the formulas
themselves, so they are kept once per manner. Everything else is a list of names and what they become.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from jacobians.array_names import ArrayNames
from jacobians.conventions import Convention
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.formulas import keep_mathml
from jacobians.explorer.names import letter, shown_name
from jacobians.symbols.mathml import MathmlNotation

LIBRARY = ArrayNames()


def manner_of(names: ArrayNames) -> ArrayNames:
    """Return the library's names, used in the manner of a source.

    Examples
    --------
    >>> from jacobians import convention
    >>> ng = manner_of(convention("ng-ml-2011").names)
    >>> ng.weight, ng.with_ones, ng.weighted_at, ng.post_cotangent
    ('W{l}', True, 'gradient', None)
    >>> manner_of(convention("ng-ufldl").names) == manner_of(convention("ng-dlai").names)
    True
    """
    return ArrayNames(
        with_ones=names.with_ones,
        weighted_at=names.weighted_at,
        post_cotangent=None if names.post_cotangent is None else LIBRARY.post_cotangent,
    )


def manners_of(presets: Sequence[Convention]) -> list[ArrayNames]:
    """Return every manner of some presets once, the library's own first."""
    return list(dict.fromkeys([LIBRARY, *(manner_of(preset.names) for preset in presets)]))


def own_words(names: ArrayNames, layers: int) -> dict[str, str]:
    """Return a source's names for the library's names, in a net of some layers.

    Examples
    --------
    >>> from jacobians import convention
    >>> ng = own_words(convention("ng-ml-2011").names, layers=2)
    >>> [ng[name] for name in ("W1", "Z1", "A1", "P", "dZ2", "dW2", "dX", "N")]
    ['Theta1', 'Z2', 'A2', 'A3', 'delta3', 'Theta2_grad', 'X_grad', 'm']
    """
    return {library: own for library, own in _pairs(names, layers) if library != own}


def _pairs(names: ArrayNames, layers: int) -> list[tuple[str, str]]:
    return [*zip(_all(LIBRARY, layers), _all(names, layers), strict=True)]


def _all(names: ArrayNames, layers: int) -> Iterator[str]:
    """Every name in a net of some layers, in one order for all sources."""
    for layer in range(1, layers + 1):
        for role in ("weight", "bias"):
            yield (name := names.of(role, layer))
            yield names.gradient_of(name)
        yield from (names.of(role, layer) for role in ("pre", "cotangent"))
    for layer in range(layers):
        yield (post := names.of("post", layer))
        yield f"d{post}" if names.post_cotangent is None else names.of("post-cotangent", layer)
    yield from (names.of("prediction", layers), names.gradient_of("X"), names.count)


def words_record(names: ArrayNames, layers: int, distinct: DistinctValues) -> dict[str, Any]:
    """Return the names to change on the page: in programs, in sentences, in formulas, and the letters of entries."""
    words = own_words(names, layers)
    mathml = MathmlNotation().symbol
    ones = {f"{name}_ones": f"{own}_ones" for name, own in words.items() if name.startswith("A")}
    return {
        "code": words | ones,
        "text": {shown_name(name): shown_name(own) for name, own in words.items()},
        # with those that stay: dA₁ may keep its name where A₁ within it has another
        "math": [[keep_mathml(mathml(name), distinct) for name in pair] for pair in _pairs(names, layers)],
        "letters": {letter(of(LIBRARY)): letter(of(names)) for of in _SHOWN},
    }


_SHOWN = [partial(ArrayNames.of, role=role, layer=1) for role in ("weight", "bias", "pre", "post")]
"""The arrays whose entries the page labels."""
