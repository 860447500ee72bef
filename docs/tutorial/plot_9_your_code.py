r"""
Loops in your own code
======================

The idea of this tutorial is not about networks only. Wherever a loop does the same to one element after
another, an operation on whole arrays can do it at once. This page finds such loops in a piece of source,
replaces them, measures both, and then asks a network: what does its prediction wait for, and what would be
faster?
"""

# %%
# A program as people write it
# ----------------------------
#
# Four functions, each of them right. One scales the columns of a table, one is a layer, one takes the
# squared distance from every row of ``X`` to every row of ``C``, and one learns the weights of a sum from
# one row after another. They are a string here, as the source is read before it is run.

import matplotlib.pyplot as plt
import numpy as np

import fastdense as fd
from fastdense.insight import best_time

plt.style.use("tableau-colorblind10")

source = """\
import numpy as np


def scale(X):
    out = np.empty(X.shape)
    for j in range(X.shape[1]):
        column = X[:, j]
        out[:, j] = (column - column.mean()) / column.std()
    return out


def layer(X, W, b):
    A = np.zeros((X.shape[0], W.shape[1]))
    for i in range(X.shape[0]):
        for j in range(W.shape[1]):
            z = np.dot(X[i], W[:, j]) + b[j]
            A[i, j] = 1 / (1 + np.exp(-z))
    return A


def distances(X, C):
    D = np.zeros((X.shape[0], C.shape[0]))
    for i in range(X.shape[0]):
        for k in range(C.shape[0]):
            D[i, k] = np.sum((X[i, :] - C[k, :]) ** 2)
    return D


def learn(w, X, y, rate):
    for i in range(len(X)):
        w = w - rate * (X[i] @ w - y[i]) * X[i]
    return w
"""

# %%
# Found in the source
# -------------------
#
# :func:`fastdense.insight.vectorize` reads source and runs none of it. At a shell the same is
# ``fastdense vectorize program.py``. For each loop that is one operation it shows the operation, and what
# it took for granted: the shapes of names that the source does not tell.

report = fd.insight.vectorize(source, name="program.py")
print(report)

# %%
# How it gets there is the derivation of the first pages, done by rule. An expression in the loop is given
# the loop's turns as an axis: ``X[i]``, for all ``i``, is ``X`` with its rows first; ``W[:, j]``, for all
# ``j``, is ``W`` with its columns. A dot product of two values that have an axis each,
#
# .. math::
#
#    z_{ij} = \sum_k X_{ik} W_{kj} + b_j \quad \text{for all } i, j,
#
# is a matrix product. A difference with two axes, :math:`X_{ij} - C_{kj}` for all :math:`i` and :math:`k`,
# gets them by ``None``: an axis of length 1, along which the array is repeated.
#
# The last function stays a loop:

for kept in report.kept:
    print(f"line {kept.line}: {kept.why}")

# %%
# Each turn needs the ``w`` of the turn before. No product can do turns at once that have to wait for each
# other. All training is such a loop, over its steps. What can go is the Python around a step, as in
# :doc:`plot_7_training`.
#
# Before and after
# ----------------
#
# ``report.rewritten()`` is the source with all of it replaced. Both are run on the same data, compared, and
# timed, for more and more rows.

before, after = {}, {}
exec(source, before)
exec(report.rewritten(), after)

rng = np.random.default_rng(0)
W, b, C = rng.normal(size=(16, 32)), rng.normal(size=32), rng.normal(size=(10, 16))
arguments = {"scale": (), "layer": (W, b), "distances": (C,)}
rows = [10, 100, 1000]
seconds = {name: ([], []) for name in arguments}
for name, more in arguments.items():
    for m in rows:
        X = rng.normal(size=(m, 16))
        old, new = before[name](X, *more), after[name](X, *more)
        assert np.allclose(old, new, rtol=1e-10, atol=1e-12)
        for program, times in zip((before, after), seconds[name], strict=True):
            times.append(best_time(lambda: program[name](X, *more), 0.05))
    gain = seconds[name][0][-1] / seconds[name][1][-1]
    print(f"{name:10} the same numbers; {gain:6.1f} times faster for {rows[-1]:,} rows")

