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


STRUCTS = """
function [J, grads] = cost(params, X, y)
  A = tanh(X * params.W1);
  E = A * params.W2 - y;
  J = sum(sum(E .^ 2)) / 2;
  grads.W2 = A' * E;
  grads.W1 = X' * ((E * params.W2') .* (1 - A .^ 2));
end
"""
CELLS = """
function [J, gW] = cost(W, X, y)
  a{1} = X;
  for l = 1:numel(W)
    a{l + 1} = tanh(W{l} * a{l});
  end
  d = a{end} - y;
  J = sum(sum(d .^ 2)) / 2;
  gW = cell(size(W));
  for l = numel(W):-1:1
    d = d .* (1 - a{l + 1} .^ 2);
    gW{l} = d * a{l}';
    d = W{l}' * d;
  end
end
"""
STRUCT_OF_CELLS = CELLS.replace("W{l}", "net.W{l}").replace("(W)", "(net.W)").replace("(W,", "(net,")
STRUCT_OF_CELLS = STRUCT_OF_CELLS.replace("gnet.W", "gW")
LAYERS = """
X = rand(10, 4); y = rand(10, 2);
net(1).W = randn(4, 5); net(2).W = randn(5, 2);
A = tanh(X * net(1).W);
E = A * net(2).W - y;
loss = 0.5 * sum(sum(E .^ 2));
grad(2).W = A' * E;
grad(1).W = X' * ((E * net(2).W') .* (1 - A .^ 2));
for i = 1:2
  net(i).W = net(i).W - 0.1 * grad(i).W;
end
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (STRUCT_OF_CELLS, ["gW{1}", "gW{2}", "gW{3}"]),
        (STRUCTS, ["grads.W2", "grads.W1"]),
        (CELLS, ["gW{1}", "gW{2}", "gW{3}"]),
        (LAYERS, ["grad{2}.W", "grad{1}.W"]),
    ],
)
def test_structs_cells_and_arrays_of_structs_hold_parameters_and_gradients(text: str, names: list[str]) -> None:
    found = audit_program(text, "cost.m")
    assert [(g.name, g.verdict) for g in found.gradients] == [(name, "right") for name in names]


def test_what_is_put_into_a_struct_is_wrong_on_its_line() -> None:
    found = audit_program(STRUCTS.replace("= A' * E", "= 2 * A' * E"), "cost.m")
    assert (found.verdict, found.first_wrong_line) == ("wrong", 6)


def test_a_struct_that_would_hold_itself_ends() -> None:
    found = audit_program(STRUCTS.replace("params.W1", "params.params.W1"), "cost.m")
    assert found.verdict == "not judged"
