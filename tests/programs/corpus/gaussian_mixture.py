"""Gaussian mixture with diagonal covariances, by gradient descent on the negative log-likelihood."""
import numpy as np


def logsumexp(a, axis):
    m = a.max(axis=axis, keepdims=True)
    return (m + np.log(np.exp(a - m).sum(axis=axis, keepdims=True))).squeeze(axis)


def gmm_nll(logits, means, log_sigmas, X):
    """logits (K,), means (K, D), log_sigmas (K, D), X (N, D)."""
    N, D = X.shape
    log_pi = logits - logsumexp(logits, axis=0)
    inv_var = np.exp(-2 * log_sigmas)
    diff = X[:, None, :] - means[None, :, :]
    log_comp = -0.5 * np.sum(diff ** 2 * inv_var[None], axis=2) - log_sigmas.sum(axis=1) - 0.5 * D * np.log(2 * np.pi)
    log_joint = log_pi + log_comp
    log_prob = logsumexp(log_joint, axis=1)
    nll = -log_prob.mean()

    # responsibilities
    r = np.exp(log_joint - log_prob[:, None])
    dlogits = np.exp(log_pi) - r.mean(axis=0)
    dmeans = -np.einsum('nk,nkd->kd', r, diff) * inv_var / N
    dlog_sigmas = -(np.einsum('nk,nkd->kd', r, diff ** 2) * inv_var - r.sum(axis=0)[:, None]) / N
    return nll, (dlogits, dmeans, dlog_sigmas)
