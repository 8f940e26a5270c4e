"""Whole programs, read and never run: is this file's backward pass right, and if not, which line slipped?"""

from __future__ import annotations

from jacobians.programs.audit import audit_program
from jacobians.programs.result import EntryAudit, Failure, Fault, GradientVerdict, ProgramAudit

__all__ = ["EntryAudit", "Failure", "Fault", "GradientVerdict", "ProgramAudit", "audit_program"]
