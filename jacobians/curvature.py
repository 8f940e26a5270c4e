r"""Curvature of a run as Jacobians: its Hessian, Gauss–Newton and Fisher matrices, Kronecker-factored ones.

With J the Jacobian of the network's output by the parameters and H the loss's second derivative by that output, the
Gauss–Newton matrix is the product

.. math:: G = J^\top H\, J,

and nothing here is more than that product. It is a `Jacobian` like any other: `G @ v` is one sweep forward and one
back, `G.diagonal()` goes by the structure, and SciPy's solvers take it as it is. Where the loss is the negative
log-likelihood of an exponential family with the output as its natural parameter, as the cross-entropies from logits
and the squared error are, G is the Fisher information matrix too (Martens 2020, *New insights and perspectives on the
natural gradient method*, arXiv:1412.1193).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from jacobians.arrays import Array, kind_of
from jacobians.errors import ArgumentError, LayoutError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.layout import Layout
from jacobians.linops import Diagonal, Identity, Jacobian, Kronecker, SharedKernel
from jacobians.linops.by_example import example_rows, example_size
from jacobians.linops.chain_views import apart, layer_axis
from jacobians.linops.kernels import matmul
from jacobians.network import Network, Run
from jacobians.operations.record import in_layout

__all__ = ["empirical_fisher", "gauss_newton", "hessian", "kronecker_factored"]


@written
def hessian(run: Run, wrt: str | Sequence[str] | None = None) -> Jacobian:
    r"""Return the exact second derivative of the objective, regulariser included, in the run's layout.

    It is the Jacobian of the gradient, one term for each operation that bends: with D the Jacobian of an operation's
    inputs by the parameters and M its second derivative contracted with what arrives from the loss,

    .. math:: H = J^\top H_L J + \sum_{\text{operations}} D^\top M D + \text{regulariser}.

    `H @ v` is one sweep forward and one back, exact; `H.terms` are the summands, `H.gauss_newton` and `H.residual` the
    losses' and the other operations'. `H.diagonal()`, `H.trace()` and `H.blocks()` go by the layers' exact blocks.
    SciPy's solvers take H as it is.

    Parameters
    ----------
    run : Run
    wrt : str or sequence of str, optional
        One parameter, input or intermediate, or several as one packed vector; all parameters unless given. For a
        cross block see `Run.hessian`.

    Returns
    -------
    Hessian
        Symmetric, so that it is the same in both derivative layouts.

    Raises
    ------
    LayoutError
        If there is no such name.
    DomainError
        If an operation or the loss states no second derivative, or has none here, as the hinge at a corner.

    Notes
    -----
    Between its kinks a ReLU has second derivative 0, so its residual term is absent: the Hessian of a ReLU net is that
    of the linear pieces that it is made of, and says nothing of a change of piece.

    References
    ----------
    Pearlmutter (1994), *Fast exact multiplication by the Hessian*, Neural Computation 6(1); Magnus & Neudecker (2019),
    *Matrix Differential Calculus*, 3rd ed., ch. 10.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2), activation="tanh")
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> H = hessian(run)
    >>> H.shape, bool(np.allclose(H.to_dense(), H.to_dense().T))
    ((23, 23), True)
    >>> for term in H.terms:
    ...     print(term)
    tanh: Dᵀ M D, D = ∂Z1, M = Diagonal(5×3)
    affine: Dᵀ M E + Eᵀ Mᵀ D, D = ∂A1, E = ∂W2, M = Kronecker(5×2, I₃) @ Commutation(3, 2)
    cross_entropy: Dᵀ M D, D = ∂Z2, M = 0.2·DiagonalMinusOuter(5 of 2×2)
    """
    _check_run(run, "hessian")
    if wrt is None or isinstance(wrt, str):
        return run.hessian(*([] if wrt is None else [wrt]))
    given: object = wrt
    names = tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"hessian: wrt is {kind_of(wrt)}; expected the name of an array: hessian(run, 'W1')")
    if not names or len(set(names)) < len(names):
        raise LayoutError(f"hessian: wrt={wrt!r}; give each name once, and at least one")
    return run._hessian(names, packed=True)


@written
def gauss_newton(run: Run, wrt: str | None = None, *, penalty: bool = False) -> Jacobian:
    r"""Return the Gauss–Newton matrix :math:`J^\top H J` of the reduced loss, in the run's layout.

    It is the Hessian of the loss where the output is linear in the parameters, and otherwise the Hessian without the
    second derivatives of the output; it is positive semi-definite where the loss is convex in the output. `hessian`
    has both, and the regulariser.

    Parameters
    ----------
    run : Run
    wrt : str, optional
        One parameter, or "X" or an intermediate, for its own block; all packed parameters unless given.
    penalty : bool
        Whether the regulariser's second derivative, a diagonal, is added.

    Raises
    ------
    DomainError
        If the loss states no second derivative.
    LayoutError
        If the output does not depend on `wrt`, or there is no such name.

    References
    ----------
    Schraudolph (2002), *Fast curvature matrix-vector products for second-order gradient descent*, Neural Computation
    14(7).

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2))
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> G = gauss_newton(run)
    >>> G.shape, bool((G.diagonal() >= 0).all())
    ((23, 23), True)
    >>> gauss_newton(run, "W2").domain
    (3, 2)
    """
    _check_run(run, "gauss_newton")
    terms = []
    for of in run.results:  # the losses of several results are added, and so is their curvature
        J = (run.parameter_jacobian(of) if wrt is None else run.jacobian(wrt, of=of)).numerator
        terms.append(J.T @ run.output_hessian(of).numerator @ J)
    if penalty and (wrt is None or wrt in run.params):
        terms.append(_regulariser(run, wrt))
    return in_layout(reduce(add, terms), run.network.layout)


def _regulariser(run: Run, wrt: str | None) -> Jacobian:
    """The regulariser's second derivative: a diagonal, 0 at what it does not touch."""
    if wrt is not None:
        return run.penalty_hessian(wrt)
    order, found = run.network.layout.vec, [run.penalty_hessian(name) for name in _packed(run)]
    return Diagonal(np.concatenate([block.diagonal(order) for block in found]))


