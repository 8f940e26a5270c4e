"""What is put to the test: the modules of the operations and of the algebra, and the functions left out."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from fnmatch import fnmatchcase
from functools import cache

from tests.mutation.mutators import Mutant, functions, mutants

MODULES = [
    f"{package}.{found.name}"
    for package in ("linops", "operations")
    for found in pkgutil.iter_modules(importlib.import_module(f"jacobians.{package}").__path__)
]
"""All modules of the operations and of the algebra."""

_SHOWN = [
    "*: *.structure",
    "*: *.name",
    "*: *.names",
    "*: *.__repr__",
    "*: *.__str__",
    "*: *._repr_html_",
    "*: *._repr_latex_",
    "*: *.plot",
    "linops.algebra: _misfit",
    "linops.identity: _times",
    "linops.kronecker: _show",
    "linops.plan: _show",
    "linops.selection: _show",
]
"""What is printed: tests of texts hold it."""
_PRICED = [
    "*: *.flops",
    "*: *.arrays",
    "*: *.nbytes",
    "*: *._dense_bytes",
    "*: *._least_bytes",
    "linops.product: Product.plan",
    "linops.product: Product._best",
    "linops.shared: shared_flops",
]
"""What is counted of a structure, not computed: a wrong price gives another bracketing of the same product."""
_REFUSED = [
    "linops.dense_view: DenseView._refuse_over",
    "linops.kronecker: _factor",
    "linops.orders: known_order",
    "operations.*: *.__post_init__",
    "operations.*: *._accept",
    "operations.*: *.owner",
    "operations.*: *.parameter_shapes",
    "operations.affine: Affine._check",
    "operations.affine: _check_bias",
    "operations.affine: _other",
    "operations.affine: _transpose_hint",
    "operations.base: Jacobians.__getattr__",
    "operations.base: Jacobians.__len__",
    "operations.ones: check_matrix",
    "operations.powers: _refuse",
    "operations.products: _Binary._check_equal",
    "operations.softmax: _check_classes",
    "operations.targets: check_finite",
]
"""What refuses wrong input, and what is asked before there is an input: tests of messages hold it."""
LEFT_OUT = [*_SHOWN, *_PRICED, *_REFUSED]
"""By "module: function"; * is a wildcard."""


def full_name(module: str) -> str:
    return f"jacobians.{module}"


@cache
def tree(module: str) -> ast.Module:
    """The syntax tree of a module as it was when first asked for; every mutant changes this one and is taken back."""
    return ast.parse(inspect.getsource(importlib.import_module(full_name(module))))


@cache
def mutants_of(module: str) -> list[Mutant]:
    """All mutants of the module's functions that are in scope."""
    return [
        mutant
        for name, function in functions(tree(module))
        if not is_left_out(f"{module}: {name}") and not _is_abstract(function)
        for mutant in mutants(module, name, function)
    ]


def is_left_out(where: str) -> bool:
    """Whether this "module: function" has no mutants."""
    return any(fnmatchcase(where, pattern) for pattern in LEFT_OUT)


def _is_abstract(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(d) == "abstractmethod" for d in function.decorator_list)
