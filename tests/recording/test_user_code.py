"""What a user writes is replayed as it is, or refused with the reason and the line: never another number."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import warnings
from collections import OrderedDict, defaultdict, namedtuple
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import Network, replayed
from jacobians.arrays import leaves_of
from jacobians.errors import ArgumentError, RecordingError
from jacobians.recording.tape import Recorded
from tests.recording import fuzz

RNG = np.random.default_rng(0)
NET = Network.dense((4, 3, 2), convention="cs231n", l2=0.1)
X, Y = RNG.normal(size=(5, 4)), np.array([0, 1, 1, 0, 1])
A = np.array([[1.0, 2.0], [3.0, 4.0]])
shared = np.array([1.0, 2.0])


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


# --- refused -----------------------------------------------------------------------------------


def running(X: Any) -> Any:
    total, out = 0.0, []
    for row in X:
        total += row.sum()
        out.append(total)
    return out


def swallowed(X: Any) -> Any:
    try:
        return X * float(X[0, 0])
    except Exception:
        return X


def remembered(X: Any, memory: list[Any] = []) -> Any:  # noqa: B006
    memory.append(X)
    return memory[0] * 2


def random(X: Any) -> Any:
    return X + RNG.normal()


def own_array(X: Any) -> Any:
    out = np.zeros((2, 2))
    out[...] = X
    return out


def by_type(X: Any) -> Any:
    return X * (1 if type(X) is np.ndarray else 2)


def by_class(X: Any) -> Any:
    return X * (1 if isinstance(X, np.ndarray) else 2)


of_thread = local()


def first_of_thread(X: Any) -> Any:
    of_thread.first = getattr(of_thread, "first", X)
    return of_thread.first * 2


calls: list[int] = []


def counted(X: Any) -> Any:
    calls.append(1)
    return 2 * X


REFUSED: dict[str, tuple[Any, str]] = {
    "a counter": (counted, "changes what is around it"),
    "a running sum": (running, r"writes into an array.*total = total \+ row \(.*: total \+= row.sum\(\)\)"),
    "entries by a condition": (lambda v: v[v > 0].sum(), r"selects entries by a condition.*: .*v\[v > 0\]"),
    "isinstance": (by_class, "asks for an array's type, as isinstance does.*isinstance"),
    "type": (by_type, r"by_type calls type\(\), which sees a stand-in"),
    "hasattr": (lambda v: v if hasattr(v, "cumsum") else 2 * v, "numpy.ndarray.cumsum is not known here"),
    "an error that is caught": (swallowed, r"into plain numbers.*: return X \* float\(X\[0, 0\]\)"),
    "text": (lambda v: v * len(f"{v}"), "into plain numbers"),
    "flags": (lambda v: v * v.flags.owndata, "asks for an array's flags"),
    "a memory": (
        remembered,
        "(changes what is around it, such as a counter or a list|kept an array of an earlier run)",
    ),
    "a memory of the thread's": (first_of_thread, r"kept an array of an earlier run.*: return of_thread.first \* 2"),
    "random numbers": (random, "random gives something else when it is replayed: does it draw random numbers"),
    "an array of its own": (own_array, r"into plain numbers.*: out\[...\] = X"),
    "a Jacobian": (lambda v: jac.tanh(v), r"returns a Diagonal, a Jacobian.*return arrays instead"),
    "a generator": (lambda v: (row for row in v), "returns a generator"),
    "a defaultdict": (lambda v: defaultdict(list, v=v), "returns a defaultdict of v"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused_with_the_line(name: str) -> None:
    function, message = REFUSED[name]
    given = A.copy()
    for _ in range(2):
        with pytest.raises(RecordingError, match=f"^replayed: .*{message}"):
            replayed(function)(given)
    np.testing.assert_array_equal(given, A)


class Model:
    @replayed
    def twice(self, x: Any) -> Any:
        """Return it twice."""
        return 2 * x


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arguments_of_other_kinds_are_refused() -> None:
    twice = replayed(lambda x: 2 * x)
    for given, message in (
        (np.matrix(A), r"an argument is an array of shape \(2, 2\) \(matrix\).*pass numpy.asarray"),
        (np.array([None]), r"an argument is an array of shape \(1,\) \(ndarray\)"),
        (defaultdict(list), "an argument is a defaultdict of nothing"),
        (jac.values(x=A)[0], "an argument is a Value"),
        (object(), "an argument is an object; expected arrays, numbers and texts"),
    ):
        with pytest.raises(RecordingError, match=message):
            twice(given)
    with pytest.raises(RecordingError, match=r"an argument is a Model; .*make self.fast = replayed\(self.method\)"):
        Model().twice(A)
    with pytest.raises(ArgumentError, match=r"got an array of shape \(2, 2\); expected a function"):
        replayed(A)  # type: ignore[arg-type]


# --- right -------------------------------------------------------------------------------------


def test_numbers_keep_their_weak_promotion_and_are_part_of_the_recording() -> None:
    step = replayed(lambda x, lr: x * lr)
    x = np.ones(2, np.float32)
    for lr in (0.1, 0.2, 2, True, 0.1):
        assert step(x, lr).dtype == np.float32
        np.testing.assert_array_equal(step(x, lr), x * lr)
    assert step(x, np.float64(0.1)).dtype == np.float64
    assert (step(x, 0.0)[0], str(step(x, -0.0)[0])) == (0.0, "-0.0")


VALUES = {
    "beside an array": lambda x, L: (x * L, L * x, x - 2 * L, x / (L**2 + 1), np.maximum(x, L)),
    "in a choice": lambda x, L: np.where(x > L, x, L),
    "among themselves": lambda x, L: (L, -L / 3, abs(L) - 1, 2**L, L**0.5, L % 0.7, x * (1 / L)),
    "of an integer": lambda x, L: (x > 0).astype(int) * L,
    "of NumPy's": lambda x, L: (np.float32(2) * L, x * np.exp(-L), x * max(L, 0.5)),
    "decided": lambda x, L: (x if L > 1.2 else -x, L > 1.2),
}


@pytest.mark.parametrize("use", VALUES)
def test_a_networks_value_is_a_python_number(use: str) -> None:
    def function(params: Any, x: Any) -> Any:
        return VALUES[use](x, NET.value(params, x, Y))

    fast, params = replayed(function), NET.init(0, np.float32)
    for scale in (1, 3, 0.1):
        x = (scale * X).astype(np.float32)
        found, expected = ([*leaves_of(f(params, x))] for f in (fast, function))
        for (_, one), (_, other) in zip(found, expected, strict=True):
            assert type(one) is type(other)
            np.testing.assert_array_equal(one, other, strict=True)
    assert fast.runs == 1 + (use == "decided")


def test_an_error_of_pythons_arithmetic_is_raised() -> None:
    fast, params = replayed(lambda params, x: 1 / (NET.value(params, x, Y) - NET.value(params, X, Y))), NET.init(0)
    assert fast(params, 2 * X) == fast.function(params, 2 * X)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        fast(params, X.copy())


def test_a_copy_starts_anew() -> None:
    fast, params = replayed(NET.gradient), NET.init(0)
    fast(params, X, Y)
    for again in (copy.deepcopy(fast), copy.copy(fast), pickle.loads(pickle.dumps(fast))):
        assert again.runs == 0
        for scale in (1.0, 2.0):
            same(again(params, scale * X, Y), NET.gradient(params, scale * X, Y))


def test_keys_in_another_order_and_ordered_dicts() -> None:
    def by_order(p: Any) -> Any:
        out = 0.0
        for i, part in enumerate(p.values()):
            out = out + (i + 1) * part
        return p.__class__(p, out=out)

    one, two = np.ones(1), np.full(1, 2.0)
    fast = replayed(by_order)
    for p in ({"a": one, "b": two}, {"b": two, "a": one}, OrderedDict(a=one, b=two), OrderedDict(b=two, a=one)) * 3:
        found = fast(p)
        assert type(found) is type(p)
        same(found, by_order(p))
    assert fast.runs == 4
    params = NET.init(0)
    turned = dict(reversed(params.items()))
    again = replayed(NET.gradient)
    for given in (params, turned):
        same(again(given, X, Y), NET.gradient(given, X, Y))


def test_containers_come_back_as_they_are() -> None:
    pair = namedtuple("pair", "one two")
    fast = replayed(lambda p: pair([p.two], {"n": (p.one * 2, None, "text", 7)}))
    for scale in (1.0, 2.0):
        found = fast(pair(scale * A, A))
        assert type(found) is pair
        assert found.two["n"][1:] == (None, "text", 7)
        np.testing.assert_array_equal(found.two["n"][0], 2 * scale * A)
    assert fast.runs == 1


def test_places_in_memory_are_recorded_apart() -> None:
    fast = replayed(lambda x: (x.ravel(order="K") * 2, x * (x.strides[0] / 8)))
    for given in (A, np.asfortranarray(A), np.repeat(A, 2, axis=0)[::2], A):
        for found, expected in zip(
            fast(given), (given.ravel(order="K") * 2, given * (given.strides[0] / 8)), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
    assert fast.runs == 3


def test_an_array_that_is_given_twice() -> None:
    fast = replayed(lambda x, y: x * (3 if x is y else 4) + y)
    B = 2 * A
    for x, y in ((A, B), (A, A), (B, A), (B, B)):
        np.testing.assert_array_equal(fast(x, y), x * (3 if x is y else 4) + y)
    assert fast.runs == 2


@pytest.mark.parametrize("rows", [2, 2000])
def test_results_are_arrays_of_their_own(rows: int) -> None:
    def function(x: Any) -> Any:
        twice = x + x
        return x, twice, twice, twice[::-1], shared

    x = np.ones((rows, 2))
    fast = replayed(function)
    for _ in range(2):
        arrays = [x, shared, *fast(x)]
        assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
    with pytest.raises(ZeroDivisionError):
        fast(x, 1 // 0)
    negative = replayed(lambda x: x if x[0, 0] > 0 else -x if x[0, 0] < 0 else x)
    negative(x)
    zero = np.zeros((rows, 2))
    assert negative(zero) is not zero  # the function itself is run, and returns its argument


def test_scalars_and_python_s_numbers_stay_what_they_are() -> None:
    objective = replayed(NET.fun_and_grad(X, Y))
    for seed in range(3):
        theta = NET.pack(NET.init(seed))
        value, gradient = objective(theta)
        expected = NET.fun_and_grad(X, Y)(theta)
        assert (type(value), value) == (float, expected[0])
        np.testing.assert_array_equal(gradient, expected[1])
    assert objective.runs == 1
    fast = replayed(NET.value)
    single = {name: array.astype(np.float32) for name, array in NET.init(0).items()}
    for scale in (1, 2):
        given = (scale * X).astype(np.float32)
        assert fast(single, given, Y) == NET.value(single, given, Y)
    total = replayed(lambda x: x.sum())
    assert [type(total(A)) for _ in range(2)] == [np.float64] * 2


def test_variables_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    factor = 2.0

    def helper(x: Any) -> Any:
        return x * factor

    fast = replayed(lambda x: helper(x) + shared)
    for _ in range(2):
        np.testing.assert_array_equal(fast(A), A * factor + shared)
    factor = 3.0
    np.testing.assert_array_equal(fast(A), A * 3 + shared)
    monkeypatch.setattr(sys.modules[__name__], "shared", np.array([7.0, 8.0]))
    np.testing.assert_array_equal(fast(A), A * 3 + [7, 8])
    shared[0] = -0.0
    np.testing.assert_array_equal(fast(A), A * 3 + [0, 8])
    assert fast.runs == 4


class Slotted:
    __slots__ = ("offset",)

    def __init__(self) -> None:
        self.offset = 0.0


class Stateful:
    rate = 1.0
    momentum = 0.5

    def __init__(self) -> None:
        self.W = A.copy()
        self.layers = [A.copy()]
        self.options = {"l2": 0.1}
        self.slotted = Slotted()

    def decay(self) -> Any:
        return self.options["l2"] * self.layers[0]

    @property
    def half(self) -> Any:
        return 0.5 * self.W

    def step(self, x: Any) -> Any:
        return x * self.W * self.rate + self.decay() + self.half * self.momentum + self.slotted.offset


def test_attributes_and_arrays_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that reads what a training loop changes, by another array, a number or in place."""
    model = Stateful()
    fast = replayed(model.step)
    outer = replayed(lambda x: model.step(x))

    def changed() -> None:
        model.W = 2 * model.W

    def in_place() -> None:
        model.W -= 0.5

    def another_rate() -> None:
        model.rate = 3.0

    def another_layer() -> None:
        model.layers[0] = 7 * A

    def another_option() -> None:
        model.options["l2"] = 5.0

    def of_the_class() -> None:
        monkeypatch.setattr(Stateful, "momentum", 0.9)

    def in_a_slot() -> None:
        model.slotted.offset = 2.0

    def nothing() -> None:
        pass

    changes = (changed, in_place, another_rate, another_layer, another_option, of_the_class, in_a_slot)
    for change in (nothing, *changes, nothing):
        change()
        for again in (fast, outer):
            np.testing.assert_array_equal(again(A), model.step(A))
    assert fast.runs == outer.runs == 8


