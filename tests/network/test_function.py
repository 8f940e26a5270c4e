"""A network that is a function of values: shared weights, several inputs and outputs, against twins by loops."""

from __future__ import annotations

import itertools
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import Network, Run, all_conventions, empirical_fisher, gauss_newton, kronecker_factored
from jacobians.errors import ArgumentError, JacobiansError, LayoutError, ShapeError
from jacobians.graphs.graph_block_row import GraphBlockRow
from jacobians.linops import BlockDiagonal, Diagonal, Identity, Kronecker, Zero
from jacobians.operations import Affine, CrossEntropy, SquaredError, Tanh
from tests.central_differences import central
from tests.network.cases import assert_gradient, inputs, moved_from_zero, targets

N, D, H, K, STEPS = 5, 4, 3, 2, 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D))
LABELS = np.array([0, 1, 1, 0, 1])


def tied(X: Any, W: Any, b: Any, c: Any) -> Any:
    hidden = jac.tanh(X @ W + b).named("H")
    return hidden @ W.T + c


def recurrence(x: Any, h0: Any, Wx: Any, Wh: Any, b: Any, V: Any) -> Any:
    h = h0
    for t in range(STEPS):
        h = jac.tanh(x[t] @ Wx + h @ Wh + b).named(f"h{t + 1}")
    return h @ V


def two_heads(X: Any, Z: Any, W: Any, U: Any, V: Any) -> Any:
    shared = jac.tanh(X @ W).named("S")
    return {"classes": shared @ V, "inputs": shared @ W.T + Z @ U}


def gram(X: Any, A: Any) -> Any:
    return X @ (A.T @ A)


Case = tuple[Network, Any, Any]


def cases() -> dict[str, Case]:
    drawn = np.random.default_rng(1)
    data: dict[str, Case] = {}
    for reduction in ("sum", "mean", "mean-all"):
        convention = jac.Convention("c", jac.Layout(), reduction=reduction, l2="half-over-n")
        shapes: Any = {"W": (D, H), "b": (H,), "c": (D,)}
        net = Network(tied, "squared_error", convention, shapes=shapes, l2=0.3)
        data[f"tied autoencoder, {reduction}"] = net, X, X
    shapes = {"Wx": (D, H), "Wh": (H, H), "b": (H,), "V": (H, K)}
    net = Network(recurrence, "cross_entropy", "cs231n", shapes=shapes, l2=0.1)
    data["recurrence"] = net, {"x": drawn.normal(size=(STEPS, N, D)), "h0": drawn.normal(size=(N, H))}, LABELS
    losses = {"classes": "cross_entropy", "inputs": SquaredError(0.5)}
    shapes = {"W": (D, H), "U": (2, D), "V": (H, K)}
    net = Network(two_heads, losses, "cs231n", shapes=shapes)
    data["two heads"] = net, {"X": X, "Z": drawn.normal(size=(N, 2))}, {"classes": LABELS, "inputs": X}
    data["AᵀA"] = Network(gram, "squared_error", "cs231n", shapes={"A": (H, D)}), X, X
    return data


CASES = cases()
EACH = pytest.mark.parametrize("name", CASES)


def case(name: str) -> tuple[Network, dict[str, np.ndarray], Any, Any]:
    net, given, Y = CASES[name]
    return net, moved_from_zero(net.init(0)), given, Y


def of_one(given: Any, n: int, *, recurrent: bool) -> Any:
    """Example n alone."""
    if isinstance(given, dict):
        return {name: of_one(array, n, recurrent=name == "x") for name, array in given.items()}
    return given[:, n : n + 1] if recurrent else given[n : n + 1]


def by_theta(net: Network, params: dict[str, np.ndarray], of: Callable[[Run], Any], given: Any, Y: Any) -> np.ndarray:
    """The numerical Jacobian of what is read from a run, by the packed parameters."""
    theta = net.pack(params)
    return central(lambda t: np.asarray(of(net.run(net.unpack(t), given, Y))), theta).reshape(-1, theta.size)


# --- derivatives -------------------------------------------------------------------------------------


@EACH
def test_the_objective_is_a_value_with_the_regulariser(name: str) -> None:
    net, params, given, Y = case(name)
    run = net.run(params, given, Y)
    assert np.isclose(float(run.objective), run.value, rtol=1e-14)
    for key, gradient in zip(params, run.objective.gradients(*params), strict=True):
        np.testing.assert_allclose(gradient, run.gradient()[key], rtol=1e-12, atol=1e-15)
    assert run.objective.plan(*params).reverse.operations > 0


