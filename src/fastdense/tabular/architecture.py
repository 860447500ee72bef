"""The network for a table: what it embeds, what it scales, and its dense layers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from fastdense.layers import (
    CategoryEmbedding,
    Dense,
    Dropout,
    FeatureScale,
    Input,
    Layer,
    ParametricActivation,
    PeriodicEmbedding,
)
from fastdense.models.sequential import Sequential
from fastdense.tables import Layout
from fastdense.tabular.goals import Goal
from fastdense.tabular.recipes import Recipe

__all__ = ["network_of"]


def network_of(layout: Layout, goal: Goal, recipe: Recipe, seed: int) -> Sequential:
    """Return the network for rows of a table, with its weights drawn.

    Parameters
    ----------
    layout : Layout
        The groups of the features.
    goal : Goal
    recipe : Recipe
        Of the goal's task.
    seed : int
    """
    return Sequential([Input((layout.width,)), *_layers(layout, goal, recipe)], seed=seed)


def _layers(layout: Layout, goal: Goal, recipe: Recipe) -> Iterator[Layer]:
    width = layout.width
    for layer in _embeddings(layout, recipe):
        width = layer.units_for(width)
        yield layer
    yield FeatureScale(scale_rate_factor=recipe.scale_rate, scale_decay_factor=recipe.scale_rate)
    for units in recipe.hidden:
        yield _dense(width, units, recipe)
        yield ParametricActivation(
            str(recipe.activation),
            alpha_rate_factor=recipe.alpha_rate,
            alpha_decay_factor=recipe.alpha_rate,
        )
        if recipe.dropout:
            yield Dropout(recipe.dropout)
        width = units
    yield _dense(width, goal.n_out, recipe, goal.last)


def _embeddings(layout: Layout, recipe: Recipe) -> Iterator[Layer]:
    """Yield what embeds numbers, which come first, and categories, which come last."""
    if layout.numbers:
        yield PeriodicEmbedding(
            layout.numbers,
            recipe.frequencies,
            recipe.width,
            recipe.sigma,
            rate_factor=recipe.embedding_rate,
            decay_factor=recipe.embedding_rate,
        )
    if layout.sizes:
        yield CategoryEmbedding(layout.sizes, recipe.category_width)


def _dense(n_in: int, units: int, recipe: Recipe, activation: str = "linear") -> Dense:
    """Return a layer that learns as one in neural tangent parametrisation does.

    That is ``x @ (W / sqrt(n_in)) + b``, trained by AdamW. In terms of the kernel ``V = W / sqrt(n_in)``,
    whose steps do not depend on the scale of its gradient, the rate is divided by ``sqrt(n_in)``, and the
    decay, which is multiplied by the rate, is as it was.
    """
    root = math.sqrt(n_in)
    return Dense(
        units,
        activation,
        kernel_rate_factor=1.0 / root,
        kernel_decay_factor=root,
        bias_rate_factor=recipe.bias_rate,
        bias_decay_factor=0.0,
    )
