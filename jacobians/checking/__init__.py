"""Reference derivatives that share no code with the rules they check."""

from jacobians.checking.directional import DirectionalCheck, check_directions, directional_derivative

__all__ = ["DirectionalCheck", "check_directions", "directional_derivative"]
