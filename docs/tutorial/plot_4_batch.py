r"""
Rows become a batch
===================

A layer rarely has one row to do. It has a table of customers, the pixels of a picture, the 32 examples of a
training step. One row at a time is a loop, and this loop too becomes part of the product. What that gains
is more than the cost of calls: it changes what the processor waits for.
"""

# %%
# The same formula, with more rows
# --------------------------------
#
# Let ``A_in`` have ``m`` rows. Row :math:`i` of the product of two matrices is row :math:`i` of the left
# one times the right one. So no row knows of the others, and one product does them all:
#
# .. math::
#
#    \underset{(m, \, n_{units})}{Z} =
#    \underset{(m, \, n_{in})}{A_{in}} \; \underset{(n_{in}, \, n_{units})}{W} +
#    \underset{(1, \, n_{units})}{B}, \qquad
#    z_{ij} = \sum_k a_{ik} W_{kj} + B_j
#
# ``B`` has one row, and is added to each of the ``m``: NumPy repeats an axis of length 1 as often as it
# must, which is called broadcasting. The formula did not change at all. That is why examples are rows.

import matplotlib.pyplot as plt
import numpy as np

import fastdense as fd
from fastdense.insight import best_time

plt.style.use("tableau-colorblind10")

A_in = np.array([[200.0, 17.0], [170.0, 14.0], [230.0, 18.0]])
W = np.array([[0.1, -0.1, -0.1], [1.0, -1.0, 0.0]])
B = np.array([[-36.0, 40.0, 22.0]])
print(np.round(A_in @ W + B, 6))

one_by_one = np.concatenate([A_in[i : i + 1] @ W + B for i in range(len(A_in))])
print("the same, one row at a time:", np.allclose(A_in @ W + B, one_by_one, atol=1e-12))

# %%
# A row is written ``A_in[i : i + 1]``, of shape ``(1, n_in)``, and not ``A_in[i]``, which is a vector. A
# layer takes matrices, and one example is a matrix of one row.
#
# Faster, a row
# -------------
#
# Now more rows in one call, to a layer of 64 inputs and 64 units: by NumPy, by :func:`fastdense.dense`, and
# by a network of this one layer. For each number of rows the time of the call is divided by the rows. If a
# row cost the same in any company, the lines would be level.

rng = np.random.default_rng(0)
n_in = n_units = 64
X = rng.normal(size=(4096, n_in)).astype(np.float32)
M = rng.normal(size=(n_in, n_units)).astype(np.float32)
b = rng.normal(size=(1, n_units)).astype(np.float32)

rows = [1, 4, 16, 64, 256, 1024, 4096]
model = fd.Sequential([fd.Input((n_in,)), fd.Dense(n_units)], seed=0)
each = {"A_in @ W + B": [], "fd.dense": [], "model.predict": []}
for m in rows:
    part = X[:m]
    runs = [lambda: part @ M + b, lambda: fd.dense(part, M, b), lambda: model.predict(part)]
    for times, run in zip(each.values(), runs, strict=True):
        times.append(best_time(run, 0.05) / m)

figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
for (name, times), marker in zip(each.items(), "os^", strict=True):
    axes.loglog(rows, np.array(times) * 1e9, marker=marker, label=name)
axes.set(xlabel="rows in one call", ylabel="nanoseconds a row")
axes.set_xticks(rows, [f"{m:,}" for m in rows])
axes.minorticks_off()
axes.grid(alpha=0.3)
axes.legend()
figure.suptitle("A row costs less, the more rows a call has (64 inputs, 64 units)")
plt.show()

