"""The layers that train one number per column, in every place of a network, for the case table."""

from __future__ import annotations

from dataclasses import replace

from fastdense.core.spec import (
    ActivationSpec,
    DenseSpec,
    Factors,
    FeatureScaleSpec,
    LayerNormSpec,
    LayerSpec,
    ParametricActivationSpec,
    Penalty,
    PReLUSpec,
)

__all__ = ["vector_layers"]


def vector_layers(first: DenseSpec, last: DenseSpec) -> dict[str, tuple[LayerSpec, ...]]:
    """Return networks of two dense layers with such a layer before, between or behind them."""
    n_in, n_hidden, n_out = first.n_in, first.n_units, last.n_units
    prelu = PReLUSpec(n_hidden, Penalty(0.02, 0.03))
    norm = LayerNormSpec(n_hidden, 0.01, True, True, Penalty(0.02, 0.03), Penalty(0.01))
    mish, selu = ActivationSpec("mish"), ActivationSpec("selu")
    blend = ParametricActivationSpec(n_hidden, mish, Penalty(0.02, 0.03))
    return {
        "prelu-first": (PReLUSpec(n_in), first, last),
        "prelu-middle": (first, prelu, last),
        "prelu-last": (first, last, PReLUSpec(n_out)),
        "norm-first": (LayerNormSpec(n_in, 0.01), first, last),
        "norm-middle": (first, norm, last),
        "norm-last": (first, last, LayerNormSpec(n_out, 0.5)),
        "prelu-factors": (first, PReLUSpec(n_hidden, alpha_factors=Factors(0.5, 3.0)), last),
        "norm-factors": (first, replace(norm, gamma_factors=Factors(0.0), beta_factors=Factors(3.0)), last),
        "norm-scale": (first, LayerNormSpec(n_hidden, 0.01, center=False), last),
        "norm-center": (first, LayerNormSpec(n_hidden, 0.01, scale=False), last),
        "norm-plain": (first, LayerNormSpec(n_hidden, 0.01, False, False), last),
        "feature-scale-first": (FeatureScaleSpec(n_in), first, last),
        "feature-scale-middle": (first, FeatureScaleSpec(n_hidden, Penalty(0.02, 0.03)), last),
        "feature-scale-factors": (FeatureScaleSpec(n_in, scale_factors=Factors(6.0, 0.5)), first, last),
        "feature-scale-last": (first, last, FeatureScaleSpec(n_out)),
        "blend-first": (ParametricActivationSpec(n_in, mish), first, last),
        "blend-middle": (first, blend, last),
        "blend-factors": (first, replace(blend, curve=selu, alpha_factors=Factors(0.1, 0.1)), last),
        "blend-last": (first, last, ParametricActivationSpec(n_out, selu)),
    }
