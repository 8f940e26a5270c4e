"""How much a file may make us allocate, asked before anything is allocated."""

from __future__ import annotations

from jacobians.arrays import format_bytes
from jacobians.errors import DataError

__all__ = ["DEFAULT_LIMIT", "check_limit"]

DEFAULT_LIMIT = 1 << 30


def check_limit(needed: int, limit: int, operation: str, what: str) -> None:
    """Raise if `what` needs more bytes than the limit.

    Raises
    ------
    DataError
        Naming both sizes and the argument that raises the limit.
    """
    if needed > limit:
        raise DataError(
            f"{operation}: {what} needs {format_bytes(needed)}, over the limit of {format_bytes(limit)}; "
            f"pass limit={needed} or more if you trust the file"
        )
