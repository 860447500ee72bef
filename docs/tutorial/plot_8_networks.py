r"""
A whole network
===============

A network is layers one after another: the output of each is the input of the next. This page reads a
network's shapes and counts its weights, makes the usual mistakes on purpose and reads what the library says
to them, and then looks at what the two numbers do that one chooses first, its width and its depth.
"""

# %%
# Shapes and counts
# -----------------
#
# A layer from ``n_in`` inputs to ``n_units`` units has a weight for each pair and a bias for each unit,
#
# .. math::
#
#    n_{in} \, n_{units} + n_{units} = (n_{in} + 1) \, n_{units}
#
# parameters. The units of a layer are the inputs of the next, so that a network of layers 2, 16, 8, 1 is
#
# .. math::
#
#    \underset{(m, \, 2)}{X} \rightarrow \underset{(m, \, 16)}{A_1} \rightarrow
#    \underset{(m, \, 8)}{A_2} \rightarrow \underset{(m, \, 1)}{A_3}
#
# and has :math:`3 \cdot 16 + 17 \cdot 8 + 9 \cdot 1 = 193` parameters. The rows ``m`` are in no count: the
# same weights serve one row and a million.

import matplotlib.pyplot as plt
import numpy as np

import fastdense as fd

plt.style.use("tableau-colorblind10")

layers = [fd.Input((2,)), fd.Dense(16, "relu"), fd.Dense(8, "relu"), fd.Dense(1, "sigmoid")]
model = fd.Sequential(layers, seed=0)
model.summary()

# %%
# When shapes do not fit
# ----------------------
#
# Nearly every mistake with a network is a shape. NumPy finds some of them and broadcasts others away: a
# bias of the shape ``(m, 1)`` would be added without a word. The library checks before it computes, and a
# :class:`fastdense.errors.ShapeError` says what was given and what would fix it; where two matrices do not
# fit it draws them and compares the two inner numbers. Four usual ones: examples in columns, a single
# example as a vector, pictures that were not made flat, and a network made for other data.

rng = np.random.default_rng(0)
wide = fd.Sequential([fd.Input((64,)), fd.Dense(10, "softmax")], seed=0)
mistakes = {
    "examples in columns": lambda: model.predict(rng.normal(size=(2, 100))),
    "one example as a vector": lambda: model.predict(np.array([0.5, -1.0])),
    "pictures of 8 by 8": lambda: wide.predict(rng.normal(size=(100, 8, 8))),
    "other data": lambda: model.predict(rng.normal(size=(100, 3))),
}
for name, call in mistakes.items():
    try:
        call()
    except fd.errors.ShapeError as error:
        print(f"--- {name}\n{error}\n")

# %%
# When the shapes fit and the numbers look wrong, ``print(model.explain(x))`` writes out what the network
# makes of one row, as formulas with their numbers. Look for units that are 0 for every row, and for sums so
# large that a sigmoid is 0 or 1 whatever happens.

layers = [fd.Input((2,)), fd.Dense(3, "relu"), fd.Dense(1, "sigmoid")]
print(fd.Sequential(layers, seed=0).explain([0.5, -1.0]))

# %%
# What width does
# ---------------
#
# A neuron of the first layer divides the plane by a straight line (:doc:`plot_1_neuron`). With relu,
# :math:`a = \max(z, 0)`, it is 0 on one side of its line and rises evenly on the other. The layer after it
# adds up such folded planes. So a network of one hidden layer makes, before its last sigmoid, a surface of
# flat pieces, folded along as many lines as the layer has units. More units are more lines, and the border
# between yes and no can bend more often.
#
# The data are two arms that wind around each other. No straight line does much for them. Each network gets
# the same training, from one neuron alone to 64 units.


def spirals(n):
    """Return points of two spirals, and which of the two each is of."""
    turn = np.sqrt(rng.uniform(0.02, 1, size=n)) * 3 * np.pi
    arm = rng.integers(0, 2, size=n)
    angle = turn + np.pi * arm
    points = turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1) / (3 * np.pi)
    return points + rng.normal(scale=0.02, size=(n, 2)), arm


X, y = spirals(600)
X_test, y_test = spirals(600)


