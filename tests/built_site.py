"""The course site, built once for the tests that read it and for those that open it in a browser."""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup
from reading import OFFLINE, ROOT

sys.path.insert(0, str(ROOT / "tools"))
import lessons  # noqa: E402  (tools/ is no package: its files are commands)


@cache
def site() -> Path:
    """The folder of the site as `make site` makes it, built without a network; `COURSE_SITE` may name one that is there."""
    if named := os.environ.get("COURSE_SITE"):
        return Path(named).resolve()
    folder = ROOT / ".cache/tested_site"
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "tools/course_site.py", str(folder)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(OFFLINE)}, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"the site was not built:\n{done.stdout}{done.stderr}")
    return folder


def published_site() -> Path:
    """A small site with the settings of a collection that is published on GitHub: one lesson and a first page."""
    place = Path(tempfile.mkdtemp(prefix="course-site-"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, place)
    for name in ("notebooks", "docs", "tools"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    lessons.publish("https://github.com/owner/deep-dna", root=place)
    pages = place / "pages"
    (pages / "notebooks").mkdir(parents=True)
    name = min(path.name for path in (place / "notebooks").glob("*.ipynb"))
    shutil.copy(place / "notebooks" / name, pages / "notebooks")
    (pages / "index.md").write_text(f"# First page\n\n```{{toctree}}\nnotebooks/{Path(name).stem}\n```\n")
    subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-c", "docs", "pages", "html"],
        cwd=place, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return place / "html"


def pages(folder: Path) -> list[str]:
    """The pages of a site, relative to its folder, less what the theme keeps among its own files."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    return sorted(name for name in names if not name.startswith("_static/"))


def read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder on a web server of this machine, while the context lasts."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def dead_ends(folder: Path) -> list[str]:
    """Every link and asset of a site that leads nowhere, and every asset that lies elsewhere."""
    found, soups = [], {page: read(folder / page) for page in pages(folder)}
    anchors = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in soups.items()}
    for page, soup in soups.items():
        for tag, attribute in _references(soup):
            address = tag[attribute]
            parts = urlsplit(address)
            if parts.scheme in ("data", "mailto", "javascript"):
                continue
            if parts.scheme or parts.netloc:
                if tag.name != "a":
                    found.append(f"{page}: <{tag.name}> is fetched from elsewhere: {address}")
                continue
            target = (folder / page).parent / unquote(parts.path) if parts.path else folder / page
            target = Path(os.path.normpath(target))
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                found.append(f"{page}: nothing at {address}")
                continue
            name = target.relative_to(folder).as_posix()
            if parts.fragment and name in anchors and unquote(parts.fragment) not in anchors[name]:
                found.append(f"{page}: {name} has no place {parts.fragment!r}")
    return found


def _references(soup: BeautifulSoup):
    for attribute in ("href", "src"):
        for tag in soup.find_all(**{attribute: True}):
            yield tag, attribute
