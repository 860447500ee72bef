"""Every public argument that is a number: what it takes, and an error that names it for what it does not."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import fastdense as fd
from fastdense import callbacks, initializers, layers, losses, metrics, optimizers, regularizers
from fastdense.network.stack import Stack
from fastdense.optimizers import schedules
from tests.training.networks import binary, classifier

X, y = binary(8)


def fit(**arguments):
    return classifier().fit(X, y, verbose=0, **arguments)


# Each call by its argument's name in messages; " of ..." tells apart those of one name.
WHOLE = {
    "units": layers.Dense,
    "width of an input shape": lambda n: fd.Input((n,)),
    "input shape of a layer": lambda n: layers.Dense(1, input_shape=(n,)),
    "n_in": lambda n: Stack([layers.Dense(1)]).build((None, n)),
    "seed": lambda n: fd.Sequential(seed=n),
    "seed of an initializer": lambda n: initializers.GlorotUniform(seed=n),
    "seed of all": fd.utils.set_random_seed,
    "epochs": lambda n: fit(epochs=n),
    "batch_size": lambda n: fit(batch_size=n),
    "initial_epoch": lambda n: fit(epochs=3, initial_epoch=n),
    "groups": lambda n: losses.CategoricalCrossentropy(groups=(n,)),
    "groups of a softmax": lambda n: fd.activations.ActivationFunction("softmax", groups=(n,)),
    "class_id": lambda n: metrics.Precision(class_id=n),
    "k": lambda n: metrics.TopKCategoricalAccuracy(k=n),
    "patience": lambda n: callbacks.EarlyStopping(patience=n),
    "patience of a plateau": lambda n: callbacks.ReduceLROnPlateau(patience=n),
    "cooldown": lambda n: callbacks.ReduceLROnPlateau(cooldown=n),
    "start_from_epoch": lambda n: callbacks.EarlyStopping(start_from_epoch=n),
    "decay_steps": lambda n: schedules.ExponentialDecay(0.1, n, 0.5),
    "warmup_steps": lambda n: schedules.CosineDecay(0.1, 10, warmup_steps=n),
    "a boundary": lambda n: schedules.PiecewiseConstantDecay([n], [0.1, 0.2]),
    "num_classes": lambda n: fd.utils.to_categorical([0, 1], n),
}
REAL = {
    "rate": layers.Dropout,
    "negative_slope": layers.LeakyReLU,
    "alpha": layers.ELU,
    "alpha of elu": lambda x: fd.activations.ActivationFunction("elu", x),
    "alpha of celu": lambda x: fd.activations.ActivationFunction("celu", x),
    "value": initializers.Constant,
    "mean": lambda x: initializers.RandomNormal(mean=x),
    "stddev": lambda x: initializers.TruncatedNormal(stddev=x),
    "minval": lambda x: initializers.RandomUniform(minval=x, maxval=9.0),
    "maxval": lambda x: initializers.RandomUniform(maxval=x),
    "scale": lambda x: initializers.VarianceScaling(scale=x),
    "l1": regularizers.L1,
    "l2": lambda x: regularizers.L1L2(l2=x),
    "learning_rate": optimizers.SGD,
    "momentum": lambda x: optimizers.SGD(momentum=x),
    "rho": lambda x: optimizers.RMSprop(rho=x),
    "epsilon": lambda x: optimizers.Adam(epsilon=x),
    "beta_1": lambda x: optimizers.Adam(beta_1=x),
    "weight_decay": lambda x: optimizers.AdamW(weight_decay=x),
    "clipnorm": lambda x: optimizers.SGD(clipnorm=x),
    "initial_accumulator_value": lambda x: optimizers.Adagrad(initial_accumulator_value=x),
    "initial_learning_rate": lambda x: schedules.CosineDecay(x, 10),
    "decay_rate": lambda x: schedules.ExponentialDecay(0.1, 10, x),
    "power": lambda x: schedules.PolynomialDecay(0.1, 10, power=x),
    "a value": lambda x: schedules.PiecewiseConstantDecay([3], [0.1, x]),
    "label_smoothing": lambda x: losses.BinaryCrossentropy(label_smoothing=x),
    "delta": losses.Huber,
    "quantile": losses.Quantile,
    "threshold": lambda x: metrics.BinaryAccuracy(threshold=x),
    "thresholds": metrics.Recall,
    "beta": lambda x: metrics.FBetaScore(beta=x),
    "min_delta": lambda x: callbacks.EarlyStopping(min_delta=x),
    "baseline": lambda x: callbacks.EarlyStopping(baseline=x),
    "factor": lambda x: callbacks.ReduceLROnPlateau(factor=x),
    "min_lr": lambda x: callbacks.ReduceLROnPlateau(min_lr=x),
    "validation_split": lambda x: fit(validation_split=x),
    "class_weight": lambda x: fit(class_weight={0: x}),
}
NOT_WHOLE = [True, np.True_, 2.5, 2.0, "3", Fraction(3), Decimal(3), 1j, [3], np.array([3])]
NOT_REAL = [True, np.True_, "0.5", 1j, np.complex64(0.5), [0.5], np.array([0.5])]
TOO_LARGE = [10**400, 10**5000, -(10**400)]


def message(make, value, error):
    with pytest.raises(error) as caught:
        make(value)
    return str(caught.value)


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(name):
    """Those of NumPy are taken; one too large is refused at once, by a short message that names it."""
    for number in (3, np.int64(3), np.uint8(3), np.array(3)):
        WHOLE[name](number)
    for value in NOT_WHOLE:
        assert "must be a whole number" in message(WHOLE[name], value, TypeError)
    for value in (*TOO_LARGE, 2**64, -1):
        text = message(WHOLE[name], value, ValueError)
        assert name.split(" of ")[0] in text
        assert len(text) < 200


@pytest.mark.parametrize("name", REAL)
def test_real_numbers(name):
    """Fractions and decimals are numbers too; what no float holds is refused, not taken as infinite."""
    for number in (0.5, Fraction(1, 2), Decimal("0.5"), np.float16(0.5), np.float32(0.5), np.array(0.5)):
        REAL[name](number)
    for value in NOT_REAL:
        text = message(REAL[name], value, (TypeError, ValueError))
        assert name.split(" of ")[0] in text
    for value in (*TOO_LARGE, float("nan"), float("inf"), Decimal("sNaN"), Decimal("1e999")):
        text = message(REAL[name], value, ValueError)
        assert name.split(" of ")[0] in text
        assert "must be finite" in text
        assert len(text) < 200


def test_weights_beyond_any_memory():
    with pytest.raises(fd.errors.ShapeError, match=r"its kernel of shape \(3, 46\d+\) is larger"):
        fd.Sequential([fd.Input((3,)), fd.Dense(2**62)])


@pytest.mark.parametrize("size", [2**62, 2**63 - 1])
@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_a_batch_may_be_larger_than_the_data(size, engine):
    model, other = classifier(engine=engine), classifier(engine=engine)
    one = model.fit(X, y, batch_size=size, validation_split=0.25, verbose=0).history
    assert one == other.fit(X, y, batch_size=6, validation_split=0.25, verbose=0).history
