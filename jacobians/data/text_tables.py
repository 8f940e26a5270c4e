"""Tables of numbers in text: ``.csv`` and ``.txt``, with or without a line of names."""

from __future__ import annotations

import csv
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from jacobians.arrays import Array
from jacobians.data.size_limit import check_limit
from jacobians.errors import DataError

__all__ = ["read_table"]

# Splitting a line makes one string a cell, some fifty times its text: one endless line must not be split.
_LONGEST_LINE = 1 << 22


def read_table(path: Path, limit: int) -> dict[str, Array]:
    """Return the columns by name, or all of a table without names as one (N, C) array "data".

    Cells are separated by tabs, semicolons, commas or blanks, whichever the first line has, in this
    order. Empty lines and lines that begin with ``#`` or ``%`` are skipped. The first line is a line of
    names if none of its cells is a number.
    """
    check_limit(path.stat().st_size, limit, "read_arrays", path.name)
    names: list[str] | None = None
    width = 0
    separator: str | None = None
    values = array("d")
    with path.open(encoding="utf-8-sig") as file:
        for number, line in _lines(file, path.name):
            where = f"{path.name}, line {number}"
            first = not width
            if first:
                separator = next((mark for mark in "\t;," if mark in line), None)
            cells = line.replace('"', "").split(separator)
            if first:
                width = len(cells)
                if not any(map(_is_number, cells)):
                    names = _names(line, separator, where)
                    width = len(names)
                    continue
            if len(cells) != width:
                raise DataError(f"read_arrays: {where} has {len(cells)} cells, the lines before it have {width}")
            try:
                # float() takes 1_000 for a number, a table does not.
                values.extend(map(float, cells if "_" not in line else [c.replace("_", "?") for c in cells]))
            except ValueError:
                raise _not_a_number(cells, where, first) from None
            check_limit(values.itemsize * len(values), limit, "read_arrays", path.name)
    if not values:
        raise DataError(f"read_arrays: {path.name} has no rows of numbers")
    table = np.array(values, dtype=np.float64).reshape(-1, width)
    if names is None:
        return {"data": table}
    return {name: table[:, column].copy() for column, name in enumerate(names)}


def _lines(file: TextIO, name: str) -> Iterator[tuple[int, str]]:
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


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _not_a_number(cells: list[str], where: str, first: bool) -> DataError:
    column, cell = next((place, cell) for place, cell in enumerate(cells, 1) if not _is_number(cell))
    cell = cell.strip()
    shown = repr(cell if len(cell) <= 40 else cell[:40] + "…") if cell else "an empty cell"
    hint = " (a line of names has no numbers among them)" if first else ""
    return DataError(f"read_arrays: {where}, column {column}: {shown} is not a number{hint}")


def _names(line: str, separator: str | None, where: str) -> list[str]:
    quote = '"' if '"' in line else "'"
    try:
        row = next(csv.reader([line.strip(" ")], delimiter=separator or " ", quotechar=quote, skipinitialspace=True))
    except csv.Error as error:
        raise DataError(f"read_arrays: {where} is not a line of names: {error}") from error
    names = [name.strip() or f"column{place}" for place, name in enumerate(row, 1)]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(f"read_arrays: {where} names {name!r} twice; give every column its own name")
    return names
