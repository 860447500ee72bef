"""Who may import whom: the rules of the house, proved from the source of the package and of the kernels."""

from __future__ import annotations

import ast
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.imports import PACKAGE, ROOT, imports_of, package_sources

# A room is a folder or module directly under the package, "" the package itself.
LEAVES = {"core", "errors"}
# Keras' modules, each the home of what it is named after.
PARTS = {"activations", "initializers", "layers", "losses", "metrics", "optimizers", "regularizers"}
TRAINED = LEAVES | PARTS | {"callbacks", "network", "tables", "training"}
MAY_IMPORT: dict[str, set[str]] = {
    "_version": set(),
    "errors": set(),
    "core": {"errors"},
    "reference": LEAVES,
    "array": LEAVES,
    "native": LEAVES | {"_version"},
    "libraries": LEAVES | {"array"},
    "engines": LEAVES | {"_version", "array", "libraries", "native", "reference"},
    **dict.fromkeys(PARTS, LEAVES | PARTS | {"engines"}),
    "callbacks": LEAVES | {"engines", "optimizers"},
    "training": LEAVES | PARTS | {"callbacks", "engines"},
    "network": LEAVES | PARTS | {"callbacks", "engines", "training"},
    "functional": LEAVES | {"activations", "engines", "libraries"},
    "tables": LEAVES,
    "exchange": LEAVES | PARTS | {"_version", "engines", "tables"},
    "tabular": TRAINED | {"engines", "exchange", "models", "native"},
    "estimators": LEAVES | PARTS | {"engines", "models", "tabular", "training"},
    "search": TRAINED
    | {"_version", "engines", "estimators", "exchange", "insight", "models", "native", "tabular"},
    "insight": LEAVES
    | PARTS
    | {"callbacks", "engines", "exchange", "libraries", "native", "network", "reference", "training"},
    "models": TRAINED | {"exchange", "insight"},
    "formats": LEAVES | PARTS | {"exchange", "models"},
    "utils": LEAVES,
}
MAY_IMPORT[""] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = set(MAY_IMPORT)

# Parts of rooms that need little of the package: all that they may import of it.
SEALED = {"fastdense.insight.loops": ["fastdense.core.printable", "fastdense.insight.loops"]}

WITHOUT_NUMPY = [
    "fastdense._version",
    "fastdense.array",
    "fastdense.cli",
    *(f"fastdense.core.{name}" for name in ("absent", "config", "printable", "spec")),
    "fastdense.errors",
]
# Their room's door imports them by name, when somebody asks for that library.
TENSORFLOW = ["fastdense.libraries.tensorflow", "fastdense.libraries.tensorflow_functions"]
JAX = ["fastdense.libraries.jax"]
TORCH = ["fastdense.libraries.torch", "fastdense.libraries.torch_functions"]
BACKENDS = ["fastdense.libraries.cupy", *JAX, *TENSORFLOW, *TORCH]
# The modules, or the folders of them, that each other library is imported in.
LIBRARIES = {
    "array_api_compat": ["fastdense.libraries"],
    "cupy": ["fastdense.insight", "fastdense.libraries.cupy"],
    "google": ["fastdense.exchange.onnx"],  # protobuf, which onnx is built on
    "h5py": ["fastdense.exchange.keras"],
    "jinja2": ["fastdense.insight"],
    "jax": ["fastdense.exchange", "fastdense.insight", *JAX],
    "keras": ["fastdense.exchange"],
    "matplotlib": ["fastdense.insight"],
    "onnx": ["fastdense.exchange"],
    "onnxruntime": ["fastdense.insight"],
    "optuna": ["fastdense.search.studies"],
    "pandas": [],  # a frame is handed over, and brings its own methods
    "polars": ["fastdense.exchange.tables"],
    "pyfive": ["fastdense.exchange.keras"],
    "rich": ["fastdense.cli", "fastdense.search.progress", "fastdense.training.progress"],
    "safetensors": [],  # the container is a page of our own
    "scipy": ["fastdense.estimators", "fastdense.search"],
    "sklearn": ["fastdense.estimators", "fastdense.exchange", "fastdense.search"],
    "tensorflow": ["fastdense.exchange", "fastdense.insight", *TENSORFLOW],
    "torch": ["fastdense.exchange", "fastdense.insight", *TORCH],
    "typer": ["fastdense.cli"],
}
# Nobody loads these rooms but who asks for them: commands and base classes need their library at once.
OPENED_ON_USE = [
    "fastdense.cli",
    "fastdense.estimators",
    "fastdense.exchange.torch.entry",
    "fastdense.exchange.torch.follow",
    "fastdense.exchange.torch.from_module",
    "fastdense.exchange.torch.known",
    "fastdense.exchange.torch.modules",
    "fastdense.exchange.torch.operations",
    "fastdense.exchange.torch.patterns",
    "fastdense.exchange.torch.programs",
    "fastdense.exchange.torch.targets",
    "fastdense.exchange.torch.walk",
    "fastdense.exchange.torch.to_module",
    "fastdense.formats.torch.modules",
    "fastdense.search",
    *BACKENDS,
]


