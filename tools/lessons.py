"""Turn the lessons' text sources into executed notebooks, and keep what is derived from them true.

    python tools/lessons.py run [NAME ...]     execute sources into notebooks/NAME.ipynb
    python tools/lessons.py check              fail where a notebook, the glossary or the README disagrees with its source
    python tools/lessons.py publish ADDRESS    write the repository's address into badges and set-up cells

An author edits ``notebooks/source/NAME.py`` (jupytext percent format), ``lessons.toml`` and
``glossary.toml`` beside it, and nothing else. Two runs on one machine give the same bytes: no timings are kept, and cells and
widgets are numbered instead of named at random.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import tomllib
from pathlib import Path

import glossary
import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"

UNPUBLISHED = "This copy is not published yet, so it has no Colab badge: run it with `make lab`."
SET_UP = """\
import importlib.util

if importlib.util.find_spec("course_utils") is None:  # a fresh Colab, or a kernel of your own
    {install}
from course_utils import notebook

device = notebook.set_up()"""
INSTALL = '%pip install --quiet "course-utils @ git+{repository}"'
NOT_INSTALLABLE = (
    'raise SystemExit("This copy of the lessons is not published, so there is no address to install "\n'
    '                     "course_utils from. In a checkout, `make lab` prepares everything.")'
)


# --- what the source folder says -----------------------------------------------------------------


def lessons(root: Path = ROOT) -> list[dict]:
    """The lessons in their order, as ``notebooks/source/lessons.toml`` lists them."""
    listed = tomllib.loads((root / "notebooks/source/lessons.toml").read_text("utf-8"))["lesson"]
    sources = {path.stem for path in (root / "notebooks/source").glob("[0-9]*.py")}
    names = [lesson["name"] for lesson in listed]
    if set(names) != sources:
        raise SystemExit(
            "lessons.toml and notebooks/source disagree about "
            + ", ".join(sorted(set(names) ^ sources))
        )
    return listed


def repository(root: Path = ROOT) -> str:
    """The address the collection is published at, or '' if it is not."""
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["course"]["repository"]


def on_github(address: str) -> str:
    """OWNER/NAME of a repository on GitHub, or '' for any other address."""
    github = re.fullmatch(r"https://github\.com/([^/]+/[^/]+?)(\.git)?/?", address)
    return github[1] if github else ""


def badge(name: str, address: str) -> str:
    """The Colab badge of a lesson. Colab opens notebooks from GitHub; other hosts have no badge."""
    if not address:
        return UNPUBLISHED
    if not (github := on_github(address)):
        return f"Published at {address}"
    return (
        "[![Open this lesson in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{github}/blob/main/notebooks/{name}.ipynb)"
    )


def header(lesson: dict, address: str) -> str:
    """The first cell of a lesson: title, badge, what it costs, and where its words are explained."""
    badges = badge(lesson["name"], address)
    if github := on_github(address):  # Colab has the notebook alone, so a relative link leads nowhere
        badges += f" [Glossary on GitHub](https://github.com/{github}/blob/main/notebooks/glossary.md)"
    return (
        f"# {lesson['name'][:2]} · {lesson['title']}\n\n{badges}\n\n"
        f"*{lesson['about']}*\n\n**Before this:** {lesson['before']} · "
        f"**to read and solve:** about {lesson['minutes']} minutes · "
        f"**to run:** {lesson['seconds']} seconds on two CPU cores · **words:** [glossary](glossary.md)"
    )


def set_up_cell(address: str) -> str:
    """The set-up cell, the same in every lesson."""
    install = INSTALL.format(repository=address) if address else NOT_INSTALLABLE
    return SET_UP.format(install=install)


def notebook_from_source(lesson: dict, root: Path = ROOT) -> nbformat.NotebookNode:
    """The notebook that the source describes, not yet executed."""
    address = repository(root)
    book = jupytext.read(root / "notebooks/source" / f"{lesson['name']}.py", fmt="py:percent")
    filled = {"{{ header }}": header(lesson, address), "{{ set-up }}": set_up_cell(address)}
    for number, cell in enumerate(book.cells):
        cell.source = filled.get(cell.source.strip("# \n"), cell.source)
        if left := re.search(r"{{.*}}", cell.source):
            raise SystemExit(f"{lesson['name']}: unknown placeholder {left[0]}; use {list(filled)}")
        cell.id = f"{lesson['name'][:2]}-{number:03d}"
        cell.metadata.pop("lines_to_next_cell", None)
        labels = cell.metadata.get("tags", [])
        if any(label.startswith("needs-data:") for label in labels):
            # Without its data such a cell fails, and "Run all" should go on to the next one.
            cell.metadata["tags"] = [*labels, "raises-exception"]
    book.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    book.nbformat, book.nbformat_minor = 4, 5
    return book


def dump(book: nbformat.NotebookNode) -> str:
    return nbformat.writes(book, version=4) + "\n"


def write(path: Path, content: str) -> None:
    """Write a whole file or nothing: beside it first, then renamed."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(content, encoding="utf-8", newline="\n")
    os.replace(beside, path)


# --- run -----------------------------------------------------------------------------------------


