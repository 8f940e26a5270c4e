"""A check: a law, what it is held to, and the call that raises where it is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Check(NamedTuple):
    """One law of one thing; `about` names the modules that the thing is made of."""

    law: str
    what: str
    run: Callable[[], Any]
    about: tuple[str, ...] = ()
