"""`explain`: the derivation of a network's or an operation's Jacobians, in the convention that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy.typing as npt

from jacobians.array_names import ArrayNames
from jacobians.arrays import chosen, kind_of
from jacobians.conventions import Convention
from jacobians.derivation.derive import derive, derive_operation
from jacobians.derivation.derive_graph import derive_graph
from jacobians.derivation.names import symbol_name
from jacobians.derivation.result import Derivation, GraphDerivation, OperationDerivation
from jacobians.derivation.second_of_graph import derive_second_of_graph
from jacobians.derivation.second_order import derive_second
from jacobians.derivation.second_result import SecondDerivation
from jacobians.errors import ArgumentError, LayoutError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.network import Network, Run
from jacobians.network.made_up_inputs import sample_data
from jacobians.operations import Operation, class_named_as
from jacobians.presets import convention as find_convention


@written
def explain(
    what: Network | Run | Operation | Value,
    convention: Convention | str | Layout | None = None,
    *arrays: npt.ArrayLike,
    wrt: Value | str | Sequence[Value | str] = (),
    params: Mapping[str, npt.ArrayLike] | None = None,
    X: npt.ArrayLike | None = None,
    Y: npt.ArrayLike | None = None,
    examples: int = 5,
    seed: int = 0,
    order: int = 1,
) -> Derivation | OperationDerivation | GraphDerivation | SecondDerivation:
    r"""Return how the gradient comes out of the Jacobians: the chain, every rewriting by name, the compact formula.

    The operations' own code runs on symbols in place of arrays, and each structured Jacobian's own pullback is one
    step, :math:`\operatorname{vec}(\Delta)^\top (A \otimes B) = \operatorname{vec}(A^\top \Delta B)^\top` and its kin.
    So the printed formula is the computed one, in any layout, and no formula depends on the numbers.

    Parameters
    ----------
    what : Network, Run, Operation or Value
        A network and a run give a `Derivation`, an operation an `OperationDerivation`, a scalar of a graph of values,
        and a network that is a function of values, a `GraphDerivation`.
    convention : Convention, str or Layout, optional
        To which a network or an operation is moved first; its own unless given. A run keeps its own.
    *arrays : array_like
        The inputs of an operation; made up for affine and elementwise operations unless given. A single one may be
        given as X.
    wrt : Value, str or several of these, optional
        With respect to what is derived. Unless given: of a value, all inputs that it depends on; of a network that is
        a function, all parameters; of another network, all parameters and X; of an operation, all inputs. With
        ``order=2``, the blocks of the Hessian that are derived; of a network those of all parameters unless given.
    params, X, Y : optional
        Of a network, in the convention; made up, with `seed`, unless given. A function of values needs X and Y.
    examples : int
        How many examples are made up.
    seed : int
    order : {1, 2}
        With 2, the Hessian of the objective of a network or a run, or of a scalar of a graph, term by term: a
        `SecondDerivation`.

    Raises
    ------
    ArgumentError
        If `what` is none of the four: of a function, the text says which operation it evaluates. If the order is
        another, or 2 for an operation.
    GraphError
        If a value is no scalar, or comes from no operation.
    LayoutError
        If an operation of the network cannot be moved to the convention, as no function of values can, or an
        operation or a function needs its inputs.

    Notes
    -----
    Source of the rules: Magnus & Neudecker (2019), *Matrix Differential Calculus*, 3rd ed., chs. 2-3: mixed product
    and vec of a product (theorem 2.2), commutation matrix (theorem 3.9).

    Examples
    --------
    >>> net = Network.dense((4, 3, 2))
    >>> for convention in ("cs231n", "pytorch", "ng-dlai"):
    ...     print(explain(net, convention)["W1"].formula.text)
    dW₁ = Xᵀ dZ₁
    dW₁ = dZ₁ᵀ X
    dW₁ = dZ₁ Xᵀ / m
    >>> print(explain(net, "cs231n")["W1"].chain.text)
    ∂L/∂vec W₁ = (1 / N) 1ᵀ ⊕ₙ(P − Y)ₙᵀ (I₅ ⊗ W₂ᵀ) diag(vec relu′(Z₁)) (X ⊗ I₃)

    The Hessian of logistic regression:

    >>> logistic = Network.dense((4, 1), loss="binary_cross_entropy", reduction="sum")
    >>> print(explain(logistic, order=2)["W1"].formula.text)
    ∂²L/∂vec W₁ ∂(vec W₁)ᵀ = Xᵀ diag(P ∘ (1 − P)) X
    """
    if order != 1:
        return _second_order(what, convention, wrt, params, X, Y, examples, seed, order)
    by = [wrt] if isinstance(wrt, (Value, str)) else wrt
    if isinstance(what, Value):
        if convention is None or isinstance(convention, Layout):
            return derive_graph(what, by)
        return _in_names(what, by, find_convention(convention).names)
    if isinstance(what, Run):
        return _of_run(what, by)
    if isinstance(what, Operation):
        layout = _layout(convention, what)
        arrays = arrays or (() if X is None else (X,))
        operation = derive_operation(what.moved_to(layout), layout, arrays, examples, seed)
        return replace(operation, inputs=_asked(operation.inputs, by))
    if not isinstance(what, Network):
        raise ArgumentError(
            f"explain: takes a Network, a Run, an Operation or a Value, not {kind_of(what)}{_meant(what)}"
        )
    if isinstance(convention, Layout):
        convention = what.convention.replace(name="yours", layout=convention)
    network = what if convention is None else in_convention(what, find_convention(convention))
    return _of_run(_evaluated(network, params, X, Y, examples, seed), by)


def _evaluated(
    network: Network,
    params: Mapping[str, npt.ArrayLike] | None,
    X: npt.ArrayLike | None,
    Y: npt.ArrayLike | None,
    examples: int,
    seed: int,
) -> Run:
    """A run of a network, on made-up numbers where none are given."""
    if X is not None and Y is not None:
        return network.run(network.init(seed) if params is None else params, X, Y)
    made_up = sample_data(network, examples, seed)
    params = made_up[0] if params is None else params
    X = made_up[1] if X is None else X
    Y = made_up[2] if Y is None else Y
    return network.run(params, X, Y)


def _second_order(
    what: Any,
    convention: Convention | str | Layout | None,
    wrt: Value | str | Sequence[Value | str],
    params: Mapping[str, npt.ArrayLike] | None,
    X: npt.ArrayLike | None,
    Y: npt.ArrayLike | None,
    examples: int,
    seed: int,
    order: int,
) -> SecondDerivation:
    if order != 2:
        raise ArgumentError(f"explain: order={order!r} is unknown; choose 1, the gradient, or 2, the Hessian")
    names = [wrt] if isinstance(wrt, (Value, str)) else list(wrt)
    if isinstance(what, Network):
        if isinstance(convention, Layout):
            convention = what.convention.replace(name="yours", layout=convention)
        network = what if convention is None else in_convention(what, find_convention(convention))
        what = _evaluated(network, params, X, Y, examples, seed)
    if isinstance(what, Value):
        if convention is None or isinstance(convention, Layout):
            return derive_second_of_graph(what, names)
        words = find_convention(convention).names
        return derive_second_of_graph(what, names, _called(what, names, words), {"N": words.count})
    if not isinstance(what, Run):
        raise ArgumentError(
            f"explain: order=2 takes a Network, a Run or a scalar Value, not {kind_of(what)}; the second derivative of "
            "an operation is that of ⟨Ḡ, value⟩: explain the value (operation(X) * G).sum()"
        )
    if what.network.function is not None:
        own, names = what.network.convention, names or list(what.params)
        called = _called(what.objective, names, own.names)
        return derive_second_of_graph(what.objective, names, called, {"N": own.names.count}, own)
    return derive_second(what, [str(name) for name in names])


def _meant(what: Any) -> str:
    """The end of a message: what to pass instead of a function, or of a class of operations."""
    if isinstance(what, str):
        return ": the network stands before the convention, as in explain(net, 'cs231n')"
    if isinstance(what, type) and issubclass(what, Operation):
        return f": make one, {what.__name__}(…)"
    if found := class_named_as(what):
        return f": a function evaluates at once; use {found}()"
    return ": of a forward pass of values, explain its scalar, or a Network of it" if callable(what) else ""


D = TypeVar("D")


def _asked(known: Mapping[str, D], by: Sequence[Value | str]) -> Mapping[str, D]:
    """The derivations of those gradients alone that are asked for; all of them where none is."""
    names = [item.name if isinstance(item, Value) else item for item in by]
    return {name: chosen(name, known, "explain: wrt") for name in names} or known


def _of_run(run: Run, by: Sequence[Value | str]) -> Derivation | GraphDerivation:
    if run.network.function is None:
        network = derive(run)
        return replace(network, parameters=_asked(network.parameters, by))
    return _in_names(run.objective, by or list(run.params), run.network.convention.names)


def _in_names(value: Value, by: Sequence[Value | str], names: ArrayNames) -> GraphDerivation:
    """The derivation of gradients, with a convention's names for them and for N."""
    return derive_graph(value, by, _called(value, by, names), {"N": names.count})


