"""A layer of a new kind: readers of networks refuse it loudly, or take it if it lowers to primitives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass, fields

import numpy as np
import pytest

import fastdense as fd
from fastdense.core.spec import DenseSpec, NetworkSpec
from fastdense.core.spec.lowering import Dropout, Product, StandardizeColumns
from fastdense.engines import available, choose
from fastdense.layers.base import INPUT_SHAPE, NAME, Layer
from tests.compare import assert_within
from tests.formats.test_c import COMPILERS, compiled


@dataclass(frozen=True)
class MirrorSpec:
    """A layer's spec with what all of them have, of a class of its own."""

    n_in: int
    parameters: tuple[()] = ()
    is_trained: bool = False

    @property
    def n_units(self):
        """As many outputs as inputs."""
        return self.n_in


class Mirror(Layer):
    """The layer of that spec."""

    default_name = "mirror"
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE

    def spec(self, stream):
        """Return what the engines do not know."""
        return MirrorSpec(self.n_in)


@dataclass(frozen=True)
class FactoredSpec(DenseSpec):
    """A dense layer to engines, which know it; to readers a longer chain of primitives with its result."""

    def lower(self, W, B):
        """Return the bias as a standardisation, and a second product that changes nothing."""
        added, same = StandardizeColumns(-B, np.ones_like(B)), Product(np.eye(len(B), dtype=W.dtype))
        return Product(W), Dropout(0.5), added, same, *self.activation.lower()


class Factored(fd.Dense):
    """The layer of that spec."""

    default_name = "factored"

    def spec(self, stream):
        """Return the dense layer's spec as one that lowers in its own way."""
        dense = super().spec(stream)
        return FactoredSpec(*(getattr(dense, field.name) for field in fields(dense)))


ROWS = np.ones((3, 2), np.float32)
CONSUMERS = {
    "predict": lambda model, folder: model.predict(ROWS),
    "freeze": lambda model, folder: model.freeze(),
    "explain": lambda model, folder: model.explain(ROWS[0]),
    "profile": lambda model, folder: model.profile(ROWS),
    "keras": lambda model, folder: model.save(folder / "model.keras"),
    "onnx": lambda model, folder: model.export(folder / "model.onnx"),
    "c": lambda model, folder: model.export(folder / "model.c"),
    "torch": lambda model, folder: model.export(folder / "model.safetensors", format="torch"),
}


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_consumer_refuses_a_layer_that_it_does_not_know(consumer, tmp_path):
    if consumer == "onnx":
        pytest.importorskip("onnx")
    model = fd.Sequential([fd.Input((2,)), Mirror(), fd.Dense(1)])
    with pytest.raises((AssertionError, AttributeError, TypeError, fd.errors.FormatError), match="Mirror"):
        CONSUMERS[consumer](model, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def factored():
    """Return a model with a layer of a kind that no reader knows, but that lowers."""
    model = fd.Sequential([fd.Input((2,)), Factored(4, "tanh"), fd.Dense(1)], seed=0)
    model.layers[0].set_weights([model.layers[0].kernel, np.array([0.5, -1.0, 2.0, 0.25])])
    model.compile(loss="mean_squared_error")
    return model


def assert_same(found, model):
    assert_within(found, model.predict(ROWS), 8 * np.finfo(np.float32).eps)


def test_onnx_holds_a_layer_that_lowers(factored, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    factored.export(tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    assert_same(session.run(None, {"X": ROWS})[0], factored)


@pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
def test_c_computes_a_layer_that_lowers(factored, tmp_path):
    assert_same(compiled(factored, tmp_path)(ROWS), factored)


def test_torch_computes_a_layer_that_lowers(factored):
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        assert_same(fd.formats.torch.to_torch(factored)(torch.from_numpy(ROWS)).numpy(), factored)


def test_a_layer_that_lowers_is_explained_and_measured(factored):
    found = factored.explain(ROWS[0], target=[1.0])
    assert_within(found.prediction, np.float64(factored.predict(ROWS[:1])), 1e-6)
    assert "Z1 = ((A0 @ W1 - mean1) / deviation1) @ W1_2\n  A1 = tanh(Z1)" in str(found)
    assert "dkernel1 (2, 4)" in str(found)
    cost = factored.profile(ROWS, seconds=1e-4).layers[0]
    assert (cost.what, cost.operations) == ("factored, 2 to 4, tanh", 3 * 2 * (2 * 4 + 4 * 4))


@pytest.mark.parametrize("engine", available())
def test_an_engine_refuses_a_layer_that_it_does_not_know(engine):
    with pytest.raises((AssertionError, AttributeError), match="Mirror"):
        choose(engine).compile(NetworkSpec(2, (MirrorSpec(2),)), [()]).predict(ROWS)
