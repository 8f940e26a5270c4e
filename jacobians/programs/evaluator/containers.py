"""What an index gives and sets, and what a loop runs through: arrays, lists, tuples, dicts and texts."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from jacobians.programs.evaluator.arithmetic import as_index
from jacobians.programs.evaluator.arrays import array
from jacobians.programs.values import Budget, Distinct, ProgramError, Unread, UnreadError, is_number, len_of, simple
from jacobians.programs.wanted import Wanted, WantedError, wanted_in


def item_of(budget: Budget, receiver: Any, index: Any) -> Any:
    """Return what an index gives of an array, a list, a tuple, a text or a dict."""
    if isinstance(receiver, Wanted):
        raise _use_of(receiver, index)
    wanted = wanted_in((index,))
    if wanted is not None:
        raise WantedError(wanted, "index", np.shape(receiver) if isinstance(receiver, np.ndarray) else (3,))
    if isinstance(receiver, np.ndarray):
        return receiver[as_index(index, receiver.shape, budget)]
    if isinstance(receiver, dict):
        simple(index, "a key")
        return receiver[index]
    if isinstance(receiver, (list, tuple, str, range)):
        if isinstance(index, slice) and not isinstance(receiver, range):
            budget.size(len(receiver))
        return receiver[index if isinstance(index, slice) else operator.index(index)]
    if is_number(receiver):
        raise ProgramError("IndexError: a number has no entries")
    raise UnreadError("an index of what is no array, list or dict")


def set_item(budget: Budget, receiver: Any, index: Any, value: Any) -> None:
    """Put a value at an index of an array or a list, or at a key of a dict."""
    if isinstance(value, Unread):
        raise UnreadError(value.construct, value.line)
    wanted = wanted_in((receiver, value) if not isinstance(receiver, (dict, list)) else ())
    if wanted is not None:
        like = index if wanted is receiver else receiver
        raise WantedError(wanted, "beside" if isinstance(like, np.ndarray) else "array", np.shape(like))
    if isinstance(receiver, np.ndarray):
        if not isinstance(value, (np.ndarray, list, tuple)) and not is_number(value):
            raise UnreadError("an entry that is no number")
        value = value if is_number(value) else array(value, budget)
        receiver[as_index(index, receiver.shape, budget)] = value
    elif isinstance(receiver, dict):
        if not isinstance(index, (str, int, float, bool, tuple, np.integer)):
            raise UnreadError("a key that is no text or number")
        simple(index, "a key")
        receiver[index] = value
    elif isinstance(receiver, list):
        if isinstance(index, slice):
            receiver[index] = listed(budget, value)
        else:
            receiver[operator.index(index)] = value
    else:
        raise UnreadError("an entry that is set of what is no array, list or dict")


def listed(budget: Budget, value: Any) -> list[Any]:
    """Return what a value holds, as a list of its own."""
    items = iterated(value)
    if isinstance(items, (range, np.ndarray)):
        budget.objects(len_of(items) if isinstance(items, range) else len(items))
    else:
        budget.size(len(items))
    return list(items)


def iterated(value: Any) -> Any:
    """Return what a loop over a value runs through: a list, a tuple, a range, a text or an array's rows."""
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            raise ProgramError("TypeError: a number cannot be run through")
        return value
    if isinstance(value, (list, tuple, range, str)):
        return value
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, Distinct):
        return list(value.held)
    if isinstance(value, Wanted):
        raise WantedError(value, "indices")
    if isinstance(value, Unread):
        raise UnreadError(value.construct, value.line)
    if is_number(value) or value is None:
        raise ProgramError("TypeError: a number cannot be run through")
    raise UnreadError("a loop over what is no array, list or dict")


def _use_of(wanted: Wanted, index: Any) -> WantedError:
    """What an index says of a value that is not known."""
    if isinstance(index, slice):
        return WantedError(wanted, "slice")
    if isinstance(index, tuple):
        # of ``x[None, :, :]`` it is known that it has two axes
        axes = 0 if any(part is Ellipsis for part in index) else sum(part is not None for part in index)
        return WantedError(wanted, "array", (0,) * axes)
    return WantedError(wanted, "vector" if index == -1 else "array")


def part_of(receiver: Any, index: Any) -> Any:
    """Return the part of an array that an index selects, as a view; None where it would be a copy."""
    if isinstance(index, (int, np.integer)) and receiver.ndim == 1:
        place = int(index) % max(receiver.size, 1)
        return receiver[place : place + 1]
    made = receiver[index] if isinstance(index, (slice, int, np.integer)) else None
    return made if isinstance(made, np.ndarray) else None
