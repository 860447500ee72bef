"""What several threads see of a model: it changes as a whole, and one call at a time trains it.

A model's weights lie in its layers, which other models may share, the optimizer's state in the model and
the count of steps in the optimizer. Their arrays are never written to: a change of a model makes new
arrays and puts them in place. Two rules keep what every reader sees whole:

**At once.** `replace` sets any number of attributes of any objects in one call into C, under a lock, and
`read` reads any number in the same way. So no thread, no signal's handler and no Ctrl-C comes between two
layers: each finds all of the old or all of the new. The lock is held while pointers are copied; nothing is
computed under it.

**Versions.** A layer is `Versioned`: whatever sets one of its attributes gives it another ``version`` in the
same call. What was compiled from a layer is current for as long as the layer still has that version.

**One at a time.** What trains (`fit`, `train_on_batch`) makes a `claim` on the model and its layers. Until
its end nothing else replaces them: `set_weights`, `compile` or `fit` in another thread raises `BusyError`,
and so does a `fit`, `train_on_batch` or `compile` inside a callback. A callback may set weights. Readers
need no claim: `predict`, `evaluate`, `save` and copies work on what `read` gave them, the last state that
training put in place.

A claim lasts as long as a lock that a ``with`` block holds, since C code releases that: Ctrl-C between two
lines of a ``finally`` would leave the model claimed for ever. It is over, too, when nothing holds that lock.
In a forked process the claims of other threads are void: it does not have those threads, and goes on from the
last state in place.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, NamedTuple

from fastdense.errors import BusyError

__all__ = ["Change", "Versioned", "check_free", "claim", "read", "replace", "undisturbed"]

Change = tuple[object, str, Any]
"""An object, the name of an attribute, and its new value."""


class Versioned:
    """Base of objects that have another ``version`` after every change of an attribute."""

    version: object = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, and with it the version."""
        replace([(self, name, value)], None)


class Claim(NamedTuple):
    """A call that trains, for as long as there is its lock and that is locked."""

    held: weakref.ref[threading.Lock]
    thread: int
    call: str

    def lasts(self) -> bool:
        """Return True until the call is over."""
        held = self.held()
        return held is not None and held.locked()


class _Process:
    """What this process has one of."""

    lock = threading.RLock()  # reentrant: a signal's handler may set weights while this thread is about to
    claims: ClassVar[
        dict[int, Claim]
    ] = {}  # by the id of what is claimed, which the claim's caller keeps alive


def undisturbed() -> AbstractContextManager[Any]:
    """Return a context in which no other thread replaces or claims anything: for a look and a `replace`."""
    return _Process.lock


def read(places: Iterable[tuple[object, str]]) -> tuple[Any, ...]:
    """Return the values of attributes as they are at one moment.

    Parameters
    ----------
    places : iterable of (object, name)
        Plain attributes: none that runs Python code.
    """
    places = list(places)
    owners, names = [owner for owner, _ in places], [name for _, name in places]
    with _Process.lock:
        return tuple(map(getattr, owners, names))


def replace(changes: Iterable[Change], call: str | None, within: bool = True) -> dict[int, object]:
    """Set attributes, all or none of them, and the versions of what is `Versioned`.

    Parameters
    ----------
    changes : iterable of (object, name, value)
    call : str or None
        The method's name, for messages; None sets them even if the objects are claimed.
    within : bool
        Allow it to the thread that has claimed one of the objects, from a callback.

    Returns
    -------
    dict of int to object
        By the ``id`` of every version that was replaced, the new one.

    Raises
    ------
    BusyError
        One of the objects is claimed; nothing is changed.
    """
    changes = list(changes)
    versioned = {id(owner): owner for owner, _, _ in changes if isinstance(owner, Versioned)}.values()
    # Versions first: if a property among the attributes raises, nothing compiled before counts as current.
    changes[:0] = [(owner, "version", object()) for owner in versioned]
    owners, names, values = zip(*changes, strict=True) if changes else ((), (), ())
    with _Process.lock:
        if call is not None:
            check_free(owners, call, within)
        before = [id(owner.version) for owner in versioned]
        deque(map(object.__setattr__, owners, names, values), maxlen=0)
    return dict(zip(before, values[: len(before)], strict=True))


def claim(held: threading.Lock, owners: Sequence[object], call: str) -> None:
    """Claim objects for a call of this thread, until ``held`` is released.

    Parameters
    ----------
    held : threading.Lock
        A new one, which the caller has locked in a ``with`` statement.
    owners : sequence of object
    call : str
        The method's name, for messages.

    Raises
    ------
    BusyError
        One of them is claimed already.
    """
    own = dict.fromkeys(map(id, owners), Claim(weakref.ref(held), threading.get_ident(), call))
    with _Process.lock:
        check_free(owners, call, within=False)
        over = [key for key, each in _Process.claims.items() if not each.lasts()]
        for key in over:
            del _Process.claims[key]
        _Process.claims.update(own)


def check_free(owners: Iterable[object], call: str, within: bool = True) -> None:
    """Raise BusyError if one of the objects is claimed; ``within``: by another thread than this one."""
    for owner in owners:
        found = _Process.claims.get(id(owner))
        if found is None or not found.lasts():
            continue
        if found.thread != threading.get_ident():
            raise BusyError(
                f"{call} would change a model that {found.call} is training in another thread: wait for its "
                f"end, or work on a copy (copy.deepcopy)"
            )
        if not within:
            raise BusyError(
                f"{call} was called inside {found.call} of this model, by a callback or a signal's handler: "
                f"call it after {found.call} has returned, or on a copy (copy.deepcopy)"
            )


def _forked() -> None:
    """Void the claims of threads that a forked process does not have, and make a new lock."""
    _Process.lock = threading.RLock()
    here = threading.get_ident()
    for key in [key for key, each in _Process.claims.items() if each.thread != here]:
        del _Process.claims[key]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
