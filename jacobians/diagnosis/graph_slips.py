"""How hand-written sweeps through a graph go wrong: a cotangent forgotten, written over, or cut off in time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.diagnosis.layer_slips import wrong_layers
from jacobians.diagnosis.slip import Gradients
from jacobians.graphs import Edge, Graph, Node, Value
from jacobians.graphs.rearranging import Permuted
from jacobians.graphs.targets import WithTargets
from jacobians.linops.algebra import pull_row
from jacobians.operations import Elementwise, Transpose

Through: TypeAlias = Callable[[Edge, Array], Array | None]
"""What goes on along an edge of what arrived at its child; None if it is forgotten."""


def passed(edge: Edge, row: Array) -> Array | None:
    """Return the right cotangent along an edge."""
    return pull_row(row, edge.jacobian)


@dataclass(frozen=True, slots=True, eq=False)
class GraphSlip:
    """One wrong sweep.

    Attributes
    ----------
    name, family, title, mend : str
        As for `Slip`.
    gradient : callable
        Of the parameters that it changes.
    rank : int
        Among slips that fit equally well, the smaller is named first.
    sweeps : int
        How many sweeps through the graph it takes at most.
    """

    name: str
    family: str
    title: str
    mend: str
    gradient: Callable[[], Gradients]
    rank: int = 0
    sweeps: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Recurrence:
    """Steps that are alike: the values that are used once in each, and where each step begins and the last one ends.

    Attributes
    ----------
    weights : tuple of Node
    starts : tuple of int
        Numbers of nodes.
    end : int
    """

    weights: tuple[Node, ...]
    starts: tuple[int, ...]
    end: int

    def step(self, node: Node) -> int:
        """Return the step that a node belongs to, from 1; 0 before the first, and one more after the last."""
        return len(self.starts) + 1 if node.number >= self.end else bisect_right(self.starts, node.number)

    def steps_back(self, edge: Edge) -> int:
        """Return how many steps an edge goes back in time; 0 where it carries no state.

        A number that adds up the losses of the steps is no state.
        """
        child, parent = self.step(edge.child), self.step(edge.parent)
        if not 0 < parent < child <= len(self.starts) or edge.parent.shape == ():
            return 0
        return child - parent


class GraphSetting:
    """A scalar of a graph, the values that it is differentiated by, and its right sweep.

    Parameters
    ----------
    loss : Value
    names : sequence of str
        Of the values.

    Attributes
    ----------
    gradient : dict of ndarray
        The right one, in float64.
    uses : dict
        By a node's number, the edges that lead to it, those of its first use first.
    """

    def __init__(self, loss: Value, names: Sequence[str]) -> None:
        self.loss = loss
        right = loss.gradients(*names)
        self.gradient: Gradients = {n: g.astype(np.float64) for n, g in zip(names, right, strict=True)}
        by_name = {node.name: node for node in self._inputs(names)}
        self.params: dict[str, Node] = {name: by_name[name] for name in names if name in by_name}
        self.graph = Graph((loss,), tuple(self.params.values()))
        self.uses: dict[int, list[Edge]] = {}
        for edge in self.graph.edges:
            self.uses.setdefault(edge.parent.number, []).append(edge)

    def _inputs(self, names: Sequence[str]) -> Iterator[Node]:
        """The values of these names that the loss depends on."""
        seen, todo = {self.loss.number}, [Edge(self.loss, "", self.loss)]
        while todo:
            node = todo.pop().parent
            if node.name in names:
                yield node
            fresh = [edge for edge in node.edges() if edge.parent.number not in seen]
            seen.update(edge.parent.number for edge in fresh)
            todo += fresh

    # --- sweeps ----------------------------------------------------------------------------------

    def swept(self, through: Through = passed, age: Callable[[Edge], int] | None = None, limit: int = 0) -> Gradients:
        """Return the gradients of one sweep back. With `age`, the sweep stops after `limit` steps back in time."""
        arrived = self.arrived(through, age, limit)
        found = {name: np.zeros_like(g) for name, g in self.gradient.items()}
        for name, node in self.params.items():
            for row in arrived.get(node.number, {}).values():
                found[name] = found[name] + row
        return found

    def arrived(
        self, through: Through = passed, age: Callable[[Edge], int] | None = None, limit: int = 0
    ) -> dict[int, dict[int, Array]]:
        """Return what arrives at each node, by the node's number and the steps back in time."""
        arrived: dict[int, dict[int, Array]] = {self.loss.number: {0: np.ones((), self.loss.dtype)}}
        for node in reversed(self.graph.nodes):
            for edge in self.graph.into[node]:
                for steps, row in arrived.get(node.number, {}).items():
                    older = steps + age(edge) if age else steps
                    part = None if age and older >= limit else through(edge, row)
                    if part is not None:
                        own = arrived.setdefault(edge.parent.number, {})
                        own[older] = own[older] + part if older in own else part
        return arrived

    @cached_property
    def right(self) -> dict[int, Array]:
        """The right cotangent by node's number."""
        return {number: rows[0] for number, rows in self.arrived().items()}

    def term(self, edge: Edge) -> Array:
        """Return what a use adds to the cotangent of a value."""
        return np.asarray(passed(edge, self.right[edge.child.number]), np.float64)

    # --- what is in the graph --------------------------------------------------------------------

    @cached_property
    def recurrences(self) -> list[Recurrence]:
        """The steps that are alike, by the values that are used once in each of them."""
        groups: dict[tuple[int, int], list[tuple[Node, list[int]]]] = {}
        params = {node.number for node in self.params.values()}
        for node in self.graph.nodes:
            at = [edge.child.number for edge in self.uses.get(node.number, [])]
            gaps = {b - a for a, b in pairwise(at)}
            if len(gaps) == 1 and 0 not in gaps and len(at) > (1 if node.number in params else 2):
                groups.setdefault((len(at), gaps.pop()), []).append((node, at))
        found = []
        for (count, gap), members in groups.items():
            while members:
                first = min(at[0] for _, at in members)
                inside = [m for m in members if m[1][0] < first + gap]
                members = [m for m in members if m[1][0] >= first + gap]
                if count > 2 or len(inside) > 1:
                    starts = tuple(first + gap * t for t in range(count))
                    found.append(Recurrence(tuple(node for node, _ in inside), starts, starts[-1] + gap))
        return found


