"""How good is a classifier: counts, measures, curves, thresholds, other prevalences.

Formats: `labels` are 0 (negative) and 1 (positive), shape ``(N,)``; `scores` are numbers of the same shape,
higher for what looks more like a positive. An example is *called* positive where its score reaches the
threshold: ``score >= threshold``. Tables have a row for each truth and a column for each call. Rates and
measures are fractions from 0 to 1.

The curves and the areas under them are scikit-learn's. What is added: counts with names instead of
positions in an array, thresholds that keep a promise, other prevalences, and a refusal to rank by hard
labels. How sure these numbers are: :mod:`course_utils.intervals`. Explained in lesson 05.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite, sqrt
from numbers import Real
from typing import NamedTuple

import numpy as np


class EvaluationError(ValueError):
    """Labels, scores or numbers that cannot be judged; the message says which, and what was expected."""


# --- one threshold: counts -----------------------------------------------------------------------


@dataclass(frozen=True)
class Confusion:
    """The four counts of a classifier at one threshold, and the measures made of them.

    A measure that divides 0 by 0 is 0.0 by convention, as in scikit-learn, and stands in `undefined`.
    Printed, it is a labelled table: rows are the truth, columns the calls.

    Attributes:
        tp: true positives, positives that are called positive.
        fn: false negatives, positives that are missed (type II errors).
        fp: false positives, negatives that are called positive (type I errors).
        tn: true negatives.

    Raises:
        EvaluationError: unless all four are whole numbers from 0 up, and one of them is more than 0.
    """

    tp: int
    fn: int
    fp: int
    tn: int

    def __post_init__(self):
        for name in ("tp", "fn", "fp", "tn"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (Real, np.number)):
                raise EvaluationError(f"{name} is {value!r}; a count is a whole number from 0 up")
            if not isfinite(value) or value != int(value) or value < 0:
                raise EvaluationError(f"{name} is {value:g}; a count is a whole number from 0 up")
            object.__setattr__(self, name, int(value))
        if not self.total:
            raise EvaluationError("all four counts are 0; a table needs at least one example")

    @property
    def positives(self) -> int:
        """Examples that truly are positive."""
        return self.tp + self.fn

    @property
    def negatives(self) -> int:
        """Examples that truly are negative."""
        return self.fp + self.tn

    @property
    def total(self) -> int:
        return self.positives + self.negatives

    @property
    def prevalence(self) -> float:
        """The share of positives."""
        return self.positives / self.total

    @property
    def accuracy(self) -> float:
        """The share of right calls."""
        return (self.tp + self.tn) / self.total

    @property
    def recall(self) -> float:
        """The share of positives that are found; also sensitivity or true-positive rate."""
        return _ratio(self.tp, self.positives)

    @property
    def specificity(self) -> float:
        """The share of negatives that are left alone; also true-negative rate."""
        return _ratio(self.tn, self.negatives)

    @property
    def false_positive_rate(self) -> float:
        """The share of negatives that are called positive: the type I error rate, 1 - specificity."""
        return _ratio(self.fp, self.negatives)

    @property
    def false_negative_rate(self) -> float:
        """The share of positives that are missed: the type II error rate, 1 - recall."""
        return _ratio(self.fn, self.positives)

    @property
    def precision(self) -> float:
        """The share of positive calls that are right; also positive predictive value."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def negative_predictive_value(self) -> float:
        """The share of negative calls that are right."""
        return _ratio(self.tn, self.tn + self.fn)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; true negatives do not count."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def mcc(self) -> float:
        """Matthews correlation coefficient of truth and call, from -1 to 1; a coin has 0.

        B. W. Matthews, Biochimica et Biophysica Acta 405, 442-451, 1975.
        """
        called, left = self.tp + self.fp, self.tn + self.fn
        below = sqrt(called * left) * sqrt(self.positives * self.negatives)
        return _ratio(self.tp * self.tn - self.fp * self.fn, below)

    @property
    def undefined(self) -> tuple[str, ...]:
        """Names of the measures that are 0 by convention, because they divide 0 by 0."""
        called, left = self.tp + self.fp, self.tn + self.fn
        parts = {
            "recall": self.positives,
            "specificity": self.negatives,
            "false_positive_rate": self.negatives,
            "false_negative_rate": self.positives,
            "precision": called,
            "negative_predictive_value": left,
            "f1": 2 * self.tp + self.fp + self.fn,
            "mcc": called * left * self.positives * self.negatives,
        }
        return tuple(name for name, below in parts.items() if not below)

    @property
    def table(self) -> np.ndarray:
        """Counts ``(2, 2)`` as scikit-learn orders them: negative first, so ``[[tn, fp], [fn, tp]]``."""
        return np.array([[self.tn, self.fp], [self.fn, self.tp]])

    def __str__(self) -> str:
        rows = (
            ("truth", "called positive", "called negative"),
            ("positive", f"{self.tp:,} true positives", f"{self.fn:,} false negatives"),
            ("negative", f"{self.fp:,} false positives", f"{self.tn:,} true negatives"),
        )
        wide = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join("   ".join(w.ljust(n) for w, n in zip(row, wide)).rstrip() for row in rows)

    def describe(self, measure: str) -> str:
        """A measure in words, such as ``"recall 0.940"``; an undefined one says so.

        Raises:
            EvaluationError: for a name that is no measure.
        """
        if measure != "accuracy" and measure not in _MEASURES:
            raise EvaluationError(
                f"the measure is {measure!r}; one of {', '.join(('accuracy', *_MEASURES))} is expected"
            )
        words = measure.replace("_", " ")
        if measure in self.undefined:
            return f"{words} undefined (0 of 0; 0 by convention)"
        return f"{words} {getattr(self, measure):.3f}"


