"""A layer that a consumer of networks does not know is an error there, and never left out in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass

import numpy as np
import pytest

import fastdense as fd
from fastdense.core.spec import NetworkSpec
from fastdense.engines import available, choose
from fastdense.layers.base import INPUT_SHAPE, NAME, Layer


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


@pytest.mark.parametrize("engine", available())
def test_an_engine_refuses_a_layer_that_it_does_not_know(engine):
    with pytest.raises(AssertionError, match="Mirror"):
        choose(engine).compile(NetworkSpec(2, (MirrorSpec(2),)), [()]).predict(ROWS)
