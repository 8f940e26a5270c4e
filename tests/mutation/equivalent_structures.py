"""Equivalent mutants of the structured Jacobians and their algebra."""

from __future__ import annotations

from tests.mutation.equivalent_operations import COST, MEMORY, WIDER

SQUARE = "the matrix is square"
LIST = "a list is read like a tuple"
ONE = "an axis of length 1 has one place"
AGREE = "the shapes, axes or dtypes of both agree here, or the rule has been left"
ONE_BY_ONE = "stacks are multiplied one by one: only the cost differs"
ORDER = "another order of multiplication: the same product, at another cost"
CAST = "the result is cast to the chain's dtype at the end"
APART = "a chain of maps that keep examples apart always has a diagonal by its waist"
ANY_CUT = "a product may be cut anywhere: only the cost differs"
STEPS = "steps of another size: only the memory differs"
SLABS = "slabs of another size"
SIDE = "from either side the same matrix: only the cost differs"
REFUSED = "wrong input is refused elsewhere, with another message"

EQUIVALENT_STRUCTURES: dict[str, list[tuple[str, str]]] = {
    "linops.algebra: _chain": [
        ("Product(tuple(factors)) → Product(factors)", LIST),
        ("factors[0] → factors[-1]", "there is one"),
    ],
    "linops.algebra: _merge": [
        ("right.dtype → left.dtype (5)", "the chain has the joint dtype of both anyway"),
        ("right.dtype → left.dtype (6)", "the chain has the joint dtype of both anyway"),
        ("without case [Scaled(), Scaled()]", "the two rules after it do the same in two steps"),
    ],
    "linops.algebra: compose": [
        ("left.order if left.order == right.order else * → joint_order(left, right)", COST),
        ("left.order → right.order (2)", AGREE),
        ("Dense(np.asarray(left._jvp(column)), left.codomain) → Dense(left._jvp(column), left.codomain)",
         "Dense makes an array of what it is given"),
    ],
    "linops.algebra: add": [
        ("left.codomain → right.codomain*", AGREE),
        ("numerators(left, right, 'add') → numerators(right, left, 'add')", "addition commutes"),
        ("Dense(np.asarray(left.array + right.array), *→ Dense(left.array + *", "Dense makes an array of it"),
    ],
    "linops.block_diagonal: BlockDiagonal.__init__": [("*fits*", REFUSED), ("axis in (0, -1)*", REFUSED)],
    "linops.block_diagonal: BlockDiagonal._act": [
        ("(:, 0) → (:, -1)", ONE),
        ("(:, :, 0) → (:, :, -1)", ONE),
        ("(..., 0) → (..., -1)", ONE),
        ("if * == 1: *→ if False: *", COST),
    ],
    "linops.block_diagonal: BlockDiagonal._diagonal": [
        ("if self.codomain != self.domain: *→ if True: *", COST),
        ("self.shape[0] → self.shape[*", SQUARE),
        ("np.empty(self.shape[0]*→ np.empty(self.shape[*", SQUARE)],
    "linops.block_row: BlockRow.__init__": [("tuple(blocks) → blocks", LIST), ("blocks[0] → blocks[-1]", AGREE)],
    "linops.block_row: BlockRow._*": [
        ("self.domain[0] → self.domain[-1]", "the packed vector has one axis"),
        ("np.asarray(reduce(add, images)).reshape → reduce(add, images).reshape", "NumPy scalars reshape to arrays"),
    ],
    "linops.chain_diagonal: _diagonal": [
        ("factors[0].codomain != shape or * → factors[0].codomain != shape*", "the other end has it by construction"),
        ("np.ones(shape, dtype=dtype) → np.ones(shape)", CAST),
        ("*.astype(dtype, copy=False) → *", CAST),
        ("factors[0] → factors[-1] (2)", "there is one"),
        ("_same_entries(kept, again) → _same_entries(again, kept)", "equality has no sides"),
        ("case [*Kronecker(left=np.ndarray()*] if axes without its condition", "without axes no rule holds later"),
        ("if inner is None: return None → if False: return None", APART),
        ("*.arrays[0] → *.arrays[-1]", "X ⊗ I stores one array"),
        ("min(example_axes(factors), default=None) → max(example_axes(factors), default=None)", "either axis serves"),
        ("len(factor.domain) → len(factor.codomain)", SQUARE),
    ],
    "linops.chain_diagonal: _less_outer": [
        ("None if inner is None else inner - columns * rows → inner - *", APART),
        ("(between.u.astype(dtype), between.v.astype(dtype)) → *", "the factors' own dtypes widen it on the way"),
    ],
    "linops.chain_diagonal: _same_entries": [("* → np.array_equal(other._source(), *", "equality has no sides")],
    "linops.chain_diagonal: _of_blocks": [
        ("above.packing != beside.packing or * → above.packing != beside.packing", "other sizes have no rule"),
        ("right.domain → left.domain*", "they are equal, or the rule has been left"),
        ("part.ravel()[* → part.ravel()[*else part", "a vector in C order is its own ravel where packing is C"),
    ],
    "linops.chain_diagonal: _by_waist": [
        ("*for f in factors[:-1]] → *for f in factors*]", ANY_CUT),
        (":-1 → :1", ANY_CUT),
        ("min(range(len(waists)), key=waists.__getitem__) → max(*", ANY_CUT),
        ("np.zeros(factors[-1].domain, dtype=dtype) → np.zeros(factors[-1].domain)", CAST),
        ("example_steps(*", STEPS),
        ("size_of(f.domain) → size_of(f.codomain)", STEPS),
    ],
    "linops.chain_rows: chain_*": [
        ("factors[0] → factors[-1]", "there is one"),
        ("*.arrays[0] → *.arrays[-1]", "X ⊗ I stores one array"),
        ("KhatriRao(*)._gram → KhatriRao(*)._gram", "inner products do not depend on the order of the factors"),
    ],
    "linops.commutation: Commutation._sparse": [("self.shape[0] → self.shape[*", SQUARE)],
    "linops.commutation: Commutation._diagonal": [
        ("self.shape[0] → self.shape[*", SQUARE),
        ("np.arange(self.shape[0]) → np.arange(self.shape[1])", SQUARE),
    ],
    "linops.diagonal_minus_outer: DiagonalMinusOuter.blocks": [
        ("np.asarray(*, dtype=self.dtype) → *", "d, u and v of one dtype give it"),
    ],
    "linops.examples: example_axes": [("frozenset((0, -1)) → frozenset((-1, 0))", "a set has no order")],
    "linops.examples: example_basis": [("np.eye(*, dtype=dtype) → np.eye(*", WIDER)],
    "linops.examples: example_row_norms": [
        ("np.empty(*, dtype=dtype) → np.empty(*", WIDER),
        ("size_of(*", STEPS),
    ],
    "linops.diagonal: Diagonal._fill": [("len(self.domain) → len(self.codomain)", AGREE)],
    "linops.leaves: *._fill": [
        ("slabs(* → slabs(*", SLABS),
        ("len(right) → len(left)", SLABS),
        ("self.shape[1] * self.dtype.itemsize → *", SLABS),
        ("self.shape[1] → self.shape[0]", SLABS),
    ],
    "linops.execute: fill": [
        ("by_columns=True → by_columns=False", MEMORY),
        ("without case *", ORDER),
    ],
    "linops.execute: _write": [
        ("if source.ndim == len(shape): * → if True: *", "all of it at a time, in more memory"),
        ("slabs(* → slabs(*", SLABS),
        ("(source[:1].size + out[:1].size) * out.itemsize → *", SLABS),
        ("*.size → *.size", SLABS),
        (":1 → :*", SLABS),
        ("1 → *", SLABS),
    ],
    "linops.execute: _built": [
        ("*isinstance(bracket, int) and * → *", "a copy of what is stored"),
        ("*.astype(dtype, copy=False)* → *", "what acts on it widens it"),
    ],
    "linops.execute: _for_each": [("blocks if * else * → np.broadcast_to(*", COST)],
    "linops.execute: multiplied_blocks": [
        ("without case *", ORDER),
        ("*.astype(dtype, copy=False) → *", "what acts on it widens it"),
    ],
    "linops.execute: _acted": [
        ("*isinstance(factor, BlockDiagonal) or * → *", ORDER),
        ("isinstance(factor, Kronecker) and len(blocks) == 1 → *", ORDER),
        ("len(blocks) == 1 → len(blocks) == *", ORDER),
    ],
    "linops.product: Product._fill_within": [
        ("best if best.peak <= limit else * → within(*", COST),
        ("best if best.peak <= limit else * → best if best.peak < limit else *", COST),
    ],
    "linops.identity: *": [
        ("len(self.domain) → len(self.codomain)", AGREE),
        ("np.arange(self.shape[0]) → np.arange(self.shape[1])", SQUARE),
        ("self.shape[0] → self.shape[*", SQUARE),
        ("np.eye(self.shape[0], dtype=self.dtype) → np.eye(self.shape[*", SQUARE),
        ("np.ones(self.shape[0], dtype=self.dtype) → np.ones(self.shape[*", SQUARE),
        ("np.zeros(self.shape[0], dtype=self.dtype) → np.zeros(self.shape[*", SQUARE),
        ("eye_array(self.shape[0], dtype=self.dtype) → eye_array(self.shape[*", SQUARE),
        ("Identity(self.domain, self.dtype) → Identity(self.codomain, self.dtype)", "an identity of the same size"),
    ],
    "linops.row_views: RowViews._*": [("np.e*, dtype=self.dtype)* → np.e*", WIDER)],
    "linops.shared: summed": [("np.asarray(reduce(add, images)) → reduce(*", "NumPy scalars reshape to arrays")],
    "linops.selection: Selection._diagonal": [
        ("self.shape[0] → self.shape[*", SQUARE),
        ("np.arange(self.shape[0]) → np.arange(self.shape[1])", SQUARE),
    ],
    "linops.selection: Selection.__init__": [
        ("index.astype(np.intp) → index", "NumPy takes and counts places of any integer dtype"),
    ],
    "linops.sum: Sum.__init__": [("terms[0]*→ terms[*", AGREE)],
    "linops.sum: Sum._*": [("np.asarray(reduce(add, * → reduce(add, *", "matrices and vectors add up to arrays")],
    "linops.product: Product._sparse": [("result.astype(self.dtype) → result", "SciPy's product has the joint dtype")],
    "linops.[bm]a*: *.__init__": [("dtype if dtype in _NATIVE else * → as_float*", COST)],
    "linops.dense_view: DenseView._fill": [
        ("self.shape[*] > self.shape[*] → *", SIDE),
        ("self.shape[*] → self.shape[*", SIDE),
        ("slabs(size_of(shape), * → slabs(size_of(shape), *", SLABS),
        ("np.zeros((count, size_of(shape)), dtype=self.dtype) → np.zeros((count, size_of(shape)))", WIDER),
    ],
    "linops.[bm]a*: *._diagonal": [
        ("self.shape[0] → self.shape[*", SQUARE),
        ("max(1, * → max(*", "blocks of another size"),
        ("(1 << 24) // * → *", "blocks of another size"),
        ("1 << 24 → *", "blocks of another size"),
        ("np.zeros((stop - start, size), dtype=self.dtype) → np.zeros((stop - start, size))", WIDER),
        ("-1 → -2", "NumPy infers a size from any negative number"),
    ],
    "linops.[bm]a*: *.diagonal": [("c_index_of_f(self.domain) → c_index_of_f(self.codomain)", AGREE)],
    "linops.dense_view: *._order": [("self.order or 'C' if * → self.order if *", "what is not F is C")],
    "linops.[bm]a*: *.[jv][vj]p": [
        ("image.copy(order='K') if * → image.copy(*", MEMORY),
        ("*is_borrowed(image, (*tangent*self.arrays)) → *", "the order of a set"),
    ],
    "linops.[bm]a*: *._operand": [
        ("array.ndim == 2 and array.shape[0] == size → *", REFUSED),
        ("array.shape in ((size,), (size, 1)) → *", "the order of a set"),
    ],
    "linops.[bm]a*: *._matrix_action": [
        ("np.array(roll(image, out, self.order).T, order='C') → *", MEMORY),
        ("order='C' → order='F'", MEMORY),
    ],
    "linops.[bm]a*: *.__neg__": [("self * -1.0 → self / -1.0", "multiplying by −1 and dividing by it are exact")],
    "linops.base: Jacobian._with_order": [("if order == self.order: *→ if False: *", COST)],
    "linops.base: Jacobian.__sub__": [("if not isinstance(other, Jacobian): *→ if False: *", "addition refuses it")],
    "linops.kernels: matmul": [
        ("right.ndim == 2 → right.ndim == 0", ONE_BY_ONE),
        ("if left.ndim != 2 and right.ndim == 2: * → if False: *", ONE_BY_ONE),
        ("left.ndim → right.ndim", ONE_BY_ONE),
        ("right.ndim → left.ndim", ONE_BY_ONE),
        ("right.shape[-1] → right.shape[1]", "a matrix here"),
        ("inner <= _LONG or *→ left.dtype != np.float32 or right.dtype != np.float32", WIDER),
        ("inner <= _LONG or *→ inner < _LONG or *", "a sum of one block"),
    ],
    "linops.kernels: outer": [("*", "the same products, written in another of the ways: only the cost differs")],
    "linops.kernels: sparse_matmul": [
        ("stack.dtype == np.float32 and * → *", WIDER),
        ("(stack.astype(np.float64) if long else stack).T → stack.astype(*", WIDER),
    ],
    "linops.kernels: total": [
        ("values.dtype == np.float32 and * → *", WIDER),
        ("values.dtype == np.float32 and * → *>= _LONG", WIDER),
        ("dtype=np.float64 if long else None → dtype=np.float64", WIDER),
    ],
    "linops.khatri_rao: KhatriRao._weighted": [
        ("left.shape → right.shape*", AGREE),
    ],
    "linops.khatri_rao: _reduced": [
        ("*", "what is not summed before the product is summed in it: only the cost differs"),
    ],
    "linops.kronecker: Kronecker._fill": [
        ("np.multiply(* → np.matmul(*", "a matrix product of inner length 1 is an outer product"),
    ],
    "linops.kronecker: Kronecker._sparse": [
        ("if left.nnz * right.nnz == *→ if True: *", COST),
        ("left.nnz * right.nnz == *→ *", COST),
        ("*.nnz → *.nnz", COST),
        ("self.shape[*] * self.shape[*] → *", COST),
        ("self.shape[*] → self.shape[*", COST),
    ],
    "linops.kronecker: Kronecker._diagonal": [("if self.codomain != self.domain: *→ if True: *", COST)],
    "linops.kronecker: _sandwich": [
        ("p * n * q + p * q * r <= n * q * r + p * n * r → *", ORDER),
        ("if p * n * q + p * q * r <= *", ORDER),
        ("p * n * q *→ *", ORDER),
        ("n * q * r *→ *", ORDER),
        ("p * q * r *→ *", ORDER),
        ("p * n * r *→ *", ORDER),
        ("left.shape → right.shape", ORDER),
        ("right.shape → left.shape", ORDER),
        ("(left.shape, right.shape) → *", ORDER),
        ("p * q → *", ORDER),
    ],
    "linops.leaves: LowRank._thin": [("self.left.shape → self.right.shape", "both end with the rank")],
    "linops.leaves: Sparse._transpose": [("* → Sparse(self.matrix.T, *", "the constructor makes a CSR array of it")],
    "linops.leaves: Sparse._*": [("np.asarray(self.matrix.* → self.matrix.*", "said for the type checker")],
    "linops.leaves: Dense._vjp": [("if self.codomain == (): *→ if False: *", COST)],
    "linops.leaves: Dense.gradient": [
        ("* → super().gradient", COST),
        ("self.array.copy(order='K') if * → self.array.copy() if *", MEMORY),
    ],
    "linops.merge: diagonal_block": [
        ("*right.domain, left.axis) → *right.codomain, left.axis)", SQUARE),
        ("right.domain → left.domain*", AGREE),
        ("left.axis → right.axis*", AGREE),
    ],
    "linops.merge: scaled_blocks": [("right.codomain → left.codomain", AGREE)],
    "linops.merge: khatri_rao": [
        ("* in (1, 2) → * in (2, 1)", "the order of a set"),
        ("(:, 0) → (:, -1)*", ONE),
        ("left.codomain → right.codomain (2)", AGREE),
    ],
    "linops.orders: *roll": [
        ("order == 'F' and len(shape) > 1 → *", "a vector is unrolled in one way"),
        ("len(shape) > 1 → len(shape) > 0", "a vector is unrolled in one way"),
    ],
    "linops.denominator: Denominator._with_order": [("self if order == self.order else *→ Denominator(*", COST)],
    "linops.denominator: is_symmetric": [
        ("isinstance(jacobian, (Diagonal, Identity)) → *", "the order of a set"),
    ],
}  # fmt: skip
