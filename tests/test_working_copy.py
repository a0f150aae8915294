"""The reader's copy of the lessons: it follows the lessons, and never loses what the reader wrote."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_spec = importlib.util.spec_from_file_location("working_copy", ROOT / "tools/working_copy.py")
working_copy = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(working_copy)

NAME = "01_one_hot_encoding.ipynb"


def notebook(*sources: str, outputs: tuple = (), **metadata) -> str:
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "execution_count": 7 if outputs else None,
            "metadata": metadata,
            "outputs": list(outputs),
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


class Collection:
    """A folder of lessons, a reader's folder, and the tool between the two."""

    def __init__(self, folder: Path):
        self.lesson = folder / "notebooks" / NAME
        self.copy = folder / "my_lessons" / NAME
        self.lesson.parent.mkdir()

    def publish(self, *sources: str) -> None:
        self.lesson.write_text(notebook(*sources))

    def update(self) -> list[str]:
        """Run the tool as `make lab` does; the messages it gives."""
        _, messages, failures = working_copy.update(self.lesson.parent, self.copy.parent)
        assert failures == []
        return messages

    def beside(self) -> list[Path]:
        """The notebooks of the reader's folder other than the copy itself."""
        return sorted(path for path in self.copy.parent.glob("*.ipynb") if path != self.copy)


@pytest.fixture
def collection(tmp_path):
    made = Collection(tmp_path)
    made.publish("# question", "answer = ...")
    return made


