"""`diagnosed`: where no change of the formula explains it, its value is given to `diagnose`."""

from __future__ import annotations

from jacobians.auditing.search import Judge
from jacobians.auditing.slips import Slip
from jacobians.diagnosis import diagnose
from jacobians.errors import JacobiansError
from jacobians.symbols.expressions import Expr

__all__ = ["diagnosed"]


def diagnosed(expr: Expr, judge: Judge) -> tuple[Slip, ...]:
    """Return the causes that explain a parameter's gradient exactly, or nothing."""
    parameter, setting = judge.claim.parameter, judge.scope.setting
    if parameter in (None, "X"):
        return ()
    run = setting.first.run
    gradient = {**run.gradient(), str(parameter): judge.value(expr, 0)}
    try:
        found = diagnose(gradient, setting.network, run.params, run.X, run.Y)
    except JacobiansError:
        return ()
    if found.verdict != "explained":
        return ()
    return tuple(Slip(cause.name, cause.title, 0) for cause in found.causes)
