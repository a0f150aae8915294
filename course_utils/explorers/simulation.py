"""The simulation explorer of lesson 03: how a set is made, what gives its classes away, the ceiling."""

from dataclasses import dataclass

import ipywidgets
import numpy as np

from course_utils import plotting
from course_utils.backgrounds import gc_background
from course_utils.ceilings import Ceiling, LowerBound, ceiling, lower_bound
from course_utils.explorers import Explorer, Panels, table
from course_utils.motifs import check_ppm, information
from course_utils.sequences import ALPHABET, from_codes, reverse_complement, to_codes
from course_utils.simulation import SimulationError, make_plan, simulate

LENGTH, START = 20, 7  # bases of a sequence; where a site at a fixed place begins
MANY = 1000  # sequences of each class that are drawn, counted, and of which a few are shown
SHOWN, OTHERS = 8, 4  # positives and negatives that are written out
SEED, NOISE_SEED = 1, 151  # of the second: about as many of the shown labels are wrong as of all
#: Sequences drawn for a ceiling that cannot be computed exactly: as many as a moving slider has time for.
SAMPLES = {"background": 4000, "gc": 4000, "shuffled": 2000, "dinucleotides": 4000}
PLACES = {
    "fixed": {"start": START, "strand": "+"},
    "anywhere": {"start": None, "strand": "+"},
    "either": {"start": None, "strand": "either"},
}
PLAIN = 0.97903, 0.99738  # accuracy and AUC of the set that the explorer starts with, exact
#: Percent of A, C, G, T at the six positions of the motif CCGGAA of two Korean lectures (lesson 03).
CCGGAA = np.array(
    [
        [10.41, 68.20, 17.27, 4.13],
        [22.86, 65.25, 8.30, 3.59],
        [1.92, 0.50, 94.77, 2.81],
        [1.55, 0.35, 97.32, 0.78],
        [98.60, 0.25, 0.87, 0.28],
        [86.66, 2.57, 0.00, 10.77],
    ]
)
WORD = "CCGGAA"
DINUCLEOTIDES = [first + second for first in ALPHABET for second in ALPHABET]


@dataclass(frozen=True, eq=False)
class SimulationView:
    """One way to simulate, what it gives, and what can be reached.

    Attributes:
        ppm: the motif after mixing, ``(6, 4)``.
        background: probabilities of A, C, G, T of the positives.
        negatives: what they are, as :func:`compute` was told.
        noise: share of labels that are wrong.
        sequences, truth, labels, starts, strands: of the sequences written out, positives first; the
            start is -1 and the strand ``"."`` where there is no site.
        bases: shares ``(2, 4)`` of A, C, G, T in sequences labelled positive, and negative.
        dinucleotides: the same of AA, AC, ..., TT: ``(2, 16)``.
        words: the share of sequences with CCGGAA or TTCCGG, in both: ``(2,)``.
        best: the ceiling, or what the best known rule reaches.
        counts_auc: AUC of the best rule that knows only how many A, C, G, T a sequence has. Exact.
    """

    ppm: np.ndarray
    background: np.ndarray
    negatives: str
    noise: float
    sequences: list[str]
    truth: list[int]
    labels: list[int]
    starts: list[int]
    strands: list[str]
    bases: np.ndarray
    dinucleotides: np.ndarray
    words: np.ndarray
    best: Ceiling | LowerBound
    counts_auc: float


