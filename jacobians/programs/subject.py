"""One way into a program, on one guess of its data, that can be run again and again."""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.chain_rule import Following, Marking, Tape
from jacobians.programs.data import HIDDEN, Data, Guess, free_sizes, is_size, random_of
from jacobians.programs.entries import Entry, arguments_of, computes_loss
from jacobians.programs.evaluator import Evaluator
from jacobians.programs.evaluator.numpy_functions import numpy_table
from jacobians.programs.meanings import assumed_meanings
from jacobians.programs.octave.functions import octave_functions
from jacobians.programs.plan import Plan, key_of
from jacobians.programs.recording import ReachedError, Recording, Run
from jacobians.programs.source import Source
from jacobians.programs.uses import Uses
from jacobians.programs.values import Budget, BuiltIn, Frame, LimitError, Limits, ProgramError, Unread, UnreadError
from jacobians.programs.wanted import Decisions, Wanted, WantedError

Tables = Callable[[Budget, np.random.Generator], Mapping[str, Any]]
Visit = Callable[[Evaluator, Frame], None]
PAIR_LOSS = "sum(out * dout)"
_MOST_DECISIONS = 40


class _Visited(Evaluator):
    """An evaluator that is looked at before some statements."""

    visits: Mapping[int, Visit]

    def _statement(self, node: ast.stmt, frame: Frame) -> None:
        visit = self.visits.get(id(node))
        if visit is not None:
            self.line = node.lineno
            visit(self, frame)
        super()._statement(node, frame)


