"""What is public, which way imports point, and what an import costs: changed on purpose, or not at all."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jacobians
from jacobians import layers, linops, matrix, operations
from tests.docs import rooms

PACKAGE = Path(jacobians.__file__).parent
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
MODULES = sorted(m.name for m in pkgutil.walk_packages([str(PACKAGE)], "jacobians.") if m.name != "jacobians.__main__")


def words(text: str) -> list[str]:
    return text.split()


PUBLIC = words("""
    BlockByBlock Convention Factor Jacobian Jacobians JacobiansError Layout Network Operation Run add add_ones
    affine all_conventions audit audit_program binary_cross_entropy check_gradient check_hessian check_jacobian
    compare convention cross_entropy diagnose differentiate empirical_fisher exp explain fit gauss_newton gelu grad
    hadamard hessian huber in_blocks jacobian kl_divergence kronecker_factored l2 leaky_relu linear load_digits
    load_parameters log log_softmax logistic_loss matmul mean multiclass_hinge poisson power reduction_ratio relu
    replayed reshape save_parameters sigmoid silu softmax softplus square squared_error tanh temporal_softmax total
    translate_batch translate_gradients translate_jacobian translate_kernel translate_network translate_packed
    translate_parameters transpose unvec values vec
""")

LINOPS = words("""
    DENSE_LIMIT BatchedKronecker BlockDiagonal BlockRow Broadcast Commutation Denominator Dense Diagonal
    DiagonalMinusOuter DirectSum Duplication Elimination ForEachExample Frechet GatedRecurrence Identity Jacobian
    KhatriRao KhatriRaoSum Kronecker LowRank PermutedAxes PickedFromWindows Plan Product Reshape Scaled Selection
    SharedKernel SlidingKernel Sparse Sum SylvesterInverse Transposed Windows Zero
""")

OPERATIONS = words("""
    Add AddOnes Affine BinaryCrossEntropy Chain CrossEntropy Elementwise Exp GELU Hadamard Huber Jacobians
    KLDivergence L2 LeakyReLU Log LogSoftmax Logistic Loss MatMul Mean MulticlassHinge Operation Parallel Poisson
    Power Primitive ProbabilityCrossEntropy ReLU Reshaping Residual SiLU Sigmoid Softmax Softplus Square
    SquaredError Tanh TemporalSoftmax Total Transpose Unary Weighted add add_ones affine binary_cross_entropy
    cross_entropy exp gelu hadamard huber kl_divergence l2 leaky_relu linear log log_softmax logistic_loss matmul
    mean multiclass_hinge poisson power relu reshape sigmoid silu softmax softplus square squared_error tanh
    temporal_softmax total transpose
""")

MATRIX = words("""
    Bilinear Cayley Cholesky Circulant Congruence Correlation Covariance Determinant DiagonalMatrix DiagonalOf Division
    Eigenvalues Eigenvectors FrobeniusNorm Gaussian GaussianByCholesky Gram Inverse KroneckerProduct LDL LeastSquares
    LogAbsDeterminant LogDeterminant Lyapunov Mahalanobis MatrixExponential MatrixLogarithm MatrixPower MatrixSquareRoot
    Normalise NuclearNorm Orthogonal Outer PNorm PseudoInverse QR Quadratic Sign SingularValues SingularVectors Skew
    Solve SpectralFunction SpectralNorm Sylvester Symmetrised Toeplitz Trace Triangle Triangular TripleProduct Unvech
    Vech bilinear cayley cholesky circulant commutation congruence correlation covariance det diag diagonal_of divide
    duplication eigh eigvalsh elimination expm frobenius_norm gaussian gaussian_by_cholesky gram inverse kron ldl
    least_squares logdet logm lyapunov mahalanobis matrix_power normalise nuclear_norm orthogonal outer p_norm pinv qr
    quadratic ridge skew slogdet solve spectral_function spectral_norm sqrtm svd svdvals sylvester symmetrised toeplitz
    trace triangular tril triple_product triu unvech vech
""")


LAYERS = words("""
    Absolute Attention BatchNorm Clip Convolution Dropout ELU Embedding Flattened GRU GlobalPool GroupNorm HardSwish
    HardTanh LSTM LayerNorm Maximum Minimum Mish MultiHeadAttention PReLU Padded Pool RMSNorm
    RNN SELU SoftSign Sqrt TransposedConvolution absolute attention avg_pool batch_norm clip conv1d
    conv2d conv_transpose2d cos dropout elu embedding flatten global_avg_pool global_max_pool group_norm gru gru_step
    hard_swish hard_tanh initial_weights kronecker_factored_rows layer_norm lstm lstm_step
    max_pool maximum minimum mish multi_head_attention pad prelu rms_norm rnn rnn_step running_statistics selu
    sin soft_sign sqrt