def compute(strength: float, place: str, gc: int, negatives: str, noise: int) -> SimulationView:
    """Simulate 1,000 positives and 1,000 negatives of 20 bases, count, and find the ceiling.

    Args:
        strength: share of the motif in what sites are drawn from: strength * motif + (1 - strength) *
            background. At 0, a site looks as the background does.
        place: ``"fixed"`` (start 7), ``"anywhere"``, or ``"either"`` (anywhere, either strand).
        gc: percent of G and C in the background of the positives.
        negatives: ``"background"``, ``"gc"``, ``"shuffled"`` or ``"dinucleotides"``, as for
            :func:`course_utils.simulation.simulate`.
        noise: percent of labels that are wrong.

    Raises:
        SimulationError: for a value out of range, or an unknown place or kind of negatives.
    """
    if not 0 <= strength <= 1:
        raise SimulationError(f"the motif strength is {strength}; a number from 0 to 1 is expected")
    if place not in PLACES:
        raise SimulationError(
            f"the place is {place!r}; choose one of {', '.join(map(repr, PLACES))}"
        )
    if not 0 <= noise <= 50:
        raise SimulationError(f"the noise is {noise} percent; a number from 0 to 50 is expected")
    background = gc_background(gc / 100)
    motif = CCGGAA / CCGGAA.sum(axis=1, keepdims=True)
    ppm = strength * motif + (1 - strength) * background
    choices = {"length": LENGTH, "background": background, "against": negatives, **PLACES[place]}
    plan = make_plan(ppm, **choices)
    rng = np.random.default_rng(SEED)
    made = simulate(ppm, positives=MANY, negatives=MANY, rng=rng, **choices)
    # Not simulate's own noise: here a label that is wrong stays wrong when the noise grows.
    wrong = np.random.default_rng(NOISE_SEED).permutation(2 * MANY)[: round(noise / 100 * 2 * MANY)]
    labels = made.labels.copy()
    labels[wrong] = 1 - labels[wrong]
    classes = [made.codes[labels == label] for label in (1, 0)]
    chosen = [*range(SHOWN), *range(MANY, MANY + OTHERS)]

    sample = {"sample": SAMPLES[negatives], "rng": np.random.default_rng(SEED)}
    kept = 1 - 2 * noise / 100
    if negatives == "dinucleotides":
        known = lower_bound(ppm, **choices, **sample)
        best = LowerBound(
            *(0.5 + kept * (max(value, 0.5) - 0.5) for value in known[:2]),  # guessing reaches 0.5
            *(kept * error for error in known[2:4]),
            known.sample,
        )
    else:
        best = ceiling(ppm, label_noise=noise / 100, **choices, **sample)
    return SimulationView(
        ppm=ppm,
        background=background,
        negatives=negatives,
        noise=noise / 100,
        sequences=from_codes(made.codes[chosen]),
        truth=made.truth[chosen].tolist(),
        labels=labels[chosen].tolist(),
        starts=made.starts[chosen, 0].tolist(),
        strands=made.strands[chosen, 0].tolist(),
        bases=np.array([_shares(codes, 4) for codes in classes]),
        dinucleotides=np.array([_shares(4 * c[:, :-1] + c[:, 1:], 16) for c in classes]),
        words=np.array([_with_word(codes) for codes in classes]),
        best=best,
        counts_auc=0.5 + kept * (_auc_of_counts(plan) - 0.5),
    )


def _shares(codes: np.ndarray, kinds: int) -> np.ndarray:
    return np.bincount(codes.ravel(), minlength=kinds) / codes.size


def _with_word(codes: np.ndarray) -> float:
    """The share of sequences that hold CCGGAA on either strand."""
    windows = codes.shape[1] - len(WORD) + 1
    found = False
    for word in (WORD, reverse_complement(WORD)):
        same = True
        for position, base in enumerate(to_codes(word)):
            same = same & (codes[:, position : position + windows] == base)
        found = found | same.any(axis=1)
    return float(np.mean(found))


def _auc_of_counts(plan) -> float:
    """The AUC of the best rule on the counts of A, C, G, T, from the probabilities of all counts."""
    others = plan.negative_background()
    if others is None:  # shuffled: the counts are the same
        return 0.5
    positive = _counts(plan.background, LENGTH - len(WORD))
    strands = [plan.ppms[0], plan.ppms[0][:, ::-1]]
    parts = []
    for ppm in strands if plan.strand == "either" else strands[:1]:
        part = positive
        for row in ppm:  # one base more, A, C, G or T
            more = row[3] * part
            more[1:] += row[0] * part[:-1]
            more[:, 1:] += row[1] * part[:, :-1]
            more[:, :, 1:] += row[2] * part[:, :, :-1]
            part = more
        parts.append(part)
    negative = _counts(others, LENGTH)
    there = negative > 0
    positive, negative = sum(parts)[there] / len(parts), negative[there]
    order = np.argsort(positive / negative)
    positive, negative = positive[order], negative[order]
    return float(positive @ (np.cumsum(negative) - negative / 2))


