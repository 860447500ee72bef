"""Programs that share the lanes of vectors have the bits of programs that train alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from fastdense.core.curves import CURVES
from fastdense.core.spec import (
    ActivateSpec,
    ActivationSpec,
    AdagradSpec,
    AdamSpec,
    BinaryCrossentropySpec,
    CategoricalCrossentropySpec,
    DenseSpec,
    DropoutSpec,
    Factors,
    HuberSpec,
    LionSpec,
    MeanAbsoluteErrorSpec,
    MeanSquaredErrorSpec,
    NetworkSpec,
    Penalty,
    PoissonSpec,
    PReLUSpec,
    QuantileSpec,
    RMSpropSpec,
    SGDSpec,
    SparseCategoricalCrossentropySpec,
    TrainingSpec,
)
from fastdense.engines import Batches, choose
from fastdense.engines.jobs import Crew, Epoch, Job, Watch, run, together
from fastdense.engines.lanes import LaneCrew, kind_of, run_together
from fastdense.native import runnable_isas
from fastdense.native.program import NativeEngine
from tests.compare import assert_identical

ROWS, STEPS, BATCH = 29, 3, 12
NO_PENALTY = Penalty(0.0, 0.0)
EVERY = pytest.mark.parametrize(
    ("isa", "dtype"), [(isa, dtype) for isa in runnable_isas() for dtype in ("float32", "float64")]
)
OPTIMIZERS = [
    lambda lane: SGDSpec(),
    lambda lane: SGDSpec(momentum=0.5 + 0.02 * lane),
    lambda lane: SGDSpec(momentum=0.9, nesterov=True, clipvalue=0.01 * (lane + 1)),
    lambda lane: RMSpropSpec(rho=0.8 + 0.01 * lane),
    lambda lane: RMSpropSpec(momentum=0.3, centered=True),
    lambda lane: AdagradSpec(weight_decay=0.01 * lane),
    lambda lane: AdamSpec(beta_1=0.8 + 0.01 * (lane // 2), weight_decay=0.01 * lane),
    lambda lane: AdamSpec(amsgrad=True, clipnorm=0.02 * (lane + 1)),
    lambda lane: LionSpec(global_clipnorm=0.05 * (lane + 1)),
]
LOSSES = {
    "binary": (BinaryCrossentropySpec(), "sigmoid"),
    "binary-smoothed": (BinaryCrossentropySpec(label_smoothing=0.1), "sigmoid"),
    "binary-outputs": (BinaryCrossentropySpec(), "hard_sigmoid"),
    "categorical": (CategoricalCrossentropySpec(label_smoothing=0.1), "softmax"),
    "categorical-outputs": (CategoricalCrossentropySpec(), "sigmoid"),
    "squared": (MeanSquaredErrorSpec(), "linear"),
    "absolute": (MeanAbsoluteErrorSpec(), "linear"),
    "huber": (HuberSpec(delta=0.5), "linear"),
    "poisson": (PoissonSpec(), "exponential"),
    "quantile": (QuantileSpec(quantile=0.3), "linear"),
}


@dataclass
class Lanes:
    """Networks of one shape over shared rows, each with its own of all that may differ."""

    isa: str
    dtype: str
    sizes: tuple[int, ...] = (5, 9, 2)
    hidden: str = "tanh"
    last: str = "sigmoid"
    loss: Any = field(default_factory=BinaryCrossentropySpec)
    optimizer: Any = OPTIMIZERS[6]
    penalty: bool = False
    dropout: bool = False
    bias: bool = True
    same_rows: bool = True
    weighted: bool = False
    labels: bool = False
    count: int | None = None

    def layers(self, lane: int) -> list[Any]:
        penalty = Penalty(0.01 * lane, 0.02 * lane) if self.penalty else NO_PENALTY
        layers: list[Any] = []
        for i, (n_in, n_units) in enumerate(zip(self.sizes, self.sizes[1:], strict=False)):
            is_last = i == len(self.sizes) - 2
            name = self.last if is_last else self.hidden
            alpha = 0.3 if name in ("celu", "elu", "leaky_relu") else 0.0
            if self.dropout:
                layers.append(DropoutSpec(n_in, 0.1 + 0.02 * lane, i))
            dense = DenseSpec(n_in, n_units, ActivationSpec(name, alpha), self.bias, penalty, penalty)
            layers.append(replace(dense, kernel_factors=Factors(rate=1 - 0.05 * lane)))
        return layers

    def programs(self) -> list[Any]:
        engine, made = NativeEngine(self.isa), []
        while not made or len(made) < (self.count or made[0].lanes):
            lane = len(made)
            rng, layers = np.random.default_rng(lane), self.layers(lane)
            network = NetworkSpec(self.sizes[0], tuple(layers), self.dtype)
            parameters = [
                tuple((rng.normal(size=p.shape) / 2).astype(self.dtype) for p in layer.parameters)
                for layer in layers
            ]
            training = TrainingSpec(self.loss, self.optimizer(lane), seed=lane)
            made.append(engine.compile(network, parameters, training))
        return made

    def jobs(self, programs: list[Any], **settings: Any) -> list[Job]:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(ROWS, self.sizes[0])).astype(self.dtype)
        y = rng.random((ROWS, self.sizes[-1])).astype(self.dtype)
        targets = rng.integers(0, self.sizes[-1], ROWS) if self.labels else y
        weights = rng.random(ROWS).astype(self.dtype) if self.weighted else None
        orders = [rng.permutation(ROWS) for _ in range(2)]
        jobs = []
        for program in programs:
            if not self.same_rows:
                orders = [rng.integers(0, ROWS, ROWS) for _ in orders]
            epochs = [
                Epoch(
                    Batches(X, targets, weights, order, BATCH, rng.random(STEPS), rng.random(STEPS) / 9),
                    rng.random(STEPS) * 0.05,
                )
                for order in orders
            ]
            jobs.append(Job(program, epochs, 7, watch=Watch(X, targets), **settings))
        return jobs


def state_of(program: Any) -> list[np.ndarray]:
    return [a for group in (*program.parameters(), *program.slots()) for a in group]


def assert_same(ours: Any, theirs: Any) -> None:
    """Raise AssertionError unless all arrays and numbers agree to the bit."""
    assert type(ours) is type(theirs)
    if isinstance(theirs, np.ndarray | float):
        assert_identical(np.asarray(ours), np.asarray(theirs))
    elif theirs is not None:
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)


def check(lanes: Lanes) -> None:
    """Run jobs in lanes and alone, and compare all that they come to."""
    programs, references = lanes.programs(), lanes.programs()
    expected = [run(job) for job in lanes.jobs(references, outputs=True, keep=True)]
    found = run_together(lanes.jobs(programs, outputs=True, keep=True))
    assert_same(found, expected)
    for program, reference in zip(programs, references, strict=True):
        assert_same(state_of(program), state_of(reference))
        assert program.steps == reference.steps == 2 * STEPS


@EVERY
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("penalty", [False, True])
def test_optimizers_and_penalties(isa, dtype, optimizer, penalty):
    check(Lanes(isa, dtype, (7, 17, 9, 1), "relu", optimizer=optimizer, penalty=penalty))


@EVERY
@pytest.mark.parametrize("name", CURVES)
def test_activations(isa, dtype, name):
    check(Lanes(isa, dtype, hidden=name))


@EVERY
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("units", "same_rows"), [(1, True), (3, False), (17, True)])
def test_losses(isa, dtype, name, units, same_rows):
    loss, last = LOSSES[name]
    check(Lanes(isa, dtype, (5, 8, units), last=last, loss=loss, same_rows=same_rows, weighted=not same_rows))


@EVERY
@pytest.mark.parametrize("width", [1, 7, 8, 9, 16, 31, 32])
def test_widths(isa, dtype, width):
    check(Lanes(isa, dtype, (width, width, width), "relu"))


@EVERY
@pytest.mark.parametrize("same_rows", [True, False])
def test_dropout_without_bias_in_lanes_that_are_not_full(isa, dtype, same_rows):
    count = max(NativeEngine(isa).compile(NetworkSpec(1, (), dtype), []).lanes - 1, 1)
    check(Lanes(isa, dtype, dropout=True, bias=False, same_rows=same_rows, count=count))


@EVERY
def test_class_numbers(isa, dtype):
    loss = SparseCategoricalCrossentropySpec()
    check(Lanes(isa, dtype, (5, 8, 4), last="softmax", loss=loss, labels=True, weighted=True))


@EVERY
def test_a_lane_that_overflows_ends_alone(isa, dtype):
    lanes = Lanes(isa, dtype, loss=MeanSquaredErrorSpec(), last="linear", optimizer=OPTIMIZERS[0])

    def jobs(programs):
        made = lanes.jobs(programs, keep=True)
        diverges = made[len(made) // 2].epochs[0]
        diverges.learning_rates[:] = 1e30 if dtype == "float32" else 1e200
        return made

    programs, references = lanes.programs(), lanes.programs()
    expected = [run(job) for job in jobs(references)]
    assert_same(run_together(jobs(programs)), expected)
    ended = [not math.isfinite(epochs[-1].losses[-1]) for epochs in expected]
    assert ended == [i == len(ended) // 2 for i in range(len(ended))]
    for program, reference in zip(programs, references, strict=True):
        assert_same(state_of(program), state_of(reference))
        assert program.steps == reference.steps


def many() -> Lanes:
    """Return networks that fill the lanes of this machine's vectors, and some of a second vector's."""
    lanes = Lanes(runnable_isas()[0], "float32")
    return replace(lanes, count=lanes.programs()[0].lanes + 3)


def fitting(job):
    """Yield a job three times; return what the last came to."""
    for i in range(3):
        passed = yield replace(job, first_step=job.first_step + 2 * STEPS * i)
    return passed


@pytest.mark.parametrize("threads", [1, 2])
def test_a_crew_gathers_jobs_and_changes_no_bit(threads):
    lanes = many()
    programs, references = lanes.programs(), lanes.programs()
    others = replace(lanes, sizes=(3, 2, 1), count=2)
    jobs = [*lanes.jobs(programs), *others.jobs(others.programs())]
    theirs = [*lanes.jobs(references), *others.jobs(others.programs())]
    found = dict(together(map(fitting, jobs), crew=LaneCrew(threads)))
    expected = dict(together(map(fitting, theirs), crew=Crew(threads)))
    assert found.keys() == expected.keys() == set(range(len(jobs)))
    for place, epochs in expected.items():
        assert_same(found[place], epochs)
    for program, reference in zip(programs, references, strict=True):
        assert_same(state_of(program), state_of(reference))


def test_a_job_with_an_error_of_its_own_leaves_the_others_alone():
    lanes = many()
    jobs = lanes.jobs(lanes.programs())
    narrow = jobs[1].epochs[0].batches
    epochs = [replace_batches(epoch, narrow._replace(X=narrow.X[:, 1:])) for epoch in jobs[1].epochs]
    jobs[1] = replace(jobs[1], epochs=epochs)
    found = dict(together(map(fitting, jobs), crew=LaneCrew(1)))
    wrong = {place for place, result in found.items() if isinstance(result, Exception)}
    assert wrong == {1}
    assert len(found) == len(jobs)


def replace_batches(epoch, batches):
    return epoch._replace(batches=batches)


def test_what_runs_alone():
    lanes = many()
    job = lanes.jobs(lanes.programs())[0]
    assert kind_of(job) is not None
    wide = replace(lanes, sizes=(5, 64, 64, 1), count=1)
    assert kind_of(wide.jobs(wide.programs())[0]) is None
    layer = PReLUSpec(5)
    network = NetworkSpec(5, (layer, ActivateSpec(5, ActivationSpec("tanh"))), "float32")
    slopes = [(np.ones(p.shape, "float32"),) for p in layer.parameters]
    training = TrainingSpec(MeanSquaredErrorSpec(), SGDSpec())
    for engine in ("native", "array"):
        program = choose(engine).compile(network, [*slopes, ()], training)
        assert kind_of(replace(job, program=program)) is None


@pytest.mark.parametrize(
    ("width", "same_rows", "shares"),
    [(4, True, True), (4, False, True), (30, True, True), (30, False, False)],
)
def test_larger_networks_share_lanes_over_the_same_rows_alone(width, same_rows, shares):
    lanes = replace(many(), sizes=(5, width, width, 1), same_rows=same_rows, count=2)
    one, other = map(kind_of, lanes.jobs(lanes.programs()))
    assert (one == other) is shares


def test_programs_that_differ_are_refused():
    lanes = many()
    one, other = lanes.programs()[0], replace(lanes, hidden="relu").programs()[1]
    with pytest.raises(ValueError, match="lanes"):
        one.run_in_lanes(lanes.jobs([one, other]))
    with pytest.raises(RuntimeError, match="another call is training"):
        one.run_in_lanes(lanes.jobs([one, one]))
