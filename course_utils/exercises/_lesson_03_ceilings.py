"""The exercises of lesson 03 on the best that can be reached.

The second half of `lesson_03`, through which the lesson finds them.
"""

from math import inf, log2

import numpy as np

from course_utils.exercises import Exercise, Mistake

# --- ceiling_by_hand: the best accuracy at one position ------------------------------------------


def _ceiling_by_hand(p: np.ndarray, q: np.ndarray) -> float:
    right = 0.0
    for positive, negative in zip(p.tolist(), q.tolist()):
        right += 0.5 * max(positive, negative)  # call this base what it more often is
    return right


def _column_cases(rng):
    """A conserved base, a weak one, one without information, one that settles everything."""
    uniform = np.full(4, 0.25)
    return [
        (np.array([0.7, 0.1, 0.1, 0.1]), uniform),
        (np.array([0.2286, 0.6525, 0.083, 0.0359]), uniform),  # of the lesson's motif
        (np.array([0.4, 0.4, 0.1, 0.1]), np.array([0.2, 0.3, 0.3, 0.2])),
        (uniform, uniform),
        (np.array([0, 0.5, 0.5, 0]), np.array([0.75, 0, 0, 0.25])),
        *(tuple(rng.dirichlet(np.ones(4), 2)) for _ in range(3)),
    ]


def _guessing(p: np.ndarray, q: np.ndarray) -> float:
    both = p + q
    return float(((p**2 + q**2)[both > 0] / both[both > 0]).sum() / 2)


ceiling_by_hand = Exercise(
    oracle=_ceiling_by_hand,
    cases=_column_cases,
    mistakes=[
        Mistake(
            lambda p, q: p.max(),
            "this is the probability of the motif's best base. What happens at the other bases, and what "
            "the negatives do, counts too.",
        ),
        Mistake(
            lambda p, q: np.maximum(p, q).sum(),
            "an accuracy is never above 1: half of the sequences are positives and half are negatives, so "
            "each class weighs one half.",
        ),
        Mistake(
            lambda p, q: 1 - _ceiling_by_hand(p, q),
            "this is the share of wrong calls of the best rule; the share of right ones is asked.",
        ),
        Mistake(
            lambda p, q: np.minimum(p, q).sum(),
            "this adds up the smaller probabilities, of which the best rule gets none right; take the "
            "larger one for each base, and give each class its weight of one half.",
        ),
        Mistake(
            lambda p, q: abs(p - q).sum() / 2,
            "this is the distance between the two columns (total variation), 0 where they are the same. "
            "There, the accuracy is one half already: half of the distance comes on top of that.",
        ),
        Mistake(
            lambda p, q: abs(p - q).sum() / 4,
            "this is what the best rule gains over a coin; the coin's one half is missing.",
        ),
        Mistake(
            lambda p, q: 0.5 + abs(p - q).sum() / 2,
            "right for columns that are the same, and above 1 for very different ones: with each class "
            "weighing one half, only half of the distance counts.",
        ),
        Mistake(
            lambda p, q: np.maximum(p, q).mean(),
            "this is a mean over four bases. The bases are not equally frequent: their probabilities are "
            "in p and q already, so add up; it is the two classes that weigh one half each.",
        ),
        Mistake(
            lambda p, q: 0.5 * (p[p.argmax()] + 1 - q[p.argmax()]),
            "your rule calls a sequence positive for one base alone, the motif's best. Any base that is more "
            "frequent in positives than in negatives speaks for a positive.",
        ),
        Mistake(
            lambda p, q: p[p > q].sum(),
            "these are the positives that are called right; negatives that are called negative are right "
            "calls too, and each class weighs one half.",
        ),
        Mistake(
            _guessing,
            "this rule tosses a weighted coin for each base. Always making the more probable call is "
            "right more often.",
        ),
    ],
)


# --- best_rule: a motif at an unknown place ------------------------------------------------------


def _best_rule(scores: np.ndarray) -> float:
    total = 0.0
    for score in scores.tolist():
        total += 2.0**score
    ratio = total / len(scores)
    return log2(ratio) if ratio > 0 else -inf


def _score_cases(rng):
    """Two starts, some by hand, some with starts that cannot be, then fifteen as in the lesson."""
    many = rng.normal(-6, 4, 15)
    some = many.copy()
    some[rng.permutation(15)[:6]] = -inf
    return [
        (np.array([1.0, 3.0]),),
        (np.array([4.0]),),
        (np.array([2.0, -1.0, 0.0, 5.0]),),
        (np.array([-inf, 3.0, 3.0]),),
        (np.array([-inf, -inf]),),
        (many,),
        (some,),
    ]


def _quietly(function):
    """The same without numpy's warnings: the reader's own function may warn, our slips need not."""

    def quiet(scores):
        with np.errstate(divide="ignore", invalid="ignore"):
            return function(scores)

    return quiet


def _possible_starts(scores: np.ndarray) -> float:
    possible = scores[np.isfinite(scores)]
    return _best_rule(possible) if len(possible) else -inf


best_rule = Exercise(
    oracle=_best_rule,
    cases=_score_cases,
    mistakes=[
        Mistake(
            lambda scores: scores.max(),
            "this is the score of the best start. A good rule, and not the best: the site stands at one of "
            "the starts, each has its say, and they are equally likely.",
        ),
        Mistake(
            lambda scores: scores.mean(),
            "this is the mean of the logarithms. Probabilities are averaged, not their logarithms: turn the "
            "scores into ratios first, with 2**score.",
        ),
        Mistake(
            lambda scores: scores.sum(),
            "adding the scores multiplies the ratios, as if there were a site at every start; there is one "
            "site, at one of them.",
        ),
        Mistake(
            _quietly(lambda scores: np.log2((2.0**scores).sum())),
            "the ratios were added and not divided by their number: each start has the probability 1 / "
            "number of starts.",
        ),
        Mistake(
            _quietly(lambda scores: np.log((2.0**scores).mean())),
            "the mean is right, and np.log is the natural logarithm; bits come from np.log2.",
        ),
        Mistake(
            _quietly(lambda scores: np.log(np.exp(scores).mean())),
            "exp and log belong together, and the scores are bits: their partner is 2**score, with "
            "np.log2 for the way back.",
        ),
        Mistake(
            _quietly(lambda scores: np.log2(np.exp(scores).mean())),
            "np.exp(score) is e**score; a score in bits is turned back by 2**score.",
        ),
        Mistake(
            lambda scores: (2.0**scores).mean(),
            "this is the ratio itself; its logarithm to the base 2 is asked.",
        ),
        Mistake(
            lambda scores: log2((2.0**scores).mean()),
            "right until every start is impossible: the mean is 0 then, and math.log2 refuses 0. Give -inf "
            "in that case.",
        ),
        Mistake(
            _possible_starts,
            "starts with -inf were left out. They add 0, and they count among the starts: the site could "
            "have stood there.",
        ),
    ],
)
