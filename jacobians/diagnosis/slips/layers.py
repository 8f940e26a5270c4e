"""Slips of layers in a chain: of a convolution, a pool, a normalisation, dropout, a recurrence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jacobians.diagnosis.layer_slips import wrong_layers
from jacobians.diagnosis.slip import Backward, Edit, Pullback, Setting, Slip


def layers(setting: Setting) -> Iterator[Slip]:
    """What `wrong_layers` says of each operation."""
    owners = _owners(setting)
    for position, operation in enumerate(setting.operations):
        own = {local: name for name, (place, local) in owners.items() if place == position}
        seen_before = any(place < position for place, _ in owners.values())
        arrays = {operation.names[0]: setting.input_of(position)}
        arrays |= {local: setting.params[own[local]] for local in operation.names[1:] if local in own}
        if len(arrays) < len(operation.names):
            continue
        for wrong in wrong_layers(operation, arrays):
            if not seen_before and not wrong.pulls.keys() & own.keys():
                continue  # what arrives at the images alone reaches no parameter
            title, scope = f"{wrong.title}, operation {position + 1}", f"{position}: {wrong.title}"
            edit = _edit(position, operation.names[0], own, wrong.pulls)
            yield Slip(wrong.name, "layers", title, wrong.mend, edit, scope=scope, rank=wrong.rank)


def _owners(setting: Setting) -> dict[str, tuple[int, str]]:
    return {name: setting.network.chain.owner(own) for name, own in setting.network.names.items()}


def _edit(position: int, first: str, own: Mapping[str, str], pulls: Mapping[str, Pullback]) -> Edit:
    def edit(right: Backward) -> Backward:
        for local, pull in pulls.items():
            right = right.with_flow({position: pull}) if local == first else right.with_local(own[local], pull)
        return right

    return edit
