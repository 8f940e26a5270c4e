"""Sentences of the documentation are short; and the measure of it measures what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import jacobians
from tests.docs.readability import LONGEST, MEAN, PAGES, ROOT, lengths, mean, sentences

NO_PROSE = {"benchmark-figures.md"}  # tables of one run, with the versions of everything above each

READ_TWICE = re.compile(
    r"comes it\b|come it\b|\bbe it\b|\bis told by|\bare told by|no more lends|it is said how|whoever asks|\bnamed so\b"
    r"|gradients are one[,.]|the same one,|as it stands?, said",
    re.IGNORECASE,
)
"""Turns of phrase that readers had to read twice, when they were asked."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sentences_are_short(page: Path) -> None:
    if page.name not in NO_PROSE:
        assert mean(page) <= MEAN
        too_long = [sentence for count, sentence in lengths(page) if count > LONGEST]
        assert not too_long, f"{len(too_long)} sentences of more than {LONGEST} words, the first: {too_long[0]}"


def test_no_phrase_has_to_be_read_twice() -> None:
    package = Path(jacobians.__file__).parent
    for path in [*PAGES, ROOT / "CHANGELOG.md", *sorted(package.rglob("*.py"))]:
        if found := READ_TWICE.search(" ".join(path.read_text(encoding="utf-8").split())):
            raise AssertionError(f"{path.name}: {found.string[max(found.start() - 60, 0) : found.end() + 60]}")


def test_what_is_no_prose_is_left_out() -> None:
    text = "# A title of four\n\nOne two three. Four `five six` seven\neight!\n\n"
    text += "- an item of five words\n- and a second\n\n"
    code = "```python\n>>> not a word of this\n```\n\n| nor | of | this |\n\n[a link](of-one.md) and more\n"
    assert list(sentences(text + code)) == [
        "One two three.",
        "Four X seven eight!",
        "an item of five words",
        "and a second",
        "a link and more",
    ]
