"""Reading the built lessons, for the tests that hold them to their promises."""

import re
from functools import cache
from pathlib import Path

import nbformat

from course_utils.datasets import DataUnavailable, fetch

ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
OFFLINE = ROOT / "tests/offline"


@cache
def lesson(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def tagged(name: str, tag: str) -> list:
    """The cells of a lesson that carry a tag."""
    return [cell for cell in lesson(name).cells if tag in tags(cell)]


def code_cells(name: str) -> list:
    return [cell for cell in lesson(name).cells if cell.cell_type == "code"]


def output_text(cell) -> str:
    """All that a cell printed, returned or raised, as plain text."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append(f"{output.ename}: {output.evalue}\n")
        else:
            parts.append(output.data.get("text/plain", "") + "\n")
    return "".join(parts)


def said(name: str, tag: str) -> str:
    """The output text of all cells of a lesson that carry a tag."""
    cells = tagged(name, tag)
    assert cells, f"no cell of {name} is tagged {tag}"
    return "".join(output_text(cell) for cell in cells if cell.cell_type == "code")


def compared(name: str) -> tuple[int, int]:
    """How many executed cells with output nbval compares by more than a figure's repr, of how many."""
    with_output = [cell for cell in code_cells(name) if cell.outputs]
    worth = [
        cell
        for cell in with_output
        if "nbval-ignore-output" not in tags(cell)
        and re.sub(r"<Figure size [^>]*>|<[\w.]+ object at [^>]*>", "", output_text(cell)).strip()
    ]
    return len(worth), len(with_output)


@cache
def why_unavailable(data: str) -> str:
    """'' if a registered data set is cached or can be fetched now, else the sentence that says why not."""
    try:
        fetch(data)
    except DataUnavailable as error:
        return str(error)
    return ""


def needed_data(cell) -> list[str]:
    return [tag.removeprefix("needs-data:") for tag in tags(cell) if tag.startswith("needs-data:")]


def explorers(name: str) -> list:
    """The cells of a lesson's explorers, less those whose data is not to be had here."""
    return [cell for cell in tagged(name, "explorer") if not any(map(why_unavailable, needed_data(cell)))]


def without_missing_data(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook less the cells whose data is not to be had; nbval reports these as skipped."""
    book.cells = [
        cell for cell in book.cells if not any(map(why_unavailable, needed_data(cell)))
    ]
    return book


def prose(name: str) -> str:
    """All markdown of a lesson, in one line."""
    cells = [cell.source for cell in lesson(name).cells if cell.cell_type == "markdown"]
    return " ".join(" ".join(cells).split())


def code(name: str) -> str:
    """All code of a lesson."""
    return "\n".join(cell.source for cell in lesson(name).cells if cell.cell_type == "code")


def claims(name: str, pattern: str) -> list[str]:
    """What the groups of a pattern match in the lesson's prose: the figures that it claims."""
    match = re.search(pattern, prose(name))
    assert match, f"the lesson does not say {pattern!r} any more: see that its test still fits"
    return list(match.groups())


#: Numbers as prose writes them; an ordinal is the number in it, but "a third" is a share.
WORDS = {
    "one": 1, "two": 2, "twice": 2, "three": 3, "four": 4, "fourth": 4, "five": 5, "fifth": 5, "six": 6, "seventh": 7,
    "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "fifteenth": 15, "sixteenth": 16, "twenty": 20,
    "twentieth": 20, "half": 1 / 2, "third": 1 / 3, "two thirds": 2 / 3,
}  # fmt: skip


def number(word: str) -> float:
    """A number in words or digits."""
    return WORDS[word.lower()] if word.lower() in WORDS else float(word.replace(",", ""))


def numbers(name: str, pattern: str) -> list[float]:
    """The figures that the prose claims, in words or digits."""
    return [number(word) for word in claims(name, pattern)]


def found(name: str, tag: str, pattern: str) -> list[float]:
    """The numbers that a pattern's groups match in what a tag's cells printed."""
    match = re.search(pattern, said(name, tag))
    assert match, f"the cells tagged {tag} do not print {pattern!r}"
    return [number(group) for group in match.groups()]
