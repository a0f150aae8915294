"""The picture of a track and its words: what :class:`._tracks_data.TrackView` holds, drawn."""

from math import isnan

import numpy as np

from course_utils.explorers._tracks_data import STEPS, TrackView
from course_utils.plotting import FAINT, INK, PAPER, readable_ink, short_number, svg, text, ticks

WIDTH, LEFT, HIGH = 640, 62, 200  # pixels: of the picture, and where the plot begins, and its height
RIGHT = LEFT + STEPS  # where the plot ends
ROW, LANE, STRIP = 21, 19, 30  # heights of a line of the legend, of a line of marks, of the whole window
#: Pale, so that the lines of the predictions stand out on it, with an outline that stands out on the paper.
OBSERVED = "fill='#dde1e6' stroke='#66707c' stroke-width='.8'"
FRAME = "#6a1b9a"
DENSE = 250  # steps from which lines are drawn thinner
#: Colour, width and dashes of the first, second and third prediction: never the colour alone.
STYLES = (("#0072B2", 2.4, ""), ("#C24E00", 1.8, "5 2.5"), ("#00694C", 1.6, "1.5 2"))
#: Colour and shape of the first, second, ... kind of mark.
KINDS = (("#111111", "box"), ("#6a1b9a", "disc"), ("#E69F00", "diamond"), ("#56B4E9", "flat"))


def describe(view: TrackView) -> str:
    """The picture in words, on one line: its main numbers."""
    shown = _shown(view, view.observed)
    peak = int(shown.argmax())
    drawn = {name: rates for name, rates in view.predicted.items() if name not in view.hidden}
    each = "; ".join(
        f"{name}: {write_r(view.r[name], view.log)}, largest {write_count(_shown(view, rates).max())} here"
        for name, rates in drawn.items()
    )
    places: dict[str, list[int]] = {word: [] for word, _ in view.data.kinds}
    for mark in view.marks:
        places[mark.word].append(mark.bin)
    marked = "; ".join(
        f"{word} at bin {', '.join(map(str, bins[:12]))}{', ...' if len(bins) > 12 else ''}"
        for word, bins in places.items()
        if bins
    )
    return (
        f"window {view.window}, track {view.data.labels[view.track]}: {_place(view)}"
        + f"; observed: largest {write_count(shown[peak])} in bin {view.start + peak}, mean "
        + f"{write_count(shown.mean())}"
        + (", not drawn" if "observed" in view.hidden else "")
        + (f"; {each}" if each else "")
        + (f"; {marked}" if marked else "")
        + (f"; each step is the largest of {view.merged} bins" if view.merged > 1 else "")
        + ("; heights are log(1 + count)" if view.log else "")
        + "."
    )


def write_r(r: float, log: bool = False) -> str:
    """An r with what it is, or that there is none."""
    name = "r of log(1 + count)" if log else "r"
    if isnan(r):
        return f"{name} undefined (constant)"
    return f"{name} = {round(r, 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: never a minus before zero


def write_count(count: float) -> str:
    """A count or a rate in three digits."""
    return f"{count:,.0f}" if count >= 100 else f"{count:.3g}"


def _place(view: TrackView) -> str:
    """Which bins are shown, and of how many."""
    length = len(view.observed)
    kilobases = f"{length * view.data.bin_size / 1000:.1f} kb"
    if view.stop - view.start == length:
        return f"all {length:,} bins, {kilobases}"
    return f"bins {view.start:,} to {view.stop:,} of {length:,} ({kilobases})"


# --- the drawing ---------------------------------------------------------------------------------


def track_svg(view: TrackView, label: str) -> str:
    """The picture: legend, plot, marks, axes in bins and kilobases, and the whole window as a strip."""
    heading = f"window {view.window}, track {view.data.labels[view.track]}"
    if len(heading) > 62:
        heading = heading[:61] + "…"
    place = _place(view)
    if view.merged > 1:
        place += f"; each step is the largest of {view.merged} bins"
    parts = [
        text(8, 17, heading, anchor="start", size=15, bold=True),
        text(8, 38, place, anchor="start", size=13, fill=FAINT),
        _legend(view, 61),
    ]
    top = 63 + ROW * (1 + len(view.predicted))
    scale = _scale(view)
    guides, marks, below = _marks(view, top, top + HIGH)
    parts += [_frame(view, top, scale), _fill(view, top, scale), guides, _lines(view, top, scale), marks]
    axes, end = _axes(view, below)
    parts.append(axes)
    if view.centre is not None:
        strip, end = _strip(view, end + 8, scale)
        parts.append(strip)
    return svg(WIDTH, end + 6, "".join(parts), label)


def _heights(view: TrackView, counts: np.ndarray) -> np.ndarray:
    return np.log1p(counts) if view.log else counts


