"""The operations: each returns its value and the structure of its Jacobians."""

from jacobians.operations.affine import Affine, affine, linear
from jacobians.operations.base import Elementwise, Jacobians, Operation, Primitive, Unary
from jacobians.operations.combinators import Chain, Parallel, Residual
from jacobians.operations.cross_entropies import (
    BinaryCrossEntropy,
    CrossEntropy,
    ProbabilityCrossEntropy,
    binary_cross_entropy,
    cross_entropy,
)
from jacobians.operations.loss_base import Loss
from jacobians.operations.margin_losses import Logistic, MulticlassHinge, logistic_loss, multiclass_hinge
from jacobians.operations.ones import AddOnes, add_ones
from jacobians.operations.powers import Exp, Log, Power, Square, exp, log, power, square
from jacobians.operations.products import Add, Hadamard, MatMul, add, hadamard, matmul
from jacobians.operations.rectifiers import LeakyReLU, ReLU, leaky_relu, relu
from jacobians.operations.regulariser import L2, l2
from jacobians.operations.sigmoidal import Sigmoid, Tanh, sigmoid, tanh
from jacobians.operations.smooth_rectifiers import GELU, SiLU, Softplus, gelu, silu, softplus
from jacobians.operations.softmax import LogSoftmax, Softmax, log_softmax, softmax
from jacobians.operations.squared_error import SquaredError, squared_error
from jacobians.operations.structure import Mean, Reshaping, Total, Transpose, mean, reshape, total, transpose

__all__ = [
    "GELU",
    "L2",
    "Add",
    "AddOnes",
    "Affine",
    "BinaryCrossEntropy",
    "Chain",
    "CrossEntropy",
    "Elementwise",
    "Exp",
    "Hadamard",
    "Jacobians",
    "LeakyReLU",
    "Log",
    "LogSoftmax",
    "Logistic",
    "Loss",
    "MatMul",
    "Mean",
    "MulticlassHinge",
    "Operation",
    "Parallel",
    "Power",
    "Primitive",
    "ProbabilityCrossEntropy",
    "ReLU",
    "Reshaping",
    "Residual",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Square",
    "SquaredError",
    "Tanh",
    "Total",
    "Transpose",
    "Unary",
    "add",
    "add_ones",
    "affine",
    "binary_cross_entropy",
    "cross_entropy",
    "exp",
    "gelu",
    "hadamard",
    "l2",
    "leaky_relu",
    "linear",
    "log",
    "log_softmax",
    "logistic_loss",
    "matmul",
    "mean",
    "multiclass_hinge",
    "power",
    "relu",
    "reshape",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "square",
    "squared_error",
    "tanh",
    "total",
    "transpose",
]
