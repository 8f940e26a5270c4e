"""Attention: softmax(Q Kᵀ/√d) V for each example and head, and the layer of several heads around it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, ClassVar, cast, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, inverse_axes, size_of
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.graphs.second_by_values import second_by_values
from jacobians.layers.axes import is_whole
from jacobians.layers.columns import Contracted
from jacobians.layers.composed import Composed
from jacobians.linops import (
    BatchedKronecker,
    Commutation,
    DiagonalMinusOuter,
    Jacobian,
    Kronecker,
    PermutedAxes,
    Product,
    Reshape,
)
from jacobians.linops.for_each_example import FEW_BYTES
from jacobians.linops.kernels import empty
from jacobians.linops.unrolling import slabs
from jacobians.operations import Jacobians, Primitive
from jacobians.operations.inside import Inside
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers, Pull, Second
from jacobians.operations.softmaxes import SOFTMAX, softmax
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Call, Expr

__all__ = ["Attention", "MultiHeadAttention", "attention", "multi_head_attention"]


@final
class Attention(Primitive):
    r"""(Q, K, V) ↦ P V with P = softmax(Q Kᵀ/√d), for each example and each head.

    The softmax runs over the keys, so :math:`dS = P \circ (dP - \operatorname{rowsum}(dP \circ P))` with dP = dO Vᵀ;
    then dQ = dS K/√d, dK = dSᵀ Q/√d and dV = Pᵀ dO.

    Parameters
    ----------
    mask : array_like of bool, optional
        Which keys each query may look at, True where it may; it broadcasts to the scores (…, queries, keys).
    causal : bool
        Whether query t looks at the keys up to t alone.

    Examples
    --------
    >>> Q = np.eye(2).reshape(1, 1, 2, 2)
    >>> Attention(causal=True)(Q, Q, Q)[0].shape
    (1, 1, 2, 2)
    """

    name = "attention"
    inputs: ClassVar[tuple[str, ...]] = ("Q", "K", "V")
    per_example = True

    def __init__(self, mask: npt.ArrayLike | None = None, *, causal: bool = False) -> None:
        self.mask = None if mask is None else as_array(mask, "the mask", self.name)
        if self.mask is not None and self.mask.dtype.kind != "b":
            raise ArgumentError(
                f"attention: the mask has dtype {self.mask.dtype}; expected booleans, True where a query may look at "
                "a key: of a mask that is added to the scores, pass mask == 0"
            )
        self.causal = causal

    def _evaluate(self, *arrays: Array) -> tuple[Array, Jacobians]:
        value, makers, pull = self._attended(*arrays)
        return value, Jacobians(self.name, makers, self.layout, pull, partial(self._second_of, arrays))

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        return self._attended(*arrays)[:2]

    def _attended(self, Q: Array, K: Array, V: Array) -> tuple[Array, Makers, Pull]:
        self._check(Q.shape, K.shape, V.shape)
        lead, (queries, d), (keys, features) = Q.shape[:-2], Q.shape[-2:], V.shape[-2:]
        scale = 1 / np.sqrt(Q.dtype.type(d))
        hidden = self._hidden((*lead, queries, keys))
        count, dtype = size_of(lead), np.result_type(Q, K)
        q, k, v = (a.reshape(count, *a.shape[-2:]) for a in (Q, K, V))
        shown = None if hidden is None else hidden.reshape(count, queries, keys)
        P = empty((count, queries, keys), dtype, Q, K)
        value = empty((count, queries, features), np.result_type(P, V), P, V)
        scaled = as_array(q * scale)
        steps = [*slabs(count, queries * keys * P.itemsize, FEW_BYTES)]
        for few in steps:
            scores = scaled[few] @ k[few].swapaxes(-1, -2)
            if shown is not None:
                scores = np.where(shown[few], -np.inf, scores)
            np.subtract(scores, scores.max(axis=-1, keepdims=True), out=P[few])
            with np.errstate(under="ignore"):
                np.exp(P[few], out=P[few])
            np.divide(P[few], P[few].sum(axis=-1, keepdims=True), out=P[few])
            np.matmul(P[few], v[few], out=value[few])

        def after_scores(V: Array, P: Array) -> Jacobian:
            return BatchedKronecker(queries, V.swapaxes(-1, -2)) @ DiagonalMinusOuter(P, P, P, -1)

        def scores_by(name: str, other: Array) -> Jacobian:
            """Of the queries by K/√d; of the keys by Q/√d, turned."""
            if name == "Q":
                return BatchedKronecker(queries, other)
            n = other.ndim - 2
            turned = PermutedAxes((*range(n), n + 1, n), (*other.shape[:n], keys, queries), dtype)
            return turned @ BatchedKronecker(keys, other)

        def in_all(array: Array) -> Array:
            return array.reshape(lead + array.shape[1:])

        makers: Makers = {
            "Q": lambda: after_scores(V, in_all(P)) @ scores_by("Q", as_array(scale * K)),
            "K": lambda: after_scores(V, in_all(P)) @ scores_by("K", in_all(scaled)),
            "V": lambda: BatchedKronecker(in_all(P), features),
        }

        def pull(row: Any, names: Collection[str]) -> dict[str, Any]:
            """What arrives at the scores is found once, for queries and keys, a few examples and heads at a time."""
            if isinstance(row, Jacobian):
                return {name: row @ makers[name]() for name in names}
            row = row.astype(np.result_type(row, value), copy=False).reshape(value.shape)
            found = {name: empty(a.shape, row.dtype, row, P) for name, a in zip("QKV", (q, k, v), strict=True)}
            others = {"Q": as_array(scale * k), "K": scaled}
            wanted = [name for name in others if name in names]
            for few in steps:
                if "V" in names:
                    BatchedKronecker(P[few], features).vjp_into(row[few], found["V"][few])
                if wanted:
                    at_scores = after_scores(v[few], P[few])._vjp(row[few])
                for name in wanted:
                    *turned, product = scores_by(name, others[name][few])._factors()
                    arrives = turned[0]._vjp(at_scores) if turned else at_scores
                    cast(BatchedKronecker, product).vjp_into(arrives, found[name][few])
            return {name: in_all(found[name]) for name in names}

        return in_all(value), makers, pull

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """That of softmax(Q Kᵀ/√d) V as a function of values."""
        return second_by_values(self._in_values, self.names, arrays, cotangent)

    def _in_values(self, Q: Value, K: Value, V: Value) -> Value:
        scores = (Q / np.sqrt(Q.dtype.type(Q.shape[-1]))) @ K.swapaxes(-1, -2)
        hidden = self._hidden(scores.shape)
        if hidden is not None:
            scores = scores + np.where(hidden, Q.dtype.type(-np.inf), Q.dtype.type(0))
        return softmax(scores) @ V

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return P V with P = softmax(S), S = Q Kᵀ/√d, and the makers in symbols.

        Of several examples and heads S and P have one row for each query of each of them.
        """
        Q, K, V = inputs
        if Q.ndim > 2:
            return self._of_heads(Q, K, V, name)
        (queries, d), keys = Q.shape, K.shape[0]
        P, at_scores = self._weights(Q @ K.T * d**-0.5, (queries, keys), name)
        p, k, q = cast(Array, P), cast(Array, K), cast(Array, Q)

        def by_scores(last: Jacobian) -> Jacobian:
            return Product((Kronecker(queries, cast(Array, V.T)), *at_scores, *last._factors()))

        makers: Makers = {
            "Q": lambda: by_scores(d**-0.5 * Kronecker(queries, k)),
            "K": lambda: by_scores(d**-0.5 * Product((Kronecker(q, keys), Commutation(keys, d)))),
            "V": lambda: Kronecker(p, V.shape[1]),
        }
        return P @ V, makers

    def _of_heads(self, Q: Expr, K: Expr, V: Expr, name: Naming) -> tuple[Expr, Makers]:
        lead = {1: "n", 2: "nh"}.get(Q.ndim - 2, "abcfgh"[: Q.ndim - 2])
        every = (*Q.shape[:-1], K.shape[-2])
        rows, d = (size_of(every[:-1]), every[-1]), Q.shape[-1]
        q, k, v, s, o = (lead + own for own in ("qd", "kd", "ke", "qk", "qe"))

        def total(spec: str, *of: Expr) -> Expr:
            return cast(Expr, np.einsum(spec, *(cast(Array, each) for each in of)))

        P, at_scores = self._weights(total(f"{q},{k}->{s}", Q, K).reshape(*rows) * d**-0.5, every, name)
        p = P.reshape(*every)
        value = total(f"{s},{v}->{o}", p, V)

        def by_scores(back: str, other: Expr, domain: Shape) -> Jacobian:
            before = Contracted(f"{v},{o}->{s}", V, value.shape, every), Reshape(every, rows)
            last = d**-0.5 * Product((Reshape(rows, every), Contracted(back, other, every, domain)))
            return Product((*before, *at_scores, *last._factors()))

        makers: Makers = {
            "Q": lambda: by_scores(f"{k},{s}->{q}", K, Q.shape),
            "K": lambda: by_scores(f"{q},{s}->{k}", Q, K.shape),
            "V": lambda: Contracted(f"{s},{o}->{v}", p, value.shape, V.shape),
        }
        return value, makers

    def _weights(self, scores: Expr, shape: Shape, name: Naming) -> tuple[Expr, tuple[Jacobian, ...]]:
        """P, one row for each query, and the Jacobian of P with respect to the scores, in factors."""
        hidden = self._hidden(shape)
        if hidden is not None:
            scores = scores + name.constant("M", np.where(hidden, -np.inf, 0.0).reshape(scores.shape))
        S = name.inside("S")(scores)
        P = name.inside("P")(Call(SOFTMAX["rows"], (S,)))
        p = cast(Array, P)
        return P, (Inside(P), DiagonalMinusOuter(p, p, p, 1), Inside(S))

    def _check(self, Q: Shape, K: Shape, V: Shape) -> None:
        fits = min(map(len, (Q, K, V))) >= 2 and Q[:-2] == K[:-2] == V[:-2] and Q[-1] == K[-1] and K[-2] == V[-2]
        if not fits or not Q[-1]:
            raise ShapeError(
                f"attention: Q has shape {Q}, K {K}, V {V}; expected (…, queries, d), (…, keys, d) and (…, keys, "
                "features) with the same leading axes"
            )

    def _hidden(self, shape: Shape) -> Array | None:
        """Where a query may not look; None where it may everywhere."""
        hidden = None
        if self.causal:
            queries, keys = (np.arange(n) for n in shape[-2:])
            hidden = np.broadcast_to(as_array(keys > queries[:, None]), shape)
        if self.mask is not None:
            try:
                own = np.broadcast_to(~self.mask, shape)
            except ValueError:
                raise ShapeError(
                    f"attention: the mask has shape {self.mask.shape}, which does not broadcast to the scores {shape}"
                ) from None
            hidden = own if hidden is None else hidden | own
        if shape[-1] == 0 and 0 not in shape[:-1]:
            raise DomainError(f"attention: the scores have shape {shape}; a softmax over the keys needs one or more")
        if hidden is not None and (blind := hidden.all(axis=-1)).any():
            place = tuple(map(int, np.argwhere(blind)[0]))
            raise DomainError(
                f"attention: the query at {place} of scores {shape} may look at no key, and a softmax needs one or "
                "more; let it look at any key, and leave it out of the loss"
            )
        return hidden


