"""Training that one can watch: update rules, `fit`, and the history that it leaves."""

from jacobians.training.fit import Fitted, fit
from jacobians.training.history import Epoch, History
from jacobians.training.rules import RULES, SGD, Adam, Momentum, Nesterov, RMSProp, Rule, State

__all__ = [
    "RULES",
    "SGD",
    "Adam",
    "Epoch",
    "Fitted",
    "History",
    "Momentum",
    "Nesterov",
    "RMSProp",
    "Rule",
    "State",
    "fit",
]