def graph_slips(setting: GraphSetting) -> Iterator[GraphSlip]:
    """Return the catalogue. The kinds of which a large graph has most come last."""
    yield from _of_parameters(setting)
    yield from _of_layers(setting)
    yield from _of_moved_axes(setting)
    yield from _through_time(setting)
    yield from _in_every_step(setting)
    yield from _everywhere(setting)
    yield from _general(setting)
    yield from _at_branches(setting)


_LONG = 32
"""Steps up to which a sweep is stopped after any number of them."""

_ADD = "Add up what comes from every use: dH += …, with dH = 0 before the sweep."


def _said(edge: Edge, edges: Sequence[Edge]) -> str:
    """The name of a use, with the operand where one operation uses a value twice."""
    again = sum(other.child is edge.child for other in edges) > 1
    return f"{edge.child.name}{f' as {edge.name}' if again else ''}"


def _over(edge: Edge, edges: Sequence[Edge]) -> str:
    """The other reading where two uses are there: the sweep comes to the earlier use last."""
    return ", or was written over (= for +=)" if len(edges) == 2 and edge is edges[-1] else ""


def _changed(setting: GraphSetting, name: str, gradient: Callable[[], Array]) -> Callable[[], Gradients]:
    return lambda: {**setting.gradient, name: gradient()}


def _sum(setting: GraphSetting, edges: Sequence[Edge]) -> Array:
    """What some uses add up to."""
    return as_array(sum(map(setting.term, edges)))


def _less(setting: GraphSetting, name: str, edge: Edge) -> Array:
    return as_array(setting.gradient[name] - setting.term(edge))


