"""The motif explorer of lesson 02: from aligned sites to counts, probabilities, weights and a logo."""

from dataclasses import dataclass

import ipywidgets
import numpy as np

from course_utils import plotting
from course_utils.backgrounds import gc_background
from course_utils.explorers import Explorer, Panels, table
from course_utils.explorers._words import write_bits, write_many
from course_utils.motifs import (
    MotifError,
    consensus,
    information,
    pfm_from_sites,
    pfm_to_ppm,
    ppm_to_pwm,
    small_sample_correction,
)
from course_utils.sequences import ALPHABET

WIDEST = 12  # positions that fit side by side
MOST_SHOWN = 12  # sites written out, one below the other; the others are only counted
ABOVE, BELOW = "#0072B2", "#D55E00"  # of plotting's palette, for weights above and below 0
LEFT, ROW = 66, 19  # pixels: where the columns begin, height of a row


@dataclass(frozen=True)
class MotifView:
    """Sites and what is made of them.

    Attributes:
        sites: aligned, in capitals.
        pfm, ppm, pwm: counts, probabilities, weights in bits: each ``(width, 4)``.
        pseudocount: added to each base.
        gc: percent of G and C in the background.
        information: bits of each position, without the correction.
        correction: bits taken off each position; 0 if there is none.
        consensus: the probabilities as a word.
    """

    sites: tuple[str, ...]
    pfm: np.ndarray
    ppm: np.ndarray
    pwm: np.ndarray
    pseudocount: float
    gc: int
    information: np.ndarray
    correction: float
    consensus: str

    @property
    def corrected(self) -> np.ndarray:
        """Bits of each position after the correction; below 0 where it takes more than there is."""
        return self.information - self.correction


def compute(sites: str, pseudocount: float, gc: int, correct: bool) -> MotifView:
    """Count the sites and turn the counts into probabilities, weights and information.

    Args:
        sites: words of one length, separated by spaces.
        pseudocount: added to each of the four counts of a position.
        gc: percent of G and C in the background; G and C share it, A and T the rest.
        correct: whether to take the small-sample correction off the information.

    Raises:
        MotifError: for no site, sites wider than the page, a pseudocount below 0, a percentage out of
            range.
        SequenceError: for sites of unequal length, a letter other than A, C, G, T.
    """
    words = tuple(sites.upper().split())
    if not words:
        raise MotifError("there is no site yet; type words of A, C, G, T, separated by spaces")
    widest = max(map(len, words))
    if widest > WIDEST:
        raise MotifError(f"a site of {widest} bases does not fit the page; show up to {WIDEST}")
    if not 0 < gc < 100:
        raise MotifError(f"gc is {gc}; a percentage between 0 and 100 is expected")
    pfm = pfm_from_sites(words)
    ppm = pfm_to_ppm(pfm, pseudocount)
    background = gc_background(gc / 100)
    return MotifView(
        sites=words,
        pfm=pfm,
        ppm=ppm,
        pwm=ppm_to_pwm(ppm, background),
        pseudocount=pseudocount,
        gc=gc,
        information=information(ppm, background),
        correction=small_sample_correction(len(words)) if correct else 0.0,
        consensus=consensus(ppm),
    )


def draw(view: MotifView) -> Panels:
    """Sites, three grids of numbers, information and logo, position below position."""
    rows = [
        (f"{name} {base}", *map(write, matrix[:, row]))
        for name, matrix, write in (
            ("PFM", view.pfm, _count),
            ("PPM", view.ppm, _probability),
            ("PWM", view.pwm, write_bits),
        )
        for row, base in enumerate(ALPHABET)
    ]
    rows.append(("information", *map(write_bits, view.corrected)))
    places = (f"position {number}" for number in range(len(view.pfm)))
    numbers = table(rows, ("counts, probabilities, bits", *places), name="PFM, PPM and PWM")
    summary = " ".join(
        [
            f"{write_many(len(view.sites), 'site')} of {write_many(len(view.pfm), 'position')}, "
            f"pseudocount {view.pseudocount:g}, background GC {view.gc} %: consensus {view.consensus}, "
            f"{view.corrected.clip(min=0).sum():.2f} bits in all; position by position "
            f"{', '.join(map(write_bits, view.corrected))}.",
            *_remarks(view),
        ]
    )
    return Panels(_picture(view, summary), numbers, summary)