def test_a_regulariser_that_leaves_out_an_absorbed_bias() -> None:
    net = Network(lambda X, W: X @ W.T, "squared_error", "ng-ml-2011", shapes={"W": (D, D)}, l2=0.7)
    run = net.run(net.init(0), X, X)
    np.testing.assert_allclose(run.objective.gradients("W")[0], run.gradient()["W"], rtol=1e-12)


def test_a_list_has_a_chain_and_no_graph() -> None:
    net = Network.dense((D, K))
    with pytest.raises(LayoutError, match=r"run\.objective: .* is a list of operations; take run\.chain\(wrt\)"):
        _ = net.run(net.init(0), X, LABELS).objective


@EACH
def test_gradient(name: str) -> None:
    net, params, given, Y = case(name)
    assert_gradient(net, params, given, Y)


@EACH
def test_gradient_by_the_inputs(name: str) -> None:
    net, params, given, Y = case(name)
    found = net.gradient(params, given, Y, inputs=True)
    assert list(found) == [*net.names, *net.inputs]
    for own in net.inputs:
        at = given[own] if isinstance(given, dict) else given

        def value(array: np.ndarray, own: str = own) -> np.ndarray:
            return np.asarray(net.value(params, {**given, own: array} if isinstance(given, dict) else array, Y))

        np.testing.assert_allclose(found[own], central(value, at).reshape(at.shape), rtol=1e-6, atol=1e-8)


