r"""
Training, step by step
======================

A network learns by repeating three lines: compute the gradient, move every weight against it, take the next
rows. This page trains a network so in NumPy, with nothing from the library. Then ``model.fit`` does the
same, by the engine of loops, the engine of products and the native engine, and all of them must arrive at
the same numbers.
"""

# %%
# Data
# ----
#
# Points in the plane, and the question whether the two coordinates have the same sign. One neuron cannot
# answer it: no straight line has two opposite quarters on its one side and the other two on the other. A
# layer of neurons before it can.

import matplotlib.pyplot as plt
import numpy as np

import fastdense as fd
from fastdense.insight import best_time

plt.style.use("tableau-colorblind10")

rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, size=(256, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)

# %%
# Gradient descent in NumPy
# -------------------------
#
# The gradients are those of :doc:`plot_6_gradient`. A **step** takes the gradient of the loss of some rows,
# the *batch*, and moves each weight by the learning rate :math:`\eta` times its slope:
#
# .. math::
#
#    W \leftarrow W - \eta \, dW, \qquad B \leftarrow B - \eta \, dB
#
# Once through all rows is an **epoch**. With 256 rows and batches of 32, an epoch has eight steps. A
# batch's gradient is not that of all rows, but points about the same way, and costs an eighth of it. Here
# the rows are taken in the same order in every epoch.


def train(weights, X, Y, epochs, batch_size=32, rate=0.5):
    """Return the weights after training, and the loss of every epoch."""
    W1, B1, W2, B2 = weights
    losses = []
    for _ in range(epochs):
        total = 0.0
        for first in range(0, len(X), batch_size):
            x, y = X[first : first + batch_size], Y[first : first + batch_size]
            A1 = np.tanh(x @ W1 + B1)
            Z2 = A1 @ W2 + B2
            total += np.sum(np.logaddexp(0, Z2) - y * Z2)

            dZ2 = (1 / (1 + np.exp(-Z2)) - y) / len(x)
            dZ1 = dZ2 @ W2.T * (1 - A1**2)
            W2, B2 = W2 - rate * A1.T @ dZ2, B2 - rate * dZ2.sum(axis=0)
            W1, B1 = W1 - rate * x.T @ dZ1, B1 - rate * dZ1.sum(axis=0)
        losses.append(total / len(X))
    return [W1, B1, W2, B2], losses


# %%
# The same by ``fit``
# -------------------
#
# :meth:`fastdense.Sequential.compile` chooses the loss and the optimizer: ``SGD`` is the step above
# (stochastic gradient descent, stochastic since the batches are mostly drawn at random).
# :meth:`fastdense.Sequential.fit` runs the epochs. Told not to shuffle, and with the same weights to start
# from, it takes the very same steps. How far apart are the two after 40 epochs, which are 320 steps?


