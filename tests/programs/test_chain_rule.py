"""The derivatives of all arrays by the chain rule: what a slip is sought with, in few runs of the program."""

from __future__ import annotations

from functools import cache
from unittest.mock import patch

import numpy as np
import pytest

from jacobians.programs import audit_program, study
from jacobians.programs.adjoints import Chain, gradient_of, slope_of
from jacobians.programs.judge import read_program
from jacobians.programs.reference import derivative
from jacobians.programs.source import read_source
from jacobians.programs.study import Settings, Study, followed
from jacobians.programs.subject import Subject
from jacobians.programs.uses import uses_of

LOOP = """
def net(W1, W2, X, Y):
    loss, dW1, dW2 = 0.0, np.zeros(W1.shape), np.zeros(W2.shape)
    for x, y in zip(X, Y):
        a1 = np.tanh(x @ W1)
        a2 = a1 @ W2
        loss += 0.5 * np.sum((a2 - y) ** 2)
        d2 = a2 - y
        d1 = W2 @ d2
        dW2 += np.outer(a1, d2)
        dW1 += np.outer(x, d1)
    return loss, dW1, dW2
"""
OCTAVE = """
function [J, grad] = cost(theta, X, y)
  A = [X(:, 2:end), X(:, 1)];
  h = sigmoid(A * theta);
  h(1) = h(2) * h(1);
  J = -sum(log(h)) / size(X, 1) + norm(theta)^2;
  grad = A' * h;
end
"""
MEMORY = """
def net(W, b, V, X, Y):
    A = np.zeros((len(X), W.shape[1]))
    for i, x in enumerate(X):
        A[i] = x @ W
    A += b
    H = np.maximum(A, 0.1 * A) ** 2 / 3 - A
    Q = H.reshape(-1, H.shape[1])
    P = Q @ V
    P[:, 0] *= 0.5
    E = P - Y
    loss = 0.0
    for e in E:
        loss += np.sum(e[[0, 1, 0]] ** 2) + np.concatenate([e, e[:1]]).mean() + sum(k for k in e)
    dW = X.T @ H
    db = H.sum(axis=0)
    return loss, dW, db
"""
LAYER = """
def softmax_forward(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    return s, s

def softmax_backward(ds, cache):
    s = cache
    dx = s * (1 - s) * ds
    return dx
"""
CACHES = """
def net(W1, W2, X, Y):
    A1, cache1 = sigmoid(W1 @ X)
    A2, cache2 = tanh(W2 @ A1)
    loss = np.sum((A2 - Y) ** 2)
    dW2 = np.sum(A2)
    return loss, dW2
"""


@cache
def study_of(text: str, name: str) -> Study:
    source = read_source(text, name)
    (found,) = read_program(source, uses_of(source.tree, text), Settings()).studies
    return found


@pytest.mark.parametrize(
    ("text", "name"), [(OCTAVE, "cost.m"), (MEMORY, "net.py"), (LAYER, "layer.py"), (CACHES, "caches.py")]
)
def test_the_chain_rule_gives_what_differences_give(text: str, name: str) -> None:
    found = study_of(text, name)
    chain = followed(found)
    for claim in found.claims:
        wanted = derivative(found.subject, found.loss, claim.origin, found.base, found.values, most=3).value
        known = np.isfinite(wanted)
        np.testing.assert_allclose(gradient_of(chain, claim.origin)[known], wanted[known], rtol=1e-7, atol=1e-8)
    arrays = [e for e in found.run.events if chain.trusted.get(e.index) and np.size(e.copy) > 1]
    assert len(arrays) > 1
    for event in arrays[-3:]:
        where = found.subject, found.loss, found.base
        np.testing.assert_allclose(
            slope_of(*where, chain, event), slope_of(*where, Chain(), event), rtol=1e-6, atol=1e-8
        )


def test_a_wrong_derivative_of_the_chain_rule_is_not_believed() -> None:
    found = study_of(MEMORY, "net.py")
    chain = followed(found)
    event = next(e for e in found.run.events if e.key == "H")
    where = found.subject, found.loss, found.base
    right = slope_of(*where, chain, event)
    wrong = Chain({event.index: chain.marks[event.index] + 1e-4 * np.eye(*event.copy.shape)})
    np.testing.assert_allclose(slope_of(*where, wrong, event), right, rtol=1e-6, atol=1e-8)
    assert wrong.trusted == {event.index: False}


def test_the_search_for_a_slip_in_a_loop_takes_few_runs() -> None:
    count = 0
    run = Subject.run

    def counted(of: Subject, *args: object, **keywords: object) -> object:
        nonlocal count
        count += 1
        return run(of, *args, **keywords)  # type: ignore[arg-type]

    with patch.object(Subject, "run", counted), patch.object(study, "derivative", side_effect=derivative) as each:
        found = audit_program(LOOP, "net.py")
    assert found.first_wrong_line == 9
    assert found.entries[0].faults[0].should_be == "d1 = W2 @ d2 * (1 - a1 ** 2)"
    # entry by entry the derivatives alone took some 300 runs more
    assert each.call_count == 0
    assert count < 200
