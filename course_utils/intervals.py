"""How sure can we be of what a test shows: intervals of shares and areas, repeated seeds, calibration.

Labels and scores are those of :mod:`course_utils.evaluation`, whose errors are raised here too. Intervals are
two-sided; 95 % of them should hold the truth unless another confidence is asked for. Explained in lesson 05, that of
paired scores in lesson 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, pi, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from course_utils.evaluation import (
    EvaluationError,
    check_between,
    check_labels,
    check_scores,
    check_vector,
    check_whole,
    refuse_hard_labels,
)

# --- intervals -----------------------------------------------------------------------------------


class Interval(NamedTuple):
    """An estimate and the interval around it."""

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:.4f} ({self.low:.4f} to {self.high:.4f})"


def wilson(successes: int, total: int, confidence: float = 0.95) -> Interval:
    """The interval of a share, such as an accuracy: Wilson's score interval.

    All shares that the count does not contradict. It never leaves 0 to 1 and is of use at 0 and at all
    successes, where the usual ``p +- 1.96 sqrt(p (1 - p) / n)`` shrinks to nothing. E. B. Wilson, Journal of
    the American Statistical Association 22, 209-212, 1927; recommended by Brown, Cai & DasGupta, Statistical
    Science 16, 101-133, 2001.

    Args:
        successes: a count, such as right calls.
        total: out of how many, from 1 up.
        confidence: how often such an interval should hold the true share, above 0 and below 1.

    Raises:
        EvaluationError: for counts that are none, more successes than examples, or a confidence out of
            range (lesson 05).
    """
    total = check_whole("total", total, 1)
    successes = check_whole("successes", successes, 0)
    if successes > total:
        raise EvaluationError(f"successes is {successes}, more than the total of {total}")
    z = _normal_quantile(confidence)
    share, extra = successes / total, z * z / total
    middle = (share + extra / 2) / (1 + extra)
    half = z * sqrt(share * (1 - share) / total + extra / (4 * total)) / (1 + extra)
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == total else min(1.0, middle + half)
    return Interval(share, low, high)


def auc_interval(
    labels: Sequence[int] | np.ndarray,
    scores: Sequence[float] | np.ndarray,
    confidence: float = 0.95,
    *,
    hard: bool = False,
) -> Interval:
    """The interval of an AUC, from one test set: DeLong's variance, on the logit scale.

    DeLong, DeLong & Clarke-Pearson, Biometrics 44, 837-845, 1988: each positive has its share of negatives
    below it and each negative its share of positives above; how these shares scatter gives the standard
    error. On the logit scale the interval stays below 1 and keeps its promise better. With normal scores,
    200 examples of each class and a true AUC of 0.997, 95 % intervals held it in 93 % of trials; plain ones
    (AUC +- 1.96 errors) did in 86 %, those of a bootstrap (percentiles) in 89 %. For AUCs from 0.7 to 0.97 it
    was 94 to 96 %. With 20 examples of one class it was 86 to 94 %: too few for any of the three.

    Where every pair is in the right order the variance is 0, and the lower end is what the m pairs without
    a common example allow, ``((1 - confidence) / 2) ** (1 / m)``, m being the size of the smaller class.

    Args:
        labels, scores, hard: as for :func:`curves`.
        confidence: how often such an interval should hold the true AUC, above 0 and below 1.

    Raises:
        EvaluationError: for what :func:`curves` refuses, fewer than two examples of a class, or a confidence
            out of range (lesson 05).
    """
    z = _normal_quantile(confidence)
    truth = check_labels(labels)
    scores = check_scores(scores, truth)
    if not hard:
        refuse_hard_labels(scores)
    positive, negative = np.sort(scores[truth == 1]), np.sort(scores[truth == 0])
    fewest = min(len(positive), len(negative))
    if fewest < 2:
        raise EvaluationError(
            f"there are {len(positive)} positives and {len(negative)} negatives; an interval of an AUC needs "
            "at least two of each"
        )
    wins = _share_below(negative, positive)  # of each positive
    losses = _share_below(positive, negative)  # of each negative
    auc = float(wins.mean())
    error = sqrt(wins.var(ddof=1) / len(positive) + losses.var(ddof=1) / len(negative))
    if error == 0 and auc in (0.0, 1.0):
        end = ((1 - confidence) / 2) ** (1 / fewest)
        return Interval(auc, end, 1.0) if auc == 1 else Interval(auc, 0.0, 1 - end)
    middle, half = log(auc / (1 - auc)), z * error / (auc * (1 - auc))
    return Interval(auc, *(1 / (1 + exp(-end)) for end in (middle - half, middle + half)))


def _share_below(others: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For each score the share of the sorted others that lie below it; equal ones count half."""
    below, up_to = (np.searchsorted(others, scores, side) for side in ("left", "right"))
    return (below + up_to) / (2 * len(others))


