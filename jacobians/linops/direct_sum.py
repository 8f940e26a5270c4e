"""A Jacobian of its own for each array of a stack: a block diagonal whose blocks keep their structure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_shape, common_dtype, size_of
from jacobians.errors import ShapeError
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import empty
from jacobians.linops.nonzeros import Nonzeros

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class DirectSum(Jacobian):
    r"""(V₁, V₂, …) ↦ (J₁V₁, J₂V₂, …), the matrix :math:`J_1 \oplus J_2 \oplus \dots`.

    The Jacobian of a matrix function of a batch of matrices: `BlockDiagonal` stores the same blocks multiplied out.

    Parameters
    ----------
    parts : iterable of Jacobian
        One for each array of the stack, in C order, between equal shapes.
    codomain, domain : tuple of int
        The parts' shapes behind the same leading axes.
    dtype : dtype, optional
        Used where there is no part.

    Raises
    ------
    ShapeError
        If the parts differ in shape, or do not fill the leading axes.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> parts = [Kronecker(np.ones((2, 3)), 2), Kronecker(np.zeros((2, 3)), 2)]
    >>> J = DirectSum(parts, (2, 2, 2), (2, 3, 2))
    >>> J
    DirectSum(2 of Kronecker(2×3, I₂)): 8×12 float64, (2, 3, 2) → (2, 2, 2), 96 B
    >>> J.jvp(np.ones((2, 3, 2)))[:, 0, 0]
    array([3., 0.])
    """

    __slots__ = ("parts",)

    def __init__(
        self, parts: Iterable[Jacobian], codomain: Shape, domain: Shape, dtype: npt.DTypeLike = np.float64
    ) -> None:
        self.parts = parts = tuple(parts)
        codomain, domain = (
            as_shape(shape, name, "DirectSum") for shape, name in ((codomain, "codomain"), (domain, "domain"))
        )
        if parts:
            own = {(part.codomain, part.domain) for part in parts}
            out, into = parts[0].codomain, parts[0].domain
            lead = domain[: len(domain) - len(into)]
            if len(own) > 1 or domain != lead + into or codomain != lead + out or size_of(lead) != len(parts):
                raise ShapeError(
                    f"DirectSum: {len(parts)} parts, the first of which maps {into} to {out}, do not map {domain} to "
                    f"{codomain}; expected parts between equal shapes, one for each place of the leading axes"
                )
        elif size_of(codomain) or size_of(domain):
            raise ShapeError(f"DirectSum: no part was given to map {domain} to {codomain}")
        super().__init__(codomain, domain, common_dtype(*(p.dtype for p in parts)) if parts else np.dtype(dtype))

    @property
    def _lead(self) -> Shape:
        return self.domain[: len(self.domain) - len(self.parts[0].domain)]

    def _act(self, value: Array, into: Shape, out: Shape, *, forward: bool) -> Array:
        stack = value.shape[: value.ndim - len(into)]
        if not self.parts:
            return np.zeros(stack + out, value.dtype)
        lead = len(self._lead)
        flat = value.reshape(*stack, len(self.parts), *into[lead:])
        images = empty((*stack, len(self.parts), *out[lead:]), value.dtype, value)
        for i, part in enumerate(self.parts):
            own: Any = (*(slice(None),) * len(stack), i)
            images[own] = part._jvp(flat[own]) if forward else part._vjp(flat[own])
        return images.reshape(stack + out)

    def _jvp(self, tangent: Array) -> Array:
        return self._act(tangent, self.domain, self.codomain, forward=True)

    def _vjp(self, cotangent: Array) -> Array:
        return self._act(cotangent, self.codomain, self.domain, forward=False)

    def _transpose(self) -> Jacobian:
        return DirectSum((part.T for part in self.parts), self.domain, self.codomain, self.dtype)

    def _keeps_examples(self, axis: int) -> bool:
        return axis == 0 and bool(self.parts)

    def _blocks(self, axis: int) -> Array:
        if len(self._lead) > 1:
            return super()._blocks(axis)
        return np.stack([part._dense() for part in self.parts]).astype(self.dtype, copy=False)

    def _fill(self, out: Array) -> None:
        out[...] = 0
        if not self.parts:
            return
        every = (slice(None),) * len(self.parts[0].codomain)
        for place, part in zip(np.ndindex(self._lead), self.parts, strict=True):
            key: Any = (*place, *every, *place)
            out[key] = part._dense().reshape(part.codomain + part.domain)

    def _dense_bytes(self) -> int:
        return super()._dense_bytes() + max((part._dense_bytes() for part in self.parts), default=0)

    def _sparse(self) -> csr_array:
        from scipy.sparse import block_diag, csr_array

        if not self.parts:
            return csr_array(self.shape, dtype=self.dtype)
        return csr_array(block_diag([part._sparse() for part in self.parts], format="csr")).astype(self.dtype)

    def _sparse_bytes(self) -> int:
        return super()._sparse_bytes() + sum(part._sparse_bytes() for part in self.parts)

    def _nonzeros(self) -> Nonzeros:
        found = [part._nonzeros() for part in self.parts]
        rows, columns = (max((getattr(f, side) for f in found), default=0) for side in ("row", "column"))
        return Nonzeros(sum(f.total for f in found), rows, columns)

    def _row_norms(self) -> Array:
        each = [part._row_norms() for part in self.parts]
        return (np.stack(each) if each else np.zeros(0)).reshape(self.codomain).astype(self.dtype, copy=False)

    def _diagonal(self) -> Array:
        if self.codomain != self.domain or not self.parts:
            return super()._diagonal()
        return np.concatenate([part._diagonal() for part in self.parts]).astype(self.dtype, copy=False)

    @property
    def structure(self) -> str:
        return f"DirectSum({len(self.parts)} of {self.parts[0].structure})" if self.parts else "DirectSum(of nothing)"

    @property
    def flops(self) -> int:
        return sum(part.flops for part in self.parts)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return tuple(a for part in self.parts for a in part.arrays)
