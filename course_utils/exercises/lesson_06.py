"""The exercises of lesson 06: losses at chance and leaks here; a network, negatives and a baseline in others.

They are four files for their length alone: the lesson finds all of them here.
"""

from collections.abc import Callable
from math import log, log2, sqrt

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_06_baseline import beat_the_pwm
from course_utils.exercises._lesson_06_negatives import shuffled_negatives
from course_utils.exercises._lesson_06_unstick import unstick
from course_utils.exercises._random import random_sequence

__all__ = ["beat_the_pwm", "chance_loss", "leaks", "shuffled_negatives", "unstick"]


# --- chance_loss: the losses of a network that knows nothing but the share -----------------------


def _losses_at_chance(share: float) -> tuple[float, float]:
    squared_error = cross_entropy = 0.0
    for label, weight in ((1, share), (0, 1 - share)):
        given = share if label else 1 - share  # the probability that the network gives the true label
        squared_error += weight * (share - label) ** 2
        cross_entropy += weight * -log(given)
    return squared_error, cross_entropy


def _entropy(share: float, logarithm: Callable = log) -> float:
    return -share * logarithm(share) - (1 - share) * logarithm(1 - share)


def _variance(share: float) -> float:
    return share * (1 - share)


def _share_cases(rng):
    return [(0.5,), (0.25,), (0.1,), *((round(float(share), 3),) for share in rng.uniform(0.02, 0.98, 5))]


chance_loss = Exercise(
    oracle=_losses_at_chance,
    cases=_share_cases,
    mistakes=[
        Mistake(
            lambda share: (0.25, log(2)),
            "these are the losses for equal classes, whatever the share. Where one label in ten is a 1, the "
            "network says 0.1, not 0.5.",
        ),
        Mistake(
            lambda share: (0.25, _entropy(share)),
            "the squared error is that for equal classes, whatever the share.",
        ),
        Mistake(
            lambda share: (_variance(share), log(2)),
            "the cross-entropy is that for equal classes, whatever the share.",
        ),
        Mistake(
            lambda share: (_entropy(share), _variance(share)),
            "the two have changed places: the squared error comes first.",
        ),
        Mistake(
            lambda share: (_variance(share), -share * log(share)),
            "the negatives are missing in the cross-entropy: for a label 0 the loss is -log(1 - p).",
        ),
        Mistake(
            lambda share: (share * (1 - share) ** 2, -share * log(share)),
            "the negatives are missing in both losses. They are 1 - share of all labels, and cost "
            "something, too.",
        ),
        Mistake(
            lambda share: (_variance(share), -log(share)),
            "this cross-entropy is what a positive costs. It is the mean over all labels: share of them are "
            "1, the others 0.",
        ),
        Mistake(
            lambda share: ((1 - share) ** 2, -log(share)),
            "this is what a positive costs. The loss is the mean over all labels: share of them are 1, the "
            "others 0.",
        ),
        Mistake(
            lambda share: (_variance(share), -_entropy(share)),
            "the cross-entropy is below 0: a minus is missing in front of the logarithms, which are "
            "negative.",
        ),
        Mistake(
            lambda share: (_variance(share), _entropy(share, log2)),
            "this cross-entropy is in bits, with log2. Torch and Keras take the natural logarithm.",
        ),
        Mistake(
            lambda share: (_variance(share), _entropy(share) / log(10)),
            "this cross-entropy has log10. Torch and Keras take the natural logarithm.",
        ),
        Mistake(
            lambda share: (sqrt(_variance(share)), _entropy(share)),
            "a root was taken of the squared error; the loss is the mean of the squares.",
        ),
        Mistake(
            lambda share: ((1 - share) ** 2 + share**2, -log(share) - log(1 - share)),
            "a positive and a negative count the same here. Weigh what each costs with how many there are.",
        ),
        Mistake(
            lambda share: (((1 - share) ** 2 + share**2) / 2, -(log(share) + log(1 - share)) / 2),
            "this is the mean of one positive and one negative. Weigh what each costs with how many there "
            "are.",
        ),
        Mistake(
            lambda share: (0.25, -(log(share) + log(1 - share)) / 2),
            "the two logarithms have the same weight. Positives are share of all labels, negatives 1 - "
            "share.",
        ),
        Mistake(
            lambda share: (share, _entropy(share)),
            "share is the squared error of a network that says 0 for all; this one says share for all.",
        ),
    ],
)


# --- leaks: which test sequences are in the training set -----------------------------------------

_PARTNER = {"A": "T", "C": "G", "G": "C", "T": "A"}


def _complement(sequence: str) -> str:
    return "".join(_PARTNER[base] for base in sequence)


def _other_strand(sequence: str) -> str:
    return _complement(sequence)[::-1]


