"""Jobs have the bits of their programs' calls, and fittings among many those of fittings alone."""

from __future__ import annotations

import gc
import math
import time
import weakref
from dataclasses import replace
from inspect import GEN_CLOSED, GEN_SUSPENDED, getgeneratorstate

import numpy as np
import pytest

from fastdense.core.spec import (
    ActivationSpec,
    DenseSpec,
    MeanSquaredErrorSpec,
    NetworkSpec,
    SGDSpec,
    TrainingSpec,
)
from fastdense.engines import Batches, available, choose
from fastdense.engines.jobs import Crew, Epoch, Job, Passed, Watch, Watched, alone, in_turn, run, together
from fastdense.native import runnable_isas
from fastdense.native.program import NativeEngine
from tests.cases import CASES, case_named
from tests.compare import assert_identical
from tests.runs import compiled, state

EPOCHS = 3
FEW = np.array([4, 0, 0, 2])
PARTS = [case for case in CASES if not case.name.removeprefix(case.dtype).startswith("-hidden")]


def job_of(case, program, **settings):
    """Return a job of a few of a case's epochs; its rows may be others than the case's own."""
    data, steps = case.data(), case.steps_per_epoch
    epochs = [Epoch(case.batches(data, e), case.learning_rates(e * steps)) for e in range(EPOCHS)]
    return Job(program, epochs, 0, **settings)


def assert_same(found, expected):
    """Raise AssertionError unless two jobs came to the same, with the same bits."""
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert isinstance(ours, Passed)
        assert_identical(ours.losses, theirs.losses)
        for one, other in ((ours.outputs, theirs.outputs), (ours.watched, theirs.watched)):
            assert (one is None) == (other is None)
        if theirs.outputs is not None:
            assert_identical(ours.outputs, theirs.outputs)
        if theirs.watched is not None:
            assert isinstance(ours.watched, Watched)
            assert_identical(ours.watched.losses, theirs.watched.losses)
            assert_identical(ours.watched.outputs, theirs.watched.outputs)
            assert ours.watched.penalty == theirs.watched.penalty
        assert (ours.parameters is None) == (theirs.parameters is None)
        for one, other in zip(ours.parameters or (), theirs.parameters or (), strict=True):
            assert len(one) == len(other)
            for a, b in zip(one, other, strict=True):
                assert_identical(a, b)


def assert_as_in_turn(make_program, make_job):
    """Raise AssertionError unless a job runs alike in turn, in one call, and by a crew."""
    programs = [make_program() for _ in range(3)]
    expected = in_turn(make_job(programs[0]))
    assert_same(run(make_job(programs[1])), expected)
    with Crew(2) as crew:
        crew.submit(make_job(programs[2]))
        _, came = crew.collect()
    assert_same(came, expected)
    for program in programs[1:]:
        assert program.steps == programs[0].steps
        for one, other in zip(state(program), state(programs[0]), strict=True):
            assert_identical(one, other)
    return expected