@written
def attention(Q: Any, K: Any, V: Any, *, mask: npt.ArrayLike | None = None, causal: bool = False) -> Any:
    """Return softmax(Q Kᵀ/√d) V, and its Jacobians with respect to Q, K and V.

    Parameters
    ----------
    Q, K, V : array_like, shape (…, queries, d), (…, keys, d) and (…, keys, features)
        With the same leading axes, such as examples and heads.
    mask : array_like of bool, optional
        True where a query may look at a key, as in torch; False is taken out before the softmax.
    causal : bool

    Raises
    ------
    ShapeError
        If the arrays do not fit each other, or the mask them.
    DomainError
        If a query may look at no key.

    References
    ----------
    Vaswani et al. (2017), *Attention is all you need*, arXiv:1706.03762, eq. 1; Stanford CS231n, assignment 3.

    Examples
    --------
    >>> Q = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    >>> O, J = attention(Q, Q, Q, causal=True)
    >>> O[0, 0]                                   # the first query sees the first key alone
    array([1., 0.])
    >>> J.V
    BatchedKronecker(1 of 1×2×2, I₂): 4×4 float64, (1, 2, 2) → (1, 2, 2), 32 B
    """
    return Attention(mask, causal=causal)(Q, K, V)


@final
class MultiHeadAttention(Composed):
    """(X, M, Wq, Wk, Wv, Wo, bq, bk, bv, bo) ↦ the heads side by side, times Wo. Queries of X look at keys of M.

    Parameters
    ----------
    heads : int
        A divisor of the width of Wq, Wk and Wv; head k has the k-th run of their outputs.
    mask, causal
        As in `Attention`; a mask broadcasts to (N, heads, queries, keys).
    bias : bool
        Whether the four products have biases.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> X, W, b = np.ones((1, 3, 4)), np.eye(4), np.zeros(4)
    >>> MultiHeadAttention(2)(X, X, W, W, W, W, b, b, b, b)[0].shape
    (1, 3, 4)
    """

    name = "multi_head_attention"
    inputs: ClassVar[tuple[str, ...]] = ("X", "M", "Wq", "Wk", "Wv", "Wo", "bq", "bk", "bv", "bo")
    per_example = True
    reads = ("sequences", "weights")

    def __init__(
        self,
        heads: int,
        mask: npt.ArrayLike | None = None,
        *,
        causal: bool = False,
        bias: bool = True,
        layout: AnyLayout | None = None,
    ) -> None:
        self.heads, self.bias = heads, bias
        self.inner = Attention(mask, causal=causal)
        self.layout = None if layout is None else find_layout(layout)

    @property
    def names(self) -> tuple[str, ...]:
        return self.inputs if self.bias else self.inputs[:6]

    @property
    def time_first(self) -> bool:
        """Whether the layout has sequences time-first."""
        return self._own_layout.sequences == "time-first"

    def _shapes(self, *given: Shape) -> Mapping[str, Shape]:
        X, M, Wq, Wk, Wv, Wo = given[:6]
        layout = self._own_layout
        if len(X) != 3 or len(M) != 3 or min(map(len, (Wq, Wk, Wv, Wo))) < 2:
            raise ShapeError(
                f"{self.name}: X has shape {X}, M {M}, Wq {Wq}; expected batches of sequences, and matrices of weights"
            )
        out = 1 if layout.weights == "columns" else 0
        width, own, outputs = Wq[out], Wv[out], Wo[out]
        if not is_whole(self.heads) or self.heads < 1 or width % self.heads or own % self.heads:
            raise ShapeError(
                f"{self.name}: heads={self.heads!r} of {width} and {own} outputs; expected a common divisor"
            )
        axes = layout.sequence_axes()
        x, m = (tuple(s[a] for a in axes) for s in (X, M))
        memory = (x[0], m[1], m[2])

        def weights(n_in: int, n_out: int) -> Shape:
            return (n_in, n_out) if layout.weights == "columns" else (n_out, n_in)

        shapes = {
            "M": tuple(memory[a] for a in inverse_axes(axes)),
            "Wq": weights(x[2], width),
            "Wk": weights(m[2], width),
            "Wv": weights(m[2], own),
            "Wo": weights(own, outputs),
        }
        biases: dict[str, Shape] = {"bq": (width,), "bk": (width,), "bv": (own,), "bo": (outputs,)}
        return shapes | biases if self.bias else shapes

    def _formula(self, *inputs: Value) -> Value:
        X, M, Wq, Wk, Wv, Wo, *biases = inputs
        axes = self._own_layout.sequence_axes()
        x, m = X.transpose(axes), M.transpose(axes)
        Wq, Wk, Wv, Wo = (W if self._own_layout.weights == "columns" else W.T for W in (Wq, Wk, Wv, Wo))
        through = [own @ W for own, W in ((x, Wq), (m, Wk), (m, Wv))]
        if biases:
            through = [product + b for product, b in zip(through, biases, strict=False)]
        q, k, v = map(self._split, through)
        seen = self.inner(q, k, v)
        joined = seen.transpose((0, 2, 1, 3)).reshape((*x.shape[:2], v.shape[1] * v.shape[3]))
        result = joined @ Wo
        return (result + biases[3] if biases else result).transpose(inverse_axes(axes))

    def _split(self, value: Value) -> Value:
        """(N, T, heads·d) ↦ (N, heads, T, d)."""
        count, steps, width = value.shape
        return value.reshape((count, steps, self.heads, width // self.heads)).transpose((0, 2, 1, 3))


@written
def multi_head_attention(
    X: Any,
    M: Any,
    Wq: Any,
    Wk: Any,
    Wv: Any,
    Wo: Any,
    bq: Any = None,
    bk: Any = None,
    bv: Any = None,
    bo: Any = None,
    *,
    heads: int,
    mask: npt.ArrayLike | None = None,
    causal: bool = False,
    layout: AnyLayout | None = None,
) -> Any:
    """Return the attention of several heads side by side, times Wo, and its Jacobians.

    Parameters
    ----------
    X : array_like, shape (N, T, D), or as the layout has sequences
        What asks.
    M : array_like, shape (N, T', D')
        What is looked at. Self-attention looks at X itself. A value of a graph that is given twice is one value. Arrays
        have two Jacobians, with respect to X and to M, and self-attention's is their sum.
    Wq, Wk, Wv, Wo : array_like, shape (in, out); the transposes with the weights in rows
    bq, bk, bv, bo : array_like, shape (out,), optional
        None of them, or zeros for those that are not given.
    heads : int
    mask : array_like of bool, optional
        True where a query may look at a key; it broadcasts to (N, heads, T, T').
    causal : bool
    layout : Layout, Convention or str, optional

    References
    ----------
    Vaswani et al. (2017), arXiv:1706.03762, section 3.2.2; Stanford CS231n, assignment 3, MultiHeadAttention.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, W = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 4))
    >>> Z, J = multi_head_attention(X, X, W, W, W, W, heads=2)
    >>> Z.shape, J.Wo.shape
    ((2, 3, 4), (24, 16))
    """
    given = ((bq, Wq), (bk, Wk), (bv, Wv), (bo, Wo))
    biased = any(b is not None for b, _ in given)
    out = 1 if find_layout(layout).weights == "columns" else 0
    biases = [np.zeros(np.shape(getattr(W, "array", W))[out]) if b is None else b for b, W in given] if biased else []
    operation = MultiHeadAttention(heads, mask, causal=causal, bias=biased, layout=layout)
    return operation(X, M, Wq, Wk, Wv, Wo, *biases)
