"""Attributions as logos: letters as high as the value that a method gave them, above the axis or below it.

The letters are those of :func:`course_utils.plotting.logo`. Values come from
:mod:`course_utils.interpretation`; this room needs no torch. Explained in lesson 07.
"""

from collections.abc import Iterable

import numpy as np

from course_utils.checks import said, whole_numbers
from course_utils.plotting import ACCENT, Picture, logo, short_number, svg, text, tint
from course_utils.sequences import ALPHABET

#: Most positions of one picture: more letters could not be read.
MOST = 200

WIDE = 1040.0  # pixels of a long picture: what a page 1,400 pixels wide leaves beside its margins
TOLD = 5  # so many of the largest values does the alt text name


def attribution_picture(
    values: np.ndarray,
    title: str = "",
    unit: str = "logit",
    marks: Iterable[tuple[int, int]] = (),
) -> Picture:
    """Draw an attribution: at each position the letters with a value, above the axis where it is positive.

    Args:
        values: ``(L, 4)``, for A, C, G, T at each position. To draw the letters of the sequence alone,
            multiply with its one-hot array before.
        title: written above.
        unit: of the values, written beside the axis.
        marks: stretches ``(start, end)``, from 0, half-open, that get a box: a known site, say.

    Raises:
        ValueError: for values of another shape, longer than 200 positions, NaN or infinite; for a mark that
            is no stretch within them (lesson 07).
    """
    values = _checked_values(values)
    boxes = [_checked_mark(mark, len(values)) for mark in _listed(marks)]
    left, cell = 56.0, min(26.0, WIDE / len(values))
    drawing, width, height = logo(values, cell=cell, left=left, unit=unit)
    top = 28 if title else 6
    behind, before = [], []
    for start, end in boxes:
        at = f"x='{left + start * cell:g}' y='4' width='{(end - start) * cell:g}' height='128' rx='3'"
        behind.append(f"<rect {at} fill='{tint(ACCENT, 0.07)}'/>")
        before.append(f"<rect {at} fill='none' stroke='{ACCENT}' stroke-width='2'/>")
    heading = text(8, 14, title, anchor="start", bold=True) if title else ""
    body = f"{heading}<g transform='translate(2 {top})'>{''.join([*behind, drawing, *before])}</g>"
    alt = _described(values, title, unit, boxes)
    return Picture(svg(max(width + 8, 16 + 7.5 * len(title)), height + top + 4, body, alt), alt)


def _described(values: np.ndarray, title: str, unit: str, marks: list[tuple[int, int]]) -> str:
    """The alt text: the largest values, in order of their places, and the boxes."""
    head = f"{title}: " if title else ""
    size = np.abs(values)
    total = size.sum()
    parts = [f"{head}attribution of {len(values)} positions, in units of {unit}"]
    if total:
        order = np.argsort(-size.ravel(), kind="stable")[:TOLD]
        cells = sorted((int(number) // 4, int(number) % 4) for number in order if size.ravel()[number] > 0)
        each = [f"{ALPHABET[base]} at {place} ({_signed(values[place, base])})" for place, base in cells]
        parts.append(f"largest values {', '.join(each)}")
    else:
        parts.append("all values are 0")
    for start, end in marks:
        share = f" with {size[start:end].sum() / total:.0%} of the letters' height" if total else ""
        parts.append(f"a box around {start} to {end - 1}{share}")
    return "; ".join(parts) + "."


def _signed(value: float) -> str:
    """Two digits with a sign, as `+2.4` or `−0.31`."""
    return ("+" if value > 0 else "") + short_number(float(f"{value:.2g}"))


def _checked_values(values) -> np.ndarray:
    try:
        values = np.asarray(values, dtype=float)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"the values are {said(values)}; numbers of the shape (L, 4) are expected") from None
    if values.ndim != 2 or values.shape[1] != 4 or not len(values):
        turned = "; transpose (4, L) with .T" if values.ndim == 2 and values.shape[0] == 4 else ""
        one = "; choose one of several, for example values[0].T" if values.ndim == 3 else ""
        raise ValueError(f"the values have the shape {values.shape}; (L, 4) is expected{turned}{one}")
    if len(values) > MOST:
        raise ValueError(
            f"the values have {len(values):,} positions; one picture shows {MOST} at most: choose a stretch, "
            f"for example values[:{MOST}]"
        )
    if not np.isfinite(values).all():
        place, base = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"the value of {ALPHABET[base]} at position {place} is {values[place, base]:g}; a finite number is "
            "expected"
        )
    return values


def _listed(marks) -> list:
    try:
        return list(marks)
    except TypeError:
        raise ValueError(f"the marks are {said(marks)}; a list of (start, end) is expected") from None


def _checked_mark(mark, length: int) -> tuple[int, int]:
    numbers = whole_numbers(mark)
    if numbers is None or len(numbers) != 2 or not 0 <= numbers[0] < numbers[1] <= length:
        raise ValueError(
            f"the mark is {said(mark)}; (start, end) is expected, two whole numbers with "
            f"0 <= start < end <= {length}"
        )
    return numbers
