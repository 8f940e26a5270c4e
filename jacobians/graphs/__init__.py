"""The linearised graph."""
