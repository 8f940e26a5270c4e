"""The factors of a chain, as they are shown: a named array's derivative with respect to another, and a row of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from jacobians.layout import Order
from jacobians.linops import Jacobian
from jacobians.pictures.svg import chain_html, html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Factor", "Factors"]


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One factor of a chain: the derivative of one named array with respect to another.

    Attributes
    ----------
    of, wrt : str
        Names of the output and of the input, such as "Z2" and "A1".
    jacobian : Jacobian
        In the network's layout.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2))
    >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
    >>> factor = run.chain("W1")[-1]
    >>> factor.of, factor.wrt, factor.jacobian.structure
    ('Z1', 'W1', 'Kronecker(4×4, I₃)')
    """

    of: str
    wrt: str
    jacobian: Jacobian

    @property
    def label(self) -> str:
        """The factor as a formula, such as ``∂Z2/∂A1``.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> run.chain("W1")[-1].label
        '∂Z1/∂W1'
        """
        return f"∂{self.of}/∂{self.wrt}"

    def plot(self, ax: Axes | None = None, *, order: Order | None = None) -> Axes:
        """Draw the matrix with matplotlib, as `Jacobian.plot` does, with this factor's names on it."""
        return self.jacobian.plot(ax, of=self.of, wrt=self.wrt, order=order)

    @property
    def latex(self) -> str:
        r"""The factor as LaTeX, such as ``\frac{\partial Z_{2}}{\partial A_{1}}``.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import Network
        >>> net = Network.dense((4, 3, 2))
        >>> run = net.run(net.init(0), np.eye(4), [0, 1, 1, 0])
        >>> print(run.chain("W1")[-1].latex)
        \frac{\partial Z_{1}}{\partial W_{1}}
        """
        return rf"\frac{{\partial {_latex_name(self.of)}}}{{\partial {_latex_name(self.wrt)}}}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.label)}: {escape(repr(self.jacobian))}</p>{html(self.jacobian, self.of, self.wrt)}"


class Factors(tuple[Factor, ...]):
    """The factors of a chain from left to right; in a notebook, a row of pictures."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return chain_html(self) if self else "<p>the identity</p>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {' '.join(factor.latex for factor in self) or 'I'}$"


def _latex_name(name: str) -> str:
    """A name with its index below it; Greek letters and words are set as such."""
    letters, index, primes = re.fullmatch(r"(.*?)(\d*)(′*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    if letters in ("Theta", "theta"):
        letters = rf"\{letters}"
    elif len(letters) > 1:
        letters = rf"\mathrm{{{re.sub(r'[^A-Za-z0-9]', '', letters)}}}"
    return letters + (f"_{{{index}}}" if index else "") + "'" * len(primes)
