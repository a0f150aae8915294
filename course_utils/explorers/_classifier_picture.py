"""The picture, numbers and summary of the classifier explorer: what `classifier.compute` gives, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from course_utils import plotting
from course_utils.explorers import Panels, table
from course_utils.explorers._words import write_many
from course_utils.motifs import consensus, information

if TYPE_CHECKING:  # only for the hints: when it runs, classifier imports this file
    from course_utils.explorers.classifier import ClassifierView, Filter

WIDTH, HEIGHT = 724, 392  # pixels
LEFT, PLOT_WIDE, PLOT_HIGH = 46, 268, 118  # where curves begin, and the size of a plot
LOSS_TOP, ACCURACY_TOP, BOTTOM = 58, 234, 382
MOST_LOSS = 0.8  # the axis goes higher only if it must, so that settings can be compared
LOWEST = 0.5  # of the axis of accuracy: guessing
LOGO_LEFT, LOGO_WIDE, LOGO_TOP, LOGO_HIGH = 360, 184, 58, 176  # of the first logo, and to the next ones
TRAINING, VALIDATION, CEILING = plotting.FAINT, plotting.ACCENT, "#8a1c00"
SMALL = {"size": 10, "fill": plotting.FAINT}  # words on axes
AFTER = {"flatten": "a weight for each position", "max": "the best match of each filter"}
WHERE = {"fixed": "the motif at 7", "anywhere": "the motif anywhere"}


def draw(view: ClassifierView) -> Panels:
    """Loss and accuracy by epoch with the ceiling, and logos of the filters with the largest effect."""
    run = view.run
    lowest = int(np.argmin(run.valid_loss))
    results = [
        ("accuracy on 20,000 fresh sequences", _percent(run.test_accuracy)),
        ("ceiling: what no classifier exceeds", _ceiling(view)),
        ("accuracy on 400 validation sequences, last epoch", _percent(run.valid_accuracy[-1])),
        ("training loss, last epoch", f"{run.train_loss[-1]:.3f}"),
        ("validation loss, last epoch", f"{run.valid_loss[-1]:.3f}"),
        ("lowest validation loss", f"{run.valid_loss[lowest]:.3f} in epoch {lowest + 1}"),
        ("parameters", f"{view.parameters:,}"),
        ("filters that respond to anything", f"{run.used} of {view.filters}"),
    ]
    stacks = [_heights(one) for one in run.filters]
    names = [consensus(_ppm(one)) for one in run.filters]
    filters = [
        (
            str(rank),
            name,
            f"{letters.sum():.1f} bits",
            f"{sum(one.pfm[0]):,}",
            _speaks(one),
            f"{one.effect:.2f}",
        )
        for rank, (one, name, letters) in enumerate(zip(run.filters, names, stacks), start=1)
    ]
    epochs = [
        (str(epoch), f"{training:.3f}", f"{validation:.3f}", _percent(accuracy))
        for epoch, (training, validation, accuracy) in enumerate(
            zip(run.train_loss, run.valid_loss, run.valid_accuracy), start=1
        )
        if epoch in (1, 2, 5, 10, 15, 20)
    ]
    numbers = (
        table(results, head=("result", "value"), name="results")
        + table(
            filters,
            head=("filter", "consensus", "information", "windows", "a match speaks", "effect on the logits"),
            name="filters",
        )
        + table(epochs, head=("epoch", "training loss", "validation loss", "validation accuracy"), name="epochs")
    )
    found = "; ".join(f"{name} speaks {_speaks(one)}" for one, name in zip(run.filters, names))
    summary = (
        f"{write_many(view.filters, 'filter')} of width {view.width}, then {AFTER[view.pooling]}; "
        f"{WHERE[view.place]}; {_origin(view)}: {_percent(run.test_accuracy)} of 20,000 fresh sequences right, "
        f"ceiling {_ceiling(view)}; {view.parameters:,} parameters; {found or 'no filter responds'}."
    )
    return Panels(plotting.svg(WIDTH, HEIGHT, _picture(view, stacks), summary), numbers, summary)


def _origin(view: ClassifierView) -> str:
    kept = view.seed == 1
    return f"trained {'beforehand' if kept else 'just now'}, seed {view.seed}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _ceiling(view: ClassifierView) -> str:
    # Exact, or known better than to the last digit.
    return f"{100 * view.ceiling:.{1 if view.ceiling_se else 2}f} %"


def _speaks(one: Filter) -> str:
    return "for the motif" if one.speaks_for else "against it"


def _ppm(one: Filter) -> np.ndarray:
    pfm = np.array(one.pfm, dtype=float)
    return pfm / pfm.sum(axis=1, keepdims=True)


def _heights(one: Filter) -> np.ndarray:
    ppm = _ppm(one)
    return ppm * information(ppm)[:, None]


# --- the picture ---------------------------------------------------------------------------------


def _picture(view: ClassifierView, stacks: list[np.ndarray]) -> str:
    run = view.run
    how = f"{write_many(view.filters, 'filter')} of width {view.width}, then {AFTER[view.pooling]}; "
    how += f"{WHERE[view.place]}; {view.parameters:,} parameters"
    return "".join(
        [
            plotting.text(8, 14, how, anchor="start", bold=True),
            plotting.text(LOGO_LEFT, BOTTOM, _origin(view), anchor="start", size=11),
            _losses(run),
            _accuracies(view),
            _logos(run.filters, stacks),
        ]
    )


def _places(epochs: int) -> list[float]:
    """Where each epoch stands, from left to right."""
    return [LEFT + PLOT_WIDE * (epoch - 0.5) / epochs for epoch in range(1, epochs + 1)]


def _curve(values, low: float, high: float, top: float, colour: str, dash: str = "") -> str:
    points = " ".join(
        f"{x:.1f},{top + PLOT_HIGH * (high - min(max(value, low), high)) / (high - low):.1f}"
        for x, value in zip(_places(len(values)), values)
    )
    dashes = f" stroke-dasharray='{dash}'" if dash else ""
    return f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2'{dashes}/>"


def _axes(top: float, marks: list[tuple[float, str]], low: float, high: float, epochs: int) -> str:
    """A frame with lines at the marks, and the epochs below."""
    parts = []
    for value, words in marks:
        y = top + PLOT_HIGH * (high - value) / (high - low)
        parts.append(f"<path d='M{LEFT} {y:.1f}h{PLOT_WIDE}' stroke='#e2e2e2'/>")
        parts.append(plotting.text(LEFT - 6, y, words, anchor="end", **SMALL))
    shown = [epoch for epoch in range(1, epochs + 1) if epoch == 1 or epoch % 5 == 0]
    places = [_places(epochs)[epoch - 1] for epoch in shown]
    parts.append(plotting.text_row(places, top + PLOT_HIGH + 11, map(str, shown), **SMALL))
    parts.append(
        f"<path d='M{LEFT} {top}v{PLOT_HIGH}h{PLOT_WIDE}' fill='none' stroke='{plotting.FAINT}'/>"
    )
    return "".join(parts)


def _key(x: float, y: float, words: str, colour: str, dash: str = "") -> str:
    dashes = f" stroke-dasharray='{dash}'" if dash else ""
    return (
        f"<path d='M{x} {y}h18' stroke='{colour}' stroke-width='2'{dashes}/>"
        + plotting.text(x + 23, y, words, anchor="start", size=11, fill=colour)
    )


def _losses(run) -> str:
    highest = max(MOST_LOSS, *run.train_loss, *run.valid_loss)
    marks = plotting.ticks(0, highest, 4)
    return (
        plotting.text(8, 36, "loss, by epoch", anchor="start", bold=True)
        + _key(LEFT + 84, 36, "training", TRAINING, "5 3")
        + _key(LEFT + 170, 36, "validation", VALIDATION)
        + _axes(LOSS_TOP, [(m, plotting.short_number(m)) for m in marks], 0, marks[-1], len(run.train_loss))
        + _curve(run.train_loss, 0, marks[-1], LOSS_TOP, TRAINING, "5 3")
        + _curve(run.valid_loss, 0, marks[-1], LOSS_TOP, VALIDATION)
    )


def _accuracies(view: ClassifierView) -> str:
    """Validation accuracy by epoch, the test as a diamond at the end, and the ceiling above them."""
    run, top = view.run, ACCURACY_TOP
    marks = [(mark / 100, f"{mark} %") for mark in (50, 60, 70, 80, 90, 100)]

    def height(share: float) -> float:
        return top + PLOT_HIGH * (1 - max(share, LOWEST)) / (1 - LOWEST)

    x, y = LEFT + PLOT_WIDE, height(run.test_accuracy)
    ceiling = height(view.ceiling)
    tested = f"{_percent(run.test_accuracy)} right on 20,000 fresh sequences (diamond)"
    return (
        plotting.text(8, top - 22, "accuracy, by epoch", anchor="start", bold=True)
        + _key(LEFT + 108, top - 22, f"ceiling {_ceiling(view)}", CEILING, "2 3")
        + _axes(top, marks, LOWEST, 1, len(run.valid_accuracy))
        + f"<path d='M{LEFT} {ceiling:.1f}h{PLOT_WIDE}' stroke='{CEILING}' stroke-width='2' "
        "stroke-dasharray='2 3'/>"
        + _curve(run.valid_accuracy, LOWEST, 1, top, VALIDATION)
        + f"<path d='M{x - 6} {y:.1f}l6 -6l6 6l-6 6z' fill='{plotting.INK}'/>"
        + plotting.text(LEFT, BOTTOM, tested, anchor="start", size=11)
    )


def _logos(filters: list[Filter], stacks: list[np.ndarray]) -> str:
    heading = "what activates the filters" + (" with the largest effect" if filters else "")
    parts = [plotting.text(LOGO_LEFT, 36, heading, anchor="start", bold=True)]
    if not filters:
        words = "no filter responds to any sequence: all are stuck at 0"
        parts.append(plotting.text(LOGO_LEFT, LOGO_TOP + 8, words, anchor="start"))
    for number, (one, letters) in enumerate(zip(filters, stacks)):
        x = LOGO_LEFT + number % 2 * LOGO_WIDE
        y = LOGO_TOP + number // 2 * LOGO_HIGH
        cell = min(20, (LOGO_WIDE - 58) / len(letters))
        drawing, _, _ = plotting.logo(letters, cell=cell, high=92, left=42, limits=(0, 2))
        words = f"{number + 1}: a match speaks {_speaks(one)}"
        parts += [
            plotting.text(x, y, words, anchor="start", size=11),
            plotting.text(x, y + 14, f"{sum(one.pfm[0]):,} windows", anchor="start", **SMALL),
            f"<g transform='translate({x} {y + 22})'>{drawing}</g>",
        ]
    return "".join(parts)
