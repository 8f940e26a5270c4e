"""Batches that kill the process that reads one of their blocks, once."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Killer:
    """The blocks of other batches; `marker` is the file that says that a process was killed."""

    inner: Any
    marker: str
    count: int

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, index: int) -> Any:
        if index == 3 and not os.path.exists(self.marker):
            Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner[index]
