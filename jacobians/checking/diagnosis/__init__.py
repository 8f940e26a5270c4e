"""Why a gradient is wrong: it is matched against a catalogue of slips applied to the right one."""

from jacobians.checking.diagnosis.diagnose import diagnose
from jacobians.checking.diagnosis.result import Cause, Diagnosis

__all__ = ["Cause", "Diagnosis", "diagnose"]
