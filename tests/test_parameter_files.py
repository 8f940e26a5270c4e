"""Parameters in files: saved with their convention inside, read back, and translated, as a user does it."""

from __future__ import annotations

import gzip
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

import jacobians as jac
from jacobians import Convention, Layout, Network
from jacobians.cli import main
from jacobians.data import read_arrays
from jacobians.errors import DataError, LayoutError, ShapeError

PRESETS = jac.all_conventions()
SIZES = (3, 4, 2)


def params_in(convention: str | Convention, seed: int = 0) -> dict[str, np.ndarray]:
    found = jac.convention(convention)
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in found.shapes(SIZES).items()}


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    code = main([*map(str, argv)])
    found = capsys.readouterr()
    return code, found.out, found.err


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return list(one) == list(other) and all(np.array_equal(one[name], other[name]) for name in one)


# --- saved and read back ---------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".npz", ".mat", ".MAT"])
@pytest.mark.parametrize("convention", PRESETS, ids=lambda c: c.name)
def test_a_round_trip(tmp_path: Path, convention: Convention, suffix: str) -> None:
    params, path = params_in(convention), tmp_path / f"w{suffix}"
    assert equal(jac.save_parameters(path, params, convention), params)
    read, found = jac.load_parameters(path)
    assert found == convention
    assert equal(read, params)


def test_the_convention_is_a_string_entry(tmp_path: Path) -> None:
    params = params_in("pytorch")
    jac.save_parameters(tmp_path / "w.npz", params, "pytorch")
    with np.load(tmp_path / "w.npz", allow_pickle=False) as file:
        assert sorted(file) == ["W1", "W2", "b1", "b2", "convention"]
        assert str(file["convention"]) == "pytorch"
    jac.save_parameters(tmp_path / "w.mat", params, "pytorch")
    assert loadmat(tmp_path / "w.mat")["convention"].tolist() == ["pytorch"]


@pytest.mark.parametrize(
    ("here", "there"), [*itertools.product(["ng-ml-2011", "ng-dlai", "sklearn-mlp"], ["cs231n", "pytorch"])]
)
def test_it_is_read_in_another_convention(tmp_path: Path, here: str, there: str) -> None:
    params = params_in(here)
    jac.save_parameters(tmp_path / "w.mat", params, here)
    read, found = jac.load_parameters(tmp_path / "w.mat", to=there)
    assert found.name == there
    assert equal(read, jac.translate_parameters(params, here, there))


def test_a_file_that_does_not_say_its_convention(tmp_path: Path) -> None:
    params = params_in("ng-ml-2011")
    savemat(tmp_path / "w.mat", params)
    read, found = jac.load_parameters(tmp_path / "w.mat", "ng-ml-2011")
    assert (equal(read, params), found.name) == (True, "ng-ml-2011")
    with pytest.raises(
        DataError, match=r"w\.mat does not say which convention it is in; name it, as in load_parameters"
    ):
        jac.load_parameters(tmp_path / "w.mat")
    np.savez(tmp_path / "w.npz", **params_in("pytorch"))
    with pytest.raises(DataError, match=r"its names and shapes fit ng-ufldl, ng-dlai, .* and \d+ more$"):
        jac.load_parameters(tmp_path / "w.npz")


def test_packed_parameters_are_read(tmp_path: Path) -> None:
    params = params_in("ng-ml-2011")
    packed = jac.convention("ng-ml-2011").pack(params)
    savemat(tmp_path / "w.mat", {"nn_params": packed[:, None]})
    read, _ = jac.load_parameters(tmp_path / "w.mat", "ng-ml-2011", sizes=SIZES)
    assert equal(read, params)


def test_a_file_that_says_another_convention_is_refused(tmp_path: Path) -> None:
    jac.save_parameters(tmp_path / "w.npz", params_in("pytorch"), "pytorch")
    with pytest.raises(DataError, match=r"w\.npz says that it is in pytorch, not in flax; translate it first$"):
        jac.load_parameters(tmp_path / "w.npz", "flax")


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (np.array("nobody"), r"w\.npz: convention: 'nobody' is unknown; choose one of"),
        (np.array([1.0, 2.0]), r"w\.npz: convention has shape \(2,\) and dtype float64; it is the name of a preset"),
        (np.array(["cs231n", "pytorch"]), r"w\.npz: convention has shape \(2,\) and dtype <U7; it is the name of a"),
    ],
)
def test_an_entry_that_is_no_preset(tmp_path: Path, entry: np.ndarray, text: str) -> None:
    np.savez(tmp_path / "w.npz", convention=entry, **params_in("cs231n"))
    with pytest.raises(DataError, match=text):
        jac.load_parameters(tmp_path / "w.npz")


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    params = params_in("cs231n")
    with pytest.raises(ShapeError, match="save_parameters: b1 has shape"):
        jac.save_parameters(tmp_path / "w.npz", {**params, "b1": params["b2"]}, "cs231n")
    with pytest.raises(DataError, match=r"w\.csv has the suffix '\.csv'; write \.npz or \.mat"):
        jac.save_parameters(tmp_path / "w.csv", params, "cs231n")
    with pytest.raises(DataError, match=r"cannot write .*: No such file or directory"):
        jac.save_parameters(tmp_path / "missing" / "w.npz", params, "cs231n")
    own = Convention("mine", Layout())
    with pytest.raises(LayoutError, match="mine is not as a preset has it, and a file holds only the name; translate"):
        jac.save_parameters(tmp_path / "w.npz", params_in(own), own)
    changed = jac.convention("cs231n").replace(layout=Layout(weights="rows"))
    with pytest.raises(LayoutError, match="cs231n is not as a preset has it"):
        jac.save_parameters(tmp_path / "w.npz", params_in(changed), changed)


