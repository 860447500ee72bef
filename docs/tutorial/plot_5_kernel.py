r"""
What a kernel does
==================

NumPy's product has the layer's loops in machine code. What can a function that was written for dense layers
do that a product, an addition and an activation, one after another, cannot? Four things, and each is again
a loop that is put in a better place: in the registers, in one pass over the outputs, in the caches, and on
the cores.

The code is C++, in the folder ``native/`` of the source. This page does the same steps in NumPy, where they
are slow but can be read, and then measures the real ones.
"""

# %%
# A tile in registers
# -------------------
#
# A processor computes on its registers only: 16 or 32 of them, each of a vector of 4 to 16 float32 numbers.
# To do a multiply-add it must first have loaded its operands. Typically it can do two vector multiply-adds
# in a cycle, and two loads. So a program that loads more often than it multiplies waits for its loads.
#
# A dot product is such a program: two loads for each multiply-add, one of :math:`a_{ik}` and one of
# :math:`W_{kj}`. But every number that is loaded could be used more than once. :math:`W_{kj}` belongs to
# the sums of all rows, and :math:`a_{ik}` to the sums of all units. So compute a **tile** of the result
# together, some rows :math:`i` by some units :math:`j`, with all their sums in registers, and go through
# the inputs :math:`k` once for all of them:
#
# .. math::
#
#    C_{ij} = B_j, \qquad \text{then for each } k: \quad C_{ij} \leftarrow C_{ij} + a_{ik} W_{kj}
#
# Each turn takes one column of the tile's rows and one row of its units: an outer product. This is the
# function ``accumulate`` in ``native/kernels/tile.h``. The two loops around it are in ``product.cpp``: a
# few units at a time, whose weights stay in the nearest cache while all rows pass by.

import matplotlib.pyplot as plt
import numpy as np

import fastdense as fd
from fastdense.insight import best_time

plt.style.use("tableau-colorblind10")


def dense_tiles(A_in, W, B, tile_rows=12, tile_units=32):
    """Return relu(A_in @ W + B), a tile at a time."""
    A_out = np.empty((len(A_in), W.shape[1]), dtype=A_in.dtype)
    for j in range(0, W.shape[1], tile_units):
        for i in range(0, len(A_in), tile_rows):
            rows, units = slice(i, i + tile_rows), slice(j, j + tile_units)
            a, w = A_in[rows], W[:, units]
            C = np.tile(B[:, units], (len(a), 1))  # the bias starts the sums
            for k in range(len(W)):
                C += np.outer(a[:, k], w[k])
            A_out[rows, units] = np.maximum(C, 0)  # written once
    return A_out


rng = np.random.default_rng(0)
A_in = rng.normal(size=(50, 64)).astype(np.float32)
W = rng.normal(size=(64, 80)).astype(np.float32)
B = rng.normal(size=(1, 80)).astype(np.float32)

A_ref = fd.reference.dense_units(A_in, W, B, "relu")
bound = (64 + 2) * np.finfo(np.float32).eps * (np.abs(A_in) @ np.abs(W) + np.abs(B))
in_tiles, A_out = dense_tiles(A_in, W, B), fd.dense(A_in, W, B, activation="relu")
print("tiles within the bound:   ", np.all(np.abs(in_tiles - A_ref) <= bound))
print("fd.dense within the bound:", np.all(np.abs(A_out - A_ref) <= bound))

# %%
# How large a tile? With ``r`` rows and ``v`` vectors of units a turn loads ``v`` vectors of ``W`` and ``r``
# numbers of ``A_in`` (each spread over a vector), and does ``r * v`` multiply-adds. Larger tiles load less
# for each of them:
#
# .. math::
#
#    \frac{\text{loads}}{\text{multiply-adds}} = \frac{r + v}{r v}
#
# But the tile has to stay in the registers, and beside its :math:`r v` sums there must be room for the
# :math:`v` vectors and for one number of ``A_in``. With 16 registers 6 rows by 2 vectors fit, and with 32
# even 14 by 2 or 6 by 4. The library takes 12 by 2 there, as blocks of 96 rows are whole numbers of it. All
# of these load clearly less often than they multiply, and larger tiles were measured to gain nothing more.

print("rows  vectors  loads for a multiply-add  registers")
for r, v in [(1, 1), (6, 1), (12, 1), (6, 2), (12, 2), (6, 4)]:
    print(f"{r:4}  {v:7}  {(r + v) / (r * v):24.2f}  {r * v + v + 1:9}")

# %%
# Every sum goes through the inputs in their order, in a tile of any shape. So a row's numbers do not depend
# on which other rows are in the call, to the last bit. A BLAS does not promise that.
#
# One pass
# --------
#
# A layer in NumPy passes over its outputs three times: the product writes them, the addition of ``B`` reads
# and writes them, the activation reads and writes them again. In the tile the bias was there from the
# start, and relu is applied before the tile is written. The other activations take many instructions a
# number; the kernel computes them on a block of at most 96 rows, right after its product, while the block
# is in the nearest cache.
#
# How much do the passes take? Here they are added one at a time, for a batch of which the outputs alone are
# 16 MB. Both sides write to arrays that exist already, on as many cores as they are allowed.

