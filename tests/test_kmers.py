"""k-mer counts are those of a plain search, letter by letter."""

from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from course_utils import kmers
from course_utils.datasets import shipped
from course_utils.kmers import kmer_counts, kmer_names, words_of
from course_utils.regions import read_regions
from course_utils.sequences import one_hot, reverse_complement, to_codes


def plain_names(k: int, both_strands: bool) -> list[str]:
    words = ["".join(word) for word in product("ACGT", repeat=k)]
    return [word for word in words if not both_strands or word <= reverse_complement(word)]


def plain_counts(sequences: list[str], k: int, both_strands: bool) -> list[list[int]]:
    names = plain_names(k, both_strands)
    rows = []
    for sequence in sequences:
        found = dict.fromkeys(names, 0)
        for start in range(len(sequence) - k + 1):
            word = sequence[start : start + k].upper()
            if both_strands:
                word = min(word, reverse_complement(word))
            if word in found:
                found[word] += 1
        rows.append(list(found.values()))
    return rows


def sequences(seed: int, alphabet: str = "ACGTacgtN", many: int = 7, length: int = 30) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(alphabet), length)) for _ in range(many)]


@pytest.mark.parametrize("both_strands", [True, False])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_names_and_counts_are_those_of_a_plain_search(k, both_strands):
    assert kmer_names(k, both_strands) == plain_names(k, both_strands)
    some = [*sequences(k), "N" * 30]
    counts = kmer_counts(some, k, both_strands)
    assert counts.dtype == np.float32
    assert counts.tolist() == plain_counts(some, k, both_strands)


@pytest.mark.parametrize("k", [1, 2, 3, 7, 8, 9, 16, 21, 31, 32])
def test_words_are_numbers_of_two_bits_a_letter(k):
    some = sequences(k, "ACGTACGTACGTACGTN", many=4, length=40)
    codes = np.stack([to_codes(one) for one in some])
    words, known = words_of(codes, k)
    assert words.shape == known.shape == (4, 41 - k)
    for row, one in enumerate(some):
        for start in range(41 - k):
            word = one[start : start + k]
            assert known[row, start] == ("N" not in word)
            if known[row, start]:
                assert int(words[row, start]) == int("".join(str("ACGT".index(letter)) for letter in word), 4)
    alone, _ = words_of(codes[2], k)
    assert (alone == words[2]).all()


@pytest.mark.parametrize("k, both, forward", [(6, 2_080, 4_096), (7, 8_192, 16_384), (8, 32_896, 65_536)])
def test_there_are_as_many_canonical_words_as_the_docstring_says(k, both, forward):
    names = kmer_names(k)
    assert (len(names), len(kmer_names(k, both_strands=False))) == (both, forward)
    assert all(name <= reverse_complement(name) for name in names[::37])
    assert kmer_counts(sequences(k), k).shape == (7, both)


def test_the_longest_words_are_counted_under_their_names():
    some = sequences(8, "ACGT", many=1, length=60)
    names, counts = kmer_names(8, both_strands=False), kmer_counts(some, 8, both_strands=False)[0]
    found = {names[column]: counts[column] for column in np.flatnonzero(counts)}
    words = [some[0][start : start + 8] for start in range(53)]
    assert found == {word: words.count(word) for word in words}


@pytest.mark.parametrize("k", [1, 4, 6])
def test_both_strands_of_a_sequence_have_the_same_counts(k):
    some = sequences(k, "ACGTN")
    turned = [reverse_complement(one) for one in some]
    assert (kmer_counts(some, k) == kmer_counts(turned, k)).all()
    assert (kmer_counts(some, k, both_strands=False) != kmer_counts(turned, k, both_strands=False)).any()


def test_a_word_that_is_its_own_reverse_complement_is_counted_once():
    names = kmer_names(4)
    counts = kmer_counts(["ACGTTTT", "AAAACGT"], 4)
    assert counts[:, names.index("ACGT")].tolist() == [1, 1]
    assert counts.sum(axis=1).tolist() == [4, 4]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32, np.int64])
def test_one_hot_arrays_have_the_counts_of_their_letters(dtype):
    some = sequences(3)
    encoded = one_hot(some, ambiguous="zeros", dtype=dtype)
    assert (kmer_counts(encoded, 3) == kmer_counts(some, 3)).all()
    assert (kmer_counts(encoded[:, ::-1, ::-1], 3) == kmer_counts(some, 3)).all(), "a view will do"


@pytest.mark.parametrize("block", [1, 100, 1 << 18])
def test_the_size_of_the_blocks_changes_nothing(monkeypatch, block):
    some = sequences(4, many=23)
    monkeypatch.setattr(kmers, "_BLOCK", block)
    assert kmer_counts(some, 3).tolist() == plain_counts(some, 3, True)


@pytest.mark.parametrize("k", [2, 6])
def test_a_sparse_matrix_holds_the_same_counts_and_no_zero(k):
    some = [*sequences(k), "N" * 30]
    counts = kmer_counts(some, k, sparse=True)
    assert isinstance(counts, csr_matrix) and counts.dtype == np.float32
    assert (counts.toarray() == kmer_counts(some, k)).all()
    assert counts.nnz == np.count_nonzero(kmer_counts(some, k))


def test_the_words_of_real_peaks_are_those_of_a_plain_search():
    peaks = read_regions(shipped("ctcf_peaks_200.fa"))
    counts = kmer_counts(peaks.sequences, 4)
    assert counts.tolist() == plain_counts(list(peaks.sequences), 4, True)
    assert (counts.sum(axis=1) == 97).all()
    assert (kmer_counts(peaks.one_hot, 4) == counts).all()
