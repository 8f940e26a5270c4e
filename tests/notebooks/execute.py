"""Runs a notebook's cells in one namespace, as Jupyter would, and compares what they show with what is stored.

No kernel is started: a cell's last expression is shown by its own `repr`, `_repr_html_` and `_repr_latex_`, which is
what Jupyter does. ``python -m tests.notebooks.execute`` stores what the cells show now.
"""

from __future__ import annotations

import ast
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"

Output = dict[str, Any]


def notebooks() -> list[Path]:
    return sorted(FOLDER.glob("*.ipynb"))


def run(path: Path) -> tuple[dict[str, Any], list[list[Output]]]:
    """Return the notebook, and for each code cell the outputs that it has now."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    return notebook, [show(cell, namespace, path.name) for cell in code_cells(notebook)]


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def show(cell: dict[str, Any], namespace: dict[str, Any], name: str) -> list[Output]:
    tree = ast.parse("".join(cell["source"]), name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with redirect_stdout(printed):
        exec(compile(tree, name, "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
    outputs: list[Output] = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())})
    if value is not None:
        data = {"text/plain": lines(repr(value))}
        for kind, method in (("text/html", "_repr_html_"), ("text/latex", "_repr_latex_")):
            if hasattr(value, method):
                data[kind] = lines(getattr(value, method)())
        outputs.append({"data": data, "execution_count": None, "metadata": {}, "output_type": "execute_result"})
    return outputs


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def store(path: Path) -> None:
    notebook, outputs = run(path)
    for count, (cell, found) in enumerate(zip(code_cells(notebook), outputs, strict=True), 1):
        cell["execution_count"] = count
        for output in found:
            if "execution_count" in output:
                output["execution_count"] = count
        cell["outputs"] = found
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for notebook_path in notebooks():
        store(notebook_path)
