"""A model as a ``torch.nn.Sequential``."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from fastdense.exchange.content import Content
from fastdense.exchange.torch import modules
from fastdense.exchange.torch.parts import Part, parts

__all__ = ["make_module"]


def make_module(content: Content) -> nn.Sequential:
    """Return the module; see `fastdense.formats.torch.to_torch`."""
    dtype = getattr(torch, content.dtype)
    return nn.Sequential(*(_made(part, dtype) for part in parts(content))).eval()


def _made(part: Part, dtype: torch.dtype) -> nn.Module:
    own = part.kind in modules.__all__
    kind = getattr(modules if own else nn, part.kind)
    arguments = {
        name: _made(value, dtype) if isinstance(value, Part) else value
        for name, value in part.arguments.items()
    }
    if not part.arrays:
        return kind(**arguments)
    # Without drawing weights: that takes time, and would move the caller's random numbers on.
    module = nn.utils.skip_init(kind, **arguments, dtype=dtype)
    # Copies: a model's arrays are read-only, and training the module must not change the model.
    module.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in part.arrays.items()})
    return module
