r"""
How a layer learns
==================

Nobody chooses the weights of a network by hand. They start as random numbers, and are changed a little at a
time so that the network's mistake becomes smaller. To know which way to change a weight, one needs its
**gradient**: how fast the mistake grows with it. This page derives the gradient of a layer from its sum, by
nothing but the chain rule, and then checks every number of it.
"""

# %%
# The mistake as a number
# -----------------------
#
# Let :math:`y` be the right answer for an example, 1 for yes and 0 for no, and :math:`a = g(z)` the
# neuron's, between 0 and 1. The **loss** says how bad the answer is. For yes and no it is the binary
# cross-entropy:
#
# .. math::
#
#    L = -y \log a - (1 - y) \log (1 - a)
#
# Only one of the terms is left for each example: minus the logarithm of what the network gave to the right
# answer. It is 0 when that was 1, and grows without end when it goes to 0. Put in
# :math:`a = 1 / (1 + e^{-z})`, and the logarithms become one:
#
# .. math::
#
#    L = \log (1 + e^{z}) - y z, \qquad
#    \frac{\partial L}{\partial z} = \frac{e^{z}}{1 + e^{z}} - y = a - y
#
# The slope of the loss with respect to :math:`z` is the answer minus the right answer. From here on such a
# slope is written with a d: :math:`dz` for :math:`\partial L / \partial z`, and ``dW`` for those of all
# elements of ``W``, a matrix of the same shape. In the library these are :func:`fastdense.reference.loss`
# and :func:`fastdense.reference.loss_gradient`; told that they get a :math:`z`, they use the second form,
# written so that it cannot overflow.
#
# One neuron
# ----------
#
# A weight reaches the loss through :math:`z` alone, and :math:`z = \sum_k x_k w_k + b` changes with
# :math:`w_k` at the rate :math:`x_k`. So by the chain rule
#
# .. math::
#
#    dw_k = \frac{\partial L}{\partial z} \frac{\partial z}{\partial w_k} = x_k \, dz, \qquad db = dz
#
# Take :math:`x = (3, 1)`, :math:`w = (1, -2)`, :math:`b = -1`, and the right answer 1. The sum is
# :math:`3 - 2 - 1 = 0`, the answer 1/2, :math:`dz = -1/2`, and so :math:`dw = (-1.5, -0.5)` and
# :math:`db = -0.5`. All are negative: the loss falls if the weights grow. A **step** moves each against its
# slope, by a small factor, the learning rate:

import math

import matplotlib.pyplot as plt
import numpy as np

import fastdense as fd

plt.style.use("tableau-colorblind10")

x, y, rate = np.array([3.0, 1.0]), 1.0, 0.1
w, b = np.array([1.0, -2.0]), -1.0
for _ in range(3):
    z = x @ w + b
    a = 1 / (1 + math.exp(-z))
    dz = a - y
    dw, db = x * dz, dz
    loss = math.log(1 + math.exp(z)) - y * z
    print(f"z = {z:.3f}, a = {a:.3f}, loss = {loss:.4f}, dw = {dw.round(3)}, db = {db:.3f}")
    w, b = w - rate * dw, b - rate * db

