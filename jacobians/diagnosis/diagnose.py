"""`diagnose`: why is this gradient wrong? It is compared with the right gradient after each known slip."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_float, kind_of, size_of
from jacobians.checking.printed_digits import digits_of
from jacobians.conventions import Convention
from jacobians.diagnosis.distances import TOLERANCE, Distances, findings, pattern, remainder
from jacobians.diagnosis.fitting_examples import too_large
from jacobians.diagnosis.of_graphs import graph_diagnosis
from jacobians.diagnosis.of_hessians import blocks_of, hessian_diagnosis, names_of
from jacobians.diagnosis.report import Cause, Diagnosis, Verdict
from jacobians.diagnosis.search import Explanation, Found, changes_nothing, search, wrong_gradient
from jacobians.diagnosis.slip import Gradients, Setting, Slip
from jacobians.diagnosis.slips import catalogue
from jacobians.diagnosis.slips.preset import other_layouts, translation
from jacobians.diagnosis.telling_apart import separating
from jacobians.errors import ArgumentError, DomainError, JacobiansError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.linops import Jacobian
from jacobians.named_parameters import checked, refuse_unnamed
from jacobians.network import Network, Run
from jacobians.operations.hessian import Hessian
from jacobians.translate import translate_gradients

_PRECISIONS = ((np.float16, 2e-2), (np.float32, 4e-6))
"""Storage dtypes narrower than float64, and what rounding in them may do to a gradient."""

_COARSEST = 1e-4
"""Numbers printed more coarsely than this, relative to a parameter's gradient, are not taken for printed ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One way to read what was handed over.

    Attributes
    ----------
    gradients : dict of ndarray
        float64, in the network's own names, shapes and layout.
    layout : Convention or None
        The preset in whose layout it came, if not in the network's.
    layout_names : str
        The presets that share it.
    turned : tuple of str
        Parameters that came transposed.
    moved : tuple of str
        Parameters that came in a preset's layout, and otherwise than in the network's.
    notes : tuple of str
    precision : str or None
        The narrower dtype that holds every entry exactly, "float16" or "float32"; or how many digits were printed.
    tolerance : float
        What rounding may do to each parameter's gradient, relative to its norm.
    """

    gradients: Gradients
    layout: Convention | None = None
    layout_names: str = ""
    turned: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    precision: str | None = None
    tolerance: float = 1e-10

    @property
    def came(self) -> dict[str, str]:
        """The wrong form in which parameters came, which was corrected before comparing."""
        return dict.fromkeys(self.turned, "transposed") | dict.fromkeys(self.moved, "in another layout")


def readings(gradient: Mapping[str, npt.ArrayLike] | npt.ArrayLike, setting: Setting) -> list[Reading]:
    """Return the ways to read a gradient, the network's own layout first.

    Raises
    ------
    ShapeError
        If its shapes fit neither the network's layout, nor any preset's, nor a transpose.
    DTypeError
        If its entries are no real numbers.
    """
    own = setting.network.convention
    shapes = {name: p.shape for name, p in setting.params.items()}
    listed = isinstance(gradient, (list, tuple)) and any(np.ndim(g) for g in gradient)
    if listed or hasattr(gradient, "coefs_"):
        refuse_unnamed(gradient, shapes, own.layout, own.names, own.name, "diagnose", "gradient")
    if not isinstance(gradient, Mapping):
        return [_reading(_unpacked(as_float(gradient, "gradient", "diagnose"), setting))]
    arrays = {name: as_float(g, name, "diagnose") for name, g in gradient.items()}
    came = {n: arrays[n] for n in shapes if n in arrays}
    differ = tuple(n for n, g in came.items() if g.shape != shapes[n])
    complete = arrays.keys() == shapes.keys()
    if complete and all(_squeezed(came[n].shape) == _squeezed(shapes[n]) for n in differ):
        note = "; ".join(f"{n} came as {came[n].shape}, not {shapes[n]}" for n in differ)
        own_shapes = {n: g.reshape(shapes[n]) for n, g in came.items()}
        return [_reading(own_shapes, notes=(note,) if note else ())]
    found = []
    for other, names in other_layouts(own):
        try:
            # the widths are read from the given shapes; they must lead to this network's shapes
            moved = translate_gradients(arrays, other, own)
        except JacobiansError:
            continue
        if {n: g.shape for n, g in moved.items()} == shapes:
            differs = tuple(n for n, g in moved.items() if n not in arrays or not np.array_equal(arrays[n], g))
            found.append(_reading(moved, layout=other, layout_names=names, moved=differs))
    if complete and all(came[n].shape == shapes[n][::-1] for n in differ):
        found.append(_reading({n: g.T if n in differ else g for n, g in came.items()}, turned=differ))
    if not found:
        _refuse(arrays, shapes, setting)
    return found


def _unpacked(vector: Array, setting: Setting) -> Gradients:
    network, own = setting.network, setting.network.convention
    total = sum(p.size for p in setting.params.values())
    if vector.size == total and vector.ndim <= 2 and total in vector.shape:
        return network.unpack(vector.reshape(total))
    hints = []
    for other, names in other_layouts(own):
        try:
            size = sum(map(size_of, other.shapes(own.sizes(setting.params)).values()))
        except JacobiansError:
            continue
        if size == vector.size:
            hints.append(names)
    fits = f"; as many as {' or '.join(hints[:2])} packs" if hints else ""
    if vector.shape == (total, total):
        fits += "; a Hessian is diagnosed with order=2"
    elif vector.ndim > 1:
        fits += "; an array is read as a packed vector: pass a dict by parameter name for separate arrays"
    raise ShapeError(
        f"diagnose: the gradient has shape {vector.shape}, {own.name} packs {total} parameters "
        f"({', '.join(f'{n} {p.shape}' for n, p in setting.params.items())}): expected ({total},){fits}"
    )


def _refuse(arrays: Gradients, shapes: Mapping[str, Shape], setting: Setting) -> None:
    """Raise the error that says which shapes are expected, and what would fit."""
    own = setting.network.convention
    listed = ", ".join(f"{n} {s}" for n, s in shapes.items())
    found = ", ".join(f"{n} {a.shape}" for n, a in arrays.items()) or "nothing"
    hint = ""
    for a, b in itertools.combinations(shapes.keys() & arrays.keys(), 2):
        if arrays[a].shape != shapes[a] and (arrays[a].shape, arrays[b].shape) == (shapes[b], shapes[a]):
            hint = f"; {' and '.join(sorted((a, b)))} would fit in each other's place"
    for layer in setting.layers:
        have, want = arrays.get(layer.weight, np.zeros(0)).shape, shapes[layer.weight]
        if have == tuple(s + (i == 1 - setting.layout.node_axis) for i, s in enumerate(want)):
            hint = f"; {layer.weight} has one node more: is δ₀, the derivative with respect to the ones, kept in δ?"
        if layer.bias is None:
            continue
        N, nodes, bias = setting.count, size_of(shapes[layer.bias]), arrays.get(layer.bias, np.zeros(0)).shape
        if bias == (N, N):
            hint = f"; {layer.bias} is N×N: was (N, 1) − (N,) broadcast?"
        if bias in {(N, nodes), (nodes, N)}:
            hint = f"; {layer.bias} has one entry for each example: sum over the examples"
        if bias == () and nodes > 1:
            hint = f"; {layer.bias} is one number: sum over the examples only, not over all axes"
    try:
        checked(arrays, shapes, own.layout, own.names, own.name, "diagnose", are_gradients=True)
    except ShapeError as error:
        text = f"{error}{hint}".rstrip("?")
        raise ShapeError(f"{text}; {own.name} expects {listed}, found {found}, and no preset's layout fits") from None


def _squeezed(shape: Shape) -> Shape:
    return tuple(s for s in shape if s != 1)


def _reading(gradients: Gradients, **said: Any) -> Reading:
    """The reading with its precision: the narrowest dtype that holds every entry."""
    arrays = {name: g.astype(np.float64) for name, g in gradients.items()}
    for dtype, allowed in _PRECISIONS:
        with np.errstate(all="ignore"):
            if all(np.array_equal(g, g.astype(dtype).astype(np.float64), equal_nan=True) for g in arrays.values()):
                return Reading(arrays, precision=np.dtype(dtype).name, tolerance=allowed, **said)
    shown = [digits_of(g) if np.isfinite(g).all() else None for g in arrays.values()]
    counts = [found for found in shown if found is not None]
    if len(counts) == len(shown) and counts:
        digits, decimals = max(found[0] for found in counts), max(found[1] for found in counts)
        norms = (float(np.sqrt(np.mean(g * g))) for g in arrays.values() if g.any())
        allowed = max(0.5 * 10.0 ** (1 - digits), 0.5 * 10.0**-decimals / min(norms, default=1.0))
        if allowed <= _COARSEST:
            return Reading(arrays, precision=f"{digits} digits", tolerance=allowed, **said)
    return Reading(arrays, **said)


_LARGEST_EXPONENT = {"float64": 709.0, "float32": 88.0}
"""eᶻ overflows beyond."""


def extremes(setting: Setting, gradients: Gradients) -> tuple[Cause, ...]:
    """Return the possible causes of entries that are not finite; none where all are finite."""
    bad = {name: np.argwhere(~np.isfinite(g)) for name, g in gradients.items()}
    bad = {name: places for name, places in bad.items() if len(places)}
    if not bad:
        return ()
    counts = []
    for name, places in bad.items():
        size = gradients[name].size
        if len(places) == size:
            counts.append(f"all of {name}")
            continue
        shown = ", ".join(f"{name}[{', '.join(map(str, place))}]" for place in places[:3].tolist())
        counts.append(f"{shown}{', …' if len(places) > 3 else ''} ({len(places)} of {size})")
    wrong = "NaN" if any(np.isnan(g).any() for g in gradients.values()) else "infinite"
    return tuple(
        Cause(name, "extremes", f"entries are {wrong}{title}", None, "; ".join(counts), mend, 0.0, exact=True)
        for name, title, mend in _suspects(setting)
    )


def _suspects(setting: Setting) -> list[tuple[str, str, str]]:
    """What in the forward pass can have overflowed: a name, a clause, the mend; the more usual first."""
    found: list[tuple[str, str, str]] = []
    for position, part in enumerate(setting.operations):
        size = float(np.abs(setting.output_of(position)).max(initial=0.0))
        dtype = next((d for d, bound in _LARGEST_EXPONENT.items() if size > bound), None)
        if dtype and not found:
            where = f": operation {position + 1} ({part.name}) reaches {size:.3g}, where eᶻ overflows in {dtype}"
            mend = "Subtract the largest logit first, or use the library's stable forms."
            found.append(("exp-overflow", where, mend))
    z, axis = setting.output, setting.layout.feature_axis
    # softmax compares the outputs of one example; a sigmoid each with 0
    alone = setting.network.loss.prediction == "sigmoid"
    spread = float((np.abs(z) if alone else z.max(axis=axis) - z.min(axis=axis)).max(initial=0.0))
    if spread > 36:
        said = f"an output reaches ±{spread:.3g}" if alone else f"the outputs of one example span {spread:.3g}"
        text = f": {said}, so a probability rounds to 0 or 1 and its log or its inverse fails"
        found.append(("log-zero", text, "Compute the loss from logits, not from rounded probabilities."))
    nothing = ": nothing in the forward pass overflows"
    return found or [("not-finite", nothing, "Look for 0/0: an empty mean, a norm of 0, log(0).")]


_NEEDS_DATA = (
    "a value alone cannot show a cache of an earlier batch, a shared buffer or a result that changes from call to "
    "call: check_gradient looks for those"
)

_BETWEEN = "outputs from 40 to 80, where probabilities round and eᶻ does not overflow"
_FEWER_EXAMPLES = (
    "single examples were not looked at, since the batch is too large for it; diagnose a gradient of a few hundred"
)


@written("diagnose(gradient, net, params, X, Y)")
def diagnose(
    gradient: Mapping[Any, Any] | npt.ArrayLike | Jacobian,
    network: Network | Value,
    params: Mapping[str, npt.ArrayLike] | None = None,
    X: npt.ArrayLike | None = None,
    Y: npt.ArrayLike | None = None,
    *,
    order: int = 1,
) -> Diagnosis:
    """Return why a gradient, or a Hessian, is wrong: the causes that explain it, with numbers and a mend.

    Every slip of a catalogue is made in the right backward pass, through the chain of Jacobians, so that a slip in one
    layer reaches all layers before it. A cause is a slip that gives this very gradient, in all parameters.

    Parameters
    ----------
    gradient : mapping of str to array_like, or array_like, shape (P,)
        By parameter's name, or packed as the network's convention packs. The layout may be another preset's. With
        ``order=2`` the Hessian: a matrix (P, P), a SciPy sparse matrix or a `Jacobian`, as `Run.hessian` returns it; or
        a dict of blocks by a name, or by a pair of names as ``run.hessian("W1", "W2")`` takes them.
    network : Network or Value
        What the gradient should be of: a network in the convention of the program that computed it; or a scalar of a
        graph, with the gradients by the names of its values. Of a function of values, slips of its graph are tried.
    params, X, Y
        As for `Network.gradient`; not written to. With a value they are left out.
    order : {1, 2}
        Whether it is a gradient or a Hessian.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ShapeError
        If the gradient's shapes fit neither the network, nor another preset, nor a transpose; or `params`, X and Y do
        not fit the network.
    ArgumentError
        If the arguments are in each other's place, or some are missing; if a Hessian has a block of an unknown name.
    GraphError
        If the graph has no value of a gradient's name.
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
       Evidence: W2 is 5 times the right one in every entry; residual 0, up to rounding.
       Mend: Divide by N: the loss is a mean.

    Of a graph, the slips of its sweep: here W is used twice, and the gradient is of one use.

    >>> from jacobians import squared_error, tanh, values
    >>> X, W = values(X=X, W=params["W1"])
    >>> loss = squared_error(tanh(X @ W).named("H") @ W.T, X.array)
    >>> H = tanh(X.array @ W.array)[0]
    >>> back = 2 * (H @ W.array.T - X.array) / 5
    >>> print(diagnose({"W": back.T @ H}, loss).headline)
    The gradient with respect to W lacks its use in matmul_2.

    Of a Hessian, the slips of second derivatives that `check_hessian` names too:

    >>> net = Network.dense((4, 3, 2), activation="tanh", convention="cs231n")
    >>> wrong = net.run(params, X.array, Y).hessian().gauss_newton.to_dense()
    >>> print(diagnose(wrong, net, params, X.array, Y, order=2).causes[0].name)
    gauss-newton
    """
    if order not in (1, 2):
        raise ArgumentError(f"diagnose: order={order!r} is unknown; choose 1, a gradient, or 2, a Hessian")
    if isinstance(network, Value):
        if any(given is not None for given in (params, X, Y)):
            raise ArgumentError("diagnose: a value of a graph knows its inputs; leave out params, X and Y")
        if order == 2:
            return _of_hessian(gradient, network.hessian(*names_of(gradient)))
        return _of_value(gradient, network)
    if params is None or X is None or Y is None:
        _check_network(network, gradient)
        raise ArgumentError("diagnose: a network's gradient needs params, X and Y too")
    _check_network(network, gradient)
    if order == 2:
        return _of_hessian(
            gradient, _run(network, params, X, Y).hessian(), turned=network.layout.derivative != "numerator"
        )
    if network.function is not None:
        own = gradient if isinstance(gradient, Mapping) else network.unpack(as_float(gradient, "gradient", "diagnose"))
        if set(own) != set(network.names):
            raise ShapeError(f"diagnose: the gradient has {', '.join(own)}; {network!r} has {', '.join(network.names)}")
        return _of_value(own, network.run(params, X, Y).objective)
    setting = Setting(network, params, X, Y)
    if setting.count == 0:
        raise DomainError("diagnose: the batch is empty; a gradient of no examples says nothing about its causes")
    given = min(readings(gradient, setting), key=lambda reading: _error(reading, setting))
    distances = Distances(given.gradients, setting.gradient)
    lost = extremes(setting, given.gradients)
    arranged = _arrangement(given, setting)
    if distances.all_right:
        causes = (*lost, *arranged)
        verdict: Verdict = "right" if not causes else "ambiguous" if len(lost) > 1 else "explained"
        apart, hidden = (_BETWEEN,) if len(lost) > 1 else (), () if causes else _hidden(setting)
        return Diagnosis(verdict, causes, findings(distances, given.came), apart, hidden=hidden, notes=given.notes)
    _check_order(given, setting, X, Y)
    found = search(setting, distances)
    if given.precision is not None and not (_is_exact(found) and found.explanations[0].is_usual):
        # narrower numbers: what rounding may do is more, and a number that was fitted to it is none of the slip's
        narrow = Distances(given.gradients, setting.gradient, given.tolerance)
        if narrow.all_right:
            causes = (*lost, *arranged, *_rounded(given, params))
            return Diagnosis(
                "explained" if causes else "right", causes, findings(narrow, given.came), notes=given.notes
            )
        again = search(setting, narrow)
        if _is_exact(again) or not _is_exact(found):
            distances, found = narrow, again
    return _verdict(setting, distances, found, (*lost[:1], *arranged), given)


def _of_value(gradient: Any, loss: Value) -> Diagnosis:
    if not isinstance(gradient, Mapping) or not gradient:
        raise ArgumentError(
            f"diagnose: the gradient is {kind_of(gradient)}; of a value of a graph it is a dict of arrays by the names "
            "of its inputs, such as {'W': dW}"
        )
    given = _reading({name: as_float(g, name, "diagnose") for name, g in gradient.items()})
    narrow = {np.dtype(dtype).name: allowed for dtype, allowed in _PRECISIONS}
    return graph_diagnosis(given.gradients, loss, narrow, given.precision)


def _run(network: Network, params: Mapping[str, npt.ArrayLike], X: Any, Y: Any) -> Run:
    """The run in float64, as the gradients are that others are compared with."""
    run = network.run(params, X, Y)
    data = run.X.astype(np.float64) if isinstance(run.X, np.ndarray) else X
    if not run.losses.size:
        raise DomainError("diagnose: the batch is empty; a Hessian of no examples says nothing about its causes")
    return network.run({name: array.astype(np.float64) for name, array in run.params.items()}, data, Y)


def _of_hessian(given: Any, right: Jacobian, *, turned: bool = False) -> Diagnosis:
    """Why a Hessian is wrong; `turned` where the convention writes cross blocks in denominator layout."""
    assert isinstance(right, Hessian)
    read = _reading(blocks_of(given, right, turned=turned))
    narrow = (allowed for dtype, allowed in _PRECISIONS if right.dtype == dtype)
    return hessian_diagnosis(read.gradients, right, sorted({TOLERANCE, read.tolerance, *narrow}))


def _check_network(network: Any, gradient: Any) -> None:
    if not isinstance(network, Network):
        turned = ": gradient and network are in each other's place" if isinstance(gradient, Network) else ""
        raise ArgumentError(
            f"diagnose: network is {kind_of(network)}; expected a Network{turned}. The order is gradient, network, "
            "params, X, Y"
        )


def _check_order(given: Reading, setting: Setting, X: Any, Y: Any) -> None:
    """Raise where `params` is the gradient at what was given as the gradient."""
    if not all(np.isfinite(array).all() for array in given.gradients.values()):
        return
    with np.errstate(all="ignore"):
        there = setting.network.gradient(given.gradients, X, Y)
        if all(g.any() for g in there.values()) and Distances(setting.params, there).all_right:
            raise ArgumentError(
                "diagnose: gradient and params are in each other's place: params is the gradient at the point that was "
                "given as gradient. The order is gradient, network, params, X, Y"
            )


def _is_exact(found: Found) -> bool:
    return bool(found.explanations) and found.explanations[0].exact


def _error(reading: Reading, setting: Setting) -> float:
    """How far a reading lies from the right gradient; shapes alone do not always tell presets apart."""
    return max(Distances(reading.gradients, setting.gradient).start.values())


def _verdict(
    setting: Setting, distances: Distances, found: Found, before: tuple[Cause, ...], given: Reading
) -> Diagnosis:
    explanations, pairs = found.explanations, 0

    def said(verdict: Verdict, which: Sequence[Explanation], apart: tuple[str, ...] = (), *more: str) -> Diagnosis:
        causes = (*before, *(cause for e in which for cause in _causes(e, distances)))
        table = findings(distances, given.came)
        return Diagnosis(verdict, causes, table, apart, (), (*given.notes, *more), found.tried, pairs)

    if not _is_exact(found):
        large = [_FEWER_EXAMPLES] if too_large(setting) else []
        return said("unexplained", explanations, (), _NEEDS_DATA, *large)
    single = [e.slips[0] for e in explanations if len(e.slips) == 1]
    if not single:
        pairs = len({frozenset((s.name, s.layer) for s in e.slips) for e in explanations})
        return said("ambiguous" if pairs > 1 else "explained", explanations[:1])
    if len(explanations) == 1:
        return said("explained", explanations)
    distinct = _distinct(setting, single)
    chosen = [e for e in explanations if e.slips[0] in distinct]
    if len(distinct) == 1:
        return said("explained", chosen)
    return said("ambiguous", chosen, separating(setting, distinct).phrases)


def _distinct(setting: Setting, slips: Sequence[Slip]) -> list[Slip]:
    """Leave out a slip that is another one in other words: no input separates the two."""
    alike = separating(setting, slips).alike
    again = {i for i, j in alike if (slips[i].name == slips[j].name or _both_packings(slips[i], slips[j]))}
    return [m for i, m in enumerate(slips) if i not in again]


def _both_packings(a: Slip, b: Slip) -> bool:
    """An order of blocks, named twice: a preset that packs so says how to translate, a reshape what was done."""
    plain = ("block-order", "packing-vec-order")
    return a.family == b.family == "layout" and (a.name in plain or b.name in plain)


def _causes(explanation: Explanation, distances: Distances) -> list[Cause]:
    together = " of both together" if len(explanation.slips) > 1 else ""
    residual, exact = explanation.residual, explanation.exact
    causes = []
    for s in explanation.slips:
        speaks = s.evidence or (pattern(distances) if exact else _nearness(explanation))
        evidence = f"{speaks}; {remainder(residual, together)}"
        causes.append(Cause(s.name, s.family, s.title, s.layer, evidence, s.mend, residual, exact))
    return causes


def _nearness(explanation: Explanation) -> str:
    """How far a cause that does not fit is from what is given, in its two worst parameters."""
    worst = sorted(explanation.distances.items(), key=lambda item: -item[1])[:2]
    return "it is off by " + " and ".join(f"{100 * off:.2g} % of {name}" for name, off in worst)


def _arrangement(given: Reading, setting: Setting) -> tuple[Cause, ...]:
    """The layout it came in, where that is not the network's."""
    own = setting.network.convention
    if given.layout is not None:
        title = f"the gradient is in the layout of {given.layout_names}, not of {own.name}"
        evidence = f"its names and shapes are those of {given.layout.name}; it was translated before comparing"
        mend = translation(given.layout, own)
        return (Cause("other-layout", "layout", title, None, evidence, mend, 0.0, exact=True),)
    if given.turned:
        title = f"the gradient with respect to {' and '.join(given.turned)} is transposed"
        evidence = "its shape is the parameter's, reversed; it was transposed before comparing"
        return (Cause("transposed", "layout", title, None, evidence, "Transpose it.", 0.0, exact=True),)
    return ()


def _rounded(given: Reading, params: Mapping[str, npt.ArrayLike]) -> tuple[Cause, ...]:
    """Right to a narrower precision; that is a slip only where the parameters are held in a wider one."""
    precision = str(given.precision)
    if precision.endswith("digits"):
        return ()
    if all(np.asarray(p).dtype.itemsize <= np.dtype(precision).itemsize for p in params.values()):
        return ()
    title = f"the gradient is right, but only to {precision}'s precision"
    evidence = f"every entry is exactly a {precision} number, and the parameters are wider"
    mend = "Keep float64 throughout: float32 buffers round every result."
    return (Cause(f"result-{precision}", "state", title, None, evidence, mend, 0.0, exact=True),)


def _hidden(setting: Setting) -> tuple[str, ...]:
    """Mistakes that this data cannot show: one phrase for each kind."""
    found: dict[str, str] = {}
    for slip in catalogue(setting):
        if slip.rank == 0 and changes_nothing(setting, wrong_gradient(setting, slip)):
            found.setdefault(slip.name, slip.title)
    return tuple(found.values())
