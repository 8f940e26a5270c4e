"""Magnus & Neudecker, Matrix Differential Calculus: the tables of chapters 9 (Jacobians) and 10 (Hessians).

Rows whose number begins with "table" were read in a handout that reprints tables of the book of 1988
(gradebuddy.com/doc/340091); the others are from memory, of the third edition (2019). vec stacks columns, a Jacobian is
D F(X) = ∂vec F/∂(vec X)ᵀ, K is the commutation matrix and N = (I + K)/2.
"""

from __future__ import annotations

from typing import Any

from tests.differentiation.tables.identity import Form, Identity


def _row(form: Form, number: str, value: str, printed: str, wrt: str = "X", **more: Any) -> Identity:
    return Identity(number=number, value=value, wrt=wrt, printed=printed, form=form, **more)


def _d(number: str, value: str, printed: str, wrt: str = "X", **more: Any) -> Identity:
    return _row("differential", number, value, printed, wrt, **more)


def _j(number: str, value: str, printed: str, wrt: str = "X", **more: Any) -> Identity:
    return _row("jacobian", number, value, printed, wrt, **more)


def _h(number: str, value: str, printed: str, wrt: str = "X", **more: Any) -> Identity:
    return _row("hessian", number, value, printed, wrt, **more)


_WIDE, _TALL, _SQUARE = {"X": (3, 4)}, {"X": (4, 3)}, {"X": (3, 3)}

_SCALARS = [
    _j("table 3", "a.T @ x", "a.T", "x"),
    _j("table 3", "x.T @ A @ x", "x.T @ (A + A.T)", "x"),
    _j("9.9", "x.T @ A @ y", "y.T @ A.T", "x"),
    _j("table 4", "trace(A @ X)", "vec(A.T).T"),
    _j("table 4", "trace(X @ A @ X.T @ B)", "vec(B.T @ X @ A.T + B @ X @ A).T"),
    _j("table 4", "trace(X @ A @ X @ B)", "vec(B.T @ X.T @ A.T + A.T @ X.T @ B.T).T"),
    _j("9.10", "trace(X)", "vec(np.eye(3)).T"),
    _j("9.10", "trace(matrix_power(X, 2))", "2 * vec(X.T).T"),
    _j("9.10", "trace(X.T @ X)", "2 * vec(X).T"),
    _j("9.10", "trace(matrix_power(X, 5))", "5 * vec(matrix_power(X.T, 4)).T", note="p = 5"),
    _j("9.10", "trace(A @ inv(X))", "-vec((inv(X) @ A @ inv(X)).T).T"),
    _j("9.10", "a.T @ X @ b", "kron(b, a).T"),
    _j("9.10", "a.T @ X @ X.T @ a", "2 * vec(a @ a.T @ X).T"),
    _j("9.10", "a.T @ inv(X) @ a", "-vec(inv(X).T @ a @ a.T @ inv(X).T).T"),
    _d("table 5", "det(X)", "det(X) * trace(inv(X) @ dX)"),
    _j("table 5", "det(X)", "det(X) * vec(inv(X).T).T"),
    _d("table 5", "det(X @ X.T)", "2 * det(X @ X.T) * trace(X.T @ inv(X @ X.T) @ dX)", shapes=_WIDE),
    _j("table 5", "det(X @ X.T)", "2 * det(X @ X.T) * vec(inv(X @ X.T) @ X).T", shapes=_WIDE),
    _d("table 5", "det(X.T @ X)", "2 * det(X.T @ X) * trace(inv(X.T @ X) @ X.T @ dX)", shapes=_TALL),
    _j("table 5", "det(X.T @ X)", "2 * det(X.T @ X) * vec(X @ inv(X.T @ X)).T", shapes=_TALL),
    _j("table 5", "det(matrix_power(X, 2))", "2 * det(X) ** 2 * vec(inv(X).T).T"),
    _j("9.11", "det(matrix_power(X, 3))", "3 * det(X) ** 3 * vec(inv(X).T).T", note="p = 3"),
    _j("9.11", "det(X @ A @ X.T)", "det(X @ A @ X.T) * vec(inv(X @ A @ X.T).T @ X @ A.T + inv(X @ A @ X.T) @ X @ A).T",
       shapes=_WIDE),
    _j("9.11", "det(A @ X @ B)", "det(A @ X @ B) * vec(A.T @ inv(A @ X @ B).T @ B.T).T",
       shapes={"A": (2, 3), "B": (4, 2)}),
    _j("9.11", "det(A @ inv(X) @ B)",
       "-det(A @ inv(X) @ B) * vec((inv(X) @ B @ inv(A @ inv(X) @ B) @ A @ inv(X)).T).T",
       shapes={"A": (2, 3), "B": (3, 2)}),
    _j("9.11", "logdet(X)", "vec(inv(X).T).T"),
    _j("9.11", "logdet(X.T @ X)", "2 * vec(X @ inv(X.T @ X)).T", shapes=_TALL),
    _j("9.11", "logdet(X @ X.T)", "2 * vec(inv(X @ X.T) @ X).T", shapes=_WIDE),
    _j("9.11", "logdet(X.T @ A @ X)", "2 * vec(A @ X @ inv(X.T @ A @ X)).T", shapes=_TALL, symmetric="A",
       note="of a symmetric A"),
    _j("9.12", "eig(X, 0)", "kron(eigvec(X, 0), eigvec(X, 0)).T", read="", structure="symmetric", shapes=_SQUARE,
       graph="matrix.eigvalsh(X)[0]", note="of a symmetric X"),
]  # fmt: skip

