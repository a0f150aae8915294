"""Reads the SVG pictures of the course as a browser paints them: shapes and words, one upon the other.

It knows the elements and attributes that our pictures use and refuses any other, so that no mark escapes the tests
unseen. Stroke ends and dashes are not followed: a dashed line counts as a whole one.
"""

import math
import re
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree

import colours
import numpy as np

SVG = "{http://www.w3.org/2000/svg}"
PAGE = "#ffffff"  # beneath the picture's own paper
ARC_STEPS = 12
#: A line that is thinner lies beneath letters without hiding their shape.
WIDE_LINE = 3.0
#: Mean width of a letter, in units of its size (DejaVu Sans; bold is wider).
LETTER, BOLD_LETTER = 0.58, 0.66
INHERITED = {"fill": "#000000", "stroke": "none", "stroke-width": "1", "stroke-dasharray": "", "font-size": "16"}
#: What changes neither colour nor place, or is read by the function of its element.
KNOWN = {
    *INHERITED, "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "width", "height", "d", "points", "transform",
    "fill-opacity", "text-anchor", "dominant-baseline", "font-weight", "font-family", "stroke-linecap", "marker-end",
    "stroke-linejoin",
}  # fmt: skip
ROOT_ONLY = {"role", "aria-label", "viewBox", "style"}


@dataclass(frozen=True, eq=False)
class Shape:
    """Something filled, drawn with a line, or both.

    Attributes:
        outlines: points ``(n, 2)`` of each part.
        fill, stroke: colours, or "" for none; `opacity` is the fill's.
        width: of the line, in pixels; `dashes` as they stand in the picture.
    """

    outlines: tuple[np.ndarray, ...]
    fill: str
    stroke: str
    opacity: float = 1.0
    width: float = 1.0
    dashes: str = ""

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        points = np.concatenate(self.outlines)
        return (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())

    def covers(self, points: np.ndarray) -> np.ndarray:
        """Which points lie in the fill (rule "nonzero")."""
        winding = np.zeros(len(points), dtype=int)
        for outline in self.outlines:
            low, high = outline.min(axis=0), outline.max(axis=0)
            near = ((points >= low) & (points <= high)).all(axis=1)
            if near.any() and len(outline) > 2:
                winding[near] += _winding(outline, points[near])
        return winding != 0

    def crosses(self, points: np.ndarray) -> np.ndarray:
        """Which points lie on the line."""
        hit = np.zeros(len(points), dtype=bool)
        for outline in self.outlines:
            a, step = outline[:-1], np.diff(outline, axis=0)
            length = np.maximum((step**2).sum(axis=1), 1e-12)
            away = points[:, None] - a  # (points, lines, 2)
            share = np.clip((away * step).sum(axis=2) / length, 0, 1)
            away = away - share[:, :, None] * step
            hit |= ((away**2).sum(axis=2) <= (self.width / 2) ** 2).any(axis=1)
        return hit

    def beside(self, most: int = 40) -> tuple[np.ndarray, np.ndarray]:
        """Points spread over the outline by its length, a little to its left and to its right ``(most, 2)``."""
        a = np.concatenate([outline[:-1] for outline in self.outlines])
        b = np.concatenate([outline[1:] for outline in self.outlines])
        lengths = np.maximum(np.linalg.norm(b - a, axis=1), 1e-9)
        places = (np.arange(most) + 0.5) / most * lengths.sum()
        number = np.searchsorted(np.cumsum(lengths), places).clip(max=len(lengths) - 1)
        share = (places - (np.cumsum(lengths) - lengths)[number]) / lengths[number]
        middle, step = a[number] + share[:, None] * (b - a)[number], (b - a)[number] / lengths[number][:, None]
        away = (0.4 + self.width / 2 * bool(self.stroke)) * np.stack([-step[:, 1], step[:, 0]], axis=1)
        return middle - away, middle + away


@dataclass(frozen=True, eq=False)
class Words:
    """Words that stand in a row: what they say, how they look, and points ``(n, 2)`` all over them."""

    text: str
    size: float
    bold: bool
    fill: str
    points: np.ndarray


