"""Random expressions of matrices against JAX, and the Matrix Cookbook against SymPy; the printed programs are run.

JAX's derivative of the same expression is held against the structured Jacobian and against what the printed program
computes. What a change of the inputs by 1e-10 does to the derivative is its conditioning: a difference counts where it
is above 1e-10 of the largest entry and above 1e-4 of that change, which is what rounding of 1e-14 does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

import jacobians as jac
from jacobians.auditing.terms import Term
from jacobians.differentiation import Derivative
from jacobians.errors import DomainError, FormulaError
from jacobians.symbols.expressions import Symbol
from tests.differentiation.fuzz import expression
from tests.differentiation.tables.cookbook import COOKBOOK
from tests.figures.tables import table

_EXPRESSIONS, _QUICK = 10_000, 40
_TOLERANCE = 1e-10
_ZERO = 1e-12
"""Below it in all of them, a derivative is that of an expression that does not depend on X: log det(X \\ X)."""


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Count what became of random expressions until so many were compared, and of the Cookbook's gradients."""
    outcomes, failures, worst = _against_jax(_QUICK if quick else _EXPRESSIONS)
    found: dict[str, Any] = {"expressions": dict(outcomes), "failures": failures, "largest difference": worst}
    try:
        import sympy  # noqa: F401
    except ImportError:
        return found
    found["sympy"], found["sympy failures"] = _against_sympy(quick=quick)
    return found


def report(found: Mapping[str, Any]) -> str:
    """What was counted, as text."""
    rows = [[name, str(count)] for name, count in sorted(found["expressions"].items())]
    text = [table(["expressions", "count"], rows)]
    text += [f"largest difference of a well-conditioned one, by the largest entry: {found['largest difference']:.2g}"]
    text += [f"failed: {failure}" for failure in found["failures"]]
    if "sympy" in found:
        text += ["", table(["the Cookbook by SymPy", "count"], [[k, str(n)] for k, n in found["sympy"].items()])]
        text += [f"SymPy: {failure}" for failure in found["sympy failures"]]
    return "\n".join(text)


# --- JAX -------------------------------------------------------------------------------------------------


def _against_jax(count: int, first: int = 0) -> tuple[Counter[str], list[str], float]:
    import jax

    jax.config.update("jax_enable_x64", True)
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    worst, number = 0.0, first
    while outcomes["agrees"] + outcomes["agrees within its conditioning"] + outcomes["DIFFERS"] < count:
        rng = np.random.default_rng([16, number])
        number += 1
        if number % 500 == 0:
            jax.clear_caches()  # a gigabyte after some thousand expressions
        text = expression(rng, int(rng.integers(1, 5)))
        if rng.integers(2):
            text = f"{rng.choice(['tr', 'norm', 'sum', 'logdet'])}({text})"
        try:
            found = jac.differentiate(text, "X", shapes={"X": (3, 3)}, notation="octave")
            outcome, gap = _compared(found, rng)
        except FormulaError:
            outcome, gap = "refused: no X, or shapes clash", 0.0
        except DomainError as error:
            outcome, gap = "not defined at random points", 0.0
            if "the formula and the numbers differ" in str(error):
                outcome = "DIFFERS"
        except Exception as error:
            outcome, gap = "DIFFERS", 0.0
            failures.append(f"{text}: {type(error).__name__}: {error}")
        if outcome == "agrees":
            worst = max(worst, gap)
        elif outcome == "DIFFERS" and (not failures or not failures[-1].startswith(f"{text}: ")):
            failures.append(f"{text}: {gap:.2g}")
        outcomes[outcome] += 1
    return outcomes, failures, worst


def _compared(found: Derivative, rng: np.random.Generator) -> tuple[str, float]:
    """The structured Jacobian and the printed program against JAX, by the largest entry of JAX's.

    Where the derivative vanishes, X ./ X, a thousandth of the value takes its place.
    """
    import jax

    arrays = dict(found.values)
    names = list(arrays)

    def value(X: Any) -> Any:
        return _by_jax(found.term, {**arrays, "X": X})

    def derivative(X: Any) -> np.ndarray:
        shape = np.shape(value(X))
        return np.asarray((jax.jacrev if shape == () else jax.jacfwd)(value)(X))

    truth = derivative(arrays["X"])
    moved = derivative(arrays["X"] * (1 + 1e-10 * rng.uniform(-1, 1, size=(3, 3))))
    size = max(float(np.abs(truth).max()), 1e-3 * float(np.abs(value(arrays["X"])).max())) or 1.0
    if not np.isfinite(truth).all():
        return "not finite in JAX", 0.0
    assert np.allclose(np.asarray(value(arrays["X"])), _by_numpy(found, names, arrays), rtol=1e-6)
    jacobian = found.jacobian(**arrays)
    ours = [jacobian.tensor().reshape(truth.shape), _by_program(found, arrays, truth)]
    if max(float(np.abs(one).max()) for one in (truth, *ours)) <= _ZERO:
        return f"zero in both, up to {_ZERO:g}", 0.0
    gap = max(float(np.abs(one - truth).max()) for one in ours) / size
    if gap <= _TOLERANCE:
        return "agrees", gap
    change = float(np.abs(moved - truth).max()) / size
    return ("agrees within its conditioning" if gap <= 1e-4 * change else "DIFFERS"), gap


