"""The picture and the numbers of the ladder explorer: what :mod:`.ladder` computes, drawn."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from course_utils import plotting
from course_utils.explorers import Panels, fitted, table
from course_utils.explorers._decision_picture import pale_look, split_bins

if TYPE_CHECKING:  # the other way round when it runs
    from course_utils.explorers.ladder import LadderView, Point
    from course_utils.intervals import Interval

POSITIVE = "#0072B2"
#: Of each kind of negatives: colour (of plotting's palette), strokes of its thin curve, shape of its mark.
RUNGS = (
    ("#D55E00", "6 3", "circle"),
    ("#009E73", "2 2.5", "square"),
    ("#B0508A", "9 2 2 2", "triangle"),
    ("#5c5c5c", "1.2 3.4", "diamond"),
    ("#4c1c00", "12 4", "cross"),
)
WIDTH, HEIGHT = 520, 488
NOTE = (
    "<p style='max-width:600px'>Each kind of negatives has the threshold that finds this share of its "
    "positives, or a little more where scores are equal. False: of 1,000 negatives, called bound. Precision: "
    "if 1 of 100 stretches were bound. Its interval, and that of false positives, take the threshold as it "
    "is.</p>"
)


def draw(view: LadderView) -> Panels:
    """The two distributions, the ROC curves with the operating points, and what a call is worth."""
    point = view.point
    here = [
        ("threshold", write_score(point.threshold, view)),
        ("positives found", f"{point.tp:,} of {point.positives:,} ({_percent(point.recall)})"),
        ("false positives", f"{point.fp:,} of {point.negatives:,}"),
        ("false positives per 1,000 negatives", f"{_thousand(point)} ({_thousands(point)})"),
        ("precision if 1 of 100 were bound", f"{_precision(point)} ({_range(point.precision)})"),
        ("AUC", f"{_share(view.rung.auc)} ({_range(view.rung.auc)})"),
    ]
    rows = [
        (
            f"{_cut(name, 26)} (shown)" if name == view.negatives else _cut(name, 26),
            f"{_share(rung.auc)} ({_range(rung.auc)})",  # one column less: five are too wide for a telephone
            _thousand(view.points[name]),
            _precision(view.points[name]),
        )
        for name, rung in view.score.rungs.items()
    ]
    head = (_cut(view.name, 26), f"at recall {view.recall} % (95 % interval)")
    numbers = table(here, head, name="at the threshold")
    head = ("negatives", "AUC (95 % interval)", "false", "precision")
    numbers += table(rows, head, name="kinds of negatives") + NOTE
    summary = describe(view)
    body = _histogram(view) + _roc(view) + _ladder(view)
    return Panels(plotting.svg(WIDTH, HEIGHT, body, summary), fitted(numbers), summary)


def describe(view: LadderView) -> str:
    """The picture in words."""
    point, auc = view.point, view.rung.auc
    words = (
        f"Score: {view.name}; negatives: {view.negatives}; {point.positives:,} positives and "
        f"{point.negatives:,} negatives. AUC {_share(auc)} ({_range(auc)}). The threshold "
        f"{write_score(point.threshold, view)} finds {_percent(point.recall)} of the positives and calls "
        f"{_thousand(point)} of 1,000 negatives bound; were 1 of 100 stretches bound, the precision would be "
        f"{_precision(point)}."
    )
    others = [
        f"{name}: AUC {_share(rung.auc)}, {_thousand(view.points[name])} of 1,000"
        for name, rung in view.score.rungs.items()
        if name != view.negatives
    ]
    return words + (f" Other negatives, at this recall: {'; '.join(others)}." if others else "")


def write_score(value: float, view: LadderView) -> str:
    """A score to about three digits of the axis."""
    low, high = view.score.edges[0], view.score.edges[-1]
    power = floor(log10(high - low))
    if power < -5 or max(abs(low), abs(high)) >= 1e6:
        return f"{value:.5g}".replace("-", "−")
    places = max(0, 2 - power)
    return f"{round(value, places) + 0.0:.{places}f}".replace("-", "−")


def _thousand(point: Point) -> str:
    return _few(1000 * point.false_positive_rate.estimate)


def _thousands(point: Point) -> str:
    return " to ".join(_few(1000 * rate) for rate in point.false_positive_rate[1:])


def _few(number: float) -> str:
    return f"{number:,.0f}" if number >= 99.95 else f"{round(number, 1):.1f}".removesuffix(".0")


def _share(interval: Interval) -> str:
    return _digits(interval.estimate, _places(interval))


def _range(interval: Interval) -> str:
    return " to ".join(_digits(share, _places(interval)) for share in interval[1:])


def _precision(point: Point) -> str:
    """Of no false positive at all, only what is sure: a larger test would have some."""
    return _share(point.precision) if point.fp else f"over {point.precision.low:.3f}"


def _places(interval: Interval) -> int:
    return 5 if 0.9995 <= interval.estimate < 1 else 3


def _digits(share: float, places: int) -> str:
    """Rounded, but not to 1 where it is less."""
    return f"{min(share, 1 - 10**-places) if share < 1 else share:.{places}f}"


def _percent(share: float) -> str:
    """Never 100 % where one is missed."""
    percent = f"{floor(1000 * share + 1e-9) / 10:.1f}"
    return f"{percent.removesuffix('.0')} %"


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


# --- the picture ---------------------------------------------------------------------------------


def _number(view: LadderView) -> int:
    """Which rung is shown, counted from 0."""
    return list(view.score.rungs).index(view.negatives)


def _histogram(view: LadderView) -> str:
    """Positives upwards, negatives downwards, on one scale for all rungs; what is called bound is dark."""
    score, rung, point = view.score, view.rung, view.point
    left, wide, tall, middle = 14, 492, 66, 134
    low, high = score.edges[0], score.edges[-1]
    colour = RUNGS[_number(view)][0]
    column = wide / len(rung.positive_bins)

    def place(value: float) -> float:
        return left + (value - low) / (high - low) * wide

    cut = place(point.threshold - score.before)
    parts = [
        plotting.text(left, 14, f"{_cut(view.name, 40)}: scores", anchor="start", bold=True),
        _class_label(left, POSITIVE, f"↑ {point.positives:,} positives"),
        _class_label(left + 150, colour, f"↓ {point.negatives:,} negatives: {_cut(view.negatives, 26)}"),
    ]
    for bins, fill, up in ((rung.positive_bins, POSITIVE, 1), (rung.negative_bins, colour, -1)):
        pale, dark = split_bins(bins * (tall / score.tallest), left, column, middle, up, cut)
        parts.append(f"<path d='{pale}' {pale_look(fill)}/><path d='{dark}' fill='{fill}'/>")
    bottom = middle + tall
    parts.append(
        f"<path d='M{left} {middle}h{wide}' stroke='{plotting.INK}'/>"
        f"<path d='M{cut:.1f} 48V{bottom}' stroke='{plotting.INK}' stroke-width='2'/>"
    )
    words = f"threshold {write_score(point.threshold, view)}"
    if cut < left + 130:  # no room on the left
        words += ": called bound →"
        parts.append(plotting.text(cut + 6, 54, words, size=11, anchor="start", bold=True))
    else:
        parts.append(plotting.text(cut - 6, 54, words, size=11, anchor="end", bold=True))
        if cut < left + wide - 110:
            parts.append(plotting.text(cut + 6, 54, "called bound →", size=11, anchor="start", bold=True))
    marks = _marks(low, high)
    parts.append(
        plotting.text_row(
            [round(place(mark), 1) for mark in marks], bottom + 10, map(plotting.short_number, marks),
            size=11, fill=plotting.FAINT,
        )
    )  # fmt: skip
    return "".join(parts)


def _class_label(left: float, colour: str, words: str) -> str:
    return f"<rect x='{left}' y='27' width='11' height='11' fill='{colour}'/>" + plotting.text(
        left + 16, 33, words, size=12, anchor="start"
    )


def _marks(low: float, high: float) -> list[float]:
    """About five round numbers from `low` to `high`."""
    step = plotting.ticks(0, high - low, 7)[1]
    low, high = low - 0.01 * (high - low), high + 0.01 * (high - low)  # 0 and 1, of 0.001 to 0.999
    first = np.ceil(low / step)
    found = [float(f"{(first + number) * step:.12g}") + 0.0 for number in range(9)]
    return [mark for mark in found if mark <= high]


SIDE, LEFT, TOP = 214, 42, 240  # of the ROC plot


def _roc(view: LadderView) -> str:
    """The curve of the rung that is shown thick, those of the others thin; a mark on each at this recall."""
    bottom = TOP + SIDE
    parts = [
        plotting.text(LEFT, TOP - 13, "ROC curves", anchor="start", bold=True),
        f"<rect x='{LEFT}' y='{TOP}' width='{SIDE}' height='{SIDE}' fill='#f9f9f9' stroke='#c8c8c8'/>",
        f"<path d='M{LEFT} {bottom}l{SIDE} {-SIDE}' stroke='{plotting.FAINT}' stroke-dasharray='1 4'/>",
        plotting.text(LEFT + SIDE / 2, bottom + 26, "negatives called bound", size=11),
        f"<g transform='translate(9 {TOP + SIDE / 2:g}) rotate(-90)'>"
        f"{plotting.text(0, 0, 'recall (positives found)', size=11)}</g>",
        plotting.text_row(
            [LEFT, LEFT + SIDE / 2, LEFT + SIDE], bottom + 11, ("0", "0.5", "1"),
            size=11, fill=plotting.FAINT,
        ),
    ]  # fmt: skip
    for mark in (0, 0.5, 1):
        y = bottom - SIDE * mark
        parts.append(plotting.text(LEFT - 5, y, f"{mark:g}", size=11, anchor="end", fill=plotting.FAINT))
    level = bottom - SIDE * view.point.recall
    parts.append(f"<path d='M{LEFT} {level:.1f}h{SIDE}' stroke='{plotting.INK}' stroke-width='.8'/>")
    shown = _number(view)
    lines, marks = [], []
    for number, (name, rung) in enumerate(view.score.rungs.items()):
        colour, strokes, _ = RUNGS[number]
        look = "stroke-width='3.5'" if number == shown else f"stroke-width='1.3' stroke-dasharray='{strokes}'"
        line = _line(rung.false_positive_rate, rung.recall)
        lines.append((number == shown, f"<path d='{line}' fill='none' stroke='{colour}' {look}/>"))
        point = view.points[name]
        x, y = LEFT + SIDE * point.false_positive_rate.estimate, bottom - SIDE * point.recall
        marks.append((number == shown, _mark(x, y, number, number == shown)))
    # What is shown comes last: above the others.
    return "".join(parts + [markup for _, markup in sorted(lines) + sorted(marks)])


def _line(across: np.ndarray, up: np.ndarray) -> str:
    """A curve to a fifth of a pixel, as steps: rounded first, so that the steps do not add up errors."""
    x = np.rint(5 * SIDE * across).astype(int)
    y = np.rint(-5 * SIDE * up).astype(int)
    steps = zip(np.diff(x).tolist(), np.diff(y).tolist())
    return f"M{LEFT} {TOP + SIDE}l" + " ".join(f"{a / 5:g} {b / 5:g}" for a, b in steps if a or b)


def _mark(x: float, y: float, number: int, full: bool) -> str:
    """The shape of a rung: full and larger for the one that is shown."""
    colour, _, shape = RUNGS[number]
    size = 6 if full else 4
    path = {
        "circle": f"m{-size} 0a{size} {size} 0 1 0 {2 * size} 0a{size} {size} 0 1 0 {-2 * size} 0z",
        "square": f"m{-size} {-size}h{2 * size}v{2 * size}h{-2 * size}z",
        "triangle": f"m0 {-1.2 * size:g}l{1.2 * size:g} {2 * size}h{-2.4 * size:g}z",
        "diamond": f"m0 {-1.3 * size:g}l{1.3 * size:g} {1.3 * size:g}l{-1.3 * size:g} {1.3 * size:g}"
        f"l{-1.3 * size:g} {-1.3 * size:g}z",
        "cross": f"m{-size} {-size}l{2 * size} {2 * size}m0 {-2 * size}l{-2 * size} {2 * size}",
    }[shape]
    fill, edge = (colour, plotting.INK) if full and shape != "cross" else (plotting.PAPER, colour)
    wide = 1.2 if full and shape != "cross" else 1.5
    return f"<path d='M{x:.1f} {y:.1f}{path}' fill='{fill}' stroke='{edge}' stroke-width='{wide}'/>"


def _ladder(view: LadderView) -> str:
    """A line of words for each rung, with its mark and its strokes: the legend and the main numbers."""
    left, right = 278, WIDTH - 10
    many, shown = len(view.score.rungs), _number(view)
    pitch = min(54, (SIDE + 4) / many)
    row = 16 if pitch > 50 else 13
    title = f"recall {view.recall} %"
    if view.point.recall > view.recall / 100 + 0.0005:
        title += f" (here {_percent(view.point.recall)})"
    parts = [plotting.text(left - 4, TOP - 13, title, anchor="start", bold=True)]
    for number, (name, rung) in enumerate(view.score.rungs.items()):
        y = TOP + 9 + pitch * number
        here, point = number == shown, view.points[name]
        colour, strokes, _ = RUNGS[number]
        if here:
            parts.append(
                f"<rect x='{left - 4}' y='{y - 9:g}' width='{right - left + 8}' "
                f"height='{pitch - 3:g}' rx='4' fill='{plotting.tint(colour, 0.1)}'/>"
            )
        look = "stroke-width='3.5'" if here else f"stroke-width='1.3' stroke-dasharray='{strokes}'"
        parts.append(f"<path d='M{left} {y:g}h34' stroke='{colour}' {look}/>")
        parts.append(_mark(left + 17, y, number, here))
        lines = (
            (_cut(name, 15), f"AUC {_share(rung.auc)}"),
            (f"{_thousand(point)} of 1,000 false", _range(rung.auc)),
            (f"precision {_precision(point)}", ""),
        )
        for line, (words, others) in enumerate(lines):
            size, bold = (11, False) if line else (12, here)
            start, down = left if line else left + 41, y + row * line
            parts.append(plotting.text(start, down, words, size=size, anchor="start", bold=bold))
            if others:
                parts.append(plotting.text(right, down, others, size=size, anchor="end", bold=bold))
    words = "precision: if 1 of 100 were bound"
    parts.append(plotting.text(right, HEIGHT - 8, words, size=11, anchor="end", fill=plotting.FAINT))
    return "".join(parts)
