"""Pictures of sequences: arrays in, a picture with a description in words out.

Still pictures and explorers share one route: a picture is SVG markup, written as text, so that it
is sharp, small, the same on every machine, and fast enough to redraw while a slider moves.
matplotlib draws the curves; :func:`picture_of` gives them the same wrapping. Every picture carries
its *alt text*, computed from the data it shows: screen readers read it, and the tests compare it.

The base colours (Okabe & Ito 2008, told apart with any colour vision) are the same everywhere, and a
letter always stands beside the colour. Explained in lessons 00 and 01.
"""

import base64
import io
from html import escape

import numpy as np

from course_utils.sequences import ALPHABET, check_one_hot, decode

BASE_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
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
            f'<img alt="{escape(self.alt)}" style="max-width:100%" '
            f'src="data:{kind};base64,{data}">'
        )


def picture_of(figure, alt: str) -> Picture:
    """Turn a matplotlib figure into a :class:`Picture` and close it (lesson 00)."""
    import matplotlib.pyplot as plt  # only the lessons that draw curves pay for it

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return Picture(buffer.getvalue(), alt)


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
    grid, width, height = one_hot_grid(encoded)
    heading = text(8, 14, title, anchor="start", bold=True) if title else ""
    top = 24 if title else 4
    body = f"{heading}<g transform='translate(4 {top})'>{grid}</g>"
    width = max(width + 8, 16 + 7.5 * len(title))
    return Picture(svg(width, height + top + 4, body, alt), alt)


def describe_one_hot(encoded: np.ndarray, title: str = "") -> str:
    """The alt text of :func:`one_hot_picture`."""
    head = f"{title}: " if title else ""
    letters = _letters(encoded)
    shown = letters if len(letters) <= 60 else letters[:57] + "..."
    sums = ", ".join(f"{base} {total:g}" for base, total in zip(ALPHABET, encoded.sum(axis=0)))
    return (
        f"{head}one-hot picture of {shown}, {len(encoded)} positions by 4 bases; "
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
            parts.append(_cell(left + column * cell, y, cell, value, BASE_COLOURS[base]))
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


def _cell(x: float, y: float, size: float, value: float, colour: str) -> str:
    share = min(max(value, 0), 1)
    if not share > 0:  # nor is NaN
        return ""
    height = share * (size - 1)  # within the lines of the grid
    filled = (
        f"<rect x='{x + 0.5:g}' y='{y + size - 0.5 - height:g}' width='{size - 1}' "
        f"height='{height:g}' fill='{colour}'/>"
    )
    written = f"{value:.2g}".removeprefix("0")
    if share > 0.6:
        middle, ink = y + size / 2, readable_ink(colour)
    else:  # in the empty part of the cell
        middle, ink = y + (size - height) / 2, INK
    return filled + text(x + size / 2, middle, written, size=size * 0.42, fill=ink)


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
            points = (x1 + width * right, y1 + height / 2, x2 + width * (not right), y2 + height / 2)
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