class Drawing:
    """What a picture consists of, in the order in which it is painted."""

    def __init__(self, markup: str):
        self.root = ElementTree.fromstring(markup)
        if self.root.tag != f"{SVG}svg":
            raise ValueError(f"the picture begins with {self.root.tag}; <svg> of SVG's name space is expected")
        self.parts: list[Shape | Words] = []
        self._read(self.root, dict(INHERITED), np.eye(3))

    @property
    def label(self) -> str:
        return self.root.get("aria-label", "")

    def shapes(self) -> list[tuple[int, Shape]]:
        """With their numbers in the order of painting."""
        return [(number, part) for number, part in enumerate(self.parts) if isinstance(part, Shape)]

    def words(self) -> list[tuple[int, Words]]:
        return [(number, part) for number, part in enumerate(self.parts) if isinstance(part, Words)]

    def ground(self, number: int, points: np.ndarray) -> list[str]:
        """The colour at each point when `number` parts are painted."""
        found = [PAGE] * len(points)
        for part in self.parts[:number]:
            if not isinstance(part, Shape) or not _touches(part, points):
                continue
            if part.fill:
                for place in np.flatnonzero(part.covers(points)):
                    found[place] = colours.over(part.fill, found[place], part.opacity)
            if part.stroke and part.width >= WIDE_LINE:
                for place in np.flatnonzero(part.crosses(points)):
                    found[place] = part.stroke
        return found

    def hidden(self, number: int, points: np.ndarray) -> np.ndarray:
        """Which points of the part `number` something opaque is painted over."""
        over = np.zeros(len(points), dtype=bool)
        for part in self.parts[number + 1 :]:
            if isinstance(part, Shape) and _touches(part, points):
                if part.fill and part.opacity > 0.5:
                    over |= part.covers(points)
                if part.stroke and part.width >= WIDE_LINE:
                    over |= part.crosses(points)
        return over

    # --- reading ---------------------------------------------------------------------------------

    def _read(self, element, inherited: dict[str, str], above: np.ndarray) -> None:
        kind = element.tag.removeprefix(SVG)
        unknown = set(element.attrib) - KNOWN - (ROOT_ONLY if kind == "svg" else set())
        if kind == "defs":  # the tips of arrows, in the colour of their lines
            return
        if unknown or kind not in ("svg", "g", "rect", "path", "line", "circle", "polyline", "text"):
            raise ValueError(f"the reader of pictures does not know {sorted(unknown) or kind}: teach it")
        looks = inherited | {name: element.get(name) for name in INHERITED if name in element.attrib}
        matrix = above @ _matrix(element.get("transform", ""))
        if kind in ("svg", "g"):
            for child in element:
                self._read(child, looks, matrix)
        elif kind == "text":
            self.parts += _words(element, looks, matrix)
        else:
            outlines = tuple(_moved(outline, matrix) for outline in _outlines(kind, element))
            shape = Shape(
                outlines,
                fill=_colour(looks["fill"]) if any(map(_has_area, outlines)) else "",
                stroke=_colour(looks["stroke"]),
                opacity=float(element.get("fill-opacity", 1)),
                width=float(looks["stroke-width"]),
                dashes=looks["stroke-dasharray"],
            )
            if outlines and (shape.fill or shape.stroke):
                self.parts.append(shape)


def _colour(words: str) -> str:
    if words == "none":
        return ""
    if not re.fullmatch("#[0-9a-fA-F]{6}", words):
        raise ValueError(f"the colour {words!r} of a picture is not written as #rrggbb")
    return words.lower()


def _has_area(outline: np.ndarray) -> bool:
    """Straight lines have none: the fill that SVG gives them is not seen."""
    spread = outline - outline[0]
    along = spread[np.abs(spread).sum(axis=1).argmax()]
    return bool(np.abs(spread[:, 0] * along[1] - spread[:, 1] * along[0]).max() > 1e-6)


def _touches(shape: Shape, points: np.ndarray) -> bool:
    left, top, right, bottom = shape.box
    room = shape.width / 2
    low, high = points.min(axis=0), points.max(axis=0)
    return bool(low[0] <= right + room and high[0] >= left - room and low[1] <= bottom + room and high[1] >= top - room)


