"""Operators on objects of a file's own classes give what Python gives; other methods of Python's own are not read."""

from __future__ import annotations

from typing import Any

import pytest

from jacobians.programs.values import Instance, LimitError, ProgramError
from tests.programs.evaluate import names_of, run_of

VALUE = """
class Value:
    def __init__(self, data, children=(), op=''):
        self.data, self.grad = data, 0
        self._backward = lambda: None
        self._prev = set(children)
        self._op = op
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), '+')
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), f'*{other}')
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out
    def __pow__(self, k):
        out = Value(self.data ** k, (self,))
        def _backward():
            self.grad += k * self.data ** (k - 1) * out.grad
        out._backward = _backward
        return out
    __rmul__ = __mul__
    def __radd__(self, other): return self + other
    def __neg__(self): return self * -1
    def __sub__(self, other): return self + (-other)
    def __rsub__(self, other): return other + (-self)
    def __truediv__(self, other): return self * other ** -1
    def __abs__(self): return self if self.data > 0 else -self
    def __lt__(self, other): return self.data < other.data
    def __repr__(self): return f'Value({self.data})'
    def backward(self):
        topo, visited = [], set()
        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                topo.append(v)
        build(self)
        self.grad = 1
        for v in reversed(topo):
            v._backward()
"""
BAG = """
class Bag:
    def __init__(self, items): self.items = list(items)
    def __len__(self): return len(self.items)
    def __getitem__(self, k): return self.items[k]
    def __setitem__(self, k, v): self.items[k] = v
    def __contains__(self, v): return v in self.items
    def __iter__(self): return iter(self.items)
    def __iadd__(self, more):
        self.items += list(more)
        return self
    def __call__(self, x): return [x * v for v in self]
    def __eq__(self, other): return self.items == other.items
"""
SAME = {
    "numbers": VALUE + """
a, b = Value(3.0), Value(-2.0)
c = 2 * a + b ** 2 / a - (1 - b) + sum([a, b]) - abs(b)
c.backward()
x = [c.data, a.grad, b.grad, b < a, not a]
c.grad += 1
y = c.grad
del a, b, c
""",
    "containers": BAG + """
bag = Bag([1, 2])
bag[0] = 5
bag[1] += 3
bag += (7,)
first, *rest = bag
x = [len(bag), bag[0], 7 in bag, 8 not in bag, [v for v in bag], list(zip(bag, bag)), bag(2), bool(Bag([]))]
x += [first, rest]
x += [1 if Bag([]) else 0, bag == Bag([5, 5, 7]), max(bag), sorted(bag), [*bag], not bag]
for v in bag:
    last = v
del bag
""",
    "inheritance": """
class A:
    def __init__(self, k): self.k = k
    def __add__(self, other): return A(self.k + other.k)
    def __len__(self): return 3
class B(A):
    def __init__(self, k):
        A.__init__(self, k)
        self.kind = 'B'
    def __add__(self, other): return B(super().__add__(other).k * other.k)
b = B(2) + B(5)
x = [b.k, b.kind, isinstance(b, A), isinstance(b, (int, B)), len(b), hasattr(b, 'k'), hasattr(b, 'z')]
del b
""",
    "sets": """
s = set([3, 1, 3]) | {4}
s.add(5)
s.discard(1)
x = [sorted(s), 4 in s, len(s), sorted(s - {4}), sorted(s & {4, 9}), sorted({2, 1}.union([7])), {1, 2} == {2, 1}]
x += [bool(set())]
x += [isinstance(s, set), sorted({k % 2 for k in range(5)})]
del s
""",
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_a_program_gives_what_python_gives(name: str) -> None:
    expected: dict[str, Any] = {}
    exec(SAME[name], expected)
    found = names_of(SAME[name])
    for key in ("x", "y", "last"):
        assert found.get(key) == expected.get(key), key


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    def __getattr__(self, n): return 1\nx = A().k",
        "class A:\n    def __add__(self, o): return 1\nx = A().__add__(2)",
        "class A:\n    def __iter__(self): return self\n    def __next__(self): return 1\nfor x in A(): pass",
        "class A:\n    def __add__(self, o): return 1\nx = np.ones(2) + A()",
        "class A:\n    def __and__(self, o): return 1\nx = A() & A()",
        "import numpy as np\nx = hasattr(np.ones(2), 'shape')",
        "class A: pass\nx = hasattr(A(), '__class__')",
        "x = {1: 2}.__len__()",
    ],
)
def test_what_else_python_would_look_for_is_not_read(text: str) -> None:
    assert run_of(text).unread


def test_objects_without_the_method_fail_as_in_python() -> None:
    with pytest.raises(ProgramError, match="A and int have no Add"):
        names_of("class A: pass\nx = A() + 1")
    with pytest.raises(ProgramError, match="asked for its length"):
        names_of("class A: pass\nx = len(A())")


def test_a_method_that_calls_itself_ends_at_a_limit() -> None:
    for body, used in (
        ("__add__(self, o): return self + o", "A() + A()"),
        ("__eq__(self, o): return self == o", "A() == A()"),
        ("__len__(self): return len(self)", "len(A())"),
    ):
        with pytest.raises(LimitError, match="deep"):
            names_of(f"class A:\n    def {body}\nx = {used}")
    nested = "y = ()\nfor _ in range(40): y = (y, y)\n"
    for held in ("set([y])", "{y}", "y in {1}"):
        with pytest.raises(LimitError, match="lists within lists"):
            names_of(f"{nested}z = {held}")


def test_methods_that_only_show_a_value_are_never_called() -> None:
    found = names_of("class A:\n    def __repr__(self): return self.nothing\na = A()\nx = f'{a}'\nprint(a)")
    assert isinstance(found["a"], Instance)
    assert found["x"] == "text that is not read"
