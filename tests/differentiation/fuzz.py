"""Random expressions: `python -m tests.differentiation.fuzz [COUNT [SEED]]`.

Every formula is held against the structured Jacobian within `differentiate`; here the printed program, the printed
Kronecker products and the Jacobian are compared too, and nothing else than the library's own errors may come out.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import jacobians as jac
from jacobians.errors import DomainError, FormulaError, JacobiansError

_FORMS = (
    *("({one}) ({one})", "({one} + {one})", "({one} - {one})", "({one}) .* ({one})", "({one}) ./ ({one})"),
    *("({one})'", "inv({one})", "{entries}({one})", "{number}({one}) ({one})", "({one})^{power}", "({one}).^{power}"),
    *("({one}) / {number}({one})", "{factor} ({one})", "alpha ({one})"),
    *("({one}) / ({one})", "({one}) \\ ({one})", "max({one}, {one})", "expm(tanh({one}))"),
)
_WORDS: Mapping[str, Sequence[object]] = {
    "entries": ("exp", "log", "sin", "cos", "tanh", "sqrt", "sigmoid", "softplus", "abs", "arctan", "cosh"),
    "number": ("tr", "det", "logdet", "norm", "sum"),
    "power": (1, 2, 3),
    "factor": (1, 2, 3, 4),
}


def expression(rng: np.random.Generator, depth: int) -> str:
    """An expression of square matrices."""
    if depth == 0:
        return str(rng.choice(["X", "X", "A", "B", "(A + I)"]))

    def word(found: re.Match[str]) -> str:
        if found[1] == "one":
            return expression(rng, depth - int(rng.integers(1, 3)) if depth > 1 else 0)
        return str(rng.choice(np.array(_WORDS[found[1]])))

    return re.sub(r"{(\w+)}", word, str(rng.choice(_FORMS)))


def main(count: int = 200, seed: int = 0) -> int:
    """Try so many; print what became of them; return how many failed."""
    outcomes: Counter[str] = Counter()
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        text = expression(rng, int(rng.integers(1, 5)))
        if rng.integers(2):
            text = f"{rng.choice(['tr', 'norm', 'sum', 'logdet'])}({text})"
        try:
            outcomes[tried(text)] += 1
        except Exception as error:
            outcomes["failed"] += 1
            print(f"{text}: {type(error).__name__}: {error}")
    print(", ".join(f"{outcome}: {n}" for outcome, n in outcomes.most_common()))
    return outcomes["failed"]


def tried(text: str) -> str:
    """What becomes of one expression: its outcome, or an error."""
    try:
        found = jac.differentiate(text, "X", shapes={"X": (3, 3)}, notation="octave")
    except FormulaError:
        return "refused"
    except DomainError as error:
        if "differ at a random point" in str(error):
            raise
        return "not defined"
    assert str(found)
    assert found.to_latex()
    assert found.to_mathml()
    scope: dict[str, Any] = {**found.values, "dX": np.ones((3, 3))}
    exec(found.to_numpy(), scope)
    try:
        jacobian = found.jacobian(**found.values)
    except JacobiansError:
        return "no Jacobian"
    if f"J_{found.name}_X" in scope:
        computed, truth = scope[f"J_{found.name}_X"], jacobian.to_dense("C")
    elif found.gradient is None:
        computed, truth = scope[f"d{found.name}"], jacobian.jvp(np.ones((3, 3)))
    else:
        computed, truth = scope["dX"], jacobian.vjp(np.ones(()))
    scale = max(1.0, float(np.abs(truth).max()))
    if not np.allclose(np.broadcast_to(computed, truth.shape), truth, rtol=1e-9, atol=1e-9 * scale):
        raise AssertionError(
            f"the program and the Jacobian differ by {np.abs(computed - truth).max():.2g} of {scale:.2g}"
        )
    return "number" if found.gradient is not None else "matrix" if f"J_{found.name}_X" in scope else "differential only"


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
