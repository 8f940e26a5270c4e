"""Which data a command works on: the shipped digits, or a file of the user's, and targets as a loss takes them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

import numpy as np

from jacobians.arrays import Array
from jacobians.data import Dataset, load_digits, read_arrays, read_dataset
from jacobians.errors import DataError
from jacobians.operations import LOSSES


def add_data(parser: argparse._ActionsContainer) -> None:
    """Add the options that name data."""
    parser.add_argument("--data", metavar="FILE", help="arrays or a table, .gz too (default: 8×8 handwritten digits)")
    parser.add_argument("--features", metavar="NAMES", help="the examples in FILE, or columns a,b (default: X, …)")
    parser.add_argument("--labels", metavar="NAME", help="the array or column of labels in FILE (default: y, class, …)")


def data_of(arguments: argparse.Namespace, command: str, loss: str, classes: int | None) -> Dataset:
    """Return the digits with pixels in [0, 1], or the user's file. Given weights fix the number of classes."""
    if arguments.data is None or (arguments.data == "digits" and not Path(arguments.data).exists()):
        if arguments.features or arguments.labels:
            raise DataError(f"{command}: --features and --labels name arrays of a file; add --data FILE")
        digits = load_digits()
        return Dataset(digits.X / 16.0, digits.y, source=digits.source, classes=digits.classes)
    task: Literal["regress", "classify"] = "regress" if LOSSES[loss].takes == "reals" else "classify"
    try:
        features = _names(arguments.features, arguments.data)
        return read_dataset(arguments.data, features=features, labels=arguments.labels, task=task, classes=classes)
    except DataError as error:
        if "regress" in str(error):
            raise DataError(str(error).replace("task 'regress'", "--loss squared_error")) from None
        raise


def _names(given: str | None, path: str) -> str | list[str] | None:
    """One name, even one with a comma in it, or several with commas between them."""
    if given is None or "," not in given or given in read_arrays(path):
        return given
    return [name.strip() for name in given.split(",")]


def targets_of(batch: Dataset, loss: str, outputs: int) -> Array:
    """What the loss expects: labels, one-hot rows for squared errors, ±1 rows for the logistic loss."""
    takes = LOSSES[loss].takes
    if batch.classes is None or takes in ("labels", "zero-one"):
        return batch.y
    one_hot = np.eye(outputs)[batch.y]
    return one_hot if takes == "reals" else 2.0 * one_hot - 1.0