def _scale(view: TrackView) -> tuple[float, list[float]]:
    """Pixels for one unit of height, and the counts to write on the axis."""
    most = float(max(track.max() for track in (view.observed, *view.predicted.values())))
    if not view.log or most < 0.001:
        marks = ticks(0, most and max(most, 1e-6), 5)  # beneath that, numbers on an axis say nothing
        return HIGH / float(_heights(view, np.array(marks[-1]))), marks
    ladder = [digit * 10.0**power for power in range(-3, 40) for digit in (1, 2, 5)]
    top = next((mark for mark in ladder if mark >= most), most)
    if np.log1p(top) > 1.2 * np.log1p(most):  # no number near enough to end the axis with
        top = np.expm1(1.06 * np.log1p(most))
    scale = HIGH / float(np.log1p(top))
    marks, last = [], np.inf
    for mark in reversed([mark for mark in ladder if mark <= top]):
        y = scale * float(np.log1p(mark))
        if last - y >= 22 and y >= 18:
            marks.append(float(f"{mark:.6g}"))
            last = y
    return scale, [0.0, *marks[::-1]]


def _steps(view: TrackView, counts: np.ndarray, merged: int, base: float, scale: float) -> list[str]:
    """The outline from left to right, as SVG path data: a height, where it ends, the next one."""
    many = len(counts)
    starts = np.arange(0, many, merged)
    tops = base - scale * _heights(view, np.maximum.reduceat(counts, starts))
    tops = np.round(tops, 1)
    ends = np.round(LEFT + (RIGHT - LEFT) * np.append(starts[1:], many) / many, 1)
    last = np.append(tops[1:] != tops[:-1], True)  # of a run of equal heights
    places = [f"{x:g}" for x in ends[last].tolist()]
    heights = [f"{y:g}" for y in tops[last].tolist()]
    return [f"V{y}H{x}" for x, y in zip(places, heights)]


def _shown(view: TrackView, counts: np.ndarray) -> np.ndarray:
    return counts[view.start : view.stop]


def _fill(view: TrackView, top: float, scale: tuple[float, list[float]]) -> str:
    if "observed" in view.hidden:
        return ""
    base = top + HIGH
    path = "".join(_steps(view, _shown(view, view.observed), view.merged, base, scale[0]))
    # The outline keeps a single bin of a wide window in sight too.
    return f"<path d='M{LEFT} {base:g}{path}V{base:g}z' {OBSERVED}/>"


def _lines(view: TrackView, top: float, scale: tuple[float, list[float]]) -> str:
    parts = []
    thin = 0.62 if (view.stop - view.start) / view.merged > DENSE else 1
    for (name, rates), (colour, wide, dashes) in zip(view.predicted.items(), STYLES):
        if name not in view.hidden:
            steps = _steps(view, _shown(view, rates), view.merged, top + HIGH, scale[0])
            first = "M" + f"{LEFT} " + steps[0][1:]  # begins at its first height
            stroke = _stroke((colour, thin * wide, dashes))
            parts.append(f"<path d='{first}{''.join(steps[1:])}' {stroke}/>")
    # The first prediction comes last, on top of the others.
    return "".join(parts[::-1])


def _stroke(style: tuple[str, float, str]) -> str:
    colour, wide, dashes = style
    dashed = f" stroke-dasharray='{dashes}'" if dashes else ""
    return f"fill='none' stroke='{colour}' stroke-width='{wide:g}'{dashed}"


def _legend(view: TrackView, y: float) -> str:
    """A line for the observed counts and for each prediction; those that are hidden say so."""
    parts = []
    largest, mean = write_count(view.observed.max()), write_count(view.observed.mean())
    rows = [("observed", f"largest count {largest}, mean {mean}", None)]
    rows += [
        (name, write_r(r, view.log) + ("" if isnan(r) else " in this window"), style)
        for (name, r), style in zip(view.r.items(), STYLES)
    ]
    for name, words, style in rows:
        hidden = name in view.hidden
        if not hidden and style is None:
            parts.append(f"<path d='M14 {y + 6:g}v-6h9v-5h9v8h9v3z' {OBSERVED}/>")
        elif not hidden:
            parts.append(f"<path d='M12 {y:g}h32' {_stroke(style)}/>")
        name = name if len(name) <= 26 else name[:25] + "…"
        words = "not drawn" if hidden else words
        ink = FAINT if hidden else INK
        parts.append(text(54, y, f"{name}: {words}", anchor="start", size=13.5, fill=ink))
        y += ROW
    return "".join(parts)


def _frame(view: TrackView, top: float, scale: tuple[float, list[float]]) -> str:
    """Lines at the counts of the axis, with the counts beside them."""
    base = top + HIGH
    heights = [base - scale[0] * float(_heights(view, np.array(mark))) for mark in scale[1]]
    lines = "".join(f"M{LEFT} {y:.1f}H{RIGHT}" for y in heights[1:])
    unit = "count, as log(1 + count)" if view.log else "count in a bin"
    return (
        f"<path d='{lines}' stroke='#e4e4e4'/><path d='M{LEFT} {base:g}H{RIGHT}' stroke='{FAINT}'/>"
        + "".join(
            text(LEFT - 7, y, short_number(mark), size=13, anchor="end", fill=FAINT)
            for mark, y in zip(scale[1], heights)
        )
        + f"<g transform='translate(12 {top + HIGH / 2:g}) rotate(-90)'>{text(0, 0, unit, size=13)}</g>"
    )


