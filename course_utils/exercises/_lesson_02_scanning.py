"""The exercises of lesson 02 on scanning: both strands, p-values, thresholds, many tests.

The second half of `lesson_02`, through which the lesson finds them.
"""

import itertools

import numpy as np

from course_utils.exercises import Exercise, Mistake


def _random_pwm(rng: np.random.Generator, width: int, steps: int = 8) -> np.ndarray:
    """Weights from -3 to 2 in eighths (or halves), which computers add up without rounding."""
    return rng.integers(-3 * steps, 2 * steps + 1, (width, 4)) / steps


# --- scan: both strands --------------------------------------------------------------------------


def _scan(encoded: np.ndarray, pwm: np.ndarray) -> np.ndarray:
    width = len(pwm)
    scores = np.zeros((2, len(encoded) - width + 1))
    for start in range(len(encoded) - width + 1):
        for position in range(width):
            # The minus strand reads the window from its end, and the partner of each base.
            plus, minus = encoded[start + position], encoded[start + width - 1 - position]
            for column in range(4):
                scores[0, start] += plus[column] * pwm[position, column]
                scores[1, start] += minus[3 - column] * pwm[position, column]
    return scores


def _scan_cases(rng):
    """A motif of one position and one as wide as the sequence are among them."""

    def encoded(length):
        return np.eye(4)[rng.integers(4, size=length)]

    return [
        (
            np.eye(4)[[0, 1, 1, 3, 2]],
            np.array([[2.0, -1, -3, 0], [-2, 1, 0.5, -4], [-1, 1.5, -2, 0]]),
        ),
        (encoded(3), _random_pwm(rng, 1)),
        (encoded(4), _random_pwm(rng, 4)),
        (encoded(9), _random_pwm(rng, 3)),
        (encoded(30), _random_pwm(rng, 6)),
    ]


def _with_minus(change):
    """The plus strand as it should be, the minus strand scored with another matrix."""
    return lambda encoded, pwm: np.array([_scan(encoded, pwm)[0], _scan(encoded, change(pwm))[0]])


def _product_scan(encoded: np.ndarray, pwm: np.ndarray) -> np.ndarray:
    windows = [encoded[start : start + len(pwm)] for start in range(len(encoded) - len(pwm) + 1)]
    matrices = (pwm, pwm[::-1, ::-1])
    return np.array([[(w * m).sum(axis=1).prod() for w in windows] for m in matrices])


def _scan_past_the_end(encoded: np.ndarray, pwm: np.ndarray) -> np.ndarray:
    if len(pwm) > 1:
        raise IndexError("the last windows stick out of the sequence")
    return _scan(encoded, pwm)


scan = Exercise(
    oracle=_scan,
    cases=_scan_cases,
    mistakes=[
        Mistake(
            lambda encoded, pwm: _scan(encoded, pwm)[:, :-1],
            "the last window is missing: windows start at 0, 1, ... up to L - width, and that one"
            " counts too.",
        ),
        Mistake(
            _scan_past_the_end,
            "your last windows stick out of the sequence, hence the error: a window starts no "
            "later than L - width.",
        ),
        Mistake(
            lambda encoded, pwm: np.array([_scan(encoded, pwm)[0], _scan(encoded, pwm)[1, ::-1]]),
            "the minus strand's scores are right and in reversed order: if you scanned the "
            "reverse complement of the sequence, its first window is the last one here.",
        ),
        Mistake(
            _with_minus(lambda pwm: pwm[::-1]),
            "for the minus strand you reversed the positions; the bases are not complemented yet.",
        ),
        Mistake(
            _with_minus(lambda pwm: pwm[:, ::-1]),
            "for the minus strand you complemented the bases; the positions are not reversed yet.",
        ),
        Mistake(
            _with_minus(lambda pwm: pwm),
            "both rows are the plus strand; the minus strand needs the motif, or the window, as "
            "its reverse complement.",
        ),
        Mistake(
            lambda encoded, pwm: _scan(encoded, pwm)[::-1],
            "the strands have changed places: row 0 is the plus strand.",
        ),
        Mistake(
            _product_scan,
            "the weights of a window were multiplied; weights are logarithms, so add them.",
        ),
        Mistake(
            lambda encoded, pwm: _scan(encoded, pwm)[0],
            "this is the plus strand alone; a second row, for the minus strand, is asked.",
        ),
        Mistake(
            lambda encoded, pwm: _scan(encoded, pwm).T,
            "one row for each window came; two rows, one for each strand, are asked.",
        ),
    ],
)


