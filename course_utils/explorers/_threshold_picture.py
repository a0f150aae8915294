"""The picture, numbers and summary of the threshold explorer: what `threshold.compute` gives, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from course_utils import plotting
from course_utils.explorers import Panels, table
from course_utils.explorers._words import write_bits, write_many
from course_utils.scanning import STRANDS

if TYPE_CHECKING:  # only for the hints: when it runs, threshold imports this file
    from course_utils.explorers.threshold import ThresholdView, Window

RANDOM, SITES = plotting.FAINT, "#0072B2"
SIGN = {"+": "+", "-": "−"}
LEFT, WIDE, TALL = 58, 610, 150  # pixels: margin, width and height of the track
SMALL = {"size": 10, "fill": plotting.FAINT}  # words on axes
LANE, LETTERS = 14, 64  # height of the lane of hits; most bases that are written as letters


def draw(view: ThresholdView) -> Panels:
    """The scores along the sequence, the two distributions, and the counts."""
    counts = table(
        [
            (
                f"{write_bits(view.threshold)} bits", write_p(view.p_value), _percent(view.sensitivity),
                *(f"{view.hits[s]:,}" if s in view.hits else "not searched" for s in STRANDS),
                _number(view.expected),
            )
        ],
        head=(
            "threshold", "p-value", "true sites that pass",
            "hits on +", "hits on −", "expected by chance",
        ),
        name="the threshold",
    )  # fmt: skip
    rows = [
        _row(view, f"best hit {number}", window) for number, window in enumerate(view.best, start=1)
    ]
    rows.append(_row(view, f"looked at: number {view.rank}", view.looked_at))
    head = ("window", "start", "strand", "word", "bits", "p-value", "hit", "genome")
    windows = table(rows, head, name="windows")
    motif = view.scan.motif
    found = " and ".join(f"{count:,} on {SIGN[strand]}" for strand, count in view.hits.items())
    summary = (
        f"{motif.name} over {len(view.scan.sequence):,} bases, threshold "
        f"{write_bits(view.threshold)} bits: p-value {write_p(view.p_value)}, "
        f"{_percent(view.sensitivity)} of true sites pass; "
        f"{write_many(view.found, 'hit')} ({found}), {_number(view.expected)} expected by chance. "
        f"{' '.join(_looked_at(view))}"
    )
    if view.threshold > motif.best:
        summary += " " + " ".join(_unreachable(view))
    return Panels(_picture(view, summary), counts + windows, summary)


def _row(view: ThresholdView, name: str, window: Window) -> tuple[str, ...]:
    return (
        name, f"{window.start:,}", SIGN[window.strand], window.word, write_bits(window.score),
        write_p(window.p_value), "yes" if window.score >= view.passing else "no",
        _genome(view, window) or "unknown",
    )  # fmt: skip


def _genome(view: ThresholdView, window: Window) -> str:
    if not view.scan.place:
        return ""
    chromosome, first = view.scan.place
    return f"{chromosome}:{first + window.start}-{first + window.start + len(window.word)}"


def _looked_at(view: ThresholdView) -> tuple[str, str]:
    """The window that is looked at, in words: a sentence on two lines."""
    window, place = view.looked_at, _genome(view, view.looked_at)
    verdict = "a hit" if window.score >= view.passing else "no hit"
    return (
        f"Window number {view.rank}: strand {SIGN[window.strand]}, start {window.start:,}"
        f"{f' ({place})' if place else ''}, {write_bits(window.score)} bits, {verdict};",
        f"it reads {window.word}.",
    )


def _unreachable(view: ThresholdView) -> tuple[str, str]:
    """Why nothing passes a threshold above the best word: a sentence on two lines."""
    best = view.scan.motif.best
    p_value = view.scan.motif.random.p_value(best)
    return (
        "No word is that rare: the best word alone has",
        f"the p-value {write_p(p_value)} (it scores {write_bits(best)} bits).",
    )


def write_p(value: float) -> str:
    """A p-value, to two digits."""
    if value == 0 or value >= 0.001:
        return f"{value:.2g}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}"


def _percent(share: float) -> str:
    percent = f"{100 * share:.1f}"
    if percent == "100.0" and share < 1:
        percent = "over 99.9"
    elif percent == "0.0" and share > 0:
        percent = "under 0.1"
    return f"{percent.removesuffix('.0')} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else write_p(value)


# --- the picture ---------------------------------------------------------------------------------


def _picture(view: ThresholdView, label: str) -> str:
    motif, length = view.scan.motif, len(view.scan.sequence)
    title = f"{motif.name}, {len(motif.pwm)} positions, over {length:,} bases"
    if view.scan.place:
        chromosome, first = view.scan.place
        title += f" of {chromosome}:{first}-{first + length}"
    parts = [plotting.text(8, 14, title, anchor="start", bold=True)]
    track, y = _track(view, 28)
    parts.append(track)
    for number, line in enumerate(_looked_at(view)):
        parts.append(plotting.text(LEFT, y + 10 + 16 * number, line, size=11, anchor="start"))
    y += 48
    parts += [_distributions(view, y), _counts(view, y)]
    return plotting.svg(LEFT + WIDE + 12, y + 168, "".join(parts), label)


def _track(view: ThresholdView, top: float) -> tuple[str, float]:
    """The best score at each pixel, plus strand upwards, minus strand downwards; also the end of it."""
    first, end = view.shown
    tall = TALL / len(view.strands)
    middle = 20 + (16 if end - first <= LETTERS else 0)

    def x_of(base: float) -> float:
        return LEFT + (base - first) * WIDE / (end - first)

    parts, y = [], top
    for strand in STRANDS:
        if strand == "-":
            parts.append(_positions(view, y, middle, x_of))
            y += middle
        if strand in view.strands:
            parts.append(_strand(view, strand, y, tall, x_of))
            y += LANE + tall
    return "".join(parts), y + 4


def _strand(view: ThresholdView, strand: str, top: float, tall: float, x_of) -> str:
    """One strand of the track: scores as bars, those that pass marked, the threshold as a line."""
    (low, high), (first, end) = view.scan.motif.range, view.shown
    up = 1 if strand == "+" else -1
    base = top + LANE + tall if up == 1 else top  # where the bars stand
    lane = top if up == 1 else base + tall  # where their hits are marked

    def y_of(score: float) -> float:
        return base - up * (score - low) * tall / (high - low)

    many = end - first
    scores = np.full(many, -np.inf, dtype=np.float32)  # no window starts at the last bases
    seen = view.scan.scores[STRANDS.index(strand), first:end]
    scores[: len(seen)] = seen
    columns = min(many, WIDE)
    column = WIDE / columns
    best = np.maximum.reduceat(scores, np.arange(columns) * many // columns)
    heights = (np.clip(best, low, high) - low) * (tall / (high - low))
    pale = plotting.tint(plotting.FAINT, 0.66)
    parts = [f"<path d='{_skyline(heights, LEFT, column, base, up)}' fill='{pale}'/>"]
    # A bar stands at the first base of its window, and so does the line of the window looked at.
    if view.looked_at.strand == strand:
        line = f"M{x_of(view.looked_at.start + 0.5):.1f} {top:g}v{LANE + tall:g}"
        parts.append(f"<path d='{line}' stroke='{plotting.INK}' stroke-dasharray='2 2'/>")
    hits = np.flatnonzero(best >= view.passing)
    parts.append(_marks(hits, heights, column, base, up, lane, plotting.ACCENT))
    line = y_of(np.clip(view.threshold, low, high))
    parts.append(
        f"<path d='M{LEFT} {line:.1f}h{WIDE}' stroke='{plotting.PAPER}' stroke-width='3'/>"  # a rim, on the bars
        f"<path d='M{LEFT} {line:.1f}h{WIDE}' stroke='{plotting.INK}' stroke-dasharray='5 3'/>"
        f"<path d='M{LEFT} {base:g}h{WIDE}m{-WIDE} 0v{-up * tall:g}' fill='none' "
        f"stroke='{plotting.FAINT}'/>"
    )
    name = f"hits {SIGN[strand]}"
    parts.append(plotting.text(LEFT - 6, lane + LANE / 2, name, size=11, anchor="end", bold=True))
    for mark in plotting.ticks(low, high, max(2, int(tall / 24))):
        if low <= mark <= high:
            words = plotting.short_number(mark)
            parts.append(plotting.text(LEFT - 6, y_of(mark), words, anchor="end", **SMALL))
    return "".join(parts)


def _skyline(heights: np.ndarray, left: float, column: float, base: float, up: int) -> str:
    """Columns side by side as the data of one path; neighbours of one height become one column."""
    tops = np.rint(heights * 2) / 2
    last = np.append(np.flatnonzero(tops[1:] != tops[:-1]), len(tops) - 1)
    ends = np.round(left + (last + 1) * column, 1)
    steps = "".join(
        f"V{y:g}H{x:g}" for y, x in zip((base - up * tops[last]).tolist(), ends.tolist())
    )
    return f"M{left:g} {base:g}{steps}V{base:g}z"


def _marks(hits, heights, column: float, base: float, up: int, lane: float, colour: str) -> str:
    """A bar at each hit, and in its strand's lane a tip that points the way the strand is read."""
    if not len(hits):
        return ""
    passing = np.zeros_like(heights)
    passing[hits] = np.maximum(heights[hits], 1)
    bars = _skyline(passing, LEFT, column, base, up)
    if len(hits) <= 60:
        centres = np.round(LEFT + (hits + 0.5) * column, 1).tolist()
        tips = "".join(f"M{x - 4 * up:g} {lane + 2:g}l{8 * up} 5l{-8 * up} 5z" for x in centres)
    else:  # too many for tips that can be told apart
        edge = lane + (12 if up == 1 else 2)
        tips = _skyline(np.where(passing > 0, 10, 0), LEFT, column, edge, up)
    return f"<path d='{bars}{tips}' fill='{colour}'/>"


