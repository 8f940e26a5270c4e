"""The Matrix Cookbook's derivatives: chapter 2, and the structure matrices of 9.7.6.

Petersen & Pedersen, The Matrix Cookbook, version of November 15, 2012. The identities were read in a transcription of
it (github.com/eric-wieser/lean-matrix-cookbook, md/main.md); the numbers of the equations are counted there, and agree
with those that SymPy's tests cite and with the book's page 15.
"""

from __future__ import annotations

from typing import Any

from tests.differentiation.tables.identity import Identity

_SQUARE = {"X": (3, 3), "A": (3, 3)}
_TALL = {"X": (4, 3)}


def _d(number: str, value: str, printed: str, wrt: str = "X", **more: Any) -> Identity:
    return Identity(number=number, value=value, wrt=wrt, printed=printed, form="differential", **more)


def _g(number: str, value: str, printed: str, wrt: str = "X", **more: Any) -> Identity:
    return Identity(number=number, value=value, wrt=wrt, printed=printed, **more)


def _e(number: str, value: str, printed: str, indices: str = "kl,ij", **more: Any) -> Identity:
    return Identity(number=number, value=value, wrt="X", printed=printed, form="entries", indices=indices, **more)


_RULES = [
    _d("34", "alpha * X", "alpha * dX"),
    _d("35", "X + Y", "dX + dY", "X Y"),
    _d("36", "trace(X)", "trace(dX)"),
    _d("37", "X @ Y", "dX @ Y + X @ dY", "X Y"),
    _d("38", "X * Y", "dX * Y + X * dY", "X Y"),
    _d("39", "kron(X, Y)", "kron(dX, Y) + kron(X, dY)", "X Y", read="", graph="matrix.kron(X, Y)",
       shapes={"X": (2, 3), "Y": (3, 2)}),
    _d("40", "inv(X)", "-inv(X) @ dX @ inv(X)"),
    _d("41", "det(X)", "trace(adj(X) @ dX)"),
    _d("42", "det(X)", "det(X) * trace(inv(X) @ dX)"),
    _d("43", "logdet(X)", "trace(inv(X) @ dX)"),
    _d("44", "X.T", "dX.T"),
]  # fmt: skip

_DETERMINANTS = [
    _d("46", "det(Y)", "det(Y) * trace(inv(Y) @ dY)", "Y"),
    _g("47", "det(X)", "det(X) * inv(X.T)", note="printed as Σₖ ∂det(X)/∂Xᵢₖ Xⱼₖ = δᵢⱼ det(X), here solved for ∂X"),
    Identity(number="48", value="det(A + x * B + x ** 2 * C)", wrt="x", form="hessian", shapes={"x": ()},
             where={"Y": "A + x * B + x ** 2 * C", "dY": "B + 2 * x * C", "ddY": "2 * C"},
             printed="det(Y) * (trace(inv(Y) @ ddY) + trace(inv(Y) @ dY) * trace(inv(Y) @ dY)"
             " - trace(inv(Y) @ dY @ inv(Y) @ dY))", note="of Y = A + x B + x² C"),
    _g("49", "det(X)", "det(X) * inv(X).T"),
    _g("50", "det(X)", "det(X) * inv(X.T)", note="as 47"),
    _g("51", "det(A @ X @ B)", "det(A @ X @ B) * inv(X).T", shapes=_SQUARE),
    _g("52", "det(X.T @ A @ X)", "2 * det(X.T @ A @ X) * inv(X).T", shapes=_SQUARE),
    _g("53", "det(X.T @ A @ X)", "2 * det(X.T @ A @ X) * A @ X @ inv(X.T @ A @ X)", symmetric="A", shapes=_TALL),
    _g("54", "det(X.T @ A @ X)",
       "det(X.T @ A @ X) * (A @ X @ inv(X.T @ A @ X) + A.T @ X @ inv(X.T @ A.T @ X))", shapes=_TALL),
    _g("55", "logdet(X.T @ X)", "2 * pinv(X).T", shapes=_TALL),
    _g("56", "logdet(pinv(P).T @ pinv(P))", "-2 * pinv(P).T", "P", read="", shapes={"P": (3, 4)},
       graph="matrix.logdet(matrix.pinv(P).T @ matrix.pinv(P))", note="P is X⁺"),
    _g("57", "logdet(X)", "inv(X).T", note="where det X > 0"),
    _g("58", "det(matrix_power(X, 4))", "4 * det(matrix_power(X, 4)) * inv(X).T", note="k = 4"),
]  # fmt: skip

