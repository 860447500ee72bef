"""Where a network ends: at one of a graph's outputs, or at the numbers that its labels are made of."""

from __future__ import annotations

from typing import NamedTuple

from fastdense.errors import FormatError
from fastdense.exchange.onnx.graph import Graph
from fastdense.exchange.onnx.operations import LABELS_OF, Node

__all__ = ["PASSING", "Ending", "ending"]

# What turns a classifier's numbers into labels, or into a dictionary per row.
_LABELLING = (
    "ArgMax", LABELS_OF, "ai.onnx.ml.ArrayFeatureExtractor", "ai.onnx.ml.Binarizer", "ai.onnx.ml.LabelEncoder"
)  # fmt: skip
_COMPARING = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual")
_ZIPPING = "ai.onnx.ml.ZipMap"
_MANY = 32  # outputs

PASSING = ("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten")
"""Operators that change no number."""


class Ending(NamedTuple):
    """The value that a network ends at, and what is left out behind it.

    Attributes
    ----------
    value : str
    labels : list of str
        The outputs that are labels made of the value.
    choices : list of Node
        Those that choose the largest number for a label.
    """

    value: str
    labels: list[str]
    choices: list[Node]


def ending(graph: Graph, output: str | None) -> Ending:
    """Return where the network ends.

    Parameters
    ----------
    graph : Graph
    output : str, optional
        The output that was chosen.

    Raises
    ------
    FormatError
        There is no such output, it is constant, or several remain to choose from.
    """
    if output is not None and output not in graph.outputs:
        raise FormatError(f"it has no output {output!r}; its outputs are {_listed(graph.outputs)}")
    wanted = [output] if output is not None else graph.outputs
    varying = [name for name in wanted if not graph.is_constant(name)]
    if not varying:
        raise FormatError(f"its output {_listed(wanted)} is the same whatever comes in")
    if len(varying) > _MANY:
        raise FormatError(f"it has {len(varying)} outputs; {_CHOOSE}")
    ends: dict[str, list[str]] = {}
    labels, choices = [], []
    for name in varying:
        end, label, found = _before_labels(graph, name)
        ends.setdefault(end, []).append(name)
        labels += [name] if label else []
        choices += found
    # Labels may be chosen a step before the probabilities that are given out.
    whole = [end for end, names in ends.items() if end in graph.outputs or not set(names) <= set(labels)]
    candidates = whole or list(ends)
    if len(candidates) != 1:
        names = [name for end in candidates for name in ends[end] if whole == [] or name not in labels]
        raise FormatError(f"it has several outputs, {_listed(names)}; {_CHOOSE}")
    return Ending(candidates[0], labels, choices)


_CHOOSE = "choose one by its name (output=... in Python, --output on the command line)"


def _listed(names: list[str]) -> str:
    return ", ".join(f"{name!r:.200}" for name in names[:_MANY])


def _before_labels(graph: Graph, name: str) -> tuple[str, bool, list[Node]]:
    """Return the value that labels are chosen by, the one itself if it is not a label, and whether it is."""
    end, is_label, passed, choices = name, False, name, []
    while passed in graph.producers:
        node = graph.producers[passed]
        cut = _is_labelling(graph, node) or node.op == _ZIPPING
        sources = graph.dynamic_inputs(node)
        if not (cut or node.op in PASSING) or len(sources) != 1:
            break
        passed = sources[0]
        if cut:
            end, is_label = passed, is_label or node.op != _ZIPPING
            choices += [node] if node.op == "ArgMax" else []
    return end, is_label, choices


def _is_labelling(graph: Graph, node: Node) -> bool:
    """Return True if a node makes labels of numbers: by a threshold, or by a choice among constants."""
    chooses = node.op == "ai.onnx.ml.ArrayFeatureExtractor"
    is_label = node.op in _LABELLING and not (chooses and not graph.is_constant(node.inputs[0]))
    return is_label or (node.op in _COMPARING and all(map(graph.is_constant, node.inputs[1:])))
