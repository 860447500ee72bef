"""The modules of PyTorch's that `fastdense.formats.torch.to_torch` makes and PyTorch does not have."""

from fastdense.exchange.torch.modules import (
    CategoryEmbedding,
    Exponential,
    Normalization,
    SoftmaxByGroups,
)

__all__ = ["CategoryEmbedding", "Exponential", "Normalization", "SoftmaxByGroups"]
