"""The nodes between two values as steps, each of which the flow knows to append."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fastdense.errors import FormatError
from fastdense.exchange.onnx.branches import join
from fastdense.exchange.onnx.curves import OPERATIONS
from fastdense.exchange.onnx.endings import PASSING
from fastdense.exchange.onnx.flow import Flow
from fastdense.exchange.onnx.graph import Graph
from fastdense.exchange.onnx.operations import JOINING, Node
from fastdense.exchange.onnx.operators import STEPS
from fastdense.exchange.onnx.patterns import LONGEST, pattern
from fastdense.exchange.onnx.tensors import MALFORMED, in_words

__all__ = ["at", "follow"]

_OF_LIMITS = {"Max", "Min"}
_MOST_LOOKS = 10**6  # for nodes on the ways to a Concat


def follow(graph: Graph, flow: Flow, nodes: Sequence[Node], source: str) -> None:
    """Append what some nodes make of ``source``, the value that the flow has come to.

    Raises
    ------
    FormatError
        What they compute is not part of a dense network; the message names the node.
    """
    flow.shapes[source] = flow.shape
    for part, apply in _planned(graph, nodes, source) if nodes else []:
        with at(part[0]):
            if flow.logarithms and part[0].op not in (*PASSING, "Exp"):
                raise FormatError("it goes on from logarithms of probabilities, which no layer here computes")
            apply(flow)
        flow.shapes[part[-1].outputs[0]] = flow.shape


@contextmanager
def at(node: Node) -> Iterator[None]:
    """Say which node it is that errors are about."""
    try:
        yield
    except MALFORMED as error:
        text = in_words(error)
        raise FormatError(text if text.startswith("node ") else f"{node}: {text}") from error


def _planned(
    graph: Graph, nodes: Sequence[Node], source: str
) -> list[tuple[Sequence[Node], Callable[[Flow], None]]]:
    """Return the steps in order, each with its nodes: from the end back, the fewest nodes per step.

    A step is between two values that all that comes after goes through: there the nodes may be cut.
    """
    cuts = _cuts(graph, nodes, source)
    last = len(cuts) - 1
    steps: dict[int, tuple[int, Callable[[Flow], None]]] = {}
    for i in reversed(range(last)):
        begin, value = cuts[i]
        ends = [j for j in range(i + 1, min(i + LONGEST, last) + 1) if j == last or j in steps]
        if _OF_LIMITS.issuperset(node.op for node in nodes[begin : begin + 2]):
            ends.sort(key=lambda j: j != i + 2)  # two limits together are a better known curve
        for j in ends:
            part = nodes[begin : cuts[j][0]]
            step = _step(graph, part, value)
            if step is not None:
                steps[i] = (j, step)
                break
    if nodes and 0 not in steps:
        raise FormatError(_blocked(nodes, cuts, steps))
    plan, i = [], 0
    while i < len(cuts) - 1:
        following, step = steps[i]
        plan.append((nodes[cuts[i][0] : cuts[following][0]], step))
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
        return f"{(unknown or part)[0]}: what it computes is not part of a dense network"
    return f"{part[0]} to {part[-1]}: what they compute together is not part of a dense network"


def _step(graph: Graph, nodes: Sequence[Node], source: str) -> Callable[[Flow], None] | None:
    """Return what appends some nodes to a flow; None where that is not known."""
    if len(nodes) == 1 and nodes[0].op in STEPS:
        return lambda flow: STEPS[nodes[0].op](graph, flow, nodes[0], source)
    found = None
    if len(nodes) <= LONGEST or nodes[0].op == "Split":
        found = pattern(graph, nodes, source)
    return found or _branches(graph, nodes, source)


def _branches(graph: Graph, nodes: Sequence[Node], source: str) -> Callable[[Flow], None] | None:
    """Take several ways from one value to a Concat; None if the nodes are not that."""
    joint = nodes[-1]
    if joint.op not in JOINING or len(joint.inputs) < 2 or graph.dynamic_inputs(joint) != [*joint.inputs]:
        return None
    if len(joint.inputs) * len(nodes) > _MOST_LOOKS:
        return None
    ways = [_way(graph, nodes[:-1], end) for end in joint.inputs]

    def apply(flow: Flow) -> None:
        branches = []
        for way in ways:
            branch = flow.branch(len(way))
            follow(graph, branch, way, source)
            flow.account(branch)
            branches.append(branch)
        join(flow, branches, joint.attributes.get("axis", -1))

    return apply


def _way(graph: Graph, nodes: Sequence[Node], end: str) -> list[Node]:
    """Return those of some nodes that a value is computed by, in order."""
    needed, way = {end}, []
    for node in reversed(nodes):
        if needed.intersection(node.outputs):
            way.append(node)
            needed.update(graph.dynamic_inputs(node))
    return way[::-1]


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
