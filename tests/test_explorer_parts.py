"""Explorers without a browser: compute, draw, and what the view shows while controls move."""

import functools
import importlib
import pkgutil
import sys
import types
from html.parser import HTMLParser
from xml.etree import ElementTree

import ipywidgets
import numpy as np
import pytest

from course_utils import explorers
from course_utils.explorers import Explorer, Panels, one_hot, table
from course_utils.models import seeded
from course_utils.models.motif_cnn import GlobalMaxCNN
from course_utils.sequences import SequenceError, reverse_complement
from course_utils.sequences import one_hot as encode

NASTY = "<i>&'\""
#: File name -> the function of that file that makes its explorer.
EXPLORERS = {
    name: getattr(importlib.import_module(f"course_utils.explorers.{name}"), f"{name}_explorer")
    for _, name, _ in pkgutil.iter_modules(explorers.__path__)
    if not name.startswith("_")  # a part of an explorer that has a file of its own
}
# Those that show what a reader hands to them.
_COUNTS = np.random.default_rng(1).poisson(1.0, (3, 64, 2))
EXPLORERS["tracks"] = functools.partial(EXPLORERS["tracks"], _COUNTS, {"rates": _COUNTS + 0.5})
with seeded(1):
    EXPLORERS["mutate"] = functools.partial(
        EXPLORERS["mutate"], GlobalMaxCNN(), {"one": "GATTACAGATTACAGGC", "two": "CCGGAATTCCGGAAT"}
    )
_RNG = np.random.default_rng(2)
_RUNGS = {
    score: {kind: (_RNG.normal(far, 1, 40), _RNG.normal(0, 1, 40)) for kind, far in (("uniform", 3), ("genomic", 1))}
    for score in ("motif scan", "network")
}
EXPLORERS["ladder"] = functools.partial(EXPLORERS["ladder"], _RUNGS)


