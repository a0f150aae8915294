"""What two sets of windows have in common: words of k letters, on either strand.

Explained in lesson 10. :class:`WordList`, which finds words fast, serves the peaks of lesson 06, too.
"""

from typing import NamedTuple

import numpy as np

from course_utils.checks import said, whole
from course_utils.kmers import UNKNOWN, words_of
from course_utils.windows import WindowError

_BITS = 25  # of the quick look


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
    letters = whole(k)
    for one_hot in (first, second):
        if np.ndim(one_hot) != 3 or np.shape(one_hot)[2] != 4 or 0 in np.shape(one_hot):
            raise WindowError(f"an array of the shape {np.shape(one_hot)} came; (windows, length, 4) is expected")
        if letters is None or not 1 <= letters <= min(32, one_hot.shape[1]):
            raise WindowError(f"k is {said(k)}; 1 to 32 letters, and no more than a window has, are expected")
    words = np.concatenate([words[known] for words, known in (_words(window, letters) for window in first)])
    words.sort()  # np.unique takes 100 times longer
    listed = WordList(words)
    count, longest = np.zeros((2, len(second)), dtype=int)
    for number, window in enumerate(second):
        there = np.sort(listed.find(*_words(window, letters))[0])
        count[number] = there.size
        if there.size:
            ends = np.flatnonzero(np.diff(there, append=there[-1] + 2) > 1)
            longest[number] = np.diff(ends, prepend=-1).max() + letters - 1
    return Shared(count, longest)


class WordList:
    """Words in which others are looked for: millions a second.

    Args:
        words: their numbers, ``(W,)``, in rising order (lesson 06).
    """

    def __init__(self, words: np.ndarray):
        self.words = words
        self.perhaps = np.zeros(1 << _BITS, dtype=bool)  # a quick look here spares most words the search
        self.perhaps[_hash(words)] = True

    def find(self, words: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The positions of the words that the list has, in the order of the words; for each, its stretch of the list.

        Args:
            words, known: ``(n,)``, as :func:`course_utils.kmers.words_of` gives them.

        Returns:
            Three arrays of one length: positions; and from where to where the list has that word, half-open.
        """
        there = np.flatnonzero(self.perhaps[_hash(words)] & known)
        there = there[np.argsort(words[there])]  # in order, the search stays in the processor's cache
        first, end = (np.searchsorted(self.words, words[there], side) for side in ("left", "right"))
        found = first < end
        return there[found], first[found], end[found]


def _hash(words: np.ndarray) -> np.ndarray:
    return words * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(64 - _BITS)


def _words(one_hot: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k-mers of a window as numbers, and whether each is without N.

    A word and its reverse complement have the same number.
    """
    present = np.asarray(one_hot) > 0
    codes = present @ np.arange(4, dtype=np.uint8)
    codes[~present.any(axis=1)] = UNKNOWN
    forward, known = words_of(codes, k)
    backward, _ = words_of(3 - codes[::-1], k)  # 3 - 4 is 255 in 8 bits: an N stays one
    return np.minimum(forward, backward[::-1]), known
