"""Give the reader a copy of the lessons to work in, and renew it without losing a word of theirs.

    python tools/working_copy.py [FOLDER]      from notebooks/ into FOLDER (default: my_lessons)

`make lab` runs this each time. What happens to one lesson:

    the reader has no copy                        it is copied
    the reader changed nothing, the lesson did    the copy is replaced
    the reader changed it, the lesson did not     nothing
    both changed                                  the reader's file stays; the new lesson is put
                                                  beside it as NAME.new-XXXXXXX.ipynb, and a line
                                                  says so (until one of the two is deleted)

"Changed" means the text of the cells: outputs, run counts, metadata and empty cells are not the
reader's work, and JupyterLab adds them by itself. Which lesson a copy was made from is kept in
FOLDER/.lessons.json. Without that file, every copy that differs counts as changed by the reader.

The lessons link to the glossary, so glossary.md comes along and is treated in the same way.
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ".lessons.json"
GLOSSARY = "glossary.md"
WORDS = {"copied": "copied", "replaced": "brought up to date", "kept": "kept as you left them"}


def fingerprint(path: Path) -> str | None:
    """A hash of the text of a notebook's cells, or None for a file that is not a notebook.

    Of the glossary, a hash of its text; None if it is not text.
    """
    try:
        if path.suffix == ".md":
            lines = path.read_text("utf-8").rstrip().splitlines()
            return hashlib.sha256("\n".join(lines).encode()).hexdigest()
        cells = json.loads(path.read_bytes())["cells"]
        texts = [[cell["cell_type"], "".join(cell["source"]).rstrip()] for cell in cells]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    filled = [cell for cell in texts if cell[1]]
    return hashlib.sha256(json.dumps(filled).encode()).hexdigest()


def write(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: beside it first, then renamed."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def read_manifest(folder: Path) -> tuple[dict[str, dict[str, str]], list[str]]:
    """What earlier runs noted for each lesson, and a message where that cannot be read.

    A lesson's entry holds the fingerprints of the lesson that was 'copied' and, where both sides
    changed, of the one last 'offered' beside it.
    """
    path = folder / MANIFEST
    try:
        noted = json.loads(path.read_bytes())
        return {name: {key: str(noted[name][key]) for key in noted[name]} for name in noted}, []
    except FileNotFoundError:
        return {}, []
    except (OSError, ValueError, TypeError, IndexError) as error:
        return {}, [f"{path} cannot be read ({error}): copies that differ count as changed by you."]


def update_lesson(lesson: Path, folder: Path, noted: dict[str, str]) -> tuple[str, str]:
    """Bring one lesson of the reader's folder up to date.

    Args:
        lesson: the notebook of the collection.
        folder: the reader's folder.
        noted: this lesson's entry of the manifest; updated in place.

    Returns:
        What was done ('copied', 'replaced', 'kept' or 'same'), and a line for the reader or ''.

    Raises:
        ValueError: the lesson of the collection is not a notebook (the glossary: not text).
    """
    new, kind = fingerprint(lesson), "text" if lesson.suffix == ".md" else "a notebook"
    if new is None:
        raise ValueError(f"{lesson} is not {kind}: `git restore` it, or fetch it again.")
    copy = folder / lesson.name
    exists = os.path.lexists(copy)
    mine = fingerprint(copy)
    if exists and mine is None:
        return "kept", f"{copy} is not {kind}: delete or rename it to get a fresh one."
    if mine == new:
        noted["copied"] = new
        return "same", ""
    if not exists or mine == noted.get("copied"):
        write(copy, lesson.read_bytes())
        noted["copied"] = new
        return ("replaced" if exists else "copied"), ""
    if noted.get("copied") == new:
        return "kept", ""
    return "kept", offer(lesson, new, folder, noted)


def offer(lesson: Path, new: str, folder: Path, noted: dict[str, str]) -> str:
    """Put a changed lesson beside the reader's own, once: what they deleted does not come back."""
    beside = beside_name(lesson, new, folder)
    before = noted.get("offered", new)
    if noted.get("offered") != new and not os.path.lexists(beside):
        write(beside, lesson.read_bytes())
    older = beside_name(lesson, before, folder)
    if before != new and fingerprint(older) == before:  # nobody has written in it
        older.unlink()
    noted["offered"] = new
    if not os.path.lexists(beside):
        return ""
    return (
        f"{lesson.name} has changed since you began to work in it. Yours is left as it is, "
        f"the new one is {beside.name}: delete the one that you do not need."
    )


def beside_name(lesson: Path, content: str, folder: Path) -> Path:
    """Where the lesson with this fingerprint is put beside the reader's own."""
    return folder / f"{lesson.stem}.new-{content[:7]}{lesson.suffix}"


def update(source: Path, folder: Path) -> tuple[dict[str, int], list[str], list[str]]:
    """Bring the whole folder up to date: what was done with how many lessons, messages, failures."""
    folder.mkdir(parents=True, exist_ok=True)
    noted, messages = read_manifest(folder)
    counts, failures = dict.fromkeys((*WORDS, "same"), 0), []
    lessons = sorted(source.glob("*.ipynb"))
    for lesson in [*lessons, *source.glob(GLOSSARY)]:
        try:
            done, message = update_lesson(lesson, folder, noted.setdefault(lesson.name, {}))
        except (OSError, ValueError) as error:
            failures.append(str(error))
            continue
        counts[done] += lesson.name != GLOSSARY  # what is counted are lessons
        messages += [message] if message else []
    write(folder / MANIFEST, (json.dumps(noted, indent=1, sort_keys=True) + "\n").encode())
    return counts, messages, failures


def main(arguments: list[str] | None = None, source: Path = ROOT / "notebooks") -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "my_lessons")
    folder = parser.parse_args(arguments).folder
    try:
        counts, messages, failures = update(source, folder)
    except OSError as error:
        print(f"{folder} cannot hold your copy of the lessons: {error}", file=sys.stderr)
        return 1
    said = [f"{counts[done]} {words}" for done, words in WORDS.items() if counts[done]]
    print("\n".join([f"Lessons in {folder}: {', '.join(said) or 'all as they were'}.", *messages]))
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
