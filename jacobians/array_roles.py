"""What the arrays of a file are, in one convention: which is a weight, which a gradient, which λ; none is left over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from jacobians.arrays import Array, Shape, as_float, check_finite, counted, show_shape, size_of
from jacobians.conventions import Convention
from jacobians.errors import DataError, JacobiansError, LayoutError
from jacobians.presets import all_conventions
from jacobians.presets import convention as find_convention
from jacobians.role_names import STATED, RolesOfNames, is_vector

__all__ = ["ArraysByRole", "arrays_by_role", "convention_of", "parameters_of", "stated_convention"]


@dataclass(frozen=True, slots=True, eq=False)
class ArraysByRole:
    """What the arrays of a file are.

    Attributes
    ----------
    convention : Convention
    sizes : tuple of int
        Widths of the layers, from the input on.
    parameters : dict of ndarray
        By the convention's names, in its shapes.
    gradients : dict of ndarray, ndarray or None
        By parameter, or packed as a vector. One whose shape differs from its parameter's by more than axes of
        length 1 is left as it is.
    X, Y : ndarray or None
        The examples as the convention keeps them, without an entry of ones; the targets as they are.
    strength : float or None
        The regulariser's λ.
    names : dict of str to str
        From roles to the names in the file.
    notes : tuple of str
        What was taken for what, where it is not plain.
    """

    convention: Convention
    sizes: tuple[int, ...]
    parameters: dict[str, Array]
    gradients: dict[str, Array] | Array | None
    X: Array | None
    Y: Array | None
    strength: float | None
    names: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def arrays_by_role(
    arrays: Mapping[str, Array],
    convention: Convention,
    *,
    features: str | None = None,
    labels: str | None = None,
    sizes: Sequence[int] | None = None,
    where: str = "the file",
) -> ArraysByRole:
    """Return what each array of a file is, in a convention.

    A weight, a bias and their gradients are found by the convention's names, with or without the name of a dict before
    them (``params.W1``, ``grads["dW1"]``), as members of a list (``coefs_[0]``, ``nabla_w_0``), or as a module's
    (``fc1.weight``, ``fc1.weight.grad``). A packed vector is called ``nn_params`` or ``theta``, its gradient ``grad``.
    A bias may be (out,), (1, out) or (out, 1), the weights of a single output any vector.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    convention : Convention
    features, labels : str, optional
        The arrays of examples and of labels, where they are not called X and y.
    sizes : sequence of int, optional
        Widths of the layers, where a packed vector does not tell them.
    where : str
        The file's name, for errors.

    Raises
    ------
    DataError
        If an array has no role, two have the same, or their shapes do not fit; the text says what would.

    Examples
    --------
    >>> from jacobians.presets import convention
    >>> file = {"X": np.ones((5, 3)), "y": np.zeros((5, 1)), "theta": np.zeros((3, 1)), "grad": np.zeros((3, 1))}
    >>> found = arrays_by_role(file, convention("ng-ml-2011"))
    >>> found.sizes, found.X.shape, found.notes
    ((2, 1), (5, 2), ('theta is read as Theta1 1×3', 'the first column of X holds the ones of the bias'))
    """
    return _Reader(arrays, convention, features, labels, sizes, where).read()


def parameters_of(
    arrays: Mapping[str, Array], convention: Convention, *, sizes: Sequence[int] | None = None, where: str = "the file"
) -> dict[str, Array]:
    """Return the parameters among a file's arrays, by the convention's names and in its shapes.

    Raises
    ------
    DataError
        As `arrays_by_role` does.

    Examples
    --------
    >>> from jacobians.presets import convention
    >>> file = {"W1": np.ones((3, 2)), "b1": np.zeros((1, 2))}
    >>> {name: array.shape for name, array in parameters_of(file, convention("cs231n")).items()}
    {'W1': (3, 2), 'b1': (2,)}
    """
    return arrays_by_role(arrays, convention, sizes=sizes, where=where).parameters


def convention_of(
    arrays: Mapping[str, Array], preferred: Sequence[Convention] = (), *, where: str = "weights"
) -> Convention:
    """Return the convention, first among `preferred`, then among all presets, in which every array has a role.

    Raises
    ------
    DataError
        If there is none.
    """
    return conventions_of(arrays, preferred, where=where)[0].convention


def conventions_of(
    arrays: Mapping[str, Array],
    preferred: Sequence[Convention] = (),
    *,
    features: str | None = None,
    labels: str | None = None,
    sizes: Sequence[int] | None = None,
    where: str = "weights",
) -> list[ArraysByRole]:
    """Return the readings in all conventions in which every array has a role: at least one.

    Raises
    ------
    DataError
        If there is none: what is wrong in the first convention that knows the weights' names.
    """
    found, errors = [], []
    candidates = dict.fromkeys((*preferred, *all_conventions()))
    stated = stated_convention(arrays, where)
    if stated is not None:
        candidates = dict.fromkeys([next(c for c in candidates if c.name == stated.name)])
    for candidate in candidates:
        try:
            reader = _Reader(arrays, candidate, features, labels, sizes, where)
            found.append(reader.read())
        except JacobiansError as error:
            errors.append((reader.understood, error))
    if found:
        return found
    understood, reason = max(errors, key=lambda pair: pair[0])
    if understood == _WHATEVER_THE_CONVENTION:
        raise reason
    if understood:
        raise DataError(f"{reason} (and no other convention fits; name yours to see what is wrong in it)")
    have = ", ".join(f"{name} {np.shape(array)}" for name, array in arrays.items()) or "nothing"
    first = next(iter(candidates))
    raise DataError(
        f"{where}: {have}: no convention has parameters of these names and shapes; "
        f"{first.name} calls them {', '.join(first.shapes((2, 2, 2)))}"
    )


def stated_convention(arrays: Mapping[str, Array], where: str) -> Convention | None:
    """Return the convention that a file says it is in, or None.

    Raises
    ------
    DataError
        If what it says is no preset.
    """
    entry = arrays.get(STATED)
    if entry is None:
        return None
    if entry.dtype.kind != "U" or entry.size != 1:
        raise DataError(
            f"{where}: {STATED} has shape {entry.shape} and dtype {entry.dtype}; it is the name of a preset"
        )
    try:
        return find_convention(str(entry.reshape(())))
    except LayoutError as error:
        raise DataError(f"{where}: {error}") from None


_WHATEVER_THE_CONVENTION = 9
"""How well a file is understood in which an example or a parameter is not finite: no other reading mends that."""


class _Reader:
    """One file read in one convention."""

    def __init__(
        self,
        arrays: Mapping[str, Array],
        convention: Convention,
        features: str | None,
        labels: str | None,
        sizes: Sequence[int] | None,
        where: str,
    ) -> None:
        self.arrays, self.convention, self.layout = arrays, convention, convention.layout
        self.chosen = {"input": features, "target": labels}
        self.told, self.where = tuple(sizes) if sizes else None, where
        self.notes: list[str] = []
        self.found: dict[str, str] = {}
        self.unknown: list[str] = []
        self.understood = 0  # how much of the file makes sense: the error of the convention that goes furthest is told
        self._sort()

    # --- names -----------------------------------------------------------------------------------

    def _sort(self) -> None:
        """Give every name its role: "input", "weight:1", "bias-gradient:2", "packed"."""
        by_role: dict[str, list[str]] = {}
        roles = RolesOfNames(self.arrays, self.convention, self.chosen)
        for name in self.arrays:
            role = roles.role(name)
            if role is not None:
                by_role.setdefault(role, []).append(name)
            elif not name.startswith("_"):
                self.unknown.append(name)
        for role, names in by_role.items():
            own = [n for n in names if n == self.convention.names.strength] if role == "strength" else []
            # X before x, y before Y, and the convention's own λ before another course's
            names.sort(key=lambda n: (n not in own, n not in ("X", "y")))
            self.found[role] = names[0]
            if role not in ("cost", "rate", "count"):
                self.unknown += names[1:]
        for option, chosen in (("features", self.chosen["input"]), ("labels", self.chosen["target"])):
            if chosen is not None and chosen not in self.arrays:
                raise DataError(f"{self.where} has {self._have()}; not {chosen!r}: choose with --{option} NAME")

    def _have(self) -> str:
        return ", ".join(f"{name} {array.shape}" for name, array in self.arrays.items()) or "no arrays"

    def _layers(self, role: str) -> dict[int, str]:
        """The names of a role's arrays by layer."""
        pairs = (key.split(":") for key in self.found if key.startswith(f"{role}:"))
        return {int(layer): self.found[f"{role}:{layer}"] for _, layer in sorted(pairs)}

    # --- everything ------------------------------------------------------------------------------

    def read(self) -> ArraysByRole:
        """Return what every array is."""
        stated = stated_convention(self.arrays, self.where)
        if stated is not None and stated.name != self.convention.name:
            raise DataError(
                f"{self.where} says that it is in {stated.name}, not in {self.convention.name}; translate it first"
            )
        X = self._examples()
        if self._layers("weight"):
            self.understood = 1
            weights = self._weights(X)
            sizes = self.convention.sizes(weights)
            if self.told not in (None, sizes):
                own, told = ("-".join(map(str, widths)) for widths in (sizes, self.told or ()))
                raise DataError(f"{self.where} holds a {own} network, and --sizes says {told}; leave --sizes out")
            self.understood = 2
            parameters = self._with_biases(weights, sizes)
            self._agree(parameters, sizes)
        elif "packed" in self.found:
            self.understood = 1
            packed = self._finite(self.found["packed"]).reshape(-1)
            sizes = self._sizes_of(packed, X)
            parameters = self.convention.unpack(packed, sizes)
            blocks = ", ".join(f"{name} {show_shape(array.shape)}" for name, array in parameters.items())
            self.notes.append(f"{self.found['packed']} is read as {blocks}")
        else:
            called = ", ".join(self.convention.shapes((2, 2, 2)))
            raise DataError(
                f"{self.where} has {self._have()}; no parameters that {self.convention.name} knows: it calls them "
                f"{called}, or all packed nn_params or theta"
            )
        self.understood = 3
        if X is not None:
            X = self._without_ones(X, sizes)
        self.understood = 4
        gradients = self._gradients(parameters)
        self._refuse_unknown(len(sizes) - 1)
        Y = self.arrays.get(self.found.get("target", ""))
        if Y is not None and Y.dtype.kind == "f":
            check_finite(Y, self.found["target"], self.where)
        return ArraysByRole(
            self.convention, sizes, parameters, gradients, X, Y, self._strength(), self.found, tuple(self.notes)
        )

    def _refuse_unknown(self, layers: int) -> None:
        own, unknown = self.convention, list(self.unknown)
        for role in ("weight-gradient", "bias", "bias-gradient"):
            known = layers if self.layout.bias == "separate" or role == "weight-gradient" else 0
            unknown += [name for layer, name in self._layers(role).items() if layer > known]
        if not unknown:
            return
        shown = ", ".join(f"{name} {self.arrays[name].shape}" for name in unknown)
        weights = self._layers("weight")
        if weights and (lost := self._missing_weights(unknown, layers)):
            raise DataError(
                f"{self.where} has {', '.join(weights.values())}, and {shown} beside; {' and '.join(lost)} "
                f"{'are' if len(lost) > 1 else 'is'} missing; put it in, or leave {', '.join(unknown)} out"
            )
        known_kinds = {
            name for role in ("weight-gradient", "bias", "bias-gradient") for name in self._layers(role).values()
        }
        if not set(unknown).isdisjoint(known_kinds):  # a convention without a place for them
            self.understood = min(self.understood, 1 + (not self._layers("bias")))
        reason = f"{own.name} has no such name: it has {', '.join(own.shapes((2, 2, 2)))}, their gradients, X and y"
        if set(unknown) <= {*self._layers("bias").values(), *self._layers("bias-gradient").values()}:
            reason = (
                f"{own.name} has no bias"
                if self.layout.bias == "none"
                else f"{own.name} keeps the bias in {own.weight(1)}"
            )
        them = "them" if len(unknown) > 1 else "it"
        raise DataError(
            f"{self.where}: {shown}: not used; {reason}. Rename {them}, leave {them} out, begin the name with _, as in "
            f"_{unknown[0]}, or name another convention"
        )

    def _missing_weights(self, unknown: Sequence[str], layers: int) -> list[str]:
        """The weights that are not there, if the arrays without a role all belong to their layers."""
        beyond: dict[str, int] = {}
        for role in ("weight-gradient", "bias", "bias-gradient"):
            if role == "weight-gradient" or self.layout.bias == "separate":
                beyond |= {name: layer for layer, name in self._layers(role).items() if layer > layers}
        if not set(unknown) <= beyond.keys():
            return []
        return [self.convention.weight(layer) for layer in sorted({beyond[name] for name in unknown})]

    def _strength(self) -> float | None:
        name = self.found.get("strength")
        if name is None:
            return None
        value = self.arrays[name]
        if value.size != 1 or value.dtype.kind not in "buif":
            raise DataError(f"{self.where}: {name} has shape {value.shape}; λ is one number")
        check_finite(value, name, self.where)
        return float(value.reshape(()))

    def _number(self, role: str) -> int | None:
        value = self.arrays.get(self.found.get(role, ""))
        return None if value is None or value.size != 1 else int(value.reshape(()))

    def _float(self, name: str) -> Array:
        array = self.arrays[name]
        if array.dtype.kind not in "buif":
            raise DataError(f"{self.where}: {name} {array.shape} has dtype {array.dtype}; expected real numbers")
        return as_float(array, name, self.where)

    def _finite(self, name: str) -> Array:
        array = self._float(name)
        try:
            check_finite(array, name, self.where)
        except DataError:
            self.understood = _WHATEVER_THE_CONVENTION
            raise
        return array

    def _as_it_is(self, name: str) -> Array:
        """A gradient in its own dtype, which says how exact it can be; whole numbers as floats."""
        array = self._float(name)
        return self.arrays[name] if self.arrays[name].dtype.kind == "f" else array

    def _vector(self, role: str) -> Array:
        return self._float(self.found[role]).reshape(-1)

    # --- examples --------------------------------------------------------------------------------

    def _examples(self) -> Array | None:
        if "input" not in self.found:
            return None
        name = self.found["input"]
        X = self._finite(name)
        if X.ndim == 1:
            return X.reshape(self.layout.batch_shape(X.size, 1))
        if X.ndim != 2:
            raise DataError(
                f"{self.where}: {name} has shape {X.shape}; expected a matrix, one example a "
                f"{self.layout.batch[:-1]}: flatten each example"
            )
        return X

    def _widths_of(self, X: Array) -> list[int]:
        """The features of an example; and one less, where an entry of ones stands among them."""
        features = X.shape[self.layout.feature_axis]
        return [features, *([features - 1] if self._ones(X) else [])]

    def _ones(self, X: Array) -> bool:
        """Whether X holds the ones that an absorbed bias meets."""
        place = self.layout.bias_place
        if place is None or X.shape[self.layout.feature_axis] < 2:
            return False
        return bool((np.take(X, place, axis=self.layout.feature_axis) == 1).all())

    def _without_ones(self, X: Array, sizes: Sequence[int]) -> Array:
        features, name = X.shape[self.layout.feature_axis], self.found["input"]
        if features == sizes[0]:
            return X
        line = "column" if self.layout.batch == "rows" else "row"
        if features == sizes[0] + 1 and self._ones(X):
            self.notes.append(f"the {self.layout.bias} {line} of {name} holds the ones of the bias")
            kept = self.layout.without_bias
            return X[:, kept] if self.layout.batch == "rows" else X[kept]
        hint = ""
        if features == sizes[0] + 1 and self.layout.absorbs_bias:
            hint = f"; its {self.layout.bias} {line} is not all ones"
        elif X.shape[self.layout.batch_axis] == sizes[0]:
            hint = f"; its transpose would fit: {self.convention.name} keeps one example a {self.layout.batch[:-1]}"
        elif len(sizes) == 2 and features in (sizes[1], sizes[1] + self.layout.absorbs_bias):
            node = self.layout.weights[:-1]
            hint = f"; the weight's transpose would fit: {self.convention.name} keeps one node a {node}"
        raise DataError(
            f"{self.where}: {name} {X.shape} has {counted(features, 'feature')}, and the weights take {sizes[0]}"
            f"{' beside the bias' if self.layout.absorbs_bias else ''}{hint}"
        )

    # --- parameters ------------------------------------------------------------------------------

    def _weights(self, X: Array | None) -> dict[str, Array]:
        named = self._layers("weight")
        missing = [layer for layer in range(1, max(named) + 1) if layer not in named]
        if missing:
            raise DataError(f"{self.where} has {', '.join(named.values())}; no {self.convention.weight(missing[0])}")
        weights: dict[str, Array] = {}
        widths = [] if X is None else self._widths_of(X)
        for layer, name in named.items():
            W = self._finite(name)
            if is_vector(W.shape):
                # the weights of one output may be any vector
                fit = [n for n in widths if W.size == n + self.layout.absorbs_bias]
                if W.ndim < 2 and X is None:
                    fit = [W.size - self.layout.absorbs_bias]
                W = W.reshape(self.layout.weight_shape(fit[0], 1)) if fit else W
            if W.ndim != 2:
                raise DataError(f"{self.where}: {name} has shape {W.shape}; a weight is a matrix")
            weights[self.convention.weight(layer)] = W
            widths = [W.shape[1 - self.layout.node_axis]]
        return weights

    def _with_biases(self, weights: dict[str, Array], sizes: Sequence[int]) -> dict[str, Array]:
        if self.layout.bias != "separate":
            return weights
        parameters: dict[str, Array] = {}
        for layer, (name, W) in enumerate(weights.items(), start=1):
            bias = self.found.get(f"bias:{layer}")
            if bias is None:
                hint = "; where the ones stand in X and the bias in W, it is cs231n-bias-trick" if layer == 1 else ""
                raise DataError(f"{self.where} has no bias b{layer} beside {name}{hint}")
            b, out = self._finite(bias), sizes[layer]
            if b.size != out or not is_vector(b.shape):
                raise DataError(
                    f"{self.where}: {bias} has shape {b.shape}; {name} {W.shape} has {out} nodes as "
                    f"{self.convention.name} keeps it: expected ({out},), (1, {out}) or ({out}, 1)"
                )
            parameters |= {name: W, f"b{layer}": b.reshape(self.layout.bias_shape(out))}
        return parameters

    def _agree(self, parameters: dict[str, Array], sizes: Sequence[int]) -> None:
        """Raise where the file packs the parameters too, and packs others."""
        if "packed" in self.found:
            packed = self.convention.pack(parameters, sizes)
            if not np.array_equal(packed, self._vector("packed")):
                raise DataError(
                    f"{self.where}: {self.found['packed']} is not {', '.join(parameters)} as {self.convention.name} "
                    "packs them; leave one of the two out"
                )

    def _sizes_of(self, packed: Array, X: Array | None) -> tuple[int, ...]:
        """The widths that a packed vector has, which X, the labels and its length tell."""
        name = self.found["packed"]
        if self.told is not None:
            needed = sum(map(size_of, self.convention.shapes(self.told).values()))
            if needed != packed.size:
                raise DataError(
                    f"{self.where}: {name} packs {packed.size} parameters, and {self.convention.name} packs {needed} "
                    f"of a {'-'.join(map(str, self.told))} network"
                )
            return self.told
        if X is None:
            raise DataError(f"{self.where}: the sizes of {name} are not told by its length; give --sizes 400,25,10")
        bias = int(self.layout.bias != "none")
        solutions: list[tuple[int, ...]] = []
        inputs = [n] if (n := self._number("width:0")) else self._widths_of(X)
        for n_in in inputs:
            if packed.size == n_in + bias:
                return (n_in, 1)
            for outputs in self._output_counts(X):
                hidden, rest = divmod(packed.size - outputs * bias, n_in + bias + outputs)
                if packed.size == outputs * (n_in + bias):
                    solutions.append((n_in, outputs))
                elif not rest and hidden > 0 and self._number("width:1") in (None, hidden):
                    solutions.append((n_in, hidden, outputs))
        if len(solutions) == 1:
            return solutions[0]
        if packed.size == X.shape[self.layout.feature_axis] and self.layout.absorbs_bias:
            column = "column" if self.layout.batch == "rows" else "row"
            reason = (
                f"one for each feature of {self.found['input']} {X.shape}, whose {self.layout.bias} {column} is not "
                f"all ones; {self.convention.name} keeps the bias {self.layout.bias}"
            )
        elif solutions:
            reason = f"it may be a network {' or '.join('-'.join(map(str, widths)) for widths in solutions[:4])}"
            reason += "; give the widths of the layers, as in --sizes 400,25,10"
        else:
            reason = (
                f"with {self.found['input']} {X.shape} and the labels that are there, that is no network of one hidden "
                "layer; give the widths of the layers, as in --sizes 400,25,10"
            )
        raise DataError(f"{self.where}: {name} packs {packed.size} parameters: {reason}")

    def _output_counts(self, X: Array) -> list[int]:
        """How many outputs the targets may belong to."""
        outputs = self._number("width:-1")
        if outputs:
            return [outputs]
        Y, count = self.arrays.get(self.found.get("target", "")), X.shape[self.layout.batch_axis]
        if Y is None or Y.size != count:
            return [Y.size // count] if Y is not None and count and not Y.size % count else [1]
        if Y.dtype.kind not in "buif" or not count or (np.floor(Y) != Y).any() or Y.min() < 0:
            return [1]
        highest = int(Y.max())
        from_one = Y.min() >= 1
        several = [highest] if from_one else [highest + 1]
        return several if highest > 1 else sorted({1, *several})

    # --- gradients -------------------------------------------------------------------------------

    def _gradients(self, parameters: dict[str, Array]) -> dict[str, Array] | Array | None:
        named: dict[str, Array] = {}
        for name, parameter in parameters.items():
            kind = "weight" if self.convention.names.is_weight(name) else "bias"
            layer = int(re.sub(r"\D", "", name))
            own = self.found.get(f"{kind}-gradient:{layer}")
            if own is not None:
                gradient = self._as_it_is(own)
                fits = gradient.size == parameter.size and _squeezed(gradient.shape) == _squeezed(parameter.shape)
                named[name] = gradient.reshape(parameter.shape) if fits else gradient
        packed = self._as_it_is(self.found["packed-gradient"]).ravel() if "packed-gradient" in self.found else None
        if not named:
            return packed
        if missing := [name for name in parameters if name not in named]:
            first = missing[0]
            raise DataError(
                f"{self.where} has {', '.join(self.arrays)}; no gradient of {', '.join(missing)}: name it d{first} or "
                f"{first}_grad, or pack all as grad"
            )
        if packed is not None:
            shapes = {name: array.shape for name, array in named.items()}
            own_shapes = {name: array.shape for name, array in parameters.items()}
            if shapes != own_shapes or not np.array_equal(self.convention.pack(named), packed):
                raise DataError(
                    f"{self.where}: {self.found['packed-gradient']} is not the gradient per parameter as "
                    f"{self.convention.name} packs it; leave one of the two out"
                )
        return named


def _squeezed(shape: Iterable[int]) -> Shape:
    return tuple(s for s in shape if s != 1)
