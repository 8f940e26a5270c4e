"""``python -m tests.recording.fuzz [PROGRAMS]``: random programs, replayed and as they stand, on many arguments.

Every program is refused with a reason, or gives what it gives without a replay: the same types, shapes, dtypes, numbers
and errors, in arrays of its own. Anything else is a silent difference, and is printed with its program.
"""

from __future__ import annotations

import argparse
import copy
import linecache
import time
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import numpy as np

import jacobians as jac
from jacobians.arrays import leaves_of
from jacobians.errors import DTypeError, RecordingError
from jacobians.recording import replay

EXPRESSIONS = (
    "{a} + {b}",
    "{a} - {b} * 2",
    "{a} * {k}",
    "{k} / (abs({a}) + 1)",
    "{a} ** {p}",
    "-{a}",
    "{a} * lr",
    "{a} - lr * {b}",
    "np.exp(-abs({a}))",
    "np.maximum({a}, {b})",
    "np.maximum({a}, 0)",
    "np.where({a} > {k}, {a}, {b})",
    "np.where({a} > {k}, 1.0, 0.5) * {a}",
    "({a} > {b}) * {a}",
    "{a}.T.T",
    "{a}.reshape(-1).reshape(3, 2)",
    "{a}.ravel(order='K').reshape(3, 2)",
    "{a}[::-1]",
    "{a}[[2, 0, 1]]",
    "{a}[(abs({b}[:, 0]) > 9).astype(int)]",
    "{a}.sum(axis=0) + {b}",
    "{a}.sum() * {b}",
    "{a}.max(axis=1, keepdims=True) - {b}",
    "{a}.astype(np.float32) * {k}",
    "{a}.astype(int) + {b}",
    "{a} * len({b})",
    "{a} / {b}.shape[0]",
    "{a} * max({a}[0, 0], {b}[1, 1])",
    "{a} @ ({b}.T @ {a})",
    "np.dot({a}, {b}.T) @ {a}",
    "np.einsum('ij,kj->ik', {a}, {b}) @ {a}",
    "np.concatenate([{a}, {b}])[:3]",
    "copy.copy({a})",
    "copy.deepcopy({a}) + 1",
    "{a} * ({a}.strides[0] / 8)",
    "sum(row * row for row in {a}) + {b}",
    "shared * {a}",
    "state['rate'] * {a}",
    "helper({a})",
    "jac.tanh({a})[0]",
    "jac.tanh({a})[1].vjp({b})",
    "jac.softmax({a})[1].jvp({b})",
    "jac.matmul({a}, {b}.T)[1].A.vjp(np.ones((3, 3)))",
    "jac.relu({a})[1].diagonal().reshape(3, 2) * {b}",
    "jac.cross_entropy({a}, [0, 1, 0])[1].gradient",
    "jac.cross_entropy({a}, labels)[1].gradient",
    "jac.squared_error({a}, {b})[1].gradient",
    "of_values({a}, {b})",
    "structure({a}, {b})",
    "of_network({a}, {b})",
    "np.maximum(of_network({a}, {b}), 0)",
    "{a} * cost({b})",
    "np.where({a} > {k}, cost({b}), {a})",
    "{a} / (1 + cost({a})) ** {p} + 1 / cost({b})",
    "{a} * max(cost({b}), 1)",
)
"""Of two arrays of 3×2, another one; k is a number, p an exponent."""

HAZARDS = (
    "{a}[np.argsort({b}[:, 0])]",
    "{a}[{a} > {k}].sum() * {b}",
    "{a}.mean(axis=1, keepdims=True) * {b}",
    "{a} * float({b}.sum())",
    "{a} * {b}.item(0)",
    "np.sort({a})",
    "np.clip({a}, -1, 1)",
    "np.round({a}, 1)",
    "np.stack([{a}, {b}])[1]",
    "{a} * (1 if isinstance({a}, np.ndarray) else 2)",
    "{a} * (1 if type({a}) is np.ndarray else 2)",
    "{a} * (1 if hasattr({a}, 'cumsum') else 2)",
    "{a} * (3 if {a} is {b} else 4)",
    "{a} * (3 if np.shares_memory({a}, {b}) else 4)",
    "{a} * (3 if {a}.flags.c_contiguous else 4)",
    "{a} * len(str({a}[0, 0])[:3])",
    "np.array([row.sum() for row in {a}])[:, None] * {b}",
)
"""Such as look at what a stand-in is, or at its numbers."""

