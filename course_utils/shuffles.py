"""Shuffled sequences: negatives that keep the composition and lose the motif.

:func:`shuffle_bases` keeps how often each base occurs; :func:`shuffle_dinucleotides` keeps how often each
base follows each base, and both ends. Each draws evenly: all sequences with the same counts are equally likely.

Both take one sequence, several of one length, or codes ``(N, L)`` (A, C, G, T are 0, 1, 2, 3), and give back
what they took. Explained in lesson 03.
"""

from collections.abc import Iterable
from itertools import product
from typing import TypeVar

import numpy as np

from course_utils.sequences import SequenceError, from_codes, to_codes

Sequences = TypeVar("Sequences", str, list, np.ndarray)

_BLOCK = 1 << 19  # bases shuffled at a time: few enough for the cache, many enough for numpy
_ROOT = 16  # in place of a dinucleotide, 0 to 15: the end has no last edge

# A key sorts one edge. From the highest bit: 2 the base it leaves, 1 set for a last edge, 59 at random
# (so many that no two are alike), 2 the base it leads to.
_LEAVES, _LAST, _RANDOM = np.uint64(62), np.uint64(1 << 61), np.uint64(((1 << 59) - 1) << 2)


def shuffle_bases(sequences: Sequences, rng: np.random.Generator) -> Sequences:
    """Put the bases of each sequence in a new order; all orders are equally likely.

    The count of each base stays, the dinucleotides do not: CG, for example, which is rare in the human
    genome, becomes as frequent as chance makes it.

    Args:
        sequences: one ``str``, several of one length, or codes ``(N, L)``.
        rng: numpy's generator of random numbers.

    Returns:
        What came in, shuffled: a new ``str``, list of ``str``, or array ``(N, L)`` of uint8.

    Raises:
        SequenceError: for no sequence, unequal lengths, or anything but A, C, G, T (lesson 03).
        ValueError: unless `rng` is a numpy Generator.
    """
    codes = as_codes(sequences)
    return _as_they_came(check_generator(rng).permuted(codes, axis=1), sequences)


