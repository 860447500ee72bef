"""The modules that `to_torch` needs and PyTorch has none of."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from fastdense.core.spec.lowering import tables

__all__ = [
    "CategoryEmbedding",
    "Exponential",
    "FeatureScale",
    "Normalization",
    "ParametricActivation",
    "PeriodicEmbedding",
    "SoftmaxByGroups",
]


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


class CategoryEmbedding(nn.Module):
    """The first ``passed`` columns, then a row of ``weight`` for each category number in the others.

    A number of column ``passed + i`` that is not one of ``0, 1, ... sizes[i] - 1``, NaN too, counts as
    category 0.

    Parameters
    ----------
    passed : int
    sizes : sequence of int
        How many categories each of the other columns has.
    width : int
        How many numbers a category becomes.
    device, dtype : optional
        Of ``weight``, as PyTorch's own modules take them.

    Attributes
    ----------
    weight : parameter of shape (sum(sizes), width)
        The rows of the first column's categories, then those of the second one, and so on.
    """

    __module__ = _HOME

    def __init__(
        self,
        passed: int,
        sizes: Sequence[int],
        width: int,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.passed, self.sizes, self.width = passed, tuple(sizes), width
        self.weight = nn.Parameter(torch.empty(sum(sizes), width, device=device, dtype=dtype))
        nn.init.normal_(self.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what passes and the rows of the categories, side by side."""
        rows = [self._rows(x[..., self.passed + i], table) for i, table in enumerate(tables(self.sizes))]
        looked_up = functional.embedding(torch.stack(rows, -1), self.weight).flatten(-2)
        return torch.cat([x[..., : self.passed], looked_up], -1)

    @staticmethod
    def _rows(numbers: torch.Tensor, table: slice) -> torch.Tensor:
        """Return the row of ``weight`` for each number of a column."""
        is_one = (numbers >= 0) & (numbers < table.stop - table.start) & (numbers == numbers.floor())
        return torch.where(is_one, numbers, 0).long() + table.start

    def extra_repr(self) -> str:
        """Show the columns."""
        return f"passed={self.passed}, sizes={self.sizes}, width={self.width}"


class PeriodicEmbedding(nn.Module):
    """The first ``columns`` columns as ``width`` numbers each, and behind them the others as they are.

    Those of a number ``x`` are ``cos(2 pi frequency x + phase) @ kernel + bias``, and then ``x``; all are the
    column's ``missing`` if ``x`` is NaN.

    Parameters
    ----------
    columns, frequencies, width : int
    device, dtype : optional
        Of the parameters, as PyTorch's own modules take them.

    Attributes
    ----------
    frequency, phase : parameters of shape (columns, frequencies)
    kernel : parameter of shape (columns, frequencies, width - 1)
    bias : parameter of shape (columns, width - 1)
    missing : parameter of shape (columns, width)
    """

    __module__ = _HOME

    def __init__(
        self,
        columns: int,
        frequencies: int,
        width: int,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.columns, self.frequencies, self.width = columns, frequencies, width
        self.frequency, self.phase, self.kernel, self.bias, self.missing = (
            nn.Parameter(torch.empty(columns, *shape, device=device, dtype=dtype))
            for shape in ((frequencies,), (frequencies,), (frequencies, width - 1), (width - 1,), (width,))
        )
        limit = 1 / math.sqrt(frequencies)
        nn.init.normal_(self.frequency, std=0.1)
        nn.init.uniform_(self.phase, -math.pi, math.pi)
        nn.init.uniform_(self.kernel, -limit, limit)
        nn.init.uniform_(self.bias, -limit, limit)
        nn.init.zeros_(self.missing)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the embedded columns and the others, side by side."""
        given = x[..., : self.columns, None]
        is_missing = given.isnan()
        number = torch.where(is_missing, 0, given)
        waves = torch.cos(2 * math.pi * (self.frequency * number) + self.phase)
        sums = torch.einsum("...ck,ckj->...cj", waves, self.kernel) + self.bias
        embedded = torch.where(is_missing, self.missing, torch.cat([sums, number], -1))
        return torch.cat([embedded.flatten(-2), x[..., self.columns :]], -1)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"columns={self.columns}, frequencies={self.frequencies}, width={self.width}"


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


class FeatureScale(nn.Module):
    """``x * scale``, by columns; 0 where the factor is, even for an infinite number.

    Parameters
    ----------
    columns : int
    device, dtype : optional
        Of the parameter, as PyTorch's own modules take them.

    Attributes
    ----------
    scale : parameter of shape (columns,)
        Ones at first.
    """

    __module__ = _HOME

    def __init__(
        self, columns: int, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(columns, device=device, dtype=dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``x * scale``."""
        return _times(x, self.scale)

    def extra_repr(self) -> str:
        """Show the number of columns."""
        return f"{len(self.scale)}"


class ParametricActivation(nn.Module):
    """``(1 - alpha) * x + alpha * activation(x)``, with a share ``alpha`` per column.

    A factor of 0 makes 0, even of an infinite number.

    Parameters
    ----------
    activation : Module
        Of each number by itself.
    columns : int
    device, dtype : optional
        Of the parameter, as PyTorch's own modules take them.

    Attributes
    ----------
    alpha : parameter of shape (columns,)
        Ones at first.
    """

    __module__ = _HOME

    def __init__(
        self,
        activation: nn.Module,
        columns: int,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.alpha = nn.Parameter(torch.ones(columns, device=device, dtype=dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the blend of ``x`` and its activation."""
        return _times(x, 1 - self.alpha) + _times(self.activation(x), self.alpha)


def _times(x: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """Return ``x * factors``, 0 for a factor of 0 unless ``x`` is NaN."""
    return torch.where((factors == 0) & ~torch.isnan(x), torch.zeros_like(x), x * factors)