def test_what_a_network_s_function_reads_is_looked_at_again() -> None:
    scale = 1.0

    def forward(x: Any, W: Any) -> Any:
        return jac.tanh(x @ W) * scale

    net = Network(forward, "cross_entropy", "cs231n", shapes={"W": (4, 2)})
    fast, objective = replayed(net.gradient), replayed(net.fun_and_grad(X, Y))
    params = net.init(0)
    for scale in (1.0, 2.0, 2.0):
        same(fast(params, X, Y), net.gradient(params, X, Y))
        assert objective(net.pack(params))[0] == net.value(params, X, Y)
    assert fast.runs == objective.runs == 2


def test_a_large_array_around_a_function_is_passed_or_read_only() -> None:
    data = np.ones((1 << 12, 1 << 10))
    fast = replayed(lambda x: x * data[0, 0])
    with pytest.raises(RecordingError, match=r"reads an array \(4096, 1024\) of 32.0 MiB from around it.*setflags"):
        fast(A)
    data.setflags(write=False)
    np.testing.assert_array_equal(fast(A), A)


def test_an_array_that_the_function_writes_again() -> None:
    buffer = np.zeros(2)

    def program(x: Any) -> Any:
        out = x
        for i in range(3):
            buffer[...] = i
            out = jac.hadamard(out, np.broadcast_to(buffer, (2, 2)) + 1)[0] + x * buffer
        buffer[...] = 0
        return out

    fast = replayed(program)
    for scale in (1.0, 2.0):
        np.testing.assert_array_equal(fast(scale * A), program(scale * A))
    assert fast.runs == 1


