import numpy as np

np.random.seed(138)


def sigmoid(z):
    return 1. / (1. + np.exp(-z))


def compute_multiclass_loss(Y, Y_hat):
    L_sum = np.sum(np.multiply(Y, np.log(Y_hat)))
    m = Y.shape[1]
    L = -(1. / m) * L_sum
    return L


n_x = 20
n_h = 16
digits = 10
m = 60
learning_rate = 0.5
beta = .9

X_train = np.random.rand(n_x, m)
Y_train = np.eye(digits)[:, np.random.randint(0, digits, m)]

params = {"W1": np.random.randn(n_h, n_x) * np.sqrt(1. / n_x),
          "b1": np.zeros((n_h, 1)),
          "W2": np.random.randn(digits, n_h) * np.sqrt(1. / n_h),
          "b2": np.zeros((digits, 1))}

V_dW1 = np.zeros(params["W1"].shape)
V_db1 = np.zeros(params["b1"].shape)
V_dW2 = np.zeros(params["W2"].shape)
V_db2 = np.zeros(params["b2"].shape)


def feed_forward(X, params):
    cache = {}
    cache["Z1"] = np.matmul(params["W1"], X) + params["b1"]
    cache["A1"] = sigmoid(cache["Z1"])
    cache["Z2"] = np.matmul(params["W2"], cache["A1"]) + params["b2"]
    cache["A2"] = np.exp(cache["Z2"]) / np.sum(np.exp(cache["Z2"]), axis=0)
    return cache


def back_propagate(X, Y, params, cache):
    m_batch = X.shape[1]
    dZ2 = cache["A2"] - Y
    dW2 = (1. / m_batch) * np.matmul(dZ2, cache["A1"].T)
    db2 = (1. / m_batch) * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.matmul(params["W2"].T, dZ2)
    dZ1 = dA1 * sigmoid(cache["Z1"]) * (1 - sigmoid(cache["Z1"]))
    dW1 = (1. / m_batch) * np.matmul(dZ1, X.T)
    db1 = (1. / m_batch) * np.sum(dZ1, axis=1, keepdims=True)
    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads


for i in range(9):
    cache = feed_forward(X_train, params)
    loss = compute_multiclass_loss(Y_train, cache["A2"])
    grads = back_propagate(X_train, Y_train, params, cache)
    V_dW1 = (beta * V_dW1 + (1. - beta) * grads["dW1"])
    V_db1 = (beta * V_db1 + (1. - beta) * grads["db1"])
    V_dW2 = (beta * V_dW2 + (1. - beta) * grads["dW2"])
    V_db2 = (beta * V_db2 + (1. - beta) * grads["db2"])
    params["W1"] = params["W1"] - learning_rate * V_dW1
    params["b1"] = params["b1"] - learning_rate * V_db1
    params["W2"] = params["W2"] - learning_rate * V_dW2
    params["b2"] = params["b2"] - learning_rate * V_db2
    print("Epoch {}: training loss = {}".format(i + 1, loss))