""")


# --- names -------------------------------------------------------------------------------------------


def test_public_names_are_pinned() -> None:
    """As sets, so that pytest names the one that was added; no list names anything twice."""
    assert len(PUBLIC) < 80
    for home, pinned in (
        (jacobians, PUBLIC),
        (linops, LINOPS),
        (operations, OPERATIONS),
        (matrix, MATRIX),
        (layers, LAYERS),
    ):
        assert len(home.__all__) == len(set(home.__all__))
        assert set(home.__all__) == set(pinned), f"{home.__name__}: say so in the list at the head of this file"


def test_type_checkers_find_every_public_name() -> None:
    """They read the imports of the whole of each home: it lists every name that the table says it is home to."""
    block = next(node for node in ast.parse(inspect.getsource(jacobians)).body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    homes = [node.module for node in block.body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    assert homes == [f"jacobians.{home}" for home in jacobians._HOMES]
    for name in jacobians.__all__:
        home = importlib.import_module(jacobians._HOME_OF[name])
        assert name in home.__all__
        assert getattr(jacobians, name) is getattr(home, name)


def test_only_public_names_are_completed() -> None:
    names = [name for name in dir(jacobians) if not name.startswith("__")]
    assert names == sorted([*PUBLIC, "layers", "matrix"])


def test_the_classes_of_operations_are_found_at_the_top() -> None:
    for name in OPERATIONS:
        assert getattr(jacobians, name) is getattr(operations, name)
    with pytest.raises(AttributeError, match="module 'jacobians' has no attribute 'Dense'"):
        _ = jacobians.Dense


def test_the_activations_of_a_network_by_name() -> None:
    """They follow from the classes, so that no list has to be kept."""
    assert {"sigmoid", "tanh", "relu", "leaky_relu", "softplus", "gelu", "silu"} <= {*operations.ACTIVATIONS}
    assert all(kind().name == name for name, kind in operations.ACTIVATIONS.items())


def test_no_public_name_hides_a_submodule() -> None:
    """Or ``jacobians.name`` would be the one or the other, depending on what was imported first."""
    assert not set(jacobians.__all__) & {name.split(".")[1] for name in MODULES}


@pytest.mark.parametrize("name", ["jacobians", *MODULES])
def test_every_listed_name_is_there(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    listed = getattr(module, "__all__", [])
    assert len(listed) == len(set(listed))
    missing = [public for public in listed if not hasattr(module, public)]
    assert not missing
    assert set(listed) <= set(dir(module))


@pytest.mark.parametrize("module", [jacobians, layers, linops, matrix, operations], ids=lambda m: m.__name__)
def test_every_public_name_is_documented(module: object) -> None:
    for name in module.__all__:  # type: ignore[attr-defined]
        value = getattr(module, name)
        if callable(value):
            own = value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__
            assert own, f"{name} has no docstring of its own"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'jacobians' has no attribute 'hessians'"):
        _ = jacobians.hessians
    assert set(jacobians.__all__) <= set(dir(jacobians))


# --- imports -----------------------------------------------------------------------------------------

_BASE = {"errors", "arrays", "first_tries", "layout"}
_CONVENTIONS = {"array_names", "conventions", "presets", "named_parameters"}
_CORE = _BASE | _CONVENTIONS | {"linops", "operations", "translate"}
_NETWORK = _CORE | {"batches", "factors", "graphs", "network", "stops"}
_FORMULAS = _NETWORK | {"symbols", "derivation"}

MAY_IMPORT = {
    "errors": set(),
    "arrays": {"errors"},
    "first_tries": {"errors", "arrays"},
    "layout": {"errors", "arrays", "first_tries"},
    "whole_files": set(),
    "other_names": {"arrays"},
    "initial": {"errors", "arrays"},
    "data": {"errors", "arrays", "first_tries"},
    "batches": {"errors", "arrays", "first_tries", "whole_files"},
    "symbols": _BASE,
    "linops": _BASE | {"pictures"},
    "pictures": _BASE | {"linops"},
    "operations": _BASE | _CONVENTIONS | {"linops", "symbols"},
    "matrix": _BASE | _CONVENTIONS | {"linops", "symbols", "operations", "graphs", "other_names"},
    "layers": _BASE | _CONVENTIONS | {"linops", "symbols", "operations", "graphs", "initial", "other_names"},
    "array_names": {"errors", "first_tries"},
    "conventions": _BASE | {"array_names", "named_parameters"},
    "named_parameters": _BASE | {"array_names"},
    "presets": _BASE | _CONVENTIONS,
    "translate": _BASE | _CONVENTIONS,
    "role_names": _BASE | _CONVENTIONS,
    "array_roles": _BASE | _CONVENTIONS | {"role_names"},
    "factors": _CORE | {"pictures"},
    "stops": _CORE,
    "graphs": _CORE | {"factors", "pictures", "symbols"},
    "network": _CORE | {"batches", "factors", "graphs", "initial", "pictures", "stops"},
    "recording": _BASE,
    "curvature": _NETWORK,
    "block_by_block": _NETWORK | {"curvature"},
    "of_functions": _NETWORK | {"checking", "graphs"},
    "checking": _NETWORK | {"graphs"},
    "testing": _NETWORK | {"checking", "graphs", "symbols"},
    "diagnosis": _NETWORK | {"checking", "graphs", "layers"},
    "training": _NETWORK | {"batches", "block_by_block", "curvature", "recording"},
    "parameter_files": _BASE | _CONVENTIONS | {"array_roles", "data", "role_names", "translate", "whole_files"},
    "file_attempt": _NETWORK | {"checking", "array_roles"},
    "file_verdict": _NETWORK | {"checking", "diagnosis", "array_roles", "file_attempt"},
    "derivation": _FORMULAS,
    "auditing": _FORMULAS | {"diagnosis"},
    "differentiation": _FORMULAS | {"auditing", "matrix"},
    "programs": _FORMULAS | {"checking"},
    "moved_networks": _NETWORK | {"layers"},
    "comparison": _FORMULAS | {"checking", "array_roles", "layers", "moved_networks"},
    "explorer": _FORMULAS | {"comparison", "data", "differentiation", ""},
    "cli": _FORMULAS
    | {
        "checking",
        "diagnosis",
        "auditing",
        "comparison",
        "differentiation",
        "explorer",
        "data",
        "array_roles",
        "file_attempt",
        "file_verdict",
        "parameter_files",
        "programs",
        "training",
        "whole_files",
        "",
    },
    "__main__": {"cli"},
}
"""By the first part of a module's name, what it may import from the library; "" is the package itself."""