class Reader(HTMLParser):
    """The words of a piece of HTML, and its tags with their attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.words, self.tags = [], []
        self.feed(html)

    def handle_data(self, data):
        self.words += [data] if data.strip() else []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def part(explorer: Explorer, role: str) -> str:
    """What the part of the view with that class shows."""
    (found,) = (child for child in explorer.view.children if role in child._dom_classes)
    return found.value


def square_root_explorer(draw=None) -> Explorer:
    def compute(number: int, name: str) -> tuple[str, float]:
        if number < 0:
            raise ValueError(f"{number} <0, no root for {name}")
        return name, number**0.5

    def plain(data):
        name, root = data
        return Panels(f"<svg><text>{root:g}</text></svg>", f"<p>{root:g}</p>", f"{name}: {root:g}")

    controls = {
        "number": ipywidgets.IntSlider(4, min=-9, max=99, description="number"),
        "name": ipywidgets.Text("root", description="name"),
    }
    return Explorer("root explorer", controls, compute, draw or plain)


# --- the base class ------------------------------------------------------------------------------


def test_a_control_that_moves_rewrites_picture_and_numbers():
    explorer = square_root_explorer()
    assert part(explorer, "course-picture") == "<svg><text>2</text></svg>"
    explorer.controls["number"].value = 81
    assert part(explorer, "course-picture") == "<svg><text>9</text></svg>"
    assert part(explorer, "course-numbers") == "<p>9</p>"
    assert repr(explorer) == "root explorer: root: 9"


def test_refused_input_is_told_in_a_sentence_and_keeps_the_last_good_picture():
    explorer = square_root_explorer()
    explorer.controls["number"].value = 9
    explorer.controls["number"].value = -1
    message = Reader(part(explorer, "course-message"))
    assert ("p", "status") in [(tag, a.get("role")) for tag, a in message.tags]
    assert message.words == ["Not shown yet:", " -1 <0, no root for root"]
    assert part(explorer, "course-picture") == "<svg><text>3</text></svg>"
    assert repr(explorer) == "root explorer: root: 3"


def test_the_message_goes_when_the_input_is_good_again():
    explorer = square_root_explorer()
    explorer.controls["number"].value = -1
    explorer.controls["number"].value = 16
    assert Reader(part(explorer, "course-message")).words == []
    assert part(explorer, "course-picture") == "<svg><text>4</text></svg>"


def test_the_message_shows_nasty_input_as_it_was_typed():
    explorer = square_root_explorer()
    explorer.controls["name"].value = NASTY
    explorer.controls["number"].value = -1
    message = Reader(part(explorer, "course-message"))
    assert message.words[-1].endswith(f"no root for {NASTY}")
    assert {tag for tag, _ in message.tags} == {"p", "b"}


def test_an_explorer_that_starts_with_refused_input_says_so_and_still_has_a_view():
    explorer = one_hot.one_hot_explorer("")
    assert "empty" in part(explorer, "course-message")
    assert part(explorer, "course-picture") == ""
    bundle = explorer._repr_mimebundle_()
    assert "nothing to show yet" in bundle["text/plain"] and "text/html" not in bundle


def test_a_fault_of_the_author_is_not_taken_for_the_readers():
    def broken(data):
        raise KeyError("a fault")

    with pytest.raises(KeyError):
        square_root_explorer(draw=broken)


def test_a_notebook_gets_the_widget_a_still_picture_with_its_numbers_and_a_line_of_text():
    explorer = one_hot.one_hot_explorer("ACG")
    bundle = explorer._repr_mimebundle_()
    assert bundle.keys() == {
        "application/vnd.jupyter.widget-view+json", "text/html", "text/plain"
    }  # fmt: skip
    view = bundle["application/vnd.jupyter.widget-view+json"]
    assert view == {"version_major": 2, "version_minor": 0, "model_id": explorer.view.model_id}
    assert bundle["text/plain"] == repr(explorer)
    still = Reader(bundle["text/html"])
    (image,) = (attributes for tag, attributes in still.tags if tag == "img")
    assert image["alt"] == repr(explorer)
    assert part(explorer, "course-numbers") in bundle["text/html"]


def test_colab_gets_the_widget_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    bundle = one_hot.one_hot_explorer()._repr_mimebundle_()
    assert bundle.keys() == {"application/vnd.jupyter.widget-view+json", "text/plain"}


def test_a_table_names_its_columns_and_rows_and_shows_nasty_words_as_they_are():
    read = Reader(table([(NASTY, "1", NASTY)], head=("row", "number", NASTY), name=NASTY))
    assert ("table", {"aria-label": NASTY}) in read.tags
    assert read.words == ["row", "number", NASTY, NASTY, "1", NASTY]
    scopes = [attributes["scope"] for tag, attributes in read.tags if tag == "th"]
    assert scopes == ["col", "col", "col", "row"]


# --- every explorer ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPLORERS)
def test_the_parts_of_every_explorer_are_labelled_and_where_the_browser_looks_for_them(name):
    explorer = EXPLORERS[name]()
    assert "course-explorer" in explorer.view._dom_classes
    for role in ("course-picture", "course-numbers", "course-message"):
        part(explorer, role)
    for control_name, control in explorer.controls.items():
        assert control in explorer.view.children
        assert control.description.strip(), f"{control_name} has no label"


@pytest.mark.parametrize("name", EXPLORERS)
def test_the_picture_of_every_explorer_is_sound_svg_labelled_with_its_summary(name):
    explorer = EXPLORERS[name]()
    root = ElementTree.fromstring(part(explorer, "course-picture"))
    assert root.get("role") == "img"
    assert root.get("aria-label") == explorer.panels.summary
    assert "\n" not in explorer.panels.summary
    assert Reader(part(explorer, "course-numbers")).words


@pytest.mark.parametrize("name", EXPLORERS)
def test_the_same_setting_of_every_explorer_gives_the_same_markup(name):
    assert EXPLORERS[name]().panels == EXPLORERS[name]().panels


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_control_of_every_explorer_changes_picture_or_numbers(name):
    for control_name in EXPLORERS[name]().controls:
        explorer = EXPLORERS[name]()
        before, shown = explorer.panels, []
        for value in other_values(explorer.controls[control_name]):
            explorer.controls[control_name].value = value
            shown.append(explorer.panels)
            assert part(explorer, "course-picture") == explorer.panels.picture
        assert any(panels != before for panels in shown), control_name


def other_values(control) -> list:
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if isinstance(control, ipywidgets.Text):
        return [control.value[::-1]]
    if isinstance(control, ipywidgets.Checkbox):
        return [not control.value]
    return [control.max, control.min]


# --- the one-hot explorer ------------------------------------------------------------------------


def test_compute_encodes_both_strands_and_finds_the_position_on_the_other():
    view = one_hot.compute(" AACGN ", ambiguous="share", position=1)
    assert (view.sequence, view.other_sequence) == ("AACGN", "NCGTT")
    np.testing.assert_array_equal(view.encoded, encode("AACGN", ambiguous="share"))
    np.testing.assert_array_equal(view.other_encoded, encode("NCGTT", ambiguous="share"))
    assert (view.position, view.other_position) == (1, 3)
    assert reverse_complement(view.sequence)[view.other_position] == "T"


def test_compute_stops_at_the_last_base_and_refuses_what_does_not_fit():
    assert one_hot.compute("ACG", ambiguous="refuse", position=40).position == 2
    one_hot.compute("A" * one_hot.LONGEST, ambiguous="refuse", position=0)
    with pytest.raises(SequenceError):
        one_hot.compute("A" * (one_hot.LONGEST + 1), ambiguous="refuse", position=0)


def test_draw_shows_the_numbers_of_the_chosen_base_on_both_strands():
    panels = one_hot.draw(one_hot.compute("AACGR", ambiguous="share", position=4))
    words = Reader(panels.numbers).words
    rows = words[words.index("sum") + 1 :]
    assert rows[:8] == ["this strand", "4", "R", "0.5", "0", "0.5", "0", "1"]
    assert rows[8:] == ["other strand", "0", "Y", "0", "0.5", "0", "0.5", "1"]
    for words in ("AACGR", "YCGTT", "position 4 (R)", "position 0 (Y)"):
        assert words in panels.summary


def test_a_shorter_sequence_moves_the_slider_back_to_its_last_base():
    explorer = one_hot.one_hot_explorer("GATTACAGATTACA")
    explorer.controls["position"].value = 13
    explorer.controls["sequence"].value = "ACG"
    assert explorer.controls["position"].max == explorer.controls["position"].value == 2
    assert "position 2 (G)" in repr(explorer)


def test_a_letter_that_is_no_base_is_named_and_the_last_sequence_stays():
    explorer = one_hot.one_hot_explorer("ACG")
    explorer.controls["sequence"].value = "AC<"
    (words,) = Reader(part(explorer, "course-message")).words[1:]
    assert "'<' at position 2" in words
    assert "ACG" in repr(explorer)
