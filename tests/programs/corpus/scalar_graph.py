import math
import random


class Num:
    """A number that remembers how it was made."""

    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.push = lambda: None

    def __add__(self, other):
        other = lifted(other)
        out = Num(self.data + other.data, (self, other))

        def push():
            self.grad += out.grad
            other.grad += out.grad

        out.push = push
        return out

    def __mul__(self, other):
        other = lifted(other)
        out = Num(self.data * other.data, (self, other))

        def push():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.push = push
        return out

    def __sub__(self, other):
        return self + lifted(other) * -1.0

    __radd__ = __add__
    __rmul__ = __mul__

    def tanh(self):
        t = math.tanh(self.data)
        out = Num(t, (self,))

        def push():
            self.grad += (1 - t * t) * out.grad

        out.push = push
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node in seen:
                return
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.push()


def lifted(x):
    return x if isinstance(x, Num) else Num(x)


class Unit:
    def __init__(self, n):
        self.w = [Num(random.uniform(-1, 1)) for _ in range(n)]
        self.b = Num(0.5)

    def __call__(self, x):
        return (sum(w * v for w, v in zip(self.w, x)) + self.b).tanh()

    def numbers(self):
        return [*self.w, self.b]


class Model:
    def __init__(self, n, hidden):
        self.hidden = [Unit(n) for _ in range(hidden)]
        self.out = Unit(hidden)

    def __call__(self, x):
        return self.out([unit(x) for unit in self.hidden])

    def numbers(self):
        return [p for unit in [*self.hidden, self.out] for p in unit.numbers()]


def squared_error(model, points, targets):
    loss = Num(0.0)
    for x, t in zip(points, targets):
        e = model(x) - t
        loss = loss + e * e
    return loss


points = [[0.5, -1.2], [1.5, 0.3], [-0.7, 0.8]]
targets = [0.4, -0.6, 0.9]
model = Model(2, 2)

for step in range(200):
    loss = squared_error(model, points, targets)
    for p in model.numbers():
        p.grad = 0.0
    loss.backward()
    for p in model.numbers():
        p.data -= 0.05 * p.grad
