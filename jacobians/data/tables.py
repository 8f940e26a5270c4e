"""Tables in text: columns of numbers or of words, with or without a line of names."""

from __future__ import annotations

import csv
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import pairwise
from typing import IO

import numpy as np

from jacobians.arrays import Array
from jacobians.data.guards import bytes_in, check_limit
from jacobians.errors import DataError

# Splitting a line makes one string a cell, some fifty times its text: one endless line must not be split.
_LONGEST_LINE = 1 << 22

_MOST_COLUMNS = 100_000
"""Each column is looked at by itself: so many take seconds, a million a minute."""

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_WORD = re.compile(r"[^\W\d_]|[<>(\[{\"'*]")
"""How a cell of words begins: digits, signs and dots begin numbers, and a number with a slip must not become a word."""
_WORD_BYTES = 150
"""What a short string and its place in a dict cost, about."""
_MISSING = {"", "?", "na", "n/a", "nan", "null", "none", "missing"}

_NIST = "NIST/ITL StRD"


def read_table(file: IO[bytes], name: str, limit: int) -> dict[str, Array]:
    """Return the columns by name, or all of a table of numbers without names as one (N, C) array "data".

    Cells are separated by tabs, semicolons, commas or blanks, whichever the first line has outside of quotes, in this
    order. Empty lines and lines that begin with ``#`` or ``%`` are skipped. The first line is a line of names if none
    of its cells is a number. A column whose cells are words is an array of strings, and then columns without names are
    called "1", "2", …. Commas may set off thousands, as in ``"1,200"``. A data set of NIST's StRD collection is read
    from the lines that its head names. At most 100,000 columns are read.
    """
    check_limit(bytes_in(file), limit, f"read_arrays: {name}")
    names: list[str] = []
    separator, where = " ", ""
    table: _Cells | None = None
    with TextIOWrapper(file, encoding="utf-8-sig") as text:
        for number, line in _rows(text, name):
            where = f"read_arrays: {name}, line {number}"
            first = table is None
            if first:
                bare = re.sub(r'"[^"]*"|\'[^\']*\'', "", line)
                separator = next((mark for mark in "\t;," if mark in bare), " ")
            cells = _cells(line, separator, where)
            if first and len(cells) > _MOST_COLUMNS:
                raise DataError(
                    f"{where} has {len(cells)} cells, over the limit of {_MOST_COLUMNS} columns; save the numbers by "
                    "numpy.save, whose files are read at once"
                )
            if first:
                table = _Cells(len(cells), separator, f"read_arrays: {name}", limit)
                if not any(table.number(cell) is not None for cell in cells):
                    names = _names(cells, where)
                    continue
            assert table is not None
            table.add(cells, where, named=bool(names))
    if table is None or not table.values:
        raise DataError(f"read_arrays: {name} has no rows of numbers")
    return table.arrays(names)


