import numpy as np


class MF():

    def __init__(self, R, K, alpha, beta):
        self.R = R
        self.num_users, self.num_items = R.shape
        self.K = K
        self.alpha = alpha
        self.beta = beta
        self.P = np.random.normal(scale=1. / self.K, size=(self.num_users, self.K))
        self.Q = np.random.normal(scale=1. / self.K, size=(self.num_items, self.K))
        self.b_u = np.zeros(self.num_users)
        self.b_i = np.zeros(self.num_items)
        self.b = np.mean(self.R[np.where(self.R != 0)])

    def get_rating(self, i, j):
        prediction = self.b + self.b_u[i] + self.b_i[j] + self.P[i, :].dot(self.Q[j, :].T)
        return prediction

    def cost(self):
        xs, ys = self.R.nonzero()
        total = 0
        for x, y in zip(xs, ys):
            e = self.R[x, y] - self.get_rating(x, y)
            total += 0.5 * e ** 2
        total += 0.5 * self.beta * (np.sum(self.P ** 2) + np.sum(self.Q ** 2))
        total += 0.5 * self.beta * (np.sum(self.b_u ** 2) + np.sum(self.b_i ** 2))
        return total

    def gradient(self):
        dP = self.beta * self.P
        dQ = self.beta * self.Q
        db_u = self.beta * self.b_u
        db_i = self.beta * self.b_i
        xs, ys = self.R.nonzero()
        for x, y in zip(xs, ys):
            e = self.R[x, y] - self.get_rating(x, y)
            db_u[x] -= e
            db_i[y] -= e
            dP[x, :] -= e * self.Q[y, :]
            dQ[y, :] -= e * self.P[x, :]
        return dP, dQ, db_u, db_i

    def step(self):
        dP, dQ, db_u, db_i = self.gradient()
        self.P -= self.alpha * dP
        self.Q -= self.alpha * dQ
        self.b_u -= self.alpha * db_u
        self.b_i -= self.alpha * db_i
