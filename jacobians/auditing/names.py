"""`Scope`: the names that a formula may use in one convention, and what they mean."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape, counted, show_shape, size_of
from jacobians.auditing.claims import Claim, claims
from jacobians.auditing.course_words import GENERIC, LABELS, LISTS, LOSS_NAMES, names_of_role, synonyms_of
from jacobians.auditing.formula_text import Source, Span
from jacobians.auditing.random_batches import RandomBatches
from jacobians.auditing.terms import Builder, ClashError, Term, call, leaf, number
from jacobians.derivation.equations import Equation
from jacobians.derivation.names import Names
from jacobians.errors import FormulaError
from jacobians.operations import Elementwise, Loss, textbook_functions
from jacobians.symbols.expressions import Add, Call, Expr, Hadamard, Number, Ones, Symbol, WithOnes
from jacobians.symbols.named_functions import Function
from jacobians.symbols.numpy import ones_name
from jacobians.symbols.simplify import transposed


def _columns(
    setting: RandomBatches, symbols: Mapping[str, Expr], known: Mapping[str, Claim]
) -> Iterator[tuple[str, str, Claim]]:
    """Yield the weights of a single output as the column that regressions have, θ or w, and its gradient."""
    run, words = setting.first.run, setting.network.convention.names
    weights = [name for name in run.params if words.is_weight(name)]
    if len(weights) != 1 or setting.network.layout.weights != "rows" or symbols[weights[0]].shape[0] != 1:
        return
    (name,) = weights
    whole = known[setting.gradient_name(name)]
    right, own = whole.nearest.right, f"{whole.name}_column"
    assert isinstance(right, Expr)
    if isinstance(right, Add):
        right = Add(transposed(right.left), transposed(right.right), minus=right.minus)
    else:
        right = transposed(right)
    truths = tuple(true.T for true in whole.truths)
    left = Symbol(own, truths[0].shape)
    yield name, f"{name}_column", Claim(own, f"{whole.meaning}, as a column", truths, Equation(left, right), name)


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
_ELEMENTARY: Mapping[str, Callable[..., Any]] = {
    "sqrt": lambda z: np.sqrt(z),
    "cosh": lambda z: np.cosh(z),
    "sinh": lambda z: np.sinh(z),
    "abs": lambda z: np.abs(z),
    "sign": lambda z: np.sign(z),
    "max_rows": lambda z: np.broadcast_to(z.max(axis=1, keepdims=True), z.shape),
    "max_columns": lambda z: np.broadcast_to(z.max(axis=0, keepdims=True), z.shape),
}
"""What programs call beside the library's functions; a largest entry is repeated over its row or column."""


