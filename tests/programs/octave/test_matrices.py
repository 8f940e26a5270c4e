"""Octave's matrices and functions, beside definitions by loops and numbers from Octave itself."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.programs.values import LimitError, Limits, ProgramError
from tests.programs.octave_programs import PROGRAMS
from tests.programs.octave_run import run


def value(text: str, name: str = "x") -> np.ndarray:
    names, unread = run(text)
    assert not unread
    return np.atleast_2d(names[name])


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("x = (1:4)([1; 2]);", (1, 2)),
        ("x = (1:4)'([1 2]);", (2, 1)),
        ("x = magic_(4)([1 2; 3 4]);", (2, 2)),
        ("A = ones(3, 4); x = A(A > 0);", (12, 1)),
        ("r = 1:4; x = r(r > 2);", (1, 2)),
        ("A = ones(3, 4); x = A([]);", (0, 0)),
        ("x = ones(3, 4)(:);", (12, 1)),
        ("x = zeros(0, 3); x = [x; 1 2 3];", (1, 3)),
        ("x = sum(ones(3, 4));", (1, 4)),
        ("x = sum(1:4);", (1, 1)),
        ("x = sum([]);", (1, 1)),
        ("x = max(zeros(3, 4), [], 2);", (3, 1)),
        ("x = find([0 1 1]);", (1, 2)),
        ("x = find([0; 1; 1]);", (2, 1)),
        ("x = ones(2, 3, 2)(:, :, 1);", (2, 3)),
        ("x = repmat([1 2], 3, 2);", (3, 4)),
        ("x = 1:0;", (1, 0)),
        ("x = []; x(2:end, :) = -1;", (0, 1)),
        ("x = []; x(:, 2:end) = -1;", (1, 0)),
        ("x = zeros(0, 3); x(2:end, :) = -1;", (0, 3)),
    ],
)
def test_shapes_are_octaves(text: str, shape: tuple[int, int]) -> None:
    names = "function m = magic_(n)\nm = ones(n);\nend\n"
    assert value(names + text).shape == shape


def test_entries_stand_column_by_column() -> None:
    assert value("A = [1 2; 3 4]; x = A(:)';").tolist() == [[1, 3, 2, 4]]
    assert value("x = reshape(1:6, 2, []);").tolist() == [[1, 3, 5], [2, 4, 6]]


def test_a_mask_stays_one_and_counts_as_numbers_in_sums() -> None:
    names, _ = run("m = [1 0 2] > 0; m(2) = 7; n = m + m; d = m - m;")
    assert names["m"].dtype == bool
    assert names["n"].tolist() == [[2, 2, 2]]
    assert names["d"].tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = [1 2] + [1 2 3];", "not fit entry by entry|broadcast"),
        ("x = [1 2] * [1 2];", r"operator \*: matrices of 1x2 and 1x2 have no product"),
        ("a = 1:3; x = a(0);", r"index \(0\): the first entry is 1"),
        ("a = 1:3; x = a(5);", "index 5 is out of a matrix of 1x3"),
        ("a = 1:3; x = a(1.5);", "an index is no whole number"),
        ("x = [1 2; 3];", "matrices of 1x2 and 1x1 do not go one above the other"),
        ("x = ones(2); x(1:2) = [1 2 3];", "X has 3 entries, and 2 are set"),
        ("error('a');", "raises an error of its own"),
    ],
)
def test_what_octave_refuses_is_refused(text: str, message: str) -> None:
    with pytest.raises((ProgramError, ValueError), match=message):
        run(text)


@pytest.mark.parametrize(
    "text",
    [
        "x = zeros(1e9);",
        "x = 1:1e12;", "x = kron(ones(999), ones(999));", "x = []; x(1e9) = 1;", "x = repmat(1, 1e5, 1e5);",
        "x = ones(1e5, 1) + ones(1, 1e5);", "x = zeros(0, 1e9);", "while true, end", "f = @(f) f(f); f(f);",
        "x = eye(1e5);",
        "x = inv(ones(1000));", "x = diag(ones(1, 1e5));", "x = 1; while true, x = [x x]; end",
        "x = zeros(0, 9); for i = 1:60, x = [x x]; end",
    ],
)  # fmt: skip
def test_what_is_too_large_or_too_long_stops_at_a_limit(text: str) -> None:
    with pytest.raises(LimitError):
        run(text, limits=Limits(steps=20_000, seconds=1.0))


def test_a_program_of_a_course_gives_the_slope_of_its_cost() -> None:
    names, unread = run(PROGRAMS["a cost function with packed weights"])
    assert not unread
    assert names["close_enough"].all()


def test_the_exercise_of_week_4_is_the_product_of_matrices() -> None:
    rng = np.random.default_rng(0)
    m, n, h, k = 5, 3, 4, 2
    given = {
        "m": float(m), "X": rng.random((m, n + 1)), "H": rng.random((m, h + 1)), "O": rng.random((m, k)),
        "Y": rng.random((m, k)), "W2": rng.random((k, h + 1)), "W1_grad": np.zeros((h, n + 1)),
        "W2_grad": np.zeros((k, h + 1)),
    }  # fmt: skip
    lines = (
        "for i = 1:m\n xi = X(i, :); hi = H(i, :); d3 = O(i, :) - Y(i, :);\n"
        " W2_grad = W2_grad + bsxfun(@times, hi, transpose(d3));\n back = sum(bsxfun(@times, W2, transpose(d3)));\n"
        " d2 = (hi .* (1 - hi)) .* back; d2 = d2(2:end);\n W1_grad = W1_grad + bsxfun(@times, xi, transpose(d2));\nend"
    )
    names, unread = run(lines, given)
    assert not unread
    delta = given["O"] - given["Y"]
    hidden = (delta @ given["W2"] * given["H"] * (1 - given["H"]))[:, 1:]
    np.testing.assert_allclose(names["W2_grad"], delta.T @ given["H"], rtol=1e-12)
    np.testing.assert_allclose(names["W1_grad"], hidden.T @ given["X"], rtol=1e-12)
