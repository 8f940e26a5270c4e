"""`Scope`: the names that a formula may use in one convention, with what readers of many courses call them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from jacobians.array_names import ArrayNames
from jacobians.arrays import Array, Shape, size_of
from jacobians.auditing.formula_text import Source, Span
from jacobians.auditing.random_batches import RandomBatches
from jacobians.auditing.terms import Term, call, leaf, number
from jacobians.derivation.names import Names
from jacobians.operations import Elementwise, Loss, textbook_functions
from jacobians.symbols.expressions import Add, Call, Expr, Hadamard, Number, Ones, Symbol, WithOnes
from jacobians.symbols.named_functions import Function
from jacobians.symbols.numpy import ones_name

LOSS_NAMES = ("L", "J", "loss", "cost", "C", "E", "R")
STRENGTHS = ("lam", "lambda", "reg", "alpha", "λ", "α", "l2", "weight_decay", "wd")
_COUNTS = ("N", "m", "n", "batch_size", "num_train", "n_samples", "num_examples")
_CLASSES = ("C", "num_classes", "n_classes", "classes", "n_outputs")
_TARGETS = ("T", "t", "targets", "target", "labels", "y_true", "y")
_INPUTS = ("inputs", "input", "data", "x")


def _synonyms_of(setting: RandomBatches) -> Mapping[str, str]:
    """Return the convention's name for every synonym that means one thing only; none hides a name of its own."""
    own = setting.first.values
    found: dict[str, set[str]] = {}
    for synonym, name in _pairs(setting):
        if name in own and synonym not in own:
            found.setdefault(synonym, set()).add(name)
    return {synonym: names.pop() for synonym, names in found.items() if len(names) == 1}


def _pairs(setting: RandomBatches) -> Iterator[tuple[str, str]]:
    network, run = setting.network, setting.first.run
    words, names = network.convention.names, Names(run)
    last = names.outputs[-1]
    inputs = (*_INPUTS, words.of("post", 0), f"A{words.first_units}", f"H{words.first_units}")
    fixed = {words.count: _COUNTS, "K": _CLASSES, words.strength: STRENGTHS, "Y": _TARGETS, "X": inputs}
    yield from ((synonym, name) for name, synonyms in fixed.items() for synonym in synonyms)
    for name in run.params:
        yield from _parameter(name, words, len(run.params))
    for stop in names.outputs:
        yield from _stop(stop, names, stop == last)
    prediction = names.prediction
    yield from ((s, prediction) for s in ("probs", "prob", "P", "yhat", "y_hat", "pred", "output", "o", "h"))
    yield "dX", words.gradient_of("X")
    yield f"A{names.of(last)[1:]}", prediction
    yield f"A{names.of(last)[1:]}", names.of(last) if not last.startswith("Z") else ""


def _parameter(name: str, names: ArrayNames, parameters: int) -> Iterator[tuple[str, str]]:
    """Of a weight or a bias, and of the gradient by it."""
    letters, index = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")) :]
    spellings = ("W", "w", "Theta", "theta", "Θ", "θ") if names.is_weight(name) else (letters, letters.lower(), "b")
    single = parameters <= 2 and index == "1"
    for own in spellings:
        for k in (index, *[""] * single):
            yield f"{own}{k}", name
            for gradient in (f"d{own}{k}", f"grad_{own}{k}", f"{own}{k}_grad", f"grad{own}{k}"):
                yield gradient, names.gradient_of(name)
            for of in LOSS_NAMES:
                yield f"d{of}_d{own}{k}", names.gradient_of(name)


def _stop(stop: str, names: Names, last: bool) -> Iterator[tuple[str, str]]:
    """Of an output on the way forward, and of the cotangent there."""
    own, cotangent = names.of(stop), names.cotangent(stop)
    letter, index = stop[0], own.strip("p")[len(own.rstrip("p0123456789")) :]
    forward = {"Z": ("Z", "z", "net"), "A": ("A", "a", "H", "h")}.get(letter, (own,))
    for k in (index, *[""] * (stop in ("Z1", "A1") and last)):
        for spelling in forward:
            yield f"{spelling}{k}", own
            for gradient in (f"d{spelling}{k}", f"grad_{spelling}{k}", f"dL_d{spelling}{k}"):
                yield gradient, cotangent
        if letter == "Z":
            for spelling in ("delta", "Delta", "δ", "Δ", "d", "D"):
                yield f"{spelling}{k}", cotangent
    if letter == "A":
        yield "hidden", own
        yield "dhidden", cotangent
    if last:
        for spelling in ("scores", "logits", "f"):
            yield spelling, own
            yield f"d{spelling}", cotangent