def _normal_quantile(confidence: float) -> float:
    """How many standard deviations hold this share of a normal distribution: 1.96 for 0.95."""
    check_between("the confidence", confidence)
    return NormalDist().inv_cdf(0.5 + confidence / 2)


# --- repeated seeds ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seeds:
    """Accuracies of repeated runs, and how much of their scatter the test sets explain.

    Attributes:
        runs: how many.
        mean: of the accuracies.
        sd: of the accuracies, with runs - 1 below.
        luck: the standard deviation that the test set's size alone gives, ``sqrt(mean (1 - mean) / n)``.
        models: what is left for the models, training sets and seeds; 0 where luck explains all.
        error: standard error of the mean.
        same_test: whether all runs were judged on one test set.
    """

    runs: int
    mean: float
    sd: float
    luck: float
    models: float
    error: float
    same_test: bool

    def __str__(self) -> str:
        said = f"{self.runs} runs: mean {self.mean:.4f}, sd {self.sd:.4f}; "
        if self.same_test:
            return said + (
                f"the test set's luck ({self.luck:.4f}) is the same in all runs: it does not show in the sd, "
                f"and more runs do not lessen it; standard error of the mean {self.error:.4f}"
            )
        return said + (
            f"the test sets' luck alone gives {self.luck:.4f}, and {self.models:.4f} is left for the models; "
            f"standard error of the mean {self.error:.4f}"
        )


def over_seeds(
    accuracies: Sequence[float] | np.ndarray, test_size: int, *, same_test: bool = False
) -> Seeds:
    """Mean and scatter over repeated runs, and how much of the scatter is the tests' own luck.

    If each run has a fresh test set, variances add: ``sd**2 = luck**2 + models**2``. If all runs share one
    test set, its luck moves all of them together: the scatter is the models' alone, and the luck is an error
    of the mean that no number of runs lessens.

    Args:
        accuracies: of the runs, fractions from 0 to 1, at least two.
        test_size: examples in each test set.
        same_test: whether the runs share one test set.

    Raises:
        EvaluationError: for fewer than two runs, numbers that are no fractions, or a test size that is none
            (lesson 05).
    """
    values = check_vector(accuracies, "accuracies")
    if len(values) < 2:
        raise EvaluationError(
            f"{len(values)} accuracy came; a standard deviation needs at least two"
        )
    outside = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if len(outside):
        raise EvaluationError(
            f"accuracy number {outside[0]} is {values[outside[0]]:g}; fractions from 0 to 1 are expected"
        )
    n = check_whole("test_size", test_size, 1)
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    luck = sqrt(mean * (1 - mean) / n)
    if same_test:
        return Seeds(len(values), mean, sd, luck, sd, sqrt(sd**2 / len(values) + luck**2), True)
    models = sqrt(max(0.0, sd**2 - luck**2))
    return Seeds(len(values), mean, sd, luck, models, sd / sqrt(len(values)), False)


def paired_interval(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    confidence: float = 0.95,
) -> Interval:
    """The mean difference ``first - second`` of two methods judged side by side, and its t interval.

    What the folds or seeds have in common, such as a hard test window, cancels in each difference. The interval is
    the mean +- t x standard error, with Student's t for n - 1 degrees of freedom: 12.7 for two pairs, 2.8 for five. It
    takes the pairs as independent; folds, whose training sets overlap, are not quite, and then it is too narrow
    (Y. Bengio & Y. Grandvalet, Journal of Machine Learning Research 5, 1089-1105, 2004).

    Args:
        first, second: scores of the two methods, ``(n,)``; entry i of both comes from the same fold or seed.
        confidence: how often such an interval should hold the true difference, above 0 and below 1.

    Raises:
        EvaluationError: for unequal lengths, fewer than two pairs, NaN or infinity, or a confidence out of
            range (lesson 10).
    """
    pair = [check_vector(first, "first scores"), check_vector(second, "second scores")]
    if len(pair[0]) != len(pair[1]):
        raise EvaluationError(
            f"there are {len(pair[0])} first scores and {len(pair[1])} second ones; pairs are expected"
        )
    if len(pair[0]) < 2:
        raise EvaluationError("1 pair came; a standard error needs at least two")
    for which, values in zip(("first", "second"), pair):
        strange = np.flatnonzero(~np.isfinite(values))
        if len(strange):
            raise EvaluationError(
                f"the {which} score number {strange[0]} is {values[strange[0]]:g}; finite numbers are expected"
            )
    check_between("the confidence", confidence)
    from scipy.special import stdtrit  # scikit-learn brings scipy along

    differences = pair[0] - pair[1]
    mean, error = float(differences.mean()), float(differences.std(ddof=1)) / sqrt(len(differences))
    half = float(stdtrit(len(differences) - 1, 0.5 + confidence / 2)) * error
    return Interval(mean, mean - half, mean + half)


