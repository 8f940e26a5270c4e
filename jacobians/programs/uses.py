"""How a program's text uses its names: what is an index, a list or a matrix, and which sizes and shapes are written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from jacobians.programs import naming
from jacobians.programs.documented import documented_kinds, documented_shapes
from jacobians.programs.plan import key_of


@dataclass(eq=False)
class Uses:
    """How a program's text uses its names.

    Attributes
    ----------
    texts : dict
        By name: the texts that it is compared with.
    keys : dict
        By name: the keys that are read from it.
    indices : set of str
        Names that stand within an index, or hold what does.
    arrays : set of str
        Functions and their names, as ``f:x``, that are multiplied as matrices or asked for an array's attributes there.
    functions : frozenset of str
        The functions of the file.
    places : dict
        By name: the largest number that it is indexed with.
    settings : set of str
        Dicts that are asked for a key with a default.
    numbered : bool
        Whether there are weights whose names have numbers.
    lists : set of str
        Names that are run through, counted, or taken by a number.
    sliced : set of str
        Names of which a stretch is taken.
    unpacked : dict
        By name: the names that its parts are given.
    letters : dict
        By function and name, as ``f:x``: the letters of its axes in that function's einsums, if always the same.
    kinds : dict
        By function and argument: "whole" or "truth" where its docstring says so.
    documented : dict
        By function and name: the shape that the function's docstring tells, by symbols.
    fixed : frozenset of int
        Whole numbers that the program writes as sizes of arrays.
    layers : tuple of int
        The smallest and the largest number of a weight's name.
    text : str
    """

    texts: dict[str, list[str]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    indices: set[str] = field(default_factory=set)
    arrays: set[str] = field(default_factory=set)
    functions: frozenset[str] = frozenset()
    layers: tuple[int, int] = (1, 1)
    numbered: bool = False
    text: str = ""
    lists: set[str] = field(default_factory=set)
    sliced: set[str] = field(default_factory=set)
    ranks: dict[str, int] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)
    documented: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    settings: set[str] = field(default_factory=set)
    octave: bool = False
    unpacked: dict[str, list[str]] = field(default_factory=dict)
    fixed: frozenset[int] = frozenset()


def uses_of(tree: ast.Module, text: str) -> Uses:
    """Return how a program uses its names."""
    found, numbers = Uses(text=text), set()
    set_ = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    set_ |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    for whole in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(whole):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                value = node.value
                if isinstance(value, ast.Attribute) and value.attr == "shape" and isinstance(value.value, ast.Name):
                    found.ranks[f"{whole.name}:{value.value.id}"] = len(node.targets[0].elts)
        documented = documented_shapes(whole)
        found.kinds.update((f"{whole.name}:{name}", kind) for name, kind in documented_kinds(whole).items())
        found.documented.update((f"{whole.name}:{name}", shape) for name, shape in documented.items())
        letters = _letters_in_einsum(whole)
        found.ranks.update((f"{whole.name}:{name}", len(own)) for name, own in letters.items())
        found.letters.update((f"{whole.name}:{name}", own) for name, own in letters.items())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and key_of(node.func) in ("len", "zip", "enumerate"):
            found.lists.update(key_of(arg) for arg in node.args if isinstance(arg, ast.Name))
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
            for right in node.comparators:
                for part in right.elts if isinstance(right, (ast.Tuple, ast.List)) else (right,):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        found.texts.setdefault(node.left.id, []).append(part.value)
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr == "get" and isinstance(function.value, ast.Name):
                found.settings.add(function.value.id)
        if isinstance(node, ast.Name) and node.id.startswith("octave "):
            found.octave = True
        if isinstance(node, ast.Call) and key_of(node.func) in ("octave sub2ind", "octave sparse", "octave accumarray"):
            found.indices.update(part.id for part in node.args[:2] if isinstance(part, ast.Name))
        if isinstance(node, ast.Call) and key_of(node.func) in ("csr_matrix", "coo_matrix", "csc_matrix") and node.args:
            given = node.args[0].elts[1:] if isinstance(node.args[0], ast.Tuple) else []
            found.indices.update(part.id for one in given for part in ast.walk(one) if isinstance(part, ast.Name))
        called = key_of(node.func) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and called in ("octave cell entry", "octave field"):
            held, part = node.args[0], node.args[-1]
            if isinstance(held, ast.Name) and called == "octave cell entry":
                found.lists.add(held.id)
            elif called == "octave cell entry" and key_of(getattr(held, "func", held)) == "octave field":
                found.lists.add(str(getattr(held.args[1], "value", "")))  # type: ignore[attr-defined]
            elif isinstance(held, ast.Name) and isinstance(part, ast.Constant):
                found.keys.setdefault(held.id, []).append(str(part.value))
        if isinstance(node, ast.Call) and (
            called == "octave store" or (called == "octave index" and key_of(node.args[0]) in set_)
        ):
            within = node.args[1 if called == "octave index" else 2 :]
            found.indices.update(part.id for part in within if isinstance(part, ast.Name))
            inner = [part.args[0] for part in within if isinstance(part, ast.Call) and part.args]
            found.indices.update(part.id for part in inner if isinstance(part, ast.Name))
        if isinstance(node, ast.Subscript) and key_of(node.value) not in ("c_", "r_"):
            held, index = node.value, node.slice
            if isinstance(index, ast.Slice) and isinstance(node.ctx, ast.Load):
                found.sliced.add(key_of(held))
            if isinstance(held, ast.Name) and isinstance(index, ast.Constant) and type(index.value) is int:
                found.places[held.id] = max(found.places.get(held.id, 0), index.value)
            read = isinstance(node.ctx, ast.Load)
            if isinstance(held, ast.Name) and isinstance(index, ast.Constant) and isinstance(index.value, str) and read:
                found.keys.setdefault(held.id, []).append(index.value)
            if isinstance(index, ast.Tuple) and isinstance(index.elts[-1], (ast.Name, ast.Subscript)):
                found.indices.add(key_of(index.elts[-1]))
            elif isinstance(index, ast.Name):
                found.indices.add(index.id)
            elif isinstance(index, ast.Subscript):
                found.indices.add(key_of(index))
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            value = node.value
            if isinstance(value, ast.Name):
                found.places[value.id] = len(node.targets[0].elts) - 1
                found.unpacked[value.id] = [key_of(part) for part in node.targets[0].elts]
            if isinstance(value, ast.Attribute) and value.attr == "shape" and isinstance(value.value, ast.Name):
                found.ranks[value.value.id] = len(node.targets[0].elts)
        name = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else ""
        if isinstance(node, ast.Attribute):
            name = node.attr
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value
        number = naming.NUMBERED.match(name)
        if number:
            numbers.add(int(number.group(1)))
    found.numbered = bool(numbers)
    found.fixed = frozenset(_written_sizes(tree))
    found.arrays.update(_as_arrays(tree))
    found.functions = frozenset(n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    _follow_indices(tree, found.indices)
    if numbers:
        found.layers = (
            (min(numbers), max(min(numbers) + 1, max(numbers))) if len(numbers) > 1 else (min(numbers), max(numbers))
        )
    return found


def _letters_in_einsum(tree: ast.AST) -> dict[str, str]:
    """The letters of the axes of names that stand in an einsum: ``np.einsum('btd,dk->btk', X, W)``."""
    found: dict[str, str] = {}
    others: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and key_of(node.func) == "einsum" and isinstance(node.args[0], ast.Constant):
            letters = str(node.args[0].value).replace(" ", "").partition("->")[0].split(",")
            for own, part in zip(letters, node.args[1:], strict=False):
                if isinstance(part, ast.Name) and own.isalpha() and found.setdefault(part.id, own) != own:
                    others.add(part.id)
    return {name: own for name, own in found.items() if name not in others}


_ALONG_AXIS = ("take_along_axis", "put_along_axis", "take")


def _follow_indices(tree: ast.Module, indices: set[str]) -> None:
    """Add the names from which indices are taken: ``inputs`` of ``for t, i in enumerate(inputs): x[i] = 1``."""
    taken: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and key_of(node.func) in _ALONG_AXIS and len(node.args) > 1:
            base = node.args[1]
            while isinstance(base, ast.Subscript):
                base = base.value
            indices.add(key_of(base))
        elif isinstance(node, (ast.For, ast.comprehension)):
            taken.update(_pairs(node.target, node.iter))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            taken.update(_pairs(node.targets[0], node.value.value))
    while True:
        more = {source for target, source in taken if target in indices} - indices
        if not more:
            return
        indices |= more


def _pairs(target: ast.expr, source: ast.expr) -> Iterator[tuple[str, str]]:
    """Names that take what others hold, in a loop or an assignment."""
    called = key_of(source.func) if isinstance(source, ast.Call) else ""
    args = source.args if isinstance(source, ast.Call) else []
    if called == "enumerate" and args and isinstance(target, ast.Tuple) and len(target.elts) == 2:
        yield from _pairs(target.elts[1], args[0])
    elif called == "zip" and isinstance(target, ast.Tuple):
        for part, of in zip(target.elts, args, strict=False):
            yield from _pairs(part, of)
    elif called in ("reversed", "list", "tqdm") and args:
        yield from _pairs(target, args[0])
    elif isinstance(target, ast.Name) and isinstance(source, ast.Name):
        yield target.id, source.id


def _as_arrays(tree: ast.Module) -> Iterator[str]:
    """Arguments that are matrices in a function: ``f:x`` of ``x.dot(W)`` and ``x @ W``."""
    for whole in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(whole):
            parts: list[ast.expr] = []
            if isinstance(node, ast.Attribute) and node.attr in (
                "T", "dot", "reshape", "mean", "sum", "max", "min", "std", "var", "shape",
            ):  # fmt: skip
                parts = [node.value]
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                parts = [node.left, node.right]
            elif isinstance(node, ast.Call) and key_of(node.func) in ("dot", "matmul"):
                parts = list(node.args)
            for part in parts:
                while isinstance(part, (ast.Subscript, ast.Attribute)):
                    part = part.value
                if isinstance(part, ast.Name):
                    yield f"{whole.name}:{part.id}"


_MAKERS = {"randn", "rand", "random", "uniform", "normal", "zeros", "ones", "empty", "eye", "full", "reshape"}


def _written_sizes(tree: ast.Module) -> Iterator[int]:
    """Whole numbers that stand where sizes stand: as arguments, alone or in a list, and as the value of a name."""
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call):
            made = key_of(node.func).removeprefix("octave ") in _MAKERS
            # a class or a function of the file's own may take sizes as well
            parts = [*node.args, *(k.value for k in node.keywords)] if made or isinstance(node.func, ast.Name) else []
        elif isinstance(node, ast.Assign):
            parts = [node.value]
        for part in (p for one in parts for p in (one.elts if isinstance(one, (ast.Tuple, ast.List)) else [one])):
            if isinstance(part, ast.Constant) and type(part.value) is int and part.value > 1:
                yield part.value
