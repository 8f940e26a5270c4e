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

    Every array that the function made is kept and written again, except those that a result lies in: these are new in
    every run. Arguments and results are put into their calls' operands before a run and taken out after it.

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
        for call in _needed(tape.calls, set(owned)):
            operands = [o.array if isinstance(o, Recorded) else o for o in call.operands]
            for i, operand in enumerate(call.operands):
                if isinstance(operand, Recorded) and operand.root in slots:
                    operands[i] = None
                    self._bound.append((operands, i, slots.of(operand.root, operand.path)))
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
