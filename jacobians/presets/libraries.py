"""Presets of libraries: how their dense layers store parameters, and what their losses divide by."""

from __future__ import annotations

from jacobians.array_names import ArrayNames
from jacobians.conventions import Convention, Task
from jacobians.layout import Layout

_ROWS_IN_OUT = Layout(
    batch="rows", weights="columns", bias="separate", vec="C", derivative="numerator", features="one-axis"
)
_ROWS_OUT_IN = _ROWS_IN_OUT.replace(weights="rows")
_TORCH = _ROWS_OUT_IN.replace(sequences="time-first")
"""torch.nn.Conv2d takes (N, C, H, W) and keeps (out, in, H, W); torch.nn.LSTM takes (T, N, D) unless batch_first.

torch.nn.Linear takes (∗, in), and maps along the last axis."""
_CHANNELS_LAST = _ROWS_IN_OUT.replace(images="HWC", kernels="HWIO")
"""keras.layers.Conv2D and flax.linen.Conv take (N, H, W, C) and keep (H, W, in, out).

keras.layers.Dense and flax.linen.Dense map along the last axis of an input of any rank."""
_TORCH_MSE = Task("squared_error", reduction="mean-all", citation="torch.nn.MSELoss")
_KERAS_MSE = Task("squared_error", reduction="mean-all", citation="keras.losses.MeanSquaredError")

LIBRARIES: tuple[Convention, ...] = (
    Convention(
        name="pytorch",
        title="PyTorch nn.Linear, losses averaged over the examples",
        layout=_TORCH,
        assumed=("derivative",),
        reduction="mean",
        tasks={
            "classification": Task("cross_entropy", output="softmax", citation="torch.nn.CrossEntropyLoss"),
            "yes/no": Task(
                "binary_cross_entropy", reduction="mean-all", output="sigmoid", citation="torch.nn.BCEWithLogitsLoss"
            ),
            "regression": _TORCH_MSE,
        },
        packing="layers",
        citation="PyTorch, torch/nn/modules/linear.py (y = xAᵀ + b) and torch/nn/utils/convert_parameters.py "
        "(parameters_to_vector); read.",
        evidence="P",
        notes="For CrossEntropyLoss and its like. A loss of one value an output divides by N·K: pytorch-mse. "
        "weight_decay=λ belongs to the optimiser, not to the loss: it adds λ times every parameter, biases too, as "
        "½λ times the sum of their squares would. Its part of the weights is l2='half'.",
    ),
    Convention(
        name="pytorch-mse",
        title="PyTorch nn.Linear, losses averaged over every output (MSELoss)",
        layout=_TORCH,
        assumed=("derivative",),
        reduction="mean-all",
        tasks={"regression": _TORCH_MSE},
        packing="layers",
        citation="PyTorch, torch/nn/modules/linear.py, and the reference page of torch.nn.MSELoss; read.",
        evidence="P",
        notes="reduction='mean' divides by the number of all elements, N·K. The loss is (x − y)², without ½.",
    ),
    Convention(
        name="keras",
        title="Keras Dense, losses averaged over the examples",
        layout=_CHANNELS_LAST,
        assumed=("derivative",),
        reduction="mean",
        tasks={
            "classification": Task("cross_entropy", output="softmax", citation="keras.losses.CategoricalCrossentropy"),
            "yes/no": Task(
                "binary_cross_entropy",
                reduction="mean-all",
                output="sigmoid",
                citation="keras.losses.BinaryCrossentropy",
            ),
            "regression": _KERAS_MSE,
        },
        l2="one",
        citation="Keras, keras/src/layers/core/dense.py; reference pages of "
        "keras.losses and keras.regularizers.L2; read.",
        evidence="P",
        notes="For CategoricalCrossentropy and its like. kernel_regularizer=L2(l2) adds l2·ΣW², the kernel only.",
    ),
    Convention(
        name="keras-mse",
        title="Keras Dense, losses averaged over every output (MeanSquaredError)",
        layout=_CHANNELS_LAST,
        assumed=("derivative",),
        reduction="mean-all",
        tasks={"regression": _KERAS_MSE},
        l2="one",
        citation="Keras, keras/src/layers/core/dense.py; reference page of keras.losses.MeanSquaredError; read.",
        evidence="P",
        notes="The loss is the mean over an example's outputs, then over the examples: N·K. It has no ½.",
    ),
    Convention(
        name="flax",
        title="Flax nn.Dense: kernel (in, out)",
        layout=_CHANNELS_LAST,
        citation="Flax, flax/linen/linear.py (class Dense), 2024; read.",
        evidence="P",
        notes="Loss and regulariser are the user's. jax.jacobian puts the output's axes first.",
    ),
    Convention(
        name="equinox",
        title="Equinox nn.Linear: weight (out, in), batched by vmap",
        layout=_ROWS_OUT_IN,
        citation="Equinox, equinox/nn/_linear.py (class Linear), 2024; read.",
        evidence="P",
        notes="A layer takes one example; jax.vmap puts the batch on axis 0. Loss and regulariser are the user's.",
    ),
    Convention(
        name="sklearn-mlp",
        title="scikit-learn MLPClassifier: all coefs, then all intercepts",
        layout=_ROWS_IN_OUT,
        assumed=("derivative",),
        reduction="mean",
        tasks={
            "classification": Task(
                "cross_entropy", output="softmax", hidden="relu", citation="MLPClassifier, log_loss"
            ),
            "yes/no": Task(
                "binary_cross_entropy", output="sigmoid", hidden="relu", citation="MLPClassifier, binary_log_loss"
            ),
            "regression": Task(
                "squared_error",
                0.5,
                hidden="relu",
                citation="MLPRegressor, squared_loss and _backprop",
                notes="What its gradient belongs to, ½Σ over the outputs, averaged over N. The loss that it prints is "
                "divided by the number of outputs K too (issue #8349).",
            ),
        },
        l2="half-over-n",
        packing="weights-then-biases",
        names=ArrayNames(
            count="n",
            strength="alpha",
            weighted_at="gradient",
            aliases={"coefs_": "weights", "intercepts_": "biases", "n_samples": "count"},
        ),
        citation="scikit-learn, sklearn/neural_network/_multilayer_perceptron.py (_pack, _backprop); read.",
        evidence="P",
        notes="The classifier's log-losses are means over N. MLPRegressor's squared loss is ½ of a mean over N·K, "
        "while its gradient is one over N (issue #8349).",
    ),
    Convention(
        name="matlab",
        title="MATLAB Deep Learning Toolbox: Z = W X + b",
        layout=Layout(  # dlarray formats "SSCB" and "CBT"; convolution2dLayer keeps (H, W, in, out)
            batch="columns",
            weights="rows",
            bias="separate",
            vec="F",
            images="HWC",
            sequences="time-first",
            kernels="HWIO",
        ),
        assumed=("derivative",),
        tasks={
            "classification": Task(
                "cross_entropy", reduction="mean", output="softmax", citation="crossentropy of a dlarray; from memory"
            ),
            "regression": Task(
                "squared_error",
                0.5,
                reduction="mean",
                citation="mse of a dlarray, the half mean squared error; from memory",
            ),
        },
        citation="MathWorks, Deep Learning Toolbox documentation; secondary copies read.",
        evidence="S",
        notes="X is R×Q, b is (out, 1). getwb returns one vector, but its page does not print the order.",
    ),
)
