"""Equivalent mutants of what all structures share: views, kernels, orders."""

from __future__ import annotations

from tests.mutation.reasons import AGREE, COST, MEMORY, ONE_BY_ONE, REFUSED, SIDE, SLABS, SQUARE, STEPS, WIDER

EQUIVALENT_VIEWS: dict[str, list[tuple[str, str]]] = {
    "linops.[bm]a*: *.__init__": [("dtype if dtype in _NATIVE else * → as_float*", COST)],
    "linops.[bm]a*: *._diagonal": [
        ("self.shape[0] → self.shape[*", SQUARE),
        ("max(1, * → max(*", "blocks of another size"),
        ("(1 << 24) // * → *", "blocks of another size"),
        ("1 << 24 → *", "blocks of another size"),
        ("np.zeros((stop - start, size), dtype=self.dtype) → np.zeros((stop - start, size))", WIDER),
        ("-1 → -2", "NumPy infers a size from any negative number"),
    ],
    "linops.[bm]a*: *.diagonal": [("c_index_of_f(self.domain) → c_index_of_f(self.codomain)", AGREE)],
    "linops.[bm]a*: *.[jv][vj]p": [
        ("image.copy(order='K') if * → image.copy(*", MEMORY),
        ("*is_borrowed(image, (*tangent*self.arrays)) → *", "the order of a set"),
    ],
    "linops.[bm]a*: *._operand": [
        ("array.ndim == 2 and array.shape[0] == size → *", REFUSED),
        ("array.shape in ((size,), (size, 1)) → *", "the order of a set"),
    ],
    "linops.matrix_views: MatrixViews.block_diagonal": [
        ("axis in (None, a) → *", "the order of a set"),
        ("if isinstance(self, BlockDiagonal): * → if False: *", "its own blocks once more"),
        ("self.domain[axes[0]] → self.codomain[axes[0]]*", AGREE),
    ],
    "linops.matrix_views: MatrixViews._matrix_action": [
        ("act(stack[0])[np.newaxis] if len(stack) == 1 else act(stack) → act(stack)", "a stack of one"),
        ("stack[0] → stack[-1]", "a stack of one"),
    ],
    "linops.[bm]a*: *.__neg__": [("self * -1.0 → self / -1.0", "multiplying by −1 and dividing by it are exact")],
    "linops.base: Jacobian.__init_subclass__": [
        ("without super().__init_subclass__()", "the base of all classes does nothing there"),
    ],
    "linops.base: Jacobian._row_norms": [
        ("min(example_axes(*→ max(example_axes(*", "either axis serves"),
        ("super()._row_norms() if axis is None else * → super()._row_norms()", COST),
    ],
    "linops.base: Jacobian._with_order": [("if order == self.order: *→ if False: *", COST)],
    "linops.base: Jacobian.__sub__": [("if not isinstance(other, Jacobian): *→ if False: *", "addition refuses it")],
    "linops.dense_view: DenseView._fill": [
        ("self.shape[*] > self.shape[*] → *", SIDE),
        ("self.shape[*] → self.shape[*", SIDE),
        ("slabs(size_of(shape), * → slabs(size_of(shape), *", SLABS),
        ("np.zeros((count, size_of(shape)), dtype=self.dtype) → np.zeros((count, size_of(shape)))", WIDER),
    ],
    "linops.dense_view: *._order": [("self.order or 'C' if * → self.order if *", "what is not F is C")],
    "linops.row_views: RowViews.row_norms": [("*.copy() → *", MEMORY)],
    "linops.row_views: RowViews._*": [("np.e*, dtype=self.dtype)* → np.e*", WIDER)],
    "linops.row_views: RowViews._steps": [
        ("example_steps(size, * → example_steps(size, *", STEPS),
        ("size_of(self.domain) → size_of(self.codomain)", STEPS),
    ],
    "linops.kernels: matmul": [
        ("right.ndim == 2 → right.ndim == 0", ONE_BY_ONE),
        ("if left.ndim != 2 and right.ndim == 2: * → if False: *", ONE_BY_ONE),
        ("left.ndim → right.ndim", ONE_BY_ONE),
        ("right.ndim → left.ndim", ONE_BY_ONE),
        ("right.shape[-1] → right.shape[1]", "a matrix here"),
        ("inner <= _LONG or *→ left.dtype != np.float32 or right.dtype != np.float32", WIDER),
        ("inner <= _LONG or *→ inner < _LONG or *", "a sum of one block"),
    ],
    "linops.kernels: _product": [("left.dtype → right.dtype", "only the orientation, of factors of two dtypes")],
    "linops.kernels: outer": [
        ("*right if right.flags.c_contiguous else right.copy()) → *right*", MEMORY),
        ("right if right.flags.c_contiguous else right.copy() → *else right", MEMORY),
        ("right.flags → left.flags", MEMORY),
        ("abs(out.strides[-1]) > abs(out.strides[-2]) → *abs(out.strides[-1]) >= *", "strides of the same size"),
        ("np.multiply(* → np.matmul(*", "a matrix product of inner length 1 is an outer product"),
    ],
    "linops.kernels: norms": [
        ("values.dtype == np.float32 and * → *", WIDER),
        ("dtype=np.float64 if long else None → dtype=np.float64", WIDER),
    ],
    "linops.kernels: sparse_matmul": [
        ("stack.dtype == np.float32 and * → *", WIDER),
        ("(stack.astype(np.float64) if long else stack).T → stack.astype(*", WIDER),
    ],
    "linops.kernels: total": [
        ("values.dtype == np.float32 and * → *", WIDER),
        ("values.dtype == np.float32 and * → *>= _LONG", WIDER),
        ("dtype=np.float64 if long else None → dtype=np.float64", WIDER),
    ],
    "linops.orders: *roll": [
        ("order == 'F' and len(shape) > 1 → *", "a vector is unrolled in one way"),
        ("len(shape) > 1 → len(shape) > 0", "a vector is unrolled in one way"),
    ],
}  # fmt: skip
