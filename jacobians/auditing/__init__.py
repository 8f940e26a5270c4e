"""`audit`: a printed formula, checked in a declared convention; `Audit` is what it finds, `names` what it may use."""

from __future__ import annotations

from jacobians.auditing.audit import audit, names
from jacobians.auditing.result import Audit

__all__ = ["Audit", "audit", "names"]
