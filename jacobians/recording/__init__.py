"""Functions that run once and are then replayed: their NumPy calls alone, on kept memory."""

from jacobians.recording.function import Replayed, replayed

__all__ = ["Replayed", "replayed"]
