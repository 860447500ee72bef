"""Loops as people write them, with what replaces each."""

from __future__ import annotations

import math

import numpy as np

from tests.insight.vectorize_products import PRODUCTS

__all__ = ["CASES", "DATA", "NAMESPACE"]

RNG = np.random.default_rng(0)
DATA = {
    "X": RNG.normal(size=(5, 4)),
    "W": RNG.normal(size=(4, 3)),
    "B": RNG.normal(size=(1, 3)),
    "b": RNG.normal(size=3),
    "x": RNG.normal(size=4),
    "w": RNG.normal(size=4),
    "z": RNG.normal(size=6),
    "Z": RNG.normal(size=(5, 3)),
    "T": RNG.normal(size=(5, 3)),
    "P": RNG.uniform(0.1, 1, size=(5, 3)),
    "y": np.array([0, 2, 1, 1, 0]),
    "p": RNG.uniform(0.1, 0.9, size=5),
    "t": RNG.uniform(0.1, 0.9, size=5),
    "V": RNG.normal(size=(3, 4)),
    "A": RNG.normal(size=(2, 4)),
}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def layer(a, W, b):
    return sigmoid(a @ W + b)


NAMESPACE = {"np": np, "math": math, "sigmoid": sigmoid, "g": sigmoid, "layer": layer}

