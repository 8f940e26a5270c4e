"""What the text of a program says before it is run: its updates, the loops that train, what its names are."""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from jacobians.programs import naming


@dataclass(frozen=True, eq=False)
class Update:
    """A statement that moves a parameter along its gradient: ``W -= lr * dW``.

    Attributes
    ----------
    node : ast.stmt
    gradient : ast.expr or None
        The part that is the gradient; None within a comprehension.
    sign : float
        −1 where the parameter goes up along it.
    named : str
        The gradient's name; empty where it is an expression.
    """

    node: ast.stmt
    gradient: ast.expr | None
    sign: float
    named: str


@dataclass(frozen=True, eq=False)
class _Known:
    """What tells an update: names that are set, pairs of a loop, products with a transpose, names set once."""

    names: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    products: frozenset[str]
    once: Mapping[str, ast.Assign]


@dataclass(frozen=True, eq=False)
class Plan:
    """What is known of a program before it is run.

    Attributes
    ----------
    updates : mapping
        By the statement's identity.
    gradients : mapping
        The same, by the identity of the gradient's expression.
    training : frozenset of int
        Identities of the loops that train; one iteration of them is enough.
    long : frozenset of int
        Those that are loops of training only where they are long.
    names : frozenset of str
        All names that the program sets.
    inner : frozenset of int
        Identities of sums and products that are handed to a function without a name of their own.
    histories : mapping
        By an expression's identity: the list or array of losses that its value is put into.
    clipped : tuple of int
        Lines in which gradients would be clipped, which is left out.
    parts : frozenset of int
        Identities of those loops that take one example or one batch after another.
    """

    updates: Mapping[int, Update]
    gradients: Mapping[int, Update]
    training: frozenset[int]
    long: frozenset[int]
    names: frozenset[str]
    inner: frozenset[int] = frozenset()
    histories: Mapping[int, str] = field(default_factory=dict)
    clipped: tuple[int, ...] = ()
    parts: frozenset[int] = frozenset()

    @cached_property
    def looked_at(self) -> frozenset[int]:
        """Identities of the expressions whose values are events."""
        return self.inner | self.gradients.keys() | self.histories.keys()


def plan_of(tree: ast.Module) -> Plan:
    """Return a program's updates and its loops of training."""
    names = frozenset(
        part.id if isinstance(part, ast.Name) else part.attr
        for part in ast.walk(tree)
        if isinstance(part, (ast.Name, ast.Attribute)) and isinstance(part.ctx, ast.Store)
    ) | frozenset(part.arg for part in ast.walk(tree) if isinstance(part, ast.arg))
    clipped = tuple(_unclipped(tree, names))
    updates: dict[int, Update] = {}
    gradients: dict[int, Update] = {}
    known = _Known(names, _run_through(tree), frozenset(_turned_products(tree)), dict(_set_once(tree)))
    for node in ast.walk(tree):
        found = _update_of(node, known) if isinstance(node, (ast.Assign, ast.AugAssign)) else None
        if found is not None:
            updates[id(node)] = found
            if found.gradient is not None:
                gradients[id(found.gradient)] = found
    training, long = _training(tree, updates)
    return Plan(
        updates, gradients, frozenset(training), frozenset(long), names, frozenset(_inner(tree)),
        dict(_histories(tree)), clipped, frozenset(_over_parts(tree)),
    )  # fmt: skip