_INVERSES = [
    _d("59", "inv(Y)", "-inv(Y) @ dY @ inv(Y)", "Y"),
    _e("60", "inv(X)", "-inv(X)[k, i] * inv(X)[j, l]"),
    _g("61", "a.T @ inv(X) @ b", "-inv(X).T @ a @ b.T @ inv(X).T"),
    _g("62", "det(inv(X))", "-det(inv(X)) * inv(X).T"),
    _g("63", "trace(A @ inv(X) @ B)", "-(inv(X) @ B @ A @ inv(X)).T"),
    _g("64", "trace(inv(X + A))", "-(inv(X + A) @ inv(X + A)).T"),
    _g("64, below", "trace(B @ inv(A) @ C @ inv(A))", "-inv(A).T @ dJ @ inv(A).T", "A",
       where={"W": "inv(A)", "dJ": "B.T @ W.T @ C.T + C.T @ W.T @ B.T"}, note="of J = tr(B W C W), W = A⁻¹"),
]  # fmt: skip

_EIGENVALUES = [
    _g("65", "eigsum(X)", "eye(3)", read="trace(X)"),
    _g("66", "eigprod(X)", "det(X) * inv(X).T", read="det(X)"),
    _d("67", "eig(A, 1)", "eigvec(A, 1).T @ dA @ eigvec(A, 1)", "A", read="", structure="symmetric",
       graph="matrix.eigvalsh(A)[1]", shapes={"A": (3, 3)}),
    _d("68", "eigvec(A, 1)", "pinv_symmetric(eig(A, 1) * eye(3) - A) @ dA @ eigvec(A, 1)", "A", read="",
       structure="symmetric", graph="matrix.eigh(A)[1][:, 1:2]", shapes={"A": (3, 3)}),
]  # fmt: skip

