import numpy as np
import matplotlib.pyplot as plt

X = np.random.uniform(-1, 1, size=(200, 2))
y = (X[:, 0] * X[:, 1] > 0).astype(float).reshape(-1, 1)
m = X.shape[0]

np.random.seed(0)
W1 = np.random.randn(2, 8) * 0.1
b1 = np.zeros((1, 8))
W2 = np.random.randn(8, 1) * 0.1
b2 = np.zeros((1, 1))

learning_rate = 0.5
lambd = 0.01
costs = []

for i in range(2000):
    # forward propagation
    Z1 = np.dot(X, W1) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(A1, W2) + b2
    A2 = 1 / (1 + np.exp(-Z2))

    # cost
    cost = -(1 / m) * np.sum(y * np.log(A2) + (1 - y) * np.log(1 - A2))
    cost += (lambd / (2 * m)) * (np.sum(np.square(W1)) + np.sum(np.square(W2)))
    costs.append(cost)

    # backward propagation
    dZ2 = A2 - y
    dW2 = (1 / m) * np.dot(A1.T, dZ2) + (lambd / m) * W2
    db2 = (1 / m) * np.sum(dZ2, axis=0, keepdims=True)
    dA1 = np.dot(dZ2, W2.T)
    dZ1 = dA1 * (1 - np.power(A1, 2))
    dW1 = (1 / m) * np.dot(X.T, dZ1) + (lambd / m) * W1
    db1 = (1 / m) * np.sum(dZ1, axis=0, keepdims=True)

    # update
    W1 = W1 - learning_rate * dW1
    b1 = b1 - learning_rate * db1
    W2 = W2 - learning_rate * dW2
    b2 = b2 - learning_rate * db2

    if i % 200 == 0:
        print("cost after iteration {}: {}".format(i, cost))

plt.plot(costs)
plt.show()
