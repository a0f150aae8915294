"""Every explorer of every lesson, moved by keyboard in a browser, under ipywidgets 8 and 7.

ipywidgets 8 runs in this environment's JupyterLab; 7 is Colab's, as a reader there has it, with the
front end of its time, and with the kernel of test_colab.py, which leaves it to these tests that every
lesson runs to its end there. The lessons come without their slow cells, which nbval runs: an explorer of
trained networks gets networks that are hardly trained. Times are written down
(.cache/explorers.json and the end of the run), and nothing depends on them.
"""

import contextlib
import functools
import itertools
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import environments
import nbformat
import pytest
from browser import (
    Audit,
    Explorer,
    Move,
    audit,
    broken_rules,
    chromium,
    find_chromium,
    jupyterlab,
    open_lesson,
    percentile,
    show_messages,
)
from colab_reader import colab_reader
from executing import copy_lessons
from reading import NAMES, ROOT, needed_data, tagged, why_unavailable

pytestmark = pytest.mark.skipif(
    find_chromium() is None,
    reason="no Chromium or Chrome on the PATH; COURSE_CHROMIUM may name one",
)
MOVES = 10  # for the time of an explorer
#: Labels of controls that end in "..." because their words are wider than their room.
CUT = """[...document.querySelectorAll(".course-explorer .widget-label")]
    .filter((label) => label.scrollWidth > label.clientWidth).map((label) => label.textContent)"""
#: Version of ipywidgets -> the class that only its sliders have.
MAJORS = {"ipywidgets-8": "noUi-handle", "ipywidgets-7": "ui-slider-handle"}
#: What ipywidgets itself does against WCAG: version -> (rule of axe, its part) -> why it has to be borne.
FOREIGN = {
    "ipywidgets-8": {
        ("aria-input-field-name", ".noUi-handle"): "the handle of a slider has no name: the label beside it is not "
        "tied to it, and no widget lets its author set one",
    },
    "ipywidgets-7": {},
}


@dataclass
class Explored:
    """What happened to one explorer."""

    moves: list[Move]
    out_of_reach: set[str]
    pictures_with_a_name: int
    latencies: list[float]


@dataclass
class Visit:
    """One lesson, opened and run, with all its explorers moved."""

    widgets: str
    name: str
    explorers: list[Explored] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    handles: set[str] = field(default_factory=set)
    cut_labels: list[str] = field(default_factory=list)
    audit: Audit | None = None


@pytest.fixture(scope="module")
def labs(tmp_path_factory):
    """Gives the JupyterLab of an ipywidgets version, with all lessons; starts each once."""
    with contextlib.ExitStack() as stack:
        start = functools.cache(lambda widgets: stack.enter_context(lab(widgets, tmp_path_factory)))
        yield start


def lab(widgets: str, tmp_path_factory):
    """JupyterLab with all lessons, whose kernels find no network."""
    home = tmp_path_factory.mktemp(widgets)
    if widgets == "ipywidgets-8":
        server = python = Path(sys.executable)
        notebooks = ROOT / "notebooks"
    else:
        server, python = environments.colab_replica(), colab_reader().python
        notebooks = colab_reader().repository / "notebooks"
    today = widgets == "ipywidgets-8"
    # The saved widgets are those of ipywidgets 8: its predecessor's front end would complain of
    # each before anything is run.
    lessons = copy_lessons(notebooks, home / "lessons", saved_widgets=today, slow_cells=False)
    kernels = environments.kernel_spec(
        home / "jupyter", python, [environments.OFFLINE], colab=not today
    )
    if not today:
        for path in lessons.glob("*.ipynb"):
            book = nbformat.read(path, as_version=4)
            book.cells.append(colab_reader().last_cell())
            nbformat.write(book, path)
    # The one of today is started as `make lab` starts it.
    return jupyterlab(lessons, home, str(server), {"JUPYTER_PATH": str(kernels)}, prompt=today)


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module", params=itertools.product(MAJORS, NAMES), ids="-".join)
def visit(request, labs, browser):
    """Open the lesson once and do all that the tests ask about."""
    widgets, name = request.param
    for reason in filter(None, (why_unavailable(data) for cell in tagged(name, "explorer") for data in needed_data(cell))):
        pytest.skip(reason)
    seen = Visit(widgets, name)
    with open_lesson(browser, labs(widgets), f"{name}.ipynb") as lesson:
        lesson.run()
        for explorer in lesson.explorers(len(tagged(name, "explorer"))):
            seen.explorers.append(explore(explorer))
        seen.complaints = lesson.complaints
        for handle in MAJORS.values():
            if lesson.page.locator(f".course-explorer .{handle}").count():
                seen.handles.add(handle)
        seen.cut_labels = lesson.page.evaluate(CUT)
        show_messages(lesson.explorers(len(seen.explorers)))
        seen.audit = audit(lesson, [part for _, part in FOREIGN[widgets]])
    return seen


