"""The same layer in other frameworks, each as its own guide recommends, on the CPU or on an accelerator.

The numbers are the framework's arrays, on the device, and the code is compiled before the clock starts. Each
call waits for its result.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from fastdense import libraries
from fastdense.activations import get
from fastdense.core.curves import CURVES
from fastdense.exchange.content import Content
from fastdense.exchange.onnx.writer import serialized
from fastdense.insight.workload import Workload
from fastdense.layers import Dense

__all__ = ["cupy", "jax", "onnxruntime", "tensorflow", "torch"]

Activation = Callable[[Any], Any]

LEAK = CURVES["leaky_relu"].alpha


def tensorflow(work: Workload, accelerated: bool = False) -> Callable[[], Any]:
    """Call ``tf.matmul``, traced to a graph."""
    tf = import_module("tensorflow")
    special: dict[str, Activation] = {
        "linear": tf.identity,
        "leaky_relu": partial(tf.nn.leaky_relu, alpha=LEAK),
        "celu": tf.nn.elu,  # the same at its default
        "gelu_tanh": partial(tf.nn.gelu, approximate=True),
        "mish": lambda z: z * tf.nn.tanh(tf.nn.softplus(z)),
        "exponential": tf.exp,
        "hard_sigmoid": lambda z: tf.nn.relu6(z + 3.0) / 6.0,
        "hard_silu": lambda z: z * (tf.nn.relu6(z + 3.0) / 6.0),
    }
    g = special.get(work.activation) or getattr(tf.nn, work.activation)
    device = "/GPU:0" if accelerated else "/CPU:0"
    with tf.device(device):
        arrays = [tf.constant(array) for array in (work.X, work.W, work.B)]

    @tf.function  # type: ignore[untyped-decorator]
    def layer(x: Any, weights: Any, bias: Any) -> Any:
        with tf.device(device):
            return g(tf.matmul(x, weights) + bias)

    return partial(_without_tf32, tf, layer, arrays) if accelerated else lambda: layer(*arrays)


def _without_tf32(tf: Any, layer: Callable[..., Any], arrays: list[Any]) -> Any:
    """Run the layer on a GPU in full float32, as all rungs do, and wait for it."""
    switch = tf.config.experimental
    before = switch.tensor_float_32_execution_enabled()
    switch.enable_tensor_float_32_execution(False)
    try:
        outputs = layer(*arrays)
        tf.test.experimental.sync_devices()
        return outputs
    finally:
        switch.enable_tensor_float_32_execution(before)


def torch(work: Workload, accelerated: bool = False) -> Callable[[], Any]:
    """Call ``torch.nn.functional.linear``, without gradients."""
    library = import_module("torch")
    functional = library.nn.functional
    special: dict[str, Activation] = {
        "linear": lambda z: z,
        "leaky_relu": partial(functional.leaky_relu, negative_slope=LEAK),
        "gelu_tanh": partial(functional.gelu, approximate="tanh"),
        "softmax": partial(functional.softmax, dim=-1),
        "exponential": library.exp,
        "hard_sigmoid": functional.hardsigmoid,
        "hard_silu": functional.hardswish,
    }
    g = special.get(work.activation) or getattr(functional, work.activation)
    device = library.accelerator.current_accelerator() if accelerated else "cpu"
    x, weights, bias = (library.tensor(array, device=device) for array in (work.X, work.W, work.B))
    weights = weights.T.contiguous()  # its layers keep one unit per row

    def run() -> Any:
        with library.inference_mode():
            outputs = g(functional.linear(x, weights, bias))
        if accelerated:
            library.accelerator.synchronize()
        return outputs

    return run


def jax(work: Workload, accelerated: bool = False) -> Callable[[], Any]:
    """Call ``jax.numpy.matmul``, compiled, and wait for the result."""
    library = import_module("jax")
    special: dict[str, Activation] = {
        "linear": lambda z: z,
        "leaky_relu": partial(library.nn.leaky_relu, negative_slope=LEAK),
        "gelu": partial(library.nn.gelu, approximate=False),
        "gelu_tanh": partial(library.nn.gelu, approximate=True),
        "exponential": library.numpy.exp,
        "softsign": library.nn.soft_sign,
    }
    g = special.get(work.activation) or getattr(library.nn, work.activation)
    device = library.devices()[0] if accelerated else library.devices("cpu")[0]
    arrays = [library.device_put(array, device) for array in (work.X, work.W, work.B)]
    product = partial(library.numpy.matmul, precision="highest")  # float32, and not TensorFloat-32
    layer = library.jit(lambda x, weights, bias: g(product(x, weights) + bias))
    return lambda: layer(*arrays).block_until_ready()


def cupy(work: Workload) -> Callable[[], Any]:
    """Call CuPy's product, and the activation written in its functions: CuPy has no activations."""
    library, own = import_module("cupy"), libraries.module_of("cupy")
    x, weights, bias = (library.asarray(array) for array in (work.X, work.W, work.B))
    spec = get(work.activation).spec

    def run() -> Any:
        outputs = own.curve(spec, x @ weights + bias)
        library.cuda.get_current_stream().synchronize()
        return outputs

    return run


def onnxruntime(work: Workload) -> Callable[[], Any]:
    """Run a session over the layer as an ONNX model, which the onnx package writes."""
    library = import_module("onnxruntime")
    n_in, layer = len(work.W), Dense(len(work.B), work.activation)
    layer.restore(n_in, [work.W.copy(), work.B.copy()])
    model = serialized([Content("layer", [layer], n_in, "float32")], table=False, dtype="float32")
    session = library.InferenceSession(model, providers=["CPUExecutionProvider"])
    inputs = {"X": work.X}
    return lambda: session.run(None, inputs)[0]
