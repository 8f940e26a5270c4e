"""Texts that fix a notation but no network, and so no preset: what they fix, and why that is not enough."""

from __future__ import annotations

from dataclasses import dataclass

from jacobians.conventions import Evidence


@dataclass(frozen=True, slots=True)
class Reference:
    """A cited text without a preset.

    Parameters
    ----------
    name, citation : str
    evidence : {"P", "S", "M"}
        Read in the original, read in a secondary copy, or from memory.
    fixes : str
        What it fixes.
    reason : str
        Why that gives no preset.
    """

    name: str
    citation: str
    evidence: Evidence
    fixes: str
    reason: str


REFERENCES: tuple[Reference, ...] = (
    Reference(
        name="mml",
        citation="M. P. Deisenroth, A. A. Faisal, C. S. Ong, Mathematics for Machine Learning, Cambridge University "
        "Press, 2020; chapter 5.",
        evidence="S",
        fixes="the gradient is a row (5.40); numerator layout (5.58); in §5.4 output dimensions, then input dimensions",
        reason="it keeps to one column x and fixes neither where the weights lie nor where the bias does; and (5.106) "
        "prints abᵀ, shaped like X, where the chapter's own convention gives the transpose",
    ),
    Reference(
        name="magnus-neudecker",
        citation="J. R. Magnus, H. Neudecker, Matrix Differential Calculus with Applications in Statistics and "
        "Econometrics, 3rd ed., Wiley, 2019; chapters 2 and 5.",
        evidence="S",
        fixes="d vec F = A·d vec X gives DF = A: numerator layout, with vec stacking columns",
        reason="it treats matrix functions, with no mini-batch, weights or bias",
    ),
    Reference(
        name="matrix-cookbook",
        citation="K. B. Petersen, M. S. Pedersen, The Matrix Cookbook, version of November 2012, Technical University "
        "of Denmark; pp. 8, 10 and 60.",
        evidence="P",
        fixes="a scalar's derivative has the input's shape; (∂x/∂y)_ij = ∂x_i/∂y_j; vec stacks columns; (520) Bᵀ⊗A",
        reason="its derivative layout is mixed, and it fixes no mini-batch, weights or bias",
    ),
    Reference(
        name="parr-howard",
        citation="T. Parr, J. Howard, The Matrix Calculus You Need For Deep Learning, arXiv:1802.01528, 2018.",
        evidence="S",
        fixes="numerator layout; one column x; w·x + b, absorbed as [wᵀ, b]ᵀ with the 1 last; the cost (1/N)Σ(y − a)²",
        reason="it derives a single neuron, so it does not say where the weights of several nodes lie",
    ),
)
