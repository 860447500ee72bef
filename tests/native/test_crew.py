"""The native crew's threads: Ctrl-C, forks, the interpreter's end, and who may train meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastdense import native
from fastdense.core.spec import (
    ActivationSpec,
    AdamSpec,
    DenseSpec,
    MeanSquaredErrorSpec,
    NetworkSpec,
    TrainingSpec,
)
from fastdense.engines import Batches
from fastdense.engines.jobs import Crew, Epoch, Job, run
from fastdense.native.program import NativeEngine

X = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
PRELUDE = """
import os, signal, threading, time
from fastdense.engines.jobs import Crew, alone, together
from tests.native.test_crew import job_of, long_job, program
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job would ignore it

def endless(p):
    while True:
        yield long_job(p)

def press_when_trained(programs):
    def press():
        while not all(p.steps for p in programs):
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=press).start()
"""


def program(seed=0):
    rng = np.random.default_rng(seed)
    layers = (DenseSpec(8, 16, ActivationSpec("relu")), DenseSpec(16, 1))
    parameters = [(rng.normal(size=(s.n_in, s.n_units)) / 4, np.zeros(s.n_units)) for s in layers]
    training = TrainingSpec(MeanSquaredErrorSpec(), AdamSpec())
    return NativeEngine().compile(NetworkSpec(8, layers), parameters, training)


def job_of(of, passes=1, epochs=1):
    """Return a job of epochs that each pass over the rows in four steps, as often as is said."""
    batches = Batches(X, X[:, :1], None, np.tile(np.arange(200), passes), 50)
    return Job(of, [Epoch(batches, np.full(4 * passes, 1e-4))] * epochs, of.steps)


def long_job(of):
    """Return a job of many seconds."""
    return job_of(of, 20_000, 50)


def printed_by(script):
    """Return what a script prints in a process of its own."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", PRELUDE + script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=root)
    assert done.returncode == 0, done.stderr  # which may warn of forks beside threads
    return done.stdout.split()


def native_crew(threads):
    return program().crew(threads)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
needs_signals = pytest.mark.skipif(os.name != "posix", reason="signals")


@needs_signals
def test_ctrl_c_ends_a_job_between_steps():
    script = """
p = program()
press_when_trained([p])
try:
    alone(endless(p))
except KeyboardInterrupt:
    print(p.steps > 0)
"""
    assert printed_by(script) == ["True"]


@needs_signals
def test_ctrl_c_ends_many_fittings_and_closes_them():
    script = """
def closed(p):
    try:
        yield from endless(p)
    finally:
        print("closed", p.steps > 0)
programs = [program(seed) for seed in range(2)]
press_when_trained(programs)
try:
    list(together(map(closed, programs), 2))
except KeyboardInterrupt:
    print("interrupted")
"""
    assert printed_by(script) == ["closed", "True", "closed", "True", "interrupted"]


@needs_fork
def test_a_forked_child_drops_a_crew_that_it_cannot_use():
    script = """
crew = Crew(2).__enter__()
for seed in range(3):
    crew.submit(long_job(program(seed)))
if os.fork() == 0:
    for use in (lambda: crew.submit(job_of(program())), crew.collect):
        try:
            use()
        except RuntimeError as error:
            assert "belongs to the process that made it" in str(error)
    crew.__exit__()
    os._exit(0)
print(os.wait()[1])
crew.__exit__()
"""
    assert printed_by(script) == ["0"]


@needs_fork
@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="a sanitizer takes a child's threads for its parent's")
def test_a_forked_child_has_crews_of_its_own():
    script = """
with Crew(2) as crew:
    crew.submit(long_job(program()))
    if os.fork() == 0:
        with Crew(2) as own:
            own.submit(job_of(program()))
            print(len(own.collect()[1]), flush=True)
        os._exit(0)
    print(os.wait()[1])
"""
    assert printed_by(script) == ["1", "0"]


@pytest.mark.parametrize("keep", ["running", "del running", "raise SystemExit"])
def test_the_interpreter_may_end_before_a_crew(keep):
    script = f"""
short = (endless(program(seed)) if seed else iter([]) for seed in range(3))
running = together(short, 2)
print(next(running)[0])
{keep}
"""
    assert printed_by(script) == ["0"]


def test_a_daemon_thread_may_wait_for_a_crew_at_the_interpreters_end():
    script = """
threading.Thread(target=lambda: list(together([endless(program())], 1)), daemon=True).start()
time.sleep(0.1)
print("end")
"""
    assert printed_by(script) == ["end"]


def test_a_program_that_a_crew_trains_is_not_trained_by_another_call():
    trained = program()
    with Crew(1) as crew:
        crew.submit(long_job(trained))
        while trained.steps == 0:
            pass
        with pytest.raises(RuntimeError, match="another call is training this model already"):
            run(job_of(trained))
    steps = trained.steps
    run(job_of(trained))
    assert trained.steps == steps + 4


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts the threads in /proc")
def test_a_crew_has_as_many_threads_as_it_has_work_for():
    script = """
before = len(os.listdir("/proc/self/task"))
with program().crew(5) as crew:
    for seed in range(2):
        crew.submit(long_job(program(seed)))
    print(crew.threads, len(os.listdir("/proc/self/task")) - before, crew.collect(0.0))
"""
    assert printed_by(script) == ["5", "2", "None"]


def test_a_crew_that_has_been_left_takes_no_jobs():
    with native_crew(1) as crew:
        pass
    with pytest.raises(RuntimeError, match="dismissed"):
        crew.submit(job_of(program()))


def test_a_crew_has_the_engines_threads_unless_told_otherwise():
    with native.at_most(1), native_crew(None) as crew:
        assert crew.threads == 1
