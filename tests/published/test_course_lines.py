"""The audit of the lines that courses print: how many it reads, no false verdict, and the right slip first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from jacobians import Network
from jacobians.auditing import Audit, audit
from jacobians.errors import FormulaError
from tests.published.course_lines import SOURCES, Line
from tests.published.course_lines_page import PAGE, page
from tests.published.course_settings import SETTINGS
from tests.published.plain_networks import Plain, plain
from tests.published.slipped_lines import SLIPPED

STRENGTH = 0.3
LINES = [line for source in SOURCES for line in source.lines]


@cache
def network(setting: str, l2: float) -> Network:
    return SETTINGS[setting].network(l2)


def audited(line: Line) -> Audit | None:
    """What the audit says of a line, as its reader would ask; None where it does not read it.

    A wrong line is asked of a network, for which the audit does not look where else it would be right.
    """
    setting, l2 = SETTINGS[line.setting], STRENGTH * line.regularised
    try:
        if setting.is_dense and line.slip is None:
            return audit(line.text, **setting.choices(), where=line.where)
        return audit(line.text, network(line.setting, l2), examples=setting.examples, where=line.where)
    except FormulaError:
        return None


# --- the expected verdicts -------------------------------------------------------------------------------


@cache
def batch(setting: str, l2: float) -> Plain:
    return plain(SETTINGS[setting], l2)


_TARGET = re.compile(r"(?:self\.)?(?:grads\[['\"](\w+)['\"]\]|(\w+))")
_NUMPY = re.compile(r"np\.|\.T\b|\.dot\(|@|\*\*|\.sum\(")
_OTHER = re.compile(r"\\|\.\*|'|\^|for i|:end")


def runnable(line: Line) -> str:
    """The line as a program, or nothing."""
    if line.code:
        return line.code
    other = _OTHER.search(line.text) and not re.search(r"grads\['|einsum", line.text)
    return "" if other or line.unread else line.text.replace("self.", "")


def comes_to(line: Line) -> bool | None:
    """Whether a line computes what it says, by central differences; None where it is no program."""
    code = runnable(line)
    if not code:
        return None
    found = batch(line.setting, STRENGTH * line.regularised)
    names = found.namespace()
    for name, text in line.where.items():
        names[name] = eval(text, {}, names)
    in_dict, plain_name = _TARGET.match(code.splitlines()[-1]).groups()
    truth = names[plain_name] if plain_name in line.where else found.truth(f"d{in_dict}" if in_dict else plain_name)
    truth = np.array(truth)
    try:
        exec(code, {}, names)
    except ValueError:
        return False
    value = np.asarray(names["grads"][in_dict] if in_dict else names[plain_name])
    if value.size != truth.size or max(value.shape, default=1) != max(truth.shape, default=1):
        return False
    return bool(np.allclose(value.reshape(truth.shape), truth, rtol=1e-6, atol=1e-7))


@pytest.mark.parametrize("line", [*LINES, *SLIPPED], ids=lambda line: f"{line.setting}: {line.text}")
def test_expected_verdicts(line: Line) -> None:
    assert comes_to(line) in (None, line.slip is None)


def test_most_verdicts_are_checked() -> None:
    assert sum(bool(runnable(line)) for line in LINES) >= 0.9 * len(LINES)


# --- mutants ---------------------------------------------------------------------------------------------

MUTATIONS = (
    (r"\.T\b", ""),
    (r"np\.dot\(([^,()]+(?:\.T)?), ([^,()]+(?:\.T)?)\)", r"np.dot(\2, \1)"),
    (r"np\.dot\(([^,()]+(?:\.T)?), ([^,()]+(?:\.T)?)\)", r"(\1 * \2)"),
    (r"axis ?= ?0", "axis=1"),
    (r"axis ?= ?1", "axis=0"),
    (r"\b1\.? ?/ ?m ?\*", ""),
    (r" ?/ ?m\b", ""),
    (r"np\.sum\(", "np.mean("),
    (r" - ", " + "),
    (r"= (?=\w)", "= -"),
    (r"(?<= )(\w+)1\b", r"\g<1>2"),
    (r"A2 > 0", "A1 > 0"),
    (r"<= 0\] = 0", "<= 0] = 1"),
    (r"= (\w)", r"= 2 * \1"),
    (r"2 ?\* ?reg", "reg"),
    (r"reg ?\* ?W", "reg*2*W"),
    (r" \+ lambd.*$", ""),
    (r"\*\* ?2|, 2\)\)$", ""),
)


def mutants(line: Line) -> Iterator[Line]:
    """The line with one place of its last row changed; some changes leave it right."""
    if not runnable(line) or line.code or line.slip is not None:
        return
    *before, last = line.text.split("\n")
    for pattern, by in MUTATIONS:
        changed = re.sub(pattern, by, last, count=1)
        if changed != last:
            yield replace(line, text="\n".join([*before, changed]), slip="")


@pytest.mark.slow
@pytest.mark.parametrize("setting", sorted({line.setting for line in LINES}))
def test_mutants_have_the_verdict_that_their_value_has(setting: str) -> None:
    """A change of a line is right if it computes the same by NumPy itself, and else wrong or not read."""
    false = []
    for line in (mutant for own in LINES if own.setting == setting for mutant in mutants(own)):
        try:
            right = comes_to(line)
        except (SyntaxError, TypeError, NameError, IndexError, KeyError):
            continue
        found = audited(line)
        if found is not None and bool(found) != right:
            false.append(f"{line.text}: {found.verdict}, but it is {'right' if right else 'wrong'}")
    assert false == []


# --- the audit -------------------------------------------------------------------------------------------


@cache
def verdicts() -> tuple[Audit | None, ...]:
    """Of every line."""
    return tuple(audited(line) for line in LINES)


@cache
def slipped_verdicts() -> tuple[Audit | None, ...]:
    """Of every slipped variant."""
    return tuple(audited(line) for line in SLIPPED)


def shown(lines: Iterable[Line]) -> str:
    return "\n".join(f"{line.setting}: {line.text}" for line in lines)


def test_enough_lines_from_enough_sources() -> None:
    assert len(LINES) >= 120
    assert len(SOURCES) >= 12
    assert len(SLIPPED) >= 60
    assert len({(line.setting, line.text) for line in [*LINES, *SLIPPED] if not line.regularised}) >= 180


def test_lines_are_read() -> None:
    """At least 95 %, and each of the others is known, with the reason."""
    unread = [line for line, found in zip(LINES, verdicts(), strict=True) if found is None]
    assert not shown(line for line in unread if not line.unread)
    assert not shown(line for line in LINES if line.unread and line not in unread)
    assert len(unread) <= 0.05 * len(LINES)


def test_no_false_verdict() -> None:
    false = [
        line
        for line, found in zip([*LINES, *SLIPPED], [*verdicts(), *slipped_verdicts()], strict=True)
        if found is not None and bool(found) != (line.slip is None)
    ]
    assert not shown(false)


def test_printed_slips_are_named() -> None:
    named = [(line, found.slip) for line, found in zip(LINES, verdicts(), strict=True) if found and line.slip]
    assert [f"{line.text}: {slip}" for line, slip in named if slip != line.slip] == []


def test_slipped_variants_are_wrong_and_most_slips_come_first() -> None:
    found = list(zip(SLIPPED, slipped_verdicts(), strict=True))
    wrong = [(line, audit_) for line, audit_ in found if audit_ is not None and not audit_]
    assert len(wrong) >= 0.95 * len(SLIPPED)
    single = [(line, audit_) for line, audit_ in found if line.slip]
    first = [line for line, audit_ in single if audit_ is not None and audit_.slip == line.slip]
    assert len(first) >= 0.85 * len(single), shown(line for line, _ in single if line not in first)


def test_the_page_is_up_to_date() -> None:
    """If not: python -m tests.published.course_lines_page."""
    assert PAGE.read_text(encoding="utf-8") == page(verdicts(), slipped_verdicts())
