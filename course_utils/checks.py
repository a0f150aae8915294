"""Checks that several rooms share, of numbers and lists of numbers; they need neither NumPy nor PyTorch."""

import math
import operator


def said(value) -> str:
    """A value as a message of one line names it."""
    return str(_plain(value))[:60]


def _plain(value):
    """Python's own numbers and lists, in place of NumPy's and PyTorch's."""
    return value.tolist() if hasattr(value, "tolist") else value


def whole(value) -> int | None:
    """The whole number that `value` is (of Python, NumPy or PyTorch), or None; True and False are none."""
    value = _plain(value)
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def whole_numbers(values) -> tuple[int, ...] | None:
    """The whole numbers that `values` lists, or None if it is no list, or holds something else."""
    try:
        found = tuple(map(whole, _plain(values)))
    except TypeError:
        return None
    return None if None in found else found


def finite(value) -> float | None:
    """The finite number that `value` is (of Python, NumPy or PyTorch), or None; True and False are none."""
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -math.inf < value < math.inf:
        return None
    return value


def partners(swap, tracks: int, what: str = "swap") -> tuple[int, ...]:
    """A list, called `what`, that gives for each track the index of its partner on the other strand.

    A track without strands is its own partner.

    Raises:
        ValueError: unless they are whole numbers, one for each of the tracks, each the partner of its
            partner (lesson 10).
    """
    found = whole_numbers(swap)
    came = said(swap if found is None else list(found))
    if not found or len(found) != tracks:
        raise ValueError(f"{what} is {came}; the index of a partner is expected for each of the {tracks} tracks")
    if not 0 <= min(found) <= max(found) < tracks:
        raise ValueError(f"{what} is {came}; indices from 0 to {tracks - 1} are expected")
    for track, partner in enumerate(found):
        if found[partner] != track:
            raise ValueError(
                f"{what} gives track {track} the partner {partner}, whose own partner is {found[partner]}; each is "
                "expected to be the partner of its partner"
            )
    return found
