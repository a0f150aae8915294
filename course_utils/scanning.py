"""Finding motifs: scores of both strands, exact p-values, thresholds, hits, multiple testing.

A sequence of L bases has ``L - width + 1`` windows. Each is scored twice, as it stands and as its reverse
complement, at the same window start (0-based): scores are an array ``(2, windows)``, row 0 the plus strand,
row 1 the minus strand, in bits. A window that holds a letter other than A, C, G, T scores -inf.

P-values are exact for weights that are rounded to whole steps, so round a PWM once, with :func:`rounded`, and
scan with that. Explained in lesson 02.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import NamedTuple

import numpy as np

from course_utils.motifs import UNIFORM, MotifError, check_background, check_ppm, check_pwm
from course_utils.sequences import SequenceError, to_codes

STEP = 0.001  # bits; at most this much is rounded away at two positions together
STRANDS = "+-"
_BLOCK = 1 << 14  # windows scored at a time, few enough for the processor's cache
_MOST_STEPS = 5 * 10**7  # from lowest to highest score: eight bytes each in their distribution


class Hits(NamedTuple):
    """Windows that reach a threshold, from left to right: three arrays of one length.

    Attributes:
        start: first base of the window, from 0, also on the minus strand.
        strand: ``"+"`` or ``"-"``.
        score: bits.
    """

    start: np.ndarray
    strand: np.ndarray
    score: np.ndarray


# --- scanning ------------------------------------------------------------------------------------


def scan(sequence: str, pwm: np.ndarray) -> np.ndarray:
    """Score every window of both strands: ``(2, L - width + 1)``, float32, in bits.

    Args:
        sequence: L letters, upper or lower case; a window with N or another IUPAC code scores -inf.
        pwm: weights ``(width, 4)``; -inf rules a base out.

    Raises:
        SequenceError: for an empty sequence, one shorter than the motif, or a letter outside IUPAC.
        MotifError: for what :func:`check_pwm` refuses.

    Four bases at a time: a window of 12 takes three look-ups in tables of the 256 words of 4 bases,
    instead of twelve. The scores of the two strands lie side by side, so that one look-up gives both.
    Lesson 02 builds it step by step; ``benchmarks/scanning.py`` measures it.
    """
    pwm = check_pwm(pwm)
    codes = to_codes(sequence)
    windows = len(codes) - len(pwm) + 1
    if windows < 1:
        raise SequenceError(
            f"the motif is {len(pwm)} positions wide and the sequence has {len(codes)} bases; "
            "a window needs at least as many bases as the motif"
        )
    unknown = codes > 3
    some_unknown = unknown.any()
    if some_unknown:
        codes[unknown] = 0
    tables = _tables_of_four(pwm)
    # A complex64 is a pair of float32, here the scores of plus and minus strand. Nothing is complex about
    # them, but numpy looks up and adds such a pair in one go: that is why they are kept as one number.
    scores = np.empty(windows, dtype=np.complex64)
    for start in range(0, windows, _BLOCK):
        block = scores[start : start + _BLOCK]
        words = _words_of_four(codes[start:], len(block) + 4 * (len(tables) - 1))
        tables[0].take(words[: len(block)], out=block, mode="clip")
        for number, table in enumerate(tables[1:], start=1):
            block += table.take(words[4 * number : 4 * number + len(block)], mode="clip")
        if some_unknown:
            reach = unknown[start : start + len(block) + len(pwm) - 1]
            seen = np.concatenate([[0], np.cumsum(reach, dtype=np.int32)])  # unknown letters so far
            block[seen[len(pwm) :] > seen[: len(block)]] = complex(-np.inf, -np.inf)
    return scores.view(np.float32).reshape(windows, 2).T  # (windows, 2) -> (2, windows)


def _tables_of_four(pwm: np.ndarray) -> list[np.ndarray]:
    """For each four positions, ``(256,)`` pairs: what each word of 4 bases adds on plus and minus strand."""
    missing = -len(pwm) % 4
    strands = []
    for matrix in (pwm, pwm[::-1, ::-1]):  # the minus strand is scored by the turned motif
        padded = np.vstack([matrix, np.zeros((missing, 4))]).reshape(-1, 4, 4)
        strands.append(
            [
                (a[:, None, None, None] + b[:, None, None] + c[:, None] + d).ravel()
                for a, b, c, d in padded
            ]
        )
    return [  # (256, 2) float32 -> (256,) complex64, the same bytes
        np.stack([plus, minus], axis=1).astype(np.float32).view(np.complex64)[:, 0]
        for plus, minus in zip(*strands)
    ]


def _words_of_four(codes: np.ndarray, many: int) -> np.ndarray:
    """The number, 0 to 255, of the word that starts at each of the first `many` bases.

    Past the end of the sequence, A stands in; the tables give it no weight there.
    """
    codes = codes[: many + 3]
    if len(codes) < many + 3:
        codes = np.concatenate([codes, np.zeros(many + 3 - len(codes), dtype=np.uint8)])
    words = (codes[:-3] << 6) | (codes[1:-2] << 4) | (codes[2:-1] << 2) | codes[3:]
    return words.astype(np.intp)  # once, or every look-up would convert them again


def find_hits(scores: np.ndarray, threshold: float) -> Hits:
    """The windows of :func:`scan` whose score is at least `threshold`, from left to right.

    Raises:
        MotifError: for scores of another shape, or a threshold that is not a number (lesson 02).
    """
    scores = np.asarray(scores)
    if scores.ndim != 2 or len(scores) != 2:
        raise MotifError(f"scores of both strands have the shape (2, windows), not {scores.shape}")
    if not isinstance(threshold, Real) or np.isnan(threshold):
        raise MotifError(f"the threshold is {threshold!r:.40}; a number of bits is expected")
    # Window by window, plus first; flatnonzero and divmod find them ten times faster than nonzero does.
    start, strand = np.divmod(np.flatnonzero(scores.T >= threshold), 2)
    return Hits(start, np.array(list(STRANDS))[strand], scores[strand, start])


# --- exact p-values ------------------------------------------------------------------------------


def rounded(pwm: np.ndarray, step: float = STEP) -> np.ndarray:
    """The weights rounded to whole steps, for which p-values are exact.

    A word's score changes by at most half a step for each position.

    Raises:
        MotifError: for what :func:`check_pwm` refuses, or a step outside 0.0001 to 1 bit (lesson 02).
    """
    pwm = check_pwm(pwm)
    # Scores of float32 tell no finer steps apart.
    if not isinstance(step, Real) or not 1e-4 <= step <= 1:
        raise MotifError(f"the step is {step!r:.40}; from 0.0001 to 1 bit is expected")
    return np.rint(pwm / step) * step


@dataclass(frozen=True, eq=False)
class ScoreDistribution:
    """How likely each score is: exact, for a motif with rounded weights.

    Attributes:
        step: all scores are whole multiples of it, in bits.
        lowest: the lowest possible score, in steps.
        probability: of the scores lowest, lowest + 1, ... steps.
        impossible: the probability of the words that the motif rules out (score -inf).

    Made by :func:`score_distribution`. Lesson 02.
    """

    step: float
    lowest: int
    probability: np.ndarray
    impossible: float

    @cached_property
    def _tail(self) -> np.ndarray:
        """The p-value of each score, summed from the rarest end: so small ones keep all their digits."""
        tail = np.cumsum(self.probability[::-1])[::-1]
        return np.minimum(tail, 1.0)  # rounding may lift it above 1

    @property
    def scores(self) -> np.ndarray:
        """The score, in bits, of each entry of `probability`."""
        return (self.lowest + np.arange(len(self.probability))) * self.step

    def p_value(self, score: float | np.ndarray) -> np.ndarray:
        """The probability of a score at least as high: one number for each score.

        Raises:
            MotifError: for NaN.
        """
        score = np.asarray(score, dtype=float)
        if np.isnan(score).any():
            raise MotifError("a score is NaN, which has no p-value; a number of bits is expected")
        # A tenth of a step is far more than scores of float32 are off, and far less than a step.
        steps = np.ceil(score / self.step - 0.1) - self.lowest
        tail = np.append(self._tail, 0.0)
        found = tail[np.clip(steps, 0, len(self._tail)).astype(int)]
        return np.where(np.isneginf(score), 1.0, found)[()]

    def threshold(self, p_value: float) -> float:
        """The lowest threshold that random words pass no more often than with this p-value.

        It lies half a step below the lowest score that passes, so that rounding decides nothing.

        Raises:
            MotifError: for a p-value outside 0 to 1, or one smaller than the probability of the
                best word, which no threshold can reach.
        """
        if not isinstance(p_value, Real) or not 0 < p_value <= 1:
            raise MotifError(
                f"the p-value is {p_value!r:.40}; a number above 0 and up to 1 is expected"
            )
        attained = np.flatnonzero(self.probability)
        passing = attained[self._tail[attained] <= p_value * (1 + 1e-12)]
        if not passing.size:
            best = self._tail[attained].min(initial=1.0)
            raise MotifError(
                f"no word is as rare as {p_value:.2g}: the best word of this motif alone has the "
                f"probability {best:.2g}; a longer or sharper motif could do it"
            )
        return float((self.lowest + passing[0] - 0.5) * self.step)


def score_distribution(
    pwm: np.ndarray,
    probabilities: Sequence[float] | np.ndarray = UNIFORM,
    step: float = STEP,
) -> ScoreDistribution:
    """The distribution of the score of a word, by dynamic programming over the positions.

    Position by position, the scores so far are moved by each base's weight and mixed by its
    probability (Staden, CABIOS 5, 89-96, 1989; Touzet & Varre, Algorithms for Molecular Biology
    2, 15, 2007).

    Args:
        pwm: weights ``(width, 4)``; they are rounded to whole steps first.
        probabilities: of A, C, G, T at every position (a background), or ``(width, 4)``, one row for
            each position (a PPM: the scores of the motif's own sites).
        step: in bits.

    Raises:
        MotifError: for what :func:`rounded`, :func:`check_background` or :func:`check_ppm` refuses,
            or weights so large that the scores would span more than 50 million steps (lesson 02).
    """
    steps = np.rint(rounded(pwm, step) / step)  # (width, 4), whole numbers and -inf
    try:
        for_each_position = np.ndim(probabilities) == 2
    except ValueError:  # rows of unequal length, which numpy makes no array of
        for_each_position = True
    if for_each_position:
        rows = check_ppm(probabilities)
        if len(rows) != len(steps):
            raise MotifError(
                f"the weights have {len(steps)} positions and the probabilities {len(rows)}; one row "
                "for each position is expected"
            )
    else:
        rows = np.tile(check_background(probabilities), (len(steps), 1))
    rows = rows / rows.sum(axis=1, keepdims=True)  # the checks let the last digits pass
    possible = np.isfinite(steps)
    lowest = np.where(possible, steps, np.inf).min(axis=1)  # (width,)
    spans = steps.max(axis=1) - lowest
    if not spans.sum() <= _MOST_STEPS:
        raise MotifError(
            f"the scores span {spans.sum():.2g} steps of {step} bits, more than {_MOST_STEPS:,}; are the "
            "weights in bits?"
        )
    mass = np.ones(1)  # before the first position, every score is 0
    for position in np.argsort(spans, kind="stable"):  # short arrays first: less to add up
        moved = np.zeros(len(mass) + int(spans[position]))
        for base in np.flatnonzero(possible[position]):
            move = int(steps[position, base] - lowest[position])
            moved[move : move + len(mass)] += rows[position, base] * mass
        mass = moved
    ruled_out = np.where(possible, 0, rows).sum(axis=1)  # (width,)
    return ScoreDistribution(step, int(lowest.sum()), mass, float(1 - np.prod(1 - ruled_out)))


def benjamini_hochberg(p_values: np.ndarray, tests: int | None = None) -> np.ndarray:
    """Adjusted p-values ``(n,)``: of all that are at most q, on average at most a share q are false.

    That holds for independent tests, and for some that depend on each other.

    Args:
        p_values: of all tests ``(n,)``, in any order; or of the smallest only, if `tests` says how many
            were made: then the largest of them may come out a little too large, never too small.
        tests: number of tests; by default as many as there are p-values.

    Raises:
        MotifError: for another shape, p-values outside 0 to 1, or fewer tests than p-values.

    Benjamini & Hochberg, Journal of the Royal Statistical Society B 57, 289-300, 1995 (lesson 02).
    """
    p_values = np.asarray(p_values, dtype=float)
    if p_values.ndim != 1:
        raise MotifError(f"p-values are expected in a row, not in the shape {p_values.shape}")
    wrong = np.flatnonzero(~((p_values >= 0) & (p_values <= 1)))
    if wrong.size:
        raise MotifError(
            f"p-value {wrong[0]} is {p_values[wrong[0]]:g}; a number from 0 to 1 is expected"
        )
    tests = len(p_values) if tests is None else tests
    if not tests >= len(p_values):  # nor is NaN
        raise MotifError(f"{len(p_values)} p-values came, of only {tests} tests")
    order = np.argsort(p_values)[::-1]  # from the largest
    ranks = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum.accumulate(np.minimum(p_values[order] * tests / ranks, 1.0))
    return adjusted
