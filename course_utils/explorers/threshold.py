"""The threshold explorer of lesson 02: which windows of a sequence pass, and what passing costs.

The slow part, :func:`prepare` and :func:`scan_motif`, is done once for each motif and kept; a move of the
threshold then only counts and draws.
"""

import functools
import re
from dataclasses import dataclass

import ipywidgets
import numpy as np

from course_utils import plotting
from course_utils.datasets import shipped
from course_utils.explorers import Explorer, Panels, table
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
RANDOM, SITES = plotting.FAINT, "#0072B2"
SIGN = {"+": "+", "-": "−"}


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
        range=(float(np.floor(random.threshold(0.1))), round(float(np.floor(best * 10 + 0.01)) / 10 + 0.1, 1)),
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
    hits = {
        strand: scan.scores.shape[1] - int(np.searchsorted(scan.ordered[STRANDS.index(strand)], passing))
        for strand in strands
    }
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


def draw(view: ThresholdView) -> Panels:
    """The scores along the sequence, the two distributions, and the counts."""
    one = table(
        [
            (
                f"{_bits(view.threshold)} bits", _p(view.p_value), _percent(view.sensitivity),
                *(f"{view.hits[s]:,}" if s in view.hits else "not searched" for s in STRANDS),
                _number(view.expected),
            )
        ],
        head=("threshold", "p-value", "true sites that pass", "hits on +", "hits on −", "expected by chance"),
    )  # fmt: skip
    rows = [
        _row(view, f"best hit {number}", window) for number, window in enumerate(view.best, start=1)
    ]
    rows.append(_row(view, f"looked at: number {view.rank}", view.looked_at))
    windows = table(rows, head=("window", "start", "strand", "word", "bits", "p-value", "hit", "genome"))
    motif = view.scan.motif
    found = " and ".join(f"{count:,} on {SIGN[strand]}" for strand, count in view.hits.items())
    summary = (
        f"{motif.name} over {len(view.scan.sequence):,} bases, threshold {_bits(view.threshold)} bits: "
        f"p-value {_p(view.p_value)}, {_percent(view.sensitivity)} of true sites pass; "
        f"{_many(view.found, 'hit')} ({found}), {_number(view.expected)} expected by chance. "
        f"{_sentence(view)}"
    )
    if view.threshold > motif.best:
        summary += " " + " ".join(_unreachable(view))
    return Panels(_picture(view, summary), one + windows, summary)


def _row(view: ThresholdView, name: str, window: Window) -> tuple[str, ...]:
    return (
        name, f"{window.start:,}", SIGN[window.strand], window.word, _bits(window.score),
        _p(window.p_value), "yes" if window.score >= view.passing else "no",
        _genome(view, window) or "unknown",
    )  # fmt: skip


def _genome(view: ThresholdView, window: Window) -> str:
    if not view.scan.place:
        return ""
    chromosome, first = view.scan.place
    return f"{chromosome}:{first + window.start}-{first + window.start + len(window.word)}"


def _sentence(view: ThresholdView) -> str:
    """The window that is looked at, in words."""
    return " ".join(_sentence_in_two(view))


def _sentence_in_two(view: ThresholdView) -> tuple[str, str]:
    window, place = view.looked_at, _genome(view, view.looked_at)
    verdict = "a hit" if window.score >= view.passing else "no hit"
    return (
        f"Window number {view.rank}: strand {SIGN[window.strand]}, start {window.start:,}"
        f"{f' ({place})' if place else ''}, {_bits(window.score)} bits, {verdict};",
        f"it reads {window.word}.",
    )


def _unreachable(view: ThresholdView) -> tuple[str, str]:
    motif = view.scan.motif
    return (
        "No word is that rare: the best word alone has",
        f"the p-value {_p(motif.random.p_value(motif.best))} (it scores {_bits(motif.best)} bits).",
    )


def _p(value: float) -> str:
    if value == 0 or value >= 0.001:
        return f"{value:.2g}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}"


def _percent(share: float) -> str:
    percent = f"{100 * share:.1f}"
    if percent == "100.0" and share < 1:
        percent = "over 99.9"
    elif percent == "0.0" and share > 0:
        percent = "under 0.1"
    return f"{percent.removesuffix('.0')} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value >= 0.001 or not value else _p(value)


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("s" if number != 1 else "")


