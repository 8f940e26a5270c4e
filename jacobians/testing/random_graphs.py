"""Random forward passes, run twice: on values, and by NumPy alone on complex arrays, for complex steps.

A program is a list of steps; a step names a rule, earlier results, and constants. A rule gives the function that runs
on values and the one that runs on complex arrays; where Python's operators serve both, they are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias, get_args

import numpy as np

from jacobians.arrays import Array
from jacobians.graphs import Value
from jacobians.layout import Bias, Derivative, Layout, Lines, Order
from jacobians.operations import affine, relu, sigmoid, softmax, softplus, square, tanh

__all__ = ["GraphCase", "random_graph"]

_STEP = 1e-30
"""Of the complex step: without subtraction, so it may be as small as one likes."""

_LARGEST = 4.0
"""No result has a larger entry, so that no derivative drowns in another's rounding."""

Rule: TypeAlias = tuple[Callable[..., Any], Callable[..., Any]]
"""What runs on values, and what runs on complex arrays."""


class _Step(NamedTuple):
    """One line of a program."""

    text: str
    operands: tuple[int, ...]
    on_values: Callable[..., Any]
    on_arrays: Callable[..., Any]


class GraphCase(NamedTuple):
    """A forward pass with sharing, as a function of values; and the same by NumPy alone, for complex steps.

    Attributes
    ----------
    arrays : dict of ndarray
        The inputs by name.
    steps : list
        Results are numbered, the inputs first.
    """

    arrays: dict[str, Array]
    steps: list[_Step]

    def __call__(self, *values: Value) -> Value:
        """Return the last of the results that depend on the most inputs."""
        result: Value = self.results(values)[self.furthest]
        return result

    @property
    def furthest(self) -> int:
        """The number of the last of the results that depend on the most inputs."""
        reached: list[set[int]] = [{i} for i in range(len(self.arrays))]
        for step in self.steps:
            reached.append(set().union(*(reached[i] for i in step.operands)))
        return max(range(len(self.arrays), len(reached)), key=lambda place: (len(reached[place]), place))

    def results(self, values: Sequence[Any]) -> list[Any]:
        """Return the inputs and every step's result, as values."""
        results = list(values)
        for step in self.steps:
            results.append(step.on_values(*(results[i] for i in step.operands)))
        return results

    def plain_results(self, arrays: Sequence[Array]) -> list[Array]:
        """Return the same by NumPy alone, of complex arrays."""
        results = list(arrays)
        for step in self.steps:
            results.append(np.asarray(step.on_arrays(*(results[i] for i in step.operands))))
        return results

    @property
    def twins(self) -> dict[str, Array]:
        """By input, the matrix of the result by it in C order, column by column, by complex steps."""
        complexes = {name: a.astype(complex) for name, a in self.arrays.items()}
        found = {}
        for name, array in complexes.items():
            columns = []
            for place in np.ndindex(array.shape):
                moved = array.copy()
                moved[place] += _STEP * 1j
                results = self.plain_results(list({**complexes, name: moved}.values()))
                columns.append(results[self.furthest].imag.ravel() / _STEP)
            found[name] = np.stack(columns, axis=1)
        return found

    def __str__(self) -> str:
        names = [*self.arrays, *(f"v{i}" for i in range(len(self.arrays), len(self.arrays) + len(self.steps)))]
        lines = [f"{n}: {a.shape} {a.dtype}" for n, a in self.arrays.items()]
        for name, step in zip(names[len(self.arrays) :], self.steps, strict=True):
            lines.append(f"{name} = {step.text}({', '.join(names[i] for i in step.operands)})")
        return "\n".join(lines)


# --- what the operations are, written down again -------------------------------------------------------


def _softmax(Z: Array, axis: int) -> Array:
    E: Array = np.exp(Z)
    return E / E.sum(axis=axis, keepdims=True)


def _relu(Z: Array) -> Array:
    return np.where(Z.real > 0, Z, 0)


