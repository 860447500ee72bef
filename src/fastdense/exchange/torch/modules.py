"""The modules that `to_torch` needs and PyTorch has none of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

__all__ = ["Exponential", "Normalization", "SoftmaxByGroups"]


_HOME = "fastdense.formats.torch.modules"  # as pickles of such modules name it


class Exponential(nn.Module):
    """``exp(x)``, elementwise."""

    __module__ = _HOME

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``exp(x)``."""
        return torch.exp(x)


class SoftmaxByGroups(nn.Module):
    """A softmax of each group of a row's columns: ``exp(x_i) / sum(exp(x_j) for j in i's group)``.

    Parameters
    ----------
    groups : sequence of int
        The columns of each group, from the first column to the last.
    """

    __module__ = _HOME

    def __init__(self, groups: Sequence[int]) -> None:
        super().__init__()
        self.groups = tuple(groups)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the softmaxes side by side."""
        return torch.cat([torch.softmax(part, -1) for part in x.split(self.groups, -1)], -1)

    def extra_repr(self) -> str:
        """Show the groups."""
        return f"groups={self.groups}"


class Normalization(nn.Module):
    """``(x - mean) / deviation``, by columns.

    Parameters
    ----------
    columns : int
    device, dtype : optional
        Of the buffers, as PyTorch's own modules take them.

    Attributes
    ----------
    mean, deviation : tensors of shape (columns,)
        Buffers: they are saved with the module, and not trained.
    """

    __module__ = _HOME
    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(
        self, columns: int, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns, device=device, dtype=dtype))
        self.register_buffer("deviation", torch.ones(columns, device=device, dtype=dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(x - mean) / deviation``."""
        return (x - self.mean) / self.deviation

    def extra_repr(self) -> str:
        """Show the number of columns."""
        return f"{len(self.mean)}"
