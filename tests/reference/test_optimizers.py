"""The optimizers: two steps of each worked by hand, and the clippings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastdense.core.spec import OPTIMIZERS, AdagradSpec, AdamSpec, LionSpec, RMSpropSpec, SGDSpec
from fastdense.reference import clip, update
from tests.compare import assert_within

RMS = RMSpropSpec(rho=0.75, epsilon=0.0)


@pytest.mark.parametrize(
    ("optimizer", "slots", "w", "new_slots"),
    [
        # w = 1, g = 4, learning rate 1/4, so that a plain step is -1
        (SGDSpec(), (), 0.0, ()),
        (SGDSpec(weight_decay=2.0), (), -0.5, ()),  # 1 - 1/4 * 2 * 1 - 1
        (SGDSpec(momentum=0.5), (0.0,), 0.0, (-1.0,)),
        (SGDSpec(momentum=0.5), (-1.0,), -0.5, (-1.5,)),
        (SGDSpec(momentum=0.5, nesterov=True), (-1.0,), -0.75, (-1.5,)),  # 1 - 3/4 - 1
        (RMS, (0.0,), 0.5, (4.0,)),  # v = 16 / 4, step 1 / 2
        (RMSpropSpec(rho=0.75, epsilon=12.0), (0.0,), 0.75, (4.0,)),  # 1 / sqrt(4 + 12)
        (RMSpropSpec(rho=0.75, epsilon=0.0, momentum=0.5), (0.0, 1.0), 0.0, (4.0, 1.0)),
        # v = 3/4 * 5 + 4 = 7.75, average = 3/4 * 2 + 1 = 2.5, variance 1.5
        (
            RMSpropSpec(rho=0.75, epsilon=0.0, centered=True),
            (5.0, 2.0),
            1 - 1 / math.sqrt(1.5),
            (7.75, 2.5),
        ),
        (
            RMSpropSpec(rho=0.75, epsilon=2.5, centered=True, momentum=0.5),
            (5.0, 2.0, 1.0),
            0.0,  # the root of 1.5 + 2.5 is 2; the step 1 / 2 and half the last one
            (7.75, 2.5, 1.0),
        ),
        (AdagradSpec(epsilon=0.0), (9.0,), 0.8, (25.0,)),  # 1 / sqrt(9 + 16)
        (AdagradSpec(epsilon=75.0), (9.0,), 0.9, (25.0,)),
        # c = 3/4 m + 1/4 * 4, the new m = 1/2 m + 1/2 * 4; every step is 1/4 long
        (LionSpec(beta_1=0.75, beta_2=0.5), (0.0,), 0.75, (2.0,)),
        (LionSpec(beta_1=0.75, beta_2=0.5), (-4.0,), 1.25, (0.0,)),
        (LionSpec(beta_1=0.5, beta_2=0.5), (-4.0,), 1.0, (0.0,)),  # the sign of 0 is 0
        (LionSpec(beta_1=0.75, beta_2=0.5, weight_decay=2.0), (0.0,), 0.25, (2.0,)),
    ],
)
def test_steps_by_hand(optimizer, slots, w, new_slots):
    found_w, found_slots = update(optimizer, 1.0, 4.0, slots, learning_rate=0.25, step=3)
    assert_within([found_w, *found_slots], [w, *new_slots], 2e-16)


def test_two_steps_of_adam_by_hand():
    adam = AdamSpec(beta_1=0.5, beta_2=0.75, epsilon=0.0)
    w, slots = update(adam, 1.0, 4.0, (0.0, 0.0), learning_rate=0.25, step=0)
    assert_within([w, *slots], [0.75, 2.0, 4.0], 1e-15)  # m / (1 - 1/2) = 4, v / (1 - 3/4) = 16
    w, slots = update(adam, w, 0.0, slots, learning_rate=0.25, step=1)
    # m = 1 and 1 / (1 - 1/4) = 4/3; v = 3 and 3 / (1 - 9/16) = 48/7
    assert_within([w, *slots], [0.75 - 0.25 * (4 / 3) / math.sqrt(48 / 7), 1.0, 3.0], 1e-15)


def test_two_steps_of_amsgrad_by_hand():
    """As of Adam, but divided by the root of the larger v, the first one: 4 and not 3."""
    adam = AdamSpec(beta_1=0.5, beta_2=0.75, epsilon=0.0, amsgrad=True)
    w, slots = update(adam, 1.0, 4.0, (0.0, 0.0, 0.0), learning_rate=0.25, step=0)
    assert_within([w, *slots], [0.75, 2.0, 4.0, 4.0], 1e-15)
    w, slots = update(adam, w, 0.0, slots, learning_rate=0.25, step=1)
    # alpha = 1/4 * sqrt(1 - 9/16) / (1 - 1/4); m = 1, sqrt(v_max) = 2
    assert_within([w, *slots], [0.75 - math.sqrt(7 / 16) / 3 / 2, 1.0, 3.0, 4.0], 1e-15)


def test_adams_epsilon_is_added_after_the_correction():
    adam = AdamSpec(beta_1=0.5, beta_2=0.75, epsilon=1.0)
    w, _ = update(adam, 1.0, 4.0, (0.0, 0.0), learning_rate=0.25, step=0)
    # alpha = 1/4 * sqrt(1/4) / (1/2) = 1/4; m = 2, sqrt(v) = 2
    assert_within(w, 1 - 0.25 * 2 / (2 + 1), 1e-15)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gradient_of_zero_moves_nothing(name):
    optimizer = OPTIMIZERS[name]()
    slots = tuple(optimizer.slots.values())
    assert update(optimizer, 1.0, 0.0, slots, learning_rate=0.1, step=0) == (1.0, slots)


def test_without_epsilon_zero_over_zero_is_nan():
    w, _ = update(RMS, 1.0, 0.0, (0.0,), learning_rate=0.1, step=0)
    assert math.isnan(w)


def test_weight_decay_does_not_enter_the_slots():
    plain, decayed = AdamSpec(), AdamSpec(weight_decay=0.5)
    w, slots = update(plain, 1.0, 4.0, (0.0, 0.0), learning_rate=0.1, step=0)
    w_decayed, slots_decayed = update(decayed, 1.0, 4.0, (0.0, 0.0), learning_rate=0.1, step=0)
    assert slots == slots_decayed
    assert_within(w - w_decayed, 0.1 * 0.5, 1e-15)


G = [np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([12.0])]  # of the lengths 5 and 12, together 13


@pytest.mark.parametrize(
    ("clipping", "factors"),
    [
        ({}, (1.0, 1.0)),
        ({"clipnorm": 10.0}, (1.0, 10 / 12)),
        ({"clipnorm": 1.0}, (1 / 5, 1 / 12)),
        ({"global_clipnorm": 6.5}, (0.5, 0.5)),
        ({"global_clipnorm": 13.0}, (1.0, 1.0)),
    ],
)
def test_clipping_by_length(clipping, factors):
    found = clip(SGDSpec(**clipping), G)
    for g, before, factor in zip(found, G, factors, strict=True):
        assert_within(g, before * factor, 4e-15)


def test_clipping_by_value_and_of_nothing():
    found = clip(SGDSpec(clipvalue=3.5), [-G[0], G[1]])
    assert_within(found[0], [[-3.0, 0.0], [0.0, -3.5]], 0.0)
    assert_within(found[1], [3.5], 0.0)
    assert_within(clip(SGDSpec(clipnorm=1.0), [np.zeros(3)])[0], [0.0, 0.0, 0.0], 0.0)
