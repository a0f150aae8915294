"""The exercises of lesson 03: sites, backgrounds, shuffles; the ceilings in `_lesson_03_ceilings.py`.

They are two files for their length alone: the lesson finds all of them here.
"""

from collections import Counter

import numpy as np

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_03_ceilings import best_rule, ceiling_by_hand
from course_utils.exercises._random import random_sequence
from course_utils.sequences import ALPHABET

__all__ = ["best_rule", "ceiling_by_hand", "match_gc", "same_dinucleotides", "sample_site"]


# --- sample_site: from uniform numbers to a site -------------------------------------------------


def _sample_site(ppm: np.ndarray, uniform: np.ndarray) -> str:
    site = ""
    for probabilities, number in zip(ppm, uniform):
        total = 0.0
        for base, probability in zip(ALPHABET, probabilities):
            total += probability
            if number < total:
                site += base
                break
    return site


def _site_cases(rng):
    """A few that can be done in the head, numbers that fall on an edge, then drawn ones."""
    halves = np.array([[0.5, 0.25, 0.25, 0], [0, 0.25, 0.25, 0.5]])
    edges = np.array([[0.25, 0.25, 0.25, 0.25], [0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5]])
    return [
        (halves, np.array([0.6, 0.3])),
        (edges, np.array([0.5, 0.0, 0.5])),
        (rng.dirichlet(np.full(4, 0.5), 6), rng.random(6)),
        (rng.dirichlet(np.ones(4), 20), rng.random(20)),
    ]


def _read_sites(choose):
    """An answer that looks at one row of the PPM and one number at a time."""
    return lambda ppm, uniform: "".join(choose(row, number) for row, number in zip(ppm, uniform))


def _first_base(marks) -> str:
    """The base of the first True, or nothing, as a loop that never breaks gives."""
    return ALPHABET[int(np.argmax(marks))] if np.any(marks) else ""


def _total_goes_on(ppm: np.ndarray, uniform: np.ndarray) -> str:
    site, total = "", 0.0
    for row, number in zip(ppm, uniform):
        for base, probability in zip(ALPHABET, row):
            total += probability
            if number < total:
                site += base
                break
    return site


sample_site = Exercise(
    oracle=_sample_site,
    cases=_site_cases,
    mistakes=[
        Mistake(
            _read_sites(lambda row, number: _first_base(number < row)),
            "each number is compared with the probabilities one by one, so that some positions get no "
            "letter at all. Add the probabilities up as you go, and compare with the total so far.",
        ),
        Mistake(
            _read_sites(lambda row, number: ALPHABET[int(np.argmax(number < row))]),
            "each number is compared with the probabilities themselves, and argmax of four times False is "
            "0, an A. Compare with the cumulated probabilities: np.cumsum of the row.",
        ),
        Mistake(
            _read_sites(lambda row, number: _first_base(number <= np.cumsum(row))),
            "a number that is equal to a total went to the base before it, so that 0.0 can draw a base of "
            "probability 0. The total must be greater than the number: < and not <=.",
        ),
        Mistake(
            _read_sites(lambda row, number: _first_base(number > np.cumsum(row))),
            "the comparison is the wrong way round: look for the first total that is greater than "
            "the number.",
        ),
        Mistake(
            lambda ppm, uniform: "".join(
                ALPHABET[int(np.argmax(row > number))]
                for row, number in zip(ppm.cumsum(axis=0), uniform)
            ),
            "the probabilities were added up along the positions (axis 0); the four bases of one position "
            "belong together, and they are axis 1.",
        ),
        Mistake(
            lambda ppm, uniform: _sample_site(ppm, [uniform[0]] * len(ppm)),
            "the first number decides all positions. Each position has a number of its own, or the "
            "positions would not be drawn independently.",
        ),
        Mistake(
            _read_sites(lambda row, number: ALPHABET[int(np.argmax(row))]),
            "this is the most probable base of each position, the consensus, and it would be the same "
            "every time; the numbers in `uniform` decide.",
        ),
        Mistake(
            _total_goes_on,
            "the total of one position goes on into the next; set it back to 0 before each position.",
        ),
        Mistake(
            _read_sites(
                lambda row, number: "".join(
                    base for base, total in zip(ALPHABET, np.cumsum(row)) if number < total
                )
            ),
            "some positions got several letters: stop at the first total that is greater (`break` ends "
            "the inner loop).",
        ),
        Mistake(
            lambda ppm, uniform: _sample_site(ppm, uniform)[:1],
            "one letter came for the whole motif: `return` stands inside the loop; move it to the left.",
        ),
        Mistake(
            lambda ppm, uniform: list(_sample_site(ppm, uniform)),
            "a list of letters came; join them with ''.join(...).",
        ),
    ],
)


