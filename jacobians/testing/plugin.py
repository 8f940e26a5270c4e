"""The pytest plugin: a `gradcheck` fixture. Loading it imports nothing heavy, since pytest loads it everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["gradcheck"]


@pytest.fixture
def gradcheck() -> Callable[..., Any]:
    """Check a gradient in a test: ``gradcheck(fun, grad, x)`` fails with the report unless the check passes.

    The arguments are those of `jacobians.checking.check_gradient`, whose result is returned.
    """

    def check(*arguments: Any, **options: Any) -> Any:
        from jacobians.checking import check_gradient

        __tracebackhide__ = True
        result = check_gradient(*arguments, **options)
        if not result:
            pytest.fail(str(result), pytrace=False)
        return result

    return check
