"""What readers of many courses call the arrays of a convention, beside its own names."""

from __future__ import annotations

from collections.abc import Iterator

from jacobians.array_names import ArrayNames
from jacobians.auditing.random_batches import RandomBatches
from jacobians.derivation.names import Names

LOSS_NAMES = ("L", "J", "loss", "cost", "C", "E", "R", "C_x", "E_n")
STRENGTHS = (
    *("lam", "lambda", "Lambda", "lambd", "lambda_", "lmbda", "reg", "reg_strength", "alpha", "λ", "α", "l2"),
    *("weight_decay", "wd"),
)
COUNTS = ("N", "m", "n", "batch_size", "num_train", "n_samples", "num_examples")
_CLASSES = ("C", "num_classes", "n_classes", "classes", "n_outputs")
_TARGETS = ("T", "t", "targets", "target", "labels", "y_true", "y", "y_matrix", "y_onehot", "y_one_hot", "one_hot")
LABELS = ("y", "t", "labels", "label", "targets", "target", "y_true")
"""Of those, the ones that often hold a list of labels."""
_INPUTS = ("inputs", "input", "data", "x")


GENERIC = {
    **dict.fromkeys(("W", "w", "Theta", "theta", "weights", "weight"), ("weight:0",)),
    **dict.fromkeys(("b", "bias"), ("bias:0",)),
    **dict.fromkeys(
        ("dW", "dw", "grad_W", "W_grad", "dTheta", "Theta_grad", "nabla_w", "dL_dW", "grad_weight"),
        ("weight-gradient:0",),
    ),
    **dict.fromkeys(("db", "grad_b", "b_grad", "nabla_b", "dL_db", "grad_bias"), ("bias-gradient:0",)),
    **dict.fromkeys(("Z", "z", "dL_dZ"), ("pre:0",)),
    **dict.fromkeys(("dZ", "dz", "delta", "δ", "dL_dz"), ("cotangent:0",)),
    **dict.fromkeys(("A_prev", "a_prev", "H_prev", "h_prev", "X_prev"), ("post:-1",)),
    **dict.fromkeys(("dA_prev", "da_prev", "dX_prev"), ("post-cotangent:-1",)),
    **dict.fromkeys(("A", "a", "H"), ("post:0", "post:-1")),
    **dict.fromkeys(("dA", "da", "dH", "dh"), ("post-cotangent:0",)),
    "x": ("post:-1", "pre:0"),
    **dict.fromkeys(("dx", "grad_input"), ("post-cotangent:-1", "cotangent:0")),
    **dict.fromkeys(("dout", "grad_output"), ("cotangent:0", "post-cotangent:0")),
    "D": ("pre:0",),
    "dD": ("cotangent:0",),
}
"""Names without a layer's number: roles, with how far their layer is from the one that the text is about."""
ROLES_IN_WORDS = {
    "pre:0": "Z of the layer",
    "post:0": "A of the layer",
    "post:-1": "A of the layer before",
    "cotangent:0": "dZ of the layer",
    "post-cotangent:0": "dA of the layer",
    "post-cotangent:-1": "dA of the layer before",
}


LISTS = {
    **dict.fromkeys(("activations", "layer_outputs"), ("post", 0)),
    **dict.fromkeys(("zs", "z_list"), ("pre", 1)),
    **dict.fromkeys(("weights", "coefs_", "coefs"), ("weight", 1)),
    **dict.fromkeys(("biases", "intercepts_", "intercepts"), ("bias", 1)),
    **dict.fromkeys(("nabla_w", "coef_grads", "delta_nabla_w"), ("weight-gradient", 1)),
    **dict.fromkeys(("nabla_b", "intercept_grads", "delta_nabla_b"), ("bias-gradient", 1)),
    "deltas": ("cotangent", 1),
}
"""Lists with one array per layer: their role, and the layer of their first entry."""


def synonyms_of(setting: RandomBatches) -> Iterator[tuple[str, str]]:
    """Yield what readers of many courses write, and the convention's name for it."""
    network, run = setting.network, setting.first.run
    words, names = network.convention.names, Names(run)
    last, accumulates = names.outputs[-1], words.accumulator is not None
    inputs = (*_INPUTS, words.of("post", 0), f"A{words.first_units}", f"H{words.first_units}")
    fixed = {words.count: COUNTS, "K": _CLASSES, words.strength: STRENGTHS, "Y": _TARGETS, "X": inputs}
    yield from ((synonym, name) for name, synonyms in fixed.items() for synonym in synonyms)
    for name in run.params:
        yield from _parameter(name, words, single=sum(map(words.is_weight, run.params)) == 1)
    for stop in names.outputs:
        yield from _stop(stop, names, last=stop == last, accumulates=accumulates)
    prediction = names.prediction if names.prediction in setting.first.values else names.of(last)
    yield from ((s, prediction) for s in _PREDICTIONS)
    yield "dX", words.gradient_of("X")
    yield from ((spelling, "X_ones") for spelling in ("X_b", "X_bias", "X_aug", "Xb", "Xones"))
    for spelling in ("dAL", "dA_L", "dyhat", "dy_hat", "dY_hat", "dprobs"):
        if words.post_cotangent is not None:
            yield spelling, words.of("post-cotangent", sum(map(words.is_weight, run.params)))
    yield f"A{names.of(last)[1:]}", prediction
    yield f"A{names.of(last)[1:]}", names.of(last) if not last.startswith("Z") else ""
    for accumulator, (name, _) in setting.accumulators.items():
        yield accumulator.replace("Delta", "Δ"), accumulator
        yield accumulator.replace("Delta", "D"), words.gradient_of(name)
    for alias, role in network.convention.names.aliases.items():
        yield from ((alias, name) for name in names_of_role(role, setting))


