"""Giles, An extended collection of matrix derivative results for forward and reverse mode, NA-08/01 (2008).

From memory, section by section. Ȧ is written dA; the reverse formula of C(A) is the gradient of tr(Wᵀ C), where W is C̄.
"""

from __future__ import annotations

from typing import Any

from tests.differentiation.tables.identity import Identity


def _f(number: str, value: str, printed: str, wrt: str = "A", **more: Any) -> Identity:
    return Identity(number=number, value=value, wrt=wrt, printed=printed, form="differential", **more)


def _r(number: str, value: str, printed: str, wrt: str = "A", **more: Any) -> Identity:
    return Identity(number=number, value=f"trace(W.T @ ({value}))", wrt=wrt, printed=printed, **more)


_SQUARE = {"A": (3, 3)}
_EIGEN: dict[str, Any] = {
    "read": "",
    "structure": "symmetric",
    "shapes": {"A": (3, 3), "W": (3, 3)},
    "note": "of a symmetric A, where U⁻¹ = Uᵀ",
}
_ROTATED = {"U": "eigenvectors(A)", "E": "gaps(A)"}
_LOW = {"L": "chol(A)", "M": "inv(L) @ dA @ inv(L).T"}
_BACK = {"L": "chol(A)", "P": "low(L.T @ W)", "Q": "inv(L).T @ P @ inv(L)"}

_BASIC = [
    _f("2.2.1", "A + B", "dA + dB", "A B"),
    _r("2.2.1", "A + B", "W"),
    _f("2.2.1", "A @ B", "dA @ B + A @ dB", "A B"),
    _r("2.2.1", "A @ B", "W @ B.T"),
    _r("2.2.1", "A @ B", "A.T @ W", "B"),
    _f("2.2.2", "inv(A)", "-inv(A) @ dA @ inv(A)"),
    _r("2.2.2", "inv(A)", "-C.T @ W @ C.T", where={"C": "inv(A)"}),
    _f("2.2.3", "det(A)", "det(A) * trace(inv(A) @ dA)"),
    Identity(number="2.2.3", value="c * det(A)", wrt="A", printed="c * det(A) * inv(A).T", shapes={"c": ()},
             note="c is C̄"),
    _f("2.2.4", "inv(A) @ B", "inv(A) @ (dB - dA @ C)", "A B", where={"C": "inv(A) @ B"}, shapes={"B": (3, 2)}),
    _r("2.2.4", "inv(A) @ B", "inv(A).T @ W", "B", shapes={"B": (3, 2)}),
    _r("2.2.4", "inv(A) @ B", "-(inv(A).T @ W) @ C.T", where={"C": "inv(A) @ B"}, shapes={"B": (3, 2)}),
    _f("2.2.5", "B.T @ A @ B", "dB.T @ A @ B + B.T @ dA @ B + B.T @ A @ dB", "A B"),
    _r("2.2.5", "B.T @ A @ B", "B @ W @ B.T"),
    _r("2.2.5", "B.T @ A @ B", "A @ B @ W.T + A.T @ B @ W", "B"),
    _f("2.2.5", "B.T @ inv(A) @ B", "dB.T @ D - D.T @ dA @ D + D.T @ dB", "A B", where={"D": "inv(A) @ B"},
       symmetric="A", structure="symmetric", shapes={"A": (3, 3), "B": (3, 3)}, note="of a symmetric A, by both, "
       "B square"),
    _f("2.2.5", "B.T @ inv(A) @ B", "dB.T @ inv(A) @ B - B.T @ inv(A) @ dA @ inv(A) @ B + B.T @ inv(A) @ dB", "A B",
       shapes={"B": (3, 2)}),
    _r("2.2.5", "B.T @ inv(A) @ B", "-inv(A).T @ B @ W @ B.T @ inv(A).T", shapes={"B": (3, 2)}),
    _r("2.2.5", "B.T @ inv(A) @ B", "inv(A) @ B @ W.T + inv(A).T @ B @ W", "B", shapes={"B": (3, 2)}),
]  # fmt: skip

