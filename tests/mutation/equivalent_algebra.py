"""Equivalent mutants of products and of chains, multiplied out or seen by their ends."""

from __future__ import annotations

from tests.mutation.reasons import (
    AGREE,
    ANY_CUT,
    APART,
    BOUND,
    BUILT,
    CAST,
    COST,
    EITHER_STRUCTURE,
    LIST,
    MEMORY,
    ONE,
    ORDER,
    SQUARE,
    STEPS,
    WIDER,
)

EQUIVALENT_ALGEBRA: dict[str, list[tuple[str, str]]] = {
    "linops.algebra: _chain": [
        ("Product(tuple(factors)) → Product(factors)", LIST),
        ("factors[0] → factors[-1]", "there is one"),
    ],
    "linops.algebra: _merge": [
        ("if {type(left), type(right)} == _LAYER* → if False*", COST),
        ("type(left) → type(right)", COST),
        ("type(right) → type(left)", COST),
        ("right.dtype → left.dtype (5)", "the chain has the joint dtype of both anyway"),
        ("right.dtype → left.dtype (6)", "the chain has the joint dtype of both anyway"),
        ("without case [Scaled(), Scaled()]", "the two rules after it do the same in two steps"),
    ],
    "linops.algebra: compose": [
        ("left.order if left.order == right.order else * → joint_order(left, right)", COST),
        ("left.order → right.order (2)", AGREE),
        ("if left.dtype != right.dtype: *→ if True: *", COST),
    ],
    "linops.algebra: _times": [("without case Transposed()", EITHER_STRUCTURE)],
    "linops.algebra: add": [
        ("left.codomain → right.codomain*", AGREE),
        ("left.domain → right.domain*", AGREE),
        ("left.axis → right.axis (2)", AGREE),
        ("numerators(left, right, 'add') → numerators(right, left, 'add')", "addition commutes"),
    ],
    "linops.merge: diagonal_block": [
        ("*right.domain, left.axis) → *right.codomain, left.axis)", SQUARE),
        ("right.domain → left.domain*", AGREE),
        ("left.axis → right.axis*", AGREE),
    ],
    "linops.merge: scaled_blocks": [("right.codomain → left.codomain", AGREE)],
    "linops.merge: khatri_rao": [
        ("* in (1, 2) → * in (2, 1)", "the order of a set"),
    ],
    "linops.merge: unmerged": [
        ("codomain[0] → codomain[-1]", ONE),
        ("(:, 0) → (:, -1)", ONE),
        ("right[0] → right[-1]", ONE),
        ("len(codomain) == 2 and left.shape[:2] == * → left.shape[:2] == *", "the last of the three says it again"),
    ],
    "linops.merge: example_rows": [("(:, 0) → (:, -1)*", ONE)],
    "linops.product: Product._blocks": [("if axis not in self._ways* → if True*", COST)],
    "linops.product: Product._price": [("if None not in self._ways* → if True*", COST)],
    "linops.product: Product._fill_within": [
        ("best if best.peak <= limit else * → within(*", COST),
        ("best if best.peak <= limit else * → best if best.peak < limit else *", COST),
    ],
    "linops.product: Product._diagonal": [
        ("*found.ravel().astype(self.dtype, copy=False) → *found.ravel()", "the rules cast it to the joint dtype too"),
    ],
    "linops.product: Product._sparse": [("result.astype(self.dtype) → result", "SciPy's product has the joint dtype")],
    "linops.bracketing: Bracketing.__init__": [("*(Kronecker, BlockDiagonal)* → *", "the order of a set")],
    "linops.bracketing: Bracketing.ways": [("if known is None: * → if True: *", COST)],
    "linops.bracketing: Bracketing._common": [
        ("first + 1:last + 1 → first:last + 1", "the first is among them anyway"),
        ("first + 1 → first + 0", "the first is among them anyway"),
        ("found if axes == found else * → tuple(*", COST),
    ],
    "linops.bracketing: Bracketing._as_matrix": [
        ("entries + min(m, n) * min(self.columns[first:last]) → *", BOUND),
        ("*self.columns[first:last]) → *self.columns)", BOUND),
        ("(self.rows[first], self.columns[last]) → *", "the size of a matrix, and the shorter of its sides"),
        ("if found and (not self.thrifty) and *→ if False: *", BOUND),
        ("*.operations <= least) → *.operations < least)", BOUND),
        ("min(found, key=_price).operations → max(found, key=_price).operations", BOUND),
    ],
    "linops.bracketing: Bracketing._as_product": [
        ("range(first + 1, last - 1) → range(first, last - 1)", BUILT),
        ("first + 1 → first + 0 (2)", BUILT),
    ],
    "linops.bracketing: Bracketing.of": [
        ("*zip(self.factors, factors, * → *zip(factors, self.factors, *", "identity has no sides"),
        ("*min(len(self.factors), len(factors))) → *max(len(self.factors), len(factors)))", "none leaves its chain"),
    ],
    "linops.bracketing: Bracketing._is_outer": [("* not in (1, 2) → * not in (2, 1)", "the order of a set")],
    "linops.bracketing: Bracketing._as_blocks": [
        ("self.factors[first].codomain[axis] → self.factors[first].domain[axis]", AGREE),
        ("(first, right.bracket, 'columns') → *", ORDER),
        ("(left.bracket, last, 'rows') → *", ORDER),
    ],
    "linops.bracketing: _front": [("*way.peak < kept* → *way.peak <= kept*", COST)],
    "linops.plan: make_plan": [
        ("best or Bracketing(* → Bracketing(*", COST),
        ("limit is not None and way.peak > limit → *", COST),
        ("*.ways(0, last)[0] → *.ways(0, last)[-1]", "there is one"),
    ],
    "linops.execute: fill": [
        ("by_columns=True → by_columns=False", MEMORY),
        ("without case *", ORDER),
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
    "linops.execute: Beginning.known": [("*zip(own, factors, * → *zip(factors, own, *", "identity has no sides")],
    "linops.execute: _acted_on": [
        ("if isinstance(factor, Diagonal)* → if False*", COST),
        ("if isinstance(factor, Kronecker)* → if False*", COST),
        ("factor._blocks(axis)[0] → factor._blocks(axis)[-1]", "there is one"),
    ],
    "linops.execute: _acted": [
        ("if isinstance(factor, Diagonal)* → if False*", COST),
        ("*isinstance(factor, BlockDiagonal) or * → *", ORDER),
        ("isinstance(factor, Kronecker) and len(blocks) == 1 → *", ORDER),
        ("len(blocks) == 1 → len(blocks) == *", ORDER),
        ("factor.domain[axis] → factor.codomain[axis]", AGREE),
    ],
    "linops.chain_diagonal: _diagonal": [
        ("factors[0].codomain != shape or * → factors[0].codomain != shape*", "the other end has it by construction"),
        ("np.ones(shape, dtype=dtype) → np.ones(shape)", CAST),
        ("*.astype(dtype, copy=False) → *", CAST),
        ("factors[0] → factors[-1] (2)", "there is one"),
        ("_same_entries(kept, again) → _same_entries(again, kept)", "equality has no sides"),
        ("case [*Kronecker(left=np.ndarray()*] if axes without its condition", "without axes no rule holds later"),
        ("if inner is None: return None → if False: return None", APART),
        ("min(example_axes(factors), default=None) → max(example_axes(factors), default=None)", "either axis serves"),
        ("len(factor.domain) → len(factor.codomain)", SQUARE),
    ],
    "linops.chain_diagonal: _less_outer": [
        ("None if inner is None else inner - columns * rows → inner - *", APART),
        ("(between.u.astype(dtype), between.v.astype(dtype)) → *", "the factors' own dtypes widen it on the way"),
    ],
    "linops.chain_diagonal: _same_entries": [("* → np.array_equal(other._source(), *", "equality has no sides")],
    "linops.chain_diagonal: _of_blocks": [
        ("right.domain → left.domain*", "they are equal, or the rule has been left"),
        ("part.ravel()[* → part.ravel()[*else part", "a vector in C order is its own ravel where packing is C"),
    ],
    "linops.chain_diagonal: _by_waist": [
        ("*for f in factors[:-1]] → *for f in factors*]", ANY_CUT),
        (":-1 → :1", ANY_CUT),
        ("min(range(len(waists)), key=waists.__getitem__) → max(*", ANY_CUT),
        ("example_steps(*", STEPS),
        ("size_of(f.domain) → size_of(f.codomain)", STEPS),
    ],
    "linops.chain_rows: chain_*": [
        ("factors[0] → factors[-1]", "there is one"),
        (":-1 → :1 (2)", "where a factor mixes examples, the rule for what is left finds it: only the cost differs"),
        ("KhatriRao(*)._gram → KhatriRao(*)._gram", "inner products do not depend on the order of the factors"),
    ],
    "linops.examples: example_axes": [("frozenset((0, -1)) → frozenset((-1, 0))", "a set has no order")],
    "linops.examples: example_steps": [("max(1, * → max(2, *", STEPS)],
    "linops.examples: example_row_norms": [
        ("np.empty(*, dtype=dtype) → np.empty(*", WIDER),
        ("size_of(*", STEPS),
    ],
}  # fmt: skip
