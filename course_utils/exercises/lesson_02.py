"""The exercises of lesson 02: matrices in this file, scanning in `_lesson_02_scanning.py`.

They are two files for their length alone: the lesson finds all of them here.
"""

from math import log2

import numpy as np

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_02_scanning import (
    benjamini_hochberg,
    choose_threshold,
    p_value,
    scan,
)
from course_utils.plotting import Picture, one_hot_grid, svg
from course_utils.sequences import ALPHABET

__all__ = [
    "benjamini_hochberg",
    "choose_threshold",
    "information",
    "log_odds",
    "p_value",
    "ppm",
    "scan",
]


def _random_sites(rng: np.random.Generator, many: int, width: int) -> list[str]:
    return ["".join(letters) for letters in rng.choice(list(ALPHABET), size=(many, width))]


def _random_ppm(rng: np.random.Generator, width: int) -> np.ndarray:
    """Probabilities, none of them 0."""
    weights = rng.random((width, 4)) + 0.05
    return weights / weights.sum(axis=1, keepdims=True)


# --- ppm: from aligned sites to probabilities ----------------------------------------------------


def _counts(sites: list[str]) -> np.ndarray:
    counts = np.zeros((len(sites[0]), 4))
    for site in sites:
        for position, base in enumerate(site):
            counts[position, ALPHABET.index(base)] += 1
    return counts


def _ppm(sites: list[str], pseudocount: float) -> np.ndarray:
    counts = _counts(sites)
    ppm = np.zeros_like(counts)
    for position in range(len(counts)):
        for column in range(4):
            above = counts[position, column] + pseudocount
            ppm[position, column] = above / (len(sites) + 4 * pseudocount)
    return ppm


def _ppm_cases(rng):
    """The lesson's three sites, some by hand, then random ones; width 4 hides mixed-up axes."""
    return [
        (["TACAA", "TACGA", "TACAA"], 0.5),
        (["GA", "GC", "GA", "TA"], 1),
        (["ACGT", "CATG", "ACTT"], 0),
        (_random_sites(rng, 5, 4), 0.25),
        (_random_sites(rng, 10, 7), 0.8),
    ]


def _draw_ppm(ppm) -> str:
    ppm = np.asarray(ppm)
    if ppm.ndim != 2 or ppm.shape[1] != 4:
        raise ValueError(f"a motif has the shape (width, 4), not {ppm.shape}")
    grid, width, height = one_hot_grid(ppm, letters=" " * len(ppm))
    rows = "; ".join(" ".join(f"{number:.2g}" for number in row) for row in ppm)
    alt = f"a motif of {len(ppm)} positions, probabilities of A, C, G, T at each: {rows}."
    return Picture(svg(width, height, grid, alt), alt).html()


