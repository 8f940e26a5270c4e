"""Parquet files as batches: a row group is a block."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from jacobians.arrays import Array, counted
from jacobians.batches.blocks import stamp
from jacobians.errors import DataError, MissingExtraError

__all__ = ["ParquetBlocks"]


class ParquetBlocks:
    """Blocks of a Parquet file: its row groups, which its writer chose; examples are rows.

    Parameters
    ----------
    path : str or path
    target : str or sequence of str
        The column of the labels, (N,), or several columns of real targets, (N, M).
    features : sequence of str, optional
        All other columns unless given.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    DataError
        If the file cannot be read, has no such column, or a column holds something else than numbers.

    Examples
    --------
    >>> ParquetBlocks("flowers.parquet", target="species")          # doctest: +SKIP
    ParquetBlocks(flowers.parquet: 150 examples in 3 row groups, 4 features)
    """

    def __init__(
        self, path: str | os.PathLike[str], target: str | Sequence[str], features: Sequence[str] | None = None
    ) -> None:
        self.path = os.fspath(path)
        self._one = isinstance(target, str)
        self.targets = (target,) if isinstance(target, str) else tuple(target)
        with _opened(self.path) as file:
            names = file.schema_arrow.names
            rest = [name for name in names if name not in self.targets]
            self.features = tuple(rest if features is None else features)
            missing = [name for name in (*self.targets, *self.features) if name not in names]
            if missing:
                raise DataError(f"ParquetBlocks: {self.path} has no column {missing[0]!r}; it has {', '.join(names)}")
            self._groups = file.num_row_groups
            self._count = file.metadata.num_rows
        self._stamp = stamp(self.path)

    @property
    def count(self) -> int:
        """The number of examples in all blocks."""
        return self._count

    def __len__(self) -> int:
        return self._groups

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        if not 0 <= index < self._groups:
            raise IndexError(f"ParquetBlocks: there is no row group {index}; there are {self._groups}")
        if stamp(self.path) != self._stamp:
            raise DataError(f"ParquetBlocks: {self.path} changed while it was in use")
        with _opened(self.path) as file:
            table = file.read_row_group(index, columns=[*self.features, *self.targets])
        X = np.column_stack([self._column(table, name) for name in self.features])
        Y = [self._column(table, name) for name in self.targets]
        return X, Y[0] if self._one else np.column_stack(Y)

    def _column(self, table: Any, name: str) -> Array:
        column = table.column(name)
        if column.null_count:
            missing = counted(column.null_count, "missing entry", "missing entries")
            raise DataError(
                f"ParquetBlocks: {self.path}: column {name!r} has {missing}; fill them in, or drop the rows"
            )
        array = np.asarray(column.to_numpy())
        if array.dtype.kind not in "biuf":
            raise DataError(f"ParquetBlocks: {self.path}: column {name!r} holds {array.dtype}; expected numbers")
        return array

    def __repr__(self) -> str:
        return (
            f"ParquetBlocks({os.path.basename(self.path)}: {counted(self._count, 'example')} in "
            f"{counted(self._groups, 'row group')}, {counted(len(self.features), 'feature')})"
        )


def _opened(path: str) -> Any:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise MissingExtraError("Parquet files need pyarrow, which is not installed: pip install pyarrow") from None
    try:
        return ParquetFile(path)
    except (OSError, ArrowInvalid) as error:
        raise DataError(f"ParquetBlocks: {path} cannot be read: {error}") from None
