"""What names say: which are gradients, of which parameter; which are losses, regularisers, step sizes and counts."""

from __future__ import annotations

import re
from collections.abc import Iterator

_GRADIENT = re.compile(
    r"(d[A-Z_]\w*|d[wb]\w?\d*|d(theta|weights?|bias(es)?|beta|gamma|params?|scores?|hidden|out(put)?s?|probs?|logits|h|x|y|z|a)\w*"
    r"|d(L|J|C|E|l|j|loss|cost)_?d\w+|g(rad|radient)s?(_?\w+)?|\w+_?grads?\d*|\w+_?gradients?\d*|[dD]elta_?\w*|\w+_[dD]eltas?\d*"
    r"|nabla_?\w*|g[WbU]\w*|g[wv]\d*|D\d|∇\w*|Δ\w*)(\[\d+\])?$"
)
_NOT_GRADIENT = re.compile(
    r"(data|digits|dims?|depth|dropout|dtype|debug|delta|decay|default|desc|done|dev|gradient_check\w*|grad_check\w*|num_?grad\w*|"
    r"gradapprox|numerical\w*|dataset|D|d|gradient_descent|get_grad\w*|dictionary|diff\w*)$"
)
_LOSS = re.compile(
    r"(loss(es)?|cost|J|L|E|E_?tot(al)?|total_error|error|data_?loss|total_?loss|obj(ective)?|nll|mse|cross_?entropy|c|l|loss_?\w*|cost_?\w*|\w+_loss|\w+_cost|J_?\w*)$"
)
_FIRST_LOSS = re.compile(r"(loss|cost|J|L|total_?loss|total_?cost|E_?tot(al)?|total_error)$")
_PART_LOSS = re.compile(
    r"(data|reg|regul\w*|cross|log|penalty|l2|L2|J_?reg|part)_?\w*|\w*_(reg|data|l2|L2|regulari[sz]ation|history|list|hist)\w*$|losses$|costs$"
    r"|(epoch|running|batch|train|training|sum|avg|average|mean|smooth|cum\w*)_?(loss|cost|error)$"
)
_STEP = re.compile(
    r"(lr|alpha|eta|(learning_?rate|learning_?Rate|learn_?rate|LEARNING_RATE|LR|ALPHA|ETA)\w*|step(_?size)?|rate|epsilon|α|η|l_?rate|lr_\w+)$"
)
_REGULARISER = re.compile(
    r"(reg(_?(strength|lambda|param|ulari[sz]ation|coeff?))?\w{0,8}|lamb?d?a?\w{0,3}|[lL]ambda_?\w{0,3}|lmbda?|lbd|[lL][12]\w*|weight_?decay|wd|λ|C)$"
)
_STATE = re.compile(
    r"(m|v|s|mem|cache|vel|velocity|momentum|m[WbU]\w*|v[WbUd]\w*|s[d]\w*|\w*(cache|momentum|velocity)\w*|G)$"
)
_PARAMETER = re.compile(
    r"(W\w{0,4}|w\d*|w_\w*|b\d*|b_?[a-z]{0,3}\d?|bias(es)?_?\w{0,8}|[Tt]heta_?\w{0,3}|beta\w?|gamma\w?|weights?_?\w{0,10}|syn_?\d|syn\w|[UV][a-z]{0,2}\d?|Wxh|Whh|Why"
    r"|W_\w+|(?!d_|grad|delta|nabla|sum_|total_|m_|v_)[a-z]+\d?_(weights?|bias(es)?)\d?|nn_params|params?|coeffs?|coef|initial_\w+|kernel\w*|filters?)(\[\d+\])?$"
)
_WORDS = re.compile(r"(?:^|_)(?:d|grads?|gradients?|nabla|delta|g)(?:_|$)")


