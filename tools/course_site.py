"""Gather the pages of the course site and build it.

    python tools/course_site.py [FOLDER]      the whole site, as a folder of files (default: site)

What an author edits stays where it is: the lessons, the README, the change log, `docs/`, the docstrings. This
command copies them into `.cache/site/pages`, in the order of folders that the repository has, so that links
between files hold there too, and adds what only the site has: links from words to the glossary, from "lesson 02"
to lesson 02, and a line below each explorer that says where it moves. Sphinx turns the pages into HTML;
whatever it warns of is an error. No network is used.
"""

import argparse
import ast
import base64
import re
import shutil
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path

import nbformat
from sphinx.cmd.build import build_main

sys.path.insert(0, str(Path(__file__).resolve().parent))
import glossary  # noqa: E402
import lessons  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".cache/site"
VIEW = "application/vnd.jupyter.widget-view+json"
STILL = """\
```{admonition} Here the picture stands still
:class: course-still
Its controls move where the lesson runs: in JupyterLab, after `make lab` ([how to start](../start.md)), and in Colab.
```"""


# --- links that only the site has ----------------------------------------------------------------

#: Pieces of markdown in which nothing is made a link: code, formulas, links, HTML, headings, addresses.
APART = re.compile(
    r"(```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$|!?\[[^\]]*\]\([^)]*\)|<[^>]+>|^ *#.*?$|https?://\S+)", re.DOTALL | re.MULTILINE
)
NUMBERS = re.compile(r"\b[Ll]essons? \d\d(?:(?:, | and | or | to )\d\d)*")
BOLD = re.compile(r"\*\*([^*]+)\*\*")


def link_numbers(text: str, link: Callable[[str, str], str]) -> str:
    """Make links of "lesson 02", and of each number in "lessons 02, 03 and 04".

    Args:
        link: number of a lesson, and the words to be the link -> the link, in the text's markup.
    """

    def whole(found: re.Match) -> str:
        numbers = re.findall(r"\d\d", found[0])
        if len(numbers) == 1:
            return link(numbers[0], found[0])
        return re.sub(r"\b\d\d\b", lambda number: link(number[0], number[0]), found[0])

    return NUMBERS.sub(whole, text)


def linked(markdown: str, documents: dict[str, str], words: dict[str, dict]) -> str:
    """The markdown of a lesson, with links to other lessons and to the glossary.

    Args:
        documents: number of a lesson -> its name.
        words: the entries of the glossary by their forms, as `glossary.by_form` gives them.
    """

    def lesson(number: str, shown: str) -> str:
        return f"[{shown}]({documents[number]}.ipynb)" if number in documents else shown

    def bold(found: re.Match) -> str:
        entry = words.get(glossary.same(found[1]))
        return f"[{found[0]}](glossary.md#{glossary.slug(entry['term'])})" if entry else found[0]

    pieces = APART.split(markdown)
    pieces[::2] = [BOLD.sub(bold, link_numbers(piece, lesson)) for piece in pieces[::2]]
    return "".join(pieces)


# --- pages ---------------------------------------------------------------------------------------


def lesson_page(path: Path, documents: dict[str, str], words: dict[str, dict]) -> nbformat.NotebookNode:
    """A lesson as the site shows it: linked, and with still pictures in place of widgets."""
    book = nbformat.read(path, as_version=4)
    book.metadata.pop("widgets", None)
    cells = []
    for cell in book.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            own = path.stem[:2]
            others = {number: name for number, name in documents.items() if number != own}
            cell.source = linked(cell.source, others, words)
        for output in cell.get("outputs", []):
            if output.get("data", {}).pop(VIEW, None):
                cells.append(nbformat.v4.new_markdown_cell(STILL, id=f"{cell.id}-still"))
    book.cells = cells
    return book


def between(text: str, begin: str, end: str, place: str) -> str:
    """What stands in a text between two marks."""
    if text.count(begin) != 1 or end not in text.split(begin)[1]:
        raise SystemExit(f"{place}: expected {begin!r} once, and {end!r} after it")
    return text.split(begin)[1].split(end)[0]


