"""Octave and MATLAB files: read into a tree of Python's nodes, with the functions that such a tree calls."""