def is_gradient(key: str, known: frozenset[str] = frozenset()) -> bool:
    """Return whether a name is that of a gradient, or of a derivative on the way to one."""
    if _NOT_GRADIENT.match(key) and not (key.startswith("d") and key[1:] in known and key[1:]):
        return False
    if len(key) == 2 and key[0] == "g" and key[1] in known:
        return True
    return bool(_GRADIENT.match(key)) or (len(key) > 1 and key[0] == "d" and key[1:].lstrip("_") in known)


def is_loss(key: str) -> bool:
    """Return whether a name is that of a loss or of a part of it."""
    return bool(_LOSS.match(key))


def loss_rank(key: str) -> int:
    """Return 0 for the names that mean the whole loss, more for those that may mean a part."""
    if _FIRST_LOSS.match(key):
        return 0
    return 2 if _PART_LOSS.match(key) else 1


def is_step(key: str) -> bool:
    """Return whether a name is that of a step size."""
    return bool(_STEP.match(key))


def is_regulariser(key: str) -> bool:
    """Return whether a name is that of a regulariser's strength."""
    return bool(_REGULARISER.match(key)) and not re.search(r"(?i)loss|cost|term|penalty|sum|delta", key)


def is_state(key: str) -> bool:
    """Return whether a name is that of what an optimiser keeps."""
    return bool(_STATE.match(key))


def stem(key: str) -> str:
    """Return a name without words such as new and current: ``b`` for ``new_b`` and ``b_current``."""
    return re.sub(r"_?(current|curr|old|now|start|new)$|^(current|starting|initial|init|old|new)_", "", key)


def is_parameter(key: str) -> bool:
    """Return whether a name is that of a parameter."""
    return bool(_PARAMETER.match(key))


GENERIC = (
    "theta",
    "w",
    "W",
    "beta",
    "weights",
    "nn_params",
    "params",
    "parameters",
    "coef",
    "initial_theta",
    "thetas",
)
"""What a gradient without a name of its own is taken with respect to, the first that is there."""


def parameters_of(key: str) -> Iterator[str]:
    """Yield the names of the parameter that a gradient's name may belong to, the likeliest first.

    Examples
    --------
    >>> next(parameters_of("dW1")), next(parameters_of("Theta1_grad")), next(parameters_of("dL_dW2"))
    ('W1', 'Theta1', 'W2')
    """
    index = ""
    found = re.match(r"(\w+)(\[\d+\])$", key)
    if found:
        key, index = found.group(1), found.group(2)
    stems = []
    for pattern in (
        r"d(?:L|J|C|E|l|j|loss|cost|Loss|Cost)_?d_?(\w+)",
        r"(?:grads?|gradients?|nabla|delta|Delta|d)_(\w+)",
        r"(\w+?)_?(?:grads?|gradients?|Grad|Gradient)(?:_?)(\d*)",
        r"(\w+)_(?:delta|d|update)s?",
        r"(?:grad|Grad|nabla|∇|Δ)(\w+)",
        r"g([A-Z]\w*|[a-z]\d*|b[a-z]{1,2}\d?)",
        r"d(\w+)",
        r"[dD]elta_?(\w+)",
    ):
        match = re.fullmatch(pattern, key)
        if match:
            stems.append("".join(match.groups()))
    if key in ("D1", "D2", "D3", "Delta1", "Delta2", "delta_1", "Delta_1", "Delta_2", "delta_2"):
        stems += [f"{name}{key[-1]}" for name in ("Theta", "theta", "W")]
    for stem in dict.fromkeys(stems):
        yield stem + index
        for one, others in (
            ("w", ("weights", "W")), ("b", ("biases", "bias")), ("W", ("weights", "w")), ("bias", ("b", "biases")),
            ("weights", ("W", "w")), ("weight", ("weights", "W", "w")), ("biases", ("b", "bias")),
            ("inputs", ("inputs", "X", "x")), ("b1", ("bias1",)), ("b2", ("bias2",)),
            ("W1", ("weights1", "w1", "Theta1")), ("W2", ("weights2", "w2", "Theta2")),
            ("w1", ("W1", "weights1", "syn0")), ("w2", ("W2", "weights2", "syn1")),
            ("weights1", ("W1", "w1")), ("weights2", ("W2", "w2")), ("theta", ("Theta",)),
        ):  # fmt: skip
            if stem == one:
                yield from (other + index for other in others)


