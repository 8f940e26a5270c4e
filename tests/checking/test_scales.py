"""Steps follow each entry and the function's own scale; where they do not suit it, nobody is blamed for it."""

import numpy as np
import pytest

from jacobians.checking import check_gradient
from jacobians.checking.numerical import Calls, Probe
from jacobians.checking.trees import Tree

X = np.linspace(0.3, 2.0, 5)
TIMES = np.linspace(0, 1e6, 30)
COUNTS = 900 * np.exp(-2.2e-6 * TIMES) + 5 * np.sin(TIMES)
SECONDS = np.linspace(0, 5e-6, 40)
VOLTS = 1 - np.exp(-SECONDS / 1e-6)


def waves(s):
    return lambda p: float(np.sin(p / s).sum()), lambda p: np.cos(p / s) / s, s.copy()


def decay(p):
    return float(((p[0] * np.exp(-p[1] * TIMES) - COUNTS) ** 2).sum())


def decay_slopes(p):
    e = np.exp(-p[1] * TIMES)
    r = p[0] * e - COUNTS
    return np.array([2 * (r * e).sum(), -2 * (r * p[0] * TIMES * e).sum()])


def circuit(p):
    return float(((1 - np.exp(-SECONDS / (p[0] * p[1])) - VOLTS) ** 2).sum())


def circuit_slopes(p):
    e = np.exp(-SECONDS / (p[0] * p[1]))
    common = -2 * ((1 - e - VOLTS) * e * SECONDS).sum() / (p[0] * p[1])
    return common / p


