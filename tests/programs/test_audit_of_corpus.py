"""A slice of the corpus under `audit_program`: right programs are right, slips are found on their lines."""

from __future__ import annotations

import pytest

from tests.figures.programs import outcome
from tests.programs.cases import programs

PROGRAMS = {program.name: program for program in programs()}
RIGHT = (
    "dlai_logistic", "eleven_lines", "likelihood_ascent", "logistic_python2", "one_hot_bias_trick", "ridge_regression",
    "sine_polynomial", "softmax_derivative_batch", "softmax_vectorised", "svm_vectorised",
)  # fmt: skip
SLIPS = (
    ("ridge_regression", "scale-half"),
    ("eleven_lines", "wrong-activation-derivative"),
    ("sine_polynomial", "wrong-cache"),
)


@pytest.mark.parametrize("name", RIGHT)
def test_right_programs_are_right(name):
    found = outcome(PROGRAMS[name], None)
    assert found.verdict == "right", found.words
    assert found.judged >= len(PROGRAMS[name].checks[0].gradients)


@pytest.mark.parametrize(("name", "kind"), SLIPS)
def test_slips_are_found_on_their_lines(name, kind):
    slip = next(s for s in PROGRAMS[name].slips if s.kind == kind)
    found = outcome(PROGRAMS[name], slip)
    assert found.verdict == "wrong"
    assert found.exact, f"line {found.first} is called wrong: {found.words}"


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_right_line_is_called_wrong(name):
    found = outcome(PROGRAMS[name], None)
    assert found.wrong == (), found.words
