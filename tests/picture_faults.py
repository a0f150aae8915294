"""What a reader could not see in an SVG picture: pale words, pale marks, colours that some eyes take for one.

Each function takes a :class:`svg_reading.Drawing` and gives its faults in words; none means that all is well.
`tests/test_accessibility.py` applies them to all pictures of the course, and shows each of them a wrong one.
"""

from dataclasses import dataclass
from itertools import combinations, product

import colours
import numpy as np
from svg_reading import Drawing, Shape

from course_utils.plotting import ACCENT, BASE_COLOURS, BASE_RIMS, FAINT, INK, PAPER, RIM, tint

#: Fills and lines that need no contrast: a reader who does not see them misses nothing that is shown.
QUIET = {
    PAPER: "the paper, and the rim of a line that crosses bars",
    "#f4f4f4": "empty cells and empty parts of a bar: what is in them is what counts",
    "#f9f9f9": "the inside of a plot or a cell",
    "#f7f7f7": "the inside of a cell",
    "#f0f0f0": "the empty part of a bar; the number stands beside it",
    "#f1f1f1": "where a bar may lie; the axis has the numbers",
    "#c8c8c8": "the frame of a plot or cell; the axis has the numbers",
    "#e2e2e2": "rules of an axis, which lead the eye to numbers",
    "#e4e4e4": "rules of an axis, which lead the eye to numbers",
    "#dcdcdc": "places of a row that nothing is drawn on: ruled paper; the axis has the numbers",
    "#c0c0c0": "dotted guides from a mark below the axis, which stands there with its letter",
    tint(ACCENT, 0.07): "paper behind letters that a frame surrounds",
    tint(ACCENT, 0.14): "paper behind the line that is chosen; its words are bold",
    **{
        tint(colour, 0.1): "paper behind the kind of negatives that is chosen; its words are bold"
        for colour in ("#D55E00", "#009E73", "#B0508A", "#5c5c5c", "#4c1c00")
    },
}
#: What every other colour of a picture stands for. A new one has to be entered here, and is then held to the rules.
MEANINGS = {
    INK: "words, axes and curves",
    FAINT: "words beside axes; guessing, negatives, random words",
    ACCENT: "what is chosen or found",
    **{colour: f"the base {base}" for base, colour in BASE_COLOURS.items()},
    **{rim: f"the rim of {base}" for base, rim in BASE_RIMS.items()},
    "#0072b2": "positives, true sites, plain stacks (also C)",
    "#d55e00": "negatives, errors, holes (also T)",
    "#8a1c00": "ceilings; changed bases; wrong labels",
    "#b0508a": "a kind of negatives",
    "#4c1c00": "a kind of negatives",
    "#c24e00": "the second prediction; words about holes",
    "#00694c": "the third prediction",
    "#767676": "what only the padding leads to",
    "#dde1e6": "observed counts",
    "#66707c": "the outline of observed counts",
    "#56b4e9": "the fourth kind of mark",
    "#eef3f8": "a box of a diagram",
    **dict.fromkeys(("#d7ecdf", "#e4ecf7", "#f7ecd7"), "a column of the map of the lessons; each box has its words"),
    tint("#0072B2", 0.3): "positives that are called negative",
    tint("#5c5c5c", 0.3): "negatives that are called negative; random words below the threshold",
    tint("#5c5c5c", 0.66): "scores along a sequence",
    tint("#0072B2", 0.75): "an endless test",
    tint(ACCENT, 0.55): "other runs; intervals; what is read",
    tint("#D55E00", 0.22): "bins or bases in a hole",
    **{
        tint(colour, 0.3): "negatives that are not called bound"
        for colour in ("#D55E00", "#009E73", "#B0508A", "#4c1c00")
    },
}
MEANINGS = {colour.lower(): meaning for colour, meaning in MEANINGS.items()}
#: Fills whose strength is a number: they have any shade, and always the number written on them.
SHADES = ("#0072B2", "#D55E00", FAINT)

#: Of a mark's outline, so much at least has to stand out: one of the two long sides of a bar.
ENOUGH = 1 / 3
APART = 12  # pixels
FLAT = 4 * RIM  # pixels: letters that are flatter cannot be read, whatever their colour


def faint_words(drawing: Drawing) -> list[str]:
    """Words with less contrast than WCAG 2 asks for, anywhere beneath them, and words that something covers."""
    found = []
    for number, words in drawing.words():
        least, ground = word_contrast(drawing, number, words)
        if least < colours.needed(words.size, words.bold):
            found.append(f"{words.text!r} in {words.fill} on {ground}: contrast {least:.2f}")
        if drawing.hidden(number, words.points).mean() > 0.2:
            found.append(f"{words.text!r} is painted over")
    return found


def word_contrast(drawing: Drawing, number: int, words) -> tuple[float, str]:
    """The lowest contrast of words with what lies beneath them, and what that is."""
    grounds = set(drawing.ground(number, words.points))
    return min((colours.contrast(words.fill, ground), ground) for ground in grounds)


def faint_marks(drawing: Drawing) -> list[str]:
    """Marks that stand out from their surroundings, by 3 to 1, along less than a third of their outline."""
    found = []
    for number, shape in drawing.shapes():
        if is_quiet(shape) or is_lettered(shape, drawing) or is_flat_letter(shape):
            continue
        reached = mark_contrast(drawing, number, shape)
        if reached < colours.MARKS:
            places = ", ".join(f"{place:.0f}" for place in shape.box)
            found.append(f"{shape.fill or 'a line'} {shape.stroke} at {places}: contrast {reached:.2f}")
    return found


