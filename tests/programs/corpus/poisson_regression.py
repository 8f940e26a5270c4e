import numpy as np


def poisson_nll(params, X, y, alpha=0.0):
    """Negative log likelihood of counts y, without the term log(y!), and its gradient."""
    w, b = params[:-1], params[-1]
    eta = np.dot(X, w) + b
    mu = np.exp(eta)
    nll = np.sum(mu - y * eta) + 0.5 * alpha * np.dot(w, w)
    resid = mu - y
    grad = np.empty_like(params)
    grad[:-1] = X.T.dot(resid) + alpha * w
    grad[-1] = resid.sum()
    return nll, grad
