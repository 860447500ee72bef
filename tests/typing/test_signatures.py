"""Type checkers see the public signatures: they pass the pages' Python, and a file's right calls alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastdense
from tests.docs.pages import PAGES, extension, need, text_of

pages = extension("pages")
CALLS = Path(__file__).with_name("calls.py")
ABOVE = Path(fastdense.__file__).parents[1]
# Libraries without types, and those that need not be installed.
UNTYPED = ("sklearn", "torch", "tensorflow", "jax", "keras", "onnx", "onnxruntime", "pandas", "polars")
# Pages use values that may be None, names for another array, and (in one) lambdas with defaults.
MYPY = """[mypy]
strict_optional = False
allow_redefinition = True
[mypy-docs_guides_serve]
disable_error_code = misc
"""
PYRIGHT = {
    "typeCheckingMode": "standard",
    "extraPaths": [str(ABOVE)],
    "reportMissingImports": False,
    "reportMissingModuleSource": False,
    "reportMissingTypeStubs": False,
    "reportOptionalMemberAccess": False,
    "reportOptionalSubscript": False,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the calls and each page's Python, its lines where the page has them."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "calls.py").write_text(CALLS.read_text(encoding="utf-8"), encoding="utf-8")
    for page in PAGES:
        lines = [""] * (text_of(page).count("\n") + 1)
        for block in pages.blocks_of(text_of(page)):
            if block.language == "python":
                own = block.text.splitlines()
                lines[block.line - 1 : block.line - 1 + len(own)] = own
        name = re.sub(r"\W", "_", page.removesuffix(".md"))
        (folder / f"{name}.py").write_text("\n".join(lines), encoding="utf-8")
    stubs = folder / "typings" / "sklearn"  # pyright's guesses at what these return are wrong
    stubs.mkdir(parents=True)
    for module in ("datasets", "model_selection"):
        text = "from typing import Any\ndef __getattr__(name: str) -> Any: ...\n"
        (stubs / f"{module}.pyi").write_text(text, encoding="utf-8")
    return folder


def run(folder, *arguments, **variables):
    """Run a type checker in a folder; return what it prints."""
    command = [sys.executable, "-m", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    ).stdout


def mypy(folder):
    """Yield the file and line of each of mypy's errors, with its message."""
    untyped = [f"[mypy-{name}.*]\nignore_missing_imports = True\nfollow_imports = skip\n" for name in UNTYPED]
    (folder / "mypy.ini").write_text(MYPY + "".join(untyped), encoding="utf-8")
    above = "" if "site-packages" in ABOVE.parts else str(ABOVE)
    files = sorted(path.name for path in folder.glob("*.py"))
    # Errors of the package itself are found elsewhere, with its own settings.
    for line in run(folder, "mypy", *files, MYPYPATH=above).splitlines():
        found = re.match(r"(\w+\.py):(\d+): error: (.*)", line)
        if found:
            yield found[1], int(found[2]), found[3]


def pyright(folder):
    """Yield the same of pyright's."""
    (folder / "pyrightconfig.json").write_text(json.dumps(PYRIGHT), encoding="utf-8")
    said = json.loads(run(folder, "basedpyright", "--outputjson", "--pythonpath", sys.executable))
    assert said["summary"]["filesAnalyzed"] > len(PAGES)
    for each in said["generalDiagnostics"]:
        if each["severity"] == "error":
            yield Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["message"]


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_right_calls_pass_and_wrong_ones_do_not(checker, folder):
    need({mypy: "mypy", pyright: "basedpyright"}[checker])
    errors = list(checker(folder))
    ends = ("# refused", f"# refused by {checker.__name__}")
    lines = enumerate(CALLS.read_text(encoding="utf-8").splitlines(), 1)
    wrong = {number for number, line in lines if line.endswith(ends)}
    assert [error for error in errors if error[0] != "calls.py" or error[1] not in wrong] == []
    assert {number for file, number, _ in errors if file == "calls.py"} == wrong
