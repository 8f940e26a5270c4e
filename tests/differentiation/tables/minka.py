"""Minka, Old and New Matrix Algebra Useful for Statistics (1997, revised 2000): its differentials and examples.

The first list, of eleven rules, was read where github.com/tkerola/matrix_calculus cites it; the others are from memory.
A derivative dy/dX of a number is the transpose of the gradient here: dy = tr(A dX) is written dy/dX = A.
"""

from __future__ import annotations

from typing import Any

from tests.differentiation.tables.identity import Form, Identity


def _row(form: Form, number: str, value: str, printed: str, wrt: str = "X", **more: Any) -> Identity:
    return Identity(number=number, value=value, wrt=wrt, printed=printed, form=form, **more)


def _d(number: str, value: str, printed: str, wrt: str = "X", **more: Any) -> Identity:
    return _row("differential", number, value, printed, wrt, **more)


def _t(number: str, value: str, printed: str, wrt: str = "X", **more: Any) -> Identity:
    """A derivative in Minka's layout, which is written here as a gradient."""
    return _row("gradient", number, value, f"({printed}).T", wrt, **more)


_RULES = [
    _d("1", "alpha * X", "alpha * dX"),
    _d("2", "X + Y", "dX + dY", "X Y"),
    _d("3", "trace(X)", "trace(dX)"),
    _d("4", "X @ Y", "dX @ Y + X @ dY", "X Y"),
    _d("5", "kron(X, Y)", "kron(dX, Y) + kron(X, dY)", "X Y", read="", shapes={"X": (2, 3), "Y": (3, 2)},
       graph="matrix.kron(X, Y)"),
    _d("6", "X * Y", "dX * Y + X * dY", "X Y"),
    _d("7", "inv(X)", "-inv(X) @ dX @ inv(X)"),
    _d("8", "det(X)", "det(X) * trace(inv(X) @ dX)"),
    _d("9", "logdet(X)", "trace(inv(X) @ dX)"),
    _d("10", "X.T", "dX.T", note="an operator that rearranges entries"),
    _d("10", "diag(x)", "diag(dx)", "x", read="", shapes={"x": (3, 1)}, graph="matrix.diag(x.reshape(3))"),
    _d("10", "vec(X)", "vec(dX)", read="", graph="X.T.reshape(12, 1)", shapes={"X": (3, 4)}),
]  # fmt: skip

_EXAMPLES = [
    _t("tr", "trace(X)", "eye(3)"),
    _t("tr", "trace(A @ X)", "A"),
    _t("tr", "trace(A @ X.T)", "A.T"),
    _t("tr", "trace(X @ A @ X.T)", "(A + A.T) @ X.T"),
    _t("tr", "trace(A @ X @ B @ X)", "B @ X @ A + A @ X @ B"),
    _t("tr", "trace(A @ X @ B @ X.T)", "B @ X.T @ A + B.T @ X.T @ A.T"),
    _t("tr", "trace(A @ inv(X) @ B)", "-inv(X) @ B @ A @ inv(X)"),
    _t("tr", "trace(inv(X.T @ C @ X) @ A)", "-inv(X.T @ C @ X) @ (A + A.T) @ inv(X.T @ C @ X) @ X.T @ C",
       symmetric="C", shapes={"X": (4, 3)}),
    _t("tr", "trace(inv(X.T @ C @ X) @ (X.T @ B @ X))",
       "-2 * inv(X.T @ C @ X) @ (X.T @ B @ X) @ inv(X.T @ C @ X) @ X.T @ C + 2 * inv(X.T @ C @ X) @ X.T @ B",
       symmetric="B C", shapes={"X": (4, 3)}),
    _t("det", "det(X)", "det(X) * inv(X)"),
    _t("det", "det(A @ X @ B)", "det(A @ X @ B) * inv(X)", shapes={"X": (3, 3), "A": (3, 3)}),
    _t("det", "det(X.T @ A @ X)",
       "det(X.T @ A @ X) * (inv(X.T @ A @ X) @ X.T @ A + inv(X.T @ A.T @ X) @ X.T @ A.T)", shapes={"X": (4, 3)}),
    _t("log det", "logdet(X)", "inv(X)"),
    _t("log det", "logdet(X.T @ X)", "2 * pinv(X)", shapes={"X": (4, 3)}),
    _t("log det", "logdet(X.T @ A @ X)", "2 * inv(X.T @ A @ X) @ X.T @ A", symmetric="A", shapes={"X": (4, 3)}),
    _t("vector", "x.T @ A @ x", "x.T @ (A + A.T)", "x"),
    _row("jacobian", "vector", "A @ x", "A", "x"),
    _t("vector", "(x - m).T @ A @ (x - m)", "2 * (x - m).T @ A", "x", symmetric="A"),
    _row("jacobian", "vec", "A @ X @ B", "kron(B.T, A)"),
    _row("hessian", "second", "x.T @ A @ x", "A + A.T", "x"),
    _row("hessian", "second", "trace(A @ X @ B @ X.T)", "kron(B.T, A) + kron(B, A.T)"),
    _row("hessian", "second", "logdet(X)", "-K(3, 3) @ kron(inv(X).T, inv(X))"),
    _t("Gaussian", "-half * n * logdet(V) - half * trace(inv(V) @ S)",
       "-half * n * inv(V) + half * inv(V) @ S @ inv(V)",
       "V", read="-0.5 * n * logdet(V) - 0.5 * trace(inv(V) @ S)", shapes={"n": ()}, structure="symmetric"),
]  # fmt: skip

MINKA = {"Rules": _RULES, "Examples": _EXAMPLES}
