"""Random graphs: every Jacobian and view equals its dense twin, whatever the order, the path or the sweep."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.testing import assert_graph_laws
from jacobians.testing.random_graphs import random_graph
from tests.figures import graphs


@pytest.mark.parametrize("start", range(0, 40, 10))
def test_random_graphs(start: int) -> None:
    for seed in range(start, start + 10):
        case = random_graph(seed)
        try:
            assert_graph_laws(case, case.arrays, np.random.default_rng(seed), twins=case.twins)
        except Exception as error:
            error.add_note(f"seed {seed}\n{case}")
            raise


@pytest.mark.parametrize(
    "seed",
    [
        44,  # by several inputs, in F order
        116,  # rows that cancel, whose inner products are rounding alone
        375,  # an input of no axes, which the law of purity once gave an axis
        7897,  # a float32 norm of 1e-25, whose square is below the smallest number
        890,  # a derivative that is left of two that are 10¹² times as large
    ],
)
def test_graphs_that_were_once_misjudged(seed: int) -> None:
    case = random_graph(seed)
    assert_graph_laws(case, case.arrays, np.random.default_rng(seed), twins=case.twins)


def test_the_shorter_program_is_the_beginning_of_the_longer() -> None:
    short, long = random_graph(3, 5, "float64"), random_graph(3, 9, "float64")
    assert [s.text for s in short.steps] == [s.text for s in long.steps[:5]]
    assert str(long).startswith(str(short))


def test_the_figure_counts_what_it_checks() -> None:
    result = graphs.measure(seeds=range(12))
    assert sum(row["graphs"] for row in result["kinds"].values()) == 12
    assert not result["failures"]
    assert "12 graphs" in graphs.report(result)