def _winding(outline: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How often the outline goes around each point."""
    a, b = outline, np.roll(outline, -1, axis=0)
    y = points[:, 1][:, None]
    side = (b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (points[:, 0][:, None] - a[:, 0]) * (b[:, 1] - a[:, 1])
    up = (a[:, 1] <= y) & (b[:, 1] > y) & (side > 0)
    down = (a[:, 1] > y) & (b[:, 1] <= y) & (side < 0)
    return up.sum(axis=1) - down.sum(axis=1)


def _matrix(words: str) -> np.ndarray:
    """Of a list of ``translate(x y)`` and ``rotate(degrees)``."""
    matrix = np.eye(3)
    for name, inside in re.findall(r"(\w+)\(([^)]*)\)", words):
        numbers = [float(number) for number in re.split(r"[ ,]+", inside.strip())]
        step = np.eye(3)
        if name == "translate":
            step[:2, 2] = (*numbers, 0)[:2]
        elif name == "rotate" and len(numbers) == 1:
            turn = math.radians(numbers[0])
            step[:2, :2] = [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
        else:
            raise ValueError(f"the reader of pictures does not know {name}({inside}): teach it")
        matrix = matrix @ step
    return matrix


def _moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def _words(element, looks: dict[str, str], matrix: np.ndarray) -> list[Words]:
    """A text as words: one of its own for each <tspan>, and for each letter that has a place."""
    size, bold = float(looks["font-size"]), element.get("font-weight") == "bold"
    places = element.get("x", "").split()
    spans = [(span.get("x"), span.text or "") for span in element]
    if not spans and len(places) > 1:
        spans = list(zip(places, element.text, strict=True))
    elif not spans:
        spans = [(places[0], element.text or "")]
    found = []
    for x, text in spans:
        if not text.strip():
            continue
        wide = size * (BOLD_LETTER if bold else LETTER) * len(text)
        start = float(x) - wide * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor", "start")]
        across = start + wide * np.array([0.03, 0.25, 0.5, 0.75, 0.97])
        down = float(element.get("y", 0)) + size * np.array([-0.3, 0, 0.3])
        points = np.array([(a, b) for a in across for b in down])
        found.append(Words(text, size, bold, _colour(looks["fill"]), _moved(points, matrix)))
    return found


# --- outlines ------------------------------------------------------------------------------------


def _outlines(kind: str, element) -> list[np.ndarray]:
    def number(name: str) -> float:
        return float(element.get(name, 0))

    if kind == "rect":
        x, y, wide, high = map(number, ("x", "y", "width", "height"))
        corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y)]
        return [np.array(corners)] if wide > 0 and high > 0 else []
    if kind == "circle":
        turns = np.linspace(0, 2 * np.pi, 25)
        middle = np.array([number("cx"), number("cy")])
        return [middle + number("r") * np.stack([np.cos(turns), np.sin(turns)], axis=1)]
    if kind == "line":
        return [np.array([(number("x1"), number("y1")), (number("x2"), number("y2"))])]
    if kind == "polyline":
        return [np.array([[float(n) for n in pair.split(",")] for pair in element.get("points").split()])]
    return path_outlines(element.get("d", ""))


NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "A": 7, "Z": 0}


def path_outlines(data: str) -> list[np.ndarray]:
    """The parts of a path, as points; arcs as short lines."""
    outlines: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for command, body in re.findall(r"([a-zA-Z])([^a-zA-Z]*)", data):
        capital, relative = command.upper(), command.islower()
        if capital not in NUMBERS:
            raise ValueError(f"the reader of pictures does not know the path command {command}: teach it")
        numbers = [float(n) for n in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", body)]
        if capital == "Z":
            if outlines and outlines[-1]:
                outlines[-1].append(outlines[-1][0])
                x, y = outlines[-1][0]
                outlines.append([(x, y)])
            continue
        many = NUMBERS[capital]
        if len(numbers) % many or not numbers:
            raise ValueError(f"the path command {command}{body} has {len(numbers)} numbers")
        for turn in range(0, len(numbers), many):
            some = numbers[turn : turn + many]
            before = (x, y)
            if capital == "H":
                x = some[0] + relative * x
            elif capital == "V":
                y = some[0] + relative * y
            else:
                x, y = some[-2] + relative * x, some[-1] + relative * y
            if capital == "M" and not turn:
                outlines.append([(x, y)])
            elif capital == "A":
                outlines[-1] += arc(before, some[:5], (x, y))
            else:
                outlines[-1].append((x, y))
    # What is left behind a "z", or a lone "M", is drawn only as the dot of a line of no length.
    parts = [np.array(outline) for outline in outlines if len(outline) > 1]
    return parts


def arc(start: tuple[float, float], looks: list[float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """Points of an elliptical arc from (not with) its start to its end: SVG 1.1, appendix F.6.5."""
    rx, ry, _, large, sweep = looks
    if not rx or not ry or start == end:
        return [end]
    (x1, y1), (x2, y2) = start, end
    half_x, half_y = (x1 - x2) / 2, (y1 - y2) / 2
    grow = max(1.0, math.sqrt((half_x / rx) ** 2 + (half_y / ry) ** 2))
    rx, ry = rx * grow, ry * grow
    below = (rx * half_y) ** 2 + (ry * half_x) ** 2
    factor = math.sqrt(max(0.0, (rx * ry) ** 2 / below - 1)) * (-1 if large == sweep else 1)
    cx = factor * rx * half_y / ry + (x1 + x2) / 2
    cy = -factor * ry * half_x / rx + (y1 + y2) / 2
    first = math.atan2((y1 - cy) / ry, (x1 - cx) / rx)
    last = math.atan2((y2 - cy) / ry, (x2 - cx) / rx)
    if sweep and last < first:
        last += 2 * math.pi
    if not sweep and last > first:
        last -= 2 * math.pi
    turns = np.linspace(first, last, ARC_STEPS)[1:]
    return [(cx + rx * math.cos(t), cy + ry * math.sin(t)) for t in turns[:-1]] + [end]