def _rows_added_up(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum(axis=1, keepdims=True)


ppm = Exercise(
    oracle=_ppm,
    cases=_ppm_cases,
    draw=_draw_ppm,
    mistakes=[
        Mistake(
            lambda sites, p: _counts(sites) / len(sites),
            "the pseudocount is forgotten: add it to each of the four counts before you divide.",
        ),
        Mistake(
            lambda sites, p: (_counts(sites) + p) / len(sites),
            "the rows add up to more than 1: the pseudocounts were added above and not below. "
            "They are part of the total too.",
        ),
        Mistake(
            lambda sites, p: (_counts(sites) + p) / (len(sites) + p),
            "one pseudocount was added to the total; each of the four bases got one.",
        ),
        Mistake(
            lambda sites, p: _ppm(sites, p).T,
            "bases and positions have changed places: one row for each position, (width, 4), is "
            "asked.",
        ),
        Mistake(
            lambda sites, p: _counts(sites) / len(sites) + p,
            "the pseudocount was added after dividing, to the probabilities: it belongs to the "
            "counts.",
        ),
        Mistake(
            lambda sites, p: _rows_added_up(_counts(sites) / len(sites) + p),
            "the rows add up to 1, and the pseudocount came in too late: it was added to shares, "
            "where it weighs as much as that many times all sites. Add it to the counts.",
        ),
        Mistake(
            lambda sites, p: _counts(sites) + p,
            "these are counts, a PFM; divide each by the total of its position.",
        ),
        Mistake(
            lambda sites, p: (_counts(sites) + p) / (_counts(sites) + p).sum(axis=1),
            "the totals are one number for each position, and numpy lines them up with the four "
            "bases. Make them a column with keepdims=True. (At width 4 no error would warn you.)",
        ),
        Mistake(
            lambda sites, p: (_counts(sites) + p) / (_counts(sites) + p).sum(axis=0),
            "each base was divided by its own total over all positions; the four numbers of one "
            "position must add up to 1.",
        ),
        Mistake(
            lambda sites, p: _ppm(sites, p / 4),
            "the pseudocount was shared out among the four bases; here each base gets all of it.",
        ),
        Mistake(
            lambda sites, p: _rows_added_up(np.where(_counts(sites) == 0, p, _counts(sites))),
            "the pseudocount was given only to bases that were never seen; every count gets it.",
        ),
        Mistake(
            lambda sites, p: _rows_added_up((_counts(sites) > 0) + p),
            "a base seen in many sites counts like one seen once: count up with += 1 where you "
            "write = 1.",
        ),
        Mistake(
            lambda sites, p: ((_counts(sites) > 0) + p) / (len(sites) + 4 * p),
            "the total is right and no count is above 1: = 1 forgets what came before, += 1 adds "
            "to it.",
        ),
    ],
)


# --- log_odds: from probabilities to weights -----------------------------------------------------


def _log_odds(ppm: np.ndarray, background: np.ndarray) -> np.ndarray:
    pwm = np.zeros((len(ppm), 4))
    for position in range(len(ppm)):
        for column in range(4):
            pwm[position, column] = log2(ppm[position, column] / background[column])
    return pwm


def _log_odds_cases(rng):
    """Powers of two, then backgrounds that are not uniform, at width 4 too."""
    uniform, poor_in_gc = np.full(4, 0.25), np.array([0.3, 0.2, 0.2, 0.3])
    other = rng.permutation([0.1, 0.2, 0.3, 0.4])
    return [
        (np.array([[0.5, 0.25, 0.125, 0.125]]), uniform),
        (_ppm(["TACAA", "TACGA", "TACAA"], 0.5), poor_in_gc),
        (_random_ppm(rng, 4), other),
        (_random_ppm(rng, 9), np.array([0.2, 0.35, 0.15, 0.3])),
    ]


log_odds = Exercise(
    oracle=_log_odds,
    cases=_log_odds_cases,
    mistakes=[
        Mistake(
            lambda ppm, background: np.log(ppm / background),
            "this looks like the natural logarithm: the weights are in bits, which is base 2.",
        ),
        Mistake(
            lambda ppm, background: np.log10(ppm / background),
            "this looks like the logarithm of base 10: the weights are in bits, which is base 2.",
        ),
        Mistake(
            lambda ppm, background: np.log2(ppm),
            "this is the log of the probability alone; the background is forgotten. Such a score "
            "is below 0 for the best word too (M01).",
        ),
        Mistake(
            lambda ppm, background: np.log2(background / ppm),
            "every sign is turned: the motif's probability belongs above, the background's below.",
        ),
        Mistake(
            lambda ppm, background: np.log2(ppm / 0.25),
            "you divided by 0.25 whatever came; use the background that is handed in.",
        ),
        Mistake(
            lambda ppm, background: np.log2(ppm / background[:, None]),
            "the background was laid along the positions; it holds one number for each base, that"
            " is for each column. (At width 4 no error would warn you.)",
        ),
        Mistake(
            lambda ppm, background: np.log2(ppm) / np.log2(background),
            "one logarithm is divided by another; divide first, then take one logarithm.",
        ),
        Mistake(
            lambda ppm, background: ppm / background,
            "these are the odds, how many times likelier; the logarithm is still to come.",
        ),
        Mistake(
            lambda ppm, background: np.log2(ppm) - background,
            "the background itself was subtracted from a logarithm; subtract its logarithm, or "
            "divide first.",
        ),
        Mistake(
            lambda ppm, background: ppm * np.log2(ppm / background),
            "the weights came multiplied by the probabilities: that is the way to information, in"
            " the next exercise.",
        ),
    ],
)


# --- information: bits of each position ----------------------------------------------------------


def _information(ppm: np.ndarray) -> np.ndarray:
    bits = np.zeros(len(ppm))
    for position, row in enumerate(ppm):
        bits[position] = 2
        for probability in row:
            if probability > 0:
                bits[position] += probability * log2(probability)
    return bits


def _information_cases(rng):
    """Positions known by heart, then random ones, without zeros and with."""
    some_zeros = _random_ppm(rng, 6) * (np.arange(4) != rng.integers(4, size=(6, 1)))
    return [
        (np.array([[1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.5, 0, 0.5, 0]]),),
        (_random_ppm(rng, 4),),
        (_rows_added_up(some_zeros),),
    ]


def _p_log_p(ppm: np.ndarray) -> np.ndarray:
    """p log2 p of each entry, 0 where p is 0."""
    return ppm * np.log2(np.where(ppm > 0, ppm, 1))


def _nan_for_zero(ppm: np.ndarray) -> np.ndarray:
    return 2 + np.where(ppm > 0, _p_log_p(ppm), np.nan).sum(axis=1)


def _error_for_zero(ppm: np.ndarray) -> np.ndarray:
    return np.array([2 + sum(p * log2(p) for p in row) for row in ppm])


information = Exercise(
    oracle=_information,
    cases=_information_cases,
    mistakes=[
        Mistake(
            _nan_for_zero,
            "nan (not a number) came where a probability is 0: log2(0) is minus infinity, and 0 "
            "times that is undefined. A base that never occurs adds nothing; leave it out.",
        ),
        Mistake(
            _error_for_zero,
            "the logarithm of 0 is an error here; ask first whether the probability is above 0.",
        ),
        Mistake(
            lambda ppm: np.nan_to_num(_nan_for_zero(ppm)),
            "a position became 0 as a whole because one of its bases never occurs; only the term "
            "of that base is 0.",
        ),
        *(
            Mistake(
                lambda ppm, e=extra: 2 + (ppm * np.log2(ppm + e)).sum(axis=1),
                f"this looks like {extra:g} added inside the logarithm, which shifts every "
                "position a little; leave the zeros out, or add far less.",
            )
            for extra in (1e-6, 1e-5, 1e-4, 1e-3)
        ),
        Mistake(
            lambda ppm: 2 + _p_log_p(ppm).sum(axis=1) * np.log(2),
            "2 bits minus an entropy in natural logarithms: two units are mixed; take log2.",
        ),
        Mistake(
            lambda ppm: _information(ppm) * np.log(2),
            "every number is 0.693 times what it should be: these are nats, of the natural "
            "logarithm; bits are asked.",
        ),
        Mistake(
            lambda ppm: -_p_log_p(ppm).sum(axis=1),
            "this is the entropy, how uncertain a position is; information is what is missing to "
            "2 bits.",
        ),
        Mistake(
            lambda ppm: 2 - _p_log_p(ppm).sum(axis=1),
            "more than 2 bits came for a position: a sign is lost. Each p log2(p) is below 0.",
        ),
        Mistake(
            lambda ppm: _p_log_p(ppm).sum(axis=1),
            "this is the sum of p log2(p), at most 0; the 2 bits of a free choice among four are "
            "missing.",
        ),
        Mistake(
            lambda ppm: 2 + _p_log_p(ppm).sum(axis=0),
            "four numbers came, one for each base: the sum ran down the positions. Sum each row.",
        ),
        Mistake(
            lambda ppm: _information(ppm).sum(),
            "this is the total of the motif; one number for each position is asked.",
        ),
        Mistake(
            lambda ppm: ppm * _information(ppm)[:, None],
            "these are the heights of the letters in a logo; the four of a position add up to "
            "what is asked.",
        ),
        Mistake(
            lambda ppm: np.log2(np.where(ppm > 0, 4 * ppm, 1)).sum(axis=1),
            "the log-odds were added up as they are; each counts as often as its base occurs, so "
            "multiply it by its probability first.",
        ),
    ],
)
