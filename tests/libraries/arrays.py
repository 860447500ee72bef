"""Arrays of each library, its gradients and its tracing, behind one name each."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from fastdense.libraries import Library, backend_of
from tests.over_engines import LIBRARIES

__all__ = ["LIBRARIES", "array_of", "dtype_of", "gradient_of", "numpy_of", "traced"]


def array_of(library, array):
    """Return a NumPy array as one of the library's, float64 staying float64."""
    backend = backend_of(Library(library))
    with backend.scope():
        return backend.place(array, copy=True)


def numpy_of(array):
    """Return any library's array as NumPy's."""
    return np.asarray(array.detach() if hasattr(array, "detach") else array)


def dtype_of(array):
    """Return the name of an array's dtype."""
    return numpy_of(array).dtype.name


def gradient_of(library, function, array):
    """Return the gradient of the sum of a function's results at an array, found by the library."""
    if library == "torch":
        leaf = array_of(library, array).requires_grad_()
        function(leaf).sum().backward()
        return leaf.grad.numpy()
    if library == "jax":
        jax = import_module("jax")
        with jax.enable_x64(array.dtype == np.float64):
            return np.asarray(jax.grad(lambda a: function(a).sum())(array_of(library, array)))
    tf = import_module("tensorflow")
    leaf = array_of(library, array)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        total = tf.reduce_sum(function(leaf))
    return tape.gradient(total, leaf).numpy()


def traced(library, function):
    """Return a function as the library traces it; what cannot be traced raises."""
    if library == "torch":
        return import_module("torch").compile(function, fullgraph=True, backend="eager")
    if library == "jax":
        return import_module("jax").jit(function)
    return import_module("tensorflow").function(function)
