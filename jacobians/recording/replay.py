"""A tape played again on other numbers: only the calls that the results need, on memory that is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from jacobians.recording.recorded import Path, Recorded
from jacobians.recording.tape import Array, Call, Root, Tape

__all__ = ["Replay"]


class Replay:
    """The calls of a tape with their arrays in place.

    The arrays that the function made are kept and written again, except those that a result lies in: these are new in
    every run. What is read no more lends its memory to what is made later, so that a deep network's sweep stays in the
    cache. Arguments and results are put into their calls' operands before a run and taken out after it.

    Parameters
    ----------
    tape : Tape
    arguments : sequence of Recorded
    results : sequence
        Recorded arrays, or what is the same in every run.
    """

    def __init__(self, tape: Tape, arguments: Sequence[Recorded], results: Sequence[Any]) -> None:
        owned = list(dict.fromkeys(r.root for r in results if isinstance(r, Recorded)))
        fresh = [root for root in owned if not root.argument and _order(root.array)]
        slots = _Slots([*(a.root for a in arguments), *fresh])
        self._makers = [partial(np.empty, r.array.shape, r.array.dtype, _order(r.array)) for r in fresh]
        self._code: list[tuple[Callable[..., object], list[Any]]] = []
        self._bound: list[tuple[list[Any], int, int]] = []
        calls = _needed(tape.calls, set(owned))
        kept = _kept(calls, slots, set(owned))
        for call in calls:
            operands = list(call.operands)
            for i, operand in enumerate(call.operands):
                if not isinstance(operand, Recorded):
                    continue
                if operand.root in slots:
                    operands[i] = None
                    self._bound.append((operands, i, slots.of(operand.root, operand.path)))
                else:
                    operands[i] = _along(operand.path, kept[operand.root])
            self._code.append((call.function, operands))
        self._results = [_finder(r, slots) for r in results]
        self._views = slots.views
        self._ignored: Any = dict.fromkeys(tape.ignored, "ignore")

    def __call__(self, arguments: Sequence[Array]) -> list[Any]:
        """Return the results for other arguments of the same shapes and dtypes.

        Raises
        ------
        Diverged
            If a decision comes out otherwise than when it was recorded.
        """
        arrays = [*arguments, *[make() for make in self._makers]]
        for place, look in self._views:
            arrays.append(look(arrays[place]))
        bound = self._bound
        for operands, i, place in bound:
            operands[i] = arrays[place]
        try:
            if self._ignored:
                with np.errstate(**self._ignored):
                    self._run()
            else:
                self._run()
        finally:
            for operands, i, _ in bound:
                operands[i] = None
        return [arrays[r] if isinstance(r, int) else r(arrays) for r in self._results]

    def _run(self) -> None:
        for function, operands in self._code:
            function(*operands)


def _needed(calls: Sequence[Call], owned: set[Root]) -> list[Call]:
    """The calls that write what the results or the decisions read, in order."""
    wanted = set(owned)
    kept = []
    for call in reversed(calls):
        if call.writes is None or call.writes in wanted:
            kept.append(call)
            wanted |= call.reads
    return kept[::-1]


def _kept(calls: Sequence[Call], slots: _Slots, results: set[Root]) -> dict[Root, Array]:
    """The memory of what the calls make, some of it shared by what is never needed at the same time."""
    last = dict.fromkeys(results, len(calls))
    for i, call in enumerate(calls):
        last |= {root: max(i, last.get(root, 0)) for root in call.touches}
    arrays: dict[Root, Array] = {}
    free: dict[tuple[object, ...], list[Array]] = {}
    for i, call in enumerate(calls):
        mine = [root for root in call.touches if root not in slots]
        for root in mine:
            if root not in arrays:
                spare = free.get(_kind(root.array))
                arrays[root] = spare.pop() if spare else root.array
        for root in mine:
            if last[root] == i and _order(root.array):
                free.setdefault(_kind(root.array), []).append(arrays[root])
    return arrays


def _kind(array: Array) -> tuple[object, ...]:
    return array.shape, array.dtype, _order(array)


class _Slots:
    """Places in the list of a run's own arrays: arguments, new arrays, and then the views of them that calls take."""

    def __init__(self, roots: Sequence[Root]) -> None:
        self._places: dict[tuple[Root, Path], int] = {(root, ()): i for i, root in enumerate(roots)}
        self.views: list[tuple[int, Callable[[Any], Any]]] = []

    def __contains__(self, root: Root) -> bool:
        return (root, ()) in self._places

    def of(self, root: Root, path: Path) -> int:
        """The place of a view; made one, if it has none."""
        if (root, path) not in self._places:
            self.views.append((self.of(root, path[:-1]), path[-1]))
            self._places[root, path] = len(self._places)
        return self._places[root, path]


def _finder(result: Any, slots: _Slots) -> int | Callable[[Sequence[Array]], Any]:
    """The place of one result among a run's arrays, or a function that makes it of them."""
    if not isinstance(result, Recorded):
        return lambda _: result.copy() if isinstance(result, np.ndarray) else result
    kept = result.array
    if result.root not in slots:
        return lambda _: kept.copy()
    place = slots.of(result.root, result.path)
    return (lambda arrays: arrays[place].copy()) if result.root.argument else place


def _order(array: Array) -> str:
    """The memory order that makes an equal array, or "" where none does."""
    return "C" if array.flags.c_contiguous else "F" if array.flags.f_contiguous else ""


def _along(path: Path, array: Any) -> Any:
    for look in path:
        array = look(array)
    return array
