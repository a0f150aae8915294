"""Opens a lesson in Chromium, runs it, and keeps a list of everything that went wrong."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, TimeoutError, sync_playwright

from browser.explorer import Explorer
from browser.jupyter import JupyterLab

#: Tried in this order; COURSE_CHROMIUM names another one.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Quiet: no first-run page, no calls home, and no other machine: a lesson needs none.
FLAGS = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: Said by old front ends under any notebook: MathJax 2 names an empty font that Chromium refuses.
HARMLESS = ("about:blank",)
IN_PAGE = Path(__file__).parent / "page.js"


def find_chromium() -> str | None:
    """The Chromium or Chrome of this machine, or None."""
    names = filter(None, (os.environ.get("COURSE_CHROMIUM"), *NAMES))
    return next(filter(None, map(shutil.which, names)), None)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser while the context lasts."""
    found = find_chromium()
    if found is None:
        raise FileNotFoundError(f"no Chromium here: looked for {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class OpenLesson:
    """A lesson on the page; `complaints` fills with errors of page, browser and kernel."""

    def __init__(self, page: Page, name: str):
        self.page, self.name = page, name
        self._complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._complaints.append(f"page: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        where = message.location.get("url", "").split("?")[0]
        text = f"console: {message.text} ({where})"
        if message.type == "error" and not any(words in text for words in HARMLESS):
            self._complaints.append(text)

    @property
    def complaints(self) -> list[str]:
        """Errors so far: of the page, of the browser's console, and of the kernel's callbacks."""
        kernel = self.page.evaluate("course.complaints")
        return self._complaints + [f"kernel: {text.strip()}" for text in kernel]

    def run(self, seconds: int = 300) -> None:
        """Run all cells, wait for the last, and say what failed if anything did."""
        self.page.evaluate("course.runAll()")
        try:
            self.page.wait_for_function("course.done()", timeout=1000 * seconds)
        except TimeoutError:
            raise AssertionError(f"{self.name}: still running after {seconds} s") from None
        for number, cell in enumerate(self.page.evaluate("course.cells()")):
            if "raises-exception" in cell["metadata"].get("tags", []):
                continue
            for output in cell.get("outputs", []):
                if output["output_type"] == "error":
                    raise AssertionError(
                        f"{self.name}, cell {number}: {output['ename']}: {output['evalue']}"
                    )
        # From here on, what the kernel says aloud comes from explorers.
        self.page.evaluate("course.listen()")

    def explorers(self, expected: int) -> list[Explorer]:
        """The explorers on the page, once `expected` of them are there and drawn."""
        drawn = self.page.locator(".course-explorer:has(.course-picture :is(svg, img))")
        with contextlib.suppress(TimeoutError):
            drawn.nth(expected - 1).wait_for(state="attached", timeout=20_000)
        found = self.page.locator(".course-explorer").count()
        if not drawn.count() == found == expected:
            raise AssertionError(
                f"{self.name}: expected {expected} explorers on the page, found {found}, of which "
                f"{drawn.count()} have a picture"
            )
        return [Explorer(self.page, number) for number in range(found)]


@contextlib.contextmanager
def open_lesson(browser: Browser, lab: JupyterLab, name: str, **options) -> Iterator[OpenLesson]:
    """Open the notebook `name` of the served folder and wait for its kernel.

    Args:
        options: for the page, such as ``viewport``.
    """
    options.setdefault("viewport", {"width": 1400, "height": 1000})
    page = browser.new_page(**options)
    try:
        lesson = OpenLesson(page, name)
        page.add_init_script(path=IN_PAGE)
        page.goto(lab.page(name))
        page.wait_for_function("window.jupyterapp && course.idle()", timeout=90_000)
        yield lesson
        page.evaluate("course.end()")
    finally:
        page.close()
