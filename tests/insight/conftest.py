"""Pages opened in a browser; reports that time nothing for long."""

from __future__ import annotations

import contextlib
import importlib

import pytest


@pytest.fixture(autouse=True, scope="module")
def brief():
    """Reports that take a thousandth of a second to time a prediction."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("fastdense.insight.report.measure"), "SECONDS", 1e-3)
        yield


@pytest.fixture
def opened(browser):
    """Return a context of an opened file's page, in which nothing may go wrong and nothing leave it."""

    @contextlib.contextmanager
    def open_file(path, **options):
        context = browser.new_context(**options)
        page, wrong, asked = context.new_page(), [], []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        yield page
        assert wrong == []
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        context.close()

    return open_file
