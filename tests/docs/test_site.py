"""The site in a real browser, where `make docs` has built it: nothing goes wrong, nothing is asked for."""

from __future__ import annotations

import pytest

from tests.docs.pages import LESSONS, ROOT

SITE = ROOT / "docs" / "_build" / "html"
PAGES = sorted(page for page in SITE.rglob("*.html") if "_modules" not in page.parts)


@pytest.fixture(params=[("light", 1300), ("dark", 360)], ids=["light, wide", "dark, narrow"])
def context(browser, request):
    scheme, width = request.param
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    yield context
    context.close()


@pytest.mark.skipif(not PAGES, reason="the site is not built: make docs")
def test_every_page_of_the_site(context):
    wrong, asked, faults = [], [], []
    for path in PAGES:
        page = context.new_page()
        page.on("pageerror", lambda error, name=path.name: wrong.append((name, str(error))))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_load_state()
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append((path.name, "wider than the screen"))
        if page.evaluate("[...document.querySelectorAll('article img')].some((i) => !i.hasAttribute('alt'))"):
            faults.append((path.name, "a picture without words"))
        if page.evaluate("window.scrollY") > 0:
            faults.append((path.name, "scrolled away from its top"))
        page.close()
    assert len(PAGES) > 40
    assert wrong == []
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:", "blob:"))] == []


@pytest.mark.skipif(not PAGES, reason="the site is not built: make docs")
def test_every_lesson_of_the_site_has_drawn():
    drawn = {path.name for path in (SITE / "_images").iterdir()}
    assert [path.stem for path in LESSONS if f"sphx_glr_{path.stem}_001.png" not in drawn] == []