def test_errors_are_ignored_where_the_function_ignores_them() -> None:
    def program(x: Any) -> Any:
        with np.errstate(over="ignore"):
            hidden = np.exp(x)
        return hidden, np.exp(2 * x)

    fast = replayed(program)
    fast(np.zeros(1))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        fast(np.full(1, 500.0))
    assert [str(w.message) for w in seen] == ["overflow encountered in exp"]
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(fast(np.zeros(1)), np.ones((2, 1)))
        with pytest.raises(FloatingPointError):
            fast(np.full(1, 500.0))
    assert fast.runs == 2


def test_threads_take_turns() -> None:
    net = Network.dense((64, 64, 8), activation="tanh", convention="cs231n")
    fast, params = replayed(net.gradient), net.init(0)
    batches = [(RNG.normal(size=(32, 64)), RNG.integers(0, 8, 32)) for _ in range(8)]
    expected = [net.gradient(params, *batch) for batch in batches]
    with ThreadPoolExecutor(3) as pool:
        found = [*pool.map(lambda i: fast(params, *batches[i % 8]), range(300))]
    for i, gradients in enumerate(found):
        same(gradients, expected[i % 8])


def test_stand_ins_are_not_kept() -> None:
    """Each holds its tape, and that all arrays of the first run."""

    def count() -> int:
        gc.collect()
        return sum(1 for thing in gc.get_objects() if type(thing) is Recorded)

    before = count()
    fast = replayed(lambda params, X, Y: ([NET.gradient(params, X, Y)], X.sum(), NET.value(params, X, Y)))
    fast(NET.init(0), X, Y)
    assert count() == before


