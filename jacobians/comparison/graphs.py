"""One forward pass of named values in several conventions: its formulas side by side, and whether gradients agree."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from html import escape
from typing import Any, TypeAlias

import numpy as np

from jacobians.arrays import Array, counted
from jacobians.comparison.comparison import Difference
from jacobians.conventions import Convention
from jacobians.derivation import Definition, GraphDerivation, Recurrence
from jacobians.derivation.derive_graph import derive_graph
from jacobians.errors import LayoutError
from jacobians.graphs import Graph, Value, values
from jacobians.network import Network
from jacobians.network.objective import Objective
from jacobians.operations import Affine
from jacobians.translate import translate_batch, translate_gradients

Layer: TypeAlias = Callable[[int, Value], Value]
"""(l, V) ↦ the affine map of layer l in the convention, of V."""

Forward: TypeAlias = Callable[[Value, Layer], Value]
"""(X, layer) ↦ the outputs, written once for all conventions."""


@dataclass(frozen=True, eq=False)
class GraphSide:
    """The forward pass in one convention.

    Attributes
    ----------
    convention : Convention
    loss : Value
        The last value of the graph.
    parameters : dict
        By the convention's names.
    inputs : Value
        X.
    outputs : Value
        What the loss is of.
    weight : float
        Of every example's loss in the total, its factor included.
    """

    convention: Convention
    loss: Value
    parameters: Mapping[str, Value]
    inputs: Value
    outputs: Value
    weight: float = 1.0

    @cached_property
    def gradient(self) -> dict[str, Array]:
        """The gradient with respect to every parameter."""
        return dict(zip(self.parameters, self.loss.gradients(*self.parameters.values()), strict=True))

    @cached_property
    def derivation(self) -> GraphDerivation:
        """The formulas of the gradients with respect to every parameter and X, in the convention's names."""
        names = self.convention.names
        count = sum(map(names.is_weight, self.parameters))
        cotangents = {names.of("pre", layer): names.of("cotangent", layer) for layer in range(1, count + 1)}
        gradients = {name: names.gradient_of(name) for name in (*self.parameters, "X")}
        called = {**cotangents, **gradients}
        words = {"N": names.count, "P": names.of("prediction", count)}
        by = [*self.parameters.values(), self.inputs]
        return derive_graph(self.loss, by, lambda name: called.get(name, f"d{name}"), words)

    @property
    def gradient_lines(self) -> dict[str, Definition]:
        """The gradients' lines, by a name that all conventions share: W1, b1, X."""
        is_weight = self.convention.names.is_weight
        roles = {
            name: ("W" if is_weight(name) else "b") + "".join(filter(str.isdigit, name)) for name in self.parameters
        }
        return {roles.get(name, name): line for name, line in self.derivation.gradients.items()}

    def allowance(self) -> dict[str, float]:
        """Return, for each parameter, a bound on the rounding error of its gradient's entries.

        As `jacobians.comparison.compare.rounding_allowance`: a sum of n products errs by at most n units in the last
        place of the sum of their magnitudes, with n as all inner lengths of the pass together.
        """
        (delta,) = self.loss.gradients(self.outputs)
        unit = float(np.finfo(delta.dtype).eps) / 2
        nodes = Graph((self.outputs,), (self.inputs, *self.parameters.values())).nodes
        terms = sum(max(node.shape, default=1) for node in nodes)
        # the outputs are rounded too, and a loss bends by no more than 2
        wide = np.abs(delta) + 2 * self.weight * np.abs(self.outputs.array)
        found = {}
        for name, value in self.parameters.items():
            reach = self.outputs.jacobian(value).numerator.positive(np.abs).vjp(wide)
            found[name] = 2 * terms * unit * float(reach.max(initial=0.0))
        return found


