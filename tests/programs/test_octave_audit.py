"""Whole Octave files, judged: right, and wrong with the line and what it should be."""

from __future__ import annotations

import pytest

from jacobians.programs.audit import audit_program

COST = """
function [J, grad] = cost(theta, X, y)
  m = size(X, 1);
  h = 1 ./ (1 + exp(-X * theta));
  J = -1/m * (y' * log(h) + (1 - y)' * log(1 - h));
  grad = X' * (h - y) / m;
end
"""
FRAGMENT = """
for i = 1:m
    xi = X(i, :);
    hi = H(i, :);
    d3 = O(i, :) - Y(i, :);
    W2_grad = W2_grad + bsxfun(@times, hi, transpose(d3));
    back = sum(bsxfun(@times, W2, transpose(d3)));
    d2 = (hi .* (1 - hi)) .* back;
    d2 = d2(2:end);
    W1_grad = W1_grad + bsxfun(@times, xi, transpose(d2));
end
"""


def test_a_right_cost_function_is_right() -> None:
    found = audit_program(COST, "cost.m")
    assert found.verdict == "right"


def test_a_wrong_line_is_named_with_what_it_should_be_in_octave() -> None:
    found = audit_program(COST.replace(" / m;", ";"), "cost.m")
    assert (found.verdict, found.first_wrong_line) == ("wrong", 6)
    fault = found.entries[0].faults[0]
    assert fault.should_be == "grad = X' * (h - y) ./ m;"


def test_a_fragment_is_judged_after_a_forward_pass_that_the_report_names() -> None:
    found = audit_program(FRAGMENT, "week.m")
    assert found.verdict == "right"
    assert {name for name, _ in found.assumed} == {"H", "J", "O", "X"}


@pytest.mark.slow
def test_a_wrong_fragment_is_wrong() -> None:
    found = audit_program(FRAGMENT.replace("d2 = d2(2:end)", "d2 = d2(1:end-1)"), "week.m")
    assert found.verdict == "wrong"
    verdicts = {g.name: g.verdict for g in found.entries[0].gradients}
    assert verdicts == {"W2_grad": "right", "W1_grad": "wrong"}