def _x(view: TrackView, place: float) -> float:
    """Where a place on the axis stands, in pixels; bin b reaches from b to b + 1."""
    return LEFT + (RIGHT - LEFT) * (place - view.start) / (view.stop - view.start)


def _marks(view: TrackView, top: float, y: float) -> tuple[str, str, float]:
    """Faint lines up from the marks, the marks with a line that explains them, and where these end."""
    kinds = view.data.kinds
    if not kinds:
        return "", "", y
    guides, parts = "", []
    for mark in view.marks:
        x = _x(view, mark.bin + 0.5)
        kind = kinds.index((mark.word, mark.symbol))
        middle = y + 13 + LANE * (kind > 0)  # the first kind has a line of its own
        guides += f"M{x:.1f} {middle - 8:g}V{top:g}"
        parts.append(_symbol(x, middle, mark.symbol, *_look(kind)))
    guides = f"<path d='{guides}' stroke='#c0c0c0' stroke-dasharray='1 3'/>" if guides else ""
    return guides, "".join(parts), y + 6 + LANE * min(len(kinds), 2)


def _look(kind: int) -> tuple[str, str]:
    """Colour and shape of a kind of mark."""
    return KINDS[min(kind, len(KINDS) - 1)]


def _symbol(x: float, y: float, letters: str, colour: str, shape: str) -> str:
    paths = {
        "box": "m-8-8h16v16h-16z",
        "disc": "m-9 0a9 9 0 1 1 18 0a9 9 0 1 1-18 0z",
        "diamond": "m-10 0l10-10l10 10l-10 10z",
        "flat": "m-10-6h20v12h-20z",
    }
    body = f"<path d='M{x:.1f} {y:g}{paths[shape]}' fill='{colour}' stroke='{PAPER}'/>"
    return body + text(round(x, 1), y, letters, size=12, fill=readable_ink(colour), bold=True)


def _axes(view: TrackView, y: float) -> tuple[str, float]:
    """The bins, the kilobases, the words for the marks, and where all this ends."""
    parts = []
    size = view.data.bin_size / 1000
    for name, unit in (("bin", 1.0), ("kb", size)):
        marks = [m for m in _round_numbers(view.start * unit, view.stop * unit) if name == "kb" or m == int(m)]
        places = [_x(view, mark / unit) for mark in marks]
        strokes = "".join(f"M{x:.1f} {y + 3:g}v5" for x in places)
        parts.append(f"<path d='M{LEFT} {y + 3:g}H{RIGHT}{strokes}' stroke='{FAINT}' fill='none'/>")
        parts.append(text(LEFT - 16, y + 16, name, size=13, anchor="end"))
        parts += [
            text(round(min(x, RIGHT - 4), 1), y + 16, f"{mark:,g}", size=13, fill=FAINT)
            for mark, x in zip(marks, places)
        ]
        y += 25
    x, end = LEFT + 8.0, y + 2
    for number, (word, symbol) in enumerate(view.data.kinds):
        wide = 46 + 7.6 * len(word)
        if x + wide > WIDTH + 14 and number:  # the next line
            x, y = LEFT + 8.0, y + ROW
        parts.append(_symbol(x, y + 12, symbol, *_look(number)))
        parts.append(text(round(x + 15, 1), y + 12, word, size=13, anchor="start"))
        x, end = x + wide, y + 26
    return "".join(parts), end


def _round_numbers(low: float, high: float) -> list[float]:
    """Up to eight round numbers from `low` to `high`."""
    power = 10.0 ** int(np.floor(np.log10((high - low) / 8)))
    step = next(power * digit for digit in (1, 2, 5, 10) if high - low <= 8 * power * digit)
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [round(number * step, 6) for number in range(first, last + 1)]


def _strip(view: TrackView, y: float, scale: tuple[float, list[float]]) -> tuple[str, float]:
    """The whole window, small, with a frame around what is shown and a pointer at the centre; its end."""
    length = len(view.observed)
    steps = _steps(view, view.observed, -(-length // 280), 0, scale[0] * (STRIP - 3) / HIGH)
    wide = (RIGHT - LEFT) / length
    left, right = LEFT + view.start * wide, LEFT + view.stop * wide
    centre = LEFT + (view.centre + 0.5) * wide
    return (
        f"<g transform='translate(0 {y + STRIP:g})'><path d='M{LEFT} 0{''.join(steps)}V0z' fill='{FAINT}'/>"
        f"<path d='M{LEFT} 0H{RIGHT}' stroke='{FAINT}'/>"
        f"<path d='M{left:.1f} {-STRIP}H{right:.1f}V0H{left:.1f}z' fill='{FRAME}' fill-opacity='.12' "
        f"stroke='{FRAME}' stroke-width='1.6'/>"
        f"<path d='M{centre:.1f} 2l6 9h-12z' fill='{FRAME}'/>"
        + text(LEFT - 7, -STRIP / 2 - 8, "whole", size=12, anchor="end")
        + text(LEFT - 7, -STRIP / 2 + 8, "window", size=12, anchor="end")
        + "</g>"
    ), y + STRIP + 12
