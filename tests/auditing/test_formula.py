"""What a formula may say in each notation; what is refused, with the place marked; and nothing is executed."""

from __future__ import annotations

import builtins
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import JacobiansError
from jacobians.auditing import audit
from jacobians.errors import FormulaError

# --- what is read ----------------------------------------------------------------------------------------

RIGHT = [
    ("cs231n", "dW2 = np.dot(A1.T, dZ2)"),
    ("cs231n", "dW2 = A1.T.dot(dZ2)"),
    ("cs231n", "dW2 = np.matmul(A1.transpose(), dZ2)"),
    ("cs231n", "dW2 = np.transpose(A1) @ ((P - Y) / N)"),
    ("cs231n", "grad_W2 = a1.T @ dscores"),
    ("cs231n", "W2_grad = hidden.T @ (probs - y) / num_train"),
    ("cs231n", "dL/dW2 = A1.T @ dZ2"),
    ("cs231n", "dW2 := A1.T @ dZ2"),
    ("cs231n", "dL/dZ1 = dA1 * A1 * (1 - A1)"),
    ("cs231n", "dZ1 = np.multiply(dhidden, sigmoid_grad(z1))"),
    ("cs231n", "db2 = np.sum(dscores, axis=0)"),
    ("cs231n", "db2 = np.ones(N) @ dZ2"),
    ("cs231n", "db2 = dZ2.mean(axis=0) * N"),
    ("cs231n", "scores = A1 @ W2 + b2"),
    ("cs231n", "probs = softmax(scores)"),
    ("cs231n", "dW1 = X.T @ dZ1 + λ * W1"),
    ("cs231n", "dW1 = X.T @ dZ1 + lambda * W1"),
    ("cs231n", "dW1 = X.T @ δ1"),
    ("cs231n", "dZ1 = dA1 * sigmoid(Z1)**1 * (1 − A1)"),
    ("cs231n", "dZ2/dA1 = W2.T"),
    ("ng-ml-2011", "Theta2_grad = d3.T @ a2 / m"),
    ("ng-ml-2011", "delta2 = delta3 @ Theta2[:, 1:] * sigmoidGradient(z2)"),
    ("ng-ml-2011", "A2 = np.hstack((np.ones((m, 1)), sigmoid(Z2)))"),
    ("ng-ml-2011", "delta2 = (delta3 * Theta2)(:, 2:end) .* sigmoidGradient(z2)"),
    ("ng-ml-2011", "delta2 = delta3 * Theta2(:, 2:end) .* g_prime(z2);"),
    ("ng-ml-2011", "a2 = [ones(m, 1) sigmoid(a1 * Theta1')]"),
    ("ng-ml-2011", "Theta2_grad = (1/m) * delta3' * a2 + (lambda/m) * [zeros(3, 1), Theta2(:, 2:end)]"),
    ("cs231n-bias-trick", "dW1 = [X ones(9, 1)]' * dZ1"),
    ("ng-dlai", "db1 = (1/m) * sum(dZ1, 2)"),
    ("ng-dlai", r"dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}"),
    ("ng-ml-2011", r"\frac{\partial J}{\partial \Theta^{(2)}} = \frac{1}{m} (\delta^{(3)})^T a^{(2)}"),
    ("ng-ml-2011", r"\delta^{(3)} = a^{(3)} - y"),
    ("ng-ml-2011", r"\delta_2 = (\delta_3 \Theta_2)_{[:, 1:]} \odot \sigma'(z_2)"),
    ("ng-ml-2011", r"A_1 = [\mathbf{1} \; X]"),
    ("cs231n", r"\nabla_{W_1} L = X^\top dZ_1"),
    ("cs231n", r"\partial L / \partial W_1 = X^{\mathsf{T}} \delta_1"),
    ("cs231n", r"db_1 = \mathbf{1}^T dZ_1"),
    ("cs231n", r"Z_1 = X W_1 + \mathbf{1} b_1^T"),
    ("cs231n", r"Z_1 = X W_1 + b_1"),
    ("cs231n", r"dZ_1 = dZ_2 W_2^\top \circ A_1 \circ (1 - A_1)"),
    ("cs231n", r"dZ_2 = \frac{\hat{y} - y}{N}"),
    ("cs231n", r"dW_1 = X^T dZ_1 + \mathrm{reg} \, W_1"),
]