def room_of(module):
    """Return the folder or module directly under the package that the module is or lies in."""
    return [*module.split("."), ""][1]


def is_own(module):
    return module.split(".")[0] == PACKAGE


def is_within(module, places):
    return any(module == place or module.startswith(f"{place}.") for place in places)


def unknown_rooms(sources):
    """Return the rooms that no rule speaks of."""
    return sorted({room_of(module) for module in sources} - set(MAY_IMPORT))


def trespasses(imports):
    """Return the imports of rooms that the importer's may not see."""
    return [
        i
        for i in imports
        if is_own(i.target)
        and room_of(i.target) != room_of(i.importer)
        and room_of(i.target) not in MAY_IMPORT[room_of(i.importer)]
    ]


def foreign(imports):
    """Return the imports of libraries that do not belong in that place, or not at that time."""
    return [i for i in imports if not (is_own(i.target) or _is_welcome(i))]


def _is_welcome(i):
    library = i.target.split(".")[0]
    if library in sys.stdlib_module_names:
        return True
    if library == "numpy":
        return i.importer != PACKAGE and not is_within(i.importer, WITHOUT_NUMPY)
    in_time = i.deferred or i.for_types or is_within(i.importer, OPENED_ON_USE)
    return in_time and is_within(i.importer, LIBRARIES.get(library, []))


def unsealed(imports):
    """Return the imports of sealed parts that leave them."""
    return [
        i
        for i in imports
        for part, allowed in SEALED.items()
        if is_within(i.importer, [part]) and is_own(i.target) and not is_within(i.target, allowed)
    ]


def circle(imports):
    """Return a circle of modules that import each other, late imports and those for types counted, or None.

    A module of another folder needs the folders that it lies in, too.
    """
    graph = {}
    for i in imports:
        if is_own(i.target):
            loaded = {i.target, *(p for p in _parents(i.target) if p not in _parents(i.importer))}
            graph.setdefault(i.importer, set()).update(loaded - {i.importer})
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def _parents(module):
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts) + 1)]


def private_names(tree):
    """Return the names with an underscore that a module declares, and those it reads of other objects."""
    declared, read = set(), set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name) | ast.ClassDef(name) | ast.Name(name, ast.Store()) | ast.arg(name):
                declared.add(name)
            case ast.Attribute(ast.Name("self" | "cls"), name, context):
                declared |= {name} if isinstance(context, ast.Store) else set()
            case ast.Attribute(_, name) if name.startswith("_") and not name.endswith("__"):
                read.add(name)
    return {name for name in declared if name.startswith("_")}, read


def reached(sources):
    """Return what modules read of other rooms' private names."""
    found = {module: private_names(ast.parse(source)) for module, source in sources.items()}
    owners = {}
    for module, (declared, _) in found.items():
        for name in declared:
            owners.setdefault(name, set()).add(room_of(module))
    return {
        (module, name)
        for module, (_, read) in found.items()
        for name in read
        if name in owners and room_of(module) not in owners[name] and name != "_repr_html_"  # notebooks' own
    }


