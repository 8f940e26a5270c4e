"""Random graphs: every Jacobian and view equals its dense twin, and one sweep equals the sum over paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import jacobians as jac
from jacobians.linops import Jacobian
from tests.graphs.random_programs import Program, random_program, twin

EVERYDAY, THOROUGH = 120, 10_000


def tolerance(program: Program, matrix: np.ndarray) -> float:
    single = program.inputs[0].dtype == np.float32
    return (2e-3 if single else 1e-9) * (1 + abs(matrix).max(initial=0))


def check_views(J: Jacobian, matrix: np.ndarray, room: float, rng: np.random.Generator) -> None:
    assert J.shape == matrix.shape
    np.testing.assert_allclose(J.to_dense(), matrix, atol=room)
    np.testing.assert_allclose(J.to_sparse().toarray(), matrix, atol=room)
    tangent, cotangent = rng.normal(size=(2, *J.domain)), rng.normal(size=J.codomain)
    wide = room * (1 + matrix.size)
    images = np.stack([matrix @ t.ravel() for t in tangent]).reshape(2, *J.codomain)
    np.testing.assert_allclose(J.jvp(tangent), images, atol=wide)
    np.testing.assert_allclose(J.vjp(cotangent), (cotangent.ravel() @ matrix).reshape(J.domain), atol=wide)
    np.testing.assert_allclose(J.row_norms().ravel(), np.sqrt((matrix**2).sum(1)), atol=wide)
    np.testing.assert_allclose(J.gram(), matrix @ matrix.T, atol=wide * (1 + abs(matrix).max(initial=0)))
    if matrix.shape[0] == matrix.shape[1]:
        np.testing.assert_allclose(J.diagonal(), np.diagonal(matrix), atol=room)


def check_program(seed: int) -> None:
    program = random_program(seed)
    rng = np.random.default_rng((seed, 2))
    inputs = jac.values(**{f"v{i}": a for i, a in enumerate(program.inputs)})
    results = program.on_values(inputs)
    plain = program.on_arrays([a.astype(complex) for a in program.inputs])
    twins = [twin(program, i) for i in range(len(inputs))]
    reached = [sum(1 for v in inputs if r.path_count(v)) for r in results]
    furthest = max(range(len(results)), key=lambda place: (reached[place], place))
    for place in {furthest, int(rng.integers(len(inputs), len(results)))}:
        out = results[place]
        room = tolerance(program, plain[place])
        np.testing.assert_allclose(out.array, plain[place].real, atol=room)
        cotangent = rng.normal(size=out.shape).astype(out.dtype)
        gradients = (out * cotangent).sum().gradients(*inputs)
        for value, matrices, gradient in zip(inputs, twins, gradients, strict=True):
            matrix = matrices[place]
            room = tolerance(program, matrix)
            check_views(out.jacobian(value), matrix, room, rng)
            expected = (cotangent.ravel() @ matrix).reshape(value.shape)
            assert gradient.shape == value.shape
            np.testing.assert_allclose(gradient, expected, atol=room * (1 + matrix.size))
            paths = list(itertools.islice(out.paths(value), 200))
            if len(paths) < 200:
                assert len(paths) == out.path_count(value)
                total = sum((p.jacobian.to_dense() for p in paths), np.zeros_like(matrix))
                np.testing.assert_allclose(total, matrix, atol=room * (1 + len(paths)))
        together = out.jacobian(*inputs)
        matrix = np.hstack([matrices[place] for matrices in twins])
        check_views(together, matrix, tolerance(program, matrix), rng)


@pytest.mark.parametrize("start", range(0, EVERYDAY, 10))
def test_random_graphs(start: int) -> None:
    for seed in range(start, start + 10):
        try:
            check_program(seed)
        except Exception as error:
            error.add_note(f"seed {seed}\n{random_program(seed)}")
            raise


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, THOROUGH, 100))
def test_many_random_graphs(start: int) -> None:
    for seed in range(start, start + 100):
        try:
            check_program(seed)
        except Exception as error:
            error.add_note(f"seed {seed}\n{random_program(seed)}")
            raise
