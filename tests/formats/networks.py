"""Random networks of every layer and activation, for what is written to and read from other formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import fastdense as fd
from fastdense.activations import ActivationFunction
from fastdense.core.curves import CURVES
from fastdense.core.spec import ACTIVATIONS
from fastdense.engines import choose
from tests.bounds import output_bound
from tests.category_layers import with_categories
from tests.compare import assert_within

__all__ = ["assert_predicts_as", "inputs", "networks"]

KINDS = ("dense", "dense", "activation", "dropout", "normalization", "prelu", "rows", "scale")


@dataclass(frozen=True)
class Written:
    """What `output_bound` asks of a case, of a model."""

    model: Any

    @property
    def network(self):
        return self.model.network()

    @property
    def eps(self):
        return float(np.finfo(self.model.dtype).eps)

    def parameters(self):
        return self.model.parameters()


@st.composite
def activations(draw, columns, names=ACTIVATIONS):
    """Draw an activation, with a parameter or groups of so many columns where it takes any."""
    name = draw(st.sampled_from(names))
    alphas = [0.3, 1.0, 2.5] if CURVES[name].divides else [0.0, 0.3, 1.0, 2.5]
    alpha = draw(st.sampled_from(alphas)) if CURVES[name].alpha is not None else None
    groups = ()
    if name == "softmax" and columns > 1 and draw(st.booleans()):
        first = draw(st.integers(1, columns - 1))
        groups = (first, columns - first)
    return ActivationFunction(name, alpha, groups)


@st.composite
def categories(draw, n_in):
    """Draw a layer for category numbers in some of ``n_in`` columns, in a list."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=n_in))
    return [fd.layers.CategoryEmbedding(sizes, draw(st.integers(1, 5)))]


@st.composite
def a_layer(draw, kind, columns, names, rng):
    """Draw a layer of a kind, for inputs of ``columns`` columns."""
    match kind:
        case "dense":
            units = draw(st.integers(1, 9))
            return fd.Dense(units, draw(activations(units, names)), use_bias=draw(st.booleans()))
        case "activation":
            return fd.Activation(draw(activations(columns, names)))
        case "dropout":
            return fd.Dropout(draw(st.sampled_from([0.0, 0.25, 0.5])))
        case "rows":
            return fd.layers.LayerNormalization(center=draw(st.booleans()), scale=draw(st.booleans()))
        case "prelu":
            return fd.layers.PReLU()
        case "scale":
            return fd.layers.FeatureScale()
        case "blend":
            blended = tuple(name for name in names if name not in ("linear", "softmax"))
            return fd.layers.ParametricActivation(draw(activations(columns, blended)))
    mean, variance = rng.normal(size=columns), rng.uniform(0.25, 4.0, columns)
    return fd.Normalization(mean=mean, variance=variance)


@st.composite
def networks(draw, names=ACTIVATIONS, of_tables=True):
    """Draw a `Sequential` of one to five layers with random weights; the exponential comes once at most.

    With ``of_tables``, one that takes category numbers may come before them, and shares of activations among
    them: layers that other libraries lack.
    """
    n_in = draw(st.integers(1, 6))
    layers = draw(st.one_of(st.just([]), categories(n_in))) if of_tables else []
    width = layers[0].units_for(n_in) if layers else n_in
    dtype = draw(st.sampled_from(["float32", "float64"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kinds = (*KINDS, "blend") if of_tables else KINDS
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5)):
        layers.append(draw(a_layer(kind, width, names, rng)))
        width = getattr(layers[-1], "units", width)
        if getattr(layers[-1], "activation", fd.activations.linear).name == "exponential":
            names = tuple(name for name in names if name != "exponential")
    model = fd.Sequential([fd.Input((n_in,)), *layers], seed=0, dtype=dtype)
    for layer in model.layers:
        if not isinstance(layer, fd.Normalization):
            layer.set_weights([_initial(rng, array.shape) for array in layer.weights])
    return model


def _initial(rng, shape):
    return rng.normal(size=shape) / np.sqrt(shape[0]) if len(shape) == 2 else rng.normal(size=shape) / 3


def inputs(model, rows, seed=0):
    """Return random rows for a model, in its dtype."""
    X = np.random.default_rng(seed).normal(size=(rows, model.input_shape[1]))
    first = model.layers[0] if model.layers else None
    X = with_categories(X, first.sizes) if isinstance(first, fd.layers.CategoryEmbedding) else X
    return X.astype(model.dtype)


def assert_predicts_as(predict, model, X, times=1.0, what=""):
    """Raise AssertionError unless ``predict(X)`` is the reference's outputs of the model, within its bound.

    ``times`` the bound is allowed to those that fold layers, each of which rounds the weights once more.
    """
    with np.errstate(all="ignore"):
        expected = choose("reference").compile(model.network(), model.parameters()).predict(X)
    assert_within(predict(X), expected, times * output_bound(Written(model), X, short_tails=True), what)
