"""Why a gradient is wrong: it is compared with the right gradient after each slip of a catalogue."""

from __future__ import annotations

from jacobians.diagnosis.diagnose import diagnose
from jacobians.diagnosis.report import Cause, Diagnosis

__all__ = ["Cause", "Diagnosis", "diagnose"]
