"""Pictures of sequences and motifs: arrays in, a picture with a description in words out.

Still pictures and explorers share one route: a picture is SVG markup, written as text, so that it
is sharp, small, the same on every machine, and fast enough to redraw while a slider moves.
matplotlib draws the curves; :func:`picture_of` gives them the same wrapping. Every picture carries
its *alt text*, computed from the data it shows: screen readers read it, and the tests compare it.

The base colours (Okabe & Ito 2008, told apart with any colour vision) are the same everywhere, and a
letter always stands beside the colour. G's orange is too light for a shape on white paper, so its letters and cells
have a darker rim; the colour stays. Explained in lessons 00, 01 and 02.
"""

import base64
import io
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape

import numpy as np

from course_utils.motifs import UNIFORM, check_ppm, consensus, information
from course_utils.sequences import ALPHABET, check_one_hot, decode

BASE_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
#: A thin rim for the one base colour whose contrast with the paper, 2.2, is below the 3 that a shape needs (WCAG 2).
BASE_RIMS = {"G": "#8a6a00"}
RIM = 0.8  # pixels
INK, FAINT, PAPER, ACCENT = "#111111", "#5c5c5c", "#ffffff", "#6a1b9a"
FONT = "font-family='DejaVu Sans, Verdana, Arial, sans-serif'"


class Picture:
    """A finished picture and its alt text; Jupyter shows the one and reads out the other.

    Args:
        content: SVG markup (``str``) or a PNG file (``bytes``).
        alt: what the picture shows, in words, with its main numbers.
    """

    def __init__(self, content: str | bytes, alt: str):
        if not alt.strip():
            raise ValueError("a picture needs an alt text: say in words what it shows")
        self.content, self.alt = content, alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        # An <img> keeps its alt text in every front end and survives the cleaning of notebooks
        # that are not trusted yet; bare SVG does neither.
        return {"text/html": self.html(), "text/plain": self.alt}

    def html(self) -> str:
        """An ``<img>`` element that holds the whole picture."""
        svg = isinstance(self.content, str)
        data = base64.b64encode(self.content.encode() if svg else self.content).decode()
        kind = "image/svg+xml" if svg else "image/png"
        return (
            f'<img alt="{escape(self.alt)}" style="max-width:100%" src="data:{kind};base64,{data}">'
        )


def picture_of(figure, alt: str) -> Picture:
    """Turn a matplotlib figure into a :class:`Picture` and close it (lesson 00)."""
    import matplotlib.pyplot as plt  # only the lessons that draw curves pay for it

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return Picture(buffer.getvalue(), alt)


def base_look(base: str, rim: bool = True) -> str:
    """The attributes of a shape in a base's colour, with the rim of those that need one."""
    edge = f" stroke='{BASE_RIMS[base]}' stroke-width='{RIM}'" if rim and base in BASE_RIMS else ""
    return f"fill='{BASE_COLOURS[base]}'{edge}"


@cache
def readable_ink(background: str) -> str:
    """Black or white: whichever stands out more on the background (WCAG 2 contrast ratio)."""
    return max((INK, PAPER), key=lambda ink: contrast(ink, background))


