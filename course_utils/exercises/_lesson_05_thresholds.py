"""The exercises of lesson 05 on thresholds, other prevalences and intervals; `lesson_05` passes them on."""

from math import inf, sqrt

import numpy as np

from course_utils.exercises import Exercise, Mistake

# --- threshold: at most this share of false positives --------------------------------------------


def _threshold(scores, labels, most):
    negatives = scores[labels == 0].tolist()
    for candidate in sorted(set(scores.tolist())):  # from the lowest up
        called = sum(score >= candidate for score in negatives)
        if called / len(negatives) <= most:
            return candidate
    return inf


def _threshold_cases(rng):
    yield np.array([0.1, 0.2, 0.3, 0.4, 0.35, 0.8]), np.array([0, 0, 0, 0, 1, 1]), 0.25
    yield (
        np.array([0.1, 0.9, 0.9, 0.9, 0.5, 0.95]),
        np.array([0, 0, 0, 0, 1, 1]),
        0.5,
    )  # tied negatives
    yield (
        np.array([0.1, 0.9, 0.9, 0.9, 0.5, 0.7]),
        np.array([0, 0, 0, 0, 1, 1]),
        0.25,
    )  # none will do
    for most in (0.01, 0.05, 0.1):
        labels = rng.permutation(np.arange(240) % 6 == 0).astype(int)
        yield np.round(rng.normal(1.5 * labels, 1), 2), labels, most


def _lowest(scores, most, share):
    """The lowest of the scores at which share(threshold) is small enough."""
    fitting = [score for score in np.unique(scores).tolist() if share(score) <= most]
    return fitting[0] if fitting else inf


def _other_share(share):
    return lambda scores, labels, most: _lowest(scores, most, lambda at: share(scores, labels, at))


def _last_that_passes(scores, labels, most):
    """No answer where no score will do."""
    return [t for t in np.unique(scores).tolist() if (scores[labels == 0] >= t).mean() <= most][0]


threshold = Exercise(
    oracle=_threshold,
    cases=_threshold_cases,
    mistakes=[
        Mistake(
            _last_that_passes,
            "right, until no score will do: the list is empty then, and has no first entry. Give "
            "infinity (np.inf).",
        ),
        Mistake(
            lambda scores, labels, most: np.quantile(scores[labels == 0], 1 - most),
            "np.quantile gives a number between two scores, and knows nothing of equal scores: more than the "
            "share allowed may reach it. Try the scores one by one and count.",
        ),
        Mistake(
            lambda scores, labels, most: np.quantile(scores, 1 - most),
            "this is a quantile of all scores. False positives come from the negatives, so only their scores "
            "decide.",
        ),
        Mistake(
            _other_share(lambda scores, labels, at: (scores[labels == 0] > at).mean()),
            "what is equal to the threshold is called positive too: count with >=, not with >. (Of sorted "
            "negatives, the one with as many above it as are allowed would itself be called.)",
        ),
        Mistake(
            _other_share(lambda scores, labels, at: ((scores >= at) & (labels == 0)).mean()),
            "the false positives are divided by all examples. The rate is a share of the negatives.",
        ),
        Mistake(
            _other_share(lambda scores, labels, at: (labels[scores >= at] == 0).mean()),
            "the false positives are divided by the positive calls, which is 1 - precision. The rate is "
            "a share of the negatives.",
        ),
        Mistake(
            _other_share(lambda scores, labels, at: (scores >= at).mean()),
            "all calls are counted here, also the right ones; count the negatives that are called.",
        ),
        Mistake(
            lambda scores, labels, most: _lowest(
                scores, 0, lambda at: float(not (scores[labels == 0] >= at).mean() < most)
            ),
            "exactly the share allowed is allowed: compare with <=, not with <.",
        ),
        Mistake(
            lambda scores, labels, most: _lowest(
                scores[labels == 0], most, lambda at: (scores[labels == 0] >= at).mean()
            ),
            "only the scores of negatives are tried. A positive's score may be a lower threshold that "
            "lets no more negatives pass: try all scores.",
        ),
        Mistake(
            lambda scores, labels, most: max(
                [t for t in scores.tolist() if (scores[labels == 0] >= t).mean() <= most],
                default=inf,
            ),
            "this is the highest score that will do, and finds hardly any positive. The lowest one keeps the "
            "promise too, and finds the most.",
        ),
        Mistake(
            _other_share(lambda scores, labels, at: (scores[labels == 1] < at).mean()),
            "this limits the positives that are missed; asked is the share of negatives that are called.",
        ),
    ],
)


# --- predictive_value: the same model at another prevalence --------------------------------------


def _predictive_value(recall, specificity, prevalence):
    people = 1_000_000  # windows, people: any large number will do
    positives = prevalence * people
    negatives = people - positives
    right = recall * positives
    wrong = (1 - specificity) * negatives
    return right / (right + wrong)


def _prevalence_cases(rng):
    yield 0.9, 0.95, 0.5
    yield 0.9, 0.95, 0.01
    yield 1.0, 254 / 259, 0.001
    yield 0.6, 1.0, 0.2
    for _ in range(4):
        yield tuple(rng.uniform((0.5, 0.6, 0.001), (1, 1, 0.4)).tolist())


