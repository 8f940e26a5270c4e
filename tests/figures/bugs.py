"""The catalogue of ways in which a hand-written gradient goes wrong: each bug, its family, and where it is seeded.

`slip` is the switch in `dialects`, `backprop`, `backward` or `stateful`; `kind` is the problem that brings it out.
`equivalence` says where a bug changes nothing, `expected` what a diagnosis may rightly call it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.figures.equivalence import CLASSES, HOT, NETWORK_LOSSES

__all__ = ["BUGS", "FAMILIES", "Bug"]

_OF_ONE_OUTPUT = ("squared_error", "binary_cross_entropy")


@dataclass(frozen=True)
class Bug:
    """One bug.

    `where`: "" for the whole network, "any" one layer, "some" (one or all), "hidden" (a layer's activation),
    "upper" (not the first).
    """

    family: str
    slip: str
    seeded: str
    kind: str = "plain"
    where: str = ""
    losses: tuple[str, ...] = NETWORK_LOSSES
    activations: tuple[str, ...] = ("sigmoid", "tanh", "relu")
    dialects: str = ""
    stateful: bool = False

    @property
    def name(self) -> str:
        return self.slip if self.kind == "plain" else f"{self.slip} ({self.kind})"

    def possible_layers(self, layers: int) -> tuple[int, ...]:
        """The layers in which it can be made."""
        first, last = {
            "": (0, 0),
            "any": (1, layers),
            "some": (0, layers),
            "hidden": (1, layers - 1),
            "upper": (2, layers),
        }[self.where]
        return tuple(range(first, last + 1))

    def applies(self, convention: str, activation: str) -> bool:
        """Whether this convention and this activation have the line in which the bug is made."""
        column = convention == "ng-ml-2011"
        if self.dialects == "bias column" and not column:
            return False
        if self.dialects == "bias alone" and column:
            return False
        if self.family == "Regulariser" and convention == "pytorch":
            return False  # its losses have none
        return activation in self.activations


def _bugs() -> tuple[Bug, ...]:
    scale, act, soft, shape = "Scale", "Activation", "Softmax and loss", "Shapes and layouts"
    bias, penalty, data, state, extreme = "Bias", "Regulariser", "Data", "State", "Extremes"
    any_, some, hidden, upper = {"where": "any"}, {"where": "some"}, {"where": "hidden"}, {"where": "upper"}
    return (
        Bug(scale, "sign", "δ = y − p"),
        Bug(scale, "mean-missing", "δ not divided by N"),
        Bug(scale, "mean-twice", "δ/N, and 1/N again at the weights"),
        Bug(scale, "n-minus-1", "δ/(N − 1)"),
        Bug(scale, "n-plus-1", "δ/(N + 1): the padding counts"),
        Bug(scale, "mean-over-outputs-too", "δ/(N·K)"),
        Bug(scale, "times-2", "the 2 of the square, with a ½ in the loss"),
        Bug(scale, "times-half", "the ½ of another course's loss"),
        Bug(scale, "times-1.0001", "all gradients × 1.0001"),
        Bug(scale, "times-1.000001", "all gradients × 1.000001"),
        Bug(scale, "all-zero", "allocated and never filled"),
        Bug(scale, "clipped", "np.clip(g, −0.02, 0.02)"),
        Bug(act, "slope-missing", "δ not multiplied by the derivative", **hidden),
        Bug(act, "slope-from-z", "a(1 − a) fed z", **hidden),
        Bug(act, "slope-of-a", "σ′ fed a", **hidden),
        Bug(act, "slope-of-another", "tanh′ in a sigmoid's place, σ′ in tanh's", **hidden),
        Bug(act, "slope-clipped", "max(slope, 0.2), or 0.01 for ReLU", **hidden),
        Bug(act, "relu-mask-from-gradient", "dA[dA <= 0] = 0", activations=("relu",), **hidden),
        Bug(soft, "softmax-wrong-axis", "softmax over the examples", losses=CLASSES),
        Bug(soft, "softmax-diagonal-only", "−y/p · p(1 − p)", losses=CLASSES),
        Bug(soft, "class-off-by-one", "labels of 1…K as an index", losses=HOT),
        Bug(soft, "one-wrong-label", "the first example's target moved"),
        Bug(soft, "soft-as-one-hot", "p[argmax y] −= 1", kind="soft", losses=HOT),
        Bug(soft, "class-weights-unnormalised", "Σw of the batch forgotten", kind="weighted", losses=CLASSES),
        Bug(shape, "transposed-weight-gradient", "dWᵀ, hidden by packing", **any_),
        Bug(shape, "transposed-weight-gradient", "dWᵀ, where W is square", kind="square", **any_),
        Bug(shape, "reshape-for-transpose", "dWᵀ.reshape(W.shape)", **some),
        Bug(shape, "rows-swapped", "two rows of dW", **any_),
        Bug(shape, "blocks-in-wrong-order", "packed from the last layer to the first"),
        Bug(shape, "unpack-other-order", "the parameters unpacked in the other vec order"),
        Bug(shape, "ravel-other-order", "the gradients packed in the other vec order"),
        Bug(shape, "kronecker-other-order", "vec(δ)ᵀ(I ⊗ X) where rows are stacked", **some),
        Bug(shape, "chain-order", "Wδ for Wᵀδ, where W is square", kind="square", **upper),
        Bug(shape, "square-hides-transpose", "the gradient's own forward pass with Wᵀ", kind="square", **some),
        Bug(shape, "broadcast-n-by-n", "(N, 1) − (N,)", kind="single", losses=_OF_ONE_OUTPUT),
        Bug(bias, "db-averaged", "δ.mean(0), δ divided by N already", **some),
        Bug(bias, "db-one-example", "δ[-1]", **some),
        Bug(bias, "db-all-axes", "δ.sum()", **some),
        Bug(bias, "bias-row-kept", "δ₀ kept, the last entry dropped", dialects="bias column", **upper),
        Bug(bias, "ones-at-wrong-end", "[X 1] for [1 X]", dialects="bias column", **some),
        Bug(penalty, "penalty-missing", "no λ in the gradient"),
        Bug(penalty, "penalty-twice", "2λW for ½λΣW²"),
        Bug(penalty, "penalty-over-n", "λ for λ/N, or the reverse"),
        Bug(penalty, "penalty-in-one-layer", "the first layer only"),
        Bug(penalty, "penalty-sign", "−λW"),
        Bug(penalty, "bias-regularised", "λb too"),
        Bug(penalty, "penalty-l1", "λ·sign(W)"),
        Bug(data, "inputs-reversed", "np.flip(X, examples)"),
        Bug(data, "inputs-to-int", "X.astype(int)"),
        Bug(data, "inputs-float32", "X.astype(float32)"),
        Bug(data, "last-example-dropped", "for i in range(N − 1)"),
        Bug(data, "one-entry-zero", "a loop over W from 1", **any_),
        Bug(data, "squeezed", "np.squeeze(δ).sum(0) of one example", kind="one", **any_),
        Bug(data, "empty-batch-nan", "sums first, divides by N = 0", kind="empty"),
        Bug(data, "uint8-wraps", "−y of uint8 one-hot", losses=HOT),
        Bug(state, "weight-used-after-update", "W −= 0.1·dW before Wᵀδ, layer by layer"),
        *(Bug(state, slip, how, stateful=True) for slip, how in _STATE.items()),
        Bug(extreme, "one-nan", "0/0 in one entry", **any_),
        Bug(extreme, "log-0", "−y/p at p = 0", kind="extreme", losses=HOT),
        Bug(extreme, "exp-overflow", "exp of unshifted outputs", kind="extreme", losses=CLASSES),
        Bug(extreme, "relu-at-zero", "z ≥ 0", kind="at-zero", activations=("relu",), where="hidden"),
        Bug(extreme, "ties-counted-twice", "z == z.max()", kind="ties", losses=("max",)),
        Bug(extreme, "centred-in-place", "X −= mean, X of stride 0", kind="stride-0"),
        Bug(extreme, "centred-in-place", "X −= mean, and Y is X", kind="shared", losses=("squared_error",)),
        Bug(extreme, "float32-sum-stalls", "running float32 sum of δ over 4096 examples", kind="long", **any_),
        # the same where the check does not examine every entry fully
        *(Bug(scale, s, "in hundreds of parameters", kind="wide") for s in ("sign", "times-1.0001", "times-1.000001")),
        *(Bug(shape, s, "in hundreds of parameters", kind="wide", where="any") for s in _WIDE_SHAPES),
        *(
            Bug(bias, s, "in hundreds of parameters", kind="wide", where="any")
            for s in ("db-averaged", "db-one-example")
        ),
        *(Bug(penalty, s, "in hundreds of parameters", kind="wide") for s in ("penalty-missing", "bias-regularised")),
        *(Bug(data, s, "in hundreds of parameters", kind="wide") for s in ("inputs-float32", "one-entry-zero")),
        # the same at other shapes, where some of them change nothing
        *(Bug(scale, s, "at N = 1", kind="one") for s in ("mean-missing", "mean-twice", "n-minus-1", "n-plus-1")),
        *(Bug(bias, s, "at N = 1", kind="one", where="any") for s in ("db-averaged", "db-one-example", "db-all-axes")),
        Bug(data, "inputs-reversed", "at N = 1", kind="one"),
        Bug(scale, "mean-over-outputs-too", "at K = 1", kind="single", losses=_OF_ONE_OUTPUT),
        Bug(penalty, "penalty-over-n", "at N = 1", kind="one"),
    )


_WIDE_SHAPES = ("transposed-weight-gradient", "rows-swapped", "kronecker-other-order")

_STATE = {
    "result-of-first-call": "the first call's result kept, whatever the parameters",
    "stale-cache-of-first-call": "the first call's activations kept, the weights are this call's",
    "stale-cache-of-last-call": "the activations of the call before, the weights are this call's",
    "accumulates": "grads += …, never zeroed",
    "shared-buffer": "every call returns one array",
    "overwrites-input": "trains while it is at it",
    "not-deterministic": "dropout left on: noise of 10⁻³",
    "result-float32": "astype(float32)",
    "result-float16": "astype(float16)",
}

BUGS = _bugs()
FAMILIES = tuple(dict.fromkeys(bug.family for bug in BUGS))