class _Cells:
    """The cells of a table, row by row: numbers, and for words the place of each among the different ones."""

    def __init__(self, width: int, separator: str, what: str, limit: int) -> None:
        self.width, self.separator, self.what, self.limit = width, separator, what, limit
        self.values = array("d")
        self.words: dict[int, dict[str, int]] = {}
        """By column of words, the different words and their places."""
        self.complaints: dict[int, str] = {}
        """About the first word of each such column, for the case that its other cells are numbers."""
        self.memory = 0

    def add(self, cells: list[str], where: str, *, named: bool) -> None:
        """Add a row."""
        if len(cells) != self.width:
            raise DataError(
                f"{where} has {len(cells)} cells, the lines before it have {self.width}{self._split(cells)}"
            )
        first, start = not self.values, len(self.values)
        try:
            # float() takes 1_000 for a number, a table does not.
            self.values.extend(map(float, cells if "_" not in "".join(cells) else map(_without_underscore, cells)))
        except ValueError:
            del self.values[start:]
            self.values.extend(self._value(column, cell, where, first, named) for column, cell in enumerate(cells, 1))
        else:
            for complaint in self.complaints.values():
                raise DataError(complaint)
        check_limit(self.values.itemsize * len(self.values) + self.memory, self.limit, self.what)

    def number(self, cell: str) -> float | None:
        """Return the number in a cell, or None."""
        try:
            return float(_without_underscore(cell))
        except ValueError:
            pass
        # where semicolons separate cells, a comma may also be a decimal comma
        if self.separator != ";" and _THOUSANDS.fullmatch(cell.strip()):
            return float(cell.replace(",", ""))
        return None

    def arrays(self, names: list[str]) -> dict[str, Array]:
        """Return the columns by name, or the one table "data"."""
        table = np.frombuffer(self.values, dtype=np.float64).reshape(-1, self.width)
        if not names and not self.words:
            return {"data": table}
        names = names or [str(place) for place in range(1, self.width + 1)]
        return {name: self._column(table[:, place - 1], place) for place, name in enumerate(names, 1)}

    def _column(self, column: Array, place: int) -> Array:
        if place not in self.words:
            return column.copy()
        words = list(self.words[place])
        # every entry of an array of strings has room for the longest
        check_limit(4 * max(map(len, words)) * len(column), self.limit, self.what)
        return np.array(words)[column.astype(np.intp)]

    def _value(self, column: int, cell: str, where: str, first: bool, named: bool) -> float:
        found, word = self.number(cell), cell.strip()
        if first and found is None and _WORD.match(word) and word.lower() not in _MISSING:
            self.words[column] = {}
            self.complaints[column] = self._complaint(column, cell, where, not named)
        if column not in self.words:
            if found is None:
                raise DataError(self._complaint(column, cell, where, first and not named))
            return found
        if found is not None:
            raise DataError(self.complaints[column])
        if word.lower() in _MISSING:
            raise DataError(
                f"{where}, column {column}: {_shown(cell)} is no word; leave such lines out or fill them in"
            )
        known = self.words[column]
        if word not in known:
            known[word] = len(known)
            self.memory += _WORD_BYTES + 4 * len(word)
        return float(known[word])

    def _complaint(self, column: int, cell: str, where: str, may_be_name: bool) -> str:
        word = cell.strip()
        hint = " (a line of names has no numbers among them)" if may_be_name else ""
        if word and word.lower() in _MISSING:
            hint = "; leave such lines out or fill them in"
        elif self.separator == ";" and _THOUSANDS.fullmatch(word):
            hint = f"; write {word.replace(',', '')} or {word.replace(',', '.')}, whichever is meant"
        elif _DECIMAL_COMMA.fullmatch(word):
            hint = f"; write {word.replace(',', '.')}, with a point before the decimals"
        return f"{where}, column {column}: {_shown(cell)} is not a number{hint}"

    def _split(self, cells: list[str]) -> str:
        """A hint where a number was cut at the commas between its thousands."""
        pairs = (",".join(pair).strip() for pair in pairwise(cells))
        cut = next((pair for pair in pairs if _THOUSANDS.fullmatch(pair)), None)
        if self.separator != "," or len(cells) < self.width or cut is None:
            return ""
        return f'; quote a number such as "{cut}", or leave out its comma'


def _without_underscore(cell: str) -> str:
    return cell.replace("_", "?")


def _shown(cell: str) -> str:
    cell = cell.strip()
    return repr(cell if len(cell) <= 40 else cell[:40] + "…") if cell else "an empty cell"


def _rows(file: TextIOWrapper, name: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of the table with their numbers: all, or those that the head of a NIST data set names."""
    lines = _lines(file, name)
    first = last = 0
    head: list[tuple[int, str]] = []
    for number, line in lines:
        head.append((number, line))
        if not head[0][1].startswith(_NIST) or number > 40:
            break
        found = re.search(r"Data +\(lines +(\d+) +to +(\d+)\)", line)
        if found:
            first, last = int(found[1]), int(found[2])
            break
    if not first:
        yield from head
        yield from lines
        return
    for number, line in lines:
        if number == first - 1:
            yield number, line.partition(":")[2]
        elif first <= number <= last:
            yield number, line


def _lines(file: TextIOWrapper, name: str) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        while line := file.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE and not line.endswith("\n"):
                raise DataError(f"read_arrays: {name}, line {number} is longer than {_LONGEST_LINE} characters")
            line = line.rstrip("\r\n")
            if line.strip() and not line.lstrip().startswith(("#", "%")):
                yield number, line
    except UnicodeDecodeError as error:
        raise DataError(f"read_arrays: {name} is not UTF-8 text near line {number + 1}; save it as UTF-8") from error


def _cells(line: str, separator: str, where: str) -> list[str]:
    if separator == " ":
        line = re.sub(r"\s", " ", line.strip())
    quote = '"' if '"' in line else "'"
    try:
        return next(csv.reader([line], delimiter=separator, quotechar=quote, skipinitialspace=True))
    except csv.Error as error:
        raise DataError(f"{where} has no readable cells: {error}") from error


def _names(cells: list[str], where: str) -> list[str]:
    names = [cell.strip() or f"column{place}" for place, cell in enumerate(cells, 1)]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(f"{where} names {name!r} twice; give every column its own name")
    return names
