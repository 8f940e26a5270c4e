"""What Octave says of a value: its sizes, its kind, whether it equals another, and its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.matrices import Array, Shape, matrix, number
from jacobians.programs.octave.rules import Rule
from jacobians.programs.values import Bound, Budget, BuiltIn, Function, ProgramError


def own_shape(of: Any) -> Shape:
    """Return the shape of a matrix, and that of a text, a cell array, a struct or a function."""
    if isinstance(of, (str, list)):
        return (1 if len(of) or isinstance(of, list) else 0, len(of))
    if isinstance(of, (dict, BuiltIn, Function, Bound)):
        return (1, 1)
    return matrix(of).shape


def _size(budget: Budget, of: Any, *axes: Any) -> Array:
    shape = own_shape(of)
    if not axes:
        return np.array([shape], float)
    asked = [om.whole(n) for a in axes for n in om.entries(matrix(a))]
    if min(asked, default=1) < 1:
        raise ProgramError("size: the first axis is 1")
    return np.array([[shape[k - 1] if k <= len(shape) else 1 for k in asked]], float)


def _sizes(budget: Budget, count: Any, of: Any, *axes: Any) -> tuple[float, ...]:
    n = om.whole(count)
    held = om.entries(_size(budget, of, *axes)) if axes else om._folded(own_shape(of), n)
    return om.outputs(n, tuple(float(k) for k in held))


def _of_shape(rule: Callable[[Shape], Any]) -> Rule:
    def ask(budget: Budget, of: Any) -> Any:
        return rule(own_shape(of))

    return ask


def _of_kind(*kinds: type) -> Rule:
    def ask(budget: Budget, of: Any) -> bool:
        return isinstance(of, kinds)

    return ask


def _is_logical(budget: Budget, of: Any) -> bool:
    return isinstance(of, (bool, np.bool_)) or (isinstance(of, np.ndarray) and of.dtype.kind == "b")


def _is_numeric(budget: Budget, of: Any) -> bool:
    return not isinstance(of, (str, list, dict, BuiltIn, Function, Bound)) and not _is_logical(budget, of)


def _is_field(budget: Budget, of: Any, name: Any) -> Any:
    if isinstance(name, list):
        return matrix(np.array([[isinstance(of, dict) and n in of for n in name if isinstance(n, str)]], bool))
    return isinstance(of, dict) and isinstance(name, str) and name in of


def _is_equal(budget: Budget, first: Any, *others: Any) -> bool:
    return all(_equal(budget, first, other) for other in others)


def _equal(budget: Budget, one: Any, other: Any) -> bool:
    budget.look()
    if isinstance(one, (str, dict, list)) or isinstance(other, (str, dict, list)):
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(_equal(budget, a, b) for a, b in zip(one, other, strict=True))
        if isinstance(one, dict) and isinstance(other, dict):
            return one.keys() == other.keys() and all(_equal(budget, one[k], other[k]) for k in one)
        return isinstance(one, str) and isinstance(other, str) and one == other
    return bool(np.array_equal(number(one), number(other)))


def _same_text(budget: Budget, one: Any, other: Any) -> Any:
    if isinstance(one, list) or isinstance(other, list):
        many, text = (one, other) if isinstance(one, list) else (other, one)
        return np.array([[isinstance(m, str) and isinstance(text, str) and m == text for m in many]], bool)
    return isinstance(one, str) and isinstance(other, str) and one == other


def _same_letters(budget: Budget, one: Any, other: Any) -> Any:
    lower = [v.lower() if isinstance(v, str) else v for v in (one, other)]
    return _same_text(budget, *lower)


def _text(budget: Budget, *arguments: Any) -> str:
    """A number as a text, which is shown and nothing else."""
    return "text that is not read"


def double(budget: Budget, of: Any) -> Array:
    """Return numbers; a text becomes the codes of its letters."""
    if isinstance(of, str):
        budget.size(len(of))
        return np.array([[float(ord(c)) for c in of]]).reshape(1 if of else 0, len(of))
    return number(of)


def _logical(budget: Budget, of: Any) -> Array:
    held = matrix(of)
    if np.any(np.isnan(held)):
        raise ProgramError("logical: NaN is neither true nor false")
    return held.astype(bool)


KINDS: Mapping[str, Rule] = {
    "size": _size, "size outputs": _sizes, "numel": _of_shape(lambda s: om.volume(s)),
    "length": _of_shape(lambda s: 0.0 if 0 in s else float(max(s))),
    "rows": _of_shape(lambda s: float(s[0])), "columns": _of_shape(lambda s: float(s[1])),
    "ndims": _of_shape(lambda s: float(len(s))), "isempty": _of_shape(lambda s: 0 in s),
    "isscalar": _of_shape(lambda s: om.volume(s) == 1),
    "isvector": _of_shape(lambda s: len(s) == 2 and 1 in s and max(s) > 0),
    "isrow": _of_shape(lambda s: len(s) == 2 and s[0] == 1),
    "iscolumn": _of_shape(lambda s: len(s) == 2 and s[1] == 1),
    "ismatrix": _of_shape(lambda s: True), "issquare": _of_shape(lambda s: len(s) == 2 and s[0] == s[1]),
    "isnumeric": _is_numeric, "isreal": _is_numeric, "islogical": _is_logical, "ischar": _of_kind(str),
    "iscell": _of_kind(list), "isstruct": _of_kind(dict), "is_function_handle": _of_kind(BuiltIn, Function, Bound),
    "isfield": _is_field, "isequal": _is_equal, "strcmp": _same_text, "strcmpi": _same_letters,
    **dict.fromkeys(("num2str", "sprintf", "mat2str", "int2str", "datestr"), _text),
    **dict.fromkeys(("double", "single", "full", "real"), double), "logical": _logical,
}  # fmt: skip
"""By name; a name with "outputs" is what it gives where several are asked for."""