_W = "(x - A @ s).T @ W @ (x - A @ s)"
_V = "(x - s).T @ W @ (x - s)"
_FORMS = [
    _g("69", "x.T @ a", "a", "x"),
    _g("70", "a.T @ X @ b", "a @ b.T"),
    _g("71", "a.T @ X.T @ b", "b @ a.T"),
    _g("72", "a.T @ X @ a", "a @ a.T"),
    _g("72", "a.T @ X.T @ a", "a @ a.T"),
    _e("73", "X", "J(i, j, 3, 4)[k, l]"),
    _e("74", "X @ A", "delta(i, m) * A[n, j]", "ij,mn"),
    _e("75", "X.T @ A", "delta(i, n) * A[m, j]", "ij,mn"),
    _g("76", "X.sum() * X.sum()", "2 * X.sum() * np.ones((3, 4))"),
    _g("77", "b.T @ X.T @ X @ c", "X @ (b @ c.T + c @ b.T)"),
    _g("78", "(B @ x + b).T @ C @ (D @ x + d)", "B.T @ C @ (D @ x + d) + D.T @ C.T @ (B @ x + b)", "x"),
    _e("79", "X.T @ B @ X", "delta(l, j) * (X.T @ B)[k, i] + delta(k, j) * (B @ X)[i, l]"),
    _d("80", "X.T @ B @ X", "X.T @ B @ dX + dX.T @ B @ X", note="dX is the single-entry matrix J of i, j"),
    _g("81", "x.T @ B @ x", "(B + B.T) @ x", "x"),
    _g("82", "b.T @ X.T @ D @ X @ c", "D.T @ X @ b @ c.T + D @ X @ c @ b.T"),
    _g("83", "(X @ b + c).T @ D @ (X @ b + c)", "(D + D.T) @ (X @ b + c) @ b.T"),
    _g("84", _W, "-2 * A.T @ W @ (x - A @ s)", "s", symmetric="W"),
    _g("85", _V, "2 * W @ (x - s)", "x", symmetric="W"),
    _g("86", _V, "-2 * W @ (x - s)", "s", symmetric="W"),
    _g("87", _W, "2 * W @ (x - A @ s)", "x", symmetric="W"),
    _g("88", _W, "-2 * W @ (x - A @ s) @ s.T", "A", symmetric="W"),
    _e("90", "matrix_power(X, 4)",
       "total((matrix_power(X, r) @ J(i, j, 3, 3) @ matrix_power(X, 3 - r))[k, l] for r in numbers(4))", note="n = 4"),
    _g("91", "a.T @ matrix_power(X, 4) @ b",
       "total(matrix_power(X, r).T @ a @ b.T @ matrix_power(X, 3 - r).T for r in numbers(4))", note="n = 4"),
    _g("92", "a.T @ matrix_power(X, 3).T @ matrix_power(X, 3) @ b",
       "total(matrix_power(X, 2 - r) @ a @ b.T @ matrix_power(X, 3).T @ matrix_power(X, r)"
       " + matrix_power(X, r).T @ matrix_power(X, 3) @ a @ b.T @ matrix_power(X, 2 - r).T for r in numbers(3))",
       right="total(matrix_power(X, r).T @ matrix_power(X, 3) @ b @ a.T @ matrix_power(X, 2 - r).T"
       " + matrix_power(X, r).T @ matrix_power(X, 3) @ a @ b.T @ matrix_power(X, 2 - r).T for r in numbers(3))",
       note="n = 3; the first term of the sum is printed transposed"),
    _g("93", "tanh(B @ x).T @ A @ sin(C @ x)", "ds.T @ A @ r + dr.T @ A.T @ s", "x",
       where={"s": "tanh(B @ x)", "r": "sin(C @ x)", "ds": "diag(1 - s ** 2) @ B", "dr": "diag(cos(C @ x)) @ C"},
       note="of s = tanh(B x), r = sin(C x)"),
    _g("95", "((A @ x).T @ (A @ x)) / ((B @ x).T @ (B @ x))",
       "2 * A.T @ A @ x / (x.T @ B @ B @ x)"
       " - 2 * (x.T @ A.T @ A @ x) * (B.T @ B @ x) / (x.T @ B.T @ B @ x) ** 2", "x",
       shapes={"A": (4, 3), "B": (3, 3)},
       right="2 * A.T @ A @ x / (x.T @ B.T @ B @ x)"
       " - 2 * (x.T @ A.T @ A @ x) * (B.T @ B @ x) / (x.T @ B.T @ B @ x) ** 2",
       note="the first denominator is xᵀ B B x in the transcription, for xᵀ Bᵀ B x"),
    _g("97", "x.T @ A @ x + b.T @ x", "(A + A.T) @ x + b", "x"),
    Identity(number="98", value="x.T @ A @ x + b.T @ x", wrt="x", printed="A + A.T", form="hessian"),
]  # fmt: skip

