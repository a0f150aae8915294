"""The picture and the numbers of the receptive-field explorer: what :mod:`.receptive_field` computes, drawn.

All positions stand on one scale, so that two settings can be compared by eye: a row of dots for each level,
the input at the bottom. What is too dense to be told apart becomes ticks, then a bar; never a sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from course_utils import plotting
from course_utils.explorers import Panels, table
from course_utils.explorers._words import write_many

if TYPE_CHECKING:  # the other way round when it runs
    from course_utils.explorers.receptive_field import FieldView

SEEN, PLAIN, HOLE = plotting.ACCENT, "#0072B2", "#D55E00"  # words say the same beside them
HOLE_WORDS = "#C24E00"  # darker: words need more contrast than shapes
NEVER = plotting.tint(HOLE, 0.22)
CUT_OFF = "#767676"  # what only the padding leads to is no hole
#: Lines of what is read: no paler, to be seen on the paper, and no darker, for the dots to be seen on them.
THREADS = plotting.tint(SEEN, 0.55)
# No wider, and no word smaller: on a narrow screen all of it shrinks.
WIDTH, HEIGHT, SIZE = 576, 486, 14
LEFT, ACROSS, NAMES = 116, 440, 102  # of the positions; where the names of the rows end
TOP, INPUT = 96, 334  # heights of the rows of the output (of many layers) and of the input
APART = 3.4  # pixels from a position to the next at which dots can be told apart
MOST_LINES = 400  # of one layer; more are drawn as one surface
_RULES = {1: "plain", 2: "doubling", 3: "tripling", 4: "quadrupling"}


def name_growth(growth: int) -> str:
    """The rule and the first dilations it gives: ``doubling: 1, 2, 4, …``"""
    first = ", ".join(str(growth**number) for number in range(3))
    return f"{_RULES[growth]}: {first}, …"


def draw(view: FieldView) -> Panels:
    """The tree from the output to the input, the field as a bar, and a plain stack's beside it."""
    body = "".join((_headline(view), _tree(view), _axis(view), _bars(view)))
    summary = _summary(view)
    return Panels(plotting.svg(WIDTH, HEIGHT, body, summary), _numbers(view), summary)


# --- words ---------------------------------------------------------------------------------------


def _dilations(view: FieldView) -> str:
    return ", ".join(str(layer.dilation) for layer in view.stack)


def _unit(view: FieldView) -> str:
    return "bin" if view.squeeze else "base"


def _field(view: FieldView, positions: int, bases: int) -> str:
    if view.squeeze:
        return f"{write_many(positions, 'bin')} = {bases:,} bases"
    return write_many(positions, "base")


def _reads(view: FieldView) -> str:
    """What is read of the field, or, near an end, of the part of it that the input has."""
    holes = len(view.holes_inside)
    if not view.outside:
        if holes:
            return f"✕ {write_many(holes, 'hole')}: {view.read:,} of the {view.field:,} are read"
        return "no holes: every one of them is read"
    inside = write_many(view.field - view.outside, _unit(view))
    if not holes and not len(view.cut_off):
        return f"in the input: {inside}, all read"
    words = f"in the input: {inside}, {len(view.levels[-1]):,} read"
    return words + (f", ✕ {write_many(holes, 'hole')}" if holes else "")


def _beyond(view: FieldView) -> str:
    """What the ends of the input take from the field."""
    if view.outside:
        words = f"outside the input: {write_many(view.outside, _unit(view))}"
        if len(view.cut_off):
            words += f"; ○ {len(view.cut_off):,} inside reached only through them"
        return words
    if view.bases_outside:
        return f"the outermost bins see {write_many(view.bases_outside, 'base')} outside the input"
    return ""


