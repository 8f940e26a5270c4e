"""The evaluator gives what Python gives, on its list; and what is hostile is refused, quickly and before it is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians.programs.values import LimitError, ProgramError, Unread
from tests.programs.evaluate import names_of, run_of

SAME = {
    "names": "a = b = 2; a, (c, *d) = 1, (2, 3, 4); e = a if b > a else c",
    "loops": """
t = 0
for i in range(5):
    if i == 1:
        continue
    if i == 4:
        break
    t += i
n = 1
while n < 50:
    n *= 3
""",
    "functions": """
def f(a, b=2, *rest, k=3):
    return a + b + k + len(rest)
x = [f(1), f(1, 5, 6, k=1), f(b=1, a=9)]
""",
    "generators": """
def upto(n):
    for i in range(n):
        yield i * i
    yield from [7, 8]
x = list(upto(3))
g = upto(2)
first = next(g)
left = [v for v in g]
g = None
""",
    "try and with": """
def f(d, k):
    try:
        v = d[k]
    except (KeyError, IndexError):
        v = -1
    else:
        v += 1
    finally:
        d['seen'] = True
    return v
d = {'a': 1}
x = [f(d, 'a'), f(d, 'b')]
with np.errstate(all='ignore'):
    y = np.log(np.zeros(2) + 1)
""",
    "walrus": """
n = 0
while (n := n + 1) < 4:
    pass
x = [last := i for i in range(3)]
""",
    "dataclasses": """
from dataclasses import dataclass, field
@dataclass
class C:
    a: int
    b: float = 2.0
    c: list = field(default_factory=list)
k = C(1, c=[3])
x = [k.a, k.b, k.c, C(4).c]
k = C = None
""",
    "decorators": """
def twice(f):
    def g(*args):
        return 2 * f(*args)
    return g
@twice
def h(a):
    return a + 1
x = h(3)
""",
    "out": """
a = np.ones((2, 2))
b = np.empty((2, 2))
np.dot(a, a, out=b)
np.add(b, 1.0, out=b)
""",
    "closures": """
def f(n):
    def g(m):
        nonlocal n
        n += m
        return n
    return g
g = f(1)
x = g(2) + g(3)
""",
    "lambdas": "x = [(lambda a, b=i: a * b)(i) for i in range(4) if i % 2]",
    "dicts": """
d = {'a': 1}
d['b'] = d['a'] + 1
x = [k + str(v) for k, v in d.items()]
y = {k: -v for k, v in d.items()}
z = d.get('c', 7)
""",
    "lists": "a = [1, 2]; b = a; b += [3]; a.append(4); c = a[::-1]; a[0] = 9; d = [a[i] for i in (0, -1)]",
    "texts": "k = 'W' + str(2); f = f'{k}b{3}'; g = 'W%d' % 4; h = 'abc'[1]",
    "chains": "x = [1 < 2 < 3, 1 < 3 < 2, not 0, 0 or 5, 1 and 0, 2 in (1, 2), None is None]",
    "whole": "x = [7 // 2, 7 / 2, 7 % 4, 2 ** 5, -3 // 2, abs(-2), max(1, 4), min([3, 2])]",
    "numbers": "x = [round(2.6), int(3.7), float('2'), sum([1, 2]), sorted([2, 1]), 1e3]",
    "arrays": "A = np.arange(12).reshape(3, 4) / 2.0; x = A[1:, ::2] @ A.T[:2, 1:]; y = A[A > 2].sum()",
    "aliases": "A = np.zeros((2, 3)); B = A; B += 1; C = A[0]; C -= 5; D = A * 1; D += 1",
    "stores": "p = np.ones((3, 2)); p[range(3), [0, 1, 0]] -= 1; p[p > 0.5] = 7; p[-1] += p[0]",
    "stacks": "a = np.ones((2, 1)); x = np.hstack([a, 2 * a]); y = np.c_[a, a]; z = np.append(a, 3); w = np.tile(a, 2)",
    "axes": "a = np.linspace(0, 1, 6).reshape(2, 3); x = [a.max(1), np.argmax(a, axis=0), np.std(a), np.cumsum(a)]",
    "products": "a = np.arange(6.0).reshape(2, 3); x = [np.dot(a, a.T), np.outer(a[0], a[1]), np.linalg.norm(a)]",
    "none": "a = np.arange(3.0); x = a[:, None] + a[np.newaxis, :]; y = np.einsum('i,j->ij', a, a)",
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.shape == other.shape and bool((one == other).all())
    return bool(one == other)


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_it_gives_what_python_gives(text: str) -> None:
    wanted: dict[str, Any] = {"np": np}
    exec(text, wanted)  # a text of this file
    found = names_of(text)
    kept = {k: v for k, v in wanted.items() if k not in ("__builtins__", "np") and not callable(v)}
    assert kept
    assert not [name for name, value in kept.items() if not same(value, found[name])]


def test_classes() -> None:
    text = """
