"""The functions of the array API standard by PyTorch's own, with the standard's arguments."""

from __future__ import annotations

from array_api_compat.torch import *  # noqa: F403

# array-api-compat's `clip` looks at the types of the limits, and `torch.compile` does not trace through that.
from torch import clamp as clip  # noqa: F401