def _leaks(training: list[str], test: list[str]) -> list[int]:
    found = []
    for number, sequence in enumerate(test):
        for known in training:
            if sequence == known or _other_strand(sequence) == known:
                found.append(number)
                break
    return found


def _leak_cases(rng):
    cases = [
        (["AACG", "GGTA"], ["AACG", "TTTT", "CGTT"]),
        (["ACGT", "AAAC", "TCTC"], ["ACGT", "CAAA", "TTTG", "GTTT", "CCCC", "CCCC"]),
    ]
    for many in (6, 12):
        training = [random_sequence(rng, 10) for _ in range(many)]
        kinds = [str, _other_strand, _complement, lambda s: s[::-1], lambda s: random_sequence(rng, 10)]
        # Of each kind one at least; each from another training sequence, by and by.
        test = [kinds[number % len(kinds)](training[number % many]) for number in range(2 * many)]
        test += [test[0], test[4], test[4]]  # twice in the test set: a leak, and none
        test = [test[at] for at in rng.permutation(len(test))]
        training += [training[1], "GATCGCGATC"]  # one twice; the other is its own reverse complement
        cases.append((training, [*test, "GATCGCGATC"]))
    return cases


def _found_by(*forms: Callable) -> Callable:
    """The indices of those test sequences of which one of these forms is in the training set."""
    return lambda training, test: [
        number for number, sequence in enumerate(test) if any(form(sequence) in training for form in forms)
    ]


def _each_match(training, test):
    matches = []
    for number, sequence in enumerate(test):
        if sequence in training:
            matches.append(number)
        if _other_strand(sequence) in training:
            matches.append(number)
    return matches


def _first_places(training, test):
    both = [form for known in training for form in (known, _other_strand(known))]
    return sorted({test.index(form) for form in both if form in test})


def _place_by_place(training, test):
    return [i for i, (a, b) in enumerate(zip(training, test)) if a == b or a == _other_strand(b)]


def _also_within_test(training, test):
    return [
        number
        for number, sequence in enumerate(test)
        if {sequence, _other_strand(sequence)} & {*training, *test[:number]}
    ]


def _all_pairs(training, test):
    return [
        number
        for number, sequence in enumerate(test)
        for known in training
        if sequence == known or _other_strand(sequence) == known
    ]


leaks = Exercise(
    oracle=_leaks,
    cases=_leak_cases,
    mistakes=[
        Mistake(
            _found_by(str),
            "these are the exact copies. A sequence and its reverse complement are the same piece of DNA, "
            "read from its two ends.",
        ),
        Mistake(
            _found_by(_other_strand),
            "these are the reverse complements alone; a copy as it stands is a leak, too.",
        ),
        Mistake(
            _found_by(str, lambda sequence: sequence[::-1]),
            "a sequence read backwards is other DNA. The other strand is read backwards with the partner "
            "letters.",
        ),
        Mistake(
            _found_by(str, _complement),
            "the partner letters are there, but not read backwards: the strands run in opposite directions.",
        ),
        Mistake(
            _found_by(str, _complement, lambda sequence: sequence[::-1]),
            "backwards and partner letters are asked one by one. Do the one after the other: CGTT is the "
            "other strand of AACG.",
        ),
        Mistake(
            _found_by(str, _other_strand, _complement, lambda sequence: sequence[::-1]),
            "a sequence backwards, or its partner letters, is other DNA; both together are the other strand.",
        ),
        Mistake(
            lambda training, test: _leaks(test, training),
            "these are indices of the training set; those of the test set are asked.",
        ),
        Mistake(
            lambda training, test: [test[number] for number in _leaks(training, test)],
            "these are the sequences; their indices in `test` are asked.",
        ),
        Mistake(
            lambda training, test: [number in _leaks(training, test) for number in range(len(test))],
            "True and False came for all test sequences; the indices of the leaks are asked.",
        ),
        Mistake(
            lambda training, test: len(_leaks(training, test)),
            "this is how many they are; which ones is asked.",
        ),
        Mistake(
            _each_match,
            "a sequence that is its own reverse complement, such as ACGT, is listed twice: one `or` in "
            "place of two `if`.",
        ),
        Mistake(
            _all_pairs,
            "an index is listed again for each training sequence that matches; once is enough (`break`, or "
            "a set).",
        ),
        Mistake(
            _first_places,
            "test.index gives the first place alone. A sequence that stands twice in the test set is two "
            "leaks.",
        ),
        Mistake(
            _place_by_place,
            "zip compares each test sequence with the training sequence of the same number only.",
        ),
        Mistake(
            _also_within_test,
            "copies within the test set are counted, too. They are a nuisance, but nobody has trained on "
            "them.",
        ),
        Mistake(
            lambda training, test: sorted(set(range(len(test))) - set(_leaks(training, test))),
            "these are the clean ones; the leaks are asked.",
        ),
    ],
)