_GRADIENTS = ("_prime", "_gradient", "gradient", "_grad", "grad", "_derivative", "prime", "p", "'")
_SPELLINGS = {
    **dict.fromkeys(("sigma", "logistic", "expit"), "sigmoid"),
    "phi": "normal_cdf",
    "logsoftmax": "log_softmax",
    "leakyrelu": "leaky_relu",
    "swish": "silu",
    "ln": "log",
}
_LARGEST = 1e15


@dataclass(frozen=True, eq=False)
class Scope:
    """What names mean, in one convention.

    Attributes
    ----------
    setting : RandomBatches
    symbols : dict
        By the name that the convention's source uses.
    synonyms : dict
        From what else they are called to the names of `symbols`.
    own : dict
        Names that the caller defined: their expressions are symbols too.
    definitions : dict
        What the caller defined them as.
    target : str
        The name on the left side, which the right side may not use.
    """

    setting: RandomBatches
    symbols: Mapping[str, Expr]
    synonyms: Mapping[str, str]
    own: dict[str, Expr] = field(default_factory=dict)
    definitions: dict[str, Expr] = field(default_factory=dict)
    target: str = ""

    @classmethod
    def of(cls, setting: RandomBatches) -> Scope:
        """Return the names of a setting."""
        values = setting.first.values
        symbols: dict[str, Expr] = {name: Symbol(name, array.shape) for name, array in values.items()}
        layout = setting.network.layout
        if layout.absorbs_bias:
            for name, array in values.items():
                if array.ndim == 2 and name[0] in "XAZ":
                    ones = WithOnes(symbols[name], layout.feature_axis % 2, layout.bias == "first")
                    symbols.setdefault(ones_name(Symbol(name, array.shape)), ones)
        return cls(setting, symbols, _synonyms_of(setting))

    # --- symbols ---------------------------------------------------------------------------------

    def symbol(self, name: str) -> Expr | None:
        """Return what a name stands for, or None; a synonym never hides a name of the convention."""
        if name in self.own:
            return self.own[name]
        found = self.canonical(name)
        return None if found is None else self.symbols[found]

    def canonical(self, name: str) -> str | None:
        """Return the convention's own name for a name, or None."""
        own = dict(zip(self.symbols, self.symbols, strict=True))
        known = {**self.synonyms, **own}
        if name in known:
            return known[name]
        for table in (own, known):
            found = {target for spelling, target in table.items() if _key(spelling) == _key(name)}
            if len(found) == 1:
                return found.pop()
        return None

    def near(self, name: str) -> str:
        """Return the end of a sentence that names what the reader may have meant."""
        shown = [n for n in self.symbols if not n.startswith("J_")]
        near = get_close_matches(name, [*shown, *self.own, *self.known, "softmax", "log_softmax"], n=3, cutoff=0.5)
        near = near or [self.synonyms[s] for s in get_close_matches(name, self.synonyms, n=2, cutoff=0.7)]
        if near:
            return f"did you mean {' or '.join(dict.fromkeys(near))}?"
        return f"the names are {', '.join([*shown, *self.own])}"

    def updates(self, name: str) -> str | None:
        """Return the array W that one of the caller's names is a step of gradient descent from, as in W − c·dW."""
        gradient_of = self.setting.network.convention.names.gradient_of
        match self.definitions.get(name):
            case Add(Symbol(W), Hadamard(_, Symbol(gradient)) | Symbol(gradient), minus=True) if (
                gradient == gradient_of(W)
            ):
                return W
        return None

    def values(self, draw: int) -> Mapping[str, Array]:
        """Return the arrays of one draw by name."""
        return self.setting.draws[draw].values

    # --- functions -------------------------------------------------------------------------------

    @cached_property
    def known(self) -> Mapping[str, Function]:
        """The functions by their names in programs: the library's, and those of the network's own parts and loss."""
        network = self.setting.network
        parts = [part for part in network.chain.parts if isinstance(part, Elementwise)]
        own = [part.function(prime=prime) for part in parts for prime in (False, True)]
        if type(network.loss).in_symbols is Loss.in_symbols:
            own.append(network.loss.function())
        return textbook_functions() | {function.name: function for function in own}

    def function(self, name: str) -> str | None:
        """Return the name under which a function is known, or None; g is the network's own activation."""
        if name in self.known:
            return name
        lower = name.lower().replace(" ", "_")
        primed = next((end for end in _GRADIENTS if lower.endswith(end) and len(lower) > len(end)), "")
        candidates = [(lower, "")]
        if primed:
            candidates.append((lower.removesuffix(primed), "_prime"))
        if lower.startswith("d") and lower != "d":
            candidates.append((lower[1:].lstrip("_"), "_prime"))
        for base, suffix in candidates:
            found = self._base(base)
            if found and found + suffix in self.known:
                return found + suffix
        return None

    def complete(self, function: str, arguments: int) -> tuple[float, ...] | None:
        """Return the numbers to add to a call with so many arguments, or None where the count is wrong."""
        wanted = self.known[function].arguments
        if arguments == wanted:
            return ()
        missing = wanted - arguments
        for expr in self._activations():
            own = [a.value for a in expr.arguments[1:] if isinstance(a, Number)]
            if expr.function.name.removesuffix("_prime") == function.removesuffix("_prime") and len(own) >= missing > 0:
                return tuple(own[-missing:])
        return None

    def activation_derivatives(self) -> Iterator[tuple[str, tuple[float, ...]]]:
        """Yield the derivative of every activation of the network, with its further arguments."""
        for expr in self._activations():
            yield expr.function.name, tuple(a.value for a in expr.arguments[1:] if isinstance(a, Number))

    def _base(self, name: str) -> str | None:
        batch = self.setting.network.layout.batch
        if name in ("g", "f", "h", "act", "activation"):
            own = {expr.function.name for expr in self._activations()}
            return own.pop().removesuffix("_prime") if len(own) == 1 else None
        name = _SPELLINGS.get(name, name)
        for candidate in (name, f"{name}_{batch}"):
            if candidate in self.known:
                return candidate
        shown = [n for n, f in self.known.items() if not f.prime and f.shown.replace(" ", "_") == name]
        return next((f for f in shown if not f.endswith(("_rows", "_columns")) or f.endswith(batch)), None)

    def _activations(self) -> list[Call]:
        exprs = [
            part.derivative_of(Symbol("Z", (1, 1)))
            for part in self.setting.network.chain.parts
            if isinstance(part, Elementwise)
        ]
        return [expr for expr in exprs if isinstance(expr, Call)]

    # --- terms -----------------------------------------------------------------------------------

    def name(self, name: str, source: Source, span: Span) -> Term:
        """Return the term of a symbol."""
        found = self.symbol(name)
        if found is None:
            if self.function(name):
                raise source.error(f"{name!r} is a function; write {name}(…)", span)
            raise source.error(f"{name!r} is unknown; {self.near(name)}", span)
        if isinstance(found, Symbol) and found.name == self.target:
            raise source.error(f"a formula for {self.target} cannot use {self.target} itself", span)
        return leaf(found, span)

    def number(self, value: object, source: Source, span: Span) -> Term:
        """Return the term of a literal."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise source.error(f"a literal is a real number, not {type(value).__name__}", span)
        if abs(value) > _LARGEST or not math.isfinite(value):
            raise source.error(f"a number is at most {_LARGEST:g}", span)
        return number(float(value), span)

    def size(self, name: str) -> int | None:
        """Return the whole number that a name stands for, such as N, or None."""
        found = self.symbol(name)
        if isinstance(found, Symbol) and found.dims == () and found.name in self.values(0):
            value = float(self.values(0)[found.name])
            return int(value) if value.is_integer() else None
        return None

    def ones(self, dims: Shape, source: Source, span: Span) -> Term:
        """Return an array of ones; its sizes are sizes that the network has."""
        known = {1, *(n for expr in self.symbols.values() for n in expr.shape)}
        for n in dims:
            if n not in known:
                count = self.setting.examples
                raise source.error(f"nothing here has {n} entries; there are {count} examples: write np.ones(N)", span)
        if size_of(dims) > 10**6:
            raise source.error("so many ones are not written out", span)
        return leaf(Ones(dims), span)

    def call(self, function: str, arguments: Sequence[Term], source: Source, span: Span) -> Term:
        """Return the term of a call of a known function."""
        more = self.complete(function, len(arguments)) if arguments else None
        if more is None:
            raise source.error(f"{function} does not take {len(arguments)} arguments", span)
        return call(function, (*arguments, *map(number, more)), span)

    def no_function(self, name: str) -> str:
        """Return what to say of a name that is called, and is no function."""
        return f"{name!r} is no function that is known here; {self.near(name)}"


def _key(name: str) -> str:
    return name.lower().replace("_", "")
