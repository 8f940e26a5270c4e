"""Convolutions and pooling against loops; what they refuse; wrong ones, each caught by a law."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.arrays import Array
from jacobians.errors import DomainError, ShapeError
from jacobians.layers.convolutions import Convolution
from jacobians.layout import Layout
from jacobians.linops import ForEachExample, Selection, Windows
from jacobians.operations import Unary
from jacobians.operations.record import Makers
from jacobians.testing import assert_operation_laws, assert_reference

rng = np.random.default_rng(0)


def by_loops(x: np.ndarray, w: np.ndarray, stride: int, pad: int, dilation: int, groups: int) -> np.ndarray:
    """Each entry of a cross-correlation as its definition has it (Goodfellow, Bengio & Courville 2016, eq. 9.6)."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    count, outputs, inputs = len(x), len(w), w.shape[1]
    reach = [dilation * (k - 1) + 1 for k in w.shape[2:]]
    places = [(n - r) // stride + 1 for n, r in zip(x.shape[2:], reach, strict=True)]
    z = np.zeros((count, outputs, *places))
    for n, o, i, j in np.ndindex(z.shape):
        first = o // (outputs // groups) * inputs
        for c, k, m in np.ndindex(w.shape[1:]):
            z[n, o, i, j] += w[o, c, k, m] * x[n, first + c, stride * i + dilation * k, stride * j + dilation * m]
    return z


@pytest.mark.parametrize(
    ("stride", "pad", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 2), (3, 1, 1, 2)]
)
def test_a_convolution_and_its_dense_twins(stride: int, pad: int, dilation: int, groups: int) -> None:
    x, w = rng.normal(size=(2, 4, 4, 3)), rng.normal(size=(2, 4 // groups, 2, 2))

    def value(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return by_loops(x, w, stride, pad, dilation, groups)

    Z, J = layers.conv2d(x, w, stride=stride, pad=pad, dilation=dilation, groups=groups)
    np.testing.assert_allclose(Z, value(x, w), atol=1e-14)
    # it is linear in each, so a column of the matrix is the value at a basis array
    for jacobian, at in ((J.X, lambda e: value(e, w)), (J.W, lambda e: value(x, e))):
        twin = [at(e.reshape(jacobian.domain)).ravel() for e in np.eye(jacobian.shape[1])]
        np.testing.assert_allclose(jacobian.to_dense(), np.transpose(twin), atol=1e-14)
        np.testing.assert_allclose(jacobian.to_sparse().toarray(), np.transpose(twin), atol=1e-14)


def test_a_true_convolution_turns_the_kernel() -> None:
    x, w = rng.normal(size=(1, 1, 1, 5)), rng.normal(size=(1, 1, 1, 3))
    Z, _ = layers.conv2d(x, w, flipped=True)
    np.testing.assert_allclose(Z.ravel(), np.convolve(x.ravel(), w.ravel(), "valid"), atol=1e-14)


@pytest.mark.parametrize("pad", [0, "same"])
def test_one_gradient_in_every_layout_of_images(pad: Any) -> None:
    x, w, b = rng.normal(size=(3, 2, 4, 5)), rng.normal(size=(4, 2, 3, 2)), rng.normal(size=4)
    Z, J = layers.conv2d(x, w, b, stride=2, pad=pad)
    c = rng.normal(size=Z.shape)
    home = jac.Convention("home", Layout())
    for batch in ("rows", "columns"):
        for images in ("CHW", "HWC"):
            for kernels in ("OIHW", "HWIO"):
                layout = Layout(batch=batch, images=images, kernels=kernels)  # type: ignore[arg-type]
                there = jac.Convention("there", layout)
                x2, c2 = (jac.translate_batch(a, home, there) for a in (x, c))
                Z2, J2 = layers.conv2d(x2, jac.translate_kernel(w, home, there), b, stride=2, pad=pad, layout=layout)
                np.testing.assert_allclose(jac.translate_batch(Z2, there, home), Z, atol=1e-14)
                np.testing.assert_allclose(jac.translate_batch(J2.X.vjp(c2), there, home), J.X.vjp(c), atol=1e-14)
                np.testing.assert_allclose(jac.translate_kernel(J2.W.vjp(c2), there, home), J.W.vjp(c), atol=1e-13)
                np.testing.assert_allclose(J2.b.vjp(c2), J.b.vjp(c), atol=1e-13)


def test_per_example_gradients_of_a_kernel_are_two_factors() -> None:
    x, w = rng.normal(size=(3, 2, 4, 4)), rng.normal(size=(2, 2, 3, 3))
    X, W = jac.values(X=x, W=w)
    scores = layers.flatten(layers.conv2d(X, W))
    losses = jac.cross_entropy(scores, [0, 5, 2], reduction="none")
    by_w = losses.jacobian(W)
    assert by_w._factors()[0].structure.startswith("KhatriRaoSum")
    np.testing.assert_allclose(by_w.row_norms(), np.linalg.norm(by_w.to_dense(), axis=1))


def test_a_step_takes_a_few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into single examples, the same numbers come out."""
    x, w = rng.normal(size=(5, 2, 6, 6)), rng.normal(size=(3, 2, 3, 3))
    Z, J = layers.conv2d(x, w, pad=1)
    c = rng.normal(size=Z.shape)
    whole = Z, J.X.vjp(c), J.W.vjp(c), J.X.jvp(x), J.W.jvp(w)
    for module in ("for_each_example", "convolutions"):
        monkeypatch.setattr(f"jacobians.linops.{module}.FEW_BYTES", 1)
    Z, J = layers.conv2d(x, w, pad=1)
    for found, expected in zip((Z, J.X.vjp(c), J.W.vjp(c), J.X.jvp(x), J.W.jvp(w)), whole, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-13)


def test_of_equal_entries_the_first_is_the_largest() -> None:
    Z, J = layers.max_pool(np.ones((1, 1, 2, 2)), 2)
    assert Z.item() == 1
    assert J.vjp(np.ones((1, 1, 1, 1))).ravel().tolist() == [1, 0, 0, 0]


def test_an_embeddings_index_is_stored_once() -> None:
    _, J = layers.embedding([1, 4, 1], np.ones((6, 300)))
    assert J.nbytes == 3 * 8


def peak(work: Callable[[], Any]) -> float:
    """Return the megabytes that are held at most, of those that the work takes."""
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_a_large_table_has_no_dense_gradient_unless_asked() -> None:
    """100,000 words of 300 numbers in float32 are 114 MB; 640 words of them are 0.7 MB."""
    table, tokens = np.ones((100_000, 300), np.float32), rng.integers(0, 100_000, size=(32, 20))
    kernel = rng.normal(size=(300, 3)).astype(np.float32)
    words, places = np.unique(tokens, return_inverse=True)
    _, J = layers.embedding(tokens, table)

    def swept(table: np.ndarray, tokens: np.ndarray, *names: str) -> Any:
        values = jac.values(W=table, K=kernel)
        return np.tanh(layers.embedding(tokens, values[0]) @ values[1]).sum().gradients(*names)

    assert peak(lambda: layers.embedding(tokens, table)) < 3
    assert peak(J.row_norms) < 3
    assert peak(lambda: J.jvp(table)) < 3
    assert peak(lambda: swept(table, tokens, "K")) < 8
    assert peak(lambda: swept(table[words], places.reshape(tokens.shape), "W", "K")) < 8
    assert peak(lambda: swept(table, tokens, "W")) > 114


# --- refusals ------------------------------------------------------------------------------------------


def refused(error: type[Exception], message: str) -> Any:
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def test_what_does_not_fit_is_refused_with_the_likely_fix() -> None:
    x, w = np.ones((2, 3, 4, 4)), np.ones((5, 3, 3, 3))
    with refused(
        ShapeError,
        "conv2d: X has shape (2, 4, 4, 3) with 4 channels, W of shape (5, 3, 3, 3) with groups=1 takes 3 (batch in "
        "rows, images CHW, kernels OIHW); another layout would fit: are the images HWC, or the batch on the other "
        "side?",
    ):
        layers.conv2d(x.transpose(0, 2, 3, 1), w)
    with refused(
        ShapeError,
        "conv2d: X has shape (2, 3, 4, 4) with 3 channels, W of shape (2, 2, 3, 5) with groups=1 takes 2 (batch in "
        "rows, images CHW, kernels OIHW); another layout would fit: is the kernel HWIO?",
    ):
        layers.conv2d(x, np.ones((2, 2, 3, 5)))
    with refused(
        ShapeError,
        "conv2d: W has shape (5, 3, 3, 3), 5 outputs, which groups=3 does not divide (batch in rows, images CHW, "
        "kernels OIHW)",
    ):
        layers.conv2d(x, w, groups=3)
    with refused(ShapeError, "conv2d: groups=0; expected a whole number of at least 1"):
        layers.conv2d(x, w, groups=0)
    with refused(ShapeError, "conv2d: X has shape (3, 4, 4); expected 4 axes (batch in rows, images CHW)"):
        layers.conv2d(x[0], w)
    with refused(
        ShapeError,
        "conv2d: a window of 3×3, dilation 2×2, reaches over 5×5 entries, the array with its padding has 4×4; pad "
        "more, or take a smaller kernel",
    ):
        layers.conv2d(x, w, dilation=2)
    with refused(ShapeError, "conv2d: stride=0; expected a whole number of at least 1, or one for each of 2 axes"):
        layers.conv2d(x, w, stride=0)
    with refused(ShapeError, "conv2d: b has shape (3,), 5 outputs expect (5,)"):
        layers.conv2d(x, w, np.ones(3))
    with refused(
        ShapeError,
        "conv2d: pad='full'; expected 'same', a number of zeros (0 for Keras's 'valid'), one for each axis, or pairs "
        "(before, after)",
    ):
        layers.conv2d(x, w, pad="full")
    with refused(
        ShapeError,
        "avg_pool: a window of 5×5, dilation 1×1, reaches over 5×5 entries, the array with its padding has 4×4; pad "
        "more, or take a smaller kernel",
    ):
        layers.avg_pool(x, 5)
    with refused(ShapeError, "max_pool: pad=2 is as wide as the windows (2, 2); some would hold no entry"):
        layers.max_pool(x, 2, pad=2)
    with refused(
        DomainError, "embedding: tokens lie in [1, 3], W of shape (3, 2) has the rows 0 to 2; is the first label 1?"
    ):
        layers.embedding([1, 3], np.ones((3, 2)))
    with refused(ShapeError, "embedding: the tokens have dtype float64; expected integers, the rows' numbers"):
        layers.embedding([1.0], np.ones((3, 2)))


# --- wrong ones ----------------------------------------------------------------------------------------


class CroppedOnTheWrongSide(Unary):
    """Padding of one zero before and after, whose gradient is cropped as if both came before."""

    name = "pad"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        wide = (*X.shape[:-1], X.shape[-1] + 2)
        return np.pad(X, ((0, 0), (1, 1))), {"X": lambda: Selection((slice(None), slice(2, None)), wide, X.dtype).T}


class StrideForgotten(Unary):
    """Every second window of three, whose gradient goes to windows side by side."""

    name = "windows"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        value = Windows((3,), X.shape[1:], (2,))._jvp(X).copy()
        near = Windows((3,), (value.shape[-1] + 2,))
        kept = Selection((slice(0, value.shape[-1] + 2),), X.shape[1:])
        return value, {"X": lambda: ForEachExample(len(X), near @ kept)}


class KernelNotTurned(Unary):
    """A true convolution whose gradient is that of the cross-correlation."""

    name = "conv1d"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        w = np.array([[[1.0, 2.0, 4.0]]])
        value, _ = Convolution(1, bias=False, flipped=True)(arrays[0], w)
        _, J = Convolution(1, bias=False)(arrays[0], w)
        return value, {"X": lambda: J.X}


@pytest.mark.parametrize(
    ("operation", "shape"),
    [(CroppedOnTheWrongSide(), (2, 3)), (StrideForgotten(), (2, 7)), (KernelNotTurned(), (1, 1, 5))],
)
def test_wrong_ones_are_caught(operation: Unary, shape: tuple[int, ...]) -> None:
    with pytest.raises(AssertionError, match="law reference"):
        assert_reference(operation, [rng.normal(size=shape)])


class PoolsOverTheBatch(Unary):
    """The largest entry over all examples, as if the batch were an axis of places."""

    name = "max_pool"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        own = X.argmax(axis=0)
        places = own * X.shape[1] + np.arange(X.shape[1])
        every = np.broadcast_to(places, X.shape)
        return X.ravel()[every], {"X": lambda: Selection(every, X.shape, X.dtype)}


def test_a_pool_over_the_batch_is_caught_by_the_law_of_batches() -> None:
    X = rng.permutation(np.arange(12.0)).reshape(4, 3)
    with pytest.raises(AssertionError, match="law batch"):
        assert_operation_laws(PoolsOverTheBatch(), [X], axes=(0,), out_axis=0, integers=False)