@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_a_weight_that_is_not_finite_is_refused(tmp_path: Path, suffix: str) -> None:
    params = params_in("cs231n")
    params["W1"][0, 0] = np.nan
    jac.save_parameters(tmp_path / f"w{suffix}", params, "cs231n")
    with pytest.raises(DataError, match=r"W1\[0, 0\] is nan"):
        jac.load_parameters(tmp_path / f"w{suffix}")


# --- on the command line ---------------------------------------------------------------------------------


def test_the_line_of_the_readme(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theta = params_in("ng-ml-2011")
    savemat(tmp_path / "weights.mat", theta)
    output = tmp_path / "w.npz"
    code, out, err = run(
        capsys, "translate", tmp_path / "weights.mat", "--from", "ng-ml-2011", "--to", "pytorch", "-o", output
    )
    assert (code, err) == (0, "")
    assert out == f"{output}: W1 4×3, b1 4, W2 2×4, b2 2: pytorch, from ng-ml-2011\n"
    read, found = jac.load_parameters(output)
    assert found.name == "pytorch"
    assert np.array_equal(read["W1"], theta["Theta1"][:, 1:])
    assert np.array_equal(read["b2"], theta["Theta2"][:, 0])
    # and back, without being told from where
    assert run(capsys, "translate", output, "--to", "ng-ml-2011", "-o", tmp_path / "back.mat")[0] == 0
    assert equal(jac.load_parameters(tmp_path / "back.mat")[0], theta)


def homework(convention: str) -> dict[str, np.ndarray]:
    """A file of a right solution."""
    net = Network.dense(SIZES, convention=convention, loss="cross_entropy", activation="sigmoid")
    rng = np.random.default_rng(1)
    X = rng.normal(size=net.layout.batch_shape(5, 3))
    y, params = np.array([0, 1, 1, 0, 1]), params_in(convention)
    gradients = net.gradient(params, X, y)
    named = {net.convention.names.gradient_of(name): gradient for name, gradient in gradients.items()}
    return {"X": X, "y": y, **params, **named}


@pytest.mark.parametrize(
    ("here", "there"),
    [("cs231n", "pytorch"), ("pytorch", "flax"), ("flax", "cs231n"), ("ng-ml-2011", "pytorch"), ("ng-dlai", "keras")],
)
@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_a_right_homework_stays_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], here: str, there: str, suffix: str
) -> None:
    file, output = tmp_path / "hw.npz", tmp_path / f"out{suffix}"
    np.savez(file, **homework(here))
    check = ["--loss", "cross_entropy", "--activation", "sigmoid"]
    assert run(capsys, "check", file, "--convention", here, *check)[0] == 0
    code, out, err = run(capsys, "translate", file, "--from", here, "--to", there, "-o", output)
    assert (code, err) == (0, "")
    assert "the gradients keep" not in out
    code, out, _ = run(capsys, "check", output, *check)  # the file says its convention
    assert code == 0, out
    assert there in out
    code, _, err = run(capsys, "check", output, "--convention", here, *check)
    assert code == 2
    assert f"says that it is in {there}, not in {here}; translate it first" in err


def test_a_compressed_homework_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "hw.npz", **homework("cs231n"))
    (tmp_path / "hw.npz.gz").write_bytes(gzip.compress((tmp_path / "hw.npz").read_bytes()))
    check = ["--convention", "cs231n", "--loss", "cross_entropy", "--activation", "sigmoid"]
    assert run(capsys, "check", tmp_path / "hw.npz.gz", *check)[0] == 0


def test_a_wrong_homework_stays_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = homework("cs231n")
    arrays["db1"] = arrays["db1"] * 1.5
    np.savez(tmp_path / "hw.npz", **arrays)
    run(capsys, "translate", tmp_path / "hw.npz", "--from", "cs231n", "--to", "pytorch", "-o", tmp_path / "out.npz")
    assert run(capsys, "check", tmp_path / "out.npz", "--loss", "cross_entropy", "--activation", "sigmoid")[0] == 1


