"""The named, cited conventions, and how to look one up."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, TypeAlias

from jacobians.arrays import kind_of
from jacobians.conventions import Convention
from jacobians.errors import LayoutError
from jacobians.first_tries import written
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.presets.courses import COURSES
from jacobians.presets.libraries import LIBRARIES
from jacobians.presets.references import REFERENCES, Reference

__all__ = ["REFERENCES", "AnyLayout", "Reference", "all_conventions", "convention", "find_layout"]


AnyLayout: TypeAlias = Layout | Convention | str
"""What a layout is given as: itself, a convention that has it, or the name of a preset."""


@written
def all_conventions() -> tuple[Convention, ...]:
    """Return every preset: courses and texts first, then libraries.

    Examples
    --------
    >>> [preset.name for preset in all_conventions()][:3]
    ['ng-ml-2011', 'ng-ufldl', 'ng-dlai']
    """
    return COURSES + LIBRARIES


@written
def convention(name: str | Convention) -> Convention:
    """Return the preset of this name; a `Convention` is returned as it is.

    Raises
    ------
    LayoutError
        If there is no such preset; the text names those that are near.

    Examples
    --------
    >>> convention("pytorch").layout.weight_shape(n_in=64, n_out=25)
    (25, 64)
    >>> convention("cs231n").layout.weight_shape(n_in=64, n_out=25)
    (64, 25)
    """
    if isinstance(name, Convention):
        return name
    if not isinstance(name, str):
        raise _no_convention(name)
    presets = {preset.name: preset for preset in all_conventions()}
    if name in presets:
        return presets[name]
    for reference in REFERENCES:
        if name == reference.name:
            raise LayoutError(f"convention: {name!r} is a reference without a preset: {reference.reason}")
    near = [known for known in presets if name and known.startswith(f"{name}-")]  # "ng" is a family, not a slip
    near = near or get_close_matches(name, presets, n=3, cutoff=0.56)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"choose one of {', '.join(presets)}"
    raise LayoutError(f"convention: {name!r} is unknown; {hint}")


def _no_convention(given: Any) -> LayoutError:
    mend = "are two arguments in each other's place?"
    if isinstance(given, Layout):
        mend = "give it a name, Convention('mine', layout), since a convention says more than a layout"
    return LayoutError(f"convention: {kind_of(given)} is no convention and no preset's name; {mend}")


def find_layout(given: AnyLayout | None = None) -> Layout:
    """Return a layout; given a convention or a preset's name, that one's; the default where none is given.

    Raises
    ------
    LayoutError
        If there is no such preset, or it is none of the three.

    Examples
    --------
    >>> find_layout("ng-ml-2011").bias
    'first'
    """
    if given is None:
        return DEFAULT_LAYOUT
    if isinstance(given, Layout):
        return given
    if not isinstance(given, (str, Convention)):
        raise LayoutError(
            f"layout: {kind_of(given)} is no layout; pass Layout(batch='rows', …) or a preset's name, such as 'pytorch'"
        )
    return convention(given).layout
