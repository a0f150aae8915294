"""Long windows of a genome with their tracks, in memory, checked.

* A *window* is a stretch of DNA, ``(L, 4)`` one-hot, and its *tracks*: for each of T experiments one number per
  *bin* of L / bins neighbouring bases (128 in lessons 09 and 10), ``(bins, T)``.
* :mod:`course_utils.hdf5_windows` keeps them in a file, and :mod:`course_utils.shared_words` finds what two sets
  have in common.

Explained in lesson 10.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from course_utils.checks import finite, partners, said, whole, whole_numbers

SPLITS = ("train", "valid", "test")

#: The largest number that float16, the type of the tracks in a file, can hold.
LIMIT = float(np.finfo(np.float16).max)


class WindowError(ValueError):
    """Windows whose parts do not fit together, or a file that is not one of windows."""


class Place(NamedTuple):
    """Where a window was cut from: 0-based, half-open."""

    chromosome: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.chromosome}:{self.start}-{self.end}"


@dataclass(frozen=True, eq=False, repr=False)
class Windows:
    """N windows of one length, in memory; making one checks that its parts fit together.

    Attributes:
        one_hot: ``(N, L, 4)``, bool (uint8 of 0 and 1 is converted); four zeros are an N.
        tracks: ``(N, bins, T)``, float32, finite and not negative; `bins` divides L.
        labels: T names.
        places: N places in the genome, or None where they are not known.
        swap: for each track the number of its partner on the other strand (its own, if it has none), or None
            where that is not known.

    Raises:
        WindowError: for parts that do not fit; the message names the window, the bin and the track (lesson 10).
    """

    one_hot: np.ndarray
    tracks: np.ndarray
    labels: tuple[str, ...]
    places: tuple[Place, ...] | None = None
    swap: tuple[int, ...] | None = None

    def __post_init__(self):
        one_hot, tracks = np.asarray(self.one_hot), np.asarray(self.tracks)
        check_layout(one_hot, tracks, "one_hot", "tracks")
        if isinstance(self.labels, str) or not hasattr(self.labels, "__len__"):
            raise WindowError(
                f"the labels are {self.labels!r}; a name for each of the {tracks.shape[2]} tracks is expected"
            )
        if len(self.labels) != tracks.shape[2]:
            raise WindowError(f"there are {tracks.shape[2]} tracks and {len(self.labels)} labels")
        for number in range(len(one_hot)):  # one by one: the whole may fill half of the memory
            check_bases(one_hot[number], f"window {number}")
        check_tracks(tracks, largest=np.finfo(np.float32).max)
        fields = {
            "one_hot": one_hot.astype(bool, copy=False),
            "tracks": tracks.astype(np.float32, copy=False),
            "labels": tuple(map(str, self.labels)),
            "places": _checked_places(self.places, one_hot.shape),
            "swap": _checked_swap(self.swap, tracks.shape[2]),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.one_hot)

    def __repr__(self) -> str:
        count, bins, tracks = self.tracks.shape
        where = "with" if self.places else "without"
        return f"{count} windows of {self.length:,} bp, {bins} bins, {tracks} tracks, {where} places"

    @property
    def length(self) -> int:
        """Bases in a window."""
        return self.one_hot.shape[1]

    @property
    def bin_size(self) -> int:
        """Bases in a bin."""
        return self.length // self.tracks.shape[1]

    def subset(self, indices: Iterable[int]) -> "Windows":
        """The windows at these positions, in this order.

        Raises:
            WindowError: for no position at all, or one that no window has.
        """
        chosen = whole_numbers(indices)
        if not chosen:
            raise WindowError(f"the indices are {said(indices)}; at least one whole number is expected")
        for index in chosen:
            if not -len(self) <= index < len(self):
                raise WindowError(f"there is no window {index}: they are numbered 0 to {len(self) - 1}")
        places = self.places and tuple(self.places[index] for index in chosen)
        rows = list(chosen)
        return replace(self, one_hot=self.one_hot[rows], tracks=self.tracks[rows], places=places)

    def by_chromosome(self, *, valid: Iterable[str], test: Iterable[str]) -> dict[str, "Windows"]:
        """Split by chromosome into "train" (all the others), "valid" and "test".

        No window of a split then overlaps one of another. Repeats and duplicated genes still occur in both:
        :func:`course_utils.shared_words.shared_kmers` counts them.

        Raises:
            WindowError: if places are not known, a chromosome is asked for twice or has no window, or a split
                is left empty.
        """
        if self.places is None:
            raise WindowError("these windows have no places, so they cannot be split by chromosome")
        asked = {"valid": _names(valid), "test": _names(test)}
        both = sorted(set(asked["valid"]) & set(asked["test"]))
        if both:
            raise WindowError(f"{both[0]} cannot be in the validation set and in the test set")
        there = Counter(place.chromosome for place in self.places)
        counts = ", ".join(f"{name} {count}" for name, count in sorted(there.items()))
        for split, names in asked.items():
            for name in names:
                if name not in there:  # a wrong name would leave its windows in the training set
                    raise WindowError(f"{name!r} was asked for in the {split} set, and the windows are {counts}")
        split_of = {name: split for split, names in asked.items() for name in names}
        members = {split: [] for split in SPLITS}
        for number, place in enumerate(self.places):
            members[split_of.get(place.chromosome, "train")].append(number)
        for split, numbers in members.items():
            if not numbers:
                wanted = " and ".join(asked.get(split, ["the other chromosomes"])) or "no chromosome"
                raise WindowError(f"the {split} set is empty: {wanted} was asked for, and the windows are {counts}")
        return {split: self.subset(numbers) for split, numbers in members.items()}

    def crop(self, length: int) -> "Windows":
        """Cut each window into neighbouring ones of `length` bases; whole bins, nothing left over.

        The pieces of a window stand beside each other: to keep them in one split, split first.

        Raises:
            WindowError: if `length` is no multiple of the bin size, or does not divide the windows' length.
        """
        length, asked = whole(length), length
        if length is None or length < 1 or length % self.bin_size:
            raise WindowError(f"the length is {asked}; a multiple of the {self.bin_size} bases of a bin is expected")
        if self.length % length:
            raise WindowError(f"windows of {self.length} bases cannot be cut into pieces of {length}")
        pieces = self.length // length
        places = self.places and tuple(
            Place(place.chromosome, start, start + length)
            for place in self.places
            for start in range(place.start, place.end, length)
        )
        return replace(
            self,
            one_hot=self.one_hot.reshape(len(self) * pieces, length, 4),
            tracks=self.tracks.reshape(len(self) * pieces, -1, len(self.labels)),
            places=places,
        )


# --- the checks ----------------------------------------------------------------------------------


def share_of(count: int, fraction: float, split: str) -> int:
    """How many of `count` windows of a split a fraction of them is, rounded down.

    Raises:
        WindowError: for no number above 0 and up to 1, or one that leaves no window (lesson 10).
    """
    if finite(fraction) is None or not 0 < fraction <= 1:
        raise WindowError(f"the fraction is {said(fraction)}; a number above 0 and up to 1 is expected")
    share = int(count * fraction + 1e-9)  # 0.29 of 100 are 29, whatever the last bit says
    if not share:
        raise WindowError(f"a fraction of {fraction} of the {count} windows of {split} leaves none")
    return share


def check_layout(one_hot, tracks, first: str, second: str) -> None:
    """Check the shapes and types of windows and their tracks, arrays or datasets called `first` and `second`.

    Raises:
        WindowError: unless they are ``(N, L, 4)`` of bool or uint8 and ``(N, bins, T)`` of real numbers, with at
            least one of each, and bins that divide L (lesson 10).
    """
    if len(one_hot.shape) != 3 or one_hot.shape[2] != 4 or 0 in one_hot.shape:
        hint = "; the bases belong in the last axis" if one_hot.shape[1:2] == (4,) else ""
        raise WindowError(f"{first} has the shape {tuple(one_hot.shape)}; (windows, length, 4) is expected{hint}")
    if one_hot.dtype not in (np.bool_, np.uint8):
        raise WindowError(f"{first} is of the type {one_hot.dtype}; bool or uint8 is expected")
    if len(tracks.shape) != 3 or 0 in tracks.shape:
        raise WindowError(f"{second} has the shape {tuple(tracks.shape)}; (windows, bins, tracks) is expected")
    if tracks.dtype.kind not in "fiu":
        raise WindowError(f"{second} is of the type {tracks.dtype}; real numbers are expected")
    if len(one_hot) != len(tracks):
        raise WindowError(f"{first} holds {len(one_hot)} windows and {second} {len(tracks)}")
    length, bins = one_hot.shape[1], tracks.shape[1]
    if length % bins:
        raise WindowError(
            f"{first} has windows of {length} bases, which cannot be divided into the {bins} bins of {second}"
        )


def check_bases(one_hot: np.ndarray, what: str) -> None:
    """Check a window ``(L, 4)``, called `what`.

    Raises:
        WindowError: for another number than 0 or 1, or a base with more than one 1 (lesson 10).
    """
    if one_hot.dtype != bool and one_hot.max() > 1:
        position, base = np.argwhere(one_hot > 1)[0]
        raise WindowError(f"{what} has {one_hot[position, base]} at position {position}; 0 or 1 is expected")
    columns = one_hot.view(np.uint8)
    bases = columns[:, 0] + columns[:, 1] + columns[:, 2] + columns[:, 3]
    if bases.max() > 1:
        position = int(np.argmax(bases > 1))
        raise WindowError(f"{what} has {bases[position]} bases at position {position}; one or none is expected")


def check_tracks(tracks: np.ndarray, first: int = 0, largest: float | None = None, source: str = "") -> None:
    """Check tracks ``(N, bins, T)``; a message counts the windows from `first`, and names the `source`.

    Raises:
        WindowError: unless all are finite numbers from 0 to `largest`, or to what their type holds (lesson 10).
    """
    largest = np.finfo(tracks.dtype).max if largest is None and tracks.dtype.kind == "f" else largest
    right = tracks >= 0
    if largest is not None:
        right &= tracks <= largest
    if right.all():
        return
    window, number, track = np.argwhere(~right)[0]
    value = tracks[window, number, track]
    why = "a track holds finite numbers from 0 up"
    if np.isfinite(value) and value > 0:
        why = f"float{16 if largest == LIMIT else 32}, the type it is kept in, holds numbers up to {largest:.8g}"
    raise WindowError(f"window {window + first}, bin {number}, track {track}{source} is {value:.8g}; {why}")


def _checked_places(places, shape: tuple[int, ...]) -> tuple[Place, ...] | None:
    if places is None:
        return None
    try:
        places = tuple(Place(*place) for place in places)
    except TypeError:
        raise WindowError("the places are not all of the form (chromosome, start, end)") from None
    for number, (chromosome, start, end) in enumerate(places):
        if not isinstance(chromosome, str) or whole(start) is None or whole(end) is None:
            raise WindowError(
                f"the place of window {number} is {(chromosome, start, end)}; a name and two whole numbers are expected"
            )
    if len(places) != shape[0]:
        raise WindowError(f"there are {shape[0]} windows and {len(places)} places")
    for number, place in enumerate(places):
        if place.end - place.start != shape[1] or place.start < 0:
            raise WindowError(f"the place of window {number} is {place}, and it has {shape[1]} bases")
    return places


def _checked_swap(swap, tracks: int) -> tuple[int, ...] | None:
    if swap is None:
        return None
    try:
        return partners(swap, tracks)
    except ValueError as error:
        raise WindowError(str(error)) from None


def _names(names: Iterable[str]) -> list[str]:
    found = [names] if isinstance(names, str) else list(names) if isinstance(names, Iterable) else [names]
    if not all(isinstance(name, str) for name in found):
        raise WindowError(f"the chromosomes are {said(names)}; their names are expected")
    return found
