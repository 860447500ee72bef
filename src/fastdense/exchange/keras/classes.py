"""Which class a description names: one of Keras', or a user's, which is never imported."""

from __future__ import annotations

import re
from typing import Any

from fastdense.errors import FormatError

__all__ = ["check_own", "is_function"]

_OWN = re.compile(r"(tf_)?keras(\.src)?(\.(activations|engine|layers|models|ops)(\.\w+)*)?")
_OPERATION = re.compile(r"keras(\.src)?\.ops(\.\w+)*")


def check_own(entry: dict[str, Any]) -> None:
    """Raise FormatError if a class is not one of Keras' own, though it may have the name of one.

    Keras writes the module of its own classes, and null or another for others. Files from before version 2.13
    say nothing of modules; only a class that was registered has the package in its name there.
    """
    module, registered = entry.get("module", "keras"), entry.get("registered_name")
    if not (registered is None or isinstance(registered, str)):
        raise FormatError(f"it is registered as {registered!r:.200}, which is not a name")
    if module is None or ">" in (registered or ""):
        raise FormatError(f"it is a user's class, registered as {registered!r:.200}, and never imported")
    if not (isinstance(module, str) and _OWN.fullmatch(module)):
        raise FormatError(f"it is of the module {module!r:.200}, which is never imported")


def is_function(entry: dict[str, Any]) -> bool:
    """Return True if an entry among the layers is a function of ``keras.ops`` or TensorFlow's."""
    if entry["class_name"] in ("TFOpLambda", "TensorFlowOpLayer"):
        return True
    return bool(_OPERATION.fullmatch(str(entry.get("module"))))