UNLIKE = {
    "1e-8 beside 1": waves(np.array([1e-8, 1.0])),
    "20 over 1e±8": waves(10.0 ** np.random.default_rng(0).uniform(-8, 8, 20)),
    "120 over 1e±8": waves(10.0 ** np.random.default_rng(1).uniform(-8, 8, 120)),
    "1e-160 beside 1e160": waves(np.array([1e-160, 1e160, 1e150])),
    "a decay fit": (decay, decay_slopes, np.array([900, 2.2e-6])),
    "an RC circuit": (circuit, circuit_slopes, np.array([1.1e3, 1.2e-9])),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_entries_of_unlike_scale_in_one_array(name):
    fun, grad, x = UNLIKE[name]
    check = check_gradient(fun, grad, x)
    assert check, str(check)
    for factor in (0, 2, -1, 1.001):
        wrong = check_gradient(fun, lambda p, k=factor: k * grad(p), x)
        assert wrong.verdict == "fail"
        assert f"{x.size} of {x.size} entries differ" in wrong.reasons[0]


@pytest.mark.parametrize("name", UNLIKE)
def test_each_of_them_counts_on_its_own(name):
    fun, grad, x = UNLIKE[name]
    for entry in range(min(x.size, 3)):
        wrong = check_gradient(fun, lambda p, i=entry: grad(p) * (1 + 0.01 * (np.arange(p.size) == i)), x)
        assert wrong.verdict == "fail"
        assert wrong.parameters[0].index == (entry,)
        assert wrong.parameters[0].wrong == 1


def test_along_directions_too():
    fun, grad, x = UNLIKE["120 over 1e±8"]
    assert check_gradient(fun, grad, x, directions=9)
    assert check_gradient(fun, lambda p: 1.001 * grad(p), x, directions=9).verdict == "fail"


@pytest.mark.parametrize(
    ("x", "scale"),
    [
        ([1e-8, 1.0, 2.0], [1e-8, np.sqrt(5 / 3), 2.0]),
        ([0.01, 1.0, 2.0], [np.sqrt(5.0001 / 3), np.sqrt(5.0001 / 3), 2.0]),
        ([0.0, 0.0], [1.0, 1.0]),
        ([1e-6, *[1.0] * 49], [np.sqrt(49 / 50)] + [1.0] * 49),
        ([1e200, 1e200], [1e200, 1e200]),
    ],
)
def test_an_entry_is_measured_by_its_array_unless_they_are_unlike(x, scale):
    x = np.array(x)
    probe = Probe(Calls(np.sum, "fun"), Tree.of(x, "test"), x)
    assert probe.scale == pytest.approx(scale, rel=1e-6)


@pytest.mark.parametrize("frequency", [1e4, 1e6, 1e8])
@pytest.mark.parametrize("directions", [None, 9])
def test_a_function_that_repeats_itself_within_the_usual_steps(frequency, directions):
    def fun(x):
        return float(np.sin(frequency * x).sum())

    def grad(x):
        return frequency * np.cos(frequency * x)

    assert check_gradient(fun, grad, X, directions=directions)
    for factor in (0, 2, -1, 1.05):
        wrong = check_gradient(fun, lambda x, k=factor: k * grad(x), X, directions=directions)
        assert wrong.verdict == "fail"
        worst = wrong.parameters[0]
        assert worst.expected == pytest.approx(grad(X)[worst.index], rel=1e-2)


@pytest.mark.parametrize("factor", [0, 1, 2, -1])
def test_one_that_repeats_itself_within_every_step_is_left_open(factor):
    check = check_gradient(
        lambda x: float(np.sin(1e12 * x).sum()), lambda x: factor * 1e12 * np.cos(1e12 * x), X, complex_step=False
    )
    assert check.verdict == "inconclusive"


@pytest.mark.parametrize("size", [5, 120])
@pytest.mark.parametrize("directions", [None, 9])
def test_small_fast_waves_on_a_slope(size, directions):
    """Their slope is ten times the slope, and no usual step sees it."""

    def fun(x):
        return float((x + 1e-6 * np.sin(1e7 * x)).sum())

    x = np.linspace(0.3, 2.0, size)
    assert check_gradient(fun, lambda x: 1 + 10 * np.cos(1e7 * x), x, directions=directions)
    assert check_gradient(fun, np.ones_like, x, directions=directions).verdict == "fail"


@pytest.mark.parametrize("grad", [lambda v: np.zeros(1), lambda v: -2e8 * (v - 1) * np.exp(-1e8 * (v - 1) ** 2)])
def test_a_peak_that_is_narrower_than_the_steps(grad):
    """At all usual steps the function is 0, and so is its slope there."""
    check = check_gradient(lambda v: float(np.exp(-1e8 * (v - 1) ** 2).sum()), grad, np.array([1.00005]))
    assert (check.verdict == "pass") == bool(grad(np.array([1.00005])).any())


def test_a_minimum_at_which_x_rounds():
    """Steps ahead and back are equally long to the bit, else f″ times their difference is a slope."""
    for x in (np.ones(3), np.array([0.1, 0.7, 1e3])):
        check = check_gradient(lambda v, x=x: float(((v - x) ** 2).sum()), lambda v, x=x: 2 * (v - x), x)
        assert check, str(check)
        assert check_gradient(lambda v, x=x: float(((v - x) ** 2).sum()), lambda v, x=x: 2 * (v - x), x, directions=5)


def test_a_reference_that_contradicts_itself_blames_nobody(monkeypatch):
    """Where the second reference is another one than the first, there is none."""
    import jacobians.checking.verdict as module

    def elsewhere(probe, line, first):
        found = whole(probe, line, first)
        off = 1.0 if first not in usual else 0.0
        return type(found)(found.value + off, found.error, found.reach)

    whole, usual = module.band, module.bands(np.finfo(float).eps)
    monkeypatch.setattr(Probe, "finer", lambda self, line: [])
    monkeypatch.setattr(module, "band", elsewhere)
    check = check_gradient(lambda v: float(np.tanh(v).sum()), lambda v: 0 * v, X, complex_step=False)
    assert check.verdict == "inconclusive"
    assert check.reasons == (
        "x: 5 of 5 entries have no reference: the function is too noisy, jumps, or is not defined on both sides of x",
    )


# --- smaller ------------------------------------------------------------------------------------------------------


def test_entries_that_differ_are_counted_once():
    check = check_gradient(lambda v: float((v**2).sum()), lambda v: 2 * v + 1, np.linspace(1, 2, 108))
    assert "; 108 of 108 entries differ" in check.reasons[0]


def test_longdouble_arguments_are_not_written():
    x = np.ones(3, np.longdouble)
    assert check_gradient(lambda v: (v**2).sum(), lambda v: 2 * v, x)
    assert check_gradient(lambda v: (v**2).sum(), lambda v: 3 * v, x).verdict == "fail"

    def writes(v):
        v[0] = -0.0
        return 2 * v

    assert "grad writes its input x" in check_gradient(lambda v: (v**2).sum(), writes, 0 * x).reasons


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "fun returns None, expected a number: is its return missing?"),
        (3 + 0j, "fun returns complex numbers (3+0j at x), expected real ones; return their .real"),
        (np.ones(1) * 1j, "fun returns complex numbers (0+1j at x), expected real ones; return their .real"),
        (np.array("three"), "fun returns dtype <U5, expected real numbers"),
    ],
)
def test_what_is_no_real_number_is_called_so(value, text):
    check = check_gradient(lambda v: value, lambda v: 2 * v, X)
    assert (check.verdict, check.reasons) == ("inconclusive", (text,))


def test_a_value_that_is_complex_beside_x_is_none():
    check = check_gradient(
        lambda v: np.emath.sqrt(v - 0.3).sum(), lambda v: 0.5 / np.sqrt(v - 0.3 + 1e-300), X, protocol=False
    )
    assert check.verdict == "inconclusive"
    assert "1 of 5 entries have no reference" in check.reasons[0]


def test_a_constant_gradient_is_not_told_a_cache_for_sure():
    check = check_gradient(lambda v: float((v**2).sum()), lambda v: np.full(3, 2.0), np.ones(3))
    assert check.verdict == "fail"
    assert "it does not depend on x, or comes from a stale cache" in check.reasons[0]
