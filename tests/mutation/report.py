"""The result as a page of documentation."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.mutation.equivalents import reason
from tests.mutation.scope import MODULES

HEAD = """# The library put through its own check

A law that cannot fail proves nothing, and a wrong rule that no law notices is a hole. So wrong rules are seeded into
the library itself: into every operation's value and derivative, every rule of the algebra, every structure's actions
and views, one change of one function at a time. Signs and operators are swapped, factors and terms dropped,
transposes left out, axes, sides, branches and arguments exchanged, comparisons shifted by one, constants changed,
cases of a `match` and statements removed. Each mutant runs against a battery built on the laws of
`jacobians.testing`: dense twins, textbook values, and the limits that random inputs do not reach.

    python -m tests.mutation                                 # everything: about half an hour
    python -m tests.mutation --module linops.algebra         # one module
    python -m tests.mutation --quick                         # every tenth mutant
    python -m tests.mutation --json FILE --again             # only what is new, or left unexplained
    python -m tests.mutation --json FILE --report docs/mutation.md

"""

SCOPE = """
Left out are what only prints (`structure`, `repr`), what a structure counts (`flops`, `nbytes`: a wrong price gives
another bracketing of the same product), refusals and their messages, and constants at the top of a module. Tests of
their own hold those. "By an error" means that the mutant stopped with another error than a law's, most often a shape
that no longer fits; "operation" that this happened before it was known in which of the ten laws.

"""

HOLES = """
## Holes that survivors showed, and the checks that closed them

| survived | because | closed by |
|---|---|---|
| a hinge that subtracts the largest active class, not their sum | the cases had two classes | several classes ahead |
| a hinge that counts a tie with the true class as 1 | no tie in random scores | a tie, written out |
| `L2` that forgets its layout | the textbook asked the operation for its layout | sums written out in each layout |
| names and owners of parameters in networks | every law took the names as they came | names written out |
| Jacobians that are not put in the layout | the targets differed in batch, weights and bias only | every layout |
| labels that are no class, lists, float labels, complex targets | random targets are well-formed | every kind |
| a loss of float32 scores and float64 targets in float64 | law 10 casts all inputs together | inputs of two dtypes |
| a float32 bias addition that narrows a float64 bias | law 10 casts all inputs together | inputs of two dtypes |
| scalars that come back as NumPy scalars | cases had rank 1 or more | arrays of rank 0, and empty ones |
| softmax of infinite logits | random logits are finite | limits, written out |
| a chain whose last part names its input otherwise | both ends had the same names | MatMul, then Tanh |
| sums over one long example in float32 | the cases are short | 2²⁴ and six ones, with a short block |
| large products, multiplied as their transposes | the cases are small | the limit lowered, sizes at it |
| slabs that leave out rows, where a row has few bytes | rows were long | a hundred rows of one entry |
| the way of an outer product, the order of A X Bᵀ | every way gives the same numbers | ways are counted |
| a border of ones beside the data | no case had one | borders among the cases |
| the blocks of a product | two laws had one name, and one of them was not run | every law by a name of its own |
| prices of bracketings | they were left out | every bracketing of 400 chains, one by one |
| the weight of a part of a batch | no part was asked for | a quarter of a batch |
| the second derivative of a loss of labels | the labels that were drawn add up to 1 | labels that do not |
| chains that look like those of a rule | drawn with the rule in mind | ends of other shapes, rows of more blocks |
| inner products of narrow rows, reordered by a wide factor | one dtype | a narrow matrix, a wide permutation |

## What it showed in the package

- Dead code, gone since: a first result of the softmax that nobody read, a test of the rank of blocks against a
  Kronecker product, which gives matrices, and a broadcast of a row-wise factor to the shape that it had.
- Gone too: two questions after ranks in the kernels, and one after the shape of a product's diagonal, which were
  answered already, and a bound on the cost of a bracket that read the same sizes twice.
- `DiagonalMinusOuter` of a float64 diagonal and float32 vectors acts in float64, but its dense and sparse views round
  the outer product to float32.
- Said twice: `Y.shape != X.shape` in `_unit_targets`, the cast of the hinge's own score under NumPy 2, and
  `self.layout or Layout()` in `Parallel`.
"""

SURVIVORS = """
## Survivors

Mutants that no check can catch, because they change nothing that could be seen. Their reasons stand in
`tests/mutation/equivalent_*.py`.

"""


def page(verdicts: dict[str, Any]) -> str:
    """The page in Markdown: the table by module, the laws, the survivors with their reasons."""
    lines = [HEAD.strip(), "", "| module | mutants | caught | equivalent | unexplained |", "|---|--:|--:|--:|--:|"]
    lines += [_row(module, {n: v for n, v in verdicts.items() if n.startswith(f"{module}: ")}) for module in MODULES]
    lines += [
        _row("**all**", verdicts),
        SCOPE.rstrip(),
        "",
        "| caught by | mutants | of them by an error |",
        "|---|--:|--:|",
    ]
    plain = Counter(v["law"] for v in verdicts.values() if v["law"])
    laws = Counter(law.removesuffix(", by an error") for law in plain.elements())
    lines += [f"| {law} | {count} | {plain[law + ', by an error']} |" for law, count in laws.most_common()]
    lines += [HOLES.rstrip(), SURVIVORS.rstrip(), ""]
    left = [name for name, v in verdicts.items() if not v["law"]]
    grouped: dict[str, list[str]] = {}
    for name in left:
        grouped.setdefault(reason(name) or "not explained", []).append(name)
    for why, names in sorted(grouped.items(), key=lambda item: -len(item[1])):
        lines += [f"**{why}** ({len(names)})", "", *(f"- {_shown(name)}" for name in names), ""]
    return "\n".join(lines).rstrip() + "\n"


def _row(module: str, verdicts: dict[str, Any]) -> str:
    caught = sum(bool(v["law"]) for v in verdicts.values())
    explained = sum(not v["law"] and bool(reason(n)) for n, v in verdicts.items())
    return f"| {module} | {len(verdicts)} | {caught} | {explained} | {len(verdicts) - caught - explained} |"


def _shown(name: str) -> str:
    """A mutant on one line of 120."""
    module, function, change = name.split(": ", 2)
    where = f"{module.rpartition('.')[2]}.{function}"
    room = 112 - len(where)
    return f"{where}: `{change if len(change) <= room else change[: room - 1] + '…'}`"
