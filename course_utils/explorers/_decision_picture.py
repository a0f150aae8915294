"""The picture and the numbers of the decision explorer: what :mod:`.decision` computes, drawn."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from course_utils import plotting
from course_utils.explorers import Panels, table

if TYPE_CHECKING:  # the other way round when it runs
    from course_utils.explorers.decision import DecisionView

POSITIVE, NEGATIVE = "#0072B2", "#5c5c5c"  # of plotting's palette; words say the same beside them
PALE = 0.3  # tint of what is called negative; called positive has the full colour
WIDTH, HEIGHT = 690, 520
MEASURES = ("accuracy", "recall", "specificity", "precision", "f1", "mcc")


def draw(view: DecisionView) -> Panels:
    """Scores with the threshold, the confusion table, both curves with the operating point, and measures."""
    counts, curves = view.counts, view.sample.curves
    tables = table(
        [
            ("positive", f"{counts.tp:,} true positives", f"{counts.fn:,} false negatives"),
            ("negative", f"{counts.fp:,} false positives", f"{counts.tn:,} true negatives"),
        ],
        head=("truth", "called positive", "called negative"),
        name="confusion table",
    )
    tables += table(
        [
            (_name(name), _words(view, name), _interval(view.intervals.get(name)))
            for name in MEASURES
        ]
        + [
            ("AUC", f"{curves.auc:.3f}", _interval(view.sample.auc_interval)),
            ("average precision", f"{curves.average_precision:.3f}", "not computed"),
        ],
        head=("measure", "this test", "95 % interval"),
        name="measures",
    )
    summary = (
        f"{counts.total:,} examples, {counts.positives:,} of them positive; threshold "
        f"{write_score(view.threshold)}: true positives {counts.tp:,}, false negatives {counts.fn:,}, false "
        f"positives {counts.fp:,}, true negatives {counts.tn:,}; "
        + ", ".join(f"{_name(name)} {_words(view, name)}" for name in MEASURES)
        + f"; AUC {curves.auc:.3f}, average precision {curves.average_precision:.3f}."
    )
    body = "".join((_histogram(view), _matrix(view), _roc(view), _pr(view), _measures(view)))
    return Panels(plotting.svg(WIDTH, HEIGHT, body, summary), tables, summary)


def _name(measure: str) -> str:
    return {"f1": "F1", "mcc": "MCC"}.get(measure, measure)


def _words(view: DecisionView, measure: str) -> str:
    if measure in view.counts.undefined:
        return "undefined (0 of 0)"
    return f"{getattr(view.counts, measure):.3f}".replace("-", "−")


def _interval(interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}" if interval else "not computed"


def write_score(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def write_share(share: float) -> str:
    """A share in per cent, without zeros behind it."""
    return f"{100 * share:g} %"


# --- the picture ---------------------------------------------------------------------------------


def _histogram(view: DecisionView) -> str:
    """Positives upwards, negatives downwards, each to its own height; what is called positive is dark."""
    sample, left, wide, tall = view.sample, 22, 376, 74
    middle = 132
    low, high = -6.0, 6.0
    column = wide / len(sample.negative_bins)
    cut = left + (view.threshold - low) / (high - low) * wide
    parts = [plotting.text(8, 14, "scores of the test set", anchor="start", bold=True)]
    for bins, shape, colour, up in (
        (sample.positive_bins, sample.positive_shape, POSITIVE, 1),
        (sample.negative_bins, sample.negative_shape, NEGATIVE, -1),
    ):
        scale = tall / max(bins.max(), shape.max())
        pale, dark = split_bins(bins * scale, left, column, middle, up, cut)
        points = [
            f"{left + (number + 0.5) * column:.1f} {middle - up * height:.1f}"
            for number, height in enumerate((shape * scale).tolist())
            if height > 0.2
        ]
        parts.append(
            f"<path d='{pale}' {pale_look(colour)}/><path d='{dark}' fill='{colour}'/>"
            f"<path d='M{'L'.join(points)}' fill='none' stroke='{plotting.INK}' stroke-width='1.2'/>"
        )
    positives, negatives = view.counts.positives, view.counts.negatives
    bottom = middle + tall
    parts += [
        f"<path d='M{left} {middle}h{wide}' stroke='{plotting.INK}'/>",
        f"<path d='M{cut:.1f} 50V{bottom}' stroke='{plotting.ACCENT}' stroke-width='2'/>",
        plotting.text(cut, 42, write_score(view.threshold), bold=True, fill=plotting.ACCENT),
        _class_label(left + 160, POSITIVE, f"{positives:,} positives"),
        _class_label(left + 274, NEGATIVE, f"{negatives:,} negatives"),
    ]
    if cut > left + 130:
        words = "← called negative"
        parts.append(
            plotting.text(cut - 20, 42, words, size=11, anchor="end", fill=plotting.ACCENT)
        )
    if cut < left + wide - 130:
        words = "called positive →"
        parts.append(
            plotting.text(cut + 20, 42, words, size=11, anchor="start", fill=plotting.ACCENT)
        )
    marks = range(-6, 7, 2)
    parts.append(
        plotting.text_row(
            [round(left + (mark - low) / (high - low) * wide, 1) for mark in marks], bottom + 12,
            [str(mark).replace("-", "−") for mark in marks], size=10, fill=plotting.FAINT,
        )
    )  # fmt: skip
    words = "score (line: an endless test; each class to its own height)"
    parts.append(plotting.text(left + wide / 2, bottom + 27, words, size=10, fill=plotting.FAINT))
    return "".join(parts)


def _class_label(left: float, colour: str, words: str) -> str:
    return f"<rect x='{left}' y='9' width='10' height='10' fill='{colour}'/>" + plotting.text(
        left + 15, 14, words, size=11, anchor="start"
    )


def pale_look(colour: str) -> str:
    """Of what is called negative: a tint with an outline, because a tint alone is too faint to be seen by all."""
    return f"fill='{plotting.tint(colour, PALE)}' stroke='{colour}' stroke-width='.7'"


def split_bins(
    heights, left: float, column: float, base: float, up: int, cut: float
) -> tuple[str, str]:
    """Columns as two paths, before and behind the cut, which may go through a column."""
    pale, dark = "", ""
    for number, height in enumerate(heights.tolist()):
        if height <= 0:
            continue
        x, end = left + number * column, left + (number + 1) * column
        top = -up * max(height, 0.8)  # one example among thousands is seen too
        before, behind = min(max(cut - x, 0), column), min(max(end - cut, 0), column)
        if before:
            pale += f"M{x:.1f} {base}v{top:.1f}h{before:.1f}V{base}z"
        if behind:
            dark += f"M{end:.1f} {base}v{top:.1f}h{-behind:.1f}V{base}z"
    return pale, dark


def _matrix(view: DecisionView) -> str:
    """Rows are the truth; the squares have the colours of the histogram, and areas that are the counts."""
    left, top, wide, high, largest = 478, 52, 102, 78, 44
    counts = view.counts
    parts = [
        plotting.text(left + wide, 14, "confusion table", bold=True),
        plotting.text(left + wide / 2, 40, "called positive", size=11),
        plotting.text(left + wide * 1.5, 40, "called negative", size=11),
    ]
    for row, word in enumerate(("positive", "negative")):
        y = top + (row + 0.5) * high
        parts.append(plotting.text(left - 8, y - 8, "truly", size=11, anchor="end"))
        parts.append(plotting.text(left - 8, y + 8, word, size=11, anchor="end"))
    cells = (
        (0, 0, "true positives", counts.tp, f"fill='{POSITIVE}'"),
        (1, 0, "false negatives", counts.fn, pale_look(POSITIVE)),
        (0, 1, "false positives", counts.fp, f"fill='{NEGATIVE}'"),
        (1, 1, "true negatives", counts.tn, pale_look(NEGATIVE)),
    )
    for column, row, words, count, look in cells:
        x, y = left + column * wide, top + row * high
        side = max(largest * sqrt(count / counts.total), 1.5 if count else 0)
        parts.append(
            f"<rect x='{x}' y='{y}' width='{wide}' height='{high}' fill='#f9f9f9' stroke='#c8c8c8'/>"
            f"<rect x='{x + wide / 2 - side / 2:.1f}' y='{y + 26 - side / 2:.1f}' "
            f"width='{side:.1f}' height='{side:.1f}' {look}/>"
        )
        parts.append(plotting.text(x + wide / 2, y + 56, f"{count:,}", bold=True))
        parts.append(plotting.text(x + wide / 2, y + 70, words, size=10))
    errors = "false positives: type I errors; false negatives: type II"
    parts.append(
        plotting.text(
            WIDTH - 8, top + 2 * high + 20, errors, size=10, anchor="end", fill=plotting.FAINT
        )
    )
    return "".join(parts)


SIDE, TOP = 166, 292  # of the two plots


def _roc(view: DecisionView) -> str:
    sample, curves = view.sample, view.sample.curves
    interval = sample.auc_interval
    said = f"AUC {curves.auc:.3f}" + (
        f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""
    )
    left = 42
    return _plot(
        left, "ROC curve", said, ("false-positive rate", "recall"),
        guess=f"M{left} {TOP + SIDE}l{SIDE} {-SIDE}",
        true=(sample.true_false_positive_rate, sample.true_recall),
        found=(curves.false_positive_rate, curves.recall),
        point=(view.counts.false_positive_rate, view.counts.recall),
        true_point=(view.true_false_positive_rate, view.true_recall),
    )  # fmt: skip


def _pr(view: DecisionView) -> str:
    sample, curves = view.sample, view.sample.curves
    left = 268
    height = SIDE * (1 - curves.prevalence)
    point = None
    if "precision" not in view.counts.undefined:
        point = (view.counts.recall, view.counts.precision)
    said = f"average precision {curves.average_precision:.3f} (guess {curves.prevalence:.3g})"
    return _plot(
        left, "precision and recall", said, ("recall", "precision"),
        guess=f"M{left} {TOP + height:.1f}h{SIDE}",
        true=(sample.true_recall, sample.true_precision),
        # Where nothing is called the precision is undefined: the curve begins with the first call.
        found=(curves.recall[1:], curves.precision[1:]),
        point=point,
        true_point=(view.true_recall, view.true_precision),
    )  # fmt: skip


def _plot(left, title, said, names, *, guess, true, found, point, true_point) -> str:
    """A square from 0 to 1: guessing dashed, an endless test pale, this test dark, the threshold a dot."""

    def place(pair) -> tuple[float, float]:
        return left + pair[0] * SIDE, TOP + SIDE - pair[1] * SIDE

    parts = [
        plotting.text(left, TOP - 28, title, anchor="start", bold=True),
        plotting.text(left, TOP - 12, said, size=10, anchor="start"),
        f"<rect x='{left}' y='{TOP}' width='{SIDE}' height='{SIDE}' fill='#f9f9f9' stroke='#c8c8c8'/>",
        f"<path d='{guess}' stroke='{plotting.FAINT}' stroke-dasharray='4 3'/>",
        f"<path d='{_line(*true, left)}' fill='none' stroke='{plotting.tint(POSITIVE, 0.75)}' "
        "stroke-width='5'/>",
        f"<path d='{_line(*found, left)}' fill='none' stroke='{plotting.INK}' stroke-width='1.3'/>",
        plotting.text(left + SIDE / 2, TOP + SIDE + 26, names[0], size=11),
        f"<g transform='translate({left - 29} {TOP + SIDE / 2:g}) rotate(-90)'>"
        f"{plotting.text(0, 0, names[1], size=11)}</g>",
        plotting.text_row([left, left + SIDE / 2, left + SIDE], TOP + SIDE + 11, ("0", "0.5", "1"), size=10,
                          fill=plotting.FAINT),
    ]  # fmt: skip
    for mark in (0, 0.5, 1):
        y = TOP + SIDE * (1 - mark)
        parts.append(
            plotting.text(left - 6, y, f"{mark:g}", size=10, anchor="end", fill=plotting.FAINT)
        )
    x, y = place(true_point)
    parts.append(
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='5' fill='{plotting.PAPER}' stroke='{plotting.ACCENT}' "
        "stroke-width='2'/>"
    )
    if point:
        x, y = place(point)
        parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='5' fill='{plotting.ACCENT}'/>")
    return "".join(parts)


def _line(across: np.ndarray, up: np.ndarray, left: float) -> str:
    """A curve on half pixels, without the points that repeat another or lie on a straight run."""
    x = np.rint(2 * (left + across * SIDE)).astype(int)
    y = np.rint(2 * (TOP + SIDE - up * SIDE)).astype(int)
    keep = np.ones(len(x), dtype=bool)
    keep[1:] = (np.diff(x) != 0) | (np.diff(y) != 0)
    x, y = x[keep], y[keep]
    if len(x) > 2:  # of a straight run only the ends
        step_x, step_y = np.diff(x), np.diff(y)
        bend = (step_x[1:] * step_y[:-1] != step_x[:-1] * step_y[1:]) | (
            step_x[1:] * step_x[:-1] + step_y[1:] * step_y[:-1] < 0
        )
        keep = np.concatenate([[True], bend, [True]])
        x, y = x[keep], y[keep]
    return "M" + "L".join(f"{a / 2:g} {b / 2:g}" for a, b in zip(x.tolist(), y.tolist()))


def _measures(view: DecisionView) -> str:
    """A line from 0 to 1 for each measure, a dot for its value, a bar for its interval."""
    left, wide = 500, 182
    parts = [
        plotting.text(left, TOP - 28, "at this threshold", anchor="start", bold=True),
        plotting.text(left, TOP - 12, "bar: 95 % interval of a share", size=10, anchor="start"),
    ]
    for row, name in enumerate(MEASURES):
        y = TOP + 8 + 31 * row
        low = -1 if name == "mcc" else 0
        parts.append(
            plotting.text(
                left, y, _name(name) + (" (−1 to 1)" if low else ""), size=11, anchor="start"
            )
        )
        value = _words(view, name).removesuffix(" (0 of 0)")
        parts.append(plotting.text(left + wide, y, value, size=11, anchor="end", bold=True))
        line = y + 13
        parts.append(f"<path d='M{left} {line}h{wide}' stroke='#c8c8c8' stroke-width='2'/>")
        interval = view.intervals.get(name)
        if interval:
            start, end = (left + wide * value for value in interval[1:])
            parts.append(
                f"<path d='M{start:.1f} {line}H{end:.1f}' stroke='{plotting.tint(plotting.ACCENT, 0.55)}' "
                "stroke-width='9'/>"
            )
        if name not in view.counts.undefined:
            x = left + wide * (getattr(view.counts, name) - low) / (1 - low)
            parts.append(f"<circle cx='{x:.1f}' cy='{line}' r='3.5' fill='{plotting.ACCENT}'/>")
    y = HEIGHT - 8
    words = (
        "dashed: guessing · wide and pale: an endless test (open dot) · thin: this test (full dot)"
    )
    parts.append(plotting.text(42, y - 2, words, size=10, anchor="start", fill=plotting.FAINT))
    return "".join(parts)
