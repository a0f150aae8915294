"""The accessibility gate: what readers see, hear and touch is held to WCAG 2.2, level AA, and to all colour visions.

All is computed from what lessons, explorers and exercises show (``shown``), by ``svg_reading`` and ``picture_faults``
for pictures and ``html_faults`` for the rest. Each rule is also shown something wrong. What only a browser can tell
(axe-core, the keyboard, both themes) stands in ``test_explorers_in_browser.py``. In words: CONTRIBUTING.md.
"""

import re
from xml.etree import ElementTree

import colours
import html_faults
import numpy as np
import picture_faults
import pytest
import shown
from figure_colours import CYCLE, FIGURES, faint_colours
from reading import NAMES, ROOT, code_cells
from svg_reading import SVG, Drawing
from test_plotting import PICTURES

from course_utils.exercises import CORRECT, NOT_STARTED, NOT_YET, Feedback, not_yet
from course_utils.explorers import Explorer, Panels, table
from course_utils.plotting import ACCENT, INK, PAPER, svg, text

every_lesson = pytest.mark.parametrize("name", NAMES)
every_explorer = pytest.mark.parametrize("name", shown.EXPLORERS)
every_exercise = pytest.mark.parametrize("name, exercise", shown.EXERCISES)


def faults(pictures, *rules) -> list[str]:
    """What the rules find in SVG pictures, with the places where these are shown."""
    found = {}
    for picture in pictures:
        drawing = Drawing(picture.content)
        for rule in rules:
            for fault in rule(drawing):
                found.setdefault(fault, picture.where)
    return [f"{where}: {fault}" for fault, where in found.items()]


def drawings(pictures):
    return [picture for picture in pictures if isinstance(picture.content, str)]


def a_drawing(body: str) -> Drawing:
    return Drawing(svg(200, 100, body, "a drawing that is wrong on purpose"))


# --- alt texts -----------------------------------------------------------------------------------

#: Screen readers say "image" themselves; a file's name says nothing.
EMPTY_WORDS = re.compile(r"\b(picture|image|figure|photo|graphic) of\b|\.(png|svg|jpe?g|gif|ipynb)\b", re.IGNORECASE)


def alt_faults(alt: str, title: str = "") -> list[str]:
    """What an alt text lacks: words, other words than the title's, and news."""
    found = []
    words = set(re.findall(r"\w+", alt.lower()))
    if len(words - set(re.findall(r"\w+", title.lower()))) < 6:
        found.append(f"says little more than the title: {alt!r}")
    if EMPTY_WORDS.search(alt):
        found.append(f"says that it is an image, or names a file: {alt!r}")
    if "\n" in alt or alt != alt.strip():
        found.append(f"is not one line: {alt!r}")
    return found


def title_of(content) -> str:
    """The first bold words of an SVG picture; a PNG keeps its title to itself."""
    bold = ElementTree.fromstring(content).iter(f"{SVG}text") if isinstance(content, str) else []
    return next((element.text or "" for element in bold if element.get("font-weight") == "bold"), "")


def alt_faults_of(pictures) -> list[str]:
    return [f"{one.where}: {fault}" for one in pictures for fault in alt_faults(one.alt, title_of(one.content))]


@every_lesson
def test_every_picture_of_a_lesson_is_told_in_words(name):
    pictures = shown.in_lesson(name)
    assert pictures and alt_faults_of(pictures) == []
    for alt, address in shown.of_prose(name):
        assert alt.strip(), address
    for where, html in shown.outputs(name):
        assert "<svg" not in html, f"{where}: bare SVG in an output; plotting.Picture wraps it"


@every_explorer
def test_every_picture_of_an_explorer_is_told_in_words(name):
    assert alt_faults_of(shown.in_explorer(name)) == []
    for where, panels in shown.explored(name):
        root = Drawing(panels.picture).root
        assert (root.get("role"), root.get("aria-label")) == ("img", panels.summary), where


@every_exercise
def test_every_picture_of_an_exercise_is_told_in_words(name, exercise):
    for picture in shown.in_exercise(name, exercise):
        root = Drawing(picture.content).root
        assert (root.get("role"), root.get("aria-label")) == ("img", picture.alt), picture.where
        assert alt_faults(picture.alt) == [], picture.where


