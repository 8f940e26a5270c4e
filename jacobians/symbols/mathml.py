"""Formulas as presentation MathML, which browsers set by themselves; every name is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import ClassVar

from jacobians.symbols.named_functions import Function
from jacobians.symbols.notation import Notation, is_gradient, primed, split_name, with_greek


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _top(text: str) -> str:
    return f"<msup>{text}<mo>⊤</mo></msup>"


def _bracket(*parts: str) -> str:
    return _row("<mo>(</mo>", *parts, "<mo>)</mo>")


_GAP = '<mspace width="0.2em"/>'
_ONE = '<mn mathvariant="bold">1</mn>'
_BLOCKS = "<msub><mo>⨁</mo><mi>n</mi></msub>"
_BLOCK = "<mrow><mo>[</mo>{0}<mo>]</mo></mrow>"
_VEC_BY = _row("<mo>∂</mo>", f"<mi>vec</mi>{_GAP}", "{1}")
_OF_EXAMPLE = [f"<msub>{{{part}}}<mi>n</mi></msub>" for part in range(3)]


class MathmlNotation(Notation):
    """MathML Core without the outer ``<math>``; `document` adds it."""

    bars = True
    forms: ClassVar[dict[str, str]] = {
        "identity": "<msub><mi>I</mi><mn>{0}</mn></msub>",
        "ones": _ONE,
        "row of ones": _top(_ONE),
        "zeros": '<mn mathvariant="bold">0</mn>',
        "bracket": _bracket("{0}"),
        "transpose": _top("{0}"),
        "matrix product": _row("{0}", _GAP, "{1}"),
        "elementwise product": _row("{0}<mo>∘</mo>{1}"),
        "scale": _row("{0}", _GAP, "{1}"),
        "plus": _row("{0}<mo>+</mo>{1}"),
        "minus": _row("{0}<mo>−</mo>{1}"),
        "negative": _row("<mo>−</mo>{0}"),
        "fraction": "<mfrac>{0}{1}</mfrac>",
        "power": "<msup>{0}<mn>{1}</mn></msup>",
        "part": "<msub>{0}<mtext>[{1}]</mtext></msub>",
        "gathered": "<msub>{0}<mtext>[{1}]</mtext></msub>",
        "scattered": _bracket(_row("{0}", _GAP, "<mtext>added to {1} at {2}</mtext>")),
        "sum over indices": "<msub><mo>∑</mo><mi>{0}</mi></msub>",
        "indexed": "<msub>{0}<mi>{1}</mi></msub>",
        "moved": "<msub>{0}<mrow><mi>{1}</mi><mo>→</mo><mi>{2}</mi></mrow></msub>",
        "einsum": _row("{1}{0}"),
        "beside": _BLOCK,
        "below": _BLOCK,
        "reshaped": _row("{0}", _GAP, "<mtext>as {1}</mtext>"),
        "repeated column": _row("{0}", _GAP, _top(_ONE)),
        "repeated row": _row(_ONE, _GAP, _top("{0}")),
        "repeated": _row("{0}", _GAP, "<mtext>repeated to {2}</mtext>"),
        "at step": "<msub>{0}<mi>{1}</mi></msub>",
        "sum over steps": _row(
            "<munderover><mo>∑</mo>", _row("<mi>t</mi><mo>=</mo><mn>{1}</mn>"), "<mn>{2}</mn></munderover>{0}"
        ),
        "column sums": _row(_top(_ONE), _GAP, "{0}"),
        "row sums": _row("{0}", _GAP, _ONE),
        "Kronecker product": _row("{0}<mo>⊗</mo>{1}"),
        "commutation": f"<msub><mi>K</mi>{_row('<mn>{0}</mn><mo>,</mo><mn>{1}</mn>')}</msub>",
        "diagonal": _row("<mi>diag</mi>", _bracket("{0}")),
        "selection": "<mi>S</mi>",
        "reshaping": "<msub><mi>R</mi><mtext>{0} → {1}</mtext></msub>",
        "diagonal minus outer": _row(
            _BLOCKS,
            _bracket(_row("<mi>diag</mi>", _OF_EXAMPLE[0], "<mo>−</mo>", _OF_EXAMPLE[1], _top(_OF_EXAMPLE[2]))),
        ),
        "examples as rows": _row(_BLOCKS, "<msubsup>{0}<mi>n</mi><mo>⊤</mo></msubsup>"),
        "examples as columns": _row(_BLOCKS, _OF_EXAMPLE[0]),
        "multiple of ones": _row("{0}", _GAP, "{1}"),
        "vec": _row("<mi>vec</mi>", _bracket("{0}")),
        "row": _row("<mi>vec</mi>", _top(_bracket("{0}"))),
        "chain": _row("{0}"),
        "sum": _row("{0}"),
        "Jacobian": f"<mfrac>{_row('<mo>∂</mo>', f'<mi>vec</mi>{_GAP}', '{0}')}{_VEC_BY}</mfrac>",
        "gradient": f"<mfrac>{_row('<mo>∂</mo>', '{0}')}{_VEC_BY}</mfrac>",
        "Hessian": (
            f"<mfrac>{_row('<msup><mo>∂</mo><mn>2</mn></msup>', '{0}')}"
            f"{_row(_VEC_BY, _GAP, '<mo>∂</mo>', _top(_bracket(f'<mi>vec</mi>{_GAP}', '{2}')))}</mfrac>"
        ),
        "equation": _row("{0}<mo>=</mo>{1}"),
    }
    between: ClassVar[dict[str, str]] = {
        "einsum": "",
        "beside": '<mspace width="0.5em"/>',
        "below": "<mo>;</mo>",
        "chain": _GAP,
        "sum": "<mo>+</mo>",
    }

    def document(self, text: str) -> str:
        """Return a whole ``<math>`` element."""
        return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{text}</math>'

    def symbol(self, name: str) -> str:
        found = split_name(name)
        own, greek = with_greek(found.letters)
        letters = f"<mi>{escape(own)}</mi>"
        below = (f"<mi>{greek}</mi>" if greek else "") + (f"<mn>{found.index}</mn>" if found.index else "")
        below = _row(below) if greek and found.index else below
        above = "<mi>grad</mi>" if is_gradient(found.ending) else ""
        if below or above:
            tag = f"m{'sub' if below else ''}{'sup' if above else ''}"
            letters = f"<{tag}>{letters}{below}{above}</{tag}>"
        if found.ending and not above:
            letters = _row(letters, f"<mi>{escape(primed(found.ending))}</mi>")
        return _row(f'<mi mathvariant="normal">{found.before}</mi>', letters) if found.before else letters

    def number(self, value: float) -> str:
        return f"<mn>{value:g}</mn>" if value >= 0 else _row("<mo>−</mo>", f"<mn>{-value:g}</mn>")

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        if not function.shown:  # what is only an array's number
            return self.bracket("<mo>,</mo>".join(arguments))
        name = f"<mi>{escape(function.shown)}</mi>"
        if function.prime:
            name = f"<msup>{name}<mo>{'′″'[function.prime - 1]}</mo></msup>"
        return _row(name, self.bracket("<mo>,</mo>".join(arguments)))
