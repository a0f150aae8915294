"""Shared words are those of a plain search, letter by letter, on both strands."""

import numpy as np
import pytest

from course_utils import shared_words
from course_utils.sequences import decode, one_hot, reverse_complement
from course_utils.shared_words import shared_kmers


def plain(first: np.ndarray, second: np.ndarray, k: int) -> tuple[list[int], list[int]]:
    """Letter by letter: how many words are shared, and the longest stretch of which all words are."""
    words = set()
    for sequence in decode(first):
        for start in range(len(sequence) - k + 1):
            word = sequence[start : start + k]
            words |= {word, reverse_complement(word)}
    counts, longest = [], []
    for sequence in decode(second):
        found = [
            "N" not in sequence[start : start + k] and sequence[start : start + k] in words
            for start in range(len(sequence) - k + 1)
        ]
        runs = "".join("x" if one else " " for one in found).split()
        counts.append(sum(found))
        longest.append(max((len(run) + k - 1 for run in runs), default=0))
    return counts, longest


@pytest.mark.parametrize("k", [1, 2, 3, 5, 8, 13, 31, 32])
def test_shared_words_are_those_of_a_plain_search(k):
    rng = np.random.default_rng(k)
    first = np.eye(4, dtype=bool)[rng.integers(0, 4, (3, 60))]
    second = np.eye(4, dtype=bool)[rng.integers(0, 4, (4, 60))]
    second[0, 10:50] = first[1, 3:43]
    second[1, :40] = first[0, 5:45][::-1, ::-1]  # the other strand
    second[2, 20:] = first[2, :40]
    second[2, 40] = first[1, 50] = False  # an N
    shared = shared_kmers(first, second, k)
    assert (shared.count.tolist(), shared.longest.tolist()) == plain(first, second, k)


def test_the_longest_shared_stretch_is_the_overlap():
    rng = np.random.default_rng(1)
    genome = np.eye(4, dtype=bool)[rng.integers(0, 4, 3000)]
    first, second = genome[None, :2000], np.stack([genome[1500:], genome[1000:2500], genome[1500:][::-1, ::-1]])
    shared = shared_kmers(first, second[:, :1500])
    assert shared.longest.tolist() == [500, 1000, 500]
    assert shared.count.tolist() == [469, 969, 469]


def test_an_n_matches_nothing_not_even_an_n():
    first = one_hot(["N" * 40, "ACGT" * 10], ambiguous="zeros", dtype=bool)
    assert shared_kmers(first[:1], first).count.tolist() == [0, 0]
    assert shared_kmers(first, first[:1]).longest.tolist() == [0]
    assert shared_kmers(first[1:], first).count.tolist() == [0, 9]


def test_words_beyond_all_known_ones_are_not_shared_when_the_quick_look_lets_them_pass(monkeypatch):
    monkeypatch.setattr(shared_words, "_hash", lambda words: np.zeros(len(words), int))  # every word looks known
    first = one_hot(["A" * 12], dtype=bool)  # its only word, of A or T alone, is the lowest number there is
    second = one_hot(["CAGTCCGATCAG", "GGCAAAAAACGC"], dtype=bool)
    assert shared_kmers(first, second, 5).count.tolist() == plain(first, second, 5)[0] == [0, 2]