@pytest.mark.parametrize("alt, title, words", [
    ("GATA4, MA0482.3", "GATA4, MA0482.3", "little more"),
    ("A picture of eight bars, the tallest 0.98, the smallest 0.31.", "", "an image"),
    ("loss_curve.png shows training and validation falling from 0.7", "", "names a file"),
    ("Eight bars from 0.31 to 0.98,\nthe tallest in the middle.", "", "one line"),
])  # fmt: skip
def test_an_alt_text_that_says_nothing_is_found(alt, title, words):
    assert any(words in fault for fault in alt_faults(alt, title))
    assert alt_faults("Sequence logo of eight positions, consensus AGATAAGA, 10.2 bits in all.", "GATA4") == []


# --- contrast and colours of pictures ------------------------------------------------------------

RULES = (
    picture_faults.faint_words,
    picture_faults.faint_marks,
    picture_faults.mistaken,
    picture_faults.unknown_colours,
)


@every_lesson
def test_the_pictures_of_a_lesson_can_be_seen_by_all(name):
    assert faults(drawings(shown.in_lesson(name)), *RULES) == []


@every_explorer
def test_the_pictures_of_an_explorer_can_be_seen_by_all(name):
    assert faults(shown.in_explorer(name), *RULES) == []


def test_the_pictures_of_exercises_and_of_the_package_can_be_seen_by_all():
    pictures = [picture for pair in shown.EXERCISES for picture in shown.in_exercise(*pair)]
    assert len(pictures) > 20
    pictures += [shown.Shown(name, "", make().content) for name, make in PICTURES.items()]
    assert faults({picture.content: picture for picture in pictures}.values(), *RULES) == []


def test_every_colour_that_is_entered_is_used():
    """A colour that no picture has any more, or a quiet one that has contrast enough, has to go from the lists."""
    used = set()
    pictures = [picture for name in NAMES for picture in drawings(shown.in_lesson(name))]
    pictures += [picture for name in shown.EXPLORERS for picture in shown.in_explorer(name)]
    for picture in pictures:
        used |= set(re.findall("#[0-9a-f]{6}", picture.content.lower()))
    assert picture_faults.QUIET.keys() - used == set()
    assert picture_faults.MEANINGS.keys() - used == set()
    for quiet in picture_faults.QUIET:
        assert colours.contrast(quiet, PAPER) < colours.MARKS


def test_pale_words_and_covered_words_are_found():
    pale = a_drawing(text(100, 50, "pale", fill="#888888"))
    assert picture_faults.faint_words(pale) == ["'pale' in #888888 on #ffffff: contrast 3.54"]
    large = a_drawing(text(100, 50, "pale", size=24, fill="#888888"))
    assert picture_faults.faint_words(large) == []
    on_a_bar = f"<g transform='translate(10 0)'><rect x='50' y='40' width='80' height='20' fill='{ACCENT}'/></g>"
    assert "on #6a1b9a" in picture_faults.faint_words(a_drawing(on_a_bar + text(100, 50, "dark on dark")))[0]
    assert "painted over" in picture_faults.faint_words(a_drawing(text(100, 50, "under") + on_a_bar))[0]
    # Half of the words on the bar, half beside it.
    assert picture_faults.faint_words(a_drawing(on_a_bar + text(60, 50, "reaches out of the bar", fill=PAPER)))


def test_pale_marks_are_found_and_an_outline_mends_them():
    bar = "<rect x='20' y='20' width='100' height='20' fill='#E69F00'{}/>"
    assert "contrast 2.25" in picture_faults.faint_marks(a_drawing(bar.format("")))[0]
    assert picture_faults.faint_marks(a_drawing(bar.format(" stroke='#8a6a00'"))) == []
    assert picture_faults.faint_marks(a_drawing(bar.format("") + text(70, 30, "A"))) == []
    line = "<path d='M10 50h150' stroke='#b0b0b0' stroke-width='2'/>"
    assert "a line #b0b0b0" in picture_faults.faint_marks(a_drawing(line))[0]
    # On the paper it would do, across a dark bar it does not.
    across = "<path d='M20 30h100' stroke='#6a1b9a'/>"
    dark = bar.format("").replace("#E69F00", "#0072B2")
    assert picture_faults.faint_marks(a_drawing(across)) == [] != picture_faults.faint_marks(a_drawing(dark + across))