def contrast(colour: str, other: str) -> float:
    """WCAG 2 contrast ratio of two ``#rrggbb`` colours: from 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(colour), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def svg(width: float, height: float, body: str, label: str) -> str:
    """An SVG document of that size on white paper; it shrinks with a narrow page."""
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='{escape(label)}' "
        f"width='{width:g}' height='{height:g}' viewBox='0 0 {width:g} {height:g}' "
        f"style='max-width:100%;height:auto' {FONT}>"
        f"<rect width='{width:g}' height='{height:g}' rx='4' fill='{PAPER}'/>{body}</svg>"
    )


def text(x: float, y: float, words: str, *, size=12, anchor="middle", fill=INK, bold=False) -> str:
    """An SVG text element; ``y`` is its middle, so that words sit centred in their cells."""
    weight = " font-weight='bold'" if bold else ""
    return (
        f"<text x='{x:g}' y='{y:g}' font-size='{size:g}' text-anchor='{anchor}' "
        f"dominant-baseline='central' fill='{fill}'{weight}>{escape(words)}</text>"
    )


def text_row(xs, y: float, words, *, size=12, fill=INK, bold=False) -> str:
    """Words centred at the places `xs` of one line: one element, less markup than a text for each."""
    weight = " font-weight='bold'" if bold else ""
    placed = [(f"{x:g}", word) for x, word in zip(xs, words, strict=True)]
    if placed and all(len(word) == 1 and not word.isspace() for _, word in placed):
        # Of letters, the element itself can say where each stands: a browser is done in half the time.
        at = f" x='{' '.join(x for x, _ in placed)}'"
        body = escape("".join(word for _, word in placed))
    else:
        at = ""
        body = "".join(f"<tspan x='{x}'>{escape(word)}</tspan>" for x, word in placed)
    return (
        f"<text{at} y='{y:g}' font-size='{size:g}' text-anchor='middle' dominant-baseline='central' "
        f"fill='{fill}'{weight}>{body}</text>"
    )


def short_number(value: float) -> str:
    """A number as short as it can be, with a true minus sign, which is as wide as a plus."""
    return f"{value:g}".replace("-", "−")


def tint(colour: str, share: float) -> str:
    """The colour mixed with white paper: from white (share 0) to the colour itself (1)."""
    share = min(max(share, 0.0), 1.0)
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - channel)):02x}" for channel in channels)


# --- one-hot -------------------------------------------------------------------------------------


def one_hot_picture(encoded: np.ndarray, title: str = "") -> Picture:
    """Draw a one-hot array ``(L, 4)``: a column for each position, a row for each base.

    A cell is filled in proportion to its number, which is written in it when it is not 0.

    Raises:
        ValueError: for another shape (lesson 01).
    """
    encoded = check_one_hot(encoded)
    if encoded.ndim == 3:
        raise ValueError(
            f"one picture shows one sequence, (L, 4); this array has the shape {encoded.shape}: "
            "choose one, for example encoded[0]"
        )
    alt = describe_one_hot(encoded, title)
    return _titled(title, *one_hot_grid(encoded), alt, left=4)


def _titled(
    title: str, drawing: str, width: float, height: float, alt: str, left: float
) -> Picture:
    """An SVG fragment of that size as a picture, with a title above it if there is one."""
    heading = text(8, 14, title, anchor="start", bold=True) if title else ""
    top = 24 if title else 4
    body = f"{heading}<g transform='translate({left:g} {top})'>{drawing}</g>"
    width = max(width + 8, 16 + 7.5 * len(title))
    return Picture(svg(width, height + top + 4, body, alt), alt)


def describe_one_hot(encoded: np.ndarray, title: str = "") -> str:
    """The alt text of :func:`one_hot_picture`."""
    head = f"{title}: " if title else ""
    letters = _letters(encoded)
    shown = letters if len(letters) <= 60 else letters[:57] + "..."
    sums = ", ".join(f"{base} {total:g}" for base, total in zip(ALPHABET, encoded.sum(axis=0)))
    return (
        f"{head}one-hot array of {shown}, {len(encoded)} positions by 4 bases; "
        f"column sums {sums}."
    )


def one_hot_grid(
    encoded: np.ndarray, marked: int | None = None, letters: str | None = None
) -> tuple[str, float, float]:
    """The cells of :func:`one_hot_picture` as an SVG fragment, with its width and height.

    Args:
        encoded: ``(L, 4)``.
        marked: a position to frame.
        letters: written above the columns; by default the decoded bases.
    """
    letters = _letters(encoded) if letters is None else letters
    cell = 24 if len(encoded) <= 36 else 16
    left, top = 22, 38
    parts = [_ruled_paper(left, top, len(encoded), cell)]
    for row, base in enumerate(ALPHABET):
        y = top + row * cell
        parts.append(text(left - 10, y + cell / 2, base, bold=True))
        for column, value in enumerate(encoded[:, row].tolist()):
            parts.append(_cell(left + column * cell, y, cell, value, base))
    for column, letter in enumerate(letters):
        x = left + (column + 0.5) * cell
        parts.append(text(x, top - 10, letter, size=min(14, cell - 3), bold=True))
        if column % 5 == 0:
            parts.append(text(x, top - 29, str(column), size=10, fill=FAINT))
    if marked is not None:
        parts.append(
            f"<rect x='{left + marked * cell:g}' y='{top - 19}' width='{cell}' "
            f"height='{4 * cell + 21}' rx='3' fill='none' stroke='{ACCENT}' stroke-width='3'/>"
        )
    return "".join(parts), left + len(encoded) * cell + 4, top + 4 * cell + 4


def _letters(encoded: np.ndarray) -> str:
    """The bases of the rows, and a question mark for a row that is none: wrong arrays are drawn too."""
    letters = []
    for row in encoded:
        try:
            letters.append(decode(row[None]))
        except ValueError:
            letters.append("?")
    return "".join(letters)


def _ruled_paper(x: float, y: float, columns: int, cell: int) -> str:
    """The empty grid: one path instead of a box for each cell, so that an explorer redraws faster."""
    wide, high = columns * cell, 4 * cell
    lines = [f"M{x} {y + row * cell}h{wide}" for row in range(5)]
    lines += [f"M{x + column * cell} {y}v{high}" for column in range(columns + 1)]
    return f"<path d='M{x} {y}h{wide}v{high}h-{wide}z{''.join(lines)}' fill='#f4f4f4' stroke='#c8c8c8'/>"


def _cell(x: float, y: float, size: float, value: float, base: str) -> str:
    share = min(max(value, 0), 1)
    if not share > 0:  # nor is NaN
        return ""
    colour, height = BASE_COLOURS[base], share * (size - 1)  # within the lines of the grid
    # The rim of a cell lies within it, so that it is not higher than its number.
    inset = RIM / 2 if base in BASE_RIMS and height > 2 * RIM else 0
    filled = (
        f"<rect x='{x + 0.5 + inset:g}' y='{y + size - 0.5 - height + inset:g}' width='{size - 1 - 2 * inset:g}' "
        f"height='{height - 2 * inset:g}' {base_look(base, rim=inset > 0)}/>"
    )
    written = f"{value:.2g}".removeprefix("0")
    if share > 0.6:
        middle, ink = y + size / 2, readable_ink(colour)
    else:  # in the empty part of the cell
        middle, ink = y + (size - height) / 2, INK
    return filled + text(x + size / 2, middle, written, size=size * 0.42, fill=ink)


# --- logos ---------------------------------------------------------------------------------------


def logo_picture(
    ppm: np.ndarray,
    title: str = "",
    background: Sequence[float] = UNIFORM,
    correction: float = 0.0,
) -> Picture:
    """Draw a motif as a sequence logo: a stack of letters for each position, as high as its information.

    Each base takes its share: its letter is probability times information high, in bits (Schneider &
    Stephens, Nucleic Acids Research 18, 6097-6100, 1990).

    Args:
        ppm: probabilities ``(width, 4)``.
        title: written above.
        background: probabilities of A, C, G, T outside the motif.
        correction: bits to take off every position (:func:`course_utils.motifs.small_sample_correction`);
            a position with fewer is left empty.

    Raises:
        MotifError: for probabilities or a background that are none (lesson 02).
    """
    ppm = check_ppm(ppm)
    bits = information(ppm, background) - correction
    heights = ppm * np.maximum(bits, 0)[:, None]
    each = ", ".join(f"{number:.2f}" for number in np.round(bits, 2) + 0.0)
    alt = (
        f"{title + ': ' if title else ''}sequence logo of {len(ppm)} positions, consensus "
        f"{consensus(ppm)}; {heights.sum():.2f} bits in all, position by position {each}."
    )
    drawing = logo(heights, limits=(0, max(2, heights.sum(axis=1).max())))
    return _titled(title, *drawing, alt, left=2)


def logo(
    heights: np.ndarray,
    *,
    cell: float = 26,
    high: float = 120,
    left: float = 48,
    limits: tuple[float, float] | None = None,
    unit: str = "bits",
) -> tuple[str, float, float]:
    """Stacks of letters with their axis, as an SVG fragment, with its width and height.

    In each stack the smallest letter stands next to the axis. Letters of negative height hang below it.

    Args:
        heights: of the letters A, C, G, T at each position, ``(width, 4)``, in `unit`.
        cell: width of a column, in pixels.
        high: of the axis, in pixels.
        left: where the first column begins; the axis is drawn left of it.
        limits: of the axis, which always includes 0; by default the highest and the lowest stack.

    Raises:
        ValueError: for another shape, or heights that are infinite or NaN (lesson 02).
    """
    heights = np.asarray(heights, dtype=float)
    if heights.ndim != 2 or heights.shape[1] != 4 or not len(heights):
        raise ValueError(
            f"the heights of letters have the shape (width, 4); these have {heights.shape}"
        )
    if not np.isfinite(heights).all():
        position, base = np.argwhere(~np.isfinite(heights))[0]
        raise ValueError(
            f"the height of {ALPHABET[base]} at position {position} is {heights[position, base]:g}; "
            "a finite number is expected"
        )
    if limits is None:
        limits = heights.clip(max=0).sum(axis=1).min(), heights.clip(min=0).sum(axis=1).max()
    marks = ticks(*limits, max(1, int(high / 26)))
    most, wide, top = marks[-1], cell * len(heights), 8  # the marks include 0
    scale = high / (most - marks[0])
    zero = top + most * scale
    letters = _letter_stacks(heights * scale, left, zero, cell)
    heights_of_marks = [zero - mark * scale for mark in marks]
    strokes = "".join(f"M{left - 4:g} {y:g}h-4" for y in heights_of_marks)
    axis = (
        f"<path d='M{left - 4:g} {top}v{high:g}{strokes}M{left - 4:g} {zero:g}h{wide + 4:g}' "
        f"fill='none' stroke='{FAINT}'/>"
    )
    words = [
        text(left - 11, y, short_number(mark), size=10, anchor="end", fill=FAINT)
        for mark, y in zip(marks, heights_of_marks)
    ]
    words.append(
        f"<g transform='translate(8 {top + high / 2:g}) rotate(-90)'>{text(0, 0, unit, size=11)}</g>"
    )
    shown = range(0, len(heights), 1 if cell >= 16 else 5)
    middles = [left + (position + 0.5) * cell for position in shown]
    words.append(text_row(middles, top + high + 11, map(str, shown), size=10, fill=FAINT))
    return axis + letters + "".join(words), left + wide + 2, top + high + 20


def _letter_stacks(sizes: np.ndarray, left: float, zero: float, cell: float) -> str:
    """The letters, `sizes` ``(width, 4)`` pixels high, as one path for each base.

    So few elements let an explorer redraw fast.
    """
    letters = []
    for position, row in enumerate(sizes.tolist()):
        x = left + position * cell + 0.03 * cell
        above, below = zero, zero  # where the letters so far end
        for size, letter in sorted(zip(row, ALPHABET), key=lambda pair: abs(pair[0])):
            if size > 0:
                above -= size
                y = above
            else:
                y = below
                below -= size
            if abs(size) > 0.3:  # less than a third of a pixel is not seen
                letters.append((letter, x, y, 0.94 * cell, abs(size)))
    return letter_paths(letters)


def letter_paths(letters: Iterable[tuple[str, float, float, float, float]]) -> str:
    """Letters ``(base, x, y, width, height)`` as one path for each base, and one for its letters without a rim.

    A rim lies within its letter, so that none is higher than its number; a letter too flat to be read has none.
    """
    paths: dict[tuple[str, bool], str] = {}
    for base, x, y, width, height in letters:
        rim = base in BASE_RIMS and height >= 4 * RIM
        if rim:
            x, y, width, height = x + RIM / 2, y + RIM / 2, width - RIM, height - RIM
        paths[base, rim] = paths.get((base, rim), "") + letter_path(base, x, y, width, height)
    order = sorted(paths, key=lambda key: (ALPHABET.index(key[0]), key[1]))
    return "".join(f"<path {base_look(base, rim)} d='{paths[base, rim]}'/>" for base, rim in order)


def letter_path(base: str, x: float, y: float, width: float, height: float) -> str:
    """The outline of a base's letter, as SVG path data that fills the box from corner ``(x, y)``.

    These letters are our own, so that they look the same on every machine and fill their box to its
    edges; a font does neither.
    """

    # Of a flat letter, the ends of an arc decide how far it reaches to the left: one digit more.
    places = 1 if height >= 20 else 2

    def h(share: float) -> str:
        return f"{x + share * width:.1f}"

    def v(share: float) -> str:
        return f"{y + share * height:.{places}f}"

    def arc(radius_x: float, radius_y: float, turn: int, to_x: float, to_y: float) -> str:
        radii = f"{radius_x * width:.1f} {radius_y * height:.{places}f}"
        return f"A{radii} 0 1 {turn} {h(to_x)} {v(to_y)}"

    if base == "A":
        return (
            f"M{h(0)} {v(1)}L{h(0.35)} {v(0)}H{h(0.65)}L{h(1)} {v(1)}H{h(0.74)}L{h(0.675)} {v(0.79)}"
            f"H{h(0.325)}L{h(0.26)} {v(1)}zM{h(0.5)} {v(0.23)}L{h(0.38)} {v(0.61)}H{h(0.62)}z"
        )
    if base == "T":
        return f"M{h(0)} {v(0)}H{h(1)}V{v(0.19)}H{h(0.63)}V{v(1)}H{h(0.37)}V{v(0.19)}H{h(0)}z"
    # C and G lie on ellipses around (0.54, 0.5) that are open to the right: 0.54 and 0.5 outside, 0.28
    # and 0.32 inside.
    outside = f"M{h(1)} {v(0.238)}{arc(0.54, 0.5, 0, 1, 0.762)}"
    inside = f"{arc(0.28, 0.32, 1, 0.754, 0.294)}z"
    if base == "C":
        return f"{outside}L{h(0.754)} {v(0.706)}{inside}"
    return f"{outside}V{v(0.45)}H{h(0.56)}V{v(0.62)}H{h(0.76)}V{v(0.698)}{inside}"


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers for an axis that includes 0, from at or below `low` to at or above `high`."""
    low, high = float(min(low, 0)), float(max(high, 0))
    if low == high:
        high = 1.0
    span = high - low
    power = 10.0 ** int(np.floor(np.log10(span / most)))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if span <= step * most)
    first, last = int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9))
    return [round(number * step, 10) for number in range(first, last + 1)]


