"""Scripts written for Keras run here with their import lines changed, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.keras import both  # noqa: F401  # skips these tests where Keras is not installed

SCRIPTS = sorted(Path(__file__).with_name("scripts").glob("*.txt"))
EXPECTED = {
    "coffee": "accuracy above 0.85: True",
    "digits": "accuracy above 0.95: True",
}


def for_fastdense(script):
    """Return the script with ``keras`` replaced in its import lines."""
    script = re.sub(r"^import keras$", "import fastdense as keras", script, flags=re.MULTILINE)
    return re.sub(r"^from keras\b", "from fastdense", script, flags=re.MULTILINE)


def results(script, folder):
    """Run a script and return what it prints after the line "Results"."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("Results\n")[2].splitlines()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_needs_only_its_import_changed(path, tmp_path):
    script = path.read_text(encoding="utf-8")
    changed = for_fastdense(script)
    assert "from keras" not in changed
    theirs, ours = (results(text, tmp_path) for text in (script, changed))
    assert EXPECTED[path.stem] in ours
    assert ours == theirs


def test_every_script_is_run():
    assert [path.stem for path in SCRIPTS] == sorted(EXPECTED)
