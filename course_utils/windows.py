"""Long windows of a genome with their tracks: checked arrays, and the HDF5 file of the Chainer lecture.

* A *window* is a stretch of DNA, ``(L, 4)`` one-hot, and its *tracks*: for each of T experiments one number per
  *bin* of L / bins neighbouring bases (128 in lessons 09 and 10), ``(bins, T)``.
* The HDF5 file holds, for each split (train, valid, test), ``train_in (N, L, 4)`` bool and
  ``train_out (N, bins, T)`` float16, and ``target_labels (T,)`` as bytes. Two keys are ours, and other readers
  pass over them: ``train_places (N,)``, written ``chr8:100-228``, and ``target_swap (T,)``.

Explained in lesson 10.
"""

import io
import operator
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

SPLITS = ("train", "valid", "test")

#: The largest number that float16, the type of the file's tracks, can hold.
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
        if isinstance(self.labels, str):
            raise WindowError(
                f"the labels are {self.labels!r}; a name for each of the {tracks.shape[2]} tracks is expected"
            )
        if len(self.labels) != tracks.shape[2]:
            raise WindowError(f"there are {tracks.shape[2]} tracks and {len(self.labels)} labels")
        for number in range(len(one_hot)):  # one by one: the whole may fill half of the memory
            _check_bases(one_hot[number], f"window {number}")
        _check_tracks(tracks, largest=np.finfo(np.float32).max)
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
        chosen = np.asarray(list(indices))
        if not chosen.size or chosen.dtype.kind not in "iu":
            raise WindowError(f"the indices are {chosen.tolist()}; at least one whole number is expected")
        if chosen.min() < -len(self) or chosen.max() >= len(self):
            wrong = chosen[(chosen < -len(self)) | (chosen >= len(self))][0]
            raise WindowError(f"there is no window {wrong}: they are numbered 0 to {len(self) - 1}")
        places = self.places and tuple(self.places[index] for index in chosen)
        return replace(self, one_hot=self.one_hot[chosen], tracks=self.tracks[chosen], places=places)

    def by_chromosome(self, *, valid: Iterable[str], test: Iterable[str]) -> dict[str, "Windows"]:
        """Split by chromosome into "train" (all the others), "valid" and "test".

        No window of a split then overlaps one of another. Repeats and duplicated genes still occur in both:
        :func:`shared_kmers` counts them.

        Raises:
            WindowError: if places are not known, a chromosome is asked for twice, or a split is left empty.
        """
        if self.places is None:
            raise WindowError("these windows have no places, so they cannot be split by chromosome")
        asked = {"valid": _names(valid), "test": _names(test)}
        both = sorted(set(asked["valid"]) & set(asked["test"]))
        if both:
            raise WindowError(f"{both[0]} cannot be in the validation set and in the test set")
        split_of = {name: split for split, names in asked.items() for name in names}
        members = {split: [] for split in SPLITS}
        for number, place in enumerate(self.places):
            members[split_of.get(place.chromosome, "train")].append(number)
        for split, numbers in members.items():
            if not numbers:
                there = Counter(place.chromosome for place in self.places)
                counts = ", ".join(f"{name} {count}" for name, count in sorted(there.items()))
                wanted = " and ".join(asked.get(split, ["the other chromosomes"])) or "no chromosome"
                raise WindowError(f"the {split} set is empty: {wanted} was asked for, and the windows are {counts}")
        return {split: self.subset(numbers) for split, numbers in members.items()}

    def crop(self, length: int) -> "Windows":
        """Cut each window into neighbouring ones of `length` bases; whole bins, nothing left over.

        The pieces of a window stand beside each other: to keep them in one split, split first.

        Raises:
            WindowError: if `length` is no multiple of the bin size, or does not divide the windows' length.
        """
        if not isinstance(length, int | np.integer) or length < 1 or length % self.bin_size:
            raise WindowError(f"the length is {length}; a multiple of the {self.bin_size} bases of a bin is expected")
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


def _check_bases(one_hot: np.ndarray, what: str) -> None:
    """A window ``(L, 4)``: 0 or 1, and at most one 1 a base."""
    if one_hot.dtype != bool and one_hot.max() > 1:
        position, base = np.argwhere(one_hot > 1)[0]
        raise WindowError(f"{what} has {one_hot[position, base]} at position {position}; 0 or 1 is expected")
    columns = one_hot.view(np.uint8)
    bases = columns[:, 0] + columns[:, 1] + columns[:, 2] + columns[:, 3]
    if bases.max() > 1:
        position = int(np.argmax(bases > 1))
        raise WindowError(f"{what} has {bases[position]} bases at position {position}; one or none is expected")


def _check_tracks(tracks: np.ndarray, first: int = 0, largest: float | None = None, source: str = "") -> None:
    """Finite numbers from 0 to `largest`, ``(N, bins, T)``; the first window is called `first`."""
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
    if len(places) != shape[0]:
        raise WindowError(f"there are {shape[0]} windows and {len(places)} places")
    for number, place in enumerate(places):
        if place.end - place.start != shape[1] or place.start < 0:
            raise WindowError(f"the place of window {number} is {place}, and it has {shape[1]} bases")
    return places


