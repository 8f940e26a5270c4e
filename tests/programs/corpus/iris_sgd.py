# A net for three kinds of flowers, trained an example at a time
import numpy as np

np.random.seed(0)
data = np.random.rand(30, 4)
labels = np.random.randint(0, 3, 30)
targets = np.zeros((30, 3))
for i in range(30):
    targets[i, labels[i]] = 1

W1 = np.random.rand(6, 4) - 0.5
B1 = np.random.rand(6) - 0.5
W2 = np.random.rand(3, 6) - 0.5
B2 = np.random.rand(3) - 0.5
eta = 0.1


def sig(v):
    return 1 / (1 + np.exp(-v))


for epoch in range(50):
    total = 0
    for i in range(len(data)):
        x = data[i]
        t = targets[i]
        v1 = np.dot(W1, x) + B1
        y1 = sig(v1)
        v2 = np.dot(W2, y1) + B2
        y2 = sig(v2)
        e = t - y2
        E = 0.5 * np.sum(e * e)
        total += E

        delta2 = -e * y2 * (1 - y2)
        e1 = np.dot(W2.T, delta2)
        delta1 = e1 * y1 * (1 - y1)
        dW2 = np.outer(delta2, y1)
        dB2 = delta2
        dW1 = np.outer(delta1, x)
        dB1 = delta1

        W2 = W2 - eta * dW2
        B2 = B2 - eta * dB2
        W1 = W1 - eta * dW1
        B1 = B1 - eta * dB1
    if epoch % 10 == 0:
        print(epoch, total / len(data))
