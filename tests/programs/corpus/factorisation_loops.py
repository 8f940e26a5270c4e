import numpy


def matrix_factorization(R, P, Q, K, steps=5000, alpha=0.0002, beta=0.02):
    Q = Q.T
    for step in range(steps):
        e = 0
        dP = numpy.zeros(P.shape)
        dQ = numpy.zeros(Q.shape)
        for i in range(len(R)):
            for j in range(len(R[i])):
                if R[i][j] > 0:
                    eij = R[i][j] - numpy.dot(P[i, :], Q[:, j])
                    e = e + pow(eij, 2)
                    for k in range(K):
                        dP[i][k] = dP[i][k] - 2 * eij * Q[k][j]
                        dQ[k][j] = dQ[k][j] - 2 * eij * P[i][k]
        for i in range(len(P)):
            for k in range(K):
                e = e + beta * pow(P[i][k], 2)
                dP[i][k] += 2 * beta * P[i][k]
        for j in range(Q.shape[1]):
            for k in range(K):
                e = e + beta * pow(Q[k][j], 2)
                dQ[k][j] += 2 * beta * Q[k][j]
        P = P - alpha * dP
        Q = Q - alpha * dQ
        if e < 0.001:
            break
    return P, Q.T, e, dP, dQ.T
