"""Every function of `jacobians.matrix` with bad input of every kind, in every place: an error or a value."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from jacobians import matrix as jm
from jacobians.errors import JacobiansError
from jacobians.linops import Jacobian

rng = np.random.default_rng(0)
S = (lambda A: A @ A.T + np.eye(3))(rng.normal(size=(3, 3)))
A, R, v, w = rng.normal(size=(3, 3)) + 4 * np.eye(3), rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=4)

GIVEN: dict[str, list[Any]] = {
    **{name: [S] for name in ("cholesky", "eigh", "eigvalsh", "ldl", "logdet", "vech")},
    **{
        name: [A]
        for name in ("cayley", "det", "diagonal_of", "expm", "inverse", "logm", "slogdet", "sqrtm", "symmetrised")
    },
    **{name: [A] for name in ("trace", "tril", "triu")},
    **{name: [R] for name in ("correlation", "covariance", "frobenius_norm", "gram", "nuclear_norm", "pinv", "qr")},
    **{name: [R] for name in ("spectral_norm", "svd", "svdvals")},
    **{name: [v] for name in ("circulant", "diag", "normalise", "orthogonal", "p_norm", "skew")},
    **{name: [rng.normal(size=6)] for name in ("triangular", "unvech")},
    **{name: [A, A, A] for name in ("sylvester", "triple_product")},
    **{name: [R, v, S] for name in ("gaussian", "mahalanobis")},
    **{"bilinear": [v, R.T, w], "congruence": [R, R @ R.T], "divide": [R, R + 10], "kron": [R, A], "outer": [v, w]},
    **{"gaussian_by_cholesky": [R, v, np.linalg.cholesky(S)], "lyapunov": [A, S], "quadratic": [v, A]},
    **{"least_squares": [R, w], "ridge": [R, w, 0.5], "matrix_power": [A, 3], "solve": [A, v]},
    **{"spectral_function": [S, np.sin, np.cos], "toeplitz": [rng.normal(size=5)]},
}
BAD: dict[str, Any] = {
    **{"not square": np.ones((2, 3)), "a vector": np.ones(3), "a number": 2.0, "3 axes": np.stack([A, A])},
    **{
        "complex": 1j * np.eye(3),
        "text": "abc",
        "texts": [["a", "b"], ["c", "d"]],
        "None": None,
        "ragged": [[1, 2], [3]],
    },
    **{"objects": np.array([[1, None], [2, 3]], object), "masked": np.ma.masked_array(S, mask=np.eye(3))},
    **{"whole numbers": np.diag([2, 3, 5]), "truth values": np.eye(3, dtype=bool), "half": S.astype(np.float16)},
    **{"single": S.astype(np.float32), "long": S.astype(np.longdouble), "by columns": np.asfortranarray(S)},
    **{"0×0": np.zeros((0, 0)), "none": np.zeros(0), "0×3": np.zeros((0, 3)), "3×0": np.zeros((3, 0))},
    **{"1×1": np.array([[2.0]]), "one": np.array([2.0]), "no examples": np.zeros((0, 3, 3))},
    **{
        "zeros": np.zeros((3, 3)),
        "ones": np.ones((3, 3)),
        "nearly singular": np.diag([1, 1e-17, 1.0]),
        "ties": np.eye(3),
    },
    **{"indefinite": np.array([[1.0, 2, 0], [2, 1, 0], [0, 0, 1]]), "negative": -S, "not symmetric": np.triu(S)},
}


def found_in(result: Any) -> Iterator[Any]:
    """The arrays and the Jacobians of a result."""
    if isinstance(result, (np.ndarray, Jacobian)):
        yield result
    elif isinstance(result, tuple):
        for part in result:
            yield from found_in(part)


def test_every_function_is_tried() -> None:
    others = {"commutation", "duplication", "elimination"}  # of sizes
    assert {*GIVEN} | others == {name for name in jm.__all__ if name[0].islower()}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(GIVEN))
def test_bad_input_is_an_error_or_has_a_value(name: str) -> None:
    for place, array in enumerate(GIVEN[name]):
        if not isinstance(array, np.ndarray):
            continue
        for kind, bad in BAD.items():
            given = [*GIVEN[name][:place], bad, *GIVEN[name][place + 1 :]]
            result, said = tried(name, given)
            assert said.startswith(f"{name}: ") or not said, (kind, said)
            for found in found_in(result):
                assert np.isfinite(found).all(), kind


def tried(name: str, given: list[Any]) -> tuple[Any, str]:
    """The values and the products with every Jacobian, or what an error says."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return tuple(product_of(found) for found in found_in(getattr(jm, name)(*given))), ""
        except JacobiansError as error:
            return (), str(error)


def product_of(found: Any) -> Any:
    """An array itself; of a Jacobian its products with ones."""
    if isinstance(found, Jacobian):
        return found.vjp(np.ones(found.codomain)), found.jvp(np.ones(found.domain))
    return found
