"""Single edits of a line: how it may have read before a slip, in the program's own names."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from jacobians.programs.line_parts import (
    Around,
    Edit,
    Part,
    edited,
    expression_of,
    factors_of,
    is_octave_call,
    made_of,
    name_of,
    octave_call,
    operands,
    parts_within,
    product_of,
    roots_of,
)
from jacobians.programs.value_edits import edits_of_value, slopes_on, spreads


def edits_of(statement: ast.stmt, around: Around) -> Iterator[Edit]:
    """Yield single edits of a statement, the likeliest slips first."""
    roots = roots_of(statement)
    parts = [part for root in roots for part in parts_within(root)]
    yield from _axes(parts, around)
    yield from _operators(parts)
    # a mask twice is the mask once: what does not belong there comes before what is missing
    yield from _dropped(parts, around)
    if roots and roots[0][1] == "value":
        yield from edits_of_value(statement, roots[0], around)
    if isinstance(statement, (ast.If, ast.For)):
        yield from _constants(parts)
    yield from _names(parts, around)
    yield from _constants(parts)
    yield from _places(parts, around)
    yield from _unused(parts, around)
    yield from _exchanged(parts)
    yield from _transposed(parts, around)
    yield from _shifted(parts, around)
    yield from _slopes_within(parts, around)
    yield from _factors_within(parts, around)
    yield from _for_an_array(parts, around)
    yield from _squares(parts, around)
    if roots and roots[0][1] == "value":
        yield from _products(roots[0], around)


# --- parts of a line ---------------------------------------------------------------------------------


def _axes(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and type(node.slice.value) is int:
            if not isinstance(node.ctx, ast.Store):
                words = "it is taken of one example, where it is to be summed over all"
                for text in ("_0.sum(axis=0)", "_0.sum(axis=1)"):
                    yield edited("bias-one-example", words, part, made_of(text, _0=node.value))
            continue
        name = name_of(node) if isinstance(node, ast.Call) else ""
        if name not in ("sum", "mean", "nansum", "average"):
            continue
        yield from _axes_of_octave(part) if is_octave_call(node) else _axes_of_numpy(part)
        other = {"sum": "mean", "mean": "sum"}.get(name)
        if other:
            new = copy.deepcopy(node)
            if isinstance(new.func, ast.Attribute):
                new.func.attr = other
            else:
                new.func.id = new.func.id.replace(name, other)
            averaged = name == "mean"
            words = "it is averaged where it is to be summed" if averaged else "it is summed where it is to be averaged"
            # one number is no bias of several outputs
            yield edited("bias-averaged" if averaged and around.result else "scale-n", words, part, new)


_ALL = "it is summed over all entries, not over the examples alone"
_WRONG_AXIS = "it is summed along the wrong axis"


def _axes_of_octave(part: Part) -> Iterator[Edit]:
    node = part[3]
    of = node.args[0]
    everything = name_of(of) == "index" and len(of.args) == 2 and getattr(of.args[1], "value", None) == ":"
    nested = name_of(of) in ("sum", "mean") and is_octave_call(of)
    for axis in (1, 2):
        new = copy.deepcopy(node)
        if everything or nested:
            new.args = [copy.deepcopy(of.args[0])]
        new.args = [new.args[0], ast.Constant(float(axis))]
        if ast.dump(new) != ast.dump(node):
            yield edited("bias-summed-over-all" if everything or nested else "wrong-axis",
                        _ALL if everything or nested else _WRONG_AXIS, part, new)  # fmt: skip


def _axes_of_numpy(part: Part) -> Iterator[Edit]:
    node = part[3]
    axis = next((k for k in node.keywords if k.arg == "axis"), None)
    method = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
    )
    plain = node.args if method else node.args[1:]
    if axis is None and not plain:
        for text in ("axis=0", "axis=1", "axis=0, keepdims=True", "axis=1, keepdims=True"):
            new = copy.deepcopy(node)
            new.keywords = expression_of(f"f({text})").keywords  # type: ignore[attr-defined]
            yield edited("bias-summed-over-all", _ALL, part, new)
        return
    for value in (0, 1):
        new = copy.deepcopy(node)
        held = next((k for k in new.keywords if k.arg == "axis"), None)
        if held is not None:
            held.value = ast.Constant(value)
        else:
            new.args[-1] = ast.Constant(value)
        if ast.dump(new) != ast.dump(node):
            yield edited("wrong-axis", _WRONG_AXIS, part, new)
        kept = copy.deepcopy(new)
        kept.keywords = [k for k in kept.keywords if k.arg != "keepdims"]
        if len(kept.keywords) == len(new.keywords):
            kept.keywords.append(ast.keyword("keepdims", ast.Constant(True)))
        yield edited("wrong-axis", _WRONG_AXIS if ast.dump(new) != ast.dump(node) else "its shape is wrong", part, kept)


_OTHER: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.Gt: (ast.Lt, ast.LtE), ast.Lt: (ast.Gt, ast.GtE), ast.GtE: (ast.Lt,), ast.LtE: (ast.Gt,), ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}  # fmt: skip


def _operators(parts: Sequence[Part]) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, (ast.Sub, ast.Div)):
                # b - a is -(a - b)
                name = "sign" if isinstance(node.op, ast.Sub) else "wrong-order"
                yield edited(name, "the two sides are exchanged", part, ast.BinOp(node.right, node.op, node.left))
            for other in _OTHER.get(type(node.op), ()):
                cause = "sign" if isinstance(node.op, (ast.Add, ast.Sub)) else "factor"
                words = (
                    "a sign is wrong" if cause == "sign" else "it multiplies where it is to divide, or the other way"
                )
                yield edited(cause, words, part, ast.BinOp(node.left, other(), node.right))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield edited("sign", "a sign is wrong", part, node.operand)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            for other in _OTHER.get(type(node.ops[0]), ()):
                words = "the mask is the opposite"
                yield edited("mask-wrong", words, part, ast.Compare(node.left, [other()], node.comparators))
        elif isinstance(node, ast.Call) and operands(node) is not None:
            kind, left, right = operands(node) or ("", node, node)
            if kind == "quotient":
                yield edited("wrong-order", "the two sides are exchanged", part, made_of("_1 / _0", _0=left, _1=right))
                yield edited(
                    "factor", "it divides where it is to multiply", part, made_of("_0 * _1", _0=left, _1=right)
                )
            elif kind == "difference":
                yield edited("sign", "the two sides are exchanged", part, made_of("_1 - _0", _0=left, _1=right))
                yield edited("sign", "a sign is wrong", part, made_of("_0 + _1", _0=left, _1=right))
            elif kind == "sum":
                yield edited("sign", "a sign is wrong", part, made_of("_0 - _1", _0=left, _1=right))


def _dropped(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        found = operands(node)
        if found is not None and (found[0] not in ("matrix product", "outer product") or is_octave_call(node)):
            kind, left, right = found
            kind = "product" if kind == "matrix product" else kind
            named = "its second part" if kind in ("sum", "difference") else "a factor"
            words = f"{named}, {around.text(right)}, does not belong there"
            one_more = _is_one(right) and kind in ("sum", "difference")
            cause = "off-by-one" if _is_index(part) or one_more else _superfluous(kind, right, around)
            yield edited(cause, words, part, left)
            if kind in ("product", "sum"):
                named = "its first part" if kind == "sum" else named
                words = f"{named}, {around.text(left)}, does not belong there"
                yield edited(_superfluous(kind, left, around), words, part, right)
        elif (
            isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords and isinstance(node.func, ast.Name)
            and not is_octave_call(node)
        ):  # fmt: skip
            yield edited("function-superfluous", f"{node.func.id} does not belong there", part, node.args[0])
        elif (
            isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords
            and name_of(node) in around.functions
        ):  # fmt: skip
            words = f"{name_of(node)} does not belong there"
            yield edited("derivative-superfluous", words, part, node.args[0])
            yield edited("derivative-superfluous", words, part, node.args[1])
    for part in parts:
        for pair, rest in _pairs_of_factors(part):
            words = f"a factor, {around.text(pair)}, does not belong there"
            yield edited("derivative-superfluous", words, part, rest)


def _is_index(part: Part) -> bool:
    """Whether an expression stands in an index."""
    parent, name, place, _ = part
    return (isinstance(parent, ast.Subscript) and name == "slice") or (
        name_of(parent) == "index" and is_octave_call(parent) and bool(place)
    )


def _pairs_of_factors(part: Part) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Two of three or more factors, and the product of the others: ``a * (1 - a)`` in ``d * a * (1 - a)``."""
    node = part[3]
    factors = factors_of(node) if isinstance(node, ast.expr) else []
    parent = operands(part[0])
    if not 3 <= len(factors) <= 6 or (parent is not None and parent[0] == "product"):
        return
    for i, j in itertools.combinations(range(len(factors)), 2):
        rest = [f for k, f in enumerate(factors) if k not in (i, j)]
        yield product_of([factors[i], factors[j]]), product_of(rest)