def test_colours_that_some_eyes_take_for_one_are_found_unless_dashes_tell_them_apart():
    # Red and green of one lightness.
    pair = "<path d='M10 20h150' stroke='#b5442d' {}/><path d='M10 26h150' stroke='#6f7a00' {}/>"
    [fault] = picture_faults.mistaken(a_drawing(pair.format("", "")))
    assert re.search("to (protanopia|deuteranopia)$", fault)
    assert picture_faults.mistaken(a_drawing(pair.format("", "stroke-dasharray='4 2'"))) == []
    assert picture_faults.mistaken(a_drawing(pair.replace("26h", "70h").format("", ""))) == []  # far from each other


def test_a_new_colour_is_noticed():
    new = a_drawing("<rect x='20' y='20' width='100' height='20' fill='#123456'/>" + text(9, 9, "x", fill="#654321"))
    assert picture_faults.unknown_colours(new) == ["#123456", "#654321"]
    with pytest.raises(ValueError, match="teach it"):
        a_drawing("<ellipse rx='3' fill='#123456'/>")
    with pytest.raises(ValueError, match="#rrggbb"):
        a_drawing("<rect width='9' height='9' fill='orange'/>")


# --- reading pictures ----------------------------------------------------------------------------


def test_what_lies_beneath_is_the_last_thing_painted_there():
    body = (
        "<rect x='0' y='0' width='100' height='100' fill='#0072B2'/>"
        "<path d='M50 0h50v50h-50z' fill='#E69F00'/><circle cx='25' cy='75' r='10' fill='#000000' fill-opacity='.5'/>"
    )
    drawing = a_drawing(body)
    points = np.array([[150, 50], [25, 25], [75, 25], [25, 75], [36, 86]])
    assert drawing.ground(99, points) == ["#ffffff", "#0072b2", "#e69f00", "#003959", "#0072b2"]


def test_arcs_holes_and_turns_are_read():
    outside, hole = "M20 50a30 30 0 1 0 60 0a30 30 0 1 0 -60 0z", "M40 50a10 10 0 1 1 20 0a10 10 0 1 1 -20 0z"
    [ring] = a_drawing(f"<path d='{outside}{hole}' fill='#000000'/>").parts[1:]
    inside = ring.covers(np.array([[25, 50], [50, 50], [50, 25], [50, 75], [90, 50]]))
    assert inside.tolist() == [True, False, True, True, False]
    [word] = a_drawing(f"<g transform='translate(20 50) rotate(-90)'>{text(0, 0, 'upwards')}</g>").words()
    across, down = np.ptp(word[1].points, axis=0)
    assert down > 3 * across


# --- colours of matplotlib -----------------------------------------------------------------------


def test_the_colours_of_curves_stand_out_and_differ_for_every_colour_vision():
    assert len(CYCLE) == 5
    for colour in CYCLE:
        assert colours.contrast(colour, PAPER) >= colours.MARKS, colour
    assert colours.too_close(CYCLE) == {}
    assert colours.too_close(["#009E73", "#b5442d", "#6f7a00"]) != {}


@every_lesson
def test_the_colours_that_a_lesson_gives_to_its_figures_stand_out(name):
    found = {fault for cell in code_cells(name) for fault in faint_colours(cell.source)}
    assert found == FIGURES.get(name, {}).keys()


def test_pale_colours_of_a_figure_are_found_in_its_code():
    assert faint_colours('axes.plot(x, color="#E69F00")') == {"a mark in #e69f00"}
    code = 'axes.axhline(0, color="grey", ls=":")\naxes.text(0, 0, "a", color="C2")'
    assert faint_colours(code) == {"words in #009e73"}
    code = 'for a, shade in [(1, "#D55E00"), (2, "#0072B2")]:\n    axes.text(0, a, "words", color=shade)'
    assert faint_colours(code) == {"words in #d55e00"}
    assert faint_colours('axes.scatter(x, y, c=z, cmap="cividis")') == {"dots in the light end of cividis"}
    assert faint_colours('axes.scatter(x, y, c=z, cmap="cividis", edgecolors="#5c5c5c")') == set()


