"""Strategies of layouts and conventions."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st

from jacobians.conventions import Convention, Packing, Penalty, Reduction
from jacobians.layout import Bias, Derivative, Layout, Lines, Order
from jacobians.presets import all_conventions

__all__ = ["any_conventions", "layouts"]


def layouts(**fixed: str) -> st.SearchStrategy[Layout]:
    """Return a strategy of layouts, all 64 unless some fields are fixed.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(layouts(bias="first"))
    ... def test(layout):
    ...     assert layout.absorbs_bias
    >>> test()
    """
    choices = {"batch": Lines, "weights": Lines, "bias": Bias, "vec": Order, "derivative": Derivative}
    drawn = {name: st.sampled_from(get_args(kind)) for name, kind in choices.items()}
    return st.builds(Layout, **(drawn | {name: st.just(value) for name, value in fixed.items()}))


def any_conventions(
    *, presets: bool = True, layout: st.SearchStrategy[Layout] | None = None
) -> st.SearchStrategy[Convention]:
    """Return a strategy of conventions: random ones that reduce to one number, and the presets.

    Parameters
    ----------
    presets : bool
        Whether the named presets are among them.
    layout : strategy, optional
        Of the random ones' layouts.
    """
    reductions = [r for r in get_args(Reduction) if r != "none"]
    random = st.builds(
        Convention,
        name=st.just("random"),
        layout=layouts() if layout is None else layout,
        reduction=st.sampled_from(reductions),
        l2=st.sampled_from(get_args(Penalty)),
        l2_bias=st.booleans(),
        packing=st.sampled_from(get_args(Packing)),
        weight_name=st.sampled_from(["W", "Theta"]),
    )
    return st.one_of(random, st.sampled_from(all_conventions())) if presets else random
