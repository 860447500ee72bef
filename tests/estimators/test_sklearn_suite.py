"""scikit-learn's own tests of its MLP, run on fastdense's classes in place of its own."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

neural_network = pytest.importorskip("sklearn.neural_network")

import fastdense as fd  # noqa: E402

SUITE = "sklearn.neural_network.tests.test_mlp"
# Tests that fail by what they ask of, and why; all others must pass.
FLOAT64 = "asserts float64 parameters by default; dtype='auto' has them"
EXCEPTIONS = {
    "test_gradient": "calls the private method _loss_grad_lbfgs; see tests/reference/test_gradients.py",
    "test_mlp_param_dtypes[MLPClassifier-float64]": FLOAT64,
    "test_mlp_param_dtypes[MLPRegressor-float64]": FLOAT64,
    "test_nonfinite_params": "expects rows beyond float32 to be trained on until the weights are not finite",
}


def load_suite() -> ModuleType:
    """Return scikit-learn's test module, loaded while its two classes are ours."""
    spec = importlib.util.find_spec(SUITE)
    if spec is None:
        pytest.skip("scikit-learn was installed without its tests", allow_module_level=True)
    module = importlib.util.module_from_spec(spec)
    own = {name: getattr(neural_network, name) for name in ("MLPClassifier", "MLPRegressor")}
    try:
        for name in own:
            setattr(neural_network, name, getattr(fd, name))
        spec.loader.exec_module(module)
    finally:
        for name, value in own.items():
            setattr(neural_network, name, value)
    return module


suite = load_suite()
globals().update({name: value for name, value in vars(suite).items() if name.startswith("test_")})
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def global_random_seed():
    """scikit-learn's fixture of this name."""
    return 42


@pytest.fixture(autouse=True)
def expect_exceptions(request):
    """Mark the tests that are known to fail by design; one of them that passes is an error too."""
    reason = EXCEPTIONS.get(request.node.name)
    if reason is not None:
        request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def test_the_suite_runs_on_our_classes():
    assert suite.MLPClassifier is fd.MLPClassifier
    assert suite.MLPRegressor is fd.MLPRegressor
    assert SUITE not in sys.modules or sys.modules[SUITE] is not suite


def test_every_exception_is_a_test_of_the_suite():
    assert all(hasattr(suite, name.partition("[")[0]) for name in EXCEPTIONS)