# --- HTML: explorers' numbers and messages, feedback ---------------------------------------------


@every_explorer
def test_the_numbers_and_messages_of_an_explorer_are_read_on_a_light_and_a_dark_page(name):
    for where, html in [(where, panels.numbers) for where, panels in shown.explored(name)] + shown.refused(name):
        assert html_faults.faint_words(html) == [], where
        assert html_faults.table_faults(html) == [], where


@every_explorer
def test_an_explorer_has_a_line_of_words_and_a_table(name):
    for where, panels in shown.explored(name):
        assert len(panels.summary.split()) >= 8 and panels.summary.count("\n") == 0, where
        assert "<table" in panels.numbers and re.search(r"\d", panels.numbers), where


def test_what_an_explorer_refuses_is_told():
    messages = [message for name in shown.EXPLORERS for message in shown.refused(name)]
    assert len(messages) >= 3 and all("Not shown yet:" in html for _, html in messages)


@every_exercise
def test_feedback_is_read_on_a_light_and_a_dark_page(name, exercise):
    for where, feedback in shown.feedback_of(name, exercise):
        assert isinstance(feedback, Feedback), where
        assert html_faults.faint_words(shown.html_of(feedback)) == [], where


def test_a_colour_on_a_ground_that_the_page_decides_is_found():
    [fault] = html_faults.faint_words('<p role="status" style="color:#8a1c00"><b>Not shown yet</b></p>')
    assert "dark page" in fault
    assert html_faults.faint_words('<div style="background:#fff"><b>ink of the page on paper of ours</b></div>')
    assert html_faults.faint_words('<div style="background:#fff;color:#1b1b1b"><b>both</b></div>') == []
    assert html_faults.faint_words("<p>neither</p>") == []


def test_a_table_without_name_or_heads_is_found():
    good = table([("a", "1")], ("row", "number"), name="a table")
    assert html_faults.table_faults(good) == []
    for before, after in (
        (' aria-label="a table"', ""), (' scope="col"', ""), (' scope="row"', ""), (">row<", "><"),
        ("<td", "<td>2</td><td"),
    ):  # fmt: skip
        assert html_faults.table_faults(good.replace(before, after, 1)), before


# --- never by colour alone -----------------------------------------------------------------------


@every_exercise
def test_the_kinds_of_feedback_differ_in_words_and_signs(name, exercise):
    said = {where.rsplit(", ", 1)[1]: feedback for where, feedback in shown.feedback_of(name, exercise)}
    kinds = {
        "not started": said["stub"], "wrong": said["a constant"], "error": said["an error"],
        "right": said.get("the right answer", Feedback(CORRECT, ("all of them right.",))),
    }  # fmt: skip
    assert [kinds[kind].state for kind in kinds] == [NOT_STARTED, NOT_YET, NOT_YET, CORRECT]
    words = {kind: html_faults.without_looks(shown.html_of(feedback)) for kind, feedback in kinds.items()}
    assert len(set(words.values())) == len(words)
    signs = [words[kind].split()[0] for kind in ("not started", "wrong", "right")]
    assert signs == ["○", "✗", "✓"]
    assert "ZeroDivisionError" in words["error"] and "ZeroDivisionError" not in words["wrong"]


def test_the_states_of_an_explorer_differ_in_words():
    explorer = shown.EXPLORERS["one_hot"]()
    before = html_faults.without_looks(shown.message_of(explorer))
    explorer.controls["sequence"].value = "AC!"
    assert before == "" and html_faults.without_looks(shown.message_of(explorer)).startswith("Not shown yet:")


def test_two_states_that_differ_in_colour_alone_are_found():
    right, wrong = (f'<b style="color:{colour}">your answer</b>' for colour in ("#00563f", "#8a1c00"))
    assert html_faults.without_looks(right) == html_faults.without_looks(wrong)
    feedback = not_yet("1", "2", "3", pictures=(("yours", '<img alt="two bars" src="">'),))
    assert html_faults.without_looks(shown.html_of(feedback)).endswith("yours two bars")


# --- controls ------------------------------------------------------------------------------------


