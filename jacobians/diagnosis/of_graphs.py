"""Why a gradient through a graph of values is wrong: slips of the sweep are tried, each in the right one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from jacobians.diagnosis.distances import TOLERANCE, Distances, findings, pattern, remainder
from jacobians.diagnosis.graph_slips import GraphSetting, GraphSlip, graph_slips
from jacobians.diagnosis.report import Cause, Diagnosis, Verdict
from jacobians.diagnosis.slip import Gradients
from jacobians.errors import ShapeError
from jacobians.graphs import Value

_WORK = 3_000_000
"""Edges that are passed in all, which bounds the time of the search to some seconds."""

_SAME = {"last-step-alone", "bptt-truncated"}
"""Slips that have several descriptions, of which some come to the same where only the last step has a loss."""

_NEAR = 0.7
"""The residual from which on a cause is not worth naming."""


def graph_diagnosis(gradients: Gradients, loss: Value, narrow: Mapping[str, float], precision: str | None) -> Diagnosis:
    """Return why the gradients of a scalar of a graph are wrong; see `diagnose`.

    Parameters
    ----------
    gradients : dict of ndarray
        By the names of values.
    loss : Value
    narrow : mapping of str to float
        By dtype what rounding may do, relative to each gradient's norm; it counts where nothing fits without.
    precision : str or None
        The narrower dtype that holds every entry that is given.

    Raises
    ------
    LayoutError
        If the value is no scalar.
    GraphError
        If it has no value of a name.
    ShapeError
        If a gradient has not its value's shape.
    """
    setting = GraphSetting(loss, list(gradients))
    turned = []
    for name, right in setting.gradient.items():
        given = gradients[name]
        if given.shape != right.shape and given.shape == right.shape[::-1]:
            turned.append(name)
        elif given.shape != right.shape:
            raise ShapeError(
                f"diagnose: the gradient with respect to {name} has shape {given.shape}, {name} has {right.shape}"
            )
    own = {name: g.T if name in turned else g for name, g in gradients.items()}
    before, came = tuple(_transposed(name) for name in turned), dict.fromkeys(turned, "transposed")
    slips = list(graph_slips(setting))
    work = itertools.accumulate(slip.sweeps * len(setting.graph.edges) for slip in slips)
    tried = [slip for slip, spent in zip(slips, work, strict=True) if spent <= _WORK]
    notes = () if len(tried) == len(slips) else (f"only {len(tried)} of {len(slips)} slips were tried",)
    left: list[tuple[GraphSlip, dict[str, float]]] = []
    dtypes = {node.dtype.name for node in setting.graph.nodes} | {precision}
    for tolerance in (TOLERANCE, *(allowed for dtype, allowed in narrow.items() if dtype in dtypes)):
        distances = Distances(own, setting.gradient, tolerance)
        if distances.all_right:
            return Diagnosis("explained" if before else "right", before, findings(distances, came), notes=notes)
        # one gradient is held at a time: there are some hundred slips
        left = left or [(slip, distances.to(slip.gradient())) for slip in tried]
        causes, fits = _causes(distances, left)
        if fits:
            break
    verdict: Verdict = "unexplained" if not fits else "explained" if len(causes) == 1 else "ambiguous"
    return Diagnosis(verdict, (*before, *causes), findings(distances, came), notes=notes, tried=len(tried))


def _transposed(name: str) -> Cause:
    evidence = "its shape is the value's, reversed; it was transposed before comparing"
    title = f"the gradient with respect to {name} is transposed"
    return Cause("transposed", "layout", title, None, evidence, "Transpose it.", 0.0, exact=True)


def _causes(
    distances: Distances, left: Sequence[tuple[GraphSlip, Mapping[str, float]]]
) -> tuple[tuple[Cause, ...], bool]:
    """The slips that give this very gradient; else the nearest. With each comes what it leaves of the difference."""
    ranked: list[tuple[bool, float, GraphSlip]] = []
    for slip, distance in left:
        ranked.append((distances.explains(distance), distances.residual(distance), slip))
    fitting = [r for r in ranked if r[0]]
    usual = min((slip.rank for *_, slip in fitting), default=0)
    exact = [r for r in fitting if r[2].rank == usual]
    chosen = exact or sorted((r for r in ranked if r[1] < _NEAR), key=lambda r: r[1])[:3]
    names: set[str] = set()
    causes = []
    for fits, residual, slip in chosen:
        if slip.name not in names or not fits:
            names.update({slip.name} & _SAME)
            evidence = f"{pattern(distances)}; {remainder(residual)}"
            causes.append(Cause(slip.name, slip.family, slip.title, None, evidence, slip.mend, residual, exact=fits))
    return tuple(causes), bool(exact)
