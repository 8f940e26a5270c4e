"""Multi-head self-attention, forward and backward, in einsum."""
import numpy as np


def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def attention_forward(x, Wq, Wk, Wv, Wo):
    """x: (batch, time, dim); Wq, Wk, Wv: (heads, dim, d_head); Wo: (heads, d_head, dim)."""
    d = Wq.shape[-1]
    q = np.einsum('btd,hde->bhte', x, Wq)
    k = np.einsum('btd,hde->bhte', x, Wk)
    v = np.einsum('btd,hde->bhte', x, Wv)
    scores = np.einsum('bhte,bhse->bhts', q, k) / np.sqrt(d)
    att = softmax(scores)
    ctx = np.einsum('bhts,bhse->bhte', att, v)
    out = np.einsum('bhte,hed->btd', ctx, Wo)
    return out, (x, q, k, v, att, ctx, Wq, Wk, Wv, Wo)


def attention_backward(dout, cache):
    x, q, k, v, att, ctx, Wq, Wk, Wv, Wo = cache
    d = Wq.shape[-1]
    dWo = np.einsum('bhte,btd->hed', ctx, dout)
    dctx = np.einsum('btd,hed->bhte', dout, Wo)
    datt = np.einsum('bhte,bhse->bhts', dctx, v)
    dv = np.einsum('bhts,bhte->bhse', att, dctx)
    dscores = att * (datt - (datt * att).sum(-1, keepdims=True))
    dscores /= np.sqrt(d)
    dq = np.einsum('bhts,bhse->bhte', dscores, k)
    dk = np.einsum('bhts,bhte->bhse', dscores, q)
    dWq = np.einsum('btd,bhte->hde', x, dq)
    dWk = np.einsum('btd,bhte->hde', x, dk)
    dWv = np.einsum('btd,bhte->hde', x, dv)
    dx = (np.einsum('bhte,hde->btd', dq, Wq)
          + np.einsum('bhte,hde->btd', dk, Wk)
          + np.einsum('bhte,hde->btd', dv, Wv))
    return dx, dWq, dWk, dWv, dWo