STATEMENTS = (
    ("total = 0.0", "for row in {a}:", "    total = total + row", "{v} = {v} + total"),
    ("if {a}.sum() > {k}:", "    {v} = {v} * 2", "else:", "    {v} = {v} - 1"),
    ("if ({a} > {k}).any() and {b}[0, 0] < 1:", "    {v} = {b} * 2"),
    ("for _ in range(4):", "    if abs({v}).max() > 9: break", "    {v} = {v} * 1.5 + 0.1"),
    ("with np.errstate(over='ignore', invalid='ignore'):", "    {v} = {v} * np.exp({a})"),
    ("with np.errstate(all='ignore'):", "    e = np.exp(900 * {a})", "{v} = np.where(e > 1, {v}, {a})"),
    ("for i in range(3):", "    buffer[...] = i", "    {v} = {v} + {a} * buffer"),
    ("buffer[...] = 2", "{v} = jac.hadamard({v}, buffer)[0]", "buffer[...] = 3"),
    ("for i, part in enumerate(p.values()):", "    {v} = {v} + (i + 1) * part"),
    ("for name in p:", "    {v} = {v} * len(name) + p[name]"),
    ("p = {{**p, 'b': {a}}}", "{v} = {v} + p['b']"),
    ("memory.append({a})", "{v} = {v} + memory[-1]"),
    ("if flag:", "    {v} = {v} * 3"),
)
WRITING = (
    ("{v} += {a}",),
    ("{v} *= {k}",),
    ("w = {v}", "w -= {a}"),
    ("{v} = {v} + {a}", "{v}[0] = {a}[1]"),
    ("out = np.zeros_like({a})", "out[...] = {b}", "out[1:] += 1", "{v} = {v} + out"),
    ("out = np.zeros((3, 2))", "out += {a}", "{v} = {v} + out"),
    ("np.add({a}, 1, out={v})",),
    (
        "total, kept = 0.0, []",
        "for row in {a}:",
        "    total += row[0]",
        "    kept.append(total)",
        "{v} = {v} * kept[0]",
    ),
    ("try:", "    {v} = {v} * float({a}[0, 0])", "except Exception:", "    {v} = {v} * 5"),
    ("try:", "    {v} = {v} + np.median({a})", "except (TypeError, ValueError):", "    pass"),
    ("memory.append({a})", "{v} = {v} + memory[0]"),
)
"""Such as write into arrays, catch what is refused, or remember."""
RETURNS = ("{a}", "[{a}, {b}]", "({a}, {a})", "{{'one': {a}, 'two': {b}}}", "x", "p", "{a}.sum()", "{a}.T", "{a}[0]")
RETURNS += ("OrderedDict(one={a})", "({a}, lr, 7)", "{a} > 0", "[{{'one': ({a},)}}, None, 'text']")
OTHER_RETURNS = ("jac.tanh({a})", "({a} for _ in range(2))", "float({a}.sum())", "lambda: {a}")

HELPERS = """
def helper(a):
    return a * rate + shared

def of_values(a, b):
    u, v = jac.values(u=a, v=b)
    loss = (jac.tanh(u * v) - v).sum() if (u > 0).sum() > 3 else (u * v * v).sum()
    return loss.gradients(v)[0]

def structure(a, b):
    u, v = jac.values(u=a, v=b)
    return (jac.tanh(u) * v @ v.T).jacobian(u).vjp(np.ones((3, 3)))

def parameters(b):
    return {"W1": b.T, "b1": b[:, 0], "W2": b, "b2": b[0]}

def of_network(a, b):
    return network.gradient(parameters(b), a, labels)["W2"]

def cost(b):
    return network.value(parameters(b), b, labels)
"""


def program(rng: np.random.Generator) -> str:
    """A function of x, y, p, lr and flag."""
    names, lines = ["x", "y", "p['a']"], []

    def filled(text: str, target: str = "") -> str:
        a, b = rng.choice(names, 2)
        k, power = rng.choice(["0.1", "2", "-0.5", "1"]), rng.choice(["2", "3", "0.5", "-1", "1", "2.0"])
        return text.format(a=a, b=b, k=k, p=power, v=target)

    for number in range(rng.integers(1, 6)):
        target = f"v{number}"
        lines.append(f"{target} = " + filled(str(rng.choice(HAZARDS if rng.random() < 0.06 else EXPRESSIONS))))
        names.append(target)
        if rng.random() < 0.4:
            a, b = rng.choice(names, 2)
            k = rng.choice(["0.1", "2", "-0.5"])
            choices = WRITING if rng.random() < 0.15 else STATEMENTS
            statement = choices[rng.integers(len(choices))]
            lines += [line.format(a=a, b=b, k=k, v=rng.choice([target] * 3 + ["x"])) for line in statement]
        names = [*names, target, target]
    lines.append("return " + filled(str(rng.choice(OTHER_RETURNS if rng.random() < 0.05 else RETURNS))))
    return "def program(x, y, p, lr=0.1, flag=False):\n" + "".join(f"    {line}\n" for line in lines)


