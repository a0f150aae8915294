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
NEVER = plotting.tint(HOLE, 0.22)
WIDTH, HEIGHT = 650, 400
LEFT, ACROSS, NAMES = 112, 512, 98  # of the positions; where the names of the rows end
TOP, INPUT = 69, 286  # heights of the rows of the output (of many layers) and of the input
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


def _summary(view: FieldView) -> str:
    layers, unit = write_many(len(view.stack), "layer"), _unit(view)
    first, last = view.levels[-1][[0, -1]]
    if view.holes:
        read = f"{view.read:,} of them are read and {view.holes:,} are holes"
    else:
        read = "all of them are read"
    field = _field(view, view.field, view.bases)
    plain = _field(view, view.plain_field, view.plain_bases)
    return (
        f"{layers} of kernel {view.kernel}, dilations {_dilations(view)}: the receptive field is {field}; "
        f"{read}; {view.weights} weights per pair of channels. Output {view.output:,} of an input of "
        f"{write_many(view.length, unit)} reads {len(view.levels[-1]):,} of them, from {first:,} to "
        f"{last:,}. {layers} without dilation see {plain}; {view.plain_layers:,} would be needed for the "
        "same field."
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
    stacks = table(
        [("dilations", _dilations(view), "1 each", "1 each")]
        + [(name, *(f"{number:,}" for number in numbers)) for name, *numbers in rows],
        head=("", "this stack", "as many plain layers", "enough plain layers"),
    )
    (first, last), (low, high) = view.levels[-1][[0, -1]], view.base_span
    here = {f"reads {unit}s": f"{first:,} to {last:,}"}
    if view.squeeze:
        here["which see bases"] = f"{low:,} to {high - 1:,}"
    here |= {
        f"{unit}s read": f"{len(view.levels[-1]):,}",
        "not read": f"{len(view.unread):,}",
        "outside the input": f"{view.field - _width(view):,}",
    }
    return stacks + table([(f"{view.output:,}", *here.values())], head=("output", *here))


def _width(view: FieldView) -> int:
    """Positions of the field that lie in the input."""
    return view.inside[1] - view.inside[0]


def _headline(view: FieldView) -> str:
    field = f"sees {_field(view, view.field, view.bases)}"
    parts = [plotting.text(8, 17, field, size=18, anchor="start", fill=SEEN, bold=True)]
    if view.holes:
        words = (
            f"✕ {write_many(view.holes, 'hole')}: only {write_many(view.read, _unit(view))} read"
        )
        parts.append(plotting.text(8, 39, words, size=13, anchor="start", fill=HOLE, bold=True))
    elif len(view.unread):
        words = f"✕ {len(view.unread):,} lost: reached only through the padding"
        parts.append(plotting.text(8, 39, words, size=13, anchor="start", fill=HOLE))
    else:
        words = "no holes: every one of them is read"
        parts.append(plotting.text(8, 39, words, size=13, anchor="start"))
    right, weights = WIDTH - 12, f"{view.weights:,} weights per pair of channels"
    if view.plain_layers > len(view.stack):
        words = f"plain: {view.plain_layers:,} layers to see as far"
        parts.append(plotting.text(right, 17, words, size=13, anchor="end", fill=PLAIN, bold=True))
        weights += f", plain {view.plain_layers * view.kernel:,}"
    parts.append(plotting.text(right, 39, weights, anchor="end"))
    return "".join(parts)


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
        parts.append(plotting.text(NAMES, y + gap / 2, words, anchor="end", fill=plotting.FAINT))
    parts.append(_plain_tree(view, heights[0]))
    parts += [_row(view, level, y, step) for level, y in zip(view.levels, heights)]
    parts += [
        plotting.text(NAMES, heights[0], "output", anchor="end", bold=True),
        plotting.text(NAMES, INPUT, "input", anchor="end", bold=True),
        _never_read(view, step),
        _outlet(view, heights[0]),
    ]
    return "".join(parts)


def _faint(view: FieldView, heights: list[float]) -> str:
    """Every position of every level: a dashed line of round ends where dots can be told apart."""
    step, first = ACROSS / view.length, _x(view, 0)
    lines = "".join(f"M{first:.2f} {y}H{_x(view, view.length - 0.9):.2f}" for y in heights)
    if step >= 4:
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
    colour = plotting.tint(SEEN, 0.55 if between > 5 else 0.45)
    return f"<path d='{''.join(data)}' fill='none' stroke='{colour}' stroke-width='{width:.1f}'/>"


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
    return f"<path d='{''.join(data)}' fill='{plotting.tint(SEEN, 0.3)}'/>"


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
    if not len(positions):
        return ""
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


def _never_read(view: FieldView, step: float) -> str:
    """Rings in the row of the input where dots can be told apart; the bar below has every hole."""
    if step < 4 or not len(view.unread):
        return ""
    size = min(7.0, 0.62 * step) / 2
    half = f"a{size:.1f} {size:.1f} 0 1 0"
    data = "".join(
        f"M{x - size:.1f} {INPUT}{half} {2 * size:.1f} 0{half} {-2 * size:.1f} 0"
        for x in _x(view, view.unread).tolist()
    )
    return f"<path d='{data}' fill='{plotting.PAPER}' stroke='{HOLE}' stroke-width='1.5'/>"


def _outlet(view: FieldView, y: float) -> str:
    """The chosen output, larger, with its number."""
    x = _x(view, view.output)
    right = x < LEFT + ACROSS - 95
    words = plotting.text(
        round(x + (13 if right else -13), 1), y - 9, f"output {view.output:,}",
        size=13, anchor="start" if right else "end", fill=SEEN, bold=True,
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
    strokes = "".join(f"M{x:g} {INPUT + 9}v5" for x in places)
    parts = [
        f"<path d='{strokes}' stroke='{plotting.FAINT}'/>",
        plotting.text(NAMES, INPUT + 22, _unit(view), anchor="end", fill=plotting.FAINT),
        plotting.text_row(places, INPUT + 22, [f"{mark:,}" for mark in marks], fill=plotting.FAINT),
    ]
    return "".join(parts)


def _bars(view: FieldView) -> str:
    """The field of this stack with its holes, and of a plain one, to the scale of the tree."""
    step, top, low = ACROSS / view.length, INPUT + 44, INPUT + 70
    words = write_many(view.field, _unit(view))
    if _width(view) < view.field:
        words += f", {_width(view):,} in the input"
    plain, paper = _plain_ends(view), f"h{ACROSS}v16h{-ACROSS}z"
    edge = f"stroke='{HOLE}' stroke-width='0.8'" if step >= 2 else ""
    return "".join(
        (
            f"<path d='M{LEFT} {top}{paper}M{LEFT} {low}{paper}' fill='#f1f1f1'/>",
            _bar(view, view.ends, top, SEEN),
            f"<path d='{_runs(view.unread, step, top, 16)}' fill='{NEVER}' {edge}/>",
            _beside(view, view.ends, top + 8, words, SEEN, on=not len(view.unread)),
            _bar(view, plain, low, PLAIN),
            _beside(view, plain, low + 8, write_many(view.plain_field, _unit(view)), PLAIN),
            plotting.text(NAMES, top + 8, "this stack", anchor="end", fill=SEEN, bold=True),
            plotting.text(NAMES, low + 8, "plain stack", anchor="end", fill=PLAIN, bold=True),
            _caption(view),
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
    need = 8.2 * len(words) + 12
    if LEFT + ACROSS - right >= need:
        place, anchor = right + 7, "start"
    elif left - LEFT >= need:
        place, anchor = left - 7, "end"
    elif on and right - left >= need:
        place, anchor, colour = (left + right) / 2, "middle", plotting.PAPER
    else:  # the words would hide what the bar says; they stand above the tree too
        return ""
    return plotting.text(round(place, 1), y, words, size=13, anchor=anchor, fill=colour, bold=True)


def _caption(view: FieldView) -> str:
    side = view.kernel // 2
    if view.kernel == 2:
        reads = "one position on its left: an even kernel has no middle"
    elif side == 1:
        reads = "one position on each side, as far away as the dilation"
    else:
        reads = f"{side} positions on each side, a dilation apart"
    return plotting.text(
        LEFT + ACROSS / 2, HEIGHT - 13, f"each dot reads itself and {reads}", fill=plotting.FAINT
    )
