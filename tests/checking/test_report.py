"""The outcome: a table within 80 columns, escaped HTML, plain numbers; progress where someone looks."""

import io
import json

import numpy as np
import pytest

from jacobians.checking import check_gradient
from jacobians.checking.by_entry import Reporter
from jacobians.checking.complex_step import ComplexStep
from jacobians.checking.numerical import Calls, Probe
from jacobians.checking.trees import Tree, leaves_of, place_of

LONG = "a_rather_long_name_of_a_parameter_that_would_not_fit_in_the_table_<b>"


@pytest.fixture(scope="module")
def check():
    x = {LONG: np.arange(12.0).reshape(3, 2, 2) + 0.5, "b": np.ones(1)}
    return check_gradient(
        lambda p: float((p[LONG] ** 2).sum() - p["b"][0]), lambda p: {LONG: 2.1 * p[LONG], "b": -np.ones(1)}, x
    )


def test_the_table_is_aligned_within_80_columns(check):
    lines = str(check).splitlines()
    assert lines[0] == "gradient check: FAIL"
    assert all(len(line) <= 80 for line in lines)
    rows = [line for line in lines if line.endswith(("WRONG", "ok"))]
    assert len(rows) == 2
    assert rows[0].index("WRONG") == rows[1].index("ok")
    assert "they differ by" in str(check)
    assert repr(check).startswith("<GradientCheck: fail: a_rather_long")


def test_html_is_escaped(check):
    html = check._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>]" not in html
    assert html.count("<tr>") == 3


def test_to_dict_is_json(check):
    found = json.loads(json.dumps(check.to_dict()))
    assert found["verdict"] == "fail"
    assert found["parameters"][0]["difference"] == pytest.approx(check.parameters[0].difference)
    assert found["evaluations"] == check.evaluations > 0


def test_the_outcome_is_frozen_and_true_only_if_it_passed(check):
    assert not check
    with pytest.raises(AttributeError):
        check.verdict = "pass"


def test_progress_is_told():
    seen = []
    check_gradient(lambda x: float(x @ x), lambda x: 2 * x, np.ones(4), progress=lambda *done: seen.append(done))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(("terminal", "later"), [(True, True), (True, False), (False, True)])
def test_progress_needs_a_terminal_and_two_seconds(monkeypatch, terminal, later):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr("sys.stderr", stream)
    reporter = Reporter(True)
    if later:
        reporter._start -= 3
        reporter._last -= 3
    reporter(5, 10)
    reporter.close()
    assert ("5 of 10 entries" in stream.getvalue()) == (terminal and later)


def test_trees_are_packed_and_rebuilt():
    x = {"W": np.ones((2, 2), np.float32), "rest": (np.arange(3.0), [np.array(7.0)])}
    tree = Tree.of(x, "test")
    assert tree.names == ("W", "rest[0]", "rest[1][0]")
    assert tree.resolution == np.finfo(np.float32).eps
    flat = tree.pack([leaf for _, leaf in leaves_of(x)])
    again = tree.rebuild(tree.arrays(flat))
    assert isinstance(again["rest"], tuple)
    assert again["W"].dtype == np.float32
    assert again["rest"][1][0] == 7.0
    assert tree.leaf_of(5) == 1
    assert place_of(5 - tree.offsets[1], tree.shapes[1]) == (1,)
    assert tree.leaf_of(7) == 2
    assert place_of(0, tree.shapes[2]) == ()


def probe_of(fun):
    tree = Tree.of(np.array([0.3, -0.7]), "test")
    return Probe(Calls(fun, "fun"), tree, np.array([0.3, -0.7]))


@pytest.mark.parametrize(
    ("fun", "admitted"),
    [
        (lambda x: (np.sin(x) ** 2).sum(), True),
        (lambda x: np.abs(x).sum(), False),
        (lambda x: float(np.sin(x[0])), False),
        (lambda x: np.maximum(x, 0).sum(), True),
    ],
)
def test_the_complex_step_is_admitted_where_it_agrees(fun, admitted):
    probe = probe_of(fun)
    found = ComplexStep(probe, np.random.default_rng(0)).derivative(probe.coordinate(0))
    assert (found is not None) == admitted
