"""The course's three networks, trained in Keras and here: the same loss after every epoch."""

from __future__ import annotations

import numpy as np
import pytest

from tests.keras.both import LIBRARIES, assert_close, assert_same_training, converting, weights_of
from tests.keras.data import coffee, digits

COFFEE, (IMAGES, NUMBERS) = coffee(), digits(10)
ONES = digits(2)


def coffee_network(lib):
    """Return 2-3-1 sigmoid units behind a layer that scales the inputs."""
    scale = lib.layers.Normalization(axis=-1)
    scale.adapt(COFFEE[0])
    dense = lib.layers.Dense
    return [lib.Input((2,)), scale, dense(3, activation="sigmoid"), dense(1, activation="sigmoid")]


def binary_network(lib):
    """Return 400-25-15-1 sigmoid units."""
    return [lib.Input((400,)), *(lib.layers.Dense(units, activation="sigmoid") for units in (25, 15, 1))]


def class_network(lib):
    """Return 400-25-15-10 units, relu and at last linear."""
    dense = lib.layers.Dense
    hidden = [dense(25, activation="relu"), dense(15, activation="relu")]
    return [lib.Input((400,)), *hidden, dense(10, activation="linear")]


def class_loss(lib):
    return lib.losses.SparseCategoricalCrossentropy(from_logits=True)


def coffee_settings(optimizer="adam", **settings):
    """Return what compiles the coffee network; ``optimizer`` may be a function of the library."""

    def compiled(lib):
        chosen = optimizer(lib) if callable(optimizer) else optimizer
        return {"loss": "binary_crossentropy", "optimizer": chosen, **settings}

    return compiled


