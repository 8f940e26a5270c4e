"""Data to differentiate on: the shipped digits, and the reader's own files, read without trusting them."""

from jacobians.data.dataset import Dataset, load_digits
from jacobians.data.features_and_labels import read_dataset
from jacobians.data.files import read_arrays, read_weights

__all__ = ["Dataset", "load_digits", "read_arrays", "read_dataset", "read_weights"]
