"""The exercise of lesson 06 that beats a motif scan: scores for held-out regions, judged by how they rank.

The regions are simulated, so that the check needs no file but the matrix, and takes seconds. What was planted
in the bound ones: in most a CTCF site, drawn from the matrix; in some a short word of a partner, which the
matrix does not know. The others are shuffles of the bound ones that keep the counts of pairs of neighbours.
"""

from collections.abc import Callable
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from course_utils.datasets import shipped
from course_utils.exercises import CORRECT, Exercise, Feedback, _kind, is_untouched, not_yet
from course_utils.exercises._judging import Unfit, result_of
from course_utils.motifs import pfm_to_ppm, ppm_to_pwm, read_motifs
from course_utils.sequences import ALPHABET, from_codes, reverse_complement, to_codes
from course_utils.shuffles import shuffle_dinucleotides
from course_utils.simulation import sample_sites

TO_LEARN, TO_JUDGE, LENGTH = 2000, 1600, 100
BETTER = 0.03  # than the AUC of the scan, with its whole interval
WITH_SITE, WITH_PARTNER = 0.75, 0.55  # shares of the bound regions
_PARTNER = "TGACTCA"  # invented for CTCF; it is that of AP-1


class _Drawn(NamedTuple):
    sequences: list[str]
    labels: np.ndarray  # (N,), 1 = bound


def _ctcf() -> np.ndarray:
    """The probabilities of CTCF's matrix, ``(19, 4)``."""
    [motif] = [motif for motif in read_motifs(shipped("jaspar_motifs.txt")) if motif.accession == "MA0139.1"]
    return pfm_to_ppm(motif.pfm, pseudocount=1)


def _draw(many: int, rng: np.random.Generator) -> _Drawn:
    """So many regions in a random order, half of them bound."""
    half = many // 2
    codes = rng.choice(4, size=(half, LENGTH), p=(0.27, 0.23, 0.23, 0.27)).astype(np.uint8)
    sites = sample_sites(_ctcf(), half, rng)
    partners = np.tile(to_codes(_PARTNER), (half, 1))
    has_site, has_partner = rng.random(half) < WITH_SITE, rng.random(half) < WITH_PARTNER
    left = rng.random(half) < 0.5
    for row in range(half):
        if has_site[row]:
            _put(sites[row], codes[row, 30:70], rng)
        if has_partner[row]:
            _put(partners[row], codes[row, :30] if left[row] else codes[row, 70:], rng)
    both = np.concatenate([codes, shuffle_dinucleotides(codes, rng)])
    order = rng.permutation(many)
    return _Drawn(from_codes(both[order]), np.repeat([1, 0], half)[order])


