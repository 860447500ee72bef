"""Keras' arguments that change no number here: their harmless values are taken, the others are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastdense.core.checks import whole

__all__ = ["accept", "check_rows"]

Check = Callable[[str, Any], bool]

_ROWS = (
    "give it arrays X and y: join the batches of a generator, PyDataset, DataLoader or tf.data.Dataset by "
    "numpy.concatenate; memory-mapped arrays (numpy.load(path, mmap_mode='r')) need not fit into memory"
)
_ALL_ROWS = "every call goes through all rows once, in batches of batch_size"


def _any(name: str, value: Any) -> bool:
    """Return True: whatever is chosen, the numbers are the same."""
    return True


def _none(name: str, value: Any) -> bool:
    return value is None


def _count(name: str, value: Any) -> bool:
    return value is None or whole(name, value, 1) > 0


def _one(name: str, value: Any) -> bool:
    return value is None or value in (1, [1], (1,))


def _false(name: str, value: Any) -> bool:
    return value is None or value is False


# Per method: its arguments, what is taken, and what to do instead of the rest.
_STEPS: tuple[Check, str] = (_none, _ALL_ROWS)
_TABLE: dict[str, dict[str, tuple[Check, str]]] = {
    "compile": {
        "loss_weights": (_one, "a model has one loss: multiply sample_weight by the factor"),
        "run_eagerly": (_any, ""),
        "steps_per_execution": (_count, ""),
        "jit_compile": (_any, ""),
        "auto_scale_loss": (_any, ""),
    },
    "fit": {
        "steps_per_epoch": _STEPS,
        "validation_steps": _STEPS,
        "validation_batch_size": (_count, ""),
        "validation_freq": (_one, "every epoch is validated"),
    },
    "evaluate": {"steps": _STEPS, "callbacks": (lambda name, value: not value, "evaluate has no hooks")},
    "predict": {"steps": _STEPS, "callbacks": (lambda name, value: not value, "predict has no hooks")},
    "summary": {
        **dict.fromkeys(("line_length", "positions", "expand_nested", "show_trainable"), (_any, "")),
        "layer_range": (_none, "every layer is shown"),
    },
    "a model's call": {
        "training": (_false, "a call predicts, without dropout; fit and train_on_batch train"),
        "mask": (_none, "rows have no masks: leave out the rows"),
    },
}


def accept(call: str, given: Mapping[str, Any]) -> None:
    """Raise unless the arguments of a call are Keras' and change no number here.

    Parameters
    ----------
    call : str
        The method, such as "fit".
    given : mapping of str to value

    Raises
    ------
    TypeError
        An argument is unknown, or is a count and not a whole number.
    NotImplementedError
        An argument asks for something else than what is done here.
    """
    for name, value in given.items():
        if name not in _TABLE[call]:
            raise TypeError(f"{call} got an unexpected argument {name!r}")
        harmless, instead = _TABLE[call][name]
        if not harmless(name, value):
            raise NotImplementedError(f"{call} cannot take {name}={value!r:.100}: {instead}")


def check_rows(call: str, x: Any, y: Any) -> None:
    """Raise TypeError if there are no targets, as for a generator or a data set of batches."""
    if y is None:
        raise TypeError(f"{call} needs targets y, got none with x of type {type(x).__name__}: {_ROWS}")
