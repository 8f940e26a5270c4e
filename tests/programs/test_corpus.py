"""The corpus holds what it says: enough programs and slips, every slip applies, and the proof by running sees them."""

from __future__ import annotations

import ast
import sys
from collections import Counter

import pytest

from tests.programs import corpus, python_proof
from tests.programs.cases import programs

PROGRAMS = {program.name: program for program in programs()}


def test_there_are_programs_of_every_kind_with_enough_slips():
    assert len(PROGRAMS) >= 60
    assert Counter(p.language for p in PROGRAMS.values())["m"] >= 15
    assert {p.language for p in PROGRAMS.values()} == {"py", "m", "ipynb"}
    assert [p.name for p in PROGRAMS.values() if not 3 <= len(p.slips) <= 8] == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_slip_applies_and_says_what_it_makes_wrong(name):
    program = PROGRAMS[name]
    known = {gradient for check in program.checks for gradient, _, _ in check.gradients}
    for slip in program.slips:
        code, named = program.slipped(slip)
        assert code != "\n".join(program.lines)
        assert named
        assert slip.wrong
        assert slip.wrong <= known | {"raises"}
        if program.language == "py" and "python" not in program.head:
            ast.parse(code)
        assert program.as_file(code)


def test_the_proof_tells_a_slip_from_the_right_program():
    program = PROGRAMS["two_layer_relu_softmax"]
    right = python_proof.errors_of(program, "\n".join(program.lines))
    assert all(isinstance(error, float) for error in right.values()), right
    assert max(right.values()) < corpus.RIGHT
    (slip,) = (s for s in program.slips if s.kind == "bias-summed-over-all")
    wrong, unclear = corpus.wrong_gradients(python_proof.errors_of(program, program.slipped(slip)[0]))
    assert (wrong, unclear) == ({"b1"}, [])


def test_what_others_left_among_the_builtins_is_not_copied(monkeypatch):
    """doctest leaves the last value that it has shown there, which may be one that cannot be copied."""
    monkeypatch.setattr("builtins.__left__", sys.modules[__name__], raising=False)
    program = PROGRAMS["two_layer_relu_softmax"]
    errors = python_proof.errors_of(program, "\n".join(program.lines))
    assert all(isinstance(error, float) for error in errors.values()), errors


def test_python_2_divides_as_python_2_does():
    program = PROGRAMS["logistic_python2"]
    code = "\n".join(program.lines)
    halves = code.replace("return 1 / (1 + np.exp(-z))", "return (1 / 2 + 1) / (1 + np.exp(-z))")
    for text in (code, halves):
        errors = python_proof.errors_of(program, text)
        assert all(isinstance(error, float) for error in errors.values()), errors
        assert max(errors.values()) < corpus.RIGHT


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_right_and_its_slips_are_wrong(name):
    assert corpus.complaints(PROGRAMS[name]) == []
