"""Every page of the course site, opened in a browser on a wide screen and on that of a telephone."""

from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium, find_chromium
from built_site import pages, served, site
from playwright.sync_api import Browser, Page
from reading import NAMES

pytestmark = pytest.mark.skipif(
    find_chromium() is None,
    reason="no Chromium or Chrome on the PATH; COURSE_CHROMIUM may name one",
)
WIDTHS = (1400, 400)
#: Pages of each kind that are checked for accessibility; the others are made by the same templates.
READ = [f"notebooks/{name}.html" for name in NAMES] + [
    "index.html", "start.html", "notebooks/glossary.html", "full_size.html", "measured.html", "api.html",
    "api/course_utils.motifs.html", "CONTRIBUTING.html", "search.html",
]  # fmt: skip
#: WCAG 2.0, 2.1 and 2.2 at the levels A and AA.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Opened:
    """What happened on one page."""

    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    too_wide: dict[int, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def address():
    with served(site()) as where:
        yield where


def listen(page: Page, address: str) -> Opened:
    """Note what goes wrong on a page from now on."""
    seen = Opened()
    page.on("console", lambda said: said.type == "error" and seen.complaints.append(said.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("requestfailed", lambda request: seen.complaints.append(f"not loaded: {request.url}"))
    page.on("request", lambda request: request.url.startswith((address, "data:")) or seen.elsewhere.append(request.url))
    page.on("response", lambda answer: answer.status < 400 or seen.complaints.append(f"{answer.status}: {answer.url}"))
    return seen


def look_at(page: Page, address: str, name: str) -> Opened:
    """Open a page at each width, and say what is wrong."""
    seen = listen(page, address)
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.goto(f"{address}/{name}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            seen.too_wide[width] = wide
    return seen


def violations(browser: Browser, address: str, name: str, theme: str) -> list[str]:
    """What axe finds on a page, a line for each element."""
    page = browser.new_page(viewport={"width": 1400, "height": 900}, color_scheme=theme)
    try:
        page.goto(f"{address}/{name}")
        # Colours fade from one theme into another: what counts is where they end.
        page.add_style_tag(content="* { transition: none !important; animation: none !important }")
        page.wait_for_load_state("load")
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]
    finally:
        page.close()
    return [
        f"{rule['id']}: {node['target'][-1]}: {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found
        for node in rule["nodes"]
    ]


def test_no_page_complains_asks_elsewhere_or_is_wider_than_the_screen(browser, address):
    faults = {}
    for name in pages(site()):
        page = browser.new_page()
        seen = look_at(page, address, name)
        page.close()
        if seen != Opened():
            faults[name] = seen
    assert faults == {}


def test_what_is_wrong_with_a_page_would_be_noticed(browser, tmp_path):
    (tmp_path / "wrong.html").write_text(
        "<meta name='viewport' content='width=device-width'><img src='gone.png'><div style='width: 900px'>wide</div>"
        "<script src='https://example.org/x.js'></script><script>throw new Error('broken')</script>"
        "<p style='color: #bbbbbb; background: #ffffff'>pale</p>"
    )
    with served(tmp_path) as address:
        page = browser.new_page()
        seen = look_at(page, address, "wrong.html")
        page.close()
        found = violations(browser, address, "wrong.html", "light")
    assert seen.elsewhere == ["https://example.org/x.js"]
    assert any("gone.png" in said for said in seen.complaints) and any("broken" in said for said in seen.complaints)
    assert set(seen.too_wide) == {400}
    assert {line.split(":")[0] for line in found} >= {"color-contrast", "image-alt", "html-has-lang"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", READ)
def test_a_page_breaks_no_rule_of_accessibility(browser, address, name, theme):
    assert violations(browser, address, name, theme) == []


def test_the_search_finds_a_lesson(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/search.html?q=dilation")
    page.locator("#search-results li a").first.wait_for()
    titles = page.locator("#search-results li a").all_inner_texts()
    page.close()
    assert any("Dilated convolutions" in title for title in titles)


def test_hints_and_solutions_open_by_keyboard(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/notebooks/{NAMES[1]}.html")
    summary = page.locator("details summary", has_text="Solution").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open] pre").first.is_visible()
    page.close()
