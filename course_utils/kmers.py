"""Words of k letters, and how often each occurs in a sequence. Where in the sequence they stand is not kept.

A *k-mer* is a word of k letters. With `both_strands` a word and its reverse complement are one: AAC stands
for GTT too, and the *canonical* of the two is the first in the alphabet.

To a computer a word is a number, of two bits a letter (:func:`words_of`); the order of these numbers is the
order of the alphabet.

Explained in lesson 06.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from course_utils.checks import said, whole
from course_utils.sequences import ALPHABET, SequenceError, check_one_hot, one_hot

if TYPE_CHECKING:  # only for the hints: scipy is loaded by the one call that needs it
    from scipy.sparse import csr_matrix

LONGEST = 8  # letters; there are 32,896 canonical words of so many
UNKNOWN = 4  # the code of an N

_BLOCK = 1 << 18  # counts made at a time: few enough for the cache


def kmer_names(k: int, both_strands: bool = True) -> list[str]:
    """The words of k letters, in the order of the alphabet.

    There are 4^k. With `both_strands` only the canonical ones are listed, 4^k / 2 for an odd k; for an even k
    4^(k/2) / 2 more, because 4^(k/2) words, such as ACGT, are their own reverse complement.

    Raises:
        ValueError: for a `k` other than 1 to 8 (lesson 06).
    """
    k = _checked_k(k)
    columns = _columns(k, both_strands)
    names = [""]
    for _ in range(k):
        names = [name + letter for name in names for letter in ALPHABET]
    first = np.unique(columns, return_index=True)[1]
    return [names[word] for word in first]


def kmer_counts(
    sequences: Iterable[str] | np.ndarray, k: int, both_strands: bool = True, *, sparse: bool = False
) -> "np.ndarray | csr_matrix":
    """Count the words of k letters of each sequence, ``(N, K)``, float32, in the order of :func:`kmer_names`.

    The words overlap: L letters hold L - k + 1. Each is counted once, with `both_strands` under its canonical
    name: a sequence and its reverse complement have the same counts then. Words with an N are not counted.

    Args:
        sequences: several of one length, or a one-hot array ``(N, L, 4)``, in which four zeros are an N.
        k: letters of a word, 1 to 8.
        both_strands: whether a word and its reverse complement are one.
        sparse: whether to give back scipy's ``csr_matrix``, which keeps no zeros, in place of an array;
            scikit-learn takes both. Of 10,000 sequences of 100 letters, the array takes 83 MB for k = 6 and
            1.3 GB for k = 8, and the sparse matrix 7 MB.

    Raises:
        SequenceError: for no sequence, unequal lengths, or a letter outside IUPAC (lesson 06).
        ValueError: for an array of another shape, numbers in it other than 0 and 1, or a `k` out of range or
            longer than the sequences.
    """
    k = _checked_k(k)
    codes = _codes_of(sequences)
    if k > codes.shape[1]:
        raise ValueError(f"k is {k}, and the sequences have {codes.shape[1]} letters")
    columns = _columns(k, both_strands)
    width = int(columns.max()) + 1
    if sparse:
        return _sparse_counts(codes, k, columns, width)
    counts = np.empty((len(codes), width), dtype=np.float32)
    rows = max(1, _BLOCK // width)
    for start in range(0, len(codes), rows):
        words, known = words_of(codes[start : start + rows], k)
        # Row r counts in the entries from r * width on; what is not to be counted goes behind the last row.
        entries = columns[words] + width * np.arange(len(words))[:, None]
        entries[~known] = width * len(words)
        found = np.bincount(entries.ravel(), minlength=width * len(words) + 1)
        counts[start : start + rows] = found[:-1].reshape(len(words), width)
    return counts


def words_of(codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The words of k letters as numbers, two bits a letter, and whether each is without N.

    Words of 1, 2, 4, 8, ... letters are joined two by two, and those of k put together from these (lessons 06 and
    10).

    Args:
        codes: ``(..., L)``, 0 to 3 for A, C, G and T; what is above is an N.
        k: 1 to 32, and no more than L.

    Returns:
        Two arrays ``(..., L - k + 1)``: unsigned whole numbers, of 16 bits up to k = 8 and of 64 beyond, and bool.
        The number of a word with an N means nothing.
    """
    number = np.uint16 if k <= 8 else np.uint64
    count = codes.shape[-1] - k + 1
    known = codes < UNKNOWN
    joined = np.where(known, codes, 0).astype(number)  # words of `size` letters, to begin with of one
    words, without_n = np.zeros((*codes.shape[:-1], count), number), np.ones((*codes.shape[:-1], count), bool)
    done, size = 0, 1
    while True:
        if k & size:
            words = words << number(2 * size) | joined[..., done : done + count]
            without_n &= known[..., done : done + count]
            done += size
        if done == k:
            return words, without_n
        joined = joined[..., :-size] << number(2 * size) | joined[..., size:]
        known = known[..., :-size] & known[..., size:]
        size *= 2


def _sparse_counts(codes: np.ndarray, k: int, columns: np.ndarray, width: int):
    from scipy.sparse import csr_matrix  # scikit-learn brings scipy along

    words, known = words_of(codes, k)
    ends = np.concatenate([[0], known.sum(axis=1).cumsum()])
    found = columns[words[known]].astype(np.int32)
    counts = csr_matrix((np.ones(len(found), np.float32), found, ends), shape=(len(codes), width))
    counts.sum_duplicates()  # a word that occurs twice in a sequence was two entries of 1
    return counts


def _columns(k: int, both_strands: bool) -> np.ndarray:
    """For each of the 4^k words, as a number of two bits a letter, its column among the counts."""
    words = np.arange(4**k)
    if not both_strands:
        return words
    other, rest = np.zeros_like(words), words
    for _ in range(k):
        other, rest = other << 2 | 3 - (rest & 3), rest >> 2
    return np.unique(np.minimum(words, other), return_inverse=True)[1].reshape(-1)


def _codes_of(sequences: Iterable[str] | np.ndarray) -> np.ndarray:
    """The bases numbered, ``(N, L)``, uint8; 4 is an N."""
    if isinstance(sequences, np.ndarray) and sequences.dtype.kind in "fiub":
        if sequences.ndim != 3:
            raise ValueError(f"a one-hot array has the shape (N, L, 4) here; this one has {sequences.shape}")
        encoded = check_one_hot(sequences)
    else:
        if isinstance(sequences, str):
            raise SequenceError("one str came; several sequences are expected, in a list")
        encoded = one_hot(sequences, ambiguous="zeros", dtype=np.uint8)
    ones = [encoded[..., base] == 1 for base in range(4)]
    bases = sum(one.view(np.uint8) for one in ones)
    if np.count_nonzero(encoded) != np.count_nonzero(bases) or bases.max() > 1:
        at = tuple(np.argwhere((bases > 1) | ((encoded != 0) & (encoded != 1)).any(axis=-1))[0].tolist())
        raise ValueError(
            f"position {at[1]} of sequence {at[0]} is {encoded[at].tolist()}; one 1 and three 0 are expected, or "
            "four 0 for an N"
        )
    codes = ones[1].view(np.uint8) + 2 * ones[2].view(np.uint8) + 3 * ones[3].view(np.uint8)
    codes[bases == 0] = UNKNOWN
    return codes


def _checked_k(k: int) -> int:
    asked = whole(k)
    if asked is None or not 1 <= asked <= LONGEST:
        raise ValueError(f"k is {said(k)}; a whole number from 1 to {LONGEST} is expected")
    return asked
