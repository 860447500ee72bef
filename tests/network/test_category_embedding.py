"""The layer of category numbers: its numbers, its weights, what counts as no category, and its files."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd
from fastdense import engines
from fastdense.errors import FormatError, NotBuiltError, ShapeError
from fastdense.layers import CategoryEmbedding
from tests.category_layers import NO_CATEGORIES
from tests.compare import assert_identical, assert_within

ENGINES = ["native", "array", "reference"]
EMBEDDINGS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]


def network(engine="native", dtype="float32", sizes=(2, 3), passed=1):
    model = fd.Sequential(
        [fd.Input((passed + len(sizes),)), CategoryEmbedding(sizes, 2)], engine=engine, dtype=dtype, seed=0
    )
    model.set_weights([EMBEDDINGS[: sum(sizes)]])
    return model


@pytest.mark.parametrize("engine", ENGINES)
def test_what_passes_comes_first_and_then_the_rows_of_the_categories(engine):
    X = np.array([[0.5, 1.0, 2.0], [-7.0, 0.0, 1.0]])
    found = network(engine).predict(X)
    assert_within(found, [[0.5, 3.0, 4.0, 9.0, 10.0], [-7.0, 1.0, 2.0, 7.0, 8.0]], 0.0)
    assert_within(network(engine, passed=0).predict(X[:, 1:]), found[:, 1:], 0.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_no_category_is_category_0(engine, dtype):
    next_to_one = np.nextafter(np.ones(2, dtype), np.array([0, 2], dtype))
    odd = np.array([*NO_CATEGORIES, 3.0, -0.0, *next_to_one], dtype)
    found = network(engine, dtype).predict(np.column_stack([np.zeros_like(odd), odd, odd]))
    assert_within(found, np.tile([0.0, 1.0, 2.0, 5.0, 6.0], (len(odd), 1)).astype(dtype), 0.0)


def test_nan_passes_where_it_is_no_category_number():
    assert np.isnan(network().predict(np.array([[np.nan, 1.0, 2.0]]))).tolist() == [[True, *[False] * 4]]


@pytest.mark.parametrize("engine", ENGINES)
def test_one_step_by_hand(engine):
    """The loss of mean squares, a rate of 1: a number moves by ``-2 / 5 * (a - y)`` for each of its rows."""
    model = network(engine)
    model.compile(fd.optimizers.SGD(1.0), "mse")
    X = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, np.float32(1e30)]])
    y = model.predict(X) - np.array([[0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0, 5.0]])
    model.fit(X, y, batch_size=2, epochs=1, verbose=0)
    moved = model.layers[0].embeddings - np.array(EMBEDDINGS)
    mean = -2 / 5 / 2  # of two rows
    assert_within(moved, np.float32([[0, 0], [3, 0], [0, 5], [0, 0], [0, 0]]) * np.float32(mean), 1e-6)


def trained(threads, optimizer):
    """Return the weights after some steps, of a network whose tables are many parts of work."""
    rng = np.random.default_rng(0)
    sizes, rows = (300, 5000, 2), 512
    X = np.column_stack([rng.normal(size=rows), *(rng.integers(-1, size, rows) for size in sizes)])
    layers = [CategoryEmbedding(sizes, 8), fd.Dense(64, "tanh"), fd.Dense(1)]
    model = fd.Sequential([fd.Input((4,)), *layers], seed=0)
    model.compile(optimizer, "mse")
    with engines.at_most(threads):
        model.fit(X, rng.normal(size=(rows, 1)), batch_size=256, epochs=3, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize("more", [{}, {"clipnorm": 0.01}])
def test_any_number_of_threads_gives_the_same_bits(more):
    one, *others = (trained(threads, fd.optimizers.Adam(0.01, **more)) for threads in (1, 2, 5))
    for weights in others:
        for found, wanted in zip(weights, one, strict=True):
            assert_identical(found, wanted)


@pytest.mark.parametrize("engine", ["array", "native"])
def test_a_category_that_no_row_has_moves_on_with_its_running_means(engine):
    model = network(engine)
    model.compile(fd.optimizers.SGD(0.1, momentum=0.5), "mse")
    for category in (1, 0, 0):
        before = model.layers[0].embeddings[1]
        model.train_on_batch([[0.0, category, 0.0]], [[0.0] * 5])
        moved = model.layers[0].embeddings[1] - before
        if category == 1:
            last = moved
        else:
            last = last * 0.5
            assert_within(moved, last, 1e-6)
    assert np.abs(last).min() > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_category_number_has_the_gradient_0(engine):
    """So what comes before the layer learns from what passes alone."""
    dense = fd.Dense(2)
    model = fd.Sequential([fd.Input((3,)), dense, CategoryEmbedding((4,), 3)], engine=engine, seed=0)
    model.compile(fd.optimizers.SGD(0.1), "mse")
    before = dense.kernel
    model.fit(np.ones((4, 3)), np.ones((4, 4)), epochs=1, verbose=0)
    assert (dense.kernel != before).all(axis=0).tolist() == [True, False]


def test_a_model_without_an_input_finds_its_shapes_from_the_rows():
    model = fd.Sequential([CategoryEmbedding((2, 3), 4), fd.Dense(1)], seed=0)
    assert model.predict(np.ones((2, 5))).shape == (2, 1)
    assert [array.shape for array in model.weights] == [(5, 4), (11, 1), (1,)]
    assert model.layers[0](np.ones((2, 5))).shape == (2, 11)


def test_rows_of_another_width_are_the_models_mistake():
    model = fd.Sequential([fd.Input((3,)), CategoryEmbedding((2, 3), 4), fd.Dense(1)], name="prices")
    with pytest.raises(ShapeError, match="model 'prices'"):
        model.predict(np.ones((2, 9)))


def test_the_first_numbers_are_normal():
    layer = CategoryEmbedding((3000,), input_shape=(1,))
    with pytest.raises(NotBuiltError, match="no embeddings yet"):
        _ = layer.embeddings
    fd.Sequential([layer], seed=0)
    assert layer.embeddings.shape == (3000, 8)
    assert abs(layer.embeddings.mean()) < 0.03
    assert abs(layer.embeddings.std() - 1) < 0.03


def test_the_summary_counts_the_categories(capsys):
    fd.Sequential([fd.Input((3,)), CategoryEmbedding((2000, 3), 4)], seed=0).summary()
    assert "2,003 categories of 2 columns, 4 numbers each" in capsys.readouterr().out


def test_files_bring_it_back(tmp_path):
    model = network()
    model.save(tmp_path / "m.safetensors")
    back = fd.load(tmp_path / "m.safetensors")
    assert repr(back.layers[0]) == repr(model.layers[0])
    assert_identical(back.layers[0].embeddings, model.layers[0].embeddings)


def test_keras_has_no_such_layer(tmp_path):
    with pytest.raises(FormatError, match="layer 'category_embedding': Keras has no CategoryEmbedding"):
        network().save(tmp_path / "m.keras")
    assert not list(tmp_path.iterdir())


def test_an_explanation_shows_the_rows_and_their_gradient():
    model = network()
    model.compile("sgd", "mse")
    text = str(model.explain([0.5, 1.0, np.nan], np.zeros(5)))
    assert "category embedding 'category_embedding', 3 to 5" in text
    assert "A1 = concat(A0[:, :1], rows(embeddings1, A0[:, 1:]))" in text
    assert "embeddings1 (5, 2)" in text
    assert "dembeddings1 (5, 2)" in text
    assert "A1 = rows(embeddings1, A0[:, 0:])" in str(network(passed=0).explain([1.0, 2.0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": 3}, "sizes must be the number of categories of each column, got 3"),
        ({"sizes": ()}, r"sizes must be the number of categories of each column, got \(\)"),
        ({"sizes": (3, 0)}, r"sizes\[1\] must be from 1 to 16777216, got 0"),
        ({"sizes": (2**24 + 1,)}, r"sizes\[0\] must be from 1 to 16777216"),
        ({"sizes": (2.5,)}, r"sizes\[0\] must be a whole number, got 2.5"),
        ({"sizes": (3,), "width": 0}, "width must be at least 1, got 0"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        CategoryEmbedding(**arguments)


def test_an_input_that_is_too_narrow_is_refused():
    with pytest.raises(
        ShapeError, match=r"takes category numbers from the last 2 columns, but its input has 1"
    ):
        fd.Sequential([fd.Input((1,)), CategoryEmbedding((2, 3))])
