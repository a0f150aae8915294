"""The exercises of lesson 05: errors of both kinds, a printed accuracy, AUC by pairs, the hidden table.

Those on thresholds, other prevalences and intervals are in `lesson_05_thresholds`.
"""

from math import sqrt

import numpy as np

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_05_thresholds import (  # noqa: F401 (the lesson checks with them)
    interval,
    predictive_value,
    threshold,
)

# --- errors: a table read the right way round ----------------------------------------------------


def _errors(table):
    tn, fp = table[0].tolist()  # truly negative: called negative, called positive
    fn, tp = table[1].tolist()
    called, left = tp + fp, tn + fn
    return {
        "type_1": fp / (tn + fp),
        "type_2": fn / (tp + fn),
        "f1": 2 * tp / (2 * tp + fp + fn),
        "mcc": (tp * tn - fp * fn) / sqrt(called * left * (tp + fn) * (tn + fp)),
    }


def _table_cases(rng):
    yield (np.array([[80, 20], [3, 7]]),)
    yield (np.array([[195, 11], [6, 188]]),)  # the magazine's, its positives second
    for most in (10, 100, 1000):
        yield (rng.integers(1, most, (2, 2)),)


def _changed(**others):
    """A slip in some of the four numbers; each is computed from tn, fp, fn, tp."""

    def answer(table):
        (tn, fp), (fn, tp) = table.tolist()
        return _errors(table) | {name: other(tn, fp, fn, tp) for name, other in others.items()}

    return answer


errors = Exercise(
    oracle=_errors,
    cases=_table_cases,
    mistakes=[
        Mistake(
            lambda table: _errors(table.T),
            "the table is read with rows as calls. In scikit-learn's tables a row is a truth and a column a "
            "call: the second number of the first row is a negative that is called positive.",
        ),
        Mistake(
            lambda table: _errors(table[::-1, ::-1]),
            "the table is read with the positives first. Label 0 comes before label 1: the first row "
            "holds the negatives.",
        ),
        Mistake(
            lambda table: _errors(table[::-1, ::-1].T),
            "the table is read with the positives first, and with rows as calls; neither is so.",
        ),
        Mistake(
            _changed(
                type_1=lambda tn, fp, fn, tp: fn / (tp + fn),
                type_2=lambda tn, fp, fn, tp: fp / (tn + fp),
            ),
            "the two types are exchanged: type I is a false alarm, type II a miss.",
        ),
        Mistake(
            _changed(
                type_1=lambda tn, fp, fn, tp: fp / (tn + fp + fn + tp),
                type_2=lambda tn, fp, fn, tp: fn / (tn + fp + fn + tp),
            ),
            "the errors are divided by all examples. Only a negative can be a false alarm and only a "
            "positive can be missed: divide by the row.",
        ),
        Mistake(
            _changed(
                type_1=lambda tn, fp, fn, tp: fp / (tp + fp),
                type_2=lambda tn, fp, fn, tp: fn / (tn + fn),
            ),
            "the errors are divided by the calls, the columns; that is how often a call is wrong. A rate of "
            "errors is a share of the truth, the row.",
        ),
        Mistake(
            _changed(
                type_1=lambda tn, fp, fn, tp: tn / (tn + fp),
                type_2=lambda tn, fp, fn, tp: tp / (tp + fn),
            ),
            "these are the rates of right calls, specificity and recall; the errors are what they lack of 1.",
        ),
        Mistake(
            _changed(type_1=lambda tn, fp, fn, tp: fp, type_2=lambda tn, fp, fn, tp: fn),
            "the errors are counts here; a rate is a share of the examples that could go wrong that way.",
        ),
        Mistake(
            _changed(f1=lambda tn, fp, fn, tp: (tp / (tp + fp) + tp / (tp + fn)) / 2),
            "f1 is the plain mean of precision and recall here. It is the harmonic mean, which stays "
            "near the smaller one: 2 * precision * recall / (precision + recall).",
        ),
        Mistake(
            _changed(f1=lambda tn, fp, fn, tp: tp / (2 * tp + fp + fn)),
            "f1 comes out at half its size; the factor 2 is missing above.",
        ),
        Mistake(
            _changed(
                mcc=lambda tn, fp, fn, tp: (
                    (tp * tn - fp * fn) / ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
                )
            ),
            "below mcc stands the square root of the product of the four sums.",
        ),
        Mistake(
            _changed(
                mcc=lambda tn, fp, fn, tp: (
                    (tp * tn + fp * fn) / sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
                )
            ),
            "above in mcc the wrong calls count against the right ones: a minus between the two products.",
        ),
        Mistake(
            lambda table: {name: 100 * value for name, value in _errors(table).items()},
            "these are percent; fractions are asked for.",
        ),
    ],
)


