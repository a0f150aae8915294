"""The best score that any classifier can reach on simulated sequences, which follows from how they are made.

Whoever knows how positives and negatives are made knows, for each sequence x, the ratio of its probabilities
P(x | positive) / P(x | negative). No classifier ranks better than this ratio, nor decides better than to call
x positive where it is above 1 (Neyman & Pearson, Philosophical Transactions of the Royal Society A 231,
289-337, 1933). What the ratio reaches is therefore the *ceiling*.

The keyword arguments are those of :func:`course_utils.simulation.simulate`. Both classes are taken to be equally
frequent, so that guessing has the accuracy 0.5 (the AUC does not depend on it). Explained in lesson 03.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from course_utils.backgrounds import check_chain, check_whole
from course_utils.likelihoods import alike, log_ratio, planted_ratio, refuse_unknown
from course_utils.motifs import UNIFORM
from course_utils.shuffles import check_generator
from course_utils.simulation import Plan, check_noise, make_plan

_WIDEST = 10  # positions of a motif whose words, 4 ** 10 at most, are listed one by one


class Ceiling(NamedTuple):
    """The accuracy and the area under the ROC curve that no classifier exceeds.

    Attributes:
        accuracy: from 0.5 to 1, for classes of equal size.
        auc: from 0.5 to 1.
        accuracy_se, auc_se: standard errors; 0 where all words were listed.
        sample: sequences drawn; 0 where all words were listed.
    """

    accuracy: float
    auc: float
    accuracy_se: float
    auc_se: float
    sample: int


class LowerBound(NamedTuple):
    """What a rule that we know reaches; the ceiling lies as high or higher, and is not computed here.

    The fields are those of a :class:`Ceiling` and the claim is another one: so it has a type of its own.

    Attributes:
        accuracy, auc: as estimated for that rule, for classes of equal size; where it is no better than
            guessing, chance may take them a little below 0.5.
        accuracy_se, auc_se: standard errors.
        sample: sequences drawn.
    """

    accuracy: float
    auc: float
    accuracy_se: float
    auc_se: float
    sample: int


def ceiling(
    ppm: np.ndarray | Sequence[np.ndarray],
    *,
    length: int = 20,
    start: int | None = None,
    strand: str = "+",
    background: Sequence | np.ndarray = UNIFORM,
    against: str | Sequence | np.ndarray = "background",
    gap: tuple[int, int] | None = None,
    order: str = "fixed",
    label_noise: float = 0.0,
    sample: int = 100_000,
    rng: np.random.Generator | None = None,
) -> Ceiling:
    """The accuracy and the AUC that no classifier exceeds on such a set, the classes being equal in size.

    Exact, by listing all words of the motif's width, for one motif of up to 10 positions at a known
    place, if positives and negatives share a background of independent bases. Else estimated from
    sequences that are drawn for it, half of them positives on average. Of these we use not the labels
    but the probability p of being positive, which the ratio gives: the accuracy is the mean of the
    larger of p and 1 - p; what the AUC lacks of 1 is the mean over all pairs of 2 q (1 - p), where p is
    the higher probability of the pair and q the lower: how often they are a negative and a positive.
    Neither is biased, ties need no rule, and both vary less than the share of right calls and the share
    of pairs in the right order, which the labels would give.

    Args:
        ppm, length, start, strand, background, against, gap, order: as for
            :func:`course_utils.simulation.simulate`.
        label_noise: the share of labels that are flipped. The ceiling is that of a test with such
            labels: accuracy and AUC keep 1 - 2 x noise of what they have above 0.5.
        sample: how many sequences to draw.
        rng: numpy's generator of random numbers; not needed where the ceiling is exact.

    Raises:
        SimulationError: for choices that cannot be, or negatives whose probability is not computed here:
            ``"dinucleotides"``, and ``"shuffled"`` where the background is a chain. See
            :func:`lower_bound`.
        MotifError: for a motif or a background that is none.
        ValueError: unless `rng` is a numpy Generator, where sequences have to be drawn (lesson 03).
    """
    plan = make_plan(
        ppm,
        length=length,
        start=start,
        strand=strand,
        background=background,
        against=against,
        gap=gap,
        order=order,
    )
    check_noise(label_noise)
    check_whole("the sample", sample, 100)
    words = _all_words(plan)
    if words is not None:
        positive, negative = words
        accuracy = 0.5 + abs(positive - negative).sum() / 4
        found = Ceiling(float(accuracy), best_auc(positive, negative), 0.0, 0.0, 0)
    else:
        refuse_unknown(plan)
        found = _estimate(plan, sample, check_generator(rng))
    return _with_noise(found, label_noise)


def lower_bound(
    ppm: np.ndarray | Sequence[np.ndarray],
    *,
    length: int = 20,
    against: str | Sequence | np.ndarray = "dinucleotides",
    label_noise: float = 0.0,
    sample: int = 100_000,
    rng: np.random.Generator,
    **choices,
) -> LowerBound:
    """What a good rule reaches where we compute no ceiling: dinucleotide-shuffled negatives.

    The rule scores a sequence by its ratio against fresh background sequences; its threshold is the best
    one on half of the sample, its accuracy is counted on the other half. The best classifier does
    better: the ratio against shuffled sequences is another. It takes the number of sequences with the
    same dinucleotides (Whittle, Journal of the Royal Statistical Society B 17, 235-242, 1955) and, for
    each sequence, a sum over all sites that its dinucleotides could hold: too slow for a lesson.

    Args:
        ppm, length, against: as for :func:`course_utils.simulation.simulate`; so are the `choices`,
            which are start, strand, background, gap and order.
        label_noise: the share of labels that are flipped, as for :func:`ceiling`.
        sample: how many sequences to draw, half of them positives.
        rng: numpy's generator of random numbers.

    Raises:
        SimulationError: for choices that cannot be.
        MotifError: for a motif or a background that is none.
        ValueError: unless `rng` is a numpy Generator (lesson 03).
    """
    plan = make_plan(ppm, length=length, against=against, **choices)
    check_noise(label_noise)
    check_whole("the sample", sample, 100)
    check_generator(rng)
    quarter = sample // 4  # positives and negatives, to choose the threshold with and to judge it
    choosing, judging = (
        [planted_ratio(codes, plan) for codes in _draw(plan, quarter, quarter, rng)]
        for _ in range(2)
    )
    threshold = _best_threshold(*choosing)
    right = [(judging[0] > threshold).mean(), (judging[1] <= threshold).mean()]
    # The AUC needs no threshold, so it is estimated from all. Each sequence is ranked rightly against some
    # share of the other class; how these shares vary in both classes gives the error of their mean, the
    # AUC (DeLong, DeLong & Clarke-Pearson, Biometrics 44, 837-845, 1988).
    positives, negatives = (np.concatenate(scores) for scores in zip(choosing, judging))
    outranked = _share_below(positives, negatives)  # for each positive, of the negatives
    outranking = 1 - _share_below(negatives, positives)  # for each negative, of the positives
    found = LowerBound(
        accuracy=float(np.mean(right)),
        auc=float(outranked.mean()),
        accuracy_se=sqrt(sum(share * (1 - share) for share in right) / quarter) / 2,
        auc_se=sqrt((outranked.var() + outranking.var()) / (2 * quarter)),
        sample=4 * quarter,
    )
    return _with_noise(found, label_noise)


def ceiling_of_ratios(log_ratios: Sequence[float] | np.ndarray) -> Ceiling:
    """The ceiling from the exact log-likelihood ratios of sequences that were drawn for it, by the estimators of
    :func:`ceiling`; for a set that is made in another way than :func:`course_utils.simulation.simulate`'s.

    Args:
        log_ratios: ``(N,)``, natural logarithms of P(x | positive) / P(x | negative), of sequences drawn from both classes
            with equal probability; -inf and inf for those that only one class has.

    Raises:
        ValueError: for fewer than two, another shape, or NaN (lesson 08).
    """
    ratio = np.asarray(log_ratios, dtype=float)
    if ratio.ndim != 1 or len(ratio) < 2:
        raise ValueError(f"the ratios have the shape {ratio.shape}; a list of two or more is expected")
    if np.isnan(ratio).any():
        raise ValueError(f"ratio number {np.flatnonzero(np.isnan(ratio))[0]} is NaN; a logarithm is expected")
    sample = len(ratio)
    p = np.sort(1 / (1 + np.exp(-np.clip(ratio, -700, 700))))  # of being positive, from the lowest
    not_p = 1 - p
    # For each sequence, 2 q (1 - p) added up over its pairs: first with the sequences before it, which
    # are lower, so that it has the p; then with those after it, so that it has the q.
    pairs = 2 * (not_p * (np.cumsum(p) - p) + p * (np.sum(not_p) - np.cumsum(not_p)))
    wrong = pairs / (sample - 1)  # (sample,); its mean is the mean over all pairs
    right = np.maximum(p, not_p)
    # Each sequence moves all of its pairs, so that a mean over pairs has twice the standard error of a
    # mean over sequences (U-statistic: Hoeffding, Annals of Mathematical Statistics 19, 293-325, 1948).
    return Ceiling(
        accuracy=float(right.mean()),
        auc=float(1 - wrong.mean()),
        accuracy_se=float(right.std() / sqrt(sample)),
        auc_se=float(2 * wrong.std() / sqrt(sample)),
        sample=sample,
    )


# --- from the ratio to the ceiling ---------------------------------------------------------------


def _all_words(plan: Plan) -> tuple[np.ndarray, np.ndarray] | None:
    """The probabilities of all words at the motif's place in both classes, where these are all there is."""
    width = len(plan.ppms[0])
    several_places = plan.start is None and width < plan.length
    if len(plan.ppms) > 1 or several_places or width > _WIDEST:
        return None
    negatives = plan.negative_background()
    if negatives is None or plan.background.ndim == 2 or not alike(negatives, plan.background):
        return None
    positive, turned, negative = np.ones(1), np.ones(1), np.ones(1)
    composition, _ = check_chain(negatives)
    for row, other in zip(plan.ppms[0], plan.ppms[0][::-1, ::-1]):
        positive = np.outer(positive, row).ravel()  # (4 ** positions,)
        turned = np.outer(turned, other).ravel()
        negative = np.outer(negative, composition).ravel()
    return {"+": positive, "-": turned, "either": (positive + turned) / 2}[plan.strand], negative