def _summary(view: FieldView) -> str:
    layers, unit = write_many(len(view.stack), "layer"), _unit(view)
    first, last = view.levels[-1][[0, -1]]
    if view.holes:
        read = f"{view.read:,} of them are read and {view.holes:,} are holes"
    else:
        read = "all of them are read"
    field = _field(view, view.field, view.bases)
    plain = _field(view, view.plain_field, view.plain_bases)
    beyond = _beyond(view)
    return (
        f"{layers} of kernel {view.kernel}, dilations {_dilations(view)}: the receptive field is {field}; "
        f"{read}; {view.weights} weights per pair of channels. Output {view.output:,} of an input of "
        f"{write_many(view.length, unit)} reads {len(view.levels[-1]):,} of them, from {first:,} to "
        f"{last:,}{f' ({beyond})' if beyond else ''}. {layers} without dilation see {plain}; "
        f"{view.plain_layers:,} would be needed for the same field."
    )


def _numbers(view: FieldView) -> str:
    """Two tables: the stack beside two plain ones, and what the input's ends leave of its field."""
    unit, layers = _unit(view), len(view.stack)
    rows = [
        ("layers", layers, layers, view.plain_layers),
        (f"receptive field ({unit}s)", view.field, view.plain_field, view.field),
        (f"holes: {unit}s never read", view.holes, 0, 0),
        ("weights per pair of channels", view.weights, view.weights, view.plain_layers * view.kernel),
    ]  # fmt: skip
    if view.squeeze:
        rows.insert(2, ("receptive field (bases)", view.bases, view.plain_bases, view.bases))
        rows.insert(4, ("bases never seen", view.missed_bases, 0, 0))
    stacks = table(
        [("dilations", _dilations(view), "1 each", "1 each")]
        + [(name, *(f"{number:,}" for number in numbers)) for name, *numbers in rows],
        head=("of a stack", "this stack", "as many plain layers", "enough plain layers"),
        name="this stack and plain ones",
    )
    (first, last), (low, high) = view.levels[-1][[0, -1]], view.base_span
    here = {
        f"field ({unit}s)": view.field,
        "read": len(view.levels[-1]),
        "holes": len(view.holes_inside),
        "reached only through the padding": len(view.cut_off),
        "outside the input": view.outside,
    }
    rows = [(name, f"{number:,}") for name, number in here.items()]
    rows.insert(2, (f"the {unit}s read", f"{first:,} to {last:,}"))
    if view.squeeze:
        rows.insert(3, ("they see the bases", f"{low:,} to {high - 1:,}"))
        rows.append(("bases outside the input", f"{view.bases_outside:,}"))
    return stacks + table(rows, head=("output", f"{view.output:,}"), name="what this output reads")


def _headline(view: FieldView) -> str:
    field = f"receptive field: {_field(view, view.field, view.bases)}"
    look = {"fill": HOLE_WORDS, "bold": True} if len(view.holes_inside) else {}
    return "".join(
        (
            plotting.text(8, 18, field, size=18, anchor="start", fill=SEEN, bold=True),
            plotting.text(8, 43, _reads(view), size=SIZE, anchor="start", **look),
            plotting.text(8, 65, _beyond(view), size=SIZE, anchor="start", fill=plotting.FAINT),
        )
    )


# --- the tree ------------------------------------------------------------------------------------


def _x(view: FieldView, positions: np.ndarray | float) -> np.ndarray | float:
    return LEFT + (positions + 0.5) * ACROSS / view.length