_TRACES = [
    _g("99", "trace(X)", "eye(3)"),
    _g("100", "trace(X @ A)", "A.T"),
    _g("101", "trace(A @ X @ B)", "A.T @ B.T"),
    _g("102", "trace(A @ X.T @ B)", "B @ A"),
    _g("103", "trace(X.T @ A)", "A"),
    _g("104", "trace(A @ X.T)", "A"),
    _g("105", "trace(kron(A, X))", "trace(A) * eye(3)", read="trace(A) * trace(X)", shapes={"A": (2, 2)},
       graph="matrix.trace(matrix.kron(A, X))"),
    _g("106", "trace(matrix_power(X, 2))", "2 * X.T"),
    _g("107", "trace(matrix_power(X, 2) @ B)", "(X @ B + B @ X).T"),
    _g("108", "trace(X.T @ B @ X)", "B @ X + B.T @ X"),
    _g("109", "trace(B @ X @ X.T)", "B @ X + B.T @ X"),
    _g("110", "trace(X @ X.T @ B)", "B @ X + B.T @ X"),
    _g("111", "trace(X @ B @ X.T)", "X @ B.T + X @ B"),
    _g("112", "trace(B @ X.T @ X)", "X @ B.T + X @ B"),
    _g("113", "trace(X.T @ X @ B)", "X @ B.T + X @ B"),
    _g("114", "trace(A @ X @ B @ X)", "A.T @ X.T @ B.T + B.T @ X.T @ A.T"),
    _g("115", "trace(X.T @ X)", "2 * X"),
    _g("115", "trace(X @ X.T)", "2 * X"),
    _g("116", "trace(B.T @ X.T @ C @ X @ B)", "C.T @ X @ B @ B.T + C @ X @ B @ B.T"),
    _g("117", "trace(X.T @ B @ X @ C)", "B @ X @ C + B.T @ X @ C.T"),
    _g("118", "trace(A @ X @ B @ X.T @ C)", "A.T @ C.T @ X @ B.T + C @ A @ X @ B"),
    _g("119", "trace((A @ X @ B + C) @ (A @ X @ B + C).T)", "2 * A.T @ (A @ X @ B + C) @ B.T"),
    _g("120", "trace(kron(X, X))", "2 * trace(X) * eye(3)", read="trace(X) * trace(X)",
       graph="matrix.trace(matrix.kron(X, X))"),
    _g("121", "trace(matrix_power(X, 5))", "5 * matrix_power(X, 4).T", note="k = 5"),
    _g("122", "trace(A @ matrix_power(X, 4))",
       "total((matrix_power(X, r) @ A @ matrix_power(X, 3 - r)).T for r in numbers(4))", note="k = 4"),
    _g("123", "trace(B.T @ X.T @ C @ X @ X.T @ C @ X @ B)",
       "C @ X @ X.T @ C @ X @ B @ B.T + C.T @ X @ B @ B.T @ X.T @ C.T @ X"
       " + C @ X @ B @ B.T @ X.T @ C @ X + C.T @ X @ X.T @ C.T @ X @ B @ B.T"),
    _g("124", "trace(A @ inv(X) @ B)", "-inv(X).T @ A.T @ B.T @ inv(X).T"),
    _g("125", "trace(inv(X.T @ C @ X) @ A)",
       "-(C @ X @ inv(X.T @ C @ X)) @ (A + A.T) @ inv(X.T @ C @ X)", symmetric="C", shapes=_TALL),
    _g("126", "trace(inv(X.T @ C @ X) @ (X.T @ B @ X))",
       "-2 * C @ X @ inv(X.T @ C @ X) @ X.T @ B @ X @ inv(X.T @ C @ X) + 2 * B @ X @ inv(X.T @ C @ X)",
       symmetric="B C", shapes=_TALL),
    _g("127", "trace(inv(A + X.T @ C @ X) @ (X.T @ B @ X))",
       "-2 * C @ X @ inv(A + X.T @ C @ X) @ X.T @ B @ X @ inv(A + X.T @ C @ X) + 2 * B @ X @ inv(A + X.T @ C @ X)",
       symmetric="B C", shapes=_TALL,
       right="-C @ X @ inv(A + X.T @ C @ X) @ X.T @ B @ X @ inv(A + X.T @ C @ X)"
       " - C @ X @ inv(A + X.T @ C @ X).T @ X.T @ B @ X @ inv(A + X.T @ C @ X).T"
       " + B @ X @ (inv(A + X.T @ C @ X) + inv(A + X.T @ C @ X).T)",
       note="right where A is symmetric too, which is not said; only B and C are assumed to be"),
    _g("127", "trace(inv(A + X.T @ C @ X) @ (X.T @ B @ X))",
       "-2 * C @ X @ inv(A + X.T @ C @ X) @ X.T @ B @ X @ inv(A + X.T @ C @ X) + 2 * B @ X @ inv(A + X.T @ C @ X)",
       symmetric="A B C", shapes=_TALL, note="with A symmetric"),
    _g("128", "trace(sinm(X))", "cosm(X).T", read="", structure="symmetric", shapes={"X": (3, 3)},
       graph="matrix.trace(matrix.spectral_function(X, np.sin, np.cos))",
       note="the sine of a matrix; tried on symmetric matrices, where the library has it"),
]  # fmt: skip

