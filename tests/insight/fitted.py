"""A classifier of three classes, and rows for it."""

from __future__ import annotations

import numpy as np

import fastdense as fd

RNG = np.random.default_rng(0)


X = RNG.normal(size=(300, 4)).astype(np.float32)


LOSS = "sparse_categorical_crossentropy"


CLASSES = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0)


def classifier(**settings):
    layers = [fd.Input((4,)), fd.Dense(8, "relu"), fd.Dropout(0.1), fd.Dense(3, "softmax")]
    model = fd.Sequential(layers, **{"seed": 0, "name": "three", **settings})
    model.compile(fd.optimizers.Adam(0.01), LOSS, metrics=["accuracy"])
    return model


def classifier_of_one_epoch():
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    return model
