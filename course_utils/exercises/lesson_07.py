"""The exercises of lesson 07: mutate by hand and find the site here; gradients, sums and filters in others.

They are three files for their length alone: the lesson finds all of them here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_07_match import filter_match
from course_utils.exercises._lesson_07_values import centre, completeness
from course_utils.exercises._random import random_sequence
from course_utils.sequences import ALPHABET

__all__ = ["centre", "completeness", "filter_match", "find_the_site", "mutate_by_hand"]


# --- mutate_by_hand: what each single letter would change ----------------------------------------


@dataclass(frozen=True)
class _Scorer:
    """A stand-in for a network: points for letters at their places, and for each CG and each TATA."""

    points: tuple[tuple[float, ...], ...]  # for each place, of A, C, G, T

    def __call__(self, sequence: str) -> float:
        if not isinstance(sequence, str):
            kind = type(sequence).__name__
            raise TypeError(f"a string is expected, and {kind} came: ''.join(...) makes one of a list")
        if len(sequence) != len(self.points):
            raise ValueError(f"a string of {len(self.points)} letters is expected, and {len(sequence)} came")
        here = sum(row[ALPHABET.index(base)] for row, base in zip(self.points, sequence))
        return here + 2 * sequence.count("CG") + 5 * ("TATA" in sequence)

    def __repr__(self):
        return f"a scoring function for {len(self.points)} letters"


def _mutate_by_hand(score: Callable, sequence: str) -> np.ndarray:
    changes = np.zeros((len(sequence), 4))
    for position in range(len(sequence)):
        for column, base in enumerate(ALPHABET):
            mutant = sequence[:position] + base + sequence[position + 1 :]
            changes[position, column] = score(mutant) - score(sequence)
    return changes


def _mutation_cases(rng):
    cases = []
    for sequence in ("ACG", "TATACG", *(random_sequence(rng, length) for length in (8, 20))):
        points = rng.integers(-8, 9, (len(sequence), 4)) / 4
        cases.append((_Scorer(tuple(map(tuple, points.tolist()))), sequence))
    return cases


def _of_changes(slip: Callable) -> Callable:
    """An answer that does something to the right changes; it is also given the sequence."""
    return lambda score, sequence: slip(_mutate_by_hand(score, sequence), sequence)


def _is_own(sequence: str) -> np.ndarray:
    """``(L, 4)``: where the letter is that is there."""
    return np.array([[base == letter for letter in ALPHABET] for base in sequence])


def _mutants_stay(score, sequence):
    letters, changes = list(sequence), np.zeros((len(sequence), 4))
    for position in range(len(sequence)):
        for column, base in enumerate(ALPHABET):
            letters[position] = base
            changes[position, column] = score("".join(letters)) - score(sequence)
    return changes


def _everywhere(score, sequence):
    """str.replace changes all letters of a kind at once."""
    changes = np.zeros((len(sequence), 4))
    for position, letter in enumerate(sequence):
        for column, base in enumerate(ALPHABET):
            changes[position, column] = score(sequence.replace(letter, base)) - score(sequence)
    return changes


def _first_of_kind(score, sequence):
    changes = np.zeros((len(sequence), 4))
    for position, letter in enumerate(sequence):
        for column, base in enumerate(ALPHABET):
            changes[position, column] = score(sequence.replace(letter, base, 1)) - score(sequence)
    return changes


def _without_last(changes, sequence):
    changes[-1] = 0
    return changes


mutate_by_hand = Exercise(
    oracle=_mutate_by_hand,
    cases=_mutation_cases,
    mistakes=[
        Mistake(
            _of_changes(lambda changes, sequence: -changes),
            "the sign is turned: the score with the new letter, less the score of the sequence as it is. A "
            "mutation that destroys a site then has a number below 0.",
        ),
        Mistake(
            lambda score, sequence: _mutate_by_hand(score, sequence) + score(sequence),
            "these are the scores of the mutants; subtract the score of the sequence as it is.",
        ),
        Mistake(
            lambda score, sequence: np.where(
                _is_own(sequence), 0, _mutate_by_hand(score, sequence) + score(sequence)
            ),
            "these are the scores of the mutants, with 0 for the letter that is there; subtract the score "
            "of the sequence as it is.",
        ),
        Mistake(
            lambda score, sequence: (
                _mutate_by_hand(score, sequence) + score(sequence) * _is_own(sequence)
            ),
            "the letter that is there has the score of the sequence; putting it there changes nothing, so 0.",
        ),
        Mistake(
            _of_changes(lambda changes, sequence: np.where(_is_own(sequence), np.nan, changes)),
            "NaN stands for the letter that is there; putting it there changes nothing, so 0.",
        ),
        Mistake(
            _mutants_stay,
            "each mutant keeps the mutations before it. Start from the sequence as it is each time: one "
            "letter differs, no more.",
        ),
        Mistake(
            _everywhere,
            "str.replace changes every such letter of the sequence. Cut it: what is before the position, "
            "the new letter, what is behind.",
        ),
        Mistake(
            _first_of_kind,
            "str.replace with a 1 changes the first such letter of the sequence, wherever the position is. "
            "Cut it: what is before the position, the new letter, what is behind.",
        ),
        Mistake(
            _of_changes(lambda changes, sequence: changes.T),
            "transposed: a row for each position and a column for each of the four letters is asked.",
        ),
        Mistake(
            _of_changes(_without_last),
            "the last position was left out: range(len(sequence)) already stops before its end.",
        ),
        Mistake(
            _of_changes(lambda changes, sequence: np.abs(changes)),
            "these are the sizes of the changes, without their sign. Whether a mutation helps or harms is "
            "lost.",
        ),
        Mistake(
            _of_changes(lambda changes, sequence: changes[~_is_own(sequence)].reshape(-1, 3)),
            "there are three numbers a position, those of the other letters; leave four columns, with 0 for "
            "the letter that is there. The columns would mean another letter in each row.",
        ),
        Mistake(
            _of_changes(lambda changes, sequence: changes[:, [0, 3, 1, 2]]),
            "this looks like the order A, T, C, G; here it is A, C, G, T, as everywhere.",
        ),
        Mistake(
            _of_changes(lambda changes, sequence: changes.sum(axis=1) / 3),
            "these are means over the three mutants of a position; one number for each mutant is asked.",
        ),
    ],
)


# --- find_the_site: the window with the largest effect -------------------------------------------


def _find_the_site(values: np.ndarray, width: int) -> int:
    best, largest = 0, -1.0
    for start in range(len(values) - width + 1):
        total = 0.0
        for row in values[start : start + width]:
            for value in row:
                total += abs(value)
        if total > largest:
            best, largest = start, total
    return best


def _effect_cases(rng):
    """A site of mixed signs, in the middle or at an end; a loud position; a stretch of losses alone."""
    cases = [(np.array([[0.0, 1, 0, 0], [0, 0, 0, 0.5], [2, 0, 0, 0], [0, -3, 0, 0], [0.5, 0, 0, 0]]), 2)]
    for length, width, where in ((20, 4, "middle"), (30, 6, "end"), (40, 8, "start"), (50, 7, "middle")):
        values = rng.normal(0, 0.05, (length, 4))
        starts = {"start": 0, "end": length - width, "middle": int(rng.integers(width + 2, length // 2))}
        start = starts[where]
        signs = np.tile([1.0, -1.0], width)[:width]  # they nearly cancel
        site = np.arange(start, start + width), rng.integers(0, 4, width)
        values[site] = signs * rng.uniform(1.5, 2, width)
        others = [p for p in range(length) if p < start - width or p >= start + 2 * width]
        quiet = others[0] if others[0] > 0 else others[-1]
        values[quiet, 2] = 4.0  # one position alone
        if where == "start":
            values[-width:, 1] = -0.75  # all of one sign, and less than the site
        cases.append((values, width))
    return cases


def _window_sums(numbers: np.ndarray, width: int, starts: int | None = None) -> np.ndarray:
    starts = len(numbers) - width + 1 if starts is None else starts
    return np.array([numbers[start : start + width].sum() for start in range(starts)])


find_the_site = Exercise(
    oracle=_find_the_site,
    cases=_effect_cases,
    mistakes=[
        Mistake(
            lambda values, width: int(_window_sums(values, width).argmax()),
            "the values are added with their signs, and a gain here cancels a loss there. The size of an "
            "effect is its absolute value.",
        ),
        Mistake(
            lambda values, width: int(np.abs(_window_sums(values, width)).argmax()),
            "the absolute value is taken of each window's sum, in which gains and losses have cancelled "
            "already. Take it of each value first.",
        ),
        Mistake(
            lambda values, width: int(_window_sums(np.abs(values), width).argmax() + width - 1),
            "this is the last position of the window; its first is asked.",
        ),
        Mistake(
            lambda values, width: int(_window_sums(np.abs(values), width).argmax() + width),
            "this is one past the last position of the window; its start is asked.",
        ),
        Mistake(
            lambda values, width: int(_window_sums(np.abs(values), width).argmax() + width // 2),
            "this is the middle of the window; its start is asked.",
        ),
        Mistake(
            lambda values, width: int(_window_sums(np.abs(values), width).argmax() + 1),
            "positions count from 0 here.",
        ),
        Mistake(
            lambda values, width: int(np.abs(values).sum(axis=1).argmax()),
            "this is the loudest single position. A site is a stretch: add up the effects in each window.",
        ),
        Mistake(
            lambda values, width: int(np.abs(values).argmax()),
            "argmax of the whole table counts its entries one by one, four a position; and one loud letter "
            "is no site.",
        ),
        Mistake(
            lambda values, width: int(_window_sums(values.max(axis=1), width).argmax()),
            "the largest value of a position knows gains alone; a letter that the network must not lose has "
            "large losses. Take absolute values, and add up all four.",
        ),
        Mistake(
            lambda values, width: int(_window_sums(np.abs(values), width, len(values) - width).argmax()),
            "the last window was left out: L letters have L - width + 1 windows.",
        ),
        Mistake(
            lambda values, width: int(_window_sums(np.abs(values), width).argmin()),
            "this is the window with the least effect; the one with the most is asked.",
        ),
        Mistake(
            lambda values, width: float(_window_sums(np.abs(values), width).max()),
            "this is the effect itself; where the window starts is asked: argmax in place of max.",
        ),
        Mistake(
            lambda values, width: (
                int(_window_sums(np.abs(values), width).argmax()),
                int(_window_sums(np.abs(values), width).argmax() + width),
            ),
            "start and end came; the start alone is asked.",
        ),
    ],
)