_MEASURES = (
    "recall", "specificity", "false_positive_rate", "false_negative_rate", "precision",
    "negative_predictive_value", "f1", "mcc",
)  # fmt: skip


def _ratio(above: float, below: float) -> float:
    return above / below if below else 0.0


def confusion(labels: Sequence[int] | np.ndarray, calls: Sequence[int] | np.ndarray) -> Confusion:
    """Count calls against the truth.

    Args:
        labels: the truth, 0 or 1 each, ``(N,)``.
        calls: what the model says, 0 or 1 (or False and True) each, ``(N,)``.

    Raises:
        EvaluationError: for anything but 0 and 1, unequal lengths, or nothing at all. One class alone is
            allowed: some measures are undefined then (lesson 05).
    """
    truth = check_labels(labels, both=False)
    called = check_labels(calls, name="call", both=False)
    _check_lengths(truth, called, "calls")
    from sklearn import (
        metrics,
    )  # here, because to import it takes a second and sets environment variables

    (tn, fp), (fn, tp) = metrics.confusion_matrix(truth, called, labels=[0, 1]).tolist()
    return Confusion(tp, fn, fp, tn)


def confusion_at(
    labels: Sequence[int] | np.ndarray, scores: Sequence[float] | np.ndarray, threshold: float
) -> Confusion:
    """The counts at a threshold: called positive is what reaches it, ``score >= threshold``.

    Raises:
        EvaluationError: for labels other than 0 and 1, scores or a threshold of NaN, or unequal lengths
            (lesson 05).
    """
    truth = check_labels(labels, both=False)
    scores = check_scores(scores, truth)
    check_number("the threshold", threshold, -inf, inf)
    return confusion(truth, scores >= threshold)


# --- all thresholds: curves ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Curves:
    """ROC and precision-recall curve of one set of scores: a point for each threshold worth trying.

    Attributes:
        thresholds: ``(points,)``, from infinity, where nothing is called positive, down to the lowest score.
        tp, fp: counts of true and false positives at each of them, ``(points,)``.
        positives, negatives: examples of each class.
        auc: area under the ROC curve: the chance that a random positive scores above a random negative,
            a tie being half a win.
        average_precision: scikit-learn's area under the precision-recall curve (AUPRC): precision, weighted
            with the gain in recall of each step.
    """

    thresholds: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    positives: int
    negatives: int
    auc: float
    average_precision: float

    @property
    def prevalence(self) -> float:
        """The share of positives: what the average precision of a guess is."""
        return self.positives / (self.positives + self.negatives)

    @cached_property
    def recall(self) -> np.ndarray:
        """``(points,)``, also true-positive rate: upwards in the ROC plot, sideways in the other."""
        return self.tp / self.positives

    @cached_property
    def false_positive_rate(self) -> np.ndarray:
        """``(points,)``: sideways in the ROC plot."""
        return self.fp / self.negatives

    @cached_property
    def precision(self) -> np.ndarray:
        """``(points,)``; where nothing is called it is undefined, and 1 is drawn, as scikit-learn does."""
        return self.precision_at(self.prevalence)

    def at(self, threshold: float) -> Confusion:
        """The operating point: the counts where ``score >= threshold`` is called positive.

        Raises:
            EvaluationError: for a threshold that is no number.
        """
        check_number("the threshold", threshold, -inf, inf)
        # Thresholds fall from left to right; the last one that the wanted one does not exceed.
        place = len(self.thresholds) - np.searchsorted(self.thresholds[::-1], threshold, "left") - 1
        tp, fp = (int(counts[max(place, 0)]) for counts in (self.tp, self.fp))
        return Confusion(tp, self.positives - tp, fp, self.negatives - fp)

    def precision_at(self, prevalence: float) -> np.ndarray:
        """Precision at each point ``(points,)``, were the positives this share; the ROC curve stays.

        Raises:
            EvaluationError: for a prevalence that is not above 0 and below 1.
        """
        check_between("the prevalence", prevalence)
        right = prevalence * self.recall
        called = right + (1 - prevalence) * self.false_positive_rate
        return np.divide(right, called, out=np.ones_like(called), where=called > 0)

    def average_precision_at(self, prevalence: float) -> float:
        """The average precision, were the positives this share of the examples.

        Raises:
            EvaluationError: for a prevalence that is not above 0 and below 1.
        """
        return float((np.diff(self.recall) * self.precision_at(prevalence)[1:]).sum())

    def __str__(self) -> str:
        return (
            f"{self.positives:,} positives and {self.negatives:,} negatives: AUC {self.auc:.4f}, average "
            f"precision {self.average_precision:.4f} (a guess has 0.5 and {self.prevalence:.2g})"
        )


