"""The benchmarks compute what they time, and time all of it; how long it takes is not asserted."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import bracketing, contest, floors, gradients, nets, start_up
from tests.benchmarks.contest import Case, Contender, WrongResultError
from tests.benchmarks.hand_written.outward import Outward
from tests.benchmarks.memory import peak_bytes
from tests.benchmarks.nets import Net
from tests.benchmarks.peers import installed
from tests.benchmarks.timing import Timing, interleaved
from tests.benchmarks.tiny import CASES, NETS, SIGMOID


@pytest.fixture(autouse=True)
def _no_peers(monkeypatch, request):
    """Peers take seconds to load and compile: with them only where a test asks for those that are installed."""
    if "with_peers" not in request.fixturenames:
        for package in installed.PEERS:
            monkeypatch.setitem(sys.modules, package, None)


@pytest.fixture(autouse=True)
def _no_trials(monkeypatch):
    """Which way is fastest decides no result."""
    for module in (floors, gradients.by_hand):
        monkeypatch.setattr(module, "fastest", lambda ways: next(iter(ways)))


@pytest.fixture
def with_peers():
    if all(installed.missing(package) for package in installed.PEERS):
        pytest.skip("no peer is installed")


@pytest.mark.parametrize("name", CASES)
def test_all_contenders_compute_one_thing(name):
    case = CASES[name]()
    assert contest.compare(case) == {}
    kinds = [c.kind for c in case.contenders]
    assert kinds[0] == "floor"
    assert "ours" in kinds


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_so_do_the_peers_that_are_installed(name, with_peers):
    contest.compare(CASES[name]())


# --- wrong results ---------------------------------------------------------------------------------


def _case(*more: Contender) -> Case:
    floor = Contender("floor", "floor", lambda: None)
    return Case("tiny", (floor, Contender("ours", "ours", lambda: {"a": np.arange(3.0)}), *more))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"a": np.arange(3.0) * 1.001}, r"tiny: wrong: a differs from ours by 0\.002, over the 4\.4e-12"),
        ({"a": np.array([0.0, np.nan, 2.0])}, r"differs from ours by nan"),
        ({"a": np.arange(4.0)}, r"wrong: a is \(4,\) float64, ours is \(3,\) float64"),
        ({"a": np.arange(3.0, dtype=np.float32)}, r"\(3,\) float32, ours is \(3,\) float64"),
        ({"b": np.arange(3.0)}, r"tiny: wrong: has no a, only b"),
    ],
)
def test_a_wrong_contender_is_not_timed(wrong, message):
    calls = []

    def call():
        calls.append(1)
        return wrong

    with pytest.raises(WrongResultError, match=message):
        contest.rows(_case(Contender("wrong", "by hand", call)), 0.0)
    assert len(calls) == 1


def test_a_wrong_gradient_by_hand_is_found(monkeypatch):
    right = gradients.by_hand.in_fewest_calls

    def wrong(net: Net, *data):
        run = right(net, *data)
        return lambda: {name: 1.001 * gradient for name, gradient in run().items()}

    monkeypatch.setattr(gradients.by_hand, "in_fewest_calls", wrong)
    with pytest.raises(WrongResultError, match=r"sigmoid f64: NumPy, fewest calls: W1 differs"):
        contest.compare(gradients.case(SIGMOID))


# --- rows ------------------------------------------------------------------------------------------


def test_rows_hold_ratios_to_the_floor_and_to_the_fastest_rivals(monkeypatch):
    seconds = {"floor": 1.0, "ours": 3.0, "slow hand": 4.0, "hand": 2.0, "peer": 6.0, "its products": 0.5}
    monkeypatch.setattr(
        contest, "interleaved", lambda calls, _, clock: {n: Timing(np.full(5, seconds[n])) for n in calls}
    )
    answer = {"a": np.arange(3.0)}
    case = _case(
        Contender("slow hand", "by hand", lambda: answer),
        Contender("hand", "by hand", lambda: answer, facts={"operations": 7}),
        Contender("peer", "peer", lambda: answer),
        Contender("its products", "products", lambda: None),
        contest.skipped("absent", "absent is not installed"),
    )
    rows = {row["contender"]: row for row in contest.rows(replace(case, examples=1000, beyond="floor"), 0.0)}
    assert rows["ours"] == {
        "case": "tiny",
        "contender": "ours",
        "kind": "ours",
        "ms": 3000.0,
        "µs / example": 3000.0,
        "ms beyond floor": 2000.0,
        "÷ floor": 3.0,
        "÷ by hand": 1.5,
        "÷ peer": 0.5,
        "÷ peer's products": 6.0,
        "rounds": 5,
    }
    assert rows["hand"]["operations"] == 7
    assert rows["absent"] == {
        "case": "tiny",
        "contender": "absent",
        "kind": "skipped",
        "note": "skipped: absent is not installed",
    }


def test_data_keep_clear_of_the_kinks_where_rounding_decides():
    net = Net("wide f32", 512, (20, 64, 64, 3), "relu", np.float32)
    params, X, _ = net.data()
    assert not nets._near_a_kink(net, params, X).any()
    drawn = np.random.default_rng(1).normal(size=(10_000, 20)).astype(np.float32)
    assert nets._near_a_kink(net, params, drawn).any()


def test_data_are_the_same_numbers_in_both_layouts():
    (params, X, y), (turned, XT, yT) = (NETS[0].data(layout) for layout in (nets.ROWS, nets.COLUMNS))
    assert np.array_equal(X, XT.T)
    assert np.array_equal(y, yT)
    network = NETS[0].network(nets.COLUMNS)
    assert {n: a.shape for n, a in turned.items()} == network.shapes()
    assert all(np.array_equal(params[n].T.reshape(a.shape), a) for n, a in turned.items())
    assert network.value(turned, XT, yT) == pytest.approx(NETS[0].network().value(params, X, y))


def test_contenders_take_turns():
    seen: list[str] = []
    times = interleaved({"one": lambda: seen.append("one"), "two": lambda: seen.append("two")}, 0.0)
    assert times["one"].ratio(times["one"]) == 1.0
    assert times["one"].rounds.size == times["two"].rounds.size >= 5
    turns = [name for name, before in zip(seen, [None, *seen], strict=False) if name != before]
    assert len(turns) >= 6, "each round starts with another one, so a turn may span two rounds"


def test_ratios_are_paired_by_rounds():
    disturbed = np.array([1.0, 1.0, 9.0, 9.0, 9.0])
    assert Timing(2 * disturbed).ratio(Timing(disturbed)) == 2.0
    assert Timing(disturbed + 1).beyond(Timing(disturbed)) == 1.0
    assert Timing(np.array([18.0])).ratio(Timing(disturbed)) == 2.0, "too slow to take turns: the medians"


def test_what_is_slow_is_called_once(monkeypatch):
    monkeypatch.setattr(contest, "SLOW", -1.0)
    calls = []
    case = _case(Contender("slow", "peer", lambda: calls.append(1) or {"a": np.arange(3.0)}))
    rows = contest.rows(case, 0.0)
    assert calls == [1]
    assert [row["rounds"] for row in rows[1:]] == [1, 1]


# --- peers -----------------------------------------------------------------------------------------


def test_missing_peers_are_named():
    notes = {c.name: c.facts["note"] for c in gradients.case(NETS[0]).contenders if c.kind == "skipped"}
    assert notes == {name: f"skipped: {name} is not installed" for name in ("torch", "jax", "autograd", "sklearn")}
    skipped = [c.name for c in start_up.imports("import jacobians").contenders if c.kind == "skipped"]
    assert skipped == ["import torch", "import jax", "import autograd"]


def test_what_a_peer_itself_misses_is_named(monkeypatch, tmp_path):
    (tmp_path / "half_installed.py").write_text("import nothing_like_it")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed.missing("half_installed") == "half_installed needs nothing_like_it, which is not installed"


@pytest.mark.parametrize("package", installed.PEERS)
def test_peers_answer_what_the_table_says(package):
    path = Path(installed.__file__).with_name(f"{package}_peer.py")
    functions = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert {name for name in functions if not name.startswith("_")} - {"data", "output", "loss"} == set(
        installed.PEERS[package]
    )


# --- counts ----------------------------------------------------------------------------------------


def test_peak_memory_of_a_call():
    assert 8_000_000 <= peak_bytes(lambda: np.ones(10**6)) < 8_100_000

    def more_on_the_way() -> float:
        first, second = np.ones(10**6), np.ones(10**6)
        return float(first[0] + second[0])

    assert 16_000_000 <= peak_bytes(more_on_the_way) < 16_100_000


@pytest.mark.parametrize("widths", [(6, 5, 2, 7), (3, 9, 1, 8, 4, 6), (500, 20, 500, 20, 500)])
def test_the_optimum_is_brute_force(widths):
    def all_costs(first: int, last: int) -> list[int]:
        if first == last:
            return [0]
        return [
            left + right + widths[first] * widths[last + 1] * (2 * widths[k + 1] + 1)
            for k in range(first, last)
            for left in all_costs(first, k)
            for right in all_costs(k + 1, last)
        ]

    assert bracketing.optimum(widths)[0] == min(all_costs(0, len(widths) - 2))


@pytest.mark.parametrize("start", range(5))
def test_operations_by_example_are_those_performed(start):
    counted = []

    class Counting(Outward):
        def _times(self, T, W):
            if T is not None:
                counted.append(2 * T.shape[0] * T.shape[1] * T.shape[2] * W.shape[1])
            return super()._times(T, W)

    way = Counting(*Outward.parts(NETS[0]), start)
    N, D, K = NETS[0].examples, NETS[0].widths[0], NETS[0].widths[-1]
    assert way().shape == (N, K, D)
    joined = 2 * N * D * NETS[0].widths[start] * K if 0 < start < 4 else 0
    assert way.operations == sum(counted) + joined
