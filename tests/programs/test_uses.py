"""How a program's text uses its names."""

from __future__ import annotations

import ast

import pytest

from jacobians.programs.uses import Uses, uses_of


def _uses(text: str) -> Uses:
    return uses_of(ast.parse(text), text)


@pytest.mark.parametrize(
    "text",
    [
        "P[range(N), y] -= 1",
        "for x, i in zip(xs, y): E[i] += x",
        "for t, i in enumerate(reversed(y)): x[i] = 1",
        "np.take_along_axis(P, y[:, None], axis=1)",
        "i = y[n]\nE[i] += 1",
    ],
)
def test_names_from_which_indices_are_taken(text: str) -> None:
    assert "y" in _uses(text).indices


def test_names_that_are_only_numbers_are_no_indices() -> None:
    assert not {"W", "y"} & _uses("Z = X @ W\nL = ((Z - y) ** 2).sum()").indices


def test_what_a_function_tells_of_its_arguments() -> None:
    found = _uses('def f(x, w):\n    N, T, D = x.shape\n    return np.einsum("ntd,dk->ntk", x, w) @ w.T')
    assert found.ranks == {"f:x": 3, "f:w": 2, "x": 3}
    assert found.letters == {"f:x": "ntd", "f:w": "dk"}
    assert found.arrays >= {"f:x", "f:w"}
    assert found.functions == {"f"}


def test_letters_that_differ_between_einsums_tell_nothing() -> None:
    assert _uses('def f(x):\n    return np.einsum("ij->i", x) + np.einsum("ab->b", x)').letters == {}


def test_sizes_that_are_written() -> None:
    assert _uses("W = np.zeros((4, 12))\nhidden = 9\nnp.log(5)\nb = np.ones(1)").fixed == {4, 12, 9}


def test_the_numbers_of_weights() -> None:
    assert _uses("Z1 = X @ W1\nZ2 = Z1 @ W3").layers == (1, 3)
    assert not _uses("Z = X @ W").numbered