def _packed(run: Run) -> tuple[str, ...]:
    return tuple(run.network.convention.packing_order(run.params))


@written
def empirical_fisher(run: Run, wrt: str | None = None) -> Jacobian:
    r"""Return :math:`c\, J^\top J` with J the per-example gradients and c the reduction's weight, in the run's layout.

    It is the weighted sum of the outer products of the per-example gradients at the labels that were observed, and
    not the Fisher matrix, whose labels are the model's (Kunstner, Balles & Hennig 2019, *Limitations of the empirical
    Fisher approximation*, arXiv:1905.12558).

    Parameters
    ----------
    run : Run
    wrt : str, optional
        As in `gauss_newton`.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> net = Network.dense((4, 2))
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> J = run.parameter_jacobian(of="losses").to_dense()
    >>> np.allclose(empirical_fisher(run).to_dense(), J.T @ J / 5)
    True
    """
    _check_run(run, "empirical_fisher")
    J = (run.parameter_jacobian(of="losses") if wrt is None else run.jacobian(of="losses", wrt=wrt)).numerator
    return in_layout(run.loss_scale * (J.T @ J), run.network.layout)


@written("kronecker_factored(run, 'W1')")
def kronecker_factored(run: Run, wrt: str) -> Jacobian:
    r"""Return the Kronecker-factored approximation of a layer's block of `gauss_newton`, in the run's layout.

    The exact block is :math:`\sum_n x_n x_n^\top \otimes B_n`, with the layer's inputs xₙ and the curvature Bₙ of the
    loss by its outputs. The approximation takes the two for uncorrelated,

    .. math:: \Bigl(\frac1N \sum_n x_n x_n^\top\Bigr) \otimes \sum_n B_n ,

    one `Kronecker` of two small matrices. It is exact for one example, and where all examples have the same inputs
    (as a separate bias has, whose input is 1) or the same curvature.

    Parameters
    ----------
    run : Run
    wrt : str
        A weight, or a bias, of an affine layer.

    Returns
    -------
    Jacobian
        `Kronecker(A, B)` for weights in columns, `Kronecker(B, A)` for weights in rows.

    Raises
    ------
    LayoutError
        If the output is no function of each example's own layer output, or `wrt` is no parameter of such a layer, or
        is one of several.
    DomainError
        If the loss states no second derivative.

    References
    ----------
    Martens & Grosse (2015), *Optimizing neural networks with Kronecker-factored approximate curvature*,
    arXiv:1503.05671; Botev, Ritter & Barber (2017), *Practical Gauss–Newton optimisation for deep learning*,
    arXiv:1706.03662, for the Gauss–Newton matrix with H as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2))
    >>> run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    >>> kronecker_factored(run, "W1")
    Kronecker(4×4, 3×3): 12×12 float64, (4, 3) → (4, 3), 200 B
    >>> np.allclose(kronecker_factored(run, "W1").to_dense(), gauss_newton(run, "W1").to_dense())
    True
    """
    _check_run(run, "kronecker_factored")
    layer = AffineLayer.of(run, wrt)
    inputs, curvature = layer.sums()
    return layer.placed(inputs / max(1, layer.count), curvature)


