"""Functions run once and replayed from then on: the NumPy calls alone, on memory that is kept."""

from jacobians.recording.function import Replayed, replayed

__all__ = ["Replayed", "replayed"]
