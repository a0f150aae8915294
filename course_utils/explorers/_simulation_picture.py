"""The picture, numbers and summary of the simulation explorer: what `simulation.compute` gives, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from course_utils import plotting
from course_utils.ceilings import Ceiling
from course_utils.explorers import Panels, table
from course_utils.motifs import check_ppm, information
from course_utils.sequences import ALPHABET

if TYPE_CHECKING:  # only for the hints: when it runs, simulation imports this file
    from course_utils.explorers.simulation import SimulationView

WIDTH, RIGHT = 724, 392  # pixels: of the picture, and where its right half begins
LETTER, ROW = 13, 19  # width of a letter, height of a sequence
BAR, BAR_WIDE = 222, 316  # where the bars of the ceiling begin, and their width
SMALL = {"size": 10, "fill": plotting.FAINT}  # words on axes
#: Accuracy and AUC of the set that the explorer starts with, exact.
PLAIN = Ceiling(0.97903, 0.99738, 0, 0, 0)
DINUCLEOTIDES = [first + second for first in ALPHABET for second in ALPHABET]
NEGATIVES = {
    "background": "negatives: fresh sequences from the background",
    "gc": "negatives: fresh sequences with the positives' GC content",
    "shuffled": "negatives: the first four positives, shuffled",
    "dinucleotides": "negatives: the first four positives, dinucleotides kept",
}
POSITIVE, NEGATIVE, WRONG = plotting.ACCENT, "#dcdcdc", "#8a1c00"


def draw(view: SimulationView) -> Panels:
    """A logo, a few sequences, composition, dinucleotides, and the ceiling as bars."""
    numbers = (
        table(
            [
                ("accuracy", _accuracy(view)),
                ("AUC", _auc(view)),
                ("AUC of the counts of A, C, G, T alone", f"{view.counts_auc:.3f}"),
                ("how accuracy and AUC were found", _how(view)),
            ],
            head=("no classifier can exceed" if _is_known(view) else "can be reached", "value"),
            name="ceiling",
        )
        + table(
            [
                (f"labelled {name}", *map(_percent, view.bases[row]), _percent(view.words[row]))
                for row, name in enumerate(("positive", "negative"))
            ],
            head=("share of", *ALPHABET, "sequences with CCGGAA or TTCCGG"),
            name="composition",
        )
        + table(
            [
                (f"{base}, then", *(f"{100 * p:.1f} | {100 * n:.1f}" for p, n in pairs))
                for base, pairs in zip(ALPHABET, view.dinucleotides.T.reshape(4, 4, 2))
            ],
            head=("percent of dinucleotides, positive | negative", *ALPHABET),
            name="dinucleotides",
        )
        + table(
            [
                (
                    str(row),
                    sequence,
                    f"{label}, wrong" if label != truth else str(label),
                    _site(start, len(view.ppm), strand),
                )
                for row, (sequence, truth, label, start, strand) in enumerate(_rows(view))
            ],
            head=("example", "sequence", "label", "site"),
            name="examples",
        )
    )
    gap = np.abs(view.bases[0] - view.bases[1]).max()
    summary = (
        f"site of {_bits(view):.1f} bits; {_claim(view)} accuracy {_accuracy(view)}, AUC {_auc(view)}; "
        f"the counts of A, C, G, T alone reach AUC {view.counts_auc:.3f}, their shares differ by up to "
        f"{_percent(gap)} between the classes; CCGGAA or TTCCGG in {_percent(view.words[0])} of those "
        f"labelled positive, {_percent(view.words[1])} of those labelled negative; "
        f"{100 * view.noise:.0f} % of labels wrong."
    )
    return Panels(_picture(view, summary), numbers, summary)


def _is_known(view: SimulationView) -> bool:
    """Whether `best` is the ceiling, and not only a lower bound of it."""
    return isinstance(view.best, Ceiling)


def _claim(view: SimulationView) -> str:
    return (
        "no classifier exceeds"
        if _is_known(view)
        else "the ceiling is not computed, a good rule reaches"
    )


def _accuracy(view: SimulationView) -> str:
    best = view.best
    if not best.sample:
        return f"{100 * best.accuracy:.2f} %"
    digits = 2 if best.accuracy_se < 0.00095 else 1
    return f"{_least(view)}{100 * best.accuracy:.{digits}f} ± {100 * best.accuracy_se:.{digits}f} %"


def _auc(view: SimulationView) -> str:
    best = view.best
    if not best.sample:
        return f"{best.auc:.4f}"
    digits = 4 if best.auc_se < 0.00095 else 3
    return f"{_least(view)}{best.auc:.{digits}f} ± {best.auc_se:.{digits}f}"


def _least(view: SimulationView) -> str:
    return "" if _is_known(view) else "at least "


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _bits(view: SimulationView) -> float:
    return float(information(check_ppm(view.ppm), view.background).sum()) + 0.0


def _rows(view: SimulationView):
    return zip(view.sequences, view.truth, view.labels, view.starts, view.strands)


def _site(start: int, width: int, strand: str) -> str:
    return "none" if start < 0 else f"{start} to {start + width}, strand {strand}"


def _how(view: SimulationView) -> str:
    how = "exact: all 4,096 words of the site were listed"
    if view.best.sample:
        how = f"± standard error; {view.best.sample:,} sequences drawn"
    return how + ("; judged by labels that may be wrong" if view.noise else "")


# --- the picture ---------------------------------------------------------------------------------


def _picture(view: SimulationView, label: str) -> str:
    motif, top = _motif(view)
    examples, bottom = _examples(view, top + 12)
    right = _bars(view.bases, list(ALPHABET), "share of each base, in percent", 26, 12, 100)
    right += _bars(
        view.dinucleotides, DINUCLEOTIDES, "share of each dinucleotide, in percent", 7, 206, 122
    )
    ceilings, end = _ceilings(view, bottom + 10)
    return plotting.svg(WIDTH, end, motif + examples + right + ceilings, label)


def _motif(view: SimulationView) -> tuple[str, float]:
    """The logo of the mixed motif with remarks beside it, and where the panel ends."""
    heights = view.ppm * np.maximum(information(view.ppm, view.background), 0)[:, None]
    most = max(2, heights.sum(axis=1).max())
    logo, wide, high = plotting.logo(heights, cell=2 * LETTER, high=62, left=44, limits=(0, most))
    parts = [
        plotting.text(8, 14, "the sites are drawn from", anchor="start", bold=True),
        f"<g transform='translate(4 24)'>{logo}</g>",
    ]
    remarks = (
        f"{_bits(view):.1f} bits",
        f"background GC {100 * view.background[1:3].sum():.0f} %",
        "CCGGAA or TTCCGG in",
        f"{_percent(view.words[0])} of label 1",
        f"{_percent(view.words[1])} of label 0",
    )
    for line, remark in enumerate(remarks):
        y = 38 + 16 * line + 6 * (line > 1)
        parts.append(plotting.text(wide + 18, y, remark, size=11, anchor="start", bold=not line))
    return "".join(parts), 28 + high


def _examples(view: SimulationView, y: float) -> tuple[str, float]:
    """A few sequences with their labels, sites framed, and where the panel ends."""
    left, length, width = 84, len(view.sequences[0]), len(view.ppm)
    middles = [left + (i + 0.5) * LETTER for i in range(length)]
    at_strand = left + length * LETTER + 18
    small = SMALL | {"size": 11}
    parts = [
        plotting.text(8, y, "label", anchor="start", **small),
        plotting.text(left, y, "positives: the site is framed", anchor="start", **small),
        plotting.text(at_strand, y, "strand", **small),
    ]
    y += 9
    boxes, frames = dict.fromkeys(ALPHABET, ""), ""
    for number, (sequence, truth, label, start, strand) in enumerate(_rows(view)):
        if number == sum(view.truth):  # the first negative
            parts.append(
                plotting.text(8, y + 13, NEGATIVES[view.negatives], anchor="start", **small)
            )
            y += 23
        middle = y + ROW / 2
        site = range(start, start + width) if truth else range(0)
        inks = [
            plotting.readable_ink(plotting.BASE_COLOURS[base]) if i in site else plotting.FAINT
            for i, base in enumerate(sequence)
        ]
        for ink in dict.fromkeys(inks):
            chosen = [i for i in range(length) if inks[i] == ink]
            xs, letters = [middles[i] for i in chosen], [sequence[i] for i in chosen]
            parts.append(
                plotting.text_row(xs, middle, letters, fill=ink, bold=ink != plotting.FAINT)
            )
        for i in site:
            boxes[sequence[i]] += f"M{left + i * LETTER} {y + 1:g}h{LETTER}v{ROW - 2}h-{LETTER}z"
        if truth:
            wide = width * LETTER
            frames += f"M{left + start * LETTER} {y + 1:g}h{wide}v{ROW - 2}h-{wide}z"
            parts.append(plotting.text(at_strand, middle, "+ →" if strand == "+" else "− ←"))
        wrong = label != truth
        told, fill = (f"{label} ✗ wrong", WRONG) if wrong else (str(label), plotting.INK)
        parts.append(plotting.text(8, middle, told, anchor="start", fill=fill, bold=wrong))
        y += ROW
    filled = "".join(
        f"<path d='{path}' fill='{plotting.BASE_COLOURS[base]}'/>" for base, path in boxes.items()
    )
    frame = f"<path d='{frames}' fill='none' stroke='{plotting.INK}' stroke-width='1.5'/>"
    return filled + "".join(parts) + frame, y


def _bars(
    shares: np.ndarray, names: list[str], title: str, thick: float, top: float, high: float
) -> str:
    """A pair of bars for each name: filled for positives, with an outline for negatives."""
    left, wide = RIGHT + 26, WIDTH - RIGHT - 34
    base = top + 44 + high
    marks = plotting.ticks(0, 100 * shares.max(), 4)
    scale = high / marks[-1]
    parts = [
        plotting.text(RIGHT, top + 2, title, anchor="start", bold=True),
        f"<rect x='{RIGHT}' y='{top + 15}' width='10' height='10' fill='{POSITIVE}'/>"
        f"<rect x='{RIGHT + 138.5}' y='{top + 15.5}' width='9' height='9' fill='{NEGATIVE}' "
        f"stroke='{plotting.FAINT}'/>",
        plotting.text(RIGHT + 15, top + 20, "labelled positive", anchor="start", size=11),
        plotting.text(RIGHT + 153, top + 20, "labelled negative", anchor="start", size=11),
    ]
    lines = "".join(f"M{left} {base - mark * scale:.1f}h{wide}" for mark in marks)
    parts.append(f"<path d='{lines}' stroke='#e4e4e4'/>")
    for mark in marks:
        y = base - mark * scale
        parts.append(plotting.text(left - 5, y, f"{mark:g}", anchor="end", **SMALL))
    step = wide / len(names)
    middles = [left + (i + 0.5) * step for i in range(len(names))]
    for row, style in enumerate(
        (f"fill='{POSITIVE}'", f"fill='{NEGATIVE}' stroke='{plotting.FAINT}'")
    ):
        path = ""
        for middle, share in zip(middles, 100 * shares[row]):
            inset = 0.5 * row  # the outline belongs to the bar
            x = middle + (row - 1) * thick + inset
            path += f"M{x:.1f} {base:g}v{-share * scale:.1f}h{thick - 2 * inset:g}V{base:g}z"
        parts.append(f"<path d='{path}' {style}/>")
    parts.append(f"<path d='M{left} {base:g}h{wide}' stroke='{plotting.FAINT}'/>")
    size = 12 if len(names) == 4 else 10
    parts.append(plotting.text_row(middles, base + 11, names, size=size, bold=len(names) == 4))
    return "".join(parts)


def _ceilings(view: SimulationView, y: float) -> tuple[str, float]:
    """What can be reached, from a coin's one half to 1, and where the panel ends."""
    best = view.best
    if _is_known(view):
        title = "the ceiling: no classifier can exceed it"
    else:
        title = "the ceiling is not computed here; this is what a good rule reaches"
    parts = [
        f"<path d='M8 {y:g}H{WIDTH - 8}' stroke='#c8c8c8'/>",
        plotting.text(8, y + 17, title, anchor="start", bold=True),
    ]
    rows = (
        ("accuracy", best.accuracy, best.accuracy_se, _accuracy(view), PLAIN.accuracy),
        ("AUC", best.auc, best.auc_se, _auc(view), PLAIN.auc),
        ("AUC of counts of A, C, G, T alone", view.counts_auc, 0, f"{view.counts_auc:.3f}", None),
    )
    y += 34
    for name, value, error, words, plain in rows:
        parts += [
            plotting.text(BAR - 10, y + 8, name, size=12 if plain else 11, anchor="end"),
            _bar_of_reach(y, value, POSITIVE if plain else plotting.FAINT),
            plotting.text(BAR + BAR_WIDE + 10, y + 8, words, anchor="start", bold=bool(plain)),
        ]
        if plain and not _is_known(view):
            parts.append(_unknown_above(y, value))
        if error:
            parts.append(_whisker(y, value - error, value + error))
        if plain:  # on a white rim, to be seen on the bar
            line = f"<path d='M{_x_of(plain):.1f} {y - 3:g}v22'"
            parts.append(f"{line} stroke='{plotting.PAPER}' stroke-width='5'/>")
            parts.append(f"{line} stroke='{plotting.INK}' stroke-width='2' stroke-dasharray='3 2'/>")
        y += 24
    xs = [BAR + BAR_WIDE * i / 5 for i in range(6)]
    strokes = "".join(f"M{x:g} {y - 6:g}v4" for x in xs)
    note = f"dashed line: the plain set, {100 * PLAIN.accuracy:.2f} % and {PLAIN.auc:.4f}"
    parts += [
        f"<path d='{strokes}' stroke='{plotting.FAINT}'/>",
        plotting.text_row(xs, y + 5, [f"{0.5 + i / 10:g}" for i in range(6)], **SMALL),
        plotting.text(WIDTH - 12, y + 24, note, anchor="end", **SMALL),
        plotting.text(8, y + 24, _how(view), anchor="start", **SMALL),
    ]
    return "".join(parts), y + 36