def test_one_replay_within_another() -> None:
    inner = replayed(NET.gradient)
    outer = replayed(lambda params, X, Y: inner(params, 2 * X, Y))
    for seed in range(3):
        params = NET.init(seed)
        same(outer(params, X, Y), NET.gradient(params, 2 * X, Y))
    assert outer.runs == 1


def test_it_is_called_what_the_function_is_called() -> None:
    fast = replayed(running)
    assert (fast.__name__, fast.__wrapped__, repr(fast)) == ("running", running, "replayed(running)")
    assert Model.twice.__doc__ == "Return it twice."
    assert repr(replayed(NET.gradient)) == "replayed(Network.gradient)"


# --- random programs ---------------------------------------------------------------------------


def test_random_programs_are_right_or_refused() -> None:
    counts, silent = fuzz.run(150)
    assert [(trial.silent, trial.text) for trial in silent] == []
    assert counts["right"] > 75
    assert counts["replays"] > 200


FAULTS: dict[str, dict[str, Any]] = {
    "writing is recorded, and not tried": {
        "jacobians.recording.tape.by_library": lambda: True,
        "jacobians.recording.function.difference": lambda found, plain: None,
    },
    "variables are not looked at again": {"jacobians.recording.rests_on.RestsOn.same": lambda self: True},
    "decisions are not taken again": {"jacobians.recording.tape.Tape.decide": lambda self, array: bool(array.array)},
    "numbers are not part of a recording": {"jacobians.recording.structures._constant": lambda like: lambda *_: None},
    "results lie in each other": {"jacobians.recording.replay.roots_of": lambda values: set()},
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_random_programs_find_faults(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, instead in FAULTS[fault].items():
        monkeypatch.setattr(place, instead)
    assert fuzz.run(300)[1] != []
