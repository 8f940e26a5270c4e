import numpy as np


def add_ones(X):
    return np.c_[np.ones(len(X)), X]


def to_one_hot(y, n_classes):
    Y = np.zeros((y.size, n_classes))
    for row, label in enumerate(y):
        Y[row, label] = 1
    return Y


def softmax(S):
    S = S - S.max(axis=1, keepdims=True)
    return np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)


def J(theta, X, y, lam):
    Xb = add_ones(X)
    T = to_one_hot(y, theta.shape[1])
    P = softmax(Xb.dot(theta))
    m = len(y)
    log_loss = -(T * np.log(P)).sum() / m
    return log_loss + lam / 2 * (theta[1:] ** 2).sum()


def grad_J(theta, X, y, lam):
    Xb = add_ones(X)
    T = to_one_hot(y, theta.shape[1])
    P = softmax(Xb.dot(theta))
    m = len(y)
    g = Xb.T.dot(P - T) / m
    reg = np.r_[np.zeros((1, theta.shape[1])), lam * theta[1:]]
    return g + reg


def fit(X, y, n_classes, lam=0.1, eta=0.1, n_iter=500):
    theta = np.random.randn(X.shape[1] + 1, n_classes)
    best_loss = np.inf
    for iteration in range(n_iter):
        loss = J(theta, X, y, lam)
        if loss < best_loss:
            best_loss = loss
        else:
            print("early stopping", iteration)
            break
        theta = theta - eta * grad_J(theta, X, y, lam)
    return theta
