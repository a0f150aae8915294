"""The imbalance explorer of lesson 00: what rare positives do to accuracy, recall, precision and MCC."""

from dataclasses import dataclass
from math import sqrt

import ipywidgets

from course_utils import plotting
from course_utils.explorers import Explorer, Panels, table

WINDOWS = 100_000  # windows of DNA that are judged; enough for whole counts at every setting
RIGHT, WRONG = "#0072B2", "#D55E00"  # of plotting's palette; words say the same beside them


@dataclass(frozen=True)
class ImbalanceView:
    """Counts of a confusion matrix and the measures made of them.

    Attributes:
        tp, fn, fp, tn: true positives, false negatives, false positives, true negatives.
        measures: name -> value; 0 where the value is undefined.
        undefined: names of the measures that are 0 by convention, because they divide by 0.
    """

    tp: int
    fn: int
    fp: int
    tn: int
    measures: dict[str, float]
    undefined: tuple[str, ...]


def compute(positives: int, recall: float, false_positive_rate: float) -> ImbalanceView:
    """The expected confusion matrix of 100,000 windows and its measures.

    Args:
        positives: bound windows in 1,000.
        recall: percent of the bound windows that the model calls bound.
        false_positive_rate: percent of the other windows that it calls bound too.

    Raises:
        ValueError: for a value out of range; the message names it.
    """
    _check("positives", positives, 1000)
    _check("recall", recall, 100)
    _check("false_positive_rate", false_positive_rate, 100)
    bound = round(positives * WINDOWS / 1000)
    tp = round(bound * recall / 100)
    fp = round((WINDOWS - bound) * false_positive_rate / 100)
    fn, tn = bound - tp, WINDOWS - bound - fp
    parts = {
        "accuracy": (tp + tn, WINDOWS),
        "recall": (tp, tp + fn),
        "precision": (tp, tp + fp),
        "MCC": (tp * tn - fp * fn, sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))),
    }
    return ImbalanceView(
        tp, fn, fp, tn,
        measures={name: above / below if below else 0.0 for name, (above, below) in parts.items()},
        undefined=tuple(name for name, (_, below) in parts.items() if not below),
    )  # fmt: skip


def _check(name: str, value: float, most: int) -> None:
    if not 0 <= value <= most:
        raise ValueError(f"{name} is {value:g}; a number from 0 to {most} is expected")


def draw(view: ImbalanceView) -> Panels:
    """The confusion matrix as squares of matching area, and a bar for each measure."""
    counts = table(
        [
            ("bound", f"{view.tp:,} true positives", f"{view.fn:,} false negatives"),
            ("not bound", f"{view.fp:,} false positives", f"{view.tn:,} true negatives"),
        ],
        head=("truth", "called bound", "called not bound"),
        name="confusion table",
    )
    measures = table(
        [("value", *(_words(view, name) for name in view.measures))],
        head=("measure", *view.measures),
        name="measures",
    )
    summary = (
        f"of {WINDOWS:,} windows {view.tp + view.fn:,} are bound; true positives {view.tp:,}, "
        f"false negatives {view.fn:,}, false positives {view.fp:,}, true negatives {view.tn:,}; "
        + ", ".join(f"{name} {_words(view, name)}" for name in view.measures)
        + "."
    )
    body = _matrix(view) + f"<g transform='translate(400 0)'>{_bars(view)}</g>"
    return Panels(plotting.svg(650, 262, body, summary), counts + measures, summary)


def _words(view: ImbalanceView, name: str) -> str:
    if name in view.undefined:
        return "0 by convention (0 divided by 0)"
    return f"{view.measures[name]:.2f}"


def _matrix(view: ImbalanceView) -> str:
    """Rows are the truth, columns what the model calls; a square's area is the count."""
    left, top, wide, high, largest = 78, 44, 150, 100, 60
    parts = [
        plotting.text(left + wide, 12, "the model calls it", bold=True),
        plotting.text(left + wide / 2, 30, "bound"),
        plotting.text(left + wide * 1.5, 30, "not bound"),
        plotting.text(left - 8, top + high / 2 - 8, "truly", anchor="end"),
        plotting.text(left - 8, top + high / 2 + 8, "bound", anchor="end"),
        plotting.text(left - 8, top + high * 1.5 - 8, "truly", anchor="end"),
        plotting.text(left - 8, top + high * 1.5 + 8, "not bound", anchor="end"),
    ]
    cells = (
        (0, 0, "true positives", view.tp, RIGHT),
        (1, 0, "false negatives", view.fn, WRONG),
        (0, 1, "false positives", view.fp, WRONG),
        (1, 1, "true negatives", view.tn, RIGHT),
    )
    for column, row, words, count, colour in cells:
        x, y = left + column * wide, top + row * high
        side = max(largest * sqrt(count / WINDOWS), 1.5 if count else 0)
        parts.append(
            f"<rect x='{x}' y='{y}' width='{wide}' height='{high}' fill='#f7f7f7' stroke='#c8c8c8'/>"
            f"<rect x='{x + wide / 2 - side / 2:.2f}' y='{y + 34 - side / 2:.2f}' "
            f"width='{side:.2f}' height='{side:.2f}' fill='{colour}'/>"
        )
        parts.append(plotting.text(x + wide / 2, y + 74, f"{count:,}", bold=True))
        parts.append(plotting.text(x + wide / 2, y + 90, words, size=11))
    return "".join(parts)


def _bars(view: ImbalanceView) -> str:
    """One bar a measure, from 0 to 1; the bar of MCC starts in the middle, from -1 to 1."""
    wide, parts = 230, []
    for row, (name, value) in enumerate(view.measures.items()):
        y = 16 + row * 60
        shown = f"{value:.2f}" + (" (undefined)" if name in view.undefined else "")
        low = -1 if name == "MCC" else 0
        zero, end = (wide * (number - low) / (1 - low) for number in (0, value))
        parts += [
            plotting.text(0, y, name, anchor="start", bold=True),
            plotting.text(wide, y, shown, anchor="end"),
            f"<rect x='0' y='{y + 10}' width='{wide}' height='14' fill='#f0f0f0' stroke='#c8c8c8'/>",
            f"<rect x='{min(zero, end):.2f}' y='{y + 10}' width='{abs(end - zero):.2f}' height='14' "
            f"fill='{plotting.ACCENT}'/>",
            f"<line x1='{zero:g}' x2='{zero:g}' y1='{y + 8}' y2='{y + 26}' stroke='{plotting.INK}'/>",
        ]
        ends = (0, f"{low}", "start"), (wide, "1", "end")
        middle = ((zero, "0", "middle"),) if low else ()
        for x, words, anchor in (*ends, *middle):
            parts.append(
                plotting.text(x, y + 33, words, size=10, anchor=anchor, fill=plotting.FAINT)
            )
    return "".join(parts)


def imbalance_explorer() -> Explorer:
    """The explorer, starting with one bound window in a hundred and a decent model (lesson 00)."""
    wide = {"description_width": "190px"}
    layout = ipywidgets.Layout(width="520px", max_width="100%")
    controls = {
        "positives": ipywidgets.IntSlider(
            10, min=1, max=500, description="bound windows in 1,000", style=wide, layout=layout
        ),
        "recall": ipywidgets.IntSlider(
            90, min=0, max=100, description="recall (percent)", style=wide, layout=layout
        ),
        "false_positive_rate": ipywidgets.FloatSlider(
            5.0, min=0.0, max=100.0, step=0.1, readout_format=".1f",
            description="false-positive rate (percent)", style=wide, layout=layout,
        ),
    }  # fmt: skip
    return Explorer("imbalance explorer", controls, compute, draw)
