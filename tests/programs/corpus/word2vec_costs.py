import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    x = x - np.max(x)
    return np.exp(x) / np.sum(np.exp(x))


def naiveSoftmaxLossAndGradient(centerWordVec, outsideWordIdx, outsideVectors, dataset=None):
    """
    centerWordVec -- (d,), outsideVectors -- (V, d)
    """
    y_hat = softmax(np.dot(outsideVectors, centerWordVec))
    loss = -np.log(y_hat[outsideWordIdx])
    delta = y_hat.copy()
    delta[outsideWordIdx] -= 1
    gradCenterVec = np.dot(outsideVectors.T, delta)
    gradOutsideVecs = np.outer(delta, centerWordVec)
    return loss, gradCenterVec, gradOutsideVecs


def negSamplingLossAndGradient(centerWordVec, outsideWordIdx, outsideVectors, negSampleWordIndices):
    gradOutsideVecs = np.zeros(outsideVectors.shape)
    gradCenterVec = np.zeros(centerWordVec.shape)
    uo = outsideVectors[outsideWordIdx]
    z = sigmoid(np.dot(uo, centerWordVec))
    loss = -np.log(z)
    gradCenterVec += uo * (z - 1)
    gradOutsideVecs[outsideWordIdx] += centerWordVec * (z - 1)
    for k in negSampleWordIndices:
        uk = outsideVectors[k]
        zk = sigmoid(-np.dot(uk, centerWordVec))
        loss -= np.log(zk)
        gradCenterVec += uk * (1 - zk)
        gradOutsideVecs[k] += centerWordVec * (1 - zk)
    return loss, gradCenterVec, gradOutsideVecs
