"""What every reader of files asks first: does a promise fit the byte limit, and is a failure said as one line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from jacobians.arrays import Array, format_bytes
from jacobians.errors import DataError

DEFAULT_LIMIT = 1 << 30

_MOST_SHOWN = 12

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def describe(arrays: dict[str, Array]) -> str:
    """Return the names and shapes as an error shows them.

    Examples
    --------
    >>> import numpy as np
    >>> describe({"X": np.zeros((12, 1)), "y": np.zeros(12)})
    'X (12, 1), y (12,)'
    """
    shown = [f"{name} {array.shape}" for name, array in arrays.items()]
    more = [f"and {len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
    return ", ".join(shown[:_MOST_SHOWN] + more) or "no arrays"


def check_limit(needed: int, limit: int, what: str) -> None:
    """Raise if `what` needs more bytes than the limit. This is checked before anything is allocated.

    Raises
    ------
    DataError
        Naming both sizes and the argument that raises the limit.
    """
    if needed > limit:
        raise DataError(
            f"{what} needs {format_bytes(needed)}, over the limit of {format_bytes(limit)}; "
            f"pass limit={needed} or more if you trust the file"
        )


def bytes_in(file: IO[bytes]) -> int:
    """Return how many bytes an open file has."""
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size


def printable(text: str) -> str:
    r"""Return a text with its control characters written out, so that a name in a file cannot command a terminal.

    Examples
    --------
    >>> print(printable("\x1b[31mW1"))
    \x1b[31mW1
    """
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


@contextmanager
def refused_as(what: str) -> Iterator[None]:
    """Refuse the file, whatever goes wrong while it is read."""
    try:
        yield
    except DataError:
        raise
    # NumPy, SciPy, zipfile and zlib list no errors: each raises what a malformed byte happens to lead to
    except Exception as error:
        raise DataError(f"read_arrays: {what}: {error}") from error
