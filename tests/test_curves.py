"""The records of the activations: every engine and every face has exactly these."""

from __future__ import annotations

import numpy as np
import pytest

from fastdense import activations, native
from fastdense.activations import ActivationFunction
from fastdense.array.activations import FUNCTIONS, SLOPES
from fastdense.core.curves import CURVES
from fastdense.core.spec import ACTIVATIONS, ActivationSpec
from fastdense.reference import curves as definitions
from fastdense.reference.activations import curve as defined

ELEMENTWISE = [name for name in CURVES if name != "softmax"]


def test_every_engine_and_face_has_exactly_these_curves():
    functions = {
        name.removesuffix("_derivative") for name in vars(definitions) if name.endswith("_derivative")
    }
    assert functions == set(ELEMENTWISE)
    assert set(FUNCTIONS) == set(CURVES) == set(ACTIVATIONS)
    assert set(SLOPES) == set(ELEMENTWISE) - {"linear"}
    faces = [getattr(activations, name) for name in activations.__all__]
    assert {face.name for face in faces if isinstance(face, ActivationFunction)} == set(CURVES)
    for curve in CURVES.values():
        assert {activations.get(synonym).name for synonym in curve.synonyms} <= {curve.name}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_native_curve_of_a_name_is_the_defined_one(name):
    z = np.linspace(-7.0, 7.0, 29)
    g, _ = defined(ActivationSpec(name, CURVES[name].alpha or 0.0))
    np.testing.assert_allclose(native.activate(name, z, CURVES[name].alpha or 0.0), [*map(g, z)], rtol=1e-13)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_no_slope_is_larger_than_the_steepest(name):
    _, slope = defined(ActivationSpec(name, CURVES[name].alpha or 0.0))
    steepest = max(map(slope, np.linspace(-20.0, 20.0, 4001).tolist()))
    assert steepest <= CURVES[name].steepest
    assert steepest > 0.99 * min(CURVES[name].steepest, 1e8)
