"""Random data for a program: the kinds and shapes of its unknown names, under one guess of its layout."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.documented import usual_size
from jacobians.programs.uses import Uses
from jacobians.programs.wanted import Decisions, Wanted, WantedError


@dataclass(frozen=True)
class Guess:
    """How a program may lay out its arrays; every guess is tried until the program runs.

    Attributes
    ----------
    batch : {"rows", "columns"}
    weights : {"in-out", "out-in"}
    bias : {"row", "flat", "column"}
    labels : {"classes", "classes from 1", "as the output", "flat"}
    outputs : int
    vector : {"column", "flat", "row"}
        A weight of a single output.
    examples : int
        One where the program takes one example at a time.
    documented : bool
        Whether arguments have the shapes that their functions' docstrings tell.
    """

    batch: str = "rows"
    weights: str = "in-out"
    bias: str = "row"
    labels: str = "classes"
    outputs: int = 3
    vector: str = "column"
    examples: int = 7
    documented: bool = False


_ONE_OUTPUT = re.compile(r"\b[yt]\w*\s*=\s*[\w.]+\.reshape\(\(?(-1|n|m|N|len\(\w+\)), ?1\)|\b[yt] has shape \(\w+, 1\)")
_RESHAPED = re.compile(r"theta\s*=\s*((np\.|numpy\.)?reshape\(\s*theta\s*,|theta\.reshape\(\(?\s*(?!-))")
_NOISE = re.compile(r"\*\s*eps\b(?!\w)|(?<![\w.])eps\s*\*")
"""A factor called eps is noise, and no small number that keeps a quotient finite."""
_LAYERED = re.compile(r"""['"][Ww](eights?)?_?['"]\s*\+|f['"][Ww]_?\{|['"][Ww]_?%""")


def guesses(uses: Uses, *, pair: bool = False) -> Iterator[Guess]:
    """Yield guesses, the likeliest by the program's text first. For a pair of layers, none has a single output."""
    text = uses.text
    columns = re.search(r"\b(?:m|N|n|num\w*)\s*=\s*\(?\s*\w+\.shape\[1\]", text) is not None
    if uses.octave:
        columns = re.search(r"\b(?:m|N|num\w*|n\w*ases|n\w*amples)\s*=\s*size\(\s*\w+\s*,\s*2\s*\)", text) is not None
    batches = ("columns", "rows") if columns else ("rows", "columns")
    classes = bool({"y", "Y", "labels", "t", "target", "targets", "y_batch", "y_train", "Y_train"} & uses.indices)
    several = (
        classes
        or re.search(r"np\.max\(|\.max\(axis|softmax|num_labels|num_classes|n_classes|probs|onehot|one_hot", text)
        is not None
    )
    numbered = classes or re.search(r"eye\(|one_?hot|==|dummies", text) is not None
    several = several or re.search(r"factori[sz]|num_factors|n_factors", text) is not None
    deep = uses.layers[1] > uses.layers[0] or re.search(
        r"(?i)hidden|n_h\b|_hid|encode|layer|dims|sizes|output_?(size|dim|nodes)", text
    )
    outputs = (3, 1) if several or deep or pair else (1, 3)
    labels: tuple[str, ...] = (
        ("classes", "as the output", "flat", "classes from 1")
        if classes
        else ("as the output", "flat", "classes", "classes from 1")
    )
    if uses.octave:
        labels = ("classes from 1", "as the output") if classes else ("as the output", "classes from 1")
    weights = ("out-in", "in-out") if columns or uses.octave else ("in-out", "out-in")
    biases = ("column", "flat", "row") if columns or uses.octave else ("flat", "row", "column")
    vectors = ("column", "flat", "row") if columns else ("flat", "column", "row")
    chosen = (3,) if pair else outputs
    if not pair and not classes and _ONE_OUTPUT.search(text):
        chosen = (1, 3)
    most = max((size for size in uses.fixed if size <= _MOST_CLASSES), default=0)
    told: set[tuple[int, str]] = set()
    several_examples = _N if most < _N else most + 1  # so that every class may be present
    if not classes and not re.search(r"eye\(|one_?hot|dummies|classes|\by\w* ==|== ?y", text):
        several_examples = next(size for size in (_N, 11, 13, 17, most + 1) if size not in uses.fixed)
    for examples, output, label, batch, weight, vector, bias in itertools.product(
        (several_examples, 1), chosen, labels, batches, weights, vectors, biases
    ):
        if output > 1 and (vector != vectors[0] or label == "flat"):
            continue
        if label.startswith("classes") and (output == 1 or not numbered):
            continue
        made = Guess(batch, weight, bias, label, output, vector, examples)
        if uses.documented and (output, label) not in told and examples > 1:
            told.add((output, label))
            few = any(len(shape) > 2 for shape in uses.documented.values())
            yield replace(made, documented=True, examples=_FEW if few else examples)
        yield made


_N, _D, _HIDDEN = 7, 4, (5, 6, 8, 9)
_FEW, _SHORT = 2, (3, 5, 6, 7)
"""Sizes of arrays with three axes and more, so that they have no more entries than matrices."""
_MOST_CLASSES = 20


def is_size(name: str) -> bool:
    """Return whether a name is that of the number of inputs or outputs. Its default does not matter."""
    return bool(
        re.fullmatch(r"(input|output|hidden)_?(size|dims?|layers)|num_(classes|outputs|inputs)|n_classes", name)
    )


_NUMBERS_OF_WORDS = re.compile(r"(?i)(word|char|ch|token|w|vocab)s?_?(to|2)_?(idx|ix|index|indices|ids?|ind|i)")
"""Dicts from words to their numbers."""


def free_sizes(guess: Guess) -> tuple[int, ...]:
    """Return the sizes of data that a program may fix itself: the numbers of features and of classes."""
    return (_D, guess.outputs) if guess.outputs > 1 else (_D,)


HIDDEN = frozenset(_HIDDEN)
"""Widths of hidden layers; a program may force two of them to be the same, as one with a skip connection does."""


def random_of(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one name's values: the same whatever else is drawn."""
    return np.random.default_rng([seed, *name.encode()[:40]])


def _of_octave(value: Any) -> Any:
    """A value as Octave has it: floats, in a matrix; a vector is a column, a list of sizes a row."""
    if isinstance(value, dict):
        return {key: _of_octave(part) for key, part in value.items()}
    if isinstance(value, list) and all(isinstance(n, int) for n in value):
        return np.array([value], float)
    if isinstance(value, np.ndarray):
        return value.astype(float) if value.ndim > 1 else value.astype(float).reshape(-1, 1)
    return float(value) if isinstance(value, int) else value


class Data:
    """The values of a program's unknown names under one guess."""

    def __init__(
        self, guess: Guess, uses: Uses, seed: int, *, strength: float = 0.37, decisions: Decisions | None = None
    ) -> None:
        self.guess, self.uses, self.seed, self.strength = guess, uses, seed, strength
        self.decisions = decisions or Decisions()
        first, last = uses.layers
        depth = last - first + 1 if uses.numbered or not _LAYERED.search(uses.text) else 3
        self.widths = (_D, *_HIDDEN[: max(depth - 1, 0)], guess.outputs)
        self.given: dict[str, Any] = {}
        self._holders: list[str] = []

    def value(self, name: str, function: str = "") -> Any:
        """Return a name's value; None where nobody knows what it is."""
        made = self._value(name, function)
        if made is not None and self.uses.octave:
            made = _of_octave(made)
        if made is not None:
            self.given[name] = made
        return made

    def decide(self, error: WantedError) -> None:
        """Decide what an unknown value is, by its first use."""
        guess = self.guess
        self.decisions.decide(
            error,
            bias=guess.bias,
            vector=guess.vector,
            outputs=guess.outputs,
            examples=guess.examples,
            columns=guess.batch == "columns",
            axes=self._axes(error.wanted.name),
        )

    def _axes(self, name: str) -> tuple[int, ...]:
        """The sizes of a name's axes by their letters in einsums, 0 for one that no array has so far."""
        function, letters = next(
            ((key.partition(":")[0], own) for key, own in self.uses.letters.items() if key.endswith(f":{name}")),
            ("", ""),
        )
        sizes: dict[str, set[int]] = {}
        for other, value in self.given.items():
            own = self.uses.letters.get(f"{function}:{other}", "")
            if isinstance(value, np.ndarray) and value.ndim == len(own):
                for letter, size in zip(own, value.shape, strict=True):
                    sizes.setdefault(letter, set()).add(size)
        return tuple(max(held) if len(held := sizes.get(letter, {0})) == 1 else 0 for letter in letters)

    def _decided(self, name: str) -> Any:
        use, shape = self.decisions.made[name]
        shape = self.decisions.fitted(shape)
        if use == "size":
            return shape[0]
        if use == "number":
            return float(self._normal(name, ())) + 0.5
        if use == "index":
            return shape[0] // 2
        if use == "indices":
            return [2, 0, 1, 2, 0]
        return self._normal(name, shape, 0.6)

    def _value(self, name: str, function: str) -> Any:
        if name in self.decisions.made:
            return self._decided(name)
        if name in self.uses.texts:
            return self.uses.texts[name][0]
        if naming.is_regulariser(name) and name != "C":
            return self.strength
        told = self._told(name, function) if self.guess.documented else None
        if told is not None:
            return told
        if self._axes_unlike(name, function):
            return None
        known = self._of_a_kind(name, function)
        if known is not None:
            return known
        keys = self.uses.keys.get(name)
        if keys and _NUMBERS_OF_WORDS.fullmatch(name):
            words = dict.fromkeys([*keys, "a", "b", "c", "d", "e"])
            return {word: number for number, word in enumerate(words)}
        if keys and name in self._holders:
            return None  # a dict that holds itself by its name: ``net["net"]``
        if keys:
            self._holders.append(name)
            several = len({"W", "U", "V", "v", "W_out", "Wy", "Why"} & set(keys)) > 1
            made = {
                key: None
                if (several and key in {"W", "b", "c"} - self.decisions.made.keys())
                or ("gamma" in keys and key == "beta" and key not in self.decisions.made)
                else self._value(key, function)
                for key in dict.fromkeys(keys)
            }
            self._holders.pop()
            return {key: Wanted(key) if value is None else value for key, value in made.items()}
        if name in self.uses.settings:
            return {}
        parts = self.uses.unpacked.get(name, [])
        if re.fullmatch(r"params?|parameters|weights|theta|model", name) and len(parts) > 1:
            values = [self._value(part, function) for part in parts if part]
            if len(values) == len(parts) and all(value is not None for value in values):
                return values
        for how in (self._number, self._parameter, self._data):
            value = how(name, function)
            if value is not None:
                return value
        return None

    def _told(self, name: str, function: str) -> Any:
        """An array in the shape that a docstring tells; None for one of labels or of whole numbers."""
        shape = self.uses.documented.get(f"{function.split(' ')[0]}:{name}")
        kind = self.uses.kinds.get(f"{function.split(' ')[0]}:{name}") if len(shape or ()) > 1 else None
        if shape is None:
            return None
        if kind is None and len(shape) < 3 and (name in self.uses.indices or naming.LABELS.fullmatch(name)):
            return None
        guess, symbols = self.guess, self.decisions.symbols
        for symbol in shape:
            size = usual_size(symbol, examples=guess.examples, features=_D, outputs=guess.outputs, hidden=_HIDDEN[0])
            if symbol not in symbols:
                left = [n for n in _SHORT if guess.examples == _FEW and n not in symbols.values()]
                symbols[symbol] = size if size is not None else left[0] if left else self.decisions.size()
        if kind is not None:
            sizes = tuple(symbols[symbol] for symbol in shape)
            drawn = random_of(self.seed, name).integers(0, 3, size=sizes)
            return drawn if kind == "whole" else drawn > 0
        return self._normal(name, tuple(symbols[symbol] for symbol in shape), 0.6 if naming.is_parameter(name) else 1.0)

    def _axes_unlike(self, name: str, function: str) -> bool:
        """Whether an einsum gives a name more axes than weights have, so that its first use says which."""
        letters = self.uses.letters.get(f"{function.split(' ')[0]}:{name}", "")
        return len(letters) > 2 and not naming.INPUTS.fullmatch(name)

    def _number(self, name: str, function: str) -> Any:
        if name in ("hidden_dims", "hidden_layers", "hidden_sizes", "hidden_layer_sizes", "hiddens"):
            return list(_HIDDEN[:2])
        if naming.is_step(name):
            return 0.1
        if naming.ROUNDS.fullmatch(name):
            return 2
        if naming.FLAG.match(name):
            return True
        if naming.WIDTHS.fullmatch(name) and name != "size":
            widths = self.widths if len(self.widths) > 3 else (_D, *_HIDDEN[:2], self.guess.outputs)
            longest = self.uses.places.get(name, 0)
            if longest >= 2:
                widths = (_D, *_HIDDEN[: longest - 1], self.guess.outputs)
            return list(self.decisions.fitted(widths))
        if naming.EXAMPLES.fullmatch(name) and not (
            name == "m" and re.search(r"\bb\b", function) and "w" not in function.split()
        ):
            return self.guess.examples
        if name == "m":
            return float(self._normal(name, ()))
        layer = naming.SIZE_OF_LAYER.match(name)
        if layer:
            return _HIDDEN[max(int(layer.group(1)) - 1, 0) % len(_HIDDEN)]
        sizes = ((naming.INPUT_SIZE, _D), (naming.HIDDEN_SIZE, _HIDDEN[0]), (naming.OUTPUT_SIZE, self.guess.outputs))
        for pattern, size in sizes:
            if pattern.fullmatch(name) and name not in ("input", "inputs", "output", "outputs", "x", "y"):
                return self.decisions.same.get(size, size)
        if name == "eps" and _NOISE.search(self.uses.text):
            return None
        numbers = {"keep_prob": 0.8, "keep": 0.8, "p": 0.6, "dropout": 0.8, "momentum": 0.9, "seed": 3, "std": 0.5,
                   "weight_scale": 0.5, "eps": 1e-5, "margin": 1.0, "start": 0, "beta1": 0.9, "beta2": 0.99,
                   "weight_init_std": 0.5, "mode": "train", "num_filters": 3, "filter_size": 3, "stride": 1, "pad": 1,
                   "pool_height": 2, "pool_width": 2,
                   "vocab_size": 6, "seq_length": 5, "random_state": 3, "bias_scale": 0.5}  # fmt: skip
        return numbers.get(name)

    def _normal(self, name: str, shape: tuple[int, ...], scale: float = 1.0) -> Any:
        made = random_of(self.seed, name).normal(size=self.decisions.fitted(shape)) * scale
        # a bias that is one number is not close to 0
        return made if shape else made + np.copysign(0.3, made)

    def _of_a_kind(self, name: str, function: str) -> Any:
        """What a name is in a recurrent cell, a factorisation or an autoencoder that is unrolled."""
        words = set(function.split())
        if {"Wx", "Wh"} <= words:
            width = _HIDDEN[0]
            gates = 4 * width if re.search(r"(?i)lstm", function.split()[0]) else width
            shapes = {"Wx": (_D, gates), "Wh": (width, gates), "b": (gates,)}
            states = dict.fromkeys(("prev_h", "h0", "prev_c", "c0", "h_prev", "c_prev"), (self.guess.examples, width))
            if name in shapes or name in states:
                return self._normal(name, {**shapes, **states}[name], 0.6)
        cell = self._of_a_cell(name, function)
        if cell is not None:
            return cell
        users, items, width = 5, 6, 3
        if {"num_users", "num_movies"} <= words or {"n_users", "n_items"} <= words:
            sizes = {"num_users": users, "n_users": users, "num_movies": items, "n_items": items}
            sizes |= {"num_features": width, "n_features": width, "n_factors": width}
            if name in sizes:
                return sizes[name]
            if name in ("params", "theta"):
                return self._normal(name, ((users + items) * width,), 0.6)
            if name == "Y":
                return self._normal(name, (items, users))
            if name == "R":
                return (random_of(self.seed, name).uniform(size=(items, users)) < 0.6).astype(float)
        if {"netconfig", "hiddenSize", "numClasses"} <= words:
            # an autoencoder that is stacked: the last layer is as wide as hiddenSize, and softmax's weights come first
            last, first = _HIDDEN[:2]
            if name == "netconfig":
                return {"inputsize": float(_D), "layersizes": [float(first), float(last)]}
            if name == "theta":
                count = self.guess.outputs * last + first * (_D + 1) + last * (first + 1)
                return self._normal(name, (count,), 0.6)
        if {"visibleSize", "hiddenSize"} <= words:
            if name == "theta":
                return self._normal(name, (2 * _D * _HIDDEN[0] + _D + _HIDDEN[0],), 0.6)
            return {"sparsityParam": 0.2, "rho": 0.2, "beta": 0.7}.get(name)
        return None

    def _of_a_cell(self, name: str, function: str) -> Any:
        """What a name is in a recurrent cell whose examples are columns: ``Wax`` of ``np.dot(Wax, xt)``."""
        keys = set(self.uses.keys.get("parameters", ()))
        if not ({"Wax", "Waa"} <= keys or {"Wf", "Wo", "bf"} <= keys):
            return None
        width, several = _HIDDEN[0], re.search(r"\bm\b.*=\s*\w+\.shape", self.uses.text) is not None
        # letters are given one after the other, as columns of 0 and 1 in a vocabulary
        letters = re.search(r"vocab_size\s*=\s*(\d+)", self.uses.text)
        inputs = int(letters.group(1)) if letters and not several else _D
        outputs = inputs if letters and not several else 3
        count = self.guess.examples if several else 1
        shapes: dict[str, tuple[int, ...]] = {
            "Wax": (width, inputs), "Waa": (width, width), "Wya": (outputs, width), "ba": (width, 1),
            "b": (width, 1), "by": (outputs, 1), "Wy": (outputs, width),
            **{f"W{gate}": (width, width + inputs) for gate in "fiuco"}, **{f"b{gate}": (width, 1) for gate in "fiuco"},
            "xt": (inputs, count), "x": (inputs, count), "a_prev": (width, count), "c_prev": (width, count),
            "a0": (width, count),
        }  # fmt: skip
        if name == "x" and self._rank(name, function) == 3:
            return self._normal(name, (inputs, count, 6))
        return self._normal(name, shapes[name], 0.6) if name in shapes else None

    def _parameter(self, name: str, function: str) -> Any:
        guess = self.guess
        if name == "theta" and _RESHAPED.search(self.uses.text):
            return self._normal(name, (_D * guess.outputs,), 0.6)
        if self._rank(name, function) == 4 and name.lower() in ("w", "kernel", "filters", "weights"):
            return self._normal(name, (4, 2, 3, 2))
        if name == "b" and any(self._rank(w, function) == 4 and w in function.split() for w in ("w", "W")):
            return self._normal(name, (4,))
        if name in ("weights", "biases", "Ws", "bs", "thetas", "W", "b") and name in self.uses.lists:
            widths = self.widths if len(self.widths) > 3 else (_D, *_HIDDEN[:2], guess.outputs)
            if name in ("biases", "bs", "b"):
                return [self._bias(f"b{i}", width) for i, width in enumerate(widths[1:])]
            return [self._weight(f"W{i}", one, other) for i, (one, other) in enumerate(itertools.pairwise(widths))]
        if (
            name in ("params", "parameters", "p", "weights", "beta")
            and name in self.uses.sliced
            and not self._unrolled(function)
        ):
            return None
        hidden = re.fullmatch(
            r"(?:W|w|b|weights?|bias)_?(h|hid|hidden|o|out|output|enc|dec|ih|ho|1h|xh|hy)(?:idden)?_?", name
        )
        if hidden:
            first = hidden.group(1) in ("h", "hid", "hidden", "enc", "ih", "xh")
            rows, columns = (_D, _HIDDEN[0]) if first else (_HIDDEN[0], guess.outputs if "dec" not in name else _D)
            return self._bias(name, columns) if name.startswith("b") else self._weight(name, rows, columns)
        whole = re.fullmatch(r"(initial_?)?(nn_?)?(params?|parameters|model|weights)", name) is not None
        if whole and not self._unrolled(function) and (name != "weights" or self.uses.layers[1] > self.uses.layers[0]):
            return self._all_parameters()
        if re.fullmatch(r"(initial_?)?(nn_?)?(params?|theta|thetas|weights|p)", name) and self._unrolled(function):
            several = len({word for word in function.split() if naming.SIZE_OF_LAYER.match(word)})
            widths = (_D, *_HIDDEN[: max(several, 1)], guess.outputs)
            count = sum((one + 1) * other for one, other in itertools.pairwise(widths))
            return self._normal(name, (count,), 0.6)
        number = naming.NUMBERED.match(name)
        if number:
            layer = int(number.group(1)) - self.uses.layers[0]
            if layer + 1 >= len(self.widths):
                return None
            if name.startswith("b"):
                return self._bias(name, self.widths[layer + 1])
            return self._weight(
                name, self.widths[layer], self.widths[layer + 1], extra=int(name[:5].lower() == "theta")
            )
        if name in (
            "W",
            "w",
            "theta",
            "Theta",
            "weights",
            "weight",
            "beta",
            "coef",
            "initial_theta",
            "w0",
            "thetas",
            "Wx",
        ):
            width = guess.outputs
            if name == "beta" and "alpha" in function.split() and "gamma" not in function.split():
                return self.strength
            if name == "beta" and re.search(r"norm", function):
                return self._normal(name, (_D,))
            if width == 1:
                shape = {"column": (_D, 1), "flat": (_D,), "row": (1, _D)}[guess.vector]
                return self._normal(name, shape, 0.6)
            return self._weight(name, _D, width)
        if name in ("b", "bias", "biases", "intercept", "b0"):
            if guess.outputs == 1:
                return float(self._normal(name, ()))
            return self._bias(name, guess.outputs)
        if name in ("gamma", "beta") and re.search("norm", function):
            return self._normal(name, (_D,))
        return None

    def _rank(self, name: str, function: str) -> int:
        """How many axes a function says that an argument has."""
        called = function.split(" ")[0]
        return self.uses.ranks.get(f"{called}:{name}" if called else name, 2)

    def _unrolled(self, function: str) -> bool:
        sizes = re.search(r"input_?(layer_?)?(size|dim)|hidden_?(layer_?)?(size|dim)|visible_?[sS]ize", function)
        return bool(sizes or re.search(r"reshape\s*\(\s*(nn_?)?(params|theta|p)\s*\(", self.uses.text))

    def _weight(self, name: str, rows: int, columns: int, extra: int = 0) -> Any:
        shape = (rows + extra, columns) if self.guess.weights == "in-out" else (columns, rows + extra)
        return self._normal(name, shape, 0.6)

    def _bias(self, name: str, width: int) -> Any:
        shape = {"row": (1, width), "flat": (width,), "column": (width, 1)}[self.guess.bias]
        return self._normal(name, shape, 0.6)

    def _all_parameters(self) -> dict[str, Any]:
        first = self.uses.layers[0]
        made: dict[str, Any] = {}
        for layer in range(len(self.widths) - 1):
            for kind in "Wb":
                name = f"{kind}{layer + first}"
                made[name] = self._parameter(name, "")
        return made

    def _data(self, name: str, function: str) -> Any:
        guess = self.guess
        n = guess.examples
        if name == "R" or name == "ratings":
            made = random_of(self.seed, name).integers(0, 5, size=(n, 5)).astype(float)
            return np.where(np.eye(n, 5) > 0, 3.0, made)
        if "R" in function.split() and name in ("P", "Q"):
            return self._normal(name, (n if name == "P" else 5, guess.outputs))
        if naming.INPUTS.fullmatch(name) and name in self.uses.indices and not self._is_matrix(name, function):
            return [2, 0, 1, 2, 1, 0]
        if naming.INDICES.fullmatch(name) and name in self.uses.indices:
            return random_of(self.seed, name).permutation(np.arange(n) % 4)
        if name == "training_data" or re.search(rf"for \w+, ?\w+ in {re.escape(name)}\b", self.uses.text):
            # targets between 0 and 1 are those of a cross-entropy as well
            targets = random_of(self.seed, name).uniform(0.1, 0.9, size=(n, guess.outputs, 1))
            return [(self._normal(f"x{i}", (_D, 1)), targets[i]) for i in range(n)]
        if (naming.LABELS.fullmatch(name) and name not in ("outputs", "output")) or name in ("yhat",):
            return self._labels(name)
        if naming.INPUTS.fullmatch(name):
            rank = self._rank(name, function)
            if rank == 4 and re.search("pool", function):
                return self._normal(name, (3, 2, 4, 6))
            if rank == 4:
                return self._normal(name, (3, 2, 6, 5))
            if rank == 3:
                return self._normal(name, (n, 6, _D))
            if n == 1:
                return self._normal(name, {"column": (_D, 1), "flat": (_D,), "row": (1, _D)}[guess.bias])
            return self._normal(name, (n, _D) if guess.batch == "rows" else (_D, n))
        return None

    def _is_matrix(self, name: str, function: str) -> bool:
        """Whether a name that is also one of indices is a matrix where it is asked for."""
        called = function.split(" ")[0]
        if called in self.uses.functions:
            return f"{called}:{name}" in self.uses.arrays
        return any(found.endswith(f":{name}") for found in self.uses.arrays) or "X" in name

    def _labels(self, name: str) -> Any:
        guess, rng = self.guess, random_of(self.seed, name)
        n, (k,) = guess.examples, self.decisions.fitted((guess.outputs,))
        classes = rng.permutation(np.arange(n) % max(k, 2))
        if guess.labels.startswith("classes"):
            found = classes + guess.labels.endswith("1")
            if self.uses.octave and guess.batch == "columns":
                return found.reshape(1, -1)
            return found if n > 1 else int(found[0])
        if k > 1:
            made = np.eye(k)[classes]
            if n == 1:
                return made[0].reshape({"column": (k, 1), "flat": (k,), "row": (1, k)}[guess.bias])
            return made if guess.batch == "rows" else made.T
        real = re.search(r"log|entropy|sigmoid|logistic", self.uses.text) is None
        made = rng.normal(size=n) if real else classes.astype(float)
        if guess.labels == "flat":
            return made
        return made.reshape((n, 1) if guess.batch == "rows" else (1, n))
