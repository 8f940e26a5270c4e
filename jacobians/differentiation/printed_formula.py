"""`audit`: a printed formula, of a network in its convention or of matrices in any layout, is it right?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jacobians.auditing import Audit
from jacobians.auditing import audit as audit_of_network
from jacobians.auditing.formula import Notation
from jacobians.conventions import Convention
from jacobians.differentiation.identity import DerivativeLayout, audit_identity
from jacobians.differentiation.identity_text import identity_text
from jacobians.first_tries import written
from jacobians.layout import Reduction
from jacobians.network import Network
from jacobians.presets import convention as find_convention

__all__ = ["audit"]


@written
def audit(
    formula: str,
    convention: str | Convention | Network | None = None,
    *,
    layout: DerivativeLayout | None = None,
    sizes: Sequence[int] | None = None,
    task: str | None = None,
    activation: str | None = None,
    loss: str | None = None,
    factor: float | None = None,
    reduction: Reduction | None = None,
    l2: float | None = None,
    examples: int | None = None,
    where: Mapping[str, str] | None = None,
    notation: Notation | None = None,
    seed: int = 0,
) -> Audit:
    r"""Return whether a printed formula is right, and if not, what slipped and the right formula.

    A formula of a network is judged in a convention. A derivative of an expression of matrices, such as
    ``∂ log det X/∂X = X⁻ᵀ`` or ``d tr(AXB)/dX = A'B'``, is judged in every layout, or in the one that is given; it is
    said in which layout, in which coordinates of a symmetric matrix and under which assumption it is right. The formula
    is read by a small grammar and nothing is ever executed.

    Parameters
    ----------
    formula : str
        An equation in NumPy, in a small part of LaTeX, or in Octave. Of a network, its left side says what it is: a
        gradient (``dW1``, ``grad_W1``, ``dL/dW1``), a cotangent (``dZ1``, ``delta2``), an array of the forward pass, or
        a Jacobian (``dZ1/dX``), which is taken for one example. Of matrices it is ∂(…)/∂X, d(…)/dX, ∂/∂X …, ∇_X …,
        ∂²(…)/∂x∂x', or a differential, d(…), and may end with ``, A symmetric``.
    convention : str, Convention or Network, optional
        A preset's name, "cs231n" unless given; or a network with its own operations and loss, and then `sizes`,
        `activation`, `loss` and `l2` are the network's. Of matrices, it asks for its derivative layout.
    layout : {"numerator", "denominator", "mixed"}, optional
        In which a derivative of matrices is judged; any, unless given. "mixed" is that of the Matrix Cookbook: of a
        number it is shaped like X, of a vector it is the Jacobian.
    sizes : sequence of int, optional
        Widths from the inputs to the outputs. Unless given, 7, 5 and 3, or more layers where the formula numbers them.
    task, activation, loss, factor, reduction : optional
        As for `Network.dense`: what is not given is what the convention's source has.
    l2 : float, optional
        The regulariser's strength; unless given, there is one where the formula names it.
    examples : int, optional
        Unless given, a number that is no layer's width; 1 for a Jacobian.
    where : mapping of str to str, optional
        Names of your own, and the right sides that define them, such as ``{"W2_new": "W2 - 0.5 * dW2"}``. On the left
        of a formula such a name claims what it is defined as.
    notation : {"numpy", "latex", "octave"}, optional
        Told from the formula unless given.
    seed : int
        Of the random batches.

    Returns
    -------
    Audit

    Raises
    ------
    FormulaError
        If the formula cannot be read; the text marks the place.
    LayoutError
        If the convention, the activation or the loss is unknown.

    Examples
    --------
    >>> bool(audit("dTheta2 = delta3.T @ A2 / m", "ng-ml-2011"))
    True
    >>> found = audit("dTheta2 = A2.T @ delta3 / m", "ng-ml-2011")
    >>> found.verdict, found.slip, found.nearest.numpy
    ('does not conform', 'transposed-result', 'Theta2_grad = delta3.T @ A2 / m')
    >>> audit(r"\delta^{(2)} = \delta^{(3)} \Theta^{(2)} \circ g'(z^{(2)})", "ng-ml-2011").slip
    'bias-entry-kept'
    >>> audit("d tr(AXB)/dX = A'B'").convention
    'denominator layout, the shape of X'
    >>> audit("d tr(AXB)/dX = A'B'", layout="numerator").elsewhere
    ('in denominator layout, the shape of X',)
    """
    parts = identity_text(formula)
    if parts is None:
        return audit_of_network(
            formula,
            "cs231n" if convention is None else convention,
            sizes=sizes,
            task=task,
            activation=activation,
            loss=loss,
            factor=factor,
            reduction=reduction,
            l2=l2,
            examples=examples,
            where=where,
            notation=notation,
            seed=seed,
        )
    if layout is None and convention is not None:
        own = convention.convention if isinstance(convention, Network) else find_convention(convention)
        layout = own.layout.derivative
    return audit_identity(formula, parts, layout=layout, notation=notation)