@pytest.mark.parametrize(("name", "formula"), RIGHT, ids=[formula for _, formula in RIGHT])
def test_ways_to_write(name: str, formula: str) -> None:
    found = audit(formula, name)
    assert found, str(found)


def test_power_and_relu() -> None:
    assert audit("dZ1 = dA1 * (1 - A1**2)", activation="tanh")
    assert audit(r"dZ_1 = dA_1 \circ (1 - A_1^2)", activation="tanh")
    assert audit("dZ1 = dA1 .* (1 - A1.^2)", activation="tanh")
    assert audit("dZ1 = dA1 * (Z1 > 0)", activation="relu")
    assert audit("A1 = np.maximum(0, Z1)", activation="relu")
    assert audit("dZ1 = dA1 * leaky_relu_prime(Z1)", activation="leaky_relu"), "the slope is the network's"
    assert not audit("dZ1 = dA1 * leaky_relu_prime(Z1, 0.3)", activation="leaky_relu")


def test_products_bind_as_the_notation_says() -> None:
    """δW∘g is (δW)∘g in a text, and * is the matrix product in Octave and not in NumPy."""
    assert audit(r"dZ_1 = dZ_2 W_2^\top \circ \sigma'(Z_1)")
    assert audit("dZ1 = dZ2 * W2' .* sigmoid_prime(Z1)", notation="octave")
    assert audit("dZ1 = dZ2 @ W2.T * sigmoid_prime(Z1)")
    assert audit("dZ1 = dZ2 * W2.T * sigmoid_prime(Z1)").verdict == "does not conform"


# --- what is refused -------------------------------------------------------------------------------------

