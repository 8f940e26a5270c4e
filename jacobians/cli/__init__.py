"""The command line: parses, calls the library, prints."""

from jacobians.cli.main import main

__all__ = ["main"]
