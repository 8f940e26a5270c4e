import numpy as np


def objective(R, M, P, Q, bu, bi, mu, lam):
    """Squared error over the observed ratings, with an L2 penalty on everything.

    R is (n_users, n_items), M marks the observed entries.
    P is (n_users, k) and Q is (n_items, k).
    """
    pred = mu + bu[:, None] + bi[None, :] + P @ Q.T
    err = M * (pred - R)
    cost = 0.5 * np.sum(err ** 2)
    cost += 0.5 * lam * (np.sum(P ** 2) + np.sum(Q ** 2) + np.sum(bu ** 2) + np.sum(bi ** 2))
    return cost, err


def gradients(err, P, Q, bu, bi, lam):
    gP = err @ Q + lam * P
    gQ = err.T @ P + lam * Q
    gbu = err.sum(axis=1) + lam * bu
    gbi = err.sum(axis=0) + lam * bi
    return gP, gQ, gbu, gbi


def factorise(R, k=10, lam=0.1, lr=0.005, n_epochs=50, seed=0):
    rng = np.random.default_rng(seed)
    n_users, n_items = R.shape
    M = (R > 0).astype(float)
    mu = R[R > 0].mean()
    P = rng.normal(scale=1.0 / k, size=(n_users, k))
    Q = rng.normal(scale=1.0 / k, size=(n_items, k))
    bu = np.zeros(n_users)
    bi = np.zeros(n_items)
    history = []
    for epoch in range(n_epochs):
        cost, err = objective(R, M, P, Q, bu, bi, mu, lam)
        history.append(cost)
        gP, gQ, gbu, gbi = gradients(err, P, Q, bu, bi, lam)
        P -= lr * gP
        Q -= lr * gQ
        bu -= lr * gbu
        bi -= lr * gbi
    return P, Q, bu, bi, history


if __name__ == "__main__":
    ratings = np.array([
        [5, 3, 0, 1],
        [4, 0, 0, 1],
        [1, 1, 0, 5],
        [1, 0, 0, 4],
        [0, 1, 5, 4],
    ])
    P, Q, bu, bi, history = factorise(ratings, k=2)
    print(history[-1])