def _put(word: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> None:
    """Write a word somewhere into a stretch of codes, on either strand."""
    start = rng.integers(0, len(codes) - len(word) + 1)
    codes[start : start + len(word)] = 3 - word[::-1] if rng.random() < 0.5 else word


def _best_matches(sequences: list[str], pwm: np.ndarray, strands: str = "+-") -> np.ndarray:
    """The best score ``(N,)`` of a motif in each sequence, by going along the motif."""
    codes = np.array([to_codes(sequence) for sequence in sequences])
    windows = codes.shape[1] - len(pwm) + 1
    best = np.full(len(codes), -np.inf)
    for strand in strands:
        matrix = pwm if strand == "+" else pwm[::-1, ::-1]
        scores = sum(row[codes[:, at : at + windows]] for at, row in enumerate(matrix))
        best = np.maximum(best, scores.max(axis=1))
    return best


def _paired_auc(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[float, ...]:
    """Two AUCs on the same examples, and both ends of the 95 % interval of their difference (DeLong)."""
    wins, losses = [], []
    for scores in (first, second):
        positive, negative = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
        wins.append(_below(scores[labels == 1], negative))
        losses.append(1 - _below(scores[labels == 0], positive))
    gain, other = wins[0] - wins[1], losses[0] - losses[1]
    half = 1.96 * sqrt(gain.var(ddof=1) / len(gain) + other.var(ddof=1) / len(other))
    return wins[0].mean(), wins[1].mean(), gain.mean() - half, gain.mean() + half


def _below(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each score the share of the sorted others below it; equal ones count half."""
    return sum(np.searchsorted(others, scores, side) for side in ("left", "right")) / (2 * len(others))


# --- the exercise --------------------------------------------------------------------------------


class _PwmExercise(Exercise):
    """An exercise whose answer scores held-out regions, to rank better than a PWM's best matches do."""

    def __call__(self, answer: Callable, seed: int = 0) -> Feedback:
        if is_untouched(answer) or not callable(answer):
            return super().__call__(answer, seed)
        rng = np.random.default_rng(seed)
        learn, judge, pwm = _draw(TO_LEARN, rng), _draw(TO_JUDGE, rng), ppm_to_pwm(_ctcf())
        tried = f"{TO_LEARN:,} regions to learn from, and {TO_JUDGE:,} others to score"
        try:
            given = (list(learn.sequences), learn.labels.copy(), list(judge.sequences), pwm.copy())
            scores = _scores(result_of(answer, *given))
        except Unfit as unfit:
            came, hint = unfit.args
            return not_yet(tried, came, f"an array of {TO_JUDGE:,} numbers", hint)
        matches = _best_matches(judge.sequences, pwm)
        yours, scan, low, high = _paired_auc(judge.labels, scores, matches)
        words = (
            f"the PWM's best match has {scan:.3f}; the difference is {yours - scan:+.3f}, its 95 % interval "
            f"{low:+.3f} to {high:+.3f}"
        )
        if low > BETTER:
            return Feedback(
                CORRECT,
                (
                    f"On {TO_JUDGE:,} held-out regions: AUC {yours:.3f}.",
                    f"Of these regions, {words}.",
                ),
            )
        return not_yet(
            tried,
            f"AUC {yours:.3f}",
            f"an interval of the difference above {BETTER:+.3f}. Of these regions, {words}",
            _hint(scores, yours, matches, judge, pwm),
        )


def _scores(came: Any) -> np.ndarray:
    """The scores that came, if they are one number for each test region."""
    if came is None:
        raise Unfit("nothing", "your function gives back nothing; does it end with `return`?")
    if not isinstance(came, np.ndarray):
        hint = f"an array is expected, and {_kind(came)} came."
        if isinstance(came, list):
            hint = "a list came; make it an array with np.array(...)."
        elif hasattr(came, "predict"):
            hint = "this is the classifier; let it score the test regions, and return the scores."
        raise Unfit(_kind(came), hint)
    shown = f"an array of shape {came.shape}"
    if came.shape == (TO_JUDGE, 2):
        raise Unfit(shown, "predict_proba gives a column for each class; the second one, [:, 1], is asked.")
    if came.shape[:1] == (TO_LEARN,):
        raise Unfit(shown, "these are scores of the training regions; those of the test regions are asked.")
    if came.shape != (TO_JUDGE,):
        raise Unfit(shown, "one number for each test region is asked.")
    if came.dtype.kind not in "fiub":
        raise Unfit(f"{shown} that holds {came.dtype}", "numbers are expected.")
    if not np.isfinite(came).all():
        raise Unfit(shown, "it holds NaN or infinity, which cannot be ranked.")
    return came.astype(float)


def _hint(scores, yours: float, matches: np.ndarray, judge: _Drawn, pwm: np.ndarray) -> str:
    """What scores that rank no better than a scan look like."""
    if np.ptp(scores) == 0:
        return "all regions have the same score, which ranks nothing."
    if len(np.unique(scores)) == 2:
        return (
            "there are two different scores, so these are calls, and within a class nothing is ranked "
            "(mistake M15). Return decision_function, or the second column of predict_proba."
        )
    if yours < 0.45:
        return "the ranking is upside down: the higher the score, the more likely bound. Change the sign."
    if _alike(scores, matches):
        return (
            "this ranks as the scan itself does. The training regions have labels: learn from them what "
            "else is in a bound region."
        )
    if any(_alike(scores, _best_matches(judge.sequences, pwm, strand)) for strand in "+-"):
        return "this is the best match on one strand alone. A site on the other strand is a site, too."
    if yours < 0.55:
        return (
            "this is no better than chance. Are the scores in the order of the test regions, and are "
            "training and test regions described in the same way?"
        )
    if abs(_correlation(scores, matches)) < 0.75:
        return (
            "your scores know little of what the PWM knows. Words of a few letters cannot hold a motif of "
            "19: give the classifier the best match as one more feature, beside the words."
        )
    return (
        "your scores know the motif, and little besides. Count words of 5 or 6 letters on both strands, and "
        "keep the weights of so many features small (C of LogisticRegression)."
    )


def _alike(scores: np.ndarray, others: np.ndarray) -> bool:
    return _correlation(scores, others) > 0.98


def _correlation(scores: np.ndarray, others: np.ndarray) -> float:
    """Spearman's: of the ranks."""
    ranks = [np.argsort(np.argsort(some)) for some in (scores, others)]
    return float(np.corrcoef(*ranks)[0, 1])


def _loop(training, labels, test, pwm) -> np.ndarray:
    """What was planted, region by region: the best match, and 8 bits if the partner's word is there."""
    scores = []
    for sequence in test:
        here = float(_best_matches([sequence], pwm)[0])
        for start in range(len(sequence) - len(_PARTNER) + 1):
            if sequence[start : start + len(_PARTNER)] in (_PARTNER, reverse_complement(_PARTNER)):
                here += 8
                break
        scores.append(here)
    return np.array(scores)


def _cases(rng: np.random.Generator) -> list[tuple]:
    learn, judge = _draw(20, rng), _draw(10, rng)
    return [(learn.sequences, learn.labels, judge.sequences, ppm_to_pwm(_ctcf()))]


# The class draws and judges by itself; what stands here is for the tests that all exercises share.
beat_the_pwm = _PwmExercise(oracle=_loop, cases=_cases)