@dataclass(frozen=True, eq=False, repr=False)
class GraphComparison:
    """Several conventions' views of one forward pass on one mini-batch.

    Attributes
    ----------
    sides : tuple of GraphSide
    differences : tuple of tuple of Difference
        For each side but the first, one for each parameter.
    ratios : tuple of float
        For each side, what its loss is multiplied by to be the first's.
    """

    sides: tuple[GraphSide, ...]
    differences: tuple[tuple[Difference, ...], ...]
    ratios: tuple[float, ...]

    @property
    def agree(self) -> bool:
        """Whether all gradients are equal, up to rounding."""
        return all(difference.agrees for side in self.differences for difference in side)

    @property
    def rows(self) -> list[tuple[str, tuple[Definition | Recurrence | None, ...]]]:
        """The lines of each part, with one entry per convention; None where a convention has no such line."""
        found: list[tuple[str, tuple[Definition | Recurrence | None, ...]]] = []
        derivations = [side.derivation for side in self.sides]
        parts: dict[str, list[Iterable[Definition | Recurrence]]] = {
            "Forward": [d.forward for d in derivations],
            "Backward": [d.cotangents for d in derivations],
        }
        for part, columns in parts.items():
            found += [(part, row) for row in itertools.zip_longest(*columns)]
        gradients = [side.gradient_lines for side in self.sides]
        roles = dict.fromkeys(role for own in sorted(gradients, key=len, reverse=True) for role in own)
        return found + [("Gradients", tuple(own.get(role) for own in gradients)) for role in roles]

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict, every line by convention, and the differences as plain data."""
        return {
            "agree": self.agree,
            "conventions": [side.convention.name for side in self.sides],
            "lines": [{"part": part, "texts": ["\n".join(_text(line)) for line in row]} for part, row in self.rows],
            "ratios": list(self.ratios),
            "differences": [[{**asdict(d), "agrees": d.agrees} for d in side] for side in self.differences],
        }

    def __repr__(self) -> str:
        names = " against ".join(side.convention.name for side in self.sides)
        return f"{names}: a graph of {counted(len(self.sides[0].parameters), 'parameter')}; {self._verdict}"

    @property
    def _verdict(self) -> str:
        return "one gradient" if self.agree else "NOT one gradient"

    def __str__(self) -> str:
        rows = [(part, [_text(line) for line in row]) for part, row in self.rows]
        heads = [side.convention.name for side in self.sides]
        widths = [max(map(len, [head, *(t for _, c in rows for t in c[k])])) for k, head in enumerate(heads)]
        lines = [repr(self), "", "  " + "   ".join(h.ljust(w) for h, w in zip(heads, widths, strict=True)).rstrip()]
        for part, group in itertools.groupby(rows, lambda row: row[0]):
            lines += ["", part]
            for _, cells in group:
                for texts in itertools.zip_longest(*cells, fillvalue=""):
                    lines.append("  " + "   ".join(t.ljust(w) for t, w in zip(texts, widths, strict=True)).rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(side.convention.name)}</th>" for side in self.sides)
        body = ""
        for part, group in itertools.groupby(self.rows, lambda row: row[0]):
            body += f'<tr><th colspan="{len(self.sides)}">{part}</th></tr>'
            body += "".join(f"<tr>{''.join(f'<td>{_html(line)}</td>' for line in row)}</tr>" for _, row in group)
        return f"<p>{escape(repr(self))}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(line: Definition | Recurrence | None) -> list[str]:
    if isinstance(line, Recurrence):
        return [f"{line.header}:", *(f"  {equation.text}" for equation in line.equations)]
    return [] if line is None else [line.equation.text]


def _html(line: Definition | Recurrence | None) -> str:
    if isinstance(line, Recurrence):
        return f"{escape(line.header)}: {''.join(equation.mathml for equation in line.equations)}"
    return "" if line is None else line.equation.mathml


def compare_graphs(
    forward: Forward,
    networks: Sequence[Network],
    parameters: Mapping[str, Mapping[str, Array]],
    ratios: Sequence[float],
    X: Array,
    Y: Array,
) -> GraphComparison:
    """Return the comparison of a forward pass in the conventions of some networks, which give losses and layers."""
    sides = tuple(graph_side(forward, net, parameters[net.convention.name], X, Y) for net in networks)
    found = tuple(_differences(sides[0], side, ratio) for side, ratio in zip(sides[1:], ratios[1:], strict=True))
    return GraphComparison(sides, found, tuple(ratios))


def graph_side(forward: Forward, network: Objective, parameters: Mapping[str, Array], X: Array, Y: Array) -> GraphSide:
    """Return a forward pass in a network's convention, on examples in rows.

    Raises
    ------
    LayoutError
        If the function asks for a layer that has no parameters, or returns no value.
    """
    convention = network.convention
    rows = convention.replace(name="rows", layout=network.layout.replace(batch="rows"))
    inputs = translate_batch(X, rows, convention)
    targets = translate_batch(Y, rows, convention) if Y.ndim == 2 else Y
    x, *given = values(X=inputs, **parameters)
    named = dict(zip(parameters, given, strict=True))
    made: dict[int, list[Value]] = {}

    def layer(number: int, V: Value) -> Value:
        own = [convention.names.parameter(f"{kind}{number}") for kind in ("W", "b")]
        if own[0] not in named:
            raise LayoutError(f"compare: there is no layer {number}; sizes say how many there are, from 1 on")
        found: Value = Affine(network.layout)(V, *(named[name] for name in own if name in named))
        made.setdefault(number, []).append(found)
        return found

    outputs = forward(x, layer)
    if not isinstance(outputs, Value):
        raise LayoutError(f"compare: forward returned {type(outputs).__name__}; it must return the outputs, a value")
    parts = network.chain.parts
    last = max(place for place, part in enumerate(parts) if isinstance(part, Affine))
    for part in parts[last + 1 :]:  # the output activation, where the loss does not contain it
        outputs = part(outputs)
    for number, (value, *again) in made.items():
        if not again and not value.is_named:
            value.named(convention.names.of("pre", number))
    loss: Value = network.loss(outputs, targets)
    weight = network.loss.factor * network.loss.scale(outputs.array)
    return GraphSide(convention, loss, named, x, outputs, weight)


def _differences(first: GraphSide, other: GraphSide, ratio: float) -> tuple[Difference, ...]:
    """The other's gradient in the first's convention, or both in the other's where that one has no bias."""
    frame = other if other.convention.layout.bias == "none" else first
    own, theirs = (translate_gradients(s.gradient, s.convention, frame.convention) for s in (first, other))
    result = []
    for name, bound in frame.allowance().items():
        largest = float(np.abs(own[name] - theirs[name] * ratio).max(initial=0.0))
        unit = float(np.spacing(max(np.abs(own[name]).max(initial=0.0), np.finfo(own[name].dtype).tiny)))
        allowed = bound * (ratio if frame is other else 1.0) / unit
        gradient = frame.convention.names.gradient_of(name)
        result.append(Difference(name, gradient, frame.convention.name, largest, largest / unit, allowed))
    return tuple(result)