# %%
# They fall, and then they do not fall any more. (A point that sticks out is a moment in which another
# program had one of the cores.) Two reasons for the fall, and one for its end, can be counted.
#
# Three floors under the time
# ---------------------------
#
# **Calls.** A call from Python costs the same for one row and for a thousand. With ``m`` rows in it, each
# has one part in ``m`` of that. How much it is differs: ``fd.dense`` asks its arguments for their library,
# their dtypes and their shapes each time, while a model knows its own weights and asks only for the rows.
#
# **Bytes.** The processor has to read its numbers from memory. In float32 a number takes 4 bytes, and each
# array has to pass at least once:
#
# .. math::
#
#    \text{bytes} = 4 \, (m \, n_{in} + n_{in} \, n_{units} + n_{units} + m \, n_{units})
#
# The term of ``W``, :math:`n_{in} n_{units}`, has no ``m`` in it. For one row it is nearly everything: each
# weight is read, used for a single multiply-add, and dropped. For many rows the weights are read once and
# used by all of them.
#
# **Arithmetic.** The operations, :math:`2 \, m \, n_{in} \, n_{units}`, are the same for every row. Nothing
# shares them. This floor stays.
#
# The ratio of the last two says which of them is the higher one. It is called the arithmetic intensity, the
# operations that are done for each byte:
#
# .. math::
#
#    \text{intensity} =
#    \frac{2 \, m \, n_{in} \, n_{units}}
#    {4 \, (m \, n_{in} + n_{in} \, n_{units} + n_{units} + m \, n_{units})}
#
# For one row it is below 1/2 whatever the layer, and near it unless the layer is small: two operations for
# the four bytes of a weight. With many rows it approaches
# :math:`n_{in} n_{units} / (2 n_{in} + 2 n_{units})`, which for 64 and 64 is 16.


def operations(m):
    return 2 * m * n_in * n_units


def read_bytes(m):
    return 4 * (m * n_in + n_in * n_units + n_units + m * n_units)


def intensity(m):
    return operations(m) / read_bytes(m)


print("  rows  operations      bytes  operations a byte")
for m in rows:
    print(f"{m:6,} {operations(m):11,} {read_bytes(m):10,} {intensity(m):18.2f}")

# %%
# With :math:`\text{calls}` for the seconds that its calls take, a machine that does ``P`` operations a
# second and reads ``R`` bytes a second needs at least
#
# .. math::
#
#    t \ge \max \left( \text{calls}, \;
#    \frac{\text{bytes}}{R}, \; \frac{\text{operations}}{P} \right)
#
# if all three can go on at the same time. Divide the operations by that: below an intensity of ``P / R``
# the rate of arithmetic cannot be more than intensity times ``R``, a slope, and above it not more than
# ``P``, a level. Together they look like a roof, hence the name **roofline** (Williams, Waterman and
# Patterson, 2009).
#
# The roof of this machine
# ------------------------
#
# :func:`fastdense.insight.sweep` does this for the whole ladder of ways to compute a layer. It measures
# ``P`` and ``R``, the latter for data of many sizes, since the nearest caches are read many times faster
# than the main memory. It measures the same calls on a layer of one input and one unit, where nothing but
# the call takes time. Then it times each way, checks its numbers against the definition, and names the
# floor that it stands on: C for its calls, M for memory, A for arithmetic, in brackets where the floor
# explains less than half of the time.
#
# In a notebook, and on this page, the result shows itself as a table and a chart. In a script
# ``print(found)`` is the table, and ``found.plot("sweep.png")`` the chart.

found = fd.insight.sweep(rows=[1, 16, 256, 4096], seconds=0.02)
found

# %%
# How to read the chart. Across are the rows of a call, and with them, written above, the intensity. Upwards
# is the rate of arithmetic. The grey slopes are what reading allows, for data of three sizes: those of 256
# MB come from the main memory, but on the largest servers, and smaller ones from caches. The level dashed
# lines are what the arithmetic units allow; lines of other libraries are dashed as well. A round mark says
# that calls take the time, a square that reading does, a triangle that the arithmetic does, and a cross
# that none of them explains half of it.
#
# The loops over rows stay where they are, as more rows are more turns, and end where they would only take
# longer. The products start low, held down by their calls, and rise with the rows. Where a line reaches the
# level part of the roof no faster program is possible any more, only fewer operations or another machine.
#
# The intensity that the library writes above the chart is the one that we have counted:

for m in found.rows:
    print(f"{m:5,} rows: {found.intensity(m):5.2f}, ours {intensity(m):5.2f}")

# %%
# What remains is the way from one matrix product to the roof. A product of a BLAS comes far. But a layer is
# more than a product, and a network more than a layer: :doc:`plot_5_kernel`.
