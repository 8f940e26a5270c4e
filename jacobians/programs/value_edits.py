"""Edits of all that a line gives: a sign, a factor, a derivative, a term, a sum that is overwritten."""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections.abc import Iterator

from jacobians.programs.line_parts import (
    Around,
    Edit,
    Part,
    edited,
    is_octave_call,
    made_of,
    name_of,
    octave_call,
)


def edits_of_value(statement: ast.stmt, root: Part, around: Around) -> Iterator[Edit]:
    """Yield edits of the value that a statement stores or returns, as a whole."""
    whole = root[3]
    values = [root]
    if isinstance(whole, ast.Tuple):
        values = [(whole, "elts", i, item) for i, item in enumerate(whole.elts)]
    if name_of(whole) == "store" and is_octave_call(whole):
        values = [(whole, "args", 1, whole.args[1])]
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        again = copy.deepcopy(statement.targets[0])
        for node in ast.walk(again):
            if hasattr(node, "ctx"):
                node.ctx = ast.Load()
        words = "it is overwritten where it is to be added up"
        if len(values) == 1 and values[0] is not root:
            before = octave_call("index", again, *copy.deepcopy(whole.args[2:]))
            yield edited(
                "not-accumulated", words, values[0], made_of("_1 + _0", _0=values[0][3], _1=before), natural=True
            )
        elif isinstance(again, (ast.Name, ast.Subscript, ast.Attribute)):
            yield edited("not-accumulated", words, root, made_of("_1 + _0", _0=whole, _1=again), natural=True)
    for one in values:
        yield from _of_a_constant(statement, one, around)
        yield from _of_a_value(one, around)
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub)):
        other = ast.Sub() if isinstance(statement.op, ast.Add) else ast.Add()
        yield Edit("sign", "it is added where it is to be subtracted", statement.op, other, statement, "op")


def _of_a_constant(statement: ast.stmt, one: Part, around: Around) -> Iterator[Edit]:
    """What may stand where a number is stored in some entries: a slope, a count for each example."""
    number = one[3]
    if isinstance(number, ast.UnaryOp):
        number = number.operand
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    if not (isinstance(number, ast.Constant) and isinstance(targets[0], ast.Subscript)):
        return
    whole = around.text(targets[0].value)
    sums = [f"-{whole}.sum(axis=1)", f"{whole}.sum(axis=1)"] if whole in around.arrays else []
    for text in (*around.factors, *sums, *(name for name, shape in around.arrays.items() if len(shape) == 1),
                 *around.others):  # fmt: skip
        cause = "wrong-array" if text in around.factors else "wrong-count"
        words = f"{around.text(one[3])} stands where {text} belongs"
        yield edited(cause, words, one, made_of(text))


def _of_a_value(one: Part, around: Around) -> Iterator[Edit]:
    node = one[3]
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else None
    yield edited("sign", "the sign is wrong", one, inner or made_of("-_0", _0=node), natural=inner is not None)
    for name, count in around.counts.items():
        if count == around.examples:
            yield edited("scale-n", f"1/{name} is missing", one, made_of(f"_0 / {name}", _0=node))
            words = f"it is divided by {name} once too often"
            yield edited("scale-n", words, one, made_of(f"_0 * {name}", _0=node), natural=False)
            break
    yield edited("scale-half", "a factor of 2 is missing", one, made_of("2 * _0", _0=node))
    yield edited("scale-half", "a factor of 1/2 is missing", one, made_of("_0 / 2", _0=node))
    for text, cause, words in slopes_on(around):
        yield edited(cause, f"the derivative {words} is missing", one, made_of(f"_0 * {text}", _0=node), natural=False)
    for function, arguments in around.functions.items():
        called = [f"{function}(_0)"] if arguments == 1 else []
        if arguments == 2:
            called = [f"{function}(_0, {x})" for x in (*around.others, *arrays_of_shape(around, around.result))]
        for text in called:
            words = f"the derivative {text.replace('_0', '…')} is missing"
            yield edited("derivative-missing", words, one, made_of(text, _0=node), natural=False)
    for strength in around.strengths:
        for name in arrays_of_shape(around, around.result):
            if not name.startswith("d"):
                for scale in ("", *(f" / {n}" for n, c in around.counts.items() if c == around.examples), " * 2"):
                    yield edited(
                        "regulariser-missing-in-gradient",
                        "the regulariser is missing",
                        one,
                        made_of(f"_0 + {strength}{scale} * {name}", _0=node),
                        natural=False,
                    )
    for name, count in around.counts.items():
        if count != around.examples and count > 1:
            cause = "scale-n" if _OF_EXAMPLES.match(name) else "scale-classes"
            yield edited(cause, f"it is divided by {name}", one, made_of(f"_0 * {name}", _0=node), natural=False)
            yield edited(cause, f"1/{name} is missing", one, made_of(f"_0 / {name}", _0=node), natural=False)
    for name, shape in around.arrays.items():
        if shape and shape != around.result and spreads(shape, around.result):
            words = f"the factor {name} is missing"
            yield edited("factor-missing", words, one, made_of(f"_0 * {name}", _0=node), natural=False)
    yield from _of_missing_terms(one, around)
    if around.result:
        counted = [f" / {name}" for name, count in around.counts.items() if count == around.examples][:1]
        for name in arrays_of_shape(around, around.result):
            for sign, over in itertools.product("+-", ("", *counted)):
                words = f"the term {sign} {name}{over} is missing"
                yield edited("term-missing", words, one, made_of(f"_0 {sign} {name}{over}", _0=node), natural=False)


