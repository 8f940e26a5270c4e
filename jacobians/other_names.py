"""What other libraries call things, and what they are called here: read only where a name is not found."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from jacobians.arrays import did_you_mean

_MEAN_SQUARES = (
    "jac.squared_error: it adds up the features of an example, and takes the mean over the examples. With "
    'reduction="mean-all" it takes the mean of all entries'
)
_CALLED_ELSEWHERE = {
    "value": "(x,) = jac.values(x=2.0)",
    "Value": "(x,) = jac.values(x=2.0)",
    "gradient": "jac.grad(f), or net.gradient(params, X, Y)",
    "derivative": "jac.differentiate",
    "diff": "jac.differentiate",
    "value_and_grad": "net.value_and_grad(params, X, Y), or jac.grad(f)",
    "jacrev": "jac.jacobian(f)",
    "jacfwd": "jac.jacobian(f)",
    "vjp": "jac.jacobian(f)(x).vjp(cotangent)",
    "jvp": "jac.jacobian(f)(x).jvp(tangent)",
    "jit": "jac.replayed(f)",
    "vmap": "the operation alone: each one takes a whole batch, and jac.Layout says where its examples lie",
    "hvp": "net.run(params, X, Y).hessian().jvp(direction), or H.jvp(v) of a jac.hessian H",
    "hessian_vector_product": "net.run(params, X, Y).hessian().jvp(direction), or H.jvp(v) of a jac.hessian H",
    "hessp": "H.jvp(v) of a jac.hessian H",
    "mse": _MEAN_SQUARES,
    "mse_loss": _MEAN_SQUARES,
    "bce": "jac.binary_cross_entropy",
    "nll_loss": "jac.cross_entropy",
    "swish": "jac.silu",
    "Dense": "jac.Affine, or jac.Network.dense((4, 3, 2)) for a whole network",
    "Linear": "jac.Affine, or jac.Network.dense((4, 3, 2)) for a whole network",
    "Sequential": "jac.Network([jac.Affine(), jac.Tanh()], …), or jac.Network.dense((4, 3, 2))",
    "Model": "jac.Network",
    "dense": "jac.Network.dense((4, 3, 2))",
    "sum": "jac.total",
    "dot": "jac.matmul",
    "multiply": "jac.hadamard",
    "subtract": "jac.values(A=A, B=B), and A - B of these",
    "concatenate": "np.concatenate of jac.values(A=A, B=B)",
    "inv": "jac.matrix.inverse",
    "check_grad": "jac.check_gradient",
    "gradcheck": "jac.check_gradient",
    "train": "jac.fit",
    "presets": "jac.all_conventions()",
    "preset": "jac.convention(name)",
    "einsum": "np.einsum of jac.values(A=A, B=B)",
    "nn": "jac.Network.dense((4, 3, 2)), or the layers in jac.layers",
    "optim": "jac.fit(net, params, X, Y), which takes the update rule",
    "tensor": "(x,) = jac.values(x=array)",
    "Tensor": "(x,) = jac.values(x=array)",
    "Variable": "(x,) = jac.values(x=array)",
    "array": "np.array; every function here takes NumPy's arrays",
    "zeros": "np.zeros; every function here takes NumPy's arrays",
    "randn": "np.random.default_rng(0).normal(size=shape)",
    "backward": "L.gradients(W, b) of a value L, or net.gradient(params, X, Y)",
    "no_grad": "v.array, a value's numbers; nothing is recorded of arrays",
    "CrossEntropyLoss": "jac.CrossEntropy",
    "BCEWithLogitsLoss": "jac.BinaryCrossEntropy",
    "BCELoss": "jac.ProbabilityCrossEntropy",
    "MSELoss": 'jac.SquaredError(reduction="mean-all") for the mean of all entries',
    "conv": "jac.layers.conv2d",
    "max_pool2d": "jac.layers.max_pool",
    "avg_pool2d": "jac.layers.avg_pool",
    "MaxPool2d": "jac.layers.Pool",
    "AvgPool2d": "jac.layers.Pool",
    "Conv1d": "jac.layers.Convolution(1)",
    "Conv2d": "jac.layers.Convolution",
    "ConvTranspose2d": "jac.layers.TransposedConvolution",
    "lstm_cell": "jac.layers.lstm_step",
    "LSTMCell": "jac.layers.lstm_step",
    "GRUCell": "jac.layers.gru_step",
    "MultiheadAttention": "jac.layers.MultiHeadAttention",
    "residual": "X + f(X) of values, or jac.Residual(operation)",
    "transformer_block": "X + jac.layers.multi_head_attention(X, X, Wq, Wk, Wv, Wo, heads=2) of values, and so on",
    "spatial_batch_norm": "jac.layers.batch_norm, which normalises each channel of images",
    "spatial_batchnorm": "jac.layers.batch_norm, which normalises each channel of images",
    "BatchNorm1d": "jac.layers.BatchNorm",
    "BatchNorm2d": "jac.layers.BatchNorm",
    "scaled_dot_product_attention": "jac.layers.attention",
    "layer": "jac.layers",
    "norm": "jac.matrix.frobenius_norm, spectral_norm, nuclear_norm or p_norm",
    "singular_values": "jac.matrix.svdvals",
    "eigenvalues": "jac.matrix.eigvalsh",
    "eigvals": "jac.matrix.eigvalsh",
    "eig": "jac.matrix.eigh",
    "exponential": "jac.matrix.expm",
    "quadratic_form": "jac.matrix.quadratic",
}


def instead_of(name: str, names: Iterable[str], rooms: Iterable[str]) -> str:
    """Return the end of a message about a name that the package does not have: what is meant, or nothing.

    Parameters
    ----------
    name : str
    names : iterable of str
        Those that there are.
    rooms : iterable of str
        Modules whose names are reached through them.

    Examples
    --------
    >>> instead_of("sum", [], []), instead_of("cholesky", [], ["matrix"]), instead_of("softmx", ["softmax"], [])
    ('; write jac.total', '; write jac.matrix.cholesky', "; did you mean 'softmax'?")
    """
    if name in _CALLED_ELSEWHERE:
        return f"; write {_CALLED_ELSEWHERE[name]}"
    for room in rooms:
        near = [own for own in importlib.import_module(f"jacobians.{room}").__all__ if _plain(own) == _plain(name)]
        if near:
            return f"; write jac.{room}.{name if name in near else near[0]}"
    package = importlib.import_module("jacobians")
    operations = importlib.import_module("jacobians.operations").__all__
    if name not in names and (name in package.__all__ or (name in operations and name[:1].isupper())):
        return f"; write jac.{name}"
    if name in operations:
        return f"; write jacobians.operations.{name}"
    return did_you_mean(name, names)


def _plain(name: str) -> str:
    return name.casefold().replace("_", "")
