"""``python -m tests.programs.octave_itself [SNIPPETS]``: random snippets by GNU Octave itself and by the evaluator.

Every snippet fails in both, or sets the same names to the same kinds, sizes and numbers in both, or is not read here.
Needs the program ``octave``; the programs of `octave_programs` are compared too.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from jacobians.errors import FormulaError
from jacobians.programs.values import LimitError, ProgramError
from tests.programs.octave_programs import PROGRAMS
from tests.programs.octave_run import run

GIVEN = """A = [1 -2 3 0.5; 4 5 -6 2; -0.25 8 9 1];
B = [0.5 1 2 -1; 2 2 0 3; 1 -1 4 0.125];
C = [1 2 -3; 0 5 6; 7 -8 9; 1 1 0.5];
S = [4 1 0; 1 3 -1; 0.5 0 2];
r = [2 -1 0.5 3];
c = [1; -2; 4];
y = [2; 4; 1];
s = 3;
k = 2;
M = A > 0;
E = [];
Z = zeros(3, 0);
"""

MATRICES = ("A", "B", "C", "S", "r", "c", "y", "s", "k", "M", "c'", "r'", "A'", "2", "0.5", "-1", "1:4", "[1 2;3 4]")
EXPRESSIONS = (
    "{m} + {m}", "{m} - {m}", "{m} .* {m}", "{m} ./ {m}", "{m} * {m}", "{m} / {s}", "{m} .^ 2", "{m} ^ 2", "-{m}", "-{m}'",
    "2 ^ -k", "{m} == {m}", "{m} >= {s}", "!({m} > {s})", "~{m}", "{m} & {m}", "{m} | {m}", "({m})'", "{m}.'", "-2 ^ 2",
    "{s} : {s}", "{s} : {s} : {s}", "0 : 0.1 : {s}", "{s} : -1 : {s}", "({m})(:)", "({m})({i})", "({m})({i}, {i})",
    "({m})(:, {i})", "({m})({i}, :)", "({m})(end)", "({m})(end, :)", "({m})(:, 2:end)", "({m})(end-1:end)", "A(M)", "A(M, 1)",
    "A({m} > {s})", "r(r > {s})", "c(c > {s})", "A(y, :)", "eye(4)(y, :)", "r(c > 0)", "[{m} {m}]", "[{m}, {m}; {m} {m}]",
    "[{m}; {m}]", "[ones(3, 1) {m}]", "[{m}(:); {m}(:)]", "[{s} -{s}]", "[{s} - {s}]", "[{s} -{s}', {m}']", "[{m}' {m}']",
    "[{s}\n {s}]", "sum({m})", "sum({m}, 2)", "sum({m}, 1)", "sum({m}(:))", "sum(sum({m}))", "mean({m})", "mean({m}, 2)",
    "prod({m})", "max({m})", "max({m}, [], 2)", "max({m}, {m})", "min({m}, {s})", "max(max({m}))", "min({m}(:))", "any({m})",
    "all({m})", "any({m}, 2)", "cumsum({m})", "cumsum({m}, 2)", "cumprod({m})", "find({m})", "find({m} > {s})", "size({m})",
    "size({m}, 1)", "size({m}, {s})", "numel({m})", "length({m})", "rows({m})", "columns({m})", "isempty({m})",
    "isscalar({m})", "isvector({m})", "zeros({s})", "ones({s}, {s})", "eye({s}, {s})", "zeros(size({m}))", "repmat({m}, 2, 1)",
    "repmat({m}, 2)", "repmat({m}, [1 2])", "reshape({m}, 2, [])", "reshape({m}, 3, 4)", "reshape({m}(1:4), [2 2])",
    "bsxfun(@times, {m}, {m})", "bsxfun(@plus, {m}, {m})", "bsxfun(@(p, q) p - q, {m}, {m})", "exp({m} / 8)", "log(abs({m}) + 1)",
    "sqrt(abs({m}))", "abs({m})", "tanh({m})", "1 ./ (1 + exp(-{m}))", "floor({m})", "round({m} / 2)", "fix({m})", "ceil({m})",
    "mod({m} + 0, {s})", "rem({m} + 0, 3)", "mod({m} + 0, -2)", "sign({m})", "kron({m}, {m})", "trace(S * {s})", "diag({m})", "diag(r, k)",
    "inv(S)", "S \\ c", "{m} / S", "S \\ {m}", "det(S)", "norm({m} + 0)", "norm(A, 'fro')", "norm(S, 1)", "pinv({m})",
    "sort({m})", "sort({m}, 'descend')", "sort({m}, 2)", "unique({m})", "accumarray(y, c)", "sub2ind(size(A), [1 2 3]', y)",
    "A(sub2ind(size(A), (1:3)', y))", "horzcat({m}, {m})", "vertcat({m}, {m})", "cat(1, {m}, {m})", "fliplr({m})", "flipud({m})",
    "circshift({m}, 1)", "circshift({m}, 1, 2)", "tril({m})", "triu({m})", "linspace({s}, 5, 4)", "var({m})", "std({m})",
    "std({m}, 0, 2)", "var({m}, 1)", "median(A, 2)", "median({m} + 1)", "diff({m})", "dot({m}, {m})", "nnz({m})", "sumsq({m})", "power({m}, 2)",
    "times({m}, {m})", "rdivide({m}, {s})", "mtimes({m}, {m})", "transpose({m})", "arrayfun(@(t) t * 2 + {s}, {m})",
    "cellfun(@(t) numel(t), {{ {m}, {m} }})", "({s} > {s}) && ({m})", "{m} || {s}", "isequal({m}, {m})", "ismember({m}, [1 2 3])",
    "logical({m})", "true + true", "M - M", "M * 2", "-M", "M .* A", "mean(M)", "double(M)", "sum(M)", "sum({m} == {m})", "pi + {s}", "Inf * {m}",
    "conv2({m} + 0, [1 2; 3 4])", "conv2(A, ones(2), 'valid')", "conv2(B, C, 'same')", "permute({m}, [2 1])", "xor(M, A > 1)", "vec({m})",
    "triu({m}, 1)", "cumsum({m}(:))'", "colon(1, {s})", "isrow({m})", "ndims({m})", "meshgrid(1:2, 1:3)", "log2({s} + 8)", "hypot({m}, {s})",
    "strcmp('a', 'a')", "numel('it''s')", "1e3 + 1.5e-2", "{m}.^-1", "2.^{m}", "1./{m}", "{s}:{s}+1", "!{s} == {s}", "-{s}:{s}",
    "{m}(:)'", "({m} - mean({m})) ./ std({m})", "{m} - max({m}, [], 2)", "zeros(2, 3, 2)", "sum(zeros(2, 3, 2) + {s}, 3)", "size(ones(2, 3, 2))",
    "ones(2, 3, 2)(:, :, 2)", "{m} <= {m}", "{m} != {m}", "{m} ~= {m}", "merge(A > 0, B, {s})", "[A Z' (1:4)' * 0]", "[E {m}]", "sum(E)", "isempty(E)", "max(E)", "[E; {m}]", "size(E)", "A(E)", "sum(E, 1)", "max({m}, E)", "E == {s}", "E(:)", "prod(E)", "any(E)", "[Z S]", "[{m}; Z']",
)  # fmt: skip
INDICES = (
    "1",
    "2",
    "3",
    "end",
    ":",
    "[1 2]",
    "[2; 1]",
    "1:2",
    "2:end",
    "end:-1:1",
    "k",
    "y",
    "[]",
    "[1 1 2]",
    "true",
    "M(1, 1:3)",
)
NUMBERS = ("1", "2", "3", "s", "k", "0", "4", "0.5", "-1", "r(1)", "A(1, 1)", "numel(r)")
STATEMENTS = (
    "x = {e};", "x = {e}; x += 1;", "x = {e}; x(2) = 7;", "x = {e}; x(end + 1) = 7;", "x = {e}; x(2, 3) = 7;",
    "x = {e}; x(:, 1) = {m};", "x = {e}; x(1, :) = {m};", "x = {e}; x(:) = {s};", "x = {e}; x({i}) = {m};", "x = {e}; x({i}, {i}) = {m};",
    "x = A; x(x > {s}) = 0;", "x = A; x(:, 2:end) = x(:, 2:end) + {m};", "x = A; x(M) = A(M) * 2;", "x = A; x(:, {i}) = [];",
    "x = r; x({i}) = [];", "x = []; x({i}) = {s};", "x = []; x(:, 1) = {m};", "x = []; x({i}, :) = {m};", "w(2, 3) = {s};",
    "w(3) = {s};", "w(:, 2) = {m};", "x = 0; for i = {m}, x = x + sum(i); end", "x = 0; for i = 1:{s}, x += i; end",
    "for i = 1:3, for j = 1:2, w(i, j) = i * 10 + j; end, end", "x = 1; while x < 20, x *= 3; end", "x = 9; do x -= 2; until x < {s}",
    "if {m}, x = 1; else x = 2; end", "if {s} > {s}, x = 1; elseif {m}, x = 2; else, x = 3; end", "[q, p] = size({m});",
    "[q, p] = max({m});", "[q, p] = min({m}, [], 2);", "[q, p] = sort({m});", "[q, p] = sort({m}, 'descend');", "[q, p] = find({m});",
    "[q, p, o] = unique({m});", "[q, p] = ind2sub([3 4], y);", "[~, p] = max({m}, [], 2);", "f = @(t) t .* {s}; x = f({m});",
    "t.a = {m}; x = t.a;", "t.a.b(2) = {s}; x = t.a.b;", "t.a = {m}; t.a(1) = 9; x = t.a;", "v{{2}} = {m}; x = v{{2}}; q = numel(v);",
    "v = {{1, {m}}}; v{{end + 1}} = 3; x = v{{2}}; q = size(v);", "x = {e}; y2 = x; y2(1) = 100;", "x = 5; x++; x--; x ^= 2;",
    "switch {s}, case 1, x = 1; case {{2, 3}}, x = 2; otherwise, x = 3; end", "x = [1, 2, ... more\n 3];", "x = {e}; % a comment\nq = 1; # one more",
    "x = 0; for i = 1:5, if i == 2, continue; end, if i == 4, break, end, x += i; end", "x = {e}; q = x';", "g = @sum; x = g({m}, 2);",
    "x = 'text'; q = numel(x);", "%{\nx = 1;\n%}\nq = 2;", "a.b = {m}; q = a.b'; x = a.b(1, :);", "x = {m}; x(1, :) *= 2;",
    "x = {m}; x(1) -= {s};", "for i = 1:2, h{{i}} = i * {s}; end; x = h{{1}}; q = h{{end}};", "[h(1), h(2)] = size({m}); x = h;",
    "try, x = {m}; catch, end", "n = 0; for v = {m}', n = n + v(1); end", "x.list{{2}} = 3; q = numel(x.list); x = x.list{{2}};",
    "function z = twice(u), z = 2 * u; end\nx = twice({m});", "function [p, q] = both(u, v), if nargin < 2, v = 1; end\n p = u + v; q = u - v; end\n"
    "[x, o] = both({m}); p = both({m}, {s});",
)  # fmt: skip

_REPORT = """
function report(names, values)
  for n = 1:numel(names)
    v = values{n};
    if (isnumeric(v) || islogical(v)) && isreal(v)
      printf("%s %s %s :%s\\n", names{n}, ifelse_class(v), sprintf("%d,", size(v)), sprintf(" %.17g", double(v)));
    end
  end