def _counts(background: np.ndarray, bases: int) -> np.ndarray:
    """The probability of each number of A, C and G among so many bases: ``(21, 21, 21)``; T is the rest."""
    log_factorial = np.append(0, np.cumsum(np.log(np.arange(1, LENGTH + 1))))
    numbers = np.arange(LENGTH + 1)
    a, c, g = numbers[:, None, None], numbers[:, None], numbers
    t = bases - a - c - g
    terms = [numbers * np.log(p) - log_factorial for p in background]
    logs = (
        log_factorial[bases] + terms[0][a] + terms[1][c] + terms[2][g] + terms[3][np.maximum(t, 0)]
    )
    return np.where(t >= 0, np.exp(logs), 0)


# --- words ---------------------------------------------------------------------------------------


def draw(view: SimulationView) -> Panels:
    """A logo, a few sequences, composition, dinucleotides, and the ceiling as bars."""
    numbers = (
        table(
            [
                ("accuracy", _accuracy(view)),
                ("AUC", _auc(view)),
                ("AUC of the counts of A, C, G, T alone", f"{view.counts_auc:.3f}"),
                ("how accuracy and AUC were found", _how(view)),
            ],
            head=("no classifier can exceed" if _is_known(view) else "can be reached", "value"),
        )
        + table(
            [
                (f"labelled {name}", *map(_percent, view.bases[row]), _percent(view.words[row]))
                for row, name in enumerate(("positive", "negative"))
            ],
            head=("share of", *ALPHABET, "sequences with CCGGAA or TTCCGG"),
        )
        + table(
            [
                (f"{base}, then", *(f"{100 * p:.1f} | {100 * n:.1f}" for p, n in pairs))
                for base, pairs in zip(ALPHABET, view.dinucleotides.T.reshape(4, 4, 2))
            ],
            head=("percent of dinucleotides, positive | negative", *ALPHABET),
        )
        + table(
            [
                (
                    str(row),
                    sequence,
                    str(label),
                    _site(start, strand),
                    "wrong" if label != truth else "right",
                )
                for row, (sequence, truth, label, start, strand) in enumerate(_rows(view))
            ],
            head=("example", "sequence", "label", "site", "the label is"),
        )
    )
    gap = np.abs(view.bases[0] - view.bases[1]).max()
    summary = (
        f"site of {_bits(view):.1f} bits; {_claim(view)} accuracy {_accuracy(view)}, AUC {_auc(view)}; "
        f"the counts of A, C, G, T alone reach AUC {view.counts_auc:.3f}, their shares differ by up to "
        f"{_percent(gap)} between the classes; CCGGAA or TTCCGG in {_percent(view.words[0])} of those "
        f"labelled positive, {_percent(view.words[1])} of those labelled negative; "
        f"{100 * view.noise:.0f} % of labels wrong."
    )
    return Panels(_picture(view, summary), numbers, summary)


def _is_known(view: SimulationView) -> bool:
    return isinstance(view.best, Ceiling)


def _claim(view: SimulationView) -> str:
    return (
        "no classifier exceeds"
        if _is_known(view)
        else "the ceiling is not computed, a good rule reaches"
    )


def _accuracy(view: SimulationView) -> str:
    best = view.best
    if not best.sample:
        return f"{100 * best.accuracy:.2f} %"
    digits = 2 if best.accuracy_se < 0.00095 else 1
    return f"{_least(view)}{100 * best.accuracy:.{digits}f} ± {100 * best.accuracy_se:.{digits}f} %"


def _auc(view: SimulationView) -> str:
    best = view.best
    if not best.sample:
        return f"{best.auc:.4f}"
    digits = 4 if best.auc_se < 0.00095 else 3
    return f"{_least(view)}{best.auc:.{digits}f} ± {best.auc_se:.{digits}f}"


def _least(view: SimulationView) -> str:
    return "" if _is_known(view) else "at least "


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _bits(view: SimulationView) -> float:
    return float(information(check_ppm(view.ppm), view.background).sum()) + 0.0


def _rows(view: SimulationView):
    return zip(view.sequences, view.truth, view.labels, view.starts, view.strands)


