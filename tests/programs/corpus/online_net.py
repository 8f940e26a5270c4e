import numpy as np

np.random.seed(1)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def dsigmoid(y):
    return y * (1.0 - y)


class NN:
    def __init__(self, ni, nh, no):
        self.ni, self.nh, self.no = ni, nh, no
        self.wi = np.random.uniform(-1, 1, (ni, nh))
        self.wo = np.random.uniform(-1, 1, (nh, no))

    def update(self, inputs):
        self.ai = np.array(inputs)
        self.ah = sigmoid(self.ai.dot(self.wi))
        self.ao = sigmoid(self.ah.dot(self.wo))
        return self.ao

    def backpropagate(self, targets, rate):
        error = targets - self.ao
        output_deltas = error * dsigmoid(self.ao)
        hidden_deltas = self.wo.dot(output_deltas) * dsigmoid(self.ah)
        self.wo += rate * np.outer(self.ah, output_deltas)
        self.wi += rate * np.outer(self.ai, hidden_deltas)
        return 0.5 * np.sum(error ** 2)

    def train(self, patterns, iterations=1000, rate=0.5):
        for i in range(iterations):
            error = 0.0
            for inputs, targets in patterns:
                self.update(inputs)
                error += self.backpropagate(targets, rate)
            if i % 100 == 0:
                print('error %-14f' % error)


def demo():
    pat = [
        [np.array([0, 0, 1]), np.array([0])],
        [np.array([0, 1, 1]), np.array([1])],
        [np.array([1, 0, 1]), np.array([1])],
        [np.array([1, 1, 1]), np.array([0])],
    ]
    n = NN(3, 4, 1)
    n.train(pat)


if __name__ == '__main__':
    demo()