# --- counts_behind: which counts can a printed percentage come from ------------------------------


def _counts_behind(percent, decimals, total):
    fitting = []
    for right in range(total + 1):
        if round(100 * right / total, decimals) == percent:
            fitting.append(right)
    return fitting


def _percent_cases(rng):
    yield 94.0, 1, 400
    yield 95.75, 2, 400
    yield 97.0, 1, 1000
    yield 100.0, 1, 3000  # more than one count is printed as 100.0
    yield 94.5, 1, 35  # none
    yield 97.1, 1, 35
    yield 0.0, 0, 300
    for total in (60, 300, 5000):  # no percentage lies just between two printed ones
        yield round(100 * int(rng.integers(total)) / total, 1), 1, total


def _near(percent, decimals, total, reach):
    return [right for right in range(total + 1) if abs(100 * right / total - percent) < reach]


counts_behind = Exercise(
    oracle=_counts_behind,
    cases=_percent_cases,
    mistakes=[
        Mistake(
            lambda percent, decimals, total: [round(percent / 100 * total)],
            "this is the nearest count, and always one. There may be several that are printed alike, or "
            "none at all: go through the counts and keep those whose rounded percentage is the printed "
            "one.",
        ),
        Mistake(
            lambda percent, decimals, total: [int(percent / 100 * total)],
            "this is one count, cut off below. Go the other way: from each possible count to its percentage.",
        ),
        Mistake(
            lambda percent, decimals, total: round(percent / 100 * total),
            "one number came; give the list of all counts that fit, which may be empty.",
        ),
        Mistake(
            lambda percent, decimals, total: [
                c for c in range(total + 1) if 100 * c / total == percent
            ],
            "the percentages are compared unrounded. What is printed was rounded, to `decimals`: round "
            "the same way before you compare.",
        ),
        Mistake(
            lambda percent, decimals, total: [
                c for c in range(total) if round(100 * c / total, decimals) == percent
            ],
            "the last count is left out: all calls may be right, and range(total) ends before total.",
        ),
        Mistake(
            lambda percent, decimals, total: [
                c for c in range(1, total + 1) if round(100 * c / total, decimals) == percent
            ],
            "the count 0 is left out: no call may be right, and the range begins at 1.",
        ),
        Mistake(
            lambda percent, decimals, total: _near(percent, decimals, total, 10**-decimals),
            "counts within a whole unit of the last digit are kept; rounding moves a number by half a "
            "unit at most.",
        ),
        Mistake(
            lambda percent, decimals, total: [
                c
                for c in range(total + 1)
                if int(100 * c / total * 10**decimals) / 10**decimals == percent
            ],
            "the percentages are cut off here, not rounded: 94.96 is printed as 95.0.",
        ),
        Mistake(
            lambda percent, decimals, total: [
                c for c in range(total + 1) if round(c / total, decimals) == percent
            ],
            "fractions are compared with percent: multiply by 100 first.",
        ),
        Mistake(
            lambda percent, decimals, total: [
                c
                for c in range(total + 1)
                if round(c / total, decimals) == round(percent / 100, decimals)
            ],
            "the fraction is rounded to `decimals`; they are the decimals of the percentage, so multiply "
            "by 100 before you round.",
        ),
    ],
)


# --- auc: the share of pairs in the right order --------------------------------------------------


