"""Finds the explorers of an open lesson and moves their controls, by keyboard alone."""

import statistics
from dataclasses import dataclass
from functools import cached_property

from playwright.sync_api import Locator, Page

#: Kind of control -> ways to move it and to move it back; the first that changes something counts,
#: since a slider may stand at its end and a text may be as long as it may be. A way is a list of
#: keys; "again" focuses anew, for buttons that change places as they are pressed.
WAYS = {
    "slider": [(["ArrowRight"], ["ArrowLeft"]), (["ArrowLeft"], ["ArrowRight"])],
    # Unfolded first: the keys of a folded list go to JupyterLab 4 instead (ipywidgets issue 3912).
    "choice": [
        (["Space", "ArrowDown", "Enter"], ["Space", "ArrowUp", "Enter"]),
        (["Space", "ArrowUp", "Enter"], ["Space", "ArrowDown", "Enter"]),
    ],
    "number": [(["ArrowUp"], ["ArrowDown"]), (["ArrowDown"], ["ArrowUp"])],
    "text": [
        (["End", "A"], ["End", "Backspace"]),
        (["End", "Backspace"], ["End", "A"]),
        # Another last letter, for words that must stay of one length.
        (["End", "Backspace", "C"], ["End", "Backspace", "A"]),
        (["End", "5"], ["End", "Backspace"]),
        (["End", "A", "Tab"], ["End", "Backspace", "Tab"]),
    ],
    "check": [(["Space"], ["Space"])],
    "radio": [(["ArrowDown"], ["ArrowUp"]), (["ArrowUp"], ["ArrowDown"])],
    "toggle": [(["Enter"], ["Enter"])],
    "button": [(["Enter"], ["Enter"])],
}
PATIENCE = 3000  # ms to wait for a change before a way counts as without effect
TYPING = 120  # ms from one key to the next, as a quick typist has it; the last one is timed


@dataclass(frozen=True)
class Control:
    """One control of an explorer, as a reader meets it."""

    number: int
    kind: str
    label: str
    disabled: bool


@dataclass(frozen=True)
class Move:
    """What pressing keys on a control did.

    Attributes:
        picture: whether the picture changed; `numbers` likewise.
        message: what the explorer says about its input, or "".
        focused: whether the focus is still on the control.
        latency: ms from the key press to the repainted picture, if it changed.
    """

    control: Control
    keys: list[str]
    picture: bool
    numbers: bool
    message: str
    focused: bool
    latency: float | None

    @property
    def changed(self) -> bool:
        """Whether the reader sees something new."""
        return self.picture or self.numbers


class Explorer:
    """One ``.course-explorer`` of an open page."""

    def __init__(self, page: Page, number: int):
        self.page, self.number = page, number
        self.root: Locator = page.locator(".course-explorer").nth(number)

    @cached_property
    def controls(self) -> list[Control]:
        """The visible controls, in the order of the page."""
        found = self.page.evaluate("number => course.list(number)", self.number)
        return [Control(number, **control) for number, control in enumerate(found)]

    def focus(self, control: Control) -> None:
        """Put the keyboard focus on a control."""
        place = [self.number, control.number]
        self.page.evaluate("([explorer, number]) => course.target(explorer, number).focus()", place)

    def press(self, control: Control, keys: list[str], patience: int = PATIENCE) -> Move:
        """Press `keys` on a control and wait until the explorer has answered, or `patience` ms."""
        self.focus(control)
        self.page.evaluate("number => course.start(number)", self.number)
        for number, key in enumerate(keys):
            if number:
                self.page.wait_for_timeout(TYPING)
            self.page.keyboard.press(key)
        seen = self.page.evaluate("patience => course.finish(patience)", patience)
        focused = self.page.evaluate("number => course.focused(number)", self.number)
        return Move(control, keys, **seen, focused=focused == control.number)

    def move(self, control: Control) -> tuple[Move, list[str]]:
        """Move a control in the first way that has an effect; also returns the keys back."""
        if control.kind not in WAYS:
            raise ValueError(
                f"the harness does not know how to move {control.label!r}: add its kind of control "
                f"to page.js and its keys to WAYS in {__file__}"
            )
        for keys, back in WAYS[control.kind]:
            move = self.press(control, keys)
            if move.changed:
                break
        return move, back

    def latencies(self, control: Control, moves: int) -> list[float]:
        """Key to repainted picture in ms, moving a control to and fro `moves` times.

        Empty when the control does not change the picture.
        """
        first, back = self.move(control)
        measured = [first.latency]
        for turn in range(1, moves):
            move = self.press(control, back if turn % 2 else first.keys)
            measured.append(move.latency)
        return [latency for latency in measured if latency is not None]

    def reached_by_tab(self) -> set[int]:
        """Press Tab from the first control onward; the numbers of the controls it comes by."""
        self.focus(self.controls[0])
        reached = set()
        for _ in range(6 * len(self.controls)):
            number = self.page.evaluate("number => course.focused(number)", self.number)
            reached.add(number)
            if len(reached - {-1}) == len(self.controls):
                break
            self.page.keyboard.press("Tab")
        return reached - {-1}


def percentile(values: list[float], percent: float) -> float:
    """The value that `percent` of `values` do not exceed, between two of them if need be."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[round(percent) - 1]
