"""``jacobians check``: functions and files, verdicts and exit codes, and what it refuses."""

import json
import sys

import numpy as np
import pytest
import scipy.io

from jacobians import Network, translate_batch, translate_gradients
from jacobians.cli import main

MODEL = """
import numpy as np
def loss(x):
    return float(np.sum(np.tanh(x) ** 2))
def gradient(x):
    t = np.tanh(x)
    return 2 * t * (1 - t**2)
def wrong(x):
    return 2 * np.tanh(x)
def both(x):
    return loss(x), gradient(x)
def of_dict(p):
    return float(np.sum(p["a"] * p["b"]))
def of_dict_gradient(p):
    return {"a": p["b"].copy(), "b": p["a"].copy()}
def vector(x):
    return x**2
def jacobian(x):
    return np.diag(2 * x)
def fails(x):
    raise RuntimeError("no data")
constant = 3
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some_model.py").write_text(MODEL)
    (tmp_path / "broken_model.py").write_text("import nowhere_to_be_found\n")
    path = [p for p in sys.path if p != str(tmp_path)]
    monkeypatch.setattr(sys, "path", path)
    yield
    sys.modules.pop("some_model", None)


def check(capsys, *argv):
    code = main(["check", *argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys, *argv):
    code, out, err = check(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("jacobians: error: ")
    return err


@pytest.mark.parametrize("functions", [("some_model:loss", "some_model:gradient"), ("some_model:both",)])
def test_a_right_gradient_exits_with_zero(capsys, functions):
    code, out, _ = check(capsys, *functions, "--shape", "5,3")
    assert code == 0
    assert out.startswith("gradient check: PASS\n")
    assert "15 entries compared" in out


def test_a_wrong_gradient_exits_with_one_and_shows_the_entry(capsys):
    code, out, _ = check(capsys, "some_model:loss", "some_model:wrong", "--shape", "4")
    assert code == 1
    assert out.startswith("gradient check: FAIL\n")
    assert "WRONG" in out


def test_a_function_that_raises_is_neither_right_nor_wrong(capsys):
    code, out, err = check(capsys, "some_model:fails", "some_model:gradient", "--shape", "2")
    assert code == 2
    assert out.startswith("gradient check: INCONCLUSIVE\n")
    assert "fun raised RuntimeError: no data (in fails, some_model.py line" in out
    assert err == ""


def test_the_point_may_be_a_file(capsys, tmp_path):
    np.save(tmp_path / "x.npy", np.array([0.1, 0.2]))
    np.savez(tmp_path / "p.npz", a=np.arange(3.0), b=np.ones(3))
    assert check(capsys, "some_model:both", "--at", "x.npy")[0] == 0
    assert check(capsys, "some_model:of_dict", "some_model:of_dict_gradient", "--at", "p.npz", "--json")[0] == 0


def test_a_jacobian(capsys):
    assert check(capsys, "some_model:vector", "some_model:jacobian", "--shape", "3", "--jacobian")[0] == 0
    assert check(capsys, "some_model:vector", "some_model:vector", "--shape", "3", "--jacobian")[0] == 1


def test_json(capsys):
    code, out, _ = check(capsys, "some_model:loss", "some_model:wrong", "--shape", "4", "--json")
    found = json.loads(out)
    assert code == 1
    assert found["verdict"] == "fail"
    assert found["parameters"][0]["wrong"] > 0


def student(convention, **options):
    """A network, its data and right gradients, as a student of the convention has them."""
    rng = np.random.default_rng(0)
    network = Network.dense((6, 5, 3), convention=convention, loss="binary_cross_entropy", **options)
    params = {name: rng.normal(size=shape) for name, shape in network.shapes().items()}
    X = translate_batch(rng.normal(size=(8, 6)), "cs231n", convention)
    labels = np.array([0, 1, 2, 0, 1, 2, 1, 1])
    return network, params, X, labels, network.gradient(params, X, labels)


def test_octaves_file_with_a_packed_gradient(capsys, tmp_path):
    network, params, X, labels, gradient = student("ng-ml-2011", l2=1.0)
    packed = network.pack(gradient)[:, None]
    scipy.io.savemat(tmp_path / "hw.mat", {**params, "X": X, "y": labels[:, None] + 1.0, "grad": packed})
    code, out, _ = check(capsys, "hw.mat", "--loss", "binary_cross_entropy", "--l2", "1")
    assert code == 0
    assert "note: the parameters are read as ng-ml-2011 keeps them" in out
    assert "note: the labels 1 … 3 of y are read as classes 0 … 2" in out
    assert "gradient check: PASS" in out
    assert "Why" not in out


def test_a_wrong_file_ends_with_the_diagnosis(capsys, tmp_path):
    _, params, X, labels, gradient = student("ng-dlai")
    gradient["W1"] = 8 * gradient["W1"]
    gradient["b1"] = 8 * gradient["b1"]
    np.savez(tmp_path / "hw.npz", **params, X=X, Y=labels, **{f"d{name}": g for name, g in gradient.items()})
    code, out, _ = check(capsys, "hw.npz", "--loss", "binary_cross_entropy", "--convention", "ng-dlai")
    assert code == 1
    assert "gradient check: FAIL" in out
    assert "1/N is missing" in out
    assert "Mend: Divide by N" in out


def test_another_conventions_layout_is_recognised(capsys, tmp_path):
    _, params, X, labels, gradient = student("ng-ml-2011")
    moved = translate_gradients(gradient, "ng-ml-2011", "cs231n")
    np.savez(tmp_path / "hw.npz", **params, X=X, y=labels, grad_Theta1=moved["W1"], grad_Theta2=moved["W2"])
    assert check(capsys, "hw.npz", "--loss", "binary_cross_entropy")[0] in (1, 2)


def test_bad_input(capsys, tmp_path):
    np.savez(tmp_path / "empty.npz", X=np.ones((2, 2)))
    _, params, X, labels, _ = student("cs231n")
    np.savez(tmp_path / "nograd.npz", **params, X=X, y=labels)
    np.savez(tmp_path / "nodata.npz", **params)
    assert "nowhere has no" not in refused(capsys, "nowhere:f", "--shape", "2")
    assert "importing broken_model raised ModuleNotFoundError" in refused(capsys, "broken_model:f", "--shape", "2")
    assert "some_model has no 'nothing'; it has loss, gradient" in refused(capsys, "some_model:nothing", "--shape", "2")
    assert "is a int, and cannot be called" in refused(capsys, "some_model:constant", "--shape", "2")
    assert "give the point by --at" in refused(capsys, "some_model:loss", "some_model:gradient")
    assert "no list of sizes" in refused(capsys, "some_model:both", "--shape", "a")
    assert "there is no file x.npy" in refused(capsys, "some_model:both", "--at", "x.npy")
    assert "--jacobian needs" in refused(capsys, "some_model:vector", "--shape", "2", "--jacobian")
    assert "'m.py:loss' names a file; write its module, m:loss" in refused(capsys, "m.py:loss")
    assert "neither MODULE:FUNCTION, such as model:loss, nor there; known files are" in refused(capsys, "homework.mt")
    (tmp_path / "model.py").write_text("")
    told = refused(capsys, "model.py")
    assert (
        "'model.py' is a file, but none of arrays; known files are .npz, .mat; jacobians audit --program model.py"
        in told
    )
    assert "no convention has parameters of these names" in refused(capsys, "empty.npz")
    assert "no gradient of W1, b1, W2, b2: name it dW1 or W1_grad, or pack all as grad" in refused(capsys, "nograd.npz")
    assert "no array of examples X or x" in refused(capsys, "nodata.npz")
    assert "a file holds the point" in refused(capsys, "nograd.npz", "--shape", "3")
    assert "there is no file missing.mat" in refused(capsys, "missing.mat")


def test_help_says_what_runs_code(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["check", "--help"])
    out = capsys.readouterr().out
    assert "it runs your own code" in out
    assert "A FILE never runs anything" in out