def _over_parts(tree: ast.Module) -> Iterator[int]:
    """The loops that take a part of the data in each iteration."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For):
            names = [key_of(p).lower() for p in ast.walk(node.iter) if isinstance(p, (ast.Name, ast.Attribute))]
            if _takes_examples(node) or any("batch" in name for name in (*names, key_of(node.target).lower())):
                yield id(node)


def _unclipped(tree: ast.Module, names: frozenset[str]) -> Iterator[int]:
    """Leave out that gradients are clipped for training, and yield the lines: what is clipped is no derivative."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Expr, ast.Assign)):
            continue
        call = node.value
        if not (isinstance(call, ast.Call) and key_of(call.func) == "clip" and len(call.args) == 3):
            continue
        clipped, low, high = call.args
        kept = node.targets[0] if isinstance(node, ast.Assign) else _keyword(call, "out")
        same = kept is not None and ast.unparse(kept) == ast.unparse(clipped)
        if same and naming.is_gradient(key_of(clipped), names) and ast.unparse(low) == f"-{ast.unparse(high)}":
            node.value = clipped if isinstance(node, ast.Assign) else ast.copy_location(ast.Constant(None), call)
            yield node.lineno


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def with_short_loops(plan: Plan, tree: ast.Module) -> Plan:
    """Return a plan under which every long loop is left after one iteration, whether it trains or not."""
    counted = frozenset(id(node) for node in ast.walk(tree) if isinstance(node, ast.For))
    others = frozenset(id(node) for node in ast.walk(tree) if isinstance(node, ast.While))
    return replace(plan, long=plan.long | counted, training=plan.training | others)


def _inner(tree: ast.Module) -> Iterator[int]:
    """What a function is applied to: ``X @ W + b`` in ``np.maximum(0, X @ W + b)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for arg in node.args:
                while isinstance(arg, ast.UnaryOp):
                    arg = arg.operand
                if isinstance(arg, (ast.BinOp, ast.Call)):
                    yield id(arg)


def _histories(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Losses that are kept without a name of their own: ``costs.append(np.sum(E ** 2))``, ``J_history[i] = …``."""
    for node in ast.walk(tree):
        held: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            name, held = key_of(node.func.value), node.args[0] if len(node.args) == 1 else None
        elif isinstance(node, ast.Call) and key_of(node.func) == "octave store" and len(node.args) > 2:
            name, held = key_of(node.args[0]), node.args[1]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
            name, held = key_of(target.value), node.value
            if isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str):
                continue  # a key names a value of its own
        if isinstance(held, (ast.BinOp, ast.Call, ast.UnaryOp)) and naming.is_loss(name):
            yield id(held), name


def key_of(node: ast.AST) -> str:
    """Return the name under which a target or an expression is known; empty if it has none."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            return node.slice.value
        if isinstance(node.slice, (ast.BinOp, ast.JoinedStr, ast.Call)):
            texts = [c.value for c in ast.walk(node.slice) if isinstance(c, ast.Constant) and isinstance(c.value, str)]
            if texts:
                return texts[0].split("%")[0]
        return key_of(node.value)
    return ""


def _run_through(tree: ast.Module) -> frozenset[tuple[str, str]]:
    """Names that a loop takes together, one before the other: ``for p, g in zip(params, grads)``."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.For):
            inner = [part for part in ast.walk(node.target) if isinstance(part, ast.Name)]
            found |= {(one.id, other.id) for one, other in itertools.combinations(inner[:6], 2)}
    return frozenset(found)


def _update_of(node: ast.Assign | ast.AugAssign, known: _Known) -> Update | None:
    target: ast.expr
    names = known.names
    if isinstance(node, ast.AugAssign):
        if not isinstance(node.op, (ast.Add, ast.Sub)):
            return None
        target, moved, down = node.target, node.value, isinstance(node.op, ast.Sub)
    else:
        if len(node.targets) != 1:
            return None
        target, value = node.targets[0], node.value
        if isinstance(value, ast.ListComp):
            return _update_in_list(node, value, names)
        if not (isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub))):
            return None
        same = ast.dump(target).replace("Store()", "Load()")
        if ast.dump(_bare(value.left)).replace("Store()", "Load()") == same:
            moved = value.right
        elif isinstance(value.op, ast.Add) and ast.dump(_bare(value.right)).replace("Store()", "Load()") == same:
            moved = value.left
        elif _new_of(target, value.left):
            moved = value.right
        else:
            return None
        down = isinstance(value.op, ast.Sub)
    key = key_of(target)
    if not key or naming.is_state(key) or (naming.is_gradient(key, names) and not (down and _of_a_step(moved, names))):
        return None
    if naming.is_loss(key) and not naming.is_parameter(key) and not _of_its_own(moved, key):
        return None
    return _moved(node, moved, key, known, down=down)