def arguments(rng: np.random.Generator, call: int, single: float = 0.1) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Those of one call: mostly like the first ones, but for their numbers."""

    def array(dtype: str = "f8") -> Any:
        a = rng.normal(size=(3, 2)).round(2)
        a = abs(a) + 0.1 if call == 0 and rng.random() < 0.3 else a
        if rng.random() < 0.02:
            a[rng.integers(3), rng.integers(2)] = rng.choice([np.nan, np.inf])
        odd = rng.random() if call else 1.0
        a = np.asfortranarray(a) if odd < 0.03 else np.repeat(a, 2, axis=0)[::2] if odd < 0.05 else a
        return a.astype(dtype, order="K")

    dtype = "f4" if rng.random() < single else "f8"
    x, y = array(dtype), array(dtype if rng.random() < 0.95 else "i8")
    odd = rng.random() if call else 1.0
    y = x if odd < 0.06 else x[::-1] if odd < 0.1 else y
    parts: dict[str, Any] = {"a": array(dtype), "bb": array(dtype)}
    if odd > 0.93:
        parts = {name: parts[name] for name in reversed(parts)}
    if 0.2 < odd < 0.25:
        parts = OrderedDict(parts)
    x = np.ma.array(x) if 0.30 < odd < 0.31 else np.matrix(x) if 0.31 < odd < 0.32 else x
    numbers: dict[str, Any] = {}
    if rng.random() < 0.15:
        numbers["lr"] = [0.1, 2, 0.5, np.float64(0.1), np.float32(0.5), np.asarray(0.3), True][rng.integers(7)]
    if rng.random() < 0.1:
        numbers["flag"] = bool(rng.random() < 0.5)
    return (x, y, parts), numbers


def difference(found: Any, expected: Any) -> str:
    """What a caller sees differ; "" for nothing but rounding."""
    if type(found) is not type(expected):
        return f"{type(found).__name__} for {type(expected).__name__}"
    if isinstance(found, dict) and list(found) != list(expected):
        return "other keys"
    if isinstance(found, (dict, list, tuple)):
        pairs = zip(*(v.values() if isinstance(v, dict) else v for v in (found, expected)), strict=True)
        return next(filter(None, (difference(*pair) for pair in pairs)), "")
    if not isinstance(found, (np.ndarray, np.generic)):
        if not isinstance(found, (int, float)):
            return ""
        return "" if repr(found) == repr(expected) or np.isclose(found, expected, rtol=1e-12) else "another number"
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return f"{found.dtype} {found.shape} for {expected.dtype} {expected.shape}"
    close = 1e-5 if found.dtype == np.float32 else 1e-11
    with np.errstate(all="ignore"):
        return "" if np.allclose(found, expected, rtol=close, atol=close, equal_nan=True) else "other numbers"


class _Memory(list):  # type: ignore[type-arg]
    """What a function keeps between calls; within one call only, so that it depends on nothing else that changes."""


def compiled(text: str, number: int) -> dict[str, Any]:
    """The program's module."""
    name = f"<program {number}>"
    source = text + HELPERS
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space: dict[str, Any] = {
        "__name__": "program",
        "np": np,
        "jac": jac,
        "copy": copy,
        "OrderedDict": OrderedDict,
        "rate": 0.5,
        "shared": np.array([1.0, 2.0]),
        "labels": np.array([1, 0, 1]),
        "network": jac.Network.dense((2, 3, 2), convention="cs231n"),
        "state": {"rate": 0.25},
        "buffer": np.ones((3, 2)),
        "memory": _Memory(),
    }
    exec(compile(source, name, "exec"), space)
    return space


def outcome(function: Callable[..., Any], given: tuple[tuple[Any, ...], dict[str, Any]]) -> tuple[Any, Any]:
    """The result, or the error."""
    try:
        return function(*given[0], **given[1]), None
    except Exception as error:
        return None, error


def own(given: Any) -> Any:
    """Arguments with the same numbers, in the same places in memory, the same arrays where they are the same."""
    return copy.deepcopy(given)