class A:
    n = 2
    def __init__(self, k):
        self.k = k
    def f(self, x):
        return self.k * x + self.n
    @staticmethod
    def g(x):
        return -x
    def __call__(self, x):
        return self.f(self.g(x))
class B(A):
    def __init__(self):
        super().__init__(10)
    def f(self, x):
        return super().f(x) + 1
b = B()
x = b(3)
b.k += 1
y = b.f(1)
z = B.n
"""
    found = names_of(text)
    assert (found["x"], found["y"], found["z"]) == (-27, 14, 2)


def test_python_2() -> None:
    found = names_of("print 'a', 3 / 2\nx = 7 / 2\nfor i in xrange(3):\n    if i: print i\n    x += i\n")
    assert found["x"] == 6
    assert names_of("from __future__ import division\nprint 1\nx = 7 / 2")["x"] == 3.5


def test_what_is_outside_the_list_ends_what_depends_on_it_alone() -> None:
    found = names_of("a = 1\nmatch a:\n    case _:\n        b = 2\nc = b + 1\nd = a + 1\n")
    assert isinstance(found["b"], Unread)
    assert isinstance(found["c"], Unread)
    assert (found["c"].line, found["c"].construct) == (2, "match")
    assert found["d"] == 2


def test_a_program_that_fails_says_where() -> None:
    with pytest.raises(ProgramError, match="shapes") as caught:
        names_of("import numpy as np\na = np.ones((2, 3))\nb = np.dot(a, a)\n")
    assert caught.value.line == 3


BOMBS = {
    "power": "x = 9 ** 9 ** 9",
    "squares": "x = 3\nfor i in range(100):\n    x = x * x",
    "range": "x = list(range(10 ** 12))",
    "sum": "x = sum(range(10 ** 12))",
    "forever": "x = 0\nwhile True:\n    x += 1",
    "nested loops": "for i in range(10 ** 5):\n    for j in range(10 ** 5):\n        x = i",
    "recursion": "def f(n):\n    return f(n + 1)\nx = f(0)",
    "lambdas": "f = lambda g, n: g(g, n + 1)\nx = f(f, 0)",
    "list": "x = [0]\nfor i in range(60):\n    x = x + x",
    "text": "x = 'a' * 10 ** 10",
    "replace": "x = 'a'\nfor i in range(60):\n    x = x.replace('a', 'aa')",
    "nested lists": "x = [0] * 9\nfor i in range(30):\n    x = [x] * 9\nimport numpy as np\ny = np.array(x)",
    "zeros": "import numpy as np\nx = np.zeros((10 ** 6, 10 ** 6))",
    "outer": "import numpy as np\na = np.ones(10 ** 5)\nx = np.outer(a, a)",
    "broadcast": "import numpy as np\na = np.ones(10 ** 5)\nx = a[:, None] + a",
    "repeat": "import numpy as np\nx = np.repeat(np.ones(10 ** 5), 10 ** 5)",
    "gather": "import numpy as np\nx = np.ones((1, 10 ** 5))[[0] * 10 ** 5]",
    "einsum": "import numpy as np\na = np.ones((100, 100))\nx = np.einsum('ab,cd,ef->abcdef', a, a, a)",
    "many arrays": "import numpy as np\nx = []\nfor i in range(10 ** 4):\n    x.append(np.zeros(10 ** 5))",
    "eye": "import numpy as np\nx = np.eye(10 ** 6)",
    "linspace": "import numpy as np\nx = np.linspace(0, 1, 10 ** 12)",
    "pad": "import numpy as np\nx = np.pad(np.ones((3, 3)), 10 ** 7)",
    "choice": "import numpy as np\nx = np.random.choice(10 ** 13)",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_before_they_go_off(text: str) -> None:
    with pytest.raises(LimitError) as caught:
        names_of(text)
    assert caught.value.line > 0


TRICKS = {
    "dunder class": "x = ().__class__.__bases__[0].__subclasses__()",
    "dunder of an array": "import numpy as np\nx = np.ones(2).__class__",
    "globals": "def f():\n    return 1\nx = f.__globals__",
    "builtins": "x = __builtins__",
    "import": "x = __import__('os').system('true')",
    "getattr": "x = getattr(1, 'real')",
    "eval": "x = eval('1')",
    "exec": "x = exec('1')",
    "open": "x = open('/etc/passwd').read()",
    "os": "import os\nx = os.system('true')",
    "format": "x = '{0.__class__}'.format(1)",
    "numpy files": "import numpy as np\nx = np.fromfile('/etc/passwd')",
    "numpy load": "import numpy as np\nx = np.load('a.npy', allow_pickle=True)",
    "tofile": "import numpy as np\nx = np.ones(2).tofile('a')",
    "decorator": "@print\ndef x():\n    return 1",
    "metaclass": "class x(metaclass=type):\n    pass",
    "base": "class x(dict):\n    pass",
    "star": "from os import *\nx = system('true')",
    "type": "x = type('a', (), {})",
    "setattr": "import numpy as np\nx = np\nx.exp = 3\nx = np.exp.real",
    "ctypes": "import numpy as np\nx = np.ones(2).ctypes",
    "base attribute": "import numpy as np\nx = np.ones(2).base",
    "dtype of objects": "import numpy as np\nx = np.ones(2).astype('O')",
    "vars": "x = vars()",
    "super": "x = super()",
}


@pytest.mark.parametrize("text", TRICKS.values(), ids=TRICKS)
def test_tricks_are_not_read(text: str) -> None:
    try:
        found = names_of(text)
    except ProgramError:
        return
    assert isinstance(found.get("x"), Unread), found.get("x")


@pytest.mark.parametrize("text", ["x = f'{().__class__}'", "x = f'{3!r}'", "x = f'{3:>1000000000}'"])
def test_texts_with_values_in_them_stay_shut(text: str) -> None:
    found = names_of(text).get("x")
    assert found == "text that is not read" or isinstance(found, Unread)


def test_events_are_versions() -> None:
    run = run_of("import numpy as np\nW = np.ones(2)\nW = W * 2\nW[0] = 5\nd = {}\nd['b'] = W\n")
    seen = [(e.kind, e.key, e.shown, e.line) for e in run.events]
    assert seen[:3] == [("assign", "W", "W", 2), ("assign", "W", "W", 3), ("write", "W", "W", 4)]
    seen = seen[4:]
    assert seen == [("assign", "b", "d['b']", 6)]


def test_a_limit_ends_the_lines_of_finally_too() -> None:
    with pytest.raises(LimitError, match="deep"):
        names_of(
            "def f():\n    try:\n        f()\n    except Exception:\n        f()\n    finally:\n        f()\nf()\n"
        )