# --- boxes and arrows ----------------------------------------------------------------------------


def boxes_picture(
    boxes: dict[str, tuple[float, float, str]],
    arrows: list[tuple[str, str]],
    alt: str,
    *,
    box: tuple[float, float] = (150, 52),
    gap: tuple[float, float] = (34, 26),
    colours: dict[str, str] | None = None,
) -> Picture:
    """A diagram of boxes joined by arrows (lesson 00).

    Args:
        boxes: name -> (column, row, words); lines of words are separated by ``\\n``.
        arrows: pairs of names, from and to.
        alt: what the diagram says, in words.
        box, gap: width and height, in pixels, of a box and of the space between boxes.
        colours: name -> fill of its box, where it is not the usual one.
    """
    unknown = {name for pair in arrows for name in pair} - boxes.keys()
    if unknown:
        raise ValueError(f"arrows name boxes that do not exist: {', '.join(sorted(unknown))}")
    (width, height), (gap_x, gap_y) = box, gap
    corner = {
        name: (8 + column * (width + gap_x), 8 + row * (height + gap_y))
        for name, (column, row, _) in boxes.items()
    }
    parts = [
        "<defs><marker id='tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' "
        f"markerHeight='7' orient='auto'><path d='M0 0L8 4L0 8z' fill='{FAINT}'/></marker></defs>"
    ]
    for start, end in arrows:
        (x1, y1), (x2, y2) = corner[start], corner[end]
        if x1 == x2:  # one above the other
            down = y2 > y1
            points = (x1 + width / 2, y1 + height * down, x2 + width / 2, y2 + height * (not down))
        else:
            right = x2 > x1
            points = (
                x1 + width * right,
                y1 + height / 2,
                x2 + width * (not right),
                y2 + height / 2,
            )
        parts.append(
            "<line x1='{:g}' y1='{:g}' x2='{:g}' y2='{:g}' ".format(*points)
            + f"stroke='{FAINT}' stroke-width='1.6' marker-end='url(#tip)'/>"
        )
    for name, (_, _, words) in boxes.items():
        x, y = corner[name]
        fill = (colours or {}).get(name, "#eef3f8")
        parts.append(
            f"<rect x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}' rx='7' "
            f"fill='{fill}' stroke='{FAINT}'/>"
        )
        lines = words.split("\n")
        for number, line in enumerate(lines):
            middle = y + height / 2 + (number - (len(lines) - 1) / 2) * 15
            bold = number == 0 and len(lines) > 1
            parts.append(
                text(x + width / 2, middle, line, size=12, fill=readable_ink(fill), bold=bold)
            )
    total_x = max(x for x, _ in corner.values()) + width + 8
    total_y = max(y for _, y in corner.values()) + height + 8
    return Picture(svg(total_x, total_y, "".join(parts), alt), alt)