def trained(*widths):
    """Return a network with hidden layers of these widths, trained on the spirals."""
    hidden = [fd.Dense(units, "relu") for units in widths]
    model = fd.Sequential([fd.Input((2,)), *hidden, fd.Dense(1, "sigmoid")], seed=2)
    model.compile(fd.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    model.fit(X, y, epochs=400, batch_size=32, verbose=0)
    return model


# %%
# What depth does
# ---------------
#
# The second layer folds what the first has folded already, and each of its lines goes across all folds:
# seen from the inputs it is many lines. So depth multiplies where width adds. The lower row has networks of
# two and three hidden layers, all with fewer weights than the widest above them.

sizes = {
    "one neuron": (),
    "8 units": (8,),
    "64 units": (64,),
    "8 and 8 units": (8, 8),
    "12 and 12 units": (12, 12),
    "9, 9 and 9 units": (9, 9, 9),
}
grid = np.linspace(-1.15, 1.15, 200)
across, up = np.meshgrid(grid, grid)
points = np.stack([across.ravel(), up.ravel()], axis=1)

figure, panels = plt.subplots(2, 3, figsize=(10, 7), layout="constrained", sharey=True)
for panel, (name, widths) in zip(panels.flat, sizes.items(), strict=True):
    fitted = trained(*widths)
    answers = fitted.predict(points).reshape(across.shape)
    right = fitted.evaluate(X_test, y_test, verbose=0)[1]
    levels = np.linspace(0, 1, 11)
    panel.contourf(across, up, answers, levels=levels, cmap="PuOr", alpha=0.8)
    panel.contour(across, up, answers, levels=[0.5], colors="black", linewidths=1)
    for arm, (marker, colour) in enumerate([("o", "#7f3b08"), ("^", "#2d004b")]):
        panel.plot(*X[y == arm][::3].T, marker, color=colour, markersize=2.5)
    weights = sum(array.size for array in fitted.get_weights())
    panel.set_title(f"{name}: {weights} parameters,\n{right:.0%} of unseen right", fontsize=10)
    panel.set_aspect("equal")
figure.suptitle("The answers of networks of growing width and depth to two spirals")
plt.show()

# %%
# Read the upper row for width: one line, then a border of a few straight pieces, then of many. Read the
# lower row for depth: fewer parameters than the widest, and a border that winds as far or further. How well
# each does on these data also depends on the training, so that the percentages are those of one seed.
#
# Depth, counted
# --------------
#
# The gain of depth can be made exact with weights chosen by hand. Two relu units make a tent on the numbers
# from 0 to 1,
#
# .. math::
#
#    t(x) = 2 \max(x, 0) - 4 \max(x - 1/2, 0)
#
# which is :math:`2 x` up to 1/2 and :math:`2 - 2 x` from there: it folds the interval in the middle. Fed
# with its own output it folds again. The units of the next layer take :math:`t`, and :math:`t - 1/2`, so
# their weights are those of the sum above, and each layer of two units doubles the number of straight
# pieces.


def folded(depth):
    """Return a network of so many layers that fold the numbers from 0 to 1."""
    hidden = [fd.Dense(2, "relu") for _ in range(depth)]
    layers = [fd.Input((1,)), *hidden, fd.Dense(1, use_bias=False)]
    model = fd.Sequential(layers, dtype="float64")
    first, bias = [[1.0, 1.0]], [0.0, -0.5]
    later, last = [[2.0, 2.0], [-4.0, -4.0]], [[2.0], [-4.0]]
    model.set_weights([first, bias, *[later, bias] * (depth - 1), last])
    return model


x = np.linspace(0, 1, 1025)
figure, panels = plt.subplots(1, 4, figsize=(10, 2.8), layout="constrained", sharey=True)
for panel, depth in zip(panels, [1, 2, 3, 5], strict=True):
    values = folded(depth).predict(x[:, None])[:, 0]
    slopes = np.diff(values) / np.diff(x)
    pieces = 1 + np.count_nonzero(np.abs(np.diff(slopes)) > 1)
    panel.plot(x, values)
    panel.set_title(f"depth {depth}, {2 * depth} units:\n{pieces} straight pieces", fontsize=10)
    panel.grid(alpha=0.3)
figure.suptitle("Each layer of two units folds the interval once more")
plt.show()

# %%
# A single layer has one kink a unit, so that with the ten units of the last picture it has eleven straight
# pieces at most. That a function *can* be represented does not mean that training finds it, which is why
# networks are not a hundred layers of two units.
#
# You now have the whole of it: the sum, the product, the kernel, the gradient, the training, the network.
# The last page turns to your own code: :doc:`plot_9_your_code`.