def best_auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The AUC of the likelihood ratio, from the probabilities of all words in both classes: ``(words,)``.

    Each negative word that a positive one outranks counts, and half of those of its own ratio. No care
    is needed to find such ties: two words of one ratio add the same in either order. Words that neither
    class has are to be left out (lesson 03).
    """
    order = np.argsort(positive / (positive + negative))
    positive, negative = positive[order], negative[order]
    return float(positive @ (np.cumsum(negative) - negative / 2))


def _with_noise(found: Ceiling | LowerBound, label_noise: float) -> Ceiling | LowerBound:
    """The same, judged by labels of which a share is flipped: what it has above 0.5 shrinks."""
    kept = 1 - 2 * label_noise
    return found._replace(
        accuracy=0.5 + kept * (found.accuracy - 0.5),
        auc=0.5 + kept * (found.auc - 0.5),
        accuracy_se=kept * found.accuracy_se,
        auc_se=kept * found.auc_se,
    )


def _draw(
    plan: Plan, positives: int, negatives: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of positives, and of negatives that owe them nothing."""
    codes = plan.sample_positives(positives, rng)[0]
    if plan.negative_background() is not None:
        return codes, plan.sample_negatives(negatives, codes, rng)
    return codes, plan.sample_negatives(negatives, plan.sample_positives(negatives, rng)[0], rng)


def _estimate(plan: Plan, sample: int, rng: np.random.Generator) -> Ceiling:
    """The ceiling from drawn sequences, by the estimators that :func:`ceiling` describes."""
    positives = rng.binomial(sample, 0.5)
    both = _draw(plan, positives, sample - positives, rng)
    return ceiling_of_ratios(log_ratio(np.concatenate(both), plan))


def _best_threshold(positives: np.ndarray, negatives: np.ndarray) -> float:
    """The score above which to call a sequence positive, so that the most calls are right."""
    scores = np.concatenate([positives, negatives])
    order = np.argsort(scores, kind="stable")
    # What a threshold here gains over calling all positive: negatives up to it, less positives.
    gained = np.where(order < len(positives), -1, 1).cumsum()
    last = np.append(scores[order][1:] > scores[order][:-1], True)  # of equal scores
    return float(scores[order][np.argmax(np.where(last, gained, -len(scores)))])


def _share_below(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each score, the share of the others that are lower; equal ones count one half."""
    others = np.sort(others)
    lower = np.searchsorted(others, scores, side="left")
    return (lower + np.searchsorted(others, scores, side="right")) / 2 / len(others)
