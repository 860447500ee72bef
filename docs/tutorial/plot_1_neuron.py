r"""
One neuron
==========

A neuron takes some numbers, weighs them, adds them up, and answers with one number between 0 and 1. That is
the whole of it. Everything on the following pages is many of these at once.

Take a coffee roaster. A roast has two numbers, its temperature in degrees and its time in minutes, and we
want to know whether the beans come out brown enough. Hotter is browner, and longer is browner. How much
each counts are the two **weights** of the neuron. How much it takes in all is its **bias**.
"""

# %%
# A weighted sum
# --------------
#
# Call the example :math:`x`, its two numbers :math:`x_1` and :math:`x_2`, the weights :math:`w_1` and
# :math:`w_2` and the bias :math:`b`. The neuron adds up
#
# .. math::
#
#    z = x_1 w_1 + x_2 w_2 + b = \sum_k x_k w_k + b = x \cdot w + b
#
# where :math:`k` runs over the inputs. The right-hand side says the same with a dot product of two vectors
# of length ``n_in``, here 2. Let a degree count 0.1 and a minute 1, so that ten degrees more make up for a
# minute less, and let the bias be -36. A roast of 17 minutes at 200 degrees has the sum
# :math:`200 \cdot 0.1 + 17 \cdot 1 - 36 = 1`.

import math

import matplotlib.pyplot as plt
import numpy as np

import fastdense as fd

plt.style.use("tableau-colorblind10")

x = np.array([200.0, 17.0])  # degrees, minutes
w = np.array([0.1, 1.0])
b = -36.0

z = b
for k in range(len(x)):
    z += x[k] * w[k]
print("as a loop:       ", z)
print("as a dot product:", np.dot(x, w) + b)

# %%
# :func:`fastdense.reference.dense_neurons` is the definition in the library. It takes a list of weight
# vectors and a list of biases, one of each for every neuron. Here there is one. Open its source from the
# link: it is the dot product above, and a check that the lengths agree.

print(fd.reference.dense_neurons(x, weights=[w], biases=[b]))

# %%
# What a weight does
# ------------------
#
# A weight is the rate at which the sum changes with its input. Raise :math:`x_k` by one, and only the term
# :math:`x_k w_k` grows, by :math:`w_k`:
#
# .. math::
#
#    \frac{\partial z}{\partial x_k} = w_k
#
# A negative weight would be an input that speaks against the answer, and a weight of zero one that does not
# matter.

steps = {"one degree more": [1, 0], "one minute more": [0, 1], "both": [1, 1]}
for name, step in steps.items():
    (after,) = fd.reference.dense_neurons(x + step, [w], [b])
    print(f"{name:16} z = {after:.1f}, which is {after - z:.1f} more")

# %%
# From a sum to an answer
# -----------------------
#
# The sum can be any number. We want an answer between 0, "no", and 1, "yes". The **activation** :math:`g`
# turns one into the other: :math:`a = g(z)`. The classical choice is the **sigmoid**:
#
# .. math::
#
#    g(z) = \frac{1}{1 + e^{-z}}
#
# Three properties are worth checking. At :math:`z = 0` it is 1/2. Far to the right :math:`e^{-z}` vanishes
# and it comes near 1. And what it gives for :math:`-z` is what is missing to 1:
#
# .. math::
#
#    1 - g(z) = \frac{e^{-z}}{1 + e^{-z}} = \frac{1}{e^{z} + 1} = g(-z)

for value in [-5.0, -1.0, 0.0, 1.0, 5.0]:
    a = fd.activations.sigmoid(np.array([value]))[0]
    print(f"g({value:4.1f}) = {a:.4f}   1 - g = {1 - a:.4f}")

# %%
# A formula on paper is not yet one for a computer. At :math:`z = -1000` it asks for :math:`e^{1000}`, which
# no float64 can hold. So the library, its reference as well, computes :math:`e^{z} / (1 + e^{z})` below
# zero, the same number, and never raises :math:`e` to a positive power. And where what is missing to 1 is
# wanted, it is computed as :math:`g(-z)`: the difference :math:`1 - g(z)` loses all its digits once
# :math:`g(z)` is rounded to 1.

