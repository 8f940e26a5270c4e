"""`Identity`: one line of a printed table, as NumPy would write it, and the proof of it in 50 digits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

from tests.differentiation.in_digits import STEP, Matrix, digits_of_agreement, formula, mp

Form = Literal["gradient", "differential", "entries", "jacobian", "hessian"]
Structure = Literal["", "symmetric", "coordinates", "diagonal", "toeplitz", "symmetric toeplitz", "positive"]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One printed identity.

    Attributes
    ----------
    number : str
        Of the equation in its source.
    value : str
        What is differentiated.
    wrt : str
        The names that move, separated by spaces.
    printed : str
        The printed right side. In a differential dX is that of X; an entry has the indices i, j, k, l, m, n.
    form : str
        "gradient" in the shape of X; "differential"; "entries" of the array of all partial derivatives; "jacobian" of
        vec Y by vec X, and "hessian", both stacked by columns.
    read : str or None
        What the library is asked to differentiate where its reader wants other words; "" where it cannot read it.
    graph : str
        The same by operations of the library: matrix is jac.matrix.
    indices : str
        Of an entry: those of the value, a comma, those of X.
    where : mapping of str to str
        What else stands in the printed side.
    shapes : mapping
        Of names; the others follow from the expression.
    symmetric : str
        Names of symmetric matrices.
    structure : str
        Of X: "symmetric" moves it among symmetric matrices; "coordinates" by its entries on and below the diagonal.
    right : str
        The right formula where the printed one is wrong.
    note : str
    """

    number: str
    value: str
    wrt: str
    printed: str
    form: Form = "gradient"
    read: str | None = None
    graph: str = ""
    indices: str = "kl,ij"
    where: Mapping[str, str] = field(default_factory=dict)
    shapes: Shapes = field(default_factory=dict)
    symmetric: str = ""
    structure: Structure = ""
    right: str = ""
    note: str = ""

    @property
    def expression(self) -> str:
        """What the library reads, or "" where it cannot."""
        return self.value if self.read is None else self.read

    # --- the proof -------------------------------------------------------------------------------

    def digits(self, printed: str, shapes: Shapes, *, points: int, seed: int = 0) -> int:
        """In how many digits a right side agrees with differences of the value, at so many random points."""
        return min(self._agreement(printed, shapes, random.Random(f"{seed} {number}")) for number in range(points))

    def _agreement(self, printed: str, shapes: Shapes, rng: random.Random) -> int:
        point = {name: self._drawn(name, shape, rng) for name, shape in shapes.items()}
        names = self.wrt.split()
        if self.form == "entries":
            return min(digits_of_agreement(*pair) for pair in self._entries(printed, point, rng))
        moves = {name: self._direction(shapes[name], rng) for name in names}
        if self.form == "hessian":
            (name,) = names
            other = self._direction(shapes[name], rng)
            truth = self._second_difference(point, name, moves[name], other)
            hessian = self._printed(printed, point)
            if isinstance(hessian, Matrix):
                return digits_of_agreement(truth, _column(moves[name]).T @ (hessian @ _column(other)))
            return digits_of_agreement(truth, moves[name] * hessian * other)
        truth = self._difference(point, moves)
        claimed = self._printed(printed, {**point, **{f"d{name}": move for name, move in moves.items()}})
        if self.form == "gradient":
            (name,) = names
            claimed = self._applied(claimed, moves[name], truth)
        elif self.form == "jacobian":
            (name,) = names
            claimed, truth = claimed @ _column(moves[name]), _column(truth)
            claimed = claimed if isinstance(claimed, Matrix) else Matrix([[claimed]])
        return digits_of_agreement(truth, claimed)

    def _printed(self, text: str, names: Mapping[str, Any]) -> Any:
        known = dict(names)
        for name, definition in self.where.items():
            known[name] = formula(definition, known)
        return formula(text, known)

    def _applied(self, gradient: Any, move: Any, truth: Any) -> Any:
        """Σ gᵢⱼ dᵢⱼ, over the entries that are the coordinates of a structured matrix."""
        if not isinstance(move, Matrix):
            return gradient * move
        assert not isinstance(truth, Matrix)
        if not isinstance(gradient, Matrix):
            gradient = move * 0 + gradient
        assert gradient.shape == move.shape, "the printed gradient has another shape than X"
        rows, columns = move.shape
        places = [(i, j) for i in range(rows) for j in range(columns)]
        if self.structure == "coordinates":
            places = [(i, j) for i, j in places if i >= j]
        elif self.structure == "diagonal":
            assert all(gradient[i, j] == 0 for i, j in places if i != j)
        elif self.structure == "toeplitz":
            places = [(i, j) for i, j in places if 0 in (i, j)]
        elif self.structure == "symmetric toeplitz":
            places = [(i, 0) for i in range(rows)]
        return mp.fsum(gradient[i, j] * move[i, j] for i, j in places)

    def _difference(self, point: Mapping[str, Any], moves: Mapping[str, Any]) -> Any:
        ends = [
            formula(self.value, {**point, **{name: point[name] + sign * STEP * move for name, move in moves.items()}})
            for sign in (1, -1)
        ]
        return (ends[0] - ends[1]) / (2 * STEP)

    def _second_difference(self, point: Mapping[str, Any], name: str, one: Any, other: Any) -> Any:
        ends = {
            (s, t): formula(self.value, {**point, name: point[name] + STEP * (s * one + t * other)})
            for s, t in product((1, -1), repeat=2)
        }
        return (ends[1, 1] - ends[1, -1] - ends[-1, 1] + ends[-1, -1]) / (4 * STEP**2)

    def _entries(self, printed: str, point: Mapping[str, Any], rng: random.Random) -> Iterator[tuple[Any, Any]]:
        """All partial derivatives by three entries of X, by differences and as they are printed."""
        of, by = self.indices.split(",")
        rows, columns = point[self.wrt].shape
        for place in rng.sample([*product(range(rows), range(columns))], 3):
            move = Matrix([[mp.mpf((i, j) == place) for j in range(columns)] for i in range(rows)])
            truth = self._difference(point, {self.wrt: move})
            for where in product(*map(range, truth.shape)):
                names = {**dict(zip(by, place, strict=True)), **dict(zip(of, where, strict=True))}
                claimed = self._printed(printed, {**point, **names, f"d{self.wrt}": move})
                yield truth[where], claimed[where] if isinstance(claimed, Matrix) else claimed

    def _drawn(self, name: str, shape: tuple[int, ...], rng: random.Random) -> Any:
        if shape == ():
            return mp.mpf(rng.uniform(0.2, 1.0))
        rows, columns = shape
        drawn = Matrix([[mp.mpf(rng.uniform(0.2, 1.0)) for _ in range(columns)] for _ in range(rows)])
        if name == "I":
            return Matrix(mp.eye(rows))
        if rows == columns > 1:
            drawn = drawn + Matrix(mp.diag([rows + k for k in range(rows)]))
        structure = self.structure if name in self.wrt.split() else ""
        if name in self.symmetric.split():
            structure = "symmetric"
        return _structured(drawn, structure)

    def _direction(self, shape: tuple[int, ...], rng: random.Random) -> Any:
        if shape == ():
            return mp.mpf(rng.uniform(-1, 1))
        rows, columns = shape
        move = Matrix([[mp.mpf(rng.uniform(-1, 1)) for _ in range(columns)] for _ in range(rows)])
        return _structured(move, self.structure)


def _structured(A: Matrix, structure: str) -> Matrix:
    rows, columns = A.shape
    kept: dict[str, Callable[[int, int], Any]] = {
        "diagonal": lambda i, j: A[i, j] if i == j else mp.mpf(0),
        "toeplitz": lambda i, j: A[max(i - j, 0), max(j - i, 0)],
        "symmetric toeplitz": lambda i, j: A[abs(i - j), 0],
        **dict.fromkeys(("symmetric", "coordinates"), lambda i, j: A[max(i, j), min(i, j)]),
    }
    if structure not in kept:
        return A
    return Matrix([[kept[structure](i, j) for j in range(columns)] for i in range(rows)])


def _column(of: Any) -> Matrix:
    """Vec, by columns."""
    return Matrix([[a] for a in (of.T if isinstance(of, Matrix) else [of])])
