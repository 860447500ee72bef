"""The quantile loss: what it learns, and which quantiles there are."""

import numpy as np
import pytest

import fastdense as fd

ROWS = 400
NOISE = np.random.default_rng(3).exponential(size=ROWS).astype(np.float32)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_that_share_of_the_targets_lies_below_the_output(quantile):
    model = fd.Sequential([fd.Input((1,)), fd.Dense(1)], seed=0)
    model.compile(fd.optimizers.Adam(0.02), fd.losses.Quantile(quantile))
    model.fit(np.zeros((ROWS, 1)), NOISE, batch_size=ROWS, epochs=600, verbose=0)
    (output,) = model.predict(np.zeros((1, 1)))[0]
    assert np.mean(output > NOISE) == pytest.approx(quantile, abs=0.02)


def test_it_is_half_the_absolute_error_at_the_median():
    y, outputs = NOISE[:40], NOISE[40:80]
    for name in ("quantile", "pinball"):
        halved = fd.losses.MeanAbsoluteError()(y, outputs) / 2
        assert fd.losses.get(name)(y, outputs) == pytest.approx(halved, rel=1e-12)


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_quantile_lies_between_0_and_1(wrong):
    with pytest.raises(ValueError, match="quantile must be finite and above 0 and below 1"):
        fd.losses.Quantile(wrong)
