r"""
The loop becomes a product
==========================

The loops of :doc:`plot_2_layer_as_loop` and the product of two matrices are the same sums. So the whole
layer is one line, ``Z = A_in @ W + B``. This page shows why, what the shapes say, how far the results of
the two may differ and why they differ at all, and what the one line gains.
"""

# %%
# A row times a matrix
# --------------------
#
# Recall the sum of unit :math:`j` for an example :math:`x`, and how the product of a row :math:`x` with a
# matrix :math:`W` is defined:
#
# .. math::
#
#    z_j = \sum_k x_k W_{kj} + B_j, \qquad (x W)_j = \sum_k x_k W_{kj}
#
# The product has the loop over the inputs :math:`k` in its definition, and the loop over the units
# :math:`j` in its result: it is all dot products with the columns of :math:`W` at once. Hence
#
# .. math::
#
#    z = x W + B
#
# With the numbers of the roaster:
#
# .. math::
#
#    \begin{pmatrix} 200 & 17 \end{pmatrix}
#    \begin{pmatrix} 0.1 & -0.1 & -0.1 \\ 1 & -1 & 0 \end{pmatrix}
#    = \begin{pmatrix} 37 & -37 & -20 \end{pmatrix}
#
#    \begin{pmatrix} 37 & -37 & -20 \end{pmatrix} + \begin{pmatrix} -36 & 40 & 22 \end{pmatrix}
#    = \begin{pmatrix} 1 & 3 & 2 \end{pmatrix}

import matplotlib.pyplot as plt
import numpy as np

import fastdense as fd
from fastdense.insight import best_time

plt.style.use("tableau-colorblind10")

A_in = np.array([[200.0, 17.0]])
W = np.array([[0.1, -0.1, -0.1], [1.0, -1.0, 0.0]])
B = np.array([[-36.0, 40.0, 22.0]])

print("@:           ", np.round(A_in @ W + B, 6))
print("dense_units: ", np.round(fd.reference.dense_units(A_in, W, B), 6))
print("fd.dense:    ", np.round(fd.dense(A_in, W, B), 6))
print("with sigmoid:", np.round(fd.dense(A_in, W, B, activation="sigmoid"), 6))

# %%
# What the shapes say
# -------------------
#
# Write the shapes under the formula:
#
# .. math::
#
#    \underset{(1, \, n_{units})}{Z} =
#    \underset{(1, \, n_{in})}{A_{in}} \; \underset{(n_{in}, \, n_{units})}{W} +
#    \underset{(1, \, n_{units})}{B}
#
# The two inner numbers must agree, since the sum over :math:`k` runs along a row of the one and a column of
# the other. They vanish, and the two outer ones are the shape of the product. Most mistakes with layers are
# mistakes in these shapes, and the inner numbers find them. :func:`fastdense.dense` draws them. Here the
# weights lie one unit per row:

try:
    fd.dense(A_in, W.T, B)
except fd.errors.ShapeError as error:
    print(error)

# %%
# The same numbers?
# -----------------
#
# On paper the loop and the product are equal. In a computer every result is rounded to the nearest number
# that there is, and the next one to that. A float32 has 24 binary digits: a rounding is off by at most half
# of ``eps`` of the result, where ``eps``, 2 to the power of -23, is the distance from 1 to the next
# float32. Since sums are rounded after each addition, their order matters:

big, small = np.float32(2**24), np.float32(1)
print("(big + small) + small - big =", (big + small) + small - big)
print("big + (small + small) - big =", big + (small + small) - big)

# %%
# A library chooses the order that is fastest, and a processor with a fused multiply-add rounds once where
# others round twice. So the question is not whether two ways agree to the last bit. It is how far they may
# be apart.
#
# A bound follows from counting. Each term of :math:`z_j` is rounded once as a product. Then it takes part
# in at most ``n_in`` additions, whatever their order, since there are ``n_in`` products and a bias to add
# up. Each of these at most ``n_in + 1`` roundings changes the term by a factor between ``1 - eps / 2`` and
# ``1 + eps / 2``. Together they can move it by about ``(n_in + 1) * eps / 2`` of its size. Its size is
# :math:`|x_k| |W_{kj}|`, without the sign, as errors of terms that cancel do not cancel. All terms
# together:
#
# .. math::
#
#    |Z - Z_{ref}| \le (n_{in} + 2) \, \mathrm{eps} \, (|A_{in}| |W| + |B|)
#
# This is twice what was counted, with room for what "about" left out. It is the promise that the library's
# products are tested by, with the reference in float64 as :math:`Z_{ref}`. Let us measure it for three ways
# in float32, from 4 inputs to 4,096: the largest error over 64 rows and 64 units, as a part of the bound.