REFUSED = [
    ("", "the formula is empty"),
    ("   ", "the formula is empty"),
    ("dW1", "a formula has two sides"),
    ("dW1 = ", "the right side is empty"),
    ("dW1 = X = Y", "a formula has one equals sign"),
    ("dW1 = A9", "'A9' is unknown; did you mean"),
    ("dW1 = qqqqqqq", "'qqqqqqq' is unknown; the names are X, W1"),
    ("dW9 = X", "'dW9' is unknown; a formula may be for dW1"),
    ("X = Z1", "'X' is given, not computed"),
    ("dW1 = dW1", "a formula for dW1 cannot use dW1 itself"),
    ("dW1 = grad_W1", "a formula for dW1 cannot use dW1 itself"),
    ("<b>x</b> = 1", "the left side is a name such as dW1"),
    ("<script>alert(1)</script> = 1", "the left side is a name"),
    ("dW1 = sigmoid", "'sigmoid' is a function; write sigmoid"),
    ("dW1 = X.T @ (dZ1", r"'\(' is never closed"),
    ("dW1 = X.T) @ dZ1", r"'\)' closes no bracket"),
    ("dW1 = (X]", r"'\]' closes no bracket"),
    ("dW1 = (1).__class__", ".__class__ is not read"),
    ("dW1 = X.T.__class__.__bases__[0]", "is not read"),
    ("dW1 = __import__('os')", "'__import__' is no function that is known here"),
    ("dW1 = eval('1')", "'eval' is no function"),
    ("dW1 = open('x').read()", "this call is not read"),
    ("dW1 = np.load(X)", "np.load is not read in this form"),
    ("dW1 = np.linalg.inv(X)", "this call is not read"),
    ("dW1 = os.system(X)", "this call is not read"),
    ("dW1 = lambda: 1", "this is no NumPy expression"),
    ("dW1 = [x for x in X]", "a comprehension is not read"),
    ("dW1 = f'{X}'", "an f-string is not read"),
    ("dW1 = X if Y else Z1", "an 'if' is not read"),
    ("dW1 = (a := X)", "an assignment is not read"),
    ("dW1 = X and Y", "'and' or 'or' is not read"),
    ("dW1 = X == Y", "a comparison other than Z > 0 is not read"),
    ("dW1 = 'text'", "a literal is a real number, not str"),
    ("dW1 = 1j", "a literal is a real number, not complex"),
    ("dW1 = True", "a literal is a real number, not bool"),
    ("dW1 = ...", "a literal is a real number, not ellipsis"),
    ("dW1 = 1e400", "a number is at most"),
    ("dW1 = " + "9" * 1900, "a number is at most|too large"),
    ("dW1 = 9**9**9", "an exponent is one of"),
    ("dW1 = X**100", "an exponent is one of"),
    ("dW1 = X**Y", "an exponent is one of"),
    ("dW1 = X[0]", "an index is a slice"),
    ("dW1 = X[::2]", "an index is a slice"),
    ("dW1 = X[:, 10**9:]", "a small whole number is wanted"),
    ("dW1 = X % Y", "BinOp is not read"),
    ("dW1 = sigmoid(X, X)", "sigmoid does not take 2 arguments"),
    ("dW1 = sigmoid(*X)", "stars have no place in a call"),
    ("dW1 = sigmoid(Z=X)", "sigmoid takes no keywords"),
    ("dW1 = np.ones(10**9)", "a small whole number is wanted"),
    ("dW1 = np.ones(999999)", "nothing here has 999999 entries, and there are 9 examples: write np.ones"),
    ("dW1 = np.ones((9, 9, 9))", "a shape has one or two sizes"),
    ("dW1 = np.pad(X, ((9, 9), (9, 9)))", "np.pad is not read in this form"),
    ("dW1 = X.sum(axis=7)", "a sum takes axis=0 or axis=1"),
    ("dW1 = X.sum(dtype=int)", "a sum takes axis=0 or axis=1"),
    ("dW1 = X\x00", "the control character U\\+0000"),
    ("dW1 = X\u202e", "the control character U\\+202E"),
    ("dW1 = " + "(" * 60 + "X" + ")" * 60, "brackets lie more than 50 deep"),
    ("dW1 = " + "-" * 1500 + "X", "too deep"),
    ("dW1 = X" + ".T" * 900, "too deep"),
    ("dW1 = " + "+".join(["X"] * 300), "too deep"),
    ("dW1 = " + "X" * 12_000, "at most 10000 are read"),
    (r"dW_1 = \sum_i x_i", "the entries i are not those of the left side"),
    (r"dW_1 = X^{99}", "an exponent is one of"),
    (r"dW_1 = X_{ij}", "the entries ij are not those of the left side"),
    (r"dW_1 = \frac{1}", "'{' is wanted here"),
    (r"dW_1 = \input{/etc/passwd}", "is not read here"),
    (r"dW_1 = [X \; Y]", "a block is a matrix beside ones or zeros"),
    (r"dW_1 = \delta_1'", "a prime marks a derivative"),
    (r"dW_1 = \delta_{9}", "'delta9' is unknown"),
    (r"dW_1 = X^\top +", "the formula ends here too early"),
    (r"dW_1 = " + "-" * 1500 + r"\sigma(X)", "too deep"),
    (r"dW_1 = \sigma(" + "+".join(["X"] * 400) + ")", "too deep"),
    (r"\frac{\partial L} = X", "'{' is wanted here"),
    ("dW1 = system(X)'", "'system' is no function"),
    ("dW1 = X'(1, Y)", "a small whole number is wanted here"),
    ("dW1 = X' ; Y", "is not read here"),
    ("dZ2/dW9 = X", "'W9' has no Jacobian here"),
    ("dZ1/dW2 = X", "Z1 does not depend on W2"),
]


@pytest.mark.parametrize(
    ("formula", "message"), REFUSED, ids=[f[:40].encode("unicode_escape").decode() for f, _ in REFUSED]
)
def test_refusals_name_the_place(formula: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message) as caught:
        audit(formula)
    lines = str(caught.value).splitlines()
    if "empty" not in message and "at most 10000" not in message:
        assert len(lines) == 3
        assert set(lines[2].strip()) == {"^"}
        assert len(lines[1]) < 90
        assert lines[1].isprintable()


def test_the_caret_stands_under_the_place() -> None:
    with pytest.raises(FormulaError) as caught:
        audit("dW2 = δ2.T @ A9 / N")
    _, formula, carets = str(caught.value).splitlines()
    assert formula[carets.index("^") : carets.rindex("^") + 1] == "A9"
    with pytest.raises(FormulaError) as caught:
        audit(r"dW_2 = A_1^\top \mathrm{dZ}_{77} / N")
    _, formula, carets = str(caught.value).splitlines()
    assert formula[carets.index("^") : carets.rindex("^") + 1] == r"\mathrm{dZ}_{77}"