_FUNCTIONS = [
    _f("2.3.1", "2 * eye(3) + 3 * A + 4 * matrix_power(A, 2) + 5 * matrix_power(A, 3)",
       "5 * (dA @ A @ A + A @ dA @ A + A @ A @ dA) + 4 * (dA @ A + A @ dA) + 3 * dA", shapes=_SQUARE,
       read="2 * I + 3 * A + 4 * matrix_power(A, 2) + 5 * matrix_power(A, 3)",
       note="by Horner's scheme, of the polynomial 2 + 3A + 4A² + 5A³"),
    _r("2.3.1", "3 * A + 4 * matrix_power(A, 2) + 5 * matrix_power(A, 3)",
       "5 * (W @ A.T @ A.T + A.T @ W @ A.T + A.T @ A.T @ W) + 4 * (W @ A.T + A.T @ W) + 3 * W"),
    _f("2.3.2", "expm(A)", "block(expm(augmented(A, dA)))", read="", graph="matrix.expm(A)", shapes=_SQUARE,
       note="the corner of the exponential of [A Ȧ; 0 A]"),
    _r("2.3.2", "expm(A)", "block(expm(augmented(A.T, W)))", read="", graph="matrix.trace(W.T @ matrix.expm(A))",
       shapes={"A": (3, 3), "W": (3, 3)}),
    _f("2.3.3", "norm(A)", "trace(A.T @ dA) / norm(A)", shapes={"A": (3, 4)}),
    Identity(number="2.3.3", value="c * norm(A)", wrt="A", printed="c * A / norm(A)", shapes={"c": (), "A": (3, 4)}),
    _f("2.3.3", "singular(A, 0)", "left(A, 0).T @ dA @ right(A, 0)", read="", shapes={"A": (3, 4)},
       graph="matrix.spectral_norm(A)", note="the 2-norm, the largest singular value"),
    Identity(number="2.3.3", value="singular(A, 0)", wrt="A", printed="left(A, 0) @ right(A, 0).T", read="",
             graph="matrix.spectral_norm(A)", shapes={"A": (3, 4)}),
    Identity(number="2.3.4", value="-half * logdet(S) - half * (x - m).T @ inv(S) @ (x - m)", wrt="m",
             printed="inv(S) @ (x - m)", symmetric="S", read="-0.5 * logdet(S) - 0.5 * (x - m).T @ inv(S) @ (x - m)",
             note="log of a Gaussian density"),
    Identity(number="2.3.4", value="-half * logdet(S) - half * (x - m).T @ inv(S) @ (x - m)", wrt="S",
             printed="-half * (inv(S) - inv(S) @ (x - m) @ (x - m).T @ inv(S))", structure="symmetric",
             read="-0.5 * logdet(S) - 0.5 * (x - m).T @ inv(S) @ (x - m)"),
]  # fmt: skip

_FACTORS = [
    _f("3.1", "eigenvalues(A)", "diagonal_of(U.T @ dA @ U)", where=_ROTATED, graph="matrix.eigvalsh(A)", **_EIGEN),
    _f("3.1", "eigenvectors(A)", "U @ (E * (U.T @ dA @ U))", where=_ROTATED, graph="matrix.eigh(A)[1]", **_EIGEN),
    Identity(number="3.1", value="trace(W.T @ eigenvectors(A)) + w.T @ eigenvalues(A)", wrt="A",
             printed="U @ (diag(w) + E * (U.T @ W)) @ U.T", where=_ROTATED, read="", structure="symmetric",
             graph="matrix.trace(W.T @ matrix.eigh(A)[1]) + (w.T @ matrix.eigvalsh(A)).sum()",
             shapes={"A": (3, 3), "W": (3, 3), "w": (3, 1)}, note="D̄ = diag(w), Ū = W"),
    _f("3.2", "singular_values(A)", "diagonal_of(lefts(A).T @ dA @ rights(A))", read="", graph="matrix.svdvals(A)",
       shapes={"A": (3, 4)}),
    Identity(number="3.2", value="w.T @ singular_values(A)", wrt="A", printed="lefts(A) @ diag(w) @ rights(A).T",
             read="", graph="(w.T @ matrix.svdvals(A)).sum()", shapes={"A": (3, 4), "w": (3, 1)}),
    _f("3.3", "chol(A)", "L @ low(M)", where=_LOW, read="", graph="matrix.cholesky(A)", structure="symmetric",
       shapes=_SQUARE, note="Φ halves the diagonal"),
    _r("3.3", "chol(A)", "half * (Q + Q.T)", where=_BACK, read="", graph="matrix.trace(W.T @ matrix.cholesky(A))",
       structure="symmetric", shapes={"A": (3, 3), "W": (3, 3)}, note="symmetrised, as Murray 2016 writes it"),
]  # fmt: skip

GILES = {"Linear algebra": _BASIC, "Functions and norms": _FUNCTIONS, "Factorisations": _FACTORS}