_PREDICTIONS = (
    *("probs", "prob", "probabilities", "P", "yhat", "y_hat", "ŷ", "pred", "y_pred", "preds", "predictions"),
    *("output", "outputs", "o", "O", "h", "H", "hypothesis", "h_theta", "AL", "A_L", "aL", "hx", "softmax_output"),
)


def names_of_role(role: str, setting: RandomBatches) -> Iterator[str]:
    """Yield what the convention calls an array of a role such as "pre:last" or "weight:1"."""
    kind, _, layer = role.partition(":")
    run = setting.first.run
    names = Names(run)
    words = setting.network.convention.names
    weights = [name for name in run.params if words.is_weight(name)]
    number = len(weights) if layer in ("", "last") else int(layer)
    bias = words.of("bias", number)
    fixed = {"input": "X", "target": "Y", "count": words.count, "strength": words.strength}
    if kind in fixed:
        yield fixed[kind]
    elif kind == "prediction":
        yield names.prediction
    elif kind in ("weight", "weight-gradient") and 0 < number <= len(weights):
        name = weights[number - 1]
        yield name if kind == "weight" else setting.gradient_name(name)
    elif kind in ("bias", "bias-gradient") and bias in run.params:
        yield bias if kind == "bias" else setting.gradient_name(bias)
    elif kind == "accumulator" and 0 < number <= len(weights):
        if words.accumulator is not None:
            yield words.of("accumulator", number)
    elif kind in ("pre", "cotangent") and f"Z{number}" in names.outputs:
        yield names.of(f"Z{number}") if kind == "pre" else names.cotangent(f"Z{number}")
    elif kind in ("post", "post-cotangent") and number == 0:
        late = words.weighted_at == "gradient" and words.post_cotangent is not None
        gradient = words.of("post-cotangent", 0) if late else setting.gradient_name("X")
        yield names.inputs if kind == "post" else gradient
    elif kind in ("post", "post-cotangent") and f"A{number}" in names.outputs:
        yield names.of(f"A{number}") if kind == "post" else names.cotangent(f"A{number}")
    elif kind == "post" and number == len(weights):
        yield names.prediction
    elif kind == "post-cotangent" and number == len(weights):
        yield from setting.at_the_output


def _parameter(name: str, names: ArrayNames, *, single: bool) -> Iterator[tuple[str, str]]:
    """Of a weight or a bias, and of the gradient with respect to it."""
    letters, index = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")) :]
    spellings = ("W", "w", "Theta", "theta", "Θ", "θ") if names.is_weight(name) else (letters, letters.lower(), "b")
    single = single and index == "1"
    for own in spellings:
        for k in (index, *[""] * single):
            yield f"{own}{k}", name
            for gradient in (f"d{own}{k}", f"grad_{own}{k}", f"{own}{k}_grad", f"grad{own}{k}", f"nabla_{own}{k}"):
                yield gradient, names.gradient_of(name)
            for of in LOSS_NAMES:
                yield f"d{of}_d{own}{k}", names.gradient_of(name)
    if single and names.is_weight(name):
        yield "grad", names.gradient_of(name)


def _stop(stop: str, names: Names, *, last: bool, accumulates: bool) -> Iterator[tuple[str, str]]:
    """Of an output on the way forward, and of the cotangent there."""
    own, cotangent = names.of(stop), names.cotangent(stop)
    letter, index = stop[0], own.strip("p")[len(own.rstrip("p0123456789")) :]
    forward = {"Z": ("Z", "z", "net"), "A": ("A", "a", "H", "h", "X", "O", "out")}.get(letter, (own,))
    unnumbered = stop in ("Z1", "A1") and last
    for k in (index, *[""] * unnumbered):
        for spelling in forward:
            if spelling not in ("X", "O", "out") or k:
                yield f"{spelling}{k}", own
                for gradient in (
                    f"d{spelling}{k}",
                    f"grad_{spelling}{k}",
                    *(f"d{L}_d{spelling}{k}" for L in LOSS_NAMES),
                ):
                    yield gradient, cotangent
        if letter == "Z":
            for spelling in ("delta", "δ", "d", "error", "err") if k or last else ():
                yield f"{spelling}{k}", cotangent
            for spelling in () if accumulates or not k else ("Delta", "Δ", "D"):
                yield f"{spelling}{k}", cotangent
    if letter == "A":
        yield "h", own
        yield "H", own
        yield "dh", cotangent
        yield "dH", cotangent
        for spelling in ("hidden", "hidden_layer", "h_relu", "hidden_output", "hidden_activations"):
            yield spelling, own
            yield f"d{spelling}", cotangent
            yield f"grad_{spelling}", cotangent
            if spelling in ("hidden", "hidden_layer"):  # after its line is masked in place, it is ∂L/∂Z
                yield f"d{spelling}", names.cotangent(f"Z{stop[1:]}")
        yield "hidden_delta", names.cotangent(f"Z{stop[1:]}")
        yield "delta_hidden", names.cotangent(f"Z{stop[1:]}")
    if last:
        for spelling in ("scores", "logits", "f", "o", "ZL", "zL", "Z_L"):
            yield spelling, own
            yield f"d{spelling}", cotangent
            yield f"grad_{spelling}", cotangent
        outer = ("dout", "output_delta", "delta_output", "delta_out", "output_error", "deltaL", "delta_L", "error")
        yield from ((spelling, cotangent) for spelling in (*outer, "grad_y_pred"))