def text(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


def test_a_missing_lesson_is_copied_byte_for_byte(collection):
    assert collection.update() == []
    assert collection.copy.read_bytes() == collection.lesson.read_bytes()


def test_a_second_update_changes_nothing(collection):
    collection.update()
    before = {path: path.stat().st_mtime_ns for path in collection.copy.parent.glob("*.ipynb")}
    assert collection.update() == []
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_an_untouched_lesson_follows_the_collection(collection):
    collection.update()
    collection.publish("# a better question", "answer = ...")
    assert collection.update() == []
    assert text(collection.copy) == ["# a better question", "answer = ..."]
    assert collection.beside() == []


def test_running_a_lesson_is_not_changing_it(collection):
    collection.update()
    shown = {"output_type": "stream", "name": "stdout", "text": "hello"}
    # JupyterLab adds an empty cell at the end when the last one is run.
    collection.copy.write_text(
        notebook("# question", "answer = ...", "", outputs=(shown,), trusted=True)
    )
    collection.publish("# a better question", "answer = ...")
    collection.update()
    assert text(collection.copy) == ["# a better question", "answer = ..."]


def test_an_answer_survives_as_long_as_the_lesson_stays(collection):
    collection.update()
    answered = notebook("# question", "answer = 42")
    collection.copy.write_text(answered)
    assert collection.update() == []
    assert collection.copy.read_text() == answered
    assert collection.beside() == []


@pytest.mark.parametrize(
    "answered",
    [
        notebook("# question", "answer = 42"),
        notebook("# question"),
        notebook("# question", "answer = ...", "more = 1"),
        notebook("answer = ...", "# question"),
    ],
    ids=["changed", "deleted", "added", "moved"],
)
def test_an_answer_survives_a_changed_lesson_which_is_put_beside_it(collection, answered):
    collection.update()
    collection.copy.write_text(answered)
    collection.publish("# a better question", "answer = ...")
    (message,) = collection.update()
    assert collection.copy.read_text() == answered
    (beside,) = collection.beside()
    assert beside.read_bytes() == collection.lesson.read_bytes()
    assert beside.name in message and NAME in message
    assert "\n" not in message


def test_repeated_changes_leave_one_new_lesson_beside_the_answer(collection):
    collection.update()
    answered = notebook("# question", "answer = 42")
    collection.copy.write_text(answered)
    for version in ("second", "third", "fourth"):
        collection.publish(f"# {version} question", "answer = ...")
        assert len(collection.update()) == 1
        (beside,) = collection.beside()
        assert text(beside)[0] == f"# {version} question"
    assert collection.copy.read_text() == answered


def test_what_the_reader_wrote_in_the_lesson_beside_survives_too(collection):
    collection.update()
    collection.copy.write_text(notebook("# question", "answer = 42"))
    collection.publish("# second question", "answer = ...")
    collection.update()
    (beside,) = collection.beside()
    beside.write_text(notebook("# second question", "answer = 43"))
    collection.update()
    collection.publish("# third question", "answer = ...")
    collection.update()
    assert text(beside) == ["# second question", "answer = 43"]
    assert text(collection.copy) == ["# question", "answer = 42"]
    assert len(collection.beside()) == 2


def test_a_new_lesson_that_the_reader_deleted_does_not_come_back(collection):
    collection.update()
    collection.copy.write_text(notebook("# question", "answer = 42"))
    collection.publish("# a better question", "answer = ...")
    collection.update()
    collection.beside()[0].unlink()
    assert collection.update() == []
    assert collection.beside() == []


def test_deleting_the_own_copy_gives_a_fresh_lesson(collection):
    collection.update()
    collection.copy.write_text(notebook("# question", "answer = 42"))
    collection.publish("# a better question", "answer = ...")
    collection.update()
    collection.copy.unlink()
    assert collection.update() == []
    assert collection.copy.read_bytes() == collection.lesson.read_bytes()


@pytest.mark.parametrize("manifest", ["", "{", "[1]", '{"01": 3}', "null", b"\xff\xfe\x00", None])
def test_without_a_readable_manifest_nothing_of_the_reader_is_lost(collection, manifest):
    collection.update()
    answered = notebook("# question", "answer = 42")
    collection.copy.write_text(answered)
    file = collection.copy.parent / working_copy.MANIFEST
    if manifest is None:
        file.unlink()
    else:
        file.write_bytes(manifest if isinstance(manifest, bytes) else manifest.encode())
    messages = collection.update()
    assert collection.copy.read_text() == answered
    assert len(collection.beside()) == 1
    assert len(messages) == (1 if manifest is None else 2)
    assert len(collection.update()) == 1  # the manifest is whole again; the reminder stays


def test_a_lost_manifest_does_not_stop_untouched_lessons_from_following(collection):
    collection.update()
    (collection.copy.parent / working_copy.MANIFEST).unlink()
    collection.update()
    collection.publish("# a better question", "answer = ...")
    collection.update()
    assert text(collection.copy)[0] == "# a better question"


@pytest.mark.parametrize("content", ["", "my notes", "[]", '{"cells": 3}', '{"cells": [{}]}'])
def test_a_copy_that_is_no_notebook_is_left_alone_and_named(collection, content):
    collection.update()
    collection.copy.write_text(content)
    collection.publish("# a better question", "answer = ...")
    (message,) = collection.update()
    assert collection.copy.read_text() == content
    assert NAME in message and "is not a notebook" in message


def test_a_lesson_that_is_no_notebook_harms_no_copy_and_fails(collection, capsys):
    collection.update()
    before = collection.copy.read_bytes()
    collection.lesson.write_text("<<<<<<< HEAD")
    other = collection.lesson.with_name("02_other.ipynb")
    other.write_text(notebook("# other"))
    status = working_copy.main([str(collection.copy.parent)], collection.lesson.parent)
    assert status == 1
    assert f"{NAME} is not a notebook" in capsys.readouterr().err
    assert collection.copy.read_bytes() == before
    assert (collection.copy.parent / other.name).exists()


def test_a_write_that_fails_leaves_the_old_copy_whole(collection, monkeypatch):
    collection.update()
    before = collection.copy.read_bytes()
    collection.publish("# a better question", "answer = ...")

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(working_copy.os, "replace", full)
    status = working_copy.main([str(collection.copy.parent)], collection.lesson.parent)
    assert status == 1
    assert collection.copy.read_bytes() == before
    assert list(collection.copy.parent.glob(".*.part")) == []


def test_the_readers_other_files_are_not_touched(collection):
    collection.copy.parent.mkdir()
    own = collection.copy.parent / "my_sequences.fa"
    own.write_text(">mine\nACGT\n")
    collection.update()
    assert own.read_text() == ">mine\nACGT\n"


def test_a_folder_that_cannot_be_made_is_named(collection, capsys):
    collection.copy.parent.write_text("a file stands in the way")
    assert working_copy.main([str(collection.copy.parent)], collection.lesson.parent) == 1
    assert "my_lessons cannot hold your copy" in capsys.readouterr().err


def test_the_summary_says_what_was_done(collection, capsys):
    arguments = [str(collection.copy.parent)], collection.lesson.parent
    assert working_copy.main(*arguments) == 0
    assert "my_lessons: 1 copied." in capsys.readouterr().out
    collection.copy.write_text(notebook("# question", "answer = 42"))
    working_copy.main(*arguments)
    assert "my_lessons: 1 kept as you left them." in capsys.readouterr().out


# --- the glossary --------------------------------------------------------------------------------


@pytest.fixture
def glossary(collection):
    """The glossary of the collection; the reader's copy of it lies beside the copies of lessons."""
    path = collection.lesson.with_name(working_copy.GLOSSARY)
    path.write_text("# Glossary\n\nbase\n", "utf-8")
    return path


def test_the_glossary_comes_along_and_is_not_counted_as_a_lesson(collection, glossary, capsys):
    assert working_copy.main([str(collection.copy.parent)], glossary.parent) == 0
    assert (collection.copy.parent / glossary.name).read_bytes() == glossary.read_bytes()
    assert "my_lessons: 1 copied." in capsys.readouterr().out


def test_an_untouched_glossary_follows_and_a_second_update_changes_nothing(collection, glossary):
    collection.update()
    glossary.write_text("# Glossary\n\nbase, in better words\n", "utf-8")
    assert collection.update() == []
    copy = collection.copy.parent / glossary.name
    assert copy.read_bytes() == glossary.read_bytes()
    before = copy.stat().st_mtime_ns
    assert collection.update() == [] and copy.stat().st_mtime_ns == before


def test_line_ends_of_another_system_are_not_the_readers_work(collection, glossary):
    collection.update()
    copy = collection.copy.parent / glossary.name
    copy.write_bytes(copy.read_bytes().replace(b"\n", b"\r\n"))
    glossary.write_text("# Glossary\n\nbase, in better words\n", "utf-8")
    assert collection.update() == []
    assert copy.read_bytes() == glossary.read_bytes()


def test_notes_in_the_glossary_survive_and_the_new_one_is_put_beside_it(collection, glossary):
    collection.update()
    copy = collection.copy.parent / glossary.name
    copy.write_text("# Glossary\n\nbase: Base!\n", "utf-8")
    assert collection.update() == []
    glossary.write_text("# Glossary\n\nbase, in better words\n", "utf-8")
    [message] = collection.update()
    [beside] = copy.parent.glob("glossary.new-*.md")
    assert copy.read_text("utf-8") == "# Glossary\n\nbase: Base!\n"
    assert beside.read_bytes() == glossary.read_bytes() and beside.name in message
    beside.unlink()
    assert collection.update() == [] and not beside.exists()


def test_a_glossary_that_the_reader_had_before_is_kept(collection, glossary):
    copy = collection.copy.parent / glossary.name
    copy.parent.mkdir()
    copy.write_text("my own words\n", "utf-8")
    [message] = collection.update()
    assert copy.read_text("utf-8") == "my own words\n" and "glossary.new-" in message


def test_a_copy_of_the_glossary_that_is_no_text_is_left_alone_and_named(collection, glossary):
    copy = collection.copy.parent / glossary.name
    copy.parent.mkdir()
    copy.write_bytes(b"\xff\xfe\x00")
    [message] = collection.update()
    assert copy.read_bytes() == b"\xff\xfe\x00" and "glossary.md is not text" in message


def test_the_collection_has_the_glossary_that_the_copies_link_to():
    assert (ROOT / "notebooks" / working_copy.GLOSSARY).exists()
