"""The history of a training run: one line per epoch, printed as a table and drawn as a curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING, Any

from jacobians.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Epoch", "History"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the data, or one iteration of a SciPy solver.

    Attributes
    ----------
    epoch : int
        From 1.
    objective : float
        The mean over its mini-batches of the objective before each step, with the regulariser.
    held_out : float
        The loss on held-out data after it, without the regulariser; NaN without such data.
    accuracy : float
        The part of the held-out examples that are right; NaN without such data, and for real targets.
    rate : float
        The learning rate of its last step; NaN for a solver.
    seconds : float
        Since the training began.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> from jacobians.training.fit import fit
    >>> net = Network.dense((4, 3, 2))
    >>> fitted = fit(net, net.init(0), np.eye(4), [0, 1, 1, 0], epochs=3, batch=2)
    >>> [field for field in vars(type(fitted.history[0]))["__dataclass_fields__"]]
    ['epoch', 'objective', 'held_out', 'accuracy', 'rate', 'seconds']
    """

    epoch: int
    objective: float
    held_out: float
    accuracy: float
    rate: float
    seconds: float


class History(Sequence[Epoch]):
    """The epochs in order.

    Examples
    --------
    >>> nan = float("nan")
    >>> print(History([Epoch(1, 2.3, nan, nan, 0.1, 0.5), Epoch(2, 1.25, nan, nan, 0.1, 1.0)]))
    epoch   objective        rate     seconds
        1         2.3         0.1        0.50
        2        1.25         0.1        1.00
    """

    def __init__(self, epochs: Sequence[Epoch] = ()) -> None:
        self._epochs = tuple(epochs)

    def __len__(self) -> int:
        return len(self._epochs)

    def __getitem__(self, index: Any) -> Any:
        return self._epochs[index]

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self._epochs)

    def __add__(self, other: Sequence[Epoch]) -> History:
        return History((*self._epochs, *other))

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Return the names of the columns that hold anything, and the lines as texts."""
        names = ["epoch", "objective", "held_out", "accuracy", "rate", "seconds"]
        lines = [astuple(epoch) for epoch in self._epochs]
        kept = [i for i in range(len(names)) if not lines or any(line[i] == line[i] for line in lines)]
        shown = [[_shown(names[i], line[i]) for i in kept] for line in lines]
        return [names[i].replace("_", " ") for i in kept], shown

    def __str__(self) -> str:
        names, lines = self.rows()
        widths = [5, *[11] * (len(names) - 1)]
        return "\n".join(
            " ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in (names, *lines)
        )

    def __repr__(self) -> str:
        return f"History({len(self)} epochs)"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, for JSON."""
        return {"epochs": [asdict(epoch) for epoch in self._epochs]}

    def plot(self) -> Figure:
        """Draw the objective, and the loss on held-out data, over the epochs with matplotlib.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise MissingExtraError("plots need matplotlib, which is not installed: pip install matplotlib") from None
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.add_subplot()
        numbers = [epoch.epoch for epoch in self._epochs]
        axes.plot(numbers, [epoch.objective for epoch in self._epochs], label="objective")
        if any(epoch.held_out == epoch.held_out for epoch in self._epochs):
            axes.plot(numbers, [epoch.held_out for epoch in self._epochs], label="loss, held out")
        axes.set_xlabel("epoch")
        axes.legend()
        return figure


def _shown(name: str, value: float) -> str:
    if value != value:
        return ""
    return {"epoch": f"{value:.0f}", "seconds": f"{value:.2f}", "accuracy": f"{value:.4f}"}.get(name, f"{value:.6g}")
