"""Why a gradient is wrong: it is matched against a catalogue of slips applied to the right one."""

from __future__ import annotations

from jacobians.diagnosis.diagnose import diagnose
from jacobians.diagnosis.report import Cause, Diagnosis

__all__ = ["Cause", "Diagnosis", "diagnose"]
