r"""Text from files and tables for a terminal: what would steer the terminal is shown as an escape.

A name in a file from a stranger may hold ``\x1b[2J``, which clears the screen, or a mark that shows the rest
of the line from right to left (N. Boucher, R. Anderson, "Trojan Source: Invisible Vulnerabilities", 2021).
All other text, of any script, stays as it is.
"""

from __future__ import annotations

import re

__all__ = ["printable", "printable_lines"]

# Controls (C0, DEL, C1), separators of lines and paragraphs, embeddings, overrides and isolates of direction,
# and lone surrogates, which stand for the bytes of a file's name that are not UTF-8 and cannot be encoded.
_STEERING = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_IN_A_LINE = re.compile(f"[{_STEERING}]")
_IN_LINES = re.compile(rf"(?![\n\t])[{_STEERING}]")


def printable(text: object) -> str:
    r"""Return a text, such as a name, as one line that a terminal shows and does not obey.

    Examples
    --------
    >>> print(printable("caf\u00e9 \x1b[2J\n"))
    café \x1b[2J\n
    """
    return _IN_A_LINE.sub(_escape, str(text))


def printable_lines(text: object) -> str:
    r"""Return a text of several lines likewise; its line feeds and tabs stay.

    Examples
    --------
    >>> print(printable_lines("one\ntwo \x1b[2J"))
    one
    two \x1b[2J
    """
    return _IN_LINES.sub(_escape, str(text))


def _escape(found: re.Match[str]) -> str:
    return ascii(found.group())[1:-1]