def curves(
    labels: Sequence[int] | np.ndarray, scores: Sequence[float] | np.ndarray, *, hard: bool = False
) -> Curves:
    """The ROC and the precision-recall curve of scores, with the areas under them.

    Of hard labels there is one threshold to try, not a curve: their AUC is the mean of recall and
    specificity at that threshold, and cannot be compared with an AUC of scores. Two distinct values for more
    examples than that are therefore refused, unless `hard` says that one point is meant.

    Args:
        labels: the truth, 0 or 1 each, ``(N,)``; both must occur.
        scores: higher for what looks more like a positive, ``(N,)``: probabilities, logits, log-odds.
        hard: whether scores with two values are meant.

    Raises:
        EvaluationError: for one class alone, labels other than 0 and 1, NaN or infinite scores, unequal
            lengths, or hard labels in place of scores (lesson 05).
    """
    truth = check_labels(labels)
    scores = check_scores(scores, truth)
    if not hard:
        refuse_hard_labels(scores)
    from sklearn import metrics

    false, true, thresholds = metrics.roc_curve(truth, scores, drop_intermediate=False)
    positives = int(truth.sum())
    negatives = len(truth) - positives
    tp, fp = np.rint(true * positives).astype(int), np.rint(false * negatives).astype(int)
    area = float(metrics.auc(false, true))
    average = float(metrics.average_precision_score(truth, scores))
    return Curves(thresholds, tp, fp, positives, negatives, area, average)


def threshold_for_false_positives(
    labels: Sequence[int] | np.ndarray, scores: Sequence[float] | np.ndarray, most: float
) -> float:
    """The lowest of the scores at which at most this share of the negatives is called positive.

    Never more than asked for: where equal scores would carry it past the limit, the next higher score is
    taken, and infinity, which calls nothing, if the highest score is too many already. That holds for these
    negatives. On new ones expect slightly more: with k of N negatives called here, up to (k + 1) / (N + 1).

    Args:
        labels, scores: as for :func:`curves`; hard labels are refused. Choose on validation data.
        most: the false-positive rate allowed, from 0 to 1.

    Raises:
        EvaluationError: for what :func:`curves` refuses, or a rate out of range (lesson 05).
    """
    check_number("the false-positive rate", most, 0, 1)
    found = curves(labels, scores)
    # Counts, not shares: 0.29 * 100 is a little less than 29.
    passing = found.fp <= most * found.negatives * (1 + 1e-12)
    return float(found.thresholds[np.flatnonzero(passing)[-1]])


def threshold_for_recall(
    labels: Sequence[int] | np.ndarray, scores: Sequence[float] | np.ndarray, least: float
) -> float:
    """The highest of the scores at which at least this share of the positives is found.

    Args:
        labels, scores: as for :func:`curves`; hard labels are refused. Choose on validation data.
        least: the recall asked for, above 0 and up to 1.

    Raises:
        EvaluationError: for what :func:`curves` refuses, or a recall out of range (lesson 05).
    """
    check_number("the recall", least, 0, 1)
    if least == 0:
        raise EvaluationError(
            "the recall is 0, which every threshold reaches; a number above 0 is expected"
        )
    found = curves(labels, scores)
    enough = found.tp >= least * found.positives * (1 - 1e-12)
    return float(found.thresholds[np.flatnonzero(enough)[0]])


# --- another prevalence --------------------------------------------------------------------------


class PredictiveValues(NamedTuple):
    """What a call is worth.

    Attributes:
        positive: the share of positive calls that are right (precision).
        negative: the share of negative calls that are right.
    """

    positive: float
    negative: float


