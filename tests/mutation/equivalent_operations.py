"""Equivalent mutants of the operations."""

from __future__ import annotations

from tests.mutation.reasons import COST, EITHER_STRUCTURE, FORMULAS, MEMORY, REFUSED, SAME_AT_ZERO, WIDER

EQUIVALENT_OPERATIONS: dict[str, list[tuple[str, str]]] = {
    "operations.affine: Affine._linearize": [
        ("out=Z if np.can_cast(b.dtype, Z.dtype) else None → out=None", COST),
    ],
    "operations.affine: Affine._by_bias": [
        ("by_bias if by_bias.domain == shape else * → Product*", EITHER_STRUCTURE + ": the reshaping is an identity"),
        ("by_bias.domain == shape → by_bias.codomain == shape", EITHER_STRUCTURE + ": the reshaping is an identity"),
    ],
    "operations.products: add": [("Add(layout)(A, B) → Add(layout)(B, A)", "addition commutes")],
    "operations.structure: Reshaping.__init__": [("tuple(shape) → shape", "NumPy and Reshape take lists too")],
    "operations.structure: _ones": [
        ("if X.ndim == 1: *", EITHER_STRUCTURE),
        ("X.ndim == 1 → X.ndim == 0", EITHER_STRUCTURE),
        ("if 0 < axis < X.ndim - 1: * → if True: *", EITHER_STRUCTURE),
        ("0 < axis < X.ndim - 1 → *", EITHER_STRUCTURE),
        ("X.ndim - 1 → X.ndim - 0", EITHER_STRUCTURE),
        ("spread.T if weight == 1.0 else *", "1 J is J, and says so itself"),
        ("weight == 1.0 → weight == *", "1 J is J, and says so itself"),
        ("if kron.domain != X.shape: *→ if True: *", EITHER_STRUCTURE + ": the reshaping is an identity"),
        ("kron.domain != X.shape → kron.codomain != X.shape", EITHER_STRUCTURE + ": the reshaping is an identity"),
        ("Product(tuple(factors)) → Product(factors)", "a list is read like a tuple"),
    ],
    "operations.softmax: exponentials": [("if np.isinf(top).any(): *→ if True: *", COST)],
    "operations.cross_entropies: CrossEntropy._examples": [("if np.isneginf(log_p).any(): *→ if True: *", COST)],
    "operations.cross_entropies: _class_targets": [
        ("if Y.ndim == 2 and *", REFUSED),
        ("Y.ndim == 2 and Y.size == X.size and (Y.size != count) → *", REFUSED),
        ("Y.ndim == 2 → *", REFUSED),
        ("same_shape_targets(Y, X, operation, layout) → same_shape_targets(X, Y, operation, layout)", REFUSED),
    ],
    "operations.cross_entropies: BinaryCrossEntropy._examples": [
        ("np.where(X > 0, 1 - targets, targets) → np.where(X >= 0, 1 - targets, targets)", SAME_AT_ZERO),
        ("np.maximum(e, X >= 0) → np.maximum(e, X > 0)", SAME_AT_ZERO),
    ],
    "operations.margin_losses: Logistic._examples": [
        ("np.maximum(e, margin < 0) → np.maximum(e, margin <= 0)", SAME_AT_ZERO),
    ],
    "operations.cross_entropies: ProbabilityCrossEntropy._*": [
        ("np.where(X == 1, 1, 1 - X) → np.where(X == 1, 2, 1 - X)", "0 divided by any number"),
        ("np.where(X == 0, 1, X) → np.where(X == 0, 2, X)", "0 divided by any number"),
    ],
    "operations.cross_entropies: _unit_targets": [
        ("X.ndim == 2 and Y.shape != X.shape and * → Y.shape != X.shape and *",
         "an X of other rank has targets of its own shape, or is refused"),
        ("X.ndim == 2 and Y.shape != X.shape and * → X.ndim == 2 and X.shape[layout.feature_axis] > 1 and *",
         "a matrix and a vector differ in shape: the condition is said twice"),
    ],
    "operations.loss_base: Loss.weight": [
        ("self.reduction in ('sum', 'none') → self.reduction in ('none', 'sum')", "the order of a set"),
    ],
    "operations.loss_base: Loss.total": [
        ("if weight != 1.0: array *= weight → if True: *", COST),
        ("weight != 1.0 → weight != 2.0", "no reduction has this weight"),
        ("weight != 1.0 → weight != 0.0", COST),
    ],
    "operations.targets: class_labels": [
        ("if flat.dtype == np.intp and * → if False: *", COST),
        ("flat.astype(np.intp) → flat", "integer labels index as they are"),
    ],
    "operations.loss_base: sum_over_example": [
        ("values.dtype == np.float32 and values.size > _LONG * * → values.size > *", WIDER),
        ("values.dtype == np.float32 and * → values.dtype == np.float32", WIDER),
        ("values.dtype == np.float32 and * → values.dtype == np.float32 or *", WIDER),
        ("values.dtype == np.float32 and * → *values.size >= _LONG*", "a sum one term shorter or longer"),
        ("values.size > _LONG * values.shape[layout.batch_axis] → values.size > *", WIDER),
        ("dtype=np.float64 if long else None → dtype=np.float64", WIDER),
    ],
    "operations.base: Jacobians.pull": [("if self._pull is not None: *→ if False: *", COST)],
    "operations.base: Unary.apply": [("self.inputs[0] → self.inputs[-1]", "one array, one input")],
    "operations.combinators: _Composite.__init__": [("tuple(parts) → parts", "every caller has a tuple")],
    "operations.combinators: Chain.sweep": [
        ("inputs or i > 0 → inputs or i >= 0", "pulls back to X too, and leaves it out: only the cost differs"),
        ("i > 0 → i > -1", "pulls back to X too, and leaves it out: only the cost differs"),
    ],
    "operations.combinators: Residual._evaluate": [("self.parts[0] → self.parts[-1]*", "a residual has one part")],
    "operations.combinators: Parallel._evaluate": [
        ("(self.layout or Layout()).feature_axis → self.layout.feature_axis", "the constructor has set a layout"),
    ],
    "operations.smooth_rectifiers: _SmoothRectifier._rule": [("as_array(z >= 0) → as_array(z > 0)", SAME_AT_ZERO)],
    "operations.sigmoidal: Sigmoid._rule": [
        ("np.abs(np.subtract(z >= 0, w, *→ np.abs(np.subtract(w, z >= 0, *", "an absolute value has no sign"),
        ("np.subtract(z >= 0, w, out=value) → np.subtract(z > 0, w, out=value)", SAME_AT_ZERO),
        ("with np.errstate(under='ignore'): d = *", "1 − w is 1 where w is subnormal, so the product is exact"),
    ],
    "operations.sigmoidal: Tanh._rule": [
        ("with np.errstate(under='ignore'): value = *", "this machine's tanh raises no flag; another's may"),
    ],
    "operations.rectifiers: LeakyReLU._rule": [
        ("(np.maximum if slope <= 1 else np.minimum)(z, value, out=value) → *(value, z, out=value)", "max commutes"),
        ("np.maximum if slope <= 1 else np.minimum → np.maximum if slope < 1 *", "at slope 1 both arrays are equal"),
    ],
    "operations.smooth_rectifiers: SiLU._tail": [("-100000.0 → -200000.0", "any bound at which σ has underflowed")],
    "operations.smooth_rectifiers: _floor": [
        ("if not n.min(initial=0) >= bound: *→ if True: *", COST),
        ("not n.min(initial=0) >= bound → *", COST),
        ("initial=0 → *", "every bound lies below, every n too"),
    ],
    "operations.powers: Exp._rule": [
        ("value.copy(order='K') → value.copy()", MEMORY),
        ("lambda: kept.copy(order='K') → lambda: kept*", "a Jacobian asks once, and hands out copies of what it keeps"),
    ],
    "operations.powers: Power._rule": [
        ("p >= 0.5 or p - 1 + 1 == p → *", FORMULAS),
        ("p >= 0.5 → *", FORMULAS),
        ("p - 1 + 1 == p → *", FORMULAS),
        ("p - 1 + 1 → *", FORMULAS),
        ("p - 1 → *", FORMULAS),
    ],
    "operations.powers: _raise": [
        ("if p == 1: *→ if False: *", COST),
        ("if p == 2: *→ if False: *", COST),
        ("z.copy(order='K') → z.copy()", MEMORY),
        ("None if float(z.dtype.type(p)) == p else np.float64 → np.float64", WIDER),
    ],
    "operations.normal_tail: scaled_tail": [
        ("_SINGLE if n.dtype.itemsize == 4 else _DOUBLE → _DOUBLE", WIDER),
        ("n.dtype.itemsize == 4 → n.dtype.itemsize == *", WIDER),
    ],
    "operations.normal_tail: half_gaussian": [
        ("4097.0 if * else 134217729.0 → 8194.0 *", "a split one bit further on is as good"),
        ("4097.0 if * else 134217729.0 → *268435458.0", "a split one bit further on is as good"),
        ("np.subtract(head, n, out=*) → np.add(head, n, *", "splits −n in place of n: only squares of the parts count"),
        ("np.subtract(h, rest, out=h) → np.subtract(rest, h, out=h)", "−h in place of h: only h² counts"),
    ],
}  # fmt: skip
