"""The command around cosmic-ray: which tests a module has, what is copied, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import __main__ as program


def test_a_module_has_its_mirror_or_the_tests_of_its_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert program.mirrored("linops/kernels") == ["tests/linops/test_kernels.py"]
    assert program.mirrored("linops/kronecker") == [
        "tests/linops/test_kronecker.py",
        "tests/linops/test_kronecker_bordered.py",
    ]
    assert program.mirrored("network") == ["tests/network"]
    monkeypatch.setattr(program, "ROOT", tmp_path)
    (tmp_path / "tests" / "linops").mkdir(parents=True)
    assert program.mirrored("linops/kernels") == ["tests/linops"]


def test_every_module_has_tests_nearer_than_all_tests() -> None:
    for file in sorted((program.ROOT / "jacobians").rglob("*.py")):
        if not file.name.startswith("__"):
            module = file.relative_to(program.ROOT / "jacobians").with_suffix("").as_posix()
            assert program.mirrored(module) != ["tests"], module


def test_annotations_are_found_where_they_are_written() -> None:
    spans = [*program.annotations("x: int | None = 1 | 2\ndef f(a: A | B, b=3) -> C:\n    return a | b\n")]
    assert sorted(spans) == [((1, 3), (1, 13)), ((2, 9), (2, 14)), ((2, 24), (2, 25))]


def test_the_copy_is_whole_and_is_not_the_original(tmp_path: Path) -> None:
    if not (program.ROOT / ".git").exists():
        pytest.skip("git lists what is copied, and this is no clone")
    program.copied(tmp_path)
    for name in ("pyproject.toml", "jacobians/linops/kernels.py", "tests/linops/test_kernels.py"):
        assert (tmp_path / name).read_bytes() == (program.ROOT / name).read_bytes()
    assert not (tmp_path / ".git").exists()


def test_an_unknown_module_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.main(["jacobians.linops"])
    assert "jacobians.linops: jacobians has no such module; write it as linops/kernels" in capsys.readouterr().err