def _steps_kept(count: int) -> list[int]:
    """After how many steps of a recurrence a sweep may stop: in a long one, few or a round number."""
    every = range(1, count)
    return [k for k in every if count <= _LONG or k <= _LONG // 2 or k % 50 == 0 or k & (k - 1) == 0]


def _of_parameters(setting: GraphSetting) -> Iterator[GraphSlip]:
    """One use of a shared weight forgotten, and one alone kept."""
    alone = {r.weights[0].number: r for r in setting.recurrences if len(r.weights) == 1}
    last_alone = {node.number for r in setting.recurrences for node in r.weights}
    for name, node in setting.params.items():
        edges = setting.uses.get(node.number, [])
        if len(edges) < 2:
            continue
        for place, edge in enumerate(edges):
            if place == 0 and node.number in alone:
                continue  # the same as a sweep that stops one step early
            title = f"the gradient with respect to {name} lacks its use in {_said(edge, edges)}{_over(edge, edges)}"
            less = _changed(setting, name, partial(_less, setting, name, edge))
            yield GraphSlip("use-forgotten", "graph", title, _ADD, less)
        for edge in edges if len(edges) > 2 else ():
            only = _changed(setting, name, partial(setting.term, edge))
            if edge is edges[-1] and node.number in last_alone:
                title = f"the gradient with respect to {name} is of the last of its {len(edges)} steps alone"
                mend = "Add up the gradients of all steps."
                yield GraphSlip("last-step-alone", "graph", title, mend, only)
                continue
            alone_in = f"that of its use in {_said(edge, edges)} alone: {len(edges)} are added"
            title = f"the gradient with respect to {name} is {alone_in}"
            yield GraphSlip("cotangent-overwritten", "graph", title, _ADD, only, rank=int(edge is not edges[0]))
        if node.number in last_alone:
            for kept in _steps_kept(len(edges))[1:-1]:
                title = f"the gradient with respect to {name} is of the last {kept} of its {len(edges)} steps"
                some = _changed(setting, name, partial(_sum, setting, edges[-kept:]))
                yield GraphSlip("bptt-truncated", "graph", title, _BPTT, some, rank=1)


_BPTT = "Go back through all steps; or check a truncated gradient against a truncated loss."


def _through_time(setting: GraphSetting) -> Iterator[GraphSlip]:
    """Backpropagation through time that stops: for the loss of each step, after some steps, or at every kth."""
    for r in setting.recurrences:
        count = len(r.starts)
        for kept in _steps_kept(count):
            name, of = "bptt-truncated", f"{kept} of {count} steps"
            window, last = f"backpropagation through time stops after {of}", f"the sweep is over after {of}"
            if kept == 1:
                name = "last-step-alone"
                window = (
                    "nothing goes back from one step to the step before: it is forgotten, or written over (= for +=)"
                )
                last = f"the gradient is of the last of {count} steps alone"

            def shorter(kept: int = kept, r: Recurrence = r) -> Gradients:
                return setting.swept(age=r.steps_back, limit=kept)

            def over(kept: int = kept, r: Recurrence = r) -> Gradients:
                first = len(r.starts) - kept + 1
                return setting.swept(lambda e, row: None if 0 < r.step(e.child) < first else passed(e, row))

            def cut(kept: int = kept, r: Recurrence = r) -> Gradients:
                cuts = range(kept + 1, len(r.starts) + 1, kept)
                return setting.swept(lambda e, row: None if any(_crosses(r, e, c) for c in cuts) else passed(e, row))

            yield GraphSlip(name, "graph", window, _BPTT, shorter, sweeps=kept)
            yield GraphSlip(name, "graph", last, _BPTT, over, sweeps=1)
            if kept > 1:
                title = f"the state is cut off from what made it at every {kept} of {count} steps"
                yield GraphSlip(name, "graph", title, _BPTT, cut, rank=1, sweeps=1)


def _crosses(r: Recurrence, edge: Edge, first: int) -> bool:
    """Whether a state is handed on over the beginning of a step."""
    return bool(r.steps_back(edge)) and r.step(edge.parent) < first <= r.step(edge.child)


def _at_branches(setting: GraphSetting) -> Iterator[GraphSlip]:
    """The cotangent of a value that branches: one use forgotten, or all but one."""
    params = {node.number for node in setting.params.values()}
    for node in setting.graph.nodes:
        edges = setting.uses.get(node.number, [])
        if node.number in params or len(edges) < 2:
            continue
        for edge in edges:
            title = f"the cotangent of {node.name} lacks that of its use in {_said(edge, edges)}{_over(edge, edges)}"
            # of v∘v both uses say the same, and that all is halved says it better
            twice = sum(other.child is edge.child for other in edges) > 1
            yield GraphSlip(
                "branch-forgotten", "graph", title, _ADD, _without(setting, [edge]), rank=2 * twice, sweeps=1
            )
        for edge in edges if len(edges) > 2 else ():
            title = (
                f"the cotangent of {node.name} is that of its use in {_said(edge, edges)} alone: {len(edges)} are added"
            )
            rest = _without(setting, [e for e in edges if e is not edge])
            yield GraphSlip(
                "cotangent-overwritten", "graph", title, _ADD, rest, rank=int(edge is not edges[0]), sweeps=1
            )


def _in_every_step(setting: GraphSetting) -> Iterator[GraphSlip]:
    """The same branch forgotten in every step: the state's use in its own step, or that in the step after."""
    by_number = {node.number: node for node in setting.graph.nodes}
    for r in setting.recurrences:
        for place in range(r.end - r.starts[-1]):
            nodes = [by_number[start + place] for start in r.starts if start + place in by_number]
            branched = [edges for node in nodes if len(edges := setting.uses.get(node.number, [])) > 1]
            later = [edge for edges in branched for edge in edges if r.steps_back(edge)]
            own = [edge for edges in branched for edge in edges if not r.steps_back(edge)]
            if not later or not own or len(branched) < 2:
                continue
            ways = [(own, "its own step")]
            if len(later) < sum(bool(r.steps_back(edge)) for edge in setting.graph.edges):  # else, nothing goes back
                ways.append((later, "the step after, or was written over (= for +=)"))
            for gone, said in ways:
                title = (
                    f"the cotangent of {nodes[0].name}, and of its like in every step, lacks that of its use in {said}"
                )
                yield GraphSlip("branch-forgotten", "graph", title, _ADD, _without(setting, gone), sweeps=1)


def _without(setting: GraphSetting, gone: Sequence[Edge]) -> Callable[[], Gradients]:
    ends = {(edge.child.number, edge.name) for edge in gone}
    return lambda: setting.swept(lambda e, row: None if (e.child.number, e.name) in ends else passed(e, row))


def _everywhere(setting: GraphSetting) -> Iterator[GraphSlip]:
    """Every cotangent overwritten, of the weights, of the others, or of all: only the earliest use remains."""
    params = {node.number for node in setting.params.values()}
    shared = {number: edges for number, edges in setting.uses.items() if len(edges) > 1}
    for text, own in (
        ("the cotangents of all values and weights", set(shared)),
        ("the cotangents of all values", set(shared) - params),
        ("the gradients with respect to all weights", set(shared) & params),
    ):
        if len(own) > 1:
            title = f"{text} that are used several times are written over (= for +=)"
            gone = [edge for number in own for edge in shared[number][1:]]
            yield GraphSlip("cotangent-overwritten", "graph", title, _ADD, _without(setting, gone), rank=1, sweeps=1)


def _general(setting: GraphSetting) -> Iterator[GraphSlip]:
    """What goes wrong in any backward pass: the sign, a factor, a transpose, a slope left out."""
    through, mean = "Follow the factor through the sweep by hand.", "Divide by N: the loss is a mean."
    factors = {
        -1.0: ("sign", "has the other sign", through),
        2.0: ("doubled", "is doubled", through),
        0.5: ("halved", "is halved", through),
        0.0: ("zero", "is zero", through),
    }
    for count in sorted(_averaged_over(setting)):
        factors[count] = ("missing-1/N", f"is {count} times too large: 1/N is missing", mean)
        factors[1 / count] = ("double-1/N", f"is {count} times too small: 1/N is there twice", "Divide by N once only.")
    everything: list[tuple[str, list[str]]] = [("everything", list(setting.gradient))]
    parts = everything * (len(setting.gradient) > 1) + [
        (f"the gradient with respect to {n}", [n]) for n in setting.gradient
    ]
    for text, names in parts:
        for factor, (name, said, mend) in factors.items():
            changed = {n: factor * setting.gradient[n] for n in names}
            yield GraphSlip(
                name, "scale", f"{text} {said}", mend, partial(dict, {**setting.gradient, **changed}), rank=1
            )
    for name, right in setting.gradient.items():
        if right.ndim == 2 and right.shape[0] == right.shape[1] > 1:
            turned: Callable[[], Gradients] = partial(dict, {**setting.gradient, name: right.T})
            yield GraphSlip(
                "transposed", "layout", f"the gradient with respect to {name} is transposed", "Transpose it.", turned
            )
    slopes = [node for node in setting.graph.nodes if isinstance(node.operation, Elementwise)]
    for node in slopes:
        title = f"the derivative of {node.name} is left out"
        mend = "Multiply by the slope, entry by entry."
        left_out = _unsloped(setting, [node])
        yield GraphSlip("missing-activation-derivative", "activation", title, mend, left_out, sweeps=1)
    if len(slopes) > 1:
        title, mend = "the derivatives of all activations are left out", "Multiply by the slopes, entry by entry."
        left_out = _unsloped(setting, slopes)
        yield GraphSlip("missing-activation-derivative", "activation", title, mend, left_out, sweeps=1)


def _of_layers(setting: GraphSetting) -> Iterator[GraphSlip]:
    """The slips of layers that are one operation each."""
    for node in setting.graph.nodes:
        operation = node.operation
        if operation is None or isinstance(operation, (Elementwise, WithTargets)):
            continue
        arrays = (operand.array if isinstance(operand, Node) else operand for operand in node.operands)
        for wrong in wrong_layers(operation, dict(zip(operation.names, arrays, strict=True))):
            gone = partial(_pulled_wrongly, setting, node, wrong.pulls)
            yield GraphSlip(wrong.name, "layers", f"{wrong.title}: {node.name}", wrong.mend, gone, wrong.rank, sweeps=1)


def _of_moved_axes(setting: GraphSetting) -> Iterator[GraphSlip]:
    """Axes that are not moved back, such as heads that are joined without a transpose: the entries are reshaped."""
    moved = [n for n in setting.graph.nodes if isinstance(n.operation, (Permuted, Transpose)) and n.size > max(n.shape)]
    together: dict[Node, list[Node]] = {}
    for node in moved:
        for edge in setting.uses.get(node.number, []):
            together.setdefault(edge.child, []).append(node)
    mend = "Move the axes back before they are reshaped: dX = dY.transpose(…), in the inverse order."
    several = [(f"the operands of {child.name}", own) for child, own in together.items() if len(own) > 1]
    every = [("all values", moved)] if len(moved) > max((len(own) for _, own in several), default=1) else []
    for said, nodes in [*((n.name, [n]) for n in moved), *several, *every]:
        title = f"the gradient of {said} is reshaped, and its axes are not moved back"
        numbers = {node.number for node in nodes}

        def through(edge: Edge, row: Array, numbers: set[int] = numbers) -> Array | None:
            return row.reshape(edge.parent.shape) if edge.child.number in numbers else passed(edge, row)

        yield GraphSlip("axes-not-moved", "layout", title, mend, partial(setting.swept, through), sweeps=1)


def _pulled_wrongly(setting: GraphSetting, node: Node, pulls: Mapping[str, Callable[[Array], Array]]) -> Gradients:
    def through(edge: Edge, row: Array) -> Array | None:
        return pulls[edge.name](row) if edge.child is node and edge.name in pulls else passed(edge, row)

    return setting.swept(through)


def _averaged_over(setting: GraphSetting) -> set[int]:
    """Over how many examples the losses of the graph are means."""
    found = {1}
    for node in setting.graph.nodes:
        if isinstance(node.operation, WithTargets):
            found.add(round(1 / node.operation.loss.scale(next(node.edges()).parent.array)))
    return found - {1}


def _unsloped(setting: GraphSetting, nodes: Sequence[Node]) -> Callable[[], Gradients]:
    numbers = {node.number for node in nodes}
    return lambda: setting.swept(lambda e, row: row if e.child.number in numbers else passed(e, row))
