"""What the report of a comparison says of the numerical check."""

import dataclasses

import numpy as np
import pytest

from jacobians.cli.compare_command import print_report
from jacobians.comparison import compare
from jacobians.data import load_digits


@pytest.mark.parametrize(
    ("verdict", "cell", "line"),
    [
        ("pass", "agrees: off by", "One convention: its gradient passes the numerical check."),
        ("fail", "DIFFERS: off by", "The numerical derivative disagrees with the gradient of cs231n."),
        ("inconclusive", "unclear: off by", "The numerical derivative cannot resolve the gradient of cs231n."),
    ],
)
def test_each_verdict_of_the_numerical_check(capsys, verdict, cell, line):
    data = load_digits()
    batch = data.batch(10, seed=0)
    result = compare(["cs231n"], np.asarray(batch.X) / 16, batch.y, sizes=(64, 3, 10))
    side = result.sides[0]
    changed = dataclasses.replace(side, check=dataclasses.replace(side.check, verdict=verdict))
    result = dataclasses.replace(result, sides=(changed,))
    print_report(result, data, 0, None)
    out = capsys.readouterr().out
    assert cell in out
    assert "(6 directions, resolved" in out
    assert line in " ".join(out.split())
    assert result.agree == (verdict == "pass")
