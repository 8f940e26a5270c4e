"""What a composite asks of its parts: each is a Jacobian in numerator layout, and all carry one order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jacobians.arrays import kind_of
from jacobians.errors import ArgumentError, LayoutError, ShapeError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian

__all__ = ["a_jacobian", "all_jacobians", "joint_order"]


def a_jacobian(given: Any, owner: str, name: str) -> Jacobian:
    """Return one of what a composite is made of.

    Raises
    ------
    ArgumentError
        If it is no Jacobian.
    LayoutError
        If it is in denominator layout: a composite is one map, written in one layout.
    """
    if not isinstance(given, Jacobian):
        raise ArgumentError(f"{owner}: {name} is {kind_of(given)}; expected a Jacobian, such as Dense(array)")
    if given.numerator is not given:
        raise LayoutError(f"{owner}: {name} is in denominator layout; take Denominator({owner}(…)) of its numerator")
    return given


def all_jacobians(given: Iterable[Any], owner: str) -> tuple[Jacobian, ...]:
    """Return what a composite is made of, as a tuple.

    Raises
    ------
    ShapeError
        If it is nothing.
    ArgumentError
        If it is no list of Jacobians.
    LayoutError
        If one of them is in denominator layout.
    """
    if isinstance(given, Jacobian):
        raise ArgumentError(f"{owner}: got {given.structure} alone; expected a list of Jacobians")
    found = tuple(given)
    if not found:
        raise ShapeError(f"{owner}: nothing was given; expected one Jacobian or several")
    for place, item in enumerate(found):
        if not isinstance(item, Jacobian) or type(item).numerator is not Jacobian.numerator:
            a_jacobian(item, owner, f"number {place}")
    return found


def joint_order(*jacobians: Jacobian) -> Order | None:
    """Return the one order that the Jacobians carry; those without one fit any.

    It joins the orders of all factors. So every bracketing of a chain has the same order, or every one is refused.

    Raises
    ------
    LayoutError
        If some are unrolled in "C" and some in "F".
    """
    carrier: Jacobian | None = None
    for jacobian in jacobians:
        if jacobian.order is None:
            continue
        if carrier is None:
            carrier = jacobian
        elif jacobian.order != carrier.order:
            raise LayoutError(
                f"{carrier.structure} is unrolled in order {carrier.order!r}, {jacobian.structure} in order "
                f"{jacobian.order!r}; give every operation the same layout, or convert one with .ordered('C') or "
                ".ordered('F')"
            )
    return None if carrier is None else carrier.order