@dataclass(frozen=True, eq=False)
class AffineLayer:
    """An affine layer in a run's chain: what its Kronecker-factored block is made of.

    Attributes
    ----------
    later : tuple of Jacobian
        The factors of ∂output/∂parameter that come after the layer.
    data : ndarray
        Its inputs X, one example a row; ones for a separate bias.
    order : tuple of Jacobian
        What lays out its parameter.
    """

    hessian: Jacobian
    later: tuple[Jacobian, ...]
    data: Array
    order: tuple[Jacobian, ...]
    layout: Layout

    @classmethod
    def of(cls, run: Run, wrt: str) -> AffineLayer:
        """Find the layer of a parameter."""
        J, H = run.jacobian(of="output", wrt=wrt).numerator, run.output_hessian().numerator
        later, layer, order = _layer(J, H, wrt, run.network.layout.batch_axis)
        return cls(H, later, layer.single, order, run.network.layout)

    @property
    def count(self) -> int:
        """The number of examples."""
        return len(self.data)

    def sums(self) -> tuple[Array, Array]:
        """Return Σ xₙxₙᵀ and Σ Bₙ over the examples."""
        return matmul(self.data.T, self.data), _summed_blocks(self.later, self.hessian, self.layout.batch_axis)

    def placed(self, inputs: Array, curvature: Array) -> Jacobian:
        """Return the `Kronecker` of the two factors in the parameter's layout."""
        rows = self.layout.batch_axis == 0
        result: Jacobian = Kronecker(inputs, curvature) if rows else Kronecker(curvature, inputs)
        for factor in self.order:
            result = factor.T @ result @ factor
        return in_layout(result, self.layout)


def _layer(
    J: Jacobian, H: Jacobian, wrt: str, axis: int
) -> tuple[tuple[Jacobian, ...], Kronecker, tuple[Jacobian, ...]]:
    """The factors of J that come after the layer, the layer's own X ⊗ I, and what lays out its parameter."""
    factors = J._factors()
    if isinstance(factors[-1], Kronecker) and len(factors[-1].arrays) == 2:  # two layers that the algebra merged
        factors = (*factors[:-1], *apart(factors[-1], frozenset((axis,))))
    for place in reversed(range(len(factors))):
        layer, later = factors[place], factors[:place]
        if isinstance(layer, Kronecker) and layer_axis((H, *later), layer) == axis:
            return later, layer, factors[place + 1 :]
    shared = any(isinstance(factor, SharedKernel) for factor in factors) or len(H.domain) > 2
    rows = f"layers.kronecker_factored_rows(run.jacobian({wrt!r}, of='losses'))"
    mend = f"{rows} for a weight that places or steps share" if shared else ""
    raise LayoutError(
        f"kronecker_factored: ∂output/∂{wrt} is {J.structure}; expected X ⊗ I, an affine layer's Jacobian by its "
        "weight or bias that is used once. The factors before it must act on each example by itself. Choose such a "
        f"parameter, {mend and mend + ', '}or gauss_newton"
    )


def _summed_blocks(later: tuple[Jacobian, ...], H: Jacobian, axis: int) -> Array:
    """Σₙ PₙᵀHₙPₙ, with Pₙ the blocks of the later factors' product."""
    size = example_size(H.domain, axis)
    plain, weighted = (example_rows((first, *later), axis, 0, size) for first in (Identity(H.domain, H.dtype), H))
    width = plain.shape[-1]
    return matmul(plain.reshape(-1, width).T, weighted.reshape(-1, width))


def _check_run(run: Any, operation: str) -> None:
    if isinstance(run, Run):
        return
    given, mend = f"run is {kind_of(run)}", "expected a Run: evaluate a network first: run = net.run(params, X, Y)"
    if isinstance(run, Network):
        mend = "evaluate it first: run = net.run(params, X, Y)"
    elif isinstance(run, Jacobian):
        mend = (
            "expected a Run, run = net.run(params, X, Y); or, with J the Jacobian of the outputs and "
            "H = loss.hessian(Z, Y), the Gauss–Newton matrix is J.T @ H @ J"
        )
    elif isinstance(run, Value):
        given = f"{run.name} is a value of a graph"
        mend = f"write {run.name}.hessian(W), with respect to the value W"
        if operation != "hessian":
            mend = (
                "expected the Run of a network, which may be a function of values: Network(f, loss, convention, shapes)"
            )
    elif operation == "hessian" and callable(run):
        given = f"{kind_of(run)} is no Run"
        mend = "write x = jac.values(x=array)[0]; L = f(x); L.hessian(x). Of a network: hessian(net.run(params, X, Y))"
    raise ArgumentError(f"{operation}: {given}; {mend}")