_LABELS = re.compile(r"(?i)(y\w{0,6}|t|labels?\w*|targets?\w*|\w*idx|\w*index|class\w*)$")


def _of_missing_terms(one: Part, around: Around) -> Iterator[Edit]:
    """A product of two arrays that is not added; 1 at the class of each example, which is not subtracted."""
    node, result = one[3], around.result
    alike = arrays_of_shape(around, result) if len(result) in (1, 2) else []
    held = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    like = next((name for name in (*(n for n in alike if n in held), *alike)), None)
    if like is not None and around.text is ast.unparse:
        size = f"{like}.shape[1]" if len(result) == 2 else f"len({like})"
        for label in (*around.others, *(name for name in around.counts if name.isidentifier())):
            if _LABELS.match(label):
                words = f"1 is not subtracted at the class of each example, {label}"
                text = f"_0 - np.eye({size})[{label}]"
                yield edited("term-missing", words, one, made_of(text, _0=node), natural=False)
    if len(result) not in (1, 2):
        return
    matrices = [(name, shape) for name, shape in around.arrays.items() if len(shape) == 2]
    seconds = matrices if len(result) == 2 else [(n, s) for n, s in around.arrays.items() if len(s) == 1]
    for first, a in matrices:
        for second, b in seconds:
            for text, inner, outer in (
                (f"{first}.T @ {second}", (a[0], b[0]), (a[1], *b[1:])),
                (f"{first} @ {second}", (a[1], b[0]), (a[0], *b[1:])),
            ):
                if inner[0] == inner[1] and outer == result and first != second:
                    words = f"the term + {text} is missing"
                    yield edited("term-missing", words, one, made_of(f"_0 + {text}", _0=node), natural=False)


_OF_EXAMPLES = re.compile(
    r"(m|N|m_\w+|n_?(samples|examples|train)\w*|num_?(samples|examples|train)\w*|\w*batch\w*|\w+\.shape\[0\])$"
)
"""Counts of examples: a batch may hold fewer than there are."""


def spreads(shape: tuple[int, ...], result: tuple[int, ...]) -> bool:
    """Return whether an array is repeated along an axis to have the result's shape, as a layer's gamma is."""
    pairs = zip(reversed(shape), reversed(result), strict=False)
    return len(shape) <= len(result) and all(one in (1, other) for one, other in pairs)


def arrays_of_shape(around: Around, shape: tuple[int, ...]) -> list[str]:
    """Return the names of the arrays of a shape."""
    return [name for name, own in around.arrays.items() if own == shape]


def slopes_on(around: Around, *, every: bool = False) -> Iterator[tuple[str, str, str]]:
    """Derivatives of activations on the arrays of the result's shape, or on all: each with its slip and in words."""
    for name, shape in around.arrays.items():
        if shape != around.result and not (every and shape):
            continue
        yield f"({name} * (1 - {name}))", "derivative-missing", f"{name} * (1 - {name})"
        yield f"(1 - {name} ** 2)", "derivative-missing", f"1 - {name} ** 2"
        yield f"({name} > 0)", "mask-missing", f"{name} > 0"
        for function, arguments in around.functions.items():
            if arguments == 1:
                yield f"{function}({name})", "derivative-missing", f"{function}({name})"
        if re.search(r"(?i)mask", name):
            yield name, "mask-missing", name
