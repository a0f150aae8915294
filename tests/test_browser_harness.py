"""The browser harness notices what is wrong with an explorer, shown one that does it all wrong."""

import re

import nbformat
import pytest
from browser import chromium, find_chromium, jupyterlab, open_lesson

pytestmark = pytest.mark.skipif(
    find_chromium() is None,
    reason="no Chromium or Chrome on the PATH; COURSE_CHROMIUM may name one",
)
CODE = """
import ipywidgets

deaf = ipywidgets.IntSlider(description="deaf")
nameless = ipywidgets.Checkbox()
faulty = ipywidgets.Text("A", description="faulty")
several = ipywidgets.ToggleButtons(options=["A", "C"], description="letter")
picture, numbers = ipywidgets.HTML("<svg role='img'></svg>"), ipywidgets.HTML("0")
picture.add_class("course-picture")
numbers.add_class("course-numbers")

def show(change):
    numbers.value = str(change["new"])

def stumble(change):
    picture.value = "<svg role='img'><text>" + change["new"] + "</text></svg>"
    raise RuntimeError("stumbled over " + change["new"])

nameless.observe(show, "value")
several.observe(show, "value")
faulty.observe(stumble, "value")
view = ipywidgets.VBox([deaf, nameless, faulty, several, picture, numbers])
view.add_class("course-explorer")
view
"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    home = tmp_path_factory.mktemp("harness")
    (home / "lessons").mkdir()
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(CODE)]
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, home / "lessons/wrong.ipynb")
    with (
        jupyterlab(home / "lessons", home) as lab,
        chromium() as browser,
        open_lesson(browser, lab, "wrong.ipynb") as opened,
    ):
        opened.run()
        yield opened


@pytest.fixture(scope="module")
def explorer(lesson):
    [found] = lesson.explorers(1)
    return found


def control(explorer, label):
    [found] = [control for control in explorer.controls if control.label == label]
    return found


def test_it_finds_each_control_once_with_its_label(explorer):
    found = [(control.kind, control.label) for control in explorer.controls]
    assert found == [("slider", "deaf"), ("check", ""), ("text", "faulty"), ("toggle", "letter")]
    assert explorer.reached_by_tab() == {0, 1, 2, 3}


def test_it_notices_a_control_without_effect(explorer):
    move, _ = explorer.move(control(explorer, "deaf"))
    assert not move.changed and move.latency is None


def test_it_tells_picture_from_numbers(explorer):
    move, _ = explorer.move(control(explorer, "letter"))
    assert move.numbers and not move.picture and move.latency is None
    move, _ = explorer.move(control(explorer, "faulty"))
    assert move.picture and not move.numbers and move.latency > 0


def test_it_hears_an_error_in_a_callback(explorer, lesson):
    explorer.move(control(explorer, "faulty"))
    assert any("stumbled over A" in words for words in lesson.complaints)


def test_it_hears_the_console_and_the_page(lesson):
    lesson.page.evaluate("console.error('a word from the console')")
    lesson.page.evaluate("void setTimeout(() => { throw new Error('thrown in the page') })")
    lesson.page.wait_for_timeout(200)
    heard = "\n".join(lesson.complaints)
    assert "console: a word from the console" in heard and "page: thrown in the page" in heard


def test_it_notices_a_picture_without_a_name(explorer):
    name = explorer.root.locator(".course-picture").get_by_role("img", name=re.compile(r"\w"))
    assert name.count() == 0
