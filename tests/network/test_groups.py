"""Softmax by groups: a classifier with several answers, from its description to its training."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.activations import ActivationFunction
from fastdense.core.spec import (
    ActivationSpec,
    CategoricalCrossentropySpec,
    DenseSpec,
    NetworkSpec,
    SparseCategoricalCrossentropySpec,
    loss_reads_logits,
)
from fastdense.engines import available
from fastdense.errors import ShapeError
from fastdense.losses import CategoricalCrossentropy
from tests.compare import assert_identical, assert_within

GROUPS = (3, 2)
RNG = np.random.default_rng(8)
X = RNG.normal(size=(60, 4)).astype(np.float32)
FIRST, SECOND = X[:, :3].argmax(axis=1), (X[:, 3] > 0).astype(int)
Y = np.hstack([np.eye(3)[FIRST], np.eye(2)[SECOND]])


def grouped():
    return ActivationFunction("softmax", groups=GROUPS)


def classifier(last=None, **options):
    last = last or [fd.Dense(5, grouped())]
    return fd.Sequential([fd.Input((4,)), fd.Dense(8, "tanh"), *last], seed=2, **options)


def by_slices(softmax, z):
    return np.hstack([softmax(z[:, :3]), softmax(z[:, 3:])])


def test_an_activation_with_groups_shows_and_describes_them():
    activation = ActivationFunction("softmax", groups=[3, np.int64(2)])
    assert repr(activation) == "ActivationFunction(name='softmax', groups=(3, 2))"
    assert activation.shorthand() is None
    assert activation.spec == ActivationSpec("softmax", groups=(3, 2))
    again = fd.activations.get(activation.describe())
    assert (repr(again), again.spec) == (repr(activation), activation.spec)
    assert "activation=ActivationFunction(name='softmax', groups=(3, 2))" in repr(fd.Dense(5, activation))
    older = {"class_name": "ActivationFunction", "config": {"name": "softmax", "alpha": None}}
    assert fd.activations.get(older).describe() == fd.activations.softmax.describe() == older
    assert fd.activations.softmax.shorthand() == "softmax"


def test_a_loss_with_groups_shows_and_describes_them():
    loss = CategoricalCrossentropy(groups=[3, 2])
    assert repr(loss) == "CategoricalCrossentropy(groups=(3, 2))"
    assert fd.losses.get(loss.describe()).spec() == CategoricalCrossentropySpec(groups=(3, 2))
    assert "groups" not in CategoricalCrossentropy().describe()["config"]


@pytest.mark.parametrize(
    "make",
    [
        lambda g: ActivationFunction("softmax", groups=g),
        lambda g: CategoricalCrossentropy(groups=g),
        lambda g: fd.metrics.CategoricalAccuracy(groups=g),
    ],
)
@pytest.mark.parametrize(
    ("groups", "kind", "message"),
    [
        ((3, 0), ValueError, r"groups\[1\] must be at least 1, got 0"),
        ((-1, 6), ValueError, r"groups\[0\] must be at least 1, got -1"),
        ((2.5, 2.5), TypeError, r"groups\[0\] must be a whole number, got 2.5"),
        ((True, 2), TypeError, r"groups\[0\] must be a whole number, got True"),
        (5, TypeError, "groups must be a tuple of whole numbers, got 5"),
        ("32", TypeError, "groups must be a tuple of whole numbers, got '32'"),
        (None, TypeError, "groups must be a tuple of whole numbers, got None"),
    ],
)
def test_groups_are_tuples_of_whole_numbers(make, groups, kind, message):
    with pytest.raises(kind, match=message):
        make(groups)


def test_other_activations_have_no_groups():
    with pytest.raises(ValueError, match="the activation 'relu' has no groups"):
        ActivationFunction("relu", groups=(2, 3))


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [fd.Dense(6, grouped(), name="wide")],
        lambda: [fd.Dense(6), fd.Activation(grouped(), name="wide")],
        lambda: [fd.Dense(6, "relu"), fd.Activation(grouped(), name="wide")],
    ],
)
def test_a_layer_has_as_many_columns_as_its_groups(layers):
    message = r"groups \(3, 2\) have 5 columns in all, but layer 'wide' has 6"
    with pytest.raises(ShapeError, match=message):
        classifier(layers())
    late = fd.Sequential(layers())
    with pytest.raises(ShapeError, match=message):
        late.predict(X)


@pytest.mark.parametrize("engine", available())
def test_groups_put_into_a_built_layer_are_checked_too(engine):
    model = classifier(engine=engine)
    model.layers[-1].activation = ActivationFunction("softmax", groups=(3, 300))
    with pytest.raises(ValueError, match=r"groups of \(3, 300\) columns, 303 in all, but gets 5"):
        model.predict(X)


def test_a_loss_has_as_many_columns_as_the_network():
    model = classifier()
    model.compile(loss=CategoricalCrossentropy(groups=(3, 3)))
    for use in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(ShapeError, match=r"\(3, 3\) columns, 6 in all, but the network has 5 outputs"):
            use(X, Y)
    with pytest.raises(ShapeError, match="6 in all"):
        model.loss(Y, model.predict(X))


@pytest.mark.parametrize("engine", available())
def test_each_group_is_a_softmax_of_its_own(engine):
    model = classifier(engine=engine)
    linear = classifier([fd.Dense(5)], engine=engine)
    linear.set_weights(model.get_weights())
    found = model.predict(X)
    assert_within(found[:, :3].sum(axis=1), np.ones(60), 1e-6)
    assert_within(found, by_slices(fd.activations.softmax, linear.predict(X)), 1e-6)
    assert_identical(model.freeze().predict(X), found)
    apart = classifier([fd.Dense(5), fd.Activation(grouped())], engine=engine)
    apart.set_weights(model.get_weights())
    assert_identical(apart.predict(X), found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_take_groups(dtype):
    z = (10 * RNG.normal(size=(7, 5))).astype(dtype)
    found = grouped()(z)
    assert found.dtype == dtype
    assert_identical(found, by_slices(fd.activations.softmax, z))
    assert_identical(grouped()(z[0]), found[0])
    assert_identical(grouped()(z.reshape(7, 1, 5)), found.reshape(7, 1, 5))
    W = np.eye(5, dtype=dtype)
    out = np.full_like(z, np.nan)
    assert fd.dense(z, W, activation=grouped(), out=out) is out
    assert_identical(out, found)
    assert_identical(fd.dense(z, W, activation=grouped()), found)
    with pytest.raises(ShapeError, match="have 5 columns in all, but the array has 4"):
        grouped()(z[:, :4])
    with pytest.raises(ShapeError, match="have 5 columns in all, but W has 4"):
        fd.dense(z, W[:, :4], activation=grouped())


def network(groups, name="softmax"):
    return NetworkSpec(4, (DenseSpec(4, 5, ActivationSpec(name, groups=groups)),))


@pytest.mark.parametrize(
    ("activation", "loss", "fused"),
    [
        ((3, 2), CategoricalCrossentropySpec(groups=(3, 2)), True),
        ((), CategoricalCrossentropySpec(), True),
        ((5,), CategoricalCrossentropySpec(), True),
        ((3, 2), CategoricalCrossentropySpec(groups=(2, 3)), False),
        ((3, 2), CategoricalCrossentropySpec(), False),
        ((), CategoricalCrossentropySpec(groups=(3, 2)), False),
        ((), SparseCategoricalCrossentropySpec(), True),
        ((3, 2), SparseCategoricalCrossentropySpec(), False),
        ((3, 2), CategoricalCrossentropySpec(from_logits=True, groups=(3, 2)), False),
    ],
)
def test_a_loss_reads_the_logits_of_a_softmax_of_the_same_groups(activation, loss, fused):
    assert loss_reads_logits(network(activation), loss) is fused


@pytest.mark.parametrize("engine", ["native", "array"])
def test_both_answers_are_learned(engine):
    model = classifier(engine=engine)
    model.compile(fd.optimizers.Adam(0.05), CategoricalCrossentropy(groups=GROUPS), metrics=["accuracy"])
    history = model.fit(X, Y, epochs=60, verbose=0).history
    outputs = model.predict(X)
    right = (outputs[:, :3].argmax(axis=1) == FIRST).mean(), (outputs[:, 3:].argmax(axis=1) == SECOND).mean()
    assert min(right) > 0.9
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    assert_within(accuracy, np.mean(right), 1e-12)
    assert loss < history["loss"][0] / 4
    one, other = CategoricalCrossentropy(), CategoricalCrossentropy(groups=GROUPS)
    apart = one(Y[:, :3], outputs[:, :3]) + one(Y[:, 3:], outputs[:, 3:])
    assert_within(other(Y, outputs), apart, 1e-12)
    assert_within(loss, apart, 1e-5)


def test_the_accuracy_of_groups_has_as_many_columns_as_there_are_outputs():
    with pytest.raises(
        ShapeError, match=r"categorical_accuracy has groups of \(3, 3\) columns, but .* 5 out"
    ):
        fd.metrics.CategoricalAccuracy(groups=(3, 3))(Y, Y)


def test_a_row_of_several_classes_has_no_class_weight():
    model = classifier()
    model.compile(loss=CategoricalCrossentropy(groups=GROUPS))
    for use in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match="they have 2, one a group: weigh rows by sample_weight"):
            use(X, Y, class_weight={0: 2.0})


def test_a_summary_shows_groups():
    shown = []
    classifier([fd.Dense(5), fd.Activation(grouped()), fd.Dense(5, grouped())]).summary(shown.append)
    assert "\n".join(shown).count("softmax of 3 + 2") == 2
