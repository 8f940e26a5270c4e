"""Why is this gradient wrong? The given one is matched against mutations of the right one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from jacobians.checking.diagnosis.explanations import Explanation, Found, search, wrong_gradient
from jacobians.checking.diagnosis.extremes import extremes
from jacobians.checking.diagnosis.given import Given, readings
from jacobians.checking.diagnosis.mutations import catalogue
from jacobians.checking.diagnosis.mutations.evidence import Distances, findings
from jacobians.checking.diagnosis.mutations.examples import too_large
from jacobians.checking.diagnosis.mutations.mutation import Mutation
from jacobians.checking.diagnosis.mutations.preset import translation
from jacobians.checking.diagnosis.mutations.setting import Setting
from jacobians.checking.diagnosis.result import Cause, Diagnosis, Verdict
from jacobians.checking.diagnosis.separation import separating
from jacobians.errors import DomainError
from jacobians.network import Network

__all__ = ["diagnose"]

_NEEDS_DATA = (
    "a value alone cannot show a cache of an earlier batch, a shared buffer or a result that changes from call to "
    "call: check_gradient looks for those"
)

_BETWEEN = "outputs from 40 to 80, where probabilities round and eᶻ does not overflow"
_FEWER_EXAMPLES = (
    "single examples were not looked at, since the batch is too large for it; diagnose a gradient of a few hundred"
)


def diagnose(
    gradient: Mapping[str, npt.ArrayLike] | npt.ArrayLike,
    network: Network,
    params: Mapping[str, npt.ArrayLike],
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
) -> Diagnosis:
    """Return why a gradient is wrong: the causes that explain it, with numbers and a mend.

    The right gradient is mutated in every way of a catalogue of slips, through the chain of Jacobians, so that a slip
    in one layer reaches all layers before it; a cause is the mutation that gives the very gradient, in all parameters.

    Parameters
    ----------
    gradient : mapping of str to array_like, or array_like, shape (P,)
        By parameter's name, or packed as the network's convention packs. The layout may be another preset's.
    network : Network
        What the gradient should be of, in the convention of the program that computed it.
    params, X, Y
        As for `Network.gradient`; not written to.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ShapeError
        If the gradient's shapes fit neither the network, nor another preset, nor a transpose; or `params`, X and Y do
        not fit the network.
    DomainError
        If the batch is empty, or a target is out of range.
    DTypeError
        If the gradient's entries are no real numbers.

    Examples
    --------
    >>> net = Network.dense((4, 3, 2), convention="cs231n")
    >>> rng = np.random.default_rng(0)
    >>> params, X, Y = net.init(rng), rng.normal(size=(5, 4)), [0, 1, 1, 0, 1]
    >>> wrong = net.gradient(params, X, Y)
    >>> wrong["W2"] = wrong["W2"] * 5
    >>> print(diagnose(wrong, net, params, X, Y))
    1/N is missing: factor N = 5, in W2 only.
    <BLANKLINE>
       W1  right
       b1  right
       W2  wrong  error 8.00e-01  norm × 5  cosine +1.0000
       b2  right
       Evidence: W2 is 5 times the right one in every entry; residual 0.0e+00.
       Mend: Divide by N: the loss is a mean.
    """
    setting = Setting(network, params, X, Y)
    if setting.count == 0:
        raise DomainError("diagnose: the batch is empty; a gradient of no examples says nothing about its causes")
    given = _best_reading(readings(gradient, setting), setting)
    distances = Distances(given.gradients, setting.gradient)
    lost = extremes(setting, given.gradients)
    arranged = _arrangement(given, setting)
    if distances.all_right:
        causes = (*lost, *arranged)
        hidden = () if causes else _hidden(setting)
        verdict: Verdict = "right" if not causes else "ambiguous" if len(lost) > 1 else "explained"
        apart = (_BETWEEN,) if len(lost) > 1 else ()
        return Diagnosis(verdict, causes, findings(distances), apart, hidden=hidden, notes=given.notes)
    found = search(setting, distances)
    if not _is_exact(found) and given.precision is not None:
        # narrower numbers: what rounding may do is more
        wider = Distances(given.gradients, setting.gradient, given.tolerance)
        if wider.all_right:
            rounded = _rounded(given, setting, params)
            causes = (*lost, *arranged, *rounded)
            return Diagnosis("explained" if causes else "right", causes, findings(wider), notes=given.notes)
        distances, found = wider, search(setting, wider)
    return _verdict(setting, distances, found, (*lost[:1], *arranged), given.notes)


def _is_exact(found: Found) -> bool:
    return bool(found.explanations) and found.explanations[0].exact


def _best_reading(candidates: Sequence[Given], setting: Setting) -> Given:
    """The reading nearest to the right gradient; shapes alone do not always tell presets apart."""
    if len(candidates) == 1:
        return candidates[0]

    def error(given: Given) -> float:
        return max(Distances(given.gradients, setting.gradient).start.values())

    return min(candidates, key=error)


def _verdict(
    setting: Setting, distances: Distances, found: Found, before: tuple[Cause, ...], notes: tuple[str, ...]
) -> Diagnosis:
    explanations = found.explanations
    causes = tuple(cause for e in explanations for cause in _causes(e, distances))
    if not _is_exact(found):
        said = (*notes, _NEEDS_DATA, *([_FEWER_EXAMPLES] if too_large(setting) else []))
        return Diagnosis("unexplained", (*before, *causes), findings(distances), notes=said, tried=found.tried)
    single = [e.mutations[0] for e in explanations if len(e.mutations) == 1]
    if len(explanations) == 1 or not single:
        # of several pairs that fit, the first is the most usual
        first = tuple(_causes(explanations[0], distances))
        return Diagnosis("explained", (*before, *first), findings(distances), notes=notes, tried=found.tried)
    distinct = _distinct(setting, single)
    causes = tuple(c for e in explanations if e.mutations[0] in distinct for c in _causes(e, distances))
    if len(distinct) == 1:
        return Diagnosis("explained", (*before, *causes), findings(distances), notes=notes, tried=found.tried)
    apart = separating(setting, distinct).phrases
    return Diagnosis("ambiguous", (*before, *causes), findings(distances), apart, notes=notes, tried=found.tried)


def _distinct(setting: Setting, mutations: Sequence[Mutation]) -> list[Mutation]:
    """Leave out what is another mutation of the same name in other words: no input tells the two apart."""
    alike = separating(setting, mutations).alike
    again = {
        i for i, j in alike if (mutations[i].name == mutations[j].name or _both_packings(mutations[i], mutations[j]))
    }
    return [m for i, m in enumerate(mutations) if i not in again]


def _both_packings(a: Mutation, b: Mutation) -> bool:
    """An order of blocks, said again: a preset that packs so also says how to translate, a reshape what was done."""
    plain = ("block-order", "packing-vec-order")
    return a.family == b.family == "layout" and (a.name in plain or b.name in plain)


def _causes(explanation: Explanation, distances: Distances) -> list[Cause]:
    together = " of both together" if len(explanation.mutations) > 1 else ""
    causes = []
    for mutation in explanation.mutations:
        said = mutation.evidence or _pattern(distances)
        left = f"residual{together} {explanation.residual:.1e}"
        causes.append(
            Cause(
                mutation.name,
                mutation.family,
                mutation.title,
                mutation.layer,
                f"{said}; {left}",
                mutation.mend,
                explanation.residual,
                explanation.exact,
            )
        )
    return causes


def _pattern(distances: Distances) -> str:
    """Which parameters are wrong, and whether they are multiples of the right ones."""
    wrong = [n for n in distances.start if not distances.is_right(n)]
    rest = [n for n in distances.start if distances.is_right(n)]
    ratios = {}
    for name in wrong:
        right, given = distances.right[name].ravel(), distances.given[name].ravel()
        length = float(right @ right)
        ratio = float(given @ right) / length if length else np.nan
        if np.linalg.norm(given - ratio * right) <= 1e-8 * max(float(np.linalg.norm(given)), 1e-300):
            ratios[name] = ratio
    if len(ratios) == len(wrong) and len({f"{r:.8g}" for r in ratios.values()}) == 1:
        ratio = next(iter(ratios.values()))
        return f"{', '.join(wrong)} {'are' if len(wrong) > 1 else 'is'} {ratio:.10g} times the right one in every entry"
    return f"{', '.join(wrong)} wrong, {', '.join(rest) or 'nothing'} right, as this cause has it"


def _arrangement(given: Given, setting: Setting) -> tuple[Cause, ...]:
    """The layout it came in, where that is not the network's."""
    own = setting.network.convention
    if given.layout is not None:
        title = f"the gradient is in the layout of {given.layout_names}, not of {own.name}"
        evidence = f"its names and shapes are those of {given.layout.name}; it was translated before comparing"
        return (
            Cause("other-layout", "layout", title, None, evidence, translation(given.layout, own), 0.0, exact=True),
        )
    if given.turned:
        title = f"the gradient by {' and '.join(given.turned)} is transposed"
        evidence = "its shape is the parameter's, reversed; it was transposed before comparing"
        return (Cause("transposed", "layout", title, None, evidence, "Transpose it.", 0.0, exact=True),)
    return ()


def _rounded(given: Given, setting: Setting, params: Mapping[str, npt.ArrayLike]) -> tuple[Cause, ...]:
    """Right to a narrower precision; that is a slip only where the parameters are held in a wider one."""
    precision = str(given.precision)
    if all(np.asarray(p).dtype.itemsize <= np.dtype(precision).itemsize for p in params.values()):
        return ()
    return (
        Cause(
            f"result-{precision}",
            "state",
            f"the gradient is right, but only to {precision}'s precision",
            None,
            f"every entry is exactly a {precision} number, and the parameters are wider",
            "Keep float64 throughout: float32 buffers round every result.",
            0.0,
            exact=True,
        ),
    )


def _hidden(setting: Setting) -> tuple[str, ...]:
    """Mistakes that this data cannot show: one phrase for each kind."""
    found: dict[str, Mutation] = {}
    for mutation in catalogue(setting):
        wrong = wrong_gradient(setting, mutation)
        same = wrong is not None and all(np.array_equal(wrong[n], g) for n, g in setting.gradient.items())
        if same and mutation.rank == 0:
            found.setdefault(mutation.name, mutation)
    return tuple(mutation.title for mutation in found.values())