def _extreme(Z: Array, axis: int | None, which: Any) -> Array:
    if axis is None:
        return np.asarray(Z.ravel()[which(Z.real)])
    return np.take_along_axis(Z, np.expand_dims(which(Z.real, axis=axis), axis), axis).squeeze(axis)


def _norm(Z: Array) -> Array:
    squares = np.asarray((Z * Z).sum())
    return np.sqrt(squares) / 3 if squares.real > 0 else np.asarray(Z.sum())


def _affine(layout: Layout, X: Array, W: Array, b: Array | None = None) -> Array:
    X, W = (X if layout.batch == "rows" else X.T), (W if layout.weights == "columns" else W.T)
    if layout.bias == "first":
        W, b = W[1:], W[0]
    elif layout.bias == "last":
        W, b = W[:-1], W[-1]
    Z: Array = X @ W + (0 if b is None else b.ravel())
    return Z if layout.batch == "rows" else Z.T


def _both(function: Callable[..., Any]) -> Rule:
    return function, function


_UNARY: dict[str, Rule] = {
    "tanh": (tanh, np.tanh),
    "np.tanh": (np.tanh, np.tanh),
    "sigmoid": (sigmoid, lambda Z: 1 / (1 + np.exp(-Z))),
    "exp": (lambda V: np.exp(V * 0.25), lambda Z: np.exp(Z / 4)),
    "softplus": (softplus, lambda Z: np.log(1 + np.exp(Z))),
    "square": (square, lambda Z: Z * Z),
    "cube": (lambda V: V**3, lambda Z: Z**3),
    "relu": (relu, _relu),
    "maximum": (lambda V: np.maximum(V, 0.1), lambda Z: np.where(Z.real > 0.1, Z, 0.1)),
    "abs": (abs, lambda Z: np.where(Z.real < 0, -Z, Z)),
    "negative": (lambda V: -V, lambda Z: -Z),
    "rsub": (lambda V: 1.5 - V, lambda Z: 1.5 - Z),
    "scale": (lambda V: V * 0.7, lambda Z: 0.7 * Z),
    "rdiv": (lambda V: 1.0 / (V * V + 1.0), lambda Z: 1 / (1 + Z**2)),
    "rpow": (lambda V: 1.3**V, lambda Z: np.exp(Z * np.log(1.3))),
    "T": (lambda V: V.T, lambda Z: Z.T),
    "mean": (lambda V: V.mean(), lambda Z: Z.sum() / Z.size),
    "max": (lambda V: V.max(), lambda Z: _extreme(Z, None, np.argmax)),
    "ravel": (lambda V: V.ravel(), lambda Z: Z.ravel()),
    "new axis": (lambda V: V[None], lambda Z: Z[None]),
    "sin": _both(np.sin),
    "arctan": _both(np.arctan),
    "log1p": (lambda V: np.log1p(V * V), lambda Z: np.log(1 + Z * Z)),
    "norm": (lambda V: np.linalg.norm(V) / 3.0 if np.any(V != 0) else V.sum(), _norm),
    "flip": _both(np.flip),
    "roll": _both(lambda V: np.roll(V, 1)),
    "tril": _both(lambda V: np.tril(V) if V.ndim == 2 else V * 1.0),
}