def _tree(view: FieldView) -> str:
    levels, step = len(view.stack), ACROSS / view.length
    gap = min((INPUT - TOP) // levels, 50)
    heights = [INPUT - gap * (levels - number) for number in range(levels + 1)]
    parts = [_faint(view, heights)]
    for number, layer in enumerate(reversed(view.stack)):
        y = heights[number]
        parts.append(_connections(view, view.levels[number], layer, y, gap))
        words = f"dilation {layer.dilation:,}"
        parts.append(plotting.text(NAMES, y + gap / 2, words, anchor="end", fill=plotting.FAINT, size=SIZE))
    parts.append(_plain_tree(view, heights[0]))
    parts += [_row(view, level, y, step) for level, y in zip(view.levels, heights)]
    parts += [
        plotting.text(NAMES, heights[0], "output", anchor="end", bold=True, size=SIZE),
        plotting.text(NAMES, INPUT, "input", anchor="end", bold=True, size=SIZE),
        _ring(view, view.holes_inside, HOLE),
        _ring(view, view.cut_off, CUT_OFF),
        _outlet(view, heights[0]),
    ]
    return "".join(parts)


def _faint(view: FieldView, heights: list[float]) -> str:
    """Every position of every level: a dashed line of round ends where dots can be told apart."""
    step, first = ACROSS / view.length, _x(view, 0)
    lines = "".join(f"M{first:.2f} {y}H{_x(view, view.length - 0.9):.2f}" for y in heights)
    if step >= APART:
        size = min(6.0, step * 0.5)
        look = f"stroke-width='{size:.1f}' stroke-linecap='round' stroke-dasharray='0 {step:.4f}'"
    else:
        look = "stroke-width='1.5'"
    return f"<path d='{lines}' fill='none' stroke='#dcdcdc' {look}/>"


def _connections(view: FieldView, level: np.ndarray, layer, y: float, gap: float) -> str:
    """The lines of one layer, from the positions of a level down to what they read, as one path."""
    taps = (np.arange(layer.kernel) - layer.kernel // 2) * layer.dilation
    if len(level) * len(taps) > MOST_LINES:
        return _surface(view, level, taps, y, gap)
    step = ACROSS / view.length
    data = []
    for tap in taps.tolist():
        inside = level[(level + tap >= 0) & (level + tap < view.length)]
        slant = f"{y}l{tap * step:.1f} {gap}"
        data += [f"M{x:.1f} {slant}" for x in _x(view, inside).tolist()]
    between = np.diff(level).min() * step if len(level) > 1 else 20
    width = min(max(0.16 * between, 0.5), 1.8)
    return f"<path d='{''.join(data)}' fill='none' stroke='{THREADS}' stroke-width='{width:.1f}'/>"


def _surface(view: FieldView, level: np.ndarray, taps: np.ndarray, y: float, gap: float) -> str:
    """Lines so dense that they touch: a slanted band for each run of positions and each tap."""
    step = ACROSS / view.length
    breaks = np.flatnonzero(np.diff(level) * step > 5)
    starts = level[np.concatenate([[0], breaks + 1])].tolist()
    ends = level[np.concatenate([breaks, [len(level) - 1]])].tolist()
    data = []
    for start, end in zip(starts, ends):
        for tap in taps.tolist():
            first, last = max(start, -tap), min(end, view.length - 1 - tap)
            if first <= last:
                wide, slant = (last - first + 1) * step, tap * step
                corner = f"M{LEFT + first * step:.1f} {y}"
                data.append(f"{corner}l{slant:.1f} {gap}h{wide:.1f}l{-slant:.1f} -{gap}z")
    return f"<path d='{''.join(data)}' fill='{THREADS}'/>"


def _row(view: FieldView, level: np.ndarray, y: float, step: float) -> str:
    """The positions of a level that count: dots, ticks where dots would touch, or a bar of runs."""
    between = np.diff(level).min() * step if len(level) > 1 else 20
    if between >= 5:
        data = "".join(f"M{x:.1f} {y}h0" for x in _x(view, level).tolist())
        width = min(9.0, 0.62 * between)
        return (
            f"<path d='{data}' stroke='{SEEN}' stroke-width='{width:.1f}' stroke-linecap='round'/>"
        )
    if between >= 1.6:
        data = "".join(f"M{x:.1f} {y - 4}v8" for x in _x(view, level).tolist())
        return f"<path d='{data}' stroke='{SEEN}' stroke-width='{0.6 * between:.1f}'/>"
    return f"<path d='{_runs(level, step, y - 4, 8)}' fill='{SEEN}'/>"


def _runs(positions: np.ndarray, step: float, y: float, high: float) -> str:
    """Runs of neighbouring positions as boxes."""
    breaks = np.flatnonzero(np.diff(positions) > 1)
    starts = positions[np.concatenate([[0], breaks + 1])].tolist()
    ends = positions[np.concatenate([breaks, [len(positions) - 1]])].tolist()
    places = [(LEFT + start * step, (end - start + 1) * step) for start, end in zip(starts, ends)]
    return "".join(f"M{x:.1f} {y:g}h{wide:.1f}v{high:g}h{-wide:.1f}z" for x, wide in places)


def _plain_tree(view: FieldView, top: float) -> str:
    """The outline of the plain stack's tree, dashed, for comparison; none around a plain stack."""
    if view.field == view.plain_field:
        return ""
    left, right = _inside(view, _plain_ends(view))
    return (
        f"<path d='M{left:.1f} {INPUT}L{_x(view, view.output):.1f} {top}L{right:.1f} {INPUT}' "
        f"fill='none' stroke='{PLAIN}' stroke-width='2' stroke-dasharray='5 3'/>"
    )


def _ring(view: FieldView, positions: np.ndarray, colour: str) -> str:
    """Rings in the row of the input where dots can be told apart; the bar below has every position."""
    step = ACROSS / view.length
    if step < APART or not len(positions):
        return ""
    size = min(7.0, 0.62 * step) / 2
    half = f"a{size:.1f} {size:.1f} 0 1 0"
    data = "".join(
        f"M{x - size:.1f} {INPUT}{half} {2 * size:.1f} 0{half} {-2 * size:.1f} 0"
        for x in _x(view, positions).tolist()
    )
    return f"<path d='{data}' fill='{plotting.PAPER}' stroke='{colour}' stroke-width='1.5'/>"


def _outlet(view: FieldView, y: float) -> str:
    """The chosen output, larger, with its number."""
    x = _x(view, view.output)
    right = x < LEFT + ACROSS - 105
    words = plotting.text(
        round(x + (13 if right else -13), 1), y - 10, f"output {view.output:,}",
        size=SIZE, anchor="start" if right else "end", fill=SEEN, bold=True,
    )  # fmt: skip
    return (
        f"<circle cx='{x:.1f}' cy='{y}' r='7' fill='{SEEN}' stroke='{plotting.PAPER}' stroke-width='2'/>"
        + words
    )


# --- below the tree ------------------------------------------------------------------------------


def _axis(view: FieldView) -> str:
    """Numbers of the positions below the input, and the bases they stand for."""
    marks = [view.length * quarter // 4 for quarter in range(4)] + [view.length - 1]
    places = [round(_x(view, mark), 1) for mark in marks]
    look = {"fill": plotting.FAINT, "size": SIZE}
    strokes = "".join(f"M{x:g} {INPUT + 9}v5" for x in places)
    parts = [
        f"<path d='{strokes}' stroke='{plotting.FAINT}'/>",
        plotting.text(NAMES, INPUT + 23, _unit(view), anchor="end", **look),
        plotting.text_row(places, INPUT + 23, [f"{mark:,}" for mark in marks], **look),
    ]
    return "".join(parts)


def _bars(view: FieldView) -> str:
    """The field of this stack with its holes, and of a plain one, to the scale of the tree."""
    step, top, low = ACROSS / view.length, INPUT + 47, INPUT + 73
    words = write_many(view.field, _unit(view))
    if view.outside:
        words += f", {view.field - view.outside:,} in the input"
    plain, paper = _plain_ends(view), f"h{ACROSS}v16h{-ACROSS}z"
    edge = f"stroke='{HOLE}' stroke-width='0.8'" if step >= 2 else ""
    whole = not len(view.holes_inside) and not len(view.cut_off)
    names = {"anchor": "end", "bold": True, "size": SIZE}
    return "".join(
        (
            f"<path d='M{LEFT} {top}{paper}M{LEFT} {low}{paper}' fill='#f1f1f1'/>",
            _bar(view, view.ends, top, SEEN),
            _boxes(view.holes_inside, step, top, f"fill='{NEVER}' {edge}"),
            _boxes(view.cut_off, step, top, f"fill='{CUT_OFF}'"),
            _beside(view, view.ends, top + 8, words, SEEN, on=whole),
            _bar(view, plain, low, PLAIN),
            _beside(view, plain, low + 8, write_many(view.plain_field, _unit(view)), PLAIN),
            plotting.text(NAMES, top + 8, "this stack", fill=SEEN, **names),
            plotting.text(NAMES, low + 8, "plain stack", fill=PLAIN, **names),
            _captions(view),
        )
    )


def _plain_ends(view: FieldView) -> tuple[int, int]:
    """`view.ends`, of as many plain layers."""
    start = view.output - len(view.stack) * (view.kernel // 2)
    return start, start + view.plain_field


def _inside(view: FieldView, ends: tuple[int, int]) -> tuple[float, float]:
    """The part of a field in the input, in pixels."""
    step = ACROSS / view.length
    return LEFT + max(ends[0], 0) * step, LEFT + min(ends[1], view.length) * step


def _bar(view: FieldView, ends: tuple[int, int], y: float, colour: str) -> str:
    """The part of a field in the input, with a tip at each end where it would go on."""
    left, right = _inside(view, ends)
    tips = f"M{LEFT - 2} {y}v16l-8 -8z" if ends[0] < 0 else ""
    tips += f"M{LEFT + ACROSS + 2} {y}v16l8 -8z" if ends[1] > view.length else ""
    return f"<path d='M{left:.1f} {y}H{right:.1f}v16H{left:.1f}z{tips}' fill='{colour}'/>"


def _beside(view: FieldView, ends, y: float, words: str, colour: str, on: bool = True) -> str:
    """Words right of a bar, or left of it; where there is no room, on it, or not at all."""
    left, right = _inside(view, ends)
    need = 9.2 * len(words) + 12
    if LEFT + ACROSS - right >= need:
        place, anchor = right + 7, "start"
    elif left - LEFT >= need:
        place, anchor = left - 7, "end"
    elif on and right - left >= need:
        place, anchor, colour = (left + right) / 2, "middle", plotting.PAPER
    else:  # the words would hide what the bar says; they stand above the tree too
        return ""
    return plotting.text(round(place, 1), y, words, size=SIZE, anchor=anchor, fill=colour, bold=True)


def _boxes(positions: np.ndarray, step: float, y: float, look: str) -> str:
    """Runs of positions of another look, on the bar."""
    return f"<path d='{_runs(positions, step, y, 16)}' {look}/>" if len(positions) else ""


def _captions(view: FieldView) -> str:
    """What as far a sight costs without dilation, and how to read the dots or the holes."""
    side, middle = view.kernel // 2, WIDTH / 2
    if view.plain_layers > len(view.stack):
        cost = (
            f"plain: {view.plain_layers:,} layers and {view.plain_layers * view.kernel:,} weights "
            f"to see as far, not {len(view.stack)} and {view.weights}"
        )
    else:
        cost = f"{view.weights} weights for each pair of channels"
    if view.squeeze and view.holes:
        reads = "bins overlap, each sees 273 bases: a hole of 1 bin hides no base"
    elif view.kernel == 2:
        reads = "each dot reads itself and one on its left: an even kernel has no middle"
    elif side == 1:
        reads = "each dot reads itself and one on each side, a dilation away"
    else:
        reads = f"each dot reads itself and {side} on each side, a dilation apart"
    first = plotting.text(middle, HEIGHT - 41, cost, size=SIZE, fill=PLAIN)
    return first + plotting.text(middle, HEIGHT - 17, reads, size=SIZE, fill=plotting.FAINT)
