"""Formulas as plain text: Θ₂ᵀ, ∘, ⊗."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from jacobians.arrays import SUBSCRIPTS
from jacobians.layout import Order
from jacobians.symbols.named_functions import Function
from jacobians.symbols.notation import Notation, primed, split_name, with_greek


class TextNotation(Notation):
    """Unicode text."""

    forms: ClassVar[dict[str, str]] = {
        "identity": "I{1}",
        "ones": "1",
        "row of ones": "1ᵀ",
        "zeros": "0",
        "bracket": "({0})",
        "transpose": "{0}ᵀ",
        "matrix product": "{0} {1}",
        "elementwise product": "{0} ∘ {1}",
        "scale": "{0} {1}",
        "plus": "{0} + {1}",
        "minus": "{0} − {1}",
        "negative": "−{0}",
        "fraction": "{0} / {1}",
        "power": "{0}{2}",
        "part": "{0}[{1}]",
        "gathered": "{0}[{1}]",
        "scattered": "({0} added to {1} at {2})",
        "sum over indices": "Σ_{0} ",
        "indexed": "{0}_{1}",
        "moved": "{0}_{1}→{2}",
        "einsum": "{1}{0}",
        "beside": "[{0}]",
        "below": "[{0}]",
        "reshaped": "{0} as {1}",
        "repeated column": "{0} 1ᵀ",
        "repeated row": "1 {0}ᵀ",
        "repeated": "({0} repeated to {2})",
        "at step": "{0}{2}",
        "sum over steps": "Σₜ₌{3}{4} {0}",
        "column sums": "1ᵀ{0}",
        "row sums": "{0} 1",
        "Kronecker product": "{0} ⊗ {1}",
        "commutation": "K{2},{3}",
        "selection": "S",
        "reshaping": "R({0} to {1})",
        "diagonal minus outer": "⊕ₙ(diag {0}ₙ − {1}ₙ {2}ₙᵀ)",
        "examples as rows": "⊕ₙ{0}ₙᵀ",
        "examples as columns": "⊕ₙ{0}ₙ",
        "multiple of ones": "({0}) {1}",
        "row": "vec({0})ᵀ",
        "chain": "{0}",
        "sum": "{0}",
        "Jacobian": "∂vec {0}/∂vec {1}",
        "gradient": "∂{0}/∂vec {1}",
        "Hessian": "∂²{0}/∂vec {1} ∂(vec {2})ᵀ",
        "equation": "{0} = {1}",
    }
    between: ClassVar[dict[str, str]] = {"einsum": " ", "beside": " ", "below": "; ", "chain": " ", "sum": " + "}

    def symbol(self, name: str) -> str:
        found = split_name(name)
        letters = "_".join(filter(None, with_greek(found.letters)))
        return found.before + letters + found.index.translate(SUBSCRIPTS) + primed(found.ending)

    def number(self, value: float) -> str:
        return f"{value:g}".replace("-", "−")

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        return f"{function.shown}{('', '′', '″')[function.prime]}({', '.join(arguments)})"

    def scale(self, factor: str, text: str) -> str:
        return super().scale(self.bracket(factor) if " / " in factor else factor, text)

    def block_of_ones(self, axis: int) -> str:
        return "1"

    def diag(self, text: str, order: Order, flat: bool = False) -> str:
        if flat:
            return f"diag({text})"
        return f"diag(vec {self.bracket(text) if ' ' in text else text})"

    def vec(self, text: str, order: Order) -> str:
        return f"vec {text}" if text.isalnum() or len(text) < 3 else f"vec({text})"
