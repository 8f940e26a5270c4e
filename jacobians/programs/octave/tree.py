"""`octave_tree`: an Octave or MATLAB file as a tree of Python's nodes. Octave's own operations are calls.

The evaluator knows one language. A = B * c(2, end)' becomes the tree of

    A = (octave product)(B, (octave transpose)((octave index)(c, 2.0, (octave end)(c, 1, 2))))

whose names no Python file can write, since they hold a space. `octave_functions` defines them. Three rules do the rest:
a stored part is an assignment of the whole, A = (octave store)(A, value, index), so nothing is shared; what stands
between + - .* ./ and comparisons is made numbers first; and a name that no earlier line sets is a function where the
file or the table has one, and else data.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

from jacobians.programs.octave.reader import ENDS, NotReadError, Scope
from jacobians.programs.octave.statements import Statements


def octave_tree(text: str, name: str, functions: Set[str]) -> ast.Module:
    """Return an Octave file as a tree; nothing of it is executed.

    Parameters
    ----------
    text : str
    name : str
        The file's name, for errors.
    functions : set of str
        The functions that the evaluator has for Octave, such as "sum".

    Returns
    -------
    ast.Module
        Functions first, then the lines outside them. Every node has the place of the user's own text. A statement that
        is outside the list is an assignment of a call of (octave unread), whose argument says what is not read.

    Raises
    ------
    FormulaError
        If a block has no end, or the text is nested too deep; the text names the line.

    Examples
    --------
    >>> import ast
    >>> from jacobians.programs.octave.tree import octave_tree
    >>> tree = octave_tree("d = (A - Y)' * X;", "lines.m", frozenset())
    >>> tree.body[0].value.func.id
    'octave product'
    """
    return _File(text, name, functions).module()


class _File(Statements):
    """The reader of a whole file: functions, and the lines outside them."""

    def module(self) -> ast.Module:
        """Return the whole file."""
        functions: list[ast.stmt] = []
        lines: list[ast.stmt] = []
        while self.next.kind != "end":
            if self._is("function", kind="keyword"):
                outside, self.scope = self.scope, Scope(is_function=True)
                functions += self._function()
                self.scope = outside
            elif self.next.text == "classdef" and self.next.kind == "name" and not lines:
                words = (
                    "a class (classdef) is not read: put its method of the loss and the gradient into a file of its own"
                )
                raise self._error(f"{words}, as a function of arrays", self.next)
            elif self._is(*ENDS, "endfunction", "else", "elseif", "until", "case", "otherwise", kind="keyword"):
                raise self._error(f"{self.next.text!r} ends no block", self.next)
            else:
                lines += self._statement()
        return _placed(ast.Module([*functions, *self._beginnings(), *lines], []))

    def _beginnings(self) -> list[ast.stmt]:
        """What is made by storing its parts is nothing before."""
        return [
            self._assign(name, self._constant(None, token), token)
            for name, token in self.scope.begun.items()
            if name not in self.scope.parameters
        ]

    def _function(self) -> list[ast.stmt]:
        start = self._take()
        try:
            outputs, name, parameters = self._signature()
        except NotReadError as error:
            raise self._error(f"the head of a function is not read: {error.construct}", start) from None
        scope = self.scope
        scope.parameters, scope.outputs = tuple(parameters), tuple(outputs)
        scope.set_so_far.update(parameters)
        body = self._block(start, "function")
        if not self._accept("end", "endfunction", kind="keyword") and not (
            self.next.kind == "end" or self._is("function", kind="keyword")
        ):
            raise self._error(f"{self.next.text!r} ends no block", self.next)
        last = self.tokens[max(self.place - 1, 0)]
        sure = {target.id for line in body for target in _names_set(line)}
        for output in outputs:
            if output not in sure and output not in parameters:
                scope.begun.setdefault(output, start)
        body = [*self._beginnings(), *body, self._return(last)]
        rest = parameters.pop() if parameters and parameters[-1] == "varargin" else None
        arguments = ast.arguments(
            posonlyargs=[],
            args=[self._at(ast.arg(p), start) for p in parameters],
            vararg=self._at(ast.arg(rest), start) if rest else None,
            kwonlyargs=[],
            kw_defaults=[],
            kwarg=None,
            defaults=[self._constant(None, start) for _ in parameters],
        )
        return [self._at(ast.FunctionDef(name, arguments, body, []), start)]


def _names_set(line: ast.stmt) -> Iterator[ast.Name]:
    """The names that an assignment sets."""
    if isinstance(line, ast.Assign):
        for target in line.targets:
            parts = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (part for part in parts if isinstance(part, ast.Name))


def _placed(tree: ast.Module) -> ast.Module:
    """Give nodes without a place that of the node around them, without recursion."""
    left: list[tuple[ast.AST, tuple[int, int, int, int]]] = [(tree, (1, 0, 1, 0))]
    while left:
        node, place = left.pop()
        if "lineno" in node._attributes:
            if not hasattr(node, "lineno"):
                node.lineno, node.col_offset, node.end_lineno, node.end_col_offset = place  # type: ignore[attr-defined]
            place = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        left += [(child, place) for child in ast.iter_child_nodes(node)]
    return tree
