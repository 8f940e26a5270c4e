"""Data to differentiate on: the shipped digits, and the reader's own files, read without trusting them."""

from jacobians.data.dataset import Dataset
from jacobians.data.digits import load_digits
from jacobians.data.files import read_arrays, read_weights
from jacobians.data.supervised import read_dataset

__all__ = ["Dataset", "load_digits", "read_arrays", "read_dataset", "read_weights"]
