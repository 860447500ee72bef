"""One method learns one split of one table: its scores and its seconds."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from .data import Data, split, typed
from .methods import CLASSIFY, Method
from .scores import of_classes, of_frequencies, of_numbers

BUSY = 1.5  # mean number of running programs, this one included, above which times are doubtful


def measure(name: str, method: Method, data: Data, seed: int) -> dict[str, Any]:
    """Return the scores on the test rows and the processor seconds of fit and predict.

    Processor time leaves out what other programs take, but not what they cost in shared caches; ``busy`` says
    that others ran.
    """
    parts = split(data, seed) if method.raw else typed(data, split(data, seed))
    estimator = method.make(data.task, seed, parts.X_train)
    begun = time.process_time()
    estimator.fit(parts.X_train, parts.y_train)
    fitted = time.process_time()
    if data.task == CLASSIFY:
        found = np.asarray(estimator.predict_proba(parts.X_test))
        predicted = time.process_time()
        scores = of_classes(parts.y_test, found) | of_frequencies(parts.y_train, parts.y_test)
    else:
        found = np.asarray(estimator.predict(parts.X_test))
        predicted = time.process_time()
        scores = of_numbers(parts.y_test, found)
    seconds = {"fit_seconds": fitted - begun, "predict_seconds": predicted - fitted}
    about = {"method": name, "table": data.name, "task": data.task, "split": seed}
    rows = {"training_rows": len(parts.y_train), "test_rows": len(parts.y_test)}
    return about | rows | scores | seconds | {"busy": os.getloadavg()[0] > BUSY}