def test_packed_vectors_are_packed_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there = jac.convention("ng-ml-2011"), jac.convention("sklearn-mlp")
    params, gradients = params_in(here), params_in(here, seed=2)
    packed = {"nn_params": here.pack(params)[:, None], "grad": here.pack(gradients)[:, None], "lambda": np.array(1.0)}
    savemat(tmp_path / "w.mat", packed)
    code, out, _ = run(
        capsys,
        *("translate", tmp_path / "w.mat", "--from", here.name, "--to", there.name, "--sizes", "3,4,2"),
        *("-o", tmp_path / "w.npz"),
    )
    assert code == 0
    assert "nn_params is read as Theta1 4×4, Theta2 2×5" in out
    read = read_arrays(tmp_path / "w.npz")
    expected = jac.translate_parameters(params, here, there)
    assert np.array_equal(read["nn_params"], there.pack(expected))
    assert np.array_equal(read["grad"], there.pack(jac.translate_gradients(gradients, here, there)))
    assert all(np.array_equal(read[name], array) for name, array in expected.items())
    assert "dW1" not in read
    assert float(read["lambda"].item()) == 1.0


def test_what_is_not_translated_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = Network.dense(SIZES, convention="ng-ml-2011")
    gradients = net.gradient(params_in("ng-ml-2011"), np.ones((2, 3)), np.array([0, 1]))
    named = {f"{name}_grad": gradient for name, gradient in gradients.items()}
    savemat(tmp_path / "w.mat", {**params_in("ng-ml-2011"), **named, "lambda": 2.0})
    code, out, _ = run(
        capsys,
        "translate",
        tmp_path / "w.mat",
        "--from",
        "ng-ml-2011",
        "--to",
        "cs231n-2018-toy",
        "-o",
        tmp_path / "w.npz",
    )
    assert code == 0
    assert "lambda is left as it is: the regulariser of ng-ml-2011 is half-over-n, that of cs231n-2018-toy" in out
    sums = next(c.name for c in PRESETS if c.effective_reduction == "sum" and c.layout.bias != "none")
    out = run(capsys, "translate", tmp_path / "w.mat", "--from", "ng-ml-2011", "--to", sums, "-o", tmp_path / "v.npz")[
        1
    ]
    assert f"the gradients keep their factor: ng-ml-2011 reduces the losses by mean, {sums} by sum" in out


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    savemat(tmp_path / "w.mat", params_in("ng-ml-2011"))
    to = ("--to", "pytorch", "-o", tmp_path / "w.npz")
    assert (
        "w.mat does not say which convention it is in; name it, as in --from NAME"
        in run(capsys, "translate", tmp_path / "w.mat", *to)[2]
    )
    assert (
        "no parameters that pytorch knows" in run(capsys, "translate", tmp_path / "w.mat", "--from", "pytorch", *to)[2]
    )
    assert (
        "has no bias, and the bias of layer 1 in ng-ml-2011 is not zero"
        in run(
            capsys,
            *(
                "translate",
                tmp_path / "w.mat",
                "--from",
                "ng-ml-2011",
                "--to",
                "vecderivs-rows",
                "-o",
                tmp_path / "w.npz",
            ),
        )[2]
    )
    assert not (tmp_path / "w.npz").exists()
    (tmp_path / "w.npz").write_text("mine")
    code, out, err = run(capsys, "translate", tmp_path / "w.mat", "--from", "ng-ml-2011", *to)
    assert (code, out) == (2, "")
    there = "exists; choose another file with -o, or write over it with --force"
    assert err == f"jacobians: error: translate: {tmp_path / 'w.npz'} {there}\n"
    assert (tmp_path / "w.npz").read_text() == "mine"
    assert run(capsys, "translate", tmp_path / "w.mat", "--from", "ng-ml-2011", *to, "--force")[0] == 0
    assert set(np.load(tmp_path / "w.npz")) >= {"W1", "b1"}
    (tmp_path / "w.npz").unlink()
    savemat(tmp_path / "more.mat", {**params_in("ng-ml-2011"), "stray": np.ones(3)})
    err = run(
        capsys, "translate", tmp_path / "more.mat", "--from", "ng-ml-2011", "--to", "flax", "-o", tmp_path / "v.npz"
    )[2]
    assert re.search(r"stray \(1, 3\): not used", err)


def test_compare_reads_the_convention_of_the_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Square weights fit W X and X W: only the file tells which is meant."""
    rng = np.random.default_rng(0)
    params = {"W1": rng.normal(size=(3, 3)), "b1": rng.normal(size=3)}
    np.savez(tmp_path / "d.npz", X=rng.normal(size=(6, 3)), y=[0, 1, 2, 0, 1, 2])
    losses = {}
    for name in ("cs231n", "pytorch"):
        jac.save_parameters(tmp_path / "w.npz", params, name)
        code, out, _ = run(
            capsys,
            *("compare", "cs231n", "pytorch", "--data", tmp_path / "d.npz", "--weights", tmp_path / "w.npz"),
            *("--loss", "cross_entropy", "--json"),
        )
        assert code == 0
        losses[name] = float(re.search(r'"loss": ([\d.]+)', out)[1])  # type: ignore[index]
        net = Network.dense((3, 3), convention=name, loss="cross_entropy")
        with np.load(tmp_path / "d.npz") as data:
            assert losses[name] == pytest.approx(net.value(params, data["X"], data["y"]), rel=1e-12)
    assert losses["cs231n"] != pytest.approx(losses["pytorch"], rel=1e-3)