CASES = PRODUCTS | {
    "relu by an if": (
        """
def f(Z):
    a = np.zeros_like(Z)
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            if Z[i, j] > 0:
                a[i, j] = Z[i, j]
            else:
                a[i, j] = 0
    return a
""",
        "a[:] = np.maximum(Z, 0)",
    ),
    "in place": (
        """
def f(z):
    for i in range(len(z)):
        if z[i] < 0:
            z[i] = 0.1 * z[i]
    return z
""",
        "z[:] = np.where(z < 0, 0.1 * z, z)",
    ),
    "an activation of each number": (
        """
def f(z):
    out = []
    for v in z:
        out.append(1 / (1 + math.exp(-v)))
    return np.array(out)
""",
        "out = 1 / (1 + np.exp(-z))",
    ),
    "a comprehension of numbers": (
        """
def f(z):
    a = [math.tanh(v) if v > -1 else 0.5 * v for v in z]
    return np.array(a)
""",
        "a = np.where(z > -1, np.tanh(z), 0.5 * z)",
    ),
    "a table of numbers": (
        """
def f(Z):
    return np.array([[max(0.0, v) for v in row] for row in Z])
""",
        "return np.maximum(0.0, Z)",
    ),
    "softmax of each row": (
        """
def f(Z):
    A = np.empty_like(Z)
    for i in range(len(Z)):
        e = np.exp(Z[i] - np.max(Z[i]))
        A[i] = e / np.sum(e)
    return A
""",
        "e = np.exp(Z - np.max(Z, axis=1)[:, None])\nA[:] = e / np.sum(e, axis=1)[:, None]",
    ),
    "a sum of squares": (
        """
def f(t, p):
    total = 0
    for i in range(len(t)):
        total += (t[i] - p[i]) ** 2
    return total / len(t)
""",
        "total = np.sum((t - p) ** 2)",
    ),
    "a dot product": (
        """
def f(t, p):
    s = 0.0
    for a, b in zip(t, p):
        s += a * b
    return s
""",
        "s = t @ p",
    ),
    "more is added": (
        """
def f(t, p):
    s = p[0]
    for i in range(len(t)):
        s += t[i]
    return s
""",
        "s += np.sum(t, axis=0)",
    ),
    "cross-entropy of classes": (
        """
def f(P, y):
    total = 0
    for i in range(len(y)):
        total -= math.log(P[i, y[i]])
    return total
""",
        "total = -np.sum(np.log(P[np.arange(len(y)), y]))",
    ),
    "binary cross-entropy": (
        """
def f(t, p):
    cost = 0.0
    for i in range(len(t)):
        if t[i] > 0.5:
            cost += -np.log(p[i])
        else:
            cost += -np.log(1 - p[i])
    return cost
""",
        None,
    ),
    "rows scaled": (
        """
def f(X, t):
    out = np.zeros_like(X)
    for i in range(len(X)):
        for j in range(X.shape[1]):
            out[i, j] = X[i, j] * t[i]
    return out
""",
        "out[:] = X * t[:, None]",
    ),
    "columns standardised": (
        """
def f(X):
    S = np.zeros_like(X)
    for j in range(X.shape[1]):
        S[:, j] = (X[:, j] - X[:, j].mean()) / X[:, j].std()
    return S
""",
        "S[:] = (X - np.mean(X, axis=0)) / np.std(X, axis=0)",
    ),
    "distances": (
        """
def f(X, A):
    D = np.zeros((len(X), len(A)))
    for i in range(len(X)):
        for j in range(len(A)):
            D[i, j] = np.sqrt(np.sum((X[i] - A[j]) ** 2))
    return D
""",
        "D = np.sqrt(np.sum((X[:, None] - A) ** 2, axis=2))",
    ),
    "an outer product": (
        """
def f(t, p):
    O = np.zeros((5, 5))
    for i in range(5):
        for j in range(5):
            O[i, j] = t[i] * p[j]
    return O
""",
        "O = t[:, None] * p",
    ),
    "an update of each weight": (
        """
def f(W, V):
    for i in range(4):
        for j in range(3):
            W[i, j] -= 0.1 * V[j, i]
    return W
""",
        "W -= (0.1 * V).T",
    ),
    "the best class": (
        """
def f(P):
    best = []
    for i in range(len(P)):
        best.append(np.argmax(P[i]))
    return np.array(best)
""",
        "best = np.argmax(P, axis=1)",
    ),
    "thresholds": (
        """
def f(p):
    yhat = np.zeros(len(p))
    for i in range(len(p)):
        if p[i] >= 0.5:
            yhat[i] = 1
        else:
            yhat[i] = 0
    return yhat
""",
        "yhat = np.where(p >= 0.5, 1, 0)",
    ),
    "numbers of the loop": (
        """
def f(t):
    s = np.zeros(len(t))
    for i in range(len(t)):
        s[i] = 0.5 * i + t[i]
    return s
""",
        "s = 0.5 * np.arange(len(t)) + t",
    ),
    "a copy, and what is added to it": (
        """
def f(z):
    a = np.zeros(len(z))
    b = np.zeros(len(z))
    for i in range(len(z)):
        a[i] = z[i]
        a[i] += 1.0
        b[i] = a[i]
        a[i] = 0 * a[i]
    return a + b + z
""",
        "a[:] = z\na[:] += 1.0\nb = a.copy()\na[:] = 0 * a",
    ),
    "a transposed result": (
        """
def f(X):
    Y = np.zeros((4, 5))
    for i in range(5):
        for j in range(4):
            Y[j, i] = 2 * X[i, j]
    return Y
""",
        "Y = (2 * X).T",
    ),
    "a gradient by whole rows": (
        """
def f(Z):
    db = np.zeros(Z.shape[1])
    for i in range(len(Z)):
        db += 2 * Z[i]
    return db
""",
        "db = np.sum(2 * Z, axis=0)",
    ),
    "what is there stays": (
        """
def f(Z, T):
    d = np.zeros_like(Z)
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            if Z[i, j] > 0:
                d[i, j] = T[i, j]
    return d
""",
        "d[:] = np.where(Z > 0, T, d)",
    ),
    "whole numbers": (
        """
def f(z):
    out = np.zeros(len(z), dtype=int)
    for i in range(len(z)):
        out[i] = z[i] * 10
    return out
""",
        "out[:] = z * 10",
    ),
    "a list that begins with ones": (
        """
def f(z):
    out = [1.0] * len(z)
    for i in range(len(z)):
        out[i] -= 0.1 * z[i]
    return np.array(out)
""",
        "out -= 0.1 * z",
    ),
    "a function named as Python's": (
        """
def f(z):
    out = np.zeros(len(z))
    for i in range(len(z)):
        out[i] = max(z[i], 1)
    return out

def max(a, b):
    return a * b
""",
        "out = max(z, 1)",
    ),
    "truth values among numbers": (
        """
def f(x):
    over = np.zeros(len(x))
    for i in range(len(x)):
        over[i] = x[i] * 2 > 0.5
    return over + over
""",
        "over[:] = x * 2 > 0.5",
    ),
    "made in a line with something else": (
        """
def f(x):
    u = 2.0; y = np.zeros(len(x))
    for i in range(len(x)):
        y[i] = u * np.exp(x[i])
    return y
""",
        "y[:] = u * np.exp(x)",
    ),
}
