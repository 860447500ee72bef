"""What runs in Keras' own process: a function and its arguments come in, as JSON, and "done" goes out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import layers as L
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group


def predict(path, rows, outputs):
    model = keras.saving.load_model(path, compile=False)
    found = model(np.load(rows), training=False)
    np.save(outputs, np.asarray(found["out"] if isinstance(found, dict) else found))


def predict_all(folder, rows, outputs):
    """Save what the models of a folder make of rows, by their names; those that do not load are left out."""
    X, found = np.load(rows), {}
    for path in sorted(Path(folder).iterdir()):
        try:
            model = keras.saving.load_model(path, compile=False)
            found[path.name] = np.asarray(model(X, training=False))
        except Exception as error:  # noqa: BLE001  (a refusal)
            found[path.name] = np.array(f"{type(error).__name__}: {error!s:.300}")
    np.savez(outputs, **found)


def save_again(path, to):
    """Load a file and write it anew, as ``.keras`` or ``.h5`` by the name's end."""
    keras.saving.load_model(path, compile=False).save(to)


def save_weights(path, to):
    """Write the weights alone of a model's file, as ``.weights.h5`` or as Keras 2's ``.h5``."""
    model = keras.saving.load_model(path, compile=False)
    if to.endswith(".weights.h5"):
        model.save_weights(to)
        return
    with h5py.File(to, "w") as file:
        save_weights_to_hdf5_group(file, model)


def load_weights(path, weights):
    """Give a model's file the weights of another."""
    model = keras.saving.load_model(path, compile=False)
    model.load_weights(weights)
    model.save(path)


def build(name, path):
    """Write one of the models below, its weights and statistics no longer what they start with."""
    model = MODELS[name]()
    rng = np.random.default_rng(len(name))
    for variable in model.variables:
        if (
            "int8" not in str(variable.dtype)
            and "seed" not in variable.path
            and variable.path.rsplit("/", 1)[-1] != "count"
        ):
            low = 0.5 if "variance" in variable.path else -1.0
            variable.assign(rng.uniform(low, 1.5, variable.shape))
    model.save(path)


def functional():
    inputs = keras.Input((4,), name="rows")
    x = L.Dense(5, name="first")(inputs)
    x = L.BatchNormalization(name="norm")(x)
    x = keras.ops.relu(x)
    x = L.Dense(4, "gelu", name="second")(x)
    x = keras.ops.gelu(x, approximate=True)
    x = keras.ops.leaky_relu(x, negative_slope=0.1)
    x = L.BatchNormalization(center=False)(x)
    x = keras.ops.sigmoid(x)
    return keras.Model(inputs, L.Dense(2, name="last")(x), name="chain")


