"""Equivalent mutants of the structured Jacobians."""

from __future__ import annotations

from tests.mutation.reasons import AGREE, COST, LIST, MEMORY, ONE, ORDER, REFUSED, SQUARE, TRUTH

EQUIVALENT_STRUCTURES: dict[str, list[tuple[str, str]]] = {
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
    "linops.block_row: BlockRow._jvp": [
        ("(b._factors(), part if stack else part[0]) → (b._factors(), part)", "a stack of one"),
        ("part[0] → part[-1]", ONE),
    ],
    "linops.block_row: BlockRow._vjp": [
        ("flat[0] → flat[-1]", ONE),
        ("*flat if stack else flat[0], pulled) → *flat, pulled)", "a stack of one"),
        ("np.empty_like(cotangent, order='C', *) → np.empty_like(cotangent, shape=*", MEMORY),
        ("order='C' → order='F'", MEMORY),
    ],
    "linops.khatri_rao: KhatriRao._*": [
        ("np.empty_like(*, order='C', shape=*) → np.empty_like(*, shape=*)", MEMORY),
        ("order='C' → order='F'", MEMORY),
    ],
    "linops.identity: Zero._*": [
        ("np.zeros_like(*, order='C', shape=*) → np.zeros_like(*, shape=*)", MEMORY),
        ("order='C' → order='F'", MEMORY),
    ],
    "linops.khatri_rao: KhatriRao._gram": [("(self.left, self.right) → (self.right, self.left)", "numbers commute"),
    ],
    "linops.block_row: BlockRow._*": [
        ("self.domain[0] → self.domain[-1]", "the packed vector has one axis"),
    ],
    "linops.commutation: Commutation._sparse": [("self.shape[0] → self.shape[*", SQUARE)],
    "linops.commutation: Commutation._diagonal": [
        ("self.shape[0] → self.shape[*", SQUARE),
        ("np.arange(self.shape[0]) → np.arange(self.shape[1])", SQUARE),
    ],
    "linops.denominator: Denominator._with_order": [("self if order == self.order else *→ Denominator(*", COST)],
    "linops.denominator: is_symmetric": [
        ("isinstance(jacobian, (Diagonal, Identity)) → *", "the order of a set"),
    ],
    "linops.diagonal: Diagonal._by_example": [
        ("*self.domain, axis) → *self.codomain, axis)", AGREE),
        ("*[0] → *[-1]", ONE),
    ],
    "linops.diagonal: _in_order": [
        ("blocks.copy() if * else blocks → *", MEMORY),
        ("blocks.shape[examples] * → blocks.shape[examples] *", MEMORY),
    ],
    "linops.diagonal: Diagonal._scaled_*": [("_in_order(*) → _in_order(*)", MEMORY)],
    "linops.diagonal: Diagonal._fill": [("len(self.domain) → len(self.codomain)", AGREE)],
    "linops.diagonal_minus_outer: DiagonalMinusOuter._entries": [
        ("*self.shape[0]* → *self.shape[*", SQUARE),
        ("*.reshape(self.domain) → *.reshape(self.codomain)", SQUARE),
    ],
    "linops.diagonal_minus_outer: DiagonalMinusOuter._keeps_examples": [
        ("* not in (axis, *) → * not in (*, axis)", "the order of a set"),
    ],
    "linops.identity: *._keeps_examples": [
        ("bool(self.domain) → self.domain", TRUTH),
        ("bool(self.domain) → bool(self.codomain)", AGREE),
        ("bool(self.domain and self.codomain) and * → (self.domain and self.codomain) and *", TRUTH),
    ],
    "linops.selection: Selection._keeps_examples": [("not self.domain → not self.codomain", AGREE)],
    "linops.diagonal: Diagonal._keeps_examples": [
        ("bool(self.domain) → self.domain", TRUTH),
        ("bool(self.domain) → bool(self.codomain)", AGREE),
    ],
    "linops.diagonal: Diagonal._blocks": [
        ("entries[:, :, None] * np.eye(* → entries[:, None, :] * np.eye(*", "a diagonal matrix is symmetric"),
    ],
    "linops.diagonal_minus_outer: DiagonalMinusOuter.blocks": [
        ("*.astype(self.dtype, copy=False) → *", "d, u and v of one dtype give it"),
    ],
    "linops.identity: *": [
        ("len(self.domain) → len(self.codomain)", AGREE),
        ("np.arange(self.shape[0]) → np.arange(self.shape[1])", SQUARE),
        ("self.shape[0] → self.shape[*", SQUARE),
        ("np.ones(self.shape[0], dtype=self.dtype) → np.ones(self.shape[*", SQUARE),
        ("np.zeros(self.shape[0], dtype=self.dtype) → np.zeros(self.shape[*", SQUARE),
        ("eye_array(self.shape[0], dtype=self.dtype) → eye_array(self.shape[*", SQUARE),
        ("Identity(self.domain, self.dtype) → Identity(self.codomain, self.dtype)", "an identity of the same size"),
    ],
    "linops.khatri_rao: KhatriRao._weighted": [
        ("left.shape → right.shape*", AGREE),
    ],
    "linops.kronecker: Kronecker._fill": [
        ("np.multiply(* → np.matmul(*", "a matrix product of inner length 1 is an outer product"),
    ],
    "linops.kronecker: Kronecker._sparse": [
        ("if left.nnz * right.nnz == *→ if True: *", COST),
        ("left.nnz * right.nnz == *→ *", COST),
        ("*.nnz → *.nnz", COST),
    ],
    "linops.kronecker: Kronecker._diagonal": [("if self.codomain != self.domain: *→ if True: *", COST)],
    "linops.kronecker: Kronecker.single": [
        ("(self.left, self.right) → (self.right, self.left)", "the one that is no identity, from either side"),
    ],
    "linops.kronecker: _sandwich": [
        ("p * n * q + p * q * r <= * → p * n * q + p * q * r < *", ORDER),
        ("(left.shape, right.shape) → *", "the price has no sides"),
    ],
    "linops.leaves: LowRank._thin": [("self.left.shape → self.right.shape", "both end with the rank")],
    "linops.leaves: Sparse._transpose": [("* → Sparse(self.matrix.T, *", "the constructor makes a CSR array of it")],
    "linops.leaves: Sparse._*": [("np.asarray(self.matrix.* → self.matrix.*", "said for the type checker")],
    "linops.leaves: Dense._vjp": [("if self.codomain == (): *→ if False: *", COST)],
    "linops.leaves: Dense.gradient": [
        ("* → super().gradient", COST),
        ("self.array.copy(order='K') if * → self.array.copy() if *", MEMORY),
    ],
    "linops.selection: Selection._diagonal": [
        ("self.shape[0] → self.shape[*", SQUARE),
        ("np.arange(self.shape[0]) → np.arange(self.shape[1])", SQUARE),
    ],
    "linops.selection: Selection.__init__": [
        ("index.astype(np.intp) → index", "NumPy takes and counts places of any integer dtype"),
    ],
    "linops.sum: Sum.__init__": [("terms[0]*→ terms[*", AGREE)],
}  # fmt: skip