def test_a_long_formula_is_shown_around_the_place() -> None:
    with pytest.raises(FormulaError) as caught:
        audit("dW1 = " + "X.T @ dZ1 + " * 40 + "A9 + " + "X.T @ dZ1 + " * 4 + "X")
    _, formula, carets = str(caught.value).splitlines()
    assert formula.strip().startswith("…")
    assert formula[carets.index("^") : carets.rindex("^") + 1] == "A9"


def test_names_of_ones_own() -> None:
    assert audit("dW2 = H.T @ dZ2", where={"H": "sigmoid(Z1)"})
    with pytest.raises(FormulaError, match="'A1' already has a meaning"):
        audit("dW2 = A1.T @ dZ2", where={"A1": "X"})
    with pytest.raises(FormulaError, match="'a b' is no name"):
        audit("dW2 = A1.T @ dZ2", where={"a b": "X"})
    with pytest.raises(FormulaError, match="not conformable"):
        audit("dW2 = H.T @ dZ2", where={"H": "X @ X"})
    with pytest.raises(FormulaError, match="'nowhere' is unknown"):
        audit("dW2 = H.T @ dZ2", where={"H": "nowhere"})


def test_bad_settings() -> None:
    with pytest.raises(JacobiansError, match="cross-entropy of one output is constant"):
        audit("dW1 = X.T @ dZ1", sizes=(4, 1))
    with pytest.raises(FormulaError, match="0 examples show nothing"):
        audit("dW1 = X.T @ dZ1", examples=0)
    with pytest.raises(FormulaError, match="the notation is one of numpy, latex, octave"):
        audit("dW1 = X.T @ dZ1", notation="word")  # type: ignore[arg-type]
    with pytest.raises(FormulaError, match="a formula is a text such as"):
        audit(3)  # type: ignore[arg-type]
    with pytest.raises(JacobiansError, match="did you mean"):
        audit("dW1 = X.T @ dZ1", "cs231")


def test_nothing_is_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No eval, no exec and no import by name is called while a formula is audited."""

    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("a formula was executed")

    audit("dW1 = X.T @ dZ1")  # what is imported on first use is imported
    for name in ("eval", "exec"):
        monkeypatch.setattr(builtins, name, forbidden)
    assert audit("dW1 = X.T @ dZ1")
    with pytest.raises(FormulaError):
        audit("dW1 = __import__('os').system('true')")


# --- random text -----------------------------------------------------------------------------------------

PIECES = [
    *("dW1", "X", "W1", "dZ1", "A1", "N", "Z1", "reg", "2", "0.5", "1e9", "sigmoid", "np", ".T", ".sum", "axis=0", "["),
    *("]", "(", ")", "{", "}", "@", "*", "+", "-", "/", "**", ".*", "'", "^", "_", "=", ":", ",", ";", " ", "\\frac"),
    *("\\delta", "\\circ", "\\top", "\\mathbf{1}", "\\mathrm", "\\;", "\\sigma", "end", "ones", "δ", "λ", "\\\\", "1:"),
    *("lambda", "if", "__class__", "np.ones", "np.pad", "\\hat", "\\nabla", "\\partial", "\n", "²", "𝟙", "≠", "\u200b"),
]
RANDOM = st.one_of(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.text(max_size=60))


TEXTS = given(
    left=st.sampled_from(["dW1", "dW_1", "dZ1", "\\frac{\\partial L}{\\partial W_1}", ""]),
    text=RANDOM,
    notation=st.sampled_from(["numpy", "latex", "octave", None]),
)


def _read_or_refused(left: str, text: str, notation: str | None) -> None:
    with contextlib.suppress(FormulaError):
        audit(f"{left} = {text}" if left else text, sizes=(4, 3), notation=notation)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@TEXTS
def test_random_text_is_read_or_refused(left: str, text: str, notation: str | None) -> None:
    _read_or_refused(left, text, notation)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@TEXTS
def test_much_random_text_is_read_or_refused(left: str, text: str, notation: str | None) -> None:
    _read_or_refused(left, text, notation)
