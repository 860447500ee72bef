"""Loops that stay, with the line and the reason, and loops that are nobody's business."""

from __future__ import annotations

__all__ = ["KEPT", "OTHERS"]

KEPT = {
    "rows changed by one number each": (
        """
def f(X):
    for i in range(len(X)):
        X[i] -= np.mean(X[i])
""",
        3,
        "it changes whole rows of X by one number each",
    ),
    "what was there before": (
        """
def f(x, y):
    s = 0
    for i in range(len(x)):
        old = x[i]
        x[i] = np.exp(y[i])
        s += abs(x[i] - old)
    return s
""",
        4,
        "a turn needs what the one before it made of old",
    ),
    "a rotation": (
        """
def f(x, y):
    for i in range(len(x)):
        x[i], y[i] = np.cos(x[i]) - y[i], x[i] + y[i]
""",
        3,
        "it fills (x[i], y[i]) at once",
    ),
    "steps that are repeated": (
        """
def f(p, out):
    for i in range(len(p)):
        g = np.abs(p[i])
        for _ in range(20):
            g = 0.5 * (g + p[i] / g)
        out[i] = g
""",
        3,
        "a turn needs what the one before it made of g",
    ),
    "neighbours": (
        """
def f(x):
    return np.array([np.exp(b - a) for a, b in zip(x, x[1:])])
""",
        3,
        "it goes over zip(x, x[1:]), which may be of several lengths",
    ),
    "lines that are shared": (
        """
def f(x): return np.array([np.exp(v) for v in x])
""",
        2,
        "it shares its lines with other statements",
    ),
    "a list that stays one": (
        """
def f(x):
    out = []
    for v in x:
        out.append(np.exp(v))
    out.append(1.0)
    return out
""",
        4,
        "out is used as a list after it, in line 6",
    ),
    "a dictionary": (
        """
def f(x):
    d = {}
    for i in range(len(x)):
        d[i] = np.exp(x[i])
    return d
""",
        4,
        "it fills d, which is a dictionary",
    ),
    "another name of the same": (
        """
def f(x):
    out = x
    for i in range(len(x)):
        out[i] = np.exp(x[i]) / np.sum(x)
    return out
""",
        4,
        "it fills out, which is x too",
    ),
    "a generator": (
        """
def f(x):
    total = 0
    for v in x:
        total += np.exp(v)
        yield total
""",
        4,
        "it has (yield total)",
    ),
    "parts of arrays changed": (
        """
def f(X, w, out):
    for i in range(len(X)):
        row = X[i]
        row -= row.mean()
        out[i] = np.dot(row, w)
""",
        3,
        "it changes row, which is a part of an array",
    ),
    "logarithms to a base": (
        """
def f(p):
    s = 0
    for i in range(len(p)):
        s -= p[i] * math.log(p[i], 2)
    return s
""",
        4,
        "it calls math.log with 2 arguments",
    ),
    "what is no array": (
        """
def f(x):
    return [np.exp(v) for v in sorted(x)]
""",
        3,
        "it goes over sorted(x), which may be no array",
    ),
    "draws": (
        """
def f(x, gen):
    return [np.exp(v) + gen.normal(0, 1) for v in x]
""",
        3,
        "it calls gen.normal, which may give something else each time",
    ),
    "a choice of values": (
        """
def f(x, s):
    for i in range(len(x)):
        x[i] = np.exp(x[i] / (s[i] or 1))
""",
        3,
        "it chooses between values by s[i] or 1",
    ),
    "one column": (
        """
def f(X, w):
    out = np.zeros((5, 1))
    for i in range(len(X)):
        out[i] = np.dot(X[i], w)
    return out
""",
        4,
        "it fills out, a matrix of one column, row by row",
    ),
    "what a while asks": (
        """
def f(x, y):
    z = 9.0
    while z > 1:
        for i in range(len(x)):
            z = np.exp(-x[i])
            y[i] = z
    return y
""",
        5,
        "z may be used after it, in line 4",
    ),
    "training": (
        """
def f(X, y, w):
    for epoch in range(100):
        w = w - 0.1 * X.T @ (X @ w - y)
    return w
""",
        3,
        "a turn needs what the one before it made of w",
    ),
    "an end before that of the arrays": (
        """
def f(x, y):
    for i in range(len(x) - 1):
        y[i] = np.exp(x[i])
""",
        3,
        "it goes over range(len(x) - 1), which may end before its arrays do",
    ),
    "a running sum": (
        """
def f(x):
    for i in range(1, len(x)):
        x[i] = x[i - 1] + np.exp(x[i])
""",
        3,
        "it goes over range(1, len(x)), not from 0 on by one",
    ),
    "another turn's element": (
        """
def f(x, y):
    for i in range(len(x)):
        y[i] = np.exp(x[i + 1])
""",
        3,
        "its index i + 1 is that of another turn",
    ),
    "a filter": (
        """
def f(x):
    out = []
    for v in x:
        if v > 0:
            out.append(np.exp(v))
""",
        4,
        "it has an if that is not a choice between two values",
    ),
    "a recurrence": (
        """
def f(X, h):
    for x in X:
        h = np.tanh(x + h)
    return h
""",
        3,
        "a turn needs what the one before it made of h",
    ),
    "random numbers": (
        """
def f(x):
    for i in range(len(x)):
        x[i] = np.exp(x[i]) * np.random.rand()
""",
        3,
        "it calls np.random.rand, which may give something else each time",
    ),
    "printing": (
        """
def f(x):
    for v in x:
        print(np.exp(v))
""",
        3,
        "it calls print",
    ),
    "a break": (
        """
def f(x, y):
    for i in range(len(x)):
        y[i] = np.exp(x[i])
        break
""",
        3,
        "it has a break",
    ),
    "what is needed later": (
        """
def f(x, y):
    for i in range(len(x)):
        z = np.exp(x[i])
        y[i] = z
    return z
""",
        3,
        "z may be used after it, in line 6",
    ),
    "what the loop around it needs": (
        """
def f(x, y):
    z = 0
    while True:
        y[0] = z
        for i in range(len(x)):
            z = np.exp(x[i])
            y[i] = z
""",
        6,
        "z may be used after it, in line 5",
    ),
    "all of what it fills": (
        """
def f(x, y):
    for i in range(len(x)):
        y[i] = x[i] * np.sum(y)
""",
        3,
        "it reads all of y while it fills it",
    ),
    "a diagonal": (
        """
def f(X, y):
    for i in range(len(y)):
        y[i] = np.exp(X[i, i])
""",
        3,
        "it goes along a diagonal of X",
    ),
    "a sum of what is the same": (
        """
def f(x, c):
    s = 0
    for v in x:
        s += np.exp(c)
    return s
""",
        4,
        "it adds the same in every turn",
    ),
    "a function of a row": (
        """
def f(X, y):
    for i in range(len(X)):
        y[i] = np.exp(score(X[i, :]))
""",
        3,
        "it calls score with a row each, and nothing here tells that score takes a matrix",
    ),
    "text": (
        """
def f(x, y):
    for i in range(len(x)):
        y[i] = np.exp(x[i]) if x[i] > 0 else "none"
""",
        3,
        "it makes text",
    ),
    "parts of rows": (
        """
def f(X, y):
    for i, x in enumerate(X):
        y[i] = np.sum(x[1:])
""",
        3,
        "it uses x[1:]",
    ),
}

OTHERS = """
import numpy as np
out = []
for name in names:
    out.append(open(name).read())
lines = [line.strip() for line in text]
table = [[0] * 3 for _ in range(4)]
twice = [v * 2 for v in (1, 2, 3)]
both = [v - 1 for v in values] + [v + 1 for v in values]
data = b""
for part in parts:
    data += pack(part)
sizes = [len(row) - 1 for row in rows]
"""
"""Loops that compute little or nothing, which nobody wants to hear of."""
