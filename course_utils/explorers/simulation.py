"""The simulation explorer of lesson 03: how a set is made, what gives its classes away, the ceiling."""

from dataclasses import dataclass

import ipywidgets
import numpy as np

from course_utils.backgrounds import gc_background
from course_utils.ceilings import Ceiling, LowerBound, best_auc, ceiling, lower_bound
from course_utils.explorers import Explorer
from course_utils.explorers._simulation_picture import draw
from course_utils.sequences import from_codes, reverse_complement, to_codes
from course_utils.simulation import CCGGAA, Plan, SimulationError, make_plan, simulate

LENGTH, START = 20, 7  # bases of a sequence; where a site at a fixed place begins
MANY = 1000  # sequences of each class that are drawn, counted, and of which a few are shown
SHOWN, OTHERS = 6, 4  # positives and negatives that are written out
SEED = 1  # of the sequences
NOISE_SEED = 151  # of the wrong labels: about as large a share of those shown is wrong as of all
#: Sequences drawn for a ceiling that cannot be computed exactly: as many as a moving slider has time for.
SAMPLES = {"background": 3000, "gc": 3000, "shuffled": 1500, "dinucleotides": 3000}
PLACES = {
    "fixed": {"start": START, "strand": "+"},
    "anywhere": {"start": None, "strand": "+"},
    "either": {"start": None, "strand": "either"},
}
WORD = "CCGGAA"


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
    share = noise / 100
    if negatives == "dinucleotides":
        best = lower_bound(ppm, label_noise=share, **choices, **sample)
        # Guessing reaches 0.5, whatever chance made of the rule.
        best = best._replace(accuracy=max(best.accuracy, 0.5), auc=max(best.auc, 0.5))
    else:
        best = ceiling(ppm, label_noise=share, **choices, **sample)
    return SimulationView(
        ppm=ppm,
        background=background,
        negatives=negatives,
        noise=share,
        sequences=from_codes(made.codes[chosen]),
        truth=made.truth[chosen].tolist(),
        labels=labels[chosen].tolist(),
        starts=made.starts[chosen, 0].tolist(),
        strands=made.strands[chosen, 0].tolist(),
        bases=np.array([_shares(codes, 4) for codes in classes]),
        dinucleotides=np.array([_shares(4 * c[:, :-1] + c[:, 1:], 16) for c in classes]),
        words=np.array([_with_word(codes) for codes in classes]),
        best=best,
        counts_auc=0.5 + (1 - 2 * share) * (_auc_of_counts(plan) - 0.5),
    )


def _shares(codes: np.ndarray, kinds: int) -> np.ndarray:
    """The share of each of the numbers 0, 1, ..., kinds - 1: bases, or dinucleotides."""
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


def _auc_of_counts(plan: Plan) -> float:
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
    there = negative > 0  # the other places of the array are no counts of 20 bases
    return best_auc(sum(parts)[there] / len(parts), negative[there])


def _counts(background: np.ndarray, bases: int) -> np.ndarray:
    """The probability of each number of A, C and G among so many bases: ``(21, 21, 21)``; T is the rest."""
    log_factorial = np.append(0, np.cumsum(np.log(np.arange(1, LENGTH + 1))))
    numbers = np.arange(LENGTH + 1)
    a, c, g = numbers[:, None, None], numbers[:, None], numbers
    t = bases - a - c - g
    terms = [numbers * np.log(p) - log_factorial for p in background]
    logs = log_factorial[bases] + terms[0][a] + terms[1][c] + terms[2][g]
    logs = logs + terms[3][np.maximum(t, 0)]
    return np.where(t >= 0, np.exp(logs), 0)


# --- controls ------------------------------------------------------------------------------------


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