def _called(value: Value, by: Sequence[Value | str], names: ArrayNames) -> Callable[[str], str]:
    """From what a value is called to what its cotangent is."""
    asked = value.find(by, "explain") or [node for node in value.ancestors() if node.operation is None]
    called = {name: names.gradient_of(name) for name in (symbol_name(node.name) for node in asked)}
    return lambda name: called.get(name, f"d{name}")


def in_convention(network: Network, convention: Convention) -> Network:
    """Return the same network in another convention.

    Raises
    ------
    LayoutError
        If one of its operations is known in its own layout only.
    """
    if convention is network.convention:
        return network
    if network.function is not None:
        raise LayoutError(
            f"explain: {network!r} is written in the layout of {network.convention.name}, and no rule moves a function "
            "to another; compare(names, X, Y, sizes, forward=…) shows a forward pass in several"
        )
    loss = network.loss.replace(layout=convention.layout, reduction=convention.effective_reduction)
    strength = network.l2 if convention.l2 is not None else 0.0
    parts = list(network.chain.parts)
    if convention.layout != network.layout:
        parts = [part.moved_to(convention.layout) for part in parts]
    return Network(parts, loss, convention, l2=strength)


def _layout(convention: Convention | str | Layout | None, operation: Operation) -> Layout:
    if isinstance(convention, Layout):
        return convention
    if convention is None:
        return operation.layout or DEFAULT_LAYOUT
    return find_convention(convention).layout