NETWORKS = {
    "coffee": (coffee_network, lambda lib: lib.losses.BinaryCrossentropy(), *COFFEE),
    "binary": (binary_network, lambda lib: lib.losses.BinaryCrossentropy(), *ONES),
    "classes": (class_network, class_loss, IMAGES, NUMBERS),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_course(name):
    layers, loss, X, y = NETWORKS[name]
    assert_same_training(
        layers, lambda lib: {"loss": loss(lib), "optimizer": lib.optimizers.Adam(learning_rate=0.001)}, X, y
    )


OPTIMIZERS = {
    "momentum": lambda o: o.SGD(0.05, momentum=0.9),
    "nesterov": lambda o: o.SGD(0.05, momentum=0.9, nesterov=True),
    "sgd with decay": lambda o: o.SGD(0.1, weight_decay=0.01),
    "rmsprop": lambda o: o.RMSprop(0.002),
    "rmsprop, centered, momentum": lambda o: o.RMSprop(0.002, rho=0.8, momentum=0.5, centered=True),
    "adagrad": lambda o: o.Adagrad(0.05, initial_accumulator_value=0.5),
    "adam": lambda o: o.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-4),
    "amsgrad": lambda o: o.Adam(0.01, beta_2=0.6, amsgrad=True),
    "adamw": lambda o: o.AdamW(0.01, weight_decay=0.05),
    "lion": lambda o: o.Lion(0.003, beta_1=0.8, beta_2=0.95),
    "lion with decay": lambda o: o.Lion(0.001, weight_decay=0.05),
    "clipnorm": lambda o: o.Adam(0.01, clipnorm=0.02),
    "clipvalue": lambda o: o.Adam(0.01, clipvalue=0.005),
    "global_clipnorm": lambda o: o.SGD(0.5, momentum=0.9, global_clipnorm=0.05),
    "sgd, clipnorm": lambda o: o.SGD(0.5, clipnorm=0.05),
    "sgd, clipvalue": lambda o: o.SGD(0.5, clipvalue=0.02),
    "exponential decay": lambda o: o.Adam(o.schedules.ExponentialDecay(0.05, 20, 0.7)),
    "warm-up": lambda o: o.SGD(o.schedules.CosineDecay(0.0, 100, 0.1, warmup_target=0.5, warmup_steps=20)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name):
    settings = coffee_settings(lambda lib: OPTIMIZERS[name](lib.optimizers))
    assert_same_training(coffee_network, settings, *COFFEE)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adam", "AdamW", "Lion"])
def test_optimizers_have_the_same_defaults(name):
    with converting():
        theirs, ours = (getattr(lib.optimizers, name)().get_config() for lib in LIBRARIES)
    assert set(ours) <= set(theirs)
    for argument, value in ours.items():
        assert (value is None) == (theirs[argument] is None)
        assert_close(value or 0.0, theirs[argument] or 0.0, 1e-7)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad", "adam", "adamw", "lion"])
def test_optimizers_by_name(name):
    theirs, ours = (lib.optimizers.get(name) for lib in LIBRARIES)
    assert type(ours).__name__ == type(theirs).__name__


def test_prelu():
    def layers(lib):
        alpha = {"alpha_initializer": "random_uniform", "alpha_regularizer": lib.regularizers.L2(0.01)}
        hidden = [lib.layers.Dense(25), lib.layers.PReLU(**alpha), lib.layers.Dense(15), lib.layers.PReLU()]
        return [lib.Input((400,)), *hidden, lib.layers.Dense(1, activation="sigmoid")]

    assert_same_training(layers, coffee_settings(), *ONES, epochs=5)


def test_layer_normalization():
    def layers(lib):
        norm, l2 = lib.layers.LayerNormalization, lib.regularizers.L2(0.01)
        hidden = [norm(), lib.layers.Dense(25, activation="relu"), norm(center=False, gamma_regularizer=l2)]
        hidden += [lib.layers.Dense(15), norm(epsilon=0.1, scale=False)]
        return [lib.Input((400,)), *hidden, lib.layers.Dense(1, activation="sigmoid")]

    assert_same_training(layers, coffee_settings(), *ONES, epochs=5)


REGULARIZERS = {
    "l1": lambda r: {"kernel_regularizer": r.L1(0.003)},
    "l2": lambda r: {"kernel_regularizer": r.L2(0.01), "bias_regularizer": r.L2(0.02)},
    "both": lambda r: {"kernel_regularizer": r.L1L2(l1=0.002, l2=0.01)},
    "by name": lambda r: {"kernel_regularizer": "l2", "bias_regularizer": "l1"},
}


@pytest.mark.parametrize("name", REGULARIZERS)
def test_regularizers(name):
    def layers(lib):
        charged = REGULARIZERS[name](lib.regularizers)
        hidden = lib.layers.Dense(25, activation="tanh", **charged)
        return [lib.Input((400,)), hidden, lib.layers.Dense(1, activation="sigmoid", **charged)]

    assert_same_training(layers, coffee_settings(), *ONES, epochs=5, validation_split=0.2)


ROWS = np.random.default_rng(2)
FITS = {
    "sample_weight": {"sample_weight": ROWS.uniform(0, 3, 200)},
    "class_weight": {"class_weight": {0: 0.5, 1: 2.0}},
    "validation_split": {"validation_split": 0.3},
    "split sample_weight": {"validation_split": 0.3, "sample_weight": ROWS.uniform(0, 3, 200)},
    "split class_weight": {"validation_split": 0.3, "class_weight": {1: 3.0}},
    "validation_data": {"validation_data": coffee(50)},
    "weighted validation_data": {"validation_data": (*coffee(50), ROWS.uniform(0, 3, 50))},
    "odd batches": {"batch_size": 7},
    "one batch": {"batch_size": 1000},
    "initial_epoch": {"initial_epoch": 12},
}


@pytest.mark.parametrize("name", FITS)
def test_fits(name):
    settings = coffee_settings(
        lambda lib: lib.optimizers.Adam(0.02), metrics=["accuracy"], weighted_metrics=["mse"]
    )
    assert_same_training(coffee_network, settings, *COFFEE, **FITS[name])


@pytest.mark.parametrize("weights", [{0: 2.0, 3: 0.5, 9: 0.0}, {4: 5.0}])
def test_class_weights_of_several_classes(weights):
    settings = {"optimizer": "adam", "metrics": ["accuracy"]}
    fit = {"class_weight": weights, "epochs": 5}
    assert_same_training(
        class_network, lambda lib: {"loss": class_loss(lib), **settings}, IMAGES, NUMBERS, **fit
    )


def test_normalization_adapts_to_the_same_numbers():
    """Keras sums in float32, so that its variance of 120 numbers near 200 is off by some 1e-6."""
    adapted = []
    for lib in LIBRARIES:
        layer = lib.layers.Normalization(axis=-1)
        layer.adapt(COFFEE[0])
        adapted.append((weights_of(layer), np.asarray(layer(COFFEE[0]))))
    (theirs, their_outputs), (ours, our_outputs) = adapted
    assert [w.shape for w in ours] == [w.shape for w in theirs]
    for found, wanted in zip(ours, theirs, strict=True):
        assert_close(found, wanted, 1e-5)
    assert_close(our_outputs, their_outputs, 1e-3)
