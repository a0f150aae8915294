"""What two sets of windows have in common: words of k letters, on either strand.

Explained in lesson 10.
"""

from typing import NamedTuple

import numpy as np

from course_utils.windows import WindowError


class Shared(NamedTuple):
    """What each window of a set has in common with another set; see :func:`shared_kmers`.

    Attributes:
        count: ``(N,)``, at how many positions a shared k-mer begins.
        longest: ``(N,)``, bases of the longest stretch of which every k-mer is shared.
    """

    count: np.ndarray
    longest: np.ndarray


def shared_kmers(first: np.ndarray, second: np.ndarray, k: int = 32) -> Shared:
    """For each window of `second`, how much of it occurs in `first` on either strand; an N matches nothing.

    Windows of the human genome share thousands of 32-mers with any others, because a tenth of it is copies of
    one repeat, Alu: it is the longest stretch that tells an overlap (thousands of bases) from repeats.

    Args:
        first, second: one-hot arrays ``(N, L, 4)``, such as ``windows.one_hot``.
        k: letters of a word, 1 to 32.

    Raises:
        WindowError: for another shape, or a `k` out of range or longer than a window (lesson 10).
    """
    for one_hot in (first, second):
        if np.ndim(one_hot) != 3 or np.shape(one_hot)[2] != 4 or 0 in np.shape(one_hot):
            raise WindowError(f"an array of the shape {np.shape(one_hot)} came; (windows, length, 4) is expected")
        if not isinstance(k, int | np.integer) or not 1 <= k <= min(32, one_hot.shape[1]):
            raise WindowError(f"k is {k}; 1 to 32 letters, and no more than a window has, are expected")
    known = np.concatenate([words[whole] for words, whole in (_words(window, k) for window in first)])
    known.sort()  # np.unique takes 100 times longer
    perhaps = np.zeros(1 << 25, dtype=bool)  # a quick look here spares most words the search
    perhaps[_hash(known)] = True
    count, longest = np.zeros((2, len(second)), dtype=int)
    for number, window in enumerate(second):
        words, whole = _words(window, k)
        there = np.flatnonzero(perhaps[_hash(words)] & whole)
        there = there[np.argsort(words[there])]  # in order, the search stays in the processor's cache
        places = np.searchsorted(known, words[there])
        places[places == known.size] = 0
        there = np.sort(there[known[places] == words[there]]) if known.size else there
        count[number] = there.size
        if there.size:
            ends = np.flatnonzero(np.diff(there, append=there[-1] + 2) > 1)
            longest[number] = np.diff(ends, prepend=-1).max() + k - 1
    return Shared(count, longest)


def _hash(words: np.ndarray) -> np.ndarray:
    return words * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(39)  # 25 bits


def _words(one_hot: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k-mers of a window as 64-bit numbers, and whether each is without N.

    A word and its reverse complement have the same number.
    """
    present = np.asarray(one_hot) > 0
    codes = (present @ np.arange(4, dtype=np.uint8)).astype(np.uint64)
    count = len(codes) - k + 1
    forward, backward = np.zeros((2, count), dtype=np.uint64)
    for offset in range(k):  # two bits a letter
        letter = codes[offset : offset + count]
        forward = forward << np.uint64(2) | letter
        backward |= (3 - letter) << np.uint64(2 * offset)
    unknown = np.concatenate([[0], np.cumsum(~present.any(axis=1))])
    return np.minimum(forward, backward), unknown[k:] == unknown[:-k]