@pytest.mark.parametrize("case", PARTS, ids=lambda case: case.name)
def test_a_job_is_its_programs_calls(case):
    data = case.data()
    rows = FEW % case.rows if case.dtype == "float32" else None
    watch = Watch(data.X, data.y, rows)
    assert_as_in_turn(
        lambda: compiled(NativeEngine(), case),
        lambda p: job_of(case, p, watch=watch, outputs=True, keep=True),
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("labels", [False, True], ids=["matrix", "labels"])
def test_a_job_on_every_instruction_set(isa, dtype, labels):
    name = "weights-sparse" if labels else "everything"
    case = replace(case_named(f"{dtype}-{name}"), rows=301, batch_size=32)
    data = case.data()
    rows = np.random.default_rng(0).permutation(case.rows)[:201]  # in several blocks
    watch = Watch(data.X, data.y, rows)
    assert_as_in_turn(
        lambda: compiled(NativeEngine(isa), case),
        lambda p: job_of(case, p, watch=watch, outputs=True, keep=True),
    )


@pytest.mark.parametrize("name", ["float32-adam", "float64-norm-first", "float32-weights-sparse"])
def test_sparse_rows(name):
    sparse = pytest.importorskip("scipy.sparse")
    case = case_named(name)
    data = case.data()
    X = sparse.csr_array(np.where(np.abs(data.X) > 0.7, data.X, 0))

    def make_job(program):
        job = job_of(case, program, watch=Watch(X, data.y, FEW), outputs=True)
        return replace(job, epochs=[Epoch(b._replace(X=X), rates) for b, rates in job.epochs])

    assert_as_in_turn(lambda: compiled(NativeEngine(), case), make_job)


def test_odd_arrays_and_rows_that_change_from_epoch_to_epoch():
    case = case_named("float32-weights")
    data = case.data()
    X = np.asfortranarray(data.X)
    swapped = data.X.astype(">f4")

    def make_job(program):
        job = job_of(case, program, watch=Watch(np.repeat(data.X, 2, axis=1)[:, ::2], data.y, FEW[::-1]))
        (a, rates), (b, _), (c, _) = job.epochs
        a = a._replace(X=X, order=a.order[::-1])
        return replace(
            job, epochs=[Epoch(a, rates), Epoch(b._replace(X=swapped), rates[:1]), Epoch(c, rates)]
        )

    expected = assert_as_in_turn(lambda: compiled(NativeEngine(), case), make_job)
    assert [len(epoch.losses) for epoch in expected] == [case.steps_per_epoch, 1, case.steps_per_epoch]


@pytest.mark.parametrize("engine", available())
def test_what_was_not_asked_for_is_none(engine):
    case = case_named("float64-adam")
    for passed in run(job_of(case, compiled(choose(engine), case))):
        assert passed[1:] == (None, None, None)


@pytest.mark.parametrize("engine", available())
def test_parameters_that_are_kept_are_those_after_each_epoch(engine):
    case = case_named("float64-scale-first")
    program, alike = (compiled(choose(engine), case) for _ in range(2))
    kept = run(job_of(case, program, keep=True))
    for epoch, passed in zip(job_of(case, alike).epochs, kept, strict=True):
        alike.train(*epoch, 0)
        for one, other in zip(passed.parameters, alike.parameters(), strict=True):
            for a, b in zip(one, other, strict=True):
                assert_identical(a, b)


def test_a_loss_that_is_not_finite_ends_a_job():
    case = replace(case_named("float32-sgd"), learning_rate=1e12)
    data = case.data()
    watch = Watch(data.X, data.y)
    passed = assert_as_in_turn(
        lambda: compiled(NativeEngine(), case), lambda p: job_of(case, p, watch=watch, keep=True)
    )
    assert not math.isfinite(passed[-1].losses[-1])
    assert passed[-1].watched is None
    assert passed[-1].parameters is None


def test_a_job_of_no_epochs_comes_to_nothing():
    case = case_named("float32-sgd")
    assert not assert_as_in_turn(lambda: compiled(NativeEngine(), case), lambda p: Job(p, [], 0))


def test_more_learning_rates_than_batches_are_refused():
    case = case_named("float32-sgd")
    job = job_of(case, compiled(NativeEngine(), case))
    job = replace(job, epochs=[Epoch(job.epochs[0].batches, np.ones(9))])
    with pytest.raises(ValueError, match="9 learning rates were given for 3 batches"):
        run(job)


NETWORK = NetworkSpec(3, (DenseSpec(3, 8, ActivationSpec("tanh")), DenseSpec(8, 1)))
X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = X[:, :1] * 2


def program_of(seed, engine="native"):
    """Return a program of a small network, with weights of its own."""
    rng = np.random.default_rng(seed)
    shapes = [(layer.n_in, layer.n_units) for layer in NETWORK.layers]
    parameters = [(rng.normal(size=shape) / 2, np.zeros(shape[1])) for shape in shapes]
    return choose(engine).compile(NETWORK, parameters, TrainingSpec(MeanSquaredErrorSpec(), SGDSpec()))


def epoch_of(seed, rate=0.01):
    """Return an epoch of five steps, in an order of its own."""
    order = np.random.default_rng(seed).permutation(20)
    return Epoch(Batches(X, Y, None, order, 4), np.full(5, rate))


def fitting(seed, jobs=3, engine="native"):
    """Train in some jobs of two epochs; return the losses and the last parameters."""
    program, losses, step = program_of(seed, engine), [], 0
    for number in range(jobs):
        epochs = [epoch_of((seed, number, k)) for k in range(2)]
        passed = yield Job(program, epochs, step)
        losses += [passed_epoch.losses for passed_epoch in passed]
        step += 10
    return losses, program.parameters()


def bits(result):
    """Return what a fitting returned as bytes."""
    losses, parameters = result
    return [a.tobytes() for a in losses] + [a.tobytes() for group in parameters for a in group]


@pytest.mark.parametrize("threads", [1, 2, 3, None])
def test_a_fitting_among_many_has_the_bits_of_one_alone(threads):
    expected = [bits(alone(fitting(seed, 1 + seed % 3))) for seed in range(12)]
    found = dict(together((fitting(seed, 1 + seed % 3) for seed in range(12)), threads))
    assert [bits(found[place]) for place in range(12)] == expected


def test_engines_with_and_without_threads_of_their_own_take_turns():
    engines = ["native", "array", "reference"] * 2
    expected = [bits(alone(fitting(seed, 2, engine))) for seed, engine in enumerate(engines)]
    found = dict(together([fitting(seed, 2, engine) for seed, engine in enumerate(engines)], 2))
    assert [bits(found[place]) for place in range(6)] == expected


def test_an_error_ends_its_fitting_only():
    def wrong():
        yield from fitting(0, 1)
        raise LookupError("of its own")

    def refused():
        yield Job(program_of(1), [Epoch(epoch_of(1).batches, np.ones(6))], 0)

    def recovers():
        try:
            yield from refused()
        except ValueError as error:
            return str(error)

    def at_once():
        return "no job"
        yield

    makers = [wrong, lambda: fitting(5), refused, recovers, at_once]
    found = dict(together((make() for make in makers), 2))
    assert isinstance(found[0], LookupError)
    assert bits(found[1]) == bits(alone(fitting(5)))
    assert isinstance(found[2], ValueError)
    assert found[3] == "6 learning rates were given for 5 batches"
    assert found[4] == "no job"
    with pytest.raises(LookupError, match="of its own"):
        alone(wrong())
    with pytest.raises(ValueError, match="6 learning rates"):
        alone(refused())
    assert alone(recovers()) == found[3]


def test_a_program_that_two_jobs_train_is_an_error_of_one():
    """Or of none, if one has ended before the other begins."""
    case = replace(case_named("float32-sgd"), rows=2000, batch_size=1)
    program = compiled(NativeEngine(), case)
    jobs = [replace(job_of(case, program), first_step=k) for k in range(2)]
    with Crew(2) as crew:
        for job in jobs:
            crew.submit(job)
        came = [crew.collect()[1] for _ in jobs]
    errors = [result for result in came if isinstance(result, Exception)]
    assert len(errors) <= 1
    for error in errors:
        with pytest.raises(RuntimeError, match="another call is training this model already"):
            raise error


@pytest.mark.parametrize("engine", ["native", "array"])
def test_fittings_are_begun_in_order_and_asked_for_when_there_is_room(engine):
    begun = []

    def counted(seed):
        begun.append(seed)
        yield from fitting(seed, 2, engine)

    def endless():
        seed = 0
        while True:
            yield counted(seed)
            seed += 1

    running = together(endless(), 1)
    for ended in range(10):
        next(running)
        assert len(begun) <= ended + 3  # one is at work, another waits for it to end
    running.close()
    assert begun == list(range(len(begun)))


@pytest.mark.parametrize("engine", ["native", "array"])
def test_closing_ends_what_is_under_way(engine):
    fittings = [fitting(0, 1, engine), *(fitting(seed, 10**9, engine) for seed in (1, 2))]
    running = together(fittings, 2)
    assert next(running)[0] == 0
    under_way = [f for f in fittings if getgeneratorstate(f) == GEN_SUSPENDED]
    assert len(under_way) == (2 if engine == "native" else 0)
    running.close()
    assert all(getgeneratorstate(f) == GEN_CLOSED for f in under_way)


@pytest.mark.parametrize("engine", ["native", "array"])
def test_what_has_not_ended_at_a_time_is_closed(engine):
    endless = [fitting(seed, 10**9, engine) for seed in range(2)]
    assert list(together(endless, 1, time.monotonic() + 0.02)) == []
    assert GEN_SUSPENDED not in map(getgeneratorstate, endless)


def test_until_a_time_nothing_is_begun_after_it():
    begun = []

    def counted():
        begun.append(1)
        yield from fitting(0)

    assert list(together((counted() for _ in range(3)), 1, time.monotonic())) == []
    assert begun == []


def test_a_crew_collects_what_has_ended_only():
    with Crew(1) as crew:
        assert crew.collect() is None
        crew.submit(Job(program_of(0), [epoch_of(0)] * 20_000, 0))
        assert crew.collect(time.monotonic()) is None
    with Crew(1) as crew:
        crew.submit(Job(program_of(0, "array"), [epoch_of(0)], 0))
        assert crew.collect(time.monotonic()) is None
        assert crew.collect() is not None


def test_a_crew_is_asked_for_at_least_one_thread():
    with pytest.raises(ValueError, match="threads must be from 1 to"):
        list(together([fitting(0)], 0))


def test_many_fittings_need_the_memory_of_few():
    """Programs go as their fittings end, whatever the number of fittings."""
    alive, most = weakref.WeakSet(), 0

    def counted(seed):
        nonlocal most
        program = program_of(seed)
        alive.add(program)
        most = max(most, len(alive))
        yield Job(program, [epoch_of(seed)], 0)

    for _ in together((counted(seed) for seed in range(300)), 2):
        pass
    assert most <= 8
    gc.collect()
    assert len(alive) <= 1