SOURCES = package_sources()
IMPORTS = imports_of(SOURCES)


def test_the_rules_speak_of_every_room():
    assert not unknown_rooms(SOURCES)


def test_rooms_import_only_what_they_may():
    assert not trespasses(IMPORTS)


def test_libraries_are_imported_in_their_rooms_and_when_needed():
    assert not foreign(IMPORTS)


def test_no_circles():
    assert circle(IMPORTS) is None


def test_sealed_parts_import_nothing_else():
    assert not unsealed(IMPORTS)


def test_nobody_reaches_for_another_rooms_private_names():
    assert not reached(SOURCES)


TRESPASSES = {
    "fastdense.core.spec": "from fastdense.engines import Program",
    "fastdense.reference.dense": "from fastdense.array import layers",
    "fastdense.reference.program": "from fastdense.engines import Program",
    "fastdense.array.program": "from fastdense.native import dropout_mask",
    "fastdense.native.random": "import fastdense.engines",
    "fastdense.network.stack": "from fastdense.array.program import ArrayEngine",
    "fastdense.layers": "def f():\n    from fastdense.reference import forward",
    "fastdense.network.summary": "def f():\n    from fastdense.exchange.safetensors import read",
    "fastdense.network.model": "def f():\n    from fastdense.exchange.safetensors import write",
    "fastdense.insight.profile": "if TYPE_CHECKING:\n    from fastdense.models import Sequential",
    "fastdense.training.loop": "from fastdense import native",
    "fastdense.training.run": "from fastdense.network.model import Model",
    "fastdense.training.data": "if TYPE_CHECKING:\n    from fastdense.network.stack import Stack",
    "fastdense.tables.table": "from fastdense.network.stack import Stack",
    "fastdense.exchange.safetensors": "if TYPE_CHECKING:\n    from fastdense.models import Sequential",
    "fastdense.tabular": "from fastdense.estimators import MLPClassifier",
    "fastdense.insight.ladders": "from importlib import import_module\nimport_module('fastdense.cli')",
    "fastdense": "def f():\n    import fastdense.cli",
    "fastdense.losses": "from fastdense.training import loop",
    "fastdense.libraries.torch": "from fastdense.engines import choose",
}


@pytest.mark.parametrize("module", TRESPASSES)
def test_a_trespass_is_found(module):
    (found,) = trespasses(imports_of({module: TRESPASSES[module]}, known=SOURCES))
    assert found.importer == module


def test_an_unknown_room_is_found():
    assert unknown_rooms({"fastdense.attic.box": "", **SOURCES}) == ["attic"]


FOREIGN = [
    ("fastdense.array.layers", "import numpy as np"),
    ("fastdense.array.layers", "def f():\n    import array_api_compat"),
    ("fastdense.core.spec", "import numpy"),
    ("fastdense.reference.dense", "import scipy.special"),
    ("fastdense.tables.table", "def f():\n    import pandas"),
    ("fastdense.tables.table", "if TYPE_CHECKING:\n    import polars"),
    ("fastdense.training.progress", "from rich.progress import Progress"),
    ("fastdense.training.loop", "def f():\n    from rich.progress import Progress"),
    ("fastdense.core.files", "import safetensors"),
    ("fastdense.exchange.safetensors", "def f():\n    import safetensors"),
    ("fastdense.exchange.tables", "import polars as pl"),
    ("fastdense.insight.chart", "class Chart:\n    import matplotlib.pyplot as plt"),
    ("fastdense.insight.peers", "try:\n    import torch\nexcept ImportError:\n    torch = None"),
    ("fastdense.insight.peers", "import importlib\nimportlib.import_module('jax')"),
    ("fastdense.cli.train", "def f():\n    import polars"),
    ("fastdense.layers", "import requests"),
    ("fastdense.libraries", "import torch"),
    ("fastdense.libraries", "def f():\n    import jax"),
    ("fastdense.libraries.torch", "import cupy"),
    ("fastdense.engines", "def f():\n    import torch"),
    ("fastdense.engines.arrays", "def f():\n    from array_api_compat import torch"),
]


