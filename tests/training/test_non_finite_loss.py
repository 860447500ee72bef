"""A loss that is NaN or infinite: training stops and says why, and the model can be trained on."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.callbacks import EarlyStopping, LambdaCallback, TerminateOnNaN
from fastdense.errors import NonFiniteLossError
from tests.training.networks import Listening, binary, regressor, weights

X, y = binary()
HUGE = [fd.optimizers.SGD(1e38), fd.optimizers.SGD(1e25, momentum=0.9), fd.optimizers.Adam(1e38)]


def is_finite(model, folder):
    """Say whether the weights and, as the saved file shows it, the optimizer's state are finite."""
    model.save(folder / "m.safetensors")
    from safetensors.numpy import load_file

    return all(np.isfinite(array).all() for array in load_file(folder / "m.safetensors").values())


def fails(model, match, **arguments):
    """Check that fit stops with such a message."""
    with pytest.raises(NonFiniteLossError, match=match):
        model.fit(X, y, **{"epochs": 5, "batch_size": 8, "verbose": 0, **arguments})


@pytest.mark.parametrize("optimizer", HUGE, ids=repr)
@pytest.mark.parametrize("batch_size", [8, 40])
def test_overflow(optimizer, batch_size, tmp_path):
    fresh = fd.optimizers.get(optimizer.describe())
    model = regressor(fresh)
    before = weights(model)
    fails(model, r"at epoch \d, step \d\. Most likely the learning rate is too large", batch_size=batch_size)
    assert weights(model) == before, "all steps with that rate were bad ones"
    assert model.optimizer.iterations == 0
    assert is_finite(model, tmp_path)
    model.optimizer.learning_rate = 1e-3
    losses = model.fit(X, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_the_place_is_named():
    model = regressor(fd.optimizers.SGD(0.01))
    blow_up = LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == 2 and set_rate(model, 1e38))
    fails(model, r"the loss is (nan|inf) at epoch 3, step 2\.", callbacks=blow_up)


def set_rate(model, rate):
    model.optimizer.learning_rate = rate


@pytest.mark.parametrize("callbacks", [[], [Listening()]], ids=["in one piece", "step by step"])
def test_the_model_goes_back_to_the_last_good_epoch(callbacks):
    """Which is the start of the epoch that failed, where that epoch's first loss was finite."""
    model, good = regressor(fd.optimizers.SGD(0.01, momentum=0.5)), regressor(fd.optimizers.SGD(0.01, 0.5))
    rate = LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == 3 and set_rate(model, 1e38))
    fails(model, "epoch 4, step", callbacks=[rate, *callbacks])
    good.fit(X, y, epochs=3, batch_size=8, verbose=0)
    assert weights(model) == weights(good)
    assert model.optimizer.iterations == good.optimizer.iterations == 15
    set_rate(model, 0.01)
    for network in (model, good):
        network.fit(X, y, epochs=2, batch_size=8, verbose=0)
    assert weights(model) == weights(good), "the optimizer's state is that epoch's too"


def test_an_epoch_whose_first_loss_is_bad_began_with_bad_weights():
    """With one step an epoch, the step that did the harm is in the epoch before."""
    model, good = regressor(fd.optimizers.SGD(0.01)), regressor(fd.optimizers.SGD(0.01))
    rate = LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == 3 and set_rate(model, 1e30))
    fails(model, "epoch 5, step 1", batch_size=40, callbacks=rate)
    good.fit(X, y, epochs=3, batch_size=40, verbose=0)
    assert weights(model) == weights(good)
    assert model.optimizer.iterations == 3


def test_weights_that_overflow_in_the_very_last_step_are_noticed(tmp_path):
    """No loss shows it any more. The gradient is over 5, so that the weights pass float32's 3.4e38."""
    model = regressor(fd.optimizers.SGD(3e38))
    before = weights(model)
    with pytest.raises(NonFiniteLossError, match=r"state overflowed at epoch 1, step 1\."):
        model.fit(X, y * 100, batch_size=40, verbose=0)
    assert weights(model) == before
    assert is_finite(model, tmp_path)


def test_an_optimizers_state_that_overflows_is_noticed(tmp_path):
    """Adam's squared gradients do at gradients of 1e20; its steps would be 0 from there on."""
    model = regressor(fd.optimizers.Adam(0.01), loss="mae")
    before = weights(model)
    with pytest.raises(NonFiniteLossError, match=r"optimizer's state overflowed at epoch 1, step 1\."):
        model.fit(X, y, batch_size=40, sample_weight=np.full(40, 1e22), verbose=0)
    assert weights(model) == before
    assert model.optimizer.iterations == 0
    assert is_finite(model, tmp_path)


def test_a_poisson_loss_of_negative_outputs(tmp_path):
    model = regressor(fd.optimizers.SGD(0.01), loss="poisson")
    before = weights(model)
    fails(model, r"the loss is nan at epoch 1, step 1\..*end the network in exponential")
    assert weights(model) == before
    assert is_finite(model, tmp_path)


def test_a_poisson_loss_of_exponentials_blames_no_sign():
    """It may be NaN too: here an infinite mean less an infinite logarithm of it."""
    model = fd.Sequential([fd.Input((3,)), fd.Dense(1, "exponential")])
    model.set_weights([np.ones((3, 1)), np.zeros(1)])
    model.compile(loss="poisson")
    with pytest.raises(NonFiniteLossError, match=r"the loss is nan .*Most likely the learning rate is too"):
        model.fit(np.full((1, 3), 3e38), [1.0], verbose=0)


def test_targets_that_overflow_the_loss():
    model = regressor()
    with pytest.raises(NonFiniteLossError, match=r"the loss is inf at epoch 1, step 1\..*not scaled"):
        model.fit(X, np.full(40, 1e30), verbose=0)


@pytest.mark.parametrize("batch", [X, X[:1]])
def test_train_on_batch(batch, tmp_path):
    model = regressor(fd.optimizers.SGD(1e38, momentum=0.9))
    model.train_on_batch(batch, y[: len(batch)])
    before = weights(model)
    with pytest.raises(NonFiniteLossError, match=r"the loss is (inf|nan) at step 2\."):
        model.train_on_batch(batch, y[: len(batch)])
    assert weights(model) == before
    assert model.optimizer.iterations == 1
    assert is_finite(model, tmp_path)


def test_terminate_on_nan_ends_quietly(capsys):
    model = regressor(fd.optimizers.SGD(0.01))
    rate = LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == 2 and set_rate(model, 1e38))
    callbacks = [rate, TerminateOnNaN(), EarlyStopping("val_loss", patience=9)]
    history = model.fit(X, y, epochs=9, batch_size=8, validation_data=(X, y), verbose=0, callbacks=callbacks)
    assert history.epoch == [0, 1, 2]
    assert not np.isfinite(history.history["loss"][2])
    assert history.history["val_loss"][2] == history.history["val_loss"][1]
    assert "Training ended: the loss is" in capsys.readouterr().out
    set_rate(model, 0.01)
    assert np.isfinite(model.fit(X, y, verbose=0).history["loss"]).all()


def test_evaluate_returns_what_there_is():
    """It changes nothing, so it needs to stop nothing."""
    model = regressor(loss="poisson")
    assert np.isnan(model.evaluate(X, y, verbose=0))