try:
    print(1 / (1 + math.exp(1000)))
except OverflowError as error:
    print("as on paper, g(-1000):", error)
far = np.array([-1000.0, -40.0])
print("in the library, g(-1000) and g(-40):", fd.activations.sigmoid(far))
print("as a difference, 1 - g(40):", 1 - fd.activations.sigmoid(np.array([40.0]))[0])

# %%
# The neuron of the roaster, whole, with the name of its activation:

print("brown enough:", fd.reference.dense_neurons(x, [w], [b], activation="sigmoid"))

# %%
# Left in the picture is the sigmoid, with the roast from above and two others. The steepness is greatest at
# :math:`z = 0`, where the neuron is undecided; far out an input hardly changes the answer any more.
#
# On the right are all roasts. Where is the border between no and yes? The answer is 1/2 where
# :math:`z = 0`, and
#
# .. math::
#
#    x_1 w_1 + x_2 w_2 + b = 0
#
# is the equation of a straight line. Along the line, ten degrees are traded for a minute. Across it, in the
# direction of :math:`w`, the sum grows fastest. Every neuron has such a line in the space of its inputs (a
# plane for three, a hyperplane for more): **a neuron divides its inputs in two, by a straight cut.**

roasts = np.array([[170.0, 14.0], [200.0, 17.0], [230.0, 18.0]])
sums = np.array([fd.reference.dense_neurons(roast, [w], [b])[0] for roast in roasts])

degrees, minutes = np.meshgrid(np.linspace(150, 250, 201), np.linspace(8, 26, 181))
A = fd.activations.sigmoid(degrees * w[0] + minutes * w[1] + b)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
z_line = np.linspace(-8, 8, 321)
left.plot(z_line, fd.activations.sigmoid(z_line), linewidth=2)
left.plot(sums, fd.activations.sigmoid(sums), "o", color="black")
for z in sums:
    at = z, fd.activations.sigmoid(np.array([z]))[0]
    left.annotate(f"z = {z:.0f}", at, (6, -12), textcoords="offset points")
left.axvline(0, color="C3", linestyle="--", linewidth=1)
left.set(title="The sigmoid: 1 / (1 + exp(-z))", xlabel="z, the sum", ylabel="a, the answer")
left.grid(alpha=0.3)

levels = np.linspace(0, 1, 21)
shades = right.contourf(degrees, minutes, A, levels=levels, cmap="cividis")
right.contour(degrees, minutes, A, levels=[0.5], colors="white", linewidths=2)
right.plot(*roasts.T, "o", color="black", markeredgecolor="white")
right.set(title="The neuron's answer to every roast", xlabel="degrees", ylabel="minutes")
figure.colorbar(shades, label="a", ticks=[0, 0.5, 1])
figure.suptitle("One neuron: its activation, and the line (white) where its answer is 1/2")
plt.show()

# %%
# Sharper, not elsewhere
# ----------------------
#
# Multiply the weights and the bias by the same positive number, and :math:`z = 0` holds for the same roasts
# as before. The line stays. But all other sums grow, so the answer passes from 0 to 1 in a shorter
# distance: the length of :math:`w` is how sure the neuron is of its line. A network that learns uses both,
# where the line lies and how sharp it is. The last column here is a roast on the line.

on_the_line = np.array([190.0, 17.0])
for factor in [0.5, 1.0, 2.0, 10.0]:
    weights, biases = [factor * w], [factor * b]
    answers = [
        fd.reference.dense_neurons(roast, weights, biases, "sigmoid")[0]
        for roast in [*roasts, on_the_line]
    ]
    print(f"times {factor:4.1f}:", *(f"{a:.3f}" for a in answers))

# %%
# One straight cut is not enough for coffee. Beans can be burnt as well as pale, so that a good roast lies
# between two lines. For that it takes several neurons, each with a line of its own: a layer. That is the
# next page, :doc:`plot_2_layer_as_loop`.