# %%
# A layer
# -------
#
# Now there are several units, and a :math:`dz_j` for each. The weight :math:`W_{kj}` reaches the loss
# through :math:`z_j` alone, so nothing is new:
#
# .. math::
#
#    dW_{kj} = a_k \, dz_j, \qquad dB_j = dz_j
#
# where :math:`a_k` is input :math:`k` of the layer. But an input goes to all units, and reaches the loss by
# all of them. The slopes of all ways add up:
#
# .. math::
#
#    da_k = \sum_j \frac{\partial z_j}{\partial a_k} \, dz_j = \sum_j W_{kj} \, dz_j
#
# What is this good for, as inputs are not changed? They are the outputs of the layer before. Its :math:`da`
# is what that layer needs to go on: through its activation, :math:`dz_k = g'(z_k) \, da_k`, to its own
# weights, and so back to the first layer. This is **backpropagation**. The functions are
# :func:`fastdense.reference.backward_layer` and :func:`fastdense.reference.activate_backward`, with these
# formulas in their docstrings, and :func:`fastdense.reference.backward`, which calls them from the last
# layer to the first.
#
# The loops vanish
# ----------------
#
# For a batch of ``m`` rows the loss is the mean of the rows' losses, so that each row's :math:`dz` is
# divided by ``m``. Then its gradient is the sum over the rows :math:`i`. A sum over an index that two
# factors share is a matrix product, and a sum over an index that one factor has is the sum of its rows:
#
# .. math::
#
#    dW_{kj} &= \sum_i a_{ik} \, dz_{ij} & \text{so} \quad dW &= A_{in}^T \, dZ \\
#    dB_j &= \sum_i dz_{ij} & \text{so} \quad dB &= \text{the sum of the rows of } dZ \\
#    da_{ik} &= \sum_j dz_{ij} W_{kj} & \text{so} \quad dA_{in} &= dZ \, W^T
#
# The shapes leave no other way. ``dW`` must be ``(n_in, n_units)``, and of ``A_in``, ``(m, n_in)``, and
# ``dZ``, ``(m, n_units)``, only ``A_in.T @ dZ`` has that shape. The way back costs two products where the
# way forth costs one: a step of training is about three times the work of a prediction.
#
# A network of two layers, with tanh after the first (the slope of :math:`a = \tanh z` is :math:`1 - a^2`)
# and the sigmoid after the second, forward and back in NumPy:


def gradients(W1, B1, W2, B2, X, Y):
    """Return the mean loss of the rows and its gradient."""
    A1 = np.tanh(X @ W1 + B1)
    Z2 = A1 @ W2 + B2
    loss = np.mean(np.logaddexp(0, Z2) - Y * Z2)

    dZ2 = (1 / (1 + np.exp(-Z2)) - Y) / len(X)
    dW2, dB2 = A1.T @ dZ2, dZ2.sum(axis=0)
    dA1 = dZ2 @ W2.T
    dZ1 = dA1 * (1 - A1**2)
    dW1, dB1 = X.T @ dZ1, dZ1.sum(axis=0)
    return loss, [dW1, dB1, dW2, dB2]


