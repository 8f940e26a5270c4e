"""Formulas: expressions with the methods of arrays, and every way to write them. No array is in here."""
