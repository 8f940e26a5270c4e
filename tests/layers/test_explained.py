"""What is printed for layers: the courses' lines, and programs that compute the gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.errors import LayoutError
from jacobians.layers import Convolution, Flattened, GlobalPool, Pool
from jacobians.layers.image_functions import COL2IM, IM2COL, IM2ROW, MAXPICK, POOLS, ROW2IM, TURNED
from jacobians.linops import DiagonalMinusOuter
from jacobians.linops.standardised import Standardised
from jacobians.operations import Affine, CrossEntropy, ReLU
from jacobians.symbols.named_functions import source_of

rng = np.random.default_rng(0)


def batch_norm() -> Any:
    values = jac.values(X=rng.normal(size=(5, 3)), gamma=rng.normal(size=3), beta=rng.normal(size=3))
    return layers.batch_norm(*values)


def spatial_batch_norm() -> Any:
    return layers.batch_norm(*drawn({"X": (3, 4, 2, 5), "gamma": (4,), "beta": (4,)}))


def in_evaluation() -> Any:
    """With the batch in columns."""
    X, gamma, beta = drawn({"X": (3, 5), "gamma": (3, 1), "beta": (3,)})
    return layers.batch_norm(X, gamma, beta, statistics=(rng.normal(size=3), rng.random(3)), layout="ng-dlai")


def layer_norm() -> Any:
    return layers.layer_norm(*drawn({"X": (3, 2, 4), "gamma": (4,), "beta": (4,)}))


def rms_norm() -> Any:
    return layers.rms_norm(*drawn({"X": (5, 4), "gamma": (4,)}))


def attention() -> Any:
    return layers.attention(
        *jac.values(Q=rng.normal(size=(3, 4)), K=rng.normal(size=(5, 4)), V=rng.normal(size=(5, 2)))
    )


def causal() -> Any:
    shapes = {"Q": (3, 4), "K": (3, 4), "V": (3, 2)}
    return layers.attention(*jac.values(**{n: rng.normal(size=s) for n, s in shapes.items()}), causal=True)


def convolution() -> Any:
    shapes = {"X": (2, 3, 5, 5), "W": (4, 3, 3, 3), "b": (4,)}
    return layers.conv2d(*jac.values(**{n: rng.normal(size=s) for n, s in shapes.items()}), stride=2, pad=1)


def channels_last() -> Any:
    """Keras's images and kernels."""
    shapes = {"X": (2, 5, 5, 3), "W": (3, 3, 3, 4), "b": (4,)}
    values = jac.values(**{n: rng.normal(size=s) for n, s in shapes.items()})
    return layers.conv2d(*values, stride=2, pad=2, dilation=2, layout="keras")


def grouped() -> Any:
    shapes = {"X": (2, 4, 4, 4), "W": (6, 2, 2, 2), "b": (6,)}
    return layers.conv2d(*jac.values(**{n: rng.normal(size=s) for n, s in shapes.items()}), groups=2, dilation=2)


def pooled(pool: Any, *shape: int) -> Any:
    (X,) = jac.values(X=rng.integers(0, 4, size=shape).astype(float))  # with equal entries
    return pool(X)


def max_pool() -> Any:
    return pooled(Pool("max", 3, 2, 1), 2, 2, 5, 6)


def avg_pool() -> Any:
    """Keras's images."""
    return pooled(Pool("avg", (2, 3), 1, 1, "keras"), 2, 4, 5, 3)


def global_pool() -> Any:
    return pooled(GlobalPool("max"), 2, 3, 4, 5)


def drawn(shapes: dict[str, tuple[int, ...]]) -> Any:
    return jac.values(**{name: rng.normal(size=shape) for name, shape in shapes.items()})


def in_matlab() -> Any:
    """Images HWC with the batch in columns, other strides down than across, and padding on two sides alone."""
    shapes = {"X": (5, 4, 2, 3), "W": (2, 3, 2, 4), "b": (4,)}
    return layers.conv2d(*drawn(shapes), stride=(2, 1), pad=((0, 1), (1, 0)), layout="matlab")


def turned() -> Any:
    """A convolution as mathematics has it, with Keras's images."""
    return layers.conv2d(*drawn({"X": (2, 5, 5, 3), "W": (3, 2, 3, 4)}), dilation=(1, 2), flipped=True, layout="keras")


def along_a_line() -> Any:
    return layers.conv1d(*drawn({"X": (2, 4, 7), "W": (4, 2, 3)}), stride=2, pad=1, groups=2, flipped=True)


def pool_of_columns() -> Any:
    return pooled(Pool("max", (3, 2), (1, 2), ((1, 0), (0, 1)), "matlab"), 5, 4, 2, 3)