def _of_a_step(moved: ast.expr, names: frozenset[str]) -> bool:
    """Whether it is a step size times a gradient by name: ``gW1 -= lr * grad_W1`` moves a generator's weights."""
    pair = _pair(moved)
    if pair is None or pair[2]:
        return False
    step, gradient = key_of(pair[0]), key_of(pair[1])
    return naming.is_step(step) and step not in ("alpha", "ALPHA") and naming.is_gradient(gradient, names)


def _of_its_own(moved: ast.expr, key: str) -> bool:
    """Whether what a name is moved along is its own gradient by name: ``c -= lr * grad_c``."""
    names = (key_of(part) for part in ast.walk(moved) if isinstance(part, ast.Name))
    return any(key in naming.parameters_of(name) for name in names)


def _new_of(target: ast.expr, left: ast.expr) -> bool:
    """Whether ``W1 = parameters["W1"] - …`` moves the parameter of that name."""
    return bool(key_of(target)) and naming.stem(key_of(target)) == naming.stem(key_of(left))


def _moved(node: ast.stmt, moved: ast.expr, key: str, known: _Known, *, down: bool) -> Update | None:
    names = known.names
    if _divides_by_a_root(moved):
        return Update(node, None, 1.0, "")
    moved = _steps_first(node, _out_of_product(node, moved))
    sign, gradient, steps = _without_steps(moved, names)
    before = known.once.get(key_of(_bare(gradient))) if isinstance(_bare(gradient), ast.Name) and not steps else None
    if before is not None and naming.is_parameter(key):
        # the step has a name: ``change = alpha * (X.T @ d)`` of ``theta -= change``
        negated, inner, steps = _without_steps(_steps_first(before, _out_of_product(before, before.value)), names)
        if steps and not isinstance(inner, ast.Constant):
            return Update(node, inner, sign * negated * (1.0 if down else -1.0), "")
    mentioned = {key_of(p) for p in ast.walk(gradient) if isinstance(p, (ast.Name, ast.Attribute, ast.Subscript))}
    likely = any(naming.is_gradient(m, names) or "error" in m or m == "err" for m in mentioned if m)
    likely = likely or (naming.is_parameter(key) and (_of_a_transpose(gradient) or key_of(gradient) in known.products))
    likely = likely or (steps > 0 and (_same_place(node, gradient) or (key, key_of(gradient)) in known.pairs))
    if naming.is_parameter(key) and len(key_of(gradient)) > 1 and naming.is_state(key_of(gradient)):
        return Update(node, None, 1.0, "")  # along what momentum has added up: ``W = W + vW``
    if not (steps or likely) or (not likely and not naming.is_parameter(key)):
        return None
    if isinstance(gradient, ast.Constant) or (not steps and _squared(gradient)):
        return None
    if naming.is_state(key_of(gradient)) or re.match(
        r"(?i)(v|m|vel|velocity|momentum|moment|s)_?d?[wb]", key_of(gradient)
    ):
        return Update(node, None, 1.0, "")
    named = key_of(gradient) if isinstance(gradient, (ast.Name, ast.Attribute, ast.Subscript)) else ""
    return Update(node, gradient, sign if down else -sign, named)


def _same_place(node: ast.stmt, gradient: ast.expr) -> bool:
    """Whether every parameter of a dict is moved along the entry of its own key: ``p[k] -= 0.5 * g["d" + k]``."""
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]  # type: ignore[attr-defined]
    if not (isinstance(target, ast.Subscript) and isinstance(gradient, ast.Subscript)):
        return False
    own = target.slice
    within = {n.id for n in ast.walk(gradient.slice) if isinstance(n, ast.Name)}
    return isinstance(own, ast.Name) and own.id in within


