import numpy as np


def autoencoder_loss(X, W_enc, W_dec, weight_decay):
    """Linear autoencoder without biases; centred data in rows. Its optimum spans the principal components."""
    n, d = X.shape
    code = X @ W_enc
    recon = code @ W_dec
    diff = recon - X
    mse = np.sum(diff ** 2) / n
    penalty = weight_decay * (np.linalg.norm(W_enc) ** 2 + np.linalg.norm(W_dec) ** 2)
    loss = mse + penalty
    d_recon = 2 * diff / n
    d_W_dec = code.T @ d_recon
    d_code = d_recon @ W_dec.T
    d_W_enc = X.T @ d_code
    d_W_dec += 2 * weight_decay * W_dec
    d_W_enc += 2 * weight_decay * W_enc
    return loss, d_W_enc, d_W_dec
