"""The site in a real browser, where `make docs` has built it: nothing goes wrong, nothing is asked for."""

from __future__ import annotations

import pytest

from tests.docs.pages import LESSONS, ROOT

SITE = ROOT / "docs" / "_build" / "html"
PAGES = sorted(page for page in SITE.rglob("*.html") if "_modules" not in page.parts)

SCREENS = {"light, wide": ("light", 1300), "dark, narrow": ("dark", 360)}


@pytest.mark.skipif(not PAGES, reason="the site is not built: make docs")
def test_every_page_of_the_site(browser):
    context = browser.new_context()
    page, wrong, asked, faults = context.new_page(), [], [], []
    page.on("pageerror", lambda error: wrong.append((page.url, str(error))))
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        page.goto(path.as_uri())
        page.wait_for_load_state()
        if page.evaluate("[...document.querySelectorAll('article img')].some((i) => !i.hasAttribute('alt'))"):
            faults.append((path.name, "a picture without words"))
        for screen, (scheme, width) in SCREENS.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                faults.append((path.name, screen, "wider than the screen"))
            if page.evaluate("window.scrollY") > 0:
                faults.append((path.name, screen, "scrolled away from its top"))
    context.close()
    assert len(PAGES) > 40
    assert wrong == []
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:", "blob:"))] == []


@pytest.mark.skipif(not PAGES, reason="the site is not built: make docs")
def test_every_lesson_of_the_site_has_drawn():
    drawn = {path.name for path in (SITE / "_images").iterdir()}
    assert [path.stem for path in LESSONS if f"sphx_glr_{path.stem}_001.png" not in drawn] == []
