"""Keras' arguments that change no number are taken; those that would are refused with what to do instead."""

import numpy as np
import pytest

import fastdense as fd
from tests.training.networks import binary, classifier, same_weights

X, y = binary()
HARMLESS = {
    "compile": {
        "loss_weights": [None, 1, [1.0]],
        "run_eagerly": [True, False, None],
        "steps_per_execution": [1, 32],
        "jit_compile": [True, False, "auto"],
        "auto_scale_loss": [False],
    },
    "fit": {
        "steps_per_epoch": [None],
        "validation_steps": [None],
        "validation_batch_size": [None, 7],
        "validation_freq": [1],
    },
    "evaluate": {"steps": [None], "callbacks": [None, []]},
    "predict": {"steps": [None], "callbacks": [None]},
}
REFUSED = [
    ("compile", {"loss_weights": 2.0}, "multiply sample_weight"),
    ("fit", {"steps_per_epoch": 3}, "goes through all rows once"),
    ("fit", {"validation_steps": 3}, "goes through all rows once"),
    ("fit", {"validation_freq": 2}, "every epoch is validated"),
    ("evaluate", {"steps": 1}, "goes through all rows once"),
    ("predict", {"callbacks": [print]}, "no hooks"),
]


def call(model, method, **arguments):
    """Call a method with what it needs and other arguments."""
    own = {"compile": {"loss": "mse"}, "fit": {"x": X, "y": y, "verbose": 0, "validation_split": 0.2}}
    own |= {"evaluate": {"x": X, "y": y, "verbose": 0}, "predict": {"x": X}}
    return getattr(model, method)(**own[method], **arguments)


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [
        (method, name, value)
        for method in HARMLESS
        for name in HARMLESS[method]
        for value in HARMLESS[method][name]
    ],
)
def test_what_changes_no_number_is_taken(method, name, value):
    plain, given = classifier(), classifier()
    call(plain, method)
    call(given, method, **{name: value})
    for model in (plain, given):
        model.fit(X, y, epochs=2, verbose=0)
    assert same_weights(plain, given)


@pytest.mark.parametrize(("method", "arguments", "why"), REFUSED)
def test_what_would_change_numbers_is_refused(method, arguments, why):
    model = classifier()
    before = model.get_weights()
    with pytest.raises(NotImplementedError, match=why):
        call(model, method, **arguments)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize("method", [*HARMLESS])
def test_unknown_arguments(method):
    with pytest.raises(TypeError, match="unexpected argument 'workers'"):
        call(classifier(), method, workers=1)


def test_counts_are_whole_numbers():
    with pytest.raises(TypeError, match="validation_batch_size"):
        call(classifier(), "fit", validation_batch_size=1.5)


def test_a_model_is_called_as_in_prediction():
    model = classifier(dropout=0.5)
    expected = model.predict(X)
    assert np.array_equal(model(X, training=False), expected)
    assert np.array_equal(model(X, False), expected)
    with pytest.raises(NotImplementedError, match="without dropout"):
        model(X, training=True)
    with pytest.raises(TypeError, match="'mode'"):
        model(X, mode=1)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_generators_say_what_to_do(method):
    with pytest.raises(TypeError, match="x of type generator: give it arrays X and y"):
        getattr(classifier(), method)((X, y) for _ in range(3))


def test_a_generator_with_steps_is_called_a_generator():
    with pytest.raises(TypeError, match="x of type generator"):
        classifier().fit(((X, y) for _ in range(3)), steps_per_epoch=3)


def test_a_summary_is_printed_as_keras_asks(capsys):
    model, lines = classifier(), []
    model.summary(line_length=80, expand_nested=True, show_trainable=False, print_fn=None)
    model.summary(print_fn=lines.append)
    assert capsys.readouterr().out == "\n".join(lines) + "\n"
    with pytest.raises(NotImplementedError, match="every layer is shown"):
        model.summary(layer_range=["a", "b"])


def test_an_input_takes_a_batch_size_and_a_dtype():
    model = fd.Sequential([fd.Input(shape=(3,), batch_size=8, dtype="float32"), fd.Dense(2)])
    assert model.predict(X).shape == (len(X), 2)
    with pytest.raises(ValueError, match="dtype"):
        fd.Input((3,), dtype="int32")
    with pytest.raises(ValueError, match="batch_size"):
        fd.Input((3,), batch_size=0)


@pytest.mark.parametrize("name", ["metrics", "weighted_metrics"])
def test_metrics_of_the_only_output(name):
    model = classifier()
    model.compile(loss="mse", **{name: [["mae", "accuracy"]]})
    assert model.metrics_names == ["loss", "mae", "accuracy"]
    with pytest.raises(TypeError, match="metric: give a name"):
        model.compile(loss="mse", **{name: [["mae"], ["mse"]]})
