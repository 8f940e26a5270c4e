"""The benchmarks compute what they time, and time all of it; how long it takes is not asserted."""

from __future__ import annotations

import pytest

from tests.benchmarks import gradients
from tests.benchmarks.nets import NETS, Net
from tests.benchmarks.timing import interleaved


@pytest.mark.parametrize("net", [n for n in NETS if n.examples < 10], ids=lambda n: n.name)
def test_all_contenders_have_one_gradient(net):
    assert list(gradients.contenders(net))[:2] == ["product floor", "NumPy by hand"]


def test_a_wrong_contender_is_not_timed(monkeypatch):
    right = gradients.by_hand.gradient

    def wrong(net: Net, *data):
        run = right(net, *data)
        return lambda: {name: 1.001 * gradient for name, gradient in run().items()}

    monkeypatch.setattr(gradients.by_hand, "gradient", wrong)
    with pytest.raises(AssertionError, match=r"d: .* Network.gradient: W1"):
        gradients.contenders(NETS[4])


def test_contenders_take_turns():
    seen: list[str] = []
    times = interleaved({"one": lambda: seen.append("one"), "two": lambda: seen.append("two")}, 0.0)
    assert times["one"].ratio == 1.0
    assert times["one"].samples == times["two"].samples >= 5
    turns = [name for name, before in zip(seen, [None, *seen], strict=False) if name != before]
    assert len(turns) >= 6, "each round starts with another one, so a turn may span two rounds"