class _Writer:
    """Writes one random program, running it as it goes to know the shapes."""

    def __init__(self, seed: int, size: int, dtype: str) -> None:
        self.rng = np.random.default_rng(seed)
        self.dtype = np.dtype(dtype)
        # what one Jacobian is written in is one thing; where batches, weights and biases lie differs by step
        vec = get_args(Order)[int(self.rng.integers(2))]
        derivative = get_args(Derivative)[int(self.rng.integers(2))]
        self.layouts = [
            Layout(batch, weights, bias, vec, derivative)
            for batch in get_args(Lines)
            for weights in get_args(Lines)
            for bias in get_args(Bias)
        ]
        self.examples, self.width = int(self.rng.integers(1, 5)), int(self.rng.integers(1, 4))
        shapes: list[tuple[int, ...]] = [(self.examples, self.width), (self.width, self.width), (self.width,), ()]
        self.inputs = [self.numbers(*shapes[i]) for i in range(int(self.rng.integers(2, 5)))]
        self.results = [a.astype(complex) for a in self.inputs]
        self.steps: list[_Step] = []
        while len(self.steps) < size:
            kinds = (self.unary, self.two, self.product, self.axis, self.part, self.join, self.layer)
            kinds[int(self.rng.choice(7, p=[0.25, 0.25, 0.15, 0.1, 0.1, 0.05, 0.1]))]()

    def numbers(self, *shape: int) -> Array:
        return np.asarray(self.rng.normal(size=shape)).astype(self.dtype)

    def pick(self, fits: Callable[[Array], bool] = lambda _: True) -> int | None:
        """An earlier result; later ones are picked more often, so that values are shared and paths stay short."""
        places = [i for i, r in enumerate(self.results) if fits(r)]
        if not places:
            return None
        weights = np.arange(1, len(places) + 1) ** 1.5
        return int(self.rng.choice(places, p=weights / weights.sum()))

    def add(self, text: str, operands: tuple[int, ...], on_values: Any, on_arrays: Any) -> None:
        found = np.asarray(on_arrays(*(self.results[i] for i in operands)))
        if 0 < found.size <= 40 and found.ndim < 4 and abs(found).max() < _LARGEST:
            self.steps.append(_Step(text, operands, on_values, on_arrays))
            self.results.append(found)

    # --- one kind of step each ---------------------------------------------------------------------

    def unary(self) -> None:
        name = str(self.rng.choice(list(_UNARY)))
        own = self.pick(lambda r: r.ndim < 3 and r.size > 0)
        assert own is not None
        self.add(name, (own,), *_UNARY[name])

    def two(self) -> None:
        first = self.pick()
        assert first is not None
        shape = self.results[first].shape

        def fits(other: Array) -> bool:
            try:
                np.broadcast_shapes(shape, other.shape)
            except ValueError:
                return False
            return True

        second = self.pick(fits)
        assert second is not None
        mask = self.rng.random(np.broadcast_shapes(shape, self.results[second].shape)) < 0.5
        constant = self.numbers(*shape)
        rules = {
            "+": _both(lambda a, b: a + b),
            "-": _both(lambda a, b: a - b),
            "*": _both(lambda a, b: a * b),
            "/": _both(lambda a, b: a / (b * b + 1.0)),
            "**": (
                lambda a, b: (a * a + 0.5) ** b,
                lambda a, b: np.exp(b * np.log(a * a + 0.5)),
            ),
            "where": _both(lambda a, b: np.where(mask, a, b)),
            "minimum": (np.minimum, lambda a, b: np.where(b.real < a.real, b, a)),
            "+ constant": _both(lambda a, b: constant + a + b),
            "* constant": _both(lambda a, b: constant * b + a),
            "logaddexp": (np.logaddexp, lambda a, b: np.log(np.exp(a) + np.exp(b))),
        }
        name = str(self.rng.choice(list(rules)))
        self.add(name, (first, second), *rules[name])

    def product(self) -> None:
        first = self.pick(lambda r: r.ndim in (1, 2, 3))
        if first is None:
            return
        inner = self.results[first].shape[-1]
        second = self.pick(lambda r: r.ndim in (1, 2) and r.shape[0] == inner)
        if second is not None:
            of_first = "abc"[: self.results[first].ndim - 1]
            subscripts = f"{of_first}x,{'xyz'[: self.results[second].ndim]}"
            rules = {"@": _both(lambda a, b: a @ b), "einsum": _both(lambda a, b: np.einsum(subscripts, a, b))}
            name = str(self.rng.choice(list(rules), p=[0.8, 0.2]))
            self.add(name, (first, second), *rules[name])

    def axis(self) -> None:
        own = self.pick(lambda r: r.ndim > 0)
        if own is None:
            return
        ndim = self.results[own].ndim
        axis, keep = int(self.rng.integers(-ndim, ndim)), bool(self.rng.random() < 0.5)
        both = tuple(range(ndim))[:2]
        rules = {
            "sum": _both(lambda a: a.sum(axis=axis, keepdims=keep)),
            "sum of two": _both(lambda a: a.sum(axis=both, keepdims=keep)),
            "mean": _both(lambda a: a.mean(axis, keepdims=keep)),
            "prod": _both(lambda a: np.prod(a, axis=axis, keepdims=keep)),
            "cumsum": _both(lambda a: np.cumsum(a, axis=axis)),
            "repeat": _both(lambda a: np.repeat(a, 2, axis=axis)),
            "max": (lambda a: a.max(axis), lambda a: _extreme(a, axis, np.argmax)),
            "min": (lambda a: a.min(axis), lambda a: _extreme(a, axis, np.argmin)),
        }
        name = str(self.rng.choice(list(rules)))
        self.add(f"{name} {axis} {keep}", (own,), *rules[name])

    def part(self) -> None:
        own = self.pick(lambda r: r.ndim > 0)
        if own is None:
            return
        shape = self.results[own].shape
        places = self.rng.integers(0, shape[0], size=2)
        mask = self.rng.random(shape) < 0.6
        keys: list[Any] = [
            (..., slice(None, None, -1)),
            slice(0, max(1, shape[0] - 1)),
            int(self.rng.integers(-shape[0], shape[0])),
            (Ellipsis, 0),
            (slice(None), None),
            places,
            mask,
            places[:, None],
        ]
        key = keys[int(self.rng.integers(len(keys)))]
        self.add(f"[{key}]", (own,), *_both(lambda a: a[key]))

    def join(self) -> None:
        own = self.pick(lambda r: 0 < r.ndim < 3)
        if own is None:
            return
        shape = self.results[own].shape
        other = self.pick(lambda r: r.shape == shape)
        assert other is not None
        axis = int(self.rng.integers(-len(shape), len(shape)))
        constant = self.numbers(*shape)
        rules = {
            "concatenate": _both(lambda a, b: np.concatenate([a, constant, b], axis=axis)),
            "stack": _both(lambda a, b: np.stack([a, b], axis=axis)),
        }
        name = str(self.rng.choice(list(rules)))
        self.add(f"{name} {axis}", (own, other), *rules[name])

    def layer(self) -> None:
        """An operation of the library with a layout: an affine map of earlier results, or a softmax."""
        own = self.pick(lambda r: r.ndim == 2 and r.size > 0)
        if own is None:
            return
        layout = self.layouts[int(self.rng.integers(len(self.layouts)))]
        if self.rng.random() < 0.3:
            axis = layout.feature_axis
            self.add(f"softmax {axis}", (own,), lambda a: softmax(a, layout), lambda a: _softmax(a, axis))
            return
        features = self.results[own].shape[layout.feature_axis]
        fitting = [
            i
            for i, r in enumerate(self.results)
            if r.ndim == 2 and r.shape[layout.node_axis] == features + layout.absorbs_bias
        ]
        if not fitting:
            return
        weights = int(self.rng.choice(fitting))
        n_out = self.results[weights].shape[1 - layout.node_axis]
        operands: tuple[int, ...] = (own, weights)
        if layout.bias == "separate":
            allowed = {(n_out,), (1, n_out) if layout.batch == "rows" else (n_out, 1)}
            bias = self.pick(lambda r: r.shape in allowed)
            if bias is None:
                return
            operands = (own, weights, bias)
        self.add(
            f"affine {layout}",
            operands,
            partial(affine, layout=layout),
            partial(_affine, layout),
        )


def random_graph(seed: int, size: int | None = None, dtype: str | None = None) -> GraphCase:
    """Return the program of a seed: 3 to 30 steps, in float32 or float64, unless told otherwise.

    The shorter program of a seed is the beginning of the longer.
    """
    rng = np.random.default_rng((seed, 1))
    drawn = "float32" if rng.random() < 0.25 else "float64"
    writer = _Writer(seed, int(rng.integers(3, 31)) if size is None else size, dtype or drawn)
    return GraphCase({f"v{i}": a for i, a in enumerate(writer.inputs)}, writer.steps)
