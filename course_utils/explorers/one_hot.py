"""The one-hot explorer of lesson 01: type a sequence, see its numbers and those of the other strand."""

from dataclasses import dataclass

import ipywidgets
import numpy as np

from course_utils import plotting
from course_utils.explorers import Explorer, Panels, table
from course_utils.sequences import (
    ALPHABET,
    SequenceError,
    one_hot,
    reverse_complement,
    reverse_complement_one_hot,
)

LONGEST = 48  # bases that fit a page side by side


@dataclass(frozen=True)
class OneHotView:
    """A sequence and its reverse complement, as letters and as arrays ``(L, 4)``."""

    sequence: str
    encoded: np.ndarray
    position: int
    other_sequence: str
    other_encoded: np.ndarray
    other_position: int


def compute(sequence: str, ambiguous: str, position: int) -> OneHotView:
    """Encode both strands; `position` counts from 0 and stops at the last base.

    Raises:
        SequenceError: for an empty or too long sequence or a letter that the policy refuses.
        ValueError: for a position before the first.
    """
    if position < 0:
        raise ValueError(f"position is {position}; the first base is number 0")
    sequence = sequence.strip()
    if len(sequence) > LONGEST:
        raise SequenceError(f"{len(sequence)} bases do not fit the page; show up to {LONGEST}")
    encoded = one_hot(sequence, ambiguous=ambiguous)
    position = min(position, len(sequence) - 1)
    return OneHotView(
        sequence=sequence,
        encoded=encoded,
        position=position,
        other_sequence=reverse_complement(sequence),
        other_encoded=reverse_complement_one_hot(encoded),
        other_position=len(sequence) - 1 - position,
    )


def draw(view: OneHotView) -> Panels:
    """Two grids, one above the other, with the chosen base framed in both."""
    numbers = table(
        [
            _row("this strand", view.sequence, view.encoded, view.position),
            _row("other strand", view.other_sequence, view.other_encoded, view.other_position),
        ],
        head=("strand", "position", "letter", *ALPHABET, "sum"),
        name="the chosen position",
    )
    summary = (
        f"{view.sequence} and its reverse complement {view.other_sequence}; position "
        f"{view.position} ({view.sequence[view.position]}) is position {view.other_position} "
        f"({view.other_sequence[view.other_position]}) of the other strand."
    )
    above, width, height = plotting.one_hot_grid(view.encoded, view.position, view.sequence)
    below, _, _ = plotting.one_hot_grid(
        view.other_encoded, view.other_position, view.other_sequence
    )
    body = (
        plotting.text(6, 14, "this strand", anchor="start", bold=True)
        + f"<g transform='translate(2 24)'>{above}</g>"
        + plotting.text(6, height + 42, "other strand", anchor="start", bold=True)
        + f"<g transform='translate(2 {height + 52})'>{below}</g>"
    )
    picture = plotting.svg(max(width + 6, 120), 2 * height + 56, body, summary)
    return Panels(picture, numbers, summary)


def _row(name: str, sequence: str, encoded: np.ndarray, position: int) -> tuple[str, ...]:
    numbers = encoded[position]
    return (
        name, str(position), sequence[position],
        *(f"{number:.3g}" for number in numbers), f"{numbers.sum():.3g}",
    )  # fmt: skip


def one_hot_explorer(sequence: str = "ATACAANRtg") -> Explorer:
    """The explorer, starting from a sequence of up to 48 letters (lesson 01)."""
    wide = {"description_width": "110px"}
    controls = {
        "sequence": ipywidgets.Text(sequence, description="sequence", style=wide),
        # A slider: lists lose their arrow keys to JupyterLab 4, buttons their focus in ipywidgets 7.
        "ambiguous": ipywidgets.SelectionSlider(
            options=[
                ("refuse them", "refuse"),
                ("four zeros", "zeros"),
                ("share the 1", "share"),
            ],
            value="share",
            description="N and its kin",
            style=wide,
        ),
        "position": ipywidgets.IntSlider(
            0, min=0, max=max(len(sequence) - 1, 1), description="position", style=wide
        ),
    }

    def fit_slider(change):
        controls["position"].max = max(min(len(change["new"].strip()), LONGEST) - 1, 1)

    controls["sequence"].observe(fit_slider, names="value")
    return Explorer("one-hot explorer", controls, compute, draw)
