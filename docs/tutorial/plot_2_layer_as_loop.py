r"""
A layer is a loop
=================

A layer is several neurons that look at the same inputs, each with weights and a bias of its own. Nothing
passes between them. So a layer is a loop over neurons, and this page writes that loop in three ways: over a
list of weight vectors, over the columns of a matrix, and over every single number. Then it counts what
there is to do, and measures how long Python takes for it.
"""

# %%
# Three neurons
# -------------
#
# The roaster of :doc:`plot_1_neuron` asked one question, whether the beans are brown enough. A good roast
# has more to it: the beans must not be burnt, and the drum must not be too hot. Three questions are three
# neurons. Neuron :math:`j` has the weights :math:`w_j` and the bias :math:`b_j`, and for the roast
# :math:`x` its sum is
#
# .. math::
#
#    z_j = x \cdot w_j + b_j, \qquad a_j = g(z_j)
#
# For :math:`x = (200, 17)` the three sums can be checked by hand:
#
# .. math::
#
#    z_1 &= 200 \cdot 0.1 + 17 \cdot 1 - 36 = 1 \\
#    z_2 &= 200 \cdot (-0.1) + 17 \cdot (-1) + 40 = 3 \\
#    z_3 &= 200 \cdot (-0.1) + 17 \cdot 0 + 22 = 2

import matplotlib.pyplot as plt
import numpy as np

import fastdense as fd
from fastdense.insight import best_time

plt.style.use("tableau-colorblind10")

x = np.array([200.0, 17.0])
weights = [[0.1, 1.0], [-0.1, -1.0], [-0.1, 0.0]]
biases = [-36.0, 40.0, 22.0]  # brown enough, not burnt, not too hot

z = []
for w, b in zip(weights, biases, strict=True):
    z.append(float(np.dot(x, w) + b))
answers = fd.reference.dense_neurons(x, weights, biases, "sigmoid")
print("our loop:     ", np.round(z, 6))
print("dense_neurons:", np.round(fd.reference.dense_neurons(x, weights, biases), 6))
print("answers:      ", np.round(answers, 6))

# %%
# The numbers are rounded for reading only: 0.1 has no exact binary form, so that the last digits of a
# float64 show what rounding left. How much rounding may leave is a question of the next page.
#
# Columns of a matrix
# -------------------
#
# A list of vectors of equal length is a matrix in disguise. Put them side by side, **one unit per column**,
# and the biases in a row:
#
# .. math::
#
#    W = \begin{pmatrix} 0.1 & -0.1 & -0.1 \\ 1 & -1 & 0 \end{pmatrix}, \qquad
#    B = \begin{pmatrix} -36 & 40 & 22 \end{pmatrix}
#
# ``W`` has the shape ``(n_in, n_units)``: a row for each input, a column for each unit. Now column
# :math:`j` is the weight vector of unit :math:`j`, and :math:`W_{kj}` is the weight from input :math:`k` to
# unit :math:`j`:
#
# .. math::
#
#    z_j = \sum_k x_k W_{kj} + B_j
#
# The examples too are put into a matrix, ``A_in``, **one example per row**; its shape is ``(m, n_in)`` for
# ``m`` examples. The function :func:`fastdense.reference.dense_units` takes one column of ``W`` at a time,
# and gives column :math:`j` of the result for all rows of ``A_in``.

A_in = np.array([[200.0, 17.0], [170.0, 14.0], [230.0, 18.0]])
W = np.array(weights).T
B = np.array([biases])
print("A_in", A_in.shape, " W", W.shape, " B", B.shape)

Z = np.empty((len(A_in), W.shape[1]))
for j in range(W.shape[1]):
    Z[:, j] = np.dot(A_in, W[:, j]) + B[0, j]
print(np.round(Z, 6))
print("as dense_units:", np.array_equal(Z, fd.reference.dense_units(A_in, W, B)))

# %%
# Read the rows. The first roast has 1, 3 and 2, as above: yes to all three questions. The second is pale,
# -5. The third is brown enough, but burnt and too hot, -1 each.
#
# Every single number
# -------------------
#
# A dot product is a loop too, hidden in NumPy. With that loop written out nothing is hidden any more:
#
# .. math::
#
#    z_{ij} = b_j + \sum_k a_{ik} W_{kj}
#
# for each row :math:`i`, each unit :math:`j`, and in the sum each input :math:`k`: three loops, one inside
# the other. This is :func:`fastdense.reference.dense_scalars`, on plain lists. Its heart:

Z = []
for a in A_in.tolist():
    row = []
    for j in range(W.shape[1]):
        total = B[0, j].item()
        for k in range(len(a)):
            total += a[k] * W[k, j].item()
        row.append(total)
    Z.append(row)
A_out = fd.reference.dense_scalars(A_in.tolist(), W.tolist(), B.tolist())
print("as dense_scalars:", np.array_equal(Z, A_out))

# %%
# Counting
# --------
#
# The innermost line multiplies once and adds once. It runs ``m * n_units * n_in`` times, once for each
# weight and row:
#
# .. math::
#
#    \text{multiply-adds} = m \cdot n_{in} \cdot n_{units}
#
# Counted as two operations each, as is the custom, that is :math:`2 \, m \, n_{in} \, n_{units}`
# operations. The biases and the activation are left out: there is one of each for every output, so that
# they do not count beside sums of many terms. All ways to compute the layer on these pages do the same
# multiply-adds. They differ in how many they do a second.
#
# The count says that the time must grow in proportion to the units, and to the inputs. Measured here is
# ``dense_scalars`` on one row. ``best_time`` is the clock that the library uses itself: it calls a function
# many times, several times over, and gives the time of one call in the best round, since other programs can
# only make it longer.

rng = np.random.default_rng(0)
counts = [1, 32, 64, 96, 128]
seconds = {}
for n_in in (16, 32, 64):
    row = rng.normal(size=(1, n_in)).tolist()
    seconds[n_in] = []
    for n_units in counts:
        M, bias = rng.normal(size=(n_in, n_units)).tolist(), [0.0] * n_units
        run = lambda: fd.reference.dense_scalars(row, M, bias)
        seconds[n_in].append(best_time(run, 0.05))

# %%
# On the left each number of inputs has its line, and with twice the inputs it is twice as steep. On the
# right the same times are divided by the number of multiply-adds: now the lines lie on one another, all but
# the first points, where the cost of a call shows. What is left is the time that one multiply-add takes in
# Python.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
for (n_in, times), marker in zip(seconds.items(), "os^", strict=True):
    each = np.array(times) / (n_in * np.array(counts))
    left.plot(counts, np.array(times) * 1e6, marker=marker, label=f"{n_in} inputs")
    right.plot(counts, each * 1e9, marker=marker, label=f"{n_in} inputs")
left.set(title="Time of one row through the layer", ylabel="microseconds")
right.set(title="The same, for each multiply-add", ylabel="nanoseconds")
for axes in (left, right):
    axes.set(xlabel="units", ylim=0)
    axes.grid(alpha=0.3)
    axes.legend()
figure.suptitle("A layer as Python loops: its time grows with units and inputs")
plt.show()

# %%
# Where the time goes
# -------------------
#
# To multiply two numbers and add the product to a third is one instruction of the processor, and a modern
# one does this for 4 to 16 numbers at once, often twice in every cycle. :func:`fastdense.info` measures
# that rate, in float32; in float64, which Python's numbers are, it is half of it. How long does one
# multiply-add take there, and how long in the loop?

in_python = seconds[64][-1] / (64 * counts[-1])
machine = fd.info(peak=True)
at_peak = 2 / (machine.peak_one_core * 1e9)
print(f"in the Python loop:        {in_python * 1e9:9.3f} ns a multiply-add")
print(f"at the float32 peak:       {at_peak * 1e9:9.3f} ns a multiply-add")
print(f"the loop could be {in_python / at_peak:,.0f} times faster, on one core")

# %%
# The arithmetic hides in the loop's time like a needle. The rest is Python's: for every turn it steps a
# counter, looks up three objects in lists, asks each for its type, makes a new number for the product and
# another one for the sum, and lets the old ones go. None of it is the layer's work, and all of it
# disappears when the loop is handed, as a whole, to code that was compiled for it. That is what a matrix
# product is: :doc:`plot_3_matrix_product`.
