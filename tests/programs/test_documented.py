"""Shapes that docstrings tell: which argument has which, and what a program is given because of it."""

from __future__ import annotations

import ast

import pytest

from jacobians.programs.audit import audit_program
from jacobians.programs.documented import documented_kinds, documented_shapes, usual_size


@pytest.mark.parametrize(
    ("docstring", "shapes"),
    [
        ("- X: A numpy array of shape (N, D) of data.\n- y: labels, shape (N,)", {"X": ("N", "D"), "y": ("N",)}),
        ("X -- data of size (input size, number of examples)", {"X": ("input size", "number of examples")}),
        ("X (N, D), y (N,): what comes in", {"X": ("N", "D"), "y": ("N",)}),
        ("X (np.ndarray): the data", {}),
        ("X and y, of shape (N,)", {"y": ("N",)}),
        ("X: input data (see below, if any)", {}),
        ("X: inputs of shape (N, d_1, ..., d_k)", {}),
    ],
)
def test_shapes_by_the_docstring(docstring, shapes):
    (function,) = ast.parse(f"def f(X, y):\n    {docstring!r}").body
    assert isinstance(function, ast.FunctionDef)
    assert documented_shapes(function) == shapes


def test_usual_sizes():
    sizes = {"examples": 7, "features": 4, "outputs": 3, "hidden": 5}
    found = [usual_size(symbol, **sizes) for symbol in ("N", "D", "C", "n_h", "12", "T")]
    assert found == [7, 4, 3, 5, 12, None]


MIXTURE = '''
def nll(logits, means, X):
    """logits (K,), means (K, D), X (N, D)"""
    far = ((X[:, None, :] - means[None, :, :]) ** 2).sum(axis=2)
    joint = logits - np.log(np.exp(logits).sum()) - 0.5 * far
    both = np.log(np.exp(joint).sum(axis=1))
    loss = -both.sum()
    dlogits = len(X) * np.exp(logits) / np.exp(logits).sum() - np.exp(joint - both[:, None]).sum(axis=0)
    return loss, dlogits
'''


def test_a_program_is_given_what_its_docstring_tells():
    found = audit_program(MIXTURE, "mixture.py")
    assert (found.verdict, found.entries[0].data) == ("right", "logits (3,), means (3, 4), X (7, 4)")


EMBEDDING = """
def embedding_loss(x, W, mask, y):
    \'\'\'
    - x: Integer array of shape (N, T) giving indices of words.
    - W: Weights of shape (V, D), one row for each word.
    - mask: Boolean array of shape (N, T).
    - y: Targets of shape (N, T, D).
    \'\'\'
    E = (W[x] - y) * mask[:, :, None]
    dW = np.zeros_like(W)
    np.add.at(dW, x, E)
    return 0.5 * np.sum(E ** 2), dW
"""


def test_whole_numbers_and_truths_are_told_as_shapes_are():
    (function,) = ast.parse(EMBEDDING).body
    assert documented_kinds(function) == {"x": "whole", "mask": "truth"}
    found = audit_program(EMBEDDING, "embedding.py")
    assert [(g.name, g.verdict, g.line) for g in found.gradients] == [("dW (line 11)", "right", 11)]
    assert audit_program(EMBEDDING.replace("np.add.at(dW, x, E)", "dW[x] += E"), "embedding.py").verdict == "wrong"
