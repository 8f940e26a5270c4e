"""How long sentences are: words per sentence on each page, and the longest sentences.

``python -m tests.docs.readability`` prints a line for each page, and the ten longest sentences of all;
``python -m tests.docs.readability README.md docs/graphs.md`` prints the sentences of these pages that are too long.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

MEAN, LONGEST = 22, 45
"""The most words a sentence that a page has on average, and the most that any sentence has."""


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a page, without code, tables and headings; each list item is a paragraph of its own."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^ *(`{3,}|~{3,}|:{3,})[^\n]*\n(.*?\n)??^ *\1 *$", "\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^( *\||#|!\[|\(\w+\)=|    \S|:\w+:|:::).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`]*`|\$[^$]*\$", "X", text)
    for paragraph in re.split(r"\n\s*\n|\n *(?=[-*] |\d+\. )", text):
        words = " ".join(re.sub(r"^\s*([-*]|\d+\.) ", "", paragraph).split())
        for sentence in re.split(r"(?<=[.!?])[*_\")]*\s+(?=[*_\"(]*[A-ZΘδ∂0-9X])", words):
            if len(count_words(sentence)) >= 3:
                yield sentence


def count_words(sentence: str) -> list[str]:
    """Return what counts as a word: whatever has a letter or a digit."""
    return [word for word in sentence.split() if re.search(r"\w", word)]


def lengths(page: Path) -> list[tuple[int, str]]:
    """Return every sentence of a page, with its number of words."""
    return [(len(count_words(s)), s) for s in sentences(page.read_text(encoding="utf-8"))]


def mean(page: Path) -> float:
    """Return a page's words a sentence."""
    found = [count for count, _ in lengths(page)]
    return sum(found) / max(len(found), 1)


def main(names: list[str]) -> None:
    """Print the table of all pages, or the long sentences of some."""
    if names:
        for name in names:
            for count, sentence in sorted(lengths(ROOT / name), reverse=True):
                if count > LONGEST:
                    print(f"{name}: {count}: {sentence}")
        return
    everything = []
    for page in PAGES:
        found = lengths(page)
        everything += [(count, page.name, sentence) for count, sentence in found]
        print(f"{page.relative_to(ROOT)!s:40} {len(found):4} sentences  {mean(page):5.1f} words")
    print()
    for count, name, sentence in sorted(everything, reverse=True)[:10]:
        print(f"{count} {name}: {sentence}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