def _superfluous(kind: str, dropped: ast.expr, around: Around) -> str:
    if kind in ("sum", "difference"):
        return "term-superfluous"
    if kind == "quotient" or _of_counts(dropped, around):
        return "scale-n"
    if isinstance(dropped, ast.Constant):
        return "scale-half"
    held = any(isinstance(p, (ast.BinOp, ast.Call, ast.Compare)) for p in ast.walk(dropped))
    return "derivative-superfluous" if held else "factor-superfluous"


def _of_counts(node: ast.expr, around: Around) -> bool:
    """Whether it is made of numbers and of how many examples there are: ``1. / m``."""
    if isinstance(node, ast.BinOp):
        rest = [side for side in (node.left, node.right) if not _of_counts(side, around)]
        return len(rest) < 2 and all(isinstance(side, ast.Constant) for side in rest)
    return around.counts.get(around.text(node)) == around.examples


def _names(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    texts = {text: around.tree(text) for text in (*around.stand_ins, *around.others)}
    dumps = {text: ast.dump(node) for text, node in texts.items()}
    for part in parts:
        node = part[3]
        if isinstance(node, ast.Call):
            own = name_of(node)
            for function in around.functions:
                if own in around.functions and function != own:
                    new = ast.Call(expression_of(function), node.args, node.keywords)
                    words = f"{own} stands where {function} belongs"
                    yield edited("wrong-activation-derivative", words, part, new)
        part_of_octave = name_of(node) == "index" and is_octave_call(node)
        if not (part_of_octave or isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))) or isinstance(
            getattr(node, "ctx", None), ast.Store
        ):
            continue
        if isinstance(part[0], ast.Call) and part[1] == "func":
            continue
        text = ast.unparse(node) if not is_octave_call(node) else around.text(node)
        if text in around.stand_ins:
            shape = around.stand_ins[text]
            for alike in (True, False):
                for other, held in around.stand_ins.items():
                    fits = held == shape if alike else held != shape and len(held) == len(shape)
                    if other not in around.arrays and is_octave_call(part[0]) and name_of(part[0]) == "index":
                        continue  # a part of a part: X(:, i)(j)
                    if fits and dumps[other] != ast.dump(node):
                        words = f"{text} stands where {other} belongs"
                        yield edited("wrong-array", words, part, copy.deepcopy(texts[other]))
        elif text in around.others:
            for other in around.others:
                if other != text:
                    words = f"{text} stands where {other} belongs"
                    yield edited("wrong-array", words, part, copy.deepcopy(texts[other]))
        elif text in around.counts or (isinstance(node, ast.Subscript) and ".shape[" in text):
            for other, count in around.counts.items():
                if other != text and count != around.counts.get(text):
                    yield edited("wrong-count", f"{text} stands where {other} belongs", part, expression_of(other))
    for part in parts:
        if isinstance(part[3], ast.Call) and name_of(part[3]) in ("len", "numel", "size", "length"):
            text = around.text(part[3])
            for other in around.counts:
                yield edited("wrong-count", f"{text} stands where {other} belongs", part, expression_of(other))


