"""A checkpoint: arrays in an ``.npz`` file, which is complete or absent; the previous one is kept."""

from __future__ import annotations

import os
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import DataError
from jacobians.whole_files import whole_file

__all__ = ["Checkpoint"]

_OF = "checkpoint of"


class Checkpoint:
    """A file that holds the state of interruptible work, from which the work continues.

    Parameters
    ----------
    path : str or path
        A ``.npz`` file. The one before lies beside it, with ``.before`` in its name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = Checkpoint(f"{folder}/sum.npz")
    ...     kept.save("a sum", {"W": np.ones(2)})
    ...     kept.load("a sum"), kept.load("another sum")
    ({'W': array([1., 1.])}, None)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.suffix != ".npz":
            raise DataError(f"checkpoint: {self.path} must end with .npz")
        self.before = self.path.with_suffix(".before.npz")

    def save(self, work: str, arrays: Mapping[str, Array]) -> None:
        """Write the state of a piece of work; where that fails, as on a full disk, warn, and leave the last one there.

        Parameters
        ----------
        work : str
            What tells this work from any other.
        arrays : dict of ndarray
        """
        try:
            with whole_file(self.path.with_suffix(".next.npz")) as opened:
                entries: dict[str, Any] = {_OF: np.array(work), **arrays}
                np.savez(opened, **entries)
            if self.path.exists() and self._read(self.path) is not None:
                self.path.replace(self.before)
            self.path.with_suffix(".next.npz").replace(self.path)
        except OSError as error:
            warnings.warn(
                f"checkpoint: {self.path} cannot be written: {error.strerror}; the work goes on, and the last "
                "checkpoint stays",
                RuntimeWarning,
                stacklevel=2,
            )

    def load(self, work: str) -> dict[str, Array] | None:
        """Return the last complete state of a piece of work; None if there is none, or if it belongs to other work."""
        for path in (self.path, self.before):
            if not path.exists():
                continue
            arrays = self._read(path)
            if arrays is None:
                warnings.warn(f"checkpoint: {path} is not whole and is not used", RuntimeWarning, stacklevel=2)
            elif str(arrays.pop(_OF, "")) == work:
                return arrays
        return None

    def remove(self) -> None:
        """Remove the files: the work is done."""
        self.path.unlink(missing_ok=True)
        self.before.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Array] | None:
        """The arrays of a file; None if it is cut off or damaged, as the check sums of a zip archive show."""
        try:
            # a file that NumPy opens itself stays open where it is damaged
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
                return dict(archive.items())
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
            return None