def pool_along_a_line() -> Any:
    return pooled(Pool("avg", 3, 2, 1), 2, 2, 7)


def heads() -> Any:
    return layers.attention(*drawn({"Q": (2, 3, 4, 4), "K": (2, 3, 5, 4), "V": (2, 3, 5, 2)}))


def self_attention() -> Any:
    X, *weights = drawn({"X": (2, 3, 4), **dict.fromkeys(("Wq", "Wk", "Wv", "Wo"), (4, 4))})
    return layers.multi_head_attention(X, X, *weights, heads=2, causal=True)


LINES = {
    in_matlab: [
        "Xcol₁ = im2col(X_hwcn→nchw, 2, 3, 2, 0, 1, 1, 1, 1, 1)",
        "dXcol₁ = Σ_o (W_hwio→oihw as 4×12)_ok (dZ₁_hwcn→nchw as 3×4×9)_nop",
        "dX = col2im(dXcol₁, 2, 5, 4, 2, 3, 2, 0, 1, 1, 1, 1, 1)_nchw→hwcn",
        "dW = ((Σ_np (dZ₁_hwcn→nchw as 3×4×9)_nop Xcol₁_nkp) as 4×2×2×3)_oihw→hwio",
    ],
    turned: [
        "Z₁ = (Xrow₁ (turned(W, 0) as 18×4)) as 2×3×3×4",
        "dXrow₁ = (dZ₁ as 18×4) (turned(W, 0) as 18×4)ᵀ",
        "dW = turned((Xrow₁ᵀ (dZ₁ as 18×4)) as 3×2×3×4, 0)",
    ],
    along_a_line: ["Xcol₁ = im2col(X as 2×4×1×7, 1, 3, 2, 0, 1, 2, 1, 0, 1, 1)"],
    pool_of_columns: ["dX = maxunpool(dZ₁, X, 3, 2, 1, 1, 0, 2, 0, 0)"],
    pool_along_a_line: ["Z₁ = avgpool(X as 2×2×1×7, 1, 3, 2, 0, 2, 2, 0, 1, 1) as 2×2×4"],
    heads: [
        "S₁ = 0.5 ((Σ_d Q_nhqd K_nhkd) as 24×5)",
        "dP = (Σ_e V_nhke dZ₁_nhqe) as 24×5",
        "dS₁ = P ∘ (dP − (dP ∘ P) 1)",
        "dQ = 0.5 (Σ_k K_nhkd (dS₁ as 2×3×4×5)_nhqk)",
        "dV = Σ_q (P as 2×3×4×5)_nhqk dZ₁_nhqe",
    ],
    self_attention: [
        "Z₁ = (X as 6×4) Wq",
        "S₁ = 0.707107 ((Σ_d (Z₁ as 2×3×2×2)_nqhd (Z₂ as 2×3×2×2)_nkhd) as 12×3) + M₁",
        "dZ₄ = ((dZ₅ Woᵀ) as 2×3×2×2)_abcd→acbd",
        "dX = (dZ₁ Wqᵀ) as 2×3×4 + ((dZ₂ Wkᵀ) as 2×3×4) + ((dZ₃ Wvᵀ) as 2×3×4)",
    ],
    max_pool: ["Z₁ = maxpool(X, 3, 3, 2, 1)", "dX = maxunpool(dZ₁, X, 3, 3, 2, 1)"],
    avg_pool: ["Z₁ = avgpool(X, 2, 3, 1, 1, 1)", "dX = avgunpool(dZ₁, X, 2, 3, 1, 1, 1)"],
    global_pool: ["dX = maxunpool(dZ₁ as 2×3×1×1, X, 4, 5, 1, 0)"],
    batch_norm: [
        "dX = (5 dZ₁ − 1ᵀdZ₁ − Xhat₁ ∘ (1ᵀ(dZ₁ ∘ Xhat₁))) ∘ (1 (γ / (5 S₁))ᵀ)",
        "dγ = 1ᵀ(dZ₁ ∘ Xhat₁)",
        "dβ = 1ᵀdZ₁",
    ],
    spatial_batch_norm: [
        "D₁ = X_abcd→acdb as 30×4 − 1ᵀ(X_abcd→acdb as 30×4) / 30",
        "dγ = 1ᵀ((dZ₁_abcd→acdb as 30×4) ∘ Xhat₁)",
    ],
    in_evaluation: ["dX = (dZ₁ᵀ ∘ (1 ((γ as 3) / S₁)ᵀ))ᵀ", "dβ = 1ᵀdZ₁ᵀ"],
    layer_norm: ["S₁ = sqrt((D₁ ∘ D₁) 1 / 4 + 1e−05)", "Xhat₁ = D₁ / (S₁ 1ᵀ)"],
    rms_norm: ["dX = (dZ₁ ∘ (1 γᵀ) − ((dZ₁ ∘ (1 γᵀ) ∘ Xhat₁) 1) ∘ (Xhat₁ / 4)) ∘ ((1 / S₁) 1ᵀ)"],
    attention: [
        "S₁ = 0.5 (Q Kᵀ)",
        "dP = dZ₁ Vᵀ",
        "dS₁ = P ∘ (dP − (dP ∘ P) 1)",
        "dQ = 0.5 (dS₁ K)",
        "dK = 0.5 (dS₁ᵀ Q)",
    ],
    causal: ["S₁ = 0.5 (Q Kᵀ) + M₁", "dS₁ = P ∘ (dP − (dP ∘ P) 1)"],
    convolution: [
        "Xcol₁ = im2col(X, 3, 3, 2, 1)",
        "dXcol₁ = Σ_o (W as 4×27)_ok (dZ₁ as 2×4×9)_nop",
        "dX = col2im(dXcol₁, 3, 5, 5, 3, 3, 2, 1)",
        "dW = (Σ_np (dZ₁ as 2×4×9)_nop Xcol₁_nkp) as 4×3×3×3",
    ],
    channels_last: [
        "Xrow₁ = im2row(X, 3, 3, 2, 2, 2)",
        "Z₁ = (Xrow₁ (W as 27×4) + 1 bᵀ) as 2×3×3×4",
        "dXrow₁ = (dZ₁ as 18×4) (W as 27×4)ᵀ",
        "dX = row2im(dXrow₁, 5, 5, 3, 3, 3, 2, 2, 2)",
        "dW = (Xrow₁ᵀ (dZ₁ as 18×4)) as 3×3×3×4",
        "db = 1ᵀ(dZ₁ as 18×4)",
    ],
    grouped: [
        "dXcol₁ = (Σ_o (W as 2×3×8)_gok (dZ₁ as 2×2×3×4)_ngop) as 2×16×4",
        "dW = (Σ_np (dZ₁ as 2×2×3×4)_ngop (Xcol₁ as 2×2×8×4)_ngkp) as 6×2×2×2",
    ],
}


