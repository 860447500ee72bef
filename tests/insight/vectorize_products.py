"""Loops that multiply matrices, as people write them, with what replaces each."""

from __future__ import annotations

__all__ = ["PRODUCTS"]

PRODUCTS = {
    "columns": (
        """
def f(x, W, b):
    units = W.shape[1]
    a_out = np.zeros(units)
    for j in range(units):
        w = W[:, j]
        z = np.dot(w, x) + b[j]
        a_out[j] = g(z)
    return a_out
""",
        "a_out = g(x @ W + b)",
    ),
    "columns of all rows": (
        """
def f(X, W, B):
    Z = np.zeros((len(X), W.shape[1]))
    for j in range(W.shape[1]):
        Z[:, j] = X @ W[:, j] + B[0, j]
    return Z
""",
        "Z = X @ W + B[0]",
    ),
    "neurons": (
        """
def f(x, V, b):
    out = []
    for weights, bias in zip(V, b):
        z = np.dot(weights, x) + bias
        out.append(sigmoid(z))
    return np.array(out)
""",
        "out = sigmoid(V @ x + b)",
    ),
    "neurons, numbered": (
        """
def f(x, V, b):
    out = np.empty(3)
    for j, w in enumerate(V):
        out[j] = w.dot(x) + b[j]
    return out
""",
        "out = V @ x + b",
    ),
    "a comprehension of neurons": (
        """
def f(x, V, b):
    return np.array([sigmoid(sum(wi * xi for wi, xi in zip(w, x)) + bi) for w, bi in zip(V, b)])
""",
        "return sigmoid(V @ x + b)",
    ),
    "rows": (
        """
def f(X, W, b):
    out = np.zeros((X.shape[0], W.shape[1]))
    for i in range(X.shape[0]):
        out[i] = X[i] @ W + b
    return out
""",
        "out[:] = X @ W + b",
    ),
    "rows, one product each": (
        """
def f(X, w):
    p = np.zeros(len(X))
    for i in range(len(X)):
        p[i] = np.dot(X[i], w)
    return p
""",
        "p = X @ w",
    ),
    "rows, appended": (
        """
def layer(a, W, b):
    return np.tanh(a @ W + b)

def f(X, W, b):
    rows = []
    for x in X:
        rows.append(layer(x, W, b))
    return np.array(rows)
""",
        "rows = layer(X, W, b)",
    ),
    "rows and columns": (
        """
def f(X, W, B):
    Z = np.zeros((len(X), W.shape[1]))
    for i, x in enumerate(X):
        for j in range(W.shape[1]):
            Z[i, j] = np.sum(x * W[:, j]) + B[0, j]
    return Z
""",
        "Z = X @ W + B[0]",
    ),
    "rows against rows": (
        """
def f(X, A):
    K = np.zeros((len(X), len(A)))
    for i in range(len(X)):
        for j in range(len(A)):
            K[i, j] = np.dot(X[i], A[j])
    return K
""",
        "K = X @ A.T",
    ),
    "the same product the other way round": (
        """
def f(W, X):
    Z = np.zeros((len(X), 3))
    for i in range(len(X)):
        for j in range(3):
            Z[i][j] = np.dot(W[:, j], X[i, :])
    return Z
""",
        "Z = X @ W",
    ),
    "three loops": (
        """
def f(X, W, b):
    m, n, p = len(X), len(W), len(W[0])
    Z = [[0] * p for _ in range(m)]
    for i in range(m):
        for j in range(p):
            s = 0
            for k in range(n):
                s += X[i][k] * W[k][j]
            Z[i][j] = max(0, s + b[j])
    return np.array(Z)
""",
        "Z = np.maximum(0, X @ W + b)",
    ),
    "three loops, added where they belong": (
        """
def f(X, W):
    Z = np.zeros((5, 3))
    for i in range(5):
        for j in range(3):
            for k in range(4):
                Z[i, j] += X[i, k] * W[k, j]
    return Z
""",
        "Z = X @ W",
    ),
    "a sum that begins with the bias": (
        """
def f(x, W, b):
    out = []
    for j in range(3):
        z = b[j]
        for i in range(len(x)):
            z += x[i] * W[i, j]
        out.append(z)
    return np.array(out)
""",
        "out = x @ W + b",
    ),
    "gradient of the weights": (
        """
def f(X, Z):
    dW = np.zeros((4, 3))
    for i in range(len(X)):
        for j in range(4):
            for k in range(3):
                dW[j, k] += X[i, j] * Z[i, k]
    return dW
""",
        "dW = X.T @ Z",
    ),
}