_NORMS = [
    _g("129", "norm(x - a)", "(x - a) / norm(x - a)", "x"),
    Identity(number="130", value="(x - a) / norm(x - a)", wrt="x", form="jacobian",
             printed="eye(3) / norm(x - a) - (x - a) @ (x - a).T / norm(x - a) ** 3"),
    _g("131", "norm(x) ** 2", "2 * x", "x"),
    _g("131", "x.T @ x", "2 * x", "x", note="the norm of a number is its size"),
    _g("132", "norm(X) ** 2", "2 * X"),
    _g("132", "trace(X @ X.T)", "2 * X"),
]  # fmt: skip

_SYMMETRIC = {"structure": "coordinates", "shapes": {"X": (3, 3)}}
_STRUCTURED = [
    _d("133", "logdet(A)", "trace(inv(A).T.T @ dA)", "A", structure="symmetric",
       note="f = log det A, of a symmetric A"),
    _d("137", "logdet(X.T @ X)", "trace(inv(U).T.T @ dU)", shapes=_TALL,
       where={"U": "X.T @ X", "dU": "dX.T @ X + X.T @ dX"}, note="g = log det U, U = Xᵀ X"),
    _g("138", "trace(B @ X @ C @ X)", "G + G.T - G * eye(3)", **_SYMMETRIC,
       where={"G": "B.T @ X.T @ C.T + C.T @ X.T @ B.T"}, note="f = tr(B X C X)"),
    _g("139", "trace(A @ X)", "A + A.T - A * eye(3)", **_SYMMETRIC),
    _g("140", "det(X)", "det(X) * (2 * inv(X) - inv(X) * eye(3))", **_SYMMETRIC),
    _g("141", "logdet(X)", "2 * inv(X) - inv(X) * eye(3)", **_SYMMETRIC),
    _g("142", "trace(A @ X)", "A * eye(3)", structure="diagonal", shapes={"X": (3, 3)}),
    _g("143", "trace(A @ T)", "toeplitz_sums(A)", "T", structure="toeplitz", shapes={"T": (4, 4)}),
    _g("144", "trace(A @ T)", "toeplitz_sums(A) + toeplitz_sums(A).T - toeplitz_sums(A) * eye(4)", "T",
       structure="symmetric toeplitz", shapes={"T": (4, 4)}),
    _e("9.7.6", "X", "J(i, j, 3, 3)[k, l]", shapes={"X": (3, 3)}, note="no structure"),
    _g("9.7.6", "trace(A @ X)", "total(J(i, j, 3, 3) * trace(A @ (J(i, j, 3, 3) + J(j, i, 3, 3)"
       " - J(i, j, 3, 3) @ J(i, j, 3, 3))) for i in numbers(3) for j in numbers(3))", **_SYMMETRIC,
       note="the structure matrix of a symmetric one, Jⁱʲ + Jʲⁱ − JⁱʲJⁱʲ, in tr(A X)"),
]  # fmt: skip

COOKBOOK = {
    "Rules for differentials": _RULES,
    "Determinants": _DETERMINANTS,
    "Inverses": _INVERSES,
    "Eigenvalues": _EIGENVALUES,
    "Vectors and forms": _FORMS,
    "Traces": _TRACES,
    "Norms": _NORMS,
    "Structured matrices": _STRUCTURED,
}
