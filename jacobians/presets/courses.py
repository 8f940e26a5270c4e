"""Presets of courses and texts. Neither "Ng" nor "CS231n" is one convention: a name carries course and year."""

from __future__ import annotations

from jacobians.array_names import ArrayNames
from jacobians.conventions import Convention, Task
from jacobians.layout import Layout

_CS231N_CODE = Layout(batch="rows", weights="columns", bias="separate", vec="C")
"""affine_forward of assignments 1 and 2 takes (N, d_1, …, d_k), and reshapes each input into a vector."""
_CS231N_NAMES = ArrayNames(strength="reg", aliases={"scores": "pre:last", "probs": "prediction", "num_train": "count"})
_CS231N_CITATION = "Stanford CS231n, Convolutional Neural Networks for Visual Recognition"
_CS224N = Task("cross_entropy", output="softmax", hidden="relu", citation="the notes' one-layer network")
_CS224N_NAMES = ArrayNames(post="H{u}", post_cotangent="dH{u}", cotangent="delta{u}", aliases={"y_hat": "prediction"})

COURSES: tuple[Convention, ...] = (
    Convention(
        name="ng-ml-2011",
        title="Machine Learning (Coursera, 2011), exercise 4",
        layout=Layout(batch="rows", weights="rows", bias="first", vec="F"),
        assumed=("derivative",),
        reduction="mean",
        l2="half-over-n",
        packing="layers",
        tasks={
            "classification": Task("binary_cross_entropy", output="sigmoid", first_label=1, citation="ex4.pdf, §1.3"),
            "yes/no": Task("binary_cross_entropy", output="sigmoid", citation="ex2.pdf, §1.2"),
            "regression": Task("squared_error", 0.5, citation="ex1.pdf, §2.2; ex5.pdf, §1.2"),
        },
        names=ArrayNames(
            weight="Theta{l}",
            prediction="A{u}",
            cotangent="delta{u}",
            post_cotangent=None,
            gradient="{name}_grad",
            accumulator="Delta{l}",
            count="m",
            first_units=1,
            with_ones=True,
            weighted_at="gradient",
            aliases={
                "lambda": "strength",
                "nn_params": "packed",
                "theta": "weight:1",
                "h": "prediction",
                "alpha": "rate",
            },
        ),
        text_batch="columns",
        citation="A. Ng, Machine Learning, Coursera, 2011, programming exercise 4: Neural Networks Learning; "
        "ex4.pdf §1.3–2.5 and checkNNGradients.m read.",
        evidence="P",
        notes="The code keeps examples in rows, the text one example in a column. Packed as [Theta1(:); Theta2(:)]. "
        "δ₀ is dropped; 1/m enters at the gradient, and λ/m·Θ for every column but the first.",
    ),
    Convention(
        name="ng-ufldl",
        title="UFLDL tutorial (Stanford wiki), sparse autoencoder",
        layout=Layout(batch="columns", weights="rows", bias="separate", vec="F"),
        assumed=("derivative",),
        reduction="mean",
        tasks={
            "regression": Task("squared_error", 0.5, output="sigmoid", citation="Backpropagation Algorithm"),
            "classification": Task("cross_entropy", output="softmax", first_label=1, citation="Softmax Regression"),
        },
        l2="half",
        packing="weights-then-biases",
        names=ArrayNames(
            prediction="A{u}",
            cotangent="delta{u}",
            gradient="{name}grad",
            accumulator="DeltaW{l}",
            count="m",
            first_units=1,
            weighted_at="gradient",
            aliases={"lambda": "strength", "theta": "packed", "grad": "packed-gradient", "data": "input"},
        ),
        citation="A. Ng et al., UFLDL Tutorial, Stanford University, 2011: Backpropagation Algorithm, Neural Network "
        "Vectorization, and the starter code sparseAutoencoderLoss.m; secondary copies read.",
        evidence="S",
        notes="The mean is of ½‖h − y‖². The weight decay λ/2·ΣW² is not divided by m. "
        "Packed as [W1(:); W2(:); b1(:); b2(:)].",
    ),
    Convention(
        name="ng-dlai",
        title="Deep Learning Specialization (deeplearning.ai), courses 1 and 2",
        layout=Layout(batch="columns", weights="rows", bias="separate", vec="C"),
        assumed=("derivative",),
        reduction="mean",
        tasks={
            "yes/no": Task(
                "binary_cross_entropy", output="sigmoid", hidden="relu", citation="course 1, week 4, L-layer network"
            ),
            "classification": Task(
                "cross_entropy", output="softmax", hidden="relu", citation="course 2, week 3, softmax regression"
            ),
        },
        l2="half-over-n",
        packing="layers",
        names=ArrayNames(
            prediction="A{u}",
            count="m",
            strength="lambd",
            weighted_at="gradient",
            aliases={"AL": "prediction", "parameters_values": "packed"},
        ),
        citation="A. Ng, K. Katanforoosh, Y. Bensouda Mourri, Deep Learning Specialization, deeplearning.ai and "
        "Coursera, 2017: course 1 (linear_backward), course 2 week 1 (regularisation, dictionary_to_vector); "
        "secondary copies read.",
        evidence="S",
        notes="Course 1's logistic regression keeps w as a column (n_x, 1) and computes wᵀX, unlike the layers. "
        "The packed vector is printed as a column.",
    ),
    Convention(
        name="cs229",
        title="CS229 lecture notes on deep learning",
        layout=Layout(batch="columns", weights="rows", bias="separate", derivative="numerator"),
        assumed=("vec",),
        reduction="mean",
        tasks={
            "yes/no": Task("binary_cross_entropy", output="sigmoid", citation="Deep Learning, pp. 7–13"),
            "regression": Task(
                "squared_error",
                0.5,
                reduction="sum",
                citation="lecture notes 1, Supervised learning, on linear regression; from memory",
                notes="J(θ) = ½Σ(h(x) − y)², a sum.",
            ),
        },
        names=ArrayNames(cotangent="delta{u}", count="n"),
        one_example=True,
        citation="Stanford CS229, Machine Learning, lecture notes: Deep Learning; pp. 7–13 read.",
        evidence="P",
        notes="The mean is of the loss J = (1/n)ΣL; the text also maximises a sum of log-likelihoods. "
        "Page 12 prints [(a³ − y)W³ ∘ g′]a¹ᵀ, where the bracket needs a transpose.",
    ),
    Convention(
        name="cs231n",
        title="CS231n assignments: the nets, and the case study",
        layout=_CS231N_CODE,
        assumed=("derivative",),
        reduction="mean",
        tasks={
            "classification": Task(
                "cross_entropy", output="softmax", hidden="relu", citation="neural-networks-case-study.md"
            ),
            "margin": Task("multiclass_hinge", hidden="relu", citation="assignment 2, layers.py, svm_loss"),
        },
        l2="half",
        names=_CS231N_NAMES,
        citation=f"{_CS231N_CITATION}, assignments 1 and 2, 2018–2025, and neural-networks-case-study.md; read.",
        evidence="P",
        notes="½·reg·ΣW² in the nets and the case study; assignment 1's softmax and the 2018 toy net have no ½ "
        "(cs231n-bias-trick, cs231n-2018-toy).",
    ),
    Convention(
        name="cs231n-2018-toy",
        title="CS231n toy two-layer net of 2018–2020: regulariser without ½",
        layout=_CS231N_CODE,
        assumed=("derivative",),
        reduction="mean",
        tasks={
            "classification": Task("cross_entropy", output="softmax", hidden="relu", citation="two_layer_net.ipynb"),
        },
        l2="one",
        names=_CS231N_NAMES,
        citation=f"{_CS231N_CITATION}, assignment 1, two_layer_net.ipynb, 2018–2020; read.",
        evidence="P",
        notes="As cs231n, with reg·ΣW².",
    ),
    Convention(
        name="cs231n-bias-trick",
        title="CS231n assignment 1, softmax and SVM: ones appended last, bias regularised",
        # the notebooks reshape each image into a row before they append the ones
        layout=Layout(batch="rows", weights="columns", bias="last", vec="C"),
        assumed=("derivative",),
        reduction="mean",
        tasks={
            "classification": Task("cross_entropy", output="softmax", hidden="relu", citation="softmax.ipynb"),
            "margin": Task("multiclass_hinge", hidden="relu", citation="svm.ipynb"),
        },
        l2="one",
        l2_bias=True,
        names=_CS231N_NAMES,
        citation=f"{_CS231N_CITATION}, assignment 1, softmax.ipynb, 2018–2025; read.",
        evidence="P",
        notes="reg·ΣW² without ½, over all of W (D+1, C), the bias's row included.",
    ),
    Convention(
        name="cs231n-notes",
        title="CS231n lecture notes: one image a column, W (K, D)",
        layout=Layout(batch="columns", weights="rows", bias="separate"),
        assumed=("vec", "derivative"),
        reduction="mean",
        tasks={
            "classification": Task("cross_entropy", output="softmax", hidden="relu", citation="linear-classify.md"),
            "margin": Task("multiclass_hinge", hidden="relu", citation="linear-classify.md"),
        },
        l2="one",
        citation=f"{_CS231N_CITATION}, lecture notes linear-classify.md and optimization-2.md; read.",
        evidence="P",
        notes="The notes prefer to regularise W alone, and also show the bias trick, with the 1 last.",
    ),
    Convention(
        name="row-order",
        title="Rows everywhere: one example a row, one node a row, x₀ = 1",
        layout=Layout(batch="rows", weights="rows", bias="first", derivative="numerator"),
        assumed=("vec",),
        citation="An unpublished derivation of backpropagation in numerator layout, this library's first use; read.",
        evidence="P",
        notes="Y = X Wᵀ, dL/dW = (Xᵀ dY)ᵀ, dL/dX = dY W with the column of the ones dropped; "
        "block (d, m) of ∂y/∂Wᵀ is x_d e_m. Loss and regulariser are the user's.",
    ),
    Convention(
        name="vecderivs-columns",
        title="Vector, Matrix, and Tensor Derivatives: columns, y = W x",
        layout=Layout(batch="columns", weights="rows", bias="none", derivative="numerator"),
        assumed=("vec",),
        citation="E. Learned-Miller, Vector, Matrix, and Tensor Derivatives, University of Massachusetts Amherst; "
        "the sections on columns read.",
        evidence="P",
        notes="dy/dx = W with W (C×D).",
    ),
    Convention(
        name="vecderivs-rows",
        title="Vector, Matrix, and Tensor Derivatives: rows, y = x W",
        layout=Layout(batch="rows", weights="columns", bias="none", derivative="denominator"),
        assumed=("vec",),
        citation="E. Learned-Miller, Vector, Matrix, and Tensor Derivatives, University of Massachusetts Amherst; "
        "eq. 7 and the section on mini-batches read.",
        evidence="P",
        notes="Eq. 7 prints dy/dx = W for rows too, with W (D×C): that is denominator layout; numerator has Wᵀ.",
    ),
    Convention(
        name="cs224n-columns",
        title="CS224n gradient notes: columns, z = W x",
        layout=Layout(batch="columns", weights="rows", bias="separate", derivative="numerator"),
        assumed=("bias", "vec"),
        tasks={"classification": _CS224N},
        names=_CS224N_NAMES,
        one_example=True,
        citation="K. Clark, Computing Neural Network Gradients, Stanford CS224n, 2017; read, and a later copy.",
        evidence="P",
        notes="One example. δ is a row; for z = W x the 2017 notes print δᵀx, a later copy δᵀxᵀ. "
        "A weight's gradient has the weight's shape.",
    ),
    Convention(
        name="cs224n-rows",
        title="CS224n gradient notes: rows, z = x W",
        layout=Layout(batch="rows", weights="columns", bias="separate", derivative="numerator"),
        assumed=("vec",),
        tasks={"classification": _CS224N},
        names=_CS224N_NAMES,
        one_example=True,
        citation="K. Clark, Computing Neural Network Gradients, Stanford CS224n, 2017; read.",
        evidence="P",
        notes="One example; b is printed as (1, D), here (D,). ∂(xW)/∂x = Wᵀ.",
    ),
    Convention(
        name="nielsen",
        title="Neural Networks and Deep Learning: a = σ(w a + b), one column",
        layout=Layout(batch="columns", weights="rows", bias="separate", vec="C"),
        assumed=("vec", "derivative"),
        reduction="mean",
        tasks={
            "classification": Task(
                "squared_error",
                0.5,
                output="sigmoid",
                citation="chapter 2, eq. 26, C = 1/(2n) Σ‖y − a‖²; QuadraticCost in network2.py",
                notes="Targets are one-hot columns.",
            ),
            "cross-entropy": Task(
                "binary_cross_entropy", output="sigmoid", citation="chapter 3; CrossEntropyCost in network2.py"
            ),
        },
        l2="half-over-n",
        one_example=True,
        citation="M. Nielsen, Neural Networks and Deep Learning, Determination Press, 2015; chapters 1–3 in secondary "
        "copies read, and an early version of code/network2.py.",
        evidence="S",
        notes="Each b is a column. The book's regulariser is λ/(2n)·Σw², biases left out. The code sums over a "
        "mini-batch, and divides by its size in the step.",
    ),
    Convention(
        name="mazur",
        title="A Step by Step Backpropagation Example: sigmoids, E = ½Σ(target − out)²",
        layout=Layout(batch="columns", weights="rows", bias="separate"),
        assumed=("batch", "vec", "derivative"),
        reduction="sum",
        tasks={
            "regression": Task("squared_error", 0.5, output="sigmoid", citation="Calculating the Total Error"),
        },
        one_example=True,
        citation="M. Mazur, A Step by Step Backpropagation Example, mattmazur.com, March 2015; secondary copies read.",
        evidence="S",
        notes="One example, 2-2-2. All neurons of a layer share one bias, which is not trained; here each has its own. "
        "w1 and w2 lead to the first hidden neuron, so a row of W1 is a neuron. There is no regulariser.",
    ),
)