def explore(explorer: Explorer) -> Explored:
    """Move every control there and back, buttons last, since they may reset the rest."""
    reached = explorer.reached_by_tab()
    out_of_reach = {
        control.label for control in explorer.controls if control.number not in reached
    }
    moves, latencies = [], []
    for control in sorted(explorer.controls, key=lambda control: control.kind == "button"):
        move, back = explorer.move(control)
        moves.append(move)
        if control.kind != "button":
            explorer.press(control, back)
        if move.picture and not latencies:
            latencies = explorer.latencies(control, MOVES)
    name = explorer.root.locator(".course-picture").get_by_role("img", name=re.compile(r"\w"))
    return Explored(moves, out_of_reach, name.count(), latencies)


def test_every_control_moves_picture_or_numbers_by_keyboard(visit):
    assert visit.explorers
    for explored in visit.explorers:
        assert explored.moves
        for move in explored.moves:
            assert move.changed, f"{move.control} does nothing; last tried {move.keys}"


def test_the_focus_stays_on_a_control_that_is_moved(visit):
    for explored in visit.explorers:
        for move in explored.moves:
            assert move.focused or "Tab" in move.keys, f"{move.keys} left {move.control}"


def test_both_picture_and_numbers_change(visit):
    for explored in visit.explorers:
        assert any(move.picture for move in explored.moves)
        assert any(move.numbers for move in explored.moves)


def test_every_control_has_a_label_and_is_reached_by_tab(visit):
    for explored in visit.explorers:
        assert all(move.control.label for move in explored.moves), explored.moves
        assert explored.out_of_reach == set()


def test_no_label_is_cut_off(visit):
    assert visit.cut_labels == []


def test_the_picture_has_a_name_for_screen_readers(visit):
    for explored in visit.explorers:
        assert explored.pictures_with_a_name


def is_foreign(violation, widgets: str) -> bool:
    return any((violation.rule, part) in FOREIGN[widgets] for part in violation.known)


def test_what_is_ours_keeps_the_rules_of_wcag_on_a_light_and_on_a_dark_page(visit):
    assert [one for one in visit.audit.violations if not is_foreign(one, visit.widgets)] == []
    assert all(many > 10 for many in visit.audit.read.values()), "axe found no words to read"


def test_axe_finds_what_is_wrong_in_an_output(browser):
    page = browser.new_page()
    page.set_content(
        "<body><p><img src='data:,'></p><div class='jp-OutputArea-output' style='background:#fff'>"
        "<p role='status' style='color:#999'>pale</p><img src='data:,'><p>read</p></div></body>"
    )
    found, read = broken_rules(page, "none", ["img", ".other"])
    page.close()
    assert {(one.rule, one.known) for one in found} == {("color-contrast", ()), ("image-alt", ("img",))}
    assert len(found) == 2 and read == 1  # what is not an output of ours is not asked


def test_what_ipywidgets_does_wrong_is_still_so(visit):
    """An exception that nothing needs any more has to go."""
    needed = {(one.rule, part) for one in visit.audit.violations for part in one.known}
    assert FOREIGN[visit.widgets].keys() <= needed


def test_neither_page_nor_kernel_complains(visit):
    assert visit.complaints == []


def test_the_front_end_is_the_one_that_belongs_to_the_widgets(visit):
    assert visit.handles == {MAJORS[visit.widgets]}


def test_times_are_written_down(visit, request, record_property):
    for number, explored in enumerate(visit.explorers):
        name = f"{visit.name}, explorer {number + 1}, {visit.widgets}"
        times = {
            "median_ms": round(median(explored.latencies), 1),
            "p95_ms": round(percentile(explored.latencies, 95), 1),
            "moves": len(explored.latencies),
        }
        record_property(name, times)
        Times.of(request.config).add(name, times)


class Times:
    """Prints the times at the end of the run and keeps them in .cache/explorers.json."""

    def __init__(self):
        self.all: dict[str, dict] = {}

    @classmethod
    def of(cls, config) -> "Times":
        """The one of this run."""
        if not config.pluginmanager.has_plugin("explorer-times"):
            config.pluginmanager.register(cls(), "explorer-times")
        return config.pluginmanager.get_plugin("explorer-times")

    def add(self, name: str, times: dict) -> None:
        self.all[name] = times
        path = ROOT / ".cache/explorers.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self.all, indent=1) + "\n")

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("explorers: key to repainted picture, ms")
        for name, times in self.all.items():
            terminalreporter.write_line(
                f"{name}: median {times['median_ms']}, p95 {times['p95_ms']}"
            )
