"""What one types first at a network and a run: a call, a prediction, a value with its gradient, a table, completion."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import Network, replayed
from jacobians.errors import ArgumentError, DTypeError, LayoutError, TooLargeError
from jacobians.first_tries import written

X, Y = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 1, 0, 2])


@pytest.mark.parametrize("preset", ["cs231n", "ng-ml-2011", "ng-dlai"])
def test_a_call_is_the_output_and_a_prediction_its_classes(preset: str) -> None:
    net = Network.dense((4, 3, 3), convention=preset)
    params, data = net.init(0), X if net.layout.batch == "rows" else X.T
    assert np.array_equal(net(params, data), net.output(params, data))
    with pytest.raises(ArgumentError, match=r"a network keeps no parameters: write net\(params, X\)"):
        net(data)
    scores = net(params, data) if net.layout.batch == "rows" else net(params, data).T
    assert net.predict(params, data).tolist() == [int(np.argmax(row)) for row in scores]


def test_predictions_of_one_output() -> None:
    yes = Network.dense((4, 1), convention="ng-ml-2011", task="yes/no")
    params = {"Theta1": np.array([[0.0, 1, 0, 0, 0]])}
    assert np.array_equal(yes.predict(params, X), (X[:, :1] > 0) * 1)
    number = Network.dense((4, 1), convention="ng-ml-2011", task="regression")
    assert np.array_equal(number.predict(params, X), X[:, :1])
    signs = Network([jac.Affine("cs231n", (4, 1))], "logistic_loss", "cs231n")
    found = signs.predict({"W1": np.eye(4)[:, :1], "b1": np.zeros(1)}, X)
    assert np.array_equal(found, np.where(X[:, :1] < 0, -1, 1))
    probabilities = jac.ProbabilityCrossEntropy()
    assert probabilities.decide([[0.4], [0.6]]).tolist() == [[0], [1]]


def test_results_of_a_function_are_decided_by_name() -> None:
    def two(X: Any, W: Any) -> dict[str, Any]:
        return {"classes": X @ W, "numbers": X @ W}

    losses = {"classes": "cross_entropy", "numbers": "squared_error"}
    net = Network(two, losses, "cs231n", shapes={"W": (4, 3)})
    found = net.predict({"W": np.eye(4)[:, :3]}, X)
    assert np.array_equal(found["classes"], X[:, :3].argmax(axis=1))
    assert np.array_equal(found["numbers"], X[:, :3])
    run = net.run({"W": np.eye(4)[:, :3]}, X, {"classes": Y, "numbers": X[:, :3]})
    with pytest.raises(LayoutError, match=re.escape("run.output: there are several, classes, numbers")):
        _ = run.output


def test_value_and_gradient_come_together() -> None:
    net = Network.dense((4, 3, 3), convention="ng-ml-2011", l2=0.3)
    params = net.init(0)
    value, grads = net.value_and_grad(params, X, Y)
    assert value == net.value(params, X, Y)
    for name, array in net.gradient(params, X, Y).items():
        assert np.array_equal(grads[name], array)
    again = replayed(net.value_and_grad)
    for _ in range(3):
        other, replay = again(params, X, Y)
        assert other == value
        assert all(np.array_equal(replay[name], grads[name]) for name in grads)


@pytest.mark.parametrize("preset", ["cs231n", "ng-ml-2011", "ng-dlai"])
def test_gradients_of_each_example(preset: str) -> None:
    net = Network.dense((4, 3, 3), convention=preset)
    params, data = net.init(0), X if net.layout.batch == "rows" else X.T
    targets = Y
    run = net.run(params, data, targets)
    found = run.per_example_gradients()
    assert list(found) == list(params)
    for n in range(6):
        alone = net.run(params, data[n : n + 1] if net.layout.batch == "rows" else data[:, n : n + 1], Y[n : n + 1])
        for name, array in alone.gradient().items():
            np.testing.assert_allclose(found[name][n], array, rtol=1e-12, atol=1e-15)


def test_gradients_of_each_example_are_refused_where_they_are_too_large() -> None:
    net = Network.dense((2000, 500))
    run = net.run(net.init(0), np.ones((2000, 2000)), np.zeros(2000, int))
    with pytest.raises(TooLargeError, match=r"GiB|MiB"):
        run.per_example_gradients()


def test_the_table_counts_every_parameter_and_names_every_structure() -> None:
    net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    table = net.summary(examples=5)
    lines = str(table).splitlines()
    assert lines[0] == f"{net!r}, 5 examples"
    assert lines[-1] == "23 parameters"
    assert table.n_params == net.n_params == sum(array.size for array in net.init(0).values())
    by_input = {row[2]: row for row in table.rows}
    assert by_input["Theta1"][3:5] == ("(3, 5)", "15")
    assert by_input["Theta1"][5] == "Kronecker(5×5, I₃) @ Commutation(3, 5)"
    run = net.run(net.init(0), np.zeros((5, 4)), [0, 1, 0, 1, 0])
    assert by_input["Theta2"][6] == str(run.operation_jacobian(2, "W").nbytes)
    assert all(len(line) <= 100 for line in lines)
    assert "<td>Theta1</td>" in net._repr_html_()


def test_the_table_of_a_function_lists_its_parameters() -> None:
    net = Network(lambda X, W, b: jac.tanh(X @ W + b), "squared_error", "cs231n", shapes={"W": (4, 2), "b": (2,)})
    assert [row[0] for row in net.summary().rows] == ["W", "b"]
    assert net.n_params == 10
    assert "10 parameters" in net._repr_html_()


def test_a_notebook_shows_a_run_and_a_network_without_sizes() -> None:
    net = Network([jac.Affine("cs231n"), "relu", jac.Affine("cs231n")], "cross_entropy", "cs231n")
    assert net._repr_html_() == "<code>Network(affine → relu → affine → cross_entropy, cs231n)</code>"
    sized = Network.dense((4, 3, 3))
    shown = sized.run(sized.init(0), X, Y)._repr_html_()
    assert "<th>Z1</th><td>(6, 3)</td>" in shown
    assert "<th>loss</th>" in shown
    assert "→" in shown


def test_names_of_other_libraries_are_told() -> None:
    net = Network.dense((4, 3, 3))
    run = net.run(net.init(0), X, Y)
    assert np.array_equal(run.output, run.values["Z2"])
    with pytest.raises(AttributeError, match=re.escape("run.gradient() returns the gradients by name")):
        _ = run.gradients
    with pytest.raises(AttributeError, match=r"a Run has no attribute 'lossses'; did you mean 'losses'"):
        _ = run.lossses
    J = run.jacobian("W1")
    with pytest.raises(AttributeError, match=re.escape("no attribute 'todense'; write J.to_dense(), or J.toarray()")):
        J.todense()
    assert not hasattr(J, "nothing")
    with pytest.raises(
        AttributeError, match=re.escape("a Network has no attribute 'grad': net.gradient(params, X, Y)")
    ):
        _ = net.grad
    with pytest.raises(jac.JacobiansError, match=re.escape("write net.predict(params, X), with params = net.init(0)")):
        net.predict(X)
    with pytest.raises(TypeError, match=re.escape("for axis=0 write softmax(Z, Layout(batch='columns'))")):
        jac.softmax(X, axis=0)
    with pytest.raises(jac.JacobiansError, match=r"grad: wrt is the number 1; name the argument of <lambda>: wrt='y'"):
        jac.grad(lambda x, y: x * y, wrt=1)
    with pytest.raises(jac.JacobiansError, match=r"compare: X and Y are missing; write compare\(\['ng-dlai'"):
        jac.compare(["ng-dlai"])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Conv2D", "jac.layers.conv2d"),
        ("Cholesky", "jac.matrix.Cholesky"),
        ("mse", "jac.squared_error"),
        ("sigmoidd", "did you mean 'sigmoid'?"),
    ],
)
def test_names_of_other_libraries_are_told_at_the_top(name: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(meant)):
        getattr(jac, name)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda run: run.jacobian("W1").vjp(), "write J.vjp(cotangent)"),
        (lambda run: run.jacobian("W1").jvp(), "write J.jvp(tangent)"),
        (
            lambda run: jac.gauss_newton(run).jvp(run.params),
            "put the arrays of all parameters into one vector",
        ),
        (lambda run: jac.explain(Network.dense((4, 3, 3)), "cs231n")["W1"].to_latex(), "write found[…].formula.latex"),
        (lambda run: jac.check_gradient(lambda a, b: a @ b, lambda a, b: b, X, X, X), "several arrays in one dict x"),
        (lambda run: jac.matrix.duplication(2, 3), "duplication(n): order=3 is unknown"),
        (lambda run: jac.matrix.elimination(2, 3), "elimination(n): order=3 is unknown"),
        (lambda run: jac.matrix.commutation(2, 3, 4), "commutation(m, n): order=4 is unknown"),
    ],
)
def test_what_a_first_try_is_told(call: Callable[[jac.Run], object], told: str) -> None:
    net = Network.dense((4, 3, 3))
    with pytest.raises((ArgumentError, AttributeError, DTypeError, LayoutError), match=re.escape(told)):
        call(net.run(net.init(0), X, Y))


def test_a_function_of_two_arrays_is_told_to_take_a_dict() -> None:
    (reason,) = jac.check_gradient(lambda a, b: a @ b, lambda a, b: b, np.ones(2)).reasons
    assert reason.endswith("fun is called with x alone; put several arrays into one dict, x={'a': a, 'b': b}")


def test_what_is_printed_at_the_prompt_is_short() -> None:
    (x,) = jac.values(x=2.0)
    L = (x * 3.0).named("L")
    assert repr(L) == "Value(L = 6: scalar float64)"
    assert repr(jac.explain(Network.dense((4, 3)), "cs231n")) == "Derivation(cs231n: W1, b1, X; print it to read it)"
    assert len(repr(jac.explain(L))) < 80
    assert repr(jac.audit("dW1 = X.T @ dZ1")) == "Audit(right: dW1 = X.T @ dZ1; print it to read it)"
    assert repr(jac.differentiate("tr(A X)", wrt="X")).startswith("Derivative(tr(A X) with respect to X; print")
    net = Network.dense((4, 3, 3))
    found = jac.diagnose(net.gradient(net.init(0), X, Y), net, net.init(0), X, Y)
    assert repr(found) == "Diagnosis(right: The gradient is right. Print it to read it)"
    with pytest.raises(AttributeError, match=re.escape("write L.gradients(W, b) of a scalar L")):
        _ = x.grad


def test_parameters_without_a_seed_differ() -> None:
    net = Network.dense((4, 3, 3))
    assert not np.array_equal(net.init()["W1"], net.init()["W1"])
    assert np.array_equal(net.init(0)["W1"], net.init(0)["W1"])


def test_a_record_completes_its_inputs() -> None:
    _, J = jac.affine(X, np.ones((4, 3)), np.zeros(3))
    assert {"X", "W", "b"} <= set(dir(J))
    assert J._ipython_key_completions_() == ["X", "W", "b"]


def test_activations_of_a_list_are_named() -> None:
    parts = [jac.Affine("ng-dlai", (4, 3)), "tanh", jac.Affine("ng-dlai", (3, 3))]
    net = Network(parts, "cross_entropy", "ng-dlai")
    same = Network([parts[0], jac.Tanh(), parts[2]], "cross_entropy", "ng-dlai")
    params = net.init(0)
    assert np.array_equal(net(params, X.T), same(params, X.T))
    with pytest.raises(LayoutError, match=r"activation 'relux' is unknown; .*did you mean relu"):
        Network([parts[0], "relux"], "cross_entropy", "ng-dlai")


TRIES = {
    "Network.dense(4, 3, 2)": "Network.dense: too many positional arguments; write Network.dense((4, 3, 2)",
    "Network.dense((4, 2), activations='relu')": "did you mean 'activation'? Or write Network.dense((4, 3, 2)",
    "Network([4, 3, 2])": "Network: missing a required argument: 'loss'; write Network(operations, ",
    "net.run(X, Y)": "net.run: missing a required argument: 'Y'; write net.run(params, X, Y)",
    "net.value_and_grad(X, Y)": "write net.value_and_grad(params, X, Y)",
    "run.jacobian('loss', 'W1')": "run.jacobian: too many positional arguments; "
    "write run.jacobian('W1', of='loss') for ∂loss/∂W1",
    "run.jacobian(['W1', 'W2'])": "run: a list of 2 items is no name; give one, as in run.jacobian('W1', of='loss')",
    "jac.explain('cs231n', net)": "the network stands before the convention, as in explain(net, 'cs231n')",
    "jac.convention('cs231n').replace(nam='x')": "Convention.replace: 'nam' is no field; did you mean 'name'?",
    "jac.Layout().replace(bath='rows')": "Layout.replace: 'bath' is no field; did you mean 'batch'?",
    "jac.Layout().replace(q='rows')": "Layout.replace: 'q' is no field; choose from batch, weights, ",
    "type(net.convention.names)(weights='V{l}')": "ArrayNames: got an unexpected keyword argument 'weights'; "
    "did you mean 'weight'?",
    "type(net.convention.names)(weight=3)": "ArrayNames: weight=3 is no text; write one such as weight='W{l}'",
    "type(net.convention.names)(gradient=3)": "write one such as gradient='d{name}'",
    "type(net.convention.names)(count=3)": "ArrayNames: count=3 is no text; write one such as count='N'",
    "jac.Layout(bach='rows')": "Layout: got an unexpected keyword argument 'bach'; did you mean 'batch'?",
    "run.hvp": "a Run has no attribute 'hvp': run.hessian().jvp(direction)",
    "run.vjp": "a Run has no attribute 'vjp'",
    "jac.explain(net).latex": "write found[…].formula.latex for a formula alone, or found.to_latex()",
    "jac.explain(net).text": "write found[…].formula.text for a formula alone, or print(found)",
    "J @ {}": "@: one operand is a dict of nothing",
    "jac.hessian(lambda x: x)": "write x = jac.values(x=array)[0]; L = f(x); L.hessian(x)",
    "jac.convention('my-course')": "convention: 'my-course' is unknown; choose one of ng-ml-2011",
    "jac.hessian_vector_product": "write net.run(params, X, Y).hessian().jvp(direction)",
    "run.parameter_jacobian('W1')": "run: 'W1' is unknown; choose of from output, X, Z1",
    "run.hessian(['W1', 'W2'])": "a list of 2 items is no name; write run.hessian('W1', 'W2')",
    "run.penalty('w1')": "run.penalty: 'w1' is unknown; choose from W1, b1, W2, b2; did you mean 'W1'?",
    "run.operation_value('Z1')": "run.operation_value: done is 'Z1'; expected a number from 0 to 3",
    "run.operation_jacobian(9, 'W')": "the position is 9; expected a number from 0 to 2",
    "jac.explain(net)['W9']": "derivation: 'W9' is unknown; choose from W1, b1, W2, b2",
    "jac.values(X)": "jac.values: too many positional arguments; write X, W = jac.values(X=X, W=W)",
    "jac.grad(X)": "grad: an array of shape (6, 4) is no function; write grad(f)(x)",
    "jac.grad(np.sum, X)": "grad: wrt is an array of shape (6, 4); what it is taken at comes after: grad(f)(x)",
    "jac.jacobian(lambda x: x)()": "jacobian: missing a required argument: 'x'; write jacobian(<lambda>)(x)",
    "jac.power(2, X)": "power: the exponent is an array of shape (6, 4); the order is Z, exponent: power(Z, 2)",
    "jac.fit(net, X)": "fit: missing a required argument: 'X'; write fit(net, params, X, Y)",
    "jac.compare(net, net)": "compare: name at least one convention, in a list",
    "jac.save_parameters({}, 'w.npz')": "write save_parameters(path, params, convention)",
    "jac.load_parameters(net)": "read_arrays: path is Network; expected the name of a file",
    "jac.audit_program('mine.py')": "'mine.py' names a file; give its text: Path('mine.py').read_text()",
    "jac.audit_program(3)": "audit_program: text is an int; expected a",
    "jac.translate_gradients({}, 'cs231n')": "write translate_gradients(gradients, source, target)",
    "jac.cross_entropy(Z, Y, 'mean')": "cross_entropy: too many positional arguments; write cross_entropy(X, Y, ",
    "jac.affine(X)": "affine: missing a required argument: 'W'; write affine(X, W, b=…, layout=…)",
    "jac.softmax(Z, dim=1)": "softmax: got an unexpected keyword argument 'dim'; write softmax(Z, ",
    "jac.layers.batch_norm(X)": "batch_norm: missing a required argument: 'gamma'; write batch_norm(X, gamma, ",
    "jac.matrix.inverse()": "inverse: missing a required argument: 'A'; write inverse(A, layout=…)",
    "jac.Affine(in_features=4)": "Affine: got an unexpected keyword argument 'in_features'; write Affine(",
    "jac.CrossEntropy()(Z)": "loss: missing a required argument: 'Y'; write loss(X, Y)",
    "jac.Sigmoid()(Z, Z)": "sigmoid: 2 arrays are given, it takes X",
    "jac.huber(Z, Z, delta='a')": "huber: delta is the text 'a'; expected one number",
    "jac.leaky_relu(Z, 'a')": "leaky_relu: slope is the text 'a'; expected one number",
    "jac.l2(Z, Z)": "l2: scale is an array of shape (6, 3); expected one number",
    "run.gradient('W1')": "run.gradient: too many positional arguments; write run.gradient()['W1']",
    "run.values('Z1')": "run.values: a dict is not called; write run.values['Z1']",
    "run.values['Z9']": "run.values: 'Z9' is unknown; choose from X, Z1, A1, Z2, P",
    "run['W1']": "run['W1']: a run is no dict; write run.params['W1']",
    "run.Z1": "a Run has no attribute 'Z1'; write run.values['Z1']",
    "run.grad": "a Run has no attribute 'grad': run.gradient() returns the gradients by name",
    "net.zero_grad()": "a Network has no attribute 'zero_grad': nothing accumulates",
    "net.pack()": "net.pack: missing a required argument: 'params'; write net.pack(params)",
    "J @ 3": "@: one operand is an int, the other is Diagonal(6×3) (18, 18); a number multiplies by *: 2 * J",
    "'a' @ J": "@: one operand is the text 'a', the other is Diagonal(6×3) (18, 18); expected a Jacobian, or",
    "J + 1": "+: one operand is an int, the other is Diagonal(6×3) (18, 18); J + c * Identity(J.domain)",
    "J - None": "-: one operand is None, the other is Diagonal(6×3) (18, 18); expected a Jacobian, or an array",
    "J * J": "*: one operand is a Diagonal, a Jacobian, the other is Diagonal(6×3) (18, 18); the product",
    "J**2": "**: Diagonal(6×3) (18, 18) has no powers; the product with itself is J @ J",
    "J[0]": "[…]: Diagonal(6×3) (18, 18) has no entries of its own; write J.to_dense()[…]",
    "J['X']": "['X']: Diagonal(6×3) (18, 18) is one Jacobian, and no record of several",
    "J.W": "a Diagonal has no attribute 'W'; it is one Jacobian, and no record of several",
    "jac.explain(net, wrt='W9')": "explain: wrt: 'W9' is unknown; choose from W1, b1, W2, b2, X",
    "jac.explain(jac.Tanh(), wrt='W')": "explain: wrt: 'W' is unknown; choose from X",
    "jac.check_gradient(net, {'W1': X})": "check_gradient: grad is a dict of W1; expected a function of x",
    "jac.layers.Convolution(sizes=(3, 4), kernel=3)": "Convolution: got an unexpected keyword argument 'kernel'",
    "jac.layers.Pool('biggest', 2)": "Pool: which='biggest' is unknown; choose 'max' or 'avg'",
    "jac.matrix.tril(X, 'a')": "tril: k is the text 'a'; expected a whole number",
    "jac.hessian(run, 3)": "hessian: wrt is an int; expected the name of an array: hessian(run, 'W1')",
    "run.cotangents['dZ9']": "run.cotangents: 'dZ9' is unknown; choose from",
    "net.summary('a')": "net.summary: examples is the text 'a'; expected a whole number from 0 on",
    "jac.values(X=X)[0].sum('rows')": "a reduction: axis is the text 'r'; expected a whole number",
    "jac.matrix.inv": "jac.matrix has no 'inv'; write jac.matrix.inverse",
    "jac.layers.max_pool2d": "jac.layers has no 'max_pool2d'; write jac.layers.max_pool",
    "jac.layers.relu": "jac.layers has no 'relu'; write jac.relu",
    "jac.layers.Affine": "jac.layers has no 'Affine'; write jac.Affine",
    "jac.layers.residual": "jac.layers has no 'residual'; write X + f(X) of values, or jac.Residual(operation)",
}


def test_a_first_try_is_told_what_to_write() -> None:
    net, Z = Network.dense((4, 3, 3)), X[:, :3]
    known = {"Network": Network, "jac": jac, "net": net, "np": np, "run": net.run(net.init(0), X, Y), "X": X, "Y": Y}
    known |= {"Z": Z, "J": jac.sigmoid(Z)[1]}
    for tried, told in TRIES.items():
        with pytest.raises((jac.JacobiansError, AttributeError, KeyError), match=re.escape(told)):
            eval(tried, known)


def test_an_error_from_within_a_function_is_left_as_it_is() -> None:
    @written("f(x)")
    def f(x: Any) -> Any:
        return x + None

    with pytest.raises(TypeError, match="unsupported operand") as caught:
        f(1)
    assert type(caught.value) is TypeError


@pytest.mark.parametrize("room", [jac, jac.layers, jac.matrix], ids=lambda room: room.__name__)
def test_every_function_says_how_it_is_called(room: Any) -> None:
    functions = [name for name in room.__all__ if inspect.isfunction(getattr(room, name))]
    assert len(functions) > 30
    for name in set(functions) - {"audit_program", "values"}:  # `values` takes any name
        with pytest.raises(ArgumentError, match=r"got an unexpected keyword argument|missing a required") as raised:
            getattr(room, name)(no_such_argument=1)
        assert f"{name}(" in str(raised.value)


def test_a_derivation_of_one_parameter_alone() -> None:
    net = Network.dense((4, 3, 3))
    assert list(jac.explain(net, wrt="W1").parameters) == ["W1"]
    assert list(jac.explain(net, "ng-dlai", wrt=["b2", "W1"]).parameters) == ["b2", "W1"]
    assert list(jac.explain(jac.Affine(), wrt="b").inputs) == ["b"]


def test_one_example_is_said_in_the_singular() -> None:
    net = Network.dense((4, 3, 3))
    assert repr(net.run(net.init(0), X[:1], Y[:1])).endswith("cs231n), 1 example)")
    assert repr(net.run(net.init(0), X[:2], Y[:2])).endswith("cs231n), 2 examples)")
