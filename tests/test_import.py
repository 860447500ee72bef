"""What importing fastdense loads, and how its public names are reached."""

from __future__ import annotations

import subprocess
import sys

import pytest

import fastdense

# Loaded by those who ask for them only.
HEAVY = {"IPython", "matplotlib", "optuna", "pandas", "polars", "rich", "sklearn", "typer"}
HEAVY |= {"array_api_compat", "cupy", "jax", "tensorflow", "torch"}

# Compiled modules make up others, such as "cython_runtime", that were imported from nowhere: no spec.
REPORT = """
print("LOADED", *(name for name in set(sys.modules) - before if vars(sys.modules[name]).get("__spec__")))
"""


def modules_after(script):
    """Return the modules that a fresh interpreter loads while it runs the script."""
    command = [
        sys.executable,
        "-W",
        "error",
        "-c",
        f"import sys\nbefore = set(sys.modules)\n{script}\n{REPORT}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.partition("LOADED ")[2].split())


def libraries(modules):
    """Return the modules' libraries, those of the interpreter left out."""
    return {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names)


def test_importing_loads_numpy_at_most_and_little_of_fastdense():
    loaded = modules_after("import fastdense")
    assert libraries(loaded) <= {"fastdense", "numpy"}
    own = {module for module in loaded if module.startswith("fastdense")}
    assert own == {"fastdense", "fastdense._version"}


INSIGHT = {"fastdense", "fastdense._version", "fastdense.insight"}
LOADED = {
    "fd.insight": set(),
    "fd.insight.best_time": {"fastdense.insight.timing"},
    "fd.insight.vectorize": {"fastdense.insight.loops", "fastdense.core", "fastdense.core.printable"},
}


@pytest.mark.parametrize("tool", LOADED)
def test_a_tool_of_insight_loads_what_it_needs(tool):
    loaded = modules_after(f"import fastdense as fd\n{tool}")
    own = {name for name in loaded if name.startswith("fastdense")}
    parts = {name for name in own if name.startswith("fastdense.insight.loops.")}
    assert own - parts == INSIGHT | LOADED[tool]


@pytest.mark.parametrize("name", ["Ladder", "Report", "Sweep", "ladder", "sweep", "vectorize"])
def test_tools_of_insight_stay_what_they_are_once_all_is_loaded(name):
    """No module of a tool's name takes its place."""
    import fastdense.insight.explain
    import fastdense.insight.profile
    import fastdense.insight.report

    first = getattr(fastdense.insight, name)
    assert callable(first)
    assert getattr(fastdense.insight, name) is first
    with pytest.raises(AttributeError, match="no attribute 'lader'"):
        _ = fastdense.insight.lader


ESTIMATORS = {"MLPClassifier", "MLPRegressor", "from_sklearn"}  # these are scikit-learn's in part


def test_every_public_name_but_the_estimators_loads_nothing_heavy():
    names = f"set(fastdense.__all__) - {ESTIMATORS}"
    loaded = modules_after(f"import fastdense\nfor name in {names}: getattr(fastdense, name)")
    assert not libraries(loaded) & HEAVY
    assert "fastdense.models.sequential" in loaded


TRAINING = """
import numpy as np
import fastdense as fd
model = fd.Sequential([fd.Input((2,)), fd.Dense(3, "relu"), fd.Dense(1, "sigmoid")], seed=0)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(np.eye(2), [0, 1], epochs=2, callbacks=[fd.callbacks.EarlyStopping("loss")])
model.predict(np.eye(2))
model.evaluate(np.eye(2), [0, 1])
model.summary()
"""


def test_training_loads_numpy_only():
    """Standard output is no terminal here, so that no bar is drawn."""
    assert libraries(modules_after(TRAINING)) == {"fastdense", "numpy"}


def test_the_check_sees_what_is_loaded():
    assert "rich" in libraries(modules_after("import fastdense\nimport rich.progress"))


@pytest.mark.parametrize("name", fastdense.__all__)
def test_public_names_resolve(name):
    assert getattr(fastdense, name) is getattr(fastdense, name)


def test_public_names_are_listed_once_and_in_order():
    assert sorted(set(fastdense.__all__)) == sorted(fastdense.__all__)
    assert set(fastdense.__all__) <= set(dir(fastdense))


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match=r"fastdense.*no attribute 'Desne'"):
        _ = fastdense.Desne


DOORS = {
    "activations": ["relu", "softmax"],
    "callbacks": ["Callback", "EarlyStopping", "ModelCheckpoint"],
    "initializers": ["GlorotUniform", "get"],
    "layers": ["Activation", "Dense", "Dropout", "Input", "Normalization"],
    "losses": ["BinaryCrossentropy", "get"],
    "metrics": ["AUC", "get"],
    "models": ["Sequential", "load_model"],
    "optimizers": ["Adam", "get", "schedules"],
    "regularizers": ["L2", "get"],
    "utils": ["set_random_seed", "to_categorical"],
}


@pytest.mark.parametrize("door", DOORS)
def test_keras_modules(door):
    """As scripts write it: ``from fastdense.layers import Dense``, and ``fastdense.layers.Dense``."""
    for name in DOORS[door]:
        exec(f"from fastdense.{door} import {name}\nassert {name} is fastdense.{door}.{name}")


@pytest.mark.parametrize("name", ["Activation", "Dense", "Dropout", "Input", "Normalization"])
def test_a_layer_is_one_class_by_every_name(name):
    assert getattr(fastdense, name) is getattr(fastdense.layers, name)