def _set_once(tree: ast.Module) -> Iterator[tuple[str, ast.Assign]]:
    """Where a name is set that is set once."""
    stores = Counter(key_of(n) for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and stores[node.targets[0].id] == 1:
            yield node.targets[0].id, node


def _turned_products(tree: ast.Module) -> Iterator[str]:
    """Names of products with a transpose: ``adjustment = np.dot(X.T, error * slope)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _of_a_transpose(node.value):
            yield node.targets[0].id


def _of_a_transpose(node: ast.expr) -> bool:
    """Whether it is a product with a transpose, as gradients of weights are: ``X.T.dot(d1)``."""
    turned = any(
        (isinstance(part, ast.Attribute) and part.attr == "T") or key_of(part) in ("transpose", "octave transpose")
        for part in ast.walk(node)
    )
    product = any(
        (isinstance(part, ast.BinOp) and isinstance(part.op, ast.MatMult))
        or (isinstance(part, ast.Call) and key_of(part.func) in ("dot", "matmul", _PRODUCT))
        for part in ast.walk(node)
    )
    return turned and product


def _divides_by_a_root(node: ast.expr) -> bool:
    """Whether it is an adaptive step, along no gradient: ``lr * dW / np.sqrt(cache)``."""
    return any(
        isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div)
        and any(isinstance(p, ast.Call) and key_of(p.func) == "sqrt" for p in ast.walk(part.right))
        for part in ast.walk(node)
    )  # fmt: skip


def _steps_first(node: ast.stmt, moved: ast.expr) -> ast.expr:
    """Write ``lr * dW / m`` and ``lr / m * dW`` as ``lr * (dW / m)``: the gradient is an expression of its own."""
    factors = list(_factors(moved, inverted=False))
    steps = [f for f, inverted in factors if not inverted and _is_step(f)]
    rest = [(f, inverted) for f, inverted in factors if inverted or not _is_step(f)]
    if not steps or len(rest) < 2 or all(inverted for _, inverted in rest):
        return moved
    while rest[0][1]:
        rest.append(rest.pop(0))
    octave = isinstance(moved, ast.Call)
    gradient = rest[0][0]
    for factor, inverted in rest[1:]:
        gradient = _joined(gradient, factor, moved, octave=octave, inverted=inverted)
    made: ast.expr = gradient
    for step in reversed(steps):
        made = _joined(step, made, moved, octave=octave, inverted=False)
    return _exchanged(node, moved, made)


def _exchanged(node: ast.AST, old: ast.expr, new: ast.expr) -> ast.expr:
    """Put an expression in another's place in a part of the tree, and return it."""
    for part in ast.walk(node):
        for name in ("value", "left", "right"):
            if getattr(part, name, None) is old:
                setattr(part, name, new)
    return new


def _out_of_product(node: ast.AST, moved: ast.expr) -> ast.expr:
    """Write ``lr * X.T @ d``, which is ``(lr * X.T) @ d``, as ``lr * (X.T @ d)``: the gradient is a part of its own."""
    if isinstance(moved, ast.BinOp) and isinstance(moved.op, (ast.Mult, ast.Div)):
        _out_of_product(moved, moved.left)
        return moved
    if not isinstance(moved, ast.BinOp) or not isinstance(moved.op, ast.MatMult):
        return moved
    left = _out_of_product(moved, moved.left)
    factors = list(_factors(left, inverted=False))
    steps = [f for f, inverted in factors if not inverted and _is_step(f)]
    rest = [(f, inverted) for f, inverted in factors if inverted or not _is_step(f)]
    if not steps or all(inverted for _, inverted in rest):
        return moved
    while rest[0][1]:
        rest.append(rest.pop(0))
    first = rest[0][0]
    for factor, inverted in rest[1:]:
        first = _joined(first, factor, moved, octave=False, inverted=inverted)
    made: ast.expr = ast.copy_location(ast.BinOp(first, ast.MatMult(), moved.right), moved)
    for step in reversed(steps):
        made = _joined(step, made, moved, octave=False, inverted=False)
    return _exchanged(node, moved, made)


def _joined(left: ast.expr, right: ast.expr, where: ast.expr, *, octave: bool, inverted: bool) -> ast.expr:
    """A product or a quotient as the language of the program has it."""
    made: ast.expr = ast.BinOp(left, ast.Div() if inverted else ast.Mult(), right)
    if octave:
        name = ast.copy_location(ast.Name(_DIVIDE if inverted else _PRODUCT, ast.Load()), where)
        made = ast.Call(name, [left, right], [])
    return ast.copy_location(made, where)


_PRODUCT, _DIVIDE, _NUMBER = "octave product", "octave right divide", "octave number"


def _bare(node: ast.expr) -> ast.expr:
    """An operand without Octave's reading of it as a number."""
    if isinstance(node, ast.Call) and key_of(node.func) == _NUMBER:
        return node.args[0]
    return node


def _pair(node: ast.expr) -> tuple[ast.expr, ast.expr, bool] | None:
    """The sides of a product or a quotient, and whether it is a quotient; of both languages."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        return _bare(node.left), _bare(node.right), isinstance(node.op, ast.Div)
    if isinstance(node, ast.Call) and key_of(node.func) in (_PRODUCT, _DIVIDE):
        return node.args[0], node.args[1], key_of(node.func) == _DIVIDE
    return None


def _factors(node: ast.expr, *, inverted: bool) -> Iterator[tuple[ast.expr, bool]]:
    pair = _pair(node)
    if pair is None:
        yield node, inverted
        return
    left, right, quotient = pair
    yield from _factors(left, inverted=inverted)
    if quotient or inverted:
        yield right, quotient != inverted
    else:
        yield from _factors(right, inverted=inverted)


def _squared(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return ast.dump(node.left) == ast.dump(node.right)
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)


def _update_in_list(node: ast.stmt, value: ast.ListComp, names: frozenset[str]) -> Update | None:
    """``self.weights = [w - (eta / n) * nw for w, nw in zip(self.weights, nabla_w)]``."""
    target = key_of(node.targets[0])  # type: ignore[attr-defined]
    elements = value.elt.elts if isinstance(value.elt, ast.Tuple) else [value.elt]
    if not target or not all(isinstance(e, ast.BinOp) and isinstance(e.op, (ast.Sub, ast.Add)) for e in elements):
        return None
    over = {key_of(p) for p in ast.walk(value.generators[0].iter) if isinstance(p, (ast.Name, ast.Attribute))}
    if target in over and any(naming.is_gradient(name, names) for name in over):
        if naming.is_gradient(target, names):
            return None
        return Update(node, None, 1.0, "")
    return None


def _without_steps(node: ast.expr, names: frozenset[str]) -> tuple[float, ast.expr, int]:
    """The sign, the gradient, and how many step sizes were taken off."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, inner, steps = _without_steps(node.operand, names)
        return -sign, inner, steps
    pair = _pair(node)
    if pair is not None and not pair[2]:
        for one, other in ((pair[0], pair[1]), (pair[1], pair[0])):
            if _is_step(one):
                sign, inner, steps = _without_steps(other, names)
                return (-sign if _negative(one) else sign), inner, steps + 1
    return 1.0, node, 0


def _is_step(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_step(node.operand)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _is_step(node.left) and _is_step(node.right)
    return naming.is_step(key_of(node))


def _negative(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


_ROUNDS = ("epoch", "epochs", "it", "iter", "iteration", "iterations", "step", "ep", "episode", "n_iter", "num_iter")
_HOW_OFTEN = (
    "epoch", "iter", "num_it", "steps", "n_it", "training", "batches", "rounds", "minibatch", "mini_batch", "permut",
)  # fmt: skip
_EXAMPLES = re.compile(
    r"(?i)(x|y|(\w+_)?(data(set)?|inputs?|targets?|samples|examples|rows|labels|patterns?|pairs)|[xy]s?_?\w{0,2}(train|tr)|train_?(x|y|set)?)$"
)


def _takes_examples(loop: ast.For) -> bool:
    """Whether a loop takes one example after another, by what it runs through or calls each: ``for x, t in …``."""
    parts = loop.target.elts if isinstance(loop.target, ast.Tuple) else []
    names = [key_of(part) for part in parts]
    each = len(names) == 2 and all(_EXAMPLES.match(name) or name == "t" for name in names)
    return each or _over_examples(loop.iter)


def _over_examples(node: ast.expr) -> bool:
    """Whether a loop takes one example after another: ``zip(x_train, y_train)``, ``range(len(X))``, ``data``."""
    if isinstance(node, ast.Call) and key_of(node.func) in ("enumerate", "list", "tqdm", "reversed") and node.args:
        return _over_examples(node.args[0])
    if isinstance(node, ast.Call) and key_of(node.func) in ("range", "xrange"):
        counted = [p.args[0] for p in ast.walk(node) if isinstance(p, ast.Call) and key_of(p.func) == "len" and p.args]
        return any(_EXAMPLES.match(key_of(part)) is not None for part in counted)
    parts = node.args if isinstance(node, ast.Call) and key_of(node.func) == "zip" else [node]
    return any(isinstance(p, (ast.Name, ast.Attribute)) and _EXAMPLES.match(key_of(p)) is not None for p in parts)


def _training(tree: ast.Module, updates: Mapping[int, Update]) -> tuple[list[int], list[int]]:
    """Loops that hold an update, or call what holds one: by their words, or where they turn out long."""
    with_updates = _functions_with_updates(tree, updates) | _updates_elsewhere(tree)
    training, long = [], []
    for node in ast.walk(tree):
        if not isinstance(node, (ast.For, ast.While)):
            continue
        inside = [part for statement in node.body for part in ast.walk(statement)]
        if not any(id(part) in updates for part in inside) and not any(
            isinstance(part, ast.Call) and key_of(part.func) in with_updates for part in inside
        ):
            continue
        if isinstance(node, ast.While):
            training.append(id(node))
            continue
        if _through_parameters(node, [part for part in inside if id(part) in updates]):
            continue
        names = [key_of(p).lower() for p in ast.walk(node.iter) if isinstance(p, (ast.Name, ast.Attribute))]
        target = key_of(node.target).lower()
        often = any(word in name for name in names for word in _HOW_OFTEN)
        if target in _ROUNDS or often or _takes_examples(node) or _only_counts(node):
            training.append(id(node))
        else:
            long.append(id(node))
    # a loop around one that trains trains again and again: ``for alpha in alphas``
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and id(node) not in training]
    again = [id(loop) for loop in loops if any(id(part) in training for part in ast.walk(loop))]
    return training + again, [place for place in long if place not in again]


def _through_parameters(loop: ast.For, updates: list[ast.AST]) -> bool:
    """Whether a loop moves one parameter after another: ``for p in net.parameters(): p.data -= lr * p.grad``."""
    own = {part.id for part in ast.walk(loop.target) if isinstance(part, ast.Name)}
    targets = [update.targets[0] if isinstance(update, ast.Assign) else update.target for update in updates]  # type: ignore[attr-defined]
    return bool(targets) and all(isinstance(t, ast.Attribute) and key_of(t.value) in own for t in targets)


_UPDATES_ELSEWHERE = re.compile(r"(?i)update_?(param|weight)\w*|(sgd|adam|momentum)_update")


def _updates_elsewhere(tree: ast.Module) -> set[str]:
    """Functions that update by their names, and that another file defines."""
    called = {key_of(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return {name for name in called - own if _UPDATES_ELSEWHERE.fullmatch(name)}


def _only_counts(loop: ast.For) -> bool:
    """Whether each iteration does the same: the loop's variable is only shown, or asked whether it is time to show."""
    if not isinstance(loop.target, ast.Name):
        return False
    left: list[ast.AST] = list(loop.body)
    while left:
        part = left.pop()
        if isinstance(part, ast.Name) and part.id == loop.target.id:
            return False
        if isinstance(part, ast.If):
            left += [*part.body, *part.orelse]
        elif not (
            isinstance(part, ast.Expr) and isinstance(part.value, ast.Call) and key_of(part.value.func) in _SHOWS
        ):
            left += ast.iter_child_nodes(part)
    return True


_SHOWS = ("print", "printf", "fprintf", "disp", "display", "plot", "title")


def _functions_with_updates(tree: ast.Module, updates: Mapping[int, Update]) -> set[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found = {f.name for f in functions if any(id(part) in updates for part in ast.walk(f))}
    while True:
        more = {
            f.name
            for f in functions
            if any(isinstance(part, ast.Call) and key_of(part.func) in found for part in ast.walk(f))
        }
        if more <= found:
            return found
        found |= more