def bound(A_in, W, B):
    """Return how far each number of a float32 result may be off."""
    eps = np.finfo(np.float32).eps
    A_in, W, B = (np.abs(array.astype(np.float64)) for array in (A_in, W, B))
    return (len(W) + 2) * eps * (A_in @ W + B)


def in_order(A_in, W, B):
    """Return the layer, one addition after another as the loop has them."""
    Z = np.tile(B, (len(A_in), 1))
    for k in range(len(W)):
        Z += A_in[:, k : k + 1] * W[k]
    return Z


ways = {
    "loop, in order": in_order,
    "A_in @ W + B": lambda A_in, W, B: A_in @ W + B,
    "fd.dense": fd.dense,
}
rng = np.random.default_rng(0)
inputs = [4, 16, 64, 256, 1024, 4096]
parts = {name: [] for name in ways}
for n_in in inputs:
    shapes = [(64, n_in), (n_in, 64), (1, 64)]
    A, M, b = (rng.normal(size=shape).astype(np.float32) for shape in shapes)
    Z_ref = fd.reference.dense_units(A, M, b)
    for name, way in ways.items():
        parts[name].append(np.max(np.abs(way(A, M, b) - Z_ref) / bound(A, M, b)))

print("inputs         ", *(f"{n_in:>8,}" for n_in in inputs))
for name, found in parts.items():
    print(f"{name:15}", *(f"{part:8.4f}" for part in found))

# %%
# Every number has to be below 1, and is far below, the further the more inputs there are: the bound
# supposes that all roundings go the same way, and in truth they go up as often as down. A library that
# keeps several sums going side by side and adds these up at the end does better than the loop, since
# shorter sums are rounded less often. ``fd.dense`` adds the inputs in their order, as the loop does;
# :doc:`plot_5_kernel` says what that is good for.
#
# What the one line gains
# -----------------------
#
# Now the time. Four ways to put one row through a layer of 64 inputs, for more and more units: the three
# loops of the page before, and the product. All are in float64, so that only the loops differ.

counts = [1, 4, 16, 64, 256]
names = {
    "every number (dense_scalars)": "o",
    "a neuron (dense_neurons)": "s",
    "a column (dense_units)": "D",
    "one product (A_in @ W + B)": "^",
}
seconds = {name: [] for name in names}
for n_units in counts:
    shapes = [(1, 64), (64, n_units), (1, n_units)]
    A, M, b = (rng.normal(size=shape) for shape in shapes)
    vectors, biases = list(M.T.copy()), b[0].tolist()
    lists = A.tolist(), M.tolist(), biases
    runs = [
        lambda: fd.reference.dense_scalars(*lists),
        lambda: fd.reference.dense_neurons(A[0], vectors, biases),
        lambda: fd.reference.dense_units(A, M, b),
        lambda: A @ M + b,
    ]
    for name, run in zip(names, runs, strict=True):
        seconds[name].append(best_time(run, 0.05))

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
for name, marker in names.items():
    left.loglog(counts, np.array(seconds[name]) * 1e6, marker=marker, label=name)
left.set(title="Time of one row, 64 inputs", xlabel="units", ylabel="microseconds")
left.legend(fontsize=9)
for (name, found), marker in zip(parts.items(), "os^", strict=True):
    right.loglog(inputs, found, marker=marker, label=name)
right.axhline(1, color="black", linewidth=1, linestyle="--")
right.annotate("the bound", (inputs[0], 1), (0, -12), textcoords="offset points")
right.set(title="Largest error, as a part of the bound", xlabel="inputs")
right.legend(fontsize=9)
for axes in (left, right):
    axes.grid(alpha=0.3)
figure.suptitle("Three loops and one product: their time, and how well they agree")
plt.show()

# %%
# Both axes on the left are logarithmic: a line that rises tenfold over ten times the units is a time in
# proportion to them, and a level one a time that does not depend on them. The loops rise. They differ in
# what a turn holds, from one multiply-add to a dot product of 64, and in what Python does around it. The
# product starts level: as long as the layer is small its time is that of the call, and more units cost next
# to nothing.

for name, times in seconds.items():
    ratio = times[-1] / times[0]
    last = times[-1] * 1e6
    print(f"{name:29} {last:7.1f} us for 256 units, {ratio:5.1f} times that of one")

# %%
# A product is a call into a library that was compiled and tuned for the processor (NumPy brings OpenBLAS or
# another BLAS), so the loops over :math:`j` and :math:`k` still run, in machine code. What went away is
# Python between the turns. For one row, though, the call costs more than its arithmetic. There is one more
# loop to take away: that over the rows. See :doc:`plot_4_batch`.
