"""The picture, numbers and summary of the mutate explorer: what `mutate.compute` gives, drawn."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from course_utils.explorers import Panels, table
from course_utils.explorers._words import write_many
from course_utils.plotting import (
    ACCENT,
    BASE_COLOURS,
    FAINT,
    INK,
    logo,
    short_number,
    svg,
    text,
    text_row,
    ticks,
)
from course_utils.sequences import ALPHABET, reverse_complement

if TYPE_CHECKING:  # only for the hints: when it runs, mutate imports this file
    from course_utils.explorers.mutate import MutateView

WIDTH, LEFT, WIDE = 724, 56, 644  # pixels: of the picture, where plots begin, and their width
RIGHT = LEFT + WIDE
ROW, CHOICES_TOP = 20, 92  # of the four bases: height of a line, and where the first begins
LOGO_HIGH = 96
AROUND, STEP = 41, 10  # bases spelled out around the cursor; that stretch moves on by whole steps
CHANGED, RULE = "#8a1c00", "#e4e4e4"
LISTED = 8  # mutations that are spelled out


def draw(view: MutateView) -> Panels:
    """The four bases at the cursor, the attributions on both strands, and the letters around the cursor."""
    summary = describe(view)
    return Panels(_picture(view, summary), _numbers(view), summary)


# --- words ---------------------------------------------------------------------------------------


def describe(view: MutateView) -> str:
    """The picture in words, on one line: its main numbers."""
    place = view.position
    best = int(np.argmax(view.choices))
    parts = [
        f"{_heading(view)}: {_predicted(view)}",
        f"position {place} is {view.sequence[place]}, of the four bases there {ALPHABET[best]} has the highest "
        f"logit, {_logit(view.choices[best])}",
        f"input x {_gradient(view)}: {_strongest(view.plus, 'plus')}, {_strongest(view.minus, 'minus')}",
    ]
    if view.mutations:
        parts.insert(1, f"changed: {_list(view)}")
    return "; ".join(parts) + "."


def _predicted(view: MutateView) -> str:
    """What the network predicts, before and after, and for the reverse complement."""
    logits, chances = [_logit(view.logit)], [_probability(view.logit)]
    if view.sequence != view.original:
        logits.insert(0, _logit(view.before))
        chances.insert(0, _probability(view.before))
    return (
        f"logit {' → '.join(logits)}, probability {' → '.join(chances)}; "
        f"of the reverse complement {_logit(view.reverse)}, {_probability(view.reverse)}"
    )


def _heading(view: MutateView) -> str:
    name = view.name if len(view.name) <= 44 else view.name[:43] + "…"
    if view.as_it_came:
        aside = f"; {write_many(view.aside, 'mutation')} set aside" if view.aside else ""
        return f"{name}, as it came{aside}"
    if len(view.sequence) != len(view.original):
        return f"{len(view.sequence)} bases, typed; {name} has {len(view.original)}"
    if view.mutations:
        return f"{name}, {write_many(len(view.mutations), 'mutation')}"
    return f"{name}, no mutation"


def _gradient(view: MutateView) -> str:
    return "centred gradient" if view.centred else "gradient"


def _list(view: MutateView) -> str:
    """The mutations, such as ``48 T>A``."""
    shown = [f"{place} {view.original[place]}>{view.sequence[place]}" for place in view.mutations[:LISTED]]
    more = len(view.mutations) - LISTED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _strongest(values: np.ndarray, strand: str) -> str:
    place = int(np.abs(values).max(axis=1).argmax())
    base = int(np.abs(values[place]).argmax())
    return f"largest on the {strand} strand {ALPHABET[base]} at {place}, {_change(values[place, base])}"


def _logit(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: never a minus before zero


def _change(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:+.2f}".replace("-", "−")


def _probability(logit: float) -> str:
    """The logistic function; near 0 and 1 with the digits that tell it from them."""
    small = 1 / (1 + math.exp(min(abs(logit), 700)))  # of the less likely of the two
    if small < 0.000001:
        return "above 0.999999" if logit > 0 else "below 0.000001"
    digits = max(3, 1 + math.ceil(-math.log10(small)))
    return f"{small if logit < 0 else 1 - small:.{digits}f}"


def _numbers(view: MutateView) -> str:
    whole = [
        ("as it came", view.before, ""),
        ("as shown", view.logit, _change(view.logit - view.before)),
        ("its reverse complement", view.reverse, ""),
    ]
    place = view.position
    here, came = view.sequence[place], None
    if len(view.sequence) == len(view.original):
        came = view.original[place]
    each = []
    for base, logit, promised in zip(ALPHABET, view.choices.tolist(), view.promised.tolist()):
        words = " (there now)" if base == here else " (came with it)" if base == came else ""
        changes = ("", "") if base == here else tuple(_change(to - view.logit) for to in (logit, promised))
        each.append((base + words, logit, *changes))
    tables = [
        table([(name, _logit(logit), _probability(logit), *changes) for name, logit, *changes in rows], head)
        for rows, head in (
            (whole, ("sequence", "logit", "probability", "change")),
            (each, (f"base at {place}", "logit", "probability", "change", "by the gradient")),
        )
    ]
    apart = float(np.abs(view.plus.sum(axis=1) - view.minus.sum(axis=1)).max())
    changed = f"Changed: {_list(view)}. " if view.mutations else ""
    note = f"{changed}Largest difference of a position's height on the two strands: {_logit(apart)}."
    return "".join(tables) + f"<p>{escape(note)}</p>"


# --- the drawing ---------------------------------------------------------------------------------


def _picture(view: MutateView, label: str) -> str:
    length = len(view.sequence)
    cell = min(WIDE / length, 20)
    choices, y = _choices(view)
    # A letter may reach a little over the end of the axis, which would leave half of the height empty otherwise.
    limits = (0.9 * view.limits[0], 0.9 * view.limits[1])
    top = y + 10
    low = top + 30 + LOGO_HIGH + 30 + 18  # where the logo of the minus strand begins
    parts = [
        text(8, 17, _heading(view), anchor="start", size=15, bold=True),
        text(8, 38, _predicted(view), anchor="start", size=13.5),
        choices,
        _columns(view, cell, [top + 30, low + 8]),
    ]
    words = f"plus strand: each letter as high as the {_gradient(view)} at it, in units of the logit"
    for y, values, words in (
        (top, view.plus, words),
        (low - 22, view.minus, "minus strand: the same of the reverse complement, each base below its partner"),
    ):
        drawing, _, _ = logo(values, cell=cell, high=LOGO_HIGH, left=LEFT, limits=limits, unit="logit")
        parts.append(text(8, y + 8, words, anchor="start", size=13))
        parts.append(f"<g transform='translate(0 {y + 22:g})'>{drawing}</g>")
    letters, end = _letters(view, low + LOGO_HIGH + 40)
    parts.append(letters)
    return svg(WIDTH, end, "".join(parts), label)


def _choices(view: MutateView) -> tuple[str, float]:
    """A line for each base at the cursor, with its logit and what the gradient promises; where this ends."""
    marks = ticks(*view.span, 8)
    wide = WIDE - 200  # numbers stand on the right
    scale = wide / (marks[-1] - marks[0])

    def x(logit: float) -> float:
        return LEFT + (logit - marks[0]) * scale

    top, place = CHOICES_TOP, view.position
    end = top + 4 * ROW
    now = ALPHABET.index(view.sequence[place])
    grid = "".join(f"M{x(mark):.1f} {top}V{end}" for mark in marks)
    parts = [
        text(8, top - 29, f"each base at position {place}:", anchor="start", size=13),
        text(222, top - 29, "its logit", anchor="start", size=13),
        text(310, top - 29, "what the gradient promises", anchor="start", size=13),
        f"<circle cx='212' cy='{top - 29}' r='5' fill='{FAINT}' stroke='{INK}'/>",
        _ring(300, top - 29, 0),
        text(RIGHT - 120, top - 10, "logit", size=12, fill=FAINT, anchor="end"),
        text(RIGHT, top - 10, "probability", size=12, fill=FAINT, anchor="end"),
        f"<path d='{grid}' stroke='{RULE}'/>",
        f"<rect x='{LEFT - 24}' y='{top + now * ROW}' width='{RIGHT + 30 - LEFT}' height='{ROW}' rx='4' "
        f"fill='{ACCENT}' fill-opacity='.1' stroke='{ACCENT}'/>",
    ]
    before = x(view.before)
    parts.append(f"<path d='M{before:.1f} {top - 4}V{end + 4}' stroke='{INK}' stroke-dasharray='4 3'/>")
    parts.append(text(round(before, 1), top - 11, "as it came", size=11))
    for row, base in enumerate(ALPHABET):
        y, logit, promised = top + (row + 0.5) * ROW, float(view.choices[row]), float(view.promised[row])
        parts.append(text(LEFT - 12, y, base, size=14, bold=True))
        parts.append(
            f"<circle cx='{x(logit):.1f}' cy='{y:g}' r='{7 if row == now else 5}' fill='{BASE_COLOURS[base]}' "
            f"stroke='{INK}'/>"
        )
        if row != now:
            over = (promised > marks[-1]) - (promised < marks[0])
            parts.append(_ring(x(min(max(promised, marks[0]), marks[-1])), y, over))
        for right, words in ((RIGHT - 120, _logit(logit)), (RIGHT, _probability(logit))):
            parts.append(text(right, y, words, size=13, anchor="end", bold=row == now))
    numbers = [round(x(mark), 1) for mark in marks]
    parts.append(text_row(numbers, end + 10, map(short_number, marks), size=11, fill=FAINT))
    return "".join(parts), end + 20


def _ring(x: float, y: float, over: int) -> str:
    """What the gradient promises; a tip to the left (-1) or right (1) if that is over an end of the axis."""
    drawn = f"<circle cx='{x:.1f}' cy='{y:g}' r='7'"
    if over:
        drawn = f"<path d='M{x + 8 * over:.1f} {y:g}l{-8 * over} -5v10z'"
    return f"{drawn} fill='none' stroke='{INK}' stroke-width='1.4'/>"


def _columns(view: MutateView, cell: float, tops: list[float]) -> str:
    """Behind the logos: the cursor, and a stripe with a diamond on it for each base that was changed."""

    def stripe(place: int, margin: float) -> str:
        x, wide = LEFT + place * cell - margin, cell + 2 * margin
        return "".join(f"M{x:.1f} {top:g}h{wide:.1f}v{LOGO_HIGH}h-{wide:.1f}z" for top in tops)

    parts = []
    if view.mutations:
        stripes = "".join(stripe(place, 0) for place in view.mutations)
        diamonds = "".join(
            f"M{LEFT + (place + 0.5) * cell:.1f} {tops[0] - 9:g}l4 5l-4 5l-4-5z" for place in view.mutations
        )
        parts.append(f"<path d='{stripes}' fill='{CHANGED}' fill-opacity='.13'/>")
        parts.append(f"<path d='{diamonds}' fill='{CHANGED}'/>")
    parts.append(
        f"<path d='{stripe(view.position, 0.6)}' fill='{ACCENT}' fill-opacity='.12' stroke='{ACCENT}' "
        "stroke-width='1.4'/>"
    )
    return "".join(parts)


def _letters(view: MutateView, y: float) -> tuple[str, float]:
    """The bases around the cursor on both strands, what stood there before, and where this ends."""
    length, place = len(view.sequence), view.position
    many = min(AROUND, length)
    start = min(max(round((place - many / 2) / STEP) * STEP, 0), length - many)
    stop, cell = start + many, min(WIDE / many, 20)
    shown = view.sequence[start:stop]
    partners = reverse_complement(shown)[::-1]

    def x(position: float) -> float:
        return round(LEFT + (position - start + 0.5) * cell, 1)

    left = x(place) - cell / 2
    changed = [position for position in view.mutations if start <= position < stop]
    parts = [
        f"<rect x='{left:.1f}' y='{y + 18:g}' width='{cell:.1f}' height='46' rx='3' fill='{ACCENT}' "
        f"fill-opacity='.12' stroke='{ACCENT}' stroke-width='1.6'/>"
    ]
    others = [position for position in range(start, stop) if position not in changed]
    for row, letters in ((y + 30, shown), (y + 52, partners)):
        for positions, bold, fill in ((others, False, INK), (changed, True, CHANGED)):
            if positions:
                parts.append(
                    text_row(
                        map(x, positions), row, (letters[p - start] for p in positions),
                        size=15, fill=fill, bold=bold,
                    )
                )  # fmt: skip
    if changed:
        came = [view.original[position] for position in changed]
        strokes = "".join(f"M{x(position) - 5:.1f} {y + 8:g}h10" for position in changed)
        parts.append(text_row(map(x, changed), y + 8, came, size=13, fill=FAINT))
        parts.append(f"<path d='{strokes}' stroke='{CHANGED}' stroke-width='1.4'/>")
    for row, ends in ((y + 30, "5′3′"), (y + 52, "3′5′")):
        parts.append(text(LEFT - 14, row, ends[:2], size=12, fill=FAINT))
        parts.append(text(LEFT + many * cell + 12, row, ends[2:], size=12, fill=FAINT))
    numbers = [position for position in range(start, stop) if position % STEP == 0 or position == stop - 1]
    numbers = [n for n in numbers if abs(n - place) > 2]
    parts.append(text_row(map(x, numbers), y + 75, map(str, numbers), size=11, fill=FAINT))
    parts.append(text(x(place), y + 75, str(place), size=13, fill=ACCENT, bold=True))
    return "".join(parts), y + 88
