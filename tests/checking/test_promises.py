"""What values cannot show: each fault gives a verdict in words, and no fault gives none."""

import numpy as np
import pytest

from jacobians.checking import check_gradient, check_jacobian

K = np.arange(12.0).reshape(3, 4)
X = np.random.default_rng(0).normal(size=(3, 4))


def fun(x):
    return float((np.sin(x) * K).sum())


def grad(x):
    return np.cos(x) * K


def writes(x):
    found = grad(x)
    x += 1
    return found


def with_nan(x):
    found = grad(x)
    found[1, 2] = np.nan
    return found


def shared_buffer():
    buffer = np.zeros((3, 4))

    def call(x):
        buffer[:] = grad(x)
        return buffer

    return call


def two_buffers():
    buffers = [np.zeros((3, 4)), np.zeros((3, 4))]

    def call(x):
        buffers.reverse()
        buffers[0][:] = grad(x)
        return buffers[0]

    return call


def accumulates():
    total = np.zeros((3, 4))

    def call(x):
        nonlocal total
        total = total + grad(x)
        return total.copy()

    return call


def stale():
    cache = []

    def call(x):
        cache.append(grad(x))
        return cache[0].copy()

    return call


def random():
    rng = np.random.default_rng(0)
    return lambda x: grad(x) + 1e-3 * rng.normal(size=x.shape)


def raises(x):
    raise KeyError("weights")


FAULTS = [
    (writes, "grad writes its input x"),
    (with_nan, "the gradient is NaN at (1, 2) (1 of 12 entries not finite)"),
    (shared_buffer(), "grad returns a shared buffer: its next call overwrites the earlier result"),
    (two_buffers(), "grad returns a shared buffer: a later call overwrites an earlier result"),
    (accumulates(), "grad gives another result each time: "),
    (random(), "it accumulates or is random"),
    (stale(), "and wrong there: it does not depend on x, or comes from a stale cache"),
    (lambda x: np.full_like(x, grad(X)), "the derivative is the same at x and at another point, and wrong there: "),
    (lambda x: grad(x).astype(np.float32), "the gradient has dtype float32 for float64 arguments: digits are lost"),
    (lambda x: grad(x).astype(np.float16), "the gradient has dtype float16 for float64 arguments: digits are lost"),
    (lambda x: grad(x).astype(int), "the gradient has dtype int64: fractions are cut off, expected float64"),
    (lambda x: grad(x) + 0j, "the gradient has dtype complex128, expected float64"),
    (lambda x: grad(x).T, "the gradient has shape (4, 3), x has (3, 4): it is transposed"),
    (lambda x: grad(x).sum(0), "the gradient has shape (4,), x has (3, 4)"),
    (lambda x: grad(x).tolist(), "the gradient is a Python list, not an array; return np.array(…)"),
    (lambda x: grad(x) if x.flags.c_contiguous else -grad(x), "grad gives another result for strided arrays: "),
    (lambda x: grad(x.ravel("K").reshape(x.shape)), "grad gives another result for F-ordered arrays: "),
    (lambda x: {"x": grad(x)}, "the gradient is a dict where x is an array"),
]


@pytest.mark.parametrize(("wrong", "text"), FAULTS, ids=[text[:40] for _, text in FAULTS])
def test_faults_are_told_in_words(wrong, text):
    check = check_gradient(fun, wrong, X)
    assert check.verdict == "fail"
    assert any(text in reason for reason in check.reasons), check.reasons


def test_a_right_gradient_has_no_faults_and_x_is_not_written():
    kept = X.copy()
    check = check_gradient(fun, grad, X)
    assert check
    assert check.reasons == ()
    assert check.notes == ()
    assert np.array_equal(X, kept)


def test_the_input_returned_as_the_gradient():
    check = check_gradient(lambda x: 0.5 * float((x * x).sum()), lambda x: x, X)
    assert check.reasons == ("grad returns an array that shares memory with its input; return a copy",)


def test_state_between_fun_and_grad():
    kept = {}

    def forward(x):
        kept["x"] = x.copy()
        return fun(x)

    check = check_gradient(forward, lambda x: grad(kept["x"]), X)
    assert "grad depends on earlier calls: " in check.reasons[0]
    assert check.reasons[0].endswith("at the same x; it keeps state")


def test_faults_of_the_function():
    rng = np.random.default_rng(0)
    assert "fun gives another result each time" in check_gradient(lambda x: rng.normal(), grad, X).reasons[0]

    def spoils(x):
        value = fun(x)
        x[0, 0] = 0
        return value

    assert "fun writes its input x" in check_gradient(spoils, grad, X).reasons


def test_what_cannot_be_compared_is_neither_right_nor_wrong():
    shape = check_gradient(lambda x: x, grad, X)
    assert shape.verdict == "inconclusive"
    assert shape.reasons == (
        "fun returns shape (3, 4), expected a scalar; check_jacobian takes arrays, and x has that shape: are the "
        "function and its gradient in each other's place?",
    )
    for functions, name in (((raises, grad), "fun"), ((fun, raises), "grad"), ((raises, None), "fun")):
        check = check_gradient(*functions, X)
        assert check.verdict == "inconclusive"
        assert len(check.reasons) == 1
        assert check.reasons[0].startswith(f"{name} raised KeyError: 'weights' (in raises, test_promises.py line ")
    with np.errstate(invalid="ignore"):
        undefined = check_gradient(lambda x: np.log(x).sum(), lambda x: 1 / x, -np.ones(2))
    assert undefined.verdict == "inconclusive"
    assert undefined.reasons == ("fun is nan at x: nothing can be compared",)


def test_what_is_no_fault_is_noted():
    constant = np.ones((3, 4))
    check = check_gradient(lambda x: float(x.sum()), lambda x: constant, X)
    assert check
    assert check.notes == ("grad returns the same array on every call: who changes it changes all",)

    def needs_writable(x):
        if not x.flags.writeable:
            raise ValueError("buffer source array is read-only")
        return grad(x)

    check = check_gradient(fun, needs_writable, X)
    assert check
    assert check.notes[0].startswith("grad refuses read-only arrays: grad raised ValueError: buffer source array is")


def test_structures_that_do_not_fit():
    x = {"W": X, "b": np.ones(2)}
    assert check_gradient(lambda p: fun(p["W"]), lambda p: {"W": grad(p["W"])}, x).reasons == ("the gradient lacks b",)
    more = check_gradient(lambda p: fun(p["W"]), lambda p: {"W": grad(p["W"]), "c": 1.0}, {"W": X})
    assert more.reasons == ("the gradient has c, which x has not",)
    part = check_gradient(lambda p: fun(p["W"]), lambda p: {"W": grad(p["W"]), "b": np.zeros(3)}, x)
    assert part.reasons == ("the gradient of b has shape (3,), b has (2,)",)


def test_without_the_protocol_the_derivative_is_called_once():
    check = check_gradient(fun, grad, X, protocol=False)
    assert check
    assert check.derivative_evaluations == 1


def test_the_protocol_of_a_jacobian():
    buffer = np.zeros((4, 4))

    def shared(x):
        buffer[:] = np.diag(np.cos(x))
        return buffer

    check = check_jacobian(np.sin, shared, X[0])
    assert "jac returns a shared buffer: its next call overwrites the earlier result" in check.reasons
    check = check_jacobian(np.sin, lambda x: np.full((4, 4), np.inf), X[0])
    assert "the Jacobian is infinite at (0, 0) (16 of 16 entries not finite)" in check.reasons
