"""What a model says of itself: its summary in text and HTML, and its repr."""

import numpy as np
import pytest

import fastdense as fd


def text(model):
    lines = []
    model.summary(print_fn=lines.append)
    return "\n".join(lines)


MODEL = fd.Sequential(
    [
        fd.Input((64,)),
        fd.Normalization(),
        fd.Dense(25, "relu", kernel_regularizer="l2"),
        fd.Dropout(0.25),
        fd.Dense(10, use_bias=False, name="logits"),
        fd.layers.Softmax(),
    ],
    name="digits",
    seed=0,
)


def test_a_built_model():
    assert text(MODEL) == (
        'Model: "digits"\n'
        "Layer (type)                   Output shape  Detail                  Params\n"
        "───────────────────────────────────────────────────────────────────────────\n"
        "input                          (m, 64)                                    0\n"
        "normalization (Normalization)  (m, 64)       (x - mean) / deviation     129\n"
        "dense (Dense)                  (m, 25)       relu, kernel L2()        1,625\n"
        "dropout (Dropout)              (m, 25)       rate 0.25                    0\n"
        "logits (Dense)                 (m, 10)       linear, no bias            250\n"
        "softmax (Softmax)              (m, 10)       softmax                      0\n"
        "───────────────────────────────────────────────────────────────────────────\n"
        "Parameters: 2,004 (7.8 KB), trained: 1,875"
    )


def test_it_is_printed(capsys):
    MODEL.summary()
    assert capsys.readouterr().out == text(MODEL) + "\n"


def test_an_unbuilt_model():
    assert text(fd.Sequential([fd.Dense(3), fd.Dropout(0.5)])) == (
        'Model: "sequential"\n'
        "Layer (type)       Output shape  Detail    Params\n"
        "─────────────────────────────────────────────────\n"
        "dense (Dense)      (m, 3)        linear         ?\n"
        "dropout (Dropout)  (m, ?)        rate 0.5       ?\n"
        "─────────────────────────────────────────────────\n"
        "not built: give an Input, or call fit or predict, to fix the shapes"
    )


def test_an_empty_model():
    assert text(fd.Sequential()).endswith("Parameters: 0 (0 B), trained: 0")


def test_float64_takes_twice_the_bytes():
    model = fd.Sequential([fd.Input((1024,)), fd.Dense(1024, use_bias=False)], dtype="float64")
    assert text(model).endswith("Parameters: 1,048,576 (8.0 MB), trained: 1,048,576")


def test_html_has_the_same_cells():
    html = MODEL._repr_html_()
    assert html.startswith("<table><caption>digits</caption><thead><tr><th")
    for cell in ("logits (Dense)", "(m, 25)", "relu, kernel L2()", "1,625"):
        assert f">{cell}</td>" in html
    assert html.endswith("<p>Parameters: 2,004 (7.8 KB), trained: 1,875</p>")


def test_html_escapes_names():
    model = fd.Sequential([fd.Dense(1, name="<b>&x")], name="<script>")
    html = model._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;&amp;x (Dense)" in html


@pytest.mark.parametrize(
    ("thing", "shown"),
    [
        (fd.Input((3,)), "Input((3,))"),
        (fd.Dense(3), "Dense(units=3)"),
        (fd.Dense(3, activation=None, kernel_initializer="glorot_uniform"), "Dense(units=3)"),
        (fd.Dense(3, "relu", False, name="a"), "Dense(units=3, activation='relu', use_bias=False, name='a')"),
        (
            fd.Dense(3, kernel_initializer=fd.initializers.HeNormal(seed=1), kernel_regularizer="l2"),
            "Dense(units=3, kernel_initializer=HeNormal(seed=1), kernel_regularizer='l2')",
        ),
        (
            fd.Dense(1, fd.activations.ActivationFunction("elu", 0.5)),
            "Dense(units=1, activation=ActivationFunction(name='elu', alpha=0.5))",
        ),
        (fd.Activation("relu"), "Activation(activation='relu')"),
        (fd.layers.LeakyReLU(), "LeakyReLU()"),
        (fd.layers.ELU(2), "ELU(alpha=2.0)"),
        (fd.Dropout(0.5), "Dropout(rate=0.5)"),
        (fd.Normalization(mean=np.zeros(2), variance=1), "Normalization(mean=[0.0, 0.0], variance=1.0)"),
        (fd.activations.relu, "ActivationFunction(name='relu')"),
        (fd.regularizers.L1L2(l2=0.5), "L1L2(l2=0.5)"),
        (fd.initializers.RandomNormal(1.0), "RandomNormal(mean=1.0)"),
        (fd.optimizers.Adam(), "Adam()"),
        (fd.optimizers.SGD(0.1, nesterov=True), "SGD(learning_rate=0.1, nesterov=True)"),
        (
            fd.optimizers.SGD(fd.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)),
            "SGD(learning_rate=ExponentialDecay(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5))",
        ),
        (fd.losses.BinaryCrossentropy(from_logits=True), "BinaryCrossentropy(from_logits=True)"),
        (fd.Sequential(name="a", seed=1), "Sequential([], name='a', seed=1)"),
        (
            fd.Sequential([fd.Input((2,)), fd.Dense(1, name="d")], seed=1, dtype="float64"),
            "Sequential([Input((2,)), Dense(units=1, name='d')], name='sequential', seed=1, dtype='float64')",
        ),
    ],
)
def test_repr_is_the_call_that_makes_it(thing, shown):
    assert repr(thing) == shown