def _checked_swap(swap, tracks: int) -> tuple[int, ...] | None:
    if swap is None:
        return None
    swap = tuple(int(partner) for partner in swap)
    if sorted(swap) != list(range(tracks)):
        raise WindowError(f"swap is {list(swap)}; each of the {tracks} tracks has to occur in it once")
    for track, partner in enumerate(swap):
        if swap[partner] != track:
            raise WindowError(f"swap pairs track {track} with {partner}, but {partner} with {swap[partner]}")
    return swap


def _names(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


# --- the file ------------------------------------------------------------------------------------


def write_windows(path: str | Path, splits: Mapping[str, Windows]) -> None:
    """Write splits ("train", "valid", "test") into an HDF5 file, whole or not at all.

    It is written beside its place, as ``NAME.part``, and renamed when it is whole. The tracks become float16:
    three significant digits, and numbers up to 65,504.

    Raises:
        WindowError: for no or other splits, splits that differ in length, bins, labels or swap, or a number
            that float16 cannot hold.
        OSError: if the file cannot be written; an earlier file stays as it was (lesson 10).
    """
    import h5py

    if not splits or not set(splits) <= set(SPLITS):
        raise WindowError(f"the splits are {sorted(splits)}; some of {', '.join(SPLITS)} are expected")
    first, *others = splits
    for split in others:
        for what in ("length", "bin_size", "labels", "swap"):
            then, now = getattr(splits[first], what), getattr(splits[split], what)
            if then != now:
                raise WindowError(f"the splits differ: the {what} of {first} is {then}, and of {split} {now}")
    for split, windows in splits.items():
        _check_tracks(windows.tracks, largest=LIMIT, source=f" of {split}")

    path = Path(path)
    beside = path.with_name(path.name + ".part")
    try:
        with _Kept(beside, "w+b") as disk:
            with h5py.File(disk, "w") as file:
                file["target_labels"] = np.array([label.encode() for label in splits[first].labels])
                if splits[first].swap is not None:
                    file["target_swap"] = np.array(splits[first].swap)
                for split, windows in splits.items():
                    _write_split(file, split, windows, disk)
            disk.check()
            os.fsync(disk.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise OSError(
            f"{path} could not be written ({error.strerror}); an earlier file of this name is as it was"
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()


class _Kept(io.FileIO):
    """A file that keeps the error of a failed writing for later: HDF5 cannot bear one, and crashes Python."""

    error: OSError | None = None

    def write(self, data) -> int:
        rest = memoryview(data).cast("B")
        try:
            while rest and self.error is None:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
        return len(memoryview(data).cast("B"))

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size) if self.error is None else size
        except OSError as error:
            self.error = error
            return size

    def check(self) -> None:
        if self.error is not None:
            raise self.error


def _write_split(file, split: str, windows: Windows, disk: _Kept) -> None:
    one_hot, tracks = windows.one_hot, windows.tracks
    inputs = file.create_dataset(f"{split}_in", one_hot.shape, bool, chunks=(1, *one_hot.shape[1:]))
    outputs = file.create_dataset(f"{split}_out", tracks.shape, "float16", chunks=(1, *tracks.shape[1:]))
    for number in range(len(windows)):
        inputs[number] = one_hot[number]
        outputs[number] = tracks[number].astype(np.float16)
        disk.check()
    if windows.places is not None:
        file[f"{split}_places"] = np.array([str(place).encode() for place in windows.places])


def read_windows(path: str | Path, split: str, start: int = 0, stop: int | None = None) -> Windows:
    """Read the windows `start` to `stop` (not included; None: to the last) of a split into memory.

    Raises:
        WindowError: for a file that is damaged or of another kind, a split that it does not hold, windows that
            it does not hold, or numbers that are no tracks.
        FileNotFoundError: if there is no such file (lesson 10).
    """
    path = Path(path)
    with _opened(path) as file:
        count = _check_file(file, path, split)
        stop = count if stop is None else stop
        if not 0 <= start < stop <= count:
            raise WindowError(f"windows {start} to {stop} of {split} were asked for; {path} holds {count}")
        one_hot = _read(path, lambda: file[f"{split}_in"][start:stop])
        tracks = _read(path, lambda: file[f"{split}_out"][start:stop])
        places = _places(file, split, start, stop, path)
        swap = tuple(file["target_swap"][:].tolist()) if "target_swap" in file else None
        labels = _labels(file)
    _check_tracks(tracks, start, source=f" of {split} in {path}")
    return Windows(one_hot, tracks, labels, places, swap)


class HDF5Windows:
    """The windows of a split of an HDF5 file, read one at a time: a dataset for :func:`course_utils.training.fit`.

    ``data[i]`` is the pair (inputs ``(4, L)``, tracks ``(bins, T)``), float32 both. The file is opened when it is
    first needed, in each process for itself, so that a DataLoader may have workers. A window is quick to read from
    what :func:`write_windows` wrote; in a compressed file whose blocks span many windows, as h5py lays them out when
    it is not told, each window costs unpacking them all: copy such a file once.

    Args:
        path: the file.
        split: "train", "valid" or "test".
        fraction: how much of the split to use, from its beginning: above 0, up to 1.

    Raises:
        WindowError: for a file that is damaged or of another kind, a split that it does not hold, a fraction
            that leaves no window; and, when a window is read, for numbers that are no tracks.
        FileNotFoundError: if there is no such file (lesson 10).
    """

    def __init__(self, path: str | Path, split: str, fraction: float = 1.0):
        self.path, self.split = Path(path), split
        self._file, self._process = None, None
        with _opened(self.path) as file:
            count = _check_file(file, self.path, split)
            self.labels = _labels(file)
            self._shapes = file[f"{split}_in"].shape[1:], file[f"{split}_out"].shape[1:]
        if not 0 < fraction <= 1:
            raise WindowError(f"the fraction is {fraction}; a number above 0 and up to 1 is expected")
        self._count = int(count * fraction + 1e-9)  # 0.29 of 100 are 29, whatever the last bit says
        if not self._count:
            raise WindowError(f"a fraction of {fraction} of the {count} windows of {split} leaves none")

    def __len__(self) -> int:
        return self._count

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Windows, bases of a window, bins, tracks."""
        return self._count, self._shapes[0][0], *self._shapes[1]

    def __repr__(self) -> str:
        return f"{len(self)} windows of {self.shape[1]:,} bp of {self.split} in {self.path}"

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        number = operator.index(index)
        number += len(self) if number < 0 else 0
        if not 0 <= number < len(self):
            raise IndexError(f"there is no window {index}: they are numbered 0 to {len(self) - 1}")
        file = self._opened_here()
        one_hot = _read(self.path, lambda: file[f"{self.split}_in"][number])
        tracks = _read(self.path, lambda: file[f"{self.split}_out"][number]).astype(np.float32)
        _check_tracks(tracks[None], number, source=f" of {self.split} in {self.path}")
        return np.ascontiguousarray(one_hot.T, dtype=np.float32), tracks

    def _opened_here(self):
        if self._process != os.getpid():  # what another process had opened is not to be shared
            self.close()
            self._file, self._process = _opened(self.path), os.getpid()
        return self._file

    def close(self) -> None:
        """Close the file; reading a window opens it again."""
        if self._file is not None:
            self._file.close()
        self._file, self._process = None, None

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_file": None, "_process": None}


def _opened(path: Path):
    import h5py

    with open(path, "rb"):  # Python's own words for a file that is absent or may not be read
        pass
    return _read(path, lambda: h5py.File(path, "r"))


def _read(path: Path, action: Callable):
    """What `action` reads, with one sentence in place of h5py's errors."""
    try:
        return action()
    except (OSError, RuntimeError, KeyError, ValueError):
        raise WindowError(f"{path} is no whole HDF5 file: it was cut short, or is another kind of file") from None


def _check_file(file, path: Path, split: str) -> int:
    """How many windows the split holds, once it is known that its parts fit together."""
    import h5py

    if split not in SPLITS:
        raise WindowError(f"the split is {split!r}; one of {', '.join(SPLITS)} is expected")
    keys = (f"{split}_in", f"{split}_out", "target_labels")
    for key in keys:
        if not isinstance(file.get(key), h5py.Dataset):
            raise WindowError(f"{path} has no {key}; it holds {', '.join(sorted(file)) or 'nothing'}")
    inputs, outputs, labels = (file[key] for key in keys)
    check_layout(inputs, outputs, f"{keys[0]} of {path}", keys[1])
    if labels.shape != outputs.shape[2:]:
        raise WindowError(f"{keys[1]} of {path} has {outputs.shape[2]} tracks, and target_labels {labels.shape}")
    if labels.dtype.kind not in "SO":
        raise WindowError(f"target_labels of {path} is of the type {labels.dtype}; names are expected")
    return inputs.shape[0]


def _labels(file) -> tuple[str, ...]:
    return tuple(bytes(label).decode("utf-8", "replace") for label in file["target_labels"][:].tolist())


def _places(file, split: str, start: int, stop: int, path: Path) -> tuple[Place, ...] | None:
    if f"{split}_places" not in file:
        return None
    places = []
    for text in file[f"{split}_places"][start:stop].tolist():
        try:
            chromosome, span = text.decode().rsplit(":", 1)
            places.append(Place(chromosome, *map(int, span.split("-"))))
        except (ValueError, TypeError, AttributeError):
            raise WindowError(f"{split}_places of {path} holds {text!r}; chr8:100-228 is expected") from None
    return tuple(places)


# --- what two sets share -------------------------------------------------------------------------


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