def _site(start: int, strand: str) -> str:
    return "none" if start < 0 else f"{start} to {start + len(WORD)}, strand {strand}"


def _how(view: SimulationView) -> str:
    how = "exact: all 4,096 words of the site were listed"
    if view.best.sample:
        how = f"± standard error; {view.best.sample:,} sequences drawn"
    return how + ("; judged by labels that may be wrong" if view.noise else "")


# --- the picture ---------------------------------------------------------------------------------

WIDTH, RIGHT = 724, 392  # pixels: of the picture, and where its right half begins
LETTER, ROW = 13, 19
NEGATIVES = {
    "background": "negatives: fresh sequences from the background",
    "gc": "negatives: fresh sequences with the positives' GC content",
    "shuffled": "negatives: the first four positives, shuffled",
    "dinucleotides": "negatives: the first four positives, dinucleotides kept",
}
POSITIVE, NEGATIVE, WRONG = plotting.ACCENT, "#dcdcdc", "#8a1c00"


def _picture(view: SimulationView, label: str) -> str:
    motif, top = _motif(view)
    examples, bottom = _examples(view, top + 12)
    right = _bars(view.bases, list(ALPHABET), "share of each base, in percent", 26, 12, 100)
    right += _bars(
        view.dinucleotides, DINUCLEOTIDES, "share of each dinucleotide, in percent", 7, 206, 122
    )
    ceilings, end = _ceilings(view, bottom + 10)
    return plotting.svg(WIDTH, end, motif + examples + right + ceilings, label)


def _motif(view: SimulationView) -> tuple[str, float]:
    """The logo of the mixed motif with remarks beside it, and where the panel ends."""
    heights = view.ppm * np.maximum(information(view.ppm, view.background), 0)[:, None]
    most = max(2, heights.sum(axis=1).max())
    logo, wide, high = plotting.logo(heights, cell=2 * LETTER, high=62, left=44, limits=(0, most))
    parts = [
        plotting.text(8, 14, "the sites are drawn from", anchor="start", bold=True),
        f"<g transform='translate(4 24)'>{logo}</g>",
    ]
    remarks = (
        f"{_bits(view):.1f} bits",
        f"background GC {100 * view.background[1:3].sum():.0f} %",
        "CCGGAA or TTCCGG in",
        f"{_percent(view.words[0])} of label 1",
        f"{_percent(view.words[1])} of label 0",
    )
    for line, remark in enumerate(remarks):
        y = 38 + 16 * line + 6 * (line > 1)
        parts.append(plotting.text(wide + 18, y, remark, size=11, anchor="start", bold=not line))
    return "".join(parts), 28 + high


def _examples(view: SimulationView, y: float) -> tuple[str, float]:
    """A few sequences with their labels, sites framed, and where the panel ends."""
    left = 84
    middles = [left + (i + 0.5) * LETTER for i in range(LENGTH)]
    at_strand = left + LENGTH * LETTER + 18
    small = {"size": 11, "fill": plotting.FAINT}
    parts = [
        plotting.text(8, y, "label", anchor="start", **small),
        plotting.text(left, y, "positives: the site is framed", anchor="start", **small),
        plotting.text(at_strand, y, "strand", **small),
    ]
    y += 9
    boxes, frames = dict.fromkeys(ALPHABET, ""), ""
    for number, (sequence, truth, label, start, strand) in enumerate(_rows(view)):
        if number == SHOWN:
            parts.append(
                plotting.text(8, y + 13, NEGATIVES[view.negatives], anchor="start", **small)
            )
            y += 23
        middle = y + ROW / 2
        site = range(start, start + len(WORD)) if truth else range(0)
        inks = [
            plotting.readable_ink(plotting.BASE_COLOURS[base]) if i in site else plotting.FAINT
            for i, base in enumerate(sequence)
        ]
        for ink in dict.fromkeys(inks):
            chosen = [i for i in range(LENGTH) if inks[i] == ink]
            xs, letters = [middles[i] for i in chosen], [sequence[i] for i in chosen]
            parts.append(
                plotting.text_row(xs, middle, letters, fill=ink, bold=ink != plotting.FAINT)
            )
        for i in site:
            boxes[sequence[i]] += f"M{left + i * LETTER} {y + 1:g}h{LETTER}v{ROW - 2}h-{LETTER}z"
        if truth:
            wide = len(WORD) * LETTER
            frames += f"M{left + start * LETTER} {y + 1:g}h{wide}v{ROW - 2}h-{wide}z"
            parts.append(plotting.text(at_strand, middle, "+ →" if strand == "+" else "− ←"))
        wrong = label != truth
        told, fill = (f"{label} ✗ wrong", WRONG) if wrong else (str(label), plotting.INK)
        parts.append(plotting.text(8, middle, told, anchor="start", fill=fill, bold=wrong))
        y += ROW
    filled = "".join(
        f"<path d='{path}' fill='{plotting.BASE_COLOURS[base]}'/>" for base, path in boxes.items()
    )
    frame = f"<path d='{frames}' fill='none' stroke='{plotting.INK}' stroke-width='1.5'/>"
    return filled + "".join(parts) + frame, y


