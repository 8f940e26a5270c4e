"""What a replay leaves out: calls that nothing reads, and copies that are never told from what was copied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jacobians.recording.calls import Call, Root, copy_into, roots_of
from jacobians.recording.recorded import Recorded

__all__ = ["needed", "without_copies"]


def needed(calls: Sequence[Call], results: Iterable[Root]) -> list[Call]:
    """The calls that write what the results or the decisions read, in order."""
    wanted = set(results)
    kept = []
    for call in reversed(calls):
        if call.writes is None or call.writes in wanted:
            kept.append(call)
            # what is written whole was for nothing written before
            wanted = wanted - {call.writes} | call.reads
    return kept[::-1]


def without_copies(calls: Sequence[Call], results: Sequence[Any]) -> tuple[list[Call], list[Any]]:
    """The same calls and results with the original for a copy, where neither is written afterwards.

    A gradient is a copy out of its Jacobian, which the replay does not keep. No two results come to lie in the same
    memory.
    """
    last = {call.writes: i for i, call in enumerate(calls) if call.writes is not None}
    owned = roots_of(results)
    originals: dict[Root, Recorded] = {}

    def original(value: Any) -> Any:
        if not isinstance(value, Recorded) or value.root not in originals:
            return value
        whole = originals[value.root]
        return Recorded(value.array, whole.root, value.tape, whole.path + value.path)

    kept = []
    for i, call in enumerate(calls):
        operands = tuple(map(original, call.operands))
        if call.function is copy_into and last[operands[1].root] == i and _same_layout(*operands):
            given, copy = operands
            shared = copy.root in owned and given.root in owned
            if last.get(given.root, -1) < i and not shared:
                originals[copy.root] = given
                if copy.root in owned:
                    owned.add(given.root)
                continue
        reads = {originals[root].root if root in originals else root for root in call.reads}
        kept.append(Call(call.function, operands, call.writes, reads))
    return kept, [original(r) for r in results]


def _same_layout(given: Recorded, copy: Recorded) -> bool:
    a, b = given.array, copy.array  # the copy is contiguous
    alike = a.flags.c_contiguous == b.flags.c_contiguous and a.flags.f_contiguous == b.flags.f_contiguous
    return alike and a.dtype == b.dtype and a.size == given.root.array.size
