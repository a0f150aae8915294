"""Shuffles keep what they promise to keep, and are even about the rest."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chi2

from course_utils.sequences import from_codes
from course_utils.shuffles import as_codes, shuffle_bases, shuffle_dinucleotides


def dinucleotides(sequence: str) -> Counter:
    return Counter(sequence[i : i + 2] for i in range(len(sequence) - 1))


def all_shuffles(sequence: str, keep_dinucleotides: bool) -> list[str]:
    """Every different result that a shuffle may have, by trying all orders."""
    if not keep_dinucleotides:
        return sorted({"".join(order) for order in permutations(sequence)})
    ends = sequence[0], sequence[-1]
    orders = {"".join(order) for order in permutations(sequence[1:-1])}
    tried = (ends[0] + order + ends[1] for order in orders)
    return sorted(one for one in tried if dinucleotides(one) == dinucleotides(sequence))


def p_value_of_evenness(found: list[str], possible: list[str]) -> float:
    counts = Counter(found)
    assert counts.keys() <= set(possible), "something came that must not"
    expected = len(found) / len(possible)
    statistic = sum((counts[one] - expected) ** 2 / expected for one in possible)
    return float(chi2.sf(statistic, len(possible) - 1))


@pytest.mark.parametrize("length", [1, 2, 3, 4, 20, 300])
def test_a_dinucleotide_shuffle_keeps_every_dinucleotide_count_and_both_ends(length):
    rng = np.random.default_rng(length)
    chance = rng.dirichlet([0.5] * 4, size=50)  # some sequences lack bases or have mostly one
    codes = np.stack([rng.choice(4, length, p=row) for row in chance]).astype(np.uint8)
    before, after = from_codes(codes), from_codes(shuffle_dinucleotides(codes, rng))
    assert [dinucleotides(one) for one in before] == [dinucleotides(one) for one in after]
    assert [one[0] + one[-1] for one in before] == [one[0] + one[-1] for one in after]
    assert (before == after) == (length < 4)


@pytest.mark.parametrize(
    "sequence, many",
    [
        ("ACGTACGA", 2),  # the last edges matter: some choices of them make no walk
        ("AACACCAAC", 18),  # two bases only
        ("GAGAGATATAG", 6),  # A leads on from both others, so most trees do not exist
        ("ACGTTGCAGT", 12),
        ("CATCAGTACCA", 36),  # ends where it starts
        ("AACCAGGATAC", 48),  # loops, and a base that is left once
        ("AAAACCCCGG", 1),  # only one order keeps the counts
        ("TTTTTTT", 1),
    ],
)
def test_all_sequences_with_the_same_dinucleotides_and_ends_are_equally_likely(sequence, many):
    possible = all_shuffles(sequence, keep_dinucleotides=True)
    assert len(possible) == many
    found = shuffle_dinucleotides([sequence] * (1000 * many), np.random.default_rng(3))
    if many == 1:
        assert set(found) == {sequence}
    else:
        assert 0.001 < p_value_of_evenness(found, possible)


def test_the_test_of_evenness_notices_a_shuffle_that_is_uneven():
    # Picks a next base among the edges left, and starts anew when it is stuck: plausible, and wrong.
    sequence, rng = "AACACCAAC", np.random.default_rng(4)
    found = []
    while len(found) < 6000:
        left, walk = dinucleotides(sequence), sequence[0]
        while steps := sorted(pair for pair in left if left[pair] and pair[0] == walk[-1]):
            pair = steps[rng.integers(len(steps))]
            left[pair] -= 1
            walk += pair[1]
        if len(walk) == len(sequence):
            found.append(walk)
    assert p_value_of_evenness(found, all_shuffles(sequence, keep_dinucleotides=True)) < 1e-6


@pytest.mark.parametrize("sequence", ["AACGT", "CCCCT", "ACACG"])
def test_all_orders_of_the_bases_are_equally_likely(sequence):
    possible = all_shuffles(sequence, keep_dinucleotides=False)
    found = shuffle_bases([sequence] * (500 * len(possible)), np.random.default_rng(5))
    assert 0.001 < p_value_of_evenness(found, possible)


@pytest.mark.parametrize("shuffle", [shuffle_bases, shuffle_dinucleotides])
def test_what_comes_in_goes_out_in_its_own_form_and_stays_untouched(shuffle):
    sequences = ["ACGTGACTTGCA", "TTGACCATGAAC"]
    codes = as_codes(sequences)
    before = codes.copy()
    one = shuffle(sequences[0], np.random.default_rng(6))
    several = shuffle(sequences, np.random.default_rng(6))
    array = shuffle(codes, np.random.default_rng(6))
    assert isinstance(one, str) and sorted(one) == sorted(sequences[0])
    assert isinstance(several, list) and [sorted(s) for s in several] == [sorted(s) for s in sequences]
    assert array.dtype == np.uint8 and from_codes(array) == several != sequences
    assert np.array_equal(codes, before)


@pytest.mark.parametrize("shuffle", [shuffle_bases, shuffle_dinucleotides])
def test_one_seed_gives_one_result_and_lower_case_is_read(shuffle):
    first, again, other = (
        shuffle(["acgtgacttgca"] * 5, np.random.default_rng(seed)) for seed in (7, 7, 8)
    )
    assert first == again != other
    assert len(set(first)) > 1, "each copy is shuffled by itself"
    assert set("".join(first)) == set("ACGT")


def test_many_sequences_are_shuffled_in_blocks_without_a_seam(monkeypatch):
    codes = np.random.default_rng(9).integers(4, size=(25, 40), dtype=np.uint8)
    monkeypatch.setattr("course_utils.shuffles._BLOCK", 400)
    after = shuffle_dinucleotides(codes, np.random.default_rng(9))
    assert [dinucleotides(s) for s in from_codes(codes)] == [dinucleotides(s) for s in from_codes(after)]
    assert (codes != after).any(axis=1).all()
