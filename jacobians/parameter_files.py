"""Parameters in files that say which convention they are in: saved, read back, and translated from one to another."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jacobians.array_roles import ArraysByRole, arrays_by_role, conventions_of, stated_convention
from jacobians.arrays import Array, check_finite, show_shape
from jacobians.conventions import Convention
from jacobians.data import read_arrays
from jacobians.data.guards import DEFAULT_LIMIT
from jacobians.errors import DataError, LayoutError
from jacobians.first_tries import written
from jacobians.presets import convention as find_convention
from jacobians.role_names import STATED
from jacobians.translate import translate_batch, translate_gradients, translate_parameters
from jacobians.whole_files import whole_file

__all__ = ["load_parameters", "save_parameters"]

_SUFFIXES = (".npz", ".mat")
_MOST_NAMED = 6


@written("save_parameters(path, params, convention)")
def save_parameters(
    path: str | os.PathLike[str], params: Mapping[str, Array], convention: str | Convention
) -> dict[str, Array]:
    """Save a network's parameters with the name of their convention, and return what was saved.

    Parameters
    ----------
    path : str or path
        A ``.npz`` file, or a ``.mat`` file for MATLAB and Octave; it is written over. The convention is its entry
        "convention".
    params : mapping of str to ndarray
        By the convention's names, in its shapes.
    convention : str or Convention
        A preset, or its name.

    Raises
    ------
    ShapeError
        If the parameters are not those of the convention.
    LayoutError
        If the convention is no preset, which a name could not bring back.
    DataError
        If the file cannot be written, or its suffix is another.

    Examples
    --------
    >>> import tempfile
    >>> theta = {"Theta1": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save_parameters(f"{folder}/theta.mat", theta, "ng-ml-2011")
    ...     params, convention = load_parameters(f"{folder}/theta.mat", to="cs231n")
    >>> {name: array.tolist() for name, array in params.items()}
    {'W1': [[2.0, 5.0], [3.0, 6.0]], 'b1': [1.0, 4.0]}
    """
    own = find_convention(convention)
    saved = own.check(params, own.sizes(params), operation="save_parameters")
    write_arrays(path, saved, own, "save_parameters")
    return saved


@written("load_parameters(path)")
def load_parameters(
    path: str | os.PathLike[str],
    convention: str | Convention | None = None,
    *,
    to: str | Convention | None = None,
    sizes: Sequence[int] | None = None,
    limit: int = DEFAULT_LIMIT,
) -> tuple[dict[str, Array], Convention]:
    """Return the parameters in a file by name, and the convention that they are in.

    Parameters
    ----------
    path : str or path
        As for `jacobians.data.read_arrays`. Beside parameters it may hold data and gradients.
    convention : str or Convention, optional
        That of the file, where the file does not say it.
    to : str or Convention, optional
        To which the parameters are translated; unless given, they stay in the file's.
    sizes : sequence of int, optional
        Widths of the layers, where the file packs its parameters and nothing else tells them.
    limit : int
        The bytes that the file's arrays may need.

    Raises
    ------
    DataError
        If the file cannot be read, does not say its convention, says another one than is given, or holds an
        array that is no parameter, nor anything else that a file of its kind has.
    LayoutError
        If a bias cannot be translated.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save_parameters(f"{folder}/w.npz", {"W1": np.ones((3, 2)), "b1": np.zeros(2)}, "cs231n")
    ...     params, convention = load_parameters(f"{folder}/w.npz")
    >>> convention.name, {name: array.shape for name, array in params.items()}
    ('cs231n', {'W1': (3, 2), 'b1': (2,)})
    """
    arrays, where = read_arrays(path, limit=limit), Path(path).name
    found = _read(arrays, convention, sizes, where, "load_parameters", "load_parameters(…, 'ng-ml-2011')")
    for name, array in found.parameters.items():
        check_finite(array, name, f"load_parameters: {where}")
    if to is None:
        return found.parameters, found.convention
    return translate_parameters(found.parameters, found.convention, to), find_convention(to)


@dataclass(frozen=True, slots=True)
class TranslatedFile:
    """What a file became: its arrays as the target keeps them, and what else is to be known.

    Attributes
    ----------
    arrays : dict of ndarray
    source, target : Convention
    notes : tuple of str
    """

    arrays: dict[str, Array]
    source: Convention
    target: Convention
    notes: tuple[str, ...]

    def __str__(self) -> str:
        shapes = ", ".join(f"{name} {show_shape(array.shape)}" for name, array in self.arrays.items())
        return "\n".join([f"{shapes}: {self.target.name}, from {self.source.name}", *self.notes])


def translate_file(
    path: str | os.PathLike[str],
    target: str | Convention,
    source: str | Convention | None = None,
    *,
    sizes: Sequence[int] | None = None,
) -> TranslatedFile:
    """Return a file's arrays in another convention: parameters, gradients, packed vectors, examples and targets.

    Parameters
    ----------
    path, sizes
        As for `load_parameters`.
    target : str or Convention
    source : str or Convention, optional
        That of the file, where the file does not say it.

    Raises
    ------
    DataError, LayoutError
        As `load_parameters` does.
    """
    where, target = Path(path).name, find_convention(target)
    arrays = read_arrays(path)
    found = _read(arrays, source, sizes, where, "translate", "--from NAME")
    own, names = found.convention, found.names
    parameters = translate_parameters(found.parameters, own, target)
    result: dict[str, Array] = dict(parameters)
    if "packed" in names:
        result[names["packed"]] = target.pack(parameters, found.sizes)
    gradients = found.gradients
    if isinstance(gradients, np.ndarray):
        gradients = own.unpack(gradients, found.sizes)
    if gradients is not None:
        gradients = translate_gradients(gradients, own, target)
        if "packed-gradient" in names:
            result[names["packed-gradient"]] = target.pack(gradients, found.sizes)
        if any("-gradient:" in role for role in names):
            result |= {target.names.gradient_of(name): gradient for name, gradient in gradients.items()}
    if found.X is not None:
        result[names["input"]] = translate_batch(found.X, own, target)
    if found.Y is not None:
        result[names["target"]] = _targets(found.Y, own, target)
    moved = {name for role, name in names.items() if role in _MOVED or role.startswith(_BY_LAYER)}
    result |= {name: array for name, array in arrays.items() if name not in moved | set(result)}
    return TranslatedFile(result, own, target, (*found.notes, *_kept(found, target)))


_MOVED = {"packed", "packed-gradient", "input", "target", STATED}
_BY_LAYER = ("weight", "bias")
"""The roles whose arrays are written anew; the others' are copied."""


def _targets(Y: Array, source: Convention, target: Convention) -> Array:
    """Targets along the other axis, where they have two; labels are the same in every convention."""
    return translate_batch(Y, source, target) if Y.ndim == 2 else Y


def _kept(found: ArraysByRole, target: Convention) -> list[str]:
    """What a translation leaves as it is although the conventions differ in it."""
    own, notes = found.convention, []
    if found.gradients is not None and own.effective_reduction != target.effective_reduction:
        notes.append(
            f"the gradients keep their factor: {own.name} reduces the losses by {own.effective_reduction}, "
            f"{target.name} by {target.effective_reduction}"
        )
    if found.strength and own.l2 != target.l2:
        notes.append(
            f"{found.names['strength']} is left as it is: the regulariser of {own.name} is {own.l2 or 'left open'}, "
            f"that of {target.name} {target.l2 or 'left open'}"
        )
    return notes


def write_arrays(
    path: str | os.PathLike[str],
    arrays: Mapping[str, Array],
    convention: Convention,
    operation: str,
    *,
    overwrite: bool = True,
) -> None:
    """Write arrays and the name of their convention to a ``.npz`` or a ``.mat`` file.

    Raises
    ------
    LayoutError
        If the convention is no preset.
    DataError
        If the suffix is another, the file exists and may not be written over, or cannot be written.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in _SUFFIXES:
        raise DataError(f"{operation}: {file.name} has the suffix {file.suffix!r}; write {' or '.join(_SUFFIXES)}")
    _require_preset(convention, operation)
    entries: dict[str, Any] = {**arrays, STATED: np.array(convention.name)}
    if file.exists() and not overwrite:
        raise DataError(f"{operation}: {file} exists; choose another file with -o")
    try:
        with whole_file(file) as opened:
            if suffix == ".npz":
                np.savez(opened, **entries)
                return
            from scipy.io import savemat  # costs more than numpy itself

            # MATLAB has no names that begin with _, which no reader asks for
            savemat(opened, {name: array for name, array in entries.items() if not name.startswith("_")})
    except OSError as error:
        raise DataError(f"{operation}: cannot write {file}: {error.strerror or error}") from None


def _require_preset(convention: Convention, operation: str) -> None:
    try:
        preset = find_convention(convention.name)
    except LayoutError:
        preset = None
    if preset is None or (preset.layout, preset.names) != (convention.layout, convention.names):
        raise LayoutError(
            f"{operation}: {convention.name} is not as a preset has it, and a file holds only the name; translate the "
            "parameters to a preset first"
        )


def _read(
    arrays: dict[str, Array],
    convention: str | Convention | None,
    sizes: Sequence[int] | None,
    where: str,
    operation: str,
    choice: str,
) -> ArraysByRole:
    if convention is None:
        convention = stated_convention(arrays, where)
    if convention is not None:
        return arrays_by_role(arrays, find_convention(convention), sizes=sizes, where=f"{operation}: {where}")
    fit = [found.convention.name for found in conventions_of(arrays, sizes=sizes, where=f"{operation}: {where}")]
    more = f" and {len(fit) - _MOST_NAMED} more" if len(fit) > _MOST_NAMED else ""
    raise DataError(
        f"{operation}: {where} does not say which convention it is in; name it, as in {choice}: its names and shapes "
        f"fit {', '.join(fit[:_MOST_NAMED])}{more}"
    )