def _bars(
    shares: np.ndarray, names: list[str], title: str, thick: float, top: float, high: float
) -> str:
    """A pair of bars for each name: filled for positives, with an outline for negatives."""
    left, wide = RIGHT + 26, WIDTH - RIGHT - 34
    base = top + 44 + high
    marks = plotting.ticks(0, 100 * shares.max(), 4)
    scale = high / marks[-1]
    parts = [
        plotting.text(RIGHT, top + 2, title, anchor="start", bold=True),
        f"<rect x='{RIGHT}' y='{top + 15}' width='10' height='10' fill='{POSITIVE}'/>"
        f"<rect x='{RIGHT + 138.5}' y='{top + 15.5}' width='9' height='9' fill='{NEGATIVE}' "
        f"stroke='{plotting.FAINT}'/>",
        plotting.text(RIGHT + 15, top + 20, "labelled positive", anchor="start", size=11),
        plotting.text(RIGHT + 153, top + 20, "labelled negative", anchor="start", size=11),
    ]
    lines = "".join(f"M{left} {base - mark * scale:.1f}h{wide}" for mark in marks)
    parts.append(f"<path d='{lines}' stroke='#e4e4e4'/>")
    for mark in marks:
        parts.append(
            plotting.text(
                left - 5,
                base - mark * scale,
                f"{mark:g}",
                size=10,
                anchor="end",
                fill=plotting.FAINT,
            )
        )
    step = wide / len(names)
    middles = [left + (i + 0.5) * step for i in range(len(names))]
    for row, style in enumerate(
        (f"fill='{POSITIVE}'", f"fill='{NEGATIVE}' stroke='{plotting.FAINT}'")
    ):
        path = ""
        for middle, share in zip(middles, 100 * shares[row]):
            inset = 0.5 * row  # the outline belongs to the bar
            x = middle + (row - 1) * thick + inset
            path += f"M{x:.1f} {base:g}v{-share * scale:.1f}h{thick - 2 * inset:g}V{base:g}z"
        parts.append(f"<path d='{path}' {style}/>")
    parts.append(f"<path d='M{left} {base:g}h{wide}' stroke='{plotting.FAINT}'/>")
    size = 12 if len(names) == 4 else 10
    parts.append(plotting.text_row(middles, base + 11, names, size=size, bold=len(names) == 4))
    return "".join(parts)