class Trial:
    """One program: what its replays do."""

    def __init__(self, number: int, seed: int) -> None:
        rng = np.random.default_rng([seed, number])
        self.text = program(rng)
        self.refused = ""
        self.silent = ""
        self.replays = 0
        space = compiled(self.text, number)
        function = space["program"]
        fast: Any = jac.replayed(function)
        if rng.random() < 0.1:  # one within another
            inner = fast
            fast = jac.replayed(lambda *args, **named: inner(*args, **named))
        calls, single = 0, 0.9 if rng.random() < 0.3 else 0.05
        for call in range(8):
            if call and rng.random() < 0.1:
                space["shared"] = rng.normal(size=2)
            if call and rng.random() < 0.05:
                space["shared"][0] = space["state"]["rate"] = rng.normal()
            if call and rng.random() < 0.05:
                space["rate"] = float(rng.normal())
            if rng.random() < 0.05:
                fast = copy.deepcopy(fast)
            given = arguments(rng, call, single)
            self.call(fast, function, given, space)
            calls += 1
            if self.refused or self.silent:
                return
        self.replays = calls - fast.runs
        if rng.random() < 0.03:
            self.in_threads(fast, function, [arguments(rng, 1, single) for _ in range(8)])

    def call(self, fast: Any, function: Any, given: Any, space: dict[str, Any]) -> None:
        """Compare one call, and what it did to its arguments."""
        mine, passed = own(given), own(given)
        expected, wrong = outcome(function, mine)
        space["memory"].clear()
        found, error = outcome(fast, passed)
        space["memory"].clear()
        if isinstance(error, (RecordingError, DTypeError)) and not isinstance(wrong, type(error)):
            if type(given[0][0]) is np.ndarray:  # else it is the kind of array that is refused
                self.refused = str(error)
        elif error is not None or wrong is not None:
            if type(error) is not type(wrong):
                self.silent = f"{error!r} for {wrong!r}"
        else:
            self.silent = difference(found, expected)
            arrays = [leaf for _, leaf in leaves_of(passed) if isinstance(leaf, np.ndarray)]
            results = [leaf for _, leaf in leaves_of(found) if isinstance(leaf, np.ndarray)]
            for i, one in enumerate(results):
                if any(np.may_share_memory(one, other) for other in [*results[:i], *arrays]):
                    self.silent = self.silent or "a result lies in another or in an argument"
        if difference(passed, own(given) if error else mine):
            self.silent = self.silent or "an argument was written"

    def in_threads(self, fast: Any, function: Any, given: list[Any]) -> None:
        """Compare calls from two threads at a time."""
        expected = [outcome(function, own(each)) for each in given]
        with ThreadPoolExecutor(2) as pool:
            found = [*pool.map(lambda each: outcome(fast, each), [own(each) for each in given * 4])]
        for (result, error), (right, wrong) in zip(found, expected * 4, strict=True):
            if isinstance(error, (RecordingError, DTypeError)):
                continue
            differs = type(error) is not type(wrong) or (error is None and difference(result, right))
            if differs:
                self.silent = f"in two threads: {error!r} for {wrong!r}, {differs}"


def run(programs: int, seed: int = 0) -> tuple[Counter[str], list[Trial]]:
    """Try so many programs; return what came out how often, and those with a silent difference."""
    counts: Counter[str] = Counter()
    silent = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for number in range(programs):
            with patch.object(replay, "_SMALL", 4096 * (number % 2)):  # arrays are copied, or put into the calls
                trial = Trial(number, seed)
            counts["silent" if trial.silent else "refused" if trial.refused else "right"] += 1
            counts["replays"] += trial.replays
            if trial.silent:
                silent.append(trial)
            linecache.cache.pop(f"<program {number}>", None)
    return counts, silent


def main() -> int:
    """Run them, and print what came out."""
    parser = argparse.ArgumentParser(prog="python -m tests.recording.fuzz", description=__doc__)
    parser.add_argument("programs", nargs="?", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.perf_counter()
    counts, silent = run(options.programs, options.seed)
    for trial in silent[:20]:
        print(f"{trial.silent}\n{trial.text}")
    print(
        f"{options.programs} programs in {time.perf_counter() - start:.0f} s: {counts['right']} right, with "
        f"{counts['replays']} replays; {counts['refused']} refused with a reason; {counts['silent']} silent differences"
    )
    return 1 if silent else 0


if __name__ == "__main__":
    raise SystemExit(main())
