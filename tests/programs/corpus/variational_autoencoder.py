import numpy as np

np.random.seed(42)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def init(n_x, n_h, n_z):
    s = 0.1
    return {
        'W_h': s * np.random.randn(n_x, n_h), 'b_h': np.zeros(n_h),
        'W_mu': s * np.random.randn(n_h, n_z), 'b_mu': np.zeros(n_z),
        'W_lv': s * np.random.randn(n_h, n_z), 'b_lv': np.zeros(n_z),
        'W_d': s * np.random.randn(n_z, n_h), 'b_d': np.zeros(n_h),
        'W_x': s * np.random.randn(n_h, n_x), 'b_x': np.zeros(n_x),
    }


def vae_loss_and_grads(p, x, eps):
    B = x.shape[0]
    # encoder
    h = np.tanh(x @ p['W_h'] + p['b_h'])
    mu = h @ p['W_mu'] + p['b_mu']
    logvar = h @ p['W_lv'] + p['b_lv']
    std = np.exp(0.5 * logvar)
    z = mu + std * eps
    # decoder
    d = np.tanh(z @ p['W_d'] + p['b_d'])
    x_hat = sigmoid(d @ p['W_x'] + p['b_x'])
    # losses
    recon = -np.sum(x * np.log(x_hat) + (1 - x) * np.log(1 - x_hat)) / B
    kl = -0.5 * np.sum(1 + logvar - mu ** 2 - np.exp(logvar)) / B
    loss = recon + kl

    g = {}
    # decoder
    dlogits = (x_hat - x) / B
    g['W_x'] = d.T @ dlogits
    g['b_x'] = dlogits.sum(axis=0)
    dd = dlogits @ p['W_x'].T * (1 - d ** 2)
    g['W_d'] = z.T @ dd
    g['b_d'] = dd.sum(axis=0)
    dz = dd @ p['W_d'].T
    # reparameterisation
    dmu = dz + mu / B
    dlogvar = dz * eps * 0.5 * std + 0.5 * (np.exp(logvar) - 1) / B
    # encoder
    g['W_mu'] = h.T @ dmu
    g['b_mu'] = dmu.sum(axis=0)
    g['W_lv'] = h.T @ dlogvar
    g['b_lv'] = dlogvar.sum(axis=0)
    dh = (dmu @ p['W_mu'].T + dlogvar @ p['W_lv'].T) * (1 - h ** 2)
    g['W_h'] = x.T @ dh
    g['b_h'] = dh.sum(axis=0)
    return loss, g


params = init(16, 10, 2)
data = (np.random.rand(100, 16) > 0.5).astype(float)
lr = 0.05
for it in range(200):
    batch = data[np.random.choice(len(data), 20, replace=False)]
    eps = np.random.randn(len(batch), 2)
    loss, grads = vae_loss_and_grads(params, batch, eps)
    for k in params:
        params[k] -= lr * grads[k]
    if it % 50 == 0:
        print(it, loss)
