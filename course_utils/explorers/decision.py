"""The decision explorer of lesson 05: one threshold on the scores, the counts, the ROC and the PR curve.

The scores of negatives and positives are two normal distributions of standard deviation 1, as far apart as
the AUC asks for: a model whose truth we know, so that a test of some size can be held against an endless one.
Threshold and counts move at once; a test set is drawn once for each setting of the other controls and kept.
"""

import functools
from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist

import ipywidgets
import numpy as np

from course_utils.evaluation import Confusion, Curves
from course_utils.explorers import Explorer
from course_utils.explorers._decision_picture import draw, write_score, write_share
from course_utils.intervals import Interval, auc_interval, wilson

PREVALENCES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
AUCS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99, 0.997)
SIZES = (100, 400, 1_000, 4_000, 10_000)
LAST = 50  # tenths: thresholds go from -5 to 5
BINS = np.linspace(-6, 6, 49)  # edges of the histogram


@dataclass(frozen=True, eq=False)
class Sample:
    """The scores of one test set, and what does not change while the threshold moves.

    Attributes:
        auc: of an endless test.
        curves: of this test.
        auc_interval: of this test's AUC, 95 %.
        negative_bins, positive_bins: examples in each bin of `BINS`.
        negative_shape, positive_shape: the same, as expected.
        true_false_positive_rate, true_recall, true_precision: curves of an endless test of this prevalence.
        true_average_precision: the area under the latter.
    """

    auc: float
    curves: Curves
    auc_interval: Interval | None
    negative_bins: np.ndarray
    positive_bins: np.ndarray
    negative_shape: np.ndarray
    positive_shape: np.ndarray
    true_false_positive_rate: np.ndarray
    true_recall: np.ndarray
    true_precision: np.ndarray
    true_average_precision: float


@dataclass(frozen=True, eq=False)
class DecisionView:
    """What one threshold does to a test set.

    Attributes:
        threshold: called positive is what scores as high or higher.
        sample: the test set.
        counts: the confusion table.
        intervals: measure -> 95 % Wilson interval, where the measure is a share of a count above 0.
        true_recall, true_false_positive_rate, true_precision: of an endless test at this threshold.
    """

    threshold: float
    sample: Sample
    counts: Confusion
    intervals: dict[str, Interval]
    true_recall: float
    true_false_positive_rate: float
    true_precision: float


def distance(auc: float) -> float:
    """How many standard deviations lie between two normal distributions of this AUC."""
    return sqrt(2) * NormalDist().inv_cdf(auc)


def _above(scores: np.ndarray, mean: float) -> np.ndarray:
    """The share of a normal distribution of that mean, and sd 1, above each score."""
    return np.array([erfc((score - mean) / sqrt(2)) / 2 for score in scores.tolist()])