def training_settings():
    layer = L.Dense(3, "tanh", kernel_constraint="non_neg", kernel_regularizer="l1", name="held")
    model = keras.Sequential([keras.Input((4,)), layer, L.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.zeros((8, 4)), np.zeros((8, 1)), verbose=0)
    return model


def plain_functional():
    inputs = keras.Input((4,), name="rows")
    x = L.BatchNormalization()(L.Dense(5, name="first")(inputs))
    return keras.Model(inputs, L.Dense(2, "sigmoid", name="last")(L.LeakyReLU()(x)), name="chain")


def chain_of(*steps, shape=(4,)):
    """Return a function that makes a functional model of new layers and functions."""

    def make():
        inputs = x = keras.Input(shape)
        for step in steps:
            made = step() if getattr(step, "__name__", "") == "make" else step
            x = made(x)
        return keras.Model(inputs, x)

    return make


def autoencoder():
    """Two functional models in a third, whose layers have the same names, one of them frozen."""
    inputs = keras.Input((4,), name="in")
    x = L.Dropout(0.1)(L.BatchNormalization(name="norm")(L.Dense(6, "relu", name="one")(inputs)))
    encoder = keras.Model(inputs, L.Dense(2, name="two")(x), name="encoder")
    codes = keras.Input((2,), name="in")
    x = L.BatchNormalization(name="norm", scale=False)(L.Dense(5, "tanh", name="one")(codes))
    decoder = keras.Model(codes, L.Dense(4, "sigmoid", name="two")(x), name="decoder")
    encoder.layers[1].trainable = False
    whole = keras.Input((4,), name="whole")
    return keras.Model(whole, decoder(encoder(whole)), name="autoencoder")


def frozen_autoencoder():
    model = autoencoder()
    model.get_layer("encoder").trainable = False
    return model


def deep():
    """A model in a model in a model, a layer before and after each."""
    model = keras.Sequential([keras.Input((4,)), L.Dense(4, "relu"), L.BatchNormalization()])
    for i in range(4):
        model = keras.Sequential([keras.Input((4,)), L.Dense(4), model, L.Dense(4, "tanh")], name=f"m{i}")
    return model


def two_ways():
    inputs = keras.Input((4,))
    return keras.Model(inputs, L.Add()([L.Dense(3, name="a")(inputs), L.Dense(3, name="b")(inputs)]))


def two_outputs():
    inputs = keras.Input((4,))
    return keras.Model(inputs, [L.Dense(3)(inputs), L.Dense(2)(inputs)])


def one_layer_twice():
    inputs, again = keras.Input((4,)), L.Dense(4, name="again")
    return keras.Model(inputs, again(again(inputs)))


def model_twice():
    inputs, again = keras.Input((4,)), keras.Sequential([keras.Input((4,)), L.Dense(4)], name="again")
    return keras.Model(inputs, again(again(inputs)))


def trained_at_all_times():
    inputs = keras.Input((4,))
    return keras.Model(inputs, L.BatchNormalization(name="norm")(L.Dense(3)(inputs), training=True))


def named_ends():
    inputs = keras.Input((4,), name="rows")
    return keras.Model({"rows": inputs}, {"out": L.Dense(3)(inputs)})


@keras.saving.register_keras_serializable("mine")
class Dense(L.Dense):
    """Somebody's own layer, of a name of Keras'."""

    def call(self, x, training=None):
        return -super().call(x)


class Sequential(keras.Sequential):
    """Somebody's own model, of a name of Keras'."""

    def call(self, x, training=None, mask=None):
        return -super().call(x)


def of(*layers, shape=(4,), name="all", **settings):
    """Return a function that makes a ``Sequential`` of new layers."""
    return lambda: keras.Sequential([keras.Input(shape, **settings), *(make() for make in layers)], name=name)


def quantised():
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, name="small")])
    model.quantize("int8")
    return model


def layer(kind, *arguments, **settings):
    def make():
        return kind(*arguments, **settings)

    return make


def dense(*arguments, **settings):
    return layer(L.Dense, *arguments, **settings)