def shuffle_dinucleotides(sequences: Sequences, rng: np.random.Generator) -> Sequences:
    """Shuffle each sequence but keep the count of each dinucleotide, and the first and the last base.

    All sequences of which that is true are equally likely. (To cut a sequence into pairs and permute
    these does not keep the counts: other pairs arise where two of them meet.)

    Args:
        sequences: one ``str``, several of one length, or codes ``(N, L)``.
        rng: numpy's generator of random numbers.

    Returns:
        What came in, shuffled: a new ``str``, list of ``str``, or array ``(N, L)`` of uint8.

    Raises:
        SequenceError: for no sequence, unequal lengths, or anything but A, C, G, T (lesson 03).
        ValueError: unless `rng` is a numpy Generator.

    A sequence is a walk from base to base, and each dinucleotide an edge that the walk uses once. The
    *last edge* of a base is the one by which the walk leaves it for the last time. A walk can use up all
    edges if and only if the last edges lead from every base, step by step, to the base at which the
    sequence ends: they form a tree. So draw such a tree, put the other edges of each base in random
    order, the last edge behind them, and walk (Altschul & Erickson, Molecular Biology and Evolution 2,
    526-538, 1985). Four bases have only 16 trees towards a given end, so that none has to be tried in
    vain: each weighs as much as it has choices of edges. All N sequences walk side by side;
    ``benchmarks/simulation.py`` measures it.
    """
    codes = as_codes(sequences)
    check_generator(rng)
    shuffled = codes.copy()
    rows = max(1, _BLOCK // codes.shape[1])
    if codes.shape[1] > 3:  # else nothing can move
        for start in range(0, len(codes), rows):
            shuffled[start : start + rows] = _walk(codes[start : start + rows], rng)
    return _as_they_came(shuffled, sequences)


def as_codes(sequences: str | Iterable[str] | np.ndarray) -> np.ndarray:
    """Sequences of A, C, G, T as codes ``(N, L)``, uint8; one ``str`` is N = 1. Codes stay as they are.

    Raises:
        SequenceError: for no sequence, unequal lengths, or anything but A, C, G, T; the message says
            what stands where (lesson 03).
    """
    if isinstance(sequences, np.ndarray):
        codes = letters = sequences
        if codes.ndim != 2 or codes.dtype.kind not in "ui" or codes.size == 0:
            raise SequenceError(
                "sequences are strings, or whole numbers 0 to 3 of the shape (N, L); an array of "
                f"{codes.dtype} of the shape {codes.shape} came"
            )
    else:
        letters = _as_list(sequences)
        codes = _codes_of(letters)
    if codes.min() < 0 or codes.max() > 3:
        row, position = np.argwhere((codes < 0) | (codes > 3))[0]
        came = letters[row][position]  # as it was written
        raise SequenceError(
            f"{came} stands at position {position} of sequence number {row}; A, C, G, T (codes 0 to 3) "
            "are expected: an unknown base cannot be counted, so cut it out or leave the sequence out"
        )
    return codes.astype(np.uint8, copy=False)


def _as_list(sequences: str | Iterable[str]) -> list:
    if isinstance(sequences, str):
        return [sequences]
    if isinstance(sequences, bytes) or not isinstance(sequences, Iterable):
        raise SequenceError(
            f"{type(sequences).__name__} came; a str, several of them, or an array of codes is expected"
        )
    return list(sequences)


def _codes_of(sequences: list) -> np.ndarray:
    """Codes ``(N, L)`` of a list of text; 4 stands for a letter that is no base."""
    rows = []
    for number, sequence in enumerate(sequences):
        if not isinstance(sequence, str):
            raise SequenceError(
                f"sequence number {number} is of type {type(sequence).__name__}; a str is expected"
            )
        try:
            rows.append(to_codes(sequence))
        except SequenceError as error:
            raise SequenceError(f"sequence number {number}: {error}") from None
    if not rows:
        raise SequenceError("there are no sequences: the list is empty")
    lengths = [len(row) for row in rows]
    if min(lengths) < max(lengths):
        other = next(i for i, length in enumerate(lengths) if length != lengths[0])
        raise SequenceError(
            f"sequences of unequal length: number 0 has {lengths[0]} bases, number {other} has "
            f"{lengths[other]}; cut or pad them to one length"
        )
    return np.stack(rows)


def check_generator(rng: np.random.Generator) -> np.random.Generator:
    """Return a generator of random numbers, or say that it is none.

    Raises:
        ValueError: for anything else, such as a seed (lesson 03).
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng is {str(rng)[:40]!r}, of type {type(rng).__name__}; a generator is expected, such as "
            "np.random.default_rng(1)"
        )
    return rng


def _as_they_came(codes: np.ndarray, sequences: Sequences) -> Sequences:
    """Codes as the kind of thing that `sequences` is: codes, one ``str``, or a list of them."""
    if isinstance(sequences, np.ndarray):
        return codes
    letters = from_codes(codes)
    return letters[0] if isinstance(sequences, str) else letters


def _trees() -> np.ndarray:
    """``(4, 16, 4)``: for each end, the 16 trees: the dinucleotide that is each base's last edge.

    Of the 4 ** 4 ways to give each base a base to lead to, those in which all arrive at the end.
    """
    found = []
    for end in range(4):
        for leads_to in product(range(4), repeat=4):
            after_three = range(4)  # where each base stands after three steps, enough for any tree
            for _ in range(3):
                after_three = [leads_to[base] for base in after_three]
            if leads_to[end] == end and set(after_three) == {end}:
                found.append([4 * a + b if a != end else _ROOT for a, b in enumerate(leads_to)])
    return np.array(found).reshape(4, 16, 4)


_TREES = _trees()


def _walk(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shuffle sequences ``(N, L)``: draw last edges, sort the others at random, and walk along them."""
    many, length = codes.shape
    rows = np.arange(many)
    pairs = 4 * codes[:, :-1] + codes[:, 1:]  # (N, L - 1): the edges
    counts = np.bincount((pairs + 16 * rows[:, None]).ravel(), minlength=16 * many)
    leaving = counts.reshape(many, 4, 4).sum(axis=2)  # (N, 4)
    tree = _draw_trees(counts.reshape(many, 16), leaving, codes[:, -1], rng)

    keys = rng.integers(1 << 64, size=pairs.shape, dtype=np.uint64)
    keys &= _RANDOM
    keys |= codes[:, 1:]
    keys |= codes[:, :-1].astype(np.uint64) << _LEAVES
    for edge in tree.T:  # of each base
        same = pairs == edge[:, None]
        first = same.argmax(axis=1)  # edges that look the same are the same to us: take the first
        marked = same[rows, first]
        keys[rows[marked], first[marked]] |= _LAST
    keys.sort(axis=1)  # each base's edges side by side, at random, the last edge last
    leads_to = (keys & np.uint64(3)).astype(np.uint8).ravel()

    first_edge = np.cumsum(leaving, axis=1) - leaving + (length - 1) * rows[:, None]
    next_edge = first_edge.ravel()  # (4 N): where each base of each sequence goes on
    walked = np.empty((length, many), dtype=np.uint8)
    walked[0] = codes[:, 0]
    for position in range(1, length):
        here = 4 * rows + walked[position - 1]
        edge = next_edge[here]
        walked[position] = leads_to[edge]
        next_edge[here] = edge + 1
    return walked.T


def _draw_trees(
    counts: np.ndarray, leaving: np.ndarray, end: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """``(N, 4)``: the dinucleotide that is the last edge of each base, drawn by the number of choices."""
    many = len(counts)
    choices = np.concatenate([counts, np.ones((many, 1))], axis=1)  # (N, 17), the last for _ROOT
    # A base without edges hangs from the end, where it harms nobody: one way, not none.
    row, base = np.nonzero(leaving == 0)
    choices[row, 4 * base + end[row]] = 1
    trees = _TREES[end]  # (N, 16, 4)
    weight = choices[np.arange(many)[:, None, None], trees].prod(axis=2)
    upto = weight.cumsum(axis=1)  # (N, 16)
    # Below the total, which rounding could reach: there is no seventeenth tree.
    drawn = np.minimum(rng.random(many) * upto[:, -1], np.nextafter(upto[:, -1], 0))
    return trees[np.arange(many), (upto <= drawn[:, None]).sum(axis=1)]
