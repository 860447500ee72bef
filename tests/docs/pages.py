"""The README and the pages of the site, and the modules of the site's own extensions that need no Sphinx."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "docs" / "tutorial").glob("plot_*.py"))
# Made from others when the site is built.
GENERATED = (ROOT / "docs" / "lessons", ROOT / "docs" / "_build")
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
    if not any(path.is_relative_to(folder) for folder in GENERATED)
)


def extension(name):
    """Return a module of the site's extensions."""
    spec = spec_from_file_location(f"site_{name}", ROOT / "docs" / "_ext" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(page):
    """Return a page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def need(*packages):
    """Skip the test where a package is not installed; looking for it does not import it."""
    for package in packages:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
