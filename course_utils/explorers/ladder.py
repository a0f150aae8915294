"""The ladder explorer of lesson 06: one way to score, held against one kind of negatives after the other.

A *rung* is a kind of negatives with its positives. The threshold is moved by the recall it has, which means
the same on every scale: on each rung it is the highest of the scores at which that share of the positives is
found. What does not move with the controls is computed once, when the explorer is made (:class:`Study`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import ipywidgets
import numpy as np

from course_utils.checks import said, whole
from course_utils.evaluation import EvaluationError, check_vector
from course_utils.explorers import Explorer
from course_utils.explorers._ladder_picture import draw
from course_utils.intervals import Interval, auc_interval, wilson

PREVALENCE = 0.01  # of bound stretches among all, for the precision
BINS = 44  # of the histograms, or somewhat fewer
POINTS = 101  # of an ROC curve, before those that are the same are left out
MOST = {"scores": 12, "kinds of negatives": 5}  # that a slider and a picture can tell apart


@dataclass(frozen=True, eq=False)
class Rung:
    """The scores of positives and of one kind of negatives.

    Attributes:
        positives, negatives: scores in rising order, ``(P,)`` and ``(M,)``.
        positive_bins, negative_bins: the share of the class in each bin of the score, ``(bins,)``.
        false_positive_rate, recall: points of the ROC curve, about `POINTS`, evenly spread along it.
        auc: with its 95 % interval.
    """

    positives: np.ndarray
    negatives: np.ndarray
    positive_bins: np.ndarray
    negative_bins: np.ndarray
    false_positive_rate: np.ndarray
    recall: np.ndarray
    auc: Interval


@dataclass(frozen=True, eq=False)
class Score:
    """One way to score, on all rungs.

    Attributes:
        edges: of the bins, ``(bins + 1,)``, the same on all rungs.
        before: how far before a value its bin begins, where the scores are few values at equal steps, such as
            shares of 100 letters: half a step; otherwise 0. There the picture has the threshold.
        tallest: the largest share in any bin of any rung.
        rungs: name of the negatives -> rung.
    """

    edges: np.ndarray
    before: float
    tallest: float
    rungs: dict[str, Rung]


@dataclass(frozen=True, eq=False)
class Study:
    """All scores, each of them on every rung, computed once.

    Attributes:
        scores: name -> score.
    """

    scores: dict[str, Score]

    @property
    def rungs(self) -> tuple[str, ...]:
        """The names of the negatives."""
        return tuple(next(iter(self.scores.values())).rungs)


@dataclass(frozen=True)
class Point:
    """What a threshold does on one rung.

    Attributes:
        threshold: called bound is what scores as high or higher.
        tp, positives: positives that are called bound, and all of them.
        fp, negatives: negatives that are called bound, and all of them.
        false_positive_rate: with its 95 % interval (Wilson's, the threshold taken as given).
        precision: if `PREVALENCE` of all stretches were bound, with what that interval makes of it.
    """

    threshold: float
    tp: int
    positives: int
    fp: int
    negatives: int
    false_positive_rate: Interval
    precision: Interval

    @property
    def recall(self) -> float:
        """At least what was asked for, and more where positives have equal scores."""
        return self.tp / self.positives


@dataclass(frozen=True, eq=False)
class LadderView:
    """One score on one rung at one recall, and on the other rungs at the same recall.

    Attributes:
        name, score: the score.
        negatives: name of the rung that is shown.
        recall: asked for, in per cent.
        points: name of each rung -> operating point.
    """

    name: str
    score: Score
    negatives: str
    recall: int
    points: dict[str, Point]

    @property
    def rung(self) -> Rung:
        return self.score.rungs[self.negatives]

    @property
    def point(self) -> Point:
        return self.points[self.negatives]


# --- once, when the explorer is made -------------------------------------------------------------


def study_of(scores: Mapping[str, Mapping[str, tuple[Any, Any]]]) -> Study:
    """Sort and count the scores, and compute the areas under the curves.

    Args:
        scores: name of a score -> name of the negatives -> scores of the positives ``(P,)`` and of the
            negatives ``(M,)``, higher for what looks more like a positive. Each score on the same kinds of
            negatives.

    Raises:
        EvaluationError: for no scores, more than an explorer can show, other kinds of negatives for one score
            than for another, fewer than two positives or negatives, scores that are infinite or NaN, or hard
            labels in place of scores (lesson 06).
    """
    names = _names(scores, "scores", "the scores")
    found: dict[str, Score] = {}
    for name in names:
        rungs = _names(scores[name], "kinds of negatives", f"what {name!r} has")
        if set(rungs) != set(_names(scores[names[0]], "kinds of negatives", "")):
            raise EvaluationError(
                f"{names[0]!r} has the negatives {', '.join(scores[names[0]])} and {name!r} has "
                f"{', '.join(rungs)}; the same kinds are expected for every score"
            )
        pairs = {rung: _pair(scores[name][rung], f"{name!r}, {rung!r}") for rung in scores[names[0]]}
        found[name] = _score(pairs, name)
    return Study(found)


def _names(given: Any, many: str, what: str) -> list[str]:
    """The keys of a dict, which are to be names."""
    if not isinstance(given, Mapping):
        came = type(given).__name__
        raise EvaluationError(f"{what}: something of type {came} came; a dict of {many} by name is expected")
    if not 1 <= len(given) <= MOST[many]:
        raise EvaluationError(f"there are {len(given)} {many}; from 1 to {MOST[many]} are expected")
    for name in given:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise EvaluationError(f"the name of one of the {many} is {name!r}; a word or a few are expected")
    return list(given)


def _pair(given: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    """The scores of one rung, checked and in rising order."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        came = f"{len(given)} things" if isinstance(given, (tuple, list)) else f"type {type(given).__name__}"
        raise EvaluationError(
            f"{where} is of {came}; scores of the positives and of the negatives are expected"
        )
    pair = []
    for array, words in zip(given, ("positives", "negatives")):
        values = check_vector(array, f"scores of the {words} ({where})")
        strange = np.flatnonzero(~np.isfinite(values))
        if len(strange):
            raise EvaluationError(
                f"{where}: score number {strange[0]} of the {words} is {values[strange[0]]:g}; finite "
                "numbers are expected"
            )
        if len(values) < 2:
            raise EvaluationError(f"{where}: there is 1 score of {words}; at least two are expected")
        pair.append(np.sort(values))
    low, high = min(pair[0][0], pair[1][0]), max(pair[0][-1], pair[1][-1])
    together = np.concatenate(pair)
    if low < high and len(together) > 4 and ((together == low) | (together == high)).all():
        raise EvaluationError(
            f"{where}: the {len(together)} scores have two values, {low:g} and {high:g}, like hard labels: "
            "that is one point and no curve; give the scores before the threshold"
        )
    return pair[0], pair[1]


def _score(pairs: dict[str, tuple[np.ndarray, np.ndarray]], name: str) -> Score:
    edges, before = _bins(np.concatenate([scores for pair in pairs.values() for scores in pair]), name)
    rungs = {}
    for rung, (positives, negatives) in pairs.items():
        labels = np.repeat([1, 0], [len(positives), len(negatives)])
        shares = (np.histogram(scores, edges)[0] / len(scores) for scores in (positives, negatives))
        auc = auc_interval(labels, np.concatenate([positives, negatives]), hard=True)  # refused before
        rungs[rung] = Rung(positives, negatives, *shares, *_roc(positives, negatives), auc)
    bins = [bins for rung in rungs.values() for bins in (rung.positive_bins, rung.negative_bins)]
    return Score(edges, before, float(np.max(bins)), rungs)


def _bins(scores: np.ndarray, name: str) -> tuple[np.ndarray, float]:
    """Edges of bins for these scores, and how far before a value its bin begins.

    Bins of any width would give shares of 100 letters a comb of high and low columns: some hold one value
    more than others. So the bins of values at equal steps hold equally many of them.
    """
    low, high = float(scores.min()), float(scores.max())
    span = high - low
    if not np.isfinite(span * 2):
        raise EvaluationError(f"{name!r}: scores from {low:g} to {high:g} are too far apart for one axis")
    if span <= 1e-9 * max(abs(low), abs(high)):  # all the same
        room = 0.5 * max(abs(low), 1.0)
        return np.linspace(low - room, low + room, BINS), room / (BINS - 1)  # in the middle of a bin
    values = np.unique(np.round((scores - low) / span, 6))
    step = np.diff(values).min()
    steps = np.rint(values / step)
    if steps[-1] <= 400 and np.abs(values / step - steps).max() < 0.05:
        together = -(-(int(steps[-1]) + 1) // BINS)  # values in a bin
        many = -(-(int(steps[-1]) + 1) // together)
        step = span / steps[-1]
        return low + step * (together * np.arange(many + 1) - 0.5), step / 2
    return np.linspace(low, high, BINS + 1), 0.0


def _roc(positives: np.ndarray, negatives: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False-positive rate and recall at thresholds that lie evenly along the curve, and its two ends."""
    scores = np.unique(np.concatenate([positives, negatives]))[::-1]
    recall = 1 - np.searchsorted(positives, scores, "left") / len(positives)
    rate = 1 - np.searchsorted(negatives, scores, "left") / len(negatives)
    wanted = np.searchsorted(recall + rate, np.linspace(0, 2, POINTS)[1:], "left")
    chosen = np.unique(np.minimum(wanted, len(scores) - 1))
    return np.append(0, rate[chosen]), np.append(0, recall[chosen])


# --- at every move -------------------------------------------------------------------------------


def compute(study: Study, score: str, negatives: str, recall: int) -> LadderView:
    """Find the threshold of this recall, here and on the other rungs, and count what passes.

    Args:
        study: of :func:`study_of`.
        score: name of the score.
        negatives: name of the negatives.
        recall: in per cent of the positives, from 1 to 99.

    Raises:
        EvaluationError: for a score or negatives that are not there, or a recall out of range.
    """
    asked = whole(recall)
    if asked is None or not 1 <= asked <= 99:
        raise EvaluationError(f"the recall is {said(recall)}; a whole per cent from 1 to 99 is expected")
    for name, names, what in ((score, study.scores, "score"), (negatives, study.rungs, "kind of negatives")):
        if name not in names:
            raise EvaluationError(f"the {what} is {name!r}; one of {', '.join(names)} is expected")
    chosen = study.scores[score]
    points = {name: _point(rung, asked) for name, rung in chosen.rungs.items()}
    return LadderView(score, chosen, negatives, asked, points)


def _point(rung: Rung, recall: int) -> Point:
    many, others = len(rung.positives), len(rung.negatives)
    threshold = float(rung.positives[many - -(-recall * many // 100)])  # in whole numbers: no rounding
    tp = many - int(np.searchsorted(rung.positives, threshold, "left"))
    fp = others - int(np.searchsorted(rung.negatives, threshold, "left"))
    rates = wilson(fp, others)
    right = PREVALENCE * tp / many
    middle, high, low = (right / (right + (1 - PREVALENCE) * rate) for rate in rates)
    return Point(threshold, tp, many, fp, others, rates, Interval(middle, low, high))


# --- controls ------------------------------------------------------------------------------------


def ladder_explorer(
    scores: Mapping[str, Mapping[str, tuple[Any, Any]]],
    *,
    score: str | None = None,
    negatives: str | None = None,
    recall: int = 90,
) -> Explorer:
    """The explorer, starting where 90 of 100 positives are found (lesson 06).

    Args:
        scores: name of a score -> name of the negatives -> (scores of the positives, scores of the
            negatives), on data that the score was not made from; see :func:`study_of`.
        score, negatives: the names to start with; by default the first ones.
        recall: to start with, in per cent.

    Raises:
        EvaluationError: as :func:`study_of` does, and for a score, negatives or a recall to start with that
            are not there.
    """
    study = study_of(scores)
    score = next(iter(study.scores)) if score is None else score
    negatives = study.rungs[0] if negatives is None else negatives
    compute(study, score, negatives, recall)  # refuses what is not there
    looks = {
        "style": {"description_width": "76px"},
        "layout": ipywidgets.Layout(width="520px", max_width="100%"),
    }
    controls: dict[str, ipywidgets.Widget] = {}
    fixed = {}
    for parameter, words, names, value in (
        ("score", "score", tuple(study.scores), score),
        ("negatives", "negatives", study.rungs, negatives),
    ):
        if len(names) == 1:
            fixed[parameter] = value
            continue
        controls[parameter] = ipywidgets.SelectionSlider(
            options=list(zip(_labels(names), names)), value=value, description=words, **looks
        )
    controls["recall"] = ipywidgets.IntSlider(
        whole(recall), min=1, max=99, description="recall (%)", **looks
    )
    return Explorer("ladder explorer", controls, partial(compute, study, **fixed), draw)


def _labels(names: tuple[str, ...]) -> list[str]:
    """Short names that differ: a slider tells its marks apart by them."""
    short = [name if len(name) <= 30 else name[:29] + "…" for name in names]
    if len(set(short)) == len(short):
        return short
    return [f"{number}: {name}" for number, name in enumerate(short)]
