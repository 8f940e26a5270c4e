"""The networks that courses, books and programs write their lines about, each in its source's convention."""

from __future__ import annotations

from jacobians import Convention, Layout, convention
from tests.published.plain_networks import Setting

COLUMNS = Layout(batch="columns", weights="rows", bias="separate")
ROWS = Layout(batch="rows", weights="columns", bias="separate")
THETA = Layout(batch="rows", weights="columns", bias="first", vec="F")
NG = convention("ng-ml-2011")
NG_TEXT = NG.replace(layout=NG.layout.replace(batch="columns"))


def own(name: str, layout: Layout, reduction: str, l2: str | None = None) -> Convention:
    """A convention with the library's own names."""
    return Convention(name, layout, reduction=reduction, l2=l2)


BINARY = "binary_cross_entropy"
SQUARED = "squared_error"

SETTINGS: dict[str, Setting] = {
    # Ng, Coursera 2011: ex4 with one example a row, its text and loop with one example a column; ex1, 2 and 5
    "ng": Setting("ng-ml-2011", loss=BINARY, late=True),
    "ng-text": Setting(NG_TEXT, loss=BINARY, examples=1, late=True),
    "ng-logistic": Setting(NG.replace(layout=THETA), (7, 1), loss=BINARY, late=True),
    "ng-linear": Setting(NG.replace(layout=THETA), (7, 1), loss=SQUARED, factor=0.5, late=True),
    # deeplearning.ai
    "dlai-logistic": Setting(
        convention("ng-dlai").replace(layout=COLUMNS.replace(weights="columns")),
        (7, 1),
        loss=BINARY,
        late=True,
        names="A=P w=W1 b=b1 dw=dW1 db=db1 dZ=dZ1 m=N",
    ),
    "dlai-planar": Setting("ng-dlai", (7, 5, 1), "tanh", BINARY, late=True, names="A2=P m=N"),
    "dlai-deep": Setting("ng-dlai", (7, 6, 4, 1), "relu", BINARY, late=True, names="A3=P m=N lambd=lam"),
    "dlai-layer": Setting("ng-dlai", (7, 1), "relu", BINARY, late=True, names="AL=P m=N"),
    "dlai-sigmoid": Setting("ng-dlai", (7, 5, 3), "sigmoid", BINARY, late=True, names="m=N"),
    # CS231n
    "cs231n-linear": Setting(
        "cs231n",
        (7, 3),
        "relu",
        names="W=W1 b=b1 scores=Z1 dscores=dZ1 probs=P dW=dW1 db=db1 reg=lam num_examples=N y=labels "
        "x=X w=W1 dw=dW1 dx=dX dout=dZ1",
    ),
    "cs231n-net": Setting(
        "cs231n",
        (7, 5, 3),
        "relu",
        names="W=W1 b=b1 hidden_layer=A1 hidden=A1 h1=A1 scores=Z2 dscores=dZ2 probs=P dhidden=dA1 dW=dW1 db=db1 "
        "reg=lam num_examples=N y=labels",
    ),
    "cs231n-sigmoid": Setting("cs231n", names="scores=Z2 dscores=dZ2 hidden=A1 dhidden=dA1 reg=lam probs=P"),
    "cs231n-toy": Setting(
        "cs231n-2018-toy", (7, 5, 3), "relu", names="scores=Z2 dscores=dZ2 probs=P reg=lam a1=A1 y=labels"
    ),
    "cs231n-trick": Setting(
        "cs231n-bias-trick",
        (7, 3),
        names="X=X_ones W=W1 dW=dW1 scores=Z1 dscores=dZ1 probs=P num_train=N reg=lam y=labels",
    ),
    "cs231n-trick-half": Setting(
        convention("cs231n-bias-trick").replace(l2="half"),
        (7, 3),
        names="X=X_ones W=W1 dW=dW1 scores=Z1 dscores=dZ1 probs=P num_train=N reg=lam y=labels",
    ),
    "cs231n-notes": Setting(
        own("cs231n-notes-no-bias", COLUMNS.replace(bias="none"), "mean"), (7, 3), names="D=Z1 dD=dZ1 W=W1 dW=dW1"
    ),
    "one-example": Setting("cs231n", (7, 5, 3), "relu", examples=1),
    # programs with one example a row and no bias, or separate ones
    "wildml": Setting(
        own("wildml", ROWS, "sum", "half"), (7, 5, 3), "tanh", names="a1=A1 z1=Z1 z2=Z2 probs=P y=labels num_examples=N"
    ),
    "wildml-printed": Setting(
        own("wildml-printed", ROWS, "mean", "half-over-n"),
        (7, 5, 3),
        "tanh",
        names="a1=A1 z1=Z1 z2=Z2 probs=P y=labels",
    ),
    "torch-numpy": Setting(own("torch-numpy", ROWS.replace(bias="none"), "sum"), (7, 5, 3), "relu", SQUARED),
    "trask": Setting(
        own("trask", ROWS.replace(bias="none"), "sum"), (7, 5, 3), "sigmoid", SQUARED, 0.5, "sigmoid", names="y=Y"
    ),
    "raschka": Setting(own("raschka", ROWS, "sum", "one"), (7, 5, 3), "sigmoid", BINARY),
    "saitoh": Setting(own("saitoh", ROWS, "mean"), (7, 3), names="x=X dx=dX W=W1 dW=dW1 db=db1 dout=dZ1"),
    "saitoh-loss": Setting(own("saitoh", ROWS, "mean"), (7, 3), names="batch_size=N"),
    "saitoh-sigmoid": Setting(own("saitoh", ROWS, "mean"), (7, 5, 3)),
    "pong": Setting(own("pong", ROWS.replace(weights="rows", bias="none"), "sum"), (7, 5, 1), "relu", BINARY),
    "sklearn": Setting("sklearn-mlp", (7, 5, 3), "relu", late=True),
    "sklearn-regressor": Setting("sklearn-mlp", (7, 5, 3), "relu", SQUARED, 0.5, late=True),
    # texts with one example a column
    "nielsen": Setting(own("nielsen", COLUMNS, "mean"), (7, 5, 3), "sigmoid", SQUARED, 0.5, "sigmoid", 1),
    "nielsen-batch": Setting(own("nielsen", COLUMNS, "mean"), (7, 5, 3), "sigmoid", SQUARED, 0.5, "sigmoid"),
    "3blue1brown": Setting(own("3blue1brown", COLUMNS, "mean"), (1, 1, 1), "sigmoid", SQUARED, 1.0, "sigmoid", 1),
    "mazur": Setting(
        own("mazur", ROWS.replace(weights="rows"), "sum"), (2, 2, 2), "sigmoid", SQUARED, 0.5, "sigmoid", 1
    ),
    "ufldl": Setting("ng-ufldl", (7, 5, 3), "sigmoid", SQUARED, 0.5, "sigmoid", late=True),
    "ufldl-one": Setting("ng-ufldl", (7, 5, 3), "sigmoid", SQUARED, 0.5, "sigmoid", 1, late=True),
    "ufldl-softmax": Setting(own("ufldl-softmax", COLUMNS.replace(bias="none"), "mean", "half"), (7, 3)),
    "cs229": Setting("cs229", (7, 5, 3), loss=BINARY, examples=1),
    "cs229-deep": Setting("cs229", (7, 6, 4, 1), loss=BINARY, examples=1),
    "cs224n": Setting("cs224n-columns", (7, 5, 3), "relu", examples=1),
    "cs224n-rows": Setting("cs224n-rows", (7, 3), examples=1),
    "d2l": Setting(own("d2l", COLUMNS.replace(bias="none"), "mean", "half"), (7, 5, 3), "sigmoid", examples=1),
    "goodfellow": Setting(own("goodfellow", COLUMNS, "mean", "half"), (7, 5, 3), "tanh", examples=1),
    "bishop": Setting(own("bishop", COLUMNS.replace(bias="none"), "mean"), (7, 5, 3), "tanh", SQUARED, 0.5, examples=1),
    "wikipedia": Setting(own("wikipedia", COLUMNS.replace(bias="none"), "mean"), (7, 5, 3), "sigmoid", examples=1),
    "geron": Setting(own("geron", THETA, "mean"), (7, 1), loss=SQUARED),
    "keras": Setting("keras", (7, 5, 3), "relu"),
    "pytorch": Setting("pytorch", (7, 5, 3), "relu"),
    "vecderivs": Setting("vecderivs-columns", (7, 3), examples=1),
    "vecderivs-rows": Setting("vecderivs-rows", (7, 3), examples=1),
}