end
function s = ifelse_class(v)
  if islogical(v), s = "logical"; else s = "double"; end
end
"""
_EACH = """
printf("@@ {number}\\n");
try
  clear -x __none__
  {given}
  source("{file}");
  __all = setdiff(who, {{"__all", "__values", "ans"}});
  __values = {{}};
  for __n = 1:numel(__all), __values{{__n}} = eval(__all{{__n}}); end
  report(__all, __values);
catch __error
  printf("!! %s\\n", strrep(__error.message, "\\n", " "));
end
"""


def expression(draw: random.Random, depth: int = 0) -> str:
    """Draw an expression."""
    template = draw.choice(EXPRESSIONS)

    def matrix() -> str:
        if depth < 2 and draw.random() < 0.25:
            return f"({expression(draw, depth + 1)})"
        return draw.choice(MATRICES)

    while "{" in template.replace("{{", ""):
        before = template
        for key, values in (("{m}", None), ("{s}", NUMBERS), ("{i}", INDICES), ("{e}", None)):
            if key in template:
                new = expression(draw, 1) if key == "{e}" else matrix() if values is None else draw.choice(values)
                template = template.replace(key, new, 1)
        if before == template:
            break
    return template.replace("{{", "{").replace("}}", "}")


def snippet(draw: random.Random) -> str:
    """Draw a statement, with what it is about."""
    template = draw.choice(STATEMENTS) if draw.random() < 0.5 else "x = {e};"
    while any(key in template for key in ("{e}", "{m}", "{s}", "{i}")):
        for key, make in (
            ("{e}", lambda: expression(draw)),
            ("{m}", lambda: draw.choice(MATRICES)),
            ("{s}", lambda: draw.choice(NUMBERS)),
            ("{i}", lambda: draw.choice(INDICES)),
        ):
            template = template.replace(key, make(), 1)
    return template.replace("{{", "{").replace("}}", "}")


def by_octave(
    snippets: list[str], given: str = GIVEN
) -> list[dict[str, tuple[str, tuple[int, ...], list[float]]] | str]:
    """What Octave itself makes of each: its names, or why it fails."""
    with tempfile.TemporaryDirectory() as folder:
        script = ["1;", 'warning("off", "all");', _REPORT]
        for number, text in enumerate(snippets):
            file = Path(folder) / f"s{number}.m"
            file.write_text(f"1;\n{text}\n", encoding="utf-8")
            script.append(_EACH.format(number=number, given=given, file=file))
        main = Path(folder) / "main.m"
        main.write_text("\n".join(script), encoding="utf-8")
        done = subprocess.run(
            ["octave", "--no-gui", "--no-init-file", "--quiet", str(main)], capture_output=True, text=True, timeout=900
        )
    results: list[Any] = [f"no answer: {done.stderr[-500:]}"] * len(snippets)
    for part in done.stdout.split("@@ ")[1:]:
        head, *lines = part.split("\n")
        found: Any = {}
        for line in lines:
            if line.startswith("!! "):
                found = line[3:]
                break
            if " :" in line:
                names, _, values = line.partition(" :")
                name, kind, shape = names.split(" ")
                found[name] = (kind, tuple(int(n) for n in shape.split(",")[:-1]), [float(v) for v in values.split()])
        results[int(head)] = found
    return results


def difference(text: str, theirs: Any, given: str = GIVEN) -> str:
    """How the evaluator differs from Octave: "" if it does not, "not read: ..." if it does not say."""
    try:
        names, unread = run(given + text)
    except (ProgramError, LimitError) as error:
        ours: Any = error.message
        unread = {}
    except FormulaError as error:
        return f"not read: {error}"
    else:
        ours = names
    if unread:
        return f"not read: {next(iter(unread))}"
    if isinstance(theirs, str) or isinstance(ours, str):
        return (
            ""
            if isinstance(theirs, str) and isinstance(ours, str)
            else f"Octave: {_short(theirs)}; here: {_short(ours)}"
        )
    for name, (kind, shape, values) in theirs.items():
        if name not in ours and 0 in shape:
            continue  # the name of a loop that is never entered
        if name not in ours:
            return f"{name} is not set here"
        value = ours[name]
        held = np.atleast_2d(np.asarray(value)) if not isinstance(value, (list, dict)) else value
        if isinstance(held, (list, dict)):
            return f"{name} is {value!r} here"
        if (held.dtype.kind == "b") != (kind == "logical") or held.shape != shape:
            return f"{name}: Octave {kind} {shape}, here {held.dtype} {held.shape}"
        if not np.allclose(held.reshape(-1, order="F").astype(float), values, rtol=1e-9, atol=1e-9, equal_nan=True):
            return f"{name}: Octave {values}, here {held.tolist()}"
    return ""


def _short(found: Any) -> str:
    """What a snippet sets beside what was given, or why it fails."""
    if isinstance(found, str):
        return repr(found)
    return repr({name: value for name, value in found.items() if name not in "ABCSrcyskMEZ"})[:300]


def main() -> None:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("snippets", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if shutil.which("octave") is None:
        raise SystemExit("there is no program octave on this machine")
    draw = random.Random(given.seed)
    snippets = [snippet(draw) for _ in range(given.snippets)]
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for texts, before in ((snippets, GIVEN), (list(PROGRAMS.values()), "")):
        for text, theirs in zip(texts, by_octave(texts, before), strict=True):
            found = difference(text, theirs, before)
            if found.startswith("not read"):
                counts["not read"] += 1
                reasons[found] += 1
            elif found:
                counts["different"] += 1
                print(f"{text}\n    {found}")
            else:
                counts["failed in both" if isinstance(theirs, str) else "the same"] += 1
    print(f"{given.snippets} snippets and {len(PROGRAMS)} programs: {dict(counts)}")
    for reason, count in reasons.most_common(12):
        print(f"    {count}  {reason[:150]}")


if __name__ == "__main__":
    main()