def card(entry: dict, pictures: Path) -> str:
    """A lesson on the first page: its explorer's picture, its title, and what it teaches."""
    name = entry["name"]
    book = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    [explorer, *_] = [cell for cell in book.cells if "explorer" in cell.metadata.get("tags", [])]
    [output] = explorer.outputs
    drawn = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', output.data["text/html"])
    pictures.mkdir(parents=True, exist_ok=True)
    (pictures / f"{name[:2]}.svg").write_bytes(base64.b64decode(drawn[1]))
    # The picture says nothing that a reader of the card needs, so its alt text is empty.
    return (
        f'<a class="course-card" href="notebooks/{name}.html"><img alt="" src="cards/{name[:2]}.svg">'
        f"<strong>{name[:2]} · {escape(entry['title'])}</strong><span>{escape(entry['about'])}</span>"
        f"<small>{entry['minutes']} minutes with the exercises, {entry['seconds']} seconds to run</small></a>"
    )


def measured_page() -> str:
    """What `make bench` measured last: its tables, each below the first sentence of its script."""
    page = (ROOT / "docs/measured.md").read_text("utf-8")
    results = sorted((ROOT / "benchmarks/results").glob("*.txt"), key=lambda path: (path.stem != "lessons", path))
    for result in results:
        script = ROOT / "benchmarks" / f"{result.stem}.py"
        about = ast.get_docstring(ast.parse(script.read_text("utf-8"))).split("\n\n")[0].replace("\n", " ")
        shown = result.read_text("utf-8")
        if not shown.startswith("|"):  # a table in Markdown is shown as one, any other as it was printed
            shown = f"```text\n{shown}```\n"
        page += f"\n## {result.stem.replace('_', ' ').capitalize()}\n\n{about}\n\n{shown}"
    left = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - {path.stem for path in results}
    if left:
        names = ", ".join(f"`{name}`" for name in sorted(left))
        page += f"\n## Not here\n\nWithout a result so far: {names}. `make bench ARGS=NAME` runs one of them.\n"
    return page


def gather(pages: Path) -> None:
    """Write all pages of the site into the new folder `pages`."""
    listed = lessons.lessons()
    documents = {entry["name"][:2]: entry["name"] for entry in listed}
    words = glossary.by_form(glossary.read(ROOT, list(documents.values())))
    (pages / "notebooks").mkdir(parents=True)
    for entry in listed:
        book = lesson_page(ROOT / "notebooks" / f"{entry['name']}.ipynb", documents, words)
        nbformat.write(book, pages / "notebooks" / f"{entry['name']}.ipynb")
    for path in (ROOT / "docs").glob("*.md"):
        shutil.copy(path, pages)
    shutil.copy(ROOT / "notebooks/glossary.md", pages / "notebooks")
    readme = (ROOT / "README.md").read_text("utf-8")
    opening = readme.split("<!-- lessons:begin -->")[0]
    cards = "\n".join(card(entry, pages / "cards") for entry in listed)
    index = (ROOT / "docs/index.md").read_text("utf-8")
    (pages / "index.md").write_text(index.replace("{{ opening }}", opening).replace("{{ cards }}", cards), "utf-8")
    start = between(readme, "\n## Start\n", "\n## Where to look next\n", "README.md")
    (pages / "start.md").write_text(f"# How to start\n{start}", "utf-8")
    (pages / "measured.md").write_text(measured_page(), "utf-8")
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, pages)


# --- building ------------------------------------------------------------------------------------


def build(folder: Path, pages: Path = WORK / "pages") -> None:
    """Gather the pages and build the site into `folder`, which is replaced as a whole."""
    shutil.rmtree(pages, ignore_errors=True)
    gather(pages)
    made = pages.with_name("html")
    shutil.rmtree(made, ignore_errors=True)
    options = ["--jobs", "auto", "--fail-on-warning", "--keep-going", "--quiet", "--fresh-env", "-c", str(ROOT / "docs")]
    doctrees = pages.with_name("doctrees")
    if failed := build_main([*options, "-d", str(doctrees), "-b", "html", str(pages), str(made)]):
        raise SystemExit(f"Sphinx ended with {failed}; what it said stands above")
    # The button that downloads a lesson gives the lesson as it is, widgets and all.
    for path in (made / "_sources/notebooks").glob("*.ipynb"):
        shutil.copy(ROOT / "notebooks" / path.name, path)
    shutil.copytree(pages / "cards", made / "cards")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.move(made, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "site")
    folder = parser.parse_args().folder
    build(folder)
    print(f"the site is in {folder}; its first page is index.html")


if __name__ == "__main__":
    main()
