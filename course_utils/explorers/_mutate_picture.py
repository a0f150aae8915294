"""The picture, numbers and summary of the mutate explorer: what `mutate.compute` gives, drawn."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from course_utils.explorers import Panels, fitted, table
from course_utils.explorers._words import write_many
from course_utils.plotting import (
    ACCENT,
    BASE_COLOURS,
    FAINT,
    INK,
    letter_paths,
    short_number,
    svg,
    text,
    text_row,
    ticks,
)
from course_utils.sequences import ALPHABET, reverse_complement

if TYPE_CHECKING:  # only for the hints: when it runs, mutate imports this file
    from course_utils.explorers.mutate import MutateView

WIDTH, LEFT, WIDE = 612, 46, 546  # pixels: of the picture, where plots begin, and their width
RIGHT = LEFT + WIDE
ROW, CHOICES_TOP = 20, 94  # of the four bases: height of a line, and where the first begins
LONGEST_ROW, STEP = 60, 10  # positions side by side, and from one number below them to the next
CHANGED, RULE = "#8a1c00", "#e4e4e4"
BEHIND = 0.06  # opacity of what lies behind letters: with more, green would not stand out
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
        f"{_heading(view)}: {_predicted(view)}; of the reverse complement {_logit(view.reverse)}",
        f"position {place} is {view.sequence[place]}, of the four bases there {ALPHABET[best]} has the highest "
        f"logit, {_logit(view.choices[best])}",
        f"input x {_gradient(view)}: {_strongest(view.plus, 'plus')}, {_strongest(view.minus, 'minus')}",
    ]
    if view.mutations:
        parts.insert(1, f"changed: {_list(view)}")
    return "; ".join(parts) + "."


def _predicted(view: MutateView) -> str:
    """What the network predicts, before and after."""
    logits, chances = [_logit(view.logit)], [_probability(view.logit)]
    if view.sequence != view.original:
        logits.insert(0, _logit(view.before))
        chances.insert(0, _probability(view.before))
    return f"logit {' → '.join(logits)}, probability {' → '.join(chances)}"


def _heading(view: MutateView) -> str:
    name = view.name if len(view.name) <= 44 else view.name[:43] + "…"
    if view.undone:
        aside = f"{write_many(view.aside, 'mutation')} undone" if view.aside else "no mutation to undo"
        return f"{name}, original: {aside}"
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
    if small < 0.0001:
        return "> 0.9999" if logit > 0 else "< 0.0001"
    digits = max(3, 1 + math.ceil(-math.log10(small)))
    return f"{small if logit < 0 else 1 - small:.{digits}f}"


def _numbers(view: MutateView) -> str:
    whole = [
        ("original", view.before, ""),
        ("as shown", view.logit, "" if view.sequence == view.original else _change(view.logit - view.before)),
        ("reverse complement", view.reverse, ""),
    ]
    place = view.position
    here, came = view.sequence[place], None
    if len(view.sequence) == len(view.original):
        came = view.original[place]
    each = []
    for base, logit, promised in zip(ALPHABET, view.choices.tolist(), view.promised.tolist()):
        words = " (now)" if base == here else " (original)" if base == came else ""
        changes = ("", "") if base == here else tuple(_change(to - view.logit) for to in (logit, promised))
        each.append((base + words, logit, *changes))
    tables = [
        table([(name, _logit(logit), _probability(logit), *changes) for name, logit, *changes in rows], head, of)
        for of, rows, head in (
            ("the sequence", whole, ("sequence", "logit", "probability", "change")),
            ("the four bases", each, (f"base at {place}", "logit", "probability", "change", "promised")),
        )
    ]
    changed = f"Changed: {_list(view)}. " if view.mutations else ""
    note = (
        f"{changed}Promised: the change, if the logit went on as the gradient begins. Largest difference of a "
        f"letter's height on the two strands: {_logit(view.apart)}."
    )
    return fitted(f"{''.join(tables)}<p style='max-width:600px'>{escape(note)}</p>")


# --- the drawing ---------------------------------------------------------------------------------


def _picture(view: MutateView, label: str) -> str:
    choices, y = _choices(view)
    minus = "the same heights, each base below its partner" if view.alike else "a logo of its own, below its letters"
    parts = [
        text(8, 17, _heading(view), anchor="start", size=15, bold=True),
        text(8, 39, _predicted(view), anchor="start", size=14),
        choices,
        text(8, y + 12, f"plus strand: height of a letter = the {_gradient(view)} at that letter, in logits",
             anchor="start", size=13),
        text(8, y + 30, f"minus strand, the reverse complement: {minus}", anchor="start", size=13),
    ]  # fmt: skip
    y += 48
    length = len(view.sequence)
    rows = -(-length // LONGEST_ROW)
    many = -(-length // rows) if rows == 1 else -(-length // (10 * rows)) * 10
    for start in range(0, length, many):
        drawn, y = _row(view, start, min(start + many, length), min(WIDE / many, 20), y)
        parts.append(drawn)
    return svg(WIDTH, y, "".join(parts), label)


def _choices(view: MutateView) -> tuple[str, float]:
    """A line for each base at the cursor, with its logit and what the gradient promises; where this ends."""
    marks = ticks(*view.span, 8)
    wide = WIDE - 176  # numbers stand on the right
    scale = wide / (marks[-1] - marks[0])

    def x(logit: float) -> float:
        return LEFT + (logit - marks[0]) * scale

    top, place = CHOICES_TOP, view.position
    end = top + 4 * ROW
    now = ALPHABET.index(view.sequence[place])
    grid = "".join(f"M{x(mark):.1f} {top}V{end}" for mark in marks)
    parts = [
        text(8, top - 30, f"each base at position {place}:", anchor="start", size=13),
        text(222, top - 30, "its logit", anchor="start", size=13),
        text(310, top - 30, "what the gradient promises", anchor="start", size=13),
        f"<circle cx='212' cy='{top - 30}' r='5' fill='{FAINT}' stroke='{INK}'/>",
        _ring(298, top - 30, 0),
        text(RIGHT - 90, top - 10, "logit", size=12, fill=FAINT, anchor="end"),
        text(RIGHT, top - 10, "probability", size=12, fill=FAINT, anchor="end"),
        f"<path d='{grid}' stroke='{RULE}'/>",
        f"<rect x='{LEFT - 24}' y='{top + now * ROW}' width='{RIGHT + 30 - LEFT}' height='{ROW}' rx='4' "
        f"fill='{ACCENT}' fill-opacity='.1' stroke='{ACCENT}'/>",
    ]
    before = x(view.before)
    parts.append(f"<path d='M{before:.1f} {top - 4}V{end + 4}' stroke='{INK}' stroke-dasharray='4 3'/>")
    parts.append(text(round(before, 1), top - 11, "original", size=12))
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
        for right, words in ((RIGHT - 90, _logit(logit)), (RIGHT, _probability(logit))):
            parts.append(text(right, y, words, size=13, anchor="end", bold=row == now))
    numbers = [round(x(mark), 1) for mark in marks]
    parts.append(text_row(numbers, end + 10, map(short_number, marks), size=11, fill=FAINT))
    return "".join(parts), end + 20


def _ring(x: float, y: float, over: int) -> str:
    """What the gradient promises; a tip to the left (-1) or right (1) if that is over an end of the axis."""
    drawn = f"<circle cx='{x:.1f}' cy='{y:g}' r='7'"
    if over:
        drawn = f"<path d='M{x + 2 * over:.1f} {y:g}l{-8 * over} -5v10z'"
    return f"{drawn} fill='none' stroke='{INK}' stroke-width='1.4'/>"


def _row(view: MutateView, start: int, stop: int, cell: float, y: float) -> tuple[str, float]:
    """The positions of one row: the logo, the letters of both strands below it, the logo of the other strand.

    Where both strands have the same heights, the second logo would say nothing new, and the first is
    larger instead. Also returns where the row ends.
    """
    high = 96 if view.alike else 72
    came, plus, minus = y + high + 9, y + high + 24, y + high + 42  # lines of letters
    low = y + high + 60  # the logo of the minus strand
    end = y + high + 54 if view.alike else low + high

    def x(position: float) -> float:
        return round(LEFT + (position - start + 0.5) * cell, 1)

    parts = []
    changed = [position for position in view.mutations if start <= position < stop]
    striped = [position for position in changed if position != view.position]  # the cursor has a box of its own
    if striped:
        stripes = "".join(f"M{x(p) - cell / 2:.1f} {y:g}h{cell:.1f}V{end:g}h-{cell:.1f}z" for p in striped)
        parts.append(f"<path d='{stripes}' fill='{CHANGED}' fill-opacity='{BEHIND}'/>")
    here = start <= view.position < stop
    if here:
        left, wide = x(view.position) - cell / 2 - 0.6, cell + 1.2
        parts.append(
            f"<rect x='{left:.1f}' y='{y:g}' width='{wide:.1f}' height='{end - y:g}' rx='2' fill='{ACCENT}' "
            f"fill-opacity='{BEHIND}' stroke='{ACCENT}' stroke-width='1.4'/>"
        )
    for top, values in ((y, view.plus),) if view.alike else ((y, view.plus), (low, view.minus)):
        parts.append(_logo(values[start:stop], view.limits, cell, top, high))
    shown = view.sequence[start:stop]
    partners = reverse_complement(shown)[::-1]
    others = [position for position in range(start, stop) if position not in changed]
    size = min(15, round(1.35 * cell, 1))
    for line, letters in ((plus, shown), (minus, partners)):
        for positions, bold, fill in ((others, False, INK), (changed, True, CHANGED)):
            if positions:
                words = (letters[p - start] for p in positions)
                parts.append(text_row(map(x, positions), line, words, size=size, fill=fill, bold=bold))
    if changed:
        strokes = "".join(f"M{x(position) - 5:.1f} {came + 5:g}l10-10" for position in changed)
        words = [view.original[position] for position in changed]
        parts.append(text_row(map(x, changed), came, words, size=size - 1, fill=FAINT))
        parts.append(f"<path d='{strokes}' stroke='{CHANGED}'/>")
    for line, ends in ((plus, "5′3′"), (minus, "3′5′")):
        if start == 0:
            parts.append(text(LEFT - 14, line, ends[:2], size=12, fill=FAINT))
        if stop == len(view.sequence):
            parts.append(text(x(stop) + 5, line, ends[2:], size=12, fill=FAINT))
    numbers = [position for position in range(start, stop) if position % STEP == 0 or position == stop - 1]
    numbers = [n for n in numbers if (not here or abs(n - view.position) > 2) and (n % STEP == 0 or n % STEP > 2)]
    if numbers:
        parts.append(text_row(map(x, numbers), end + 11, map(str, numbers), size=11, fill=FAINT))
    if here:
        parts.append(text(x(view.position), end + 11, str(view.position), size=13, fill=ACCENT, bold=True))
    return "".join(parts), end + 28


def _logo(values: np.ndarray, limits: tuple[float, float], cell: float, top: float, high: float) -> str:
    """One letter a position, from the line of zero up or down, with the axis: a path for each base.

    Args:
        values: ``(positions, 4)``, of which the letters that are there differ from 0.
        limits: of the axis; they hold 0.
        cell, top, high: width of a position, where the axis begins, and its height, in pixels.
    """
    low, most = limits if limits[0] < limits[1] else (0.0, 1.0)
    scale = high / (most - low)
    zero = top + most * scale
    positions, bases = np.nonzero(np.abs(values) * scale > 0.5)  # less than half a pixel is not seen
    tall = (values[positions, bases] * scale).tolist()
    letters = letter_paths(
        (ALPHABET[base], LEFT + (place + 0.04) * cell, zero - max(high, 0), 0.92 * cell, abs(high))
        for place, base, high in zip(positions.tolist(), bases.tolist(), tall)
    )
    room = 1e-9 * (most - low)
    for many in (4, 8):  # of 10 logits around 0, four marks are 5 apart, and 0 alone is within
        marks = [mark for mark in ticks(low, most, many) if low - room <= mark <= most + room]
        if len(marks) > 1:
            break
    heights = [round(zero - mark * scale, 1) for mark in marks]
    strokes = "".join(f"M{LEFT - 4:g} {height:g}h-4" for height in heights)
    parts = [
        f"<path d='M{LEFT - 4:g} {top:g}v{high:g}{strokes}M{LEFT - 4:g} {zero:.1f}h{len(values) * cell + 4:.1f}' "
        f"fill='none' stroke='{FAINT}'/>"
    ]
    parts.append(letters)
    parts += [
        text(LEFT - 11, height, short_number(mark), size=11, anchor="end", fill=FAINT)
        for mark, height in zip(marks, heights)
    ]
    return "".join(parts)