def _by_numpy(found: Derivative, names: list[str], arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    from jacobians.differentiation.values_of_terms import array_of

    return array_of(found.term, {name: arrays[name] for name in names})


def _by_program(found: Derivative, arrays: Mapping[str, np.ndarray], truth: np.ndarray) -> np.ndarray:
    """What the printed program computes, in the shape of the truth."""
    scope: dict[str, Any] = dict(arrays)
    code = found.to_numpy()
    if f"\nd{found.name} = " in code:  # a differential alone: one entry at a time
        columns = []
        for place in np.ndindex(3, 3):
            tangent = np.zeros((3, 3))
            tangent[place] = 1
            own = {**scope, "dX": tangent}
            exec(code, own)
            columns.append(np.broadcast_to(own[f"d{found.name}"], found.shape))
        return np.moveaxis(np.array(columns), 0, -1).reshape(truth.shape)
    exec(code, scope)
    computed = scope["dX"] if found.gradient is not None else scope[f"J_{found.name}_X"]
    if found.gradient is None:
        computed = computed + np.zeros((truth.size // 9, 9))
    return np.asarray(np.broadcast_to(computed, (3, 3)) if found.gradient is not None else computed).reshape(
        truth.shape
    )


def _by_jax(term: Term, arrays: Mapping[str, Any]) -> Any:
    """The value of a term by JAX's own functions."""
    import jax
    import jax.numpy as jnp

    functions = {
        **{name: getattr(jnp, name) for name in ("exp", "log", "sin", "cos", "tanh", "sqrt", "trace", "abs")},
        **{"sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus, "relu": jax.nn.relu},
        **{"arctan": jnp.arctan, "cosh": jnp.cosh, "expm": jax.scipy.linalg.expm},
        **{"inv": jnp.linalg.inv, "det": jnp.linalg.det, "norm": jnp.linalg.norm},
        "logdet": lambda A: jnp.linalg.slogdet(A)[1],
    }
    parts = [_by_jax(part, arrays) for part in term.parts]
    if term.kind == "leaf":
        return arrays[term.detail.name] if isinstance(term.detail, Symbol) else term.detail.value
    if term.kind in ("product", "matmul"):
        a, b = parts
        return a @ b if np.ndim(a) and np.ndim(b) else a * b
    if term.kind == "matrix_power":
        return jnp.linalg.matrix_power(parts[0], term.detail) if np.ndim(parts[0]) else parts[0] ** term.detail
    simple = {
        "transpose": lambda a: a.T if np.ndim(a) else a,
        "star": lambda a, b: a * b,
        "hadamard": lambda a, b: a * b,
        "plus": lambda a, b: a + b,
        "minus": lambda a, b: a - b,
        "divide": lambda a, b: a / b,
        "negative": lambda a: -a,
        "power": lambda a: a**term.detail,
        "sum": lambda a: a.sum() if np.ndim(a) else a,
        "call": lambda a: functions[term.detail](a),
    }
    return simple[term.kind](*parts)


# --- SymPy -----------------------------------------------------------------------------------------------


def _against_sympy(*, quick: bool) -> tuple[Counter[str], list[str]]:
    """Every gradient of the Cookbook that SymPy's matrix expressions can write."""
    outcomes: Counter[str] = Counter()
    notes: list[str] = []
    rows = [row for section in COOKBOOK.values() for row in section if row.form == "gradient" and row.expression]
    for row in rows[:4] if quick else rows:
        if row.structure or re.search(r"norm|\.sum|tanh|alpha", row.expression):
            continue
        names = set(re.findall(r"(?<![.\w])[A-Za-z]\b", row.expression))
        shapes = {name: (3, 3) if name.isupper() else (3, 1) for name in names}  # SymPy's tests are of k×k and k×1
        found = jac.differentiate(row.expression, row.wrt, shapes=shapes, notation="numpy")
        try:
            theirs = _by_sympy(row.expression, row.wrt, found)
        except Exception as error:
            outcomes["SymPy gives no derivative that can be evaluated"] += 1
            notes.append(f"{row.number}, {row.expression}: {type(error).__name__}: {str(error)[:80]}")
            continue
        ours = found.jacobian(**found.values).gradient
        if theirs.shape == ours.shape and np.allclose(theirs, ours, rtol=1e-9, atol=1e-9 * np.abs(ours).max()):
            outcomes["agree"] += 1
        else:
            outcomes["DIFFER"] += 1
            notes.append(f"{row.number}, {row.expression}: SymPy has another value")
    return outcomes, notes


def _by_sympy(expression_: str, wrt: str, found: Derivative) -> np.ndarray:
    import sympy as sp

    k = sp.symbols("k")
    sizes = {name: tuple(k if n == 3 else 1 for n in shape) for name, shape in found.shapes.items()}
    symbols = {name: sp.MatrixSymbol(name, *shape) for name, shape in sizes.items()}
    functions = {
        "trace": sp.Trace,
        "inv": sp.Inverse,
        "det": sp.Determinant,
        "logdet": lambda A: sp.log(sp.Determinant(A)),
        "matrix_power": lambda A, k: A**k,
    }
    value = eval(expression_.replace("@", "*"), {**functions, **symbols})
    derivative = value.diff(symbols[wrt])
    given = {
        sp.MatrixSymbol(name, *array.shape): sp.ImmutableMatrix(array.tolist()) for name, array in found.values.items()
    }
    explicit = derivative.subs(k, 3).subs(given).doit()
    explicit = explicit.as_explicit() if hasattr(explicit, "as_explicit") else explicit
    return np.array(explicit.tolist(), dtype=float)