@pytest.mark.parametrize("layer", LINES, ids=lambda f: f.__name__)
def test_the_courses_lines_and_a_program_that_runs(layer: Any) -> None:
    value = layer()
    loss = (value * rng.normal(size=value.shape)).sum()
    derivation = jac.explain(loss)
    lines = [line.strip() for line in str(derivation).splitlines()]
    assert [line for line in LINES[layer] if line not in lines] == []
    names = [node.name for node in loss.ancestors() if node.operation is None]
    given = {name: array for name, array in derivation.values.items() if not name.startswith("d")}
    exec(derivation.to_numpy(), given)  # the library's own text
    for name, gradient in zip(names, loss.gradients(*names), strict=True):
        np.testing.assert_allclose(given[f"d{name}"], gradient, rtol=1e-10, atol=1e-12)
    assert "\\partial" in derivation.to_latex() or "\\mathrm" in derivation.to_latex()


CHAINS = {
    "cs231n": [
        "Xcol₁ = im2col(X, 3, 3, 1, 1)",
        "dA₁′ = maxunpool(dA₁′′, A₁′, 2, 2, 2, 0)",
        "dXcol₁ = Σ_o (W₁ as 4×27)_ok (dA₁ as 30×4×36)_nop",
        "dX = col2im(dXcol₁, 3, 6, 6, 3, 3, 1, 1)",
        "dW₁ = (Σ_np (dA₁ as 30×4×36)_nop Xcol₁_nkp) as 4×3×3×3",
    ],
    "keras": [
        "Xrow₁ = im2row(X, 3, 3, 1, 1)",
        "dA₁′ = maxunpool(dA₁′′, A₁′, 2, 2, 2, 0, 1)",
        "dX = row2im(dXrow₁, 6, 6, 3, 3, 3, 1, 1)",
    ],
}


@pytest.mark.parametrize("convention", sorted(CHAINS))
def test_a_chain_prints_the_lines_of_a_graph(convention: str) -> None:
    """Also of a batch whose Jacobians would be large as matrices: none is written out."""
    X = rng.normal(size=(30, 6, 6, 3) if convention == "keras" else (30, 3, 6, 6))
    Y = np.arange(30) % 2
    parts = [Convolution(pad=1, sizes=(4, 3, 3, 3)), ReLU(), Pool("max", 2), Flattened(), Affine(convention, (36, 2))]
    network = jac.Network([part.moved_to(convention) for part in parts], CrossEntropy(), convention)
    params = network.init(0)
    derivation = jac.explain(network, params=params, X=X, Y=Y)
    lines = [line.strip() for line in str(derivation).splitlines()]
    assert [line for line in CHAINS[convention] if line not in lines] == []
    assert max(array.size for array in derivation.values.values()) < 40_000
    given = {name: array for name, array in derivation.values.items() if not name.startswith("d")}
    exec(derivation.to_numpy(), given)  # the library's own text
    for name, gradient in network.gradient(params, X, Y).items():
        np.testing.assert_allclose(given[f"d{name}"], gradient, rtol=1e-10, atol=1e-12)