@EACH
def test_per_example_gradients_are_those_of_each_example_alone(name: str) -> None:
    net, params, given, Y = case(name)
    net = net.replace(l2=0.0)
    J = net.run(params, given, Y).parameter_jacobian(of="losses")
    scale = net.run(params, given, Y).loss_scale
    alone = net.run(params, of_one(given, 0, recurrent=False), of_one(Y, 0, recurrent=False)).loss_scale
    rows = np.stack(
        [
            net.pack(net.gradient(params, of_one(given, n, recurrent=False), of_one(Y, n, recurrent=False))) / alone
            for n in range(N)
        ]
    )
    np.testing.assert_allclose(J.to_dense(), rows, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(J.row_norms(), np.linalg.norm(rows, axis=1), rtol=1e-12)
    np.testing.assert_allclose(J.gram(), rows @ rows.T, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(net.pack(net.gradient(params, given, Y)), scale * rows.sum(axis=0), rtol=1e-12)
    clip = np.minimum(1, 0.5 / J.row_norms())
    np.testing.assert_allclose(J.vjp(clip), clip @ rows, rtol=1e-12, atol=1e-13)


@EACH
def test_jacobians_of_the_losses_and_of_every_intermediate(name: str) -> None:
    net, params, given, Y = case(name)
    run = net.run(params, given, Y)
    named = [own for own in run.values if own not in net.inputs]
    for of in [*named, "losses", "loss"]:

        def read(r: Run, of: str = of) -> Any:
            return getattr(r, of) if "loss" in of else r.values[of]

        numeric = by_theta(net, params, read, given, Y)
        np.testing.assert_allclose(run.parameter_jacobian(of=of).to_dense(), numeric, rtol=1e-6, atol=1e-8)
    for of, wrt in itertools.product(run.results, named):
        J = run.jacobian(wrt, of=of)
        assert (J.domain, J.codomain) == (run.values[wrt].shape, run.results[of].shape)


@EACH
def test_curvature(name: str) -> None:
    net, params, given, Y = case(name)
    run, expected = net.run(params, given, Y), 0.0
    for of in run.results:
        J = by_theta(net, params, lambda r, of=of: r.results[of], given, Y)
        expected = expected + J.T @ run.output_hessian(of).to_dense() @ J
    G = gauss_newton(run)
    np.testing.assert_allclose(G.to_dense(), expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(G.diagonal(), np.diag(expected), rtol=1e-5, atol=1e-7)
    v = np.random.default_rng(2).normal(size=G.shape[1])
    np.testing.assert_allclose(G @ v, expected @ v, rtol=1e-5, atol=1e-6)
    J = by_theta(net, params, lambda r: r.losses, given, Y)
    fisher = empirical_fisher(run)
    np.testing.assert_allclose(fisher.to_dense(), run.loss_scale * J.T @ J, rtol=1e-5, atol=1e-7)
    weight = next(iter(net.names))
    np.testing.assert_allclose(gauss_newton(run, weight).shape, (params[weight].size,) * 2)


def test_all_parameters_are_swept_together(monkeypatch: pytest.MonkeyPatch) -> None:
    net, params, given, Y = case("recurrence")
    J = net.run(params, given, Y).parameter_jacobian(of="output")
    assert isinstance(J, GraphBlockRow)
    passed: list[int] = []
    back = Diagonal._vjp
    monkeypatch.setattr(Diagonal, "_vjp", lambda self, row: passed.append(1) or back(self, row))
    J.vjp(np.ones((N, K)))
    assert len(passed) == STEPS


def test_structures_stay_with_shared_weights() -> None:
    net, params, given, Y = case("tied autoencoder, mean")
    run = net.run(params, given, Y)
    assert run.jacobian("W", of="losses").structure == "KhatriRaoSum(5×2×4, 5×2×3)"
    assert run.jacobian("W", of="output").structure == "GraphJacobian(2 paths, 7 edges)"
    assert isinstance(run.jacobian("H", of="output"), Kronecker)
    assert isinstance(run.jacobian("output", of="losses"), BlockDiagonal)
    assert isinstance(run.jacobian("c", of="H"), Zero)
    assert isinstance(run.jacobian("H", of="H"), Identity)
    with pytest.raises(LayoutError, match=r"∂output/∂W is GraphJacobian\(2 paths, 7 edges\); .* used once"):
        kronecker_factored(run, "W")
    assert kronecker_factored(run, "b").shape == (H, H)
    net, params, given, Y = case("recurrence")
    run = net.run(params, given, Y)
    assert run.jacobian("Wh", of="losses").structure == f"KhatriRaoSum(5×{STEPS}×3, 5×{STEPS}×3)"


# --- the same net, as a list and as a function --------------------------------------------------------


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda p: p.name)
def test_a_list_and_a_function_are_one_network(preset: jac.Convention) -> None:
    layout = preset.layout
    biased = not layout.absorbs_bias and layout.bias != "none"
    l2 = 0.3 if preset.l2 else 0.0
    chain = Network.dense((D, H, K), activation="tanh", output="linear", convention=preset, l2=l2)
    names = list(chain.names)
    first, second = (names[:2], names[2:]) if biased else (names[:1], names[1:])

    arguments = ", ".join(names)
    source = f"lambda X, {arguments}: layer(act(layer(X, {', '.join(first)}).named('Z')), {', '.join(second)})"
    layer = lambda *operands: Affine(layout)(*operands)  # noqa: E731
    function = eval(source, {"layer": layer, "act": Tanh()})
    net = Network(function, chain.loss, preset, shapes=chain.shapes(), l2=l2)
    params = moved_from_zero(chain.init(3))
    assert all(np.array_equal(a, b) for a, b in zip(chain.init(3).values(), net.init(3).values(), strict=True))
    given, Y = inputs(chain, N, D), targets(chain.loss.name, layout, N, K)
    one, other = chain.run(params, given, Y), net.run(params, given, Y)
    assert one.value == other.value
    for name, gradient in one.gradient(inputs=True).items():
        np.testing.assert_allclose(other.gradient(inputs=True)[name], gradient, rtol=1e-13, atol=1e-15)
    for of in ("output", "losses", "loss"):
        J, twin = one.parameter_jacobian(of=of), other.parameter_jacobian(of=of)
        assert (J.shape, J.order) == (twin.shape, twin.order)
        np.testing.assert_allclose(twin.to_dense(), J.to_dense(), rtol=1e-12, atol=1e-13)
    G, twin = gauss_newton(one), gauss_newton(other)
    np.testing.assert_allclose(twin.to_dense(), G.to_dense(), rtol=1e-12, atol=1e-13)
    between = one.outputs[-1]
    np.testing.assert_allclose(
        next(iter(other.cotangents.values())), one.cotangents[next(iter(one.cotangents))], rtol=1e-12, err_msg=between
    )
    np.testing.assert_array_equal(net.output(params, given), chain.output(params, given))


# --- names -------------------------------------------------------------------------------------------


def test_intermediates_are_called_what_the_user_called_them() -> None:
    net, params, given, Y = case("recurrence")
    run = net.run(params, given, Y)
    assert list(run.values) == ["x", "h0", "h1", "h2", "h3", "h4", "output"]
    chain = run.chain("h3", of="output")
    assert [f.of.rstrip("0123456789") for f in chain] == ["output", "h", "plus_", "plus_", "matmul_"]
    assert (chain[0].label, chain[1].of, chain[-1].wrt) == ("∂output/∂h4", "h4", "h3")
    assert list(run.cotangents) == ["doutput", "dh4", "dh3", "dh2", "dh1"]
    np.testing.assert_allclose(run.cotangents["dh2"], run.jacobian("h2").gradient)
    assert repr(net) == "Network(recurrence → cross_entropy, cs231n)"
    assert repr(run) == "Run(Network(recurrence → cross_entropy, cs231n), 5 examples)"
    assert set(run.X) == {"x", "h0"}


def test_several_results() -> None:
    net, params, given, Y = case("two heads")
    run = net.run(params, given, Y)
    assert repr(net) == "Network(two_heads → cross_entropy of classes, squared_error of inputs, cs231n)"
    assert list(run.values) == ["X", "Z", "S", "classes", "inputs"]
    each = [jac.cross_entropy(run.values["classes"], LABELS)[0], 0.5 * ((run.values["inputs"] - X) ** 2).sum() / N]
    np.testing.assert_allclose(run.loss, sum(map(float, each)), rtol=1e-14)
    np.testing.assert_allclose(run.losses.mean(), run.loss, rtol=1e-14)
    assert set(net.output(params, given)) == {"classes", "inputs"}
    assert list(net.losses) == ["classes", "inputs"]
    with pytest.raises(LayoutError, match=r"net\.loss: there are several, of classes, inputs; take net\.losses"):
        _ = net.loss
    uneven = net.replace(convention=net.convention.replace(reduction="mean-all"))
    assert_gradient(uneven, params, given, Y)
    with pytest.raises(LayoutError, match="are means over different numbers of entries, so an example has no one loss"):
        _ = uneven.run(params, given, Y).losses


def test_a_constant_argument_and_a_method() -> None:
    class Model:
        def forward(self, X: Any, W: Any, scale: float = 2.0) -> Any:
            return scale * (X @ W)

    net = Network(Model().forward, CrossEntropy(), "cs231n", shapes={"W": (D, K)})
    assert net.inputs == ("X",)
    params = net.init(0)
    np.testing.assert_allclose(net.output(params, X), 2 * X @ params["W"])


def test_replace_pickle_and_pack() -> None:
    net, params, given, Y = case("tied autoencoder, mean")
    wider = net.replace(shapes={"W": (D, 6), "b": (6,), "c": (D,)})
    assert wider.shapes() == {"W": (D, 6), "b": (6,), "c": (D,)}
    assert net.replace(l2=0.0).l2 == 0.0
    assert net.replace(operations=[Affine(sizes=(D, D))]).shapes() == {"W1": (D, D), "b1": (D,)}
    again = pickle.loads(pickle.dumps(net.run(params, given, Y)))
    assert again.value == net.value(params, given, Y)
    for name, array in net.unpack(net.pack(params)).items():
        np.testing.assert_array_equal(array, params[name])
    assert [name for name in net.names if net.is_penalised(name)] == ["W"]
    assert not net.init(0)["b"].any()
    assert 0 < np.abs(net.init(0)["W"]).max() <= np.sqrt(6 / (D + H))


# --- refusals ----------------------------------------------------------------------------------------


def refusals() -> dict[str, tuple[Callable[[], Any], type[JacobiansError], str]]:
    net, params, given, Y = case("recurrence")
    auto = CASES["tied autoencoder, mean"][0]
    shapes: Any = {"W": (D, H), "b": (H,), "c": (D,)}
    heads, both = CASES["two heads"][0], case("two heads")[1]

    def make(function: Any, shapes: Any, loss: Any = "squared_error") -> Network:
        return Network(function, loss, "cs231n", shapes=shapes)

    run = net.run(params, given, Y)
    return {
        "no shapes": (
            lambda: Network(tied, "squared_error", "cs231n"),
            ArgumentError,
            "Network: which arguments of tied are parameters? Give their shapes, as in shapes={'W': (4, 3), 'b': (3,)}",
        ),
        "a typo": (
            lambda: make(recurrence, {"Whx": (D, H)}),
            ArgumentError,
            "Network: shapes has 'Whx', recurrence takes x, h0, Wx, Wh, b, V; did you mean 'Wx'?",
        ),
        "no inputs": (
            lambda: make(lambda W: W, {"W": (2, 2)}),
            ArgumentError,
            "Network: every argument of <lambda> is in shapes; leave the inputs, such as X, out of it",
        ),
        "no names": (
            lambda: make(lambda *arrays: arrays[0], {}),
            ArgumentError,
            "Network: <lambda> takes *arrays; give every value that it takes a name",
        ),
        "a reserved name": (
            lambda: make(lambda X, loss: X @ loss, {"loss": (2, 2)}),
            ArgumentError,
            "Network: <lambda> takes 'loss', which is a run's own name; rename it",
        ),
        "a reserved intermediate": (
            lambda: make(lambda X, W: jac.tanh((X @ W).named("losses")), {"W": (D, D)}).run({"W": np.eye(D)}, X, X),
            ArgumentError,
            "network: a value called 'losses' in <lambda> would hide another of the run's; rename it",
        ),
        "a result with an input's name": (
            lambda: Network(lambda X, W: {"X": X @ W}, {"X": "squared_error"}, "cs231n", shapes={"W": (D, D)}).run(
                {"W": np.eye(D)}, X, X
            ),
            ArgumentError,
            "network: a value called 'X' in <lambda> would hide another of the run's; rename it",
        ),
        "shapes of a list": (
            lambda: Network([Affine(sizes=(D, D))], "squared_error", "cs231n", shapes=shapes),
            ArgumentError,
            "Network: shapes are for a function of values; operations have their own",
        ),
        "losses of a list": (
            lambda: Network([Affine(sizes=(D, D))], {"a": "squared_error"}, "cs231n"),
            ArgumentError,
            "Network: loss is a dict; a list of operations has one output, and one loss",
        ),
        "one input of two": (
            lambda: net.run(params, given["x"], Y),
            ArgumentError,
            "network: X is an array of shape (4, 5, 4); recurrence takes x, h0: pass a dict of these",
        ),
        "targets of one loss of two": (
            lambda: heads.run(both, CASES["two heads"][1], LABELS),
            ArgumentError,
            "network: Y is an array of shape (5,); the losses are of classes, inputs: pass a dict of these",
        ),
        "results without their loss": (
            lambda: make(two_heads, heads.shapes()).run(both, CASES["two heads"][1], X),
            ArgumentError,
            "network: two_heads returns classes, inputs, the losses are of output; return a dict of values with the "
            "losses' names, or one value for one loss",
        ),
        "no value": (
            lambda: make(lambda X, W: (X @ W).array, {"W": (D, D)}).run({"W": np.eye(D)}, X, X),
            ArgumentError,
            "network: <lambda> returned an array of shape (5, 4); expected a value, or a dict of values by name, "
            "computed from its arguments by operators and the library's operations",
        ),
        "a missing parameter": (
            lambda: net.run({"Wx": params["Wx"]}, given, Y),
            ShapeError,
            "network: cs231n expects the parameters Wx, Wh, b, V; found Wx",
        ),
        "blocks": (
            lambda: auto.gradient(auto.init(0), X, X, block=2),
            LayoutError,
            "Network(tied → squared_error, c) may mix the examples of a batch, so it cannot be cut into blocks",
        ),
        "an unknown name": (
            lambda: run.jacobian("hh4"),
            LayoutError,
            "run: 'hh4' is unknown; choose wrt from x, h0, Wx, Wh, b, V, h1, h2, h3, h4, output, losses, loss; did you "
            "mean 'h4'?",
        ),
        "a chain of several ways": (
            lambda: run.chain("Wh"),
            LayoutError,
            "run: no one chain leads from loss back to Wh: loss does so in 4 ways, and its Jacobian is the sum; take "
            "run.jacobian('Wh', of='loss')",
        ),
        "a chain of none": (lambda: run.chain("h4", of="h1"), LayoutError, "h1 does not depend on it; take"),
        "stops": (
            lambda: run.stops,
            LayoutError,
            "run.stops: Network(recurrence → cross_entropy, cs231n) is a",
        ),
        "chain": (
            lambda: net.chain,
            LayoutError,
            "net.chain: Network(recurrence → cross_entropy, cs231n) is a",
        ),
        "no result of that name": (
            lambda: run.output_hessian("h4"),
            LayoutError,
            "output_hessian: no loss is of 'h4'; choose of from output",
        ),
    }


@pytest.mark.parametrize("name", refusals())
def test_refusals(name: str) -> None:
    call, error, message = refusals()[name]
    with pytest.raises(error, match=re.escape(message)):
        call()