def _auc(scores, labels):
    wins, pairs = 0.0, 0
    for positive in scores[labels == 1].tolist():
        for negative in scores[labels == 0].tolist():
            pairs += 1
            if positive > negative:
                wins += 1
            elif positive == negative:
                wins += 0.5
    return wins / pairs


def _auc_cases(rng):
    yield np.array([0.9, 0.4, 0.6, 0.1]), np.array([1, 1, 0, 0])
    yield np.array([0.7, 0.7, 0.2, 0.2, 0.9]), np.array([1, 0, 0, 1, 0])
    yield (
        np.array([1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]),
        np.array([1, 1, 1, 1, 0, 0, 0]),
    )  # hard labels
    for size in (10, 25, 40):
        labels = rng.permutation(np.arange(size) % 3 == 0).astype(int)
        yield np.round(rng.normal(labels, 1), 1), labels


def _pairs(scores, labels):
    positive, negative = scores[labels == 1][:, None], scores[labels == 0][None, :]
    return (positive > negative), (positive == negative)


def _won(scores, labels):
    above, equal = _pairs(scores, labels)
    return (above + 0.5 * equal).sum()


auc = Exercise(
    oracle=_auc,
    cases=_auc_cases,
    mistakes=[
        Mistake(
            lambda scores, labels: _pairs(scores, labels)[0].mean(),
            "a pair with equal scores is counted as lost here; a tie is half a win.",
        ),
        Mistake(
            lambda scores, labels: sum(p.mean() for p in _pairs(scores, labels)),
            "a pair with equal scores is counted as won here; a tie is half a win.",
        ),
        Mistake(
            lambda scores, labels: 1 - _auc(scores, labels),
            "this is the other way round: a pair is won when the positive has the higher score.",
        ),
        Mistake(
            lambda scores, labels: _won(scores, labels) / len(scores) ** 2,
            "the wins are divided by the square of all examples. Only pairs of one positive and one negative "
            "are asked: as many as positives times negatives.",
        ),
        Mistake(
            lambda scores, labels: _won(scores, labels) / (len(scores) * (len(scores) - 1) / 2),
            "the wins are divided by the number of all pairs, those of two positives and of two negatives "
            "too; only mixed pairs are asked.",
        ),
        Mistake(
            lambda scores, labels: _won(scores, labels),
            "this is the number of pairs won; their share is asked, so divide by the number of pairs.",
        ),
        Mistake(
            lambda scores, labels: _auc((scores >= 0.5).astype(float), labels),
            "the scores were cut at 0.5 before they were compared. That throws the order away, as in the "
            "report: compare the scores themselves.",
        ),
        Mistake(
            lambda scores, labels: ((scores >= 0.5) == (labels == 1)).mean(),
            "this is the accuracy at the threshold 0.5; the AUC needs no threshold.",
        ),
        Mistake(
            lambda scores, labels: np.mean(
                [p > n for p, n in zip(scores[labels == 1], scores[labels == 0])]
            ),
            "zip pairs the first positive with the first negative, the second with the second, and so "
            "on. Each positive meets each negative: two loops, one in the other.",
        ),
    ],
)


# --- hidden_table: the four counts behind an AUC of hard labels ----------------------------------


def _hidden_table(positives, negatives, auc, precision):
    best, closest = None, None
    for tp in range(positives + 1):
        for fp in range(negatives + 1):
            if tp + fp == 0:
                continue
            found = (tp / positives + (negatives - fp) / negatives) / 2
            off = abs(found - auc) + abs(tp / (tp + fp) - precision)
            if closest is None or off < closest:
                closest = off
                best = (tp, positives - tp, fp, negatives - fp)
    return best


