"""The exercise of lesson 06 that makes a balanced set: each peak, and a shuffle that keeps its neighbours.

A shuffle is drawn, so no answer is compared with a right value: it is looked at for what it must have.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.exercises import CORRECT, Exercise, Feedback, _kind, is_untouched, not_yet, show
from course_utils.exercises._judging import Unfit, result_of
from course_utils.exercises._random import random_sequence
from course_utils.sequences import reverse_complement
from course_utils.shuffles import shuffle_dinucleotides


def _peak_cases(rng: np.random.Generator) -> list[tuple]:
    """Peaks and a generator; repeats are in lower case, as genome browsers give them."""
    cases = [(["ACGATTACGCAGATACCA", "GGGATCGGCATGGACTGA"], np.random.default_rng(1))]
    for many, length in ((6, 60), (30, 100)):
        peaks = []
        for number in range(many):
            letters = random_sequence(rng, length, "ACGT" + "AT" * (number % 3))
            start = int(rng.integers(0, length // 2))
            repeat = letters[start : start + length // 3].lower() if number % 2 else ""
            peaks.append(letters[:start] + repeat + letters[start + len(repeat) :])
        cases.append((peaks, np.random.default_rng(int(rng.integers(2, 1000)))))
    return cases


def _balanced(peaks: list[str], rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    positives = [peak.upper() for peak in peaks]
    negatives = [shuffle_dinucleotides(positive, rng) for positive in positives]
    return positives + negatives, np.array([1] * len(peaks) + [0] * len(peaks))


class _NegativesExercise(Exercise):
    """An exercise whose answer makes a labelled set, which is looked at property by property."""

    def __call__(self, answer: Callable, seed: int = 0) -> Feedback:
        if is_untouched(answer) or not callable(answer):
            return super().__call__(answer, seed)
        cases = self.cases(np.random.default_rng(seed))
        for peaks, rng in cases:
            try:
                _look_at(answer, peaks, rng)
            except Unfit as unfit:
                came, hint = unfit.args
                return not_yet(
                    show(peaks),
                    came,
                    f"{2 * len(peaks)} sequences and labels: the {len(peaks)} peaks in upper case, then for "
                    "each a shuffle that keeps the counts of pairs of neighbours",
                    hint,
                )
        many = sum(len(peaks) for peaks, _ in cases)
        words = f"{many} peaks tried; each has a negative with the same counts of neighbours."
        return Feedback(CORRECT, (words,))


def _look_at(answer: Callable, peaks: list[str], rng: np.random.Generator) -> None:
    """Say so if what comes for these peaks is not what is asked."""
    start, other = rng.bit_generator.state, np.random.default_rng(7)
    given = list(peaks)
    sequences, labels = _parts(result_of(answer, given, _from(start)), len(peaks))
    if given != peaks:
        came = "a set, and the list of peaks is another than before"
        raise Unfit(came, "leave the list that came in as it was.")
    _look_at_labels(labels, len(peaks))
    positives, negatives = sequences[: len(peaks)], sequences[len(peaks) :]
    _look_at_positives(positives, peaks)
    if any(negative != negative.upper() for negative in negatives):
        raise Unfit(show(negatives), "there are lower-case letters among the negatives: call upper() first.")
    _look_at_negatives(negatives, [peak.upper() for peak in peaks])
    again, _ = _parts(result_of(answer, list(peaks), _from(start)), len(peaks))
    others, _ = _parts(result_of(answer, list(peaks), other), len(peaks))
    if again != sequences:
        raise Unfit(
            "another set for the same generator in the same state",
            "the negatives do not come from the generator that was given, so nobody can make them again. "
            "Pass rng on.",
        )
    if others == sequences:
        raise Unfit(
            "the same set for two different generators",
            "the negatives do not depend on rng: pass on the generator that came in, in place of one of "
            "your own.",
        )


def _from(state: dict) -> np.random.Generator:
    rng = np.random.default_rng()
    rng.bit_generator.state = state
    return rng


def _parts(came: Any, many: int) -> tuple[list[str], np.ndarray]:
    """The two parts of what came, if they have the right form."""
    if came is None:
        raise Unfit("nothing", "your function gives back nothing; does it end with `return`?")
    if not isinstance(came, (tuple, list)) or len(came) != 2 or isinstance(came[0], str):
        hint = "two things are asked: return sequences, labels."
        if isinstance(came, list) and len(came) == many:
            hint = "these are the negatives alone. A set has peaks, too, and labels: return sequences, labels."
        raise Unfit(show(came), hint)
    sequences, labels = came
    if not isinstance(sequences, list) or not all(isinstance(one, str) for one in sequences):
        raise Unfit(show(sequences), f"a list of str is expected first, and {_kind(sequences)} came.")
    if len(sequences) == many:
        raise Unfit(
            f"{many} sequences",
            f"there are {many} peaks, and a negative for each: {2 * many} sequences in all.",
        )
    if len(sequences) != 2 * many:
        raise Unfit(f"{len(sequences)} sequences", f"one negative for each of the {many} peaks is asked.")
    if not isinstance(labels, np.ndarray):
        raise Unfit(f"labels in {_kind(labels)}", "make the labels an array, with np.array(...) or np.repeat.")
    if labels.shape != (2 * many,) or labels.dtype.kind not in "iuf":
        raise Unfit(
            f"labels of shape {labels.shape}, {labels.dtype}", f"the labels are {2 * many} numbers, 1 and 0."
        )
    return sequences, labels


def _look_at_labels(labels: np.ndarray, many: int) -> None:
    wanted = np.repeat([1, 0], many)
    if (labels == wanted).all():
        return
    hint = "the first half are the peaks, label 1; the second half the negatives, label 0."
    if (labels == 1 - wanted).all():
        hint = "the labels are exchanged: a peak is a 1, a negative a 0."
    elif (labels == np.tile([1, 0], many)).all():
        hint = "the labels go 1, 0, 1, 0; all peaks come first. np.repeat does that, np.tile not."
    raise Unfit(f"labels {show(labels)}", hint)


def _look_at_positives(positives: list[str], peaks: list[str]) -> None:
    if positives == [peak.upper() for peak in peaks]:
        return
    if positives == peaks:
        raise Unfit(
            show(positives),
            "the peaks keep their lower-case letters, and the negatives have none: whoever looks at the "
            "case alone can tell them apart. Call upper() on each peak.",
        )
    hint = "the first half is to be the peaks, in upper case and in their order."
    if sorted(positives) == sorted(peak.upper() for peak in peaks):
        hint = "these are the peaks in another order; leave them in the order in which they came."
    raise Unfit(show(positives), hint)


def _look_at_negatives(negatives: list[str], peaks: list[str]) -> None:
    pairs = [_pairs(negative) == _pairs(peak) for negative, peak in zip(negatives, peaks)]
    copied = [negative == peak for negative, peak in zip(negatives, peaks)]
    came = f"for {show(peaks[0])} the negative\n          {show(negatives[0])}"
    if all(copied):
        raise Unfit(came, "the negatives are the peaks themselves: each sequence stands in both classes.")
    if negatives == [peak[::-1] for peak in peaks]:
        raise Unfit(came, "each negative is its peak read backwards: no chance is in it, and AC became CA.")
    if negatives == [reverse_complement(peak) for peak in peaks]:
        raise Unfit(
            came,
            "each negative is the reverse complement of its peak: the same piece of DNA, with the same site "
            "on the other strand.",
        )
    if len(set(negatives)) == 1:
        raise Unfit(came, "it is one and the same negative for all peaks. Shuffle each peak by itself.")
    if not all(pairs):
        first = pairs.index(False)
        came = f"for {show(peaks[first])} the negative\n          {show(negatives[first])}"
        raise Unfit(came, _why_not_the_pairs(negatives, peaks))
    if len(peaks[0]) >= 60 and sum(copied) > 0:
        came = f"{sum(copied)} negatives of {len(peaks)} that are their peaks"
        raise Unfit(came, "shuffle each of the peaks.")


def _why_not_the_pairs(negatives: list[str], peaks: list[str]) -> str:
    """The hint for negatives of which some have other counts of neighbours than their peaks."""

    def agree(count: Callable) -> bool:
        return all(count(negative) == count(peak) for negative, peak in zip(negatives, peaks))

    if [len(negative) for negative in negatives] != [len(peak) for peak in peaks]:
        return "a negative is to be as long as its peak."
    if all(_pairs(negative) == _pairs(peaks[0]) for negative in negatives):
        return "each of the negatives is a shuffle of the first peak. Shuffle each peak by itself."
    known = [_pairs(negative) for negative in negatives]
    if all(_pairs(peak) in known for peak in peaks):
        return "the negatives stand in another order than their peaks: number i is to be a shuffle of peak i."
    if agree(lambda sequence: Counter(sequence[i : i + 2] for i in range(0, len(sequence) - 1, 2))):
        return (
            "the peaks were cut into pairs, and these put in a new order. Where two pairs meet, new "
            "neighbours arise: take shuffle_dinucleotides."
        )
    if agree(Counter):
        return (
            "each negative has the letters of its peak, but other neighbours: CG, rare in the genome, comes "
            "as often as chance makes it, and a network sees that. A plain shuffle is not enough."
        )
    return (
        "these letters are drawn, not shuffled: they are other letters than those of the peak, and their "
        "composition alone tells the classes apart (mistake M34)."
    )


def _pairs(sequence: str) -> Counter:
    return Counter(sequence[i : i + 2] for i in range(len(sequence) - 1))


# The class looks at answers by itself; what stands here is for the tests that all exercises share.
shuffled_negatives = _NegativesExercise(oracle=_balanced, cases=_peak_cases)