def predictive_values(recall: float, specificity: float, prevalence: float) -> PredictiveValues:
    """What calls are worth where positives are this common: Bayes' rule.

    Recall and specificity each belong to one class, so they stay as they are when the classes' sizes change
    (as long as the examples within a class stay alike); what a call is worth does not.

    Args:
        recall, specificity, prevalence: fractions from 0 to 1.

    Raises:
        EvaluationError: for a number out of range, or where one of the two calls is never made (lesson 05).
    """
    for name, value in (
        ("recall", recall),
        ("specificity", specificity),
        ("prevalence", prevalence),
    ):
        check_number(f"the {name}", value, 0, 1)
    tp, fn = prevalence * recall, prevalence * (1 - recall)
    fp, tn = (1 - prevalence) * (1 - specificity), (1 - prevalence) * specificity
    for call, share in (("positive", tp + fp), ("negative", tn + fn)):
        if share == 0:
            raise EvaluationError(
                f"recall {recall:g}, specificity {specificity:g} and prevalence {prevalence:g} never lead to "
                f"a {call} call, so the share of right ones is 0 of 0"
            )
    return PredictiveValues(tp / (tp + fp), tn / (tn + fn))


# --- checks --------------------------------------------------------------------------------------


def check_vector(values, name: str) -> np.ndarray:
    """Numbers in one row, as an array of floats or integers."""
    if hasattr(values, "detach"):  # a torch tensor, which may hold a graph
        values = values.detach().cpu()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what numpy does to ragged lists differs by version
            array = np.asarray(values)
    except Exception:
        raise EvaluationError(
            f"the {name} cannot be made an array; one number each is expected"
        ) from None
    if array.dtype.kind not in "biuf":
        raise EvaluationError(f"the {name} hold {array.dtype}; numbers are expected")
    if array.ndim != 1:
        raise EvaluationError(
            f"the {name} have the shape {array.shape}; one number for each example, (N,), is expected"
        )
    if not len(array):
        raise EvaluationError(f"there are no {name}: the list is empty")
    return array.astype(float)


def check_labels(labels, *, name: str = "label", both: bool = True) -> np.ndarray:
    """Labels of 0 and 1 as integers, with both of them where both are needed."""
    array = check_vector(labels, f"{name}s")
    strange = np.flatnonzero((array != 0) & (array != 1))
    if len(strange):
        raise EvaluationError(
            f"{name} number {strange[0]} is {array[strange[0]]:g}; 0 (negative) or 1 (positive) is expected"
        )
    array = array.astype(int)
    if both and array.min() == array.max():
        raise EvaluationError(
            f"all {len(array)} {name}s are {array[0]}; a curve needs positives (1) and negatives (0)"
        )
    return array


def check_scores(scores, labels: np.ndarray, name: str = "score") -> np.ndarray:
    plural = "probabilities" if name == "probability" else f"{name}s"
    array = check_vector(scores, plural)
    _check_lengths(labels, array, plural)
    strange = np.flatnonzero(~np.isfinite(array))
    if len(strange):
        raise EvaluationError(
            f"{name} number {strange[0]} is {array[strange[0]]:g}; finite numbers are expected"
        )
    return array


def _check_lengths(labels: np.ndarray, others: np.ndarray, plural: str) -> None:
    if len(labels) != len(others):
        raise EvaluationError(
            f"there are {len(labels)} labels and {len(others)} {plural}; one for each example is expected"
        )


def refuse_hard_labels(scores: np.ndarray) -> None:
    low, high = scores.min(), scores.max()
    if len(scores) > 2 and low < high and ((scores == low) | (scores == high)).all():
        raise EvaluationError(
            f"the scores of {len(scores)} examples have two values, {low:g} and {high:g}, like hard "
            "labels: that is one point and no curve; give the scores before the threshold, or hard=True "
            "if one point is meant"
        )


def check_number(what: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (Real, np.number)) or value != value:
        raise EvaluationError(f"{what} is {value!r}; a number is expected")
    if not low <= value <= high:
        raise EvaluationError(f"{what} is {value:g}; a number from {low:g} to {high:g} is expected")


def check_between(what: str, value: float) -> None:
    check_number(what, value, -inf, inf)
    if not 0 < value < 1:
        raise EvaluationError(f"{what} is {value:g}; a number above 0 and below 1 is expected")


def check_whole(name: str, value: int, least: int) -> int:
    check_number(name, value, -inf, inf)
    if not isfinite(value) or value != int(value) or value < least:
        raise EvaluationError(f"{name} is {value:g}; a whole number from {least} up is expected")
    return int(value)
