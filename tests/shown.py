"""What readers really see: the pictures and the HTML of lessons, of explorers in many settings, and of exercises."""

import base64
import functools
import re
from dataclasses import dataclass
from functools import cache
from html import unescape

import ipywidgets
import numpy as np
from reading import NAMES, code_cells, lesson, tags
from test_explorer_parts import EXPLORERS, other_values
from test_exercises import EXERCISES, check_of

from course_utils.exercises import CORRECT, NOT_STARTED, Feedback
from course_utils.explorers import Explorer, Panels
from course_utils.explorers.ladder import ladder_explorer
from course_utils.explorers.tracks import tracks_explorer

_RNG = np.random.default_rng(5)
COUNTS = _RNG.poisson(2.0, (2, 64, 1))
THREE = {"first": COUNTS + 0.5, "second": np.full(COUNTS.shape, 2.0), "third": 0.5 * COUNTS + 1}
MARKS = [[(15 * n + 5, f"kind {letter}", letter) for n, letter in enumerate("PABC")] for _ in COUNTS]
FIVE_RUNGS = {"scan": {f"kind {n}": (_RNG.normal(3 - n / 2, 1, 60), _RNG.normal(0, 1, 80)) for n in range(5)}}

#: Those of the tests, and two that show as much as there may be.
EXPLORERS = EXPLORERS | {
    "ladder of five": functools.partial(ladder_explorer, FIVE_RUNGS),
    "tracks of three": functools.partial(tracks_explorer, COUNTS, THREE, marks=MARKS),
}

IMAGE = re.compile(r'<img alt="([^"]*)"[^>]* src="data:image/(svg\+xml|png);base64,([^"]*)">')


@dataclass(frozen=True)
class Shown:
    """A picture and where it is shown; `content` is SVG markup, or a PNG file."""

    where: str
    alt: str
    content: str | bytes


def images(html: str, where: str) -> list[Shown]:
    """The pictures of a piece of HTML that our code wrote."""
    found = []
    for alt, kind, data in IMAGE.findall(html):
        content = base64.b64decode(data)
        found.append(Shown(where, unescape(alt), content.decode() if kind.startswith("svg") else content))
    assert len(found) == html.count("<img"), f"{where}: an <img> that plotting.Picture did not write"
    return found


# --- lessons -------------------------------------------------------------------------------------


def outputs(name: str) -> list[tuple[str, str]]:
    """(where, HTML) of each output of a built lesson that has some."""
    found = []
    for number, cell in enumerate(code_cells(name)):
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            if html:
                found.append((f"{name}, code cell {number}", html))
    return found


@cache
def in_lesson(name: str) -> list[Shown]:
    """The pictures of a lesson: saved with it, an explorer's first one included, and linked from its prose."""
    found = []
    for where, html in outputs(name):
        found += images(html, where)
    return found


def of_prose(name: str) -> list[tuple[str, str]]:
    """(alt text, address) of the images that the prose of a lesson links to."""
    sources = [cell.source for cell in lesson(name).cells if cell.cell_type == "markdown"]
    found = [pair for source in sources for pair in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)", source)]
    for tag in re.findall(r"<img\b[^>]*>", "".join(sources)):
        found.append((*re.findall(r'alt="([^"]*)"', tag), *re.findall(r'src="([^"]*)"', tag)))
    return found


# --- explorers -----------------------------------------------------------------------------------


@cache
def explored(name: str) -> list[tuple[str, Panels]]:
    """An explorer as it starts, and with each control at its ends and between; a button pressed once: (where, what)."""
    explorer = EXPLORERS[name]()
    found = [(f"{name} explorer", explorer.panels)]
    for control_name, control in explorer.controls.items():
        before = control.value
        values = other_values(control)
        few = values if len(values) <= 5 else (values[0], values[len(values) // 2], values[-1])
        for value in dict.fromkeys(few):
            control.value = value
            found.append((f"{name} explorer, {control_name} {value!r}", explorer.panels))
        control.value = before
    for button_name, button in explorer.buttons.items():
        button.click()
        found.append((f"{name} explorer, {button_name} pressed", explorer.panels))
    return found


def in_explorer(name: str) -> list[Shown]:
    """Its pictures."""
    return [Shown(where, panels.summary, panels.picture) for where, panels in explored(name)]


def message_of(explorer: Explorer) -> str:
    """What it says of input that it cannot show, as HTML."""
    [message] = (child for child in explorer.view.children if "course-message" in child._dom_classes)
    return message.value


def refused(name: str) -> list[tuple[str, str]]:
    """(where, message) of an explorer whose texts hold what it refuses."""
    explorer, found = EXPLORERS[name](), []
    for control_name, control in explorer.controls.items():
        if isinstance(control, ipywidgets.Text):
            control.value = "<Z>"
            found.append((f"{name} explorer, {control_name} '<Z>'", message_of(explorer)))
    return found


# --- exercises -----------------------------------------------------------------------------------


def _raises(*arguments):
    raise ZeroDivisionError("of the reader's own <making>")


@cache
def feedback_of(name: str, exercise: str) -> list[tuple[str, Feedback]]:
    """What an exercise says of the stub, an error, a constant and, where it draws, of all its known mistakes."""
    check = check_of(name, exercise)
    answers = {"stub": ..., "an error": _raises, "a constant": lambda *arguments: 12345}
    if getattr(check, "draw", None):
        answers["the right answer"] = check.oracle
        answers |= {f"mistake {number}": one.answer for number, one in enumerate(check.mistakes)}
    return [(f"{name}, {exercise}, {words}", check(answer)) for words, answer in answers.items()]


def html_of(feedback: Feedback) -> str:
    return feedback._repr_mimebundle_()["text/html"]


def in_exercise(name: str, exercise: str) -> list[Shown]:
    """The pictures of its feedback."""
    found = []
    for where, feedback in feedback_of(name, exercise):
        found += images(html_of(feedback), where)
    return found


__all__ = [
    "CORRECT", "EXERCISES", "EXPLORERS", "NAMES", "NOT_STARTED", "Shown", "explored", "feedback_of", "html_of",
    "images", "in_exercise", "in_explorer", "in_lesson", "message_of", "of_prose", "outputs", "refused", "tags",
]  # fmt: skip
