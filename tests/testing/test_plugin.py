"""The `gradcheck` fixture, which the installed package registers with pytest."""

import numpy as np
import pytest

from jacobians.testing.plugin import gradcheck  # noqa: F401  # also where the package is not installed


def test_a_right_gradient_passes_and_returns_the_report(gradcheck):  # noqa: F811
    result = gradcheck(lambda x: float(x @ x), lambda x: 2 * x, np.arange(3.0))
    assert result.verdict == "pass"


def test_a_wrong_gradient_fails_with_the_report(gradcheck):  # noqa: F811
    with pytest.raises(pytest.fail.Exception, match="gradient check: FAIL"):
        gradcheck(lambda x: float(x @ x), lambda x: 3 * x, np.arange(3.0))