def _hidden_cases(rng):
    yield 10, 10, 0.85, 0.88889  # (8, 2, 1, 9)
    yield 8, 12, 0.79167, 0.75  # (6, 2, 2, 10)
    for size in (30, 40, 60):
        exact = True
        while (
            exact
        ):  # a precision such as 0.8 loses nothing by rounding, and would be a special case
            positives = int(rng.integers(size // 3, size // 2))
            negatives = size - positives
            tp = int(rng.integers(positives // 2 + 1, positives))
            fp = int(rng.integers(1, negatives // 3))
            exact = abs(tp / (tp + fp) - round(tp / (tp + fp), 5)) < 1e-7
        auc = (tp / positives + 1 - fp / negatives) / 2
        yield positives, negatives, round(auc, 5), round(tp / (tp + fp), 5)


def _from_tp(positives, negatives, tp, precision):
    fp = round(tp * (1 - precision) / precision)
    return (tp, positives - tp, fp, negatives - fp)


def _solved(positives, negatives, gain, precision):
    """The table in which recall and false-positive rate differ by `gain`; not rounded."""
    tp = gain / (1 / positives - (1 - precision) / (precision * negatives))
    fp = tp * (1 - precision) / precision
    return tp, positives - tp, fp, negatives - fp


def _search(positives, negatives, auc, precision, most_off=1e-5):
    """The first table whose AUC and, unless it is None, precision are as close as that."""
    for tp in range(positives + 1):
        for fp in range(negatives + 1):
            fits = abs((tp / positives + (negatives - fp) / negatives) / 2 - auc) <= most_off
            if fits and precision is not None:
                fits = tp + fp > 0 and abs(tp / (tp + fp) - precision) <= most_off
            if fits:
                return (tp, positives - tp, fp, negatives - fp)


def _whole(numbers):
    return tuple(round(number) for number in numbers)


hidden_table = Exercise(
    oracle=_hidden_table,
    cases=_hidden_cases,
    mistakes=[
        Mistake(
            lambda p, n, auc, precision: _from_tp(p, n, round(auc * p), precision),
            "the AUC is taken for the recall. For hard labels it is the mean of recall and specificity.",
        ),
        Mistake(
            lambda p, n, auc, precision: _whole((auc * p, p - auc * p, n - auc * n, auc * n)),
            "recall and specificity are both taken to be the AUC. Their mean is; the precision tells "
            "them apart.",
        ),
        Mistake(
            lambda p, n, auc, precision: _whole(_solved(p, n, auc, precision)),
            "recall - false-positive rate is taken to be the AUC. It is 2 * auc - 1, because the AUC is "
            "(recall + 1 - false-positive rate) / 2.",
        ),
        Mistake(
            lambda p, n, auc, precision: _from_tp(p, n, round(precision * p), precision),
            "the precision is multiplied with the positives, as if it were the recall. Precision is a "
            "share of the positive calls.",
        ),
        Mistake(
            lambda p, n, auc, precision: tuple(
                _hidden_table(p, n, auc, precision)[i] for i in (0, 2, 1, 3)
            ),
            "fn and fp are exchanged: the order is (tp, fn, fp, tn).",
        ),
        Mistake(
            lambda p, n, auc, precision: tuple(
                _hidden_table(p, n, auc, precision)[i] for i in (3, 2, 1, 0)
            ),
            "these are the right counts in scikit-learn's order, (tn, fp, fn, tp); give (tp, fn, fp, tn).",
        ),
        Mistake(
            lambda p, n, auc, precision: tuple(
                _hidden_table(p, n, auc, precision)[i] for i in (0, 2, 3, 1)
            ),
            "these are the right counts in the order (tp, fp, tn, fn); give (tp, fn, fp, tn).",
        ),
        Mistake(
            lambda p, n, auc, precision: _search(p, n, auc, None),
            "this table has the right AUC, and so have others; the precision tells them apart.",
        ),
        Mistake(
            lambda p, n, auc, precision: _solved(p, n, 2 * auc - 1, precision),
            "the right table but for the rounding: what is printed has lost digits, so counts come out a "
            "little off. Round them to whole numbers.",
        ),
        Mistake(
            lambda p, n, auc, precision: tuple(
                int(c) for c in _solved(p, n, 2 * auc - 1, precision)
            ),
            "int() cuts off, so that 7.9999 becomes 7; round() gives the nearest whole number.",
        ),
        Mistake(
            lambda p, n, auc, precision: _search(p, n, auc, precision, 0),
            "your search compares with == and finds nothing: the printed numbers are rounded, so allow a "
            "difference of 0.00001.",
        ),
    ],
)