def control_faults(explorer: Explorer) -> list[str]:
    """Controls whose label or value a reader would not find."""
    found, labels = [], [control.description for control in explorer.controls.values()]
    for name, control in explorer.controls.items():
        if len(re.findall(r"[a-z]", control.description, re.IGNORECASE)) < 4:
            found.append(f"{name} is labelled {control.description!r}")
        if labels.count(control.description) > 1:
            found.append(f"two controls are labelled {control.description!r}")
        if getattr(control, "readout", True) is False and not re.search(r"\d", control.description):
            found.append(f"{name} does not show its value")
        for option in getattr(control, "options", ()):
            words = option[0] if isinstance(option, tuple) else option
            if not str(words).strip() or re.search(r"[<>{}\[\]_]", str(words)):
                found.append(f"{name} has the value {words!r}")
        if control.disabled or control.layout.display == "none":
            found.append(f"{name} cannot be reached")
    for name, button in explorer.buttons.items():
        if len(button.description) < 4 or len(button.tooltip or "") < 10:
            found.append(f"the button {name} says {button.description!r}, {button.tooltip!r}")
    return found


@every_explorer
def test_every_control_says_what_it_does_and_where_it_stands(name):
    assert control_faults(shown.EXPLORERS[name]()) == []


def test_a_control_without_label_or_value_is_found():
    import ipywidgets

    controls = {
        "a": ipywidgets.IntSlider(1, min=0, max=5, description="x"),
        "b": ipywidgets.IntSlider(1, min=0, max=5, description="height", readout=False),
        "c": ipywidgets.SelectionSlider(options=[("", 1), ("some_name", 2)], description="height"),
    }
    panels = Panels(svg(9, 9, "", "nothing"), "<p>0</p>", "nothing")
    found = control_faults(Explorer("wrong", controls, lambda **values: None, lambda data: panels))
    assert len(found) == 6, found


# --- motion and focus ----------------------------------------------------------------------------

RESTLESS = re.compile(
    r"outline\s*:\s*(none|0)|<(animate|marquee|blink|video)|@keyframes|\b(animation|transition)\s*:|autoplay"
    r"|ipywidgets\.Play",
    re.IGNORECASE,
)


def test_nothing_of_ours_moves_by_itself_or_hides_where_the_focus_is():
    for path in sorted((ROOT / "course_utils").rglob("*.py")):
        assert not RESTLESS.search(path.read_text("utf-8")), path
    for name in NAMES:
        for cell in code_cells(name):
            assert not RESTLESS.search(cell.source), cell.source
        for where, html in shown.outputs(name):
            pictures = [image.content for image in shown.images(html, where) if isinstance(image.content, str)]
            assert not RESTLESS.search(re.sub(r'base64,[^"]*', "", html) + "".join(pictures)), where
    for wrong in ("<p style='outline: none'>", "<animate attributeName='x'/>", "a{transition:all 1s}"):
        assert RESTLESS.search(wrong)


# --- colour arithmetic ---------------------------------------------------------------------------


def test_the_colour_arithmetic_is_right_where_the_answer_is_known():
    def lab(colour):
        return colours.lab(colours.linear(colour))

    assert lab("#ffffff") == pytest.approx([100, 0, 0], abs=0.02)
    assert lab("#ff0000") == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    for matrix in colours.VISION.values():  # grey stays grey
        assert matrix.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert colours.over("#000000", "#ffffff", 0.5) == "#808080"
    assert (colours.needed(24, False), colours.needed(18.66, True), colours.needed(18.66, False)) == (3, 3, 4.5)


def test_each_colour_vision_takes_other_pairs_for_one():
    """Red and green look much the same without red or green cones; blue and green without blue ones."""
    pairs = {
        "protanopia": ("#c00000", "#4f4300"),
        "deuteranopia": ("#c06000", "#8a8000"),
        "tritanopia": ("#00a0a0", "#30a0d0"),
    }
    for vision, pair in pairs.items():
        assert colours.distance(*pair, vision) < 0.5 * colours.distance(*pair), vision
    assert all(colours.distance(INK, ACCENT, vision) > colours.PLAIN_TO_SEE for vision in colours.VISION)
