"""Every public name has a place in the API's pages, and every link within the repository leads somewhere."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pytest

import fastdense as fd
from tests.docs.pages import PAGES, ROOT, extension, need, text_of

names = extension("public_names")  # what the site's own directives know; it needs no Sphinx

API = ROOT / "docs" / "api"
ROOM = re.compile(r"^\.\. room:: (\S+)\n((?:   .*\n|\n)*)", flags=re.MULTILINE)
ENTRY = re.compile(r"^\.\. auto(module|class|function):: (\S+)$", flags=re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def documented():
    """Yield what the pages of the API document."""
    for path in API.glob("*.rst"):
        page = path.read_text(encoding="utf-8") + "\n"
        for kind, name in ENTRY.findall(page):
            yield import_module(name) if kind == "module" else getattr(fd, name)
        for home, content in ROOM.findall(page):
            module = import_module(home)
            yield module
            listed = re.findall(r"^   (\w+)$", content, flags=re.MULTILINE)
            yield from (getattr(module, name) for name in listed or names.names_in(module))


def test_every_public_name_has_a_place():
    need("sklearn")
    places = {id(value) for value in documented()}
    missing = [
        name for name, value in names.public_names() if id(value) not in places and not isinstance(value, str)
    ]
    assert missing == []


def test_the_names_are_those_that_the_package_offers():
    need("sklearn")
    found = {name for name, _ in names.public_names()}
    assert {f"fastdense.{name}" for name in fd.__all__} <= found
    assert {f"fastdense.losses.{name}" for name in fd.losses.__all__} <= found


def test_every_method_of_the_model_has_a_place():
    page = (API / "network.rst").read_text(encoding="utf-8")
    places = set(re.findall(r"^\.\. auto(?:method|property):: Sequential\.(\w+)$", page, flags=re.MULTILINE))
    public = {name for name in dir(fd.Sequential) if not name.startswith("_")}
    kinds = {name: inspect.getattr_static(fd.Sequential, name) for name in public}
    assert places == {
        name for name, kind in kinds.items() if inspect.isroutine(kind) or isinstance(kind, property)
    }


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.M | re.S)
    here = (ROOT / page).parent
    lost = [link for link in LINK.findall(text) if ":" not in link and not (here / link).exists()]
    # The tutorial's pages are made from its scripts when the site is built.
    made = [link for link in lost if (here / link).resolve().is_relative_to(ROOT / "docs" / "lessons")]
    assert sorted(set(lost) - set(made)) == []


SOURCE = re.compile(r"`([\w/]+\.(?:py|cpp|h|inc))`")
SOURCES = [
    path.relative_to(ROOT).as_posix()
    for folder in ("src", "native", "tests", "benchmarks", "examples", "docs")
    for path in (ROOT / folder).rglob("*.*")
]


@pytest.mark.parametrize("page", PAGES)
def test_a_source_file_that_a_page_names_exists(page):
    lost = [
        name
        for name in SOURCE.findall(text_of(page))
        if not any(f"/{path}".endswith(f"/{name}") for path in SOURCES)
    ]
    assert not lost
