"""`octave_functions`: the functions of Octave that programs call, by the names that `octave_tree` gives them.

Each is Octave's own: sums go over the first axis that is longer than 1, entries stand column by column, the first is 1.
Source: GNU Octave 7 Manual, https://docs.octave.org/v7.3.0/.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.along_axes import ALONG_AXES
from jacobians.programs.octave.calling import CALLING
from jacobians.programs.octave.entry_by_entry import ENTRY_BY_ENTRY
from jacobians.programs.octave.kinds import KINDS
from jacobians.programs.octave.linear_algebra import LINEAR_ALGEBRA
from jacobians.programs.octave.making import MAKING, RANDOM
from jacobians.programs.octave.matrices import Call, matrix, number
from jacobians.programs.octave.rearranging import REARRANGING
from jacobians.programs.octave.rules import Rule
from jacobians.programs.octave.searching import SEARCHING
from jacobians.programs.values import Budget, BuiltIn, ProgramError, UnreadError


def octave_functions(budget: Budget, rng: np.random.Generator, call: Call) -> dict[str, BuiltIn]:
    """Return everything that a tree of `octave_tree` calls, by name.

    Parameters
    ----------
    budget : Budget
        Asked for the size of every result before it is made.
    rng : numpy.random.Generator
        Of rand and its like.
    call : callable
        ``call(function, arguments, keywords)`` calls a function of the file or of a table.

    Examples
    --------
    >>> from jacobians.programs.octave.functions import octave_functions
    >>> from jacobians.programs.values import Budget, Limits
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = octave_functions(Budget(Limits()), rng, lambda called, arguments, keywords: called.call(*arguments))
    >>> table["octave sum"].call(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[4., 6.]])
    """
    rules: dict[str, Rule] = {**_LANGUAGE, **LIBRARY}
    made = {name: partial(rule, budget) for name, rule in rules.items()}
    made |= {name: partial(rule, budget, call) for name, rule in CALLING.items()}
    made |= {name: partial(rule, budget, rng) for name, rule in RANDOM.items()}
    return {f"octave {name}": BuiltIn(name, rule) for name, rule in made.items()}


def _unread(budget: Budget, construct: str) -> Any:
    raise UnreadError(construct)


def _error(budget: Budget, *_: Any) -> Any:
    raise ProgramError("the program raises an error of its own")


def _case(budget: Budget, value: Any, labels: Any) -> bool:
    """Whether a case of a switch is meant."""
    for label in labels if isinstance(labels, list) else [labels]:
        if isinstance(label, str) or isinstance(value, str):
            if isinstance(label, str) and isinstance(value, str) and label == value:
                return True
        elif matrix(value).size == 1 and matrix(label).size == 1 and number(value).item() == number(label).item():
            return True
    return False


def _plain(rule: Rule) -> Rule:
    """A rule that makes nothing large."""
    return lambda budget, *arguments: rule(*arguments)


_LANGUAGE: Mapping[str, Rule] = {
    "number": _plain(number),
    "truth": _plain(om.truth),
    "first": _plain(om.first),
    "outputs": lambda budget, count, value: om.outputs(om.whole(count), value),
    "end": _plain(om.last),
    "store": om.store,
    "delete": om.delete,
    "cell entry": om.cell_entry,
    "old cell": om.old_cell,
    "store cell": om.store_cell,
    "field": _plain(om.field),
    "old field": _plain(om.old_field),
    "store field": om.store_field,
    "matrix": _plain(om.empty),
    "range": om.span,
    "columns of": om.columns_of,
    "product": om.product,
    "left divide": om.left_divide,
    "right divide": om.right_divide,
    "matrix power": om.matrix_power,
    "is given": _plain(lambda value: value is not None),
    "count given": _plain(lambda *values: float(sum(v is not None for v in values))),
    "case": _case,
    "unread": _unread,
    "error": _error,
    "deal outputs": lambda budget, count, *values: om.outputs(
        om.whole(count), values * om.whole(count) if len(values) == 1 and om.whole(count) < 64 else values
    ),
}
"""What Octave's own syntax becomes; a file cannot name these."""


LIBRARY: Mapping[str, Rule] = {
    **MAKING,
    **KINDS,
    **ENTRY_BY_ENTRY,
    **ALONG_AXES,
    **SEARCHING,
    **REARRANGING,
    **LINEAR_ALGEBRA,
    "deal": lambda budget, value: value,
}
"""What a file may call by its name, and what that gives where several outputs are asked for."""

FUNCTIONS = frozenset(name for name in (*LIBRARY, *CALLING, *RANDOM) if " " not in name and name != "index")
"""The names of all functions that a file may call; those of `octave_tree`."""
