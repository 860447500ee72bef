"""How many threads the compiled engine may use: read, set, and announced to threadpoolctl."""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastdense._version import __version__
from fastdense.native import _core

__all__ = ["MOST_THREADS", "at_most", "count_of", "get_threads", "set_threads", "tell_threadpoolctl"]

MOST_THREADS = 4096  # far above any machine's cores; a larger number is a mistake, not a wish


_announced: set[str] = set()


def get_threads() -> int:
    """Return how many threads the native engine may use, called from this thread.

    Returns
    -------
    threads : int
        What `set_threads` or threadpoolctl set, or the environment variable ``FASTDENSE_NUM_THREADS``, or
        ``OMP_NUM_THREADS`` (by which job schedulers and joblib share a machine out), or `usable_cores`, and
        within `at_most` no more than its limit. Small work uses fewer; the results are the same bits for any
        number.
    """
    return _core.max_threads()


def set_threads(threads: int | None) -> None:
    """Set how many threads the native engine may use.

    Parameters
    ----------
    threads : int or None
        At least 1; None goes back to the default.

    Raises
    ------
    ValueError
        ``threads`` is out of range.
    TypeError
        It is not a whole number.
    """
    _core.set_max_threads(count_of(threads))


@contextmanager
def at_most(threads: int | None) -> Iterator[None]:
    """Limit the threads of native calls that this thread makes within the ``with`` block.

    Calls from other Python threads are not limited by it, those started within the block included. Results
    are the same bits with any limit.

    Parameters
    ----------
    threads : int or None
        At least 1; None sets no limit of its own. What is set for the process is not exceeded, nor the limit
        of a block around this one.

    Raises
    ------
    ValueError, TypeError
        As in `set_threads`.
    """
    if threads is None:
        yield
        return
    count = count_of(threads)
    before = _core.limit_this_thread(count)
    try:
        if before:
            _core.limit_this_thread(min(before, count))
        yield
    finally:
        _core.limit_this_thread(before)


def count_of(threads: int | None) -> int:
    """Return how many threads are meant, 0 for None."""
    if threads is None:
        return 0
    if isinstance(threads, bool) or not hasattr(threads, "__index__"):
        raise TypeError(f"threads must be a whole number or None, not {threads!r}")
    count = operator.index(threads)
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(f"threads must be from 1 to {MOST_THREADS}, not {count}")
    return count


def _read_environment() -> None:
    """Make what the environment says the default.

    Raises
    ------
    ValueError
        ``FASTDENSE_NUM_THREADS`` is not a number of threads.
    """
    wanted = os.environ.get("FASTDENSE_NUM_THREADS", "").strip()
    if wanted:
        if not (wanted.isdecimal() and 1 <= int(wanted) <= MOST_THREADS):
            raise ValueError(
                f"FASTDENSE_NUM_THREADS={wanted!r} must be a whole number from 1 to {MOST_THREADS}"
            )
        _core.set_default_threads(int(wanted))
        return
    shared = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # a number for each level of nesting
    if shared.isdecimal() and 1 <= int(shared) <= MOST_THREADS:
        _core.set_default_threads(int(shared))


def tell_threadpoolctl() -> None:
    """Let ``threadpoolctl.threadpool_limits`` limit our threads as it does those of BLAS and OpenMP.

    Nothing is imported for it: who wants to limit threads has imported threadpoolctl, or scikit-learn, which
    does. Called where the engine is loaded and where a network is compiled.
    """
    threadpoolctl = sys.modules.get("threadpoolctl")
    if threadpoolctl is None or "threadpoolctl" in _announced:
        return
    _announced.add("threadpoolctl")

    class FastdenseController(threadpoolctl.LibController):  # type: ignore[name-defined, misc]
        user_api = internal_api = "fastdense"
        filename_prefixes = ("_core",)
        check_symbols = ("fastdense_max_threads",)

        def get_num_threads(self) -> int:
            # What is asked for is set again for the whole process when a limit ends: not one thread's number.
            return _core.threads_of_process()

        def set_num_threads(self, num_threads: Any) -> None:
            set_threads(num_threads)

        def get_version(self) -> str:
            return __version__

    threadpoolctl.register(FastdenseController)


_read_environment()
tell_threadpoolctl()