rng = np.random.default_rng(0)
X = rng.normal(size=(5, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)
layers = [fd.Input((2,)), fd.Dense(3, "tanh"), fd.Dense(1, "sigmoid")]
model = fd.Sequential(layers, seed=0, dtype="float64")
model.compile(loss="binary_crossentropy")
loss, found = gradients(*model.get_weights(), X, Y)
print(f"loss {loss:.6f}, shapes of its gradients {[g.shape for g in found]}")

# %%
# Against the definition
# ----------------------
#
# The reference works on one row at a time, in loops. :func:`fastdense.reference.forward` keeps what each
# layer made of the row (its *traces*), ``loss_gradient`` starts the way back, ``backward`` goes it. The
# network and the loss are handed to them as plain descriptions. The lists of None say that no layer drops
# inputs. ``from_z`` says that the gradient is with respect to the last :math:`z` already, as the loss was
# computed from it.

network, parameters = model.network(), model.parameters()
cross_entropy = fd.losses.BinaryCrossentropy(from_logits=True).spec()
no_masks = [None] * len(network.layers)


def of_row(x, y):
    """Return one row's loss and gradients by the loops of the reference."""
    traces = fd.reference.forward(network, parameters, x, no_masks)
    z = traces[-1].z
    dz = fd.reference.loss_gradient(cross_entropy, y, z)
    back = fd.reference.backward(network, parameters, traces, dz, no_masks, from_z=True)
    return fd.reference.loss(cross_entropy, y, z), back


rows = [of_row(x, y) for x, y in zip(X.tolist(), Y.tolist(), strict=True)]
print(f"the losses differ by {abs(loss - np.mean([value for value, _ in rows])):.1e}")
backs = zip(*(back for _, back in rows), strict=True)
for name, ours, theirs in zip(["dW1", "dB1", "dW2", "dB2"], found, backs, strict=True):
    apart = np.abs(ours - np.mean(theirs, axis=0)).max()
    print(f"{name} differs by at most {apart:.1e}")

# %%
# Against nothing but the loss
# ----------------------------
#
# Both could be wrong in the same way. A check that knows no derivation is to move a weight a little to both
# sides, and to look at what the loss does. This **central difference** comes near the slope:
#
# .. math::
#
#    \frac{L(w + h) - L(w - h)}{2 h} = L'(w) + \frac{h^2}{6} L'''(w) + \ldots
#
# What it is off by on paper falls with the square of ``h``. In a computer the two losses are rounded, each
# by about ``eps`` of its size, and the difference is divided by ``2 * h``: what rounding adds grows as
# ``h`` falls. So there is a best ``h`` in between, near the cube root of ``eps``, and the errors must form
# a V. If they do, and the lowest are as small as the two slopes allow, the gradient is right. For the mean
# loss of the five rows, and every weight:


def central_differences(h):
    """Return the slopes with respect to every parameter, from the loss alone."""
    slopes = []
    for array in weights:
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + h
            above, _ = gradients(*weights, X, Y)
            array[place] = kept - h
            below, _ = gradients(*weights, X, Y)
            array[place] = kept
            slopes.append((above - below) / (2 * h))
    return np.array(slopes)


weights = [array.copy() for array in model.get_weights()]
exact = np.concatenate([g.ravel() for g in found])
widths = np.geomspace(1e-11, 1, 34)
errors = [np.abs(central_differences(h) - exact).max() for h in widths]
eps = np.finfo(float).eps
print(f"best h {widths[np.argmin(errors)]:.1e}, cube root of eps {eps ** (1 / 3):.1e}")
print(f"largest gradient {np.abs(exact).max():.3f}, smallest error {min(errors):.1e}")

# %%
# Left is what a slope is: the loss along one weight of the first layer, its tangent by the gradient, and
# two points with the central difference through them. Right is the V.

along = np.linspace(-4, 4, 161)
start = weights[0][0, 0]


def loss_at(value):
    W1 = weights[0].copy()
    W1[0, 0] = value
    return gradients(W1, *weights[1:], X, Y)[0]


tangent = loss + found[0][0, 0] * (along - start)
pair = np.array([start - 2, start + 2])
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
left.plot(along, [loss_at(value) for value in along], label="the loss")
left.plot(along, tangent, "--", label="its tangent, by the gradient")
left.plot(pair, [loss_at(value) for value in pair], "o-", color="C3", label="central, h = 2")
left.set(title="The loss along one weight", xlabel="W1[0, 0]", ylabel="loss")
right.loglog(widths, errors, "o-", label="largest error of any weight")
right.loglog(widths, widths**2 / 6, "--", color="C1", label="h**2 / 6")
right.loglog(widths, eps * loss / widths, ":", color="C3", label="eps * loss / h")
right.set(title="Central differences against the gradient", xlabel="h", ylim=(1e-14, 10))
for axes in (left, right):
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
figure.suptitle("The slope of a loss, and how near central differences come to it")
plt.show()

# %%
# Every number of it
# ------------------
#
# ``model.explain`` writes all this out for one row: forward, the loss, and every gradient on the way back.
# Step through it. The numbers are the reference's, and the same as ours for the first row:

explanation = model.explain(X[0], target=Y[0])
ours = gradients(*model.get_weights(), X[:1], Y[:1])[1]
for step, dW in zip(explanation.steps, ours[::2], strict=True):
    print(f"dW{step.number}: differs by at most {np.abs(step.dW - dW).max():.1e}")
explanation

# %%
# A gradient is one step's worth. Learning is many steps: :doc:`plot_7_training`.