def _positions(view: ThresholdView, y: float, tall: float, x_of) -> str:
    """Between the strands: positions and, close up, the letters, with the window looked at in a frame."""
    first, end = view.shown
    marks = plotting.ticks(0, end - first, 7)
    step = max(1, int(marks[1]))
    places = list(range(-(-first // step) * step, end, step))
    middles = [round(x_of(place + 0.5), 1) for place in places]
    parts = [plotting.text_row(middles, y + tall - 9, [f"{place:,}" for place in places], **SMALL)]
    if end - first > LETTERS:
        strokes = "".join(f"M{x:g} {y:g}v4" for x in middles)
        parts.append(f"<path d='{strokes}' stroke='{plotting.FAINT}'/>")
    else:
        window = view.looked_at
        left, right = x_of(window.start), x_of(window.start + len(window.word))
        parts.append(
            f"<rect x='{left:.1f}' y='{y + 2:g}' width='{right - left:.1f}' height='17' rx='2' "
            f"fill='#ffffff' stroke='{plotting.ACCENT}' stroke-width='2'/>"
        )
        letters = view.scan.sequence[first:end]
        xs = [round(x_of(first + number + 0.5), 1) for number in range(len(letters))]
        parts.append(plotting.text_row(xs, y + 11, letters, size=11, bold=True))
    return "".join(parts)


def _distributions(view: ThresholdView, top: float) -> str:
    """Scores of random words and of true sites, each as high as the panel; what passes is dark."""
    motif = view.scan.motif
    wide, tall, base = 300, 96, top + 124
    low, high = float(motif.bins[0]), max(float(motif.bins[-1]), motif.range[1])
    scale = wide / (high - low)
    column = (motif.bins[1] - motif.bins[0]) * scale
    x = LEFT + (min(max(view.threshold, low), high) - low) * scale
    cut = min(int((x - LEFT) / column), len(motif.random_bins))
    title = "scores: random words and true sites"
    parts = [plotting.text(LEFT, top + 2, title, anchor="start", bold=True)]
    for shares, colour in ((motif.random_bins, RANDOM), (motif.site_bins, SITES)):
        heights = shares * (tall / shares.max())
        whole = _skyline(heights, LEFT, column, base, 1)
        parts.append(
            f"<path d='{whole}' fill='{plotting.tint(colour, 0.3)}' fill-opacity='.7' stroke='{colour}'/>"
        )
        if cut < len(motif.random_bins):
            begin = LEFT + cut * column
            rest = _skyline(heights[cut:], begin, column, base, 1)
            # The first column of the rest begins at the threshold itself.
            rest = rest.replace(f"M{begin:g}", f"M{x:.1f}", 1)
            parts.append(f"<path d='{rest}' fill='{colour}'/>")
    parts.append(
        f"<path d='M{LEFT} {base}h{wide}' stroke='{plotting.FAINT}'/>"
        f"<path d='M{x:.1f} {base}V{top + 26}' stroke='{plotting.INK}' stroke-dasharray='5 3'/>"
    )
    words = f"threshold {write_bits(view.threshold)}"
    parts.append(plotting.text(min(x, LEFT + wide - 46), top + 19, words, size=11, bold=True))
    marks = [mark for mark in plotting.ticks(low, high, 7) if low <= mark <= high]
    parts.append(
        plotting.text_row(
            [LEFT + (mark - low) * scale for mark in marks],
            base + 11,
            map(plotting.short_number, marks),
            **SMALL,
        )
    )
    words = "bits (each shape drawn to its own height)"
    parts.append(plotting.text(LEFT + wide / 2, base + 26, words, **SMALL))
    return "".join(parts)


def _counts(view: ThresholdView, top: float) -> str:
    """The two rates, and hits expected by chance beside hits found."""
    left, wide, parts = LEFT + 338, WIDE - 338, []
    most = max(view.expected, view.found, 1)
    lines = (
        (RANDOM, "random words that pass", write_p(view.p_value), "false-positive rate of a window"),
        (SITES, "true sites that pass", _percent(view.sensitivity), "sensitivity"),
        (None, "hits expected by chance", _number(view.expected), ""),
        (None, "hits found", f"{view.found:,}", ""),
    )  # fmt: skip
    for number, (colour, words, value, meaning) in enumerate(lines):
        y = top + 2 + 30 * number
        if colour:
            parts.append(f"<rect x='{left}' y='{y - 6}' width='12' height='12' fill='{colour}'/>")
            parts.append(plotting.text(left + 18, y + 13, meaning, anchor="start", **SMALL))
        else:
            share = (view.expected if number == 2 else view.found) / most
            parts.append(
                f"<rect x='{left}' y='{y + 9}' width='{wide * share:.1f}' height='7' "
                f"fill='{plotting.FAINT if number == 2 else plotting.ACCENT}'/>"
            )
        parts.append(plotting.text(left + (18 if colour else 0), y, words, anchor="start"))
        parts.append(plotting.text(left + wide, y, value, anchor="end", bold=True))
    y = top + 124
    if view.threshold > view.scan.motif.best:
        sentences = _unreachable(view)
    else:
        strands = write_many(len(view.strands), "strand")
        found = ", ".join(f"{count:,} on {SIGN[strand]}" for strand, count in view.hits.items())
        sentences = (
            f"{view.scan.windows:,} windows × {strands} × {write_p(view.p_value)}",
            f"hits: {found}",
        )
    for number, sentence in enumerate(sentences):
        parts.append(plotting.text(left, y + 15 * number, sentence, size=11, anchor="start"))
    return "".join(parts)