# --- calibration ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Calibration:
    """Predicted probabilities beside what happened, in bins of equal width.

    Attributes:
        edges: of the bins, ``(bins + 1,)``; a bin includes its lower edge, the last one also its upper.
        counts: examples in each bin, ``(bins,)``.
        predicted: mean probability of a bin, ``(bins,)``; NaN where it is empty.
        observed: share of positives in a bin, ``(bins,)``; NaN where it is empty.
        low, high: 95 % Wilson interval of `observed`; NaN where the bin is empty.
        error: expected calibration error: the mean of \\|observed - predicted\\|, weighted with the counts.
        by_chance: the `error` to be expected of perfect probabilities, on as many examples, by luck.
    """

    edges: np.ndarray
    counts: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    error: float
    by_chance: float

    def __str__(self) -> str:
        lines = ["probability    examples   predicted   observed (95 % interval)"]
        for number, count in enumerate(self.counts):
            line = f"{self.edges[number]:.2f} to {self.edges[number + 1]:.2f}   {count:8,}"
            if count:
                line += f"   {self.predicted[number]:9.3f}   {self.observed[number]:.3f} "
                line += f"({self.low[number]:.3f} to {self.high[number]:.3f})"
            lines.append(line)
        lines.append(
            f"expected calibration error {self.error:.3f}; by luck alone {self.by_chance:.3f}"
        )
        return "\n".join(lines)


def calibration(
    labels: Sequence[int] | np.ndarray, probabilities: Sequence[float] | np.ndarray, bins: int = 10
) -> Calibration:
    """Do things that are said to happen in 70 % of cases happen in 70 % of cases?

    The expected calibration error is Naeini, Cooper & Hauskrecht's (AAAI 2015, 2901-2907). It is above 0
    for perfect probabilities too, because shares of few examples scatter; `by_chance` is what to expect
    then, with the mean of \\|x\\| of a normal distribution in each bin, sd x sqrt(2 / pi).

    Args:
        labels: the truth, 0 or 1 each, ``(N,)``.
        probabilities: of being positive, from 0 to 1 each, ``(N,)``.
        bins: of equal width, from 1 up.

    Raises:
        EvaluationError: for labels other than 0 and 1, probabilities out of range, unequal lengths, or a
            number of bins that is none (lesson 05).
    """
    truth = check_labels(labels, both=False)
    probabilities = check_scores(probabilities, truth, name="probability")
    outside = np.flatnonzero((probabilities < 0) | (probabilities > 1))
    if len(outside):
        raise EvaluationError(
            f"probability number {outside[0]} is {probabilities[outside[0]]:g}; numbers from 0 to 1 are "
            "expected (a logit becomes one by the sigmoid)"
        )
    bins = check_whole("bins", bins, 1)
    edges = np.linspace(0, 1, bins + 1)
    place = np.minimum(np.searchsorted(edges, probabilities, "right") - 1, bins - 1)
    counts = np.bincount(place, minlength=bins)
    positives = np.bincount(place, truth, bins)
    sums = np.bincount(place, probabilities, bins)
    spread = np.sqrt(np.bincount(place, probabilities * (1 - probabilities), bins))
    some = np.where(counts > 0, counts, np.nan)
    ends = [
        wilson(int(p), int(n))[1:] if n else (np.nan, np.nan) for p, n in zip(positives, counts)
    ]
    low, high = np.array(ends).T
    return Calibration(
        edges, counts, sums / some, positives / some, low, high,
        error=float(abs(positives - sums).sum() / len(truth)),
        by_chance=float(spread.sum() * sqrt(2 / pi) / len(truth)),
    )  # fmt: skip