def test_what_has_no_formula_is_named_and_not_invented() -> None:
    X, W = jac.values(X=rng.normal(size=(2, 2, 4, 4)), W=rng.normal(size=(2, 1, 2, 2)))
    text = str(jac.explain(layers.conv_transpose2d(X, W).sum()))
    assert "conv_transpose2d has no formula" in text
    (Wx,) = jac.values(Wx=rng.normal(size=(3, 2)))
    states = layers.rnn(np.ones((2, 4, 3)), np.zeros((2, 2)), Wx, np.eye(2), np.zeros(2))
    assert "rnn is one operation; with steps=True every step has its formulas" in jac.explain(states.sum()).to_text(200)


def test_one_line_is_the_product_of_two_brackets() -> None:
    x = rng.normal(size=(5, 3))
    hat = (x - x.mean(axis=0)) / x.std(axis=0)
    ones, rows = np.ones((3, 5)), hat.T
    brackets = (
        DiagonalMinusOuter(ones, rows, rows / 5, 1).to_dense() @ DiagonalMinusOuter(ones, ones, ones / 5, 1).to_dense()
    )
    turned = brackets.reshape(3, 5, 3, 5).transpose(1, 0, 3, 2).reshape(15, 15)
    line = Standardised(hat, 0)
    np.testing.assert_allclose(line.to_dense() / 5, turned, atol=1e-14)
    np.testing.assert_allclose(line.T.to_dense(), line.to_dense().T, atol=1e-14)


NAMED = [COL2IM, IM2COL, IM2ROW, MAXPICK, ROW2IM, TURNED, *POOLS["max"], *POOLS["avg"]]
ALONE = {
    "conv2d": (Convolution(stride=(2, 1), pad=((0, 1), (1, 0))), (2, 2, 4, 3), (3, 2, 2, 2), (3,)),
    "turned, in MATLAB's layout": (Convolution(flipped=True, layout="matlab"), (4, 3, 2, 2), (2, 2, 2, 3), (3,)),
    "Keras's rows": (Convolution(dilation=2, layout="keras"), (2, 4, 4, 2), (2, 2, 2, 3), (3,)),
    "max_pool": (Pool("max", 2, 1), (2, 2, 3, 4)),
    "avg_pool": (Pool("avg", (2, 1), layout="keras"), (2, 4, 3, 2)),
    "global_max_pool": (GlobalPool("max"), (2, 2, 3, 4)),
    "batch_norm": (layers.BatchNorm(), (4, 3), (3,), (3,)),
    "layer_norm": (layers.LayerNorm(), (2, 4, 3), (3,), (3,)),
    "attention": (layers.Attention(causal=True), (2, 3, 4), (2, 3, 4), (2, 3, 2)),
}


@pytest.mark.parametrize("name", ALONE)
def test_a_layer_alone_forward_and_back(name: str) -> None:
    """What is printed of a cotangent and of a tangent, run."""
    operation, *shapes = ALONE[name]
    arrays = [rng.normal(size=shape) for shape in shapes]
    derivation = jac.explain(operation, operation.layout, *arrays)
    value, jacobians = operation.evaluate(*arrays)
    scope: dict[str, Any] = {"np": np, **derivation.values}
    exec(source_of(NAMED), scope)
    for local, found in derivation.inputs.items():
        out = "A" if "dA" in scope else "Z"
        exec(found.pullback.numpy, scope)
        np.testing.assert_allclose(scope[f"d{local}"], jacobians[local].vjp(derivation.values[f"d{out}"]), atol=1e-12)
        exec(found.pushforward.numpy, scope)
        pushed = np.broadcast_to(scope[f"t{out}"], value.shape)
        np.testing.assert_allclose(pushed, jacobians[local].jvp(derivation.values[f"t{local}"]), atol=1e-12)


def test_inputs_of_one_operation() -> None:
    """Several come after the convention; a single one may be X; images are not made up."""
    X = rng.normal(size=(1, 1, 2, 4))
    assert "maxpick(tX, X, 2, 2, 2, 0)" in str(jac.explain(Pool("max", 2), X=X)).replace("\n       ", " ")
    with pytest.raises(LayoutError, match=r"max_pool needs its inputs: pass X after the convention, explain"):
        jac.explain(Pool("max", 2))
