"""Every way to compute the layer, the other frameworks' too, gives the definition's numbers."""

import pytest

from fastdense.core.spec import ACTIVATIONS
from fastdense.insight.agreement import define, disagreement
from fastdense.insight.methods import METHODS, blas_cores
from fastdense.insight.rungs import in_memory
from fastdense.insight.workload import random_workload


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("method", METHODS, ids=[f"{m.name}{', GPU' * m.accelerated}" for m in METHODS])
def test_it_agrees_with_the_definition(method, activation):
    if method.module is not None:
        pytest.importorskip(method.module, exc_type=ImportError)
    if method.module == "onnxruntime":
        pytest.importorskip("onnx")
    if method.accelerated and not method.installed:
        pytest.skip("there is no accelerator")
    for sizes in [(1, 1, 1), (7, 300, 25)]:
        work = random_workload(*sizes, activation)
        assert disagreement(in_memory(method.prepare(work)()), define(work)) is None


@pytest.mark.parametrize(("limit", "cores"), [("1", "one"), ("2", "all"), (None, "all")])
def test_products_are_held_against_the_cores_that_they_may_use(monkeypatch, limit, cores):
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    if limit is not None:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", limit)
    assert blas_cores() == cores