@dataclass(frozen=True, eq=False)
class Scope:
    """What names mean, in one convention and one reading of the names that mean several things.

    Attributes
    ----------
    setting : RandomBatches
    symbols : dict
        By the name that the convention's source uses.
    synonyms : dict
        From what else they are called to the names of `symbols`: more than one where a name means several things.
    claims : dict
        Everything that a formula can be checked for, by name.
    by_key : tuple of dict
        What the names of `symbols` and `claims`, then the synonyms, stand for, by their keys: see `_key`.
    own : dict
        Names that the caller defined: their expressions are symbols too.
    definitions : dict
        What the caller defined them as.
    target : str
        The name on the left side, which the right side may not use.
    choices : dict
        Which of several things a name means.
    layer : int or None
        The layer that names without a number belong to.
    terms : dict
        What the text's own assignments have made of its names; an error where that could not be read.
    used : set
        Those of them that a later line uses.
    loops : set
        The names that count examples, within loops.
    asked : dict
        The names that mean several things and were used, with all that they mean.
    notes : dict
        What was taken for granted, in clauses.
    written : dict
        How the text writes the names of `symbols` and of `known` that it uses.
    elements : str
        The letters of the entries that the left side names, in w_{jk}.
    several : bool
        Whether the text has several lines.
    """

    setting: RandomBatches
    symbols: Mapping[str, Expr]
    synonyms: Mapping[str, tuple[str, ...]]
    claims: Mapping[str, Claim]
    by_key: tuple[Mapping[str, set[str]], ...]
    own: dict[str, Expr] = field(default_factory=dict)
    definitions: dict[str, Expr] = field(default_factory=dict)
    target: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    layer: int | None = None
    terms: dict[str, Term | FormulaError] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    loops: set[str] = field(default_factory=set)
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    elements: str = ""
    several: bool = False

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
        synonyms: dict[str, dict[str, None]] = {}
        for synonym, name in synonyms_of(setting):
            if name in symbols and synonym not in values:
                synonyms.setdefault(synonym, {})[name] = None
        found = {claim.name: claim for claim in claims(setting)}
        for name, column, claim in _columns(setting, symbols, found):
            symbols[column], found[claim.name] = transposed(symbols[name]), claim
            for synonym in ("theta", "w", "θ", "initial_theta"):
                synonyms[synonym] = {column: None, **synonyms.get(synonym, {})}
                for gradient in (f"d{synonym}", f"{synonym}_grad", "grad", "gradient"):
                    synonyms[gradient] = {claim.name: None, **synonyms.get(gradient, {})}
                for of in LOSS_NAMES:
                    synonyms[f"d{of}_d{synonym}"] = {claim.name: None, **synonyms.get(f"d{of}_d{synonym}", {})}
        meant = {s: tuple(names) for s, names in synonyms.items()}
        by_key = (_by_key({n: (n,) for n in (*symbols, *found)}), _by_key(meant))
        return cls(setting, symbols, meant, found, by_key)

    def apart(self) -> Scope:
        """Return the same names, which can learn others: none of these is known here."""
        draws = tuple(replace(draw, values=dict(draw.values)) for draw in self.setting.draws)
        setting = replace(self.setting, draws=draws)
        return replace(self, setting=setting, own=dict(self.own), definitions=dict(self.definitions))

    def reading(self, choices: Mapping[str, str], layer: int | None) -> Scope:
        """Return the same names with some choices made, before any line of a text."""
        fresh: dict[str, Any] = {"terms": {}, "used": set(), "loops": set(), "asked": {}, "notes": {}, "written": {}}
        return replace(self, choices=choices, layer=layer, **fresh)

    @property
    def examples(self) -> int:
        """How many examples a batch has."""
        return self.setting.examples

    @property
    def count_name(self) -> str:
        """What their number is called."""
        return self.setting.count_name

    @property
    def feature_axis(self) -> int:
        """The axis of a batch along which the features lie."""
        return self.setting.network.layout.feature_axis

    # --- symbols ---------------------------------------------------------------------------------

    def symbol(self, name: str) -> Expr | None:
        """Return what a name stands for, or None; a synonym never hides a name of the convention."""
        if name in self.own:
            return self.own[name]
        found = self.canonical(name)
        return None if found is None else self.symbols.get(found)

    def knows(self, name: str) -> bool:
        """Whether a name stands for something."""
        return name in self.terms or self.symbol(name) is not None

    def canonical(self, name: str, *, left: bool = False) -> str | None:
        """Return the convention's own name for a name, or None.

        Where it means several things, the reading chooses; a left side is chosen for itself.
        """
        found = self.meanings(name)
        words = self.setting.network.convention.names
        if (
            found
            and not ("{" in name or "[" in name or name in GENERIC)
            and found[0] not in ("K", words.count, words.strength)
        ):
            self.asked["fixed"] = ()
        key = f"{name} =" if left else name
        if name in GENERIC and self.layer is not None and len(GENERIC[name]) > 1 and found:
            self.asked[key] = GENERIC[name]
            of_role = self._of_roles((self.choices.get(key, GENERIC[name][0]),))
            return of_role[0] if of_role else None
        if len(found) < 2:
            return found[0] if found else None
        self.asked[key] = found
        chosen = self.choices.get(key, found[0])
        return chosen if chosen in found else None

    def meanings(self, name: str) -> tuple[str, ...]:
        """Return the convention's own names for all that a name can mean."""
        if "[" in name:
            return self._in_list(name)
        if "{" in name:
            return tuple(dict.fromkeys(n for own in self._numbered(name) for n in self.meanings(own)))
        if name in self.symbols or name in self.claims:
            return (name, *self._with_ones(name))
        layered = self._of_layer(name) if name in GENERIC else ()
        synonyms = self.synonyms.get(name, ())
        if layered:
            return (*(n for n in synonyms if n.endswith("_column")), *layered)
        if synonyms:
            return synonyms
        for near in self.by_key:
            if len(found := near.get(_key(name), ())) == 1:
                return tuple(found)
        return ()

    def _with_ones(self, name: str) -> tuple[str, ...]:
        """X of a single layer may hold its entry of ones already."""
        ones = next((n for n in ("X_ones", "A1") if n in self.symbols), None)
        single = len(self.setting.first.run.params) == 1
        return (ones,) if name == "X" and ones and (single or self.several) else ()

    def _of_layer(self, name: str) -> tuple[str, ...]:
        """What a name without a number means in the reading's layer."""
        if self.layer is None:
            self.asked["layer"] = ()
            return ()
        return self._of_roles(GENERIC[name])

    def _of_roles(self, roles: Sequence[str]) -> tuple[str, ...]:
        """What the convention calls the arrays of some roles, counted from the reading's layer."""
        found = list[str]()
        for role in roles:
            if self.layer is None:
                return ()
            kind, _, offset = role.partition(":")
            layer = self.layer + int(offset)
            if layer >= 0:
                found += names_of_role(f"{kind}:{layer}", self.setting)
        if set(found) & set(self.setting.at_the_output):
            self.asked["output"] = ()
        return tuple(dict.fromkeys(n for n in found if n in self.symbols or n in self.claims))

    def _in_list(self, name: str) -> tuple[str, ...]:
        """What an entry of a list of layers is, such as activations[-2] or coefs_[layer]."""
        of, _, index = name.rstrip("]").partition("[")
        role, first = LISTS[of]
        words = self.setting.network.convention.names
        layers = sum(map(words.is_weight, self.setting.first.run.params))
        found = re.fullmatch(r"(-?)(\d+|[a-z]+)(?:([-+])(\d+))?", index.replace(" ", ""))
        if found is None:
            return ()
        offset = int(f"{found[3] or ''}{found[4] or 0}")
        if found[2].isdigit() or found[2] == "last":
            self.asked["fixed"] = ()
        if found[2].isdigit():
            place = int(found[2])
        elif found[2] == "last":
            place = layers - 1
        elif self.layer is None:
            self.asked["layer"] = ()
            return ()
        else:
            place = self.layer if found[1] else self.layer - 1
        place = offset - place if found[1] else offset + place
        place += layers + (role == "post") if place < 0 else 0
        found_ = names_of_role(f"{role}:{place + first}", self.setting) if place + first >= 0 else ()
        return tuple(n for n in found_ if n in self.symbols or n in self.claims)

    def _numbered(self, name: str) -> Iterator[str]:
        """What z{l+1} and W{L} mean: l is the reading's layer, L the last."""
        base, _, rest = name.partition("{")
        index, _, end = rest.partition("}")
        found = re.fullmatch(r"(\w+?)(?:([-+−])(\d+))?", index)
        if found is None:
            return
        offset = int(found[3] or 0) * (1 if found[2] == "+" else -1)
        count = sum(map(self.setting.network.convention.names.is_weight, self.setting.first.run.params))
        if found[1] == "L":
            units = self.setting.network.convention.names.first_units
            letters = base.lstrip("d")
            as_units = letters[:1].lower() not in ("w", "b", "t", "θ") or not units
            yield f"{base}{count + (units if as_units else 0) + offset}{end}"
        elif self.layer is None:
            self.asked["layer"] = ()
        else:
            yield f"{base}{self.layer + offset}{end}"

    def near(self, name: str) -> str:
        """Return the end of a sentence that names what the reader may have meant."""
        shown = [n for n in self.symbols if not n.startswith("J_")]
        near = get_close_matches(name, [*shown, *self.own, *self.known, "softmax", "log_softmax"], n=3, cutoff=0.5)
        near = near or [self.synonyms[s][0] for s in get_close_matches(name, self.synonyms, n=2, cutoff=0.7)]
        if near:
            return f"did you mean {' or '.join(dict.fromkeys(near))}?"
        return f"the names are {', '.join([*shown, *self.own])}"

    def updates(self, name: str) -> str | None:
        """Return the array W that one of the caller's names is a step of gradient descent from, as in W − c·dW."""
        match self.definitions.get(name):
            case Add(Symbol(W), Hadamard(_, Symbol(gradient)) | Symbol(gradient), minus=True):
                return W if W in self.setting.network.names and gradient == self.setting.gradient_name(W) else None
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
        elementary = {name: Function(name, name, run) for name, run in _ELEMENTARY.items()}
        return elementary | textbook_functions() | {function.name: function for function in own}

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
        if primed and candidates[-1][0] in ("phi", "rho", "psi"):
            candidates.append(("g", "_prime"))
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
        if name in ("g", "f", "h", "act", "activation", "varphi", "φ", "ϕ"):
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
        """Return the term of a name: what the text has made of it, or a symbol."""
        if name in self.terms:
            self.used.add(name)
            held = self.terms[name]
            if isinstance(held, FormulaError):
                raise held
            return held
        found = self.symbol(name)
        if found is None:
            if self.function(name):
                raise source.error(f"{name!r} is a function; write {name}(…)", span)
            raise source.error(f"{name!r} is unknown; {self.near(name)}", span)
        if isinstance(found, Symbol) and found.name == self.target:
            raise source.error(f"a formula for {self.target} cannot use {self.target} itself", span)
        if isinstance(found, Symbol) and name.isidentifier():
            self.written.setdefault(found.name, name)
            if found.name == "Y" and name in LABELS and found.ndim == 2 and found.shape[self.feature_axis] > 1:
                kind = self.setting.network.loss.takes
                if kind == "labels":
                    self.notes[f"{name} is one-hot, {show_shape(found.shape)}, not a list of labels"] = None
        return leaf(found, span)

    def derivative(self, of: str, wrt: str, source: Source, span: Span) -> Term:
        """Return ∂L/∂Z as a cotangent or gradient, and ∂A/∂Z, where A is an activation of Z, as its derivative at Z."""
        if of in LOSS_NAMES:
            primal = self.canonical(wrt)
            found = [n for n in (f"d{wrt}", f"dL_d{wrt}") if self.symbol(n) is not None]
            if not found and primal is not None:
                own = self.setting.gradient_name(primal), Names(self.setting.first.run).cotangents.get(primal)
                found = [n for n in own if n and self.symbol(n) is not None]
            if found:
                return self.name(found[0], source, span)
        run = self.setting.first.run
        names = Names(run)
        for part, before, stop in zip(run.network.chain.parts, ("X", *names.outputs), names.outputs, strict=False):
            ends = self.canonical(of), self.canonical(wrt)
            if isinstance(part, Elementwise) and ends == (names.of(stop), names.of(before)):
                derivative = part.derivative_of(self.symbols[names.of(before)])
                if isinstance(derivative, Call):
                    more = (number(a.value) for a in derivative.arguments[1:] if isinstance(a, Number))
                    return call(derivative.function.name, (leaf(derivative.arguments[0], span), *more), span)
        raise source.error(
            f"∂{of}/∂{wrt} is not read here; a loss may be differentiated, and an activation with respect to its input",
            span,
        )

    def length(self, of: Term, axis: int, source: Source, span: Span) -> Term:
        """Return A.shape[axis]: the number of examples by its name, or a number."""
        try:
            shape = Builder(self.setting.examples, self.known).build(of).shape
        except ClashError as clash:
            raise source.error(clash.message, clash.term.span) from None
        if axis >= len(shape):
            raise source.error(f"a {show_shape(shape)} array has no axis {axis}", span)
        if shape[axis] == self.setting.examples:
            return leaf(Symbol(self.setting.count_name, ()), span)
        return number(shape[axis], span)

    def number(self, value: object, source: Source, span: Span) -> Term:
        """Return the term of a literal."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise source.error(f"a literal is a real number, not {type(value).__name__}", span)
        if abs(value) > _LARGEST or not math.isfinite(value):
            raise source.error(f"a number is at most {_LARGEST:g}", span)
        return number(float(value), span)

    def size(self, name: str) -> int | None:
        """Return the whole number that a name stands for, such as N, or None."""
        held = self.terms.get(name)
        found = held.detail if isinstance(held, Term) and held.kind == "leaf" else self.symbol(name)
        if isinstance(found, Number) and found.value.is_integer():
            return int(found.value)
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
                raise source.error(
                    f"nothing here has {counted(n, 'entry', 'entries')}, and there "
                    f"{'is' if count == 1 else 'are'} {counted(count, 'example')}: write np.ones(N)",
                    span,
                )
        if size_of(dims) > 10**6:
            raise source.error("so many ones are not written out", span)
        return leaf(Ones(dims), span)

    def call(self, function: str, arguments: Sequence[Term], source: Source, span: Span) -> Term:
        """Return the term of a call of a known function."""
        more = self.complete(function, len(arguments)) if arguments else None
        if more is None:
            raise source.error(f"{function} does not take {counted(len(arguments), 'argument')}", span)
        called = re.match(r"\s*(\w+)\(", source.part(span))
        if called and self.function(called[1]) == function:
            self.written.setdefault(f"{function}()", called[1])
        return call(function, (*arguments, *map(number, more)), span)

    def no_function(self, name: str) -> str:
        """Return what to say of a name that is called, and is no function."""
        return f"{name!r} is no function that is known here; {self.near(name)}"


def _by_key(table: Mapping[str, tuple[str, ...]]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for spelling, targets in table.items():
        found.setdefault(_key(spelling), set()).update(targets)
    return found


def _key(name: str) -> str:
    """A name without underscores and capitals, but that Δ is not δ, Delta not delta, and D not d."""
    plain = name.replace("_", "")
    return f"Δ{plain.lower()}" if re.match(r"Delta|Δ|D\d", plain) else plain.lower()
