"""A browser without a window, for the pages; reports that time nothing for long."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """Reports that take a thousandth of a second to time a prediction."""
    monkeypatch.setattr(importlib.import_module("fastdense.insight.report.measure"), "SECONDS", 1e-3)


@pytest.fixture(scope="session")
def browser():
    """Return Chromium; a test that asks for it is skipped where there is none."""
    if "LD_PRELOAD" in os.environ:
        pytest.skip("a browser does not start with a sanitizer's library in it")
    api = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


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