@functools.lru_cache(maxsize=8)
def _drawn(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise of negatives and positives, the same for every setting of the other controls."""
    rng = np.random.default_rng(number)
    return rng.standard_normal(SIZES[-1]), rng.standard_normal(SIZES[-1])


@functools.lru_cache(maxsize=8)
def sample(prevalence: float, auc: float, examples: int, number: int) -> Sample:
    """Draw a test set: the first examples of both classes, so that fewer of them are a part of more.

    Args:
        prevalence: share of positives, above 0 and below 1.
        auc: of an endless test, from 0.5 and below 1.
        examples: in all.
        number: which test set; each has its own random numbers.

    Raises:
        ValueError: for a number out of range, or so few examples that one class has none.
    """
    if not 0 < prevalence < 1:
        raise ValueError(
            f"the prevalence is {prevalence:g}; a number above 0 and below 1 is expected"
        )
    if not 0.5 <= auc < 1:
        raise ValueError(f"the AUC is {auc:g}; a number from 0.5 and below 1 is expected")
    if not 2 <= examples <= SIZES[-1] or number < 0:
        raise ValueError(
            f"{examples} examples of test set {number}; from 2 to {SIZES[-1]:,} of a set from 0 up are "
            "expected"
        )
    many = round(prevalence * examples)
    if not 0 < many < examples:
        few = "positives" if many == 0 else "negatives"
        raise ValueError(
            f"a test of {examples:,} examples with a prevalence of {write_share(prevalence)} has no "
            f"{few}, so there is nothing to rank; take more examples, or more common {few}"
        )
    half = distance(auc) / 2
    noise = _drawn(number)
    negative, positive = (
        np.sort(noise[0][: examples - many] - half),
        np.sort(noise[1][:many] + half),
    )
    grid = np.linspace(7, -7, 141)
    rate, recall = _above(grid, -half), _above(grid, half)
    precision = many * recall / (many * recall + (examples - many) * rate)
    edges = [_above(BINS, mean) for mean in (-half, half)]
    return Sample(
        auc=auc,
        curves=_curves(negative, positive),
        auc_interval=_interval(negative, positive),
        negative_bins=np.histogram(np.clip(negative, -5.9, 5.9), BINS)[0],
        positive_bins=np.histogram(np.clip(positive, -5.9, 5.9), BINS)[0],
        negative_shape=-np.diff(edges[0]) * len(negative),
        positive_shape=-np.diff(edges[1]) * len(positive),
        true_false_positive_rate=rate,
        true_recall=recall,
        true_precision=precision,
        true_average_precision=float(
            (np.diff(recall) * (precision[1:] + precision[:-1]) / 2).sum()
        ),
    )


def _curves(negative: np.ndarray, positive: np.ndarray) -> Curves:
    """What :func:`course_utils.evaluation.curves` gives, faster: both are sorted, and no two are equal."""
    scores = np.sort(np.concatenate([negative, positive]))[::-1]
    tp = len(positive) - np.searchsorted(positive, scores, "left")
    fp = len(negative) - np.searchsorted(negative, scores, "left")
    recall = np.concatenate([[0], tp]) / len(positive)
    average = float((np.diff(recall) * tp / (tp + fp)).sum())
    area = float(np.searchsorted(negative, positive).mean() / len(negative))
    return Curves(
        thresholds=np.concatenate([[np.inf], scores]),
        tp=np.concatenate([[0], tp]),
        fp=np.concatenate([[0], fp]),
        positives=len(positive),
        negatives=len(negative),
        auc=area,
        average_precision=average,
    )


def _interval(negative: np.ndarray, positive: np.ndarray) -> Interval | None:
    if min(len(negative), len(positive)) < 2:
        return None
    labels = np.repeat([0, 1], [len(negative), len(positive)])
    return auc_interval(labels, np.concatenate([negative, positive]))


def compute(
    threshold: float, prevalence: float, auc: float, examples: int, number: int
) -> DecisionView:
    """Count what reaches the threshold, and how sure the shares are.

    Args:
        threshold: on the scores, whose middle is 0 and whose unit is the standard deviation of a class.
        prevalence, auc, examples, number: of :func:`sample`.

    Raises:
        ValueError: for a number out of range, or so few examples that one class has none.
    """
    drawn = sample(prevalence, auc, examples, number)
    counts = drawn.curves.at(threshold)
    shares = {
        "accuracy": (counts.tp + counts.tn, counts.total),
        "recall": (counts.tp, counts.positives),
        "specificity": (counts.tn, counts.negatives),
        "precision": (counts.tp, counts.tp + counts.fp),
    }
    half = distance(auc) / 2
    rate, recall = (float(_above(np.array([threshold]), mean)[0]) for mean in (-half, half))
    right, wrong = counts.positives * recall, counts.negatives * rate
    return DecisionView(
        threshold=float(threshold),
        sample=drawn,
        counts=counts,
        intervals={name: wilson(*pair) for name, pair in shares.items() if pair[1]},
        true_recall=recall,
        true_false_positive_rate=rate,
        true_precision=right / (right + wrong),
    )


def decision_explorer() -> Explorer:
    """The explorer, starting with one positive in ten and a model of AUC 0.95 (lesson 05)."""
    looks = {
        "style": {"description_width": "190px"},
        "layout": ipywidgets.Layout(width="520px", max_width="100%"),
    }
    # Whole tenths: a slider of fractions in ipywidgets 8 rounds what it is given and sends it back.
    controls = {
        "threshold": ipywidgets.SelectionSlider(
            options=[(write_score(tenths / 10), tenths) for tenths in range(-LAST, LAST + 1)],
            value=0, description="threshold", **looks,
        ),
        "prevalence": ipywidgets.SelectionSlider(
            options=[(write_share(share), share) for share in reversed(PREVALENCES)],
            value=0.1, description="prevalence", **looks,
        ),
        "auc": ipywidgets.SelectionSlider(
            options=[(f"{auc:g}", auc) for auc in AUCS], value=0.95,
            description="the model's AUC", **looks,
        ),
        "examples": ipywidgets.SelectionSlider(
            options=[(f"{many:,}", many) for many in SIZES], value=1_000,
            description="examples in the test", **looks,
        ),
        "number": ipywidgets.IntSlider(1, min=1, max=20, description="test set number", **looks),
    }  # fmt: skip

    def compute_here(threshold: int, **others) -> DecisionView:
        return compute(threshold=threshold / 10, **others)

    return Explorer("decision explorer", controls, compute_here, draw)