figure, panels = plt.subplots(1, 3, figsize=(10, 3.8), layout="constrained", sharey=True)
for panel, (name, (old, new)) in zip(panels, seconds.items(), strict=True):
    panel.loglog(rows, np.array(old) * 1e6, "o-", label="as a loop")
    panel.loglog(rows, np.array(new) * 1e6, "s--", color="C1", label="at once")
    panel.set(title=name, xlabel="rows")
    panel.grid(alpha=0.3)
panels[0].set_ylabel("microseconds")
panels[0].legend()
figure.suptitle("Three functions before and after their loops were replaced")
plt.show()

# %%
# What is gained depends on what a turn of the loop held. A loop over columns that works on a whole column
# each time has few turns, and gains least. A loop over rows *and* units that computes one number a turn
# gains most. This is worth knowing before rewriting anything: count the turns.
#
# The results are the same but for rounding, as on :doc:`plot_3_matrix_product`, since a product adds in
# another order. Mind the memory: ``distances`` at once makes an array of all rows, all centres and all
# columns. Where that is too large, go through the rows in blocks, as the kernel does.
#
# What does a prediction wait for?
# --------------------------------
#
# The same question to a network: one that answers single rows. ``model.profile`` runs each layer by itself,
# and holds its time against the three floors of :doc:`plot_4_batch`: calls, memory, arithmetic. Then it
# tries what might be faster, and reports only what was, as measured.

layers = [fd.Input((64,)), fd.Dense(64, "relu"), fd.Dense(32, "relu"), fd.Dense(1)]
model = fd.Sequential(layers, seed=0)
found = model.profile(1, seconds=0.05)
print(found)

# %%
# For a single row of so small a network it is mostly the calls that take the time, marked C, and so the
# advice is about calls: make fewer of them, or make them cheaper. Follow both, and measure:

X = rng.normal(size=(1024, 64)).astype(np.float32)
row = X[:1]
frozen = model.freeze()
ways = {
    "predict, one row per call": best_time(lambda: model.predict(row), 0.1),
    "frozen, one row per call": best_time(lambda: frozen.predict(row), 0.1),
    "predict, 16 rows per call": best_time(lambda: model.predict(X[:16]), 0.1) / 16,
    "predict, 1,024 rows per call": best_time(lambda: model.predict(X), 0.1) / 1024,
}
figure, axes = plt.subplots(figsize=(7.5, 2.8), layout="constrained")
nanoseconds = 1e9 * np.array(list(ways.values()))
bars = axes.barh(list(ways), nanoseconds, color=["C0", "C1", "C1", "C1"])
axes.bar_label(bars, [f"{ns:,.0f} ns" for ns in nanoseconds], padding=4)
axes.set_xlim(right=1.15 * nanoseconds.max())
axes.invert_yaxis()
axes.set(xlabel="nanoseconds a row")
figure.suptitle("One row through the network, before and after the advice")
plt.show()

# %%
# ``freeze`` keeps the weights of now, packed once, and skips the checks of a call that the model makes for
# people's sake. Rows that come alone in a server can be collected for a moment and answered together; a
# loop over rows in your own code is one call. And where the profile marks a layer with A, near the peak,
# stop: the loops are gone, and what is left is the layer's own arithmetic.
#
# Where to go from here
# ---------------------
#
# The definitions on which all of this rests are short, and made to be read: :mod:`fastdense.reference` in
# loops, and beside it the folder ``array`` of the source, with the same network as products. Run
# ``fastdense ladder`` on other machines, ``fastdense vectorize`` over your own files, ``fastdense explain``
# on a row that puzzles you.