@dataclass(eq=False)
class Subject:
    """An entry of a program with data.

    Attributes
    ----------
    source, plan, uses, entry, guess
    seed : int
    strength : float
        Of the regulariser.
    limits : Limits
    runs, steps, tried : int
        How often it was run, the evaluator's steps in the longest run, and those for edits tried in their place.
    tables : tuple of callables
        Beside NumPy's, from the budget and the seed to functions by their names.
    """

    source: Source
    plan: Plan
    uses: Uses
    entry: Entry
    guess: Guess
    seed: int = 0
    strength: float = 0.37
    limits: Limits = field(default_factory=Limits)
    tables: tuple[Tables, ...] = ()
    runs: int = 0
    steps: int = 0
    tried: int = 0
    given: dict[str, str] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=Decisions)
    _tables: Any = None
    _found: dict[str, Any] = field(default_factory=dict)
    _meanings: Any = None
    _budget: Any = None
    _rng: Any = None
    _start: Any = None
    _evaluator: Any = None
    _settled: bool = False

    def run(
        self,
        changes: Mapping[int, Callable[[Any], Any]] | None = None,
        *,
        freeze: bool = True,
        keep: bool = True,
        stop: int | None = None,
        only: frozenset[int] | None = None,
        visits: Mapping[int, Visit] | None = None,
        moving: frozenset[int] = frozenset(),
    ) -> tuple[Run, Recording]:
        """Run the program from its start, with changes at some events, perhaps only up to one of them.

        Parameters
        ----------
        changes : mapping of int to callable, optional
        freeze, keep, stop, only, moving
            As in `Recording`.
        visits : mapping of int to callable, optional
            By a statement's identity: what is called with the evaluator and the frame each time before it is run.
        """
        self.runs += 1
        # what the data are was decided when the program first ran: one that an edit breaks decides nothing
        first = not changes and keep and not visits and not self._settled
        for _ in range(_MOST_DECISIONS if first else 1):
            how = Recording(self.plan, changes, freeze=freeze, keep=keep, stop=stop, only=only, moving=moving)
            made, recording = self._once(how, visits)
            if not first or not isinstance(made.error, ProgramError):
                self._settled = self._settled or first
                break
            widths = HIDDEN if _goes_forward(made) else frozenset[int]()
            if not made.unsettled and not self.decisions.mended(
                str(made.error), free_sizes(self.guess), self.uses.fixed, widths, self.guess.examples
            ):
                break
        return made, recording

    @property
    def evaluator(self) -> Evaluator:
        """The evaluator of the last run."""
        made: Evaluator = self._evaluator
        return made

    def followed(self, changes: Mapping[int, Callable[[Any], Any]], stop: int) -> tuple[Tape, Any]:
        """Run the program up to an event. Return what it did with numbers, and what it then stored."""
        self.runs += 1
        tape = Tape()
        _, recording = self._once(Marking(self.plan, changes, tape, stop), None, tape)
        return tape, recording.last

    def restart(self) -> None:
        """Let functions be called again, with a new budget and the random numbers of the start."""
        self._budget.restart()
        self._rng.bit_generator.state = self._start

    def random_state(self, state: Any = None) -> Any:
        """Return where the program's own random numbers are, or put them back there."""
        if state is not None:
            self._rng.bit_generator.state = state
        return self._rng.bit_generator.state

    def _once(
        self, recording: Recording, visits: Mapping[int, Visit] | None, tape: Tape | None = None
    ) -> tuple[Run, Recording]:
        if self._tables is None:
            self._budget, self._rng = Budget(self.limits), np.random.default_rng(self.seed + 1)
            self._start = self._rng.bit_generator.state
            if self.source.language == "Octave":
                own: Mapping[str, Any] = octave_functions(self._budget, self._rng, self._called)
            else:
                own = numpy_table(self._budget, self._rng, self._called)
            self._tables = (*(make(self._budget, self._rng) for make in self.tables), own)
            self._meanings = assumed_meanings(self.uses.text, columns=self.guess.batch == "columns")
        self.restart()
        data = Data(self.guess, self.uses, self.seed, strength=self.strength, decisions=self.decisions)
        kind = Following if tape is not None else Evaluator if visits is None else _Visited
        evaluator = kind(
            self._tables,
            self._meanings,
            recording,
            data.value,
            budget=self._budget,
            whole_division=self.source.whole_division,
            language=self.source.language,
        )
        self._evaluator, evaluator.found = evaluator, self._found
        if isinstance(evaluator, _Visited):
            evaluator.visits = visits or {}
        if isinstance(evaluator, Following) and tape is not None:
            evaluator.tape = tape
        results: dict[str, Any] = {}
        error: Exception | None = None
        unsettled = False
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as that for the mean of an empty array
                self._enter(evaluator, data, recording, results)
        except ReachedError:
            pass
        except WantedError as found:
            unsettled = True
            data.decide(found)
            error = ProgramError(f"what {found.wanted.name} is, is not known", evaluator.line)
        except (ProgramError, LimitError, UnreadError) as found:
            error = found
        except RecursionError:
            error = LimitError("calls or expressions are nested too deep", evaluator.line)
        except (MemoryError, ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as found:
            error = ProgramError(f"{type(found).__name__}: {found}"[:200], evaluator.line)
        self.given = {name: _kind_of(value) for name, value in data.given.items()}
        self.steps = max(self.steps, evaluator.budget.steps)
        made = Run(recording.events, error, recording.trained, results, list(evaluator.unread), evaluator.used_meanings)
        made.unsettled, made.lost = unsettled, recording.all_lost
        made.left, made.left_part = recording.left, recording.left_part
        return made, recording

    def _called(self, function: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        """What a function gives that a function of the table calls."""
        return self._evaluator.call(function, arguments, keywords)

    def shown_data(self) -> Iterator[tuple[str, str]]:
        """Yield the names of the last run's data, and what they were."""
        for name, kind in self.given.items():
            yield name, kind.lstrip("fib") if "(" in kind and "{" not in kind else kind

    def _enter(self, evaluator: Evaluator, data: Data, recording: Recording, results: dict[str, Any]) -> None:
        tree = self.source.tree
        if self.entry.kind == "module":
            evaluator.run(tree)
            return
        for node in tree.body:
            if isinstance(node, (ast.For, ast.While, ast.If, ast.Expr)) and self.source.language == "Python":
                continue
            try:
                evaluator.block([node], evaluator.module)
            except ProgramError:
                continue
        if self.entry.owner is not None:
            self._methods(evaluator, data, recording, results)
        elif self.entry.kind == "pair":
            self._pair(evaluator, data, recording, results)
        else:
            for place, function in enumerate(self.entry.functions):
                called = evaluator.module.names.get(function.name)
                _call(evaluator, data, function, called, results, after_loss=self._after_loss(place))

    def _methods(self, evaluator: Evaluator, data: Data, recording: Recording, results: dict[str, Any]) -> None:
        owner = self.entry.owner
        assert owner is not None
        start = next((m for m in owner.body if isinstance(m, ast.FunctionDef) and m.name == "__init__"), None)
        args: dict[str, Any] = {}
        if start is not None:
            args = _arguments(evaluator, data, start, results, skip=1)
        made = evaluator.call(evaluator.module.names.get(owner.name), [], args)
        frame = evaluator.module
        recording.stored("argument", "self", "self", owner.lineno, frame, made)
        for place, method in enumerate(self.entry.functions):
            node = ast.copy_location(ast.Attribute(ast.Name("self", ast.Load()), method.name, ast.Load()), owner)
            ast.fix_missing_locations(node)
            inside = Frame(-1, "", {"self": made}, frame)
            bound = evaluator.evaluate(node, inside)
            skip = 0 if _static(method) else 1
            _call(evaluator, data, method, bound, results, skip=skip, after_loss=self._after_loss(place))

    def _after_loss(self, place: int) -> bool:
        """Whether a function of the entry is called after one that computes the loss."""
        return any(computes_loss(function) for function in self.entry.functions[:place])

    def _pair(self, evaluator: Evaluator, data: Data, recording: Recording, results: dict[str, Any]) -> None:
        forth, back = self.entry.functions
        given = _arguments(evaluator, data, forth, results)
        results.update(given)
        out = evaluator.call(evaluator.module.names.get(forth.name), [], given)
        names = [name for name, default in arguments_of(back) if default is None]
        slopes = list(itertools.takewhile(lambda name: re.match(r"d[a-zA-Z_]|grad|delta", name), names))
        outs: list[Any] = [out]
        cache: Any = None
        if isinstance(out, tuple) and len(out) >= 2:
            # a step of a recurrent net has a slope for each of its states
            count = len(slopes) if 1 < len(slopes) < len(out) else 1
            outs, rest = list(out[:count]), out[count:]
            kept = dict(_returned(forth, out))
            cache = next((kept[name] for name in names if name in kept and name.lower().startswith("cache")), None)
            if cache is None:
                cache = rest[0] if len(rest) == 1 else rest
        if not all(isinstance(part, np.ndarray) for part in outs):
            raise ProgramError(f"{forth.name} gives no array", forth.lineno)
        out = outs[0]
        args: dict[str, Any] = {}
        paired: list[Any] = []
        for name, part in zip(slopes or names[:1], outs, strict=False):
            args[name] = random_of(self.seed, "dout" if part is out else name).normal(size=part.shape)
            paired += [part, args[name]]
        loss = evaluator.call(BuiltIn("products", _sum_of_products), paired, {})
        recording.stored("assign", PAIR_LOSS, PAIR_LOSS, forth.lineno, evaluator.module, loss)
        for name in names[len(args) :]:
            if re.search(r"(?i)caches?$", name) or (name not in results and len(names) == 2 and cache is not None):
                args[name] = cache if cache is not None else next(iter(given.values()))
            elif name in results:
                args[name] = results[name]
            else:
                args[name] = out if name in ("out", "A", "a", "s", "output") else next(iter(given.values()))
        results["returned"] = evaluator.call(evaluator.module.names.get(back.name), [], args)


def _sum_of_products(*arrays: Any) -> float:
    return sum((float(np.sum(one * other)) for one, other in zip(arrays[::2], arrays[1::2], strict=True)), 0.0)


def _goes_forward(run: Run) -> bool:
    """Whether a run ended before it had a loss or a gradient."""
    stored = (e for e in run.events if e.kind in ("assign", "write"))
    return not any(naming.is_loss(e.key) or naming.is_gradient(e.key) for e in stored)


def _kind_of(value: Any) -> str:
    """What is given for a name, without its numbers."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype.kind}{value.shape}"
    if isinstance(value, dict):
        return str({key: _kind_of(part) for key, part in value.items()})
    return (
        type(value).__name__
        if isinstance(value, float)
        else repr(value)[:60]
        if not isinstance(value, list)
        else str(len(value))
    )


def _static(method: ast.FunctionDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in method.decorator_list)


def _call(
    evaluator: Evaluator,
    data: Data,
    function: ast.FunctionDef,
    called: Any,
    results: dict[str, Any],
    skip: int = 0,
    *,
    after_loss: bool = False,
) -> None:
    """Call a function with what the functions before it returned, or with random data."""
    if isinstance(called, Unread):
        raise UnreadError(called.construct, called.line)
    args = _arguments(evaluator, data, function, results, skip=skip, after_loss=after_loss)
    value = evaluator.call(called, [], args)
    results[f"{function.name}()"] = value
    results["last"] = value
    if isinstance(value, tuple):
        results["last tuple"] = value
    results.update(args)
    for name, part in _returned(function, value):
        if name:
            results[name] = part


def _returned(function: ast.FunctionDef, value: Any) -> Iterator[tuple[str, Any]]:
    """The names under which a function returns its values."""
    last = _last_return(function)
    if isinstance(last, ast.Tuple) and isinstance(value, tuple) and len(last.elts) == len(value):
        for node, part in zip(last.elts, value, strict=True):
            yield key_of(node), part
    elif last is not None:
        yield key_of(last), value
        if isinstance(value, dict):
            yield from ((k, v) for k, v in value.items() if isinstance(k, str))


def _last_return(function: ast.FunctionDef) -> ast.expr | None:
    """What a function's last return gives; it is asked for in each of many runs."""
    found: list[ast.Return] | None = getattr(function, "returns_values", None)
    if found is None:
        found = [node for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
        function.returns_values = found  # type: ignore[attr-defined]
    return found[-1].value if found else None


_OUTPUT = ("AL", "A2", "A3", "A1", "A", "a2", "y_hat", "yhat", "Y_hat", "y_pred", "output", "outputs", "out", "probs",
           "scores", "h", "hypothesis", "predictions", "pred", "a3", "P", "p", "o", "y_prob", "AF")  # fmt: skip


def _arguments(
    evaluator: Evaluator,
    data: Data,
    function: ast.FunctionDef,
    results: dict[str, Any],
    skip: int = 0,
    *,
    after_loss: bool = False,
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    listed = arguments_of(function)[skip:]
    context = " ".join([function.name, *(name for name, _ in listed)])
    for name, default in listed:
        if name in results:
            made[name] = results[name]
            continue
        if default is not None and evaluator.language == "Python" and not _replaced(name, default, data.guess.examples):
            if _hides(name, default):
                # a factor of 1, or a term of strength 0, hides a slip in it
                made[name] = data.strength if default.value == 0 else 1.31  # type: ignore[attr-defined]
            continue
        stem = naming.stem(name)
        if stem != name and stem in results:
            made[name] = results[stem]
            continue
        if name in _OUTPUT and "last" in results:
            last = results["last"]
            arrays = [part for part in last if isinstance(part, np.ndarray)] if isinstance(last, tuple) else []
            made[name] = arrays[-1] if arrays else last[0] if isinstance(last, tuple) else last
            continue
        if after_loss and (again := _of_the_loss(function, name, results)) is not None:
            made[name] = again
            continue
        cached = re.fullmatch(r"(?i)\w*caches?", name) is not None
        if cached and "last tuple" not in results and re.search(r"(?i)back|grad|bwd", function.name):
            forward = re.sub(r"(?i)backward|bwd", "forward", function.name)
            raise UnreadError(
                f"nothing in the file makes its {name}, so that it is not known what it holds{_put(forward)}"
            )
        value = None if cached else data.value(name, context)
        if value is None:
            if default is not None:
                continue
            if "cache" in name and "last tuple" in results:
                value = results["last tuple"][-1]
            else:
                value = Wanted(name)
        made[name] = value
    return made


def _put(forward: str) -> str:
    return f"; put {forward} into the same file" if re.search(r"(?i)forward", forward) else ""


_SAME_DATA = (re.compile(r"[xX]\w{0,6}|inputs?|data"), naming.LABELS)


def _of_the_loss(function: ast.FunctionDef, name: str, results: dict[str, Any]) -> Any:
    """The data of the loss for a backward pass that calls them otherwise; None where a name is that of no data.

    Raises
    ------
    ProgramError
        If the loss is of data in another form, so that the backward pass would be given others.
    """
    for of in _SAME_DATA:
        if of.fullmatch(name):
            held = [value for key, value in results.items() if isinstance(value, np.ndarray) and of.fullmatch(key)]
            if not held:
                raise ProgramError(f"{function.name} takes {name}, and the loss is not of it", function.lineno)
            return held[-1]
    return None


_NO_FACTOR = re.compile(r"(?i)momentum|tol|eps|drop|keep|decay|noise|start|lr|learn|rate|std|scale|clip|seed|prob|p$")


def _hides(name: str, default: ast.expr) -> bool:
    """Whether a default is a 1 or a 0 that may be a factor: ``C=1``, ``delta=1.0``, ``alpha=0.0``."""
    if not isinstance(default, ast.Constant) or _NO_FACTOR.search(name) or default.value not in (0, 1):
        return False
    return type(default.value) is float or (type(default.value) is int and name == "C")


def _replaced(name: str, default: ast.expr, examples: int) -> bool:
    """Whether an argument with a default is given a value of its own: a batch is no larger than the data."""
    if "batch" in name and naming.EXAMPLES.fullmatch(name):
        return isinstance(default, ast.Constant) and type(default.value) is int and default.value > examples
    if (naming.is_regulariser(name) and name != "C") or is_size(name):
        return True
    if isinstance(default, ast.Constant) and default.value is None:
        return name.lower() in ("y", "labels", "targets", "t")
    return (
        isinstance(default, ast.Constant)
        and isinstance(default.value, (int, bool))
        and (
            "iter" in name
            or "epoch" in name
            or name.startswith("num_")
            or name.startswith(("print", "verbose", "show"))
        )
    )
