"""Lists of gradients that are returned belong to lists of parameters by name, by shapes or by place; or it is said."""

from __future__ import annotations

import pytest

from jacobians.programs.audit import audit_program

NET = """
import numpy as np

class Net:
    def __init__(self, sizes):
        self.W = [np.random.randn(i, o) for i, o in zip(sizes[:-1], sizes[1:])]
        self.b = [np.zeros(o) for o in sizes[1:]]

    def loss(self, X, y):
        acts = [X]
        for w, b in zip(self.W, self.b):
            acts.append(np.tanh(acts[-1] @ w + b))
        loss = ((acts[-1] - y) ** 2).sum()
        d = 2 * (acts[-1] - y)
        gW, gb = [], []
        for i in reversed(range(len(self.W))):
            d = d * (1 - acts[i + 1] ** 2)
            gW.insert(0, acts[i].T @ d)
            gb.insert(0, d.sum(0))
            d = d @ self.W[i].T
        return loss, gW, gb
"""


def test_lists_that_a_method_returns_are_judged_on_the_lines_that_fill_them() -> None:
    found = audit_program(NET, "net.py")
    assert found.summary == "net.py: right (6 of 6 gradients right)"
    assert [(g.name, g.line) for g in found.gradients] == [
        *((f"gW[{k}]", 18) for k in range(3)),
        *((f"gb[{k}]", 19) for k in range(3)),
    ]


@pytest.mark.slow
def test_a_wrong_list_is_wrong_by_its_place() -> None:
    named = NET.replace("gW", "first").replace("gb", "second").replace(".sum(0)", ".sum()")
    verdicts = {g.name: g.verdict for g in audit_program(named, "net.py").gradients}
    assert verdicts == {**{f"first[{k}]": "right" for k in range(3)}, **{f"second[{k}]": "wrong" for k in range(3)}}


def test_lists_with_other_names_or_turned_round_belong_by_their_places() -> None:
    assert audit_program(NET.replace("gW", "first").replace("gb", "second"), "net.py").verdict == "right"
    turned = NET.replace(".insert(0, ", ".append(").replace("gW, gb\n", "gW[::-1], list(reversed(gb))\n")
    assert audit_program(turned, "net.py").verdict == "right"


def test_what_belongs_to_no_list_is_said() -> None:
    found = audit_program(NET.replace("loss, gW, gb", "loss, gW, some[1:]").replace("gb", "some"), "net.py")
    assert found.summary == "net.py: right (3 of 3 gradients right, not judged: Net.loss)"
    assert "part 3 of what it returns may be a list of gradients, and fits no list of parameters" in " ".join(
        str(found).split()
    )
    alone = (
        NET.replace("loss, gW, gb", "loss, some")
        .replace("gb", "gc")
        .replace("gW", "some")
        .replace("reversed(range(len(self.W)))", "(2, 1)")
    )
    found = audit_program(alone, "net.py")
    assert found.verdict == "not judged"
    assert "such as --wrt some[0]=W[0]" in " ".join(str(found).split())
    assert audit_program(alone, "net.py", wrt={"some[0]": "W[1]", "some[1]": "W[2]"}).verdict == "right"


def test_a_list_of_expressions_belongs_to_the_list_that_is_unpacked() -> None:
    text = """
def loss_and_grads(params, X, y):
    W, b = params
    e = X @ W + b - y
    return 0.5 * np.sum(e ** 2), [X.T @ e, e.sum(0)]
"""
    assert audit_program(text, "pair.py").summary == "pair.py: right (2 of 2 gradients right)"


def test_a_list_of_losses_is_none_of_gradients() -> None:
    found = audit_program(
        NET.replace("loss, gW, gb", "loss, gW, gb, losses").replace(
            "gW, gb = ", "losses = [1.0, 2.0, 3.0]\n        gW, gb = "
        ),
        "net.py",
    )
    assert found.summary == "net.py: right (6 of 6 gradients right)"
