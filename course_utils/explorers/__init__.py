"""Explorers: small instruments that answer at once when a control moves.

Each file of this folder holds one explorer, in three parts: ``compute(**parameters)``, a pure
function from the controls' values to the data; ``draw(data)``, which writes the data as finished
markup; and a function that puts controls and the two together into an :class:`Explorer`. The first
two can be read, called and tested without a notebook.

Only widgets and arguments that ipywidgets 7.7.1 (Colab) and 8 share are used, and neither
``interact`` nor ``Output``: these swallow errors and flicker. How to add one: CONTRIBUTING.md.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import ipywidgets

from course_utils.plotting import Picture


@dataclass(frozen=True)
class Panels:
    """What an explorer shows for one setting of its controls.

    Attributes:
        picture: an SVG document with an ``aria-label``.
        numbers: HTML with the numbers of the picture, for those who cannot see it.
        summary: one line of plain text; it stands for the explorer where widgets cannot run.
    """

    picture: str
    numbers: str
    summary: str


class Explorer:
    """Controls above a picture and its numbers; the last line of a cell shows it.

    Args:
        name: of the region, for screen readers, such as ``"one-hot explorer"``.
        controls: parameter name of `compute` -> widget; each widget has a ``description``.
        compute: pure function of the controls' values; raises ``ValueError`` with a plain sentence
            for input that the reader should change.
        draw: data -> :class:`Panels`.
        buttons: parameter name of `compute` -> button, for what is too slow for every move of a control;
            the parameter is how often it was pressed since a control moved.
    """

    def __init__(
        self,
        name: str,
        controls: dict[str, ipywidgets.Widget],
        compute: Callable[..., Any],
        draw: Callable[[Any], Panels],
        buttons: dict[str, ipywidgets.Button] | None = None,
    ):
        self.name, self.controls, self.buttons = name, controls, buttons or {}
        self._compute, self._draw = compute, draw
        self._picture = ipywidgets.HTML()
        self._numbers = ipywidgets.HTML()
        self._message = ipywidgets.HTML()
        for widget, role in (
            (self._picture, "course-picture"),
            (self._numbers, "course-numbers"),
            (self._message, "course-message"),
        ):
            widget.add_class(role)
        self.view = ipywidgets.VBox(
            [
                *controls.values(),
                *self.buttons.values(),
                self._message,
                self._picture,
                self._numbers,
            ]
        )
        self.view.add_class("course-explorer")
        self.panels: Panels | None = None
        self._refresh()
        for control in controls.values():
            control.observe(self._refresh, names="value")
        for parameter, button in self.buttons.items():
            button.on_click(partial(self._press, parameter))

    def _refresh(self, change=None) -> None:
        self._presses = dict.fromkeys(self.buttons, 0)
        self._show()

    def _press(self, parameter: str, button: ipywidgets.Button) -> None:
        self._presses[parameter] += 1
        self._message.value = '<p role="status">Working …</p>'
        self._show()

    def _show(self) -> None:
        values = {name: control.value for name, control in self.controls.items()}
        try:
            self.panels = self._draw(self._compute(**values, **self._presses))
        except ValueError as error:
            # The last good picture stays: a reader in the middle of typing is not punished.
            # Its own paper beneath its own ink: both hold on a dark page too.
            self._message.value = (
                '<p role="status" style="background:#fff;color:#8a1c00;padding:2px 8px">'
                f"<b>Not shown yet:</b> {escape(str(error))}</p>"
            )
            return
        self._message.value = '<p role="status"></p>'
        self._picture.value = self.panels.picture
        self._numbers.value = self.panels.numbers

    def __repr__(self) -> str:
        summary = self.panels.summary if self.panels else "nothing to show yet"
        return f"{self.name}: {summary}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        bundle = {
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.view.model_id,
            },
            "text/plain": repr(self),
        }
        # A page that cannot run widgets (GitHub, an HTML export) shows the picture as it stands.
        # Colab's order of preference among formats is its own: there, offer the widget alone.
        if self.panels and "google.colab" not in sys.modules:
            still = Picture(self.panels.picture, repr(self)).html()
            bundle["text/html"] = still + self.panels.numbers
        return bundle


def table(rows: list[tuple[str, ...]], head: tuple[str, ...], name: str) -> str:
    """An HTML table for an explorer's numbers; the first cell of each row names the row.

    Args:
        rows: cells, as words.
        head: of the columns.
        name: what the table is of, said by screen readers, which list a page's tables by name.
    """
    cell = 'style="padding:1px 10px;text-align:left"'
    heads = "".join(f'<th scope="col" {cell}>{escape(word)}</th>' for word in head)
    body = "".join(
        f'<tr><th scope="row" {cell}>{escape(first)}</th>'
        + "".join(f"<td {cell}>{escape(word)}</td>" for word in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f'<table aria-label="{escape(name)}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def fitted(numbers: str) -> str:
    """Numbers as wide as the page: wider tables are scrolled sideways, by keyboard too, and words wrap."""
    look = "width:0;min-width:100%;overflow-x:auto"
    return f'<div role="region" aria-label="numbers" tabindex="0" style="{look}">{numbers}</div>'
