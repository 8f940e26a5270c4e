"""A file that is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["whole_file"]


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes its name when it is whole: after an error, nothing of it is left.

    What is written lies beside it until then. Devices and pipes are written to as they are.
    """
    file = Path(path)
    if file.exists() and not file.is_file():
        with file.open("wb") as opened:
            yield opened
        return
    target = Path(os.path.realpath(file))  # a link stays one
    beside = target.with_name(f".{target.name[:200]}.{os.getpid()}")
    try:
        with beside.open("xb") as opened:
            yield opened
        if target.exists():
            beside.chmod(target.stat().st_mode)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