STATISTICS = {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 4.0, 9.0, 16.0]}
ROWS = np.array([1.0, -2.0, 3.0, 0.5], "float32")
MODELS = {
    "nested": of(
        of(dense(3, "relu"), name="a"), of(dense(5), L.BatchNormalization, shape=(3,), name="b"), dense(1)
    ),
    "autoencoder": autoencoder,
    "frozen autoencoder": frozen_autoencoder,
    "deep": deep,
    "one layer twice": one_layer_twice,
    "scaled by functions": chain_of(
        lambda x: x / 255.0, lambda x: (x - ROWS) / np.abs(ROWS), lambda x: 1 - x, lambda x: 2.0 * -x + 1,
        dense(3, "relu"), lambda x: x @ np.ones((3, 3), "float32"), lambda x: keras.ops.subtract(2.0, x),
        keras.ops.sigmoid, dense(2),
    ),
    "limits": chain_of(
        dense(5), lambda x: keras.ops.clip(x, -0.5, 1.5), dense(5), lambda x: keras.ops.maximum(x, -0.25),
        dense(5), lambda x: keras.ops.minimum(0.5, x), dense(5), keras.ops.hard_tanh, dense(2),
    ),
    "composed": chain_of(
        dense(5, "celu"), dense(5), lambda x: keras.ops.celu(x, alpha=0.4), dense(5, "hard_tanh"),
        dense(5, "log_sigmoid"), layer(L.Activation, "hard_tanh"), dense(5, keras.activations.relu6),
        layer(L.Activation, "celu"), keras.ops.log_sigmoid,
        lambda x: keras.activations.relu(x, max_value=0.5),
        dense(3, "relu6"), lambda x: keras.ops.elu(x, alpha=0.7), lambda x: keras.ops.softmax(x, axis=1),
    ),
    "every rectifier": of(
        dense(5), layer(L.ReLU, 1.5, 0.1), dense(5), layer(L.ReLU, max_value=2.0), dense(5),
        layer(L.ReLU, None, 0.25, 0.0), dense(5), layer(L.LeakyReLU), dense(5), layer(L.ELU), dense(5),
        layer(L.LeakyReLU, negative_slope=0.05), dense(5), layer(L.ELU, alpha=2.0), dense(2),
    ),
    "rows": of(
        dense(5), layer(L.LayerNormalization, name="ln"), dense(4), layer(L.LayerNormalization, scale=False),
        dense(3), layer(L.LayerNormalization, epsilon=0.1, center=False, gamma_regularizer="l2"), dense(2),
    ),
    "scaled columns": of(
        layer(L.EinsumDense, "ab,b->ab", ROWS.size, name="scale"), dense(5),
        layer(L.EinsumDense, "ab,b->ab", 5, activation="relu", kernel_regularizer="l2"), dense(2),
    ),
    "many slopes": of(
        dense(5), layer(L.PReLU, "random_uniform", "l2", name="slopes"), dense(2), layer(L.PReLU, "ones")
    ),
    "slopes of pictures": of(
        layer(L.PReLU, "random_uniform"), layer(L.PReLU, "random_uniform", shared_axes=[1, 2]), L.Flatten,
        dense(2), shape=(3, 2, 2),
    ),
    "one slope": of(
        dense(5), layer(L.PReLU, shared_axes=[1]), dense(3), layer(L.PReLU, shared_axes=1), dense(2)
    ),
    "inverted": of(
        layer(L.Normalization, invert=True, **STATISTICS), dense(2)
    ),
    "scaled pictures of three": of(
        layer(L.Normalization, axis=-1, mean=[1.0, 2.0], variance=[4.0, 9.0]),
        layer(L.Rescaling, [0.5, 0.25], [1.0, -1.0]), L.Flatten, dense(2), shape=(3, 2, 2)
    ),
    "normalised pictures": of(
        L.BatchNormalization, layer(L.Activation, "relu"), layer(L.Dropout, 0.5), layer(L.Reshape, (6, 2)),
        layer(L.BatchNormalization, axis=1), layer(L.Normalization, axis=1),
        layer(L.Normalization, axis=None),
        layer(L.Reshape, (2, -1)), layer(L.Normalization, axis=[1, 2]), L.Flatten, dense(2), shape=(3, 2, 2),
    ),
    "pictures by functions": chain_of(
        lambda x: x / 255.0 - np.array([1.0, 2.0], "float32"), lambda x: keras.ops.reshape(x, (-1, 12)),
        dense(2), shape=(3, 2, 2),
    ),
    "channels first": of(
        layer(L.Flatten, data_format="channels_first", name="flat"), dense(2), shape=(3, 2, 2)
    ),
    "permuted": of(
        layer(L.Rescaling, 0.5), layer(L.Permute, (3, 1, 2)), layer(L.Reshape, (4, 3)),
        layer(L.Permute, (2, 1)),
        L.Flatten, dense(5, "relu"), layer(L.Reshape, (5, 1)), layer(L.Permute, (2, 1)), L.Flatten, dense(2),
        shape=(3, 2, 2),
    ),
    "cropped": of(
        layer(L.Cropping2D, ((1, 0), (0, 1))), L.BatchNormalization, layer(L.Reshape, (4, 1)),
        layer(L.Cropping1D, (1, 0)), L.Flatten, dense(2), shape=(3, 2, 2),
    ),
    "sliced": chain_of(
        lambda x: x[:, 1:, :, :1], L.Flatten(), dense(3), lambda x: x[:, ::-1], shape=(3, 2, 2)
    ),
    "axes by functions": chain_of(
        lambda x: keras.ops.expand_dims(x, -1), lambda x: keras.ops.expand_dims(x, 1),
        L.BatchNormalization(axis=2), lambda x: keras.ops.squeeze(x, axis=(1, 3)), dense(1),
        keras.ops.squeeze,
    ),
    "pictures out": of(
        L.Flatten, dense(3, "relu"), dense(6, "sigmoid"), layer(L.Reshape, (3, 2)), shape=(3, 2)
    ),
    "one row of columns": of(dense(3, "relu"), L.BatchNormalization, dense(2), L.Softmax, shape=(1, 4)),
    "logarithms": of(dense(5, "relu"), dense(3, "log_softmax")),
    "logarithms by a function": chain_of(dense(3), keras.ops.log_softmax),
    "every layer": of(
        L.Normalization, dense(6, "relu"), layer(L.BatchNormalization, scale=False), layer(L.Dropout, 0.3),
        dense(5, use_bias=False), L.BatchNormalization, layer(L.LeakyReLU, 0.2), dense(5), layer(L.ELU, 0.5),
        dense(5), L.ReLU, layer(L.ReLU, 6.0), layer(L.ReLU, 2.0), layer(L.ReLU, negative_slope=0.3),
        dense(4, "softplus"), layer(L.Rescaling, 0.5, 1.0), layer(L.Activation, "swish"), L.Flatten,
        layer(L.Reshape, (4,)), L.Identity, dense(3, "hard_sigmoid"), dense(3), L.Softmax,
    ),
    "normalised at the end": of(dense(3, "relu"), L.BatchNormalization),
    "statistics given": of(layer(L.Normalization, **STATISTICS), dense(2)),
    "plain functional": plain_functional,
    "functional": functional,
    "pictures": of(L.Flatten, dense(2), shape=(3, 2, 2)),
    "training settings": training_settings,
    "double": of(dense(3, "tanh", dtype="float64"), dtype="float64"),
    "half": of(dense(3, "tanh", dtype="float16")),
    "mixed": of(dense(3, "tanh", dtype="mixed_float16")),
    "noise": of(layer(L.GaussianNoise, 0.5, name="noise"), dense(3), layer(L.GaussianDropout, 0.5), dense(2)),
    "activation layers": of(
        dense(5, activation=L.LeakyReLU(0.1)), dense(5, activation=L.ReLU(6.0)),
        dense(3, activation=L.Softmax()),
    ),
    "scaled pictures": of(layer(L.Rescaling, 0.1, -1.0), L.Flatten, dense(2), shape=(3, 2, 2)),
    "statistics of all": of(
        layer(L.Normalization, axis=None, mean=0.5, variance=4.0), dense(3),
        layer(L.Normalization, axis=None),
        layer(L.Rescaling, np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.0, -0.5])), dense(2),
    ),
    "named ends": named_ends,
    "trained at all times": trained_at_all_times,
    "somebody's layer": of(layer(Dense, 3, name="own")),
    "somebody's model": lambda: Sequential([keras.Input((4,)), L.Dense(3)]),
    "int8": quantised,
    "two ways": two_ways,
    "two outputs": two_outputs,
    "a jump": of(dense(3), layer(L.ReLU, threshold=0.5, name="jump"), dense(2)),
    "logarithms in the middle": of(dense(3, "log_softmax"), dense(2, name="after")),
    "columns of pictures": of(dense(3, name="each"), L.Flatten, dense(2), shape=(3, 4)),
    "a quotient": chain_of(lambda x: 1.0 / x, dense(2)),
    "a model twice": model_twice,
    "in training": chain_of(lambda x: of(L.BatchNormalization)()(x, training=True), dense(2)),
    "lambda": of(layer(L.Lambda, lambda x: x + 1.0, name="code"), dense(1)),
    "convolution": of(layer(L.Conv1D, 2, 2), L.Flatten, dense(1), shape=(4, 1)),
    "group norm": of(layer(L.GroupNormalization, 2, name="gn"), dense(1)),
}  # fmt: skip


FUNCTIONS = {
    one.__name__: one for one in (predict, predict_all, save_again, save_weights, load_weights, build)
}


def main():
    for line in sys.stdin:
        function, *arguments = json.loads(line)
        try:
            FUNCTIONS[function](*arguments)
            answer = "done"
        except Exception as error:  # noqa: BLE001  (said in the other process)
            answer = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
