"""The modules of PyTorch's that `fastdense.formats.torch.to_torch` makes and PyTorch does not have."""

from fastdense.exchange.torch.modules import (
    CategoryEmbedding,
    Exponential,
    FeatureScale,
    Normalization,
    ParametricActivation,
    PeriodicEmbedding,
    SoftmaxByGroups,
)

__all__ = [
    "CategoryEmbedding",
    "Exponential",
    "FeatureScale",
    "Normalization",
    "ParametricActivation",
    "PeriodicEmbedding",
    "SoftmaxByGroups",
]
