"""A process for each library, which works only when asked, so that no library's threads disturb another."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Self

import numpy as np
from networks import Network, normal
from peers import Unsupported

REPEATS = 5


class Workers:
    """The processes of some libraries; each starts its turn some seconds after the one before."""

    def __init__(self, peers: Sequence[Any], settle: float) -> None:
        self.settle = settle
        context = multiprocessing.get_context("spawn")
        self.pipes: dict[str, Connection] = {}
        self.processes = []
        for peer in peers:
            self.pipes[peer.name], theirs = context.Pipe()
            self.processes.append(context.Process(target=serve, args=(peer, theirs), daemon=True))
            self.processes[-1].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes:
            process.kill()

    def ask(self, *request: Any) -> dict[str, Any]:
        """Ask everybody, one after another; those that cannot do it are left out."""
        answers = {}
        for name, pipe in self.pipes.items():
            pipe.send(request)
            answers[name] = pipe.recv()
        return {name: answer for name, answer in answers.items() if not isinstance(answer, Unsupported)}

    def best_times(self, names: Sequence[str], seconds: float) -> dict[str, float]:
        """Return each library's best time per call, in rounds that all take part in."""
        best = dict.fromkeys(names, float("inf"))
        for _ in range(REPEATS):
            for name in names:
                time.sleep(self.settle)
                self.pipes[name].send(("time", seconds / REPEATS))
                best[name] = min(best[name], self.pipes[name].recv())
        return best


def serve(peer: Any, pipe: Connection) -> None:
    """Prepare and time calls of one library, as asked."""
    call: Any = None
    while True:
        match pipe.recv():
            case ("prepare", kind, network, rows):
                try:
                    call, answer = prepare(peer, kind, network, rows)
                except Unsupported as error:
                    answer = error
                pipe.send(answer)
            case ("time", seconds):
                pipe.send(timed(call, seconds))


def prepare(peer: Any, kind: str, network: Network, rows: int) -> tuple[Any, np.ndarray | None]:
    """Return the call to time and what it gives the first time."""
    rng = np.random.default_rng(1)
    if kind == "predict":
        call = peer.predictor(network, normal(rng, rows, network.sizes[0]))
        return call, np.asarray(call())
    m = steps_of(network, rows) * rows
    X = normal(rng, m, network.sizes[0])
    y = rng.integers(0, network.sizes[-1], m) if network.classifies else normal(rng, m, 1)
    call = peer.trainer(network, X, y, rows)
    loss = call()
    return call, None if loss is None else np.array(loss)


def steps_of(network: Network, batch: int) -> int:
    """Return the number of training steps per call."""
    return 8 if batch * network.training_flops < 1e9 else 2


def timed(call: Any, seconds: float) -> float:
    """Return the seconds per call, the mean of as many calls as fill the time."""
    start = time.perf_counter()
    call()
    count = max(1, int(seconds / max(time.perf_counter() - start, 1e-7)))
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count
