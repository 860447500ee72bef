"""A network as a table: its layers, shapes and parameter counts, in text and in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from fastdense.activations import ActivationFunction
from fastdense.core.columns import aligned
from fastdense.core.printable import printable
from fastdense.layers import (
    Activation,
    CategoryEmbedding,
    Dense,
    Dropout,
    FeatureScale,
    Layer,
    LayerNormalization,
    Normalization,
    ParametricActivation,
    PeriodicEmbedding,
    PReLU,
    Rescaling,
)

__all__ = ["html_summary", "text_summary"]

_HEAD = ("Layer (type)", "Output shape", "Detail", "Params")


def text_summary(name: str, n_in: int | None, layers: Sequence[Layer], bytes_each: int) -> str:
    """Return the table as text, one line per layer.

    Parameters
    ----------
    name : str
        The model's.
    n_in : int or None
        Columns of the input, None while unknown.
    layers : sequence of Layer
    bytes_each : int
        Bytes of one parameter.
    """
    head, *lines = aligned([_HEAD, *_rows(n_in, layers)], "<<<>")
    rule = "─" * len(head)
    title = f'Model: "{printable(name)}"'
    return "\n".join([title, head, rule, *lines, rule, *_totals(layers, bytes_each)])


def html_summary(name: str, n_in: int | None, layers: Sequence[Layer], bytes_each: int) -> str:
    """Return the table as HTML, for notebooks; parameters as in `text_summary`."""
    align = ("left", "left", "left", "right")

    def line(row: Sequence[str], tag: str) -> str:
        cells = (
            f'<{tag} style="text-align:{side}">{escape(cell)}</{tag}>'
            for cell, side in zip(row, align, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>"

    body = "".join(line(row, "td") for row in _rows(n_in, layers))
    totals = "<br>".join(escape(text) for text in _totals(layers, bytes_each))
    return (
        f"<table><caption>{escape(name)}</caption><thead>{line(_HEAD, 'th')}</thead>"
        f"<tbody>{body}</tbody></table><p>{totals}</p>"
    )


def _rows(n_in: int | None, layers: Sequence[Layer]) -> list[tuple[str, str, str, str]]:
    rows = [("input", _shape(n_in), "", "0")] if n_in is not None else []
    for layer in layers:
        label = printable(f"{layer.name} ({type(layer).__name__})")
        count = f"{layer.count_params():,}" if layer.built else "?"
        rows.append((label, _shape(layer.n_units), _detail(layer), count))
    return rows


def _shape(width: int | None) -> str:
    return f"(m, {'?' if width is None else width})"


def _detail(layer: Layer) -> str:
    match layer:
        case Dense():
            penalties = [
                f"{part} {regularizer}"
                for part, regularizer in (
                    ("kernel", layer.kernel_regularizer),
                    ("bias", layer.bias_regularizer),
                )
                if regularizer is not None
            ]
            bias = [] if layer.use_bias else ["no bias"]
            return ", ".join([_activation(layer.activation), *penalties, *bias])
        case Activation():
            return _activation(layer.activation)
        case Dropout():
            changes = ", scheduled" if callable(layer.rate) else ""
            return f"rate {layer.first_rate:g}{changes}"
        case Normalization():
            return "(x - mean) / deviation"
        case LayerNormalization():
            return "(x - mean) / deviation of each row"
        case PReLU():
            return "max(x, 0) + alpha * min(x, 0)"
        case PeriodicEmbedding():
            embedded = "all" if layer.columns is None else f"{layer.columns:,}"
            return f"{embedded} columns, {layer.width} numbers each, of {layer.frequencies} cosines"
        case CategoryEmbedding():
            columns, categories = len(layer.sizes), sum(layer.sizes)
            return f"{categories:,} categories of {columns:,} columns, {layer.width} numbers each"
        case FeatureScale():
            return "x * scale of each column"
        case ParametricActivation():
            return f"x + alpha * ({_activation(layer.activation)}(x) - x)"
        case Rescaling():
            return "x * scale + offset"
    return ""


def _activation(activation: ActivationFunction) -> str:
    groups = [str(size) for size in activation.groups]
    return f"{activation.name} of {' + '.join(groups)}" if groups else activation.name


def _totals(layers: Sequence[Layer], bytes_each: int) -> list[str]:
    if not all(layer.built for layer in layers):
        return ["not built: give an Input, or call fit or predict, to fix the shapes"]
    total = sum(layer.count_params() for layer in layers)
    trained = sum(array.size for layer in layers for array in layer.trainable_weights)
    return [f"Parameters: {total:,} ({_size(total * bytes_each)}), trained: {trained:,}"]


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GB"
