"""What is put to the test: the modules of the operations and of the algebra, and the functions left out."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from functools import cache

from tests.mutation.mutators import Mutant, functions, mutants

MODULES = [
    f"{package}.{found.name}"
    for package in ("linops", "operations")
    for found in pkgutil.iter_modules(importlib.import_module(f"jacobians.{package}").__path__)
]
"""All modules of the operations and of the algebra."""

_SHOWN = {"structure", "name", "names", "inputs", "__repr__", "_repr_html_", "__str__", "_show", "_misfit", "_times"}
_SHOWN |= {"plot", "_repr_latex_"}
"""What is printed: tests of texts hold it."""
_PRICED = {"flops", "arrays", "nbytes", "_dense_bytes", "_least_bytes", "_refuse_over", "plan", "make_plan", "within"}
_PRICED |= {"least_bytes", "_best", "_as_matrix", "_as_product", "_as_blocks", "ways", "_acted", "acted", "_front"}
_PRICED |= {"_seen_through", "_price", "slabs"}
_PRICED |= {"shared_flops", "example_steps", "_steps"}
"""What is counted, not computed: a wrong price gives another bracketing of the same product."""
_REFUSED = {
    "_refuse",
    "_check",
    "check_matrix",
    "_check_matrix",
    "_check_bias",
    "_check_classes",
    "_check_equal",
    "_transpose_hint",
}
_REFUSED |= {
    "_other",
    "check_finite",
    "known_order",
    "_factor",
    "__post_init__",
    "_accept",
    "parameter_shapes",
    "owner",
}
_REFUSED |= {"__getattr__", "__len__"}
"""What refuses wrong input, and what is asked before there is an input: tests of messages hold it."""
LEFT_OUT = _SHOWN | _PRICED | _REFUSED


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
        if name.rpartition(".")[2] not in LEFT_OUT and not _is_abstract(function)
        for mutant in mutants(module, name, function)
    ]


def _is_abstract(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(d) == "abstractmethod" for d in function.decorator_list)