# --- data and its sizes ------------------------------------------------------------------------------

INPUTS = re.compile(
    r"(X\w{0,6}|x|x_\w+|inputs?|data|features|images?|x\d|A0|a0|A_?prev|a_prev|train_?[xX]|[xX]_?batch|dataset|input_data|train_data|input_\w+|z|Z|scores|logits|a|inputs_list|activation)$"
)
"""Data that comes in."""
LABELS = re.compile(
    r"(y|Y|t|T|targets?|labels?|y_\w+|Y_\w+|y\w{0,5}|outputs?|train_?[yY]|expected|yTrue|ground_truth|desired\w*|targets_list)$"
)
"""What a program is to give."""
INPUT_SIZE = re.compile(
    r"(input_?(layer_?)?(size|dim|nodes|units|neurons)?|n_?x|D|d|n_?in(put)?s?|num_?inputs?|input_dim\w*|in_?dim|in_size|n_features|nb_inputs|n|dim|inodes|in_features|i_size|fan_in|inputSize|num_features|visible_?[sS]ize)$"
)
"""The number of features."""
HIDDEN_SIZE = re.compile(
    r"(hidden_?(layer_?)?(size|dim|nodes|units|neurons)?s?|n_?h|H|h|n_?hid(den)?|num_?hidden|nn_hdim|hdim|hnodes|hid_size|hiddenSize|hidden\w*|H1)$"
)
"""The number of hidden units."""
SIZE_OF_LAYER = re.compile(
    r"(?:n_?h(?:id(?:den)?)?|hidden_?(?:layer_?)?(?:size|dim|nodes|units)?)_?(\d)(?:_?(?:size|dim|nodes|units))?$"
)
"""That of a layer with a number."""
OUTPUT_SIZE = re.compile(
    r"(output_?(layer_?)?(size|dim|nodes|units|neurons)?|n_?y|K|C|k|n_?out(put)?s?|num_?(labels|[cC]lasses|outputs?)|n_classes|nb_classes|onodes|out_?(dim|size|features)|num_class|outputSize|fan_out|o_size|classes)$"
)
"""The number of classes, or of outputs."""
WIDTHS = re.compile(
    r"(layers?_?dims?|dimensions|layer_?sizes|sizes|layers_?sizes?|layers?|dims|n_units|architecture|nn_architecture|layers_dims|shape|network_size)$"
)
"""Those of all layers, in a list."""
EXAMPLES = re.compile(r"(m|N|n_?samples|num_?(examples|samples|train)|(mini_?)?batch_?(size|sz)|n_examples|B)$")
"""The number of examples, or of those in a batch."""
ROUNDS = re.compile(
    r"(num_?)?(it|iters?|iterations?|epochs?|passes|steps|n_?iters?|max_?iters?|num_\w*(iter|epoch|pass|step)\w*|n_epochs?|max_\w*|nb_epoch\w*)$"
)
"""How often something is done."""
INDICES = re.compile(r"(idx|ids|indices|index|tokens?|words?)(_?\w{0,5})?")
"""Whole numbers that are indices."""
FLAG = re.compile(
    r"(print_?\w*|verbose|show\w*|debug|compute_\w*|return_grads?\w*|log_(every|steps?|iter|progress)\w*|display)$"
)
"""Whether something is shown or done."""
NUMBERED = re.compile(r"(?:W|w|Theta|theta|weights?_?|syn|THETA|w_|W_|b|bias_?)_?(\d)$")
"""A layer's parameter, and its number."""
