"""The threshold explorer of lesson 02: which windows of a sequence pass, and what passing costs.

The slow part, :func:`prepare` and :func:`scan_motif`, is done once for each motif and kept; a move of the
threshold then only counts and draws.
"""

import functools
import re
from dataclasses import dataclass

import ipywidgets
import numpy as np

from course_utils.datasets import shipped
from course_utils.explorers import Explorer
from course_utils.explorers._threshold_picture import LETTERS, draw, write_p
from course_utils.explorers._words import write_bits
from course_utils.motifs import (
    Motif,
    MotifError,
    background_of,
    pfm_to_ppm,
    ppm_to_pwm,
    read_motifs,
)
from course_utils.scanning import (
    STEP,
    STRANDS,
    ScoreDistribution,
    rounded,
    scan,
    score_distribution,
)
from course_utils.sequences import read_fasta, reverse_complement

PSEUDOCOUNT = 0.5  # of each base
RANKED = 100  # windows that can be looked at, the best first
LISTED = 5  # hits in the table
BINS = 130  # of the two distributions


@dataclass(frozen=True)
class Prepared:
    """A motif made ready to score with, before any sequence is scanned.

    Attributes:
        name: as in the list of motifs.
        pwm: weights, rounded to whole steps ``(width, 4)``.
        random, sites: distributions of the score of random words and of the motif's own sites.
        best: the highest possible score, in bits.
        range: thresholds worth trying: one random word in ten passes the first, none the second.
        bins: edges, in bits, of the shares in `random_bins` and `site_bins`.
    """

    name: str
    pwm: np.ndarray
    random: ScoreDistribution
    sites: ScoreDistribution
    best: float
    range: tuple[float, float]
    bins: np.ndarray
    random_bins: np.ndarray
    site_bins: np.ndarray

    def threshold(self, p_value: float) -> float:
        """The threshold for a p-value; above the best word if no word is that rare."""
        try:
            return self.random.threshold(p_value)
        except MotifError:
            return self.range[1]


@dataclass(frozen=True)
class Scan:
    """One motif on one sequence.

    Attributes:
        motif: what scores.
        sequence: what is scored, in capitals.
        place: chromosome and first position, counted from 0, or None if nobody knows.
        scores: of every window ``(2, windows)``, plus strand first, in bits.
        windows: how many can be scored on one strand: those without a letter that is no base.
        ordered: the scores of each strand, from the lowest.
        ranking: strands chosen (``"+-"``, ``"+"`` or ``"-"``) -> start and strand of the best windows.
    """

    motif: Prepared
    sequence: str
    place: tuple[str, int] | None
    scores: np.ndarray
    windows: int
    ordered: np.ndarray
    ranking: dict[str, list[tuple[int, str]]]


@dataclass(frozen=True)
class Window:
    """A window: first base, strand, the word that is read there, score, p-value."""

    start: int
    strand: str
    word: str
    score: float
    p_value: float


@dataclass(frozen=True)
class ThresholdView:
    """What one threshold does.

    Attributes:
        scan: what was scanned.
        strands: ``"+-"``, ``"+"`` or ``"-"``.
        threshold: in bits, and `passing` the same, halfway between two possible scores.
        p_value: share of random words that pass; `sensitivity`: of true sites.
        hits: strand -> windows that pass.
        expected: windows that pass by chance.
        best: the best hits; `looked_at` the window that is looked at, and `rank` its number.
        shown: first base that the track shows and the base after the last.
    """

    scan: Scan
    strands: str
    threshold: float
    passing: float
    p_value: float
    sensitivity: float
    hits: dict[str, int]
    expected: float
    best: tuple[Window, ...]
    looked_at: Window
    rank: int
    shown: tuple[int, int]

    @property
    def found(self) -> int:
        """Hits on the chosen strands."""
        return sum(self.hits.values())


# --- once for each motif -------------------------------------------------------------------------


def prepare(motif: Motif, background: np.ndarray) -> Prepared:
    """Weights and score distributions of a motif against a background ``(4,)``."""
    ppm = pfm_to_ppm(motif.pfm, PSEUDOCOUNT)
    pwm = rounded(ppm_to_pwm(ppm, background))
    random, sites = score_distribution(pwm, background), score_distribution(pwm, ppm)
    scores = random.scores
    best = float(scores[-1])
    bins = np.linspace(random.threshold(0.99), best + STEP, BINS + 1)
    return Prepared(
        name=f"{motif.name} {motif.accession}",
        pwm=pwm,
        random=random,
        sites=sites,
        best=best,
        range=(float(np.floor(random.threshold(0.1))), (int(best * 10 + 0.01) + 1) / 10),
        bins=bins,
        random_bins=np.histogram(scores, bins, weights=random.probability)[0],
        site_bins=np.histogram(sites.scores, bins, weights=sites.probability)[0],
    )


