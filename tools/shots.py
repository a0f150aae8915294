"""Photographs every lesson, to be looked at: in JupyterLab after a run, and on the course site.

    python tools/shots.py [LESSON ...]

Writes one picture for each lesson, width and theme: shots/NAME.lab-1400-THEME.png (run anew, explorers alive) and
shots/NAME.site-WIDTH-THEME.png (on a wide page and on that of a telephone), for the themes light and dark. A lesson is
tall, so its picture has columns: read the first from top to bottom, then the next. Also prints what the browser
complained of, and pages that are wider than the screen. No network is used.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import JupyterLab, chromium, find_chromium, jupyterlab, open_lesson  # noqa: E402
from built_site import served, site  # noqa: E402
from executing import copy_lessons  # noqa: E402
from reading import NAMES, explorers  # noqa: E402

SHOTS = ROOT / "shots"
WIDTHS = (1400, 400)
#: Theme of the site -> that of JupyterLab.
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
COLUMN = 4000  # pixels of one column of a picture


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
        with jupyterlab(lessons, Path(place), whole=True) as lab, served(site()) as address:
            for name in names or NAMES:
                for old in SHOTS.glob(f"{name}.*.png"):
                    old.unlink()
                photograph_site(browser, address, name)
                photograph_lab(browser, lab, name)
    return 0


def photograph_lab(browser: Browser, lab: JupyterLab, name: str) -> None:
    """Run a lesson in JupyterLab and take all of it in both themes, without menus and bars."""
    view = {"width": WIDTHS[0], "height": COLUMN}
    with open_lesson(browser, lab, f"{name}.ipynb", viewport=view) as lesson:
        lesson.run()
        lesson.explorers(len(explorers(name)))
        for theme, called in THEMES.items():
            lesson.page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", called)
            lesson.page.wait_for_timeout(2000)
            panel = lesson.page.locator(".jp-WindowedPanel-outer").first
            save(f"{name}.lab-{WIDTHS[0]}-{theme}", scrolled(lesson.page, panel))
        for complaint in lesson.complaints:
            print(f"  complaint: {complaint}")


def scrolled(page: Page, panel: Locator) -> Iterator[bytes]:
    """Parts of JupyterLab's panel from top to bottom."""
    box = panel.bounding_box()
    # The room below the last cell is JupyterLab's, not the lesson's.
    tall = panel.locator(".jp-Cell").last.evaluate(
        "(cell, panel) => cell.getBoundingClientRect().bottom + panel.scrollTop - panel.getBoundingClientRect().top",
        panel.element_handle(),
    )
    for top in range(0, int(tall) + 10, int(box["height"])):
        above = top - panel.evaluate("(panel, top) => { panel.scrollTop = top; return panel.scrollTop }", top)
        page.wait_for_timeout(500)  # the last part cannot be scrolled to the top: it begins below what was taken
        height = min(tall + 10 - top, box["height"] - above)
        yield page.screenshot(clip={**box, "y": box["y"] + above, "height": height})


def photograph_site(browser: Browser, address: str, name: str) -> None:
    """Take a lesson's page on the site at each width, in both themes."""
    for width in WIDTHS:
        for theme in THEMES:
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
            page.goto(f"{address}/notebooks/{name}.html")
            page.wait_for_load_state("networkidle")
            tall, wide = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
            clips = (
                {"x": 0, "y": top, "width": width, "height": min(COLUMN, tall - top)} for top in range(0, tall, COLUMN)
            )
            save(f"{name}.site-{width}-{theme}", (page.screenshot(clip=clip, full_page=True) for clip in clips))
            if wide > width:
                print(f"  wider than the page: {wide} pixels")
            page.close()


def save(name: str, parts: Iterator[bytes]) -> None:
    """Write the parts of a lesson as one picture, side by side."""
    columns = [Image.open(io.BytesIO(part)) for part in parts]
    gap = 20
    picture = Image.new("RGB", (sum(c.width + gap for c in columns) - gap, max(c.height for c in columns)), "#808080")
    for place, column in enumerate(columns):
        picture.paste(column, (place * (columns[0].width + gap), 0))
    path = SHOTS / f"{name}.png"
    picture.save(path)
    print(f"{path.relative_to(ROOT)}: {picture.width} x {picture.height}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