def _x_of(value: float) -> float:
    """Where an accuracy or an AUC stands: one half at the left end of the bar, 1 at the right."""
    return BAR + BAR_WIDE * min(max(2 * value - 1, 0), 1)


def _bar_of_reach(y: float, value: float, fill: str) -> str:
    return (
        f"<rect x='{BAR}' y='{y:g}' width='{BAR_WIDE}' height='16' fill='#f4f4f4' stroke='#c8c8c8'/>"
        f"<rect x='{BAR}' y='{y:g}' width='{_x_of(value) - BAR:.1f}' height='16' fill='{fill}'/>"
    )


def _unknown_above(y: float, value: float) -> str:
    """A dashed line with a question mark where the ceiling may lie, if there is room for it."""
    start, end = _x_of(value), BAR + BAR_WIDE
    if start >= end - 50:
        return ""
    middle = (start + end) / 2
    return (
        f"<path d='M{start:.1f} {y + 8:g}H{middle - 9:.1f}M{middle + 9:.1f} {y + 8:g}H{end}' "
        f"stroke='{plotting.INK}' stroke-width='1.5' stroke-dasharray='4 3'/>"
    ) + plotting.text(middle, y + 8, "?", bold=True)


def _whisker(y: float, low: float, high: float) -> str:
    """A standard error, dark on a white rim, to be seen on the bar and beside it."""
    low, high = _x_of(low), _x_of(high)
    line = f"M{low:.1f} {y + 8:g}H{high:.1f}M{low:.1f} {y + 4:g}v8M{high:.1f} {y + 4:g}v8"
    return "".join(
        f"<path d='{line}' stroke='{colour}' stroke-width='{thick}'/>"
        for colour, thick in ((plotting.PAPER, 4), (plotting.INK, 1.5))
    )
