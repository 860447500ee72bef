"""Rows that count for more or less than others, and rows that are held out."""

import numpy as np

from tests.compare import assert_within
from tests.training.networks import binary, classes, classifier, cross_entropy, same_weights, sgd, softmax

X, y = binary()


def test_train_on_batch_weighs_rows():
    weighted, plain = sgd(), sgd()
    twice = np.where(y == 1, 2.0, 1.0)
    loss = weighted.train_on_batch(X, y, class_weight={1: 2.0})
    assert loss == plain.train_on_batch(X, y, sample_weight=twice)
    assert same_weights(weighted, plain)


def test_a_weight_of_two_is_the_row_twice():
    """With as many rows, as the mean is over rows: rows of weight 0 make up the number."""
    weighted, repeated = sgd(), sgd()
    zeroed = np.r_[np.full(20, 2.0), np.zeros(20)]
    weighted.fit(X, y, sample_weight=zeroed, batch_size=40, shuffle=False, verbose=0)
    repeated.fit(np.r_[X[:20], X[:20]], np.r_[y[:20], y[:20]], batch_size=40, shuffle=False, verbose=0)
    for found, wanted in zip(weighted.get_weights(), repeated.get_weights(), strict=True):
        assert_within(found, wanted, 1e-6)


def test_class_weights_are_sample_weights():
    by_class, by_row = softmax(), softmax()
    X, y = classes()
    by_class.fit(X, y, class_weight={0: 0.5, 2: 3.0}, epochs=2, verbose=0)
    by_row.fit(X, y, sample_weight=np.array([0.5, 1.0, 3.0])[y], epochs=2, verbose=0)
    assert same_weights(by_class, by_row)


def test_class_weights_of_one_hot_rows():
    by_class, by_row = softmax("categorical_crossentropy"), softmax("categorical_crossentropy")
    X, y = classes()
    by_class.fit(X, np.eye(3)[y], class_weight={0: 0.5, 2: 3.0}, verbose=0)
    by_row.fit(X, np.eye(3)[y], sample_weight=np.array([0.5, 1.0, 3.0])[y], verbose=0)
    assert same_weights(by_class, by_row)


def test_class_and_sample_weights_multiply():
    both, product = classifier(), classifier()
    own = np.linspace(0.5, 2.0, 40)
    both.fit(X, y, sample_weight=own, class_weight={0: 1.0, 1: 4.0}, verbose=0)
    product.fit(X, y, sample_weight=own.astype(np.float32) * np.where(y == 1, 4.0, 1.0), verbose=0)
    assert same_weights(both, product)


def test_evaluate_weighs_the_loss():
    model, own = classifier(), np.linspace(0.0, 3.0, 40)
    assert_within(model.evaluate(X, y, sample_weight=own, verbose=0), cross_entropy(model, X, y, own), 1e-5)


def test_weights_of_one_change_nothing():
    weighted, plain = classifier(), classifier()
    weighted.fit(X, y, sample_weight=np.ones((40, 1)), class_weight={0: 1.0}, verbose=0)
    plain.fit(X, y, verbose=0)
    assert same_weights(weighted, plain)


def test_validation_split_takes_the_end_before_shuffling():
    split, given = classifier(metrics=["mae"]), classifier(metrics=["mae"])
    by_split = split.fit(X, y, validation_split=0.25, epochs=3, verbose=0).history
    by_hand = given.fit(X[:30], y[:30], validation_data=(X[30:], y[30:]), epochs=3, verbose=0).history
    assert by_split == by_hand
    assert same_weights(split, given)


def test_validation_is_measured_after_the_epoch():
    model = classifier()
    history = model.fit(X[:30], y[:30], validation_data=(X[30:], y[30:]), epochs=3, verbose=0).history
    assert history["val_loss"][-1] == model.evaluate(X[30:], y[30:], verbose=0)


def test_validation_weights():
    model, own = classifier(), np.linspace(0.0, 3.0, 10)
    history = model.fit(X[:30], y[:30], validation_data=(X[30:], y[30:], own), verbose=0).history
    assert history["val_loss"][0] == model.evaluate(X[30:], y[30:], sample_weight=own, verbose=0)


def test_a_split_takes_its_rows_weights_with_it():
    model, own = classifier(), np.linspace(0.0, 3.0, 40)
    history = model.fit(X, y, validation_split=0.25, sample_weight=own, verbose=0).history
    assert history["val_loss"][0] == model.evaluate(X[30:], y[30:], sample_weight=own[30:], verbose=0)


def test_class_weights_are_for_training_only():
    model = classifier()
    history = model.fit(X, y, validation_split=0.25, class_weight={0: 9.0, 1: 5.0}, verbose=0).history
    assert history["val_loss"][0] == model.evaluate(X[30:], y[30:], verbose=0)


def test_validation_data_come_before_a_split():
    split, given = classifier(), classifier()
    split.fit(X, y, validation_split=0.5, validation_data=(X, y), verbose=0)
    given.fit(X, y, verbose=0)
    assert same_weights(split, given)