# --- match_gc: a background with the GC content of sequences -------------------------------------


def _gc_share(sequences) -> float:
    strong = bases = 0
    for sequence in sequences:
        for base in sequence:
            bases += 1
            if base in "GC":
                strong += 1
    return strong / bases


def _background(gc: float) -> np.ndarray:
    return np.array([(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])


def _match_gc(sequences: list[str]) -> np.ndarray:
    return _background(_gc_share(sequences))


def _gc_cases(rng):
    """Sequences of different lengths, short ones first."""
    drawn = [
        ["".join(rng.choice(list(ALPHABET), size=int(length), p=p)) for length in lengths]
        for p, lengths in (
            ([0.15, 0.4, 0.3, 0.15], [20] * 4),
            ([0.35, 0.1, 0.2, 0.35], rng.integers(5, 60, 6)),
        )
    ]
    return [(["GGCA", "AAAT", "TA"],), (["GCCGCGA", "C"],), *((some,) for some in drawn)]


def _base_shares(sequences) -> np.ndarray:
    joined = "".join(sequences)
    return np.array([joined.count(base) for base in ALPHABET]) / len(joined)


match_gc = Exercise(
    oracle=_match_gc,
    cases=_gc_cases,
    mistakes=[
        Mistake(
            lambda sequences: _background(1 - _gc_share(sequences)),
            "the shares have changed places: the order is A, C, G, T, and the share of G and C belongs in "
            "the middle.",
        ),
        Mistake(
            lambda sequences: 2 * _match_gc(sequences),
            "the four probabilities add up to 2: G and C have to divide their share between them, "
            "and A and T theirs.",
        ),
        Mistake(
            lambda sequences: _match_gc(sequences[:1]),
            "this is the GC content of the first sequence; all of them count (is `return` inside the loop?).",
        ),
        Mistake(
            _base_shares,
            "these are the four bases as they were counted. On the other strand each A is a T and each C a "
            "G; make A as probable as T, and C as G.",
        ),
        Mistake(
            lambda sequences: _background(float(np.mean([_gc_share([s]) for s in sequences]))),
            "this is the mean of the GC contents, in which a short sequence weighs as much as a long one. "
            "Count the bases of all sequences together.",
        ),
        Mistake(
            lambda sequences: _match_gc(sequences)[[0, 3, 1, 2]],
            "this looks like the order A, T, C, G; here it is A, C, G, T, as everywhere.",
        ),
        Mistake(
            _gc_share,
            "one number came, the GC content. Make four probabilities of it, for A, C, G and T.",
        ),
        Mistake(
            lambda sequences: 100 * _match_gc(sequences),
            "these are percent; probabilities that add up to 1 are asked for.",
        ),
    ],
)


# --- same_dinucleotides: what a dinucleotide shuffle keeps ---------------------------------------

_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


def _pairs(sequence: str) -> Counter:
    return Counter(sequence[i : i + 2] for i in range(len(sequence) - 1))


def _same_dinucleotides(sequence: str, other: str) -> bool:
    if len(sequence) != len(other):
        return False
    for pair in _PAIRS:
        count = other_count = 0
        for i in range(len(sequence) - 1):
            if sequence[i : i + 2] == pair:
                count += 1
            if other[i : i + 2] == pair:
                other_count += 1
        if count != other_count:
            return False
    return True


def _pair_cases(rng):
    """One pair of sequences for each way to be wrong, then drawn ones."""
    cases = [
        ("ACGATA", "ATACGA"),  # two loops that begin and end with A change places
        ("AACC", "ACAC"),  # the same bases
        ("AACACA", "AAACAA"),  # the same kinds of dinucleotides, other counts
        ("AACCGG", "CCAAGG"),  # the same pairs if cut apart
        ("CAAACAC", "CAACAAC"),  # AAA holds AA twice
        ("ACGTA", "ACGTC"),  # only the last dinucleotide differs
        ("ACAC", "ACACGG"),  # the other is longer
        ("ACAC", "GGACAC"),
        ("ACA", "ACACA"),  # the same shares, not the same counts
        ("ACGA", "CGAC"),  # the same dinucleotides, and not the same ends
    ]
    by_hand = len(cases)
    for length in (4, 12):
        hinge = str(rng.choice(list(ALPHABET)))
        loops = [hinge + random_sequence(rng, length + more) for more in (0, 3)]
        cases.append((loops[0] + loops[1] + hinge, loops[1] + loops[0] + hinge))
    letters = random_sequence(rng, 20)
    cases.append((letters, "".join(rng.permutation(list(letters)))))
    return [  # of the drawn ones, either sequence may come first
        case if rng.random() < 0.5 or number < by_hand else case[::-1]
        for number, case in enumerate(cases)
    ]


def _counted(pairs_of):
    """An answer that compares what a function makes of each of the two sequences."""
    return lambda sequence, other: pairs_of(sequence) == pairs_of(other)


def _cut(sequence: str, end: int) -> Counter:
    return Counter(sequence[i : i + 2] for i in range(0, end, 2))


def _shares(sequence: str) -> dict[str, float]:
    return {pair: round(count / (len(sequence) - 1), 9) for pair, count in _pairs(sequence).items()}


same_dinucleotides = Exercise(
    oracle=_same_dinucleotides,
    cases=_pair_cases,
    mistakes=[
        Mistake(
            _counted(lambda s: _cut(s, len(s) - 1)),
            "the sequence was cut into pairs that do not overlap; dinucleotides do: ACG holds AC and CG. "
            "Let i go up by 1, not by 2.",
        ),
        Mistake(
            _counted(lambda s: _cut(s, len(s))),
            "only every other dinucleotide was counted (a range that goes up by 2); one begins at each base "
            "but the last.",
        ),
        Mistake(
            _counted(lambda s: [s.count(pair) for pair in _PAIRS]),
            'str.count skips what it has found: "AAA".count("AA") is 1, and AA stands there twice. '
            "Go through the positions instead.",
        ),
        Mistake(
            _counted(Counter),
            "these are single bases; AACC and ACAC have the same bases and other dinucleotides.",
        ),
        Mistake(
            _counted(lambda s: set(_pairs(s))),
            "a set says which dinucleotides there are, not how often each occurs; count them.",
        ),
        Mistake(
            lambda sequence, other: sequence == other,
            "this asks for the same dinucleotides at the same positions, so for the same sequence. Their "
            "order may differ; a shuffle would be of no use otherwise.",
        ),
        Mistake(
            _counted(lambda s: Counter(s[i : i + 2] for i in range(len(s)))),
            "ACGA and CGAC have the same dinucleotides: AC, CG, GA. The last base begins none, so the range "
            "ends at len(sequence) - 1; and no count of single bases is asked.",
        ),
        Mistake(
            _counted(lambda s: Counter(s[i : i + 2] for i in range(len(s) - 2))),
            "the last dinucleotide is missing: a sequence of L bases has L - 1 of them.",
        ),
        Mistake(
            lambda sequence, other: all(
                _pairs(sequence)[pair] == _pairs(other)[pair] for pair in _pairs(sequence)
            ),
            "you look at the dinucleotides of `sequence` alone; `other` may be longer and hold more kinds.",
        ),
        Mistake(
            lambda sequence, other: (
                _pairs(sequence) == Counter(other[i : i + 2] for i in range(len(sequence) - 1))
            ),
            "one range, made for `sequence`, serves both; where `other` is longer, its end is never seen.",
        ),
        Mistake(
            _counted(_shares),
            "these are shares: ACA and ACACA have the same ones, and not the same counts.",
        ),
    ],
)
