"""The networks of a table, trained one by one or side by side."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastdense import engines
from fastdense.core.notes import note
from fastdense.core.streams import NETWORKS, WEIGHTS, generator
from fastdense.engines.jobs import Crew, alone, together
from fastdense.errors import TableWarning
from fastdense.native import get_threads
from fastdense.tabular.architecture import network_of
from fastdense.tabular.fitting import Course, Plan
from fastdense.tabular.folds import Part, halves, parts_of
from fastdense.tabular.progress import Progress
from fastdense.tabular.settings import Settings
from fastdense.tabular.starts import start_from
from fastdense.tabular.subject import Subject
from fastdense.tabular.timing import Pace, fitted, measured

__all__ = ["Team"]


class _Crew(Crew):
    """Takes on all networks at once, so that they end together and no thread is idle beside the last one."""

    @property
    def has_room(self) -> bool:
        """True: there are a few networks, each of which has one job under way."""
        return True


@dataclass(frozen=True, eq=False)
class Team:
    """The networks of a table and their training.

    Attributes
    ----------
    subject : Subject
    settings : Settings
    seed : int
    """

    subject: Subject
    settings: Settings
    seed: int

    def train(self, deadline: float = math.inf) -> list[Course]:
        """Train the networks, if possible until a deadline by ``time.monotonic``.

        Returns
        -------
        list of Course
            Those with an epoch.

        Raises
        ------
        NonFiniteLossError
            Training diverged in its first epoch.
        KeyboardInterrupt
            Ctrl-C was pressed before an epoch had ended.
        """
        parts = self._parts()
        networks, plan = self._plan(parts[0], deadline)
        total = networks * plan.epochs
        progress = Progress(self.settings.verbose, self.subject.goal.metric, total)
        courses = [self._course(i, part, plan) for i, part in enumerate(parts[:networks])]
        for course in courses:
            course.deadline, course.heard = deadline, progress.heard
        try:
            self._run(courses)
        except KeyboardInterrupt:
            done = sum(len(course.losses) for course in courses)
            if not done:
                raise
            note(f"interrupted after {done} of {total} epochs: the result is the best so far", TableWarning)
        finally:
            progress.close()
        return [course for course in courses if course.losses]

    @property
    def threads(self) -> int:
        """The threads that train."""
        return self.settings.n_threads or get_threads()

    def _parts(self) -> list[Part]:
        """Return the rows of each network."""
        settings, rows, judges = self.settings, self.subject.rows, self.subject.validation
        if judges is not None:
            everything, places = np.arange(len(rows)), np.arange(len(judges))
            part = Part(everything, places, halves(len(places), self.seed, 0))
            return [part] * settings.n_models
        strata = rows.y if self.subject.goal.classify else np.zeros(len(rows), dtype=np.int64)
        return parts_of(strata, settings.n_models, settings.folds, self.seed)

    def _course(self, number: int, part: Part, plan: Plan) -> Course:
        """Return the training of a network, with its first weights."""
        subject = self.subject
        seed = int(generator(self.seed, NETWORKS, number).integers(2**63))
        model = network_of(subject.layout, subject.goal, subject.recipe, seed)
        rng = generator(seed, WEIGHTS, len(model.layers))
        some = rng.permutation(part.training)[: subject.recipe.start_rows]
        start_from(model, subject.rows.X[some], rng)
        return Course(subject, model, part, plan)

    def _run(self, courses: list[Course]) -> None:
        if len(courses) == 1:
            with engines.at_most(self.settings.n_threads):
                alone(courses[0].fit())
            return
        for _, came in together([course.fit() for course in courses], crew=_Crew(self.threads)):
            if isinstance(came, Exception):
                raise came

    def _plan(self, part: Part, deadline: float) -> tuple[int, Plan]:
        """Return how many networks to train, and for how long each."""
        epochs: Any = self.subject.recipe.epochs  # a number, the recipe being of one task
        networks = self.settings.n_models
        whole = Plan(epochs, self.subject.steps(len(part.training)), epochs)
        if deadline == math.inf:
            return networks, whole
        pace = self._pace(part, whole, deadline)
        found, plan = fitted(pace, whole, networks, self.threads, deadline - time.monotonic())
        if found < networks:
            note(f"time_limit has room for {found} of {networks} networks", TableWarning)
        return found, plan

    def _pace(self, part: Part, whole: Plan, deadline: float) -> Pace:
        """Return how long training takes with as many networks side by side as there may be."""
        crowd = range(min(self.threads, self.settings.n_models))

        def seconds(steps: int) -> float:
            courses = [self._course(i, part, Plan(1, steps, 1)) for i in crowd]
            clock = time.perf_counter()
            self._run(courses)
            return time.perf_counter() - clock

        return measured(seconds, whole.steps, deadline - time.monotonic())
