"""Reading: the nodes between a file's input and its output, as the steps of a dense network."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdense.errors import FormatError
from fastdense.files import ROOM, require_memory
from fastdense.formats.chain import Chain
from fastdense.formats.onnx.curves import OPERATIONS
from fastdense.formats.onnx.graph import Graph, Node
from fastdense.formats.onnx.operators import STEPS
from fastdense.formats.onnx.patterns import LONGEST, pattern
from fastdense.formats.onnx.tensors import MALFORMED, in_words
from fastdense.network.sequential import Sequential
from fastdense.notes import note

__all__ = ["read_onnx"]

# What turns a classifier's numbers into labels, or into a dictionary a row.
_LABELLING = ("ArgMax", "ai.onnx.ml.ArrayFeatureExtractor", "ai.onnx.ml.Binarizer", "ai.onnx.ml.LabelEncoder")
_ZIPPING = "ai.onnx.ml.ZipMap"
_MANY = 32  # outputs
_PASSING = ("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten")


def read_onnx(path: str | os.PathLike[str], output: str | None = None) -> Sequential:
    """Read a dense network from an ONNX file.

    Known are Gemm, MatMul, additions and products with constants, every activation of fastdense's, as one
    operator or composed of several, BatchNormalization, Scaler, Softmax, Dropout, and what changes nothing
    (Identity, Flatten, Reshape, Cast). A scaling by columns is folded into the weights beside it. Weights of
    half precision become float32.

    Parameters
    ----------
    path : path-like
    output : str, optional
        Which of the graph's outputs, where it has several that are not labels.

    Returns
    -------
    Sequential
        Not compiled; it predicts what the file's graph computes, labels cut off.

    Raises
    ------
    FormatError
        The file is damaged, its numbers in other files are not in files beside it, or its graph is not a
        dense network; the message names the node.
    ImportError
        The package onnx is not installed.
    OSError
        The file cannot be opened.

    Warns
    -----
    FormatWarning
        Where the graph ends in labels: the network ends at the numbers that they are chosen by.
    """
    data = Path(path).read_bytes()
    try:
        with np.errstate(all="ignore"):  # weights that are not finite are the file's affair
            graph = Graph(_parse(data), Path(path).parent, len(data))
            return _network(graph, output, Path(path).stem, str(path))
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def _parse(data: bytes) -> Any:
    try:
        from onnx import ModelProto
    except ModuleNotFoundError:
        raise ImportError(
            "reading ONNX files needs the package onnx: pip install 'fastdense[onnx]'"
        ) from None
    from google.protobuf.message import DecodeError

    require_memory(ROOM + 2 * len(data))  # protobuf calls a file damaged if memory runs out
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise FormatError(f"it is damaged or no ONNX file ({error})") from None
    if not model.graph.node:
        raise FormatError("it is no ONNX file, or one of a graph without nodes")
    return model


def _network(graph: Graph, output: str | None, name: str, path: str) -> Sequential:
    end, cut = _end(graph, output)
    source, nodes = graph.way_to(end)
    chain = Chain(graph.inputs[source].columns, graph.dtype, limit=graph.limit)
    for place, apply in _plan(graph, nodes, source):
        try:
            apply(chain)
        except MALFORMED as error:
            raise FormatError(f"{place}: {in_words(error)}") from error
    model = chain.model(name or "sequential")
    if cut:
        note(f"{path}: the network ends at {end!r}; the labels made of it ({', '.join(cut)}) are left out")
    return model


def _end(graph: Graph, output: str | None) -> tuple[str, list[str]]:
    """Return the value that the network ends at, and the outputs that are labels made of it."""
    if output is not None and output not in graph.outputs:
        raise FormatError(f"it has no output {output!r}; its outputs are {', '.join(graph.outputs)}")
    if output is None and len(graph.outputs) > _MANY:
        raise FormatError(f"it has {len(graph.outputs)} outputs; choose one (output=...)")
    ends: dict[str, list[str]] = {}
    for wanted in [output] if output else graph.outputs:
        end, is_label = _before_labels(graph, wanted)
        ends.setdefault(end, []).extend([wanted] if is_label else [])
    labels = [label for of_end in ends.values() for label in of_end]
    # Labels may be chosen a step before the probabilities that are given out.
    whole = [end for end, of_end in ends.items() if not of_end or end in graph.outputs]
    candidates = whole or list(ends)
    if len(candidates) != 1:
        raise FormatError(f"it has several outputs; choose one of {', '.join(graph.outputs)} (output=...)")
    return candidates[0], labels


def _before_labels(graph: Graph, name: str) -> tuple[str, bool]:
    """Return the value that labels are chosen by, the one itself where it is no label, and whether it is."""
    end, is_label, passed = name, False, name
    while passed in graph.producers:
        node = graph.producers[passed]
        cut = node.op in _LABELLING or node.op == _ZIPPING
        sources = graph.dynamic_inputs(node)
        if not (cut or node.op in _PASSING) or len(sources) != 1:
            break
        passed = sources[0]
        if cut:
            end, is_label = passed, is_label or node.op != _ZIPPING
    return end, is_label


def _plan(graph: Graph, nodes: Sequence[Node], source: str) -> list[tuple[Node, Callable[[Chain], None]]]:
    """Return the steps in order, each with its first node: from the end back, the fewest nodes a step.

    A step is between two values that all that comes after goes through: there the nodes may be cut.
    """
    cuts = _cuts(graph, nodes, source)
    last = len(cuts) - 1
    steps: dict[int, tuple[int, Callable[[Chain], None]]] = {}
    for i in reversed(range(last)):
        begin, value = cuts[i]
        ends = [j for j in range(i + 1, min(i + LONGEST, last) + 1) if j == last or j in steps]
        if nodes[begin].op in ("Max", "Min"):  # of two limits, which together are a better known curve
            ends.reverse()
        for j in ends:
            part = nodes[begin : cuts[j][0]]
            step = _step(graph, part, value) if len(part) <= LONGEST or part[0].op == "Split" else None
            if step is not None:
                steps[i] = (j, step)
                break
    if nodes and 0 not in steps:
        raise FormatError(_blocked(nodes, cuts, steps))
    plan, i = [], 0
    while i < len(cuts) - 1:
        following, step = steps[i]
        plan.append((nodes[cuts[i][0]], step))
        i = following
    return plan


def _blocked(
    nodes: Sequence[Node], cuts: Sequence[tuple[int, str]], steps: Mapping[int, tuple[int, Any]]
) -> str:
    """Say which nodes there is no step for, the last ones where there are several such."""
    jumped = {k for i, (j, _) in steps.items() for k in range(i + 1, j)}
    place = max(i for i in range(len(cuts) - 1) if i not in steps and i not in jumped)
    part = nodes[cuts[place][0] : cuts[place + 1][0]]
    unknown = [node for node in part if node.op not in STEPS and node.op not in OPERATIONS]
    if unknown or len(part) == 1:
        return f"{(unknown or part)[0]}: what it computes is no part of a dense network"
    return f"{part[0]} to {part[-1]}: what they compute together is no part of a dense network"


def _step(graph: Graph, nodes: Sequence[Node], source: str) -> Callable[[Chain], None] | None:
    """Return what appends some nodes to a chain; None where that is not known."""
    if len(nodes) == 1 and nodes[0].op in STEPS:
        return lambda chain: STEPS[nodes[0].op](graph, chain, nodes[0], source)
    return pattern(graph, nodes, source)


def _cuts(graph: Graph, nodes: Sequence[Node], source: str) -> list[tuple[int, str]]:
    """Return the values that all later ones come from: how many nodes lie before each, and its name.

    A value is one if nothing older is used after it.
    """
    last_use: dict[str, int] = {}
    for place, node in enumerate(nodes, 1):
        last_use.update(dict.fromkeys(graph.dynamic_inputs(node), place))
    cuts, frontier = [(0, source)], last_use.get(source, 0)
    for place, node in enumerate(nodes, 1):
        used = [name for name in node.outputs if name in last_use]
        if place == len(nodes):
            cuts.append((place, node.outputs[0]))
        elif frontier <= place and len(used) == 1:
            cuts.append((place, used[0]))
        frontier = max([frontier, *(last_use[name] for name in used)])
    return cuts