def scan_motif(motif: Prepared, sequence: str, place: tuple[str, int] | None = None) -> Scan:
    """Score the sequence and rank its best windows.

    Raises:
        SequenceError: for an empty sequence, one shorter than the motif, or a letter outside IUPAC.
        MotifError: if no window can be scored, because each holds an N.
    """
    scores = scan(sequence, motif.pwm)
    windows = int(np.isfinite(scores[0]).sum())
    if not windows:
        raise MotifError(
            f"every window of {len(motif.pwm)} bases holds an N or another letter that is no base: "
            "there is nothing to score"
        )
    ordered = np.sort(scores, axis=1)
    ranking = {}
    for strands in ("+-", "+", "-"):
        rows = [STRANDS.index(strand) for strand in strands]
        last = np.sort(ordered[rows, -RANKED:], axis=None)[-RANKED:][0]
        row, start = np.nonzero((scores[rows] >= last) & np.isfinite(scores[rows]))
        order = np.lexsort([row, start, -scores[rows][row, start]])[:RANKED]
        ranking[strands] = [(int(start[i]), strands[row[i]]) for i in order]
    return Scan(motif, sequence.upper(), place, scores, windows, ordered, ranking)


def place_of(header: str, length: int) -> tuple[str, int] | None:
    """Chromosome and first position of a header ``chrom:start-end``, if it fits the length."""
    found = re.match(r"(\S+?):(\d+)-(\d+)(\s|$)", header)
    if not found or int(found[3]) - int(found[2]) != length:
        return None
    return found[1], int(found[2])


# --- at every move -------------------------------------------------------------------------------


