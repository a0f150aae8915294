"""What is left of a lesson when its slow cells are left out: for explorers, all of them."""

import copy

import nbformat
import pytest
from dependencies import HURRIED, needed_by, quick, quick_with_explorers
from executing import copy_lessons
from reading import NAMES, ROOT, explorers, tags


def cell(source, *labels):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(labels)})


def book_of(*cells):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title"), *cells])


def sources(cells) -> list[str]:
    return [cell.source for cell in cells if cell.cell_type == "code"]


def test_what_a_cell_needs_is_found_back_to_the_beginning_and_no_further():
    book = book_of(
        cell("a = 1"), cell("b = 2"), cell("c = a"), cell("a = b"), cell("d = c"), cell("show(d)", "explorer"),
    )  # fmt: skip
    needed = needed_by(book, lambda cell: "explorer" in tags(cell))
    assert sources(needed) == ["a = 1", "c = a", "d = c", "show(d)"]


def test_a_slow_cell_stays_for_an_explorer_and_trains_hardly_at_all():
    book = book_of(
        cell("from course_utils.training import fit", "imports"), cell("a = fit(1)", "slow"),
        cell("b = fit(2)", "slow"), cell("print(b)"), cell("explorer(a)", "explorer", "slow"), cell("print(1)"),
    )  # fmt: skip
    kept = sources(quick_with_explorers(copy.deepcopy(book)).cells)
    assert kept == [HURRIED, "from course_utils.training import fit", "a = fit(1)", "explorer(a)", "print(1)"]
    assert "explorer(a)" not in sources(quick(book).cells)


def test_where_no_explorer_needs_a_slow_cell_it_is_the_quick_lesson():
    book = book_of(cell("import math", "imports"), cell("a = 1", "slow"), cell("explorer(2)", "explorer"))
    assert quick_with_explorers(copy.deepcopy(book)) == quick(book)


def test_a_hurried_training_is_one_epoch_of_four_windows(monkeypatch):
    from course_utils import training

    seen = {}

    def whole(model, train, valid, *, epochs, schedule):
        seen.update(model=model, length=len(train), first=train[0], valid=valid, epochs=epochs, schedule=schedule)
        return "history"

    monkeypatch.setattr(training, "fit", whole)
    exec(HURRIED, {})
    assert training.fit("model", list("abcdef"), "valid", epochs=9, schedule="schedule") == "history"
    assert seen == dict(model="model", length=4, first="a", valid="valid", epochs=1, schedule="schedule")
    training.fit("model", list("ab"), "valid", epochs=9, schedule="schedule")
    assert seen["length"] == 2


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    return copy_lessons(ROOT / "notebooks", tmp_path_factory.mktemp("place") / "lessons", slow_cells=False)


@pytest.mark.parametrize("name", NAMES)
def test_the_copies_for_the_browser_have_every_explorer_of_the_lesson(copies, name):
    cells = nbformat.read(copies / f"{name}.ipynb", as_version=4).cells
    assert [cell.source for cell in cells if "explorer" in tags(cell)] == [cell.source for cell in explorers(name)]
    slow = [cell for cell in cells if "slow" in tags(cell)]
    assert (HURRIED in sources(cells)) == bool(slow)
    assert len(slow) <= 4  # of lesson 10: two trainings, their predictions and the explorer
