"""What the library says, in a command's words: options in the place of Python's arguments."""

from __future__ import annotations

import ast
import re
import shlex

__all__ = ["in_options"]

_TRAINING = "task types validation test seed epochs batch_size learning_rate weight_decay dropout"
_SEARCH = "cv candidates score max_time n_threads"
_ANY = "|".join([*_TRAINING.split(), *_SEARCH.split(), "order", "prefix", "name", "table"])
_OPTIONS = {
    "types": "--type",
    "max_time": "--time",
    "n_threads": "--threads",
}  # where an argument's name is not its option's
_VALUE = r"'[\w-]*'|\{[^{}]*\}|\[[^\[\]]*\]|\.\.\.|\d+(?:\.\d+)?|False"
# Not within a path or a quoted name, which may look like an argument.
_GIVEN = re.compile(rf"(?<![\w/.'\"-])(with )?({_ANY})=({_VALUE})?(?=[\s,;:)]|$)")
_FIRST = re.compile(rf"^({_ANY})(?= must |: )")
_WEIGHTS = "fastdense.formats.torch.network_from_torch_weights"


def in_options(message: str) -> str:
    """Return a message with options in the place of arguments.

    Examples
    --------
    >>> in_options("leave it out: types={'zip code': 'ignore'}")
    "leave it out: --type 'zip code=ignore'"
    >>> in_options("batch_size must be at least 1; give one as name=")
    '--batch-size must be at least 1; give one as --name'
    """
    message = _FIRST.sub(lambda found: _option(found[1]), message)
    message = _GIVEN.sub(lambda found: _given(*found.groups(default="")), message)
    return message.replace(_WEIGHTS, "`fastdense import FILE --activation relu`")


def _option(argument: str) -> str:
    return _OPTIONS.get(argument, f"--{argument.replace('_', '-')}")


def _given(before: str, argument: str, value: str) -> str:
    option = _option(argument)
    if value == "False":
        return f"without {option}"
    if value in ("", "..."):
        return before + option
    try:
        given = ast.literal_eval(value)
    except (ValueError, SyntaxError):  # cut short, say
        return before + option
    if isinstance(given, dict):
        return before + " ".join(f"{option} {shlex.quote(f'{name}={kind}')}" for name, kind in given.items())
    text = ",".join(map(str, given)) if isinstance(given, list) else str(given)
    return f"{before}{option} {shlex.quote(text)}"