def execute(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run all cells in an empty folder, keep outputs and widget state, drop what differs by run."""
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            book,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            record_timing=False,
            coalesce_streams=True,  # how a print is cut into messages differs from run to run
            store_widget_state=True,
        )
        client.execute()
        left = sorted(path.name for path in Path(folder).iterdir())
    if left:
        raise SystemExit(f"the lesson left files behind: {', '.join(left)}")
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                if any(label.startswith("needs-data:") for label in cell.metadata.get("tags", [])):
                    raise SystemExit(output.evalue)  # a reader may lack the data, the build may not
                # The rest of a traceback names this machine's folders.
                output.traceback = [f"{output.ename}: {output.evalue}"]
    book.metadata["language_info"] = nbformat.from_dict({"name": "python"})
    return number_widgets(book)


def number_widgets(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Give widgets the ids 0...01, 0...02 in the order they were made, in place of random ones."""
    state = book.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    text = json.dumps(book)
    for number, name in enumerate(list(state), start=1):
        text = text.replace(name, f"{number:032x}")
    return nbformat.from_dict(json.loads(text))


def run(names: list[str], root: Path = ROOT) -> None:
    known = {lesson["name"]: lesson for lesson in lessons(root)}
    for wrong in set(names) - set(known):
        raise SystemExit(f"no lesson {wrong!r}; there are {', '.join(known)}")
    for name in names or known:
        print(f"running {name}", flush=True)
        try:
            book = execute(notebook_from_source(known[name], root))
        except CellExecutionError as error:
            raise SystemExit(f"{name} stopped:\n{error}") from None
        write(root / "notebooks" / f"{name}.ipynb", dump(book))
    write_derived(root)


# --- what is derived -----------------------------------------------------------------------------


def readme(root: Path = ROOT) -> str:
    """The README with its table of lessons brought up to date."""
    address = repository(root)
    rows = ["| lesson | what it teaches | minutes, exercises included | seconds to run |", "|---|---|---|---|"]
    for lesson in lessons(root):
        name = lesson["name"]
        title = f"[{name[:2]} {lesson['title']}](notebooks/{name}.ipynb)"
        if address:
            title += " " + badge(name, address)
        rows.append(f"| {title} | {lesson['about']} | {lesson['minutes']} | {lesson['seconds']} |")
    begin, end = "<!-- lessons:begin -->", "<!-- lessons:end -->"
    text = (root / "README.md").read_text("utf-8")
    if begin not in text or end not in text:
        raise SystemExit(f"README.md has lost the markers {begin} and {end}")
    before, rest = text.split(begin)
    return before + begin + "\n" + "\n".join(rows) + "\n" + end + rest.split(end)[1]


def glossary_page(root: Path = ROOT) -> str:
    """The glossary as ``glossary.toml`` and the titles of the lessons make it."""
    titles = {lesson["name"]: lesson["title"] for lesson in lessons(root)}
    return glossary.markdown(glossary.read(root, list(titles)), titles)


def write_derived(root: Path = ROOT) -> None:
    """Bring the README's table and the glossary up to date."""
    write(root / "README.md", readme(root))
    write(root / "notebooks/glossary.md", glossary_page(root))


def disagreements(root: Path = ROOT) -> list[str]:
    """Every place where a derived file differs from its source; outputs are nbval's business."""
    found = []
    for lesson in lessons(root):
        path = root / "notebooks" / f"{lesson['name']}.ipynb"
        if not path.exists():
            found.append(f"{path.name} has not been made")
            continue
        made = nbformat.read(path, as_version=4)
        meant = notebook_from_source(lesson, root)
        for number, (one, other) in enumerate(zip(made.cells, meant.cells)):
            if any(one[key] != other[key] for key in ("cell_type", "source", "metadata", "id")):
                found.append(f"{path.name}, cell {number}: not what the source says")
                break
        if len(made.cells) != len(meant.cells):
            found.append(f"{path.name}: {len(made.cells)} cells, source has {len(meant.cells)}")
    listed = {lesson["name"] for lesson in lessons(root)}
    found += [
        f"{path.name} has no source"
        for path in sorted((root / "notebooks").glob("*.ipynb"))
        if path.stem not in listed
    ]
    if readme(root) != (root / "README.md").read_text("utf-8"):
        found.append("README.md: the table of lessons")
    page = root / "notebooks/glossary.md"
    if not page.exists() or glossary_page(root) != page.read_text("utf-8"):
        found.append("glossary.md: not what glossary.toml says")
    return found


def publish(address: str, root: Path = ROOT) -> None:
    """Set the address in its one place and write it into sources' notebooks, outputs untouched."""
    if not re.fullmatch(r"""(https?|ssh|git|file)://[^\s"'\\]+""", address):
        raise SystemExit(
            f"{address!r} is no address that git can clone, such as https://github.com/OWNER/NAME"
        )
    if found := disagreements(root):
        raise SystemExit("\n".join([*found, "Nothing was published: run `make lessons` first."]))
    path = root / "pyproject.toml"
    text, count = re.subn(
        r'(?m)^repository = ".*"$', lambda _: f'repository = "{address}"', path.read_text("utf-8")
    )
    if count != 1:
        raise SystemExit(f"pyproject.toml has {count} lines 'repository = ...'; one is expected")
    write(path, text)
    for lesson in lessons(root):
        path = root / "notebooks" / f"{lesson['name']}.ipynb"
        book = nbformat.read(path, as_version=4)
        book.cells[0].source = header(lesson, address)
        for cell in book.cells:
            if "set-up" in cell.metadata.get("tags", []):
                cell.source = set_up_cell(address)
        write(path, dump(book))
    write_derived(root)
    print(f"published at {address}: pyproject.toml, {len(lessons(root))} lessons, README.md")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run").add_argument("names", nargs="*", metavar="NAME")
    commands.add_parser("check")
    commands.add_parser("publish").add_argument("address")
    chosen = parser.parse_args(arguments)
    if chosen.command == "run":
        run(chosen.names)
    elif chosen.command == "publish":
        publish(chosen.address)
    elif found := disagreements():
        print("\n".join(found), "Run `make lessons`.", sep="\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
