"""The page's own scripts in node, without a document: what they put together of a net, and what they compute."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from jacobians.symbols.javascript import runtime

SCRIPTS = ("words", "stops", "lookup", "filler", "pieces", "live")
_HEAD = """
// what a formula is in the page, an element, is a list here: [tag, content, attributes]
function math(tag, attributes = {}, ...children) {
  return [tag, children.length === 1 && typeof children[0] === "string" ? children[0] : children, attributes];
}
"""
_JOBS = """
const done = jobs.map(({ net: given, at: place, spelled }) => {
  const floats = (numbers) => Float64Array.from(numbers);
  const params = Object.fromEntries(Object.entries(given.params).map(([name, numbers]) => [name, floats(numbers)]));
  const net = { ...given, params, X: floats(given.X) };
  const { manner } = data.words[spelled];
  const laid = laidOf(net, place);
  const { own, shown, formulas } = sideOf(laid, manner);
  const words = wordsOf(spelled, net);
  const written = (node) => words.math(node)[1][0];
  const definitions = (lines) => lines.map(([name, node]) => [name, written(node)]);
  const pane = { words, layout: laid.layout };
  return {
    forward: definitions(formulas.forward),
    cotangents: definitions(formulas.cotangents),
    shapes: formulas.shapes.map(([role, name, size]) => [role, words.text(name), size]),
    shown: Object.fromEntries(Object.entries(shown).map(([name, text]) => [name, words.text(text)])),
    code: words.code(formulas.code),
    parameters: Object.fromEntries(Object.entries(formulas.parameters).map(([name, { chain, steps, formula }]) => {
      const said = steps.map(([rule, reason, node]) => [words.text(rule), words.text(reason), written(node)]);
      const ahead = stopsOf(laid, manner, name).stops.flatMap((stop) => (stop.ahead ? [stop.ahead] : []));
      const pushed = ahead.map((stop) => [written(stop.change), written(stop.equation), words.text(stop.reason)]);
      return [name, { chain: written(chain), formula: written(formula), ahead: pushed, steps: said }];
    })),
    stops: Object.fromEntries(Object.values(own).filter(Boolean).map((name) => {
      makeStops(pane, stageOf(laid, manner, name));
      const rows = rowsOf(pane, 0, 0);
      return [name, pane.stops.map(({ at, into, matrix, parts }, i) => ({ at, into, matrix, parts, after: rows[i] }))];
    })),
    record: recordOf(laid),
  };
});
"""


def script(data: dict[str, Any], jobs: Sequence[dict[str, Any]]) -> str:
    """JavaScript whose `done` is, for each job, what the page shows of a net in a layout and in a source's names."""
    static = files("jacobians.explorer").joinpath("static")
    texts = [static.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    given = [f"const data = {json.dumps(data)};", f"const jobs = {json.dumps([*jobs])};"]
    return "\n".join([runtime(), _HEAD, *given, *texts, _JOBS])


def in_node(data: dict[str, Any], jobs: Sequence[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Run jobs in node; an array of numbers comes back as a dict by place, as JSON writes typed arrays."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is installed")
    file = folder / "jobs.js"
    file.write_text(f"{script(data, jobs)}\nconsole.log(JSON.stringify(done));", encoding="utf-8")
    ran = subprocess.run([node, str(file)], capture_output=True, text=True, check=True, timeout=600)
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found