def imported(tree: ast.AST) -> Iterator[str]:
    """The library's modules that are named in a file's imports, at the top of it or within a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def step(name: str) -> str:
    """The first part of a module's name within the package."""
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("file", [file for file in FILES if file != "__init__.py"])
def test_imports_point_one_way(file: str) -> None:
    own = step("jacobians." + file.removesuffix(".py").replace("/", "."))
    assert own in MAY_IMPORT, f"say in MAY_IMPORT where {own} stands"
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    used = {step(name) for name in imported(tree) if name.split(".")[0] == "jacobians"}
    assert used <= MAY_IMPORT[own] | {own}


def file_graph() -> dict[str, set[str]]:
    """The files that each file imports: at its top, within a function, or for types alone."""
    graph = {module: rooms.imports(path) for module, path in rooms.modules().items()}
    return {
        module.removesuffix(".__init__"): {m.removesuffix(".__init__") for m in used} for module, used in graph.items()
    }


def detour(graph: dict[str, set[str]], start: str) -> list[str]:
    """The shortest way along imports from a file back to itself; empty if there is none."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for other in sorted(graph[way[-1]] - seen):
            if other == start:
                return [*way, start]
            seen.add(other)
            ways.append([*way, other])
    return []


def test_no_file_imports_itself_by_a_detour() -> None:
    graph = file_graph()
    circles = [" → ".join(way) for name in graph if (way := detour(graph, name))]
    assert not circles, "\n".join(circles)


def test_a_detour_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": set()}
    assert detour(graph, "b") == ["b", "c", "a", "b"]
    assert detour(graph, "d") == []
    assert {"jacobians.linops.jacobian", "jacobians.pictures.svg"} <= file_graph()["jacobians.linops"]


@pytest.mark.parametrize("statement", ["import jacobians", "from jacobians import *"])
def test_importing_the_library_does_not_import_scipy(statement: str) -> None:
    """SciPy's modules cost more than NumPy itself; they are loaded on first use."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    log = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PACKAGE.parent, timeout=60).stderr
    loaded = [line.rpartition("|")[2].strip() for line in log.splitlines() if line.startswith("import time:")]
    assert "jacobians" in loaded
    assert not [name for name in loaded if name.split(".")[0] == "scipy"]