predictive_value = Exercise(
    oracle=_predictive_value,
    cases=_prevalence_cases,
    mistakes=[
        Mistake(
            lambda recall, specificity, prevalence: recall / (recall + 1 - specificity),
            "this is the value in a balanced set; the prevalence plays no part in it, or cancels. Weigh the "
            "positives with the prevalence and the negatives with the rest, 1 - prevalence.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: (
                recall * prevalence / (recall * prevalence + specificity * (1 - prevalence))
            ),
            "the specificity is the share of negatives that are *not* called; among the calls are the "
            "others, 1 - specificity of them.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: (
                recall * prevalence / (recall * prevalence + 1 - specificity)
            ),
            "the negatives are not weighed: there are 1 - prevalence of them.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: _predictive_value(
                recall, specificity, 1 - prevalence
            ),
            "the prevalence is the share of positives; here it was given to the negatives.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: _predictive_value(
                specificity, recall, prevalence
            ),
            "recall and specificity are exchanged: recall belongs to the positives.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: (
                1 - _predictive_value(recall, specificity, prevalence)
            ),
            "this is the share of wrong calls among the positive ones; the share of right ones is asked.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: _predictive_value(
                specificity, recall, 1 - prevalence
            ),
            "this is what a *negative* call is worth; the positive one is asked.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: recall * prevalence,
            "this is the share of right positive calls among all examples; divide by the share of all "
            "positive calls, right and wrong.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: (
                recall * prevalence + (1 - specificity) * (1 - prevalence)
            ),
            "this is the share of positive calls; asked is how many of them are right.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: (
                recall * prevalence + specificity * (1 - prevalence)
            ),
            "this is the accuracy at that prevalence; asked is how many of the positive calls are right.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: recall,
            "the recall says how many positives are called; asked is the reverse, how many of those "
            "called are positive.",
        ),
        Mistake(
            lambda recall, specificity, prevalence: (
                100 * _predictive_value(recall, specificity, prevalence)
            ),
            "these are percent; a fraction is asked for.",
        ),
    ],
)


# --- interval: how sure is an accuracy -----------------------------------------------------------


def _interval(right, total, z=1.96):
    share = right / total
    below = 1 + z**2 / total
    middle = (share + z**2 / (2 * total)) / below
    half = z * sqrt(share * (1 - share) / total + z**2 / (4 * total**2)) / below
    return (middle - half, middle + half)


def _share_cases(rng):
    yield 383, 400
    yield 376, 400
    yield 10, 10
    yield 0, 25
    yield 1, 12
    for total in (12, 50, 1000):
        yield int(rng.integers(total // 2, total)), total


def _wilson_with(*, z=1.96, below=True, shift=True, inside=True, root=True):
    """Wilson's interval with a part of it left out."""

    def answer(right, total):
        share = right / total
        divisor = 1 + z**2 / total if below else 1
        middle = (share + (z**2 / (2 * total) if shift else 0)) / divisor
        spread = share * (1 - share) / total + (z**2 / (4 * total**2) if inside else 0)
        half = z * (sqrt(spread) if root else spread) / divisor
        return (middle - half, middle + half)

    return answer


def _plain(right, total, z=1.96):
    return right / total - z * _error(right, total), right / total + z * _error(right, total)


def _error(right, total):
    return sqrt(right / total * (1 - right / total) / total)


def _clipped(right, total):
    low, high = _plain(right, total)
    return max(low, 0.0), min(high, 1.0)


interval = Exercise(
    oracle=lambda right, total: _interval(right, total),
    cases=_share_cases,
    mistakes=[
        Mistake(
            _plain,
            "this is the plain interval, share plus and minus 1.96 standard errors. For 10 of 10 it has "
            "no width, as if ten examples could prove perfection; Wilson's is asked.",
        ),
        Mistake(
            _clipped,
            "this is the plain interval, cut at 0 and 1; cutting does not give it the width that it "
            "lacks at the ends. Wilson's is asked.",
        ),
        Mistake(
            _wilson_with(z=1.0),
            "this is Wilson's interval for one standard deviation, which holds 68 %; 95 % need z = 1.96.",
        ),
        Mistake(
            _wilson_with(z=1.645),
            "1.645 cuts off 5 % at one side, which leaves 90 % between two; z is 1.96 here.",
        ),
        Mistake(
            _wilson_with(z=2.0),
            "z is 2 here, which is a handy rounding; 1.96 is asked, and the check looks closely.",
        ),
        Mistake(
            _wilson_with(below=False),
            "the division by 1 + z**2 / total is missing, for the middle and for the half width.",
        ),
        Mistake(
            _wilson_with(shift=False),
            "the middle is not moved: z**2 / (2 * total) is added to the share before the division.",
        ),
        Mistake(
            _wilson_with(inside=False),
            "under the root z**2 / (4 * total**2) is missing; it is what leaves a width at 0 and at 1.",
        ),
        Mistake(
            _wilson_with(root=False),
            "the square root is missing in the half width.",
        ),
        Mistake(
            lambda right, total: _interval(right, total)[::-1],
            "the ends are exchanged: the lower one comes first.",
        ),
        Mistake(
            lambda right, total: _interval(right, total)[0],
            "one number came, the lower end; both ends are asked, as a pair.",
        ),
        Mistake(
            lambda right, total: tuple(100 * end for end in _interval(right, total)),
            "these are percent; fractions are asked for.",
        ),
        *(
            Mistake(
                lambda right, total, d=decimals: tuple(
                    round(e, d) for e in _interval(right, total)
                ),
                f"the ends are rounded to {decimals} decimals; give them as they come, and round when you "
                "print.",
            )
            for decimals in (2, 3, 4)
        ),
    ],
)