# --- p_value: all words, one by one --------------------------------------------------------------


def _totals(pwm: np.ndarray) -> list[float]:
    """The scores of all words of the motif's width."""
    totals = []
    for word in itertools.product(range(4), repeat=len(pwm)):
        total = 0.0
        for position, column in enumerate(word):
            total += float(pwm[position, column])
        totals.append(total)
    return totals


def _p_value(pwm: np.ndarray, score: float) -> float:
    reached = 0
    for total in _totals(pwm):
        if total >= score - 1e-9:
            reached += 1
    return reached / 4 ** len(pwm)


def _p_value_cases(rng):
    """Scores that some word has exactly, and one that none has.

    Only in the second case does rounding decide: 0.1 + 0.7 is less than 0.8 in a computer.
    """
    cases = [
        (np.array([[1.0, -1, -1, 0.5], [0.5, -2, 1, 0]]), 1.0),
        (np.array([[0.1, -1, -0.5, -1], [-2, 0.7, -1, 0.2]]), 0.8),
    ]
    for width in (1, 3, 4, 5):
        pwm = _random_pwm(rng, width)
        totals = sorted(_totals(pwm))
        cases.append((pwm, totals[int(rng.integers(len(totals) // 2, len(totals)))]))
    pwm = _random_pwm(rng, 3)
    return [*cases, (pwm, max(_totals(pwm)) + 1)]


def _share(compare):
    """The share of words whose score compares so with the score asked for; no tolerance."""
    return lambda pwm, score: sum(compare(t, score) for t in _totals(pwm)) / 4 ** len(pwm)


def _best_word_alone(pwm: np.ndarray, score: float) -> float:
    return float(max(_totals(pwm)) >= score - 1e-9) / 4 ** len(pwm)


def _words_without_repeats(pwm: np.ndarray, score: float) -> float:
    words = itertools.product(range(4), repeat=len(pwm))
    different = [len(set(word)) == len(pwm) for word in words]
    reached = [total >= score - 1e-9 for total in _totals(pwm)]
    return sum(d and r for d, r in zip(different, reached)) / 4 ** len(pwm)


p_value = Exercise(
    oracle=_p_value,
    cases=_p_value_cases,
    mistakes=[
        Mistake(
            _share(lambda total, score: total >= score),
            "words with exactly this score slip through where rounding makes their sum a little "
            "too small: 0.1 + 0.7 is 0.7999999999999999 in a computer. Compare with score - 1e-9.",
        ),
        Mistake(
            _share(lambda total, score: total > score),
            "words with exactly this score count too: at least, not more than.",
        ),
        Mistake(
            _share(lambda total, score: total <= score),
            "this is the share of words with at most this score; a p-value counts the other end.",
        ),
        Mistake(
            lambda pwm, score: 1 - _p_value(pwm, score),
            "this is the share of words that do not reach the score: 1 minus what is asked.",
        ),
        Mistake(
            _share(lambda total, score: total == score),
            "only words with exactly this score were counted; higher scores are just as "
            "surprising.",
        ),
        Mistake(
            lambda pwm, score: round(_p_value(pwm, score) * 4 ** len(pwm)),
            "this is how many words; a share of all words is asked.",
        ),
        Mistake(
            lambda pwm, score: _p_value(pwm, score) * 4 ** len(pwm) / (4 * len(pwm)),
            "the number of words is not 4 times the width: each further position has four choices"
            " for every word so far.",
        ),
        Mistake(
            _best_word_alone,
            "only the best word was looked at; count every word that reaches the score.",
        ),
        Mistake(
            _words_without_repeats,
            "words that hold a base twice are missing (permutations gives none of them); product,"
            " of itertools, gives all words.",
        ),
    ],
)


# --- choose_threshold: one expected chance hit ---------------------------------------------------


def _choose_threshold(scores: np.ndarray, p_values: np.ndarray, windows: int) -> float | None:
    for score, p in zip(scores, p_values):
        if p * windows <= 1:
            return float(score)
    return None


def _distribution(rng: np.random.Generator, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores in steps of half a bit, some of them reached by no word, and their exact p-values."""
    totals = np.array(_totals(_random_pwm(rng, width, steps=2)))
    scores = np.arange(totals.min(), totals.max() + 0.25, 0.5)
    return scores, np.array([float((totals >= score).mean()) for score in scores])


def _threshold_cases(rng):
    """P-values that are fractions of powers of two, so that rounding never decides."""
    scores = np.array([-3.0, -1.0, 0.5, 2.0, 4.0])
    p_values = np.array([1, 0.5, 0.25, 0.0625, 0.015625])
    cases = [(scores, p_values, windows) for windows in (6, 16, 100, 10)]
    for width in (3, 4):
        distribution = _distribution(rng, width)
        cases.append((*distribution, int(rng.integers(2, 1 / distribution[1][-1] + 1))))
    return [*cases, (*_distribution(rng, 3), 1000)]


def _first(passing):
    """The first score that passes; None if there is none."""

    def slip(scores, p_values, windows):
        found = np.flatnonzero(passing(p_values, windows))
        return float(scores[found[0]]) if len(found) else None

    return slip


def _error_if_none(scores, p_values, windows):
    return float(scores[p_values * windows <= 1][0])


def _or_else(score):
    """Right, but another score than None if none is rare enough."""

    def slip(scores, p_values, windows):
        chosen = _choose_threshold(scores, p_values, windows)
        return float(score(scores)) if chosen is None else chosen

    return slip


def _instead(take):
    """Something else than the score at its place."""

    def slip(scores, p_values, windows):
        chosen = _choose_threshold(scores, p_values, windows)
        return None if chosen is None else take(p_values, scores.tolist().index(chosen))

    return slip


def _highest(scores, p_values, windows):
    return None if p_values[-1] * windows > 1 else float(scores[-1])


choose_threshold = Exercise(
    oracle=_choose_threshold,
    cases=_threshold_cases,
    mistakes=[
        Mistake(
            _first(lambda p, windows: p <= 1),
            "every p-value is at most 1: multiply it by the number of windows to get the expected"
            " number of chance hits.",
        ),
        Mistake(
            _first(lambda p, windows: p <= 0.05),
            "0.05 is a rate for a single window; with many windows it gives many hits by chance. "
            "Use `windows`.",
        ),
        Mistake(
            lambda scores, p, windows: float(scores[np.argmin(abs(p * windows - 1))]),
            "this is the score whose expected number lies nearest to 1, on either side; it must "
            "not be above 1.",
        ),
        Mistake(
            _instead(lambda p, place: place),
            "this is the place of the threshold in the array; give the score that stands there.",
        ),
        Mistake(
            _instead(lambda p, place: float(p[place])),
            "this is the p-value of the threshold; give its score.",
        ),
        Mistake(
            _or_else(lambda scores: scores[-1]),
            "no score is rare enough there, and the highest one came all the same. Common tools "
            "do this silently; say None.",
        ),
        Mistake(
            _or_else(lambda scores: scores[0]),
            "no score is rare enough there, and the lowest one came: argmax of nothing but False "
            "is 0. Ask first whether any score passes.",
        ),
        Mistake(
            _error_if_none,
            "there is no first one among none: where no score is rare enough, give None.",
        ),
        Mistake(
            _first(lambda p, windows: p * windows < 1),
            "a score with exactly one expected hit is allowed: at most one, not fewer than one.",
        ),
        Mistake(
            _first(lambda p, windows: 2 * p * windows <= 1),
            "the number of windows was doubled; `windows` counts both strands already.",
        ),
        Mistake(
            _highest,
            "the highest score came although lower ones are rare enough: the lowest of them is "
            "asked.",
        ),
    ],
)


# --- benjamini_hochberg: many tests --------------------------------------------------------------


def _benjamini_hochberg(p_values: np.ndarray, q: float) -> np.ndarray:
    largest = -1.0  # no p-value is as small: nothing is discovered
    for rank, p in enumerate(sorted(p_values), start=1):
        if p <= q * rank / len(p_values):
            largest = p
    return np.array([bool(p <= largest) for p in p_values])


def _many_tests(rng):
    """In the first case the fourth smallest passes after two have failed; two are random."""

    def some(small, others):
        both = np.concatenate([rng.uniform(0, 0.02, small), rng.uniform(0.03, 1, others)])
        return rng.permutation(both)

    return [
        (np.array([0.03, 0.9, 0.004, 0.033, 0.045, 0.02]), 0.05),
        (np.array([0.5, 0.0625, 0.9, 0.015625, 0.7, 0.8, 0.6, 0.95]), 0.25),
        (np.array([0.6, 0.3, 0.9]), 0.1),
        (some(4, 6), 0.05),
        (some(8, 22), 0.1),
    ]


def _at_own_rank(p_values: np.ndarray) -> np.ndarray:
    """The rank of each p-value, from 1 for the smallest, in the order of the input."""
    return np.argsort(np.argsort(p_values, kind="stable"), kind="stable") + 1


def _up_to_first_failure(p_values: np.ndarray, q: float) -> np.ndarray:
    largest = -1.0
    for rank, p in enumerate(sorted(p_values), start=1):
        if p > q * rank / len(p_values):
            break
        largest = p
    return p_values <= largest


def _up_to_largest(passing):
    """All p-values up to the largest one that passes."""

    def slip(p_values, q):
        passed = p_values[passing(p_values, q * _at_own_rank(p_values) / len(p_values))]
        return p_values <= max(passed, default=-1.0)

    return slip


def _adjusted(p_values: np.ndarray, q: float) -> np.ndarray:
    raised = p_values * len(p_values) / _at_own_rank(p_values)
    return np.array([min(1.0, *raised[p_values >= p]) for p in p_values])


benjamini_hochberg = Exercise(
    oracle=_benjamini_hochberg,
    cases=_many_tests,
    mistakes=[
        Mistake(
            lambda p, q: p <= q,
            "each p-value was compared with q itself: no correction for the number of tests.",
        ),
        Mistake(
            lambda p, q: p <= q / len(p),
            "this is Bonferroni's correction, q / m for all; here the bar rises with the rank.",
        ),
        Mistake(
            _up_to_first_failure,
            "you stop at the first p-value above its bar; a later one may lie below its own. Look"
            " for the last success.",
        ),
        Mistake(
            lambda p, q: p <= q * _at_own_rank(p) / len(p),
            "each p-value was judged by its own bar alone; all that are smaller than the last "
            "success are discoveries too.",
        ),
        Mistake(
            lambda p, q: np.sort(_benjamini_hochberg(p, q))[::-1],
            "the answers came in sorted order; put them back in the order of the input.",
        ),
        Mistake(
            lambda p, q: p <= q * np.arange(1, len(p) + 1) / len(p),
            "the p-values were not sorted: place in the array was taken for the rank.",
        ),
        Mistake(
            _up_to_largest(lambda p, bar: p < bar),
            "a p-value that equals its bar is below it enough: at most, not less than.",
        ),
        Mistake(
            lambda p, q: _up_to_largest(lambda p, bar: p <= bar - q / len(p))(p, q),
            "the ranks began with 0, so every bar is one step too low; the smallest p-value has "
            "rank 1.",
        ),
        Mistake(
            lambda p, q: int(_benjamini_hochberg(p, q).sum()),
            "this is how many discoveries there are; say True or False for each p-value.",
        ),
        Mistake(
            lambda p, q: np.flatnonzero(_benjamini_hochberg(p, q)),
            "these are the places of the discoveries; say True or False for each p-value.",
        ),
        Mistake(
            _adjusted,
            "these are adjusted p-values; compare each of them with q.",
        ),
    ],
)