_ARRAYS = [
    _j("9.13", "A @ x", "A", "x"),
    _j("9.13", "A @ exp(x)", "A @ diag(exp(x))", "x"),
    _j("9.13", "x / norm(x)", "(eye(3) - x @ x.T / (x.T @ x)) / norm(x)", "x"),
    _j("9.13", "(x.T @ x) * A @ x", "(x.T @ x) * A + 2 * A @ x @ x.T", "x"),
    _j("9.13", "X @ a", "kron(a.T, eye(3))"),
    _j("9.13", "X.T @ a", "kron(eye(4), a.T)"),
    _j("9.13", "A @ X @ b", "kron(b.T, A)"),
    _j("9.14", "x @ x.T", "kron(x, eye(3)) + kron(eye(3), x)", "x"),
    _j("9.14", "diag(x)", "total(kron(J(i, 0, 3, 1), J(i, i, 3, 3)) for i in numbers(3))", "x", read="",
       graph="matrix.diag(x.reshape(3))", shapes={"x": (3, 1)}, note="the columns eᵢ ⊗ eᵢ"),
    _j("table 6", "X", "eye(12)"),
    _j("table 6", "X.T", "K(3, 4)"),
    _j("table 6", "X @ X.T", "2 * N(3) @ kron(X, eye(3))"),
    _j("table 6", "X.T @ X", "2 * N(4) @ kron(eye(4), X.T)"),
    _j("table 7", "inv(X)", "-kron(inv(X.T), inv(X))"),
    _j("table 7", "matrix_power(X, 4)",
       "total(kron(matrix_power(X.T, 4 - j), matrix_power(X, j - 1)) for j in numbers(1, 5))", note="p = 4"),
    _j("9.15", "A @ X @ B", "kron(B.T, A)"),
    _j("9.15", "A @ inv(X) @ B", "-kron((inv(X) @ B).T, A @ inv(X))"),
    _j("9.15", "X @ A @ X", "kron((A @ X).T, eye(3)) + kron(eye(4), X @ A)"),
    _j("9.15", "X @ A @ X.T", "kron(X @ A.T, eye(3)) + kron(eye(3), X @ A) @ K(3, 4)"),
    _j("9.15", "X.T @ A @ X", "kron((A @ X).T, eye(4)) @ K(3, 4) + kron(eye(4), X.T @ A)"),
    _j("9.15", "X.T @ A @ X.T", "(kron(X @ A.T, eye(4)) + kron(eye(3), X.T @ A)) @ K(3, 4)"),
    _j("9.15", "X * A", "diag(vec(A))"),
    _j("9.15", "X * X", "2 * diag(vec(X))"),
    _j("9.15", "trace(X) * A", "vec(A) @ vec(eye(3)).T"),
    _j("9.15", "trace(X) * X", "trace(X) * eye(9) + vec(X) @ vec(eye(3)).T"),
    _j("9.15", "det(X) * X", "det(X) * (eye(9) + vec(X) @ vec(inv(X).T).T)"),
    _j("9.16", "pinv(X)",
       "-kron(pinv(X).T, pinv(X)) + kron(eye(4) - X @ pinv(X), pinv(X) @ pinv(X).T) @ K(4, 3)", shapes=_TALL, read="",
       graph="matrix.pinv(X)",
       note="of full column rank"),
    _j("9.16", "adj(X)", "det(X) * (vec(inv(X)) @ vec(inv(X).T).T - kron(inv(X.T), inv(X)))", read="det(X) * inv(X)",
       note="of a nonsingular X"),
    _j("9.16", "X @ inv(X.T @ X) @ X.T",
       "2 * N(4) @ kron(X @ inv(X.T @ X), eye(4) - X @ inv(X.T @ X) @ X.T)", shapes=_TALL),
    _j("9.17", "kron(X, Y)", "kron(kron(eye(3), K(2, 2)), eye(2)) @ kron(eye(6), vec(Y))", read="",
       shapes={"X": (2, 3), "Y": (2, 2)}, graph="matrix.kron(X, Y)"),
]  # fmt: skip

_HESSIANS = [
    _h("table 8", "x.T @ B @ x", "B + B.T", "x", note="d²φ = (dx)ᵀ 2B dx, H = 2 · ½(B + Bᵀ)"),
    _h("10.5", "(a.T @ x) * (b.T @ x)", "a @ b.T + b @ a.T", "x"),
    _h("10.5", "exp(a.T @ x)", "exp(a.T @ x) * a @ a.T", "x"),
    _h("10.6", "trace(A @ X @ B @ X.T)", "kron(B.T, A) + kron(B, A.T)"),
    _h("10.6", "trace(A @ X @ B @ X)", "K(4, 3) @ (kron(A.T, B) + kron(B.T, A))", shapes=_WIDE),
    _h("10.6", "trace(X.T @ A @ X)", "kron(eye(4), A + A.T)"),
    _h("10.6", "trace(matrix_power(X, 2))", "2 * K(3, 3)"),
    _h("10.6", "a.T @ X @ X.T @ a", "2 * kron(eye(4), a @ a.T)"),
    _h("10.6", "trace(A @ inv(X))",
       "K(3, 3) @ (kron(inv(X).T, inv(X) @ A @ inv(X)) + kron((inv(X) @ A @ inv(X)).T, inv(X)))"),
    _h("10.6", "det(X)", "det(X) * (vec(inv(X).T) @ vec(inv(X).T).T - K(3, 3) @ kron(inv(X).T, inv(X)))"),
    _h("10.6", "logdet(X)", "-K(3, 3) @ kron(inv(X).T, inv(X))"),
    _h("10.6", "trace(X) ** 2", "2 * vec(eye(3)) @ vec(eye(3)).T"),
]  # fmt: skip

MAGNUS_NEUDECKER = {
    "Scalar functions": _SCALARS,
    "Vector and matrix functions": _ARRAYS,
    "Hessians": _HESSIANS,
}