m = 65_536
X = rng.normal(size=(m, 64)).astype(np.float32)
M = (rng.normal(size=(64, 64)) / 8).astype(np.float32)
b = np.zeros((1, 64), dtype=np.float32)
Z = np.empty((m, 64), dtype=np.float32)

product = best_time(lambda: np.matmul(X, M, out=Z), 0.2)
addition = best_time(lambda: np.add(Z, b, out=Z), 0.2)
activation = best_time(lambda: np.maximum(Z, 0, out=Z), 0.2)
fused = best_time(lambda: fd.dense(X, M, b, activation="relu", out=Z), 0.2)

# %%
# Through all layers
# ------------------
#
# A network is one layer after another, the output of each being the input of the next. Layer by layer, each
# of these arrays is written to memory and read again, since a batch is larger than the caches. But rows
# know nothing of each other. So the kernel takes a block of rows (96 again) through **all** layers before
# it turns to the next block. What one layer gives to the next is then a few dozen kilobytes, and does not
# leave the nearest caches.

layers = [fd.Dense(64, "relu") for _ in range(4)]
model = fd.Sequential([fd.Input((64,)), *layers], seed=0)
weights = model.get_weights()  # W1, b1, W2, b2, ...


rooms = [Z, np.empty_like(Z)]  # in turn, so that no time goes into new memory


def layer_by_layer():
    A = X
    for i in range(len(layers)):
        W, B = weights[2 * i : 2 * i + 2]
        A = fd.dense(A, W, B, activation="relu", out=rooms[i % 2])
    return A


print("the same bits:", np.array_equal(layer_by_layer(), model.predict(X)))
whole_layers = best_time(layer_by_layer, 0.2)
blocks = best_time(lambda: model.predict(X, out=Z), 0.2)

# %%
# On the left are the three passes and the one, on the right four layers one after another and in blocks.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
passes = {"product": product, "+ bias": addition, "activation": activation}
bottom = 0.0
for (name, seconds), hatch in zip(passes.items(), ["", "//", ".."], strict=True):
    bar = {"bottom": bottom, "hatch": hatch, "edgecolor": "white", "label": name}
    left.bar(0, seconds * 1e3, 0.6, **bar)
    bottom += seconds * 1e3
left.bar(1, fused * 1e3, 0.6, color="C3", label="all in one")
left.set_xticks([0, 1], ["NumPy,\nthree passes", "fd.dense,\none pass"])
left.set(title=f"One layer, {m:,} rows", ylabel="milliseconds")
left.legend()
right.bar([0, 1], [whole_layers * 1e3, blocks * 1e3], 0.6, color=["C0", "C3"])
right.set_xticks([0, 1], ["layer by layer,\nall rows", "block by block,\nall layers"])
right.set(title=f"Four layers, {m:,} rows", ylabel="milliseconds")
figure.suptitle("Less traffic to memory: one pass over the outputs, one way through all layers")
plt.show()

# %%
# All cores
# ---------
#
# Blocks of rows are independent, so they can be computed side by side. Each core takes the next block from
# a common heap, which keeps all of them busy when one is held up. What is shared between cores is always
# the outputs and never a sum: each number is added up by one core, in one order. So the bits are the same
# for any number of threads.

fd.set_threads(1)
one_thread = model.predict(X)
alone = best_time(lambda: model.predict(X, out=Z), 0.2)
fd.set_threads(None)
all_threads = model.predict(X)
together = best_time(lambda: model.predict(X, out=Z), 0.2)

print(f"threads: 1, {alone * 1e3:.2f} ms; {fd.get_threads()}, {together * 1e3:.2f} ms")
print("the same bits for any number:", np.array_equal(one_thread, all_threads))
row = model.predict(X[7:8])
print("the same bits for a row by itself:", np.array_equal(all_threads[7:8], row))

# %%
# The ladder
# ----------
#
# Now the whole way on one picture. :func:`fastdense.insight.ladder` computes one layer in every way of
# these pages, and with whichever other libraries are installed. Each rung is checked against the definition
# within the bound of :doc:`plot_3_matrix_product`, carried through the activation, and then timed. The axis
# is logarithmic, as each grid line is ten times the one before. At a shell the same is
# ``fastdense ladder``.

found = fd.insight.ladder(seconds=0.1)
found

# %%
# What to look for: the step from a loop to a product, the step from rows to a batch, and how far the last
# rungs are from the dashed line, the measured peak of all cores. That line is the end of the ladder.

for rung in found.rungs:
    if rung.name in ("pure Python loops", "native kernel, all cores"):
        nanoseconds = rung.seconds * 1e9
        print(f"{rung.name:25} {nanoseconds:11,.1f} ns a row, {rung.speedup:,.0f}x")

# %%
# So far the weights were given. Where do they come from? The next page derives how a layer learns them, and
# the loops in it vanish in the same way: :doc:`plot_6_gradient`.
