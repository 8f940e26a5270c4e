"""Matrix functions of one matrix or of a batch of them: each returns its value and its structured Jacobian.

``jac.matrix.inverse(A)`` and its like are called as ``jac.sigmoid(Z)`` is: arrays give a value and a Jacobian, values
of a graph give values. What has several results, such as `qr`, gives a pair for each.
"""

# ruff: noqa: F403

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jacobians.matrix import (
    equations,
    factorisations,
    inverses,
    matrix_functions,
    norms,
    parametrisations,
    products,
    pseudo_inverses,
    spectra,
    statistics,
    structured,
    traces_and_forms,
)
from jacobians.matrix.equations import *
from jacobians.matrix.factorisations import *
from jacobians.matrix.inverses import *
from jacobians.matrix.matrix_functions import *
from jacobians.matrix.norms import *
from jacobians.matrix.parametrisations import *
from jacobians.matrix.products import *
from jacobians.matrix.pseudo_inverses import *
from jacobians.matrix.spectra import *
from jacobians.matrix.statistics import *
from jacobians.matrix.structured import *
from jacobians.matrix.traces_and_forms import *
from jacobians.other_names import instead_of

if not TYPE_CHECKING:  # type checkers add no lists up: without one they read the files' own
    __all__ = sorted(
        name
        for file in (
            equations,
            factorisations,
            inverses,
            matrix_functions,
            norms,
            parametrisations,
            products,
            pseudo_inverses,
            spectra,
            statistics,
            structured,
            traces_and_forms,
        )
        for name in file.__all__
    )

    def __getattr__(name: str) -> Any:
        meant = "" if name.startswith("_") else instead_of(name, __all__, ())
        raise AttributeError(f"jac.matrix has no {name!r}{meant}")

    def __dir__() -> list[str]:
        return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
