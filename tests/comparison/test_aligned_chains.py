"""Chains of several conventions side by side: factor by factor, each with its step, and gaps."""

import itertools

import numpy as np

from jacobians import Convention, Layout, all_conventions
from jacobians.comparison import compare

RNG = np.random.default_rng(5)
X, LABELS = RNG.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])


def formulas(*conventions, sizes=(4, 5, 3), **options):
    return compare(conventions, X, LABELS, sizes=sizes, **options).formulas


def texts(rows):
    return [[cell and cell.text for cell in row.cells] for row in rows]


def test_chains_are_aligned_factor_by_factor_with_gaps():
    found = formulas("ng-ml-2011", "cs231n").parameters["Theta1"]
    assert found.names == ("Theta1", "W1")
    assert [row.label for row in found.factors] == [
        "∂loss/∂losses",
        "∂losses/∂Z3, ∂losses/∂Z2",
        "∂Z3/∂A2, ∂Z2/∂A1",
        "∂A2/∂Z2",  # the selection, which the other has not
        "∂A2/∂Z2, ∂A1/∂Z1",
        "∂Z2/∂Theta1, ∂Z1/∂W1",
        "∂Z2/∂Theta1",
    ]
    assert texts(found.factors) == [
        ["(1 / m) 1ᵀ", "(1 / N) 1ᵀ"],
        ["⊕ₙ(A₃ − Y)ₙᵀ", "⊕ₙ(P − Y)ₙᵀ"],
        ["(Θ₂ ⊗ I₆)", "(I₆ ⊗ W₂ᵀ)"],
        ["Sᵀ", None],
        ["diag(vec σ′(Z₂))", "diag(vec σ′(Z₁))"],
        ["(I₅ ⊗ A₁)", "(X ⊗ I₅)"],
        ["K₅,₅", None],
    ]
    assert [row.differs for row in found.factors] == [False, False, True, True, False, True, True]


def test_steps_stand_beside_the_factors_that_they_pass():
    found = formulas("ng-ml-2011", "cs231n", l2=0.1).parameters["Theta2"]
    rules = [[cell and cell.rule for cell in row.cells] for row in found.steps]
    assert rules == [
        ["where 1 / m enters", "where 1 / N enters"],
        ["one loss per example", "one loss per example"],
        ["vec trick", "vec trick"],
        ["commutation", None],
        ["the weight of each example", None],
        ["regulariser", "regulariser"],
    ]
    assert [row.differs for row in found.steps] == [False, False, True, True, True, True]


def test_a_chain_in_denominator_layout_stands_beside_one_in_numerator_layout():
    layout = Layout(weights="rows", bias="first")
    pair = [Convention(d, layout.replace(derivative=d), reduction="mean") for d in ("numerator", "denominator")]
    found = formulas(*pair).parameters["W1"]
    assert [row.label for row in found.factors] == [
        *("∂loss/∂losses", "∂losses/∂Z2", "∂Z2/∂A1", "∂Z2/∂A1", "∂A1/∂Z1", "∂Z1/∂W1", "∂Z1/∂W1")
    ]
    assert texts(found.factors) == [
        ["(1 / N) 1ᵀ", "(1 / N) 1"],
        ["⊕ₙ(P − Y)ₙᵀ", "⊕ₙ(P − Y)ₙ"],
        ["(I₆ ⊗ W₂)", "(I₆ ⊗ W₂ᵀ)"],
        ["Sᵀ", "S"],
        ["diag(vec σ′(Z₁))", "diag(vec σ′(Z₁))"],
        ["([1 X] ⊗ I₅)", "([1 X]ᵀ ⊗ I₅)"],
        ["K₅,₅", "K₅,₅"],
    ]


def test_every_factor_of_every_preset_is_in_its_place():
    """Read down a column: the factors of that convention's own chain, and their sizes fit together."""
    found = formulas(*(c.name for c in all_conventions()))
    for parameter in found.parameters.values():
        for place, name in enumerate(parameter.names):
            own = [row.cells[place] for row in parameter.factors if row.cells[place] is not None]
            if name is None:
                assert not own
                continue
            chain = found.derivations[place][name].chain
            backwards = chain.right.derivative == "denominator"
            written = [cell.text for cell in (reversed(own) if backwards else own)]
            assert chain.text.endswith(" = " + " ".join(written))
            sizes = [cell.matrix[::-1] if backwards else cell.matrix for cell in own]
            assert sizes[0][0] == 1
            assert all(a[1] == b[0] for a, b in itertools.pairwise(sizes))
            steps = [row.cells[place] for row in parameter.steps if row.cells[place] is not None]
            assert [s.equation.text for s in steps] == [s.equation.text for s in found.derivations[place][name].steps]
