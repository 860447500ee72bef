"""The layer in other frameworks: the same numbers, for every activation."""

import pytest

from fastdense.insight.agreement import define, disagreement
from fastdense.insight.methods import METHODS
from fastdense.insight.workload import random_workload
from fastdense.spec import ACTIVATIONS

PEERS = [method for method in METHODS if method.module is not None]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("peer", PEERS, ids=[peer.name for peer in PEERS])
def test_a_framework_agrees_with_the_definition(peer, activation):
    pytest.importorskip(peer.module, exc_type=ImportError)
    if peer.module == "onnxruntime":
        pytest.importorskip("onnx")
    work = random_workload(17, 30, 5, activation)
    assert disagreement(peer.prepare(work)(), define(work)) is None