def _squares(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """The square of a factor."""
    for part in parts:
        parent = operands(part[0])
        if parent is not None and parent[0] == "product" and around.text(part[3]) in around.arrays:
            words = f"{around.text(part[3])} stands where its square belongs"
            yield edited("wrong-array", words, part, made_of("_0 ** 2", _0=part[3]))


def _for_an_array(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """An array in the place of an expression."""
    for part in parts:
        node = part[3]
        if isinstance(node, (ast.BinOp, ast.Call)) and part[1] != "func" and not isinstance(part[0], ast.stmt):
            for name, shape in around.stand_ins.items():
                if shape:
                    words = f"{around.text(node)} stands where {name} belongs"
                    yield edited("wrong-array", words, part, around.tree(name))


def _constants(parts: Sequence[Part]) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if not isinstance(node, ast.Constant):
            continue
        if type(node.value) in (int, float):
            value: Any = node.value
            if isinstance(part[0], ast.keyword) and part[0].arg in ("axis", "keepdims"):
                continue
            whole = type(value) is int or float(value).is_integer()
            scaled: dict[Any, str] = {2 * value: "scale-half", value / 2: "scale-half"} if value else {}
            shifted: dict[Any, str] = {value + 1: "off-by-one", value - 1: "off-by-one"} if whole else {}
            inverse: dict[Any, str] = {-value: "sign"} if value else {}
            for new, cause in {**scaled, **shifted, **inverse}.items():
                shown = int(new) if new == int(new) and type(value) is int else new
                cause = "mask-wrong" if isinstance(part[0], ast.Compare) else cause
                cause = "wrong-count" if _of_sizes(part[0]) else cause
                yield edited(cause, f"{value:g} stands where {shown:g} belongs", part, ast.Constant(shown))
        elif isinstance(node.value, str) and node.value in ("relu", "sigmoid", "tanh"):
            for other in ("relu", "sigmoid", "tanh"):
                if other != node.value:
                    words = f"{node.value!r} stands where {other!r} belongs"
                    yield edited("wrong-activation-derivative", words, part, ast.Constant(other))


def _places(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """A loop's variable in the place of a number in an index: ``X[:, j]`` for ``X[:, 0]``."""
    for part in parts:
        parent, name, place, node = part
        if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
            continue
        tupled = isinstance(parent, ast.Tuple) and any(
            isinstance(p[3], ast.Subscript) and p[3].slice is parent for p in parts
        )
        if tupled or (isinstance(parent, ast.Subscript) and name == "slice") or (
            name_of(parent) in ("index", "store") and is_octave_call(parent) and place
        ):  # fmt: skip
            for loop in around.loops:
                words = f"{around.text(node)} stands where {loop} belongs"
                yield edited("wrong-array", words, part, ast.Name(loop, ast.Load()))


def _unused(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """A term or a factor that the program computes and uses nowhere."""
    count = next((name for name, count in around.counts.items() if count == around.examples), None)
    for name in around.unused:
        for part in parts:
            node = part[3]
            if isinstance(node, ast.Constant) or part[1] == "func" or isinstance(getattr(node, "ctx", None), ast.Store):
                continue
            for sign in "+-":
                words = f"the term {sign} {name} is missing"
                yield edited("term-missing", words, part, made_of(f"_0 {sign} {name}", _0=node))
                if count is not None:
                    words = f"the term {sign} {name} / {count} is missing"
                    yield edited("term-missing", words, part, made_of(f"_0 {sign} {name} / {count}", _0=node))
            yield edited("factor-missing", f"the factor {name} is missing", part, made_of(f"_0 * {name}", _0=node))


_MOST_PRODUCTS = 60
"""Products that may be missing from a sum."""


def _products(root: Part, around: Around) -> Iterator[Edit]:
    """A product of two arrays that is missing from a sum, as where a weight is used twice."""
    matrices = [(name, shape) for name, shape in around.arrays.items() if len(shape) == 2]
    found = 0
    for (one, (a, b)), (other, (c, d)) in itertools.product(matrices, repeat=2):
        for text, rows, inner, also, columns in (
            (f"{one}.T @ {other}", b, a, c, d), (f"{one} @ {other}.T", a, b, d, c), (f"{one} @ {other}", a, b, c, d),
        ):  # fmt: skip
            if (rows, columns) != around.result or inner != also or found >= _MOST_PRODUCTS:
                continue
            found += 1
            words = f"the term + {text} is missing"
            yield edited("term-missing", words, root, made_of(f"_0 + {text}", _0=root[3]), natural=False)


def _of_sizes(node: ast.AST) -> bool:
    """Whether it asks for one of an array's sizes: ``X.shape[0]``, ``size(X, 1)``."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
    return isinstance(node, ast.Call) and name_of(node) == "size"


def _exchanged(parts: Sequence[Part]) -> Iterator[Edit]:
    """Two neighbours of a list or among the arguments, the one in the other's place."""
    for part in parts:
        node = part[3]
        name = "elts" if isinstance(node, (ast.Tuple, ast.List)) else "args" if isinstance(node, ast.Call) else ""
        items = getattr(node, name, [])
        for i in range(len(items) - 1):
            turned = copy.copy(node)
            swapped = [*items[:i], items[i + 1], items[i], *items[i + 2 :]]
            setattr(turned, name, swapped)
            joined = name == "elts" or name_of(node) in ("vertcat", "horzcat")
            words = "two parts are exchanged" if joined else "two arguments are exchanged"
            cause = "transposed" if name_of(node) == "outer" else "wrong-order"
            yield edited("blocks-exchanged" if joined else cause, words, part, turned)
        new: ast.expr | None = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            new = made_of("_1 @ _0", _0=node.left, _1=node.right)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and name_of(node) == "dot":
            new = made_of("_0.dot(_1)", _0=items[0], _1=node.func.value) if len(items) == 1 else None
        if new is not None:
            yield edited("wrong-order", "the two factors are exchanged", part, new)


_TURNED = ("matrix product", "outer product")


def _kind_of(node: ast.AST) -> str:
    """What an operation on two sides is; empty for anything else."""
    found = operands(node)
    return "" if found is None else found[0]


def _transposed(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(getattr(node, "ctx", None), ast.Store) or (part[1] == "func"):
            continue
        inner = node.value if isinstance(node, ast.Attribute) and node.attr == "T" else None
        if name_of(node) == "transpose" and isinstance(node, ast.Call) and len(node.args) == 1:
            inner = node.args[0]
        if inner is not None:
            words = f"{around.text(inner)} is transposed where it is not to be"
            yield edited("transposed", words, part, inner)
        elif isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) or _kind_of(node) in _TURNED:
            words = f"{around.text(node)} is to be transposed"
            yield edited("transposed", words, part, ast.Attribute(node, "T", ast.Load()))


def _shifted(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """An index or the end of a range that is off by one; a part that is taken where the whole is meant."""
    for part in parts:
        node = part[3]
        indices: list[Part] = []
        if isinstance(node, ast.Subscript):
            if isinstance(node.ctx, ast.Load) and isinstance(node.slice, (ast.Tuple, ast.Slice)):
                yield edited(
                    "wrong-array", f"a part of {around.text(node.value)} is taken, not the whole", part, node.value
                )
            indices = [(node, "slice", None, node.slice)]
            if isinstance(node.slice, ast.Tuple):
                indices = [(node.slice, "elts", i, item) for i, item in enumerate(node.slice.elts)]
        elif isinstance(node, ast.Call) and name_of(node) in ("range", "xrange"):
            indices = [(node, "args", i, item) for i, item in enumerate(node.args)]
        elif isinstance(node, ast.Call) and name_of(node) == "index":
            indices = [(node, "args", i, item) for i, item in enumerate(node.args) if i]
        for index in indices:
            inner = index[3]
            yield from _moved_window(index, around)
            if isinstance(inner, (ast.Name, ast.BinOp)):
                for sign in "+-":
                    yield edited(
                        "off-by-one", f"{around.text(inner)} is off by one", index, made_of(f"_0 {sign} 1", _0=inner)
                    )


def _moved_window(index: Part, around: Around) -> Iterator[Edit]:
    """A part that is one entry too late or too early: ``2:end`` for ``1:end-1``, ``[1:]`` for ``[:-1]``."""
    window = index[3]
    words = f"{around.text(window)} is off by one"
    if isinstance(window, ast.Slice) and window.step is None:
        low, high = window.lower, window.upper
        if _is_one(low) and high is None:
            yield edited("off-by-one", words, index, ast.Slice(None, expression_of("-1"), None))
        elif low is None and isinstance(high, ast.UnaryOp) and _is_one(high.operand):
            yield edited("off-by-one", words, index, ast.Slice(ast.Constant(1), None, None))
    elif name_of(window) == "range" and is_octave_call(window) and len(window.args) == 2:
        begin, end = window.args
        if isinstance(begin, ast.Constant) and isinstance(begin.value, float):
            for step in (-1.0, 1.0):
                moved = _less_one(end) if step < 0 else end.left if _ends_one_before(end) else None
                if moved is not None and begin.value + step >= 1.0:
                    yield edited(
                        "off-by-one", words, index, octave_call("range", ast.Constant(begin.value + step), moved)
                    )


def _is_one(node: Any) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


def _less_one(node: ast.expr) -> ast.expr:
    return ast.BinOp(octave_call("number", node), ast.Sub(), ast.Constant(1.0))


def _ends_one_before(node: ast.expr) -> bool:
    """Whether it is ``end - 1``."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _is_one(node.right)


def _slopes_within(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """A derivative in the place of a factor or of two, and around a part."""
    for part in parts:
        node = part[3]
        if not isinstance(node, ast.expr) or isinstance(node, ast.Constant) or part[1] == "func":
            continue
        parent = operands(part[0])
        inside = parent is not None and parent[0] in ("product", "quotient", "matrix product", "difference", "sum")
        factors = factors_of(node)
        whole = len(factors) == 2 and (parent is None or parent[0] != "product")
        if inside or whole:
            for text, _, words in slopes_on(around, every=True):
                told = f"{around.text(node)} stands where {words} belongs"
                if parent is not None and parent[0] == "product":
                    cause = "mask-wrong" if text.endswith(" > 0)") else "wrong-activation-derivative"
                    yield edited(cause, told, part, expression_of(text))
                elif inside and (len(factors) > 1 or around.text(node) in around.arrays):
                    new = made_of(f"_0 * {text}", _0=node)
                    yield edited("derivative-missing", f"the derivative {words} is missing", part, new, natural=False)
    for part in parts:
        node = part[3]
        factors = factors_of(node) if isinstance(node, ast.expr) else []
        parent = operands(part[0])
        if not 2 <= len(factors) <= 6 or (parent is not None and parent[0] == "product"):
            continue
        for i in range(len(factors) - 1):
            pair = product_of(factors[i : i + 2])
            for text, _, words in slopes_on(around, every=True):
                new = product_of([*factors[:i], expression_of(text), *factors[i + 2 :]])
                told = f"{around.text(pair)} stands where {words} belongs"
                yield edited("wrong-activation-derivative", told, part, new)


def _factors_within(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """A number by which a part is to be multiplied or divided."""
    for part in parts:
        node = part[3]
        if not isinstance(node, ast.expr) or part[1] == "func" or isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        parent = operands(part[0])
        if parent is not None and parent[0] == "product" and _kind_of(node) == "matrix product":
            for name, shape in around.arrays.items():
                if shape and spreads(shape, around.result):
                    words = f"the term + {name} is missing beside {around.text(node)}"
                    yield edited("term-missing", words, part, made_of(f"_0 + {name}", _0=node), natural=False)
        if parent is not None and parent[0] in ("sum", "difference"):
            text = around.text(node)
            yield edited("scale-half", f"a factor of 2 is missing in {text}", part, made_of("2 * _0", _0=node))
            yield edited("scale-half", f"a factor of 1/2 is missing in {text}", part, made_of("_0 / 2", _0=node))
            for name, count in around.counts.items():
                if count == around.examples:
                    yield edited("scale-n", f"1/{name} is missing in {text}", part, made_of(f"_0 / {name}", _0=node))
                    break
        if isinstance(node, ast.Constant):
            continue
        for factor in around.factors:
            words = f"the factor {factor} is missing"
            yield edited("factor-missing", words, part, made_of(f"{factor} * _0", _0=node), natural=False)