def compute(scan: Scan, strands: str, threshold: float, zoom: int, rank: int) -> ThresholdView:
    """Count what passes.

    Args:
        scan: of :func:`scan_motif`.
        strands: ``"+-"``, ``"+"`` or ``"-"``.
        threshold: in bits.
        zoom: how many bases the track shows, around the window that is looked at; 0 for all.
        rank: which window to look at: 1 is the best of the chosen strands, hit or not.

    Raises:
        ValueError: for other strands, or a zoom or rank out of range.
    """
    if strands not in ("+-", "+", "-"):
        raise ValueError(f"strands is {strands!r}; '+-', '+' or '-' is expected")
    if zoom < 0 or rank < 1:
        raise ValueError(f"zoom is {zoom} and rank {rank}; from 0 and from 1 up is expected")
    motif = scan.motif
    # Scores are whole steps: compare halfway between two, so that no rounding decides.
    passing = (np.ceil(threshold / STEP - 0.1) - 0.5) * STEP
    p_value = float(motif.random.p_value(threshold))
    hits = {}
    for strand in strands:
        ordered = scan.ordered[STRANDS.index(strand)]
        hits[strand] = len(ordered) - int(np.searchsorted(ordered, passing))
    ranking = scan.ranking[strands]
    rank = min(rank, len(ranking))
    looked_at = _window(scan, *ranking[rank - 1])
    listed = min(LISTED, sum(hits.values()))
    length = len(scan.sequence)
    many = min(zoom or length, length)
    middle = looked_at.start + len(motif.pwm) // 2
    first = min(max(middle - many // 2, 0), length - many)
    return ThresholdView(
        scan=scan,
        strands=strands,
        threshold=threshold,
        passing=float(passing),
        p_value=p_value,
        sensitivity=float(motif.sites.p_value(threshold)),
        hits=hits,
        expected=scan.windows * len(strands) * p_value,
        best=tuple(_window(scan, *place) for place in ranking[:listed]),
        looked_at=looked_at,
        rank=rank,
        shown=(first, first + many),
    )


def _window(scan: Scan, start: int, strand: str) -> Window:
    word = scan.sequence[start : start + len(scan.motif.pwm)]
    score = float(scan.scores[STRANDS.index(strand), start])
    return Window(
        start=start,
        strand=strand,
        word=word if strand == "+" else reverse_complement(word),
        score=score,
        p_value=float(scan.motif.random.p_value(score)),
    )


# --- controls ------------------------------------------------------------------------------------


def threshold_explorer(
    sequence: str = "", header: str = "", motif: str = "GATA4 MA0482.3", p_value: float = 1e-4
) -> Explorer:
    """The explorer, over a sequence or, without one, 16,384 bases of the GATA4 locus (lesson 02).

    Args:
        sequence: upper or lower case; windows with N never pass and are not counted.
        header: ``chrom:start-end``, if known; hits are then given in the genome too.
        motif: name and accession, one of the motifs that travel with the course.
        p_value: to start from; its slider has ten marks for each power of ten.

    Raises:
        SequenceError: for a letter outside IUPAC.
        MotifError: for another motif, a p-value that is none, or a sequence without any base.
    """
    sequence = "".join(sequence.split())
    if not sequence:
        header, sequence = read_fasta(shipped("gata4_promoter.fa"))[0]
    motifs = {f"{m.name} {m.accession}": m for m in read_motifs(shipped("jaspar_motifs.txt"))}
    if motif not in motifs:
        raise MotifError(f"the motif is {motif!r}; choose one of {', '.join(motifs)}")
    if not 0 < p_value <= 1:
        raise MotifError(f"the p-value is {p_value}; a number above 0 and up to 1 is expected")
    background, place = background_of(sequence), place_of(header, len(sequence))
    prepared = functools.cache(lambda name: prepare(motifs[name], background))
    scanned = functools.cache(lambda name: scan_motif(prepared(name), sequence, place))

    style = {"description_width": "180px"}
    looks = {"style": style, "layout": ipywidgets.Layout(width="520px", max_width="100%")}
    # The closest view is always there: a slider needs two marks.
    closer = [many for many in (2048, 256, LETTERS) if many < len(sequence) or many == LETTERS]
    # Threshold and p-value are two handles of one number; each moves the other to its nearest mark. `exact`
    # is the number itself. The marks are whole numbers (tenths of a bit, tenths of a power of ten), because
    # a slider of fractions in ipywidgets 8 rounds what it is given and sends it back, as if it were moved.
    controls = {
        "motif": ipywidgets.SelectionSlider(
            options=list(motifs), value=motif, description="motif", **looks
        ),
        "strands": ipywidgets.SelectionSlider(
            options=[("both", "+-"), ("plus", "+"), ("minus", "-")], description="strands", **looks
        ),
        "threshold": ipywidgets.IntSlider(readout=False, description="threshold", **looks),
        "p_value": ipywidgets.SelectionSlider(
            options=[(write_p(10 ** (tenths / 10)), tenths) for tenths in range(-70, -9)],
            value=_tenths(np.log10(p_value)), description="p-value", **looks,
        ),
        "zoom": ipywidgets.SelectionSlider(
            options=[("all bases", 0), *((f"{many:,} bases", many) for many in closer)],
            description="shown", **looks,
        ),
        "rank": ipywidgets.IntSlider(
            1, min=1, max=RANKED, description="look at window number", **looks
        ),
    }  # fmt: skip
    bits_handle, p_handle = controls["threshold"], controls["p_value"]
    exact = 0.0  # bits that the two handles stand for
    following = False  # whether one of them is just now following the other

    def set_threshold(bits: float, mover: ipywidgets.Widget) -> None:
        nonlocal exact, following
        exact, following = bits, True
        fitting = prepared(controls["motif"].value)
        bits_handle.description = f"threshold ({write_bits(bits)} bits)"
        if mover is bits_handle:
            p_handle.value = _tenths(np.log10(max(fitting.random.p_value(bits), 1e-300)))
        else:
            low, high = (round(10 * bits) for bits in fitting.range)
            with bits_handle.hold_sync():
                # Wider first, so that the value moves once, and straight to where it belongs.
                bits_handle.max = max(high, bits_handle.max)
                bits_handle.min = min(low, bits_handle.min)
                bits_handle.value = min(max(round(10 * bits), low), high)
                bits_handle.min, bits_handle.max = low, high
        following = False

    def follow(change=None) -> None:
        mover = change["owner"] if change else p_handle
        if following:
            return
        if mover is bits_handle:
            set_threshold(bits_handle.value / 10, mover)
        else:  # the p-value, or a motif that keeps it
            p_value = 10 ** (p_handle.value / 10)
            set_threshold(prepared(controls["motif"].value).threshold(p_value), mover)

    def compute_here(motif: str, threshold: int, p_value: int, **others) -> ThresholdView:
        return compute(scanned(motif), threshold=exact, **others)

    follow()
    for control in (bits_handle, p_handle, controls["motif"]):  # before the explorer, which draws
        control.observe(follow, names="value")
    return Explorer("threshold explorer", controls, compute_here, draw)


def _tenths(power: float) -> int:
    """A power of ten in whole tenths, within the marks of the p-value's slider."""
    return int(min(max(round(10 * power), -70), -10))