def _ceilings(view: SimulationView, y: float) -> tuple[str, float]:
    """What can be reached, from a coin's one half to 1, and where the panel ends."""
    left, wide, best = 222, 316, view.best
    if _is_known(view):
        title = "the ceiling: no classifier can exceed it"
    else:
        title = "the ceiling is not computed here; this is what a good rule reaches"
    parts = [
        f"<path d='M8 {y:g}H{WIDTH - 8}' stroke='#c8c8c8'/>",
        plotting.text(8, y + 17, title, anchor="start", bold=True),
    ]
    rows = (
        ("accuracy", best.accuracy, best.accuracy_se, _accuracy(view), PLAIN[0]),
        ("AUC", best.auc, best.auc_se, _auc(view), PLAIN[1]),
        ("AUC of counts of A, C, G, T alone", view.counts_auc, 0, f"{view.counts_auc:.3f}", None),
    )
    y += 34
    for name, value, error, words, plain in rows:
        size, fill = (12, POSITIVE) if plain else (11, plotting.FAINT)
        # One half is at the left end, 1 at the right.
        end, low, high, at = (
            left + wide * min(max(2 * number - 1, 0), 1)
            for number in (value, value - error, value + error, plain or 1)
        )
        parts += [
            plotting.text(left - 10, y + 8, name, size=size, anchor="end"),
            f"<rect x='{left}' y='{y:g}' width='{wide}' height='16' fill='#f4f4f4' stroke='#c8c8c8'/>"
            f"<rect x='{left}' y='{y:g}' width='{end - left:.1f}' height='16' fill='{fill}'/>",
            plotting.text(left + wide + 10, y + 8, words, anchor="start", bold=bool(plain)),
        ]
        if plain and not _is_known(view) and end < left + wide - 50:
            middle = (end + left + wide) / 2
            parts.append(
                f"<path d='M{end:.1f} {y + 8:g}H{middle - 9:.1f}M{middle + 9:.1f} {y + 8:g}H{left + wide}' "
                f"stroke='{plotting.INK}' stroke-width='1.5' stroke-dasharray='4 3'/>"
            )
            parts.append(plotting.text(middle, y + 8, "?", bold=True))
        if error:  # dark on a white rim, to be seen on the bar and beside it
            whisker = (
                f"M{low:.1f} {y + 8:g}H{high:.1f}M{low:.1f} {y + 4:g}v8M{high:.1f} {y + 4:g}v8"
            )
            parts += [
                f"<path d='{whisker}' stroke='{colour}' stroke-width='{thick}'/>"
                for colour, thick in ((plotting.PAPER, 4), (plotting.INK, 1.5))
            ]
        if plain:
            parts.append(
                f"<path d='M{at:.1f} {y - 3:g}v22' stroke='{plotting.INK}' stroke-width='2' "
                "stroke-dasharray='3 2'/>"
            )
        y += 24
    xs = [left + wide * i / 5 for i in range(6)]
    strokes = "".join(f"M{x:g} {y - 6:g}v4" for x in xs)
    small = {"size": 10, "fill": plotting.FAINT}
    note = "dashed line: the plain set, 97.90 % and 0.9974"
    parts += [
        f"<path d='{strokes}' stroke='{plotting.FAINT}'/>",
        plotting.text_row(xs, y + 5, [f"{0.5 + i / 10:g}" for i in range(6)], **small),
        plotting.text(WIDTH - 12, y + 24, note, anchor="end", **small),
        plotting.text(8, y + 24, _how(view), anchor="start", **small),
    ]
    return "".join(parts), y + 36


def simulation_explorer() -> Explorer:
    """The explorer, starting with the plain set: CCGGAA at 7, uniform background (lesson 03)."""
    wide = {"description_width": "190px"}
    layout = ipywidgets.Layout(width="520px", max_width="100%")
    controls = {
        "strength": ipywidgets.FloatSlider(
            1.0, min=0.0, max=1.0, step=0.05, readout_format=".2f",
            description="motif strength", style=wide, layout=layout,
        ),
        "place": ipywidgets.SelectionSlider(
            options=[
                (f"fixed at {START}", "fixed"),
                ("anywhere", "anywhere"),
                ("anywhere, either strand", "either"),
            ],
            value="fixed", description="place of the site", style=wide, layout=layout,
        ),
        "gc": ipywidgets.IntSlider(
            50, min=20, max=80, description="background GC (percent)", style=wide, layout=layout
        ),
        "negatives": ipywidgets.SelectionSlider(
            options=[
                ("fresh background", "background"),
                ("fresh, GC matched", "gc"),
                ("shuffled positives", "shuffled"),
                ("dinucleotide-shuffled", "dinucleotides"),
            ],
            value="background", description="negatives", style=wide, layout=layout,
        ),
        "noise": ipywidgets.IntSlider(
            0, min=0, max=40, description="wrong labels (percent)", style=wide, layout=layout
        ),
    }  # fmt: skip
    return Explorer("simulation explorer", controls, compute, draw)