def _bits(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


# --- the picture ---------------------------------------------------------------------------------

LEFT, WIDE, TALL = 58, 610, 150  # pixels: margin, width and height of the track
LANE, LETTERS = 14, 64  # height of the lane of hits; most bases that are written as letters


def _picture(view: ThresholdView, label: str) -> str:
    motif, length = view.scan.motif, len(view.scan.sequence)
    title = f"{motif.name}, {len(motif.pwm)} positions, over {length:,} bases"
    if view.scan.place:
        chromosome, first = view.scan.place
        title += f" of {chromosome}:{first}-{first + length}"
    parts = [plotting.text(8, 14, title, anchor="start", bold=True)]
    track, y = _track(view, 28)
    parts.append(track)
    for number, line in enumerate(_sentence_in_two(view)):
        parts.append(plotting.text(LEFT, y + 10 + 16 * number, line, size=11, anchor="start"))
    y += 48
    parts += [_distributions(view, y), _counts(view, y)]
    return plotting.svg(LEFT + WIDE + 12, y + 168, "".join(parts), label)


def _track(view: ThresholdView, top: float) -> tuple[str, float]:
    """The best score at each pixel, plus strand upwards, minus strand downwards; also the end of it."""
    motif, (first, end) = view.scan.motif, view.shown
    low, high = motif.range
    many = end - first
    columns = min(many, WIDE)
    column = WIDE / columns
    tall = TALL / len(view.strands)
    middle = 20 + (16 if many <= LETTERS else 0)
    edges = np.arange(columns) * many // columns

    def x_of(base: float) -> float:
        return LEFT + (base - first) * WIDE / many

    parts, y = [], top
    for strand in "+-":
        if strand == "-":
            parts.append(_positions(view, y, middle, x_of))
            y += middle
        if strand not in view.strands:
            continue
        up = 1 if strand == "+" else -1
        base = y + LANE + tall if up == 1 else y
        scores = np.full(many, -np.inf, dtype=np.float32)
        seen = view.scan.scores[STRANDS.index(strand), first:end]
        scores[: len(seen)] = seen
        best = np.maximum.reduceat(scores, edges)
        heights = (np.clip(best, low, high) - low) * (tall / (high - low))
        pale, strong = plotting.tint(plotting.FAINT, 0.66), plotting.ACCENT
        parts.append(f"<path d='{_skyline(heights, LEFT, column, base, up)}' fill='{pale}'/>")
        # A bar stands at the first base of its window, and so does the line of the window looked at.
        if view.looked_at.strand == strand:
            x = x_of(view.looked_at.start + 0.5)
            parts.append(
                f"<path d='M{x:.1f} {y:g}v{LANE + tall:g}' stroke='{plotting.INK}' stroke-dasharray='2 2'/>"
            )
        hits = np.flatnonzero(best >= view.passing)
        lane = y if up == 1 else base + tall
        parts.append(_marks(hits, heights, column, base, up, lane, strong))
        line = base - up * (np.clip(view.threshold, low, high) - low) * tall / (high - low)
        parts.append(
            f"<path d='M{LEFT} {line:.1f}h{WIDE}' stroke='{plotting.INK}' stroke-dasharray='5 3'/>"
            f"<path d='M{LEFT} {base:g}h{WIDE}M{LEFT} {base:g}v{-up * tall:g}' stroke='{plotting.FAINT}'/>"
        )
        parts.append(
            plotting.text(LEFT - 6, lane + LANE / 2, f"hits {SIGN[strand]}", size=11, anchor="end", bold=True)
        )
        for mark in plotting.ticks(low, high, max(2, int(tall / 24))):
            place = base - up * (mark - low) * tall / (high - low)
            if low <= mark <= high:
                words = f"{mark:g}".replace("-", "−")
                parts.append(
                    plotting.text(LEFT - 6, place, words, size=10, anchor="end", fill=plotting.FAINT)
                )
        y += LANE + tall
    return "".join(parts), y + 4


def _skyline(heights: np.ndarray, left: float, column: float, base: float, up: int) -> str:
    """Columns side by side as the data of one path; neighbours of one height become one column."""
    tops = np.rint(heights * 2) / 2
    last = np.append(np.flatnonzero(tops[1:] != tops[:-1]), len(tops) - 1)
    ends = np.round(left + (last + 1) * column, 1)
    steps = "".join(
        f"V{y:g}H{x:g}" for y, x in zip((base - up * tops[last]).tolist(), ends.tolist())
    )
    return f"M{left:g} {base:g}{steps}V{base:g}z"


def _marks(hits, heights, column: float, base: float, up: int, lane: float, colour: str) -> str:
    """A bar at each hit, and in its strand's lane a tip that points the way the strand is read."""
    if not len(hits):
        return ""
    passing = np.zeros_like(heights)
    passing[hits] = np.maximum(heights[hits], 1)
    bars = _skyline(passing, LEFT, column, base, up)
    if len(hits) <= 60:
        centres = np.round(LEFT + (hits + 0.5) * column, 1).tolist()
        tips = "".join(f"M{x - 4 * up:g} {lane + 2:g}l{8 * up} 5l{-8 * up} 5z" for x in centres)
    else:  # too many for tips that can be told apart
        edge = lane + (12 if up == 1 else 2)
        tips = _skyline(np.where(passing > 0, 10, 0), LEFT, column, edge, up)
    return f"<path d='{bars}{tips}' fill='{colour}'/>"


def _positions(view: ThresholdView, y: float, tall: float, x_of) -> str:
    """Between the strands: positions and, close up, the letters, with the window looked at in a frame."""
    first, end = view.shown
    marks = plotting.ticks(0, end - first, 7)
    step = max(1, int(marks[1]))
    places = list(range(-(-first // step) * step, end, step))
    middles = [round(x_of(place + 0.5), 1) for place in places]
    parts = [
        plotting.text_row(middles, y + tall - 9, [f"{p:,}" for p in places], size=10, fill=plotting.FAINT)
    ]
    if end - first > LETTERS:
        strokes = "".join(f"M{x:g} {y:g}v4" for x in middles)
        parts.append(f"<path d='{strokes}' stroke='{plotting.FAINT}'/>")
    if end - first <= LETTERS:
        window = view.looked_at
        left, right = x_of(window.start), x_of(window.start + len(window.word))
        parts.append(
            f"<rect x='{left:.1f}' y='{y + 2:g}' width='{right - left:.1f}' height='17' rx='2' "
            f"fill='#ffffff' stroke='{plotting.ACCENT}' stroke-width='2'/>"
        )
        letters = view.scan.sequence[first:end]
        xs = [x_of(first + number + 0.5) for number in range(len(letters))]
        parts.append(plotting.text_row([round(x, 1) for x in xs], y + 11, letters, size=11, bold=True))
    return "".join(parts)


def _distributions(view: ThresholdView, top: float) -> str:
    """Scores of random words and of true sites, each as high as the panel; what passes is dark."""
    motif = view.scan.motif
    wide, tall, base = 300, 96, top + 124
    low, high = float(motif.bins[0]), max(float(motif.bins[-1]), motif.range[1])
    scale = wide / (high - low)
    column = (motif.bins[1] - motif.bins[0]) * scale
    x = LEFT + (min(max(view.threshold, low), high) - low) * scale
    cut = min(int((x - LEFT) / column), BINS)
    parts = [plotting.text(LEFT, top + 2, "scores: random words and true sites", size=12, anchor="start", bold=True)]
    for shares, colour in ((motif.random_bins, RANDOM), (motif.site_bins, SITES)):
        heights = shares * (tall / shares.max())
        whole = _skyline(heights, LEFT, column, base, 1)
        parts.append(
            f"<path d='{whole}' fill='{plotting.tint(colour, 0.3)}' fill-opacity='.7' stroke='{colour}'/>"
        )
        if cut < BINS:
            begin = LEFT + cut * column
            rest = _skyline(heights[cut:], begin, column, base, 1)
            # The first column of the rest begins at the threshold itself.
            parts.append(f"<path d='{rest.replace(f'M{begin:g}', f'M{x:.1f}', 1)}' fill='{colour}'/>")
    parts.append(
        f"<path d='M{LEFT} {base}h{wide}' stroke='{plotting.FAINT}'/>"
        f"<path d='M{x:.1f} {base}V{top + 26}' stroke='{plotting.INK}' stroke-dasharray='5 3'/>"
    )
    words = f"threshold {_bits(view.threshold)}"
    parts.append(plotting.text(min(x, LEFT + wide - 46), top + 19, words, size=11, bold=True))
    marks = [mark for mark in plotting.ticks(low, high, 7) if low <= mark <= high]
    parts.append(
        plotting.text_row(
            [LEFT + (mark - low) * scale for mark in marks], base + 11,
            [f"{mark:g}".replace("-", "−") for mark in marks], size=10, fill=plotting.FAINT,
        )
    )  # fmt: skip
    parts.append(plotting.text(LEFT + wide / 2, base + 26, "bits (each shape drawn to its own height)", size=10, fill=plotting.FAINT))
    return "".join(parts)


def _counts(view: ThresholdView, top: float) -> str:
    """The two rates, and hits expected by chance beside hits found."""
    left, wide, parts = LEFT + 338, WIDE - 338, []
    most = max(view.expected, view.found, 1)
    lines = (
        (RANDOM, "random words that pass", _p(view.p_value), "false-positive rate of a window"),
        (SITES, "true sites that pass", _percent(view.sensitivity), "sensitivity"),
        (None, "hits expected by chance", _number(view.expected), ""),
        (None, "hits found", f"{view.found:,}", ""),
    )
    for number, (colour, words, value, meaning) in enumerate(lines):
        y = top + 2 + 30 * number
        if colour:
            parts.append(f"<rect x='{left}' y='{y - 6}' width='12' height='12' fill='{colour}'/>")
            parts.append(
                plotting.text(left + 18, y + 13, meaning, size=10, anchor="start", fill=plotting.FAINT)
            )
        else:
            share = (view.expected if number == 2 else view.found) / most
            parts.append(
                f"<rect x='{left}' y='{y + 9}' width='{wide * share:.1f}' height='7' "
                f"fill='{plotting.FAINT if number == 2 else plotting.ACCENT}'/>"
            )
        parts.append(plotting.text(left + (18 if colour else 0), y, words, anchor="start"))
        parts.append(plotting.text(left + wide, y, value, anchor="end", bold=True))
    y = top + 124
    if view.threshold > view.scan.motif.best:
        sentences = _unreachable(view)
    else:
        sentences = (
            f"{view.scan.windows:,} windows × {_many(len(view.strands), 'strand')} × {_p(view.p_value)}",
            "hits: " + ", ".join(f"{count:,} on {SIGN[strand]}" for strand, count in view.hits.items()),
        )
    for number, sentence in enumerate(sentences):
        parts.append(plotting.text(left, y + 15 * number, sentence, size=11, anchor="start"))
    return "".join(parts)


# --- controls ------------------------------------------------------------------------------------


def threshold_explorer(
    sequence: str = "", header: str = "", motif: str = "GATA4 MA0482.3", p_value: float = 1e-4
) -> Explorer:
    """The explorer, over a sequence or, without one, 16,384 bases of the GATA4 locus (lesson 02).

    Args:
        sequence: upper or lower case; windows with N never pass and are not counted.
        header: ``chrom:start-end``, if known; hits are then given in the genome too.
        motif: name and accession, one of the motifs that travel with the course.
        p_value: to start from.

    Raises:
        SequenceError: for a letter outside IUPAC.
        MotifError: for another motif, or a sequence without any base.
    """
    sequence = "".join(sequence.split())
    if not sequence:
        header, sequence = read_fasta(shipped("gata4_promoter.fa"))[0]
    motifs = {f"{m.name} {m.accession}": m for m in read_motifs(shipped("jaspar_motifs.txt"))}
    if motif not in motifs:
        raise MotifError(f"the motif is {motif!r}; choose one of {', '.join(motifs)}")
    background, place = background_of(sequence), place_of(header, len(sequence))
    prepared = functools.cache(lambda name: prepare(motifs[name], background))
    scanned = functools.cache(lambda name: scan_motif(prepared(name), sequence, place))

    style = {"description_width": "180px"}
    looks = {"style": style, "layout": ipywidgets.Layout(width="520px", max_width="100%")}
    closer = [(f"{many:,} bases", many) for many in (2048, 256, LETTERS) if many < len(sequence)]
    # Threshold and p-value are two handles of one number, and each moves the other to its nearest mark. The
    # marks are counted in whole numbers: a slider of fractions in ipywidgets 8 rounds what it is given and
    # sends it back, which would count as a move of its own.
    controls = {
        "motif": ipywidgets.SelectionSlider(
            options=list(motifs), value=motif, description="motif", **looks
        ),
        "strands": ipywidgets.SelectionSlider(
            options=[("both", "+-"), ("plus", "+"), ("minus", "-")], description="strands", **looks
        ),
        "threshold": ipywidgets.IntSlider(readout=False, description="threshold", **looks),
        "p_value": ipywidgets.SelectionSlider(
            options=[(_p(10 ** (tenths / 10)), tenths) for tenths in range(-70, -9)],
            value=_tenths(np.log10(p_value)), description="p-value", **looks,
        ),
        "zoom": ipywidgets.SelectionSlider(
            options=[("all bases", 0), *closer], description="shown", **looks
        ),
        "rank": ipywidgets.IntSlider(
            1, min=1, max=RANKED, description="look at window number", **looks
        ),
    }  # fmt: skip
    bits_handle, p_handle = controls["threshold"], controls["p_value"]
    exact, following = 0.0, False  # bits that the two handles stand for; whether one follows the other

    def set_threshold(bits: float, mover: ipywidgets.Widget) -> None:
        nonlocal exact, following
        exact, following = bits, True
        fitting = prepared(controls["motif"].value)
        bits_handle.description = f"threshold ({_bits(bits)} bits)"
        if mover is bits_handle:
            p_handle.value = _tenths(np.log10(max(fitting.random.p_value(bits), 1e-300)))
        else:
            low, high = (round(10 * bits) for bits in fitting.range)
            with bits_handle.hold_sync():
                # Wider first, so that the value moves once, and straight to where it belongs.
                bits_handle.max, bits_handle.min = max(high, bits_handle.max), min(low, bits_handle.min)
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
