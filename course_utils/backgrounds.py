"""Background sequences: what DNA is without a motif, drawn at random.

A *background* is

* four probabilities of A, C, G, T: each base by itself; or
* a *chain* ``(4, 4)``: the probabilities of the next base, a row for each base before it, so that dinucleotides
  have their own frequencies (a Markov chain of order 1).

Sequences are codes ``(N, L)``, uint8: A, C, G, T are 0, 1, 2, 3. Explained in lesson 03.
"""

from collections.abc import Iterable, Sequence
from numbers import Real

import numpy as np

from course_utils.motifs import check_background
from course_utils.shuffles import as_codes, check_generator

_BLOCK = 1 << 20  # bases drawn at a time: few enough for the cache, many enough for numpy


class SimulationError(ValueError):
    """Sequences that cannot be made as asked."""


def gc_background(gc: float) -> np.ndarray:
    """Four probabilities: G and C together have the share `gc`; A is as frequent as T, C as G.

    Raises:
        SimulationError: unless 0 < gc < 1 (lesson 03).
    """
    if not isinstance(gc, Real) or not 0 < gc < 1:
        raise SimulationError(f"the GC content is {gc}; a share above 0 and below 1 is expected")
    return np.array([1 - gc, gc, gc, 1 - gc]) / 2


def composition_of(sequences: str | Iterable[str] | np.ndarray) -> np.ndarray:
    """How often A, C, G, T occur in sequences as they stand (one strand): four probabilities.

    Each count starts at 1, so that no base is impossible.

    Raises:
        SequenceError: for anything but sequences of one length of A, C, G, T (lesson 03).
    """
    counts = np.bincount(as_codes(sequences).ravel(), minlength=4) + 1
    return counts / counts.sum()


def transitions_of(sequences: str | Iterable[str] | np.ndarray) -> np.ndarray:
    """How often each base follows each base: ``(4, 4)``, a row for each base before, adding up to 1.

    Each count starts at 1, so that no dinucleotide is impossible.

    Raises:
        SequenceError: for anything but sequences of one length of A, C, G, T (lesson 03).
    """
    codes = as_codes(sequences)
    pairs = 4 * codes[:, :-1] + codes[:, 1:]  # (N, L - 1)
    counts = np.bincount(pairs.ravel(), minlength=16).reshape(4, 4) + 1
    return counts / counts.sum(axis=1, keepdims=True)


def check_chain(background: Sequence | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A background as a Markov chain: probabilities of the first base ``(4,)`` and of the next ``(4, 4)``.

    The first base of a chain has the composition that the chain keeps (its stationary distribution), so
    that all positions are alike. Independent bases are the chain whose rows are all the same.

    Raises:
        SimulationError: for another shape, or a matrix that holds anything but positive numbers whose
            rows add up to 1.
        MotifError: for four numbers that are no background (lesson 03).
    """
    try:
        chain = np.asarray(background, dtype=float)
    except (TypeError, ValueError):  # rows of unequal length, or no numbers
        raise SimulationError(
            f"a background is four probabilities, or a matrix (4, 4) of them; {str(background)[:40]!r} came"
        ) from None
    if chain.ndim != 2:
        first = check_background(background)
        first = first / first.sum()
        return first, np.tile(first, (4, 1))
    if chain.shape != (4, 4):
        raise SimulationError(
            "a background is four probabilities, or a matrix (4, 4) of the probabilities of the next "
            f"base; the shape of this one is {chain.shape}"
        )
    if not (chain > 0).all() or abs(chain.sum(axis=1) - 1).max() > 1e-4:
        row = int(np.argmax((~(chain > 0)).any(axis=1) | (abs(chain.sum(axis=1) - 1) > 1e-4)))
        raise SimulationError(
            f"row {row} of the background is {chain[row].tolist()}; four positive numbers that add up "
            "to 1 are expected in each row"
        )
    chain = chain / chain.sum(axis=1, keepdims=True)
    # first @ chain = first, and first adds up to 1: five equations, of which four are independent
    equations = np.vstack([chain.T - np.eye(4), np.ones(4)])
    first = np.linalg.lstsq(equations, np.array([0, 0, 0, 0, 1.0]), rcond=None)[0]
    return first, chain


def sample_background(
    many: int,
    length: int,
    background: Sequence | np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw `many` background sequences as codes ``(many, length)``, uint8.

    Args:
        background: four probabilities, or a chain ``(4, 4)``.

    Raises:
        SimulationError: for a number of sequences below 0, a length below 1, or a chain that is none.
        MotifError: for four numbers that are no background.
        ValueError: unless `rng` is a numpy Generator (lesson 03).
    """
    check_whole("the number of sequences", many, 0)
    check_whole("the length", length, 1)
    first, chain = check_chain(background)
    check_generator(rng)
    if np.all(chain == 0.25):
        return rng.integers(4, size=(many, length), dtype=np.uint8)
    codes = np.empty((many, length), dtype=np.uint8)
    rows = max(1, _BLOCK // length)
    independent = (chain == chain[0]).all()
    for start in range(0, many, rows):
        block = codes[start : start + rows]
        if independent:
            block[:] = _choose(rng.random(block.shape, dtype=np.float32), first)
        else:
            block[:] = _walk(rng.random((length, len(block)), dtype=np.float32), first, chain).T
    return codes


def _walk(uniform: np.ndarray, first: np.ndarray, chain: np.ndarray) -> np.ndarray:
    """Turn numbers from 0 to 1 ``(L, N)`` into N sequences of a chain, side by side: uint8, ``(L, N)``."""
    upto = np.cumsum(chain, axis=1).astype(np.float32)
    codes = np.empty(uniform.shape, dtype=np.uint8)
    codes[0] = _choose(uniform[0], first)
    for position in range(1, len(codes)):
        before, number, code = codes[position - 1], uniform[position], codes[position]
        code[:] = number >= upto[before, 0]  # as in _choose, with the edges of the base before
        code += number >= upto[before, 1]
        code += number >= upto[before, 2]
    return codes


def _choose(uniform: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Turn numbers from 0 to 1 into bases with these probabilities: uint8, of the same shape."""
    chosen = np.zeros(uniform.shape, dtype=np.uint8)  # the code is the number of edges below
    for edge in np.cumsum(probabilities)[:3].astype(uniform.dtype):
        chosen += uniform >= edge
    return chosen


def check_whole(what: str, number: int, least: int) -> int:
    """Return a whole number, or say that it is none or too small.

    Raises:
        SimulationError: naming what the number is of (lesson 03).
    """
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
        raise SimulationError(f"{what} is {number!r}; a whole number from {least} up is expected")
    return int(number)
