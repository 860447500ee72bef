"""The rungs of the ladder: every way to compute the layer, slowest first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from fastdense.activations import get
from fastdense.core.spec import DenseSpec, NetworkSpec
from fastdense.insight import peers
from fastdense.insight.workload import Workload
from fastdense.libraries import accelerators
from fastdense.native import activate, set_threads
from fastdense.native.program import NativeEngine
from fastdense.reference import dense_neurons, dense_scalars, dense_units

__all__ = ["METHODS", "Method", "Progress", "Run", "announced", "blas_cores"]

Progress = Callable[[int, int, str], object]
"""Called with the number of what begins, from 1, the total, and its name."""
Run = Callable[[], Any]
"""Computes the layer once; returns what NumPy takes as an array of shape (m, n_units)."""


@dataclass(frozen=True)
class Method:
    """One way to compute a dense layer.

    Attributes
    ----------
    name : str
    prepare : function of a Workload
        Brings the numbers into the form that the method works on, which is not timed, and returns what is.
    cores : {"one", "all"}
        The cores it may use; the machine's peak that it is measured against.
    loops : bool
        Whether it takes time for every row, so that a few rows tell the time of one.
    over : tuple of str
        What it loops over in Python: "rows", "inputs" and "units" as it may be.
    itemsize : int
        Bytes of a number that it computes with.
    module : str or None
        The framework's module, for those that may not be installed.
    accelerated : bool
        Whether it runs on the framework's accelerator, such as a GPU, and on no core of the processor.
    """

    name: str
    prepare: Callable[[Workload], Run]
    cores: Literal["one", "all"]
    loops: bool = False
    over: tuple[str, ...] = ()
    itemsize: int = 4
    module: str | None = None
    accelerated: bool = False

    @property
    def installed(self) -> bool:
        """Whether its framework is installed, and has an accelerator if it runs on one."""
        if self.module is None:
            return True
        return find_spec(self.module) is not None and (
            not self.accelerated or bool(accelerators(self.module))
        )


def announced(methods: Sequence[Method], progress: Progress | None) -> Iterator[Method]:
    """Yield the methods, each announced before it is used."""
    for number, method in enumerate(methods, start=1):
        if progress is not None:
            progress(number, len(methods), method.name)
        yield method


def scalars(work: Workload) -> Run:
    """Loop over rows, units and inputs in Python, with Python's own numbers."""
    rows, weights, bias = work.X.tolist(), work.W.tolist(), work.B.tolist()
    return lambda: dense_scalars(rows, weights, bias, work.activation)


def neurons(work: Workload) -> Run:
    """Loop over rows and units: one weight vector, one dot product."""
    rows = list(work.X.astype(np.float64))
    weights = list(np.ascontiguousarray(work.W.astype(np.float64).T))
    bias = work.B.tolist()
    return lambda: [dense_neurons(x, weights, bias, work.activation) for x in rows]


def units(work: Workload) -> Run:
    """Loop over the units: one column of the matrix against all rows."""
    rows, weights, bias = (array.astype(np.float64) for array in (work.X, work.W, work.B))
    return lambda: dense_units(rows, weights, bias, work.activation)


def rows(work: Workload) -> Run:
    """Loop over the rows: one matrix product for all units of an example."""
    examples = [work.X[i : i + 1] for i in range(work.rows)]
    return lambda: np.concatenate([product(x, work) for x in examples])


def batch(work: Workload) -> Run:
    """Loop over nothing: one matrix product."""
    return lambda: product(work.X, work)


def product(A_in: Any, work: Workload) -> Any:
    """Return the layer's outputs by NumPy's product; the activation, not the point here, is the kernel's."""
    outputs = A_in @ work.W
    outputs += work.B
    g = get(work.activation).spec
    return activate(g.name, outputs, g.alpha, out=outputs)


def kernel(threads: int | None) -> Callable[[Workload], Run]:
    """Loop over nothing: product, bias and activation fused, on ``threads`` threads (None: on all)."""

    def prepare(work: Workload) -> Run:
        n_in, n_units = work.W.shape
        spec = DenseSpec(n_in, n_units, get(work.activation).spec)
        program = NativeEngine().compile(NetworkSpec(n_in, (spec,)), [(work.W, work.B)])

        def run() -> Any:
            set_threads(threads)
            try:
                return program.predict(work.X)
            finally:
                set_threads(None)

        return run

    return prepare


def blas_cores() -> Literal["one", "all"]:
    """Return the cores that NumPy's products may use, as the environment has it when NumPy loads."""
    limits = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    return "one" if "1" in map(os.environ.get, limits) else "all"


METHODS = (
    Method("pure Python loops", scalars, "one", True, ("rows", "inputs", "units"), itemsize=8),
    Method("one dot product a neuron", neurons, "one", True, ("rows", "units"), itemsize=8),
    Method("one column a unit", units, blas_cores(), True, ("units",), itemsize=8),
    Method("one matrix product a row", rows, "one", True, ("rows",)),
    Method("one matrix product a batch", batch, blas_cores()),
    Method("native kernel, one core", kernel(1), "one"),
    Method("native kernel, all cores", kernel(None), "all"),
    Method("TensorFlow", peers.tensorflow, "all", module="tensorflow"),
    Method("PyTorch", peers.torch, "all", module="torch"),
    Method("JAX", peers.jax, "all", module="jax"),
    Method("ONNX Runtime", peers.onnxruntime, "all", module="onnxruntime"),
    *(
        Method(name, prepare, "all", module=module, accelerated=True)
        for name, prepare, module in (
            ("TensorFlow", partial(peers.tensorflow, accelerated=True), "tensorflow"),
            ("PyTorch", partial(peers.torch, accelerated=True), "torch"),
            ("JAX", partial(peers.jax, accelerated=True), "jax"),
            ("CuPy", peers.cupy, "cupy"),
        )
    ),
)