def network(engine="auto", dtype="float64", units=8):
    layers = [fd.Input((2,)), fd.Dense(units, "tanh"), fd.Dense(1, "sigmoid")]
    model = fd.Sequential(layers, seed=1, dtype=dtype, engine=engine)
    model.compile(fd.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
    return model


model = network()
ours, our_losses = train(model.get_weights(), X, Y, epochs=40)
history = model.fit(X, Y, epochs=40, batch_size=32, shuffle=False, verbose=0).history

print(f"loss of the first epoch {our_losses[0]:.6f}, of the last {our_losses[-1]:.6f}")
apart = np.abs(np.array(our_losses) - history["loss"]).max()
print(f"the losses differ by at most  {apart:.1e}")
apart = [np.abs(a - b).max() for a, b in zip(ours, model.get_weights(), strict=True)]
print(f"the weights differ by at most {max(apart):.1e}")
print(f"accuracy in the last epoch    {history['accuracy'][-1]:.3f}")

# %%
# Three engines, one path
# -----------------------
#
# An engine is what computes the steps. ``"reference"`` is the loops, one row and one neuron after another.
# ``"array"`` is the products of the page before. ``"native"`` is the kernels of :doc:`plot_5_kernel`.
# Losses, optimizers and the order of the rows are decided outside the engines, so that with the same seed
# each takes the same steps, now with shuffled rows, as is the default. In float64 and in float32 (which is
# the default):

epochs = 40
losses = {}
for dtype in ("float64", "float32"):
    for engine in ("reference", "array", "native"):
        model = network(engine, dtype)
        fitted = model.fit(X, Y, epochs=epochs, batch_size=32, verbose=0)
        losses[engine, dtype] = np.array(fitted.history["loss"])

# %%
# The losses lie on one another, so that on the left only the dashes tell the engines apart. On the right
# are the differences to the reference. Rounding errors are there from the first step, of about ``eps`` of
# the dtype, and each step carries on with the weights of the one before. That they stay near ``eps`` says
# that these are the same computations and not merely similar ones: a different batch, or a step forgotten,
# would be seen at once.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
styles = {"reference": ("C0", "-"), "array": ("C1", "--"), "native": ("black", ":")}
for (engine, (colour, line)), width in zip(styles.items(), [5, 2.5, 2], strict=True):
    left.plot(losses[engine, "float32"], line, color=colour, linewidth=width, label=engine)
left.set(title="Loss of each epoch, float32", xlabel="epoch", ylabel="loss", ylim=0)
for dtype in ("float32", "float64"):
    eps = np.finfo(dtype).eps
    for engine in ("array", "native"):
        colour, line = styles[engine]
        difference = np.abs(losses[engine, dtype] - losses["reference", dtype])
        shown = np.maximum(difference, 1e-18)  # a logarithm has no 0
        right.semilogy(shown, line, color=colour, label=f"{engine}, {dtype}")
    right.axhline(eps, color="C3", linewidth=1)
    right.annotate(f"eps of {dtype}", (0, eps), (2, 3), textcoords="offset points")
right.set(title="Difference to the reference's loss", xlabel="epoch", ylim=(1e-18, 1e-4))
right.legend(fontsize=9, loc="center", ncols=2)
for axes in (left, right):
    axes.grid(alpha=0.3)
figure.suptitle("Three engines take the same way: their losses, and how far they are apart")
plt.show()

# %%
# An epoch as one call
# --------------------
#
# They differ in time. The reference loops in Python over rows, units and weights. The array engine makes a
# few dozen calls of NumPy for each step. The native engine is handed the data, the order of the rows and
# the learning rate of each step, and comes back when the epoch is over: Python takes no part in a step. A
# step goes in two phases. First blocks of rows go forward through all layers, through the loss and all the
# way back. Then each tile of ``dW`` is summed up over the batch in registers, and the optimizer's step is
# taken right there, so that no gradient is ever written to memory. When steps are as short as here it is
# the loop over steps that counts.
#
# Measured is an epoch of a wider network on more rows, 32 units and 2,048 rows or 64 steps, by ``fit``,
# with everything that ``fit`` does around it:

more = rng.uniform(-1, 1, size=(2048, 2))
answers = (more[:, 0] * more[:, 1] > 0).astype(float)
seconds = {}
for engine in ("reference", "array", "native"):
    model = network(engine, "float32", units=32)
    fit = lambda: model.fit(more, answers, epochs=2, batch_size=32, verbose=0)
    seconds[engine] = best_time(fit, 0.2) / 2

figure, axes = plt.subplots(figsize=(7.5, 2.8), layout="constrained")
milliseconds = 1e3 * np.array(list(seconds.values()))
bars = axes.barh(list(seconds), milliseconds, color=["C0", "C1", "C3"])
labels = [f"{ms:.3g} ms, {ms * 1e3 / 64:,.1f} us a step" for ms in milliseconds]
axes.bar_label(bars, labels, padding=4)
axes.set_xscale("log")
axes.set_xlim(right=milliseconds.max() * 50)
axes.invert_yaxis()
axes.set(xlabel="milliseconds an epoch of 64 steps, logarithmic")
figure.suptitle("Time of an epoch by each engine")
plt.show()

# %%
# Better steps
# ------------
#
# The plain step is the beginning, not the end. ``Adam`` keeps two running means for every weight, of the
# gradient and of its square, and divides the one by the root of the other: each weight gets a step of its
# own size. Its formula for a single weight is in :func:`fastdense.reference.update`, a few lines to read.
# Nothing else changes:

model = network()
model.compile(fd.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(X, Y, epochs=40, batch_size=32, verbose=0).history
for epoch in (0, 9, 19, 39):
    loss, accuracy = history["loss"][epoch], history["accuracy"][epoch]
    print(f"epoch {epoch + 1:2}: loss {loss:.4f}, accuracy {accuracy:.3f}")

# %%
# What can such a network learn, and what do its width and its depth change? That is :doc:`plot_8_networks`.
