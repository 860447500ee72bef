"""Calls of public names: type checkers accept them, except those of lines that end in ``# refused``.

mypy accepts any argument of a class whose base has no types, as scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor, callbacks, initializers, layers, losses, metrics
from fastdense.optimizers import SGD, Adam, AdamW, schedules


def calls() -> None:
    """Be checked, not called."""
    X, y = np.zeros((4, 2)), np.zeros(4)

    dense: fd.Dense = fd.Dense(32, "relu", kernel_initializer=initializers.HeNormal(seed=1), name="first")
    fd.Dense(1, fd.activations.tanh, input_shape=(2,), kernel_regularizer="l2")
    fd.Dense()  # refused
    fd.Dense(units="32")  # refused
    fd.Dense(32, 3.0)  # refused
    fd.Dense(32, activaton="relu")  # refused
    layers.LeakyReLU(0.1, name="leaky")
    layers.Dropout(0.5, "dropout")
    layers.Dropout(rate="half")  # refused
    layers.Rescaling([0.5, 2.0], offset=1.0)
    fd.Normalization(mean=[0.0], variance=[1.0])

    model = fd.Sequential([fd.Input((2,)), dense, fd.Dense(1)], seed=0)
    model.compile(optimizer=Adam(0.01), loss=losses.Huber(delta=2.0), metrics=["mae", metrics.R2Score()])
    history: callbacks.History = model.fit(X, y, epochs=2, callbacks=[callbacks.EarlyStopping(patience=3)])
    model.fit(X, y, epochs="2")  # refused

    rate: float = schedules.CosineDecay(0.1, decay_steps=100)(5)
    schedules.ExponentialDecay(0.1, 10)  # refused
    schedules.PiecewiseConstantDecay((1, 2), (0.1, 0.2, 0.3))
    SGD(schedules.InverseTimeDecay(0.1, 10, 0.5), momentum=0.9, nesterov=True, clipnorm=1.0)
    SGD(lambda step: 0.1 / (step + 1))
    SGD("0.1")  # refused
    Adam(lr=0.01)  # refused
    layers.Dropout(schedules.CosineDecay(0.5, 100))
    layers.Dropout("0.5")  # refused
    layers.Dense(3, bias_decay_factor=0.0, kernel_rate_factor="1")  # refused
    AdamW(0.001, 0.01, beta_1=0.8)
    decay: float | Callable[[int], float] | None = AdamW(0.001, lambda step: 0.01).weight_decay

    delta: float = losses.Huber().delta
    losses.Huber("2")  # refused
    losses.CategoricalCrossentropy(groups=[2, 3]).groups.index(2)
    losses.MeanSquaredError(1)  # refused
    metrics.Precision(0.7, class_id=1).name.upper()
    metrics.Precision(0.7, 1)  # refused
    metrics.TopKCategoricalAccuracy(3, "top3")
    metrics.F1Score("macro", threshold=0.5)
    fd.regularizers.L1L2(l1=0.1)
    fd.regularizers.L1(l2=0.1)  # refused
    initializers.RandomUniform(-1.0, 1.0, 7)
    initializers.GlorotUniform(7)
    initializers.VarianceScaling(mode=3)  # refused
    fd.activations.ActivationFunction("elu", 0.5)
    fd.activations.ActivationFunction(alpha=0.5)  # refused

    classifier = MLPClassifier((8,), "tanh", max_iter=500, class_weight="balanced").fit(X, y)
    MLPClassifier((8,), "tanh", "adam")  # refused by pyright
    MLPClassifier(max_iter="500")  # refused
    fd.MLPRegressor("huber", delta=2.0)
    MLPRegressor(label_smoothing=0.1)  # refused by pyright