def mark_contrast(drawing: Drawing, number: int, shape: Shape) -> float:
    """The contrast that a third of the outline reaches with what was painted before, on the one side or the other."""
    reached = np.zeros((2, len(shape.beside()[0])))
    for side, points in enumerate(shape.beside()):
        outside = ~shape.covers(points) if shape.fill else np.ones(len(points), dtype=bool)
        grounds = drawing.ground(number, points)
        for place in np.flatnonzero(outside):
            own = [colours.over(shape.fill, grounds[place], shape.opacity)] if shape.fill else []
            own += [shape.stroke] if shape.stroke else []
            reached[side, place] = max(colours.contrast(colour, grounds[place]) for colour in own)
    best = reached.max(axis=0)
    best = best[best > 0]  # seams between two parts of one shape have no outside
    return float(np.quantile(best, 1 - ENOUGH)) if len(best) else np.inf


def is_quiet(shape: Shape) -> bool:
    """Paper and rules."""
    fill = colours.over(shape.fill, PAPER, shape.opacity) if shape.fill else ""
    veil = bool(shape.fill) and shape.opacity < 0.1 and not shape.stroke  # behind what is marked otherwise too
    return veil or all(colour in QUIET for colour in (fill, shape.stroke) if colour)


def is_lettered(shape: Shape, drawing: Drawing) -> bool:
    """Whether words stand in each part of it: then these say what it is, and they have a contrast of their own."""
    if not shape.fill:
        return False
    middles = np.array([words.points[7] for _, words in drawing.words()] or [(np.nan, np.nan)])
    return all(
        ((middles >= outline.min(axis=0)) & (middles <= outline.max(axis=0))).all(axis=1).any()
        for outline in shape.outlines
    )


def is_flat_letter(shape: Shape) -> bool:
    """Letters of a logo that are too flat to be read, and so have no rim."""
    flat = all(np.ptp(outline[:, 1]) <= FLAT for outline in shape.outlines)
    return flat and not shape.stroke and shape.fill in {BASE_COLOURS[base].lower() for base in BASE_RIMS}


# --- colours that are taken for one --------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """How a mark looks: its fill, or the colour of its line; and the outline of what is filled, rims apart."""

    colour: str
    edge: str = ""
    opacity: float = 1.0


def look_of(shape: Shape) -> Look:
    if not shape.fill:
        return Look(shape.stroke)
    rim = shape.stroke in (*(rim.lower() for rim in BASE_RIMS.values()), PAPER, "#c8c8c8")
    return Look(colours.over(shape.fill, PAPER, shape.opacity), "" if rim else shape.stroke)


def looks(drawing: Drawing) -> dict[Look, list[Shape]]:
    """The looks of all marks -> these; less paper, rules, and shades with their numbers on them."""
    found: dict[Look, list[Shape]] = {}
    for _, shape in drawing.shapes():
        shade = shape.fill and shape.fill not in MEANINGS and is_lettered(shape, drawing)
        if not is_quiet(shape) and not shade:
            found.setdefault(look_of(shape), []).append(shape)
    return found


def apart(one: Look, other: Look, vision: str) -> float:
    """How far two looks are from each other: by their colours or, where both have one, by their outlines."""
    distances = [colours.distance(one.colour, other.colour, vision)]
    if one.edge and other.edge:
        distances.append(colours.distance(one.edge, other.edge, vision))
    return max(distances)


def told_apart(one: Shape, other: Shape, drawing: Drawing) -> str:
    """What else than colour tells two marks apart, or ""."""
    left, top, right, bottom = one.box
    left2, top2, right2, bottom2 = other.box
    if max(left2 - right, left - right2, top2 - bottom, top - bottom2) >= APART:
        return "place"  # in different plots, each with its own words
    if bool(one.fill) != bool(other.fill):
        return "form"  # a line, and an area
    if not one.fill and one.dashes != other.dashes:
        return "dashes"
    if is_lettered(one, drawing) and is_lettered(other, drawing):
        return "letter"
    return ""


def mistaken(drawing: Drawing) -> list[str]:
    """Pairs of looks that some colour vision hardly tells apart, and that nothing else does.

    Marks of one colour stand for one thing.
    """
    found = []
    marks = looks(drawing)
    for one, other in combinations(marks, 2):
        nearest, vision = min((apart(one, other, vision), vision) for vision in colours.VISION)
        if nearest >= colours.PLAIN_TO_SEE or one.colour == other.colour:
            continue
        if not all(told_apart(*pair, drawing) for pair in product(marks[one], marks[other])):
            found.append(f"{one} and {other} are {nearest:.1f} apart to {vision}")
    return found


def unknown_colours(drawing: Drawing) -> list[str]:
    """Colours that are not entered above, and are no shade with its number on it."""
    found = set()
    for _, words in drawing.words():
        found |= {words.fill} - MEANINGS.keys() - {PAPER}
    for _, shape in drawing.shapes():
        for colour in filter(None, (shape.fill, shape.stroke)):
            if colour in MEANINGS or colour in QUIET:
                continue
            if not (colour == shape.fill and is_shade(colour) and is_lettered(shape, drawing)):
                found.add(colour)
    return sorted(found)


def is_shade(colour: str) -> bool:
    """Whether it is one of the three colours mixed with white, to a step of rounding."""
    depth = 1 - colours.channels(colour)
    for whole in SHADES:
        full = 1 - colours.channels(whole)
        share = depth @ full / (full @ full)
        if np.abs(depth - share * full).max() < 1.5 / 255:
            return True
    return False