@pytest.mark.parametrize(("module", "source"), FOREIGN)
def test_a_foreign_import_is_found(module, source):
    (found,) = foreign(imports_of({module: source}))
    assert found.importer == module


WELCOME = [
    ("fastdense.reference.dense", "import math\nimport numpy as np\nfrom numpy.typing import NDArray"),
    ("fastdense.training.progress", "class Bar:\n    def f(self):\n        import rich.progress"),
    ("fastdense.exchange.tables", "if TYPE_CHECKING:\n    import polars as pl"),
    ("fastdense.libraries.torch", "import array_api_compat.torch as xp\nimport torch"),
    ("fastdense.libraries.tensorflow_functions", "import tensorflow as tf"),
    ("fastdense.cli.app", "import typer\nfrom rich.console import Console"),
    ("fastdense.estimators.classifier", "from sklearn.base import BaseEstimator"),
]


@pytest.mark.parametrize(("module", "source"), WELCOME)
def test_what_belongs_is_left_alone(module, source):
    assert not foreign(imports_of({module: source}))


CIRCLES = {
    "of two": {"fastdense.a": "from fastdense import b", "fastdense.b": "import fastdense.a"},
    "of late imports": {
        "fastdense.a": "import fastdense.b",
        "fastdense.b": "def f():\n    import fastdense.a",
    },
    "for types": {
        "fastdense.a": "import fastdense.b",
        "fastdense.b": "if TYPE_CHECKING:\n    import fastdense.a",
    },
    "of three": {
        "fastdense.a": "import fastdense.b",
        "fastdense.b": "from fastdense.c import x",
        "fastdense.c": "from fastdense.a import y",
    },
    "through a folder": {
        "fastdense.a": "from fastdense.b.leaf import x",
        "fastdense.b": "import fastdense.b.other",
        "fastdense.b.leaf": "",
        "fastdense.b.other": "import fastdense.a",
    },
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_circle_is_found(name):
    assert circle(imports_of(CIRCLES[name]))


def test_what_comes_in_an_order_is_no_circle():
    ordered = {"fastdense.a": "import fastdense.b\nimport fastdense.c", "fastdense.b": "import fastdense.c"}
    assert circle(imports_of(ordered)) is None


@pytest.mark.parametrize("target", ["fastdense.core.checks", "fastdense.insight.timing", "fastdense"])
def test_what_leaves_a_sealed_part_is_found(target):
    inside = "import ast\nimport fastdense.insight.loops.scope\n"
    (found,) = unsealed(imports_of({"fastdense.insight.loops.find": f"{inside}import {target}"}))
    assert found.target == target


def test_a_private_name_of_another_room_is_found():
    owner = "class A:\n    def __init__(self):\n        self._x = 1"
    reader = "def f(a, named):\n    return a._x, a.__dict__, named._replace(y=1)"
    sources = {"fastdense.layers.a": owner, "fastdense.layers.b": reader, "fastdense.losses": reader}
    assert reached(sources) == {("fastdense.losses", "_x")}


def test_a_relative_import_is_refused():
    with pytest.raises(AssertionError, match="in full"):
        imports_of({"fastdense.a": "from . import b"})


PYTHON_HEADER = re.compile(r'^\s*#\s*include\s*[<"](Python\.h|nanobind/|numpy/|pybind11/)', re.MULTILINE)


def test_only_the_bindings_include_python():
    files = [file for ending in ("*.h", "*.cpp") for file in (ROOT / "native").rglob(ending)]
    found = {str(f.relative_to(ROOT)) for f in files if PYTHON_HEADER.search(f.read_text(encoding="utf-8"))}
    assert {Path(file).parent.as_posix() for file in found} == {"native/bindings"}


@pytest.mark.parametrize(
    "line", ["#include <Python.h>", '#include "Python.h"', "  # include <nanobind/ndarray.h>"]
)
def test_a_python_header_is_found(line):
    assert PYTHON_HEADER.search(f"// A kernel.\n{line}\n")
    assert not PYTHON_HEADER.search(f"#include <vector>\n// {line}\n")
