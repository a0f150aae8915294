"""Photographs every lesson, to be looked at: in JupyterLab after a run, and as a plain HTML export.

    python tools/shots.py [LESSON ...]

Writes shots/NAME.lab.png (run anew, explorers alive) and shots/NAME.html-WIDTH.png (as saved, on
a wide page and on that of a telephone), cut into numbered parts where a lesson is tall, and prints
what the browser complained of. No network is used; formulas of the export therefore stay as TeX.
"""

import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import JupyterLab, chromium, find_chromium, jupyterlab, open_lesson  # noqa: E402
from executing import copy_lessons  # noqa: E402
from reading import NAMES, tagged  # noqa: E402

SHOTS = ROOT / "shots"
WIDTHS = (1400, 400)
TALLEST = 2000  # pixels of one picture: more, and it cannot be read at a glance
# What an export shows of an output, best first: of an explorer its still picture, not the widget.
SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "text/latex", "text/plain"]


def main(names: list[str]) -> int:
    """Photograph the lessons of these names, or all."""
    if find_chromium() is None:
        print("there is no Chromium or Chrome here; COURSE_CHROMIUM may name one")
        return 1
    if wrong := set(names) - set(NAMES):
        print(f"no lesson {', '.join(sorted(wrong))}; there are {', '.join(NAMES)}")
        return 1
    SHOTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        lessons = copy_lessons(ROOT / "notebooks", Path(place, "lessons"))
        with jupyterlab(lessons, Path(place), whole=True) as lab:
            for name in names or NAMES:
                for old in SHOTS.glob(f"{name}.*.png"):
                    old.unlink()
                photograph_lab(browser, lab, name)
                photograph_export(browser, name, Path(place))
    return 0


def photograph_lab(browser: Browser, lab: JupyterLab, name: str) -> None:
    """Run a lesson in JupyterLab and take all of it, without menus and bars."""
    view = {"width": 1400, "height": TALLEST}
    with open_lesson(browser, lab, f"{name}.ipynb", viewport=view) as lesson:
        lesson.run()
        lesson.explorers(len(tagged(name, "explorer")))
        panel = lesson.page.locator(".jp-WindowedPanel-outer").first
        # The room below the last cell is JupyterLab's, not the lesson's.
        last = panel.locator(".jp-Cell").last
        box = panel.bounding_box()
        tall = last.evaluate(
            "(cell, panel) => cell.getBoundingClientRect().bottom + panel.scrollTop"
            " - panel.getBoundingClientRect().top",
            panel.element_handle(),
        )
        scroll = "(panel, top) => { panel.scrollTop = top; return panel.scrollTop }"
        for path, top, height in parts(f"{name}.lab", tall + 10, box["height"]):
            above = top - panel.evaluate(scroll, top)  # the last part cannot be scrolled to the top
            lesson.page.wait_for_timeout(500)
            clip = {**box, "y": box["y"] + above, "height": min(height, box["height"] - above)}
            lesson.page.screenshot(path=path, clip=clip)
            print(f"{path.relative_to(ROOT)}: {box['width']:.0f} x {clip['height']:.0f}")
        for complaint in lesson.complaints:
            print(f"  complaint: {complaint}")


def photograph_export(browser: Browser, name: str, folder: Path) -> None:
    """Export a lesson as saved, and take the page at each width."""
    book = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    book.metadata.pop("widgets", None)
    # Nothing is to be loaded from elsewhere.
    elsewhere = dict.fromkeys(["mathjax_url", "require_js_url", "jquery_url", "mermaid_js_url"], "")
    config = Config({"NbConvertBase": {"display_data_priority": SHOWN}})
    exporter = HTMLExporter(config=config, embed_images=True, **elsewhere)
    resources = {"metadata": {"path": str(ROOT / "notebooks"), "name": name}}
    html, _ = exporter.from_notebook_node(book, resources)
    path = folder / f"{name}.html"
    path.write_text(html, encoding="utf-8")
    for width in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(path.as_uri())
        photograph_page(page, f"{name}.html-{width}", width)
        page.close()


def photograph_page(page: Page, name: str, width: int) -> None:
    """Take a page from top to bottom, and say if it is wider than it should be."""
    tall, wide = page.evaluate(
        "[document.documentElement.scrollHeight, document.documentElement.scrollWidth]"
    )
    for path, top, height in parts(name, tall, TALLEST):
        clip = {"x": 0, "y": top, "width": width, "height": height}
        page.screenshot(path=path, clip=clip, full_page=True)
        print(f"{path.relative_to(ROOT)}: {width} x {height:.0f}")
    if wide > width:
        print(f"  wider than the page: {wide} pixels")


def parts(name: str, tall: float, most: float) -> Iterator[tuple[Path, float, float]]:
    """File, top and height of each part of a picture `tall` pixels high."""
    number = math.ceil(tall / most)
    for part in range(number):
        path = SHOTS / (f"{name}.png" if number == 1 else f"{name}.{part + 1}.png")
        yield path, part * most, min(most, tall - part * most)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