def _count(value: float) -> str:
    return f"{value:g}"


def _probability(value: float) -> str:
    return f"{value:.3f}" if 0 < value < 1 else f"{value:g}"


def _remarks(view: MotifView) -> list[str]:
    """What a reader should know about this setting, in sentences."""
    remarks = []
    if np.isneginf(view.pwm).any():
        remarks.append(
            "A weight of −∞ rules its base out: a word that has it there scores −∞, however good the rest."
        )
    if view.correction:
        largest = int(view.information.argmax())
        sites = write_many(len(view.sites), "site")
        sentence = f"The correction for {sites}, {view.correction:.2f} bits,"
        lost = int((view.corrected < 0).sum())
        if lost == len(view.pfm):
            remarks.append(
                f"{sentence} exceeds even the {view.information[largest]:.2f} bits of position "
                f"{largest}: nothing is left."
            )
        elif lost:
            remarks.append(f"{sentence} leaves less than 0 at {write_many(lost, 'position')}.")
        else:
            remarks.append(f"{sentence} is taken off.")
    return remarks


# --- the picture ---------------------------------------------------------------------------------


def _picture(view: MotifView, label: str) -> str:
    width = len(view.pfm)
    cell = min(max(440 // width, 40), 54)
    right = LEFT + width * cell
    middles = [LEFT + (column + 0.5) * cell for column in range(width)]
    parts, y = [], 6

    def heading(words: str) -> None:
        nonlocal y
        parts.append(plotting.text(LEFT, y + 12, words, size=12, anchor="start", bold=True))
        y += 23

    heading(write_many(len(view.sites), "aligned site"))
    parts.append(_letters(view.sites[:MOST_SHOWN], y, cell))
    y += ROW * min(len(view.sites), MOST_SHOWN)
    if len(view.sites) > MOST_SHOWN:
        words = f"and {len(view.sites) - MOST_SHOWN} more, counted below"
        small = {"size": 11, "anchor": "start", "fill": plotting.FAINT}
        parts.append(plotting.text(LEFT, y + 10, words, **small))
        y += 18
    y += 6
    for words, matrix, write, colour in _matrices(view):
        heading(words)
        parts.append(_grid(matrix, write, colour, y, cell, middles))
        y += 4 * ROW + 6
    heading("consensus; information in bits" + (", corrected" if view.correction else ""))
    parts.append(plotting.text_row(middles, y + ROW / 2, view.consensus, size=14, bold=True))
    y += ROW
    parts.append(plotting.text_row(middles, y + ROW / 2, map(write_bits, view.corrected), size=11))
    y += ROW + 4
    heights = view.ppm * view.corrected.clip(min=0)[:, None]
    drawing, _, high = plotting.logo(
        heights, cell=cell, high=104, left=LEFT, limits=(0, max(2, heights.sum(axis=1).max()))
    )
    parts.append(f"<g transform='translate(0 {y:g})'>{drawing}</g>")
    y += high
    for remark in _remarks(view):
        for line in _lines(remark, max(right, 340) - 12):
            parts.append(plotting.text(12, y + 9, line, size=11, anchor="start"))
            y += 16
    return plotting.svg(max(right + 12, 352), y + 6, "".join(parts), label)


def _matrices(view: MotifView):
    """Of each of the three grids: heading, matrix, and how a number is written and its cell tinted."""
    most = max(view.pfm.max(), 1)
    largest = np.abs(view.pwm[np.isfinite(view.pwm)]).max(initial=1)

    def of_count(value: float) -> str:
        return plotting.tint(plotting.FAINT, 0.4 * value / most)

    def of_probability(value: float) -> str:
        return plotting.tint(plotting.FAINT, 0.4 * value)

    def of_weight(value: float) -> str:
        share = 0.12 + 0.33 * min(abs(value) / largest, 1)  # pale enough to read the number on it
        return plotting.tint(ABOVE if value > 0 else BELOW, share if value else 0)

    return (
        ("PFM: counts", view.pfm, _count, of_count),
        (
            f"PPM: probabilities, pseudocount {view.pseudocount:g}",
            view.ppm,
            _probability,
            of_probability,
        ),
        (f"PWM: bits, background GC {view.gc} %", view.pwm, write_bits, of_weight),
    )


def _letters(sites: tuple[str, ...], y: float, cell: float) -> str:
    """The sites, one below the other: letters on the colours of their bases, one path for each base."""
    paths, words = dict.fromkeys(ALPHABET, ""), []
    inks = {base: plotting.readable_ink(colour) for base, colour in plotting.BASE_COLOURS.items()}
    for row, site in enumerate(sites):
        top = y + row * ROW
        for column, base in enumerate(site):
            x = LEFT + column * cell + 1
            paths[base] += f"M{x:g} {top + 1:g}h{cell - 2:g}v{ROW - 2}h{2 - cell:g}z"
        for ink in dict.fromkeys(inks.values()):
            columns = [number for number, base in enumerate(site) if inks[base] == ink]
            if columns:
                xs = [LEFT + (number + 0.5) * cell for number in columns]
                letters = [site[number] for number in columns]
                words.append(plotting.text_row(xs, top + ROW / 2, letters, fill=ink, bold=True))
    boxes = "".join(
        f"<path d='{path}' fill='{plotting.BASE_COLOURS[base]}'/>"
        for base, path in paths.items()
        if path
    )
    return boxes + "".join(words)


def _grid(matrix, write, colour, y: float, cell: float, middles: list[float]) -> str:
    """Four rows of numbers on tinted cells; cells of one tint are one path."""
    paths: dict[str, str] = {}
    rows = []
    for row, base in enumerate(ALPHABET):
        top = y + row * ROW
        for column, value in enumerate(matrix[:, row].tolist()):
            box = f"M{LEFT + column * cell:g} {top:g}h{cell:g}v{ROW}h{-cell:g}z"
            fill = colour(value)
            paths[fill] = paths.get(fill, "") + box
        rows.append(plotting.text(LEFT - 12, top + ROW / 2, base, bold=True))
        rows.append(plotting.text_row(middles, top + ROW / 2, map(write, matrix[:, row]), size=11))
    boxes = "".join(f"<path d='{path}' fill='{fill}'/>" for fill, path in paths.items())
    return f"<g stroke='#c8c8c8'>{boxes}</g>" + "".join(rows)


def _lines(sentence: str, width: float) -> list[str]:
    """The sentence, broken at its spaces into lines of that many pixels."""
    lines = [""]
    for word in sentence.split():
        if 6.3 * (len(lines[-1]) + 1 + len(word)) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def motif_explorer(sites: str = "TACAA TACGA TACAA") -> Explorer:
    """The explorer, starting from the three sites of lesson 02."""
    wide = {"description_width": "190px"}
    layout = ipywidgets.Layout(width="520px", max_width="100%")
    controls = {
        "sites": ipywidgets.Text(
            sites, description="aligned sites", continuous_update=True, style=wide, layout=layout
        ),
        "pseudocount": ipywidgets.FloatSlider(
            0.5, min=0.0, max=5.0, step=0.1, readout_format=".1f",
            description="pseudocount", style=wide, layout=layout,
        ),
        "gc": ipywidgets.IntSlider(
            50, min=10, max=90, description="background GC (percent)", style=wide, layout=layout
        ),
        "correct": ipywidgets.Checkbox(
            False, description="small-sample correction", indent=True, style=wide, layout=layout
        ),
    }  # fmt: skip
    return Explorer("motif explorer", controls, compute, draw)
