"""The Python source of the module that a network's weights belong to, for those who only have the weights."""

from __future__ import annotations

from fastdense.exchange.content import Content
from fastdense.exchange.torch.parts import Part, parts

__all__ = ["module_source"]

_OWN = (
    "CategoryEmbedding",
    "Exponential",
    "FeatureScale",
    "Normalization",
    "ParametricActivation",
    "PeriodicEmbedding",
    "SoftmaxByGroups",
)


def module_source(content: Content) -> str:
    """Return the source of the ``torch.nn.Sequential`` that `to_torch` makes, without its weights.

    Examples
    --------
    >>> import fastdense as fd
    >>> from fastdense.models.saving import content_of
    >>> model = fd.Sequential([fd.Input((2,)), fd.Dense(1, "sigmoid")])
    >>> print(module_source(content_of(model)))
    nn.Sequential(
        nn.Linear(in_features=2, out_features=1, bias=True),
        nn.Sigmoid(),
    )
    """
    lines = [f"    {_source(part)}," for part in parts(content)]
    double = ".double()" if content.dtype == "float64" else ""
    return "\n".join(["nn.Sequential(", *lines, f"){double}"])


def _source(part: Part) -> str:
    """Return the expression that makes one module."""
    place = "fastdense.formats.torch.modules" if part.kind in _OWN else "nn"
    given = {
        name: _source(value) if isinstance(value, Part) else repr(value)
        for name, value in part.arguments.items()
    }
    return f"{place}.{part.kind}({', '.join(f'{name}={value}' for name, value in given.items())})"
